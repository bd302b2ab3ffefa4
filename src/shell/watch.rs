//! `\watch`: the same statement again and again.

use std::time::Duration;

use super::{Shell, tell};
use crate::error::Result;

impl Shell {
    /// Runs what was asked last every so often, until Ctrl-C, an error, or so many times.
    ///
    /// # Errors
    /// Those of running it; `Interrupted` on Ctrl-C.
    pub(super) async fn watch(&mut self, every: Duration, times: Option<u64>) -> Result<()> {
        if self.asked.is_none() {
            return self.again().await;
        }
        let mut run = 0;
        loop {
            run += 1;
            self.note(&format!("{} (every {} s)", (self.now)().format("%Y-%m-%d %H:%M:%S UTC"), every.as_secs_f64()));
            // A pager would hold up the next run until it is left.
            self.with(|view| view.pages = false, async |shell| shell.again().await).await?;
            if times == Some(run) {
                return Ok(());
            }
            if self.at_prompt {
                tell("");
            }
            let pause = async {
                tokio::time::sleep(every).await;
                Ok(())
            };
            self.interrupt.guard(pause).await?;
        }
    }
}
