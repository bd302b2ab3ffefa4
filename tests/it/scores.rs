//! The scores and their tests, over groups, windows and filters, on the sample lake and on public data.

use serde_json::Value;

use super::harness::{cxlake, repository};

/// The first row of a statement's result.
fn row(lake: &str, sql: &str) -> Value {
    let printed = cxlake(["--lake", lake, "--format", "ndjson", "-c", sql]).prints();
    serde_json::from_str(printed.lines().next().expect("a row")).expect("JSON")
}

/// What a statement without a table returns, as CSV.
fn csv(sql: &str) -> String {
    cxlake(["--format", "csv", "-c", sql]).prints()
}

/// What a statement on the sample lake says when it is refused.
fn refused(sql: &str) -> String {
    cxlake(["-c", sql]).told(1)
}

/// A float's digits.
fn digits(value: &Value, decimals: usize) -> String {
    format!("{:.*}", decimals, value.as_f64().unwrap_or_else(|| panic!("no number: {value}")))
}

const AIRPORT: &str = "tests/data";

#[test]
fn a_weight_that_is_null_in_every_row_is_a_weight() {
    let rows = "from (values (9, null), (3, null)) t(n, w)";
    assert_eq!(
        csv(&format!(
            "select nps(n, w) as given, nps(n, null) as literal, nps_stats(n, w).n as counted, \
             weighted_median(n, w) as middle {rows}"
        )),
        "given,literal,counted,middle\n,0.0,0,\n"
    );
    assert_eq!(csv(&format!("select n, nps(n, w) as given {rows} group by n order by n")), "n,given\n3,\n9,\n");
    assert_eq!(csv(&format!("select n, nps(n, w) over (order by n) as given {rows}")), "n,given\n3,\n9,\n");
}

#[test]
fn the_airports_score_with_its_interval_is_the_published_one() {
    let row = row(
        AIRPORT,
        "select nps_stats(netpro, missing => 11) as s, nps(netpro, missing => [11, 99]) as nps,
            nps(netpro, weight, 11) as weighted, nps_stats(netpro, weight => weight, missing => 11) as w
        from airport_survey",
    );
    let stats = &row["s"];
    let counts = ["n", "promoters", "passives", "detractors"].map(|name| stats[name].as_i64().expect("a count"));
    assert_eq!(counts, [2746, 1436, 968, 342]);
    let measures = ["nps", "low", "high", "n_effective"].map(|name| digits(&stats[name], 3));
    assert_eq!(measures, ["39.840", "37.182", "42.410", "2746.000"]);
    assert_eq!([digits(&row["nps"], 4), digits(&row["weighted"], 4)], ["39.8398", "40.3984"]);
    // The counts are those of answers; the score and what it rests on are weighted.
    assert_eq!(row["w"]["n"], 2746);
    assert_eq!([digits(&row["w"]["nps"], 4), digits(&row["w"]["n_effective"], 2)], ["40.3984", "2266.51"]);
}

#[test]
fn the_effective_size_of_a_weighted_score_is_that_of_plain_sql() {
    let row = row(
        AIRPORT,
        "select nps_stats(netpro, weight, 11).n_effective as ours,
            power(sum(cast(weight as double)), 2) / sum(power(cast(weight as double), 2)) as plain
        from airport_survey where netpro <= 10",
    );
    assert_eq!(digits(&row["ours"], 8), digits(&row["plain"], 8));
}

#[test]
fn a_code_outside_the_scale_is_named_and_not_counted() {
    let said = cxlake(["--lake", AIRPORT, "-c", "select nps(netpro) from airport_survey"]).fails(1);
    assert_eq!(
        said,
        "error: `nps` got the score 11, outside 0 to 10\n\n\
         hint: if 11 marks a blank, say so: `nps(score, missing => [11])`\n"
    );
}

