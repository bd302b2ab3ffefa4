//! Defects of the engine that gave wrong answers, each with the statement that showed it.

use super::harness::Folder;

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
