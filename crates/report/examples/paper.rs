//! Kaplan et al. 2020 from its constants, to look at: `cargo run -p scalelaw-report --example paper -- FOLDER`.
#![allow(clippy::print_stdout, reason = "an example says where its page is")]

fn main() -> Result<(), scalelaw_report::ReportError> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "target/paper".to_owned());
    let page = scalelaw_report::paper::constants_only(&scalelaw_lab::paper::constants_only())
        .write(folder.as_ref())?;
    println!("{}", page.display());
    Ok(())
}
