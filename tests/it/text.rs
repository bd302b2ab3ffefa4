//! Functions over text: themes, reason codes and sentiment of comments.

use cxlake::engine::functions::helps;

use super::harness::{Folder, cxlake};

/// A result without its header, a line for each row.
fn rows(sql: &str) -> Vec<String> {
    csv(&cxlake(["--quiet", "--format", "csv", "-c", sql]).prints())
}

fn csv(text: &str) -> Vec<String> {
    text.lines().skip(1).map(str::to_owned).collect()
}

fn numbers(sql: &str) -> Vec<f64> {
    let rows = rows(sql);
    rows.iter().flat_map(|row| row.split(',')).map(|cell| cell.parse().unwrap_or_else(|_| panic!("{rows:?}"))).collect()
}

fn error(sql: &str) -> String {
    cxlake(["--quiet", "-c", sql]).told(1)
}

/// A lake with a codebook of two versions and three comments.
fn coded() -> Folder {
    let folder = Folder::new();
    folder.lake("[table.codebook]\npath = \"codebook.parquet\"\n[table.notes]\npath = \"notes.parquet\"\n");
    folder.parquet(
        "codebook.parquet",
        "select * from (values (2, 'SLOW', 'phrase', 'too slow'), (1, 'SLOW', 'phrase', 'slow'), \
         (2, 'BILL', 'pattern', 'invoices?')) v(version, code, kind, match)",
    );
    folder.parquet(
        "notes.parquet",
        "select * from (values (1, 'Too slow, and the Invoices are wrong'), (2, 'slow'), (3, 'n/a'), (4, null)) v(id, note)",
    );
    folder
}

#[test]
fn every_example_of_a_text_function_runs_on_the_sample_lake() {
    let ours = ["themes", "reason_codes", "codebook", "sentiment"];
    let helps: Vec<_> = helps().into_iter().filter(|help| ours.contains(&help.name)).collect();
    assert_eq!(helps.len(), ours.len());
    for example in helps.iter().flat_map(|help| help.examples) {
        assert!(!rows(example).is_empty(), "{example}");
    }
}

#[test]
fn the_planted_rise_of_response_time_is_the_first_theme_of_its_region() {
    let first = rows(
        "select region, theme from themes((select comment, region, contact_id from surveys join offices using (office_id) \
         where language = 'en' and answered_at >= '2026-07-01'), comment, region, person => contact_id) \
         where rank = 1 and region = 'NA'",
    );
    assert_eq!(first, ["NA,response time"]);
    let heard = rows(
        "select theme from themes((select text, account_id, captured_at >= '2026-07-01' as lately from field_feedback \
         join offices using (office_id) where region = 'NA'), text, lately, person => account_id) where lately",
    );
    assert!(heard.iter().any(|theme| theme == "response time"), "{heard:?}");
    let before = rows(
        "select theme from themes((select text, account_id, captured_at >= '2026-07-01' as lately from field_feedback \
         join offices using (office_id) where region = 'NA'), text, lately, person => account_id) where not lately",
    );
    assert!(before.iter().any(|theme| theme == "invoice"), "{before:?}");
}

#[test]
fn the_people_of_a_theme_are_those_that_plain_sql_counts() {
    let relation = "(select s.*, region from surveys s join offices using (office_id) where language = 'en')";
    let listed = numbers(&format!(
        "select people, share, people_elsewhere, share_elsewhere from themes({relation}, comment, region, \
         person => account_id, top => 1000) where theme = 'no complaints' and region = 'EMEA'"
    ));
    let counted = numbers(&format!(
        "select count(distinct account_id) filter (where region = 'EMEA' and said), \
         count(distinct account_id) filter (where region = 'EMEA' and said) / cast(count(distinct account_id) \
         filter (where region = 'EMEA') as double), count(distinct account_id) filter (where region <> 'EMEA' and said), \
         count(distinct account_id) filter (where region <> 'EMEA' and said) / cast(count(distinct account_id) \
         filter (where region <> 'EMEA') as double) \
         from (select account_id, region, comment ilike '%no complaints%' as said from {relation} where comment is not null)"
    ));
    assert_eq!(listed.len(), 4);
    for (listed, counted) in listed.iter().zip(&counted) {
        assert!((listed - counted).abs() < 1e-12, "{listed} is not {counted}");
    }
}

