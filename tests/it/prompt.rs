//! The prompt, as somebody sees it who sits at a terminal.

use std::fs;
use std::time::{Duration, Instant};

use super::harness::{Folder, repository};
use super::terminal::{CTRL_C, CTRL_D, ENTER, Setup, Terminal, UP};

/// Joins so many rows that no machine is done with them while a test waits.
const LONG: &str = "generate_series(1, 5000000) a cross join generate_series(1, 5000000) b";

#[test]
fn a_statement_over_several_lines_runs_at_its_semicolon_and_not_before() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.enter("select 6 *");
    prompt.enter("  7 as answer");
    prompt.edits("select 6 *\n  7 as answer");
    assert_eq!(prompt.said(";"), "cxlake> select 6 *\n  7 as answer\n;\nanswer\n──────\n    42\n1 row");
}

#[test]
fn a_semicolon_in_a_string_or_a_comment_ends_no_statement() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.enter("select ';' -- it's; open");
    assert_eq!(prompt.said("as a;"), "cxlake> select ';' -- it's; open\nas a;\na\n─\n;\n1 row");
}

#[test]
fn the_history_keeps_whole_statements_at_once_in_a_private_file_of_the_state_folder() {
    let folder = Folder::new();
    let setup = Setup::new().within(folder.path());
    let mut prompt = setup.prompt();
    prompt.enter("select 1,");
    prompt.said("  'a\\b';");
    prompt.said("select broken;");
    prompt.said("\\timing off");
    let kept = fs::read_to_string(setup.history()).expect("the history, while the prompt is open");
    assert_eq!(kept, "#V2\nselect 1,\\n  'a\\\\b';\nselect broken;\n\\\\timing off\n");
    assert_private(&setup);
    prompt.keys(CTRL_D);
    assert_eq!(prompt.leaves(), 0);
    assert_eq!(folder.names(), [""; 0], "the current folder is left alone");
}

#[cfg(unix)]
fn assert_private(setup: &Setup) {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(setup.history()), 0o600, "the file of the history");
    assert_eq!(mode(setup.history().with_file_name("")), 0o700, "its folder");
}

#[cfg(not(unix))]
fn assert_private(_: &Setup) {}

#[test]
fn the_history_becomes_private_when_it_was_not() {
    let setup = Setup::new();
    fs::create_dir_all(setup.history().with_file_name("")).expect("the folder is made");
    fs::write(setup.history(), "#V2\nselect 'old';\n").expect("the history is written");
    let mut prompt = setup.prompt();
    assert_file_private(&setup);
    prompt.keys(UP);
    prompt.edits("select 'old';");
}

#[cfg(unix)]
fn assert_file_private(setup: &Setup) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(setup.history()).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[cfg(not(unix))]
fn assert_file_private(_: &Setup) {}

#[test]
fn the_up_key_brings_back_statements_of_an_earlier_prompt_whole() {
    let setup = Setup::new();
    let mut first = setup.prompt();
    first.said("select 1 as first;");
    first.enter("select 2");
    first.said("  as second;");
    first.keys(CTRL_D);
    assert_eq!(first.leaves(), 0);

    let mut second = setup.prompt();
    second.keys(UP);
    second.edits("select 2\n  as second;");
    assert_eq!(second.said(""), "cxlake> select 2\n  as second;\nsecond\n──────\n     2\n1 row");
    // The second key goes up a line inside of the statement, the third to the statement before.
    second.keys(&UP.repeat(3));
    second.edits("select 1 as first;");
}

#[test]
fn two_prompts_at_once_lose_nothing_of_their_history() {
    let setup = Setup::new();
    let (mut one, mut other) = (setup.prompt(), setup.prompt());
    one.said("select 1;");
    other.said("select 2;");
    one.said("select 3;");
    other.said("select 4;");
    let kept = fs::read_to_string(setup.history()).expect("the history");
    assert_eq!(kept, "#V2\nselect 1;\nselect 2;\nselect 3;\nselect 4;\n");
}

#[test]
fn ctrl_c_at_the_prompt_clears_what_is_typed_and_keeps_the_prompt() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.enter("select 'an open string");
    prompt.keys("over lines");
    prompt.edits("select 'an open string\nover lines");
    prompt.keys(CTRL_C);
    assert_eq!(prompt.answer(), "cxlake> select 'an open string\nover lines");
    prompt.keys(CTRL_C);
    prompt.answer();
    assert_eq!(prompt.said("select 1 as a;"), "cxlake> select 1 as a;\na\n─\n1\n1 row");
    assert_eq!(left(prompt), 0);
}

