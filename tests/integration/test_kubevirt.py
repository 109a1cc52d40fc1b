#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider "kubevirt" against a double of Kubernetes with KubeVirt (kubevirt_double.py): the contract of all drivers, then faults.
Covers: broker/hypervisor/kubevirt/await.c broker/hypervisor/kubevirt/found.c broker/hypervisor/kubevirt/k8s.c
broker/hypervisor/kubevirt/life.c broker/hypervisor/kubevirt/list.c broker/hypervisor/kubevirt/migrate.c
broker/hypervisor/kubevirt/power.c broker/hypervisor/kubevirt/resize.c broker/hypervisor/kubevirt/screen.c broker/hypervisor/kubevirt/side.c
broker/hypervisor/kubevirt/snapshot.c broker/hypervisor/kubevirt/watch.c

Run alone: top_builddir=build python3 tests/integration/test_kubevirt.py [name]"""
import json
import os
import queue
import sys
import time

from driver_harness import Refused
from kubevirt_double import TOKEN, Cluster
from rest_double import wait_for
from rest_harness import RestWorld, a_console_is_seen, again, crashes, new, run_contract, tests_run

TIER = int(os.environ.get("PUESTO_TIER", "1"))
GOLDEN = ("persistentvolumeclaims", "golden")


class World(RestWorld):
    kind, image = "kubevirt", "ref:pvc:golden"

    def __init__(self):
        super().__init__(Cluster, TOKEN)

    def settings(self):
        return {"kind": "kubevirt", "url": self.double.url, "ca": self.double.certificate, "token_file": self.token, "deadline_s": 20, "poll_s": 30,
                "agents": "10.9.0.1:5911", "agents_ca": self.ca}

    def leave_nothing(self):
        wait_for("empty cluster", lambda: not self.double.ours())
        assert list(self.double.objects[GOLDEN[0]]) == [GOLDEN[1]], "the golden claim was touched"


def test_the_contract_holds(world):
    run_contract(world, "kubevirt/double_keeps_the_contract")
    world.leave_nothing()


def test_the_contract_holds_with_pods(world):
    run_contract(world, "kubevirt/pods_keep_the_contract", workload="pod")
    world.leave_nothing()


def test_a_pod_keeps_its_home_and_its_enrolment(world):
    driver, double = world.driver(workload="pod", storage_class="fast"), world.double
    image, desktop = "ref:registry.example/desk:12", new()
    world.create(driver, desktop, golden=image)
    name = "puesto-" + desktop
    assert driver.health()["can"] == "power,resize,grow" and driver.machines()[desktop]["host"] == "one"

    assert json.loads(double.seeds[name]["enrol.json"]) == {"desktop": desktop, "token": "token_of_this_test"}
    claim, = double.ours()["persistentvolumeclaims"]
    first = double.get("pods", name)
    assert {"name": "state", "persistentVolumeClaim": {"claimName": claim}} in first["spec"]["volumes"], first
    driver.call("power", desktop, "stop")
    assert "pods" not in double.ours() and driver.machines()[desktop]["state"] == "stopped"
    driver.call("resize", desktop, 512, 150, 2048)
    driver.call("power", desktop, "start")
    limits = double.get("pods", name)["spec"]["containers"][0]["resources"]["limits"]
    assert limits == {"memory": "512Mi", "cpu": "1500m"} and double.ours()["persistentvolumeclaims"] == [claim], limits
    assert double.seeds[name]["enrol.json"] == "" and double.seeds[name]["agent.conf"], "the token was for one start"
    assert double.get("persistentvolumeclaims", claim)["spec"]["resources"]["requests"]["storage"] == "2048Mi"
    driver.call("restart", desktop, new(), "refresh", "another_token")
    wait_for("a fresh disk", lambda: len(double.ours()["persistentvolumeclaims"]) == 1 and double.ours()["persistentvolumeclaims"] != [claim])
    driver.call("watch", desktop)
    double.die(desktop)
    assert ended(driver)["ended"] == desktop and driver.machines()[desktop]["state"] == "failed"
    driver.call("power", desktop, "start")
    assert driver.machines()[desktop]["state"] == "running", "what ended is in nobody's way"
    for words in (("snapshot", desktop, "take", "a"), ("migrate", desktop, "two"), ("power", desktop, "suspend")):
        assert driver.refused(*words).code == "unsupported"
    assert driver.refused("create", new(), new(), "ref:pvc:golden", "t").code == "unsupported"
    for match, kind in ((r"POST .*/configmaps", "lost"), (r"POST .*/pods", "lost"), (r"POST .*/pods", "said-done"), (r"PATCH .*/persistentvolumeclaims", "500"),
                        (r"PATCH .*/secrets", "429"), (r"DELETE .*/configmaps", "lost")):
        other, fault = new(), double.fault(kind, match)
        again(driver, "create", other, new(), image, "t")
        again(driver, "destroy", other)
        assert fault.hits == 1, (match, kind)
        double.heal()
    driver.call("destroy", desktop)
    world.leave_nothing()
    driver.end()


def test_a_desktop_has_a_disk_a_seed_and_an_address(world):
    driver, double = world.driver(storage_class="fast", pull_secret="registry"), world.double
    desktop = world.create(driver)
    name = "puesto-" + desktop
    vm = double.get("virtualmachines", name)
    spec = vm["spec"]["template"]["spec"]
    template, = vm["spec"]["dataVolumeTemplates"]
    assert vm["spec"]["runStrategy"] == "Manual" and template["spec"]["storage"]["storageClassName"] == "fast", vm
    assert spec["domain"]["memory"]["guest"] == "128Mi" and spec["domain"]["resources"]["limits"]["cpu"] == "1000m", spec
    assert {"name": "seed", "secret": {"secretName": name + "-seed", "volumeLabel": "CIDATA"}} in spec["volumes"], spec
    seed = json.loads(double.seeds[name]["puesto.json"])
    assert seed["desktop"] == desktop and seed["token"] == "token_of_this_test" and seed["broker"] == "10.9.0.1:5911"
    assert "token_of_this_test" not in json.dumps(vm) + json.dumps(double.objects["secrets"]), "it was for that start"
    assert double.get("secrets", name + "-seed")["metadata"]["ownerReferences"][0]["uid"] == vm["metadata"]["uid"]
    machine = driver.machines()[desktop]
    assert machine["address"] == double.get("services", name)["spec"]["clusterIP"] and machine["host"] == "one", machine
    first = spec["volumes"][0]["dataVolume"]["name"]
    driver.call("snapshot", desktop, "take", "before")
    driver.call("restart", desktop, new(), "keep", "")
    assert list(double.ours()["datavolumes"]) == [first]
    driver.call("restart", desktop, new(), "refresh", "another_token")
    wait_for("a fresh disk", lambda: len(double.ours()["datavolumes"]) == 1 and double.ours()["datavolumes"] != [first])
    assert driver.machines()[desktop]["address"] == machine["address"] and "virtualmachinesnapshots" not in double.ours()
    assert "another_token" in double.seeds[name]["puesto.json"] and "another_token" not in json.dumps(double.objects["secrets"])
    driver.call("destroy", desktop)
    world.leave_nothing()
    disk = world.create(driver, golden="ref:quay.io/desks/debian:12")
    volume = double.get("virtualmachines", "puesto-" + disk)["spec"]["template"]["spec"]["volumes"][0]
    assert volume == {"name": "root", "containerDisk": {"image": "quay.io/desks/debian:12", "imagePullSecret": "registry"}}, volume
    for words in (("snapshot", disk, "take", "a"), ("resize", disk, 0, 0, 4096), ("power", disk, "suspend")):
        assert driver.refused(*words).code == "unsupported"
    driver.call("destroy", disk)
    world.leave_nothing()
    driver.end()


FAULTS = ("500", "503", "429", "409", "lost", "doubled", "twice", "truncated", "said-done", "said-error")
CALLS = (r"POST .*/virtualmachines$", r"PATCH .*/virtualmachines/", r"PATCH .*/secrets/", r"PATCH .*/services/", r"PUT .*/start",
         r"GET .*/virtualmachineinstances/", r"GET .*/virtualmachines/", r"DELETE .*/virtualmachines/", r"DELETE .*/secrets/", r"GET .*limit=500")


def test_an_address_on_a_network_of_its_own_is_followed(world):
    driver, double = world.driver(network="desks/bridge"), world.double
    desktop = world.create(driver)
    assert not double.ours().get("services"), "a Service does not reach that network"
    seen = []
    for words in ((), ("power", "off"), ("refresh",)):
        if words == ("power", "off"):
            driver.call("power", desktop, "off")
            driver.call("power", desktop, "start")
        elif words:
            driver.call("restart", desktop, new(), "refresh", "token_of_this_test")
        wait_for("an address", lambda: driver.machines()[desktop]["address"] == "10.8.0.%d" % double.leases)
        seen.append(double.leases)
    assert seen == sorted(set(seen)), seen
    driver.call("destroy", desktop)
    world.leave_nothing()
    driver.end()


def test_a_pool_chooses_its_network(world):
    driver, double = world.driver(networks="lab, office", **{"network-lab": "desks/lab", "network-office": "office"}), world.double
    assert driver.call("places")["networks"] == [{"name": "lab", "kind": "existing", "about": "desks/lab"}, {"name": "office", "kind": "existing", "about": "office"}]
    for network, card in (("lab", {"name": "net", "multus": {"networkName": "desks/lab"}}), ("host", {"name": "net", "pod": {}})):
        desktop = new()
        driver.call("create", desktop, new(), world.image, "token_of_this_test", network)
        for words in ((), (new(), "refresh", "token_of_this_test")):
            if words:
                driver.call("restart", desktop, *words)
            spec = double.get("virtualmachines", "puesto-" + desktop)["spec"]["template"]["spec"]
            assert spec["networks"] == [card] and ("bridge" in spec["domain"]["devices"]["interfaces"][0]) == (network == "lab"), spec
            assert bool(double.ours().get("services")) == (network == "host")
        driver.call("destroy", desktop)
    assert driver.refused("create", new(), new(), world.image, "t", "moon").code == "invalid", "no other network than the pool's"
    world.leave_nothing()
    driver.end()


def test_a_desktops_life_survives_every_fault(world):
    driver = world.driver(deadline_s=8)
    for i, match in enumerate(CALLS):
        for j, kind in enumerate(FAULTS):
            if TIER < 2 and i != j:
                continue  # each call and each fault once; all of each in tier 2
            if kind == "said-done" and match.startswith("PATCH .*/virtualmachines"):
                continue  # what the server gives back as written, it has written
            fault = world.double.fault(kind, match)
            desktop, task = new(), new()
            again(driver, "create", desktop, task, world.image, "token_of_this_test", "host", "", 4096)
            again(driver, "list")
            machine = driver.machines()[desktop]
            assert machine["state"] == "running" and machine["task"] == task and machine["address"], (match, kind, machine)
            ours = world.double.ours(desktop)
            assert len(ours["virtualmachines"]) == 1 and len(ours["datavolumes"]) == 1, (match, kind, ours)
            again(driver, "destroy", desktop)
            assert fault.hits == 1, (match, kind)
            world.double.heal()
            world.leave_nothing()
    driver.end()


VERBS = (
    (r"PUT .*/stop", ("power", "off"), {"state": "stopped"}),
    (r"PUT .*/start", ("power", "start"), {"state": "running"}),
    (r"PUT .*/stop", ("power", "stop"), {"state": "stopped"}),
    (r"PUT .*/start", ("power", "start"), {"state": "running"}),
    (r"POST .*/virtualmachinesnapshots", ("snapshot", "take", "one.1"), {"state": "running"}),
    (r"POST .*/virtualmachinerestores", ("snapshot", "revert", "one.1"), {"state": "running"}),
    (r"DELETE .*/virtualmachinesnapshots/", ("snapshot", "drop", "one.1"), {"state": "running"}),
    (r"PATCH .*/persistentvolumeclaims/", ("resize", 0, 0, 0), {"state": "running"}),
    (r"POST .*/virtualmachineinstancemigrations", ("migrate", ""), {"state": "running"}),
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
            if words[0] == "migrate":
                assert machine["host"] == words[1], machine
            world.double.heal()
    for left in ("virtualmachinesnapshots", "virtualmachinerestores", "virtualmachineinstancemigrations"):
        wait_for("the last of " + left, lambda left=left: not world.double.objects[left])
    driver.call("destroy", desktop)
    world.leave_nothing()
    driver.end()


def test_lists_come_in_pages_and_grow_old(world):
    driver, double = world.driver(), world.double
    desktops = [world.create(driver) for _ in range(5)]
    double.page = 2
    double.seen.clear()
    assert set(driver.machines()) == set(desktops)
    assert len([line for line in double.seen if "limit=500" in line]) == 6, double.seen
    fault = double.fault("410", "virtualmachines.*continue=")
    assert set(driver.machines()) == set(desktops) and fault.hits == 1, "it begins anew"
    double.heal()
    fault = double.fault("truncated", "virtualmachineinstances.*continue=")
    assert driver.refused("list").code == "protocol", "half a list is none"
    double.heal()
    for d in desktops:
        driver.call("destroy", d)
    world.leave_nothing()
    driver.end()


def ended(driver, seconds=10):
    try:
        return driver.ends.get(timeout=seconds)
    except queue.Empty:
        return None


def test_ends_are_told_by_the_stream_and_without_it(world):
    driver, double = world.driver(), world.double
    streams = lambda: [line for line in double.seen if "watch=true" in line]
    first, second, third = (world.create(driver) for _ in range(3))
    for d in first, second, third:
        driver.call("watch", d)
    wait_for("a stream", streams)
    double.die(first)
    assert ended(driver)["ended"] == first, "long before poll_s"
    n = len(streams())
    double.compact()
    wait_for("a stream that begins anew", lambda: len(streams()) > n)
    double.die(second)
    assert ended(driver)["ended"] == second
    driver.end()
    driver = world.driver(poll_s=1)
    double.denied = "watch=true"
    assert driver.machines()[third]["state"] == "running"
    driver.call("watch", third)
    double.die(third)
    assert ended(driver)["ended"] == third, "the time alone tells"
    double.denied = None
    for d in first, second, third:
        driver.call("destroy", d)
    world.leave_nothing()
    driver.end()


def test_what_is_cancelled_ends(world):
    driver, desktop, task = world.driver(), new(), new()
    world.double.fault("said-done", "PUT .*/start", 99)
    n = driver.begin("create", desktop, task, world.image, "token_of_this_test")
    wait_for("a start", lambda: any("/start" in line for line in world.double.seen))
    driver.call("cancel", desktop)
    try:
        raise AssertionError("done: %s" % driver.finish(n))
    except Refused as r:
        assert r.code == "closed" and "cancelled" in r.text, r
    assert driver.machines()[desktop]["state"] == "failed"
    world.double.heal()
    world.create(driver, desktop, task)
    driver.call("destroy", desktop)
    world.leave_nothing()
    driver.end()


def test_a_crash_at_every_call_leaves_nothing_behind(world):
    """The provisioner dies at the n-th call of a create, then of a refresh; the same task makes it whole."""
    def check(verb, n, desktop):
        ours = world.double.ours()
        assert len(ours["virtualmachines"]) == 1 and len(ours["virtualmachineinstances"]) == 1 and len(ours["secrets"]) == 1, (verb, n, ours)
        wait_for("the old disk's end", lambda: len(world.double.ours()["datavolumes"]) == 1)
    assert crashes(world, check, 1 if TIER > 1 else 3) > 4


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
    double.fault("page", "DELETE .*virtualmachines/", 3)
    again(driver, "destroy", desktop)
    world.leave_nothing()
    driver.end()


def test_another_tasks_machine_is_not_undone(world):
    """Two provisioners of one installation at once: the other one's machine comes to be between our look and our POST."""
    driver, double = world.driver(), world.double
    desktop, task, others, make = new(), new(), new(), double.create

    def create(collection, body):
        if collection == "virtualmachines":
            note = body["metadata"]["annotations"]
            note["org.puesto/claim"] = note["org.puesto/claim"].replace(task, others)
            make(collection, body)
        return make(collection, body)
    double.create = create
    assert driver.refused("create", desktop, task, world.image, "t").code == "conflict"
    del double.create
    assert driver.machines()[desktop]["task"] == others
    driver.call("destroy", desktop)
    world.leave_nothing()
    driver.end()


