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

# merge NAME COMMAND...: a command that itself ends with "N passed, N failed";
# its tests are added to ours. One that ends otherwise has failed, and so has
# one whose exit status does not go with its counts.
merge()
{
	local name=$1 line last='' status=0

	shift
	while IFS= read -r line || [ -n "$line" ]; do
		[ -z "$last" ] || echo "$last"
		last=$line
	done < <(exec "$@" 2>&1)
	wait $! || status=$?
	if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
		passed=$((passed + BASH_REMATCH[1]))
		failed=$((failed + BASH_REMATCH[2]))
		if [ "$((BASH_REMATCH[2] != 0))" != "$((status != 0))" ]; then
			fail "$name" "exit $status after '$last'"
		fi
	else
		[ -z "$last" ] || echo "$last"
		fail "$name" "exit $status, no counts"
	fi
}

# The last line of the run, and its exit status.
finish()
{
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ] && [ "$passed" != 0 ]
}
