#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lobby of the real worker, seen by a VNC viewer: waiting, refusals, ends and the choice of a pool.

Covers: protocol/worker_lobby.c
"""
import os
import shutil
import struct
import subprocess
import threading
import time
import unittest

from gate_harness import DESKTOP, Gateway, pattern_worker, wait_until
from rfb_client import DOWN, ENTER, ESCAPE, EXTENDED_DESKTOP_SIZE, RAW, Refused, Rfb

SESSION = "00000000-0000-0000-0000-000000000001"
POOLS = [{"id": "aaaaaaaa-0000-0000-0000-00000000000%d" % i, "name": name, "state_en": "ready", "state_es": "listo"}
         for i, name in enumerate(("Oficina", "Diseño 漢字 \N{RIGHT-TO-LEFT OVERRIDE}", "Laboratorio"))]
GRANT = {"session": SESSION, "desktop": DESKTOP, "user": "ana", "pool": "Demo", "epoch": 1, "grant": "x.y",
         "policy": {"clipboard_in": True, "clipboard_out": True, "max_width": 1000, "max_height": 700}}
ACCENT, TEXT = 0x2457d6, 0x1b2130


class Base(unittest.TestCase):
    def setUp(self):
        self.script = "/tmp/puesto-lobby-worker-%d" % os.getpid()
        pattern_worker(self.script)
        self.gate = Gateway(worker=self.script)
        self.broker = self.gate.broker
        self.go = threading.Event()
        self.broker.handlers["auth"] = lambda m, send: {"login": "l" * 43, "user": "ana", "pool": POOLS[0]["id"], "pool_name": "Demo"}
        self.broker.handlers["connect"] = self.connect

    def tearDown(self):
        self.go.set()
        text = self.gate.text()
        self.gate.close()
        os.unlink(self.script)
        self.assertNotIn("crashed", text)
        self.assertNotIn("killed", text)

    def connect(self, message, send):
        """Answered once self.go is set; other messages are heard meanwhile."""
        def answer():
            self.go.wait(20)
            send({"re": message["id"], **GRANT})
        threading.Thread(target=answer, daemon=True).start()

    def tell(self, en, es):
        message = self.broker.wait(lambda m: m["op"] == "connect")
        self.broker.send({"re": message["id"], "op": "progress", "stage": "start", "text_en": en, "text_es": es})

    def refuse(self, code, status, **fields):
        return {"error": {"code": code, "title": "The pool is in maintenance until Monday.", "title_es": "El grupo está en mantenimiento.", "status": status,
                          **fields}}

    def ended(self, code=None):
        return self.broker.wait(lambda m: m.get("event") == "ended" and (not code or m["code"] == code))


class LobbyRfb(Base):
    def test_a_slow_desktop_is_awaited_in_words(self):
        viewer = Rfb(self.gate.vnc)
        viewer.until(viewer.is_lobby)
        before = bytes(viewer.pixels)
        self.tell("Starting the desktop (2 of 3 steps done)", "Arrancando el escritorio")
        viewer.until(lambda: bytes(viewer.pixels) != before and viewer.count(TEXT) > 100)
        # The time goes on, and nothing else: two updates a second would be too many.
        viewer.until(lambda: viewer.count(ACCENT) > 0)
        start, updates = time.monotonic(), viewer.updates
        viewer.until(lambda: viewer.updates >= updates + 3)
        self.assertGreater(time.monotonic() - start, 1.5)
        self.go.set()
        viewer.until(viewer.is_pattern)
        self.assertEqual((viewer.width, viewer.height), (1280, 720))
        self.broker.wait(lambda m: m.get("event") == "started")

    def test_a_warm_desktop_never_shows_the_lobby(self):
        self.go.set()
        viewer = Rfb(self.gate.vnc)
        viewer.until(lambda: viewer.updates > 0)
        self.assertTrue(viewer.is_pattern())

    def test_lobby_and_desktop_follow_the_window(self):
        viewer = Rfb(self.gate.vnc, encodings=(RAW, EXTENDED_DESKTOP_SIZE))
        viewer.until(viewer.is_lobby)
        viewer.resize(800, 600)
        viewer.until(lambda: (viewer.width, viewer.height) == (800, 600) and viewer.is_lobby())
        self.go.set()
        viewer.until(viewer.is_pattern)
        self.assertEqual((viewer.width, viewer.height), (800, 600))

    def test_a_viewer_that_cannot_follow_reads_why(self):
        viewer = Rfb(self.gate.vnc, encodings=(RAW,))
        viewer.until(viewer.is_lobby)
        viewer.until(lambda: viewer.count(ACCENT) > 0)
        clock = viewer.count(ACCENT)
        self.go.set()  # the policy lets the desktop be 1000 × 700 only
        self.assertIn("cannot follow", self.ended()["reason"])
        viewer.until(lambda: viewer.count(ACCENT) < clock)
        self.assertTrue(viewer.is_lobby())
        time.sleep(1.1)
        viewer.key(ENTER)
        self.assertLess(viewer.closed(), 4)

    def test_a_refusal_is_shown_until_a_key(self):
        self.broker.handlers["connect"] = lambda m, send: self.refuse("conflict", 409)
        viewer = Rfb(self.gate.vnc)
        viewer.until(lambda: viewer.is_lobby() and viewer.count(TEXT) > 100)
        viewer.key(ENTER)  # typed before it can have been read
        viewer.sock.settimeout(1.3)
        with self.assertRaises(TimeoutError):
            viewer.step()
        viewer.key(ENTER)
        self.assertLess(viewer.closed(), 4)

    def test_no_entitlement_is_explained_after_the_log_in(self):
        self.broker.handlers["auth"] = lambda m, send: self.refuse("no_pool", 403, authenticated=True)
        viewer = Rfb(self.gate.vnc)
        viewer.until(viewer.is_lobby)
        time.sleep(1.1)
        viewer.click(5, 5)
        self.assertLess(viewer.closed(), 4)

    def test_a_wrong_password_is_refused_in_the_protocol(self):
        self.broker.handlers["auth"] = lambda m, send: {"error": {"code": "login_failed", "title": "Wrong.", "status": 401}}
        with self.assertRaisesRegex(Refused, "Wrong"):
            Rfb(self.gate.vnc)

    def test_an_ended_session_is_over_at_once_and_its_reason_stays(self):
        self.go.set()
        viewer = Rfb(self.gate.vnc)
        viewer.until(viewer.is_pattern)
        self.broker.send({"op": "end", "session": SESSION, "code": "admin", "reason_en": "An administrator ended the session.",
                          "reason_es": "Un administrador ha terminado la sesión."})
        self.assertEqual(self.ended("admin")["reason"], "An administrator ended the session.")
        viewer.until(viewer.is_lobby)
        viewer.sock.settimeout(1.5)
        with self.assertRaises(TimeoutError):
            while True:  # the page may come in parts
                viewer.step()
        # Longer than a worker that does not end is left alone; a second order to end changes nothing.
        self.broker.send({"op": "end", "session": SESSION, "code": "again", "reason_en": "Again.", "reason_es": "Otra vez."})
        viewer.sock.settimeout(6.5)
        with self.assertRaises(TimeoutError):
            viewer.step()
        viewer.key(ESCAPE)
        self.assertLess(viewer.closed(), 4)
        self.assertEqual(len([m for m in self.broker.seen if m.get("event") == "ended"]), 1)

    def test_escape_stops_the_waiting(self):
        viewer = Rfb(self.gate.vnc)
        viewer.until(viewer.is_lobby)
        viewer.key(ESCAPE)
        self.assertLess(viewer.closed(), 4)
        self.broker.wait(lambda m: m["op"] == "cancel")

    def test_nobody_waits_for_a_desktop_behind_a_last_page(self):
        viewer = Rfb(self.gate.vnc)
        viewer.until(viewer.is_lobby)
        self.broker.send({"op": "revoke_all"})
        self.broker.wait(lambda m: m["op"] == "cancel")
        # A page without a clock: the connection is still there, and still.
        viewer.until(lambda: viewer.count(ACCENT) > 0)
        time.sleep(1.1)
        viewer.key(ENTER)
        self.assertLess(viewer.closed(), 4)

    def test_a_pool_is_chosen_by_keys(self):
        self.broker.handlers["auth"] = lambda m, send: {"login": "l" * 43, "user": "ana", "pools": POOLS, "text_en": "You have several pools.", "text_es": "Tiene varios grupos."}
        viewer = Rfb(self.gate.vnc)
        viewer.until(viewer.is_lobby)
        self.assertFalse([m for m in self.broker.seen if m["op"] == "connect"])
        before = bytes(viewer.pixels)
        viewer.key(DOWN)
        viewer.until(lambda: bytes(viewer.pixels) != before)
        time.sleep(1)  # the lobby's own delay: what was selected stays selected
        viewer.key(ENTER)
        asked = self.broker.wait(lambda m: m["op"] == "connect")
        self.assertEqual((asked["pool"], asked["login"]), (POOLS[1]["id"], "l" * 43))
        self.go.set()
        viewer.until(viewer.is_pattern)

    def test_a_pool_is_chosen_by_digit_and_an_escape_leaves(self):
        self.broker.handlers["auth"] = lambda m, send: {"login": "l" * 43, "user": "ana", "pools": POOLS, "text_en": "You have several pools.", "text_es": "Tiene varios grupos."}
        self.go.set()
        viewer = Rfb(self.gate.vnc)
        viewer.until(viewer.is_lobby)
        viewer.key(ord("3"))
        viewer.until(viewer.is_pattern)
        self.assertEqual(self.broker.wait(lambda m: m["op"] == "connect")["pool"], POOLS[2]["id"])
        other = Rfb(self.gate.vnc)
        other.until(other.is_lobby)
        other.key(ESCAPE)
        self.assertLess(other.closed(), 4)


def pixels_of(display):
    """The root window: (pixels of a row, rows of BGRX)."""
    data = subprocess.run(["xwd", "-root", "-silent", "-display", display], capture_output=True, check=True).stdout
    head = struct.unpack(">25I", data[:100])
    at = head[0] + head[19] * 12
    return head[12] // 4, data[at:]


@unittest.skipUnless(all(shutil.which(tool) for tool in ("xfreerdp3", "Xvfb", "xwd", "xdotool")), "needs xfreerdp3, Xvfb, xwd and xdotool")
class LobbyRdp(Base):
    """The same pages through a real RDP client."""

    def setUp(self):
        super().setUp()
        read, write = os.pipe()
        self.x = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "-nolisten", "tcp"], pass_fds=[write],
                                  stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as f:
            self.display = ":" + f.readline().strip()
        self.has_seen = False
        self.launch()

    def launch(self):
        self.client = subprocess.Popen(
            ["xfreerdp3", "/v:127.0.0.1:%d" % self.gate.rdp, "/u:ana", "/from-stdin:force", "/cert:ignore", "/gfx", "/size:800x600", "-decorations",
             "/kbd:layout:0x40a", "/log-level:OFF"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "DISPLAY": self.display})

    def tearDown(self):
        for child in (self.client, self.x):
            child.kill()
            child.wait()
        self.client.stdin.close()
        super().tearDown()

    def start(self):
        """The password goes last: the broker's part is set up by then."""
        self.client.stdin.write(b"secret\n")
        self.client.stdin.flush()

    def restart_if_dead(self):
        """xfreerdp3 3.10 dies at its start now and then, by a signal; once it has shown something it must go on."""
        if not self.has_seen and (self.client.poll() or 0) < 0:
            self.client.stdin.close()
            self.launch()
            self.start()

    def sees(self, points, seconds=60):
        def look():
            self.restart_if_dead()
            width, data = pixels_of(self.display)
            return all(struct.unpack_from("<I", data, (y * width + x) * 4)[0] & 0xffffff == colour for (x, y), colour in points)
        try:
            wait_until(look, seconds)
        except AssertionError:
            raise AssertionError("it was not seen; the client's exit status is %s, the log:\n%s" % (self.client.poll(), self.gate.text()[-3000:])) from None
        self.has_seen = True

    def key(self, name):
        subprocess.run(["xdotool", "key", name], env={**os.environ, "DISPLAY": self.display}, check=True)

    LOBBY = [((3, 3), 0xf4f5f7), ((797, 3), 0xf4f5f7), ((150, 3), 0xf4f5f7)]
    PATTERN = [((797, 3), 0), ((150, 3), 0xffff00)]

    def test_rdp_chooses_and_waits(self):
        self.broker.handlers["auth"] = lambda m, send: {"login": "l" * 43, "user": "ana", "pools": POOLS, "text_en": "Several.", "text_es": "Varios."}
        self.start()
        self.sees(self.LOBBY)
        self.key("Down")
        self.key("Return")
        self.assertEqual(self.broker.wait(lambda m: m["op"] == "connect", 10)["pool"], POOLS[1]["id"])
        self.sees(self.LOBBY)
        self.go.set()
        self.sees(self.PATTERN)

    def test_rdp_reads_why_a_session_has_ended(self):
        self.go.set()
        self.start()
        self.sees(self.PATTERN)
        time.sleep(2)  # in the midst of a moving picture
        self.broker.send({"op": "end", "session": SESSION, "code": "admin", "reason_en": "An administrator ended the session.",
                          "reason_es": "Un administrador ha terminado la sesión."})
        self.assertEqual(self.ended("admin")["reason"], "An administrator ended the session.")
        self.sees(self.LOBBY)
        time.sleep(1.1)  # an earlier key cannot follow reading
        self.key("Return")
        self.client.wait(10)

    def test_rdp_reads_why_there_is_no_desktop(self):
        self.broker.handlers["connect"] = lambda m, send: self.refuse("conflict", 409)
        self.start()
        self.sees(self.LOBBY)
        time.sleep(1.1)
        self.key("Return")
        self.client.wait(10)


if __name__ == "__main__":
    unittest.main(verbosity=1)
