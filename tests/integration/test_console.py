#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine's own screen through the real gate and worker: the broker gives a connection to an RFB server, and a browser sees it, acts on it, or may only look."""
import os
import socket
import struct
import threading
import unittest

from gate_harness import DESKTOP, Gateway, read_exactly, wait_until
from link_desk import agent_worker
from rfb_client import Rfb
from test_worker import END, FRAME, Viewer

CONSOLE = "00000000-0000-0000-0000-0000000002%02d"
WIDTH, HEIGHT = 320, 200
POINTER, KEY = 5, 4
PONG = 9


class Machine:
    """An RFB server of one picture: what it is sent is kept."""

    def __init__(self, is_far=False):
        if is_far:
            with socket.create_server(("127.0.0.1", 0)) as server:
                self.far = socket.create_connection(server.getsockname())
                self.socket, _ = server.accept()
        else:
            self.socket, self.far = socket.socketpair()
        self.asked, self.keys, self.pointers, self.sizes, self.is_over = 0, [], [], 0, False
        threading.Thread(target=self.serve, daemon=True).start()

    def read(self, form):
        return struct.unpack(">" + form, read_exactly(self.socket, struct.calcsize(">" + form)))

    def serve(self):
        try:
            self.greet()
            while True:
                self.message()
        except (EOFError, OSError):
            self.is_over = True
            self.socket.close()

    def greet(self):
        self.socket.sendall(b"RFB 003.008\n")
        assert read_exactly(self.socket, 12) == b"RFB 003.008\n"
        self.socket.sendall(b"\1\1")
        assert self.read("B") == (1,)
        self.socket.sendall(bytes(4))
        self.shares, = self.read("B")
        self.socket.sendall(struct.pack(">HH16sI", WIDTH, HEIGHT, bytes(16), 4) + b"BIOS")

    def message(self):
        kind, = self.read("B")
        if kind == 0:
            self.read("19s")
        elif kind == 2:
            self.read("%di" % self.read("xH"))
        elif kind == 3:
            self.read("B4H")
            self.asked += 1
            self.update()
        elif kind == KEY:
            self.keys.append(self.read("BxxI"))
        elif kind == POINTER:
            self.pointers.append(self.read("BHH"))
        else:
            raise AssertionError("message %d" % kind)

    def update(self):
        """All of it at first, and nothing afterwards."""
        if self.asked == 1:
            self.socket.sendall(struct.pack(">BxHHHHHi", 0, 1, 0, 0, WIDTH, HEIGHT, 0) + bytes((0x20, 0x40, 0x80, 0)) * (WIDTH * HEIGHT))


