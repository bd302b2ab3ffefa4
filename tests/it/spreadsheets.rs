//! Reports as workbooks, read back: types, formulas and names, and that every form of a report says the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use calamine::{Data, DataType as _, Range, Reader as _, Xlsx, open_workbook};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, TimeDelta};
use zip::ZipArchive;

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

type Book = Xlsx<std::io::BufReader<File>>;

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
                 1 of 3 missing (not reported)."
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

/// A saved query with these lines in its header.
fn query(name: &str, header: &str, statement: &str) -> String {
    let header: String = header.lines().map(|line| format!("-- {line}\n")).collect();
    format!(
        "-- +++\n-- name = \"{name}\"\n-- title = \"{name}\"\n-- description = \"{name}\"\n{header}-- +++\n{statement}\n"
    )
}

/// The cells of a column of the sheet `Chart data`, below its heading.
fn chart_data(range: &Range<Data>, heading: &str) -> Vec<Data> {
    let heads = range.rows().nth(1).expect("headings");
    let column = heads.iter().position(|head| head.get_string() == Some(heading));
    let column = column.unwrap_or_else(|| panic!("no `{heading}` among {heads:?}"));
    range.rows().skip(2).map(|row| row[column].clone()).filter(|cell| !cell.is_empty()).collect()
}

#[test]
fn bars_of_pieces_and_bridges_are_drawn_of_all_their_rows() {
    let folder = Folder::new();
    let stacked = "[[chart]]\ntype = \"stacked_bar\"\nx = \"office\"\ny = \"n\"\ncolor = \"part\"";
    let pieces = |labels: usize, parts: usize| {
        format!(
            "select concat('office ', lpad(cast(o.value as varchar), 2, '0')) as office, concat('f', f.value) as part, \
             10 as n from generate_series(1, {labels}) o cross join generate_series(1, {parts}) f order by part, office"
        )
    };
    folder.lake("").write("queries/pieces.sql", query("pieces", stacked, &pieces(13, 5)));
    folder.write("queries/many.sql", query("many", stacked, &pieces(70, 2)));
    folder.write(
        "queries/bridge.sql",
        query(
            "bridge",
            "[[chart]]\ntype = \"waterfall\"\nx = \"step\"\ny = \"n\"",
            "select case value when 0 then 'August' when 71 then 'September' else concat('step ', value) end as step, \
             case value when 0 then 1000 when 71 then 1070 else 1 end as n from generate_series(0, 71) order by value",
        ),
    );
    let read = |name: &str| {
        folder.cxlake(["report", name, "--format", "xlsx", "-o", "out"]).prints();
        let mut book = book(&folder.at(&format!("out/{name}.xlsx")));
        (sheet(&mut book, "Charts"), sheet(&mut book, "Chart data"))
    };
    let (_, cells) = read("pieces");
    for part in 1..=5 {
        assert_eq!(chart_data(&cells, &format!("f{part}")), vec![Data::Float(10.0); 13], "part {part}");
    }
    let (charts, cells) = read("many");
    assert_eq!(["f1", "f2"].map(|part| chart_data(&cells, part).len()), [60, 60]);
    let told = |range: &Range<Data>, words: &str| {
        range.cells().any(|(_, _, cell)| cell.get_string().is_some_and(|text| text.contains(words)))
    };
    assert!(told(&charts, "Drawn are the first 60 of 70 bars."), "{charts:?}");
    let (_, cells) = read("bridge");
    assert_eq!(chart_data(&cells, "Total"), [1000.0, 1070.0].map(Data::Float));
    assert_eq!(chart_data(&cells, "Rises").len(), 70);
    assert!(!told(&cells, "Sum"), "{cells:?}");
}

