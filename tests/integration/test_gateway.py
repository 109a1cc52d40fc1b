#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gateway and broker, both real: a log-in over HTTPS, a ticket, a picture by the real worker, and the broker killed under it."""
import json
import os
import socket
import unittest

import gate_harness
from broker_harness import HOST, PASSWORDS, Broker, Provisioner, eventually
from test_worker import END, FRAME, Viewer

AUTHORITY = HOST + ":8443"


class Person:
    def __init__(self, gate, name):
        self.gate, self.fields = gate, {"Origin": "https://" + AUTHORITY, "Content-Type": "application/json"}
        status, data, headers = self.call("POST", "sessions", {"user": name, "password": PASSWORDS[name]})
        assert status == 201, data
        self.fields["Cookie"] = headers["set-cookie"][0].split(";")[0]
        self.fields["X-CSRF-Token"] = data["csrf"]

    def call(self, method, path, body=None):
        status, headers, text = self.gate.http(method, "/api/v1/" + path, self.fields, json.dumps(body).encode() if body is not None else b"", host=AUTHORITY)
        return status, json.loads(text) if text else None, headers

    def ticket(self):
        pool = self.call("GET", "me/pools")[1]["items"][0]["id"]
        return eventually(lambda: (lambda a: a[1]["ticket"] if a[0] == 200 else None)(self.call("POST", "me/pools/%s/connect" % pool, {"protocol": "web"})), 30)


class TicketViewer(Viewer):
    def __init__(self, gate, ticket):
        websocket, gate.websocket = gate.websocket, lambda: websocket(ticket=ticket)
        try:
            super().__init__(gate)
        finally:
            gate.websocket = websocket


class DoorProvisioner(Provisioner):
    """Each desktop that it makes has a display link before anybody hears of it; the test card stands in for its screen."""

    def __init__(self, run, desktops):
        self.desktops, self.doors = desktops, []
        super().__init__(run)

    def start(self, desktop, m):
        path = os.path.join(self.desktops, desktop, "run/display.sock")
        if not os.path.exists(path):
            os.makedirs(os.path.dirname(path))
            door = socket.socket(socket.AF_UNIX)
            door.bind(path)
            door.listen(5)
            self.doors.append(door)
        super().start(desktop, m)

    def close(self):
        super().close()
        for door in self.doors:
            door.close()


class Together(unittest.TestCase):
    def setUp(self):
        self.broker = Broker()
        self.script = "/tmp/puesto-together-worker-%d" % os.getpid()
        gate_harness.pattern_worker(self.script)
        self.gate = gate_harness.Gateway(worker=self.script, broker_socket=self.broker.dir + "/run/gateway.sock")
        self.provisioner = DoorProvisioner(self.broker.dir + "/run", os.path.join(self.gate.dir, "desktops"))

    def tearDown(self):
        self.gate.close()
        self.provisioner.close()
        self.broker.close()
        os.unlink(self.script)

    def test_log_in_connect_watch_kill_and_log_off(self):
        ana = Person(self.gate, "ana")
        viewer = TicketViewer(self.gate, ana.ticket())
        viewer.until(lambda k, b: viewer.frames == 10, 20)
        admin = Person(self.gate, "admin")
        session = eventually(lambda: admin.call("GET", "sessions")[1]["items"])[0]
        self.broker.kill()
        before = viewer.frames
        viewer.until(lambda k, b: viewer.frames == before + 30)
        self.broker.start()
        again = eventually(lambda: (lambda a: a[1]["items"] if a[0] == 200 else None)(admin.call("GET", "sessions")))
        self.assertEqual([s["id"] for s in again], [session["id"]])
        viewer.until(lambda k, b: viewer.frames == before + 60)
        self.assertIn(admin.call("DELETE", "sessions/" + session["id"])[0], (200, 202, 204))
        body = viewer.until(lambda k, b: k == END)
        self.assertGreater(len(body), 6)
        # The row ends at once; what the worker counted follows with its own last word.
        eventually(lambda: [s for s in admin.call("GET", "sessions")[1]["items"] if s["state"] == "ended" and s["stats"].get("frames", 0) > 60])

    def test_a_spent_ticket_is_refused_in_words(self):
        ticket = Person(self.gate, "ana").ticket()
        viewer = TicketViewer(self.gate, ticket)
        viewer.until(lambda k, b: k == FRAME, 20)
        code, reason = self.gate.websocket(ticket=ticket).closed()
        self.assertEqual(code, 4401)
        self.assertTrue(reason)

    def test_events_are_live(self):
        admin = Person(self.gate, "admin")
        conn = self.gate.tls()
        fields = "".join("%s: %s\r\n" % f for f in admin.fields.items())
        conn.sendall(("GET /api/v1/events/stream HTTP/1.1\r\nHost: %s\r\n%s\r\n" % (AUTHORITY, fields)).encode())
        status, headers = gate_harness.read_head(conn)
        self.assertEqual((status, headers["content-type"][0].split(";")[0]), (200, "text/event-stream"))
        TicketViewer(self.gate, Person(self.gate, "ana").ticket())
        conn.settimeout(10)
        text = b""
        while b"event: audit" not in text or b"event: change" not in text:
            text += conn.recv(4096)


if __name__ == "__main__":
    unittest.main(verbosity=1)
