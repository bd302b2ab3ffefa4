#!/usr/bin/env bash
# The sample lake on a real S3 server: a Garage of one node, started for this run on the loopback and stopped after it.
#
#   cargo install garage --version 2.5.0     (about ten minutes; or any `garage` of version 2)
#   tests/garage.sh [CXLAKE]                 (the binary; else `cxlake` is built with cargo, in release)
#
# Needs `garage` (or GARAGE=/path/to/garage) and an S3 client on the PATH, `aws` or `rclone`. Prints every step that it takes and
# what comes of it, and ends at the first that fails. Everything it writes is in a temporary folder, which is gone afterwards.
set -euo pipefail

repository="$(cd "$(dirname "$0")/.." && pwd)"
garage="${GARAGE:-garage}"
cxlake="${1:-}"

fail() { printf 'error: %s\n' "$*" >&2; exit 1; }
command -v "$garage" >/dev/null || fail "no \`garage\`: cargo install garage --version 2.5.0, or set GARAGE"
if [ -z "$cxlake" ]; then
    cargo build --release --locked --manifest-path "$repository/Cargo.toml"
    cxlake="${CARGO_TARGET_DIR:-$repository/target}/release/cxlake"
fi
cxlake="$(realpath "$cxlake")"

work="$(mktemp -d)"
server=
stop() {
    if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
    rm -rf "$work"
}
trap stop EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
random_hex() { od -An -N "$1" -tx1 /dev/urandom | tr -d ' \n'; }
step() { printf '\n== %s\n' "$*"; }

port="$(free_port)"
rpc="$(free_port)"
cat >"$work/garage.toml" <<END
metadata_dir = "$work/meta"
data_dir = "$work/data"
db_engine = "sqlite"
replication_factor = 1
rpc_bind_addr = "127.0.0.1:$rpc"
rpc_public_addr = "127.0.0.1:$rpc"
rpc_secret = "$(random_hex 32)"

[s3_api]
s3_region = "garage"
api_bind_addr = "127.0.0.1:$port"
root_domain = ".s3.garage.localhost"
END

# Nothing of the machine's own AWS settings has a say.
for name in $(env | sed -n 's/^\(AWS_[A-Z0-9_]*\)=.*/\1/p'); do unset "$name"; done
AWS_ACCESS_KEY_ID="GK$(random_hex 12)"
AWS_SECRET_ACCESS_KEY="$(random_hex 32)"
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
export AWS_REGION=garage AWS_DEFAULT_REGION=garage AWS_ENDPOINT_URL="http://127.0.0.1:$port" NO_PROXY=127.0.0.1 NO_COLOR=1

step "a Garage of one node ($("$garage" --version | head -1)), bucket \`lake\`, at $AWS_ENDPOINT_URL"
GARAGE_DEFAULT_ACCESS_KEY="$AWS_ACCESS_KEY_ID" GARAGE_DEFAULT_SECRET_KEY="$AWS_SECRET_ACCESS_KEY" GARAGE_DEFAULT_BUCKET=lake \
    "$garage" -c "$work/garage.toml" server --single-node --default-bucket >"$work/garage.log" 2>&1 &
server=$!
for _ in $(seq 60); do
    kill -0 "$server" 2>/dev/null || { cat "$work/garage.log" >&2; fail "garage has ended"; }
    "$cxlake" doctor s3://lake/ >/dev/null 2>&1 && break
    sleep 0.5
done

mkdir "$work/sample"
cp -r "$repository/cxlake.toml" "$repository/queries" "$repository/sample-data" "$work/sample/"
printf '\n[store.out]\nurl = "s3://lake/"\nwrite = true\n' >>"$work/sample/cxlake.toml"
if command -v aws >/dev/null && aws --version >/dev/null 2>&1; then
    step "the sample lake, copied with $(aws --version 2>&1 | cut -d' ' -f1)"
    aws --endpoint-url "$AWS_ENDPOINT_URL" s3 cp --recursive --only-show-errors "$work/sample" s3://lake/sample
