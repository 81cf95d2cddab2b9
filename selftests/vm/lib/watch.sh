# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Watching the guest from start to verdict.
#
# The guest publishes started, status and end in the shared directory; a panic
# shows in the console. Looking at files with the shell's own tests costs no
# process, which matters where the guest is being timed on the same cores.

# Sleep without a process: nothing is ever written to this pipe.
nap_prepare()
{
	mkfifo "$RUN_DIR/nap"
	exec {NAP_FD}<> "$RUN_DIR/nap"
}

nap()
{
	read -r -t "$1" -u "$NAP_FD" || :
}

stream_output()
{
	local share=$RUN_DIR/share

	: > "$share/stdout"
	: > "$share/stderr"
	[[ $OUTPUT_MODE != shell ]] || return 0
	# With --pid, tail reads what is left after QEMU has gone, and ends.
	tail -s 0.2 -n +1 -f --pid="$QEMU_PID" "$share/stdout" 2>/dev/null &
	TAILS+=($!)
	[[ $OUTPUT_MODE = separate ]] || return 0
	tail -s 0.2 -n +1 -f --pid="$QEMU_PID" "$share/stderr" >&2 2>/dev/null &
	TAILS+=($!)
}

guest_runs()
{
	kill -0 "$QEMU_PID" 2>/dev/null
}

end_guest()
{
	local pid

	kill -KILL "$QEMU_PID" 2>/dev/null
	wait_seconds 10 guest_gone
	for pid in "${TAILS[@]}"; do
		wait "$pid" 2>/dev/null
	done
	TAILS=()
}

# wait_seconds SECONDS CONDITION...: true as soon as the condition is.
wait_seconds()
{
	local until=$((${EPOCHREALTIME/./} + $1 * 1000000))
	shift

	while ((${EPOCHREALTIME/./} < until)); do
		"$@" && return 0
		nap 0.1
	done
	"$@"
}

guest_gone() { ! guest_runs; }
log_complete() { grep -q 'mk-vm: end of the log' "$RUN_DIR/share/kmsg" 2>/dev/null; }

# The console is only read again when it has changed.
console_panicked()
{
	[[ $RUN_DIR/console -nt $RUN_DIR/console.seen ]] || return 1
	touch -r "$RUN_DIR/console" "$RUN_DIR/console.seen"
	grep -q 'Kernel panic - not syncing' "$RUN_DIR/console"
}

# For STALL seconds now the command has printed nothing. Looked at now and then
# only, since what was seen last costs a process.
command_stalls()
{
	local out=$RUN_DIR/share/stdout

	[[ -n $STALL && -n $BOOT_TIME ]] || return 1
	if ((SECONDS >= STALL_LOOK)); then
		STALL_LOOK=$((SECONDS + 5))
		if [[ $out -nt $RUN_DIR/stdout.seen ]]; then
			touch -r "$out" "$RUN_DIR/stdout.seen"
			STALLED=$((SECONDS + STALL))
		fi
	fi
	((SECONDS >= STALLED))
}

# Ask a guest that does not move where it stands: the NMI makes it panic, which
# prints the stacks and the log, and reboot, which ends QEMU.
interrogate_guest()
{
	echo nmi > "$RUN_DIR/monitor.in" &
	HELPERS+=($!)
	wait_seconds 15 guest_gone || :
}

# watch_guest sets BOOT_TIME, and OUTCOME:
#   finished the command ended, and the log is whole
#   log      the command ended, but the end of the log never came
#   panic    the guest panicked or was gone without a word
#   timeout  the command did not end
#   stall    it printed nothing for too long
#   hung     that before the command could start
#   boot     any other of these before it could
#   vanished gone by then, and without a word
#   qemu     QEMU itself failed
watch_guest()
{
	local share=$RUN_DIR/share deadline

	OUTCOME='' BOOT_TIME='' STALL_LOOK=0
	stream_output

	deadline=$((SECONDS + BOOT_TIMEOUT))
	while [[ -z $OUTCOME ]]; do
		if [[ -z $BOOT_TIME && -e $share/started ]]; then
			BOOT_TIME=$(elapsed "$STARTED")
			deadline=$((SECONDS + TIMEOUT))
			STALLED=$((SECONDS + ${STALL:-0}))
			((!SHELL_MODE)) || deadline=$((SECONDS + 1000000))
		fi
		if [[ -e $share/end ]]; then
			OUTCOME=finished
		elif console_panicked; then
			# It should reboot now, which ends QEMU.
			wait_seconds 15 guest_gone
			OUTCOME=panic
		elif guest_gone; then
			OUTCOME=panic
			if ! console_panicked; then
				[[ -n $BOOT_TIME ]] || OUTCOME=vanished
				[[ ! -s $RUN_DIR/qemu.log ]] || OUTCOME=qemu
			fi
		elif ((SECONDS >= deadline)); then
			OUTCOME=timeout
			interrogate_guest
		elif command_stalls; then
			OUTCOME=stall
			interrogate_guest
		else
			nap 0.1
		fi
	done
	if [[ -z $BOOT_TIME ]]; then
		case $OUTCOME in
		finished) BOOT_TIME=$(elapsed "$STARTED") ;;
		timeout) OUTCOME=hung ;;
		panic) OUTCOME=boot ;;
		esac
	fi
	if [[ $OUTCOME = finished ]]; then
		wait_seconds 5 log_complete || OUTCOME=log
	fi
	end_guest
}

