//! Reports: documents that say what they rest on, and the same from the same.

use std::path::Path;

use calamine::{Data, Reader as _, Xlsx, open_workbook};

use super::harness::{Folder, cxlake};

/// A lake with a table of costs, in which one office did not report.
fn lake() -> Folder {
    let folder = Folder::new();
    folder.lake(
        r#"currency = "USD"

[table.costs]
path = "costs.parquet"

[report.costs]
title = "Costs of $office"
text = "What **each** office <b>spent</b>. ![logo](https://example.com/logo.png)"
audience = "the CFO"
params = { office = "all of them" }

[[report.costs.section]]
query = "costs-by-office"
rows = 2

[[report.costs.section]]
title = "One office"
query = "costs-by-office"
params = { names = "$office" }
columns = ["office", "cost"]
"#,
    );
    folder.parquet(
        "costs.parquet",
        "select * from (values ('Paris', 1200.50, 10, 'reported'), ('=Rome', 300.25, 4, 'reported'), \
         ('Oslo', null, null, 'not reported')) as t(office, cost, touches, status)",
    );
    folder.write(
        "queries/costs-by-office.sql",
        r##"-- +++
-- name = "costs-by-office"
-- title = "Costs by office"
-- description = "What each office spent on touches."
-- grain = ["office"]
--
-- [params.names]
-- type = "list<text>"
-- default = ["Paris", "=Rome", "Oslo", "all of them"]
--
-- [columns]
-- office = { title = "Office" }
-- cost = { title = "Cost", format = "currency", missing = "status", total = "sum" }
-- touches = { title = "Touches", format = "#,##0", unit = "calls", total = "sum" }
-- per_touch = { title = "Each", format = "currency", good = "down", bands = [80, 100], missing = "status", total = "cost / touches" }
-- +++
select office, cast(cost as decimal(18, 2)) as cost, touches, cast(cost as double) / touches as per_touch, status
from costs
where office = any($names) or 'all of them' = any($names)
order by office desc
"##,
    );
    folder
}

/// The tables of a page, as rows of cells; those of the head first.
fn tables(html: &str) -> Vec<Vec<Vec<String>>> {
    let tables = html.match_indices("<table data-rows").map(|(start, _)| {
        let end = start + html[start..].find("</table>").expect("an end") + "</table>".len();
        let document = roxmltree::Document::parse(&html[start..end]).expect("a table is well-formed");
        let rows = document.descendants().filter(|node| node.has_tag_name("tr"));
        let text = |cell: roxmltree::Node<'_, '_>| {
            cell.descendants().filter(roxmltree::Node::is_text).filter_map(|node| node.text()).collect::<String>()
        };
        rows.map(|row| row.children().filter(roxmltree::Node::is_element).map(text).collect()).collect()
    });
    tables.collect()
}

#[test]
fn a_page_has_totals_of_sums_signs_beside_colours_and_names_its_gaps_and_what_it_leaves_out() {
    let folder = lake();
    folder.cxlake(["report", "costs", "-o", "out"]).prints();
    let html = folder.read("out/costs.html");
    assert_eq!(
        tables(&html),
        [
            vec![
                vec!["Office", "Cost (USD)", "Touches (calls)", "Each (USD)", "status"],
                vec!["Paris", "1,200.50", "10", "▲high, bad: 120.05", "reported"],
                vec!["Oslo", "not reported", "—", "not reported", "not reported"],
                // 1500.75 by 14, not the mean of 120.05 and 75.06.
                vec!["Total of 3 rows", "1,500.75", "14", "107.20", ""],
            ],
            vec![
                vec!["Office", "Cost (USD)"],
                vec!["Paris", "1,200.50"],
                vec!["Oslo", "not reported"],
                vec!["=Rome", "300.25"],
                vec!["Total of 3 rows", "1,500.75"],
            ],
        ]
    );
    assert!(html.contains("The first 2 of 3 rows are shown, in the query's order."), "{html}");
    assert!(html.contains("Cost (USD), Each (USD): 1 of 3 missing (not reported)"), "{html}");
    assert!(html.contains("<title>Costs of all of them</title>"), "{html}");
    assert!(html.contains("&lt;b&gt;spent&lt;/b&gt;"), "what its text holds is shown and not run");
}

