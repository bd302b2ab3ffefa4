//! Statements put together by chance from what the rules look for: first rows of keys, selective filters on wide tables, first rows
//! of an order, joins in any order, groups of what is joined, subplans that repeat, texts that repeat.

use super::super::chance::Chance;

/// So many statements, each with the semicolon, on the tables of the sample.
pub fn statements(count: usize) -> Vec<String> {
    let mut chance = Chance(20_261_123);
    (0..count)
        .map(|number| {
            let statement = match number % 8 {
                0 => first_rows(&mut chance),
                1 => firsts_by_column(&mut chance),
                2 => selective(&mut chance),
                3 => joined(&mut chance),
                4 => joined_on(&mut chance),
                5 => grouped(&mut chance),
                6 => of_texts(&mut chance),
                _ => repeated(&mut chance),
            };
            statement + ";"
        })
        .collect()
}

const FILTERS: [&str; 9] = [
    "nps is not null",
    "nps <= 6",
    "comment is not null",
    "account_id = '000123'",
    "account_id in ('000007', '000311', '000599')",
    "contact_role = 'executive'",
    "month >= date '2026-06-01'",
    "answered_at is null",
    "comment like '%price%'",
];

const SELECTIVE: [&str; 5] = [
    "account_id = '000123'",
    "account_id in ('000007', '000311', '000599') and nps is not null",
    "contact_role = 'executive' and nps <= 2",
    "response_id = 'R000001-0001' or csat = 1 and month = date '2026-06-01'",
    "touchpoint = 'renewal meeting' and comment is not null",
];

fn filters(chance: &mut Chance) -> String {
    match chance.below(3) {
        0 => String::new(),
        1 => format!(" where {}", chance.of(&FILTERS)),
        _ => format!(" where {} {} {}", chance.of(&FILTERS), chance.of(&["and", "or"]), chance.of(&FILTERS)),
    }
}

/// An order that no two rows share.
fn order(chance: &mut Chance) -> String {
    let direction =
        |chance: &mut Chance| chance.of(&["", " desc", " nulls first", " desc nulls first", " desc nulls last"]);
    let keys = ["answered_at", "sent_at", "nps", "csat", "month", "cast(weight * 100 as int)"];
    let place = chance.below(keys.len());
    // The engine breaks off when `first_value` names one key twice.
    let (first, second) = (keys[place], keys[(place + 1 + chance.below(keys.len() - 1)) % keys.len()]);
    match chance.below(3) {
        0 => format!("{first}{}, response_id{}", direction(chance), chance.of(&["", " desc"])),
        1 => format!("{first}{}, {second}{}, response_id", direction(chance), direction(chance)),
        _ => format!("{first}{}, contact_role{}, response_id desc", direction(chance), chance.of(&["", " desc"])),
    }
}

fn first_rows(chance: &mut Chance) -> String {
    let key = chance.of(&[
        "account_id",
        "office_id",
        "contact_id",
        "account_id, journey_stage",
        "nps",
        "touchpoint, language",
    ]);
    let columns = chance.of(&[
        "nps",
        "account_id, nps, comment",
        "response_id, answered_at",
        "*",
        "office_id, csat, weight, month",
        "count(*) over () as n, nps",
    ]);
    let place = chance.of(&["= 1", "<= 1", "< 2", "= 2", "<= 3"]);
    let also = chance.of(&["", "", " and nps > 4", " and comment is not null", " and place > 0"]);
    let (filters, order) = (filters(chance), order(chance));
    match chance.below(4) {
        0 => format!(
            "select {} from surveys{filters} qualify row_number() over (partition by {key} order by {order}) {place}",
            if columns == "*" { "nps, csat" } else { columns }
        ),
        1 => format!(
            "with numbered as (select *, row_number() over (partition by {key} order by {order}) as place from surveys{filters}) \
             select count(*) as n, sum(nps) as s, min(comment) as c, max(place) as p from numbered where place {place}{also}"
        ),
        _ => format!(
            "select {columns} from (select *, row_number() over (partition by {key} order by {order}) as place \
             from surveys{filters}) where place {place}{also}"
        ),
    }
}

