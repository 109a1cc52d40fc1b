#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider "vsphere" against VMware's own simulator, and faults on the way there.

Run alone: top_builddir=build python3 tests/integration/test_vsphere.py [name]"""
import base64
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import uuid

import vsphere_host
from driver_harness import LATER, TOOL, Driver, Refused, is_for_later
from rdp_double import ENDPOINT_RDP, PIN, SHOWN, WINDOWS, RdpServer, shown_by

BUILD = os.path.abspath(os.environ.get("top_builddir", "build"))
UNIT = os.path.join(BUILD, "tests/unit/hypervisor/unit-hypervisor")
TEMPLATE = "ref:desk@base"

# What takes longer than the rest together.
TIER_2 = ("test_a_create_is_one_whatever_gets_lost", "test_a_killed_provisioner_is_followed_by_one_that_finishes",
          "test_a_server_that_does_not_answer_is_no_news", "test_a_simulator_that_is_killed_comes_back",
          "test_a_suspended_machine_is_not_configured", "test_many_are_listed_quickly")
# What a sanitizer may have something to say about.
SANITIZED = ("test_the_contract_holds", "test_nonsense_is_an_error_and_no_news", "test_machines_move_grow_and_change")


def new():
    return str(uuid.uuid4())


class World:
    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="puesto-vsphere-", dir="/var/tmp")
        self.simulator = vsphere_host.Simulator(self.folder)
        self.simulator.start()
        self.door = vsphere_host.Door(self.simulator)
        self.admin = vsphere_host.Client(self.simulator.port)
        self.password, self.ca = os.path.join(self.folder, "password"), os.path.join(self.folder, "ca.pem")
        with open(self.password, "w") as f:
            f.write(vsphere_host.PASSWORD + "\n")
        with open(self.ca, "w") as f:
            f.write("-----BEGIN CERTIFICATE-----\n")
        self.drivers = []

    def driver(self, data="data", env=None, **more):
        settings = {"kind": "vsphere", "url": self.door.url, "ca": self.simulator.certificate, "user": vsphere_host.USER,
                    "password_file": self.password, "folder": "DC0/vm/Puesto", "templates": "DC0/vm/Templates",
                    "cluster": "DC0/host/DC0_C0", "agents": "10.9.0.1:5911", "agents_ca": self.ca, "deadline_s": 30, "poll_s": 20, **more}
        driver = Driver(os.path.join(self.folder, data), settings, env=env)
        self.drivers.append(driver)
        return driver

    def create(self, driver, desktop=None, task=None, token="token_of_this_test", template=TEMPLATE):
        return driver.call("create", desktop or new(), task or new(), template, token)["machine"]["desktop"]

    def vm(self, desktop):
        return self.admin.find("DC0/vm/Puesto/puesto-" + desktop)

    def seed(self, desktop):
        return json.loads(base64.b64decode(self.admin.extra(self.vm(desktop))["guestinfo.puesto.seed"]))

    def again(self):
        """The simulator starts anew, with nothing in it."""
        self.simulator.kill()
        self.simulator.start()
        self.admin = vsphere_host.Client(self.simulator.port)

    def clean(self):
        """After each test: the next one finds nothing of it."""
        self.door.forget()
        for driver in self.drivers:
            driver.kill()
        self.drivers = []
        for name in self.admin.names():
            vm = self.admin.find("DC0/vm/Puesto/" + name)
            self.admin.task("PowerOffVM_Task", vm)
            self.admin.task("Destroy_Task", vm)

    def end(self):
        self.door.end()
        self.simulator.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def until(what, check, seconds=20):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "waited in vain: " + what
        time.sleep(0.02)


def test_the_contract_holds(world):
    env = dict(os.environ, PUESTO_TEST_VSPHERE_URL="https://localhost:%d" % world.simulator.port,
               PUESTO_TEST_VSPHERE_CA=world.simulator.certificate, PUESTO_TEST_VSPHERE_PASSWORD=world.password)
    done = subprocess.run([UNIT, "--filter", "vsphere/simulator_keeps_the_contract", "--verbose"], text=True, capture_output=True,
                          timeout=240, env=env, check=False)
    words = done.stdout + done.stderr
    assert done.returncode == 0 and "[PASS] vsphere::simulator_keeps_the_contract" in words, words
    assert world.admin.names() == [], "all of it was removed"
    assert len(world.admin.sessions()) == 1, "its session does not stay"


def test_a_clone_is_linked_and_seeded_once(world):
    driver = world.driver(network="VM Network", datastore="LocalDS_0", host="DC0_C0_H1")
    desktop, task = new(), new()
    machine = driver.call("create", desktop, task, TEMPLATE, "token_of_this_test")["machine"]
    assert machine["host"].startswith("DC0_C0_H"), machine
    assert machine["address"].startswith("10.9."), machine
    (clone,) = world.door.sent("CloneVM_Task")
    assert "<diskMoveType>createNewChildDiskBacking</diskMoveType>" in clone and '<snapshot type="VirtualMachineSnapshot">' in clone, clone
    assert '<host type="HostSystem">%s</host>' % world.admin.find("DC0/host/DC0_C0/DC0_C0_H1") in clone, clone
    assert '<datastore type="Datastore">%s</datastore>' % world.admin.find("DC0/datastore/LocalDS_0") in clone, clone
    assert "token_of_this_test" not in clone
    record = json.loads(world.admin.extra(world.vm(desktop))["puesto.record"].replace("&#34;", '"').replace("&quot;", '"'))
    assert record["phase"] == "running" and record["request"]["task"] == task and record["request"]["desktop"] == desktop, record
    assert "token_of_this_test" not in json.dumps(record)
    seed = world.seed(desktop)
    assert seed == {"desktop": desktop, "hostname": "test", "broker": "10.9.0.1:5911", "display": "0.0.0.0:5910", "locale": "en_US",
                    "token": "token_of_this_test", "ca": "-----BEGIN CERTIFICATE-----\n", "layout": "us"}, seed
    assert "VM Network" in world.admin.get("VirtualMachine", world.vm(desktop), "config.hardware.device")
    driver.call("snapshot", desktop, "take", "a")
    driver.call("snapshot", desktop, "revert", "a")
    assert "token" not in world.seed(desktop), "it was for one start"
    driver.call("power", desktop, "off")
    driver.call("power", desktop, "start")
    assert "token" not in world.seed(desktop)
    driver.call("restart", desktop, new(), "refresh", "another_token")
    assert world.seed(desktop)["token"] == "another_token"
    assert world.admin.names() == ["puesto-" + desktop]
    switched = world.create(world.driver(network="DC0_DVPG0"))
    portgroup = world.admin.find("DC0/network/DC0_DVPG0")
    devices = world.admin.get("VirtualMachine", world.vm(switched), "config.hardware.device")
    assert "<portgroupKey>%s</portgroupKey>" % portgroup in devices, devices


def test_without_a_snapshot_everything_is_copied(world):
    driver = world.driver()
    world.create(driver, template="ref:DC0/vm/Templates/plain")
    (clone,) = world.door.sent("CloneVM_Task")
    assert "moveAllDiskBackingsAndDisallowSharing" in clone and "<snapshot" not in clone, clone
    world.create(driver, template="ref:desk")
    assert "createNewChildDiskBacking" in world.door.sent("CloneVM_Task")[1], "the snapshot that it stands on"
    for template, word in (("ref:nothing", "no template"), ("ref:desk@no", 'no snapshot "no"'), ("ref:desk@", "NAME@SNAPSHOT"),
                           ("ref:@base", "NAME@SNAPSHOT"), ("ref:DC0/datastore/LocalDS_0", "no template")):
        error = driver.refused("create", new(), new(), template, "t")
        assert error.code == "invalid" and word in error.text, (template, error.code, error.text)
    assert driver.refused("create", new(), new(), "/golden.qcow2", "t").code == "unsupported"


def test_others_are_left_alone(world):
    """A machine of an administrator, and one of another installation, with names as ours have them; a template made of a desktop."""
    ours, theirs = world.driver(), world.driver(data="other")
    plain, foreign, copied = new(), world.create(theirs), world.create(ours)
    world.admin.task("CloneVM_Task", world.admin.find("DC0/vm/Templates/plain"),
                     '<folder type="Folder">%s</folder><name>puesto-%s</name><spec><location><pool type="ResourcePool">%s</pool></location>'
                     "<template>false</template><powerOn>false</powerOn></spec>" % (world.admin.find("DC0/vm/Puesto"), plain,
                                                                                   world.admin.find("DC0/host/DC0_C0/Resources")))
    ours.call("power", copied, "off")
    world.admin.call("MarkAsTemplate", "VirtualMachine", world.vm(copied))
    assert ours.machines() == {} and set(theirs.machines()) == {foreign}
    for desktop in plain, foreign, copied:
        ours.call("destroy", desktop)
        assert ours.refused("create", desktop, new(), TEMPLATE, "t").code == "conflict"
        assert ours.refused("power", desktop, "off").code == "not_found"
        assert ours.refused("restart", desktop, new(), "refresh").code == "not_found"
    assert len(world.admin.names()) == 3
    world.admin.call("MarkAsVirtualMachine", "VirtualMachine", world.vm(copied),
                     '<pool type="ResourcePool">%s</pool>' % world.admin.find("DC0/host/DC0_C0/Resources"))
    assert set(ours.machines()) == {copied}


def test_a_session_that_ended_is_opened_again(world):
    driver = world.driver()
    desktop = world.create(driver)
    logins = world.door.count("Login")
    assert logins == 1, "one session for all threads"
    for _ in range(3):
        assert world.admin.end_other_sessions() >= 1
        assert set(driver.machines()) == {desktop}
        driver.call("snapshot", desktop, "take", "a")
    # The watching thread may open it, too; nobody opens two.
    assert 1 <= world.door.count("Login") - logins <= 4
    driver.end()
    until("the session is closed", lambda: len(world.admin.sessions()) == 1)


def test_a_wrong_password_is_not_tried_again_and_again(world):
    with open(world.password + ".wrong", "w") as f:
        f.write("wrong")
    driver = world.driver(password_file=world.password + ".wrong")
    for _ in range(5):
        error = driver.refused("list")
        assert error.code == "unauthenticated" or "password_file" in error.text, (error.code, error.text)
    health = driver.health()
    assert not health["healthy"] and "InvalidLogin" in health["reason"] and "wrong" not in health["reason"], health
    assert world.door.count("Login") == 1, "wrong passwords lock accounts"
    missing = world.driver(data="missing", password_file="/nowhere/password")
    assert "password_file" in missing.health()["reason"]


def test_a_host_alone_is_no_vcenter(world):
    folder = os.path.join(world.folder, "esx")
    os.mkdir(folder)
    host = vsphere_host.Simulator(folder)
    try:
        host.start("-esx")
        driver = world.driver(url="https://localhost:%d" % host.port, ca=host.certificate)
        health = driver.health()
        assert not health["healthy"] and "vCenter" in health["reason"], health
    finally:
        host.end()


def test_a_suspended_machine_is_not_configured(world):
    """vCenter refuses it; the simulator does not."""
    driver = world.driver()
    desktop = world.create(driver)
    vm = world.vm(desktop)

    def refuse(method, n, forward):
        if method == "ReconfigVM_Task" and world.admin.get("VirtualMachine", vm, "runtime.powerState") == "suspended":
            refused.append(n)
        return forward()
    refused, world.door.rule = [], refuse
    for ends in ("start", "off", "stop"):
        for by_admin in False, True:
            if by_admin:
                world.admin.task("SuspendVM_Task", vm)
            driver.call("power", desktop, "suspend")
            assert driver.machines()[desktop]["state"] == "stopped"
            assert driver.refused("resize", desktop, 0, 0, 20000).code == "busy"
            driver.call("power", desktop, ends)
            assert driver.machines()[desktop]["state"] == ("running" if ends == "start" else "stopped")
            driver.call("power", desktop, "start")
            assert driver.machines()[desktop]["state"] == "running"
    driver.call("power", desktop, "suspend")
    driver.call("restart", desktop, new(), "keep")
    assert refused == [], "configured while it was suspended"


def test_who_is_not_the_server_is_not_told_the_password(world):
    pin = subprocess.run("openssl x509 -in %s -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64"
                         % world.simulator.certificate, shell=True, capture_output=True, text=True, check=True).stdout.strip()
    no_ca = os.path.join(world.folder, "other.pem")
    vsphere_host.certify(no_ca, no_ca + ".key")
    assert "not trusted" in world.driver(data="a", ca=no_ca).health()["reason"]
    settings = {"ca": no_ca, "pin": "sha256//" + pin}
    assert "not trusted" in world.driver(data="b", **settings).health()["reason"], "both must hold"
    driver = Driver(os.path.join(world.folder, "c"), {"kind": "vsphere", "url": world.door.url, "pin": "sha256//" + pin,
                                                     "user": vsphere_host.USER, "password_file": world.password,
                                                     "folder": "DC0/vm/Puesto", "cluster": "DC0/host/DC0_C0"})
    world.drivers.append(driver)
    assert driver.health()["healthy"], driver.health()
    assert world.door.count("Login") == 1


CHANGING = ("CloneVM_Task", "ReconfigVM_Task", "PowerOnVM_Task", "PowerOffVM_Task", "Destroy_Task", "Rename_Task", "CreateSnapshot_Task",
            "RevertToSnapshot_Task", "RelocateVM_Task")


def lost(world, method, number, is_done, kill=None):
    """The call is lost (or its answer, when it is done), and the driver with it if there is something to kill."""
    hit = threading.Event()

    def rule(name, n, forward):
        if name != method or n != number or hit.is_set():
            return forward()
        hit.set()
        if is_done:
            forward()
        if kill:
            kill.process.kill()
        return None
    world.door.forget()
    world.door.rule = rule
    return hit


def calls_of(world, run):
    """Which changing calls a command makes, in pairs of method and number."""
    world.door.forget()
    run()
    return [(m, n + 1) for m in CHANGING for n in range(world.door.count(m))]


def test_a_create_is_one_whatever_gets_lost(world):
    driver = world.driver()
    calls = calls_of(world, lambda: driver.call("destroy", world.create(driver)))
    assert {m for m, _ in calls} >= {"CloneVM_Task", "ReconfigVM_Task", "PowerOnVM_Task"}, calls
    for method, number in [c for c in calls if c[0] in ("CloneVM_Task", "ReconfigVM_Task", "PowerOnVM_Task")]:
        for is_done in False, True:
            desktop, task = new(), new()
            hit = lost(world, method, number, is_done)
            error = driver.refused("create", desktop, task, TEMPLATE, "t")
            assert error.code == "closed" and hit.is_set(), (method, is_done, error.code, error.text)
            assert len([n for n in world.admin.names() if desktop in n]) <= 1
            driver.call("create", desktop, task, TEMPLATE, "t")
            machines = driver.machines()
            assert machines[desktop]["state"] == "running" and machines[desktop]["task"] == task, machines
            assert world.admin.names() == ["puesto-" + desktop]
            driver.call("destroy", desktop)
            assert world.admin.names() == []


def test_a_killed_provisioner_is_followed_by_one_that_finishes(world):
    """At each changing call of a refresh, a restart and a removal, before and after it is done."""
    driver = world.driver()
    desktop = world.create(driver)
    driver.call("snapshot", desktop, "take", "a")
    for words in (("restart", desktop, None, "refresh"), ("restart", desktop, None, "keep"), ("destroy", desktop)):
        task = new()
        full = [w or task for w in words]
        for method, number in calls_of(world, lambda: driver.call(*full)):
            for is_done in False, True:
                if words[0] == "destroy" or not world.vm(desktop):
                    world.create(driver, desktop=desktop)
                task = new()
                full = [w or task for w in words]
                hit = lost(world, method, number, is_done, kill=driver)
                driver.begin(*full)
                driver.process.wait(30)
                assert hit.is_set(), (words, method, number)
                world.door.forget()
                driver = world.driver()
                listed = driver.machines()
                assert set(listed) <= {desktop}
                if words[0] == "restart":
                    assert set(listed) == {desktop}, "it is never gone: %s %s" % (method, is_done)
                driver.call(*full)
                if words[0] == "destroy":
                    assert driver.machines() == {} and world.admin.names() == []
                else:
                    assert driver.machines()[desktop]["state"] == "running" and driver.machines()[desktop]["task"] == task
                    assert world.admin.names() == ["puesto-" + desktop]


def test_nonsense_is_an_error_and_no_news(world):
    driver = world.driver()
    desktop = world.create(driver)
    driver.call("watch", desktop)
    deep = b"<a>" * 200 + b"</a>" * 200
    bombs = [b"", b"<html>", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>", b"\x00\xff" * 50,
             (vsphere_host.ENVELOPE % "").encode(), (vsphere_host.ENVELOPE % "<x/>").encode(),
             (vsphere_host.ENVELOPE % deep.decode()).encode(),
             (vsphere_host.ENVELOPE % ("<x>" + "<returnval/>" * 600000 + "</x>")).encode(),
             b"x" * (17 << 20)]
    for bomb in bombs:
        world.door.rule = lambda method, n, forward: bomb if method == "RetrievePropertiesEx" else forward()
        r = driver.refused("list")
        assert r.code in ("protocol", "limit"), (bomb[:80], r.code, r.text)
    for cut in (10, 200, 1000):
        world.door.rule = lambda method, n, forward: forward()[:-cut] if method == "RetrievePropertiesEx" else forward()
        assert driver.refused("list").code == "protocol"
    world.door.rule = None
    assert driver.machines()[desktop]["state"] == "running"


def test_a_task_that_fails_says_why(world):
    driver = world.driver()
    desktop = world.create(driver)
    fault = (rb'\1<propSet><name>info.error</name><val xsi:type="LocalizedMethodFault"><fault xsi:type="NoDiskSpace">'
             rb"<datastore>ssd</datastore></fault><localizedMessage>ssd is full</localizedMessage></val></propSet>")

    def fail(method, n, forward):
        data = forward()
        if method != "RetrievePropertiesEx" or b">success</val>" not in data:
            return data
        data = data.replace(b">success</val>", b">error</val>")
        return re.sub(rb"(<val[^>]*>error</val></propSet>)", fault, data)
    world.door.rule = fail
    error = driver.refused("snapshot", desktop, "take", "a")
    assert error.code == "no_space" or "NoDiskSpace" in error.text, (error.code, error.text)
    assert "make room" in error.text and "ssd is full" in error.text, error.text
    world.door.forget()
    world.admin.task("PowerOffVM_Task", world.vm(desktop))
    driver.call("power", desktop, "off")
    driver.call("power", desktop, "off")


def test_a_machine_that_cannot_be_read_is_not_left_out(world):
    driver = world.driver()
    desktop = world.create(driver)
    refused = (b'<missingSet><path>config.extraConfig</path><fault><fault xsi:type="NoPermission"><privilegeId>System.Read</privilegeId>'
               b"</fault></fault></missingSet>")

    def hide(instead, connected=b"connected"):
        def rule(method, n, forward):
            data = forward().replace(b">connected<", b">" + connected + b"<")
            return re.sub(rb"<propSet><name>config.extraConfig</name>.*?</propSet>", instead, data, flags=re.S)
        world.door.rule = rule
    hide(refused)
    for words in ("list",), ("power", desktop, "off"):
        error = driver.refused(*words)
        assert error.code == "denied" and "System.Read" in error.text, (error.code, error.text)
    hide(b"", b"inaccessible")
    for words in ("list",), ("power", desktop, "off"), ("destroy", desktop):
        error = driver.refused(*words)
        assert error.code == "io" and "datastore reachable" in error.text, (error.code, error.text)
    hide(b"")
    assert driver.machines() == {}, "it is being made"
    assert driver.refused("create", desktop, new(), TEMPLATE, "t").code == "busy"
    world.door.rule = None
    assert driver.machines()[desktop]["state"] == "running"


def test_what_fails_half_way_is_taken_away(world):
    driver = world.driver(network="nowhere")
    desktop, task = new(), new()
    error = driver.refused("create", desktop, task, TEMPLATE, "t")
    assert error.code == "not_found" and '"network"' in error.text, (error.code, error.text)
    assert world.door.count("CloneVM_Task") == 1 and world.admin.names() == []
    other = world.driver(data="other")
    fault = '<soapenv:Fault><faultstring>taken</faultstring><detail><f xsi:type="DuplicateName"/></detail></soapenv:Fault>'
    taken = vsphere_host.ENVELOPE % fault
    world.door.rule = lambda method, n, forward: taken.encode() if method == "CloneVM_Task" else forward()
    error = other.refused("create", desktop, task, TEMPLATE, "t")
    assert error.code == "busy", "an earlier clone goes on, and the command may come again: %s" % error


def running(method, n, forward):
    """Tasks that never come to their end."""
    return forward().replace(b">success</val>", b">running</val>")


def test_slow_tasks_end_with_the_deadline_and_are_cancelled(world):
    driver = world.driver(deadline_s=3)
    desktop = world.create(driver)
    world.door.rule = running
    error = driver.refused("snapshot", desktop, "take", "a")
    assert error.code == "timeout" and "taking the snapshot" in error.text, (error.code, error.text)
    assert world.door.count("CancelTask") == 1 and world.door.count("WaitForUpdatesEx") >= 2
    patient = world.driver(data="data")
    world.door.forget()
    world.door.rule = running
    n = patient.begin("snapshot", desktop, "take", "b")
    until("the task is followed", lambda: world.door.count("CreateFilter") >= 2)
    patient.call("cancel", desktop)
    try:
        patient.finish(n, 10)
        raise AssertionError("it was cancelled")
    except Refused as r:
        assert r.code == "closed", (r.code, r.text)
    until("the task is cancelled", lambda: world.door.count("CancelTask") >= 1)


def test_a_server_that_does_not_answer_is_no_news(world):
    driver = world.driver(deadline_s=2)
    desktop = world.create(driver)
    driver.call("watch", desktop)
    stuck = threading.Event()
    world.door.rule = lambda method, n, forward: stuck.wait(20) and None
    assert driver.refused("list").code == "timeout"
    assert not driver.health()["healthy"]
    stuck.set()
    world.door.rule = lambda method, n, forward: None
    assert driver.refused("list").code == "closed"
    assert driver.ends.empty()
    world.door.forget()
    assert driver.machines()[desktop]["state"] == "running"


def test_ends_are_told_with_and_without_updates(world):
    for data, rule in (("data", None), ("polling", lambda method, n, forward: None if method == "WaitForUpdatesEx" else forward())):
        world.door.rule = rule
        driver = world.driver(data=data, poll_s=1 if rule else 60)
        desktop, sleeper, gone = world.create(driver), world.create(driver), world.create(driver)
        for d in desktop, sleeper, gone:
            driver.call("watch", d)
        world.admin.task("PowerOffVM_Task", world.vm(desktop))
        world.admin.task("SuspendVM_Task", world.vm(sleeper))
        world.admin.task("PowerOffVM_Task", world.vm(gone))
        world.admin.task("Destroy_Task", world.vm(gone))
        ends = dict((e["ended"], e["reason"]) for e in (driver.ends.get(timeout=20) for _ in range(3)))
        assert set(ends) == {desktop, sleeper, gone} and "suspended" in ends[sleeper], ends
        assert {d: m["state"] for d, m in driver.machines().items()} == {desktop: "failed", sleeper: "stopped"}
        driver.call("destroy", desktop)
        driver.call("destroy", sleeper)
        driver.end()


def test_a_server_that_does_not_wait_is_not_asked_all_the_time(world):
    """Who is to wait for updates for a minute, and says at once that there are none."""
    driver = world.driver(poll_s=60)
    desktop = world.create(driver)
    driver.call("watch", desktop)
    none = (vsphere_host.ENVELOPE % '<WaitForUpdatesExResponse xmlns="urn:vim25"></WaitForUpdatesExResponse>').encode()
    world.door.rule = lambda method, n, forward: none if method == "WaitForUpdatesEx" else forward()
    world.admin.task("SuspendVM_Task", world.vm(desktop))  # ends the wait that is
    began, asked = time.monotonic(), world.door.count("WaitForUpdatesEx")
    while world.door.count("WaitForUpdatesEx") < asked + 4:
        time.sleep(0.02)
    assert time.monotonic() - began > 1.5
    world.door.forget()
    driver.call("destroy", desktop)
    driver.end()


def test_a_simulator_that_is_killed_comes_back(world):
    driver = world.driver()
    desktop = world.create(driver)
    driver.call("watch", desktop)
    world.simulator.kill()
    error = driver.refused("list")
    assert error.code == "closed" and "cannot be asked" in error.text, (error.code, error.text)
    assert driver.refused("create", new(), new(), TEMPLATE, "t").code == "closed"
    assert driver.ends.empty(), "nobody knows"
    world.simulator.start()
    world.admin = vsphere_host.Client(world.simulator.port)
    # What is started anew here has lost its machines; that is said, and new ones are made.
    assert driver.ends.get(timeout=30)["ended"] == desktop
    assert driver.machines() == {}
    world.create(driver)


def test_machines_move_grow_and_change(world):
    driver = world.driver()
    desktop = world.create(driver)
    here = driver.machines()[desktop]["host"]
    there = next(h for h in ("DC0_C0_H0", "DC0_C0_H1", "DC0_C0_H2") if h != here)
    for _ in range(2):
        driver.call("migrate", desktop, there)
        assert driver.machines()[desktop]["host"] == there
    assert world.door.count("RelocateVM_Task") == 1
    assert driver.refused("resize", desktop, 512, 0, 0).code == "busy"
    driver.call("power", desktop, "stop")
    assert world.door.count("ShutdownGuest") == 1
    driver.call("resize", desktop, 512, 150, 0)
    hardware = world.admin.get("VirtualMachine", world.vm(desktop), "config.hardware")
    assert "<memoryMB>512</memoryMB>" in hardware and "<numCPU>2</numCPU>" in hardware, hardware
    driver.call("resize", desktop, 0, 0, 20000)
    devices = world.admin.get("VirtualMachine", world.vm(desktop), "config.hardware.device")
    assert "<capacityInKB>%d</capacityInKB>" % (20000 << 10) in devices, devices
    assert driver.refused("resize", desktop, 0, 0, 19999).code == "invalid"
    driver.call("restart", desktop, new(), "refresh", "t")
    hardware = world.admin.get("VirtualMachine", world.vm(desktop), "config.hardware")
    assert "<memoryMB>512</memoryMB>" in hardware, "a refresh keeps the size"
    assert driver.refused("console", desktop).code == "unsupported"
    health = driver.health()
    assert health["healthy"] and "migrate" in health["can"] and "linked_clone" in health["can"], health


def test_hosts_and_networks_are_chosen(world):
    settings = {"networks": "office, lab", "network-office": "VM Network", "network-lab": "DC0_DVPG0"}
    driver = world.driver(**settings)
    places = driver.call("places")
    assert [h["name"] for h in places["hosts"]] == ["DC0_C0_H0", "DC0_C0_H1", "DC0_C0_H2"], places
    assert all(h["usable"] and 0 < h["free_mb"] <= h["memory_mb"] for h in places["hosts"]), places
    assert places["networks"] == [{"name": "office", "kind": "existing", "about": "VM Network"},
                                  {"name": "lab", "kind": "existing", "about": "DC0_DVPG0"}], places
    desktop = driver.call("create", new(), new(), TEMPLATE, "t", "lab", "DC0_C0_H2")["machine"]["desktop"]
    chosen = '<host type="HostSystem">%s</host>' % world.admin.find("DC0/host/DC0_C0/DC0_C0_H2")
    assert chosen in world.door.sent("CloneVM_Task")[0]
    devices = world.admin.get("VirtualMachine", world.vm(desktop), "config.hardware.device")
    assert "<portgroupKey>%s</portgroupKey>" % world.admin.find("DC0/network/DC0_DVPG0") in devices, devices
    host = world.admin.get("VirtualMachine", world.vm(desktop), "runtime.host")
    driver.call("restart", desktop, new(), "refresh", "t")
    assert '<host type="HostSystem">%s</host>' % host in world.door.sent("CloneVM_Task")[1], "it stays on its host"
    assert driver.refused("create", new(), new(), TEMPLATE, "t", "nowhere").code == "invalid"
    assert world.door.count("CloneVM_Task") == 2, "and nothing was cloned for it"
    assert driver.refused("create", new(), new(), TEMPLATE, "t", "host", "nowhere").code == "not_found"
    world.admin.call("EnterMaintenanceMode_Task", "HostSystem", world.admin.find("DC0/host/DC0_C0/DC0_C0_H1"), "<timeout>0</timeout>")
    hosts = {h["name"]: h for h in driver.call("places")["hosts"]}
    assert not hosts["DC0_C0_H1"]["usable"] and "maintenance" in hosts["DC0_C0_H1"]["reason"] and hosts["DC0_C0_H0"]["usable"], hosts
    world.admin.call("ExitMaintenanceMode_Task", "HostSystem", world.admin.find("DC0/host/DC0_C0/DC0_C0_H1"), "<timeout>0</timeout>")
    assert world.driver(host="DC0_C0_H0").call("places")["hosts"] == [], "the administrator has chosen"


def test_a_host_out_of_reach_is_no_news(world):
    """vCenter knows of its machines what it knew before, or calls them off."""
    driver = world.driver()
    here, there = (driver.call("create", new(), new(), TEMPLATE, "t", "host", "DC0_C0_H%d" % i)["machine"]["desktop"] for i in (1, 2))
    away = world.vm(here).encode()

    def rule(method, n, forward):
        def change(m):
            text = re.sub(rb'(connectionState</name><val[^>]*>)\w+', rb'\1disconnected', m[0])
            return re.sub(rb'(powerState</name><val[^>]*>)\w+', rb'\1' + power, text)
        return re.sub(rb'<obj type="VirtualMachine">' + away + rb'</obj>.*?</objects>', change, forward(), flags=re.S)
    world.door.rule = rule
    for power in (b"poweredOn", b"poweredOff"):
        told = {m["desktop"]: m for m in driver.call("list")["machines"]}
        assert told[there]["state"] == "running", told
        if power == b"poweredOn":
            assert told[here]["state"] == "running" and "does not reach" in told[here]["reason"], told
        else:
            assert here not in told and (told[""]["state"], told[""]["host"]) == ("unknown", "DC0_C0_H1"), told


def test_a_datastore_cluster_gives_its_roomiest(world):
    one, two = dict.fromkeys(re.findall(r'type="Datastore">([^<]+)<', world.admin.get("StoragePod", world.admin.find("DC0/datastore/Pod"), "childEntity")))
    free, away = {one: 5 << 30, two: 9 << 30}, set()

    def rule(method, n, forward):
        """The simulator's datastores are folders of one disk: they are given sizes here."""
        data = forward()
        for ref in (one, two) if method == "RetrievePropertiesEx" else ():
            def change(m, ref=ref):
                text = re.sub(rb'(freeSpace</name><val[^>]*>)\d+', rb'\g<1>%d' % free[ref], m[0])
                return re.sub(rb'(accessible</name><val[^>]*>)\w+', rb'\g<1>' + (b"false" if ref in away else b"true"), text)
            data = re.sub(rb'<obj type="Datastore">' + re.escape(ref.encode()) + rb'</obj>.*?</objects>', change, data, flags=re.S)
        return data
    world.door.rule = rule
    driver = world.driver(datastore="Pod")
    for i, wanted in enumerate((two, one, one)):
        world.create(driver)
        assert '<datastore type="Datastore">%s</datastore>' % wanted in world.door.sent("CloneVM_Task")[i], (i, wanted)
        free[one] = 20 << 30
        away = {two} if i else away
    away |= {one, two}
    refused = driver.refused("create", new(), new(), TEMPLATE, "t")
    assert refused.code == "no_space" and "maintenance" in refused.text, refused.text
    assert world.driver(datastore="Empty").refused("create", new(), new(), TEMPLATE, "t").code == "no_space"
    for key, path, words in (("pool", "DC0/host/DC0_C0", "not a ResourcePool"), ("folder", "DC0/vm/Templates/desk", "not a Folder")):
        driver = world.driver(**{key: path})
        refused = driver.refused("create", new(), new(), TEMPLATE, "t")
        assert refused.code == "invalid" and words in refused.text and '"%s"' % key in refused.text, refused.text
    assert "not a Folder" in driver.health()["reason"]


