//! Defects of the engine that gave wrong answers, each with the statement that showed it.

use super::harness::{Folder, cxlake};

/// DataFusion 55.2 pushed `b.id is null` into the scan of `s.id` once it had turned the join round, and lost every row.
#[test]
fn a_completeness_check_over_an_outer_join_finds_what_is_missing() {
    let folder = Folder::new();
    folder.parquet("big.parquet", "select cast(value as varchar) as id, value as n from generate_series(1, 1000)");
    folder.parquet("small.parquet", "select cast(value as varchar) as id, value as m from generate_series(991, 1010)");
    let count = |from: &str, filter: &str| {
        let query =
            format!("select count(*) as n from 'big.parquet' b {from} 'small.parquet' s on b.id = s.id where {filter}");
        folder.cxlake(["--format", "csv", "-c", &query]).prints()
    };
    assert_eq!(count("right join", "b.id is null"), "n\n10\n");
    assert_eq!(count("full join", "b.id is null"), "n\n10\n");
    assert_eq!(count("full join", "s.id is null"), "n\n990\n");
    assert_eq!(count("left join", "s.id is null"), "n\n990\n");
    let anti = "select count(*) as n from 'small.parquet' s where not exists (select 1 from 'big.parquet' b where b.id = s.id)";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", anti]).prints(), "n\n10\n");
}

#[test]
fn a_filter_on_a_column_still_prunes_what_is_read() {
    let folder = Folder::new();
    folder.parquet("t.parquet", "select value as n, cast(value as varchar) as id from generate_series(1, 1000)");
    let explain = |sql: &str| folder.cxlake(["--format", "csv", "-c", &format!("explain {sql}")]).prints();
    assert!(explain("select id from 't.parquet' where n = 5").contains("pruning_predicate="));
    let joined = "select a.n from 't.parquet' a join 't.parquet' b on a.id = b.id where b.n = 5";
    assert!(explain(joined).contains("pruning_predicate="));
}

/// The branches of a union are matched by place; a filter that is pushed into them by name would reach another column.
#[test]
fn a_join_with_a_union_whose_branches_name_their_columns_in_another_order_loses_nothing() {
    let folder = Folder::new();
    folder.parquet("t.parquet", "select value + 900 as id from generate_series(1, 5)");
    folder.parquet("x.parquet", "select value as a, -value as b from generate_series(1, 1000)");
    folder.parquet("y.parquet", "select -value as a, value as b from generate_series(1, 1000)");
    let query = "select count(*) as n from 't.parquet' t join (\
                 select a, b from 'x.parquet' union all select distinct b, a from 'y.parquet') u on t.id = u.a";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", query]).prints(), "n\n10\n");
}

/// DataFusion 55.2 made the sum wider when it split the distinct count off, and refused to compare it.
#[test]
fn a_distinct_count_beside_a_sum_of_decimals_can_be_compared() {
    let folder = Folder::new();
    let rows = "values ('a', 'x', '1.50'), ('a', 'y', '2.00'), ('b', 'x', '0.00')";
    folder.parquet("t.parquet", &format!("select k, c, cast(m as decimal(18, 2)) as m from ({rows}) t(k, c, m)"));
    let query = "select k, n, m = 0 as is_zero from (select k, count(distinct c) as n, sum(m) as m from 't.parquet' group by k) \
                 order by k";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", query]).prints(), "k,n,is_zero\na,2,false\nb,1,true\n");
}

/// DataFusion 55.2 told in two ways whether the CASE can be null, and refused its own plan.
#[test]
fn a_case_over_a_guarded_column_can_be_grouped_by() {
    let folder = Folder::new();
    folder.parquet("t.parquet", "select * from (values (1, 'a'), (2, 'b'), (2, null)) t(n, s)");
    let query = "select s2, count(*) as n from (select case when n = 1 and s <> 'x' then s else 'x' end as s2 from \
                 (select n, min(s) as s from 't.parquet' group by n)) where s2 <> 'x' group by s2";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", query]).prints(), "s2,n\na,1\n");
}

/// A row of spans: a day, four days and a half, sixty-three days, and none.
const SPANS: &str = "select cast(n as int) as n, cast('2026-01-01 00:00:00' as timestamp) as a, cast(b as timestamp) as b from (values \
                     (1, '2026-01-02 00:00:00'), (2, '2026-01-05 12:00:00'), (3, '2026-03-05 00:00:00'), (4, null)) t(n, b)";

/// DataFusion 55.2 compares a difference of moments with an interval field by field: one with days in it was always the longer.
#[test]
fn spans_of_time_are_compared_by_how_long_they_are() {
    let folder = Folder::new();
    folder.parquet("t.parquet", SPANS);
    for (condition, rows) in [
        ("b - a > interval '3 days'", 2),
        ("b - a <= interval '3 days'", 1),
        ("interval '24 hours' = b - a", 1),
        ("b - a is distinct from interval '1 day'", 3),
        ("b - a > interval '2 months'", 1),
        ("b - a between interval '1 day' and interval '5 days'", 2),
        ("b - a not in (interval '1 day', interval '60 days')", 2),
        ("b - a > interval '3 days' + interval '1 day'", 2),
        ("b - a > (select interval '3 days')", 2),
        ("case when b - a < interval '2 days' then 1 else 2 end = 1", 1),
        ("b - a > interval '1000 years'", 0),
    ] {
        let query = format!("select count(*) as n from 't.parquet' where {condition}");
        let said = folder.cxlake(["--format", "csv", "-c", &query]).prints();
        assert_eq!(said, format!("n\n{rows}\n"), "{condition}");
    }
    let counted = "select count(*) filter (where b - a > interval '3 days') as n from 't.parquet' \
                   having max(b - a) > interval '2 months'";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", counted]).prints(), "n\n2\n");
    let joined = "select count(*) as n from 't.parquet' t join (values (interval '30 hours'), (interval '1 month')) s(span) \
                  on t.b - t.a > s.span";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", joined]).prints(), "n\n3\n");
    let viewed = "create view v as select n, b - a > interval '3 days' as is_late from 't.parquet'; \
                  select n from v where is_late order by n";
    assert_eq!(folder.cxlake(["--format", "csv", "-c", viewed]).prints(), "n\n2\n3\n");
}

#[test]
fn intervals_are_compared_and_sorted_by_how_long_they_are() {
    let query = "select interval '1 day' = interval '24 hours' as a, interval '31 days' > interval '1 month' as b, \
                 interval '1 year' > interval '1000 days' as c";
    assert_eq!(cxlake(["--format", "csv", "-c", query]).prints(), "a,b,c\ntrue,true,false\n");
    let sorted = "select n from (values (1, interval '25 hours'), (2, interval '1 day'), (3, interval '31 days'), \
                  (4, interval '1 month'), (5, null)) t(n, x) order by x desc";
    assert_eq!(cxlake(["--format", "csv", "-c", sorted]).prints(), "n\n3\n4\n1\n2\n5\n");
}