fn firsts_by_column(chance: &mut Chance) -> String {
    let key = chance.of(&["account_id", "office_id", "survey_type, language", "touchpoint"]);
    let (filters, order) = (filters(chance), order(chance));
    match chance.below(4) {
        0 => format!(
            "select distinct on ({key}) {key}, response_id, comment from surveys{filters} order by {key}, {order}"
        ),
        1 => format!(
            "select {key}, first_value(nps order by {order}) as f, first_value(comment order by {order}) as c from surveys{filters} group by {key}"
        ),
        2 => format!(
            "select {key}, median(weight) as m, percentile_cont(0.9) within group (order by weight) as p, \
             percentile_cont(0.25) within group (order by weight desc) filter (where nps > 3) as q, \
             percentile_cont(0.75) within group (order by weight) filter (where nps > 3) as r, count(*) as n \
             from surveys{filters} group by {key}"
        ),
        _ => format!(
            "select {key}, last_value(answered_at order by {order}) as l{} from surveys{filters} group by {key}",
            chance.of(&["", ", count(*) as n"])
        ),
    }
}

fn selective(chance: &mut Chance) -> String {
    let columns =
        chance.of(&["*", "response_id, comment", "account_id, answered_at, comment, language", "response_id, nps"]);
    let filters = filters(chance);
    match chance.below(3) {
        0 => format!("select {columns} from surveys where {}", chance.of(&SELECTIVE)),
        1 => {
            format!("select {columns} from surveys{filters} order by {} limit {}", order(chance), 1 + chance.below(40))
        }
        _ => format!(
            "select {columns} from surveys{filters} order by {} limit {} offset {}",
            order(chance),
            1 + chance.below(10),
            chance.below(20)
        ),
    }
}

fn joined(chance: &mut Chance) -> String {
    let dimensions = [
        ("offices", "office_id", "offices.region"),
        ("accounts", "account_id", "accounts.tier"),
        ("contacts", "contact_id", "contacts.role"),
    ];
    let turn = chance.below(3);
    let mut from = String::from("surveys");
    let mut by = Vec::new();
    for place in 0..=chance.below(3) {
        let (table, key, column) = dimensions[(turn + place) % 3];
        let kind = chance.of(&["join", "left join", "join", "right join"]);
        from += &format!(" {kind} {table} on {table}.{key} = surveys.{key}");
        by.push(column);
    }
    let by = by.join(", ");
    let value = chance.of(&["surveys.answered_at", "surveys.month", "surveys.contact_id", "surveys.nps"]);
    let filter = chance.of(&[
        "",
        " where surveys.nps is not null",
        " where surveys.office_id in (select office_id from offices where region = 'EMEA')",
        " where not exists (select 1 from escalations e where e.account_id = surveys.account_id)",
        " where surveys.account_id = '000123'",
    ]);
    format!(
        "select {by}, count(*) as n, sum(surveys.nps) as s, count(distinct surveys.account_id) as a, count(distinct {value}) filter (where surveys.csat > 2) as d from {from}{filter} group by {by}"
    )
}

/// Facts joined with what they are about, and that with what it belongs to.
fn joined_on(chance: &mut Chance) -> String {
    let kinds = ["join", "join", "join", "left join"];
    let (fact, value) = [("surveys", "nps"), ("touches", "touches"), ("escalations", "severity")][chance.below(3)];
    let account = chance.of(&["accounts", "(select * from accounts where segment = 'Small')"]);
    let mut from = format!("{fact} f {} {account} a on a.account_id = f.account_id", chance.of(&kinds));
    from += &format!(" {} offices o on o.office_id = a.office_id", chance.of(&kinds));
    from += &format!(" {} countries c on c.country = o.country", chance.of(&kinds));
    if chance.below(2) == 0 {
        // Neither side is a key here.
        from += &format!(" {} contacts p on p.account_id = a.account_id", chance.of(&kinds));
    }
    let filter = chance.of(&[
        "",
        " where o.region = 'APAC'",
        " where c.name = 'Spain' and a.tier = 'Gold'",
        " where o.country in ('ES', 'US') or a.segment = 'Enterprise'",
        " where a.account_id < '000100' and o.region <> 'NA'",
    ]);
    let by = chance.of(&["c.name", "o.region, a.tier", "o.city", "a.account_id, c.currency"]);
    format!(
        "select {by}, count(*) as n, sum(f.{value}) as s, max(f.account_id) as last from {from}{filter} group by {by}"
    )
}

