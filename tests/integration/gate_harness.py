# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway on loopback with a broker and desktops of our own making, and small clients that may misbehave."""
import base64
import json
import os
import socket
import ssl
import struct
import subprocess
import tempfile
import threading
import time

from ports import free_port

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
DESKTOP = "11111111-2222-3333-4444-555555555555"


class Broker:
    """Listens on gateway.sock and answers by a table of functions: op -> f(message, send) -> reply fields or None; "fd" among them travels beside."""

    def __init__(self, path):
        self.path = path
        self.handlers = {"hello": lambda m, send: {}}
        self.seen = []
        self.conns = []
        self.changed = threading.Condition()
        self.start()

    def start(self):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(5)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        os.unlink(self.path)
        for conn in self.conns:
            try:
                conn.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.conns = []

    def accept(self, listener):
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            self.conns.append(conn)
            threading.Thread(target=self.serve, args=(conn,), daemon=True).start()

    def send(self, message, conn=None, fd=None):
        data = json.dumps(message).encode()
        data = struct.pack(">I", len(data) | (0 if fd is None else 1 << 31)) + data
        conn = conn or self.conns[-1]
        if fd is not None:
            socket.send_fds(conn, [data[:1]], [fd])
            data = data[1:]
        conn.sendall(data)

    def serve(self, conn):
        stream = conn.makefile("rb")
        while True:
            head = stream.read(4)
            if len(head) < 4:
                return
            message = json.loads(stream.read(struct.unpack(">I", head)[0]))
            with self.changed:
                self.seen.append(message)
                self.changed.notify_all()
            handler = self.handlers.get(message.get("op"))
            if not handler:
                continue
            reply = handler(message, lambda m: self.send(m, conn))
            if reply is not None and "id" in message:
                fd = reply.pop("fd", None)
                self.send({"re": message["id"], **reply}, conn, fd)

    def wait(self, predicate, seconds=5):
        """The first message that fits, seen already or within so many seconds."""
        with self.changed:
            found = []

            def look():
                found[:] = [m for m in self.seen if predicate(m)]
                return found

            assert self.changed.wait_for(look, seconds), "the broker did not hear it; it heard %r" % self.seen[-5:]
            return found[0]


def pattern_worker(path):
    """Writes a script that is whichever worker it is asked for, with a test card for its desktop."""
    with open(path, "w") as f:
        f.write("#!/bin/sh\nworker=%s/puesto-worker\n[ \"$2\" != rdp ] || worker=$worker-rdp\n" % BUILD)
        f.write("ASAN_OPTIONS=detect_leaks=0 exec $worker \"$@\" --source pattern\n")
    os.chmod(path, 0o755)
    return path


