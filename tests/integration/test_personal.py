#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users' own files that outlive a refresh, with everything real but the gateway: broker, provisioner, desktops of this machine (by themselves,
in LXC and in Podman) and their agents. A user writes, logs off and finds it in another desktop; programs die in between; the disk goes with its user.
Covers: broker/hypervisor/container/container_personal.c broker/storage/personal_removals.c broker/api/personal.c broker/cli/personal.c db/personal.c

Needs root and Xvfb. Run alone: top_builddir=build python3 tests/integration/test_personal.py"""
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import unittest

tempfile.tempdir = "/var/tmp"  # an overlay's upper layer cannot lie on another overlay

import root_tree
from broker_harness import BUILD, eventually, log_in
from engine_harness import Podman, missing
from pool_harness import Pool

LIBEXEC = [BUILD + "/broker/hypervisor/desktop/puesto-desktop", BUILD + "/puesto-agent"]
HELLO = 1
PASSWORD = "correct-horse-7"
WELCOME = "from the image\n"
LXC = BUILD + "/broker/hypervisor/lxc/puesto-lxc"


class Viewer:
    """The worker's end of the display link, as far as it takes to be the desktop's occupant."""

    def __init__(self, path, grant):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(30)
        self.socket.connect(path)
        body = b"PSLK" + struct.pack("<HHHH", 1, 2, 0, 0) + grant.encode()
        self.socket.sendall(struct.pack("<BBHI", HELLO, 1, 0, len(body)) + body)
        kind = self.socket.recv(8)[0]
        assert kind == 2, "the agent answers %d" % kind

    def close(self):
        self.socket.close()


class PersonalTest(unittest.TestCase):
    FOLDER = "desktops"  # of the provider's desktops

    @classmethod
    def begin(cls):
        """The pool, on an image that greets its users."""
        os.makedirs(cls.image + "/layer/etc/skel")
        with open(cls.image + "/layer/etc/skel/welcome", "w") as f:
            f.write(WELCOME)
        cls.pool = Pool("host", LIBEXEC, cls.image)
        cls.pool.serve("kind = local\n")

    @classmethod
    def setUpClass(cls):
        cls.image = tempfile.mkdtemp(prefix="puesto-personal-", dir="/var/tmp")
        os.chmod(cls.image, 0o755)
        cls.pool = None
        try:
            cls.begin()
            cls.admin = log_in(cls.pool.gate, "admin")
            cls.admin.want(201, "POST", "users", {"name": "bea", "password": PASSWORD})
            cls.admin.want(201, "POST", "entitlements", {"pool": "demo", "user": "bea"})
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        if cls.pool and sys.exc_info()[0]:
            cls.pool.tell()
        if cls.pool:
            cls.pool.empty(cls.admin)
            eventually(lambda: not cls.admin.get("desktops")["items"], 60)
            cls.pool.end()
            cls.pool.broker.close()
        shutil.rmtree(cls.image, ignore_errors=True)

    # --- the world ------------------------------------------------------------------

    def pid(self, desktop):
        try:
            with open("%s/%s/%s/pid" % (self.pool.dir, self.FOLDER, desktop)) as f:
                return __import__("json").load(f)["pid"]
        except OSError:
            return 0

    def inside(self, desktop, script):
        uid = dict(self.pool.rows("SELECT id, uid FROM desktops"))[desktop]
        done = subprocess.run(["nsenter", "-t", str(self.pid(desktop)), "-m", "-p", "-S", str(uid), "-G", str(uid), "sh", "-c", script],
                              capture_output=True, text=True, timeout=30, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def disk(self, user, state=None):
        items = [d for d in self.admin.get("users/%s/personal" % user)["items"] if d["pool"]["name"] == "demo"]
        return items[0] if items and (state is None or items[0]["state"] == state) else None

    def work(self, user):
        """His session with a viewer in it, and his desktop."""
        session, ticket, grant = self.pool.connect(user, PASSWORD if user == "bea" else None)
        desktop = ticket["desktop"]["id"]
        viewer = Viewer("%s/%s/%s/run/display.sock" % (self.pool.dir, self.FOLDER, desktop), grant["grant"])
        return session, ticket, grant, desktop, viewer

    def leave(self, worked):
        session, ticket, grant, desktop, viewer = worked
        first = self.pid(desktop)
        self.pool.log_off(session, ticket, grant)
        viewer.close()
        eventually(lambda: self.pid(desktop) not in (0, first), 60)

    # --- the story ---------------------------------------------------------------------

    def test_files_outlive_the_desktop(self):
        self.pool.ready(1)
        carries = [p for p in self.admin.get("providers")["items"] if "personal" in p["can"]]
        if not carries:
            self.skipTest("the file system of %s maps no ids" % self.pool.dir)
        self.it_is_for_pools_that_make_desktops_new()
        first = self.a_user_finds_the_files_in_another_desktop()
        self.a_killed_provisioner_loses_nothing()
        self.a_desktop_that_dies_gets_them_again(first)
        self.the_disk_grows_and_goes()

    def binned(self, user):
        (item,) = [r for r in self.admin.get("recycled")["items"] if r["kind"] == "personal" and r["user"] and r["user"]["name"] == user]
        self.assertEqual((item["pool"]["name"], item["reason"]), ("demo", "disk of %s in demo" % user), item)
        return item

    def it_comes_back_out_of_the_bin(self):
        """But not while its user has a new one."""
        item = self.binned("ana")
        restore = "recycled/%s/%s/restore" % (item["datastore"], item["token"])
        self.assertTrue(item["can_restore"])
        worked = self.work("ana")
        self.assertEqual(self.inside(worked[3], "ls ~user"), "welcome\n", "a new one")
        self.leave(worked)
        self.assertFalse(self.binned("ana")["can_restore"])
        status, data, _ = self.admin.call("POST", restore, {})
        self.assertEqual(status, 409, data)
        self.admin.want(202, "DELETE", "personal/ana/demo?keep_days=0")
        eventually(lambda: self.disk("ana") is None, 60)
        self.admin.want(404, "POST", "recycled/%s/none/restore" % item["datastore"], {})
        self.admin.want(204, "POST", restore, {})
        self.assertEqual(self.disk("ana")["state"], "free")
        self.admin.want(404, "POST", restore, {})
        worked = self.work("ana")
        self.assertIn("mine", self.inside(worked[3], "cat ~user/letter"))
        self.leave(worked)
        self.admin.want(202, "DELETE", "personal/ana/demo?keep_days=1")
        eventually(lambda: self.disk("ana") is None, 60)

    def it_is_for_pools_that_make_desktops_new(self):
        for change, field in (({"personal_disk_mb": 64, "on_logoff": "keep"}, "personal_disk_mb"), ({"personal_disk_mb": -1}, "personal_disk_mb"),
                              ({"personal_disk_mb": 64, "personal_datastore": "none-such"}, "personal_datastore")):
            status, data, _ = self.admin.call("PATCH", "pools/demo", change)
            self.assertEqual((status, data["field"]), (422, field), data)
        pool = self.admin.want(200, "PATCH", "pools/demo", {"personal_disk_mb": 64, "min": 2})
        self.assertEqual((pool["personal_disk_mb"], pool["personal_datastore"]), (64, ""))
        self.pool.ready(2)

    def a_user_finds_the_files_in_another_desktop(self):
        worked = self.work("ana")
        desktop = worked[3]
        self.assertEqual(self.inside(desktop, "cat ~user/welcome; stat -c %U ~user"), "from the image\nuser\n")
        self.inside(desktop, "echo mine >~user/letter; chmod 600 ~user/letter")
        self.the_disk_has_its_size(desktop)
        self.assertEqual(self.disk("ana")["state"], "attached")
        self.assertEqual(self.disk("ana")["desktop"]["id"], desktop)
        status, data, _ = self.admin.call("POST", "desktops/%s/snapshots" % desktop, {"name": "a"})
        self.assertGreaterEqual(status, 400, data)
        self.leave(worked)
        eventually(lambda: self.disk("ana", "free"), 30)
        self.assertTrue(self.disk("ana")["clean"])
        eventually(lambda: self.inside(desktop, "ls ~user 2>/dev/null || true") == "welcome\n", 30)  # the refreshed desktop has the image's home
        self.admin.want(200, "POST", "desktops/%s/drain" % desktop, {"drain": True})
        worked = self.work("ana")
        self.assertNotEqual(worked[3], desktop)
        self.assertEqual(self.inside(worked[3], "cat ~user/letter; stat -c %U ~user/letter"), "mine\nuser\n")
        self.admin.want(200, "POST", "desktops/%s/drain" % desktop, {"drain": False})
        return worked

    def the_disk_has_its_size(self, desktop):
        """64 MB, where this machine has loop devices; the provider says which."""
        (provider,) = [p for p in self.admin.get("providers")["items"] if "personal" in p["can"]]
        self.sized = "personal_size" in provider["can"]
        self.assertEqual(self.sized, os.access("/dev/loop-control", os.W_OK), provider["can"])
        if not self.sized:
            return
        self.assertTrue(40 << 20 < self.room(desktop) < 64 << 20, self.room(desktop))
        wrote = int(self.inside(desktop, "ulimit -f 90000; cat /dev/zero >~user/big 2>/dev/null; stat -c %s ~user/big; rm ~user/big"))
        self.assertTrue(40 << 20 < wrote < 64 << 20, wrote)

    def room(self, desktop):
        fs = os.statvfs("/proc/%d/root" % self.pid(desktop) + "/home/user")
        return fs.f_blocks * fs.f_frsize

    def a_killed_provisioner_loses_nothing(self):
        """It is asked, and dies before it has answered."""
        self.pool.ready(2)
        bea = log_in(self.pool.gate, "bea", PASSWORD)
        self.pool.provisioner.send_signal(signal.SIGSTOP)
        try:
            status, data, _ = bea.call("POST", "me/pools/demo/connect", {"protocol": "web"})
            self.assertEqual((status, data["reason"]["code"]), (202, "personal_bring"), data)
        finally:
            self.pool.provisioner_kill()
        self.pool.provisioner_start()
        worked = self.work("bea")
        self.inside(worked[3], "echo hers >~user/letter")
        self.leave(worked)

    def a_desktop_that_dies_gets_them_again(self, worked):
        session, _, grant, desktop, viewer = worked
        first = self.pid(desktop)
        viewer.close()
        os.kill(first, signal.SIGKILL)
        eventually(lambda: self.pid(desktop) not in (0, first), 60)
        self.pool.gate.send({"op": "session", "session": grant["session"], "event": "ended", "reason": "the desktop died"})
        worked = self.work("ana")
        self.assertEqual(worked[3], desktop)
        self.assertEqual(self.inside(desktop, "cat ~user/letter"), "mine\n")
        self.leave(worked)

    def the_disk_grows_and_goes(self):
        self.assertEqual(self.admin.want(200, "PATCH", "personal/ana/demo", {"size_mb": 128})["size_mb"], 128)
        self.admin.want(422, "PATCH", "personal/ana/demo", {"size_mb": 32})
        self.admin.want(404, "GET", "personal/nobody/demo")
        self.admin.want(404, "GET", "users/nobody/personal")
        self.admin.want(201, "POST", "providers", {"name": "second"})
        status, data, _ = self.admin.call("PATCH", "pools/demo", {"provider": "second"})
        self.assertEqual((status, data["field"]), (422, "provider"), "its disks stay where they are: %s" % data)
        self.assertIn("2 personal disks", data["detail"])
        worked = self.work("ana")
        self.assertEqual(self.admin.want(202, "DELETE", "personal/ana/demo?keep_days=1")["state"], "removing")
        self.assertIn("mine", self.inside(worked[3], "cat ~user/letter"), "nobody takes it away while she works")
        if self.sized:
            self.assertGreater(self.room(worked[3]), 100 << 20, "it has grown")
            self.assertNotIn("lost+found", self.inside(worked[3], "ls -a ~user"))
        self.leave(worked)
        eventually(lambda: self.disk("ana") is None, 60)
        self.it_comes_back_out_of_the_bin()
        bea = self.admin.get("users/bea")["id"]
        self.admin.want(204, "DELETE", "users/bea")
        eventually(lambda: not [d for d in self.admin.get("personal")["items"] if d["user"]["id"] == bea], 60)
        owners = [o for o in os.listdir(self.pool.dir + "/personal") if not o.startswith(".") and os.listdir("%s/personal/%s" % (self.pool.dir, o))]
        self.assertEqual(owners, [])
        kept = subprocess.run(["grep", "-rqs", "mine", self.pool.dir + "/recycle"], check=False)
        self.assertEqual(kept.returncode, 0, "it lies in the recycle bin")
        with open("/proc/mounts") as f:
            self.assertNotIn("/dev/loop", "".join(line for line in f if self.pool.dir in line))
        loops = subprocess.run(["losetup", "--list", "--noheadings", "--output", "BACK-FILE"], capture_output=True, text=True, check=True).stdout
        self.assertNotIn(self.pool.dir, loops, "each ended with its mount")
        with open("/proc/self/mountinfo") as f:
            self.assertNotIn(self.pool.dir, f.read())


def tree(folder):
    """A root tree for containers, as a tar."""
    root_tree.TEXTS["etc/skel/welcome"] = WELCOME
    root_tree.write(folder + "/tree.tar", LIBEXEC + [LXC] * os.path.exists(LXC))
    return folder + "/tree.tar"


class LxcPersonalTest(PersonalTest):
    FOLDER = "lxc"

    @classmethod
    def setUpClass(cls):
        if not os.path.exists(LXC) or not shutil.which("lxc-start"):
            raise unittest.SkipTest("without liblxc")
        super().setUpClass()

    @classmethod
    def begin(cls):
        os.makedirs(cls.image + "/golden/desk/rootfs")
        with tarfile.open(tree(cls.image)) as tar:
            tar.extractall(cls.image + "/golden/desk/rootfs")
        cls.pool = Pool("ref:desk", LIBEXEC + [LXC])
        cls.pool.serve("kind = lxc\ngolden = %s/golden\n" % cls.image)


class PodmanPersonalTest(PersonalTest):
    FOLDER = "containers"

    @classmethod
    def setUpClass(cls):
        if int(os.environ.get("PUESTO_TIER", "1")) < 2:
            raise unittest.SkipTest("of tier 2")
        why = missing(Podman)
        if why:
            raise unittest.SkipTest("without " + " ".join(why))
        super().setUpClass()

    @classmethod
    def begin(cls):
        cls.engine = Podman(cls.image + "-engine")
        cls.addClassCleanup(cls.engine.close)
        cls.engine.start()
        cls.engine.image_import(tree(cls.image), "localhost/puesto-personal")
        cls.pool = Pool("ref:localhost/puesto-personal", LIBEXEC)
        cls.pool.serve("kind = container\nengine = %s\npoll_s = 2\n" % cls.engine.socket)

    def pid(self, desktop):
        for c in self.engine.containers():
            if c["Labels"]["org.puesto.desktop"] == desktop:
                return self.engine.ask("GET", "/containers/%s/json" % c["Id"])[1].get("State", {}).get("Pid", 0)
        return 0


def main():
    if os.environ.get("SANITIZED"):
        print("SKIP: a desktop's limits leave the sanitizer's shadow no room")
        return 77
    lacking = [p for p in ("Xvfb", "openbox", "nsenter") if not shutil.which(p)] + [p for p in LIBEXEC if not os.path.exists(p)]
    if os.geteuid() != 0 or lacking:
        print("SKIP: desktops of this machine need root and %s" % " ".join(lacking))
        return 77
    return 0 if unittest.main(verbosity=2, exit=False, warnings="ignore").result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
