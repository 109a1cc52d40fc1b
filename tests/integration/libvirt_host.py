# SPDX-License-Identifier: GPL-3.0-or-later
"""A libvirtd of a test's own: private mount, network and host-name namespaces, its own /etc, /run, /var/lib
and /var/cache of libvirt, so that nothing of it touches the machine's. Its guests are QEMU by translation or KVM."""
import os
import re
import shutil
import signal
import subprocess
import threading
import time
import uuid

PATIENCE = float(os.environ.get("PUESTO_TEST_PATIENCE", "1"))  # how often the usual time is waited for, where everything is translated
DEADLINE = 30.0 * PATIENCE
PRIVATE = {"etc": "/etc/libvirt", "run": "/run/libvirt", "lib": "/var/lib/libvirt", "cache": "/var/cache/libvirt", "log": "/var/log/libvirt"}
# What swtpm has beside libvirt's own: its authority for certificates, and logs. They belong to its user.
EMULATOR = {"localca": "/var/lib/swtpm-localca", "swtpm-log": "/var/log/swtpm"}
BUILD = os.path.abspath(os.environ.get("top_builddir", "build"))
UNIT = os.path.join(BUILD, "tests/unit/hypervisor/unit-hypervisor")
# The contract of drivers by its parts (tests/unit/hypervisor/contract.c).
CONTRACT = ("create", "destroy", "restart", "power", "snapshots", "sizes", "screens", "personal", "hosts", "networks", "twice", "at-once", "cancel", "ends")
PROGRAMS = ("libvirtd", "virsh", "qemu-system-x86_64", "qemu-img", "unshare", "nsenter", "ip")

# Two of them on one machine must not look the same to each other: host_uuid and host name.
START = """set -e
hostname "$2"
for pair in $3; do mkdir -p "${pair#*:}"; mount --bind "$1/${pair%%:*}" "${pair#*:}"; done
mount -t sysfs sysfs /sys 2>/dev/null || true # of this network: what a bridge can is set there; and no cgroups, which are not ours to make
for file in $4; do mount --bind /dev/null "$file"; done
mkdir -p "$1/lib/qemu" "$1/lib/dnsmasq"
exec libvirtd -p "$1/libvirtd.pid"
"""


def missing():
    """What keeps the tests from running here, in words; "" when nothing does."""
    if os.geteuid() != 0:
        return "a libvirtd of its own needs root"
    for program in PROGRAMS:
        if not shutil.which(program):
            return "%s is missing: apt-get install libvirt-daemon-system libvirt-clients qemu-system-x86 qemu-utils" % program
    return ""


