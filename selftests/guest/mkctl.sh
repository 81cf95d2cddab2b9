#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# mkctl against the module: every subcommand does what it says, and what it leaves
# is what others make of it. MK_MKCTL names another mkctl, a broken one say; arguments
# are the tests to run, all if there are none.
#
# The Makefile puts this where the test programs are, three below the top.
set -u
cd "$(dirname "$0")/../../.." || exit
mkctl=${MK_MKCTL:-$PWD/userctl/mkctl}
module=${MK_MODULE:-$PWD/build/$(uname -r)/multikernel.ko}
root=/sys/kernel/debug/multikernel
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export LC_ALL=C
# shellcheck source=userctl/tests/lib.sh
. userctl/tests/lib.sh

# What an experiment is given to do, so that it is soon over.
little=(--set samples=16 --set warmup=2)

# --- the module ------------------------------------------------------------------

# alone COMMAND...: with all CPUs but the first off line. The first mirror, and
# rmmod after it, patch code that all CPUs run, which QEMU does not always notice.
alone()
{
	local cpu status
	local -a others=()

	for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
		[ "$(cat "$cpu")" = 1 ] || continue
		others+=("$cpu")
		echo 0 > "$cpu"
	done
	"$@"
	status=$?
	for cpu in "${others[@]}"; do
		echo 1 > "$cpu"
	done
	return "$status"
}

# steady 1|0: probes on the module's events, see the script of that name; 0 before
# the module goes
steady()
{
	local file

	for file in /sys/kernel/tracing/instances/steady-*/events/multikernel/enable; do
		[ ! -e "$file" ] || echo "$1" > "$file" || return
	done
}

# unloads: what others have just closed may take a moment to be gone
unloads()
{
	local _

	for _ in {1..50}; do
		! rmmod multikernel 2> "$work/err" || return 0
		sleep 0.1
	done
	cat "$work/err"
	return 1
}

value() { cat "$root/experiments/$1"; }

