#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that speak RDP as desktops, with everything real: broker, provisioner ("hosts"), gateway, an X display that FreeRDP's shadow server or xrdp shows,
and as viewers noVNC's protocol, xfreerdp3 and TigerVNC's. What they show is compared with the machine's own X screen.

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_rdp_pool.py"""
import json
import os
import shutil
import socket
import struct
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
        self.folder, self.port, self.processes = folder, free_port(), []
        self.display = self.screen()
        self.spawn("stdbuf", "-oL", "xev", "-geometry", "300x200+0+0", "-event", "keyboard", name="xev")
        self.display.run("xdotool", "search", "--sync", "--name", "Event Tester", stdout=subprocess.DEVNULL)
        self.paint("#336699")

    def screen(self):
        return Display(*SIZE)

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

    def pixels(self, width, height):
        """B, G, R bytes, rows without padding; None while the screen has another size."""
        try:
            pixels = bytearray(b"".join(self.display.picture(width, height)))
        except ValueError:
            return None
        pixels[0::3], pixels[2::3] = pixels[2::3], pixels[0::3]
        return pixels

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


class Other(Display):
    """An X server that is not Xvfb."""

    def __init__(self, *words, number=None, **env):
        read, write = os.pipe()
        self.process = subprocess.Popen([*words, *([] if number else ["-displayfd", str(write)])], pass_fds=[write], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, env=dict(os.environ, **env))
        os.close(write)
        with os.fdopen(read) as f:
            self.name = number or ":" + f.readline().strip()
        self.env = dict(os.environ, DISPLAY=self.name)


class Xrdp(Desk):
    """xrdp before TigerVNC's server."""
    account = "* any anything\n"
    library = "lib=libvnc.so\nip=127.0.0.1\nport=%d\nusername=na\npassword=na"

    def screen(self):
        self.inner = free_port()
        return Other("Xvnc", "-SecurityTypes", "None", "-rfbport", str(self.inner), "-localhost", "-geometry", "%dx%d" % SIZE, "-depth", "24")

    def serve(self):
        key, cert, self.pin = certificate(self.folder)
        with open(self.folder + "/xrdp.ini", "w") as f:
            f.write("[Globals]\nini_version=1\nfork=false\nport=tcp://127.0.0.1:%d\nsecurity_layer=tls\ncertificate=%s\nkey_file=%s\nssl_protocols=TLSv1.2, TLSv1.3\n"
                    "autorun=Desk\nallow_channels=true\nallow_multimon=false\nbitmap_cache=true\nbitmap_compression=true\nmax_bpp=32\nnew_cursors=true\n"
                    "[Logging]\nLogFile=%s/xrdp-own.log\nLogLevel=INFO\nEnableSyslog=false\n[Channels]\ncliprdr=true\ndrdynvc=true\n"
                    "[Desk]\nname=Desk\n%s\n" % (self.port, cert, key, self.folder, self.library.replace("FOLDER", self.folder) % self.inner))
        self.server = self.spawn("xrdp", "--nodaemon", "--config", self.folder + "/xrdp.ini")
        eventually(self.listens, 30)


