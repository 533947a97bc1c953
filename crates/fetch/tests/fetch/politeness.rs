//! What is asked of servers, when, and when no more.

use super::*;

#[test]
fn robots_txt_is_asked_for_first_and_obeyed() {
    let long =
        |rule: &str| format!("User-agent: *\nDisallow: /early\n{}\n{rule}\n", "#filler\n".repeat(70_000));
    let server = Server::start("127.0.0.1", move |path, _| match path {
        "/robots.txt" => robots(&long("Disallow: /late")),
        _ => page("x"),
    });
    let dir = tempfile::tempdir().unwrap();
    let urls = ["/early/x", "/late", "/open?early"].map(|path| server.url(path));
    fetch(&urls, &settings(), dir.path()).unwrap();
    // Only the first 500 KiB count.
    assert_eq!(outcomes(&urls, dir.path()), ["robots", "fetched", "fetched"]);
    let first = &server.seen()[0];
    assert_eq!(
        (first.path.as_str(), server.count("/robots.txt"), server.pages().len()),
        ("/robots.txt", 1, 2)
    );

    let named = "User-agent: *\nDisallow: /\n\nUser-agent: Other\nUser-agent: Scalelaw\nDisallow: /no\n";
    for (answer, allowed) in [
        (not_found(), true),
        (reply("403 Forbidden", &[], b""), true),
        (robots(""), true),
        (robots("User-agent: *\nDisallow: /"), false),
        (robots(named), true),
        (reply("500 Oops", &[], b""), false),
        (reply("503 Busy", &["Retry-After: 0"], b""), false),
        (reply("429 Too Many", &["Retry-After: 9999"], b""), false),
        (vec![Act::Reset], false),
        (reply("301 Moved", &["Location: /robots.txt"], b""), true),
        (redirect("/elsewhere.txt"), false),
    ] {
        let robots_txt = answer.clone();
        let server = Server::start("127.0.0.1", move |path, _| match path {
            "/robots.txt" => robots_txt.clone(),
            "/elsewhere.txt" => robots("User-agent: *\nDisallow: /p"),
            _ => page("x"),
        });
        let dir = tempfile::tempdir().unwrap();
        fetch(&[server.url("/p"), server.url("/p2")], &settings(), dir.path()).unwrap();
        assert_eq!(server.count("/p"), usize::from(allowed), "{:?}", log(dir.path()));
        assert_eq!(log(dir.path()).len(), 2);
    }
}

#[test]
fn robots_txt_that_cannot_be_had_says_so_of_each_link() {
    let server = Server::start("127.0.0.1", |path, _| match path {
        "/robots.txt" => reply("502 Bad Gateway", &[], b""),
        _ => page("x"),
    });
    let dir = tempfile::tempdir().unwrap();
    let urls = ["/1", "/2", "/3"].map(|path| server.url(path));
    fetch(&urls, &settings(), dir.path()).unwrap();
    assert_eq!(outcomes(&urls, dir.path()), ["robots_unavailable"; 3]);
    assert_eq!(log(dir.path())[&urls[2]]["detail"], "status 502");
    assert_eq!((server.count("/robots.txt"), server.pages().len()), (3, 0), "asked twice more, and no page");
}

#[test]
fn robots_txt_may_ask_for_a_longer_rest() {
    let server = Server::start("127.0.0.1", |path, _| match path {
        "/robots.txt" => robots("User-agent: *\nCrawl-delay: 0.2\n"),
        _ => page("x"),
    });
    let dir = tempfile::tempdir().unwrap();
    fetch(&["/1", "/2"].map(|path| server.url(path)), &settings(), dir.path()).unwrap();
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen.windows(2).all(|pair| pair[1].at - pair[0].at >= 200 * MS), "{seen:?}");

    let server = Server::start("127.0.0.1", |_, _| robots("User-agent: *\nCrawl-delay: 86400\n"));
    let urls = [server.url("/1")];
    fetch(&urls, &settings(), dir.path()).unwrap();
    assert_eq!(outcomes(&urls, dir.path()), ["robots"]);
    assert!(log(dir.path())[&urls[0]]["detail"].as_str().unwrap().contains("86400 s"));
}

