#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host is taken out of service while somebody works: two libvirtd on one machine, broker, provisioner, our image, agent, gateway, a viewer
whose picture goes on. Of the second tier: it boots a machine. Everything is in a network namespace of the test's own.

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_maintenance.py"""
import os
import struct
import subprocess
import sys
import threading
import time

import guest_harness
import libvirt_host
import test_libvirt_pool as pool
from broker_harness import eventually
from test_gateway import Person

ADDRESS = "10.9.0.20"  # of the one desktop
GAP = 20.0             # seconds without a picture, at most, beside three times what the busy machine takes without any move


class Site(pool.Site):
    """Two hosts on one bridge, with a DHCP of the site's own, as in earnest; the pool's desktops are on the network "office"."""

    def __init__(self):
        super().__init__()
        self.hosts = {"one": self.host, "two": libvirt_host.Host(self.folder, "two", pool.Namespace())}
        self.dhcp = None

    def hosts_start(self):
        for words in ("link add desks type bridge", "addr add %s/24 dev desks" % pool.HERE, "link set desks up"):
            subprocess.run(["ip", *words.split()], check=True)
        self.dhcp = subprocess.Popen(["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--port=0", "--interface=desks", "--bind-interfaces",
                                      "--dhcp-range=%s,%s,255.255.255.0" % (ADDRESS, ADDRESS), "--dhcp-leasefile=%s/leases" % self.folder,
                                      "--pid-file=%s/dnsmasq.pid" % self.folder, "--user=root"], stderr=subprocess.DEVNULL)
        for host in self.hosts.values():
            host.start()

    def section(self):
        return ("hosts = %s\nmigrate_uris = one=tcp://127.0.0.1, two=tcp://127.0.0.1\nshared_directory = yes\nnetwork = none\nnetworks = office\n"
                "network-office = bridge:desks addresses:%s-%s\n" % (", ".join("%s=%s" % (n, h.uri) for n, h in self.hosts.items()), ADDRESS, ADDRESS))

    def setup(self):
        setup = super().setup()
        setup["pools"][0]["spec"]["network"] = "office"
        return setup

    def close(self):
        super().close()
        self.hosts["two"].end()
        if self.dhcp:
            self.dhcp.kill()
            self.dhcp.wait()


class Watch:
    """Opens and closes the desktop's menu for ever, and notes when the picture has changed."""

    def __init__(self, viewer):
        self.viewer, self.times, self.error, self.stop, self.lock = viewer, [], None, False, threading.Lock()
        send = viewer.send

        def whole(data):
            with self.lock:
                send(data)
        viewer.send = whole
        self.threads = [threading.Thread(target=self.guard, args=(work,), daemon=True) for work in (self.look, self.click)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def guard(self, work):
        try:
            while not self.stop:
                work()
        except Exception as e:  # told by the main thread
            self.error = e

    def look(self):
        self.viewer.step()
        self.times.append(time.monotonic())

    def click(self):
        """A click that nothing comes of holds up nobody: the next one comes."""
        for mask, x in ((4, 300), (0, 300), (1, 900), (0, 900)):
            self.viewer.send(struct.pack(">BBHH", 5, mask, x, 300))
            time.sleep(0.1)

    def gap(self, since):
        """The longest time without a change of the picture since then, with what has passed since the last one."""
        times = [since] + [t for t in self.times if t > since] + [time.monotonic()]
        return max(b - a for a, b in zip(times, times[1:]))


def move_away(site, admin, watch, desktop, allowed):
    """From whichever host it is on; returns that host."""
    here = admin.call("GET", "desktops/" + desktop)[1]["placement"]["host"]
    assert site.hosts[here].domains() == ["puesto-" + desktop], (here, site.hosts[here].domains())
    began, n = time.monotonic(), len(watch.times)
    status, answer, _ = admin.call("POST", "providers/vm/hosts/%s/maintenance" % here, {"on": True})
    assert status == 202 and answer["maintenance"]["total"] == 1, answer

    def empty():
        answer = admin.call("GET", "providers/vm/hosts/" + here)[1]
        assert not any(d["state"] == "stays" for d in answer["staying"]), answer["staying"]
        return answer["state"] == "empty" and answer["maintenance"]["moved"] == 1
    eventually(empty, 120)
    took = time.monotonic() - began
    eventually(lambda: watch.error or len(watch.times) > n + 8, 60)
    assert not watch.error, watch.error
    d = admin.call("GET", "desktops/" + desktop)[1]
    there = d["placement"]["host"]
    assert there != here and site.hosts[there].domains() == ["puesto-" + desktop] and site.hosts[here].domains() == [], (here, there)
    assert d["state"] == "connected" and here + ": maintenance" in d["placement"]["en"], d
    gap = watch.gap(began)
    print("moved from %s to %s in %.1f s; the longest time without a picture %.2f s" % (here, there, took, gap))
    assert gap < allowed, gap
    return here


def test_a_host_is_emptied_while_somebody_works(site):
    viewer = eventually(site.connect, pool.BOOT)
    eventually(lambda: pool.sees_a_desktop(viewer), 60)
    desktop = next(d for h in site.hosts.values() for d in h.domains())[len("puesto-"):]
    xml = next(h for h in site.hosts.values() if h.domains()).virsh("dumpxml", "puesto-" + desktop)
    assert "<port isolated='yes'/>" in xml and "clean-traffic" in xml and ADDRESS in xml, xml
    admin = Person(site.gate, "admin")
    session = admin.call("GET", "sessions")[1]["items"][0]["id"]
    assert [n["name"] for n in admin.call("GET", "providers/vm/networks")[1]["items"]] == ["office"]
    watch = Watch(viewer)
    watch.start()
    eventually(lambda: watch.error or len(watch.times) > 8, 60)
    assert not watch.error, watch.error
    before = watch.gap(watch.times[2])
    print("before: the longest time without a picture %.2f s" % before)
    first = move_away(site, admin, watch, desktop, GAP + 3 * before)
    assert admin.call("POST", "providers/vm/hosts/%s/maintenance" % first, {"on": False})[1]["state"] == "ready"
    move_away(site, admin, watch, desktop, GAP + 3 * before)
    assert admin.call("GET", "sessions")[1]["items"][0]["id"] == session, "it was one session all the time"
    watch.stop = True
    viewer.ws.conn.close()


if __name__ == "__main__":
    sys.exit(pool.run(Site, pool.libvirt_host.missing() or pool.guest_harness.lacking(), pool.guest_harness.image, test_a_host_is_emptied_while_somebody_works))
