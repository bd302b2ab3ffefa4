-- +++
-- name = "inside-out"
-- title = "Inside-out against outside-in: what we measure and what customers say"
-- description = """
-- For every office and touchpoint that is measured inside: its own score against its target, beside what customers \
-- answered about the same touchpoint. Inside is the mean of the months, weighted by cases. Outside is the share of \
-- CSAT answers of 4 and 5, with its Wilson interval; where surveys ask NPS only, as in the app, it is NPS in points \
-- with its adjusted Wald interval. Green is on target or above. A watermelon is green inside and red outside, \
-- underrated the other way. Below the minimum base the outside and the verdict are withheld. Few answer about one \
-- touchpoint, and of some hundred pairs a few are out by chance: the office's NPS over all of its answers stands \
-- beside it, with the verdict that it would give, and those on which both agree come first. Touchpoints without an \
-- inner measure are not here."""
-- tags = ["operations", "surveys", "monthly"]
-- grain = ["office", "touchpoint"]
-- uses = ["survey-invitations"]
--
-- [params.from]
-- type = "month"
-- default = "this(year)"
-- description = "first month, of the measure and by the day of the answer (UTC); by default the fiscal year's first"
--
-- [params.to]
-- type = "month"
-- default = "last_complete(month)"
-- description = "last month"
--
-- [params.csat_target]
-- type = "float"
-- default = 70.0
-- min = 0
-- max = 100
-- description = "per cent of CSAT answers of 4 and 5 from which customers are green"
--
-- [params.nps_target]
-- type = "float"
-- default = 20.0
-- min = -100
-- max = 100
-- description = "NPS from which customers are green"
--
-- [params.min_base]
-- type = "int"
-- default = 10
-- min = 1
-- description = "fewest answers for which the outside is shown"
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "confidence of the intervals"
--
-- [params.offices]
-- type = "list<text>"
-- default = "all"
-- values_sql = "select office_id, office from offices order by office_id"
--
-- [params.verdicts]
-- type = "list<text>"
-- default = "all"
-- values = ["watermelon", "underrated", "both bad", "both good", "unknown"]
-- description = "verdicts to show, by the touchpoint's own answers"
--
-- [columns]
-- office = { title = "Office" }
-- touchpoint = { title = "Touchpoint" }
-- verdict = { title = "Verdict", description = "watermelon, underrated, both bad, both good, or unknown where too few answered" }
-- standing = { title = "Standing", description = "office agrees: its NPS gives the same verdict; clear: it does not, but the whole interval lies on that side of the target; else it may be chance" }
-- inside = { title = "Inside", format = "0.0", good = "up", description = "per cent of cases" }
-- outside = { title = "Outside", format = "0.0", good = "up", missing = "note", description = "per cent of 4 and 5, or NPS" }
-- n = { title = "n", format = "#,##0", description = "answers about the touchpoint" }
-- low = { title = "Low", format = "0.0" }
-- high = { title = "High", format = "0.0" }
-- inside_target = { title = "Inside target", format = "0.0" }
-- outside_target = { title = "Outside target", format = "0.0" }
-- region = { title = "Region" }
-- inside_measure = { title = "Measured inside" }
-- months_in = { title = "Months in", format = "0", description = "months with a measure" }
-- outside_measure = { title = "Asked outside" }
-- office_nps = { title = "Office NPS", format = "+0.0", good = "up" }
-- office_n = { title = "Office n", format = "#,##0", description = "answers to the question for NPS, whatever they are about" }
-- office_verdict = { title = "Verdict by office", description = "the inside of the touchpoint against the office's NPS" }
-- note = { title = "Note" }
-- csat = { title = "CSAT outside", format = "0.0", good = "up", missing = "no_csat", description = "the outside where it is CSAT: NPS is on another scale" }
-- no_csat = { title = "No CSAT", description = "why there is none" }
--
-- [[chart]]
-- type = "scatter"
-- title = "What customers say (CSAT) against what we measure"
-- x = "inside"
-- y = "csat"
-- color = "touchpoint"
-- label = "office"
-- +++
with measured as (
    select
        office_id,
        touchpoint,
        max(measure) as inside_measure,
        sum(score * volume) / nullif(sum(volume), 0) as inside,
        sum(target * volume) / nullif(sum(volume), 0) as inside_target,
        count(distinct period) as months_in
    from operations
    where period >= $from
      and period <= $to
    group by office_id, touchpoint
),
answers as (
    select office_id, touchpoint, csat, nps
    from "survey-invitations"
    where answered_at >= $from
      and answered_at < cast($to as date) + interval '1 month'
),
-- One outside for each touchpoint: CSAT wherever somebody was asked for it.
touchpoints as (
    select touchpoint, count(csat) > 0 as asks_csat
    from answers
    group by touchpoint
),
-- What an office's customers answered about anything, measured inside or not.
office_scores as (
    select office_id, count(nps) as office_n, nps(nps) as office_nps
    from answers
    group by office_id
),
stats as (
    select
        a.office_id,
        a.touchpoint,
        t.asks_csat,
        share_stats(satisfied(a.csat), confidence => $confidence) as csat,
        nps_stats(a.nps, confidence => $confidence) as nps
    from answers a
    join touchpoints t on t.touchpoint = a.touchpoint
    group by a.office_id, a.touchpoint, t.asks_csat
),
outsides as (
    select
        office_id,
        touchpoint,
        case when asks_csat then csat['n'] else nps['n'] end as n,
        case when asks_csat then 100 * csat['share'] else nps['nps'] end as outside,
        case when asks_csat then 100 * csat['low'] else nps['low'] end as low,
        case when asks_csat then 100 * csat['high'] else nps['high'] end as high
    from stats
),
-- Every pair that is measured: one without answers still knows what is asked and what its office scores.
compared as (
    select
        o.office_id,
        o.office,
        o.region,
        m.touchpoint,
        m.inside_measure,
        m.inside,
        m.inside_target,
        m.months_in,
        m.inside >= m.inside_target as is_green_inside,
        case when t.asks_csat then 'CSAT, 4 and 5' else 'NPS' end as outside_measure,
        case when t.asks_csat then $csat_target else $nps_target end as outside_target,
        coalesce(a.n, 0) as n,
        case when a.n >= $min_base then a.outside end as outside,
        case when a.n >= $min_base then a.low end as low,
        case when a.n >= $min_base then a.high end as high,
        coalesce(s.office_n, 0) as office_n,
        case when s.office_n >= $min_base then s.office_nps end as office_nps
    from measured m
    join offices o on o.office_id = m.office_id
    left join touchpoints t on t.touchpoint = m.touchpoint
    left join outsides a on a.office_id = m.office_id and a.touchpoint = m.touchpoint
    left join office_scores s on s.office_id = m.office_id
),
judged as (
    select
        *,
        case
            when outside is null then 'unknown'
            when is_green_inside and outside >= outside_target then 'both good'
            when is_green_inside then 'watermelon'
            when outside >= outside_target then 'underrated'
            else 'both bad'
        end as verdict,
        case
            when office_nps is null then 'unknown'
            when is_green_inside and office_nps >= $nps_target then 'both good'
            when is_green_inside then 'watermelon'
            when office_nps >= $nps_target then 'underrated'
            else 'both bad'
        end as office_verdict
    from compared
),
held as (
    select
        *,
        case
            when verdict = 'unknown' then null
            when verdict = office_verdict then 'office agrees'
            when low >= outside_target or high < outside_target then 'clear'
            else 'may be chance'
        end as standing
    from judged
)
select
    office,
    touchpoint,
    verdict,
    standing,
    inside,
    outside,
    n,
    low,
    high,
    inside_target,
    outside_target,
    region,
    inside_measure,
    months_in,
    outside_measure,
    office_nps,
    office_n,
    office_verdict,
    case
        when n = 0 then 'no answers'
        when n < $min_base then 'base too small'
    end as note,
    case when outside_measure <> 'NPS' then outside end as csat,
    case
        when outside_measure = 'NPS' then 'asked for NPS only'
        when n = 0 then 'no answers'
        when n < $min_base then 'base too small'
    end as no_csat
from held
where office_id = any($offices)
  and verdict = any($verdicts)
order by
    case verdict
        when 'watermelon' then 0
        when 'underrated' then 1
        when 'both bad' then 2
        when 'both good' then 3
        else 4
    end,
    case standing when 'office agrees' then 0 when 'clear' then 1 else 2 end,
    -- Rounded, so that equal distances are equal.
    round(abs(outside - outside_target), 6) desc,
    office,
    touchpoint