# Of all experiments, what can be set.
values() { grep -r . "$root"/experiments/*/{samples,warmup,repeat*,cpus} 2> /dev/null; }

# --- running and reporting -------------------------------------------------------

lists()
{
	gives 0 '' "$mkctl" list || return 1
	diff <(awk '{ print $1 }' "$work/out" | sort) <(find "$root/experiments" \
		-mindepth 1 -maxdepth 1 -printf '%f\n' | sort) || return 1
	gives 0 '' "$mkctl" list urpc_latency || return 1
	grep -qE "^samples +$(value urpc_latency/samples) +" "$work/out"
}

# Warnings of what spoils a measurement are fine; errors are not.
runs()
{
	values > "$work/before"
	"$mkctl" run "${little[@]}" --repeat 2 --cpus 0-1 --out "$work/run" \
		urpc_latency storm > "$work/ran" 2> "$work/err" || {
		cat "$work/err"
		return 1
	}
	cat "$work/err"
	! grep '^mkctl: ' "$work/err" | grep -v '^mkctl: warning: ' || return 1
	grep -qE '^urpc_latency: done after [0-9.]+ s, [0-9]+ rows$' "$work/err" || return 1
	grep -q '^urpc .* 0 *-> *1 ' "$work/ran" || {
		cat "$work/ran"
		return 1
	}
	grep -q 'measured under emulation' "$work/ran" || [ "${MK_ACCEL-}" != tcg ] || return 1
	# What was asked for was measured, and is as before.
	awk -F, '$2 == "urpc" { cpu[$4] = cpu[$5] = repeat[$8] = 1 }
		$9 == "round_trip_n" && $11 == "samples" && $10 != 16 { bad = 1 }
		END { for (c in cpu) if (c > 1) bad = 1
			exit bad || !(0 in repeat) || !(1 in repeat) || 2 in repeat }' \
		"$work/run/urpc_latency.csv" || return 1
	values | diff "$work/before" -
}

# What does not depend on the machine is there, and what it has is known.
describes()
{
	python3 - "$work/run/env.json" "$root" <<-'END'
	import json, os, sys
	env = json.load(open(sys.argv[1]))
	assert len(env["topology"]["nodes"]) == len(env["topology"]["nodes"][0]["distance"])
	assert len(env["topology"]["cpus"]) == os.cpu_count() == env["cpu"]["online"], env["cpu"]
	assert all(cpu["node"] is not None for cpu in env["topology"]["cpus"])
	for part, names in {
	        "cpu": ["model", "vendor", "online_list", "flags"],
	        "kernel": ["release", "version", "command_line", "thp", "numa_balancing",
	                   "clocksource", "tainted"],
	        "module": ["version", "srcversion", "parameters"],
	        "clock": ["overhead_cycles", "khz", "stable"]}.items():
	    for name in names:
	        assert env[part][name] is not None, (part, name)
	for part, names in {"power": ["governor", "smt_active", "smt_control"]}.items():
	    for name in names:
	        assert name in env[part], (part, name)
	for name in "hypervisor", "emulated", "time", "load_before", "mitigations", "warnings":
	    assert env[name] is not None, name
	assert env["mitigations"] and len(env["load_before"]) == 3
	assert env["kernel"]["command_line"] == open("/proc/cmdline").read().strip()
	assert env["module"]["version"] == open(sys.argv[2] + "/version").read().strip()
	assert [run["status"] for run in env["runs"]] == ["done", "done"], env["runs"]
	END
}

reports()
{
	gives 0 '' "$mkctl" report "$work/run" || return 1
	# The head names the directory, and the foot of a run too.
	diff <(sed '/^written to/d' "$work/ran" | sed '${/^$/d}') <(sed 1,4d "$work/out") || return 1
	gives 0 '' "$mkctl" report --format csv "$work/run" || return 1
	# The same rows, whatever file they are in.
	diff <(sort "$work/out") <(sort "$work/run/all.csv") || return 1
	gives 0 '' "$mkctl" report --format json "$work/run" || return 1
	python3 userctl/tests/report_page.py read "$work/run/report.html" "$work/run"
}

# refused PATTERN ARGUMENT...: with status 2, nothing run and nothing changed
refused()
{
	local pattern=$1

	shift
	values > "$work/before"
	gives 2 "$pattern" "$mkctl" run --out "$work/refused" "$@" || return 1
	[ ! -e "$work/refused" ] && values | diff "$work/before" -
}

refuses()
{
	refused "no experiment 'urpc'; there are: .*urpc_latency" urpc &&
		refused "has no parameter 'sample'; there are: .*samples" \
			--set sample=16 urpc_latency &&
		refused "'few' is not a value .* it takes: samples: " \
			--set warmup=3 --set samples=few urpc_latency &&
		refused "outside its range" --set samples=0 urpc_latency &&
		refused "cpus: " --cpus 4095 urpc_latency &&
		gives 2 'holds a run already' "$mkctl" run --out "$work/run" urpc_latency
}

# The second of three is cancelled: the first is whole, the third not begun.
interrupts()
{
	local pid _ status

	values > "$work/before"
	env --default-signal=INT "$mkctl" run --quiet --set urpc_latency.samples=16 \
		--set growth.samples=100000 --out "$work/cut" \
		urpc_latency growth storm > "$work/ran" 2> "$work/err" &
	pid=$!
	for _ in {1..200}; do
		[ ! -s "$work/cut/urpc_latency.csv" ] || break
		sleep 0.1
	done
	for _ in {1..50}; do
		[ "$(value growth/run)" != 1 ] || break
		sleep 0.1
	done
	kill -INT "$pid"
	wait "$pid"
	status=$?
	cat "$work/ran" "$work/err"
	echo "exit status $status, expected 130"
	[ "$status" = 130 ] && [ "$(value growth/run)" = 0 ] || return 1
	grep -q '^urpc_latency,environment,.*,status,' "$work/cut/urpc_latency.csv" || return 1
	[ ! -e "$work/cut/storm.csv" ] && [ -s "$work/cut/report.html" ] || return 1
	python3 - "$work/cut/env.json" <<-'END' || return 1
	import json, sys
	runs = {run["experiment"]: run["status"] for run in json.load(open(sys.argv[1]))["runs"]}
	assert runs == {"urpc_latency": "done", "growth": "interrupted", "storm": "not run"}, runs
	END
	values | diff "$work/before" -
}

# --- traces ---------------------------------------------------------------------------

# Nobody's trace instance is left.
instances() { find /sys/kernel/tracing/instances -mindepth 1 -maxdepth 1 ! -name 'steady-*'; }

# traces ARGUMENT...: again, twice at most, if it says that events were lost, as they
# may be on a busy host
traces()
{
	local try

	for try in 1 2 3; do
		gives 0 '' "$mkctl" trace "$@" && return 0
		grep -q '^events were lost' "$work/out" || return 1
		echo "try $try: $(grep '^events were lost' "$work/out")"
	done
	return 1
}

traces_experiment()
{
	traces --output "$work/a.dat" "${little[@]}" --set repeats=1 \
		--set pages=1 --set targets=polling --set cores=2 unmap || return 1
	grep -q ' agree, 0 do not$' "$work/out" || return 1
	# So many were measured, and two thrown away before; unicast is measured twice.
	grep -qE '^ +1 +linux +18 +0 ' "$work/out" && grep -qE '^ +1 +unicast +36 +2 ' "$work/out" ||
		return 1
	[ -z "$(instances)" ] || return 1
	cp "$work/out" "$work/recorded"
}

reads_back()
{
	gives 0 '' "$mkctl" trace --input "$work/a.dat" || return 1
	diff "$work/recorded" "$work/out" || return 1
	gives 0 '' "$mkctl" trace --input "$work/a.dat" --format csv || return 1
	[ "$(awk -F, '$1 == "unicast" && $6 == 1' "$work/out" | wc -l)" = 36 ]
}

# trace-cmd opens the file, and counts what mkctl counted.
trace_cmd_reads()
{
	local sent received

	trace-cmd report -i "$work/a.dat" > "$work/out" 2> "$work/err" || {
		cat "$work/err"
		return 1
	}
	sent=$(grep -c ' mk_send:' "$work/out")
	received=$(grep -c ' mk_receive:' "$work/out")
	echo "trace-cmd: $sent sent, $received received"
	[ "$sent" -gt 0 ] || return 1
	grep -q ' tlb_flush:' "$work/out" && grep -q 'mkctl: clock mono' "$work/out" || return 1
	grep -q "^messages: $sent sent, $received received, $sent pairs$" "$work/recorded"
}

# Threads on all CPUs, and memory that goes: Linux interrupts them.
flushes='
import mmap, os, threading, time
end = time.monotonic() + 0.5
def spin(cpu):
    os.sched_setaffinity(0, {cpu})
    while time.monotonic() < end:
        pass
for cpu in range(1, os.cpu_count()):
    threading.Thread(target=spin, args=(cpu,)).start()
os.sched_setaffinity(0, {0})
while time.monotonic() < end:
    page = mmap.mmap(-1, 4096)
    page[0] = 1
    page.close()
    time.sleep(0.005)
'

traces_command()
{
	traces --output "$work/b.dat" -- python3 -c "$flushes" || return 1
	grep -qE ' tlb_flush ' "$work/out" && [ -z "$(instances)" ] || return 1
	# Some other CPU had to flush for it.
	grep -qE '^ +[1-9][0-9]* +tlb_flush ' "$work/out" || return 1
	gives 1 'false ended with status 1' "$mkctl" trace --output "$work/c.dat" -- false
}

traces_process()
{
	local pid status

	python3 -c "${flushes/+ 0.5/+ 30}" &
	pid=$!
	python "$pid" && traces --output "$work/d.dat" --duration 1 --pid "$pid"
	status=$?
	kill "$pid"
	wait "$pid" 2> /dev/null
	[ "$status" = 0 ] && grep -qE ' tlb_flush ' "$work/out" || return 1
	gives 2 "there is no process $pid" "$mkctl" trace --output "$work/d.dat" --pid "$pid"
}

# What a process with 200 threads has noted of it is more than the buffer holds, as is
# what four of them do: the notes are all there, and no event went for them that was not
# counted before.
crowd='
import threading, time
def wake_often():
    while True:
        time.sleep(0.001)
for i in range(200):
    threading.Thread(target=time.sleep if i > 3 else wake_often,
                     args=(60,) if i > 3 else (), daemon=True).start()
time.sleep(60)
'

notes_have_room()
{
	local pid lost status=0

	python3 -c "$crowd" &
	pid=$!
	for _ in {1..100}; do
		[ "$(threads "$pid")" -lt 201 ] || break
		sleep 0.1
	done
	gives 1 '' "$mkctl" trace --buffer 8 --output "$work/g.dat" --duration 1 --pid "$pid" ||
		status=1
	kill "$pid"
	wait "$pid" 2> /dev/null
	[ "$status" = 0 ] || return 1
	trace-cmd report -i "$work/g.dat" > "$work/notes" 2> "$work/err"
	lost=$(sed -n 's/.*mkctl: lost //p' "$work/notes")
	echo "noted: $lost lost, $(grep -c 'mkctl: task' "$work/notes") threads"
	[ "$(grep -c 'mkctl: task' "$work/notes")" = 201 ] && [ "$lost" -gt 0 ] || return 1
	grep -q "^events were lost: $lost, " "$work/out"
}

# --- looking ---------------------------------------------------------------------------

# While messages go to and fro, some CPU sends and some receives.
watches()
{
	local status

	"$mkctl" run --quiet --set storm.rounds=1000 --out "$work/busy" storm \
		> /dev/null 2> "$work/ran" &
	sleep 0.5
	gives 0 '' "$mkctl" top --delay 0.5 --iterations 2
	status=$?
	cp "$work/out" "$work/top"
	kill -TERM $!
	wait $!
	cat "$work/ran"
	[ "$status" = 0 ] || return 1
	[ "$(grep -c '^ *CPU  *node ' "$work/top")" = 2 ] || return 1
	[ "$(grep -cE '^ *all of ' "$work/top")" = "$((2 * $(find /sys/devices/system/node \
		-mindepth 1 -maxdepth 1 -name 'node*' | wc -l)))" ] || return 1
	awk '$1 == "all" && $2 ~ /^[1-9]/ && $3 ~ /^[1-9]/ { busy = 1 } END { exit !busy }' \
		"$work/top" || return 1
	grep -q 'no process is mirrored' "$work/top"
}

# Costs of all pairs, as a map, and as a file that a plan is made from.
maps()
{
	local n

	n=$(nproc)
	"$mkctl" topo --measure --export "$work/costs" > "$work/out" 2> "$work/err" || {
		cat "$work/err"
		return 1
	}
	cat "$work/out"
	[ "$(grep -vc '^#' "$work/costs")" = "$((n * (n - 1)))" ] || return 1
	gives 0 '' "$mkctl" topo --format json || return 1
	python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$work/out"
}

# Matrices come out, go in again, and come out the same; bad ones do not.
imports()
{
	local costs=/sys/kernel/debug/multikernel/topology/costs one
	local exp=/sys/kernel/debug/multikernel/experiments/costs

	echo 16 > "$exp/samples" && echo 0 > "$exp/warmup" || return 1
	mkdir -p "$work/out.d" "$work/again.d"
	"$mkctl" topo --measure --export "$work/out.d" > "$work/out" 2>&1 || return 1
	sed -i -E 's/^([0-9]+ [0-9]+) [0-9.]+/\1 77.125/' "$work/out.d/send"
	gives 0 '' "$mkctl" topo --import "$work/out.d" || return 1
	gives 0 '' "$mkctl" topo --export "$work/again.d" || return 1
	for one in send receive rtt; do
		diff "$work/out.d/$one" "$work/again.d/$one" || return 1
	done
	[ "$(nproc)" = 1 ] || grep -q ' 77.125 ' "$costs/send" || return 1
	sed -i 's/77.125/x/' "$work/out.d/send"
	gives 1 'send:2: ' "$mkctl" topo --import "$work/out.d"
}

plans()
{
	gives 0 '' "$mkctl" plan --send "$work/costs" --receive "$work/costs" --nodes 2 \
		--op both --compare || return 1
	grep -q '^ *sequential' "$work/out"
}

diagnoses()
{
	gives 0 '' "$mkctl" doctor || return 1
	grep -q '^ok ' "$work/out" && ! grep '^fail ' "$work/out" || return 1
	gives 0 '' "$mkctl" doctor unmap || return 1
	gives 0 '' "$mkctl" doctor --pid $$ || return 1
	# A kernel thread is not mirrored.
	gives 1 '' "$mkctl" doctor --pid 2 || return 1
	grep -q '^fail ' "$work/out"
}

# --- mirrors -------------------------------------------------------------------------

mirrors_command()
{
	# shellcheck disable=SC2016 # of the other shell
	gives 7 '' alone "$mkctl" mirror run -- sh -c 'echo "$0 ran"; exit 7' it || return 1
	grep -qx 'it ran' "$work/out" || return 1
	gives 143 '' "$mkctl" mirror run -- sh -c 'kill -TERM $$' || return 1
	gives 1 'cannot run ./nothing: No such file' "$mkctl" mirror run -- ./nothing || return 1
	gives 0 '' "$mkctl" mirror list || return 1
	grep -qx 'no process is mirrored' "$work/out"
}

threads() { sed -n 's/^Threads:[[:space:]]*//p' "/proc/$1/status"; }

# python PID: it has begun what it is there for, one thread for each CPU
python()
{
	local _

	for _ in {1..100}; do
		[ "$(threads "$1")" -lt "$(nproc)" ] || return 0
		sleep 0.1
	done
	echo "process $1 has $(threads "$1") threads"
	return 1
}

# runs_mirrored PID: a moment may be such that none of its threads runs
runs_mirrored()
{
	local _

	for _ in {1..50}; do
		gives 0 '' "$mkctl" mirror show "$1" || return 1
		! grep -q 'replica' "$work/out" || return 0
		sleep 0.1
	done
	return 1
}

# mirrored PID: attached, seen, detached
mirrored()
{
	local pid=$1

	gives 0 '' "$mkctl" mirror attach "$pid" || return 1
	gives 1 "process $pid is mirrored already" "$mkctl" mirror attach "$pid" || return 1
	gives 0 '' "$mkctl" mirror list || return 1
	grep -qE "^ *$pid +python3 " "$work/out" || return 1
	runs_mirrored "$pid" || return 1
	grep -qE '^node +tables ' <(sed 's/^ *//' "$work/out") || return 1
	gives 0 '' "$mkctl" top --delay 0.2 --iterations 1 || return 1
	grep -q "^mirror $pid python3: " "$work/out" || return 1
	gives 0 '' "$mkctl" mirror detach "$pid" || return 1
	gives 1 "no process $pid, or it is not mirrored" "$mkctl" mirror detach "$pid" || return 1
	gives 1 "process $pid is not mirrored; say: mkctl mirror attach" \
		"$mkctl" mirror show "$pid" || return 1
	# It has not noticed.
	kill -0 "$pid"
}

mirrors_process()
{
	local pid status

	python3 -c "${flushes/+ 0.5/+ 60}" &
	pid=$!
	python "$pid" && mirrored "$pid"
	status=$?
	kill "$pid"
	wait "$pid" 2> /dev/null
	[ "$status" = 0 ] || return 1
	gives 1 "there is no process $pid" "$mkctl" mirror attach "$pid" || return 1
	gives 1 'process 2 is a kernel thread' "$mkctl" mirror attach 2
}

# --- without the module, and without root ----------------------------------------------

goes()
{
	alone steady 0 && alone unloads || return 1
	gives 3 'insmod|modprobe' "$mkctl" run || return 1
	gives 3 '^mkctl: ' "$mkctl" top || return 1
	gives 3 '^mkctl: ' "$mkctl" mirror list || return 1
	gives 3 '^mkctl: ' "$mkctl" topo --measure || return 1
	gives 0 '' "$mkctl" topo || return 1
	gives 0 '' "$mkctl" report "$work/run" || return 1
	gives 0 '' "$mkctl" trace --output "$work/e.dat" -- true
}

needs_root()
{
	local as=(setpriv --reuid 65534 --regid 65534 --clear-groups)

	gives 3 'root|sudo' "${as[@]}" "$mkctl" run || return 1
	gives 1 'root|sudo' "${as[@]}" "$mkctl" trace --output "$work/f.dat" -- true || return 1
	gives 0 '' "${as[@]}" "$mkctl" topo
}

# --------------------------------------------------------------------------------------

tests=(
	lists runs describes reports refuses interrupts watches
	traces_experiment reads_back trace_cmd_reads traces_command traces_process notes_have_room
	maps plans imports diagnoses mirrors_command mirrors_process needs_root goes
)

main()
{
	local test

	[ "$#" = 0 ] || tests=("$@")
	[ ! -e /sys/module/multikernel ] || alone unloads || exit
	echo 'TAP version 13'
	echo "1..${#tests[@]}"
	insmod "$module" || exit
	alone steady 1 || exit
	for test in "${tests[@]}"; do
		that "$test" "$test"
	done
	[ "$failed" = 0 ]
}

main "$@"
