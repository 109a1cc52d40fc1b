#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks on servers that QEMU reaches by itself: LUNs of a real iSCSI target in a pool "iscsi-direct", golden disks on iSCSI and NFS. Needs root.

Covers: broker/hypervisor/libvirt/pool_lun.c broker/hypervisor/disk/place_io.c
Run alone: top_builddir=build python3 tests/integration/test_san.py [name]"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

import libvirt_host
import san_host
from driver_harness import TOOL, Driver
from test_volumes import MIB, digest, new


class Here:
    """The test's own network, which libvirtd shares."""

    def enter(self, *words):
        return list(words)

    def end(self):
        pass


class World:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="puesto-san-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.data, self.directory = os.path.join(self.folder, "data"), os.path.join(self.folder, "disks")
        self.golden = os.path.join(self.folder, "golden.qcow2")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.golden, "64M"], check=True)
        self.io(self.golden, "write -q -P 0x5a 1M 2M")
        self.raw = os.path.join(self.folder, "golden.raw")
        subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", self.golden, self.raw], check=True)
        os.chmod(self.golden, 0o444)
        self.target, self.nfs = san_host.Target(self.folder), san_host.Nfs(self.folder)
        self.one = libvirt_host.Host(self.folder, "one", Here())
        self.drivers = []

    def io(self, disk, *commands, ok=True):
        words = [w for c in commands for w in ("-c", c)]
        done = subprocess.run(["qemu-io", "-f", "qcow2", *words, disk], capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0 and "verification failed" not in done.stdout) == ok, done.stdout + done.stderr

    def begin(self):
        self.one.start()
        self.target.start()
        for lun, megabytes in ((1, 96), (2, 80), (3, 80), (4, 16)):
            self.target.add(lun, megabytes)
        with open(self.target.path(2), "r+b") as f:
            f.seek(1024)
            f.write(b"somebody's file system")
        self.foreign = digest(self.target.path(2))
        xml = os.path.join(self.folder, "pool.xml")
        with open(xml, "w") as f:
            f.write("<pool type='iscsi-direct'><name>luns</name><source><host name='127.0.0.1' port='%d'/><device path='%s'/><initiator><iqn "
                    "name='iqn.2026-11.org.example:one'/></initiator></source></pool>" % (self.target.port, san_host.IQN))
        self.one.virsh("pool-define", xml)
        self.one.virsh("pool-start", "luns")
        self.one.virsh("pool-autostart", "luns")

    def driver(self, on_luns=True):
        text = "\n[datastore-luns]\nkind = volumes\npool = luns\nuri = %s\nkeep_free_mb = 0\nwarning = 98\ncritical = 100" % self.one.uri
        where = {"datastores": "luns" + text} if on_luns else {"directory": self.directory}
        driver = Driver(self.data, {"kind": "libvirt", "uri": self.one.uri, "network": "none", "accel": "tcg", "deadline_s": 60,
                                    "addresses": "10.9.0.10-10.9.0.60", **where})
        self.drivers.append(driver)
        return driver

    def create(self, driver, golden=None):
        return driver.call("create", new(), new(), golden or self.golden, "t")["machine"]["desktop"]

    def record(self, desktop):
        for top, folders, _ in os.walk(self.data + "/volumes/luns/desktops"):
            if desktop in folders:
                return json.load(open(os.path.join(top, desktop, "volume.json")))
        return None

    def state(self, driver):
        return driver.call("stores")["stores"]["luns"]

    def lun(self, record):
        return int(record["volume"].rsplit(":", 1)[1])

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
        self.target.end()
        self.nfs.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def test_a_desktop_takes_a_free_lun_and_gives_it_back(world):
    driver = world.driver()
    store = world.state(driver)
    assert store["online"] and store["about"] == "iscsi-direct" and (store["total"] + MIB - 1) // MIB == 96 + 80 + 80 + 16, store
    desktop = world.create(driver)
    record = world.record(desktop)
    assert world.lun(record) == 3 and record["initiator"] == "iqn.2026-11.org.example:one", "the smallest that is empty and large enough: %s" % record
    xml = world.one.virsh("dumpxml", "puesto-" + desktop)
    assert "protocol='iscsi' name='%s/3'" % san_host.IQN in xml and "iqn.2026-11.org.example:one" in xml, xml
    assert world.one.virsh("domstate", "puesto-" + desktop).strip() == "running"
    driver.call("power", desktop, "off")
    # Written and read by QEMU's own initiator; the bytes are in the target's file.
    world.io(record["url"], "read -q -P 0x5a 1M 2M", "write -q -P 0x77 8M 1M", "read -q -P 0x77 8M 1M")
    with open(world.target.path(3), "rb") as f:
        assert b"\x77" * 65536 in f.read()
    driver.call("restart", desktop, new(), "refresh", "t")
    assert world.lun(world.record(desktop)) == 3, "a new disk in the LUN that it has"
    driver.call("power", desktop, "off")
    world.io(record["url"], "read -q -P 0 8M 1M", "read -q -P 0x5a 1M 2M")
    other = world.create(driver)
    assert world.lun(world.record(other)) == 1
    r = driver.refused("create", new(), new(), world.golden, "t")
    assert r.code == "no_space" and ("2 are taken" in r.text and "1 hold data of others" in r.text or "luns has no room" in r.text), r
    for one in desktop, other:
        driver.call("destroy", one)
    assert driver.machines() == {} and world.one.domains() == []
    with open(world.target.path(3), "rb") as f:
        assert f.read(40).startswith(b"puesto: a free disk of datastore luns"), "it carries our mark"
    desktop = world.create(driver)
    assert world.lun(world.record(desktop)) == 3, "what has our mark is free"
    driver.call("destroy", desktop)
    assert digest(world.target.path(2)) == world.foreign, "what is somebody's is never written to"
    driver.end()