/// DataFusion 55.2 computes a product of decimals in 38 digits and prints the first 38 of one that has 39.
#[test]
fn a_product_of_wide_decimals_keeps_its_value_or_is_refused() {
    let csv = |query: &str| cxlake(["--format", "csv", "-c", query]).prints();
    let kept = "select sum(p * q) as total, count(*) as n from (select cast('4.95' as decimal(38,18)) as p, \
                cast('3' as decimal(18,2)) as q from generate_series(1, 100)) where p * q > 14";
    assert_eq!(csv(kept), "total,n\n1485.00000000000000000000,100\n");
    let cents = "select cast('4.95' as decimal(18,2)) * cast('3.00' as decimal(18,2)) as p, cast('4.95' as decimal(18,2)) * 3 as q";
    assert_eq!(csv(cents), "p,q\n14.8500,14.85\n");
    // A type is settled by all branches of a CASE and by all parts of a UNION.
    let branches = "select sum(case when i = 3 then 0 else p end * p) as x from \
                    (select i, cast('1.234567' as decimal(20,6)) as p from generate_series(1, 2) t(i))";
    assert_eq!(csv(branches), "x\n3.048311354978\n");
    let of_outer = "select count(*) as n from (select cast(value as decimal(38,10)) as q from generate_series(1, 3)) t \
                    cross join lateral (select value from generate_series(1, 2) u where t.q * t.q > u.value) l";
    assert_eq!(csv(of_outer), "n\n4\n");
    let too_large = "select x * x from (values (cast('100000000000000000000' as decimal(38,0)))) t(x)";
    let said = cxlake(["-c", too_large]).fails(1);
    assert!(said.contains("error: a number became too large for its type\n"), "{said}");
    assert!(said.contains("hint: compute with `cast(x as decimal(38,2))`"), "{said}");
    let no_room = "select cast(120000 as decimal) * cast(1000 as decimal) * cast('1.1' as decimal)";
    let said = cxlake(["-c", no_room]).fails(1);
    assert!(
        said.starts_with("error: a product of `decimal(38,20)` and `decimal(38,10)` has 30 digits behind the point, and too little room before it\n"),
        "{said}"
    );
}

/// DataFusion 55.2 moved `'cost' = 'touches'` below counts without groups, which have a row of no rows, too.
#[test]
fn a_filter_on_a_constant_beside_a_sum_leaves_no_row_of_nothing() {
    let counts = "select 'touches' as what, count(*) as n from generate_series(1, 3) union all \
                  select 'cost', count(*) from generate_series(1, 5)";
    for (query, rows) in [
        (format!("select what, n from ({counts}) where what = 'touches'"), "what,n\ntouches,3\n"),
        (format!("select what, n from (values (1)) v(x) join ({counts}) on what = 'cost'"), "what,n\ncost,5\n"),
        (format!("select what, n from ({counts}) where what = 'cost' and n > 5"), "what,n\n"),
        ("select n from (select 'a' as k, count(*) as n from generate_series(1, 3) having count(*) < 9) where k = 'b'".into(), "n\n"),
        (
            "select n from (select 'a' as k, value % 2 as g, count(*) as n from generate_series(1, 3) group by rollup(value % 2)) \
             where k = 'b'"
                .into(),
            "n\n",
        ),
    ] {
        assert_eq!(cxlake(["--format", "csv", "-c", &query]).prints(), rows, "{query}");
    }
}

/// DataFusion 55.2 moved it below the groups, the row numbers and the join.
#[test]
fn a_random_share_is_taken_of_the_rows_that_are_asked_for() {
    let ask = |query: &str| cxlake(["--format", "csv", "-c", query]).prints();
    let groups = "select value % 20 as g, count(*) as n from generate_series(1, 20000) group by value % 20";
    let query = format!("select min(n) as least, max(n) as most from ({groups}) where random() < 0.5 and n > 0");
    assert_eq!(ask(&query), "least,most\n1000,1000\n");
    let numbered = "select row_number() over (order by value) as n from generate_series(1, 1000)";
    let query = format!("select max(n) > count(*) as has_gaps from ({numbered}) where random() < 0.5");
    assert_eq!(ask(&query), "has_gaps\ntrue\n");
    let query = "select count(distinct k) as n, max(n) < 1000 as is_share from (select k, count(*) as n from (values (1), (2)) v(k) \
                 cross join generate_series(1, 1000) where random() < 0.5 group by k)";
    assert_eq!(ask(query), "n,is_share\n2,true\n");
}

/// Amounts to the cent, some of which are rounded.
const AMOUNTS: &str =
    "select cast(m as decimal(18, 2)) as m, k from (values ('1875.54', 1), ('99.95', 2), ('-0.05', 2)) t(m, k)";

/// DataFusion 55.2 settled the types of a statement with another type of `round` than it ran with: the sum was a hundred times as much.
#[test]
fn a_rounded_decimal_keeps_its_value_beside_one_that_is_not_rounded() {
    let folder = Folder::new();
    folder.parquet("t.parquet", AMOUNTS);
    let of = |asked: &str| {
        let query = format!("select {asked} as x from 't.parquet'");
        folder.cxlake(["--format", "csv", "-c", &query]).prints()
    };
    for (asked, value) in [
        ("sum(case when k = 3 then round(m, 0) else m end)", "1975.44"),
        ("sum(case when k = 2 then round(m, 0) else m end)", "1975.54"),
        ("sum(case when k = 2 then round(m, 1) else m end)", "1975.44"),
        ("sum(case when k = 3 then round(m, -2) else m end)", "1975.44"),
        ("sum(case when k = 3 then round(m, 1 - 1) else m end)", "1975.44"),
        ("sum(case when k = 3 then round(m, cast(0 as int)) else m end)", "1975.44"),
        ("sum(case when k = 3 then round(m, null) else m end)", "1975.44"),
        ("sum(coalesce(nullif(round(m, 1), 100), m))", "1975.35"),
        ("max(greatest(round(m, 0), m))", "1876.00"),
        ("count(*) filter (where round(m, 2) = m)", "3"),
        ("count(*) filter (where round(m, 1) > m)", "1"),
        ("max(round(m, 1))", "1875.5"),
        ("round(max(m), 0)", "1876"),
    ] {
        assert_eq!(of(asked), format!("x\n{value}\n"), "{asked}");
    }
}

#[test]
fn a_rounded_decimal_keeps_its_value_in_views_prepared_statements_and_groups() {
    let folder = Folder::new();
    folder.parquet("t.parquet", AMOUNTS);
    let csv = |script: &str| folder.cxlake(["--quiet", "--format", "csv", "-c", script]).prints();
    let viewed = "create view v as select case when k = 2 then round(m, 0) else m end as x from 't.parquet'; \
                  select sum(x) as x from v";
    assert_eq!(csv(viewed), "x\n1975.54\n");
    let prepared =
        "prepare p as select sum(case when k = 2 then round(m, $1) else m end) as x from 't.parquet'; execute p(0)";
    assert_eq!(csv(prepared), "x\n1975.54\n");
    let grouped = "select round(m, 0), grouping(round(m, 0)) as g, count(*) as n from 't.parquet' group by rollup(round(m, 0)) \
                   order by g, n, 1 desc";
    let rows = "1876,0,1\n100,0,1\n0,0,1\n,1,3\n";
    assert_eq!(csv(grouped), format!("\"round(m, 0)\",g,n\n{rows}"));
    let viewed = "create view v as select round(m, 0) as r, grouping(round(m, 0)) as g, count(*) as n from 't.parquet' \
                  group by rollup(round(m, 0)); select * from v order by g, n, r desc";
    assert_eq!(csv(viewed), format!("r,g,n\n{rows}"));
}