def wait_for(what, test, seconds=DEADLINE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = test()
        if result:
            return result
        time.sleep(0.05 * PATIENCE)
    raise TimeoutError("waited %.0f s for %s" % (seconds, what))


def contract_check(uri, golden, directory, part=None):
    """The contract, or one part of it, with the libvirtd at uri; PUESTO_TEST_LIBVIRT_ACCEL says with KVM or without."""
    named = dict(os.environ, PUESTO_TEST_LIBVIRT_URI=uri, PUESTO_TEST_LIBVIRT_GOLDEN=golden, PUESTO_TEST_LIBVIRT_DIRECTORY=directory,
                 **({"PUESTO_TEST_CONTRACT": part} if part else {}))
    done = subprocess.run([UNIT, "--filter", "libvirt/qemu_keeps_the_contract", "--verbose"], text=True, capture_output=True, timeout=240 * PATIENCE,
                          check=False, env=named)
    out = "\n".join(line for line in (done.stderr + done.stdout).splitlines() if "[SKIP]" not in line and "Running" not in line)
    assert done.returncode == 0 and "[PASS] libvirt::qemu_keeps_the_contract" in out, out


class Network:
    """A network namespace that several hosts share; it lives as long as its holder."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", "ip link set lo up; echo up; exec sleep 3600"], stdout=subprocess.PIPE, text=True)
        assert self.holder.stdout.readline() == "up\n"

    def enter(self, *words):
        return ["nsenter", "--net=/proc/%d/ns/net" % self.holder.pid, *words]

    def end(self):
        """Whoever is still in it is ours, also a guest whose daemon was killed before it had written a pid down."""
        home = os.readlink("/proc/%d/ns/net" % self.holder.pid)
        assert home != os.readlink("/proc/self/ns/net"), "the namespace is not ours alone"
        for pid in (int(p) for p in os.listdir("/proc") if p.isdigit()):
            try:
                if pid != self.holder.pid and os.readlink("/proc/%d/ns/net" % pid) == home:
                    os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        self.holder.kill()
        self.holder.wait()


class Host:
    """One libvirtd, which may be killed and started again; its guests go on meanwhile, as they do in earnest."""

    def __init__(self, folder, name, network, hidden=""):
        """hidden: programs that are not there for it, with spaces between."""
        self.name, self.network, self.hidden = name, network, hidden
        self.folder = os.path.join(folder, name)
        self.process = None
        for part in PRIVATE:
            os.makedirs(os.path.join(self.folder, part))
        self.pairs = {**PRIVATE, **{part: path for part, path in EMULATOR.items() if os.path.isdir(path)}}
        for part in self.pairs.keys() - PRIVATE.keys():
            os.makedirs(os.path.join(self.folder, part))
            owner = os.stat(self.pairs[part])
            os.chown(os.path.join(self.folder, part), owner.st_uid, owner.st_gid)
            os.chmod(os.path.join(self.folder, part), owner.st_mode & 0o7777)
        etc = os.path.join(self.folder, "etc")
        if os.path.isdir("/etc/libvirt/nwfilter"):
            shutil.copytree("/etc/libvirt/nwfilter", os.path.join(etc, "nwfilter"))
        os.makedirs(os.path.join(etc, "qemu/networks"))
        with open(os.path.join(etc, "libvirtd.conf"), "w") as f:
            f.write('host_uuid = "%s"\nauth_unix_rw = "none"\nunix_sock_rw_perms = "0700"\nlog_outputs = "2:file:%s/libvirtd.log"\n'
                    % (uuid.uuid4(), self.folder))
        with open(os.path.join(etc, "qemu.conf"), "w") as f:
            f.write('security_driver = "none"\ncgroup_controllers = []\nstdio_handler = "file"\n')
        self.socket = os.path.join(self.folder, "run/libvirt-sock")
        self.uri = "qemu+unix:///system?socket=" + self.socket

    def start(self):
        pairs = " ".join("%s:%s" % p for p in self.pairs.items())
        words = self.network.enter("unshare", "-m", "-u", "--propagation", "private", "sh", "-c", START, "sh", self.folder, self.name, pairs, self.hidden)
        with open(os.path.join(self.folder, "out"), "ab") as out:
            self.process = subprocess.Popen(words, stdout=out, stderr=out, start_new_session=True)
        threading.Thread(target=self.stand_up, args=(self.process,), daemon=True).start()
        wait_for("libvirtd %s" % self.name, self.answers)
        for what in "domcapabilities", "capabilities":  # it asks each QEMU what it can when it is asked first; that takes seconds
            self.virsh(what)

    def stand_up(self, process):
        """One that crashed by itself is started again, as its unit of systemd says: libvirt 9.0 does, at times, when who asked for a disk's removal is killed."""
        if process.wait() in (-signal.SIGSEGV, -signal.SIGABRT) and process is self.process:
            print("libvirtd %s crashed, and is started again" % self.name, flush=True)
            self.start()

    def answers(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.folder, "libvirtd.log")) as log:
                raise AssertionError("libvirtd %s ended: %s" % (self.name, log.read()[-2000:]))
        return os.path.exists(self.socket) and self.virsh("uri", ok=None)[0] == 0

    def kill(self, sig=signal.SIGKILL):
        self.process.send_signal(sig)
        if sig != signal.SIGSTOP and sig != signal.SIGCONT:
            self.process.wait()

    def virsh(self, *words, ok=True):
        done = subprocess.run(["virsh", "-q", "-c", self.uri, *words], capture_output=True, text=True, timeout=DEADLINE)
        if ok is None:
            return done.returncode, done.stdout
        if (done.returncode == 0) != ok:
            raise AssertionError("virsh %s: %s%s" % (" ".join(words), done.stdout, done.stderr))
        return done.stdout

    def domains(self, *more):
        return [n for n in self.virsh("list", "--all", "--name", *more).split() if n]

    def qemu_pid(self, name):
        with open(os.path.join(self.folder, "run/qemu/%s.pid" % name)) as f:
            return int(f.read())

    def end(self):
        if self.process and self.process.poll() is None:
            self.kill(signal.SIGTERM)
        folder = os.path.join(self.folder, "run/qemu")
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if re.fullmatch(r"puesto-.*\.pid", name):
                try:
                    os.kill(self.qemu_pid(name[:-4]), signal.SIGKILL)
                except (OSError, ValueError):
                    pass
