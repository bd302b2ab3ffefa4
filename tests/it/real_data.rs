//! Figures that others published, or that another engine computes, reached on real data: the lake in `tests/data`.
//!
//! Each is reached twice: by plain SQL that a reader can check line by line, and by the saved query that people would run.
//! Where the figures come from is said in `tests/data/import.sql`, which makes the data.

use serde_json::Value;

use super::harness::{Folder, cxlake, repository};

/// Where the CSV files are from which the data was made, seen from the repository.
const ORIGINALS: &str = "../shared/data";

/// The tables of the lake, each with the CSV file that it was made from.
const TABLES: [(&str, &str); 4] = [
    ("airport_survey", "sfo_2017.csv"),
    ("telecom_accounts", "telco_customer_churn.csv"),
    ("transit_expenses", "ntd_2022_expenses.csv"),
    ("transit_trips", "ntd_2022_trips.csv"),
];

/// Agencies and modes with cost and trips, for plain SQL; `$id` stands for the id of the trips as it is joined.
const REPORTED: &str = "
    with costs as (
        select ntd_id, mode, sum(total) as cost from transit_expenses group by ntd_id, mode
    ),
    trips as (
        select $id as trip_id, mode as trip_mode, unlinked_passenger_trips as trips from transit_trips
    ),
    reported as (
        select ntd_id, mode, cost, trips, cast(cost as double) / trips as ratio
        from costs
        join trips on trip_id = ntd_id and trip_mode = mode
    )";

const PADDED: &str = "lpad(ntd_id, 5, '0')";
const AS_IT_CAME: &str = "ntd_id";

/// What a statement on the lake returns: a line of names, then a line per row.
fn sql(statement: &str) -> String {
    cxlake(["--lake", "tests/data", "--format", "csv", "-c", statement]).prints()
}

/// What a statement on agencies and modes with cost and trips returns.
fn sql_on_reported(id: &str, select: &str) -> String {
    sql(&(REPORTED.replace("$id", id) + select))
}

/// The rows of a saved query.
fn run(query: &str, parameters: &[&str]) -> Vec<Value> {
    let parameters = parameters.iter().flat_map(|parameter| ["--param", parameter]);
    let arguments = ["--lake", "tests/data", "--format", "ndjson", "run", query].into_iter().chain(parameters);
    let text = cxlake(arguments).prints();
    text.lines().map(|line| serde_json::from_str(line).expect("a line is a row")).collect()
}

/// Some columns of a row in one line, a float with the decimals that are asked for: `nps:4`.
fn shown(row: &Value, columns: &str) -> String {
    let cell = |column: &str| match column.split_once(':') {
        Some((name, decimals)) => {
            let value = row[name].as_f64().unwrap_or_else(|| panic!("`{name}` is no number: {row}"));
            format!("{value:.*}", decimals.parse().expect("decimals"))
        }
        None => match &row[column] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
    };
    columns.split(' ').map(cell).collect::<Vec<_>>().join(" ")
}

/// The row whose column has this value.
fn row<'a>(rows: &'a [Value], column: &str, value: &str) -> &'a Value {
    rows.iter().find(|row| row[column] == value).unwrap_or_else(|| panic!("no row with {column} = {value}"))
}