#[test]
fn a_page_names_no_outside_address_and_its_policy_lets_nothing_in() {
    let folder = lake();
    folder.cxlake(["report", "costs", "-o", "out"]).prints();
    for (name, html) in [
        ("costs", folder.read("out/costs.html")),
        ("cfo-monthly", page("cfo-monthly")),
        ("executive-scorecard", page("executive-scorecard")),
    ] {
        for outside in ["http://", "https://", "src=", "<link", "@import", "url(", "<iframe", "<img"] {
            // A pattern of the page itself is none.
            assert!(!html.replace("url(#", "").contains(outside), "{name} has `{outside}`");
        }
        assert!(html.contains("http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "), "{name}");
    }
}

/// A report of the sample lake as a page.
fn page(name: &str) -> String {
    let folder = Folder::new();
    let out = folder.path().to_str().expect("a folder in UTF-8").to_owned();
    cxlake(["report", name, "-o", &out]).prints();
    folder.read(&format!("{name}.html"))
}

#[test]
fn the_same_inputs_give_the_same_bytes_but_for_one_place() {
    let folder = lake();
    let forms = "html,md,json,csv,parquet";
    for out in ["one", "two"] {
        folder.cxlake(["report", "costs", "--format", forms, "-o", out]).prints();
    }
    let names = names(&folder.at("one"));
    assert_eq!(
        names,
        [
            "costs-costs-by-office-2.csv",
            "costs-costs-by-office-2.parquet",
            "costs-costs-by-office.csv",
            "costs-costs-by-office.parquet",
            "costs.html",
            "costs.json",
            "costs.md",
        ]
    );
    for name in names {
        let read = |out: &str| std::fs::read(folder.at(&format!("{out}/{name}"))).expect("it is there");
        let (one, two) = (read("one"), read("two"));
        if [".csv", ".parquet"].iter().any(|form| name.ends_with(form)) {
            assert_eq!(one, two, "{name}");
            continue;
        }
        let lines =
            |bytes: Vec<u8>| String::from_utf8(bytes).expect("text").lines().map(str::to_owned).collect::<Vec<_>>();
        let (one, two) = (lines(one), lines(two));
        assert_eq!(one.len(), two.len(), "{name}");
        let differ = one.iter().zip(&two).filter(|(one, two)| one != two).count();
        assert_eq!(differ, 1, "{name}: only the line with the run's id and time differs");
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn what_was_published_is_verified_against_its_files() {
    let folder = lake();
    folder.cxlake(["report", "costs", "--format", "html,json", "--param", "office=Paris", "-o", "out"]).prints();
    for file in ["out/costs.html", "out/costs.json"] {
        let said = folder.cxlake(["report", "verify", file]).prints();
        let (about, verdict) = said.split_once('\n').expect("two lines");
        assert!(about.starts_with("costs, run "), "{about}");
        assert_eq!(verdict, "The same files give the same numbers.\n", "{file}");
    }
    // A late report changes the file and the numbers.
    folder.parquet(
        "costs.parquet",
        "select * from (values ('Paris', 1200.50, 10, 'reported'), ('=Rome', 300.25, 4, 'reported'), \
         ('Oslo', 77.00, 7, 'late')) as t(office, cost, touches, status)",
    );
    let said = folder.cxlake(["report", "verify", "out/costs.html"]).run();
    assert_eq!(said.code, Some(1), "{said}");
    let changes = said.text();
    let changes: Vec<&str> = changes.lines().skip(1).collect();
    assert!(changes[0].starts_with("  file costs.parquet: "), "{changes:?}");
    assert_eq!(changes[1..], ["  section 1 (costs-by-office): other numbers (3 rows then, 3 now)"]);
    assert_eq!(said.stderr, "error: the files have changed, and give other numbers\n");
}

/// Path and table of each file that a saved query's report read, which has this SQL.
fn inputs(folder: &Folder, name: &str, sql: &str) -> Vec<(String, String)> {
    let header = format!("-- +++\n-- name = \"{name}\"\n-- title = \"{name}\"\n-- description = \"{name}\"\n-- +++\n");
    folder.write(&format!("queries/{name}.sql"), header + sql);
    folder.cxlake(["report", name, "--format", "json", "-o", "out"]).prints();
    let report: serde_json::Value = serde_json::from_str(&folder.read(&format!("out/{name}.json"))).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let inputs = report["provenance"]["inputs"].as_array().expect("the files that were read");
    inputs.iter().map(|input| (text(&input["path"]), text(&input["table"]))).collect()
}

#[test]
fn numbers_from_footers_name_their_files() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t/\"\npartition = { day = \"int\" }\n[table.t.columns]\nx = \"int\"\n");
    folder.parquet("t/day=1/a.parquet", "select 1 as x");
    folder.parquet("t/day=2/a.parquet", "select 2 as x");
    let of_day = inputs(&folder, "counted", "select count(*) as n, max(x) as m from t where day = 1");
    assert_eq!(of_day, [("t/day=1/a.parquet".to_owned(), "t".to_owned())], "the other day's was not opened");
    folder.parquet("t/day=1/b.parquet", "select 5 as x");
    let said = folder.cxlake(["report", "verify", "out/counted.json"]).run();
    assert_eq!(
        said.text().lines().skip(1).collect::<Vec<_>>(),
        ["  file t/day=1/b.parquet: new", "  section 1 (counted): other numbers (1 rows then, 1 now)"]
    );
    assert_eq!(said.stderr, "error: the files have changed, and give other numbers\n");
}

