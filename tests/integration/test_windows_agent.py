#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""puesto-agent.exe under Wine, with a real broker: seeded by a drive, enrolled by Schannel's TLS, ready when something answers as Remote Desktop does, whose
certificate it tells, sessions, orders, a broker that dies, a token that is used twice; and seeds of VMware and Hyper-V.
Covers: agent/windows/agent.c agent/windows/cert.c agent/windows/checkup.c agent/windows/compat.c agent/windows/digest.c agent/windows/disk.c
        agent/windows/guestinfo.c agent/windows/identity.c agent/windows/journal.c agent/windows/key.c agent/windows/key_csp.c agent/windows/kvp.c
        agent/windows/line.c agent/windows/occupancy.c agent/windows/orders.c agent/windows/probe.c agent/windows/process.c agent/windows/request.c agent/windows/schannel.c agent/windows/seeding.c agent/windows/service.c
        agent/windows/settings.c agent/windows/tls.c agent/windows/wide.c agent/windows/wts.c

Tier 2. Needs wine and mingw-w64; else it is skipped. Under Wine keys are RSA and TLS is 1.2: its Schannel has neither EC keys of programs nor 1.3."""
import base64
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import ssl
import struct
import subprocess
import tempfile
import threading
import unittest

import gate_harness
from broker_harness import SETUP, Broker, Link, Provisioner, eventually, log_in

BUILD = gate_harness.BUILD
TIER = int(os.environ.get("PUESTO_TIER", "1"))
EXE, SCRIPT_EXE = "agent/windows/puesto-agent.exe", "tests/integration/windows/puesto-agent-script.exe"
TOOLS_EXE = "tests/integration/windows/vmtoolsd.exe"
VMWARE, HYPER_V = r"HKLM\SOFTWARE\VMware, Inc.\VMware Tools", r"HKLM\SOFTWARE\Microsoft\Virtual Machine\External"
REQUEST = bytes.fromhex("030000130ee000000000000100080003000000")
CONFIRM = bytes.fromhex("030000130ed000001234000200080002000000")


def make_pki(hosts=("localhost",)):
    pki = tempfile.mkdtemp(prefix="puesto-pki-")
    subprocess.run([BUILD + "/base/puesto-pki", "init", pki, "--host", hosts[0]], check=True, stdout=subprocess.DEVNULL)
    return pki


class RemoteDesktop:
    """Answers as the first packet of an RDP server does, and with TLS; what came stands in `requests`."""

    def __init__(self, folder):
        cert, key = folder + "/rdp.crt", folder + "/rdp.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert, "-subj", "/CN=D17"], check=True,
                       stderr=subprocess.DEVNULL)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        with open(cert) as f:
            self.pin = hashlib.sha256(ssl.PEM_cert_to_DER_cert(f.read())).hexdigest()
        self.shaken = 0
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port, self.requests, self.answer = self.server.getsockname()[1], [], CONFIRM
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                conn, _ = self.server.accept()
            except OSError:
                return
            with conn:
                conn.settimeout(10)
                self.requests.append(conn.recv(100))
                conn.sendall(self.answer[:5])
                conn.sendall(self.answer[5:])
                try:
                    with self.context.wrap_socket(conn, server_side=True) as tls:
                        self.shaken += 1
                        tls.recv(1)
                except OSError:
                    pass

    def close(self):
        self.server.close()


class Windows:
    """A Wine prefix: the machine. Its drive E: is the seed's disk."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="puesto-wine-")
        self.env = dict(os.environ, WINEPREFIX=self.dir + "/prefix", WINEDEBUG="-all", DISPLAY="", HOME=self.dir,
                        WINEDLLOVERRIDES="winemenubuilder.exe,mscoree,mshtml=", PUESTO_SESSIONS="Z:" + (self.dir + "/sessions").replace("/", "\\"))
        self.data, self.agents = self.dir + "/data", []
        self.sessions()
        subprocess.run(["wine", "wineboot", "-i"], env=self.env, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=300)
        subprocess.run(["wineserver", "-k"], env=self.env, check=False) # drives are found when it starts
        os.mkdir(self.dir + "/cidata")
        with open(self.dir + "/cidata/.windows-label", "w") as f:
            f.write("CIDATA")
        os.symlink(self.dir + "/cidata", self.dir + "/prefix/dosdevices/e:")

    def seed(self, text):
        with open(self.dir + "/cidata/puesto.json", "w") as f:
            f.write(text)

    def settings(self, data=None, **fields):
        os.makedirs(data or self.data, exist_ok=True)
        with open((data or self.data) + "/settings.json", "w") as f:
            json.dump(fields, f)

    def sessions(self, *lines):
        with open(self.dir + "/sessions.new", "w") as f:
            f.writelines(line + "\n" for line in lines)
        os.rename(self.dir + "/sessions.new", self.dir + "/sessions")

    def orders(self):
        try:
            with open(self.dir + "/sessions.orders") as f:
                return f.read().splitlines()
        except FileNotFoundError:
            return []

    def run(self, *words, exe=EXE, timeout=120):
        """Into files: what Wine starts beside it would hold a pipe open."""
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            done = subprocess.run(["wine", BUILD + "/" + exe, *words], env=self.env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, timeout=timeout, check=False)
            out.seek(0)
            err.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())

    def start(self, exe=SCRIPT_EXE):
        agent = subprocess.Popen(["wine", BUILD + "/" + exe, "--data", "Z:" + self.data.replace("/", "\\"), "--console"], env=self.env,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.agents.append(agent)
        return agent

    def halt(self):
        for agent in self.agents:
            agent.terminate()
            agent.wait(30)
        self.agents = []

    def log(self, data=None):
        try:
            with open((data or self.data) + "/agent.log", encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def close(self):
        self.halt()
        subprocess.run(["wineserver", "-k"], env=self.env, check=False)
        subprocess.run(["wineserver", "-w"], env=self.env, check=False, timeout=60)
        shutil.rmtree(self.dir, ignore_errors=True)


class OneMachine(Provisioner):
    """Its one machine is that prefix; the picture comes by RDP."""

    def __init__(self, run, windows, broker_port, pki, rdp_port):
        self.windows, self.broker_port, self.pki, self.rdp_port = windows, broker_port, pki, rdp_port
        self.tokens, self.screens = [], []
        super().__init__(run)

    def answer(self, m):
        if m["op"] == "create" and self.machines and m["desktop"] not in self.machines:
            return {"error": {"code": "no_space", "title": "There is one machine only.", "status": 507, "retryable": True}}
        if m["op"] == "restart" and not m["refresh"]:
            eventually(lambda: any(o.startswith("shutdown ") for o in self.windows.orders()), 30)  # as a driver does, which waits for the guest
        if m["op"] == "console":
            self.asked = m
            ours, theirs = socket.socketpair()
            self.screens.append(ours)
            return {"kind": "rdp", "account": {}, "fd": theirs.detach()}
        answer = super().answer(m)
        answer.pop("uid", None)
        return answer

    def list(self):
        return [{k: v for k, v in m.items() if k != "uid"} for m in super().list()]

    def start(self, desktop, m):
        # Where a new one is, its hypervisor may not know yet.
        self.machines[desktop] = {"task": m["task"], "endpoint": {"kind": "rdp", "host": "127.0.0.1" if self.tokens else "", "port": self.rdp_port, "agent": True},
                                  "process": True}
        with open(self.pki + "/ca.pem") as f:
            seed = {"desktop": desktop, "hostname": "d17", "broker": "127.0.0.1:%d" % self.broker_port, "display": "0.0.0.0:5910", "ca": f.read(),
                    "locale": "es_ES", "layout": "es"}
        if m.get("enrol_token"):
            self.tokens.append((desktop, m["enrol_token"]))
            seed["token"] = m["enrol_token"]
        self.windows.seed(json.dumps(seed))
        self.windows.start()

    def stop(self, desktop):
        self.windows.halt()


def ask(port, pki, message):
    """One question to the broker's port for agents, by a client without a certificate."""
    context = ssl.create_default_context(cafile=pki + "/ca.pem")
    context.check_hostname = False
    with context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10)) as s:
        data = json.dumps({"id": 1, **message}).encode()
        s.sendall(struct.pack(">I", len(data)) + data)
        size = struct.unpack(">I", s.recv(4))[0]
        answer = b""
        while len(answer) < size:
            answer += s.recv(size - len(answer))
    return json.loads(answer)


