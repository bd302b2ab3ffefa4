//! A mail server that keeps what it gets. It refuses what it is told to refuse, and has an authority of the tests for TLS.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::super::s3::http::acceptor;

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: Vec<String>,
    pub text: String,
}

/// What the server does other than a friendly one.
#[derive(Clone, Debug, Default)]
pub struct Manners {
    /// A recipient that it refuses, as it does not know it.
    pub refuses: Option<&'static str>,
    /// It takes a message and ends the connection without a word.
    pub falls_silent: bool,
    /// It wants TLS, and user and password: `(user, password)`.
    pub wants: Option<(&'static str, &'static str)>,
}

#[derive(Default)]
struct Kept {
    mails: Vec<Mail>,
    manners: Manners,
}

/// A running server.
pub struct MailServer {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MailServer {
    /// Starts on a port that is free.
    pub fn start() -> Self {
        Self::start_at(0)
    }

    /// Starts on this port.
    pub fn start_at(port: u16) -> Self {
        let kept = Arc::<Mutex<Kept>>::default();
        let (started, address) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&kept);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port");
                started.send(listener.local_addr().expect("an address")).expect("the test waits");
                tokio::select! {
                    _ = stopped => {}
                    () = serve(listener, shared) => {}
                }
            });
        });
        Self { address: address.recv().expect("the server starts"), kept, stop: Some(stop), thread: Some(thread) }
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on it behaves so.
    pub fn behave(&self, manners: Manners) {
        self.kept().manners = manners;
    }

    /// What it has taken so far, and what it fell silent over.
    pub fn mails(&self) -> Vec<Mail> {
        self.kept().mails.clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(listener: TcpListener, kept: Arc<Mutex<Kept>>) {
    while let Ok((socket, _)) = listener.accept().await {
        let kept = Arc::clone(&kept);
        tokio::spawn(async move {
            // A client may go whenever it likes.
            let _ = greet(socket, &kept).await;
        });
    }
}

async fn greet(socket: TcpStream, kept: &Mutex<Kept>) -> std::io::Result<()> {
    let mut stream = BufReader::new(socket);
    stream.write_all(b"220 mail of the tests\r\n").await?;
    if talk(&mut stream, kept, false).await? {
        let mut stream = BufReader::new(acceptor().accept(stream.into_inner()).await?);
        talk(&mut stream, kept, true).await?;
    }
    Ok(())
}

/// Talks to a client until it goes, or until it begins TLS.
async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    kept: &Mutex<Kept>,
    is_private: bool,
) -> std::io::Result<bool> {
    let manners = kept.lock().unwrap_or_else(PoisonError::into_inner).manners.clone();
    let mut mail = Mail { from: String::new(), to: Vec::new(), text: String::new() };
    let mut is_known = manners.wants.is_none();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(false);
        }
        let line = line.trim_end();
        let (word, rest) = line.split_once([' ', ':']).unwrap_or((line, ""));
        let answer = match word.to_uppercase().as_str() {
            "EHLO" => match (manners.wants, is_private) {
                (None, _) => "250 8BITMIME".to_owned(),
                (Some(_), false) => "250-8BITMIME\r\n250 STARTTLS".to_owned(),
                (Some(_), true) => "250-8BITMIME\r\n250 AUTH PLAIN".to_owned(),
            },
            "STARTTLS" => {
                stream.write_all(b"220 go on\r\n").await?;
                return Ok(true);
            }
            "AUTH" => {
                let wanted = manners.wants.map(|(user, password)| plain(user, password));
                is_known = wanted.as_deref() == rest.split(' ').nth(1);
                // A server that repeats what it was told.
                let said = manners.wants.map_or("", |(_, password)| password);
                if is_known { "235 welcome".to_owned() } else { format!("535 not {said} but {rest}") }
            }
            "MAIL" if !is_known => "530 who are you".to_owned(),
            "MAIL" => {
                mail.from = address(rest);
                "250 fine".to_owned()
            }
            "RCPT" if manners.refuses == Some(address(rest).as_str()) => "550 no such user here".to_owned(),
            "RCPT" => {
                mail.to.push(address(rest));
                "250 fine".to_owned()
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                mail.text = message(stream).await?;
                kept.lock().unwrap_or_else(PoisonError::into_inner).mails.push(mail.clone());
                if manners.falls_silent {
                    return Ok(false);
                }
                "250 taken".to_owned()
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(false);
            }
            _ => "500 what".to_owned(),
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// The text of a message, up to the point on a line of its own.
async fn message<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
            return Ok(text);
        }
        text += line.strip_prefix('.').unwrap_or(&line);
    }
}

/// The address between angle brackets.
fn address(rest: &str) -> String {
    rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(address, _)| address).to_owned()
}

/// User and password as `AUTH PLAIN` has them.
fn plain(user: &str, password: &str) -> String {
    use base64::Engine as _;

    base64::engine::general_purpose::STANDARD.encode(format!("\0{user}\0{password}"))
}
