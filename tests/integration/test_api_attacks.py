#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API under attack: every route of openapi.yaml, called by everybody, with everything that does not belong there.
Nothing may fail inside (5xx), nobody may see or do what is not theirs, every refusal is a problem in two languages,
and the broker does not grow. The gate's part (what is no HTTP at all) is test_gate_http.py."""
import json
import os
import re
import unittest
import uuid

from broker_harness import HOST, PASSWORDS, Broker, Link, Provisioner, Session, eventually, log_in

UNKNOWN = str(uuid.uuid4())
BAD_IDS = ["%00", "%ff", "%2e%2e%2f%2e%2e", "..", "'%20or%201=1--", "a%2fb", "%", "%4", "x" * 900, "%c3%b1", "%0a", "%20", "-1", "%f0%9f%98%80"]
BAD_VALUES = [None, True, -1, 0, 2 ** 31, 2 ** 63 - 1, -2 ** 63, 1e308, "", " ", "x" * 70000, "\u0000", "a\u0000b", "\u202e", "\ud7ff\ufffd", "../../etc/passwd",
              "' OR 1=1 --", "%s%n", "{0}{1}", "\U0001f600" * 40, [], {}, [[]] * 3, list(range(10000)), {"a": {"b": {}}}]
BAD_BODIES = ["", "{", "[]", "null", "\"x\"", "1", "{\"a\":1}{", "[" * 100000, "{\"a\":" * 5000, "{\"name\":\"a\",\"name\":\"b\"}", "{\"name\":\"\\ud800\"}",
              "{\"x\":" + "9" * 400 + "}", "{\"name\":" + json.dumps("y" * 300000) + "}", json.dumps({"k%d" % i: i for i in range(4000)})]
BAD_QUERIES = ["limit=0", "limit=-1", "limit=201", "limit=99999999999999999999", "limit=x", "cursor=%21%21", "cursor=" + "A" * 800, "cursor=_w", "cursor=AA", "cursor=MSA",
               "cursor=LTEgeA", "q=%00", "q=%ff", "q=" + "x" * 1500, "q=%25%5f'", "q=%F0%9F%98%80", "state=nonsense", "user=nobody", "pool=nobody", "group=nobody", "desktop=nobody",
               "after=-1", "after=x", "after=9223372036854775807", "kind='", "object=%0a", "&&&=&", "=", "a=b&" * 17, "limit=1&limit=2", "q", "%zz=1"]
LEAKS = re.compile(r"sqlite|constraint|SELECT |\.c:\d|/tmp/|/var/|puesto\.db", re.IGNORECASE)
CODES_FOR_PROGRAMS = {"bad_json"}


class Route:
    def __init__(self, doc, method, path, spec):
        self.method, self.path = method.upper(), path.lstrip("/")
        self.stars = re.findall(r"{\w+}", path)
        self.role = "open" if spec.get("security") == [] else "admin" if "(admin)" in spec["summary"] else "user"
        self.fields = self.schema_fields(doc, spec.get("requestBody"))

    def schema_fields(self, doc, node):
        """The names of everything that a body may have."""
        if isinstance(node, list):
            return set().union(*[self.schema_fields(doc, n) for n in node]) if node else set()
        if not isinstance(node, dict):
            return set()
        names = set(node["properties"]) if isinstance(node.get("properties"), dict) else set()
        for key, value in node.items():
            if key == "$ref":
                there = doc
                for step in value.lstrip("#/").split("/"):
                    there = there[step]
                names |= self.schema_fields(doc, there)
            else:
                names |= self.schema_fields(doc, value)
        return names

    def at(self, *ids):
        path = self.path
        for star, value in zip(self.stars, list(ids) + [UNKNOWN] * len(self.stars)):
            path = path.replace(star, value, 1)
        return path

    def __repr__(self):
        return self.method + " " + self.path


def routes_of(doc):
    return [Route(doc, method, path, spec) for path, entry in doc["paths"].items() for method, spec in entry.items() if method != "parameters"]


