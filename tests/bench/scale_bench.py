#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What 10,000 desktops cost the broker, and whether a boot storm keeps its caps and its word; run by hand, in a build directory.

The broker is the real one, with its database on the disk. Around it are a provisioner that only answers, whose machines are shown by a
server of their own (so none of them has an agent), and a gate that carries the users' requests.
"""
import argparse
import hashlib
import heapq
import json
import os
import queue
import sqlite3
import sys
import threading
import time
import uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))
from broker_harness import HOST, SETUP, Broker, Link, log_in # pylint: disable=wrong-import-position

PLAIN = 4  # providers, each with a pool, that are filled as fast as the caps let
WARM = 8   # desktops of the storm's pool that are there before it: how long they took is what estimates are made from
TICK = os.sysconf("SC_CLK_TCK")


class Machines:
    """A provisioner with one provider for each pool; the machines of `storm` take a while, the others no time."""

    def __init__(self, run, seconds):
        self.seconds, self.listed, self.busy, self.peak = seconds, [], 0, 0
        self.later, self.lock, self.wake = [], threading.Lock(), threading.Event()
        self.polls, self.silent = 0, []
        self.link = Link(run + "/provisioner.sock")
        for work in (self.serve, self.finish):
            threading.Thread(target=work, daemon=True).start()
        self.hello()

    def hello(self):
        providers = [{"name": n, "kind": "local", "capacity": 0, "healthy": True, "reason": "", "can": "", "networks": []} for n in names()]
        self.link.call("hello", providers=providers, machines=self.listed, unlisted=self.silent, hosts=[])

    def fall_silent(self, providers):
        """While one cannot be asked, the broker asks for the whole list every 5 s."""
        self.silent = providers
        self.hello()

    def machine(self, m):
        return {"desktop": m["desktop"], "task": m["task"], "state": "running", "reason": "", "uid": 0, "image": "plain:1", "host": "",
                "endpoint": {"kind": "rfb", "host": "192.0.2.1", "port": 5900}}

    def serve(self):
        for m in iter(self.link.inbox.get, None):
            if m["op"] == "inventory":
                self.polls += 1
                self.link.send({"re": m["id"], "machines": self.listed, "unlisted": self.silent, "hosts": []})
            elif m["op"] == "create" and m["provider"] == "storm":
                with self.lock:
                    self.busy += 1
                    self.peak = max(self.peak, self.busy)
                    heapq.heappush(self.later, (time.monotonic() + self.seconds, m["id"], m))
                self.wake.set()
            else:
                self.answer(m)

    def finish(self):
        while True:
            self.wake.wait(None if not self.later else max(0, self.later[0][0] - time.monotonic()))
            self.wake.clear()
            while self.later and self.later[0][0] <= time.monotonic():
                with self.lock:
                    m = heapq.heappop(self.later)[2]
                    self.busy -= 1
                self.answer(m)

    def answer(self, m):
        machine = self.machine(m)
        self.listed.append(machine)
        self.link.send({"re": m["id"], "endpoint": machine["endpoint"], "uid": 0, "host": ""})


def names():
    return ["plain%d" % i for i in range(PLAIN)] + ["storm", "away"]


def world(desktops, users, cap):
    def pool(name, least, most):
        return {"name": name, "display_name": name, "provider": name, "image": "storm" if name == "storm" else "plain", "min": least, "max": most,
                "spare": 0}

    image = {"display_name": "x", "versions": [{"version": "1"}], "publish": "1"}
    return {**SETUP, "providers": [{"name": n, "max_creates": cap if n == "storm" else 256} for n in names()],
            "images": [{"name": n, **image} for n in ("plain", "storm")],
            "pools": [pool("plain%d" % i, desktops // PLAIN, desktops // PLAIN) for i in range(PLAIN)] + [pool("storm", 0, users + WARM)],
            "entitlements": [{"pool": "storm", "group": "staff"}]}


class Crowd(Broker):
    """A broker whose users have logged in: their rows and tokens are written before it starts, since passwords are not what is measured."""

    def __init__(self, users, *args):
        self.tokens = ["pst_%043d" % i for i in range(users)]
        super().__init__(*args)

    def bootstrap(self, setup):
        result = super().bootstrap(setup)
        now = int(time.time() * 1000)
        with sqlite3.connect(self.dir + "/db/puesto.db") as db:
            group = db.execute("SELECT id FROM groups").fetchone()[0]
            for i, token in enumerate(self.tokens):
                user = str(uuid.uuid4())
                db.execute("INSERT INTO users (id, name, created, updated) VALUES (?, ?, ?, ?)", (user, "user%d" % i, now, now))
                db.execute("INSERT INTO group_members VALUES (?, ?, ?)", (group, user, now))
                db.execute("INSERT INTO api_tokens (id, token_hash, user_id, last_used, created) VALUES (?, ?, ?, ?, ?)",
                           (str(uuid.uuid4()), hashlib.sha256(token.encode()).digest(), user, now, now))
        return result

    def cpu(self):
        with open("/proc/%d/stat" % self.process.pid) as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def rss(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            return int(next(line for line in f if line.startswith("VmRSS")).split()[1]) / 1024


def say(what, value):
    print("%-52s %s" % (what, value), flush=True)


def ready(admin):
    return sum(p["counts"]["ready"] for p in admin.get("pools?limit=200")["items"])


def fill(broker, machines, admin, count):
    began, cpu = time.monotonic(), broker.cpu()
    while len(machines.listed) < count or ready(admin) < count:
        time.sleep(0.1)
        if time.monotonic() - began > 900:
            raise SystemExit("%d of %d desktops in 15 minutes" % (len(machines.listed), count))
    seconds = time.monotonic() - began
    say("desktops a minute, from none to %d" % count, "%.0f (%.1f s)" % (count * 60 / seconds, seconds))
    say("processor time for one desktop", "%.2f ms" % ((broker.cpu() - cpu) * 1000 / count))


def steady(broker, seconds, what):
    time.sleep(2)
    began, cpu = time.monotonic(), broker.cpu()
    time.sleep(seconds)
    say("processor, %s, of a core" % what, "%.2f %%" % ((broker.cpu() - cpu) * 100 / (time.monotonic() - began)))


def spread(values):
    values = sorted(values)
    return "p50 %.2f, p95 %.2f, most %.2f" % (values[len(values) // 2], values[len(values) * 95 // 100], values[-1])


def timed(call, times):
    out = []
    for _ in range(times):
        began = time.monotonic()
        call()
        out.append((time.monotonic() - began) * 1000)
    return out


def lists(admin):
    say("a page of 50 desktops, ms", spread(timed(lambda: admin.get("desktops?limit=50"), 50)))
    say("a page of 200 desktops, ms", spread(timed(lambda: admin.get("desktops?limit=200"), 50)))
    say("a search by name, ms", spread(timed(lambda: admin.get("desktops?q=plain3-19"), 50)))
    say("the pools, ms", spread(timed(lambda: admin.get("pools"), 50)))


def rounds(admin):
    """An administrator's word that changes one row, and a read for comparison: the difference is a round with its write."""
    desktop = admin.get("desktops?limit=1")["items"][0]["id"]
    turns = iter(range(1000))
    say("a read of one desktop, ms", spread(timed(lambda: admin.get("desktops/" + desktop), 100)))
    say("a round that changes one desktop, ms", spread(timed(
        lambda: admin.call("POST", "desktops/%s/drain" % desktop, {"drain": next(turns) % 2 == 0}), 100)))


