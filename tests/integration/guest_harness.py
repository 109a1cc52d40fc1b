# SPDX-License-Identifier: GPL-3.0-or-later
"""A real desktop machine of our own image under QEMU: KVM where there is one, else TCG. QMP, a shell on its second serial line."""
import base64
import gzip
import json
import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
SOURCE = os.path.abspath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "..", "..")))
NEEDED = ("qemu-system-x86_64", "qemu-img", "mkfs.ext4", "cpio", "busybox", "Xvfb", "openbox", "tint2", "xterm")
MEMORY_MB, SHOWN = 384, (1280, 800)


def lacking():
    """What a run of the tests would miss, or ""."""
    missing = [w for w in NEEDED if not shutil.which(w)]
    if os.geteuid() != 0:
        missing.append("root")
    if os.environ.get("SANITIZED"):
        missing.append("programs without a sanitizer's library")
    return ", ".join(missing)


def accel():
    """KVM where the processor has it: a /dev/kvm alone may be of a kind that cannot run a stock kernel."""
    with open("/proc/cpuinfo") as f:
        flags = next((line.split() for line in f if line.startswith("flags")), [])
    has_kvm = os.access("/dev/kvm", os.W_OK) and ("vmx" in flags or "svm" in flags)
    return "kvm" if has_kvm else "tcg,thread=multi,tb-size=128"


def image():
    """Builds the test's image (once; later runs find it made) and returns its folder."""
    folder = os.path.join(BUILD, "guest-image")
    with tempfile.TemporaryDirectory(prefix="puesto-overlay-") as overlay:
        os.makedirs(overlay + "/etc/puesto")
        with open(SOURCE + "/deploy/image/guest/inittab") as f:
            inittab = f.read()
        with open(overlay + "/etc/inittab", "w") as f:
            f.write(inittab + "ttyS1::respawn:/bin/sh\n")
        with open(overlay + "/etc/puesto/session.conf", "w") as f:
            f.write("[session]\nmax_width = 1280\nmax_height = 800\n")
        subprocess.run([SOURCE + "/deploy/image-builder", "--kind", "vm", "--from", "host", "--minimal", "--output", folder, "--build", BUILD,
                        "--cache", BUILD + "/guest-cache", "--overlay", overlay], check=True)
    return folder


class Qmp:
    """A QMP connection (docs/interop/qmp-spec): commands in order, events kept."""

    def __init__(self, path, seconds=20):
        deadline = time.monotonic() + seconds
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path)
                break
            except OSError:
                self.socket.close()
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self.socket.settimeout(60)
        self.stream, self.events = self.socket.makefile("r"), []
        self.stream.readline()
        self("qmp_capabilities")

    def __call__(self, command, **arguments):
        self.socket.sendall(json.dumps({"execute": command, "arguments": {k.replace("_", "-"): v for k, v in arguments.items()}}).encode() + b"\n")
        while True:
            answer = json.loads(self.stream.readline())
            if "event" in answer:
                self.events.append(answer["event"])
            elif "error" in answer:
                raise RuntimeError("%s: %s" % (command, answer["error"]["desc"]))
            else:
                return answer["return"]

    def close(self):
        self.stream.close()
        self.socket.close()


