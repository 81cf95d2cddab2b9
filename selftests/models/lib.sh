# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0
#
# Checking models with spin(1), for the scripts that do, which are called with a
# directory: each model is checked in one of its own below that. Models that are
# meant to hold must have been searched to the end; broken ones must fail. To be
# sourced; "model" for each, then "report".

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
jobs=$(nproc)
names=

# model NAME EXPECTED MODEL SWITCHES [cycles]: EXPECTED is "holds" or what pan
# says when it finds the fault.
model()
{
	names="$names $1"
	rm -rf "${dir:?}/$1"
	mkdir "$dir/$1"
	echo "$2" > "$dir/$1/expected"
	(
		cd "$dir/$1" || exit
		compile="-DSAFETY"
		run=
		if [ "${5-}" = cycles ]; then
			compile="-DNP"
			run="-l"
		fi
		# Compiling takes longer than searching, even so.
		# shellcheck disable=SC2086 # words are meant to be split
		if spin -a $4 "$here/$3" > log &&
		   gcc -O0 $compile -DCOLLAPSE -DMEMLIM=3000 -o pan pan.c \
			>> log 2>&1; then
			timeout 300 ./pan -m3000000 $run >> log 2>&1 || :
		fi
		rm -f pan pan.[bchmpt]
	) &
	running=$((${running:-0} + 1))
	if [ "$running" -ge "$jobs" ]; then
		wait
		running=0
	fi
}

# what pan says; for whoever includes this
# shellcheck disable=SC2034
dead="invalid end state"
# shellcheck disable=SC2034
wrong="assertion violated"
# shellcheck disable=SC2034
live="non-progress cycle"

report()
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
		log=$dir/$name/log
		expected=$(cat "$dir/$name/expected")
		states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$log")
		verdict=ok
		if [ "$expected" = holds ]; then
			what="$name holds in all $states states"
			if ! grep -q 'errors: 0' "$log" ||
			   grep -q -e 'not completed' -e 'depth too small' "$log"; then
				verdict="not ok"
			fi
		else
			what="broken $name: $expected"
			grep -q "^pan:.*$expected" "$log" || verdict="not ok"
		fi
		echo "$verdict $n - model $what"
		if [ "$verdict" != ok ]; then
			sed 's/^/# /' "$log"
			failed=1
		fi
	done
	return $failed
}
