#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The local provider on this machine: a broker's side of the control socket in Python,
the real puesto-provisioner and puesto-desktop, real X sessions. Needs root and Xvfb.

Run alone: top_builddir=build python3 tests/integration/test_local.py"""
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

BUILD = os.path.abspath(os.environ.get("top_builddir", "build"))
SOURCE = os.path.abspath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "../..")))
PROVISIONER = os.path.join(BUILD, "broker/hypervisor/puesto-provisioner")
DESKTOP = os.path.join(BUILD, "broker/hypervisor/desktop/puesto-desktop")
DEADLINE = 30.0

# In place of the real agent: dials the broker as that does and runs what it is told, so
# every command runs below process 1 with the desktop's uid, namespaces and filter.
AGENT = """#!/usr/bin/env python3
import json, os, socket, subprocess, sys
s = socket.socket(socket.AF_UNIX)
s.connect("/run/puesto/broker/agent.sock")
f = s.makefile("rw")
print(json.dumps({"enrol": json.load(open("/run/puesto/enrol.json")), "env": dict(os.environ)}), file=f, flush=True)
for line in f:
    r = subprocess.run(["sh", "-c", json.loads(line)], capture_output=True, text=True)
    print(json.dumps({"rc": r.returncode, "out": r.stdout, "err": r.stderr}), file=f, flush=True)
"""


class Timeout(Exception):
    pass


def wait_for(what, test, seconds=DEADLINE):
    """The result of test() once it is true; for things that offer nothing to wait on."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = test()
        if result:
            return result
        time.sleep(0.02)
    raise Timeout("waited %.0f s for %s" % (seconds, what))


