//! `cxlake generate DIR --scale N`: a lake with the sample company at N times its size.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::settings::Settings;
use super::init;
use crate::error::{Error, Kind, Result};
use crate::output::present::grouped;
use crate::sample::{self, Options};
use crate::shell::interrupt::Interrupt;
use crate::shell::tell;

/// Folder of the sample's tables in its lake.
const DATA: &str = "sample-data";

pub async fn run(dir: &Path, scale: u32, seed: Option<u64>, settings: &Settings, interrupt: Interrupt) -> Result<()> {
    init::refuse_lake(dir)?;
    let options = Options { seed: seed.unwrap_or(sample::SEED), scale, threads: settings.limits.threads };
    let started = Instant::now();
    let rows = generate(dir.join(DATA), options, settings, &interrupt).await?;
    init::write_sample(dir)?;
    if !settings.view().quiet {
        let rows = grouped(&rows.to_string());
        let seconds = started.elapsed().as_secs_f64();
        tell(&format!("{rows} rows in `{}` ({seconds:.1} s)", dir.display()));
        tell(&format!("try: cxlake --lake {} run cost-per-touch", dir.display()));
    }
    Ok(())
}

/// Writes the tables on a thread of its own; on Ctrl-C waits until it has cleaned up.
async fn generate(
    data: std::path::PathBuf,
    options: Options,
    settings: &Settings,
    interrupt: &Interrupt,
) -> Result<u64> {
    let bar = progress(sample::rows_total(&options), settings.view().quiet);
    let stop = Arc::new(AtomicBool::new(false));
    let (told, shown) = (Arc::clone(&stop), bar.clone());
    let mut work = tokio::task::spawn_blocking(move || sample::write(&data, &options, &|rows| shown.inc(rows), &told));
    let result = interrupt.guard(async { Ok((&mut work).await) }).await;
    let result = match result {
        Err(error) if error.kind() == Kind::Interrupted => {
            stop.store(true, Ordering::Relaxed);
            work.await
        }
        result => result?,
    };
    bar.finish_and_clear();
    result.map_err(|error| Error::internal(format!("the generator panicked: {error}")))?
}

pub fn progress(rows: u64, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::new(rows);
    if quiet || !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style =
        ProgressStyle::with_template("{bar:30} {percent:>3} %  {human_pos} of about {human_len} rows, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}