# The log as one file. The follower has all but a guest's last words. A panic
# prints the whole log again on the console: where that is complete, it is the
# log.
assemble_log()
{
	local log=$RUN_DIR/log console=$RUN_DIR/log.console start

	tr -d '\r' < "$RUN_DIR/console" > "$console"
	start=$(grep -n 'Linux version ' "$console" | tail -n 1)
	start=${start%%:*}
	if [[ -n $start ]] && tail -n "+$start" "$console" |
		grep -q 'Kernel panic - not syncing'; then
		tail -n "+$start" "$console" > "$log"
	else
		awk -f "$VM_DIR/lib/klog.awk" "$RUN_DIR/share/kmsg" 2>/dev/null |
			grep -v 'mk-vm: end of the log' > "$log"
		if [[ $OUTCOME != finished ]]; then
			echo "--- console ---"
			cat "$console"
		fi >> "$log"
	fi
	[[ -z $KEEP_LOG ]] || cp "$log" "$KEEP_LOG"
}

copy_output()
{
	[[ -n $OUT_DIR ]] || return 0
	[[ -n $(ls -A "$RUN_DIR/share/out") ]] || return 0
	cp -RP "$RUN_DIR/share/out/." "$OUT_DIR/" ||
		complain "cannot copy the output files to $OUT_DIR"
}

# print_log: the kernel log from shortly before its first report on, or, where
# there is none, its end.
print_log()
{
	{
		echo "--- kernel log ---"
		if awk -v mode=rest -f "$VM_DIR/lib/klog.awk" "$RUN_DIR/log" \
			> "$RUN_DIR/log.rest"; then
			tail -n 150 "$RUN_DIR/log"
		else
			head -n 400 "$RUN_DIR/log.rest"
		fi
		echo "--- end of kernel log ---"
	} >&2
}

# Every check has been made before the last line is written.
give_verdict()
{
	local status=0 reports where

	assemble_log
	copy_output
	where="$ACCEL, $KERNEL_VERSION, nodes: $NODES, CPUs: $CPUS"

	case $OUTCOME in
	qemu)
		cat "$RUN_DIR/qemu.log" >&2
		die "$EXIT_BOOT" "QEMU failed ($where)"
		;;
	boot | hung | vanished)
		print_log
		die "$EXIT_BOOT" "the guest did not boot ($where)"
		;;
	panic)
		print_log
		die "$EXIT_PANIC" "the guest ended before the command did ($where)"
		;;
	timeout)
		print_log
		die "$EXIT_TIMEOUT" "the command did not end within $TIMEOUT s ($where)"
		;;
	stall)
		print_log
		die "$EXIT_TIMEOUT" "the command printed nothing for $STALL s ($where)"
		;;
	log)
		print_log
		die "$EXIT_WARNING" "the kernel log is incomplete ($where)"
		;;
	esac

	status=$(< "$RUN_DIR/share/status")
	if ! reports=$(awk -v mode=reports -f "$VM_DIR/lib/klog.awk" "$RUN_DIR/log"); then
		printf -- '--- kernel reports ---\n%s\n--- end ---\n' "$reports" >&2
		die "$EXIT_WARNING" "the kernel log has a report; the command's own status was $status ($where)"
	fi
	say "exit status $status ($where; boot $BOOT_TIME s, whole run $(elapsed "$STARTED") s)"
	exit "$status"
}
