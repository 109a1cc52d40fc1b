#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider "hyperv" with a double of a Hyper-V host, made from the published schemas: no real one is at hand. The contract of all drivers,
what is made and how, and a host that refuses, fails half-way, loses replies, hangs or goes away.
Covers: broker/hypervisor/hyperv/hyperv.c broker/hypervisor/hyperv/op.c broker/hypervisor/hyperv/life.c broker/hypervisor/hyperv/power.c
broker/hypervisor/hyperv/inventory.c broker/hypervisor/hyperv/vm.c broker/hypervisor/hyperv/wsman.c

Run alone: top_builddir=build python3 tests/integration/test_hyperv.py"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

from driver_harness import BUILD, Driver, Refused
from hyperv_host import Host
from rdp_double import ENDPOINT_RDP, PIN, SHOWN, WINDOWS, RdpServer, shown_by

UNIT = BUILD + "/tests/unit/hypervisor/unit-hypervisor"


def new():
    return str(uuid.uuid4())


class Hyperv(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="puesto-hyperv-")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.host = Host(self.dir)
        self.addCleanup(self.host.stop)

    def driver(self, env=None, **more):
        d = Driver(self.dir + "/data", self.host.settings(**more), env=env)
        self.addCleanup(d.end)
        return d

    def create(self, d, desktop=None, task=None, token="-"):
        desktop = desktop or new()
        d.call("create", desktop, task or new(), "ref:desk", token)
        return desktop

    def vm(self):
        vm, = self.host.vms.values()
        return vm

    def nothing_is_left(self):
        self.assertEqual((self.host.vms, list(self.host.files)), ({}, ["d:\\images\\desk.vhdx"]))

    def test_the_contract_of_all_drivers(self):
        conf = self.dir + "/contract.conf"
        with open(conf, "w") as f:
            f.write("[provider-test]\n" + "".join("%s = %s\n" % s for s in self.host.settings().items()))
        # The machine's process is its state: the test's die asks for it by a file.
        kills = self.dir + "/kills"
        os.mkdir(kills)
        run = subprocess.Popen([UNIT, "--filter", "hyperv/keeps_the_contract"], env=dict(os.environ, PUESTO_HYPERV_CONF=conf, PUESTO_HYPERV_KILLS=kills),
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        until = time.monotonic() + 240
        while run.poll() is None and time.monotonic() < until:
            for name in os.listdir(kills):
                for vm in list(self.host.vms.values()):
                    if vm["name"] == "puesto-" + name:
                        vm["state"] = 3
                os.unlink(kills + "/" + name)
            time.sleep(0.02)
        out = run.communicate(timeout=10)[0]
        self.assertEqual(run.returncode, 0, out)
        self.assertIn("Passing: 1", out)
        self.nothing_is_left()

    def test_a_pool_chooses_its_switch(self):
        d = self.driver(networks="office", **{"network-office": "Office 2"})
        self.assertEqual(d.call("places")["networks"], [{"name": "office", "kind": "existing", "about": "Office 2"}])
        for network, switch in (("office", "Office 2"), ("host", "Lab")):
            desktop = new()
            d.call("create", desktop, new(), "ref:desk", "-", network)
            d.call("restart", desktop, new(), "refresh", "-")
            card, = [r[1]["HostResource"][0] for r in self.vm()["resources"] if r[0] == "Msvm_EthernetPortAllocationSettingData"]
            self.assertIn(self.host.switches[switch], card)
            d.call("destroy", desktop)
        self.assertEqual(d.refused("create", new(), new(), "ref:desk", "-", "moon").code, "invalid", "no other switch than the pool's")
        self.nothing_is_left()

    def test_a_refresh_that_cannot_be_leaves_the_machine(self):
        d = self.driver()
        desktop = self.create(d)
        lab = self.host.switches.pop("Lab")
        self.assertIn("no virtual switch", d.refused("restart", desktop, new(), "refresh", "-").text)
        self.assertEqual(d.machines()[desktop]["state"], "running", "it was ended for nothing")
        self.host.switches["Lab"] = lab
        d.call("restart", desktop, new(), "refresh", "-")
        d.call("destroy", desktop)
        self.nothing_is_left()

    def test_what_is_made(self):
        with open(self.dir + "/ca.pem", "w") as f:
            f.write("AUTHORITY\n")
        d = self.driver(agents="10.0.0.1:5911", agents_ca=self.dir + "/ca.pem")
        self.host.faults.update({"DefineSystem": "slow", "AddResourceSettings": "slow", "CreateVirtualHardDisk": "warned"})
        desktop = self.create(d, token="t0p-secret")
        vm = self.vm()
        self.assertEqual((vm["name"], vm["state"], vm["disk"]), ("puesto-" + desktop, 2, "d:\\puesto\\puesto-%s.vhdx" % desktop))
        self.assertEqual(self.host.files[vm["disk"]], "d:\\images\\desk.vhdx")
        kinds = [r["ResourceSubType"].rsplit(":", 1)[1] for _, r in vm["resources"]]
        self.assertEqual(kinds, ["Memory", "Processor", "Synthetic SCSI Controller", "Synthetic Disk Drive", "Virtual Hard Disk",
                                 "Synthetic Ethernet Port", "Ethernet Connection"])
        record = json.loads("".join(vm["notes"]))
        self.assertEqual((record["phase"], record["provider"]), ("running", "test"))
        self.assertNotIn("t0p-secret", "".join(vm["notes"]))
        self.assertEqual(json.loads(vm["kvp"]["org.puesto.seed"])["token"], "t0p-secret")
        d.call("restart", desktop, new(), "keep", "an0ther")
        self.assertEqual(json.loads(self.vm()["kvp"]["org.puesto.seed"])["token"], "an0ther")
        d.call("destroy", desktop)
        self.nothing_is_left()

    def test_lists_come_in_pages(self):
        d = self.driver()
        desktops = {self.create(d) for _ in range(5)}
        self.assertEqual(set(d.machines()), desktops)
        self.assertIn("Pull", self.host.calls)
        self.assertEqual(len({m["address"] for m in d.machines().values()}), 5)
        d.kill()
        d = self.driver()
        self.create(d)
        self.assertEqual(len({m["address"] for m in d.machines().values()}), 6, "addresses of an earlier run are not free")

    def test_a_strangers_machine_is_never_touched(self):
        d = self.driver()
        desktop = new()
        self.host.vms["X"] = {"id": "X", "name": "puesto-" + desktop, "notes": ["a machine of somebody"], "state": 2, "resources": [], "snapshots": {}, "kvp": {},
                              "disk": None}
        refused = d.refused("create", desktop, new(), "ref:desk")
        self.assertEqual((refused.code, "left alone" in refused.text), ("conflict", True))
        disk = "d:\\puesto\\puesto-%s.vhdx" % desktop
        self.host.files[disk] = None
        d.call("destroy", desktop)
        self.assertEqual((list(self.host.vms), d.machines()), (["X"], {}))
        self.assertIn(disk, self.host.files, "the disk of a machine that was left alone")

    def test_a_copy_that_somebody_made_is_his(self):
        """An import as a copy has the name and the notes of the machine, and another identity."""
        d = self.driver()
        desktop = self.create(d)
        mine = self.vm()
        self.host.vms["COPY"] = dict(mine, id="COPY", state=3, disk=None, resources=[], snapshots={})
        self.assertEqual([m["state"] for m in d.call("list")["machines"]], ["running"])
        d.call("restart", desktop, new(), "refresh", "-")
        self.assertIn("COPY", self.host.vms)
        self.assertEqual(d.machines()[desktop]["state"], "running")
        d.call("destroy", desktop)
        self.assertEqual(list(self.host.vms), ["COPY"])

    def test_a_list_of_files_that_was_not_asked_for_removes_nothing(self):
        d = self.driver()
        self.host.files["d:\\puesto\\theirs.vhdx"] = None
        self.host.is_careless = True
        d.call("destroy", self.create(d))
        self.assertEqual(set(self.host.files), {"d:\\images\\desk.vhdx", "d:\\puesto\\theirs.vhdx"})

    def test_every_file_goes(self):
        d = self.driver()
        desktop = self.create(d)
        for i in range(150):
            self.host.files["d:\\puesto\\puesto-%s_%03d.avhdx" % (desktop, i)] = None
        d.call("destroy", desktop)
        self.nothing_is_left()

    def test_what_fails_half_way_leaves_nothing_and_says_why(self):
        d = self.driver()
        for method, fault, words in (("DefineSystem", "return:32778", "memory is short"), ("CreateVirtualHardDisk", "job", "the disk is full"),
                                     ("AddResourceSettings", "fault", "the provider has crashed"), ("RequestStateChange", "return:32768", "it failed")):
            self.host.faults[method] = fault
            refused = d.refused("create", new(), new(), "ref:desk")
            self.assertIn(words, refused.text)
            self.nothing_is_left()
        self.assertIn("no such file", d.refused("create", new(), new(), "ref:other").text)
        self.nothing_is_left()

    def test_lost_replies_double_nothing(self):
        d = self.driver()
        for method in ("DefineSystem", "CreateVirtualHardDisk", "RequestStateChange", "ModifySystemSettings"):
            desktop, task = new(), new()
            self.host.faults[method] = "drop"
            try:
                d.call("create", desktop, task, "ref:desk")
            except Refused:
                d.call("create", desktop, task, "ref:desk")
            self.assertEqual([v["name"] for v in self.host.vms.values()], ["puesto-" + desktop])
            self.host.faults["DestroySystem"] = "drop"
            try:
                d.call("destroy", desktop)
            except Refused:
                d.call("destroy", desktop)
            self.nothing_is_left()

    def test_what_hangs_ends_and_is_taken_up_again(self):
        d = self.driver(deadline_s=2)
        desktop, task = new(), new()
        self.host.faults["CreateVirtualHardDisk"] = "hang"
        self.assertEqual(d.refused("create", desktop, task, "ref:desk").code, "timeout")
        self.host.held.set()
        d.end()
        d = self.driver()
        d.call("create", desktop, task, "ref:desk")
        self.assertEqual(len(self.host.vms), 1)

    def test_a_cancelled_command_ends(self):
        d = self.driver()
        desktop, task = new(), new()
        self.host.faults["AddResourceSettings"] = "hang"
        n = d.begin("create", desktop, task, "ref:desk")
        until = time.monotonic() + 20
        while "AddResourceSettings" not in self.host.calls and time.monotonic() < until:
            time.sleep(0.02)
        d.call("cancel", desktop)
        with self.assertRaises(Refused) as r:
            d.finish(n)
        self.assertEqual(r.exception.code, "closed")
        self.host.held.set()
        self.assertEqual(d.machines()[desktop]["reason"], "its creation was interrupted")
        d.call("create", desktop, task, "ref:desk")
        self.assertEqual(d.machines()[desktop]["state"], "running")

    def test_wrong_passwords_and_absent_hosts_are_told(self):
        d = self.driver(user="somebody")
        self.assertIn("does not let somebody in", d.health()["reason"])
        self.assertEqual(d.refused("list").code, "unauthenticated")
        d.end()
        d = self.driver()
        desktop = self.create(d)
        port = self.host.port
        self.host.stop()
        self.assertFalse(d.health()["healthy"])
        self.assertEqual(d.refused("list").code, "closed")
        self.host.start(port)
        self.assertEqual(d.machines()[desktop]["state"], "running")

    def test_the_guest_is_asked_and_memory_is_kept(self):
        d = self.driver()
        desktop = self.create(d)
        d.call("power", desktop, "stop")
        self.assertEqual((self.vm()["state"], d.machines()[desktop]["state"]), (3, "stopped"))
        self.assertTrue(self.vm().pop("asked", False), "it was switched off without a word")
        d.call("power", desktop, "start")
        self.vm()["deaf"] = True
        d.call("power", desktop, "stop")
        self.assertEqual((self.vm()["state"], self.vm().get("asked")), (3, None))
        d.call("power", desktop, "start")
        d.call("power", desktop, "suspend")
        self.assertEqual((self.vm()["state"], d.machines()[desktop]["state"]), (6, "stopped"))
        d.call("snapshot", desktop, "take", "asleep")
        d.call("power", desktop, "start")
        d.call("snapshot", desktop, "take", "awake")
        d.call("snapshot", desktop, "take", "awake")
        self.assertEqual([x["name"] for x in self.vm()["snapshots"].values()], ["asleep", "awake"])
        d.call("power", desktop, "off")
        d.call("snapshot", desktop, "revert", "awake")
        self.assertEqual(d.machines()[desktop]["state"], "running")
        d.call("destroy", desktop)
        self.nothing_is_left()

    def rdp(self):
        server = RdpServer()
        self.addCleanup(server.end)
        return server

    def rdp_driver(self, server, env, **more):
        return self.driver(env, rdp_port=server.port, addresses="127.0.0.1-127.0.0.1", **more)

    def test_a_machine_is_shown_by_its_own_rdp_server(self):
        server = self.rdp().begin()
        d = self.rdp_driver(server, SHOWN, rdp_fingerprint=PIN)
        desktop = shown_by(d, server, "ref:desk")
        self.assertNotIn("InitiateShutdown", self.host.calls, "nobody asks Linux before a restart")
        # What does not answer any more fails, and stays.
        server.end()
        d.end()
        d = self.rdp_driver(server, SHOWN, rdp_wait_s=1)
        self.assertEqual(d.refused("restart", desktop, new(), "keep", "-").code, "timeout")
        self.assertEqual(d.machines()[desktop]["state"], "running")
        self.assertIn("by what certificate", d.refused("way", desktop).text)

    def test_a_new_machine_whose_rdp_server_never_answers_is_removed(self):
        server = self.rdp()
        d = self.rdp_driver(server, SHOWN, rdp_wait_s=1)
        refused = d.refused("create", new(), new(), "ref:desk", "-")
        self.assertEqual(refused.code, "timeout")
        self.assertIn("RDP server at 127.0.0.1 port %d does not answer" % server.port, refused.text)
        self.nothing_is_left()

    def test_windows_has_an_agent_and_is_asked_to_end(self):
        with open(self.dir + "/ca.pem", "w") as f:
            f.write("AUTHORITY\n")
        server = self.rdp()  # it does not answer, and nobody waits for it
        d = self.rdp_driver(server, WINDOWS, agents="10.0.0.1:5911", agents_ca=self.dir + "/ca.pem", deadline_s=20)
        desktop = new()
        machine = d.call("create", desktop, new(), "ref:desk", "t0p-secret")["machine"]
        self.assertEqual((machine["kind"], machine["agent"]), (ENDPOINT_RDP, True))
        self.assertTrue(d.machines()[desktop]["agent"])
        self.assertEqual(json.loads(self.vm()["kvp"]["org.puesto.seed"])["token"], "t0p-secret")
        self.assertEqual(d.call("way", desktop, PIN)["account"]["fingerprint"], PIN, "as its agent says")
        d.call("restart", desktop, new(), "keep", "-")
        self.assertTrue(self.vm().pop("asked"), "it was ended in the middle of its work")
        # Its agent was told first, and Hyper-V's own service may have ended meanwhile: it is waited for.
        self.vm()["deaf"], self.host.calls[:] = True, []
        stop = d.begin("power", desktop, "stop")
        until = time.monotonic() + 15
        while self.host.calls.count("Enumerate") < 5 and time.monotonic() < until:  # to find it, to ask it, to see whether it has ended
            time.sleep(0.02)
        self.vm()["state"] = 3
        d.finish(stop)
        self.assertNotIn("RequestStateChange", self.host.calls)
        # That it could not be looked once is no reason to end it.
        d.call("power", desktop, "start")
        self.host.calls[:] = []
        stop = d.begin("power", desktop, "stop")
        until = time.monotonic() + 15
        while self.host.calls.count("Enumerate") < 5 and time.monotonic() < until:
            time.sleep(0.02)
        self.host.faults["Enumerate"] = "fault"
        with self.assertRaises(Refused) as caught:
            d.finish(stop)
        self.assertIn("the provider has crashed", caught.exception.text)
        self.assertEqual((self.vm()["state"], "RequestStateChange" in self.host.calls), (2, False), "it was ended in the middle of its work")


def main():
    if not shutil.which("openssl") or not os.path.exists(UNIT):
        print("SKIP: the double needs openssl: apt-get install openssl")
        return 77
    return 0 if unittest.main(verbosity=2, exit=False, warnings="ignore").result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
