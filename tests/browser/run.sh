#!/usr/bin/env bash
# Makes every report of the sample lake and opens it in Chromium (tests/browser/check.mjs): run.sh [PICTURES]
# Needs node 20 or later, npm and Chromium (Debian: nodejs, npm, chromium); CXLAKE names the program, else cargo builds it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
lake=$(cd "$here/../.." && pwd)
pages=$(mktemp -d)
trap 'rm -rf "$pages"' EXIT

cd "$lake"
cxlake=${CXLAKE:-cargo run --locked --quiet --}
for report in $($cxlake report --format csv --quiet | tail -n +2 | cut -d, -f1); do
    $cxlake report "$report" --quiet --output "$pages"
done
(cd "$here" && npm ci --ignore-scripts --no-audit --no-fund --silent)
node "$here/check.mjs" "$pages" ${1:+"$(realpath -m "$1")"}
