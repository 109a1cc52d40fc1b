#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 at random moments, on a real broker, provisioner, local provider and agents, while people log in, connect and log
off and an administrator resizes the pool. Afterwards every request has its answer, and rows, processes, directories and
control groups tell the same story. Needs root and Xvfb. PUESTO_KILL_SEED and PUESTO_KILL_SECONDS choose another run.

Run alone: top_builddir=build python3 tests/integration/test_kills.py"""
import glob
import json
import os
import queue
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest

tempfile.tempdir = "/var/tmp" # an overlay's upper layer cannot lie on another overlay

from broker_harness import BUILD, PASSWORDS, SETUP, Broker, Link, Session, eventually

SOURCE = os.path.abspath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "../..")))
SEED = int(os.environ.get("PUESTO_KILL_SEED", "1"))
SECONDS = float(os.environ.get("PUESTO_KILL_SECONDS", "12"))
PEOPLE = ("ana", "eva", "leo")
MAX = 3
GONE = (OSError, EOFError, queue.Empty)


class World:
    def __init__(self):
        self.image = tempfile.mkdtemp(prefix="puesto-kills-image-")
        os.chmod(self.image, 0o755)
        subprocess.run([SOURCE + "/deploy/image/build", self.image + "/1"], check=True, stdout=subprocess.DEVNULL)
        users = [u for u in SETUP["users"] if u["name"] != "leo"] + [{"name": "leo", "password": "a long leo one"}]
        PASSWORDS["leo"] = "a long leo one"
        setup = dict(SETUP, users=users, groups=[{"name": "staff", "members": list(PEOPLE)}],
                     images=[{"name": "demo", "versions": [{"version": "1", "path": self.image + "/1"}], "publish": "1"}],
                     pools=[dict(SETUP["pools"][0], min=1, max=MAX)])
        self.broker = Broker(setup, "[limits]\nfree_failures_per_address = 10000\n")
        self.dir = self.broker.dir
        libexec = self.dir + "/libexec"
        os.mkdir(libexec)
        shutil.copy(BUILD + "/broker/hypervisor/desktop/puesto-desktop", libexec)
        shutil.copy(BUILD + "/puesto-agent", libexec)
        self.conf = self.dir + "/provisioner.conf"
        with open(self.conf, "w") as f:
            f.write("[provisioner]\ndata = %s\nlibexec = %s\n[provider-local]\nkind = local\ncapacity = 5\n" % (self.dir, libexec))
        self.log = open(self.dir + "/provisioner.log", "ab")
        self.provisioner_start()
        self.lock, self.gate = threading.Lock(), None

    def provisioner_start(self):
        self.provisioner = subprocess.Popen([BUILD + "/broker/hypervisor/puesto-provisioner", "--config", self.conf], stdout=self.log, stderr=self.log, start_new_session=True)

    def link(self):
        """The gate's connection, made again when the broker was killed under it."""
        with self.lock:
            if self.gate is None:
                gate = Link(self.dir + "/run/gateway.sock")
                gate.call("hello", gateway="g", sessions=[], timeout=10)
                self.gate = gate
            return self.gate

    def lost(self, gate):
        with self.lock:
            if self.gate is gate:
                self.gate = None
        gate.close()

    def ask(self, op, seconds=30, **fields):
        """Repeats until there is an answer: that there is one, and when, is a part of the test."""
        deadline = time.monotonic() + seconds
        while True:
            gate = None
            try:
                gate = self.link()
                return gate.call(op, timeout=10, **fields)
            except GONE as e:
                if gate:
                    self.lost(gate)
                assert time.monotonic() < deadline, "no answer to %s within %d s: %r" % (op, seconds, e)
                time.sleep(0.05)

    def tell(self):
        """The ends of all logs, for whoever reads a failure."""
        for path in [self.dir + "/log", self.dir + "/provisioner.log"] + glob.glob(self.dir + "/desktops/*/log"):
            with open(path, errors="replace") as f:
                print("--- %s\n%s" % (path, f.read()[-3000:]), file=sys.stderr)

    def close(self):
        self.provisioner.kill()
        self.provisioner.wait()
        for state in glob.glob(self.dir + "/desktops/*/pid"):
            try:
                with open(state) as f:
                    os.kill(json.load(f)["pid"], signal.SIGKILL)
            except (OSError, ValueError):
                pass
        self.log.close()
        self.broker.close()
        shutil.rmtree(self.image, ignore_errors=True)


