//! Functions in FROM that make rows from rows: how they are called, and what `key_drivers`, `crosstab` and `segments` find.

use super::harness::{Folder, cxlake};

/// mpg, cyl, disp, hp, gear of R's mtcars.
const MTCARS: &str = "(values (21.0, 6, 160.0, 110, 4), (21.0, 6, 160.0, 110, 4), (22.8, 4, 108.0, 93, 4),
    (21.4, 6, 258.0, 110, 3), (18.7, 8, 360.0, 175, 3), (18.1, 6, 225.0, 105, 3), (14.3, 8, 360.0, 245, 3),
    (24.4, 4, 146.7, 62, 4), (22.8, 4, 140.8, 95, 4), (19.2, 6, 167.6, 123, 4), (17.8, 6, 167.6, 123, 4),
    (16.4, 8, 275.8, 180, 3), (17.3, 8, 275.8, 180, 3), (15.2, 8, 275.8, 180, 3), (10.4, 8, 472.0, 205, 3),
    (10.4, 8, 460.0, 215, 3), (14.7, 8, 440.0, 230, 3), (32.4, 4, 78.7, 66, 4), (30.4, 4, 75.7, 52, 4),
    (33.9, 4, 71.1, 65, 4), (21.5, 4, 120.1, 97, 3), (15.5, 8, 318.0, 150, 3), (15.2, 8, 304.0, 150, 3),
    (13.3, 8, 350.0, 245, 3), (19.2, 8, 400.0, 175, 3), (27.3, 4, 79.0, 66, 4), (26.0, 4, 120.3, 91, 5),
    (30.4, 4, 95.1, 113, 5), (15.8, 8, 351.0, 264, 5), (19.7, 6, 145.0, 175, 5), (15.0, 8, 301.0, 335, 5),
    (21.4, 4, 121.0, 109, 4)) mtcars(mpg, cyl, disp, hp, gear)";

/// What a statement on the sample lake prints as CSV; `mtcars` stands for the data.
fn csv(sql: &str) -> String {
    cxlake(["--format", "csv", "-c", &with_mtcars(sql)]).prints()
}

fn with_mtcars(sql: &str) -> String {
    format!("with mtcars as (select * from {MTCARS}) {sql}")
}

/// What a statement on the lake of real data prints as CSV.
fn real(sql: &str) -> String {
    cxlake(["--lake", "tests/data", "--format", "csv", "-c", sql]).prints()
}

/// The whole error of a statement on the sample lake, wrong in itself.
fn error(sql: &str) -> String {
    cxlake(["-c", sql]).told(1)
}

#[test]
fn the_relation_may_be_a_table_a_cte_a_view_a_query_or_a_file() {
    let wanted = "driver,n\ncsat,2618\n";
    let same = [
        "select driver, n from key_drivers(surveys, nps, csat)",
        "select driver, n from key_drivers((surveys), nps, csat)",
        "select driver, n from key_drivers((select * from surveys), nps, csat)",
        "select driver, n from key_drivers((select nps as a, csat from surveys), a, csat)",
        "with s as (select nps, csat from surveys) select driver, n from key_drivers(s, nps, csat)",
        "with s(a, b) as (select nps, csat from surveys) select replace(driver, 'b', 'csat') as driver, n \
         from key_drivers(s, a, b)",
        "with \"my-s\" as (select nps, csat from surveys) select driver, n from key_drivers(\"my-s\", nps, csat)",
        "select driver, n from key_drivers((
             select s.* from offices o, lateral (select * from surveys where office_id = o.office_id) s
         ), nps, csat)",
        "create view answers as select * from surveys; select driver, n from key_drivers(answers, nps, csat)",
        "select driver, n from key_drivers('sample-data/surveys/', nps, csat)",
        "select driver, n from KEY_DRIVERS(surveys, surveys.nps, csat)",
    ];
    for sql in same {
        assert_eq!(cxlake(["--format", "csv", "-c", sql]).prints(), wanted, "{sql}");
    }
}

