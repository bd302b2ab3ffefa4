-- +++
-- name = "journey-scorecard"
-- title = "The customer's journey, stage by stage"
-- description = """
-- What customers answer, what staff hear of them and what they escalate, by stage of the journey and region, in a \
-- window of months and against as many months before. CSAT is the share of answers of 4 and 5, NPS promoters less \
-- detractors in points, CES the mean of 1 to 7 (7: no effort); blanks are no answers, and each question has its own \
-- n. Transactional surveys alone ask for CES. Stages are held against the other stages of the same region on the \
-- measure `worst_by`: the lowest is marked, and it says whether that is beyond chance (z of -1.96 or less against \
-- the others). Below the minimum base a score is withheld and the stage is not marked. Partners' notes are not \
-- counted."""
-- tags = ["journey", "surveys", "monthly"]
-- grain = ["region", "journey_stage"]
-- uses = ["survey-invitations"]
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month, by the day of the answer, note or opening (UTC)"
--
-- [params.months]
-- type = "int"
-- default = 6
-- min = 1
-- max = 24
-- description = "length of the window in months, and of the one before"
--
-- [params.survey_types]
-- type = "list<text>"
-- default = "all"
-- values = ["relationship", "transactional", "pulse", "milestone", "executive"]
-- description = "surveys that count; stages differ in which of them they get, so choose one to compare like with like"
--
-- [params.worst_by]
-- type = "text"
-- default = "csat"
-- values = ["csat", "nps"]
-- description = "the measure by which the worst stage of a region is found"
--
-- [params.regions]
-- type = "list<text>"
-- default = "all"
-- values = ["All", "NA", "EMEA", "APAC"]
--
-- [params.min_base]
-- type = "int"
-- default = 20
-- min = 1
-- description = "fewest answers or notes for which a score is shown"
--
-- [columns]
-- region = { title = "Region" }
-- journey_stage = { title = "Stage" }
-- worst = { title = "Worst", description = "the region's lowest stage by the measure `worst_by`" }
-- csat_n = { title = "CSAT n", format = "#,##0" }
-- csat = { title = "CSAT", format = "0%", good = "up", description = "share of 4 and 5" }
-- csat_change = { title = "Change (points)", format = "+0", good = "up" }
-- nps_n = { title = "NPS n", format = "#,##0" }
-- nps = { title = "NPS", format = "+0", good = "up" }
-- nps_change = { title = "Change (points)", format = "+0", good = "up" }
-- ces_n = { title = "CES n", format = "#,##0" }
-- ces = { title = "CES", format = "0.00", good = "up" }
-- ces_change = { title = "Change", format = "+0.00", good = "up" }
-- notes = { title = "Notes", format = "#,##0", description = "field staff's, about accounts" }
-- negative_share = { title = "Negative", format = "0%", good = "down" }
-- negative_change = { title = "Change (points)", format = "+0", good = "down" }
-- escalations = { title = "Escalations", format = "#,##0", good = "down" }
-- escalations_change = { title = "Change", format = "+0", good = "down" }
-- stage_z = { title = "z", format = "+0.0", description = "of the stage against the region's other stages, on the measure `worst_by`" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "heatmap"
-- x = "journey_stage"
-- y = "region"
-- color = "csat"
-- +++
with bounds as (
    select
        cast($to as date) - cast(concat(2 * $months - 1, ' months') as interval) as first_day_before,
        cast($to as date) - cast(concat($months - 1, ' months') as interval) as first_day,
        cast($to as date) + interval '1 month' as end_day
),
-- Answers, notes and escalations one below the other: what somebody said, where, when, and of what kind.
events as (
    select region, journey_stage, answered_at as at, 'answer' as kind, nps, csat, ces, false as is_negative
    from "survey-invitations"
    where survey_type = any($survey_types)
    union all
    select o.region, f.journey_stage, f.captured_at as at, 'note' as kind, null, null, null, f.sentiment = 'negative'
    from field_feedback f
    join offices o on o.office_id = f.office_id
    where f.account_id is not null
    union all
    select o.region, e.journey_stage, e.opened_at as at, 'escalation' as kind, null, null, null, false
    from escalations e
    join offices o on o.office_id = e.office_id
),
timed as (
    select e.*, e.at >= b.first_day as is_now
    from events e
    cross join bounds b
    where e.at >= b.first_day_before
      and e.at < b.end_day
),
counted as (
    select
        case when grouping(region) = 1 then 'All' else region end as region,
        journey_stage,
        count(csat) filter (where is_now) as csat_n,
        count(csat) filter (where not is_now) as csat_n_before,
        count(*) filter (where is_now and csat >= 4) as satisfied,
        count(*) filter (where not is_now and csat >= 4) as satisfied_before,
        count(nps) filter (where is_now) as nps_n,
        count(nps) filter (where not is_now) as nps_n_before,
        count(*) filter (where is_now and nps >= 9) as promoters,
        count(*) filter (where is_now and nps <= 6) as detractors,
        count(*) filter (where not is_now and nps >= 9) as promoters_before,
        count(*) filter (where not is_now and nps <= 6) as detractors_before,
        count(ces) filter (where is_now) as ces_n,
        count(ces) filter (where not is_now) as ces_n_before,
        avg(ces) filter (where is_now) as ces,
        avg(ces) filter (where not is_now) as ces_before,
        count(*) filter (where is_now and kind = 'note') as notes,
        count(*) filter (where not is_now and kind = 'note') as notes_before,
        count(*) filter (where is_now and is_negative) as negative,
        count(*) filter (where not is_now and is_negative) as negative_before,
        count(*) filter (where is_now and kind = 'escalation') as escalations,
        count(*) filter (where not is_now and kind = 'escalation') as escalations_before
    from timed
    group by grouping sets ((journey_stage), (region, journey_stage))
),
scored as (
    select
        *,
        case when csat_n >= $min_base then cast(satisfied as double) / csat_n end as csat,
        case when csat_n_before >= $min_base then cast(satisfied_before as double) / csat_n_before end as csat_before,
        case when nps_n >= $min_base then 100.0 * (promoters - detractors) / nps_n end as nps,
        case when nps_n_before >= $min_base then 100.0 * (promoters_before - detractors_before) / nps_n_before end
            as nps_before,
        case when notes >= $min_base then cast(negative as double) / notes end as negative_share,
        case when notes_before >= $min_base then cast(negative_before as double) / notes_before end
            as negative_share_before
    from counted
),
-- An answer is worth 1, 0 or -1 (CSAT: 1 or 0); a stage is held against the region's other stages.
against_others as (
    select
        *,
        case $worst_by when 'csat' then csat else nps end as judged_by,
        case $worst_by when 'csat' then csat_n else nps_n end as own_n,
        case $worst_by when 'csat' then satisfied else promoters end as own_up,
        case $worst_by when 'csat' then 0 else detractors end as own_down,
        sum(case $worst_by when 'csat' then csat_n else nps_n end) over (partition by region) as all_n,
        sum(case $worst_by when 'csat' then satisfied else promoters end) over (partition by region) as all_up,
        sum(case $worst_by when 'csat' then 0 else detractors end) over (partition by region) as all_down
    from scored
),
shares as (
    select
        *,
        (own_up - own_down) / cast(nullif(own_n, 0) as double) as own_mean,
        (all_up - own_up - all_down + own_down) / cast(nullif(all_n - own_n, 0) as double) as other_mean,
        -- The variance of one answer when the stage makes no difference.
        cast(all_up + all_down as double) / nullif(all_n, 0)
            - power(cast(all_up - all_down as double) / nullif(all_n, 0), 2) as variance
    from against_others
),
tested as (
    select
        *,
        case
            when judged_by is not null and all_n - own_n >= $min_base
            then (own_mean - other_mean)
                / nullif(sqrt(variance * (1.0 / own_n + 1.0 / (all_n - own_n))), 0)
        end as stage_z,
        row_number() over (partition by region order by judged_by nulls last, journey_stage) as lowest_first
    from shares
)
select
    region,
    journey_stage,
    case
        when lowest_first > 1 or stage_z is null then null
        when stage_z <= -1.96 then 'worst'
        else 'worst, within chance'
    end as worst,
    csat_n,
    csat,
    100 * (csat - csat_before) as csat_change,
    nps_n,
    nps,
    nps - nps_before as nps_change,
    ces_n,
    case when ces_n >= $min_base then ces end as ces,
    case when ces_n >= $min_base and ces_n_before >= $min_base then ces - ces_before end as ces_change,
    notes,
    negative_share,
    100 * (negative_share - negative_share_before) as negative_change,
    escalations,
    escalations - escalations_before as escalations_change,
    stage_z,
    case
        when csat is null and nps is null then 'CSAT and NPS: base too small'
        when csat is null then 'CSAT: base too small'
        when nps is null then 'NPS: base too small'
    end as note
from tested
where region = any($regions)
order by
    case region when 'All' then 0 when 'NA' then 1 when 'EMEA' then 2 else 3 end,
    case journey_stage
        when 'onboarding' then 1
        when 'adoption' then 2
        when 'support' then 3
        when 'expansion' then 4
        when 'renewal' then 5
        else 6
    end,
    journey_stage
