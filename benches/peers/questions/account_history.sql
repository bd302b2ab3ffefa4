-- Everything that one account was asked and said, in order: few rows out of twenty million, many columns.
select
    response_id, sent_at, answered_at, survey_type, journey_stage, touchpoint, contact_id, contact_role, nps, csat, ces, weight,
    comment, language
from surveys
where account_id = '228017'
order by sent_at, response_id
