//! What becomes of results: their forms, what is kept, drawn, turned, timed, saved.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use super::harness::{Folder, cxlake};

/// Three offices by two years, one cell missing.
const GRID: &str = "select * from (values ('Paris', 2024, 10.5), ('Paris', 2025, 20.0), ('Oslo', 2024, -5.0), ('Oslo', 2025, 0.0), \
                    ('Rome', 2025, null)) t(office, year, nps)";

fn printed(script: &str) -> String {
    cxlake(["-q"]).stdin(script).prints()
}

#[test]
fn box_and_vertical_are_drawn_for_people() {
    assert_eq!(
        printed("select 'a' as t, 1 as n union all select null, 22 order by n \\g box"),
        "┌──────┬────┐\n│ t    │  n │\n├──────┼────┤\n│ a    │  1 │\n│ NULL │ 22 │\n└──────┴────┘\n"
    );
    let rule = "─".repeat(51);
    assert_eq!(
        printed("select 'a' as text, 1 as n union all select '', 22 order by n \\gx"),
        format!("── row 1 {rule}\ntext  a\nn     1\n── row 2 {rule}\ntext\nn     22\n")
    );
}

#[test]
fn insert_writes_statements_that_give_the_same_rows() {
    let select = "select cast('1.50' as decimal(5,2)) as \"a \"\"b\"\"\", 'it''s' as t, date '2024-02-29' as d, null as x, \
                  true as yes, timestamp '2024-01-01 10:00:00' as at";
    let statement = printed(&format!("{select} \\g insert"));
    assert_eq!(
        statement,
        "insert into result (\"a \"\"b\"\"\", \"t\", \"d\", \"x\", \"yes\", \"at\") values (1.50, 'it''s', date '2024-02-29', \
         null, true, timestamp '2024-01-01T10:00:00');\n"
    );
    let back = printed(&format!(
        "create table result as {select};\n{statement}\nselect count(distinct t), count(*) from result \\g csv"
    ));
    assert!(back.ends_with("\n1,2\n"), "{back}");
}

#[test]
fn insert_writes_binaries_and_lists_that_are_read_back_as_they_were() {
    let select =
        "select x'0102ff' as b, [1, null] as l, ['it''s', null] as t, [[1], []] as n, [date '2026-01-01'] as d";
    let statement = printed(&format!("{select} \\g insert"));
    assert_eq!(
        statement,
        "insert into result (\"b\", \"l\", \"t\", \"n\", \"d\") values \
         (x'0102ff', [1, null], ['it''s', null], [[1], []], [date '2026-01-01']);\n"
    );
    let back = printed(&format!(
        "create table result as {select};\n{statement}\nselect count(distinct (b, l, t, n, d)), count(*) from result \\g csv"
    ));
    assert!(back.ends_with("\n1,2\n"), "{back}");
}

#[test]
fn a_column_that_a_form_cannot_hold_is_refused_by_its_name() {
    for (format, column, has, hint) in [
        ("insert", "struct(1 as a) as x", "structs or maps, which `insert` cannot hold", "write `json` or `parquet`"),
        (
            "insert",
            "[map(['a'], [1])] as x",
            "structs or maps, which `insert` cannot hold",
            "write `json` or `parquet`",
        ),
        ("json", "map([1], ['a']) as x", "maps whose keys are no texts, which JSON does not have", "write `parquet`"),
        (
            "parquet",
            "interval '1 month' as x",
            "intervals, which Parquet cannot hold",
            "make texts of them with `cast(x as text)`",
        ),
    ] {
        assert_eq!(
            cxlake(["--format", format, "-c", &format!("select 1 as a, {column}")]).fails(1),
            format!("error: column `x` has {has}\n\nhint: {hint}\n")
        );
    }
    assert_eq!(cxlake(["--format", "json", "-c", "select map(['a'], [1]) as x"]).prints(), "[{\"x\":{\"a\":1}}]\n");
}

#[test]
fn a_list_in_csv_says_where_nothing_is() {
    let select = "select ['a', null, ''] as l, struct(null as a, 1 as b) as s, cast(null as int[]) as n";
    assert_eq!(cxlake(["--format", "csv", "-c", select]).prints(), "l,s,n\n\"[a, NULL, ]\",\"{a: NULL, b: 1}\",\n");
}

