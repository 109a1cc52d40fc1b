# SPDX-License-Identifier: GPL-3.0-or-later
"""A Ceph of a test's own: one monitor, one manager, one OSD on a file of a folder, cephx, in the test's own mount and network namespaces.

The packages (deploy/packages/ceph) are laid over /usr there, where they are not installed; /etc/ceph is a folder of the test's."""
import os
import subprocess
import uuid

import laid
import libvirt_host
import nested

USER, POOL = "desk", "vdi"
ADDRESSES = "[v2:127.0.0.1:3300/0,v1:127.0.0.1:6789/0]"
CONF = """[global]
fsid = %(fsid)s
mon_host = %(addresses)s
mon_initial_members = a
public_network = 127.0.0.0/8
cluster_network = 127.0.0.0/8
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_data_avail_warn = 1
mon_data_avail_crit = 0
keyring = /etc/ceph/ceph.$name.keyring
run_dir = %(folder)s
log_file =
[mon]
mon_data = %(folder)s/mon
auth_allow_insecure_global_id_reclaim = false
mon_osd_report_timeout = 30
[mgr]
mgr_data = %(folder)s/mgr
mgr_initial_modules =
mon_client_ping_timeout = 30
[osd]
osd_data = %(folder)s/osd
osd_objectstore = bluestore
bluestore_block_size = %(size)d
osd_memory_target = 939524096
crash_dir = %(folder)s
"""


def enter(folder):
    """In a mount namespace of the test's own: the programs, and an empty /etc/ceph."""
    words, top = laid.over_usr("ceph"), os.path.join(folder, "etc")
    os.makedirs(top)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "ceph", top], check=True)
    for part in "upper", "work":
        os.mkdir(os.path.join(top, part))
    if words:
        subprocess.run(words, check=True)
    subprocess.run(["mount", "-t", "overlay", "-o", "lowerdir=/etc,upperdir=%s/upper,workdir=%s/work" % (top, top), "ceph", "/etc"], check=True)
    os.makedirs("/etc/ceph", exist_ok=True)


def run(*words, **more):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120 * libvirt_host.PATIENCE, **more)
    assert done.returncode == 0, "%s: %s%s" % (" ".join(words), done.stdout, done.stderr)
    return done.stdout


class Ceph:
    def __init__(self, folder, megabytes):
        self.folder, self.fsid, self.processes = os.path.join(folder, "ceph"), str(uuid.uuid4()), {}
        for part in "mon", "mgr", "osd":
            os.makedirs(os.path.join(self.folder, part))
        with open("/etc/ceph/ceph.conf", "w") as f:
            f.write(CONF % {"addresses": ADDRESSES, "fsid": self.fsid, "folder": self.folder, "size": megabytes << 20})

    def begin(self, name, *words):
        with open(os.path.join(self.folder, name + ".out"), "ab") as out:
            self.processes[name] = subprocess.Popen(words, stdout=out, stderr=out, preexec_fn=nested.die_with_parent)

    def key(self, name, *caps):
        with open("/etc/ceph/ceph.%s.keyring" % name, "w") as f:
            f.write(run("ceph", "auth", "get-or-create", name, *caps))

    def start(self):
        admin, mon, name = "/etc/ceph/ceph.client.admin.keyring", "/etc/ceph/ceph.mon.a.keyring", str(uuid.uuid4())
        run("ceph-authtool", "--create-keyring", admin, "--gen-key", "-n", "client.admin", *(w for d in ("mon", "osd", "mgr") for w in ("--cap", d, "allow *")))
        run("ceph-authtool", "--create-keyring", mon, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        run("ceph-authtool", mon, "--import-keyring", admin)
        run("monmaptool", "--create", "--addv", "a", ADDRESSES, "--fsid", self.fsid, self.folder + "/monmap")
        run("ceph-mon", "--mkfs", "-i", "a", "--monmap", self.folder + "/monmap", "--keyring", mon)
        self.begin("mon", "ceph-mon", "-f", "-i", "a", "--public-addrv", ADDRESSES)
        self.key("mgr.x", "mon", "allow profile mgr", "osd", "allow *")
        self.begin("mgr", "ceph-mgr", "-f", "-i", "x")
        run("ceph", "osd", "new", name)
        self.key("osd.0", "mon", "allow profile osd", "mgr", "allow profile osd", "osd", "allow *")
        run("ceph-osd", "--mkfs", "-i", "0", "--osd-uuid", name)
        self.osd_start()
        run("ceph", "osd", "pool", "create", POOL, "8")
        run("rbd", "pool", "init", POOL)
        self.key("client." + USER, "mon", "profile rbd", "osd", "profile rbd pool=" + POOL, "mgr", "profile rbd pool=" + POOL)
        # How full it is says the manager, some seconds later.
        libvirt_host.wait_for("its figures", lambda: '"total_bytes":0,' not in run("ceph", "df", "-f", "json"), 90 * libvirt_host.PATIENCE)

    def osd_start(self):
        self.begin("osd", "ceph-osd", "-f", "-i", "0")
        libvirt_host.wait_for("the OSD", lambda: "1 up" in run("ceph", "osd", "stat"), 90 * libvirt_host.PATIENCE)

    def osd_stop(self):
        self.processes["osd"].terminate()
        self.processes["osd"].wait()
        run("ceph", "osd", "down", "0")

    def secret(self):
        return run("ceph", "auth", "get-key", "client." + USER)

    def images(self):
        return sorted(run("rbd", "ls", POOL).split())

    def end(self):
        for name in "osd", "mgr", "mon":
            process = self.processes.get(name)
            if process and process.poll() is None:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
