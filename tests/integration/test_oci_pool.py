#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""An OCI archive becomes a version by the API, and desktops of Podman, LXC and the local provider come from it; with the real broker,
provisioner, engine and agents; of tier 2, because the archive is deploy/image-builder's. Needs root, Podman, Xvfb and libarchive-dev at the build.
Covers: broker/hypervisor/container/container_image.c broker/hypervisor/disk/version_oci.c

Run alone: top_builddir=build python3 tests/integration/test_oci_pool.py"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

tempfile.tempdir = "/var/tmp"  # an overlay's upper layer cannot lie on another overlay

from broker_harness import BUILD, SETUP, Broker, Link, eventually, log_in
from engine_harness import Podman, missing, terminate
from oci_archive import file, saved, tar_of

SOURCE = os.path.abspath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "../..")))
TIER = int(os.environ.get("PUESTO_TIER", "1"))
PROVISIONER, UNPACK = BUILD + "/broker/hypervisor/puesto-provisioner", BUILD + "/broker/hypervisor/oci/puesto-unpack"
LIBEXEC = [BUILD + p for p in ("/broker/hypervisor/desktop/puesto-desktop", "/broker/hypervisor/lxc/puesto-lxc", "/broker/hypervisor/oci/puesto-unpack", "/puesto-agent")]
PROVIDERS = {"boxes": "kind = container\nengine = %(engine)s\npoll_s = 2\n", "cells": "kind = lxc\n", "rooms": "kind = local\n"}
SLOW = 180


def told(test):
    """What fails tells what the programs said."""
    def run(self):
        try:
            test(self)
        except BaseException:
            self.tell()
            raise
    return run


