#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hostile clients at the real gateway while one picture goes on: floods, halves, frames that lie, names of odd bytes."""
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
import unittest

from gate_harness import DESKTOP, Gateway, pattern_worker, read_head, wait_until
from test_worker import END, FRAME, Viewer

HALF_OPEN, DEADLINE = 16, 3
TPKT = struct.pack(">BBH", 3, 0, 19) + bytes.fromhex("0ee000000000000100080003000000")
# First bytes that promise more than they bring: nothing, half of a TLS hello, half a request, half a Connection Request, half a version.
HALVES = [("https", b""), ("https", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 40), ("https", b"\x03\x00"), ("rdp", b""),
          ("rdp", TPKT[:9]), ("vnc", b""), ("vnc", b"RFB 003.")]


class Attack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.script = "/tmp/puesto-attack-worker-%d" % os.getpid()
        pattern_worker(cls.script)
        cls.gate = Gateway(worker=cls.script, half_open_per_source=HALF_OPEN, preauth_deadline="%ds" % DEADLINE)
        cls.gate.broker.handlers["redeem"] = cls.redeem
        cls.gate.broker.handlers["auth"] = lambda m, send: {"error": {"code": "unauthorized", "title": "Wrong name or password.", "status": 401}}
        cls.viewer, cls.gaps, cls.failure = Viewer(cls.gate), [0.0], None
        cls.stop = threading.Event()
        cls.thread = threading.Thread(target=cls.watch, daemon=True)
        cls.thread.start()
        wait_until(lambda: cls.viewer.frames > 10, 20)

    @classmethod
    def tearDownClass(cls):
        cls.stop.set()
        cls.thread.join(5)
        text = cls.gate.text()
        cls.gate.close()
        os.unlink(cls.script)
        assert "crashed" not in text, text[-3000:]
        assert all(c >= " " or c == "\n" for c in text), "a control character reached the log"

    @staticmethod
    def redeem(m, send):
        if m.get("ticket") != "t" * 43:
            return {"error": {"code": "ticket_invalid", "title": "This link is no longer valid.", "status": 401}}
        return {"session": "00000000-0000-0000-0000-%012d" % (int(time.monotonic() * 1e6) % 10**12), "desktop": DESKTOP, "user": "ana", "pool": "Demo",
                "epoch": 1, "grant": "x.y", "policy": {"clipboard_in": True, "clipboard_out": True, "max_width": 1000, "max_height": 700}}

    @classmethod
    def watch(cls):
        """The person who must not notice anything."""
        last = time.monotonic()
        try:
            while not cls.stop.is_set():
                if cls.viewer.step()[0] == FRAME:
                    now = time.monotonic()
                    cls.gaps.append(now - last)
                    last = now
        except Exception as e:  # told by the test that runs
            cls.failure = e

    def setUp(self):
        del self.gaps[1:]
        self.frames = self.viewer.frames

    def tearDown(self):
        self.assertIsNone(self.failure, "the stream broke")
        wait_until(lambda: self.viewer.frames > self.frames, 5)
        # Generous: the machine is busy with the attack too. A stall of the gate would be its whole length.
        self.assertLess(max(self.gaps), 1.5, "the stream stood still")

    def pid(self):
        out = subprocess.run(["pgrep", "-P", str(self.gate.process.pid), "-x", "puesto-gateway"], capture_output=True, text=True, check=True).stdout
        return int(out.split()[0])

    def workers(self):
        out = subprocess.run(["pgrep", "-c", "-P", str(self.gate.process.pid), "-x", "puesto-worker.*"], capture_output=True, text=True, check=False).stdout
        return int(out or 0)

    def memory_kb(self):
        with open("/proc/%d/status" % self.pid()) as f:
            return int(next(line for line in f if line.startswith("VmRSS")).split()[1])

    def open_fds(self):
        return len(os.listdir("/proc/%d/fd" % self.pid()))

    def dial(self, kind, source):
        s = socket.socket()
        s.bind((source, 0))
        s.settimeout(20)
        s.connect(("127.0.0.1", getattr(self.gate, kind)))
        return s

    def is_closed(self, s):
        try:
            while s.recv(4096):
                pass
            return True
        except (ConnectionError, ssl.SSLError):
            return True
        except TimeoutError:
            return False

    def test_slow_connections_are_ended_in_time_and_leave_nothing(self):
        fds, memory = self.open_fds(), self.memory_kb()
        began, conns = time.monotonic(), []
        for i in range(840):
            kind, data = HALVES[i % len(HALVES)]
            conns.append(self.dial(kind, "127.0.2.%d" % (1 + i % 60)))
            conns[-1].sendall(data)
        grown = self.memory_kb() - memory
        for s in conns:
            self.assertTrue(self.is_closed(s), "a slow connection stays open")
            s.close()
        self.assertLess(time.monotonic() - began, DEADLINE * 4)
        self.assertLess(grown, 64 * 1024)
        wait_until(lambda: self.open_fds() <= fds + 2)

    def test_clients_that_do_not_log_in_cannot_take_all_processes(self):
        conns = []

        def one_more_is_refused():
            # A burst would be cut by the limit of half-open connections instead, on a machine where the gate waits for its turn.
            conns.append(self.dial("vnc", "127.0.3.1"))
            try:
                conns[-1].sendall(b"RFB 003.008\n")
            except ConnectionError:
                pass
            return "that have not logged in" in self.gate.text()

        wait_until(one_more_is_refused, 40)
        self.assertLessEqual(self.workers(), 1 + HALF_OPEN)
        for s in conns:
            s.close()
        wait_until(lambda: self.workers() == 1, 60)

    def test_frames_that_lie_about_their_length(self):
        for length in (2**63, 2**64 - 1, 2**31, 65537):
            ws = self.gate.websocket()
            ws.send(b"abc", length=length)
            self.assertIn(ws.closed()[0], (1002, 1009), length)
        ws = self.gate.websocket()
        with self.assertRaises((EOFError, ConnectionError, ssl.SSLError, struct.error)):
            ws.send(b"x" * 1024, final=False)
            for _ in range(4096):
                ws.send(b"x" * 1024, opcode=0, final=False)
            while True:
                opcode, data = ws.recv()
                if opcode == 8:
                    self.assertIn(struct.unpack(">H", data[:2])[0], (1002, 1009))
                    raise EOFError
        ws = self.gate.websocket()
        for _ in range(2000):
            ws.send(b"", opcode=9)
        ws.conn.close()

    def test_tickets_of_every_bad_kind(self):
        for ticket in ("x" * 43, "t" * 42, "t" * 44, "A" * 3000, "-", "%00", "..%2f"):
            try:
                ws = self.gate.websocket(ticket=ticket)
            except (EOFError, IndexError):
                continue  # not even a head that could be read
            if ws.status == 101:
                self.assertEqual(ws.closed()[0], 4401, ticket[:50])
            else:
                self.assertIn(ws.status, (400, 401, 431), ticket[:50])

    def test_sizes_and_clipboards_beyond_all_measure(self):
        for w, h in ((0, 0), (0, 600), (65535, 65535), (1, 65535)):
            viewer = Viewer(self.gate)
            viewer.until(lambda k, b: k == FRAME, 20)
            viewer.ws.send(struct.pack(">BHHH", 8, w, h, 100))
            viewer.until(lambda k, b: k == END, 10)
        viewer = Viewer(self.gate)
        viewer.until(lambda k, b: k == FRAME, 20)
        with self.assertRaises((ConnectionError, ssl.SSLError, EOFError)):
            for _ in range(640):
                viewer.ws.send(b"\x89" + b"c" * 65000)  # 40 MB in parts
            while True:
                if viewer.message()[0] == END:
                    raise EOFError

    def test_odd_bytes_where_rdp_carries_a_name(self):
        for byte in list(range(0, 256, 3)) + [10, 13]:
            cookie = b"Cookie: mstshash=" + bytes([byte]) * 9 + b"\r\n"
            body = b"\xe0\0\0\0\0\0" + cookie + bytes.fromhex("0100080003000000")
            s = self.dial("rdp", "127.0.4.%d" % (1 + byte % 200))
            s.sendall(struct.pack(">BBHB", 3, 0, 5 + len(body), len(body)) + body)
            s.settimeout(5)
            try:
                s.recv(64)
            except (TimeoutError, ConnectionError):
                pass
            s.close()
        for size in (0, 1, 4, 6, 7, 65535):
            s = self.dial("rdp", "127.0.5.1")
            s.sendall(struct.pack(">BBH", 3, 0, size) + b"\xff" * 64)
            self.assertTrue(self.is_closed(s), "TPKT of %d bytes" % size)
        wait_until(lambda: self.workers() == 1, 15)

    def test_odd_bytes_where_vnc_carries_a_version(self):
        for line in (b"RFB 999.999\n", b"RFB 003.008\0", b"\0" * 12, b"\xff" * 12, b"RFB\t003.008\n", b"RFB 00\n.008\n"):
            s = self.dial("vnc", "127.0.6.1")
            s.sendall(line)
            self.assertTrue(self.is_closed(s), line)

    def test_requests_of_every_odd_byte(self):
        for byte in list(range(0, 33)) + [127, 128, 255]:
            conn = self.gate.tls()
            conn.settimeout(5)
            name = bytes([byte])
            conn.sendall(b"GET /" + name + b" HTTP/1.1\r\nHost: localhost\r\nX-" + name + b": " + name + b"\r\n\r\n")
            try:
                self.assertIn(read_head(conn)[0], (400, 404), byte)
            except (EOFError, ConnectionError, ssl.SSLError):
                pass
            conn.close()


class Full(unittest.TestCase):
    """Many addresses hold every half-open place."""

    def setUp(self):
        self.gate = Gateway(half_open_total=60, half_open_per_source=16)

    def tearDown(self):
        self.gate.close()

    def is_served(self):
        try:
            return self.gate.http("GET", "/portal/")[0] == 200
        except (ConnectionError, EOFError, ssl.SSLError):
            return False

    def test_the_portal_stays_reachable(self):
        for data in (b"", HALVES[1][1]):
            conns = []
            for i in range(90):
                s = socket.socket()
                s.bind(("127.0.7.%d" % (1 + i % 30), 0))
                s.connect(("127.0.0.1", self.gate.https))
                try:
                    s.sendall(data)
                except ConnectionError:
                    pass
                conns.append(s)
            # Far below the 10 s after which the gate would end them anyway.
            wait_until(self.is_served, 5)
            for s in conns:
                s.close()
        wait_until(self.is_served, 5)


if __name__ == "__main__":
    unittest.main(verbosity=1)
