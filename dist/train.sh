#!/usr/bin/env bash
# What a binary is shown whose profiles the next one is built from: dist/train.sh BINARY FOLDER. The folder is made, and holds a GB.
#
# The saved queries on the sample, where planning is most of the work, and on a lake of a dozen times its size, where reading and
# calculating are; statements of all kinds (statements.sql) on that lake before and after `optimize`; reports, checks and files.
set -euo pipefail

binary=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
statements=$(realpath "$(dirname "$0")")/statements.sql

ask() { "$binary" --quiet "$@" > "$folder/out"; }

saved_queries() {
    local query
    for query in $("$binary" --lake "$1" --format csv queries list | tail -n +2 | cut -d, -f1); do
        case $query in
            customer-health-detail) set -- "$1" "$2" --param account=000010 ;;
            *) set -- "$1" "$2" ;;
        esac
        ask --lake "$1" --no-cache --format "$2" run "$query" "${@:3}"
    done
}

"$binary" init --sample "$folder/sample"
saved_queries "$folder/sample" table
saved_queries "$folder/sample" csv
ask --lake "$folder/sample" check
ask --lake "$folder/sample" --no-cache report cfo-monthly --format html,xlsx,md --output "$folder/reports"

"$binary" generate --scale 12 "$folder/lake"
cd "$folder/lake"
saved_queries . csv
mkdir made
ask --format csv -f "$statements"
for table in surveys touches cost_per_touch field_feedback escalations; do
    ask optimize "$table"
done
rm -r made && mkdir made
ask --format csv -f "$statements"
