#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine that speaks RDP through the real gate, its process for machines and its worker: a browser and a VNC viewer see it and act on it, whatever becomes of it.
Covers: protocol/seat.c protocol/gate/seat.c
"""
import os
import socket
import struct
import subprocess
import time
import unittest

from gate_harness import DESKTOP, Gateway, wait_until
from link_desk import agent_worker
from rdp_harness import Lines, free_port
from rfb_client import Rfb
from test_rdp_source import BUILD, TIER, certificate
from test_worker import END, FRAME, Viewer

SESSION = "00000000-0000-0000-0000-0000000003%02d"
WIDTH, HEIGHT = 640, 480


class Machine:
    """Our own front of RDP clients, as a machine: it says what comes to it."""

    def __init__(self, folder):
        self.port = free_port()
        key, cert, self.pin = certificate(folder)
        self.process = subprocess.Popen([BUILD + "/tests/integration/front_host", "--port", str(self.port), "--size", "%dx%d" % (WIDTH, HEIGHT), "--cert", cert,
                                         "--key", key], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.lines = Lines(self.process)
        self.lines.until("^listening")

    def dial(self):
        self.far = socket.create_connection(("127.0.0.1", self.port))
        return self.far

    def close(self):
        self.process.kill()
        self.process.wait(10)
        self.process.stdout.close()


class Seat(unittest.TestCase):
    def setUp(self):
        self.script = "/tmp/puesto-seat-worker-%d" % os.getpid()
        agent_worker(self.script)
        self.gate = Gateway(worker=self.script)
        self.addCleanup(self.end)
        self.machine = Machine(self.gate.dir)
        self.addCleanup(self.machine.close)
        self.account = {"login": "fixed", "user": "ana", "password": "secret", "fingerprint": self.machine.pin}
        self.sessions = 0
        for op in ("redeem", "connect"):
            self.gate.broker.handlers[op] = self.grant
        self.gate.broker.handlers["auth"] = lambda m, send: {"login": "l" * 43, "user": "ana", "pool": "p", "pool_name": "Demo"}

    def end(self):
        self.gate.close()
        os.unlink(self.script)

    def grant(self, message, send):
        self.sessions += 1
        return {"session": SESSION % self.sessions, "desktop": DESKTOP, "user": "ana", "pool": "demo", "epoch": 1, "grant": "", "endpoint": {"kind": "rdp"},
                "account": self.account, "fd": self.machine.dial().fileno(),
                "policy": {"clipboard_in": True, "clipboard_out": True, "max_width": 4000, "max_height": 4000}}

    def heard(self, event):
        return self.gate.broker.wait(lambda m: m["op"] == "session" and m["event"] == event, 20)

    def processes(self, name):
        """Of this gateway."""
        out = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True).stdout
        lines = [line.split(None, 2) for line in out.splitlines()]
        return [int(pid) for pid, parent, args in lines if int(parent) == self.gate.process.pid and args.startswith(BUILD + "/" + name)]

    def open(self):
        viewer = Viewer(self.gate, WIDTH, HEIGHT)
        viewer.until(lambda k, b: k == FRAME, 20)
        self.machine.far.close()
        return viewer

    def leave(self, viewer):
        viewer.ws.send(struct.pack(">H", 1000), opcode=8)
        self.assertEqual(self.heard("ended")["code"], "client_left")
        wait_until(lambda: not self.processes("puesto-worker-seat"))

    def test_a_browser_sees_it_and_acts_on_it(self):
        viewer = self.open()
        self.assertEqual(viewer.surface, (WIDTH, HEIGHT))
        self.heard("started")
        viewer.ws.send(struct.pack(">BBIH", 3, 1, 0xf1, 39))
        viewer.ws.send(struct.pack(">BBIH", 3, 0, 0xf1, 39))
        self.machine.lines.until("^text ñ$")
        viewer.ws.send(struct.pack(">BHHB", 5, 17, 18, 1))
        self.machine.lines.until("^pointer 17 18 1$")
        seat, = self.processes("puesto-worker-seat")
        self.check_sandbox(seat)
        self.leave(viewer)
        self.machine.lines.until("^closed")

    def check_sandbox(self, pid):
        """It is behind its list of system calls; the machine's is the one connection it has, and no other process has FreeRDP's client."""
        with open("/proc/%d/status" % pid) as f:
            self.assertIn("Seccomp:\t2", f.read())
        with open("/proc/%d/net/tcp" % pid) as f:
            inodes = {line.split()[9] for line in f.readlines()[1:]}
        fds = [os.readlink("/proc/%d/fd/%s" % (pid, fd)) for fd in os.listdir("/proc/%d/fd" % pid)]
        self.assertEqual(len({fd for fd in fds if fd.startswith("socket:") and fd[8:-1] in inodes}), 1)
        worker = next(p for p in self.processes("puesto-worker") if p != pid)
        with open("/proc/%d/maps" % worker) as f:
            self.assertNotIn("libfreerdp", f.read())

    def test_a_vnc_viewer_s_desktop_may_be_such_a_machine(self):
        viewer = Rfb(self.gate.vnc)
        viewer.until(lambda: (viewer.width, viewer.height) == (WIDTH, HEIGHT) and any(viewer.pixels))
        viewer.key(0x20ac)
        self.machine.lines.until("^text €$")
        viewer.sock.close()
        self.machine.far.close()
        self.heard("ended")
        wait_until(lambda: not self.processes("puesto-worker-seat"))

    def test_a_machine_that_dies_is_an_end_in_words(self):
        viewer = self.open()
        self.machine.process.kill()
        said = viewer.until(lambda k, b: k == END, 20).decode(errors="replace")
        self.assertIn("was the machine stopped or restarted?", said)
        self.assertIn("¿Se ha apagado o reiniciado la máquina?", said)
        self.assertEqual(self.heard("ended")["code"], "desktop_lost")

    def test_another_certificate_is_told_and_no_password_leaves(self):
        self.account["fingerprint"] = "ab" * 32
        viewer = Viewer(self.gate)
        said = viewer.until(lambda k, b: k == END, 20).decode(errors="replace")
        self.assertIn("its certificate is not the one that was noted for it", said)
        self.assertIn("Su certificado no es el que se anotó", said)
        self.assertFalse(any("login" in line for line in self.machine.lines.seen))

    def test_a_process_that_dies_ends_the_session_and_no_other(self):
        viewer = self.open()
        seat, = self.processes("puesto-worker-seat")
        os.kill(seat, 9)
        said = viewer.until(lambda k, b: k == END, 20).decode(errors="replace")
        self.assertIn("the process that shows the machine's screen ended", said)
        self.assertEqual(self.heard("ended")["code"], "desktop_lost")

    @unittest.skipIf(TIER < 2, "tier 2")
    def test_a_process_that_hangs_is_ended(self):
        viewer = self.open()
        seat, = self.processes("puesto-worker-seat")
        os.kill(seat, 19)
        start = time.monotonic()
        self.leave(viewer)
        self.assertLess(time.monotonic() - start, 15)


if __name__ == "__main__":
    unittest.main()