/// Facts grouped by columns of their own and of what they are about.
fn grouped(chance: &mut Chance) -> String {
    let scores = [
        "f.touchpoint",
        "date_trunc('quarter', f.answered_at)",
        "case when f.nps >= 9 then 'high' when f.nps <= 6 then 'low' end",
    ];
    let costs = ["f.function", "f.period", "coalesce(f.touches, 0)"];
    let (fact, value, weight, own) = match chance.below(2) {
        0 => ("surveys", "nps", "weight", scores),
        _ => ("cost_per_touch", "touches", "cost", costs),
    };
    let other = chance.of(&[
        "offices",
        "offices",
        "(select * from offices union all select * from offices)",
        "(select * from offices where region <> 'APAC')",
        "(select office_id, min(region) as region, max(country) as country from offices group by office_id)",
    ]);
    let kind = chance.of(&["join", "join", "join", "left join"]);
    let from = match chance.below(3) {
        0 => format!("{other} o {kind} {fact} f on o.office_id = f.office_id"),
        1 => format!("{fact} f {kind} {other} o on o.office_id = f.office_id"),
        _ => format!(
            "{fact} f {kind} {other} o on o.office_id = f.office_id {kind} countries c on c.country = o.country"
        ),
    };
    let by = chance.of(&["o.region", "o.office_id, o.country", "f.office_id, o.region", "o.country, o.region"]);
    let by = if chance.below(3) == 0 { by.to_owned() } else { format!("{by}, {}", chance.of(&own)) };
    let calls = (0..=chance.below(3)).map(|place| {
        let call = chance.of(&[
            "count(*)",
            "count(f.V)",
            "sum(f.V)",
            "avg(f.W)",
            "min(f.V)",
            "max(f.W)",
            "sum(case when f.V > 3 then f.V when f.V is null then -1 else 0 end)",
            "sum(f.W) filter (where f.V > 2)",
            "stddev(cast(f.V as double))",
            "count(distinct f.V)",
            "sum(case when o.region = 'EMEA' then f.V end)",
        ]);
        format!(", {} as c{place}", call.replace('V', value).replace('W', weight))
    });
    let calls: String = calls.collect();
    let filter = chance.of(&["", "", " where f.office_id <> 'O03'", " where o.region = 'EMEA'"]);
    format!("select {by}{calls} from {from}{filter} group by {by}")
}

fn repeated(chance: &mut Chance) -> String {
    let key = chance.of(&["office_id", "account_id", "journey_stage"]);
    let filters = filters(chance);
    let first = order(chance);
    let value = chance.of(&["count(nps)", "sum(nps)", "max(csat)"]);
    match chance.below(3) {
        0 => format!(
            "with c as (select {key}, {value} as v from surveys{filters} group by {key}) \
             select a.{key}, a.v, b.v as w from c a join c b on a.{key} = b.{key} where a.v >= (select avg(v) from c)"
        ),
        1 => format!(
            "with l as (select *, row_number() over (partition by {key} order by {first}) as place from surveys{filters}), \
             f as (select * from l where place = 1) \
             select a.{key}, a.nps, b.comment from f a join f b on a.{key} = b.{key}"
        ),
        _ => format!(
            "with c as (select {key}, {value} as v from surveys{filters} group by {key}) \
             select {key}, v from c where v > 3 union all select {key}, v from c where v <= 3"
        ),
    }
}

fn of_texts(chance: &mut Chance) -> String {
    const OF_TEXT: [&str; 10] = [
        "upper(X)",
        "X like '%e%'",
        "X ilike '%AN%' or X like '_a%'",
        "case when X like '%price%' then 1 when X is null then -1 else 0 end",
        "coalesce(replace(X, 'e', ''), 'none')",
        "X not like '%t%'",
        "X ~ '^[A-M]'",
        "strpos(X, 'a') + length(X)",
        "split_part(X, ' ', 2)",
        "sentiment(X)",
    ];
    let of_text = |chance: &mut Chance| {
        let column = chance.of(&["comment", "comment", "touchpoint", "contact_role", "office_id", "response_id"]);
        chance.of(&OF_TEXT).replace('X', column)
    };
    let (first, second, filters) = (of_text(chance), of_text(chance), filters(chance));
    match chance.below(3) {
        0 => format!("select {first} as a, {second} as b, count(*) as n from surveys{filters} group by all"),
        1 => format!(
            "select office_id, count({first}) as a, max({second}) as b, min({second}) as c from surveys{filters} group by office_id"
        ),
        _ => format!(
            "select response_id, {first} as a, {second} as b from surveys{filters} order by response_id limit 300"
        ),
    }
}
