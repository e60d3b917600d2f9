//! A summary saves time and changes nothing else: what a trail says with it is what it says without.

use super::*;
use crate::trail::summary;

const NAMES: [&str; 2] = ["trail-summary.json", "trail-summary-before.json"];

impl Desk {
    /// Opens as a session does where 50 records are worth a summary.
    fn session(&self) -> Result<Trail> {
        self.open_with(TrailOptions { sync: Sync::Never, worth: 50, ..TrailOptions::default() })
    }

    fn fill(&self, count: u64) {
        let trail = self.open().unwrap();
        let mut trail = trail.lock().unwrap();
        for n in 0..count {
            trail.append(&opened(n as u8, ["kim", "lee"][n as usize % 2]), NOW + n / 3).unwrap();
            trail.append(&seen(n as u8, n, n, 1), NOW + n / 3).unwrap();
            trail.use_list(["trust", "other"][n as usize % 2], ROOT, root(1), n, NOW).unwrap();
        }
    }

    fn summary(&self, which: usize) -> PathBuf {
        self.folder.path().join(NAMES[which])
    }

    fn verify(&self) -> Result<TrailReport, TrailFault> {
        verify_trail(&self.bytes()[..], &TrailExpectation::default())
    }
}

/// How many records it knows by a summary alone.
fn summed(trail: &Trail) -> u64 {
    trail.journal.lock().unwrap().as_ref().unwrap().summed
}

fn says(trail: &Trail) -> State {
    trail.lock().unwrap().state().clone()
}

fn code<T>(result: Result<T>) -> Code {
    result.err().expect("it fails").code()
}

#[test]
fn what_a_summary_says_is_what_the_records_say() {
    let desk = Desk::new();
    desk.fill(40);
    let first = desk.session().unwrap();
    assert_eq!(summed(&first), 0, "there was none");
    drop(first);
    let records = desk.records();
    let last = records.last().unwrap();
    assert_eq!((last.event, last.seq), (Event::Summed, 121));
    let bytes = fs::read(desk.summary(0)).unwrap();
    assert_eq!(last.summary, Some(Digest256(sha256(&bytes))));

    let trail = desk.session().unwrap();
    assert_eq!(summed(&trail), 121);
    assert_eq!(desk.records().len(), 122, "a second one is not worth it yet");
    desk.fill(3);
    let with = says(&trail);
    fs::remove_file(desk.summary(0)).unwrap();
    let without = desk.open().unwrap();
    assert_eq!(summed(&without), 0);
    assert!(with == says(&without));
    assert_eq!(with.opens(&Digest256([1; 32]), Some("kim"), NOW + 3), 17);
    assert_eq!(trail.anchor().unwrap(), without.anchor().unwrap());
    assert_eq!(desk.verify().unwrap().records, 128);
}

#[test]
fn lines_before_a_summary_that_were_changed_are_found() {
    let desk = Desk::new();
    desk.fill(40);
    drop(desk.session().unwrap());
    let sound = desk.bytes();
    for at in [10, sound.len() / 2] {
        let mut bytes = sound.clone();
        bytes[at] ^= 1;
        desk.put(&bytes);
        assert_eq!(code(desk.session()), Code::Trail);
    }
    let from = sound.iter().position(|b| *b == b'\n').unwrap() + 1;
    let line = sound[from..].iter().position(|b| *b == b'\n').unwrap() + 1;
    desk.put(&[&sound[..from], &sound[from + line..]].concat());
    assert_eq!(code(desk.session()), Code::Trail);
    desk.put(&sound);
    desk.session().unwrap();
}

#[test]
fn a_summary_that_the_trail_does_not_name_is_not_used() {
    let desk = Desk::new();
    desk.fill(40);
    drop(desk.session().unwrap());
    let (expected, sound) = (says(&desk.open().unwrap()), fs::read(desk.summary(0)).unwrap());
    let forgets = String::from_utf8(sound.clone()).unwrap().replace("\"kim\"", "\"jin\"");
    let broken = [
        vec![],
        sound[..sound.len() / 2].to_vec(),
        [&sound[..], b" "].concat(),
        forgets.into_bytes(),
        b"{\"seq\":1,\"offset\":18446744073709551615}".to_vec(),
        vec![0; 200_000],
    ];
    for bytes in broken {
        fs::write(desk.summary(0), &bytes).unwrap();
        let trail = desk.open().unwrap();
        assert_eq!(summed(&trail), 0);
        assert!(says(&trail) == expected);
    }
    // One of another trail.
    let other = Desk::new();
    other.fill(40);
    drop(other.session().unwrap());
    fs::copy(other.summary(0), desk.summary(0)).unwrap();
    assert_eq!(summed(&desk.open().unwrap()), 0);
    // Kept, but a crash came before its record.
    fs::write(desk.summary(0), &sound).unwrap();
    assert_eq!(summed(&desk.open().unwrap()), 121);
    let lines = desk.bytes();
    let cut = lines[..lines.len() - 1].iter().rposition(|b| *b == b'\n').unwrap() + 1;
    desk.put(&lines[..cut]);
    let trail = desk.open().unwrap();
    assert_eq!(summed(&trail), 0);
    assert!(says(&trail) == expected);
}