def build():
    return subprocess.run(["make", "-C", BUILD, EXE, SCRIPT_EXE, TOOLS_EXE], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


@unittest.skipUnless(TIER >= 2, "tier 2")
@unittest.skipUnless(shutil.which("wine") and shutil.which("x86_64-w64-mingw32-gcc"), "missing: apt-get install wine64 gcc-mingw-w64-x86-64-win32")
class WindowsAgent(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        built = build()
        assert built.returncode == 0, built.stdout
        cls.pki, cls.windows, cls.rdp = make_pki(), Windows(), None
        cls.rdp = RemoteDesktop(cls.windows.dir)
        cls.port = gate_harness.free_port()
        files = "".join("%s = %s/%s\n" % (k, cls.pki, f) for k, f in (("ca", "ca.pem"), ("ca_key", "ca.key"), ("cert", "broker.pem"), ("key", "broker.key")))
        setup = dict(SETUP, pools=[dict(SETUP["pools"][0], min=1, max=1)])
        cls.broker = Broker(setup, config="[agents]\nlisten = 127.0.0.1:%d\ntls12 = yes\n%s" % (cls.port, files))
        cls.windows.settings(rdp_port=cls.rdp.port, key="rsa")
        cls.provisioner = OneMachine(cls.broker.dir + "/run", cls.windows, cls.port, cls.pki, cls.rdp.port)
        cls.begin()

    @classmethod
    def begin(cls):
        cls.gate = Link(cls.broker.dir + "/run/gateway.sock")
        cls.gate.call("hello", gateway="g", sessions=[], timeout=10)

    @classmethod
    def tearDownClass(cls):
        cls.gate.close()
        cls.provisioner.close()
        cls.broker.close()
        cls.windows.close()
        cls.rdp.close()
        shutil.rmtree(cls.pki)

    def rows(self, sql):
        db = sqlite3.connect("file:%s/db/puesto.db?mode=ro" % self.broker.dir, uri=True)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def ready(self):
        """The desktop, once its agent has said hello."""
        rows = eventually(lambda: self.rows("SELECT id FROM desktops WHERE lifecycle = 'live' AND agent = 'ready'"), 200)
        return rows[0][0]

    def until(self, look, seconds=30):
        try:
            return eventually(look, seconds)
        except AssertionError as e:
            raise AssertionError("%s; the agent's log ends with\n%s\nthe broker's with\n%s" % (e, self.windows.log()[-3000:], self.broker.text()[-2000:])) from None

    def logged(self, text, seconds=30):
        self.until(lambda: text in self.windows.log(), seconds)

    def work(self, user):
        """The user's session is there, and Windows says who it is."""
        session = log_in(self.gate, user)
        ticket = self.until(lambda: (lambda a: a[1] if a[0] == 200 else None)(session.call("POST", "me/pools/demo/connect", {"protocol": "web"})), 60)
        grant = self.gate.call("redeem", ticket=ticket["ticket"], protocol="ws", remote="10.0.0.5")
        self.assertEqual(grant["endpoint"], {"kind": "rdp"}, grant)
        self.assertEqual((self.provisioner.asked["user"], self.provisioner.asked["fingerprint"]), (True, self.rdp.pin))
        self.gate.send({"op": "session", "session": grant["session"], "event": "started"})
        self.windows.sessions("2 LAB\\%s active remote" % user)
        return grant

    def state(self):
        with open(self.windows.data + "/agent.json", encoding="utf-8") as f:
            return json.load(f)

    def test_a_desktop_s_life(self):
        desktop = self.ready()
        self.assertEqual(self.rdp.requests[0], REQUEST)
        self.assertGreaterEqual(self.rdp.shaken, 1)
        self.assertIn("certificate=" + self.rdp.pin, self.windows.log())
        self.assertIn("agent enrolled desktop=" + desktop, self.broker.text())
        self.assertFalse(os.path.exists(self.windows.data + "/enrol.json"))
        self.token_is_used_once(desktop)

        # A user comes, and is told something.
        grant = self.work("ana")
        self.logged("occupied user=ana account=LAB\\ana")
        self.until(lambda: self.rows("SELECT 1 FROM events WHERE kind = 'desktop.logon'"))
        self.assertEqual((self.state()["user"], self.state()["epoch"]), ("ana", grant["epoch"]))
        admin = log_in(self.gate, "admin")
        admin.want(202, "POST", "desktops/%s/message" % desktop, {"text": "hasta las seis"})
        self.until(lambda: "message 2 hasta las seis" in self.windows.orders())

        # A second one is logged off by the agent, whatever Windows let in.
        self.windows.sessions("2 LAB\\ana active remote", "3 LAB\\eva active remote")
        self.until(lambda: "logoff 3 " in self.windows.orders(), 40)
        self.windows.sessions("2 LAB\\ana active remote locked")
        self.logged("session 3: logoff account=LAB\\eva")
        self.logged("session 2: locked account=LAB\\ana")
        self.until(lambda: ("LAB\\ana",) in self.noted("locked"))
        self.assertIn(("LAB\\eva: logon",), self.noted("foreign"))
        self.until(lambda: ("LAB\\eva",) in self.noted("left"))

        self.broker_comes_back(desktop)

        # He is logged off; then the disk is new, and so is the agent's key.
        admin = log_in(self.gate, "admin")
        admin.call("POST", "desktops/%s/logoff" % desktop)
        self.until(lambda: "logoff 2 " in self.windows.orders(), 40)
        tokens = len(self.provisioner.tokens)
        self.windows.sessions()
        self.logged("log-off user=ana")
        self.until(lambda: len(self.provisioner.tokens) > tokens, 60)
        self.until(lambda: self.windows.log().count("enrolled desktop=") >= 2, 200)
        self.ready()
        self.assertEqual(self.state()["user"], "")

        # It is asked to shut down before it is restarted.
        self.assertFalse(any(o.startswith("shutdown ") for o in self.windows.orders()))
        begun = self.windows.log().count("begins desktop=")
        admin = log_in(self.gate, "admin")
        admin.want(202, "POST", "desktops/%s/restart" % desktop)
        self.until(lambda: self.windows.log().count("begins desktop=") > begun, 100)
        self.ready()

    def noted(self, word):
        return self.rows("SELECT json_extract(detail, '$.text') FROM events WHERE kind = 'desktop.%s'" % word)

    def token_is_used_once(self, desktop):
        csr = subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x"],
                             capture_output=True, text=True, check=True).stdout
        answer = ask(self.port, self.pki, {"op": "enrol", "desktop": desktop, "token": self.provisioner.tokens[-1][1], "csr": csr})
        self.assertEqual(answer["error"]["code"], "denied", answer)

    def broker_comes_back(self, desktop):
        """Killed, it is connected to again, with the certificate and without a token; whoever is in stays in."""
        enrolled, connected = (self.windows.log().count(w) for w in ("enrolled desktop=", "connected to the broker"))
        self.broker.kill()
        self.logged("the broker at 127.0.0.1 port %d: " % self.port)
        self.broker.start()
        self.provisioner.link.close()
        self.provisioner.connect()
        self.gate.close()
        self.begin()
        self.until(lambda: self.windows.log().count("connected to the broker") > connected, 60)
        self.assertEqual(self.ready(), desktop)
        self.assertEqual(self.windows.log().count("enrolled desktop="), enrolled)
        self.assertEqual(self.state()["user"], "ana")

    def test_another_authority_s_broker_is_not_spoken_to(self):
        other = make_pki()
        listener = subprocess.Popen(["openssl", "s_server", "-quiet", "-accept", "127.0.0.1:%d" % (port := gate_harness.free_port()), "-cert", other + "/broker.pem",
                                     "-key", other + "/broker.key"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        data = self.windows.dir + "/other"
        self.windows.settings(data, key="rsa")
        with open(self.pki + "/ca.pem") as f, open(data + "/seed.json", "w") as out:
            json.dump({"desktop": "6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d11", "hostname": "d18", "broker": "127.0.0.1:%d" % port, "ca": f.read(), "token": "secret-token"}, out)
        agent = subprocess.Popen(["wine", BUILD + "/" + SCRIPT_EXE, "--data", "Z:" + data.replace("/", "\\"), "--console"], env=self.windows.env,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            eventually(lambda: "is not of this installation's authority" in self.windows.log(data), 200)
        finally:
            agent.terminate()
            agent.wait(30)
            listener.terminate()
            heard = listener.communicate(timeout=10)[0]
            shutil.rmtree(other)
        self.assertNotIn(b"secret-token", heard)

    def test_the_program_by_hand(self):
        """The one that goes into images, with the seed of this machine's drive."""
        eventually(lambda: os.path.exists(self.windows.dir + "/cidata/puesto.json"), 60)
        data = self.windows.dir + "/hand"
        place = "Z:" + data.replace("/", "\\")
        self.assertEqual(self.windows.run("--version").stdout.strip(), "puesto-agent 0.1.0")
        self.assertEqual(self.windows.run("--nonsense").returncode, 2)
        with open(self.windows.dir + "/bad.json", "w") as f:
            f.write('{"desktop": "x"}')
        bad = self.windows.run("--data", place, "--seed", "Z:" + (self.windows.dir + "/bad.json").replace("/", "\\"))
        self.assertEqual(bad.returncode, 1)
        self.assertIn("the seed: desktop", bad.stderr)
        good = self.windows.run("--data", place, "--seed")
        self.assertEqual(good.returncode, 0, good.stderr)
        with open(data + "/place.json", encoding="utf-8") as f:
            self.assertEqual(json.load(f)["broker"], "127.0.0.1:%d" % self.port)
        self.assertEqual(self.windows.run("--data", place, "--forget").returncode, 0)
        self.assertEqual(os.listdir(data), [])


@unittest.skipUnless(TIER >= 2, "tier 2")
@unittest.skipUnless(shutil.which("wine") and shutil.which("x86_64-w64-mingw32-gcc"), "missing: apt-get install wine64 gcc-mingw-w64-x86-64-win32")
class Seeds(unittest.TestCase):
    """A machine without a drive CIDATA, on a hypervisor that gives seeds in another way."""

    @classmethod
    def setUpClass(cls):
        built = build()
        assert built.returncode == 0, built.stdout
        cls.windows = Windows()
        os.unlink(cls.windows.dir + "/prefix/dosdevices/e:")
        cls.tools = cls.windows.dir + "/VMware Tools"
        os.mkdir(cls.tools)
        shutil.copy(BUILD + "/" + TOOLS_EXE, cls.tools + "/vmtoolsd.exe")

    @classmethod
    def tearDownClass(cls):
        cls.windows.close()

    def reg(self, *words):
        with tempfile.TemporaryFile() as out:
            return subprocess.run(["wine", "reg", *words], env=self.windows.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, timeout=60, check=False).returncode

    def seed(self, name):
        return {"desktop": "6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d11", "hostname": name, "broker": "10.9.0.1:5911", "display": "0.0.0.0:5910", "token": "token-of-" + name,
                "ca": "-----BEGIN CERTIFICATE-----\nñ\n-----END CERTIFICATE-----\n", "locale": "es_ES", "layout": "es"}

    def apply(self, name):
        self.data = self.windows.dir + "/data-" + name
        return self.windows.run("--data", "Z:" + self.data.replace("/", "\\"), "--seed")

    def check(self, done, name):
        self.assertEqual(done.returncode, 0, done.stderr)
        seed = self.seed(name)
        for file, key in (("place.json", "broker"), ("enrol.json", "token")):
            with open(self.data + "/" + file, encoding="utf-8") as f:
                self.assertEqual(json.load(f), {"desktop": seed["desktop"], key: seed[key]})
        with open(self.data + "/ca.pem", encoding="utf-8") as f:
            self.assertEqual(f.read(), seed["ca"])

    def set(self, text):
        with open(self.tools + "/guestinfo.puesto.seed", "w") as f:
            f.write(text)

    def test_vmware_tools_are_asked_and_the_seed_is_emptied(self):
        self.assertEqual(self.reg("add", VMWARE, "/f", "/v", "InstallPath", "/d", "Z:" + self.tools.replace("/", "\\") + "\\"), 0)
        self.addCleanup(self.reg, "delete", VMWARE, "/f")
        for text, words in (("", "no seed is there"), ("{}", "no base64"), ("QQ==" * 30000, "too long"), (base64.b64encode(b'{"desktop":"x"}').decode(), "the seed: desktop")):
            self.set(text)
            done = self.apply("bad")
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)
        os.unlink(self.tools + "/asked")
        self.set(base64.b64encode(json.dumps(self.seed("vm1")).encode()).decode())
        self.check(self.apply("vm1"), "vm1")
        with open(self.tools + "/asked", encoding="ascii") as f:
            self.assertEqual(f.read().split("\n"), ["info-get guestinfo.puesto.seed", "info-set guestinfo.puesto.seed ", ""])
        self.assertEqual(os.path.getsize(self.tools + "/guestinfo.puesto.seed"), 0)
        with open(self.tools + "/hangs", "w"):
            pass
        self.addCleanup(os.unlink, self.tools + "/hangs")
        done = self.apply("hung")
        self.assertEqual(done.returncode, 1)
        self.assertIn("VMware: VMware Tools do not answer", done.stderr)

    def test_hyper_v_s_seed_is_in_the_registry_until_it_was_used(self):
        self.assertIn("no seed is there", self.apply("none").stderr)
        self.assertEqual(self.reg("add", HYPER_V, "/f", "/v", "org.puesto.seed", "/d", json.dumps(self.seed("hv1"), ensure_ascii=False)), 0)
        self.check(self.apply("hv1"), "hv1")
        self.assertNotEqual(self.reg("query", HYPER_V, "/v", "org.puesto.seed"), 0, "users of the machine could read it")
        self.assertEqual(self.reg("add", HYPER_V, "/f", "/v", "org.puesto.seed", "/d", "{}"), 0)
        self.addCleanup(self.reg, "delete", HYPER_V, "/f")
        self.assertIn("the seed: desktop", self.apply("bad").stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