def test_a_version_on_a_lun_is_what_desktops_stand_on(world):
    driver = world.driver()
    source = shutil.copy(world.golden, os.path.join(world.folder, "source"))
    os.chmod(source, 0o600)
    driver.call("publish", "luns", "desk", "1", source)
    record = world.data + "/volumes/luns/images/desk/1/disk.volume"
    lun = world.lun(json.load(open(record)))
    assert lun == 4, "the smallest"
    with open(world.target.path(lun), "rb") as f:
        before = f.read()
    assert before[:os.path.getsize(world.golden)] == open(world.golden, "rb").read()
    copy = os.path.join(world.folder, "copy")
    driver.call("fetch", "luns", "desk", "1", copy)
    assert digest(copy) == digest(world.golden)
    os.unlink(copy)
    desktop = world.create(driver, record)
    xml = world.one.virsh("dumpxml", "puesto-" + desktop)
    assert xml.count("protocol='iscsi'") == 2 and "%s/%d" % (san_host.IQN, lun) in xml, xml
    driver.call("power", desktop, "off")
    world.io(world.record(desktop)["url"], "read -q -P 0x5a 1M 2M", "write -q -P 0x33 1M 1M", "read -q -P 0x33 1M 1M")
    with open(world.target.path(lun), "rb") as f:
        assert f.read() == before, "the golden LUN is as it was"
    assert driver.refused("unpublish", "luns", "desk", "1").code == "busy"
    driver.call("destroy", desktop)
    driver.call("unpublish", "luns", "desk", "1")
    driver.call("purge", "luns")
    with open(world.target.path(lun), "rb") as f:
        assert f.read(7) == b"puesto:"
    driver.end()