#[test]
fn a_call_stands_wherever_a_table_does() {
    let same = [
        "select driver, n from key_drivers(surveys, nps, csat)",
        "select d.driver, d.n from key_drivers(surveys, nps, csat) d",
        "select d.driver, d.n from key_drivers(surveys, nps, csat) as d where d.n > 1",
        "select key_drivers.driver, key_drivers.n from key_drivers(surveys, nps, csat)",
        "select driver, n from (select * from key_drivers(surveys, nps, csat)) x order by driver limit 1",
        "with d as (select * from key_drivers(surveys, nps, csat)) select driver, n from d",
        "create view d as select * from key_drivers(surveys, nps, csat); select driver, n from d",
        "create table d as select * from key_drivers(surveys, nps, csat); select driver, n from d",
        "select 'csat' as driver, (select max(n) from key_drivers(surveys, nps, csat)) as n",
        "select a.driver, b.n from key_drivers(surveys, nps, csat) a \
         join key_drivers((select csat, nps from surveys), nps, *) b on a.driver = b.driver",
        "select a.driver, a.n from key_drivers(surveys, nps, csat) a \
         cross join (select count(*) as c from crosstab(surveys, touchpoint, language)) b",
        "select driver, n from key_drivers(surveys, nps, csat) union select driver, n from key_drivers(surveys, nps, csat)",
        "select first, n from key_drivers(surveys, nps, csat) d(first, a, b, c, d, e, f, g, n, h, i, j)",
    ];
    for sql in same {
        let said = cxlake(["--format", "csv", "-c", sql]).prints().replace("first", "driver");
        assert_eq!(said, "driver,n\ncsat,2618\n", "{sql}");
    }
}

#[test]
fn a_call_may_be_copied_to_a_file_and_explained() {
    let folder = Folder::new();
    let path = folder.at("d.csv");
    let copy = format!("copy (select driver, n from key_drivers(surveys, nps, csat)) to '{}'", path.display());
    cxlake(["-c", &copy]).prints();
    assert_eq!(folder.read("d.csv"), "driver,n\ncsat,2618\n");

    let plan =
        cxlake(["-c", "explain format indent select * from key_drivers(surveys, nps + 1, csat, missing => [0, 6])"])
            .prints();
    let call = "key_drivers(target => nps + 1, driver => csat, missing => ";
    assert!(plan.contains(&format!("TableFunction: {call}")), "{plan}");
    assert!(plan.contains(&format!("TableFunctionExec: {call}[0, 6], target_missing => NULL)")), "{plan}");
    let ran = cxlake(["-c", "explain analyze verbose select * from crosstab(surveys, touchpoint, language)"]).prints();
    assert!(
        ran.contains("TableFunctionExec: crosstab(row => touchpoint, column => language), metrics=[output_rows=65"),
        "{ran}"
    );
}

#[test]
fn parameters_work_in_the_relation_in_a_column_and_as_a_constant() {
    let sql =
        "select driver, n from key_drivers((select * from surveys where nps > $x), nps * $x, csat + $x, missing => $y)";
    let call = ["--format", "csv", "--param", "x=3", "--param", "y=7", "-c", sql];
    let plain = csv("select 'csat + $x' as driver, count(csat) as n from surveys where nps > 3 and csat <> 4");
    assert_eq!(cxlake(call).prints(), plain);
    assert_eq!(
        cxlake(["--param", "y=7", "-c", sql]).told(2),
        "error: parameter `$x` has no value\n\nhint: give it with `--param x=…` or `\\set x …`\n"
    );
}