class Xorgxrdp(Xrdp):
    """xrdp before its own X server."""
    library = "lib=libxup.so\nip=127.0.0.1\nport=FOLDER/xrdp_display_%d\nusername=na\npassword=na\ncode=20"

    def screen(self):
        self.inner = 3000 + os.getpid() % 1000
        x = Other("Xorg", ":%d" % self.inner, "-config", "xrdp/xorg.conf", "-noreset", "-nolisten", "tcp", "-logfile", self.folder + "/xorg.log", "-novtswitch",
                  number=":%d" % self.inner, XRDP_START_WIDTH=str(SIZE[0]), XRDP_START_HEIGHT=str(SIZE[1]), XRDP_SOCKET_PATH=self.folder)
        eventually(lambda: os.path.exists("%s/xrdp_display_%d" % (self.folder, self.inner)), 30)
        return x


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
        setup["pools"][0].update(min=0, max=1)
        self.broker = Broker(setup)
        with open(folder + "/provisioner.conf", "w") as f:
            f.write("[provisioner]\ndata = %s\n[provider-lab]\nkind = hosts\nseats = %s/seats\nrefresh = none\nforeign = yes\npoll_s = 2\nrdp_login = %s\nrdp_accounts = %s/accounts\n"
                    % (self.broker.dir, folder, login, folder))
        self.log = open(folder + "/provisioner.log", "w")
        self.provisioner = subprocess.Popen([PROVISIONER, "--config", folder + "/provisioner.conf"], stdout=self.log, stderr=self.log)
        self.gate = gate_harness.Gateway(worker=self.script, broker_socket=self.broker.dir + "/run/gateway.sock")
        admin = Person(self.gate, "admin")
        pool = admin.call("GET", "pools")[1]["items"][0]["id"]
        status, answer = admin.call("PATCH", "pools/" + pool, {"spec": {"layout": "es"}})[:2]
        assert status == 200, answer
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
        eventually(lambda: viewer.step(incremental=False) or viewer.screen == site.desk.pixels(viewer.width, viewer.height), 30)

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
        viewer.ws.conn.close()
        eventually(lambda: "its RDP server closed the connection" in site.gate.text(), 30)
        text = site.gate.text()
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

    def shown(self, site, *words, keys=()):
        """A real viewer on a display of its own shows what the machine has, and brings keys there."""
        display = Display(*SIZE)
        self.addCleanup(display.close)
        home = tempfile.mkdtemp(dir=self.folder)
        with open(home + "/log", "wb") as log:
            env = dict(display.env, HOME=home, VNC_USERNAME="ana", VNC_PASSWORD=PASSWORDS["ana"])
            viewer = subprocess.Popen(words, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            eventually(lambda: display.picture(*SIZE) == site.desk.display.picture(*SIZE), 60)
            display.run("setxkbmap", "es")
            display.run("xdotool", "mousemove", "40", "40")
            for name in keys:
                eventually(lambda: display.run("xdotool", "key", name) and ", %s)" % name in site.desk.log("xev"), 20)
        except BaseException:
            print(open(home + "/log", errors="replace").read()[-2000:], site.told(), file=sys.stderr)
            raise
        finally:
            viewer.terminate()
            viewer.wait(20)

    @unittest.skipUnless(shutil.which("xfreerdp3"), "xfreerdp3 is not installed")
    def test_xfreerdp_shows_it(self):
        site = self.site(Shadow)
        site.desk.display.run("setxkbmap", "es")
        self.shown(site, "xfreerdp3", "/v:127.0.0.1:%d" % site.gate.rdp, "/u:ana", "/p:" + PASSWORDS["ana"], "/cert:ignore", "/sec:tls", "/size:%dx%d" % SIZE,
                   "/window-position:0x0", "/kbd:layout:0x40a", keys=("a", "ntilde", "EuroSign", "at", "braceleft"))

    @unittest.skipUnless(shutil.which("vncviewer"), "vncviewer is not installed")
    def test_tigervnc_shows_it(self):
        site = self.site(Shadow)
        self.shown(site, "vncviewer", "-SecurityTypes", "X509Plain", "-X509CA", site.gate.dir + "/pki/cert.pem", "-FullScreen", "-AutoSelect=0",
                   "-PreferredEncoding", "ZRLE", "-FullColor=1", "localhost::%d" % site.gate.vnc)

    def keys(self, site, viewer, names):
        """Each keysym that the viewer sends is heard at the machine by its name."""
        viewer.send(struct.pack(">BBHH", 5, 0, 40, 40))
        for keysym, name in names:
            for down in (1, 0):
                viewer.send(struct.pack(">BBHI", 4, down, 0, keysym))
            eventually(lambda: ", %s)" % name in site.desk.log("xev"), 20)

    @unittest.skipUnless(shutil.which("xrdp") and shutil.which("Xvnc"), "xrdp or Xvnc is not installed")
    def test_xrdp_before_a_vnc_server(self):
        self.life(self.site(Xrdp), ((0xf1, "ntilde"), (0x20ac, "EuroSign"), (0x40, "at"), (0x7b, "braceleft")))

    @unittest.skipUnless(shutil.which("xrdp") and os.path.exists("/usr/lib/xorg/modules/drivers/xrdpdev_drv.so"), "xorgxrdp is not installed")
    def test_xrdp_before_its_own_x_server(self):
        self.life(self.site(Xorgxrdp), ((0xf1, "ntilde"), (0x20ac, "EuroSign"), (0x40, "at"), (0x7b, "braceleft")))

    def life(self, site, letters=()):
        try:
            viewer, _ = eventually(site.connect, 60)
            self.same(site, viewer)
            self.keys(site, viewer, ((0x61, "a"), (0xff0d, "Return"), *letters))
            site.desk.paint("#102030")
            self.same(site, viewer)
            viewer.ws.conn.close()
        except BaseException:
            print(site.told(), site.desk.log("xrdp"), site.desk.log("xev")[-500:], sep="\n---\n", file=sys.stderr)
            raise

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
