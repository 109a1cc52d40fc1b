#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datastores on storage of a site, in a machine with a kernel of its own: folders that NFS and iSCSI really mount, volumes of a real volume group.

Tier 3. Needs root, QEMU, libvirt, and packages from the mirror. Run alone: top_builddir=build PUESTO_TIER=3 python3 tests/integration/test_nested_storage.py [Class.test]"""
import os
import subprocess
import sys
import tempfile
import unittest

import nested

LISTS = ("machine-storage",)
TESTS = nested.SOURCE + "/tests/integration"
IN_THE_TREE = "cd '%s' && export top_builddir='%s' PUESTO_TIER=3 PUESTO_TEST_PATIENCE=10 && " % (nested.BUILD, nested.BUILD)


class Storage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="puesto-nested-disks-")
        cls.addClassCleanup(cls.folder.cleanup)
        disks = [cls.folder.name + "/lvm.raw", cls.folder.name + "/lun.raw"]
        for disk in disks:
            subprocess.run(["truncate", "-s", "640M", disk], check=True)
        cls.machine = nested.Machine(LISTS, memory_mb=2048, disks=disks)
        cls.addClassCleanup(cls.machine.close)

    def run_in(self, command, seconds):
        return self.machine.run(command, seconds)

    def disks_and_versions(self, folder):
        """What files of disks, seals and versions have to stand, and a version that is imported, copied and removed, all below that folder."""
        out = self.run_in(IN_THE_TREE + "TMPDIR=%s python3 %s/test_disk.py Overlay Chain Version Personal" % (folder, TESTS), 1500)
        self.assertRegex(out, r"\nOK")
        out = self.run_in(IN_THE_TREE + "PUESTO_TEST_STORES=%s python3 %s/test_storage.py test_a_version_lies_on_several_datastores" % (folder, TESTS), 1500)
        self.assertIn("PASS test_a_version_lies_on_several_datastores", out)

    def test_a_folder_that_nfs_mounts(self):
        self.run_in("""set -e
            modprobe nfsd; mount -t nfsd nfsd /proc/fs/nfsd; mkdir -p /srv/site /mnt/nfs; mount -t tmpfs -o size=300m site /srv/site; rpcbind
            exportfs -o rw,no_root_squash,fsid=0 127.0.0.1:/srv/site; rpc.nfsd 4; rpc.mountd; mount -t nfs -o vers=4.2 127.0.0.1:/ /mnt/nfs""", 240)
        self.disks_and_versions("/mnt/nfs")

    def test_a_folder_on_a_lun_that_iscsi_brings(self):
        self.run_in("""set -e
            tgtd; until tgtadm --lld iscsi --op show --mode target >/dev/null 2>&1; do sleep 0.2; done
            tgtadm --lld iscsi --op new --mode target --tid 1 -T iqn.2026-01.test:a
            tgtadm --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b /dev/disk/by-id/virtio-disk1; tgtadm --lld iscsi --op bind --mode target --tid 1 -I ALL
            modprobe iscsi_tcp; echo InitiatorName=iqn.2026-01.test:i >/etc/iscsi/initiatorname.iscsi; iscsid
            iscsiadm -m discovery -t st -p 127.0.0.1; iscsiadm -m node -l; udevadm settle
            lun=/dev/disk/by-path/ip-127.0.0.1:3260-iscsi-iqn.2026-01.test:a-lun-1
            mkfs.ext4 -q $lun; mkdir -p /mnt/iscsi; mount $lun /mnt/iscsi""", 300)
        self.disks_and_versions("/mnt/iscsi")

    def test_volumes_of_a_volume_group(self):
        self.run_in("vgcreate -q vdi /dev/disk/by-id/virtio-disk0", 120)
        out = self.run_in(IN_THE_TREE + "PUESTO_TEST_VG=vdi python3 %s/test_volumes.py test_on_a_volume_group" % TESTS, 1800)
        self.assertIn("PASS test_on_a_volume_group", out)
        self.assertEqual(self.run_in("lvs --noheadings vdi", 60), "", "nothing is left")


if __name__ == "__main__":
    if int(os.environ.get("PUESTO_TIER", "1")) < 3 or os.environ.get("SANITIZED"):
        print("SKIP: a machine of its own is of tier 3")
        sys.exit(77)
    why = nested.missing(*LISTS)
    if why:
        print("SKIP:", why)
        sys.exit(77)
    unittest.main(verbosity=2)