class Archives(unittest.TestCase):
    def setUp(self):
        self.engine = self.process = self.gate = None
        setup = dict(SETUP, entitlements=[], providers=[{"name": p} for p in PROVIDERS],
                     pools=[dict(SETUP["pools"][0], name=p, provider=p, min=0, max=2, spec={"memory_mb": 256, "network": "none"}) for p in PROVIDERS])
        self.broker = Broker(setup, "[limits]\nfree_failures_per_address = 10000\n")
        self.dir = self.broker.dir
        self.addCleanup(self.close)
        self.engine = Podman(self.dir + "/engine")
        self.engine.start()
        self.store = self.dir + "/fast"
        os.mkdir(self.store)
        os.mkdir(self.dir + "/libexec")
        for program in filter(os.path.exists, LIBEXEC):
            shutil.copy(program, self.dir + "/libexec")
        self.log, self.conf = open(self.dir + "/provisioner.log", "ab"), self.dir + "/provisioner.conf"
        with open(self.conf, "w") as f:
            f.write("[provisioner]\ndata = %s\nlibexec = %s/libexec\n[datastore-fast]\npath = %s\nkeep_free_mb = 4\nwarning = 97\ncritical = 99\n" % (self.dir, self.dir, self.store))
            for name, text in PROVIDERS.items():
                f.write("[provider-%s]\n%s" % (name, text % {"engine": self.engine.socket}))
        self.process = subprocess.Popen([PROVISIONER, "--config", self.conf], stdout=self.log, stderr=self.log)
        self.gate = Link(self.dir + "/run/gateway.sock")
        self.gate.call("hello", gateway="g", sessions=[], timeout=10)
        self.admin = log_in(self.gate, "admin")
        eventually(lambda: self.admin.call("GET", "datastores/fast")[0] == 200, 20)

    def close(self):
        if self.gate:
            self.gate.close()
        terminate(self.process)
        for path in glob.glob(self.dir + "/lxc/*"):
            subprocess.run([self.dir + "/libexec/puesto-lxc", "stop", path], check=False)
        for pid in self.local_pids():
            subprocess.run(["kill", "-KILL", str(pid)], check=False)
        if self.engine:
            self.engine.close()
        self.broker.close()

    def local_pids(self):
        for path in glob.glob(self.dir + "/desktops/*/pid"):
            with open(path) as f:
                yield json.load(f)["pid"]

    def tell(self):
        for path in (self.dir + "/log", self.dir + "/provisioner.log"):
            with open(path, errors="replace") as f:
                print("--- %s\n%s" % (path, f.read()[-3000:]), file=sys.stderr)

    def version(self, name):
        return [v for v in self.admin.get("images/demo")["versions"] if v["version"] == name][0]

    def imported(self, version, name, **more):
        self.admin.want(201, "POST", "images/demo/versions", {"version": version, "import": dict(more, datastore="fast", file=name)})
        eventually(lambda: self.version(version)["state"] in ("ready", "failed"), SLOW)
        v = self.version(version)
        self.assertEqual(v["state"], "ready", v)
        return v

    def archive(self):
        """incoming/desk.tar, as the image builder makes it."""
        subprocess.run([SOURCE + "/deploy/image-builder", "--kind", "oci", "--from", "host", "--minimal", "--output", self.dir + "/image"], check=True,
                       env=dict(os.environ, PUESTO_BUILD=BUILD), stdout=subprocess.DEVNULL, timeout=400)
        shutil.move(self.dir + "/image/image.tar", self.store + "/incoming/desk.tar")

    def ready(self, pool):
        found = [d for d in self.admin.get("desktops?pool=%s" % pool)["items"] if d["state"] == "ready"]
        return found[0] if found else None

    @unittest.skipIf(TIER < 2, "tier 2; see docs/testing.md")
    @told
    def test_one_archive_is_the_image_of_all_three(self):
        self.archive()
        v = self.imported("7", "desk.tar")
        self.assertEqual((v["base"], v["path"]), (self.store + "/images/demo/7/tree", self.store + "/images/demo/7"))
        self.assertEqual(os.stat(v["path"]).st_mode & 0o777, 0o700, "set-uid programs of a stranger are for nobody on this host")
        with open(v["path"] + "/manifest.json") as f:
            manifest = json.load(f)
        self.admin.want(200, "POST", "images/demo/publish", {"version": "7"})
        pools = [p for p in PROVIDERS if p != "cells" or os.path.exists(self.dir + "/libexec/puesto-lxc")]
        for pool in pools:
            self.admin.want(200, "PATCH", "pools/" + pool, {"min": 1})
        for pool in pools:
            eventually(lambda p=pool: self.ready(p), SLOW)
        box, = self.engine.containers()
        self.assertEqual(box["Labels"]["org.puesto.image"], "demo:7")
        self.assertEqual(box["ImageID"].split(":")[-1], manifest["id"], "what runs is named by its digest")
        self.assertEqual([i for i in self.engine.images() if "puesto-image" in i], ["localhost/puesto-image:" + manifest["id"]])
        self.an_image_that_the_engine_has_lost_comes_back(box, manifest)
        self.assertEqual(self.admin.call("DELETE", "images/demo/versions/7")[0], 409, "what is used stays")

    def an_image_that_the_engine_has_lost_comes_back(self, box, manifest):
        """Somebody has cleared up: the version still has it."""
        self.admin.want(200, "PATCH", "pools/boxes", {"min": 0, "max": 0})
        for d in self.admin.get("desktops?pool=boxes")["items"]:
            self.admin.call("DELETE", "desktops/" + d["id"])
        eventually(lambda: not self.engine.containers(), 60)
        status, _ = self.engine.ask("DELETE", "/images/%s?force=1" % manifest["id"])
        self.assertEqual((status, [i for i in self.engine.images() if "puesto-image" in i]), (200, []))
        self.admin.want(200, "PATCH", "pools/boxes", {"min": 1, "max": 2})
        eventually(lambda: self.ready("boxes"), SLOW)

    @told
    def test_what_docker_save_writes_and_what_a_kill_leaves(self):
        target = self.store + "/incoming/saved.tar"
        ident = saved(target, tar_of([file("a", "a" * (1 << 20), uid=5, mode=0o4755)]), tar_of([file(".wh.a"), file("b", "b")]))
        v = self.imported("s", "saved.tar", format="oci")
        with open(v["path"] + "/manifest.json") as f:
            self.assertEqual(json.load(f)["id"], ident)
        self.assertEqual(os.listdir(v["base"]), ["b"])
        # A folder that a killed provisioner was filling goes at the next start.
        os.makedirs(self.store + "/images/.oci.0123456789ab.tmp/tree/x")
        self.process.kill()
        self.process.wait()
        self.process = subprocess.Popen([PROVISIONER, "--config", self.conf], stdout=self.log, stderr=self.log)
        eventually(lambda: os.listdir(self.store + "/images") == ["demo"] and self.admin.get("status")["provisioner"]["connected"], 30)
        # Names in a tree are a stranger's: they are no disks of the datastore.
        census = self.admin.get("datastores/fast")
        shutil.copy(target, v["base"] + "/fake.qcow2")
        self.admin.want(200, "PATCH", "datastores/fast", {})
        self.assertEqual(self.admin.get("datastores/fast")["disks"], census["disks"])
        self.admin.want(202, "DELETE", "images/demo/versions/s")
        eventually(lambda: not os.path.exists(v["path"]), 60)
        bin_, = eventually(lambda: self.admin.call("GET", "recycled")[1].get("items"), 60)
        self.admin.call("DELETE", "recycled/fast/%s" % bin_["token"])
        eventually(lambda: not os.listdir(self.store + "/recycle"), 60)


if __name__ == "__main__":
    lacking = missing(Podman) + [p for p in ("Xvfb", "openbox") if not shutil.which(p)]
    if os.geteuid() != 0 or lacking or os.environ.get("SANITIZED") or not os.path.exists(UNPACK):
        print("SKIP: needs root, %s, and libarchive-dev when it was built; not with sanitizers" % " ".join(lacking or ["Podman"]))
        sys.exit(77)
    unittest.main(verbosity=2, warnings="ignore")