#[test]
fn ctrl_c_stops_a_statement_that_computes_without_a_pause_and_the_next_one_works() {
    let setup = Setup::new().columns(120);
    let mut prompt = setup.prompt();
    let statement = format!("select sum(a.value * b.value) from {LONG};");
    for _ in 0..2 {
        prompt.enter(&statement);
        underway(&prompt);
        assert_eq!(interrupted(&mut prompt), format!("cxlake> {statement}\n^C\ninterrupted"));
        assert_eq!(prompt.said("select 1 as a;"), "cxlake> select 1 as a;\na\n─\n1\n1 row");
    }
    assert_eq!(left(prompt), 0);
}

#[test]
fn ctrl_c_stops_a_statement_that_prints_without_end_and_the_next_one_works() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.said("\\format csv");
    prompt.enter(&format!("select a.value as x, b.value as y from {LONG};"));
    // The head scrolls away at once; among so many rows some end in a zero.
    prompt.shows("0\n");
    let shown = interrupted(&mut prompt);
    assert!(shown.ends_with("\ninterrupted"), "{shown}");
    // The screen has scrolled by now, so only its end counts.
    prompt.enter("select 1 as a;");
    prompt.shows("\na\n1\n1 row\n");
    assert_eq!(left(prompt), 0);
}

#[test]
fn ctrl_c_stops_a_statement_whose_rows_are_counted_and_not_shown() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.enter(&format!("select a.value from {LONG};"));
    underway(&prompt);
    let shown = interrupted(&mut prompt);
    assert!(shown.ends_with("\n^C\ninterrupted"), "{shown}");
    assert_eq!(prompt.said("select 1 as a;"), "cxlake> select 1 as a;\na\n─\n1\n1 row");
}

#[test]
fn ctrl_c_ends_what_was_pasted_behind_the_statement_that_it_stops() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.keys(&paste(&format!("select count(a.value + b.value) from {LONG};\rselect 'not this one';")));
    prompt.keys(ENTER);
    underway(&prompt);
    let shown = interrupted(&mut prompt);
    assert!(shown.ends_with("\n^C\ninterrupted"), "{shown}");
}

#[test]
fn ctrl_d_on_an_empty_line_leaves_with_0_and_on_a_line_with_text_does_not() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.keys("select 1 as a");
    prompt.keys(CTRL_D);
    assert_eq!(prompt.said(";"), "cxlake> select 1 as a;\na\n─\n1\n1 row");
    prompt.keys(CTRL_D);
    assert_eq!(prompt.leaves(), 0);
}

#[test]
fn backslash_q_and_the_words_of_other_prompts_leave_with_0() {
    for word in ["\\q", "exit", "quit;", "QUIT"] {
        let setup = Setup::new();
        let mut prompt = setup.prompt();
        prompt.enter(word);
        assert_eq!(prompt.leaves(), 0, "{word}");
    }
}

#[test]
fn an_error_is_shown_and_the_prompt_stays() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    assert_eq!(
        prompt.said("select * from ofices;"),
        "cxlake> select * from ofices;\n\
         error: table `ofices` is not in this lake\n\
         \x20 | select * from ofices\n\
         \x20 |               ^^^^^^\n\
         \n\
         hint: did you mean `offices`? `cxlake tables` or `\\d` lists all"
    );
    assert_eq!(prompt.said("select 1 as a;"), "cxlake> select 1 as a;\na\n─\n1\n1 row");
    assert_eq!(left(prompt), 0, "an error at the prompt is no failure of the program");
}

#[test]
fn backslash_d_lists_the_tables_and_describes_one() {
    let setup = Setup::new().columns(160);
    let mut prompt = setup.prompt();
    let tables = prompt.said("\\d");
    for name in ["accounts", "cost_per_touch", "field_feedback", "offices", "surveys", "touches"] {
        assert!(tables.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}:\n{tables}");
    }
    let table = prompt.said("\\d offices");
    assert!(table.contains("\noffice     text  false         0  Amsterdam   Warsaw         name, unique\n"), "{table}");
    assert!(table.contains("\nsample-data/offices/: 31 rows in 1 file, "), "{table}");
    assert_eq!(prompt.said("\\d offices;"), table.replacen("offices", "offices;", 1), "a `;` is no part of the name");
}

#[test]
fn backslash_queries_lists_the_saved_queries_and_shows_one() {
    let setup = Setup::new().columns(160);
    let mut prompt = setup.prompt();
    let queries = prompt.said("\\queries");
    let saved = fs::read_dir(repository().join("queries")).expect("the folder of queries");
    for file in saved {
        let path = file.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy();
        assert!(queries.lines().any(|line| line.starts_with(&format!("{name} "))), "{name}:\n{queries}");
    }
    let query = prompt.said("\\queries cost-gaps");
    assert!(query.contains("What is missing from the cost of touches\n───"), "{query}");
    assert!(query.contains("months"), "{query}");
}

