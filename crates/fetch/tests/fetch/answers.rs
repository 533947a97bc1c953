//! What becomes of each kind of answer.

use super::*;

#[test]
fn pages_however_they_are_sent_are_read_back_from_the_archive() {
    let server = Server::start("127.0.0.1", |path, _| match path {
        "/plain" => page("plain"),
        "/gzip" => {
            reply("200 OK", &["Content-Type: text/html", "Content-Encoding: gzip"], &gzip(&html("gzip")))
        }
        "/chunked" => {
            let (text, head) = (
                html("chunked"),
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n",
            );
            let (a, b) = text.split_at(100);
            let chunks = format!("64\r\n{a}\r\n{:x};x=y\r\n{b}\r\n0\r\n\r\n", b.len());
            vec![Act::Send(head.into()), Act::Wait(20 * MS), Act::Send(chunks.into_bytes())]
        }
        "/closed" => vec![Act::Send(
            format!("HTTP/1.0 200 OK\r\ncontent-type: text/plain\r\n\r\n{}", html("closed")).into_bytes(),
        )],
        "/hints" => {
            let mut acts = vec![Act::Send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n".to_vec())];
            acts.extend(page("hints"));
            acts
        }
        "/picture" => reply("200 OK", &["Content-Type: image/png"], b"png"),
        "/q?a=b" => page("query"),
        _ => not_found(),
    });
    let dir = tempfile::tempdir().unwrap();
    let paths = ["/plain", "/gzip", "/chunked", "/closed", "/hints", "/q?a=b#part", "/picture", "/missing"];
    let urls = paths.map(|path| server.url(path));
    let settings = FetchSettings { contact: Some("mailto:me@example.org".into()), ..settings() };
    let report = fetch(&urls, &settings, dir.path()).unwrap();
    let expected =
        ["fetched", "fetched", "fetched", "fetched", "fetched", "fetched", "other_content", "status 404"];
    assert_eq!(outcomes(&urls, dir.path()), expected);
    let words = ["plain", "gzip", "chunked", "closed", "hints", "query"];
    let expected: BTreeMap<String, String> = ["/plain", "/gzip", "/chunked", "/closed", "/hints", "/q?a=b"]
        .iter()
        .zip(words)
        .map(|(path, word)| (server.url(path), html(word)))
        .collect();
    assert_eq!(pages(dir.path()), expected);
    assert_eq!((report.wanted, report.before, report.left), (8, 0, 0));
    assert_eq!((report.outcomes[0].outcome, report.outcomes[0].links), (Outcome::Fetched, 6));
    assert!(report.bytes > 1000);
    for seen in server.seen() {
        assert!(
            seen.head.contains(concat!("scalelaw/", env!("CARGO_PKG_VERSION"), " (+mailto:me@example.org)")),
            "{}",
            seen.head
        );
        assert!(!seen.head.to_lowercase().contains("cookie"));
    }
    assert_eq!(server.count("/robots.txt"), 1);
}

#[test]
fn redirections_are_followed_as_far_as_they_may_be() {
    let server = Server::start("127.0.0.1", |path, _| match path {
        "/robots.txt" => robots("User-agent: *\nDisallow: /secret"),
        "/a" => redirect("b?x=1#part"),
        "/b?x=1" => reply("308 Moved", &["Location: /c"], b""),
        "/c" => page("end"),
        "/self" => redirect("/self"),
        "/round" => redirect("/robin"),
        "/robin" => redirect("/round"),
        "/file" => redirect("file:///etc/passwd"),
        "/bare" => reply("302 Found", &[], b""),
        "/to-secret" => redirect("/secret/page"),
        "/twin" => redirect("/c"),
        "/linked" => redirect("/plain"),
        "/plain" => page("plain"),
        far => redirect(&format!("{far}0")),
    });
    let dir = tempfile::tempdir().unwrap();
    let paths =
        ["/a", "/self", "/round", "/file", "/bare", "/to-secret", "/twin", "/linked", "/plain", "/far"];
    let urls = paths.map(|path| server.url(path));
    fetch(&urls, &FetchSettings { hosts: 1, ..settings() }, dir.path()).unwrap();
    let expected = [
        "fetched",
        "too_many_redirects",
        "too_many_redirects",
        "not_web",
        "status 302",
        "robots",
        "same_page",
        "same_page",
        "fetched",
        "too_many_redirects",
    ];
    assert_eq!(outcomes(&urls, dir.path()), expected);
    let expected: BTreeMap<String, String> =
        [("/a", "end"), ("/plain", "plain")].map(|(path, word)| (server.url(path), html(word))).into();
    assert_eq!(pages(dir.path()), expected, "a page goes by its link");
    let log = log(dir.path());
    assert_eq!(log[&urls[0]]["redirects"], serde_json::json!([server.url("/b?x=1"), server.url("/c")]));
    assert_eq!(log[&urls[6]]["detail"], serde_json::json!(server.url("/c")));
    assert_eq!(log[&urls[9]]["redirects"].as_array().unwrap().len(), 5);
    assert_eq!((server.count("/c"), server.count("/plain"), server.count("/secret/page")), (1, 1, 0));
}

#[test]
fn redirection_to_another_host_keeps_to_its_robots_txt() {
    let other = Server::start("127.0.0.1", |path, _| match path {
        "/robots.txt" => robots("User-agent: *\nDisallow: /no"),
        _ => page("other"),
    });
    let (yes, no) = (other.url("/yes"), other.url("/no"));
    let server = Server::start("127.0.0.1", move |path, _| match path {
        "/yes" => redirect(&yes),
        "/no" => redirect(&no),
        _ => not_found(),
    });
    let dir = tempfile::tempdir().unwrap();
    let urls = ["/yes", "/no"].map(|path| server.url(path));
    fetch(&urls, &settings(), dir.path()).unwrap();
    assert_eq!(outcomes(&urls, dir.path()), ["fetched", "robots"]);
    assert_eq!(other.pages(), ["/yes"]);
    assert_eq!(pages(dir.path()).keys().collect::<Vec<_>>(), [&urls[0]]);
}

#[test]
fn private_addresses_are_not_asked_unless_allowed() {
    let server = Server::start("127.0.0.1", |_, _| page("x"));
    let port = server.base.rsplit(':').next().unwrap().to_owned();
    let dir = tempfile::tempdir().unwrap();
    let hosts = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "[::1]", "0"];
    let urls = hosts.map(|host| format!("http://{host}:{port}/{}", host.len()));
    let report = fetch(&urls, &FetchSettings { allow_private: false, ..settings() }, dir.path()).unwrap();
    assert_eq!(report.left, 0);
    assert!(
        log(dir.path()).values().all(|line| line["outcome"] == "private_address"),
        "{:?}",
        log(dir.path())
    );
    assert!(
        log(dir.path())[&urls[0]]["detail"]
            .as_str()
            .unwrap()
            .contains("127.0.0.1 is not an address of the public")
    );
    assert!(server.seen().is_empty());
}

