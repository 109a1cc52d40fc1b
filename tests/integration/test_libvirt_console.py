#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine's console from the hypervisor to the browser, all of it real: libvirt with QEMU, provisioner, broker, gateway, worker, Chromium. The machine has no system, only a
boot sector that writes what is typed: there is no agent, and its screen is the BIOS's.
Of the second tier: it needs Chromium and a libvirtd. Everything is in network and mount namespaces of the test's own.

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_libvirt_console.py"""
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

import guest_harness
import libvirt_host
from broker_harness import PASSWORDS, SETUP, eventually
from test_gateway import Person
from test_libvirt_pool import Site, domain, run

WEB = guest_harness.SOURCE + "/tests/web"
# A key is read (int 16h), written (int 10h), and so on: "xor ax,ax; int 16h; mov ah,0eh; int 10h; jmp".
BOOT_SECTOR = bytes.fromhex("31c0cd16b40ecd10ebf6").ljust(510, b"\0") + b"\x55\xaa"


class Bare(Site):
    """A site whose image is a disk with a boot sector."""

    def image(self):
        with open(self.golden + "/disk.raw", "wb") as f:
            f.write(BOOT_SECTOR + bytes((1 << 20) - len(BOOT_SECTOR)))
        os.chmod(self.golden + "/disk.raw", 0o444)

    def setup(self):
        setup = json.loads(json.dumps(SETUP))
        setup["providers"][0]["name"] = setup["pools"][0]["provider"] = "vm"
        setup["images"][0]["versions"][0].update(base=self.golden + "/disk.raw", path=self.golden)
        setup["pools"][0].update(min=1, max=1, spec={"memory_mb": 128, "cpus": 1})
        return setup

    def start(self):
        super().start()
        # libvirt's sockets are where libvirtd says that they are.
        os.makedirs("/var/lib/libvirt", exist_ok=True)
        subprocess.run(["mount", "--bind", self.host.folder + "/lib", "/var/lib/libvirt"], check=True)
        shutil.copytree(guest_harness.SOURCE + "/web", self.gate.dir + "/web", dirs_exist_ok=True)
        self.admin = Person(self.gate, "admin")


class Browser:
    def __init__(self, site, desktop):
        words = ["node", WEB + "/machine.mjs", "https://localhost:%d" % site.gate.https, PASSWORDS["admin"], desktop]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        assert self.process.stdout.readline() == "live\n", "the console did not come"

    def __call__(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        answer = self.process.stdout.readline().strip()
        assert answer, "the browser ended"
        return answer

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)


def screendump(site, desktop):
    """By QEMU, which is another user: into a folder of its own."""
    folder = site.folder + "/screens"
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o777)
    site.host.virsh("qemu-monitor-command", "puesto-" + desktop, json.dumps({"execute": "screendump", "arguments": {"filename": folder + "/screen.ppm"}}))
    with open(folder + "/screen.ppm", "rb") as f:
        _, size, _, pixels = f.read().split(b"\n", 3)
    return *map(int, size.split()), pixels


def own_screen(site, desktop):
    """What QEMU itself says the screen is, as the browser counts it: R G B A."""
    width, height, pixels = screendump(site, desktop)
    rgba = bytearray(width * height * 4)
    rgba[0::4], rgba[1::4], rgba[2::4], rgba[3::4] = pixels[0::3], pixels[1::3], pixels[2::3], b"\xff" * (width * height)
    return {"width": width, "height": height, "hash": hashlib.sha256(rgba).hexdigest()}


def vnc_clients(site, desktop):
    answer = site.host.virsh("qemu-monitor-command", "puesto-" + desktop, json.dumps({"execute": "query-vnc"}))
    return len(json.loads(answer)["return"].get("clients", []))


def events(site, kind):
    return [(e["actor"]["name"], e["object"]["id"]) for e in site.admin.call("GET", "events?kind=" + kind)[1]["items"]]


def test_a_machine_without_a_system_is_seen_and_typed_at(site):
    desktop = eventually(lambda: site.host.domains("--state-running") and domain(site), 60)
    eventually(lambda: len(set(screendump(site, desktop)[2])) > 1, 30)
    began = time.monotonic()
    browser = Browser(site, desktop)
    print("an administrator sees the console %.1f s after his browser began" % (time.monotonic() - began))

    def same():
        shown, own = json.loads(browser("hash")), own_screen(site, desktop)
        return {k: shown[k] for k in own} == own and own
    before = eventually(same, 30)
    # It is QEMU's D-Bus display; who comes while it is looked at gets VNC, and takes nothing away.
    assert "<graphics type='dbus'" in site.host.virsh("dumpxml", "puesto-" + desktop)
    assert vnc_clients(site, desktop) == 0
    second = Browser(site, desktop)
    assert vnc_clients(site, desktop) == 1
    assert json.loads(second("hash"))["hash"] == before["hash"]
    second.close()
    eventually(lambda: vnc_clients(site, desktop) == 0, 20)
    bar = json.loads(browser("bar"))
    assert bar["name"].startswith("Console of ") and "Nobody" in bar["present"], bar
    browser("type", "hola puesto")
    eventually(lambda: own_screen(site, desktop) != before, 20)
    eventually(same, 30)
    if os.environ.get("PUESTO_SHOTS"):
        browser("shot", os.environ["PUESTO_SHOTS"] + "/console.png")
    # Ctrl+Alt+Del: the BIOS begins anew, and what was typed is gone.
    typed = own_screen(site, desktop)
    browser("press", "Ctrl+Alt+Del")
    eventually(lambda: own_screen(site, desktop) != typed, 20)
    eventually(same, 30)
    assert events(site, "desktop.console_opened") == [("admin", desktop)] * 2
    browser.close()
    eventually(lambda: events(site, "desktop.console_closed") == [("admin", desktop)] * 2, 20)


def lacking():
    for program in "node", "npm", "chromium":
        if not shutil.which(program):
            return program + " is missing"
    return libvirt_host.missing() or guest_harness.lacking()


def prepare():
    if not os.path.isdir(WEB + "/node_modules/playwright-core"):
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=WEB, check=True)


if __name__ == "__main__":
    sys.exit(run(Bare, lacking(), prepare, test_a_machine_without_a_system_is_seen_and_typed_at))
