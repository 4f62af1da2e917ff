#!/bin/sh
# Run every fuzz target for a while.
#
#	tests/fuzz/run.sh build/fuzz SECONDS
#
# What is found new stays in build/fuzz/corpus/TARGET for the next run; an input
# that breaks something is written to build/fuzz/crash-TARGET-..., to be made
# small and put into tests/fuzz/corpus/TARGET with its repair.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=$1
seconds=$2
passed=0
failed=0

for source in tests/fuzz/fuzz_*.c; do
	name=$(basename "$source" .c)
	target=${name#fuzz_}
	work=$build/corpus/$target
	log=$build/$name.log
	mkdir -p "$work"
	dict=
	[ ! -f "tests/fuzz/$target.dict" ] ||
	    dict=-dict=tests/fuzz/$target.dict
	if "$build/$name" -max_total_time="$seconds" -timeout=10 \
	    -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 ${dict:+"$dict"} \
	    -artifact_prefix="$build/crash-$target-" \
	    "$work" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
		echo "ok - $name, $runs inputs in $seconds s"
		passed=$((passed + 1))
	else
		tail -n 60 "$log" | sed 's/^/     | /'
		echo "not ok - $name"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
