# SPDX-License-Identifier: GPL-3.0-or-later
"""A driver over HTTP and its double, for tests of its faults."""
import copy
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

from driver_harness import LATER, TOOL, Driver, Refused, is_for_later
from guest_harness import Qmp
from rest_double import wait_for
from test_rfb_source import LOOK, Look, read_ppm

BUILD = os.path.abspath(os.environ.get("top_builddir", "build"))
UNIT = os.path.join(BUILD, "tests/unit/hypervisor/unit-hypervisor")
# What the broker asks again (driver_is_retryable).
RETRYABLE = ("io", "protocol", "closed", "timeout", "busy", "limit", "unauthenticated", "again", "internal", "no_space")


def new():
    return str(uuid.uuid4())


class Screen:
    """A real machine behind a double: the BIOS of a QEMU, whose VNC has the password that the double was given."""

    def __init__(self, world):
        self.path = world.folder + "/screen"
        words = ["-accel", "tcg", "-m", "64", "-nodefaults", "-vga", "std", "-display", "none", "-boot", "menu=on,splash-time=60000",
                 "-vnc", "unix:%s/vnc,password=on" % world.folder, "-qmp", "unix:%s/qmp,server=on,wait=off" % world.folder]
        self.process = subprocess.Popen(["qemu-system-x86_64", *words])
        self.qmp, self.folder = Qmp(world.folder + "/qmp"), world.folder
        self.passwords = []
        world.double.screen = self.connect

    def connect(self, password):
        self.passwords.append(password)
        self.qmp("set_password", protocol="vnc", password=password or "none")
        far = socket.socket(socket.AF_UNIX)
        far.connect(self.folder + "/vnc")
        return far

    def own(self):
        self.qmp("screendump", filename=self.folder + "/own.ppm")
        return read_ppm(self.folder + "/own.ppm")

    def open(self, driver, desktop):
        """What the driver gives, shown by the source."""
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self.path)
            listener.listen(1)
            listener.settimeout(20)
            answer = driver.call("console", desktop, self.path)
            carrier, _ = listener.accept()
        os.unlink(self.path)
        with carrier:
            _, fds, _, _ = socket.recv_fds(carrier, 1, 1)
        look = Look(str(fds[0]), answer["password"] or "none", program=LOOK, fds=fds)
        os.close(fds[0])
        return look, answer

    def same(self, look):
        shown, own = look.shot(self.folder + "/shown.ppm"), self.own()
        return shown == own and len(set(own[2])) > 1 and own

    def close(self):
        self.qmp.close()
        self.process.kill()
        self.process.wait()


def a_console_is_seen(world):
    """Through the double's WebSocket, pixel by pixel; keys arrive; what ends on one side ends on the other."""
    screen = Screen(world)
    try:
        driver, double = world.driver(), world.double
        desktop = world.create(driver)
        look, answer = screen.open(driver, desktop)
        look.until("surface")
        waiting = wait_for("the same picture", lambda: screen.same(look))
        for is_down in 1, 0:
            look.say("key", 1, is_down)  # Escape: the boot menu
        wait_for("another picture", lambda: screen.own() != waiting)
        wait_for("the same picture", lambda: screen.same(look))
        assert double.screens[0].pongs > 0
        double.screens[0].far.shutdown(socket.SHUT_RDWR)
        line = look.until("closed")
        assert "stopped" in line, line
        look.close()
        look, _ = screen.open(driver, desktop)
        look.until("surface")
        look.close()
        wait_for("the viewer's end", lambda: double.screens[1].is_closed)
        driver.call("power", desktop, "stop")
        assert driver.refused("console", desktop, screen.path).code == "busy"
        assert driver.refused("console", new(), screen.path).code == "not_found"
        driver.call("power", desktop, "start")
        for bad in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n", b"\0" * 100, b"x" * 9000:
            double.show = lambda handler, protocol, password: handler.wfile.write(bad) and setattr(handler, "close_connection", True)
            r = driver.refused("console", desktop, screen.path)
            assert r.code in ("protocol", "limit"), (bad, r)
        driver.call("destroy", desktop)
        driver.end()
        return answer
    finally:
        screen.close()


