#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine's console through the real broker: who may, what is asked of the provisioner, what is written down, and what the desktop's user is told.

Covers: broker/control/consoles.c broker/control/console_ticket.c broker/control/dial.c
broker/api/consoles.c
"""
import os
import socket
import threading
import unittest

from broker_harness import Provisioner, eventually, log_in
from test_broker_display import BOOT, World


class WithConsole(Provisioner):
    """Gives one end of a pair for each console; `refusal` in place of it, and only when it `may`."""
    can, refusal, kind = Provisioner.can + ",console", None, "rfb"

    def __init__(self, run):
        self.pairs, self.may = [], threading.Event()
        self.may.set()
        super().__init__(run)

    def answer(self, m):
        if m["op"] != "console":
            return super().answer(m)
        self.may.wait(20)
        if self.refusal:
            return {"error": {"code": "busy", "title": self.refusal, "status": 503, "retryable": True}}
        self.pairs.append(socket.socketpair())
        return {"fd": self.pairs[-1][0].fileno(), "kind": self.kind, **self.way(m)}

    def way(self, m):
        return {}


class Console(unittest.TestCase):
    def setUp(self):
        self.world = World(provisioner=False)
        self.addCleanup(self.end)
        self.world.provisioner = WithConsole(self.world.broker.dir + "/run")
        self.world.ready()
        self.desktop = self.world.admin.get("desktops")["items"][0]
        self.address = "desktops/%s/console" % self.desktop["id"]

    def end(self):
        self.world.provisioner.close()
        self.world.gate.close()
        self.world.broker.close()

    def ask(self, **body):
        return self.world.admin.want(200, "POST", self.address, body)

    def redeem(self, ticket, protocol="ws"):
        return self.world.gate.call("redeem", ticket=ticket["ticket"], protocol=protocol, remote="10.0.0.9")

    def event(self, kind, **more):
        self.world.gate.send({"op": "console", "event": kind, "console": self.grant["console"], "code": "", **more})

    def open(self, **body):
        self.grant = self.redeem(self.ask(**body))
        self.event("started")
        eventually(lambda: self.consoles())

    def consoles(self):
        return self.world.admin.get("desktops/" + self.desktop["id"]).get("consoles", [])

    def written(self, kind):
        return self.world.admin.get("events?kind=" + kind)["items"]

    def messages(self):
        with open(self.world.broker.dir + "/run/messages") as f:
            return f.read()

    def test_the_connection_travels_to_the_gate_once(self):
        ticket = self.ask()
        self.assertEqual((ticket["desktop"]["id"], ticket["can_input"], ticket["present"]), (self.desktop["id"], True, None))
        self.assertEqual(self.redeem(ticket, "rfb")["error"]["code"], "bad_ticket")
        grant = self.redeem(ticket)
        asked = [m for m in self.world.provisioner.commands if m["op"] == "console"]
        self.assertEqual([(m["desktop"], m["provider"]) for m in asked], [(self.desktop["id"], "local")])
        os.write(grant["fd"], b"hello")
        self.assertEqual(self.world.provisioner.pairs[0][1].recv(5), b"hello")
        os.close(grant["fd"])
        self.assertEqual((grant["endpoint"], grant["policy"]["view_only"], grant["policy"]["clipboard_out"], grant["console"]["name"]), ({"kind": "rfb", "shared": True}, False, False, "admin"))
        self.assertEqual(self.redeem(ticket)["error"]["code"], "bad_ticket", "a ticket is for once")
        self.assertTrue(self.redeem(self.ask(can_input=False))["policy"]["view_only"])

    def test_who_comes_while_others_look_is_said_to_the_provisioner(self):
        def shared():
            return [m["shared"] for m in self.world.provisioner.commands if m["op"] == "console"]
        self.world.provisioner.kind = "dbus"
        first = self.redeem(self.ask())
        self.assertEqual(first["endpoint"]["kind"], "dbus")
        # The first has a connection, of which nothing has been heard: it counts.
        self.redeem(self.ask())
        self.assertEqual(shared(), [False, True])
        for grant in first, self.redeem(self.ask()):
            self.grant = grant
            self.event("started")
            eventually(lambda: any(c["id"] == grant["session"] for c in self.consoles()))
        for console in self.consoles():
            self.world.gate.send({"op": "console", "event": "ended", "console": {**self.grant["console"], "id": console["id"]}, "code": ""})
        eventually(lambda: not self.consoles())
        # The second never came: until its minute is over it may.
        self.redeem(self.ask())
        self.assertEqual(shared(), [False, True, True, True])

    def test_the_first_and_the_only_one_has_it_alone(self):
        for _ in range(2):
            self.open()
            self.event("ended")
            eventually(lambda: not self.consoles())
        self.world.provisioner.refusal = "desktop demo-1 does not run"
        self.redeem(self.ask())
        self.world.provisioner.refusal = None
        self.redeem(self.ask())
        self.assertEqual([m["shared"] for m in self.world.provisioner.commands if m["op"] == "console"], [False] * 4)

    def test_only_administrators_and_only_where_it_is_carried(self):
        w = self.world
        w.eva.want(403, "POST", self.address, {})
        w.admin.want(404, "POST", "desktops/%s/console" % BOOT, {})
        w.admin.want(422, "POST", self.address, {"can_input": "perhaps"})
        late = self.ask()
        w.provisioner.link.call("hello", providers=[{"name": "local", "kind": "local", "capacity": 8, "healthy": True, "reason": "", "can": "power"}],
                                machines=w.provisioner.list(), unlisted=[])
        self.assertEqual(w.admin.want(409, "POST", self.address, {})["code"], "not_carried")
        w.provisioner.refusal = "desktop demo-1 does not run"
        self.assertIn("does not run", self.redeem(late)["error"]["title"])

    def test_a_provisioner_or_a_gate_that_goes_leaves_nothing(self):
        w, ticket = self.world, self.ask()
        w.provisioner.link.close()
        eventually(lambda: "provisioner gone" in w.broker.text())
        self.assertEqual(self.redeem(ticket)["error"]["code"], "unavailable")
        w.provisioner.connect()
        # The gate leaves while the provisioner dials, and then the provisioner.
        for leave in w.gate.close, w.provisioner.link.close:
            asked = len(w.provisioner.commands)
            w.provisioner.may.clear()
            w.gate.begin("redeem", ticket=self.ask()["ticket"], protocol="ws", remote="")
            eventually(lambda: any(m["op"] == "console" for m in w.provisioner.commands[asked:]))
            leave()
            w.provisioner.may.set()
            w.open_gate([])
            w.log_in()
        w.provisioner.connect()
        self.assertIn("fd", self.redeem(self.ask()))

    def test_who_looked_at_what_and_how_long_is_written_down(self):
        w = self.world
        self.open(can_input=False)
        self.assertEqual([(c["name"], c["can_input"]) for c in self.consoles()], [("admin", False)])
        w.admin.want(404, "DELETE", "desktops/%s/consoles/%s" % (self.desktop["id"], BOOT))
        w.admin.want(204, "DELETE", "desktops/%s/consoles/%s" % (self.desktop["id"], self.consoles()[0]["id"]))
        self.assertIn("closed this console", w.ended(self.grant["session"])["reason_en"])
        self.event("ended", code="ended")
        eventually(lambda: not self.consoles())
        for kind in "asked", "opened", "closed":
            event = self.written("desktop.console_" + kind)[0]
            self.assertEqual((event["actor"]["name"], event["object"]["id"], event["detail"]["can_input"]), ("admin", self.desktop["id"], False), kind)
        self.assertGreaterEqual(self.written("desktop.console_closed")[0]["detail"]["seconds"], 0)

    def test_a_gate_that_comes_again_tells_its_consoles_and_one_that_dies_ends_them(self):
        w = self.world
        self.open()
        w.gate.close()
        eventually(lambda: "gateway gone" in w.broker.text())
        w.open_gate([])
        w.log_in()
        self.assertEqual(self.written("desktop.console_closed")[0]["detail"]["code"], "gateway_gone")
        w.gate.call("hello", gateway="g", sessions=[], consoles=[self.grant["console"]])
        self.assertEqual([c["id"] for c in self.consoles()], [self.grant["console"]["id"]])

    def test_the_person_at_the_desktop_is_told(self):
        w = self.world
        session = w.display(w.ana)["session"]
        eventually(lambda: w.admin.get("sessions/" + session)["state"] == "active")
        self.desktop = next(d for d in w.admin.get("desktops")["items"] if d["user"] and d["user"]["name"] == "ana")
        self.address = "desktops/%s/console" % self.desktop["id"]
        self.assertEqual(self.ask()["present"]["name"], "ana")
        self.open()
        eventually(lambda: "admin, an administrator, has opened this machine's console." in self.messages())
        # Who connects while it is open hears of it too, in his language.
        w.ana.want(200, "PATCH", "me", {"locale": "es"})
        w.display(w.ana)
        eventually(lambda: "admin, de administración, ha abierto la consola de esta máquina." in self.messages())
        self.event("ended")
        eventually(lambda: "Ya nadie está mirando" in self.messages())

    def test_an_administrator_no_more_loses_it(self):
        w = self.world
        rosa = w.admin.want(201, "POST", "users", {"name": "rosa", "password": "a long rosa one", "role": "admin"})
        other = log_in(w.gate, "rosa", "a long rosa one")
        self.grant = self.redeem(other.want(200, "POST", self.address, {}))
        self.event("started")
        eventually(lambda: self.consoles())
        late = other.want(200, "POST", self.address, {})
        w.admin.want(200, "PATCH", "users/" + rosa["id"], {"enabled": False})
        self.assertIn("not open consoles", w.ended(self.grant["session"])["reason_en"])
        self.assertEqual(self.redeem(late)["error"]["code"], "denied")


class Seats(WithConsole):
    """Machines with a VNC or RDP server of their own, and no agent."""
    kind = "rfb"
    account = {"login": "fixed", "user": "desk", "password": "secret of the seat", "fingerprint": "ab" * 32}

    def way(self, m):
        return {"kind": "rdp", "account": self.account} if self.kind == "rdp" and m.get("user") else {}

    def __init__(self, run):
        self.seats = {}
        super().__init__(run)

    def answer(self, m):
        if m["op"] in ("create", "restart"):
            self.seats[m["desktop"]] = m["task"]
            return {"endpoint": {"kind": self.kind, "host": "10.1.2.3", "port": 5900}, "uid": 0}
        if m["op"] == "destroy":
            self.seats.pop(m["desktop"], None)
            return {}
        return {"machines": self.list(), "unlisted": []} if m["op"] == "inventory" else super().answer(m)

    def list(self):
        return [{"desktop": d, "task": t, "state": "running", "reason": "", "uid": 0, "image": "demo:1"} for d, t in self.seats.items()]


class RdpSeats(Seats):
    kind = "rdp"


class Seat(unittest.TestCase):
    """A desktop without an agent, for its user."""
    seats = Seats

    def setUp(self):
        self.world = World(provisioner=False)
        self.addCleanup(self.end)
        self.world.provisioner = self.seats(self.world.broker.dir + "/run")
        self.world.ready()

    def end(self):
        self.world.provisioner.close()
        self.world.gate.close()
        self.world.broker.close()

    def redeem(self, ticket, protocol="ws"):
        return self.world.gate.call("redeem", ticket=ticket["ticket"], protocol=protocol, remote="10.0.0.9")

    def test_it_is_granted_with_its_connection_and_made_new_afterwards(self):
        w = self.world
        grant = self.redeem(w.connect(w.ana))
        self.assertEqual((grant["user"], grant["endpoint"], grant["grant"]), ("ana", {"kind": "rfb"}, ""))
        self.assertNotIn("console", grant)
        os.write(grant["fd"], b"hello")
        self.assertEqual(w.provisioner.pairs[-1][1].recv(5), b"hello")
        w.gate.send({"op": "session", "session": grant["session"], "event": "started"})
        eventually(lambda: w.admin.get("sessions/" + grant["session"])["state"] == "active")
        self.assertEqual(w.admin.want(409, "POST", "desktops/%s/message" % grant["desktop"], {"text": "hello"})["code"], "not_carried")
        # The broker dies: the desktop is as it was, and nobody waits for an agent.
        w.broker.kill()
        w.broker.start()
        w.open_gate([grant["session"]])
        w.log_in()
        w.provisioner.connect()
        eventually(lambda: w.admin.get("desktops/" + grant["desktop"])["state"] == "connected")
        asked = len(w.provisioner.commands)
        w.ana.want(202, "POST", "me/desktops/%s/logoff" % grant["desktop"], {})
        w.ended(grant["session"])
        eventually(lambda: any(m["op"] == "restart" and m["refresh"] for m in w.provisioner.commands[asked:]))
        eventually(lambda: w.admin.get("desktops/" + grant["desktop"])["state"] == "ready")

    def test_a_vnc_viewer_and_novnc_get_it_too(self):
        w = self.world
        self.assertIn("fd", self.redeem(w.connect(w.ana, "novnc"), "rfb"))
        login = w.gate.call("auth", user="ana", password="a long ana one", protocol="rfb", remote="10.0.0.7")
        grant = w.gate.call("connect", login=login["login"], pool=login["pool"], protocol="rfb", remote="10.0.0.7")
        self.assertEqual(grant["endpoint"], {"kind": "rfb"})
        self.assertIn("fd", grant)

    def test_a_server_that_does_not_answer_is_told_and_ends_the_session(self):
        w = self.world
        w.provisioner.refusal = "the console at 10.1.2.3 port 5900: Connection refused"
        self.assertIn("10.1.2.3", self.redeem(w.connect(w.ana))["error"]["title"])
        eventually(lambda: not w.admin.get("sessions?state=live")["items"])
        w.provisioner.refusal = None
        self.assertIn("fd", self.redeem(w.connect(w.ana)))

    def test_a_list_without_it_takes_it_away(self):
        w = self.world
        desktop = w.admin.get("desktops")["items"][0]["id"]
        w.provisioner.seats.clear()
        for _ in range(2):
            w.provisioner.link.close()
            eventually(lambda: "provisioner gone" in w.broker.text())
            w.provisioner.connect()
        eventually(lambda: desktop not in [d["id"] for d in w.admin.get("desktops")["items"] if d["state"] != "deleting"], 20)


class RdpSeat(unittest.TestCase):
    """The same with a machine that speaks RDP: its account goes with the grant, and nowhere else."""
    seats = RdpSeats
    setUp, end, redeem = Seat.setUp, Seat.end, Seat.redeem

    def test_its_account_goes_to_the_gate_with_the_connection_and_is_kept_nowhere(self):
        w = self.world
        grant = self.redeem(w.connect(w.ana))
        self.assertEqual((grant["endpoint"], grant["grant"], grant["account"]), ({"kind": "rdp"}, "", RdpSeats.account))
        os.write(grant["fd"], b"hello")
        self.assertEqual(w.provisioner.pairs[-1][1].recv(5), b"hello")
        asked = [m for m in w.provisioner.commands if m["op"] == "console"]
        self.assertTrue(asked and all(m["user"] for m in asked))
        w.gate.send({"op": "session", "session": grant["session"], "event": "started"})
        eventually(lambda: w.admin.get("sessions/" + grant["session"])["state"] == "active")
        self.assertNotIn("secret of the seat", w.broker.text())
        for path in ("desktops/" + grant["desktop"], "sessions/" + grant["session"], "events"):
            self.assertNotIn("secret of the seat", str(w.admin.get(path)))
        for name in os.listdir(w.broker.dir + "/db"):
            with open("%s/db/%s" % (w.broker.dir, name), "rb") as f:
                self.assertNotIn(b"secret of the seat", f.read())


if __name__ == "__main__":
    unittest.main()
