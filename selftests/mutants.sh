# shellcheck shell=sh disable=SC2154
# SPDX-License-Identifier: GPL-2.0
#
# Mutants: sources broken on purpose, in one way at a time, that the tests have to
# notice. To be sourced by a script that has set $dir, where each gets an empty
# folder, and has a function attempt NAME ARGUMENT..., which breaks a source, builds
# the tests and calls run_tests.

names=
running=0
jobs=$(nproc)

# break_source NAME FILE COPY SED: false if the copy is the same
break_source()
{
	sed "$4" "$2" > "$3"
	cmp -s "$2" "$3" || return 0
	echo "the script changes nothing" > "$dir/$1/error"
	return 1
}

# run_tests NAME COMMAND...: unless NAME could not be made; again if it was not
# noticed, as what depends on who is faster need not happen each time
run_tests()
{
	into=$dir/$1
	shift
	[ ! -s "$into/error" ] || return 0
	for _ in 1 2 3 4 5 6; do
		"$@" > "$into/output" 2>&1 || touch "$into/caught"
		[ ! -e "$into/caught" ] || break
	done
	# Tests that do not exist have noticed nothing.
	if grep -qx '1\.\.0' "$into/output"; then
		echo "no test has this name" > "$into/error"
		rm -f "$into/caught"
	fi
}

# mutant NAME ARGUMENT...: attempt it, as many at once as there are CPUs
mutant()
{
	names="$names $1"
	rm -rf "${dir:?}/$1"
	mkdir -p "$dir/$1"
	attempt "$@" &
	running=$((running + 1))
	if [ "$running" -ge "$jobs" ]; then
		wait
		running=0
	fi
}

# report_mutants: was each caught? The exit status says if all were.
report_mutants()
{
	wait
	echo "TAP version 13"
	# shellcheck disable=SC2086 # words are meant to be split
	set -- $names
	echo "1..$#"
	n=0
	failed=0
	for name; do
		n=$((n + 1))
		[ ! -s "$dir/$name/error" ] || sed 's/^/# /' "$dir/$name/error"
		if [ -e "$dir/$name/caught" ]; then
			echo "ok $n - mutant $name caught"
		else
			echo "not ok $n - mutant $name caught"
			failed=1
		fi
	done
	return $failed
}