class Broker:
    """Listens as the broker does and speaks length-prefixed JSON."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(1)
        self.listener.settimeout(DEADLINE)
        self.peer = None
        self.calls = 0
        self.events = []

    def accept(self):
        if self.peer:
            self.peer.close()
        self.peer, _ = self.listener.accept()
        self.peer.settimeout(DEADLINE)
        hello = self.receive()
        assert hello["op"] == "hello", hello
        self.send({"re": hello["id"]})
        return hello

    def send(self, message):
        text = json.dumps(message).encode()
        self.peer.sendall(struct.pack(">I", len(text)) + text)

    def receive(self):
        head = self.exactly(4)
        return json.loads(self.exactly(struct.unpack(">I", head)[0]))

    def exactly(self, n):
        data = b""
        while len(data) < n:
            part = self.peer.recv(n - len(data))
            if not part:
                raise ConnectionError("the provisioner closed the connection")
            data += part
        return data

    def start(self, message):
        self.calls += 1
        self.send(dict(message, id=self.calls))
        return self.calls

    def finish(self, call):
        while True:
            message = self.receive()
            if message.get("re") == call:
                return message
            self.events.append(message)

    def call(self, **message):
        return self.finish(self.start(message))

    def event(self):
        """The next one of a machine; this provisioner has no datastores, and says so."""
        event = self.events.pop(0) if self.events else self.receive()
        return self.event() if event["op"] == "datastores" else event


class Agents:
    """The desktops' way to the broker: one connection for each, told apart by uid."""

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        os.chmod(path, 0o666)
        self.listener.listen(8)
        self.listener.settimeout(DEADLINE)
        self.files = {}

    def wait(self, uid):
        """Accepts until the desktop with this uid has called anew; what it said."""
        self.files.pop(uid, None)
        while uid not in self.files:
            peer, _ = self.listener.accept()
            peer.settimeout(DEADLINE)
            _, their, _ = struct.unpack("iII", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
            f = peer.makefile("rw")
            hello = json.loads(f.readline())
            self.files[their] = (peer, f)
        return hello

    def run(self, uid, command):
        f = self.files[uid][1]
        print(json.dumps(command), file=f, flush=True)
        return json.loads(f.readline())

    def out(self, uid, command):
        return self.run(uid, command)["out"]


class World:
    """A data directory, its provisioner, and a broker."""

    def __init__(self):
        self.data = tempfile.mkdtemp(prefix="puesto-local-", dir="/var/tmp")
        os.chmod(self.data, 0o755)
        for name in ("run", "run/agents", "libexec"):
            os.mkdir(os.path.join(self.data, name))
        shutil.copy(DESKTOP, os.path.join(self.data, "libexec/puesto-desktop"))
        agent = os.path.join(self.data, "libexec/puesto-agent")
        with open(agent, "w") as f:
            f.write(AGENT)
        os.chmod(agent, 0o755)
        self.agents = Agents(os.path.join(self.data, "run/agents/agent.sock"))
        self.image = os.path.join(self.data, "images/demo/1")
        subprocess.run([os.path.join(SOURCE, "deploy/image/build"), self.image], check=True,
                       stdout=subprocess.DEVNULL)
        self.broker = Broker(os.path.join(self.data, "run/provisioner.sock"))
        self.conf = os.path.join(self.data, "provisioner.conf")
        with open(self.conf, "w") as f:
            f.write("[provisioner]\ndata = %s\nlibexec = %s/libexec\n[provider-local]\nkind = local\n"
                    "capacity = 6\n" % (self.data, self.data))
        self.log = open(os.path.join(self.data, "provisioner.log"), "ab")
        self.process = None

    def provisioner_start(self):
        self.process = subprocess.Popen([PROVISIONER, "--config", self.conf], stdout=self.log,
                                        stderr=self.log, start_new_session=True)
        return self.broker.accept()

    def provisioner_kill(self):
        self.process.kill()
        self.process.wait()

    def path(self, desktop, *parts):
        return os.path.join(self.data, "desktops", desktop, *parts)

    def spec(self, **more):
        return dict({"memory_mb": 1024, "cpus": 2, "pids": 400, "network": "host", "max_width": 3840,
                     "max_height": 2160, "locale": "es_ES", "layout": "es"}, **more)

    def create(self, desktop=None, task=None, **spec):
        return dict(op="create", task=task or str(uuid.uuid4()), desktop=desktop or str(uuid.uuid4()),
                    provider="local", image={"name": "demo", "version": "1", "base": "host",
                                             "path": self.image},
                    spec=self.spec(**spec), enrol_token="token_of_this_test", hostname="prueba")

    def pid(self, desktop):
        with open(self.path(desktop, "pid")) as f:
            return json.load(f)["pid"]

    def end(self):
        try:
            if self.process and self.process.poll() is None:
                for machine in self.broker.call(op="inventory")["machines"]:
                    self.broker.call(op="destroy", task=str(uuid.uuid4()), desktop=machine["desktop"])
                self.process.terminate()
                self.process.wait(DEADLINE)
        finally:
            self.log.close()
            shutil.rmtree(self.data, ignore_errors=True)



WM = "xprop -root _NET_SUPPORTING_WM_CHECK"


def session_stands(world, uid):
    return wait_for("the window manager", lambda: "window id" in world.agents.out(uid, WM))


def up(world, **spec):
    """A desktop with its agent on the line: its uuid and uid."""
    message = world.create(**spec)
    reply = world.broker.call(**message)
    assert "error" not in reply, reply
    world.agents.wait(reply["uid"])
    return message["desktop"], reply["uid"]


def down(world, desktop):
    reply = world.broker.call(op="destroy", task=str(uuid.uuid4()), desktop=desktop)
    assert "error" not in reply, reply


def processes_of(uid):
    """Live ones: a zombie of an adopted desktop waits for the machine's own init."""
    found = []
    for name in os.listdir("/proc"):
        try:
            if not name.isdigit():
                continue
            with open("/proc/%s/status" % name) as f:
                status = f.read()
            if "Uid:\t%d\t" % uid in status and "State:\tZ" not in status:
                found.append(int(name))
        except (FileNotFoundError, ProcessLookupError):
            pass
    return found


def test_create_gives_a_live_session_within_a_second(world):
    began = time.monotonic()
    message = world.create()
    reply = world.broker.call(**message)
    created = time.monotonic() - began
    said = world.agents.wait(reply["uid"])
    answered = time.monotonic() - began
    print("  create %.3f s, X and keyboard ready and agent started %.3f s" % (created, answered))
    assert said["enrol"] == {"desktop": message["desktop"], "token": "token_of_this_test"}, said
    assert said["env"]["PUESTO_RUN"] == "/run/puesto" and said["env"]["DISPLAY"] == ":%d" % reply["uid"]
    assert answered < 5, "slow even for a busy machine"
    assert reply["endpoint"] == {"kind": "unix", "path": world.path(message["desktop"], "run/display.sock")}
    assert "1280x800" in world.agents.out(reply["uid"], "xrandr --current")
    session_stands(world, reply["uid"])
    assert "layout:     es" in world.agents.out(reply["uid"], "setxkbmap -query")
    again = world.broker.call(**message)
    assert {k: again[k] for k in ("endpoint", "uid")} == {k: reply[k] for k in ("endpoint", "uid")}
    other = world.broker.call(**dict(message, task=str(uuid.uuid4())))
    assert other["error"]["code"] == "conflict" and other["error"]["retryable"] is False, other
    down(world, message["desktop"])


def test_another_x_server_of_the_machine_is_in_nobodys_way(world):
    """X clients try the abstract socket first, which the machine's network shares."""
    foreign = socket.socket(socket.AF_UNIX)
    try:
        foreign.bind("\0/tmp/.X11-unix/X0")
        foreign.listen()
    except OSError:
        pass  # a real one has it
    desktop, uid = up(world)
    session_stands(world, uid)
    foreign.close()
    down(world, desktop)


def test_a_false_x_server_waits_in_vain(world):
    """Whoever knows which uid comes next has its display's abstract name already; the desktop takes another number."""
    desktop, uid = up(world)
    down(world, desktop)
    false = []
    for number in range(uid - 20, uid + 200):
        false.append(socket.socket(socket.AF_UNIX))
        false[-1].bind("\0/tmp/.X11-unix/X%d" % number)
        false[-1].listen()
        false[-1].setblocking(False)
    desktop, uid = up(world)
    session_stands(world, uid)
    assert world.agents.out(uid, "echo $DISPLAY").strip() != ":%d" % uid
    for s in false:
        try:
            s.accept()
            raise AssertionError("a client of the desktop came to the false X server")
        except BlockingIOError:
            s.close()
    down(world, desktop)


def panel_is(world, uid, width):
    return "%dx" % width in world.agents.out(uid, "xwininfo -root -tree | grep '\"tint2\"'; true")


def test_the_panel_follows_the_screen_whatever_other_x_server_there_is(world):
    """tint2 starts itself anew when the screen changes, and so looks for its X server again."""
    desktop, uid = up(world)
    wait_for("the panel", lambda: panel_is(world, uid, 1280))
    foreign = socket.socket(socket.AF_UNIX)
    try:
        foreign.bind("\0/tmp/.X11-unix/X0")
        foreign.listen()
    except OSError:
        pass  # a real one has it
    for width, height in (584, 1266), (1200, 750):
        mode = "m%dx%d" % (width, height)
        world.agents.out(uid, "xrandr --newmode %s 60 %d %d %d %d %d %d %d %d" % ((mode,) + (width,) * 4 + (height,) * 4))
        world.agents.out(uid, "xrandr --addmode screen %s && xrandr --output screen --mode %s" % (mode, mode))
        wait_for("a panel as wide as the screen", lambda: panel_is(world, uid, width))
    foreign.close()
    assert "panel ended" not in open(world.path(desktop, "log")).read()
    down(world, desktop)


def test_two_desktops_cannot_see_each_other(world):
    run = world.agents.out
    (a, ua), (b, ub) = up(world), up(world)
    session_stands(world, ub)
    assert ua != ub
    # processes: only their own, under process 1
    for uid in (ua, ub):
        assert run(uid, "id -u").strip() == str(uid) and run(uid, "id -G").strip() == str(uid)
        uids = set(run(uid, "ps -e -o uid= | sort -u").split())
        assert uids == {str(uid)}, uids
        assert run(uid, "ps -p 1 -o args=").startswith("puesto-desktop") or "puesto-desktop" in run(uid, "ps -p 1 -o args=")
        assert world.data not in run(uid, "cat /proc/1/cmdline"), run(uid, "cat /proc/1/cmdline")
    # signals: process 1 cannot be killed from inside, and nothing outside can be reached
    outside = world.pid(b)
    assert world.agents.run(ua, "kill -9 %d" % outside)["rc"] != 0
    assert world.agents.run(ua, "kill -9 1; kill -TERM 1; kill -INT 1; sleep 0.3; true")["rc"] == 0
    assert world.pid(a) in processes_of(ua), "process 1 died by a signal from inside"
    # files: each has its own home and /tmp, and neither sees the data or the machine's homes
    run(ua, "echo secret > ~/mine; echo secret > /tmp/mine; echo secret >/var/tmp/mine")
    for place in ("~/mine", "/tmp/mine", "/var/tmp/mine"):
        assert "secret" in run(ua, "cat " + place)
        assert world.agents.run(ub, "cat " + place)["rc"] != 0, place
    for uid in (ua, ub):
        assert run(uid, "ls /home").split() == ["user"]
        assert world.agents.run(uid, "ls /root")["rc"] != 0
        assert world.agents.run(uid, "ls %s" % world.data)["rc"] != 0, "the data directory shows"
        assert world.agents.run(uid, "find / -xdev -name provisioner.sock 2>/dev/null | grep .")["rc"] != 0
        top = set(run(uid, "ls -A /").split())
        allowed = set("bin sbin lib lib32 lib64 libx32 usr etc var opt home root tmp run dev proc sys mnt media srv".split())
        assert top <= allowed, top - allowed
    # X: own sockets by path, none abstract, and the other's cookie is worthless
    assert run(ub, "ls /tmp/.X11-unix").split() == ["X%d" % ub]
    # …but the name of one is held, so that nobody poses as the X server
    false = socket.socket(socket.AF_UNIX)
    for act in (false.bind, false.connect):
        try:
            act("\0/tmp/.X11-unix/X%d" % ub)
            raise AssertionError("the abstract name of a display can be had")
        except OSError:
            pass
    false.close()
    cookie = run(ua, "xauth -f /run/puesto-x/Xauthority list").split()[-1]
    assert cookie and cookie not in run(ub, "xauth -f /run/puesto-x/Xauthority list")
    assert world.agents.run(ub, "XAUTHORITY=/dev/null xprop -root")["rc"] != 0, "X answers without a cookie"
    # windows of one do not show on the other
    run(ua, "xprop -root -f PUESTO_TEST 8s -set PUESTO_TEST only-a")
    assert "only-a" in run(ua, "xprop -root PUESTO_TEST") and "only-a" not in run(ub, "xprop -root PUESTO_TEST")
    # System V memory and message queues
    run(ua, "ipcmk -M 4096")
    assert run(ua, "ipcs -m | grep -c 0x").strip() != "0" and "0x" not in run(ub, "ipcs -m | grep " + str(ua))
    down(world, a)
    assert "window id" in run(ub, WM), "the other must not notice"
    down(world, b)


def test_privileges_are_gone(world):
    desktop, uid = up(world)
    run = world.agents.run
    status = run(uid, "cat /proc/self/status")["out"]
    for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
        assert line in status, (line, status)
    refused = ["unshare -U true", "unshare -m true", "mount -t tmpfs none /tmp", "chroot / true",
               "su -c true", "mknod /tmp/n c 1 3", "dmesg", "hostname other", "cat /proc/kcore | head -c 1 | grep .",
               "echo 1 > /proc/sys/kernel/sysrq", "nsenter -t 1 -m true", "touch /usr/x", "touch /etc/x",
               "touch /usr/libexec/puesto/x", "touch /run/puesto/broker/x", "ls /proc/1/root/", "cat /proc/1/environ",
               "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'",
               "python3 -c 'import ctypes; l=ctypes.CDLL(None); exit(l.ptrace(16, 2, 0, 0) == 0)' && false"]
    for command in refused:
        assert run(uid, command)["rc"] != 0, "allowed: " + command
    limits = run(uid, "bash -c 'ulimit -u; ulimit -c'")["out"].split()
    assert limits == ["400", "0"], limits
    down(world, desktop)


def test_no_network_means_loopback_only(world):
    desktop, uid = up(world, network="none")
    assert world.agents.out(uid, "ls /sys/class/net 2>/dev/null; ip -o link | wc -l").strip() == "1"
    assert world.agents.run(uid, "ping -c1 -W1 127.0.0.1 >/dev/null 2>&1 || ip addr show lo | grep -q LOOPBACK,UP")["rc"] == 0
    down(world, desktop)


def test_killed_provisioner_loses_nothing(world):
    (a, ua), (b, ub) = up(world), up(world)
    session_stands(world, ua)
    before = (world.pid(a), world.pid(b))
    # in the middle of a create, too
    message = world.create()
    world.broker.start(message)
    world.provisioner_kill()
    assert "window id" in world.agents.out(ua, WM), "the session must go on"
    hello = world.provisioner_start()
    machines = {m["desktop"]: m for m in hello["machines"]}
    for desktop, uid in ((a, ua), (b, ub)):
        assert machines[desktop]["state"] == "running" and machines[desktop]["uid"] == uid, machines[desktop]
    assert (world.pid(a), world.pid(b)) == before
    reply = world.broker.call(**message)
    assert "error" not in reply, reply
    assert reply["uid"] not in (ua, ub)
    assert world.broker.call(**message)["uid"] == reply["uid"]
    machines = world.broker.call(op="inventory")["machines"]
    assert sorted(m["desktop"] for m in machines) == sorted([a, b, message["desktop"]])
    assert [m["task"] for m in machines if m["desktop"] == message["desktop"]] == [message["task"]]
    second = subprocess.run([PROVISIONER, "--config", world.conf], capture_output=True, text=True, timeout=DEADLINE)
    assert second.returncode != 0 and "only one provisioner" in second.stderr, second
    # what dies while it is adopted is reported
    os.kill(world.pid(b), signal.SIGKILL)
    event = world.broker.event()
    assert event["op"] == "report" and event["desktop"] == b and event["state"] == "failed" and event["reason"], event
    failed = [m for m in world.broker.call(op="inventory")["machines"] if m["desktop"] == b]
    assert failed[0]["state"] == "failed" and failed[0]["reason"], failed
    for desktop in (a, b, message["desktop"]):
        down(world, desktop)


def test_refresh_leaves_nothing_of_the_user(world):
    desktop, uid = up(world)
    session_stands(world, uid)
    world.agents.run(uid, "echo secret > ~/left; echo secret > /tmp/left; echo secret > /var/tmp/left; "
                     "echo secret > /run/puesto/left; echo secret > /dev/shm/left; (sleep 1000 >/dev/null 2>&1 &)")
    # a plain restart keeps the files on disk, and ends the processes
    first = world.pid(desktop)
    reply = world.broker.call(op="restart", task=str(uuid.uuid4()), desktop=desktop, refresh=False)
    assert reply.get("uid") == uid, reply
    world.agents.wait(uid)
    assert world.pid(desktop) != first
    assert "secret" in world.agents.out(uid, "cat ~/left") and "sleep" not in world.agents.out(uid, "ps -e")
    # a refresh keeps nothing; the new token is there
    task = str(uuid.uuid4())
    message = dict(op="restart", task=task, desktop=desktop, refresh=True, enrol_token="second")
    reply = world.broker.call(**message)
    assert reply.get("uid") == uid, reply
    said = world.agents.wait(uid)
    assert said["enrol"]["token"] == "second", said
    again = world.pid(desktop)
    assert world.broker.call(**message)["uid"] == uid and world.pid(desktop) == again, "done twice"
    assert world.agents.run(uid, "grep -rqs secret ~ /tmp /var/tmp /run/puesto /dev/shm")["rc"] != 0
    assert subprocess.run(["grep", "-rqs", "secret", world.path(desktop)]).returncode != 0
    down(world, desktop)


def test_destroy_removes_everything(world):
    desktop, uid = up(world)
    # a hostile tree: links out of it, a deep chain, odd names, unreadable directories
    outside = os.path.join(world.data, "precious")
    with open(outside, "w") as f:
        f.write("keep me")
    world.agents.run(uid, "cd; ln -s %s link; ln -s / root; mkdir -p closed/x; chmod 0 closed; mkdir -- '-rf' \"$(printf 'a\\nb')\"; "
                     "python3 -c 'import os\nfor i in range(3000):\n os.mkdir(\"d\"); os.chdir(\"d\")'; nohup sleep 1000 >/dev/null 2>&1 &" % outside)
    down(world, desktop)
    assert not os.path.exists(world.path(desktop))
    assert open(outside).read() == "keep me"
    assert processes_of(uid) == []
    assert desktop not in subprocess.run("find /sys/fs/cgroup -maxdepth 4 -name '%s'" % desktop, shell=True,
                                         capture_output=True, text=True).stdout
    assert desktop not in open("/proc/self/mountinfo").read()
    down(world, desktop)
    assert world.broker.call(op="inventory")["machines"] == []


def test_bad_commands_are_refused_in_words(world):
    good = world.create()
    cases = [
        (dict(good, desktop="../../etc"), "desktop"),
        (dict(good, provider="nobody"), "nobody"),
        (dict(good, hostname="a/b"), "hostname"),
        (dict(good, image=dict(good["image"], path="relative")), "path"),
        (dict(good, image=dict(good["image"], path="/nowhere")), "/nowhere"),
        (dict(good, image=dict(good["image"], base="/nowhere")), "/nowhere"),
        (dict(good, spec=world.spec(memory_mb=1)), "memory_mb"),
        (dict(good, spec=world.spec(max_width=65535)), "max_width"),
        (dict(good, spec=world.spec(layout="es -option x")), "layout"),
        (dict(good, spec=world.spec(network="bridge")), "network"),
        (dict(good, op="explode"), "explode"),
    ]
    for message, word in cases:
        reply = world.broker.call(**message)
        assert word in reply["error"]["title"] and reply["error"]["retryable"] is False, (word, reply)
    assert world.broker.call(op="inventory")["machines"] == []


def main():
    if os.environ.get("SANITIZED"):
        print("skipped: a desktop's address limit and closed /proc leave the sanitizer's shadow no room")
        return 77
    if os.geteuid() != 0:
        print("SKIP: the local provider's test needs root")
        return 77
    for program in ("Xvfb", "openbox", "tint2", "xprop", "xrandr", "xauth"):
        if not shutil.which(program):
            print("SKIP: %s is missing: apt-get install xvfb openbox tint2 x11-utils x11-xserver-utils xauth" % program)
            return 77
    world, failed = World(), 0
    names = sys.argv[1:] or [n for n in globals() if n.startswith("test_")]
    try:
        world.provisioner_start()
        for name in names:
            try:
                globals()[name](world)
                print("PASS", name, flush=True)
            except Exception:
                failed += 1
                print("FAIL", name, flush=True)
                traceback.print_exc()
                for machine in world.broker.call(op="inventory")["machines"]:
                    down(world, machine["desktop"])
        if failed:
            print(open(os.path.join(world.data, "provisioner.log")).read())
    finally:
        world.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
