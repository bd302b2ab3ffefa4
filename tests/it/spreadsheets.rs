//! Reports as workbooks, read back: types, formulas and names, and that every form of a report says the same.

use std::collections::BTreeMap;
use std::path::Path;

use calamine::{Data, DataType as _, Range, Reader as _, Xlsx, open_workbook};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};

use super::harness::{Folder, Row, cxlake};

/// A lake with costs of offices, of which one did not report, and a report on them that shows two of three rows.
fn lake() -> Folder {
    let folder = Folder::new();
    folder.lake(
        r#"currency = "USD"

[table.costs]
path = "costs.parquet"

[report.costs]
title = "Costs"

[[report.costs.section]]
query = "costs-by-office"
rows = 2

[[report.costs.section]]
title = "Cost of a touch: by [office]"
query = "costs-by-office"
columns = ["office", "per_touch"]
"#,
    );
    folder.parquet(
        "costs.parquet",
        "select office, cast(cost as decimal(18, 2)) as cost, touches, status, cast(closed_on as date) as closed_on, \
         cast(told_at as timestamp) as told_at, is_new, code from (values \
         ('Paris', 1200.50, 10, 'reported', '2026-03-31', '2026-04-01T12:00:00', true, '007'), \
         ('=1+1', 300.25, 4, 'reported', '2026-02-28', '2026-03-01T06:00:00', false, '008'), \
         ('Oslo', null, null, 'not reported', null, null, null, null)) \
         as t(office, cost, touches, status, closed_on, told_at, is_new, code)",
    );
    folder.write(
        "queries/costs-by-office.sql",
        r##"-- +++
-- name = "costs-by-office"
-- title = "Costs by office"
-- description = "What each office spent on touches."
-- grain = ["office"]
--
-- [columns]
-- office = { title = "Office" }
-- cost = { title = "Cost", format = "currency", missing = "status", total = "sum" }
-- touches = { title = "Touches", format = "#,##0", unit = "calls", total = "sum" }
-- per_touch = { title = "Each", format = "currency", good = "down", bands = [80, 100], missing = "status", total = "cost / touches" }
-- share = { title = "Share", format = "0.0%" }
-- told_at = { title = "Told" }
-- +++
select
    office,
    cost,
    touches,
    cast(cost as double) / touches as per_touch,
    cast(cost as double) / 1500.75 as share,
    status,
    closed_on,
    told_at,
    is_new,
    code
from costs
order by office desc
"##,
    );
    folder
}

type Book = Xlsx<std::io::BufReader<std::fs::File>>;

fn book(path: &Path) -> Book {
    open_workbook(path).unwrap_or_else(|error| panic!("`{}` is no workbook: {error}", path.display()))
}

/// The cells of a sheet, from its first.
fn sheet(book: &mut Book, name: &str) -> Range<Data> {
    book.worksheet_range(name).unwrap_or_else(|error| panic!("no sheet `{name}`: {error}"))
}

/// The row in which the headings of a sheet's table are: the first that has a value in its second column, below what stands above.
fn head_row(range: &Range<Data>, heading: &str) -> usize {
    let is_head = |row: &[Data]| row.iter().any(|cell| cell.get_string() == Some(heading));
    range.rows().position(is_head).unwrap_or_else(|| panic!("no heading `{heading}`"))
}

/// The moment that a spreadsheet counts so.
fn moment_of(serial: f64) -> NaiveDateTime {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds of some centuries")]
    let millis = (serial * 86_400_000.0).round() as i64;
    let start = NaiveDate::from_ymd_opt(1899, 12, 30).expect("a day").and_time(NaiveTime::MIN);
    start + TimeDelta::milliseconds(millis)
}

