//! The sample company's tables besides the first six: what is planted in each is there for plain SQL to find.

use std::collections::BTreeMap;

use cxlake::sample::story;
use cxlake::sample::{Options, silent_accounts};

use super::harness::{number, sql_rows as rows, text};

/// The one number of a statement.
fn one(sql: &str) -> f64 {
    let rows = rows(sql);
    let values: Vec<f64> = rows.iter().flat_map(BTreeMap::values).filter_map(serde_json::Value::as_f64).collect();
    assert_eq!(values.len(), 1, "{sql}: {rows:?}");
    values[0]
}

/// A number for each key: `sql` names its two columns `key` and `value`.
fn by_key(sql: &str) -> BTreeMap<String, f64> {
    rows(sql).iter().map(|row| (text(row, "key").to_owned(), number(row, "value"))).collect()
}

/// The silent accounts as a list for SQL.
fn silent() -> String {
    let quoted: Vec<String> = silent_accounts(&Options::default()).map(|account| format!("'{account}'")).collect();
    quoted.join(", ")
}

#[test]
fn every_contact_that_is_surveyed_is_listed_and_nobody_answers_after_leaving() {
    let unknown = "select count(*) from surveys s left join contacts c \
                   on c.contact_id = s.contact_id and c.account_id = s.account_id and c.role = s.contact_role \
                   where c.contact_id is null";
    assert!(one(unknown).abs() < 0.5);
    let impossible = "select count(*) from surveys s join contacts c using (contact_id) \
                      where s.answered_at >= c.left_on or s.sent_at < c.since";
    assert!(one(impossible).abs() < 0.5);
    let undecided = "select count(*) from (select account_id from contacts group by account_id \
                     having not bool_or(is_decision_maker))";
    assert!(one(undecided).abs() < 0.5);
}

#[test]
fn sponsors_leave_before_an_account_that_leaves_without_a_word() {
    let silent = silent();
    let gone = by_key(&format!(
        "select case when a.account_id in ({silent}) or churn_reason in \
           ('moved to a competitor', 'sponsor left', 'account team turnover') then 'quiet' else 'other' end as key, \
           avg(case when left_on is null then 0.0 else 1.0 end) as value \
         from contacts c join accounts a using (account_id) where role = 'executive' group by 1"
    ));
    assert!(gone["quiet"] > 0.5 && gone["other"] < 0.08, "{gone:?}");
}

#[test]
fn revenue_is_there_for_each_month_as_a_customer_and_ends_at_the_annual_revenue() {
    let wrong = "select count(*) from account_revenue r join accounts a using (account_id) \
                 where period < date_trunc('month', started_on) or period > date_trunc('month', churned_on)";
    assert!(one(wrong).abs() < 0.5);
    let missing = "select count(*) from accounts a where status = 'active' and not exists \
                   (select 1 from account_revenue r where r.account_id = a.account_id and period = date '2026-09-01')";
    assert!(one(missing).abs() < 0.5);
    let silent = silent();
    let apart = format!(
        "select max(abs(cast(12 * recurring_revenue as double) / cast(annual_revenue as double) - 1)) \
         from account_revenue join accounts a using (account_id) \
         where period = date '2026-09-01' and status = 'active' and a.account_id not in ({silent})"
    );
    assert!(one(&apart) < 0.05);
}

#[test]
fn enterprise_grows_and_small_accounts_shrink() {
    let retention = by_key(
        "with of as (select account_id, sum(case when period = date '2025-09-01' then recurring_revenue end) as before, \
           coalesce(sum(case when period = date '2026-09-01' then recurring_revenue end), 0) as after \
           from account_revenue group by account_id) \
         select segment as key, cast(sum(after) as double) / cast(sum(before) as double) as value \
         from of join accounts using (account_id) where before is not null group by segment",
    );
    let margins = by_key(
        "select segment as key, 1 - cast(sum(direct_cost) as double) \
           / cast(sum(recurring_revenue + services_revenue) as double) as value \
         from account_revenue join accounts using (account_id) group by segment",
    );
    for (place, segment) in ["Enterprise", "Mid-market", "Small"].into_iter().enumerate() {
        assert!((retention[segment] - story::NET_RETENTION[place]).abs() < 0.025, "{retention:?}");
        assert!((margins[segment] - story::MARGINS[place]).abs() < 0.02, "{margins:?}");
    }
}

