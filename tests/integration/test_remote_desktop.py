#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A desktop on another host: a real agent and Xvfb in a network of their own, reached by TLS through a real broker, gateway and worker.
Covers: agent/dial.c

Needs root (for the network namespace), Xvfb, xclip and ip; else it is skipped."""
import ctypes
import json
import os
import random
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import unittest

import gate_harness
from broker_harness import Broker, Provisioner, eventually
from test_gateway import Person

BUILD = gate_harness.BUILD
HERE, THERE, PORT = "10.231.77.1", "10.231.77.2", 5910
DISPLAY = ":161"
SIZE = (640, 400)


def run(*words, **kw):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw).stdout


class Network:
    """A host of its own at the other end of a cable."""

    def __init__(self):
        self.name = "puesto-%d" % os.getpid()
        run("ip", "netns", "add", self.name)
        run("ip", "link", "add", "pst%d" % os.getpid(), "type", "veth", "peer", "name", "eth0", "netns", self.name)
        run("ip", "addr", "add", HERE + "/30", "dev", "pst%d" % os.getpid())
        run("ip", "link", "set", "pst%d" % os.getpid(), "up")
        for words in (("addr", "add", THERE + "/30", "dev", "eth0"), ("link", "set", "eth0", "up"), ("link", "set", "lo", "up")):
            run("ip", "-n", self.name, *words)

    def start(self, *words, **kw):
        return subprocess.Popen(("ip", "netns", "exec", self.name) + words, **kw)

    def close(self):
        subprocess.run(["ip", "netns", "del", self.name], check=False)
        subprocess.run(["ip", "link", "del", "pst%d" % os.getpid()], check=False, stderr=subprocess.DEVNULL)


class Host:
    """The machine: a disk with the agent's folder, an X server, the agent."""

    def __init__(self, network, pki, broker_port):
        self.network, self.pki, self.broker_port = network, pki, broker_port
        self.run = tempfile.mkdtemp(prefix="puesto-remote-")
        self.log = open(self.run + "/log", "w+")
        self.x = network.start("Xvfb", DISPLAY, "-screen", "0", "%dx%dx24" % SIZE, "-noreset", "-nolisten", "tcp", stderr=subprocess.DEVNULL)
        eventually(lambda: os.path.exists("/tmp/.X11-unix/X" + DISPLAY[1:]))
        self.agent = None

    def enrol(self, desktop, token):
        with open(self.run + "/enrol.json", "w") as f:
            json.dump({"desktop": desktop, "token": token}, f)

    def boot(self, ca=None):
        self.agent = self.network.start(BUILD + "/puesto-agent", "--set", "agent.run=" + self.run, "--set", "agent.display=" + DISPLAY,
                                        "--set", "agent.broker_tls=%s:%d" % (HERE, self.broker_port), "--set", "agent.display_tls=%s:%d" % (THERE, PORT),
                                        "--set", "agent.ca=" + (ca or self.pki + "/ca.pem"), stderr=self.log)

    def halt(self):
        if self.agent:
            self.agent.terminate()
            self.agent.wait(15)
            self.agent = None

    def text(self):
        with open(self.log.name) as f:
            return f.read()

    def close(self):
        self.halt()
        self.x.terminate()
        self.x.wait(10)
        self.log.close()
        shutil.rmtree(self.run)


class RemoteProvisioner(Provisioner):
    """Its one machine is that host."""

    def __init__(self, run_dir, host):
        self.host, self.tokens = host, []
        super().__init__(run_dir)

    def answer(self, m):
        if m["op"] == "create" and self.machines and m["desktop"] not in self.machines:
            return {"error": {"code": "no_space", "title": "There is one machine only.", "status": 507, "retryable": True}}
        answer = super().answer(m)
        answer.pop("uid", None)
        return answer

    def start(self, desktop, m):
        self.machines[desktop] = {"task": m["task"], "endpoint": {"kind": "tls", "host": THERE, "port": PORT}}
        if m.get("enrol_token"):
            self.tokens.append((desktop, m["enrol_token"]))
            self.host.enrol(desktop, m["enrol_token"])
        self.host.boot()

    def stop(self, desktop):
        self.host.halt()


