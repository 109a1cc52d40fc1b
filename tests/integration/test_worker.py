#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real worker, in its sandbox, between the gate and a browser of our own making: picture, clipboard, resize, input, ends, and guests.

Covers: protocol/worker_guests.c protocol/gate/guest.c
"""
import os
import re
import select
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import rdp_harness
from rfb_client import Rfb
from gate_harness import DESKTOP, NEVER, Gateway, pattern_worker, sleeps_until, wait_until

HELLO, SURFACE, FRAME, CURSOR, CLIPBOARD, STATUS, END, WATCHED = 1, 2, 3, 4, 6, 7, 0x0b, 0x0c
TELLS = 3 + 16 # H.264, JPEG, and words about who watches
GUEST = "00000000-0000-0000-0000-0000000001%02d"


class Viewer:
    def __init__(self, gate, width=800, height=600, can=3):
        self.ws = gate.websocket()
        self.frames = 0
        self.heard = []
        self.surface = None
        kind, self.hello = self.message()
        assert kind == HELLO, kind
        self.ws.send(struct.pack(">BHHHHIBH", 1, 1, width, height, 100, can, 0, 4) + b"test")

    def message(self):
        opcode, data = self.ws.recv()
        if opcode == 8:
            raise EOFError("%d %s" % (struct.unpack(">H", data[:2])[0], data[2:].decode()))
        kind, body = data[0], data[1:]
        while kind & 0x80:
            data = self.ws.recv()[1]
            body += data[1:]
            kind = data[0]
        return kind, body

    def step(self):
        kind, body = self.message()
        if kind == FRAME:
            self.frames += 1
            self.flags, self.last = body[4], body[5:]
            self.ws.send(struct.pack(">BII", 2, struct.unpack(">I", body[:4])[0], 1000))
        else:
            self.heard.append((kind, body))
        if kind == SURFACE:
            self.surface = struct.unpack(">HH", body[:4])
        return kind, body

    def until(self, wanted, seconds=10):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            kind, body = self.step()
            if wanted(kind, body):
                return body
        raise AssertionError("it did not come")


def together(viewers, wanted, seconds=20):
    """Everybody reads and acknowledges, as browsers do."""
    end = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < end, "it did not come"
        socks = [v.ws.conn for v in viewers]
        ready = [c for c in socks if c.pending()] or select.select(socks, [], [], 1)[0]
        for viewer in viewers:
            if viewer.ws.conn in ready:
                viewer.step()


def settle(viewers):
    """Reads until nothing comes any more."""
    quiet = 0
    while quiet < 3:
        seen = [v.frames for v in viewers]
        at = time.monotonic() + 0.3
        together(viewers, lambda: time.monotonic() > at)
        quiet = quiet + 1 if seen == [v.frames for v in viewers] else 0


class HesitantViewer(Rfb):
    """A VNC viewer whose user looks for the password: TLS is there, and nothing follows."""

    def __init__(self, port):
        self.raw = self.sock = socket.create_connection(("127.0.0.1", port), 20)
        self.secure()


class Worker(unittest.TestCase):
    kills, guests = False, 0

    def setUp(self):
        self.script = "/tmp/puesto-pattern-worker-%d" % os.getpid()
        pattern_worker(self.script)
        self.gate = Gateway(worker=self.script)
        self.gate.broker.handlers["redeem"] = lambda m, send: {
            "session": "00000000-0000-0000-0000-000000000001", "desktop": DESKTOP, "user": "ana", "pool": "Demo", "epoch": 1, "grant": "x.y",
            "policy": {"clipboard_in": True, "clipboard_out": True, "max_width": 1000, "max_height": 700}}

    def tearDown(self):
        text = self.gate.text()
        self.gate.close()
        os.unlink(self.script)
        self.assertNotIn("crashed", "" if self.kills else text)

    def worker_pid(self):
        out = subprocess.run(["ps", "--ppid", str(self.gate.process.pid), "-o", "pid=,comm="], capture_output=True, text=True).stdout
        return int(re.search(r"(\d+) puesto-worker", out).group(1))

    def test_a_moving_picture_in_the_sandbox(self):
        viewer = Viewer(self.gate)
        viewer.until(lambda k, b: viewer.frames == 60, 20)
        self.assertEqual(viewer.surface, (800, 600))
        with open("/proc/%d/status" % self.worker_pid()) as f:
            status = f.read()
        self.assertIn("Seccomp:\t2", status)
        self.assertIn("NoNewPrivs:\t1", status)
        started = self.gate.broker.wait(lambda m: m.get("event") == "started")
        self.assertEqual(started["session"], "00000000-0000-0000-0000-000000000001")
        viewer.ws.send(struct.pack(">H", 1000), opcode=8)
        ended = self.gate.broker.wait(lambda m: m.get("event") == "ended")
        self.assertEqual(ended["code"], "client_left")
        self.assertGreaterEqual(ended["stats"]["frames"], 60)

    def test_clipboard_and_resize(self):
        viewer = Viewer(self.gate)
        viewer.until(lambda k, b: k == FRAME)
        viewer.ws.send(b"\x09" + "hallo ñ".encode())
        self.assertEqual(viewer.until(lambda k, b: k == CLIPBOARD).decode(), "HALLO ñ")
        for wish, real in (((640, 480), (640, 480)), ((8192, 8192), (1000, 700)), ((1, 1), (1, 1)), ((37, 11), (37, 11))):
            viewer.ws.send(struct.pack(">BHHH", 8, *wish, 100))
            viewer.until(lambda k, b: k == SURFACE and viewer.surface == real)
            viewer.until(lambda k, b: k == FRAME)

    def test_a_still_picture_costs_nothing(self):
        """Nothing is armed but the deadline of a browser that says nothing: the kernel tells until when a process sleeps."""
        viewer = Viewer(self.gate)
        viewer.until(lambda k, b: viewer.frames == 5)
        viewer.ws.send(struct.pack(">BHHB", 5, 5, 5, 1))
        settle([viewer])
        worker, gate = self.worker_pid(), self.gate.gate_pid()
        if sleeps_until(worker) is None:
            self.skipTest("the kernel does not tell what a process waits for")
        wait_until(lambda: sleeps_until(worker) > 60000 and sleeps_until(gate) == NEVER, 20)

    def test_a_still_picture_of_a_vnc_viewer_wakes_nobody(self):
        self.gate.broker.handlers["auth"] = lambda m, send: {"login": "L", "user": "ana", "pool": "p"}
        self.gate.broker.handlers["connect"] = lambda m, send: {
            "session": "00000000-0000-0000-0000-000000000002", "desktop": DESKTOP, "user": "ana", "pool": "Demo", "epoch": 1, "grant": "x.y",
            "policy": {"clipboard_in": True, "clipboard_out": True, "max_width": 1000, "max_height": 700}}
        viewer = Rfb(self.gate.vnc)
        self.addCleanup(viewer.sock.close)
        viewer.until(viewer.is_pattern)
        viewer.click(5, 5)
        with self.assertRaises(TimeoutError):
            viewer.until(lambda: False, 0.5)
        worker, gate = self.worker_pid(), self.gate.gate_pid()
        if sleeps_until(worker) is None:
            self.skipTest("the kernel does not tell what a process waits for")
        wait_until(lambda: sleeps_until(worker) == sleeps_until(gate) == NEVER, 20)

    def test_the_end_is_told_in_both_languages(self):
        viewer = Viewer(self.gate)
        viewer.until(lambda k, b: k == FRAME)
        self.gate.broker.send({"op": "end", "session": "00000000-0000-0000-0000-000000000001", "code": "moved", "reason_en": "Moved on.",
                               "reason_es": "Se ha movido."})
        body = viewer.until(lambda k, b: k == END)
        self.assertIn(b"Moved on.", body)
        self.assertIn("Se ha movido.".encode(), body)
        self.assertEqual(viewer.ws.closed(), (4410, "Moved on."))

    def test_a_restart_of_the_desktop_ends_with_a_code_of_its_own(self):
        for word, code in ("restart", 256), ("refresh", 12), ("logoff", 0):
            viewer = Viewer(self.gate)
            viewer.until(lambda k, b: k == FRAME)
            self.gate.broker.send({"op": "end", "session": "00000000-0000-0000-0000-000000000001", "code": word, "reason_en": "So it is.",
                                   "reason_es": "Así es."})
            body = viewer.until(lambda k, b: k == END)
            self.assertEqual(struct.unpack(">H", body[:2])[0], code, word)
            self.assertEqual(viewer.ws.closed()[0], 4410)

    @unittest.skipIf(rdp_harness.missing(), "needs %s" % ", ".join(rdp_harness.missing()))
    def test_rdp_pictures_in_the_sandbox(self):
        """Every codec of the RDP front does its work behind seccomp."""
        grant = {"session": "00000000-0000-0000-0000-000000000002", "desktop": DESKTOP, "user": "ana", "pool": "Demo", "epoch": 1, "grant": "x.y",
                 "policy": {"clipboard_in": True, "clipboard_out": True, "max_width": 1000, "max_height": 700}}
        self.gate.broker.handlers["auth"] = lambda m, send: {"login": "L", "user": "ana", "pool": "p"}
        self.gate.broker.handlers["connect"] = lambda m, send: grant
        display = rdp_harness.Display(640, 480)
        self.addCleanup(display.close)
        for options in (["/gfx:AVC420"], ["/gfx:RFX"], ["/bpp:32", "/rfx"], ["/bpp:32"], ["/bpp:16"]):
            with self.subTest(options), tempfile.TemporaryFile() as log:
                self.gate.broker.seen.clear()
                client = rdp_harness.client(display, self.gate.dir, log, self.gate.rdp, "secret", "/size:640x480", *options)
                self.gate.broker.wait(lambda m: m.get("event") == "started", 30)
                seen = set()

                def moves():
                    seen.add(b"".join(display.picture(640, 480)))
                    return len(seen) > 5
                wait_until(moves, 20)
                client.terminate()
                client.wait(10)
                ended = self.gate.broker.wait(lambda m: m.get("event") == "ended", 10)
                self.assertEqual(ended["code"], "client_left")
                # One is enough: a client that is slow to paint shows six states of a large one.
                self.assertGreater(ended["stats"]["frames"], 0)

    def test_a_person_has_time_for_certificate_and_password(self):
        """Clients ask a person in the middle of the handshake; ten seconds were not enough."""
        rdp = socket.create_connection(("127.0.0.1", self.gate.rdp), 10)
        rdp.sendall(struct.pack(">BBH", 3, 0, 19) + bytes.fromhex("0ee000000000000100080001000000"))
        self.assertEqual(rdp.recv(19)[:1], b"\x03")
        vnc = HesitantViewer(self.gate.vnc)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        rdp = context.wrap_socket(rdp)
        for sock, seconds in ((vnc.sock, 11), (rdp, 0.5)):
            sock.settimeout(seconds)
            with self.assertRaises(TimeoutError):
                sock.recv(1)
            sock.close()

    def guest(self, can_input, **more):
        """One more viewer of the session that the first one began."""
        self.guests += 1
        guest = {"id": GUEST % self.guests, "name": "Eva", "can_input": can_input}
        self.gate.broker.handlers["redeem"] = lambda m, send: {"session": "00000000-0000-0000-0000-000000000001", "guest": guest}
        return Viewer(self.gate, **more)

    def test_guests_see_what_the_owner_sees(self):
        owner = Viewer(self.gate, can=TELLS)
        owner.until(lambda k, b: owner.frames == 10)
        watcher = self.guest(False, width=333, height=222)
        together([owner, watcher], lambda: watcher.frames >= 10)
        self.assertEqual(self.gate.broker.wait(lambda m: m.get("op") == "guest")["event"], "started")
        self.assertEqual(watcher.surface, owner.surface)
        self.assertEqual((watcher.hello[14], owner.hello[14]), (4, 3), "view only, and no clipboard")
        self.assertIn((WATCHED, b"\0\3Eva"), owner.heard)
        watcher.ws.send(struct.pack(">BHHB", 5, 5, 5, 1))   # a click would stop the picture
        watcher.ws.send(struct.pack(">BHHH", 8, 640, 480, 100))
        watcher.ws.send(b"\x09" + b"secret")
        seen = watcher.frames
        together([owner, watcher], lambda: watcher.frames >= seen + 30)
        self.assertEqual(watcher.surface, (800, 600))
        second = self.guest(True)
        together([owner, watcher, second], lambda: second.frames >= 3)
        second.ws.send(b"\x09" + b"mine")
        together([owner, watcher, second], lambda: all((CLIPBOARD, b"MINE") in v.heard for v in (owner, second)))
        self.assertEqual([body for viewer in (owner, watcher) for kind, body in viewer.heard if kind == CLIPBOARD], [b"MINE"])
        second.ws.send(struct.pack(">BHHB", 5, 5, 5, 1))
        settle([owner, watcher, second])
        watcher.ws.send(struct.pack(">H", 1000), opcode=8)
        together([owner, second], lambda: (WATCHED, b"\0\0") in owner.heard)
        self.assertEqual(self.gate.broker.wait(lambda m: m.get("op") == "guest" and m["event"] == "ended")["session"][-1], "1")

    def test_guests_show_the_same_pixels(self):
        owner = Viewer(self.gate, can=TELLS)
        owner.until(lambda k, b: owner.frames == 5)
        viewers = [owner] + [self.guest(True) for _ in range(3)]
        together(viewers, lambda: all(v.frames >= 20 for v in viewers))
        owner.ws.send(struct.pack(">BHHB", 5, 5, 5, 1))
        settle(viewers)
        self.assertEqual(len({v.last for v in viewers}), 1, "the last frame has the same bytes for all")

    def test_a_guest_that_does_not_read_holds_nobody_up(self):
        owner = Viewer(self.gate, can=TELLS)
        owner.until(lambda k, b: owner.frames == 10)
        self.guest(True)
        self.gate.broker.wait(lambda m: m.get("op") == "guest")
        for _ in range(100):
            owner.step()
        self.assertGreater(owner.frames, 80)

    def test_fifty_guests_and_no_more(self):
        owner = Viewer(self.gate, can=TELLS)
        owner.until(lambda k, b: owner.frames == 3)
        viewers = [owner] + [self.guest(True) for _ in range(50)]
        together(viewers, lambda: all(v.frames >= 3 for v in viewers), 60)
        self.guests += 1
        code, reason = self.gate.websocket().closed()
        self.assertEqual(code, 4410)
        self.assertIn("as many viewers as it may have", reason)

    def test_a_watcher_is_refused_where_the_owner_cannot_be_told(self):
        owner = Viewer(self.gate)
        owner.until(lambda k, b: owner.frames == 3)
        self.gate.broker.handlers["redeem"] = lambda m, send: {
            "session": "00000000-0000-0000-0000-000000000001", "guest": {"id": GUEST % 1, "name": "Eva", "can_input": False}}
        code, reason = self.gate.websocket().closed()
        self.assertEqual(code, 4410)
        self.assertIn("cannot be told", reason)
        self.assertIn("no se le puede avisar", self.gate.websocket(language="es").closed()[1])

    def test_a_guest_has_to_decode_what_the_owner_decodes(self):
        owner = Viewer(self.gate, can=TELLS)
        owner.until(lambda k, b: owner.frames == 3)
        guest = self.guest(True, can=2)
        self.assertIn(b"Use another browser", guest.until(lambda k, b: k == END))

    def test_guests_end_with_their_session_or_by_an_administrator(self):
        owner = Viewer(self.gate, can=TELLS)
        owner.until(lambda k, b: owner.frames == 3)
        guest = self.guest(True)
        together([owner, guest], lambda: guest.frames >= 2)
        self.gate.broker.send({"op": "guest_end", "guest": GUEST % 1, "code": "ended", "reason_en": "Enough.", "reason_es": "Basta."})
        self.assertIn(b"Enough.", guest.until(lambda k, b: k == END))
        self.assertEqual(guest.ws.closed(), (4410, "Enough."))
        guest = self.guest(True)
        together([owner, guest], lambda: guest.frames >= 2)
        owner.ws.send(struct.pack(">H", 1000), opcode=8)
        self.assertIn(b"owner has disconnected", guest.until(lambda k, b: k == END))
        guest.ws.closed()
        self.assertEqual(self.gate.websocket().closed(), (4410, "The session is over."))

    def test_a_killed_worker_is_explained(self):
        viewer = Viewer(self.gate)
        viewer.until(lambda k, b: k == FRAME)
        self.kills = True
        os.kill(self.worker_pid(), signal.SIGKILL)
        with self.assertRaises(EOFError) as caught:
            viewer.until(lambda k, b: False)
        self.assertIn("1011", str(caught.exception))
        self.assertIn("signal 9", str(caught.exception))

    def test_broken_messages_end_the_session_with_a_reason(self):
        for message in (b"\x77", b"\x02", b"\x08\x00\x00\x00\x00\x00\x64", b"\x04", b"\x01" * 20, b"\x09\xff\xfe", b"\x03" + b"\xff" * 7):
            viewer = Viewer(self.gate)
            viewer.until(lambda k, b: k == FRAME)
            viewer.ws.send(message)
            try:
                viewer.until(lambda k, b: k == END, 5)
            except EOFError:
                self.fail("closed without an END: %r" % message)


if __name__ == "__main__":
    unittest.main(verbosity=1)