elif command -v rclone >/dev/null; then
    step "the sample lake, copied with $(rclone --version | head -1)"
    rclone copy "$work/sample" ":s3,provider=Other,env_auth=true,region=garage,endpoint='$AWS_ENDPOINT_URL':lake/sample"
else
    fail "no S3 client on the PATH: install \`aws\` or \`rclone\`"
fi
printf '%s files, %s\n' "$(find "$work/sample" -type f | wc -l)" "$(du -sh "$work/sample" | cut -f1)"

lake() { "$cxlake" --lake s3://lake/sample "$@"; }

step "cxlake doctor"
lake doctor out

step "what it says of a wrong secret, a wrong key, and a key without rights"
told() { # what the doctor must say of the environment that the rest of the arguments set
    wanted="$1"; shift
    said="$(env "$@" "$cxlake" doctor s3://lake/ 2>/dev/null || true)"
    grep -A1 '^  wrong' <<<"$said"
    grep -q "$wanted" <<<"$said" || fail "not: $wanted"
}
told 'the secret key does not belong to the access key' AWS_SECRET_ACCESS_KEY="$(random_hex 32)"
told 'does not know the access key' AWS_ACCESS_KEY_ID="GK$(random_hex 12)"
other="GK$(random_hex 12)"; other_secret="$(random_hex 32)"
"$garage" -c "$work/garage.toml" key import --yes "$other" "$other_secret" >/dev/null 2>&1
told 'may not list bucket `lake` (AccessDenied)' AWS_ACCESS_KEY_ID="$other" AWS_SECRET_ACCESS_KEY="$other_secret"

for query in nps-by-office cost-gaps; do
    step "cxlake run $query"
    lake run "$query"
    lake --quiet run "$query" --format csv >"$work/bucket.csv"
    (cd "$repository" && "$cxlake" --quiet run "$query" --format csv) >"$work/folder.csv"
    cmp "$work/bucket.csv" "$work/folder.csv"
    printf 'the same %s bytes as from the folder\n' "$(wc -c <"$work/folder.csv")"
done

step "every saved query, from the bucket and from the folder"
names="$(cd "$repository/queries" && printf '%s\n' *.sql | sed 's/\.sql$//')"
sed 's/^/\\run /' <<<"$names" >"$work/script"
lake --quiet --format csv -f "$work/script" >"$work/bucket.csv"
(cd "$repository" && "$cxlake" --quiet --format csv -f "$work/script") >"$work/folder.csv"
cmp "$work/bucket.csv" "$work/folder.csv"
printf '%s queries, the same %s bytes\n' "$(wc -l <<<"$names")" "$(wc -c <"$work/folder.csv")"

step "COPY TO the bucket, partitioned, and a report with --output"
lake -c "copy (select office_id, segment, count(*) as accounts from accounts group by all) to 'out:reports/accounts/' stored as parquet partitioned by (segment)"
lake --quiet run nps-by-office --format csv --output s3://lake/reports/nps.csv
"$cxlake" -c "select count(*) as groups, sum(accounts) as accounts from 's3://lake/reports/accounts/'"
lake -c "select count(*) as accounts from accounts"
"$cxlake" -c "select count(*) as rows_of_the_report from 's3://lake/reports/nps.csv'"

step "what goes wrong is told"
refused() { if said="$("$@" 2>&1)"; then fail "it does not fail: $*"; else printf '%s\n\n' "$said"; fi; }
refused lake -c "select * from 's3://nowhere/x.parquet'"
refused env AWS_REGION=eu-west-1 "$cxlake" --lake s3://lake/sample tables
refused env AWS_SECRET_ACCESS_KEY=wrong "$cxlake" --lake s3://lake/sample tables
refused env AWS_ACCESS_KEY_ID=GK000000000000000000000000 "$cxlake" --lake s3://lake/sample tables

step "done"