class Screen:
    """What the X server itself shows, by Xlib."""

    def __init__(self):
        self.x = ctypes.CDLL("libX11.so.6")
        for name in ("XOpenDisplay", "XGetImage", "XDefaultGC"):
            getattr(self.x, name).restype = ctypes.c_void_p
        self.dpy = ctypes.c_void_p(self.x.XOpenDisplay(DISPLAY.encode()))
        self.root = self.x.XDefaultRootWindow(self.dpy)
        self.gc = ctypes.c_void_p(self.x.XDefaultGC(self.dpy, 0))

    def paint(self, seed):
        dice = random.Random(seed)
        for _ in range(200):
            self.x.XSetForeground(self.dpy, self.gc, ctypes.c_ulong(dice.getrandbits(24)))
            self.x.XFillRectangle(self.dpy, self.root, self.gc, dice.randrange(SIZE[0]), dice.randrange(SIZE[1]), dice.randrange(1, 90), dice.randrange(1, 90))
        self.x.XSync(self.dpy, 0)

    def pixels(self):
        out = subprocess.run(["xwd", "-root", "-silent", "-display", DISPLAY], capture_output=True, check=True).stdout
        head = struct.unpack(">25I", out[:100])
        stride, data = head[12], out[head[0] + 12 * head[19]:]
        return b"".join(b"".join(data[y * stride + 4 * x:y * stride + 4 * x + 3] for x in range(head[4])) for y in range(head[5]))

    def pointer(self):
        v = [ctypes.c_int() for _ in range(7)]
        self.x.XQueryPointer(self.dpy, ctypes.c_ulong(self.root), *[ctypes.byref(i) for i in v])
        return v[2].value, v[3].value

    def keys(self):
        state = ctypes.create_string_buffer(32)
        self.x.XQueryKeymap(self.dpy, state)
        return sum(bin(b).count("1") for b in state.raw)


