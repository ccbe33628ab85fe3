#!/usr/bin/env bash
# Runs every linter, lets all of them finish, and fails when any of them did.
set -uo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/node_modules/.bin:$PATH" NO_COLOR=1

failed=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT

lint() {
  local name=$1 began=$SECONDS
  shift
  if "$@" >"$log" 2>&1; then
    echo "ok    $name  $((SECONDS - began)) s"
  else
    echo "FAIL  $name  $((SECONDS - began)) s"
    sed 's/^/      /' "$log"
    failed+=("$name")
  fi
}

lint "types (tsc)" tsc --noEmit
lint "types of the report page (tsc)" tsc --noEmit -p ci/report/page
lint "report page is built (esbuild)" node --import tsx ci/report/build.ts --check
lint "style (eslint)" eslint --max-warnings 0 .
lint "format (prettier)" prettier --check --log-level warn .
lint "circular imports (madge)" madge --circular --no-spinner --no-color src ci test
lint "import directions" node --import tsx ci/lint/directions.ts
lint "unused exports (knip)" knip --no-progress
lint "workflows (actionlint, zizmor)" node --import tsx ci/lint/workflows.ts

if [ ${#failed[@]} -gt 0 ]; then
  echo "Failed: $(IFS=,; echo "${failed[*]}")"
  exit 1
fi
