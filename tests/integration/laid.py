# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages that one test needs and no machine shall have for it: those of deploy/packages/LIST that are not installed are unpacked, and laid over /usr in a
mount namespace of the test's. What is unpacked is kept below PUESTO_NESTED (or /tmp/puesto-nested) as nested.py's layers are."""
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile

import nested


def further(name):
    return nested.further(nested.names(name))


def missing(name):
    """What keeps the packages of a list from being laid here, in words; "" when nothing does."""
    for program in ("apt-get", "dpkg-deb", "unshare", "mount"):
        if not shutil.which(program):
            return "%s is missing" % program
    try:
        further(name)
    except subprocess.CalledProcessError as e:
        return "apt knows no way to the packages of %s: %s" % (name, e.stderr.strip()[-300:])
    return ""


def layer(name):
    """The folder of what is unpacked, "" where all of it is installed. Before the test leaves this machine's network: the mirror is not reached from within."""
    packages = [p for _, p in further(name)]
    if not packages:
        return ""
    folder = os.path.join(nested.CACHE, "%s-%s" % (name, hashlib.sha256(repr(packages).encode()).hexdigest()[:16]))
    os.makedirs(nested.CACHE, mode=0o700, exist_ok=True)
    with open(nested.CACHE + "/lock-" + name, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(folder):
            new = tempfile.mkdtemp(prefix="new-", dir=nested.CACHE)
            try:
                os.chmod(new, 0o755)
                os.makedirs(new + "/layer")
                nested.unpack(new, new + "/layer", packages)
                os.rename(new, folder)
            finally:
                shutil.rmtree(new, ignore_errors=True)
        os.utime(folder)
    return folder + "/layer"


def over_usr(name):
    """The command that lays them over /usr of the namespace which runs it; of no words where all of them are installed."""
    folder = layer(name)
    return ["mount", "-t", "overlay", "-o", "lowerdir=%s/usr:/usr" % folder, name, "/usr"] if folder else []
