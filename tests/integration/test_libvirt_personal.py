#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users' own disks in libvirt's machines, with our image: plugged in when a user logs on, unplugged when he has left while the provisioner is
killed, found in the machine that is made anew, and mended after a machine that hangs. Of the second tier: it boots a machine four times.

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_libvirt_personal.py"""
import os
import shutil
import signal
import sqlite3
import sys

import guest_harness
import libvirt_host
import test_libvirt_pool as pool
import test_qemu_personal as personal
import test_qemu_pool
from broker_harness import eventually
from test_gateway import Person
from test_remote_desktop import RawViewer

BOOT = 2 * pool.BOOT


class Site(pool.Site):
    change = test_qemu_pool.Site.change

    @property
    def personal(self):
        return self.folder + "/disks/personal"

    def start(self):
        super().start()
        self.admin = Person(self.gate, "admin")
        desks = self.admin.call("GET", "pools")[1]["items"][0]
        self.change(desks["id"], desks["rev"], {"personal_disk_mb": 64})

    def section(self):
        return super().section() + "deadline_s = 120\n"

    def provisioner_start(self, pki, port):
        self.link = pki, port
        super().provisioner_start(pki, port)

    def provisioner_again(self):
        self.provisioner.kill()
        self.provisioner.wait()
        self.provisioner_start(*self.link)

    def connect(self):
        """As of test_qemu_pool: a viewer and its desktop's uuid."""
        desks = self.ana.call("GET", "me/pools")[1]["items"][0]["id"]
        status, answer = self.ana.call("POST", "me/pools/%s/connect" % desks, {"protocol": "novnc"})[:2]
        return (RawViewer(self.gate, answer["ticket"]), answer["desktop"]["id"]) if status == 200 else None

    def phase(self, desktop):
        with sqlite3.connect("file:%s/db/puesto.db?mode=ro" % self.broker.dir, uri=True) as db:
            return db.execute("SELECT personal_phase FROM desktops WHERE id = ?", (desktop,)).fetchone()[0]

    def letter(self):
        """One line of each session that began on the disk."""
        return personal.inspect(self, "cat /letter").split()


def work(site, sessions):
    viewer, desktop = eventually(site.connect, BOOT)
    eventually(lambda: pool.sees_a_desktop(viewer), 60)
    assert personal.holders(site) == [desktop], personal.holders(site)
    assert "ua-personal" in site.host.virsh("dumpxml", "puesto-" + desktop)
    assert "ua-personal" not in site.host.virsh("dumpxml", "--inactive", "puesto-" + desktop), "a machine that starts has none"
    eventually(lambda: len(site.letter()) == sessions, 120)
    return viewer, desktop


def test_users_files_outlive_the_machine(site):
    viewer, desktop = work(site, 1)
    disk = open(pool.disk_of(site, desktop), "rb")  # held, so that its inode is nobody else's
    personal.log_off(site, viewer, desktop)
    eventually(lambda: site.phase(desktop) == "left", 60)
    site.provisioner_again()
    eventually(lambda: personal.holders(site) == [], 120)
    eventually(lambda: personal.listed(site)["state"] == "free" and personal.listed(site)["clean"], 30)
    assert os.stat(personal.disk_file(site)).st_uid == 0, "no machine's user reaches it now"
    assert personal.inspect(site, "cat /welcome") == "from the image\n"
    eventually(lambda: os.fstat(disk.fileno()).st_nlink == 0, 120)
    disk.close()
    print("written, and put away with the provisioner killed in the middle")
    viewer, desktop = work(site, 2)
    print("found in the machine that was made anew")
    os.kill(site.host.qemu_pid("puesto-" + desktop), signal.SIGSTOP)
    personal.log_off(site, viewer, desktop)
    eventually(lambda: "puesto-" + desktop not in site.host.domains(), 150)
    assert personal.holders(site) == []
    eventually(lambda: (personal.listed(site)["state"], personal.listed(site)["clean"]) == ("unclean", False), 30)
    viewer, desktop = work(site, 3)
    print("found after a machine that hung")
    viewer.ws.conn.close()


def lacking():
    return libvirt_host.missing() or guest_harness.lacking() or ("" if shutil.which("debugfs") else "debugfs")


if __name__ == "__main__":
    guest_harness.image = personal.image
    sys.exit(pool.run(Site, lacking(), personal.image, test_users_files_outlive_the_machine))
