#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Viewers that do not keep up, before the real worker: what is sent and what memory is taken has an end, and the picture is right once they go on."""
import os
import re
import select
import struct
import subprocess
import time
import unittest

from gate_harness import DESKTOP, Gateway, pattern_worker, wait_until
from rfb_client import DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE, RAW, Rfb

FENCE, CONTINUOUS = -312, -313
FRAME = 3
GROWTH_KB = 24 * 1024  # of gateway and worker together, beyond what a viewer that keeps up costs


class FencedRfb(Rfb):
    """Takes updates unasked and acknowledges them by fences, as current viewers do; or does not, for a while."""

    def __init__(self, port, encodings=(RAW, EXTENDED_DESKTOP_SIZE, FENCE, CONTINUOUS)):
        self.is_silent = self.is_continuous = False
        self.held = None
        self.taken = 0
        super().__init__(port, encodings=encodings)

    def read(self, n):
        self.taken += n
        return super().read(n)

    def ask(self, incremental=True):
        if not incremental or not self.is_continuous:
            super().ask(incremental)

    def answer(self):
        if self.held:
            self.sock.sendall(self.held)
        self.held = None

    def step(self):
        kind = self.read(1)[0]
        if kind == 248:
            flags, length = struct.unpack(">xxxIB", self.read(8))
            data = self.read(length)
            self.held = struct.pack(">BxxxIB", 248, flags & 0x7fffffff, length) + data if flags >> 31 else None
            if not self.is_silent:
                self.answer()
        elif kind == 150:
            if not self.is_continuous:
                self.sock.sendall(struct.pack(">BBHHHH", 150, 1, 0, 0, 8192, 8192))
            self.is_continuous = True
        elif kind == 0:
            for _ in range(struct.unpack(">xH", self.read(3))[0]):
                self.take_rect()
            self.updates += 1
            self.ask()
        else:
            assert kind in (2, 3), kind
            if kind == 3:
                self.read(struct.unpack(">xxxI", self.read(7))[0])

    def until_quiet(self, seconds=0.7):
        """Reads until nothing has come for so long."""
        while self.sock.pending() or select.select([self.sock], [], [], seconds)[0]:
            self.step()

    def assert_exact(self):
        """What all the updates have made equals what is sent anew. The test card stands still."""
        before = bytes(self.pixels)
        updates = self.updates
        self.ask(False)
        self.until(lambda: self.updates > updates)
        self.until_quiet()
        assert bytes(self.pixels) == before, "the picture was not exact"


def memory_of(gate):
    """KB of gateway and workers that are their own."""
    children = subprocess.run(["ps", "--ppid", str(gate.process.pid), "-o", "pid="], capture_output=True, text=True).stdout.split()
    total = 0
    for pid in [str(gate.process.pid)] + children:
        with open("/proc/%s/status" % pid) as f:
            total += int(re.search(r"RssAnon:\s+(\d+)", f.read()).group(1))
    return total


class Pressure(unittest.TestCase):
    def setUp(self):
        self.script = "/tmp/puesto-pressure-worker-%d" % os.getpid()
        pattern_worker(self.script)
        self.gate = Gateway(worker=self.script)
        grant = {"session": "00000000-0000-0000-0000-000000000003", "desktop": DESKTOP, "user": "ana", "pool": "Demo", "epoch": 1, "grant": "x.y",
                 "policy": {"clipboard_in": True, "clipboard_out": True, "max_width": 8192, "max_height": 8192}}
        self.gate.broker.handlers["redeem"] = lambda m, send: grant
        self.gate.broker.handlers["auth"] = lambda m, send: {"login": "L", "user": "ana", "pool": "p"}
        self.gate.broker.handlers["connect"] = lambda m, send: grant

    def tearDown(self):
        text = self.gate.text()
        self.gate.close()
        os.unlink(self.script)
        self.assertNotIn("crashed", text)

    def rfb(self):
        viewer = FencedRfb(self.gate.vnc)
        viewer.until(lambda: viewer.updates > 5 and viewer.is_continuous)
        return viewer

    def stop(self, viewer):
        viewer.click(5, 5)
        viewer.until_quiet()
        viewer.assert_exact()

    def test_a_vnc_viewer_that_answers_no_fence_gets_little_more(self):
        viewer = self.rfb()
        viewer.is_silent = True
        before = viewer.taken, viewer.updates
        viewer.until_quiet()
        self.assertLess(viewer.taken - before[0], 1280 * 720 * 4)
        self.assertLess(viewer.updates - before[1], 64)
        viewer.is_silent = False
        updates = viewer.updates
        viewer.answer()
        viewer.until(lambda: viewer.updates > updates + 10)
        self.stop(viewer)

    def test_a_vnc_viewer_that_reads_nothing_costs_no_memory(self):
        viewer = self.rfb()
        before = memory_of(self.gate)
        for _ in range(3):
            viewer.ask(False)  # everything again, thrice: nobody reads it
        time.sleep(1)
        self.assertLess(memory_of(self.gate) - before, GROWTH_KB)
        updates = viewer.updates
        viewer.until(lambda: viewer.updates > updates + 10)
        self.stop(viewer)

    def test_sizes_from_one_pixel_to_the_largest_in_the_middle_of_frames(self):
        viewer = self.rfb()
        for size in ((1, 1), (8192, 8192), (37, 11), (8192, 1), (1, 8192), (1001, 701)):
            viewer.resize(*size)
            viewer.until(lambda: (viewer.width, viewer.height) == size, 60)
        updates = viewer.updates
        viewer.until(lambda: viewer.updates > updates + 10)
        self.stop(viewer)

    def test_a_browser_that_never_acknowledges_gets_little_more(self):
        ws = self.gate.websocket()
        frames, received, last = 0, 0, 0
        ws.recv()
        ws.send(struct.pack(">BHHHHIBH", 1, 1, 640, 360, 100, 0, 0, 4) + b"test")
        ws.conn.settimeout(1)
        before = memory_of(self.gate)
        with self.assertRaises(TimeoutError):
            while frames < 1000:
                data = ws.recv()[1]
                received += len(data)
                if data[0] & 0x7f == FRAME:
                    frames += 1
                    last = struct.unpack(">I", data[1:5])[0]
        self.assertLess(frames, 100)
        self.assertLess(received, 2 << 20)
        self.assertLess(memory_of(self.gate) - before, GROWTH_KB)
        for _ in range(5):  # it goes on where it stopped
            ws.send(struct.pack(">BII", 2, last, 1000))
            data = ws.recv()[1]
            while data[0] & 0x7f != FRAME:
                data = ws.recv()[1]
            last = struct.unpack(">I", data[1:5])[0]

    def test_a_browser_that_reads_nothing_costs_no_memory(self):
        ws = self.gate.websocket()
        ws.recv()
        ws.send(struct.pack(">BHHHHIBH", 1, 1, 1280, 720, 100, 0, 0, 4) + b"test")
        self.gate.broker.wait(lambda m: m.get("event") == "started")
        time.sleep(0.5)
        before = memory_of(self.gate)
        sequence = 0
        while sequence < 25:  # it says that it has seen what it did not read, and wants everything again
            sequence += 1
            try:
                ws.send(struct.pack(">BII", 2, 1, 0))
                ws.send(struct.pack(">BHHHH", 10, 0, 0, 1280, 720))
            except (ConnectionError, OSError):
                break
            time.sleep(0.05)
        self.assertLess(memory_of(self.gate) - before, GROWTH_KB)


if __name__ == "__main__":
    unittest.main(verbosity=1)