#[test]
fn backslash_run_runs_a_saved_query_with_its_parameters() {
    let setup = Setup::new().columns(160);
    let mut prompt = setup.prompt();
    let shown = prompt.said("\\run cost-gaps months=1");
    let head = "cxlake> \\run cost-gaps months=1\n\
                What is missing from the cost of touches\n  months = 1\n  period = 2026-09\n\nMonth ";
    assert!(shown.starts_with(head), "{shown}");
    assert!(shown.contains("\n2026-09-01  All offices       124       115 "), "{shown}");
    assert!(shown.ends_with(" rows"), "{shown}");
    assert_eq!(
        prompt.said("\\run cost-gaps month=1"),
        "cxlake> \\run cost-gaps month=1\n\
         error: `cost-gaps` has no parameter `month`\n\nhint: did you mean `months`?"
    );
}

#[test]
fn backslash_timing_says_how_long_each_statement_takes() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    assert_eq!(prompt.said("\\timing"), "cxlake> \\timing\ntiming is on");
    let shown = prompt.said("select 1 as a;");
    let time = shown.strip_prefix("cxlake> select 1 as a;\na\n─\n1\n1 row\n").unwrap_or_else(|| panic!("{shown}"));
    let seconds = time.strip_suffix(" s").and_then(|seconds| seconds.parse::<f64>().ok());
    assert!(seconds.is_some_and(|seconds| seconds > 0.0), "{shown}");
    assert_eq!(prompt.said("\\timing off"), "cxlake> \\timing off\ntiming is off");
    assert_eq!(prompt.said("select 1 as a;"), "cxlake> select 1 as a;\na\n─\n1\n1 row");
}

#[test]
fn backslash_format_changes_the_form_of_results() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    assert_eq!(prompt.said("\\format"), "cxlake> \\format\ntable");
    prompt.said("\\format csv");
    assert_eq!(prompt.said("select 1 as a, 'x,y' as b;"), "cxlake> select 1 as a, 'x,y' as b;\na,b\n1,\"x,y\"\n1 row");
    assert_eq!(
        prompt.said("\\format cvs"),
        "cxlake> \\format cvs\nerror: unknown format `cvs`\n\nhint: did you mean `csv`?"
    );
    assert_eq!(prompt.said("\\format"), "cxlake> \\format\ncsv");
    prompt.said("\\format parquet");
    assert_eq!(
        prompt.said("select 1 as a;"),
        "cxlake> select 1 as a;\n\
         error: this format would garble the terminal\n\n\
         hint: write it to a file with `--output` or `\\o FILE`, or pipe it on"
    );
}

#[test]
fn backslash_question_mark_lists_the_commands() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    let shown = prompt.said("\\?");
    for command in ["\\d [TABLE]", "\\queries", "\\run NAME", "\\format", "\\timing", "\\set", "\\?", "\\q"] {
        assert!(shown.lines().any(|line| line.trim_start().starts_with(command)), "{command}:\n{shown}");
    }
}

#[test]
fn an_unknown_command_names_the_nearest() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    assert_eq!(
        prompt.said("\\quereis"),
        "cxlake> \\quereis\nerror: no command `\\quereis`\n\nhint: did you mean `\\queries`? `\\?` lists all"
    );
}

#[test]
fn a_file_that_arrives_while_the_prompt_is_open_is_in_the_next_result() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"data/\"\n");
    folder.parquet("data/first.parquet", "select 1 as a");
    let setup = Setup::new().within(folder.path());
    let mut prompt = setup.prompt();
    let count = "select count(*) as files from t;";
    assert_eq!(prompt.said(count), format!("cxlake> {count}\nfiles\n─────\n    1\n1 row"));
    folder.parquet("data/second.parquet", "select 2 as a");
    assert_eq!(prompt.said(count), format!("cxlake> {count}\nfiles\n─────\n    2\n1 row"));
    fs::remove_file(folder.at("data/first.parquet")).expect("the file goes");
    assert_eq!(prompt.said("select a from t;"), "cxlake> select a from t;\na\n─\n2\n1 row");
}

#[test]
fn without_a_lake_the_prompt_opens_and_says_how_to_make_one() {
    let folder = Folder::new();
    let setup = Setup::new().within(folder.path());
    let mut prompt = setup.prompt();
    prompt.shows("without a lake");
    prompt.shows("cxlake init");
    assert_eq!(prompt.said("select 1 as a;"), "cxlake> select 1 as a;\na\n─\n1\n1 row");
    assert_eq!(left(prompt), 0);
}

