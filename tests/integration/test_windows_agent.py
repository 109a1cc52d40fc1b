#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""puesto-agent.exe under Wine, with a real broker: seeded by a drive, enrolled by Schannel's TLS, ready when something answers as Remote Desktop does, sessions,
orders, a broker that dies, a token that is used twice.
Covers: agent/windows/agent.c agent/windows/cert.c agent/windows/checkup.c agent/windows/compat.c agent/windows/digest.c agent/windows/disk.c
        agent/windows/identity.c agent/windows/journal.c agent/windows/key.c agent/windows/key_csp.c agent/windows/line.c agent/windows/occupancy.c
        agent/windows/orders.c agent/windows/probe.c agent/windows/request.c agent/windows/schannel.c agent/windows/seeding.c agent/windows/service.c
        agent/windows/settings.c agent/windows/tls.c agent/windows/wide.c agent/windows/wts.c

Tier 2. Needs wine and mingw-w64; else it is skipped. Under Wine keys are RSA and TLS is 1.2: its Schannel has neither EC keys of programs nor 1.3."""
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

import gate_harness
from broker_harness import SETUP, Broker, Link, Provisioner, eventually, log_in

BUILD = gate_harness.BUILD
TIER = int(os.environ.get("PUESTO_TIER", "1"))
EXE, SCRIPT_EXE = "agent/windows/puesto-agent.exe", "tests/integration/windows/puesto-agent-script.exe"
REQUEST = bytes.fromhex("030000130ee000000000000100080003000000")
CONFIRM = bytes.fromhex("030000130ed000001234000200080002000000")


def make_pki(hosts=("localhost",)):
    pki = tempfile.mkdtemp(prefix="puesto-pki-")
    subprocess.run([BUILD + "/base/puesto-pki", "init", pki, "--host", hosts[0]], check=True, stdout=subprocess.DEVNULL)
    return pki


class RemoteDesktop:
    """Answers as the first packet of an RDP server does; what came stands in `requests`."""

    def __init__(self):
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
                conn.recv(1)

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

    def settings(self, **fields):
        os.makedirs(self.data, exist_ok=True)
        with open(self.data + "/settings.json", "w") as f:
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
        return subprocess.run(["wine", BUILD + "/" + exe, *words], env=self.env, capture_output=True, text=True, timeout=timeout, check=False)

    def start(self, exe=SCRIPT_EXE):
        agent = subprocess.Popen(["wine", BUILD + "/" + exe, "--data", "Z:" + self.data.replace("/", "\\"), "--console"], env=self.env,
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.dir + "/stderr", "a"))
        self.agents.append(agent)
        return agent

    def halt(self):
        for agent in self.agents:
            agent.terminate()
            agent.wait(30)
        self.agents = []

    def log(self):
        try:
            with open(self.data + "/agent.log", encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def close(self):
        self.halt()
        subprocess.run(["wineserver", "-k"], env=self.env, check=False)
        subprocess.run(["wineserver", "-w"], env=self.env, check=False, timeout=60)
        if os.environ.get("KEEP"):
            print(self.log(), open(self.dir + "/stderr").read())
        shutil.rmtree(self.dir, ignore_errors=True)


class OneMachine(Provisioner):
    """Its one machine is that prefix; the picture comes by RDP."""

    def __init__(self, run, windows, broker_port, pki, rdp_port):
        self.windows, self.broker_port, self.pki, self.rdp_port, self.tokens = windows, broker_port, pki, rdp_port, []
        super().__init__(run)

    def answer(self, m):
        if m["op"] == "create" and self.machines and m["desktop"] not in self.machines:
            return {"error": {"code": "no_space", "title": "There is one machine only.", "status": 507, "retryable": True}}
        answer = super().answer(m)
        answer.pop("uid", None)
        return answer

    def list(self):
        return [{k: v for k, v in m.items() if k != "uid"} for m in super().list()]

    def start(self, desktop, m):
        self.machines[desktop] = {"task": m["task"], "endpoint": {"kind": "rdp", "host": "127.0.0.1", "port": self.rdp_port, "agent": True},
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


@unittest.skipUnless(TIER >= 2, "tier 2")
@unittest.skipUnless(shutil.which("wine") and os.path.exists(BUILD + "/" + EXE), "wine or puesto-agent.exe is missing: apt-get install wine64 gcc-mingw-w64-x86-64-win32")
class WindowsAgent(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pki, cls.windows, cls.rdp = make_pki(), Windows(), RemoteDesktop()
        cls.port = gate_harness.free_port()
        files = "".join("%s = %s/%s\n" % (k, cls.pki, f) for k, f in (("ca", "ca.pem"), ("ca_key", "ca.key"), ("cert", "broker.pem"), ("key", "broker.key")))
        cls.broker = Broker(config="[agents]\nlisten = 127.0.0.1:%d\ntls12 = yes\n%s" % (cls.port, files))
        cls.windows.settings(rdp_port=cls.rdp.port, key="rsa")
        cls.provisioner = OneMachine(cls.broker.dir + "/run", cls.windows, cls.port, cls.pki, cls.rdp.port)
        cls.gate = Link(cls.broker.dir + "/run/gateway.sock")
        cls.gate.call("hello", gateway="g", sessions=[], timeout=10)

    @classmethod
    def tearDownClass(cls):
        cls.gate.close()
        cls.provisioner.close()
        if os.environ.get("KEEP"):
            print(cls.broker.text()[-3000:])
        cls.broker.close()
        cls.windows.close()
        cls.rdp.close()
        shutil.rmtree(cls.pki)

    def test_life(self):
        eventually(lambda: "enrolled desktop=" in self.windows.log(), 60)


if __name__ == "__main__":
    unittest.main(verbosity=2)
