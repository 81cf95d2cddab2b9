# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: GPL-2.0
#
# Choosing a kernel, and the initramfs that takes it to the host's files.

# Kernels that have both an image and headers, newest last. Debian names them
# ABI-amd64, ABI-cloud-amd64 and ABI-rt-amd64; a flavour picks one kind.
kernels_installed()
{
	local flavour=$1 dir version

	for dir in /lib/modules/*/build; do
		version=${dir#/lib/modules/}
		version=${version%/build}
		[[ -e $dir/Makefile && -e /boot/vmlinuz-$version ]] || continue
		case $version in
		*-cloud-amd64) [[ $flavour = cloud ]] || continue ;;
		*-rt-amd64) [[ $flavour = rt ]] || continue ;;
		*-amd64) [[ $flavour = amd64 ]] || continue ;;
		*) continue ;;
		esac
		echo "$version"
	done | sort -V
}

# A bzImage carries its version as text: a 16-bit offset at 0x20e points to it.
bzimage_version()
{
	local image=$1 offset text

	[[ $(od -An -tx1 -j 0x202 -N 0 "$image" 2>/dev/null; \
	     dd if="$image" bs=1 skip=514 count=4 status=none) = HdrS ]] ||
		return 1
	offset=$(od -An -tu2 -j 526 -N 2 "$image")
	text=$(dd if="$image" bs=1 skip=$((offset + 512)) count=128 \
		status=none | tr '\0' '\n' | head -n 1)
	printf '%s\n' "${text%% *}"
}

# kernel_choose WHAT MODULES sets KERNEL_IMAGE, KERNEL_VERSION and
# KERNEL_MODULES (empty: everything is built in).
kernel_choose()
{
	local what=$1 modules=$2

	case $what in
	''|amd64|cloud|rt)
		KERNEL_VERSION=$(kernels_installed "${what:-amd64}" | tail -n 1)
		[[ -n $KERNEL_VERSION ]] || die "$EXIT_BOOT" \
			"no ${what:-amd64} kernel with headers is installed: run selftests/vm/deps build vm kernels"
		KERNEL_IMAGE=/boot/vmlinuz-$KERNEL_VERSION
		;;
	*/*)
		[[ -r $what ]] || die "$EXIT_USAGE" "cannot read kernel $what"
		KERNEL_VERSION=$(bzimage_version "$what") ||
			die "$EXIT_USAGE" "$what is not a bzImage"
		KERNEL_IMAGE=$(realpath "$what")
		;;
	*)
		KERNEL_VERSION=$what
		KERNEL_IMAGE=/boot/vmlinuz-$what
		[[ -r $KERNEL_IMAGE ]] ||
			die "$EXIT_USAGE" "no kernel $what: $KERNEL_IMAGE is missing"
		;;
	esac

	KERNEL_MODULES=
	local dir
	for dir in ${modules:+"$modules/lib/modules/$KERNEL_VERSION" \
		"$modules/$KERNEL_VERSION" "$modules"} \
		"/lib/modules/$KERNEL_VERSION"; do
		if [[ -e $dir/modules.dep ]]; then
			KERNEL_MODULES=$(realpath "$dir")
			break
		fi
	done
	[[ -z $modules || -n $KERNEL_MODULES ]] ||
		die "$EXIT_USAGE" "no modules of $KERNEL_VERSION under $modules"

	# The cloud kernel has no 9p: there the files travel by virtiofs. A kernel
	# without modules is expected to have 9p built in.
	KERNEL_SHARE=9p
	if [[ -n $KERNEL_MODULES ]] &&
	   ! module_known 9p && module_known virtiofs; then
		KERNEL_SHARE=virtiofs
	fi
}

# Unpacking itself costs a kernel seconds under emulation. Its ELF image can be
# started at once, through the PVH entry that Debian's kernels have; only the
# step to 5-level page tables and the random base address stay out, which the
# unpacker does, and which --firmware brings back. Sets KERNEL_BOOT: the ELF, or the image as it is.
kernel_unpack()
{
	local image=$KERNEL_IMAGE elf offset length sectors work

	KERNEL_BOOT=$image
	((!FIRMWARE)) || return 0
	# One ELF for each image, of the image's age: a kernel that is built over
	# and over replaces its own.
	elf=$(sha1sum <<< "$image")
	elf=$VM_BUILD/kernel/$KERNEL_VERSION-${elf:0:12}.elf
	if [[ ! -e $elf || $elf -nt $image || $elf -ot $image ]]; then
		mkdir -p "$VM_BUILD/kernel"
		work=$(mktemp "$VM_BUILD/kernel/unpack.XXXXXX")
		# From the setup header: sectors before the payload's base, the
		# payload's offset from there, its length.
		sectors=$(od -An -tu1 -j 497 -N 1 "$image")
		read -r offset length < <(od -An -tu4 -j 584 -N 8 "$image")
		offset=$((offset + (sectors ? sectors + 1 : 5) * 512))
		tail -c "+$((offset + 1))" "$image" | head -c "$length" |
			unpack_payload > "$work" 2>/dev/null
		# An empty file remembers that this kernel has to unpack itself.
		LC_ALL=C readelf -n "$work" 2>/dev/null |
			grep -q 'Xen.*0x0*[48].*(0x00000012)' || : > "$work"
		touch -r "$image" "$work"
		mv "$work" "$elf"
	fi
	[[ ! -s $elf ]] || KERNEL_BOOT=$elf
}

