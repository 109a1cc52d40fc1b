#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datastores of volumes: real storage pools of a libvirtd of the test's own, with real QEMU machines on them. Needs root.

Covers: broker/hypervisor/libvirt/pool.c broker/hypervisor/libvirt/pool_copy.c broker/hypervisor/libvirt/pool_grow.c broker/hypervisor/libvirt/pool_zfs.c
broker/hypervisor/libvirt/volumes.c broker/hypervisor/libvirt/volume_disk.c broker/hypervisor/libvirt/volume_version.c broker/hypervisor/libvirt/base.c
Run alone: top_builddir=build python3 tests/integration/test_volumes.py [name]"""
import glob
import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

import libvirt_host
import test_storage
from driver_harness import TOOL, Driver

MIB = 1 << 20


def new():
    return str(uuid.uuid4())


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


class World:
    """A pool "vdi" of the kind dir on a small file system, and a golden disk with something in it."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="puesto-volumes-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.pool = os.path.join(self.folder, "pool")
        os.mkdir(self.pool)
        # logical:GROUP or zfs:DATASET instead, as test_nested_storage.py has them.
        self.kind, _, self.source = os.environ.get("PUESTO_TEST_POOL", "dir").partition(":")
        self.devices = {"logical": "/dev/", "zfs": "/dev/zvol/"}[self.kind] + self.source if self.source else ""
        if not self.devices:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96m,mode=711", "pool", self.pool], check=True)
        self.data = os.path.join(self.folder, "data")
        self.ca = os.path.join(self.folder, "ca.pem")
        with open(self.ca, "w") as f:
            f.write("-----BEGIN CERTIFICATE-----\n")
        self.golden = self.disk("golden.qcow2")
        os.chmod(self.golden, 0o444)
        self.network = libvirt_host.Network()
        self.one = libvirt_host.Host(self.folder, "one", self.network)
        self.drivers = []

    def disk(self, name, pattern="0x5a"):
        path = os.path.join(self.folder, name)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "64M"], check=True)
        subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -q -P %s 1M 2M" % pattern, path], check=True, stdout=subprocess.DEVNULL)
        return path

    def begin(self):
        self.one.start()
        self.define("vdi", self.pool)

    def define(self, name, path, pool_id=None):
        xml = os.path.join(self.folder, "pool.xml")
        source = "<source><name>%s</name></source>" % self.source if self.source else ""
        with open(xml, "w") as f:
            f.write("<pool type='%s'><name>%s</name><uuid>%s</uuid>%s<target><path>%s</path></target></pool>" % (self.kind, name, pool_id or new(), source, self.devices or path))
        self.one.virsh("pool-define", xml)
        self.one.virsh("pool-start", name)

    def driver(self, section="keep_free_mb = 0\nwarning = 98\ncritical = 99", **more):
        """A driver's settings are the end of its section, so that sections may follow."""
        text = "\n[datastore-san]\nkind = volumes\npool = vdi\nuri = %s\n%s" % (self.one.uri, section)
        settings = {"kind": "libvirt", "uri": self.one.uri, "network": "none", "accel": "tcg", "deadline_s": int(30 * libvirt_host.PATIENCE), "addresses": "10.9.0.10-10.9.0.60",
                    "agents": "10.9.0.1:5911", "agents_ca": self.ca, **more}
        driver = Driver(self.data, {**settings, "datastores": settings.get("datastores", "san") + text})
        self.drivers.append(driver)
        return driver

    def create(self, driver, desktop=None, task=None, golden=None, disk_mb=0):
        more = ("host", "", disk_mb) if disk_mb else ()
        return driver.call("create", desktop or new(), task or new(), golden or self.golden, "t", *more)["machine"]["desktop"]

    def record(self, desktop):
        found = glob.glob("%s/volumes/san/desktops/*/%s/volume.json" % (self.data, desktop))
        return json.load(open(found[0])) if found else None

    def volumes(self, pool="vdi"):
        return sorted(line.split()[0] for line in self.one.virsh("vol-list", pool).splitlines() if line.strip())

    def version(self, driver, name, golden=None):
        """A version of the image desk on the datastore; returns its record's path."""
        source = os.path.join(self.folder, "source-" + name)
        shutil.copy(golden or self.golden, source)
        os.chmod(source, 0o600)
        driver.call("publish", "san", "desk", name, source)
        assert not os.path.exists(source)
        return "%s/volumes/san/images/desk/%s/disk.volume" % (self.data, name)

    def fill(self):
        """All but some megabytes of the pool, by somebody else."""
        if self.kind == "zfs":
            pool, place = self.source.split("/")[0], os.path.join(self.folder, "filler")
            left = int(subprocess.run(["zfs", "get", "-Hp", "-o", "value", "available", pool], capture_output=True, text=True, check=True).stdout) // MIB - 24
            subprocess.run(["zfs", "create", "-o", "recordsize=1M", "-o", "mountpoint=" + place, pool + "/filler"], check=True)
            subprocess.run(["dd", "if=/dev/zero", "of=%s/filler" % place, "bs=1M", "count=%d" % left, "conv=fsync"], check=True, stderr=subprocess.DEVNULL)
        else:
            with open(os.path.join(self.pool, "filler"), "wb") as f:
                f.write(bytes(64 * MIB))

    def unfill(self):
        if self.kind == "zfs":
            subprocess.run(["zfs", "destroy", self.source.split("/")[0] + "/filler"], check=True)
        else:
            os.unlink(os.path.join(self.pool, "filler"))

    def state(self, driver):
        return driver.call("stores")["stores"]["san"]

    def clean(self):
        for driver in self.drivers:
            driver.kill()
        self.drivers.clear()
        for name in self.one.domains():
            self.one.virsh("destroy", name, ok=None)
            self.one.virsh("undefine", name, "--managed-save", "--snapshots-metadata", ok=None)
        self.one.virsh("pool-start", "vdi", ok=None)
        for name in self.volumes():
            self.one.virsh("vol-delete", name, "--pool", "vdi", ok=None)
        shutil.rmtree(self.data, ignore_errors=True)

    def end(self):
        for driver in self.drivers:
            driver.kill()
        self.one.end()
        self.network.end()
        subprocess.run(["umount", "-l", self.pool], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def device_size(path):
    return int(subprocess.run(["blockdev", "--getsize64", path], capture_output=True, text=True, check=True).stdout)


def images(path):
    """What qemu-img says of the disk and of all below it."""
    done = subprocess.run(["qemu-img", "info", "-U", "--backing-chain", "--output=json", "-f", "qcow2", path], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def test_a_desktops_disk_is_a_volume(world):
    driver = world.driver()
    desktop = world.create(driver)
    record = world.record(desktop)
    assert record["volume"] == "puesto-" + desktop and record["url"] == os.path.join(world.pool, record["volume"]), record
    top, below = images(record["url"])
    assert top["virtual-size"] == 64 * MIB and top["format-specific"]["data"]["compat"] == "1.1" and below["filename"] == world.golden, top
    assert os.stat(record["url"]).st_size > 64 * MIB, "the volume has room for a full disk and its tables"
    xml = world.one.virsh("dumpxml", "puesto-" + desktop)
    assert record["url"] in xml and world.golden in xml
    store = world.state(driver)
    assert store["kind"] == "volumes" and store["about"] == "dir" and store["pool"] == "vdi" and store["online"], store
    # The same task again is the same machine; another one is a conflict.
    assert driver.refused("create", desktop, new(), world.golden, "t").code == "conflict"
    # A new disk: what the old one had is gone.
    driver.call("power", desktop, "off")
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x77 8M 1M", record["url"]], check=True, stdout=subprocess.DEVNULL)
    assert images(record["url"])[0]["actual-size"] > MIB
    driver.call("restart", desktop, new(), "refresh", "t")
    driver.call("power", desktop, "off")
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", "read -q -P 0 8M 1M", "-c", "read -q -P 0x5a 1M 2M", record["url"]], check=True, stdout=subprocess.DEVNULL)
    driver.call("power", desktop, "start")
    driver.call("snapshot", desktop, "take", "before")
    driver.call("snapshot", desktop, "revert", "before")
    driver.call("destroy", desktop)
    assert world.volumes() == [] and world.record(desktop) is None and world.one.domains() == [] and driver.machines() == {}
    driver.end()


def test_a_version_is_a_volume_that_nobody_writes(world):
    driver = world.driver()
    record = world.version(driver, "1")
    volume = json.load(open(record))
    mode = os.stat(volume["url"])
    assert stat.S_IMODE(mode.st_mode) == 0o444 and mode.st_uid == 0, "as a sealed file"
    manifest = json.load(open(os.path.dirname(record) + "/manifest.json"))
    assert manifest["sha256"] == digest(world.golden) and manifest["size"] == 64 * MIB, manifest
    copy = os.path.join(world.folder, "copy")
    driver.call("fetch", "san", "desk", "1", copy)
    assert digest(copy) == manifest["sha256"]
    os.unlink(copy)
    desktops = [world.create(driver, golden=record, disk_mb=80) for _ in range(2)]
    before = digest(volume["url"])
    for desktop in desktops:
        top, below = images(world.record(desktop)["url"])
        assert below["filename"] == volume["url"] and below["format"] == "qcow2" and top["virtual-size"] == 80 * MIB, (top, below)
    after = os.stat(volume["url"])
    assert digest(volume["url"]) == before and (after.st_mode, after.st_uid) == (mode.st_mode, mode.st_uid), "libvirt gave it to QEMU"
    r = driver.refused("unpublish", "san", "desk", "1")
    assert r.code == "busy" and "2 disks stand on it" in r.text, r
    driver.call("destroy", desktops[0])
    # A removed desktop that is kept still stands on it.
    driver.call("order", desktops[1], 86400000, "no")
    driver.call("destroy", desktops[1])
    assert "puesto-" + desktops[1] in world.volumes()
    assert driver.refused("unpublish", "san", "desk", "1").code == "busy"
    driver.call("order", desktops[1], 86400000, "restore")
    world.create(driver, desktops[1], golden=record)
    driver.call("order", desktops[1], 0, "no")
    driver.call("destroy", desktops[1])
    driver.call("unpublish", "san", "desk", "1")
    assert len(world.volumes()) == 1, "it lies in the recycle bin"
    driver.call("purge", "san")
    assert world.volumes() == []
    driver.end()


def test_a_pool_that_is_not_there_is_offline(world):
    driver = world.driver()
    desktop = world.create(driver)
    if world.devices: # which are in use while it runs
        driver.call("power", desktop, "off")
    world.one.virsh("pool-destroy", "vdi")
    libvirt_host.wait_for("it is seen", lambda: not world.state(driver)["online"], 20)
    assert "pool-start vdi" in world.state(driver)["reason"], world.state(driver)
    r = driver.refused("create", new(), new(), world.golden, "t")
    assert r.code == "busy" and "san is offline" in r.text, r
    assert driver.refused("destroy", desktop).code == "busy", "its disk cannot be removed"
    # Marked for autostart, it is started: that is the administrator's wish.
    world.one.virsh("pool-autostart", "vdi")
    libvirt_host.wait_for("it is back", lambda: world.state(driver)["online"], 20)
    world.one.virsh("pool-autostart", "vdi", "--disable")
    driver.end()
    # Another pool of that name, by its UUID.
    world.one.virsh("pool-destroy", "vdi")
    mark = world.one.virsh("pool-uuid", "vdi").strip()
    world.one.virsh("pool-undefine", "vdi")
    driver = world.driver()
    assert "no pool" in world.state(driver)["reason"], world.state(driver)
    world.define("vdi", world.pool)
    libvirt_host.wait_for("it is seen", lambda: "another one" in world.state(driver)["reason"], 20)
    world.one.virsh("pool-destroy", "vdi")
    world.one.virsh("pool-undefine", "vdi")
    world.define("vdi", world.pool, mark)
    libvirt_host.wait_for("it is back", lambda: world.state(driver)["online"], 20)
    driver.call("destroy", desktop)
    assert world.volumes() == []
    driver.end()


def test_a_full_pool_takes_nothing_and_leaves_nothing(world):
    driver = world.driver("keep_free_mb = 0\nwarning = 50\ncritical = 60")
    world.fill()
    there = world.volumes()
    libvirt_host.wait_for("it is seen", lambda: world.state(driver)["level"] == "critical", 20)
    r = driver.refused("create", new(), new(), world.golden, "t")
    assert r.code == "no_space" and "san is full (" in r.text, r
    source = shutil.copy(world.golden, os.path.join(world.folder, "large"))
    os.chmod(source, 0o600)
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 1 4M 40M", source], check=True, stdout=subprocess.DEVNULL)
    r = driver.refused("publish", "san", "desk", "large", source)
    assert r.code == "no_space", r
    assert world.volumes() == there and os.path.exists(source), "nothing of it is left, and the source is there"
    assert os.listdir(world.data + "/volumes/san/images/desk") == []
    world.unfill()
    libvirt_host.wait_for("there is room", lambda: world.state(driver)["level"] == "calm", 20)
    driver.call("publish", "san", "desk", "large", source)
    driver.call("unpublish", "san", "desk", "large")
    driver.call("purge", "san")
    driver.end()


def test_what_a_crash_leaves_is_found(world):
    """The provisioner dies at moments of a create and of a publication."""
    for delay in (0.02, 0.05, 0.1, 0.2, 0.5):
        driver, desktop, task = world.driver(), new(), new()
        driver.begin("create", desktop, task, world.golden, "t")
        time.sleep(delay)
        driver.kill()
        driver = world.driver()
        seen = driver.machines().get(desktop)
        assert seen is None or seen["state"] in ("failed", "running"), seen
        world.create(driver, desktop, task)
        assert list(driver.machines()) == [desktop] and world.volumes() == ["puesto-" + desktop]
        driver.call("destroy", desktop)
        assert world.volumes() == [] and driver.machines() == {}
        source = shutil.copy(world.golden, os.path.join(world.folder, "source"))
        os.chmod(source, 0o600)
        driver.begin("publish", "san", "desk", "1", source)
        time.sleep(delay / 5)
        driver.kill()
        driver = world.driver()
        libvirt_host.wait_for("it is open", lambda d=driver: world.state(d)["online"], 20)
        there = os.path.exists(world.data + "/volumes/san/images/desk/1/manifest.json")
        assert len(world.volumes()) == int(there), (world.volumes(), there)
        if there:
            driver.call("unpublish", "san", "desk", "1")
            driver.call("purge", "san")
        assert world.volumes() == []
        driver.end()


def test_versions_are_imported_and_copied_both_ways(world):
    """By the API, the broker and the provisioner: an image that came onto volumes, and one that came into a folder."""
    site = test_storage.World()
    site.stores["san"] = site.dir + "/volumes/san"
    with open(site.conf, "a") as f:
        f.write("[datastore-san]\nkind = volumes\npool = vdi\nuri = %s\nkeep_free_mb = 0\n" % world.one.uri)
    try:
        site.begin()
        libvirt_host.wait_for("the pool", lambda: site.admin.call("GET", "datastores/san")[0] == 200 and site.store("san")["online"])
        assert site.store("san")["pool"] == "vdi" and site.store("san")["about"] == world.kind, site.store("san")
        for home, other in (("san", "fast"), ("fast", "san")):
            bytes_in = site.upload("small.img", 6, "qcow2", home)
            version = site.make("import", datastore=home, file="small.img", format="qcow2")
            assert version["state"] == "ready", version
            copies = "images/demo/versions/%s/copies" % version["version"]
            site.admin.want(202, "POST", copies, {"datastore": other})
            test_storage.eventually(lambda v=version: site.version(v["version"])["job"]["state"] != "running", 60)
            v = site.version(version["version"])
            assert v["files"]["copies"] == [other] and v["job"]["state"] == "done", v
            volume = json.load(open(site.path("san", "images/demo", v["version"], "disk.volume")))
            file = site.path("fast", "images/demo", v["version"], "disk.qcow2")
            size = os.path.getsize(file)
            with open(volume["url"], "rb") as f:
                assert f.read(size) == open(file, "rb").read(), "the same bytes in both"
            assert v["base"] == (file if home == "fast" else site.path("san", "images/demo", v["version"], "disk.volume")) and test_storage.digest_of(dict(v, base=file)) == bytes_in
            os.unlink(site.path(home, "incoming", "small.img"))
            test_storage.remove(site, v["version"])
        # Its volumes lie in the bin, and go with it.
        assert len(world.volumes()) == 2, world.volumes()
        for item in site.admin.get("recycled")["items"]:
            if item["datastore"] == "san":
                site.admin.want(204, "DELETE", "recycled/san/" + item["token"])
        assert world.volumes() == [], world.volumes()
    finally:
        site.end()


def test_a_copy_stands_for_a_version_whose_pool_is_away(world):
    """The provider places on the folder alone; the version came onto the pool first."""
    fast = os.path.join(world.folder, "fast")
    os.makedirs(fast, exist_ok=True)
    driver = world.driver("keep_free_mb = 0\n[datastore-fast]\npath = %s\nkeep_free_mb = 0\nwarning = 98\ncritical = 99" % fast, datastores="fast")
    record = world.version(driver, "1")
    source = shutil.copy(world.golden, os.path.join(fast, "images", "source"))
    os.chmod(source, 0o600)
    driver.call("publish", "fast", "desk", "1", source)
    world.one.virsh("pool-destroy", "vdi")
    libvirt_host.wait_for("it is seen", lambda: not world.state(driver)["online"], 20)
    desktop = new()
    driver.call("order", desktop, 0, "no", digest(world.golden))
    world.create(driver, desktop, golden=record)
    (disk,) = glob.glob(fast + "/desktops/*/%s/disk.qcow2" % desktop)
    assert images(disk)[1]["filename"] == fast + "/images/desk/1/disk.qcow2"
    driver.call("destroy", desktop)
    world.one.virsh("pool-start", "vdi")
    libvirt_host.wait_for("it is back", lambda: world.state(driver)["online"], 20)
    for store in "san", "fast":
        driver.call("unpublish", store, "desk", "1")
        driver.call("purge", store)
    assert world.volumes() == []
    driver.end()


def test_volumes_are_devices(world):
    """The golden one takes no writes from anybody."""
    driver = world.driver()
    libvirt_host.wait_for("the pool", lambda: world.state(driver)["online"])
    assert world.state(driver)["about"] == world.kind, world.state(driver)
    record = world.version(driver, "1")
    golden, size = json.load(open(record))["url"], os.path.getsize(world.golden)
    assert golden.startswith(world.devices + "/puesto-image-desk-1-"), golden
    desktop = world.create(driver, golden=record)
    with open(golden, "rb") as f:
        before = f.read()
    assert before[:size] == open(world.golden, "rb").read()
    assert subprocess.run(["blockdev", "--getro", golden], capture_output=True, text=True, check=True).stdout == "1\n"
    assert subprocess.run(["dd", "if=/dev/zero", "of=" + golden, "bs=4096", "count=1", "oflag=direct"], capture_output=True).returncode != 0
    disk = world.record(desktop)
    assert disk["block"] and disk["url"] == "%s/puesto-%s" % (world.devices, desktop), disk
    xml = world.one.virsh("dumpxml", "puesto-" + desktop)
    assert "<disk type='block' device='disk'>" in xml and "<source dev='%s'" % disk["url"] in xml and "dev='%s'" % golden in xml, xml
    assert 64 * MIB < device_size(disk["url"]) < 80 * MIB, device_size(disk["url"])
    driver.call("power", desktop, "off")
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", "read -q -P 0x5a 1M 2M", "-c", "write -q -P 0x33 1M 1M", "-c", "write -q -P 0x44 8M 50M",
                    "-c", "read -q -P 0x44 8M 50M", disk["url"]], check=True, stdout=subprocess.DEVNULL)
    with open(golden, "rb") as f:
        assert f.read() == before, "the golden disk is as it was"
    # A new disk in a volume whose old bytes are there yet: nothing of them is seen.
    driver.call("restart", desktop, new(), "refresh", "t")
    driver.call("power", desktop, "off")
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", "read -q -P 0 8M 50M", "-c", "read -q -P 0x5a 1M 2M", disk["url"]], check=True, stdout=subprocess.DEVNULL)
    if world.kind == "logical": # it cannot hold a disk of that size, and nothing of it is left; elsewhere they are sparse
        r = driver.refused("create", new(), new(), record, "t", "host", "", 4096)
        assert r.code == "no_space" and "san has no room" in r.text, r
    assert driver.refused("unpublish", "san", "desk", "1").code == "busy"
    driver.call("destroy", desktop)
    driver.call("unpublish", "san", "desk", "1")
    driver.call("purge", "san")
    assert world.volumes() == [] and driver.machines() == {}
    driver.end()


