-- What the processor is shown when a binary is built from profiles (build.sh): ordinary SQL over a generated lake, each kind of work at least
-- once. What is not here counts as rare and is built for size; the questions of the race and those of TPC-H are left out, so that both still say what
-- the build gains on statements that it has not seen.

-- Groups: few and many, of texts, numbers, days; sums, counts, extremes, averages, several at once.
select function, channel, count(*), sum(touches), avg(minutes), min(touches), max(minutes) from touches group by function, channel order by 1, 2;
select account_id, sum(minutes), count(distinct journey_stage) from touches group by account_id order by 2 desc, 1 limit 25;
select touches, count(*) from touches group by touches order by touches;
select journey_stage, touchpoint, avg(cast(csat as double)), stddev(ces), count(nps) from surveys group by all order by 1, 2;
select month, count(*) filter (where nps >= 9) - count(*) filter (where nps <= 6) as balance from surveys group by month having count(nps) > 10 order by month;
select region, function, sum(cost), sum(touches), sum(cost) / nullif(sum(touches), 0) from cost_per_touch join offices using (office_id) group by rollup (region, function) order by 1, 2;
select date_trunc('month', sent_at) as sent, survey_type, count(*), count(comment) from surveys group by 1, 2 order by 1, 2;
select cast(answered_at as date) as day, avg(nps) from surveys where answered_at is not null group by 1 order by 1;
select extract(hour from sent_at) as hour, extract(dow from sent_at) as weekday, count(*) from surveys group by 1, 2 order by 1, 2;
select contact_role, language, bool_and(nps > 3), bit_or(csat), string_agg(distinct touchpoint, ', ') from surveys group by 1, 2 order by 1, 2;
select office_id, array_agg(distinct severity order by severity) from escalations group by office_id order by office_id;
select count(distinct contact_id), count(distinct account_id), count(distinct response_id), approx_distinct(response_id) from surveys;
select office_id, median(minutes), percentile_cont(0.9) within group (order by minutes), mad(minutes) from touches group by office_id order by office_id;
select function, percentile_cont(0.25) within group (order by cost), median(cost), percentile_cont(0.75) within group (order by cost) from cost_per_touch group by function order by function;
select owner, var_samp(severity), corr(severity, date_part('day', opened_at)) from escalations group by owner order by owner limit 40;

-- Our own functions.
select office_id, nps_stats(nps), csat_stats(csat), ces(ces), share_stats(nps >= 9) from surveys group by office_id order by office_id;
select account_id, arg_max(nps, answered_at), arg_min(touchpoint, sent_at), weighted_median(csat, weight) from surveys group by account_id order by account_id limit 50;
select office_id, nps(nps, weight => weight), robust_z(avg(csat)) over () from surveys group by office_id, weight order by 1, 2, 3 limit 40;
select function, office_id, cost, median_excluding_self(cost) over (partition by function) from (select function, office_id, sum(cast(cost as double)) as cost from cost_per_touch group by 1, 2) order by 1, 2;
select code, count(*) from (select unnest(reason_codes(comment)) as code from surveys where comment is not null and month >= date '2026-07-01') group by code order by 2 desc, 1;
select sentiment(comment) > 0 as glad, count(*) from surveys where comment is not null and month >= date '2026-08-01' group by 1 order by 1;
select * from themes((select * from surveys where language = 'en' and comment is not null and month >= date '2026-06-01'), comment, touchpoint, person => contact_id);
select * from crosstab((select segment, tier from accounts), segment, tier);
select * from key_drivers((select nps, csat, ces from surveys), nps, csat, ces);
select * from segments((select account_id, annual_revenue, fte from accounts join offices using (office_id)), account_id, annual_revenue, fte);

-- Filters: ranges, lists, texts, patterns, blanks; some that leave out files and pages, some that nearly all rows pass.
select * from surveys where account_id = '000017' order by sent_at;
select response_id, comment from surveys where response_id in ('R000003-0001', 'R000005-0002', 'R000999-0001');
select count(*) from surveys where sent_at >= timestamp '2026-02-03 00:00:00' and sent_at < timestamp '2026-02-10 00:00:00';
select count(*) from surveys where comment like '%price%' or comment ilike '%Support%' or comment not like 'The%' and length(comment) > 60;
select count(*) from surveys where regexp_like(comment, '(slow|late) .*answer') or comment ~ '^[A-D]';
select count(*), sum(case when comment like '%team%' then 1 when comment like 'We %' then 2 else 0 end) from surveys where comment is not null;
select account_id, minutes from touches where channel = 'call' and minutes between 30 and 35 and function in ('sales', 'support') order by minutes desc, account_id limit 20;
select count(*) from touches where not (function = 'sales' or channel <> 'web') and touches > 2;
select office_id, posted_at, cost from cost_per_touch where cost > 5000 and not is_estimate and currency = 'USD' order by cost desc, posted_at limit 30;
select count(*) from field_feedback where severity >= 2 and (closed_at is null or closed_at - captured_at > interval '20 days');

-- The first rows of an order, and whole orders.
select response_id, answered_at, nps, comment from surveys where nps is not null order by answered_at desc, response_id limit 50;
select account_id, period, minutes from touches order by minutes desc, account_id, period limit 200 offset 100;
select office_id, posted_at, cost, row_number() over (order by cost desc, office_id, posted_at) as place from cost_per_touch order by place limit 40;
select distinct on (account_id) account_id, opened_at, severity from escalations order by account_id, opened_at desc;
select distinct office_id, journey_stage, touchpoint from surveys order by 1, 2, 3;

