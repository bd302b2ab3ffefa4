//! A terminal to drive the prompt in: types keys, waits for what they bring, reads the screen.
//!
//! Tests see a setting ([`Setup`]) and a prompt that runs in it ([`Terminal`]). The screen is as wide as the terminal
//! but far taller, so that nothing of a session scrolls out of sight.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::harness::{Folder, repository};

pub const ENTER: &str = "\r";
pub const UP: &str = "\x1b[A";
pub const CTRL_C: &str = "\x03";
pub const CTRL_D: &str = "\x04";
pub const TAB: &str = "\t";
pub const RIGHT: &str = "\x1b[C";
pub const LEFT: &str = "\x1b[D";
pub const ESCAPE: &str = "\x1b";

/// The line editor says so when it starts to read a line, and when it has read one.
const READS: &[u8] = b"\x1b[?2004h";
const HAS_READ: &[u8] = b"\x1b[?2004l";

/// Longest wait for anything; a machine that is busy with other things is slow.
const PATIENCE: Duration = Duration::from_secs(20);

/// Rows that the screen keeps; the program is told [`HEIGHT`].
const ROWS_KEPT: NonZeroU16 = NonZeroU16::new(1000).expect("not zero");
const HEIGHT: u16 = 24;

/// Where a prompt runs; by default in the sample lake, 80 columns wide.
pub struct Setup {
    /// The user's home, which holds the history.
    home: Folder,
    folder: PathBuf,
    columns: u16,
    environment: Vec<(&'static str, String)>,
}

impl Setup {
    pub fn new() -> Self {
        Self { home: Folder::new(), folder: repository().to_owned(), columns: 80, environment: Vec::new() }
    }

    /// With these variables in its environment.
    pub fn environment(mut self, environment: Vec<(&'static str, String)>) -> Self {
        self.environment = environment;
        self
    }

    /// In this folder.
    pub fn within(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.folder);
        self
    }

    /// On a terminal of this width.
    pub fn columns(mut self, columns: u16) -> Self {
        self.columns = columns;
        self
    }

    /// Puts a file into the user's home, below `config` or `state`.
    pub fn home(&self, name: &str, text: &str) {
        self.home.write(name, text);
    }

    /// The file of the history.
    pub fn history(&self) -> PathBuf {
        self.home.at("state/cxlake/history")
    }

    /// The prompt, once it asks for a line.
    pub fn prompt(&self) -> Terminal {
        let mut terminal = self.start(env!("CARGO_BIN_EXE_cxlake"), [""; 0]);
        terminal.settle(1);
        terminal
    }

    /// A program of the terminal.
    pub fn start<S: AsRef<OsStr>>(&self, program: &str, arguments: impl IntoIterator<Item = S>) -> Terminal {
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.cwd(&self.folder);
        command.env_remove("CXLAKE_LAKE");
        command.env("NO_COLOR", "1");
        command.env_remove("no_proxy");
        command.env("NO_PROXY", "127.0.0.1,localhost");
        // A pager waits for keys; a test that wants one names it.
        command.env("CXLAKE_PAGER", "");
        command.env("XDG_CONFIG_HOME", self.home.at("config"));
        command.env("TERM", "xterm-256color");
        command.env("HOME", self.home.path());
        command.env("XDG_STATE_HOME", self.home.at("state"));
        command.env("XDG_CACHE_HOME", self.home.at("cache"));
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        let pair = native_pty_system().openpty(size(self.columns)).expect("a pseudo-terminal");
        let child = pair.slave.spawn_command(command).expect("the binary starts");
        // Reading ends with the program only when nobody else holds its side of the terminal.
        drop(pair.slave);
        let shown = Arc::new(Shown::new(self.columns));
        let mut reader = pair.master.try_clone_reader().expect("the terminal's output");
        let writer = pair.master.take_writer().expect("the terminal's input");
        let showing = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length @ 1..) = reader.read(&mut bytes) {
                showing.take(&bytes[..length]);
            }
        });
        Terminal { child, master: pair.master, writer, shown, asked: 0, asked_at: 0, ended: false }
    }
}

fn size(columns: u16) -> PtySize {
    PtySize { rows: HEIGHT, cols: columns, pixel_width: 0, pixel_height: 0 }
}

/// A program that runs in a terminal; it is ended with its test.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    shown: Arc<Shown>,
    /// How often the prompt has asked for a line, and the row where it did last.
    asked: usize,
    asked_at: usize,
    ended: bool,
}

