# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
#
# What every piece of the test host needs: where things are, how to complain.
#
# VM_DIR is set by the script that sources this file. Nothing outside the
# checkout is written: whatever is built or remembered lives in $VM_BUILD,
# which git ignores.

VM_ROOT=$(cd "$VM_DIR/../.." && pwd)
# A test may look at another build directory; nothing else should.
VM_BUILD=${VM_BUILD:-$VM_ROOT/build/vm}

# Exit codes of run, beyond those of the command. They are part of its
# interface: the header of run documents them.
EXIT_USAGE=2
EXIT_WARNING=90
EXIT_PANIC=91
EXIT_TIMEOUT=92
EXIT_BOOT=93

say()
{
	[[ ${QUIET:-0} = 1 ]] || printf 'vm: %s\n' "$*" >&2
}

complain()
{
	printf 'vm: %s\n' "$*" >&2
}

die()
{
	local code=$1
	shift
	complain "$*"
	exit "$code"
}

need_program()
{
	local name
	for name; do
		command -v "$name" >/dev/null ||
			die "$EXIT_BOOT" "no $name here: run selftests/vm/deps vm"
	done
}

# Seconds since the epoch with a fraction, without starting a process.
now()
{
	printf '%s' "$EPOCHREALTIME"
}

# elapsed START: tenths matter to a person, microseconds do not.
elapsed()
{
	local us=$(( ${EPOCHREALTIME/./} - ${1/./} ))
	printf '%d.%d' $((us / 1000000)) $((us / 100000 % 10))
}