#[test]
fn the_airport_has_a_net_promoter_score_of_39_8398_in_plain_sql() {
    // 85 of 2,831 did not answer, one more than have the code 11: questionnaire 8005 breaks off before the question, so
    // that its field is empty, and stays so to the end.
    let said = sql("
        select
            count(*) as asked,
            count(*) filter (where netpro = 11) as code_11,
            count(*) filter (where netpro is null) as empty,
            max(respnum) filter (where netpro is null) as empty_in,
            count(*) filter (where netpro between 9 and 10) as promoters,
            count(*) filter (where netpro between 7 and 8) as passives,
            count(*) filter (where netpro between 0 and 6) as detractors
        from airport_survey");
    assert_eq!(
        said,
        "asked,code_11,empty,empty_in,promoters,passives,detractors\n\
         2831,84,1,8005,1436,968,342\n"
    );

    let said = sql("
        with answers as (
            select
                weight,
                case when netpro >= 9 then 1 when netpro <= 6 then -1 else 0 end as net
            from airport_survey
            where netpro between 0 and 10
        )
        select
            round(100.0 * sum(net) / count(*), 4) as nps,
            round(100 * cast(sum(net * weight) as double) / cast(sum(weight) as double), 4) as weighted
        from answers");
    assert_eq!(said, "nps,weighted\n39.8398,40.3984\n");
}

#[test]
fn the_saved_query_gives_the_airports_score_its_adjusted_wald_interval() {
    let rows = run("airport-nps", &[]);
    assert_eq!(
        shown(&rows[0], "segment asked blank unknown n promoters passives detractors nps:4 adjusted:3 margin:3"),
        "All 2831 85 0 2746 1436 968 342 39.8398 39.796 2.614"
    );
    assert_eq!(shown(&rows[0], "low:3 high:3 n_eff:0"), "37.182 42.410 2746");
    assert_eq!(rows.len(), 1);

    let wider = run("airport-nps", &["z=2.576"]);
    assert_eq!(shown(&wider[0], "nps:4 adjusted:3 margin:3"), "39.8398 39.796 3.436");
}

#[test]
fn weights_change_the_airports_score_and_widen_its_interval() {
    let rows = run("airport-nps", &["weighted=true"]);
    assert_eq!(
        shown(&rows[0], "n n_eff:2 promoters nps:4 adjusted:3 margin:3"),
        "2746 2266.51 1436 40.3984 40.345 2.854"
    );
}

#[test]
fn a_code_for_a_blank_that_nobody_declared_is_counted_and_scores_nothing() {
    let rows = run("airport-nps", &["blank_code=99"]);
    assert_eq!(shown(&rows[0], "blank unknown n nps:4"), "1 84 2746 39.8398");
}

#[test]
fn segments_of_the_airport_add_up_to_all_answers_and_their_scores_do_not() {
    let rows = run("airport-nps", &["by=boarding area"]);
    let answers: i64 = rows.iter().filter_map(|row| row["n"].as_i64()).sum();
    assert_eq!((rows.len(), answers), (7, 2746));
    let mean = rows.iter().filter_map(|row| row["nps"].as_f64()).sum::<f64>() / 7.0;
    assert_eq!(format!("{mean:.1}"), "41.7");
}

#[test]
fn churn_is_26_54_per_cent_and_falls_with_the_length_of_the_contract() {
    let said = sql("
        select
            contract,
            count(*) filter (where churn) as churned,
            count(*) as accounts
        from telecom_accounts
        group by contract
        order by contract");
    assert_eq!(said, "contract,churned,accounts\nMonth-to-month,1655,3875\nOne year,166,1473\nTwo year,48,1695\n");

    let rows = run("churn-by-contract", &[]);
    let shown: Vec<String> = rows.iter().map(|row| shown(row, "contract churned accounts churn_rate:4")).collect();
    assert_eq!(
        shown,
        [
            "All 1869 7043 0.2654",
            "Month-to-month 1655 3875 0.4271",
            "One year 166 1473 0.1127",
            "Two year 48 1695 0.0283",
        ]
    );
}

#[test]
fn gross_revenue_retention_is_69_50_per_cent_to_the_cent() {
    let said = sql("
        select
            sum(monthly_charges) as revenue,
            sum(monthly_charges) filter (where churn) as lost,
            round(100 * (1 - cast(sum(monthly_charges) filter (where churn) as double)
                / cast(sum(monthly_charges) as double)), 2) as grr
        from telecom_accounts");
    assert_eq!(said, "revenue,lost,grr\n456116.60,139130.85,69.5\n");

    let rows = run("revenue-retention", &[]);
    let all = row(&rows, "contract", "All");
    assert_eq!(shown(all, "start_revenue:2 lost_revenue:2 grr:4 new_accounts"), "456116.60 139130.85 0.6950 11");
    assert_eq!(rows.len(), 4);
}

#[test]
fn the_eleven_blank_total_charges_are_of_accounts_in_their_first_month() {
    let said = sql("
        select
            count(*) as accounts,
            count(*) filter (where total_charges is null) as blank,
            count(*) filter (where tenure = 0) as first_month,
            count(*) filter (where total_charges is null and tenure = 0) as both
        from telecom_accounts");
    assert_eq!(said, "accounts,blank,first_month,both\n7043,11,11,11\n");

    let rows = run("revenue-retention", &["count_new=false"]);
    let all = row(&rows, "contract", "All");
    assert_eq!(shown(all, "accounts start_revenue:2 lost_revenue:2 grr:4"), "7032 455661.00 139130.85 0.6947");
}

#[test]
fn of_3519_agency_modes_1096_have_trips_and_each_of_these_has_cost() {
    let said = sql("
        select count(*) as rows, count(distinct concat(ntd_id, ' ', mode)) as agency_modes
        from transit_expenses");
    assert_eq!(said, "rows,agency_modes\n3744,3519\n");
    assert_eq!(sql_on_reported(PADDED, "select count(*) as joined from reported"), "joined\n1096\n");

    let rows = run("transit-modes", &[]);
    let count = |status: &str| rows.iter().filter(|row| row["status"] == status).count();
    assert_eq!(rows.len(), 3519);
    assert_eq!(count("reported"), 1096);
    // Real gaps: nearly all of agencies that need not count trips.
    assert_eq!(count("cost without trips"), 2423);
    assert_eq!(count("trips without cost"), 0);
}

#[test]
fn the_cost_of_the_functions_adds_up_to_the_total_in_every_row() {
    let said = sql("
        select count(*) as equal
        from transit_expenses
        where total = vehicle_operations + vehicle_maintenance + facility_maintenance + general_administration
            + reduced_reporter_expenses");
    assert_eq!(said, "equal\n3744\n");
}

#[test]
fn ids_that_lost_their_zeros_lose_82_agency_modes_and_the_completeness_check_says_so() {
    assert_eq!(sql_on_reported(AS_IT_CAME, "select count(*) as joined from reported"), "joined\n1014\n");

    let rows = run("cost-per-trip-lost", &[]);
    let (all, lost) = rows.split_first().expect("a row for all");
    assert_eq!(
        shown(all, "ntd_id with_trips lost trips trips_lost coverage:4"),
        "All 1096 82 5804083347 219309390 0.9622"
    );
    assert_eq!(lost.len(), 82);
    for row in lost {
        let (id, known) = (row["ntd_id"].as_str().expect("an id"), row["found_as"].as_str().expect("a known id"));
        assert!(id.len() < 5 && known == format!("{id:0>5}"), "{row}");
    }

    let padded = run("cost-per-trip-lost", &["pad=true"]);
    assert_eq!(shown(&padded[0], "with_trips lost coverage:4"), "1096 0 1.0000");
    assert_eq!(padded.len(), 1);
}

const BUSES: &str = "
    , buses as (
        select * from reported where mode = 'MB'
    ),
    centre as (
        select median(ratio) as median from buses
    )
    select
        count(*) as n,
        round(max(median), 4) as median,
        round(median(abs(ratio - median)), 4) as mad,
        round(avg(ratio), 4) as mean_of_ratios,
        round(cast(sum(cost) as double) / sum(trips), 4) as ratio_of_sums
    from buses
    cross join centre";

#[test]
fn a_bus_trip_costs_8_8705_as_a_ratio_of_sums_and_13_9925_as_a_mean_of_ratios() {
    assert_eq!(
        sql_on_reported(PADDED, BUSES),
        "n,median,mad,mean_of_ratios,ratio_of_sums\n402,11.7779,3.9094,13.9925,8.8705\n"
    );

    let rows = run("cost-per-trip", &["modes=Bus"]);
    assert_eq!(
        shown(&rows[0], "mode n median:4 mad:4 mean_of_ratios:4 ratio_of_sums:4 without_cost"),
        "MB 402 11.7779 3.9094 13.9925 8.8705 0"
    );
    assert_eq!(rows.len(), 1);
}

#[test]
fn without_the_zeros_a_bus_trip_costs_something_else_and_23_agencies_are_missing() {
    assert_eq!(
        sql_on_reported(AS_IT_CAME, BUSES),
        "n,median,mad,mean_of_ratios,ratio_of_sums\n379,11.3562,3.8446,13.7999,8.6878\n"
    );

    let rows = run("cost-per-trip", &["modes=MB", "pad=false"]);
    assert_eq!(
        shown(&rows[0], "n median:3 mad:3 mean_of_ratios:3 ratio_of_sums:3 without_cost"),
        "379 11.356 3.845 13.800 8.688 23"
    );
}

#[test]
fn a_ride_on_the_new_york_subway_costs_2_9914() {
    let said = sql_on_reported(
        PADDED,
        "select cost, trips, round(ratio, 4) as ratio from reported where ntd_id = '20008' and mode = 'HR'",
    );
    assert_eq!(said, "cost,trips,ratio\n5349756161.00,1788363060,2.9914\n");

    let rows = run("cost-per-trip-by-agency", &["mode=HR"]);
    let subway = row(&rows, "ntd_id", "20008");
    assert_eq!(shown(subway, "agency cost:0 trips"), "MTA New York City Transit 5349756161 1788363060");
    assert_eq!(
        shown(subway, "cost_per_trip:4 peers peer_median:4 index:4 robust_z:4"),
        "2.9914 14 11.0649 0.2704 -1.5499"
    );
}

#[test]
fn the_queries_on_real_data_are_in_order() {
    let said = cxlake(["--lake", "tests/data", "queries", "check"]).run();
    assert_eq!(said.code, Some(0), "{said}");
    assert_eq!(said.text().lines().filter(|line| line.starts_with("ok ")).count(), 7, "{said}");
}

#[test]
fn the_queries_on_real_data_print_what_they_printed() {
    for query in [
        "airport-nps",
        "churn-by-contract",
        "revenue-retention",
        "cost-per-trip",
        "cost-per-trip-by-agency",
        "cost-per-trip-lost",
    ] {
        let said = cxlake(["--lake", "tests/data", "--format", "table", "run", query]).prints();
        insta::assert_snapshot!(query, said);
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "a test that cannot run says so")]
fn the_data_is_what_the_import_makes_of_the_original_files() {
    let originals = repository().join(ORIGINALS);
    if !originals.is_dir() {
        eprintln!("skipped: the CSV files that `tests/data/import.sql` reads are not in {ORIGINALS}");
        return;
    }
    let folder = Folder::new();
    for (table, file) in TABLES {
        folder.write(&format!("shared/data/{file}"), std::fs::read(originals.join(file)).expect("a CSV file"));
        // Written over below; here only so that its folder is there.
        folder.write(&format!("repository/tests/data/{table}.parquet"), "");
    }
    let import = repository().join("tests/data/import.sql");
    cxlake(["-f".as_ref(), import.as_os_str()]).within(&folder.at("repository")).prints();

    for (table, _) in TABLES {
        let file = format!("tests/data/{table}.parquet");
        let content = |root: &std::path::Path| {
            let statement = format!("describe select * from '{file}'; select * from '{file}'");
            cxlake(["--format", "csv", "-c", &statement]).within(root).prints()
        };
        assert!(content(&folder.at("repository")) == content(repository()), "`{file}` is not what the import makes");
    }
}

#[test]
fn the_functions_reach_every_published_figure() {
    let rounded = |expression: &str, digits: u32| format!("round({expression}, {digits})");
    let one = |select: &str, from: &str| {
        let printed = sql(&format!("select {select} from {from}"));
        printed.lines().nth(1).expect("a row").to_owned()
    };
    let stats = "(select nps_stats(netpro, missing => 11) as s, nps_stats(netpro, weight, missing => 11) as w from airport_survey)";
    assert_eq!(one("s.n, s.promoters, s.passives, s.detractors", stats), "2746,1436,968,342");
    assert_eq!(one(&format!("{}, {}", rounded("s.nps", 4), rounded("w.nps", 4)), stats), "39.8398,40.3984");
    // The interval's middle and half width.
    let interval = format!("{}, {}", rounded("(s.low + s.high) / 2", 3), rounded("(s.high - s.low) / 2", 3));
    assert_eq!(one(&interval, stats), "39.796,2.614");
    let share = "(select share_stats(churn) as s from telecom_accounts)";
    assert_eq!(one(&format!("s.k, s.n, {}", rounded("100 * s.share", 2)), share), "1869,7043,26.54");
    let by_contract = sql(
        "select contract, s.k, s.n from (select contract, share_stats(churn) as s from telecom_accounts group by contract) order by 1",
    );
    assert_eq!(by_contract, "contract,s[k],s[n]\nMonth-to-month,1655,3875\nOne year,166,1473\nTwo year,48,1695\n");
    for (id, figures) in [(PADDED, "402,11.7779,3.9094"), (AS_IT_CAME, "379,11.3562,3.8446")] {
        let buses = format!(
            "{} select count(*), round(median(ratio), 4), round(mad(ratio), 4) from reported where mode = 'MB'",
            REPORTED.replace("$id", id)
        );
        assert_eq!(sql(&buses).lines().nth(1), Some(figures));
    }
}
