#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Datastores and versions of images, from the API through the broker and the provisioner to qemu-img and back. Needs root.

Covers: broker/api/datastores.c broker/api/image_files.c broker/control/storage.c broker/cli/storage.c
Two datastores are small file systems of their own, in a mount namespace that goes with the test.
Run alone: top_builddir=build python3 tests/integration/test_storage.py [name]"""
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback

from broker_harness import BUILD, SETUP, Broker, Link, eventually, log_in
from engine_harness import terminate

PROVISIONER = BUILD + "/broker/hypervisor/puesto-provisioner"
MIB = 1 << 20
SLOW = 60


class World:
    def __init__(self, **setup):
        self.broker = Broker({**SETUP, "providers": [{"name": "boxes"}], "pools": [dict(SETUP["pools"][0], provider="boxes", min=0)], **setup},
                             "[limits]\nfree_failures_per_address = 10000\n")
        self.dir = self.broker.dir
        self.stores = {name: os.path.join(self.dir, name) for name in ("fast", "slow")}
        for name, path in self.stores.items():
            os.mkdir(path)
            if "PUESTO_TEST_STORES" in os.environ: # as test_nested_storage.py has them
                there = os.path.join(os.environ["PUESTO_TEST_STORES"], name)
                os.makedirs(there, exist_ok=True)
                subprocess.run(["mount", "--bind", there, path], check=True)
                continue
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dm,mode=711" % (256 if name == "fast" else 24), name, path], check=True)
        self.conf, self.log = self.dir + "/provisioner.conf", open(self.dir + "/provisioner.log", "ab")
        with open(self.conf, "w") as f:
            f.write("[provisioner]\ndata = %s\nlibexec = %s\n[provider-boxes]\nkind = fake\n" % (self.dir, self.dir))
            for store in self.stores.items():
                f.write("[datastore-%s]\npath = %s\nwarning = 50\ncritical = 80\nkeep_free_mb = 4\n" % store)
        self.process = self.gate = None
        self.numbers = iter(range(1, 1000))

    def begin(self):
        self.gate = Link(self.dir + "/run/gateway.sock")
        self.gate.call("hello", gateway="g", sessions=[], timeout=10)
        self.admin = log_in(self.gate, "admin")
        self.start()
        eventually(lambda: self.admin.call("GET", "datastores/slow")[0] == 200, 20)

    def start(self):
        """As a service manager does: a child of the one that was killed may have its lock a moment longer."""
        def look():
            if not self.process or self.process.poll() is not None:
                self.process = subprocess.Popen([PROVISIONER, "--config", self.conf], stdout=self.log, stderr=self.log)
            return self.admin.get("status")["provisioner"]["connected"]
        eventually(look, 20)

    def kill(self):
        self.process.kill()
        self.process.wait()
        eventually(lambda: not self.admin.get("status")["provisioner"]["connected"], 20)

    def store(self, name):
        return self.admin.get("datastores/" + name)

    def look(self, name):
        """Its state, after a look of now."""
        self.admin.want(200, "PATCH", "datastores/" + name, {})
        return self.store(name)["state"]

    def path(self, *parts):
        return os.path.join(self.stores[parts[0]], *parts[1:])

    def image(self):
        return self.admin.get("images/demo")

    def version(self, name):
        found = [v for v in self.image()["versions"] if v["version"] == name]
        return found[0] if found else None

    def state(self, name):
        v = self.version(name)
        return v and v["state"]

    def upload(self, name, megabytes=8, form="raw", store="fast"):
        """A disk of random bytes in the datastore's incoming/; returns their digest, as a raw disk."""
        raw = os.path.join(self.dir, "raw")
        with open(raw, "wb") as f:
            for _ in range(megabytes):
                f.write(os.urandom(MIB))
        target = self.path(store, "incoming", name)
        subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", form, raw, target], check=True)
        with open(raw, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()

    def ask(self, source, want=201, version=None, **fields):
        version = version or "v%d" % next(self.numbers)
        self.admin.want(want, "POST", "images/demo/versions", {"version": version, source: fields})
        return version

    def make(self, source, **fields):
        """The version, when it is no longer being built."""
        version = self.ask(source, **fields)
        eventually(lambda: self.state(version) in ("ready", "failed"), SLOW)
        return self.version(version)

    def events(self, kind):
        return [e for e in self.admin.get("events?limit=200")["items"] if e["kind"] == kind]

    def names(self, store="fast"):
        """What lies in its images/, temporary names too."""
        top = self.path(store, "images")
        return sorted(os.path.relpath(os.path.join(d, f), top) for d, _, files in os.walk(top) for f in files)

    def tell(self):
        for path in (self.dir + "/log", self.dir + "/provisioner.log"):
            with open(path, errors="replace") as f:
                print("--- %s\n%s" % (path, f.read()[-3000:]), file=sys.stderr)

    def end(self):
        if self.gate:
            self.gate.close()
        terminate(self.process)
        self.log.close()
        for path in self.stores.values():
            subprocess.run("chattr -R -i %s 2>/dev/null; umount -l %s" % (path, path), shell=True, check=False)
        self.broker.close()


def test_what_there_is_is_told(world):
    fast = world.store("fast")
    assert fast["online"] and fast["kind"] == "directory" and fast["total"] == 256 * MIB and fast["path"] == world.stores["fast"], fast
    assert "left" in fast["reason"]["en"] and "quedan" in fast["reason"]["es"], fast
    assert [d["name"] for d in world.admin.get("datastores")["items"]] == ["fast", "slow"]


def test_a_datastore_that_fills_up_is_told_of_once(world):
    filler = world.path("slow", "filler")
    for megabytes, state in ((14, "warning"), (7, "full")):
        with open(filler, "ab") as f:
            f.write(bytes(megabytes * MIB))
        eventually(lambda w=state: world.look("slow") == w, 20)
    eventually(lambda: world.look("slow") and "87 % full" in world.store("slow")["reason"]["en"], 20)  # it may have looked amid the writing
    slow = world.store("slow")
    assert slow["reason"]["code"] == "datastore_full", slow
    problems = [p for p in world.admin.get("status")["problems"] if p["kind"] == "datastore"]
    assert [(p["name"], p["severity"]) for p in problems] == [("slow", "error")], problems
    os.unlink(filler)
    eventually(lambda: world.look("slow") == "ready", 20)
    kinds = [e["kind"] for e in reversed(world.admin.get("events?limit=200")["items"]) if e["kind"].startswith("datastore.") and e["kind"] != "datastore.changed"]
    assert kinds == ["datastore.warning", "datastore.critical", "datastore.calm"], kinds


def test_an_administrator_sets_maintenance_and_limits(world):
    slow = world.admin.want(200, "PATCH", "datastores/slow", {"maintenance": True, "warning": 10, "critical": 20})
    eventually(lambda: world.store("slow")["state"] == "maintenance" and world.store("slow")["warning"] == 10, 20)
    r = world.admin.call("PATCH", "datastores/slow", {"warning": 30, "critical": 20})
    assert r[0] == 422 and r[1]["field"] == "warning", r
    # Who was away is told again.
    world.kill()
    eventually(lambda: world.store("slow")["state"] == "unknown", 20)
    world.start()
    eventually(lambda: world.store("slow")["state"] == "maintenance" and world.store("slow")["critical"] == 20, 20)
    r = world.make("import", datastore="slow", file="none")
    assert r["state"] == "failed" and "none" in r["job"]["error"], r
    world.upload("small.img", 1, store="slow")
    r = world.make("import", datastore="slow", file="small.img", format="raw")
    assert r["state"] == "failed" and "slow is under maintenance" in r["job"]["error"], r
    world.admin.want(200, "PATCH", "datastores/slow", {"maintenance": False, "warning": 0, "critical": 0})
    eventually(lambda: world.look("slow") == "ready", 20)
    assert slow["rev"] < world.store("slow")["rev"]


def test_an_unmounted_datastore_is_offline(world):
    path = world.stores["slow"]
    subprocess.run(["umount", path], check=True)
    eventually(lambda: world.look("slow") == "offline", 20)
    assert "mounted" in world.store("slow")["reason"]["en"], world.store("slow")
    assert os.listdir(path) == [], "nothing is written into the folder below"
    assert world.events("datastore.offline")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=711", "slow", path], check=True)
    eventually(lambda: "was made anew" in world.store("slow")["reason"]["en"], 20)
    os.unlink(os.path.join(world.dir, "datastores/slow"))
    eventually(lambda: world.look("slow") == "ready", 20)


def digest_of(version):
    """Of the disk's bytes: into a file, because a pipe gets nothing of them in some places, without an error."""
    raw = os.path.join(os.environ.get("TMPDIR", "/tmp"), "puesto-storage-%d.raw" % os.getpid())
    subprocess.run(["qemu-img", "convert", "-f", "qcow2", "-O", "raw", version["base"], raw], check=True)
    with open(raw, "rb") as f:
        data = f.read()
    os.unlink(raw)
    return hashlib.sha256(data).hexdigest()


def test_disks_of_each_format_become_versions(world):
    for form, told in (("raw", True), ("qcow2", True), ("vmdk", False), ("vhdx", False)):
        digest = world.upload("disk." + form, 4, form)
        v = world.make("import", datastore="fast", file="disk." + form, **({"format": form} if told else {}))
        assert v["state"] == "ready", (form, v)
        assert v["files"]["size"] == 4 * MIB and v["files"]["datastore"] == "fast" and v["job"]["percent"] == 100, v
        assert v["base"] == world.path("fast", "images/demo", v["version"], "disk.qcow2") and v["path"] == os.path.dirname(v["base"])
        assert digest_of(v) == digest, form
        with open(os.path.join(v["path"], "manifest.json")) as f:
            assert json.load(f)["sha256"] == v["files"]["sha256"]
        assert os.stat(v["base"]).st_mode & 0o777 == 0o444
        os.unlink(world.path("fast", "incoming", "disk." + form))
    assert len(world.events("image.version_ready")) == 4
    world.admin.want(200, "POST", "images/demo/publish", {"version": v["version"]})
    world.admin.want(200, "POST", "images/demo/publish", {"version": "1"})


def test_what_is_no_disk_is_refused_with_its_reason(world):
    for name, data, words in (("page.html", b"<html>" * 200, "a"), ("vm.ova", b"vm.ovf" + b"\0" * 251 + b"ustar\x0000" + b"\0" * 4096, ""),
                              ("x.qcow2", b"QFI\xfb" + b"\xff" * 2000, "")):
        with open(world.path("fast", "incoming", name), "wb") as f:
            f.write(data)
        v = world.make("import", datastore="fast", file=name, **({"format": "qcow2"} if name != "vm.ova" else {}))
        assert v["state"] == "failed" and v["job"]["error"] and words in v["job"]["error"], v
        os.unlink(world.path("fast", "incoming", name))
    overlay = world.path("fast", "incoming", "overlay.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", "/etc/passwd", overlay, "1M"], check=True)
    v = world.make("import", datastore="fast", file="overlay.qcow2", format="qcow2")
    assert v["state"] == "failed" and "backing file" in v["job"]["error"], v
    os.unlink(overlay)
    os.symlink("/etc/passwd", world.path("fast", "incoming", "link"))
    v = world.make("import", datastore="fast", file="link", format="raw")
    assert v["state"] == "failed" and "regular file" in v["job"]["error"], v
    os.unlink(world.path("fast", "incoming", "link"))
    for bad in ("../datastore.id", "/etc/passwd", ".hidden", "-rf"):
        status, problem, _ = world.admin.call("POST", "images/demo/versions", {"version": "x", "import": {"datastore": "fast", "file": bad}})
        assert status == 422 and problem["field"] == "import.file", problem
    assert not [n for n in world.names() if n.split("/")[-1].startswith(".")], world.names()
    # A failed one is a row only; its name is free again.
    failed = [v["version"] for v in world.image()["versions"] if v["state"] == "failed"]
    for version in failed:
        world.admin.want(204, "DELETE", "images/demo/versions/" + version)
        assert world.version(version) is None


