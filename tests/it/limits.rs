//! Limits: what does not fit in memory spills, what cannot spill says so, and nothing is left behind.

use super::harness::{Folder, cxlake};

/// A call with little memory, two threads, and a temporary folder of its own.
fn small(folder: &Folder, sql: &str) -> super::harness::Call {
    let temporary = folder.at("tmp");
    std::fs::create_dir_all(&temporary).expect("a folder to spill to");
    cxlake(["--memory-limit", "64MiB", "--threads", "2", "--format", "csv", "-c", sql])
        .within(folder.path())
        .env("TMPDIR", temporary)
}

fn nothing_is_left(folder: &Folder) {
    let left = std::fs::read_dir(folder.at("tmp")).expect("the folder is there").count();
    assert_eq!(left, 0, "something is left in the temporary folder");
}

#[test]
fn a_sort_of_ten_times_the_limit_finishes_and_cleans_up() {
    let folder = Folder::new();
    // 1.1 million rows of more than 600 bytes are more than 640 MiB.
    let query = "select count(*) as n, min(place) as first, max(place) as last from (\
                 select row_number() over (order by key desc) as place from (\
                 select concat(repeat('x', 600), cast(value * 7919 % 1100000 as varchar)) as key from generate_series(1, 1100000)))";
    assert_eq!(small(&folder, query).prints(), "n,first,last\n1100000,1,1100000\n");
    nothing_is_left(&folder);
}

#[test]
fn a_group_by_of_ten_times_the_limit_finishes_and_cleans_up() {
    let folder = Folder::new();
    let query = "select count(*) as groups, sum(n) as rows from (\
                 select concat(repeat('x', 600), cast(value % 1100000 as varchar)) as key, count(*) as n \
                 from generate_series(1, 1200000) group by key)";
    assert_eq!(small(&folder, query).prints(), "groups,rows\n1100000,1200000\n");
    nothing_is_left(&folder);
}

#[test]
fn what_cannot_spill_names_the_limit_and_how_to_raise_it() {
    let folder = Folder::new();
    let query = "with t as (select value as k, repeat('x', 100) || cast(value as varchar) as payload from generate_series(1, 2000000)) \
                 select count(*) from t a join t b on a.payload = b.payload";
    let error = small(&folder, query).fails(1);
    let first = error.lines().next();
    assert_eq!(
        first,
        Some("error: the memory limit of 67.1 MB does not hold this statement (HashJoinInput needs more)")
    );
    assert!(
        error.ends_with("\n\nhint: raise it with `--memory-limit`, or take fewer threads with `--threads`\n"),
        "{error}"
    );
    nothing_is_left(&folder);
}

#[test]
fn rows_stream_to_the_output_however_many_there_are() {
    let folder = Folder::new();
    let call = small(&folder, "select value as n, value * 2 as twice from generate_series(1, 2000000)");
    let text = call.prints();
    let sum: u64 = text.lines().skip(1).filter_map(|line| line.split(',').nth(1)?.parse::<u64>().ok()).sum();
    assert_eq!((text.lines().count(), sum), (2_000_001, 4_000_002_000_000));
    nothing_is_left(&folder);
}
