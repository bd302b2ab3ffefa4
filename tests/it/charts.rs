//! Charts: every one of the sample lake's saved queries as SVG, PNG and characters, and small ones whole.

use std::path::Path;
use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Rect};
use resvg::usvg::{Group, Node, Options, Tree, fontdb};

use super::harness::{Folder, cxlake, repository};

/// Pixels by which a text may stand over the edge: a letter's own slant.
const SLANT: f32 = 1.0;

/// The saved queries that have charts, with how many each has.
fn charted() -> Vec<(String, usize)> {
    let mut queries: Vec<(String, usize)> = std::fs::read_dir(repository().join("queries"))
        .expect("the folder of queries")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a query");
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, text.lines().filter(|line| *line == "-- [[chart]]").count())
        })
        .filter(|(_, charts)| *charts > 0)
        .collect();
    queries.sort();
    queries
}

/// Draws every chart of every saved query into the folder, in each of these forms; gives the files' names without their endings.
fn draw_all(folder: &Path, endings: &[&str]) -> Vec<String> {
    let mut script = String::new();
    let mut names = Vec::new();
    for (query, charts) in charted() {
        script += &format!("\\run {query}\n");
        for chart in 1..=charts {
            let name = format!("{query}-{chart}");
            for ending in endings {
                script += &format!("\\o {}/{name}.{ending}\n\\chart {chart}\n", folder.display());
            }
            names.push(name);
        }
    }
    cxlake(["-q", "--format", "csv"]).stdin(script).prints();
    names
}

fn fonts() -> Options<'static> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(notosans::REGULAR_TTF.to_vec());
    fonts.load_font_data(notosans::BOLD_TTF.to_vec());
    Options { fontdb: Arc::new(fonts), font_family: "Noto Sans".to_owned(), ..Options::default() }
}

/// Where the texts of a picture stand.
fn texts(group: &Group, found: &mut Vec<(String, Rect)>) {
    for node in group.children() {
        match node {
            Node::Group(group) => texts(group, found),
            Node::Text(text) => {
                let words: String = text.chunks().iter().map(resvg::usvg::TextChunk::text).collect();
                found.push((words, text.abs_bounding_box()));
            }
            _ => {}
        }
    }
}

/// What is wrong with a picture: it must be XML that stands alone, say what it is, and keep its texts on the canvas and apart.
fn faults(svg: &str, options: &Options<'_>) -> Vec<String> {
    let mut faults = Vec::new();
    let document = roxmltree::Document::parse(svg).expect("XML");
    let root = document.root_element();
    let of = |name: &str| root.children().find(|child| child.has_tag_name(("http://www.w3.org/2000/svg", name)));
    for name in ["title", "desc"] {
        let id = of(name).and_then(|child| child.attribute("id")).unwrap_or_default();
        let text = of(name).and_then(|child| child.text()).unwrap_or_default();
        if text.trim().is_empty() || !root.attribute("aria-labelledby").is_some_and(|ids| ids.contains(id)) {
            faults.push(format!("no {name}"));
        }
    }
    if root.attribute("role") != Some("img") {
        faults.push("no role".to_owned());
    }
    for node in document.descendants() {
        let is_outside = |value: &str| value.contains("://") || value.starts_with("//");
        if node.has_tag_name("script") || node.attributes().any(|attribute| is_outside(attribute.value())) {
            faults.push(format!("{:?} reaches out", node.tag_name()));
        }
        if node.attributes().any(|attribute| attribute.value().contains("NaN") || attribute.value().contains("inf")) {
            faults.push(format!("{:?} has no number", node.tag_name()));
        }
    }
    // The measurer knows no custom properties.
    let plain = regex::Regex::new(r"var\(--cx-[a-z0-9-]+,(#[0-9a-f]{6})\)").expect("a pattern").replace_all(svg, "$1");
    let tree = Tree::from_str(&plain, options).expect("a picture");
    let mut found = Vec::new();
    texts(tree.root(), &mut found);
    for (place, (text, at)) in found.iter().enumerate() {
        let (width, height) = (tree.size().width(), tree.size().height());
        if at.left() < -SLANT || at.right() > width + SLANT || at.top() < -SLANT || at.bottom() > height + SLANT {
            faults.push(format!("`{text}` leaves the canvas: {at:?}"));
        }
        for (other, beside) in &found[..place] {
            let across = at.right().min(beside.right()) - at.left().max(beside.left());
            let down = at.bottom().min(beside.bottom()) - at.top().max(beside.top());
            // Lines of text overlap by the room above and below their letters.
            if across > 2.0 && down > at.height() / 2.0 {
                faults.push(format!("`{text}` lies on `{other}`"));
            }
        }
    }
    faults
}

