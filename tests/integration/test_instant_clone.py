#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instant clones of a booted parent: saved and resumed by broker/hypervisor/qemu, seeded, enrolled, seen; no two alike.

Needs what test_guest.py needs; a tier 2 test."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

import guest_harness
from broker_harness import eventually
from test_guest import Site, shows

CLONE = guest_harness.BUILD + "/tests/integration/instant_clone"
USER_HZ = os.sysconf("SC_CLK_TCK")


class Clone(guest_harness.Guest):
    """A machine whose memory is a file: the parent's own, or mapped copy-on-write. A free slot takes the network card."""

    def __init__(self, folder, memory, share, **kw):
        self.memory, self.share = memory, share
        super().__init__(folder, None, **kw)

    def words(self):
        words = super().words()
        words[words.index("q35")] = "q35,memory-backend=ram"
        return words + ["-object", "memory-backend-file,id=ram,size=%dM,mem-path=%s,share=%s" % (guest_harness.MEMORY_MB, self.memory, self.share),
                        "-device", "pcie-root-port,id=plug0,slot=1,chassis=1"]

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.pid) as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / USER_HZ

    def own_mb(self):
        """Memory that this QEMU shares with nobody."""
        with open("/proc/%d/smaps_rollup" % self.process.pid) as f:
            return sum(int(line.split()[1]) for line in f if line.startswith("Private_")) // 1024


class Parent:
    """Booted once, saved, ended: memory, devices, disk."""

    def __init__(self, folder, image):
        self.folder, self.image, self.made = folder, image, 0
        began = time.monotonic()
        guest = Clone(image, folder + "/ram", "on")
        try:
            guest.qmp.close()
            subprocess.run([CLONE, "save", guest.dir + "/qmp", guest.dir + "/seed", folder + "/state"], check=True, timeout=180)
            guest.process.wait(20)
            os.rename(guest.disk, folder + "/disk.qcow2")
        finally:
            guest.close()
        for name in ("ram", "state", "disk.qcow2"):
            os.chmod(folder + "/" + name, 0o444)
        print("parent booted and saved in %.1f s, state %d KB" % (time.monotonic() - began, os.path.getsize(folder + "/state") // 1024))

    def child(self, port, seed):
        self.made += 1
        began = time.monotonic()
        guest = Clone(self.image, self.folder + "/ram", "off", backing=self.folder + "/disk.qcow2", more=["-incoming", "defer"])
        guest.qmp.close()
        with open(guest.dir + "/seed.json", "w") as f:
            json.dump({**seed, "time_ms": int(time.time() * 1000), "random": guest_harness.base64.b64encode(os.urandom(64)).decode()}, f)
        netdev = json.dumps({"type": "user", "hostfwd": [{"str": "tcp:127.0.0.1:%d-:5910" % port}]})
        subprocess.run([CLONE, "resume", guest.dir + "/qmp", guest.dir + "/seed", self.folder + "/state", guest.dir + "/seed.json", netdev,
                        "52:54:00:00:00:%02x" % self.made], check=True, timeout=120)
        print("child %d resumed and seeded in %.2f s, %.2f s of processor" % (self.made, time.monotonic() - began, guest.cpu_seconds()))
        return guest


class InstantClone(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="puesto-parent-")
        cls.parent = Parent(cls.temporary.name, guest_harness.image())
        cls.began = time.monotonic()
        cls.site = Site(cls.parent.child, machines=2)

    @classmethod
    def tearDownClass(cls):
        cls.site.close()
        cls.temporary.cleanup()

    def test_children_are_seen_and_are_not_alike(self):
        guests = eventually(lambda: len(self.site.provisioner.guests) == 2 and dict(self.site.provisioner.guests), 60)
        viewer = eventually(self.site.connect, 60)
        print("first picture %.2f s after the site was there" % (time.monotonic() - self.began))
        viewer.step(incremental=False)
        eventually(lambda: any(shows(viewer, guest) for guest in guests.values()), 60)
        viewer.ws.conn.close()
        told = []
        for desktop, guest in guests.items():
            eventually(lambda: guest.shell("ls /var/lib/puesto/agent") and "enrol.json" not in guest.shell("ls /var/lib/puesto/agent"), 60)
            name, machine, key, mac, now = guest.shell("busybox hostname; cat /etc/machine-id; sha256sum /var/lib/puesto/agent/tls.key | cut -c1-64; "
                                                       "cat /sys/class/net/eth0/address; date +%s").split()
            self.assertEqual(name, "d" + desktop[:8])
            self.assertLess(abs(int(now) - time.time()), 30)
            told.append((name, machine, key, mac))
            print("a child's own memory: %d MB" % guest.own_mb())
        for first, second in zip(*told):
            self.assertNotEqual(first, second)

    def test_a_refused_seed_is_told_and_the_next_one_taken(self):
        port = 1
        guest = Clone(self.parent.image, self.parent.folder + "/ram", "off", backing=self.parent.folder + "/disk.qcow2", more=["-incoming", "defer"])
        self.addCleanup(guest.close)
        guest.qmp.close()
        with open(guest.dir + "/bad.json", "w") as f:
            json.dump({"desktop": "nobody"}, f)
        words = [CLONE, "resume", guest.dir + "/qmp", guest.dir + "/seed", self.parent.folder + "/state", guest.dir + "/bad.json", '{"type": "user"}', "52:54:00:00:01:%02x" % port]
        answer = subprocess.run(words, check=False, timeout=120, stderr=subprocess.PIPE, text=True)
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("the machine refuses its seed", answer.stderr)
        self.assertEqual(guest.shell("ls /etc/puesto/agent.conf 2>/dev/null"), "")
        self.assertEqual(guest.shell("pgrep -c puesto-seed || busybox pgrep puesto-seed | busybox wc -l"), "1")


if __name__ == "__main__":
    if int(os.environ.get("PUESTO_TIER", "1")) < 2 or guest_harness.lacking():
        print("skipped: tier 2; needs " + (guest_harness.lacking() or "PUESTO_TIER=2"))
        sys.exit(77)
    unittest.main(verbosity=1)
