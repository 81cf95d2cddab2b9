# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0
#
# Tests of mkctl doctor on a host of files. To be sourced by run.

release=6.1.0-50-amd64

# host: $host, on which all is well and the module is not loaded
host()
{
	local node
	host=$work/host
	rm -rf "$host"
	mkdir -p "$host"/{proc/sys/kernel,proc/42,boot,sys/kernel/security} \
		"$host/lib/modules/$release"/{build,updates} \
		"$host/sys/module/module/parameters" \
		"$host"/sys/devices/system/node/{node0,node1} \
		"$host"/sys/devices/system/cpu/{smt,vulnerabilities,cpu0/cpufreq} \
		"$host/sys/devices/system/clocksource/clocksource0"
	echo "$release" > "$host/proc/sys/kernel/osrelease"
	echo 0 > "$host/proc/sys/kernel/modules_disabled"
	echo 'quiet' > "$host/proc/cmdline"
	echo 'none /sys/kernel/debug debugfs rw 0 0' > "$host/proc/mounts"
	echo '0.01 0.02 0.03 1/100 1234' > "$host/proc/loadavg"
	echo 'flags		: fpu constant_tsc nonstop_tsc' > "$host/proc/cpuinfo"
	printf 'Name:\tserver\nState:\tS (sleeping)\nTgid:\t42\nVmSize:\t100 kB\n' \
		> "$host/proc/42/status"
	echo '[none] integrity confidentiality' > "$host/sys/kernel/security/lockdown"
	echo N > "$host/sys/module/module/parameters/sig_enforce"
	printf '\nCONFIG_%s=y' MODULES DEBUG_FS SMP NUMA MMU_NOTIFIER TRACEPOINTS \
		> "$host/boot/config-$release"
	: > "$host/lib/modules/$release/build/Makefile"
	echo 'updates/multikernel.ko:' > "$host/lib/modules/$release/modules.dep"
	printf 'v\0ve\0vermagic=%s SMP preempt\0' "$release" \
		> "$host/lib/modules/$release/updates/multikernel.ko"
	(
		cd "$host/sys/devices/system" || exit
		echo 0-1 > node/online
		for node in 0 1; do
			echo "$((2 * node))-$((2 * node + 1))" > "node/node$node/cpulist"
			echo '10 20' > "node/node$node/distance"
		done
		echo tsc > clocksource/clocksource0/current_clocksource
		echo performance > cpu/cpu0/cpufreq/scaling_governor
		echo 0 > cpu/smt/active
		echo 'Not affected' > cpu/vulnerabilities/meltdown
	)
}

doctor_well()
{
	host
	gives 1 '' "$mkctl" doctor --root "$host" --pid 42 || return 1
	# Alone the module is not there to mirror a process with.
	[ "$(grep -c '^fail' "$work/out")" = 1 ] &&
		grep -q '^fail  mirror: the module is not loaded' "$work/out" &&
		gives 0 '' "$mkctl" doctor --root "$host" &&
		! grep -qvE '^ok    ' "$work/out"
}

# ill STATUS LINE FILE TEXT: with this in that file the line appears, which was
# not there before
ill()
{
	host
	"$mkctl" doctor --root "$host" > "$work/before" 2>&1
	! grep -qE "$2" "$work/before" || return 1
	if [ -n "${4-}" ]; then echo "$4" > "$host/$3"; else rm -rf "${host:?}/$3"; fi
	gives "$1" '' "$mkctl" doctor --root "$host" || return 1
	grep -qE "$2" "$work/out"
}