/// Days on which something began and ended, and moments of both; the last day's moment comes earlier than the first one's.
const DAYS: &str = "select cast(a as timestamp) as a, cast(b as timestamp) as b, cast(c as date) as c, cast(d as date) as d, n from (values \
                    ('2026-01-01 18:00:00', '2026-01-01 19:00:00', '2026-01-01', '2026-01-01', 1), \
                    ('2026-01-02 10:00:00', '2026-01-05 09:00:00', '2026-01-02', '2026-12-31', 2), \
                    ('2026-02-01 23:59:59', '2026-02-02 00:00:00', '2026-02-01', null, 3), \
                    ('2026-03-01 06:00:00', null, '2026-03-01', '2027-04-01', 4)) t(a, b, c, d, n)";

fn rows_of_days(folder: &Folder, condition: &str) -> String {
    let query = format!("select n from (select *, d - c as days from 't.parquet') where {condition} order by n");
    let said = folder.cxlake(["--quiet", "--format", "csv", "-c", &query]).prints();
    said.lines().skip(1).collect::<Vec<_>>().join(" ")
}

/// DataFusion 55.2 reckoned the bounds of a difference of dates as a length of time, and refused to hold it against a number.
#[test]
fn a_difference_of_dates_is_compared_with_a_number_of_days() {
    let folder = Folder::new();
    folder.parquet("t.parquet", DAYS);
    for (condition, rows) in [
        ("d - c > 365", "4"),
        ("d - c = 363", "2"),
        ("days between 0 and 363", "1 2"),
        ("date '2026-03-01' - c >= 58", "1 2"),
        ("current_date - d > -1000000", "1 2 4"),
        ("b::date - a::date >= 1", "2 3"),
        ("n > 2 and d - c > 365", "4"),
        ("d - c > 10000000000", ""),
        ("d - c is null", "3"),
    ] {
        assert_eq!(rows_of_days(&folder, condition), rows, "{condition}");
    }
}

/// DataFusion 55.2 took dates for moments where it estimates how many rows a filter leaves, and refused to find more than there were.
#[test]
fn the_day_of_a_moment_is_compared_with_dates_and_other_days() {
    let folder = Folder::new();
    folder.parquet("t.parquet", DAYS);
    for (condition, rows) in [
        ("b::date <= d", "1 2"),
        ("b::date > a::date", "2 3"),
        ("a::date = c", "1 2 3 4"),
        ("a::date <= date '2026-03-01' and a <= c + interval '1 day'", "1 2 3 4"),
        ("a::date <= date '2026-03-01' and b >= a", "1 2 3"),
        ("a::date <= date '2099-01-01' and a > timestamp '2026-01-01 18:00:00'", "2 3 4"),
        ("a::date = date '2026-02-01'", "3"),
        ("date '2026-02-01' <> a::date", "1 2 4"),
        ("a::date < date '2026-02-01'", "1 2"),
        ("a::date <= date '2026-02-01'", "1 2 3"),
        ("a::date > date '2026-02-01'", "4"),
        ("a::date >= date '2026-02-01'", "3 4"),
        ("b::date is distinct from date '2026-02-02'", "1 2 4"),
        ("b::date in (date '2026-01-01', date '2026-02-02')", "1 3"),
        ("a::date between date '2026-01-02' and date '2026-02-01'", "2 3"),
    ] {
        assert_eq!(rows_of_days(&folder, condition), rows, "{condition}");
    }
}

/// DataFusion 55.2 took a NOT IN that is unknown for true wherever it is not a condition of its own.
#[test]
fn a_negated_membership_heeds_nulls_wherever_it_stands() {
    let folder = Folder::new();
    folder.parquet("t.parquet", "select * from (values (1, 'a'), (2, 'b'), (null, 'c'), (4, 'd')) t(x, k)");
    folder.parquet("s.parquet", "select * from (values (1, 'a'), (3, 'b'), (null, 'z')) s(y, k)");
    let (some, none) = ("(select y from 's.parquet' where y is not null)", "(select y from 's.parquet' where y > 9)");
    let all = "(select y from 's.parquet')";
    for (condition, rows) in [
        (format!("x not in {all} or k = 'd'"), "d"),
        (format!("x not in {some} or k = 'c'"), "b c d"),
        (format!("x not in {some} or k = 'a'"), "a b d"),
        (format!("x not in {none} or k = 'a'"), "a b c d"),
        (format!("x in {all} or k = 'd'"), "a d"),
        (format!("not (x in {some} and k <> 'z')"), "b d"),
        (format!("not (x in {all} and k <> 'b')"), "b"),
        (format!("not (x in {all} or k = 'b')"), ""),
        (format!("(x in {all}) is null"), "b c d"),
        (format!("(x in {some}) is null"), "c"),
        (format!("(x in {none}) is not null"), "a b c d"),
        (format!("case when x in {some} then 1 when x not in {some} then 2 else 3 end = 3"), "c"),
        (format!("x not in {some} and k <> 'd'"), "b"),
        (format!("not x in {some}"), "b d"),
    ] {
        let query = format!("select k from 't.parquet' t where {condition} order by k");
        let said = folder.cxlake(["--quiet", "--format", "csv", "-c", &query]).prints();
        assert_eq!(said.lines().skip(1).collect::<Vec<_>>().join(" "), rows, "{condition}");
    }
    let counts = format!("select k from 's.parquet' group by k having not (min(y) in {all} and k <> 'z') order by k");
    assert_eq!(folder.cxlake(["--quiet", "--format", "csv", "-c", &counts]).prints(), "k\nz\n");
}

