# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0
#
# Tests of mkctl topo on a tree of files, on recorded results and on files of
# costs. To be sourced by run.

# topo_tree: $tree with CPUs 0 and 2 on node 0 and CPU 1 on node 1
topo_tree()
{
	local cpu
	tree
	mkdir -p "$tree"/topology/{node0,node1,cpu0,cpu1,cpu2}
	echo 0-1 > "$tree/topology/nodes"
	echo 0-2 > "$tree/topology/cpus"
	echo 0,2 > "$tree/topology/node0/cpus"
	echo 1 > "$tree/topology/node1/cpus"
	echo '10 20' > "$tree/topology/node0/distance"
	echo '20 10' > "$tree/topology/node1/distance"
	for cpu in 0 1 2; do
		echo 0 > "$tree/topology/cpu$cpu/package"
		echo "$cpu" > "$tree/topology/cpu$cpu/core"
	done
}

# costs A B C …: results of urpc_latency for the pairs 0-1, 0-2, 1-0, …
topo_costs()
{
	local from to
	echo test,variant,tier,cpu_a,cpu_b,mem_node,size,repeat,metric,value,unit
	for from in 0 1 2; do
		for to in 0 1 2; do
			[ "$from" != "$to" ] || continue
			echo "urpc_latency,urpc,T3,$from,$to,0,64,0,round_trip_p50,$1,cycles"
			echo "urpc_latency,urpc,T3,$from,$to,1,64,0,round_trip_p50,$(($1 + 2)),cycles"
			shift
		done
	done
}

topo_text()
{
	topo_tree
	topo_costs 2000 500 2010 2020 510 2030 > "$tree/experiments/urpc_latency/results"
	gives 0 '' "$mkctl" topo || return 1
	diff -u - "$work/out" <<-'END'
	3 CPUs on 2 nodes

	node  distance to    0    1  CPUs
	   0                10   20  0,2
	   1                20   10  1

	urpc_latency, round_trip, cycles, from row to column
	CPUs by node; 501 to 2031; .. -- ++ ## for the dearer ones
	  CPU       0        2        1 
	    0       -      501 ## 2,001 
	    2     511        - ## 2,031 
	    1## 2,011 ## 2,021        - 
	END
}

topo_json()
{
	gives 0 '' "$mkctl" topo --format json || return 1
	python3 - "$work/out" <<-'END'
	import json, sys
	said = json.load(open(sys.argv[1]))
	assert [n["distance"] for n in said["nodes"]] == [[10, 20], [20, 10]]
	assert [(c["cpu"], c["node"]) for c in said["cpus"]] == [(0, 0), (2, 0), (1, 1)]
	assert said["costs"] == [[None, 501, 2001], [511, None, 2031], [2011, 2021, None]]
	END
}

# What is exported comes back the same.
topo_round_trip()
{
	gives 0 '' "$mkctl" topo --export "$work/costs" || return 1
	grep -qx '1 0 2011.000000 1.000000' "$work/costs" || return 1
	gives 0 '' "$mkctl" topo --import "$work/costs" --format csv || return 1
	[ "$(grep -c . "$work/out")" = 10 ] && grep -qx '1,0,0,0,-1,2011.000000,0.000000' "$work/out"
}

topo_recorded()
{
	gives 0 '' "$mkctl" topo --import "$here/golden/wide/urpc_latency.csv" || return 1
	grep -q '^3 CPUs on 2 nodes' "$work/out" && grep -q '48,000,000' "$work/out"
}

# With the map of shades where numbers do not fit.
topo_shades()
{
	awk 'BEGIN { for (i = 0; i < 24; i++) for (j = 0; j < 24; j++) if (i != j)
		print i, j, (i % 2 == j % 2) ? 100 : 100000, 0 }' > "$work/costs"
	gives 0 '' "$mkctl" topo --import "$work/costs" || return 1
	grep -qE '^    0 -##  ##  ##' "$work/out"
}

topo_bad_costs()
{
	: > "$work/costs"
	gives 1 'has no costs in it' "$mkctl" topo --import "$work/costs" || return 1
	printf '0 1 12.5 1\n0 2 1' > "$work/costs"
	gives 1 'costs:2: .*cut short' "$mkctl" topo --import "$work/costs" || return 1
	printf '0 1 -5 1\n' > "$work/costs"
	gives 1 'costs:1: ' "$mkctl" topo --import "$work/costs" || return 1
	head -c 4000 /dev/urandom > "$work/costs"
	gives 1 'is this a file of costs' "$mkctl" topo --import "$work/costs" || return 1
	printf 'test,variant\n' > "$work/costs"
	gives 1 'costs' "$mkctl" topo --import "$work/costs" || return 1
	gives 1 'No such file' "$mkctl" topo --import "$work/none"
}

