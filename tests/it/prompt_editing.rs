//! Typing at the prompt: completion, colours, ghost text, keys, and the editor of one's choice.

use super::harness::Folder;
use super::terminal::{CTRL_C, ENTER, ESCAPE, LEFT, Look, RIGHT, Setup, TAB, Terminal, UP};

/// Ctrl-X Ctrl-E.
const TO_EDITOR: &str = "\x18\x05";

/// A statement with a name in quotes.
const OPENED_ON: &str = "with x as (select 1 as \"Opened On\") select \"Opened On\" from x;";

/// Numbers of the terminal's colours.
const RED: u8 = 1;
const BLUE: u8 = 4;
const GREY: u8 = 8;
const BRIGHT_RED: u8 = 9;
const BRIGHT_YELLOW: u8 = 11;
const BRIGHT_BLUE: u8 = 12;
const BRIGHT_MAGENTA: u8 = 13;
const BRIGHT_CYAN: u8 = 14;

/// A prompt whose colours are on; tests run without them else.
fn coloured(theme: &str) -> Setup {
    Setup::new().environment(vec![("NO_COLOR", String::new()), ("CXLAKE_THEME", theme.to_owned())])
}

fn color(color: u8) -> Look {
    Look { color: Some(color), ..Look::default() }
}

#[test]
fn tab_completes_tables_and_columns_of_an_alias_and_lists_what_is_left_with_its_types() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.keys("select * from surv\t");
    prompt.edits("select * from surveys");
    prompt.keys(" s where s.resp\t");
    prompt.edits("select * from surveys s where s.response_id");
    prompt.keys(CTRL_C);
    prompt.answer();
    prompt.keys("select o. from offices o");
    prompt.keys(&LEFT.repeat(" from offices o".len()));
    prompt.keys("c\t");
    for column in ["city       text", "country    text", "closed_on  date"] {
        prompt.shows(column);
    }
    prompt.shows("cxlake> select o.c from offices o");
}

#[test]
fn tab_completes_a_lone_keyword_with_the_blank_behind_it_and_lists_where_there_are_several() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.keys("sel\t* fr\toff\t");
    prompt.edits("select * from offices");
    prompt.keys(" order\toffice");
    prompt.edits("select * from offices order by office");
}

#[test]
fn tab_completes_values_that_lie_in_the_files_of_the_table() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.keys("select count(*) as n from offices where region = 'E");
    prompt.keys_until(TAB, "region = 'EMEA'");
    let shown = prompt.said(";");
    assert!(shown.ends_with("\n1 row"), "{shown}");
}

#[test]
fn tab_completes_saved_queries_their_parameters_and_what_these_allow() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.keys("\\run nps-by");
    prompt.keys_until(TAB, "\\run nps-by-office");
    prompt.keys(" sur\t");
    prompt.edits("\\run nps-by-office survey_types=");
    prompt.keys("pu\t");
    prompt.edits("\\run nps-by-office survey_types=pulse");
}

#[test]
fn tab_completes_the_names_of_files() {
    let folder = Folder::new();
    folder.write("spending.csv", "a\n1\n");
    folder.write("sub/other.csv", "a\n1\n");
    let setup = Setup::new().within(folder.path());
    let mut prompt = setup.prompt();
    prompt.keys("select * from 'sp\t");
    prompt.edits("select * from 'spending.csv'");
    assert_eq!(prompt.said(";"), "cxlake> select * from 'spending.csv';\na\n─\n1\n1 row");
    prompt.keys("select * from 'su\to\t");
    prompt.edits("select * from 'sub/other.csv'");
}

#[test]
fn tab_knows_a_view_and_the_columns_of_a_file_once_a_statement_has_named_them() {
    let folder = Folder::new();
    folder.write("spending.csv", "shop,euros\na,1\n");
    let setup = Setup::new().within(folder.path());
    let mut prompt = setup.prompt();
    prompt.said("create view shops as select shop from 'spending.csv';");
    prompt.keys("select * from sho\t");
    prompt.edits("select * from shops");
    prompt.keys(" where shop = '");
    prompt.keys(CTRL_C);
    prompt.answer();
    prompt.said("select shop from shops;");
    prompt.keys("select * from 'spending.csv' where shop = '\t");
    prompt.edits("select * from 'spending.csv' where shop = 'a'");
}

#[test]
fn tab_knows_the_columns_of_the_last_result() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.said("select office_id as qq_office from offices limit 2;");
    prompt.keys("select * from _ where qq\t");
    prompt.edits("select * from _ where qq_office");
    prompt.keys(CTRL_C);
    prompt.answer();
    prompt.said("select 1 as qq_other;");
    prompt.keys("select * from _ where qq\t");
    prompt.edits("select * from _ where qq_other");
}