/// DataFusion 55.2 kept or left out all rows that are alike, as often as they were there.
#[test]
fn intersect_all_and_except_all_count_rows_that_are_alike() {
    let (left, right) = ("(values (1), (1), (null), (null), (2)) t(a)", "(values (1), (1), (1), (null), (3)) u(b)");
    let sides = |operator: &str| format!("select a from {left} {operator} select b from {right}");
    let counts = |query: &str| format!("select count(*) as n, count(a) as known, sum(a) as total from ({query})");
    let offices =
        |operator: &str| format!("select office_id as a from escalations {operator} select office_id from accounts");
    for (query, rows) in [
        (counts(&sides("intersect all")), "n,known,total\n3,2,2\n"),
        (counts(&sides("except all")), "n,known,total\n2,1,2\n"),
        (counts(&format!("({}) intersect all select 2", sides("except all"))), "n,known,total\n1,1,2\n"),
        (format!("select count(*) as n from ({})", offices("intersect all")), "n\n596\n"),
        (format!("select count(*) as n from ({})", offices("except all")), "n\n327\n"),
        (
            "select a, 5 as n from (values (3), (1), (1)) t(a) except all select 1, 5 order by a".to_owned(),
            "a,n\n1,5\n3,5\n",
        ),
        // The names of the other side do not count, and an order may name the table.
        (
            format!("select a, 0 as n, 0 as m from {left} except all select b, 0, 0 from {right} order by a"),
            "a,n,m\n2,0,0\n,0,0\n",
        ),
        (
            format!(
                "select a, 2 as n, 2 as m from {left} intersect all (select 1, 2, 2 union all select 2, 2, 2) order by a"
            ),
            "a,n,m\n1,2,2\n2,2,2\n",
        ),
        (
            format!(
                "select a, null as n, null as m from {left} except all (select 1, null, null limit 1) order by a limit 2"
            ),
            "a,n,m\n1,,\n2,,\n",
        ),
        (
            format!("select a, count(*) as n from {left} group by a except all select 2, 1 order by t.a"),
            "a,n\n1,2\n,2\n",
        ),
        (format!("select t.a from {left} except all select u.b from {right} order by t.a desc"), "a\n2\n\"\"\n"),
        (
            format!("select t.a, t.a + 1 as n from {left} intersect all select u.b, 2 from {right} order by -t.a, n"),
            "a,n\n1,2\n1,2\n",
        ),
    ] {
        assert_eq!(cxlake(["--format", "csv", "-c", &query]).prints(), rows, "{query}");
    }
    assert_eq!(
        cxlake(["-c", "select 1, 2 intersect all select 1"]).told(1),
        "error: the queries of INTERSECT have different numbers of columns\n\n\
         hint: select `null as x` where one has nothing to give\n"
    );
}

/// DataFusion 55.2 knows EXISTS as a filter alone.
#[test]
fn exists_in_the_select_list_says_whether_there_are_rows() {
    let found = "exists (select * from escalations e where e.account_id = a.account_id limit 1)";
    for (query, rows) in [
        (
            "select exists (select 1 from offices) as a, not exists (select 1 from offices where fte < 0) as b".to_owned(),
            "a,b\ntrue,true\n",
        ),
        ("select exists(select 1 from offices)".to_owned(), "EXISTS (SELECT 1 FROM offices)\ntrue\n"),
        (
            "select n, exists (select 1 from (values (1), (null)) e(k) where e.k = a.n) as x from (values (3), (1), (null)) a(n) \
             order by n"
                .to_owned(),
            "n,x\n1,true\n3,false\n,false\n",
        ),
        (
            format!("select count(*) as n, count(*) filter (where x) as late from (select {found} as x from accounts a)"),
            "n,late\n600,438\n",
        ),
        (format!("select count(*) as n from accounts a where {found}"), "n\n438\n"),
        (
            format!(
                "select sum(x) as n from (select case when not {found} and tier = 'Gold' then 1 else 0 end as x from accounts a)"
            ),
            "n\n49\n",
        ),
    ] {
        assert_eq!(cxlake(["--format", "csv", "-c", &query]).prints(), rows, "{query}");
    }
}

/// DataFusion 55.2 sorted by each once and kept the values of all: it panicked, or refused its own types.
#[test]
fn an_order_that_names_a_column_twice_is_that_of_the_first() {
    for (query, rows) in [
        (
            "select distinct on (tier) tier, account_id from accounts order by tier, account_id, Account_id",
            "tier,account_id\nGold,000002\nPlatinum,000003\nSilver,000001\n",
        ),
        (
            "select distinct on (tier) tier, account_id from accounts order by tier, accounts.tier, account_id",
            "tier,account_id\nGold,000002\nPlatinum,000003\nSilver,000001\n",
        ),
        (
            "select distinct on (tier, a.tier) tier, account_id from accounts a order by a.tier, tier, account_id",
            "tier,account_id\nGold,000002\nPlatinum,000003\nSilver,000001\n",
        ),
        (
            "select tier, first_value(account_id order by account_id, a.account_id) as first from accounts a group by tier order by tier",
            "tier,first\nGold,000002\nPlatinum,000003\nSilver,000001\n",
        ),
        (
            // The alias is another column.
            "select distinct on (k) u, 0 as x from (values (1, 1, 'a'), (1, 2, 'b')) t(k, x, u) order by k, x, t.x desc",
            "u,x\nb,0\n",
        ),
        (
            "select k, first_value(x order by x desc, \"x\") as x from (values (1, 1), (1, 2), (2, 3)) t(k, x) group by k order by k",
            "k,x\n1,2\n2,3\n",
        ),
        (
            "select array_agg(x order by x desc, x) as l from (values (1, 1), (1, 2)) t(k, x) group by k",
            "l\n\"[2, 1]\"\n",
        ),
    ] {
        assert_eq!(cxlake(["--format", "csv", "-c", query]).prints(), rows, "{query}");
    }
}

/// DataFusion 55.2 did not know a column again that is calculated of aggregates, that DISTINCT keeps, or that is selected with a cast.
#[test]
fn an_order_may_go_by_what_is_selected_without_a_name() {
    let rows = "from (values ('a', 1, 3.5), ('b', 5, 1.5), ('b', 6, null), ('c', 2, 2.5)) t(k, n, x)";
    let ask = |query: &str| cxlake(["--format", "csv", "-c", &query.replace('T', rows)]).prints();
    for (query, printed) in [
        ("select k, round(avg(n), 1) T group by k order by 2 desc", "k,\"round(avg(n), 1)\"\nb,5.5\nc,2.0\na,1.0\n"),
        ("select k, count(*) * 2 T group by k order by 2 desc, 1", "k,count(*) * 2\nb,4\na,2\nc,2\n"),
        ("select -count(*) T order by 1", "-count(*)\n-4\n"),
        (
            "select k, rank() over (order by sum(n) desc) T group by k order by 2",
            "k,rank() OVER (ORDER BY sum(n) DESC)\nb,1\nc,2\na,3\n",
        ),
        ("select k, (select 10) - max(n) T group by k order by 2 limit 1", "k,(SELECT 10) - max(n)\nb,4\n"),
        // The alias is another column than the one that is added to.
        ("select max(n) as x, max(x) + 1 T group by k order by 2", "x,max(x) + 1\n6,2.5\n2,3.5\n1,4.5\n"),
        ("select distinct upper(k) T order by upper(k) desc", "upper(k)\nC\nB\nA\n"),
        (
            "select distinct upper(k), count(*) + 1 T group by k order by count(*) + 1 desc limit 1",
            "upper(k),count(*) + 1\nB,3\n",
        ),
        ("select distinct t.n + 1 as m T order by n + 1 limit 2", "m\n2\n3\n"),
        ("select x::int, k T order by x nulls first", "x::INT,k\n,b\n1,b\n2,c\n3,a\n"),
        ("select x::int, x T order by x limit 1", "x::INT,x\n1,1.5\n"),
        ("select x::int, count(*) T where n < 5 group by x::int order by x::int", "x::INT,count(*)\n2,1\n3,1\n"),
        ("select b, \"n + 1\" from (select k as b, n + 1 T) order by 2 limit 1", "b,n + 1\na,2\n"),
        ("select 1, 1, n, n + 0, n + 0 T limit 1", "1,1_2,n,n + 0,n + 0_2\n1,1,1,1,1\n"),
        (
            "with recursive r(a, b) as (select 1, 1 union all select a + 1, b * 2 from r where a < 3) select * from r",
            "a,b\n1,1\n2,2\n3,4\n",
        ),
    ] {
        assert_eq!(ask(query), printed, "{query}");
    }
}

