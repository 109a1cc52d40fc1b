#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop in a container of a real Podman, changed by an administrator and worked in by somebody, becomes a version on a datastore without
what was its own, and the next desktop stands on that. Needs what test_containers.py needs, and libarchive-dev at the build.
Covers: broker/hypervisor/oci/unpacked.c

Run alone: top_builddir=build python3 tests/integration/test_container_capture.py"""
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

tempfile.tempdir = "/var/tmp"  # an overlay's upper layer cannot lie on another overlay

import root_tree
import test_containers
from broker_harness import BUILD, eventually, log_in
from engine_harness import Podman
from pool_harness import Pool
from test_containers import IMAGE, LIBEXEC, desktop_of

UNPACK = BUILD + "/broker/hypervisor/oci/puesto-unpack"
SECRET, LONG = "what-ana-has-written-7f3a", "usr/share/" + "/".join(["a-rather-long-name"] * 8)
CHANGE = """set -e
mkdir -p usr/share/tool %(long)s etc/ssh var/lib/puesto/agent home/user
echo 'the tool' >usr/share/tool/file; chmod 4755 usr/share/tool/file; ln -s file usr/share/tool/link; ln usr/share/tool/file usr/share/tool/twin
echo 'far below' >%(long)s/file
for f in home/user/letter tmp/letter var/tmp/letter etc/ssh/ssh_host_rsa_key var/lib/puesto/agent/tls.key; do echo %(secret)s >$f; done
ln home/user/letter usr/share/letter; rm etc/skel/.profile
"""


class Capture(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="puesto-capture-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.engine = Podman(self.dir + "/engine")
        self.addCleanup(self.engine.close)
        self.engine.start()
        root_tree.write(self.dir + "/tree.tar", LIBEXEC)
        self.engine.image_import(self.dir + "/tree.tar", IMAGE)
        self.world = Pool("ref:" + IMAGE, (*LIBEXEC, UNPACK))
        self.addCleanup(self.close)
        os.mkdir(self.dir + "/fast")
        self.world.serve("kind = container\nengine = %s\npoll_s = 2\ndeadline_s = 60\n[datastore-fast]\npath = %s/fast\nkeep_free_mb = 4\nwarning = 97\ncritical = 99\n"
                         % (self.engine.socket, self.dir))
        self.admin = log_in(self.world.gate, "admin")

    def close(self):
        self.world.end()
        try:
            self.engine.clean()
        finally:
            self.world.broker.close()

    def inspect(self, desktop):
        (box,) = [c for c in self.engine.containers() if desktop_of(c) == desktop]
        return self.engine.ask("GET", "/containers/%s/json" % box["Id"])[1]

    def as_root(self, desktop, script):
        """This machine's shell in the container's files."""
        root = "/proc/%d/root" % self.inspect(desktop)["State"]["Pid"]
        return subprocess.run(["sh", "-c", script], check=True, capture_output=True, text=True, cwd=root, timeout=60).stdout

    def version(self, name):
        return [v for v in self.admin.get("images/demo")["versions"] if v["version"] == name][0]

    def captured(self, desktop):
        wish = {"version": "2", "capture": {"datastore": "fast", "desktop": desktop}}
        status, answer, _ = self.admin.call("POST", "images/demo/versions", wish)
        self.assertEqual(status, 409, "it runs: %s" % answer)
        self.admin.call("POST", "desktops/%s/power" % desktop, {"power": "stop"})
        eventually(lambda: not self.inspect(desktop)["State"]["Running"], 60)
        eventually(lambda: self.admin.call("POST", "images/demo/versions", wish)[0] == 201, 60)
        eventually(lambda: self.version("2")["state"] in ("ready", "failed"), 120)
        v = self.version("2")
        self.assertEqual(v["state"], "ready", v)
        return v

    def test_a_changed_container_becomes_a_version(self):
        try:
            self.life()
        except BaseException:
            self.world.tell()
            raise

    def life(self):
        (desktop, uid), = self.world.ready(1)
        self.as_root(desktop, CHANGE % {"long": LONG, "secret": SECRET})
        v = self.captured(desktop)
        self.it_has_what_was_put_there_and_nothing_of_its_own(v["base"], uid)
        self.the_archive_is_the_same(v["path"] + "/image.tar")
        self.assertEqual([n for n in os.listdir(self.dir + "/fast/images") if n != "demo"], [], "nothing is left on the way")
        self.admin.want(200, "POST", "images/demo/publish", {"version": "2"})
        fresh = eventually(self.fresh, 120)
        self.assertEqual(self.as_root(fresh, "cat usr/share/tool/link %s/file etc/machine-id" % LONG).split(),
                         ["the", "tool", "far", "below", fresh.replace("-", "")])
        self.assertEqual(self.as_root(fresh, "grep -c '^user:' etc/passwd"), "1\n")
        self.assertNotIn(SECRET, self.as_root(fresh, "cat home/*/letter tmp/letter var/tmp/letter etc/ssh/* usr/share/letter 2>/dev/null || true"))

    def fresh(self):
        """A desktop of the new version that has enrolled."""
        ready = {d for d, _ in self.world.rows("SELECT id, uid FROM desktops WHERE lifecycle = 'live' AND agent = 'ready'")}
        return next((desktop_of(c) for c in self.engine.containers() if c["Labels"]["org.puesto.image"] == "demo:2" and desktop_of(c) in ready), None)

    def it_has_what_was_put_there_and_nothing_of_its_own(self, tree, uid):
        st = os.stat(tree + "/usr/share/tool/file")
        self.assertEqual((st.st_mode & 0o7777, st.st_uid, st.st_nlink), (0o4755, 0, 2))
        self.assertEqual(os.readlink(tree + "/usr/share/tool/link"), "file")
        with open("%s/%s/file" % (tree, LONG)) as f:
            self.assertEqual(f.read(), "far below\n")
        for gone in ("etc/skel/.profile", "etc/machine-id", "etc/hostname", "home/user", "tmp/letter", "usr/share/letter"):
            self.assertFalse(os.path.lexists(tree + "/" + gone), gone)
        for kept in ("home", "tmp", "var/tmp", "run", "proc", "dev"):
            self.assertEqual(os.listdir(tree + "/" + kept), [], kept)
        self.assertEqual(subprocess.run(["grep", "-rqs", SECRET, tree], check=False).returncode, 1)

    def the_archive_is_the_same(self, path):
        self.assertEqual(subprocess.run(["grep", "-qs", SECRET, path], check=False).returncode, 1)
        with tarfile.open(path) as outer:
            self.assertEqual(len([n for n in outer.getnames() if n.endswith(".tar")]), 1)
            with tarfile.open(fileobj=outer.extractfile("00.tar")) as layer:
                names = layer.getnames()
        self.assertIn(LONG + "/file", names)
        self.assertEqual(len(names), len(set(names)))


if __name__ == "__main__":
    if not os.path.exists(UNPACK):
        print("SKIP: puesto-unpack was not built: apt-get install libarchive-dev")
        sys.exit(77)
    sys.exit(test_containers.main("__main__"))
