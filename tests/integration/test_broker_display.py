#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a log-in to a granted display, with a fake gate, provisioner and agents around a real broker.

Covers: broker/control/agents.c broker/control/control.c broker/control/gateway.c broker/control/provisioner.c
broker/control/viewer.c broker/control/guests.c broker/api/desktops.c broker/api/me.c broker/api/sessions.c broker/api/watch.c
broker/reconciler_guests.c broker/api/operations.c db/guest.c db/snapshot.c db/viewer.c
"""
import base64
import json
import os
import time
import unittest

from broker_harness import AGENT_UID, PASSWORDS, SETUP, Broker, Link, Provisioner, Session, eventually, log_in

BOOT = "00000000-0000-4000-8000-000000000001"


class World:
    def __init__(self, setup=None, provisioner=True):
        self.broker = Broker(setup)
        self.open_gate([])
        self.provisioner = Provisioner(self.broker.dir + "/run") if provisioner else None
        self.log_in()

    def open_gate(self, sessions):
        self.gate = Link(self.broker.dir + "/run/gateway.sock")
        self.gate.call("hello", gateway="g", sessions=sessions)

    def log_in(self):
        self.admin, self.ana, self.eva = (log_in(self.gate, name) for name in ("admin", "ana", "eva"))

    def ready(self, count=1):
        eventually(lambda: self.admin.get("pools/demo")["counts"]["ready"] >= count)

    def connect(self, user, protocol="web"):
        pool = user.get("me/pools")["items"][0]["id"]

        def look():
            status, data, _ = user.call("POST", "me/pools/%s/connect" % pool, {"protocol": protocol})
            if status != 200:
                assert status == 202, data
                assert data["stage"] in ("queue", "create", "start", "agent") and data["reason"]["en"] and data["reason"]["es"], data
            return data if status == 200 else None

        return eventually(look)

    def display(self, user, protocol="web"):
        ticket = self.connect(user, protocol)
        grant = self.gate.call("redeem", ticket=ticket["ticket"], protocol="ws" if protocol == "web" else "rfb", remote="10.0.0.5")
        assert "grant" in grant, grant
        self.gate.send({"op": "session", "session": grant["session"], "event": "started"})
        return grant

    def ended(self, session, seconds=10):
        while True:
            message = self.gate.inbox.get(timeout=seconds)
            if message and message["op"] == "end" and message["session"] == session:
                return message

    def close(self):
        if self.provisioner:
            self.provisioner.close()
        self.gate.close()
        self.broker.close()


def read_grant(text):
    body, mac = text.split(".")
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))), mac


class Display(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)

    def test_a_user_keeps_snapshots_of_his_desktop_where_the_pool_lets_him(self):
        w = self.world
        w.ready()
        grant = w.display(w.ana)
        mine = "me/desktops/%s/snapshots" % w.admin.get("desktops")["items"][0]["id"]
        self.assertEqual(w.ana.want(403, "POST", mine, {"name": "a"})["code"], "snapshots_off")
        w.admin.want(422, "PATCH", "pools/demo", {"user_snapshots": 33})
        w.admin.want(200, "PATCH", "pools/demo", {"user_snapshots": 1})
        self.assertEqual(w.eva.want(404, "GET", mine)["code"], "not_found")
        w.ana.want(422, "POST", mine, {"name": "../a"})
        w.ana.want(202, "POST", mine, {"name": "before"})
        item = eventually(lambda: w.ana.get(mine)["items"])[0]
        self.assertEqual((item["name"], item["by"]), ("before", "ana"))
        pool = eventually(lambda: [p for p in w.ana.get("me/pools")["items"] if "task" not in p["desktop"]])[0]
        self.assertEqual(pool["user_snapshots"], 1)
        last = pool["desktop"]["last_task"]
        self.assertEqual((last["kind"], last["arg"], last["state"]), ("snapshot", "before", "done"))
        self.assertEqual(w.ana.want(409, "POST", mine, {"name": "more"})["code"], "limit")
        w.ana.want(404, "POST", mine + "/more/revert", {})
        w.ana.want(202, "POST", mine + "/before/revert", {})
        end = w.ended(grant["session"])
        self.assertIn("snapshot", end["reason_en"])
        w.gate.send({"op": "session", "session": grant["session"], "event": "ended"})
        w.connect(w.ana)
        w.ana.want(202, "DELETE", mine + "/before")
        eventually(lambda: not w.ana.get(mine)["items"])
        w.admin.want(200, "PATCH", "pools/demo", {"user_snapshots": 0})

    def test_what_is_stopped_is_started_by_its_owner(self):
        w = self.world
        w.ready()
        w.connect(w.ana)
        desktop = "desktops/%s" % next(d["id"] for d in w.admin.get("desktops")["items"] if d["user"])
        w.admin.want(422, "POST", desktop + "/power", {"power": "explode"})
        w.admin.want(202, "POST", desktop + "/power", {"power": "suspend"})
        eventually(lambda: w.admin.get(desktop)["state"] == "stopped")
        self.assertTrue(w.admin.get(desktop)["parked"])
        w.connect(w.ana)
        self.assertFalse(w.admin.get(desktop)["parked"])

    def test_what_once_had_desktops_can_be_deleted(self):
        w = self.world
        w.admin.want(201, "POST", "providers", {"name": "second"})
        w.admin.want(201, "POST", "images", {"name": "second"})
        w.admin.want(201, "POST", "images/second/versions", {"version": "1"})
        w.admin.want(200, "POST", "images/second/publish", {"version": "1"})
        w.admin.want(201, "POST", "pools", {"name": "second", "provider": "local", "image": "second", "min": 1})
        eventually(lambda: w.admin.get("pools/second")["counts"]["ready"] == 1)
        desktop = w.admin.get("desktops?q=SECOND-")["items"][0]
        self.assertEqual(w.admin.get("desktops?q=nothing-like-it")["items"], [])
        self.assertIn(desktop["name"], w.admin.want(409, "DELETE", "images/second")["detail"])
        w.admin.want(202, "DELETE", "pools/second")
        eventually(lambda: w.admin.call("DELETE", "images/second")[0] == 204)
        w.admin.want(204, "DELETE", "providers/second")
        self.assertTrue(w.admin.get("events?object=" + desktop["id"])["items"])

    def test_a_ticket_opens_one_display_once(self):
        w = self.world
        ticket = w.connect(w.ana)
        self.assertEqual((ticket["websocket"], ticket["subprotocol"]), ("/display", "puesto.v1"))
        for wrong in ("x" * 43, "", "🙂", ticket["ticket"] + "A"):
            self.assertEqual(w.gate.call("redeem", ticket=wrong, protocol="ws", remote="")["error"]["code"], "bad_ticket")
        grant = w.gate.call("redeem", ticket=ticket["ticket"], protocol="ws", remote="10.0.0.5")
        body, mac = read_grant(grant["grant"])
        self.assertEqual((body["user"], body["desktop"], body["session"], body["epoch"]),
                         ("ana", grant["desktop"], grant["session"], grant["epoch"]))
        self.assertEqual(len(mac), 43)
        self.assertGreater(body["exp"], time.time() * 1000)
        self.assertEqual(w.gate.call("redeem", ticket=ticket["ticket"], protocol="ws", remote="")["error"]["code"], "bad_ticket")
        novnc = w.connect(w.ana, "novnc")
        self.assertEqual(novnc["subprotocol"], "binary")
        self.assertEqual(w.gate.call("redeem", ticket=novnc["ticket"], protocol="ws", remote="")["error"]["code"], "bad_ticket",
                         "a ticket is for one protocol")

    def test_a_second_viewer_takes_over_and_the_first_is_told(self):
        w = self.world
        first, second = w.display(w.ana), w.display(w.ana)
        self.assertEqual(first["desktop"], second["desktop"])
        self.assertGreater(second["epoch"], first["epoch"])
        told = w.ended(first["session"])
        self.assertTrue(told["reason_en"] and told["reason_es"])
        live = w.admin.get("sessions?state=live")["items"]
        self.assertEqual([s["id"] for s in live], [second["session"]])
        w.admin.want(204, "DELETE", "sessions/" + second["session"])
        w.ended(second["session"])
        w.gate.send({"op": "session", "session": second["session"], "event": "ended", "code": "ended", "reason": "bye", "stats": {"frames": 7}})
        eventually(lambda: not w.admin.get("sessions?state=live")["items"])
        moved = w.admin.get("sessions/" + first["session"])["reason"]
        self.assertEqual((moved["code"], moved["en"], moved["es"]), ("moved", "Moved to another client.", "Trasladado a otro cliente."))

    def view(self, user, status=200):
        pool = user.get("me/pools")["items"][0]["id"]
        return user.want(status, "POST", "me/pools/%s/connect" % pool, {"protocol": "web", "view": True})

    def redeem(self, ticket, protocol="ws"):
        return self.world.gate.call("redeem", ticket=ticket["ticket"], protocol=protocol, remote="10.0.0.9")

    def test_a_second_view_joins_and_changes_nothing_of_the_session(self):
        w = self.world
        self.assertEqual(self.view(w.ana, 409)["code"], "no_session")
        session = w.display(w.ana)["session"]
        before = eventually(lambda: (s := w.admin.get("sessions/" + session))["state"] == "active" and s)
        self.assertEqual(before["guests"], [])
        ticket = self.view(w.ana)
        self.assertEqual(self.redeem(ticket, "rfb")["error"]["code"], "bad_ticket")
        grant = self.redeem(ticket)
        self.assertEqual((grant["session"], grant["guest"]["name"], grant["guest"]["can_input"]), (session, "ana", True))
        self.assertNotIn("grant", grant)
        self.assertEqual(self.redeem(ticket)["error"]["code"], "bad_ticket")
        w.gate.send({"op": "guest", "event": "started", "session": session, "guest": grant["guest"]})
        after = eventually(lambda: (s := w.admin.get("sessions/" + session))["guests"] and s)
        self.assertEqual((after["guests"][0]["name"], after["epoch"], after["state"]), ("ana", before["epoch"], "active"))
        self.assertEqual(len(w.admin.get("sessions?state=live")["items"]), 1)
        w.gate.send({"op": "guest", "event": "ended", "session": session, "guest": grant["guest"], "code": "client_left"})
        eventually(lambda: not w.admin.get("sessions/" + session)["guests"])
        for kind in "session.guest_joined", "session.guest_left":
            event = w.admin.get("events?kind=" + kind)["items"][0]
            self.assertEqual((event["actor"]["name"], event["object"]["id"], event["detail"]["can_input"]), ("ana", session, True))
        pool = w.ana.get("me/pools")["items"][0]["id"]
        w.eva.want(403, "POST", "me/pools/%s/connect" % pool, {"protocol": "web", "view": True})

    def test_an_administrator_watches_where_the_pool_says_so_and_it_is_written_down(self):
        w = self.world
        session = w.display(w.ana)["session"]
        address = "sessions/%s/watch" % session
        eventually(lambda: w.admin.get("sessions/" + session)["state"] == "active")
        self.assertEqual(w.admin.want(403, "POST", address, {})["code"], "watching_off")
        w.admin.want(422, "PATCH", "pools/demo", {"watching": "secretly"})
        self.assertEqual(w.admin.want(200, "PATCH", "pools/demo", {"watching": "announced"})["watching"], "announced")
        w.eva.want(403, "POST", address, {})
        w.admin.want(404, "POST", "sessions/%s/watch" % BOOT, {})
        ticket = w.admin.want(200, "POST", address, {})
        grant = self.redeem(ticket)
        self.assertEqual((grant["session"], grant["guest"]["can_input"]), (session, False))
        event = w.admin.get("events?kind=session.watched")["items"][0]
        self.assertEqual((event["actor"]["name"], event["detail"]["user"], event["object"]["id"]), ("admin", "ana", session))
        w.gate.send({"op": "guest", "event": "started", "session": session, "guest": grant["guest"]})
        guest = eventually(lambda: w.admin.get("sessions/" + session)["guests"])[0]["id"]
        w.admin.want(404, "DELETE", "sessions/%s/guests/%s" % (session, BOOT))
        w.admin.want(204, "DELETE", "sessions/%s/guests/%s" % (session, guest))
        while (message := w.gate.inbox.get(timeout=10))["op"] != "guest_end":
            pass
        self.assertEqual(message["guest"], guest)
        late = w.admin.want(200, "POST", address, {})
        w.admin.want(200, "PATCH", "pools/demo", {"watching": "off"})
        while (message := w.gate.inbox.get(timeout=10))["op"] != "guest_end":
            pass
        self.assertIn("any more", message["reason_en"])
        self.assertEqual(self.redeem(late)["error"]["code"], "no_session", "the setting has changed")
        w.admin.want(200, "PATCH", "pools/demo", {"watching": "announced"})
        late = w.admin.want(200, "POST", address, {})
        w.admin.want(204, "DELETE", "sessions/" + session)
        self.assertEqual(self.redeem(late)["error"]["code"], "no_session")
        novnc = w.display(w.ana, "novnc")["session"]
        eventually(lambda: w.admin.get("sessions/" + novnc)["state"] == "active")
        self.assertEqual(w.admin.want(409, "POST", "sessions/%s/watch" % novnc, {})["code"], "not_watchable")
        self.assertEqual(self.view(w.ana, 409)["code"], "no_session")

    def test_a_gate_that_comes_again_tells_its_guests(self):
        w = self.world
        session = w.display(w.ana)["session"]
        about = {"id": BOOT, "user": "u", "name": "Eva", "can_input": False, "since": 1700000000000}
        w.gate.call("hello", gateway="g", sessions=[session], guests=[{"guest": about, "session": session}, {"guest": 7}, "x"])
        guest = w.admin.get("sessions/" + session)["guests"]
        self.assertEqual([(g["name"], g["since"][:4]) for g in guest], [("Eva", "2023")])

    def test_the_gateways_reason_is_kept_in_both_languages_and_events_name_the_pool(self):
        w = self.world
        session = w.display(w.ana)["session"]
        w.gate.send({"op": "session", "session": session, "event": "ended", "code": "client_left", "reason": "The viewer disconnected.",
                     "reason_es": "El visor se ha desconectado.", "stats": {}})
        reason = eventually(lambda: (r := w.admin.get("sessions/" + session))["ended"] and r["reason"])
        self.assertEqual(reason, {"code": "client_left", "en": "The viewer disconnected.", "es": "El visor se ha desconectado."})
        ended = [e for e in w.admin.get("events?kind=session.ended")["items"] if e["detail"]["session"] == session]
        self.assertEqual([e["detail"]["pool"] for e in ended], ["demo"])

    def test_rdp_and_vnc_wait_with_progress(self):
        w = self.world
        bad = w.gate.call("auth", protocol="rdp", user="ana", password="wrong one", remote="10.0.0.6")
        nobody = w.gate.call("auth", protocol="rdp", user="nobody", password="wrong one", remote="10.0.0.6")
        self.assertEqual((bad["error"], bad["error"]["code"]), (nobody["error"], "login_failed"))
        without = w.gate.call("auth", protocol="rdp", user="eva", password=PASSWORDS["eva"], remote="")["error"]
        self.assertEqual((without["code"], without["authenticated"]), ("no_pool", True))
        self.assertTrue(without["title"] and without["title_es"] and "authenticated" not in bad["error"])
        login = w.gate.call("auth", protocol="rfb", user="ana", password=PASSWORDS["ana"], remote="10.0.0.6")
        steps = []
        grant = w.gate.call("connect", progress=steps, login=login["login"], pool=login["pool"], protocol="rfb", remote="10.0.0.6")
        self.assertIn("grant", grant)
        for step in steps:
            self.assertTrue(step["stage"] in ("assign", "start", "agent") and step["text_en"] and step["text_es"])
        self.assertEqual(w.gate.call("connect", login="x" * 43, pool=login["pool"], protocol="rfb", remote="")["error"]["code"], "login_over")
        self.assertEqual(w.gate.call("connect", login=login["login"], pool="0" * 36, protocol="rfb", remote="")["error"]["code"], "not_entitled")

    def test_several_pools_want_a_name_or_a_choice(self):
        w = self.world
        w.admin.want(201, "POST", "pools", {"name": "second", "display_name": "Diseño", "provider": "local", "image": "demo", "max": 1})
        w.admin.want(201, "POST", "entitlements", {"pool": "second", "user": "ana"})
        for user, text in (("ana", "several pools"), ("ana#nowhere", "no such pool")):
            answer = w.gate.call("auth", protocol="rdp", user=user, password=PASSWORDS["ana"], remote="")
            self.assertEqual([p["name"] for p in answer["pools"]], [w.admin.get("pools/demo")["display_name"] or "demo", "Diseño"])
            self.assertTrue(all(p["state_en"] and p["state_es"] for p in answer["pools"]) and "pool" not in answer)
            self.assertIn(text, answer["text_en"])
            self.assertIn("ana#demo", answer["text_es"])
        # Nothing was decided by the log-in, and what is chosen is checked again.
        for pool, code in (("", "not_entitled"), ("0" * 36, "not_entitled")):
            self.assertEqual(w.gate.call("connect", login=answer["login"], pool=pool, protocol="rdp", remote="")["error"]["code"], code)
        self.assertIn("grant", w.gate.call("connect", login=answer["login"], pool=answer["pools"][0]["id"], protocol="rdp", remote=""))
        login = w.gate.call("auth", protocol="rdp", user="ana#second", password=PASSWORDS["ana"], remote="")
        self.assertEqual(login["pool"], w.admin.get("pools/second")["id"])
        names = [p["protocols"]["rdp"]["username"] for p in w.ana.get("me/pools")["items"]]
        self.assertEqual(names, ["ana#demo", "ana#second"])

    def test_log_off_makes_the_desktop_new(self):
        w = self.world
        grant = w.display(w.ana)
        self.assertEqual(w.admin.get("desktops/" + grant["desktop"])["hygiene"], "dirty")
        w.eva.want(404, "POST", "me/desktops/%s/logoff" % grant["desktop"])
        w.ana.want(202, "POST", "me/desktops/%s/logoff" % grant["desktop"])
        w.ended(grant["session"])
        eventually(lambda: any(c["op"] == "restart" and c["refresh"] and c["desktop"] == grant["desktop"] for c in w.provisioner.commands))
        desktop = eventually(lambda: (lambda d: d if d["state"] == "ready" else None)(w.admin.get("desktops/" + grant["desktop"])))
        self.assertEqual((desktop["hygiene"], desktop["user"]), ("clean", None))
        kinds = [e["kind"] for e in desktop["timeline"]]
        self.assertTrue({"desktop.assigned", "session.started"} <= set(kinds), kinds)
        self.assertTrue(w.admin.get("events/verify")["ok"])

    def test_who_loses_the_pool_loses_the_desktop(self):
        w = self.world
        grant = w.display(w.ana)
        w.admin.want(204, "DELETE", "groups/staff/members/ana")
        w.ended(grant["session"])
        self.assertEqual(w.ana.get("me/pools")["items"], [])
        pool = w.admin.get("pools/demo")["id"]
        self.assertEqual(w.ana.want(403, "POST", "me/pools/%s/connect" % pool, {"protocol": "web"})["code"], "not_entitled")
        self.assertEqual(w.ana.want(403, "POST", "me/pools/%s/connect" % BOOT, {"protocol": "web"})["code"], "not_entitled")

    def test_streams_outlive_a_killed_broker(self):
        w = self.world
        grant = w.display(w.ana)
        w.broker.kill()
        w.broker.start()
        w.open_gate([grant["session"], BOOT])
        self.assertEqual(w.ended(BOOT)["session"], BOOT, "a session that nobody knows is ended")
        w.provisioner.connect()
        w.log_in()
        live = w.admin.get("sessions?state=live")["items"]
        self.assertEqual([s["id"] for s in live], [grant["session"]])
        self.assertEqual(w.admin.get("desktops/" + grant["desktop"])["user"]["name"], "ana")
        self.assertEqual(sum(c["op"] == "create" for c in w.provisioner.commands), len(w.provisioner.machines))

    def test_admin_acts_on_desktops(self):
        w = self.world
        w.ready()
        d = w.admin.get("desktops")["items"][0]
        self.assertEqual(w.admin.get("desktops?pool=demo&state=ready")["items"][0]["id"], d["id"])
        self.assertEqual(w.admin.get("desktops?user=ana")["items"], [])
        self.assertTrue(w.admin.want(200, "POST", "desktops/%s/drain" % d["id"], {"drain": True})["drain"])
        w.admin.want(200, "POST", "desktops/%s/drain" % d["id"], {"drain": False})
        w.admin.want(422, "POST", "desktops/%s/message" % d["id"], {"text": ""})
        w.admin.want(202, "POST", "desktops/%s/restart" % d["id"])
        eventually(lambda: any(c["op"] == "restart" for c in w.provisioner.commands))
        w.ready()
        w.admin.want(202, "DELETE", "desktops/" + d["name"])
        eventually(lambda: d["id"] not in w.provisioner.machines)
        w.ready()

    def test_strangers_at_the_agents_door_learn_nothing(self):
        w = self.world
        w.ready()
        d = w.admin.get("desktops")["items"][0]["id"]
        link = Link(w.broker.dir + "/run/agents/agent.sock")
        if os.geteuid() == 0:  # we are not the desktop's uid
            self.assertEqual(link.call("hello", desktop=d, boot=BOOT, epoch=0, occupied=False)["error"]["status"], 403)
        self.assertIn("error", link.call("enrol", desktop=d, token="x" * 43))
        self.assertIn("error", link.call("enrol", desktop="x", token=7))
        self.assertIn("error", link.call("api", method="GET", path="/api/v1/pools"))
        link.send({"op": "report", "event": "failed"})
        self.assertEqual(w.admin.get("desktops/" + d)["state"], "ready")
        link.close()


class Trouble(unittest.TestCase):
    def test_a_failing_provider_is_explained_everywhere(self):
        w = World(provisioner=False)
        self.addCleanup(w.close)
        tile = w.ana.get("me/pools")["items"][0]
        self.assertEqual(tile["state"], "failed")
        self.assertIn("provisioner", tile["reason"]["en"])
        w.provisioner = Provisioner(w.broker.dir + "/run")
        w.provisioner.fail = "the disk of the host is full"
        pool = w.admin.get("pools/demo")["id"]
        w.ana.call("POST", "me/pools/%s/connect" % pool, {"protocol": "web"})
        eventually(lambda: "disk of the host" in json.dumps(w.admin.get("status")["problems"]) + json.dumps(w.admin.get("pools/demo")), 20)


if __name__ == "__main__":
    unittest.main(verbosity=1)
