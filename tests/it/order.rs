//! Values at extremes, medians, peers and health in SQL, on the sample lake and on real data.

use super::harness::cxlake;

fn sql(statement: &str) -> String {
    cxlake(["--format", "csv", "-c", statement]).prints()
}

fn refused(statement: &str) -> String {
    cxlake(["-c", statement]).fails(1)
}

/// Cost per trip of the agencies with buses, ids padded.
const BUSES: &str = "
    with costs as (
        select ntd_id, sum(total) as cost from transit_expenses where mode = 'MB' group by ntd_id
    ),
    trips as (
        select lpad(ntd_id, 5, '0') as trip_id, unlinked_passenger_trips as trips from transit_trips where mode = 'MB'
    ),
    ratios as (
        select cast(cost as double) / trips as ratio, trips from costs join trips on trip_id = ntd_id where trips > 0
    )";

#[test]
fn buses_reach_the_published_median_and_mad() {
    let statement = format!(
        "{BUSES} select count(ratio) as n, round(median(ratio), 4) as median, round(mad(ratio), 4) as mad,
            round(mad(ratio, scale => 1.4826) / 1.4826, 4) as scaled_back, round(weighted_median(ratio, 1), 4) as equal_weights
        from ratios"
    );
    let said = cxlake(["--lake", "tests/data", "--format", "csv", "-c", &statement]).prints();
    assert_eq!(said, "n,median,mad,scaled_back,equal_weights\n402,11.7779,3.9094,3.9094,11.7779\n");
}

