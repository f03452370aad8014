#!/usr/bin/env bash
# Makes an environment (SMALTI_ENV, default .venv), installs Smalti with what its tests need, and runs them.
# One process for each core takes tests (`pytest` alone runs them one after the other).
# Arguments go to pytest: `bash tests/run.sh --runslow` runs the long sweeps too.
set -euo pipefail
cd "$(dirname "$0")/.."
environment=${SMALTI_ENV:-.venv}
python3 -m venv "$environment"
"$environment/bin/pip" install -q -e ".[test]"
# Workers, and the commands that tests run, share compiled modules even where Python is told to write none beside sources:
# without them each process takes a second more. The path is absolute, as tests run commands in folders of their own.
unset PYTHONDONTWRITEBYTECODE
PYTHONPYCACHEPREFIX=$(cd "$environment" && pwd)/pycache
export PYTHONPYCACHEPREFIX
exec "$environment/bin/python" -m pytest -n auto --maxprocesses 8 --dist worksteal --benchmark-disable "$@"
