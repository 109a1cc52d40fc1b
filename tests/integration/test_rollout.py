#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Versions of an image on real desktops of the local provider: the second goes to canaries and then everywhere, while somebody works and
the broker is killed in the middle; the third, whose X server does not start, and the fourth, whose own check fails, get no further than
their trial. Needs root, Xvfb and openbox.

Run alone: top_builddir=build python3 tests/integration/test_rollout.py"""
import os
import shutil
import sys
import threading
import unittest

from broker_harness import PASSWORDS, Session, eventually
from test_kills import Asker, Person, World


class Rollout(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        for version in ("2", "3", "4"):
            shutil.copytree(self.world.image + "/1", "%s/%s" % (self.world.image, version), symlinks=True)
        self.script("3/layer/usr/bin/Xvfb", "exit 1")
        self.script("2/layer/etc/puesto/health", "echo all is well")
        self.script("4/layer/etc/puesto/health", "echo no licence server; exit 1")
        session = Session(Asker(self.world))
        _, data, headers = session.call("POST", "sessions", {"user": "admin", "password": PASSWORDS["admin"]})
        self.admin = Session(Asker(self.world), {"cookie": headers["set-cookie"][0].split(";")[0], "x-csrf-token": data["csrf"]})

    def script(self, path, body):
        path = self.world.image + "/" + path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write("#!/bin/sh\n%s\n" % body)
        os.chmod(path, 0o755)

    def rollout(self):
        return self.admin.get("images/demo")["rollout"]

    def phase(self, want, seconds=60):
        try:
            eventually(lambda: self.rollout()["phase"] == want, seconds)
        except AssertionError:
            self.fail("%s is not reached: %s" % (want, self.rollout()))

    def versions(self):
        return sorted(d["image_version"] for d in self.admin.get("desktops")["items"] if d["state"] != "deleting")

    def add(self, version):
        self.admin.want(201, "POST", "images/demo/versions", {"version": version, "path": "%s/%s" % (self.world.image, version)})

    def test_a_version_spreads_and_a_broken_one_does_not(self):
        try:
            self.run_and_check()
        except BaseException:
            self.world.tell()
            raise

    def run_and_check(self):
        admin = self.admin
        admin.want(200, "PATCH", "pools/demo", {"min": 2, "max": 4, "spare": 1})
        eventually(lambda: admin.get("pools/demo")["counts"]["ready"] == 2, 120)
        ana = Person(self.world, "ana", threading.Event())
        ana.log_in()
        hers = ana.connect(30)["desktop"]["id"]
        eventually(lambda: admin.get("pools/demo")["counts"]["ready"] == 1, 60)
        self.add("2")
        admin.want(200, "POST", "images/demo/publish", {"version": "2", "canary": 30, "slower_percent": 0})
        self.phase("canary")
        # The desktop that was tried is gone, and the pool has a canary.
        eventually(lambda: "2" in self.versions() and self.rollout()["progress"]["updated"] == 1, 60)
        self.assertTrue([v for v in admin.get("images/demo")["versions"] if v["version"] == "2"][0]["verified"])
        self.world.broker.kill()
        self.world.broker.start()
        self.assertEqual((self.rollout()["phase"], admin.get("images/demo")["published"]), ("canary", "1"))
        admin.want(200, "POST", "images/demo/rollout/continue", {})
        eventually(lambda: self.rollout()["progress"]["in_use"] == 1 and self.rollout()["progress"]["free"] == 0, 60)
        self.phase("rolling")
        self.assertEqual(admin.get("desktops/" + hers)["image_version"], "1")
        self.assertEqual(admin.get("desktops/" + hers)["user"]["name"], "ana")
        ana.call("POST", "me/desktops/%s/logoff" % hers)
        self.phase("done")
        eventually(lambda: set(self.versions()) == {"2"} and admin.get("pools/demo")["counts"]["ready"] == 2, 60)
        self.assertEqual(admin.get("images/demo")["published"], "2")
        self.assertGreater(self.rollout()["create_ms"]["version"], 0)
        self.broken("3", "The machine stopped")
        self.broken("4", "the image's own check failed: no licence server")
        # The first version is nobody's any more.
        admin.want(200, "POST", "images/demo/versions/1/retire", {})
        eventually(lambda: admin.call("DELETE", "images/demo/versions/1")[0] == 204)

    def broken(self, version, why):
        admin = self.admin
        self.add(version)
        admin.want(200, "POST", "images/demo/publish", {"version": version})
        eventually(lambda: self.rollout()["version"] == version and self.rollout()["phase"] == "failed", 150)
        reason = self.rollout()["reason"]
        self.assertIn("did not work", reason["en"])
        self.assertIn(why, reason["en"])
        self.assertIn("no funciona", reason["es"])
        image = admin.get("images/demo")
        self.assertEqual((image["published"], [v["state"] for v in image["versions"] if v["version"] == version]), ("2", ["failed"]))
        eventually(lambda: self.versions() == ["2", "2"] and len(os.listdir(self.world.dir + "/desktops")) == 2, 60)
        self.assertEqual(admin.get("pools/demo")["counts"]["ready"], 2)


def main():
    if os.environ.get("SANITIZED"):
        print("SKIP: a desktop's address limit leaves the sanitizer's shadow no room")
        return 77
    if os.geteuid() != 0 or not shutil.which("Xvfb") or not shutil.which("openbox"):
        print("SKIP: roll-outs need root, Xvfb and openbox: apt-get install xvfb openbox")
        return 77
    return 0 if unittest.main(verbosity=1, exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