def test_guests_that_do_not_listen_are_switched_off(world):
    driver = world.driver(deadline_s=17)
    desktop = world.create(driver)
    deaf = vsphere_host.ENVELOPE % '<ShutdownGuestResponse xmlns="urn:vim25"/>'
    dumb = vsphere_host.ENVELOPE % ('<soapenv:Fault><faultstring>no tools</faultstring><detail><f xsi:type="ToolsUnavailable"/></detail>'
                                    "</soapenv:Fault>")
    for answer in deaf, dumb:
        world.door.forget()
        world.door.rule = lambda method, n, forward: answer.encode() if method == "ShutdownGuest" else forward()
        driver.call("power", desktop, "stop")
        assert world.door.count("ShutdownGuest") == world.door.count("PowerOffVM_Task") == 1
        assert driver.machines()[desktop]["state"] == "stopped"
        driver.call("power", desktop, "start")


RDP_ADDRESS = "127.0.0.1"


def tools_say(world, address, then=lambda method, n, forward: forward()):
    """VMware Tools of all guests tell that address."""
    world.door.rule = lambda method, n, forward: re.sub(rb"(guest.ipAddress</name><val[^>]*>)[0-9.]+", rb"\g<1>" + address.encode(),
                                                        then(method, n, forward) or b"") or None


