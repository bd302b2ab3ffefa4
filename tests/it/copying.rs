//! COPY: what it writes, where, and under which names.

use std::fs::Permissions;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::process::Command;
use std::time::Duration;

use super::harness::{Folder, cxlake};

fn select(folder: &Folder, sql: &str) -> String {
    folder.cxlake(["--format", "csv", "-c", sql]).prints()
}

#[test]
fn partitions_of_any_type_are_read_back_as_they_were_nulls_too() {
    let folder = Folder::new();
    folder.lake(
        "[table.n]\npath = \"n/\"\n\
         partition = { k = \"int\", b = \"bool\", d = \"date\", t = \"text\", c = \"decimal(9,2)\", s = \"timestamp\" }\n\
         [table.n.columns]\na = \"int\"\n",
    );
    let rows = "select 1 as a, 7 as k, true as b, date '2026-09-01' as d, 'x/y z%é' as t, \
                cast('1.50' as decimal(9,2)) as c, timestamp '2026-09-01 12:30:00' as s \
                union all select 2, 0, false, date '1970-01-01', '', cast('0.00' as decimal(9,2)), timestamp '1970-01-01 00:00:00' \
                union all select 3, null, null, null, null, null, null";
    let copy = format!("copy ({rows}) to 'n/' stored as parquet partitioned by (k, b, d, t, c, s)");
    folder.cxlake(["-c", &copy]).prints();
    assert_eq!(
        select(&folder, "select a, k, b, d, t, c, extract(hour from s) as hour from n order by a"),
        "a,k,b,d,t,c,hour\n1,7,true,2026-09-01,x/y z%é,1.50,12\n2,0,false,1970-01-01,,0.00,0\n3,,,,,,\n"
    );
    let nulls = "select count(*) - count(k) as k, count(*) - count(t) as t, count(*) - count(s) as s from n";
    assert_eq!(select(&folder, nulls), "k,t,s\n1,1,1\n");
    assert!(folder.at("n/k=7/b=true/d=2026-09-01/t=x%2Fy z%25%C3%A9").is_dir());
}

#[test]
fn rows_sorted_by_their_partition_and_more_keep_their_order_in_each_file() {
    let folder = Folder::new();
    let copy = "copy (select value as a, value % 3 as k from generate_series(1, 200000) order by k, a desc) to 'o/' \
                stored as csv partitioned by (k)";
    folder.cxlake(["--threads", "4", "-c", copy]).prints();
    for k in 0..3 {
        let mut files = std::fs::read_dir(folder.at(&format!("o/k={k}"))).expect("the folder of the partition");
        let file = files.next().expect("a file").expect("an entry").path();
        let text = std::fs::read_to_string(file).expect("a CSV file");
        let values: Vec<u32> = text.lines().skip(1).map(|line| line.parse().expect("a number")).collect();
        assert!(values.len() > 60_000 && values.is_sorted_by(|one, next| one > next), "k={k}: {} rows", values.len());
    }
}

#[test]
fn columns_of_one_name_are_refused_as_by_output() {
    let folder = Folder::new();
    let rows = "select a.n, b.n from (values (1)) a(n) join (values (1)) b(n) on a.n = b.n";
    for ending in ["parquet", "json"] {
        let told = folder.cxlake(["-c", &format!("copy ({rows}) to 'out.{ending}'")]).told(1);
        assert_eq!(told, "error: two columns are called `n`\n\nhint: give one of them another name with `as`\n");
        assert_eq!(folder.cxlake(["-c", rows, "-o", &format!("out.{ending}")]).told(1), told);
    }
    assert_eq!(folder.names(), Vec::<String>::new());
    folder.cxlake(["-c", &format!("copy ({rows}) to 'out.csv'")]).prints();
    assert_eq!(folder.read("out.csv"), "n,n\n1,1\n");
}

#[test]
fn partition_columns_that_are_to_stay_in_the_files_are_refused() {
    let folder = Folder::new();
    let copy = "copy (select 1 as a, 2 as k) to 't' stored as parquet partitioned by (k)";
    let wanted = "error: COPY leaves partition columns out of the files, and was told to keep them\n\n\
                  hint: select them twice to have them in the files too: `k, k as k_kept`\n";
    let option = format!("{copy} options ('execution.keep_partition_by_columns' 'true')");
    assert_eq!(folder.cxlake(["-c", &option]).fails(2), wanted);
    let setting = format!("set datafusion.execution.keep_partition_by_columns = true; {copy}");
    assert_eq!(folder.cxlake(["-c", &setting]).fails(2), wanted);
    assert_eq!(folder.names(), Vec::<String>::new());
}