#[test]
fn every_chart_of_every_saved_query_can_be_read_and_is_the_same_again() {
    let (folder, again) = (Folder::new(), Folder::new());
    let names = draw_all(folder.path(), &["svg", "png", "txt"]);
    // Pictures are painted from the SVG alone; a second one of each would take most of the time.
    assert_eq!(draw_all(again.path(), &["svg", "txt"]), names);
    assert!(names.len() > 40, "{names:?}");
    let options = fonts();
    let mut wrong = Vec::new();
    for name in &names {
        for ending in ["svg", "txt"] {
            let file = format!("{name}.{ending}");
            let read = |folder: &Folder| std::fs::read(folder.path().join(&file)).expect("a chart");
            assert!(read(&folder) == read(&again), "{file} is another one the second time");
        }
        let read = |ending: &str| std::fs::read(folder.path().join(format!("{name}.{ending}"))).expect("a chart");
        let svg = String::from_utf8(read("svg")).expect("text");
        wrong.extend(faults(&svg, &options).into_iter().map(|fault| format!("{name}: {fault}")));
        let picture = Pixmap::decode_png(&read("png")).expect("a PNG");
        let document = roxmltree::Document::parse(&svg).expect("XML");
        let side = |name: &str| document.root_element().attribute(name).and_then(|side| side.parse::<f64>().ok());
        let (width, height) = (side("width").expect("a width"), side("height").expect("a height"));
        assert_eq!(picture.width(), 1440, "{name}");
        assert!((f64::from(picture.height()) - height * 1440.0 / width).abs() <= 1.0, "{name}");
        let text = String::from_utf8(read("txt")).expect("text");
        wrong.extend(
            text.lines().filter(|line| line.chars().count() > 80).map(|line| format!("{name}: too wide: {line}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A small chart as SVG, whole.
fn svg(statement: &str, chart: &str) -> String {
    let folder = Folder::new();
    let file = folder.path().join("chart.svg");
    cxlake(["-q"]).stdin(format!("\\o {}\n{statement} \\chart {chart}\n", file.display())).prints();
    std::fs::read_to_string(file).expect("a chart")
}

/// Values of a table that a test draws.
fn of(values: &str, columns: &str) -> String {
    format!("select * from (values {values}) t({columns})")
}

#[test]
fn bars_begin_at_zero_and_what_is_missing_is_hatched_and_named() {
    let drawn =
        svg(&of("('Paris & <co>', 40.0), ('Oslo', -20.0), ('Rome', null), ('Bonn', 0.0)", "office, nps"), "bar");
    insta::assert_snapshot!("chart_bar", drawn);
    let document = roxmltree::Document::parse(&drawn).expect("XML");
    let told = |of: &str| {
        let marks = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "rect")));
        let tip =
            |node: &roxmltree::Node<'_, '_>| node.first_element_child().and_then(|tip| tip.text()).map(str::to_owned);
        let marks: Vec<roxmltree::Node<'_, '_>> =
            marks.filter(|node| tip(node).is_some_and(|tip| tip.starts_with(of))).collect();
        assert_eq!(marks.len(), 1, "{of}");
        (
            marks[0].attribute("fill").unwrap_or_default().to_owned(),
            marks[0].attribute("width").unwrap_or_default().to_owned(),
        )
    };
    assert_eq!(told("Rome").0, "url(#cx-gap)");
    assert_eq!(told("Bonn").1, "0");
    assert!(told("Paris & <co>").1.parse::<f64>().expect("a width") > 100.0);
}

#[test]
fn a_line_has_gaps_where_values_are_missing() {
    let values = "(date '2026-01-01', 'up', 10.0), (date '2026-02-01', 'up', 20.0), (date '2026-03-01', 'up', null), \
                  (date '2026-04-01', 'up', 40.0), (date '2026-05-01', 'up', 50.0), (date '2026-01-01', 'down', 50.0), \
                  (date '2026-02-01', 'down', 30.0), (date '2026-03-01', 'down', 35.0), (date '2026-05-01', 'down', 5.0)";
    let drawn = svg(&of(values, "month, series, n"), "line month n series");
    insta::assert_snapshot!("chart_line", drawn);
}

#[test]
fn a_heat_map_is_tinted_from_the_middle_and_hatches_cells_without_a_value() {
    let values =
        "('Oslo', 2024, -5.0), ('Paris', 2024, 10.5), ('Oslo', 2025, 0.0), ('Paris', 2025, 20.0), ('Rome', 2025, null)";
    insta::assert_snapshot!("chart_heatmap", svg(&of(values, "office, year, nps"), "heatmap year office nps"));
}

#[test]
fn a_waterfall_has_totals_at_its_ends_where_the_steps_between_add_up() {
    let bridge = of("('before', 100.0), ('volume', 30.0), ('rate', -10.0), ('now', 120.0)", "step, amount");
    insta::assert_snapshot!("chart_waterfall", svg(&bridge, "waterfall"));
    let printed = |statement: &str| cxlake(["-q"]).stdin(format!("{statement} \\chart waterfall\n")).prints();
    assert!(!printed(&bridge).contains("Sum"));
    let parts = of("('volume', 30.0), ('mix', 5.0), ('rate', -10.0)", "step, amount");
    assert!(
        printed(&parts).lines().any(|line| line.starts_with("Sum") && line.ends_with(" 25")),
        "{}",
        printed(&parts)
    );
}

#[test]
fn a_bridge_without_one_of_its_steps_is_not_drawn_and_says_why() {
    let bridge = of("('2025', 100.0), ('Volume', null), ('Price', 10.0), ('2026', 130.0)", "step, amount");
    let said = cxlake(["-c", &format!("{bridge} \\chart waterfall")]).run();
    assert_eq!((said.code, said.text().as_str()), (Some(2), ""));
    assert_eq!(
        said.stderr,
        "error: the step `Volume` of a waterfall has no value\n\n\
         hint: steps add up only when all of them are there: leave it out in the statement, or draw bars\n"
    );
}

#[test]
fn a_line_is_not_drawn_through_several_values_at_one_place() {
    let said = |values: &str, chart: &str| {
        let values = of(values, "month, n, measure");
        cxlake(["-c", &format!("{values} \\chart line {chart}")]).run()
    };
    let both = "(date '2026-01-01', 21.1, 'NPS'), (date '2026-02-01', 14.0, 'NPS'), \
                (date '2026-01-01', 66.7, 'CSAT'), (date '2026-02-01', 53.7, 'CSAT')";
    let refused = said(both, "month n");
    assert_eq!((refused.code, refused.text().as_str()), (Some(2), ""));
    assert_eq!(
        refused.stderr,
        "error: a line would join several values at `Jan 2026`, and no column tells them apart\n\n\
         hint: name one that does: `\\chart line X NUMBERS GROUPS`, or `color` in the query's header\n"
    );
    assert_eq!(said(both, "month n measure").code, Some(0));
    let twice = said(&format!("{both}, (date '2026-02-01', 50.0, 'CSAT')"), "month n measure");
    assert!(twice.stderr.starts_with("error: a line would join several values of `CSAT` at `Feb 2026`, "), "{twice}");
    // A value that is missing is joined to nothing.
    assert_eq!(said(&format!("{both}, (date '2026-02-01', null, 'CSAT')"), "month n measure").code, Some(0));
}

#[test]
fn points_of_groups_that_lie_apart_are_not_said_to_go_together_the_other_way() {
    let points = |apart: i32| {
        format!(
            "select value % 5 + {apart} * (value % 2) as x, value % 5 - {apart} * (value % 2) as y, \
             concat('g', value % 2) as place from generate_series(1, 20)"
        )
    };
    // Within each group both rise together, and the one with the larger x has the smaller y.
    let drawn = svg(&points(20), "scatter x y place");
    assert!(drawn.contains("20 points: ") && !drawn.contains("correlation"), "{drawn}");
    assert!(svg(&points(0), "scatter x y place").contains("Their correlation is +1.00."));
    assert!(svg(&points(20), "scatter x y").contains("Their correlation is -"));
    let one = svg(&of("('Oslo', 7, 216)", "office, n, score"), "scatter n score");
    assert!(one.contains("1 point: n 7, score 216."), "{one}");
}

#[test]
fn promoters_look_good_and_detractors_bad() {
    let classes =
        of("('EMEA', 'promoter', 0.6), ('EMEA', 'passive', 0.3), ('EMEA', 'detractor', 0.1)", "part, class, share");
    let drawn = svg(&classes, "stacked part share class");
    let document = roxmltree::Document::parse(&drawn).expect("XML");
    let marks = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "rect")));
    let fills: Vec<&str> = marks.filter_map(|mark| mark.attribute("fill")).collect();
    let first = |colour: &str| fills.iter().position(|fill| fill.contains(colour)).expect(colour);
    assert!(first("--cx-s1,") < first("--cx-s3,") && first("--cx-s3,") < first("--cx-s2,"), "{drawn}");
}

