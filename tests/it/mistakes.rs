//! The mistakes that analysts make most, and what is said of each: what, where, how to mend it.

use std::fmt::Write as _;

use super::harness::{Folder, cxlake};

/// Statements that are wrong, by what is wrong with them.
const MISTAKES: &[(&str, &[&str])] = &[
    (
        "columns",
        &[
            "select ofice_id from offices",
            "select o.ofice_id from offices o",
            "select x.office_id from offices o",
            "select nps from offices",
            "select ofice from offices o join surveys s using (office_id)",
            "select office_id from offices o join surveys s on o.office_id = s.office_id",
            "select city as c from offices where c = 'x'",
            "select city as c, upper(c) from offices",
            "select sum(nps) n, n / count(*) from surveys",
            "select * from offices where city = \"Berlin\"",
            "select \"City\" from offices",
            "select * from offices order by all",
            "select city from offices limit city",
            "select nosuch",
            "select t.* from offices o",
            "select a.b.c.d.e from offices",
            "select struct(1).a",
            "select revenue / 1_000 from accounts",
            "select * replace (upper(city) as citi) from offices",
            "from offices where city = 'Oslo'",
        ],
    ),
    (
        "tables",
        &[
            "select city from ofices",
            "select city\nfrom offices o\njoin surveyz s\n  on true",
            "select * from 'nope.parquet'",
            "select * from 'README.md'",
            "drop table nosuch",
            "create table offices as select 1",
            "select * from offices natural join (select 1 as z) t",
            "select 1 from offices o, accounts o",
            "select 1\nfrom accounts a\njoin offices o on a.office_id",
            "with r as (select 1 as n union all select n + 1 from r where n < 5) select * from r",
            "with recursive r as (select n + 1 from r) select * from r",
            "with c as (select 1), c as (select 2) select * from c",
            "update offices set city = 'x'",
            "insert into offices select * from offices",
            "use offices",
            "create index i on offices (city)",
            "select * from offices tablesample 10 percent",
        ],
    ),
    (
        "functions, types and settings",
        &[
            "select cuont(*) from offices",
            "select zzz(1)",
            "select sum(city) from offices",
            "select avg(nps > 8) from surveys",
            "select lower(5)",
            "select upper(city, office) from offices",
            "select upper() from offices",
            "select round(1.5, 1, 2)",
            "select substr(city) from offices",
            "select lag(fte) from offices",
            "select sum(fte) over w from offices",
            "select max(*) from offices",
            "select unnest(5)",
            "select cast(city as itn) from offices",
            "select city::strng from offices",
            "set datafusion.execution.batchsize = 10",
            "set share_subplans = false",
            "set datafusion.execution.batch_size = 'x'",
            "show datafusion.execution.batchsize",
            "select date_trunc('mnth', now())",
            "select extract(yer from now())",
        ],
    ),
    (
        "groups and windows",
        &[
            "select office_id, city, count(*) from offices group by office_id",
            "select office_id, count(*) from offices",
            "select *, count(*) from offices",
            "select office_id from offices where count(*) > 1",
            "select city from offices having city = 'x'",
            "select city as c, count(*) as n from offices group by c having m > 1",
            "select sum(count(*)) from offices",
            "select city from offices where row_number() over (order by city) = 1",
            "select sum(fte) over (rows between 1 following and 1 preceding) from offices",
        ],
    ),
    (
        "clauses and subqueries",
        &[
            "select city from offices limit -1",
            "select city from offices limit 1.5",
            "select city from offices order by 3",
            "select city from offices order by 0",
            "select city from offices group by 3",
            "select distinct city from offices order by fte",
            "select 1, 2 union select 1",
            "with recursive r as (select 1 as n union all select n + 1, 2 from r) select * from r",
            "values (1, 2), (3)",
            "create view v as select 1 as a, 2 as a",
            "select a from (select 1 as a, 2 as a)",
            "select (select city from offices) as x",
            "select * from offices where city in (select city, office_id from offices)",
            "select top 5 * from offices",
            "select * from offices fetch first 5 rows only",
            "select *",
            "copy offices to 'x.xlsx'",
        ],
    ),
    (
        "types and values",
        &[
            "select 1 / 0",
            "select cast('abc' as int)",
            "select cast(city as int) from offices",
            "select * from offices where office_id = 5",
            "select * from offices where fte > '1x'",
            "select * from offices where fte = ''",
            "select date '2026-13-01'",
            "select timestamp '2026-01-01 25:00'",
            "select * from offices where opened_on > '01.02.2026'",
            "select interval '1 mnth'",
            "select cast('maybe' as bool)",
            "select cast(300 as tinyint)",
            "select cast(99999.99 as decimal(4,2))",
            "select 1 = true",
            "select 'a' and true",
            "select 'a' + 'b'",
            "select city + 1 from offices",
            "select opened_on + opened_on from offices",
            "select now() - 'x'",
            "select not city from offices",
            "select -city from offices",
            "select city from offices where city",
            "select city from offices where city like 5",
            "select city from offices where city ~ '('",
            "select regexp_replace(city, '[', '') from offices",
            "select 5::interval",
            "select sqrt(-1)",
        ],
    ),
    (
        "syntax",
        &[
            "selct 1",
            "select * form offices",
            "select * from offices wher city = 'x'",
            "select city from offices gruop by city",
            "select city country region from offices",
            "select (1 + 2 from offices",
            "select (1 +\n  (2 * 3)\nfrom offices",
            "select 1 + 2) from offices",
            "select * from table",
            "select * from offices where city = 'x' and",
            "select 'abc from offices",
            "select \"abc from offices",
            "select city from offices where city = 'O'Brien'",
            "select city from offices where city = ‘x’",
            "select 1 /* never closed",
            "select sum(fte) over (order fte) from offices",
            "pivot offices on city",
        ],
    ),
    (
        "questions about queries",
        &["describe ofices", "summarize select cty from offices", "explain analyze\nselect cty from offices"],
    ),
];