#[test]
fn html_is_a_table_with_its_values_escaped() {
    assert_eq!(
        printed("select '<b>&' as t, 1 as n \\g html"),
        "<table>\n<thead>\n<tr><th>t</th><th class=\"number\">n</th></tr>\n</thead>\n<tbody>\n\
         <tr><td>&lt;b&gt;&amp;</td><td class=\"number\">1</td></tr>\n</tbody>\n</table>\n"
    );
}

#[test]
fn thousands_are_set_apart_on_request_and_csv_stays_as_it_is() {
    let script = "\\digits grouped\nselect 1234567.5 as n, -1234 as m;\nselect 1234 as n \\g csv";
    assert_eq!(printed(script), "          n       m\n───────────  ──────\n1,234,567.5  -1,234\nn\n1234\n");
}

#[test]
fn a_statement_ends_with_a_command_that_says_how_it_runs() {
    assert_eq!(printed("select 1 as a \\g json\nselect 2 as b \\g csv\n"), "[{\"a\":1}]\nb\n2\n");
    let said = cxlake(["-c", "select 1 \\d"]).run();
    assert_eq!((said.code, said.text().as_str()), (Some(2), ""));
    assert_eq!(said.stderr, "error: `\\d` cannot end a statement\n\nhint: put a `;` before it\n");
    let said = cxlake(["-c", "select 1 \\wacth"]).run();
    assert_eq!(said.stderr, "error: no command `\\wacth`\n\nhint: did you mean `\\watch`? `\\?` lists all\n");
}

#[test]
fn g_runs_the_last_statement_again_also_into_a_file() {
    let folder = Folder::new();
    let script = "select 1 as a;\n\\g json\n\\g out.csv\n\\g nowhere.xyz";
    let said = cxlake(["-q", "--format", "csv"]).within(folder.path()).stdin(script).run();
    assert_eq!(said.text(), "a\n1\n[{\"a\":1}]\n");
    assert_eq!(folder.read("out.csv"), "a\n1\n");
    assert!(
        said.stderr.starts_with("error: cannot tell from its name which form `nowhere.xyz` should have"),
        "{}",
        said.stderr
    );
    let said = cxlake(["-c", "\\g"]).run();
    assert_eq!(said.stderr, "error: there is no statement before this\n");
}

#[test]
fn the_last_result_can_be_queried_and_shown_again() {
    let script = "select office_id, fte from offices where fte > 500;\nselect count(*) as n from _;\nselect n + 1 as m from _;\n\\last json";
    assert_eq!(
        cxlake(["-q", "--format", "csv"]).stdin(script).prints(),
        "office_id,fte\nO01,620\nO10,520\nO26,560\nn\n3\nm\n4\n[{\"m\":4}]\n"
    );
    let twice =
        "select a.office_id, b.office_id from offices a join offices b using (office_id) order by 1 limit 1;\nfrom _;";
    let both = "office_id,office_id\nO01,O01\noffice_id,office_id_2\nO01,O01\n";
    assert_eq!(cxlake(["-q", "--format", "csv"]).stdin(twice).prints(), both);
    let said = cxlake(["-c", "select * from _"]).run();
    assert_eq!(said.code, Some(1));
    assert!(said.stderr.contains("`_` is the last result, and there is none yet"), "{}", said.stderr);
}

#[test]
fn a_result_that_is_too_large_to_keep_says_so_and_is_shown_whole() {
    let script = "select value as v from generate_series(1, 3000000);\nselect count(*) from _;";
    let said = cxlake(["-q", "--format", "csv", "--memory-limit", "64MiB"]).stdin(script).run();
    assert_eq!(said.text().lines().count(), 3_000_001);
    assert!(
        said.stderr.contains("`_` is the last result, which had more than 8.4 MB and was not kept"),
        "{}",
        said.stderr
    );
    let last = cxlake(["-q", "--format", "csv", "--memory-limit", "64MiB"])
        .stdin(script.replace("select count(*) from _;", "\\last"))
        .run();
    assert!(last.stderr.starts_with("error: the result has more than 8.4 MB and is not held"), "{}", last.stderr);
}

