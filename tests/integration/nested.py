# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine for tests that need a kernel of their own: Debian's generic one, under QEMU by translation.

    with nested.Machine(("machine", "machine-storage"), disks=[path], ports=[3260]) as m:
        print(m.run("modprobe dm_thin_pool && lvm version", seconds=60))
        with open(m.share + "/notes", "w") as f: ...          # the guest has it as /nested/notes
        socket.create_connection(("127.0.0.1", m.port(3260)))

It runs this machine's own programs: its root is this machine's root file system, read-only by 9p, with a layer of further packages over it
and a file system in memory on top, so whatever a test writes there is gone with it. Source and build tree lie in it at their own paths: what was
built here runs there, tests as well. What is made for it once is kept below PUESTO_NESTED (or /tmp/puesto-nested), by the versions of the packages:

    KEY/layer     packages of the lists named (deploy/packages/LIST) that this machine lacks, unpacked and not installed; the kernel's modules
    KEY/kernel (out of its compression, since to translate that takes seconds)   KEY/initrd   KEY/xen (with "machine-xen": the hypervisor; Machine(xen=True) boots it, with the guest as its dom0)

The guest's init is init() below: file systems, udev, a card eth0 with 10.0.2.15 on QEMU's user network, and a shell on the second serial line, by which run()
works. There is no systemd: a test starts the daemons that it wants. Time in it may be its own (own_time): it goes by the instructions that were translated, two
nanoseconds each, and by the clock only while it has nothing to do; so what waits ten seconds in it waits as long on a busy machine as on an idle one. The folder m.share is /nested in the guest, for writing too. disks are files of the
host (raw or ….qcow2), /dev/disk/by-id/virtio-disk0 and so on; scratch_mb is one of ours below /var/tmp and /var/lib/libvirt, which else are memory. further words for QEMU (a tap, another card): more.
Lists that this machine's own sources do not have want words for apt (apt); modules that the kernel's package does not have are a folder of them (modules), as zfs_host.py builds.

QEMU ends with the test's process whatever happens to it, and with the machine's close()."""
import ctypes
import fcntl
import gzip
import hashlib
import lzma
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import traceback
import urllib.parse

import guest_harness
from ports import free_port

SOURCE, BUILD = guest_harness.SOURCE, guest_harness.BUILD
CACHE = os.environ.get("PUESTO_NESTED", "/tmp/puesto-nested")
NEEDED = ("qemu-system-x86_64", "busybox", "cpio", "modprobe", "depmod", "dpkg-deb", "apt-get", "tar", "unshare", "mount", "mkfs.ext4")
BOOT_S = 600.0  # on a very busy machine; 20 s on an idle one
SLOWER = 30  # than the clock is a machine's own time at most
QUIET_S = 1200.0  # without a test's result, before a machine that runs a program again counts as hanging
KEPT_S = 14 * 86400  # that a folder is kept which nobody used
MARK = "nested: ready"
FIRST_MODULES = ("virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_blk", "virtio_net")
PR_SET_PDEATHSIG = 1

INITRD = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for m in $(cat /modules.list); do insmod "$m"; done
mkdir -p /host /layer /top /new
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose host /host || exec sh
mount -t 9p -o ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose layer /layer || exec sh
mount -t tmpfs -o size=80%,mode=755 top /top; mkdir /top/new /top/work
mount -t overlay -o lowerdir=/layer:/host,upperdir=/top/new,workdir=/top/work root /new || exec sh
mkdir -p /new/nested; cp /second /new/sbin/nested-init; umount /proc /sys
exec switch_root /new /bin/sh /sbin/nested-init
"""