/// Words of the engine that no analyst should have to know.
const ENGINE_WORDS: [&str; 22] = [
    "Utf8",
    "Int64",
    "Int32",
    "Float64",
    "Boolean",
    "Date32",
    "Decimal128",
    "Schema error",
    "SchemaError",
    "FieldNotFound",
    "Arrow error",
    "ArrowError",
    "DataFusion error",
    "datafusion error",
    "Error during planning",
    "Execution error",
    "physical plan",
    "Physical plan",
    "logical expression",
    "ParserError",
    "Internal error",
    "Diagnostic",
];

#[test]
fn every_mistake_is_told_with_its_place_and_in_the_words_of_analysts() {
    let mut told = String::new();
    let mut in_engine_words = Vec::new();
    for (family, statements) in MISTAKES {
        let _ = writeln!(told, "# {family}\n");
        for statement in *statements {
            let said = cxlake(["--quiet", "-c", statement]).run();
            assert!(matches!(said.code, Some(1 | 2)), "{statement} is fine:\n{said}");
            in_engine_words.extend(
                ENGINE_WORDS.iter().filter(|word| said.stderr.contains(**word)).map(|word| (*statement, *word)),
            );
            let _ = writeln!(told, "{statement}\n\n{}\n", said.stderr.trim_end());
        }
    }
    assert!(in_engine_words.is_empty(), "{in_engine_words:?}");
    insta::assert_snapshot!(told);
}

#[test]
fn what_only_the_parser_knows_is_told_without_its_words() {
    let values = "select * from (values (1, 2)) t(a, b)";
    assert_eq!(
        cxlake(["-c", &format!("{values} pivot (sum(a) for b in (1, 2))")]).told(1),
        "error: there is no PIVOT\n\nhint: write `sum(x) filter (where …)` for each column, or turn the result with `\\crosstab`\n"
    );
    assert_eq!(
        cxlake(["-c", &format!("{values} unpivot (x for y in (a, b))")]).told(1),
        "error: there is no UNPIVOT\n\nhint: write `select 'a' as name, a as value from t union all select 'b', b from t`\n"
    );
    let said =
        cxlake(["-c", "select * from offices match_recognize (order by fte pattern (a) define a as true)"]).told(1);
    assert!(said.starts_with("error: FROM takes tables, "), "{said}");
}

