//! Subplans that stand in a statement more than once: they run once, and nothing else changes.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use cxlake::engine::{Engine, Limits, Mode, SqlText};
use cxlake::lake::discover;
use cxlake::storage::Stores;
use futures::TryStreamExt;

use super::chance::Chance;
use super::harness::{Folder, cxlake};

/// The physical plan of a statement on the sample lake.
fn plan(sql: &str) -> String {
    let rows = cxlake(["--threads", "2", "--format", "json", "-c", &format!("explain format indent {sql}")]).prints();
    let rows: Vec<super::harness::Row> = serde_json::from_str(&rows).expect("JSON rows");
    super::harness::text(&rows[1], "plan").replace(&format!("{}/", super::harness::repository().display())[1..], "")
}

/// What a script prints, with sharing and without.
fn both(script: &str) -> [String; 2] {
    ["true", "false"].map(|shared| {
        let script = format!("set cxlake.share_subplans = {shared};\n{script}");
        cxlake(["--quiet", "--format", "csv", "-f", "-"]).stdin(script).prints()
    })
}

#[test]
fn a_setting_of_ours_is_reset_to_what_it_was() {
    let sql = "with a as (select account_id, avg(nps) as m from surveys group by account_id) \
               select count(*) from a where m > (select avg(m) from a)";
    let explained = |settings: &str| {
        cxlake(["--threads", "2", "--format", "csv", "-c", &format!("{settings} explain {sql}")]).prints()
    };
    let off = "set cxlake.share_subplans = false;";
    assert_ne!(explained(off), explained(""));
    assert_eq!(explained(&format!("{off} reset cxlake.share_subplans;")), explained(""));
    let said = cxlake(["-c", "reset cxlake.nosuch"]).told(1);
    assert!(said.starts_with("error: no setting `cxlake.nosuch`\n"), "{said}");
}

#[test]
fn a_cte_that_is_read_twice_is_run_once_with_the_rows_and_columns_that_its_readers_want() {
    let plan = plan(
        "with cost as (select office_id, function, period, sum(cost) as cost, sum(touches) as touches \
         from cost_per_touch group by office_id, function, period) \
         select a.office_id, a.cost, b.touches from cost a join cost b on a.office_id = b.office_id \
         where a.function = 'sales' and b.function = 'support'",
    );
    insta::assert_snapshot!(plan);
}

#[test]
fn what_varies_or_belongs_to_a_query_around_it_is_not_shared() {
    let is_shared = |sql: &str| plan(sql).contains("SharedExec");
    let random = "with r as (select office_id, sum(random()) as r from accounts group by office_id) \
                  select count(*) from r a join r b on a.r = b.r";
    assert!(!is_shared(random));
    assert!(is_shared(&random.replace("random()", "annual_revenue")));
    // Reading, filtering and joining again costs less than keeping.
    assert!(!is_shared(
        "with r as (select * from accounts) select count(*) from r a join r b on a.account_id = b.account_id"
    ));
    let correlated = "select office_id from offices o where exists (select 1 from accounts a where a.office_id = o.office_id \
                      group by a.tier having count(*) > 3) or exists (select 1 from accounts a where a.office_id = o.office_id \
                      group by a.tier having count(*) > 3)";
    assert!(!is_shared(correlated));
}

#[test]
fn statements_with_equal_subplans_give_what_they_gave() {
    let scripts = [
        // Filters that differ, and one reader without any.
        "with c as (select office_id, function, sum(cost) as cost from cost_per_touch group by 1, 2) \
         select (select count(*) from c) as n, a.office_id, a.cost, b.cost from c a join c b on a.office_id = b.office_id \
         where a.function = 'sales' and b.function = 'marketing' and a.cost > 1000 order by 2;",
        // Columns of one name, and none at all.
        "with c as (select * from (select office_id, count(*) as n from accounts group by 1) a \
         join (select office_id as office, max(tier) as n from accounts group by 1) b on a.office_id = b.office) \
         select count(*) from (select 1 from c) x cross join (select 2 from c) y;",
        // A limit above, an order within.
        "with c as (select office_id, count(*) as n from accounts group by 1 order by n desc, 1) \
         (select * from c order by n desc, office_id limit 2) union all (select * from c order by n, office_id limit 3) order by 2, 1;",
        // Within subqueries, correlated and not, and below a lateral join.
        "with c as (select office_id, country, count(*) over (partition by country) as n from offices) \
         select o.office_id, (select max(n) from c) as most, (select max(n) from c where c.office_id = o.office_id) as own \
         from offices o where o.country in (select country from c where n > 1) order by 1;",
        "with c as (select office_id, count(*) as n from accounts group by 1) select o.office_id, l.n from offices o \
         join lateral (select n from c where c.office_id = o.office_id) l on true where l.n > (select avg(n) from c) order by 1;",
        // One within another, and a recursive one.
        "with a as (select office_id, count(*) as n from accounts group by 1), \
         b as (select x.n, count(*) as offices from a x join a y on x.n = y.n group by 1) \
         select b.n, b.offices, c.offices as same, a.office_id from b join b c on b.n = c.n join a on a.n = b.n order by 4;",
        "with recursive r(n) as (select 1 union all select n + 1 from r where n < 10) \
         select count(*) from r a join r b on a.n < b.n where a.n > (select avg(n) from r);",
        // Views and table functions.
        "create view v as select segment, count(*) as n from accounts group by 1; \
         select a.segment, a.n, b.n from v a join v b on a.segment <> b.segment order by 1, 3;",
        "with t as (select * from crosstab(accounts, segment, tier)) select count(*) from t a cross join t b;",
        // Nothing comes out of it, or one of its readers is optimized away.
        "with c as (select office_id, count(*) as n from accounts where false group by 1) select count(*) from c a join c b on a.n = b.n;",
        "with c as (select office_id, count(*) as n from accounts group by 1) select * from c where n > 20 union all select * from c where false order by 1;",
        "with c as (select office_id, count(*) as n from accounts group by 1) select count(*) from c a full join c b on a.n = b.n + 1 where a.n is null or b.n is null;",
    ];
    for script in scripts {
        let [shared, apart] = both(script);
        assert_eq!(shared, apart, "{script}");
        assert!(shared.lines().count() > 1, "{script}\n{shared}");
    }
}

