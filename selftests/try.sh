# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0
#
# Tests that are commands, as lines of TAP. To be sourced by a script that has set
# $about, which the names begin with, and that ends with: exit $failed.
n=0
failed=0

# try NAME COMMAND...
try()
{
	name=$1
	shift
	n=$((n + 1))
	if log=$("$@" 2>&1); then
		echo "ok $n - $about: $name"
	else
		printf '%s\n' "$log" | sed 's/^/# /'
		echo "not ok $n - $about: $name"
		failed=1
	fi
}