#[test]
fn a_saved_query_is_named_in_double_quotes_and_may_call_a_function_itself() {
    let folder = Folder::new();
    folder.lake("[table.t]\npath = \"t.parquet\"\n");
    folder.parquet("t.parquet", "select value as x, value % 7 as y, value % 3 as z from generate_series(1, 50)");
    let header = |name: &str, rest: &str| {
        format!("-- +++\n-- name = \"{name}\"\n-- title = \"T\"\n-- description = \"D\"\n{rest}-- +++\n")
    };
    folder.write("queries/the-rows.sql", header("the-rows", "") + "select x, y, z from t where x > 10\n");
    let param = "-- uses = [\"the-rows\"]\n-- [params.code]\n-- type = \"int\"\n-- default = 0\n";
    let sql = "select driver, n from key_drivers(\"the-rows\", x, y, z, missing => $code) order by driver\n";
    folder.write("queries/the-drivers.sql", header("the-drivers", param) + sql);
    let uses = "-- uses = [\"the-drivers\"]\n";
    folder.write(
        "queries/their-number.sql",
        header("their-number", uses) + "select count(*) as n from \"the-drivers\"\n",
    );
    let run =
        |arguments: &[&str]| folder.cxlake(["run", "--quiet", "--format", "csv"].iter().chain(arguments)).prints();
    assert_eq!(run(&["the-drivers"]), "driver,n\ny,23\nz,23\n");
    assert_eq!(run(&["the-drivers", "-p", "code=9"]), "driver,n\ny,40\nz,40\n");
    assert_eq!(run(&["their-number"]), "n\n2\n");
    let said = folder.cxlake(["queries", "check"]).run();
    assert_eq!(said.code, Some(0), "{said}");
}

#[test]
fn named_arguments_come_in_any_order_and_a_star_takes_the_rest() {
    let wanted = "driver,n\ncyl,32\ngear,32\n";
    for call in [
        "key_drivers(mtcars, mpg, cyl, gear)",
        "key_drivers(mtcars, driver => cyl, driver => gear, target => mpg)",
        "key_drivers(mtcars, mpg, missing => 99, driver => gear, driver => cyl)",
        "key_drivers((select mpg, cyl, gear from mtcars), mpg, *)",
        "key_drivers((select mpg, cyl, gear, disp from mtcars), mpg, *, weight => disp)",
        "key_drivers(mtcars, mpg, cyl, gear, missing => null, target_missing => null, weight => null)",
    ] {
        assert_eq!(csv(&format!("select driver, n from {call} order by driver")), wanted, "{call}");
    }
}

