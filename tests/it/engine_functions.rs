//! Functions of the engine that gave wrong answers, each with the statement that showed it.

use super::harness::{Folder, cxlake};

fn csv(query: &str) -> String {
    cxlake(["--format", "csv", "-c", query]).prints()
}

/// DataFusion 55.2 gave the whole duration in the unit of each part: 1538 hours, and wrapped milliseconds.
#[test]
fn the_parts_of_a_duration_are_what_is_left_of_the_larger_ones() {
    let parts = "extract(year from d) as y, extract(quarter from d) as q, extract(month from d) as mon, extract(week from d) as w, \
                 extract(day from d) as days, extract(hour from d) as h, extract(minute from d) as m, extract(second from d) as s, \
                 extract(millisecond from d) as ms, extract(microsecond from d) as us, extract(nanosecond from d) as ns, \
                 extract(epoch from d) as e";
    let header = "y,q,mon,w,days,h,m,s,ms,us,ns,e\n";
    let ask = |later: &str, earlier: &str| {
        csv(&format!("select {parts} from (select timestamp '{later}' - timestamp '{earlier}' as d) t"))
    };
    let row = "0,1,0,9,64,2,30,15,15250,15250000,15250000000,5538615.25\n";
    assert_eq!(ask("2024-03-05 10:30:15.25", "2024-01-01 08:00:00"), format!("{header}{row}"));
    let row = "0,1,0,-9,-64,-2,-30,-15,-15250,-15250000,-15250000000,-5538615.25\n";
    assert_eq!(ask("2024-01-01 08:00:00", "2024-03-05 10:30:15.25"), format!("{header}{row}"));
}

#[test]
fn the_parts_of_durations_in_a_column_are_found_by_every_name_of_the_function() {
    let folder = Folder::new();
    let rows = "values (1, timestamp '2024-01-01 00:00:01.9'), (2, null), (3, timestamp '2024-01-03 05:00:00')";
    let query = format!(
        "select i, date_part('hour', d) as a, datepart('hour', d) as b, extract(hour from d) as c, extract(epoch from d) as e, \
         arrow_typeof(extract(hour from d)) as t \
         from (select i, ended - timestamp '2024-01-01' as d from ({rows}) t(i, ended)) t order by i"
    );
    folder.parquet("t.parquet", &query);
    let read = folder.cxlake(["--format", "csv", "-c", "select * from 't.parquet' order by i"]).prints();
    assert_eq!(read, "i,a,b,c,e,t\n1,0,0,0,1.9,Int32\n2,,,,,Int32\n3,5,5,5,190800.0,Int32\n");
    let day = "select extract(dow from timestamp '2024-01-03' - timestamp '2024-01-01') as d";
    let said = cxlake(["-c", day]).fails(1);
    assert!(said.contains("a duration has weeks, days, hours, minutes and seconds"), "{said}");
}

#[test]
fn the_parts_of_timestamps_dates_and_intervals_are_still_the_engines() {
    let query = "select extract(hour from timestamp '2024-03-05 10:30:00') as h, date_part('dow', date '2024-03-05') as d, \
                 extract(day from interval '14 months 20 days') as i, extract(second from timestamp '2024-01-01 00:00:01.9') as s, \
                 extract(epoch from timestamp '1970-01-01 00:00:01.5') as e";
    assert_eq!(csv(query), "h,d,i,s,e\n10,2,20,1,1.5\n");
}

/// DataFusion 55.2 handed `$` to its library, which took it for the beginning of a group.
#[test]
fn a_replacement_has_the_escapes_of_postgres_and_no_others() {
    let replaced = |replacement: &str| {
        let query = format!("select regexp_replace('5 USD', '([0-9]+) (USD)', '{replacement}') as x");
        csv(&query).trim_start_matches("x\n").trim_end().to_owned()
    };
    assert_eq!(replaced(r"$\1"), "$5");
    assert_eq!(replaced("$5"), "$5");
    assert_eq!(replaced("${1}"), "${1}");
    assert_eq!(replaced(r"\20"), "USD0");
    assert_eq!(replaced(r"\2 \1"), "USD 5");
    assert_eq!(replaced(r"[\&]"), "[5 USD]");
    assert_eq!(replaced(r"\\1"), r"\1");
    assert_eq!(replaced(r"a\b"), r"a\b");
}

#[test]
fn a_replacement_may_come_from_a_column_or_a_calculation() {
    let rows = r"values (1, 'a1', '$\1'), (2, null, 'x'), (3, 'b2', null), (4, 'c3c4', '\&\&')";
    let of_column = "regexp_replace(x, '([0-9])', r) as a";
    let of_calculation = r"regexp_replace(x, '([0-9])', '$' || '\1', 'g') as b";
    let query = format!("select i, {of_column}, {of_calculation} from ({rows}) t(i, x, r) order by i");
    assert_eq!(csv(&query), "i,a,b\n1,a$1,a$1\n2,,\n3,,b$2\n4,c33c4,c$3c$4\n");
}

/// DataFusion 55.2 lost the values that it had yet to reach, and said null.
#[test]
fn lead_passes_over_nulls_by_more_than_one() {
    let rows = "values (1, 10), (2, 20), (3, 30), (4, null), (5, 50), (6, null), (7, 70)";
    let wanted = "i,x\n1,30\n2,50\n3,70\n4,70\n5,\n6,\n7,\n";
    for call in [
        "lead(x, 2) ignore nulls over (order by i)",
        "lead(x, 2 ignore nulls) over (order by i)",
        "lead(x, 2) ignore nulls over w",
        "lead(x, 2) ignore nulls over (order by i rows between unbounded preceding and current row)",
        "lag(x, 2) ignore nulls over (order by i desc)",
        "lag(x, -2) ignore nulls over (order by i)",
    ] {
        let query = format!("select i, {call} as x from ({rows}) t(i, x) window w as (order by i) order by i");
        assert_eq!(csv(&query), wanted, "{call}");
    }
}

/// Rows that lie in the opposite order already are not sorted again: the engine makes a `lead` of the `lag`.
#[test]
fn lag_passes_over_nulls_where_the_rows_lie_the_other_way_round() {
    let rows = "values (1, 10), (2, 20), (3, 30), (4, null), (5, 50), (6, null), (7, 70)";
    let query = format!(
        "select i, lag(x, 2, -1) ignore nulls over (order by n desc) as x \
         from (select *, row_number() over (order by i) as n from ({rows}) t(i, x)) t order by i"
    );
    assert_eq!(csv(&query), "i,x\n1,30\n2,50\n3,70\n4,70\n5,-1\n6,-1\n7,-1\n");
}

#[test]
fn lead_and_lag_stay_within_their_partition_beside_other_windows() {
    let rows = "values ('a', 1, 10), ('a', 2, null), ('a', 3, 30), ('b', 1, null), ('b', 2, 20), ('b', 3, 50)";
    let query = format!(
        "select g, i, lead(x, 2) ignore nulls over w as ahead, lag(x, 1) ignore nulls over w as back, lead(x) over w as next, \
         sum(x) over w as total from ({rows}) t(g, i, x) window w as (partition by g order by i) order by g, i"
    );
    let wanted = "g,i,ahead,back,next,total\n\
                  a,1,,,,10\na,2,,10,30,10\na,3,,10,,40\n\
                  b,1,50,,20,\nb,2,,,50,20\nb,3,,20,,70\n";
    assert_eq!(csv(&query), wanted);
}
