# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers of disks for tests: an iSCSI target (tgtd) and an NFS server (nfs-ganesha), both in user space, in the test's own network namespace."""
import os
import shutil
import socket
import subprocess

import libvirt_host

IQN = "iqn.2026-11.org.example:vdi"


def missing(*programs):
    for program in programs:
        if not shutil.which(program):
            return "%s is missing: apt-get install tgt nfs-ganesha nfs-ganesha-vfs rpcbind qemu-block-extra libvirt-daemon-driver-storage-iscsi-direct" % program
    return ""


def listens(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


class Target:
    """An iSCSI target whose LUNs are files of a folder."""

    def __init__(self, folder, port=3260, control=77):
        self.folder, self.port, self.control = os.path.join(folder, "luns"), port, str(control)
        os.makedirs(self.folder, exist_ok=True)
        self.url = "iscsi://127.0.0.1:%d/%s/" % (port, IQN)
        os.makedirs("/run/tgtd", exist_ok=True)
        self.log = open(os.path.join(folder, "tgtd.log"), "ab")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(["tgtd", "-f", "-C", self.control, "--iscsi", "portal=127.0.0.1:%d" % self.port], stdout=self.log, stderr=self.log)
        libvirt_host.wait_for("the iSCSI target", lambda: listens(self.port))
        self.admin("--mode", "target", "--op", "new", "--tid", "1", "--targetname", IQN)
        self.admin("--mode", "target", "--op", "bind", "--tid", "1", "--initiator-address", "ALL")

    def admin(self, *words):
        subprocess.run(["tgtadm", "-C", self.control, "--lld", "iscsi", *words], check=True, capture_output=True, timeout=30)

    def path(self, lun):
        return os.path.join(self.folder, "lun%d" % lun)

    def add(self, lun, megabytes=0, source=None, is_readonly=False):
        if source:
            shutil.copy(source, self.path(lun))
        elif not os.path.exists(self.path(lun)):
            with open(self.path(lun), "wb") as f:
                f.truncate(megabytes << 20)
        self.admin("--mode", "logicalunit", "--op", "new", "--tid", "1", "--lun", str(lun), "-b", self.path(lun))
        if is_readonly:
            self.admin("--mode", "logicalunit", "--op", "update", "--tid", "1", "--lun", str(lun), "--params", "readonly=1")

    def remove(self, lun):
        self.admin("--mode", "logicalunit", "--op", "delete", "--tid", "1", "--lun", str(lun))

    def end(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Nfs:
    """A folder exported as /vdi."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "export")
        os.makedirs(self.folder, exist_ok=True)
        self.conf, self.out = os.path.join(folder, "ganesha.conf"), os.path.join(folder, "ganesha.log")
        with open(self.conf, "w") as f:
            f.write("NFS_CORE_PARAM { Protocols = 3,4; mount_path_pseudo = true; Enable_NLM = false; Enable_RQUOTA = false; NFS_Port = 2049; "
                    "MNT_Port = 20048; }\nNFSV4 { Graceless = true; }\nEXPORT { Export_Id = 1; Path = %s; Pseudo = /vdi; Access_Type = RW; Squash = None; SecType = sys; "
                    "Protocols = 3,4; FSAL { Name = VFS; } }\nLOG { Default_Log_Level = EVENT; }\n" % self.folder)
        self.processes = []

    def start(self):
        os.makedirs("/run/ganesha", exist_ok=True)
        os.makedirs("/run/rpcbind", exist_ok=True)
        self.processes.append(subprocess.Popen(["rpcbind", "-f", "-w"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        libvirt_host.wait_for("rpcbind", lambda: listens(111))
        self.processes.append(subprocess.Popen(["ganesha.nfsd", "-F", "-f", self.conf, "-L", self.out, "-p", "/run/ganesha/ganesha.pid"], stdout=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL))
        libvirt_host.wait_for("the NFS server", lambda: listens(2049) and listens(20048), 60)

    def end(self):
        for process in reversed(self.processes):
            process.kill()
            process.wait()
        self.processes.clear()
