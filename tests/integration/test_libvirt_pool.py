#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool of real machines: broker, provisioner, libvirt with QEMU, our image, agent, gateway, viewer; log-off makes the disk anew.
Of the second tier: it boots a machine twice. Everything is in a network namespace of the test's own.

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_libvirt_pool.py"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import gate_harness
import guest_harness
import libvirt_host
from broker_harness import SETUP, Broker, eventually
from test_gateway import Person
from test_remote_desktop import RawViewer

BUILD = gate_harness.BUILD
HERE, RANGE = "10.9.0.1", ("10.9.0.20", "10.9.0.40")
BOOT = 200.0
NETWORK = ("<network><name>desks</name><bridge name='virbr9'/><ip address='%s' netmask='255.255.255.0'>"
           "<dhcp><range start='10.9.0.100' end='10.9.0.200'/></dhcp></ip></network>" % HERE)


class Namespace:
    """The test is in it already."""

    def enter(self, *words):
        return list(words)


class Site:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="puesto-libvirt-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.host = libvirt_host.Host(self.folder, "host", Namespace())
        self.provisioner = self.broker = self.gate = None
        self.golden = os.path.join(self.folder, "golden")
        os.mkdir(self.golden)
        self.image()

    def image(self):
        image = guest_harness.image()
        for name in "disk.qcow2", "vmlinuz", "initrd":
            shutil.copyfile(os.path.join(image, name), os.path.join(self.golden, name))
            os.chmod(os.path.join(self.golden, name), 0o444)

    def hosts_start(self):
        self.host.start()
        path = os.path.join(self.folder, "net.xml")
        with open(path, "w") as f:
            f.write(NETWORK)
        self.host.virsh("net-create", path)

    def section(self):
        """Of the provider, beside what it is in any case."""
        return "uri = %s\nnetwork = desks\naddresses = %s-%s\n" % (self.host.uri, *RANGE)

    def start(self):
        self.hosts_start()
        pki = os.path.join(self.folder, "pki")
        os.mkdir(pki)
        subprocess.run([BUILD + "/base/puesto-pki", "init", pki, "--host", "localhost"], check=True, stdout=subprocess.DEVNULL)
        port = gate_harness.free_port()
        files = "".join("%s = %s/%s\n" % (k, pki, f) for k, f in (("ca", "ca.pem"), ("ca_key", "ca.key"), ("cert", "broker.pem"), ("key", "broker.key")))
        self.broker = Broker(self.setup(), "[agents]\nlisten = %s:%d\n%s" % (HERE, port, files))
        self.provisioner_start(pki, port)
        link = "[link]\npath = %s/puesto-link\nnetworks = 10.9.0.0/24\nca = %s/ca.pem\ncert = %s/gateway.pem\nkey = %s/gateway.key\n" % (BUILD, pki, pki, pki)
        self.gate = gate_harness.Gateway(worker=BUILD + "/puesto-worker", broker_socket=self.broker.dir + "/run/gateway.sock", more=link)
        self.ana = Person(self.gate, "ana")

    def setup(self):
        setup = json.loads(json.dumps(SETUP))
        setup["providers"][0]["name"] = setup["pools"][0]["provider"] = "vm"
        setup["images"][0]["versions"][0].update(base=self.golden + "/disk.qcow2", path=self.golden)
        setup["pools"][0].update(min=1, max=1, spec={"memory_mb": guest_harness.MEMORY_MB, "cpus": 2})
        return setup

    def provisioner_start(self, pki, port):
        conf = os.path.join(self.folder, "provisioner.conf")
        with open(conf, "w") as f:
            f.write("[provisioner]\ndata = %s\n[provider-vm]\nkind = libvirt\ndirectory = %s/disks\naccel = %s\nagents = %s:%d\nagents_ca = %s/ca.pem\n%s"
                    % (self.broker.dir, self.folder, guest_harness.accel().split(",")[0], HERE, port, pki, self.section()))
        self.log = open(os.path.join(self.folder, "provisioner.log"), "w")
        self.provisioner = subprocess.Popen([BUILD + "/broker/hypervisor/puesto-provisioner", "--config", conf], stdout=self.log, stderr=self.log)

    def connect(self):
        """A viewer on the pool's desktop, or None while there is none that can be used."""
        pool = self.ana.call("GET", "me/pools")[1]["items"][0]["id"]
        status, answer = self.ana.call("POST", "me/pools/%s/connect" % pool, {"protocol": "novnc"})[:2]
        return RawViewer(self.gate, answer["ticket"]) if status == 200 else None

    def told(self):
        with open(self.log.name) as f:
            return f.read()[-3000:] + self.broker.text()[-3000:]

    def close(self):
        if self.gate:
            self.gate.close()
        if self.provisioner:
            self.provisioner.terminate()
            self.provisioner.wait()
        if self.broker:
            self.broker.close()
        self.host.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def domain(site):
    """The one desktop's uuid."""
    names = site.host.domains()
    assert len(names) == 1 and names[0].startswith("puesto-"), names
    return names[0][len("puesto-"):]