def slow_file(world, name="large.img", megabytes=30):
    """Takes a second or two to convert."""
    world.upload(name, megabytes, "qcow2")
    return dict(datastore="fast", file=name, format="qcow2")


def test_progress_is_told_and_a_job_can_be_cancelled(world):
    fields, seen = slow_file(world), []
    version = world.ask("import", **fields)

    def look():
        v = world.version(version)
        seen.append((v["job"]["step"], v["job"]["percent"]))
        return v["state"] in ("ready", "failed")
    eventually(look, SLOW)
    assert world.state(version) == "ready", world.version(version)
    steps, percents = [s for s, _ in seen], [p for _, p in seen]
    assert percents == sorted(percents) and set(steps) <= {"waiting", "converting", "digesting", "done"}, seen
    # Held up, so that the cancel comes in the middle.
    version = world.ask("import", **fields)
    eventually(lambda: world.version(version)["job"]["step"] in ("converting", "digesting", "done"), SLOW)
    world.admin.call("POST", "images/demo/versions/%s/cancel" % version, {})
    eventually(lambda: world.state(version) in ("failed", "ready"), SLOW)
    v = world.version(version)
    assert v["state"] == "ready" or ("cancelled" in v["job"]["error"] and not os.path.exists(world.path("fast", "images/demo", version))), v
    assert not [n for n in world.names() if n.split("/")[-1].startswith(".")], world.names()
    os.unlink(world.path("fast", "incoming", fields["file"]))
    remove(world, *[v["version"] for v in world.image()["versions"] if v["version"] != "1"])