class Shell:
    """Root's shell in the guest, on a line that only the test's image has."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.settimeout(60)
        self.buffer, self.count = b"", 0
        self("stty -echo -onlcr; PS1=; PS2=", 40)

    def __call__(self, command, seconds=60):
        self.count += 1
        begin, end = b"<%d<" % self.count, b">%d>" % self.count
        # The marks are computed, so that an echo of the command is not taken for its output.
        self.socket.settimeout(seconds)
        self.socket.sendall(b"echo '<'%d'<'; %s; echo '>'%d'>'\n" % (self.count, command.encode(), self.count))
        while end not in self.buffer:
            data = self.socket.recv(65536)
            assert data, "the guest's shell ended"
            self.buffer += data
        out, _, self.buffer = self.buffer.partition(end)
        return out.rpartition(begin)[2].strip().decode(errors="replace")

    def close(self):
        self.socket.close()


def seed_disk(path, text):
    """A NoCloud disk as its tools write it: ISO 9660 (ECMA-119) with one file, called CIDATA."""
    sector = 2048

    def both(n):
        return struct.pack("<I", n) + struct.pack(">I", n)

    def record(at, size, name, flags):
        body = b"\0" + both(at) + both(size) + bytes(7) + bytes([flags, 0, 0]) + struct.pack("<H", 1) + struct.pack(">H", 1) + bytes([len(name)]) + name
        body += b"\0" * ((len(body) + 1) % 2)
        return bytes([len(body) + 1]) + body

    root = record(18, sector, b"\0", 2)
    primary = (b"\1CD001\1\0" + b" " * 32 + b"CIDATA".ljust(32)).ljust(156, b"\0") + root
    folder = root + record(18, sector, b"\1", 2) + record(19, len(text), b"PUESTO.JSO;1", 0)
    with open(path, "wb") as f:
        f.write(b"".join(part.ljust(sector, b"\0") for part in (b"",) * 16 + (primary, b"\xffCD001\1", folder)) + text.ljust(2 * sector, b"\0"))


class Guest:
    """One machine. seed: the fields of its seed, or None. forward: the host's port for the agent's display link."""

    def __init__(self, folder, forward, seed=None, backing=None, more=()):
        self.dir = tempfile.mkdtemp(prefix="puesto-guest-")
        self.folder, self.forward, self.shell_ = folder, forward, None
        self.disk = self.dir + "/disk.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", backing or folder + "/disk.qcow2", "-F", "qcow2", self.disk], check=True)
        words = self.words()
        if seed:
            with open(self.dir + "/seed.json", "w") as f:
                json.dump(seed, f)
            words += ["-fw_cfg", "name=opt/org.puesto/seed,file=%s/seed.json" % self.dir]
        if forward:
            words += ["-netdev", "user,id=n0,hostfwd=tcp:127.0.0.1:%d-:5910" % forward, "-device", "virtio-net-pci,netdev=n0"]
        self.log = open(self.dir + "/qemu.log", "w")
        self.process = subprocess.Popen(words + list(more), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.qmp = Qmp(self.dir + "/qmp")

    def words(self):
        """What every machine has, a clone and its parent alike."""
        return ["qemu-system-x86_64", "-accel", accel(), "-nodefaults", "-no-user-config", "-display", "none", "-M", "q35", "-cpu", "max", "-smp", "2",
                "-m", str(MEMORY_MB), "-kernel", self.folder + "/vmlinuz", "-initrd", self.folder + "/initrd",
                "-append", "console=ttyS0 quiet net.ifnames=0 mitigations=off",
                "-blockdev", "driver=qcow2,node-name=disk,file.driver=file,file.filename=%s,cache.no-flush=on" % self.disk,
                "-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci",
                "-device", "virtio-serial-pci", "-chardev", "socket,id=seed,path=%s/seed,server=on,wait=off" % self.dir,
                "-device", "virtserialport,chardev=seed,name=org.puesto.seed",
                "-serial", "file:%s/console" % self.dir, "-serial", "unix:%s/shell,server=on,wait=off" % self.dir,
                "-qmp", "unix:%s/qmp,server=on,wait=off" % self.dir]

    @property
    def shell(self):
        if not self.shell_:
            self.shell_ = Shell(self.dir + "/shell")
        return self.shell_

    def console(self):
        with open(self.dir + "/console", errors="replace") as f:
            return f.read()

    def told(self):
        """Everything that helps when a test fails."""
        try:
            return self.console()[-3000:] + "\n" + self.shell("busybox tail -n 40 /var/log/puesto-session.log")
        except OSError:
            return self.console()[-3000:]

    def pixels(self):
        """The guest's screen as its X server has it in memory: rows of B G R."""
        out = gzip.decompress(base64.b64decode(self.shell("busybox gzip -1 -c /run/puesto-x/Xvfb_screen0 | busybox base64")))
        head = struct.unpack(">25I", out[:100])
        stride, data = head[12], out[head[0] + 12 * head[19]:]
        return b"".join(b"".join(data[y * stride + 4 * x:y * stride + 4 * x + 3] for x in range(SHOWN[0])) for y in range(SHOWN[1]))

    def close(self):
        if self.shell_:
            self.shell_.close()
        self.qmp.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.dir)
