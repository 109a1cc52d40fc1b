#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider "qemu" with real QEMUs that have nothing to boot: the provisioner killed at every moment, a full disk, parents that do
not come. With a guest: test_qemu_pool.py. Needs root.

Run alone: top_builddir=build python3 tests/integration/test_qemu.py [name]"""
import base64
import glob
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

from broker_harness import eventually
import tpm_state
import uefi_disk
from driver_harness import TOOL, Driver, Refused
from guest_harness import Qmp

TIER = int(os.environ.get("PUESTO_TIER", "1"))
MOMENTS = [0.004 * n for n in range(0, 24, 1 if TIER > 1 else 3)] + [0.1 + 0.03 * n for n in range(6)]


def new():
    return str(uuid.uuid4())


def qemus(desktop=""):
    """pids of those whose command line has that in it, in this test's folder."""
    found = []
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as f:
                words = f.read()
        except OSError:
            continue
        if words.startswith(b"/usr/bin/qemu-system") and World.folder.encode() in words and desktop.encode() in words:
            found.append(int(path.split("/")[2]))
    return found


class World:
    folder = ""

    def __init__(self):
        World.folder = self.folder = tempfile.mkdtemp(prefix="pq-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.directory, self.golden, self.ca, self.small = (os.path.join(self.folder, n) for n in ("d", "golden.qcow2", "ca.pem", "small"))
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.golden, "64M"], check=True)
        os.chmod(self.golden, 0o444)
        with open(self.ca, "w") as f:
            f.write("-----BEGIN CERTIFICATE-----\n")
        os.mkdir(self.small)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=711", "small", self.small], check=True)
        self.drivers = []

    def driver(self, **more):
        driver = Driver(os.path.join(self.folder, "data"), {"kind": "qemu", "directory": self.directory, "accel": "tcg", "deadline_s": 30, "stop_wait_s": 1, **more})
        self.drivers.append(driver)
        return driver

    def create(self, driver, desktop=None, task=None, token="t"):
        desktop = desktop or new()
        driver.call("create", desktop, task or new(), self.golden, token)
        return desktop

    def left(self, name="desktops", directory=None):
        return os.listdir(os.path.join(directory or self.directory, name))

    def clean(self):
        for driver in self.drivers:
            if driver.process.poll() is None:
                driver.kill()
        self.drivers = []
        for pid in qemus() + emulators():
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not qemus() + emulators(), 20)
        shutil.rmtree(self.directory, ignore_errors=True)

    def end(self):
        self.clean()
        subprocess.run(["umount", self.small], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def test_a_killed_provisioner_loses_no_machine(world):
    """At every moment of a create; the same task then finds or makes one machine, and nothing of the first try goes on beside it."""
    for delay in MOMENTS:
        driver, desktop, task = world.driver(), new(), new()
        driver.call("list")
        driver.begin("create", desktop, task, world.golden, "t")
        time.sleep(delay)
        driver.kill()
        driver = world.driver()
        seen = driver.machines().get(desktop)
        assert seen is None or seen["state"] in ("failed", "running"), seen
        if seen and seen["state"] == "running":
            assert driver.refused("create", desktop, new(), world.golden, "t").code == "conflict"
        world.create(driver, desktop, task)
        machines = driver.machines()
        assert list(machines) == [desktop] and machines[desktop]["state"] == "running" and machines[desktop]["task"] == task, machines
        eventually(lambda: len(qemus(desktop)) == 1, 20)
        driver.call("destroy", desktop)
        assert not qemus(desktop) and world.left() == [], world.left()
        driver.end()


def test_a_killed_provisioner_finishes_what_it_began(world):
    """Destroy, suspend and refresh, cut at some moment and asked again."""
    for words in (["destroy"], ["power", "suspend"], ["power", "off"]):
        for delay in (0.0, 0.005, 0.02, 0.06):
            driver = world.driver()
            desktop = world.create(driver)
            driver.begin(words[0], desktop, *words[1:])
            time.sleep(delay)
            driver.kill()
            driver = world.driver()
            driver.call(words[0], desktop, *words[1:])
            if words != ["destroy"]:
                seen = driver.machines()[desktop]
                assert seen["state"] == "stopped", (words, delay, seen)
                driver.call("power", desktop, "start")
                assert driver.machines()[desktop]["state"] == "running"
            driver.call("destroy", desktop)
            assert not qemus(desktop) and world.left() == []
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
    assert "No space left" in r.text, r
    assert not driver.health()["healthy"] and driver.machines() == {} and not qemus()
    os.unlink(filler)
    desktop = world.create(driver)
    with open(filler, "wb", buffering=0) as f:
        try:
            while f.write(b"x" * 4096):
                pass
        except OSError:
            pass
    driver.call("destroy", desktop)  # a full disk does not keep it alive
    os.unlink(filler)
    assert world.left(directory=world.small) == [] and not qemus()
    driver.end()


def parent_qemus():
    return qemus("/parents/")


def test_a_parent_that_does_not_come_is_not_waited_for(world):
    """The image says nothing: its machine boots by itself, told who it is by a file that is gone when QEMU has it."""
    driver = world.driver(agents="10.0.2.2:5911", agents_ca=world.ca, parent_wait_s=1)
    began = time.monotonic()
    desktop = world.create(driver, token="very-secret-token")
    assert time.monotonic() - began < 20
    assert driver.machines()[desktop]["state"] == "running"
    folder = os.path.join(world.directory, "desktops", desktop)
    assert "seed.json" not in os.listdir(folder)
    assert subprocess.run(["grep", "-rqs", "very-secret-token", world.directory], check=False).returncode == 1
    pid = qemus(desktop)[0]
    with open("/proc/%d/cmdline" % pid, "rb") as f:
        assert b"very-secret" not in f.read()
    assert len(parent_qemus()) == 1, "one is at work"
    world.create(driver)
    assert len(parent_qemus()) == 1, "never two"
    driver.kill()
    eventually(lambda: not parent_qemus(), 20)
    assert world.left("parents")[0].endswith(".tmp")
    driver = world.driver()
    machines = driver.machines()
    assert world.left("parents") == [], "what the crash has left is swept"
    for desktop in machines:
        driver.call("destroy", desktop)
    driver.end()


def test_a_create_that_waits_for_its_parent_is_cancelled(world):
    driver = world.driver(agents="10.0.2.2:5911", agents_ca=world.ca, parent_wait_s=60)
    desktop, task = new(), new()
    waiting = driver.begin("create", desktop, task, world.golden, "t")
    eventually(parent_qemus, 20)
    assert "parent" in driver.machines()[desktop]["reason"], driver.machines()
    driver.call("cancel", desktop)
    try:
        driver.finish(waiting, 20)
        raise AssertionError("it was made")
    except Exception as e:  # pylint: disable=broad-exception-caught
        assert getattr(e, "code", "") == "closed", e
    driver.call("destroy", desktop)
    driver.end()  # and the maker with it
    assert not parent_qemus() and world.left("parents") == []


def test_a_record_of_nonsense_is_a_failed_machine(world):
    driver = world.driver()
    desktop = world.create(driver)
    pid = qemus(desktop)[0]
    path = os.path.join(world.directory, "desktops", desktop, "record.json")
    for text in ("", "{", json.dumps({"v": 1}), "[" * 5000, json.dumps({"phase": "running", "uid": 0})):
        with open(path, "w") as f:
            f.write(text)
        assert driver.machines()[desktop]["state"] == "failed"
    driver.call("destroy", desktop)
    assert world.left() == [] and pid not in qemus()
    driver.end()


def test_a_disk_that_starts_by_uefi_has_variables_of_its_own(world):
    if uefi_disk.missing():
        print("SKIP:", uefi_disk.missing())
        return
    golden, template = os.path.join(world.folder, "uefi.qcow2"), open(uefi_disk.VARIABLES, "rb").read()
    uefi_disk.make(golden)
    driver = world.driver()
    first, second = new(), new()
    for desktop in first, second:
        driver.call("create", desktop, new(), golden, "t")
    files = [os.path.join(world.directory, "desktops", d, "variables") for d in (first, second)]
    owners = [os.stat(f).st_uid for f in files]
    assert owners[0] != owners[1] and 0 not in owners and all(os.stat(f).st_mode & 0o777 == 0o600 for f in files), "each is its QEMU's alone"
    with open("/proc/%d/cmdline" % qemus(first)[0], "rb") as f:
        assert uefi_disk.CODE.encode() in f.read()
    # What it was written to stays as long as the disk, over ends, starts, sleep and snapshots, and goes with it.
    driver.call("power", first, "off")
    with open(files[0], "r+b") as f:
        f.seek(-17, os.SEEK_END)
        f.write(b"the last user was")
    marked = open(files[0], "rb").read()
    driver.call("power", first, "start")
    driver.call("snapshot", first, "take", "running")
    driver.call("power", first, "suspend")
    driver.call("power", first, "start")
    driver.call("snapshot", first, "revert", "running")
    assert open(files[0], "rb").read()[-17:] == marked[-17:]
    driver.call("restart", first, new(), "refresh", "t")
    assert open(files[0], "rb").read()[-17:] == template[-17:], "a fresh desktop has fresh variables"
    for desktop in first, second:
        driver.call("destroy", desktop)
    assert world.left() == [] and open(uefi_disk.VARIABLES, "rb").read() == template
    # BIOS is asked for beside the disk.
    with open(os.path.join(world.folder, "firmware"), "w") as f:
        f.write("bios\n")
    driver.call("create", first, new(), golden, "t")
    os.unlink(os.path.join(world.folder, "firmware"))
    assert not os.path.exists(files[0])
    driver.call("destroy", first)
    driver.end()
    driver = world.driver(firmware="/nonexistent/code.fd")
    assert "apt-get install ovmf" in driver.refused("create", new(), new(), golden, "t").text
    driver.end()


def test_a_machine_of_windows_is_what_windows_likes(world):
    """Each kind of its devices, by UEFI; the guest is none. Its drive is there whenever it runs, and a token in it only while QEMU opens it."""
    if uefi_disk.missing():
        print("SKIP:", uefi_disk.missing())
        return
    golden = os.path.join(world.folder, "windows.qcow2")
    uefi_disk.make(golden)
    for devices in "virtio", "emulated":
        os.environ["PUESTO_OS"] = "windows"
        driver = world.driver(windows_devices=devices, agents="10.0.2.2:5911", agents_ca=world.ca)
        del os.environ["PUESTO_OS"]
        desktop = new()
        machine = driver.call("create", desktop, new(), golden, "token_of_this_test")["machine"]
        assert (machine["kind"], machine["port"], machine["agent"]) == (4, 5910, True) and machine["address"].startswith("127."), machine
        way = driver.call("way", desktop, "ab" * 32)
        assert (way["address"], way["port"], way["account"]["fingerprint"]) == (machine["address"], 5910, "ab" * 32), way
        words = open("/proc/%d/cmdline" % qemus(desktop)[0]).read()
        assert "hostfwd=tcp:%s:5910-:3389" % machine["address"] in words and "base=localtime" in words and "ide-cd" in words and "fw_cfg" not in words, words
        assert ("virtio" in words) == (devices == "virtio") and ("e1000e" in words) == (devices == "emulated"), words
        for path in glob.glob(world.folder + "/d/desktops/%s/*" % desktop):
            if os.path.isfile(path) and not path.endswith("disk.qcow2"):
                assert b"token_of_this_test" not in open(path, "rb").read(), path
        driver.call("snapshot", desktop, "take", "running")
        driver.call("power", desktop, "suspend")
        driver.call("power", desktop, "start")
        driver.call("snapshot", desktop, "revert", "running")
        before = qemus(desktop)
        driver.call("restart", desktop, new(), "keep", "another_token")
        assert qemus(desktop) and qemus(desktop) != before
        driver.call("restart", desktop, new(), "refresh", "another_token")
        driver.call("destroy", desktop)
        assert qemus(desktop) == []
        driver.end()
    assert world.left() == []


def test_what_is_woken_is_written_down_before_it_goes_on(world):
    """Else its memory would be loaded once more, beside a disk that it has written on since."""
    driver = world.driver()
    desktop = world.create(driver)
    folder = os.path.join(world.directory, "desktops", desktop)
    driver.call("power", desktop, "suspend")
    subprocess.run(["mount", "--bind", folder + "/record.json", folder + "/record.json"], check=True)  # it cannot be exchanged
    try:
        assert "record.json" in driver.refused("power", desktop, "start").text
        assert not qemus(desktop), "it goes on, and nobody knows that it did"
    finally:
        subprocess.run(["umount", folder + "/record.json"], check=True)
    assert os.path.exists(folder + "/memory") and driver.machines()[desktop]["state"] == "stopped"
    driver.call("power", desktop, "start")
    assert driver.machines()[desktop]["state"] == "running" and not [n for n in os.listdir(folder) if n.startswith("memory")]
    driver.call("destroy", desktop)
    assert world.left() == []
    driver.end()


def windows_driver(world, **more):
    os.environ["PUESTO_OS"] = "windows"
    try:
        return world.driver(agents="10.0.2.2:5911", agents_ca=world.ca, **more)
    finally:
        del os.environ["PUESTO_OS"]


def emulators(desktop=""):
    return [pid for pid, words in tpm_state.running().items() if World.folder in words and desktop in words]


def tpms(world, desktop):
    """As its QEMU says it."""
    qmp = Qmp(os.path.join(world.directory, "desktops", desktop, "qmp"))
    try:
        return [(t["model"], t["options"]["type"]) for t in qmp("query-tpm")]
    finally:
        qmp.socket.close()


EMULATED = [("tpm-crb", "emulator")]


def test_a_tpm_lives_as_long_as_its_machine(world):
    """Its key and a mark in its memory over all that may happen to a machine of Windows."""
    if tpm_state.missing():
        print("SKIP:", tpm_state.missing())
        return
    driver = windows_driver(world)
    desktop = world.create(driver)
    folder = os.path.join(world.directory, "desktops", desktop)
    state = os.path.join(folder, "tpm")
    assert driver.health()["limits"].endswith("TPM 2.0") and tpms(world, desktop) == EMULATED
    (pid,) = emulators(desktop)
    owners = {os.stat(p).st_uid for p in (state, "/proc/%d" % pid, "/proc/%d" % qemus(desktop)[0])}
    assert len(owners) == 1 and 0 not in owners and os.stat(state).st_mode & 0o777 == 0o600, owners
    with open("/proc/%d/status" % pid) as f:
        assert "NoNewPrivs:\t1" in f.read()
    key = tpm_state.look(state)[0]
    driver.call("power", desktop, "off")
    assert not emulators(desktop)
    tpm_state.look(state, b"first")
    driver.call("power", desktop, "start")
    driver.call("power", desktop, "suspend")
    assert not emulators(desktop)
    driver.call("power", desktop, "start")
    assert tpms(world, desktop) == EMULATED and len(emulators(desktop)) == 1
    assert tpm_state.look(state) == (key, b"first   ")
    # A provisioner that dies finds both again.
    driver.kill()
    driver = windows_driver(world)
    assert driver.machines()[desktop]["state"] == "running" and len(emulators(desktop)) == 1
    driver.call("snapshot", desktop, "take", "running")
    driver.call("power", desktop, "off")
    tpm_state.look(state, b"second")
    driver.call("snapshot", desktop, "take", "off")
    tpm_state.look(state, b"third")
    # It belongs to a snapshot as the disk does.
    for name, mark in ("running", b"first   "), ("off", b"second  "), ("running", b"first   "):
        driver.call("snapshot", desktop, "revert", name)
        assert len(emulators(desktop)) == (name == "running")
        driver.call("power", desktop, "off")
        assert tpm_state.look(state) == (key, mark), name
    driver.call("snapshot", desktop, "drop", "off")
    assert [n for n in os.listdir(folder) if n.startswith("tpm.s-")] == []
    driver.call("snapshot", desktop, "take", "off.2")
    assert [n for n in os.listdir(folder) if n.startswith("tpm.s-")] == ["tpm.s-off.2"]
    driver.call("restart", desktop, new(), "refresh", "t")
    assert [n for n in os.listdir(folder) if n.startswith("tpm.s-")] == []
    fresh = tpm_state.look(state)
    assert fresh[0] != key and fresh[1] == b"" and tpms(world, desktop) == EMULATED, "a fresh desktop has a fresh TPM"
    for those in qemus, emulators:
        os.kill(those(desktop)[0], signal.SIGKILL)
        eventually(lambda: not emulators(desktop), 20)
        seen = driver.machines()[desktop]
        assert those is qemus or (seen["state"] == "running" and "TPM" in seen["reason"]), seen
        driver.call("power", desktop, "off")
        driver.call("power", desktop, "start")
        assert len(emulators(desktop)) == 1 and tpm_state.look(state)[0] == fresh[0], "whatever died"
        assert driver.machines()[desktop]["reason"] == ""
    driver.call("destroy", desktop)
    assert world.left() == [] and not emulators(desktop)
    driver.end()


def test_a_killed_provisioner_leaves_no_emulator(world):
    """At every moment of a create; and one whose QEMU never came is ended by the next provisioner."""
    if tpm_state.missing():
        print("SKIP:", tpm_state.missing())
        return
    for delay in MOMENTS[:: 2 if TIER > 1 else 7]:
        driver, desktop, task = windows_driver(world), new(), new()
        driver.call("list")
        driver.begin("create", desktop, task, world.golden, "t")
        time.sleep(delay)
        driver.kill()
        driver = windows_driver(world)
        driver.call("list")
        eventually(lambda: len(emulators(desktop)) == len(qemus(desktop)), 20)
        world.create(driver, desktop, task)
        assert len(emulators(desktop)) == 1 and tpms(world, desktop) == EMULATED
        driver.call("destroy", desktop)
        assert not emulators(desktop) and world.left() == []
        driver.end()


def test_a_tpm_is_left_to_what_it_writes_and_a_failed_snapshot_leaves_none(world):
    if tpm_state.missing():
        print("SKIP:", tpm_state.missing())
        return
    driver = windows_driver(world)
    desktop = world.create(driver)
    (pid,) = emulators(desktop)
    fd = os.pidfd_open(pid)
    os.kill(pid, signal.SIGSTOP)
    try:
        n = driver.begin("power", desktop, "off")
        eventually(lambda: not qemus(desktop), 20)
        driver.call("cancel", desktop)
        try:
            driver.finish(n)
            raise AssertionError("it was cancelled")
        except Refused as r:
            assert r.code == "closed", r
        assert not select.select([fd], [], [], 0.5)[0], "it was killed, perhaps in the middle of a write"
    finally:
        os.kill(pid, signal.SIGCONT)
    assert select.select([fd], [], [], 20)[0], "it was asked to end"
    os.close(fd)
    driver.end()
    driver = windows_driver(world, image_program="/bin/false")
    driver.refused("snapshot", desktop, "take", "never")
    assert [n for n in os.listdir(os.path.join(world.directory, "desktops", desktop)) if n.startswith("tpm.s-")] == []
    driver.call("destroy", desktop)
    assert world.left() == []
    driver.end()


def test_a_host_without_an_emulator_says_so(world):
    """Machines of Windows are made without a TPM, unless the section insists; what has one does not start without its emulator."""
    desktop = new()
    driver = windows_driver(world, tpm_program="/nonexistent/swtpm")
    world.create(driver, desktop)
    assert tpms(world, desktop) == [] and "TPM" not in driver.health()["limits"] and driver.health()["healthy"]
    driver.end()
    driver = windows_driver(world, tpm_program="/nonexistent/swtpm", tpm="yes")
    r = driver.refused("create", new(), new(), world.golden, "t")
    assert r.code == "unsupported" and "apt-get install swtpm swtpm-tools" in r.text, r
    health = driver.health()
    assert not health["healthy"] and "apt-get install swtpm swtpm-tools" in health["reason"], health
    driver.call("power", desktop, "off")
    driver.call("power", desktop, "start")
    driver.end()
    if tpm_state.missing():
        driver = world.driver()
        driver.call("destroy", desktop)
        driver.end()
        return
    # A machine from before gets one with its next disk.
    driver = windows_driver(world)
    driver.call("power", desktop, "off")
    driver.call("power", desktop, "start")
    assert tpms(world, desktop) == []
    driver.call("restart", desktop, new(), "refresh", "t")
    assert tpms(world, desktop) == EMULATED
    driver.call("power", desktop, "off")
    driver.end()
    driver = windows_driver(world, tpm_program="/nonexistent/swtpm")
    r = driver.refused("power", desktop, "start")
    assert "TPM" in r.text and "/nonexistent/swtpm" in r.text and not qemus(desktop), r
    driver.end()
    # One that sleeps goes on sleeping until it is there again.
    driver = windows_driver(world)
    driver.call("power", desktop, "start")
    driver.call("power", desktop, "suspend")
    driver.end()
    driver = windows_driver(world, tpm_program="/nonexistent/swtpm")
    assert "/nonexistent/swtpm" in driver.refused("power", desktop, "start").text and not qemus(desktop)
    driver.end()
    folder = os.path.join(world.directory, "desktops", desktop)
    assert [n for n in os.listdir(folder) if n.startswith("memory")] == ["memory"], "what its user had open is lost"
    driver = windows_driver(world)
    driver.call("power", desktop, "start")
    assert tpms(world, desktop) == EMULATED and [n for n in os.listdir(folder) if n.startswith("memory")] == []
    driver.call("power", desktop, "off")
    driver.end()
    # What it keeps is damaged: QEMU does not start, and nothing of the try is left.
    with open(os.path.join(world.directory, "desktops", desktop, "tpm"), "r+b") as f:
        f.seek(256)
        f.write(b"x" * 1024)
    driver = windows_driver(world)
    r = driver.refused("power", desktop, "start")
    assert "TPM" in r.text or "tpm" in r.text, r
    assert not emulators(desktop) and not qemus(desktop)
    driver.call("destroy", desktop)
    assert world.left() == []
    driver.end()


def says(world, desktop, words, seconds=120):
    """On its serial line, from its start: which of them first."""
    said, qmp = b"", Qmp(os.path.join(world.directory, "desktops", desktop, "qmp"))
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            said += base64.b64decode(qmp("ringbuf-read", device="line", size=65536, format="base64"))
            for word in words:
                if word in said:
                    return word
            time.sleep(0.1)
        raise TimeoutError("it said %s" % said[-400:])
    finally:
        qmp.socket.close()


def test_secure_boot_starts_nothing_unsigned(world):
    """The firmware's own verdict on a loader that nobody has signed; in machines from before nothing changes until their disk is new."""
    if uefi_disk.loader_missing():
        print("SKIP:", uefi_disk.loader_missing())
        return
    golden, either = os.path.join(world.folder, "loader.qcow2"), (uefi_disk.STARTED, uefi_disk.REFUSED)
    uefi_disk.make(golden, with_loader=True)
    desktop, driver = new(), windows_driver(world)
    driver.call("create", desktop, new(), golden, "t")
    assert says(world, desktop, either) == uefi_disk.STARTED
    driver.end()
    driver = windows_driver(world, secure_boot="yes")
    driver.call("power", desktop, "off")
    driver.call("power", desktop, "start")
    assert says(world, desktop, either) == uefi_disk.STARTED, "it keeps the firmware that it was made with"
    driver.call("restart", desktop, new(), "refresh", "t")
    assert says(world, desktop, either) == uefi_disk.REFUSED
    driver.call("snapshot", desktop, "take", "running")
    driver.call("power", desktop, "suspend")
    driver.call("power", desktop, "start")
    driver.call("snapshot", desktop, "revert", "running")
    driver.call("power", desktop, "off")
    driver.end()
    driver = windows_driver(world)
    driver.call("power", desktop, "start")
    assert says(world, desktop, either) == uefi_disk.REFUSED, "this one, too"
    driver.call("destroy", desktop)
    driver.end()
    driver = windows_driver(world, secure_boot="yes", secure_firmware="/nonexistent/code.fd")
    assert "/nonexistent/code.fd" in driver.refused("create", new(), new(), golden, "t").text
    driver.end()
    driver = world.driver(secure_boot="yes")
    driver.call("create", desktop, new(), golden, "t")
    assert says(world, desktop, either) == uefi_disk.STARTED, "what is not Windows is asked for no signature"
    driver.call("destroy", desktop)
    driver.end()


SECOND_TIER = ("test_secure_boot_starts_nothing_unsigned",)


def inside():
    """In a mount namespace of our own, so that no mount is left behind."""
    if "PUESTO_TEST_INSIDE" in os.environ:
        return
    os.environ["PUESTO_TEST_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable] + sys.argv)


def main():
    if os.environ.get("SANITIZED"):
        print("SKIP: the units run the driver's code under the sanitizers")
        return 77
    missing = [p for p in ("/usr/bin/qemu-system-x86_64", "/usr/bin/qemu-img", TOOL) if not os.path.exists(p)]
    if os.geteuid() != 0 or missing:
        print("SKIP: needs root and", " ".join(missing))
        return 77
    inside()
    failed, world = 0, World()
    try:
        for name in sys.argv[1:] or [n for n in globals() if n.startswith("test_") and (TIER > 1 or n not in SECOND_TIER)]:
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