def remove(world, *versions):
    for version in versions:
        status, answer, _ = world.admin.call("DELETE", "images/demo/versions/" + version)
        assert status in (202, 204), answer  # with files, or a row only
        eventually(lambda w=version: world.version(w) is None, SLOW)


def test_a_version_lies_on_several_datastores(world):
    """Copied with its digest checked, taken away again, and not copied when its bytes are not what they were."""
    digest = world.upload("small.img", 6, "qcow2")
    v = world.make("import", datastore="fast", file="small.img", format="qcow2")
    version, where = v["version"], "images/demo/versions/%s/copies" % v["version"]
    os.unlink(world.path("fast", "incoming", "small.img"))
    world.admin.want(422, "POST", where, {"datastore": "none"})
    world.admin.want(409, "POST", where, {"datastore": "fast"})
    world.admin.want(404, "DELETE", where + "/slow")
    world.admin.want(202, "POST", where, {"datastore": "slow"})
    eventually(lambda: world.version(version)["job"]["state"] != "running", SLOW)
    v = world.version(version)
    assert v["state"] == "ready" and v["files"]["copies"] == ["slow"] and v["job"]["kind"] == "copy" and v["job"]["state"] == "done", v
    there = world.path("slow", "images/demo", version)
    manifest = json.load(open(there + "/manifest.json"))
    assert manifest["sha256"] == v["files"]["sha256"] and digest_of(dict(v, base=there + "/disk.qcow2")) == digest, manifest
    assert os.stat(there + "/disk.qcow2").st_mode & 0o777 == 0o444, "sealed"
    world.admin.want(409, "POST", where, {"datastore": "slow"})
    world.admin.want(202, "DELETE", where + "/slow")
    eventually(lambda: not world.version(version)["files"]["copies"], SLOW)
    assert world.state(version) == "ready" and not os.path.exists(there) and os.path.exists(v["base"])
    # Bytes that are not what they were are not spread.
    subprocess.run(["chattr", "-i", v["base"]], check=False, capture_output=True)
    with open(v["base"], "r+b") as f:
        f.seek(-512, os.SEEK_END)
        f.write(os.urandom(512))
    world.admin.want(202, "POST", where, {"datastore": "slow"})
    eventually(lambda: world.version(version)["job"]["state"] != "running", SLOW)
    v = world.version(version)
    assert v["state"] == "ready" and v["job"]["state"] == "failed" and "digest" in v["job"]["error"] and not v["files"]["copies"], v
    assert world.names("slow") == [], world.names("slow")
    # Killed in the middle, it is asked for again; and a version takes its copies with it.
    world.admin.want(202, "DELETE", "images/demo/versions/" + version)
    eventually(lambda: world.version(version) is None, SLOW)
    world.upload("small.img", 6, "qcow2")
    version = world.make("import", datastore="fast", file="small.img", format="qcow2")["version"]
    os.unlink(world.path("fast", "incoming", "small.img"))
    world.admin.want(202, "POST", "images/demo/versions/%s/copies" % version, {"datastore": "slow"})
    world.kill()
    world.start()
    eventually(lambda: world.version(version)["files"]["copies"] == ["slow"], SLOW)
    assert not [n for n in world.names("slow") if n.split("/")[-1].startswith(".")], world.names("slow")
    remove(world, version)
    assert world.names("slow") == [] and world.names() == [], (world.names("slow"), world.names())
    kinds = [e["kind"] for e in world.admin.get("events?limit=200")["items"]]
    assert kinds.count("image.version_copied") == 2 and kinds.count("image.copy_failed") == 1, kinds


