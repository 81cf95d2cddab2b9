#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# trees.sh PROGRAM: trees that are run among more threads than there are CPUs, and short
# measurements where there are two. All trees are there, each member is reached once,
# percentiles rise and errors are what the figures say; of times nothing is said. And
# each fault is noticed.
# Everything is called by try.
# shellcheck disable=SC2317
set -u

trees=$1
strategies="sequential binary fibonacci mst cluster adaptive shuffle"
about=trees
# shellcheck source=selftests/try.sh
. ../selftests/try.sh

run()
{
	timeout 120 "$trees" -t 60000 "$@"
}

# rows SUFFIX: reads CSV. Is every tree of every size there, with all its operations,
# none predicted to be better than planned, and all that is measured in order?
rows()
{
	awk -F, -v names="$strategies" -v suffix="$1" '
		NR == 1 {
			if ($0 != "test,variant,tier,cpu_a,cpu_b,mem_node,size,repeat,metric,value,unit")
				print "head: " $0
			next
		}
		NF != 11		{ print "columns: " $0 }
		$9 == "members"	{ members = $10 }
		$9 ~ /^cost_p|^cost_max/ {
			if ($10 < last[$2, $7])
				print "percentiles: " $0
			last[$2, $7] = $10
		}
		{ value[$2, $7, $9] = $10 }
		END {
			of = split(names " planned planned_one_tree", name, " ")
			for (size = 2; size <= members; size++) {
				best = value["planned" suffix, size, "predicted"]
				for (i = 1; i <= of; i++) {
					key = name[i] suffix SUBSEP size SUBSEP
					if (!value[key "operations"] || !value[key "predicted"])
						print "missing: " name[i] ", " size
					if (value[key "predicted"] < best)
						print "better than planned: " name[i] ", " size
					median = value[key "cost_p50"]
					off = value[key "predicted"] - median
					off = (off < 0 ? -off : off) * 100 / (median ? median : 1)
					error = value[key "error"] - off
					if (median && (error > 0.01 || error < -0.01))
						print "error: " name[i] ", " size
				}
			}
			if (members < 2)
				print members " members"
		}'
}

# clean OPTION...: these give CSV in which nothing is wrong
clean()
{
	table=$(run -f csv "$@") || return
	case "$*" in
	*2pc*)	problems=$(printf '%s\n' "$table" | rows _2pc) ;;
	*)	problems=$(printf '%s\n' "$table" | rows "") ;;
	esac
	[ -z "$problems" ] || {
		printf '%s\n' "$problems"
		return 1
	}
}

says_that_two_have_one_tree()
{
	run -s -c "$cpus" | grep -q 'Two members have one tree' || return
	! run -n 2 -y 3 | grep -q 'Two members have one tree'
}

json()
{
	run -n 3 -y 3 -f json | awk '
		/"measured": false, "trees": \[$/	{ head++ }
		/^ \{"tree": "[a-z_]*", "size": [1-3], "operations": 4, "predicted": [0-9]*\},?$/ { trees++ }
		/^\]\}$/				{ tail++ }
		END	{ exit !(head == 1 && trees == 19 && tail == 1) }'
}

# As many costs as there are pairs, and what was planned from is what they say.
costs()
{
	dir=$(mktemp -d) || return
	run -s -c "$cpus" -d "$dir" > /dev/null
	ret=$?
	for file in send receive rtt; do
		[ "$(grep -c '^[0-9]* [0-9]* [0-9.]* [0-9.]*$' "$dir/$file")" = 2 ] || ret=1
	done
	[ "$(wc -l < "$dir/nodes")" = 2 ] || ret=1
	rm -r "$dir"
	return "$ret"
}

refuses()
{
	for wrong in "-y 0" "-y 2000" "-n 0" "-c 1-0" "-c 0,0" "-c x" "-o gather" \
		"-f xml" "-F late" "-t 0" "-y 3 -c 0" "more"; do
		# shellcheck disable=SC2086 # words are meant to be split
		run $wrong > /dev/null 2>&1
		[ $? = 2 ] || {
			echo "$wrong"
			return 1
		}
	done
	! run -s -c 1000,1001 2> /dev/null
}

# fault NAME TEXT: it fails, and that is what it says
fault()
{
	said=$(timeout 120 "$trees" -t 1000 -n 3 -y 5 -F "$1" 2>&1 > /dev/null) && return 1
	printf '%s\n' "$said"
	printf '%s\n' "$said" | grep -qE "^trees: $2$"
}

# The first two CPUs that may be used, or nothing.
cpus=$(taskset -pc $$ | sed 's/.*: //' | tr , '\n' | awk -F- '
	{ for (i = $1; i <= (NF > 1 ? $2 : $1); i++) cpu[++n] = i }
	END { if (n > 1) print cpu[1] "," cpu[2] }')

echo "TAP version 13"
echo "1..11"
try "more members than CPUs" clean -n 5 -y 7
try "two rounds" clean -n 3 -y 5 -o 2pc
try "JSON" json
try "wrong arguments are refused" refuses
try "a member that is left out is noticed" fault skip \
	"member 1 was not reached by message 0"
try "a message that is sent twice is noticed" fault twice \
	"member [1-4] was reached more than once by message [0-9]*"
try "an acknowledgment that does not wait is noticed" fault early \
	"message 0 was acknowledged for 1 of 2 members"
if [ -n "$cpus" ]; then
	try "two CPUs, measured" clean -s -c "$cpus"
	try "with costs from round trips" clean -s -r -c "$cpus"
	try "says what two CPUs are good for" says_that_two_have_one_tree
	try "costs for mkctl plan" costs
else
	for name in "two CPUs, measured" "with costs from round trips" \
		"says what two CPUs are good for" "costs for mkctl plan"; do
		n=$((n + 1))
		echo "ok $n - trees: $name # SKIP one CPU"
	done
fi
exit $failed