#[test]
fn a_wrong_call_is_answered_with_what_is_wrong() {
    let syntax = "hint: it is called as `key_drivers(relation, target, driver, ... [, missing => null] \
                  [, target_missing => null] [, weight => null])`\n";
    for (call, wanted) in [
        ("key_drivers()", format!("error: `key_drivers` takes a table or a query in parentheses first\n\n{syntax}")),
        ("key_drivers(surveys, nps)", format!("error: `driver` of `key_drivers` is missing\n\n{syntax}")),
        ("key_drivers(surveys, nps, csat, target => ces)", format!(
            "error: `target` of `key_drivers` is given twice\n\n{syntax}"
        )),
        ("key_drivers(surveys, nps, avg(csat))", format!(
            "error: `avg(csat)` is computed from many rows; compute it in the query given first\n\n{syntax}"
        )),
        (
            "offices o, lateral (select * from key_drivers((select nps, csat from surveys where office_id = o.office_id), \
             nps, csat)) d",
            "error: `key_drivers` cannot use `o.office_id` of the query around it\n\n\
             hint: call it once for each value, as in a saved query with a parameter\n"
                .to_owned(),
        ),
        (
            "key_drivers(surveyz, nps, csat)",
            "error: table `surveyz` is not in this lake\n\nhint: did you mean `surveys`? `cxlake tables` or `\\d` lists all\n"
                .to_owned(),
        ),
        (
            "key_driver(surveys, nps, csat)",
            "error: no function for FROM `key_driver`\n\nhint: did you mean `key_drivers`?\n".to_owned(),
        ),
        ("key_drivers(surveys, nsp, csat)", "error: no column `nsp`\n\nhint: did you mean `nps`?\n".to_owned()),
        (
            "key_drivers(surveys, nps, csat, mising => 0)",
            "error: `key_drivers` has no argument `mising`\n\nhint: did you mean `missing`?\n".to_owned(),
        ),
        (
            "segments(accounts, account_id, annual_revenue, method => kmeans)",
            "error: `method` takes a constant, and `kmeans` is none\n\nhint: text stands in single quotes: `method => '…'`\n"
                .to_owned(),
        ),
        (
            "segments(accounts, account_id, annual_revenue, k => 1)",
            "error: `k` of `segments` is 1, which is no whole number from 2 to 100\n".to_owned(),
        ),
        (
            "segments(accounts, account_id, annual_revenue, min_size => 2.5)",
            "error: `min_size` of `segments` is 2.5, which is no whole number from 1 to 4294967295\n".to_owned(),
        ),
        (
            "segments(accounts, account_id, annual_revenue, method => 'kmean')",
            "error: `method` of `segments` is `kmean`\n\nhint: it takes `'rules'` or `'kmeans'`\n".to_owned(),
        ),
        (
            "key_drivers(surveys, nps, csat, missing => 'blank')",
            format!("error: `missing` of `key_drivers` takes a number or a list of numbers, and was given text\n\n{syntax}"),
        ),
        (
            "key_drivers(surveys, nps, language)",
            "error: `driver` of `key_drivers` takes a number or bool, and `language` is text\n\n\
             hint: make a number of it, as in `case when x = '…' then 1 else 0 end`, or leave it out\n"
                .to_owned(),
        ),
        (
            "crosstab(surveys, touchpoint, language, nps, csat)",
            "error: `crosstab` is given more arguments than it takes\n\n\
             hint: it is called as `crosstab(relation, row, column [, weight => null])`\n"
                .to_owned(),
        ),
        (
            "crosstab(nps-by-office, region, nps)",
            "error: `nps - by - office` is no table\n\n\
             hint: a name with hyphens stands in double quotes, such as `\"nps-by-office\"`\n"
                .to_owned(),
        ),
    ] {
        assert_eq!(error(&format!("select * from {call}")), wanted, "{call}");
    }
    assert_eq!(
        error("select crosstab(touchpoint, language) from surveys"),
        "error: `crosstab` makes rows, and is called in FROM\n\n\
         hint: write `select * from crosstab(relation, row, column [, weight => null])`\n"
    );
}

#[test]
fn a_wrong_call_in_a_file_has_its_place() {
    let folder = Folder::new();
    folder.write("s.sql", "select 1;\n\nselect *\nfrom segments((select 1 as id, 2 as x), id, x, levels => x)\n");
    let said = folder.cxlake(["--format", "csv", "-f", "s.sql"]).run();
    assert_eq!(
        said.stderr,
        "error: `levels` takes a constant, and `x` is none\n  at s.sql:4:48\n\
         \x20 | from segments((select 1 as id, 2 as x), id, x, levels => x)\n\
         \x20 |                                                ^^^^^^\n\n\
         hint: text stands in single quotes: `levels => '…'`\n"
    );
}

#[test]
fn the_drivers_of_mtcars_are_weighted_as_in_r() {
    let found = csv(
        "select driver, round(weight, 7) as weight, round(lmg, 7) as lmg, round(share * r_squared - weight, 12) = 0 as ok, \
         direction, round(r_squared, 7) as r_squared, n, left_out_rows, note from key_drivers(mtcars, mpg, cyl, disp, hp, gear)",
    );
    assert_eq!(
        found,
        "driver,weight,lmg,ok,direction,r_squared,n,left_out_rows,note\n\
         hp,0.2321744,0.2109129,true,-,0.7791896,32,0,\n\
         cyl,0.2284797,0.247052,true,-,0.7791896,32,0,\n\
         disp,0.2221469,0.2434996,true,-,0.7791896,32,0,\n\
         gear,0.0963886,0.0777251,true,+,0.7791896,32,0,\n"
    );
}

