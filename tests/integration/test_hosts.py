#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider "hosts": the contract of all drivers with seats on loopback that sleep, are woken by magic packets and cleaned through a real
sshd; real VNC and RDP servers for the probes; seats that die, do not come up, cannot be cleaned or leave the list. Needs root and openssh-server.
Covers: broker/hypervisor/hosts/hosts.c broker/hypervisor/hosts/op.c broker/hypervisor/hosts/life.c broker/hypervisor/hosts/take.c
broker/hypervisor/hosts/inventory.c

Run alone: top_builddir=build python3 tests/integration/test_hosts.py"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import uuid

from driver_harness import BUILD, LATER, Driver, Refused, is_for_later
from ssh_host import Host, missing, port_free

UNIT = BUILD + "/tests/unit/hypervisor/unit-hypervisor"
SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seat_server.py")
OFF = "kill -KILL $(cat %s/{address}.pid)"


def new():
    return str(uuid.uuid4())


def eventually(what, seconds=20):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it does not happen"
        time.sleep(0.02)


class Lab:
    """Seats at 127.0.9.1, 127.0.9.2, …: a process each while they are on, and what wakes them."""

    def __init__(self, top, n, protocol):
        self.dir, self.port, self.protocol, self.processes = top, port_free(), protocol, {}
        os.makedirs(top, exist_ok=True)
        self.addresses = ["127.0.9.%d" % (i + 1) for i in range(n)]
        self.bios = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.bios.bind(("127.0.0.1", 0))
        self.packets = []
        threading.Thread(target=self.listen, daemon=True).start()
        self.write(self.lines())

    def lines(self):
        pin = " fingerprint=" + "ab" * 32 if self.protocol == "rdp" else ""
        return ["lab-%d address=%s protocol=%s port=%d mac=52:54:00:00:00:%02x%s" % (i + 1, a, self.protocol, self.port, i + 1, pin)
                for i, a in enumerate(self.addresses)]

    def write(self, lines):
        with open(self.dir + "/seats", "w") as f:
            f.write("\n".join(lines) + "\n")

    def listen(self):
        while True:
            packet = self.bios.recv(512)
            if not packet:
                return
            self.packets.append(packet)
            number = packet[11]
            if packet[:6] == b"\xff" * 6 and packet[6:12] * 16 == packet[6:102] and 0 < number <= len(self.addresses):
                self.on(self.addresses[number - 1])

    def pid(self, address):
        return "%s/%s.pid" % (self.dir, address)

    def is_on(self, address):
        p = self.processes.get(address)
        return p is not None and p.poll() is None

    def on(self, address):
        if self.is_on(address):
            return
        if os.path.exists(self.pid(address)):
            os.unlink(self.pid(address))
        self.processes[address] = subprocess.Popen([sys.executable, SERVER, address, str(self.port), self.protocol, self.pid(address)])
        eventually(lambda: os.path.exists(self.pid(address)))

    def off(self, address):
        self.processes[address].kill()
        self.processes[address].wait()

    def close(self):
        self.bios.sendto(b"", self.bios.getsockname())
        for p in self.processes.values():
            p.kill()
            p.wait()