#[test]
fn accounts_that_leave_contract_before_they_do() {
    let change = |accounts: &str, months: u32| {
        one(&format!(
            "with numbered as (select account_id, recurring_revenue, \
               row_number() over (partition by account_id order by period desc) as back from account_revenue), \
             of as (select account_id, max(case when back = 1 then recurring_revenue end) as last, \
               max(case when back = {months} + 1 then recurring_revenue end) as before from numbered group by 1) \
             select avg(cast(last as double) / cast(before as double) - 1) from of where account_id in ({accounts})"
        ))
    };
    let loud = "select account_id from accounts where churn_reason in \
                ('service quality', 'slow response', 'price', 'billing disputes')";
    assert!((change(loud, 6) + story::LOUD_CONTRACTION).abs() < 0.05, "{}", change(loud, 6));
    assert!((change(&silent(), 3) + story::QUIET_CONTRACTION).abs() < 0.03, "{}", change(&silent(), 3));
}

#[test]
fn escalations_take_longest_in_north_america_and_got_shorter_in_emea() {
    let days = by_key(
        "select region || case when opened_at < timestamp '2026-04-01' then ' before' else ' since' end as key, \
           avg(extract(epoch from closed_at - opened_at)) / 86400 as value \
         from escalations join offices using (office_id) group by 1",
    );
    assert!((1.8..2.4).contains(&(days["NA before"] / days["APAC before"])), "{days:?}");
    assert!((0.9..1.1).contains(&(days["EMEA before"] / days["APAC before"])), "{days:?}");
    assert!((0.5..0.7).contains(&(days["EMEA since"] / days["EMEA before"])), "{days:?}");
    let staffing = by_key(
        "select office as key, avg(case when root_cause = 'staffing' then 1.0 else 0.0 end) as value \
         from escalations join offices using (office_id) group by office",
    );
    assert!(staffing[story::STAFFING_OFFICE] > 0.5, "{staffing:?}");
    assert!(staffing.iter().filter(|(_, share)| **share > 0.35).count() == 1, "{staffing:?}");
}

#[test]
fn the_loud_escalate_before_they_leave_and_the_silent_never_do() {
    let severe = "with of as (select a.account_id, count(e.escalation_id) as n from accounts a left join escalations e \
                    on e.account_id = a.account_id and e.severity >= 4 and e.opened_at >= churned_on - interval '6 months' \
                    where churn_reason in ('service quality', 'slow response', 'price', 'billing disputes') group by 1) \
                  select min(n) from of";
    assert!(one(severe) >= 3.0);
    let silent = silent();
    assert!(one(&format!("select count(*) from escalations where account_id in ({silent})")).abs() < 0.5);
}

#[test]
fn every_detractor_of_the_last_year_has_a_call_and_seattle_leaves_its_latest_open() {
    let without = "select count(*) from surveys s left join follow_ups f \
                     on f.response_id = s.response_id and f.contact_id = s.contact_id and f.kind = 'call detractor' \
                     and f.due_on = cast(s.answered_at as date) + interval '14 days' \
                   where nps <= 6 and answered_at >= timestamp '2025-10-01' and f.response_id is null";
    assert!(one(without).abs() < 0.5);
    let unasked = "select count(*) from follow_ups f left join surveys s using (response_id) \
                   where s.nps is null or s.nps in (7, 8) or s.answered_at < timestamp '2025-10-01'";
    assert!(one(unasked).abs() < 0.5);
    let done = by_key(
        "select case when cast(contacted_at as date) <= due_on then 'in time' when contacted_at is null then 'never' \
           else 'late' end as key, cast(count(*) as double) / (select count(*) from follow_ups) as value \
         from follow_ups group by 1",
    );
    assert!(done["in time"] > 0.7 && done["late"] < 0.15, "{done:?}");
    let overdue = by_key(
        "select case when office = 'Seattle' then 'Seattle' else 'others' end as key, \
           avg(case when status = 'open' and due_on < date '2026-10-06' then 1.0 else 0.0 end) as value \
         from follow_ups f join surveys s using (response_id) join offices o on o.office_id = f.office_id \
         where kind = 'call detractor' and s.answered_at >= timestamp '2026-07-01' group by 1",
    );
    assert!(overdue["Seattle"] > 0.6 && overdue["others"] < 0.1, "{overdue:?}");
}

