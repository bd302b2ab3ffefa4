-- +++
-- name = "health-backtest"
-- title = "Does the health score find accounts that leave?"
-- description = """
-- Health, its band and each component alone, scored some days before accounts left, against accounts that stayed. \
-- AUC is the chance that an account that left scored lower than one that stayed, ties half (Mann and Whitney): 0.5 \
-- is a coin, 1 finds all. Its interval is Hanley and McNeil's (1982). The confusion matrix takes a score below the \
-- cut-off as the alarm, and for the band that it was at risk. Unknown accounts are in neither and counted apart. \
-- Precision holds for the share of accounts that left as it is here. With few that left, a difference of AUC within \
-- the intervals is none. Choose churn_reasons to see which signal finds which kind of leaving."""
-- tags = ["health", "quality"]
-- grain = ["signal"]
-- uses = ["health-backtest-accounts"]
--
-- [params.confidence]
-- type = "float"
-- default = 0.95
-- min = 0.5
-- max = 0.999
-- description = "probability that the interval covers the AUC of all such accounts"
--
-- [columns]
-- signal = { title = "Signal" }
-- n_left = { title = "n left", format = "#,##0", description = "accounts that left and had a score" }
-- n_stayed = { title = "n stayed", format = "#,##0", description = "accounts that stayed and had a score" }
-- unknown_left = { title = "Left unknown", format = "#,##0", good = "down", description = "accounts that left without a score" }
-- unknown_stayed = { title = "Stayed unknown", format = "#,##0" }
-- auc = { title = "AUC", format = "0.00", good = "up" }
-- low = { title = "Low", format = "0.00" }
-- high = { title = "High", format = "0.00" }
-- caught = { title = "Caught", format = "#,##0", good = "up", description = "left, with an alarm before" }
-- missed = { title = "Missed", format = "#,##0", good = "down", description = "left without an alarm" }
-- false_alarms = { title = "False alarms", format = "#,##0", good = "down", description = "stayed, with an alarm" }
-- rightly_calm = { title = "Rightly calm", format = "#,##0", description = "stayed without an alarm" }
-- precision = { title = "Precision", format = "0%", good = "up", description = "of the alarms, the share that left" }
-- recall = { title = "Recall", format = "0%", good = "up", description = "of those who left with a score, the share with an alarm" }
-- false_alarm_rate = { title = "False alarm rate", format = "0%", good = "down", description = "of those who stayed with a score, the share with an alarm" }
--
-- [[chart]]
-- type = "dot"
-- x = "auc"
-- y = "signal"
-- low = "low"
-- high = "high"
-- +++
with signals(place, signal) as (
    values
        (1, 'health'),
        (2, 'band'),
        (3, 'relationship'),
        (4, 'satisfaction'),
        (5, 'effort'),
        (6, 'field feedback'),
        (7, 'engagement')
),
scored as (
    select
        s.place,
        s.signal,
        a.outcome = 'left' as has_left,
        case s.signal
            when 'health' then a.health
            -- Bands in their order, so that they can be ranked.
            when 'band' then case a.band when 'at risk' then 0.0 when 'watch' then 1.0 when 'healthy' then 2.0 end
            when 'relationship' then a.relationship
            when 'satisfaction' then a.satisfaction
            when 'effort' then a.effort
            when 'field feedback' then a.field_feedback
            else a.engagement
        end as score,
        a.band
    from signals s
    cross join "health-backtest-accounts" a
),
alarmed as (
    select
        *,
        case when signal = 'band' then band = 'at risk' else score < $cut_off end as is_alarm
    from scored
),
ranked as (
    select
        *,
        -- Those with the same score share the mean of the ranks that they take up.
        rank() over (partition by signal, score is not null order by score)
            + (count(*) over (partition by signal, score) - 1) / 2.0 as score_rank
    from alarmed
),
counted as (
    select
        place,
        signal,
        count(score) filter (where has_left) as n_left,
        count(score) filter (where not has_left) as n_stayed,
        count(*) filter (where has_left and score is null) as unknown_left,
        count(*) filter (where not has_left and score is null) as unknown_stayed,
        sum(score_rank) filter (where has_left and score is not null) as ranks_left,
        count(*) filter (where has_left and is_alarm) as caught,
        count(*) filter (where has_left and not is_alarm and score is not null) as missed,
        count(*) filter (where not has_left and is_alarm) as false_alarms,
        count(*) filter (where not has_left and not is_alarm and score is not null) as rightly_calm
    from ranked
    group by place, signal
),
measured as (
    select
        *,
        1 - (ranks_left - n_left * (n_left + 1) / 2.0) / nullif(cast(n_left as double) * n_stayed, 0) as auc
    from counted
),
spread as (
    select
        *,
        sqrt((
            auc * (1 - auc)
            + (n_left - 1) * (auc / (2 - auc) - auc * auc)
            + (n_stayed - 1) * (2 * auc * auc / (1 + auc) - auc * auc)
        ) / (cast(n_left as double) * n_stayed)) as standard_error
    from measured
),
-- How many standard errors an interval reaches.
reach as (
    select z_value($confidence) as z
)
select
    signal,
    n_left,
    n_stayed,
    unknown_left,
    unknown_stayed,
    auc,
    greatest(auc - z * standard_error, 0.0) as low,
    least(auc + z * standard_error, 1.0) as high,
    caught,
    missed,
    false_alarms,
    rightly_calm,
    cast(caught as double) / nullif(caught + false_alarms, 0) as precision,
    cast(caught as double) / nullif(n_left, 0) as recall,
    cast(false_alarms as double) / nullif(n_stayed, 0) as false_alarm_rate
from spread
cross join reach
order by place
