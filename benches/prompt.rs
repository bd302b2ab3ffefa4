//! How long a key takes at the prompt: candidates for Tab in a lake of 500 tables of 200 columns, and the colours of a statement of 200 lines.
//!
//! The aims are 20 ms for candidates and 16 ms for colours, which are worked out anew with every letter. `benches/README.md` says how to run this.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use cxlake::shell::complete::knowledge::{Column, Table};
use cxlake::shell::complete::{Knowledge, complete};
use cxlake::shell::prompt::{Coloured, Theme};

const TABLES: usize = 500;
const COLUMNS: usize = 200;
const LINES: usize = 200;

fn lake() -> Knowledge {
    let mut knowledge = Knowledge::default();
    for table in 0..TABLES {
        let columns = (0..COLUMNS).map(|column| Column {
            name: format!("column_{column}_of_{table}"),
            kind: "text".to_owned(),
            origin: None,
        });
        knowledge.add_table(&format!("table_{table}"), Table { remark: String::new(), columns: columns.collect() });
    }
    knowledge
}

/// A statement of CTEs that join tables, as many lines as are wanted; the last one is still being typed.
fn statement() -> String {
    let mut lines = vec!["with first as (select 1 as one)".to_owned()];
    let mut number = 0;
    while lines.len() < LINES - 3 {
        lines.extend([
            format!(", part_{number} as ("),
            format!(
                "    select t.column_1_of_{number}, count(distinct u.column_2_of_{}) as n, 'text' as kind -- a note",
                number + 1
            ),
            format!(
                "    from table_{number} t join table_{} u on (t.column_1_of_{number} = u.column_3_of_{})",
                number + 1,
                number + 1
            ),
            format!(
                "    where t.column_4_of_{number} in ('a', 'b') and coalesce(u.column_5_of_{}, 0) > 1.5",
                number + 1
            ),
            "    group by 1".to_owned(),
            ")".to_owned(),
        ]);
        number += 1;
    }
    lines.extend(["select p.n".to_owned(), format!("from part_{} p", number - 1), "where p.".to_owned()]);
    lines.join("\n")
}

fn completion(criterion: &mut Criterion) {
    let (knowledge, long) = (lake(), statement());
    let mut group = criterion.benchmark_group("candidates");
    for (name, text) in [
        ("columns of a table", "select  from table_7"),
        ("columns of any table", "select column_1"),
        ("tables", "select * from table_4"),
        ("in 200 lines", long.as_str()),
    ] {
        let place = text.find("  from").map_or(text.len(), |at| at + 1);
        assert!(!complete(text, place, &knowledge).candidates.is_empty(), "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| complete(black_box(text), place, &knowledge)));
    }
}

fn colours(criterion: &mut Criterion) {
    let (knowledge, text) = (lake(), statement());
    assert!(text.lines().count() >= LINES, "{}", text.lines().count());
    criterion.bench_function("colours of 200 lines", |bencher| {
        bencher.iter(|| {
            let coloured = Coloured::new(black_box(&text), &knowledge);
            coloured.painted(Theme::Dark, Some(text.len()))
        });
    });
}

criterion_group!(benches, completion, colours);
criterion_main!(benches);