#[test]
fn without_a_result_there_is_nothing_to_show_again() {
    for command in ["\\last", "\\chart", "\\crosstab"] {
        let said = cxlake(["-q"]).stdin(format!("create view v as select 1 as a;\n{command}")).run();
        assert_eq!(said.stderr, "error: there is no result yet\n  at stdin:2\n", "{command}");
    }
    assert_eq!(cxlake(["-c", "\\watch"]).run().stderr, "error: there is no statement before this\n");
}

#[test]
fn a_failed_statement_leaves_the_last_result_as_it_was() {
    let folder = Folder::new();
    let setup = folder.write("a.sql", "select 7 as a;\n\\i bad.sql\n");
    folder.write("bad.sql", "select 1 from nowhere;");
    let said = cxlake(["-q", "--format", "csv", "-f", setup.to_str().expect("a path")]).within(folder.path()).run();
    assert_eq!((said.code, said.text().as_str()), (Some(1), "a\n7\n"));
    assert!(said.stderr.contains("bad.sql:1"), "{}", said.stderr);
}

#[test]
fn a_crosstab_has_a_column_for_each_value_and_blanks_where_there_is_no_row() {
    assert_eq!(
        printed(&format!("{GRID} order by office, year \\crosstab")),
        "office  2024  2025\n──────  ────  ────\nOslo    -5.0   0.0\nParis   10.5  20.0\nRome    NULL  NULL\n"
    );
    assert_eq!(
        printed(&format!("{GRID} order by office, year;\n\\format csv\n\\crosstab year office nps"))
            .lines()
            .skip(7)
            .collect::<Vec<_>>(),
        ["year,Oslo,Paris,Rome", "2024,-5.0,10.5,", "2025,0.0,20.0,"]
    );
    let said = cxlake(["-c", "select 1 as a, 2 as b, 3 as c union all select 1, 2, 4 \\crosstab"]).run();
    assert_eq!(
        said.stderr,
        "error: two rows have `1` and `2`\n\nhint: a crosstab has one cell for each pair: group by both in the statement\n"
    );
}

#[test]
fn bars_go_both_ways_from_zero_and_say_where_there_is_no_value() {
    let script =
        "select * from (values ('Paris', 40.0), ('Oslo', -20.0), ('Rome', null), ('Bonn', 0.0)) t(office, nps) \\chart";
    let drawn = printed(script);
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines[0], "nps by office");
    let zero = lines[1].chars().position(|letter| letter == '█').expect("a bar");
    assert!(lines[1].ends_with(" 40") && lines[2].ends_with(" -20"), "{drawn}");
    let ends = lines[2].chars().collect::<Vec<_>>().iter().rposition(|&letter| letter == '█').expect("a bar");
    assert_eq!(ends + 1, zero, "{drawn}");
    let length = |line: &str| line.chars().filter(|&letter| letter == '█').count();
    assert!(length(lines[1]).abs_diff(2 * length(lines[2])) <= 2, "{drawn}");
    assert!(lines[3].starts_with("Rome") && lines[3].ends_with("(no value)"), "{drawn}");
    assert_eq!(length(lines[4]), 0, "{drawn}");
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{drawn}");
}

#[test]
fn a_line_has_an_axis_with_round_numbers_and_a_name_for_each_series() {
    let months = "select month, series, case when month = date '2025-03-01' and series = 'up' then null else n end as n from (\
                  select date '2025-01-01' + cast(concat(value, ' months') as interval) as month, value * 10 as n, 'up' as series \
                  from generate_series(0, 5) union all \
                  select date '2025-01-01' + cast(concat(value, ' months') as interval), 50 - value * 10, 'down' from generate_series(0, 5))";
    let drawn = printed(&format!("{months} \\chart line month n series"));
    assert!(drawn.starts_with("n by month and series\n"), "{drawn}");
    for tick in ["60 ┤", "40 ┤", "20 ┤", " 0 ┤"] {
        assert!(drawn.contains(tick), "`{tick}`:\n{drawn}");
    }
    assert!(
        drawn.lines().any(|line| line.ends_with(" up")) && drawn.lines().any(|line| line.ends_with(" down")),
        "{drawn}"
    );
    let axis = drawn.lines().last().expect("an axis");
    assert!(axis.trim_start().starts_with("Jan 2025") && axis.ends_with("Jun"), "{drawn}");
}

