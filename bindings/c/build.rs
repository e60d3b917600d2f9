//! The names under which the library is loaded.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |what| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    match (target("OS").as_str(), target("ENV").as_str()) {
        // The major version of the ABI.
        ("linux", _) => println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libbulla.so.0"),
        // Not `bulla.dll`: beside it a managed `Bulla.dll` could not lie.
        ("windows", "gnu") => {
            let here = std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
            println!("cargo:rerun-if-changed=windows/name.def");
            println!("cargo:rustc-cdylib-link-arg={here}/windows/name.def");
        }
        _ => {}
    }
}
