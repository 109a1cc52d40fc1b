#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of the provider "libvirt", pinged both ways by real machines: desktops kept apart, no address but the own one, VLANs of Open vSwitch,
subnets that the provider makes. Of the second tier: it boots nine small machines. Everything is in a network namespace of the test's own.

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_networks.py"""
import gzip
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import uuid

import guest_harness
import libvirt_host
from driver_harness import TOOL, Driver

OVS_SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
OVS_RUN = "/run/openvswitch"  # where libvirt's ovs-vsctl looks
BOOT = 120.0

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
modprobe -a $(cat /drivers) 2>/dev/null
ip link set lo up
until [ -e /sys/class/net/eth0 ]; do sleep 0.1; done
ip link set eth0 up
exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty -echo -onlcr
PS1= PS2= exec sh
"""
LEASE = "#!/bin/busybox sh\n[ \"$1\" != bound ] || { ip addr flush dev eth0; ip addr add $ip/${mask:-24} dev eth0; }\n"


class Namespace:
    """The test is in it already."""

    def enter(self, *words):
        return list(words)


class Switch:
    """Open vSwitch without the kernel's part: its own database and daemon, and the bridge ovs0."""

    def __init__(self, folder):
        os.makedirs(OVS_RUN, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "ovs", OVS_RUN], check=True)
        database, self.log = folder + "/ovs.db", open(folder + "/ovs.log", "wb")
        subprocess.run(["ovsdb-tool", "create", database, OVS_SCHEMA], check=True)
        self.processes = [self.run("ovsdb-server", database, "--remote=punix:%s/db.sock" % OVS_RUN)]
        libvirt_host.wait_for("ovsdb-server", lambda: os.path.exists(OVS_RUN + "/db.sock"))
        subprocess.run(["ovs-vsctl", "--no-wait", "init"], check=True)
        self.processes.append(self.run("ovs-vswitchd", "unix:%s/db.sock" % OVS_RUN))
        subprocess.run(["ovs-vsctl", "--timeout=20", "add-br", "ovs0", "--", "set", "bridge", "ovs0", "datapath_type=netdev"], check=True)

    def run(self, *words):
        return subprocess.Popen([*words], stdout=self.log, stderr=self.log)

    def end(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait()
        self.log.close()


def golden(folder):
    """A machine that is a kernel and a shell: the image's own kernel and drivers, with another first program in front of its disk."""
    image = guest_harness.image()
    os.makedirs(folder + "/golden")
    extra = folder + "/extra"
    os.makedirs(extra)
    for name, text in (("init", INIT), ("lease", LEASE)):
        with open(os.path.join(extra, name), "w") as f:
            f.write(text)
        os.chmod(os.path.join(extra, name), 0o755)
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=extra, input=b"init\nlease\n", stdout=subprocess.PIPE, check=True).stdout
    shutil.copyfile(image + "/vmlinuz", folder + "/golden/vmlinuz")
    with open(image + "/initrd", "rb") as ours, open(folder + "/golden/initrd", "wb") as f:
        f.write(ours.read())
        f.write(b"\0" * (-f.tell() % 4) + gzip.compress(archive))  # a later archive wins
    path = folder + "/golden/disk.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", path, "16M"], check=True)
    for name in os.listdir(folder + "/golden"):
        os.chmod(os.path.join(folder, "golden", name), 0o444)
    return path