class RestWorld:
    """`settings()` of the subclass are the provider's; image is what desktops are made of."""
    kind, image = "", ""

    def __init__(self, double, token):
        self.folder = tempfile.mkdtemp(prefix="puesto-%s-" % self.kind, dir="/var/tmp")
        self.double = double(os.path.join(self.folder, "double"))
        self.token = self.file("token", token + "\n")
        self.ca = self.double.certificate
        self.template = copy.deepcopy(getattr(self.double, "vms", {}).get(9000))
        self.drivers = []

    def file(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def settings(self):
        raise NotImplementedError

    def driver(self, data="data", env=None, **more):
        """A setting that is None is left out. env: what driver_tool is told of machines."""
        settings = {k: v for k, v in {**self.settings(), **more}.items() if v is not None}
        driver = Driver(os.path.join(self.folder, data), settings, env=env)
        self.drivers.append(driver)
        return driver

    def create(self, driver, desktop=None, task=None, token="token_of_this_test", golden=None):
        return driver.call("create", desktop or new(), task or new(), golden or self.image, token)["machine"]["desktop"]

    def end(self):
        for driver in self.drivers:
            driver.kill()
        self.double.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_contract(world, name, **more):
    settings = "".join("%s = %s\n" % (k, v) for k, v in {**world.settings(), **more}.items() if k != "kind")
    env = dict(os.environ, PUESTO_DOUBLE=settings, PUESTO_DOUBLE_URL=world.double.url, PUESTO_DOUBLE_CA=world.double.certificate)
    done = subprocess.run([UNIT, "--filter", name, "--verbose"], text=True, capture_output=True, timeout=120, env=env, check=False)
    assert done.returncode == 0 and "[PASS]" in done.stderr + done.stdout, done.stdout + done.stderr


def again(driver, *words):
    """Until it is done, as the broker does it: what may be asked again is."""
    for _ in range(6):
        try:
            return driver.call(*words)
        except Refused as r:
            assert r.code in RETRYABLE, (words, r)
            last = r
    raise AssertionError("%s is never done: %s" % (words, last))


def crashes(world, check, step):
    """Kills the driver at the n-th call that changes something, of a create and then of a refresh; the same task makes it whole. The
    least number of calls that they took."""
    least = 99
    for verb in ("create", "refresh"):
        n, is_over = 1 - step, False
        while not is_over:
            n += step
            driver, desktop, task = world.driver(), new(), new()
            if verb == "refresh":
                world.create(driver, desktop)
            left = [n]

            def after(line, driver=driver, left=left):
                if line.split()[0] != "GET":
                    left[0] -= 1
                    if left[0] == 0:
                        driver.process.kill()
            world.double.after = after
            words = ("create", desktop, task, world.image, "t") if verb == "create" else ("restart", desktop, task, "refresh", "t")
            call = driver.begin(*words)
            wait_for("the command's end", lambda driver=driver, call=call: driver.process.poll() is not None or driver.waiting[call].qsize())
            is_over = driver.process.poll() is None
            world.double.heal()
            if not is_over:
                driver.kill()
                driver = world.driver()
                again(driver, *words)
            machines = driver.machines()
            assert list(machines) == [desktop] and machines[desktop]["state"] == "running" and machines[desktop]["task"] == task, machines
            check(verb, n, desktop)
            driver.call("destroy", desktop)
            world.leave_nothing()
            driver.end()
        least = min(least, n)
    return least


def tests_run(world, names):
    """Each test_… of names in a world of its own; the exit status."""
    if is_for_later():
        print(LATER)
        return 77
    missing = [p for p in (UNIT, TOOL) if not os.path.exists(p)] + [p for p in ("openssl",) if not shutil.which(p)]
    if missing:
        print("SKIP: not there: %s" % " ".join(missing))
        return 77
    failed = 0
    for name, test in [(n, t) for n, t in names.items() if n.startswith("test_") and (len(sys.argv) < 2 or sys.argv[1] in n)]:
        began, place = time.monotonic(), world()
        try:
            test(place)
            print("ok   %s (%.1f s)" % (name, time.monotonic() - began), flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print("FAIL %s" % name)
            traceback.print_exc()
        finally:
            place.end()
    return 1 if failed else 0