def test_a_killed_provisioner_leaves_no_half_version(world):
    """At several moments; the job is asked for again and ends well, with the same bytes."""
    digest = None
    for delay in (0.02, 0.15, 0.4):
        digest = world.upload("large.img", 16, "qcow2")
        version = world.ask("import", datastore="fast", file="large.img", format="qcow2")
        time.sleep(delay)
        world.kill()
        assert world.state(version) in ("building", "ready"), world.version(version)
        world.start()
        eventually(lambda v=version: world.state(v) in ("ready", "failed"), SLOW)
        v = world.version(version)
        assert v["state"] == "ready" and digest_of(v) == digest, v
        assert not [n for n in world.names() if n.split("/")[-1].startswith(".")], world.names()
        remove(world, version)
    os.unlink(world.path("fast", "incoming", "large.img"))


def test_a_killed_broker_hears_of_the_end(world):
    digest = world.upload("large.img", 16, "qcow2")
    version = world.ask("import", datastore="fast", file="large.img", format="qcow2")
    world.broker.kill()
    world.gate.close()
    world.broker.start()
    world.gate = Link(world.dir + "/run/gateway.sock")
    world.gate.call("hello", gateway="g", sessions=[], timeout=10)
    world.admin = log_in(world.gate, "admin")
    eventually(lambda: world.state(version) in ("ready", "failed"), SLOW)
    assert world.state(version) == "ready" and digest_of(world.version(version)) == digest, world.version(version)
    remove(world, version)
    os.unlink(world.path("fast", "incoming", "large.img"))


