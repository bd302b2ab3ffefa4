//! Running at the prompt: how far a statement is, Ctrl-C at every stage, pager, init file, parameters that are asked for.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::time::Duration;

use super::harness::Folder;
use super::terminal::{CTRL_C, Setup, Terminal};

/// Joins so many rows that no machine is done with them while a test waits.
const LONG: &str = "generate_series(1, 5000000) a cross join generate_series(1, 5000000) b";

/// Presses Ctrl-C while a statement runs: all that is left of it on the screen when the prompt is back.
fn interrupted(prompt: &mut Terminal) -> String {
    prompt.keys(CTRL_C);
    prompt.answer()
}

#[test]
fn a_long_statement_says_how_far_it_is_and_leaves_no_trace_of_it() {
    let setup = Setup::new().columns(120);
    let mut prompt = setup.prompt();
    let statement = format!("select count(a.value + b.value) from {LONG};");
    prompt.enter(&statement);
    prompt.shows(" rows · memory ");
    assert_eq!(interrupted(&mut prompt), format!("cxlake> {statement}\n^C\ninterrupted"));
}

#[test]
fn a_scan_of_files_tells_its_share_and_what_it_has_read() {
    let folder = Folder::new();
    folder.parquet("t.parquet", "select value as n from generate_series(1, 300000)");
    let setup = Setup::new().columns(120).within(folder.path());
    let mut prompt = setup.prompt();
    prompt.enter("select count(a.n + b.n) from 't.parquet' a cross join 't.parquet' b;");
    prompt.shows(" of 600,000 rows · ");
    prompt.shows(" % · ");
    prompt.shows(" · read ");
    let shown = interrupted(&mut prompt);
    assert!(shown.ends_with(";\n^C\ninterrupted"), "{shown}");
}

#[test]
fn ctrl_c_stops_planning() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    // Some thousand branches are planned for longer than any test waits for Ctrl-C.
    let branches = vec!["select count(distinct value) from generate_series(1, 9)"; 3000].join(" union ");
    let folder = Folder::new();
    let file = folder.write("long.sql", format!("{branches};"));
    prompt.enter(&format!("\\i {}", file.display()));
    prompt.shows(" s · planning");
    let shown = interrupted(&mut prompt);
    assert!(shown.ends_with("^C\ninterrupted"), "{shown}");
    assert_eq!(prompt.said("select 1 as a;"), "cxlake> select 1 as a;\na\n─\n1\n1 row");
}

#[test]
fn ctrl_c_stops_sorting() {
    let setup = Setup::new().columns(120);
    let mut prompt = setup.prompt();
    prompt.enter("select value, random() as r from generate_series(1, 2000000000) order by r;");
    prompt.shows(" · memory ");
    let shown = interrupted(&mut prompt);
    assert!(shown.ends_with("^C\ninterrupted"), "{shown}");
    assert_eq!(prompt.said("select 1 as a;"), "cxlake> select 1 as a;\na\n─\n1\n1 row");
}

/// A bucket that takes requests and answers those that ask whether an object is there, and nothing else, ever.
fn silent_bucket() -> Vec<(&'static str, String)> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let mut request = String::new();
            let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
            reader.read_line(&mut request).expect("a request");
            if request.starts_with("HEAD") {
                let head = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nETag: \"a\"\r\nLast-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\n\
                            Connection: close\r\n\r\n";
                stream.write_all(head.as_bytes()).expect("an answer");
            }
            open.push((stream, reader));
        }
    });
    let variables = [
        ("AWS_ENDPOINT_URL", format!("http://{address}")),
        ("AWS_REGION", "us-east-1".to_owned()),
        ("AWS_ACCESS_KEY_ID", "key".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
    ];
    variables.into()
}

#[test]
fn ctrl_c_stops_listing_a_bucket_and_reading_an_object_of_it() {
    for path in ["s3://bucket/folder/", "s3://bucket/file.csv"] {
        let setup = Setup::new().environment(silent_bucket());
        let mut prompt = setup.prompt();
        prompt.enter(&format!("select count(*) from '{path}';"));
        prompt.shows(" s · planning");
        let shown = interrupted(&mut prompt);
        assert!(shown.ends_with("^C\ninterrupted"), "{path}:\n{shown}");
        assert_eq!(prompt.said("select 1 as a;"), "cxlake> select 1 as a;\na\n─\n1\n1 row", "{path}");
    }
}

