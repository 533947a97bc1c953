//! A web server on loopback that says what a test wants, and remembers who came when.

#![allow(dead_code, reason = "no test uses all of it")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What a server does, one after the other; then it closes the connection.
#[derive(Clone)]
pub enum Act {
    Send(Vec<u8>),
    Wait(Duration),
    /// Sends this again and again until the client has had enough.
    Repeat(Vec<u8>),
    /// Closes without having read the request, which resets the connection.
    Reset,
}

/// A request that came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub head: String,
    pub at: Instant,
}

pub struct Server {
    pub base: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Listens on a loopback address such as `127.0.0.2`; `answer` is told the path and how often it was asked for before.
    pub fn start(ip: &str, answer: impl Fn(&str, usize) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log) = (Arc::new(answer), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (answer, log) = (Arc::clone(&answer), Arc::clone(&log));
                thread::spawn(move || serve(stream.unwrap(), &*answer, &log));
            }
        });
        Self { base, seen }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// The paths that were asked for, but for robots.txt.
    pub fn pages(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.path).filter(|path| path != "/robots.txt").collect()
    }

    /// How often a path was asked for.
    pub fn count(&self, path: &str) -> usize {
        self.seen().iter().filter(|seen| seen.path == path).count()
    }
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(&str, usize) -> Vec<Act>, log: &Mutex<Vec<Seen>>) {
    let mut buffer = [0; 16 << 10];
    let at = Instant::now();
    let (head, length) = loop {
        let Ok(n) = stream.peek(&mut buffer) else { return };
        let head = String::from_utf8_lossy(&buffer[..n]).into_owned();
        match head.find("\r\n\r\n") {
            Some(end) => break (head[..end].to_owned(), end + 4),
            None if n == 0 => return,
            None => thread::sleep(Duration::from_millis(1)),
        }
    };
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    let before = {
        let mut log = log.lock().unwrap();
        let before = log.iter().filter(|seen| seen.path == path).count();
        log.push(Seen { path: path.clone(), head, at });
        before
    };
    let acts = answer(&path, before);
    if matches!(acts.first(), Some(Act::Reset)) {
        return;
    }
    stream.read_exact(&mut buffer[..length]).unwrap();
    for act in acts {
        match act {
            Act::Send(bytes) => {
                if stream.write_all(&bytes).is_err() {
                    return;
                }
            }
            Act::Wait(time) => thread::sleep(time),
            Act::Repeat(bytes) => while stream.write_all(&bytes).is_ok() {},
            Act::Reset => return,
        }
    }
}

/// An answer of these headers (lines without their ends) and this body.
pub fn reply(status: &str, headers: &[&str], body: &[u8]) -> Vec<Act> {
    let mut head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n", body.len());
    headers.iter().for_each(|header| head += &format!("{header}\r\n"));
    vec![Act::Send([head.as_bytes(), b"\r\n", body].concat())]
}

/// A page of some English with a word of its own.
pub fn page(word: &str) -> Vec<Act> {
    reply("200 OK", &["Content-Type: text/html; charset=utf-8"], html(word).as_bytes())
}

pub fn html(word: &str) -> String {
    let sentence = format!(
        "The {word} of the story is that a small model learns from what it reads, and that more of it helps. "
    );
    format!(
        "<html><head><title>{word}</title></head><body><article><p>{}</p></article></body></html>",
        sentence.repeat(6)
    )
}

pub fn robots(text: &str) -> Vec<Act> {
    reply("200 OK", &["Content-Type: text/plain"], text.as_bytes())
}

pub fn redirect(location: &str) -> Vec<Act> {
    reply("302 Found", &[&format!("Location: {location}")], b"")
}

pub fn not_found() -> Vec<Act> {
    reply("404 Not Found", &["Content-Type: text/html"], b"<p>nothing here")
}
