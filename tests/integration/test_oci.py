#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Container images out of archives, whole, damaged and hostile ones, through puesto-unpack in its sandbox. Needs root and Landlock.
Covers: broker/hypervisor/oci/oci_import.c broker/hypervisor/oci/oci_layout.c broker/hypervisor/oci/saved.c broker/hypervisor/oci/tree_write.c
broker/hypervisor/oci/unpack.c

Run alone: top_builddir=build python3 tests/integration/test_oci.py [name]"""
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest

from oci_archive import ARCHITECTURE, Layout, config_of, file, folder, hard, link, oci, pack, saved, sha256, tar_of, write

BUILD = os.path.abspath(os.environ.get("top_builddir", "build"))
TOOL, UNPACK = BUILD + "/tests/integration/disk_tool", BUILD + "/broker/hypervisor/oci/puesto-unpack"
MIB = 1 << 20


class Oci(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="puesto-oci-", dir="/var/tmp")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.archive, self.target = self.dir + "/archive.tar", self.dir + "/target"

    def run_import(self, megabytes=64, entries=1000):
        shutil.rmtree(self.target, ignore_errors=True)
        os.mkdir(self.target, 0o700)
        return subprocess.run([TOOL, "oci", UNPACK, self.archive, self.target, str(megabytes * MIB), str(entries), "60000"], capture_output=True, text=True,
                              timeout=120, check=False)

    def made(self, **ceilings):
        """What the tool says of the image."""
        done = self.run_import(**ceilings)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    def refused(self, code, words, **ceilings):
        done = self.run_import(**ceilings)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(code + ":", done.stderr)
        self.assertIn(words, done.stderr)

    def path(self, name):
        return os.path.join(self.target, "tree", name)

    def text(self, name):
        with open(self.path(name)) as f:
            return f.read()

    def names(self, top=""):
        return sorted(os.listdir(self.path(top)))

    def test_layers_lie_over_each_other(self):
        low = tar_of([folder("etc"), file("etc/kept", "low"), file("etc/gone", "x"), file("etc/changed", "low"), folder("old"), file("old/a"), folder("old/b"), file("old/b/c"),
                      folder("whole"), file("whole/x"), link("lib", "usr/lib"), folder("usr/lib"), file("was-file"), folder("was-folder"), file("was-folder/x")])
        high = tar_of([file("etc/changed", "high"), file("etc/.wh.gone"), file("old/new", "n"), file("old/.wh..wh..opq"), file(".wh.whole"), file("lib/inside", "i"),
                       folder("was-file"), file("was-folder", "f"), file(".wh..wh.plnk"), file("deep/er/file", "d", mode=0o4755, uid=77, gid=78), hard("deep/same", "etc/kept")])
        for how in ("", "gzip", "zstd") if shutil.which("zstd") else ("", "gzip"):
            oci(self.archive, low, high, how=how)
            said = self.made()
            self.assertEqual(said["id"], sha256(config_of([low, high])))
            self.assertEqual((self.text("etc/kept"), self.text("etc/changed"), self.text("usr/lib/inside"), self.text("was-folder")), ("low", "high", "i", "f"))
            self.assertEqual((self.names("etc"), self.names("old"), os.readlink(self.path("lib"))), (["changed", "kept"], ["new"], "usr/lib"))
            self.assertEqual(self.names(), ["deep", "etc", "lib", "old", "usr", "was-file", "was-folder"])
            st = os.stat(self.path("deep/er/file"))
            self.assertEqual((stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid, int(st.st_mtime)), (0o4755, 77, 78, 1700000000))
            self.assertEqual(os.stat(self.path("deep/same")).st_ino, os.stat(self.path("etc/kept")).st_ino)
            self.assertEqual(os.listdir(self.target + "/layer"), [])

    def test_a_whiteout_is_of_the_layers_below(self):
        """Also where it comes after its own layer's file of that name."""
        oci(self.archive, tar_of([folder("a"), file("a/x", "low")]), tar_of([file("a/x", "high"), file("a/.wh.x"), file("a/y"), file("a/.wh..wh..opq")]))
        self.made()
        self.assertEqual((self.text("a/x"), self.names("a")), ("high", ["x", "y"]))

    def test_the_file_for_engines_is_one_that_they_know(self):
        one, two = tar_of([file("a")]), tar_of([file("b")])
        ident = saved(self.archive, one, two, one)
        said = self.made()
        self.assertEqual(said["id"], ident)
        with tarfile.open(self.target + "/image.tar") as tar:
            manifest = json.load(tar.extractfile("manifest.json"))[0]
            self.assertEqual((manifest["Config"], manifest["RepoTags"]), (ident + ".json", ["localhost/puesto-image:" + ident]))
            self.assertEqual(sha256(tar.extractfile(manifest["Config"]).read()), ident)
            self.assertEqual([sha256(tar.extractfile(n).read()) for n in manifest["Layers"]], [sha256(t) for t in (one, two, one)])
        with open(self.target + "/image.tar", "rb") as f:
            data = f.read()
        self.assertEqual((said["sha256"], said["file_size"]), (sha256(data), len(data)))
        # It is an archive as any other: imported again it is the same image.
        shutil.move(self.target + "/image.tar", self.archive)
        self.assertEqual(self.made()["id"], ident)

    def test_the_platform_is_this_machines(self):
        layout, mine, other = Layout(), tar_of([file("mine")]), tar_of([file("other")])
        layout.top = [layout.index(layout.manifest([other], config=config_of([other], "m68k"), platform={"os": "linux", "architecture": "m68k"}),
                                   layout.manifest([other], config=config_of([other], ARCHITECTURE, "windows"), platform={"os": "windows", "architecture": ARCHITECTURE}),
                                   layout.manifest([mine], platform={"os": "linux", "architecture": ARCHITECTURE}),
                                   layout.manifest([other], platform={"os": "unknown", "architecture": "unknown"}))]
        layout.write(self.archive)
        self.made()
        self.assertEqual(self.names(), ["mine"])
        layout.top = [layout.manifest([other], config=config_of([other], "m68k"))]
        layout.write(self.archive)
        self.refused("unsupported", "the image is for linux/m68k and not for linux/" + ARCHITECTURE)

    def test_what_is_damaged_is_refused(self):
        one = tar_of([file("a", "text")])

        def with_layout(spoil, code, words):
            layout = Layout()
            layout.top = [layout.manifest([one])]
            spoil(layout)
            layout.write(self.archive)
            with self.subTest(words):
                self.refused(code, words)

        def flip(layout, key):
            data = layout.blobs[key]
            layout.blobs[key] = data[:600] + bytes([data[600] ^ 1]) + data[601:] if len(data) > 600 else data[:-1] + b"x"
        with_layout(lambda l: flip(l, sha256(one)), "invalid", "a layer is not what its digest says")
        with_layout(lambda l: flip(l, sha256(config_of([one]))), "invalid", "is not what its digest says")
        with_layout(lambda l: l.blobs.pop(sha256(one)), "invalid", "the archive has no blobs/sha256/" + sha256(one))
        with_layout(lambda l: l.top.append(l.manifest([tar_of([file("b")])])), "invalid", "the archive has 2 images")
        with_layout(lambda l: l.top.clear(), "unsupported", "no image for linux/")
        with_layout(lambda l: l.top.__setitem__(0, l.manifest([one], config=config_of([tar_of([])]))), "invalid", "a layer is not what the image's configuration says")
        with_layout(lambda l: l.top.__setitem__(0, l.manifest([one], config=config_of([one, one]))), "invalid", "1 layers and its configuration names 2")
        with_layout(lambda l: l.top.__setitem__(0, l.manifest([one], [("application/vnd.oci.image.layer.nondistributable.v1.tar", one)])), "unsupported", "a layer of the kind")
        with_layout(lambda l: l.top[0].update(digest="sha512:" + "0" * 128), "unsupported", "no SHA-256")
        with_layout(lambda l: l.top[0].update(size=1), "invalid", "not the size that its manifest says")
        with_layout(lambda l: l.top.__setitem__(0, l.manifest([one], [pack("", b"no archive at all" * 100)])), "invalid", "cannot be unpacked")
        with_layout(lambda l: l.top.__setitem__(0, l.manifest([one], [pack("gzip", one)[0:1] + (pack("gzip", one)[1][:-20],)])), "invalid", "cannot be unpacked")
        with_layout(lambda l: l.files.update({"index.json": b"[" * 100000}), "limit", "index.json")
        layout = Layout()
        inner = layout.manifest([one])
        for _ in range(6):
            inner = layout.index(inner)
        layout.top = [inner]
        layout.write(self.archive)
        self.refused("limit", "too deep")
        write(self.archive, {"desk.ovf": b"<xml/>", "desk.vmdk": b"KDMV"})
        self.refused("invalid", "an OVA: unpack it first")
        saved(self.archive, one)
        with open(self.archive, "ab+") as f:
            f.truncate(os.path.getsize(self.archive) // 3)
        self.refused("invalid", "")

    def test_nothing_gets_out_of_the_tree(self):
        outside = self.dir + "/outside"
        os.mkdir(outside)
        with open(outside + "/secret", "w") as f:
            f.write("secret")
        os.chmod(outside + "/secret", 0o600)
        cases = [
            ([file("../outside/new")], "a name that is not possible"),
            ([file("a/../../outside/new")], "a name that is not possible"),
            ([file("/".join("x" * 3 for _ in range(200)))], "a name that is not possible"),
            ([file("y" * 300)], "a name that is not possible"),
            ([hard("leak", "../../outside/secret")], "a name that is not possible"),
            ([hard("leak", "/etc/passwd")], "which is no file"),
            ([file("a"), file("a/b")], "which is no folder"),
            ([link("loop", "loop"), file("loop/x")], "which is no folder"),
            ([link("up", "../../outside"), file("up/../../outside/new")], "a name that is not possible"),
            ([folder("d"), hard("e", "d")], "which is no file"),
        ]
        for entries, words in cases:
            oci(self.archive, tar_of(entries))
            with self.subTest(words=words, name=entries[-1]["name"][:40]):
                self.refused("invalid", words)
                self.assertEqual(os.listdir(outside), ["secret"])
        # A link leads where it would lead for a program inside, and its own layer may replace it.
        for to in (outside, "../../../../../../" + outside[1:], "/" + os.path.relpath(outside, "/")):
            oci(self.archive, tar_of([folder(outside[1:]), link("way", to), file("way/new", "n"), link("old", outside + "/secret"), file("old", "o"),
                                      file("way/.wh.secret"), hard("again", "old")]))
            self.made()
            self.assertEqual(self.text(outside[1:] + "/new"), "n")
            self.assertEqual((os.listdir(outside), self.text("again"), os.path.islink(self.path("old"))), (["secret"], "o", False))
        # Through a link of an earlier layer, too; a whiteout of it takes the link and not what it names.
        oci(self.archive, tar_of([link("way", outside), link("dev", "/proc/self/fd")]), tar_of([file(".wh.way"), file("way/.wh.secret"), file("dev/.wh..wh..opq"), file("ok")]))
        self.made()
        self.assertEqual((os.listdir(outside), self.names()), (["secret"], ["dev", "ok"]))

    def test_devices_and_attributes_stay_out(self):
        trusted = {"SCHILY.xattr.trusted.overlay.opaque": "y", "SCHILY.xattr.security.capability": "x", "SCHILY.acl.access": "user::rwx"}
        oci(self.archive, tar_of([{"name": "dev/mem", "type": tarfile.CHRTYPE, "dev": (1, 1)}, {"name": "dev/sda", "type": tarfile.BLKTYPE, "dev": (8, 0)},
                                  {"name": "pipe", "type": tarfile.FIFOTYPE}, folder("d", pax=trusted), file("f", "x", pax=trusted)]))
        said = self.made()
        self.assertEqual((said["left_out"], self.names()), (3, ["d", "f"]))
        self.assertEqual((os.listxattr(self.path("d")), os.listxattr(self.path("f"))), ([], []))

    def test_ceilings_hold(self):
        oci(self.archive, tar_of([file("f%d" % i) for i in range(30)]))
        self.refused("limit", "more than 20 entries", entries=20)
        bomb = tar_of([file("big", "\0" * (40 * MIB))])
        oci(self.archive, bomb, how="gzip")
        self.assertLess(os.path.getsize(self.archive), MIB)
        begun = time.monotonic()
        self.refused("limit", "MB when it is unpacked", megabytes=8)
        self.assertLess(sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(self.target) for f in fs), 9 * MIB)
        self.assertLess(time.monotonic() - begun, 60)
        # What no entry tells: zeros behind the archive's end.
        tar = tar_of([file("small")]) + bytes(60 * MIB)
        oci(self.archive, tar, how="gzip")
        self.refused("limit", "MB when it is unpacked", megabytes=8, entries=10)
        oci(self.archive, *[tar_of([file("f%d" % i)]) for i in range(129)])
        self.refused("limit", "more than 128 layers")

    def test_what_is_named_often_counts_each_time(self):
        # One member as a layer, again and again: each is copied.
        tar = tar_of([file("big", "x" * (2 * MIB))])
        saved(self.archive, *[tar] * 20)
        self.assertLess(os.path.getsize(self.archive), 3 * MIB)
        self.refused("limit", "the image's layers take more than 16 MB", megabytes=16)
        self.made(megabytes=128)
        # One index in another: some kilobytes would be read a million times.
        layout, mine = Layout(), tar_of([file("mine")])
        other = layout.manifest([mine], config=config_of([mine], "m68k"), platform={"os": "linux", "architecture": "m68k"})
        inner = layout.index(other)
        layout.top = [layout.index(*[inner] * 100)]
        layout.write(self.archive)
        self.refused("limit", "index is too large or too deep")
        layout.top = [layout.index(*[inner] * 30, layout.manifest([mine], platform={"os": "linux", "architecture": ARCHITECTURE}))]
        layout.write(self.archive)
        self.made()

    def test_folders_that_a_name_makes_are_entries(self):
        oci(self.archive, tar_of([file("/".join("%d%s" % (i, c) for c in "abcdefghij") + "/f") for i in range(10)]))
        self.made(entries=110)
        self.refused("limit", "more than 60 entries", entries=60)

    def test_a_whiteout_is_not_cut_to_anothers_name(self):
        name = "/".join(["n" * 200] * 5)  # 1004 bytes
        low = tar_of([file(name + "/kept", "k")])
        oci(self.archive, low, tar_of([file(name + "/.wh." + "w" * 300)]))
        self.refused("invalid", "cannot be unpacked: nnnn")
        oci(self.archive, low, tar_of([file(name + "/.wh..wh..opq")]))
        self.made()
        oci(self.archive, low, tar_of([file("/".join(["n" * 200] * 5 + ["m" * 200]) + "/.wh..wh..opq")]))
        self.refused("invalid", "cannot be unpacked: nnnn")

    def test_a_file_that_claims_to_be_huge_takes_nothing(self):
        head = bytearray(tar_of([file("sparse", "x")])[:512])
        head[124:136] = b"77777777777\0"
        head[148:156] = b"        "
        head[148:156] = b"%06o\0 " % sum(head)
        oci(self.archive, bytes(head) + bytes(1024))
        self.refused("invalid", "cannot be unpacked")
        self.assertEqual(os.listdir(self.path("")), [])

    def test_a_program_that_is_missing_is_named(self):
        oci(self.archive, tar_of([file("a")]))
        os.mkdir(self.target)
        done = subprocess.run([TOOL, "oci", "/nonexistent/puesto-unpack", self.archive, self.target, "100000", "10", "5000"], capture_output=True, text=True, check=False)
        self.assertIn("/nonexistent/puesto-unpack", done.stderr)


if __name__ == "__main__":
    if os.geteuid() != 0 or not os.access(UNPACK, os.X_OK):
        print("SKIP: needs root, and libarchive-dev when it was built")
        sys.exit(77)
    unittest.main(verbosity=2)