class Asker:
    """Stands where a gate's link stands in a Session, and does not give up when the broker dies."""

    def __init__(self, world):
        self.call = lambda op, **fields: world.ask(op, **fields)


class Person(threading.Thread):
    def __init__(self, world, name, stop):
        super().__init__(daemon=True)
        self.world, self.name_, self.stop, self.fault, self.rounds, self.answers = world, name, stop, None, 0, 0
        self.session = None

    def log_in(self):
        session = Session(Asker(self.world))
        status, data, headers = session.call("POST", "sessions", {"user": self.name_, "password": PASSWORDS[self.name_]})
        assert status == 201, (status, data)
        self.session = Session(Asker(self.world), {"cookie": headers["set-cookie"][0].split(";")[0], "x-csrf-token": data["csrf"]})

    def call(self, *args):
        status, data, _ = self.session.call(*args)
        self.answers += 1
        assert status < 500 or status == 503, (args, status, data)
        return status, data

    def connect(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            status, data = self.call("POST", "me/pools/demo/connect", {"protocol": "web"})
            if status == 200:
                return data
            assert status in (202, 409, 503), (status, data)
            time.sleep(0.1)
        return None

    def visit(self, seconds):
        ticket = self.connect(seconds)
        if not ticket:
            return False
        grant = self.world.ask("redeem", ticket=ticket["ticket"], protocol="ws", remote="10.0.0.5")
        if "grant" in grant:
            try:
                self.world.link().send({"op": "session", "session": grant["session"], "event": "started"})
            except GONE:
                pass
        time.sleep(0.2)
        self.call("POST", "me/desktops/%s/logoff" % ticket["desktop"]["id"])
        return "grant" in grant

    def run(self):
        try:
            self.log_in()
            while not self.stop.is_set():
                self.visit(3)
                self.rounds += 1
            self.call("DELETE", "me/pools/demo/connect")
        except Exception as e: # pylint: disable=broad-exception-caught
            self.fault = e


class Kills(unittest.TestCase):
    def rows(self, sql):
        db = sqlite3.connect("file:%s/db/puesto.db?mode=ro" % self.world.dir, uri=True)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def admin(self):
        session = Session(Asker(self.world))
        _, data, headers = session.call("POST", "sessions", {"user": "admin", "password": PASSWORDS["admin"]})
        return Session(Asker(self.world), {"cookie": headers["set-cookie"][0].split(";")[0], "x-csrf-token": data["csrf"]})

    def storm(self, dice, admin):
        end, kills = time.monotonic() + SECONDS, []
        while time.monotonic() < end:
            time.sleep(dice.uniform(0.05, 1.5))
            act = dice.choice(("broker", "broker", "provisioner", "provisioner", "resize", "both"))
            if act == "resize":
                low = dice.randint(0, MAX)
                admin.want(200, "PATCH", "pools/demo", {"min": low, "max": MAX})
                continue
            kills.append(act)
            if act in ("provisioner", "both"):
                self.world.provisioner.kill()
                self.world.provisioner.wait()
            if act in ("broker", "both"):
                self.world.broker.kill()
                time.sleep(dice.uniform(0, 0.3))
                self.world.broker.start()
            if act in ("provisioner", "both"):
                self.world.provisioner_start()
        return kills

    def is_at_rest(self, admin):
        for d in admin.get("desktops")["items"]:
            if d["user"] and d["state"] in ("assigned", "connected", "disconnected"):
                admin.call("POST", "desktops/%s/logoff" % d["id"])
        counts = admin.get("pools/demo")["counts"]
        return counts["ready"] == counts["total"] == MAX - 1 and not self.rows("SELECT 1 FROM tasks WHERE state IN ('pending', 'sent')")

    def uids(self):
        """Of the desktops' living processes."""
        uids = set()
        for p in glob.glob("/proc/[0-9]*"):
            try:
                with open(p + "/stat") as f:
                    if f.read().rpartition(")")[2].split()[0] != "Z":
                        uids.add(os.stat(p).st_uid)
            except OSError:
                pass  # it has ended meanwhile
        return {uid for uid in uids if self.base <= uid < self.base + 500}

    def check_machines(self):
        """Rows, directories, processes, control groups and mounts tell the same story."""
        live = {i: uid for i, uid in self.rows("SELECT id, uid FROM desktops WHERE lifecycle <> 'deleted'")}
        self.assertEqual(set(os.listdir(self.world.dir + "/desktops")), set(live))
        self.assertEqual(len(set(live.values())), len(live), "two desktops with one uid")
        # A killed process is a zombie until the machine's process 1 looks after it, and has left then.
        try:
            eventually(lambda: self.uids() == set(live.values()), 10)
        except AssertionError:
            self.assertEqual(self.uids(), set(live.values()), "processes of nobody's desktop, or a desktop without processes")
        for desktop, uid in live.items():
            with open("%s/desktops/%s/pid" % (self.world.dir, desktop)) as f:
                self.assertTrue(os.path.exists("/proc/%d" % json.load(f)["pid"]), desktop)
        with open("/proc/self/mountinfo") as f:
            self.assertNotIn(self.world.dir + "/desktops", f.read())
        groups = subprocess.run(["find", "/sys/fs/cgroup", "-maxdepth", "5", "-type", "d", "-regex", r".*/[0-9a-f]+-[0-9a-f-]+"], capture_output=True, text=True, check=False).stdout
        known = {i for (i,) in self.rows("SELECT id FROM desktops")}
        left = {os.path.basename(g) for g in groups.split()} & known - set(live)
        self.assertEqual(left, set(), "control groups of desktops that are gone")

    def check_rows(self):
        self.assertEqual(self.rows("SELECT desktop_id FROM assignments WHERE state = 'live' GROUP BY desktop_id HAVING count(*) > 1"), [])
        self.assertEqual(self.rows("SELECT user_id FROM assignments WHERE state = 'live' GROUP BY user_id, pool_id HAVING count(*) > 1"), [])
        self.assertEqual(self.rows("SELECT 1 FROM assignments WHERE state = 'live'"), [], "everybody has logged off")
        self.assertEqual(self.rows("SELECT 1 FROM sessions WHERE state <> 'ended'"), [])
        self.assertEqual(self.rows("SELECT 1 FROM desktops WHERE lifecycle = 'live' AND (hygiene <> 'clean' OR power <> 'on' OR agent <> 'ready')"), [])
        self.assertEqual(self.rows("PRAGMA foreign_key_check"), [])
        self.assertEqual(self.rows("PRAGMA integrity_check"), [("ok",)])

    def test_nothing_is_lost_doubled_or_left_behind(self):
        self.world = World()
        self.addCleanup(self.world.close)
        try:
            self.run_and_check()
        except BaseException:
            self.world.tell()
            raise

    def run_and_check(self):
        admin, stop = self.admin(), threading.Event()
        eventually(lambda: admin.get("pools/demo")["counts"]["ready"] >= 1, 120)
        self.base = self.rows("SELECT uid FROM desktops WHERE uid IS NOT NULL")[0][0] // 1000 * 1000
        people = [Person(self.world, name, stop) for name in PEOPLE]
        for p in people:
            p.start()
        kills = self.storm(random.Random(SEED), admin)
        stop.set()
        for p in people:
            p.join(40)
            self.assertFalse(p.is_alive(), "%s waits for an answer" % p.name_)
            self.assertIsNone(p.fault, p.name_)
        admin.want(200, "PATCH", "pools/demo", {"min": MAX - 1, "max": MAX - 1})
        began = time.monotonic()
        eventually(lambda: self.is_at_rest(admin), 120)
        print("seed %d: %d kills, %d rounds, %d answers, %d desktops made, at rest after %.1f s" % (
            SEED, len(kills), sum(p.rounds for p in people), sum(p.answers for p in people), self.rows("SELECT count(*) FROM desktops")[0][0], time.monotonic() - began))
        self.check_rows()
        self.check_machines()
        self.assertTrue(admin.get("events/verify")["ok"])
        self.assertTrue(people[0].visit(20), "a new user gets a desktop")


def main():
    if os.environ.get("SANITIZED"):
        print("SKIP: a desktop's address limit leaves the sanitizer's shadow no room")
        return 77
    if os.geteuid() != 0 or not shutil.which("Xvfb") or not shutil.which("openbox"):
        print("SKIP: kills need root, Xvfb and openbox: apt-get install xvfb openbox")
        return 77
    return 0 if unittest.main(verbosity=1, exit=False).result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
