#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider "libvirt" with a real Xen: its hypervisor under QEMU by translation, libvirtd with libxl in its dom0, paravirtual guests in it.

Tier 3. The machine is nested.py's; this file runs in its dom0 again, where the driver's process and the guests' disks are. The guest is a kernel with
busybox, which says on its console what it sees. Run alone: top_builddir=build PUESTO_TIER=3 python3 tests/integration/test_nested_xen.py [name]"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid

import libvirt_host
import nested
from driver_harness import TOOL, Driver

URI = "xen:///system"
SECONDS = 600  # of the machine's own time, for each test

# Counts; tells what its seed's disk has of a token; has an address of its own where there is a card.
TINY = """until [ -b /dev/xvda ]; do sleep 0.2; done
echo "TINY memory $(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo) cpus $(nproc) disk $(cat /sys/block/xvda/size)"
[ -b /dev/xvdb ] && echo "TINY seed $(strings /dev/xvdb | grep -o '"token": *"[a-z_]*"' | head -n 1) readonly $(cat /sys/block/xvdb/ro)"
[ -e /sys/class/net/eth0 ] && ifconfig eth0 10.9.9.2 netmask 255.255.255.0 up && echo "TINY card $(cat /sys/class/net/eth0/address)"
n=0; while :; do n=$((n + 1)); echo "TINY tick $n"; sleep 1; done
"""


def new():
    return str(uuid.uuid4())


def virsh(*words, ok=True):
    done = subprocess.run(["virsh", "-q", "-c", URI, *words], capture_output=True, text=True, timeout=libvirt_host.DEADLINE)
    assert not ok or done.returncode == 0, "virsh %s: %s" % (" ".join(words), done.stderr)
    return done.stdout


def domains():
    return [n for n in virsh("list", "--all", "--name").split() if n != "Domain-0"]