#[test]
fn of_tables_in_one_folder_each_has_its_own_files() {
    let folder = Folder::new();
    folder.lake("[table.aa]\npath = \"data/a*.parquet\"\n[table.bb]\npath = \"data/b*.parquet\"\n");
    folder.parquet("data/a1.parquet", "select 1 as x");
    folder.parquet("data/b1.parquet", "select 2 as x");
    let sql = "select sum(aa.x + bb.x) as n from aa cross join bb cross join 'data/b1.parquet' as again";
    let read = inputs(&folder, "both", sql);
    let read: Vec<_> = read.iter().map(|(path, table)| (path.rsplit('/').next(), table.as_str())).collect();
    assert_eq!(read, [(Some("a1.parquet"), "aa"), (Some("b1.parquet"), "bb")]);
}

#[test]
fn a_changed_definition_is_told_from_changed_files() {
    let folder = lake();
    folder.cxlake(["report", "costs", "-o", "out"]).prints();
    let sql = folder.read("queries/costs-by-office.sql").replace("as cost,", "* 2 as cost,");
    folder.write("queries/costs-by-office.sql", sql);
    let said = folder.cxlake(["report", "verify", "out/costs.html"]).run();
    assert_eq!(said.code, Some(1), "{said}");
    let changes = said.text();
    assert_eq!(
        changes.lines().skip(1).collect::<Vec<_>>(),
        [
            "  query costs-by-office: its SQL has changed",
            "  section 1 (costs-by-office): other numbers (3 rows then, 3 now)",
            "  section 2 (costs-by-office): other numbers (3 rows then, 3 now)",
        ]
    );
    assert_eq!(
        said.stderr,
        "error: the same files give other numbers\n\n\
         hint: the report, its queries or cxlake itself have changed since; the lines above say which\n"
    );
}

#[test]
fn what_a_spreadsheet_would_compute_is_marked_on_request() {
    let folder = lake();
    let csv = |arguments: &[&str]| {
        folder.cxlake(["report", "costs", "--format", "csv", "-o", "out"].iter().chain(arguments)).prints();
        folder.read("out/costs-costs-by-office.csv")
    };
    assert!(csv(&[]).contains("\n=Rome,300.25,"));
    assert!(csv(&["--csv-safe"]).contains("\n'=Rome,300.25,"));
    let said = cxlake(["--csv-safe", "--format", "csv", "-c", "select '@a' as \"=x\", -1 as n, '-1' as t"]).prints();
    assert_eq!(said, "'=x,n,t\n'@a,-1,'-1\n");
    let said = cxlake(["--csv-safe", "--format", "csv", "-c", "select chr(10) || '=1+1' as t"]).prints();
    assert_eq!(said, "t\n\"'\n=1+1\"\n");
}

#[test]
fn a_section_that_shows_no_rows_does_not_say_that_there_are_none() {
    let folder = lake();
    folder.write("cxlake.toml", folder.read("cxlake.toml").replace("rows = 2", "rows = 0"));
    folder.cxlake(["report", "costs", "--format", "html,md", "-o", "out"]).prints();
    assert_eq!(tables(&folder.read("out/costs.html"))[0].len(), 2, "the head and the totals");
    for name in ["out/costs.html", "out/costs.md"] {
        let text = folder.read(name);
        assert!(!text.contains("nothing in the data"), "{name}: {text}");
        assert!(text.contains("The first 0 of 3 rows are shown, in the query's order."), "{name}: {text}");
    }
}

