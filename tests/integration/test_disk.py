#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks of virtual machines beside QEMU's own tools: what we write they read, what they write we read.

Run alone: top_builddir=build python3 tests/integration/test_disk.py [TestClass[.test]]"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = os.path.abspath(os.environ.get("top_builddir", "build"))
TOOL = os.path.join(BUILD, "tests/integration/disk_tool")
MIB = 1 << 20


def run(*words, ok=True, **more):
    """A program to its end; its output. With ok=False it has to fail, and its last words are the result."""
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=120, **more)
    if (done.returncode == 0) != ok:
        raise AssertionError("%s: exit %d\n%s%s" % (" ".join(map(str, words)), done.returncode, done.stdout, done.stderr))
    return done.stdout if ok else done.stderr


def encrypted(path):
    """A disk with LUKS. qemu-img measures the processor first, and gives up where that has no time for it: then it is asked again."""
    words = "qemu-img create -q -f qcow2 --object secret,id=s,data=x -o encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=200".split()
    for _ in range(50):
        done = subprocess.run([*words, path, str(MIB)], capture_output=True, text=True, timeout=120)
        if "accurate CPU usage" not in done.stderr:
            break
    assert done.returncode == 0, done.stderr


def run_failing(*words):
    """A program that fails; the words that it said nevertheless."""
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=120)
    assert done.returncode != 0, done.stdout
    return done.stdout.split()


def content(path):
    with open(path, "rb") as f:
        return f.read()


def tool(*words, ok=True):
    return run(TOOL, *words, ok=ok)


def info(path, *more):
    return json.loads(run("qemu-img", "info", "--output=json", "-f", "qcow2", *more, path))


class Disk(unittest.TestCase):
    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp(prefix="puesto-disk-"))
        os.chmod(self.folder, 0o711)  # as a datastore is: over NFS nobody reads where he may not go
        self.addCleanup(shutil.rmtree, self.folder)

    def at(self, name):
        return os.path.join(self.folder, name)

    def raw(self, name, size, *writes):
        """A raw file with text at some offsets."""
        with open(self.at(name), "wb") as f:
            f.truncate(size)
            for offset, text in writes:
                f.seek(offset)
                f.write(text)
        return self.at(name)

    def io(self, path, *commands):
        run("qemu-io", "-f", "qcow2", *[w for c in commands for w in ("-c", c)], path)

    def check(self, path):
        answer = json.loads(run("qemu-img", "check", "-f", "qcow2", "--output=json", path))
        self.assertEqual((answer.get("leaks", 0), answer.get("corruptions", 0), answer["check-errors"]), (0, 0, 0))


class Overlay(Disk):
    """Ours against qemu-img's own, and under writes."""

    SIZES = (512, MIB - 512, 512 * MIB, 512 * MIB + 512, 20 << 30, (4 << 40) + 512)

    def test_is_the_same_disk_as_one_made_by_qemu_img(self):
        for size in self.SIZES:
            with self.subTest(size=size):
                base = self.raw("base", min(size, 64 * MIB), (0, b"begin"))
                ours, theirs = self.at("ours"), self.at("theirs")
                tool("overlay", base, "raw", size, ours)
                run("qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", theirs, size)
                self.check(ours)
                self.assertEqual(run("qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", ours, theirs).strip(),
                                 "Images are identical.")
                for key in ("virtual-size", "backing-filename", "backing-filename-format", "cluster-size"):
                    self.assertEqual(info(ours)[key], info(theirs)[key], key)
                self.assertLessEqual(info(ours)["actual-size"], info(theirs)["actual-size"])
                os.remove(ours), os.remove(theirs)

    def test_takes_writes_that_the_backing_file_never_sees(self):
        base = self.raw("base", 64 * MIB, (0, b"golden"), (40 * MIB, b"golden"))
        before = content(base)
        ours, theirs = self.at("ours"), self.at("theirs")
        tool("overlay", base, "raw", 64 * MIB, ours)
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", "raw", theirs)
        for path in ours, theirs:
            self.io(path, "write -P 7 0 70k", "write -z 40M 1M", "write -P 9 63M 1M", "discard 0 64k", "flush")
            self.check(path)
        self.assertIn("identical", run("qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", ours, theirs))
        self.assertEqual(content(base), before)

    def test_grows_and_keeps_bitmaps_and_snapshots(self):
        base, ours = self.raw("base", MIB, (0, b"golden")), self.at("ours")
        tool("overlay", base, "raw", 0, ours)
        run("qemu-img", "resize", "-q", "-f", "qcow2", ours, "6T")
        run("qemu-img", "bitmap", "--add", "-f", "qcow2", ours, "daily")
        self.check(ours)
        run("qemu-img", "bitmap", "--remove", "-f", "qcow2", ours, "daily")
        run("qemu-img", "snapshot", "-c", "first", ours)
        self.io(ours, "write -P 3 5T 64k")
        run("qemu-img", "snapshot", "-a", "first", ours)
        self.check(ours)
        self.assertIn("snapshots=1", tool("chain", ours, "qcow2", self.folder))

    def test_a_batch_is_whole_after_its_maker_was_killed_anywhere(self):
        """SIGKILL at the n-th call of each kind: a name stands for a whole overlay, and a second try makes the rest."""
        base = self.raw("base", 64 * MIB, (0, b"golden"))
        calls = (("pwrite64", 3), ("ftruncate", 1), ("fchown", 4), ("fsync", 1), ("renameat2", 1), ("renameat2", 3))
        for call, when in calls:
            with self.subTest(call=call, when=when):
                names = [self.at("%s-%d-%d" % (call, when, i)) for i in range(4)]
                killed = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                                         "inject=%s:signal=KILL:when=%d" % (call, when), TOOL, "overlay", base, "raw",
                                         "0", *names], capture_output=True, timeout=60)
                self.assertNotEqual(killed.returncode, 0)
                for name in filter(os.path.exists, names):
                    self.check(name)
                    self.assertEqual(info(name)["virtual-size"], 64 * MIB)
                missing = [n for n in names if not os.path.exists(n)]
                if missing:
                    tool("overlay", base, "raw", 0, *missing)
                for name in names:
                    self.check(name)


