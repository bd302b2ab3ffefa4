-- NPS of each office over three months, moving by one: a window over monthly sums.
with monthly as (
    select
        office_id,
        month,
        count(nps) as answers,
        sum(case when nps >= 9 then 1 when nps <= 6 then -1 else 0 end) as balance
    from surveys
    where nps is not null
    group by office_id, month
)
select
    office_id,
    month,
    sum(answers) over last_three as answers_of_three,
    100.0 * sum(balance) over last_three / sum(answers) over last_three as nps_of_three
from monthly
window last_three as (partition by office_id order by month rows between 2 preceding and current row)
order by office_id, month
