#!/usr/bin/env bash
# Keeps the last run of the benchmarks in benches/runs/DATE-MACHINE/: run.md, results.csv, samples.csv.
# Call: benches/keep.sh MACHINE ["a note for run.md"], MACHINE being a word such as 2-cores.
set -euo pipefail

machine=${1:?a word for the machine, such as 2-cores}
note=${2:-}
cd "$(dirname "$0")/.."
criterion=${CRITERION_HOME:-${CARGO_TARGET_DIR:-target}/criterion}
[ -d "$criterion" ] || { echo "no run in $criterion: call cargo bench first" >&2; exit 1; }
kept=benches/runs/$(date +%F)-$machine
mkdir -p "$kept"

# The field of the machine's description in /proc that has this name.
of_machine() { awk -F: -v name="$2" '$1 ~ "^" name { sub(/^ +/, "", $2); print $2; exit }' "$1"; }
# The version of a package in Cargo.lock.
locked() { awk -v name="name = \"$1\"" '$0 == name { getline; gsub(/version = |"/, ""); print; exit }' Cargo.lock; }

median='.*"median":\{"confidence_interval":\{"confidence_level":[^,]*,"lower_bound":([^,]*),"upper_bound":([^}]*)\}'
echo "name,median_ms,low_ms,high_ms" > "$kept/results.csv"
echo "name,calls,total_ms" > "$kept/samples.csv"
find "$criterion" -path '*/new/benchmark.json' | sort | while read -r file; do
    name=$(sed -E 's/.*"full_id":"([^"]*)".*/\1/' "$file")
    sed -E "s/$median,\"point_estimate\":([^,]*),.*/\3,\1,\2/" "${file%/*}/estimates.json" |
        awk -F, -v name="$name" '{ printf "%s,%.2f,%.2f,%.2f\n", name, $1 / 1e6, $2 / 1e6, $3 / 1e6 }' >> "$kept/results.csv"
    sed -E 's/.*"iters":\[([^]]*)\],"times":\[([^]]*)\].*/\1;\2/' "${file%/*}/sample.json" |
        awk -F';' -v name="$name" '{ n = split($1, calls, ","); split($2, times, ",")
            for (i = 1; i <= n; i++) printf "%s,%d,%.3f\n", name, calls[i], times[i] / 1e6 }' >> "$kept/samples.csv"
done

cat > "$kept/run.md" <<END
# Run of $(date +%F), $machine

- Command: \`cargo bench --bench whole_process\`
- Machine: $(nproc) cores, $(of_machine /proc/cpuinfo 'model name'), $(of_machine /proc/meminfo MemTotal | awk '{ printf "%.1f GiB", $1 / 1048576 }') of memory
- Versions: $(rustc --version | cut -d' ' -f1-2), cxlake $(locked cxlake), datafusion $(locked datafusion), criterion $(locked criterion)
- Commit: $(git rev-parse --short HEAD)$([ -z "$(git --no-optional-locks status --porcelain src Cargo.lock)" ] || echo ', with changes not yet in it')
${note:+
$note
}
Medians in milliseconds, with the bounds of their 95 % confidence interval:

| Call | Median | Low | High |
| --- | ---: | ---: | ---: |
$(tail -n +2 "$kept/results.csv" | sed 's/,/ | /g; s/.*/| & |/')
END
echo "kept in $kept"