// numpy: the relative weights of cyl and gear alone are 0.61325494 and 0.11774838.
#[test]
fn drivers_that_cannot_be_used_stay_as_rows_with_the_reason() {
    let found = csv("select driver, round(weight, 7) as weight, n, left_out_rows, blank_rows, note from key_drivers((
             select mpg, cyl, gear, 4 as always, null as nothing, cyl as again, cyl + gear as both,
                 case when cyl = 4 then hp end as for_four from mtcars
         ), mpg, cyl, gear, always, nothing, again, both)");
    assert_eq!(
        found,
        "driver,weight,n,left_out_rows,blank_rows,note\n\
         cyl,0.6132549,32,0,0,\n\
         gear,0.1177484,32,0,0,\n\
         again,,32,0,0,left out: moves exactly with `cyl`\n\
         always,,32,0,0,left out: 4 in every row that could be used\n\
         both,,32,0,0,\"left out: follows exactly from `cyl`, `gear`\"\n\
         nothing,,32,0,32,left out: always blank\n"
    );
}

#[test]
fn the_airport_as_a_whole_counts_more_than_its_cleanliness() {
    // From numpy, on the 2,580 rows with 0 to 10, 1 to 5 and 1 to 5: weights 0.2240721 and 0.10107914, betas 0.45196885 and
    // 0.18279818.
    let found = real(
        "select driver, round(weight, 7) as weight, round(lmg, 7) as lmg, round(correlation, 7) as correlation, \
         round(coefficient, 6) as coefficient, n, left_out_rows \
         from key_drivers(airport_survey, netpro, q7_all, q9_all, missing => [0, 6], target_missing => 11)",
    );
    assert_eq!(
        found,
        "driver,weight,lmg,correlation,coefficient,n,left_out_rows\n\
         q7_all,0.2240721,0.2240721,0.5487236,0.451969,2580,251\n\
         q9_all,0.1010791,0.1010791,0.4220244,0.182798,2580,251\n"
    );
}

#[test]
fn thirteen_drivers_have_weights_without_lmg() {
    let columns =
        |count: u32| (1..=count).map(|c| format!("(value * value * {c} + value * 7) % {} as c{c}", 11 + 2 * c));
    for (count, lmg, note) in [(12, 12, 0), (13, 0, 13)] {
        let columns = columns(count).collect::<Vec<_>>().join(", ");
        let found = csv(&format!(
            "select count(weight) as weights, count(lmg) as lmg, count(note) as notes, round(sum(share), 9) as shares \
             from key_drivers((select value % 19 as y, {columns} from generate_series(1, 200)), y, *)"
        ));
        assert_eq!(found, format!("weights,lmg,notes,shares\n{count},{lmg},{note},1.0\n"));
    }
}

#[test]
fn drivers_of_too_little_data_are_refused() {
    assert_eq!(
        error(
            "select * from key_drivers((select * from (values (1, 2, 3), (2, 1, 5), (4, 4, 4)) t(a, b, c)), a, b, c)"
        ),
        "error: 3 rows have `a` and all of 2 drivers, which is too few\n\n\
         hint: at least 4 are needed: give fewer drivers, or none that is seldom answered\n"
    );
    assert_eq!(
        error("select * from key_drivers((select 5 as a, value as b from generate_series(1, 9)), a, b)"),
        "error: `a` is 5 in all rows used, so there is nothing to explain\n\n\
         hint: look at the filter, and at drivers that are blank where it varies\n"
    );
    assert_eq!(
        error("select * from key_drivers((select * from surveys where false), nps, csat)"),
        "error: `nps` has no value in 0 rows\n\nhint: look at the filter, the codes in `missing` and the weights\n"
    );
    assert_eq!(
        error("select * from key_drivers((select 1 as a, 'NaN'::double as b), a, b)"),
        "error: `b` has the value NaN, which is no number\n\n\
         hint: if it marks a blank, make it null: `case when isnan(b) then null else b end`\n"
    );
}

