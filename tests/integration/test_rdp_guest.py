#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Desktops of virtual machines that show themselves by RDP, with everything real: broker, provisioner ("qemu"), gateway, a Linux guest under QEMU with xrdp in it,
and as viewers noVNC's protocol and xfreerdp3. Of the second tier.

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_rdp_guest.py"""
import glob
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

import gate_harness
import guest_harness
import rdp_guest
from broker_harness import PASSWORDS, SETUP, Broker, eventually
from link_desk import agent_worker
from rdp_harness import Display
from test_gateway import Person
from test_remote_desktop import RawViewer

BUILD = gate_harness.BUILD
BOOT = 290.0


def colour(text):
    return bytes.fromhex(text)


class Site:
    """Broker, gateway, provisioner; the pool's one desktop is a machine of that image."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="pr-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.golden = self.folder + "/golden"
        os.mkdir(self.golden)
        image, self.pin = rdp_guest.image()
        for name in "disk.qcow2", "vmlinuz", "initrd":
            shutil.copyfile(os.path.join(image, name), os.path.join(self.golden, name))
            os.chmod(os.path.join(self.golden, name), 0o444)
        setup = json.loads(json.dumps(SETUP))
        setup["providers"][0]["name"] = setup["pools"][0]["provider"] = "vm"
        setup["images"][0]["versions"][0].update(base=self.golden + "/disk.qcow2", path=self.golden)
        setup["pools"][0].update(min=1, max=1, spec={"memory_mb": guest_harness.MEMORY_MB, "cpus": 2, "display": "rdp"})
        self.broker = Broker(setup)
        with open(self.folder + "/accounts", "w") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write("* any anything\n")
        self.conf, self.log = self.folder + "/provisioner.conf", open(self.folder + "/provisioner.log", "a")
        with open(self.conf, "w") as f:
            f.write("[provisioner]\ndata = %s\n[provider-vm]\nkind = qemu\ndirectory = %s/d\naccel = %s\ndeadline_s = 300\nrdp_wait_s = %d\nstop_wait_s = 20\nrdp_login = fixed\n"
                    "rdp_accounts = %s/accounts\nrdp_fingerprint = %s\n"
                    % (self.broker.dir, self.folder, guest_harness.accel().split(",")[0], BOOT, self.folder, self.pin))
        self.provisioner = subprocess.Popen([BUILD + "/broker/hypervisor/puesto-provisioner", "--config", self.conf], stdout=self.log, stderr=self.log,
                                            start_new_session=True)
        self.script = self.folder + "/worker"
        agent_worker(self.script)
        self.gate = gate_harness.Gateway(worker=self.script, broker_socket=self.broker.dir + "/run/gateway.sock")
        self.ana, self.admin = Person(self.gate, "ana"), Person(self.gate, "admin")

    def connect(self):
        """A viewer on the pool's desktop and its uuid, or None while it cannot be used."""
        pool = self.ana.call("GET", "me/pools")[1]["items"][0]["id"]
        status, answer = self.ana.call("POST", "me/pools/%s/connect" % pool, {"protocol": "novnc"})[:2]
        return (RawViewer(self.gate, answer["ticket"]), answer["desktop"]["id"]) if status == 200 else None

    def records(self):
        found = {}
        for path in glob.glob(self.folder + "/d/desktops/*/record.json"):
            try:
                with open(path) as f:
                    record = json.load(f)
                found[record["request"]["desktop"]] = record
            except (OSError, ValueError):
                pass
        return found

    def pid(self, desktop):
        try:
            with open("%s/d/desktops/%s/pid" % (self.folder, desktop)) as f:
                return json.load(f)["pid"]
        except (OSError, ValueError):
            return 0

    def told(self):
        with open(self.log.name) as f:
            return "\n---\n".join((f.read()[-4000:], self.broker.text()[-3000:], self.gate.text()[-3000:]))

    def close(self):
        self.gate.close()
        self.provisioner.terminate()
        self.provisioner.wait()
        for desktop in self.records():
            try:
                os.kill(self.pid(desktop), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                pass
        self.log.close()
        self.broker.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def colours(rows):
    """What the lower half shows, below the terminal: R, G, B."""
    half = b"".join(rows[len(rows) // 2:])
    return {half[i:i + 3] for i in range(0, len(half), 3)}


def seen(viewer):
    viewer.step(incremental=False)
    rgb = bytearray(viewer.screen)
    rgb[0::3], rgb[2::3] = rgb[2::3], rgb[0::3]
    width = 3 * viewer.width
    return colours([bytes(rgb[i:i + width]) for i in range(0, len(rgb), width)])


def shows(viewer, *wanted):
    return seen(viewer) == {colour(w) for w in wanted}


def type_text(viewer, text):
    viewer.send(struct.pack(">BBHH", 5, 0, 40, 30))  # over the terminal, which is where keys go without a window manager
    for c in text:
        keysym = 0xff0d if c == "\n" else ord(c)
        for down in (1, 0):
            viewer.send(struct.pack(">BBHI", 4, down, 0, keysym))


def a_user_sees_and_uses_it(site):
    viewer, desktop = eventually(site.connect, BOOT)
    assert site.records()[desktop]["request"]["spec"]["display"] == "rdp"
    eventually(lambda: shows(viewer, *rdp_guest.PATTERN), 60)
    type_text(viewer, "touch /var/mark; sync\n")
    eventually(lambda: shows(viewer, rdp_guest.MARKED), 60)
    viewer.ws.conn.close()
    return desktop


def xfreerdp_shows_it(site):
    """The same desktop, by a real RDP client; its pixels on a display of its own."""
    display = Display(*rdp_guest.SIZE)
    home = tempfile.mkdtemp(dir=site.folder)
    try:
        with open(home + "/log", "wb") as log:
            viewer = subprocess.Popen(["xfreerdp3", "/v:127.0.0.1:%d" % site.gate.rdp, "/u:ana", "/p:" + PASSWORDS["ana"], "/cert:ignore", "/sec:tls",
                                       "/size:%dx%d" % rdp_guest.SIZE, "/window-position:0x0"], env=dict(display.env, HOME=home), stdin=subprocess.DEVNULL,
                                      stdout=log, stderr=log)
        try:
            eventually(lambda: colours(display.picture(*rdp_guest.SIZE)) == {colour(rdp_guest.MARKED)}, 90)
        except BaseException:
            with open(home + "/log", errors="replace") as f:
                print(f.read()[-2000:], file=sys.stderr)
            raise
        finally:
            viewer.terminate()
            viewer.wait(20)
    finally:
        display.close()


def a_restart_keeps_what_is_there(site, desktop):
    before = site.pid(desktop)
    assert site.admin.call("POST", "desktops/%s/restart" % desktop, {})[0] in (200, 202, 204)
    eventually(lambda: site.pid(desktop) not in (0, before), 60)
    viewer, again = eventually(site.connect, BOOT)
    assert again == desktop
    eventually(lambda: shows(viewer, rdp_guest.MARKED), 60)
    viewer.ws.conn.close()


def a_log_off_makes_it_new(site, desktop):
    before = site.pid(desktop)
    assert site.ana.call("POST", "me/desktops/%s/logoff" % desktop, {})[0] in (200, 202, 204)
    eventually(lambda: site.pid(desktop) not in (0, before), 60)
    viewer, _ = eventually(site.connect, BOOT)
    eventually(lambda: shows(viewer, *rdp_guest.PATTERN), 60)
    viewer.ws.conn.close()


def main():
    if int(os.environ.get("PUESTO_TIER", "1")) < 2:
        print("skipped: of tier 2")
        return 77
    why = rdp_guest.lacking() or ("" if shutil.which("xfreerdp3") else "xfreerdp3")
    if why:
        print("skipped:", why)
        return 77
    site = Site()
    try:
        desktop = a_user_sees_and_uses_it(site)
        print("PASS a user sees and uses it", flush=True)
        xfreerdp_shows_it(site)
        print("PASS xfreerdp shows it", flush=True)
        a_restart_keeps_what_is_there(site, desktop)
        print("PASS a restart keeps what is there", flush=True)
        a_log_off_makes_it_new(site, desktop)
        print("PASS a log-off makes it new", flush=True)
        return 0
    except BaseException:
        print(site.told(), file=sys.stderr)
        raise
    finally:
        site.close()


if __name__ == "__main__":
    sys.exit(main())
