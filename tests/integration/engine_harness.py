# SPDX-License-Identifier: GPL-3.0-or-later
"""Container engines of a test's own: storage, sockets and mounts that nobody else sees. They live in a mount namespace (Docker
also in a network namespace) that stays when the engine is killed, so that the next one finds its containers' mounts."""
import http.client
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time

import laid

CONTAINERS_CONF = """[containers]
default_ulimits = ["nofile=%(files)d:%(files)d", "nproc=%(processes)d:%(processes)d"]
apparmor_profile = ""
[engine]
cgroup_manager = "cgroupfs"
"""
HIDE_UNIFIED = "umount /sys/fs/cgroup/unified 2>/dev/null; "  # crun refuses hybrid control groups


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Engine:
    """`socket` is where it answers. Subclasses say how it is started. `packages`: a list of deploy/packages that is laid over its /usr."""
    name, needs, namespaces, packages = "", (), (), ""

    def __init__(self, directory):
        self.dir, self.socket, self.storage, self.process = directory, directory + "/engine.sock", directory + "/storage", None
        os.makedirs(directory, exist_ok=True)
        self.log = open(directory + "/log", "ab")
        laying = shlex.join(laid.over_usr(self.packages)) if self.packages else ""
        # A shell of the new namespaces that waits: the engine's home.
        self.home = subprocess.Popen(["unshare", "-m", "--propagation", "private", *self.namespaces, "sh", "-c",
                                      HIDE_UNIFIED + (laying and laying + " && ") + self.prepare() + "echo ready; exec sleep infinity"], stdout=subprocess.PIPE, stderr=self.log)
        assert self.home.stdout.readline() == b"ready\n", "no namespaces for an engine"

    def prepare(self):
        return ""

    def command(self):
        raise NotImplementedError

    def spawn(self, command):
        """A program in the engine's home."""
        env = dict(os.environ, **self.environment())
        enter = ["nsenter", "-t", str(self.home.pid), "-m", *(["-n"] if "-n" in self.namespaces else [])]
        return subprocess.Popen(enter + command, stdout=self.log, stderr=self.log, env=env, start_new_session=True)

    def start(self):
        self.process = self.spawn(self.command())
        deadline = time.monotonic() + 30
        while True:
            try:
                if self.ask("GET", "/_ping", parse=False)[0] == 200:
                    return
            except OSError:
                pass
            assert self.process.poll() is None and time.monotonic() < deadline, "%s did not start: %s" % (self.name, self.words())
            time.sleep(0.02)

    def environment(self):
        return {}

    def words(self):
        with open(self.dir + "/log", errors="replace") as f:
            return f.read()[-2000:]

    def kill(self):
        """The engine dies; its containers stay."""
        self.process.kill()
        self.process.wait()
        if os.path.exists(self.socket):
            os.unlink(self.socket)

    def ask(self, method, path, body=None, data=None, parse=True):
        c = Connection(self.socket)
        try:
            headers = {"Content-Type": "application/json" if data is None else "application/x-tar"}
            c.request(method, "/v1.41" + path, body=json.dumps(body) if body is not None else data, headers=headers)
            answer = c.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if parse and text[:1] in (b"{", b"[") else text
        finally:
            c.close()

    def image_import(self, tar, repo):
        with open(tar, "rb") as f:
            status, answer = self.ask("POST", "/images/create?fromSrc=-&repo=" + repo, data=f, parse=False)
        assert status == 200 and b"error" not in answer, answer

    def containers(self):
        status, answer = self.ask("GET", "/containers/json?all=1")
        assert status == 200, answer
        return answer

    def images(self):
        return sorted(t for i in self.ask("GET", "/images/json")[1] for t in i["RepoTags"] or [])

    def run(self, container, *words):
        """A command in a container, through its namespaces: what it printed."""
        pid = self.ask("GET", "/containers/%s/json" % container)[1]["State"]["Pid"]
        with open("/proc/%d/status" % pid) as f:
            uid = [line.split()[1] for line in f if line.startswith("Uid:")][0]
        return subprocess.run(["nsenter", "-t", str(pid), "-m", "-p", "-u", "-i", "-n", "-S", uid, "-G", uid, *words], capture_output=True, text=True,
                              timeout=30, check=False, env={"PATH": "/usr/bin:/bin", "HOME": "/home/user"}).stdout

    def clean(self):
        for c in self.containers():
            self.ask("DELETE", "/containers/%s?force=1&v=1" % c["Id"])

    def end(self):
        """The engine's own programs."""
        terminate(self.process)

    def sweep(self):
        """What runs still in mounts of this engine, or with its directory in its words: an engine that died took nothing along."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            for name in ("cmdline", "mountinfo"):
                try:
                    with open("/proc/%s/%s" % (pid, name), errors="replace") as f:
                        if self.dir in f.read():
                            os.kill(int(pid), signal.SIGKILL)
                            break
                except OSError:
                    pass

    def close(self):
        try:
            if self.process and self.process.poll() is None:
                self.clean()
        finally:
            self.end()
            self.home.kill()
            self.home.wait()
            self.home.stdout.close()
            self.sweep()
            self.log.close()
            shutil.rmtree(self.dir, ignore_errors=True)


class Podman(Engine):
    name, needs = "podman", ("podman", "crun", "conmon")

    def environment(self):
        # Podman forgets the archives that it was sent in its temporary directory.
        return {"CONTAINERS_CONF": self.dir + "/containers.conf", "TMPDIR": self.dir}

    def command(self):
        with open(self.dir + "/containers.conf", "w") as f:
            f.write(CONTAINERS_CONF % {"files": 8192, "processes": 4096})
        return ["podman", "--root", self.storage, "--runroot", self.dir + "/run", "--cgroup-manager=cgroupfs", "--events-backend=file",
                "--tmpdir", self.dir + "/tmp", "--network-config-dir", self.dir + "/net", "system", "service", "--time=0", "unix://" + self.socket]


class Docker(Engine):
    name, namespaces, packages = "dockerd", ("-n",), "docker"
    containerd = None

    def prepare(self):
        return "mount -t tmpfs run /run && "  # containerd's shims have their sockets there

    def start(self):
        """containerd is a service of its own, as on a real host: it outlives a dockerd that is killed."""
        address = self.dir + "/containerd.sock"
        if not self.containerd:
            with open(self.dir + "/containerd.toml", "w") as f:
                f.write('version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n')
            self.containerd = self.spawn(["containerd", "-c", self.dir + "/containerd.toml", "--root", self.dir + "/containerd", "--state",
                                          self.dir + "/state", "--address", address])
        super().start()

    def command(self):
        return ["dockerd", "--data-root", self.storage, "--exec-root", self.dir + "/exec", "-H", "unix://" + self.socket, "-p", self.dir + "/pid",
                "--containerd", self.dir + "/containerd.sock", "--live-restore", "--bridge=none", "--iptables=false", "--ip-forward=false",
                "--ip-masq=false"]

    def kill(self):
        super().kill()
        os.unlink(self.dir + "/pid")  # a zombie has its number still where process 1 is slow

    def end(self):
        super().end()
        terminate(self.containerd)


class Proxy:
    """Stands between a client and an engine. `lose(head)` says of a request's head whether its answer shall be lost; after
    `cut_after(n)` that is so of the n-th request, and nobody is let in any more until `mend()`."""

    def __init__(self, engine, path):
        self.engine, self.path, self.lose, self.lost = engine, path, lambda head: False, 0
        self.left, self.cut = None, threading.Event()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(32)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            if self.cut.is_set():
                peer.close()
            else:
                threading.Thread(target=self.serve, args=(peer,), daemon=True).start()

    def cut_after(self, requests):
        self.left = requests

    def mend(self):
        self.left = None
        self.cut.clear()

    def is_last(self, head):
        """Counts requests; the stream of events is not one."""
        if self.left is None or b"/events?" in head or head[:4] not in (b"GET ", b"POST", b"PUT ", b"DELE", b"HEAD"):
            return False
        self.left -= 1
        return self.left <= 0

    def serve(self, peer):
        there, state = socket.socket(socket.AF_UNIX), {"lose": False}
        try:
            there.connect(self.engine.socket)
        except OSError:
            peer.close()
            return

        def back():
            while True:
                try:
                    data = there.recv(65536)
                except OSError:
                    data = b""
                if state["lose"] and data:
                    self.lost += 1
                    data = b""
                    if self.left is not None and self.left <= 0:
                        self.cut.set()
                if not data:
                    break
                try:
                    peer.sendall(data)
                except OSError:
                    break
            for s in (peer, there):
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

        thread = threading.Thread(target=back, daemon=True)
        thread.start()
        try:
            while True:
                data = peer.recv(65536)
                if not data:
                    break
                # Requests begin where a read begins: the client waits for each answer.
                state["lose"] = state["lose"] or self.lose(data) or self.is_last(data)
                there.sendall(data)
        except OSError:
            pass
        try:
            there.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        thread.join()
        peer.close()
        there.close()

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()


def missing(engine):
    """What an engine lacks here: programs, or the reason why its packages cannot be laid."""
    lacking = [p for p in engine.needs if not shutil.which(p)]
    return lacking + ([laid.missing(engine.packages)] if engine.packages and laid.missing(engine.packages) else [])


def terminate(process):
    """Ends a program of the test's own, with a killed one's patience."""
    if process and process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
