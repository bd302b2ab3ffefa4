//! A server that gives the answers of a list, one after the other, for what a real one does seldom or never.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A running server; it ends with the process that runs the tests.
pub struct Canned {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

/// One answer.
#[derive(Clone, Copy)]
pub enum Answer {
    /// Status, further headers with their line ends, and the body.
    Whole(u16, &'static str, &'static str),
    /// A body of which only the first half comes.
    CutOff(&'static str),
    /// None: the connection stays open.
    Silence,
    /// None: the connection ends.
    Reset,
}

impl Canned {
    /// Starts a server with these answers; the last is given for ever.
    pub fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let asked = Arc::new(AtomicUsize::new(0));
        let (answers, count) = (answers.to_vec(), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let turn = count.fetch_add(1, Ordering::SeqCst);
                let answer = *answers.get(turn).unwrap_or_else(|| answers.last().expect("an answer"));
                std::thread::spawn(move || give(answer, stream));
            }
        });
        Self { address, asked }
    }

    /// Where it answers.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests came; each has a connection of its own.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// Reads a request and answers it; one that breaks off needs no answer.
fn give(answer: Answer, mut stream: TcpStream) {
    let mut request = Vec::new();
    let mut bytes = [0; 4096];
    while !request.windows(4).any(|part| part == b"\r\n\r\n") {
        match stream.read(&mut bytes) {
            Ok(read @ 1..) => request.extend_from_slice(&bytes[..read]),
            _ => return,
        }
    }
    let is_head = request.starts_with(b"HEAD ");
    let head = |status, headers: &str, length: usize| {
        format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n")
    };
    let text = match answer {
        Answer::Whole(status, headers, body) if is_head => head(status, headers, body.len()),
        Answer::Whole(status, headers, body) => head(status, headers, body.len()) + body,
        Answer::CutOff(body) => head(200, "", body.len()) + &body[..body.len() / 2],
        Answer::Silence => return std::thread::sleep(Duration::from_mins(1)),
        Answer::Reset => return,
    };
    // The client may have gone.
    let _ = stream.write_all(text.as_bytes());
}
