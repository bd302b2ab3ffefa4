#!/usr/bin/env bash
# The race as the lake grows: benches/peers/growth.sh FOLDER SCALE... runs cxlake and DuckDB on a lake of each scale, by month as
# `cxlake generate` writes it, keeps the runs and draws time and memory for each row of the lake into docs/. FOLDER keeps the lakes;
# scale 38 is a million invitations. Runs of the same day are not made again.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
data=$(realpath "$1")
shift
runs=$here/../runs/$(date +%F)-$(nproc)-cores-growth
cxlake=${CXLAKE:-cxlake}
union=
for scale in "$@"; do
    rounds=3
    # A run of minutes needs no company to be told from noise.
    if [ "$scale" -gt 1000 ]; then rounds=1; fi
    if [ -f "$runs/$scale/hive/runs.csv" ]; then
        echo "scale $scale: taken from $runs" >&2
    else
        "$here/run.sh" --data "$data/$scale" --scale "$scale" --layout hive --engines cxlake,duckdb --rounds "$rounds" --timeout 600 \
            --keep "$runs/$scale" || echo "scale $scale: see what failed in $runs/$scale/hive/run.md" >&2
    fi
    counts=$(printf '(select count(*) from %s) + ' surveys touches cost_per_touch escalations field_feedback accounts)
    rows=$("$cxlake" --lake "$data/$scale/hive" --quiet --format csv -c "select $counts 0" | tail -n 1)
    union+="${union:+ union all by name }select $rows as rows, * from '$runs/$scale/hive/runs.csv'"
done

"$cxlake" --quiet -f - <<SQL
create view runs as $union;
create view medians as
    select
        rows, cast(round(rows / 1e6) as int) || ' million rows' as lake, engine, question,
        median(cast(query_ms as double)) as ms, median(cast(peak_mb as double)) as peak
    from runs
    where round > 0 and nullif(error, '') is null
    group by rows, engine, question;
-- Questions that both engines answered at every size.
create view compared as
    select *
    from medians m
    where (select count(*) from medians n where n.question = m.question) = (select count(distinct (rows, engine)) from medians);
\\o $here/../../docs/growth-time.svg
select lake, engine, round(exp(avg(ln(ms * 1e6 / rows))), 1) as "ns per row, geometric mean" from compared group by rows, lake, engine order by rows, engine
\\chart line lake "ns per row, geometric mean" engine
\\o $here/../../docs/growth-memory.svg
select lake, engine, round(exp(avg(ln(peak * 1e6 / rows))), 1) as "bytes per row at the peak, geometric mean" from compared group by rows, lake, engine order by rows, engine
\\chart line lake "bytes per row at the peak, geometric mean" engine
\\o
select lake, question,
    max(ms) filter (where engine = 'cxlake') as cxlake_ms, max(ms) filter (where engine = 'duckdb') as duckdb_ms,
    max(peak) filter (where engine = 'cxlake') as cxlake_mb, max(peak) filter (where engine = 'duckdb') as duckdb_mb
from medians
group by rows, lake, question order by rows, question;
SQL