def init():
    """The guest's first process, in its own root."""
    return """#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C.UTF-8
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm; mount -t devpts -o mode=620,ptmxmode=666 devpts /dev/pts; mount -t tmpfs shm /dev/shm
mount -t tmpfs -o mode=755 run /run; mkdir -p /run/lock; mount -t tmpfs tmp /tmp; mount -t tmpfs tmp /var/tmp
mount -t cgroup2 none /sys/fs/cgroup
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,cache=mmap nested /nested
hostname nested
[ -e /etc/exports ] || : >/etc/exports # what scripts of packages would have made
mkdir -p /var/lib/nfs/rpc_pipefs /etc/iscsi /run/lock/iscsi
rm -f /.dockerenv # this machine may be a container: the guest is none, and its udev must not think so
/lib/systemd/systemd-udevd --daemon; udevadm trigger --action=add; udevadm settle -t 60
if [ -b /dev/disk/by-id/virtio-scratch ]; then
	mount /dev/disk/by-id/virtio-scratch /var/tmp; chmod 1777 /var/tmp
	cp -a /var/lib/libvirt /var/tmp/libvirt; mount --bind /var/tmp/libvirt /var/lib/libvirt
fi
ip link set lo up
if [ -e /sys/class/net/eth0 ]; then ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0; ip route add default via 10.0.2.2; fi
if grep -q xen /sys/hypervisor/type 2>/dev/null; then
	for m in xen-evtchn xen-gntdev xen-gntalloc xen-privcmd xenfs xen-blkback xen-netback; do modprobe "$m"; done
	mount -t xenfs xenfs /proc/xen; mkdir -p /run/xen /run/xenstored /var/log/xen /var/lib/xen
	for x in /usr/lib/xen-4*/bin; do export PATH="$PATH:$x"; done
	xenstored --pid-file /run/xen/xenstored.pid; xenconsoled --log=all --log-dir=/var/log/xen; xen-init-dom0
fi
for program in /nested/init.d/*; do [ -x "$program" ] && "$program"; done
echo "%s $(cut -d' ' -f1 /proc/uptime)" >/dev/console
while :; do setsid sh -c 'exec sh -i </dev/ttyS1 >/dev/ttyS1 2>&1'; done
""" % MARK


def missing(*lists, apt=()):
    """What keeps such a machine from running here, in words; "" when nothing does."""
    if os.geteuid() != 0:
        return "a machine of its own needs root"
    for program in NEEDED:
        if not shutil.which(program):
            return "%s is missing: apt-get install what deploy/packages/test names" % program
    if shutil.disk_usage(os.path.dirname(CACHE) or "/").free < 2 << 30:
        return "%s has less than 2 GB free" % os.path.dirname(CACHE)
    try:
        further(names("machine", *lists), apt)
    except subprocess.CalledProcessError as e:
        return "apt knows no way to the packages of %s: %s" % (" ".join(lists), e.stderr.strip()[-300:])
    return ""


def is_within():
    """Does the test run in such a machine (again() started it)?"""
    return "PUESTO_NESTED_WITHIN" in os.environ


def release():
    with open("/etc/os-release") as f:
        return dict(line.rstrip().split("=", 1) for line in f if "=" in line).get("VERSION_ID", "").strip('"')


def names(*lists):
    """Packages of deploy/packages/LIST, as deploy/lib/packages.sh reads them: NAME or NAME:RELEASE."""
    found = []
    for name in lists:
        with open(os.path.join(SOURCE, "deploy/packages", name)) as f:
            words = [line.split("#")[0].strip() for line in f]
        found += [w.split(":")[0] for w in words if w and (":" not in w or w.split(":")[1] == release())]
    return list(dict.fromkeys(found))


def further(packages, apt=()):
    """What of them and of what they need this machine lacks, as (file's name, NAME=VERSION)."""
    with tempfile.TemporaryDirectory(prefix="puesto-nested-") as empty: # what lies in apt's own cache is not named
        os.mkdir(empty + "/partial")
        done = subprocess.run(["apt-get", *apt, "-o", "Debug::NoLocking=1", "-o", "Dir::Cache::archives=" + empty, "install", "-qq", "-y", "--no-install-recommends",
                               "--print-uris", *packages], capture_output=True, text=True, check=True)
    files = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("'")]
    return [(f, "%s=%s" % tuple(urllib.parse.unquote(f).split("_")[:2])) for f in sorted(files)]


