#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider "proxmox" against a double of a Proxmox VE cluster (proxmox_double.py): the contract of all drivers, then faults.
Covers: broker/hypervisor/proxmox/briefs.c broker/hypervisor/proxmox/clone.c broker/hypervisor/proxmox/found.c
broker/hypervisor/proxmox/inventory.c broker/hypervisor/proxmox/life.c broker/hypervisor/proxmox/migrate.c
broker/hypervisor/proxmox/network.c broker/hypervisor/proxmox/place.c broker/hypervisor/proxmox/power.c
broker/hypervisor/proxmox/pve.c broker/hypervisor/proxmox/resize.c broker/hypervisor/proxmox/screen.c broker/hypervisor/proxmox/seed.c
broker/hypervisor/bridge.c broker/hypervisor/http_stream.c
broker/hypervisor/proxmox/snapshot.c broker/hypervisor/proxmox/vm.c

Run alone: top_builddir=build python3 tests/integration/test_proxmox.py [name]"""
import json
import os
import re
import shutil
import subprocess
import sys
import time

import guest_harness
from driver_harness import Refused
from proxmox_double import TOKEN, Cluster
from rdp_double import ENDPOINT_RDP, PIN, SHOWN, WINDOWS, RdpServer, shown_by
from rest_double import wait_for
from rest_harness import RestWorld, a_console_is_seen, again, crashes, new, run_contract, tests_run
from test_image_builder import SelfStarter

BUILD = os.path.abspath(os.environ.get("top_builddir", "build"))


class World(RestWorld):
    kind, image = "proxmox", "ref:desk"

    def __init__(self):
        super().__init__(Cluster, TOKEN)

    def settings(self):
        return {"kind": "proxmox", "url": self.double.url, "ca": self.double.certificate, "token_file": self.token, "deadline_s": 20, "poll_s": 1,
                "addresses": "10.9.0.10-10.9.0.200", "agents": "10.9.0.1:5911", "agents_ca": self.ca, "shared_storage": "yes", "clone": "linked",
                "pool": "desks"}

    def leave_nothing(self):
        assert self.double.ours() == {}, self.double.ours()
        assert self.double.isos == {}, self.double.isos.keys()
        assert list(self.double.vms) == [9000] and self.double.vms[9000] == self.template, "the template was touched"


def test_the_contract_holds(world):
    run_contract(world, "proxmox/double_keeps_the_contract")
    world.leave_nothing()


def test_a_desktop_is_a_linked_clone_with_a_seed(world):
    driver, double = world.driver(), world.double
    desktop = world.create(driver)
    (vmid, vm), = double.ours().items()
    config = vm["config"]
    assert config["scsi0"].startswith("lvm:base-9000-disk-0/vm-%d-disk-0" % vmid) and vm["pool"] == "desks", vm
    assert (config["memory"], config["cores"], config["sockets"], config["cpulimit"]) == ("128", 1, 1, 0), config
    assert int(config["protection"]) == 0 and config["tags"].split(";")[0] == "puesto" and "golden" in config["tags"], config
    address = driver.machines()[desktop]["address"]
    assert address.startswith("10.9.0.") and config["net0"].startswith("virtio=02:50:0a:09:00:%02x,bridge=vmbr0" % int(address.split(".")[3])), config
    assert "token_of_this_test" not in json.dumps(config)
    (node, volume), = double.isos
    assert config["ide2"] == volume + ",media=cdrom" and node == vm["node"]
    seed_is_read(world, double.isos[node, volume], desktop)
    first = double.isos[node, volume]
    driver.call("restart", desktop, new(), "keep", "")
    assert list(double.ours()) == [vmid] and double.isos[node, volume] == first, "without a token the seed of before is as good"
    driver.call("restart", desktop, new(), "refresh", "another_token")
    assert list(double.ours()) != [vmid] and len(double.isos) == 1 and driver.machines()[desktop]["address"] == address
    assert b"another_token" in list(double.isos.values())[0]
    driver.call("destroy", desktop)
    world.leave_nothing()
    driver.end()


def seed_is_read(world, iso, desktop):
    """By the guest's own puesto-seed, in a root folder of its own."""
    root = os.path.join(world.folder, "root")
    for folder in ("sys/block/sr0", "dev", "etc/puesto", "var/lib/puesto", "run"):
        os.makedirs(os.path.join(root, folder), exist_ok=True)
    with open(os.path.join(root, "dev/sr0"), "wb") as f:
        f.write(iso)
    done = subprocess.run([BUILD + "/agent/puesto-seed", "--set", "seed.root=" + root, "--set", "seed.user=root"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with open(os.path.join(root, "etc/hostname")) as f:
        assert f.read().strip() == "test"
    with open(os.path.join(root, "var/lib/puesto/agent/enrol.json")) as f:
        assert json.load(f)["token"] == "token_of_this_test"


SEED_DRIVES = (
    ["-device", "virtio-scsi-pci", "-drive", "file=%s,if=none,id=seed,media=cdrom,readonly=on", "-device", "scsi-cd,drive=seed"],
    ["-drive", "file=%s,if=none,id=seed,readonly=on,format=raw", "-device", "virtio-blk-pci,drive=seed"],  # as KubeVirt shows it
)


def test_our_image_finds_the_seed(world):
    """Tier 2: a real machine of our image, with the file that was uploaded."""
    if TIER < 2 or guest_harness.lacking() or not shutil.which("syslinux"):
        return
    image, iso = os.path.join(world.folder, "image"), os.path.join(world.folder, "seed.iso")
    subprocess.run([guest_harness.SOURCE + "/deploy/image-builder", "--kind", "vm", "--boot", "bios", "--from", "host", "--minimal", "--output", image,
                    "--build", BUILD], check=True, stdout=subprocess.DEVNULL)
    driver = world.driver()
    desktop = world.create(driver)
    with open(iso, "wb") as f:
        f.write(list(world.double.isos.values())[0])
    for words in SEED_DRIVES:
        guest = SelfStarter(image, None, more=[w.replace("%s", iso) for w in words])
        try:
            wait_for("seed in the guest", lambda guest=guest: "seeded by seed disk as test desktop=" + desktop in guest.console(), 90)
        finally:
            guest.close()
    driver.call("destroy", desktop)
    driver.end()


# What happens to a call: which, and how. "task-error" and its like are said by tasks.
FAULTS = ("500", "503", "lost", "doubled", "twice", "truncated", "task-error", "said-done", "said-error")
TIER = int(os.environ.get("PUESTO_TIER", "1"))
CALLS = (r"POST .*/clone", r"PUT .*/config", r"POST .*/upload", r"POST .*/status/start", r"PUT .*/resize", r"GET .*/tasks/", r"GET /api2/json/nodes$",
         r"GET .*/status/current", r"GET .*/config", r"GET .*/cluster/")


def test_a_create_survives_every_fault(world):
    driver = world.driver(deadline_s=8)
    for i, match in enumerate(CALLS):
        for j, kind in enumerate(FAULTS):
            if TIER < 2 and i % len(FAULTS) != j:
                continue  # each call and each fault once; all of each in tier 2
            fault = world.double.fault(kind, match)
            desktop, task = new(), new()
            again(driver, "create", desktop, task, world.image, "token_of_this_test", "host", "", 4096)
            assert fault.hits == 1, (match, kind)
            machine = driver.machines()[desktop]
            assert machine["state"] == "running" and machine["task"] == task, machine
            ours = world.double.ours(desktop)
            assert len(ours) == 1 and list(ours.values())[0]["config"]["scsi0"].endswith("size=4096M"), (match, kind, ours)
            driver.call("destroy", desktop)
            world.double.heal()
            assert world.double.ours() == {} and world.double.isos == {}, (match, kind, world.double.ours())
    world.leave_nothing()
    driver.end()


VERBS = (
    (r"POST .*/status/stop", ("power", "off"), {"state": "stopped"}),
    (r"POST .*/status/start", ("power", "start"), {"state": "running"}),
    (r"POST .*/status/shutdown", ("power", "stop"), {"state": "stopped"}),
    (r"POST .*/status/start", ("power", "start"), {"state": "running"}),
    (r"POST .*/status/suspend", ("power", "suspend"), {"state": "stopped"}),
    (r"POST .*/status/start", ("power", "start"), {"state": "running"}),
    (r"POST .*/snapshot", ("snapshot", "take", "one.1"), {"state": "running"}),
    (r"POST .*/rollback", ("snapshot", "revert", "one.1"), {"state": "running"}),
    (r"DELETE .*/snapshot", ("snapshot", "drop", "one.1"), {"state": "running"}),
    (r"PUT .*/resize", ("resize", 0, 0, 0), {"state": "running"}),
    (r"POST .*/migrate", ("migrate", ""), {"state": "running"}),
)


def test_every_command_survives_every_fault(world):
    driver, desktop, size = world.driver(deadline_s=8), new(), 4096
    driver.call("create", desktop, new(), world.image, "token_of_this_test")
    for turn in range(len(FAULTS)) if TIER > 1 else (0,):
        for i, (match, words, wanted) in enumerate(VERBS):
            kind = FAULTS[(i + turn) % len(FAULTS)]
            if words[0] == "resize":
                size += 64
                words = ("resize", 0, 0, size)
            if words[0] == "migrate":
                words = ("migrate", "two" if driver.machines()[desktop]["host"] == "one" else "one")
            fault = world.double.fault(kind, match)
            again(driver, words[0], desktop, *words[1:])
            machine = driver.machines()[desktop]
            assert {k: machine[k] for k in wanted} == wanted, (kind, words, machine)
            assert fault.hits == 1, (kind, words)
            (vmid, vm), = world.double.ours(desktop).items()
            assert "lock" not in vm["config"] or vm["config"]["lock"] == "suspended", vm
            if words[0] == "migrate":
                assert machine["host"] == words[1] and vm["config"]["ide2"] == "none,media=cdrom"
            world.double.heal()
    assert world.double.ours(desktop)[vmid]["snapshots"] == {}
    for kind in FAULTS if TIER > 1 else ("lost", "twice", "said-done"):
        desktop = world.create(driver)
        fault = world.double.fault(kind, r"DELETE .*/qemu/\d+\?")
        again(driver, "destroy", desktop)
        assert fault.hits == 1 and not world.double.ours(desktop), kind
    driver.call("destroy", list(driver.machines())[0])
    world.leave_nothing()
    driver.end()


def test_a_suspended_desktop_takes_every_command(world):
    """Proxmox VE locks it: whatever is not to wake it has its memory dropped first."""
    driver, double = world.driver(deadline_s=8), world.double
    desktop = world.create(driver)

    def state():
        (_, vm), = double.ours(desktop).items()
        return vm["status"], vm["config"].get("lock")
    for words, wanted in ((("power", "suspend"), ("stopped", "suspended")), (("power", "off"), ("stopped", None)), (("power", "stop"), ("stopped", None)),
                          (("power", "start"), ("running", None)), (("restart", new(), "keep", ""), ("running", None)),
                          (("restart", new(), "refresh", "another_token"), ("running", None)), (("snapshot", "take", "one"), ("stopped", "suspended"))):
        driver.call("power", desktop, "start")
        driver.call("power", desktop, "suspend")
        began = len(double.seen)
        if words[0] == "snapshot":
            assert driver.refused("snapshot", desktop, *words[1:]).code == "busy"
        else:
            driver.call(words[0], desktop, *words[1:])
        assert state() == wanted, (words, state())
        starts = sum("/status/start" in line for line in double.seen[began:])
        assert starts == (wanted[0] == "running"), "nobody wakes it only to end it: %s" % double.seen[began:]
    driver.call("destroy", desktop)
    world.leave_nothing()
    driver.end()


def test_silence_ends_in_time(world):
    driver = world.driver(deadline_s=4)
    world.double.fault("silent", "POST .*/clone", 9)
    began = time.monotonic()
    r = driver.refused("create", new(), new(), world.image, "t")
    assert r.code in ("timeout", "busy") and time.monotonic() - began < 12, r
    world.double.heal()
    world.double.fault("silent", "GET ", 99)
    r = driver.refused("list")
    assert r.code == "timeout", r
    world.double.heal()
    assert not driver.machines()
    wait_for("end of what was left", lambda: not world.double.ours())
    driver.end()


def test_a_task_that_nobody_wants_is_stopped(world):
    driver, desktop, task = world.driver(), new(), new()
    world.double.fault("endless", "POST .*/clone")
    n = driver.begin("create", desktop, task, world.image, "token_of_this_test")
    wait_for("a clone that is waited for", lambda: any("/tasks/" in line for line in world.double.seen) and any(t.status == "running" for t in world.double.tasks.values()))
    driver.call("cancel", desktop)
    try:
        raise AssertionError("done: %s" % driver.finish(n))
    except Refused as r:
        assert r.code == "closed" and "cancelled" in r.text, r
    wait_for("the task's end", lambda: all(t.status == "stopped" for t in world.double.tasks.values()))
    world.double.heal()
    world.create(driver, desktop, task)
    assert len(world.double.ours()) == 1
    driver.call("destroy", desktop)
    world.leave_nothing()
    driver.end()


def test_a_crash_at_every_call_leaves_nothing_behind(world):
    """The provisioner dies at the n-th call of a create, then of a refresh; the same task makes it whole."""
    def check(verb, n, desktop):
        assert len(world.double.ours()) == 1 and len(world.double.isos) == 1, (verb, n, world.double.ours(), world.double.isos.keys())
    assert crashes(world, check, 1 if TIER > 1 else 3) > 5


def test_others_are_left_alone(world):
    """A machine with our name, a copy that somebody made of one of ours, and one of another installation."""
    double, ours, theirs = world.double, world.driver(), world.driver(data="other", addresses="10.9.1.1-10.9.1.9")
    mine, foreign = world.create(ours), world.create(theirs)
    (vmid, vm), = double.ours(mine).items()
    plain = new()
    with double.lock:
        double.vms[700] = double.machine("one", {"name": "puesto-" + plain, "description": "an admin's"})
        double.vms[701] = {**double.machine("two", dict(vm["config"])), "status": "running"}
        double.vms[701]["config"]["name"] = "a-copy"
    assert set(ours.machines()) == {mine} and set(theirs.machines()) == {foreign}
    looked = len(double.seen)
    assert set(ours.machines()) == {mine}
    read = [line for line in double.seen[looked:] if line.startswith("GET") and line.endswith("/config")]
    assert read == ["GET /api2/json/nodes/one/qemu/700/config"], "notes that have a tag for it are read once, whoever's: %s" % read
    for desktop in (plain, foreign):
        ours.call("destroy", desktop)
        assert ours.refused("power", desktop, "off").code == "not_found"
    ours.call("destroy", mine)
    assert vmid not in double.vms and {700, 701} < set(double.vms), double.vms.keys()
    theirs.call("destroy", foreign)
    with double.lock:
        del double.vms[700], double.vms[701]
    world.leave_nothing()
    ours.end()
    theirs.end()


def test_a_proxys_404_is_no_word_about_a_machine(world):
    """Whoever answers 404 before the API has not said that something is gone."""
    driver, double = world.driver(deadline_s=8, poll_s=1), world.double
    desktop = world.create(driver)
    driver.call("watch", desktop)
    double.fault("page", "", 10 ** 6)
    assert driver.refused("destroy", desktop).code == "protocol"
    assert driver.refused("list").code == "protocol" and driver.refused("power", desktop, "off").code == "protocol"
    double.heal()
    assert double.ours(desktop) and driver.machines()[desktop]["state"] == "running" and driver.ends.empty()
    double.fault("page", "DELETE .*qemu/", 3)
    again(driver, "destroy", desktop)
    world.leave_nothing()
    driver.end()


def test_edited_notes_make_it_nobodys(world):
    """Somebody writes other notes on a desktop whose old ones a list has read; the tags still name those."""
    driver, double = world.driver(), world.double
    desktop, other = world.create(driver), world.create(driver)
    assert set(driver.machines()) == {desktop, other}
    (vmid, vm), = double.ours(desktop).items()
    notes, vm["config"]["description"] = vm["config"]["description"], "mine now"
    assert driver.refused("power", desktop, "off").code == "not_found"
    driver.call("destroy", desktop)
    assert vmid in double.vms and vm["status"] == "running" and set(driver.machines()) == {other}
    edited, vm["config"]["description"] = vm["config"]["description"], notes
    wait_for("the old notes again", lambda: set(driver.machines()) == {desktop, other})
    vm["config"]["description"] = edited
    driver.call("destroy", desktop)
    again(driver, "create", desktop, new(), world.image, "t")
    assert set(driver.machines()) == {desktop, other}
    for d in (desktop, other):
        driver.call("destroy", d)
    del double.vms[vmid]
    double.isos.clear()
    world.leave_nothing()
    driver.end()


def test_ids_are_taken_once(world):
    """Several creates at a time get the same next id; and somebody else takes it first."""
    driver, double = world.driver(), world.double
    desktops = [new() for _ in range(6)]
    taken = []

    def after(line):
        if "/clone" in line and not taken:
            taken.append(next(n for n in range(100, 999) if n not in double.vms))
            double.vms[taken[0]] = double.machine("one", {"name": "somebody"})
    double.after = after
    calls = [driver.begin("create", d, new(), world.image, "t") for d in desktops]
    for n in calls:
        driver.finish(n)
    double.heal()
    assert set(driver.machines()) == set(desktops) and len(double.ours()) == 6 and double.vms[taken[0]]["config"]["name"] == "somebody"
    assert len({vm["config"]["net0"] for vm in double.ours().values()}) == 6
    for d in desktops:
        driver.call("destroy", d)
    driver.end()
    driver = world.driver(ids="500-501")
    for d in desktops[:2]:
        world.create(driver, d)
    assert set(double.ours()) == {500, 501}
    assert "ids" in driver.refused("create", desktops[2], new(), world.image, "t").text
    for d in desktops[:2]:
        driver.call("destroy", d)
    del double.vms[taken[0]]
    world.leave_nothing()
    driver.end()


def test_a_node_that_is_off_is_no_news(world):
    driver, double = world.driver(), world.double
    desktop = world.create(driver)
    driver.call("watch", desktop)
    there = driver.machines()[desktop]["host"]
    double.nodes[there]["status"] = "offline"
    r = driver.refused("list")
    assert there in r.text and "not known" in r.text, r
    assert driver.health()["healthy"] and driver.ends.empty()
    double.nodes[there]["status"] = "online"
    assert driver.machines()[desktop]["state"] == "running"
    other = "two" if there == "one" else "one"
    double.nodes[other]["status"] = "offline"
    assert driver.machines()[desktop]["state"] == "running", "a node without a machine of ours may be off"
    double.nodes[other]["status"] = "online"
    driver.call("destroy", desktop)
    driver.end()


def test_clones_and_addresses_as_the_settings_say(world):
    driver = world.driver(clone="full", storage="fast", addresses=None, nodes="two", pool=None)
    desktop = world.create(driver)
    (vmid, vm), = world.double.ours().items()
    world.double.nodes["one"]["status"] = "offline"
    health = driver.health()
    assert health["healthy"] and health["machines"] == 32, "nodes that take no desktops count for nothing: %s" % health
    world.double.nodes["two"]["status"] = "offline"
    assert not driver.health()["healthy"]
    world.double.nodes["one"]["status"] = "online"
    assert not driver.health()["healthy"], driver.health()
    world.double.nodes["two"]["status"] = "online"
    assert driver.health()["machines"] == 32, driver.health()
    assert vm["node"] == "two" and vm["config"]["scsi0"].startswith("fast:vm-") and "linked_clone" not in driver.health()["can"], vm
    assert driver.machines()[desktop]["address"] == "10.7.%d.%d" % (vmid >> 8, vmid & 255), "as Proxmox VE's DHCP gave it"
    assert driver.refused("create", desktop, new(), world.image, "t").code == "conflict"
    driver.call("restart", desktop, new(), "refresh", "t")
    (vmid, vm), = world.double.ours().items()
    assert driver.machines()[desktop]["address"] == "10.7.%d.%d" % (vmid >> 8, vmid & 255), "a fresh machine has a card and an address of its own"
    assert driver.refused("resize", desktop, 512, 0, 0).code == "busy"
    driver.call("snapshot", desktop, "take", "here")
    driver.call("migrate", desktop, "one")
    driver.call("snapshot", desktop, "revert", "here")
    assert driver.machines()[desktop]["state"] == "running" and vm["config"]["ide2"] == "none,media=cdrom" and not world.double.isos
    driver.call("snapshot", desktop, "drop", "here")
    driver.call("power", desktop, "stop")
    assert int(world.double.asked["forceStop"]) == 1 and 1 <= int(world.double.asked["timeout"]) <= 20
    driver.call("resize", desktop, 512, 150, 0)
    assert [vm["config"][k] for k in ("memory", "cores", "cpulimit")] == ["512", 2, 1.5], vm
    driver.call("destroy", desktop)
    for image, word in (("ref:nothing", "no template"), ("ref:7", "no template"), ("/golden.qcow2", "ref:")):
        r = driver.refused("create", new(), new(), image, "t")
        assert word in r.text and r.code in ("invalid", "unsupported"), r
    assert world.create(driver, golden="ref:9000")
    driver.call("destroy", list(driver.machines())[0])
    world.leave_nothing()
    driver.end()


def test_nodes_and_networks_are_chosen(world):
    double = world.double
    nets = {"networks": "office, lab", "network-office": "bridge:vmbr1 vlan:42", "network-lab": "vnet:lab0"}
    alone = world.driver(shared_storage="no", **nets)
    assert alone.call("places")["hosts"] == [], "a template that one node alone has leaves no choice"
    assert alone.refused("create", new(), new(), world.image, "t", "host", "one").code == "invalid"
    desktop = world.create(alone)
    alone.call("migrate", desktop, "two")
    alone.call("restart", desktop, new(), "refresh", "t")
    assert alone.machines()[desktop]["host"] == "one", "a fresh one is where its template is"
    alone.call("destroy", desktop)
    driver = world.driver(shared_storage="yes", **nets)
    places = driver.call("places")
    assert [(h["name"], h["usable"], h["memory_mb"], h["free_mb"]) for h in places["hosts"]] == [("one", True, 65536, 64512), ("two", True, 65536, 63488)], places
    assert places["networks"] == [{"name": "office", "kind": "bridge", "about": "vmbr1, VLAN 42"}, {"name": "lab", "kind": "existing", "about": "lab0"}], places
    cards = {}
    for network, host in (("office", "two"), ("lab", "one"), ("host", "two")):
        desktop = new()
        driver.call("create", desktop, new(), world.image, "token_of_this_test", network, host)
        (vmid, vm), = double.ours().items()
        assert vm["node"] == host == driver.machines()[desktop]["host"], vm
        cards[network] = re.sub("=[0-9A-Fa-f:]{17}", "=MAC", vm["config"]["net0"])
        driver.call("restart", desktop, new(), "refresh", "token_of_this_test")
        (vmid, vm), = double.ours().items()
        assert vm["node"] == host and re.sub("=[0-9A-Fa-f:]{17}", "=MAC", vm["config"]["net0"]) == cards[network], "a fresh one is where the old one was"
        driver.call("destroy", desktop)
    assert cards == {"office": "virtio=MAC,firewall=1,bridge=vmbr1,tag=42", "lab": "virtio=MAC,firewall=1,bridge=lab0", "host": "virtio=MAC,bridge=vmbr0,firewall=1"}, cards
    assert driver.refused("create", new(), new(), world.image, "t", "moon").code == "invalid", "no other network than the pool's"
    assert driver.refused("create", new(), new(), world.image, "t", "host", "moon").code == "not_found"
    double.nodes["two"]["status"] = "offline"
    assert driver.refused("create", new(), new(), world.image, "t", "host", "two").code == "busy"
    away = {h["name"]: h for h in driver.call("places")["hosts"]}["two"]
    assert not away["usable"] and "offline" in away["reason"], away
    double.nodes["two"]["status"] = "online"
    world.leave_nothing()
    driver.end()


def test_a_template_with_uefi_is_cloned_with_its_variables(world):
    golden = world.double.vms[9000]["config"]
    golden.update(bios="ovmf", machine="q35", efidisk0="lvm:base-9000-disk-1,efitype=4m,size=4M")
    driver = world.driver(seed_drive="scsi1")
    desktop = world.create(driver)
    (_, vm), = world.double.ours().items()
    assert vm["config"]["bios"] == "ovmf" and "efidisk0" in vm["config"] and "iso" in vm["config"]["scsi1"] or "cdrom" in vm["config"]["scsi1"], vm
    driver.call("resize", desktop, 0, 0, 8192)
    assert "size=8" in vm["config"]["scsi0"], "the disk grows, and not the variables: %s" % vm
    driver.call("destroy", desktop)
    for key in ("bios", "machine", "efidisk0"):
        del golden[key]
    world.leave_nothing()
    driver.end()


def test_trust_and_rights_are_told(world):
    double = world.double
    pinned = world.driver(ca=None, pin=double.pin())
    assert pinned.health()["healthy"], pinned.health()
    pinned.end()
    for change, word in ((dict(ca=None, pin="sha256//" + "A" * 43 + "="), "not trusted"), (dict(ca=None), "not trusted"),
                         (dict(token_file=world.file("wrong", "who@pve!x=1")), "token")):
        driver = world.driver(**change)
        health = driver.health()
        assert not health["healthy"] and word in health["reason"], health
        assert driver.refused("list").code == "unauthenticated", driver.refused("list")
        driver.end()
    driver = world.driver()
    double.denied = "POST .*/clone"
    r = driver.refused("create", new(), new(), world.image, "t")
    assert r.code == "denied" and "VM.Clone" in r.text, r
    double.denied = None
    driver.end()


def test_the_console_is_a_websocket_with_a_ticket(world):
    answer = a_console_is_seen(world)
    assert answer["password"] == "PVEVNC:" + answer["password"][7:] and len(answer["password"]) == 8, answer
    assert not any(world.double.tickets.values()), "each was used"


RDP_ADDRESS = "127.0.0.1"


def leases_say(world, address):
    """Proxmox VE's DHCP gave that address to every machine; None: to none."""
    world.double.get_cluster_sdn_ipams_status = lambda p, kind: [{"ip": address, "mac": mac} for mac in world.double.leases] if address else []


def test_a_machine_is_shown_by_its_own_rdp_server(world):
    """With an address of ours, and with one of Proxmox VE's."""
    server, seen = RdpServer().begin(), len(world.double.seen)
    leases_say(world, RDP_ADDRESS)
    for addresses in "127.0.0.1-127.0.0.1", None:
        driver = world.driver(env=SHOWN, rdp_port=server.port, rdp_fingerprint=PIN, addresses=addresses)
        desktop = shown_by(driver, server, world.image)
        assert not any("/status/shutdown" in line for line in world.double.seen[seen:]), "nobody asks Linux before a restart"
        driver.call("destroy", desktop)
        driver.end()
    server.end()
    world.leave_nothing()


def test_where_linux_is_is_not_asked_at_its_start(world):
    """Its agent comes by itself: Proxmox VE's DHCP may be silent for a while."""
    leases_say(world, None)
    driver = world.driver(addresses=None, address_wait_s=0)
    desktop = new()
    driver.call("create", desktop, new(), world.image, "t")
    driver.call("power", desktop, "off")
    world.double.fault("500", "GET .*/ipams/", times=100)
    driver.call("power", desktop, "start")
    world.double.faults.clear()
    del world.double.get_cluster_sdn_ipams_status
    driver.call("destroy", desktop)
    world.leave_nothing()
    driver.end()


def test_rdp_servers_that_do_not_come_leave_no_machine(world):
    server = RdpServer()
    driver = world.driver(env=SHOWN, rdp_port=server.port, rdp_wait_s=1, addresses="127.0.0.1-127.0.0.1")
    refused = driver.refused("create", new(), new(), world.image, "t")
    assert refused.code == "timeout" and "RDP server at 127.0.0.1 port %d does not answer" % server.port in refused.text, refused
    world.leave_nothing()
    driver.end()
    leases_say(world, None)
    for env, settings, code, words in ((SHOWN, {"deadline_s": 5}, "timeout", "DHCP gave it no address"), (SHOWN, {"ipam": ""}, "invalid", '"addresses"'),
                                       (WINDOWS, {"ipam": ""}, "invalid", '"addresses"')):
        driver = world.driver(env=env, addresses=None, **settings)
        refused = driver.refused("create", new(), new(), world.image, "t")
        assert refused.code == code and words in refused.text, refused
        world.leave_nothing()
        driver.end()
    server.end()


def test_windows_has_an_agent_and_is_asked_to_end(world):
    double = world.double
    driver = world.driver(env=WINDOWS, addresses=None)
    desktop = new()
    machine = driver.call("create", desktop, new(), world.image, "token_of_this_test")["machine"]
    assert (machine["kind"], machine["agent"], machine["port"]) == (ENDPOINT_RDP, True, 3389), machine
    assert driver.machines()[desktop]["agent"] and b"token_of_this_test" in list(double.isos.values())[0]
    assert driver.call("way", desktop, PIN)["account"]["fingerprint"] == PIN, "as its agent says"
    assert driver.refused("way", desktop).code == "invalid", "whoever answers first is not believed"
    driver.call("restart", desktop, new(), "keep", "")
    assert double.asked["forceStop"] in (0, "0") and 1 <= int(double.asked["timeout"]) <= 10, double.asked
    # Its agent was told first, and QEMU's own, which Proxmox VE asks, may have ended meanwhile: it is waited for.
    fault = double.fault("task-error", "POST .*/status/shutdown")
    stop = driver.begin("power", desktop, "stop")
    wait_for("the question", lambda: fault.hits == 1)
    stops = sum("/status/stop" in line for line in double.seen)
    vm, = double.ours().values()
    vm["status"] = "stopped"
    driver.finish(stop)
    assert sum("/status/stop" in line for line in double.seen) == stops, "it was ended in the middle of its work"
    # What does not end is ended.
    driver.call("power", desktop, "start")
    driver.end()
    driver = world.driver(env=WINDOWS, addresses=None, deadline_s=8)
    double.fault("task-error", "POST .*/status/shutdown")
    driver.call("power", desktop, "stop")
    assert vm["status"] == "stopped" and sum("/status/stop" in line for line in double.seen) == stops + 1
    # Its address comes late, as Windows does; nobody waits for it, since its agent says when it can be used.
    leases_say(world, None)
    machine = driver.call("restart", desktop, new(), "refresh", "u")["machine"]
    assert (machine["kind"], machine["agent"], machine["address"]) == (ENDPOINT_RDP, True, ""), machine
    assert driver.machines()[desktop]["agent"] and driver.refused("way", desktop, PIN).code == "busy"
    del double.get_cluster_sdn_ipams_status
    assert driver.machines()[desktop]["address"].startswith("10.7.") and driver.call("way", desktop, PIN)["address"].startswith("10.7.")
    driver.call("destroy", desktop)
    world.leave_nothing()
    driver.end()


if __name__ == "__main__":
    sys.exit(tests_run(World, globals()))