#[test]
fn a_heat_map_hatches_what_is_missing() {
    let drawn = printed(&format!("{GRID} order by office, year \\chart heat year office nps"));
    assert_eq!(
        drawn,
        "nps by office and year\n        2024   2025\nOslo    -5      0 ░\nParis 10.5 ▓   20 █\nRome     ╱╱╱    ╱╱╱\n"
    );
}

#[test]
fn a_saved_query_is_drawn_as_its_header_says() {
    let drawn = cxlake(["-q", "-c", "\\run nps-by-office", "-c", "\\chart"]).prints();
    let chart: Vec<&str> = drawn.lines().skip_while(|line| *line != "NPS by Office").collect();
    assert!(chart[1].starts_with("Frankfurt ") && chart[1].ends_with("+66.7"), "{drawn}");
    assert!(chart.iter().any(|line| line.starts_with("Lyon ") && line.contains("(base too small)")), "{drawn}");
}

#[test]
fn a_chart_of_what_cannot_be_drawn_says_why() {
    let error = |statement: &str| cxlake(["-c", statement]).run().stderr;
    assert_eq!(
        error("select 'a' as t \\chart"),
        "error: there is no column of numbers to draw\n\nhint: name the columns: `\\chart bar LABELS NUMBERS`, or cast one to a number in the statement\n"
    );
    assert_eq!(error("select 1 as n where false \\chart"), "error: there are no rows to draw\n");
    assert_eq!(
        error("select 'a' as t, 1 as number \\chart bar t nubmer"),
        "error: the result has no column `nubmer`\n\nhint: did you mean `number`?\n"
    );
    assert_eq!(
        error("select 'a' as t, 'b' as u \\chart bar t u"),
        "error: column `u` holds no numbers\n\nhint: a chart needs numbers here; cast the column in the statement\n"
    );
}

#[test]
fn values_are_set_shown_used_and_forgotten() {
    let script = "\\set least 500\n\\set name='O''Brien'\nselect count(*) as n from offices where fte > $least;\nselect $name as name;\n\\set\n\\unset least\nselect $least;";
    let said = cxlake(["--format", "csv"]).stdin(script).run();
    assert_eq!((said.code, said.text().as_str()), (Some(2), "n\n3\nname\nO'Brien\n"));
    assert!(said.stderr.starts_with("least = 500\nname = O'Brien\n"), "{}", said.stderr);
    assert!(said.stderr.contains("parameter `$least` has no value"), "{}", said.stderr);
}