#[test]
fn tab_in_the_middle_of_a_word_types_no_part_of_it_twice() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.keys("select * from surveys");
    prompt.keys(&LEFT.repeat(2));
    prompt.keys("\t s");
    prompt.edits("select * from surveys s");
}

#[test]
fn tab_in_a_word_or_a_quoted_name_leaves_what_follows_as_it_is() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    for (before, behind, expected) in [
        ("select count(*) from surveys whe", "re nps > 3", "select count(*) from surveys where nps > 3;"),
        ("select row_num", "ber() over ()", "select row_number() over ();"),
        ("select extr", "act(month from a)", "select extract(month from a);"),
        ("with x as (select 1 as \"Opened On\") select \"Op", "\" from x", OPENED_ON),
        ("with x as (select 1 as \"Opened On\") select \"Op", "ened On\" from x", OPENED_ON),
    ] {
        prompt.keys(&format!("{before}{behind}"));
        prompt.keys(&LEFT.repeat(behind.len()));
        prompt.keys("\t\x05;");
        prompt.edits(expected);
        prompt.keys(CTRL_C);
        prompt.answer();
    }
}

#[test]
fn tab_where_nothing_fits_changes_nothing() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.keys("select 'in a string\t' as a -- or a comm\t");
    prompt.edits("select 'in a string' as a -- or a comm");
}

#[test]
fn what_is_typed_is_coloured_by_what_it_is() {
    let setup = coloured("dark");
    let mut prompt = setup.prompt();
    prompt.keys("select nps(csat), 12, 'text' from surveys, nowhere -- note");
    prompt.edits("select nps(csat), 12, 'text' from surveys, nowhere -- note");
    prompt.paints("select", Look { bold: true, ..color(BRIGHT_BLUE) });
    prompt.paints("nps(", color(BRIGHT_CYAN));
    prompt.paints("csat", Look::default());
    prompt.paints("12", color(BRIGHT_MAGENTA));
    prompt.paints("surveys", color(BRIGHT_YELLOW));
    prompt.paints("nowhere", Look { underlined: true, ..color(RED) });
    prompt.paints("-- note", color(GREY));
}

#[test]
fn a_quote_or_a_bracket_without_a_partner_stands_out_and_so_does_the_partner_at_the_cursor() {
    let setup = coloured("dark");
    let mut prompt = setup.prompt();
    prompt.keys("select (1)");
    prompt.paints("(1)", Look { bold: true, inverted: true, ..Look::default() });
    prompt.keys(" + 2)");
    prompt.edits("select (1) + 2)");
    prompt.paints("(1)", Look::default());
    prompt.paints(")", Look { bold: true, underlined: true, ..color(BRIGHT_RED) });
    prompt.keys(", 'open");
    prompt.paints("'open", Look { bold: true, underlined: true, ..color(BRIGHT_RED) });
}

#[test]
fn the_light_theme_has_darker_colours_and_an_unknown_one_is_told() {
    let setup = coloured("light");
    let mut prompt = setup.prompt();
    prompt.keys("select");
    prompt.paints("select", Look { bold: true, ..color(BLUE) });

    let setup = coloured("pink");
    let prompt = setup.prompt();
    prompt.shows("note: CXLAKE_THEME is `pink`; `light` and `dark` are known");
}

#[test]
fn without_colours_nothing_is_painted_and_the_history_is_not_mixed_with_what_is_typed() {
    let never = coloured("dark");
    let mut by_option = never.start(env!("CARGO_BIN_EXE_cxlake"), ["--color", "never"]);
    by_option.answer();
    let setup = Setup::new();
    let by_variable = setup.prompt();
    for mut prompt in [by_option, by_variable] {
        prompt.said("select 12 as twelve;");
        prompt.keys("select 12");
        prompt.edits("select 12");
        prompt.paints("select 12", Look::default());
    }
}

#[test]
fn colours_that_are_asked_for_come_in_spite_of_the_environment() {
    let setup = Setup::new().environment(vec![("CXLAKE_THEME", "dark".to_owned())]);
    let mut prompt = setup.start(env!("CARGO_BIN_EXE_cxlake"), ["--color", "always"]);
    prompt.answer();
    prompt.keys("select");
    prompt.paints("select", Look { bold: true, ..color(BRIGHT_BLUE) });
}