#[test]
fn cells_have_types_and_texts_are_never_formulas() {
    let folder = lake();
    folder.cxlake(["report", "costs", "--format", "xlsx", "-o", "out"]).prints();
    let mut book = book(&folder.at("out/costs.xlsx"));
    assert_eq!(book.sheet_names(), ["Costs by office", "Cost of a touch by office", "About", "SQL"]);
    let range = sheet(&mut book, "Costs by office");
    let head = head_row(&range, "Office");
    let heads: Vec<String> = range.rows().nth(head).expect("headings").iter().map(ToString::to_string).collect();
    assert_eq!(
        heads,
        [
            "Office",
            "Cost (USD)",
            "Touches (calls)",
            "Each (USD)",
            "Share",
            "status",
            "closed_on",
            "Told (UTC)",
            "is_new",
            "code"
        ]
    );
    let rows: Vec<Vec<String>> = range
        .rows()
        .skip(head + 1)
        .map(|row| {
            let shown = |cell: &Data| match cell {
                Data::Float(number) => format!("number {number}"),
                Data::String(text) => format!("text {text}"),
                Data::Bool(flag) => format!("flag {flag}"),
                Data::DateTime(moment) => format!("moment {}", moment_of(moment.as_f64())),
                Data::Empty => String::new(),
                other => panic!("{other:?}"),
            };
            row.iter().map(shown).collect()
        })
        .collect();
    // All rows, also those that the page leaves out.
    assert_eq!(
        rows,
        [
            vec![
                "text Paris",
                "number 1200.5",
                "number 10",
                "number 120.05",
                "number 0.7999333666500084",
                "text reported",
                "moment 2026-03-31 00:00:00",
                "moment 2026-04-01 12:00:00",
                "flag true",
                "text 007"
            ],
            vec!["text Oslo", "", "", "", "", "text not reported", "", "", "", ""],
            vec![
                "text =1+1",
                "number 300.25",
                "number 4",
                "number 75.0625",
                "number 0.20006663334999167",
                "text reported",
                "moment 2026-02-28 00:00:00",
                "moment 2026-03-01 06:00:00",
                "flag false",
                "text 008"
            ],
        ]
    );
    let formulas = book.worksheet_formula("Costs by office").expect("formulas");
    let formulas: Vec<&String> = formulas.rows().flatten().filter(|formula| !formula.is_empty()).collect();
    let (first, last) = (head + 2, head + 4);
    let sum = |column: &str| format!("SUBTOTAL(109,{column}{first}:{column}{last})");
    assert_eq!(
        formulas,
        [
            &format!("IFERROR({},\"\")", sum("B")),
            &format!("IFERROR({},\"\")", sum("C")),
            &format!("IFERROR({}/{},\"\")", sum("B"), sum("C")),
        ]
    );
}

#[test]
fn a_table_brings_along_what_its_totals_and_its_gaps_need() {
    let folder = lake();
    folder.cxlake(["report", "costs", "--format", "xlsx", "-o", "out"]).prints();
    let range = sheet(&mut book(&folder.at("out/costs.xlsx")), "Cost of a touch by office");
    let rows: Vec<Vec<String>> = range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect();
    let texts: Vec<Vec<&str>> =
        rows.iter().map(|row| row.iter().map(String::as_str).filter(|text| !text.is_empty()).collect()).collect();
    assert_eq!(
        texts[..],
        [
            vec!["Cost of a touch: by [office]"],
            vec![rows[1][0].as_str()],
            vec!["What each office spent on touches."],
            vec![
                "Hatched cells have no value; \"status (reason)\" says why. Cost (USD), Each (USD): \
                 1 of 3 missing (1 not reported)."
            ],
            vec!["Total of rows in sight", "107.19642857142857"],
            vec!["Office", "Each (USD)", "Cost (USD) (for totals)", "Touches (calls) (for totals)", "status (reason)"],
            vec!["Paris", "120.05", "1200.5", "10", "reported"],
            vec!["Oslo", "not reported"],
            vec!["=1+1", "75.0625", "300.25", "4", "reported"],
        ]
    );
    assert!(rows[1][0].starts_with("test · as of "), "{}", rows[1][0]);
    assert!(rows[1][0].ends_with(" · 3 rows"), "{}", rows[1][0]);
}

/// The parts of a workbook and the checksum of each, as the directory at the end of the archive has them.
fn checksums(path: &Path) -> BTreeMap<String, u32> {
    let bytes = std::fs::read(path).expect("a file");
    let word = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
    let long = |at: usize| u32::from(word(at)) | (u32::from(word(at + 2)) << 16);
    let end = bytes.len() - 22;
    assert_eq!(&bytes[end..end + 4], b"PK\x05\x06", "an archive without a comment");
    let mut at = long(end + 16) as usize;
    let mut parts = BTreeMap::new();
    for _ in 0..word(end + 10) {
        let name = usize::from(word(at + 28));
        let text = String::from_utf8(bytes[at + 46..at + 46 + name].to_vec()).expect("a name");
        parts.insert(text, long(at + 16));
        at += 46 + name + usize::from(word(at + 30)) + usize::from(word(at + 32));
    }
    parts
}