#[test]
fn a_heat_map_of_very_many_labels_reckons_with_the_cells_that_it_shows() {
    let pairs = "select concat('c', value) as c, concat('r', value) as r, value as n from generate_series(1, 30000)";
    let drawn = cxlake(["-q", "-c", &format!("{pairs} \\chart heatmap c r n")]).prints();
    // Heading, names of columns, rows, and what was too narrow.
    assert_eq!(drawn.lines().count(), 30_003);
    let told = "899970000 of 900000000 have no value: no row (899970000).";
    assert!(svg(pairs, "heatmap c r n").contains(told));
}

/// A saved query whose header has a chart of every kind.
const KINDS: &str = r#"-- +++
-- name = "kinds"
-- title = "Every kind"
-- description = "a chart of each"
-- [columns]
-- office = { title = "Office" }
-- month = { title = "Month" }
-- nps = { title = "NPS", format = "+0.0", good = "up", bands = [0, 30], missing = "why" }
-- cost = { title = "Cost", format = "currency" }
-- [[chart]]
-- type = "bar"
-- x = "nps"
-- y = "office"
-- color = "month"
-- [[chart]]
-- type = "stacked_bar"
-- x = "cost"
-- y = "office"
-- color = "month"
-- [[chart]]
-- type = "line"
-- x = "month"
-- y = "nps"
-- color = "office"
-- low = "low"
-- high = "high"
-- total = "All"
-- [[chart]]
-- type = "dot"
-- x = "nps"
-- y = "office"
-- color = "month"
-- low = "low"
-- high = "high"
-- [[chart]]
-- type = "heatmap"
-- x = "month"
-- y = "office"
-- color = "nps"
-- [[chart]]
-- type = "scatter"
-- x = "cost"
-- y = "nps"
-- color = "office"
-- label = "office"
-- [[chart]]
-- type = "bullet"
-- x = "nps"
-- y = "office"
-- target = "goal"
-- [[chart]]
-- type = "waterfall"
-- x = "office"
-- y = "cost"
-- [[chart]]
-- type = "sparkline"
-- x = "month"
-- y = "nps"
-- color = "office"
-- +++
select * from (values
    ('All', date '2026-01-01', 20.0, 100.5, 10.0, 30.0, 25.0, null),
    ('All', date '2026-02-01', 25.0, 100.5, 15.0, 35.0, 25.0, null),
    ('All', date '2026-03-01', 30.0, 120.5, 20.0, 40.0, 25.0, null),
    ('Oslo', date '2026-01-01', -20.0, 10.0, -40.0, 0.0, 10.0, null),
    ('Oslo', date '2026-02-01', null, 12.0, null, null, 10.0, 'too few answers'),
    ('Oslo', date '2026-03-01', -5.0, 14.0, -25.0, 15.0, 10.0, null),
    ('Paris', date '2026-01-01', 45.0, 80.0, 30.0, 60.0, 40.0, null),
    ('Paris', date '2026-02-01', 50.0, 81.0, 35.0, 65.0, 40.0, null),
    ('Paris', date '2026-03-01', 38.0, 82.0, 20.0, 50.0, 40.0, null)
) t(office, month, nps, cost, low, high, goal, why)
"#;

