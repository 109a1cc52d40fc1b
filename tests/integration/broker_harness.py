# SPDX-License-Identifier: GPL-3.0-or-later
"""A real broker on a temporary directory, with a gate, a provisioner and agents of our own making around it."""
import json
import os
import queue
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
HOST = "vdi.example"
AGENT_UID = 200003 if os.geteuid() == 0 else os.geteuid()
SETUP = {
    "providers": [{"name": "local", "max_creates": 4}],
    "images": [{"name": "demo", "display_name": "Demo", "versions": [{"version": "1"}], "publish": "1"}],
    "pools": [{"name": "demo", "display_name": "Demo desktop", "provider": "local", "image": "demo", "min": 1, "max": 2, "spare": 0}],
    "users": [{"name": "admin", "password": "a long admin one", "role": "admin"}, {"name": "ana", "password": "a long ana one"},
              {"name": "eva", "password": "a long eva one"}],
    "groups": [{"name": "staff", "members": ["ana"]}],
    "entitlements": [{"pool": "demo", "group": "staff"}],
}
PASSWORDS = {u["name"]: u["password"] for u in SETUP["users"]}


class Link:
    """One control connection. Replies go to whoever asked, other messages to `inbox`."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 10
        while True:
            try:
                self.socket.connect(path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self.lock, self.next, self.waiting, self.inbox = threading.Lock(), 0, {}, queue.Queue()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """A descriptor that came with a message is its "fd"."""
        buffer, fds = b"", []
        try:
            while True:
                data, new, _, _ = socket.recv_fds(self.socket, 1 << 16, 4)
                buffer, fds = buffer + data, fds + new
                if not data:
                    break
                while len(buffer) >= 4 and len(buffer) >= 4 + (struct.unpack(">I", buffer[:4])[0] & 0x7fffffff):
                    size = struct.unpack(">I", buffer[:4])[0]
                    message = json.loads(buffer[4:4 + (size & 0x7fffffff)])
                    buffer = buffer[4 + (size & 0x7fffffff):]
                    if size >> 31:
                        message["fd"] = fds.pop(0)
                    self.waiting.get(message.get("re"), self.inbox).put(message)
        except OSError:
            pass
        self.inbox.put(None)
        for q in list(self.waiting.values()):
            q.put(None)

    def send(self, message):
        fd = message.pop("fd", None)
        data = json.dumps(message).encode()
        data = struct.pack(">I", len(data) | (0 if fd is None else 1 << 31)) + data
        with self.lock:
            if fd is not None:
                socket.send_fds(self.socket, [data[:1]], [fd])
                data = data[1:]
            self.socket.sendall(data)

    def begin(self, op, **fields):
        with self.lock:
            self.next += 1
            number = self.next
        answers = self.waiting[number] = queue.Queue()
        self.send({"op": op, "id": number, **fields})
        return number, answers

    def call(self, op, progress=None, timeout=30, **fields):
        number, answers = self.begin(op, **fields)
        while True:
            answer = answers.get(timeout=timeout)
            if answer is None:
                raise EOFError("the broker closed the connection")
            if "op" not in answer:
                del self.waiting[number]
                return answer
            if progress is not None:
                progress.append(answer)

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def agent_main(run, desktop, token, boot):
    """Enrols unless its disk has a key already (no token), says hello, and logs off when told to: the main of a process of its own, under the desktop's uid. What its
    user is told goes to "messages"."""
    messages = open(run + "/messages", "a", buffering=1) # before it may not
    if os.geteuid() != AGENT_UID:
        os.setuid(AGENT_UID)
    link, epoch = Link(run + "/agents/agent.sock"), 0
    while token and "key" not in link.call("enrol", desktop=desktop, token=token):
        time.sleep(0.05)
    while "error" in link.call("hello", desktop=desktop, boot=boot, epoch=0, occupied=False, user=None):
        time.sleep(0.05)
    link.send({"op": "report", "event": "ready"})
    while True:
        message = link.inbox.get()
        if message is None:
            return
        if message["op"] == "message":
            messages.write(message["text"] + "\n")
        if message["op"] == "lease":
            epoch = message["epoch"]
        if message["op"] == "logoff":
            link.send({"op": "report", "event": "logoff", "epoch": epoch, "session": "", "reason": ""})
            link.send({"op": "report", "event": "vacated", "epoch": epoch, "session": "", "reason": ""})


class Provisioner:
    """Makes "machines" that are one agent process each. `fail` makes every create fail with this sentence."""
    can = "power,suspend,snapshot,resize,migrate"

    def __init__(self, run):
        self.run, self.machines, self.commands, self.fail, self.alive = run, {}, [], None, True
        self.hosts, self.networks, self.move_fails = [], [], None  # names; a sentence: every move fails with it
        self.bin = {}  # token: desktop
        self.connect()

    def connect(self):
        self.link = Link(self.run + "/provisioner.sock")
        threading.Thread(target=self.serve, args=(self.link,), daemon=True).start()
        self.hello()

    def hello(self):
        self.link.call("hello", providers=[{"name": "local", "kind": "local", "capacity": 8, "healthy": True, "reason": "",
                                   "can": self.can,
                                   "networks": [{"name": n, "kind": "nat", "about": "10.0.0.0/24", "peers": False} for n in self.networks]}],
                       machines=self.list(), unlisted=[], hosts=self.host_list())

    def host_list(self):
        return [{"provider": "local", "name": h, "processors": 4, "memory_mb": 32000, "free_mb": 30000, "capacity": 0, "usable": True, "listed": True,
                 "reason": "", "machines": sum(m.get("host") == h for m in self.machines.values())} for h in self.hosts]

    def store(self, name, **more):
        """One datastore of 100 GB, a tenth of it in use, is told of."""
        gb = 1 << 30
        self.link.send({"op": "datastores", "datastores": [{"name": name, "kind": "directory", "path": "/srv/" + name, "pools": [], "online": True,
                        "maintenance": False, "reason": "", "level": "calm", "total": 100 * gb, "used": 10 * gb, "free": 90 * gb, "allocated": gb,
                        "promised": 2 * gb, "disks": 3, "unreadable": 0, "working": 0, "waiting": 0, "jobs": 8, "warning": 80, "critical": 92,
                        "images": True, **more}]})

    def image(self, m):
        """A job on an image, as long as two messages take."""
        if m["kind"] == "import":
            self.link.send({"op": "image", "task": m["task"], "state": "running", "step": "converting", "percent": 50})
        self.link.send({"op": "image", "task": m["task"], "state": "failed", "error": {"code": "not_found", "title": "there is no %s" % m["file"]}}
                       if m.get("file") == "none" else
                       {"op": "image", "task": m["task"], "state": "done", "path": "/srv/%s/images/%s/%s/disk.qcow2" % (m["datastore"], m["image"], m["version"]),
                        "size": 1 << 30, "file_size": 1 << 20, "sha256": "00" * 32})

    def list(self):
        return [{"desktop": d, "task": m["task"], "state": "running" if m["process"] else "stopped", "reason": "",
                 "endpoint": m["endpoint"], "uid": AGENT_UID, "image": "demo:1", "host": m.get("host", "")} for d, m in self.machines.items()]

    def serve(self, link):
        while True:
            m = link.inbox.get()
            if m is None:
                return
            self.commands.append(m)
            try:
                if "id" in m:
                    link.send({"re": m["id"], **self.answer(m)})
            except OSError:
                return
            if m["op"] == "image":
                self.image(m)

    def answer(self, m):
        desktop = m.get("desktop")
        if m["op"] in ("create", "restart") and self.fail:
            return {"error": {"code": "no_space", "title": self.fail, "status": 507, "retryable": True}}
        if m.get("restore"):
            self.bin = {t: d for t, d in self.bin.items() if d != desktop}
        if m["op"] in ("create", "restart"):
            self.stop(desktop)
            self.start(desktop, m)
            self.machines[desktop]["host"] = m.get("host") or self.machines[desktop].get("host", "")
            return {"endpoint": self.machines[desktop]["endpoint"], "uid": AGENT_UID, "host": self.machines[desktop]["host"]}
        if m["op"] in ("stop", "suspend", "revert"):
            self.stop(desktop)
            self.machines[desktop]["process"] = None
        if m["op"] in ("start", "revert"):
            self.start(desktop, {"task": m["task"]})  # its disk, and so its key, is the old one
        if m["op"] == "migrate" and m["arg"] == "nowhere":
            return {"error": {"code": "not_found", "title": "there is no host nowhere", "status": 404, "retryable": False}}
        if m["op"] == "migrate" and self.move_fails:
            return {"error": {"code": "unsupported", "title": self.move_fails, "status": 501, "retryable": False}}
        if m["op"] == "migrate":
            self.machines[desktop]["host"] = m["arg"]
        if m["op"] == "destroy":
            self.stop(desktop)
            if self.machines.pop(desktop, None) and m.get("keep_ms"):
                self.bin["token_%d" % len(self.bin)] = desktop
        if m["op"] == "bin_list":
            now = int(time.time() * 1000)
            return {"items": [{"datastore": "fast", "token": t, "kind": "desktop", "name": d, "reason": "desktop removed", "removed_ms": now,
                               "until_ms": now + 86400000, "bytes": 1 << 20} for t, d in self.bin.items()], "unlisted": ["slow"]}
        if m["op"] == "bin_remove":
            if m["token"] not in self.bin:
                return {"error": {"code": "not_found", "title": "it is not in the recycle bin", "status": 404}}
            del self.bin[m["token"]]
        return {"machines": self.list(), "unlisted": [], "hosts": self.host_list()} if m["op"] == "inventory" else {}

    def start(self, desktop, m):
        boot = "%08x-0000-4000-8000-000000000000" % (int(time.monotonic() * 1000) & 0xffffffff)
        # Never a fork of this process: its threads hold locks and pipes that a child must not have.
        p = subprocess.Popen([sys.executable, os.path.abspath(__file__), self.run, desktop, m.get("enrol_token") or "", boot])
        self.machines[desktop] = {**self.machines.get(desktop, {}), "task": m["task"], "endpoint": {"kind": "unix", "path": "/nowhere/%s.sock" % desktop}, "process": p}

    def stop(self, desktop):
        p = self.machines.get(desktop, {}).get("process")
        if p:
            p.terminate()
            p.wait()

    def close(self):
        self.link.close()
        for desktop in list(self.machines):
            self.stop(desktop)


class Broker:
    def __init__(self, setup=None, config=""):
        self.dir = tempfile.mkdtemp(prefix="puesto-broker-")
        os.chmod(self.dir, 0o755)
        os.makedirs(self.dir + "/run/agents")
        os.makedirs(self.dir + "/db")
        self.conf, self.log = self.dir + "/broker.conf", open(self.dir + "/log", "w+")
        with open(self.conf, "w") as f:
            f.write("[data]\ndir = %s\n[public]\nhost = %s\nrdp_port = 3389\nvnc_port = 5900\n%s" % (self.dir, HOST, config))
        result = self.bootstrap(setup or SETUP)
        assert result.returncode == 0, result.stderr
        self.start()

    def run_words(self, *words, text=None):
        return subprocess.run([BUILD + "/broker/puesto-broker", "--config", self.conf, *words], input=text, text=True,
                              stderr=subprocess.PIPE, timeout=60, check=False)

    def bootstrap(self, setup):
        return self.run_words("bootstrap", "-", text=json.dumps(setup))

    def start(self):
        self.process = subprocess.Popen([BUILD + "/broker/puesto-broker", "--config", self.conf], stderr=self.log)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.terminate()
        return self.process.wait(20)

    def text(self):
        with open(self.log.name) as f:
            return f.read()

    def close(self):
        code = self.stop()
        self.log.close()
        subprocess.run(["rm", "-rf", self.dir], check=True)
        assert code == 0, "the broker ended with %d" % code


class Session:
    """A browser at the gate: its cookie, its CSRF value; or a bearer."""

    def __init__(self, gate, headers=None, remote="10.0.0.1"):
        self.gate, self.extra, self.remote = gate, headers or {}, remote

    def call(self, method, path, body=None, headers=None, raw=None):
        path, _, query = path.partition("?")
        fields = {"host": HOST + ":8443", "origin": "https://%s:8443" % HOST, **self.extra, **(headers or {})}
        if body is not None or raw is not None:
            fields.setdefault("content-type", "application/json")
        fields = {k: v for k, v in fields.items() if v is not None}
        answer = self.gate.call("api", method=method, path=path if path.startswith("/") else "/api/v1/" + path, query=query,
                                headers=fields, remote=self.remote, body=raw if raw is not None else json.dumps(body) if body is not None else "")
        assert "status" in answer, answer
        return answer["status"], json.loads(answer["body"]) if answer["body"] else None, answer["headers"]

    def want(self, status, method, path, body=None, **kw):
        got, data, _ = self.call(method, path, body, **kw)
        assert got == status, "%s %s: %d %r" % (method, path, got, data)
        return data

    def get(self, path):
        return self.want(200, "GET", path)


def log_in(gate, user, password=None, remote="10.0.0.1"):
    status, data, headers = Session(gate, remote=remote).call("POST", "sessions", {"user": user, "password": password or PASSWORDS[user]})
    assert status == 201, data
    return Session(gate, {"cookie": headers["set-cookie"][0].split(";")[0], "x-csrf-token": data["csrf"]}, remote)


def eventually(look, seconds=15):
    seconds *= float(os.environ.get("PUESTO_TEST_PATIENCE", "1"))
    deadline = time.monotonic() + seconds
    while True:
        value = look()
        if value or time.monotonic() > deadline:
            assert value, "it did not come true within %d s" % seconds
            return value
        time.sleep(0.05)


if __name__ == "__main__":
    agent_main(*sys.argv[1:])
