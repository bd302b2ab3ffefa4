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