#[test]
fn an_anchor_from_before_a_summary_is_read_up_to() {
    let desk = Desk::new();
    desk.fill(40);
    let early = desk.open().unwrap().anchor().unwrap();
    drop(desk.session().unwrap());
    let middle = desk.open().unwrap().anchor().unwrap();
    desk.fill(40);
    drop(desk.session().unwrap());
    let late = desk.open().unwrap().anchor().unwrap();

    let trail = desk.session().unwrap();
    let expected = says(&trail);
    for (anchor, known) in [(&late, 202), (&middle, 121), (&early, 0)] {
        assert!(trail.extends(anchor).unwrap());
        assert_eq!(summed(&trail), known);
        assert!(says(&trail) == expected);
    }
    // Where lines between were changed, an anchor shows it even so.
    let trail = desk.session().unwrap();
    let text = String::from_utf8(desk.bytes()).unwrap();
    desk.put(text.replacen("\"kim\"", "\"jin\"", 1).as_bytes());
    assert_eq!(code(trail.extends(&early)), Code::Trail);
}

/// Whoever has the device's keys can write a record that names a summary of their own.
#[test]
fn a_summary_that_lies_is_found() {
    let desk = Desk::new();
    desk.fill(40);
    let anchor = desk.open().unwrap().anchor().unwrap();
    let trail = desk.open().unwrap();
    let mut locked = trail.lock().unwrap();
    let journal = locked.journal_mut();
    let true_state = journal.at.state.clone();
    let mut forgetful = State::default();
    let begun = TrailRecord::from_line(desk.bytes().split(|b| *b == b'\n').next().unwrap());
    forgetful.take(&begun.unwrap());
    journal.at.state = forgetful;
    let entry = summary::keep(desk.folder.path(), &journal.file, &journal.at).unwrap();
    journal.at.state = true_state;
    locked.append(&entry, NOW + 40).unwrap();
    drop(locked);
    drop(trail);

    let trail = desk.session().unwrap();
    assert_eq!(says(&trail).opens(&Digest256([1; 32]), Some("kim"), 0), 0, "it is used");
    // Not where somebody else holds an anchor from before it.
    let refused = trail.extends(&anchor).unwrap_err();
    assert_eq!(refused.code(), Code::Trail);
    assert!(refused.to_string().contains("summary"), "{refused}");
    // Nor by whoever verifies.
    let fault = desk.verify().unwrap_err();
    assert_eq!((fault.line, fault.kind), (122, TrailFaultKind::Misplaced));
}

#[test]
fn a_trail_that_cannot_keep_a_summary_goes_on_without() {
    let desk = Desk::new();
    desk.fill(40);
    fs::create_dir(desk.summary(0)).unwrap();
    fs::create_dir(desk.summary(0).join("in the way")).unwrap();
    fs::create_dir(desk.summary(1)).unwrap();
    fs::create_dir(desk.summary(1).join("too")).unwrap();
    drop(desk.session().unwrap());
    assert_eq!(desk.records().len(), 121);
}

#[test]
fn a_summary_is_made_when_it_is_worth_it() {
    let worth = |worth| TrailOptions { sync: Sync::Never, worth, ..TrailOptions::default() };
    let events = |desk: &Desk| desk.records().iter().filter(|r| r.event == Event::Summed).count();
    let desk = Desk::new();
    desk.fill(40);
    drop(desk.open_with(worth(122)).unwrap());
    assert_eq!(events(&desk), 0);
    // Not while a torn line waits to be repaired.
    let sound = desk.bytes();
    desk.put(&[&sound[..], b"{"].concat());
    drop(desk.open_with(worth(121)).unwrap());
    assert_eq!(desk.bytes().len(), sound.len() + 1);
    desk.put(&sound);
    drop(desk.open_with(worth(121)).unwrap());
    assert_eq!(events(&desk), 1);
    // The next one has a quarter more, too: of 160 records 39 are new, of 162 there are 41.
    desk.fill(19);
    drop(desk.open_with(worth(3)).unwrap());
    assert_eq!((events(&desk), desk.records().len()), (1, 160));
    desk.fill(1);
    drop(desk.open_with(worth(3)).unwrap());
    assert_eq!(events(&desk), 2);
}

#[test]
fn a_summary_is_not_longer_than_its_trail() {
    let desk = Desk::new();
    drop(desk.open_with(TrailOptions { worth: 1, ..TrailOptions::default() }).unwrap());
    assert!(!desk.summary(0).exists());
    assert_eq!(desk.records().len(), 1);
}

#[test]
fn the_summary_before_is_kept_or_there_is_no_new_one() {
    let desk = Desk::new();
    desk.fill(40);
    drop(desk.session().unwrap());
    let first = fs::read(desk.summary(0)).unwrap();
    fs::create_dir(desk.summary(1)).unwrap();
    desk.fill(40);
    let records = desk.records().len();
    drop(desk.session().unwrap());
    assert_eq!(fs::read(desk.summary(0)).unwrap(), first);
    assert_eq!(desk.records().len(), records);
}

/// One that a record names, which does not stand where the summary says.
#[test]
fn a_summary_of_another_place_is_not_used() {
    let desk = Desk::new();
    desk.fill(40);
    drop(desk.session().unwrap());
    let (bytes, records) = (desk.bytes(), desk.records());
    let summary = String::from_utf8(fs::read(desk.summary(0)).unwrap()).unwrap();
    let head = serde_json::to_string(&records[121].prev).unwrap();
    let other = serde_json::to_string(&records[120].prev).unwrap();
    for (from, to) in [("\"seq\":121,", "\"seq\":120,"), (&head[..], &other[..])] {
        let changed = summary.replacen(from, to, 1);
        assert_ne!(changed, summary, "{from}");
        fs::write(desk.summary(0), &changed).unwrap();
        let mut names = records[121].clone();
        names.summary = Some(Digest256(sha256(changed.as_bytes())));
        let end = bytes.len() - records[121].to_line().len() - 1;
        desk.put(&[&bytes[..end], &names.to_line(), b"\n"].concat());
        let trail = desk.open().unwrap();
        assert_eq!((summed(&trail), trail.anchor().unwrap().seq), (0, 121));
    }
}