topo_wrong()
{
	topo_tree
	gives 1 'no costs to export' "$mkctl" topo --export "$work/costs" &&
		gives 2 'no format' "$mkctl" topo --format svg &&
		gives 2 'no metric' "$mkctl" topo --metric p50 &&
		gives 2 'give one' "$mkctl" topo --measure --import x || return 1
	echo 0-x > "$tree/topology/nodes"
	gives 1 'cannot read CPUs and nodes' "$mkctl" topo
}

# It sets pairs to all for the run, and back.
topo_measure()
{
	topo_tree
	LD_PRELOAD=$standin "$mkctl" topo --measure > "$work/out" 2> "$work/err" || return 1
	[ "$(cat "$tree/experiments/urpc_latency/pairs")" = one ] &&
		grep -qE '^CPUs by node; 1[0-9]{3} to ' "$work/out"
}

# The module's matrices and the nodes, as mkctl plan reads them.
topo_export_dir()
{
	topo_tree
	mkdir -p "$work/costs.d" "$tree/topology/costs"
	rm -f "$work/costs.d"/*
	printf '# src dst cycles stderr\n' | tee "$tree"/topology/costs/{send,receive,rtt} > /dev/null
	gives 1 'no costs to export' "$mkctl" topo --export "$work/costs.d" || return 1
	[ ! -e "$work/costs.d/send" ] || return 1
	printf '%s\n' '0 1 20.125 1.000' '0 2 5.000 0.250' '1 0 21.000 1.000' '1 2 22.000 1.000' \
		'2 0 6.000 0.500' '2 1 23.000 1.000' |
		tee -a "$tree"/topology/costs/{send,receive,rtt} > /dev/null
	gives 0 '' "$mkctl" topo --export "$work/costs.d" || return 1
	cmp "$work/costs.d/send" "$tree/topology/costs/send" || return 1
	gives 0 '' "$mkctl" plan --send "$work/costs.d/send" --receive "$work/costs.d/receive" \
		--nodes "$work/costs.d/nodes" --op both --format json || return 1
	grep -q '"cycles"' "$work/out" || return 1
	gives 0 '' "$mkctl" topo --import "$work/costs.d/rtt" --format csv || return 1
	gives 2 'a directory takes costs of this machine' "$mkctl" topo \
		--import "$work/costs.d/rtt" --export "$work/costs.d"
}

# A directory of costs goes into the module, all of it or nothing.
topo_import_dir()
{
	topo_tree
	mkdir -p "$work/costs.i" "$tree/topology/costs"
	rm -f "$work/costs.i"/*
	: | tee "$tree"/topology/costs/{send,receive,rtt} > /dev/null
	gives 1 'has no costs: no send' "$mkctl" topo --import "$work/costs.i" || return 1
	printf '0 1 20.125 1\n1 0 21 1\n' > "$work/costs.i/send"
	printf '0 1 20.125 1\n1 0 x 1\n' > "$work/costs.i/receive"
	gives 1 'receive:2: ' "$mkctl" topo --import "$work/costs.i" || return 1
	printf '0 1 20.125 1\n1 3 5 1\n' > "$work/costs.i/receive"
	gives 1 'core 3, which this machine cannot have' "$mkctl" topo \
		--import "$work/costs.i" || return 1
	[ ! -s "$tree/topology/costs/send" ] || return 1
	cp "$work/costs.i/send" "$work/costs.i/receive"
	gives 0 '' "$mkctl" topo --import "$work/costs.i" || return 1
	grep -q '^3 CPUs on 2 nodes' "$work/out" || return 1
	cmp "$work/costs.i/send" "$tree/topology/costs/send" || return 1
	cmp "$work/costs.i/send" "$tree/topology/costs/receive" || return 1
	[ ! -s "$tree/topology/costs/rtt" ] || return 1
	gives 2 'give one' "$mkctl" topo --measure --import "$work/costs.i"
}

topos()
{
	that 'topo: exports matrices into a directory' topo_export_dir
	that 'topo: a directory of costs into the module' topo_import_dir
	that 'topo: nodes and a map' topo_text
	that 'topo: JSON' topo_json
	that 'topo: export and import' topo_round_trip
	that 'topo: recorded results with their own nodes' topo_recorded
	that 'topo: many CPUs' topo_shades
	that 'topo: bad files' topo_bad_costs
	that 'topo: wrong arguments, a broken tree' topo_wrong
	that 'topo: measures first' topo_measure
}
