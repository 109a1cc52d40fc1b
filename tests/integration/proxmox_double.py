# SPDX-License-Identifier: GPL-3.0-or-later
"""A double of a Proxmox VE cluster. proxmox_schema.json has what the published API schema (pve-docs, apidoc) says of the parameters
of each call that the driver makes: what is not in it, or breaks it, is refused as there. Behaviour follows qemu-server's: locks,
tasks, the order of checks, and the status 500 for nearly everything. States in cluster/resources come late, as there."""
import base64
import copy
import json
import os
import re
import threading
import time
import urllib.parse

from rest_double import Double, Refusal

HERE = os.path.dirname(os.path.abspath(__file__))
TOKEN = "puesto@pve!broker=6f0c0b52-0000-4000-8000-000000000001"
FORMATS = {
    "pve-node": r"[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?", "pve-vmid": r"[1-9][0-9]{2,8}", "pve-configid": r"(?i)[a-z][a-z0-9_-]+",
    "pve-storage-id": r"(?i)[a-z][a-z0-9\-_.]*[a-z0-9]", "pve-poolid": r"[A-Za-z0-9._-]+", "pve-storage-content": r"iso|vztmpl|import|images",
    "dns-name": r"[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*",
    "pve-tag-list": r"[a-z0-9_][a-z0-9_\-+.]*([;, ][a-z0-9_][a-z0-9_\-+.]*)*",
}
COPIED = ("boot", "scsi0", "net0", "memory", "cores", "sockets", "protection", "onboot", "tags", "ostype", "bios", "efidisk0", "machine")
MIB = 1 << 20


def size_mb(value):
    number, unit = re.fullmatch(r"(\d+(?:\.\d+)?)([KMGT]?)", value).groups()
    return int(float(number) * {"K": 1 / 1024, "M": 1, "G": 1024, "T": 1024 * 1024, "": 1 / MIB}[unit])


class Task:
    def __init__(self, upid, work, seconds, exitstatus):
        self.upid, self.work, self.end, self.exitstatus, self.status, self.is_stopped = upid, work, time.monotonic() + seconds, exitstatus, "running", False


