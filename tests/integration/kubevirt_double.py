# SPDX-License-Identifier: GPL-3.0-or-later
"""A double of a Kubernetes cluster with KubeVirt and CDI. kubevirt_schema.json has what the published OpenAPI documents say of the
fields of each object that the driver writes: unknown fields, wrong types and missing ones are refused (as with fieldValidation=Strict).
Wishes are followed a moment later by a thread, as controllers do; every change has a resourceVersion and goes to the watchers."""
import copy
import json
import os
import re
import threading
import time
import urllib.parse
import uuid

from rest_double import Double, Refusal

HERE = os.path.dirname(os.path.abspath(__file__))
TOKEN = "eyJhbGciOiJSUzI1NiJ9.puesto.signature"
META = "k8s.io.apimachinery.pkg.apis.meta.v1."
KINDS = {  # collection: kind, definition, prefix
    "virtualmachines": ("VirtualMachine", "v1.VirtualMachine", "/apis/kubevirt.io/v1"),
    "virtualmachineinstances": ("VirtualMachineInstance", None, "/apis/kubevirt.io/v1"),
    "virtualmachineinstancemigrations": ("VirtualMachineInstanceMigration", "v1.VirtualMachineInstanceMigration", "/apis/kubevirt.io/v1"),
    "virtualmachinesnapshots": ("VirtualMachineSnapshot", "v1beta1.VirtualMachineSnapshot", "/apis/snapshot.kubevirt.io/v1beta1"),
    "virtualmachinerestores": ("VirtualMachineRestore", "v1beta1.VirtualMachineRestore", "/apis/snapshot.kubevirt.io/v1beta1"),
    "datavolumes": ("DataVolume", None, "/apis/cdi.kubevirt.io/v1beta1"),
    "persistentvolumeclaims": ("PersistentVolumeClaim", "core.PersistentVolumeClaim", "/api/v1"),
    "configmaps": ("ConfigMap", "core.ConfigMap", "/api/v1"),
    "pods": ("Pod", "core.Pod", "/api/v1"),
    "secrets": ("Secret", "core.Secret", "/api/v1"),
    "services": ("Service", "core.Service", "/api/v1"),
}
MAY_CREATE = {"virtualmachines", "virtualmachinesnapshots", "virtualmachinerestores", "virtualmachineinstancemigrations", "secrets", "services",
              "configmaps", "pods", "persistentvolumeclaims"}
REASONS = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 409: "Conflict", 410: "Expired", 422: "Invalid",
           429: "TooManyRequests", 500: "InternalError", 503: "ServiceUnavailable"}
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
LABEL = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")


def merge(old, patch):
    """RFC 7386."""
    if not isinstance(patch, dict):
        return patch
    old = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            old.pop(key, None)
        else:
            old[key] = merge(old.get(key), value)
    return old