def test_an_answer_without_a_list_is_no_list(world):
    """A server before the API that answers "{}" with 200 has not said that there is nothing."""
    driver, double = world.driver(poll_s=1), world.double
    desktop = world.create(driver)
    driver.call("watch", desktop)
    for answer in ({}, {"kind": "Status", "status": "Success"}, {"items": {}}):
        double.list = lambda collection, query, answer=answer: answer
        assert driver.refused("list").code == "protocol", answer
    looked = len(double.seen)
    wait_for("the thread that looks", lambda: sum("virtualmachines?" in line for line in double.seen[looked:]) > 2)
    assert driver.ends.empty()
    del double.list
    assert driver.machines()[desktop]["state"] == "running"
    driver.call("destroy", desktop)
    world.leave_nothing()
    driver.end()


def test_others_are_left_alone(world):
    double, ours, theirs = world.double, world.driver(), world.driver(data="other")
    mine, foreign, plain = world.create(ours), world.create(theirs), new()
    with double.lock:
        double.store("virtualmachines", "puesto-" + plain, {"metadata": {"name": "puesto-" + plain}, "spec": {}})
        copied = double.get("virtualmachines", "puesto-" + mine)
        copied["metadata"]["name"] = "a-copy"
        double.store("virtualmachines", "a-copy", copied)
    assert set(ours.machines()) == {mine} and set(theirs.machines()) == {foreign}
    for desktop in (plain, foreign):
        ours.call("destroy", desktop)
        assert ours.refused("create", desktop, new(), world.image, "t").code == "conflict"
        assert ours.refused("power", desktop, "off").code == "not_found"
    ours.call("destroy", mine)
    theirs.call("destroy", foreign)
    wait_for("the end of ours alone", lambda: sorted(double.objects["virtualmachines"]) == ["a-copy", "puesto-" + plain])
    ours.end()
    theirs.end()


