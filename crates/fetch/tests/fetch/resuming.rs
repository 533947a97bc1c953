//! Calls that go on where others ended, and those that must not.

use super::*;

#[test]
fn second_call_asks_for_nothing_that_was_finished() {
    let server = Server::start("127.0.0.1", |path, before| match (path, before) {
        ("/moved", _) => redirect("/there"),
        ("/later", 0) => reply("500 Oops", &[], b""),
        ("/gone" | "/robots.txt", _) => not_found(),
        _ => page("x"),
    });
    let dir = tempfile::tempdir().unwrap();
    let urls = ["/1", "/gone", "/later", "/moved"].map(|path| server.url(path));
    let settings = FetchSettings { retries: 0, hosts: 2, ..settings() };
    fetch(&urls, &settings, dir.path()).unwrap();
    let bytes = |dir: &Path| std::fs::read(dir.join("pages-00000.warc.gz")).unwrap();
    let (asked, archive) = (server.seen().len(), bytes(dir.path()));
    let report = fetch(&urls, &settings, dir.path()).unwrap();
    assert_eq!((report.before, report.left, report.bytes), (4, 0, 0));
    assert_eq!((server.seen().len(), bytes(dir.path()) == archive), (asked, true));

    // What failed for the moment is asked for again if so wished; new links are fetched too; pages that were redirected
    // to are known.
    let more = [&urls[..], &[server.url("/2"), server.url("/there/")]].concat();
    let report =
        fetch(&more, &FetchSettings { again: Again::IfTemporary, ..settings.clone() }, dir.path()).unwrap();
    assert_eq!((report.before, report.wanted), (3, 6));
    assert_eq!(
        outcomes(&more, dir.path()),
        ["fetched", "status 404", "fetched", "fetched", "fetched", "fetched"]
    );
    assert_eq!((server.count("/1"), server.count("/gone"), server.count("/later")), (1, 1, 2));
    assert_eq!(pages(dir.path()).len(), 5);
}

#[test]
fn resuming_mends_what_a_kill_left_behind() {
    let server =
        Server::start("127.0.0.1", |path, _| if path == "/robots.txt" { not_found() } else { page(path) });
    let dir = tempfile::tempdir().unwrap();
    let (out, urls) = (dir.path(), ["/1", "/2", "/3"].map(|path| server.url(path)));
    let settings = FetchSettings { hosts: 1, ..settings() };
    fetch(&urls, &settings, out).unwrap();
    let (archive, log_file) = (out.join("pages-00000.warc.gz"), out.join("fetch-log.ndjson"));
    let (whole, lines) = (std::fs::read(&archive).unwrap(), std::fs::read_to_string(&log_file).unwrap());
    let first = lines.find('\n').unwrap() + 1;
    let second = first + lines[first..].find('\n').unwrap() + 1;
    let mut asked = 3;
    // In the middle of a line; before a line; in the middle of a page; power lost before the page was on the disk.
    for (log_length, archive_length, again) in [
        (second + 20, whole.len(), 1),
        (second, whole.len(), 1),
        (second, whole.len() - 30, 1),
        (lines.len(), whole.len() - 30, 1),
        (first, whole.len() - 700, 2),
        (lines.len(), 0, 3),
        (0, 10, 3),
    ] {
        std::fs::write(&log_file, &lines[..log_length]).unwrap();
        std::fs::write(&archive, &whole[..archive_length]).unwrap();
        fetch(&urls, &settings, out).unwrap();
        asked += again;
        assert_eq!(server.pages().len(), asked, "{log_length} {archive_length}");
        assert_eq!((log(out).len(), pages(out).len()), (3, 3));
    }
    // The archive went away altogether.
    std::fs::remove_file(&archive).unwrap();
    fetch(&urls, &settings, out).unwrap();
    assert_eq!((server.pages().len(), pages(out).len()), (asked + 3, 3));
}