#[test]
fn churn_depends_on_the_contract_as_scipy_has_it() {
    // scipy.stats.chi2_contingency: 1184.5965720837926, p = 5.863038300673391e-258; residuals by its definition.
    let found = real(
        "select contract, churn, n, round(row_share, 6) as row_share, round(expected, 6) as expected, \
         round(residual, 6) as residual, verdict, round(chi_squared, 6) as chi_squared, degrees, chi_p < 1e-250 as tiny, \
         round(cramers_v, 6) as v, left_out_rows, note from crosstab(telecom_accounts, contract, churn)",
    );
    assert_eq!(
        found,
        "contract,churn,n,row_share,expected,residual,verdict,chi_squared,degrees,tiny,v,left_out_rows,note\n\
         Month-to-month,false,2220,0.572903,2846.691751,-33.997283,lower,1184.596572,2,true,0.410116,0,\n\
         Month-to-month,true,1655,0.427097,1028.308249,33.997283,higher,1184.596572,2,true,0.410116,0,\n\
         One year,false,1307,0.887305,1082.11018,14.923115,higher,1184.596572,2,true,0.410116,0,\n\
         One year,true,166,0.112695,390.88982,-14.923115,lower,1184.596572,2,true,0.410116,0,\n\
         Two year,false,1647,0.971681,1245.198069,25.365892,higher,1184.596572,2,true,0.410116,0,\n\
         Two year,true,48,0.028319,449.801931,-25.365892,lower,1184.596572,2,true,0.410116,0,\n"
    );
}

#[test]
fn weights_of_a_crosstab_count_as_so_many_effective_answers() {
    // pandas and scipy on the weighted table scaled to Kish's 2337.108 answers: 33.647999 on 12 degrees, p = 0.00076633.
    let found = real(
        "select q20_gender, lang, n, round(weighted, 6) as weighted, round(chi_squared, 6) as chi_squared, degrees, \
         round(chi_p, 8) as chi_p, note from crosstab(airport_survey, q20_gender, lang, weight => weight) limit 2",
    );
    let note = "expected below 5; chi-squared is rough: 11 of 20 cells expect fewer than 5";
    assert_eq!(
        found,
        format!(
            "q20_gender,lang,n,weighted,chi_squared,degrees,chi_p,note\n\
             0,1,1,0.723116,33.647999,12,0.00076633,{note}\n0,2,0,0.0,33.647999,12,0.00076633,{note}\n"
        )
    );
}

#[test]
fn a_crosstab_has_every_cell_in_the_order_of_the_values_and_counts_blanks_apart() {
    let found = csv("select a, b, n, weighted, row_share, column_share, verdict, left_out_rows from crosstab((
             select * from (values (10, true), (2, true), (2, true), (2, false), (null, true), (10, null)) t(a, b)
         ), a, b)");
    assert_eq!(
        found,
        "a,b,n,weighted,row_share,column_share,verdict,left_out_rows\n\
         2,false,1,,0.3333333333333333,1.0,,2\n\
         2,true,2,,0.6666666666666666,0.6666666666666666,,2\n\
         10,false,0,,0.0,0.0,,2\n\
         10,true,1,,1.0,0.3333333333333333,,2\n"
    );
    assert_eq!(csv("select a, b, n from crosstab((select 1 as a, null as b), a, b)"), "a,b,n\n");
    let one =
        csv("select n, residual, verdict, chi_squared, degrees, chi_p from crosstab((select 1 as a, 2 as b), a, b)");
    assert_eq!(one, "n,residual,verdict,chi_squared,degrees,chi_p\n1,,,,0,\n");
}

#[test]
fn a_crosstab_that_cannot_be_read_is_refused() {
    assert_eq!(
        error("select * from crosstab(surveys, response_id, account_id)"),
        "error: `response_id` has 26057 values and `account_id` 600: a table of 15634200 cells\n\n\
         hint: at most 100000 cells: group the values first\n"
    );
    assert_eq!(
        error("select * from crosstab((select 1 as n, 2 as b), n, b)"),
        "error: the result would have two columns `n`\n\nhint: rename it first: `(select n as its_n, … from …)`\n"
    );
    assert_eq!(
        error("select * from crosstab((select 1 as a, 2 as b, -1 as w), a, b, weight => w)"),
        "error: the weight `w` has the value -1, below 0\n"
    );
}

