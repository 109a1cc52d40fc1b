#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider "libvirt" with a real KVM: /dev/kvm in a machine of nested.py, whose QEMU translates AMD's SVM as well. What test_libvirt.py says of
QEMU, and a guest that boots, says what runs it and has its seed.

Tier 3. Run alone: top_builddir=build PUESTO_TIER=3 python3 tests/integration/test_nested_kvm.py [name]"""
import os
import subprocess
import sys
import time
import traceback

import libvirt_host
import nested
import test_libvirt

SECONDS = 3000
OF_QEMU = ("test_the_contract_holds", "test_a_seed_is_given_once", "test_a_daemon_that_dies_takes_nobody_with_it", "test_a_desktop_moves_to_another_host_and_back")

TINY = """until [ -b /dev/vda ]; do sleep 0.2; done
echo "TINY by $(dmesg | grep -o 'Hypervisor detected: .*') $(cat /sys/firmware/qemu_fw_cfg/by_name/opt/org.puesto/seed/raw | grep -o '"token": *"[a-z_]*"')" >/said
dd if=/said of=/dev/vda conv=fsync; poweroff -f
"""


def test_a_guest_boots_by_kvm_and_has_its_seed(world):
    golden = nested.tiny_image(os.path.join(world.folder, "image"), TINY, ("virtio_pci", "virtio_blk", "qemu_fw_cfg"))
    driver = world.driver()
    desktop = world.create(driver, golden=golden)
    assert "<domain type='kvm'" in world.one.virsh("dumpxml", "puesto-" + desktop)
    libvirt_host.wait_for("the guest's end", lambda: driver.machines()[desktop]["state"] == "stopped")
    raw = os.path.join(world.folder, "raw")
    subprocess.run(["qemu-img", "convert", "-O", "raw", os.path.join(world.files(desktop), "disk.qcow2"), raw], check=True)
    with open(raw, "rb") as f:
        said = f.read(512).split(b"\n")[0].decode()
    print(said)
    assert "Hypervisor detected: KVM" in said and "token_of_this_test" in said, said
    driver.call("destroy", desktop)
    driver.end()


def within():
    test_libvirt.inside()
    world, failed = test_libvirt.World(), 0
    tests = {n: f for n, f in globals().items() if n.startswith("test_") and callable(f)}
    tests.update((n, getattr(test_libvirt, n)) for n in OF_QEMU)
    try:
        world.one.start()
        for name in sys.argv[1:] or tests:
            began = time.monotonic()
            try:
                tests[name](world)
                print("PASS %s (%.1f s)" % (name, time.monotonic() - began), flush=True)
            except Exception:
                failed += 1
                print("FAIL %s (%.1f s)" % (name, time.monotonic() - began), flush=True)
                traceback.print_exc()
                world.clean()
    finally:
        world.end()
    return 1 if failed else 0


def main():
    if nested.is_within():
        return within()
    why = "tier 3" if int(os.environ.get("PUESTO_TIER", "1")) < 3 else nested.missing() or libvirt_host.missing()
    why = why or ("" if os.path.exists(test_libvirt.UNIT) and os.path.exists(test_libvirt.TOOL) else "the test programs are not built")
    if why:
        print("SKIP:", why)
        return 77
    with nested.Machine(memory_mb=2048, scratch_mb=4096) as machine:
        machine.run("modprobe kvm_amd && test -c /dev/kvm")
        return machine.again(sys.argv, SECONDS, PUESTO_TEST_LIBVIRT_ACCEL="kvm")


if __name__ == "__main__":
    sys.exit(main())