#[test]
fn an_order_by_all_goes_by_each_column_in_turn() {
    let rows = "from (values ('b', 5), ('a', 1), ('b', null)) t(k, n)";
    let ask = |query: &str| cxlake(["--format", "csv", "-c", &query.replace('T', rows)]).prints();
    assert_eq!(ask("select k, n + 1 T order by all"), "k,n + 1\na,2\nb,6\nb,\n");
    assert_eq!(ask("select k, n + 1 T order by ALL desc nulls last limit 2"), "k,n + 1\nb,6\nb,\n");
    assert_eq!(ask("select k, count(*) T group by all order by all"), "k,count(*)\na,1\nb,2\n");
    assert_eq!(ask("select k T union select 'c' order by all desc"), "k\nc\nb\na\n");
    assert_eq!(ask("select \"all\" from (values (2), (1)) t(\"all\") order by \"all\""), "all\n1\n2\n");
}

/// DataFusion 55.2 compared a column with itself where the query has it under the same name.
#[test]
fn any_and_all_of_a_column_may_be_asked_of_the_table_itself() {
    let tables = "with t(k, x) as (values (1, 1), (1, 2), (2, 3), (2, null))";
    let ask = |condition: &str| {
        let query = format!("{tables} select x from t where {condition} order by x");
        cxlake(["--format", "csv", "-c", &query]).prints().replace('\n', " ")
    };
    let known = "select x from t where x is not null";
    for (condition, rows) in [
        (format!("x >= all ({known})"), "x 3 "),
        ("x >= all (select x from t)".to_owned(), "x "),
        ("x > any (select x from t)".to_owned(), "x 2 3 "),
        ("x = any (select x from t where x > 1)".to_owned(), "x 2 3 "),
        ("x <> all (select x from t where x > 1)".to_owned(), "x 1 "),
        (format!("not (x < any ({known}))"), "x 3 "),
        ("x > all (select x as y from t where x < 3 order by y limit 1)".to_owned(), "x 2 3 "),
        (format!("x > all ({known} and x < 2 union all select 1)"), "x 2 3 "),
        // Of no rows ALL is true, for a null too.
        ("x >= all (select u.x from t u where u.k = t.k and u.x < 3)".to_owned(), "x 2 3 \"\" "),
        (format!("x >= all ({known} and x < any ({known}))"), "x 2 3 "),
        (format!("x > all ({known} and x < 2) and x < any ({known})"), "x 2 "),
    ] {
        assert_eq!(ask(&condition), rows, "{condition}");
    }
}

/// DataFusion 55.2 joined the counts by one of two columns that are held against the same one around, and rows came several times.
#[test]
fn two_columns_of_a_subquery_may_be_held_against_one_around_it() {
    let tables = "with a(k) as (values (1), (2), (3)), b(k) as (values (1), (3)), c(k) as (values (1), (2))";
    let ask = |query: &str| cxlake(["--format", "csv", "-c", &format!("{tables} {query} order by 1")]).prints();
    let both = "from b, c where b.k = a.k and c.k = a.k";
    assert_eq!(ask(&format!("select k, coalesce((select count(*) {both}), 0) as n from a")), "k,n\n1,1\n2,0\n3,0\n");
    assert_eq!(ask(&format!("select k, exists (select 1 {both}) as e from a")), "k,e\n1,true\n2,false\n3,false\n");
    assert_eq!(ask(&format!("select k from a where exists (select 1 {both})")), "k\n1\n");
}

#[test]
fn a_negated_membership_heeds_nulls_in_the_condition_of_a_join_and_is_refused_where_it_cannot() {
    let tables = "with a(k, x) as (values (1, 1), (1, null), (2, 2)), b(k) as (values (1), (2)), s(k, y) as (values (1, 2), (2, null))";
    let ask = |query: &str| cxlake(["--format", "csv", "-c", &format!("{tables} {query}")]);
    for (condition, rows) in [
        ("a.x not in (select y from s) or a.k = 2", 1),
        ("not (a.x in (select y from s) and a.k = 2)", 2),
        ("a.x not in (select y from s where y is not null) or a.k = 2", 2),
    ] {
        let query = format!("select count(*) as n from a join b on a.k = b.k and ({condition})");
        assert_eq!(ask(&query).prints(), format!("n\n{rows}\n"), "{condition}");
    }
    let correlated = "select count(*) as n from a where x not in (select y from s where s.k = a.k) or k = 2";
    let refused = ask(correlated).fails(1);
    assert!(refused.contains("NOT IN not below OR") && refused.contains("not exists"), "{refused}");
}

/// DataFusion 55.2 took a NOT IN of a constant, or with a query that uses columns around it, for true where it is unknown.
#[test]
fn a_negated_membership_of_a_constant_or_with_a_query_for_each_row_heeds_nulls() {
    let tables = "with a(k, x) as (values (1, 1), (2, null), (3, 3)), s(k, y) as (values (1, 7), (1, null), (3, 4))";
    let ask = |query: &str| cxlake(["--quiet", "--format", "csv", "-c", &format!("{tables} {query}")]).prints();
    for (condition, rows) in [
        ("100 not in (select y from s)", ""),
        ("100 <> all (select y from s)", ""),
        ("not 100 = any (select y from s)", ""),
        ("null not in (select y from s)", ""),
        ("null not in (select y from s where y > 9)", "1 2 3"),
        ("100 not in (select y from s where y is not null)", "1 2 3"),
        ("100 not in (select y from s where s.k = a.k)", "2 3"),
        ("x not in (select y from s where s.k = a.k)", "2 3"),
        ("x not in (select y from s where s.k <> a.k)", "1"),
        ("not x in (select y from s where s.k >= a.k and y > 3)", "1 3"),
    ] {
        let said = ask(&format!("select k from a where {condition} order by k"));
        assert_eq!(said.lines().skip(1).collect::<Vec<_>>().join(" "), rows, "{condition}");
    }
}

/// DataFusion 55.2 told scans what `min(a)` had reached, whatever else was aggregated, and nothing of what was null so far.
#[test]
fn extremes_of_what_is_calculated_are_those_of_all_rows() {
    let folder = Folder::new();
    let rows = "select case when value > 300 then value end as a, 1000 - value as b, value as n from generate_series";
    folder.parquet("f/1.parquet", &format!("{rows}(1, 300)"));
    folder.parquet("f/2.parquet", &format!("{rows}(301, 600)"));
    folder.parquet("f/3.parquet", &format!("{rows}(601, 900)"));
    let ask = |items: &str| {
        let query = format!("select {items} from 'f/' t");
        folder.cxlake(["--quiet", "--format", "csv", "-c", &query]).prints()
    };
    for (items, row) in [
        ("min(n) a, max(n + 1) b", "1,901"),
        ("max(n) a, min(abs(n - 450)) b", "900,0"),
        ("min(a) a, max(b) b", "301,999"),
        ("max(a) filter (where b < 500) a, max(b) b", "900,999"),
    ] {
        assert_eq!(ask(items), format!("a,b\n{row}\n"), "{items}");
    }
}