#[test]
fn a_partition_column_with_a_quoted_name_is_found() {
    let folder = Folder::new();
    let copy = "copy (select 1 as a, 'x' as \"p \"\"q\") to 't' stored as csv partitioned by (\"p \"\"q\")";
    folder.cxlake(["-c", copy]).prints();
    let copy = "copy (select 1 as a, 'x' as p) to 'u' stored as csv partitioned by (p)";
    folder.cxlake(["-c", copy]).prints();
    assert!(folder.at("t/p %22q=x").is_dir() && folder.at("u/p=x").is_dir(), "{:?}", folder.names());
}

#[test]
fn the_signs_of_a_glob_in_a_target_are_letters_of_its_name() {
    let folder = Folder::new();
    for target in ["a[1].csv", "b?.csv", "c*.csv", "d #50%.csv"] {
        folder.cxlake(["-c", &format!("copy (select 1 as a) to '{target}'")]).prints();
        assert_eq!(folder.read(target), "a\n1\n", "{target}");
    }
    folder.cxlake(["-c", "copy (select 1 as a, 'x' as p) to 'e[1]' stored as csv partitioned by (p)"]).prints();
    assert!(folder.at("e[1]/p=x").is_dir());
    folder.write("rep [2026]/old.csv", "");
    cxlake(["-c", "copy (select 1 as a) to 'r.csv'"]).within(&folder.at("rep [2026]")).prints();
    assert_eq!(folder.read("rep [2026]/r.csv"), "a\n1\n");
    assert_eq!(folder.names(), ["a[1].csv", "b?.csv", "c*.csv", "d #50%.csv", "e[1]", "rep [2026]"]);
}

#[test]
fn explain_analyze_takes_no_statement_that_writes() {
    let folder = Folder::new();
    folder.write("keep.csv", "x\n1\n");
    let failing = "copy (select 1 / (3 - value) as x from generate_series(1, 3)) to 'keep.csv'";
    for statement in [
        failing,
        "verbose copy (select 1 as x) to 'keep.csv'",
        "create table t as select 1 as x",
        "create view v as select 1 as x",
    ] {
        let explain = format!("explain analyze {statement}");
        assert_eq!(
            folder.cxlake(["-c", &explain]).fails(2),
            "error: `explain analyze` takes a query\n\nhint: run it on the `select` alone\n",
            "{statement}"
        );
    }
    assert_eq!(folder.read("keep.csv"), "x\n1\n");
    assert_eq!(folder.names(), ["keep.csv"]);
}

#[test]
fn an_option_that_copy_does_not_take_is_named_with_those_that_it_does() {
    let folder = Folder::new();
    let told = |form: &str, option: &str| {
        folder.cxlake(["-c", &format!("copy (select 1 as a) to 'o.{form}' options ({option})")]).told(1)
    };
    assert_eq!(
        told("csv", "header false"),
        "error: COPY has no option `header` for CSV\n\n\
         hint: it takes `has_header`, `delimiter`, `null_value`, `date_format`, `compression`, among others\n"
    );
    assert_eq!(
        told("csv", "'has_headr' false"),
        "error: COPY has no option `has_headr` for CSV\n\nhint: did you mean `has_header`?\n"
    );
    for form in ["json", "parquet"] {
        assert!(told(form, "nosuch 1").starts_with("error: COPY has no option `nosuch`"), "{form}");
    }
    let fine = "copy (select 1 as a, null as b) to 'o.csv' options (has_header false, delimiter ';', null_value 'NA')";
    folder.cxlake(["-c", fine]).prints();
    assert_eq!(folder.read("o.csv"), "1;NA\n");
    let fine = "copy (select 1 as a) to 'o.parquet' options (compression 'zstd(3)', max_row_group_size 1000)";
    folder.cxlake(["-c", fine]).prints();
}