class Answers(queue.Queue):
    """Each with the time of its coming: whoever sends a thousand requests reads late."""

    def put(self, item, *args):  # pylint: disable=signature-differs
        super().put((time.monotonic(), item), *args)


class Storm:
    """All at once ask for a desktop, and again when they are told to."""

    def __init__(self, gate, tokens, pool):
        self.gate, self.path, self.answers = gate, "/api/v1/me/pools/%s/connect" % pool, Answers()
        self.numbers, self.asks, self.tokens = {}, 0, tokens
        self.told, self.took, self.began = {}, {}, time.monotonic()

    def ask(self, user):
        with self.gate.lock:
            self.gate.next += 1
            number = self.gate.next
        self.gate.waiting[number], self.numbers[number] = self.answers, user
        headers = {"host": HOST + ":8443", "authorization": "Bearer " + self.tokens[user], "content-type": "application/json"}
        self.gate.send({"op": "api", "id": number, "method": "POST", "path": self.path, "query": "", "headers": headers,
                        "remote": "10.0.%d.%d" % (user >> 8, user & 255), "body": '{"protocol": "web"}'})
        self.asks += 1

    def take(self, now, answer):
        user, body = self.numbers.pop(answer["re"]), json.loads(answer["body"])
        del self.gate.waiting[answer["re"]]
        if answer["status"] == 200:
            self.took[user] = now - self.began
            return None
        if answer["status"] != 202:
            raise SystemExit("user %d: %d %s" % (user, answer["status"], answer["body"]))
        if body.get("estimate_s"):
            self.told.setdefault(user, (now - self.began, body["estimate_s"]))
        return now + body["retry_after_ms"] / 1000, user

    def run(self):
        again = []
        for user in range(len(self.tokens)):
            self.ask(user)
        while len(self.took) < len(self.tokens):
            while again and again[0][0] <= time.monotonic():
                self.ask(heapq.heappop(again)[1])
            try:
                due = self.take(*self.answers.get(timeout=max(0.001, again[0][0] - time.monotonic()) if again else 5))
            except queue.Empty:
                continue
            if due:
                heapq.heappush(again, due)


