//! Statements over a network that fails by plan: each gives its right answer or a clear error, and none takes longer than it may.
//!
//! A run is a statement, a bucket of its own, and what a seed has in store for the requests to it. Many runs share a process,
//! as the statements of a script; one that fails ends its process, and the next process goes on behind it.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::super::harness::{Folder, Said, cxlake, repository};
use super::http::{Asked, Kind};
use super::proxy::{Fault, Proxy};
use super::server::Server;

/// Seeds of the runs, unless `CXLAKE_FAULT_SEEDS` names others, such as `17..18`.
const SEEDS: Range<u64> = 0..2000;

/// Runs that share a process, unless one of them fails.
const TOGETHER: usize = 40;

/// Processes at once.
const PROCESSES: usize = 16;

/// How long a request is tried again, in seconds.
const RETRY: u64 = 1;

/// How long a run may take: a listing, a footer and some reads one after the other, each tried again for its time.
const LONGEST: Duration = Duration::from_secs(20);

/// What stands for a run's number where answers are made.
const NUMBER: &str = "424242";

/// The statements; `{n}` is the run's number, `{t}` its table, `{f}` the start of its files.
const STATEMENTS: [&str; 7] = [
    "select {n} as run, count(*) as c, sum(n) as s, min(t) as least, max(t) as most from {t}",
    "select {n} as run, k, count(*) as c, sum(n) as s from {t} where n % 3 = 0 group by k order by k",
    "select {n} as run, n, t from '{f}t/b.parquet' where n % 100 = 7 order by n",
    "select {n} as run, * from {t} order by n desc limit 5",
    "select {n} as run, count(*) as c, sum(n) as s, max(t) as most from '{f}c/*.csv'",
    "select {n} as run, n, t from '{f}t/b.parquet'",
    "copy (select {n} as run, n, t from {t} where k = 1 order by n) to '{f}out/x.csv'",
];

/// The statement that writes.
const WRITES: usize = 6;

/// What a store's own words would not be.
const FOREIGN: [&str; 12] = [
    "DataFusion",
    "Object at location",
    "Generic S3",
    "Arrow error",
    "Arrow:",
    "External",
    "Parquet error",
    "Parquet:",
    "panicked",
    "object_store",
    "Execution error",
    "internal error",
];

#[test]
#[expect(clippy::print_stdout, reason = "`--nocapture` shows how the runs ended")]
fn runs_over_a_failing_network_give_the_right_answer_or_a_clear_error_in_time() {
    let lake = Lake::new();
    let server = Server::start(&[]);
    let seeds = seeds();
    for seed in seeds.clone() {
        lake.fill(&server, seed);
    }
    let (buckets, second) = (server.folder().path().to_owned(), lake.files.at("second"));
    let proxy = Proxy::start(&server, move |asked, before| planned(asked, before, &buckets, &second));
    let numbers: Vec<u64> = seeds.collect();
    let batches: Vec<&[u64]> = numbers.chunks(TOGETHER).collect();
    let (next, ends) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<String, usize>::new()));
    std::thread::scope(|scope| {
        for _ in 0..PROCESSES {
            scope.spawn(|| {
                while let Some(batch) = batches.get(next.fetch_add(1, Ordering::SeqCst)) {
                    for end in lake.run(&server, &proxy, batch) {
                        *ends.lock().expect("no run has failed").entry(end).or_default() += 1;
                    }
                }
            });
        }
    });
    let ends = ends.into_inner().expect("no run has failed");
    let table = ends.iter().fold(String::new(), |text, (end, count)| format!("{text}{count:6} {end}\n"));
    println!("{table}");
    assert_eq!(ends.values().sum::<usize>(), numbers.len(), "{table}");
    let right = ends.get(RIGHT).copied().unwrap_or_default();
    assert!(right * 10 > numbers.len() * 6, "most runs succeed:\n{table}");
}

fn seeds() -> Range<u64> {
    let Ok(named) = std::env::var("CXLAKE_FAULT_SEEDS") else { return SEEDS };
    let (from, to) = named.split_once("..").expect("two seeds with two points between them");
    from.parse().expect("a seed")..to.parse().expect("a seed")
}

/// How a run ends that gives the right answer.
const RIGHT: &str = "the right answer";

/// The numbers that look like chance for a seed and a thing.
fn chance(seed: u64, thing: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    (seed, thing).hash(&mut hasher);
    hasher.finish()
}

/// What the bucket's seed has in store for a request; also replaces objects behind the client's back.
fn planned(asked: &Asked, before: u32, buckets: &Path, second: &Path) -> Fault {
    let Some(seed) = asked.bucket.strip_prefix("run-").and_then(|seed| seed.parse::<u64>().ok()) else {
        return Fault::None;
    };
    let luck = chance(seed, (asked, before));
    match seed % 10 {
        // An object is replaced before some request, and there are a few faults.
        8 => {
            if asked.kind == Kind::Get && asked.key.contains("b.") && luck % 3 == 0 {
                replace(buckets, second, asked);
            }
            if luck / 3 % 10 == 0 { fault(luck / 30) } else { Fault::None }
        }
        // Some requests fail in the same way for ever.
        9 => match chance(seed, asked) {
            cursed if cursed % 8 == 0 => fault(cursed / 8),
            _ => Fault::None,
        },
        6 | 7 if luck % 100 < 40 => fault(luck / 100),
        0..6 if luck % 100 < 20 => fault(luck / 100),
        _ => Fault::None,
    }
}