#[test]
fn all_columns_are_not_counted_as_one_value() {
    for count in ["count(distinct *)", "COUNT(distinct o.*)"] {
        assert_eq!(
            cxlake(["-c", &format!("select {count} from offices o")]).told(1),
            "error: `count` takes no `distinct *`\n\nhint: name the columns: `count(distinct (a, b))`\n"
        );
    }
    let rows = "select count(distinct (a, b)) as n from (values (1, 2), (1, 3), (1, 2)) t(a, b)";
    assert_eq!(cxlake(["--format", "csv", "-c", rows]).prints(), "n\n2\n");
}

#[test]
fn an_error_in_a_file_names_the_line_and_the_column_there() {
    let folder = Folder::new();
    folder.parquet("t.parquet", "select 1 as a");
    folder
        .write("a.sql", "-- a comment\nselect 1 as x; select 2 as y;\n/* two */ select\n\tb + 1\nfrom 't.parquet';\n");
    let said = folder.cxlake(["--format", "csv", "-f", "a.sql"]).run();
    assert_eq!(said.code, Some(1), "{said}");
    assert_eq!(
        said.stderr,
        "error: no column `b`\n  at a.sql:4:2\n  |     b + 1\n  |     ^\n\nhint: columns here: `a`\n"
    );
    folder.write("b.sql", "select 1 as x; select c from 't.parquet';\n");
    assert_eq!(
        folder.cxlake(["--quiet", "--format", "csv", "-o", "x.csv", "-f", "b.sql"]).run().stderr,
        "error: no column `c`\n  at b.sql:1:23\n  | select c from 't.parquet'\n  |        ^\n\nhint: columns here: `a`\n"
    );
}

#[test]
fn an_error_that_comes_while_a_statement_runs_has_its_place_too() {
    let folder = Folder::new();
    folder.parquet("t.parquet", "select 'x' as a");
    folder.write("a.sql", "select 1 as one;\n\nselect\n  cast(a as int)\nfrom 't.parquet';\n");
    let said = folder.cxlake(["--format", "csv", "-f", "a.sql"]).run();
    assert_eq!(
        said.stderr,
        "error: `x` is no int\n  at a.sql:4:3\n  |   cast(a as int)\n  |   ^^^^\n\n\
         hint: `try_cast(x as int)` gives null where there is none\n"
    );
}

#[test]
fn carets_stand_right_below_wide_letters_and_long_lines_are_cut_around_them() {
    assert_eq!(
        cxlake(["-c", "select '返事が遅い' as x, nosuch from offices"]).fails(1).lines().nth(2),
        Some("  |                           ^^^^^^")
    );
    let long = format!("select {}nosuch{} from offices", "city, ".repeat(60), ", city".repeat(60));
    let said = cxlake(["-c", &long]).fails(1);
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[1..3].iter().all(|line| line.chars().count() <= 120), "{said}");
    let at = lines[2].find('^').expect("carets");
    assert_eq!(lines[1].chars().skip(at).take(6).collect::<String>(), "nosuch", "{said}");
}

#[test]
fn how_far_dates_are_apart_is_said_for_days_and_months_and_is_right() {
    let said = cxlake(["-c", "select date_diff('month', now(), now())"]).told(1);
    let written: Vec<&str> = said.lines().last().expect("a hint").split('`').skip(1).step_by(2).collect();
    let [days, months] = written[..] else { panic!("{said}") };
    let select = format!(
        "select {days} as days, {months} as months from (values (timestamp '2025-11-30 10:00:00', date '2026-02-01')) t(earlier, later)"
    );
    assert_eq!(cxlake(["--format", "csv", "-c", &select]).prints(), "days,months\n63,3\n");
}