#[test]
fn totals_tips_and_sentences_have_the_digits_of_a_column_without_a_format() {
    let folder = Folder::new();
    folder.lake("").write(
        "queries/money.sql",
        r#"-- +++
-- name = "money"
-- title = "Money"
-- description = "What came in."
-- [columns]
-- money = { total = "sum" }
-- each_visit = { total = "money / visits" }
-- [[chart]]
-- type = "bar"
-- x = "money"
-- y = "office"
-- +++
select office, money, visits, cast(money / visits as decimal(18, 2)) as each_visit
from (
    values ('Oslo', cast('1234567890.12' as decimal(18, 2)), 2), ('Rome', cast('2345678.34' as decimal(18, 2)), 3)
) t(office, money, visits)
order by office
"#,
    );
    folder.cxlake(["report", "money", "--format", "html,md", "-o", "out"]).prints();
    let html = folder.read("out/money.html");
    assert_eq!(
        tables(&html)[0].last().expect("totals"),
        &["Total of 2 rows", "1236913568.46", "", "247382713.69"].map(str::to_owned)
    );
    assert!(html.contains("<title>Oslo: money 1234567890.12</title>"), "{html}");
    for text in [html, folder.read("out/money.md")] {
        assert!(text.contains("1236913568.46") && text.contains("247382713.69"), "{text}");
        assert!(text.contains("highest for Oslo (1234567890.12), lowest for Rome (2345678.34)"), "{text}");
    }
}

#[test]
fn a_bridge_that_misses_a_step_is_left_out_of_every_form_and_said_to_be() {
    let folder = Folder::new();
    folder.lake("").write(
        "queries/bridge.sql",
        r#"-- +++
-- name = "bridge"
-- title = "Bridge"
-- description = "From year to year."
-- [columns]
-- amount = { missing = "why" }
-- [[chart]]
-- type = "waterfall"
-- x = "step"
-- y = "amount"
-- +++
select step, amount, why from (
    values (1, '2025', 100, null), (2, 'Volume', null, 'not known'), (3, 'Price', 10, null), (4, '2026', 130, null)
) t(place, step, amount, why)
order by place
"#,
    );
    folder.cxlake(["report", "bridge", "--format", "html,md", "-o", "out"]).prints();
    let html = folder.read("out/bridge.html");
    let told = "A chart is not drawn: the step `Volume` of a waterfall has no value (not known).";
    assert!(html.contains(told) && !html.contains("<svg"), "{html}");
    let text = folder.read("out/bridge.md");
    assert!(text.contains(&told.replace('`', "\\`")) && !text.contains("!["), "{text}");
}

#[test]
fn a_saved_query_is_a_report_by_itself() {
    let folder = lake();
    folder.cxlake(["report", "costs-by-office", "--param", "names=Oslo", "--format", "md", "-o", "out"]).prints();
    let text = folder.read("out/costs-by-office.md");
    let table: Vec<&str> = text.lines().filter(|line| line.starts_with("| Of") || line.contains("Oslo")).collect();
    assert_eq!(
        table,
        [
            "- Names: Oslo",
            "Names: Oslo",
            "| Office | Cost (USD) | Touches (calls) | Each (USD) | status |",
            "| Oslo | *not reported* | — | *not reported* | not reported |",
        ]
    );
}

#[test]
fn a_report_says_what_the_checks_of_its_tables_found() {
    let folder = lake();
    let checks = "[[table.costs.check]]\nname = \"known\"\nassert = \"cost is not null\"\n\
                  [[table.costs.check]]\nname = \"named\"\nassert = \"office is not null\"\nseverity = \"warn\"\n";
    folder.write("cxlake.toml", folder.read("cxlake.toml") + checks);
    folder.cxlake(["report", "costs", "--format", "html,md,json", "-o", "out"]).prints();
    let (passed, failed) = ("1 of 2 checks of the tables that were read passed", "Error: costs, known: 1 of 3 rows");
    let html = folder.read("out/costs.html");
    assert!(html.contains(&format!("<li>{passed}</li><li class=\"failed\">{failed}</li>")), "{html}");
    let text = folder.read("out/costs.md");
    assert!(text.contains(&format!("\n- Checks: {passed}\n  - {failed}\n")), "{text}");
    let json: serde_json::Value = serde_json::from_str(&folder.read("out/costs.json")).expect("JSON");
    let found: Vec<_> = json["checks"].as_array().expect("checks").iter().map(|check| &check["verdict"]).collect();
    assert_eq!(found, ["failed", "passed"]);
}