def rdp_driver(world, server, env, **more):
    return world.driver(env=env, rdp_port=server.port, addresses="127.0.0.1-127.0.0.9", **more)


def test_a_machine_is_shown_by_its_own_rdp_server(world):
    """Where VMware Tools say that it is, and once it answers: a new one, one that is started again, and one that is new again."""
    server = RdpServer().begin()
    try:
        tools_say(world, RDP_ADDRESS)
        driver = rdp_driver(world, server, SHOWN, rdp_fingerprint=PIN)
        desktop = shown_by(driver, server, TEMPLATE)
        assert world.door.count("ShutdownGuest") == 0, "nobody asks Linux before a restart"
        driver.call("power", desktop, "off")
        assert driver.refused("way", desktop).code == "unsupported", "nobody says where it is"
        # Whoever knows no certificate believes none.
        driver.end()
        driver = rdp_driver(world, server, SHOWN)
        driver.call("power", desktop, "start")
        refused = driver.refused("way", desktop)
        assert "by what certificate" in refused.text, refused.text
    finally:
        server.end()


def test_windows_has_an_agent_that_says_when_it_is_ready(world):
    server = RdpServer()  # it does not answer, and nobody waits for it
    try:
        tools_say(world, RDP_ADDRESS)
        driver = rdp_driver(world, server, WINDOWS)
        desktop = new()
        machine = driver.call("create", desktop, new(), TEMPLATE, "token_of_this_test")["machine"]
        assert (machine["kind"], machine["agent"], machine["address"]) == (ENDPOINT_RDP, True, RDP_ADDRESS), machine
        assert driver.machines()[desktop]["agent"] and world.seed(desktop)["token"] == "token_of_this_test"
        assert driver.call("way", desktop, PIN)["account"]["fingerprint"] == PIN, "as its agent says"
        # It is told to shut down before it is started again, and the token was for one start.
        driver.call("restart", desktop, new(), "keep")
        assert world.door.count("ShutdownGuest") == 1 and world.door.count("PowerOffVM_Task") == 0
        assert "token" not in world.seed(desktop)
        # Its address comes late, as Windows does; nobody waits for it, since its agent says when it can be used.
        tools_say(world, "10.9.0.1")
        for words in ("restart", desktop, new(), "refresh", "u"), ("create", new(), new(), TEMPLATE, "t"):
            machine = driver.call(*words)["machine"]
            assert (machine["kind"], machine["agent"], machine["address"]) == (ENDPOINT_RDP, True, ""), machine
        assert driver.machines()[desktop]["agent"]
        refused = driver.refused("way", desktop, PIN)
        assert refused.code == "busy" and "at which address" in refused.text, (refused.code, refused.text)
        tools_say(world, RDP_ADDRESS)
        assert driver.machines()[desktop]["address"] == driver.call("way", desktop, PIN)["address"] == RDP_ADDRESS
    finally:
        server.end()


