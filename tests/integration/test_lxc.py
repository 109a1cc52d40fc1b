#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desktops in real LXC containers: the contract of all drivers, then the life of a pool with the real broker, provisioner and agent.
Needs root, liblxc (lxc-dev when it was built, lxc to run) and Xvfb. Covers: broker/hypervisor/lxc/lxc.c

Run alone: top_builddir=build python3 tests/integration/test_lxc.py"""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import unittest

tempfile.tempdir = "/var/tmp"  # an overlay's upper layer cannot lie on another overlay

import root_tree
from broker_harness import BUILD, eventually, log_in
from pool_harness import Pool

UNIT = BUILD + "/tests/unit/hypervisor/unit-hypervisor"
LIBEXEC = [BUILD + p for p in ("/broker/hypervisor/desktop/puesto-desktop", "/broker/hypervisor/lxc/puesto-lxc", "/puesto-agent")]
SECRET = "what-ana-has-written-7f3a"


class Lxc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="puesto-lxc-")
        os.chmod(cls.dir, 0o755)
        os.makedirs(cls.dir + "/libexec")
        for program in LIBEXEC:
            shutil.copy(program, cls.dir + "/libexec")
        root_tree.write(cls.dir + "/tree.tar", LIBEXEC)
        os.makedirs(cls.dir + "/golden/desk/rootfs")
        with tarfile.open(cls.dir + "/tree.tar") as tar:
            tar.extractall(cls.dir + "/golden/desk/rootfs")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.dir, ignore_errors=True)

    def test_the_contract_of_all_drivers(self):
        env = dict(os.environ, PUESTO_LXC_GOLDEN=self.dir + "/golden", PUESTO_LIBEXEC=self.dir + "/libexec")
        run = subprocess.run([UNIT, "--filter", "driver/lxc_keeps_the_contract"], env=env, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("Passing: 1", run.stderr)

    def test_a_pools_life(self):
        self.pool = Pool("ref:desk", LIBEXEC)
        self.addCleanup(self.close)
        try:
            self.pool.serve("kind = lxc\ngolden = %s/golden\n" % self.dir)
            self.life()
        except BaseException:
            self.pool.tell()
            raise

    def close(self):
        self.pool.end()
        for path in glob.glob(self.pool.dir + "/lxc/*"):
            subprocess.run([self.dir + "/libexec/puesto-lxc", "stop", path], check=False)
        self.pool.broker.close()

    # The parts of a pool's life, in their order.

    def pid(self, desktop):
        try:
            with open("%s/lxc/%s/pid" % (self.pool.dir, desktop)) as f:
                return json.load(f)["pid"]
        except OSError:
            return 0

    def inside(self, desktop, uid, *words):
        enter = ["nsenter", "-t", str(self.pid(desktop)), "-m", "-p", "-u", "-i", "-n", "-S", str(uid), "-G", str(uid)]
        return subprocess.run(enter + list(words), capture_output=True, text=True, timeout=30, check=False,
                              env={"PATH": "/usr/bin:/bin", "HOME": "/home/user"}).stdout

    def life(self):
        admin = log_in(self.pool.gate, "admin")
        (desktop, uid), = self.pool.ready(1)
        self.it_is_a_desktop_without_privileges(desktop, uid)
        self.a_killed_provisioner_loses_nothing(desktop, admin)
        self.a_user_works_and_leaves_nothing()
        self.an_end_is_noticed()
        self.pool.empty(admin)
        eventually(lambda: os.listdir(self.pool.dir + "/lxc") == [], 60)
        with open("/proc/self/mountinfo") as f:
            self.assertNotIn(self.pool.dir, f.read())
        self.assertEqual(os.listdir(self.dir + "/golden/desk/rootfs/home"), [], "nothing is written into the golden container")

    def it_is_a_desktop_without_privileges(self, desktop, uid):
        with open("/proc/%d/status" % self.pid(desktop)) as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        self.assertEqual([status[k] for k in ("NoNewPrivs", "Seccomp", "CapPrm", "CapEff", "CapBnd")], ["1", "2"] + ["0" * 16] * 3)
        self.assertEqual(set(status["Uid"].split("\t")), {str(uid)})
        self.assertEqual(self.inside(desktop, uid, "id", "-un"), "user\n")
        self.assertEqual(self.inside(desktop, uid, "cat", "/etc/machine-id").strip(), desktop.replace("-", ""))
        self.assertEqual(os.stat("%s/lxc/%s/run/display.sock" % (self.pool.dir, desktop)).st_uid, uid)
        with open("/proc/%d/cgroup" % self.pid(desktop)) as f:
            self.assertIn("lxc.payload." + desktop, f.read())

    def a_killed_provisioner_loses_nothing(self, desktop, admin):
        before = self.pid(desktop)
        admin.want(200, "PATCH", "pools/demo", {"min": 2})
        self.pool.provisioner_kill()
        self.pool.provisioner_start()
        self.assertEqual(len({uid for _, uid in self.pool.ready(2)}), 2)
        self.assertEqual(self.pid(desktop), before)
        self.assertEqual(len(os.listdir(self.pool.dir + "/lxc")), 2)

    def a_user_works_and_leaves_nothing(self):
        ana, ticket, grant = self.pool.connect("ana")
        desktop = ticket["desktop"]["id"]
        uid, first = dict(self.pool.rows("SELECT id, uid FROM desktops"))[desktop], self.pid(desktop)
        self.inside(desktop, uid, "bash", "-c", "for f in ~/left /tmp/left /run/puesto/left /var/tmp/left; do echo %s >$f; done" % SECRET)
        self.assertEqual(self.inside(desktop, uid, "cat", "/home/user/left"), SECRET + "\n")
        self.pool.log_off(ana, ticket, grant)
        eventually(lambda: self.pid(desktop) not in (0, first), 60)
        self.pool.ready(2)
        left = subprocess.run(["grep", "-rqs", SECRET, self.pool.dir + "/lxc", self.dir + "/golden/desk/rootfs/home"], check=False)
        self.assertEqual(left.returncode, 1, "the user's words are on the disk")

    def an_end_is_noticed(self):
        desktop, _ = self.pool.ready(2)[0]
        first = self.pid(desktop)
        os.kill(first, signal.SIGKILL)
        eventually(lambda: self.pid(desktop) not in (0, first), 60)
        self.pool.ready(2)


def main():
    if os.environ.get("SANITIZED"):
        print("SKIP: the sanitizer's runtime is not in the image, and a desktop's limits leave its shadow no room")
        return 77
    lacking = [p for p in ("Xvfb", "openbox", "nsenter") if not shutil.which(p)] + [p for p in [UNIT] + LIBEXEC if not os.path.exists(p)]
    if os.geteuid() != 0 or lacking:
        print("SKIP: desktops in LXC need root and %s: apt-get install lxc-dev before ../configure" % " ".join(lacking or ["liblxc"]))
        return 77
    return 0 if unittest.main(verbosity=2, exit=False, warnings="ignore").result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
