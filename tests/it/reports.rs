//! Reports: documents that say what they rest on, and the same from the same.

use std::path::Path;

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
    assert!(html.contains("Cost (USD), Each (USD): 1 of 3 missing (1 not reported)"), "{html}");
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
            "| Office | Cost (USD) | Touches (calls) | Each (USD) | status |",
            "| Oslo | *not reported* | — | *not reported* | not reported |",
        ]
    );
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
fn a_pack_of_one_office_names_no_other() {
    let folder = Folder::new();
    let out = folder.path().to_str().expect("a folder in UTF-8").to_owned();
    cxlake(["report", "office-pack", "--param", "office=Lyon", "-o", &out, "--format", "html,md"]).prints();
    let offices = cxlake(["-c", "select office from offices order by office", "--format", "csv"]).prints();
    for name in ["office-pack.html", "office-pack.md"] {
        let text = folder.read(name);
        // What was read is said below the report, and may name files and SQL of all.
        let text = text.split("Where the numbers come from").next().expect("a report");
        assert!(text.contains("Lyon"), "{name}");
        for office in offices.lines().skip(1).filter(|office| *office != "Lyon") {
            assert!(!text.contains(office), "{name} names {office}");
        }
    }
}