class Attacks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(config="[limits]\nfree_failures = 100\nblock_failures = 100\nfree_failures_per_address = 10000\n")
        cls.gate = Link(cls.broker.dir + "/run/gateway.sock")
        cls.gate.call("hello", gateway="g", sessions=[])
        cls.provisioner = Provisioner(cls.broker.dir + "/run")
        cls.nobody = Session(cls.gate)
        cls.admin, cls.ana, cls.eva = (log_in(cls.gate, name) for name in ("admin", "ana", "eva"))
        cls.routes = routes_of(cls.nobody.get("openapi.json"))
        assert len(cls.routes) > 60
        cls.seen = {}

    @classmethod
    def tearDownClass(cls):
        cls.provisioner.close()
        cls.gate.close()
        cls.broker.close()

    def call(self, who, method, path, **kw):
        """One call; whatever the answer is, it must be a decent one."""
        status, data, headers = who.call(method, path, **kw)
        what = "%s %s %.120r: %d %.400r" % (method, path, kw, status, data)
        self.assertLess(status, 500, what)
        if status >= 400:
            self.assertEqual(headers.get("content-type"), "application/problem+json", what)
            self.assertEqual(data["status"], status, what)
            self.assertTrue(data["code"] and data["title"] and data["title_es"] and data["type"].endswith(data["code"]), what)
            if "detail" in data and data["code"] not in CODES_FOR_PROGRAMS:
                self.assertIn("detail_es", data, what)
            self.assertIsNone(LEAKS.search(data.get("detail", "")), what)
        return status, data

    def want(self, status, code, who, method, path, **kw):
        got, data = self.call(who, method, path, **kw)
        self.assertEqual((got, data and data.get("code")), (status, code), "%s %s %.120r" % (method, path, kw))

    def rss_kb(self):
        with open("/proc/%d/status" % self.broker.process.pid) as f:
            return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))

    def test_authorization_matrix(self):
        pool = self.admin.get("pools/demo")["id"]
        bearer = self.admin.want(201, "POST", "users/ana/tokens", {"name": "t"})["token"]
        ana_by_token = Session(self.gate, {"authorization": "Bearer " + bearer, "origin": None})
        forged = [Session(self.gate, h) for h in ({"cookie": "__Host-puesto=" + "A" * 43}, {"authorization": "Bearer pst_" + "A" * 43, "origin": None},
                                                  {"authorization": "Basic YWRtaW46YQ=="}, {"cookie": "__Host-puesto="}, {"authorization": "Bearer "})]
        for r in self.routes:
            for ids in ((), (pool, "ana"), ("ana", "ana"), ("%ff", "%00")):
                path = r.at(*ids)
                if r.role != "open" and "%ff" not in path:
                    for who in [self.nobody] + forged:
                        status, data = self.call(who, r.method, path, body={} if r.method in ("POST", "PATCH", "PUT") else None)
                        self.assertEqual(status, 401, "%r by nobody: %r" % (r, data))
                if r.role == "admin":
                    for who in (self.ana, ana_by_token):
                        status, data = self.call(who, r.method, path, body={} if r.method in ("POST", "PATCH", "PUT") else None)
                        self.assertIn((status, data["code"]), ((403, "denied"), (404, "no_route")), "%r by ana: %r" % (r, data))
                        self.assertTrue(status == 403 or "%ff" in path)

    def test_nobody_reaches_another_users_desktop(self):
        eventually(lambda: self.admin.get("pools/demo")["counts"]["ready"] >= 1)
        pool = self.admin.get("pools/demo")["id"]
        eventually(lambda: self.ana.call("POST", "me/pools/%s/connect" % pool, {"protocol": "web"})[0] == 200)
        desktop = self.ana.get("me/pools")["items"][0]["desktop"]["id"]
        for act in ("logoff", "restart"):
            self.want(404, "not_found", self.eva, "POST", "me/desktops/%s/%s" % (desktop, act), body={})
            self.want(404, "not_found", self.admin, "POST", "me/desktops/%s/%s" % (desktop, act), body={})
        for name in (pool, "demo", UNKNOWN, "no-such-pool"):
            self.want(403, "not_entitled", self.eva, "POST", "me/pools/%s/connect" % name, body={"protocol": "web"})
        for path in ("me", "me/pools"):
            self.assertNotIn("ana", json.dumps(self.eva.get(path)).replace("manage", ""))
        self.assertEqual(self.eva.get("me/pools")["items"], [])

    def test_a_foreign_site_gets_nothing_done(self):
        for r in self.routes:
            if r.role == "open" or r.method == "GET":
                continue
            who, path = (self.admin if r.role == "admin" else self.ana), r.at()
            for headers, status, code in (({"x-csrf-token": None}, 403, "csrf"), ({"x-csrf-token": "A" * 43}, 403, "csrf"), ({"x-csrf-token": self.eva.extra["x-csrf-token"]}, 403, "csrf"),
                                          ({"origin": "https://evil.example"}, 403, "bad_origin"), ({"origin": "null"}, 403, "bad_origin"),
                                          ({"origin": "https://%s.evil.example:8443" % HOST}, 403, "bad_origin"), ({"origin": "http://%s:8443" % HOST}, 403, "bad_origin")):
                self.want(status, code, who, r.method, path, headers=headers)
        self.want(403, "bad_origin", self.nobody, "POST", "sessions", body={"user": "ana", "password": PASSWORDS["ana"]}, headers={"origin": "https://evil.example"})

    def victims(self):
        """Things that may break: an id for each star of a path."""
        name = "v" + uuid.uuid4().hex[:12]
        image = self.admin.want(201, "POST", "images", {"name": name})
        user = self.admin.want(201, "POST", "users", {"name": name})
        group = self.admin.want(201, "POST", "groups", {"name": name})
        provider = self.admin.want(201, "POST", "providers", {"name": name})
        pool = self.admin.want(201, "POST", "pools", {"name": name, "provider": name, "image": name, "max": 0})
        entitlement = self.admin.want(201, "POST", "entitlements", {"pool": name, "user": name})
        return {"images": image["id"], "users": user["id"], "groups": group["id"], "providers": provider["id"], "pools": pool["id"], "entitlements": entitlement["id"],
                "sessions": UNKNOWN, "desktops": UNKNOWN, "me": UNKNOWN}

    def storm(self):
        victims = self.victims()
        for r in self.routes:
            if r.path in ("revoke-all", "sessions/current", "events/stream"):
                continue
            who = self.ana if r.role == "user" else self.admin
            here = r.at(victims.get(r.path.split("/")[0], UNKNOWN))
            if r.stars:
                for bad in BAD_IDS + [UNKNOWN]:
                    status, data = self.call(who, r.method, r.at(bad, bad), body={} if r.fields else None)
                    self.assertGreaterEqual(status, 400, "%r %s %r" % (r, bad, data))
            if r.method == "GET":
                for query in BAD_QUERIES:
                    self.call(who, "GET", here + "?" + query)
            if r.method in ("POST", "PATCH", "PUT") and r.path != "me/password":
                for raw in BAD_BODIES:
                    self.call(who, r.method, here, raw=raw)
                for field in sorted(r.fields):
                    for value in BAD_VALUES:
                        self.call(who, r.method, here, body={field: value})
                for kind in (None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"):
                    self.call(who, r.method, here, raw="{}", headers={"content-type": kind})
                for key in ("", "k" * 1000, "\u00f1", " "):
                    self.call(who, r.method, r.at(), raw="{}", headers={"idempotency-key": key})
                self.call(who, r.method, r.at(), raw="{}", headers={"if-match": "\"" + "9" * 30 + "\""})
            for method in ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "TRACE", "get", "X" * 20):
                if not any(o.method == method and o.path == r.path for o in self.routes):
                    self.assertIn(self.call(who, method, here)[0], (404, 405))

    def test_a_storm_of_nonsense_breaks_nothing_and_leaves_nothing(self):
        self.storm() # the first one fills caches
        before = self.rss_kb()
        self.storm()
        grown = self.rss_kb() - before
        if not os.environ.get("SANITIZED"):  # the sanitizer keeps what was freed
            self.assertLess(grown, 4096, "the broker grew by %d kB" % grown)
        self.assertTrue(self.admin.get("events/verify")["ok"])
        self.assertEqual(self.admin.get("me")["name"], "admin")
        self.assertNotRegex(self.broker.text(), r" error ")


if __name__ == "__main__":
    unittest.main(verbosity=1)