class Console(unittest.TestCase):
    def setUp(self):
        self.script = "/tmp/puesto-console-worker-%d" % os.getpid()
        agent_worker(self.script)
        self.gate = Gateway(worker=self.script)
        self.machines, self.is_view_only = [], False
        self.gate.broker.handlers["redeem"] = self.redeem
        self.addCleanup(self.end)

    def end(self):
        self.gate.close()
        os.unlink(self.script)

    def machine(self, is_far=False):
        self.machines.append(Machine(is_far))
        return self.machines[-1]

    def redeem(self, message, send):
        machine = self.machine()
        console = {"id": CONSOLE % len(self.machines), "desktop": DESKTOP, "user": "u", "name": "Rosa", "can_input": not self.is_view_only, "since": 7}
        return {"session": console["id"], "desktop": DESKTOP, "user": "rosa", "pool": "demo-1", "epoch": 0, "grant": "", "endpoint": {"kind": "rfb", "shared": True},
                "console": console, "fd": machine.far.fileno(),
                "policy": {"clipboard_in": True, "clipboard_out": True, "max_width": 4000, "max_height": 4000, "view_only": self.is_view_only}}

    def open(self):
        viewer = Viewer(self.gate)
        viewer.until(lambda k, b: k == FRAME)
        self.machines[-1].far.close()
        return viewer, self.machines[-1]

    def heard(self, event):
        return self.gate.broker.wait(lambda m: m["op"] == "console" and m["event"] == event, 10)

    def test_the_machine_s_screen_is_the_picture_and_takes_keys(self):
        viewer, machine = self.open()
        self.assertEqual(viewer.surface, (WIDTH, HEIGHT))
        self.assertEqual(self.heard("started")["console"]["name"], "Rosa")
        viewer.ws.send(struct.pack(">BBIH", 3, 1, 0xff1b, 1))
        viewer.ws.send(struct.pack(">BHHB", 5, 7, 8, 1))
        wait_until(lambda: machine.keys and machine.pointers)
        self.assertEqual((machine.keys, machine.pointers), ([(1, 0xff1b)], [(1, 7, 8)]))
        viewer.ws.send(struct.pack(">H", 1000), opcode=8)
        self.assertEqual(self.heard("ended")["code"], "client_left")
        wait_until(lambda: machine.is_over)
        self.assertEqual((machine.keys[-1], machine.shares), ((0, 0xff1b), 1), "no key stays down, and other clients stay")

    def test_a_vnc_viewer_s_desktop_may_be_such_a_screen(self):
        def connect(message, send):
            return {"session": CONSOLE % 50, "desktop": DESKTOP, "user": "ana", "pool": "demo", "epoch": 1, "grant": "", "endpoint": {"kind": "rfb"},
                    "policy": {"clipboard_in": True, "clipboard_out": True, "max_width": 4000, "max_height": 4000}, "fd": self.machine(is_far=True).far.fileno()}
        self.gate.broker.handlers["auth"] = lambda m, send: {"login": "l" * 43, "user": "ana", "pool": "p", "pool_name": "Demo"}
        self.gate.broker.handlers["connect"] = connect
        viewer = Rfb(self.gate.vnc)
        viewer.until(lambda: (viewer.width, viewer.height) == (WIDTH, HEIGHT) and bytes(viewer.pixels[:4]) == bytes((0x20, 0x40, 0x80, 0)))
        machine = self.machines[-1]
        machine.far.close()
        viewer.key(0x61)
        wait_until(lambda: machine.keys == [(1, 0x61), (0, 0x61)])
        started = self.gate.broker.wait(lambda m: m["op"] == "session" and m["event"] == "started", 10)
        self.assertEqual(started["session"], CONSOLE % 50, "a session as any other")
        viewer.sock.close()
        wait_until(lambda: machine.is_over)
        self.assertTrue(machine.shares == 0, "no other client of that server stays")

    def test_who_only_looks_does_nothing(self):
        self.is_view_only = True
        viewer, machine = self.open()
        viewer.ws.send(struct.pack(">BBIH", 3, 1, 0xff1b, 1))
        viewer.ws.send(struct.pack(">BHHB", 5, 7, 8, 1))
        viewer.ws.send(struct.pack(">BQ", 12, 1))
        viewer.until(lambda k, b: k == PONG)
        self.gate.broker.send({"op": "end", "session": CONSOLE % 1, "code": "ended", "reason_en": "That is enough.", "reason_es": "Basta."})
        self.heard("ended")
        wait_until(lambda: machine.is_over)
        self.assertEqual((machine.keys, machine.pointers), ([], []))

    def test_a_broker_that_comes_back_is_told_who_looks(self):
        viewer, machine = self.open()
        self.heard("started")
        self.gate.broker.seen.clear()
        self.gate.broker.stop()
        self.gate.broker.start()
        hello = self.gate.broker.wait(lambda m: m["op"] == "hello", 20)
        self.assertEqual((hello["sessions"], [c["id"] for c in hello["consoles"]]), ([], [CONSOLE % 1]))
        self.assertFalse(machine.is_over)

    def test_a_machine_that_ends_is_an_end_in_words(self):
        viewer, machine = self.open()
        machine.socket.shutdown(socket.SHUT_RDWR)
        said = viewer.until(lambda k, b: k == END).decode(errors="replace")
        self.assertIn("was the machine stopped or moved?", said)
        self.assertIn("¿Se ha apagado o movido la máquina?", said)
        self.assertEqual(self.heard("ended")["code"], "desktop_lost")


if __name__ == "__main__":
    unittest.main()