class Full(Disk):
    """A datastore without space, on a small file system of its own."""

    def setUp(self):
        super().setUp()
        self.store = self.at("store")
        os.mkdir(self.store)
        run("mount", "-t", "tmpfs", "-o", "size=512k,mode=755", "puesto-test", self.store)
        self.addCleanup(run, "umount", self.store)

    def test_what_fits_is_made_and_the_rest_leaves_nothing(self):
        base = self.raw("base", MIB)
        names = [os.path.join(self.store, "%d.qcow2" % i) for i in range(100)]
        words = run_failing(TOOL, "overlay", base, "raw", 0, *names)
        made = [n for n in names if os.path.exists(n)]
        self.assertEqual(words.count("ok") + words.count("no_space"), 100, words)
        self.assertEqual([n for n, w in zip(names, words) if w == "ok"], made)
        self.assertTrue(0 < len(made) < 100)
        self.assertEqual(len(os.listdir(self.store)), len(made), "no temporary file")
        for name in made[:3] + made[-3:]:
            self.check(name)
        for name in made[: len(made) // 2]:
            os.remove(name)
        tool("overlay", base, "raw", 0, names[0])

    def test_an_import_into_it_leaves_nothing(self):
        source = self.raw("source", 4 * MIB, (0, os.urandom(2 * MIB)))
        said = tool("import", source, "raw", os.path.join(self.store, "new"), 64 * MIB, 64 * MIB, 60000, ok=False)
        self.assertIn("no_space: ", said)
        self.assertEqual(os.listdir(self.store), [])


class Nfs(Disk):
    """Without what such a file system cannot do: rename without replacing, and immutable files."""

    LACKS = ("renameat2:error=EINVAL", "ioctl:error=ENOTTY")

    def tool(self, *words, ok=True):
        inject = [w for lack in self.LACKS for w in ("-e", "inject=" + lack)]
        # A tracer stands in the way of the leak sanitizer, which is one itself.
        return run("strace", "-f", "-qq", "-o", "/dev/null", *inject, TOOL, *words, ok=ok,
                   env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"})

    def test_all_is_made_and_nothing_replaced(self):
        base = self.raw("base", MIB)
        self.tool("overlay", base, "raw", 0, self.at("a.qcow2"), self.at("b.qcow2"))
        self.check(self.at("a.qcow2"))
        before = content(self.at("a.qcow2"))
        self.assertIn("conflict", self.tool("overlay", base, "raw", 0, self.at("a.qcow2"), ok=False))
        self.assertEqual(content(self.at("a.qcow2")), before)
        self.assertEqual(sorted(os.listdir(self.folder)), ["a.qcow2", "b.qcow2", "base"])

    def test_versions_come_and_go(self):
        for version in "1", "2":
            run("qemu-img", "create", "-q", "-f", "qcow2", self.at("source"), MIB)
            self.tool("publish", self.folder, "debian", version, self.at("source"))
            self.tool("verify", self.folder, "debian", version)
        run("qemu-img", "create", "-q", "-f", "qcow2", self.at("source"), MIB)
        self.assertIn("conflict", self.tool("publish", self.folder, "debian", "1", self.at("source"), ok=False))
        self.assertEqual(self.tool("remove", self.folder, "debian", "1"), "1\n")
        self.assertEqual(os.listdir(self.at("images/debian")), ["2"])


class Chain(Disk):
    """What qemu-img writes is read by us."""

    def test_versions_features_and_chains_are_read(self):
        base = self.raw("base", MIB)
        for options in ("compat=0.10", "compat=1.1", "lazy_refcounts=on", "extended_l2=on,cluster_size=128k",
                        "cluster_size=512", "cluster_size=2M", "refcount_bits=64", "compression_type=zstd"):
            with self.subTest(options=options):
                path = self.at("x")
                run("qemu-img", "create", "-q", "-f", "qcow2", "-o", options, "-b", "base", "-F", "raw", path, 3 * MIB)
                lines = tool("chain", path, "qcow2", self.folder).splitlines()
                self.assertEqual(lines, ["0 %s qcow2 %d encrypted=0 data=0 snapshots=0" % (path, 3 * MIB),
                                         "1 %s raw %d encrypted=0 data=0 snapshots=0" % (base, MIB)])

    def test_encryption_and_foreign_data_are_told(self):
        path = self.at("x")
        encrypted(path)
        self.assertIn("encrypted=1", tool("chain", path, "qcow2", self.folder))
        run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file=%s" % self.at("d"), path, MIB)
        self.assertIn("data=1", tool("chain", path, "qcow2", self.folder))

    def test_a_raw_disk_that_looks_like_qcow2_stays_raw(self):
        secret = self.raw("secret", MIB, (0, b"password"))
        guest = self.at("guest")
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", secret, "-F", "raw", guest)
        lines = tool("chain", guest, "raw", self.folder).splitlines()
        self.assertEqual(len(lines), 1, "the header that the guest wrote is not followed")
        os.mkdir(self.at("in"))
        os.rename(guest, self.at("in/guest"))
        self.assertIn("denied", tool("chain", self.at("in/guest"), "qcow2", self.at("in"), ok=False))


class Import(Disk):
    """Disks from elsewhere, honest ones and the others."""

    CEILINGS = (64 * MIB, 256 * MIB, 60000)

    def setUp(self):
        super().setUp()
        self.plain = self.raw("plain", 20 * MIB + 512, (0, os.urandom(3 * MIB)), (19 * MIB, b"end"))

    def bring(self, source, form, *ceilings, ok=True):
        return tool("import", source, form, self.at("new"), *(ceilings or self.CEILINGS), ok=ok)

    def test_each_format_becomes_the_same_disk(self):
        for form, options in (("raw", []), ("qcow2", []), ("qcow2", ["-c"]), ("qcow2", ["-o", "compat=0.10"]),
                              ("vmdk", []), ("vmdk", ["-o", "subformat=streamOptimized"]), ("vhdx", [])):
            with self.subTest(form=form, options=options):
                source = self.at("source")
                run("qemu-img", "convert", "-f", "raw", "-O", form, *options, self.plain, source)
                self.assertEqual(tool("probe", source).strip(), form)
                said = self.bring(source, form).splitlines()
                self.assertIn("progress 10000", said)
                self.assertIn("Images are identical.", run("qemu-img", "compare", "-f", form, "-F", "qcow2", source,
                                                           self.at("new")))
                self.check(self.at("new"))
                status = os.stat(self.at("new"))
                self.assertEqual((status.st_uid, status.st_mode & 0o7777), (0, 0o600))
                self.assertEqual(info(self.at("new"))["format-specific"]["data"]["compat"], "1.1")
                self.assertEqual(sorted(os.listdir(self.folder)), ["new", "plain", "source"])
                os.remove(self.at("new")), os.remove(source)

    def refused(self, words, source, form, *ceilings):
        before = sorted(os.listdir(self.folder))
        said = self.bring(source, form, *ceilings, ok=False)
        self.assertIn(words, said)
        self.assertEqual(sorted(os.listdir(self.folder)), before, "nothing is left")

    def test_disks_that_need_other_files_are_refused(self):
        source = self.at("source")
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", source)
        self.refused("denied: the disk has a backing file", source, "qcow2")
        run("qemu-img", "create", "-q", "-f", "qcow2", "-o", "data_file=" + self.at("data"), source, MIB)
        self.refused("denied: the disk has its data in another file", source, "qcow2")
        encrypted(source)
        self.refused("denied: the disk is encrypted", source, "qcow2")

    def test_a_vmdk_that_points_elsewhere_reads_nothing_there(self):
        source = self.at("source")
        for extent in ('RW 4 FLAT "/etc/passwd" 0', 'RW 40960 FLAT "plain" 0', 'RW 4 SPARSE "/etc/passwd"'):
            with open(source, "w") as f:
                f.write('# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\n'
                        'createType="monolithicFlat"\n\n%s\n' % extent)
            self.refused("Permission denied", source, "vmdk")
        run("qemu-img", "create", "-q", "-f", "vmdk", source, MIB)
        run("qemu-img", "create", "-q", "-f", "vmdk", "-b", source, "-F", "vmdk", self.at("child"))
        self.refused("denied: the disk has a backing file", self.at("child"), "vmdk")

    def test_ceilings_hold(self):
        source = self.at("source")
        run("qemu-img", "create", "-q", "-f", "qcow2", source, "1T")
        self.refused("limit: the disk has 1099511627776 bytes", source, "qcow2")
        run("qemu-img", "create", "-q", "-f", "vhdx", source, "1T")
        self.refused("limit: the disk has 1099511627776 bytes", source, "vhdx")
        self.refused("limit: the imported disk takes more", self.plain, "raw", 64 * MIB, MIB, 60000)
        self.refused("timeout: ", self.plain, "raw", 64 * MIB, 256 * MIB, 1)

    def test_what_is_not_told_is_not_guessed(self):
        source = self.at("source")
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", "/etc/passwd", "-F", "raw", source)
        self.bring(source, "raw")
        self.assertEqual(info(self.at("new"))["virtual-size"], -(-os.path.getsize(source) // 512) * 512, "a guest's own bytes")
        os.remove(self.at("new"))
        for form in ("vmdk", "vhdx"):
            self.refused("", self.plain, form)
        self.raw("junk", MIB, (0, b"KDMV" + bytes(range(256)) * 8))
        self.refused("", self.at("junk"), "vmdk")
        self.raw("junk", MIB, (0, b"vhdxfile" + bytes(range(256)) * 8))
        self.refused("", self.at("junk"), "vhdx")

    def test_an_overlay_of_ours_becomes_a_whole_disk(self):
        """A capture, or a full clone: what it stands on is read, too, as long as it lies where it should."""
        os.mkdir(self.at("store"))
        golden = self.at("store/golden")
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", self.plain, golden)
        overlays = [self.at("store/%d.qcow2" % i) for i in range(3)]
        for below, path in zip([golden] + overlays, overlays):
            tool("overlay", below, "qcow2", 0, path)
            self.io(path, "write -P 7 %dM 64k" % (5 + overlays.index(path)))
        self.refused("denied: the disk has a backing file", overlays[2], "qcow2")
        self.bring(overlays[2], "qcow2", *self.CEILINGS, self.at("store"))
        self.assertNotIn("backing-filename", info(self.at("new")))
        self.assertIn("identical", run("qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", overlays[2], self.at("new")))
        self.check(self.at("new"))
        os.remove(self.at("new"))
        outside = self.at("store/outside.qcow2")
        run("qemu-img", "create", "-q", "-f", "qcow2", "-b", self.plain, "-F", "raw", outside)
        self.refused("denied: ", outside, "qcow2", *self.CEILINGS, self.at("store"))

    def test_an_existing_target_stays(self):
        self.raw("new", 3)
        self.refused("conflict: ", self.plain, "raw")
        self.assertEqual(os.path.getsize(self.at("new")), 3)


class Version(Disk):
    """A golden image in the hands of QEMU's tools."""

    def setUp(self):
        super().setUp()
        self.addCleanup(subprocess.run, ["chattr", "-R", "-i", self.folder], stderr=subprocess.DEVNULL)
        plain = self.raw("plain", 8 * MIB, (0, os.urandom(MIB)))
        run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", plain, self.at("source"))

    def publish(self):
        return tool("publish", self.folder, "debian", "1", self.at("source")).split()

    def test_no_clone_can_be_committed_into_it(self):
        digest, golden = self.publish()
        self.assertEqual(run("sha256sum", golden).split()[0], digest)
        clone = self.at("desktops/clone.qcow2")
        tool("overlay", golden, "qcow2", 0, clone)
        self.io(clone, "write -P 7 0 1M")
        self.check(clone)
        # Where there is no immutable flag, owner and mode keep others from it, and root from nothing.
        for words in [] if "PUESTO_TEST_NO_FLAG" in os.environ else (["qemu-img", "commit", "-q", "-f", "qcow2", clone], ["qemu-io", "-f", "qcow2", "-c", "write 0 1M", golden],
                      ["qemu-img", "resize", "-f", "qcow2", golden, "16M"], ["qemu-img", "snapshot", "-c", "s", golden]):
            run(*words, ok=False)
        tool("verify", self.folder, "debian", "1")
        self.assertIn("busy: 1 disks stand on it", tool("remove", self.folder, "debian", "1", ok=False))
        os.remove(clone)
        self.assertEqual(tool("remove", self.folder, "debian", "1"), "1\n")
        self.assertFalse(os.path.exists(golden))

    def test_a_publication_killed_anywhere_is_whole_or_not_there(self):
        calls = (("mkdirat", 1), ("renameat2", 1), ("fchmod", 1), ("fsync", 1), ("rename", 1), ("renameat2", 2))
        for call, when in calls:
            with self.subTest(call=call, when=when):
                source = self.at("copy")
                shutil.copy(self.at("source"), source)
                killed = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e",
                                         "inject=%s:signal=KILL:when=%d" % (call, when), TOOL, "publish", self.folder,
                                         "debian", "1", source], capture_output=True, timeout=60)
                self.assertNotEqual(killed.returncode, 0)
                self.assertFalse(os.path.exists(self.at("images/debian/1")))
                tool("sweep", self.folder)
                self.assertEqual(os.listdir(self.at("images/debian")), [])
                self.assertEqual(os.listdir(self.at("recycle")), [])
        self.publish()
        tool("verify", self.folder, "debian", "1")


class Personal(Disk):
    """Disks that grow, and users' own."""

    def setUp(self):
        super().setUp()
        self.golden = self.raw("golden", 8 * MIB, (0, b"golden"))
        os.mkdir(self.at("d"))
        self.disk = self.at("d/disk.qcow2")
        tool("overlay", self.golden, "raw", 0, self.disk)
        os.chown(self.disk, 64055, 108)

    def pattern(self, path, value, size="64k"):
        self.io(path, "read -P %d 0 %s" % (value, size))

    def test_a_disk_grows_with_what_is_in_it(self):
        self.io(self.disk, "write -P 7 0 64k")
        tool("grow", self.disk, self.folder, 6 << 40)
        self.check(self.disk)
        self.assertEqual(info(self.disk)["virtual-size"], 6 << 40)
        self.pattern(self.disk, 7)
        self.io(self.disk, "read -P 0 8M 1M", "write -P 9 5T 64k")
        status = os.stat(self.disk)
        self.assertEqual((status.st_uid, status.st_gid, status.st_mode & 0o7777), (64055, 108, 0o600))
        self.assertIn("invalid", tool("grow", self.disk, self.folder, MIB, ok=False))

    def test_a_disk_in_use_is_not_touched(self):
        with subprocess.Popen(["qemu-storage-daemon", "--blockdev", "file,node-name=f,filename=" + self.disk,
                               "--blockdev", "qcow2,node-name=q,file=f", "--chardev", "stdio,id=c", "--monitor",
                               "chardev=c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as user:
            try:
                user.stdout.readline()  # its greeting: the disk is open
                self.assertIn("busy", tool("grow", self.disk, self.folder, 16 * MIB, ok=False))
            finally:
                user.kill()
        tool("grow", self.disk, self.folder, 16 * MIB)

    def test_a_personal_disk_is_an_empty_disk(self):
        os.mkdir(self.at("personal"))
        path, serial = tool("personal", self.folder, "ana", "data", 40 << 30).split()
        self.assertEqual(len(serial), 20)
        self.check(path)
        run("qemu-img", "create", "-q", "-f", "qcow2", self.at("theirs"), 40 << 30)
        self.assertIn("identical", run("qemu-img", "compare", "-f", "qcow2", "-F", "qcow2", path, self.at("theirs")))
        tool("grow", path, self.folder, 80 << 30)
        self.check(path)
        self.assertEqual(info(path)["virtual-size"], 80 << 30)


if __name__ == "__main__":
    for program in ("qemu-img", "qemu-io", "strace"):
        if not shutil.which(program):
            sys.exit("%s is missing; deploy/packages/test names what the tests need" % program)
    unittest.main(verbosity=1)
