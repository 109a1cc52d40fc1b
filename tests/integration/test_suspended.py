#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool whose second tier of spare desktops is suspended: a real broker, a provisioner and agents of our own making. The same with real
machines: test_suspended_guest.py."""
import time
import unittest

from broker_harness import Provisioner, eventually
from test_broker_display import World


class Sleepy(Provisioner):
    """`start_fails`: a sentence with which every start is refused. `lazy`: says that it has suspended, and the machine runs on."""
    start_fails, lazy = None, False

    def answer(self, m):
        if m["op"] == "start" and self.start_fails:
            return {"error": {"code": "failed", "title": self.start_fails, "status": 500, "retryable": False}}
        if m["op"] == "suspend" and self.lazy:
            return {}
        return super().answer(m)


class Suspended(unittest.TestCase):
    def setUp(self):
        self.world = World(provisioner=False)
        self.world.provisioner = Sleepy(self.world.broker.dir + "/run")

    def tearDown(self):
        self.world.close()

    def pool(self):
        return self.world.admin.get("pools/demo")

    def settle(self, **more):
        self.world.admin.want(200, "PATCH", "pools/demo", {"min": 0, "max": 4, "spare": 0, **more})
        eventually(lambda: self.asleep() == more["spare_suspended"] and self.pool()["counts"]["starting"] == 0)

    def asleep(self):
        return sum(d["state"] == "suspended" for d in self.world.admin.get("desktops")["items"])

    def asked(self, *ops):
        return [m["op"] for m in self.world.provisioner.commands if m["op"] in ops]

    def test_who_comes_gets_one_that_slept(self):
        self.settle(spare_suspended=2)
        pool = self.pool()
        self.assertEqual((pool["counts"]["ready"], pool["counts"]["total"], pool["state"], pool["suspended_reason"]), (0, 2, "ready", None))
        desktops = self.world.admin.get("desktops")["items"]
        self.assertEqual({(d["state"], d["sleep"], d["power"], d["reason"]["code"]) for d in desktops}, {("suspended", "suspended", "off", "suspended")})
        self.assertEqual(self.world.admin.get("status")["counts"]["suspended"], 2)
        made = len(self.asked("create"))
        began = time.monotonic()
        answer = self.world.connect(self.world.ana)
        print("resumed and assigned after %.2f s" % (time.monotonic() - began))
        self.assertIn(answer["desktop"]["id"], [d["id"] for d in desktops])
        self.assertEqual(self.asked("start"), ["start"])
        eventually(lambda: self.asleep() == 2)
        self.assertEqual(len(self.asked("create")), made + 1, "the tier is filled up by making one")
        kinds = [e["kind"] for e in self.world.admin.get("events?object_kind=desktop&limit=200")["items"]]
        for kind in "desktop.suspended", "desktop.resuming", "desktop.resumed", "desktop.assigned":
            self.assertIn(kind, kinds)

    def test_one_that_cannot_be_resumed_gets_a_new_disk_and_the_pool_says_so(self):
        self.settle(spare_suspended=1)
        self.world.provisioner.start_fails = "its memory is damaged"
        answer = self.world.connect(self.world.ana)
        self.assertEqual(self.asked("restart"), ["restart"])
        self.assertTrue(answer["desktop"]["id"])
        why = self.pool()["suspended_reason"]
        self.assertEqual(why["code"], "tier_not_resumed")
        self.assertIn("its memory is damaged", why["en"])
        self.assertIn("no se suspende", why["es"])
        self.assertIn(("pool", "warning"), [(p["kind"], p["state"]) for p in self.world.admin.get("status")["problems"]])

    def test_an_agent_that_noticed_nothing_has_to_say_hello_again(self):
        self.world.provisioner.lazy = True
        self.settle(spare_suspended=1)
        (machine,) = self.world.provisioner.machines.values()
        eventually(lambda: machine["process"].poll() is not None)  # its connection was ended

    def test_a_provider_that_cannot_suspend_is_refused(self):
        self.world.provisioner.can = "power,snapshot"
        self.world.provisioner.hello()
        status, answer, _ = self.world.admin.call("PATCH", "pools/demo", {"spare_suspended": 1}, headers={"accept-language": "es"})
        self.assertEqual(status, 422, answer)
        self.assertIn("no puede suspender escritorios", str(answer))
        self.world.admin.want(200, "PATCH", "pools/demo", {"spare": 1})
        self.world.provisioner.can = "power,suspend"
        self.world.provisioner.hello()
        self.settle(spare_suspended=1)
        self.world.provisioner.can = "power"
        self.world.provisioner.hello()
        self.world.admin.want(200, "PATCH", "pools/demo", {"spare": 0})  # what else there is to change can be changed
        self.world.connect(self.world.ana)
        eventually(lambda: (self.pool()["suspended_reason"] or {}).get("code") == "tier_not_carried")


if __name__ == "__main__":
    unittest.main()