def test_a_disk_grows_and_keeps_its_snapshots(world):
    """In use, and while the machine is off; what there is no room for is refused, and the machine starts as before."""
    driver = world.driver()
    desktop = world.create(driver, golden=world.version(driver, "1"))
    disk, capacity = world.record(desktop), lambda: world.one.virsh("domblkinfo", "puesto-" + desktop, "vda", "--human").splitlines()[0].split(":")[1].strip()
    room = lambda: device_size(disk["url"]) if world.devices else 1 << 30 # a file's grows
    driver.call("snapshot", desktop, "take", "before")
    driver.call("resize", desktop, 0, 0, 80)
    assert capacity() == "80.000 MiB" and 80 * MIB < room(), (capacity(), room())
    driver.call("power", desktop, "off")
    subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x44 70M 9M", "-c", "read -q -P 0x44 70M 9M", "-c", "read -q -P 0x5a 1M 2M", disk["url"]], check=True,
                   stdout=subprocess.DEVNULL)
    driver.call("resize", desktop, 0, 0, 96)
    assert room() > 96 * MIB, "there is room before it needs it"
    driver.call("power", desktop, "start")
    assert capacity() == "96.000 MiB", capacity()
    if world.kind == "logical":
        r = driver.refused("resize", desktop, 0, 0, 4096)
        assert r.code == "no_space", r
        driver.call("power", desktop, "off")
        driver.call("power", desktop, "start")
        assert capacity() == "96.000 MiB", capacity()
    driver.call("snapshot", desktop, "revert", "before")
    driver.call("snapshot", desktop, "drop", "before")
    driver.call("destroy", desktop)
    driver.call("unpublish", "san", "desk", "1")
    driver.call("purge", "san")
    assert world.volumes() == [] and driver.machines() == {}
    driver.end()


