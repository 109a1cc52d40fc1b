#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datastores on a pool of a real Ceph: images of it are disks of QEMU machines and versions. Tier 2. Needs root, and Ceph's packages from the mirror.

Run alone: top_builddir=build PUESTO_TIER=2 python3 tests/integration/test_rbd.py [name]"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import ceph_host
import laid
import libvirt_host
from driver_harness import TOOL, Driver
from test_san import Here
from test_volumes import MIB, digest, new

SECRET = "5f0e5b1c-5c38-4d84-9a4f-0d4f8e7b6c11"


class World:
    def __init__(self, folder):
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.golden = os.path.join(folder, "golden.qcow2")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.golden, "64M"], check=True)
        self.io(self.golden, "write -q -P 0x5a 1M 2M")
        os.chmod(self.golden, 0o444)
        self.ceph = ceph_host.Ceph(folder, 1536)
        self.one = libvirt_host.Host(folder, "one", Here())
        self.drivers = []

    def io(self, disk, *commands, ok=True):
        words = [w for c in commands for w in ("-c", c)]
        done = subprocess.run(["qemu-io", "-f", "qcow2", *words, disk], capture_output=True, text=True, timeout=120)
        assert (done.returncode == 0 and "verification failed" not in done.stdout) == ok, done.stdout + done.stderr

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def begin(self):
        self.ceph.start()
        self.one.start()
        self.one.virsh("secret-define", self.file("secret.xml", "<secret ephemeral='no' private='yes'><uuid>%s</uuid><usage type='ceph'><name>desk</name></usage></secret>" % SECRET))
        self.one.virsh("secret-set-value", SECRET, "--file", self.file("key", self.ceph.secret()))
        self.one.virsh("pool-define", self.file("pool.xml", "<pool type='rbd'><name>ceph</name><source><host name='127.0.0.1'/><name>%s</name>"
                                                "<auth type='ceph' username='%s'><secret uuid='%s'/></auth></source></pool>" % (ceph_host.POOL, ceph_host.USER, SECRET)))
        self.one.virsh("pool-start", "ceph")
        self.one.virsh("pool-autostart", "ceph")

    def driver(self, section="keep_free_mb = 0\nwarning = 90\ncritical = 95"):
        text = "\n[datastore-ceph]\nkind = volumes\npool = ceph\nuri = %s\n%s" % (self.one.uri, section)
        driver = Driver(self.data, {"kind": "libvirt", "uri": self.one.uri, "network": "none", "accel": "tcg", "deadline_s": 120,
                                    "addresses": "10.9.0.10-10.9.0.60", "datastores": "ceph" + text})
        self.drivers.append(driver)
        libvirt_host.wait_for("the pool", lambda: self.state(driver)["online"], 60)
        return driver

    def create(self, driver, golden=None, disk_mb=0):
        more = ("host", "", disk_mb) if disk_mb else ()
        return driver.call("create", new(), new(), golden or self.golden, "t", *more)["machine"]["desktop"]

    def version(self, driver, name):
        source = shutil.copy(self.golden, os.path.join(self.folder, "source"))
        os.chmod(source, 0o600)
        driver.call("publish", "ceph", "desk", name, source)
        return "%s/volumes/ceph/images/desk/%s/disk.volume" % (self.data, name)

    def record(self, desktop):
        for top, folders, _ in os.walk(self.data + "/volumes/ceph/desktops"):
            if desktop in folders:
                return json.load(open(os.path.join(top, desktop, "volume.json")))
        return None

    def state(self, driver):
        return driver.call("stores")["stores"]["ceph"]

    def clean(self):
        for driver in self.drivers:
            driver.kill()
        for name in self.one.domains():
            self.one.virsh("destroy", name, ok=None)
            self.one.virsh("undefine", name, "--managed-save", "--snapshots-metadata", ok=None)

    def end(self):
        for driver in self.drivers:
            driver.kill()
        self.one.end()
        self.ceph.end()


def test_a_desktop_is_an_image_on_a_version_that_is_one(world):
    driver = world.driver()
    assert world.state(driver)["about"] == "rbd", world.state(driver)
    record = world.version(driver, "1")
    golden = json.load(open(record))["url"]
    assert golden.startswith("rbd:vdi/puesto-image-desk-1-") and golden.endswith("@puesto:id=desk"), golden
    copy = os.path.join(world.folder, "copy")
    driver.call("fetch", "ceph", "desk", "1", copy)
    assert digest(copy) == digest(world.golden)
    desktop = world.create(driver, golden=record)
    xml = world.one.virsh("dumpxml", "puesto-" + desktop)
    assert "protocol='rbd' name='vdi/puesto-%s'" % desktop in xml and "<snapshot name='puesto'/>" in xml and SECRET in xml, xml
    assert world.one.virsh("domstate", "puesto-" + desktop).strip() == "running"
    driver.call("power", desktop, "off")
    disk = world.record(desktop)["url"]
    assert disk == "rbd:vdi/puesto-%s:id=desk" % desktop, disk
    world.io(disk, "read -q -P 0x5a 1M 2M", "write -q -P 0x33 1M 1M", "write -q -P 0x44 8M 50M", "read -q -P 0x44 8M 50M")
    # What is below it takes no writes from anybody, whatever becomes of the image itself.
    world.io(golden, "write -q -P 0 1M 1M", ok=False)
    driver.call("fetch", "ceph", "desk", "1", copy + "2")
    assert digest(copy + "2") == digest(world.golden), "the version is as it was"
    driver.call("restart", desktop, new(), "refresh", "t")
    driver.call("power", desktop, "off")
    world.io(disk, "read -q -P 0 8M 50M", "read -q -P 0x5a 1M 2M")
    other = world.create(driver, golden=record)
    assert driver.refused("unpublish", "ceph", "desk", "1").code == "busy"
    driver.call("order", desktop, 86400000, "no")
    driver.call("destroy", desktop)
    assert "puesto-" + desktop in world.ceph.images(), "it lies in the recycle bin"
    driver.call("order", desktop, 86400000, "restore")
    driver.call("create", desktop, new(), record, "t")
    driver.call("order", desktop, 0, "no")
    for one in desktop, other:
        driver.call("destroy", one)
    driver.call("unpublish", "ceph", "desk", "1")
    driver.call("purge", "ceph")
    assert world.ceph.images() == [] and driver.machines() == {} and world.one.domains() == [], world.ceph.images()
    driver.end()