#[test]
fn ctrl_c_twice_leaves_with_130() {
    let setup = Setup::new().columns(120);
    // On a busy machine the second may come too late, when the first has ended the statement.
    let code = (0..5).find_map(|_| {
        let mut prompt = setup.prompt();
        prompt.enter(&format!("select sum(a.value * b.value) from {LONG};"));
        prompt.shows(" rows · ");
        prompt.keys(CTRL_C);
        // Two that come at once are one for the system.
        std::thread::sleep(Duration::from_millis(40));
        prompt.keys(CTRL_C);
        prompt.ended_within(Duration::from_secs(3))
    });
    assert_eq!(code, Some(130));
}

/// A pager that says how many lines it was given.
fn counting_pager(folder: &Folder) -> Vec<(&'static str, String)> {
    let script = folder.write("pager.sh", "echo paged $(wc -l) lines, arguments $*\n");
    vec![("CXLAKE_PAGER", format!("sh {} -a", script.display()))]
}

#[test]
fn only_a_result_that_is_longer_than_the_window_goes_through_the_pager() {
    let folder = Folder::new();
    let setup = Setup::new().environment(counting_pager(&folder));
    let mut prompt = setup.prompt();
    let short = prompt.said("select value from generate_series(1, 3);");
    assert!(short.ends_with("\n    1\n    2\n    3\n3 rows"), "{short}");
    let long = prompt.said("select value from generate_series(1, 30);");
    assert!(long.ends_with(";\npaged 32 lines, arguments -a\n30 rows"), "{long}");
    let all = prompt.said("select value from generate_series(1, 200);");
    assert!(all.ends_with("\npaged 42 lines, arguments -a\n40 of 200 rows shown, `\\last` shows all"), "{all}");
    let last = prompt.said("\\last");
    assert_eq!(last, "cxlake> \\last\npaged 202 lines, arguments -a\n200 rows");
    let csv = prompt.said("\\last csv");
    assert!(csv.ends_with("\n200\n200 rows"), "other forms are not paged:\n{csv}");
    prompt.said("\\pager off");
    let off = prompt.said("select value from generate_series(1, 30);");
    assert!(off.ends_with("\n   30\n30 rows"), "without a pager:\n{off}");
}

#[test]
fn a_pager_that_is_not_there_or_leaves_early_loses_nothing() {
    let folder = Folder::new();
    let leaves = folder.write("leaves.sh", "exec head -n 1\n");
    for (pager, end) in
        [("no-such-pager -x".to_owned(), "\n   30\n30 rows"), (format!("sh {}", leaves.display()), "\nvalue\n30 rows")]
    {
        let setup = Setup::new().environment(vec![("CXLAKE_PAGER", pager)]);
        let mut prompt = setup.prompt();
        let shown = prompt.said("select value from generate_series(1, 30);");
        assert!(shown.ends_with(end), "{shown}");
        let count = prompt.said("select count(*) as n from _;");
        assert!(count.ends_with("\n30\n1 row"), "{count}");
    }
}

#[test]
fn ctrl_c_in_the_pager_is_the_pagers() {
    let folder = Folder::new();
    let pager = "trap 'echo caught; exit' INT\ncat > /dev/null\necho ready\nwhile :; do sleep 0.05; done\n";
    let script = folder.write("pager.sh", pager);
    let setup = Setup::new().environment(vec![("CXLAKE_PAGER", format!("sh {}", script.display()))]);
    let mut prompt = setup.prompt();
    prompt.enter("select value from generate_series(1, 30);");
    prompt.shows("ready");
    prompt.keys(CTRL_C);
    let shown = prompt.answer();
    assert!(shown.contains("caught") && shown.ends_with("\n30 rows"), "{shown}");
}