/// Three groups of keys around (0, 0), (100, 0) and (0, 50), in an order that this term gives.
fn planted(order: &str) -> String {
    format!(
        "(select value as id,
             case when value % 6 < 3 then 0 when value % 6 < 5 then 100 else 0 end + value % 5 as usage,
             case when value % 6 = 5 then 50 else 0 end + value % 7 as calls,
             value % 6 as planted
         from generate_series(1, 240) order by {order})"
    )
}

// numpy: 120 keys with means 2.0 and 3.041667, 80 with 102.0 and 2.9, 40 with 2.0 and 53.0; the standardised centres are
// (-0.71, -0.44), (1.41, -0.45) and (-0.71, 2.22).
#[test]
fn k_means_finds_planted_groups_and_names_them() {
    let found = csv(&format!(
        "select segment, label, size, is_small, count(*) as n, max(distance) < 0.5 as near, min(description) as means,
             case when min(id % 6) = 5 then 'c' when min(id % 6) = 3 then 'b' else 'a' end as planted
         from segments({}, id, usage, calls, method => 'kmeans', k => 3, min_size => 60)
         group by segment, label, size, is_small order by segment",
        planted("value")
    ));
    assert_eq!(
        found,
        "segment,label,size,is_small,n,near,means,planted\n\
         1,usage low,120,false,120,true,\"means: usage 2.00, calls 3.04\",a\n\
         2,usage high,80,false,80,true,\"means: usage 102, calls 2.90\",b\n\
         3,\"usage low, calls high\",40,true,40,true,\"means: usage 2.00, calls 53.0\",c\n"
    );
}

#[test]
fn rules_cut_each_feature_and_say_where() {
    let found = csv(
        "select * from segments((
             select * from (values ('a', 1, true, 'x'), ('b', 2, true, 'x'), ('c', 3, true, 'x'), ('d', 9, false, 'it''s'),
                 ('e', null, true, 'x'), ('f', null, true, null)) t(id, usage, is_key, kind)
         ), id, usage, is_key, kind, min_size => 2) order by id desc",
    );
    assert_eq!(
        found,
        "id,segment,label,size,is_small,distance,description,note\n\
         f,,,,,,,\"no segment: `usage`, `kind` are blank\"\n\
         e,,,,,,,no segment: `usage` is blank\n\
         d,2,\"usage high, is_key false, kind it's\",1,true,,usage >= 3 and is_key = 'false' and kind = 'it''s',\n\
         c,3,\"usage high, is_key true, kind x\",1,true,,usage >= 3 and is_key = 'true' and kind = 'x',\n\
         b,1,\"usage low, is_key true, kind x\",2,false,,usage < 3 and is_key = 'true' and kind = 'x',\n\
         a,1,\"usage low, is_key true, kind x\",2,false,,usage < 3 and is_key = 'true' and kind = 'x',\n"
    );
    let thirds = csv(
        "select id, label, description from segments((select value as id, value as usage from generate_series(1, 6)), \
         id, usage, levels => 3)",
    );
    assert_eq!(
        thirds,
        "id,label,description\n1,usage low,usage < 3\n2,usage low,usage < 3\n3,usage mid,usage >= 3 and usage < 5\n\
         4,usage mid,usage >= 3 and usage < 5\n5,usage high,usage >= 5\n6,usage high,usage >= 5\n"
    );
}

#[test]
fn rules_do_not_name_a_text_that_is_the_same_for_all_who_take_part() {
    let rows = "select * from (values ('a', 'x', true, 1), ('b', 'x', true, 2), ('c', 'y', true, null)) t(id, kind, is_key, n)";
    assert_eq!(
        csv(&format!("select id, label, description from segments(({rows}), id, kind, is_key, n)")),
        "id,label,description\na,n low,n < 2\nb,n high,n >= 2\nc,,\n"
    );
    assert_eq!(
        csv(&format!("select id, label, description from segments(({rows}), id, is_key)")),
        "id,label,description\na,all alike,all\nb,all alike,all\nc,all alike,all\n"
    );
}

