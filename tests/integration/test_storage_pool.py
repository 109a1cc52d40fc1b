#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an imported disk to a pool's desktop on a datastore, with a real libvirtd and QEMU: where its disk lies, what a full
datastore says to whoever waits, and what keeps a version. Of the second tier; needs root.

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_storage_pool.py"""
import json
import os
import subprocess
import sys

import libvirt_host
import test_storage
from broker_harness import eventually, log_in

MIB = 1 << 20


class World(test_storage.World):
    def __init__(self):
        super().__init__(pools=[], entitlements=[])
        self.network = libvirt_host.Network()
        self.host = libvirt_host.Host(self.dir, "one", self.network)
        self.host.start()
        with open(self.conf) as f:
            text = f.read().replace("kind = fake\n", "kind = libvirt\nuri = %s\ndatastores = fast\nnetwork = none\naccel = tcg\ndeadline_s = 60\n"
                                    "addresses = 10.9.0.10-10.9.0.60\n" % self.host.uri)
        with open(self.conf, "w") as f:
            f.write(text.replace("path = %s\n" % self.stores["fast"], "path = %s\npools = demo, late\n" % self.stores["fast"]))

    def end(self):
        self.host.end()
        self.network.end()
        super().end()


def connect(world, user, pool):
    """What the user is told."""
    return log_in(world.gate, user).call("POST", "me/pools/%s/connect" % pool, {"protocol": "web"})[1]


def pool_add(world, name, version):
    world.admin.want(201, "POST", "pools", {"name": name, "provider": "boxes", "image": "demo", "image_version": version, "min": 0, "max": 1})


def run(world):
    world.upload("small.img", 4)
    version = world.make("import", datastore="fast", file="small.img", format="raw")
    assert version["state"] == "ready", version
    # The pools name the version, so that nobody is given one of version "1", of which no machine can be made, before a roll-out is over.
    for name in "demo", "other", "late":
        pool_add(world, name, version["version"])
    world.admin.want(201, "POST", "entitlements", {"pool": "demo", "user": "ana"})
    world.admin.want(201, "POST", "entitlements", {"pool": "late", "user": "eva"})
    eventually(lambda: world.admin.get("providers/boxes")["healthy"], 60)

    # A user comes: the disk is an overlay on the version's datastore.
    connect(world, "ana", "demo")
    eventually(lambda: world.host.domains(), 60)
    (desktop,) = eventually(lambda: world.admin.get("desktops")["items"], 60)
    eventually(lambda: world.admin.get("desktops/" + desktop["id"])["power"] == "on", 60)
    (disk,) = [os.path.join(d, f) for d, _, files in os.walk(world.path("fast", "desktops")) for f in files if f == "disk.qcow2"]
    info = json.loads(subprocess.run(["qemu-img", "info", "-U", "--output=json", disk], capture_output=True, check=True).stdout)
    assert desktop["id"] in disk and info["full-backing-filename"] == version["base"], info
    print("PASS a desktop stands on the imported version", flush=True)

    # What stands on the version keeps it.
    status, problem, _ = world.admin.call("DELETE", "images/demo/versions/" + version["version"])
    assert status == 409 and "pools: demo" in problem["detail"] and desktop["name"] in problem["detail"], problem
    # A running desktop is no source of a version.
    status, problem, _ = world.admin.call("POST", "images/demo/versions", {"version": "c", "capture": {"datastore": "fast", "desktop": desktop["name"]}})
    assert status == 409 and "stop the desktop" in problem["detail"] and "detenga" in problem["detail_es"], problem
    world.admin.want(202, "POST", "desktops/%s/power" % desktop["id"], {"power": "stop"})
    eventually(lambda: world.admin.get("desktops/" + desktop["id"])["power"] == "off", 90)
    captured = world.make("capture", datastore="fast", desktop=desktop["name"])
    assert captured["state"] == "ready" and test_storage.digest_of(captured) == test_storage.digest_of(version), captured
    print("PASS a stopped desktop is captured", flush=True)

    # The datastore fills up: pool and user are told in words, in both languages.
    filler = world.path("fast", "filler")
    with open(filler, "wb") as f:
        f.write(bytes(215 * MIB))
    eventually(lambda: world.look("fast") == "full", 30)
    eventually(lambda: not world.admin.get("providers/boxes")["healthy"], 60)
    told = connect(world, "eva", "late")["reason"]
    assert "fast is full (8" in told["en"] and "fast está lleno (8" in told["es"], told
    reason = world.admin.get("pools/late")["reason"]
    assert "no datastore takes new disks: fast is full" in reason["en"] and "ningún almacén admite discos nuevos" in reason["es"], reason
    os.unlink(filler)
    eventually(lambda: world.look("fast") == "ready" and world.admin.get("providers/boxes")["healthy"], 60)
    print("PASS a full datastore is told to whoever waits", flush=True)

    # The other pool has no right to it, and hears so.
    world.admin.want(200, "PATCH", "pools/other", {"min": 1})
    eventually(lambda: any("fast is not for this pool" in json.dumps(d["reason"]) for d in world.admin.get("desktops?pool=other")["items"]) or
               "fast is not for this pool" in json.dumps(world.admin.get("pools/other")["reason"]), 60)
    print("PASS a datastore is for its pools only", flush=True)


def main():
    if int(os.environ.get("PUESTO_TIER", "1")) < 2:
        print("SKIP: of tier 2")
        return 77
    why = libvirt_host.missing() or ("" if os.geteuid() == 0 else "it needs root")
    if why:
        print("SKIP:", why)
        return 77
    test_storage.inside()
    world = World()
    try:
        world.begin()
        run(world)
    except BaseException:
        world.tell()
        raise
    finally:
        world.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
