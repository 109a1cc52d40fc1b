#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back-ups of desktops of the provider "libvirt", in a libvirtd of its own: with real QEMUs that have nothing to boot. Needs root. Tier 2.

Covers: broker/hypervisor/libvirt/backup.c

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_backup_libvirt.py [name]"""
import glob
import os
import signal
import subprocess
import sys

import libvirt_host
from backup_harness import Rig, main, variables_come_back
from broker_harness import eventually


class World(Rig):
    def __init__(self):
        super().__init__()
        self.images = os.path.join(self.folder, "store")
        os.mkdir(self.images)
        self.network = libvirt_host.Network()
        self.host = libvirt_host.Host(self.folder, "one", self.network)
        self.host.start()
        self.on_store = False

    def settings(self):
        place = {"datastores": "store"} if self.on_store else {"directory": self.directory}
        return {"kind": "libvirt", "uri": self.host.uri, "network": "none", "accel": "tcg", "deadline_s": 60, "addresses": "10.9.0.10-10.9.0.60", **place}

    def more(self):
        return super().more() + ("\n[datastore-store]\npath = %s\nkeep_free_mb = 0\n" % self.images if self.on_store else "")

    def disk(self, desktop):
        found = glob.glob("%s/*/%s/disk.qcow2" % (self.directory, desktop)) + glob.glob("%s/desktops/*/%s/disk.qcow2" % (self.images, desktop))
        return found[0]

    def guest_writes(self, desktop, what):
        for words in (what, "flush"):
            said = self.host.virsh("qemu-monitor-command", desktop, "--hmp", 'qemu-io -d /machine/peripheral/virtio-disk0/virtio-backend "%s"' % words)
            assert "rror" not in said, said

    def machines_kill(self):
        for name in self.host.domains():
            self.host.virsh("destroy", name, ok=None)
            self.host.virsh("undefine", name, "--managed-save", "--snapshots-metadata", "--nvram", ok=None)

    def end(self):
        super().end()
        self.host.end()
        self.network.end()
        subprocess.run(["rm", "-rf", self.folder], check=False)


def test_a_running_desktop_comes_back_as_it_was(world):
    driver = world.driver()
    eventually(lambda: "backup" in driver.health()["can"], 20)
    desktop = world.create(driver)
    world.guest_writes(desktop, "write -P 17 0 4M")
    full = world.backup(driver, desktop)
    first = world.copy(desktop)
    assert full["kind"] == "full" and full["reason"] == "first", full
    world.guest_writes(desktop, "write -P 18 1M 1M")
    one = world.backup(driver, desktop)
    second = world.copy(desktop)
    assert one["kind"] == "incremental" and 1 << 20 <= one["bytes"] < 2 << 20, one
    world.guest_writes(desktop, "write -z 2M 64k")
    driver.call("power", desktop, "off")
    two = world.backup(driver, desktop)
    third = world.copy(desktop)
    assert two["kind"] == "incremental" and two["parent"] == one["id"] and two["bytes"] < 1 << 20, two
    driver.call("power", desktop, "start")
    world.guest_writes(desktop, "write -P 99 0 16M")
    driver.call("snapshot", desktop, "take", "s1")
    assert world.restore(driver, desktop, two, fails="busy")
    driver.call("power", desktop, "suspend")
    for made, disk in ((one, second), (full, first), (two, third)):
        world.restore(driver, desktop, made)
        world.same(world.disk(desktop), disk)
        driver.call("power", desktop, "start")
        assert driver.machines()[desktop]["state"] == "running"
        assert driver.refused("snapshot", desktop, "revert", "s1").code == "not_found", "snapshots go with the disk"
        driver.call("power", desktop, "off")
    driver.end()


def test_what_no_bitmap_notes_is_a_full_one(world):
    driver = world.driver()
    desktop = world.create(driver)
    world.guest_writes(desktop, "write -P 1 0 2M")
    world.backup(driver, desktop)
    driver.call("snapshot", desktop, "take", "before")
    world.guest_writes(desktop, "write -P 4 0 1M")
    assert world.backup(driver, desktop)["kind"] == "incremental"
    driver.call("snapshot", desktop, "revert", "before")
    made = world.backup(driver, desktop)
    assert made["kind"] == "full" and made["reason"] == "no_bitmap", made
    world.guest_writes(desktop, "write -P 5 1M 1M")
    driver.call("power", desktop, "off")
    driver.call("snapshot", desktop, "revert", "before")
    made = world.backup(driver, desktop)
    assert made["kind"] == "full" and made["reason"] == "no_bitmap", made
    driver.call("power", desktop, "off")
    driver.call("power", desktop, "start")
    os.kill(world.host.qemu_pid("puesto-" + desktop), signal.SIGKILL)
    eventually(lambda: driver.machines()[desktop]["state"] == "failed", 30)
    driver.call("resize", desktop, 0, 0, 96)
    driver.call("power", desktop, "start")
    made = world.backup(driver, desktop)
    assert made["kind"] == "full" and made["reason"] == "resized", made
    world.same(world.file(desktop, made), world.copy(desktop))
    driver.end()


def test_a_desktop_that_is_gone_comes_back(world):
    for world.on_store in (False, True):
        driver = world.driver()
        desktop = world.create(driver)
        world.guest_writes(desktop, "write -P 7 1M 3M")
        made = world.backup(driver, desktop)
        disk = world.copy(desktop)
        driver.call("destroy", desktop)
        world.order(driver, "rebuild", desktop, backup=made["id"], base=world.golden)
        assert driver.machines() == {}, "what lies ready is no machine"
        driver.call("order", desktop, 0, "restore")
        driver.call("create", desktop, world.task(), world.golden, "t")
        world.same(world.copy(desktop), disk)
        assert driver.machines()[desktop]["state"] == "running"
        driver.call("destroy", desktop)
        driver.end()
    world.on_store = False


def test_variables_of_the_firmware_come_along(world):
    variables_come_back(world)


def test_a_killed_provisioner_loses_no_change(world):
    driver = world.driver()
    desktop = world.create(driver)
    world.guest_writes(desktop, "write -P 1 0 8M")
    world.backup(driver, desktop)
    for n in range(8):
        world.guest_writes(desktop, "write -P %d %dM 1M" % (n + 2, n % 8))
        task = world.task()
        world.begin(driver, "backup", desktop, task=task)
        try:
            driver.process.wait(0.03 * n + 0.01)
        except subprocess.TimeoutExpired:
            pass
        driver.kill()
        driver = world.driver()
        made = world.backup(driver, desktop, task=task)
        world.same(world.file(desktop, made), world.copy(desktop))
    driver.end()


if __name__ == "__main__":
    if int(os.environ.get("PUESTO_TIER", "1")) < 2 or libvirt_host.missing():
        print("SKIP: " + (libvirt_host.missing() or "of tier 2"))
        sys.exit(77)
    main(World, globals())
