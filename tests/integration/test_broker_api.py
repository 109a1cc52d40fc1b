#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The broker's API through a real daemon: who may call, what is refused and how, lists, the audit.

Covers: broker/api/api.c broker/api/call.c broker/api/entitlements.c broker/api/events.c broker/api/explain.c
broker/api/groups.c broker/api/guard.c broker/api/hub.c broker/api/images.c broker/api/openapi.c broker/api/passwords.c
broker/api/pool_write.c broker/api/pools.c broker/api/providers.c broker/api/replay.c broker/api/status.c
broker/api/users.c broker/api/write.c broker/bootstrap.c broker/settings.c broker/auth/tokens.c
db/entitlement.c db/group.c db/login.c db/user.c
"""
import json
import sqlite3
import time
import unittest

from broker_harness import HOST, PASSWORDS, SETUP, Broker, Link, Session, eventually, log_in

ODD = ["ñandú", "<script>alert(1)</script>", "a'; DROP TABLE users;--", "%s%n", "日本語", "a/b\\c", "🙂" * 32, "..", "a b"]
BAD = ["", " lead", "trail ", "tab\there", "nul\u0000", "line\n", "rtl\u202e", "zero\u200bwidth", "x" * 65, "a#b"]


class Api(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.broker = Broker(config="[limits]\nfree_failures_per_address = 1000\n")
        cls.gate = Link(cls.broker.dir + "/run/gateway.sock")
        cls.gate.call("hello", gateway="g", sessions=[])
        cls.admin, cls.ana = log_in(cls.gate, "admin"), log_in(cls.gate, "ana")
        cls.nobody = Session(cls.gate)

    @classmethod
    def tearDownClass(cls):
        cls.gate.close()
        cls.broker.close()

    def test_a_set_up_file_may_be_given_twice(self):
        other = Broker()
        other.stop()
        self.assertEqual(other.bootstrap(SETUP).returncode, 0)
        wrong = other.bootstrap({"pools": [{"name": "x", "provider": "nowhere", "image": "demo"}]})
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("nowhere", wrong.stderr)
        other.start()
        Link(other.dir + "/run/gateway.sock").close()
        again = other.run_words("bootstrap", "-", text="{}")
        self.assertEqual(again.returncode, 1, "two programs must not have one database")
        self.assertEqual(other.run_words("nonsense").returncode, 1)
        other.close()

    def test_a_failed_log_in_never_says_why(self):
        answers = [self.nobody.call("POST", "sessions", {"user": u, "password": p})
                   for u, p in (("ana", "wrong one"), ("nobody at all", "wrong one"), ("a\u0007", "x"), ("", ""))]
        for status, data, headers in answers:
            self.assertEqual((status, data["code"]), (401, "login_failed"))
            self.assertEqual(data, answers[0][1])
            self.assertNotIn("set-cookie", headers)

    def test_cookie_has_every_fence(self):
        _, data, headers = self.nobody.call("POST", "sessions", {"user": "ana", "password": PASSWORDS["ana"]})
        cookie = headers["set-cookie"][0]
        for word in ("__Host-puesto=", "Path=/", "Secure", "HttpOnly", "SameSite=Strict"):
            self.assertIn(word, cookie)
        self.assertNotIn("Domain", cookie)
        self.assertEqual(data["user"]["roles"], ["user"])

    def test_unsafe_calls_want_csrf_and_origin(self):
        for headers, code in (({"x-csrf-token": None}, "csrf"), ({"x-csrf-token": "x"}, "csrf"),
                              ({"origin": "https://evil.example"}, "bad_origin"), ({"origin": "null"}, "bad_origin"),
                              ({"origin": "http://%s:8443" % HOST}, "bad_origin")):
            status, data, _ = self.admin.call("PATCH", "me", {"locale": "es"}, headers=headers)
            self.assertEqual((status, data["code"]), (403, code), headers)
        self.admin.want(200, "PATCH", "me", {"locale": ""}, headers={"origin": None})

    def test_log_out_ends_the_cookie(self):
        session = log_in(self.gate, "eva")
        _, _, headers = session.call("DELETE", "sessions/current")
        self.assertIn("Max-Age=0", headers["set-cookie"][0])
        self.assertEqual(session.want(401, "GET", "me")["code"], "login_over")

    def test_every_call_is_denied_by_default(self):
        doc, count = self.nobody.get("openapi.json"), 0
        for path, item in doc["paths"].items():
            for method in set(item) & {"get", "post", "patch", "put", "delete"}:
                url = path.strip("/").replace("{id}", "x").replace("{user}", "x").replace("{token}", "x")
                if item[method].get("security") == []:
                    continue
                status, data, _ = self.nobody.call(method.upper(), url)
                self.assertEqual((status, data["code"]), (401, "login_needed"), (method, url))
                if url.startswith("me") or url == "sessions/current":
                    continue
                self.assertEqual(self.ana.want(403, method.upper(), url)["code"], "denied")
                count += 1
        self.assertGreater(count, 50)

    def test_wrong_requests_have_a_clear_answer(self):
        cases = [
            ("GET", "nowhere", {}, 404, "no_route"), ("GET", "pools/none", {}, 404, "not_found"),
            ("PUT", "pools", {"body": {}}, 405, "method"), ("BREW", "pools", {}, 405, "method"),
            ("POST", "groups", {"raw": "{"}, 400, "bad_json"), ("POST", "groups", {"raw": "[]"}, 400, "bad_json"),
            ("POST", "groups", {"raw": '{"name":"a","name":"b"}'}, 400, "bad_json"),
            ("POST", "groups", {"raw": "[" * 5000}, 413, "too_large"), ("POST", "groups", {"raw": "[" * 3000}, 400, "bad_json"),
            ("POST", "groups", {"body": {"name": "x"}, "headers": {"content-type": "text/plain"}}, 415, "media_type"),
            ("POST", "groups", {"body": {"nom": "x"}}, 422, "invalid_field"), ("POST", "groups", {"body": {"name": 7}}, 422, "invalid_field"),
            ("GET", "groups?limit=0", {}, 422, "invalid_field"), ("GET", "groups?cursor=%FF", {}, 400, "bad_request"),
            ("GET", "groups?cursor=****", {}, 400, "bad_cursor"), ("GET", "groups/%2e%2e%2f", {}, 404, "no_route"),
            ("GET", "groups/%00", {}, 404, "no_route"), ("GET", "/api/v2/me", {}, 404, "no_route"),
            ("GET", "me", {"headers": {"host": "evil\" x"}}, 400, "bad_host"),
            ("GET", "me", {"headers": {"authorization": "Basic eDp5"}}, 401, "login_needed"),
        ]
        for method, path, kw, want, code in cases:
            status, data, headers = self.admin.call(method, path, **kw)
            self.assertEqual((status, data["code"]), (want, code), (method, path))
            self.assertEqual(headers["content-type"], "application/problem+json")
            self.assertTrue(data["title"] and data["title_es"] and data["type"].endswith(code))
            if want == 405:
                self.assertIn("GET", headers["allow"])

    def test_names_are_data(self):
        for name in ODD:
            user = self.admin.want(201, "POST", "users", {"name": name, "password": "12345678"})
            self.assertEqual(user["name"], name)
            self.assertEqual(self.admin.get("users/" + user["id"])["name"], name)
            log_in(self.gate, name, "12345678")
            self.admin.want(204, "DELETE", "users/" + user["id"])
        for name in BAD:
            status, data, _ = self.admin.call("POST", "users", {"name": name})
            self.assertIn(status, (400, 422), repr(name))
            if status == 422:
                self.assertEqual(data["field"], "name")

    def test_lists_have_pages_and_filters(self):
        for n in range(5):
            self.admin.want(201, "POST", "groups", {"name": "page %d" % n})
        seen, cursor = [], ""
        while cursor is not None:
            page = self.admin.get("groups?limit=2&q=page" + ("&cursor=" + cursor if cursor else ""))
            self.assertLessEqual(len(page["items"]), 2)
            seen += [g["name"] for g in page["items"]]
            cursor = page["next"]
        self.assertEqual(seen, ["page %d" % n for n in range(5)])

    def test_pools_are_checked_and_changed_with_entity_tags(self):
        body = {"name": "extra", "provider": "local", "image": "demo", "min": 0, "max": 3, "spec": {"memory_mb": 512}}
        for change, field in (({"name": "a b"}, "name"), ({"provider": "none"}, "provider"), ({"max": -1}, "max"), ({"min": 9}, "min"),
                              ({"spec": {"memory_mb": "1"}}, "spec.memory_mb"), ({"spec": {"gpu": 1}}, "spec.gpu"),
                              ({"on_logoff": "explode"}, "on_logoff"), ({"image_version": "9"}, "image_version"), ({"max": 1.5}, "max")):
            self.assertEqual(self.admin.want(422, "POST", "pools", {**body, **change})["field"], field)
        status, pool, headers = self.admin.call("POST", "pools", body, headers={"idempotency-key": "k1"})
        self.assertEqual((status, headers["etag"]), (201, '"1"'))
        again = self.admin.want(201, "POST", "pools", body, headers={"idempotency-key": "k1"})
        self.assertEqual(again["id"], pool["id"])
        self.assertEqual(self.admin.want(409, "POST", "pools", {**body, "max": 4}, headers={"idempotency-key": "k1"})["code"], "key_reused")
        self.assertEqual(self.admin.want(409, "POST", "pools", body)["code"], "exists")
        self.assertEqual(self.admin.want(200, "PATCH", "pools/extra", {"max": 2}, headers={"if-match": '"1"'})["max"], 2)
        self.assertEqual(self.admin.want(412, "PATCH", "pools/extra", {"max": 5}, headers={"if-match": '"1"'})["code"], "changed")
        self.assertTrue(self.admin.want(200, "POST", "pools/extra/drain", {"drain": True})["drain"])
        self.assertEqual(self.admin.want(200, "POST", "pools/extra/maintenance", {"on": True})["state"], "maintenance")
        self.admin.want(202, "DELETE", "pools/extra")
        eventually(lambda: self.admin.call("GET", "pools/extra")[0] == 404)

    def test_versions_are_published_retired_and_removed(self):
        """
        Covers: broker/api/rollouts.c
        """
        self.admin.want(201, "POST", "images", {"name": "steps"})
        for version in ("1", "2", "3"):
            self.admin.want(201, "POST", "images/steps/versions", {"version": version, "path": "/srv/" + version})
        image = self.admin.want(200, "POST", "images/steps/publish", {"version": "1"})
        self.assertEqual((image["published"], image["rollout"]["phase"]), ("1", "done"))  # nobody uses it: at once
        pool = {"name": "steps", "provider": "local", "image": "steps", "min": 0, "max": 2}
        self.admin.want(201, "POST", "pools", pool)
        for bad, field in (({"canary": 101}, "canary"), ({"unavailable": 0}, "unavailable"), ({"samples": 33}, "samples"), ({"slower_percent": "2"}, "slower_percent"),
                           ({"force_at": "tomorrow"}, "force_at"), ({"version": "9"}, "version"), ({"speed": 1}, "speed")):
            self.assertEqual(self.admin.want(422, "POST", "images/steps/publish", {"version": "2", **bad})["field"], field)
        plan = {"version": "2", "canary": 10, "canary_s": 600, "force_at": "2031-05-06T07:08:09.000Z", "kept_disks": True}
        image = self.admin.want(200, "POST", "images/steps/publish", plan)
        rollout = image["rollout"]
        self.assertEqual((image["published"], rollout["phase"], rollout["previous"], rollout["live"]), ("1", "verify", "1", True))
        self.assertEqual({key: rollout["plan"][key] for key in plan if key != "version"}, {key: plan[key] for key in plan if key != "version"})
        self.assertTrue(rollout["reason"]["en"] and rollout["reason"]["es"])
        # No provisioner is there: it waits, and says for what.
        self.assertEqual(self.admin.get("images/steps/rollout")["rollout"]["reason"]["code"], "no_provisioner")
        problem = self.admin.want(409, "POST", "images/steps/publish", {"version": "3"})
        self.assertIn("2", problem["detail"])
        self.assertIn("versión 2", problem["detail_es"])
        self.assertTrue(self.admin.want(200, "POST", "images/steps/rollout/pause", {})["rollout"]["paused"])
        self.assertIn("admin", self.admin.get("images/steps")["rollout"]["reason"]["en"])
        self.assertIn(("image", "steps", "paused"), [(p["kind"], p["name"], p["state"]) for p in self.admin.get("status")["problems"]])
        self.assertFalse(self.admin.want(200, "POST", "images/steps/rollout/continue", {})["rollout"]["paused"])
        self.admin.want(404, "POST", "images/steps/rollout/faster", {})
        self.assertIn("rolled out", self.admin.want(409, "POST", "images/steps/versions/2/retire", {})["detail"])
        image = self.admin.want(200, "POST", "images/steps/rollout/rollback", {})
        self.assertEqual((image["published"], image["rollout"]["phase"], image["rollout"]["live"]), ("1", "reverted", False))
        self.assertEqual(self.admin.want(409, "POST", "images/steps/rollout/continue", {})["code"], "conflict")
        self.assertEqual([r["version"] for r in self.admin.get("images/steps/rollout")["history"]], ["2", "1"])
        # The end of versions: not the published one, not one that a pool names.
        for version, word in (("1", "published"), ("9", "version")):
            self.assertIn(word, self.admin.want(409 if version == "1" else 404, "POST", "images/steps/versions/%s/retire" % version, {})["detail"])
        self.admin.want(200, "PATCH", "pools/steps", {"image_version": "3"})
        self.assertEqual(self.admin.want(409, "POST", "images/steps/versions/3/retire", {})["detail"], "pools: steps")
        self.assertEqual(self.admin.want(409, "DELETE", "images/steps/versions/3")["detail"], "pools: steps")
        self.assertIn("retire it first", self.admin.want(409, "DELETE", "images/steps/versions/2")["detail"])
        image = self.admin.want(200, "POST", "images/steps/versions/2/retire", {})
        self.assertEqual({v["version"]: v["state"] for v in image["versions"]}, {"1": "ready", "2": "retired", "3": "ready"})
        self.assertEqual(self.admin.want(409, "POST", "images/steps/publish", {"version": "2"})["code"], "conflict")
        self.admin.want(204, "DELETE", "images/steps/versions/2")
        self.assertEqual([v["version"] for v in self.admin.get("images/steps")["versions"] if v["version"] == "2"], [])
        self.admin.want(202, "DELETE", "pools/steps")
        eventually(lambda: self.admin.call("GET", "pools/steps")[0] == 404)
        self.admin.want(204, "DELETE", "images/steps")

    def test_images_and_providers(self):
        self.admin.want(201, "POST", "images", {"name": "other"})
        for bad in ({"version": "latest"}, {"version": "1", "path": "relative"}, {"version": "1", "path": "/a/../b"}, {"version": ""}):
            self.admin.want(422, "POST", "images/other/versions", bad)
        for base in ("ref:", "ref:-x", "ref:a b", "ref:../x", "reference", "ref:a?b"):
            self.admin.want(422, "POST", "images/other/versions", {"version": "r", "base": base})
        self.admin.want(201, "POST", "images/other/versions", {"version": "r", "base": "ref:registry:5000/desk@sha256:ab"})
        self.admin.want(201, "POST", "images/other/versions", {"version": "1", "path": "/srv/x"})
        self.assertEqual(self.admin.want(409, "POST", "images/other/versions", {"version": "1"})["code"], "exists")
        self.admin.want(422, "POST", "images/other/publish", {"version": "2"})
        self.assertEqual(self.admin.want(200, "POST", "images/other/publish", {"version": "1"})["state"], "published")
        self.admin.want(204, "DELETE", "images/other")
        for used in ("images/demo", "providers/local"):
            problem = self.admin.want(409, "DELETE", used)
            self.assertEqual(problem["code"], "in_use")
            self.assertIn("pools: demo", problem["detail"])
            self.assertIn("grupos: demo", problem["detail_es"])
        provider = self.admin.get("providers/local")
        self.assertEqual(provider["state"], "failed")
        self.assertTrue(provider["reason"]["es"])

    def test_tokens_stand_for_their_user(self):
        token = self.admin.want(201, "POST", "users/admin/tokens", {"name": "script"})
        bearer = Session(self.gate, {"authorization": "Bearer " + token["token"], "origin": None})
        self.assertEqual(bearer.get("me")["csrf"], None)
        bearer.want(201, "POST", "groups", {"name": "by token"})
        self.assertNotIn("token", self.admin.get("users/admin/tokens")["items"][0])
        self.admin.want(204, "DELETE", "users/admin/tokens/" + token["id"])
        bearer.want(401, "GET", "me")

    def test_passwords_and_switched_off_users(self):
        eva = log_in(self.gate, "eva")
        self.assertEqual(eva.want(422, "POST", "me/password", {"current": "no", "password": "another long one"})["field"], "current")
        self.assertEqual(eva.want(422, "POST", "me/password", {"current": PASSWORDS["eva"], "password": "short"})["field"], "password")
        other = log_in(self.gate, "eva")
        eva.want(204, "POST", "me/password", {"current": PASSWORDS["eva"], "password": "another long one"})
        eva.get("me")
        other.want(401, "GET", "me")
        self.admin.want(204, "POST", "users/eva/password", {"password": PASSWORDS["eva"]})
        eva.want(401, "GET", "me")
        eva = log_in(self.gate, "eva")
        self.admin.want(200, "PATCH", "users/eva", {"enabled": False})
        eva.want(401, "GET", "me")
        self.nobody.want(401, "POST", "sessions", {"user": "eva", "password": PASSWORDS["eva"]})
        self.admin.want(200, "PATCH", "users/eva", {"enabled": True})
        log_in(self.gate, "eva")

    def test_the_last_admin_stays(self):
        for method, path, body in (("DELETE", "users/admin", None), ("PATCH", "users/admin", {"role": "user"}),
                                   ("PATCH", "users/admin", {"enabled": False})):
            self.assertEqual(self.admin.want(409, method, path, body)["code"], "last_admin")

    def test_explain_names_the_check_that_fails(self):
        answer = self.admin.get("explain?user=eva&pool=demo")
        self.assertEqual((answer["allowed"], answer["reason"]["code"]), (False, "entitled"))
        answer = self.admin.get("explain?user=ana&pool=demo")
        self.assertIn("staff", next(c for c in answer["checks"] if c["check"] == "entitled")["en"])
        self.admin.want(422, "GET", "explain?user=ana")

    def test_status_puts_failures_first(self):
        status = self.admin.get("status")
        self.assertEqual(status["state"], "failed")
        self.assertEqual(status["problems"][0]["reason"]["code"], "provisioner_gone")
        self.assertEqual([g["name"] for g in status["gateways"]], ["g"])

    def test_stream_tells_changes_and_goes_on_where_it_stopped(self):
        fields = {"host": HOST, **self.admin.extra}
        number, pieces = self.gate.begin("api", method="GET", path="/api/v1/events/stream", query="", headers=fields, remote="", body="")
        first = pieces.get(timeout=10)
        self.assertEqual((first["status"], first["op"]), (200, "stream"))
        self.assertIn("text/event-stream", first["headers"]["content-type"])
        group = self.admin.want(201, "POST", "groups", {"name": "seen live"})
        text = ""
        while "group.created" not in text or "event: change" not in text:
            text += pieces.get(timeout=10)["data"]
        change = next(json.loads(line[6:]) for line in text.split("\n") if line.startswith("data: ") and '"seen live"' in line and '"group"' in line)
        self.assertTrue(change["id"] == group["id"] or change["object"]["id"] == group["id"])
        seq = int(next(line[4:] for line in text.split("\n") if line.startswith("id: ")))
        self.gate.send({"op": "cancel", "call": number})
        number, pieces = self.gate.begin("api", method="GET", path="/api/v1/events/stream", query="", remote="", body="",
                                         headers={**fields, "last-event-id": str(seq - 1)})
        self.assertIn("id: %d\n" % seq, pieces.get(timeout=10)["data"])
        self.gate.send({"op": "cancel", "call": number})

    def test_stream_ends_when_its_log_in_ends(self):
        eva = self.admin.want(201, "POST", "users", {"name": "chief", "password": "12345678", "role": "admin"})
        chief = log_in(self.gate, "chief", "12345678")
        _, pieces = self.gate.begin("api", method="GET", path="/api/v1/events/stream", query="", headers={"host": HOST, **chief.extra}, remote="", body="")
        pieces.get(timeout=10)
        self.admin.want(204, "DELETE", "users/" + eva["id"])
        began, last = time.monotonic(), pieces.get(timeout=10)
        while "op" in last:
            last = pieces.get(timeout=10)
        self.assertLess(time.monotonic() - began, 6)

    def test_audit_has_everything_and_shows_every_wound(self):
        self.assertTrue(self.admin.get("events/verify")["ok"])
        kinds = {e["kind"] for e in self.admin.get("events?limit=200")["items"]}
        self.assertIn("login.ok", kinds)
        newest = self.admin.get("events?limit=1")["items"][0]
        later = self.admin.get("events?after=%d" % (newest["seq"] - 1))
        self.assertEqual(later["items"][0]["seq"], newest["seq"])
        self.assertTrue(all(e["kind"].startswith("login.") for e in self.admin.get("events?kind=login.")["items"]))
        other = Broker()
        other.stop()
        wounds = ("UPDATE events SET actor_name = 'x' WHERE seq = 2", "DELETE FROM events WHERE seq = 2",
                  "UPDATE events SET time = time + 1 WHERE seq = 2", "UPDATE events SET detail = '{}', kind = 'x' WHERE seq = 2")
        for wound in wounds:
            with sqlite3.connect(other.dir + "/db/puesto.db") as db:
                db.executescript("DROP TRIGGER IF EXISTS events_no_update; DROP TRIGGER IF EXISTS events_no_delete; CREATE TABLE keep AS SELECT * FROM events;")
                db.execute(wound)
            db.close()
            other.start()
            gate = Link(other.dir + "/run/gateway.sock")
            verdict = log_in(gate, "admin").get("events/verify")
            self.assertEqual((verdict["ok"], verdict["broken_seq"]), (False, 3 if "DELETE" in wound else 2), wound)
            gate.close()
            other.stop()
            with sqlite3.connect(other.dir + "/db/puesto.db") as db:
                db.executescript("DELETE FROM events; INSERT INTO events SELECT * FROM keep; DROP TABLE keep;")
            db.close()
        other.close()

    def test_no_secret_is_kept_in_clear(self):
        with open(self.broker.dir + "/db/puesto.db", "rb") as f, open(self.broker.dir + "/db/puesto.db-wal", "rb") as w:
            data = f.read() + w.read()
        for secret in [*PASSWORDS.values(), self.admin.extra["cookie"].split("=")[1]]:
            self.assertNotIn(secret.encode(), data)
            self.assertNotIn(secret, self.broker.text())


class LockOut(unittest.TestCase):
    def test_failures_close_the_door_for_a_while(self):
        broker = Broker(config="[limits]\nfree_failures = 2\n")
        gate = Link(broker.dir + "/run/gateway.sock")
        right = PASSWORDS["ana"]
        for name in ("nobody", "ana"):
            answers = [Session(gate).call("POST", "sessions", {"user": name, "password": "wrong one"}) for _ in range(4)]
            self.assertEqual([a[0] for a in answers], [401, 401, 401, 429])
            self.assertGreaterEqual(answers[3][1]["retry_after"], 1)
            self.assertIn("retry-after", answers[3][2])
        self.assertEqual(gate.call("auth", protocol="rdp", user="ana", password=right, remote="1.2.3.4")["error"]["status"], 429)
        self.assertEqual(Session(gate).call("POST", "sessions", {"user": "ANA", "password": right})[0], 429)
        log_in(gate, "eva")
        gate.close()
        broker.close()

    def test_a_block_outlives_a_restart_until_it_is_lifted(self):
        broker = Broker(config="[limits]\nfree_failures = 100\nblock_failures = 3\n")
        gate = Link(broker.dir + "/run/gateway.sock")
        for name in ("ana", "admin", "nobody"):
            self.assertEqual([Session(gate).call("POST", "sessions", {"user": name, "password": "wrong"})[0] for _ in range(3)], [401] * 3)
        gate.close()
        broker.stop()
        broker.start()
        gate = Link(broker.dir + "/run/gateway.sock")
        answers = [Session(gate).call("POST", "sessions", {"user": n, "password": PASSWORDS.get(n, "x")}) for n in ("ana", "admin", "nobody")]
        for status, data, _ in answers:
            self.assertEqual((status, data), (403, answers[0][1]))
        self.assertEqual(answers[0][1]["code"], "blocked")
        self.assertEqual(gate.call("auth", protocol="rdp", user="ana", password=PASSWORDS["ana"], remote="1.2.3.4")["error"]["code"], "blocked")
        self.assertEqual(broker.run_words("unlock", "admin").returncode, 0)
        admin = log_in(gate, "admin")
        ana = admin.get("users/ana")
        self.assertEqual((ana["state"], ana["reason"]["code"]), ("blocked", "blocked"))
        admin.want(204, "POST", "users/ana/unlock")
        log_in(gate, "ana")
        gate.close()
        broker.close()

    def test_a_flood_is_refused_and_the_others_are_served(self):
        broker = Broker(config="[limits]\nfree_failures = 100\nblock_failures = 100\nfree_failures_per_address = 1000\npassword_threads = 1\n")
        gate = Link(broker.dir + "/run/gateway.sock")
        body = json.dumps({"user": "x", "password": "wrong one"})
        calls = [gate.begin("api", method="POST", path="/api/v1/sessions", query="", headers={"content-type": "application/json", "host": HOST},
                            remote="6.6.6.6", body=body)[1] for _ in range(120)]
        began = time.monotonic()
        log_in(gate, "eva", remote="10.9.9.9")
        self.assertLess(time.monotonic() - began, 3)
        statuses = [c.get(timeout=30)["status"] for c in calls]
        self.assertIn(429, statuses)
        self.assertEqual(set(statuses), {401, 429})
        gate.close()
        broker.close()


if __name__ == "__main__":
    unittest.main(verbosity=1)