def fault_of(name):
    return (vsphere_host.ENVELOPE % ('<soapenv:Fault><faultstring>no</faultstring><detail><f xsi:type="%s"/></detail></soapenv:Fault>' % name)).encode()


def asks(world, method, n):
    """What that wait is for; n: its number."""
    return re.findall("<pathSet>([^<]*)", world.door.sent(method)[n - 1]) if method == "CreateFilter" else []


def test_a_wait_for_an_address_that_breaks_off_is_begun_anew(world):
    """A machine that is of no use without its address is not given up for that; and whoever lets go of it is told so."""
    server = RdpServer().begin()
    try:
        said, broken = {"address": "10.9.0.1"}, threading.Event()

        def rule(method, n, forward):
            if asks(world, method, n) == ["guest.ipAddress"] and not broken.is_set():
                broken.set()
                said["address"] = RDP_ADDRESS
                return fault_of("ManagedObjectNotFound")
            return re.sub(rb"(guest.ipAddress</name><val[^>]*>)[0-9.]+", rb"\g<1>" + said["address"].encode(), forward() or b"") or None
        driver = rdp_driver(world, server, SHOWN)
        driver.call("list")
        world.door.rule = rule
        machine = driver.call("create", new(), new(), TEMPLATE, "t")["machine"]
        assert machine["address"] == RDP_ADDRESS and broken.is_set(), machine
        said["address"], desktop = "10.9.0.1", new()
        n = driver.begin("create", desktop, new(), TEMPLATE, "t")
        until("it runs", lambda: driver.machines().get(desktop, {}).get("state") == "running")
        until("it is let go", lambda: is_let_go(driver, n, desktop))
    finally:
        server.end()


