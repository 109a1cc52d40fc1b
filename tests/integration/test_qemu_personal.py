#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users' own disks in real machines: QEMU's instant clones of our image. A user logs on, the disk is plugged in, made, mounted, and the session
begins on it; after the log-off it is unplugged and the machine is made anew; the files are in the next machine. A machine that hangs is ended
with the disk in it, which is mended. Of the second tier. In a network namespace of its own.
Covers: broker/hypervisor/qemu/personal.c

Run alone: PUESTO_TIER=2 top_builddir=build python3 tests/integration/test_qemu_personal.py"""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import guest_harness
from broker_harness import eventually
from test_qemu_pool import BOOT, Site, sees_a_desktop

# In place of the panel: each session leaves its machine's name in its home.
PANEL = """#!/bin/sh
echo "$(cat /etc/hostname)" >>~/letter
sync
exec /usr/bin/tint2 "$@"
"""


def image():
    folder = os.path.join(guest_harness.BUILD, "guest-image-personal")
    with tempfile.TemporaryDirectory(prefix="puesto-overlay-") as overlay:
        for path, text in (("/etc/puesto/session.conf", "[session]\nmax_width = 1280\nmax_height = 800\n"), ("/usr/local/bin/tint2", PANEL),
                           ("/etc/skel/welcome", "from the image\n")):
            os.makedirs(os.path.dirname(overlay + path), exist_ok=True)
            with open(overlay + path, "w") as f:
                f.write(text)
        os.chmod(overlay + "/usr/local/bin/tint2", 0o755)
        subprocess.run([guest_harness.SOURCE + "/deploy/image-builder", "--kind", "vm", "--from", "host", "--minimal", "--output", folder, "--build",
                        guest_harness.BUILD, "--cache", guest_harness.BUILD + "/guest-cache", "--overlay", overlay], check=True)
    return folder


def place(site):
    """Where the provider keeps them."""
    return getattr(site, "personal", site.folder + "/d/personal")


def disk_file(site):
    (path,) = glob.glob(place(site) + "/*-*/*/disk.qcow2")
    return path


def holders(site):
    return os.listdir(place(site) + "/.held") if os.path.isdir(place(site) + "/.held") else []


def inspect(site, command):
    """What debugfs says of the disk, as of now: its journal is played first."""
    raw = site.folder + "/inspected"
    subprocess.run(["qemu-img", "convert", "-U", "-f", "qcow2", "-O", "raw", disk_file(site), raw], check=True)
    try:
        subprocess.run(["e2fsck", "-y", "-E", "journal_only", raw], capture_output=True, check=False)
        return subprocess.run(["debugfs", "-R", command, raw], check=True, capture_output=True, text=True).stdout
    finally:
        os.unlink(raw)


def listed(site):
    (disk,) = site.admin.call("GET", "personal")[1]["items"]
    return disk


def names(site):
    return {d["id"]: d["name"].lower() for d in site.admin.call("GET", "desktops")[1]["items"]}


def work(site):
    viewer, desktop = eventually(site.connect, BOOT)
    eventually(lambda: sees_a_desktop(viewer), 60)
    assert holders(site) == [desktop], holders(site)
    eventually(lambda: inspect(site, "cat /letter").split()[-1:] == [names(site)[desktop]], 120)
    return viewer, desktop


def log_off(site, viewer, desktop):
    viewer.ws.conn.close()
    status = site.ana.call("POST", "me/desktops/%s/logoff" % desktop, {})[0]
    assert status in (200, 202, 204), status


def leave(site, viewer, desktop):
    pid = site.pid(desktop)
    log_off(site, viewer, desktop)
    eventually(lambda: holders(site) == [], 90)
    eventually(lambda: site.pid(desktop) not in (0, pid) and site.running(2), BOOT)
    assert (listed(site)["state"], listed(site)["clean"]) == ("free", True), listed(site)


def files_are_in_the_next_machine(site):
    viewer, first = work(site)
    hosts = [names(site)[first]]
    leave(site, viewer, first)
    assert inspect(site, "cat /welcome") == "from the image\n"
    assert inspect(site, "cat /letter").split() == hosts, inspect(site, "cat /letter")
    site.admin.call("POST", "desktops/%s/drain" % first, {"drain": True})
    viewer, second = work(site)
    assert second != first
    hosts.append(names(site)[second])
    leave(site, viewer, second)
    assert inspect(site, "cat /letter").split() == hosts, inspect(site, "cat /letter")
    site.admin.call("POST", "desktops/%s/drain" % first, {"drain": False})
    return hosts


def a_machine_that_hangs_loses_no_file(site, hosts):
    """It does not answer: it is ended with the disk in it, and the next one mends and mounts that; larger, as an administrator wishes."""
    disk = listed(site)
    status, answer = site.admin.call("PATCH", "personal/" + disk["id"], {"size_mb": 128})[:2]
    assert (status, answer["size_mb"]) == (200, 128), answer
    viewer, desktop = work(site)
    hosts.append(names(site)[desktop])
    os.kill(site.pid(desktop), signal.SIGSTOP)
    log_off(site, viewer, desktop)
    eventually(lambda: desktop not in site.records(), 150)
    assert holders(site) == []
    assert (listed(site)["state"], listed(site)["clean"]) == ("unclean", False), listed(site)
    viewer, desktop = work(site)
    hosts.append(names(site)[desktop])
    leave(site, viewer, desktop)
    assert inspect(site, "cat /letter").split()[-1] == hosts[-1]
    stats = dict(line.split(":", 1) for line in inspect(site, "show_super_stats -h").splitlines() if line.startswith(("Block count:", "Block size:")))
    assert int(stats["Block count"]) * int(stats["Block size"]) >= 120 << 20, stats
    assert os.stat(disk_file(site)).st_blocks > 0


def main():
    if int(os.environ.get("PUESTO_TIER", "1")) < 2:
        print("skipped: of tier 2")
        return 77
    why = guest_harness.lacking() or ("" if shutil.which("debugfs") else "debugfs")
    if why:
        print("skipped:", why)
        return 77
    if "PUESTO_TEST_INSIDE" not in os.environ:
        image()  # its kernel is fetched where there is a network
        os.environ["PUESTO_TEST_INSIDE"] = "yes"
        os.execvp("unshare", ["unshare", "-m", "-n", "--propagation", "private", sys.executable] + sys.argv)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    guest_harness.image = image
    site = Site()
    try:
        site.start()
        eventually(lambda: site.running(2), BOOT)
        pool = site.admin.call("GET", "pools")[1]["items"][0]
        site.change(pool["id"], pool["rev"], {"personal_disk_mb": 64})
        hosts = files_are_in_the_next_machine(site)
        print("written in %s, found in %s" % tuple(hosts))
        a_machine_that_hangs_loses_no_file(site, hosts)
        print("found after a machine that hung, in %s" % hosts[-1])
    except BaseException:
        print(site.told(), file=sys.stderr)
        raise
    finally:
        site.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
