#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""QEMU's D-Bus display before a real QEMU (TCG): its BIOS, and boot sectors of our own that type, and that draw in the card's modes; what is shown is compared with QEMU's
own screendump, pixel by pixel. PUESTO_QEMU names another QEMU, such as a newer one that shares its memory."""
import array
import json
import os
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from guest_harness import Qmp
from test_rfb_source import BUILD, Look, Server, read_ppm, wait_for

LOOK = BUILD + "/tests/integration/dbus_look"
QEMU = os.environ.get("PUESTO_QEMU", "qemu-system-x86_64")
# A key is read (int 16h), written (int 10h), and so on: "xor ax,ax; int 16h; mov ah,0eh; int 10h; jmp".
TYPES = bytes.fromhex("31c0cd16b40ecd10ebf6")


def draws(mode):
    """VBE mode (linear), each byte of the first megabyte another; then a key changes one line, again and again. 32 bits: the A000h window is the same in every mode."""
    code = bytes.fromhex("b8024f" "bb") + (mode | 0x4000).to_bytes(2, "little") + bytes.fromhex(
        "cd10"              # int 10h: VBE, set the mode
        "b800a08ec0"        # es = a000h
        "31ff31c0"          # di = ax = 0
        "b90080"            # cx = 8000h words: the window's 64 KB
        "ab055935e2fa"      # stosw; add ax,3559h; loop
        "31c0cd16"          # wait for a key
        "50bf0020b90001"    # push ax; di = 2000h; cx = 256
        "f3ab58ebf1")       # rep stosw; pop ax; jmp (to the wait)
    return code


def boot_disk(path, code):
    with open(path, "wb") as f:
        f.write(code.ljust(510, b"\0") + b"\x55\xaa" + bytes((1 << 20) - 512))


def lend(qmp, name, fd):
    qmp.socket.sendmsg([json.dumps({"execute": "getfd", "arguments": {"fdname": name}}).encode() + b"\n"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])
    while "return" not in json.loads(qmp.stream.readline()):
        pass


def dial(qmp):
    """A connection with its display."""
    ours, theirs = socket.socketpair()
    lend(qmp, "screen", theirs.fileno())
    theirs.close()
    qmp("add_client", protocol="@dbus-display", fdname="screen")
    return ours


class Display(Server):
    NEEDED = (QEMU,)
    machines = 0

    def machine(self, *words, code=None):
        self.machines += 1
        disk = []
        if code:
            path = "%s/disk%d" % (self.folder, self.machines)
            boot_disk(path, code)
            disk = ["-drive", "format=raw,if=ide,file=" + path]
        path = "%s/qmp%d" % (self.folder, self.machines)
        self.process = self.start(QEMU, "-accel", "tcg", "-m", "64", "-nodefaults", "-display", "dbus,p2p=on", *disk, "-qmp", "unix:%s,server=on,wait=off" % path,
                                  *(words or ("-vga", "std")))
        self.qmp = Qmp(path)
        self.addCleanup(self.qmp.close)

    def look(self):
        connection = dial(self.qmp)
        look = Look(str(connection.fileno()), program=LOOK, fds=[connection.fileno()])
        connection.close()
        self.addCleanup(look.close)
        return look

    def own(self):
        self.qmp("screendump", filename=self.folder + "/own.ppm")
        return read_ppm(self.folder + "/own.ppm")

    def until_drawn(self, least=1):
        def drawn():
            picture = self.own()
            return len(set(picture[2])) > least and picture
        return wait_for(drawn)

    def key(self, look, *codes):
        for is_down, order in ((1, codes), (0, codes[::-1])):
            for code in order:
                look.say("key", code, is_down)

    def test_a_bios_is_seen_and_takes_keys(self):
        self.machine("-vga", "std", "-boot", "menu=on,splash-time=60000")
        look = self.look()
        look.until("surface")
        waiting = self.until_drawn()
        self.expect_same(look, self.own)
        # "Press ESC for boot menu": the menu is another picture.
        self.key(look, 1)
        wait_for(lambda: self.own() != waiting)
        self.expect_same(look, self.own)

    def test_what_is_typed_is_shown(self):
        self.machine(code=TYPES)
        look = self.look()
        look.until("surface")
        before = self.until_drawn()
        time_before = time.monotonic()
        look.say("type", "Hola, Puesto@2")
        wait_for(lambda: self.own() != before)
        print("typed text is on the machine's screen after %.2f s" % (time.monotonic() - time_before))
        self.expect_same(look, self.own)

    def test_modes_of_16_24_and_32_bits_are_shown_as_they_are(self):
        for mode in 0x111, 0x112, 0x142, 0x115:  # 640 × 480 of 16 and 24 bits, of 32, 800 × 600 of 24
            with self.subTest(mode=hex(mode)):
                self.machine(code=draws(mode))
                look = self.look()
                look.until("surface")
                before = self.until_drawn(20)
                self.expect_same(look, self.own)
                self.key(look, 30)
                wait_for(lambda: self.own() != before)
                self.expect_same(look, self.own)

    def test_one_that_comes_while_the_machine_is_still_gets_the_picture_at_once(self):
        self.machine(code=TYPES)
        self.until_drawn()
        self.qmp("stop")
        began = time.monotonic()
        look = self.look()
        look.until("surface")
        print("the first picture of a machine that stands still is there after %.0f ms" % ((time.monotonic() - began) * 1000))
        self.expect_same(look, self.own)

    def test_it_can_be_closed_and_opened_again(self):
        self.machine(code=TYPES)
        for letter in "abc":
            look = self.look()
            look.until("surface")
            before = self.until_drawn()
            look.say("type", letter)
            wait_for(lambda: self.own() != before)
            self.expect_same(look, self.own)
            look.close()

    def test_the_end_of_the_machine_is_told(self):
        self.machine()
        look = self.look()
        look.until("surface")
        self.process.kill()
        line = look.until("closed")
        self.assertIn("hypervisor", line)

    def trace(self):
        with open("%s/trace%d" % (self.folder, self.machines)) as f:
            return f.read()

    def test_a_pointer_is_placed_pressed_and_rolled(self):
        """What QEMU itself says that it got."""
        for tablet in False, True:
            with self.subTest(tablet=tablet):
                self.machine("-vga", "std", "-trace", "input_event_*", "-D", "%s/trace%d" % (self.folder, self.machines + 1), "-device", "usb-ehci",
                             *(("-machine", "pc,i8042=off") if tablet else ()))
                look = self.look()
                look.until("surface")
                self.until_drawn()
                if tablet:  # it comes later, as one does when a guest's driver takes it over
                    self.qmp("device_add", driver="usb-tablet")
                    wait_for(lambda: look.say("move", 5, 5, 0) or "input_event_abs" in self.trace())
                look.say("move", 10, 20, 1)
                look.say("move", 30, 20, 0)
                look.say("wheel", 0, 120)
                wait_for(lambda: self.trace().count("input_event_btn") >= 4)
                self.assertIn("button wheel-down", self.trace())
                self.assertIn("axis x, value 0x" if tablet else "axis x, value 20\n", self.trace())


if __name__ == "__main__":
    unittest.main()
