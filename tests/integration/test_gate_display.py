#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Displays through the gate: tickets, the relay and its limits, workers that die, RDP and VNC hellos. The worker is fake_worker.py."""
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

from gate_harness import DESKTOP, Gateway, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
CONNECTION_REQUEST = bytes.fromhex("030000130ee000000000000100080003000000")


def grant(session, **more):
    return {"session": session, "desktop": DESKTOP, "user": "ana", "pool": "Demo", "epoch": 1, "grant": "x.y", "expires": 0,
            "endpoint": {"kind": "unix", "path": "/etc/passwd"}, "policy": {"clipboard_in": True, "clipboard_out": True}, **more}


class Display(unittest.TestCase):
    def setUp(self):
        self.script = "/tmp/puesto-fake-worker-%d" % os.getpid()
        with open(self.script, "w") as f:
            f.write("#!%s\n" % os.path.realpath(sys.executable))
            with open(os.path.join(HERE, "fake_worker.py")) as g:
                f.write(g.read())
        os.chmod(self.script, 0o755)
        self.gate = Gateway(worker=self.script)
        self.sessions = 0
        self.gate.broker.handlers["redeem"] = self.redeem
        self.gate.broker.handlers["auth"] = self.auth
        self.gate.broker.handlers["connect"] = self.connect
        threading.Thread(target=self.serve_display, daemon=True).start()

    def tearDown(self):
        self.gate.close()
        os.unlink(self.script)

    def serve_display(self):
        self.displays = []
        while True:
            try:
                conn, _ = self.gate.display.accept()
            except OSError:
                return
            conn.sendall(b"hello")
            self.displays.append(conn)

    def next_session(self):
        self.sessions += 1
        return "00000000-0000-0000-0000-%012d" % self.sessions

    def redeem(self, m, send):
        if m["ticket"][0] == "d":
            return {"error": {"code": "denied", "title": "Not yours.", "title_es": "No es suyo.", "status": 403}}
        if m["ticket"][0] != "t":
            return {"error": {"code": "ticket", "title": "Wrong ticket.", "status": 401}}
        return grant(self.next_session())

    def auth(self, m, send):
        if "secret" not in m["password"]:
            return {"error": {"code": "auth", "title": "Wrong name or password.", "status": 401}}
        return {"login": "L", "user": "ana", "pool": "p"}

    def connect(self, m, send):
        assert m["login"] == "L" and m["remote"] == "127.0.0.1"
        send({"re": m["id"], "op": "progress", "stage": "start", "text_en": "Starting", "text_es": "Arrancando"})
        return grant(self.next_session())

    def open(self, **more):
        ws = self.gate.websocket(**more)
        self.assertEqual(ws.status, 101)
        return ws, json.loads(ws.recv()[1])

    def ended(self, session=None):
        return self.gate.broker.wait(lambda m: m.get("event") == "ended" and session in (None, m["session"]))

    def test_a_worker_gets_what_it_needs_and_nothing_else(self):
        ws, hello = self.open()
        self.assertEqual(ws.headers["sec-websocket-protocol"], ["puesto.v1"])
        self.assertEqual(hello["greeting"], "hello")
        self.assertEqual((hello["user"], hello["tls"]), ("ana", False))
        self.assertLessEqual(set(hello["env"]), {"LC_CTYPE"})
        self.assertEqual(hello["fds"][:5], [0, 1, 2, 3, 4])
        started = self.gate.broker.wait(lambda m: m.get("event") == "started")
        self.assertEqual(started["session"], "00000000-0000-0000-0000-000000000001")
        for size in (1, 125, 126, 65535, 65536):
            data = os.urandom(size)
            ws.send(data)
            self.assertEqual(ws.recv(), (2, data))
        ws.send(b"ab", final=False)
        ws.send(b"ping!", opcode=9)
        ws.send(b"cd", opcode=0)
        self.assertEqual(ws.recv(), (10, b"ping!"))
        self.assertEqual(ws.recv(), (2, b"abcd"))
        ws.send(struct.pack(">H", 1000), opcode=8)
        self.assertEqual(ws.closed()[0], 1000)
        self.assertEqual(self.ended()["code"], "client_left")

    def test_wrong_tickets_say_so(self):
        for ticket, code, reason, language in (("w" * 43, 4401, "Wrong ticket.", None), ("d" * 43, 4403, "Not yours.", None),
                                              ("d" * 43, 4403, "No es suyo.", "es-ES,es"), ("short", 4401, "A ticket is missing", None),
                                              (None, 4401, "A ticket is missing", None), ("t" * 300, 4401, "A ticket is missing", None)):
            ws = self.gate.websocket(ticket=ticket, language=language)
            self.assertEqual(ws.status, 101)
            got = ws.closed()
            self.assertEqual(got[0], code)
            self.assertIn(reason, got[1])

    def test_foreign_pages_may_not_open_a_display(self):
        self.assertEqual(self.gate.websocket(origin="https://evil.example").status, 403)
        self.assertEqual(self.gate.websocket(origin="https://localhost:%d" % self.gate.https).status, 101)
        self.assertEqual(self.gate.http("GET", "/display")[0], 426)

    def test_novnc_speaks_plain_bytes(self):
        for protocols in (("binary",), ()):
            ws = self.gate.websocket(ticket=None, protocols=protocols, query="?ticket=" + "t" * 43)
            ws.send(b"abc")
            self.assertEqual(ws.recv(), (2, b"ABC"))
        self.assertEqual(self.gate.broker.wait(lambda m: m["op"] == "redeem")["protocol"], "rfb")

    def test_broken_frames_close_the_connection(self):
        cases = [(dict(data=b"x", masked=False), 1002), (dict(data=b"x", opcode=1), 1003), (dict(data=b"x", opcode=3), 1002),
                 (dict(data=b"x", opcode=0), 1002), (dict(data=b"x" * 126, opcode=9), 1002), (dict(data=b"", length=65537), 1009),
                 (dict(data=b"", length=2**63), 1009), (dict(data=b"x", opcode=9, final=False), 1002), (dict(data=b"x", opcode=8), 1002)]
        for frame, code in cases:
            ws, _ = self.open()
            ws.send(**frame)
            self.assertEqual(ws.closed()[0], code, frame)
        ws, _ = self.open()
        ws.send(b"x" * 40000, final=False)
        ws.send(b"x" * 40000, opcode=0)
        self.assertEqual(ws.closed()[0], 1009)

    def test_a_crash_ends_one_session_and_says_why(self):
        other, _ = self.open()
        ws, _ = self.open()
        ws.send(b"crash")
        code, reason = ws.closed()
        self.assertEqual(code, 1011)
        self.assertIn("signal 11", reason)
        ended = self.ended("00000000-0000-0000-0000-000000000002")
        self.assertEqual(ended["code"], "worker_crashed")
        self.assertIn("signal 11", ended["reason"])
        other.send(b"still here")
        self.assertEqual(other.recv()[1], b"still here")
        ws, _ = self.open()
        ws.send(b"fail")
        self.assertIn("exit status 3", ws.closed()[1])
        code, reason = self.gate.websocket().closed()
        self.assertEqual(code, 4403)
        self.assertIn("wait", reason)

    def test_a_worker_that_talks_nonsense_is_cut_off(self):
        ws, _ = self.open()
        ws.send(b"nonsense")
        self.assertEqual(ws.closed()[0], 1011)

    def test_the_broker_ends_a_session(self):
        ws, _ = self.open()
        ws.send(b"wait")
        self.gate.broker.wait(lambda m: m.get("event") == "started")
        self.gate.broker.send({"op": "end", "session": "00000000-0000-0000-0000-000000000001", "reason_en": "Moved.", "reason_es": "Movida.", "code": "moved"})
        self.assertEqual(ws.closed(), (4410, "Moved."))
        self.assertEqual(self.ended()["stats"], {"frames": 7})

    def test_a_worker_that_does_not_end_is_killed(self):
        ws, _ = self.open()
        ws.send(b"stall")
        self.gate.broker.send({"op": "revoke_all"})
        code, reason = ws.closed(15)
        self.assertEqual(code, 4410)
        self.assertEqual(self.ended()["code"], "worker_killed")

    def test_a_slow_viewer_slows_its_worker(self):
        ws, _ = self.open()
        ws.send(b"flood")
        time.sleep(1)
        pid = self.gate.process.pid
        children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True).stdout.split()
        for child in children:
            with open("/proc/%s/status" % child) as f:
                rss = int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))
            self.assertLess(rss, 60_000, "memory grows while a viewer does not read")
        for i in range(400):
            self.assertEqual(struct.unpack(">I", ws.recv()[1][:4])[0], i)

    def test_streams_outlive_the_broker(self):
        ws, _ = self.open()
        self.gate.broker.stop()
        ws.send(b"alone")
        self.assertEqual(ws.recv()[1], b"alone")
        self.gate.broker.start()
        hello = self.gate.broker.wait(lambda m: m["op"] == "hello" and m["sessions"])
        self.assertEqual(hello["sessions"], ["00000000-0000-0000-0000-000000000001"])
        ws.send(b"again")
        self.assertEqual(ws.recv()[1], b"again")

    def test_rdp_and_vnc_log_in_through_the_gate(self):
        for port, first in ((self.gate.rdp, CONNECTION_REQUEST), (self.gate.https, CONNECTION_REQUEST), (self.gate.vnc, b"RFB 003.008\n")):
            with socket.create_connection(("127.0.0.1", port)) as s:
                s.settimeout(10)
                s.sendall(first[:7])
                time.sleep(0.05)
                s.sendall(first[7:])
                if port == self.gate.vnc:
                    self.assertEqual(s.recv(12), b"RFB 003.008\n")
                    time.sleep(0.1)
                s.sendall(b"secret")
                got = b""
                while not got.endswith(b"hello") and len(got) < 100:
                    piece = s.recv(100)
                    self.assertTrue(piece, got)
                    got += piece
                self.assertEqual(got, b"Starting\nhello")
        with socket.create_connection(("127.0.0.1", self.gate.vnc)) as s:
            s.settimeout(10)
            s.recv(12)
            s.sendall(b"RFB 003.008\n")
            s.sendall(b"wrong")
            self.assertEqual(s.recv(100), b"Wrong name or password.")

    def test_a_desktop_cannot_lead_the_spawner_astray(self):
        path = os.path.join(self.gate.dir, "desktops", DESKTOP, "run/display.sock")
        os.unlink(path)
        os.symlink(os.path.join(self.gate.dir, "run/gateway.sock"), path)
        code, reason = self.gate.websocket().closed()
        self.assertEqual(code, 1011)
        self.assertIn("agent does not answer", reason)
        self.gate.broker.handlers["redeem"] = lambda m, send: grant(self.next_session(), desktop="../../run")
        self.assertEqual(self.gate.websocket().closed()[0], 1011)

    def test_the_gate_dies_and_takes_its_workers_along(self):
        ws, _ = self.open()
        children = subprocess.run(["pgrep", "-P", str(self.gate.process.pid)], capture_output=True, text=True).stdout.split()
        self.assertEqual(len(children), 2)
        worker = max(int(c) for c in children)
        gate = min(int(c) for c in children)
        os.kill(gate, signal.SIGKILL)
        self.assertNotEqual(self.gate.process.wait(10), 0)
        wait_until(lambda: not os.path.exists("/proc/%d" % worker))
        self.gate.process = subprocess.Popen(["true"])
        self.gate.process.wait()


if __name__ == "__main__":
    unittest.main(verbosity=1)