doctor_ills()
{
	local sys=sys/devices/system
	ill 1 '^fail  kernel: 6.5.0, but .*; boot a 6.1' proc/sys/kernel/osrelease 6.5.0 &&
		ill 1 '^fail  kernel: cannot read .*; mount /proc' proc &&
		ill 1 '^fail  modules: loading was switched off' proc/sys/kernel/modules_disabled 1 &&
		ill 1 '^fail  modules: the kernel is locked down' sys/kernel/security/lockdown \
			'none [integrity] confidentiality' &&
		ill 1 '^fail  modules: unsigned ones are refused' \
			sys/module/module/parameters/sig_enforce Y &&
		ill 1 '^fail  debugfs: not mounted; sudo mount' proc/mounts 'none / tmpfs rw 0 0' &&
		ill 1 '^fail  debugfs: the kernel was told' proc/cmdline 'quiet debugfs=off' &&
		ill 1 '^fail  configuration: this one lacks CONFIG_NUMA, for nodes' \
			"boot/config-$release" CONFIG_X=y &&
		ill 0 '^warn  configuration: cannot tell' "boot/config-$release" &&
		ill 1 '^fail  module: .* is for 6.1.9-1; build it again' \
			"lib/modules/$release/updates/multikernel.ko" 'vermagic=6.1.9-1 SMP' &&
		ill 1 '^fail  module: .* is for no kernel at all' \
			"lib/modules/$release/updates/multikernel.ko" vvvvvvvv &&
		ill 0 '^warn  module: neither installed' "lib/modules/$release/modules.dep" &&
		ill 0 '^warn  CPUs: 2 on one node' $sys/node/online 0 &&
		ill 0 '^warn  clock: the kernel uses hpet' \
			$sys/clocksource/clocksource0/current_clocksource hpet &&
		ill 0 '^warn  clock: the TSC stops' proc/cpuinfo 'flags : fpu constant_tsc_not' &&
		ill 0 '^warn  hardware: a hypervisor' proc/cpuinfo \
			'flags : constant_tsc nonstop_tsc hypervisor' &&
		ill 0 '^warn  frequency: the governor is powersave' \
			$sys/cpu/cpu0/cpufreq/scaling_governor powersave &&
		ill 0 '^warn  SMT: ' $sys/cpu/smt/active 1 &&
		ill 0 '^warn  load: 3.20 of a CPU' proc/loadavg '3.20 1 1 1/1 1' &&
		ill 1 '^fail  mirror: page-table isolation is on.*; boot with pti=off' \
			$sys/cpu/vulnerabilities/meltdown 'Mitigation: PTI'
}

# process LINE STATUS…: what is said of process 42
process()
{
	host
	mkdir -p "$host/sys/module/multikernel" "$host/sys/kernel/debug/multikernel/mirror"
	: > "$host/sys/kernel/debug/multikernel/mirror/attach"
	printf '%s\n' "${@:2}" > "$host/proc/42/status"
	"$mkctl" doctor --root "$host" --pid 42 > "$work/out"
	cat "$work/out"
	grep -qE "$1" "$work/out"
}

doctor_processes()
{
	process '^ok    process: 42 .b. can be mirrored' 'Name: b' 'Tgid: 42' 'VmSize: 9 kB' &&
		process '^fail  process: 42 .b. is a kernel thread' 'Name: b' 'Tgid: 42' &&
		process '^fail  process: 42 is a thread of 40' 'Name: b' 'Tgid: 40' 'VmSize: 1' &&
		process '^fail  process: 42 .b. has ended' 'Name: b' 'Tgid: 42' 'State: Z (zombie)' &&
		process '^fail  process: there is no process 42' ''
}

doctor_experiments()
{
	topo_tree
	"$mkctl" doctor urpc_latency > "$work/out"
	grep -q '^ok    urpc_latency' "$work/out" || return 1
	"$mkctl" doctor none > "$work/out"
	grep -q '^fail  none: there is no such experiment; mkctl list' "$work/out" || return 1
	echo 1 > "$tree/experiments/urpc_latency/run"
	echo 0-1 > "$tree/experiments/urpc_latency/cpus"
	echo 0 > "$tree/topology/cpu1/online"
	"$mkctl" doctor urpc_latency > "$work/out"
	grep -q '^fail  urpc_latency: it runs at the moment' "$work/out" &&
		grep -q '^warn  urpc_latency: 1 of its CPUs (0-1)' "$work/out" || return 1
	echo 0 > "$tree/topology/cpu0/online"
	"$mkctl" doctor urpc_latency > "$work/out"
	grep -q '^fail  urpc_latency: none of its CPUs (0-1)' "$work/out"
}

doctor_wrong()
{
	gives 2 'number of a process' "$mkctl" doctor --pid one &&
		gives 2 'one experiment' "$mkctl" doctor a b
}

doctors()
{
	that 'doctor: a host without fault' doctor_well
	that 'doctor: each fault is found' doctor_ills
	that 'doctor: processes' doctor_processes
	that 'doctor: experiments' doctor_experiments
	that 'doctor: wrong arguments' doctor_wrong
}