#[test]
fn pages_too_slow_too_long_or_broken_are_left_out() {
    let head = |more: &str| {
        Act::Send(format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{more}\r\n").into_bytes())
    };
    let hasty = FetchSettings { timeout: 300 * MS, retries: 0, page_bytes: 100_000, ..settings() };
    let begun = Instant::now();
    let slow: Vec<Act> = (0..100).flat_map(|_| [Act::Send(b"drip ".to_vec()), Act::Wait(100 * MS)]).collect();
    let (outcome, asked, _) = one(&hasty, [vec![head("Content-Length: 500\r\n")], slow].concat());
    assert_eq!((outcome.as_str(), asked), ("timeout", 1), "the body drips");
    let slow: Vec<Act> =
        (0..100).flat_map(|_| [Act::Send(b"X-Drip: y\r\n".to_vec()), Act::Wait(100 * MS)]).collect();
    let slow = [vec![Act::Send(b"HTTP/1.1 200 OK\r\n".to_vec())], slow].concat();
    assert_eq!(one(&hasty, slow).0, "timeout", "the head drips");
    assert!(begun.elapsed() < Duration::from_secs(3));
    let zeros = vec![b'0'; 10_000];
    let (outcome, _, line) = one(&hasty, vec![head(""), Act::Repeat(zeros.clone())]);
    assert_eq!(
        (outcome.as_str(), line["detail"].as_str()),
        ("too_large", Some("expected at most 100000 bytes with its headers"))
    );
    let chunks = format!("2710\r\n{}\r\n", "0".repeat(10_000)).into_bytes();
    assert_eq!(one(&hasty, vec![head("Transfer-Encoding: chunked\r\n"), Act::Repeat(chunks)]).0, "too_large");
    assert_eq!(
        one(&hasty, vec![head("Content-Length: 100001\r\n"), Act::Wait(5000 * MS)]).0,
        "too_large",
        "as it says"
    );
    assert_eq!(
        one(&hasty, vec![Act::Repeat(b"X-Header: value\r\n".to_vec())]).0,
        "connection",
        "no status line"
    );
    let endless =
        vec![Act::Send(b"HTTP/1.1 200 OK\r\n".to_vec()), Act::Repeat(b"X-Header: value\r\n".to_vec())];
    assert_eq!(one(&hasty, endless).0, "connection", "a head without end");
    assert_eq!(
        one(&hasty, vec![head("Content-Length: 500\r\n"), Act::Send(b"<p>".to_vec())]).0,
        "connection",
        "cut off"
    );
    assert_eq!(
        one(&hasty, vec![head("Transfer-Encoding: chunked\r\n"), Act::Send(b"5\r\nab".to_vec())]).0,
        "connection"
    );
    assert_eq!(one(&hasty, vec![Act::Send(b"SSH-2.0-OpenSSH\r\n\r\n".to_vec())]).0, "connection");
    let (outcome, asked, line) = one(&settings(), vec![Act::Reset]);
    assert_eq!((outcome.as_str(), asked), ("connection", 3), "{line}");
}

/// A server with a certificate for `localhost` that only `ca.pem` vouches for; all its pages are the same.
fn start_with_tls() -> String {
    let chain = CertificateDer::from_pem_slice(include_bytes!("../server/localhost.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_slice(include_bytes!("../server/localhost.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key);
    let config = Arc::new(config.unwrap());
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let base = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut head = [0; 4096];
            let Ok(n) = stream.read(&mut head) else { continue };
            let acts = if head[..n].starts_with(b"GET /robots.txt") { not_found() } else { page("secure") };
            for act in acts {
                let Act::Send(bytes) = act else { continue };
                stream.write_all(&bytes).unwrap();
            }
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    base
}

#[test]
fn https_needs_a_certificate_that_is_trusted() {
    let base = start_with_tls();
    let urls = [format!("{base}/p")];
    let dir = tempfile::tempdir().unwrap();
    fetch(&urls, &settings(), dir.path()).unwrap();
    assert_eq!(outcomes(&urls, dir.path()), ["tls"], "{:?}", log(dir.path()));
    let ca = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server/ca.pem");
    let settings = FetchSettings { certificates: Some(ca), again: Again::IfTemporary, ..settings() };
    fetch(&urls, &settings, dir.path()).unwrap();
    assert_eq!(outcomes(&urls, dir.path()), ["fetched"], "{:?}", log(dir.path()));
    assert_eq!(pages(dir.path())[&urls[0]], html("secure"), "as it was inside the encryption");
}
