#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Our image asleep and awake: a pool of QEMU's machines of which only a suspended one is there when a user logs in; a machine whose memory lay on
disk for a while, and which has the right time and its agent again; a disk that grows while it is in use, seen inside. Of the second tier.
Covers: broker/hypervisor/desktop/keep.c

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_suspended_guest.py"""
import os
import subprocess
import sys
import time

import guest_harness
import test_guest
import test_qemu_pool
from broker_harness import eventually
from test_qemu_pool import BOOT, sees_a_desktop

AWAY = 8.0  # seconds that a machine is away
WAKE = 30.0 # from a log-in to a picture, at most, of a desktop that slept: the machine of the tests is busy


class Pool(test_qemu_pool.Site):
    def setup(self):
        setup = super().setup()
        setup["pools"][0].update(min=0, max=2, spare=0, spare_suspended=1)
        return setup

    def asleep(self):
        return [d for d, r in self.records().items() if r["phase"] == "suspended"]


def a_user_gets_the_desktop_that_slept(site):
    began = time.monotonic()
    (desktop,) = eventually(site.asleep, BOOT)
    print("made, seen ready and suspended after %.1f s" % (time.monotonic() - began))
    eventually(lambda: site.admin.call("GET", "desktops/" + desktop)[1]["state"] == "suspended", 60)
    assert site.pid(desktop) == 0 or not os.path.exists("/proc/%d" % site.pid(desktop)), "its QEMU runs"
    memory = os.stat("%s/d/desktops/%s/memory" % (site.folder, desktop))
    began = time.monotonic()
    viewer, got = eventually(site.connect, BOOT)
    connected = time.monotonic() - began
    assert got == desktop, "another one was made"
    eventually(lambda: sees_a_desktop(viewer), 60)
    took = time.monotonic() - began
    print("resumed from %d MB: a user is connected after %.2f s and sees a desktop after %.2f s" % (memory.st_blocks * 512 >> 20, connected, took))
    assert took < WAKE, took
    viewer.ws.conn.close()
    eventually(lambda: [d for d in site.asleep() if d != desktop], BOOT)  # the tier is filled up


def one_whose_memory_is_gone_is_made_new(site):
    """The driver boots it instead, or it is refreshed: in any case its agent has to answer first."""
    (desktop,) = site.asleep()
    os.truncate("%s/d/desktops/%s/memory" % (site.folder, desktop), 4096)
    site.empty_seat = site.ana.call("GET", "me/pools")[1]["items"][0]["desktop"]["id"]
    status = site.admin.call("DELETE", "desktops/" + site.empty_seat)[0]
    assert status in (200, 202, 204), status
    viewer, got = eventually(site.connect, BOOT)
    eventually(lambda: sees_a_desktop(viewer), 60)
    viewer.ws.conn.close()
    assert got in site.records()


def pool():
    site = Pool()
    try:
        site.start()
        try:
            for test in a_user_gets_the_desktop_that_slept, one_whose_memory_is_gone_is_made_new:
                test(site)
                print("PASS", test.__name__)
        except BaseException:
            print(site.told())
            raise
    finally:
        site.close()


class Sleeper(guest_harness.Guest):
    """Its memory can lie on disk for a while."""

    def sleep(self, seconds):
        memory = self.dir + "/memory"
        self.qmp("stop")
        self.qmp("migrate", uri="exec:cat >" + memory)
        eventually(lambda: self.qmp("query-migrate")["status"] == "completed", 120)
        self.qmp("quit")
        self.process.wait(30)
        self.qmp.close()
        if self.shell_:
            self.shell_.close()
        self.shell_ = None
        time.sleep(seconds)  # it is time that passes, and nothing to wait for
        words = list(self.process.args) + ["-incoming", "exec:cat " + memory]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.qmp = guest_harness.Qmp(self.dir + "/qmp")
        eventually(lambda: self.qmp("query-status")["status"] in ("running", "paused"), 60)
        self.qmp("cont")


def a_disk_that_grows_is_used_while_it_is_in_use(site, viewer):
    guest = site.guest()
    viewer.step(incremental=False)
    before = int(guest.shell("busybox df -k / | busybox tail -n 1 | busybox awk '{print $2}'"))
    size = guest.qmp("query-block")[0]["inserted"]["image"]["virtual-size"]
    began = time.monotonic()
    guest.qmp("block_resize", node_name="disk", size=size + (1 << 30))
    eventually(lambda: int(guest.shell("busybox df -k / | busybox tail -n 1 | busybox awk '{print $2}'")) > before + (900 << 10), 60)
    print("a disk of %d MB got 1024 more, and the guest uses them after %.1f s" % (size >> 20, time.monotonic() - began))
    guest.shell("busybox dd if=/dev/zero of=/var/tmp/big bs=1M count=400 2>/dev/null; rm /var/tmp/big", 120)
    eventually(lambda: test_guest.shows(viewer, guest), 60)  # whoever was there goes on


def ahead(guest):
    """The guest's clock, against this machine's; as its seed has set it, some time before."""
    return int(guest.shell("busybox date +%s")) - time.time()


def a_machine_that_was_away_has_the_time_and_its_agent(site, viewer):
    guest = site.guest()
    boot = guest.shell("cat /proc/sys/kernel/random/boot_id")
    before = ahead(guest)
    gone = site.broker.text().count("agent gone")
    viewer.ws.conn.close()
    guest.sleep(AWAY)
    began = time.monotonic()
    eventually(lambda: site.broker.text().count("agent gone") > gone, 30)
    admin = test_guest.Person(site.gate, "admin")
    desktop = next(iter(site.provisioner.guests))
    eventually(lambda: admin.call("GET", "desktops/" + desktop)[1]["agent"] == "ready", 60)
    print("its agent is back %.1f s after it goes on" % (time.monotonic() - began))
    eventually(lambda: abs(ahead(guest) - before) <= 2.5, 60)
    print("its clock is right %.1f s after it goes on" % (time.monotonic() - began))
    assert guest.shell("cat /proc/sys/kernel/random/boot_id") == boot, "it has booted"
    viewer = eventually(site.connect, 60)
    viewer.step(incremental=False)
    eventually(lambda: test_guest.shows(viewer, guest), 60)
    viewer.ws.conn.close()


def machine():
    image = guest_harness.image()
    site = test_guest.Site(lambda port, seed: Sleeper(image, port, seed))
    try:
        viewer = eventually(site.connect, BOOT)
        for test in a_disk_that_grows_is_used_while_it_is_in_use, a_machine_that_was_away_has_the_time_and_its_agent:
            test(site, viewer)
            print("PASS", test.__name__)
    except BaseException:
        print(site.guest().told())
        print(site.broker.text()[-3000:])
        raise
    finally:
        site.close()


def main():
    if int(os.environ.get("PUESTO_TIER", "1")) < 2:
        print("skipped: of tier 2")
        return 77
    why = guest_harness.lacking()
    if why:
        print("skipped:", why)
        return 77
    if "PUESTO_TEST_INSIDE" not in os.environ:
        guest_harness.image()  # its kernel is fetched where there is a network
        os.environ["PUESTO_TEST_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "-m", "-n", "--propagation", "private", sys.executable] + sys.argv)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    machine()
    pool()
    return 0


if __name__ == "__main__":
    sys.exit(main())
