#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datastores of volumes on a real ZFS, in a machine with a kernel of its own whose module is built for it (zfs_host.py).

Tier 3. Needs root, QEMU, libvirt, gcc, and packages from the mirror, of Debian's contrib too. Each test is a part that takes some minutes:
top_builddir=build PUESTO_TIER=3 python3 tests/integration/test_nested_zfs.py [Zfs.test_…]"""
import os
import subprocess
import sys
import tempfile
import unittest

import nested
import zfs_host

TESTS = nested.SOURCE + "/tests/integration"
COMMAND = "cd '%s' && top_builddir='%s' PUESTO_TIER=3 PUESTO_TEST_PATIENCE=10 PUESTO_TEST_POOL=zfs:tank/vdi python3 %s/test_volumes.py " % (nested.BUILD, nested.BUILD, TESTS)
POOL = """set -e; zfs list tank/vdi >/dev/null 2>&1 && exit 0
    modprobe zfs; zpool import tank 2>/dev/null || zpool create -m none tank /dev/disk/by-id/virtio-disk0
    zfs list tank/vdi >/dev/null 2>&1 || zfs create tank/vdi"""
SITE = zfs_host.Zfs()


class Zfs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="puesto-nested-disks-")
        cls.addClassCleanup(cls.folder.cleanup)
        disk = cls.folder.name + "/zfs.raw"
        subprocess.run(["truncate", "-s", "640M", disk], check=True)
        cls.machine = nested.Machine(zfs_host.LISTS, memory_mb=2560, disks=[disk], apt=SITE.apt, modules=SITE.modules())
        cls.addClassCleanup(cls.machine.close)

    def on_volumes(self, *names):
        self.machine.run(POOL, 240)
        out = self.machine.run(COMMAND + " ".join(names), 1500)
        for name in names:
            self.assertIn("PASS " + name, out)
        self.assertEqual(self.machine.run("zfs list -H -t volume -r -o name tank", 60), "", "nothing is left")

    def test_new_again_removed(self):
        self.on_volumes("test_volumes_are_devices")

    def test_grows_in_use(self):
        self.on_volumes("test_a_disk_grows_and_keeps_its_snapshots")

    def test_away_and_another_one(self):
        self.on_volumes("test_a_pool_that_is_not_there_is_offline", "test_a_pool_of_zfs_goes_and_comes")

    def test_names_that_come_late(self):
        self.on_volumes("test_a_name_of_zfs_that_comes_late_is_waited_for")

    def test_full(self):
        self.on_volumes("test_a_full_pool_takes_nothing_and_leaves_nothing")

    def test_killed_at_moments(self):
        self.on_volumes("test_what_a_crash_leaves_is_found")

    def test_versions_copied(self):
        self.on_volumes("test_versions_are_imported_and_copied_both_ways")


if __name__ == "__main__":
    if int(os.environ.get("PUESTO_TIER", "1")) < 3 or os.environ.get("SANITIZED"):
        print("SKIP: a machine of its own is of tier 3")
        sys.exit(77)
    with SITE:
        why = SITE.missing()
        if why:
            print("SKIP:", why)
            sys.exit(77)
        unittest.main(verbosity=2)
