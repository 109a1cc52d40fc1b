# SPDX-License-Identifier: GPL-3.0-or-later
"""The agents of desktops that draw whatever a test wants: the agent's end of the display link (docs/display-link.md), with a screen of the test's own in shared memory."""
import array
import mmap
import os
import socket
import struct
import threading
import time

from gate_harness import BUILD, read_exactly

HELLO, WELCOME, SURFACE, DAMAGE, CURSOR, READY = 1, 2, 3, 4, 5, 18
WIDTH, HEIGHT = 640, 360


def agent_worker(path):
    """Writes a script that is whichever worker it is asked for, with the agent's end of the link for its desktop."""
    with open(path, "w") as f:
        f.write("#!/bin/sh\nworker=%s/puesto-worker\n[ \"$2\" != rdp ] && [ \"$2\" != seat ] || worker=$worker-$2\nASAN_OPTIONS=detect_leaks=0 exec $worker \"$@\"\n" % BUILD)
    os.chmod(path, 0o755)


class Link:
    """One worker's desktop: everything is its damage, one report at a time, as the protocol wants."""

    def __init__(self, conn):
        self.conn, self.lock = conn, threading.RLock()
        self.serial = self.sequence = 0
        self.is_ready = self.is_dirty = self.is_over = False
        self.paints = 0
        self.map = None
        kind, data = self.receive()
        assert kind == HELLO, kind
        assert data[:4] == b"PSLK", data[:4]
        self.send(WELCOME, b"PSLK" + struct.pack("<HHH", 2, 8192, 8192))
        self.surface(WIDTH, HEIGHT)
        threading.Thread(target=self.serve, daemon=True).start()

    def receive(self):
        kind, _, zero, length = struct.unpack("<BBHI", read_exactly(self.conn, 8))
        assert zero == 0
        return kind, read_exactly(self.conn, length)

    def send(self, kind, data, flags=0, fd=None, length=None):
        frame = struct.pack("<BBHI", kind, flags, 0, len(data) if length is None else length) + data
        if fd is not None:
            self.conn.sendmsg([frame[:1]], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
            frame = frame[1:]
        self.conn.sendall(frame)

    def serve(self):
        try:
            while True:
                kind, data = self.receive()
                with self.lock:
                    if kind == READY and struct.unpack("<I", data)[0] == self.sequence:
                        self.is_ready = True
                        self.report()
        except (EOFError, OSError):
            self.is_over = True

    def report(self):
        if self.is_ready and self.is_dirty:
            self.damage()

    def damage(self):
        self.sequence += 1
        self.is_ready = self.is_dirty = False
        self.send(DAMAGE, struct.pack("<IHHHHH", self.sequence, 1, 0, 0, self.width, self.height))

    def surface(self, width, height, stride=0, offset=0, wrong=None):
        """A new screen, black and damaged. What is told wrong about it has its own value in the last."""
        fd = os.memfd_create("screen")
        with self.lock:
            self.width, self.height, self.stride, self.offset = width, height, stride or width * 4, offset
            size = offset + self.stride * height
            os.ftruncate(fd, size)
            self.map = mmap.mmap(fd, size)
            self.serial += 1
            told = {"stride": self.stride, "offset": offset, "size": size, "format": 1, **(wrong or {})}
            self.send(SURFACE, struct.pack("<IHHIIQQ", self.serial, width, height, told["stride"], told["format"], told["offset"], told["size"]),
                      1, None if told.get("fd") == "none" else fd)
            if not wrong:
                self.damage()
        os.close(fd)

    def paint(self, rows):
        """The whole screen; rows are width × height × 4 bytes."""
        with self.lock:
            if self.stride == self.width * 4:
                self.map[self.offset:] = rows
            else:
                for y in range(self.height):
                    at = self.offset + y * self.stride
                    self.map[at:at + self.width * 4] = rows[y * self.width * 4:(y + 1) * self.width * 4]
            self.is_dirty = True
            self.paints += 1
            self.report()

    def is_seen(self):
        """All that was painted has come to the worker's encoder."""
        with self.lock:
            return self.is_ready and not self.is_dirty

    def cursor(self, width, height, pixels, hot=(0, 0), length=None):
        with self.lock:
            self.send(CURSOR, struct.pack("<HHHH", width, height, *hot) + pixels, length=length)

    def flash(self, hertz, pictures, until):
        """Repaints everything, picture by picture, until the event."""
        due = time.monotonic()
        while not until.is_set() and not self.is_over:
            self.paint(pictures[self.paints % len(pictures)])
            due += 1 / hertz
            until.wait(max(due - time.monotonic(), 0))


class Desks:
    """Takes the workers of a gate in the order in which they come."""

    def __init__(self, gate):
        self.links, self.changed = [], threading.Condition()
        self.listener = gate.display
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                link = Link(self.listener.accept()[0])
                with self.changed:
                    self.links.append(link)
                    self.changed.notify_all()
        except OSError:
            pass

    def link(self, index, seconds=20):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.links) > index, seconds), "no worker came to the desktop"
            return self.links[index]
