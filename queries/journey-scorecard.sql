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
-- values = ["NA", "EMEA", "APAC"]
-- description = "regions to show; All, which is their sum, stands beside all three"
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
-- csat = { title = "CSAT", format = "0%", good = "up", missing = "note", description = "share of 4 and 5" }
-- csat_change = { title = "CSAT change", format = "+0", good = "up", missing = "note", description = "in percentage points" }
-- nps_n = { title = "NPS n", format = "#,##0" }
-- nps = { title = "NPS", format = "+0", good = "up", missing = "note" }
-- nps_change = { title = "NPS change", format = "+0", good = "up", missing = "note" }
-- ces_n = { title = "CES n", format = "#,##0" }
-- ces = { title = "CES", format = "0.00", good = "up", missing = "note" }
-- ces_change = { title = "CES change", format = "+0.00", good = "up", missing = "note" }
-- notes = { title = "Notes", format = "#,##0", description = "field staff's, about accounts" }
-- negative_share = { title = "Negative", format = "0%", good = "down", missing = "note" }
-- negative_change = { title = "Its change", format = "+0", good = "down", missing = "note", description = "in percentage points" }
-- escalations = { title = "Escalations", format = "#,##0", good = "down" }
-- escalations_change = { title = "Their change", format = "+0", good = "down", missing = "note", description = "none where surveys, notes and escalations do not all reach back over the window before" }
-- stage_z = { title = "z", format = "+0.0", description = "of the stage against the region's other stages, on the measure `worst_by`" }
-- note = { title = "Note" }
--
-- [[chart]]
-- type = "heatmap"
-- x = "journey_stage"
-- y = "region"
-- color = "csat"
-- total = "All"
-- +++
-- Answers, notes and escalations one below the other: what somebody said, where, when, and of what kind.
with events as (
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
    select *, at >= cast($to as date) - cast(concat($months - 1, ' months') as interval) as is_now
    from events
    where at >= cast($to as date) - cast(concat(2 * $months - 1, ' months') as interval)
      and at < cast($to as date) + interval '1 month'
),
-- A count over months that are not on record would be too small in silence. Single escalations may be older than the
-- records as a whole, so that surveys and notes have a say as well.
records as (
    select date_trunc('month', greatest(e.first_at, f.first_at, s.first_at)) as first_month
    from (select min(opened_at) as first_at from escalations) e
    cross join (select min(captured_at) as first_at from field_feedback) f
    cross join (select min(sent_at) as first_at from surveys) s
),
stages(place, stage) as (
    values (1, 'onboarding'), (2, 'adoption'), (3, 'support'), (4, 'expansion'), (5, 'renewal')
),
-- Every event is held against every stage: its own, or one of the others.
held_against as (
    select t.*, s.place, s.stage, t.journey_stage = s.stage as is_own
    from stages s
    cross join timed t
),
counted as (
    select
        case when grouping(region) = 1 then 'All' else region end as region,
        place,
        stage as journey_stage,
        csat_stats(csat) filter (where is_own and is_now) as csat,
        csat_stats(csat) filter (where is_own and not is_now) as csat_before,
        csat_stats(csat) filter (where not is_own and is_now) as csat_others,
        nps_stats(nps) filter (where is_own and is_now) as nps,
        nps_stats(nps) filter (where is_own and not is_now) as nps_before,
        nps_stats(nps) filter (where not is_own and is_now) as nps_others,
        ces_stats(ces) filter (where is_own and is_now) as ces,
        ces_stats(ces) filter (where is_own and not is_now) as ces_before,
        share_stats(is_negative) filter (where is_own and is_now and kind = 'note') as negative,
        share_stats(is_negative) filter (where is_own and not is_now and kind = 'note') as negative_before,
        count(*) filter (where is_own and is_now and kind = 'escalation') as escalations,
        count(*) filter (where is_own and not is_now and kind = 'escalation') as escalations_before
    from held_against
    group by grouping sets ((place, stage), (region, place, stage))
),
scored as (
    select
        region,
        place,
        journey_stage,
        csat['n'] as csat_n,
        case when csat['n'] >= $min_base then csat['csat'] end as csat,
        case when csat_before['n'] >= $min_base then csat_before['csat'] end as csat_before,
        nps['n'] as nps_n,
        case when nps['n'] >= $min_base then nps['nps'] end as nps,
        case when nps_before['n'] >= $min_base then nps_before['nps'] end as nps_before,
        ces['n'] as ces_n,
        case when ces['n'] >= $min_base then ces['mean'] end as ces,
        case when ces_before['n'] >= $min_base then ces_before['mean'] end as ces_before,
        negative['n'] as notes,
        case when negative['n'] >= $min_base then negative['share'] end as negative_share,
        case when negative_before['n'] >= $min_base then negative_before['share'] end as negative_share_before,
        escalations,
        escalations_before,
        case
            when $worst_by = 'csat' and least(csat['n'], csat_others['n']) >= $min_base
                then share_test(csat, csat_others)['z']
            when $worst_by = 'nps' and least(nps['n'], nps_others['n']) >= $min_base
                then nps_test(nps, nps_others)['z']
        end as stage_z
    from counted
),
placed as (
    select
        *,
        row_number() over (
            partition by region order by case $worst_by when 'csat' then csat else nps end nulls last, journey_stage
        ) as lowest_first,
        concat_ws(
            ', ',
            case when csat is null then 'CSAT' end,
            case when nps is null then 'NPS' end,
            case when ces is null then 'CES' end,
            case when negative_share is null then 'notes' end
        ) as too_few,
        -- What is too few now needs no other reason.
        concat_ws(
            ', ',
            case when csat is not null and csat_before is null then 'CSAT' end,
            case when nps is not null and nps_before is null then 'NPS' end,
            case when ces is not null and ces_before is null then 'CES' end,
            case when negative_share is not null and negative_share_before is null then 'notes' end
        ) as too_few_before
    from scored
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
    ces,
    ces - ces_before as ces_change,
    notes,
    negative_share,
    100 * (negative_share - negative_share_before) as negative_change,
    escalations,
    case
        when r.first_month <= cast($to as date) - cast(concat(2 * $months - 1, ' months') as interval)
            then escalations - escalations_before
    end as escalations_change,
    stage_z,
    nullif(
        concat_ws(
            '; ',
            case when too_few <> '' then concat(too_few, ': base too small') end,
            case when too_few_before <> '' then concat(too_few_before, ' before: base too small') end,
            case
                when r.first_month > cast($to as date) - cast(concat(2 * $months - 1, ' months') as interval)
                    then 'escalations before: not on record in full'
            end
        ),
        ''
    ) as note
from placed
cross join records r
where region = any($regions)
   or (region = 'All' and array_length($regions) = 3)
order by
    case region when 'All' then 0 when 'NA' then 1 when 'EMEA' then 2 else 3 end,
    place
