#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools of the providers "ssh" and "hosts" with everything real: broker, provisioner, an sshd, puesto-seed and puesto-agent at another address, gateway
and viewer. A user logs in and sees the desk's screen; log-off cleans it and enrols it anew. In a network namespace of the test's own.

Needs root, openssh-server and Xvfb. Run alone: top_builddir=build python3 tests/integration/test_foreign_pool.py"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

import gate_harness
from broker_harness import SETUP, Broker, eventually
from ssh_host import Host, missing
from test_gateway import Person
from test_remote_desktop import DISPLAY, SIZE, RawViewer, Screen

BUILD = gate_harness.BUILD
PROGRAMS = [BUILD + p for p in ("/agent/puesto-seed", "/puesto-agent", "/puesto-link", "/puesto-worker", "/broker/hypervisor/puesto-provisioner")]
HERE, THERE = "10.231.78.1", "10.231.78.2"

# A desk is a root folder: what puesto-seed writes, an agent, and what its user leaves.
START = """#!/bin/sh
set -e
root=$1
[ ! -s $root/pid ] || kill $(cat $root/pid) 2>/dev/null || true
mkdir -p $root/etc $root/home
{seed} --set seed.root=$root --set seed.user=root 2>>$root/log
setsid {agent} --config $root/etc/puesto/agent.conf --set agent.run=$root/var/lib/puesto/agent --set agent.ca=$root/etc/puesto/ca.pem \\
	--set agent.display={display} </dev/null >>$root/log 2>&1 &
echo $! >$root/pid
"""
STOP = """#!/bin/sh
[ ! -s $1/pid ] || kill $(cat $1/pid) 2>/dev/null
rm -rf $1/home $1/pid
"""
PUT = "mkdir -p %s/var/lib/puesto && umask 077 && cat >%s/var/lib/puesto/seed.json"


class Site:
    def __init__(self, kind):
        self.dir = tempfile.mkdtemp(prefix="puesto-foreign-")
        os.chmod(self.dir, 0o755)
        self.gate = self.provisioner = self.broker = None
        self.host = Host(self.dir + "/host")
        self.desks = self.dir + "/desks"
        os.mkdir(self.desks)
        for name, text in (("start", START.format(seed=PROGRAMS[0], agent=PROGRAMS[1], display=DISPLAY)), ("stop", STOP)):
            with open("%s/%s" % (self.dir, name), "w") as f:
                f.write(text)
            os.chmod("%s/%s" % (self.dir, name), 0o755)
        self.x = subprocess.Popen(["Xvfb", DISPLAY, "-screen", "0", "%dx%dx24" % SIZE, "-noreset", "-nolisten", "tcp"], stderr=subprocess.DEVNULL)
        eventually(lambda: os.path.exists("/tmp/.X11-unix/X" + DISPLAY[1:]))
        self.sshd()
        self.begin(kind)

    def sshd(self):
        with open(self.host.dir + "/host.pub") as f:
            key = " ".join(f.read().split()[:2])
        with open(self.host.dir + "/known_hosts", "w") as f:
            f.write("[%s]:%d %s\n" % (THERE, self.host.port, key))
        with open(self.host.dir + "/sshd_config", "a") as f:
            f.write("ListenAddress %s\n" % THERE)
        self.host.start()

    def provider(self, kind, port, pki):
        common = {"identity": self.host.dir + "/client", "known_hosts": self.host.dir + "/known_hosts", "port": self.host.port,
                  "agents": "%s:%d" % (HERE, port), "agents_ca": pki + "/ca.pem", "poll_s": 2, "deadline_s": 60}
        desk = self.desks + "/desk"
        if kind == "hosts":
            with open(self.dir + "/seats", "w") as f:
                f.write("desk address=%s\n" % THERE)
            own = {"seats": self.dir + "/seats", "refresh": "%s/stop %s" % (self.dir, desk),
                   "seed": "(%s) && %s/start %s" % (PUT % (desk, desk), self.dir, desk)}
        else:
            own = {"host": THERE, "records": self.dir + "/records", "root": self.desks, "addresses": "%s-%s" % (THERE, THERE),
                   "create": "mkdir {root}/{name}", "seed": "(%s)" % (PUT % ("{root}/{name}", "{root}/{name}")), "start": self.dir + "/start {root}/{name}",
                   "stop": self.dir + "/stop {root}/{name}", "destroy": self.dir + "/stop {root}/{name}; rm -rf {root}/{name}",
                   "list": "cd {root} && for d in *; do [ -d \"$d\" ] || continue; if kill -0 \"$(cat $d/pid)\" 2>/dev/null; then echo \"$d running\"; "
                           "else echo \"$d stopped\"; fi; done"}
        return "kind = %s\n" % kind + "".join("%s = %s\n" % item for item in dict(common, **own).items())

    def begin(self, kind):
        pki = self.dir + "/pki"
        subprocess.run([BUILD + "/base/puesto-pki", "init", pki, "--host", "localhost"], check=True, stdout=subprocess.DEVNULL)
        setup = json.loads(json.dumps(SETUP))
        setup["providers"][0]["name"] = setup["pools"][0]["provider"] = "far"
        setup["images"][0]["versions"][0].update(base="ref:desk")
        setup["pools"][0].update(min=1, max=1)
        port = gate_harness.free_port()
        files = "".join("%s = %s/%s\n" % (k, pki, f) for k, f in (("ca", "ca.pem"), ("ca_key", "ca.key"), ("cert", "broker.pem"), ("key", "broker.key")))
        self.broker = Broker(setup, "[agents]\nlisten = %s:%d\n%s" % (HERE, port, files))
        with open(self.dir + "/provisioner.conf", "w") as f:
            f.write("[provisioner]\ndata = %s\n[provider-far]\n%s" % (self.broker.dir, self.provider(kind, port, pki)))
        self.log = open(self.dir + "/provisioner.log", "w")
        self.provisioner = subprocess.Popen([PROGRAMS[4], "--config", self.dir + "/provisioner.conf"], stdout=self.log, stderr=self.log)
        link = "[link]\npath = %s/puesto-link\nnetworks = 10.231.78.0/24\nca = %s/ca.pem\ncert = %s/gateway.pem\nkey = %s/gateway.key\n" % (BUILD, pki, pki, pki)
        self.gate = gate_harness.Gateway(worker=BUILD + "/puesto-worker", broker_socket=self.broker.dir + "/run/gateway.sock", more=link)
        self.ana = Person(self.gate, "ana")

    def connect(self):
        """(viewer, desktop's uuid), or None while there is none that can be used."""
        pool = self.ana.call("GET", "me/pools")[1]["items"][0]["id"]
        status, answer = self.ana.call("POST", "me/pools/%s/connect" % pool, {"protocol": "novnc"})[:2]
        return (RawViewer(self.gate, answer["ticket"]), answer["desktop"]["id"]) if status == 200 else None

    def desk(self):
        """The folder of the one that there is."""
        name, = os.listdir(self.desks)
        return self.desks + "/" + name

    def told(self):
        texts = [open(self.log.name).read()[-3000:], self.broker.text()[-3000:]]
        return "\n---\n".join(texts + [open("%s/%s/log" % (self.desks, d)).read()[-2000:] for d in os.listdir(self.desks) if os.path.exists("%s/%s/log" % (self.desks, d))])

    def close(self):
        if self.gate:
            self.gate.close()
        if self.provisioner:
            self.provisioner.terminate()
            self.provisioner.wait()
        if self.broker:
            self.broker.close()
        for name in os.listdir(self.desks):
            subprocess.run([self.dir + "/stop", self.desks + "/" + name], check=False)
        self.host.close()
        self.x.terminate()
        self.x.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