def test_an_agent_s_shut_down_is_awaited_when_vmware_tools_are_gone(world):
    """They may have ended before VMware asks them."""
    driver = rdp_driver(world, type("Nobody", (), {"port": 3389}), WINDOWS)
    tools_say(world, RDP_ADDRESS)
    desktop = world.create(driver)
    asked, broken = threading.Event(), threading.Event()

    def rule(method, n, forward):
        if method == "ShutdownGuest":
            asked.set()
            return fault_of("ToolsUnavailable")
        if asks(world, method, n) == ["runtime.powerState"] and not broken.is_set():  # nor is a wait that breaks off a reason to end it
            broken.set()
            return fault_of("ManagedObjectNotFound")
        return forward()
    tools_say(world, RDP_ADDRESS, rule)
    stop = driver.begin("power", desktop, "stop")
    assert asked.wait(20) and broken.wait(20)
    until("it is waited for again",
          lambda: [asks(world, "CreateFilter", n) for n in range(1, world.door.count("CreateFilter") + 1)].count(["runtime.powerState"]) == 2)
    world.admin.task("PowerOffVM_Task", world.vm(desktop))
    driver.finish(stop)
    assert world.door.count("PowerOffVM_Task") == 0, "it ended by itself"


def is_let_go(driver, n, desktop):
    """Of what is between two waits a cancel may be lost."""
    driver.call("cancel", desktop)
    try:
        driver.finish(n, 0.2)
    except queue.Empty:
        return False
    except Refused as r:
        assert r.code == "closed", (r.code, r.text)
        return True
    raise AssertionError("it was cancelled")


