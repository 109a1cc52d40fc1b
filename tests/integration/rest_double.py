# SPDX-License-Identifier: GPL-3.0-or-later
"""What doubles of hypervisors share: an HTTPS server with a certificate of its own, and faults that are switched on by the test.

A fault stands for the next requests that match it:
  500, 503, 429, 409…  the answer, and nothing is done (503 and 429 with Retry-After)
  page                 nothing is done, and somebody before the API answers 404 with a page of his own
  silent               nothing is done and nothing is said until the client goes
  lost                 it is done, and the connection ends without an answer
  doubled              it is done, and answered twice
  twice                it is done twice, and the second answer is given
  truncated            it is done, and half of the answer's JSON comes
and those which a double itself knows (the kinds of its tasks)."""
import base64
import hashlib
import http.server
import json
import os
import re
import socket
import ssl
import struct
import subprocess
import threading
import time


class Refusal(Exception):
    """An answer that is no success."""

    def __init__(self, status, words, body=None):
        super().__init__(words)
        self.status, self.words, self.body = status, words, body


class Fault:
    def __init__(self, kind, match, times):
        self.kind, self.match, self.left, self.hits = kind, re.compile(match), times, 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True

    def log_message(self, *args):
        pass

    def setup(self):
        self.request.do_handshake()
        super().setup()

    def handle(self):
        try:
            super().handle()
        except (OSError, ssl.SSLError, ValueError):
            pass

    def answer(self, status, words, body, head=()):
        data = json.dumps(body).encode()
        self.put(status, words, data, head)

    def put(self, status, words, data, head=()):
        lines = ["HTTP/1.1 %d %s" % (status, words.replace("\n", " ")), "Content-Type: application/json", "Content-Length: %d" % len(data), *head]
        self.wfile.write("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        self.wfile.flush()

    def silent(self):
        """Until the client goes, or the double does."""
        self.close_connection = True
        self.connection.settimeout(0.2)
        while not self.server.double.is_ended:
            try:
                if not self.connection.recv(1):
                    return
            except (socket.timeout, TimeoutError):
                pass

    def serve(self):
        double = self.server.double
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = double.fault_take(self.command + " " + self.path)
        kind = fault.kind if fault else ""
        if kind == "silent":
            self.silent()
        elif kind == "page":
            self.put(404, "Not Found", b"<html>404 page not found</html>")
        elif kind.isdigit():
            refusal = Refusal(int(kind), "as the test wishes")
            self.answer(refusal.status, refusal.words, double.refusal_body(refusal), ["Retry-After: 1"] if kind in ("503", "429") else [])
        else:
            self.act(double, data, kind)

    def act(self, double, data, kind):
        try:
            if kind == "twice":
                try:
                    double.serve(self, data, "")
                except Refusal:
                    pass
            answer = double.serve(self, data, kind)
            if answer is None:  # it has streamed
                return
            status, words, body = answer
        except Refusal as r:
            status, words, body = r.status, r.words, double.refusal_body(r)
        if kind == "lost":
            self.close_connection = True
            return
        text = json.dumps(body).encode()
        if kind == "truncated":
            text = text[:len(text) // 2]
        self.put(status, words, text)
        if kind == "doubled":
            self.put(status, words, text)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = serve


def read_exactly(stream, n):
    data = stream.read(n)
    if len(data) < n:
        raise ValueError("the client has gone")
    return data


class WebSocket:
    """RFC 6455, the server's side, strictly: `far` is a socket whose bytes it carries. Its frames are of odd sizes, with pings in between."""

    def __init__(self, handler, protocol, far):
        head, self.handler, self.far, self.pongs, self.is_closed = handler.headers, handler, far, 0, False
        key = head.get("Sec-WebSocket-Key") or ""
        if head.get("Upgrade", "").lower() != "websocket" or head.get("Sec-WebSocket-Version") != "13" or len(base64.b64decode(key)) != 16 or head.get("Sec-WebSocket-Protocol") != protocol:
            raise Refusal(400, "this is no WebSocket of " + protocol)
        accept = base64.b64encode(hashlib.sha1((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()).decode()
        handler.close_connection = True
        handler.wfile.write(("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
                             "Sec-WebSocket-Protocol: %s\r\n\r\n" % (accept, protocol)).encode())
        self.lock = threading.Lock()

    def frame(self, first, data):
        size = bytes([len(data)]) if len(data) < 126 else b"\x7e" + struct.pack(">H", len(data)) if len(data) < 65536 else b"\x7f" + struct.pack(">Q", len(data))
        with self.lock:
            self.handler.wfile.write(bytes([first]) + size + data)
            self.handler.wfile.flush()

    def down(self):
        try:
            while data := self.far.recv(70000):
                cut = len(data) // 3
                self.frame(0x02, data[:cut])
                self.frame(0x89, b"still there?")
                self.frame(0x80, data[cut:])
            self.frame(0x88, struct.pack(">H", 1000))
        except (OSError, ValueError):
            pass

    def run(self):
        threading.Thread(target=self.down, daemon=True).start()
        stream = self.handler.rfile
        try:
            while not self.is_closed:
                first, second = read_exactly(stream, 2)
                assert first & 0x70 == 0 and second & 0x80, "a client masks, and asks for no extension"
                size = second & 0x7f
                if size > 125:
                    size, = struct.unpack(">H" if size == 126 else ">Q", read_exactly(stream, 2 if size == 126 else 8))
                mask = read_exactly(stream, 4)
                data = bytes(b ^ mask[i % 4] for i, b in enumerate(read_exactly(stream, size)))
                if first == 0x82:
                    self.far.sendall(data)
                elif first == 0x8a:
                    self.pongs += data == b"still there?"
                elif first == 0x88:
                    self.is_closed = True
        except (OSError, ValueError):
            pass
        finally:
            self.far.close()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


class Double:
    """Listens on a free port of the loopback. `serve(handler, data, kind)` of the subclass gives (status, words, body)."""

    def __init__(self, folder):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.lock, self.faults, self.is_ended = folder, threading.RLock(), [], False
        self.screens = []  # WebSockets that were opened
        self.screen = self.greeter  # gives a connection with a machine's RFB server
        self.seen = []  # "METHOD /path" of what came
        self.after = None  # called with each request, for tests that end their client in the middle
        self.certificate, key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                        "/CN=double", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", self.certificate], check=True,
                       capture_output=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, key)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.double = self
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = "https://127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @staticmethod
    def greeter(password):
        ours, theirs = socket.socketpair()
        theirs.sendall(b"RFB 003.008\n")
        return ours

    def show(self, handler, protocol, password):
        self.screens.append(WebSocket(handler, protocol, self.screen(password)))
        self.screens[-1].run()

    def pin(self):
        """The server's key as libcurl pins it; the command is that of the how-to."""
        key = subprocess.run("openssl x509 -in '%s' -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64"
                             % self.certificate, shell=True, check=True, capture_output=True, text=True).stdout
        return "sha256//" + key.strip()

    def fault(self, kind, match, times=1):
        fault = Fault(kind, match, times)
        with self.lock:
            self.faults.append(fault)
        return fault

    def fault_take(self, line):
        with self.lock:
            self.seen.append(line)
            after = self.after
            for fault in self.faults:
                if fault.left > 0 and fault.match.search(line):
                    fault.left -= 1
                    fault.hits += 1
                    break
            else:
                fault = None
        if after:
            after(line)
        return fault

    def heal(self):
        with self.lock:
            self.faults.clear()
            self.after = None

    def refusal_body(self, refusal):
        return refusal.body

    def end(self):
        self.is_ended = True
        self.server.shutdown()
        self.server.server_close()


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("there was no " + what)
