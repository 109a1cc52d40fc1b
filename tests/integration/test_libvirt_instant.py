#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instant clones through libvirt: a pool's booted parent saved once, children restored from it under their own names. Of tier 2.
Covers: broker/hypervisor/libvirt/clone.c broker/hypervisor/libvirt/parents.c broker/hypervisor/libvirt/parent_make.c broker/hypervisor/libvirt/channel.c

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_libvirt_instant.py"""
import glob
import json
import os
import re
import subprocess
import sys
import time

import guest_harness
import libvirt_host
import test_libvirt_pool
from broker_harness import eventually
from test_gateway import Person
from test_libvirt_pool import BOOT, disk_of, run, sees_a_desktop
from test_remote_desktop import RawViewer


def say(text):
    print(text, flush=True)


class Site(test_libvirt_pool.Site):
    def section(self):
        return super().section() + "instant = yes\ndeadline_s = 300\n"

    def setup(self):
        setup = super().setup()
        setup["pools"][0].update(min=2, max=2, spare=1)
        return setup

    def start(self):
        super().start()
        self.admin = Person(self.gate, "admin")

    def connect(self):
        """A viewer on a desktop of the pool and its uuid, or None while there is none that can be used."""
        pool = self.ana.call("GET", "me/pools")[1]["items"][0]["id"]
        status, answer = self.ana.call("POST", "me/pools/%s/connect" % pool, {"protocol": "novnc"})[:2]
        return (RawViewer(self.gate, answer["ticket"]), answer["desktop"]["id"]) if status == 200 else None

    def desktops(self):
        """uuid -> its record, of those that libvirt has running."""
        found = {}
        for name in self.host.domains("--state-running"):
            code, text = self.host.virsh("metadata", name, "urn:puesto:desktop:1", ok=None)
            if code == 0 and name.startswith("puesto-"):
                record = json.loads(re.sub("<[^>]*>", "", text).replace("&quot;", '"').replace("&amp;", "&"))
                found[record["request"]["desktop"]] = record
        return found

    def ready(self, n):
        """Those of n running ones whose agents are there."""
        desktops = self.desktops()
        is_ready = len(desktops) == n and all(r["phase"] == "running" and self.admin.call("GET", "desktops/" + d)[1]["agent"] == "ready" for d, r in desktops.items())
        return desktops if is_ready else None

    def parents(self):
        return sorted(os.path.basename(p) for p in glob.glob(self.folder + "/disks/*/parents/*"))

    def said(self):
        with open(self.log.name) as f:
            return f.read()

    def replace(self, desktop):
        """An administrator deletes one; the record of the one that comes instead, and how long that took after it was gone."""
        before = self.desktops()
        assert self.admin.call("DELETE", "desktops/" + desktop)[0] in (200, 202, 204)
        eventually(lambda: "puesto-" + desktop not in self.host.domains(), 60)
        began = time.monotonic()
        fresh = eventually(lambda: [r for d, r in self.desktops().items() if d not in before and r["phase"] == "running"], BOOT)
        made = time.monotonic() - began
        eventually(lambda: self.ready(2), BOOT)
        return fresh[0], made, time.monotonic() - began

    def power(self, desktop, wish, state):
        eventually(lambda: self.admin.call("POST", "desktops/%s/power" % desktop, {"power": wish})[0] in (200, 201, 202, 204), 60)
        eventually(lambda: self.host.virsh("domstate", "puesto-" + desktop).strip() == state, 120)


def inside(disk, name):
    """A file of the guest's, read from its disk and all that this stands on."""
    raw = disk + ".raw"
    try:
        subprocess.run(["qemu-img", "convert", "-U", "-O", "raw", disk, raw], check=True)
        return subprocess.run(["debugfs", "-R", "cat " + name, raw], check=True, capture_output=True, text=True).stdout.strip()
    finally:
        os.unlink(raw)