#[test]
fn partners_tell_of_response_time_two_months_before_customers_do() {
    let share = |table: &str, at: &str| {
        let periods = by_key(&format!(
            "select case when {at} < timestamp '2026-05-01' then 'before' when {at} < timestamp '2026-07-01' then 'turn' \
               else 'after' end as key, avg(case when theme = 'response time' then 1.0 else 0.0 end) as value \
             from {table} join offices using (office_id) \
             where region = 'NA' and theme is not null and {at} >= timestamp '2026-01-01' group by 1"
        ));
        ["before", "turn", "after"].map(|period| periods[period])
    };
    let [before, turn, after] = share("partner_surveys", "answered_at");
    assert!(before < 0.2 && turn > 0.35 && after > 0.28, "{before} {turn} {after}");
    let customers = "(select * from field_feedback where partner_id is null)";
    let [before, turn, after] = share(customers, "captured_at");
    assert!(before < 0.2 && turn < 0.2 && after > 0.3, "{before} {turn} {after}");
    let strangers = "select count(*) from (select partner_id from field_feedback where partner_id is not null \
                     except select partner_id from partner_surveys)";
    assert!(one(strangers).abs() < 0.5);
}

#[test]
fn quality_inside_goes_with_what_customers_think_but_for_the_planted_cells() {
    let together = "with inside as (select office_id, avg(score - target) as score from operations group by 1), \
                    outside as (select office_id, avg(case when nps >= 9 then 100.0 when nps <= 6 then -100.0 else 0.0 end) \
                      as nps from surveys where nps is not null group by 1) \
                    select corr(score, nps) from inside join outside using (office_id)";
    assert!(one(together) > 0.8, "{}", one(together));
    for (office, touchpoint) in story::WATERMELONS {
        let red = format!(
            "select count(*) from operations join offices using (office_id) \
             where office = '{office}' and touchpoint = '{touchpoint}' and score < target"
        );
        assert!(one(&red).abs() < 0.5, "{office} {touchpoint}");
    }
    let red = by_key(
        "select office || ', ' || touchpoint as key, max(score - target) as value from operations \
         join offices using (office_id) where region = 'EMEA' group by 1 having max(score - target) < 0",
    );
    let (office, touchpoint) = story::HIDDEN_GEM;
    assert_eq!(red.keys().collect::<Vec<_>>(), [&format!("{office}, {touchpoint}")]);
    let satisfied = |office: &str, touchpoint: &str, days: &str| {
        one(&format!(
            "select avg(case when csat >= 4 then 1.0 else 0.0 end) from surveys join offices using (office_id) \
             where office = '{office}' and touchpoint = '{touchpoint}' and csat is not null and {days}"
        ))
    };
    assert!(satisfied(office, touchpoint, "sent_at >= timestamp '2025-10-01'") > 0.75);
    let before =
        satisfied("Seattle", "phone call", "sent_at between timestamp '2025-01-01' and timestamp '2026-01-01'");
    let since = satisfied("Seattle", "phone call", "sent_at >= timestamp '2026-01-01'");
    assert!(before > 0.75 && since < 0.6, "{before} {since}");
}

#[test]
fn assessments_show_who_overrates_itself_who_listens_and_who_improved() {
    let gaps = by_key(
        "select office || ' ' || extract(year from round) as key, avg(case when rater = 'self' then score end) \
           - avg(case when rater = 'customer panel' then score end) as value \
         from assessments join offices using (office_id) group by 1",
    );
    let overrated: Vec<&String> = gaps.iter().filter(|(_, gap)| **gap > 1.0).map(|(office, _)| office).collect();
    assert_eq!(overrated, ["Chicago 2025", "Chicago 2026"], "{gaps:?}");
    assert_eq!(story::OVERRATED_OFFICE, "Chicago");
    let best = rows(
        "select region, competency from assessments join offices using (office_id) where rater = 'customer panel' \
         group by 1, 2 order by avg(score) desc limit 1",
    );
    assert_eq!((text(&best[0], "region"), text(&best[0], "competency")), ("EMEA", "listening"));
    let lowest = rows(
        "with of as (select office_id, competency, avg(score) as score from assessments group by 1, 2), \
         ranked as (select *, row_number() over (partition by office_id order by score) as place from of) \
         select competency, count(*) as offices from ranked where place = 1 group by 1",
    );
    assert_eq!(lowest.len(), 1, "{lowest:?}");
    assert_eq!((text(&lowest[0], "competency"), lowest[0]["offices"].as_u64()), ("follow-through", Some(31)));
    let below = by_key(
        "select region as key, avg(score - benchmark) as value from assessments join offices using (office_id) \
         where competency = 'follow-through' and rater = 'customer panel' group by 1",
    );
    assert!(below["NA"] < -0.3 && below["EMEA"] > 0.0 && below["APAC"] > 0.0, "{below:?}");
    let better = by_key(
        "select office as key, avg(case when round = date '2026-09-01' then score end) \
           - avg(case when round = date '2025-09-01' then score end) as value \
         from assessments join offices using (office_id) group by 1",
    );
    let improved: Vec<&String> = better.iter().filter(|(_, change)| **change > 0.4).map(|(office, _)| office).collect();
    assert_eq!(improved, [story::IMPROVED_OFFICE], "{better:?}");
}

