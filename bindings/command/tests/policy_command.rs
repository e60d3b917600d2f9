//! `bulla policy` as an officer uses it.

mod office;

use office::Office;

/// A policy for agents in office hours.
const HOURS: &str = r#"{"version":1,"name":"hours","grants":[
    {"to":[{"role":"agent"}],"rights":["view","print"],"duties":["watermark"],
     "when":{"hours":{"zone":"Asia/Seoul","days":["mon","tue","wed","thu","fri"],"from":"08:30","to":"18:30"}}}]}"#;

#[test]
fn explain_answers_from_flags() {
    let office = Office::new("x25519");
    office.write("p.json", HOURS);
    let ask = |at: &str, duties: &str, right: &str| {
        let fact = format!("duties={duties}");
        let args = [
            "policy", "explain", "p.json", "--user", "kim", "--role", "agent", "--at", at,
            "--fact", &fact, "--right", right,
        ];
        office.run("desk", &args)
    };
    // A Friday.
    let open = ask("2026-11-27T18:29:59+09:00", "watermark", "print");
    assert_eq!(open.status, 0, "{}", open.text());
    assert!(open.text().contains("may print, with watermark"), "{}", open.text());
    assert!(open.text().contains("until 2026-11-27T09:30:00Z"), "{}", open.text());
    assert_eq!(ask("2026-11-27T18:29:59+09:00", "watermark", "export").status, 3);
    assert_eq!(ask("2026-11-27T18:29:59+09:00", "wipe", "print").status, 3);

    let closed = ask("2026-11-27T19:00:00+09:00", "watermark", "print");
    assert_eq!(closed.status, 3);
    let why = "outside working hours: Mon–Fri 08:30–18:30 Asia/Seoul, it is now Fri 19:00";
    assert!(closed.text().contains(why), "{}", closed.text());
    assert_eq!(ask("yesterday", "watermark", "print").status, 2);
}

#[test]
fn explain_takes_the_policy_of_a_sealed_file() {
    let office = Office::new("x25519");
    office.write("p.json", HOURS);
    office.write("file", b"content");
    let seal = ["seal", "--policy", "p.json", "--to", "desk/identity.pub", "file", "-o", "sealed"];
    office.ok("issuer", &seal);
    let done = office.ok("desk", &["--json", "policy", "explain", "sealed"]);
    let said = done.json();
    assert_eq!(said["policy"], "hours");
    assert_eq!(said["decision"]["refused"][0]["failed"], "badge");
}

#[test]
fn check_tells_what_is_doubtful() {
    let office = Office::new("x25519");
    office.write("good.json", HOURS);
    assert_eq!(office.ok("desk", &["policy", "check", "good.json"]).text().trim(), "nothing found");
    office.write(
        "over.json",
        HOURS.replace("\"hours\":{", r#""valid":{"until":"2020-01-01T00:00:00Z"},"hours":{"#),
    );
    let over = office.run("desk", &["--json", "policy", "check", "over.json"]);
    assert_eq!(over.status, 1);
    let said = over.json();
    assert_eq!(said["findings"][0]["code"], "expired");
    office.write("bad.json", HOURS.replace("Asia/Seoul", "Asia/Soul"));
    assert_eq!(office.run("desk", &["policy", "check", "bad.json"]).status, 2);
}