#[test]
fn the_same_inputs_give_the_same_workbook_but_for_one_cell() {
    let folder = lake();
    for out in ["one", "two"] {
        folder.cxlake(["report", "costs", "--format", "xlsx", "-o", out]).prints();
        cxlake(["report", "cfo-monthly", "--format", "xlsx", "-o"].map(Into::into).into_iter().chain([folder.at(out)]))
            .prints();
    }
    for name in ["costs.xlsx", "cfo-monthly.xlsx"] {
        let read = |out: &str| folder.at(&format!("{out}/{name}"));
        let (one, two) = (checksums(&read("one")), checksums(&read("two")));
        let differ: Vec<&String> = one.keys().filter(|part| one[*part] != two[*part]).collect();
        assert_eq!(differ, ["xl/sharedStrings.xml"], "{name}");
        let (mut one, mut two) = (book(&read("one")), book(&read("two")));
        assert_eq!(one.sheet_names(), two.sheet_names());
        let mut cells = Vec::new();
        for sheet_name in one.sheet_names() {
            let (one, two) = (sheet(&mut one, &sheet_name), sheet(&mut two, &sheet_name));
            let pairs = one.cells().zip(two.cells()).filter(|(one, two)| one != two);
            cells.extend(pairs.map(|((_, _, one), _)| (sheet_name.clone(), one.to_string())));
        }
        let [(place, run)] = cells.as_slice() else { panic!("{name}: not one cell differs but {cells:?}") };
        assert_eq!(place, "About");
        assert!(run.contains(", days counted from "), "{run}");
    }
}

#[test]
fn a_sheet_of_many_rows_is_written_as_it_comes() {
    let folder = Folder::new();
    folder.lake("[table.numbers]\npath = \"numbers.parquet\"\n");
    folder.parquet(
        "numbers.parquet",
        "select value as number, concat('row ', value) as name, case when value % 3 = 0 then value end as third, \
         value % 2 = 0 as is_even from generate_series(1, 70000)",
    );
    folder.write(
        "queries/numbers.sql",
        "-- +++\n-- name = \"numbers\"\n-- title = \"Numbers\"\n-- description = \"Many.\"\n--\n-- [columns]\n\
         -- third = { title = \"Third\", total = \"sum\" }\n-- +++\nselect * from numbers order by number\n",
    );
    folder.cxlake(["report", "numbers", "--format", "xlsx", "-o", "out"]).prints();
    let mut book = book(&folder.at("out/numbers.xlsx"));
    let range = sheet(&mut book, "Numbers");
    let head = head_row(&range, "Third");
    let thirds: f64 = (1..=70_000_u32).filter(|number| number % 3 == 0).map(f64::from).sum();
    assert_eq!(range.get((head - 1, 2)).and_then(Data::get_float), Some(thirds));
    let rows: Vec<&[Data]> = range.rows().skip(head + 1).collect();
    assert_eq!(rows.len(), 70_000);
    for (number, row) in (1_u32..).zip(rows) {
        let third = if number % 3 == 0 { Data::Float(f64::from(number)) } else { Data::Empty };
        let wanted =
            [Data::Float(f64::from(number)), Data::String(format!("row {number}")), third, Data::Bool(number % 2 == 0)];
        assert_eq!(row, wanted);
    }
}

/// A table of a page: headings, rows, and the line below them.
struct Shown {
    heads: Vec<String>,
    rows: Vec<Vec<Cell>>,
    totals: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Value(String),
    Gap(String),
}

/// The tables of a page's sections.
fn page_tables(html: &str) -> Vec<Shown> {
    let tables = html.match_indices("<table data-rows").map(|(start, _)| {
        let end = start + html[start..].find("</table>").expect("an end") + "</table>".len();
        let document = roxmltree::Document::parse(&html[start..end]).expect("a table is well-formed");
        let rows_of = |part: &str| {
            let part = document.descendants().find(|node| node.has_tag_name(part));
            let rows = part.into_iter().flat_map(|part| part.children().collect::<Vec<_>>());
            rows.filter(|node| node.has_tag_name("tr"))
                .map(|row| row.children().filter(roxmltree::Node::is_element).collect::<Vec<_>>())
                .collect::<Vec<_>>()
        };
        // Signs and what is said of them stand in elements of their own.
        let text = |cell: &roxmltree::Node<'_, '_>| {
            cell.children().filter(roxmltree::Node::is_text).filter_map(|node| node.text()).collect::<String>()
        };
        let cell = |node: &roxmltree::Node<'_, '_>| {
            let is_gap = node.attribute("class").is_some_and(|class| class.split(' ').any(|class| class == "gap"));
            if is_gap { Cell::Gap(text(node)) } else { Cell::Value(text(node)) }
        };
        let texts = |row: &Vec<roxmltree::Node<'_, '_>>| row.iter().map(text).collect::<Vec<String>>();
        Shown {
            heads: rows_of("thead").first().map(texts).expect("headings"),
            rows: rows_of("tbody").iter().map(|row| row.iter().map(cell).collect()).collect(),
            totals: rows_of("tfoot").first().map(texts),
        }
    });
    tables.collect()
}

