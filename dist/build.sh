#!/usr/bin/env bash
# Builds the binary that is given away: optimised as a whole (`--profile dist`), and laid out by profiles of what it does: dist/build.sh [FOLDER].
#
# Two builds from nothing and the training between them (train.sh), in FOLDER (else `target/profiled`): an hour and a half on two cores, 12 GB of
# memory, 10 GB of disk. Needs llvm-profdata, no older than what rustc writes: `rustup component add llvm-tools`, or Debian's llvm-19.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p "${1:-target/profiled}"
folder=$(realpath "${1:-target/profiled}")

host=$(rustc -vV | sed -n 's/^host: //p')
profdata=
for tool in "$(rustc --print sysroot)/lib/rustlib/$host/bin/llvm-profdata" llvm-profdata-{22,21,20,19} llvm-profdata; do
    if command -v "$tool" >/dev/null; then
        profdata=$tool
        break
    fi
done
if [ -z "$profdata" ]; then
    echo "error: no llvm-profdata; install it with \`rustup component add llvm-tools\`" >&2
    exit 1
fi

# With a target named, build scripts and macros are built without profiles. The profile is one for both builds: cargo puts it into the names
# of functions. Optimising the first one as a whole would double its time for nothing.
build() { RUSTFLAGS="$1" cargo build --locked --profile dist --target "$host" --target-dir "$folder/$2"; }

build "-Cprofile-generate=$folder/raw -Clto=off -Clinker-plugin-lto=off" shown
rm -rf "$folder/raw" "$folder/training"
LLVM_PROFILE_FILE="$folder/raw/%4m.profraw" dist/train.sh "$folder/shown/$host/dist/cxlake" "$folder/training"
"$profdata" merge --output "$folder/cxlake.profdata" "$folder/raw"
build "-Cprofile-use=$folder/cxlake.profdata" built
cp "$folder/built/$host/dist/cxlake" "$folder/cxlake"
echo "$folder/cxlake"
