# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0
#
# What the tests of mkctl share, with the module and without it: lines of TAP, and
# what a command gives. To be sourced, with $work a directory of the test's own.

number=0 failed=0

# result STATUS NAME: says why from the file $work/why
result()
{
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		failed=$((failed + 1))
		echo "not ok $number - $2"
		sed 's/^/# /' "$work/why" 2>/dev/null
	fi
	: > "$work/why"
}

# that NAME COMMAND...: COMMAND succeeds; what it prints says why not
that()
{
	local name=$1
	shift
	if "$@" > "$work/why" 2>&1; then result 0 "$name"; else result 1 "$name"; fi
}

# gives STATUS PATTERN COMMAND...: COMMAND exits with STATUS, and its stderr is
# one line that matches PATTERN (or nothing where PATTERN is empty)
gives()
{
	local status=$1 pattern=$2 got
	shift 2
	"$@" > "$work/out" 2> "$work/err" < /dev/null
	got=$?
	cat "$work/out" "$work/err"
	echo "exit status $got, expected $status; stderr should match '$pattern'"
	[ "$got" = "$status" ] || return 1
	if [ -z "$pattern" ]; then
		[ ! -s "$work/err" ]
	else
		[ "$(wc -l < "$work/err")" = 1 ] && grep -qE -- "$pattern" "$work/err"
	fi
}