def test_a_disk_grows_in_use_and_has_snapshots(world):
    driver = world.driver()
    desktop = world.create(driver, golden=world.version(driver, "1"))
    disk, capacity = world.record(desktop)["url"], lambda: world.one.virsh("domblkinfo", "puesto-" + desktop, "vda", "--human").splitlines()[0].split(":")[1].strip()
    driver.call("snapshot", desktop, "take", "before")
    driver.call("resize", desktop, 0, 0, 96)
    assert capacity() == "96.000 MiB", capacity()
    image = json.loads(ceph_host.run("rbd", "info", "--format", "json", "vdi/puesto-" + desktop))
    assert image["size"] > 96 * MIB, image
    driver.call("power", desktop, "off")
    world.io(disk, "write -q -P 0x44 90M 4M", "read -q -P 0x44 90M 4M", "write -q -P 0x33 1M 1M")
    driver.call("power", desktop, "start")
    driver.call("snapshot", desktop, "revert", "before")
    driver.call("power", desktop, "off")
    world.io(disk, "read -q -P 0x5a 1M 2M")
    for what, name in ("take", "second"), ("drop", "before"):
        r = driver.refused("snapshot", desktop, what, name)
        assert r.code == "busy" and "start it first" in r.text, r
    driver.call("power", desktop, "start")
    driver.call("snapshot", desktop, "drop", "before")
    driver.call("destroy", desktop)
    driver.call("unpublish", "ceph", "desk", "1")
    driver.call("purge", "ceph")
    assert world.ceph.images() == [], world.ceph.images()
    driver.end()


def test_a_full_pool_takes_nothing_new(world):
    driver = world.driver("keep_free_mb = 0\nwarning = 38\ncritical = 48")
    ceph_host.run("rbd", "create", "vdi/filler", "--size", "700M")
    ceph_host.run("rbd", "bench", "--io-type", "write", "--io-size", "4M", "--io-total", "600M", "--io-pattern", "seq", "vdi/filler")
    libvirt_host.wait_for("it is seen", lambda: world.state(driver)["level"] == "critical", 180)
    r = driver.refused("create", new(), new(), world.golden, "t")
    assert r.code == "no_space" and "ceph is full" in r.text, r
    ceph_host.run("rbd", "rm", "--no-progress", "vdi/filler")
    libvirt_host.wait_for("there is room", lambda: world.state(driver)["level"] != "critical", 180)
    driver.end()


def test_an_osd_that_goes_away_is_an_offline_datastore(world):
    driver = world.driver()
    desktop = world.create(driver, golden=world.version(driver, "1"))
    world.ceph.osd_stop()
    try:
        libvirt_host.wait_for("it is seen", lambda: not world.state(driver)["online"], 240)
        reason = world.state(driver)["reason"]
        r = driver.refused("create", new(), new(), world.golden, "t")
        assert r.code == "busy" and "ceph is offline" in r.text and reason, (r, reason)
        assert world.one.virsh("domstate", "puesto-" + desktop).strip() == "running", "whoever works waits for the storage, and is not ended"
    finally:
        world.ceph.osd_start()
    libvirt_host.wait_for("it is back", lambda: world.state(driver)["online"], 240)
    other = world.create(driver)
    for one in desktop, other:
        driver.call("destroy", one)
    driver.call("unpublish", "ceph", "desk", "1")
    driver.call("purge", "ceph")
    assert world.ceph.images() == [], world.ceph.images()
    driver.end()


def inside():
    """In mount and network namespaces of our own: nothing of it is left, and nothing of it is reached from outside."""
    if "PUESTO_TEST_INSIDE" in os.environ:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    os.environ["PUESTO_TEST_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "-m", "-n", "--propagation", "private", sys.executable] + sys.argv)


def main():
    if os.environ.get("SANITIZED") or int(os.environ.get("PUESTO_TIER", "1")) < 2:
        print("SKIP: a Ceph of its own is of tier 2")
        return 77
    why = libvirt_host.missing() or laid.missing("ceph") or ("" if os.path.exists(TOOL) else "the test programs are not built")
    if why:
        print("SKIP:", why)
        return 77
    if "PUESTO_TEST_INSIDE" not in os.environ:
        laid.layer("ceph") # the mirror is not reached from within
    inside()
    failed, world, folder = 0, None, tempfile.mkdtemp(prefix="puesto-rbd-", dir="/var/tmp")
    os.chmod(folder, 0o755)
    try:
        ceph_host.enter(folder)
        world = World(folder)
        world.begin()
        for name in sys.argv[1:] or [n for n in globals() if n.startswith("test_")]:
            began = time.monotonic()
            try:
                globals()[name](world)
                print("PASS %s (%.1f s)" % (name, time.monotonic() - began), flush=True)
            except Exception:
                failed += 1
                print("FAIL %s (%.1f s)" % (name, time.monotonic() - began), flush=True)
                traceback.print_exc()
                world.clean()
    finally:
        if world:
            world.end()
        subprocess.run(["umount", "-l", "/etc", "/usr", os.path.join(folder, "etc")], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