#[test]
fn a_parameter_without_a_value_is_asked_for() {
    let folder = Folder::new();
    folder.parquet("t.parquet", "select 'a' as id, 1 as n union all select 'b', 2");
    folder.lake("[table.t]\npath = \"t.parquet\"\ncolumns = { id = \"text\", n = \"int\" }\n");
    folder.write(
        "queries/one.sql",
        "-- +++\n-- name = \"one\"\n-- title = \"One\"\n-- description = \"One\"\n-- [params.id]\n-- type = \"text\"\n-- example = \"a\"\n\
         -- values = [\"a\", \"b\"]\n-- description = \"whose\"\n-- +++\nselect n from t where id = $id",
    );
    let setup = Setup::new().within(folder.path());
    let mut prompt = setup.prompt();
    prompt.enter("\\run one");
    prompt.shows("id: whose\none of `a`, `b`\nid =");
    prompt.enter("b");
    prompt.shows("One\n  id = b\n\nn\n─\n2\n1 row");
}

#[test]
fn the_init_file_is_run_first_and_what_is_wrong_in_it_is_no_obstacle() {
    let setup = Setup::new();
    setup.home("config/cxlake/init.sql", "\\set least 500\ncreate view large as select office from offices where fte > $least;\n\\format csv\nselect oops;\n");
    let mut prompt = setup.prompt();
    prompt.shows("init.sql:4");
    assert_eq!(
        prompt.said("select count(*) as n from large;"),
        "cxlake> select count(*) as n from large;\nn\n3\n1 row"
    );
    let mut bare = setup.start(env!("CARGO_BIN_EXE_cxlake"), ["--no-init"]);
    bare.shows("cxlake>");
    bare.enter("select count(*) as n from large;");
    bare.shows("table `large` is not in this lake");
}

#[test]
fn watching_goes_on_until_ctrl_c() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.enter("select 41 + 1 as answer \\watch 20ms");
    prompt.shows("(every 0.02 s)\nanswer\n──────\n    42\n1 row\n\n");
    let shown = interrupted(&mut prompt);
    assert!(shown.ends_with("interrupted"), "{shown}");
    assert_eq!(prompt.said("select 1 as a;"), "cxlake> select 1 as a;\na\n─\n1\n1 row");
}

#[test]
fn what_is_watched_goes_through_no_pager_and_what_comes_after_it_does() {
    let folder = Folder::new();
    let setup = Setup::new().environment(counting_pager(&folder));
    let mut prompt = setup.prompt();
    let watched = prompt.said("select value from generate_series(1, 30) \\watch 20ms 2");
    assert!(!watched.contains("paged") && watched.ends_with("\n   30\n30 rows"), "{watched}");
    let again = prompt.said("\\g");
    assert!(again.ends_with("\npaged 32 lines, arguments -a\n30 rows"), "{again}");
}

#[test]
fn a_result_that_is_too_large_to_keep_says_how_to_see_all_of_it() {
    let setup = Setup::new();
    let mut prompt = setup.start(env!("CARGO_BIN_EXE_cxlake"), ["--memory-limit", "64MiB"]);
    prompt.shows("cxlake>");
    prompt.enter("select value from generate_series(1, 3000000);");
    prompt.shows("\n40 of 3,000,000 rows shown, too large to keep; `\\g FILE` writes all\n");
}

#[test]
fn what_was_entered_is_shown_again() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.said("select 1 as a;");
    prompt.said("\\timing off");
    assert_eq!(prompt.said("\\history 2"), "cxlake> \\history 2\n\\timing off\n\\history 2");
}

#[test]
fn a_table_that_is_too_wide_turns_where_that_is_wanted() {
    let setup = Setup::new().columns(40);
    let mut prompt = setup.prompt();
    prompt.said("\\x auto");
    let narrow = prompt.said("select 1 as a;");
    assert!(narrow.ends_with(";\na\n─\n1\n1 row"), "{narrow}");
    let wide = prompt.said("select repeat('x', 30) as first, repeat('y', 30) as second;");
    assert!(wide.contains("── row 1 ─") && wide.ends_with(&format!("\nsecond  {}\n1 row", "y".repeat(30))), "{wide}");
}
