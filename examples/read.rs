//! Shows a sealed file to somebody and prints it, as the README has it.

use bulla::{Home, Host, Right, Session, policy::Duty};
use std::io::Read;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let home = Home::default_folder()?;
    let duties = [Duty::Watermark].into_iter().collect(); // what this program carries out
    let host = Host { duties, ticket: Some("CS-2026-118".into()), ..Host::default() };
    let session = Session::start(&home, home.identity(None)?, host)?;
    let mut file = session.open("customers.csv.bulla".as_ref())?; // Read + Seek, read_at from many threads
    println!("draw over it: {}", file.watermark());
    let mut text = String::new();
    file.read_to_string(&mut text)?; // fails once the badge, the hours or an attestation end
    file.exercise(Right::Print)?; // checked and recorded, before it is printed
    print!("{text}");
    Ok(())
}
