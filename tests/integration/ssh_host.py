# SPDX-License-Identifier: GPL-3.0-or-later
"""An sshd of the test's own on loopback, and a "hypervisor" behind it: machines are folders, and processes in namespaces of their own."""
import os
import shutil
import socket
import subprocess
import time

SSHD = "/usr/sbin/sshd"

# A machine runs while its process 1 does; unshare's --kill-child takes it along.
COMMANDS = {
    "create": 'cp -a {image} {root}/{name} && cat >{root}/{name}/seed && echo {memory_mb} {hostname} {address} >{root}/{name}/made',
    "start": 'setsid unshare -fpu --kill-child sh -c "exec sleep 100000" </dev/null >/dev/null 2>&1 & echo $! >{root}/{name}/pid',
    "stop": 'p=$(cat {root}/{name}/pid 2>/dev/null) && rm -f {root}/{name}/pid && kill -KILL $p; true',
    "destroy": 'p=$(cat {root}/{name}/pid 2>/dev/null) && kill -KILL $p; rm -rf {root}/{name} {root}/.{name}-*',
    "list": 'cd {root} && for d in *; do [ -d "$d" ] || continue; p=$(cat "$d/pid" 2>/dev/null); '
            'if [ -n "$p" ] && [ -d /proc/$p ]; then echo "$d running"; else echo "$d stopped"; fi; done',
    "snapshot": 'rm -rf {root}/.{name}-{snapshot} && cp -a {root}/{name} {root}/.{name}-{snapshot}',
    "revert": 'rm -rf {root}/{name} && cp -a {root}/.{name}-{snapshot} {root}/{name} && rm -f {root}/{name}/pid',
    "drop": 'rm -rf {root}/.{name}-{snapshot}',
    "resize": 'echo {memory_mb} {cpus} {cpu_percent} >{root}/{name}/size',
    "grow": 'echo {disk_mb} >{root}/{name}/disk',
}


def missing():
    return [p for p in (SSHD, "/usr/bin/ssh", "/usr/bin/ssh-keygen", "/usr/bin/unshare") if not os.path.exists(p)]


def port_free():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Host:
    def __init__(self, top):
        self.dir, self.port, self.process = top, port_free(), None
        self.machines, self.records = top + "/machines", top + "/records"
        for path in (top, self.machines, self.records, top + "/image"):
            os.makedirs(path, exist_ok=True)
        with open(top + "/image/file", "w") as f:
            f.write("golden\n")
        for name in ("host", "client"):
            self.key(name)
        shutil.copy(top + "/client.pub", top + "/authorized")
        self.known("host")
        with open(top + "/sshd_config", "w") as f:
            f.write("Port %d\nListenAddress 127.0.0.1\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\nPidFile none\nStrictModes no\n"
                    "UsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nPrintMotd no\nSetEnv HOME=%s\n" % (self.port, top, top, top))
        os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # sshd's empty folder, which a service would make

    def key(self, name):
        for suffix in ("", ".pub"):
            if os.path.exists(self.dir + "/" + name + suffix):
                os.unlink(self.dir + "/" + name + suffix)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", self.dir + "/" + name], check=True, stdin=subprocess.DEVNULL)

    def known(self, name):
        with open("%s/%s.pub" % (self.dir, name)) as f:
            key = " ".join(f.read().split()[:2])
        with open(self.dir + "/known_hosts", "w") as f:
            f.write("[127.0.0.1]:%d %s\n" % (self.port, key))

    def start(self):
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", self.dir + "/sshd_config"], stderr=open(self.dir + "/sshd.log", "a"))
        until = time.monotonic() + 20
        while time.monotonic() < until:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as s:
                    if s.recv(4) == b"SSH-":
                        return
            except OSError:
                time.sleep(0.02)
        raise AssertionError("sshd does not answer: " + open(self.dir + "/sshd.log").read())

    def sessions(self):
        """Processes of sshd that serve connections: they go on when the listener ends."""
        out = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False).stdout
        return [int(pid) for pid in out.split()]

    def kill(self):
        """The listener and every connection."""
        if not self.process:
            return
        pids = self.sessions()
        self.process.kill()
        self.process.wait()
        for pid in pids:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
        self.process = None

    def settings(self, **more):
        s = {"kind": "ssh", "host": "127.0.0.1", "port": self.port, "identity": self.dir + "/client", "known_hosts": self.dir + "/known_hosts",
             "records": self.records, "root": self.machines, "poll_s": 1, "deadline_s": 30, "addresses": "10.9.0.10-10.9.0.40"}
        s.update(COMMANDS)
        s.update(more)
        return {k: v for k, v in s.items() if v is not None}

    def close(self):
        self.kill()
        for name in os.listdir(self.machines):
            try:
                with open("%s/%s/pid" % (self.machines, name)) as f:
                    os.kill(int(f.read()), 9)
            except (OSError, ValueError):
                pass
        shutil.rmtree(self.dir, ignore_errors=True)