#[test]
fn the_history_goes_on_faintly_behind_the_cursor_and_right_takes_it() {
    let setup = coloured("dark");
    let mut prompt = setup.prompt();
    prompt.said("select 1 as first;");
    prompt.enter("select 2,");
    prompt.said("  3 as third;");
    prompt.keys("select 1");
    prompt.shows("cxlake> select 1 as first;");
    prompt.paints("as first", color(GREY));
    prompt.keys(RIGHT);
    prompt.edits("select 1 as first;");
    prompt.keys(CTRL_C);
    prompt.answer();
    prompt.keys("select 2");
    prompt.shows("cxlake> select 2, … 1 more line");
    prompt.keys(RIGHT);
    prompt.edits("select 2,\n  3 as third;");
    assert_eq!(prompt.said(""), "cxlake> select 2,\n  3 as third;\n2  third\n─  ─────\n2      3\n1 row");
}

#[test]
fn a_word_of_the_faint_text_can_be_taken_alone() {
    let setup = coloured("dark");
    let mut prompt = setup.prompt();
    prompt.said("select 1 as first;");
    prompt.keys("sel\x1bf\x1bf as other;");
    assert_eq!(prompt.said(""), "cxlake> select 1 as other;\nother\n─────\n    1\n1 row");
}

#[test]
fn the_keys_of_vi_work_where_they_are_asked_for() {
    let setup = Setup::new().environment(vec![("CXLAKE_EDIT_MODE", "vi".to_owned())]);
    let mut prompt = setup.prompt();
    prompt.keys("select 1 as one;");
    prompt.edits("select 1 as one;");
    prompt.keys(ESCAPE);
    // Long enough that the key is not taken for the start of a longer one.
    std::thread::sleep(std::time::Duration::from_millis(700));
    prompt.keys("0wcw2");
    prompt.edits("select 2 as one;");
}

/// An editor that does this to its file, `$1`.
fn editor(folder: &Folder, script: &str) -> Vec<(&'static str, String)> {
    let path = folder.write("editor.sh", script);
    vec![("VISUAL", String::new()), ("EDITOR", format!("sh {}", path.display()))]
}

#[test]
fn backslash_e_edits_the_last_statement_and_runs_what_is_saved() {
    let folder = Folder::new();
    let setup = Setup::new().environment(editor(&folder, "sed -i 's/one/two/; s/1/2/' \"$1\"\n"));
    let mut prompt = setup.prompt();
    prompt.said("select 1 as one;");
    prompt.said("\\timing off");
    assert_eq!(prompt.said("\\e"), "cxlake> \\e\nselect 2 as two;\ntwo\n───\n  2\n1 row");
    // What was run is in the history, and is the last statement now.
    prompt.keys(UP);
    prompt.edits("select 2 as two;");
}

#[test]
fn backslash_e_runs_several_statements_and_needs_no_semicolon_behind_the_last() {
    let folder = Folder::new();
    let script = "printf 'select 1 as a;\\nselect 2\\n  as b' > \"$1\"\n";
    let setup = Setup::new().environment(editor(&folder, script));
    let mut prompt = setup.prompt();
    let expected = "cxlake> \\e\nselect 1 as a;\nselect 2\n  as b\na\n─\n1\n1 row\nb\n─\n2\n1 row";
    assert_eq!(prompt.said("\\e"), expected);
}

#[test]
fn an_editor_that_saves_nothing_or_fails_runs_nothing() {
    let folder = Folder::new();
    let setup = Setup::new().environment(editor(&folder, "true\n"));
    let mut prompt = setup.prompt();
    prompt.said("select 1 as a;");
    assert_eq!(prompt.said("\\e"), "cxlake> \\e\nnothing was saved, and nothing is run");

    let setup = Setup::new().environment(editor(&folder, "exit 3\n")).columns(160);
    let mut prompt = setup.prompt();
    let shown = prompt.said("\\e");
    assert!(shown.contains("editor.sh` failed, and nothing is run\n\nhint: set EDITOR"), "{shown}");
    assert_eq!(prompt.said("select 1 as a;"), "cxlake> select 1 as a;\na\n─\n1\n1 row");
}

#[test]
fn an_editor_that_saves_without_a_change_runs_the_statement_again() {
    let folder = Folder::new();
    let setup = Setup::new().environment(editor(&folder, "touch \"$1\"\n"));
    let mut prompt = setup.prompt();
    prompt.said("select 1 as a;");
    assert_eq!(prompt.said("\\e"), "cxlake> \\e\nselect 1 as a;\na\n─\n1\n1 row");
}