#[test]
fn a_sheet_speaks_of_its_own_gaps_and_shows_lines_and_a_section_of_charts_alone_has_one() {
    let folder = Folder::new();
    folder.lake(
        r#"[report.dues]
title = "Dues"
[[report.dues.section]]
title = "All of it"
query = "dues"
[[report.dues.section]]
title = "Remarks"
query = "dues"
columns = ["office", "remark"]
[[report.dues.section]]
title = "Only drawn"
query = "dues"
columns = ["office", "cost"]
table = false
"#,
    );
    folder.write(
        "queries/dues.sql",
        query(
            "dues",
            "[columns]\ndue = { missing = \"why\" }\n[[chart]]\ntype = \"bar\"\nx = \"office\"\ny = \"cost\"",
            "select * from (values ('a', 10, date '2026-01-05', null, concat('one', chr(10), 'two')), \
             ('b', 20, null, 'not reported', null)) t(office, cost, due, why, remark) order by office",
        ),
    );
    folder.cxlake(["report", "dues", "--format", "xlsx", "-o", "out"]).prints();
    let mut book = book(&folder.at("out/dues.xlsx"));
    assert_eq!(book.sheet_names(), ["All of it", "Remarks", "Only drawn", "Charts", "Chart data", "About", "SQL"]);
    let texts = |range: &Range<Data>| -> Vec<String> {
        range.cells().filter_map(|(_, _, cell)| cell.get_string().map(str::to_owned)).collect()
    };
    let range = sheet(&mut book, "All of it");
    let all = texts(&range);
    let told = "Hatched cells have no value; \"why\" says why. due: 1 of 2 missing (not reported).";
    assert!(all.iter().any(|text| text == told), "{all:?}");
    assert!(all.iter().any(|text| text == "one\ntwo"), "{all:?}");
    // A cell without a value is written only where it is hatched.
    let cells = parts(&folder.at("out/dues.xlsx")).remove("xl/worksheets/sheet1.xml").expect("the first sheet");
    let hatched = format!("<c r=\"C{}\" ", head_row(&range, "due") + 3);
    assert!(String::from_utf8_lossy(&cells).contains(&hatched), "{hatched}");
    let remarks = texts(&sheet(&mut book, "Remarks"));
    assert!(!remarks.iter().any(|text| text.contains("Hatched")), "{remarks:?}");
    let drawn = sheet(&mut book, "Only drawn");
    assert_eq!(drawn.rows().skip(head_row(&drawn, "cost") + 1).count(), 2);
}

#[test]
fn lines_of_a_text_are_shown_behind_the_first_rows_too() {
    let folder = Folder::new();
    let statement = "select value as n, \
                     case value when 600 then concat('one', chr(10), 'two') else 'one' end as remark \
                     from generate_series(1, 600) order by value";
    folder.lake("").write("queries/remarks.sql", query("remarks", "", statement));
    folder.cxlake(["report", "remarks", "--format", "xlsx", "-o", "out"]).prints();
    let path = folder.at("out/remarks.xlsx");
    let at = head_row(&sheet(&mut book(&path), "remarks"), "remark") + 601;
    let parts = parts(&path);
    let text = |part: &str| String::from_utf8_lossy(&parts[part]).into_owned();
    let cells = text("xl/worksheets/sheet1.xml");
    let row = cells.split("<row ").find(|row| row.starts_with(&format!("r=\"{at}\""))).expect("the last row");
    assert!(row.contains(" ht=\"30\""), "two lines high: {row}");
    let (_, cell) = row.split_once(&format!("<c r=\"B{at}\" s=\"")).expect("a cell with a format");
    let format: usize = cell.split('"').next().expect("a number").parse().expect("a number");
    let styles = text("xl/styles.xml");
    let (_, formats) = styles.split_once("<cellXfs").expect("formats of cells");
    let format = formats.split("<xf ").nth(format + 1).expect("the format");
    assert!(format.contains("wrapText=\"1\""), "{format}");
}

#[test]
fn a_label_of_a_chart_has_one_line_whatever_its_text_has() {
    let folder = Folder::new();
    let header = "[[chart]]\ntype = \"stacked_bar\"\nx = \"n\"\ny = \"office\"\ncolor = \"part\"";
    let statement = "select * from (values ('Rome', 'old', 1), \
                     (concat('Oslo', chr(10), 'north'), concat('new', chr(13), chr(10), 'ones'), 2)) \
                     t(office, part, n) order by n desc";
    folder.lake("").write("queries/parts.sql", query("parts", header, statement));
    folder.cxlake(["report", "parts", "--format", "xlsx,md,html", "-o", "out"]).prints();
    let cells = sheet(&mut book(&folder.at("out/parts.xlsx")), "Chart data");
    assert_eq!(chart_data(&cells, "new ones"), [Data::Float(2.0)]);
    assert!(cells.cells().any(|(_, _, cell)| cell.get_string() == Some("Oslo north")), "{cells:?}");
    for (name, label) in [("out/parts.md", "Oslo north"), ("out/parts.html", ">Oslo north</text>")] {
        let text = folder.read(name);
        let (told, _) = text.split_once("Where the numbers come from").expect("a report");
        assert!(told.contains(label) && !told.contains("\\n"), "{told}");
    }
}