def disk_of(site, desktop):
    for top, _, files in os.walk(site.folder + "/disks/"):
        if top.endswith(desktop) and "disk.qcow2" in files:
            return os.path.join(top, "disk.qcow2")
    raise AssertionError("no disk of %s" % desktop)


def sees_a_desktop(viewer):
    """More than one colour: something was painted."""
    viewer.step(incremental=False)
    screen = bytes(viewer.screen)
    return len({screen[i:i + 3] for i in range(0, len(screen), 3001 * 3)}) > 2


def test_a_pool_lives(site):
    began = time.monotonic()
    viewer = eventually(site.connect, BOOT)
    print("a user is connected %.1f s after the pool began" % (time.monotonic() - began))
    eventually(lambda: sees_a_desktop(viewer), 60)
    print("and sees a desktop after %.1f s" % (time.monotonic() - began))
    desktop = domain(site)
    disk = disk_of(site, desktop)
    first = open(disk, "rb")  # held, so that its inode is nobody else's
    assert os.fstat(first.fileno()).st_blocks > 100, "the guest wrote nothing?"
    with open(os.path.join(os.path.dirname(disk), "seed.json")) as f:
        assert "token" not in json.load(f)
    assert "puesto-" + desktop in site.host.virsh("net-dumpxml", "desks")
    viewer.ws.conn.close()
    status = site.ana.call("POST", "me/desktops/%s/logoff" % desktop, {})[0]
    assert status in (200, 202, 204), status
    eventually(lambda: os.fstat(first.fileno()).st_nlink == 0, 60)
    first.close()
    assert domain(site) == desktop and os.path.exists(disk)
    began = time.monotonic()
    viewer = eventually(site.connect, BOOT)
    print("after the log-off a fresh one is connected in %.1f s" % (time.monotonic() - began))
    viewer.ws.conn.close()


def run(make_site, why, prepare, test):
    """The test on a site of its own, in namespaces of its own. why: what keeps it from running; prepare: what needs the machine's network."""
    if int(os.environ.get("PUESTO_TIER", "1")) < 2:
        print("skipped: of tier 2")
        return 77
    if why:
        print("skipped:", why)
        return 77
    if "PUESTO_TEST_INSIDE" not in os.environ:
        prepare()
        os.environ["PUESTO_TEST_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "-m", "-n", "--propagation", "private", sys.executable] + sys.argv)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    site = make_site()
    try:
        site.start()
        try:
            test(site)
            print("PASS", test.__name__)
        except BaseException:
            print(site.told())
            raise
    finally:
        site.close()
    return 0


if __name__ == "__main__":
    # The image's kernel is fetched where there is a network.
    sys.exit(run(Site, libvirt_host.missing() or guest_harness.lacking(), guest_harness.image, test_a_pool_lives))