#[test]
fn backslash_e_with_a_name_edits_the_saved_query_and_runs_it() {
    let folder = Folder::new();
    folder.lake("");
    folder.write(
        "queries/daily.sql",
        "-- +++\n-- name = \"daily\"\n-- title = \"Daily\"\n-- description = \"d\"\n-- +++\nselect 1 as a\n",
    );
    let setup =
        Setup::new().within(folder.path()).environment(editor(&folder, "sed -i 's/select 1/select 7/' \"$1\"\n"));
    let mut prompt = setup.prompt();
    assert_eq!(prompt.said("\\e daily"), "cxlake> \\e daily\n\\run daily\nDaily\n\na\n─\n7\n1 row");
    assert!(folder.read("queries/daily.sql").ends_with("select 7 as a\n"));
    folder.write("queries/broken.sql", "select 1\n");
    let shown = prompt.said("\\e broken");
    assert!(shown.contains("the query has no header"), "a file that is wrong can be mended:\n{shown}");
    assert_eq!(folder.read("queries/broken.sql"), "select 7\n");
    assert_eq!(
        prompt.said("\\e dayly"),
        "cxlake> \\e dayly\nerror: no saved query `dayly`\n\nhint: did you mean `daily`? `cxlake queries` lists all"
    );
    let mut prompt = setup.start(env!("CARGO_BIN_EXE_cxlake"), ["--read-only"]);
    prompt.shows("cxlake>");
    prompt.enter("\\e daily");
    prompt.shows("error: read-only: no saved query is edited");
}

#[test]
fn what_is_being_typed_can_be_taken_to_the_editor() {
    let folder = Folder::new();
    let setup = Setup::new().environment(editor(&folder, "echo '+ 1 as more' >> \"$1\"\n"));
    let mut prompt = setup.prompt();
    prompt.enter("select 1");
    prompt.keys("+ 2");
    prompt.edits("select 1\n+ 2");
    prompt.keys(TO_EDITOR);
    assert_eq!(prompt.answer(), "cxlake> select 1\n+ 2\nselect 1\n+ 2\n+ 1 as more\nmore\n────\n   4\n1 row");
}

#[test]
fn backslash_e_in_a_script_says_where_it_works() {
    let said = super::harness::cxlake(["-c", "\\e"]).fails(2);
    assert_eq!(said, "error: `\\e` works at the prompt alone, on a line of its own\n");
}

#[test]
fn a_tab_in_pasted_text_is_a_blank_and_completes_nothing() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.keys("\x1b[200~select\t1 as a;\x1b[201~");
    prompt.keys(ENTER);
    let shown = prompt.answer();
    assert!(shown.ends_with("\na\n─\n1\n1 row"), "{shown}");
}

#[test]
fn a_window_made_narrower_while_a_statement_is_typed_keeps_it_whole() {
    let setup = coloured("dark");
    let mut prompt: Terminal = setup.prompt();
    prompt.enter("select 'a long enough text', 'and another one',");
    prompt.keys("  1 as b");
    prompt.edits("select 'a long enough text', 'and another one',\n  1 as b");
    prompt.resize(30);
    prompt.keys(", 2 as c;");
    prompt.shows("2 as c;");
    prompt.keys(ENTER);
    let shown = prompt.answer();
    assert!(shown.contains("1 row"), "{shown}");
}

#[test]
fn a_list_of_candidates_is_whole_below_statements_of_several_lines_and_above_what_follows() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.keys("select *\rfrom offices o\rwhere o.region = '");
    prompt.keys_until("\t", "APAC  EMEA  NA\n");
    prompt.shows("cxlake> select *\nfrom offices o\nwhere o.region = '");
    prompt.keys(CTRL_C);
    prompt.answer();
    // A line that wraps, and lines below the cursor.
    let long = "x".repeat(90);
    prompt.keys(&format!("select '{long}',\ro.c\rfrom offices o"));
    prompt.keys(UP);
    prompt.keys("\x05\t");
    for column in ["city", "country", "continent", "currency", "closed_on"] {
        prompt.shows(&format!("{column} "));
    }
    prompt.shows("o.c\nfrom offices o");
}

#[test]
fn commands_of_other_prompts_are_answered_with_ours() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    for (line, word, ours) in
        [(".tables", ".tables", "\\d"), (".mode csv", ".mode", "\\format NAME"), ("help;", "help", "\\?")]
    {
        let shown = prompt.said(line);
        assert_eq!(shown, format!("cxlake> {line}\nerror: `{word}` is no command here\n\nhint: here it is `{ours}`"));
    }
    let shown = prompt.said(".foo");
    assert!(shown.ends_with("hint: commands begin with a `\\`: `\\?` lists them"), "{shown}");
}

#[test]
fn backslash_q_leaves_from_within_a_statement() {
    let setup = Setup::new();
    let mut prompt = setup.prompt();
    prompt.enter("select 1");
    prompt.enter("\\q");
    assert_eq!(prompt.leaves(), 0);
}