def the_first_boot_and_a_parent_is_made(site):
    began = time.monotonic()
    desktops = eventually(lambda: site.ready(2), BOOT)
    say("two machines booted after %.1f s" % (time.monotonic() - began))
    assert not any("parent" in r for r in desktops.values())
    eventually(lambda: "ready in" in site.said(), BOOT)
    say("and a parent was there after %.1f s" % (time.monotonic() - began))
    (key,) = site.parents()
    for name, mode in ("disk.qcow2", 0o444), ("memory", 0o400):
        (path,) = glob.glob("%s/disks/*/parents/%s/%s" % (site.folder, key, name))
        st = os.stat(path)
        assert (st.st_mode & 0o7777, st.st_uid) == (mode, 0), name
        say("the parent's %s has %d MB" % (name, st.st_size >> 20))
    assert len(site.host.domains()) == 2, "the parent itself is gone"


def children_are_not_alike(site):
    for desktop in sorted(site.desktops()):
        record, made, ready = site.replace(desktop)
        assert record["parent"] == site.parents()[0], record
        say("a clone made in %.2f s, its agent ready after %.2f s" % (made, ready))
    desktops = site.desktops()
    told = []
    for desktop, record in desktops.items():
        document = site.host.virsh("dumpxml", "puesto-" + desktop)
        assert record["address"].startswith("10.9.0."), record
        (mac,) = re.findall("<mac address='([^']*)'", document)
        assert re.search("<uuid>" + desktop, document) and "resume" not in document
        disk = disk_of(site, desktop)
        assert not os.path.exists(os.path.dirname(disk) + "/resume"), "the pipe stays"
        told.append((mac, record["address"], *(eventually(lambda n=name: inside(disk, n), 60) for name in ("/etc/machine-id", "/etc/hostname", "/var/lib/puesto/agent/tls.key"))))
        assert told[-1][3] == record["request"]["hostname"], told[-1]
    for first, second in zip(*told):
        assert first != second, (first, second)


def a_user_works_and_leaves(site):
    began = time.monotonic()
    viewer, mine = eventually(site.connect, BOOT)
    eventually(lambda: sees_a_desktop(viewer), 60)
    say("a user sees a desktop %.2f s after the log-in" % (time.monotonic() - began))
    viewer.ws.conn.close()
    first = open(disk_of(site, mine), "rb")  # held, so that its inode is nobody else's
    assert site.ana.call("POST", "me/desktops/%s/logoff" % mine, {})[0] in (200, 202, 204)
    eventually(lambda: os.fstat(first.fileno()).st_nlink == 0, 60)
    began = time.monotonic()
    first.close()
    assert eventually(lambda: site.ready(2), BOOT)[mine]["parent"] == site.parents()[0]
    say("after the log-off a fresh clone is ready in %.2f s" % (time.monotonic() - began))


def a_clone_is_a_machine_like_any_other(site):
    """It is stopped and boots from its own disk, and sleeps, with the card that came late."""
    desktop = sorted(site.desktops())[0]
    name = eventually(lambda: inside(disk_of(site, desktop), "/etc/machine-id"), 60)
    site.power(desktop, "suspend", "shut off")
    site.power(desktop, "start", "running")
    eventually(lambda: site.ready(2), BOOT)
    site.power(desktop, "stop", "shut off")
    subprocess.run(["qemu-img", "check", "-q", disk_of(site, desktop)], check=True)
    site.power(desktop, "start", "running")
    eventually(lambda: site.ready(2), BOOT)
    now = inside(disk_of(site, desktop), "/etc/machine-id")
    assert now == name, (now, name)


def a_broken_parent_is_not_needed(site):
    """Its memory ends too early: QEMU refuses it, and the machine boots."""
    (memory,) = glob.glob(site.folder + "/disks/*/parents/*/memory")
    os.truncate(memory, os.path.getsize(memory) // 2)
    record, _, ready = site.replace(sorted(site.desktops())[0])
    assert "parent" not in record and "boots by itself, because its parent cannot be resumed" in site.said()
    say("without it a machine is ready after %.2f s" % ready)
    eventually(lambda: "is not what it was when it was made" in site.said(), 60)
    assert len(site.parents()) == 1, "somebody stands on it"


def test_a_pool_is_made_of_clones(site):
    for test in (the_first_boot_and_a_parent_is_made, children_are_not_alike, a_user_works_and_leaves, a_clone_is_a_machine_like_any_other,
                 a_broken_parent_is_not_needed):
        test(site)
        say("PASS " + test.__name__)


if __name__ == "__main__":
    sys.exit(run(Site, libvirt_host.missing() or guest_harness.lacking(), guest_harness.image, test_a_pool_is_made_of_clones))
