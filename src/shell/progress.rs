//! The line that says how far a statement is: on a terminal, after half a second, gone without a trace when it is done.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::{Shell, screen};
use crate::engine::{Engine, Progress, Scans, human_bytes};
use crate::output::present::grouped;

/// Nothing is said of a statement that is done before.
const PATIENCE: Duration = Duration::from_millis(500);

/// Time between two looks at it.
const BEAT: Duration = Duration::from_millis(100);

/// Goes to the start of the line and empties it.
const EMPTY_LINE: &[u8] = b"\r\x1b[2K";

/// The line while a statement runs; it goes with the last of its owners.
#[derive(Debug, Default)]
pub struct Line {
    shared: Arc<Mutex<State>>,
    drawing: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct State {
    scans: Scans,
    is_drawn: bool,
    is_over: bool,
}

impl State {
    fn clear(&mut self) {
        if std::mem::take(&mut self.is_drawn) {
            show(EMPTY_LINE);
        }
    }
}

impl Line {
    /// Begins to watch a statement, where somebody sees it.
    pub fn begin(shell: &Shell) -> Self {
        let is_seen = shell.at_prompt && !shell.view.quiet && std::io::stderr().is_terminal();
        if !is_seen {
            return Self::default();
        }
        let shared = Arc::new(Mutex::new(State::default()));
        let drawing = tokio::spawn(draw(Arc::clone(&shared), shell.engine.clone()));
        Self { shared, drawing: Some(drawing) }
    }

    /// From here on the statement is planned and its scans can be watched.
    pub fn watch(&self, scans: Scans) {
        self.state(|state| state.scans = scans);
    }

    /// Says something while the line is away.
    pub fn beside(&self, say: impl FnOnce()) {
        self.state(|state| {
            state.clear();
            say();
        });
    }

    /// Takes the line away for good, before anything else is written.
    pub fn end(&self) {
        self.state(|state| {
            state.is_over = true;
            state.clear();
        });
    }

    fn state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.end();
        if let Some(drawing) = &self.drawing {
            drawing.abort();
        }
    }
}

/// Draws until the line is over. What is drawn and what takes it away wait for each other.
async fn draw(shared: Arc<Mutex<State>>, engine: Engine) {
    let started = Instant::now();
    tokio::time::sleep(PATIENCE).await;
    loop {
        {
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            if state.is_over {
                return;
            }
            let text = told(state.scans.progress(), started.elapsed(), engine.memory_bytes());
            let width = screen().map_or(80, |screen| screen.width).saturating_sub(1);
            let text: String = text.chars().take(width).collect();
            show(&[EMPTY_LINE, text.as_bytes()].concat());
            state.is_drawn = true;
        }
        tokio::time::sleep(BEAT).await;
    }
}

fn show(bytes: &[u8]) {
    let mut stderr = std::io::stderr().lock();
    // A terminal that has gone shows nothing, and is noticed elsewhere.
    let _ = stderr.write_all(bytes).and_then(|()| stderr.flush());
}

/// What is said of a statement that has run for so long.
fn told(progress: Option<Progress>, elapsed: Duration, memory_bytes: usize) -> String {
    let mut parts = vec![format!("{:.1} s", elapsed.as_secs_f64())];
    let Some(Progress { rows, rows_all, bytes, spilled_bytes }) = progress else {
        parts.push("planning".to_owned());
        return parts.join(" · ");
    };
    let number = |count: usize| grouped(&count.to_string());
    match rows_all {
        Some(all) => {
            // Statistics may be off, and what follows the scans takes time, too: there is no hundred per cent.
            let share = (rows as f64 / all as f64).min(0.99);
            parts.insert(0, format!("{:>2.0} %", share * 100.0));
            parts.push(format!("{} of {} rows", number(rows.min(all)), number(all)));
            if share >= 0.02 {
                let left = elapsed.as_secs_f64() * (1.0 - share) / share;
                parts.push(format!("{left:.0} s left"));
            }
        }
        None => parts.push(format!("{} rows", number(rows))),
    }
    let amounts = [("read", bytes), ("memory", memory_bytes), ("spilled", spilled_bytes)];
    let amounts = amounts.into_iter().filter(|(_, bytes)| *bytes > 0);
    parts.extend(amounts.map(|(what, bytes)| format!("{what} {}", human_bytes(bytes as u64))));
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_under_way_tells_share_time_left_and_what_it_takes() {
        let elapsed = Duration::from_secs(3);
        assert_eq!(told(None, elapsed, 0), "3.0 s · planning");
        let progress = Progress { rows: 250, rows_all: Some(1000), bytes: 2048, spilled_bytes: 0 };
        assert_eq!(told(Some(progress), elapsed, 0), "25 % · 3.0 s · 250 of 1,000 rows · 9 s left · read 2.0 KB");
        let progress = Progress { rows: 1200, rows_all: Some(1000), bytes: 0, spilled_bytes: 1 << 20 };
        let told_so = "99 % · 3.0 s · 1,000 of 1,000 rows · 0 s left · memory 1.0 KB · spilled 1.0 MB";
        assert_eq!(told(Some(progress), elapsed, 1024), told_so);
        let progress = Progress { rows: 1200, ..Progress::default() };
        assert_eq!(told(Some(progress), elapsed, 0), "3.0 s · 1,200 rows");
    }
}
