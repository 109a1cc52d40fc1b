#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""deploy/image-builder: what it refuses; in tier 2 an archive that an OCI tool could read and a disk with a boot loader; in tier 3 the same bytes twice, from the mirror too."""
import filecmp
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

import guest_harness
import uefi_disk
from broker_harness import eventually

BUILDER = guest_harness.SOURCE + "/deploy/image-builder"
TIER = int(os.environ.get("PUESTO_TIER", "1"))


def build(output, *words):
    return subprocess.run([BUILDER, "--output", output, "--build", guest_harness.BUILD, "--cache", guest_harness.BUILD + "/guest-cache", *words],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


class SelfStarter(guest_harness.Guest):
    """A machine that is given no kernel."""

    def words(self):
        words = super().words()
        at = words.index("-kernel")
        return words[:at] + words[at + 6:]


class UefiStarter(SelfStarter):
    def __init__(self, folder, variables):
        self.variables = variables
        super().__init__(folder, None)

    def words(self):
        return super().words() + ["-drive", "if=pflash,unit=0,format=raw,readonly=on,file=" + uefi_disk.CODE, "-drive", "if=pflash,unit=1,format=raw,file=" + self.variables]


class Builder(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory(prefix="puesto-image-")
        self.addCleanup(temporary.cleanup)
        self.dir = temporary.name

    def made(self, name, *words):
        answer = build(self.dir + "/" + name, *words)
        self.assertEqual(answer.returncode, 0, answer.stdout)
        return self.dir + "/" + name

    def test_what_it_refuses_is_said(self):
        for words, reason in ((("--kind", "iso"), "--kind must be"), (("--kind", "vm", "--from", "moon"), "--from must be"), (("--kind", "vm", "--size", "big"), "--size must be"),
                              (("--kind", "vm", "--boot", "moon"), "--boot must be none, bios or uefi"),
                              (("--kind", "vm", "--name", "a b"), "--name and --version"), (("--what",), "unknown option"), (("--kind", "vm", "--overlay", "/nowhere"), "is no folder"),
                              (("--kind", "vm", "--build", "/nowhere"), "Build Puesto first")):
            answer = build(self.dir + "/refused", *words)
            self.assertNotEqual(answer.returncode, 0)
            self.assertIn(reason, answer.stdout)
            self.assertFalse(os.path.exists(self.dir + "/refused/image.json"))

    @unittest.skipIf(TIER < 2, "tier 2")
    def test_a_failure_leaves_nothing_half_made(self):
        answer = build(self.dir + "/small", "--kind", "vm", "--from", "host", "--minimal", "--size", "40")
        self.assertNotEqual(answer.returncode, 0)
        self.assertIn("is --size large enough?", answer.stdout)
        self.assertLessEqual(set(os.listdir(self.dir + "/small")), {"build.log", ".lock"})

    @unittest.skipIf(TIER < 2, "tier 2")
    def test_an_archive(self):
        folder = self.made("oci", "--kind", "oci", "--from", "host", "--minimal")
        with tarfile.open(folder + "/image.tar") as archive:
            def blob(digest):
                data = archive.extractfile("blobs/sha256/" + digest.partition(":")[2])
                return data

            def read(description):
                text = blob(description["digest"]).read()
                self.assertEqual(len(text), description["size"])
                self.assertEqual("sha256:" + hashlib.sha256(text).hexdigest(), description["digest"])
                return text

            self.assertEqual(json.load(archive.extractfile("oci-layout")), {"imageLayoutVersion": "1.0.0"})
            manifest = json.loads(read(json.load(archive.extractfile("index.json"))["manifests"][0]))
            config = json.loads(read(manifest["config"]))
            self.assertEqual(config["rootfs"]["diff_ids"], [manifest["layers"][0]["digest"]])
            with tarfile.open(fileobj=blob(manifest["layers"][0]["digest"])) as layer:
                names = set(layer.getnames())
        self.assertLessEqual({"./sbin", "./usr/sbin/init", "./usr/libexec/puesto/puesto-agent", "./etc/inittab"}, names)

    @unittest.skipIf(TIER < 2 or not shutil.which("syslinux"), "tier 2, and wants syslinux")
    def test_a_disk_that_starts_by_itself(self):
        guest = SelfStarter(self.made("bios", "--kind", "vm", "--boot", "bios", "--from", "host", "--minimal"), None)
        try:
            eventually(lambda: "the X server answers" in guest.console(), 90)
        finally:
            guest.close()

    @unittest.skipIf(TIER < 2 or bool(uefi_disk.missing()) or not os.path.exists("/usr/lib/systemd/boot/efi"), "tier 2, and wants ovmf and systemd-boot-efi")
    def test_a_disk_that_starts_by_uefi(self):
        folder = self.made("uefi", "--kind", "vm", "--boot", "uefi", "--from", "host", "--minimal")
        self.assertFalse(os.path.exists(folder + "/vmlinuz"), "a kernel beside it would be started instead")
        variables = self.dir + "/variables"
        shutil.copy(uefi_disk.VARIABLES, variables)
        guest = UefiStarter(folder, variables)
        try:
            eventually(lambda: "the X server answers" in guest.console(), 180)
        finally:
            guest.close()

    def same(self, *words):
        first, second = self.made("1", *words), self.made("2", *words)
        for name in sorted(os.listdir(first)):
            if name != "build.log" and not os.path.isdir(first + "/" + name):
                self.assertTrue(filecmp.cmp(first + "/" + name, second + "/" + name, shallow=False), name)

    @unittest.skipIf(TIER < 3, "tier 3")
    def test_the_same_bytes_from_the_host(self):
        self.same("--kind", "vm", "--boot", "bios", "--from", "host", "--minimal")

    @unittest.skipIf(TIER < 3, "tier 3")
    def test_the_same_bytes_from_the_mirror(self):
        # A cache of its own for each: the packages are fetched and unpacked twice.
        self.same("--kind", "vm", "--from", "mirror", "--cache", "")


if __name__ == "__main__":
    if guest_harness.lacking():
        print("skipped: needs " + guest_harness.lacking())
        sys.exit(77)
    unittest.main(verbosity=1)
