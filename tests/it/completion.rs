//! What Tab offers, case by case: `tests/data/completion.txt` says what is expected where.

use std::sync::Arc;

use cxlake::engine::{Engine, Limits, Mode, SqlText};
use cxlake::lake::discover;
use cxlake::query::run::{self, Given};
use cxlake::query::saved::Library;
use cxlake::shell::complete::knowledge::{Column, Table};
use cxlake::shell::complete::{Completion, Knowledge, Memory, complete, end_of_word, fill_at_leisure};
use cxlake::shell::prompt::{Coloured, Theme, commands};
use cxlake::storage::{Stores, Texts};

use super::harness::Folder;

const MANIFEST: &str = r#"
[table.offices]
path = "data/offices/"
columns = { office_id = "text", office = "text", region = "text", "Opened On" = "date" }

[table.accounts]
path = "data/accounts/"
columns = { account_id = "text", account = "text", segment = "text", office_id = "text", owner = "text", annual_revenue = "decimal(18,2)" }

[table.surveys]
path = "data/surveys/"
partition = { month = "date" }
columns = { response_id = "text", account_id = "text", office_id = "text", survey_type = "text", nps = "int?", csat = "int?", comment = "text?" }

[table.orders]
path = "data/orders/"
columns = { id = "int", customer_id = "int" }

[table.customers]
path = "data/customers/"
columns = { id = "int", name = "text" }

[table.notes]
path = "data/notes.parquet"

[table."customer-health"]
path = "data/health/"
columns = { account_id = "text", health = "float", band = "text" }

[metric.active_share]
arguments = ["active", "total"]
sql = "cast(active as double) / nullif(total, 0)"
"#;

const NPS_BY_OFFICE: &str = r#"-- +++
-- name = "nps-by-office"
-- title = "NPS"
-- description = "d"
-- uses = ["shared"]
-- [params.months]
-- type = "int"
-- default = 3
-- [params.survey_types]
-- type = "list<text>"
-- default = "all"
-- values = ["pulse", "relationship", "it is one"]
-- +++
select 1 as a
"#;

const SHARED: &str = r#"-- +++
-- name = "shared"
-- title = "S"
-- description = "d"
-- [params.regions]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select region, office from offices order by 1"
-- +++
select 1 as a
"#;

const MONTHLY: &str = r#"-- +++
-- name = "monthly"
-- title = "M"
-- description = "d"
-- [params.months]
-- type = "int"
-- [params.who]
-- type = "list<text>"
-- default = "all"
-- values = ["L'Or eal", "O'Brien", "it's one"]
-- +++
select 1 as a
"#;

/// A lake whose prompt has learnt what it can.
struct Learnt {
    _folder: Folder,
    memory: Memory,
}

impl Learnt {
    fn new() -> Self {
        let folder = Folder::new();
        folder.lake(MANIFEST);
        for (name, text) in [("nps-by-office", NPS_BY_OFFICE), ("shared", SHARED), ("monthly", MONTHLY)] {
            folder.write(&format!("queries/{name}.sql"), text);
        }
        let office = "select '1' as office_id, 'A' as office, region, date '2020-01-01' as \"Opened On\"";
        folder
            .parquet("data/offices/a.parquet", &format!("{office} from (values ('NA'), ('EMEA'), ('APAC')) t(region)"));
        folder.parquet("data/notes.parquet", "select 1 as note_id, 'x' as theme");
        folder.write("my file.sql", "select 1");
        folder.write("my folder/it's one.sql", "select 1");
        let survey = "select '1' as response_id, '1' as account_id, '1' as office_id, kind as survey_type, 1 as nps, 1 as csat, '' as comment";
        for (month, kinds) in [("2026-08-01", "('pulse')"), ("2026-09-01", "('relationship'), ('it''s one')")] {
            let path = format!("data/surveys/month={month}/a.parquet");
            folder.parquet(&path, &format!("{survey} from (values {kinds}) t(kind)"));
        }
        let runtime = tokio::runtime::Runtime::new().expect("threads");
        let memory = runtime.block_on(async {
            let lake = Arc::new(discover::open(folder.path()).expect("a lake"));
            let stores = Arc::new(Stores::new(tokio::runtime::Handle::current()));
            let library = Library::new(Texts::new(Arc::clone(&stores), lake.queries.clone()));
            let engine = Engine::open(lake, stores, folder.path().to_owned(), &Limits::of_machine(), Mode::Full);
            let engine = engine.expect("a session");
            let memory = Memory::of(&engine, commands());
            fill_at_leisure(memory.clone(), engine.clone(), library).await;
            let view = SqlText::typed("create view recent as select account_id, nps as score from surveys");
            run::statement(&engine, &view, &Given::new()).await.expect("a view");
            let file = SqlText::typed("select * from 'data/notes.parquet'");
            let (plan, _) = run::statement(&engine, &file, &Given::new()).await.expect("a file");
            memory.learn(&plan);
            let given = Given::from([("months".to_owned(), vec!["3".to_owned()])]);
            memory.refresh(&engine, &given).await;
            memory
        });
        Self { _folder: folder, memory }
    }
}

