#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool of QEMU's machines without libvirt: a parent that is booted once, instant clones of it, a user in one of them, log-off
and the next clone; parents that go, damage, and a provisioner that is killed. Of the second tier. In a network namespace of its own.
Covers: broker/hypervisor/qemu/parent_make.c broker/hypervisor/qemu/parents.c broker/hypervisor/qemu/qemu.c

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_qemu_pool.py"""
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import gate_harness
import guest_harness
from broker_harness import SETUP, Broker, eventually, log_in
from test_gateway import Person
from test_remote_desktop import RawViewer

BUILD = gate_harness.BUILD
HOST_SEEN_FROM_GUEST = "10.0.2.2"
BOOT = 290.0
NET = "10.9.0"


class Site:
    """Broker, gateway, provisioner; folder holds what is the provider's."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="pq-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.provisioner = self.broker = self.gate = None
        self.golden = self.folder + "/golden"
        os.mkdir(self.golden)
        image = guest_harness.image()
        for name in "disk.qcow2", "vmlinuz", "initrd":
            shutil.copyfile(os.path.join(image, name), os.path.join(self.golden, name))
            os.chmod(os.path.join(self.golden, name), 0o444)

    def start(self):
        pki = self.folder + "/pki"
        os.mkdir(pki)
        subprocess.run([BUILD + "/base/puesto-pki", "init", pki, "--host", "localhost"], check=True, stdout=subprocess.DEVNULL)
        port = gate_harness.free_port()
        files = "".join("%s = %s/%s\n" % (k, pki, f) for k, f in (("ca", "ca.pem"), ("ca_key", "ca.key"), ("cert", "broker.pem"), ("key", "broker.key")))
        self.port, self.dhcp = port, None
        self.broker = Broker(self.setup(), "[agents]\nlisten = 0.0.0.0:%d\n%s" % (port, files))
        self.conf, self.log = self.folder + "/provisioner.conf", open(self.folder + "/provisioner.log", "a")
        self.configure("agents = %s:%d" % (HOST_SEEN_FROM_GUEST, port))
        self.provisioner_start()
        link = "[link]\npath = %s/puesto-link\nnetworks = 127.0.0.0/8, %s.0/24\nca = %s/ca.pem\ncert = %s/gateway.pem\nkey = %s/gateway.key\n" % (BUILD, NET, pki, pki, pki)
        self.gate = gate_harness.Gateway(worker=BUILD + "/puesto-worker", broker_socket=self.broker.dir + "/run/gateway.sock", more=link)
        self.ana = Person(self.gate, "ana")
        self.admin = Person(self.gate, "admin")

    def configure(self, *lines):
        with open(self.conf, "w") as f:
            f.write("[provisioner]\ndata = %s\n[provider-vm]\nkind = qemu\ndirectory = %s/d\naccel = %s\nagents_ca = %s/pki/ca.pem\ndeadline_s = 300\nparent_wait_s = 240\n%s\n" % (
                self.broker.dir, self.folder, guest_harness.accel().split(",")[0], self.folder, "\n".join(lines)))

    def bridge(self):
        """A bridge with this namespace on it, and its DHCP server, which knows nobody but those in the provider's files."""
        subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)  # of this namespace's devices
        for words in ("link add br9 type bridge", "addr add %s.1/24 dev br9" % NET, "link set br9 up"):
            subprocess.run(["ip"] + words.split(), check=True)
        self.dhcp = subprocess.Popen(["dnsmasq", "--conf-file=/dev/null", "--keep-in-foreground", "--port=0", "--interface=br9", "--bind-interfaces", "--user=root",
                                      "--pid-file=", "--leasefile-ro", "--dhcp-range=%s.0,static" % NET, "--dhcp-hostsdir=%s/d/dhcp" % self.folder],
                                     stdout=self.log, stderr=self.log)

    def setup(self):
        setup = json.loads(json.dumps(SETUP))
        setup["providers"][0]["name"] = setup["pools"][0]["provider"] = "vm"
        setup["images"][0]["versions"][0].update(base=self.golden + "/disk.qcow2", path=self.golden)
        setup["pools"][0].update(min=2, max=2, spare=1, spec={"memory_mb": guest_harness.MEMORY_MB, "cpus": 2})
        return setup

    def provisioner_start(self):
        self.provisioner = subprocess.Popen([BUILD + "/broker/hypervisor/puesto-provisioner", "--config", self.conf], stdout=self.log, stderr=self.log,
                                            start_new_session=True)

    def provisioner_kill(self):
        self.provisioner.kill()
        self.provisioner.wait()

    def connect(self):
        """A viewer on a desktop of the pool and its uuid, or None while there is none that can be used."""
        pool = self.ana.call("GET", "me/pools")[1]["items"][0]["id"]
        status, answer = self.ana.call("POST", "me/pools/%s/connect" % pool, {"protocol": "novnc"})[:2]
        return (RawViewer(self.gate, answer["ticket"]), answer["desktop"]["id"]) if status == 200 else None

    def operate(self, desktop, what, body, is_done):
        """An administrator asks for it, and it is done on disk and in the broker's eyes."""
        def ask():
            return self.admin.call("POST", "desktops/%s/%s" % (desktop, what), body)[0] in (200, 201, 202, 204)
        eventually(ask, 60)
        eventually(lambda: is_done(self.records().get(desktop, {"phase": "", "snapshots": []})), 60)

    def change(self, pool, rev, values):
        fields = dict(self.admin.fields)
        self.admin.fields["If-Match"] = '"%s"' % rev
        status, answer = self.admin.call("PATCH", "pools/" + pool, values)[:2]
        self.admin.fields = fields
        assert status == 200, answer

    def empty(self, pool, rev):
        self.change(pool, rev, {"min": 0, "max": 0, "spare": 0})
        for desktop in self.records():
            self.admin.call("DELETE", "desktops/" + desktop)
        eventually(lambda: self.records() == {}, 60)

    def refill(self, pool):
        self.change(pool, self.admin.call("GET", "pools/" + pool)[1]["rev"], {"min": 1, "max": 1, "spare": 0})

    def records(self):
        found = {}
        for path in glob.glob(self.folder + "/d/desktops/*/record.json"):
            try:
                with open(path) as f:
                    record = json.load(f)
                found[record["request"]["desktop"]] = record
            except (OSError, ValueError):
                pass
        return found

    def running(self, n):
        records = self.records()
        return records if len(records) == n and all(r["phase"] == "running" for r in records.values()) else None

    def pid(self, desktop):
        try:
            with open("%s/d/desktops/%s/pid" % (self.folder, desktop)) as f:
                return json.load(f)["pid"]
        except (OSError, ValueError):
            return 0

    def parents(self):
        return sorted(os.path.basename(p) for p in glob.glob(self.folder + "/d/parents/*"))

    def said(self):
        with open(self.log.name) as f:
            return f.read()

    def told(self):
        return self.said()[-6000:] + self.broker.text()[-4000:]

    def close(self):
        if self.gate:
            self.gate.close()
        if self.provisioner:
            self.provisioner.terminate()
            self.provisioner.wait()
        for desktop in self.records():
            try:
                os.kill(self.pid(desktop), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                pass
        if self.dhcp:
            self.dhcp.terminate()
            self.dhcp.wait()
        if self.broker:
            self.broker.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def sees_a_desktop(viewer):
    """More than one colour: something was painted."""
    viewer.step(incremental=False)
    screen = bytes(viewer.screen)
    return len({screen[i:i + 3] for i in range(0, len(screen), 3001 * 3)}) > 2


def a_pool_is_made_of_clones(site):
    began = time.monotonic()
    eventually(lambda: site.running(2), BOOT)
    print("a parent and two clones of it after %.1f s" % (time.monotonic() - began))
    records = site.records()
    parents = site.parents()
    assert len(parents) == 1 and {r["parent"] for r in records.values()} == set(parents), (parents, records)
    assert len({r["uid"] for r in records.values()}) == 2
    for name, mode in ("disk.qcow2", 0o444), ("ram", 0o400), ("state", 0o400):
        st = os.stat("%s/d/parents/%s/%s" % (site.folder, parents[0], name))
        assert (st.st_mode & 0o7777, st.st_uid) == (mode, 0), name
    for desktop, record in records.items():
        it_has_no_rights(site.pid(desktop), record)


def it_has_no_rights(pid, record):
    with open("/proc/%d/status" % pid) as f:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    assert set(status["Uid"].split("\t")) == {str(record["uid"])}, status["Uid"]
    assert [status[k] for k in ("NoNewPrivs", "Seccomp", "CapPrm", "CapEff")] == ["1", "2", "0" * 16, "0" * 16]
    with open("/proc/%d/cmdline" % pid) as f:
        words = f.read()
    assert record["request"]["hostname"] not in words and "token" not in words
    assert os.getsid(pid) == pid


def a_user_works_and_leaves(site):
    began = time.monotonic()
    viewer, desktop = eventually(site.connect, BOOT)
    eventually(lambda: sees_a_desktop(viewer), 60)
    print("a user sees a desktop %.2f s after the log-in" % (time.monotonic() - began))
    first = open("%s/d/desktops/%s/disk.qcow2" % (site.folder, desktop), "rb")  # held, so that its inode is nobody else's
    assert os.fstat(first.fileno()).st_blocks > 8, "the guest wrote nothing?"
    pid = site.pid(desktop)
    viewer.ws.conn.close()
    status = site.ana.call("POST", "me/desktops/%s/logoff" % desktop, {})[0]
    assert status in (200, 202, 204), status
    eventually(lambda: os.fstat(first.fileno()).st_nlink == 0, 60)
    first.close()
    began = time.monotonic()
    eventually(lambda: site.pid(desktop) not in (0, pid) and site.running(2), BOOT)
    print("after the log-off a fresh clone in %.2f s" % (time.monotonic() - began))
    assert site.records()[desktop]["parent"] == site.parents()[0]


def a_killed_provisioner_loses_nobody(site):
    before = {d: site.pid(d) for d in site.records()}
    site.provisioner_kill()
    site.provisioner_start()
    eventually(lambda: site.said().count("hello to the broker") == 2, 60)
    assert {d: site.pid(d) for d in site.running(2)} == before
    assert len(site.parents()) == 1


def a_clone_sleeps_and_goes_back(site):
    """Its memory, which it shares with its parent's other children, goes to disk whole, and comes back into a QEMU of its own."""
    desktop = sorted(site.records())[0]
    site.operate(desktop, "power", {"power": "suspend"}, lambda r: r["phase"] == "suspended")
    site.operate(desktop, "power", {"power": "start"}, lambda r: r["phase"] == "running")
    site.operate(desktop, "snapshots", {"name": "before"}, lambda r: [s["whole"] for s in r["snapshots"]] == [True])
    site.operate(desktop, "power", {"power": "stop"}, lambda r: r["phase"] == "stopped")
    site.operate(desktop, "snapshots/before/revert", {}, lambda r: r["phase"] == "running")
    eventually(lambda: site.admin.call("GET", "desktops/" + desktop)[1]["agent"] == "ready", 60)
    eventually(lambda: site.running(2), BOOT)


def replaced(site):
    """An administrator removes one desktop; the one that comes instead, and how long that took from its command on."""
    before = site.records()
    gone = min(before, key=lambda d: before[d]["parent"])  # one that has booted by itself, if there is one
    status = site.admin.call("DELETE", "desktops/" + gone)[0]
    assert status in (200, 202, 204), status
    eventually(lambda: gone not in site.records(), 60)
    began = time.monotonic()
    records = eventually(lambda: site.running(2), BOOT)
    (fresh,) = set(records) - set(before)
    return records[fresh], time.monotonic() - began


def a_parent_that_cannot_be_resumed_is_not_needed(site):
    disk = "%s/d/parents/%s/disk.qcow2" % (site.folder, site.parents()[0])
    os.chmod(disk, 0o400)
    record, _ = replaced(site)
    assert record["parent"] == "" and "boots by itself, because its parent cannot be resumed" in site.said()
    os.chmod(disk, 0o444)
    record, seconds = replaced(site)
    assert record["parent"] == site.parents()[0], "it is whole after all"
    print("a clone made in %.2f s" % seconds)


def a_damaged_parent_is_made_anew(site):
    site.provisioner_kill()
    parent = site.parents()[0]
    with open("%s/d/parents/%s/state" % (site.folder, parent), "r+b") as f:
        f.seek(1000)
        f.write(b"damaged")
    damaged = os.stat("%s/d/parents/%s/state" % (site.folder, parent)).st_mtime_ns
    site.provisioner_start()
    eventually(lambda: site.said().count("hello to the broker") == 3, 60)
    record, _ = replaced(site)
    assert record["parent"] == "" and "is not what it was when it was made" in site.said(), "others stand on it: it stays, unused"
    pool = site.admin.call("GET", "pools")[1]["items"][0]["id"]
    rev = site.admin.call("GET", "pools/" + pool)[1]["rev"]
    site.empty(pool, rev)
    site.provisioner_kill()
    site.provisioner_start()
    eventually(lambda: site.said().count("hello to the broker") == 4, 60)
    site.refill(pool)
    records = eventually(lambda: site.running(1), BOOT)
    assert [r["parent"] for r in records.values()] == [parent]
    assert os.stat("%s/d/parents/%s/state" % (site.folder, parent)).st_mtime_ns != damaged


def a_bridge_gives_addresses_of_the_range(site):
    """The parent is the same: it has no card. The clone's is told to DHCP before it runs, and nobody asks the guest."""
    pool = site.admin.call("GET", "pools")[1]["items"][0]["id"]
    site.empty(pool, site.admin.call("GET", "pools/" + pool)[1]["rev"])
    site.provisioner_kill()
    site.bridge()
    site.configure("network = bridge:br9", "addresses = %s.20-%s.29" % (NET, NET), "agents = %s.1:%d" % (NET, site.port))
    site.provisioner_start()
    site.refill(pool)
    ((desktop, record),) = eventually(lambda: site.running(1), BOOT).items()
    assert record["parent"] == site.parents()[0] and record["address"].startswith(NET + ".2"), record
    viewer, connected = eventually(site.connect, BOOT)
    assert connected == desktop
    eventually(lambda: sees_a_desktop(viewer), 60)
    viewer.ws.conn.close()
    with open("/sys/class/net/pq%d/brport/isolated" % record["uid"]) as f:
        assert f.read().strip() == "1"
    with open("%s/d/dhcp/%s" % (site.folder, desktop)) as f:
        assert f.read().strip().split(",")[1] == record["address"]


def the_last_one_takes_the_parent_of_a_version_that_is_gone_along(site):
    os.utime(site.golden + "/disk.qcow2")
    pool = site.admin.call("GET", "pools")[1]["items"][0]["id"]
    site.empty(pool, site.admin.call("GET", "pools/" + pool)[1]["rev"])
    eventually(lambda: site.parents() == [], 60)
    assert os.listdir(site.folder + "/d/dhcp") == []


def main():
    if int(os.environ.get("PUESTO_TIER", "1")) < 2:
        print("skipped: of tier 2")
        return 77
    why = guest_harness.lacking() or ("" if shutil.which("dnsmasq") else "dnsmasq")
    if why:
        print("skipped:", why)
        return 77
    if "PUESTO_TEST_INSIDE" not in os.environ:
        guest_harness.image()  # its kernel is fetched where there is a network
        os.environ["PUESTO_TEST_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "-m", "-n", "--propagation", "private", sys.executable] + sys.argv)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    site = Site()
    try:
        site.start()
        try:
            for test in (a_pool_is_made_of_clones, a_user_works_and_leaves, a_killed_provisioner_loses_nobody, a_clone_sleeps_and_goes_back,
                         a_parent_that_cannot_be_resumed_is_not_needed, a_damaged_parent_is_made_anew,
                         a_bridge_gives_addresses_of_the_range, the_last_one_takes_the_parent_of_a_version_that_is_gone_along):
                test(site)
                print("PASS", test.__name__)
        except BaseException:
            print(site.told())
            raise
    finally:
        site.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