def test_what_is_wrong_is_told(world):
    double = world.double
    driver = world.driver(deadline_s=4)
    double.denied = "POST .*/virtualmachines"
    r = driver.refused("create", new(), new(), world.image, "t")
    assert r.code == "denied" and "may not POST" in r.text, r
    double.denied = None
    r = driver.refused("create", new(), new(), "ref:pvc:nothing", "t")
    assert r.code == "timeout" and "DataVolumeError" in r.text, r
    assert driver.refused("create", new(), new(), "/golden.qcow2", "t").code == "unsupported"
    world.leave_nothing()
    desktop = world.create(driver)
    assert driver.refused("resize", desktop, 512, 0, 0).code == "busy" and driver.refused("migrate", desktop, "nowhere").code == "not_found"
    driver.call("power", desktop, "stop")
    assert 1 <= double.grace <= 4
    driver.call("resize", desktop, 512, 150, 0)
    domain = double.get("virtualmachines", "puesto-" + desktop)["spec"]["template"]["spec"]["domain"]
    assert (domain["memory"]["guest"], domain["cpu"]["cores"], domain["resources"]["limits"]["cpu"]) == ("512Mi", 2, "1500m"), domain
    double.token = "another-token"
    assert not driver.health()["healthy"] and driver.refused("list").code == "unauthenticated"
    world.file("token", "another-token\n")
    assert driver.health()["healthy"], "the file is read again"
    driver.call("destroy", desktop)
    driver.end()
    driver = world.driver(pin=double.pin(), ca=None)
    assert driver.health()["healthy"]
    driver.end()
    driver = world.driver(namespace="other")
    assert not driver.health()["healthy"]
    driver.end()


def test_the_console_is_a_websocket_of_the_instance(world):
    assert a_console_is_seen(world)["password"] == ""


if __name__ == "__main__":
    sys.exit(tests_run(World, globals()))
