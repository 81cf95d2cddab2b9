# shellcheck shell=bash disable=SC2054
# SPDX-License-Identifier: GPL-2.0
#
# The guest as QEMU sees it: processors, nodes, memory, devices.

# matrix_check MATRIX NODES: rows separated by / or ;, figures by comma.
matrix_check()
{
	local -a rows row
	local i j

	IFS='/;' read -r -a rows <<< "$1"
	((${#rows[@]} == $2)) ||
		die "$EXIT_USAGE" "--distance has ${#rows[@]} rows, there are $2 nodes"
	for ((i = 0; i < $2; i++)); do
		IFS=', ' read -r -a row <<< "${rows[i]}"
		((${#row[@]} == $2)) ||
			die "$EXIT_USAGE" "--distance: row '${rows[i]}' does not have $2 figures"
		for ((j = 0; j < $2; j++)); do
			[[ ${row[j]} =~ ^[0-9]+$ ]] ||
				die "$EXIT_USAGE" "--distance: '${row[j]}' is not a number"
			if ((i == j)); then
				((row[j] == 10)) || die "$EXIT_USAGE" \
					"--distance: a node is 10 away from itself, not ${row[j]}"
			else
				((row[j] > 10 && row[j] < 255)) || die "$EXIT_USAGE" \
					"--distance: ${row[j]} is not between 11 and 254"
			fi
		done
	done
}

# qemu_topology NODES CPUS MEMORY MATRIX appends to QEMU_ARGS. Every node is a
# socket, so that CPU numbers run through one node before the next; the last ones have
# none if there are fewer CPUs than nodes.
qemu_topology()
{
	local nodes=$1 cpus=$2 memory=$3 matrix=$4
	local per=$((cpus < nodes ? 1 : cpus / nodes)) i j object members
	local -a rows row

	QEMU_ARGS+=(-m "$((memory * nodes))M"
		-smp "cpus=$cpus,sockets=$((cpus / per)),cores=$per,threads=1")
	for ((i = 0; i < nodes; i++)); do
		object="memory-backend-ram,id=mem$i,size=${memory}M"
		# virtiofsd reads and writes the guest's memory itself.
		[[ $KERNEL_SHARE != virtiofs ]] ||
			object="memory-backend-memfd,id=mem$i,size=${memory}M,share=on"
		members=
		((i * per >= cpus)) || members=cpus=$((i * per))-$((i * per + per - 1)),
		QEMU_ARGS+=(-object "$object"
			-numa "node,nodeid=$i,${members}memdev=mem$i")
	done
	[[ -n $matrix ]] || return 0
	IFS='/;' read -r -a rows <<< "$matrix"
	for ((i = 0; i < nodes; i++)); do
		IFS=', ' read -r -a row <<< "${rows[i]}"
		for ((j = 0; j < nodes; j++)); do
			((i == j)) ||
				QEMU_ARGS+=(-numa "dist,src=$i,dst=$j,val=${row[j]}")
		done
	done
}

# qemu_accel ACCEL OFF sets the accelerator and the processor that goes with it, but for
# its features OFF.
qemu_accel()
{
	local off=${2:+,-${2//,/,-}}

	case $1 in
	kvm) QEMU_ARGS+=(-accel kvm -cpu "host$off") ;;
	tcg) QEMU_ARGS+=(-accel tcg,thread=multi -cpu "max$off") ;;
	# The clock, and with it the TSC, advances by one with each instruction.
	icount) QEMU_ARGS+=(-accel tcg,thread=single -icount shift=0 -cpu "max$off") ;;
	esac
}

# No device that the guest does not need: each costs time in firmware and probe.
qemu_machine()
{
	QEMU_ARGS+=(-name "multikernel-test,debug-threads=on"
		-nodefaults -no-user-config -display none -no-reboot
		-machine "q35,usb=off,vmport=off")
}

# qemu_shares DIR offers the host's files and DIR, the result channel. For
# virtiofs it starts the two daemons that serve them.
qemu_shares()
{
	local dir=$1 tag

	case $KERNEL_SHARE in
	9p)
		QEMU_ARGS+=(-fsdev "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"
			-device virtio-9p-pci,fsdev=host,mount_tag=host
			-fsdev "local,id=vm,path=$dir/share,security_model=none,multidevs=remap"
			-device virtio-9p-pci,fsdev=vm,mount_tag=vm)
		;;
	virtiofs)
		virtiofsd_start host / "$dir"
		virtiofsd_start vm "$dir/share" "$dir"
		for tag in host vm; do
			QEMU_ARGS+=(-chardev "socket,id=$tag,path=$dir/$tag.sock"
				-device "vhost-user-fs-pci,chardev=$tag,tag=$tag")
		done
		;;
	esac
}

virtiofsd_start()
{
	local tag=$1 source=$2 dir=$3 daemon i

	for daemon in /usr/lib/qemu/virtiofsd /usr/libexec/virtiofsd ''; do
		[[ ! -x $daemon ]] || break
	done
	[[ -n $daemon ]] || die "$EXIT_BOOT" \
		"no virtiofsd here, which kernel $KERNEL_VERSION needs: run selftests/vm/deps vm"
	setpriv --pdeathsig KILL "$daemon" --socket-path="$dir/$tag.sock" \
		-o source="$source" -o sandbox=chroot -o cache=auto \
		< /dev/null > "$dir/$tag.log" 2>&1 &
	HELPERS+=($!)
	for ((i = 0; i < 100; i++)); do
		[[ ! -S $dir/$tag.sock ]] || return 0
		sleep 0.05
	done
	cat "$dir/$tag.log" >&2
	die "$EXIT_BOOT" "virtiofsd does not start"
}

# qemu_pin PID CPUS puts each virtual CPU's thread on a host core of its own, so
# that two that talk do not wait for each other's time slice.
qemu_pin()
{
	local pid=$1 cpus=$2 try task name i
	local -a cores threads

	mapfile -t cores < <(cores_allowed)
	if ((${#cores[@]} < cpus)); then
		complain "not pinned: $cpus virtual CPUs, ${#cores[@]} host cores"
		return 0
	fi
	for ((try = 0; try < 50; try++)); do
		threads=()
		for task in /proc/"$pid"/task/*; do
			read -r name 2>/dev/null < "$task/comm" || continue
			[[ $name =~ ^CPU\ ([0-9]+)/ ]] || continue
			threads[BASH_REMATCH[1]]=${task##*/}
		done
		((${#threads[@]} < cpus)) || break
		sleep 0.05
	done
	for i in "${!threads[@]}"; do
		taskset -pc "${cores[i]}" "${threads[i]}" > /dev/null ||
			complain "cannot pin virtual CPU $i"
	done
}

cores_allowed()
{
	local list part
	local -a parts

	list=$(taskset -pc $$)
	IFS=, read -r -a parts <<< "${list##*: }"
	for part in "${parts[@]}"; do
		seq "${part%-*}" "${part#*-}"
	done
}
