//! What functions say of a wrong call: all name the function, the argument, what was given and how to mend it.

use super::harness::cxlake;

/// Statements with what is said of them.
const WRONG: &[(&str, &str)] = &[
    (
        "select nps(comment) from surveys",
        "`score` of `nps` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select nps(answered_at) from surveys",
        "`score` of `nps` takes a number, and was given timestamp | it is called as `nps(score [, weight => null] [, missing => null])`",
    ),
    (
        "select nps() from surveys",
        "`score` of `nps` is missing | it is called as `nps(score [, weight => null] [, missing => null])`",
    ),
    (
        "select nps(nps, comment) from surveys",
        "`weight` of `nps` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select nps(nps, missing => 'a') from surveys",
        "`missing` of `nps` takes a number or a list of numbers, and was given text | it is called as `nps(score [, weight => null] [, missing => null])`",
    ),
    (
        "select nps(nps, missing => csat) from surveys",
        "`missing` of `nps` takes a constant, the same for all rows | give a value or a parameter, and no column",
    ),
    (
        "select nps(distinct nps) from surveys",
        "`nps` counts every answer, and takes no DISTINCT | make the answers distinct by respondent in a query before",
    ),
    (
        "select nps_stats(nps, confidence => '0.9') from surveys",
        "`confidence` of `nps_stats` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select nps_stats(nps, confidence => 2) from surveys",
        "`confidence` of `nps_stats` is 2, which is not between 0 and 1 | 95 per cent is `confidence => 0.95`",
    ),
    (
        "select nps_stats(nps, confidence => [0.9, 0.8]) from surveys",
        "`confidence` of `nps_stats` takes a number, and was given list of float | it is called as `nps_stats(score [, weight => null] [, missing => null] [, confidence => 0.95])`",
    ),
    ("select csat(csat, top => 9) from surveys", "`top` of `csat` is 9, which is no whole number from 1 to 4"),
    (
        "select csat(csat, top => true) from surveys",
        "`top` of `csat` takes a whole number, and was given bool | it is called as `csat(score [, weight => null] [, missing => null] [, top => null])`",
    ),
    (
        "select share_stats(nps) from surveys",
        "`condition` of `share_stats` takes a condition, and was given int | compare the column with something, as in `score >= 4`",
    ),
    ("select arg_max(nps) from surveys", "`key` of `arg_max` is missing | it is called as `arg_max(value, key)`"),
    (
        "select arg_max(nps, csat, ces) from surveys",
        "`arg_max` is given more arguments than it takes | it is called as `arg_max(value, key)`",
    ),
    ("select arg_max() from surveys", "`value` of `arg_max` is missing | it is called as `arg_max(value, key)`"),
    (
        "select mad('a')",
        "`value` of `mad` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select mad(comment) from surveys",
        "`value` of `mad` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select mad(nps, scale => 'x') from surveys",
        "`scale` of `mad` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select mad(nps, scale => csat) from surveys",
        "`scale` of `mad` takes a constant, the same for all rows | give a value or a parameter, and no column",
    ),
    (
        "select mad(nps, scale => -1) from surveys",
        "`scale` of `mad` is -1, which is not above 0 | leave it out for the median absolute deviation as it is, or give 1.4826",
    ),
    (
        "select mad(nps, scale => [1,2]) from surveys",
        "`scale` of `mad` takes a number, and was given list of int | it is called as `mad(value [, scale => null])`",
    ),
    (
        "select weighted_median(nps) from surveys",
        "`weight` of `weighted_median` is missing | it is called as `weighted_median(value, weight)`",
    ),
    (
        "select weighted_median(nps, comment) from surveys",
        "`weight` of `weighted_median` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select codebook(1, 'a', 'b')",
        "`code` of `codebook` takes text, and was given int | it is called as `codebook(code, kind, match)`",
    ),
    ("select codebook('a')", "`kind` of `codebook` is missing | it is called as `codebook(code, kind, match)`"),
    (
        "select health_score(1, 2)",
        "`scores` of `health_score` takes a list of numbers, and was given int | a list stands in brackets, as in `[1, 2]`",
    ),
    (
        "select health_score([1], ['a'])",
        "`weights` of `health_score` takes a list of numbers, and was given list of text | it is called as `health_score(scores, weights [, min_coverage => 0.5])`",
    ),
    (
        "select health_score([1], [1], 'a')",
        "`min_coverage` of `health_score` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select health_score([1])",
        "`weights` of `health_score` is missing | it is called as `health_score(scores, weights [, min_coverage => 0.5])`",
    ),
    (
        "select health_coverage(['a'], [1])",
        "`scores` of `health_coverage` takes a list of numbers, and was given list of text | it is called as `health_coverage(scores, weights)`",
    ),
    (
        "select decay('x', 2)",
        "`age_days` of `decay` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select decay(1, true)",
        "`half_life` of `decay` takes a number, and was given bool | it is called as `decay(age_days, half_life)`",
    ),
    ("select decay(1)", "`half_life` of `decay` is missing | it is called as `decay(age_days, half_life)`"),
    (
        "select band(1, 2)",
        "`edges` of `band` takes a list of numbers, and was given int | a list stands in brackets, as in `[1, 2]`",
    ),
    (
        "select band('a', [1])",
        "`value` of `band` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select band(1, [1], 'x')",
        "`labels` of `band` takes a list of text, and was given text | a list stands in brackets, as in `['low', 'high']`",
    ),
    (
        "select band(1, ['a'])",
        "`edges` of `band` takes a list of numbers, and was given list of text | it is called as `band(value, edges [, labels => null] [, edge => 'lower'])`",
    ),
    ("select sentiment(3)", "`text` of `sentiment` takes text, and was given int | it is called as `sentiment(text)`"),
    ("select sentiment()", "`text` of `sentiment` is missing | it is called as `sentiment(text)`"),
    (
        "select sentiment('a', 'b')",
        "`sentiment` is given more arguments than it takes | it is called as `sentiment(text)`",
    ),
    (
        "select wilson('a', 2)",
        "`k` of `wilson` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    ("select wilson(1)", "`n` of `wilson` is missing | it is called as `wilson(k, n [, confidence => 0.95])`"),
    (
        "select wilson(1, 2, 'x')",
        "`confidence` of `wilson` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select wilson(1, 2, confidence => [1])",
        "`confidence` of `wilson` takes a number, and was given list of int | it is called as `wilson(k, n [, confidence => 0.95])`",
    ),
    (
        "select wilson(nps, nps, nps/20) from surveys",
        "`confidence` of `wilson` takes a constant, the same for all rows | give a value or a parameter, and no column",
    ),
    (
        "select nps_test(1, 2)",
        "`first` of `nps_test` takes what `nps_stats` gives, and was given int | it is called as `nps_test(first, second)`",
    ),
    (
        "select share_test('a', 'b')",
        "`first` of `share_test` takes what `share_stats` or `csat_stats` gives, and was given text | it is called as `share_test(first, second)`",
    ),
    (
        "select reason_codes(3)",
        "`text` of `reason_codes` takes text, and was given int | it is called as `reason_codes(text [, version => null] [, codebook => null])`",
    ),
    (
        "select reason_codes('a', version => 'x')",
        "`version` of `reason_codes` takes a whole number, and was given text | it is called as `reason_codes(text [, version => null] [, codebook => null])`",
    ),
    (
        "select reason_codes('a', codebook => 3)",
        "`codebook` of `reason_codes` takes text, and was given int | it is called as `reason_codes(text [, version => null] [, codebook => null])`",
    ),
    (
        "select reason_codes('a', version => nps) from surveys",
        "`version` of `reason_codes` is a constant, and was given `nps` | write a number or a parameter",
    ),
    (
        "select robust_z(nps) from surveys",
        "`robust_z` works on a window | write `robust_z(x) over (partition by …)`, or `over ()` for all rows",
    ),
    (
        "select robust_z(comment) over () from surveys",
        "`x` of `robust_z` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select median_excluding_self(nps) from surveys",
        "`median_excluding_self` works on a window | write `median_excluding_self(x [, min_peers => 4]) over (partition by …)`, or `over ()` for all rows",
    ),
    (
        "select median_excluding_self(comment) over () from surveys",
        "`x` of `median_excluding_self` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select median_excluding_self(nps, 'a') over () from surveys",
        "`min_peers` of `median_excluding_self` takes a whole number, and was given text | it is called as `median_excluding_self(x [, min_peers => 4])`",
    ),
    (
        "select median_excluding_self(nps, csat) over () from surveys",
        "`min_peers` of `median_excluding_self` takes a constant, the same for all rows | give a value or a parameter, and no column",
    ),
    (
        "select median_excluding_self(nps, 0) over () from surveys",
        "`min_peers` of `median_excluding_self` is 0, which is no whole number from 1",
    ),
    (
        "select count_excluding_self(comment) over () from surveys",
        "`x` of `count_excluding_self` takes a number, and was given text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select count_excluding_self() over () from surveys",
        "`x` of `count_excluding_self` is missing | it is called as `count_excluding_self(x)`",
    ),
    (
        "select * from nps(surveys)",
        "`nps` gives a value and no rows, and is not called in FROM | write `select nps(score [, weight => null] [, missing => null]) from …`",
    ),
    (
        "select crosstab(nps, csat) from surveys",
        "`crosstab` makes rows, and is called in FROM | write `select * from crosstab(relation, row, column [, weight => null])`",
    ),
    (
        "select key_drivers(nps) from surveys",
        "`key_drivers` makes rows, and is called in FROM | write `select * from key_drivers(relation, target, driver, ... [, missing => null] [, target_missing => null] [, weight => null])`",
    ),
    (
        "select * from crosstab(surveys, nps)",
        "`column` of `crosstab` is missing | it is called as `crosstab(relation, row, column [, weight => null])`",
    ),
    (
        "select * from crosstab()",
        "`crosstab` takes a table or a query in parentheses first | it is called as `crosstab(relation, row, column [, weight => null])`",
    ),
    (
        "select * from key_drivers(surveys, comment, nps)",
        "`target` of `key_drivers` takes a number or bool, and `comment` is text | make a number of it, as in `case when x = '…' then 1 else 0 end`, or leave it out",
    ),
    (
        "select * from key_drivers(surveys, nps, csat, missing => 'a')",
        "`missing` of `key_drivers` takes a number or a list of numbers, and was given text | it is called as `key_drivers(relation, target, driver, ... [, missing => null] [, target_missing => null] [, weight => null])`",
    ),
    (
        "select * from key_drivers(surveys, nps, csat, weight => comment)",
        "`weight` of `key_drivers` takes a number, and `comment` is text | text is no number even when it looks like one: cast it, as in `cast(x as double)`",
    ),
    (
        "select * from segments(accounts, account_id, annual_revenue, k => 'x', method => 'kmeans')",
        "`k` of `segments` takes a whole number, and was given text | it is called as `segments(relation, key, feature, ... [, method => 'rules'] [, levels => 2] [, k => 4] [, min_size => 30] [, seed => 1])`",
    ),
    (
        "select * from segments(accounts, account_id, annual_revenue, method => 3)",
        "`method` of `segments` takes text, and was given int | it is called as `segments(relation, key, feature, ... [, method => 'rules'] [, levels => 2] [, k => 4] [, min_size => 30] [, seed => 1])`",
    ),
    (
        "select * from themes(surveys, nps)",
        "`text` of `themes` takes text, and `nps` is int | it is called as `themes(relation, text [, by, ...] [, person => null] [, top => 10] [, min_people => 5])`",
    ),
    (
        "select * from themes(surveys, comment, top => 'x')",
        "`top` of `themes` takes a whole number, and was given text | it is called as `themes(relation, text [, by, ...] [, person => null] [, top => 10] [, min_people => 5])`",
    ),
    (
        "select * from themes(surveys, comment, top => 0)",
        "`top` of `themes` is 0, which is no whole number from 1 to 4294967295",
    ),
    (
        "select nps(*) from surveys",
        "`nps` takes no `*` | it is called as `nps(score [, weight => null] [, missing => null])`",
    ),
    ("select sentiment(*) from surveys", "`sentiment` takes no `*` | it is called as `sentiment(text)`"),
    (
        "select nps([1,2])",
        "`score` of `nps` takes a number, and was given list of int | it is called as `nps(score [, weight => null] [, missing => null])`",
    ),
    (
        "select nps(true)",
        "`score` of `nps` takes a number, and was given bool | it is called as `nps(score [, weight => null] [, missing => null])`",
    ),
    (
        "select robust_z(nps, 3) over () from surveys",
        "`robust_z` is given more arguments than it takes | it is called as `robust_z(x)`",
    ),
    ("select nps(scor => nps) from surveys", "`nps` has no argument `scor` | did you mean `score`?"),
    (
        "select sentiment(comment) over () from surveys",
        "`sentiment` gives a value for each row, and takes no DISTINCT, FILTER or OVER | it is called as `sentiment(text)`",
    ),
    (
        "select sentiment(comment) filter (where true) from surveys",
        "`sentiment` gives a value for each row, and takes no DISTINCT, FILTER or OVER | it is called as `sentiment(text)`",
    ),
    (
        "select robust_z(distinct nps) over () from surveys",
        "`robust_z` looks at all rows of its window, and takes no DISTINCT or FILTER | filter in a query before",
    ),
    (
        "select nps(distinct nps) over () from surveys",
        "`nps` counts every answer, and takes no DISTINCT | make the answers distinct by respondent in a query before",
    ),
    (
        "select csat(18446744073709551615)",
        "`csat` got the score 1.8446744073709552e19, outside 1 to 5 | if 1.8446744073709552e19 marks a blank, say so: `csat(score, missing => [1.8446744073709552e19])`",
    ),
    (
        "select nps(1e300)",
        "`nps` got the score 1e300, outside 0 to 10 | if 1e300 marks a blank, say so: `nps(score, missing => [1e300])`",
    ),
    (
        "select median_excluding_self(nps, min_peers => 2.5) over () from surveys",
        "`min_peers` of `median_excluding_self` is 2.5, which is no whole number from 1",
    ),
];

#[test]
fn every_wrong_call_is_told_in_the_same_words() {
    let mut wrong = Vec::new();
    for (sql, wanted) in WRONG {
        let said = cxlake(["--quiet", "-c", sql]).told(1);
        let said = said.trim_end().strip_prefix("error: ").unwrap_or(&said).replace("\n\nhint: ", " | ");
        if said != *wanted {
            wrong.push(format!("{sql}\n  says:  {said}\n  wanted: {wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