/// What is offered at the `|` of a text.
fn offered(text: &str, knowledge: &Knowledge) -> Completion {
    let place = text.find('|').expect("a cursor");
    complete(&text.replacen('|', "", 1), place, knowledge)
}

/// What is wrong with what is offered, if anything.
fn wrong(kind: char, expected: &str, text: &str, completion: &Completion) -> Option<String> {
    let place = text.find('|').expect("a cursor");
    let offered: Vec<&str> = completion.candidates.iter().map(|candidate| candidate.text.as_str()).collect();
    let wanted: Vec<&str> = expected.split(" · ").filter(|name| !name.is_empty()).collect();
    let is_met = match kind {
        '=' => offered == wanted,
        '^' => offered.starts_with(&wanted),
        '+' => wanted.iter().all(|name| offered.contains(name)),
        '-' => wanted.iter().all(|name| !offered.contains(name)),
        '<' => &text[completion.start..place] == expected,
        other => panic!("`{other}` says nothing"),
    };
    (!is_met).then(|| {
        let shown: Vec<&str> = offered.into_iter().take(30).collect();
        format!("{text}\n  {kind} {expected}\n  offered: {}", shown.join(" · "))
    })
}

#[test]
fn at_every_place_tab_offers_what_can_stand_there() {
    let learnt = Learnt::new();
    let knowledge = learnt.memory.knowledge();
    let specification = include_str!("../data/completion.txt");
    let (mut failures, mut cases, mut text) = (Vec::new(), 0, String::new());
    for line in specification.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let Some(expectation) = line.strip_prefix("  ").filter(|rest| !rest.is_empty()) else {
            text = line.replace('⏎', "\n");
            cases += 1;
            continue;
        };
        let (kind, expected) = (expectation.chars().next().expect("a sign"), expectation.get(2..).unwrap_or_default());
        failures.extend(wrong(kind, expected, &text, &offered(&text, &knowledge)));
    }
    assert!(cases >= 100, "{cases} cases");
    assert!(failures.is_empty(), "{} of {cases} cases:\n\n{}", failures.len(), failures.join("\n\n"));
}

#[test]
fn completion_survives_any_text_and_any_place() {
    let learnt = Learnt::new();
    let knowledge = learnt.memory.knowledge();
    let specification = include_str!("../data/completion.txt");
    for line in specification.lines().filter(|line| line.contains('|')) {
        let text = line.replacen('|', "", 1).replace('⏎', "\n");
        for place in (0..=text.len()).filter(|place| text.is_char_boundary(*place)) {
            for cut in [&text, &text[..place]] {
                let completion = complete(cut, place, &knowledge);
                assert!(completion.start <= place && cut.is_char_boundary(completion.start), "{cut} at {place}");
                assert!(completion.candidates.len() <= 300, "{cut} at {place}");
                let end = end_of_word(cut, place);
                assert!(end >= place && cut.is_char_boundary(end), "{cut} at {place}");
                let painted = Coloured::new(cut, &knowledge).painted(Theme::Light, Some(place));
                assert!(painted.len() >= cut.len(), "{cut} at {place}");
            }
        }
    }
}

/// A lake of 500 tables of 200 columns.
fn large() -> Knowledge {
    let mut knowledge = Knowledge::default();
    for table in 0..500 {
        let columns = (0..200).map(|column| Column {
            name: format!("column_{column}_of_{table}"),
            kind: "text".to_owned(),
            origin: None,
        });
        knowledge.add_table(&format!("table_{table}"), Table { remark: String::new(), columns: columns.collect() });
    }
    knowledge
}

#[test]
fn in_a_lake_of_100_000_columns_only_those_in_scope_are_looked_at() {
    let knowledge = large();
    for (text, looked_at) in [
        // The columns of the tables, their names, and the words that a value can begin with.
        ("select | from table_7", 200 + 1),
        ("select column_9| from table_7 t join table_8 u on t.x = u.y", 2 * 200 + 2 + 12),
        ("select t.| from table_7 t", 200),
        ("select * from |", 500),
        ("select column_17_of_33|", 11 + 12),
        ("select column_1|", 300 + 12),
    ] {
        let completion = offered(text, &knowledge);
        assert_eq!(completion.looked_at, looked_at, "{text}");
        assert!(!completion.candidates.is_empty(), "{text}");
    }
}

#[test]
fn more_candidates_than_anybody_reads_are_cut() {
    let completion = offered("select * from tab|", &large());
    assert_eq!(completion.candidates.len(), 300);
}
