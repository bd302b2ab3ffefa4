//! Long results through the pager of the user, when they don't fit the screen.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use super::interrupt::Interrupt;

/// Rows of the screen that stay free below a result: what is said of it, and the next prompt.
const BELOW: usize = 3;

/// Whether the user has a pager that can be started.
pub fn is_there() -> bool {
    let program = command().into_iter().next();
    let paths = std::env::var_os("PATH").unwrap_or_default();
    program.is_some_and(|program| std::env::split_paths(&paths).any(|folder| folder.join(&program).is_file()))
}

/// Program and arguments of the user's pager; none where the user wants none.
fn command() -> Vec<String> {
    let named = ["CXLAKE_PAGER", "PAGER"].iter().find_map(|name| std::env::var(name).ok());
    // Leaves what fits one screen, keeps colours, and does not clear the screen at its end.
    let command = named.unwrap_or_else(|| "less -FRSX".to_owned());
    command.split_whitespace().map(str::to_owned).collect()
}

/// Standard output, or a pager before it. What is written is held back until it is more than the screen takes; then the
/// pager starts and gets all of it.
#[derive(Debug)]
pub struct Paged {
    /// Program and arguments.
    command: Vec<String>,
    rows_max: usize,
    held: Vec<u8>,
    rows: usize,
    child: Option<std::process::Child>,
    interrupt: Interrupt,
}

impl Paged {
    /// For a screen with so many rows; `None` when the user has no pager.
    pub fn new(height: usize, interrupt: &Interrupt) -> Option<Self> {
        let command = command();
        let rows_max = height.saturating_sub(BELOW);
        let interrupt = interrupt.clone();
        (!command.is_empty()).then(|| Self { command, rows_max, held: Vec::new(), rows: 0, child: None, interrupt })
    }

    /// Starts the pager; where there is none, the result goes to standard output as it is.
    fn start(&mut self) -> io::Result<()> {
        let mut command = Command::new(&self.command[0]);
        let child = command.args(&self.command[1..]).stdin(Stdio::piped()).spawn();
        self.rows_max = usize::MAX;
        match child {
            Ok(child) => {
                self.interrupt.leave_to_another(true);
                self.child = Some(child);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let held = std::mem::take(&mut self.held);
        self.pass(&held)
    }

    fn pass(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.child.as_mut().and_then(|child| child.stdin.as_mut()) {
            // Who leaves the pager has seen enough; what is left of the result is counted all the same.
            Some(stdin) => match stdin.write_all(bytes) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                written => written,
            },
            None => io::stdout().write_all(bytes),
        }
    }

    /// Shows what was held back, and waits until the reader has left the pager.
    ///
    /// # Errors
    /// Those of writing.
    pub fn finish(mut self) -> io::Result<()> {
        let held = std::mem::take(&mut self.held);
        self.pass(&held)?;
        io::stdout().flush()?;
        self.leave()
    }

    fn leave(&mut self) -> io::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        drop(child.stdin.take());
        let left = child.wait();
        self.interrupt.leave_to_another(false);
        left.map(|_| ())
    }
}

impl Drop for Paged {
    fn drop(&mut self) {
        // A statement that failed half-way leaves the pager to its reader; how that ends changes nothing.
        let _ = self.leave();
    }
}

impl Write for Paged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.rows_max == usize::MAX {
            self.pass(bytes)?;
            return Ok(bytes.len());
        }
        self.held.extend_from_slice(bytes);
        self.rows += bytes.iter().filter(|&&byte| byte == b'\n').count();
        if self.rows > self.rows_max {
            self.start()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // A pipe holds nothing back, and what is held back here waits on purpose.
        Ok(())
    }
}