#[test]
fn themes_do_not_depend_on_the_order_of_rows_or_on_threads() {
    let call = |order: &str| {
        format!(
            "select * from themes((select * from surveys order by {order}), comment, language, person => account_id, \
             min_people => 2)"
        )
    };
    let expected = rows(&call("response_id"));
    assert!(expected.len() > 20, "{expected:?}");
    assert_eq!(rows(&call("comment desc, response_id desc")), expected);
    let sql = call("nps");
    assert_eq!(csv(&cxlake(["--quiet", "--threads", "1", "--format", "csv", "-c", &sql]).prints()), expected);
}

#[test]
fn themes_of_one_group_are_held_against_nobody() {
    let said = rows(
        "select theme, people, share, people_elsewhere, share_elsewhere, log_odds, z, example from themes(\
         (select * from (values ('Slow invoices!'), ('slow'), (null), ('n/a'), ('invoice')) v(note)), note, min_people => 2)",
    );
    assert_eq!(said, ["invoice,2,0.6666666666666666,,,,,invoice", "slow,2,0.6666666666666666,,,,,slow"]);
    assert!(rows("select * from themes((select comment from surveys where false), comment)").is_empty());
}

#[test]
fn themes_refuses_what_it_cannot_take() {
    assert_eq!(
        error("select * from themes(offices, fte)"),
        "error: `text` of `themes` takes text, and `fte` is int\n\n\
         hint: it is called as `themes(relation, text [, by, ...] [, person => null] [, top => 10] [, min_people => 5])`\n"
    );
    assert_eq!(
        error("select * from themes(offices, office, top => 0)"),
        "error: `top` of `themes` is 0, which is no whole number from 1 to 4294967295\n"
    );
    assert_eq!(
        error("select * from themes((select office, region as share from offices), office, share)"),
        "error: `themes` would have two columns `share`\n\nhint: give the one of `by` another name in the relation: `share as …`\n"
    );
}

#[test]
fn reason_codes_come_from_the_latest_version_or_from_the_one_that_is_named() {
    let folder = coded();
    let codes = |call: &str| {
        let sql = format!(
            "select case when {call} is null then 'null' else array_to_string({call}, '+') end from notes order by id"
        );
        csv(&folder.cxlake(["--quiet", "--format", "csv", "-c", &sql]).prints())
    };
    assert_eq!(codes("reason_codes(note)"), ["BILL+SLOW", "Other", "None", "null"]);
    assert_eq!(codes("reason_codes(note, version => null)"), ["BILL+SLOW", "Other", "None", "null"]);
    assert_eq!(codes("reason_codes(note, version => 1)"), ["SLOW", "SLOW", "None", "null"]);
    assert_eq!(
        codes("reason_codes(note, codebook => (select codebook(code, kind, match) from codebook where code = 'BILL'))"),
        ["BILL", "Other", "None", "null"]
    );
}

#[test]
fn reason_codes_work_in_filters_lists_views_and_used_queries_with_a_parameter() {
    let folder = coded();
    let run = |arguments: &[&str]| csv(&folder.cxlake(["--quiet", "--format", "csv"].iter().chain(arguments)).prints());
    assert_eq!(run(&["-c", "select id from notes where array_has(reason_codes(note), 'BILL')"]), ["1"]);
    let listed = "with coded as (select id, unnest(reason_codes(note)) as code from notes) \
                  select code, count(*) from coded group by code order by code";
    assert_eq!(run(&["-c", listed]), ["BILL,1", "None,1", "Other,1", "SLOW,1"]);
    let view = "create view coded as select id, reason_codes(note) as codes from notes; \
                select id from coded where array_has(codes, 'SLOW')";
    assert_eq!(run(&["-c", view]), ["1"]);
    let header = "[params.version]\ntype = \"int\"\ndefault = 2";
    let header: String = header.lines().map(|line| format!("-- {line}\n")).collect();
    let query = |name: &str, header: &str, sql: &str| {
        let text =
            format!("-- +++\n-- name = \"{name}\"\n-- title = \"T\"\n-- description = \"D\"\n{header}-- +++\n{sql}\n");
        folder.write(&format!("queries/{name}.sql"), text);
    };
    query("coded", &header, "select id, unnest(reason_codes(note, version => $version)) as code from notes");
    query("counted", "-- uses = [\"coded\"]\n", "select code, count(*) from coded group by code order by code");
    assert_eq!(run(&["run", "counted"]), ["BILL,1", "None,1", "Other,1", "SLOW,1"]);
    assert_eq!(run(&["run", "coded", "-p", "version=1"]), ["1,SLOW", "2,SLOW", "3,None"]);
}