class Gateway:
    def __init__(self, worker=None, broker_socket=None, more="", **limits):
        self.dir = tempfile.mkdtemp(prefix="puesto-gate-")
        for name in ("web/portal", "web/console", "web/client", "web/shared", "run", "pki", "desktops/%s/run" % DESKTOP):
            os.makedirs(os.path.join(self.dir, name))
        for page in ("portal", "console", "client"):
            self.write("web/%s/index.html" % page, "<!doctype html><title>%s</title>" % page)
        self.write("web/shared/app.mjs", "export const a = 1;\n")
        self.write("web/shared/secret.key", "no")
        self.write("web/.hidden.html", "no")
        self.big = os.urandom(3_000_000)
        self.write("web/shared/big.wasm", self.big)
        os.symlink("/etc/passwd", os.path.join(self.dir, "web/shared/passwd.txt"))
        self.certificate()
        self.https, self.rdp, self.vnc = free_port(), free_port(), free_port()
        self.broker = None if broker_socket else Broker(os.path.join(self.dir, "run/gateway.sock"))
        self.broker_socket = broker_socket or os.path.join(self.dir, "run/gateway.sock")
        self.display = socket.socket(socket.AF_UNIX)
        self.display.bind(os.path.join(self.dir, "desktops", DESKTOP, "run/display.sock"))
        self.display.listen(50)
        self.more = more
        self.config(worker or "/bin/false", limits)
        self.log = open(os.path.join(self.dir, "log"), "w+")
        self.process = subprocess.Popen([os.path.join(BUILD, "puesto-gateway"), "--config", os.path.join(self.dir, "gateway.conf")],
                                        stderr=self.log, stdout=self.log)
        if self.broker:
            self.broker.wait(lambda m: m["op"] == "hello", 20)
        else:
            wait_until(lambda: "broker connected" in self.text(), 20)

    def write(self, name, content, mode=0o644):
        path = os.path.join(self.dir, name)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        os.chmod(path, mode)
        return path

    def certificate(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                        "-keyout", os.path.join(self.dir, "pki/key.pem"), "-out", os.path.join(self.dir, "pki/cert.pem"),
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, stderr=subprocess.DEVNULL)

    def config(self, worker, limits):
        lines = ["[listen]", "https = 127.0.0.1:%d" % self.https, "rdp = 127.0.0.1:%d" % self.rdp, "vnc = 127.0.0.1:%d" % self.vnc,
                 "[http]", "web_dir = %s/web" % self.dir, "hosts = localhost 127.0.0.1 vdi.example", "[tls]", "cert = %s/pki/cert.pem" % self.dir, "key = %s/pki/key.pem" % self.dir,
                 "[broker]", "socket = %s" % self.broker_socket, "[worker]", "desktops_dir = %s/desktops" % self.dir,
                 "path = %s" % worker, "rdp_path = %s" % worker, "seat_path = %s" % worker, "uid_first = 0", "memory_mb = 0", "[limits]"]
        lines += ["%s = %s" % item for item in limits.items()]
        self.write("gateway.conf", "\n".join(lines) + "\n" + self.more)

    def gate_pid(self):
        """The part of the gateway that listens; the other one starts processes."""
        out = subprocess.run(["ps", "--ppid", str(self.process.pid), "-o", "pid=,comm="], capture_output=True, text=True).stdout
        return next(int(line.split()[0]) for line in out.splitlines() if line.split()[1] == "puesto-gateway")

    def text(self):
        self.log.flush()
        with open(self.log.name) as f:
            return f.read()

    def close(self):
        self.process.terminate()
        code = self.process.wait(10)
        if self.broker:
            self.broker.stop()
        self.display.close()
        subprocess.run(["rm", "-rf", self.dir], check=True)
        assert code == 0, "the gateway ended with %d" % code

    def tls(self, versions=None, alpn=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if versions:
            context.minimum_version, context.maximum_version = versions
        if alpn:
            context.set_alpn_protocols(alpn)
        raw = socket.create_connection(("127.0.0.1", self.https), 10)
        return context.wrap_socket(raw, server_hostname="localhost")

    def http(self, method, path, headers=None, body=b"", conn=None, host=None):
        """One request; returns status, headers (lower case), body."""
        conn = conn or self.tls()
        fields = {"Host": host or "localhost:%d" % self.https, **(headers or {})}
        if body:
            fields.setdefault("Content-Length", str(len(body)))
        conn.sendall(("%s %s HTTP/1.1\r\n" % (method, path) + "".join("%s: %s\r\n" % f for f in fields.items()) + "\r\n").encode() + body)
        return read_response(conn, method)

    def raw(self, data, timeout=15):
        """Sends bytes as they are; returns the status of what comes back, None for a plain end."""
        conn = self.tls()
        conn.settimeout(timeout)
        try:
            conn.sendall(data)
            return read_response(conn)[0]
        except (ConnectionError, EOFError, ssl.SSLError):
            return None

    def websocket(self, ticket="t" * 43, protocols=("puesto.v1",), query="", origin=None, language=None):
        return WebSocket(self, ticket, protocols, query, origin, language)


def read_line(conn):
    line = b""
    while not line.endswith(b"\r\n"):
        byte = conn.recv(1)
        if not byte:
            raise EOFError
        line += byte
    return line[:-2].decode()


def read_exactly(conn, n):
    data = b""
    while len(data) < n:
        piece = conn.recv(n - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def read_head(conn):
    status = int(read_line(conn).split()[1])
    headers = {}
    while True:
        line = read_line(conn)
        if not line:
            return status, headers
        name, value = line.split(":", 1)
        headers.setdefault(name.lower(), []).append(value.strip())


def read_response(conn, method="GET"):
    status, headers = read_head(conn)
    if method == "HEAD" or status in (204, 304):
        return status, headers, b""
    if "transfer-encoding" in headers:
        body = b""
        while True:
            size = int(read_line(conn), 16)
            body += read_exactly(conn, size)
            read_exactly(conn, 2)
            if not size:
                return status, headers, body
    return status, headers, read_exactly(conn, int(headers.get("content-length", ["0"])[0]))


class WebSocket:
    def __init__(self, gate, ticket, protocols, query, origin, language):
        self.conn = gate.tls()
        offered = list(protocols) + (["ticket." + ticket] if ticket and "ticket=" not in query else [])
        lines = ["GET /display%s HTTP/1.1" % query, "Host: localhost:%d" % gate.https, "Upgrade: websocket", "Connection: keep-alive, Upgrade",
                 "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode()]
        if offered:
            lines.append("Sec-WebSocket-Protocol: " + ", ".join(offered))
        if origin:
            lines.append("Origin: " + origin)
        if language:
            lines.append("Accept-Language: " + language)
        self.conn.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.status, self.headers = read_head(self.conn)

    def send(self, data, opcode=2, final=True, masked=True, length=None):
        n = len(data) if length is None else length
        head = bytes([opcode | (0x80 if final else 0)])
        mask_bit = 0x80 if masked else 0
        if n < 126:
            head += bytes([mask_bit | n])
        elif n < 65536:
            head += bytes([mask_bit | 126]) + struct.pack(">H", n)
        else:
            head += bytes([mask_bit | 127]) + struct.pack(">Q", n)
        mask = os.urandom(4) if masked else b""
        if masked:
            key = (mask * (len(data) // 4 + 1))[:len(data)]
            data = (int.from_bytes(data, "big") ^ int.from_bytes(key, "big")).to_bytes(len(data), "big") if data else b""
        self.conn.sendall(head + mask + data)

    def recv(self):
        """(opcode, payload) of the next frame."""
        first, second = read_exactly(self.conn, 2)
        n = second & 0x7f
        if n == 126:
            n = struct.unpack(">H", read_exactly(self.conn, 2))[0]
        elif n == 127:
            n = struct.unpack(">Q", read_exactly(self.conn, 8))[0]
        assert not second & 0x80 and first & 0x80
        return first & 0x0f, read_exactly(self.conn, n)

    def closed(self, seconds=10):
        """Reads up to the close frame: (code, reason)."""
        self.conn.settimeout(seconds)
        while True:
            opcode, data = self.recv()
            if opcode == 8:
                return struct.unpack(">H", data[:2])[0], data[2:].decode()


NEVER = float("inf")
WAITS = {"x86_64": (232, 281), "aarch64": (22,)}  # epoll_wait and epoll_pwait


def sleeps_until(pid):
    """Milliseconds that a process has told the kernel to wait for events at most; 0 while it works, None where the kernel does not tell."""
    try:
        with open("/proc/%d/syscall" % pid) as f:
            fields = f.read().split()
    except OSError:
        return None
    if fields[0] == "running":
        return 0
    if int(fields[0]) not in WAITS.get(os.uname().machine, ()):
        return 0
    ms = int(fields[4], 16) & 0xffffffff
    return NEVER if ms == 0xffffffff else ms


def wait_until(predicate, seconds=5):
    end = time.monotonic() + seconds
    while not predicate():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