class Cluster(Double):
    def __init__(self, folder, nodes=("one", "two")):
        with open(os.path.join(HERE, "proxmox_schema.json")) as f:
            self.schema = json.load(f)
        self.routes = [(key.split()[0], re.compile("/api2/json" + re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(key.split()[1]))), key)
                       for key in self.schema]
        self.nodes = {n: {"status": "online", "maxcpu": 8, "maxmem": 64 << 30, "mem": (i + 1) << 30} for i, n in enumerate(nodes)}
        self.vms, self.isos, self.tasks, self.leases, self.tickets, self.serial = {}, {}, {}, {}, {}, 0
        self.task_seconds, self.denied, self.shared = 0.01, None, {"local": False}
        self.local = threading.local()  # what this request has uploaded
        self.vms[9000] = self.machine("one", {"name": "desk", "template": 1, "boot": "order=scsi0;net0", "tags": "golden", "protection": 1,
                                              "scsi0": "lvm:base-9000-disk-0,size=2G", "net0": "virtio=BC:24:11:00:00:01,bridge=vmbr0,firewall=1",
                                              "memory": "1024", "cores": 1, "description": "the template"})
        super().__init__(folder)

    @staticmethod
    def machine(node, config):
        return {"node": node, "config": config, "status": "stopped", "snapshots": {}, "memory": "", "pool": ""}

    # The front: who asks, and whether it is asked rightly.

    def refusal_body(self, refusal):
        return {"data": None, "message": refusal.words + "\n", **(refusal.body or {})}

    def serve(self, handler, data, kind):
        path, _, query = handler.path.partition("?")
        if handler.command == "POST" and path.startswith("/double/die/"):
            return self.die(path.rsplit("/", 1)[1])
        if handler.headers.get("Authorization") != "PVEAPIToken=" + TOKEN:
            raise Refusal(401, "authentication failure")
        for method, pattern, key in self.routes:
            match = pattern.fullmatch(path)
            if method == handler.command and match:
                params = {k: urllib.parse.unquote(v) for k, v in match.groupdict().items()}
                params.update(self.body_read(handler, data, query))
                self.check(key, params)
                if self.denied and re.search(self.denied, key):
                    raise Refusal(403, "Permission check failed (/vms/%s, VM.Clone)" % params.get("vmid", ""))
                if key.endswith("/vncwebsocket"):
                    return self.look(handler, params)
                with self.lock:
                    return 200, "OK", {"data": getattr(self, self.name(key))(params, kind)}
        raise Refusal(501, "Method '%s %s' not implemented" % (handler.command, path))

    @staticmethod
    def name(key):
        method, path = key.split()
        words = [w for w in path.split("/") if w and "{" not in w]
        return "_".join([method.lower()] + (words if words != ["nodes", "qemu"] or path.endswith("qemu") else ["nodes", "qemu", "one"]))

    @staticmethod
    def body_read(handler, data, query):
        params = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        kind = handler.headers.get("Content-Type") or ""
        if kind.startswith("multipart/form-data"):
            edge = b"--" + kind.split("boundary=")[1].encode()
            for part in data.split(edge)[1:-1]:
                head, _, body = part[2:-2].partition(b"\r\n\r\n")
                name = re.search(rb'name="([^"]+)"', head)[1].decode()
                file = re.search(rb'filename="([^"]+)"', head)
                params[name] = file[1].decode() if file else body.decode()
                if file:
                    handler.upload = body
        elif kind.startswith("application/json") and data:
            params.update(json.loads(data))
        elif data:
            params.update(urllib.parse.parse_qsl(data.decode()))
        handler.server.double.local.upload = getattr(handler, "upload", None)
        return params

    def check(self, key, params):
        errors = {}
        for name, value in params.items():
            rule = self.schema[key].get(name) or self.schema[key].get(re.sub(r"\d+$", "[n]", name))
            if not rule:
                errors[name] = "property is not defined in schema and the schema does not allow additional properties"
            else:
                wrong = self.wrong(rule, value)
                if wrong:
                    errors[name] = wrong
        for name, rule in self.schema[key].items():
            if not rule.get("optional") and name not in params:
                errors[name] = "property is missing and it is not optional"
        if errors:
            raise Refusal(400, "Parameter verification failed.", {"errors": errors})

    @staticmethod
    def wrong(rule, value):
        kind, text = rule["type"], str(value)
        if kind == "boolean":
            return "" if text in ("0", "1") else "type check ('boolean') failed - got '%s'" % text
        if kind == "integer" and not re.fullmatch(r"-?\d+", text):
            return "type check ('integer') failed - got '%s'" % text
        if kind == "number" and not re.fullmatch(r"\d+(\.\d+)?", text):
            return "type check ('number') failed - got '%s'" % text
        if kind in ("integer", "number") and not rule.get("minimum", float("-inf")) <= float(text) <= rule.get("maximum", float("inf")):
            return "value must be between its minimum and its maximum"
        if "enum" in rule and value not in rule["enum"]:
            return "value '%s' does not have a value in the enumeration" % text
        if len(text) > rule.get("maxLength", 1 << 20):
            return "value may only be %d characters long" % rule["maxLength"]
        for pattern in (rule.get("pattern"), FORMATS.get(rule.get("format"))):
            if pattern and not re.fullmatch(pattern, text):
                return "value does not match the pattern '%s'" % pattern
        return ""

    # Tasks.

    def task(self, kind, what, node, vmid, work, after=None):
        """kind: the fault. after: what also has to be undone when it is stopped."""
        self.serial += 1
        upid = "UPID:%s:%08X:%08X:%08X:%s:%s:puesto@pve!broker:" % (node, self.serial, self.serial, int(time.time()), what, vmid)
        seconds = 4 if kind == "slow" else 3600 if kind == "endless" else self.task_seconds
        exitstatus = "the task fails as the test wishes" if kind in ("task-error", "said-error") else "OK"
        task = Task(upid, None if kind in ("task-error", "said-done") else work, seconds, exitstatus)
        task.after = after
        self.tasks[upid] = task
        threading.Thread(target=self.run, args=(task,), daemon=True).start()
        return upid

    def run(self, task):
        while time.monotonic() < task.end and not task.is_stopped and not self.is_ended:
            time.sleep(min(0.05, max(0.0, task.end - time.monotonic())))
        with self.lock:
            if task.is_stopped:
                task.exitstatus = "interrupted by signal"
            elif task.work:
                try:
                    task.work()
                except Refusal as r:
                    task.exitstatus = r.words
            if task.after and (task.is_stopped or not task.work):
                task.after()
            task.status = "stopped"

    def get_nodes_tasks_status(self, p, kind):
        task = self.tasks.get(p["upid"])
        if not task:
            raise Refusal(400, "Parameter verification failed.", {"errors": {"upid": "unable to parse worker upid"}})
        answer = {"upid": task.upid, "node": p["node"], "status": task.status, "type": task.upid.split(":")[5], "id": task.upid.split(":")[6],
                  "user": "puesto@pve", "pid": 1, "pstart": 1, "starttime": 1}
        if task.status == "stopped":
            answer["exitstatus"] = task.exitstatus
        return answer

    def delete_nodes_tasks(self, p, kind):
        self.tasks[p["upid"]].is_stopped = True

    # The cluster.

    def get_nodes(self, p, kind):
        return [{"node": n, "type": "node", **v} if v["status"] == "online" else {"node": n, "type": "node", "status": v["status"]}
                for n, v in self.nodes.items()]

    def get_cluster_nextid(self, p, kind):
        if "vmid" in p:
            if int(p["vmid"]) in self.vms:
                raise Refusal(400, "Parameter verification failed.", {"errors": {"vmid": "VM %s already exists" % p["vmid"]}})
            return p["vmid"]
        return str(next(n for n in range(100, 10 ** 6) if n not in self.vms))

    def get_cluster_resources(self, p, kind):
        answer = []
        for vmid, vm in self.vms.items():
            row = {"id": "qemu/%d" % vmid, "type": "qemu", "vmid": vmid, "node": vm["node"], "template": vm["config"].get("template", 0)}
            if "tags" in vm["config"]:
                row["tags"] = vm["config"]["tags"]
            if vmid == 9000:  # names and states come from statistics
                row.update(name=vm["config"]["name"], status="stopped")
            answer.append(row)
        return answer

    def get_cluster_sdn_ipams_status(self, p, kind):
        return [{"zone": "desks", "vnet": "desks0", "subnet": "10.7.0.0/24", "ip": ip, "mac": mac, "hostname": "x"} for mac, ip in self.leases.items()]

    def node(self, name):
        if name not in self.nodes:
            raise Refusal(500, "hostname lookup '%s' failed - failed to get address info" % name)
        if self.nodes[name]["status"] != "online":
            raise Refusal(595, "No route to host")

    def get_nodes_qemu(self, p, kind):
        self.node(p["node"])
        return [{"vmid": i, "name": vm["config"].get("name", "VM %d" % i), "status": vm["status"],
                 **{k: vm["config"][k] for k in ("tags", "lock", "template") if k in vm["config"]}}
                for i, vm in self.vms.items() if vm["node"] == p["node"]]

    # A machine.

    def vm(self, p, unlocked=False, but=()):
        self.node(p["node"])
        vm = self.vms.get(int(p["vmid"]))
        if not vm or vm["node"] != p["node"]:
            raise Refusal(500, "Configuration file 'nodes/%s/qemu-server/%s.conf' does not exist" % (p["node"], p["vmid"]))
        lock = vm["config"].get("lock")
        if unlocked and lock and lock not in but:
            raise Refusal(500, "VM is locked (%s)" % lock)
        return vm

    def get_nodes_qemu_config(self, p, kind):
        return {"digest": "0" * 40, **self.vm(p)["config"]}

    def put_nodes_qemu_config(self, p, kind):
        # A suspended machine takes nothing but that its memory goes (API2/Qemu.pm, update_vm_api).
        wakes = p.get("delete") == "vmstate"
        vm = self.vm(p, unlocked=True, but=("suspended",) if wakes else ())
        if wakes:
            vm["config"].pop("lock", None)
        for name, value in p.items():
            if name not in ("node", "vmid", "delete"):
                vm["config"][name] = value
        if "ide2" in p:
            self.volume_check(vm)

    def volume_check(self, vm):
        volume = vm["config"].get("ide2", "none,").split(",")[0]
        if volume != "none" and (vm["node"], volume) not in self.isos:
            raise Refusal(500, "volume '%s' does not exist" % volume)

    def get_nodes_qemu_status_current(self, p, kind):
        vm = self.vm(p)
        return {"vmid": int(p["vmid"]), "status": vm["status"], "ha": {"managed": 0}, **({"lock": vm["config"]["lock"]} if "lock" in vm["config"] else {})}

    def power(self, p, kind, what, status, check=True):
        vm = self.vm(p, unlocked=True, but=("suspended",))
        if check and vm["status"] == status:
            raise Refusal(500, "VM %s already running" % p["vmid"] if status == "running" else "VM %s not running" % p["vmid"])

        def work():
            if status == "running":
                self.volume_check(vm)
                vm["config"].pop("lock", None)
            vm["status"] = status
        return self.task(kind, what, p["node"], p["vmid"], work)

    def post_nodes_qemu_status_start(self, p, kind):
        return self.power(p, kind, "qmstart", "running")

    def post_nodes_qemu_status_stop(self, p, kind):
        return self.power(p, kind, "qmstop", "stopped", check=False)

    def post_nodes_qemu_status_shutdown(self, p, kind):
        self.asked = p
        return self.power(p, kind, "qmshutdown", "stopped")

    def post_nodes_qemu_status_suspend(self, p, kind):
        vm = self.vm(p, unlocked=True)
        if vm["status"] != "running" or not int(p.get("todisk", 0)):
            raise Refusal(500, "VM %s not running" % p["vmid"])
        vm["config"]["lock"] = "suspending"

        def work():
            vm["status"], vm["config"]["lock"] = "stopped", "suspended"
        return self.task(kind, "qmsuspend", p["node"], p["vmid"], work, after=lambda: vm["config"].pop("lock", None))

    def post_nodes_qemu_clone(self, p, kind):
        template, new = self.vm(p, unlocked=True), int(p["newid"])
        if new in self.vms:
            raise Refusal(500, "unable to create VM %d: VM %d already exists on node '%s'" % (new, new, self.vms[new]["node"]))
        target = p.get("target", p["node"])
        if "storage" in p and not int(p.get("full", 0)):
            raise Refusal(400, "Parameter verification failed.", {"errors": {"storage": "parameter 'storage' not allowed for linked clones"}})
        vm = self.vms[new] = self.machine(p["node"], {"lock": "clone"})

        def work():
            config = {k: copy.deepcopy(template["config"][k]) for k in COPIED if k in template["config"]}
            config.update({k: p[k] for k in ("name", "description") if k in p})
            disk = config["scsi0"].split(":", 1)
            config["scsi0"] = "%s:%svm-%d-disk-0,size=%s" % (p.get("storage", disk[0]), "" if int(p.get("full", 0)) else "base-%s-disk-0/" % p["vmid"],
                                                            new, disk[1].split("size=")[1])
            mac = "bc:24:11:%02x:%02x:%02x" % (new >> 16 & 255, new >> 8 & 255, new & 255)
            config["net0"] = re.sub("=[0-9A-F:]{17}", "=" + mac.upper(), config["net0"])
            vm.update(config=config, node=target, pool=p.get("pool", ""))
            self.leases[mac] = "10.7.%d.%d" % (new >> 8 & 255, new & 255)
        return self.task(kind, "qmclone", p["node"], p["vmid"], work, after=lambda: self.vms.pop(new, None))

    def delete_nodes_qemu_one(self, p, kind):
        vm = self.vm(p, unlocked=True, but=("suspended",))
        if int(vm["config"].get("protection", 0)):
            raise Refusal(500, "can't remove VM %s - protection mode enabled" % p["vmid"])
        if vm["status"] == "running":
            raise Refusal(500, "VM %s is running - destroy failed" % p["vmid"])
        return self.task(kind, "qmdestroy", p["node"], p["vmid"], lambda: self.vms.pop(int(p["vmid"]), None))

    def put_nodes_qemu_resize(self, p, kind):
        vm = self.vm(p, unlocked=True)
        disk = vm["config"].get(p["disk"])
        if not disk:
            raise Refusal(500, "disk '%s' does not exist" % p["disk"])
        old, new = size_mb(disk.split("size=")[1]), size_mb(p["size"])
        if new < old:
            raise Refusal(500, "shrinking disks is not supported")

        def work():
            vm["config"][p["disk"]] = disk.split("size=")[0] + "size=%dM" % new
        return self.task(kind, "resize", p["node"], p["vmid"], work)

    def post_nodes_qemu_migrate(self, p, kind):
        vm = self.vm(p, unlocked=True)
        self.node(p["target"])
        if p["target"] == p["node"]:
            raise Refusal(500, "target is local node.")
        if vm["status"] == "running" and not int(p.get("online", 0)):
            raise Refusal(500, "can't migrate running VM without --online")
        volume = vm["config"].get("ide2", "none,").split(",")[0]
        if volume != "none" and not self.shared[volume.split(":")[0]]:
            raise Refusal(500, "can't migrate local cdrom '%s'" % volume)
        vm["config"]["lock"] = "migrate"

        def free():
            vm["config"].pop("lock", None)

        def work():
            free()
            vm["node"] = p["target"]
        return self.task(kind, "qmigrate", p["node"], p["vmid"], work, after=free)

    # Snapshots.

    def get_nodes_qemu_snapshot(self, p, kind):
        vm = self.vm(p)
        return [{"name": n, "description": s["description"], "vmstate": s["vmstate"], "snaptime": 1} for n, s in vm["snapshots"].items()] + [
            {"name": "current", "description": "You are here!", "running": int(vm["status"] == "running")}]

    def locked(self, p, vm, word):
        vm["config"]["lock"] = word
        return lambda: vm["config"].pop("lock", None)

    def post_nodes_qemu_snapshot(self, p, kind):
        vm = self.vm(p, unlocked=True)
        if p["snapname"] in vm["snapshots"]:
            raise Refusal(500, "snapshot name '%s' already used" % p["snapname"])
        free = self.locked(p, vm, "snapshot")

        def work():
            free()
            kept = {k: v for k, v in vm["config"].items() if k not in ("description", "lock")}
            vm["snapshots"][p["snapname"]] = {"description": p.get("description", ""), "vmstate": int(p.get("vmstate", 0)), "config": kept,
                                              "memory": vm["memory"]}
        return self.task(kind, "qmsnapshot", p["node"], p["vmid"], work, after=free)

    def delete_nodes_qemu_snapshot(self, p, kind):
        vm = self.vm(p, unlocked=True)
        if p["snapname"] not in vm["snapshots"]:
            raise Refusal(500, "snapshot '%s' does not exist" % p["snapname"])
        free = self.locked(p, vm, "snapshot-delete")

        def work():
            free()
            vm["snapshots"].pop(p["snapname"])
        return self.task(kind, "qmdelsnapshot", p["node"], p["vmid"], work, after=free)

    def post_nodes_qemu_snapshot_rollback(self, p, kind):
        vm = self.vm(p, unlocked=True)
        snapshot = vm["snapshots"].get(p["snapname"])
        if not snapshot:
            raise Refusal(500, "snapshot '%s' does not exist" % p["snapname"])
        free = self.locked(p, vm, "rollback")

        def work():
            free()
            vm["config"] = {**snapshot["config"], "description": vm["config"].get("description", "")}
            vm["memory"] = snapshot["memory"]
            vm["status"] = "running" if snapshot["vmstate"] or int(p.get("start", 0)) else "stopped"
            self.volume_check(vm)
        return self.task(kind, "qmrollback", p["node"], p["vmid"], work, after=free)

    # Storages.

    def get_nodes_storage_status(self, p, kind):
        self.node(p["node"])
        if p["storage"] != "local":
            raise Refusal(500, "storage '%s' does not exist" % p["storage"])
        return {"type": "dir", "content": "iso,vztmpl", "active": 1, "enabled": 1, "shared": 0, "total": 1 << 40, "avail": 1 << 39, "used": 1 << 39}

    def post_nodes_storage_upload(self, p, kind):
        self.node(p["node"])
        data = self.local.upload
        if p["content"] != "iso" or not re.fullmatch(r"[^/]+\.iso", p["filename"]) or not data:
            raise Refusal(400, "Parameter verification failed.", {"errors": {"filename": "wrong file extension"}})

        def work():
            self.isos[p["node"], "%s:iso/%s" % (p["storage"], p["filename"])] = data
        return self.task(kind, "imgcopy", p["node"], "", work)

    def delete_nodes_storage_content(self, p, kind):
        self.node(p["node"])
        return self.task(kind, "imgdel", p["node"], p["volume"], lambda: self.isos.pop((p["node"], p["volume"]), None))

    # What tests do and ask.

    def die(self, desktop):
        with self.lock:
            for vm in self.vms.values():
                if vm["config"].get("name") == "puesto-" + desktop:
                    vm["status"] = "stopped"
                    return 200, "OK", {}
        raise Refusal(404, "no such desktop")

    def post_nodes_qemu_vncproxy(self, p, kind):
        vm = self.vm(p)
        if vm["status"] != "running":
            raise Refusal(500, "VM %s not running" % p["vmid"])
        if str(p.get("websocket")) != "1":
            raise Refusal(501, "the double has WebSockets only")
        ticket = "PVEVNC:%08X::%s" % (int(time.time()), base64.b64encode(os.urandom(48) + b"??>>").decode())
        self.tickets[ticket] = (str(p["vmid"]), str(5900 + len(self.tickets)))
        return {"port": self.tickets[ticket][1], "ticket": ticket, "user": TOKEN.split("=")[0], "upid": "UPID:%s:0:0:0:vncproxy:%s::" % (p["node"], p["vmid"]), "cert": ""}

    def look(self, handler, p):
        """A ticket is of one machine, of one port, for once."""
        with self.lock:
            if self.tickets.get(p["vncticket"]) != (str(p["vmid"]), str(p["port"])):
                raise Refusal(401, "permission denied - invalid PVEVNC ticket")
            self.tickets[p["vncticket"]] = None
        self.show(handler, "binary", p["vncticket"])

    def ours(self, desktop=None):
        with self.lock:
            return {i: vm for i, vm in self.vms.items() if vm["config"].get("name", "").startswith("puesto-" + (desktop or "")) or
                    "lock" in vm["config"] and "name" not in vm["config"]}