#[test]
fn subplans_of_other_tables_are_others_whatever_the_tables_are_called() {
    let asked = |script: &str| cxlake(["--quiet", "--format", "csv", "-f", "-"]).stdin(script).prints();
    let of_series = "select a.s as a, b.s as b from (select sum(value) as s from generate_series(1, 10)) a \
                     cross join (select sum(value) as s from generate_series(1, 20)) b;";
    assert_eq!(asked(of_series), "a,b\n55,210\n");
    // The view holds the table that had the name when it was made.
    let replaced = "create table t as select 1 as k, 1 as x; create view v as select k, sum(x) as s from t group by k; \
                    create or replace table t as select 1 as k, 100 as x; \
                    select v.s as old, n.s as new from v join (select k, sum(x) as s from t group by k) n using (k);";
    assert_eq!(asked(replaced), "old,new\n1,100\n");
}

#[test]
fn a_table_is_made_of_what_its_query_gives() {
    // The two grouped readers are seen to be the same only when the plan is looked at for a second time.
    let query = "with s as (select office_id, touchpoint, count(*) as n from surveys group by office_id, touchpoint) \
                 select count(a.office_id) as n from (select distinct office_id from s) a \
                 join (select office_id from s group by office_id) b on a.office_id = b.office_id";
    for script in [format!("{query};"), format!("create table z as {query}; select n from z;")] {
        let [shared, apart] = both(&script);
        assert_eq!((shared.as_str(), apart.as_str()), ("n\n31\n", "n\n31\n"), "{script}");
    }
}

