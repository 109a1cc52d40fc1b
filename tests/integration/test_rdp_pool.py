#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that speak RDP as desktops, with everything real: broker, provisioner ("hosts"), gateway, an X display that FreeRDP's shadow server or xrdp shows,
and as viewers noVNC's protocol, xfreerdp3 and TigerVNC's. What they show is compared with the machine's own X screen.

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_rdp_pool.py"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import gate_harness
from broker_harness import PASSWORDS, SETUP, Broker, eventually
from link_desk import agent_worker
from rdp_harness import Display, free_port
from test_gateway import Person
from test_rdp_source import certificate, fingerprint
from test_remote_desktop import RawViewer

BUILD = gate_harness.BUILD
PROVISIONER = BUILD + "/broker/hypervisor/puesto-provisioner"
SIZE = (640, 480)


class Desk:
    """An X display with something on it that hears keys, and its RDP server."""

    def __init__(self, folder):
        self.folder, self.display, self.port, self.processes = folder, Display(*SIZE), free_port(), []
        self.spawn("stdbuf", "-oL", "xev", "-geometry", "300x200+0+0", "-event", "keyboard", name="xev")
        self.display.run("xdotool", "search", "--sync", "--name", "Event Tester", stdout=subprocess.DEVNULL)
        self.paint("#336699")

    def spawn(self, *words, name=None, env=None):
        with open("%s/%s.log" % (self.folder, name or os.path.basename(words[0])), "ab") as log:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=dict(self.display.env, LC_ALL="C", **(env or {})))
        self.processes.append(process)
        return process

    def log(self, name):
        with open("%s/%s.log" % (self.folder, name), errors="replace") as f:
            return f.read()

    def paint(self, colour):
        self.display.run("xsetroot", "-mod", "9", "6", "-fg", colour, "-bg", "#ffcc00")

    def pixels(self):
        """B, G, R bytes."""
        return b"".join(bytes(c for i in range(0, len(row), 3) for c in (row[i + 2], row[i + 1], row[i])) for row in self.display.picture(*SIZE))

    def listens(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def close(self):
        for process in reversed(self.processes):
            process.terminate()
            process.wait(20)
        self.display.close()


class Shadow(Desk):
    account = "desk ana\tsecret of the seat\n"

    def serve(self):
        home = self.folder + "/home"
        os.makedirs(home, exist_ok=True)
        hashed = subprocess.run(["winpr-hash3", "-u", "ana", "-p", "secret of the seat"], capture_output=True, text=True, check=True).stdout.strip()
        with open(self.folder + "/sam", "w") as f:
            f.write("ana:::%s:::\n" % hashed.split(":")[-1])
        self.server = self.spawn("freerdp-shadow-cli3", "/port:%d" % self.port, "/bind-address:127.0.0.1", "-gfx", "/sam-file:" + self.folder + "/sam",
                                 env={"HOME": home})
        cert = home + "/.config/freerdp/shadow/shadow.crt"
        eventually(lambda: os.path.exists(cert) and "END CERTIFICATE" in open(cert).read(), 30)
        eventually(self.listens, 30)
        self.pin = fingerprint(cert)


class Site:
    """Broker, provisioner and gateway around one desk."""

    def __init__(self, folder, desk, login="fixed"):
        self.dir, self.desk, self.login = folder, desk, login
        self.script = folder + "/worker"
        agent_worker(self.script)
        self.write(desk.pin)
        with open(folder + "/accounts", "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write("# who enters what\n" + desk.account)
        setup = json.loads(json.dumps(SETUP))
        setup["providers"][0]["name"] = setup["pools"][0]["provider"] = "lab"
        setup["images"][0]["versions"][0].update(base="ref:seat")
        setup["pools"][0].update(min=1, max=1)
        self.broker = Broker(setup)
        with open(folder + "/provisioner.conf", "w") as f:
            f.write("[provisioner]\ndata = %s\n[provider-lab]\nkind = hosts\nseats = %s/seats\nrefresh = none\nforeign = yes\npoll_s = 2\nrdp_login = %s\nrdp_accounts = %s/accounts\n"
                    % (self.broker.dir, folder, login, folder))
        self.log = open(folder + "/provisioner.log", "w")
        self.provisioner = subprocess.Popen([PROVISIONER, "--config", folder + "/provisioner.conf"], stdout=self.log, stderr=self.log)
        self.gate = gate_harness.Gateway(worker=self.script, broker_socket=self.broker.dir + "/run/gateway.sock")
        self.ana = Person(self.gate, "ana")

    def write(self, pin):
        with open(self.dir + "/seats", "w") as f:
            f.write("desk address=127.0.0.1 port=%d protocol=rdp fingerprint=%s\n" % (self.desk.port, pin))

    def connect(self):
        """(viewer, desktop's uuid), or None while there is none that can be used."""
        pool = self.ana.call("GET", "me/pools")[1]["items"][0]["id"]
        status, answer = self.ana.call("POST", "me/pools/%s/connect" % pool, {"protocol": "novnc"})[:2]
        return (RawViewer(self.gate, answer["ticket"]), answer["desktop"]["id"]) if status == 200 else None

    def told(self):
        return "\n---\n".join([open(self.log.name).read()[-3000:], self.broker.text()[-3000:], self.gate.text()[-3000:]])

    def close(self):
        self.gate.close()
        self.provisioner.terminate()
        self.provisioner.wait(20)
        self.log.close()
        self.broker.close()


class Pool(unittest.TestCase):
    NEEDED = ("freerdp-shadow-cli3", "winpr-hash3", "Xvfb", "xev", "xdotool", "xsetroot", "xwd", "openssl")

    def setUp(self):
        lacking = [name for name in self.NEEDED if not shutil.which(name)]
        if lacking:
            self.skipTest("missing: " + ", ".join(lacking))
        self.folder = tempfile.mkdtemp(prefix="puesto-rdp-pool-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def site(self, kind, **options):
        desk = kind(self.folder)
        self.addCleanup(desk.close)
        desk.serve()
        site = Site(self.folder, desk, **options)
        self.addCleanup(site.close)
        return site

    def same(self, site, viewer):
        """As soon as the viewer shows what the machine has."""
        want = site.desk.pixels()
        eventually(lambda: viewer.step(incremental=False) or bytes(viewer.screen) == want, 30)

    def run(self, result=None):
        return super().run(result)

    def test_a_user_s_desktop_is_the_machine_and_free_again_afterwards(self):
        site = self.site(Shadow)
        try:
            viewer, desktop = eventually(site.connect, 60)
            self.same(site, viewer)
            site.desk.paint("#102030")
            self.same(site, viewer)
            viewer.ws.conn.close()
            self.assertIn(site.ana.call("POST", "me/desktops/%s/logoff" % desktop, {})[0], (200, 202, 204))
            viewer, again = eventually(site.connect, 60)
            self.assertEqual(again, desktop, "the seat is lent again")
            self.same(site, viewer)
            self.machine_ends(site, viewer)
        except BaseException:
            print(site.told(), file=sys.stderr)
            raise

    def machine_ends(self, site, viewer):
        """Its server is killed: the viewer reads a page with the reason; another certificate there is refused."""
        site.desk.server.kill()
        site.desk.server.wait()
        before = bytes(viewer.screen)
        eventually(lambda: viewer.step(incremental=False) or bytes(viewer.screen) != before, 30)
        text = site.gate.text()
        self.assertIn("its RDP server closed the connection", text)
        self.assertNotIn("secret of the seat", text + site.broker.text() + open(site.log.name).read())

    def test_another_certificate_is_refused(self):
        site = self.site(Shadow)
        eventually(site.connect, 60)[0].ws.conn.close()
        site.write("ab" * 32)
        eventually(lambda: site.connect() and "its certificate is not the one that was noted" in site.gate.text(), 30)

    def test_a_file_of_accounts_for_all_to_read_is_refused(self):
        site = self.site(Shadow)
        os.chmod(self.folder + "/accounts", 0o644)
        eventually(lambda: self.refused(site, "can be read by others"), 60)
        os.chmod(self.folder + "/accounts", 0o600)
        eventually(site.connect, 60)

    def refused(self, site, words):
        try:
            site.connect()
        except EOFError as e:
            return words in str(e)
        return False


def main():
    if int(os.environ.get("PUESTO_TIER", "1")) < 2:
        print("SKIP: tier 2")
        return 77
    return 0 if unittest.main(verbosity=2, exit=False, warnings="ignore").result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