/// DataFusion 55.2 gave whatever came after a NaN, and the largest finite number for a group of nothing but infinite ones.
#[test]
fn extremes_of_floats_in_groups_are_those_without_groups() {
    let nan = "cast('nan' as double)";
    for values in
        ["-1.0, nan, 2.0", "nan, -1.0", "2.0, -1.0, nan", "inf, inf", "-inf, null", "null", "nan", "1.5, -2.5"]
    {
        let of = |value: &str| match value {
            "nan" => nan.to_owned(),
            "inf" | "-inf" => format!("cast('{value}' as double)"),
            other => format!("cast({other} as double)"),
        };
        let rows: Vec<String> = values.split(", ").map(|value| format!("(1, {})", of(value))).collect();
        let ask = |query: &str| cxlake(["--quiet", "--format", "csv", "-c", query]).prints();
        let table = format!("from (values {}) t(g, f)", rows.join(", "));
        let expected = ask(&format!("select min(f) as a, max(f) as b {table}"));
        assert_eq!(ask(&format!("select min(f) as a, max(f) as b {table} group by g")), expected, "{values}");
    }
}

/// DataFusion 55.2 compares dates with moments in nanoseconds, which end in 2262, and loses hours that are added to dates.
#[test]
fn dates_are_compared_with_moments_and_added_to_hours() {
    let ask = |query: &str| cxlake(["--quiet", "--format", "csv", "-c", query]).prints();
    let ends = "(values (1, date '9999-12-31'), (2, date '2020-01-01'), (3, null)) t(n, d)";
    for (condition, rows) in [
        ("d > now()", "1"),
        ("d <= now()", "2"),
        ("d between timestamp '2000-01-01 00:00:00' and now()", "2"),
        ("d not between timestamp '2000-01-01 00:00:00' and now()", "1"),
        ("d in (timestamp '2020-01-01 00:00:00')", "2"),
        ("arrow_cast('2020-01-01T00:00:00', 'Timestamp(Microsecond, None)') < d", "1"),
        ("timestamp '2020-01-01 00:00:00' = date '2020-01-01' and d > timestamp '2020-01-01 00:00:00'", "1"),
        ("timestamp '2020-01-01 00:00:00' < date '9999-12-31' and n = 3", "3"),
    ] {
        let said = ask(&format!("select n from {ends} where {condition} order by n"));
        assert_eq!(said.lines().skip(1).collect::<Vec<_>>().join(" "), rows, "{condition}");
    }
    // Moments that are written out, too, beside those of a file.
    let folder = Folder::new();
    folder.parquet(
        "t.parquet",
        "select n, arrow_cast(m, 'Timestamp(Microsecond, None)') as m from \
         (values (1, '9999-12-31 00:00:00'), (2, '2024-06-01 12:00:00.000001'), (3, null)) t(n, m)",
    );
    for (condition, rows) in [
        ("m < '9999-12-31'", "2"),
        ("m = timestamp '9999-12-31'", "1"),
        ("m in ('9999-12-31', '2024-06-01')", "1"),
        ("m between timestamp '2024-06-01' and '9999-12-31'", "1 2"),
        ("m > '2024-06-01 12:00:00.0000005'", "1 2"),
        ("m is distinct from '9999-12-31'", "2 3"),
    ] {
        let query = format!("select n from 't.parquet' where {condition} order by n");
        let said = folder.cxlake(["--quiet", "--format", "csv", "-c", &query]).prints();
        assert_eq!(said.lines().skip(1).collect::<Vec<_>>().join(" "), rows, "{condition}");
    }
    let sums = "select date '2024-01-01' + interval '12 hours' as a, date '2024-01-01' - interval '25 hours' as b, \
                date '2024-01-31' + interval '1 month' as c, date '2024-01-01' + interval '1 day 1 hour' as d";
    assert_eq!(ask(sums), "a,b,c,d\n2024-01-01T12:00:00,2023-12-30T23:00:00,2024-02-29,2024-01-02T01:00:00\n");
}

/// DataFusion 55.2 has moments without a zone, and took `now()` for the time on a clock in the zone that was asked for.
#[test]
fn the_zone_of_a_moment_is_another_way_to_write_it() {
    let ask = |query: &str| cxlake(["--quiet", "--format", "csv", "-c", query]).prints();
    let moments = "select to_timestamp(1719531000) at time zone 'Europe/Berlin' as a, \
                   timestamptz '2024-06-27 23:30:00+00' at time zone 'Europe/Berlin' as b, \
                   (to_timestamp(1719531000) - interval '1 hour') at time zone 'America/New_York' as c, \
                   timestamp '2024-06-27 23:30:00' at time zone 'Europe/Berlin' as d";
    let berlin = "2024-06-28T01:30:00+02:00";
    let expected = format!("a,b,c,d\n{berlin},{berlin},2024-06-27T18:30:00-04:00,2024-06-27T23:30:00+02:00\n");
    assert_eq!(ask(moments), expected);
}

/// DataFusion 55.2 knows -0.0 from 0.0 where it goes by bits.
#[test]
fn there_is_one_zero_wherever_values_are_held_against_each_other() {
    let ask = |query: &str| cxlake(["--quiet", "--format", "csv", "-c", query]).prints();
    let rows = "(values (1, -0.4), (2, 0.4), (3, 5.0)) t(n, x)";
    let found = format!(
        "select n, round(x) in (0, 1, 2, 3) as a, case round(x) when 0 then 'zero' else 'other' end as b, \
         rank() over (order by round(x)) as c, count(*) over (partition by round(x)) as d from {rows} order by n"
    );
    assert_eq!(ask(&found), "n,a,b,c,d\n1,true,zero,1,2\n2,true,zero,1,2\n3,false,other,3,1\n");
}

/// DataFusion 55.2 leaves casts out of names, and refused two columns of one name.
#[test]
fn what_differs_in_a_cast_alone_may_stand_side_by_side() {
    let rows =
        "(values (1, 1.5, timestamp '2024-01-01 10:00:00'), (2, 2.5, timestamp '2024-01-01 11:00:00')) t(n, d, m)";
    let ask = |query: &str| cxlake(["--quiet", "--format", "csv", "-c", query]).prints();
    for (query, printed) in [
        (
            format!("select sum(d) as a, sum(cast(d as int)) as b, sum(d::text::decimal(9, 1)) as c from {rows}"),
            "a,b,c\n4.0,3,4.0\n",
        ),
        (
            format!("select count(distinct m), count(distinct m::date) from {rows}"),
            "count(DISTINCT m),count(DISTINCT m::DATE)\n2,1\n",
        ),
        (format!("select sum(cast(d as int)) as a from {rows} having sum(d) > 3 order by sum(d)"), "a\n3\n"),
        (
            format!("select cast(m as date) as day, count(*) as n from {rows} group by m, cast(m as date) order by m"),
            "day,n\n2024-01-01,1\n2024-01-01,1\n",
        ),
        (format!("select sum(d) over () as a, sum(cast(d as int)) over () as b from {rows} limit 1"), "a,b\n4.0,3\n"),
    ] {
        assert_eq!(ask(&query), printed, "{query}");
    }
}

