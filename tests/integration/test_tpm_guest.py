#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Linux in machines that are made as Windows needs them, of the providers "qemu" and "libvirt": its kernel finds their TPM 2.0, and what it
writes into it is there again after a stop and a sleep, and not after a refresh. Needs root. Of the second tier.

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_tpm_guest.py"""
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import guest_harness
import libvirt_host
import test_libvirt
import test_qemu
import tpm_state
from driver_harness import TOOL

MARK = b"of Linux"
FOUND, NEW, ALIVE = b"TPM 2", b"a new TPM", b"it knows"

# The commands are octets as printf takes them.
INIT = """#!/bin/busybox sh
bb=/bin/busybox
$bb mount -t devtmpfs dev /dev
$bb mount -t sysfs sys /sys
exec >/dev/ttyS0 2>&1
ask() {
	exec 3<>/dev/tpm0
	$bb printf "$1" >&3
	$bb dd bs=4096 count=1 <&3 2>/dev/null | $bb hexdump -v -e '/1 "%%02x"'
	exec 3>&-
}
knows() { case $(ask '%(read)s') in *%(mark)s*) return 0 ;; esac; return 1; }
echo "TPM $($bb cat /sys/class/tpm/tpm0/tpm_version_major)"
if ! knows; then
	ask '%(define)s' >/dev/null
	ask '%(write)s' >/dev/null
	echo "a new TPM"
fi
while :; do
	knows && echo "it knows"
	$bb sleep 1
done
"""


def octets(words):
    return "".join("\\x%02x" % b for b in words)


def guest_make(folder):
    """A golden disk with nothing on it, and beside it what is started: the image's kernel and a system that is one script."""
    os.makedirs(folder)
    with tempfile.TemporaryDirectory(prefix="puesto-tpm-guest-") as tree:
        for name in "bin", "dev", "sys":
            os.mkdir(os.path.join(tree, name))
        shutil.copy(shutil.which("busybox"), tree + "/bin/busybox")
        with open(tree + "/init", "w") as f:
            f.write(INIT % {"read": octets(tpm_state.mark_read()), "define": octets(tpm_state.mark_define()), "write": octets(tpm_state.mark_write(MARK)), "mark": MARK.hex()})
        os.chmod(tree + "/init", 0o755)
        with open(folder + "/initrd", "wb") as out:
            subprocess.run("find . | cpio --quiet -R 0:0 -o -H newc", shell=True, cwd=tree, stdout=out, check=True)
    shutil.copy(guest_harness.image() + "/vmlinuz", folder)
    golden = folder + "/disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", golden, "64M"], check=True)
    for name in "vmlinuz", "initrd", "disk.qcow2":
        os.chmod(os.path.join(folder, name), 0o444)
    return golden


def life(driver, golden, says, state_of):
    """says(desktop, words): which of them is first on its serial line; state_of(desktop): where its TPM's state is."""
    desktop = test_qemu.new()
    driver.call("create", desktop, test_qemu.new(), golden, "t")
    assert says(desktop, [NEW]) == NEW
    says(desktop, [ALIVE])
    driver.call("power", desktop, "off")
    assert tpm_state.look(state_of(desktop))[1] == MARK
    driver.call("power", desktop, "start")
    assert says(desktop, [NEW, ALIVE]) == ALIVE, "it was another one after a stop"
    driver.call("power", desktop, "suspend")
    driver.call("power", desktop, "start")
    assert says(desktop, [FOUND, ALIVE]) == ALIVE, "it has booted instead of going on"
    driver.call("power", desktop, "off")
    driver.call("power", desktop, "start")
    assert says(desktop, [NEW, ALIVE]) == ALIVE, "it was another one after a sleep"
    driver.call("restart", desktop, test_qemu.new(), "refresh", "t")
    assert says(desktop, [NEW, ALIVE]) == NEW, "a fresh desktop knows what its last user has written"
    driver.call("destroy", desktop)


def test_qemu_s_machine_has_one(golden):
    world = test_qemu.World()
    try:
        driver = test_qemu.windows_driver(world)
        life(driver, golden, lambda desktop, words: test_qemu.says(world, desktop, words), lambda desktop: os.path.join(world.directory, "desktops", desktop, "tpm"))
        assert world.left() == [] and not test_qemu.emulators()
        driver.end()
    finally:
        world.end()


def test_libvirt_s_machine_has_one(golden):
    world = test_libvirt.World()
    try:
        world.one.start()
        driver = test_libvirt.windows_driver(world)
        life(driver, golden, lambda desktop, words: test_libvirt.says(world.one, desktop, words), lambda desktop: test_libvirt.tpm_of(world.one, desktop))
        assert test_libvirt.tpms(world.one) == []
        driver.end()
    finally:
        world.end()


def main():
    why = "it is of tier 2" if int(os.environ.get("PUESTO_TIER", "1")) < 2 else guest_harness.lacking() or libvirt_host.missing() or tpm_state.missing()
    if why or not os.path.exists(TOOL):
        print("SKIP:", why or "the test programs are not built")
        return 77
    test_libvirt.inside()
    os.environ["PUESTO_MEMORY_MB"] = "256"
    failed, folder = 0, tempfile.mkdtemp(prefix="puesto-tpm-", dir="/var/tmp")
    os.chmod(folder, 0o755)
    try:
        golden = guest_make(folder + "/golden")
        for name in sys.argv[1:] or [n for n in globals() if n.startswith("test_") and callable(globals()[n])]:
            began = time.monotonic()
            try:
                globals()[name](golden)
                print("PASS %s (%.1f s)" % (name, time.monotonic() - began), flush=True)
            except Exception:
                failed += 1
                print("FAIL %s (%.1f s)" % (name, time.monotonic() - began), flush=True)
                traceback.print_exc()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