def test_a_target_that_goes_away_is_an_offline_datastore(world):
    driver = world.driver()
    desktop = world.create(driver)
    world.target.process.kill()
    world.target.process.wait()
    libvirt_host.wait_for("it is seen", lambda: driver.call("stores") and not world.state(driver)["online"], 120)
    assert driver.refused("create", new(), new(), world.golden, "t").code == "busy"
    assert driver.refused("destroy", desktop).code == "busy", "its LUN cannot be released"
    world.target.start()
    for lun in 1, 2, 3, 4:
        world.target.add(lun)
    libvirt_host.wait_for("it is back", lambda: world.state(driver)["online"], 120)
    driver.call("destroy", desktop)
    assert driver.machines() == {}
    driver.end()


def golden_on_a_server(world, url, served):
    driver = world.driver(on_luns=False)
    before = digest(served)
    desktop = world.create(driver, url)
    assert world.one.virsh("domstate", "puesto-" + desktop).strip() == "running"
    driver.call("power", desktop, "off")
    disk = world.one.virsh("domblklist", "puesto-" + desktop).split()[-1]
    assert disk.startswith(world.directory), disk
    info = json.loads(subprocess.run(["qemu-img", "info", "--output=json", "-f", "qcow2", disk], check=True, capture_output=True, text=True).stdout)
    assert info["backing-filename"] == url and info["virtual-size"] == 64 * MIB, info
    world.io(disk, "read -q -P 0x5a 1M 2M", "write -q -P 0x33 1M 1M", "read -q -P 0x33 1M 1M")
    assert digest(served) == before, "nothing was written to it"
    driver.call("restart", desktop, new(), "refresh", "t")
    driver.call("destroy", desktop)
    assert driver.machines() == {} and world.one.domains() == []
    driver.end()


def test_a_golden_disk_may_be_a_lun_that_takes_no_writes(world):
    world.target.add(9, source=world.raw, is_readonly=True)
    url = world.target.url + "9"
    done = subprocess.run(["qemu-io", "-f", "raw", "-c", "write -P 1 0 4k", url], capture_output=True, text=True)
    assert done.returncode != 0 or "read-only" in (done.stdout + done.stderr).lower(), done.stdout + done.stderr
    golden_on_a_server(world, url, world.target.path(9))
    world.target.remove(9)


def test_a_golden_disk_may_be_on_a_server_of_nfs(world):
    world.nfs.start()
    served = shutil.copy(world.golden, os.path.join(world.nfs.folder, "golden.qcow2"))
    os.chmod(served, 0o444)
    url, overlay, before = "nfs://127.0.0.1/vdi/golden.qcow2", os.path.join(world.folder, "on-nfs.qcow2"), digest(served)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", url, overlay], check=True)
    world.io(overlay, "read -q -P 0x5a 1M 2M", "write -q -P 0x33 1M 1M", "read -q -P 0x33 1M 1M")
    assert digest(served) == before
    # libvirt's QEMU would have to be let write into it: that is refused, and said why.
    driver = world.driver(on_luns=False)
    r = driver.refused("create", new(), new(), url, "t")
    assert r.code == "unsupported" and "mount the folder" in r.text and driver.machines() == {}, r
    driver.end()


def inside():
    """Mounts, networks and ports of our own: none is left behind, and none is in anybody's way."""
    if "PUESTO_TEST_INSIDE" in os.environ:
        subprocess.run("ip link set lo up && mount -t tmpfs run /run", shell=True, check=True)
        return
    os.environ["PUESTO_TEST_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "-m", "-n", "--propagation", "private", sys.executable] + sys.argv)


def main():
    if os.environ.get("SANITIZED") or int(os.environ.get("PUESTO_TIER", "1")) < 2:
        print("SKIP: servers of disks are of tier 2, and not for sanitizers")
        return 77
    why = libvirt_host.missing() or san_host.missing("tgtd", "tgtadm", "ganesha.nfsd", "rpcbind", "qemu-io") or ("" if os.path.exists(TOOL) else "the test programs are not built")
    if why:
        print("SKIP:", why)
        return 77
    inside()
    failed, world = 0, World()
    try:
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
        world.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