/// A saved query without parameters.
const ALL_TOUCHES: &str = "-- +++
-- name = \"all-touches\"
-- title = \"All touches\"
-- description = \"Of everybody.\"
-- +++
select sum(touches) as touches from costs
";

#[test]
fn the_head_and_the_sections_say_for_which_sections_a_parameter_holds() {
    let folder = lake();
    let both = "[report.both]\ntitle = \"Both\"\n[[report.both.section]]\ntitle = \"One, two\"\nquery = \"costs-by-office\"\n\
                [[report.both.section]]\ntitle = \"Three\"\nquery = \"costs-by-office\"\n\
                [[report.both.section]]\nquery = \"all-touches\"\n";
    folder.write("cxlake.toml", folder.read("cxlake.toml") + both);
    folder.write("queries/all-touches.sql", ALL_TOUCHES);
    folder.cxlake(["report", "both", "-p", "names=Oslo", "--format", "html,md,json", "-o", "out"]).prints();
    let html = folder.read("out/both.html");
    assert!(html.contains("<dt>Names</dt><dd>Oslo (One, two · Three)</dd>"), "{html}");
    assert!(html.contains(">Three</h2>\n<p class=\"note\">Names:\u{a0}Oslo</p>\n"), "{html}");
    assert!(!html.contains(">All touches</h2>\n<p"), "{html}");
    let text = folder.read("out/both.md");
    assert!(text.contains("- Names: Oslo (One, two · Three)\n"), "{text}");
    assert!(text.contains("## Three\n\nNames: Oslo\n\nWhat each office"), "{text}");
    assert!(text.contains("## All touches\n\nOf everybody."), "{text}");
    let json: serde_json::Value = serde_json::from_str(&folder.read("out/both.json")).expect("JSON");
    assert_eq!(json["parameters"], serde_json::json!({ "Names": "Oslo" }), "values for programs have no prose");
}

#[test]
fn a_parameter_of_most_sections_names_those_that_do_not_have_it() {
    let folder = lake();
    let sections = ["One", "Two", "Three", "Four"]
        .map(|title| format!("[[report.most.section]]\ntitle = \"{title}\"\nquery = \"costs-by-office\"\n"));
    let most = "[report.most]\ntitle = \"Most\"\n[[report.most.section]]\nquery = \"all-touches\"\n";
    folder.write("cxlake.toml", folder.read("cxlake.toml") + most + &sections.concat());
    folder.write("queries/all-touches.sql", ALL_TOUCHES);
    folder.cxlake(["report", "most", "-p", "names=Oslo", "--format", "md", "-o", "out"]).prints();
    let text = folder.read("out/most.md");
    assert!(text.contains("- Names: Oslo (all but All touches)\n"), "{text}");
}

#[test]
fn a_row_whose_name_is_missing_is_headed_by_the_reason() {
    let folder = Folder::new();
    folder.lake("").write(
        "queries/owners.sql",
        "-- +++\n-- name = \"owners\"\n-- title = \"Owners\"\n-- description = \"Who owns what.\"\n-- [columns]\n\
         -- owner = { missing = \"why\" }\n-- +++\n\
         select * from (values ('Ann', 1, null), (null, 2, 'not known')) t(owner, n, why) order by n\n",
    );
    folder.cxlake(["report", "owners", "--format", "html", "-o", "out"]).prints();
    let html = folder.read("out/owners.html");
    assert!(html.contains("<tr><th scope=\"row\" class=\"gap\">not known</th><td class=\"number\">2</td>"), "{html}");
    assert!(html.contains("\n.gap { "), "what is hatched is so whatever its element: {html}");
}