def storm(broker, machines, gate, admin, args):
    pool = next(p for p in admin.get("pools?limit=200")["items"] if p["name"] == "storm")["id"]
    before = ready(admin)
    admin.want(200, "PATCH", "pools/" + pool, {"min": WARM})
    while ready(admin) < before + WARM:
        time.sleep(0.1)
    s, cpu = Storm(gate, broker.tokens, pool), broker.cpu()
    machines.peak = 0
    s.run()
    seconds = time.monotonic() - s.began
    say("boot storm: %d users served in" % args.users, "%.1f s, %.1f a second" % (seconds, args.users / seconds))
    say("being made at the same time, cap %d" % args.cap, "%d at most" % machines.peak)
    say("requests of the waiting", "%d, %.2f ms of processor each" % (s.asks, (broker.cpu() - cpu) * 1000 / s.asks))
    off = [abs(at + told - s.took[u]) / max(s.took[u] - at, 1) for u, (at, told) in s.told.items()]
    say("told an estimate", "%d of %d" % (len(off), args.users))
    if off:
        say("first estimate off by, of what it took", "%s; within 20 %%: %.1f %%" % (spread(off), 100 * sum(o <= 0.2 for o in off) / len(off)))
    return machines.peak <= args.cap


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--desktops", type=int, default=10000)
    p.add_argument("--users", type=int, default=1000)
    p.add_argument("--cap", type=int, default=32, help="desktops of the storm's pool that are made at the same time")
    p.add_argument("--prepare", type=float, default=2.5, help="seconds that one of them takes")
    p.add_argument("--seconds", type=int, default=20, help="of each steady state")
    args = p.parse_args()
    machines, broker = None, Crowd(args.users, world(args.desktops, args.users, args.cap))
    try:
        gate = Link(broker.dir + "/run/gateway.sock")
        gate.call("hello", gateway="g", sessions=[])
        admin = log_in(gate, "admin")
        say("memory without desktops", "%.0f MB" % broker.rss())
        machines = Machines(broker.dir + "/run", args.prepare)
        fill(broker, machines, admin, args.desktops // PLAIN * PLAIN)
        say("memory with them", "%.0f MB" % broker.rss())
        steady(broker, args.seconds, "nothing happens")
        machines.fall_silent(["away"])
        steady(broker, args.seconds, "a list of all machines every 5 s")
        say("lists that were asked for", machines.polls)
        machines.fall_silent([])
        lists(admin)
        rounds(admin)
        kept = storm(broker, machines, gate, admin, args)
        say("memory after all", "%.0f MB" % broker.rss())
        gate.close()
    finally:
        if machines:
            machines.link.close()
        broker.close()
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