# The kernel appends the unpacked size to the stream, so what follows it is no
# error; readelf judges the result.
unpack_payload()
{
	local magic

	# The two bytes that tell are put back for the unpacker.
	magic=$(dd bs=1 count=2 status=none | od -An -tx1 | tr -d ' \n')
	case $magic in
	fd37) { printf '\xfd\x37'; cat; } | xz -dc --single-stream ;;
	1f8b) { printf '\x1f\x8b'; cat; } | gzip -dc ;;
	28b5) { printf '\x28\xb5'; cat; } | zstd -dcq ;;
	0221) { printf '\x02\x21'; cat; } | lz4 -dc ;;
	esac
}

module_known()
{
	grep -qE "/$1\.ko(\.[a-z]+)?(:|\$)" "$KERNEL_MODULES/modules.dep" \
		"$KERNEL_MODULES/modules.builtin" 2>/dev/null
}

# The files of the named modules and of all that they depend on, in the order
# in which they must be inserted. Read from modules.dep, since modprobe insists
# on a directory called lib/modules. A module that is not there is built in:
# if it is not, the guest's mount will say so.
module_files()
{
	awk -F': *' '
	function add(file,   n, i, d) {
		if (seen[file]++)
			return
		n = split(deps[file], d, " ")
		for (i = n; i > 0; i--)
			add(d[i])
		print file
	}
	NR == FNR {
		deps[$1] = $2
		name = $1
		sub(/.*\//, "", name)
		sub(/\.ko.*/, "", name)
		gsub(/-/, "_", name)
		path[name] = $1
		next
	}
	($1 in path) { add(path[$1]) }
	' "$KERNEL_MODULES/modules.dep" <(printf '%s\n' "$@")
}

# initramfs_build sets INITRAMFS. The archive is named after all that goes into
# it, so a cached one is never stale, and it is moved into place, so that
# several runs may build at once.
initramfs_build()
{
	local files=() file key work busybox

	busybox=$(command -v busybox) ||
		die "$EXIT_BOOT" "no busybox here: run selftests/vm/deps vm"
	if [[ -n $KERNEL_MODULES ]]; then
		local wanted=(virtio_pci overlay)
		case $KERNEL_SHARE in
		9p) wanted+=(9pnet_virtio 9p) ;;
		virtiofs) wanted+=(virtiofs) ;;
		esac
		mapfile -t files < <(module_files "${wanted[@]}")
	fi

	key=$({
		echo "$KERNEL_VERSION"
		cat "$VM_DIR/guest/init" "$VM_DIR/lib/kernel.sh"
		(cd "${KERNEL_MODULES:-/}" &&
			stat -Lc '%n %s %Y' "$busybox" "${files[@]}")
	} | sha1sum)
	INITRAMFS=$VM_BUILD/initramfs/$KERNEL_VERSION-${key:0:12}.cpio
	[[ ! -s $INITRAMFS ]] || return 0

	mkdir -p "$VM_BUILD/initramfs"
	work=$(mktemp -d "$VM_BUILD/initramfs/build.XXXXXX")
	mkdir -p "$work"/root/{bin,dev,proc,sys,modules,lower,upper,root}
	cp "$busybox" "$work/root/bin/busybox"
	cp "$VM_DIR/guest/init" "$work/root/init"
	chmod 755 "$work/root/init"
	: > "$work/root/modules/order"
	for file in "${files[@]}"; do
		local name=${file##*/}
		case $name in
		*.xz) xz -dc "$KERNEL_MODULES/$file" ;;
		*.zst) zstd -dcq "$KERNEL_MODULES/$file" ;;
		*.gz) gzip -dc "$KERNEL_MODULES/$file" ;;
		*) cat "$KERNEL_MODULES/$file" ;;
		esac > "$work/root/modules/${name%.ko*}.ko"
		echo "${name%.ko*}.ko" >> "$work/root/modules/order"
	done
	(cd "$work/root" && find . | cpio --quiet -o -H newc -R 0:0) \
		> "$work/initramfs" ||
		die "$EXIT_BOOT" "cannot build the initramfs"
	mv "$work/initramfs" "$INITRAMFS"
	rm -rf "$work"
}