#[test]
fn folders_of_another_kind_are_refused() {
    let server =
        Server::start("127.0.0.1", |path, _| if path == "/robots.txt" { not_found() } else { page(path) });
    let dir = tempfile::tempdir().unwrap();
    let (out, urls) = (dir.path(), ["/1", "/2"].map(|path| server.url(path)));
    let settings = FetchSettings { archive_bytes: 1, ..settings() };
    fetch(&urls, &settings, out).unwrap();
    let refusal = || fetch(&urls, &settings, out).unwrap_err().to_string();
    let (log_file, first) = (out.join("fetch-log.ndjson"), out.join("pages-00000.warc.gz"));
    let (lines, page) = (std::fs::read(&log_file).unwrap(), std::fs::read(&first).unwrap());

    std::fs::remove_file(&first).unwrap();
    assert!(
        refusal().contains("pages-00000.warc.gz: missing or shortened: the log names 1 pages"),
        "{}",
        refusal()
    );
    std::fs::write(&first, page).unwrap();
    std::fs::write(&log_file, [b"{\"link\": 3}\n", &lines[..]].concat()).unwrap();
    assert!(refusal().contains("fetch-log.ndjson: line 1 is not a line of a fetch log"), "{}", refusal());
    std::fs::remove_file(&log_file).unwrap();
    assert!(refusal().contains("pages-00000.warc.gz: not fetched into this folder"), "{}", refusal());
    std::fs::write(&log_file, &lines).unwrap();
    let held = std::fs::File::open(&log_file).unwrap();
    held.lock().unwrap();
    assert!(refusal().contains("another process is writing it"), "{}", refusal());
    drop(held);
    assert_eq!(fetch(&urls, &settings, out).unwrap().before, 2);
    assert_eq!(server.pages().len(), 2);
    let file = out.join("file");
    std::fs::write(&file, "").unwrap();
    assert!(
        fetch(&urls, &settings, &file).unwrap_err().to_string().contains("file: cannot create the directory")
    );
}

#[test]
fn settings_out_of_range_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let refusal = |settings: FetchSettings| fetch(&[], &settings, dir.path()).unwrap_err().to_string();
    let contact = Some("me@example.org\r\nX-Evil: 1".to_owned());
    assert!(refusal(FetchSettings { contact, ..settings() }).contains("contact is"));
    assert!(refusal(FetchSettings { hosts: 0, ..settings() }).contains("hosts is 0: expected 1 to 1000"));
    assert!(refusal(FetchSettings { timeout: Duration::ZERO, ..settings() }).contains("timeout"));
    assert!(
        refusal(FetchSettings { certificates: Some("none.pem".into()), ..settings() }).contains("none.pem")
    );
    assert_eq!(fetch(&[], &settings(), dir.path()).unwrap().wanted, 0);
}

#[test]
fn stopping_aborts_what_is_in_flight_and_finishes_it_later() {
    let server = Server::start("127.0.0.1", |path, before| match (path, before) {
        ("/robots.txt", _) => not_found(),
        ("/slow", 0) => vec![Act::Wait(Duration::from_secs(20))],
        _ => page(path),
    });
    let dir = tempfile::tempdir().unwrap();
    let urls = [server.url("/1"), server.base.replace("127.0.0.1", "localhost") + "/slow"];
    let stop = AtomicBool::new(false);
    let begun = Instant::now();
    let report = std::thread::scope(|scope| {
        scope.spawn(|| {
            while server.count("/slow") == 0 || server.count("/1") == 0 {
                std::thread::sleep(MS);
            }
            std::thread::sleep(100 * MS);
            stop.store(true, Ordering::Relaxed);
        });
        let stop = || stop.load(Ordering::Relaxed);
        fetch_links(&links(&urls), &settings(), dir.path(), &Silent, &stop).unwrap()
    });
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!((report.left, log(dir.path()).len()), (1, 1));
    assert_eq!(fetch(&urls, &settings(), dir.path()).unwrap().before, 1);
    assert_eq!((server.count("/1"), server.count("/slow"), pages(dir.path()).len()), (1, 2, 2));
}