def test_a_datastore_that_is_full_half_way_says_so(world):
    """There was room when it began; then somebody took it."""
    for item in world.admin.get("recycled")["items"]:
        world.admin.want(204, "DELETE", "recycled/%s/%s" % (item["datastore"], item["token"]))  # what others' tests have removed
    world.upload("eight.img", 8, "qcow2")
    shutil.move(world.path("fast", "incoming", "eight.img"), world.path("slow", "incoming", "eight.img"))
    with open(world.path("slow", "filler"), "wb") as f:
        f.write(bytes(10 * MIB))
    v = world.make("import", datastore="slow", file="eight.img", format="qcow2")
    os.unlink(world.path("slow", "filler"))
    assert v["state"] == "failed" and ("slow has no room" in v["job"]["error"] or "No space left" in v["job"]["error"] or
                                       "slow is full" in v["job"]["error"]), v
    assert world.names("slow") == []
    os.unlink(world.path("slow", "incoming", "eight.img"))
    eventually(lambda: world.look("slow") == "ready", 20)


def test_removed_versions_go_into_the_bin(world):
    world.upload("a.img", 2)
    v = world.make("import", datastore="fast", file="a.img", format="raw")
    assert v["state"] == "ready", v
    world.admin.want(200, "POST", "images/demo/publish", {"version": v["version"]})
    status, problem, _ = world.admin.call("DELETE", "images/demo/versions/" + v["version"])
    assert status == 409 and ("rolled out" in problem["detail"] or "published one" in problem["detail"]), problem
    status, problem, _ = world.admin.call("DELETE", "images/demo")
    assert status == 409, problem
    world.admin.want(200, "POST", "images/demo/publish", {"version": "1"})
    # An overlay that nobody knows of keeps it.
    overlay = world.path("fast", "desktops", "stray.qcow2")
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b", v["base"], overlay], check=True)
    eventually(lambda: world.admin.call("DELETE", "images/demo/versions/" + v["version"])[0] == 202, SLOW)  # what it was tried on is gone
    eventually(lambda: world.version(v["version"])["job"]["state"] == "failed", SLOW)
    now = world.version(v["version"])
    assert now["state"] == "retired" and "stray.qcow2" in now["job"]["error"], now
    os.unlink(overlay)
    remove(world, v["version"])
    assert not os.path.exists(v["base"])
    labels = [os.path.join(d, "label.json") for d, _, files in os.walk(world.path("fast", "recycle")) if "label.json" in files]
    assert labels and any(json.load(open(p))["path"] == v["path"] for p in labels)