#[test]
fn partitions_that_no_table_can_have_are_refused() {
    let folder = Folder::new();
    let copy = |rows: &str, by: &str| {
        folder.cxlake(["-c", &format!("copy ({rows}) to 'out/' stored as parquet partitioned by ({by})")]).fails(2)
    };
    assert!(copy("select 1 as a, [1] as b", "b").starts_with("error: column `b` cannot name folders"));
    assert!(copy("select 1 as a, interval '1 day' as b", "b").starts_with("error: column `b` cannot name folders"));
    assert!(copy("select 1 as a, 2 as b", "a, b").starts_with("error: all columns are in `partitioned by`"));
    assert_eq!(folder.names(), Vec::<String>::new());
}

#[test]
fn a_file_is_replaced_behind_its_link_with_its_rights_and_a_pipe_is_written_into() {
    let folder = Folder::new();
    let file = folder.write("there/file.csv", "old\n");
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("it is set");
    symlink("there/file.csv", folder.at("link.csv")).expect("it is linked");
    folder.cxlake(["-c", "copy (select 7 as a) to 'link.csv'"]).prints();
    assert_eq!(folder.read("there/file.csv"), "a\n7\n");
    assert!(folder.at("link.csv").is_symlink());
    assert_eq!(file.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    for name in ["pipe.csv", "pipe"] {
        let pipe = folder.at(name);
        assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
        let (send, read) = std::sync::mpsc::channel();
        let reader = pipe.clone();
        std::thread::spawn(move || send.send(std::fs::read_to_string(reader)));
        folder.cxlake(["-c", &format!("copy (select 7 as a) to '{name}' stored as csv")]).prints();
        // Where the pipe was replaced by a file, its reader would wait for ever.
        let read = read.recv_timeout(Duration::from_mins(1)).expect("the reader comes to the end");
        assert_eq!(read.expect("text"), "a\n7\n", "{name}");
        assert!(pipe.metadata().expect("a pipe").file_type().is_fifo(), "{name}");
    }
    assert_eq!(folder.names(), ["link.csv", "pipe", "pipe.csv", "there"]);
}

#[test]
fn a_disk_that_takes_no_more_is_told_in_its_own_words() {
    let rows = "select value as a, md5(cast(value as varchar)) as b, value % 2 as k from generate_series(1, 200000)";
    for (target, name) in [
        ("'out.csv'", "out.csv"),
        ("'out.parquet'", "out.parquet"),
        ("'out' stored as csv partitioned by (k)", "out"),
        ("'out' stored as parquet partitioned by (k)", "out"),
    ] {
        let folder = Folder::new();
        let mut call = Command::new("sh");
        // Files that may not grow any more stand for a disk that is full.
        call.args(["-c", "trap '' XFSZ; ulimit -f 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_cxlake"), "-c"]);
        call.arg(format!("copy ({rows}) to {target}")).current_dir(folder.path());
        let said = call.env("NO_COLOR", "1").env_remove("CXLAKE_LAKE").output().expect("the binary starts");
        assert_eq!(said.status.code(), Some(1), "{target}: {said:?}");
        let told = String::from_utf8(said.stderr).expect("messages are UTF-8");
        let target = folder.path().canonicalize().expect("a folder").join(name);
        assert_eq!(told, format!("error: cannot write `{}`: File too large (os error 27)\n", target.display()));
        assert!(!target.exists());
    }
    let told = cxlake(["-c", "copy (select 1 as a) to '/dev/full' stored as csv"]).told(1);
    assert_eq!(told, "error: cannot write `/dev/full`: No space left on device (os error 28)\n");
}

#[test]
fn a_text_by_which_folders_name_null_is_refused() {
    let folder = Folder::new();
    let copy = |value: &str| format!("copy (select 1 as a, {value} as k) to 't' stored as csv partitioned by (k)");
    let null = "'__HIVE_DEFAULT_PARTITION__'";
    assert_eq!(
        folder.cxlake(["-c", &copy(null)]).told(1),
        "error: a value of `k` is the text `__HIVE_DEFAULT_PARTITION__`, by which folders name NULL\n\n\
         hint: leave such rows out, or have them read as NULL: `nullif(k, '__HIVE_DEFAULT_PARTITION__')`\n"
    );
    assert!(!folder.at("t").exists());
    folder.cxlake(["-c", &copy(&format!("nullif({null}, {null})"))]).prints();
    assert!(folder.at("t/k=__HIVE_DEFAULT_PARTITION__").is_dir());
}