/// DataFusion 55.2 computes in the type of both sides, and wraps around what has no room there.
#[test]
fn whole_numbers_have_room_or_are_an_error() {
    let folder = Folder::new();
    let columns = ["Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64"];
    let named = |expression: &dyn Fn(&str) -> String| columns.map(expression).join(", ");
    let columns = named(&|kind| format!("arrow_cast(n, '{kind}') as {kind}"));
    folder.parquet("t.parquet", &format!("select {columns} from (values (100), (120), (null)) t(n)"));
    let ask = |query: &str| folder.cxlake(["--quiet", "--format", "csv", "-c", query]);
    for (operation, first, second) in [
        ("{0} + {0} + {0}", "300", "360"),
        ("100 - {0} - {0}", "-100", "-140"),
        ("{0} - 2 * {0}", "-100", "-120"),
        ("({0} - {0}) - {0}", "-100", "-120"),
        ("{0} * {0} * {0} * {0} * {0}", "10000000000", "24883200000"),
    ] {
        let columns = named(&|kind| operation.replace("{0}", kind));
        let rows = [first, second, ""].map(|value| [value; 8].join(",") + "\n").concat();
        let said = ask(&format!("select {columns} from 't.parquet' order by Int64")).prints();
        assert_eq!(said.split_once('\n').map(|(_, rows)| rows), Some(rows.as_str()), "{operation}");
    }
    // Whatever stands around it knows its type.
    for (query, printed) in [
        (
            "select d * d as e from (select UInt8 - UInt8 - 100 as d from 't.parquet') where d is not null",
            "e\n10000\n10000\n",
        ),
        (
            "select UInt8 + UInt8 as double, count(*) as n from 't.parquet' group by UInt8 + UInt8 order by double",
            "double,n\n200,1\n240,1\n,1\n",
        ),
        ("select Int8 from 't.parquet' where UInt8 - UInt8 - 1 < 0 and Int8 * Int8 > 10000", "int8\n120\n"),
        ("select sum(Int8 * Int8) as s, max(UInt64 - 200) as m from 't.parquet'", "s,m\n24400,-80\n"),
        (
            "select Int8, rank() over (order by Int8) - rank() over (order by Int8 desc) as moved from 't.parquet' \
             where Int8 is not null order by Int8",
            "int8,moved\n100,-1\n120,1\n",
        ),
    ] {
        assert_eq!(ask(query).prints(), printed, "{query}");
    }
    let most = "(values (1, 9223372036854775807), (1, 1)) t(g, n)";
    for operation in
        ["n + n", "-n - 2", "n * 2", "sum(n)", "sum(n) over (order by n)", "sum(n) * sum(n)", "count(*) + max(n)"]
    {
        let query = format!("select {operation} from {most}");
        let said = ask(&query).run();
        let is_told = ["beyond 64 bits", "too large for its type"].iter().any(|words| said.stderr.contains(words));
        assert!(said.code == Some(1) && is_told, "{query}: {said}");
    }
    let said = ask(&format!("select g, sum(n) from {most} group by g")).run();
    assert!(said.stderr.contains("a sum of whole numbers is beyond 64 bits"), "{said}");
    let exact = format!("select sum(cast(n as decimal(38, 0))) as s, sum(n) filter (where n > 1) as p from {most}");
    assert_eq!(ask(&exact).prints(), "s,p\n9223372036854775808,9223372036854775807\n");
    let moving = format!("select sum(n) over (order by n rows between current row and current row) as s from {most}");
    assert_eq!(ask(&moving).prints(), "s\n1\n9223372036854775807\n");
}

/// DataFusion 55.2 made nulls equal in all joins around one `is not distinct from`, or in none.
#[test]
fn nulls_are_equal_in_the_one_join_that_says_so() {
    let ask = |query: &str| cxlake(["--quiet", "--format", "csv", "-c", query]).prints();
    let rows = "(values ('a', 1), ('b', null), (null, 3))";
    for (joins, count) in [
        ("join {r} b(g, x) on a.g is not distinct from b.g where a.x = b.x", 2),
        ("join {r} b(g, x) on a.g is not distinct from b.g and a.x = b.x", 2),
        ("left join {r} b(g, x) on a.g is not distinct from b.g where a.x = b.x", 2),
        ("join {r} b(g, x) on a.g is not distinct from b.g join {r} c(g, x) on a.x = c.x", 2),
        ("join {r} c(g, x) on a.x = c.x join {r} b(g, x) on a.g is not distinct from b.g", 2),
        ("join {r} b(g, x) on a.g is not distinct from b.g, {r} c(g, x) where a.g = c.g", 2),
        ("join {r} b(g, x) on a.g is not distinct from b.g join {r} c(g, x) on a.x is not distinct from c.x", 3),
    ] {
        let query = format!("select count(*) as n from {rows} a(g, x) {}", joins.replace("{r}", rows));
        assert_eq!(ask(&query), format!("n\n{count}\n"), "{joins}");
    }
    let apart = format!(
        "explain select count(*) from {rows} a(g, x) join {rows} b(g, x) on a.g is not distinct from b.g, {rows} c(g, x) where a.x = c.x"
    );
    assert!(!ask(&apart).contains("cross join"), "{}", ask(&apart));
}

/// DataFusion 55.2 casts the constant that a cast column is held against in the place of the column.
#[test]
fn a_cast_that_cuts_digits_off_is_made_before_anything_is_compared() {
    let ask = |query: &str| cxlake(["--quiet", "--format", "csv", "-c", query]).prints();
    let rows = "(values (1, 1.10), (2, 2.20), (3, 2.90), (4, 100.05), (5, null)) r(n, x)";
    let rows = format!("(select n, cast(x as decimal(12, 2)) as d from {rows}) t");
    for (condition, found) in [
        ("cast(d as int) = 2", "2 3"),
        ("cast(d as bigint) > 2", "4"),
        ("d::int <= 2", "1 2 3"),
        ("try_cast(d as int) in (2, 0)", "2 3"),
        ("d::int not in (1, 100)", "2 3"),
        ("d::int between 1 and 2", "1 2 3"),
        ("d::int is distinct from 2", "1 4 5"),
        ("d::int::text = '2'", "2 3"),
        ("cast(d as decimal(12, 1)) = 2.2", "2"),
        ("cast(d as decimal(12, 0)) = 3", "3"),
        ("d = 2.2", "2"),
        ("cast(d as double) = 2.2", "2"),
    ] {
        let said = ask(&format!("select n from {rows} where {condition} order by n"));
        assert_eq!(said.lines().skip(1).collect::<Vec<_>>().join(" "), found, "{condition}");
    }
    let grouped =
        format!("select k, count(*) as n from (select d::int as k from {rows}) where k > 1 group by k order by k");
    assert_eq!(ask(&grouped), "k,n\n2,2\n100,1\n");
}