/// The tables of a report in Markdown: rows of cells, headings first and totals last.
fn markdown_tables(text: &str) -> Vec<Vec<Vec<String>>> {
    let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
    let mut is_table = false;
    for line in text.lines().take_while(|line| !line.contains("Where the numbers come from")) {
        let Some(row) = line.strip_prefix("| ") else {
            is_table = line.starts_with('|') && is_table;
            continue;
        };
        if !is_table {
            tables.push(Vec::new());
            is_table = true;
        }
        if !row.starts_with("---") && !row.starts_with(":--") {
            let plain = |cell: &str| cell.trim().replace('\\', "");
            let cells = row.trim_end_matches('|').split(" |").map(plain).collect();
            tables.last_mut().expect("a table").push(cells);
        }
    }
    tables
}

/// The number that a text shows, and by how much what it stands for may be another.
fn number(text: &str) -> Option<(f64, f64)> {
    let percent = text.ends_with('%');
    let plain: String = text.trim_end_matches('%').chars().filter(|letter| !matches!(letter, ',' | '+')).collect();
    let decimals = plain.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let number: f64 = plain.parse().ok()?;
    let (scale, half) = (if percent { 100.0 } else { 1.0 }, 0.5 * 10_f64.powi(-i32::try_from(decimals).expect("few")));
    Some((number / scale, half * (1.0 + 1e-9) / scale + number.abs() * 1e-12))
}

fn agrees(shown: &str, value: f64) -> bool {
    number(shown).is_some_and(|(number, off)| (number - value).abs() <= off)
}

/// Whether a cell of a sheet holds what a page shows.
fn holds(cell: &Data, shown: &str) -> bool {
    match cell {
        Data::Empty => shown.is_empty() || shown == "—",
        Data::String(text) => text == shown,
        Data::Float(value) => agrees(shown, *value),
        Data::Bool(flag) => shown == flag.to_string(),
        Data::DateTime(moment) => {
            let moment = moment_of(moment.as_f64());
            shown == moment.format("%Y-%m-%d").to_string() || shown == moment.format("%Y-%m-%d %H:%M:%S").to_string()
        }
        other => panic!("{other:?}"),
    }
}