#[test]
fn a_codebook_that_cannot_be_used_says_why() {
    let folder = Folder::new();
    folder.lake("");
    let fails = |sql: &str| folder.cxlake(["--quiet", "-c", sql]).told(1);
    assert_eq!(
        fails("select reason_codes('x')"),
        "error: table `codebook` is not in this lake\n\n\
         hint: `reason_codes` takes its codes from it: columns version, code, kind (phrase or pattern) and match\n"
    );
    let with = |row: &str, call: &str| {
        fails(&format!("with codebook as (select * from (values {row}) v(version, code, kind, match)) select {call}"))
    };
    assert_eq!(
        with("(1, 'A', 'pattern', '(x')", "reason_codes('x')"),
        "error: code `A` of the codebook has the pattern `(x`, which cannot be read: unclosed group\n\n\
         hint: it is read as Rust's regex crate does: no look-around, no back-references\n"
    );
    assert_eq!(
        with("(1, 'A', 'regex', 'x')", "reason_codes('x')"),
        "error: code `A` of the codebook has the kind `regex`\n\nhint: a kind is `phrase` or `pattern`\n"
    );
    assert_eq!(
        with("(1, 'A', 'phrase', null)", "reason_codes('x')"),
        "error: code `A` of the codebook has a null\n\nhint: each row needs a code, a kind and a match\n"
    );
    assert_eq!(
        with("(1, 'A', 'phrase', 'x')", "reason_codes('x', version => 2)"),
        "error: `reason_codes` found no codebook: it has no rows of this version\n\n\
         hint: `select distinct version from codebook` lists those that there are\n"
    );
    assert_eq!(
        error("select reason_codes(comment, codebook => (select null)) from surveys"),
        "error: `reason_codes` found no codebook: it has no rows of this version\n\n\
         hint: `select distinct version from codebook` lists those that there are\n"
    );
    assert_eq!(
        error("select reason_codes(text, version => severity) from field_feedback"),
        "error: `version` of `reason_codes` is a constant, and was given `severity`\n\nhint: write a number or a parameter\n"
    );
}

#[test]
fn the_codes_of_field_notes_are_the_themes_that_they_were_made_for() {
    let wrong = numbers(
        "with labels as (select distinct code, label from codebook) select count(*) from field_feedback join labels \
         on label = theme where not array_has(reason_codes(text), code)",
    );
    let all = numbers("select count(*) from field_feedback");
    assert!(wrong[0] / all[0] < 0.05, "{wrong:?} of {all:?}");
}

#[test]
fn sentiment_has_the_sign_of_what_people_score() {
    // Right, unknown and wrong among promoters and detractors who wrote in English.
    let signs = numbers(
        "select avg(cast(signum(s) = sign as int)), avg(cast(s = 0 as int)), avg(cast(signum(s) = -sign as int)) \
         from (select sentiment(comment) as s, case when nps >= 9 then 1 else -1 end as sign from surveys \
         where language = 'en' and comment is not null and (nps >= 9 or nps <= 6))",
    );
    assert!(signs[0] > 0.8 && signs[1] < 0.2 && signs[2] < 0.02, "{signs:?}");
}

#[test]
fn sentiment_is_null_for_nothing_said_and_zero_for_words_that_it_lacks() {
    let scores = rows(
        "select sentiment(t) is null, coalesce(sentiment(t), 9) = 0, sentiment(t) > 0 from (values (1, null), (2, ' '), \
         (3, 'N/A'), (4, 'Zufrieden'), (5, 'not bad at all'), (6, 'not good at all'), (7, '悪くないです。')) v(i, t) order by i",
    );
    assert_eq!(
        scores,
        [
            "true,false,",
            "true,false,",
            "true,false,",
            "false,true,false",
            "false,false,true",
            "false,false,false",
            "false,true,false"
        ]
    );
    assert_eq!(
        error("select sentiment(3)"),
        "error: `text` of `sentiment` takes text, and was given int\n\nhint: it is called as `sentiment(text)`\n"
    );
}
