#!/usr/bin/env bash
# Makes a virtual environment with the peers, once, and runs the race in it: benches/peers/run.sh --help
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
venv=${PEERS_VENV:-$here/../../target/peers/venv}
if [ ! -x "$venv/bin/python" ]; then
    "${PYTHON:-python3.11}" -m venv "$venv"
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt"
exec "$venv/bin/python" "$here/race.py" "$@"
