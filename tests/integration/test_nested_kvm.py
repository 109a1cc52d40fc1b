#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider "libvirt" with a real KVM: /dev/kvm in a machine of nested.py, whose QEMU translates AMD's SVM as well. What test_libvirt.py says of
QEMU, the contract with a guest that runs, and that guest: what it says of itself, its seed, its sleep, its move to another libvirtd.

Tier 3. Run alone: top_builddir=build PUESTO_TIER=3 python3 tests/integration/test_nested_kvm.py [name]"""
import os
import re
import subprocess
import sys

import libvirt_host
import nested
import test_libvirt

SECONDS = 600  # of the machine's own time, for each test
OF_QEMU = ("test_a_seed_is_given_once", "test_a_daemon_that_dies_takes_nobody_with_it")

# Its disk has a line of what it is at the start, and how far it has counted at 4096.
TINY = """until [ -b /dev/vda ]; do sleep 0.2; done
echo "TINY by $(dmesg | grep -o 'Hypervisor detected: .*') $(cat /sys/firmware/qemu_fw_cfg/by_name/opt/org.puesto/seed/raw | grep -o '"token": *"[a-z_]*"')" >/said
echo "memory $(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo) cpus $(nproc) boot $(cat /proc/sys/kernel/random/boot_id) end" >>/said
dd if=/said of=/dev/vda conv=fsync
n=0; while :; do n=$((n + 1)); echo "tick $n end" | dd of=/dev/vda bs=4096 seek=1 conv=fsync; sleep 1; done
"""


def image(world):
    path = os.path.join(world.folder, "image")
    return os.path.join(path, "disk.qcow2") if os.path.exists(path) else nested.tiny_image(path, TINY, ("virtio_pci", "virtio_blk", "qemu_fw_cfg"))


def said(world, desktop):
    """The beginning of the desktop's disk, also while it runs."""
    raw = os.path.join(world.folder, "raw")
    subprocess.run(["qemu-img", "dd", "-U", "-f", "qcow2", "-O", "raw", "bs=4096", "count=2", "if=" + os.path.join(world.files(desktop), "disk.qcow2"), "of=" + raw],
                   check=True, stdout=subprocess.DEVNULL)
    with open(raw, "rb") as f:
        return f.read().decode(errors="replace").replace("\0", "")


def says(world, desktop, pattern):
    return libvirt_host.wait_for("the guest's %s" % pattern, lambda: re.search(pattern, said(world, desktop)))[1]


def counts_on(world, desktop):
    """Until it has counted further than it had."""
    before = int(says(world, desktop, r"tick (\d+) end"))
    libvirt_host.wait_for("a count after %d" % before, lambda: int(says(world, desktop, r"tick (\d+) end")) > before)


def boot_of(world, desktop):
    return says(world, desktop, r"boot (\S+) end")


def test_a_guest_runs_by_kvm_and_has_its_seed(world):
    driver = world.driver()
    desktop = world.create(driver, golden=image(world))
    assert "<domain type='kvm'" in world.one.virsh("dumpxml", "puesto-" + desktop)
    line = says(world, desktop, r"(TINY by .*)\n")
    print(line)
    assert "Hypervisor detected: KVM" in line and "token_of_this_test" in line, line
    driver.call("destroy", desktop)
    driver.end()


def test_memory_is_kept_over_a_sleep(world):
    driver = world.driver()
    desktop = world.create(driver, golden=image(world))
    counts_on(world, desktop)
    boot = boot_of(world, desktop)
    driver.call("power", desktop, "suspend")
    assert driver.machines()[desktop]["state"] == "stopped"
    driver.call("power", desktop, "start")
    counts_on(world, desktop)
    assert boot_of(world, desktop) == boot, "it did not boot again"
    driver.call("destroy", desktop)
    driver.end()


def test_a_guest_works_on_while_it_moves_to_another_host_and_back(world):
    world.two.start()
    driver = world.driver(hosts="one=%s, two=%s" % (world.one.uri, world.two.uri), shared_directory="yes",
                          migrate_uris="one=tcp://127.0.0.1, two=tcp://127.0.0.1", deadline_s=int(4 * libvirt_host.DEADLINE))
    desktop = world.create(driver, golden=image(world))
    driver.call("watch", desktop)
    counts_on(world, desktop)
    boot, hosts = boot_of(world, desktop), {"one": world.one, "two": world.two}
    for _ in range(2):
        here = driver.machines()[desktop]["host"]
        there = "two" if here == "one" else "one"
        driver.call("migrate", desktop, there)
        machine = driver.machines()[desktop]
        assert (machine["host"], machine["state"]) == (there, "running"), machine
        assert hosts[here].domains() == [] and hosts[there].domains() == ["puesto-" + desktop]
        assert "<domain type='kvm'" in hosts[there].virsh("dumpxml", "puesto-" + desktop)
        counts_on(world, desktop)
        assert boot_of(world, desktop) == boot, "it did not boot again"
    assert driver.ends.empty(), "a move is no end"
    driver.call("destroy", desktop)
    assert world.one.domains() == [] and world.two.domains() == []
    driver.end()


def contract_of(part):
    def check(world):
        libvirt_host.contract_check(world.one.uri, image(world), world.directory, part)
        assert world.one.domains() == [], "all of it was removed"
    return check


TESTS = {n: f for n, f in globals().items() if n.startswith("test_") and callable(f)}
TESTS.update((n, getattr(test_libvirt, n)) for n in OF_QEMU)
TESTS.update(("the_contract_of_" + part, contract_of(part)) for part in libvirt_host.CONTRACT)


def within():
    test_libvirt.inside()
    world = test_libvirt.World()
    try:
        world.one.start()
        return nested.run_within(TESTS, sys.argv[1:], world, SECONDS)
    finally:
        world.end()


def main():
    if nested.is_within():
        return within()
    why = "tier 3" if int(os.environ.get("PUESTO_TIER", "1")) < 3 else nested.missing() or libvirt_host.missing()
    why = why or ("" if os.path.exists(libvirt_host.UNIT) and os.path.exists(test_libvirt.TOOL) else "the test programs are not built")
    if why:
        print("SKIP:", why)
        return 77
    with nested.Machine(memory_mb=3072, scratch_mb=4096, own_time=True) as machine:
        machine.run("modprobe kvm_amd && test -c /dev/kvm")
        return machine.again(sys.argv, SECONDS * len(sys.argv[1:] or TESTS), patience=2, PUESTO_TEST_LIBVIRT_ACCEL="kvm")


if __name__ == "__main__":
    sys.exit(main())