-- Windows.
select account_id, answered_at, nps, lag(nps) over w, avg(nps) over (w rows between 2 preceding and current row) from surveys where nps is not null window w as (partition by account_id order by answered_at, response_id) order by 1, 2, response_id limit 100;
select period, function, sum(cost), sum(sum(cost)) over (partition by function order by period), sum(cost) / sum(sum(cost)) over (partition by period) from cost_per_touch group by period, function order by 1, 2;
select * from (select account_id, nps, row_number() over (partition by account_id order by answered_at desc) as latest from surveys where nps is not null) where latest = 1 order by account_id limit 50;
select office_id, cost, rank() over (order by cost desc), ntile(4) over (order by cost), percent_rank() over (order by cost) from (select office_id, sum(cost) as cost from cost_per_touch group by office_id) order by 3, 1;
select account_id, first_value(function) over (partition by account_id order by period, minutes desc, function, channel, journey_stage) as began, count(*) over (partition by account_id) from touches order by 1, 2 limit 30;

-- Joins: small with large, large with large, of two keys, outer, semi, anti, of ranges, cross.
select accounts.segment, offices.region, count(*), avg(surveys.nps) from surveys join accounts using (account_id) join offices on offices.office_id = accounts.office_id group by 1, 2 order by 1, 2;
select accounts.account_id, accounts.annual_revenue, sum(touches.minutes) as minutes, max(escalations.severity) from accounts left join touches on touches.account_id = accounts.account_id left join (select account_id, max(severity) as severity from escalations group by account_id) as escalations on escalations.account_id = accounts.account_id group by 1, 2 order by minutes desc nulls last, 1 limit 40;
select count(*) from accounts where not exists (select 1 from escalations where escalations.account_id = accounts.account_id) and account_id in (select account_id from surveys where nps <= 6);
select count(*) from accounts where account_id not in (select account_id from field_feedback where account_id is not null);
select surveys.touchpoint, operations.period, avg(surveys.csat), avg(operations.score) from surveys join operations on operations.office_id = surveys.office_id and operations.touchpoint = surveys.touchpoint and operations.period = surveys.month group by 1, 2 order by 1, 2;
select root_cause, count(*), count(distinct surveys.contact_id) from escalations join surveys on surveys.account_id = escalations.account_id and surveys.sent_at between escalations.opened_at and escalations.opened_at + interval '60 days' group by root_cause order by root_cause;
select offices.office, functions.function, count(cost_per_touch.cost) from offices cross join (select distinct function from cost_per_touch) as functions left join cost_per_touch on cost_per_touch.office_id = offices.office_id and cost_per_touch.function = functions.function group by 1, 2 order by 1, 2;
select coalesce(a.office_id, b.office_id), a.n, b.n from (select office_id, count(*) as n from surveys group by 1) as a full join (select office_id, count(*) as n from field_feedback group by 1) as b on a.office_id = b.office_id order by 1;
with months as (select account_id, month, avg(nps) as nps from surveys where nps is not null group by 1, 2) select count(*), avg(later.nps - earlier.nps) from months as earlier join months as later on later.account_id = earlier.account_id and later.month > earlier.month;
select account_id, annual_revenue from accounts where annual_revenue > (select 3 * avg(annual_revenue) from accounts) order by 2 desc, 1 limit 20;
select owner, (select count(*) from escalations where escalations.account_id = accounts.account_id) as escalations from accounts order by 2 desc nulls last, 1 limit 20;

-- Sets, recursion, lists, structs, texts, numbers.
select account_id from surveys where nps = 10 intersect select account_id from escalations except select account_id from field_feedback where account_id is not null order by 1 limit 30;
select 'survey' as kind, office_id, count(*) from surveys group by office_id union all select 'note', office_id, count(*) from field_feedback group by office_id order by 1, 2;
with recursive days as (select date '2026-01-01' as day union all select day + interval '1 day' from days where day < date '2026-03-31') select count(*), min(day), max(day) from days;
select upper(touchpoint), replace(journey_stage, 'o', '0'), substr(comment, 1, 12), split_part(comment, ' ', 2), concat_ws('/', office_id, language), lower(trim(comment)), count(*) from surveys where comment is not null group by all order by 7 desc, 1, 2, 3, 4, 5, 6 limit 40;
select left(comment, 10) as beginning, count(*) from surveys where comment is not null group by 1 order by 2 desc, 1 limit 20;
select round(avg(cast(cost as double)), 2), sum(round(cost, 0)), min(abs(cost)), sum(cost * touches), avg(ln(1 + cast(cost as double))), sum(touches % 7), floor(avg(touches)) from cost_per_touch;
select value, value * 2 as twice, sqrt(value), cast(value as varchar) || ' rows' from generate_series(1, 200000);
select month, [min(nps), max(nps)] as extremes, struct(count(*) as n, avg(nps) as mean) as facts from surveys group by month order by month;
summarize surveys;
describe select * from touches;
explain select region, count(*) from surveys join offices using (office_id) group by region;

-- Files: written and read again in each form.
copy (select * from surveys where month >= date '2026-06-01') to 'made/surveys.parquet';
copy (select * from surveys where month >= date '2026-06-01') to 'made/surveys.csv';
copy (select response_id, office_id, nps, comment, sent_at from surveys where month >= date '2026-06-01') to 'made/surveys.json';
copy (select account_id, function, touches, minutes, period from touches order by account_id, period, function) to 'made/touches.parquet';
select office_id, count(*), avg(nps), max(sent_at) from 'made/surveys.csv' group by office_id order by office_id;
select office_id, count(*), avg(nps), count(comment) from 'made/surveys.json' group by office_id order by office_id;
select account_id, sum(minutes) from 'made/touches.parquet' group by account_id order by 2 desc, 1 limit 10;
select count(*), count(comment), avg(nps) from 'made/surveys.parquet' where office_id = 'O04';