class Cluster(Double):
    def __init__(self, folder, space="puesto"):
        with open(os.path.join(HERE, "kubevirt_schema.json")) as f:
            self.schema = json.load(f)
        self.space, self.objects, self.version, self.events, self.oldest = space, {c: {} for c in KINDS}, 100, [], 0
        self.nodes, self.denied, self.delay, self.changed, self.page, self.serial = ["one", "two"], None, 0.03, threading.Condition(), 500, 0
        self.leases = 0
        self.is_muted, self.seeds = False, {}  # with which seed each machine was started last
        self.token, self.stuck = TOKEN, set()  # kinds whose controllers do nothing
        super().__init__(folder)
        self.store("persistentvolumeclaims", "golden", {"metadata": {"name": "golden"}, "spec": {"resources": {"requests": {"storage": "2Gi"}}}})

    # The front.

    def refusal_body(self, refusal):
        body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": refusal.words, "code": refusal.status,
                "reason": REASONS.get(refusal.status, "Unknown")}
        return {**body, **(refusal.body or {})}

    def serve(self, handler, data, kind):
        path, _, query = handler.path.partition("?")
        if path.startswith("/double/die/"):
            return self.die(path.rsplit("/", 1)[1])
        if handler.headers.get("Authorization") != "Bearer " + self.token:
            raise Refusal(401, "Unauthorized")
        query = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        if self.denied and re.search(self.denied, handler.command + " " + handler.path):
            raise Refusal(403, 'forbidden: User "system:serviceaccount:puesto:broker" cannot do that')
        body = json.loads(data) if data else None
        if query.get("watch") == "true":
            return self.watch(handler, path, query)
        match = re.fullmatch("/apis/subresources.kubevirt.io/v1/namespaces/%s/virtualmachineinstances/([^/]+)/vnc" % self.space, path)
        if match and handler.command == "GET":
            with self.lock:
                if self.get("virtualmachineinstances", match[1])["status"].get("phase") != "Running":
                    raise Refusal(409, "VMI is not running")
            return self.show(handler, "plain.kubevirt.io", "")
        with self.lock:
            keep = copy.deepcopy((self.objects, self.version, len(self.events))) if kind == "said-done" else None
            self.is_muted = bool(keep)
            try:
                answer = self.route(handler, path, query, body, kind)
            finally:
                self.is_muted = False
                if keep:
                    self.objects, self.version = keep[:2]
                    del self.events[keep[2]:]
        if kind == "said-error":
            raise Refusal(500, "as the test wishes, though it is done")
        return 200 if handler.command != "POST" else 201, "OK", answer

    def route(self, handler, path, query, body, kind):
        match = re.fullmatch("/apis/subresources.kubevirt.io/v1/namespaces/%s/(virtualmachine|virtualmachineinstance)s/([^/]+)/(\\w+)" % self.space, path)
        if match and handler.command == "PUT":
            return self.subresource(*match.groups(), body, kind)
        match = re.fullmatch("/api/v1/nodes/([^/]+)", path)
        if match:
            if match[1] not in self.nodes:
                raise Refusal(404, 'nodes "%s" not found' % match[1])
            return {"kind": "Node", "metadata": {"name": match[1]}}
        for collection, (_, _, prefix) in KINDS.items():
            match = re.fullmatch("%s/namespaces/%s/%s(?:/([^/]+))?" % (re.escape(prefix), self.space, collection), path)
            if match:
                return self.act(handler, collection, match[1], query, body)
        raise Refusal(404, "the server could not find the requested resource")

    def act(self, handler, collection, name, query, body):
        kind = handler.headers.get("Content-Type") or ""
        if handler.command == "GET":
            return self.get(collection, name) if name else self.list(collection, query)
        if handler.command == "POST" and not name and collection in MAY_CREATE:
            self.check(collection, body)
            return self.create(collection, body)
        if handler.command == "DELETE" and name:
            self.validate(body, META + "DeleteOptions", "DeleteOptions")
            return self.delete(collection, name)
        if handler.command == "PATCH" and name and kind == "application/merge-patch+json":
            old = self.get(collection, name)
            if query:
                raise Refusal(400, "unknown query")
            new = merge(old, body)
            self.check(collection, {k: v for k, v in new.items() if k != "status"})
            return self.put(collection, name, new)
        if handler.command == "PATCH" and name and kind == "application/apply-patch+yaml" and query == {"fieldManager": "puesto", "force": "true"}:
            self.check(collection, body)
            if body["metadata"]["name"] != name:
                raise Refusal(400, "the name of the object does not match the name on the URL")
            return self.put(collection, name, merge(self.objects[collection][name], body)) if name in self.objects[collection] else self.create(collection, body)
        raise Refusal(405, "the server does not allow this method on the requested resource")

    # Objects are checked against the schema, and names and labels as Kubernetes does.

    def check(self, collection, body):
        kind, definition, prefix = KINDS[collection]
        if not isinstance(body, dict) or body.get("kind") != kind or body.get("apiVersion") != (prefix[6:] if prefix.startswith("/apis/") else "v1"):
            raise Refusal(400, "%s in version %s cannot be handled as a %s" % (body.get("kind"), body.get("apiVersion"), kind))
        self.validate(body, definition, kind)
        meta = body["metadata"]
        if not NAME.fullmatch(meta["name"]) or len(meta["name"]) > (63 if collection == "services" else 253):
            raise Refusal(422, '%s "%s" is invalid: metadata.name' % (kind, meta["name"]))
        for key, value in meta.get("labels", {}).items():
            if len(value) > 63 or not LABEL.fullmatch(value) or not re.fullmatch(r"([a-z0-9.-]+/)?[A-Za-z0-9._-]{1,63}", key):
                raise Refusal(422, '%s "%s" is invalid: metadata.labels: %s=%s' % (kind, meta["name"], key, value))

    def validate(self, value, definition, where):
        rule = self.schema.get(definition)
        if not rule:
            return
        if not isinstance(value, dict):
            raise Refusal(400, "%s: expected an object" % where)
        for name in rule["required"]:
            if name not in value:
                raise Refusal(422, "%s.%s: Required value" % (where, name))
        for name, part in value.items():
            if name not in rule["properties"]:
                raise Refusal(400, 'strict decoding error: unknown field "%s.%s"' % (where, name))
            self.part_check(part, rule["properties"][name], where + "." + name)

    def part_check(self, part, kind, where):
        types = {"string": str, "integer": int, "boolean": bool, "object": dict, "number": (int, float)}
        if kind.startswith("ref "):
            self.validate(part, kind[4:], where)
        elif kind.startswith("array "):
            if not isinstance(part, list):
                raise Refusal(400, "%s: expected an array" % where)
            for item in part:
                self.validate(item, kind[6:], where)
        elif kind in types and (not isinstance(part, types[kind]) or kind == "integer" and isinstance(part, bool)):
            raise Refusal(400, "%s: expected %s" % (where, kind))

    # The store.

    def emit(self, kind, collection, obj):
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        with self.changed:
            self.events.append((self.version, collection, kind, copy.deepcopy(obj)))
            self.changed.notify_all()

    def store(self, collection, name, obj):
        is_new = name not in self.objects[collection]
        obj["metadata"].setdefault("uid", str(uuid.uuid4()))
        obj["metadata"].setdefault("namespace", self.space)
        self.objects[collection][name] = obj
        self.emit("ADDED" if is_new else "MODIFIED", collection, obj)
        return copy.deepcopy(obj)

    def get(self, collection, name):
        if name not in self.objects[collection]:
            raise Refusal(404, '%s "%s" not found' % (collection, name))
        return copy.deepcopy(self.objects[collection][name])

    def create(self, collection, body):
        name = body["metadata"]["name"]
        if name in self.objects[collection]:
            raise Refusal(409, '%s "%s" already exists' % (collection, name), {"reason": "AlreadyExists"})
        body = copy.deepcopy(body)
        if collection == "services":
            self.serial += 1
            body["spec"]["clusterIP"] = "10.96.%d.%d" % (self.serial >> 8 & 255, self.serial & 255)
        self.store(collection, name, body)
        self.follow(collection, name)
        return self.get(collection, name)

    def put(self, collection, name, obj):
        self.store(collection, name, obj)
        self.follow(collection, name)
        return self.get(collection, name)

    def delete(self, collection, name):
        obj = self.get(collection, name)
        if "deletionTimestamp" not in obj["metadata"]:
            obj["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            self.store(collection, name, obj)
            self.later(lambda: self.remove(collection, name, obj["metadata"]["uid"]))
        return obj

    def remove(self, collection, name, uid):
        obj = self.objects[collection].get(name)
        if not obj or obj["metadata"]["uid"] != uid:
            return
        del self.objects[collection][name]
        self.emit("DELETED", collection, obj)
        for other, items in self.objects.items():
            for key, item in list(items.items()):
                if any(o["uid"] == uid for o in item["metadata"].get("ownerReferences", [])):
                    self.remove(other, key, item["metadata"]["uid"])

    @staticmethod
    def selected(obj, selector):
        labels = obj["metadata"].get("labels", {})
        return all(labels.get(k) == v for k, v in (part.split("=") for part in selector.split(",") if part))

    def list(self, collection, query):
        items = [o for _, o in sorted(self.objects[collection].items()) if self.selected(o, query.get("labelSelector", ""))]
        begin, limit = 0, min(int(query.get("limit", self.page)), self.page)
        if "continue" in query:
            version, begin = map(int, query["continue"].split("."))
            if version < self.oldest:
                raise Refusal(410, "The provided continue parameter is too old")
        meta = {"resourceVersion": str(self.version)}
        if begin + limit < len(items):
            meta["continue"] = "%d.%d" % (self.version, begin + limit)
        return {"kind": "List", "metadata": meta, "items": copy.deepcopy(items[begin:begin + limit])}

    def watch(self, handler, path, query):
        collection, begin = path.rsplit("/", 1)[1], int(query["resourceVersion"])
        if begin < self.oldest:
            raise Refusal(410, "too old resource version: %d (%d)" % (begin, self.oldest))
        handler.close_connection = True
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")
        handler.wfile.flush()
        end, at = time.monotonic() + int(query.get("timeoutSeconds", 60)), begin
        while time.monotonic() < end and not self.is_ended:
            with self.changed:
                self.changed.wait(0.1)
                news = [e for e in self.events if e[0] > at]
            for version, where, kind, obj in news:
                at = version
                if begin < self.oldest:
                    kind, obj = "ERROR", {"kind": "Status", "code": 410, "reason": "Expired"}
                elif where != collection or not self.selected(obj, query.get("labelSelector", "")):
                    continue
                handler.wfile.write(json.dumps({"type": kind, "object": obj}).encode() + b"\n")
                handler.wfile.flush()

    def compact(self):
        """What is older than now is forgotten: versions of before are too old."""
        with self.lock:
            self.version += 1
            self.oldest = self.version
            self.store("secrets", "unrelated", {"metadata": {"name": "unrelated"}})

    # The controllers.

    def later(self, work, times=1):
        if self.is_muted:
            return

        def run():
            time.sleep(self.delay * times)
            with self.lock:
                if not self.is_ended:
                    work()
        threading.Thread(target=run, daemon=True).start()

    def owner(self, kind, obj):
        return [{"apiVersion": "kubevirt.io/v1", "kind": kind, "name": obj["metadata"]["name"], "uid": obj["metadata"]["uid"], "controller": True}]

    def follow(self, collection, name):
        if collection in self.stuck:
            return
        if collection == "virtualmachines":
            self.volumes_make(name)
        elif collection == "pods" and self.objects[collection][name].get("status") is None:
            self.later(lambda: self.pod_run(name))
        elif collection == "virtualmachinesnapshots":
            self.later(lambda: self.snapshot_take(name))
        elif collection == "virtualmachinerestores":
            self.later(lambda: self.restore(name))
        elif collection == "virtualmachineinstancemigrations":
            self.later(lambda: self.move(name), 2)
        elif collection == "persistentvolumeclaims":
            claim = self.objects[collection][name]
            claim["status"] = {"capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]}}

    def volumes_make(self, name):
        vm = self.objects["virtualmachines"][name]
        for template in vm["spec"].get("dataVolumeTemplates", []):
            volume = template["metadata"]["name"]
            if volume in self.objects["datavolumes"]:
                continue
            source = template["spec"]["source"]["pvc"]["name"]
            size = template["spec"]["storage"].get("resources", {}).get("requests", {}).get("storage") or "2Gi"
            if source not in self.objects["persistentvolumeclaims"]:
                continue  # as CDI: it stays pending
            owned = self.store("datavolumes", volume, {"metadata": {**copy.deepcopy(template["metadata"]), "ownerReferences": self.owner("VirtualMachine", vm)}})
            self.put("persistentvolumeclaims", volume, {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {
                "name": volume, "ownerReferences": self.owner("DataVolume", owned)}, "spec": {"resources": {"requests": {"storage": size}}}})

    def subresource(self, what, name, verb, body, kind):
        self.validate(body, {"start": "v1.StartOptions", "stop": "v1.StopOptions", "unpause": "v1.UnpauseOptions"}.get(verb), verb)
        vm, vmi = self.get("virtualmachines", name), self.objects["virtualmachineinstances"].get(name)
        is_final = bool(vmi) and vmi["status"]["phase"] in ("Succeeded", "Failed")
        if what == "virtualmachine" and verb == "start":
            if vmi and not is_final:
                raise Refusal(409, "VM is already running")
            if is_final:
                self.remove("virtualmachineinstances", name, vmi["metadata"]["uid"])
            self.later(lambda: self.start(name, vm["metadata"]["uid"]))
        elif what == "virtualmachine" and verb == "stop":
            if not vmi or is_final:
                raise Refusal(409, "VM is not running")
            self.grace = body["gracePeriod"]
            self.delete("virtualmachineinstances", name)
        elif what == "virtualmachineinstance" and verb == "unpause":
            vmi["status"]["conditions"] = []
            self.store("virtualmachineinstances", name, vmi)
        else:
            raise Refusal(404, "the server could not find the requested resource")
        return {}

    def start(self, name, uid):
        vm = self.objects["virtualmachines"].get(name)
        if not vm or vm["metadata"]["uid"] != uid or "deletionTimestamp" in vm["metadata"] or name in self.objects["virtualmachineinstances"]:
            return
        template = copy.deepcopy(vm["spec"]["template"])
        for volume in template["spec"]["volumes"]:
            if "secret" in volume and volume["secret"]["secretName"] not in self.objects["secrets"]:
                return  # its pod waits for it
            if "dataVolume" in volume and volume["dataVolume"]["name"] not in self.objects["datavolumes"]:
                vm["status"] = {"printableStatus": "DataVolumeError"}
                return
        self.seeds[name] = copy.deepcopy(self.objects["secrets"].get(name + "-seed", {}).get("stringData"))
        self.store("virtualmachineinstances", name, {"kind": "VirtualMachineInstance", "metadata": {
            "name": name, "labels": template["metadata"]["labels"], "ownerReferences": self.owner("VirtualMachine", vm)}, "spec": template["spec"],
            "status": {"phase": "Scheduling"}})

        def run():
            vmi = self.objects["virtualmachineinstances"].get(name)
            if vmi and vmi["status"]["phase"] == "Scheduling":
                vmi["status"] = {"phase": "Running", "nodeName": self.nodes[0], "interfaces": [{"name": "net", "ipAddress": self.lease(template["spec"])}]}
                self.store("virtualmachineinstances", name, vmi)
        self.later(run)

    def lease(self, spec):
        """On a network of its own each instance has a new card, and so another address."""
        if "multus" not in spec["networks"][0]:
            return "10.244.0.7"
        self.leases += 1
        return "10.8.0.%d" % self.leases

    def pod_run(self, name):
        pod = self.objects["pods"].get(name)
        if not pod or "deletionTimestamp" in pod["metadata"]:
            return
        for volume in pod["spec"]["volumes"]:
            if volume.get("secret", {}).get("secretName", "") not in {"", *self.objects["secrets"]} or \
                    volume.get("persistentVolumeClaim", {}).get("claimName", "") not in {"", *self.objects["persistentvolumeclaims"]}:
                self.later(lambda: self.pod_run(name))  # the kubelet waits for its volumes
                return
        self.seeds[name] = copy.deepcopy(self.objects["secrets"][name + "-seed"]["stringData"])
        pod["spec"]["nodeName"] = self.nodes[0]
        pod["status"] = {"phase": "Running", "podIP": "10.244.0.7"}
        self.store("pods", name, pod)

    def snapshot_take(self, name):
        snapshot = self.objects["virtualmachinesnapshots"].get(name)
        vm = snapshot and self.objects["virtualmachines"].get(snapshot["spec"]["source"]["name"])
        if not vm:
            return
        snapshot["copy"] = copy.deepcopy(vm["spec"])
        snapshot["status"] = {"phase": "Succeeded", "readyToUse": True}
        self.store("virtualmachinesnapshots", name, snapshot)

    def restore(self, name):
        restore = self.objects["virtualmachinerestores"].get(name)
        if not restore:
            return
        vm = self.objects["virtualmachines"].get(restore["spec"]["target"]["name"])
        snapshot = self.objects["virtualmachinesnapshots"].get(restore["spec"]["virtualMachineSnapshotName"])
        if not vm or not snapshot or vm["metadata"]["name"] in self.objects["virtualmachineinstances"]:
            self.later(lambda: self.restore(name))  # it waits for the machine to be off
            return
        vm["spec"] = copy.deepcopy(snapshot["copy"])
        self.store("virtualmachines", vm["metadata"]["name"], vm)
        restore["status"] = {"complete": True}
        self.store("virtualmachinerestores", name, restore)

    def move(self, name):
        move = self.objects["virtualmachineinstancemigrations"].get(name)
        vmi = move and self.objects["virtualmachineinstances"].get(move["spec"]["vmiName"])
        host = move and move["spec"]["addedNodeSelector"]["kubernetes.io/hostname"]
        if not vmi or host not in self.nodes:
            return
        vmi["status"]["nodeName"] = host
        self.store("virtualmachineinstances", vmi["metadata"]["name"], vmi)
        move["status"] = {"phase": "Succeeded"}
        self.store("virtualmachineinstancemigrations", name, move)

    # What tests do and ask.

    def die(self, desktop):
        with self.lock:
            for collection in "virtualmachineinstances", "pods":
                instance = self.objects[collection].get("puesto-" + desktop)
                if instance:
                    instance["status"]["phase"] = "Failed"
                    self.store(collection, "puesto-" + desktop, instance)
        return 200, "OK", {}

    def ours(self, desktop=""):
        with self.lock:
            return {c: sorted(n for n in items if n.startswith("puesto-" + desktop)) for c, items in self.objects.items()
                    if any(n.startswith("puesto-" + desktop) for n in items)}