#[test]
fn hosts_rest_after_each_request_and_are_asked_side_by_side() {
    let server = Server::start("127.0.0.1", |path, _| match path {
        "/robots.txt" => not_found(),
        _ => [vec![Act::Wait(50 * MS)], page("x")].concat(),
    });
    let dir = tempfile::tempdir().unwrap();
    let of_one = (0..4).map(|i| server.url(&format!("/one/{i}")));
    // The same server by another name is another host.
    let other = server.base.replace("127.0.0.1", "localhost");
    let of_other = (0..4).map(|i| format!("{other}/other/{i}"));
    let urls: Vec<String> = of_one.chain(of_other).collect();
    fetch(&urls, &FetchSettings { delay: 150 * MS, ..settings() }, dir.path()).unwrap();
    let seen = server.seen();
    let of = |host: &str| -> Vec<Instant> {
        seen.iter().filter(|seen| seen.head.contains(&format!("{host}:"))).map(|seen| seen.at).collect()
    };
    let [one, other] = [of("127.0.0.1"), of("localhost")];
    assert!(one[0] < other[4] && other[0] < one[4], "side by side");
    for (host, at) in [("127.0.0.1", one), ("localhost", other)] {
        assert_eq!(at.len(), 5);
        let gaps: Vec<Duration> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
        // A rest follows the answer, which takes its time itself.
        assert!(gaps[0] >= 150 * MS && gaps[1..].iter().all(|gap| *gap >= 200 * MS), "{host}: {gaps:?}");
    }
}

#[test]
fn busy_servers_are_given_the_pause_they_ask_for() {
    let server = Server::start("127.0.0.1", |path, before| match (path, before) {
        ("/robots.txt", _) => not_found(),
        ("/busy", 0) => reply("429 Too Many Requests", &["Retry-After: 1"], b""),
        ("/down", 0) => reply("503 Service Unavailable", &[], b""),
        ("/down", 1) => reply("500 Oops", &[], b""),
        ("/never", _) => reply("503 Service Unavailable", &["Retry-After: 0"], b""),
        _ => page("x"),
    });
    let dir = tempfile::tempdir().unwrap();
    let urls = ["/busy", "/down", "/never", "/other"].map(|path| server.url(path));
    fetch(&urls, &settings(), dir.path()).unwrap();
    assert_eq!(outcomes(&urls, dir.path()), ["fetched", "fetched", "status 503", "fetched"]);
    let busy: Vec<_> = server.seen().into_iter().filter(|seen| seen.path == "/busy").collect();
    assert_eq!(busy.len(), 2);
    assert!(busy[1].at - busy[0].at >= Duration::from_secs(1));
    assert!(
        !server.seen().iter().any(|seen| seen.at > busy[0].at && seen.at < busy[1].at),
        "the whole host rests"
    );
    assert_eq!((server.count("/down"), server.count("/never")), (3, 3));
}

#[test]
fn host_that_asks_for_too_long_a_pause_or_fails_again_and_again_is_given_up() {
    let server = Server::start("127.0.0.1", |path, _| match path {
        "/robots.txt" => not_found(),
        _ => reply("429 Too Many Requests", &["Retry-After: 3600"], b""),
    });
    let dir = tempfile::tempdir().unwrap();
    let urls: Vec<String> = (0..9).map(|i| server.url(&format!("/{i}"))).collect();
    fetch(&urls, &settings(), dir.path()).unwrap();
    let mut found = outcomes(&urls, dir.path());
    assert_eq!(found.remove(0), "status 429");
    assert!(found.iter().all(|outcome| outcome == "host_given_up"), "{found:?}");
    assert_eq!(server.pages(), ["/0"]);
    assert_eq!(log(dir.path())[&urls[1]]["detail"], "status 429: asked for a pause of 3600 s");

    let server = Server::start("127.0.0.1", |path, _| match path {
        "/robots.txt" => not_found(),
        "/3" => page("x"),
        _ => reply("500 Oops", &[], b""),
    });
    let urls: Vec<String> = (0..12).map(|i| server.url(&format!("/{}", char::from(b'0' + i)))).collect();
    fetch(&urls, &FetchSettings { retries: 0, ..settings() }, dir.path()).unwrap();
    let found = outcomes(&urls, dir.path());
    let count = |what: &str| found.iter().filter(|outcome| *outcome == what).count();
    // Three, a success, and five more.
    assert_eq!((count("status 500"), count("fetched"), count("host_given_up")), (8, 1, 3), "{found:?}");
}
