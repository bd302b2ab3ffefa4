-- How comments begin: the twenty commonest first twenty characters, of many languages.
select left(comment, 20) as beginning, count(*) as comments, avg(cast(nps as double)) as mean_nps
from surveys
where comment is not null
group by left(comment, 20)
order by comments desc, beginning
limit 20