/// Holds every form of a report against the others, and against the query run by itself. `runs` are the sections' queries with
/// their parameters.
fn forms_agree(folder: &Folder, call: impl Fn(&[&str]) -> String, report: &str, runs: &[&[&str]]) {
    let out = folder.at("out");
    let out = out.to_str().expect("a folder in UTF-8");
    call(&["report", report, "--format", "html,xlsx,csv,md,json", "-o", out]);
    let read = |ending: &str| folder.read(&format!("out/{report}.{ending}"));
    let pages = page_tables(&read("html"));
    let markdown = markdown_tables(&read("md"));
    let json: serde_json::Value = serde_json::from_str(&read("json")).expect("JSON");
    let sections = json["sections"].as_array().expect("sections");
    let mut book = book(&folder.at(&format!("out/{report}.xlsx")));
    let sheets: Vec<String> = book.sheet_names().into_iter().filter(|name| !name.starts_with("Map ")).collect();
    assert_eq!([pages.len(), markdown.len(), sections.len()], [runs.len(); 3], "{report}");
    let mut gaps = 0;
    let mut totals = 0;
    for (place, run) in runs.iter().enumerate() {
        let (page, text, section) = (&pages[place], &markdown[place], &sections[place]);
        let about = format!("{report}, section {}", place + 1);
        let arguments = ["run", "--quiet", "--format"];
        let prompt: Vec<Row> =
            serde_json::from_str(&call(&[&arguments[..], &["json"], run].concat())).expect("rows of the prompt");
        let rows: Vec<Row> = serde_json::from_value(section["rows"].clone()).expect("rows");
        assert_eq!(rows, prompt, "{about}: JSON and the prompt");
        let names = std::fs::read_dir(folder.at("out")).expect("a folder");
        let csv = call(&[&arguments[..], &["csv"], run].concat());
        let is_same = |entry: std::io::Result<std::fs::DirEntry>| {
            let path = entry.expect("an entry").path();
            path.extension().is_some_and(|ending| ending == "csv")
                && std::fs::read_to_string(path).expect("text") == csv
        };
        assert!(names.into_iter().any(is_same), "{about}: a CSV file is what the prompt gives");

        let range = sheet(&mut book, &sheets[place]);
        let head = head_row(&range, &page.heads[0]);
        let cells: Vec<&[Data]> = range.rows().skip(head + 1).collect();
        assert_eq!(cells.len(), rows.len(), "{about}: the sheet has all rows");
        assert_eq!(text[0], page.heads, "{about}: headings");
        let columns = section["columns"].as_array().expect("columns");
        let named = |title: &str| columns.iter().find(|column| column["title"] == title).expect("a column");
        for (row, shown) in page.rows.iter().enumerate() {
            for (column, cell) in shown.iter().enumerate() {
                let name = named(&page.heads[column])["name"].as_str().expect("a name");
                let (in_sheet, in_json, in_text) = (&cells[row][column], &rows[row][name], &text[row + 1][column]);
                let at = format!("{about}, row {}, {name}: {cell:?} {in_sheet:?} {in_json} {in_text}", row + 1);
                match cell {
                    Cell::Gap(reason) => {
                        gaps += 1;
                        assert!(in_sheet.is_empty() && in_json.is_null(), "{at}");
                        assert_eq!(in_text, &format!("*{reason}*"), "{at}");
                        let beside = cells[row].iter().any(|cell| cell.get_string() == Some(reason));
                        assert!(reason == "no value" || beside, "{at}: the reason stands in the row");
                    }
                    Cell::Value(shown) => {
                        assert!(holds(in_sheet, shown), "{at}");
                        let plain = in_text.trim_start_matches(['▲', '▼', ' ']);
                        assert_eq!(plain, shown.replace('\\', ""), "{at}");
                        assert!(in_json.as_f64().is_none_or(|number| agrees(shown, number)), "{at}");
                    }
                }
            }
        }
        // What is counted as missing is empty in the sheet, in the rows too that the page leaves out.
        for missing in section["missing"].as_array().expect("what is missing") {
            let title = columns.iter().find(|column| column["name"] == missing["column"]).expect("it")["title"].clone();
            let Some(column) = page.heads.iter().position(|head| *head == title) else { continue };
            let count = cells.iter().filter(|row| row[column].is_empty());
            let reason = missing["reason"].as_str().expect("a reason");
            let with_reason = count.filter(|row| row.iter().any(|cell| cell.get_string() == Some(reason))).count();
            assert_eq!(with_reason as u64, missing["count"], "{about}: {title} {reason}");
        }
        let Some(shown) = &page.totals else { continue };
        let line = &range.rows().nth(head - 1).expect("a row above the headings");
        let last = text.last().expect("a row");
        for (column, shown) in shown.iter().enumerate() {
            let total = &named(&page.heads[column])["total"];
            let at = format!(
                "{about}, total of {}: {shown} {:?} {total} {}",
                page.heads[column], line[column], last[column]
            );
            assert_eq!(last[column].trim_matches('*'), shown, "{at}");
            if total.is_null() {
                assert!(!line[column].is_float(), "{at}");
            } else {
                totals += 1;
                assert!(holds(&line[column], shown) && agrees(shown, total.as_f64().expect("a number")), "{at}");
            }
        }
    }
    assert!(gaps > 0 && totals > 0, "{report}: {gaps} gaps and {totals} totals are compared");
}

#[test]
fn every_form_of_a_report_says_the_same() {
    let folder = lake();
    let run: &[&str] = &["costs-by-office"];
    forms_agree(&folder, |arguments| folder.cxlake(arguments).prints(), "costs", &[run, run]);
    assert_eq!(
        page_tables(&folder.read("out/costs.html"))[0].rows.len(),
        2,
        "a page shows so many rows as its section says"
    );
}

#[test]
fn every_form_of_the_cfos_report_says_the_same() {
    let folder = Folder::new();
    let runs: [&[&str]; 5] = [
        &["cost-per-touch"],
        &["cost-outliers"],
        &["cost-gaps", "-p", "months=6"],
        &["cost-bridge"],
        &["cost-rebalance", "-p", "from_function=marketing", "-p", "to_function=support", "-p", "share=0.1"],
    ];
    forms_agree(&folder, |arguments| cxlake(arguments).prints(), "cfo-monthly", &runs);
}