impl Terminal {
    /// Presses keys.
    pub fn keys(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).expect("the terminal takes keys");
        self.writer.flush().expect("the terminal takes keys");
    }

    /// Types a line and enters it.
    pub fn enter(&mut self, line: &str) {
        self.keys(line);
        self.keys(ENTER);
    }

    /// Types a line, enters it and waits until the prompt asks again: all that the screen shows of it, from the line.
    pub fn said(&mut self, line: &str) -> String {
        self.enter(line);
        self.answer()
    }

    /// Waits until the prompt asks again: all that the screen shows since it asked last.
    pub fn answer(&mut self) -> String {
        let from = self.asked_at;
        self.settle(self.asked + 1);
        let rows = self.rows();
        lines(&rows[from..self.asked_at.max(from)])
    }

    /// Waits until the prompt has asked this often.
    fn settle(&mut self, times: usize) {
        let row = self.wait("the prompt", |screen| {
            let row = screen.cursor();
            // The prompt is drawn behind the mark.
            (screen.reads == times && screen.row(row) == "cxlake>").then_some(row)
        });
        (self.asked, self.asked_at) = (times, row);
    }

    /// Presses a key until the screen shows this text somewhere: for what the prompt learns in the background.
    pub fn keys_until(&mut self, keys: &str, text: &str) {
        let start = Instant::now();
        while !self.shown.screen().contents().contains(text) {
            assert!(start.elapsed() < PATIENCE, "`{text}` never comes; the screen:\n{}", lines(&self.rows()));
            self.keys(keys);
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Waits until a word of what is typed last looks like this.
    pub fn paints(&self, word: &str, look: Look) {
        self.wait(&format!("{word} as {look:?}"), |screen| (screen.look(word) == Some(look)).then_some(()));
    }

    /// Waits until the screen shows this text somewhere.
    pub fn shows(&self, text: &str) {
        self.wait(text, |screen| screen.contents().contains(text).then_some(()));
    }

    /// Waits until what is typed is exactly this, with the cursor behind it.
    pub fn edits(&self, text: &str) {
        let (from, expected) = (self.asked_at, format!("cxlake> {text}"));
        self.wait(text, |screen| (lines(&screen.rows()[from..=screen.cursor()]) == expected).then_some(()));
    }

    /// Waits until the line editor has handed over what was entered.
    pub fn has_read(&self) {
        let times = self.asked;
        self.wait("an entered line", |screen| (screen.has_read >= times).then_some(()));
    }

    /// Waits until the program ends: its exit code.
    pub fn leaves(mut self) -> u32 {
        let code = self.ended_within(PATIENCE);
        code.unwrap_or_else(|| panic!("the program does not end; the screen:\n{}", lines(&self.rows())))
    }

    /// The exit code of the program, if it ends within this time.
    pub fn ended_within(&mut self, time: Duration) -> Option<u32> {
        let start = Instant::now();
        while start.elapsed() < time {
            if let Some(status) = self.child.try_wait().expect("the program is ours") {
                self.ended = true;
                assert_eq!(status.signal(), None, "the program is killed");
                return Some(status.exit_code());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        None
    }

    /// Makes the window this wide.
    pub fn resize(&mut self, columns: u16) {
        self.shown.screen().parser.set_size(ROWS_KEPT, NonZeroU16::new(columns).expect("a width"));
        self.master.resize(size(columns)).expect("the terminal's size");
    }

    /// The rows of the screen, without blanks at their ends.
    fn rows(&self) -> Vec<String> {
        self.shown.screen().rows()
    }

    fn wait<T>(&self, what: &str, reached: impl Fn(&Screen) -> Option<T>) -> T {
        let start = Instant::now();
        let mut screen = self.shown.screen();
        loop {
            if let Some(found) = reached(&screen) {
                return found;
            }
            let left = PATIENCE.saturating_sub(start.elapsed());
            assert!(!left.is_zero(), "waited in vain for `{what}`; the screen:\n{}", lines(&screen.rows()));
            screen = self.shown.changed.wait_timeout(screen, left).expect("the reader lives").0;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if !self.ended {
            // It may end by itself at this moment.
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// How a word looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// The number of the terminal's colour; `None` for its own.
    pub color: Option<u8>,
    pub bold: bool,
    pub underlined: bool,
    pub inverted: bool,
}

/// What the program has shown so far.
struct Shown {
    screen: Mutex<Screen>,
    changed: Condvar,
}

struct Screen {
    parser: vt100::Parser,
    /// How often the marks of the line editor came.
    reads: usize,
    has_read: usize,
    /// The last bytes, in which a mark may have begun.
    tail: Vec<u8>,
}

impl Shown {
    fn new(columns: u16) -> Self {
        let parser = vt100::Parser::new(ROWS_KEPT, NonZeroU16::new(columns).expect("a width"), 0);
        Self { screen: Mutex::new(Screen { parser, reads: 0, has_read: 0, tail: Vec::new() }), changed: Condvar::new() }
    }

    fn screen(&self) -> MutexGuard<'_, Screen> {
        self.screen.lock().expect("no test has failed with the screen")
    }

    fn take(&self, bytes: &[u8]) {
        self.screen().take(bytes);
        self.changed.notify_all();
    }
}

impl Screen {
    fn take(&mut self, bytes: &[u8]) {
        self.parser.process(bytes);
        self.tail.extend_from_slice(bytes);
        let count = |mark: &[u8]| self.tail.windows(mark.len()).filter(|window| window == &mark).count();
        self.reads += count(READS);
        self.has_read += count(HAS_READ);
        // A mark that is whole has been counted, so what stays is shorter than one.
        self.tail.drain(..self.tail.len().saturating_sub(READS.len() - 1));
    }

    fn contents(&self) -> String {
        self.parser.screen().contents()
    }

    /// How the last word of this kind looks.
    fn look(&self, word: &str) -> Option<Look> {
        let rows = self.rows();
        let (row, column) = rows.iter().enumerate().rev().find_map(|(row, text)| Some((row, text.rfind(word)?)))?;
        let column = rows[row][..column].chars().count();
        let cell = self.parser.screen().cell(u16::try_from(row).ok()?, u16::try_from(column).ok()?)?;
        let color = match cell.fgcolor() {
            vt100::Color::Idx(number) => Some(number),
            _ => None,
        };
        Some(Look { color, bold: cell.bold(), underlined: cell.underline(), inverted: cell.inverse() })
    }

    fn cursor(&self) -> usize {
        usize::from(self.parser.screen().cursor_position().0)
    }

    fn rows(&self) -> Vec<String> {
        let (_, columns) = self.parser.screen().size();
        self.parser.screen().rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect()
    }

    fn row(&self, row: usize) -> String {
        self.rows().swap_remove(row)
    }
}

/// Rows as text, without empty ones at the end.
fn lines(rows: &[String]) -> String {
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "{row}");
    }
    text.truncate(text.trim_end().len());
    text
}