fn fault(luck: u64) -> Fault {
    let (kind, luck) = (luck % 16, luck / 16);
    let share = usize::try_from(luck % 100).expect("less than a hundred");
    match kind {
        0 => Fault::Drop { is_done: false },
        1 => Fault::Drop { is_done: true },
        2 | 3 => Fault::CutOff(share),
        4 | 5 => Fault::Short(share),
        6 => Fault::ShortOfNoLength(share),
        7 => Fault::Refuse(503, "SlowDown", None),
        8 => Fault::Refuse(503, "SlowDown", Some(luck % 3)),
        9 => Fault::Refuse(429, "TooManyRequests", None),
        10 => Fault::Refuse(429, "TooManyRequests", Some(luck % 2)),
        11 => Fault::Refuse(500, "InternalError", None),
        12 => Fault::Page(502),
        13 => Fault::Expire,
        _ => Fault::Delay(Duration::from_millis(luck % 60)),
    }
}

/// Puts the second version of an object in the place of the first.
fn replace(buckets: &Path, second: &Path, asked: &Asked) {
    let place = buckets.join(&asked.bucket).join(&asked.key);
    let aside = buckets.join(format!(".{}-{:x}", asked.bucket, chance(0, asked)));
    std::fs::hard_link(second.join(&asked.key), &aside).expect("the second version is there");
    std::fs::rename(&aside, &place).expect("the object is replaced");
    // A link to the same file is left where it is.
    let _ = std::fs::remove_file(&aside);
}

/// The objects of all runs, and what their statements answer.
struct Lake {
    /// `first/` and `second/`: the objects in their two versions.
    files: Folder,
    /// By statement: its answers with all objects in the first version, and with those called `b` in the second.
    answers: Vec<[String; 2]>,
    /// The error messages of `docs/s3.md`, each as the parts between its gaps.
    documented: Vec<Vec<String>>,
}

impl Lake {
    fn new() -> Self {
        let files = Folder::new();
        for (number, name) in ["a", "b", "c"].into_iter().enumerate() {
            let first = format!("range({}, {})", number * 2000, (number + 1) * 2000);
            for (version, plus) in [("first", 0), ("second", if name == "b" { 1_000_000 } else { 0 })] {
                let sql = format!(
                    "select value + {plus} as n, value % 5 as k, md5(cast(value + {plus} as text)) as t from {first}"
                );
                let script = format!("set datafusion.execution.parquet.max_row_group_size = 500; {sql}");
                files.parquet(&format!("{version}/t/{name}.parquet"), &script);
                files.parquet(&format!("{version}/c/{name}.csv"), &sql);
            }
        }
        let versions = ["first", "second"].map(|version| {
            let folder = files.at(version);
            std::fs::write(folder.join("cxlake.toml"), "[lake]\nname = \"t\"\n[table.t]\npath = \"t/\"\n")
                .expect("a lake");
            std::fs::create_dir(folder.join("out")).expect("a folder");
            STATEMENTS.map(|statement| {
                let sql = statement.replace("{n}", NUMBER).replace("{t}", "t").replace("{f}", "");
                let said = cxlake(["-q", "--format", "csv", "-c", &sql]).within(&folder).prints();
                match statement.starts_with("copy") {
                    true => std::fs::read_to_string(folder.join("out/x.csv")).expect("it is written"),
                    false => said,
                }
            })
        });
        let [first, second] = versions;
        let answers = first.into_iter().zip(second).map(|(first, second)| [first, second]).collect();
        Self { files, answers, documented: documented() }
    }

    /// Makes the bucket of a run.
    fn fill(&self, server: &Server, seed: u64) {
        for folder in ["t", "c"] {
            let place = server.folder().at(&format!("{}/{folder}", bucket(seed)));
            std::fs::create_dir_all(&place).expect("a bucket");
            for entry in std::fs::read_dir(self.files.at("first").join(folder)).expect("a folder") {
                let entry = entry.expect("an entry");
                std::fs::hard_link(entry.path(), place.join(entry.file_name())).expect("an object");
            }
        }
    }

    /// Runs a batch, and says how each run ended.
    fn run(&self, server: &Server, proxy: &Proxy, batch: &[u64]) -> Vec<String> {
        let mut ends = Vec::new();
        while ends.len() < batch.len() {
            let rest = &batch[ends.len()..];
            let folder = Folder::new();
            folder.lake(&rest.iter().fold(String::new(), |manifest, seed| manifest + &declared(*seed)));
            let script: String = rest.iter().map(|seed| format!("{};\n", statement(*seed))).collect();
            let arguments = ["-q", "--threads", "2", "--format", "csv", "-f", "-"];
            let said = folder.cxlake(arguments).through(proxy).stdin(script).run();
            let ended = Instant::now();
            let asked = rest.iter().take_while(|seed| proxy.first_asked(&bucket(**seed)).is_some()).count();
            let run = &rest[..asked];
            assert!(
                asked == rest.len() || (asked > 0 && said.code == Some(1)),
                "after {run:?} nothing is asked: {said}"
            );
            in_time(proxy, run, ended);
            ends.extend(self.judge(server, run, &said));
        }
        ends
    }

