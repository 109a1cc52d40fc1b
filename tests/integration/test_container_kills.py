#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of the provisioner at every call to a real Podman: the n-th call is done and its answer lost, then the provisioner dies and comes
back, and the same command is given again. Afterwards there is one container, it runs, and nothing is left of the first try.

Run alone: top_builddir=build python3 tests/integration/test_container_kills.py"""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import uuid

tempfile.tempdir = "/var/tmp"  # an overlay's upper layer cannot lie on another overlay

import root_tree
from engine_harness import Podman, Proxy, missing, terminate
from test_containers import IMAGE, LIBEXEC
from test_local import PROVISIONER, Broker

CALLS_MAX = 40  # of one command; it takes about a dozen


class Kills(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="puesto-engine-kills-")
        os.chmod(self.dir, 0o755)
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.engine = Podman(self.dir + "/engine")
        self.addCleanup(self.engine.close)
        self.engine.start()
        root_tree.write(self.dir + "/tree.tar", LIBEXEC)
        self.engine.image_import(self.dir + "/tree.tar", IMAGE)
        self.proxy = Proxy(self.engine, self.dir + "/proxy.sock")
        self.addCleanup(self.proxy.close)
        for name in ("data", "data/run", "data/run/agents", "libexec"):
            os.mkdir(os.path.join(self.dir, name))
        for program in LIBEXEC:
            shutil.copy(program, self.dir + "/libexec")
        self.broker = Broker(self.dir + "/data/run/provisioner.sock")
        self.conf = self.dir + "/provisioner.conf"
        with open(self.conf, "w") as f:
            f.write("[provisioner]\ndata = %s/data\nlibexec = %s/libexec\n" % (self.dir, self.dir))
            f.write("[provider-boxes]\nkind = container\nengine = %s\npoll_s = 60\ndeadline_s = 20\n" % self.proxy.path)
        self.log = open(self.dir + "/provisioner.log", "ab")
        self.addCleanup(self.log.close)
        self.process = None
        self.addCleanup(lambda: terminate(self.process))

    def provisioner_start(self):
        self.process = subprocess.Popen([PROVISIONER, "--config", self.conf], stdout=self.log, stderr=self.log, start_new_session=True)
        return self.broker.accept()

    def told(self, message):
        reply = self.broker.call(**message)
        self.assertNotIn("error", reply, message)
        return reply

    def kill_at(self, n, message):
        """True when the command had an n-th call."""
        self.proxy.cut_after(n)
        call = self.broker.start(message)
        if not self.proxy.cut.wait(0 if n > CALLS_MAX else 3):
            self.proxy.mend()
            self.assertNotIn("error", self.broker.finish(call))
            return False
        self.process.kill()
        self.process.wait()
        self.proxy.mend()
        self.provisioner_start()
        return True

    def check(self, message, uid):
        """One container, of that task, running as that uid, and nothing beside it."""
        boxes = self.engine.containers()
        self.assertEqual([c["Names"] for c in boxes], [["/puesto-%s.%s" % (message["desktop"], message["task"])]])
        self.assertEqual(boxes[0]["State"], "running")
        self.assertEqual(boxes[0]["Labels"]["org.puesto.uid"], str(uid))
        self.assertEqual(os.listdir(self.dir + "/data/containers"), [message["desktop"]])
        self.assertEqual(os.stat("%s/data/containers/%s/run" % (self.dir, message["desktop"])).st_uid, uid)

    def create(self):
        spec = {"memory_mb": 256, "cpus": 1, "pids": 100, "network": "none", "max_width": 1280, "max_height": 800}
        return dict(op="create", task=str(uuid.uuid4()), desktop=str(uuid.uuid4()), provider="boxes", spec=spec, enrol_token="t", hostname="h",
                    image={"name": "demo", "version": "1", "base": "ref:" + IMAGE})

    def each_call(self, command):
        """command() gives the message; how many calls it takes."""
        for n in range(1, CALLS_MAX):
            message = command()
            more = self.kill_at(n, message)
            self.check(message, self.told(message)["uid"])
            if not more:
                return n - 1
        raise AssertionError("a command without an end")

    def test_nothing_is_lost_doubled_or_left_behind(self):
        self.provisioner_start()

        def create():
            for c in self.engine.containers():
                self.told(dict(op="destroy", task=str(uuid.uuid4()), desktop=c["Labels"]["org.puesto.desktop"]))
            return self.create()
        creates = self.each_call(create)
        desktop = self.engine.containers()[0]["Labels"]["org.puesto.desktop"]
        refreshes = self.each_call(lambda: dict(op="restart", task=str(uuid.uuid4()), desktop=desktop, refresh=True, enrol_token="u"))
        print("  killed at %d calls of creates and %d of refreshes" % (creates, refreshes))
        self.assertGreater(min(creates, refreshes), 6)
        self.told(dict(op="destroy", task=str(uuid.uuid4()), desktop=desktop))
        self.assertEqual(self.engine.containers(), [])
        self.assertEqual(os.listdir(self.dir + "/data/containers"), [])


def main():
    if os.environ.get("SANITIZED"):
        print("SKIP: the sanitizer's runtime is not in the image, and a desktop's limits leave its shadow no room")
        return 77
    if int(os.environ.get("PUESTO_TIER", "1")) < 2:
        print("SKIP: tier 2; see docs/testing.md")
        return 77
    lacking = missing(Podman) + [p for p in ("Xvfb", "openbox") if not shutil.which(p)]
    if os.geteuid() != 0 or lacking:
        print("SKIP: kills at every call need root and %s: apt-get install podman xvfb openbox" % " ".join(lacking or ["Podman"]))
        return 77
    return 0 if unittest.main(verbosity=2, exit=False, warnings="ignore").result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