/// A statement as others write it, its error and hint, and what does the same here.
const OF_OTHERS: &[(&str, &str, &str, &str)] = &[
    (
        "select office from offices order by office collate nocase",
        "there is no COLLATE",
        "write `lower(x)`, as in `order by lower(x)`",
        "select office from offices order by lower(office)",
    ),
    (
        "select * from offices semi join accounts using (office_id)",
        "SEMI JOIN is written with its side",
        "write `left semi join`",
        "select * from offices left semi join accounts using (office_id)",
    ),
    (
        "select * from offices o anti join accounts a on o.office_id = a.office_id",
        "ANTI JOIN is written with its side",
        "write `left anti join`",
        "select * from offices o left anti join accounts a on o.office_id = a.office_id",
    ),
    (
        "select '{\"a\": 1}'->>'a'",
        "there is no `->>`: a text is not read as JSON",
        "`regexp_match(x, '\"a\": *([0-9]+)')[1]` takes a part of a text",
        "select regexp_match('{\"a\": 1}', '\"a\": *([0-9]+)')[1]",
    ),
    (
        "select 5 // 2",
        "there is no `//`",
        "`a / b` of whole numbers is whole, and of others `floor(a / b)`",
        "select 5 / 2, floor(5.5 / 2)",
    ),
    (
        "select 5 div 2",
        "there is no `div`",
        "`a / b` of whole numbers is whole, and of others `floor(a / b)`",
        "select 5 / 2",
    ),
    (
        "select * rename (office as o) from offices",
        "`*` takes no RENAME",
        "write `select * exclude (a), a as b`",
        "select * exclude (office), office as o from offices",
    ),
    (
        "create or replace temporary view v as select 1",
        "there is no TEMP",
        "leave it out: what `create` makes is gone with the session",
        "create or replace view v as select 1",
    ),
    (
        "create temp table t as select 1",
        "there is no TEMP",
        "leave it out: what `create` makes is gone with the session",
        "create table t as select 1",
    ),
    (
        "select count(distinct office, region) from offices",
        "`count(distinct …)` takes one argument",
        "put the columns into parentheses: `count(distinct (a, b))`",
        "select count(distinct (office, region)) from offices",
    ),
    (
        "unpivot offices on fte",
        "there is no UNPIVOT",
        "write `select 'a' as name, a as value from t union all select 'b', b from t`",
        "select 'a' as name, 1 as value union all select 'b', 2",
    ),
    (
        "select * from offices tablesample 10%",
        "there is no `tablesample`",
        "take a share of the rows with `where random() < 0.1`",
        "select * from offices where random() < 0.1",
    ),
    (
        "select * from offices using sample 10",
        "there is no `using sample`",
        "take a share of the rows with `where random() < 0.1`",
        "select * from offices where random() < 0.1",
    ),
    (
        "copy sales from 'x.csv'",
        "COPY writes files and reads none",
        "write `create table sales as from 'x.csv'`",
        "create table sales as from offices",
    ),
    (
        "select 'abc'[1:2]",
        "`[…]` takes from a list, and this is text",
        "of a text `substr(x, 1, 2)` takes a part",
        "select substr('abc', 1, 2)",
    ),
    (
        "select date_trunc('dow', now())",
        "`date_trunc` does not take `dow`",
        "`extract(dow from time)` gives it",
        "select extract(dow from now())",
    ),
    (
        "select * from offices o asof join accounts a match_condition (o.opened_on >= a.started_on) using (office_id)",
        "there is no `asof` join",
        "write `a left join b on a.id = b.id and b.time <= a.time` with \
         `qualify row_number() over (partition by a.id, a.time order by b.time desc) = 1`",
        "select o.office_id, a.account_id from offices o left join accounts a on o.office_id = a.office_id \
         and a.started_on <= o.opened_on \
         qualify row_number() over (partition by o.office_id, o.opened_on order by a.started_on desc) = 1",
    ),
    (
        "select * from offices o asof left join accounts a using (office_id)",
        "there is no `asof` join",
        "write `a left join b on a.id = b.id and b.time <= a.time` with \
         `qualify row_number() over (partition by a.id, a.time order by b.time desc) = 1`",
        "select o.office_id, a.account_id from offices o left join accounts a on o.office_id = a.office_id \
         and a.started_on <= o.opened_on \
         qualify row_number() over (partition by o.office_id, o.opened_on order by a.started_on desc) = 1",
    ),
    (
        "select * from offices o asof join accounts a using (office_id)",
        "there is no `asof` join",
        "write `a left join b on a.id = b.id and b.time <= a.time` with \
         `qualify row_number() over (partition by a.id, a.time order by b.time desc) = 1`",
        "select o.office_id, a.account_id from offices o left join accounts a on o.office_id = a.office_id \
         and a.started_on <= o.opened_on \
         qualify row_number() over (partition by o.office_id, o.opened_on order by a.started_on desc) = 1",
    ),
    (
        "select count(*) from accounts join offices",
        "a `join` says with ON or USING which rows belong together",
        "write `on a.id = b.id`, or `cross join` for every row with every other",
        "select count(*) from accounts cross join offices",
    ),
    (
        "select count(*) from accounts positional join offices",
        "a `join` says with ON or USING which rows belong together",
        "write `on a.id = b.id`, or `cross join` for every row with every other",
        "select count(*) from accounts cross join offices",
    ),
    (
        "select count(*) from (offices o left join accounts a) where o.fte > 5",
        "a `join` says with ON or USING which rows belong together",
        "write `on a.id = b.id`, or `cross join` for every row with every other",
        "select count(*) from accounts cross join offices",
    ),
    (
        "with c as materialized (select 1) select * from c",
        "there is no MATERIALIZED",
        "leave it out: a CTE that is read more than once is kept where that costs less",
        "with c as (select 1 as a) select * from c",
    ),
    (
        "with b as (select 1), c as not materialized (select 1) select * from c",
        "there is no MATERIALIZED",
        "leave it out: a CTE that is read more than once is kept where that costs less",
        "with c as (select 1 as a) select * from c",
    ),
    (
        "select * from offices where city similar to 'B%'",
        "there is no SIMILAR TO",
        "write `like`, or a regular expression: `x ~ '^…$'`",
        "select * from offices where city like 'B%' or city ~ '^B.*$'",
    ),
    (
        "select to_char(opened_on, 'YYYY-MM') as month, count(*) from offices group by 1",
        "the format of `to_char` has no `%`, and so no part of a time",
        "write `%Y` for the year, `%m` for the month, `%d` for the day, `%H:%M` for the time of day",
        "select to_char(opened_on, '%Y-%m %d %H:%M') from offices",
    ),
    (
        "select to_date('31.12.2026', 'DD.MM.YYYY')",
        "the format of `to_date` has no `%`, and so no part of a time",
        "write `%Y` for the year, `%m` for the month, `%d` for the day, `%H:%M` for the time of day",
        "select to_date('31.12.2026', '%d.%m.%Y')",
    ),
    (
        "select to_char(12, '000')",
        "`to_char(int, text)` does not take these types",
        "cast the argument, as in `cast(x as double)`; text is no number even when it looks like one",
        "select lpad(cast(12 as varchar), 3, '0')",
    ),
    (
        "select * from (values (1), (2)) t(a) left join unnest([1, 2])",
        "a `join` says with ON or USING which rows belong together",
        "write `on true`: it is made anew for each row before it",
        "select * from (values (1), (2)) t(a) left join unnest([1, 2]) on true",
    ),
    (
        "select * from (values (1), (2)) t(a) left join lateral (select value from generate_series(1, 2) u where u.value > t.a)",
        "a `join` says with ON or USING which rows belong together",
        "write `on true`: it is made anew for each row before it",
        "select * from (values (1), (2)) t(a) left join lateral (select value from generate_series(1, 2) u where u.value > t.a) on true",
    ),
    (
        "select sum(fte) over (order by opened_on range between interval 7 days preceding and current row) from offices",
        "a span of time stands in quotes",
        "write `interval '7 days'`, and of a number `cast(n || ' days' as interval)`",
        "select sum(fte) over (order by opened_on range between interval '7 days' preceding and current row) from offices",
    ),
    (
        "select median(opened_on) from offices",
        "`median(date)` does not take these types",
        "of times it takes the seconds: `median(extract(epoch from x))`",
        "select to_timestamp(median(extract(epoch from opened_on))) from offices",
    ),
    (
        "select median(now() - now())",
        "`median(duration)` does not take these types",
        "of times it takes the seconds: `median(extract(epoch from a - b))`",
        "select median(extract(epoch from now() - now()))",
    ),
    (
        "select quantile_cont(opened_on, 0.5) from offices",
        "`percentile_cont(date, float)` does not take these types",
        "of times it takes the seconds: `percentile_cont(extract(epoch from x), …)`",
        "select percentile_cont(extract(epoch from opened_on), 0.5) from offices",
    ),
];

