# SPDX-License-Identifier: GPL-3.0-or-later
"""Speaks to driver_tool: one driver of the registry in a process of its own, which may be killed."""
import itertools
import json
import os
import queue
import subprocess
import threading

BUILD = os.path.abspath(os.environ.get("top_builddir", "build"))
TOOL = os.path.join(BUILD, "tests/integration/driver_tool")
DEADLINE = 60.0 * float(os.environ.get("PUESTO_TEST_PATIENCE", "1"))


def is_for_later():
    """With sanitizers these programs take minutes, and the units run most of the drivers' code: there it is tier 2's."""
    return bool(os.environ.get("SANITIZED")) and int(os.environ.get("PUESTO_TIER", "1")) < 2


LATER = "SKIP: with sanitizers it is of tier 2"


class Refused(Exception):
    """The driver's error: code as pst_code_word has it, and its sentence."""

    def __init__(self, code, text):
        super().__init__("%s: %s" % (code, text))
        self.code, self.text = code, text


class Driver:
    def __init__(self, data, settings, more="", env=None):
        """settings: the lines of its section. more: other sections, as text. env: what driver_tool is told of machines."""
        os.makedirs(data, exist_ok=True)
        conf = os.path.join(data, "driver.conf")
        with open(conf, "w") as f:
            f.write("[provider-test]\n" + "".join("%s = %s\n" % s for s in settings.items()) + more)
        self.process = subprocess.Popen([TOOL, data, conf, "provider-test"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(env or {})})
        self.numbers = itertools.count(1)
        self.waiting, self.ends, self.lock = {}, queue.Queue(), threading.Lock()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            o = json.loads(line)
            if "ended" in o:
                self.ends.put(o)
            else:
                with self.lock:
                    self.waiting[o["n"]].put(o)

    def begin(self, *words):
        """A command on its way: what finish() takes."""
        n = next(self.numbers)
        with self.lock:
            self.waiting[n] = queue.Queue()
        self.process.stdin.write(" ".join([str(n)] + [str(w) for w in words]) + "\n")
        self.process.stdin.flush()
        return n

    def finish(self, n, seconds=DEADLINE):
        o = self.waiting[n].get(timeout=seconds)
        if o["code"] != "ok":
            raise Refused(o["code"], o["error"])
        return o

    def call(self, *words):
        return self.finish(self.begin(*words))

    def refused(self, *words):
        """The error that the command has to end with."""
        try:
            o = self.call(*words)
        except Refused as r:
            return r
        raise AssertionError("%s was done: %s" % (" ".join(map(str, words)), o))

    def machines(self):
        return {m["desktop"]: m for m in self.call("list")["machines"]}

    def health(self):
        return self.call("capacity")["capacity"]

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()

    def end(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            assert self.process.wait(DEADLINE) == 0, "the driver's process ended with an error"
        self.reader.join()
