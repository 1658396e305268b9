#!/usr/bin/env bash
# Fuzzes each target for a while with libFuzzer, on stable Rust, and fails if any of them finds anything.
#
#   protocol/fuzz/run.sh [SECONDS_PER_TARGET] [TARGET...]
#
# Without targets all of them run, 60 seconds each. What was found is left in artifacts/TARGET/: once it is
# fixed, keep the (minimised) file in regressions/TARGET/, where an ordinary test replays it for ever. The
# corpus that grew stays in target/corpus/TARGET for the next run. `cargo fuzz run -s none TARGET` works too.
set -euo pipefail
cd "$(dirname "$0")"

seconds=${1:-60}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    for file in fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi

# What `cargo fuzz` passes, without the sanitizers that only nightly has. The named target keeps these flags
# from build scripts and the derive.
host=$(rustc -vV | sed -n 's/^host: //p')
coverage="--cfg fuzzing -Ccodegen-units=1 -Cpasses=sancov-module
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares"
RUSTFLAGS="$coverage" cargo build --release --locked --bins --target "$host"
cargo run --release --locked --example seeds -- target/seeds

failed=()
for target in "${targets[@]}"; do
    mkdir -p "target/corpus/$target" "artifacts/$target" "regressions/$target" "target/seeds/$target"
    echo "== $target: $seconds seconds"
    # An input of at most 64 KiB that takes five seconds is a finding: work has to be linear.
    "target/$host/release/$target" "target/corpus/$target" "target/seeds/$target" "regressions/$target" \
        -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=65536 -len_control=20 \
        -print_final_stats=1 -artifact_prefix="artifacts/$target/" 2>"target/$target.log" \
        || failed+=("$target")
    grep -E 'INITED|DONE|stat::|ERROR|panicked' "target/$target.log" || true
done
if [ ${#failed[@]} -ne 0 ]; then
    for target in "${failed[@]}"; do echo "FAILED: $target, see protocol/fuzz/target/$target.log" >&2; done
    exit 1
fi