def test_a_name_of_zfs_that_comes_late_is_waited_for(world):
    """udev makes and removes the names of devices when it comes to it: the name that a disk had leads to another one meanwhile."""
    driver = world.driver()
    desktop = world.create(driver)
    name, url = "%s/puesto-%s" % (world.source, desktop), world.record(desktop)["url"]
    number = os.path.realpath(url)
    driver.call("power", desktop, "off")
    subprocess.run(["udevadm", "settle"], check=True)
    subprocess.run(["udevadm", "control", "--stop-exec-queue"], check=True)
    try:
        driver.call("destroy", desktop)
        subprocess.run(["zfs", "create", "-s", "-V", "64M", world.source + "/other"], check=True)
        waits = driver.begin("create", desktop, new(), world.golden, "t")
        libvirt_host.wait_for("it is made", lambda: subprocess.run(["zfs", "list", name], capture_output=True, check=False).returncode == 0)
        assert os.path.realpath(url) == number and os.path.exists(number), "its name leads to the other one, which has its number"
        time.sleep(3) # in which that does not change
    finally:
        subprocess.run(["udevadm", "control", "--start-exec-queue"], check=True)
    driver.finish(waits)
    driver.call("power", desktop, "off")
    top, below = images(url)
    assert top["virtual-size"] == 64 * MIB and below["filename"] == world.golden, top
    with open("%s/other" % world.devices, "rb") as f:
        assert f.read(MIB) == bytes(MIB), "another volume is as it was"
    driver.call("destroy", desktop)
    libvirt_host.wait_for("nobody looks at it", lambda: subprocess.run(["zfs", "destroy", world.source + "/other"], capture_output=True, check=False).returncode == 0)
    driver.end()