def unpack(folder, layer, packages, apt=()):
    """As dpkg would, but for the scripts. Where /bin and /lib are links into /usr here, they are in the layer."""
    for link in ("bin", "sbin", "lib", "lib64"):
        if os.path.islink("/" + link):
            os.makedirs(layer + "/usr/" + link, exist_ok=True)
            os.symlink("usr/" + link, layer + "/" + link)
    subprocess.run(["apt-get", "-q", *apt, "download", *packages], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for deb in sorted(f for f in os.listdir(folder) if f.endswith(".deb")):
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", folder + "/" + deb], stdout=subprocess.PIPE) as files:
            subprocess.run(["tar", "-x", "-C", layer, "--keep-directory-symlink", "--exclude=./usr/share/doc", "--exclude=./usr/share/man"], stdin=files.stdout,
                           check=True)
        assert files.returncode == 0, deb
        os.unlink(folder + "/" + deb)


def modules_of(layer, version):
    """Files of FIRST_MODULES and of what they need, in the order to load them."""
    order = []
    for name in FIRST_MODULES:
        done = subprocess.run(["modprobe", "-d", layer, "-S", version, "--show-depends", name], capture_output=True, text=True, check=True)
        order += [line.split()[1] for line in done.stdout.splitlines() if line.startswith("insmod")]
    return list(dict.fromkeys(order))


def initrd_make(layer, version, path):
    with tempfile.TemporaryDirectory(prefix="puesto-nested-") as root:
        for d in ("bin", "proc", "sys", "dev", "modules"):
            os.mkdir(root + "/" + d)
        shutil.copy(shutil.which("busybox"), root + "/bin/busybox")
        listed = []
        for file in modules_of(layer, version):
            name = os.path.basename(file)
            shutil.copy(file, root + "/modules")
            if name.endswith(".xz"):
                subprocess.run(["xz", "-d", root + "/modules/" + name], check=True)
            listed.append("/modules/" + name.removesuffix(".xz"))
        for name, text in (("init", INITRD), ("second", init()), ("modules.list", "\n".join(listed) + "\n")):
            with open(root + "/" + name, "w") as f:
                f.write(text)
            os.chmod(root + "/" + name, 0o755)
        subprocess.run("find . | cpio -o -H newc --quiet | gzip -1 >'%s'" % path, shell=True, cwd=root, check=True)


def prepared(lists, apt=(), modules=""):
    """The folder of a machine with these lists of packages, made now or by an earlier run."""
    packages = further(names("machine", *lists), apt)
    key = hashlib.sha256(repr((packages, INITRD, init(), FIRST_MODULES, "kernel", *([os.path.basename(modules)] if modules else ()))).encode()).hexdigest()[:16]
    folder = os.path.join(CACHE, key)
    os.makedirs(CACHE, mode=0o700, exist_ok=True)
    with open(CACHE + "/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for other in os.listdir(CACHE):
            if os.path.isdir(CACHE + "/" + other) and os.stat(CACHE + "/" + other).st_mtime < time.time() - KEPT_S:
                shutil.rmtree(CACHE + "/" + other)
        if not os.path.exists(folder):
            new = tempfile.mkdtemp(prefix="new-", dir=CACHE)
            try:
                make(new, [p for _, p in packages], apt, modules)
                os.rename(new, folder)
            finally:
                shutil.rmtree(new, ignore_errors=True)
        os.utime(folder)
    return folder


def kernel_unpack(packed, path):
    """What a kernel unpacks itself when it starts (Debian's is XZ); as it is where there is none in it."""
    with open(packed, "rb") as f:
        kernel = f.read()
    start = kernel.find(b"\xfd7zXZ\0")
    if start >= 0:
        kernel = lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(kernel[start:])
    with open(path, "wb") as f:
        f.write(kernel)


def make(new, packages, apt, modules):
    layer = new + "/layer"
    os.makedirs(layer)
    os.chmod(new, 0o755)
    unpack(new, layer, packages, apt)
    version = max(os.listdir(layer + "/lib/modules"))
    if modules:
        shutil.copytree(modules, "%s/lib/modules/%s/extra" % (layer, version))
    subprocess.run(["depmod", "-b", layer, version], check=True)
    kernel_unpack("%s/boot/vmlinuz-%s" % (layer, version), new + "/kernel")
    shutil.copy(new + "/kernel", "%s/boot/kernel-%s" % (layer, version))
    for name in sorted(os.listdir(layer + "/boot")):
        if name.startswith("xen-") and name.endswith(".gz"):
            with gzip.open(layer + "/boot/" + name) as f, open(new + "/xen", "wb") as out:
                shutil.copyfileobj(f, out)
    initrd_make(layer, version, new + "/initrd")


def tiny_image(folder, program, modules):
    """In a machine: a guest's kernel, and busybox with the running kernel's modules and a first program of the test's, beside an empty golden disk, whose path is returned."""
    root = os.path.join(folder, "root")
    for d in ("bin", "proc", "sys", "dev"):
        os.makedirs(os.path.join(root, d))
    shutil.copy(shutil.which("busybox"), root + "/bin/busybox")
    order = []
    for module in modules:
        done = subprocess.run(["modprobe", "--show-depends", module], capture_output=True, text=True, check=True)
        order += [line.split()[1] for line in done.stdout.splitlines() if line.startswith("insmod")]
    for n, file in enumerate(dict.fromkeys(order)):
        shutil.copy(file, "%s/%02d.ko" % (root, n))
    with open(root + "/init", "w") as f:
        f.write("#!/bin/busybox sh\n/bin/busybox --install -s /bin\nmount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev\n"
                'for m in /*.ko; do insmod "$m"; done\n' + program)
    os.chmod(root + "/init", 0o755)
    subprocess.run("find . | cpio -o -H newc --quiet | gzip -1 >../initrd", shell=True, cwd=root, check=True)
    shutil.copy("/boot/kernel-" + os.uname().release, folder + "/vmlinuz")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", folder + "/disk.qcow2", "64M"], check=True)
    for name in ("vmlinuz", "initrd", "disk.qcow2"):
        os.chmod(os.path.join(folder, name), 0o444)
    return folder + "/disk.qcow2"


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def show(path, over, is_hung):
    """What comes into the file, until it is over; beside each test's result, how busy this machine is. Calls is_hung once when nothing came for QUIET_S."""
    done, at, heard = False, 0, time.monotonic()
    while not done:
        done = over.wait(1.0)
        if os.path.exists(path):
            with open(path, errors="replace") as f:
                f.seek(at)
                for line in iter(f.readline, ""):
                    print(line.rstrip() + (", load %.1f" % os.getloadavg()[0] if line.startswith(("PASS ", "FAIL ")) else ""), flush=True)
                    heard = time.monotonic()
                at = f.tell()
        if not done and time.monotonic() > heard + QUIET_S:
            print("FAIL: nothing was heard of the machine for %d s, load %.1f: it is ended" % (QUIET_S, os.getloadavg()[0]), flush=True)
            is_hung()
            return


def run_within(tests, names, world, seconds):
    """In a machine: the tests that are named, or all, one by one, each for so many seconds of the machine's time at most. The program's exit status."""
    def late(*_):
        raise TimeoutError("it was not done in %d s" % seconds)

    failed = 0
    signal.signal(signal.SIGALRM, late)
    for name in names or tests:
        began = time.monotonic()
        signal.alarm(seconds)
        try:
            tests[name](world)
            word = "PASS"
        except Exception:
            signal.alarm(0)
            traceback.print_exc()
            word, failed = "FAIL", 1
            world.clean()
        signal.alarm(0)
        print("%s %s (%.1f s of its own time)" % (word, name, time.monotonic() - began), flush=True)
    return failed


class Failed(Exception):
    """A command in the machine that did not end with 0; its output is in the words."""


class Machine:
    """One machine. lists: of deploy/packages, beside "machine". ports: of the guest, reached by port(). own_time: see above; processors take turns then, and only Xen
    starts a second one."""

    def __init__(self, lists=(), memory_mb=1024, cpus=2, disks=(), ports=(), scratch_mb=0, xen=False, cpu=None, own_time=False, more=(), apt=(), modules=""):
        self.folder = prepared([w for w in lists if w != "machine"], apt, modules)
        self.dir = tempfile.mkdtemp(prefix="puesto-nested-")
        self.share, self.xen, self.own_time, self.count, self.shell, self.process = self.dir + "/share", xen, own_time, 0, None, None
        self.ports = {p: free_port() for p in ports}
        os.makedirs(self.share)
        os.makedirs(self.dir + "/root")
        words = ["qemu-system-x86_64", "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-M", "q35", "-smp", str(1 if own_time and not xen else cpus), "-m", str(memory_mb),
                 # Xen's libxl knows real processors only; KVM needs the most that translation has (AMD's SVM).
                 "-accel", "tcg,thread=%s,tb-size=256" % ("single" if own_time else "multi"), *(("-icount", "shift=1,sleep=on") if own_time else ()), "-cpu", cpu or ("Nehalem" if xen else "max"),
                 "-device", "virtio-rng-pci", "-serial", "file:%s/console" % self.dir, "-serial", "unix:%s/shell,server=on,wait=off" % self.dir]
        words += self.boot_words(memory_mb) + self.mount_words() + self.disk_words(disks) + self.scratch_words(scratch_mb) + self.network_words() + list(more)
        self.start(words)

    def boot_words(self, memory_mb):
        # A busy host gives it no timer interrupt in time, and the kernel would take that for a fault of the machine.
        arguments = "quiet mitigations=off net.ifnames=0 panic=-1 no_timer_check"
        if not self.xen:
            return ["-kernel", self.folder + "/kernel", "-initrd", self.folder + "/initrd", "-append", "console=ttyS0 " + arguments]
        dom0 = memory_mb // 2
        return ["-kernel", self.folder + "/xen", "-append", "dom0_mem=%dM,max:%dM com1=115200,8n1 console=com1 noreboot" % (dom0, dom0),
                "-initrd", "%s/kernel console=hvc0 %s,%s/initrd" % (self.folder, arguments, self.folder)]

    def mount_words(self):
        words = []
        for tag, path, rest in (("host", self.dir + "/root", ",readonly=on"), ("layer", self.folder + "/layer", ",readonly=on"), ("nested", self.share, "")):
            words += ["-fsdev", "local,id=%s,path=%s,security_model=none,multidevs=remap%s" % (tag, path, rest),
                      "-device", "virtio-9p-pci,fsdev=%s,mount_tag=%s" % (tag, tag)]
        return words

    def disk_words(self, disks):
        words = []
        for n, path in enumerate(disks):
            words += ["-blockdev", "driver=%s,node-name=disk%d,file.driver=file,file.filename=%s,discard=unmap" % (
                "qcow2" if path.endswith(".qcow2") else "raw", n, path), "-device", "virtio-blk-pci,drive=disk%d,serial=disk%d" % (n, n)]
        return words

    def scratch_words(self, megabytes):
        if not megabytes:
            return []
        path = self.dir + "/scratch"
        subprocess.run(["truncate", "-s", "%dM" % megabytes, path], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-E", "lazy_itable_init=1", path], check=True)
        return ["-blockdev", "driver=raw,node-name=scratch,file.driver=file,file.filename=%s,cache.no-flush=on" % path,
                "-device", "virtio-blk-pci,drive=scratch,serial=scratch"]

    def network_words(self):
        forwards = "".join(",hostfwd=tcp:127.0.0.1:%d-:%d" % (host, guest) for guest, host in self.ports.items())
        return ["-netdev", "user,id=n0" + forwards, "-device", "virtio-net-pci,netdev=n0,romfile="]

    def start(self, words):
        # Its root is ours without what is mounted on it (proc, other disks); the trees that are tested are put back.
        mounts = "mount --bind / '%s/root'" % self.dir
        for tree in dict.fromkeys((SOURCE, BUILD)):
            if os.stat(tree).st_dev != os.stat("/").st_dev:
                mounts += " && mount --bind '%s' '%s/root%s'" % (tree, self.dir, tree)
        with open(self.dir + "/qemu.log", "w") as log:
            self.process = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-c", mounts + ' && exec "$@"', "sh", *words],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=die_with_parent)
        try:
            self.wait_ready()
        except BaseException:
            self.close()
            raise

    def wait_ready(self):
        end = time.monotonic() + BOOT_S
        while MARK not in self.console():
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.dir + "/qemu.log") as log:
                    raise Failed("the machine did not come up: %s\n%s" % (log.read()[-1000:], self.console()[-3000:]))
            time.sleep(0.1)
        self.shell = guest_harness.Shell(self.dir + "/shell")

    def console(self):
        path = self.dir + "/console"
        if not os.path.exists(path):
            return ""
        with open(path, errors="replace") as f:
            return f.read()

    def port(self, guest):
        """The host's port, on 127.0.0.1, of one of the guest's that was named in ports."""
        return self.ports[guest]

    def run(self, command, seconds=60, check=True):
        """A shell's command, as root; what it wrote to both outputs. Failed when it ends with an error, or too late by the machine's time."""
        self.count += 1
        name = "run-%d" % self.count
        with open("%s/%s" % (self.share, name), "w") as f:
            f.write(command + "\n")
        try:
            code = self.shell("timeout %d sh /nested/%s >/nested/%s.out 2>&1 </dev/null; echo $?" % (seconds, name, name),
                              seconds * (SLOWER if self.own_time else 1) + 30)
        except TimeoutError as e:
            raise Failed("%s: no answer in %d s\n%s" % (command, seconds, self.console()[-2000:])) from e
        with open("%s/%s.out" % (self.share, name), errors="replace") as f:
            out = f.read()
        if check and code != "0":
            raise Failed("%s: ended with %s\n%s" % (command, code, out[-6000:]))
        return out

    def again(self, argv, seconds, patience=16, **environment):
        """Runs the test's own program in the machine, as is_within() tells it; shows what it says as it comes, and returns its exit status."""
        words = {"top_builddir": BUILD, "top_srcdir": SOURCE, "PUESTO_NESTED_WITHIN": "yes", "PUESTO_TEST_PATIENCE": str(patience),
                 "PUESTO_TIER": os.environ.get("PUESTO_TIER", "1"), **environment}
        command = "cd %s && env %s python3 -u %s; echo ended with $?" % (shlex.quote(BUILD), " ".join("%s=%s" % (k, shlex.quote(v)) for k, v in words.items()),
                                                                         " ".join(map(shlex.quote, [os.path.abspath(argv[0]), *argv[1:]])))
        over = threading.Event()
        shown = threading.Thread(target=show, args=("%s/run-%d.out" % (self.share, self.count + 1), over, self.process.kill))
        shown.start()
        try:
            out = self.run(command, seconds)
        finally:
            over.set()
            shown.join()
        return int(out.rpartition("ended with ")[2])

    def close(self):
        if self.shell:
            self.shell.close()
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self.close()
