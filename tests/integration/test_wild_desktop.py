#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desktops that draw too much, too large, or nonsense, before the real worker on all three wires: memory has an end, others do not suffer, and the last picture is right."""
import contextlib
import os
import random
import struct
import threading
import time
import unittest

import rdp_harness
from gate_harness import DESKTOP, Gateway, wait_until
from link_desk import HEIGHT, WIDTH, Desks, agent_worker
from rfb_client import EXTENDED_DESKTOP_SIZE, RAW
from test_pressure import CONTINUOUS, FENCE, GROWTH_KB, FencedRfb, memory_of
from test_worker import CURSOR, END, FRAME, Viewer, settle, together

CURSOR_MASK, CURSOR_ALPHA = -239, -314
EXACT = 1 # of a FRAME's flags
SIZES = ((1, 1), (0, 0), (64, 64), (37, 11), (96, 96), (1, 256), (256, 1), (256, 256), (0, 0), (2, 3))


def noise(width, height, seed):
    """A picture that nothing makes small; the byte without meaning is zero, as viewers are told it."""
    pixels = bytearray(random.Random(seed).randbytes(width * height * 4))
    pixels[3::4] = bytes(width * height)
    return bytes(pixels)


class CursorRfb(FencedRfb):
    def __init__(self, port, encoding):
        self.cursors = []
        super().__init__(port, (RAW, EXTENDED_DESKTOP_SIZE, FENCE, CONTINUOUS, encoding))

    def take_rect(self):
        head = self.read(12)
        x, y, w, h, encoding = struct.unpack(">HHHHi", head)
        if encoding == CURSOR_ALPHA:
            assert self.read(4) == bytes(4)
            self.cursors.append((w, h, x, y, self.read(w * h * 4)))
        elif encoding == CURSOR_MASK:
            self.cursors.append((w, h, x, y, self.read(w * h * 4)))
            self.read((w + 7) // 8 * h)
        else:
            self.again = head
            super().take_rect()

    def read(self, n):
        head, self.again = getattr(self, "again", b""), b""
        return head or super().read(n)


class WildDesktop(unittest.TestCase):
    def setUp(self):
        self.script = "/tmp/puesto-wild-worker-%d" % os.getpid()
        agent_worker(self.script)
        self.gate = Gateway(worker=self.script)
        self.addCleanup(self.end)
        sessions = iter(range(1, 100))

        def grant(*_):
            return {"session": "00000000-0000-0000-0000-%012d" % next(sessions), "desktop": DESKTOP, "user": "ana", "pool": "Demo", "epoch": 1, "grant": "x.y",
                    "policy": {"clipboard_in": True, "clipboard_out": True, "max_width": 8192, "max_height": 8192}}
        self.gate.broker.handlers["redeem"] = grant
        self.gate.broker.handlers["auth"] = lambda m, send: {"login": "L", "user": "ana", "pool": "p"}
        self.gate.broker.handlers["connect"] = grant
        self.desks, self.viewers = Desks(self.gate), 0

    def end(self):
        text = self.gate.text()
        self.gate.close()
        os.unlink(self.script)
        self.assertNotIn("crashed", text)

    def viewer(self, make):
        """A viewer and its desktop."""
        viewer = make()
        self.viewers += 1
        return viewer, self.desks.link(self.viewers - 1)

    def vnc(self):
        viewer, link = self.viewer(lambda: FencedRfb(self.gate.vnc))
        self.addCleanup(viewer.sock.close)
        self.shows(viewer, link, noise(WIDTH, HEIGHT, 0))
        return viewer, link

    def browser(self):
        viewer, link = self.viewer(lambda: Viewer(self.gate))
        self.addCleanup(viewer.ws.conn.close)
        viewer.until(lambda k, b: k == FRAME)
        return viewer, link

    def shows(self, viewer, link, picture):
        link.paint(picture)
        viewer.until(lambda: (viewer.width, viewer.height) == (link.width, link.height) and bytes(viewer.pixels) == picture, 30)

    def grew_little(self, before):
        """Sanitizers keep for a while what was freed."""
        if not os.environ.get("SANITIZED"):
            self.assertLess(memory_of(self.gate) - before, GROWTH_KB)

    @contextlib.contextmanager
    def flashing(self, link):
        pictures, over, before = [noise(WIDTH, HEIGHT, seed) for seed in (1, 2, 3)], threading.Event(), link.paints
        thread = threading.Thread(target=link.flash, args=(200, pictures, over))
        thread.start()
        try:
            yield
            wait_until(lambda: link.paints - before > 100, 30)
        finally:
            over.set()
            thread.join()

    def exact_frame(self, viewer, link):
        """Waits until a browser is told last that it shows the desktop as it is."""
        link.paint(noise(link.width, link.height, 9))
        end = time.monotonic() + 30
        is_exact = False
        while not is_exact:
            self.assertLess(time.monotonic(), end, "the browser does not become exact")
            together([viewer], link.is_seen)
            settle([viewer])
            is_exact = viewer.flags & EXACT and viewer.surface == (link.width, link.height)

    def test_200_pictures_a_second_have_bounded_memory_and_harm_no_neighbour(self):
        calm, calm_desk = self.vnc()
        wild, wild_desk = self.vnc()
        before = memory_of(self.gate)
        with self.flashing(wild_desk):
            for seed in range(10, 16):
                updates = wild.updates
                self.shows(calm, calm_desk, noise(WIDTH, HEIGHT, seed))
                wild.until(lambda: wild.updates > updates)
            self.grew_little(before)
        self.shows(wild, wild_desk, noise(WIDTH, HEIGHT, 9))

    def test_200_pictures_a_second_for_a_viewer_that_does_not_read(self):
        wild, desk = self.vnc()
        calm, calm_desk = self.vnc()
        before = memory_of(self.gate)
        with self.flashing(desk):
            for seed in range(10, 20):
                self.shows(calm, calm_desk, noise(WIDTH, HEIGHT, seed))
            self.grew_little(before)
        self.shows(wild, desk, noise(WIDTH, HEIGHT, 9))

    def test_200_pictures_a_second_in_a_browser(self):
        wild, desk = self.browser()
        before = memory_of(self.gate)
        with self.flashing(desk):
            wild.until(lambda k, b: wild.frames > 25)
            self.grew_little(before)
        self.exact_frame(wild, desk)

    @unittest.skipIf(rdp_harness.missing(), "needs %s" % ", ".join(rdp_harness.missing()))
    def test_200_pictures_a_second_over_rdp(self):
        display = rdp_harness.Display(WIDTH, HEIGHT)
        self.addCleanup(display.close)
        with open(os.path.join(self.gate.dir, "client.log"), "w") as log:
            client, desk = self.viewer(lambda: rdp_harness.client(display, self.gate.dir, log, self.gate.rdp, "secret", "/size:%dx%d" % (WIDTH, HEIGHT), "/gfx:AVC420"))
            self.addCleanup(lambda: (client.terminate(), client.wait(10)))
            self.gate.broker.wait(lambda m: m.get("event") == "started", 30)
            with self.flashing(desk):
                seen = set()
                wait_until(lambda: seen.add(b"".join(display.picture(WIDTH, HEIGHT))) or len(seen) > 4, 20)
            picture = noise(WIDTH, HEIGHT, 9)
            desk.paint(picture)
            rgb = bytearray(WIDTH * HEIGHT * 3)
            rgb[0::3], rgb[1::3], rgb[2::3] = picture[2::4], picture[1::4], picture[0::4]
            wait_until(lambda: b"".join(display.picture(WIDTH, HEIGHT)) == bytes(rgb), 30)

    def cursors(self):
        """Shapes without transparency, so that every wire has the same bytes in some order."""
        for w, h in SIZES:
            pixels = bytearray(noise(w, h, w * 1000 + h))
            pixels[3::4] = b"\xff" * (w * h)
            yield w, h, max(w - 1, 0), max(h - 1, 0), bytes(pixels)

    def test_pointers_of_any_size_in_vnc(self):
        for encoding in CURSOR_ALPHA, CURSOR_MASK:
            viewer, link = self.viewer(lambda: CursorRfb(self.gate.vnc, encoding))
            self.addCleanup(viewer.sock.close)
            viewer.until(lambda: viewer.updates > 0)
            for w, h, x, y, pixels in self.cursors():
                seen = len(viewer.cursors)
                link.cursor(w, h, pixels, (x, y))
                viewer.until(lambda: len(viewer.cursors) > seen)
                want = bytearray(pixels)
                if encoding == CURSOR_ALPHA:
                    want[0::4], want[2::4] = pixels[2::4], pixels[0::4]
                got = bytearray(viewer.cursors[-1][4])
                if encoding == CURSOR_MASK:
                    want[3::4] = got[3::4] = bytes(w * h)
                self.assertEqual((viewer.cursors[-1][:4], got), ((w, h, x, y), want), (w, h))

    def test_pointers_of_any_size_in_a_browser(self):
        viewer, link = self.browser()
        for w, h, x, y, pixels in self.cursors():
            link.cursor(w, h, pixels, (x, y))
            body = viewer.until(lambda k, b: k == CURSOR)
            want = bytearray(pixels)
            want[0::4], want[2::4] = pixels[2::4], pixels[0::4]
            self.assertEqual((struct.unpack(">HHHH", body[:8]), body[8:]), ((w, h, x, y), want), (w, h))

    @unittest.skipIf(rdp_harness.missing(), "needs %s" % ", ".join(rdp_harness.missing()))
    def test_pointers_of_any_size_over_rdp(self):
        """Such as are larger than a client takes are cut."""
        program = [os.path.join(rdp_harness.BUILD, "tests/integration/rdp_client"), "--pipeline", "none", "--port", str(self.gate.rdp)]
        client, link = self.viewer(lambda: rdp_harness.subprocess.Popen(program, stdout=rdp_harness.subprocess.PIPE, stderr=rdp_harness.subprocess.DEVNULL))
        self.addCleanup(lambda: (client.terminate(), client.wait(10), client.stdout.close()))
        lines = rdp_harness.Lines(client)
        lines.until("^bitmap")
        for w, h, x, y, pixels in self.cursors():
            start = len(lines.seen)
            link.cursor(w, h, pixels, (x, y))
            if w:
                lines.until("^pointer (%dx%d|%dx%d)" % (min(w, 96), min(h, 96), min(w, 32), min(h, 32)), start=start)

    def test_nonsense_ends_that_session_alone(self):
        calm, calm_desk = self.vnc()
        rows = bytes(4 * 4 * 4)
        cursors = [(1024, 1024, b"", (0, 0), 8 + 1024 * 1024 * 4), (256, 256, bytes(16), (0, 0), None), (0, 5, b"", (0, 0), None), (5, 0, b"", (0, 0), None),
                   (4, 4, rows, (4, 0), None), (4, 4, rows, (0, 4), None), (0, 0, b"", (1, 0), None), (65535, 65535, b"", (0, 0), None), (4, 4, rows + b"more", (0, 0), None)]
        strides = [{"stride": 4 * WIDTH - 4}, {"stride": 4 * WIDTH + 2}, {"stride": 1 << 16}, {"stride": 0}, {"stride": 0xfffffffc}, {"offset": 3}, {"offset": 1 << 40},
                   {"offset": (1 << 64) - 4}, {"size": 1 << 20 << 20}, {"size": 4}, {"size": 1 << 29}, {"format": 2}, {"fd": "none"}]
        for act in [lambda link, c=c: link.cursor(*c) for c in cursors] + [lambda link, s=s: link.surface(WIDTH, HEIGHT, wrong=s) for s in strides]:
            viewer, link = self.browser()
            act(link)
            viewer.until(lambda k, b: k == END)
        self.shows(calm, calm_desk, noise(WIDTH, HEIGHT, 5))

    def test_another_size_in_the_middle_of_a_frame(self):
        vnc, vnc_desk = self.vnc()
        browser, browser_desk = self.browser()
        for width, height, stride, offset in ((1, 1, 4, 0), (801, 603, 4096, 4), (64, 64, 256, 8), (1920, 1080, 7680, 64), (333, 7, 32768, 0), (640, 360, 2564, 12)):
            for link in vnc_desk, browser_desk:
                link.paint(noise(link.width, link.height, width))  # and its reader has not come to it
                link.surface(width, height, stride, offset)
                link.paint(noise(width, height, 3))
        self.shows(vnc, vnc_desk, noise(640, 360, 4))
        self.exact_frame(browser, browser_desk)


if __name__ == "__main__":
    unittest.main(verbosity=1)
