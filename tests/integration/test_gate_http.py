#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate's HTTPS side against a broker of our own: files, API, event streams, bad input, limits."""
import json
import os
import socket
import ssl
import time
import unittest

from gate_harness import Gateway, read_head, read_line, read_exactly, read_response


class Http(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gate = Gateway(preauth_deadline="1s", half_open_per_source=16)

    @classmethod
    def tearDownClass(cls):
        cls.gate.close()

    def test_pages_and_files(self):
        for path, title in (("/", b"portal"), ("/console/", b"console"), ("/client/", b"client")):
            status, headers, body = self.gate.http("GET", path)
            self.assertEqual(status, 200)
            self.assertIn(b"<title>" + title, body)
            self.assertEqual(headers["content-type"], ["text/html; charset=utf-8"])
        status, headers, body = self.gate.http("GET", "/shared/big.wasm")
        self.assertEqual((status, headers["content-type"]), (200, ["application/wasm"]))
        self.assertEqual(body, self.gate.big)
        self.assertEqual(self.gate.http("HEAD", "/shared/big.wasm")[1]["content-length"], ["3000000"])
        status, headers, _ = self.gate.http("GET", "/console")
        self.assertEqual((status, headers["location"]), (308, ["/console/"]))

    def test_etag_saves_the_body(self):
        etag = self.gate.http("GET", "/shared/app.mjs")[1]["etag"][0]
        status, _, body = self.gate.http("GET", "/shared/app.mjs", {"If-None-Match": etag})
        self.assertEqual((status, body), (304, b""))

    def test_security_headers_are_everywhere(self):
        for path in ("/", "/nothing", "/api/v1/x"):
            headers = self.gate.http("GET", path)[1]
            self.assertIn("default-src 'none'", headers["content-security-policy"][0])
            self.assertNotIn("unsafe-inline", headers["content-security-policy"][0])
            for name in ("strict-transport-security", "x-content-type-options", "referrer-policy", "cross-origin-opener-policy",
                         "cross-origin-embedder-policy", "cross-origin-resource-policy"):
                self.assertIn(name, headers)

    def test_nothing_outside_is_served(self):
        for path in ("/../../../../etc/passwd", "/..%2f..%2fetc/passwd", "/shared/../../run/x.txt", "/%2e%2e/x.html", "/shared//app.mjs",
                     "/shared/passwd.txt", "/.hidden.html", "/shared/secret.key", "/shared/", "/shared", "/shared/./app.mjs", "/shared/app.mjs%00.html",
                     "/" + "a" * 3000 + ".html"):
            self.assertEqual(self.gate.http("GET", path)[0], 404, path)

    def test_keep_alive_and_pipelining(self):
        conn = self.gate.tls()
        self.assertEqual(self.gate.http("GET", "/", conn=conn)[0], 200)
        one = "GET /shared/app.mjs HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        conn.sendall(one * 20)
        for _ in range(20):
            self.assertEqual(read_response(conn)[2], b"export const a = 1;\n")

    def test_malformed_requests_are_refused(self):
        host = b"Host: localhost\r\n"
        cases = [
            (b"GET / HTTP/1.1\r\n\r\n", 400), (b"GET / HTTP/1.1\nHost: localhost\n\n\r\n\r\n", 400), (b"GET http://x/ HTTP/1.1\r\n" + host + b"\r\n", 400),
            (b"GET / HTTP/2.0\r\n" + host + b"\r\n", 505), (b"BREW / HTTP/1.1\r\n" + host + b"\r\n", 501),
            (b"GET / HTTP/1.1\r\n" + host + b" folded: 1\r\n\r\n", 400), (b"GET / HTTP/1.1\r\n" + host + host + b"\r\n", 400),
            (b"POST /api/v1/x HTTP/1.1\r\n" + host + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            (b"POST /api/v1/x HTTP/1.1\r\n" + host + b"Transfer-Encoding: chunked\r\n\r\n", 411),
            (b"POST /api/v1/x HTTP/1.1\r\n" + host + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\n", 400),
            (b"POST /api/v1/x HTTP/1.1\r\n" + host + b"Content-Length: -1\r\n\r\n", 400),
            (b"POST /api/v1/x HTTP/1.1\r\n" + host + b"Content-Length: 262145\r\n\r\n", 413),
            (b"POST /api/v1/x HTTP/1.1\r\n" + host + b"Content-Length: 99999999999999999999\r\n\r\n", 400),
            (b"GET / HTTP/1.1\r\n" + host + b"X: " + b"a" * 9000 + b"\r\n\r\n", 431),
            (b"GET / HTTP/1.1\r\n" + host + b"".join(b"X-%d: 1\r\n" % i for i in range(70)) + b"\r\n", 431),
            (b"GET / HTTP/1.1\r\n" + host + b"X: a\x00b\r\n\r\n", 400), (b"GET /\x80 HTTP/1.1\r\n" + host + b"\r\n", 400),
            (b"\x16\x03\x01" * 4000, 431), (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        ]
        for data, status in cases:
            self.assertEqual(self.gate.raw(data), status, data[:60])
        self.assertEqual(self.gate.http("GET", "/")[0], 200)

    def test_unknown_upgrades_are_plain_requests(self):
        for name in ("h2c", "foo", "websocket, h2c"):
            self.assertEqual(self.gate.http("GET", "/", {"Upgrade": name, "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABk"})[0], 200)

    def test_foreign_hosts_and_origins(self):
        self.assertEqual(self.gate.http("GET", "/", host="evil.example")[0], 421)
        self.assertEqual(self.gate.http("GET", "/", host="localhost.evil.example")[0], 421)
        self.assertEqual(self.gate.http("POST", "/api/v1/x", {"Origin": "https://evil.example"}, b"{}")[0], 403)
        self.assertEqual(self.gate.http("DELETE", "/")[0], 405)

    def test_api_is_forwarded(self):
        broker = self.gate.broker
        broker.handlers["api"] = lambda m, send: {"status": 201, "headers": {"content-type": "application/json", "set-cookie": ["a=1", "b=2"],
                                                  "x-bad": "1", "location": "/x\r\nX-Split: 1"}, "body": json.dumps({"got": m["body"]})}
        status, headers, body = self.gate.http("POST", "/api/v1/sessions?x=1", {"Content-Type": "application/json", "Cookie": "c=d", "X-Other": "no"},
                                               "{\"user\":\"ñ\"}".encode())
        self.assertEqual((status, headers["set-cookie"]), (201, ["a=1", "b=2"]))
        self.assertNotIn("x-split", headers)
        self.assertNotIn("location", headers)
        self.assertEqual(json.loads(body), {"got": "{\"user\":\"ñ\"}"})
        seen = broker.wait(lambda m: m["op"] == "api" and m["path"] == "/api/v1/sessions")
        self.assertEqual((seen["method"], seen["query"], seen["remote"]), ("POST", "x=1", "127.0.0.1"))
        self.assertEqual(seen["headers"]["cookie"], "c=d")
        self.assertNotIn("x-other", seen["headers"])

    def test_large_bodies_pass_whole(self):
        body = json.dumps({"x": "y" * 250_000}).encode()
        self.gate.broker.handlers["api"] = lambda m, send: {"status": 200, "headers": {}, "body": m["body"] * 3}
        self.assertEqual(self.gate.http("POST", "/api/v1/big", {"Expect": "nothing"}, body)[2], body * 3)
        self.assertEqual(self.gate.http("POST", "/api/v1/big", {}, b"\xff\xfe")[0], 400)

    def test_refusals_of_the_broker_become_problems(self):
        self.gate.broker.handlers["api"] = lambda m, send: {"error": {"code": "gone", "title": "It is gone.", "status": 410, "retry_after": 7}}
        status, headers, body = self.gate.http("GET", "/api/v1/x")
        problem = json.loads(body)
        self.assertEqual((status, headers["retry-after"], problem["code"], problem["title"]), (410, ["7"], "gone", "It is gone."))
        self.assertEqual(headers["content-type"], ["application/problem+json"])

    def test_event_stream_and_its_end(self):
        def stream(m, send):
            send({"re": m["id"], "op": "stream", "status": 200, "headers": {"content-type": "text/event-stream"}, "data": "event: a\n\n"})
            send({"re": m["id"], "op": "stream", "data": "event: b\n\n"})
        self.gate.broker.handlers["api"] = stream
        conn = self.gate.tls()
        conn.sendall(b"GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        status, headers = read_head(conn)
        self.assertEqual((status, headers["content-type"], headers["transfer-encoding"]), (200, ["text/event-stream"], ["chunked"]))
        for expected in (b"event: a\n\n", b"event: b\n\n"):
            size = int(read_line(conn), 16)
            self.assertEqual(read_exactly(conn, size), expected)
            read_exactly(conn, 2)
        call = self.gate.broker.wait(lambda m: m["op"] == "api" and m["path"].endswith("/stream"))
        conn.close()
        self.assertEqual(self.gate.broker.wait(lambda m: m["op"] == "cancel")["call"], call["id"])

    def test_a_stream_that_nobody_reads_is_cut(self):
        def flood(m, send):
            for _ in range(100):
                send({"re": m["id"], "op": "stream", "status": 200, "headers": {}, "data": "x" * 200_000})
        self.gate.broker.handlers["api"] = flood
        before = len(self.gate.broker.seen)
        conn = self.gate.tls()
        conn.sendall(b"GET /api/v1/events/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.gate.broker.wait(lambda m: m["op"] == "cancel" and self.gate.broker.seen.index(m) >= before, 10)
        self.assertEqual(self.gate.http("GET", "/")[0], 200)
        conn.close()

    def test_slow_requests_are_ended(self):
        began = time.monotonic()
        conn = self.gate.tls()
        conn.sendall(b"GET / HTTP/1.1\r\nHost: local")
        self.assertEqual(read_head(conn)[0], 408)
        raw = socket.create_connection(("127.0.0.1", self.gate.https))
        self.assertEqual(raw.recv(1), b"")
        half = socket.create_connection(("127.0.0.1", self.gate.https))
        half.sendall(b"\x16\x03\x01\x02\x00")
        self.assertEqual(half.recv(1), b"")
        self.assertLess(time.monotonic() - began, 8)

    def test_half_open_connections_are_counted(self):
        held = [socket.create_connection(("127.0.0.1", self.gate.https)) for _ in range(16)]
        time.sleep(0.1)
        extra = socket.create_connection(("127.0.0.1", self.gate.https))
        extra.settimeout(0.7)
        try:
            self.assertEqual(extra.recv(1), b"")
        except ConnectionResetError:
            pass
        for s in held:
            s.close()
        time.sleep(0.1)
        self.assertEqual(self.gate.http("GET", "/")[0], 200)

    def test_only_modern_tls(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.assertEqual(self.gate.tls((version, version)).version(), version.name.replace("_", "."))
        self.assertEqual(self.gate.tls(alpn=["h2", "http/1.1"]).selected_alpn_protocol(), "http/1.1")
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.gate.tls((ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_1))

    def test_certificate_is_reloaded(self):
        before = self.gate.tls().getpeercert(True)
        held = self.gate.tls()
        self.gate.certificate()
        self.gate.process.send_signal(1)
        end = time.monotonic() + 5
        while self.gate.tls().getpeercert(True) == before:
            self.assertLess(time.monotonic(), end)
        self.assertEqual(self.gate.http("GET", "/", conn=held)[0], 200)

    def test_rdp_and_vnc_ports_refuse_nonsense(self):
        for port, data in ((self.gate.rdp, b"GET / HTTP/1.1\r\n\r\n"), (self.gate.rdp, b"\x03\x00\xff\xff\xff\xe0"), (self.gate.vnc, b"GET / HTTP/1.1\r\n"),
                           (self.gate.vnc, b"RFB 003.003\n"), (self.gate.https, b"GET / HTTP/1.1\r\n\r\n")):
            s = socket.create_connection(("127.0.0.1", port))
            s.sendall(data)
            s.settimeout(5)
            rest = b""
            try:
                while True:
                    piece = s.recv(100)
                    if not piece:
                        break
                    rest += piece
            except ConnectionResetError:
                pass
            self.assertIn(rest, (b"", b"RFB 003.008\n"))
        s = socket.create_connection(("127.0.0.1", self.gate.rdp))
        s.sendall(bytes.fromhex("030000130ee000000000000100080000000000"))
        self.assertEqual(s.recv(19)[11:16], bytes.fromhex("0300080001"))


class BrokerAway(unittest.TestCase):
    def test_short_absence_is_a_pause_and_long_absence_a_sentence(self):
        gate = Gateway()
        gate.broker.handlers["api"] = lambda m, send: {"status": 200, "headers": {}, "body": "back"}
        gate.broker.stop()
        began = time.monotonic()
        status, headers, body = gate.http("GET", "/api/v1/me")
        self.assertEqual((status, headers["retry-after"]), (503, ["3"]))
        self.assertIn("title_es", json.loads(body))
        self.assertGreater(time.monotonic() - began, 2.5)
        conn = gate.tls()
        conn.sendall(b"GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\n\r\n")
        gate.broker.start()
        self.assertEqual(read_response(conn)[2], b"back")
        self.assertEqual(gate.http("GET", "/")[0], 200)
        gate.close()


if __name__ == "__main__":
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    unittest.main(verbosity=1)