#[test]
fn a_value_that_is_missing_is_a_gap_whatever_its_type_and_only_columns_that_are_shown_are_told_of() {
    let folder = Folder::new();
    folder.lake(
        "[report.dues]\ntitle = \"Dues\"\n[[report.dues.section]]\nquery = \"dues\"\n\
         [[report.dues.section]]\nquery = \"dues\"\ncolumns = [\"office\", \"remark\"]\n",
    );
    folder.write(
        "queries/dues.sql",
        r#"-- +++
-- name = "dues"
-- title = "Dues"
-- description = "What is due when."
-- [columns]
-- cost = { title = "Cost", missing = "why" }
-- due = { title = "Due", missing = "why" }
-- +++
select * from (values
    ('a', 10, date '2026-01-05', null, concat('one', chr(10), 'two')), ('b', null, null, 'late, partly', null),
    ('c', null, null, 'late, partly', null), ('d', null, null, 'never', null)
) t(office, cost, due, why, remark)
order by office
"#,
    );
    folder.cxlake(["report", "dues", "--format", "html,md", "-o", "out"]).prints();
    let (html, text) = (folder.read("out/dues.html"), folder.read("out/dues.md"));
    assert!(html.contains("<td class=\"number gap\">never</td><td class=\"gap\">never</td>"), "{html}");
    assert!(text.contains("| d | *never* | *never* | never |"), "{text}");
    // In the head, and below the one table of two that shows the columns.
    let told = "Cost, Due: 3 of 4 missing (late, partly (2); never (1))";
    assert_eq!([html.matches(told).count(), text.matches(told).count()], [2, 2], "{html}");
    assert!(html.contains("<td>one\ntwo</td>"), "{html}");
    assert!(
        html.contains("<td class=\"whole\">2026-01-05</td>") && html.contains("\n.whole { white-space: nowrap; }\n")
    );
    assert!(text.contains("| a | one two |"), "{text}");
}

#[test]
fn what_is_wrong_with_a_report_is_said_where_it_stands() {
    let folder = lake();
    let manifest = folder.read("cxlake.toml");
    let wrong = |from: &str, to: &str, arguments: &[&str], code: i32| {
        folder.write("cxlake.toml", manifest.replace(from, to));
        let said = folder.cxlake(["report"].iter().chain(arguments)).fails(code);
        folder.write("cxlake.toml", &manifest);
        said
    };
    assert_eq!(
        wrong("\"office\", \"cost\"", "\"ofice\"", &["costs"], 1),
        "error: a section shows the column `ofice`, which `costs-by-office` does not have\n  at cxlake.toml:18\n\n\
         hint: did you mean `office`?\n"
    );
    assert_eq!(
        wrong("query = \"costs-by-office\"\nrows", "query = \"costs-by-ofice\"\nrows", &["costs"], 2),
        "error: no saved query `costs-by-ofice`\n  at cxlake.toml:14\n\n\
         hint: did you mean `costs-by-office`? `cxlake queries` lists all\n"
    );
    assert_eq!(
        wrong("", "", &["costs", "--param", "ofice=Paris"], 2),
        "error: no section of report `costs` has a parameter `ofice`\n\nhint: did you mean `office`?\n"
    );
    assert_eq!(
        wrong("params = { office = \"all of them\" }\n", "", &["costs"], 2),
        "error: report `costs` needs a value for `office`\n  at cxlake.toml:17\n\n\
         hint: add `--param office=…`, or a default in `[report.costs.params]`\n"
    );
    assert_eq!(
        wrong("", "", &["cost"], 2),
        "error: no report and no saved query `cost`\n\nhint: did you mean `costs`?\n"
    );
    assert_eq!(
        wrong("", "", &["costs", "--format", "xls"], 2),
        "error: a report has no form `xls`\n\nhint: did you mean `xlsx`?\n"
    );
    assert_eq!(
        wrong("rows = 2", "chart = false", &["costs"], 1),
        "error: unknown key `chart`\n  at cxlake.toml:16\n\nhint: did you mean `charts`?\n"
    );
}

/// A lake with the query `months`, which has the parameters `month` and `kind`, and a report of it.
fn months(report: &str) -> Folder {
    let folder = Folder::new();
    folder.write(
        "queries/months.sql",
        "-- +++\n-- name = \"months\"\n-- title = \"Months\"\n-- description = \"D\"\n-- [params.month]\n-- type = \"month\"\n\
         -- [params.kind]\n-- type = \"text\"\n-- default = \"all\"\n-- +++\nselect $month as month, $kind as kind\n",
    );
    folder.lake(&format!("[report.r]\n{report}\n"));
    folder
}