#[test]
fn the_latest_answer_is_the_one_that_numbering_the_rows_finds() {
    let differing = sql("
        with numbered as (
            select account_id, nps, comment,
                row_number() over (partition by account_id order by answered_at desc, nps desc) as newest_first
            from surveys where nps is not null and answered_at is not null
        ),
        latest as (
            select account_id, arg_max(nps, answered_at) as nps, arg_max(named_struct('n', nps, 'c', comment), answered_at) as both
            from surveys where nps is not null
            group by account_id
        )
        select count(*) as accounts, count(*) filter (where l.nps <> n.nps or l.both['n'] <> n.nps) as differing
        from latest l join numbered n on n.account_id = l.account_id and newest_first = 1");
    assert!(differing.starts_with("accounts,differing\n") && differing.ends_with(",0\n"), "{differing}");
    assert_ne!(differing, "accounts,differing\n0,0\n");
}

#[test]
fn a_frame_that_an_infinite_value_has_left_has_the_sum_of_the_others() {
    assert_eq!(
        sql("
            select i, sum(x) over w as s, avg(x) over w as a, var_pop(x) over w as v
            from (values (1, 10.0/0), (2, 5.0), (3, 7.0), (4, 1.0), (5, -10.0/0)) t(i, x)
            window w as (order by i rows between 1 preceding and current row) order by i"),
        "i,s,a,v\n1,inf,inf,NaN\n2,inf,inf,NaN\n3,12.0,6.0,1.0\n4,8.0,4.0,9.0\n5,-inf,-inf,NaN\n"
    );
}

#[test]
fn a_window_by_its_name_is_the_same_wherever_it_is_used() {
    let of = |select: &str| {
        let rows = "(values ('a', 1), ('a', 2), ('b', 3)) t(k, x)";
        sql(&select.replace("from t", &format!("from {rows}")).replace('W', "window w as (partition by k order by x)"))
    };
    assert_eq!(of("select k, x from t W qualify rank() over w = 1 order by k"), "k,x\na,1\nb,3\n");
    assert_eq!(of("select k, x from t W order by rank() over w desc, x"), "k,x\na,2\na,1\nb,3\n");
    assert_eq!(of("select x, rank() over \"w\" as r from t W order by x"), "x,r\n1,1\n2,2\n3,1\n");
    // What is added to a window by its name.
    let parted = "window v as (partition by k), w as (v order by x)";
    for added in ["over (v order by x)", "over w", "over (w)"] {
        let select = format!("select x, rank() {added} as r from t {parted} order by x");
        assert_eq!(of(&select), "x,r\n1,1\n2,2\n3,1\n", "{added}");
    }
    // A query within has windows of its own.
    assert_eq!(
        of(
            "select x, (select max(s) from (select sum(y) over w as s from (values (5), (6)) u(y) window w as (order by y))) as s, \
            rank() over w as r from t W order by x"
        ),
        "x,s,r\n1,11,1\n2,11,2\n3,11,1\n"
    );
    for (select, wanted) in [
        ("select x from t qualify rank() over w = 1", "error: no window `w`\n"),
        ("select x from t order by rank() over w", "error: no window `w`\n"),
        (
            "select rank() over (w order by k) from t W",
            "error: window `w` is given a partition, an order or a frame, and has one already\n",
        ),
    ] {
        let select = select.replace('W', "window w as (order by x)").replace("from t", "from (values (1, 2)) t(k, x)");
        let told = cxlake(["-c", &select]).told(1);
        assert!(told.starts_with(wanted), "{select}: {told}");
    }
}

#[test]
fn a_quantile_from_above_is_the_same_to_the_last_digit_as_the_one_from_below() {
    let of = |shares: &str, groups: &str| {
        sql(&format!("select {shares} from (select value * 1.0e0 as x, 1 as g from generate_series(1, 11)) {groups}"))
    };
    let above = "percentile_cont(0.9) within group (order by x desc) as above";
    assert_eq!(of(above, ""), "above\n2.0\n");
    assert_eq!(of(&format!("{above}, median(x) as m"), "group by g"), "above,m\n2.0,6.0\n");
}

#[test]
fn distinct_values_at_extremes_and_of_weights_may_be_their_own_keys() {
    let rows = "(values (1.0, 3), (1.0, 3), (1.0, 3), (2.0, 1), (5.0, 2)) t(x, k)";
    assert_eq!(
        sql(&format!(
            "select arg_max(distinct x, x) as largest, arg_min(distinct x, k) as last, weighted_median(distinct x, x) as m,
                weighted_median(x, x) as of_all
            from {rows}"
        )),
        "largest,last,m,of_all\n5.0,2.0,5.0,3.5\n"
    );
    assert_eq!(sql(&format!("select arg_max(distinct x, x) as a from {rows}")), "a\n5.0\n");
    assert_eq!(sql(&format!("select weighted_median(distinct x, x) as m from {rows}")), "m\n5.0\n");
    assert_eq!(
        sql(&format!("select k, weighted_median(distinct x, x) as m from {rows} group by k order by k")),
        "k,m\n1,2.0\n2,5.0\n3,1.0\n"
    );
}

#[test]
fn the_value_at_the_extreme_skips_nulls_and_breaks_ties_by_value() {
    let rows = "(values (1, 10), (2, 20), (3, 20), (null, 30), (4, null)) v(x, k)";
    assert_eq!(
        sql(&format!(
            "select arg_max(x, k) as x, arg_min(-x, -k) as y, arg_max(struct(x), k)['c0'] as z, arg_max(x, k) filter (where k < 20) as f,
                arg_max(x, k) filter (where k > 99) as none
            from {rows}"
        )),
        "x,y,z,f,none\n3,-3,,1,\n"
    );
    assert_eq!(
        sql(&format!(
            "select k, arg_max(x, k) over (order by k rows between 1 preceding and current row) as two,
                arg_max(x, k) over (order by k) as so_far
            from {rows} where x is not null and k is not null order by k, two"
        )),
        "k,two,so_far\n10,1,1\n20,2,3\n20,3,3\n"
    );
}

#[test]
fn peers_leave_out_the_row_itself_and_need_four() {
    assert_eq!(
        sql(
            "select x, median_excluding_self(x) over () as m, median_excluding_self(x, min_peers => 5) over () as five,
                count_excluding_self(x) over () as peers, robust_z(x) over () as z
            from (values (1), (2), (3), (4), (50), (null)) v(x) order by x"
        ),
        "x,m,five,peers,z\n\
         1,3.5,,4,-1.349\n\
         2,3.5,,4,-0.6745\n\
         3,3.0,,4,0.0\n\
         4,2.5,,4,0.6745\n\
         50,2.5,,4,31.7015\n\
         ,3.0,3.0,5,\n"
    );
}

#[test]
fn health_is_unknown_below_its_coverage_and_never_zero() {
    assert_eq!(
        sql("select health_score([80, null, 50], [30, 15, 15]) as h, health_score([80, null], [30, 35]) as unknown,
                health_score([80, null], [30, 35], min_coverage => 0.4) as known, health_coverage([80, null], [1, 3]) as coverage,
                health_score([null], [1], min_coverage => 0) as nothing, health_score([80, 0], [1, null]) as one"),
        "h,unknown,known,coverage,nothing,one\n70.0,,80.0,0.25,,80.0\n"
    );
    assert_eq!(
        sql(
            "select decay(180, 180) as half, band(50, [50, 70]) as above, band(50, [50, 70], edge => 'upper') as below,
                band(70, [50, 70], ['at risk', 'watch', 'healthy']) as label, band(null, [1]) as none"
        ),
        "half,above,below,label,none\n0.5,1,0,healthy,\n"
    );
}

#[test]
fn what_is_refused_is_named() {
    for (statement, error) in [
        (
            "select weighted_median(fte, -1) from offices",
            "error: `weighted_median` got the weight -1; a weight is 0 or more\n\nhint: 0 or null makes a row count nothing\n",
        ),
        (
            "select health_score([1, 2], [1])",
            "error: `health_score` got 2 scores and 1 weights\n\n\
             hint: give one weight for each score, and null for a score that is absent\n",
        ),
        (
            "select decay(-3, 180)",
            "error: `decay` got the age -3: the row lies in the future, which nobody knew then\n\n\
             hint: leave such rows out, as in `where answered_at < $as_of`\n",
        ),
        (
            "select band(1, [70, 50])",
            "error: `band` got the edge 50 after 70\n\nhint: edges ascend, as in `[50, 70]`\n",
        ),
    ] {
        assert_eq!(refused(statement), error, "{statement}");
    }
}

#[test]
fn every_example_of_the_functions_runs() {
    for help in cxlake::engine::functions::helps() {
        for example in help.examples {
            let rows = sql(example);
            assert!(rows.lines().count() > 1, "`{}`: {example}", help.name);
        }
    }
}
