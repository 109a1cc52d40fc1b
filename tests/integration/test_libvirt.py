#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provider "libvirt" with real QEMU machines in a libvirtd of its own. Needs root.

Run alone: top_builddir=build python3 tests/integration/test_libvirt.py [name]"""
import os
import shutil
import subprocess
import sys
import tempfile
import traceback

import libvirt_host

BUILD = os.path.abspath(os.environ.get("top_builddir", "build"))
UNIT = os.path.join(BUILD, "tests/unit/hypervisor/unit-hypervisor")


class World:
    """A host, a golden disk, and a folder for overlays that QEMU's own user reaches."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="puesto-libvirt-", dir="/var/tmp")
        os.chmod(self.folder, 0o755)
        self.directory = os.path.join(self.folder, "disks")
        self.golden = os.path.join(self.folder, "golden.qcow2")
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", self.golden, "64M"], check=True)
        os.chmod(self.golden, 0o444)
        self.network = libvirt_host.Network()
        self.one = libvirt_host.Host(self.folder, "one", self.network)

    def golden_bytes(self):
        with open(self.golden, "rb") as f:
            return f.read()

    def end(self):
        self.one.end()
        self.network.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def test_the_contract_holds(world):
    before, mode = world.golden_bytes(), os.stat(world.golden)
    done = subprocess.run([UNIT, "--filter", "libvirt/qemu_keeps_the_contract", "--verbose"], text=True, capture_output=True, timeout=240,
                          env=dict(os.environ, PUESTO_TEST_LIBVIRT_URI=world.one.uri, PUESTO_TEST_LIBVIRT_GOLDEN=world.golden,
                                   PUESTO_TEST_LIBVIRT_DIRECTORY=world.directory))
    assert done.returncode == 0 and "[PASS] libvirt::qemu_keeps_the_contract" in done.stderr + done.stdout, done.stdout + done.stderr
    assert world.one.domains() == [], "all of it was removed"
    after = os.stat(world.golden)
    assert world.golden_bytes() == before and (after.st_mode, after.st_uid) == (mode.st_mode, mode.st_uid), "the golden disk was touched"


def main():
    why = libvirt_host.missing() or ("" if os.path.exists(UNIT) else "the unit tests are not built")
    if why:
        print("SKIP:", why)
        return 77
    failed, world = 0, World()
    names = sys.argv[1:] or [n for n in globals() if n.startswith("test_")]
    try:
        world.one.start()
        for name in names:
            try:
                globals()[name](world)
                print("PASS", name, flush=True)
            except Exception:
                failed += 1
                print("FAIL", name, flush=True)
                traceback.print_exc()
    finally:
        world.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
