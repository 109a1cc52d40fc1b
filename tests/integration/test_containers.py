#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desktops in containers of a real Podman with storage of its own: the contract of all drivers, then the life of a pool with the
real broker, provisioner and agent, and what happens when the engine is killed or its answers are lost. Needs root, Podman and Xvfb.
Covers: broker/hypervisor/container/container.c broker/hypervisor/container/container_dirs.c
broker/hypervisor/container/container_find.c broker/hypervisor/container/container_make.c
broker/hypervisor/container/container_snapshot.c broker/hypervisor/container/container_watch.c
broker/hypervisor/desktop/contained.c

Run alone: top_builddir=build python3 tests/integration/test_containers.py"""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

tempfile.tempdir = "/var/tmp"  # an overlay's upper layer cannot lie on another overlay

import root_tree
from broker_harness import BUILD, SETUP, Broker, Link, eventually, log_in
from engine_harness import Podman, Proxy, missing, terminate

IMAGE = "localhost/puesto-test"
ENGINE = Podman
UNIT = BUILD + "/tests/unit/hypervisor/unit-hypervisor"
PROVISIONER = BUILD + "/broker/hypervisor/puesto-provisioner"
SECRET = "what-ana-has-written-7f3a"
LIBEXEC = (BUILD + "/broker/hypervisor/desktop/puesto-desktop", BUILD + "/puesto-agent")


XPROP = "XAUTHORITY=/run/puesto-x/Xauthority DISPLAY=:%d xprop -root _NET_SUPPORTING_WM_CHECK"


def desktop_of(container):
    return container["Labels"]["org.puesto.desktop"]


class World:
    """A broker with one pool, its provisioner, and an engine behind a proxy."""

    def __init__(self, engine):
        self.engine = engine
        setup = dict(SETUP, providers=[{"name": "boxes", "max_creates": 4}],
                     images=[{"name": "demo", "versions": [{"version": "1", "base": "ref:" + IMAGE}], "publish": "1"}],
                     pools=[dict(SETUP["pools"][0], provider="boxes", min=1, max=2, spec={"memory_mb": 256, "network": "none"})])
        self.broker = Broker(setup, "[limits]\nfree_failures_per_address = 10000\n")
        self.dir = self.broker.dir
        self.proxy = Proxy(engine, self.dir + "/proxy.sock")
        os.mkdir(self.dir + "/libexec")
        for program in LIBEXEC:
            shutil.copy(program, self.dir + "/libexec")
        self.conf = self.dir + "/provisioner.conf"
        with open(self.conf, "w") as f:
            f.write("[provisioner]\ndata = %s\nlibexec = %s/libexec\n[provider-boxes]\nkind = container\nengine = %s\npoll = 2s\ndeadline = 20s\n" % (
                self.dir, self.dir, self.proxy.path))
        self.log = open(self.dir + "/provisioner.log", "ab")
        self.provisioner = None
        self.provisioner_start()
        self.gate = Link(self.dir + "/run/gateway.sock")
        self.gate.call("hello", gateway="g", sessions=[], timeout=10)

    def provisioner_start(self):
        self.provisioner = subprocess.Popen([PROVISIONER, "--config", self.conf], stdout=self.log, stderr=self.log, start_new_session=True)

    def provisioner_kill(self):
        self.provisioner.kill()
        self.provisioner.wait()

    def rows(self, sql):
        db = sqlite3.connect("file:%s/db/puesto.db?mode=ro" % self.dir, uri=True)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def tell(self):
        for path in (self.dir + "/log", self.dir + "/provisioner.log"):
            with open(path, errors="replace") as f:
                print("--- %s\n%s" % (path, f.read()[-4000:]), file=sys.stderr)

    def close(self):
        self.gate.close()
        terminate(self.provisioner)
        self.log.close()
        self.proxy.close()
        try:
            self.engine.clean()
        finally:
            self.broker.close()


class Containers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="puesto-engine-")
        os.chmod(cls.dir, 0o755)
        cls.engine = ENGINE(cls.dir + "/engine")
        try:
            cls.engine.start()
            root_tree.write(cls.dir + "/tree.tar", LIBEXEC)
            cls.engine.image_import(cls.dir + "/tree.tar", IMAGE)
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.engine.close()
        shutil.rmtree(cls.dir, ignore_errors=True)

    def leave_nothing(self):
        self.assertEqual([c["Names"] for c in self.engine.containers()], [])
        self.assertEqual([i for i in self.engine.images() if IMAGE not in i], [])

    def test_the_contract_of_all_drivers(self):
        env = dict(os.environ, PUESTO_ENGINE=self.engine.socket, PUESTO_ENGINE_IMAGE="ref:" + IMAGE, top_builddir=BUILD)
        run = subprocess.run([UNIT, "--filter", "driver/container_keeps_the_contract"], env=env, capture_output=True, text=True, timeout=240,
                             check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("Passing: 1", run.stderr)
        self.leave_nothing()

    def test_a_pools_life(self):
        self.world = World(self.engine)
        self.addCleanup(self.world.close)
        try:
            self.life()
        except BaseException:
            self.world.tell()
            raise

    # The parts of a pool's life, in their order.

    def ready(self, n=1, but=None):
        """The container of a desktop that has enrolled, when there are n of them."""
        def look():
            rows = self.world.rows("SELECT id, uid FROM desktops WHERE lifecycle = 'live' AND agent = 'ready'")
            return rows if len(rows) == n and all(r[0] != but for r in rows) else None
        rows = eventually(look, 60)
        by_desktop = {desktop_of(c): c for c in self.engine.containers()}
        return [(by_desktop[desktop], uid) for desktop, uid in rows]

    def inside(self, container, *words):
        return self.engine.run(container["Id"], *words)

    def life(self):
        self.admin = log_in(self.world.gate, "admin")
        (box, uid), = self.ready()
        self.it_is_a_desktop_without_privileges(box, uid)
        self.an_engine_that_is_killed_takes_nothing_along(box)
        self.a_user_works_and_leaves_nothing()
        self.lost_answers_double_nothing()
        self.an_end_is_noticed()
        self.what_is_not_wanted_goes()

    def it_is_a_desktop_without_privileges(self, box, uid):
        path = "%s/containers/%s/run/display.sock" % (self.world.dir, desktop_of(box))
        self.assertEqual(os.stat(path).st_uid, uid, "the agent's socket on this host is the desktop's")
        self.assertEqual(self.inside(box, "id", "-un"), "user\n")
        self.assertEqual(self.inside(box, "cat", "/etc/machine-id").strip(), desktop_of(box).replace("-", ""))
        self.assertIn("window id", eventually(lambda: self.inside(box, "bash", "-c", XPROP % uid)))
        status = dict(line.split(":\t", 1) for line in self.inside(box, "cat", "/proc/1/status").splitlines() if ":\t" in line)
        self.assertEqual([status[k].strip() for k in ("NoNewPrivs", "Seccomp", "CapEff", "CapBnd", "Seccomp_filters")],
                         ["1", "2", "0" * 16, "0" * 16, "2"], "the engine's filter and ours, and no capability")
        inspected = self.engine.ask("GET", "/containers/%s/json" % box["Id"])[1]
        self.assertEqual([inspected["HostConfig"][k] for k in ("Memory", "PidsLimit", "NetworkMode")], [256 << 20, 512, "none"])
        self.assertNotIn("enrol_token", json.dumps(inspected))
        self.assertEqual(os.listdir("%s/containers/%s" % (self.world.dir, desktop_of(box))), ["run"])

    def an_engine_that_is_killed_takes_nothing_along(self, box):
        self.engine.kill()
        self.admin.want(200, "PATCH", "pools/demo", {"min": 2})
        eventually(lambda: self.world.rows("SELECT 1 FROM tasks WHERE state IN ('pending', 'sent')"))
        self.world.provisioner_kill()
        self.world.provisioner_start()
        self.assertEqual(len(self.world.rows("SELECT 1 FROM desktops WHERE agent = 'ready'")), 1, "a silent engine is no news of its desktops")
        self.engine.start()
        boxes = self.ready(2)
        self.assertIn(box["Id"], [b["Id"] for b, _ in boxes])
        self.assertEqual(len(self.engine.containers()), 2)
        self.assertEqual(len({uid for _, uid in boxes}), 2)

    def a_user_works_and_leaves_nothing(self):
        ana = log_in(self.world.gate, "ana")

        def connect():
            status, data, _ = ana.call("POST", "me/pools/demo/connect", {"protocol": "web"})
            return data if status == 200 else None
        ticket = eventually(connect, 30)
        grant = self.world.gate.call("redeem", ticket=ticket["ticket"], protocol="ws", remote="10.0.0.5")
        self.assertEqual(grant["endpoint"]["kind"], "unix")
        self.world.gate.send({"op": "session", "session": grant["session"], "event": "started"})
        desktop = ticket["desktop"]["id"]
        box = [c for c in self.engine.containers() if desktop_of(c) == desktop][0]
        self.inside(box, "bash", "-c", "for f in ~/left /tmp/left /run/puesto/left /var/tmp/left; do echo %s >$f; done" % SECRET)
        self.assertEqual(self.inside(box, "cat", "/home/user/left"), SECRET + "\n")
        ana.call("POST", "me/desktops/%s/logoff" % desktop)
        self.world.gate.send({"op": "session", "session": grant["session"], "event": "ended", "reason": "log-off"})
        eventually(lambda: box["Id"] not in [c["Id"] for c in self.engine.containers()], 60)
        boxes = [b for b, _ in self.ready(2)]
        fresh = [b for b in boxes if desktop_of(b) == desktop]
        self.assertEqual(len(fresh), 1, "it is the same desktop")
        self.assertEqual(self.inside(fresh[0], "bash", "-c", "cat ~/left /tmp/left /run/puesto/left /var/tmp/left 2>/dev/null"), "")
        left = subprocess.run(["grep", "-rqs", SECRET, self.engine.storage], check=False)
        self.assertEqual(left.returncode, 1, "the user's words are on the engine's disk")

    def lost_answers_double_nothing(self):
        def lose(head):
            return b"POST /v1.41/containers/create" in head and self.world.proxy.lost < 1
        self.world.proxy.lose = lose
        self.admin.want(200, "PATCH", "pools/demo", {"min": 3, "max": 3})
        self.ready(3)
        self.world.proxy.lose = lambda head: False
        self.assertEqual(self.world.proxy.lost, 1)
        self.assertEqual(len(self.engine.containers()), 3)

    def process(self, box):
        return self.engine.ask("GET", "/containers/%s/json" % box["Id"])[1]["State"]["Pid"]

    def an_end_is_noticed(self):
        box, _ = self.ready(3)[0]
        first, began = self.process(box), time.monotonic()
        os.kill(first, signal.SIGKILL)
        eventually(lambda: self.process(box) not in (0, first), 60)
        self.ready(3)
        print("  a killed desktop ran again after %.1f s" % (time.monotonic() - began))
        if time.monotonic() - began > 10:
            self.world.tell()  # slow even for a busy machine: somebody may want to know why
        with open(self.world.dir + "/provisioner.log") as f:
            self.assertIn("the desktop ended or was killed (status 137)", f.read())

    def what_is_not_wanted_goes(self):
        body = {"Image": IMAGE, "Cmd": ["/bin/sleep", "9"], "HostConfig": {"NetworkMode": "none"}}
        foreign = self.engine.ask("POST", "/containers/create?name=somebody-elses", body)
        self.assertEqual(foreign[0], 201, foreign)
        self.admin.want(200, "PATCH", "pools/demo", {"min": 0, "max": 0})
        for d in self.admin.get("desktops")["items"]:
            self.admin.call("DELETE", "desktops/%s" % d["id"])
        eventually(lambda: [c["Names"] for c in self.engine.containers()] == [["/somebody-elses"]], 60)
        eventually(lambda: os.listdir(self.world.dir + "/containers") == [])
        self.engine.ask("DELETE", "/containers/somebody-elses")
        self.leave_nothing()


def main(module="__main__"):
    if os.environ.get("SANITIZED"):
        print("SKIP: the sanitizer's runtime is not in the image, and a desktop's limits leave its shadow no room")
        return 77
    lacking = missing(ENGINE) + [p for p in ("Xvfb", "openbox") if not shutil.which(p)]
    if os.geteuid() != 0 or lacking or not os.path.exists(UNIT):
        print("SKIP: desktops in containers need root, Criterion and %s: apt-get install podman, or docker.io" % " ".join(lacking or ["an engine"]))
        return 77
    return 0 if unittest.main(module, verbosity=2, exit=False, warnings="ignore").result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
