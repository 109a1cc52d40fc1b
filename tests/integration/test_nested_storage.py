#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datastores on storage of a site, in a machine with a kernel of its own: folders that NFS and iSCSI really mount, volumes of a real volume group.

Tier 3. Needs root, QEMU, libvirt, and packages from the mirror. Each test is a part that takes some minutes, with a boot of its own machine when it is run alone:
top_builddir=build PUESTO_TIER=3 python3 tests/integration/test_nested_storage.py [Storage.test_lvm_…]"""
import os
import subprocess
import sys
import tempfile
import unittest

import nested

LISTS = ("machine-storage",)
TESTS = nested.SOURCE + "/tests/integration"
IN_THE_TREE = "cd '%s' && export top_builddir='%s' PUESTO_TIER=3 PUESTO_TEST_PATIENCE=10 && " % (nested.BUILD, nested.BUILD)
STOP, START = "rpc.nfsd 0", "rpc.nfsd 4"
NFS = """set -e; mountpoint -q /mnt/nfs && exit 0
    modprobe nfsd; mount -t nfsd nfsd /proc/fs/nfsd; mkdir -p /srv/site /mnt/nfs; mount -t tmpfs -o size=500m site /srv/site; rpcbind
    echo 10 >/proc/fs/nfsd/nfsv4leasetime; echo 10 >/proc/fs/nfsd/nfsv4gracetime
    exportfs -o rw,no_root_squash,fsid=0 127.0.0.1:/srv/site; %s; rpc.mountd; mount -t nfs -o vers=4.2,hard 127.0.0.1:/ /mnt/nfs""" % START
ISCSI = """set -e; mountpoint -q /mnt/iscsi && exit 0
    tgtd; until tgtadm --lld iscsi --op show --mode target >/dev/null 2>&1; do sleep 0.2; done
    tgtadm --lld iscsi --op new --mode target --tid 1 -T iqn.2026-01.test:a
    tgtadm --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b /dev/disk/by-id/virtio-disk1; tgtadm --lld iscsi --op bind --mode target --tid 1 -I ALL
    modprobe iscsi_tcp; echo InitiatorName=iqn.2026-01.test:i >/etc/iscsi/initiatorname.iscsi; iscsid
    iscsiadm -m discovery -t st -p 127.0.0.1; iscsiadm -m node -l; udevadm settle
    lun=/dev/disk/by-path/ip-127.0.0.1:3260-iscsi-iqn.2026-01.test:a-lun-1
    mkfs.ext4 -q $lun; mkdir -p /mnt/iscsi; mount $lun /mnt/iscsi"""


class Storage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="puesto-nested-disks-")
        cls.addClassCleanup(cls.folder.cleanup)
        disks = [cls.folder.name + "/lvm.raw", cls.folder.name + "/lun.raw"]
        for disk in disks:
            subprocess.run(["truncate", "-s", "640M", disk], check=True)
        cls.machine = nested.Machine(LISTS, memory_mb=2560, disks=disks)
        cls.addClassCleanup(cls.machine.close)

    def run_in(self, command, seconds):
        return self.machine.run(command, seconds)

    def run_tests(self, file, names, settings=""):
        """Tests of another file, there; each has to pass."""
        out = self.run_in(IN_THE_TREE + "%s python3 %s/%s %s" % (settings, TESTS, file, " ".join(names)), 1500)
        for name in names:
            self.assertIn("PASS " + name, out)

    def on_volumes(self, *names):
        self.run_in("vgs vdi >/dev/null 2>&1 || vgcreate -q vdi /dev/disk/by-id/virtio-disk0", 120)
        self.run_tests("test_volumes.py", names, "PUESTO_TEST_POOL=logical:vdi")
        self.assertEqual(self.run_in("lvs --noheadings vdi", 60), "", "nothing is left")

    def disks(self, folder, settings=""):
        """What files of disks, seals and versions have to stand."""
        out = self.run_in(IN_THE_TREE + "%s TMPDIR=%s python3 %s/test_disk.py Overlay Chain Version Personal" % (settings, folder, TESTS), 1500)
        self.assertRegex(out, r"\nOK")

    def versions(self, folder):
        """A version that is imported, copied and removed, below that folder."""
        self.run_tests("test_storage.py", ["test_a_version_lies_on_several_datastores"], "PUESTO_TEST_STORES=%s/versions" % folder)

    def desktops(self, folder):
        """Machines on it: new, new again, snapshot, growth in use, the recycle bin; and what is there while it is another one or away."""
        self.run_tests("test_libvirt.py", ["test_a_desktop_lives_on_a_datastore", "test_an_image_of_a_datastore_keeps_its_overlays_there"], "PUESTO_TEST_STORES=%s/desktops" % folder)

    def test_lvm_new_again_removed_full(self):
        self.on_volumes("test_volumes_are_devices")

    def test_lvm_grows_in_use(self):
        self.on_volumes("test_a_disk_grows_and_keeps_its_snapshots")

    def test_lvm_away_and_another_one(self):
        self.on_volumes("test_a_pool_that_is_not_there_is_offline")

    def test_lvm_killed_at_moments(self):
        self.on_volumes("test_what_a_crash_leaves_is_found")

    def test_nfs_disks(self):
        self.run_in(NFS, 240)
        self.disks("/mnt/nfs", "PUESTO_TEST_NO_FLAG=yes")

    def test_nfs_versions(self):
        self.run_in(NFS, 240)
        self.versions("/mnt/nfs")

    def test_nfs_desktops(self):
        self.run_in(NFS, 240)
        self.desktops("/mnt/nfs")

    def test_nfs_server_away_and_back(self):
        self.run_in(NFS, 240)
        self.run_tests("test_storage.py", ["test_a_server_that_is_gone_is_waited_for"],
                       "PUESTO_TEST_STORES=/mnt/nfs/away PUESTO_TEST_SERVER_STOP='%s' PUESTO_TEST_SERVER_START='%s'" % (STOP, START))

    def test_iscsi_disks(self):
        self.run_in(ISCSI, 300)
        self.disks("/mnt/iscsi")

    def test_iscsi_versions(self):
        self.run_in(ISCSI, 300)
        self.versions("/mnt/iscsi")

    def test_iscsi_desktops(self):
        self.run_in(ISCSI, 300)
        self.desktops("/mnt/iscsi")


if __name__ == "__main__":
    if int(os.environ.get("PUESTO_TIER", "1")) < 3 or os.environ.get("SANITIZED"):
        print("SKIP: a machine of its own is of tier 3")
        sys.exit(77)
    why = nested.missing(*LISTS)
    if why:
        print("SKIP:", why)
        sys.exit(77)
    unittest.main(verbosity=2)