#[test]
fn a_title_and_a_text_say_the_values_that_ran() {
    let head = |report: &str, arguments: &[&str]| {
        let folder = months(report);
        let call = ["report", "r", "--format", "md", "-o", "out"];
        folder.cxlake(call.iter().chain(arguments)).prints();
        folder.read("out/r.md")
    };
    let section = "[[report.r.section]]\nquery = \"months\"\n";
    let day = "params = { day = \"2026-06-15\" }\n";
    let named = format!(
        "title = \"Costs $day\"\ntext = \"Of _$month_, $kind, $5\"\n{day}{section}params = {{ month = \"$day\" }}"
    );
    let text = head(&named, &[]);
    assert!(text.starts_with("# Costs 2026-06\n"), "{text}");
    assert!(text.contains("Of _2026-06_, all, $5"), "{text}");
    assert!(head(&named, &["-p", "day=2026-07-01"]).starts_with("# Costs 2026-07\n"));
    let text = head(&named, &["-p", "month=2026-07"]);
    assert!(text.starts_with("# Costs 2026-07\n") && text.contains("Of _2026-07_, "), "the call comes first: {text}");
    let own = format!(
        "title = \"$month, $kind\"\nparams = {{ month = \"2026-06-15\" }}\n{section}{section}params = {{ kind = \"a\" }}"
    );
    assert!(head(&own, &[]).starts_with("# 2026-06, all\n"));
    let each = format!(
        "title = \"$month: $kind\"\n{section}params = {{ month = \"2026-06\", kind = \"a\" }}\n\
         {section}params = {{ month = \"2026-07\", kind = \"$month\" }}"
    );
    assert!(head(&each, &["-p", "kind=$5", "-p", "month=2026-08"]).starts_with("# 2026-08: $5\n"));
    // A section says what ran in itself.
    let of_section = format!(
        "title = \"T\"\n{section}title = \"In $month\"\ntext = \"Of _$kind_.\"\nparams = {{ month = \"2026-06\", kind = \"a\" }}\n\
         {section}params = {{ month = \"2026-07\" }}"
    );
    let text = head(&of_section, &["-p", "kind=b"]);
    assert!(text.contains("\n## In 2026-06\n") && text.contains("Of _b_."), "{text}");
}

#[test]
fn a_name_in_a_title_that_no_section_has_is_refused_by_the_check() {
    let section = "[[report.r.section]]\nquery = \"months\"\nparams = { month = \"2026-06\" }";
    let said =
        months(&format!("title = \"$mnth for $5\"\ntext = \"$day\"\n{section}")).cxlake(["report", "check"]).run();
    assert_eq!(said.code, Some(1), "{said}");
    for wanted in [
        "error: `title` of report `r` has `$mnth`, and no section has a parameter `mnth`\n\nhint: did you mean `month`?\n",
        "error: `text` of report `r` has `$day`, and no section has a parameter `day`\n",
    ] {
        assert!(said.stderr.contains(wanted), "{said}");
    }
    let said = months(&format!("title = \"T\"\n{section}\ntext = \"$knid\"")).cxlake(["report", "check"]).run();
    assert!(said.stderr.contains("error: `text` of report `r` has `$knid`, "), "{said}");
    let fine = months(&format!("title = \"$month for $5\"\n{section}"));
    assert_eq!(fine.cxlake(["report", "check"]).prints(), "ok    r\n");
}

#[test]
fn files_appear_all_or_none() {
    let folder = lake();
    // The last of the files cannot be written: there is a folder of its name.
    std::fs::create_dir_all(folder.at("out/costs.json")).expect("a folder");
    let said = folder.cxlake(["report", "costs", "--format", "html,json", "-o", "out"]).fails(2);
    assert!(said.contains("it is a folder"), "{said}");
    assert_eq!(names(&folder.at("out")), ["costs.json"]);
}

#[test]
fn the_reports_of_the_sample_lake_are_right() {
    let listed = cxlake(["report", "--format", "csv"]).prints();
    let names: Vec<&str> = listed.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(
        names,
        ["cfo-monthly", "executive-scorecard", "health-weekly", "nps-infographic", "office-pack", "top-ten"]
    );
    let wanted: String = names.iter().map(|name| format!("ok    {name}\n")).collect();
    assert_eq!(cxlake(["report", "check"]).prints(), wanted);
}