def test_rdp_servers_that_do_not_come_leave_no_machine(world):
    server = RdpServer()
    try:
        tools_say(world, RDP_ADDRESS)
        driver = rdp_driver(world, server, SHOWN, rdp_wait_s=1)
        refused = driver.refused("create", new(), new(), TEMPLATE, "t")
        assert refused.code == "timeout" and "RDP server at 127.0.0.1 port %d does not answer" % server.port in refused.text, refused.text
        assert world.admin.names() == []
        # One whose tools say nothing that may be believed.
        tools_say(world, "10.9.0.1")
        driver = rdp_driver(world, server, SHOWN, deadline_s=4)
        refused = driver.refused("create", new(), new(), TEMPLATE, "t")
        assert refused.code == "timeout" and "VMware Tools told no address" in refused.text, refused.text
        assert world.admin.names() == []
        # Whoever does not want it any more need not wait.
        patient, desktop = rdp_driver(world, server, SHOWN, rdp_wait_s=600), new()
        tools_say(world, RDP_ADDRESS)
        n = patient.begin("create", desktop, new(), TEMPLATE, "t")
        until("it runs", lambda: patient.machines().get(desktop, {}).get("address") == RDP_ADDRESS)
        until("it is let go", lambda: is_let_go(patient, n, desktop))
    finally:
        server.end()


