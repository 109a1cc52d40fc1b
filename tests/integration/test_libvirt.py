#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider "libvirt" with real QEMU machines in a libvirtd of its own. Needs root.

Run alone: top_builddir=build python3 tests/integration/test_libvirt.py [name]"""
import json
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import traceback
import tty
import uuid

import libvirt_host
import tpm_state
import uefi_disk
from driver_harness import TOOL, Driver, Refused

UNIT = libvirt_host.UNIT
ACCEL = os.environ.get("PUESTO_TEST_LIBVIRT_ACCEL", "tcg")
MIB = 1 << 20


def new():
    return str(uuid.uuid4())


class World:
    """Two hosts (the second is started by whom it serves), a golden disk, a folder for overlays that QEMU's own user reaches."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="puesto-libvirt-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.directory = os.path.join(self.folder, "disks")
        self.golden = os.path.join(self.folder, "golden.qcow2")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.golden, "64M"], check=True)
        os.chmod(self.golden, 0o444)
        self.ca = os.path.join(self.folder, "ca.pem")
        with open(self.ca, "w") as f:
            f.write("-----BEGIN CERTIFICATE-----\n")
        self.small = os.path.join(self.folder, "small")
        os.mkdir(self.small)
        # Before the hosts take their copies of the mounts.
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k,mode=711", "small", self.small], check=True)
        self.stores = {name: os.path.join(self.folder, name) for name in ("fast", "slow")}
        for name, path in self.stores.items():
            os.mkdir(path)
            if "PUESTO_TEST_STORES" in os.environ: # as test_nested_storage.py has them
                there = os.path.join(os.environ["PUESTO_TEST_STORES"], "desktops-" + name)
                os.makedirs(there, mode=0o711, exist_ok=True)
                subprocess.run(["mount", "--bind", there, path], check=True)
                continue
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128m,mode=711", name, path], check=True)
        self.network = libvirt_host.Network()
        self.one = libvirt_host.Host(self.folder, "one", self.network)
        self.two = libvirt_host.Host(self.folder, "two", self.network)
        self.drivers = []

    def driver(self, data="data", **more):
        settings = {"kind": "libvirt", "uri": self.one.uri, "directory": self.directory, "network": "none", "accel": ACCEL, "deadline_s": int(libvirt_host.DEADLINE),
                    "addresses": "10.9.0.10-10.9.0.60", "agents": "10.9.0.1:5911", "agents_ca": self.ca, **more}
        if "hosts" in settings:
            del settings["uri"]
        driver = Driver(os.path.join(self.folder, data), settings)
        self.drivers.append(driver)
        return driver

    def create(self, driver, desktop=None, task=None, token="token_of_this_test", golden=None):
        words = ("create", desktop or new(), task or new(), golden or self.golden, token)
        return driver.call(*words)["machine"]["desktop"]

    def files(self, desktop, directory=None):
        """The desktop's folder, or None."""
        for top, folders, _ in os.walk(directory or self.directory):
            if desktop in folders:
                return os.path.join(top, desktop)
        return None

    def clean(self):
        """After a failure: the next test finds nothing of it."""
        for host in self.one, self.two:
            if host.process and host.process.poll() is None:
                host.kill(signal.SIGCONT)
                for name in host.domains():
                    host.virsh("destroy", name, ok=None)
                    host.virsh("undefine", name, "--managed-save", "--snapshots-metadata", ok=None)
        for name in os.listdir(self.directory) if os.path.isdir(self.directory) else ():
            shutil.rmtree(os.path.join(self.directory, name))

    def golden_bytes(self):
        with open(self.golden, "rb") as f:
            return f.read()

    def end(self):
        for driver in self.drivers:
            driver.kill()
        self.one.end()
        self.two.end()
        self.network.end()
        subprocess.run(["umount", self.small, *self.stores.values()], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def lives(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_contract_holds(world):
    before, mode = world.golden_bytes(), os.stat(world.golden)
    libvirt_host.contract_check(world.one.uri, world.golden, world.directory)
    assert world.one.domains() == [], "all of it was removed"
    after = os.stat(world.golden)
    assert world.golden_bytes() == before and (after.st_mode, after.st_uid) == (mode.st_mode, mode.st_uid), "the golden disk was touched"


def test_a_seed_is_given_once(world):
    driver = world.driver()
    desktop = world.create(driver)
    path = os.path.join(world.files(desktop), "seed.json")
    seed = json.load(open(path))
    assert seed == {"desktop": desktop, "hostname": "test", "broker": "10.9.0.1:5911", "display": "0.0.0.0:5910",
                    "ca": "-----BEGIN CERTIFICATE-----\n", "locale": "en_US", "layout": "us"}, seed
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert "token_of_this_test" not in world.one.virsh("dumpxml", "puesto-" + desktop)
    pid = world.one.qemu_pid("puesto-" + desktop)
    assert "opt/org.puesto/seed" in open("/proc/%d/cmdline" % pid).read()
    address = driver.machines()[desktop]["address"]
    assert address.startswith("10.9.0.")
    driver.call("snapshot", desktop, "take", "before")
    driver.call("restart", desktop, new(), "refresh", "another_token")
    assert json.load(open(path)) == seed and driver.machines()[desktop]["address"] == address
    assert driver.refused("snapshot", desktop, "revert", "before").code == "not_found", "it was in the old disk"
    driver.call("destroy", desktop)
    assert world.files(desktop) is None
    driver.end()


def test_others_are_left_alone(world):
    """A domain of an administrator, and one of another installation, with names and uuids as ours have them."""
    ours, theirs = world.driver(), world.driver(data="other", addresses="10.9.0.70-10.9.0.80")
    plain, tagged = new(), world.create(theirs)
    xml = "<domain type='qemu'><name>puesto-%s</name><uuid>%s</uuid><memory>65536</memory><os><type>hvm</type></os></domain>" % (plain, plain)
    path = os.path.join(world.folder, "plain.xml")
    with open(path, "w") as f:
        f.write(xml)
    world.one.virsh("define", path)
    assert ours.machines() == {} and set(theirs.machines()) == {tagged}
    for desktop in plain, tagged:
        ours.call("destroy", desktop)
        assert ours.refused("create", desktop, new(), world.golden, "t").code == "conflict"
        assert ours.refused("power", desktop, "off").code == "not_found"
        assert "puesto-" + desktop in world.one.domains()
    world.one.virsh("undefine", "puesto-" + plain)
    theirs.call("destroy", tagged)
    assert world.one.domains() == []
    ours.end()
    theirs.end()


def test_a_daemon_that_dies_takes_nobody_with_it(world):
    driver = world.driver()
    stays, dies = world.create(driver), world.create(driver)
    for desktop in stays, dies:
        driver.call("watch", desktop)
    pids = {d: world.one.qemu_pid("puesto-" + d) for d in (stays, dies)}
    world.one.kill()
    r = driver.refused("list")
    assert r.code == "closed" and any(word in r.text for word in ("cannot be reached", "Cannot", "nd of file", "socket is closed")), r
    health = driver.health()
    assert not health["healthy"] and "libvirt" in health["reason"], health
    assert all(lives(p) for p in pids.values()), "desktops go on"
    os.kill(pids[dies], signal.SIGKILL)
    world.one.start()
    libvirt_host.wait_for("a healthy provider", lambda: driver.health()["healthy"])
    machines = driver.machines()
    assert machines[stays]["state"] == "running" and machines[dies]["state"] == "failed", machines
    assert world.one.qemu_pid("puesto-" + stays) == pids[stays] and lives(pids[stays])
    end = driver.ends.get(timeout=20 * libvirt_host.PATIENCE)
    assert end["ended"] == dies and end["reason"] and driver.ends.empty(), end
    for desktop in stays, dies:
        driver.call("destroy", desktop)
    driver.end()


def test_a_daemon_that_hangs_is_given_up_in_time(world):
    patient = world.driver()
    desktop = world.create(patient)
    patient.end()
    driver = world.driver(deadline_s=4)
    world.one.kill(signal.SIGSTOP)
    try:
        began = time.monotonic()
        calls = [driver.begin("list"), driver.begin("power", desktop, "off"), driver.begin("capacity")]
        for n in calls[:2]:
            try:
                raise AssertionError("answered: %s" % driver.finish(n))
            except Refused as r:
                assert r.code == "timeout" and "did not answer in time" in r.text or "cannot be reached" in r.text, r
        assert not driver.finish(calls[2])["capacity"]["healthy"]
        assert time.monotonic() - began < 10, "the broker would wait"
    finally:
        world.one.kill(signal.SIGCONT)
    libvirt_host.wait_for("a healthy provider", lambda: driver.health()["healthy"])
    libvirt_host.wait_for("the end of the call that hung", lambda: driver.machines()[desktop]["state"] != "running"
                          or driver.call("power", desktop, "off"))
    driver.end()
    patient = world.driver()
    patient.call("power", desktop, "start")
    assert patient.machines()[desktop]["state"] == "running"
    patient.call("destroy", desktop)
    patient.end()


def test_a_host_that_swallows_everything_is_tried_again(world):
    """Its socket takes the connection and says nothing; then the daemon is there."""
    path = os.path.join(world.folder, "silent")
    silent = socket.socket(socket.AF_UNIX)
    silent.bind(path)
    silent.listen(16)
    driver = world.driver(uri="qemu+unix:///system?socket=" + path, deadline_s=3)
    r = driver.refused("list")
    assert r.code in ("timeout", "closed"), r
    health = driver.health()
    assert not health["healthy"] and health["reason"], health
    os.unlink(path)
    os.symlink(world.one.socket, path)
    libvirt_host.wait_for("a healthy provider", lambda: driver.health()["healthy"])
    assert driver.machines() == {}
    silent.close()
    driver.end()


def test_a_full_disk_leaves_nothing(world):
    driver = world.driver(directory=world.small)
    filler = os.path.join(world.small, "filler")
    with open(filler, "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 4096):
                pass
        except OSError:
            pass
    r = driver.refused("create", new(), new(), world.golden, "t")
    assert r.code == "no_space" and "test is full" in r.text, r
    assert not driver.health()["healthy"]
    assert world.one.domains() == [] and driver.machines() == {}
    os.unlink(filler)
    desktop = world.create(driver)
    driver.call("destroy", desktop)
    assert os.listdir(os.path.join(world.small, os.listdir(world.small)[0])) == []
    driver.end()


def on_stores(world, **more):
    """A driver on two datastores; a driver's settings are the end of its section, so that sections may follow."""
    section = "".join("\n[datastore-%s]\npath = %s\nwarning = 20\ncritical = 50\nkeep_free_mb = 0" % s for s in world.stores.items())
    settings = {"kind": "libvirt", "uri": world.one.uri, "network": "none", "accel": ACCEL, "deadline_s": int(libvirt_host.DEADLINE), "addresses": "10.9.0.10-10.9.0.60",
                "agents": "10.9.0.1:5911", "agents_ca": world.ca, **more, "datastores": "fast, slow" + section}
    driver = Driver(os.path.join(world.folder, "data"), settings)
    world.drivers.append(driver)
    return driver


def store_of(world, desktop):
    return [name for name, path in world.stores.items() if world.files(desktop, path)]


def test_disks_go_where_there_is_room(world):
    """Two datastores; one fills up, the other is taken; both full, and the reason says so; room again, and it goes on."""
    driver, fillers = on_stores(world), []
    first = world.create(driver)
    assert len(store_of(world, first)) == 1 and driver.health()["healthy"]
    for name, path in world.stores.items():
        fillers.append(os.path.join(path, "filler"))
        with open(fillers[-1], "wb") as f:
            f.write(bytes(70 * MIB))
        if len(fillers) == 1:
            libvirt_host.wait_for("it is seen that %s is full" % name, lambda: store_of(world, world.create(driver)) == ["slow"], 20)
    libvirt_host.wait_for("both are full", lambda: not driver.health()["healthy"], 20)
    r = driver.refused("create", new(), new(), world.golden, "t")
    assert r.code == "no_space" and "fast is full (5" in r.text and "slow is full (5" in r.text, r
    health = driver.health()
    assert not health["healthy"] and "no datastore takes new disks: fast is full" in health["reason"], health
    # A desktop that is there gets its new disk on the full datastore.
    driver.call("restart", first, new(), "refresh", "t")
    assert len(store_of(world, first)) == 1
    for filler in fillers:
        os.unlink(filler)
    libvirt_host.wait_for("a healthy provider", lambda: driver.health()["healthy"], 20)
    for desktop in list(driver.machines()):
        driver.call("destroy", desktop)
        assert store_of(world, desktop) == []
    driver.end()


def test_a_desktop_lives_on_a_datastore(world):
    """A new disk, a newer one, a snapshot, a disk that grows in use, one that comes back from the recycle bin; and nothing is left."""
    driver, desktop = on_stores(world), new()
    world.create(driver, desktop)
    (store,) = store_of(world, desktop)
    disk = os.path.join(world.files(desktop, world.stores[store]), "disk.qcow2")
    io = lambda *words: subprocess.run(["qemu-io", "-f", "qcow2", *(w for c in words for w in ("-c", c)), disk], check=True, stdout=subprocess.DEVNULL)
    driver.call("power", desktop, "off")
    io("write -q -P 0x44 8M 4M")
    driver.call("restart", desktop, new(), "refresh", "t")
    assert store_of(world, desktop) == [store]
    driver.call("power", desktop, "off")
    io("read -q -P 0 8M 4M", "write -q -P 0x33 8M 4M")
    driver.call("power", desktop, "start")
    driver.call("snapshot", desktop, "take", "before")
    driver.call("resize", desktop, 0, 0, 96)
    assert "Capacity:       %d" % (96 * MIB) in world.one.virsh("domblkinfo", "puesto-" + desktop, "vda")
    driver.call("power", desktop, "off")
    io("write -q -P 0x55 8M 4M", "write -q -P 0x66 90M 4M", "read -q -P 0x66 90M 4M")
    driver.call("snapshot", desktop, "revert", "before")
    driver.call("power", desktop, "off")
    io("read -q -P 0x33 8M 4M")
    driver.call("order", desktop, 86400000, "no")
    driver.call("destroy", desktop)
    assert not os.path.exists(disk)
    driver.call("order", desktop, 86400000, "restore")
    world.create(driver, desktop)
    driver.call("power", desktop, "off")
    io("read -q -P 0x33 8M 4M")
    driver.call("order", desktop, 0, "no")
    driver.call("destroy", desktop)
    assert store_of(world, desktop) == [] and os.listdir(os.path.join(world.stores[store], "recycle")) == [] and driver.machines() == {}
    driver.end()


def test_an_image_of_a_datastore_keeps_its_overlays_there(world):
    """Overlays stand on the sealed file; one that is no longer sealed is refused; a datastore that is not mounted is never written to."""
    driver, image = on_stores(world), os.path.join(world.stores["slow"], "images/desk/1")
    os.makedirs(image)
    golden = shutil.copy(world.golden, os.path.join(image, "disk.qcow2"))
    os.chmod(golden, 0o644)
    r = driver.refused("create", new(), new(), golden, "t")
    assert "seal" in r.text or "0444" in r.text or "mode" in r.text, r
    os.chmod(golden, 0o444)
    desktops = [world.create(driver, golden=golden) for _ in range(2)]
    assert all(store_of(world, d) == ["slow"] for d in desktops)
    mark = os.path.join(world.stores["slow"], "datastore.id")
    os.rename(mark, mark + ".away")
    libvirt_host.wait_for("it is seen", lambda: driver.refused("create", new(), new(), golden, "t").text, 20)
    libvirt_host.wait_for("it is offline", lambda: "slow is offline" in driver.refused("destroy", desktops[0]).text, 20)
    assert driver.machines().keys() >= set(desktops), "its machines are known by their domains"
    os.rename(mark + ".away", mark)
    # What was begun when it went away could not be taken back then, and is listed.
    for desktop in set(desktops) | set(driver.machines()):
        libvirt_host.wait_for("its disk can be removed", lambda d=desktop: done(driver, "destroy", d), 20)
        assert store_of(world, desktop) == []
    driver.end()


def test_a_datastore_that_is_away_holds_up_its_own_desktops_only(world):
    """New ones are made on the others; one whose first try may lie on it waits, also for a provisioner that was started since, and is doubled nowhere."""
    driver, slow, aside = on_stores(world), world.stores["slow"], os.path.join(world.folder, "aside")
    filler, half, gone, task = os.path.join(world.stores["fast"], "filler"), new(), new(), new()
    with open(filler, "wb") as f:
        f.write(bytes(70 * MIB))
    libvirt_host.wait_for("fast is full", lambda: store_of(world, world.create(driver)) == ["slow"], 20)
    stays = world.create(driver)
    # A create whose answer and machine are lost, but not its folder; and a provisioner that dies after it.
    world.create(driver, half, task)
    world.one.virsh("destroy", "puesto-" + half)
    world.one.virsh("undefine", "puesto-" + half)
    os.unlink(filler)
    driver.kill()
    for name in [n for n in world.one.domains() if n != "puesto-" + stays]:
        world.one.virsh("destroy", name)
    driver = on_stores(world)

    def returned():
        driver.call("order", gone, 86400000, "restore")
        return driver.refused("create", gone, new(), world.golden, "t")
    # As a server that is gone just after both were looked at: nobody has seen it yet.
    libvirt_host.wait_for("both are open", lambda: returned().code == "not_found", 20)
    os.mkdir(aside)
    subprocess.run(["mount", "--bind", slow, aside], check=True)
    subprocess.run(["umount", "-l", slow], check=True)
    try:
        r = returned()
        assert r.code == "busy" and "recycle bin" in r.text, r
        r = driver.refused("create", half, task, world.golden, "t")
        assert r.code == "busy" and "slow" in r.text, r
        libvirt_host.wait_for("it is offline", lambda: "slow is offline" in driver.refused("destroy", half).text, 20)
        r = driver.refused("create", half, task, world.golden, "t")
        assert r.code == "busy" and "slow is offline" in r.text and store_of(world, half) == [], r
        fresh = world.create(driver)
        assert store_of(world, fresh) == ["fast"] and driver.health()["healthy"]
        driver.call("restart", fresh, new(), "refresh", "t")
        driver.call("destroy", fresh)
        driver.call("destroy", new())
        r = returned()
        assert r.code == "busy" and "recycle bin" in r.text, r
        assert driver.machines()[stays]["state"] == "running" and driver.refused("destroy", stays).code == "busy"
        # Without the notes (an installation of before) nothing is known until it was here once.
        driver.kill()
        shutil.rmtree(os.path.join(world.folder, "data/placed"))
        driver = on_stores(world)
        assert driver.refused("create", new(), new(), world.golden, "t").code == "busy"
    finally:
        subprocess.run(["mount", "--bind", aside, slow], check=True)
        subprocess.run(["umount", aside], check=True)
    libvirt_host.wait_for("it is back", lambda: done(driver, "create", half, task, world.golden, "t"), 20)
    assert len(store_of(world, half)) == 1 and driver.machines()[half]["task"] == task, "its first try's remains are replaced"
    for desktop in list(driver.machines()):
        driver.call("destroy", desktop)
        assert store_of(world, desktop) == []
    assert sorted(os.listdir(os.path.join(world.folder, "data/placed/test"))) == [".fast", ".slow"]
    driver.end()


def test_a_removed_desktop_comes_back_with_its_disk(world):
    """Its disk lies in the recycle bin meanwhile, whatever happens to a restore."""
    driver, desktop = on_stores(world), new()
    world.create(driver, desktop)
    (store,) = store_of(world, desktop)
    disk = os.path.join(world.files(desktop, world.stores[store]), "disk.qcow2")
    number, bin_folder = os.stat(disk).st_ino, os.path.join(world.stores[store], "recycle")
    driver.call("order", desktop, 86400000, "no")
    driver.call("destroy", desktop)
    assert not os.path.exists(disk) and len(os.listdir(bin_folder)) == 1 and driver.machines() == {}, driver.machines()
    kept = [f for d, _, files in os.walk(bin_folder) for f in files]
    assert sorted(kept) == ["disk.qcow2", "label.json"], "no seed: %s" % kept
    driver.call("order", desktop, 86400000, "restore")
    driver.refused("create", desktop, new(), world.golden + ".none", "t")
    assert len(os.listdir(bin_folder)) == 1
    task = new()
    world.create(driver, desktop, task)
    assert os.stat(disk).st_ino == number and os.listdir(bin_folder) == []
    # The same task once more, after its provisioner has died: the same machine.
    driver.kill()
    driver = on_stores(world)
    driver.call("order", desktop, 86400000, "restore")
    world.create(driver, desktop, task)
    assert os.stat(disk).st_ino == number
    driver.call("order", desktop, 0, "no")
    driver.call("destroy", desktop)
    assert os.listdir(bin_folder) == [] and store_of(world, desktop) == []
    driver.call("order", desktop, 86400000, "restore")
    assert "no recycle bin" in driver.refused("create", desktop, new(), world.golden, "t").text
    driver.end()


def done(driver, *words):
    try:
        driver.call(*words)
        return True
    except Refused:
        return False


def test_a_lost_answer_is_not_a_lost_machine(world):
    """The provisioner is killed at every moment of a create; the same task finds one machine, another task a conflict."""
    for delay in (0.05, 0.3, 0.7, 1.2):
        driver, desktop, task = world.driver(), new(), new()
        driver.call("list")
        driver.begin("create", desktop, task, world.golden, "t")
        time.sleep(delay)
        driver.kill()
        driver = world.driver()
        seen = driver.machines().get(desktop)
        assert seen is None or seen["state"] in ("failed", "running"), seen
        world.create(driver, desktop, task)
        machines = driver.machines()
        assert list(machines) == [desktop] and machines[desktop]["state"] == "running" and machines[desktop]["task"] == task, machines
        assert world.one.domains() == ["puesto-" + desktop]
        assert driver.refused("create", desktop, new(), world.golden, "t").code == "conflict"
        driver.call("destroy", desktop)
        assert world.one.domains() == [] and world.files(desktop) is None
        driver.end()


def test_a_stop_is_cancelled_and_a_stopped_machine_is_resized(world):
    """A stop waits for a guest that does not listen, until somebody is tired of it; and ends it at the deadline else."""
    driver = world.driver(deadline_s=8)
    desktop = world.create(driver)
    n = driver.begin("power", desktop, "stop")
    time.sleep(0.5)
    driver.call("cancel", desktop)
    try:
        raise AssertionError("done: %s" % driver.finish(n))
    except Refused as r:
        assert r.code == "closed" and "cancelled" in r.text, r
    assert driver.refused("resize", desktop, 192, 200, 0).code == "busy", "while it runs"
    driver.call("power", desktop, "stop")
    assert driver.machines()[desktop]["state"] == "stopped"
    for memory, percent in (192, 200), (192, 200), (128, 100), (256, 300):
        driver.call("resize", desktop, memory, percent, 0)
        xml = world.one.virsh("dumpxml", "puesto-" + desktop)
        assert "<memory unit='KiB'>%d</memory>" % (memory << 10) in xml and "<vcpu placement='static'>%d</vcpu>" % (percent // 100) in xml, xml
    driver.call("resize", desktop, 0, 0, 128)
    driver.call("power", desktop, "start")
    assert "Capacity:       %d" % (128 * MIB) in world.one.virsh("domblkinfo", "puesto-" + desktop, "vda"), "it grew when it was started"
    driver.call("destroy", desktop)
    driver.end()


def test_addresses_are_reserved_in_the_network(world):
    xml = ("<network><name>desks</name><bridge name='virbr9'/><ip address='10.9.0.1' netmask='255.255.255.0'>"
           "<dhcp><range start='10.9.0.100' end='10.9.0.200'/></dhcp></ip></network>")
    path = os.path.join(world.folder, "net.xml")
    with open(path, "w") as f:
        f.write(xml)
    world.one.virsh("net-create", path)
    driver = world.driver(network="desks")
    desktop = world.create(driver)
    address = driver.machines()[desktop]["address"]
    assert "ip='%s'" % address in world.one.virsh("net-dumpxml", "desks")
    driver.call("destroy", desktop)
    assert "ip='%s'" % address not in world.one.virsh("net-dumpxml", "desks")
    driver.end()
    world.one.virsh("net-destroy", "desks")


def test_a_desktop_moves_to_another_host_and_back(world):
    world.two.start()
    driver = world.driver(hosts="one=%s, two=%s" % (world.one.uri, world.two.uri), shared_directory="yes",
                          migrate_uris="one=tcp://127.0.0.1, two=tcp://127.0.0.1", deadline_s=int(2 * libvirt_host.DEADLINE))
    desktop = world.create(driver)
    assert "migrate" in driver.health()["can"]
    driver.call("watch", desktop)
    hosts = {"one": world.one, "two": world.two}
    for _ in range(2):
        here = driver.machines()[desktop]["host"]
        there = "two" if here == "one" else "one"
        driver.call("migrate", desktop, there)
        driver.call("migrate", desktop, there)
        machine = driver.machines()[desktop]
        assert (machine["host"], machine["state"]) == (there, "running"), machine
        assert hosts[here].domains() == [] and hosts[there].domains() == ["puesto-" + desktop]
        assert stat.S_ISSOCK(os.stat(driver.call("console", desktop)["path"].replace("/var/lib/libvirt", hosts[there].folder + "/lib")).st_mode)
    assert driver.ends.empty(), "a move is no end"
    world.two.kill()
    machines = driver.machines()
    away = machines.pop("")
    assert (away["state"], away["host"]) == ("unknown", "two"), "nobody knows all of the machines: %s" % away
    assert machines[desktop]["host"] == "one" and driver.health()["healthy"], "the other one goes on"
    world.two.start()
    libvirt_host.wait_for("both hosts", lambda: "" not in driver.machines())
    driver.call("destroy", desktop)
    assert world.one.domains() == [] and world.two.domains() == []
    driver.end()


def plugged(host, desktop):
    """The file of its user's disk, or None."""
    xml = host.virsh("dumpxml", "puesto-" + desktop)
    found = re.search(r"<source file='([^']*/personal/[^']*)'", xml)
    return found[1] if found and "ua-personal" in xml else None


def test_a_users_disk_outlives_the_provisioner_and_a_guest_that_keeps_it(world):
    """Plugged in and out while the provisioner is killed; nobody's guest lets go of it, so the machine is ended with it."""
    driver, owner = world.driver(data="personal"), new()
    desktop, other = world.create(driver), world.create(driver)
    assert "personal" in driver.health()["can"]
    driver.begin("personal", "attach", desktop, owner, 16, "-")
    libvirt_host.wait_for("it is on its way", lambda: os.path.isdir(world.directory + "/personal/.held") and os.listdir(world.directory + "/personal/.held"))
    driver.kill()
    driver = world.driver(data="personal")
    driver.call("personal", "attach", desktop, owner, 16, "-")
    path = plugged(world.one, desktop)
    assert path == "%s/personal/%s/files/disk.qcow2" % (world.directory, owner), path
    assert os.stat(path).st_uid != 0, "it is QEMU's while that has it"
    r = driver.refused("personal", "attach", other, owner, 16, "-")
    assert r.code == "busy" and desktop in r.text, r
    # A guest without a system answers nobody, however often it is asked, and the disk stays where it is.
    r = driver.refused("personal", "detach", desktop, owner, 16, "-")
    assert r.code == "again" and "does not let go" in r.text, r
    assert plugged(world.one, desktop) == path and driver.refused("personal", "remove", "-", owner, 0, "-").code == "busy"
    driver.call("destroy", desktop)
    assert os.stat(path).st_uid == 0 and os.listdir(world.directory + "/personal/.held") == []
    driver.call("personal", "attach", other, owner, 32, "-")
    told = world.one.virsh("domblkinfo", "puesto-" + other, "vdb")
    assert str(32 * MIB) in told, "it has grown: " + told
    driver.call("restart", other, new(), "refresh", "t")
    assert plugged(world.one, other) is None and os.listdir(world.directory + "/personal/.held") == []
    bin_of = world.directory + "/recycle"
    before = os.listdir(bin_of) if os.path.isdir(bin_of) else []
    driver.call("personal", "remove", "-", owner, 60000, "-")
    assert not os.path.exists(path) and len(os.listdir(bin_of)) == len(before) + 1, (before, os.listdir(bin_of))
    driver.call("destroy", other)
    driver.end()


def test_a_users_disk_goes_to_the_datastore_of_the_pools_choice(world):
    driver, owner = on_stores(world), new()
    desktop = world.create(driver)
    for store in world.stores:
        owner = new()
        driver.call("personal", "attach", desktop, owner, 16, store)
        assert plugged(world.one, desktop).startswith(world.stores[store] + "/personal/" + owner), store
        driver.call("restart", desktop, new(), "refresh", "t")
        # It stays where it is, whatever the pool says later.
        driver.call("personal", "attach", desktop, owner, 16, next(s for s in world.stores if s != store))
        assert plugged(world.one, desktop).startswith(world.stores[store]), store
        driver.call("restart", desktop, new(), "refresh", "t")
        driver.call("personal", "remove", "-", owner, 0, "-")
    r = driver.refused("personal", "attach", desktop, new(), 16, "elsewhere")
    assert r.code == "invalid" and "none of this provider's" in r.text, r
    driver.call("destroy", desktop)
    driver.end()


def test_a_users_disk_moves_with_its_desktop(world):
    world.two.start()
    both = "one=%s, two=%s" % (world.one.uri, world.two.uri)
    alone = world.driver(data="alone", hosts=both)
    libvirt_host.wait_for("both hosts", lambda: "" not in alone.machines())
    assert "personal" not in alone.health()["can"], "the directory is not where each host is"
    alone.end()
    driver = world.driver(data="moves", hosts=both, shared_directory="yes", migrate_uris="one=tcp://127.0.0.1, two=tcp://127.0.0.1",
                          deadline_s=int(2 * libvirt_host.DEADLINE))
    desktop, owner = world.create(driver), new()
    hosts = {"one": world.one, "two": world.two}
    here = driver.machines()[desktop]["host"]
    there = "two" if here == "one" else "one"
    driver.call("personal", "attach", desktop, owner, 16, "-")
    path = plugged(hosts[here], desktop)
    driver.call("migrate", desktop, there)
    assert plugged(hosts[there], desktop) == path
    driver.call("personal", "attach", desktop, owner, 16, "-")
    driver.call("power", desktop, "off")
    driver.call("personal", "detach", desktop, owner, 16, "-")
    driver.call("power", desktop, "start")
    assert plugged(hosts[there], desktop) is None
    driver.call("destroy", desktop)
    driver.call("personal", "remove", "-", owner, 0, "-")
    driver.end()


def test_a_disk_that_starts_by_uefi_has_variables_of_its_own(world):
    if uefi_disk.missing():
        print("SKIP:", uefi_disk.missing())
        return
    golden = os.path.join(world.folder, "uefi.qcow2")
    uefi_disk.make(golden)
    driver = world.driver()
    desktop = world.create(driver, golden=golden)
    xml = world.one.virsh("dumpxml", "puesto-" + desktop)
    path = re.search("<nvram[^>]*>([^<]*)</nvram>", xml)[1]
    variables = "/proc/%d/root%s" % (world.one.process.pid, path)
    assert os.path.exists(variables) and desktop in path and "secboot" not in re.search("<loader.*</loader>", xml)[0], xml
    assert driver.refused("snapshot", desktop, "take", "one").code == "unsupported", "libvirt keeps none of such a machine"
    driver.call("power", desktop, "suspend")
    driver.call("power", desktop, "start")
    driver.call("power", desktop, "off")
    with open(variables, "r+b") as f:
        f.seek(-17, os.SEEK_END)
        f.write(b"the last user was")
    driver.call("power", desktop, "start")
    assert open(variables, "rb").read()[-17:] == b"the last user was"
    driver.call("restart", desktop, new(), "refresh", "t")
    assert open(variables, "rb").read()[-17:] != b"the last user was", "a fresh desktop has fresh variables"
    driver.call("destroy", desktop)
    assert world.one.domains() == [] and not os.path.exists(variables), "they go with the machine"
    driver.end()


def test_variables_of_uefi_move_along(world):
    """They lie beside the disk, so both hosts have the same."""
    if uefi_disk.missing():
        print("SKIP:", uefi_disk.missing())
        return
    golden = os.path.join(world.folder, "uefi.qcow2")
    uefi_disk.make(golden)
    world.two.start()
    driver = world.driver(hosts="one=%s, two=%s" % (world.one.uri, world.two.uri), shared_directory="yes",
                          migrate_uris="one=tcp://127.0.0.1, two=tcp://127.0.0.1", deadline_s=int(2 * libvirt_host.DEADLINE))
    desktop = world.create(driver, golden=golden)
    driver.call("power", desktop, "off")
    variables = os.path.join(world.files(desktop), "variables")
    with open(variables, "r+b") as f:
        f.seek(-17, os.SEEK_END)
        f.write(b"written somewhere")
    driver.call("power", desktop, "start")
    for _ in range(2):
        there = "two" if driver.machines()[desktop]["host"] == "one" else "one"
        driver.call("migrate", desktop, there)
        machine = driver.machines()[desktop]
        assert (machine["host"], machine["state"]) == (there, "running"), machine
        driver.call("power", desktop, "off")
        driver.call("power", desktop, "start")
        assert open(variables, "rb").read()[-17:] == b"written somewhere"
    driver.call("destroy", desktop)
    assert not os.path.exists(variables)
    driver.end()


def windows_driver(world, devices="virtio", **more):
    os.environ["PUESTO_OS"] = "windows"
    try:
        return world.driver(**{"data": "windows-" + devices, "windows_devices": devices, **more})
    finally:
        del os.environ["PUESTO_OS"]


def test_a_machine_of_windows_is_what_windows_likes(world):
    """Each kind of its devices, started by UEFI; the guest is none, QEMU and libvirt are real."""
    if uefi_disk.missing():
        print("SKIP:", uefi_disk.missing())
        return
    golden = os.path.join(world.folder, "windows.qcow2")
    uefi_disk.make(golden)
    for devices, disk in (("virtio", "dev='vda' bus='virtio'"), ("emulated", "dev='sda' bus='sata'")):
        driver = windows_driver(world, devices)
        desktop = world.create(driver, golden=golden)
        xml = world.one.virsh("dumpxml", "puesto-" + desktop)
        assert "-q35-" in xml and "<clock offset='localtime'>" in xml and "<target %s/>" % disk in xml and "device='cdrom'" in xml, xml
        assert "bus='usb'" in xml and "model type='vga'" in xml and re.search("<loader[^>]*type='pflash'", xml), xml
        assert ("virtio" in xml) == (devices == "virtio"), xml
        assert ("<tpm model='tpm-crb'>" in xml) == (not tpm_state.missing()), xml
        machine = driver.machines()[desktop]
        assert (machine["kind"], machine["port"], machine["agent"]) == (4, 3389, True) and machine["address"].startswith("10.9.0."), machine
        way = driver.call("way", desktop, "ab" * 32)
        assert (way["address"], way["port"], way["account"]["fingerprint"]) == (machine["address"], 3389, "ab" * 32), way
        # Its drive has the seed, and a token no more once QEMU has it open.
        path = os.path.join(world.files(desktop), "seed.iso")
        seed = open(path, "rb").read()
        assert b"CIDATA" in seed and desktop.encode() in seed and b"token_of_this_test" not in seed
        assert "token_of_this_test" not in xml
        driver.call("resize", desktop, "0", "0", "96")
        driver.call("power", desktop, "suspend")
        driver.call("power", desktop, "start")
        driver.call("restart", desktop, new(), "keep", "another_token")
        assert b"another_token" not in open(path, "rb").read()
        driver.call("restart", desktop, new(), "refresh", "another_token")
        driver.call("destroy", desktop)
        assert world.one.domains() == [] and world.files(desktop) is None
        driver.end()


def tpm_of(host, desktop):
    """Where libvirt keeps its state; never moved, made or copied by us."""
    return os.path.join(host.folder, "lib/swtpm", desktop, "tpm2")


def tpms(host):
    folder = os.path.join(host.folder, "lib/swtpm")
    return os.listdir(folder) if os.path.isdir(folder) else []


def has_tpm(host, desktop):
    """As its QEMU says it."""
    answer = json.loads(host.virsh("qemu-monitor-command", "puesto-" + desktop, '{"execute": "query-tpm"}'))["return"]
    return [(t["model"], t["options"]["type"]) for t in answer] == [("tpm-crb", "emulator")]


def test_a_tpm_lives_as_long_as_its_machine(world):
    """Its key and a mark in its memory over all that may happen to a machine of Windows, and another's beside it."""
    if tpm_state.missing():
        print("SKIP:", tpm_state.missing())
        return
    driver = windows_driver(world, deadline_s=int(libvirt_host.DEADLINE / 3))
    desktop, other = world.create(driver), world.create(driver)
    assert driver.health()["limits"].endswith("TPM 2.0"), driver.health()
    assert has_tpm(world.one, desktop) and has_tpm(world.one, other)
    state = tpm_of(world.one, desktop)
    key = tpm_state.look(state)[0]
    assert key != tpm_state.look(tpm_of(world.one, other))[0], "each has its own"
    driver.call("destroy", other)
    assert tpms(world.one) == [desktop]
    driver.call("power", desktop, "off")
    assert not any(desktop in words for words in tpm_state.running().values()), "it ends with its QEMU"
    tpm_state.look(state, b"first")
    driver.call("power", desktop, "start")
    driver.call("power", desktop, "suspend")
    driver.call("power", desktop, "start")
    assert has_tpm(world.one, desktop)
    driver.call("restart", desktop, new(), "keep", "t")
    assert tpm_state.look(state) == (key, b"first   ")
    # Memory and TPM belong together; of a machine that is off the disk alone goes back.
    driver.call("snapshot", desktop, "take", "running")
    driver.call("power", desktop, "off")
    tpm_state.look(state, b"second")
    driver.call("snapshot", desktop, "take", "off")
    driver.call("snapshot", desktop, "revert", "running")
    assert driver.machines()[desktop]["state"] == "running" and has_tpm(world.one, desktop)
    driver.call("power", desktop, "off")
    assert tpm_state.look(state) == (key, b"first   ")
    driver.call("snapshot", desktop, "revert", "off")
    assert tpm_state.look(state) == (key, b"first   ")
    driver.call("restart", desktop, new(), "refresh", "t")
    assert has_tpm(world.one, desktop)
    fresh = tpm_state.look(state)
    assert fresh[0] != key and fresh[1] == b"", "a fresh desktop has a fresh TPM"
    pid = world.one.qemu_pid("puesto-" + desktop)
    os.kill(pid, signal.SIGKILL)
    libvirt_host.wait_for("its end", lambda: driver.machines()[desktop]["state"] == "failed")
    driver.call("power", desktop, "start")
    assert has_tpm(world.one, desktop) and tpm_state.look(state)[0] == fresh[0], "whatever its QEMU died of"
    driver.call("destroy", desktop)
    assert tpms(world.one) == [] and world.one.domains() == []
    libvirt_host.wait_for("no emulator", lambda: not any(desktop in words for words in tpm_state.running().values()))
    driver.end()
    # A machine from before gets one with its next disk.
    driver = windows_driver(world, tpm="no")
    world.create(driver, desktop)
    assert not has_tpm(world.one, desktop) and tpms(world.one) == []
    driver.end()
    driver = windows_driver(world)
    driver.call("power", desktop, "off")
    driver.call("power", desktop, "start")
    assert not has_tpm(world.one, desktop)
    driver.call("restart", desktop, new(), "refresh", "t")
    assert has_tpm(world.one, desktop)
    driver.call("destroy", desktop)
    driver.end()


def test_a_refresh_that_was_cut_off_is_finished(world):
    """Between the old domain, which goes with its TPM, and the new one there is nothing but the folder."""
    if tpm_state.missing():
        print("SKIP:", tpm_state.missing())
        return
    driver = windows_driver(world)
    desktop = world.create(driver)
    driver.call("power", desktop, "off")
    world.one.virsh("undefine", "--nvram", "puesto-" + desktop)
    assert tpms(world.one) == [] and driver.machines()[desktop]["state"] == "failed"
    driver.end()
    driver = windows_driver(world)
    for words in ("keep", "t"), ("keep", "t", world.golden), ("refresh", "t"):
        assert driver.refused("restart", desktop, new(), *words).code == "not_found", words
    assert driver.call("restart", desktop, new(), "refresh", "t", world.golden)["machine"]["desktop"] == desktop
    assert has_tpm(world.one, desktop) and driver.machines()[desktop]["state"] == "running"
    driver.call("destroy", desktop)
    assert driver.refused("restart", desktop, new(), "refresh", "t", world.golden).code == "not_found", "nothing is left to finish"
    assert world.one.domains() == [] and tpms(world.one) == []
    driver.end()


def test_a_machine_that_comes_back_has_a_new_tpm(world):
    """With its disk from the recycle bin: what its TPM kept is not there."""
    if tpm_state.missing():
        print("SKIP:", tpm_state.missing())
        return
    os.environ["PUESTO_OS"] = "windows"
    try:
        driver = on_stores(world)
    finally:
        del os.environ["PUESTO_OS"]
    desktop = world.create(driver)
    (store,) = store_of(world, desktop)
    disk = os.path.join(world.files(desktop, world.stores[store]), "disk.qcow2")
    number, key = os.stat(disk).st_ino, tpm_state.look(tpm_of(world.one, desktop))[0]
    driver.call("order", desktop, 86400000, "no")
    driver.call("destroy", desktop)
    assert tpms(world.one) == []
    driver.call("order", desktop, 86400000, "restore")
    world.create(driver, desktop)
    assert os.stat(disk).st_ino == number and has_tpm(world.one, desktop) and tpm_state.look(tpm_of(world.one, desktop))[0] != key
    driver.call("order", desktop, 0, "no")
    driver.call("destroy", desktop)
    assert tpms(world.one) == [] and store_of(world, desktop) == []
    driver.end()


def test_a_tpm_moves_with_its_machine(world):
    """Each host has a folder of its own for what TPMs keep."""
    if tpm_state.missing():
        print("SKIP:", tpm_state.missing())
        return
    world.two.start()
    hosts = {"one": world.one, "two": world.two}
    driver = windows_driver(world, hosts="one=%s, two=%s" % (world.one.uri, world.two.uri), shared_directory="yes",
                            migrate_uris="one=tcp://127.0.0.1, two=tcp://127.0.0.1", deadline_s=int(2 * libvirt_host.DEADLINE))
    desktop = world.create(driver)
    here = driver.machines()[desktop]["host"]
    driver.call("power", desktop, "off")
    before = tpm_state.look(tpm_of(hosts[here], desktop), b"moves")
    driver.call("power", desktop, "start")
    for _ in range(2):
        here = driver.machines()[desktop]["host"]
        there = "two" if here == "one" else "one"
        driver.call("migrate", desktop, there)
        assert driver.machines()[desktop]["host"] == there and has_tpm(hosts[there], desktop)
        assert tpm_state.look(tpm_of(hosts[there], desktop)) == before and tpms(hosts[here]) == []
        driver.call("power", desktop, "off")
        driver.call("power", desktop, "start")
        assert tpm_state.look(tpm_of(hosts[there], desktop)) == before
    driver.call("destroy", desktop)
    assert tpms(world.one) == [] and tpms(world.two) == []
    driver.end()


def test_a_host_without_an_emulator_says_so(world):
    """Machines of Windows are made without a TPM there, unless the section insists; nor can it give Secure Boot."""
    firmware = "/usr/share/qemu/firmware/40-edk2-x86_64-secure-enrolled.json"
    bare = libvirt_host.Host(world.folder, "bare", world.network, hidden="/usr/bin/swtpm " + (firmware if os.path.exists(firmware) else ""))
    bare.start()
    try:
        driver = windows_driver(world, uri=bare.uri, data="bare")
        desktop = world.create(driver)
        assert not has_tpm(bare, desktop) and "TPM" not in driver.health()["limits"]
        driver.call("destroy", desktop)
        driver.end()
        driver = windows_driver(world, uri=bare.uri, data="bare", tpm="yes")
        r = driver.refused("create", desktop, new(), world.golden, "t")
        assert r.code == "unsupported" and "apt-get install swtpm swtpm-tools" in r.text and bare.domains() == [], r
        health = driver.health()
        assert not health["healthy"] and "apt-get install swtpm swtpm-tools" in health["reason"], health
        driver.end()
        if os.path.exists(firmware):
            golden = os.path.join(world.folder, "unsigned.qcow2")
            uefi_disk.make(golden)
            driver = windows_driver(world, uri=bare.uri, data="bare", secure_boot="yes")
            r = driver.refused("create", new(), new(), golden, "t")
            assert r.code == "unsupported" and "apt-get install ovmf" in r.text and bare.domains() == [], r
            driver.end()
    finally:
        bare.end()


def says(host, desktop, words, seconds=120):
    """On its serial line, which has to be listened to from its first word on: which of them first."""
    line = os.open(re.search(r"<serial type='pty'[^>]*>\s*<source path='([^']*)'", host.virsh("dumpxml", "puesto-" + desktop))[1], os.O_RDONLY | os.O_NOCTTY)
    said, end = b"", time.monotonic() + seconds
    try:
        tty.setraw(line)
        while time.monotonic() < end:
            if select.select([line], [], [], 1)[0]:
                said += os.read(line, 65536)
            for word in words:
                if word in said:
                    return word
        raise TimeoutError("it said %s" % said[-400:])
    finally:
        os.close(line)


def test_secure_boot_starts_nothing_unsigned(world):
    """The firmware's own verdict on a loader that nobody has signed; in machines from before nothing changes until their disk is new."""
    if uefi_disk.loader_missing():
        print("SKIP:", uefi_disk.loader_missing())
        return
    golden, either = os.path.join(world.folder, "loader.qcow2"), (uefi_disk.STARTED, uefi_disk.REFUSED)
    uefi_disk.make(golden, with_loader=True)
    driver = windows_driver(world)
    desktop = world.create(driver, golden=golden)
    assert says(world.one, desktop, either) == uefi_disk.STARTED
    driver.end()
    driver = windows_driver(world, secure_boot="yes")
    driver.call("power", desktop, "off")
    driver.call("power", desktop, "start")
    assert says(world.one, desktop, either) == uefi_disk.STARTED, "it keeps the firmware that it was made with"
    driver.call("restart", desktop, new(), "refresh", "t", golden)
    assert says(world.one, desktop, either) == uefi_disk.REFUSED
    xml = world.one.virsh("dumpxml", "puesto-" + desktop)
    assert "<smm state='on'" in xml and "secure='yes'" in xml, xml
    driver.call("power", desktop, "suspend")
    driver.call("power", desktop, "start")
    driver.call("power", desktop, "off")
    driver.end()
    driver = windows_driver(world)
    driver.call("power", desktop, "start")
    assert says(world.one, desktop, either) == uefi_disk.REFUSED, "this one, too"
    driver.call("restart", desktop, new(), "refresh", "t", golden)
    assert says(world.one, desktop, either) == uefi_disk.STARTED
    driver.call("destroy", desktop)
    assert world.one.domains() == []
    driver.end()


SECOND_TIER = (
    "test_secure_boot_starts_nothing_unsigned",
    "test_a_tpm_lives_as_long_as_its_machine",
    "test_a_refresh_that_was_cut_off_is_finished",
    "test_a_machine_that_comes_back_has_a_new_tpm",
    "test_a_tpm_moves_with_its_machine",
    "test_a_host_without_an_emulator_says_so",
    "test_variables_of_uefi_move_along",
    "test_a_desktop_lives_on_a_datastore",
    "test_a_machine_of_windows_is_what_windows_likes",
    "test_a_disk_that_starts_by_uefi_has_variables_of_its_own",
    "test_a_lost_answer_is_not_a_lost_machine",
    "test_disks_go_where_there_is_room",
    "test_addresses_are_reserved_in_the_network",
    "test_a_desktop_moves_to_another_host_and_back",
    "test_a_users_disk_moves_with_its_desktop",
    "test_a_datastore_that_is_away_holds_up_its_own_desktops_only",
    "test_a_users_disk_goes_to_the_datastore_of_the_pools_choice",
)


def inside():
    """In a mount namespace of our own, so that no mount is left behind."""
    if "PUESTO_TEST_INSIDE" in os.environ:
        return
    os.environ["PUESTO_TEST_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable] + sys.argv)


def main():
    if os.environ.get("SANITIZED"):
        print("SKIP: it takes its time, and the units run the driver's code under the sanitizers")
        return 77
    why = libvirt_host.missing() or ("" if os.path.exists(UNIT) and os.path.exists(TOOL) else "the test programs are not built")
    if why:
        print("SKIP:", why)
        return 77
    inside()
    failed, world = 0, World()
    tier = int(os.environ.get("PUESTO_TIER", "1"))
    names = sys.argv[1:] or [n for n in globals() if n.startswith("test_") and (tier > 1 or n not in SECOND_TIER)]
    try:
        world.one.start()
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
