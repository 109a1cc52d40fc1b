#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""One machine's console by the sources `rfb` and `dbus`: the first picture, a typed key, and a screen that changes all the time. QEMU by translation; PUESTO_QEMU names it.
The machine runs a boot sector of ours. What is measured is from a viewer's start or key to the source's event, and the processor time of both sides.

Run: top_builddir=build python3 tests/bench/console_sources.py (after make tests/integration/dbus_look tests/integration/rfb_look)"""
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../integration"))
import test_dbus_source as machine
from test_rfb_source import LOOK as RFB_LOOK
from test_rfb_source import Look

ROUNDS, SECONDS = 15, 10
# 1024 × 768 × 32 (mode 118h of the card), its first 64 KB filled anew for ever.
BUSY = bytes.fromhex("b8024fbb1841cd10b800a08ec031ff89d8b9007ff3ab43ebf4")


def cpu(pid):
    with open("/proc/%d/stat" % pid) as f:
        words = f.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Bench(machine.Display):
    def runTest(self):
        pass

    def open(self, kind):
        if kind == "dbus":
            connection = machine.dial(self.qmp)
            look = Look(str(connection.fileno()), program=machine.LOOK, fds=[connection.fileno()])
            connection.close()
            return look
        return Look(self.folder + "/vnc", program=RFB_LOOK)

    def begin(self, code):
        self.machine("-vga", "std", "-vnc", "unix:" + self.folder + "/vnc", code=code)
        self.until_drawn()

    def first(self, kind):
        times = []
        for _ in range(ROUNDS):
            began = time.monotonic()
            look = self.open(kind)
            look.until("surface")
            times.append((time.monotonic() - began) * 1000)
            look.close()
        return times

    def keys(self, kind):
        look, times = self.open(kind), []
        look.until("surface")
        time.sleep(1)
        for _ in range(ROUNDS):
            while not look.lines.empty():
                look.lines.get()
            began = time.monotonic()
            look.process.stdin.write("type a\n")
            look.until("damage")
            times.append((time.monotonic() - began) * 1000)
            time.sleep(0.3)
        look.close()
        return times

    def busy(self, kind):
        look = self.open(kind)
        look.until("surface")
        time.sleep(1)
        while not look.lines.empty():
            look.lines.get()
        before = cpu(look.process.pid), cpu(self.process.pid)
        time.sleep(SECONDS)
        after = cpu(look.process.pid), cpu(self.process.pid)
        look.close()
        return look.lines.qsize() / SECONDS, (after[0] - before[0]) / SECONDS * 100, (after[1] - before[1]) / SECONDS * 100


def main():
    bench = Bench()
    bench.setUp()
    try:
        bench.begin(machine.TYPES)
        for kind in "rfb", "dbus":
            first, keys = bench.first(kind), bench.keys(kind)
            print("%-4s first picture %.0f ms (median of %d, worst %.0f), a typed key %.0f ms (worst %.0f)" % (
                kind, statistics.median(first), ROUNDS, max(first), statistics.median(keys), max(keys)))
        bench.process.terminate()
        bench.process.wait()
        bench.begin(BUSY)
        for kind in "rfb", "dbus":
            print("%-4s a screen that changes all the time: %.0f events a second, source %.1f %% of a processor, QEMU %.0f %%" % (kind, *bench.busy(kind)))
    finally:
        bench.doCleanups()


if __name__ == "__main__":
    main()
