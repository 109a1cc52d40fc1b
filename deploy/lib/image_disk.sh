# SPDX-License-Identifier: GPL-3.0-or-later
# A machine's disk, kernel and initramfs. Sourced by image-builder; wants image_tree.sh.

# Drivers that a machine has before it has a disk; what they need is found.
IMAGE_DRIVERS="virtio_pci virtio_blk virtio_net virtio_console virtio-rng qemu_fw_cfg button evdev"
# A disk that starts by itself may be anybody's: VMware, Hyper-V, Xen, SCSI and IDE; and the seed may be on a CD.
IMAGE_DRIVERS_ALL="virtio_scsi ata_piix sr_mod vmw_pvscsi hv_storvsc xen-blkfront sd_mod vmxnet3 hv_netvsc xen-netfront"

# vm_make WORK OUTPUT
vm_make() {
	[ "$BOOT" = none ] || IMAGE_DRIVERS="$IMAGE_DRIVERS $IMAGE_DRIVERS_ALL"
	kernel_fetch "$1/kernel"
	initramfs_make "$1/kernel" "$1/initramfs" "$1/initrd"
	disk_make "$1/tree" "$1/disk.raw"
	case $BOOT in bios) loader_add "$1" "$1/disk.raw" ;; uefi) uefi_add "$1" "$1/disk.raw" ;; esac
	if [ "$FORMAT" = qcow2 ]; then
		step "Converting the disk"
		qemu-img convert -O qcow2 "$1/disk.raw" "$1/disk.qcow2" >>"$LOG" 2>&1
	fi
	rm -f "$2"/disk.raw "$2"/disk.qcow2 "$2"/vmlinuz "$2"/initrd
	mv "$1/disk.$FORMAT" "$2/"
	# Beside a disk with firmware of its own they would be started instead of it.
	[ "$BOOT" = uefi ] || mv "$1/initrd" "$1/vmlinuz" "$2/"
	chmod 0444 "$2/disk.$FORMAT"
}

# The cloud kernel of this release: no drivers for hardware that no hypervisor shows.
kernel_fetch() {
	local package file at=${CACHE:-$WORK}/kernel-deb
	package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
	[ -n "$package" ] || fail "apt knows no linux-image-cloud-amd64." "Run apt-get update first."
	mkdir -p "$at" "$1"
	file=$(find "$at" -name "${package}_*.deb" | sort | tail -n 1)
	if [ -z "$file" ]; then
		step "Fetching the kernel ($package)"
		(cd "$at" && apt-get download "$package") >>"$LOG" 2>&1 || fail "the kernel could not be fetched."
		file=$(find "$at" -name "${package}_*.deb" | sort | tail -n 1)
	fi
	dpkg-deb -x "$file" "$1"
	mv "$1"/boot/vmlinuz-* "$WORK/vmlinuz"
}

