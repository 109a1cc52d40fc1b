#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The RDP source before real servers: our own front, FreeRDP's shadow server, xrdp; what it shows is compared with what the server itself has, pixel by pixel.
Covers: protocol/source/rdp/channels.c protocol/source/rdp/client.c protocol/source/rdp/clipboard.c
protocol/source/rdp/picture.c protocol/source/rdp/pointer.c protocol/source/rdp/rdp.c protocol/source/rdp/registry.c protocol/source/rdp/settings.c
"""
import hashlib
import json
import os
import queue
import re
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from rdp_harness import Display, Lines, free_port

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
LOOK = BUILD + "/tests/integration/rdp_look"
TIER = int(os.environ.get("PUESTO_TIER", "1"))
WAIT = 30
KEY_ENTER, KEY_A, KEY_SPACE, KEY_RIGHTALT = 28, 30, 57, 100


def read_ppm(path):
    with open(path, "rb") as f:
        data = f.read()
    head = data.split(b"\n", 3)
    return (*map(int, head[1].split()), head[3])


def certificate(folder, name="seat"):
    """A key and a certificate of its own; returns their paths and the fingerprint."""
    key, cert = "%s/%s.key" % (folder, name), "%s/%s.crt" % (folder, name)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", key, "-out", cert,
                    "-subj", "/CN=seat.example", "-addext", "subjectAltName=DNS:seat.example"], check=True, stderr=subprocess.DEVNULL)
    return key, cert, fingerprint(cert)


def fingerprint(cert):
    with open(cert) as f:
        pem = re.search("-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", f.read(), re.S)[0]
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem)).hexdigest()


class Look:
    """The source as a program; its lines come by a thread."""

    def __init__(self, where, account):
        self.process = subprocess.Popen([LOOK, where, json.dumps(account)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.split())
        self.lines.put(["over"])

    def until(self, *words, seconds=WAIT):
        deadline = time.monotonic() + seconds
        while True:
            line = self.lines.get(timeout=max(0.1, deadline - time.monotonic()))
            if line[:len(words)] == list(words):
                return line
            if line[0] in ("over", "closed"):
                raise AssertionError("%s while waiting for %s" % (line, words))

    def say(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.until("done")

    def key(self, code, keysym=0):
        for down in (1, 0):
            self.say("keysym", keysym, code, down)

    def close(self):
        self.process.stdin.close()
        self.process.wait(WAIT)
        self.process.stdout.close()


def wait_for(what, seconds=WAIT):
    deadline = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("it did not come to pass in %d s" % seconds)
        time.sleep(0.05)


class Server(unittest.TestCase):
    NEEDED = ("openssl",)

    def setUp(self):
        lacking = [name for name in self.NEEDED if not shutil.which(name)]
        if lacking:
            self.skipTest("missing: " + ", ".join(lacking))
        self.folder = tempfile.mkdtemp(prefix="puesto-rdp-source-")
        self.addCleanup(shutil.rmtree, self.folder)

    def look(self, account, port=None):
        look = Look("127.0.0.1:%d" % (port or self.port), account)
        self.addCleanup(look.close)
        return look

    def expect_same(self, look, real, seconds=WAIT):
        """As soon as the picture is what the server has: real() gives rows of R, G, B bytes."""
        def same():
            look.say("shot", self.folder + "/shown.ppm")
            width, height, data = read_ppm(self.folder + "/shown.ppm")
            rows = real(width, height)
            return len(rows) == height and b"".join(rows) == data
        wait_for(same, seconds)

    def spawn(self, *words, name=None, env=None, **options):
        log = open("%s/%s.log" % (self.folder, name or os.path.basename(words[0])), "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, **options)
        self.addCleanup(process.wait, WAIT)
        self.addCleanup(process.terminate)
        return process


class OurFront(Server):
    """The front of RDP clients as a seat: it says what comes to it."""

    def host(self, *options):
        self.port = free_port()
        key, self.cert, self.pin = certificate(self.folder)
        process = subprocess.Popen([BUILD + "/tests/integration/front_host", "--port", str(self.port), "--size", "640x480", "--cert", self.cert, "--key", key,
                                    "--picture", self.folder + "/picture.ppm", *options], stdout=subprocess.PIPE)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait, WAIT)
        self.addCleanup(process.terminate)
        self.process = process
        self.lines = Lines(process)
        self.lines.until("^listening")

    def account(self, **changes):
        account = {"login": "fixed", "user": "ana", "password": "secret", "fingerprint": self.pin, **changes}
        return {key: value for key, value in account.items() if value is not None}

    def own(self, width, height):
        """What the server has sent whole."""
        data = read_ppm(self.folder + "/picture.ppm")
        return [data[2][y * data[0] * 3:(y + 1) * data[0] * 3] for y in range(data[1])]

    def test_the_picture_keys_text_sizes_and_clipboard(self):
        self.host()
        look = self.look(self.account())
        look.until("surface", "640", "480")
        self.lines.until("login ana accepted")
        self.lines.until("^exact")
        self.expect_same(look, self.own)
        self.keys(look)
        look.say("move", 33, 44, 1)
        self.lines.until("^pointer 33 44 1$")
        look.say("move", 33, 44, 0)
        look.say("move", 35, 44, 2)
        self.lines.until("^pointer 35 44 2$")
        look.say("move", 35, 44, 0)
        look.say("size", 800, 600)
        self.lines.until("^resize 800x600")
        look.until("surface", "800", "600")
        self.expect_same(look, self.own)
        look.say("copy", "ñandú €")
        self.lines.until("^clipboard ñandú €$")
        self.assertEqual(" ".join(look.until("clipboard")[1:]), "«ñandú €»")

    def keys(self, look):
        """Of a viewer whose layout is unknown what prints goes as letters, and what does not by its place."""
        for letter, keysym in (("ñ", 0xf1), ("á", 0xe1), ("€", 0x20ac), ("@", 0x40), ("{", 0x7b)):
            look.key(KEY_A, keysym)
            self.lines.until("^text %s$" % letter)
        look.key(KEY_ENTER, 0xff0d)
        self.lines.until("^key 0 28$")
        look.say("type", "ÑÇ𝄞")
        for letter in "ÑÇ":
            self.lines.until("^text %s$" % letter)

    def test_the_viewer_s_layout_is_told_and_then_places_do(self):
        self.host()
        look = self.look(self.account())
        look.say("layout", "es")
        look.until("surface", "640", "480")
        self.lines.until("^layout es$")
        look.key(39, 0xf1)
        self.lines.until("^key 0 39$")

    def test_another_certificate_is_refused_and_named(self):
        self.host()
        line = self.look(self.account(fingerprint="00" * 32)).until("closed", "-7")
        self.assertIn("its certificate is not the one that was noted", " ".join(line))
        self.assertIn(self.pin, " ".join(line))
        self.assertNotIn("secret", " ".join(line))

    @unittest.skipIf(TIER < 2, "tier 2")
    def test_an_authority_and_a_name_do_in_place_of_a_pin(self):
        for name, word in (("seat.example", "surface"), ("other.example", "closed")):
            self.host()
            with open(self.cert) as f:
                line = self.look(self.account(fingerprint=None, ca=f.read(), name=name)).until(word)
        self.assertIn("is for another machine than other.example", " ".join(line))

    def test_a_wrong_password_is_named(self):
        self.host()
        line = " ".join(self.look(self.account(password="wrong")).until("closed"))
        self.lines.until("login ana refused")
        self.assertIn("The machine's screen cannot be shown: ", line)

    def test_a_server_that_dies_ends_it_with_a_reason(self):
        self.host()
        look = self.look(self.account())
        look.until("surface")
        self.process.kill()
        self.assertIn("its RDP server closed the connection; was the machine stopped or restarted?", " ".join(look.until("closed", "-12")))


class Hostile(Server):
    """Servers that are none."""

    def serve(self, talk, n=1):
        key, cert, self.pin = certificate(self.folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        door = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(door.close)
        self.port = door.getsockname()[1]

        def run():
            for _ in range(n):
                try:
                    with door.accept()[0] as s:
                        s.settimeout(1)
                        talk(s, context)
                except OSError:
                    pass
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self.addCleanup(thread.join, WAIT)

    def expect_end(self, seconds=WAIT, login="ask"):
        account = {"login": login, "fingerprint": self.pin, "user": "u", "password": "p"}
        line = self.look(account).until("closed", seconds=seconds)
        self.assertIn("The machine's screen cannot be shown: ", " ".join(line))
        return line

    def test_rubbish_after_the_handshake_ends_it_in_words(self):
        """TLS is up, then come bytes of a fixed seed where the library waits for the protocol."""
        seeds = [hashlib.sha256(b"%d" % i).digest() * 40 for i in range(6)]
        heads = [b"", b"\x03\x00\x04\xff\x02\xf0\x80", b"\x03\x00\x00\x0b\x02\xf0\x80\x7f\x66\x82\x00", b"\x00\x80\xff", b"\x03\x00\x00\x00", b"\x30\x84\xff\xff\xff\xff"]

        def talk(s, context):
            s.recv(200)
            s.sendall(bytes.fromhex("030000130ed000001234000200080001000000"))
            with context.wrap_socket(s, server_side=True) as tls:
                tls.recv(4096)
                tls.sendall(heads[len(done)] + seeds[len(done)])
                done.append(1)
                tls.recv(1)
        done = []
        del heads[2 if TIER < 2 else len(heads):]
        self.serve(talk, len(heads))
        for _ in heads:
            self.expect_end()

    def test_no_rdp_no_tls_and_another_log_in_are_told(self):
        answers = [b"SSH-2.0-OpenSSH_9.2\r\n", bytes.fromhex("030000130ed000001234000200080000000000"), bytes.fromhex("030000130ed000001234000300080005000000")]

        def talk(s, context):
            s.recv(200)
            s.sendall(answers[len(done)])
            done.append(1)
            s.recv(1)
        done = []
        self.serve(talk, len(answers))
        for words in ("", "it wants another log-in or encryption", "with Network Level Authentication its account has to be noted"):
            self.assertIn(words, " ".join(self.expect_end()))

    def test_a_server_that_sends_us_elsewhere_is_not_followed(self):
        """Nothing but the one connection is ever opened, whatever the first answer was."""
        def talk(s, context):
            s.recv(200)
            s.sendall(bytes.fromhex("030000130ed000001234000300080002000000"))
        self.serve(talk)
        self.expect_end(login="fixed")


@unittest.skipUnless(TIER >= 2, "tier 2")
class Shadow(Server):
    """FreeRDP's shadow server: an X display that is there already."""
    NEEDED = ("freerdp-shadow-cli3", "Xvfb", "xwd", "xsetroot", "xev", "xdotool", "openssl")

    def setUp(self):
        super().setUp()
        self.display = Display(640, 480)
        self.addCleanup(self.display.close)
        self.port = free_port()
        # A client that stays: else the X server begins anew whenever one leaves, and the shadow server fails at that.
        self.spawn("stdbuf", "-oL", "xev", "-geometry", "300x200+0+0", "-event", "keyboard", name="xev", env=dict(self.display.env, LC_ALL="C"))
        self.display.run("xdotool", "search", "--sync", "--name", "Event Tester", stdout=subprocess.DEVNULL)

    def serve(self, *options):
        home = self.folder + "/home"
        os.mkdir(home)
        self.server = self.spawn("freerdp-shadow-cli3", "/port:%d" % self.port, "/bind-address:127.0.0.1", "-gfx", *options, env=dict(self.display.env, HOME=home))
        cert = home + "/.config/freerdp/shadow/shadow.crt"
        wait_for(lambda: os.path.exists(cert) and "END CERTIFICATE" in open(cert).read())
        wait_for(self.listens)
        self.pin = fingerprint(cert)

    def typed(self, look, name, code):
        look.key(code)
        with open(self.folder + "/xev.log") as f:
            return ", %s)" % name in f.read()

    def listens(self):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", self.port)) == 0:
                return True
        self.assertIsNone(self.server.poll(), open(self.folder + "/freerdp-shadow-cli3.log").read())
        return False

    def test_the_picture_and_keys_by_their_places(self):
        self.serve("-auth", "-sec-nla")
        self.display.run("xsetroot", "-mod", "7", "5", "-fg", "#336699", "-bg", "#ffcc00")
        look = self.look({"login": "ask", "fingerprint": self.pin})
        look.until("surface", "640", "480")
        self.expect_same(look, self.display.picture)
        look.say("move", 50, 50, 0)
        wait_for(lambda: self.typed(look, "a", KEY_A))
        wait_for(lambda: self.typed(look, "space", KEY_SPACE))
        self.display.run("xsetroot", "-solid", "#102030")
        self.expect_same(look, self.display.picture)
        self.server.kill()
        look.until("closed", "-12")

    def test_network_level_authentication(self):
        with open(self.folder + "/sam", "w") as f:
            hashed = subprocess.run(["winpr-hash3", "-u", "ana", "-p", "secret"], capture_output=True, text=True, check=True).stdout.strip()
            f.write("ana:::%s:::\n" % hashed.split(":")[-1])
        self.serve("/sam-file:" + self.folder + "/sam")
        account = {"login": "fixed", "user": "ana", "password": "secret", "fingerprint": self.pin}
        look = self.look(account)
        look.until("surface", "640", "480")
        self.expect_same(look, self.display.picture)
        line = self.look({**account, "password": "wrong"}).until("closed")
        self.assertIn("it does not take the user name or password that is noted for it", " ".join(line))


if __name__ == "__main__":
    unittest.main(verbosity=2)