    /// How the runs of a process ended, up to the first that failed; panics with the seed where one ended as none may.
    fn judge(&self, server: &Server, seeds: &[u64], said: &Said) -> Vec<String> {
        let text = said.text();
        let mut rest = text.as_str();
        let mut ends = Vec::new();
        for (place, &seed) in seeds.iter().enumerate() {
            let answers = self.answers(seed);
            let written = std::fs::read_to_string(server.folder().at(&format!("{}/out/x.csv", bucket(seed)))).ok();
            let is_whole = written.as_ref().is_none_or(|written| answers.contains(written));
            assert!(is_whole, "seed {seed} has written something else: {written:?}");
            if said.code != Some(0) && place + 1 == seeds.len() {
                // Rows that were right may have been printed before; a copy prints none.
                let is_part = answers.iter().any(|answer| answer.starts_with(rest));
                assert!(is_part, "seed {seed} gives another answer ({}): {rest}", statement(seed));
                ends.push(self.clear(seed, said));
                return ends;
            }
            let behind = match is_copy(seed) {
                true => written.map(|_| rest),
                false => answers.iter().find_map(|answer| rest.strip_prefix(answer.as_str())),
            };
            rest = behind.unwrap_or_else(|| panic!("seed {seed} gives another answer ({}): {rest}", statement(seed)));
            ends.push(RIGHT.to_owned());
        }
        assert_eq!(rest, "", "after the last of {seeds:?}: {said}");
        ends
    }

    /// The answers that a run may give, with its number.
    fn answers(&self, seed: u64) -> [String; 2] {
        self.answers[kind(seed)].clone().map(|answer| answer.replace(NUMBER, &seed.to_string()))
    }

    /// The documented message of a run that failed.
    fn clear(&self, seed: u64, said: &Said) -> String {
        let error = said.stderr.as_str();
        assert_eq!(said.code, Some(1), "seed {seed} ends otherwise: {said}");
        assert_eq!(error.matches("error: ").count(), 1, "seed {seed} has one error: {said}");
        let foreign = FOREIGN.iter().find(|word| error.contains(*word));
        assert_eq!(foreign, None, "seed {seed} fails in foreign words ({}):\n{error}", statement(seed));
        let fits = |parts: &&Vec<String>| {
            let mut rest = error;
            parts.iter().all(|part| match rest.split_once(part.as_str()) {
                Some((_, behind)) => {
                    rest = behind;
                    true
                }
                None => false,
            })
        };
        match self.documented.iter().find(fits) {
            Some(parts) => parts.join("…"),
            None => panic!("seed {seed} fails as docs/s3.md does not say ({}):\n{error}", statement(seed)),
        }
    }
}

fn bucket(seed: u64) -> String {
    format!("run-{seed:05}")
}

fn kind(seed: u64) -> usize {
    usize::try_from(chance(seed, "statement") % STATEMENTS.len() as u64).expect("a small number")
}

fn is_copy(seed: u64) -> bool {
    kind(seed) == WRITES
}

fn statement(seed: u64) -> String {
    let statement = STATEMENTS[kind(seed)].replace("{n}", &seed.to_string());
    statement.replace("{t}", &format!("t{seed}")).replace("{f}", &format!("s{seed}:"))
}

fn declared(seed: u64) -> String {
    format!(
        "[store.s{seed}]\nurl = \"s3://{}/\"\nretry_seconds = {RETRY}\nwrite = true\n[table.t{seed}]\npath = \"s{seed}:t/\"\n",
        bucket(seed)
    )
}

/// A run lasts from its first request to that of the next, or to the end of its process.
fn in_time(proxy: &Proxy, seeds: &[u64], ended: Instant) {
    for (place, seed) in seeds.iter().enumerate() {
        let begun = |seed: &u64| proxy.first_asked(&bucket(*seed));
        let until = seeds.get(place + 1).and_then(begun).unwrap_or(ended);
        let lasted = begun(seed).map(|begun| until.saturating_duration_since(begun));
        assert!(lasted.is_some_and(|time| time < LONGEST), "seed {seed} takes {lasted:?} ({})", statement(*seed));
    }
}

/// The messages in the table of `docs/s3.md`.
fn documented() -> Vec<Vec<String>> {
    let path: PathBuf = repository().join("docs/s3.md");
    let text = std::fs::read_to_string(path).expect("the page");
    let rows = text.lines().skip_while(|line| !line.starts_with("| message |")).skip(2);
    let messages = rows.take_while(|line| line.starts_with('|')).filter_map(|line| line.split('|').nth(1));
    messages
        .map(|message| message.split('…').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
        .collect()
}
