#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back-ups of desktops of the provider "qemu": real QEMUs with nothing to boot, whose disks are written to by QEMU itself. Needs root.
In tier 1 the first two.

Covers: broker/hypervisor/backup/backups.c broker/hypervisor/backup/blank.c broker/hypervisor/backup/blocks.c broker/hypervisor/backup/daemon.c
 broker/hypervisor/backup/forget.c broker/hypervisor/backup/make.c broker/hypervisor/backup/restore.c
 broker/hypervisor/backup/target.c broker/hypervisor/backup/task.c broker/hypervisor/backup/work.c
 broker/hypervisor/qemu/disk.c

Run alone: top_builddir=build python3 tests/integration/test_backup_qemu.py [name]"""
import json
import os
import signal
import socket
import subprocess
import sys
import time

from backup_harness import Rig, main, variables_come_back
from broker_harness import eventually

FIRST = ("test_a_running_desktop_comes_back_as_it_was", "test_a_desktop_that_does_not_run_is_backed_up")
TIER = int(os.environ.get("PUESTO_TIER", "1"))


class World(Rig):
    kind = "qemu"

    def settings(self):
        return {"kind": "qemu", "directory": self.directory, "accel": "tcg", "deadline_s": 60, "stop_wait_s": 1}

    def disk(self, desktop):
        return os.path.join(self.directory, "desktops", desktop, "disk.qcow2")

    def monitor(self, desktop, command, **arguments):
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(os.path.join(self.directory, "desktops", desktop, "qmp"))
            f = s.makefile("rwb")
            f.readline()
            for line in ({"execute": "qmp_capabilities"}, {"execute": command, "arguments": arguments}):
                f.write(json.dumps(line).encode() + b"\n")
                f.flush()
                while True:
                    answer = json.loads(f.readline())
                    if "event" not in answer:
                        break
            return answer

    def guest_writes(self, desktop, what):
        """And flushes, so that whoever reads the file beside QEMU sees it, too."""
        self.io(desktop, what)
        self.io(desktop, "flush")

    def io(self, desktop, what):
        answer = self.monitor(desktop, "human-monitor-command", **{"command-line": 'qemu-io -d /machine/peripheral/disk0/virtio-backend "%s"' % what})
        assert "return" in answer and "rror" not in answer["return"], answer

    def pids(self):
        found = []
        for name in os.listdir("/proc"):
            try:
                with open("/proc/%s/cmdline" % name, "rb") as f:
                    words = f.read()
            except OSError:
                continue
            if name.isdigit() and words.startswith(b"/usr/bin/qemu-system") and self.folder.encode() in words:
                found.append(int(name))
        return found

    def machines_kill(self):
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not self.pids(), 20)


def crash(world, driver, desktop):
    world.machines_kill()
    eventually(lambda: driver.machines()[desktop]["state"] == "failed", 20)


def test_a_running_desktop_comes_back_as_it_was(world):
    """A full back-up and two incremental ones while it runs; the files are as large as what was written."""
    driver = world.driver()
    desktop = world.create(driver)
    world.guest_writes(desktop, "write -P 17 0 4M")
    world.guest_writes(desktop, "write -z 8M 1M")
    full = world.backup(driver, desktop)
    first = world.copy(desktop)
    assert full["kind"] == "full" and full["reason"] == "first" and full["parent"] == "", full
    assert 4 << 20 < full["bytes"] < 6 << 20, full
    world.guest_writes(desktop, "write -P 18 1M 1M")
    one = world.backup(driver, desktop)
    second = world.copy(desktop)
    assert one["kind"] == "incremental" and one["reason"] == "due" and one["parent"] == full["id"], one
    assert 1 << 20 <= one["bytes"] < 2 << 20, one
    world.guest_writes(desktop, "write -z 2M 64k")
    two = world.backup(driver, desktop)
    third = world.copy(desktop)
    assert two["kind"] == "incremental" and two["parent"] == one["id"] and two["bytes"] < 1 << 20, two
    world.guest_writes(desktop, "write -P 99 0 16M")
    # The files themselves are read by QEMU's tools as the disk of that day.
    for made, disk in ((full, first), (one, second), (two, third)):
        world.same(world.file(desktop, made), disk)
    assert world.restore(driver, desktop, two, fails="busy")
    driver.call("power", desktop, "off")
    for made, disk in ((one, second), (full, first), (two, third)):
        world.restore(driver, desktop, made)
        world.same(world.disk(desktop), disk)
        driver.call("power", desktop, "start")
        assert driver.machines()[desktop]["state"] == "running"
        driver.call("power", desktop, "off")
    # The disk is another one: nothing notes what has changed in it since a back-up.
    again = world.backup(driver, desktop)
    assert again["kind"] == "full" and again["reason"] == "no_bitmap", again
    world.restore(driver, desktop, again)
    world.same(world.disk(desktop), third)
    driver.end()


def test_a_desktop_that_does_not_run_is_backed_up(world):
    driver = world.driver()
    desktop = world.create(driver)
    world.guest_writes(desktop, "write -P 1 0 2M")
    full = world.backup(driver, desktop)
    world.guest_writes(desktop, "write -P 2 4M 1M")
    driver.call("power", desktop, "off")
    at_rest = world.backup(driver, desktop)
    assert at_rest["kind"] == "incremental" and at_rest["bytes"] < 2 << 20, at_rest
    world.same(world.file(desktop, at_rest), world.disk(desktop))
    assert os.stat(world.disk(desktop)).st_uid >= 1000, "the disk keeps its owner"
    driver.call("power", desktop, "start")
    world.guest_writes(desktop, "write -P 3 5M 1M")
    running = world.backup(driver, desktop)
    assert running["kind"] == "incremental" and running["parent"] == at_rest["id"], running
    world.same(world.file(desktop, running), world.copy(desktop))
    assert len(os.listdir(os.path.join(world.target, "backups", desktop))) == 3
    assert full["id"] in os.listdir(os.path.join(world.target, "backups", desktop))
    driver.end()


def test_what_no_bitmap_notes_is_a_full_one(world):
    """A crash, going back to a snapshot, a larger and a new disk: never an incremental one that lacks something."""
    driver = world.driver()
    desktop = world.create(driver)
    world.guest_writes(desktop, "write -P 1 0 2M")
    world.backup(driver, desktop)
    world.guest_writes(desktop, "write -P 2 3M 1M")
    crash(world, driver, desktop)  # before the bitmap was ever written
    driver.call("power", desktop, "start")
    made = world.backup(driver, desktop)
    assert made["kind"] == "full" and made["reason"] == "no_bitmap", made
    driver.call("power", desktop, "off")
    driver.call("power", desktop, "start")
    world.guest_writes(desktop, "write -P 3 3M 1M")
    crash(world, driver, desktop)
    driver.call("power", desktop, "start")
    made = world.backup(driver, desktop)
    assert made["kind"] == "full" and made["reason"] == "bitmap_broken", made
    world.same(world.file(desktop, made), world.copy(desktop))

    driver.call("snapshot", desktop, "take", "before")
    world.guest_writes(desktop, "write -P 4 0 1M")
    assert world.backup(driver, desktop)["kind"] == "incremental"
    driver.call("snapshot", desktop, "revert", "before")
    made = world.backup(driver, desktop)
    assert made["kind"] == "full" and made["reason"] == "no_bitmap", made
    world.same(world.file(desktop, made), world.copy(desktop))
    driver.call("power", desktop, "off")
    driver.call("snapshot", desktop, "take", "cold")
    world.backup(driver, desktop)
    driver.call("snapshot", desktop, "revert", "cold")
    made = world.backup(driver, desktop)
    assert made["kind"] == "full" and made["reason"] == "no_bitmap", made
    driver.call("snapshot", desktop, "drop", "cold")
    driver.call("snapshot", desktop, "drop", "before")

    driver.call("power", desktop, "start")
    driver.call("resize", desktop, 0, 0, 96)
    made = world.backup(driver, desktop)
    assert made["kind"] == "full" and made["reason"] == "resized" and made["disk_size"] == 96 << 20, made
    crash(world, driver, desktop)  # a spoilt bitmap does not keep the disk from growing
    driver.call("resize", desktop, 0, 0, 128)
    driver.call("power", desktop, "start")
    assert world.backup(driver, desktop)["reason"] == "resized"
    driver.call("restart", desktop, world.task(), "refresh", "t")
    made = world.backup(driver, desktop)
    assert made["kind"] == "full" and made["reason"] == "no_bitmap", made
    driver.end()


def test_a_desktop_that_is_gone_comes_back(world):
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
    assert world.backup(driver, desktop)["kind"] == "full"
    driver.end()


def test_what_lies_between_disk_and_golden_disk_comes_along(world):
    """As with the child of a booted parent; and it is cancelled, or done, and the next one is whole either way."""
    driver = world.driver()
    desktop = world.create(driver)
    driver.call("power", desktop, "off")
    between = os.path.join(world.folder, "between.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", world.golden, "-F", "qcow2", between], check=True)
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -P 5 2M 3M", "-c", "write -z 30M 1M", between], check=True, stdout=subprocess.DEVNULL)
    os.chmod(between, 0o444)
    subprocess.run(["qemu-img", "rebase", "-u", "-f", "qcow2", "-b", between, "-F", "qcow2", world.disk(desktop)], check=True)
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -P 6 3M 1M", world.disk(desktop)], check=True, stdout=subprocess.DEVNULL)
    for run in (True, False):
        if run:
            driver.call("power", desktop, "start")
        n = world.begin(driver, "backup", desktop)
        driver.call("backup_cancel")
        news = driver.finish(n, 60)["news"]
        assert news["state"] == "done" or news["error"]["code"] == "closed", news
        made = world.backup(driver, desktop)
        assert made["bytes"] > 3 << 20 or made["kind"] == "incremental", made
        world.same(world.file(desktop, made), world.copy(desktop))
        driver.call("power", desktop, "off")
    world.restore(driver, desktop, made)
    os.unlink(between)  # nothing stands on it any more
    world.same(world.disk(desktop), world.file(desktop, made))
    driver.end()


def test_a_restore_goes_onto_its_own_version_only(world):
    """All versions of an image are as large, and the desktop may stand on another one by now."""
    driver = world.driver()
    desktop = world.create(driver)
    world.guest_writes(desktop, "write -P 9 1M 1M")
    made = world.backup(driver, desktop)
    driver.call("destroy", desktop)
    other = os.path.join(world.folder, "other.qcow2")
    subprocess.run(["cp", world.golden, other], check=True)
    os.chmod(other, 0o444)
    driver.call("create", desktop, world.task(), other, "t")
    driver.call("power", desktop, "off")
    before = world.copy(desktop)
    assert "by now" in world.restore(driver, desktop, made, fails="conflict")
    world.same(world.disk(desktop), before)
    driver.call("destroy", desktop)
    os.unlink(other)
    driver.end()


def test_a_restored_disk_outlives_a_failed_start(world):
    driver = world.driver()
    desktop = world.create(driver)
    world.guest_writes(desktop, "write -P 8 1M 3M")
    made = world.backup(driver, desktop)
    disk = world.copy(desktop)
    driver.call("destroy", desktop)
    world.order(driver, "rebuild", desktop, backup=made["id"], base=world.golden)
    driver.call("order", desktop, 0, "restore")
    os.rename(world.golden, world.golden + ".away")
    try:
        driver.refused("create", desktop, world.task(), world.golden, "t")
    finally:
        os.rename(world.golden + ".away", world.golden)
    assert driver.machines() == {}
    driver.call("create", desktop, world.task(), world.golden, "t")
    world.same(world.copy(desktop), disk)
    driver.end()


def test_a_removal_that_died_finds_the_rest(world):
    """The full one is gone already: what is left between it and the one that was asked for goes with that."""
    driver = world.driver()
    desktop = world.create(driver)
    chain = []
    for n in range(4):
        world.guest_writes(desktop, "write -P %d %dM 1M" % (n + 1, n))
        chain.append(world.backup(driver, desktop))
    assert [m["kind"] for m in chain] == ["full"] + 3 * ["incremental"], chain
    subprocess.run(["rm", "-r", *(os.path.dirname(world.file(desktop, chain[i])) for i in (3, 0))], check=True)
    removed = world.order(driver, "remove", desktop, backup=chain[2]["id"])["removed"]
    assert set(removed) == {chain[1]["id"], chain[2]["id"]} and removed[-1] == chain[2]["id"], removed
    assert not os.path.exists(os.path.join(world.target, "backups", desktop)), "nothing is left"
    driver.end()


def test_variables_of_the_firmware_come_along(world):
    variables_come_back(world)


def test_a_killed_provisioner_loses_no_change(world):
    """At every moment of a back-up; the same task is asked again, and what it makes is whole."""
    driver = world.driver()
    desktop = world.create(driver)
    world.guest_writes(desktop, "write -P 1 0 8M")
    world.backup(driver, desktop)
    for n in range(4 if TIER < 2 else 24):
        world.guest_writes(desktop, "write -P %d %dM 1M" % (n + 2, n % 8))
        task = world.task()
        world.begin(driver, "backup", desktop, task=task)
        time.sleep(0.01 + 0.06 * n if TIER < 2 else 0.012 * n)
        driver.kill()
        driver = world.driver()
        made = world.backup(driver, desktop, task=task)
        world.same(world.file(desktop, made), world.copy(desktop))
        folder = os.path.dirname(world.disk(desktop))
        assert not [f for f in os.listdir(folder) if f.endswith(".tmp")], os.listdir(folder)
    driver.end()


def test_trouble_has_a_reason_and_leaves_nothing(world):
    driver = world.driver()
    desktop = world.create(driver)
    world.guest_writes(desktop, "write -P 1 0 8M")
    with open(os.path.join(world.target, "filler"), "wb") as f:
        f.write(b"x" * (58 << 20))
    assert "make room" in world.backup(driver, desktop, fails="no_space")
    os.unlink(os.path.join(world.target, "filler"))
    full = world.backup(driver, desktop)
    assert full["kind"] == "full"
    # Offline: its mark is away.
    mark = os.path.join(world.target, "datastore.id")
    os.rename(mark, mark + ".away")
    eventually(lambda: "offline" in str(world.backup(driver, desktop, fails="busy")), 30)
    os.rename(mark + ".away", mark)
    world.guest_writes(desktop, "write -P 2 0 1M")
    eventually(lambda: world.order(driver, "backup", desktop, may_fail=True)["state"] == "done", 30)
    # One of the chain is lost: what stands on it cannot be restored, and the next is a full one.
    one = world.backup(driver, desktop)
    subprocess.run(["rm", "-r", os.path.dirname(world.file(desktop, full))], check=True)
    driver.call("power", desktop, "off")
    assert "choose an older" in world.restore(driver, desktop, one, fails="invalid")
    made = world.backup(driver, desktop)
    assert made["kind"] == "full" and made["reason"] == "first", made
    # Its bytes are others.
    os.chmod(world.file(desktop, made), 0o600)
    with open(world.file(desktop, made), "r+b") as f:
        f.seek(400000)
        f.write(b"spoilt")
    before = world.copy(desktop)
    assert "not those that were backed up" in world.restore(driver, desktop, made, fails="invalid")
    world.same(world.disk(desktop), before)
    # The golden disk is no more.
    good = world.backup(driver, desktop)
    os.rename(world.golden, world.golden + ".away")
    assert "version 1 of image debian" in world.restore(driver, desktop, good, fails="not_found")
    os.rename(world.golden + ".away", world.golden)
    assert [m for m in [world.order(driver, "remove", desktop, backup=good["id"])["removed"]] if good["id"] in m]
    assert not os.path.exists(world.file(desktop, good))
    driver.end()


if __name__ == "__main__":
    later = () if TIER > 1 else [n for n in globals() if n.startswith("test_") and n not in FIRST]
    main(World, {n: t for n, t in globals().items() if n not in later})