#[test]
fn tables_that_a_comma_or_lateral_joins_need_no_condition() {
    for from in [
        "join unnest([1, 2])",
        "join lateral (select value from generate_series(1, 2) u where u.value > t.a - 5)",
        ", (values (1), (2)) u(b)",
    ] {
        let query = format!("select count(*) as n from (values (1), (2)) t(a) {from}");
        assert_eq!(cxlake(["--format", "csv", "-c", &query]).prints(), "n\n4\n", "{from}");
    }
}

#[test]
fn subqueries_that_cannot_be_run_where_they_stand_are_told_where_they_can() {
    let found = "exists (select 1 from escalations e where e.account_id = a.account_id)";
    let sorted = format!("select account_id from accounts a order by {found}");
    let counted = format!("select count(*) filter (where {found}) as n from accounts a");
    let before = "select it in a query before: `from (select *, exists (…) as found from …)`";
    let joined = format!("write it as a join with a grouped query, or for an aggregate {before}");
    for (statement, error, hint) in [
        (
            "select account_id in (select account_id from escalations) as e from accounts",
            "`in` with a query does not work in the select list",
            "write `exists (select 1 from … where y = x)`",
        ),
        (
            "select case when account_id not in (select account_id from escalations) then 1 end as e from accounts",
            "`in` with a query does not work in the select list",
            "write `exists (select 1 from … where y = x)`",
        ),
        (
            "select exists (select max(fte) from offices) as e",
            "`exists` in the select list takes a query without groups, calls and queries within",
            "write `exists (select 1 from … where y = x)`",
        ),
        (sorted.as_str(), "a subquery stands where it cannot be run", before),
        (
            counted.as_str(),
            "a subquery uses a column of the query around it in a way that cannot be run",
            joined.as_str(),
        ),
    ] {
        assert_eq!(cxlake(["-c", statement]).told(1), format!("error: {error}\n\nhint: {hint}\n"), "{statement}");
    }
}