#[test]
fn a_semicolon_at_the_end_of_a_command_is_no_part_of_it() {
    let script = "\\set o O01;\n\\set m = 5;\n\\set n ';';\n\\timing off;\n\\rows 3;\n\\timeout 5s;\n\\x off;\n\\format csv;\n\
         select count(*) as offices from offices where office_id = $o;\nselect $m + 1 as m, $n as n;\n\
         select 1 as a \\watch 1ms 2;\n\\g json;\n\\q;\nselect 2 as b;";
    let said = cxlake(["-q"]).stdin(script).run();
    assert_eq!(
        (said.code, said.text().as_str()),
        (Some(0), "offices\n1\nm,n\n6,;\na\n1\na\n1\n[{\"a\":1}]\n"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_time_limit_stops_a_statement_and_says_how_to_change_it() {
    let slow =
        "select count(a.value + b.value) from generate_series(1, 5000000) a cross join generate_series(1, 5000000) b";
    for call in [cxlake(["--timeout", "200ms", "-c", slow]), cxlake(["-q"]).stdin(format!("\\timeout 200ms\n{slow}"))] {
        let said = call.run();
        assert_eq!((said.code, said.text().as_str()), (Some(1), ""));
        assert_eq!(
            said.stderr,
            "error: stopped at its time limit of 0.2 s\n\nhint: set another with `\\timeout 5min` or `--timeout 5min`, none with `\\timeout off`\n"
        );
    }
    let said = cxlake(["--timeout", "soon", "-c", "select 1"]).run();
    assert_eq!(said.stderr, "error: `soon` is no span of time\n\nhint: write `30s`, `500ms`, `5min`, `1h` or `7d`\n");
}

#[test]
fn the_next_result_goes_to_a_file_and_a_wrong_ending_is_refused_at_once() {
    let folder = Folder::new();
    let said = cxlake(["-q", "-c", "\\o out.xyz"]).within(folder.path()).run();
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.starts_with("error: cannot tell from its name which form `out.xyz` should have"),
        "{}",
        said.stderr
    );
    cxlake(["-q", "-c", "\\o out.json\nselect 1 as a;"]).within(folder.path()).prints();
    assert_eq!(folder.read("out.json"), "[{\"a\":1}]\n");
}

#[test]
fn a_crosstab_a_listing_and_a_plan_go_to_their_file_and_what_comes_then_is_shown() {
    let folder = Folder::new();
    for (file, script, begins) in [
        ("crosstab.csv", "select 'x' as r, 'y' as c, 1 as n \\crosstab", "r,y\nx,1\n"),
        ("listing.csv", "\\dv", "name,kind,columns\nv,view,1\n"),
        ("plan.txt", "explain select 1 as a;", "operator  "),
    ] {
        let script = format!("create view v as select 1 as a;\n\\o {file}\n{script}\nselect 7 as x;");
        let said = cxlake(["--color", "never"]).within(folder.path()).stdin(script).run();
        assert_eq!((said.code, said.text().trim_start()), (Some(0), "x\n─\n7\n"), "{said}");
        assert!(said.stderr.contains(&format!("written to {file}\n")), "{said}");
        assert!(folder.read(file).starts_with(begins), "{}", folder.read(file));
    }
}

#[test]
fn a_result_is_there_for_the_next_text_and_the_next_file() {
    let folder = Folder::new();
    folder.write("first.sql", "select 1 as a;");
    for (next, file) in [("\\last", "last.sql"), ("from _", "from.sql")] {
        folder.write(file, next);
        for texts in [["-c", "select 1 as a", "-c", next], ["-f", "first.sql", "-f", file]] {
            let call = folder.cxlake(["-q", "--format", "csv"].into_iter().chain(texts));
            assert_eq!(call.prints(), "a\n1\na\n1\n", "{texts:?}");
        }
    }
}

#[test]
fn commands_of_other_prompts_are_answered_with_ours_wherever_they_stand() {
    assert_eq!(
        cxlake(["-c", ".mode csv"]).fails(2),
        "error: `.mode` is no command here\n\nhint: here it is `\\format NAME`\n"
    );
    let said = cxlake(["-q", "--format", "csv"]).stdin("select 1 as a;\n.tables\nselect 2 as b;\n").run();
    assert_eq!((said.code, said.text().as_str()), (Some(2), "a\n1\n"));
    assert_eq!(said.stderr, "error: `.tables` is no command here\n  at stdin:2\n\nhint: here it is `\\d`\n");
}

#[test]
fn a_file_begins_with_its_result_whatever_was_shown_before() {
    let folder = Folder::new();
    let script = "select 1 as a;\n\\o out.md\nselect 2 as b;";
    assert_eq!(cxlake(["-q"]).within(folder.path()).stdin(script).prints(), "a\n─\n1\n");
    assert_eq!(folder.read("out.md"), "| b |\n| ---: |\n| 2 |\n");
}

#[test]
fn files_run_files_and_one_that_runs_itself_is_an_error() {
    let folder = Folder::new();
    folder.write("a.sql", "select 1 as a;\n\\i b.sql\nselect 3 as c;");
    folder.write("b.sql", "select 2 as b;");
    folder.write("loop.sql", "\\i loop.sql");
    let run = |file: &str| cxlake(["-q", "--format", "csv", "-f", file]).within(folder.path()).run();
    assert_eq!(run("a.sql").text(), "a\n1\nb\n2\nc\n3\n");
    let said = run("loop.sql");
    assert_eq!(said.code, Some(2));
    assert!(said.stderr.starts_with("error: `loop.sql` is read by a file that it reads itself\n"), "{}", said.stderr);
    assert_eq!(run("none.sql").stderr, "error: no file `none.sql`\n");
}

#[test]
fn a_statement_is_saved_with_its_parameters_and_runs_by_its_name() {
    let folder = Folder::new();
    folder.parquet("t.parquet", "select 'a' as id, 1 as n union all select 'b', 2");
    folder.lake("[table.t]\npath = \"t.parquet\"\ncolumns = { id = \"text\", n = \"int\" }\n");
    let script =
        "\\set least 2\nselect id, n from t where n >= $least order by id;\n\\save big-ones Those that are big";
    let said = folder.cxlake(["--format", "csv"]).stdin(script).run();
    assert_eq!((said.code, said.text().as_str()), (Some(0), "id,n\nb,2\n"), "{said}");
    assert_eq!(
        folder.read("queries/big-ones.sql"),
        "-- +++\n-- name = \"big-ones\"\n-- title = \"Those that are big\"\n-- description = \"Say here what it counts and what it leaves out.\"\n--\n-- [params.least]\n-- type = \"int\"\n-- default = 2\n\
         -- +++\nselect id, n from t where n >= $least order by id\n"
    );
    assert_eq!(
        folder.cxlake(["-q", "--format", "csv", "run", "big-ones", "-p", "least=1"]).prints(),
        "id,n\na,1\nb,2\n"
    );
    assert!(folder.cxlake(["queries", "check"]).prints().contains("big-ones"));

    let again = folder.cxlake(["-q", "--format", "csv"]).stdin("select 1 as a;\n\\save big-ones").run();
    assert_eq!(
        again.stderr,
        "error: there is a saved query `big-ones`\n  at stdin:2\n\nhint: `\\save! big-ones` replaces it\n"
    );
    folder.cxlake(["-q", "--format", "csv"]).stdin("select 1 as a;\n\\save! big-ones").prints();
    assert!(folder.read("queries/big-ones.sql").ends_with("select 1 as a\n"));
    for (command, message) in [
        ("\\save Big", "error: `Big` is no name for a saved query"),
        ("\\save ../x", "error: `../x` is no name for a saved query"),
    ] {
        let said = folder.cxlake(["-q"]).stdin(format!("select 1 as a;\n{command}")).run();
        assert!(said.stderr.starts_with(message), "{}", said.stderr);
    }
    let refused = folder.cxlake(["-q", "--read-only"]).stdin("select 1 as a;\n\\save other").run();
    assert!(refused.stderr.starts_with("error: read-only: nothing is saved"), "{}", refused.stderr);
    assert!(!folder.at("queries/other.sql").exists());
}

#[test]
fn watching_runs_the_statement_so_many_times() {
    let said = cxlake(["--format", "csv", "-c", "select 1 as a \\watch 10ms 3"]).run();
    assert_eq!((said.code, said.text().as_str()), (Some(0), "a\n1\na\n1\na\n1\n"));
    assert_eq!(said.stderr.matches("(every 0.01 s)").count(), 3, "{}", said.stderr);
}

#[test]
fn statements_on_standard_input_run_as_they_come_and_not_at_its_end() {
    let mut command = cxlake(["-q", "--format", "csv"]).command();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines().map(|line| line.expect("a line"));
    for number in 1..=3 {
        // The result comes before anything more is written, or the test hangs and is ended.
        writeln!(stdin, "select {number}\n  as a; -- more to come").expect("it reads");
        assert_eq!(lines.next().as_deref(), Some("a"));
        assert_eq!(lines.next(), Some(number.to_string()));
    }
    write!(stdin, "select 4 as a").expect("it reads");
    drop(stdin);
    assert_eq!(lines.collect::<Vec<_>>(), ["a", "4"]);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn an_error_on_standard_input_has_its_line_and_column_wherever_the_text_was_cut() {
    let said = cxlake(["-q", "--format", "csv"])
        .stdin("select 1 as a; select 2 as b;\n\nselect 3 as c; select\n  nothing;\n")
        .run();
    assert_eq!((said.code, said.text().as_str()), (Some(1), "a\n1\nb\n2\nc\n3\n"));
    assert!(said.stderr.contains("at stdin:4:3\n"), "{}", said.stderr);
}