#[test]
fn six_initiatives_are_stale_four_cost_too_much_and_two_changed_something() {
    let stale = "select count(*) from initiatives where status = 'in progress' and updated_on < date '2026-08-07'";
    assert!((one(stale) - 6.0).abs() < 0.5);
    assert!((one("select count(*) from initiatives where spent > budget") - 4.0).abs() < 0.5);
    let impossible = "select count(*) from initiatives where (closed_on is not null) <> (status in ('done', 'stopped')) \
                      or due_on <= started_on or updated_on >= date '2026-10-06' or (status = 'planned') <> (spent = 0)";
    assert!(one(impossible).abs() < 0.5);
    assert!((one("select count(distinct title) from initiatives") - 40.0).abs() < 0.5);
    let seattle = by_key(&format!(
        "select case when sent_at < timestamp '2026-01-05' then 'before' else 'after' end as key, \
           avg(case when nps >= 9 then 100.0 when nps <= 6 then -100.0 else 0.0 end) as value \
         from surveys s join initiatives i on i.office_id = s.office_id and i.title = '{}' \
         where survey_type = 'pulse' and nps is not null and i.started_on = date '2026-01-05' \
           and sent_at >= timestamp '2025-04-01' group by 1",
        story::SEATTLE_INITIATIVE
    ));
    assert!(seattle["before"] - seattle["after"] > 10.0, "{seattle:?}");
    let emea =
        rows(&format!("select region, status, closed_on from initiatives where title = '{}'", story::EMEA_INITIATIVE));
    assert_eq!((text(&emea[0], "region"), text(&emea[0], "status")), ("EMEA", "done"));
    assert!(text(&emea[0], "closed_on") < "2026-04-01");
}

#[test]
fn the_yen_falls_and_the_euro_rises_and_every_office_has_a_rate_for_every_month() {
    let moved = by_key(
        "select a.currency as key, b.average_rate / a.average_rate - 1 as value from fx_rates a \
         join fx_rates b on b.currency = a.currency and b.period = date '2026-09-01' where a.period = date '2026-01-01'",
    );
    for (currency, planned) in story::CURRENCY_MOVES {
        assert!((moved[currency] - planned).abs() < 0.01, "{moved:?}");
    }
    assert!(moved["USD"].abs() < 1e-9);
    let without = "select count(*) from offices o join countries c on c.country = o.country \
                   cross join (select distinct period from cost_per_touch) p \
                   left join fx_rates r on r.currency = c.currency and r.period = p.period where r.currency is null";
    assert!(one(without).abs() < 0.5);
    assert!((one("select count(*) from offices o join countries c on c.country = o.country") - 31.0).abs() < 0.5);
}

#[test]
fn the_codebook_finds_the_theme_of_every_note_and_its_first_version_misses_sponsors() {
    let right = by_key(
        "with found as (select version, theme, label from field_feedback join codebook on case when kind = 'phrase' \
             then strpos(lower(text), lower(match)) > 0 else regexp_like(text, match, 'i') end \
             group by version, feedback_id, theme, label) \
         select 'version ' || version as key, cast(sum(case when theme = label then 1 else 0 end) as double) \
           / (select count(*) from field_feedback) as value from found group by 1",
    );
    assert!(right["version 2"] > 0.99 && (0.85..0.97).contains(&right["version 1"]), "{right:?}");
    let wrong = "select count(*) from field_feedback join codebook on case when kind = 'phrase' \
                   then strpos(lower(text), lower(match)) > 0 else regexp_like(text, match, 'i') end \
                 where theme <> label";
    assert!(one(wrong).abs() < 0.5);
    let foreign = by_key(
        "select 'version ' || version as key, cast(count(distinct response_id) as double) as value from surveys \
         join codebook on case when kind = 'phrase' then strpos(lower(comment), lower(match)) > 0 \
           else regexp_like(comment, match, 'i') end \
         where language <> 'en' group by 1",
    );
    assert!(foreign["version 2"] > 50.0 && !foreign.contains_key("version 1"), "{foreign:?}");
}
