//! Pairs of statements that answer the same question, timed in turn on the same rows: what a function of ours costs against
//! the plain SQL it stands for.
//!
//! Whole processes, release build, on a generated lake that is kept between runs. `benches/README.md` says how to run it.

// A benchmark says what is wrong by panicking, and prints what it measured; clippy knows that of test functions only.
#![allow(clippy::expect_used, clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Times the size of the sample: some 20 million invitations to surveys.
const SCALE: u32 = 760;

/// How often each statement runs; the first run of each is not counted.
const ROUNDS: usize = 7;

/// A question asked in two ways, and how long ours may take against the plain one.
struct Pair {
    question: &'static str,
    plain: &'static str,
    ours: &'static str,
    ratio_max: f64,
}

const PAIRS: [Pair; 4] = [
    Pair {
        question: "NPS of each office and quarter",
        plain: "select office_id, date_trunc('quarter', answered_at) as quarter, count(nps) as n, sum(nps) as total \
                from surveys group by office_id, quarter",
        ours: "select office_id, date_trunc('quarter', answered_at) as quarter, nps_stats(nps) as stats \
               from surveys group by office_id, quarter",
        ratio_max: 1.3,
    },
    Pair {
        question: "weight of each account's latest invitation",
        plain: "select count(*), sum(weight) from (select weight, row_number() over (partition by account_id \
                order by sent_at desc) as place from surveys) where place = 1",
        ours: "select count(*), sum(weight) from (select arg_max(weight, sent_at) as weight from surveys group by account_id)",
        ratio_max: 1.0 / 3.0,
    },
    Pair {
        question: "touchpoint of each account's latest invitation",
        plain: "select count(*), max(touchpoint) from (select touchpoint, row_number() over (partition by account_id \
                order by sent_at desc) as place from surveys) where place = 1",
        ours: "select count(*), max(touchpoint) from (select arg_max(touchpoint, sent_at) as touchpoint from surveys \
               group by account_id)",
        ratio_max: 1.0 / 3.0,
    },
    // Most rows are no answers: reading them is most of the work, and the same for both.
    Pair {
        question: "latest answer of each account",
        plain: "select count(*), sum(nps) from (select nps, row_number() over (partition by account_id order by answered_at desc) \
                as place from surveys where nps is not null) where place = 1",
        ours: "select count(*), sum(nps) from (select arg_max(nps, answered_at) as nps from surveys where nps is not null \
               group by account_id)",
        ratio_max: 1.0 / 3.0,
    },
];

/// The lake, made by the first run.
fn lake() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("pairs-{SCALE}"));
    if !folder.join("cxlake.toml").exists() {
        println!("making a lake of {SCALE} times the sample in {}", folder.display());
        let scale = SCALE.to_string();
        let status = Command::new(env!("CARGO_BIN_EXE_cxlake"))
            .args(["generate", "--scale", &scale])
            .arg(&folder)
            .status()
            .expect("the binary starts");
        assert!(status.success(), "generate: {status}");
    }
    folder
}

/// How long a statement takes as a whole process.
fn time(lake: &Path, sql: &str) -> Duration {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cxlake"));
    command.args(["-q", "--format", "csv", "-c", sql]).current_dir(lake).env_remove("CXLAKE_LAKE");
    let started = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status().expect("the binary starts");
    assert!(status.success(), "{sql}: {status}");
    started.elapsed()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let lake = lake();
    println!("question,plain_ms,ours_ms,ratio,aim");
    for pair in PAIRS {
        let (mut plain, mut ours) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let (a, b) = (time(&lake, pair.plain), time(&lake, pair.ours));
            if round > 0 {
                plain.push(a.as_secs_f64() * 1e3);
                ours.push(b.as_secs_f64() * 1e3);
            }
        }
        let (plain, ours) = (median(plain), median(ours));
        println!("{},{plain:.0},{ours:.0},{:.2},{:.2}", pair.question, ours / plain, pair.ratio_max);
    }
}
