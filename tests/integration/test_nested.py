#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine that other tests boot (nested.py) has what they want of it: a kernel with device-mapper, iSCSI and NFS, this tree, a way in and out.

Tier 3. Needs root, QEMU, and packages from the mirror."""
import os
import socket
import subprocess
import sys
import tempfile
import unittest

import nested

LISTS = ("machine-storage",)


class Storage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="puesto-nested-disks-")
        disks = [cls.folder.name + "/lvm.raw", cls.folder.name + "/other.qcow2"]
        subprocess.run(["truncate", "-s", "256M", disks[0]], check=True)
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", disks[1], "64M"], check=True)
        cls.addClassCleanup(cls.folder.cleanup)
        cls.machine = nested.Machine(LISTS, disks=disks, ports=[7000])
        cls.addClassCleanup(cls.machine.close)

    def run_in(self, command, seconds=120):
        return self.machine.run(command, seconds)

    def test_it_has_our_tree_and_keeps_off_it(self):
        self.assertEqual(self.run_in("cmp '%s/README.md' '%s/README.md' && echo same" % (nested.SOURCE, nested.SOURCE)), "same\n")
        self.run_in("echo changed >>'%s/README.md'" % nested.SOURCE)
        with open(nested.SOURCE + "/README.md") as f:
            self.assertNotIn("changed\n", f.read()[-10:])

    def test_files_and_errors_come_back(self):
        with open(self.machine.share + "/in", "w") as f:
            f.write("to the machine")
        self.run_in("cp /nested/in /nested/out")
        with open(self.machine.share + "/out") as f:
            self.assertEqual(f.read(), "to the machine")
        with self.assertRaisesRegex(nested.Failed, "ended with 3\nwhy"):
            self.run_in("echo why >&2; exit 3")

    def test_a_port_is_reached(self):
        self.run_in("echo hello >/tmp/index; (busybox nc -l -p 7000 </tmp/index >/dev/null 2>&1 &) ; until busybox netstat -ltn | grep -q :7000; do sleep 0.1; done")
        with socket.create_connection(("127.0.0.1", self.machine.port(7000)), timeout=30) as s:
            self.assertEqual(s.recv(6), b"hello\n")

    def test_logical_volumes(self):
        out = self.run_in("""set -e
            vgcreate -q v /dev/disk/by-id/virtio-disk0
            lvcreate -q -y --type thin-pool -L 64M -n pool v; lvcreate -q -V 128M -T v/pool -n golden; lvcreate -q -kn -ay -s v/golden -n clone
            test "$(blockdev --getsize64 /dev/disk/by-id/virtio-disk1)" = 67108864
            lvs --noheadings -o lv_name,pool_lv,origin v; vgremove -q -f v""", 240)
        self.assertRegex(out, r"clone\s+pool\s+golden")

    def test_iscsi(self):
        out = self.run_in("""set -e
            truncate -s 32M /tmp/lun; tgtd; until tgtadm --lld iscsi --op show --mode target >/dev/null 2>&1; do sleep 0.2; done
            tgtadm --lld iscsi --op new --mode target --tid 1 -T iqn.2026-01.test:a
            tgtadm --lld iscsi --op new --mode logicalunit --tid 1 --lun 1 -b /tmp/lun; tgtadm --lld iscsi --op bind --mode target --tid 1 -I ALL
            modprobe iscsi_tcp; echo InitiatorName=iqn.2026-01.test:i >/etc/iscsi/initiatorname.iscsi; iscsid
            iscsiadm -m discovery -t st -p 127.0.0.1; iscsiadm -m node -l; udevadm settle
            blockdev --getsize64 /dev/disk/by-path/ip-127.0.0.1:3260-iscsi-iqn.2026-01.test:a-lun-1; iscsiadm -m node -u""", 240)
        self.assertIn("33554432\n", out)

    def test_nfs(self):
        out = self.run_in("""set -e
            modprobe nfsd; mount -t nfsd nfsd /proc/fs/nfsd; mkdir -p /srv/site /mnt; mount -t tmpfs site /srv/site; rpcbind
            exportfs -o rw,no_root_squash,fsid=0 127.0.0.1:/srv/site; rpc.nfsd 2; rpc.mountd
            mount -t nfs -o vers=4.2 127.0.0.1:/ /mnt; echo by nfs >/mnt/file; cat /srv/site/file; stat -f -c %T /mnt; umount /mnt""", 240)
        self.assertEqual(out, "by nfs\nnfs\n")


if __name__ == "__main__":
    why = "tier 3" if int(os.environ.get("PUESTO_TIER", "1")) < 3 else nested.missing(*LISTS)
    if why:
        print("SKIP:", why)
        sys.exit(77)
    unittest.main(verbosity=1)