# Names of the driver's file and of all it needs, below lib/modules/VERSION, in the order of loading being modprobe's matter.
driver_files() {
	awk -v want="$IMAGE_DRIVERS" '
		{ file = $1; sub(/:$/, "", file); needs[file] = ""; for (i = 2; i <= NF; i++) needs[file] = needs[file] " " $i
		  name = file; sub(/.*\//, "", name); sub(/\.ko.*/, "", name); gsub(/-/, "_", name); at[name] = file }
		END { n = split(want, w, " "); for (i = 1; i <= n; i++) { name = w[i]; gsub(/-/, "_", name); print at[name] needs[at[name]] } }' "$1" | tr ' ' '\n' | sort -u
}

initramfs_make() {
	local version file
	step "Making the initramfs"
	version=$(ls "$1/lib/modules")
	busybox depmod -b "$1" "$version"
	mkdir -p "$2"/{bin,dev,proc,sys,new} "$2/lib/modules/$version"
	cp /bin/busybox "$2/bin/"
	install -m 0755 "$PUESTO_SOURCE/deploy/image/guest/initramfs" "$2/init"
	driver_files "$1/lib/modules/$version/modules.dep" | while read -r file; do
		[ -z "$file" ] || install -D -m 0644 "$1/lib/modules/$version/$file" "$2/lib/modules/$version/$file"
	done
	cp "$1/lib/modules/$version/modules.builtin" "$2/lib/modules/$version/"
	busybox depmod -b "$2" "$version"
	echo "$IMAGE_DRIVERS" >"$2/drivers"
	find "$2" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	(cd "$2" && find . | sort | cpio --quiet --reproducible -R 0:0 -o -H newc) | gzip -n -6 >"$3"
}

# disk_make TREE FILE: one ext4 file system, no partitions; the names in it come from the date alone.
disk_make() {
	local mb=$SIZE id last
	step "Making the disk"
	[ -n "$mb" ] || mb=$(($(du -sm --apparent-size "$1" | cut -f1) * 3 / 2 + 64))
	id=$(printf '%s %s' "$NAME" "$SOURCE_DATE_EPOCH" | sha256sum | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*/\1-\2-4\3-8\4-\5/')
	truncate -s "${mb}M" "$2"
	E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH mkfs.ext4 -q -F -d "$1" -L puesto -U "$id" -E "lazy_itable_init=1,hash_seed=$id,root_owner=0:0" \
		-O ^has_journal,^metadata_csum_seed -m 1 "$2" >>"$LOG" 2>&1 || fail "the file system could not be made; is --size large enough?"
	# The times of reading and of change were copied too, and they are those of this build.
	last=$(dumpe2fs -h "$2" 2>/dev/null | awk '/^Inode count/ { count = $3 } /^Free inodes/ { free = $3 } END { print count - free }')
	for id in 2 $(seq 11 "$last"); do printf 'sif <%d> atime @%d\nsif <%d> ctime @%d\n' "$id" "$SOURCE_DATE_EPOCH" "$id" "$SOURCE_DATE_EPOCH"; done >"$WORK/times"
	E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH debugfs -w -f "$WORK/times" "$2" >/dev/null 2>>"$LOG"
}

# loader_add WORK FILE: FILE becomes the second partition of a disk whose first one has SYSLINUX, kernel and initramfs. For BIOS.
loader_add() {
	local fat=$1/boot.fat
	step "Adding the boot loader"
	for word in syslinux mcopy mkfs.vfat sfdisk; do
		command -v "$word" >/dev/null || fail "$word is not installed." "Install what deploy/packages/image names."
	done
	mkfs.vfat --invariant -F 16 -n PUESTOBOOT -C "$fat" 65536 >>"$LOG" 2>&1
	printf 'DEFAULT puesto\nLABEL puesto\nLINUX /vmlinuz\nINITRD /initrd\nAPPEND root=LABEL=puesto console=tty0 console=ttyS0 quiet net.ifnames=0\n' >"$1/syslinux.cfg"
	touch -d "@$SOURCE_DATE_EPOCH" "$1/syslinux.cfg" "$1/vmlinuz" "$1/initrd"
	mcopy -m -i "$fat" "$1/syslinux.cfg" "$1/vmlinuz" "$1/initrd" :: >>"$LOG" 2>&1 && syslinux --install "$fat" >>"$LOG" 2>&1 || fail "the boot loader could not be added."
	mv "$2" "$1/root.ext4"
	truncate -s $((66 * 1024 * 1024 + $(stat -c %s "$1/root.ext4"))) "$2"
	printf 'label: dos\nlabel-id: 0x50554553\nstart=2048, size=131072, type=e, bootable\nstart=133120, type=83\n' | sfdisk -q "$2" >>"$LOG" 2>&1
	dd if=/usr/lib/syslinux/mbr/mbr.bin of="$2" bs=440 count=1 conv=notrunc status=none
	dd if="$fat" of="$2" bs=1M seek=1 conv=notrunc,sparse status=none
	dd if="$1/root.ext4" of="$2" bs=1M seek=65 conv=notrunc,sparse status=none
	rm -f "$1/root.ext4" "$fat"
}

# uefi_add WORK FILE: FILE becomes the second partition of a GPT disk whose first one is an EFI system partition with systemd-boot, kernel and initramfs.
uefi_add() {
	local fat=$1/boot.fat id mb sectors loader=/usr/lib/systemd/boot/efi/systemd-bootx64.efi
	step "Adding the UEFI boot loader"
	for word in mcopy mmd mkfs.vfat sfdisk; do
		command -v "$word" >/dev/null || fail "$word is not installed." "Install what deploy/packages/image names."
	done
	[ -f "$loader" ] || fail "$loader is missing." "Install systemd-boot-efi, as deploy/packages/image names it."
	mkfs.vfat --invariant -F 16 -n PUESTOBOOT -C "$fat" 65536 >>"$LOG" 2>&1
	mkdir -p "$1/esp/EFI/BOOT" "$1/esp/loader/entries"
	cp "$loader" "$1/esp/EFI/BOOT/BOOTX64.EFI"
	cp "$1/vmlinuz" "$1/initrd" "$1/esp/"
	printf 'timeout 0\neditor no\ndefault puesto.conf\n' >"$1/esp/loader/loader.conf"
	printf 'title Puesto\nlinux /vmlinuz\ninitrd /initrd\noptions root=LABEL=puesto console=tty0 console=ttyS0 quiet net.ifnames=0\n' >"$1/esp/loader/entries/puesto.conf"
	find "$1/esp" -exec touch -d "@$SOURCE_DATE_EPOCH" {} +
	# One after the other: -s takes a folder's names in the file system's order.
	(cd "$1/esp" && SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH mmd -i "$fat" ::EFI ::EFI/BOOT ::loader ::loader/entries &&
		find . -type f | sort | while read -r file; do mcopy -m -i "$fat" "$file" "::$file" || exit 1; done) >>"$LOG" 2>&1 || fail "the boot loader could not be added."
	mv "$2" "$1/root.ext4"
	mb=$((66 + $(stat -c %s "$1/root.ext4") / 1048576 + 1))
	truncate -s "${mb}M" "$2"
	sectors=$(($(stat -c %s "$1/root.ext4") / 512))
	id=$(printf '%s %s' "$NAME" "$SOURCE_DATE_EPOCH" | sha256sum | sed -E 's/^(.{8})(.{4}).(.{3}).(.{3})(.{10}).*/\1-\2-4\3-8\4-\5/')
	printf 'label: gpt\nlabel-id: %s00\nstart=2048, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, uuid=%s01, name=boot\nstart=133120, size=%s, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4, uuid=%s02, name=root\n' \
		"$id" "$id" "$sectors" "$id" | sfdisk -q "$2" >>"$LOG" 2>&1 || fail "the partitions could not be made."
	dd if="$fat" of="$2" bs=1M seek=1 conv=notrunc,sparse status=none
	dd if="$1/root.ext4" of="$2" bs=1M seek=65 conv=notrunc,sparse status=none
	rm -rf "$1/root.ext4" "$fat" "$1/esp"
}