class Machine:
    """A desktop and its shell, on the serial line that the provider gives each."""

    def __init__(self, world, network):
        self.desktop, self.count, self.buffer = str(uuid.uuid4()), 0, b""
        answer = world.driver.call("create", self.desktop, str(uuid.uuid4()), world.golden, "t", network)["machine"]
        self.reserved = answer["address"]
        xml = world.host.virsh("dumpxml", "puesto-" + self.desktop)
        self.tty = os.open(re.search(r"<console type='pty' tty='([^']+)'", xml)[1], os.O_RDWR | os.O_NOCTTY)

    def ready(self):
        libvirt_host.wait_for("a shell", lambda: self("echo up", 3) == "up", BOOT)
        return self

    def __call__(self, command, seconds=30):
        """Its output, or None when it does not answer in time."""
        self.count += 1
        begin, end = b"<%d<" % self.count, b">%d>" % self.count
        # The marks are computed, so that an echo of the command is not taken for its output.
        os.write(self.tty, b"\necho '<'%d'<'; %s; echo '>'%d'>'\n" % (self.count, command.encode(), self.count))
        until = time.monotonic() + seconds
        while end not in self.buffer:
            if not select.select([self.tty], [], [], max(0, until - time.monotonic()))[0]:
                return None
            self.buffer += os.read(self.tty, 65536)
        out, _, self.buffer = self.buffer.partition(end)
        return out.rpartition(begin)[2].strip().decode(errors="replace")

    def lease(self):
        self("udhcpc -n -q -i eth0 -s /lease -t 10 -T 1 >/dev/null 2>&1", 60)
        address = re.search(r"inet ([0-9.]+)/", self("ip -4 addr show dev eth0"))
        return address and address[1]

    def address(self, address):
        self("ip addr flush dev eth0; ip addr add %s/24 dev eth0" % address)
        return address

    def reaches(self, address):
        return self("ping -c 1 -W 2 %s >/dev/null 2>&1 && echo yes || echo no" % address) == "yes"


def host_reaches(address):
    return subprocess.run(["busybox", "ping", "-c", "1", "-W", "2", address], stdout=subprocess.DEVNULL, check=False).returncode == 0


class World:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="puesto-libvirt-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.golden = golden(self.folder)
        self.switch = Switch(self.folder)
        self.host = libvirt_host.Host(self.folder, "one", Namespace())
        self.driver = None

    def start(self):
        self.host.start()
        self.driver = Driver(os.path.join(self.folder, "data"), {
            "kind": "libvirt", "uri": self.host.uri, "directory": self.folder + "/disks", "network": "none", "accel": guest_harness.accel().split(",")[0],
            "deadline_s": 60, "networks": "lab, open, red, blue, out, far", "network-lab": "isolated:10.71.0.0/24", "network-open": "isolated:10.72.0.0/24 peers:yes",
            "network-red": "ovs:ovs0 vlan:42", "network-blue": "ovs:ovs0 vlan:47", "network-out": "nat:10.74.0.0/24",
            "network-far": "bridge:br-far filter:none"})

    def machines(self, *networks):
        return [m.ready() for m in [Machine(self, n) for n in networks]]

    def remove(self, *machines):
        for m in machines:
            os.close(m.tty)
            self.driver.call("destroy", m.desktop)

    def end(self):
        if self.driver:
            self.driver.kill()
        self.host.end()
        self.switch.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def test_desktops_are_kept_apart_and_to_their_address(world):
    a, b = world.machines("lab", "lab")
    assert (a.lease(), b.lease()) == (a.reserved, b.reserved) and a.reserved != b.reserved, (a.reserved, b.reserved)
    for one, other in ((a, b), (b, a)):
        assert one.reaches("10.71.0.1") and host_reaches(one.reserved), "the host, where broker and gateway are"
        assert not one.reaches(other.reserved), "another desktop of the same network"
    stolen = a.address(b.reserved)
    assert not a.reaches("10.71.0.1") and a("ip -4 addr show dev eth0").count(stolen) == 1, "somebody else's address"
    a.address("10.71.0.200")
    assert not a.reaches("10.71.0.1"), "one of nobody's"
    a.address(a.reserved)
    assert a.reaches("10.71.0.1")
    a("ip link set eth0 down; ip link set eth0 address 52:54:00:00:00:99; ip link set eth0 up; ip addr add %s/24 dev eth0" % a.reserved)
    assert not a.reaches("10.71.0.1"), "another card's address"
    world.remove(a, b)


