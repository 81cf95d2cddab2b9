# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0
#
# Running kselftest programs in guests, for the scripts that do. To be sourced,
# after report.sh and ktap.sh.

kselftest=build/kselftest
# What the guests printed, and their kernel logs.
logs=build/check

# Seconds for one guest, and for one of its tests, each of which prints a line: the
# second is what ends one that hangs, the first is for what goes on for ever. A guest
# of all programs takes 15 minutes on two cores at rest, and 40 where others compile.
patience=${MK_PATIENCE:-4000}
stall=${MK_STALL:-300}
# What the kernel of a guest takes for a stall: an emulated CPU may get a fifth of a
# host's that is busy with other guests (seen: 1,090 ticks in 21 seconds, in a storm).
# shellcheck disable=SC2034 # for the scripts that source this
slow="rcupdate.rcu_cpu_stall_timeout=120 watchdog_thresh=60 workqueue.watchdog_thresh=120"

say()
{
	echo "# $*"
}

# The output of a build matters only when it fails.
build()
{
	try "build $*" make "-j$(nproc)" --no-print-directory "$@"
}

kselftests()
{
	[ -n "${kselftests_built-}" ] || {
		build tools
		build -C selftests/guest
	}
	kselftests_built=1
}

# The programs' collection: selftests/guest; or mirror, selftests/mirror.
collection=multikernel

# Where a processor has erms Linux clears and copies byte by byte, which is emulated as
# that: starting a program took half as long again, and to fill 800 MiB of memory that had
# held programs 31 seconds in place of 8. kswapd has been seen to keep a CPU for 20.
emulated=(--cpu-off "erms,fsrm")

# guest_run NAME MODULE PROGRAMS OPTION...: a guest, made by selftests/vm/run
# with these options, and the programs in it
guest_run()
{
	local name=$1 built=$2 program status
	local log=$logs/$1.log kmsg=$logs/$1.kmsg err=$logs/$1.err
	local module=$logs/$1.ko
	local -a run list=()

	read -ra list <<< "$(tr '\n' ' ' <<< "$3")"
	shift 3
	run=("$PWD/selftests/guest/steady" "$PWD/selftests/guest/quick"
		"$PWD/$kselftest/run_kselftest.sh")
	for program in "${list[@]}"; do
		run+=(-t "$collection:$program")
	done

	say "guest $name: $*: ${list[*]}"
	mkdir -p "$logs"
	rm -f "$log" "$kmsg" "$err"
	# What is for debuggers is most of it, and is read each time it is loaded.
	if ! objcopy --strip-debug "$built" "$module"; then
		fail "$name" "no module to load"
		return
	fi
	ktap_count "$name" "${list[@]}" < <(
		selftests/vm/run "$@" \
			--timeout "$patience" --stall "$stall" --keep-log "$kmsg" \
			"${emulated[@]}" \
			--env "MK_MODULE=$PWD/$module" \
			-- "${run[@]}" 2> "$err" | tee "$log"
		echo "${PIPESTATUS[0]}" > "$log.status"
	)
	status=$(< "$log.status")
	rm -f "$log.status"
	if [ "$status" = 0 ]; then
		pass "$name: boots and ends without a kernel warning"
	else
		quote < "$err"
		fail "$name: boots and ends without a kernel warning" \
			"exit $status, log in $kmsg"
	fi
}