#[test]
fn satisfaction_is_that_of_plain_sql() {
    let row = row(
        AIRPORT,
        "select csat(q7_all) as csat, csat(q7_all, top => 1) as top_box, csat_stats(q7_all) as s,
            avg(case when q7_all >= 4 then 1.0 when q7_all >= 1 then 0.0 end) as plain,
            avg(case when q7_all = 5 then 1.0 when q7_all >= 1 then 0.0 end) as plain_top,
            csat(q7_all, weight) as weighted,
            sum(case when q7_all >= 4 then weight end) / sum(case when q7_all >= 1 then weight end) as plain_weighted,
            wilson(count(*) filter (where q7_all >= 4), count(q7_all)) as w
        from airport_survey",
    );
    for (ours, plain) in [("csat", "plain"), ("top_box", "plain_top"), ("weighted", "plain_weighted")] {
        assert_eq!(digits(&row[ours], 5), digits(&row[plain], 5), "{ours}");
    }
    assert_eq!([&row["s"]["n"], &row["s"]["satisfied"]], [2688, 2206]);
    for name in ["low", "high"] {
        assert_eq!(row["s"][name], row["w"][name]);
    }
    // SciPy: binomtest(2206, 2688).proportion_ci(method="wilson").
    assert_eq!([digits(&row["s"]["low"], 12), digits(&row["s"]["high"], 12)], ["0.805727924586", "0.834725841497"]);
}

#[test]
fn effort_has_its_mean_and_students_interval() {
    let row = row(
        ".",
        "with t(x, w) as (values (1, 1), (7, 0.5), (5, 2), (5, 1.5), (6, 1), (3, 1), (7, 3), (7, 0.25), (2, 1), (4, 2))
        select ces(x) as ces, ces_stats(x) as s, ces_stats(x, w) as w, ces_stats(x * 0 + 3, w / 3.0) as same from t",
    );
    assert_eq!([digits(&row["ces"], 9), digits(&row["s"]["easy_share"], 9)], ["4.700000000", "0.600000000"]);
    // SciPy: t.interval(0.95, 9, mean, sem), and with n_effective - 1 for the weighted ones.
    assert_eq!([digits(&row["s"]["low"], 9), digits(&row["s"]["high"], 9)], ["3.152813856", "6.247186144"]);
    let weighted = ["mean", "n_effective", "low", "high"].map(|name| digits(&row["w"][name], 9));
    assert_eq!(weighted, ["4.811320755", "7.450928382", "3.036138760", "6.586502750"]);
    assert_eq!([digits(&row["same"]["low"], 12), digits(&row["same"]["high"], 12)], ["3.000000000000"; 2]);
}

#[test]
fn nobody_answered_is_no_score_and_not_zero() {
    let none = "{\"n\":0,\"promoters\":0,\"passives\":0,\"detractors\":0}";
    for from in ["from surveys where false", "from (select cast(null as int) as nps) as t"] {
        let row = row(".", &format!("select nps(nps) as nps, nps_stats(nps) as s, ces_stats(nps) as c {from}"));
        assert_eq!(row["nps"], Value::Null, "{from}");
        let stats = row["s"].as_object().expect("a struct");
        let there: serde_json::Map<_, _> = stats.clone().into_iter().filter(|(_, value)| !value.is_null()).collect();
        assert_eq!(serde_json::to_string(&there).expect("JSON"), none, "{from}");
        assert_eq!(row["c"]["n"], 0, "{from}");
    }
    assert_eq!(csv("select nps(nps) as nps from surveys where false group by office_id"), "nps\n");
}

#[test]
fn a_subquery_without_rows_counts_zero_as_the_function_does() {
    let row = row(
        ".",
        "select (select nps_stats(nps) from surveys where surveys.office_id = offices.office_id and nps < 0) as s from offices",
    );
    assert_eq!(row["s"]["n"], 0);
    assert_eq!(row["s"]["nps"], Value::Null);
}

