#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The RFB source before real servers: Xvnc, x11vnc, and QEMU's own; what it shows is compared with what the server itself has, pixel by pixel."""
import os
import queue
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guest_harness import Qmp

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
LOOK = BUILD + "/tests/integration/rfb_look"
WAIT = 30


class Look:
    """The source as a program; its lines come by a thread."""

    def __init__(self, *words, program=LOOK, fds=()):
        self.process = subprocess.Popen([program, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, pass_fds=fds)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.put(line.split())
        self.lines.put(["over"])

    def until(self, *words):
        deadline = time.monotonic() + WAIT
        while True:
            line = self.lines.get(timeout=max(0.1, deadline - time.monotonic()))
            if line[:len(words)] == list(words):
                return line
            if line[0] in ("over", "closed"):
                raise AssertionError("%s while waiting for %s" % (line, words))

    def say(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.until("done")

    def shot(self, path):
        self.say("shot", path)
        return read_ppm(path)

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended
        self.process.wait(WAIT)
        self.process.stdout.close()


def read_ppm(path):
    with open(path, "rb") as f:
        data = f.read()
    head = data.split(b"\n", 3)
    width, height = map(int, head[1].split())
    return width, height, head[3]


def read_xwd(data):
    """A dump of 32 bits a pixel, as PPM has it."""
    size, _, _, _, width, height = struct.unpack(">6I", data[:24])
    (stride,), (colours,) = struct.unpack(">I", data[48:52]), struct.unpack(">I", data[76:80])
    start, rows = size + colours * 12, []
    for y in range(height):
        row = data[start + y * stride:start + y * stride + width * 4]
        pixels = bytearray(width * 3)
        pixels[0::3], pixels[1::3], pixels[2::3] = row[2::4], row[1::4], row[0::4]
        rows.append(bytes(pixels))
    return width, height, b"".join(rows)


def wait_for(what, seconds=WAIT):
    deadline = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("it did not come to pass in %d s" % seconds)
        time.sleep(0.1)


class Server(unittest.TestCase):
    NEEDED = ()

    def setUp(self):
        lacking = [name for name in self.NEEDED if not shutil.which(name)]
        if lacking:
            self.skipTest("missing: " + ", ".join(lacking))
        self.folder = tempfile.mkdtemp(prefix="puesto-rfb-")
        self.addCleanup(shutil.rmtree, self.folder)

    def start(self, *words):
        with open(self.folder + "/" + os.path.basename(words[0]) + ".log", "wb") as log:
            process = subprocess.Popen(words, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def start_x(self, *words):
        """An X server that finds a free number for itself; returns its display."""
        read, write = os.pipe()
        with open(self.folder + "/x.log", "wb") as log:
            process = subprocess.Popen([*words, "-displayfd", str(write)], pass_fds=[write], stdout=log, stderr=log)
        os.close(write)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        with os.fdopen(read) as pipe:
            return ":" + pipe.readline().strip()

    def look(self, *words):
        look = Look(*words)
        self.addCleanup(look.close)
        return look

    def paint(self, display, *words):
        subprocess.run(["xsetroot", *words], env={**os.environ, "DISPLAY": display}, check=True)

    def expect_same(self, look, own):
        """As soon as the picture is what the server has."""
        def same():
            shown = look.shot(self.folder + "/shown.ppm")
            real = own()
            return shown[:2] == real[:2] and shown[2] == real[2]
        wait_for(same)

    def xwd(self, display):
        return read_xwd(subprocess.run(["xwd", "-root", "-silent", "-display", display], check=True, capture_output=True).stdout)


class Xvnc(Server):
    NEEDED = ("Xvnc", "xsetroot", "xwd")

    def serve(self, *words):
        self.path = self.folder + "/rfb"
        display = self.start_x("Xvnc", "-rfbunixpath", self.path, "-rfbport", "-1", "-geometry", "320x240", *words)
        wait_for(lambda: os.path.exists(self.path))
        return display

    def test_the_picture_and_its_changes_are_the_server_s_own(self):
        display = self.serve("-SecurityTypes", "None")
        self.paint(display, "-mod", "7", "5", "-fg", "#336699", "-bg", "#ffcc00")
        look = self.look(self.path)
        look.until("surface", "320", "240")
        self.expect_same(look, lambda: self.xwd(display))
        self.paint(display, "-solid", "#102030")
        look.until("damage")
        self.expect_same(look, lambda: self.xwd(display))

    def test_a_size_can_be_asked_for(self):
        display = self.serve("-SecurityTypes", "None")
        look = self.look(self.path)
        look.until("surface", "320", "240")
        look.say("size", 400, 300)
        look.until("surface", "400", "300")
        self.expect_same(look, lambda: self.xwd(display))

    def test_a_password_opens_it_and_a_wrong_one_is_named(self):
        with open(self.folder + "/password", "wb") as f:
            f.write(bytes.fromhex("24b5ae4ce15503c6")) # "secret12", as vncpasswd -f writes it
        self.serve("-SecurityTypes", "VncAuth", "-PasswordFile", self.folder + "/password")
        self.look(self.path, "secret12").until("surface")
        for words, said in (([], "none"), (["wrong"], "refuses")):
            line = self.look(self.path, *words).until("closed", "-6")
            self.assertIn(said, " ".join(line))


class X11vnc(Server):
    """Over TCP: what is packed for a network."""
    NEEDED = ("x11vnc", "Xvfb", "xsetroot", "xwd")

    def test_the_picture_and_its_changes_are_the_server_s_own(self):
        display = self.start_x("Xvfb", "-screen", "0", "320x240x24", "-nolisten", "tcp")
        self.paint(display, "-mod", "7", "5", "-fg", "#336699", "-bg", "#ffcc00")
        process = self.start("x11vnc", "-display", display, "-localhost", "-nopw", "-forever", "-autoport", "21650", "-noxdamage", "-nocursor", "-flag", self.folder + "/flag")
        port = wait_for(lambda: process.poll() is None and os.path.exists(self.folder + "/flag") and open(self.folder + "/flag").read().partition("PORT=")[2].split())
        look = self.look("127.0.0.1:" + port[0])
        look.until("surface", "320", "240")
        self.expect_same(look, lambda: self.xwd(display))
        self.paint(display, "-solid", "#102030")
        look.until("damage")
        self.expect_same(look, lambda: self.xwd(display))


class Qemu(Server):
    """The BIOS of a machine without a disk: a screen that no agent has."""
    NEEDED = ("qemu-system-x86_64",)

    def test_a_bios_is_seen_and_takes_keys(self):
        path = self.folder + "/console"
        process = self.start("qemu-system-x86_64", "-accel", "tcg", "-m", "64", "-nodefaults", "-vga", "std", "-display", "none", "-vnc", "unix:" + path,
                             "-boot", "menu=on,splash-time=60000", "-qmp", "unix:%s/qmp,server=on,wait=off" % self.folder)
        wait_for(lambda: process.poll() is None and os.path.exists(path))
        qmp = Qmp(self.folder + "/qmp")
        self.addCleanup(qmp.close)
        look = self.look(path)
        look.until("surface")

        def own():
            qmp("screendump", filename=self.folder + "/own.ppm")
            return read_ppm(self.folder + "/own.ppm")

        def is_written():
            picture = own()
            return len(set(picture[2])) > 1 and picture
        waiting = wait_for(is_written)
        self.expect_same(look, own)
        # "Press ESC for boot menu": the menu is another picture.
        look.say("key", 1, 1)
        look.say("key", 1, 0)
        wait_for(lambda: own() != waiting)
        self.expect_same(look, own)


if __name__ == "__main__":
    unittest.main()