class RawViewer:
    """RFB over a WebSocket in the one encoding that loses nothing and hides nothing."""

    def __init__(self, gate, ticket):
        self.ws = gate.websocket(ticket=None, protocols=("binary",), query="?ticket=" + ticket)
        assert self.ws.status == 101, self.ws.status
        self.ws.conn.settimeout(30)
        self.buffer = b""
        self.take(12)
        self.send(b"RFB 003.008\n")
        assert self.take(self.take(1)[0]) == b"\x01"
        self.send(b"\x01")
        assert self.take(4) == bytes(4)
        self.send(b"\x01")
        self.width, self.height = struct.unpack(">HH", self.take(4))
        self.take(16)
        self.take(struct.unpack(">I", self.take(4))[0])
        self.send(struct.pack(">BxxxBBBBHHHBBBxxx", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        self.send(struct.pack(">BxHii", 2, 2, 0, -223))
        self.screen, self.clipboard = bytearray(), None
        self.resize(self.width, self.height)

    def send(self, data):
        self.ws.send(data)

    def take(self, n):
        while len(self.buffer) < n:
            opcode, data = self.ws.recv()
            if opcode == 8:
                raise EOFError(data[2:].decode())
            self.buffer += data if opcode == 2 else b""
        data, self.buffer = self.buffer[:n], self.buffer[n:]
        return data

    def resize(self, width, height):
        self.width, self.height = width, height
        self.screen = bytearray(3 * width * height)

    def rectangle(self):
        x, y, w, h, encoding = struct.unpack(">HHHHi", self.take(12))
        if encoding == -223:
            self.resize(w, h)
            return
        assert encoding == 0, encoding
        data = self.take(4 * w * h)
        for row in range(h):
            line = data[4 * w * row:4 * w * (row + 1)]
            packed = bytearray(3 * w)
            for c in range(3):
                packed[c::3] = line[c::4]
            at = 3 * ((y + row) * self.width + x)
            self.screen[at:at + 3 * w] = packed

    def step(self, incremental=True):
        self.send(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))
        while True:
            kind = self.take(1)[0]
            if kind == 0:
                for _ in range(struct.unpack(">xH", self.take(3))[0]):
                    self.rectangle()
                return
            if kind == 3:
                self.clipboard = self.take(struct.unpack(">xxxI", self.take(7))[0])
            else:
                assert kind == 2, kind


class Remote(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pki = tempfile.mkdtemp(prefix="puesto-pki-")
        run(BUILD + "/base/puesto-pki", "init", cls.pki, "--host", "localhost")
        cls.network = Network()
        cls.port = gate_harness.free_port()
        files = "".join("%s = %s/%s\n" % (k, cls.pki, f) for k, f in (("ca", "ca.pem"), ("ca_key", "ca.key"), ("cert", "broker.pem"), ("key", "broker.key")))
        cls.broker = Broker(config="[agents]\nlisten = %s:%d\n%s" % (HERE, cls.port, files))
        cls.host = Host(cls.network, cls.pki, cls.port)
        cls.provisioner = RemoteProvisioner(cls.broker.dir + "/run", cls.host)
        link = "[link]\npath = %s/puesto-link\nnetworks = 10.231.77.0/30\nca = %s/ca.pem\ncert = %s/gateway.pem\nkey = %s/gateway.key\n" % (
            BUILD, cls.pki, cls.pki, cls.pki)
        cls.gate = gate_harness.Gateway(worker=BUILD + "/puesto-worker", broker_socket=cls.broker.dir + "/run/gateway.sock", more=link)

    @classmethod
    def tearDownClass(cls):
        cls.gate.close()
        cls.provisioner.close()
        cls.host.close()
        cls.broker.close()
        cls.network.close()
        shutil.rmtree(cls.pki)

    def ticket(self):
        ana = Person(self.gate, "ana")
        pool = ana.call("GET", "me/pools")[1]["items"][0]["id"]
        answer = eventually(lambda: (lambda a: a[1] if a[0] == 200 else None)(ana.call("POST", "me/pools/%s/connect" % pool, {"protocol": "novnc"})), 60)
        return answer["ticket"]

    def viewer(self):
        return RawViewer(self.gate, self.ticket())

    def test_picture_input_and_clipboard_cross_the_network(self):
        screen = Screen()
        screen.paint(1)
        viewer = self.viewer()
        viewer.step(incremental=False)
        for seed in (2, 3):
            screen.paint(seed)
            want = screen.pixels()
            eventually(lambda: viewer.step() or bytes(viewer.screen) == want, 20)
        viewer.send(struct.pack(">BBHH", 5, 0, 123, 45))
        eventually(lambda: screen.pointer() == (123, 45))
        viewer.send(struct.pack(">BBxxI", 4, 1, ord("a")))
        eventually(lambda: screen.keys() == 1)
        viewer.send(struct.pack(">BBxxI", 4, 0, ord("a")))
        eventually(lambda: screen.keys() == 0)
        text = b"from here to there"
        viewer.send(struct.pack(">BxxxI", 6, len(text)) + text)
        eventually(lambda: subprocess.run(["xclip", "-o", "-selection", "clipboard", "-display", DISPLAY], capture_output=True, check=False).stdout == text)
        viewer.ws.conn.close()

    def test_the_agent_comes_back_with_its_certificate(self):
        self.viewer().ws.conn.close()
        before = open(self.host.run + "/tls.pem").read()
        eventually(lambda: not os.path.exists(self.host.run + "/enrol.json"))
        self.assertEqual(os.stat(self.host.run + "/tls.key").st_mode & 0o777, 0o600)
        self.host.halt()
        self.host.boot()
        viewer = eventually(self.try_viewer, 40)
        viewer.step(incremental=False)
        self.assertEqual(open(self.host.run + "/tls.pem").read(), before)
        viewer.ws.conn.close()

    def try_viewer(self):
        try:
            return self.viewer()
        except (EOFError, AssertionError):
            return None

    # ---- who is not who he should be ----

    def pair(self, name, uri, ca=None, days="30", usage="clientAuth,serverAuth"):
        """A certificate made by openssl below the authority in ca."""
        ca, base = ca or self.pki, os.path.join(self.pki, name)
        run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", base + ".key", "-out", base + ".csr", "-subj", "/CN=x")
        with open(base + ".ext", "w") as f:
            f.write("subjectAltName=URI:%s\nextendedKeyUsage=%s\n" % (uri, usage))
        run("openssl", "x509", "-req", "-in", base + ".csr", "-CA", ca + "/ca.pem", "-CAkey", ca + "/ca.key", "-CAcreateserial", "-days", days,
            "-extfile", base + ".ext", "-out", base + ".pem")
        return base

    def dial(self, address, port, base=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(self.pki + "/ca.pem")
        if base:
            context.load_cert_chain(base + ".pem", base + ".key")
        conn = context.wrap_socket(socket.create_connection((address, port), 10))
        conn.settimeout(10)
        return conn

    def is_refused(self, address, port, base):
        try:
            conn = self.dial(address, port, base)
            conn.sendall(struct.pack(">I", 2) + b"{}")
            return conn.recv(100) == b""
        except (ConnectionError, ssl.SSLError):
            return True

    def told(self, text, where):
        eventually(lambda: text in where(), 10)

    def ready(self):
        self.viewer().ws.conn.close()
        return self.provisioner.tokens[-1]

    def test_strangers_at_the_agents_port(self):
        desktop, _ = self.ready()
        other = tempfile.mkdtemp(prefix="puesto-pki-")
        run(BUILD + "/base/puesto-pki", "init", other, "--host", "localhost")
        cases = [(None, "it showed no certificate"), (self.pair("of-agent", "puesto:agent:" + desktop), "its certificate is of puesto:agent:"),
                 (other + "/gateway", "its certificate: "), (self.pair("old", "puesto:gateway:main", days="-1"), "its certificate: "),
                 (self.pair("server-only", "puesto:gateway:main", usage="serverAuth"), "its certificate: ")]
        for base, words in cases:
            before = self.host.text().count(words)
            # Lines about strangers are rationed, so one that is refused at once may go without.
            eventually(lambda: self.assertTrue(self.is_refused(THERE, PORT, base), base) or self.host.text().count(words) > before, 10)
        shutil.rmtree(other)
        self.viewer().ws.conn.close()

    def test_strangers_at_the_brokers_port(self):
        desktop, token = self.ready()
        other = "99999999-0000-4000-8000-000000000000"
        conn = BrokerLink(self.dial(HERE, self.port))
        csr = open(self.pair("ask", "x:y") + ".csr").read()
        self.assertIn("used before", conn.call("enrol", desktop=desktop, token=token, csr=csr)["error"]["title"])
        self.assertIn("no such desktop", conn.call("enrol", desktop=other, token=token, csr=csr)["error"]["title"])
        self.assertIn("certificate request", conn.call("enrol", desktop=desktop, token=token, csr="nonsense")["error"]["title"])
        hello = {"desktop": desktop, "boot": other, "epoch": 0, "occupied": False, "user": None}
        self.assertIn("must enrol", conn.call("hello", **hello)["error"]["title"])
        conn.close()
        conn = BrokerLink(self.dial(HERE, self.port, self.pair("another", "puesto:agent:" + other)))
        self.assertIn("its certificate is of desktop " + other, conn.call("hello", **hello)["error"]["title"])
        self.assertIn("error", conn.call("renew", csr=csr))
        conn.close()
        # Signed by the right authority for the right desktop, but not the one that its present disk enrolled.
        conn = BrokerLink(self.dial(HERE, self.port, self.pair("earlier", "puesto:agent:" + desktop)))
        self.assertIn("earlier disk", conn.call("hello", **hello)["error"]["title"])
        conn.close()
        self.assertTrue(self.is_refused(HERE, self.port, self.pki + "/gateway"))
        self.told("its certificate is of puesto:gateway:main", self.broker.text)

    def test_renewal(self):
        desktop, _ = self.ready()
        base = os.path.join(self.pki, "mine")
        for ending in ("pem", "key"):
            shutil.copy("%s/tls.%s" % (self.host.run, ending), base + "." + ending)
        with open(self.pair("ask", "puesto:gateway:evil") + ".csr") as f:
            csr = f.read()
        # The agent would come back and take the desktop's connection from us.
        self.host.agent.send_signal(signal.SIGSTOP)
        try:
            conn = BrokerLink(self.dial(HERE, self.port, base))
            self.assertNotIn("error", conn.call("hello", desktop=desktop, boot=desktop, epoch=0, occupied=False, user=None))
            new = conn.call("renew", csr=csr)["cert"]
        finally:
            self.host.agent.send_signal(signal.SIGCONT)
        with open(base + ".new", "w") as f:
            f.write(new)
        text = run("openssl", "x509", "-in", base + ".new", "-noout", "-text")
        self.assertIn("URI:puesto:agent:" + desktop, text)
        self.assertNotIn("evil", text)
        conn.close()
        eventually(self.try_viewer, 40).ws.conn.close()

    def test_plain_bytes_and_silence(self):
        self.ready()
        for address, port, pid, where in ((HERE, self.port, self.broker.process.pid, self.broker.text), (THERE, PORT, self.host.agent.pid, self.host.text)):
            fds = len(os.listdir("/proc/%d/fd" % pid))
            dice, conns = random.Random(5), []
            for data in (b"GET / HTTP/1.1\r\n\r\n", b"PSLK" + bytes(60), dice.randbytes(3000), b"\x16\x03\x01\xff\xff" + dice.randbytes(3000), b"\0" * 64):
                s = socket.create_connection((address, port), 10)
                s.settimeout(20)
                s.sendall(data)
                try:
                    while s.recv(1000):
                        pass
                except ConnectionError:
                    pass
                s.close()
            self.told("TLS connection refused", where)
            eventually(lambda: conns.append(socket.create_connection((address, port), 10)) or "of this address" in where(), 20)
            for s in conns:
                s.close()
            eventually(lambda: len(os.listdir("/proc/%d/fd" % pid)) <= fds + 1)
        self.viewer().ws.conn.close()

    def test_an_agent_that_does_not_answer_is_told_to_the_viewer(self):
        viewer = None
        ticket = self.ticket()
        self.host.agent.send_signal(signal.SIGSTOP)
        try:
            viewer = RawViewer(self.gate, ticket)
            words = "the desktop's agent at %s cannot be reached: it did not answer in time" % THERE
            admin = Person(self.gate, "admin")
            # The viewer sees a page with these words, and may close it; the session is over already.
            eventually(lambda: [s for s in admin.call("GET", "sessions")[1]["items"] if s["state"] == "ended" and words in json.dumps(s)], 40)
        finally:
            self.host.agent.send_signal(signal.SIGCONT)
            if viewer:
                viewer.ws.conn.close()
        eventually(self.try_viewer, 40).ws.conn.close()


class BrokerLink:
    """A control connection over TLS; one thread only, since a TLS session has no two at a time."""

    def __init__(self, conn):
        self.socket, self.stream, self.next = conn, conn.makefile("rb"), 0

    def call(self, op, **fields):
        self.next += 1
        data = json.dumps({"op": op, "id": self.next, **fields}).encode()
        self.socket.sendall(struct.pack(">I", len(data)) + data)
        while True:
            head = self.stream.read(4)
            if len(head) < 4:
                raise EOFError("the broker closed the connection")
            answer = json.loads(self.stream.read(struct.unpack(">I", head)[0]))
            if answer.get("re") == self.next:
                return answer

    def close(self):
        self.stream.close()
        self.socket.close()


if __name__ == "__main__":
    if os.geteuid() != 0 or not all(shutil.which(w) for w in ("Xvfb", "ip", "xclip", "xwd", "openssl")):
        print("skipped: needs root, Xvfb, xclip, xwd, openssl and ip")
        sys.exit(77)
    unittest.main(verbosity=1)
