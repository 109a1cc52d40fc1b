# SPDX-License-Identifier: GPL-3.0-or-later
"""ZFS for machines of nested.py: Debian's contrib from the mirror that this machine's own sources name, and the kernel's module, which Debian has as source only.

    with zfs_host.Zfs() as zfs:
        with nested.Machine(zfs_host.LISTS, apt=zfs.apt, modules=zfs.modules()) as m: m.run("modprobe zfs")

Nothing is added to this machine's sources, and nothing is installed: apt reads lists of a folder of its own, and the compiler sees the kernel's headers in a mount namespace.
The modules are built once for each version of kernel and ZFS, which takes minutes, and kept below PUESTO_NESTED (or /tmp/puesto-nested) beside nested.py's layers."""
import fcntl
import glob
import hashlib
import os
import re
import shutil
import subprocess
import tempfile

import nested

LISTS = ("machine-zfs",)
SOURCE_OF_MODULE = "zfs-dkms"
MIRROR = ". deploy/lib/say.sh; . deploy/lib/packages.sh; PUESTO_SOURCE=. apt_mirror"
BUILD = """set -e
mount -t overlay -o lowerdir="$1/usr:/usr" headers /usr
cp -a /usr/src/zfs-* "$1/build"; cd "$1/build"
./configure -q --with-config=kernel --with-linux=/usr/src/linux-headers-%(common)s --with-linux-obj=/usr/src/linux-headers-%(version)s
make -s -j%(jobs)d
"""


class Zfs:
    """apt's words, and a folder of modules, as nested.Machine wants them."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="puesto-zfs-apt-")
        self.apt = []

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        self.folder.cleanup()

    def missing(self):
        """What keeps it from running here, in words; "" when nothing does. Asks the mirror for the list of contrib."""
        for program in ("gcc", "make", "strip", "chrt"):
            if not shutil.which(program):
                return "%s is missing: a module is built" % program
        done = subprocess.run(["sh", "-c", MIRROR], cwd=nested.SOURCE, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return "this machine's apt sources name no mirror of Debian for its release"
        why = self.contrib_read(*done.stdout.split())
        return why or nested.missing(*LISTS, apt=self.apt)

    def contrib_read(self, uri, key="/usr/share/keyrings/debian-archive-keyring.gpg"):
        """Beside copies of this machine's own lists. A mirror without contrib is told in words."""
        sources, lists = self.folder.name + "/sources", self.folder.name + "/lists"
        os.makedirs(sources)
        shutil.copytree("/var/lib/apt/lists", lists, ignore=shutil.ignore_patterns("lock", "partial", "auxfiles"))
        os.makedirs(lists + "/partial")
        with open("/etc/os-release") as f:
            codename = dict(line.strip().split("=", 1) for line in f if "=" in line)["VERSION_CODENAME"].strip('"')
        with open(sources + "/contrib.sources", "w") as f:
            f.write("Types: deb\nURIs: %s\nSuites: %s\nComponents: contrib\nSigned-By: %s\n" % (uri, codename, key))
        self.apt = ["-o", "Dir::State::lists=" + lists, "-o", "Dir::Etc::sourceparts=" + sources, "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=",
                    "-o", "APT::Sandbox::User=root"]
        done = subprocess.run(["apt-get", "-q", *self.apt, "-o", "Debug::NoLocking=1", "-o", "Dir::Etc::sourcelist=/dev/null", "-o", "APT::Get::List-Cleanup=false",
                               "-o", "Acquire::Retries=2", "--error-on=any", "update"], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return "the mirror of this machine gives no contrib: %s" % re.sub(r"\s+", " ", done.stderr)[-300:]
        for file in os.listdir("/etc/apt/sources.list.d"):
            os.symlink("/etc/apt/sources.list.d/" + file, sources + "/" + file)
        return ""

    def modules(self):
        """What the kernel of nested's machines loads, built now or by an earlier run."""
        (version,) = [m.group(1) for m in (re.match(r"linux-image-(\d[^_]*)_", f) for f, _ in nested.further(nested.names("machine"))) if m]
        packages = [p for _, p in nested.further(["linux-headers-" + version, SOURCE_OF_MODULE], self.apt) if p.startswith(("linux-headers-", "linux-kbuild-", "zfs-"))]
        folder = os.path.join(nested.CACHE, "zfs-" + hashlib.sha256(repr((version, packages, BUILD)).encode()).hexdigest()[:16])
        os.makedirs(nested.CACHE, mode=0o700, exist_ok=True)
        with open(nested.CACHE + "/lock-zfs", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not os.path.exists(folder):
                new = tempfile.mkdtemp(prefix="new-", dir=nested.CACHE)
                try:
                    self.build(new, version, packages)
                    os.mkdir(new + "/zfs")
                    for module in glob.glob(new + "/build/module/**/*.ko", recursive=True):
                        subprocess.run(["strip", "-g", "-o", "%s/zfs/%s" % (new, os.path.basename(module)), module], check=True)
                    os.rename(new + "/zfs", folder)
                finally:
                    shutil.rmtree(new, ignore_errors=True)
            os.utime(folder)
        return folder

    def build(self, folder, version, packages):
        """Below the folder: usr, what the packages have; build, where zfs-dkms's source became modules."""
        nested.unpack(folder, folder, packages, self.apt)
        words = BUILD % {"common": version.rpartition("-")[0] + "-common", "version": version, "jobs": os.cpu_count()}
        done = subprocess.run(["chrt", "--idle", "0", "unshare", "-m", "--propagation", "private", "sh", "-c", words, "sh", folder], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", check=False)
        assert done.returncode == 0, "the module of ZFS was not built for %s: %s" % (version, done.stdout[-3000:])
