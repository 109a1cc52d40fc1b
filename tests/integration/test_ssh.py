#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider "ssh" with a real sshd on loopback and machines that are processes in namespaces: the contract of all drivers, and a host
that refuses, changes its key, fails half-way, hangs, says megabytes, or loses its sshd. Needs root and openssh-server.
Covers: broker/hypervisor/ssh/ssh.c broker/hypervisor/ssh/op.c broker/hypervisor/ssh/life.c broker/hypervisor/ssh/power.c
broker/hypervisor/ssh/inventory.c broker/hypervisor/ssh/remote.c broker/hypervisor/ssh/exec.c

Run alone: top_builddir=build python3 tests/integration/test_ssh.py"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
import uuid

from driver_harness import BUILD, LATER, Driver, Refused, is_for_later
from ssh_host import COMMANDS, Host, missing

UNIT = BUILD + "/tests/unit/hypervisor/unit-hypervisor"


CREATE = COMMANDS["create"].replace("{image}", "{root}/../{image}")


def eventually(what, seconds=20):
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it does not happen"
        time.sleep(0.02)


def new():
    return str(uuid.uuid4())


class Ssh(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="puesto-ssh-")
        self.host = Host(self.dir + "/host")
        self.addCleanup(shutil.rmtree, self.dir, True)
        self.addCleanup(self.host.close)
        self.host.start()
        self.drivers = []

    def driver(self, **more):
        d = Driver("%s/data" % self.dir, self.host.settings(**more))
        self.addCleanup(d.end)
        return d

    def create(self, d, desktop=None, token="-"):
        desktop = desktop or new()
        return desktop, d.call("create", desktop, new(), self.host.dir + "/image", token)

    def folder(self, desktop):
        return "%s/puesto-%s" % (self.host.machines, desktop)

    def read(self, desktop, name):
        with open("%s/%s" % (self.folder(desktop), name)) as f:
            return f.read()

    def records(self):
        return glob.glob(self.host.records + "/*/*.json")

    def test_the_contract_of_all_drivers(self):
        conf = self.dir + "/contract.conf"
        with open(conf, "w") as f:
            f.write("[provider-test]\n" + "".join("%s = %s\n" % s for s in self.host.settings(create=CREATE).items()))
        env = dict(os.environ, PUESTO_SSH_CONF=conf, PUESTO_SSH_IMAGE="ref:image", PUESTO_SSH_MACHINES=self.host.machines)
        run = subprocess.run([UNIT, "--filter", "ssh/keeps_the_contract"], env=env, capture_output=True, text=True, timeout=240, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertIn("Passing: 1", run.stderr)
        self.assertEqual(os.listdir(self.host.machines), [])
        self.assertEqual([p for p in glob.glob(self.host.records + "/*/*")], [])

    def test_what_was_asked_for_arrives_and_no_secret_on_a_command_line(self):
        ca = self.dir + "/ca.pem"
        with open(ca, "w") as f:
            f.write("AUTHORITY\n")
        seen = self.dir + "/seen"
        create = "cat /proc/[0-9]*/cmdline >%s; cp {seed} %s.file; ls -l {seed} >%s.mode; cp -a {image} {root}/{name}; cat >{root}/{name}/seed" % ((seen,) * 3)
        d = self.driver(agents="10.0.0.1:5911", agents_ca=ca, create=create)
        desktop, answer = self.create(d, token="t0p-secret")
        self.assertEqual(answer["machine"]["address"], "10.9.0." + answer["machine"]["address"].rsplit(".", 1)[1])
        seed = json.loads(self.read(desktop, "seed"))
        self.assertEqual((seed["token"], seed["desktop"], seed["ca"]), ("t0p-secret", desktop, "AUTHORITY\n"))
        with open(seen + ".file") as f:
            self.assertEqual(json.load(f), seed)
        with open(seen + ".mode") as f:
            self.assertTrue(f.read().startswith("-rw-------"))
        self.assertEqual(glob.glob(self.host.records + "/*/*.seed"), [])
        with open(seen, "rb") as f:
            self.assertNotIn(b"t0p-secret", f.read())
        with open(self.records()[0]) as f:
            self.assertNotIn("t0p-secret", f.read())

    def test_a_strangers_machine_is_never_touched(self):
        d = self.driver()
        desktop, task = new(), new()
        os.makedirs(self.folder(desktop))
        refused = d.refused("create", desktop, task, self.host.dir + "/image")
        self.assertEqual(refused.code, "conflict")
        self.assertIn("left alone", refused.text)
        d.call("destroy", desktop)
        self.assertTrue(os.path.isdir(self.folder(desktop)))
        self.assertEqual(d.machines(), {})
        self.assertEqual(d.refused("power", desktop, "off").code, "not_found")

    def test_words_of_an_image_are_words(self):
        d = self.driver()
        evil = "%s/a'b$(touch %s/evil)`id`\"; x" % (self.dir, self.dir)
        shutil.copytree(self.host.dir + "/image", evil.replace(" ", "_"))
        d.call("create", new(), new(), evil.replace(" ", "_"))
        self.assertFalse(os.path.exists(self.dir + "/evil"))

    def test_refused_connections_and_changed_keys_are_told(self):
        d = self.driver()
        desktop, _ = self.create(d)
        self.host.kill()
        health = d.health()
        self.assertFalse(health["healthy"])
        self.assertIn("root@127.0.0.1 cannot be reached", health["reason"])
        self.assertIn("Connection refused", health["reason"])
        self.assertEqual(d.refused("list").code, "io")
        self.host.key("host")
        self.host.start()
        reason = d.health()["reason"]
        self.assertIn("shows a key that is not its key in %s/known_hosts" % self.host.dir, reason)
        self.assertIn("somebody stands between", reason)
        self.host.known("host")
        self.assertTrue(d.health()["healthy"])
        self.assertEqual(d.machines()[desktop]["state"], "running")
        os.unlink(self.host.dir + "/authorized")
        self.host.kill()
        self.host.start()
        self.assertIn("refuses the key %s/client" % self.host.dir, d.health()["reason"])

    def test_what_fails_half_way_leaves_nothing(self):
        d = self.driver(create="cp -a {image} {root}/{name}; echo no space for {hostname} >&2; exit 7")
        refused = d.refused("create", new(), new(), self.host.dir + "/image")
        self.assertEqual((refused.code, os.listdir(self.host.machines), self.records()), ("io", [], []))
        self.assertIn('"create" on root@127.0.0.1 failed with status 7: no space for test', refused.text)

    def test_a_destroy_that_says_it_did_and_did_not(self):
        d = self.driver(destroy="true")
        desktop, _ = self.create(d)
        refused = d.refused("destroy", desktop)
        self.assertIn("still lists puesto-" + desktop, refused.text)
        self.assertEqual(d.machines()[desktop]["state"], "failed")
        d.end()
        d = self.driver()
        d.call("destroy", desktop)
        self.assertEqual((os.listdir(self.host.machines), self.records()), ([], []))

    def test_what_hangs_is_ended_there_too(self):
        flag = self.dir + "/flag"
        d = self.driver(deadline_s=2, start="echo $$ >%s; exec sleep 3000" % flag)
        desktop, begun = new(), time.monotonic()
        refused = d.refused("create", desktop, new(), self.host.dir + "/image")
        self.assertEqual(refused.code, "timeout")
        self.assertLess(time.monotonic() - begun, 20)
        with open(flag) as f:
            pid = int(f.read())
        eventually(lambda: not os.path.exists("/proc/%d" % pid))
        d.end()
        d = self.driver()
        d.call("destroy", desktop)
        self.assertEqual((os.listdir(self.host.machines), self.records()), ([], []))

    def test_a_cancelled_command_ends_and_can_be_asked_again(self):
        flag = self.dir + "/flag"
        d = self.driver(start="echo $$ >%s; if [ -e %s.on ]; then exit 0; fi; exec sleep 3000" % (flag, flag))
        desktop, task = new(), new()
        n = d.begin("create", desktop, task, self.host.dir + "/image")
        eventually(lambda: os.path.exists(flag) and open(flag).read())
        d.call("cancel", desktop)
        with self.assertRaises(Refused) as r:
            d.finish(n)
        self.assertEqual(r.exception.code, "closed")
        open(flag + ".on", "w").close()
        d.call("create", desktop, task, self.host.dir + "/image")
        self.assertEqual(len(os.listdir(self.host.machines)), 1)

    def test_megabytes_are_not_kept(self):
        d = self.driver(create="head -c 30000000 /dev/zero | tr '\\0' x; head -c 30000000 /dev/zero >&2; cp -a {image} {root}/{name}")
        desktop, _ = self.create(d)
        d.call("destroy", desktop)
        d.end()
        d = self.driver(list="yes puesto running | head -c 30000000")
        self.assertEqual(d.refused("list").code, "limit")
        self.assertFalse(d.health()["healthy"])
        with open("/proc/%d/status" % d.process.pid) as f:
            peak = int(re.search(r"VmHWM:\s+(\d+)", f.read())[1])
        self.assertLess(peak, 80000 if not os.environ.get("SANITIZED") else 800000)

    def test_a_list_that_fails_or_is_cut_is_no_list(self):
        d = self.driver()
        desktop, _ = self.create(d)
        d.call("watch", desktop)
        d.end()
        for broken in ("echo puesto-%s stopped; exit 3" % desktop, "kill -KILL $$", "kill -KILL $PPID"):
            d = self.driver(list=broken)
            self.assertIn(d.refused("list").code, ("io", "protocol"))
            self.assertFalse(d.health()["healthy"])
            d.end()
        path, = self.records()
        with open(path, "w") as f:
            f.write("{}\n")
        d = self.driver()
        self.assertEqual(d.refused("list").code, "invalid")

    def test_a_host_that_lists_nothing_is_no_news(self):
        """One machine may have gone; all of several is rather the list's fault."""
        d = self.driver(list='[ -e {root}/../silent ] || { ' + COMMANDS["list"] + '; }')
        (one, _), (two, _) = self.create(d), self.create(d)
        d.call("watch", one)
        silent = self.host.dir + "/silent"
        open(silent, "w").close()
        refused = d.refused("list")
        self.assertEqual((refused.code, "none of its 2" in refused.text), ("protocol", True), refused.text)
        self.assertIn("none of its 2", d.health()["reason"])
        self.assertTrue(d.ends.empty())
        os.unlink(silent)
        self.assertEqual({m["state"] for m in d.machines().values()}, {"running"})
        d.call("power", two, "off")
        shutil.rmtree(self.folder(two))
        self.assertEqual(d.machines()[two]["reason"], "the host has no such machine any more")
        for desktop in (one, two):
            d.call("destroy", desktop)

    def test_a_create_that_says_it_did_and_did_not(self):
        d = self.driver(create=COMMANDS["create"] + "; [ ! -e {root}/../liar ] || rm -rf {root}/{name}", start="true", list=COMMANDS["list"].replace("stopped", "running"))
        liar = self.host.dir + "/liar"
        open(liar, "w").close()
        refused = d.refused("create", new(), new(), self.host.dir + "/image", "-")
        self.assertIn("does not list", refused.text)
        self.assertEqual(d.machines(), {})
        os.unlink(liar)
        d.call("destroy", self.create(d)[0])

    def test_sshd_killed_in_the_middle(self):
        flag = self.dir + "/flag"
        d = self.driver(start="echo $$ >%s; while [ ! -e %s.on ]; do sleep 0.05; done; true" % (flag, flag))
        desktop, task = new(), new()
        n = d.begin("create", desktop, task, self.host.dir + "/image")
        eventually(lambda: os.path.exists(flag) and open(flag).read())
        self.host.kill()
        with self.assertRaises(Refused) as r:
            d.finish(n)
        self.assertIn(r.exception.code, ("io", "protocol"))
        with open(flag) as f:
            pid = int(f.read())
        eventually(lambda: not os.path.exists("/proc/%d" % pid))
        self.assertEqual(d.refused("list").code, "io", "an unknown machine is not a gone one")
        self.host.start()
        m = d.machines()[desktop]
        self.assertEqual((m["state"], m["reason"]), ("failed", "its creation was interrupted"))
        open(flag + ".on", "w").close()
        d.call("create", desktop, task, self.host.dir + "/image")
        self.assertEqual(len(self.records()), 1)

    def test_a_killed_provisioner_loses_nothing(self):
        d = self.driver()
        made = [self.create(d)[0] for _ in range(3)]
        addresses = {m["address"] for m in d.machines().values()}
        d.kill()
        d = self.driver()
        self.assertEqual(set(d.machines()), set(made))
        _, answer = self.create(d)
        self.assertNotIn(answer["machine"]["address"], addresses)
        d.call("watch", made[0])
        with open(self.folder(made[0]) + "/pid") as f:
            os.kill(int(f.read()), 9)
        self.assertEqual(d.ends.get(timeout=20)["ended"], made[0])

    def test_what_is_not_set_is_not_carried(self):
        d = self.driver(snapshot=None, resize=None, grow=None)
        self.assertEqual(d.health()["can"], "power,linked_clone")
        desktop, _ = self.create(d)
        self.assertEqual(d.refused("snapshot", desktop, "take", "a").code, "unsupported")
        self.assertEqual(d.refused("resize", desktop, 256, 0, 0).code, "unsupported")
        d.end()
        d = self.driver()
        d.call("resize", desktop, 256, 150, 0)
        self.assertEqual(self.read(desktop, "size"), "256 2 150\n")
        d.call("resize", desktop, 0, 0, 4096)
        self.assertEqual(self.read(desktop, "disk"), "4096\n")
        self.assertEqual(d.refused("resize", desktop, 0, 0, 64).code, "invalid")

    @unittest.skipUnless(shutil.which("lxc-copy") and os.path.exists("/bin/busybox"), "lxc and busybox-static are not installed")
    def test_the_set_lxc_with_real_containers(self):
        root, golden = self.dir + "/lxc", self.dir + "/lxc/desk"
        for name in ("bin", "proc", "sys", "dev"):
            os.makedirs(golden + "/rootfs/" + name)
        shutil.copy("/bin/busybox", golden + "/rootfs/bin/")
        with open(golden + "/config", "w") as f:
            f.write("lxc.rootfs.path = dir:%s/rootfs\nlxc.net.0.type = empty\nlxc.init.cmd = /bin/busybox sleep 10000\nlxc.apparmor.profile = unchanged\n" % golden)
        with open(self.dir + "/ca.pem", "w") as f:
            f.write("AUTHORITY\n")
        own = {key: None for key in COMMANDS}
        d = self.driver(commands="lxc", agents="10.0.0.1:5911", agents_ca=self.dir + "/ca.pem", **dict(own, root=root))
        desktop = new()
        d.call("create", desktop, new(), "ref:desk", "t0p-secret")
        self.addCleanup(subprocess.run, ["lxc-destroy", "-P", root, "-n", "puesto-" + desktop, "-f"], capture_output=True)
        self.assertEqual({k: v["state"] for k, v in d.machines().items()}, {desktop: "running"}, "and the golden one is none of ours")
        seed = "%s/puesto-%s/overlay/delta/var/lib/puesto/seed.json" % (root, desktop)
        with open(seed) as f:
            self.assertEqual(json.load(f)["token"], "t0p-secret")
        self.assertEqual(os.stat(seed).st_mode & 0o777, 0o600)
        d.call("power", desktop, "off")
        d.call("power", desktop, "off")
        self.assertEqual(d.machines()[desktop]["state"], "stopped")
        d.call("power", desktop, "start")
        d.call("restart", desktop, new(), "refresh")
        self.assertEqual(d.machines()[desktop]["state"], "running")
        d.call("destroy", desktop)
        self.assertEqual(os.listdir(root), ["desk"])

    def test_one_connection_carries_all(self):
        d = self.driver()
        begun = time.monotonic()
        numbers = [d.begin("create", new(), new(), self.host.dir + "/image") for _ in range(20)]
        for n in numbers:
            d.finish(n)
        print("20 creates at once: %.2f s" % (time.monotonic() - begun), file=sys.stderr)
        begun = time.monotonic()
        for _ in range(20):
            self.assertEqual(len(d.machines()), 20)
        print("a list of 20: %.1f ms" % ((time.monotonic() - begun) * 50), file=sys.stderr)
        self.assertLessEqual(len(self.host.sessions()), 2)


def main():
    if is_for_later():
        print(LATER)
        return 77
    lacking = missing() + [p for p in (UNIT,) if not os.path.exists(p)]
    if os.geteuid() != 0 or lacking:
        print("SKIP: hosts by ssh need root and %s: apt-get install openssh-server" % " ".join(lacking or ["sshd"]))
        return 77
    return 0 if unittest.main(verbosity=2, exit=False, warnings="ignore").result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