#[test]
fn a_saved_query_is_drawn_in_every_chart_of_its_header() {
    let folder = Folder::new();
    folder.lake("").write("queries/kinds.sql", KINDS);
    let drawn = folder.cxlake(["-q"]).stdin("\\run kinds\n\\chart\n").prints();
    let charts = drawn.split_once("\n\n").map_or(drawn.as_str(), |(_, charts)| charts);
    insta::assert_snapshot!("chart_kinds", charts);
    for chart in 1..=9 {
        let file = folder.at(&format!("{chart}.svg"));
        let script = format!("\\run kinds\n\\o {}\n\\chart {chart}\n", file.display());
        folder.cxlake(["-q"]).stdin(script).prints();
        let svg = std::fs::read_to_string(&file).expect("a chart");
        assert_eq!(faults(&svg, &fonts()), Vec::<String>::new(), "chart {chart}");
    }
}

#[test]
fn pictures_say_which_chart_they_want_and_what_has_no_form() {
    let folder = Folder::new();
    folder.lake("").write("queries/kinds.sql", KINDS);
    let told = |script: &str| folder.cxlake(["-q", "--format", "csv"]).stdin(script).run().stderr;
    assert!(
        told("\\run kinds\n\\o chart.svg\n\\chart\n")
            .contains("error: the query has 9 charts, and a picture holds one\n"),
    );
    assert!(told("\\run kinds\n\\chart 10\n").contains("error: there is no chart 10\n"));
    assert!(told("select 1 as n;\n\\chart 1\n").contains("hint: only saved queries have charts of their own"));
    assert_eq!(folder.names(), ["cxlake.toml", "queries"]);
}