def test_a_pool_of_zfs_goes_and_comes(world):
    """Which libvirt does not notice: its pool is active all the time."""
    driver, pool = world.driver(), world.source.split("/")[0]
    libvirt_host.wait_for("the pool", lambda: world.state(driver)["online"])
    run = lambda *words: subprocess.run(words, check=True)
    run("zpool", "export", pool)
    libvirt_host.wait_for("it is seen", lambda: not world.state(driver)["online"])
    assert "is it imported?" in world.state(driver)["reason"], world.state(driver)
    run("zpool", "import", pool)
    libvirt_host.wait_for("it is back", lambda: world.state(driver)["online"])
    run("zfs", "rename", world.source, pool + "/kept")
    run("zfs", "create", world.source)
    libvirt_host.wait_for("it is seen", lambda: "another one" in world.state(driver)["reason"])
    run("zfs", "destroy", world.source)
    run("zfs", "rename", pool + "/kept", world.source)
    libvirt_host.wait_for("it is back", lambda: world.state(driver)["online"])
    driver.end()


NESTED = ("test_volumes_are_devices", "test_a_name_of_zfs_that_comes_late_is_waited_for", "test_a_pool_of_zfs_goes_and_comes")
SECOND_TIER = NESTED + ("test_a_disk_grows_and_keeps_its_snapshots", "test_a_copy_stands_for_a_version_whose_pool_is_away", "test_versions_are_imported_and_copied_both_ways", "test_a_desktops_disk_is_a_volume", "test_a_version_is_a_volume_that_nobody_writes", "test_a_pool_that_is_not_there_is_offline", "test_what_a_crash_leaves_is_found")


def inside():
    """In a mount namespace of our own, so that no mount is left behind."""
    if "PUESTO_TEST_INSIDE" in os.environ:
        return
    os.environ["PUESTO_TEST_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable] + sys.argv)


def main():
    if os.environ.get("SANITIZED"):
        print("SKIP: it takes its time, and the units run what is pure of it under the sanitizers")
        return 77
    why = libvirt_host.missing() or ("" if os.path.exists(TOOL) else "the test programs are not built")
    if why:
        print("SKIP:", why)
        return 77
    inside()
    failed, world = 0, World()
    tier = int(os.environ.get("PUESTO_TIER", "1"))
    names = sys.argv[1:] or [n for n in globals() if n.startswith("test_") and callable(globals()[n]) and n not in NESTED and (tier > 1 or n not in SECOND_TIER)]
    try:
        world.begin()
        for name in names:
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
