#!/bin/sh
# part.sh NAME COMMAND...: runs one part of `make test` beside others, so that their output does not mix.
#
# A part that passes is one line: its name, seconds, and how many tests passed and were skipped, with the reasons.
# A part that fails shows all of its output.
set -u
name=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 130' INT TERM
start=$(date +%s)
printf '%-12s started\n' "$name"
# Jobs of make are not those of cargo, which has its own.
MAKEFLAGS='' "$@" >"$log" 2>&1
status=$?
seconds=$(($(date +%s) - start))
if [ "$status" -ne 0 ]; then
    printf '%-12s FAILED after %s s:\n' "$name" "$seconds"
    sed 's/^/    /' "$log"
    exit "$status"
fi
printf '%-12s passed in %s s%s\n' "$name" "$seconds" "$(awk '
    /^test result: ok/ { cargo += $4; ignored += $8 }
    /^[0-9]+ passed.* in / { pytest = $0 }
    END {
        if (cargo) printf ": %d passed, %d ignored", cargo, ignored
        if (pytest) printf ": %s", pytest
    }' "$log")"
sed -n 's/^SKIPPED/    skipped/p' "$log"