class Hosts(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="puesto-hosts-")
        self.addCleanup(shutil.rmtree, self.dir, True)

    def lab(self, n, protocol="vnc"):
        lab = Lab(self.dir + "/lab", n, protocol)
        self.addCleanup(lab.close)
        for address in lab.addresses:
            lab.on(address)
        return lab

    def sshd(self, lab):
        """One sshd that is every seat's."""
        host = Host(self.dir + "/host")
        self.addCleanup(host.close)
        with open(host.dir + "/host.pub") as f:
            key = " ".join(f.read().split()[:2])
        with open(host.dir + "/known_hosts", "w") as f:
            f.write("".join("[%s]:%d %s\n" % (a, host.port, key) for a in lab.addresses))
        with open(host.dir + "/sshd_config") as f:
            conf = f.read()
        with open(host.dir + "/sshd_config", "w") as f:
            f.write(conf + "".join("ListenAddress %s\n" % a for a in lab.addresses))
        host.start()
        self.sshd_again = {"identity": host.dir + "/client", "known_hosts": host.dir + "/known_hosts", "port": host.port}
        return self.sshd_again

    def settings(self, lab, **more):
        s = {"kind": "hosts", "seats": lab.dir + "/seats", "wake": "127.0.0.1", "wake_port": lab.bios.getsockname()[1], "wake_s": 20,
             "poll_s": 1, "deadline_s": 40, "refresh": "none", "foreign": "yes"}
        s.update(more)
        return {k: v for k, v in s.items() if v is not None}

    def driver(self, lab, **more):
        d = Driver(self.dir + "/data", self.settings(lab, **more))
        self.addCleanup(d.end)
        return d

    def test_the_contract_of_all_drivers(self):
        lab = self.lab(6, "vnc")
        conf = self.dir + "/contract.conf"
        settings = self.settings(lab, foreign="yes", off=OFF % lab.dir, refresh="echo {name} >>%s/cleaned" % lab.dir, restart="true", **self.sshd(lab))
        with open(conf, "w") as f:
            f.write("[provider-test]\n" + "".join("%s = %s\n" % s for s in settings.items()))
        env = dict(os.environ, PUESTO_HOSTS_CONF=conf, PUESTO_SEATS=lab.dir)
        run = subprocess.run([UNIT, "--filter", "hosts/keeps_the_contract"], env=env, capture_output=True, text=True, timeout=240, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("Passing: 1", run.stderr)
        with open(lab.dir + "/cleaned") as f:
            self.assertGreater(len(f.readlines()), 5)

    def test_a_seat_is_lent_once_and_survives_a_crash(self):
        lab = self.lab(2)
        d = self.driver(lab)
        desktops = [new(), new()]
        seats = {d.call("create", desktop, new(), "ref:any")["machine"]["address"] for desktop in desktops}
        self.assertEqual(seats, set(lab.addresses))
        refused = d.refused("create", new(), new(), "ref:any")
        self.assertEqual((refused.code, "no seat is free: 2 of 2 are lent" in refused.text), ("busy", True), refused.text)
        before = d.machines()
        d.kill()
        d = self.driver(lab)
        self.assertEqual(d.machines(), before)
        self.assertEqual(d.refused("create", new(), new(), "ref:any").code, "busy")
        d.call("destroy", desktops[0])
        self.assertEqual(d.call("create", new(), new(), "ref:any")["machine"]["address"], before[desktops[0]]["address"])

    def test_a_sleeping_seat_is_woken_and_one_that_does_not_wake_is_told(self):
        lab = self.lab(2)
        for address in lab.addresses:
            lab.off(address)
        lines = lab.lines()
        lab.write([lines[0] + " secureon=01:02:03:04:05:06"])
        d = self.driver(lab)
        self.assertEqual(d.call("create", new(), new(), "ref:any")["machine"]["address"], "127.0.9.1")
        self.assertEqual(len(lab.packets[0]), 108)
        self.assertEqual(lab.packets[0], b"\xff" * 6 + bytes.fromhex("525400000001") * 16 + b"\x01\x02\x03\x04\x05\x06")
        # A board whose network card has another address than the list says.
        lab.write([lines[0], lines[1].replace("00:02", "00:77")])
        d.end()
        d = self.driver(lab, wake_s=1)
        refused = d.refused("create", new(), new(), "ref:any")
        self.assertIn("1 of 2 are lent; the seat lab-2 (127.0.9.2) does not answer: Connection refused", refused.text)
        health = d.health()
        self.assertTrue(health["healthy"])
        self.assertIn("lab-2", health["reason"])
        self.assertEqual(len(os.listdir(self.dir + "/data/seats/test")), 1, "what was not lent is not held")

    def test_a_dead_seat_ends_its_desktop_with_a_reason(self):
        lab = self.lab(1)
        d = self.driver(lab)
        desktop = new()
        d.call("create", desktop, new(), "ref:any")
        d.call("watch", desktop)
        lab.off(lab.addresses[0])
        end = d.ends.get(timeout=30)
        self.assertEqual(end["reason"], "the seat lab-1 (127.0.9.1) does not answer: Connection refused")
        self.assertEqual(d.machines()[desktop]["state"], "failed")
        lab.on(lab.addresses[0])
        self.assertEqual(d.machines()[desktop]["state"], "running")

    def test_one_lost_answer_is_no_death(self):
        lab = self.lab(1)
        lab.off(lab.addresses[0])
        drops = []
        listener = socket.create_server((lab.addresses[0], lab.port))

        def serve():
            while True:
                try:
                    s, _ = listener.accept()
                except OSError:
                    return
                if drops:
                    drops.pop()
                else:
                    s.sendall(b"RFB 003.003\n")
                s.close()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 10)
        self.addCleanup(listener.close)
        self.addCleanup(listener.shutdown, socket.SHUT_RDWR)
        d = self.driver(lab, poll_s=3600)
        desktop = new()
        d.call("create", desktop, new(), "ref:any")
        drops.append(1)
        self.assertEqual((d.machines()[desktop]["state"], drops), ("running", []))
        drops.extend([1, 1])
        self.assertEqual((d.machines()[desktop]["state"], drops), ("failed", []))

    def test_what_cannot_be_cleaned_is_not_lent(self):
        lab = self.lab(1)
        flag = self.dir + "/broken"
        d = self.driver(lab, refresh="test ! -e %s || { echo the disk is full >&2; exit 5; }; echo {name} {address} >>%s/cleaned" % (flag, self.dir),
                        **self.sshd(lab))
        desktop = new()
        d.call("create", desktop, new(), "ref:any")
        open(flag, "w").close()
        d.call("destroy", desktop)
        self.assertEqual(d.machines(), {})
        self.assertIn("the disk is full", d.health()["reason"])
        refused = d.refused("create", new(), new(), "ref:any")
        self.assertIn('"refresh" on root@127.0.9.1 failed with status 5: the disk is full', refused.text)
        d.kill()
        os.unlink(flag)
        d = self.driver(lab, refresh="echo {name} {address} >>%s/cleaned" % self.dir, **self.sshd_again)
        self.assertEqual(d.call("create", new(), new(), "ref:any")["machine"]["address"], "127.0.9.1")
        with open(self.dir + "/cleaned") as f:
            self.assertEqual(f.read(), "lab-1 127.0.9.1\n")

    def test_a_seat_of_ours_gets_its_enrolment_on_stdin(self):
        lab = self.lab(1, "agent")
        lab.off(lab.addresses[0])  # an agent without an identity listens to nobody
        with open(self.dir + "/ca.pem", "w") as f:
            f.write("AUTHORITY\n")
        # What the seat would do: it starts its agent. "wake" is the test's way to have the server begin.
        wake = "printf '\\377\\377\\377\\377\\377\\377%s' >/dev/udp/127.0.0.1/%d" % ("\\122\\124\\000\\000\\000\\001" * 16, lab.bios.getsockname()[1])
        d = self.driver(lab, foreign=None, agents="10.0.0.1:5911", agents_ca=self.dir + "/ca.pem",
                        seed="cat >%s/{name}.seed; bash -c \"%s\"" % (self.dir, wake), **self.sshd(lab))
        desktop = new()
        machine = d.call("create", desktop, new(), "ref:any", "t0p-secret")["machine"]
        self.assertEqual((machine["kind"], machine["address"]), (2, "127.0.9.1"))
        with open(self.dir + "/lab-1.seed") as f:
            seed = json.load(f)
        self.assertEqual((seed["token"], seed["desktop"]), ("t0p-secret", desktop))
        d.call("restart", desktop, new(), "refresh", "an0ther")
        with open(self.dir + "/lab-1.seed") as f:
            self.assertEqual(json.load(f)["token"], "an0ther")

    def test_a_list_that_is_wrong_is_no_news(self):
        lab = self.lab(2)
        d = self.driver(lab)
        desktop = new()
        address = d.call("create", desktop, new(), "ref:any")["machine"]["address"]
        lab.write(lab.lines() + ["lab-3 address=127.0.9.1 port=%d" % lab.port])
        self.assertEqual(d.refused("list").code, "invalid")
        self.assertIn("line 3: lab-3 has the address and port of lab-1", d.health()["reason"])
        os.unlink(lab.dir + "/seats")
        self.assertEqual(d.refused("list").code, "io")
        lab.write([line for line in lab.lines() if "address=%s " % address not in line])
        m = d.machines()[desktop]
        self.assertEqual((m["state"], "is not in" in m["reason"]), ("failed", True), m)
        d.call("destroy", desktop)
        self.assertEqual(os.listdir(self.dir + "/data/seats/test"), [])

    def test_foreign_seats_are_lent_when_that_is_wished(self):
        lab = self.lab(1, "rdp")
        d = self.driver(lab, foreign=None, seed="cat", agents="10.0.0.1:5911")
        self.assertIn("no seat with Puesto's agent", d.health()["reason"])
        self.assertEqual(d.refused("create", new(), new(), "ref:any").code, "busy")
        d.end()
        d = self.driver(lab)
        desktop = new()
        self.assertEqual(d.call("create", desktop, new(), "ref:any")["machine"]["kind"], 4)
        self.assertEqual(d.refused("console", desktop).code, "unsupported")

    def test_a_cancelled_wait_ends_and_can_be_asked_again(self):
        lab = self.lab(1)
        lab.off(lab.addresses[0])
        lab.write([lab.lines()[0].replace("00:01", "00:77")])
        d = self.driver(lab)
        desktop, task = new(), new()
        n = d.begin("create", desktop, task, "ref:any")
        eventually(lambda: lab.packets)
        d.call("cancel", desktop)
        with self.assertRaises(Refused) as r:
            d.finish(n)
        self.assertEqual(r.exception.code, "closed")
        self.assertEqual(d.machines()[desktop]["reason"], "its creation was interrupted")
        lab.on(lab.addresses[0])
        d.call("create", desktop, task, "ref:any")
        self.assertEqual(d.machines()[desktop]["state"], "running")

    # Real servers.

    def probed(self, protocol, port, times=12):
        """A seat with that server is lent, and asked so often that a server which counts strangers would shut us out."""
        os.makedirs(self.dir + "/one", exist_ok=True)
        with open(self.dir + "/one/seats", "w") as f:
            f.write("real address=127.0.0.1 protocol=%s port=%d%s\n" % (protocol, port, " fingerprint=" + "ab" * 32 if protocol == "rdp" else ""))
        d = self.one()
        desktop = new()
        d.call("create", desktop, new(), "ref:any")
        for _ in range(times):
            self.assertEqual(d.machines()[desktop]["state"], "running")
        return d, desktop

    def one(self):
        d = Driver(self.dir + "/data", {"kind": "hosts", "seats": self.dir + "/one/seats", "refresh": "none", "foreign": "yes", "poll_s": 60})
        self.addCleanup(d.end)
        return d

    def test_an_rdp_seat_that_nothing_is_known_of_is_not_lent(self):
        os.makedirs(self.dir + "/one", exist_ok=True)
        with open(self.dir + "/one/seats", "w") as f:
            f.write("real address=127.0.0.1 protocol=rdp port=%d\n" % port_free())
        with self.assertRaisesRegex(Refused, "nothing says by what certificate real is known"):
            self.one().call("create", new(), new(), "ref:any")

    def spawn(self, *argv, port):
        p = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        self.addCleanup(p.wait)
        self.addCleanup(lambda: os.killpg(p.pid, signal.SIGKILL))

        def listens():
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return True
            except OSError:
                return False
        eventually(listens)
        return p

    @unittest.skipUnless(shutil.which("Xvnc"), "tigervnc-standalone-server is not installed")
    def test_tigervnc_answers_and_does_not_shut_us_out(self):
        port = port_free()
        display = ":%d" % (20000 + port % 10000)
        self.spawn("Xvnc", display, "-rfbport", str(port), "-interface", "127.0.0.1", "-SecurityTypes", "None", "-geometry", "320x240", port=port)
        d, desktop = self.probed("vnc", port)
        self.assertEqual(d.call("console", desktop)["path"], "127.0.0.1")
        with socket.create_connection(("127.0.0.1", port), 5) as s:
            self.assertEqual(s.recv(12), b"RFB 003.008\n", "3.3 is what TigerVNC says to those it has shut out")

    @unittest.skipUnless(shutil.which("x11vnc") and shutil.which("Xvfb"), "x11vnc or xvfb is not installed")
    def test_x11vnc_answers(self):
        port = port_free()
        display = ":%d" % (30000 + port % 10000)
        x = subprocess.Popen(["Xvfb", display, "-screen", "0", "320x240x24", "-nolisten", "tcp"], stderr=subprocess.DEVNULL)
        self.addCleanup(x.wait)
        self.addCleanup(x.kill)
        eventually(lambda: os.path.exists("/tmp/.X11-unix/X" + display[1:]))
        self.spawn("x11vnc", "-display", display, "-rfbport", str(port), "-localhost", "-forever", "-shared", "-nopw", "-quiet", port=port)
        self.probed("vnc", port)

    @unittest.skipUnless(shutil.which("xrdp"), "xrdp is not installed")
    def test_xrdp_answers(self):
        port = port_free()
        ini = self.dir + "/xrdp.ini"
        with open("/etc/xrdp/xrdp.ini") as f:
            lines = f.read().splitlines()
        with open(ini, "w") as f:
            for line in lines:
                if line.startswith("port=3389"):
                    line = "port=tcp://127.0.0.1:%d" % port
                elif line.startswith("LogFile="):
                    line = "LogFile=%s/xrdp.log" % self.dir
                elif line.startswith("EnableSyslog="):
                    line = "EnableSyslog=false"
                f.write(line + "\n")
        self.spawn("xrdp", "--nodaemon", "--config", ini, port=port)
        self.probed("rdp", port, 4)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is not installed")
    def test_a_tls_server_answers_as_an_agent_does(self):
        port = port_free()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout",
                        self.dir + "/k", "-out", self.dir + "/c"], check=True, capture_output=True)
        self.spawn("openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-key", self.dir + "/k", "-cert", self.dir + "/c", "-tls1_3",
                   "-Verify", "1", "-quiet", port=port)
        self.probed("agent", port, 4)


def main():
    if is_for_later():
        print(LATER)
        return 77
    lacking = missing() + [p for p in (UNIT,) if not os.path.exists(p)]
    if os.geteuid() != 0 or lacking:
        print("SKIP: seats need root and %s: apt-get install openssh-server" % " ".join(lacking or ["sshd"]))
        return 77
    return 0 if unittest.main(verbosity=2, exit=False, warnings="ignore").result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