#[test]
fn segments_of_wrong_keys_or_too_few_of_them_are_refused() {
    assert_eq!(
        error("select * from segments(surveys, account_id, nps)"),
        "error: the key `account_id` has the value `000001` more than once\n\n\
         hint: give one row per key: `(select account_id, avg(…) … group by account_id)`\n"
    );
    assert_eq!(
        error("select * from segments((select null as id, 1 as x), id, x)"),
        "error: the key `id` is null in 1 of 1 rows\n\nhint: leave them out: `where id is not null`\n"
    );
    assert_eq!(
        error(
            "select * from segments((select value as id, value % 3 as x from generate_series(1, 9)), id, x, \
             method => 'kmeans', k => 4)"
        ),
        "error: 4 segments of keys with 3 different combinations of values\n\n\
         hint: give a `k` of at most 3, or more keys and features\n"
    );
    assert_eq!(
        error(
            "select * from segments((select value as id, 1 as x from generate_series(1, 9)), id, x, method => 'kmeans')"
        ),
        "error: 4 segments of keys with 1 different combinations of values\n\n\
         hint: there is nothing to split: give more keys, or features that vary\n"
    );
    assert_eq!(
        error("select * from segments(accounts, account_id, tier, method => 'kmeans')"),
        "error: `tier` is text, and k-means takes numbers\n\nhint: leave `tier` out, or take `method => 'rules'`\n"
    );
}

#[test]
fn results_are_the_same_for_rows_in_any_order_and_on_any_number_of_threads() {
    let folder = Folder::new();
    let orders = ["value", "-value", "value * 7919 % 241", "md5(cast(value as text))"];
    let calls = |rows: &str| {
        format!(
            "select * from key_drivers({rows}, calls, usage, planted, id);
             select * from crosstab({rows}, planted, usage % 3, weight => usage / 7.3);
             select * from segments({rows}, id, usage, calls);
             select * from segments({rows}, id, usage, calls, method => 'kmeans', k => 5, seed => 3)"
        )
    };
    let run = |threads: &str, rows: &str| {
        folder.cxlake(["--threads", threads, "--format", "csv", "-c", &calls(rows)]).prints()
    };
    let wanted = run("1", &planted("value"));
    assert!(wanted.lines().count() > 500, "{wanted}");
    for order in orders {
        for (place, threads) in ["1", "2", "4"].iter().enumerate() {
            assert!(run(threads, &planted(order)) == wanted, "{order} on {threads} threads");
            // Out of many small files, which the threads share out as they come.
            let path = format!("f{place}/{}", order.len());
            for part in 0..3 {
                let rows = planted(order);
                let sql = format!("select * from {rows} where id % 3 = {part}");
                folder.parquet(&format!("{path}/{part}.parquet"), &sql);
            }
            assert!(run(threads, &format!("'{path}/'")) == wanted, "{order} from files on {threads} threads");
        }
    }
}

#[test]
fn a_table_function_keeps_to_the_memory_limit() {
    let said = cxlake([
        "--memory-limit",
        "64MiB",
        "-c",
        "select * from key_drivers((select value as a, value % 7 as b, value % 5 as c from generate_series(1, 5000000)), a, b, c)",
    ])
    .run();
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stderr.contains(" does not hold this statement (key_drivers needs more)\n"), "{said}");
}

#[test]
fn every_example_of_the_help_runs_on_the_sample_lake() {
    let helps = cxlake::engine::functions::helps();
    let tables = helps.iter().filter(|help| help.kind == cxlake::engine::functions::help::Kind::Table);
    let examples: Vec<&str> = tables.flat_map(|help| help.examples).copied().collect();
    assert!(examples.len() >= 6, "{examples:?}");
    for example in examples {
        assert!(cxlake(["--format", "csv", "-c", example]).prints().lines().count() > 1, "{example}");
    }
}
