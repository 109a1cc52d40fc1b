#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""puestoctl over HTTPS through the real gateway to the real broker.

Covers: broker/cli/acts.c broker/cli/ask.c broker/cli/config.c broker/cli/http.c broker/cli/objects.c broker/cli/operations.c broker/cli/print.c
broker/cli/hosts.c broker/cli/image.c broker/cli/request.c broker/cli/watch.c broker/api/hosts.c broker/api/recycled.c
"""
import json
import os
import subprocess
import threading
import time
import unittest

from broker_harness import BUILD, PASSWORDS, Broker, Link, eventually, log_in
from ports import free_port
from test_backup_api import WithBackups


class Ctl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(config="[limits]\nfree_failures = 50\n")
        cls.dir, cls.port = cls.broker.dir, free_port()
        subprocess.run([BUILD + "/base/puesto-pki", "init", cls.dir + "/pki", "--host", "localhost", "--ip", "127.0.0.1"], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.makedirs(cls.dir + "/web")
        with open(cls.dir + "/gateway.conf", "w") as f:
            f.write("[listen]\nhttps = 127.0.0.1:%d\nrdp = 127.0.0.1:%d\nvnc = 127.0.0.1:%d\n[http]\nweb_dir = %s/web\n"
                    "[tls]\ncert = %s/pki/server.pem\nkey = %s/pki/server.key\n[broker]\nsocket = %s/run/gateway.sock\n"
                    "[worker]\ndesktops_dir = %s/desktops\npath = /bin/false\nuid_first = 0\nmemory_mb = 0\n"
                    % (cls.port, free_port(), free_port(), *[cls.dir] * 5))
        cls.log = open(cls.dir + "/gateway.log", "w")
        cls.gateway = subprocess.Popen([BUILD + "/puesto-gateway", "--config", cls.dir + "/gateway.conf"], stderr=cls.log)
        cls.provisioner = WithBackups(cls.dir + "/run")
        with open(cls.dir + "/credentials", "w") as f:
            f.writelines("user=%s password=%s\n" % item for item in PASSWORDS.items())
        eventually(lambda: cls.run_ctl("status").returncode == 0)

    @classmethod
    def tearDownClass(cls):
        cls.provisioner.close()
        cls.gateway.terminate()
        cls.gateway.wait(10)
        cls.log.close()
        cls.broker.close()

    @classmethod
    def run_ctl(cls, *words, text="", credentials=True, **env):
        options = ["--url", "https://localhost:%d/" % cls.port, "--ca", cls.dir + "/pki/ca.pem"]
        if credentials:
            options += ["--credentials", cls.dir + "/credentials"]
        return subprocess.run([BUILD + "/broker/cli/puestoctl", *options, *words], input=text, text=True, capture_output=True, check=False,
                              timeout=90, env={**os.environ, "HOME": cls.dir, "XDG_CONFIG_HOME": cls.dir + "/config", **env})

    def ok(self, *words, **kw):
        result = self.run_ctl(*words, **kw)
        self.assertEqual(result.returncode, 0, (words, result.stderr, result.stdout))
        return result.stdout

    def no(self, code, *words, **kw):
        result = self.run_ctl(*words, **kw)
        self.assertEqual(result.returncode, code, (words, result.stderr, result.stdout))
        self.assertTrue(result.stderr)
        return result.stderr

    def wait_until(self, test, seconds=30):
        end = time.monotonic() + seconds
        while not test():
            self.assertLess(time.monotonic(), end)
            time.sleep(0.1)

    def test_every_noun_can_be_made_listed_changed_and_deleted(self):
        self.assertIn("demo", self.ok("list", "pools"))
        self.ok("create", "pool", "name=extra", "provider=local", "image=demo", "max=2", "spec.memory_mb=256", "clipboard_in=no")
        pool = json.loads(self.ok("get", "pool", "extra", "-o", "json"))
        self.assertEqual((pool["spec"]["memory_mb"], pool["clipboard_in"], pool["max"]), (256, False, 2))
        self.ok("update", "pool", "extra", "min=0", "display_name=Ñandú 7")
        self.assertIn("Ñandú 7", self.ok("get", "pool", "extra"))
        self.assertIn("name, ", self.no(1, "create", "pool", "name=a b", "provider=local", "image=demo").replace("name:", "name, "))
        self.no(6, "create", "pool", "name=extra", "provider=local", "image=demo")
        self.ok("drain", "pool", "extra")
        self.ok("maintenance", "extra", "off")
        self.ok("delete", "pool", "extra")
        self.ok("create", "group", "name=team x")
        self.ok("member", "add", "team x", "eva")
        self.assertIn("eva", self.ok("get", "group", "team x"))
        self.ok("member", "remove", "team x", "eva")
        self.ok("create", "entitlement", "pool=demo", "group=team x")
        self.assertIn("team x", self.ok("list", "entitlements", "pool=demo"))
        self.ok("delete", "group", "team x")
        self.ok("publish", "demo", "2", "path=/srv/two")
        self.assertIn("2", self.ok("get", "image", "demo"))
        self.ok("publish", "demo", "1")
        for noun in ("images", "providers", "users", "groups", "sessions", "events", "desktops"):
            self.ok("list", noun)
            json.loads(self.ok("-o", "json", "list", noun))

    def test_desktops_can_be_waited_for_and_acted_on(self):
        self.ok("wait", "pool", "demo", "ready=1", "timeout=60")
        name = json.loads(self.ok("list", "desktops", "-o", "json"))[0]["name"]
        self.assertIn("timeline", self.ok("get", "desktop", name))
        self.ok("refresh", name)
        self.ok("wait", "desktop", name, "state=ready", "timeout=60")
        self.no(7, "wait", "pool", "demo", "ready=99", "timeout=1")
        self.assertIn("yes: ", self.ok("explain", "ana", "demo"))
        self.assertIn("no: ", self.ok("explain", "eva", "demo"))
        self.assertIn("as they were written", self.ok("audit", "verify"))

    def test_a_desktop_is_stopped_kept_grown_and_moved(self):
        self.ok("wait", "pool", "demo", "ready=1", "timeout=60")
        self.assertIn("migrate", self.ok("list", "providers"))
        name = json.loads(self.ok("list", "desktops", "-o", "json"))[0]["name"]
        self.assertIn("stop of %s is done" % name, self.ok("stop", name))
        self.assertEqual(json.loads(self.ok("get", "desktop", name, "-o", "json"))["state"], "stopped")
        self.ok("start", name)
        self.ok("wait", "desktop", name, "state=ready", "timeout=60")
        self.ok("snapshot", "take", name, "before")
        self.assertIn("before", self.ok("snapshot", "list", name))
        self.ok("snapshot", "revert", name, "before")
        self.ok("wait", "desktop", name, "state=ready", "timeout=60")
        self.ok("snapshot", "drop", name, "before")
        self.assertNotIn("before", self.ok("snapshot", "list", name))
        self.no(5, "snapshot", "revert", name, "before")
        self.ok("resize", name, "disk_mb=4096")
        self.assertEqual(self.provisioner.commands[-1]["arg"], "0,0,4096")
        self.ok("migrate", name, "two")
        self.assertIn("there is no host nowhere", self.no(1, "migrate", name, "nowhere"))
        self.no(1, "resize", name, "disk_mb=-1")
        self.no(2, "snapshot", "take", name)

    def test_hosts_are_emptied_and_put_back(self):
        self.ok("wait", "pool", "demo", "ready=1", "timeout=60")
        name = json.loads(self.ok("list", "desktops", "-o", "json"))[0]["name"]
        self.provisioner.hosts, self.provisioner.networks = ["kvm1", "kvm2"], ["office"]
        for m in self.provisioner.machines.values():
            m["host"] = "kvm1"
        self.provisioner.hello()
        try:
            self.assertIn("kvm2  ready", self.ok("host", "list", "local"))
            self.assertIn("office", self.ok("provider", "networks", "local"))
            self.assertRegex(self.ok("provider", "list"), r"local +local +real")
            self.provisioner.move_fails = "its disk lies on host kvm1 alone"
            self.ok("host", "maintenance", "local", "kvm1", "at_once=4")
            self.wait_until(lambda: "lies on host kvm1 alone" in self.ok("host", "show", "local", "kvm1", "-o", "json"))
            self.assertIn("local/kvm1", self.ok("status"))
            self.provisioner.move_fails = None
            self.ok("host", "resume", "local", "kvm1")
            out = self.ok("host", "maintenance", "local", "kvm1", "at_once=4", "wait")
            self.assertIn("empty", out)
            desktop = json.loads(self.ok("get", "desktop", name, "-o", "json"))
            self.assertEqual((desktop["placement"]["host"], desktop["state"]), ("kvm2", "ready"))
            self.assertIn("kvm1: maintenance", desktop["placement"]["en"])
            self.no(6, "migrate", name, "kvm1")
            self.ok("host", "resume", "local", "kvm1")
            self.ok("migrate", name)
            self.assertEqual(json.loads(self.ok("get", "desktop", name, "-o", "json"))["placement"]["host"], "kvm1")
            self.ok("update", "pool", "demo", "spec.network=office")
            self.assertIn("network", self.no(1, "update", "pool", "demo", "spec.network=elsewhere"))
            events = [e for e in json.loads(self.ok("list", "events", "kind=host.", "-o", "json"))]
            self.assertEqual({(e["kind"], e["object"]["kind"], e["detail"]["name"]) for e in events},
                             {(k, "provider", "local/kvm1") for k in ("host.maintenance", "host.resumed", "host.drained")})
            self.no(5, "host", "maintenance", "local", "kvm9")
            self.no(5, "host", "list", "nowhere")
            self.no(2, "host", "maintenance", "local", "kvm1", "at_once=x")
            self.no(1, "host", "maintenance", "local", "kvm1", "at_once=17")
        finally:
            self.ok("update", "pool", "demo", "spec.network=host")
            self.provisioner.hosts, self.provisioner.networks, self.provisioner.move_fails = [], [], None
            for m in self.provisioner.machines.values():
                m["host"] = ""
            self.provisioner.hello()

    def test_a_console_is_an_address(self):
        self.ok("wait", "pool", "demo", "ready=1", "timeout=60")
        desktop = json.loads(self.ok("list", "desktops", "-o", "json"))[0]
        link = "https://localhost:%d/client/#console=%s" % (self.port, desktop["id"])
        self.assertEqual(self.ok("console", desktop["name"]).strip(), link)
        self.assertEqual(json.loads(self.ok("console", desktop["name"], "look", "-o", "json")), {"link": link + "&look"})
        self.no(2, "console", desktop["name"], "touch")
        self.assertIn("no desktop", self.no(5, "console", "nobody"))

    def rollout(self):
        return json.loads(self.ok("image", "rollout", "demo", "-o", "json"))["rollout"] or {"live": False}

    def test_a_version_is_rolled_out_held_and_taken_back(self):
        self.ok("wait", "pool", "demo", "ready=1", "timeout=60")
        eventually(lambda: not self.rollout()["live"])
        before = json.loads(self.ok("get", "image", "demo", "-o", "json"))["published"]
        self.ok("publish", "demo", "two", "path=/srv/two")  # as before there were steps: verify, then everything
        eventually(lambda: self.rollout()["phase"] == "done")
        self.assertIn("Version two is everywhere", self.ok("image", "rollout", "demo"))
        self.assertIn("before it " + before, self.ok("image", "rollback", "demo"))
        eventually(lambda: json.loads(self.ok("get", "image", "demo", "-o", "json"))["published"] == before)
        out = self.ok("image", "publish", "demo", "two", "--canary", "10", "--canary-for", "600", "--force-at", "23:59", "--kept-disks")
        self.assertIn("canary", out)  # it was seen to work before
        plan = self.rollout()["plan"]
        self.assertEqual((plan["canary"], plan["canary_s"], plan["kept_disks"]), (10, 600, True))
        self.assertRegex(plan["force_at"], r"^20\d\d-.*:59:00")
        self.assertIn("paused", self.ok("image", "pause", "demo"))
        self.assertNotIn("paused", self.ok("image", "continue", "demo"))
        self.assertIn("rolled out", self.no(6, "image", "retire", "demo", "two"))
        self.assertIn("reverted", self.ok("image", "rollback", "demo"))
        self.no(6, "image", "continue", "demo")
        self.ok("image", "retire", "demo", "two")
        eventually(lambda: self.run_ctl("image", "remove", "demo", "two").returncode == 0)  # its last desktop is gone
        self.no(5, "image", "remove", "demo", "two")
        for words in (("image",), ("image", "fly", "demo"), ("image", "publish", "demo"), ("image", "publish", "demo", "1", "--canary"),
                      ("image", "publish", "demo", "1", "--speed", "9"), ("image", "pause"), ("image", "remove", "demo")):
            self.no(2, *words)

    def test_datastores_and_versions_on_them(self):
        self.provisioner.store("fast")
        eventually(lambda: "fast" in self.ok("datastore", "list"))
        self.assertIn("10 % full, 90 GB left", self.ok("datastore", "list"))
        self.assertIn("maintenance", self.ok("datastore", "maintenance", "fast"))
        self.wait_until(lambda: any(m.get("maintenance") is True for m in self.provisioner.commands))
        self.ok("datastore", "resume", "fast")
        self.ok("update", "datastore", "fast", "warning=50", "critical=60")
        self.no(1, "update", "datastore", "fast", "warning=70")
        self.no(5, "datastore", "resume", "slow")
        self.assertIn("version 7 is ready", self.ok("image", "import", "demo", "7", "fast", "win.vmdk", "format=vmdk"))
        self.assertIn("fast", self.ok("get", "image", "demo"))
        self.assertIn("there is no none", self.no(1, "image", "import", "demo", "8", "fast", "none"))
        self.ok("wait", "pool", "demo", "ready=1", "timeout=60")
        name = json.loads(self.ok("list", "desktops", "-o", "json"))[0]["name"]
        self.assertIn("stop the desktop", self.no(6, "image", "capture", "demo", "9", "fast", name))
        self.assertIn("nothing is being done", self.no(6, "image", "cancel", "demo", "7"))
        self.assertIn("is removed", self.ok("image", "remove", "demo", "7"))
        self.assertIn("is removed", self.ok("image", "remove", "demo", "8"))
        self.no(6, "image", "remove", "demo", "1")
        self.no(2, "image", "import", "demo", "9", "fast")
        self.no(2, "datastore", "burn")

    def test_a_deleted_desktop_comes_back_to_its_user(self):
        self.ok("create", "pool", "name=own", "kind=dedicated", "on_logoff=keep", "provider=local", "image=demo", "max=1", "recycle_days=3")
        self.ok("create", "entitlement", "pool=own", "user=ana")
        self.assertEqual(json.loads(self.ok("get", "pool", "own", "-o", "json"))["recycle_days"], 3)
        gate = Link(self.dir + "/run/gateway.sock")
        ana = log_in(gate, "ana")
        eventually(lambda: ana.call("POST", "me/pools/own/connect", {"protocol": "web"})[0] == 200, 60)
        ticket = ana.want(200, "POST", "me/pools/own/connect", {"protocol": "web"})
        gate.call("redeem", ticket=ticket["ticket"], protocol="ws", remote="10.0.0.5")
        desktop = ticket["desktop"]["id"]
        self.assertIn("deleted", self.no(5, "recycle", "restore", desktop))
        self.ok("delete", "desktop", desktop)
        kept = eventually(lambda: json.loads(self.ok("recycle", "list", "-o", "json")), 30)[0]
        self.assertEqual((kept["id"], kept["name"], kept["user"]["name"], kept["pool"]["name"], kept["can_restore"]),
                         (desktop, ticket["desktop"]["name"], "ana", "own", True))
        self.assertIn("ana", self.ok("recycle", "list"))
        self.ok("recycle", "restore", desktop)
        self.ok("wait", "desktop", ticket["desktop"]["name"], "state=assigned", "timeout=60")
        self.assertEqual(json.loads(self.ok("get", "desktop", desktop, "-o", "json"))["user"]["name"], "ana")
        self.no(5, "recycle", "restore", desktop)
        self.ok("delete", "desktop", desktop)
        kept = eventually(lambda: json.loads(self.ok("recycle", "list", "-o", "json")), 30)[0]
        self.ok("recycle", "purge", kept["datastore"], kept["token"])
        self.no(5, "recycle", "purge", kept["datastore"], kept["token"])
        self.assertEqual(json.loads(self.ok("recycle", "list", "-o", "json")), [])
        self.no(2, "recycle", "burn")
        self.ok("update", "pool", "own", "enabled=false")
        gate.close()

    def test_backups_are_made_listed_brought_back_and_removed(self):
        self.no(5, "backup", "now", "nobody")
        desktop = eventually(lambda: [d for d in json.loads(self.ok("list", "desktops", "-o", "json")) if d["lifecycle"] == "live"], 60)[0]
        self.provisioner.store("vault", images=False, backups=True)
        eventually(lambda: "vault" in self.ok("datastore", "list"))
        self.assertIn("full (first)", self.ok("backup", "now", desktop["name"]))
        made = json.loads(self.ok("backup", "list", desktop["name"], "-o", "json"))[0]
        self.assertIn(made["id"], self.ok("backup", "list"))
        self.assertIn("stop the desktop", self.no(6, "backup", "restore", made["id"]))
        self.no(6, "backup", "cancel", made["id"])
        self.ok("backup", "remove", made["id"])
        eventually(lambda: json.loads(self.ok("backup", "list", "-o", "json")) == [])
        self.no(2, "backup", "burn")

    def test_passwords_and_tokens_stay_off_the_command_line(self):
        self.ok("create", "user", "name=tom")
        self.ok("passwd", "tom", text="a long tom one\n")
        self.no(1, "passwd", "tom", text="short\n")
        token = json.loads(self.ok("token", "create", "admin", "name=t", "-o", "json"))
        with open(self.dir + "/token", "w") as f:
            f.write(token["token"] + "\n")
        self.ok("--token-file", self.dir + "/token", "status", credentials=False)
        self.assertIn(token["id"], self.ok("token", "list", "admin"))
        self.ok("token", "delete", "admin", token["id"])
        self.no(4, "--token-file", self.dir + "/token", "status", credentials=False)
        self.no(4, "status", credentials=False)
        self.ok("login", "admin", text=PASSWORDS["admin"] + "\n", credentials=False)
        self.ok("status", credentials=False)
        self.assertEqual(os.stat(self.dir + "/config/puesto/token").st_mode & 0o777, 0o600)
        os.unlink(self.dir + "/config/puesto/token")
        self.no(4, "login", "admin", text="wrong one\n", credentials=False)

    def test_events_are_followed(self):
        options = ["--url", "https://localhost:%d" % self.port, "--ca", self.dir + "/pki/ca.pem", "--credentials", self.dir + "/credentials"]
        with subprocess.Popen([BUILD + "/broker/cli/puestoctl", *options, "events", "--follow", "kind=group."], stdout=subprocess.PIPE,
                              text=True, env={**os.environ, "HOME": self.dir}) as p:
            lines = []
            reader = threading.Thread(target=lambda: lines.append(p.stdout.readline()), daemon=True)
            reader.start()
            for n in range(20):  # the stream may begin after the first of them
                self.ok("create", "group", "name=live %d" % n)
                reader.join(0.3)
                if lines:
                    break
            self.assertIn("group.created", "".join(lines))
            p.terminate()

    def test_every_no_has_its_own_code(self):
        self.no(2, "nonsense")
        self.no(2, "list", "things")
        self.no(2, "create", "pool", "name")
        self.no(4, "--user", "ana", "list", "pools")
        self.no(5, "get", "pool", "none")
        self.no(3, "--url", "https://localhost:1", "status")
        self.assertIn("--ca", self.no(3, "--ca", self.dir + "/credentials", "status"))
        self.assertIn("Usage", self.ok("--help"))


if __name__ == "__main__":
    unittest.main(verbosity=1)