class World:
    """libvirtd, an image of the tiny guest, a folder for disks."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="puesto-xen-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.directory, self.drivers = os.path.join(self.folder, "disks"), []
        self.golden = nested.tiny_image(os.path.join(self.folder, "image"), TINY, ("xen-blkfront", "xen-netfront"))
        self.bare = os.path.join(self.folder, "bare.qcow2")
        shutil.copy(self.golden, self.bare)
        self.ca = os.path.join(self.folder, "ca.pem")
        with open(self.ca, "w") as f:
            f.write("-----BEGIN CERTIFICATE-----\n")
        self.daemon = subprocess.Popen(["libvirtd"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        libvirt_host.wait_for("libvirtd", lambda: subprocess.run(["virsh", "-c", URI, "uri"], capture_output=True, check=False).returncode == 0)

    def driver(self, data="data", **more):
        settings = {"kind": "libvirt", "uri": URI, "directory": self.directory, "network": "none", "deadline_s": int(libvirt_host.DEADLINE),
                    "addresses": "10.9.0.10-10.9.0.60", "agents": "10.9.0.1:5911", "agents_ca": self.ca, **more}
        driver = Driver(os.path.join(self.folder, data), settings)
        self.drivers.append(driver)
        return driver

    def create(self, driver, **more):
        return driver.call("create", new(), new(), more.get("golden", self.golden), more.get("token", "token_of_this_test"))["machine"]["desktop"]

    def files(self, desktop):
        for top, folders, _ in os.walk(self.directory):
            if desktop in folders:
                return os.path.join(top, desktop)
        return None

    def clean(self):
        for driver in self.drivers:
            driver.kill()
        for name in domains():
            virsh("destroy", name, ok=False)
            virsh("undefine", name, "--managed-save", ok=False)
        for name in os.listdir(self.directory) if os.path.isdir(self.directory) else ():
            shutil.rmtree(os.path.join(self.directory, name))

    def end(self):
        self.clean()
        self.daemon.terminate()
        self.daemon.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def said(desktop):
    """What the guest wrote to its console so far, as xenconsoled keeps it."""
    out = ""
    for top, _, files in os.walk("/var/log/xen"):
        for name in files:
            if name == "guest-puesto-%s.log" % desktop:
                with open(os.path.join(top, name), errors="replace") as f:
                    out += f.read()
    return out


def says(desktop, pattern, times=1):
    """Waits until the guest has said it so often; the last match."""
    found = libvirt_host.wait_for("the guest's %s" % pattern, lambda: (re.findall(pattern, said(desktop)) or [])[times - 1:])
    return found[-1]


def test_what_it_carries_is_told(world):
    driver = world.driver()
    libvirt_host.wait_for("a healthy provider", lambda: driver.health()["healthy"])
    can = driver.health()["can"]
    assert "power" in can and "suspend" in can and "resize" in can and "snapshot" not in can and "console" not in can and "migrate" not in can, can
    desktop = world.create(driver)
    for words in (("snapshot", desktop, "take", "a"), ("console", desktop), ("resize", desktop, "0", "0", "100")):
        r = driver.refused(*words)
        assert r.code == "unsupported" and "Xen" in r.text, r
    driver.call("destroy", desktop)
    r = driver.refused("create", new(), new(), world.bare, "t")
    assert r.code == "unsupported" and "vmlinuz and initrd" in r.text, r
    assert domains() == [] and driver.machines() == {}
    driver.end()


def test_the_guest_has_its_seed_once(world):
    driver = world.driver()
    desktop = world.create(driver)
    path = os.path.join(world.files(desktop), "seed.iso")
    with open(path, "rb") as f:
        assert b"token_of_this_test" not in f.read(), "nobody finds it later"
    assert "token_of_this_test" not in virsh("dumpxml", "puesto-" + desktop)
    assert "token_of_this_test" in says(desktop, r"TINY seed (.*)"), "the guest has"
    assert says(desktop, r"TINY seed .*readonly (\d)") == "1"
    driver.call("power", desktop, "off")
    driver.call("power", desktop, "start")
    assert "token_of_this_test" not in says(desktop, r"TINY seed (.*)", 2)
    assert driver.machines()[desktop]["address"].startswith("10.9.0.")
    driver.call("destroy", desktop)
    assert world.files(desktop) is None
    driver.end()


def test_memory_is_kept_over_a_sleep_and_changes_while_it_is_off(world):
    driver = world.driver()
    desktop = world.create(driver)
    driver.call("watch", desktop)
    says(desktop, r"TINY tick 3\D")
    driver.call("power", desktop, "suspend")
    machine = driver.machines()[desktop]
    assert machine["state"] == "stopped", machine
    ticks = int(says(desktop, r"TINY tick (\d+)\s*\n(?!.*TINY tick)"))
    driver.call("power", desktop, "start")
    says(desktop, r"TINY tick %d\D" % (ticks + 3))
    assert said(desktop).count("TINY memory") == 1, "it did not boot again"
    assert driver.ends.empty(), "to sleep is no end"
    driver.call("power", desktop, "off")
    driver.call("resize", desktop, "192", "200")
    driver.call("power", desktop, "start")
    memory, cpus = says(desktop, r"TINY memory (\d+) cpus (\d+)", 2)
    assert 128 < int(memory) <= 192 and cpus == "2", (memory, cpus)
    driver.call("destroy", desktop)
    driver.end()


def test_a_card_is_on_its_bridge(world):
    subprocess.run(["ip", "link", "add", "xenbr9", "type", "bridge"], check=True)
    subprocess.run("ip addr add 10.9.9.1/24 dev xenbr9 && ip link set xenbr9 up", shell=True, check=True)
    driver = world.driver(network="bridge:xenbr9")
    desktop = world.create(driver)
    assert says(desktop, r"TINY card (\S+)") in virsh("dumpxml", "puesto-" + desktop)
    libvirt_host.wait_for("the guest's echo", lambda: subprocess.run(["busybox", "ping", "-c1", "-W2", "10.9.9.2"], capture_output=True, check=False).returncode == 0)
    driver.call("destroy", desktop)
    driver.end()
    driver = world.driver(network="bridge:xenbr9", peers="no")
    r = driver.refused("create", new(), new(), world.golden, "t")
    assert r.code == "unsupported" and "isolated" in r.text, r
    driver.end()
    subprocess.run(["ip", "link", "del", "xenbr9"], check=True)


def test_an_end_is_told_and_others_are_left_alone(world):
    driver, plain = world.driver(), new()
    xml = "<domain type='xen'><name>puesto-%s</name><uuid>%s</uuid><memory>65536</memory><os><type>linux</type><kernel>%s</kernel></os></domain>" % (
        plain, plain, os.path.dirname(world.golden) + "/vmlinuz")
    path = os.path.join(world.folder, "plain.xml")
    with open(path, "w") as f:
        f.write(xml)
    virsh("define", path)
    desktop = world.create(driver)
    assert set(driver.machines()) == {desktop}
    driver.call("destroy", plain)
    assert driver.refused("create", plain, new(), world.golden, "t").code == "conflict" and "puesto-" + plain in domains()
    driver.call("watch", desktop)
    subprocess.run(["xl", "destroy", "puesto-" + desktop], check=True)
    end = driver.ends.get(timeout=libvirt_host.DEADLINE)
    assert end["ended"] == desktop and end["reason"], end
    assert driver.machines()[desktop]["state"] in ("failed", "stopped"), driver.machines()
    driver.call("destroy", desktop)
    virsh("undefine", "puesto-" + plain)
    driver.end()


def contract_of(part):
    def check(world):
        libvirt_host.contract_check(URI, world.golden, world.directory, part)
        assert domains() == [], "not all of it was removed: %s" % virsh("list", "--all")
    return check


TESTS = {**{n: f for n, f in globals().items() if n.startswith("test_")}, **{"the_contract_of_" + part: contract_of(part) for part in libvirt_host.CONTRACT}}


def within():
    world = World()
    try:
        return nested.run_within(TESTS, sys.argv[1:], world, SECONDS)
    finally:
        world.end()


def main():
    if nested.is_within():
        return within()
    why = "tier 3" if int(os.environ.get("PUESTO_TIER", "1")) < 3 else nested.missing("machine-xen")
    why = why or ("" if os.path.exists(libvirt_host.UNIT) and os.path.exists(TOOL) else "the test programs are not built")
    if why:
        print("SKIP:", why)
        return 77
    with nested.Machine(["machine-xen"], memory_mb=3072, scratch_mb=4096, xen=True, own_time=True) as machine:
        return machine.again(sys.argv, SECONDS * len(sys.argv[1:] or TESTS), patience=2)


if __name__ == "__main__":
    sys.exit(main())
