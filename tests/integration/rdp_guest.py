# SPDX-License-Identifier: GPL-3.0-or-later
"""The golden disk of a machine that shows itself by RDP: our builder's smallest image with xrdp before an X server of TigerVNC's, and no agent of ours at work."""
import os
import shutil
import subprocess
import tempfile

import guest_harness
from test_rdp_source import certificate, fingerprint

BUILD, SOURCE = guest_harness.BUILD, guest_harness.SOURCE
SIZE = (640, 480)
PATTERN, MARKED = ("336699", "ffcc00"), "102030"
PROGRAMS = ("/usr/sbin/xrdp", "/usr/bin/Xtigervnc", "/usr/bin/xsetroot")
LIBRARIES = "/usr/lib/x86_64-linux-gnu/xrdp"

INITTAB = """::sysinit:/usr/libexec/puesto/guest/start
::respawn:/usr/libexec/test-screen
::respawn:/usr/sbin/xrdp --nodaemon --config /etc/xrdp/xrdp.ini
::once:/usr/libexec/puesto/guest/wait
::once:/usr/libexec/puesto/guest/power
::ctrlaltdel:/bin/busybox poweroff
::shutdown:/bin/busybox umount -a -r
"""

# What is typed in its terminal stays on its disk, and is seen on its screen.
SCREEN = """#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DISPLAY=:1
export PATH HOME DISPLAY
Xtigervnc :1 -SecurityTypes None -rfbport 5901 -localhost -geometry %dx%d -depth 24 >/dev/null 2>&1 &
until xsetroot -mod 9 6 -fg '#%s' -bg '#%s'; do sleep 0.2; done
xterm -geometry 30x4+0+0 -e /bin/sh &
until [ -e /var/mark ]; do sleep 0.2; done
xsetroot -solid '#%s'
wait
""" % (*SIZE, *PATTERN, MARKED)

XRDP = """[Globals]
ini_version=1
fork=false
port=tcp://0.0.0.0:3389
security_layer=tls
certificate=/etc/xrdp/seat.crt
key_file=/etc/xrdp/seat.key
ssl_protocols=TLSv1.2, TLSv1.3
autorun=Desk
allow_channels=true
allow_multimon=false
bitmap_cache=true
bitmap_compression=true
max_bpp=32
new_cursors=true
[Logging]
LogFile=/tmp/xrdp.log
LogLevel=INFO
EnableSyslog=false
[Channels]
cliprdr=true
drdynvc=true
[Desk]
name=Desk
lib=libvnc.so
ip=127.0.0.1
port=5901
username=na
password=na
"""


def lacking():
    """What a run of the tests would miss, or ""."""
    missing = [p for p in PROGRAMS + (LIBRARIES,) if not os.path.exists(p)]
    return guest_harness.lacking() or ", ".join(missing)


def write(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def copy(path, overlay):
    """A file of this machine, to where it lies there without links of folders."""
    there = overlay + os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
    os.makedirs(os.path.dirname(there), exist_ok=True)
    shutil.copy(path, there)


def programs(overlay):
    for name in os.listdir(LIBRARIES):
        copy(os.path.join(LIBRARIES, name), overlay)
    files = PROGRAMS + tuple(os.path.join(LIBRARIES, n) for n in os.listdir(LIBRARIES) if n.endswith(".so"))
    env = dict(os.environ, LD_LIBRARY_PATH=LIBRARIES)
    words = subprocess.run(["ldd", *files], env=env, capture_output=True, text=True, check=True).stdout.split()
    loader = {w for w in words if "/ld-linux" in w}  # the image has its own
    for path in sorted(({w for w in words if w.startswith("/") and not w.endswith(":")} - loader) | set(PROGRAMS)):
        if not path.startswith(LIBRARIES):
            copy(path, overlay)
    shutil.copytree("/usr/share/xrdp", overlay + "/usr/share/xrdp")
    for name in os.listdir("/etc/xrdp"):
        if name.startswith("km-"):
            copy("/etc/xrdp/" + name, overlay)


def image():
    """Builds it (once; later runs find it made); returns its folder and its certificate's fingerprint."""
    folder, seat = os.path.join(BUILD, "rdp-guest-image"), os.path.join(BUILD, "rdp-guest-seat")
    os.makedirs(seat, exist_ok=True)
    if not os.path.exists(seat + "/seat.crt"):
        certificate(seat)
    if not os.path.exists(seat + "/rsakeys.ini"):  # of RDP's own old security: it wants them, whatever it offers
        subprocess.run(["xrdp-keygen", "xrdp", seat + "/rsakeys.ini"], check=True, stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="puesto-overlay-") as overlay:
        programs(overlay)
        for name in "seat.crt", "seat.key", "rsakeys.ini":
            shutil.copy(os.path.join(seat, name), overlay + "/etc/xrdp/" + name)
        write(overlay + "/etc/xrdp/xrdp.ini", XRDP)
        write(overlay + "/etc/inittab", INITTAB)
        write(overlay + "/usr/libexec/test-screen", SCREEN, 0o755)
        subprocess.run([SOURCE + "/deploy/image-builder", "--kind", "vm", "--from", "host", "--minimal", "--output", folder, "--build", BUILD,
                        "--cache", BUILD + "/guest-cache", "--overlay", overlay], check=True)
    return folder, fingerprint(seat + "/seat.crt")
