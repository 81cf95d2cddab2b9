# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# For the scripts that run tests: one line a test, the counts at the end.
# To be sourced.

passed=0
failed=0

pass()
{
	passed=$((passed + 1))
	echo "ok $1"
}

# fail NAME [WHY]; what a test has to show goes to the terminal before this
fail()
{
	failed=$((failed + 1))
	echo "not ok $1${2:+ # $2}"
}

# A test that cannot be made here is neither; it is said, but not counted.
skip()
{
	echo "ok $1 # SKIP ${2-}"
}

quote()
{
	sed 's/^/# /'
}

# try NAME COMMAND...: passes if the command does; its output is shown if not
try()
{
	local name=$1 log status=0

	shift
	log=$("$@" 2>&1) || status=$?
	if [ "$status" = 0 ]; then
		pass "$name"
	else
		[ -z "$log" ] || printf '%s\n' "$log" | quote
		fail "$name" "exit $status"
	fi
}

# merge NAME COMMAND...: a command that tests by itself and prints TAP, with a
# plan or with our last line. Its tests are added to ours. What is in its plan
# and did not come has failed; so has a command that says neither how many tests
# there were, or whose exit status or counts do not go with them.
merge()
{
	local name=$1 line last='' status=0
	local ok=0 bad=0 skipped=0 planned=0 plans=0

	shift
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		'ok '*'# SKIP'*) skipped=$((skipped + 1)) ;;
		'ok '*)		ok=$((ok + 1)) ;;
		'not ok '*)	bad=$((bad + 1)) ;;
		1..*)		plans=1 planned=$((planned + ${line#1..})) ;;
		esac
		[ -z "$last" ] || echo "$last"
		last=$line
	done < <(exec "$@" 2>&1)
	wait $! || status=$?
	passed=$((passed + ok))
	failed=$((failed + bad))

	if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		[ "${BASH_REMATCH[*]:1}" = "$ok $bad" ] ||
			fail "$name" "says '$last', printed $ok and $bad"
	else
		[ -z "$last" ] || echo "$last"
		[ "$plans" = 1 ] || fail "$name" "exit $status, no plan"
	fi
	while [ "$((ok + bad + skipped))" -lt "$planned" ]; do
		bad=$((bad + 1))
		fail "$name: test $((ok + bad + skipped)) of $planned" \
			"did not run"
	done
	[ "$((bad != 0))" = "$((status != 0))" ] ||
		fail "$name" "exit $status with $bad failed"
}

# The last line of the run, and its exit status.
finish()
{
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