#[test]
fn weights_leave_answers_out_or_make_no_score_but_are_never_guessed() {
    let said = csv("
        select nps(x, w) as weighted, nps_stats(x, w).n as n, nps(x, w * 0) as none, nps_stats(x, w * 0).n as still,
            nps(x, null) as plain
        from (values (10, 3), (0, 1), (9, null), (null, 5)) as t(x, w)");
    assert_eq!(said, "weighted,n,none,still,plain\n50.0,2,,2,33.333333333333336\n");
    assert_eq!(
        refused("select nps(x, w) from (values (10, 3), (0, -1)) as t(x, w)"),
        "error: `nps` got the weight -1; a weight is 0 or more\n\nhint: null leaves the answer out\n"
    );
    for weight in ["'NaN'", "'inf'"] {
        let said = refused(&format!("select csat(5, cast({weight} as double))"));
        assert!(said.contains("a weight is 0 or more"), "{said}");
    }
}

#[test]
fn one_answer_and_unanimous_ones_have_wide_intervals_within_the_scale() {
    let said = csv("
        select round(s.s.low, 3) as low, round(s.s.high, 3) as high, s.s.nps, round(s.c.low, 3) as c_low, s.c.high as c_high
        from (select nps_stats(x) as s, csat_stats(x / 2) as c from (values (10)) as t(x)
            union all
            select nps_stats(x) as s, csat_stats(x / 2) as c from (values (10), (10)) as t(x)) as s
        order by 1");
    assert_eq!(
        said.lines().skip(1).collect::<Vec<_>>(),
        ["-48.499,98.499,100.0,0.207,1.0", "-24.411,100.0,100.0,0.342,1.0"]
    );
}

#[test]
fn whole_numbers_are_taken_in_any_type_and_nothing_else() {
    let said = csv("
        select nps(a) as a, nps(b) as b, nps(c) as c, nps(d) as d, nps(e) as e, nps(f, missing => cast('NaN' as double)) as f
        from (
            select cast(x as tinyint) as a, cast(x as bigint unsigned) as b, cast(x as double) as c,
                cast(x as decimal(5, 2)) as d, arrow_cast(x, 'Dictionary(Int32, Int16)') as e,
                case when x = 3 then cast('NaN' as double) else x end as f
            from (values (9), (3), (7), (10)) as t(x)
        ) as t");
    assert_eq!(said, "a,b,c,d,e,f\n25.0,25.0,25.0,25.0,25.0,66.66666666666667\n");
    assert_eq!(
        refused("select nps(9.5)"),
        "error: `nps` got the score 9.5, no whole number\n\nhint: answers are whole numbers from 0 to 10\n"
    );
    assert_eq!(
        refused("select nps(comment) from surveys"),
        "error: `score` of `nps` takes a number, and was given text\n\n\
         hint: text is no number even when it looks like one: cast it, as in `cast(x as double)`\n"
    );
}

#[test]
fn constants_out_of_range_say_what_is_meant() {
    for (call, says) in [
        ("nps_stats(nps, confidence => 95)", "`confidence` of `nps_stats` is 95, which is not between 0 and 1"),
        ("nps(nps, missing => nps)", "`missing` of `nps` takes a constant, the same for all rows"),
        ("nps(nps, missing => 'x')", "`missing` of `nps` takes a number or a list of numbers, and was given text"),
        ("csat(csat, top => 5)", "`top` of `csat` is 5, which is no whole number from 1 to 4"),
        ("nps(distinct nps, missing => 11)", "`nps` counts every answer, and takes no DISTINCT"),
    ] {
        let said = refused(&format!("select {call} from surveys"));
        assert!(said.starts_with(&format!("error: {says}\n")), "{said}");
    }
}

#[test]
fn what_a_filter_leaves_out_is_not_looked_at() {
    let said = csv("
        select g, nps(x) filter (where x <= 10) as nps, nps_stats(x) filter (where g = 1 and x < 11).n as n
        from (values (1, 10), (1, 99), (2, 0), (2, 99)) as t(g, x) group by g order by g");
    assert_eq!(said, "g,nps,n\n1,100.0,1\n2,-100.0,0\n");
}

#[test]
fn frames_slide_over_months_and_rows() {
    let said = csv("
        select i, nps(x) over (order by i rows between 1 preceding and current row) as pair,
            nps_stats(x, w) over (order by i rows between 1 preceding and 1 following)['n'] as n,
            share_stats(x > 8) over (order by i)['share'] as so_far
        from (values (1, 10, 1.5), (2, 0, null), (3, null, 1), (4, null, 1), (5, 9, 0.5)) as t(i, x, w) order by i");
    assert_eq!(
        said,
        "i,pair,n,so_far\n1,100.0,1,1.0\n2,0.0,1,0.5\n3,-100.0,0,0.5\n4,,1,0.5\n5,100.0,1,0.6666666666666666\n"
    );
}

#[test]
fn a_hundred_thousand_groups_come_out_like_one_by_one() {
    let said = csv("
        with t as (select value % 100000 as g, value * 7 % 11 as x from generate_series(1, 700000)),
            scored as (select g, nps(x) as nps, nps_stats(x, 2) as s,
                100.0 * sum(case when x > 8 then 1 when x < 7 then -1 else 0 end) / count(x) as plain
                from t group by g)
        select count(*) as groups, max(abs(nps - plain)) < 1e-9 as same, min(scored.s.n) as n, max(abs(scored.s.nps - plain)) < 1e-9
            as weighted from scored");
    assert_eq!(said, "groups,same,n,weighted\n100000,true,7,true\n");
}

#[test]
fn groups_are_counted_where_they_are_read_and_added_up_after() {
    let statement = "explain select office_id, nps_stats(nps, missing => [11]).nps from surveys group by office_id";
    // One thread has nothing to add up.
    let plan = cxlake(["--threads", "2", "-c", statement]).prints();
    assert!(plan.contains("mode=FinalPartitioned") && plan.contains("mode=Partial"), "{plan}");
}

#[test]
fn two_scores_are_tested_from_their_stats() {
    let row = row(
        ".",
        "with t(g, x, k) as (values (1, 10, 60), (1, 8, 25), (1, 0, 15), (2, 10, 50), (2, 8, 25), (2, 0, 45)),
            answers as (select g, x from (select g, x, unnest(generate_series(1, k)) as i from t))
        select nps_test(nps_stats(x) filter (where g = 1), nps_stats(x) filter (where g = 2)) as test,
            share_test(share_stats(x = 10) filter (where g = 1), share_stats(x = 10) filter (where g = 2)).z as z,
            nps_test(nps_stats(x), nps_stats(x) filter (where g = 3)) as nobody, nps_test(null, nps_stats(x)).p as nothing
        from answers",
    );
    let test = ["difference", "z", "p"].map(|name| digits(&row["test"][name], 8));
    assert_eq!(test, ["40.83333333", "3.65971109", "0.00025250"]);
    // (60/100 - 50/120) / sqrt(1/2 * 1/2 * (1/100 + 1/120))
    assert_eq!(digits(&row["z"], 6), "2.708013");
    assert_eq!([&row["nobody"], &row["nothing"]], [&Value::Null, &Value::Null]);
}

#[test]
fn a_share_from_two_counts_refuses_more_than_all() {
    let row = row(".", "select wilson(8, 10) as w, wilson(0, 0) as none, wilson(null, 3).low as nothing");
    let found = ["share", "low", "high"].map(|name| digits(&row["w"][name], 9));
    assert_eq!(found, ["0.800000000", "0.490162472", "0.943317849"]);
    assert_eq!([&row["none"], &row["nothing"]], [&Value::Null, &Value::Null]);
    for (k, n) in [(11, 10), (-1, 10), (1, 0)] {
        let said = refused(&format!("select wilson({k}, {n})"));
        assert_eq!(said, format!("error: `wilson` got {k} of {n}\n\nhint: `k` counts some of `n`: 0 <= k <= n\n"));
    }
}

#[test]
fn the_examples_of_the_scores_run_on_the_sample_lake() {
    let ours = [
        "nps",
        "nps_stats",
        "csat",
        "csat_stats",
        "share_stats",
        "ces",
        "ces_stats",
        "nps_test",
        "share_test",
        "wilson",
    ];
    let helps = cxlake::engine::functions::helps();
    for name in ours {
        let help = helps.iter().find(|help| help.name == name).unwrap_or_else(|| panic!("no help of {name}"));
        for example in help.examples {
            let printed = cxlake(["--format", "csv", "-c", example]).within(repository()).prints();
            assert!(printed.lines().count() > 1, "{example}");
        }
    }
}

#[test]
fn a_field_is_had_with_a_dot_or_in_brackets_of_a_call_a_column_and_a_qualified_column() {
    let of = |field: &str| {
        let sql = format!("select {field} as n from (select nps_stats(nps) as stats from surveys) s");
        cxlake(["-c", &sql, "--format", "csv"]).prints()
    };
    let whole = of("stats.n");
    for field in ["stats['n']", "s.stats.n", "s.stats['n']"] {
        assert_eq!(of(field), whole, "{field}");
    }
    let called = cxlake(["-c", "select nps_stats(nps).n as n from surveys", "--format", "csv"]).prints();
    assert_eq!(called, whole);
}

#[test]
fn fields_of_scores_may_be_asked_above_joins_of_scores() {
    let above_joins = "with answers as (select office_id, touchpoint, nps_stats(nps) as nps from surveys group by 1, 2), \
        scores as (select office_id, sum(nps['n']) as office_n, 1 as net from answers group by office_id), \
        pairs as (select m.*, a.nps, s.office_n, s.net from operations m \
            left join answers a on a.office_id = m.office_id and a.touchpoint = m.touchpoint \
            left join scores s on s.office_id = m.office_id) \
        select o.office, p.office_n, p.net, p.nps['n'] as n from pairs p join offices o on o.office_id = p.office_id \
        where o.office_id = any(['O05']) order by n desc limit 1";
    assert_eq!(csv(above_joins), "office,office_n,net,n\nSeattle,287,1,60\n");
    let of_several = "with stats as (select office_id, nps_stats(nps) as nps, share_stats(satisfied(csat)) as csat \
            from surveys group by office_id), \
        touchpoints as (select touchpoint, count(csat) > 0 as asks from surveys group by touchpoint), \
        pairs as (select m.*, s.nps, s.csat, t.asks from operations m left join stats s on s.office_id = m.office_id \
            left join touchpoints t on t.touchpoint = m.touchpoint), \
        scored as (select *, coalesce(case when asks then csat['n'] else nps['n'] end, 0) as n from pairs) \
        select o.office, case when n > 10 then n end as k from scored s join offices o on o.office_id = s.office_id \
        where n > 3 order by o.office_id, k desc limit 1";
    assert_eq!(csv(of_several), "office,k\nNew York,481\n");
}

#[test]
fn standard_errors_and_probabilities_are_those_of_the_normal_distribution() {
    let sql = "select round(z_value(0.95), 6) as a, round(z_value(0.99), 6) as b, round(p_value(1.96), 6) as c, \
               round(p_value(-1.96), 6) as d, p_value(0) as e, z_value(null) as f";
    assert_eq!(
        cxlake(["-c", sql, "--format", "csv"]).prints(),
        "a,b,c,d,e,f\n1.959964,2.575829,0.049996,0.049996,1.0,\n"
    );
    assert!(
        cxlake(["-c", "select z_value(95)"]).fails(1).contains("`z_value` got the confidence 95, not between 0 and 1")
    );
}