#[test]
fn every_saved_query_gives_the_same_to_the_last_digit_with_and_without_and_on_any_number_of_threads() {
    let folder = std::fs::read_dir(super::harness::repository().join("queries")).expect("the folder is there");
    let mut names: Vec<String> = folder
        .map(|entry| entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    let runs = names.iter().fold(String::new(), |mut script, name| {
        let _ = writeln!(script, "\\run {name}");
        script
    });
    let on = |threads: &str, shared: bool| {
        let script = format!("set cxlake.share_subplans = {shared};\n{runs}");
        cxlake(["--threads", threads, "--quiet", "--format", "csv", "-f", "-"]).stdin(script).prints()
    };
    let expected = on("1", false);
    assert!(expected.lines().count() > 50_000);
    for (threads, shared) in [("2", true), ("2", false), ("5", true)] {
        let found = on(threads, shared);
        for (number, (expected, found)) in expected.lines().zip(found.lines()).enumerate() {
            assert_eq!(expected, found, "line {number}, {threads} threads, shared: {shared}");
        }
        assert_eq!(expected.len(), found.len());
    }
}

/// A few hundred statements put together by chance from parts that repeat.
#[test]
fn statements_made_by_chance_give_the_same_with_and_without() {
    let mut chance = Chance(20_261_122);
    let script: String = (0..300).map(|_| statement(&mut chance) + ";\n").collect();
    let [shared, apart] = both(&script);
    assert_eq!(shared, apart);
}

#[test]
fn rows_that_do_not_fit_while_they_wait_for_a_slower_reader_go_to_disk() {
    let folder = Folder::new();
    std::fs::create_dir_all(folder.at("tmp")).expect("a folder to spill to");
    // The average is known only at the end: until then all 3 million rows of 50 bytes are kept for the second reader.
    let sql = "with g as (select value % 3000000 as k, concat('a text of some length, number ', cast(value % 3000000 as varchar)) as t, \
               count(*) as n from generate_series(1, 4000000) group by 1, 2) \
               select count(*) as c, sum(n) as n, min(t) as t from g where n > (select avg(n) from g)";
    let call = |sql: &str| {
        cxlake(["--memory-limit", "200MB", "--threads", "2", "--format", "csv", "-c", sql])
            .within(folder.path())
            .env("TMPDIR", folder.at("tmp"))
            .prints()
    };
    assert_eq!(call(sql), "c,n,t\n1000000,2000000,\"a text of some length, number 1\"\n");
    let analyzed = call(&format!("explain analyze verbose {sql}"));
    let shared = analyzed
        .lines()
        .find(|line| line.contains("SharedExec: g@1") && line.contains("spill_count"))
        .expect("a shared subplan");
    let count = shared.split("spill_count=").nth(1).and_then(|rest| rest.split(',').next()).expect("a count");
    assert!(count.parse::<usize>().expect("a number") > 0, "{shared}");
    assert_eq!(std::fs::read_dir(folder.at("tmp")).expect("the folder is there").count(), 0);
}

/// Statements that are left before their first row, after some, or at any moment; what they held is given back.
#[test]
fn a_statement_that_is_left_at_any_point_leaves_nothing_behind() {
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    runtime.block_on(async {
        let lake = Arc::new(discover::open(super::harness::repository()).expect("a lake"));
        let stores = Arc::new(Stores::new(tokio::runtime::Handle::current()));
        let limits = Limits { memory_bytes: 64 << 20, threads: 2 };
        let engine = Engine::open(lake, stores, super::harness::repository().to_owned(), &limits, Mode::Full);
        let engine = engine.expect("a session");
        let mut chance = Chance(20_261_124);
        for _ in 0..120 {
            let sql = statement(&mut chance);
            let text = SqlText::typed(&sql);
            let plan = engine.plan(&text, &[]).await.expect("a plan");
            let mut running = engine.start(plan, &text).await.expect("it starts");
            let moment = Duration::from_micros(chance.below(30_000) as u64);
            let most = chance.below(3);
            let read = async {
                let mut batches = 0;
                while batches < most && running.batches.try_next().await.expect("no error").is_some() {
                    batches += 1;
                }
            };
            // Whichever comes first: so many batches, or the moment.
            let _ = tokio::time::timeout(moment, read).await;
            drop(running);
            // Tasks that were stopped end when their thread comes to them.
            let given_back = async {
                while engine.memory_bytes() > 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::time::timeout(Duration::from_mins(1), given_back).await.expect("memory is given back");
        }
    });
}

#[test]
fn an_error_in_a_shared_subplan_is_told_once_and_as_it_is() {
    let error = cxlake(["-c", "with n as (select account_id, nps(case when nps = 10 then 15 else nps end) as n from surveys group by 1) select count(*) from n a join n b on a.n = b.n"])
        .fails(1);
    insta::assert_snapshot!(error);
}

/// Two to four readers of one or two CTEs, each with filters, columns and an order of its own.
fn statement(chance: &mut Chance) -> String {
    let group = chance.of(&["office_id", "segment", "tier", "office_id, segment", "segment, tier"]);
    let key = group.split(", ").next().expect("a column");
    let having = chance.of(&["", " having count(*) > 5", " having max(annual_revenue) > 500000"]);
    let first = format!(
        "with c as (select {group}, count(*) as n, sum(annual_revenue) as revenue, max(renews_on) as latest \
         from accounts{} group by {group}{having})",
        chance.of(&["", " where churned_on is null", " where annual_revenue > 100000"]),
    );
    let second = match chance.below(3) {
        0 => format!(
            ", d as (select {key}, rank() over (order by revenue desc, n, {group}) as n, revenue, latest from c)"
        ),
        1 => format!(", d as (select distinct {key}, n, revenue, latest from c where n > 3)"),
        _ => String::new(),
    };
    let source = |chance: &mut Chance| if second.is_empty() { "c" } else { chance.of(&["c", "d"]) };
    let filter = |chance: &mut Chance, name: &str| {
        let filters = ["n > 10", "n % 2 = 0", "revenue > 1000000", "latest > date '2026-12-01'", "n is not null"];
        format!("{name}.{}", chance.of(&filters))
    };
    let mut from = format!("{} a", source(chance));
    let mut wheres = filter(chance, "a");
    for name in ["b", "e"].iter().take(1 + chance.below(2)) {
        let join = chance.of(&["join", "left join", "full join", "right join"]);
        let on =
            chance.of(&["{k}", "{k} and a.n <> @.n", "{k} and @.n > 8"]).replace("{k}", &format!("a.{key} = @.{key}"));
        from += &format!(" {join} {} {name} on {}", source(chance), on.replace('@', name));
        if chance.below(2) == 0 {
            let filter = filter(chance, name);
            wheres += &format!(" {} {filter}", chance.of(&["and", "or"]));
        }
    }
    let inner = match chance.below(3) {
        0 => format!("{wheres} or a.n >= (select avg(n) from {})", source(chance)),
        1 => format!("{wheres} and a.{key} in (select {key} from {} where n < 40)", source(chance)),
        _ => wheres,
    };
    let limit = chance.of(&["", " limit 7", " limit 3 offset 2"]);
    format!(
        "{first}{second} select a.{key} as k, a.n as an, b.n as bn, a.revenue as r, b.latest as l from {from} where {inner} \
         order by 1, 2, 3, 4, 5{limit}"
    )
}
