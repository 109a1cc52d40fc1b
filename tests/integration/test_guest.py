#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop that is a machine: our image under QEMU, seeded by fw_cfg, enrolled over TLS, seen through gateway and worker.
Covers: agent/seed/main.c broker/hypervisor/desktop/card.c broker/hypervisor/desktop/guest.c broker/hypervisor/desktop/painted.c

Needs root, QEMU and what the image is made of; else it is skipped."""
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import gate_harness
import guest_harness
from broker_harness import SETUP, Broker, Provisioner, eventually
from test_gateway import Person
from test_remote_desktop import RawViewer

BUILD = gate_harness.BUILD
HOST_SEEN_FROM_GUEST = "10.0.2.2"  # QEMU's user network


class MachineProvisioner(Provisioner):
    """Its machines are guests; make(desktop, seed) starts one."""

    def __init__(self, run_dir, pki, broker_port, make, machines):
        self.pki, self.broker_port, self.make, self.most, self.guests = pki, broker_port, make, machines, {}
        super().__init__(run_dir)

    def answer(self, m):
        if m["op"] == "create" and len(self.machines) >= self.most and m["desktop"] not in self.machines:
            return {"error": {"code": "no_space", "title": "There is no further machine.", "status": 507, "retryable": True}}
        answer = super().answer(m)
        answer.pop("uid", None)
        return answer

    def start(self, desktop, m):
        port = gate_harness.free_port()
        self.machines[desktop] = {"task": m["task"], "endpoint": {"kind": "tls", "host": "127.0.0.1", "port": port}, "process": True}
        with open(self.pki + "/ca.pem") as f:
            ca = f.read()
        self.guests[desktop] = self.make(port, {
            "desktop": desktop, "token": m.get("enrol_token") or "", "hostname": "d" + desktop[:8], "broker": "%s:%d" % (HOST_SEEN_FROM_GUEST, self.broker_port),
            "display": "0.0.0.0:5910", "ca": ca, "locale": "en_US", "layout": "us", "time_ms": int(time.time() * 1000)})

    def stop(self, desktop):
        guest = self.guests.pop(desktop, None)
        if guest:
            guest.close()


class Site:
    """Authority, broker, gateway, and the provisioner of machines."""

    def __init__(self, make, machines=1):
        self.pki = tempfile.mkdtemp(prefix="puesto-pki-")
        subprocess.run([BUILD + "/base/puesto-pki", "init", self.pki, "--host", "localhost"], check=True, stdout=subprocess.DEVNULL)
        port = gate_harness.free_port()
        files = "".join("%s = %s/%s\n" % (k, self.pki, f) for k, f in (("ca", "ca.pem"), ("ca_key", "ca.key"), ("cert", "broker.pem"), ("key", "broker.key")))
        setup = {**SETUP, "pools": [{**SETUP["pools"][0], "min": machines, "max": machines}]}
        self.broker = Broker(setup, config="[agents]\nlisten = 127.0.0.1:%d\n%s" % (port, files))
        self.provisioner = MachineProvisioner(self.broker.dir + "/run", self.pki, port, make, machines)
        link = "[link]\npath = %s/puesto-link\nnetworks = 127.0.0.0/8\nca = %s/ca.pem\ncert = %s/gateway.pem\nkey = %s/gateway.key\n" % (
            BUILD, self.pki, self.pki, self.pki)
        self.gate = gate_harness.Gateway(worker=BUILD + "/puesto-worker", broker_socket=self.broker.dir + "/run/gateway.sock", more=link)
        self.ana = Person(self.gate, "ana")

    def connect(self):
        """A viewer on the pool's desktop, or None while there is none that can be used."""
        pool = self.ana.call("GET", "me/pools")[1]["items"][0]["id"]
        status, answer = self.ana.call("POST", "me/pools/%s/connect" % pool, {"protocol": "novnc"})[:2]
        return RawViewer(self.gate, answer["ticket"]) if status == 200 else None

    def guest(self):
        return next(iter(self.provisioner.guests.values()))

    def close(self):
        self.gate.close()
        self.provisioner.close()
        self.broker.close()
        shutil.rmtree(self.pki)


def shows(viewer, guest):
    """The viewer has the guest's own pixels."""
    viewer.step()
    return (viewer.width, viewer.height) == guest_harness.SHOWN and bytes(viewer.screen) == guest.pixels()


class Machine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.image = guest_harness.image()
        cls.began = time.monotonic()
        cls.site = Site(lambda port, seed: guest_harness.Guest(cls.image, port, seed))

    @classmethod
    def tearDownClass(cls):
        cls.site.close()

    def test_a_machine_boots_enrols_and_is_seen(self):
        try:
            viewer = eventually(self.site.connect, 150)
        except AssertionError:
            print(self.site.guest().told())
            raise
        guest = self.site.guest()
        print("enrolled and connected after %.1f s" % (time.monotonic() - self.began))
        viewer.step(incremental=False)
        eventually(lambda: shows(viewer, guest), 60)
        guest.shell("(DISPLAY=:0 XAUTHORITY=/run/puesto-x/Xauthority xterm -bg red -geometry 60x20+100+100 >/dev/null 2>&1 &)")
        eventually(lambda: shows(viewer, guest) and b"\x00\x00\xff" * 200 in bytes(viewer.screen), 60)
        desktop = next(iter(self.site.provisioner.guests))
        self.assertEqual(guest.shell("busybox hostname; cat /etc/hostname").split(), ["d" + desktop[:8]] * 2)
        self.assertEqual(guest.shell("ls /var/lib/puesto/agent/enrol.json 2>/dev/null"), "")
        self.assertEqual(guest.shell("cat /sys/class/net/eth0/operstate"), "up")
        self.assertNotEqual(guest.shell("cat /etc/machine-id"), "")
        viewer.ws.conn.close()

    @unittest.skipIf(int(os.environ.get("PUESTO_TIER", "1")) < 2, "tier 2")
    def test_other_places_of_a_seed(self):
        with open(self.site.pki + "/ca.pem") as f:
            seed = json.dumps({"desktop": gate_harness.DESKTOP, "token": "t", "hostname": "named-here", "broker": "10.0.2.2:9", "ca": f.read()}).encode()
        disk = self.site.pki + "/seed.iso"
        guest_harness.seed_disk(disk, seed)
        for more in (["-blockdev", "driver=file,node-name=seeds,read-only=on,filename=" + disk, "-device", "virtio-blk-pci,drive=seeds"],
                     ["-smbios", "type=11,value=org.puesto.seed=" + base64.b64encode(seed).decode()]):
            guest = guest_harness.Guest(self.image, None, more=more)
            try:
                eventually(lambda: guest.shell("busybox hostname") == "named-here", 60)
                self.assertIn("10.0.2.2:9", guest.shell("cat /etc/puesto/agent.conf"))
            finally:
                guest.close()


if __name__ == "__main__":
    if guest_harness.lacking():
        print("skipped: needs " + guest_harness.lacking())
        sys.exit(77)
    unittest.main(verbosity=1)
