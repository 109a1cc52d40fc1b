# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of back-ups share: a golden disk, a datastore for back-ups, orders through driver_tool."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

import uefi_disk
from driver_harness import LATER, TOOL, Driver, Refused, is_for_later

MORE = """
[datastore-vault]
path = %s
role = backups
keep_free_mb = 0
"""


class Rig:
    """Of one kind: settings(), disk(desktop), guest_writes(desktop, words of qemu-io), machines_kill()."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="pb-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.directory, self.golden, self.target = (os.path.join(self.folder, n) for n in ("d", "golden.qcow2", "target"))
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.golden, "64M"], check=True)
        subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -P 200 0 24M", self.golden], check=True, stdout=subprocess.DEVNULL)
        os.chmod(self.golden, 0o444)
        os.mkdir(self.target)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m,mode=700", "target", self.target], check=True)
        self.drivers, self.copies = [], 0

    def driver(self):
        driver = Driver(os.path.join(self.folder, "data"), self.settings(), self.more())
        self.drivers.append(driver)
        return driver

    def more(self):
        return MORE % self.target

    @staticmethod
    def task():
        return str(uuid.uuid4())

    def create(self, driver):
        desktop = self.task()
        driver.call("create", desktop, self.task(), self.golden, "t")
        return desktop

    def begin(self, driver, kind, desktop, task=None, **more):
        words = {"op": "backup", "kind": kind, "task": task or self.task(), "desktop": desktop, "provider": "test", "name": "ana-1", "pool": "p", "user": "ana",
                 "image": "debian", "version": "1", "chain": 100, **more}
        return driver.begin("backup", json.dumps(words, separators=(",", ":")))

    def order(self, driver, kind, desktop, may_fail=False, **more):
        news = driver.finish(self.begin(driver, kind, desktop, **more), 120)["news"]
        assert may_fail or news["state"] == "done", news
        return news

    def backup(self, driver, desktop, fails=None, **more):
        """What was made; with fails: the reason why not."""
        news = self.order(driver, "backup", desktop, may_fail=bool(fails), **more)
        if fails:
            if news["state"] == "done":
                return ""
            assert news["error"]["code"] == fails, news
            return news["error"]["title"]
        return news["made"]

    def restore(self, driver, desktop, made, fails=None):
        news = self.order(driver, "restore", desktop, may_fail=bool(fails), backup=made["id"])
        if fails:
            assert news["state"] == "failed" and news["error"]["code"] == fails, news
            return news["error"]["title"]
        return None

    def file(self, desktop, made):
        return os.path.join(self.target, "backups", desktop, made["id"], "disk.qcow2")

    def copy(self, desktop):
        """The whole disk as it is now, in a file of its own; nobody writes to it meanwhile."""
        self.copies += 1
        path = os.path.join(self.folder, "copy-%d.qcow2" % self.copies)
        subprocess.run(["qemu-img", "convert", "-U", "-f", "qcow2", "-O", "qcow2", self.disk(desktop), path], check=True)
        return path

    def same(self, a, b):
        done = subprocess.run(["qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", "-U", a, b], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    def clean(self):
        for driver in self.drivers:
            if driver.process.poll() is None:
                driver.kill()
        self.drivers = []
        self.machines_kill()
        shutil.rmtree(self.directory, ignore_errors=True)
        for name in os.listdir(self.target):
            path = os.path.join(self.target, name)
            if os.path.isdir(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
        shutil.rmtree(os.path.join(self.folder, "data"), ignore_errors=True)
        for name in os.listdir(self.folder):
            if name.startswith("copy-"):
                os.unlink(os.path.join(self.folder, name))

    def end(self):
        self.clean()
        subprocess.run(["umount", self.target], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def tail(path):
    with open(path, "rb") as f:
        f.seek(-17, os.SEEK_END)
        return f.read()


def tail_write(path, text):
    with open(path, "r+b") as f:
        f.seek(-17, os.SEEK_END)
        f.write(text)


def variables_come_back(world):
    """What a machine has written into its UEFI is in each of its back-ups: in place, and when it was gone."""
    if uefi_disk.missing():
        print("SKIP:", uefi_disk.missing())
        return
    before, world.golden = world.golden, os.path.join(world.folder, "uefi.qcow2")
    try:
        uefi_disk.make(world.golden)
        driver = world.driver()
        desktop = world.create(driver)
        driver.call("power", desktop, "off")
        own = os.path.join(os.path.dirname(world.disk(desktop)), "variables")
        tail_write(own, b"entries of then..")
        then = world.backup(driver, desktop)
        driver.call("power", desktop, "start")
        world.guest_writes(desktop, "write -P 7 1M 1M")
        running = world.backup(driver, desktop)
        assert running["kind"] == "incremental" and tail(os.path.join(os.path.dirname(world.file(desktop, running)), "variables")) == b"entries of then..", running
        driver.call("power", desktop, "off")
        tail_write(own, b"entries of now...")
        world.restore(driver, desktop, then)
        assert tail(own) == b"entries of then..", tail(own)
        driver.call("power", desktop, "start")
        assert driver.machines()[desktop]["state"] == "running" and tail(own) == b"entries of then.."
        driver.call("destroy", desktop)
        assert not os.path.exists(own)
        world.order(driver, "rebuild", desktop, backup=running["id"], base=world.golden)
        driver.call("order", desktop, 0, "restore")
        driver.call("create", desktop, world.task(), world.golden, "t")
        assert driver.machines()[desktop]["state"] == "running" and tail(own) == b"entries of then.."
        driver.call("power", desktop, "off")
        spoilt, disk = os.path.join(os.path.dirname(world.file(desktop, then)), "variables"), world.copy(desktop)
        os.chmod(spoilt, 0o600)
        tail_write(spoilt, b"spoilt by someone")
        assert "not those that were backed up" in world.restore(driver, desktop, then, fails="invalid")
        world.same(world.disk(desktop), disk)
        driver.call("destroy", desktop)
        driver.end()
    finally:
        world.golden = before


def main(world_type, names):
    if os.geteuid() != 0:
        print("SKIP: needs root")
        sys.exit(77)
    if not os.path.exists(TOOL) or not shutil.which("qemu-storage-daemon") or not shutil.which("qemu-io"):
        print("SKIP: without driver_tool, qemu-storage-daemon or qemu-io")
        sys.exit(77)
    if is_for_later():
        print(LATER)
        sys.exit(77)
    wanted, failed, world = sys.argv[1:], [], world_type()
    try:
        for name, test in list(names.items()):
            if not name.startswith("test_") or (wanted and name not in wanted):
                continue
            began = time.monotonic()
            try:
                test(world)
                print("ok   %s %.1f s" % (name, time.monotonic() - began), flush=True)
            except (AssertionError, Refused, OSError, subprocess.SubprocessError, ValueError, KeyError) as e:
                failed.append(name)
                print("FAIL %s: %s" % (name, e), flush=True)
                traceback.print_exc()
            world.clean()
    finally:
        world.end()
    sys.exit(1 if failed else 0)