#[test]
fn what_other_databases_write_is_told_without_the_parser_s_tree_and_with_what_does_the_same() {
    for (statement, error, hint, ours) in OF_OTHERS {
        assert_eq!(cxlake(["-c", statement]).told(1), format!("error: {error}\n\nhint: {hint}\n"), "{statement}");
        cxlake(["-q", "-c", ours]).prints();
    }
}

#[test]
fn options_of_copy_that_other_databases_write_lead_to_ours_which_work() {
    let folder = Folder::new();
    for options in ["(header, delimiter '|')", "(format csv, header true)", "with (header)"] {
        assert_eq!(
            folder.cxlake(["-c", &format!("copy (select 1 as a, 2 as b) to 'x.csv' {options}")]).told(1),
            "error: COPY has its options behind OPTIONS\n\n\
             hint: write `copy t to 'x.csv' options (delimiter '|', has_header true)`\n"
        );
    }
    let copy = "copy (select 1 as a, 2 as b) to 'x.csv' options (delimiter '|', has_header true)";
    folder.cxlake(["-c", copy]).prints();
    assert_eq!(folder.read("x.csv"), "a|b\n1|2\n");
}

#[test]
fn a_value_that_is_no_decimal_is_told_with_the_type_that_was_written() {
    for (statement, value, wanted) in [
        ("select cast('1,5' as decimal(10,2))", "1,5", "decimal(10,2)"),
        ("select '1,5'::NUMERIC(9, 1), 2::decimal(4,1)", "1,5", "numeric(9,1)"),
        ("select cast(office as decimal(12,3)) from offices where office_id = 'O01'", "New York", "decimal(12,3)"),
    ] {
        assert_eq!(
            cxlake(["-c", statement]).told(1),
            format!(
                "error: `{value}` is no {wanted}\n\nhint: `try_cast(x as {wanted})` gives null where there is none\n"
            )
        );
    }
    let compared = "select * from (values (2::decimal(4,1))) t(d) where d > '1,5'";
    assert!(cxlake(["-c", compared]).told(1).starts_with("error: `1,5` is no decimal\n"));
}