def test_desktops_reach_each_other_where_they_may(world):
    a, b = world.machines("open", "open")
    assert (a.lease(), b.lease()) == (a.reserved, b.reserved)
    assert a.reaches(b.reserved) and b.reaches(a.reserved) and a.reaches("10.72.0.1")
    world.remove(a, b)


def test_vlans_are_apart(world):
    red, also, blue = world.machines("red", "red", "blue")
    addresses = {m: m.address("10.73.0.%d" % n) for n, m in enumerate((red, also, blue), 1)}
    assert red.reaches(addresses[also]) and also.reaches(addresses[red]), "the same tag"
    for m in red, also:
        assert not m.reaches(addresses[blue]) and not blue.reaches(addresses[m]), "another tag"
    world.remove(red, also, blue)


class Neighbour:
    """A network namespace at the other end of a wire: 192.0.2.2, here is 192.0.2.1. It knows no other way."""

    def __enter__(self):
        self.process = subprocess.Popen(["unshare", "-n", "sh", "-c", "echo up; exec sleep 600"], stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "up\n"
        self.here("ip link add wire type veth peer name far netns %d" % self.process.pid, "ip addr add 192.0.2.1/24 dev wire", "ip link set wire up")
        self.there("ip addr add 192.0.2.2/24 dev far", "ip link set far up")
        return self

    def here(self, *commands, enter=()):
        for command in commands:
            subprocess.run([*enter, *command.split()], check=True, stdout=subprocess.DEVNULL)

    def there(self, *commands):
        self.here(*commands, enter=("nsenter", "--net=/proc/%d/ns/net" % self.process.pid))

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def test_nat_leads_out(world):
    with Neighbour():
        [a] = world.machines("out")
        assert a.lease() == a.reserved
        a("ip route add default via 10.74.0.1")
        assert a.reaches("192.0.2.2"), "it knows no way back but to this side of the wire"
        world.remove(a)
    libvirt_host.wait_for("the wire's end", lambda: not os.path.exists("/sys/class/net/wire"))


def test_a_vxlan_behind_a_bridge_spans_hosts(world):
    """As docs/hypervisors.md has it."""
    with Neighbour() as neighbour:
        neighbour.here("ip link add br-far type bridge", "ip link add vx-far type vxlan id 42 remote 192.0.2.2 dev wire dstport 4789", "ip link set vx-far master br-far up",
                       "ip link set br-far up")
        neighbour.there("ip link add vx-far type vxlan id 42 remote 192.0.2.1 dev far dstport 4789", "ip addr add 10.75.0.2/24 dev vx-far", "ip link set vx-far up")
        [a] = world.machines("far")
        a.address("10.75.0.1")
        assert a.reaches("10.75.0.2")
        neighbour.there("busybox ping -c 1 -W 2 10.75.0.1")
        world.remove(a)


def main():
    if int(os.environ.get("PUESTO_TIER", "1")) < 2:
        print("skipped: of tier 2")
        return 77
    lacking = [p for p in ("ovs-vsctl", "ovsdb-tool", "ovs-vswitchd", "dnsmasq", "ebtables") if not shutil.which(p)]
    why = libvirt_host.missing() or guest_harness.lacking() or (", ".join(lacking) + " is missing" if lacking else "")
    why = why or ("" if os.path.exists(TOOL) else "the test programs are not built")
    if why:
        print("skipped:", why)
        return 77
    if "PUESTO_TEST_INSIDE" not in os.environ:
        guest_harness.image()  # its kernel is fetched where there is a network
        os.environ["PUESTO_TEST_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "-m", "-n", "--propagation", "private", sys.executable] + sys.argv)
    subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)  # of this network
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    world = World()
    try:
        world.start()
        for name in sys.argv[1:] or [n for n in globals() if n.startswith("test_")]:
            began = time.monotonic()
            globals()[name](world)
            print("PASS %s (%.1f s)" % (name, time.monotonic() - began), flush=True)
    finally:
        world.end()
    return 0


if __name__ == "__main__":
    sys.exit(main())
