# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of an emulated TPM 2.0, as swtpm itself reads it: whose it is (its endorsement key), and a mark in its own memory.
Commands are those of TPM 2.0's library, part 3."""
import contextlib
import hashlib
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time

INDEX = 0x01500001
OWNER, ENDORSEMENT, PASSWORD = 0x40000001, 0x4000000B, 0x40000009
DEFINE, UNDEFINE, WRITE, READ, PRIMARY = 0x12A, 0x122, 0x137, 0x14E, 0x131


def missing():
    return "" if shutil.which("swtpm") and shutil.which("swtpm_setup") else "swtpm is missing: apt-get install swtpm swtpm-tools"


def sized(data):
    return struct.pack(">H", len(data)) + data


def command(code, handles, parameters):
    """With an empty password for the first handle."""
    body = struct.pack(">%dI" % len(handles), *handles) + struct.pack(">IIHBH", 9, PASSWORD, 0, 0, 0) + parameters
    return struct.pack(">HII", 0x8002, len(body) + 10, code) + body


def mark_read():
    return command(READ, [OWNER, INDEX], struct.pack(">HH", 8, 0))


def mark_define():
    return command(DEFINE, [OWNER], sized(b"") + sized(struct.pack(">IHIHH", INDEX, 0xB, 0x02060006, 0, 8)))


def mark_write(mark):
    return command(WRITE, [OWNER, INDEX], sized(mark.ljust(8)) + struct.pack(">H", 0))


def running():
    """pids and words of all emulators."""
    found = {}
    for pid in (p for p in os.listdir("/proc") if p.isdigit()):
        with contextlib.suppress(OSError), open("/proc/%s/cmdline" % pid) as f:
            words = f.read().split("\0")
            if os.path.basename(words[0]) == "swtpm":
                found[int(pid)] = " ".join(words)
    return found


class Tpm:
    """One at work on a state: a folder, or a file alone (backend)."""

    def __init__(self, state):
        self.folder = tempfile.mkdtemp(prefix="puesto-tpm-", dir="/var/tmp")
        path = self.folder + "/socket"
        where = "dir=" + state if os.path.isdir(state) else "backend-uri=file://" + state
        self.process = subprocess.Popen(["swtpm", "socket", "--tpm2", "--tpmstate", where, "--server", "type=unixio,path=" + path,
                                         "--flags", "not-need-init,startup-clear"], stderr=subprocess.PIPE, text=True)
        self.socket = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + 20
        while self.socket.connect_ex(path) != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                self.end()
                raise AssertionError("swtpm cannot read %s: %s" % (state, self.process.stderr.read()))
            time.sleep(0.01)
        self.socket.settimeout(20)

    def call(self, words, ok=True):
        self.socket.sendall(words)
        answer = self.socket.recv(4096)
        result = struct.unpack(">I", answer[6:10])[0]
        assert not ok or result == 0, "TPM command %s: %x" % (words.hex(), result)
        return answer[10:] if result == 0 else None

    def key(self):
        """What only this TPM's seed makes: the public part of an endorsement key."""
        template = struct.pack(">HHIHHHHHHHHH", 0x23, 0xB, 0x00030072, 0, 6, 128, 0x43, 0x10, 3, 0x10, 0, 0)
        answer = self.call(command(PRIMARY, [ENDORSEMENT], sized(sized(b"") + sized(b"")) + sized(template) + sized(b"") + struct.pack(">I", 0)))
        size = struct.unpack(">H", answer[8:10])[0]
        return hashlib.sha256(answer[10:10 + size]).hexdigest()

    def mark(self):
        answer = self.call(mark_read(), ok=False)
        return answer[6:14] if answer else b""

    def set_mark(self, mark):
        self.call(command(UNDEFINE, [OWNER, INDEX], b""), ok=False)
        self.call(mark_define())
        self.call(mark_write(mark))

    def end(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def files(state):
    return [n for n in os.listdir(state) if not n.startswith(".")] if os.path.isdir(state) else [""]


def copy(state, to):
    """Contents only: owners and names stay."""
    for name in files(state):
        with open(os.path.join(state, name) if name else state, "rb") as f, open(os.path.join(to, name) if name else to, "wb") as out:
            out.write(f.read())


def look(state, mark=None):
    """(key, mark) of a copy of that state; with a mark, that is written into the state itself, whose machine has to be off."""
    with tempfile.TemporaryDirectory(prefix="puesto-tpm-", dir="/var/tmp") as folder:
        aside = folder if os.path.isdir(state) else folder + "/file"
        copy(state, aside)
        tpm = Tpm(aside)
        try:
            if mark is not None:
                tpm.set_mark(mark)
            found = tpm.key(), tpm.mark()
        finally:
            tpm.end()
        if mark is not None:
            copy(aside, state)
        return found