def test_many_are_listed_quickly(world):
    driver = world.driver()
    n = 40
    begun = [driver.begin("create", new(), new(), TEMPLATE, "t") for _ in range(n)]
    for b in begun:
        driver.finish(b)
    world.door.forget()
    assert len(driver.machines()) == n
    assert world.door.count("RetrievePropertiesEx") <= 4, "not one call a machine"
    for desktop in list(driver.machines()):
        driver.begin("destroy", desktop)
    until("all are gone", lambda: driver.machines() == {})


def is_asked(name, words):
    if words:
        return any(w in name for w in words)
    if os.environ.get("SANITIZED"):
        return name in SANITIZED
    return name not in TIER_2 or int(os.environ.get("PUESTO_TIER", "1")) >= 2


def main():
    if is_for_later():
        print(LATER)
        return 77
    lacking = vsphere_host.LACKING + [p for p in (UNIT, TOOL) if not os.path.exists(p)]
    if lacking:
        print("SKIP: VMware's simulator needs %s" % " ".join(lacking))
        return 77
    words = [w for w in sys.argv[1:] if not w.startswith("-")]
    tests = [t for name, t in globals().items() if name.startswith("test_") and is_asked(name, words)]
    world, failed = World(), 0
    try:
        for test in tests:
            start = time.monotonic()
            try:
                test(world)
                print("PASS %s (%.1f s)" % (test.__name__, time.monotonic() - start), flush=True)
            except Exception:  # the next test may tell more
                failed += 1
                print("FAIL %s\n%s" % (test.__name__, traceback.format_exc()), flush=True)
            world.clean()
    finally:
        world.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