/// Processors of one kind give 0/0 a sign, by which DataFusion 55.2 puts it below every number.
#[test]
fn what_is_no_number_is_above_every_number_however_it_came_about() {
    let ask = |query: &str| cxlake(["--quiet", "--format", "csv", "-c", query]).prints();
    let rows = "(values (1, 0.0, 0.0), (2, 1.0, 2.0), (3, 3.0, 1.0)) t(n, a, b)";
    assert_eq!(ask(&format!("select n from {rows} where a / b < 0.5 or -(a / b) < -3")), "n\n");
    assert_eq!(
        ask(&format!("select n, a / b = 'nan' as known, rank() over (order by a / b) as r from {rows} order by a / b")),
        "n,known,r\n2,false,1\n3,false,2\n1,true,3\n"
    );
    assert_eq!(ask(&format!("select min(a / b) as least, count(distinct a % b) as n from {rows}")), "least,n\n0.5,3\n");
    assert_eq!(
        ask("select power(-8.0, 0.5) > 1e300 as a, -ln(x - 1) > 1 as b from (values (1.5)) t(x)"),
        "a,b\ntrue,false\n"
    );
}

/// DataFusion 55.2 takes the conditions out of a query that uses columns around it, and asks for all rows at once.
#[test]
fn a_query_that_uses_columns_around_it_is_answered_for_each_row_or_refused() {
    let ask = |query: &str| cxlake(["--quiet", "--format", "csv", "-c", query]);
    let rows = "from (values (1, 10), (1, 20), (2, 7)) u(k, v) where u.k = t.k";
    for (condition, found) in [
        ("5 not in (select max(v) {r})", "1 2"),
        ("20 in (select max(v) {r})", "1"),
        ("0 in (select count(*) {r})", "3"),
        ("2 not in (select count(*) {r})", "2 3"),
        ("exists (select count(*) {r})", "1 2 3"),
        ("not exists (select max(v) {r})", ""),
        ("exists (select 1 {r} limit 1)", "1 2"),
        ("exists (select 1 {r} group by u.k having count(*) > 1)", "1"),
        ("(select count(*) {r}) > 1", "1"),
    ] {
        let query =
            format!("select k from (values (1), (2), (3)) t(k) where {} order by k", condition.replace("{r}", rows));
        let said = ask(&query).prints();
        assert_eq!(said.lines().skip(1).collect::<Vec<_>>().join(" "), found, "{condition}");
    }
    for (condition, what) in [
        ("exists (select 1 {r} having count(*) < 2)", "HAVING on a total"),
        ("(select sum(v) {r} having count(*) < 3) > 1", "HAVING on a total"),
        ("exists (select 1 {r} offset 1)", "OFFSET"),
        ("30 in (select max(v) over () {r})", "a window"),
        ("exists (select v {r} qualify row_number() over (order by v) > 1)", "a window"),
    ] {
        let query = format!("select k from (values (1), (2), (3)) t(k) where {}", condition.replace("{r}", rows));
        let said = ask(&query).fails(1);
        let wanted = format!("error: {what} cannot stand in a query that uses columns of the query around it\n");
        assert!(said.starts_with(&wanted), "{condition}: {said}");
    }
    let lateral = format!(
        "select t.k, q.v from (values (1), (2)) t(k), lateral (select v, row_number() over (order by v desc) as n {rows}) q where n = 1"
    );
    assert!(ask(&lateral).fails(1).contains("a window cannot stand"), "{lateral}");
}

#[test]
fn a_caret_is_no_power() {
    let said = cxlake(["-c", "select 1000 * 1.05 ^ 10"]).fails(1);
    assert!(said.contains("write `power(a, b)`"), "{said}");
}

/// Who writes files leaves NaN out of the bounds of floats; DataFusion 55.2 takes a column with equal bounds for one value.
#[test]
fn what_is_no_number_stays_so_beside_equal_numbers() {
    let folder = Folder::new();
    folder.parquet(
        "t.parquet",
        "select n, f from (values (1, cast('nan' as double)), (2, 1.0), (3, cast('nan' as double))) t(n, f)",
    );
    let ask = |query: &str| folder.cxlake(["--quiet", "--format", "csv", "-c", query]).prints();
    assert_eq!(ask("select * from 't.parquet' order by n"), "n,f\n1,NaN\n2,1.0\n3,NaN\n");
    assert_eq!(ask("select count(*) filter (where f = 1) as n, max(f) as m from 't.parquet'"), "n,m\n1,NaN\n");
}

/// DataFusion 55.2 takes what leaves a frame out of its sums again, and keeps what rounding leaves of it.
#[test]
fn slopes_and_correlations_of_a_frame_are_those_of_its_rows() {
    let ask = |query: &str| cxlake(["--quiet", "--format", "csv", "-c", query]).prints();
    let rows = "(values (1, 4.0, 1.1), (2, 6.0, 2.2), (3, 8.0, 3.3), (4, 9.0, 3.3), (5, 12.0, 3.3), (6, 13.0, 3.3)) t(n, y, x)";
    let slopes = format!("select n, regr_slope(y, x) over (order by n rows 2 preceding) as s from {rows} order by n");
    let said = ask(&slopes);
    let slopes: Vec<&str> = said.lines().skip(1).collect();
    assert_eq!((slopes[0], slopes[4], slopes[5]), ("1,", "5,", "6,"), "{said}");
    let left = "(values (1, cast('nan' as double), 1.0), (2, 1.0, 2.0), (3, 2.0, 3.0), (4, 4.0, 4.0)) t(n, y, x)";
    let framed =
        format!("select corr(y, x) over (order by n rows 2 preceding) as c from {left} order by n desc limit 1");
    let whole = format!("select corr(y, x) as c from {left} where n > 1");
    assert_eq!(ask(&framed), ask(&whole));
    assert!(!ask(&whole).contains("NaN"));
}

/// DataFusion 55.2 knows no sum of nulls without a type, as pandas writes a question that nobody answered.
#[test]
fn sums_and_means_of_nulls_without_a_type_are_null() {
    let folder = Folder::new();
    folder.parquet("t.parquet", "select n, null as x from (values (1), (2)) t(n)");
    let ask = |query: &str| folder.cxlake(["--quiet", "--format", "csv", "-c", query]).prints();
    assert_eq!(ask("select sum(x) as s, avg(x) as a, sum(n) as n, max(x) as m from 't.parquet'"), "s,a,n,m\n,,3,\n");
    assert_eq!(ask("select n, sum(x) as s from 't.parquet' group by n order by n"), "n,s\n1,\n2,\n");
    assert_eq!(ask("select n, sum(x) over (order by n) as s from 't.parquet' order by n"), "n,s\n1,\n2,\n");
    assert_eq!(ask("select sum(null) as s, avg(null) as a"), "s,a\n,\n");
}
