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
import subprocess
import sys
import tempfile
import time
import unittest

tempfile.tempdir = "/var/tmp"  # an overlay's upper layer cannot lie on another overlay

import root_tree
from broker_harness import BUILD, eventually, log_in
from engine_harness import Podman, Proxy, missing
from pool_harness import Pool

IMAGE = "localhost/puesto-test"
ENGINE = Podman
UNIT = BUILD + "/tests/unit/hypervisor/unit-hypervisor"
SECRET = "what-ana-has-written-7f3a"
LIBEXEC = (BUILD + "/broker/hypervisor/desktop/puesto-desktop", BUILD + "/puesto-agent")


XPROP = "XAUTHORITY=/run/puesto-x/Xauthority DISPLAY=:%d xprop -root _NET_SUPPORTING_WM_CHECK"


def desktop_of(container):
    return container["Labels"]["org.puesto.desktop"]


class World(Pool):
    """A pool in an engine's containers, with a proxy between them."""

    def __init__(self, engine):
        self.engine = engine
        super().__init__("ref:" + IMAGE, LIBEXEC)
        self.proxy = Proxy(engine, self.dir + "/proxy.sock")
        self.serve("kind = container\nengine = %s\npoll_s = 2\ndeadline_s = 20\n" % self.proxy.path)

    def close(self):
        self.end()
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

    def ready(self, n=1):
        """The containers of desktops that have enrolled, when there are n of them."""
        rows = self.world.ready(n)
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
        ana, ticket, grant = self.world.connect("ana")
        desktop = ticket["desktop"]["id"]
        box = [c for c in self.engine.containers() if desktop_of(c) == desktop][0]
        self.inside(box, "bash", "-c", "for f in ~/left /tmp/left /run/puesto/left /var/tmp/left; do echo %s >$f; done" % SECRET)
        self.assertEqual(self.inside(box, "cat", "/home/user/left"), SECRET + "\n")
        self.world.log_off(ana, ticket, grant)
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
        self.world.empty(self.admin)
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
        print("SKIP: desktops in containers need root, Criterion and an engine: %s" % (", ".join(lacking) or "not all of it is here"))
        return 77
    return 0 if unittest.main(module, verbosity=2, exit=False, warnings="ignore").result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