#[test]
fn a_wide_result_fits_the_terminal_and_names_the_columns_left_out() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    let shown = prompt.said("\\run customer-health");
    let table: Vec<&str> = shown.lines().skip_while(|line| !line.starts_with("Id ")).collect();
    let rule = table.get(1).unwrap_or_else(|| panic!("no table:\n{shown}"));
    assert!(rule.starts_with("───") && rule.ends_with("───"), "the head goes over the edge:\n{shown}");
    let at_edge = table.iter().take_while(|line| !line.starts_with("… too narrow for: "));
    // A line that is too long would go on in the next row and begin it with anything but an id of digits.
    for line in at_edge.skip(2) {
        assert!(line.starts_with(|letter: char| letter.is_ascii_digit()), "{line:?} in:\n{shown}");
    }
    assert!(shown.contains("\n… too narrow for: "), "{shown}");
    assert!(shown.contains("Coverage"), "{shown}");
}

#[test]
fn a_window_made_narrower_is_heeded_by_the_next_result() {
    let setup = Setup::new().columns(120);
    let mut prompt = setup.prompt();
    let wide = prompt.said("\\d");
    assert!(wide.lines().any(|line| line.chars().count() > 100), "{wide}");
    prompt.resize(60);
    let narrow = prompt.said("\\d");
    let rule = narrow.lines().nth(2).unwrap_or_else(|| panic!("no table:\n{narrow}"));
    assert!(rule.starts_with('─') && rule.chars().count() <= 60, "{narrow}");
    assert!(narrow.lines().nth(3).is_some_and(|line| line.starts_with("account_rev")), "{narrow}");
}

#[test]
fn a_long_result_says_how_many_of_its_rows_are_shown() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    let shown = prompt.said("select value as v from generate_series(1, 1200);");
    assert!(shown.ends_with("\n40\n40 of 1,200 rows shown, `\\last` shows all"), "{shown}");
    assert_eq!(shown.lines().count(), 1 + 2 + 40 + 1, "{shown}");
    prompt.said("\\rows 3");
    let shown = prompt.said("\\g");
    assert!(shown.ends_with("\n3\n3 of 1,200 rows shown, `\\last` shows all"), "{shown}");
    let shown = prompt.said("select count(*) as n from _;");
    assert!(shown.ends_with("\n1200\n1 row"), "{shown}");
}

#[test]
fn several_statements_that_are_pasted_all_run() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.keys(&paste("select 1 as a;\r\rselect 2\r  as b;\r\\timing off\rselect 3 as c;"));
    prompt.edits("select 1 as a;\n\nselect 2\n  as b;\n\\timing off\nselect 3 as c;");
    prompt.keys(ENTER);
    let shown = prompt.answer();
    let expected = "a\n─\n1\n1 row\nb\n─\n2\n1 row\ntiming is off\nc\n─\n3\n1 row";
    assert!(shown.ends_with(expected), "{shown}");
}

#[test]
fn several_lines_that_come_at_once_without_being_marked_as_pasted_all_run() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.keys("select 11 as aa;\rselect 22 as bb;\rselect 33 as cc;\r");
    for result in ["\naa\n──\n11\n1 row\n", "\nbb\n──\n22\n1 row\n", "\ncc\n──\n33\n1 row\n"] {
        prompt.shows(result);
    }
}

#[test]
fn lines_typed_ahead_while_a_statement_runs_are_run_after_it() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.enter("select count(*) as a from generate_series(1, 40000000) where value % 7 = 1;");
    prompt.has_read();
    prompt.enter("select 2 as b;");
    prompt.shows("\nb\n─\n2\n1 row\n");
}

#[test]
fn the_prompt_stays_out_of_a_file_that_results_go_to() {
    let folder = Folder::new();
    let setup = Setup::new().within(folder.path());
    let call = format!("{} --format csv > out.csv", env!("CARGO_BIN_EXE_cxlake"));
    let mut prompt = setup.start("sh", ["-c", &call]);
    prompt.answer();
    assert_eq!(prompt.said("select 1 as a;"), "cxlake> select 1 as a;");
    assert_eq!(left(prompt), 0);
    assert_eq!(folder.read("out.csv"), "a\n1\n");
}

/// What a terminal sends for text from the clipboard.
fn paste(text: &str) -> String {
    format!("\x1b[200~{text}\x1b[201~")
}

/// Waits until a statement is deep in its work, which nothing on the screen tells.
fn underway(prompt: &Terminal) {
    prompt.has_read();
    std::thread::sleep(Duration::from_millis(500));
}

/// Presses Ctrl-C and waits for the prompt: what the screen shows by then, which must be soon.
fn interrupted(prompt: &mut Terminal) -> String {
    let start = Instant::now();
    prompt.keys(CTRL_C);
    let shown = prompt.answer();
    assert!(start.elapsed() < Duration::from_secs(2), "it takes {:?}", start.elapsed());
    shown
}

/// Leaves the prompt: its exit code.
fn left(mut prompt: Terminal) -> u32 {
    prompt.enter("\\q");
    prompt.leaves()
}
