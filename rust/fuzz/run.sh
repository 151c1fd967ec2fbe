#!/bin/sh
# Fuzzes each target for FUZZ_SECONDS (default 60), or those that are named, and prints a line for each.
#
# Needs a C++ compiler (libFuzzer is built from a crate) and the stable toolchain, whose LLVM counts the branches. New
# inputs go to target/fuzz/corpus, findings to target/fuzz/findings. What fuzzing starts from is copied to target/fuzz/seeds.
set -eu
cd "$(dirname "$0")/../.."

seconds=${FUZZ_SECONDS:-60}
host=$(rustc -vV | sed -n 's/^host: //p')
out=target/fuzz

targets=$(ls rust/fuzz/corpus)
bins=$(printf -- '--bin %s ' $targets)

# What cargo-fuzz passes without a sanitizer. With --target the flags leave build scripts alone, which have no libFuzzer.
RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0" \
    cargo build --quiet --locked --package ropewalk-fuzz $bins --features libfuzzer --profile fuzz \
    --target "$host" --target-dir "$out"

rm -rf "$out/seeds"
cargo run --quiet --locked --bin seeds -- "$out/seeds"

[ $# -gt 0 ] || set -- $targets
failed=0
for target in "$@"; do
    new=$out/corpus/$target findings=$out/findings/$target log=$out/$target.log
    mkdir -p "$new" "$findings"
    for old in "$findings"/*; do
        # What was fixed since is not a finding any more.
        if [ -f "$old" ] && "$out/$host/fuzz/$target" "$old" >/dev/null 2>&1; then rm "$old"; fi
    done
    status=0
    "$out/$host/fuzz/$target" -max_total_time="$seconds" -max_len=16384 -timeout=20 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="$findings/" "$new" "$out/seeds/$target" >"$log" 2>&1 || status=$?
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    found=$(find "$findings" -type f | wc -l)
    files=$(find "$new" "$out/seeds/$target" -type f | wc -l)
    echo "$target: ${executions:-no} executions in at most $seconds s, corpus of $files files, $found findings"
    if [ "$status" -ne 0 ] || [ "$found" -ne 0 ]; then
        failed=1
        echo "    see $log and $findings/; replay with $out/$host/fuzz/$target FILE"
    fi
done
exit $failed