def inside():
    """In a mount namespace of our own, so that no mount is left behind."""
    if "PUESTO_TEST_INSIDE" in os.environ:
        return
    os.environ["PUESTO_TEST_INSIDE"] = "yes"
    os.execvp("unshare", ["unshare", "-m", "--propagation", "private", sys.executable] + sys.argv)


def test_a_server_that_is_gone_is_waited_for(world):
    """Whoever asks is answered, the datastores are offline with the reason, what is asked of them fails in time; and they are back with the server."""
    v = world.make("import", datastore="fast", file=upload(world), format="qcow2")
    assert v["state"] == "ready", v
    subprocess.run(os.environ["PUESTO_TEST_SERVER_STOP"], shell=True, check=True)
    try:
        eventually(lambda: world.store("slow")["state"] == "offline" and world.store("fast")["state"] == "offline", SLOW)
        assert "does not answer" in world.store("slow")["reason"]["en"], world.store("slow")
        assert world.admin.get("status")["provisioner"]["connected"] and world.events("datastore.offline")
    finally:
        subprocess.run(os.environ["PUESTO_TEST_SERVER_START"], shell=True, check=True)
    eventually(lambda: world.store("slow")["state"] == "ready" and world.store("fast")["state"] == "ready", 4 * SLOW)
    again = world.make("import", datastore="fast", file=upload(world), format="qcow2")
    assert again["state"] == "ready" and digest_of(v) != digest_of(again), again


def upload(world):
    name = "small-%d.img" % next(world.numbers)
    world.upload(name, 2, "qcow2")
    return name


NESTED = ("test_a_server_that_is_gone_is_waited_for",)


def main():
    if os.geteuid() != 0:
        print("SKIP: it mounts file systems and seals images, which takes root")
        return 77
    if not shutil.which("qemu-img"):
        print("SKIP: qemu-img is not installed")
        return 77
    inside()
    failed, world = 0, None
    try:
        world = World()
        world.begin()
        for name in sys.argv[1:] or [n for n in globals() if n.startswith("test_") and n not in NESTED]:
            began = time.monotonic()
            try:
                globals()[name](world)
                print("PASS %s (%.1f s)" % (name, time.monotonic() - began), flush=True)
            except Exception:
                failed += 1
                print("FAIL %s (%.1f s)" % (name, time.monotonic() - began), flush=True)
                traceback.print_exc()
        if failed:
            world.tell()
    finally:
        if world:
            world.end()
    return 1 if failed else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main())