class Foreign(unittest.TestCase):
    def life(self, kind):
        began = time.monotonic()
        site = Site(kind)
        self.addCleanup(site.close)
        try:
            viewer, desktop = eventually(site.connect, 60)
            print("%s: a user is connected after %.1f s" % (kind, time.monotonic() - began), file=sys.stderr)
            screen = Screen()
            for seed in (1, 2):
                screen.paint(seed)
                want = screen.pixels()
                eventually(lambda: viewer.step(incremental=False) or bytes(viewer.screen) == want, 30)
            desk = site.desk()
            self.assertFalse(os.path.exists(desk + "/var/lib/puesto/seed.json"), "the seed is used up")
            with open(desk + "/home/left", "w") as f:
                f.write("what ana left\n")
            viewer.ws.conn.close()
            status = site.ana.call("POST", "me/desktops/%s/logoff" % desktop, {})[0]
            self.assertIn(status, (200, 202, 204))
            eventually(lambda: not os.path.exists(desk + "/home/left"), 60)
            viewer, again = eventually(site.connect, 60)
            self.assertEqual(again, desktop)
            self.assertFalse(os.path.exists(site.desk() + "/home/left"))
            viewer.step(incremental=False)
            viewer.ws.conn.close()
        except BaseException:
            print(site.told(), file=sys.stderr)
            raise

    def test_a_seat_is_lent_cleaned_and_lent_again(self):
        self.life("hosts")

    def test_a_machine_made_by_ssh_is_used_and_made_anew(self):
        self.life("ssh")


def main():
    if os.environ.get("SANITIZED"):
        print("SKIP: agents of other hosts are slow with sanitizers")
        return 77
    lacking = missing() + [p for p in PROGRAMS if not os.path.exists(p)] + [p for p in ("Xvfb", "ip", "unshare") if not shutil.which(p)]
    if os.geteuid() != 0 or lacking:
        print("SKIP: needs root and %s: apt-get install openssh-server xvfb iproute2" % " ".join(lacking))
        return 77
    if "PUESTO_TEST_INSIDE" not in os.environ:
        os.environ["PUESTO_TEST_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "-m", "-n", "--propagation", "private", sys.executable] + sys.argv)
    for words in (("link", "set", "lo", "up"), ("addr", "add", HERE + "/32", "dev", "lo"), ("addr", "add", THERE + "/32", "dev", "lo")):
        subprocess.run(("ip",) + words, check=True)
    return 0 if unittest.main(verbosity=2, exit=False, warnings="ignore").result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