#[test]
fn what_other_databases_call_a_function_leads_to_ours_and_ours_is_there() {
    for (theirs, ours) in [
        ("getdate()", "select now()"),
        ("len('a')", "select length('a')"),
        ("isnull(1, 2)", "select coalesce(1, 2)"),
        ("iif(true, 1, 2)", "select case when true then 1 else 2 end"),
        ("group_concat('a')", "select string_agg('a', ', ')"),
        ("list(1)", "select array_agg(1)"),
        ("year(now())", "select extract(year from now())"),
        ("quarter(now())", "select extract(quarter from now())"),
        ("week(now())", "select extract(week from now())"),
        ("weekday(now())", "select extract(dow from now())"),
        ("strftime(now(), '%Y')", "select to_char(now(), '%Y-%m')"),
        ("strptime('31.12.2026', '%d.%m.%Y')", "select to_timestamp('31.12.2026 10:15', '%d.%m.%Y %H:%M')"),
        ("str_to_date('31.12.2026', '%d.%m.%Y')", "select to_date('31.12.2026', '%d.%m.%Y')"),
        ("datediff('day', now(), now())", "select now()::date - (date '2026-01-01')::date"),
        ("dateadd(now(), 1)", "select date '2026-01-01' + interval '1 month'"),
        ("add_months(now(), 1)", "select date '2026-01-01' + cast(n || ' months' as interval) from (values (1)) t(n)"),
        ("make_interval(1)", "select cast(3 || ' months' as interval)"),
        ("quantile(1, 0.5)", "select quantile_cont(1, 0.5)"),
        ("approx_quantile(1, 0.5)", "select approx_percentile_cont(1, 0.5)"),
        (
            "mode(1)",
            "select region, city from offices group by region, city \
             qualify row_number() over (partition by region order by count(*) desc) = 1",
        ),
        ("mod(7, 3)", "select 7 % 3"),
        ("sign(-7)", "select signum(-7)"),
        ("strlen('a')", "select octet_length('a'), length('a')"),
        ("list_value(1, 2)", "select make_array(1, 2)"),
        ("safe_cast('a')", "select try_cast('a' as int)"),
        ("charindex('a', 'b')", "select strpos('a', 'b')"),
        ("countif(true)", "select count(*) filter (where 1 > 0)"),
        ("max_by(1, 2)", "select arg_max(1, 2)"),
        ("min_by(1, 2)", "select arg_min(1, 2)"),
        ("regexp_matches('abc', 'b')", "select regexp_like('abc', 'b')"),
        ("regexp_extract('abc', 'b')", "select regexp_match('abc', '(b)')[1]"),
        ("dayname(now())", "select to_char(date '2026-01-01', '%A')"),
        ("monthname(now())", "select to_char(date '2026-01-01', '%B')"),
        ("last_day(now())", "select date_trunc('month', date '2026-02-10') + interval '1 month' - interval '1 day'"),
        ("epoch(now())", "select extract(epoch from now())"),
        ("printf('%d', 1)", "select concat('a', round(1.234, 2), 'b')"),
        ("1 from read_csv_auto('x.csv')", "from 'sample-data/offices/'"),
    ] {
        let said = cxlake(["-c", &format!("select {theirs}")]).fails(1);
        assert!(said.contains("\nhint: here it is `"), "{said}");
        cxlake(["-c", ours]).prints();
    }
}

#[test]
fn an_interval_times_a_number_is_told_how_a_number_makes_an_interval() {
    for (statement, wrong) in [
        ("select interval '1 month' * 3", "`*` does not take interval and int"),
        ("select 1.5 * interval '1 day'", "`*` does not take float and interval"),
    ] {
        assert!(cxlake(["-c", statement]).told(1).starts_with(&format!("error: {wrong}\n")), "{statement}");
        let said = cxlake(["-c", statement]).fails(1);
        assert!(said.contains("hint: `cast(n || ' months' as interval)` makes an interval of a number"), "{said}");
    }
}
