# SPDX-License-Identifier: GPL-3.0-or-later
"""A pool with everything real but the gateway: broker, provisioner, driver and agents."""
import os
import shutil
import sqlite3
import subprocess
import sys

from broker_harness import BUILD, SETUP, Broker, Link, eventually, log_in
from engine_harness import terminate

PROVISIONER = BUILD + "/broker/hypervisor/puesto-provisioner"


class Pool:
    """The pool "demo" of the provider "boxes", one desktop of that base at the start; serve() begins it."""

    def __init__(self, base, libexec, path=None):
        setup = dict(SETUP, providers=[{"name": "boxes", "max_creates": 4}],
                     images=[{"name": "demo", "versions": [dict({"version": "1", "base": base}, **({"path": path} if path else {}))], "publish": "1"}],
                     pools=[dict(SETUP["pools"][0], provider="boxes", min=1, max=2, spec={"memory_mb": 256, "network": "none"})])
        self.broker = Broker(setup, "[limits]\nfree_failures_per_address = 10000\n")
        self.dir = self.broker.dir
        os.mkdir(self.dir + "/libexec")
        for program in libexec:
            shutil.copy(program, self.dir + "/libexec")
        self.conf, self.log, self.provisioner, self.gate = self.dir + "/provisioner.conf", open(self.dir + "/provisioner.log", "ab"), None, None

    def serve(self, provider):
        """provider: the lines of its section."""
        with open(self.conf, "w") as f:
            f.write("[provisioner]\ndata = %s\nlibexec = %s/libexec\n[provider-boxes]\n%s" % (self.dir, self.dir, provider))
        self.provisioner_start()
        self.gate = Link(self.dir + "/run/gateway.sock")
        self.gate.call("hello", gateway="g", sessions=[], timeout=10)

    def provisioner_start(self):
        self.provisioner = subprocess.Popen([PROVISIONER, "--config", self.conf], stdout=self.log, stderr=self.log, start_new_session=True)

    def provisioner_kill(self):
        self.provisioner.kill()
        self.provisioner.wait()

    def rows(self, sql):
        db = sqlite3.connect("file:%s/db/puesto.db?mode=ro" % self.dir, uri=True)
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()

    def ready(self, n):
        """(desktop, uid) of those that have enrolled, when there are n of them."""
        def look():
            rows = self.rows("SELECT id, uid FROM desktops WHERE lifecycle = 'live' AND agent = 'ready'")
            return rows if len(rows) == n else None
        return eventually(look, 60)

    def connect(self, user, password=None):
        """The user's session at the gate, the ticket, and the grant that a worker would get for it."""
        session = log_in(self.gate, user, password)

        def ask():
            status, data, _ = session.call("POST", "me/pools/demo/connect", {"protocol": "web"})
            return data if status == 200 else None
        ticket = eventually(ask, 30)
        grant = self.gate.call("redeem", ticket=ticket["ticket"], protocol="ws", remote="10.0.0.5")
        self.gate.send({"op": "session", "session": grant["session"], "event": "started"})
        return session, ticket, grant

    def log_off(self, session, ticket, grant):
        session.call("POST", "me/desktops/%s/logoff" % ticket["desktop"]["id"])
        self.gate.send({"op": "session", "session": grant["session"], "event": "ended", "reason": "log-off"})

    def empty(self, admin):
        """Asks for the end of all desktops."""
        admin.want(200, "PATCH", "pools/demo", {"min": 0, "max": 0})
        for d in admin.get("desktops")["items"]:
            admin.call("DELETE", "desktops/%s" % d["id"])

    def tell(self):
        for path in (self.dir + "/log", self.dir + "/provisioner.log"):
            with open(path, errors="replace") as f:
                print("--- %s\n%s" % (path, f.read()[-4000:]), file=sys.stderr)

    def end(self):
        """All but the broker, whose directory the others' files lie in."""
        if self.gate:
            self.gate.close()
        terminate(self.provisioner)
        self.log.close()