#[test]
fn the_row_of_all_is_none_of_those_that_lack_a_value() {
    let folder = Folder::new();
    let totals = |all: &str| {
        folder.lake("").write(
            "queries/all.sql",
            format!(
                "-- +++\n-- name = \"all\"\n-- title = \"All\"\n-- description = \"D\"\n-- [columns]\n\
                 -- n = {{ title = \"N\", missing = \"why\" }}\n-- [[chart]]\n-- type = \"bar\"\n-- x = \"n\"\n\
                 -- y = \"office\"\n-- total = \"All\"\n-- +++\n\
                 select * from (values ('All', {all}, 'late'), ('a', 1, null), ('b', null, 'late')) t(office, n, why)\n"
            ),
        );
        folder.cxlake(["report", "all", "--format", "md", "-o", "out"]).prints();
        folder.read("out/all.md")
    };
    let text = totals("1");
    assert!(text.contains("N: 1 of 2 missing (late)"), "{text}");
    // One that is missing as well is counted, or more would be missing than there are.
    let text = totals("null");
    assert!(text.contains("N: 2 of 3 missing (late)"), "{text}");
}

#[test]
fn a_parameter_of_some_sections_that_go_by_one_of_the_report_is_refused() {
    let folder = Folder::new();
    let out = folder.path().to_str().expect("a folder in UTF-8").to_owned();
    assert_eq!(
        cxlake(["report", "office-pack", "--param", "offices=Lyon", "-o", &out]).fails(2),
        "error: `offices` is for some sections of report `office-pack`, which sets it from `office`\n\n\
         hint: `--param office=…` is for all of them\n"
    );
}

#[test]
fn the_text_of_a_section_of_the_sample_says_the_share_that_ran() {
    let folder = Folder::new();
    let out = folder.path().to_str().expect("a folder in UTF-8").to_owned();
    cxlake(["report", "cfo-monthly", "-p", "share=0.2", "-o", &out, "--format", "md"]).prints();
    let text = folder.read("cfo-monthly.md");
    assert!(text.contains("a share of 0.2 of each office's marketing spend to support"), "{text}");
}

#[test]
fn a_total_of_long_whole_numbers_has_all_their_digits() {
    let folder = Folder::new();
    folder.lake("").write(
        "queries/long.sql",
        "-- +++\n-- name = \"long\"\n-- title = \"Long\"\n-- description = \"Long numbers.\"\n-- [columns]\n\
         -- n = { total = \"sum\" }\n-- +++\n\
         select * from (values ('a', 12345678901234567), ('b', 1)) t(name, n) order by name\n",
    );
    folder.cxlake(["report", "long", "--format", "json,xlsx", "-o", "out"]).prints();
    let json: serde_json::Value = serde_json::from_str(&folder.read("out/long.json")).expect("JSON");
    assert_eq!(json["sections"][0]["columns"][1]["total"], 12_345_678_901_234_568_i64);
    let mut book: Xlsx<_> = open_workbook(folder.at("out/long.xlsx")).expect("a workbook");
    let sheet = book.worksheet_range("Long").expect("the sheet of the section");
    let texts: Vec<&str> = sheet
        .used_cells()
        .filter_map(|(_, _, cell)| if let Data::String(text) = cell { Some(text.as_str()) } else { None })
        .collect();
    for wanted in ["12345678901234567", "12345678901234568"] {
        assert!(texts.contains(&wanted), "{wanted}: {texts:?}");
    }
}

#[test]
fn a_pack_of_one_office_names_no_other() {
    let folder = Folder::new();
    let out = folder.path().to_str().expect("a folder in UTF-8").to_owned();
    cxlake(["report", "office-pack", "--param", "office=Lyon", "-o", &out, "--format", "html,md"]).prints();
    let offices = cxlake(["-c", "select office from offices order by office", "--format", "csv"]).prints();
    for name in ["office-pack.html", "office-pack.md"] {
        let text = folder.read(name);
        // What was read is said below the report, and may name files and SQL of all.
        let text = text.split("Where the numbers come from").next().expect("a report");
        assert!(text.contains("Lyon: cost, recommendation, calls to make"), "{name} is headed by the office");
        for office in offices.lines().skip(1).filter(|office| *office != "Lyon") {
            assert!(!text.contains(office), "{name} names {office}");
        }
    }
}