#[test]
fn a_bridge_whose_query_does_not_say_which_side_is_good_shows_neither() {
    let folder = Folder::new();
    let header = "[[chart]]\ntype = \"waterfall\"\nx = \"step\"\ny = \"n\"";
    let statement = "select step, n from (values (1, '2025', 100), (2, 'Volume', 40), (3, 'Price', -10), \
                     (4, '2026', 130)) t(place, step, n) order by place";
    folder.lake("").write("queries/bridge.sql", query("bridge", header, statement));
    folder.cxlake(["report", "bridge", "--format", "xlsx", "-o", "out"]).prints();
    let chart = parts(&folder.at("out/bridge.xlsx")).remove("xl/charts/chart1.xml").expect("a chart");
    let chart = String::from_utf8_lossy(&chart);
    // Blue and green are good, orange is bad.
    let has = ["9236E0", "2B1A86", "0072B2", "14532D", "C04F00"].map(|colour| chart.contains(colour));
    assert_eq!(has, [true, true, false, false, false], "{chart}");
}

#[test]
fn a_number_without_another_beside_it_is_a_dot_on_its_line() {
    let folder = Folder::new();
    let header = "[[chart]]\ntype = \"line\"\nx = \"month\"\ny = \"missing\"\ncolor = \"office\"";
    let statement = "select cast(month as date) as month, office, missing from (values \
                     ('2026-01-01', 'Delhi', 2), ('2026-01-01', 'Osaka', 4), ('2026-02-01', 'Oslo', 1), \
                     ('2026-02-01', 'Osaka', 4), ('2026-03-01', 'Osaka', 3)) t(month, office, missing) \
                     order by month, office";
    folder.lake("").write("queries/gaps.sql", query("gaps", header, statement));
    folder.cxlake(["report", "gaps", "--format", "xlsx", "-o", "out"]).prints();
    let chart = parts(&folder.at("out/gaps.xlsx")).remove("xl/charts/chart1.xml").expect("a chart");
    let chart = String::from_utf8_lossy(&chart);
    let has_dots = |line: &str| line.contains("<c:symbol val=\"circle\"/>");
    // Of Delhi, Osaka and Oslo, in the order of their first rows.
    assert_eq!(chart.split("<c:ser>").skip(1).map(has_dots).collect::<Vec<_>>(), [true, false, true], "{chart}");
}

#[test]
fn what_is_written_as_zero_has_no_colour_in_a_workbook() {
    let folder = Folder::new();
    let header =
        "[columns]\nn = { format = \"+#,##0\", good = \"up\" }\nshare = { format = \"+0.0%\", good = \"down\" }";
    let statement = "select * from (values (0.4, 0.0004), (-3.0, 0.2)) t(n, share)";
    folder.lake("").write("queries/change.sql", query("change", header, statement));
    folder.cxlake(["report", "change", "--format", "xlsx", "-o", "out"]).prints();
    let cells = parts(&folder.at("out/change.xlsx")).remove("xl/worksheets/sheet1.xml").expect("the first sheet");
    let cells = String::from_utf8_lossy(&cells).replace("&lt;", "<").replace("&gt;", ">");
    for rule in ["<=-0.5)", ">=0.5)", "<=-0.0005)", ">=0.0005)"] {
        assert!(cells.contains(rule), "{rule}: {cells}");
    }
}

/// The parts of a workbook.
fn parts(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = ZipArchive::new(File::open(path).expect("a file")).expect("an archive");
    let names: Vec<String> = archive.file_names().map(|name| name.expect("a name").into_owned()).collect();
    let read = |name: String| {
        let mut bytes = Vec::new();
        archive.by_name(&name).expect("a part").read_to_end(&mut bytes).expect("its bytes");
        (name, bytes)
    };
    names.into_iter().map(read).collect()
}

#[test]
fn a_workbook_has_native_charts_and_formats_that_follow_its_values() {
    let folder = Folder::new();
    cxlake(["report", "cfo-monthly", "--format", "xlsx", "-o", folder.path().to_str().expect("a path")]).prints();
    let path = folder.at("cfo-monthly.xlsx");
    let (parts, names) = (parts(&path), book(&path).sheet_names());
    assert_eq!(parts.keys().filter(|part| part.starts_with("xl/charts/chart")).count(), 4);
    let with_rules = |kind: &str| {
        let has_rule = |number: usize| {
            let text = String::from_utf8_lossy(&parts[&format!("xl/worksheets/sheet{number}.xml")]);
            text.contains(&format!("<cfRule type=\"{kind}\""))
        };
        (1..).zip(&names).filter(|(number, _)| has_rule(*number)).map(|(_, name)| name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(with_rules("expression"), ["Cost per touch against the", "What moving spend would do"]);
    assert_eq!(with_rules("colorScale"), ["Map Index by Office and"]);
    assert!(names.iter().any(|name| name == "Charts"), "{names:?}");
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
        let (one, two) = (parts(&read("one")), parts(&read("two")));
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
