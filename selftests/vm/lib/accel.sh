# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Which accelerator really works here. /dev/kvm may open and yet no guest ever
# leave the firmware under it, so the only proof is a guest that reached its
# init. The answer holds until the host boots again or QEMU changes.

PROBE_SECONDS=${VM_PROBE_SECONDS:-10}

# accel_choose WANTED sets ACCEL.
accel_choose()
{
	local wanted=$1 key file answer

	case $wanted in
	tcg|kvm|icount)
		ACCEL=$wanted
		return
		;;
	esac
	if [[ ! -w /dev/kvm ]]; then
		ACCEL=tcg
		return
	fi

	file=$VM_BUILD/accel
	key="$(< /proc/sys/kernel/random/boot_id) $(stat -Lc %Y:%s "$(command -v "$QEMU")")"
	# Several runs may begin at once; one probe answers for all.
	exec {probe_lock}> "$VM_BUILD/accel.lock"
	flock "$probe_lock"
	if [[ -r $file ]] && answer=$(< "$file") && [[ ${answer#* } = "$key" ]]; then
		ACCEL=${answer%% *}
	else
		ACCEL=tcg
		if accel_probe_kvm; then
			ACCEL=kvm
		else
			say "/dev/kvm is there, but no guest reached its init under it in $PROBE_SECONDS s: using tcg"
		fi
		echo "$ACCEL $key" > "$file.$$"
		mv "$file.$$" "$file"
	fi
	exec {probe_lock}>&-
}

# A guest that hangs here can burn a core in the host's kernel and ignore
# SIGTERM, so it gets SIGKILL.
accel_probe_kvm()
{
	local log=$RUN_DIR/probe.log pid i found=1

	setpriv --pdeathsig KILL "$QEMU" -nodefaults -no-user-config -display none \
		-no-reboot -machine q35 -accel kvm -cpu host -smp 2 -m 256M \
		-kernel "$KERNEL_BOOT" -initrd "$INITRAMFS" \
		-append "console=ttyS0 quiet panic=-1 mk.probe=1 mk.accel=kvm" \
		-serial "file:$log" < /dev/null > /dev/null 2>&1 &
	pid=$!
	# The shell need not tell how it died.
	disown "$pid"
	HELPERS+=("$pid")
	for ((i = 0; i < PROBE_SECONDS * 10; i++)); do
		if grep -q 'mk-vm: probe 1 kvm' "$log" 2>/dev/null; then
			found=0
			break
		fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	kill -KILL "$pid" 2>/dev/null
	return "$found"
}
