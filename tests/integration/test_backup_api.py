#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Back-ups through the real broker: by a pool's wish and by hand, their failures, and the way back; and puesto-provisioner with real QEMUs
that have nothing to boot. The second needs root.

Covers: broker/api/backups.c broker/cli/backup.c broker/storage/backup_end.c broker/storage/backup_jobs.c
"""
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from broker_harness import BUILD, SETUP, Broker, Link, Provisioner, eventually, log_in
from engine_harness import terminate
from test_broker_display import World

POOL = {"kind": "dedicated", "on_logoff": "keep"}


class WithBackups(Provisioner):
    """Answers orders as the real one does: a full one first, then incremental ones. `trouble`: the error of the next ones; `holds`: none ends."""
    can = Provisioner.can + ",backup"

    def __init__(self, run):
        self.made, self.orders, self.trouble, self.holds, self.removed = {}, [], None, False, []
        super().__init__(run)

    def answer(self, m):
        if m["op"] != "backup":
            return super().answer(m)
        self.orders.append(m)
        if not self.holds:
            self.end(m)
        return {}

    def end(self, m):
        news = {"op": "backup", "task": m["task"], "state": "done", "datastore": "vault", "removed": [], "made": None}
        if self.trouble:
            news = {"op": "backup", "task": m["task"], "state": "failed", "error": self.trouble}
        elif m["kind"] == "backup":
            chain = self.made.setdefault(m["desktop"], [])
            chain.append("%016x" % (len(chain) + 1))
            news["made"] = {"id": chain[-1], "parent": chain[-2] if len(chain) > 1 else "", "kind": "incremental" if len(chain) > 1 else "full",
                            "reason": "due" if len(chain) > 1 else "first", "made_ms": int(time.time() * 1000), "disk_size": 1 << 30, "bytes": 1 << 20, "sha256": "0" * 64}
        elif m["kind"] == "remove":
            news["removed"] = self.made.pop(m["desktop"])
        self.link.send(news)


class Api(unittest.TestCase):
    def setUp(self):
        self.world = World(dict(SETUP, pools=[dict(SETUP["pools"][0], **POOL)]), provisioner=False)
        self.provisioner = self.world.provisioner = WithBackups(self.world.broker.dir + "/run")
        self.addCleanup(self.world.close)
        self.provisioner.store("vault", images=False, backups=True)
        self.world.ready()
        self.world.display(self.world.ana)
        self.desktop = self.world.admin.get("desktops")["items"][0]["id"]
        self.path = "desktops/%s/backups" % self.desktop

    def list(self):
        return self.world.admin.get(self.path)["items"]

    def events(self, kind):
        return [e for e in self.world.admin.get("events?limit=200")["items"] if e["kind"] == kind]

    def now(self):
        made = self.world.admin.want(202, "POST", self.path)
        return eventually(lambda: [b for b in self.list() if b["id"] == made["id"] and b["job"]["state"] != "running"])[0]

    def test_by_hand_by_wish_and_back(self):
        w = self.world
        w.admin.want(422, "PATCH", "pools/demo", {"backup_keep_d": 0})
        first, second = self.now(), self.now()
        self.assertEqual((first["state"], first["kind"], first["reason"], first["user"]["name"]), ("ready", "full", "first", "ana"))
        self.assertEqual((second["kind"], second["by_hand"], second["job"]["by"], second["bytes"]), ("incremental", True, "admin", 1 << 20))
        self.assertEqual(len(self.events("backup.made")), 2)
        order = self.provisioner.orders[0]
        self.assertEqual((order["every_h"], order["user"], order["image"], order["version"], order["provider"]), (0, "ana", "demo", "1", "local"))
        # The pool's wish: nothing is due while the last one is fresh.
        w.admin.want(200, "PATCH", "pools/demo", {"backup_every_h": 1, "backup_chain": 5})
        self.assertEqual(w.admin.get("pools/demo")["backup_chain"], 5)
        # Back: only when it is off.
        self.assertEqual(w.admin.want(409, "POST", "backups/%s/restore" % first["id"])["code"], "conflict")
        w.admin.want(202, "POST", "desktops/%s/power" % self.desktop, {"power": "stop"})
        eventually(lambda: w.admin.get("desktops/" + self.desktop)["power"] == "off")
        eventually(lambda: "task" not in w.admin.get("desktops/" + self.desktop))
        w.admin.want(202, "POST", "backups/%s/restore" % first["id"])
        eventually(lambda: self.events("backup.restored"))
        self.assertEqual((self.provisioner.orders[-1]["kind"], self.provisioner.orders[-1]["backup"]), ("restore", "%016x" % 1))
        # Gone, it comes back to its user.
        w.admin.want(202, "DELETE", "desktops/" + self.desktop)
        eventually(lambda: w.admin.call("GET", "desktops/" + self.desktop)[0] == 404)
        self.assertEqual(len(w.admin.get("backups?q=ana")["items"]), 2)
        w.admin.want(202, "POST", "backups/%s/restore" % second["id"])
        eventually(lambda: w.admin.call("GET", "desktops/" + self.desktop)[0] == 200)
        self.assertEqual(self.provisioner.orders[-1]["kind"], "rebuild")
        eventually(lambda: [m for m in self.provisioner.commands if m["op"] == "create" and m.get("restore")])
        self.assertEqual(w.admin.get("desktops/" + self.desktop)["user"]["name"], "ana")
        # A chain goes as a whole.
        w.admin.want(202, "DELETE", "backups/" + first["id"])
        eventually(lambda: not self.list())
        self.assertEqual(len(self.events("backup.removed")), 1)

    def test_a_wish_is_carried_out_and_a_failure_is_seen(self):
        w = self.world
        self.provisioner.trouble = {"code": "no_space", "title": "datastore vault has room for 1 MB, and the back-up may need 9 MB: make room, or keep fewer"}
        w.admin.want(200, "PATCH", "pools/demo", {"backup_every_h": 24})
        self.provisioner.store("vault", images=False, backups=True)  # a look is due when the provisioner speaks
        problem = eventually(lambda: [p for p in w.admin.get("status")["problems"] if p["state"] == "backup"])[0]
        self.assertIn("make room", problem["reason"]["en"])
        self.assertEqual(len(self.events("backup.failed")), 1)
        failed = self.list()[0]
        self.assertEqual((failed["state"], failed["by_hand"]), ("failed", False))
        w.admin.want(409, "POST", "backups/%s/restore" % failed["id"])
        self.provisioner.store("vault", images=False, backups=True)
        self.provisioner.trouble = None
        self.assertEqual(self.now()["state"], "ready")
        self.assertEqual([b["state"] for b in self.list()], ["ready"])
        self.assertFalse([p for p in w.admin.get("status")["problems"] if p["state"] == "backup"])

    def test_one_is_asked_for_again_until_it_has_ended(self):
        w = self.world
        self.provisioner.holds = True
        made = w.admin.want(202, "POST", self.path)
        eventually(lambda: self.provisioner.orders)
        self.assertEqual(w.admin.want(409, "POST", self.path)["code"], "conflict")
        self.provisioner.link.send({"op": "backup", "task": self.provisioner.orders[0]["task"], "state": "running", "step": "copying", "percent": 40})
        eventually(lambda: self.list()[0]["job"]["percent"] == 40)
        w.broker.kill()
        self.provisioner.link.close()
        w.gate.close()
        w.broker.start()
        w.open_gate([])
        self.provisioner.connect()
        self.provisioner.store("vault", images=False, backups=True)
        w.log_in()
        eventually(lambda: len(self.provisioner.orders) == 2)
        self.assertEqual(self.provisioner.orders[0]["task"], self.provisioner.orders[1]["task"])
        w.admin.want(202, "POST", "backups/%s/cancel" % made["id"])
        eventually(lambda: [m for m in self.provisioner.commands if m["op"] == "backup_cancel"])
        self.provisioner.trouble = {"code": "closed", "title": "it was cancelled"}
        self.provisioner.end(self.provisioner.orders[-1])
        eventually(lambda: self.list()[0]["state"] == "failed")
        w.admin.want(409, "POST", "backups/%s/cancel" % made["id"])
        w.admin.want(204, "DELETE", "backups/" + made["id"])
        self.assertEqual(self.list(), [])
        self.assertEqual(w.admin.want(404, "GET", "backups/" + made["id"])["code"], "not_found")


@unittest.skipUnless(os.geteuid() == 0 and shutil.which("qemu-storage-daemon") and shutil.which("qemu-system-x86_64"), "needs root and QEMU")
class Real(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="pba-", dir="/var/tmp")
        self.addCleanup(lambda: shutil.rmtree(self.folder, ignore_errors=True))
        os.chmod(self.folder, 0o755)
        self.golden = self.folder + "/golden.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.golden, "64M"], check=True)
        os.chmod(self.golden, 0o444)
        self.broker = Broker(dict(SETUP, providers=[{"name": "vm"}], pools=[dict(SETUP["pools"][0], provider="vm", **POOL)],
                                  images=[{"name": "demo", "versions": [{"version": "1", "base": self.golden, "path": self.folder}], "publish": "1"}]))
        self.addCleanup(self.broker.close)
        os.mkdir(self.folder + "/vault")
        with open(self.folder + "/provisioner.conf", "w") as f:
            f.write("[provisioner]\ndata = %s\nlibexec = %s\n[provider-vm]\nkind = qemu\ndirectory = %s/d\naccel = tcg\ndeadline_s = 60\nstop_wait_s = 1\n"
                    "[datastore-vault]\npath = %s/vault\nrole = backups\n" % (self.broker.dir, self.folder, self.folder, self.folder))
        self.process, self.log = None, open(self.folder + "/log", "ab")
        self.addCleanup(self.log.close)
        self.addCleanup(self.end)
        self.start()
        gate = Link(self.broker.dir + "/run/gateway.sock")
        self.addCleanup(gate.close)
        gate.call("hello", gateway="g", sessions=[])
        self.admin = log_in(gate, "admin")

    def start(self):
        def look():
            if not self.process or self.process.poll() is not None:
                self.process = subprocess.Popen([BUILD + "/broker/hypervisor/puesto-provisioner", "--config", self.folder + "/provisioner.conf"],
                                                stderr=self.log, stdout=self.log)
            time.sleep(0.2)
            return self.process.poll() is None
        eventually(look, 30)

    def end(self):
        terminate(self.process)
        for name in os.listdir("/proc"):
            try:
                with open("/proc/%s/cmdline" % name, "rb") as f:
                    words = f.read()
            except OSError:
                continue
            if words.startswith(b"/usr/bin/qemu-system") and self.folder.encode() in words:
                os.kill(int(name), signal.SIGKILL)

    def test_from_the_api_to_the_disk_and_back(self):
        desktop = eventually(lambda: [d for d in self.admin.get("desktops")["items"] if d["lifecycle"] == "live"], 60)[0]["id"]
        path, disk = "desktops/%s/backups" % desktop, "%s/d/desktops/%s/disk.qcow2" % (self.folder, desktop)

        def made(b):
            return eventually(lambda: [x for x in self.admin.get(path)["items"] if x["id"] == b["id"] and x["job"]["state"] != "running"], 60)[0]

        first = made(self.admin.want(202, "POST", path))
        self.assertEqual((first["state"], first["kind"], first["datastore"]), ("ready", "full", "vault"), first)
        # Killed at work, it is asked again and goes on.
        asked = self.admin.want(202, "POST", path)
        self.process.kill()
        self.process.wait()
        self.start()
        second = made(asked)
        self.assertEqual(second["state"], "ready", second)
        # A command for the desktop goes first; the disk at rest is written to, and comes back as it was.
        self.admin.want(202, "POST", "desktops/%s/power" % desktop, {"power": "stop"})
        eventually(lambda: self.admin.get("desktops/" + desktop)["power"] == "off" and "task" not in self.admin.get("desktops/" + desktop), 60)
        subprocess.run(["cp", disk, self.folder + "/before.qcow2"], check=True)
        third = made(self.admin.want(202, "POST", path))
        subprocess.run(["qemu-io", "-f", "qcow2", "-c", "write -P 9 0 4M", disk], check=True, stdout=subprocess.DEVNULL)
        eventually(lambda: self.admin.call("POST", "backups/%s/restore" % third["id"])[0] == 202)
        eventually(lambda: [e for e in self.admin.get("events?limit=100")["items"] if e["kind"] == "backup.restored"], 60)
        subprocess.run(["qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", disk, self.folder + "/before.qcow2"], check=True, stdout=subprocess.DEVNULL)
        self.assertTrue(os.stat(disk).st_uid >= 1000)
        self.admin.want(202, "POST", "desktops/%s/power" % desktop, {"power": "start"})
        eventually(lambda: self.admin.get("desktops/" + desktop)["power"] != "off", 60)


if __name__ == "__main__":
    unittest.main()
