# SPDX-License-Identifier: GPL-3.0-or-later
"""A double of a Hyper-V host: WS-Management over HTTPS with the classes of root/virtualization/v2 that the driver uses, written after
DSP0226, MS-WSMV and the published reference of the WMI provider. It is strict: headers, parameters and properties that are not theirs are faults."""
import base64
import http.server
import os
import re
import socket
import ssl
import subprocess
import threading
import uuid
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

S = "{http://www.w3.org/2003/05/soap-envelope}"
A = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
W = "{http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd}"
N = "{http://schemas.xmlsoap.org/ws/2004/09/enumeration}"
BASE = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
V2 = BASE + "root/virtualization/v2/"
WQL = "http://schemas.microsoft.com/wbem/wsman/1/WQL"
SYSTEM, SNAPSHOT = "Microsoft:Hyper-V:System:Realized", "Microsoft:Hyper-V:Snapshot:Realized"

# Properties of the published classes that may be set.
PROPERTIES = {
    "Msvm_VirtualSystemSettingData": {"InstanceID", "ElementName", "Notes", "VirtualSystemSubType", "SecureBootEnabled", "AutomaticStartupAction"},
    "Msvm_MemorySettingData": {"ResourceType", "ResourceSubType", "AllocationUnits", "VirtualQuantity", "Reservation", "Limit", "DynamicMemoryEnabled"},
    "Msvm_ProcessorSettingData": {"ResourceType", "ResourceSubType", "VirtualQuantity"},
    "Msvm_VirtualHardDiskSettingData": {"Type", "Format", "Path", "ParentPath", "MaxInternalSize"},
    "Msvm_ResourceAllocationSettingData": {"ResourceType", "ResourceSubType", "Parent", "AddressOnParent"},
    "Msvm_StorageAllocationSettingData": {"ResourceType", "ResourceSubType", "Parent", "HostResource"},
    "Msvm_SyntheticEthernetPortSettingData": {"ResourceType", "ResourceSubType", "ElementName", "Address", "StaticMacAddress"},
    "Msvm_EthernetPortAllocationSettingData": {"ResourceType", "ResourceSubType", "Parent", "HostResource"},
    "Msvm_KvpExchangeDataItem": {"Name", "Data", "Source"},
}
KEYS = {"Msvm_VirtualSystemManagementService": "CreationClassName", "Msvm_ImageManagementService": "CreationClassName",
        "Msvm_VirtualSystemSnapshotService": "CreationClassName", "Msvm_ComputerSystem": "Name", "Msvm_VirtualSystemSettingData": "InstanceID",
        "Msvm_ConcreteJob": "InstanceID", "CIM_DataFile": "Name", "Msvm_ShutdownComponent": "DeviceID"}


class Fault(Exception):
    def __init__(self, subcode, reason):
        super().__init__(reason)
        self.subcode, self.reason = subcode, reason


class Refusal(Exception):
    """A return value of a method."""


def local(tag):
    return tag.rsplit("}", 1)[-1]


def instance(text):
    """An embedded instance as (class, {property: value}); arrays are lists."""
    root = ET.fromstring(text)
    cls, found = root.get("CLASSNAME"), {}
    if root.tag != "INSTANCE" or cls not in PROPERTIES:
        raise Fault("w:SchemaValidationError", "no instance: " + text[:80])
    for p in root:
        values = [v.text or "" for v in p.iter("VALUE")]
        if p.get("NAME") not in PROPERTIES[cls] or not p.get("TYPE"):
            raise Fault("w:SchemaValidationError", "%s has no property %s" % (cls, p.get("NAME")))
        found[p.get("NAME")] = values if p.tag == "PROPERTY.ARRAY" else values[0]
    return cls, found


def reference(element):
    parameters = element.find(A + "ReferenceParameters")
    cls = parameters.find(W + "ResourceURI").text.rsplit("/", 1)[-1]
    return cls, {s.get("Name"): s.text for s in parameters.iter(W + "Selector")}


class Host:
    def __init__(self, top):
        self.lock = threading.RLock()
        self.vms, self.jobs, self.contexts, self.calls = {}, {}, {}, []
        self.files = {"d:\\images\\desk.vhdx": None}
        self.switches = {n: str(uuid.uuid4()).upper() for n in ("Lab", "Office 2")}
        self.faults = {}   # method: what becomes of its next call
        self.page = 2
        self.is_careless = False  # of files it lists all, whatever was asked
        self.user, self.password = "puesto", "pass word"
        self.held = threading.Event()
        self.connections = set()
        self.ca = top + "/hyperv.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=127.0.0.1", "-addext",
                        "subjectAltName=IP:127.0.0.1", "-keyout", top + "/hyperv.key", "-out", self.ca], check=True, capture_output=True)
        with open(top + "/password", "w") as f:
            f.write(self.password + "\n")
        os.chmod(top + "/password", 0o600)
        self.top = top
        self.start(0)

    def start(self, port):
        host = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

            def setup(self):
                super().setup()
                host.connections.add(self.connection)

            def finish(self):
                host.connections.discard(self.connection)
                super().finish()

            def do_POST(self):
                host.serve(self)

            def log_message(self, *words):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.ca, self.top + "/hyperv.key")
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        for c in list(self.connections):
            try:
                c.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def settings(self, **more):
        s = {"kind": "hyperv", "url": "https://127.0.0.1:%d" % self.port, "user": self.user, "password_file": self.top + "/password", "ca": self.ca,
             "folder": "D:\\puesto", "images": "D:\\images", "switch": "Lab", "addresses": "10.9.0.10-10.9.0.40", "poll_s": 1, "deadline_s": 30}
        s.update(more)
        return {k: v for k, v in s.items() if v is not None}

    # HTTP and SOAP

    def serve(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        want = "Basic " + base64.b64encode(("%s:%s" % (self.user, self.password)).encode()).decode()
        if request.headers.get("Authorization") != want:
            return self.send(request, 401, b"")
        if request.path != "/wsman" or not request.headers.get("Content-Type", "").startswith("application/soap+xml"):
            return self.send(request, 404, b"")
        try:
            answer, drop = self.answer(ET.fromstring(body))
            status = 200
        except Fault as f:
            status, drop = 500, None
            answer = ("<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>%s</s:Value></s:Subcode></s:Code><s:Reason><s:Text xml:lang='en-US'>%s"
                      "</s:Text></s:Reason></s:Fault>" % (f.subcode, escape(f.reason)))
        if drop == "drop":
            request.close_connection = True
            request.connection.close()
            return None
        envelope = ("<s:Envelope xml:lang='en-US' xmlns:s='%s' xmlns:a='%s' xmlns:w='%s' xmlns:n='%s' xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance'>"
                    "<s:Header><a:Action>x</a:Action></s:Header><s:Body>%s</s:Body></s:Envelope>" % (S[1:-1], A[1:-1], W[1:-1], N[1:-1], answer))
        return self.send(request, status, envelope.encode())

    @staticmethod
    def send(request, status, data):
        try:
            request.send_response(status)
            request.send_header("Content-Type", "application/soap+xml;charset=UTF-8")
            request.send_header("Content-Length", str(len(data)))
            request.end_headers()
            request.wfile.write(data)
        except OSError:
            pass

    def answer(self, envelope):
        header, body = envelope.find(S + "Header"), envelope.find(S + "Body")
        for needed in (A + "To", W + "ResourceURI", A + "Action", A + "MessageID", A + "ReplyTo", W + "OperationTimeout", W + "MaxEnvelopeSize"):
            if header.find(needed) is None:
                raise Fault("a:MessageInformationHeaderRequired", "no " + needed)
        uri, action = header.find(W + "ResourceURI").text, header.find(A + "Action").text
        selectors = {s.get("Name"): s.text for s in header.iter(W + "Selector")}
        verb = action.rsplit("/", 1)[-1]
        with self.lock:
            self.calls.append(verb)
            fault = self.faults.pop(verb, None)
        if fault == "hang":
            self.held.wait(60)
        if fault == "fault":
            raise Fault("w:InternalError", "the provider has crashed")
        with self.lock:
            if action == N[1:-1] + "/Enumerate":
                return self.enumerate(uri, body[0]), fault
            if action == N[1:-1] + "/Pull":
                return self.pull(body[0]), fault
            if action.endswith("/transfer/Get"):
                return self.get(uri, selectors), fault
            return self.invoke(uri, action, selectors, body[0], fault), fault

    # Queries

    def objects(self, cls):
        if cls == "Msvm_ComputerSystem":
            # The words are of the host's language; the host itself is one of them.
            return [{"Name": "HV1", "ElementName": "HV1", "Caption": "Equipo host", "EnabledState": 2}] + [
                {"Name": v["id"], "ElementName": v["name"], "Caption": "Máquina virtual", "EnabledState": v["state"]} for v in self.vms.values()]
        if cls == "Msvm_ShutdownComponent":
            return [{"SystemCreationClassName": "Msvm_ComputerSystem", "SystemName": v["id"], "CreationClassName": cls, "DeviceID": "Microsoft:%s\\9F8233AC" % v["id"]}
                    for v in self.vms.values() if v["state"] == 2 and not v.get("deaf")]
        if cls == "Msvm_VirtualSystemSettingData":
            systems = [dict(InstanceID="Microsoft:" + v["id"], VirtualSystemIdentifier=v["id"], ElementName=v["name"], VirtualSystemType=SYSTEM,
                            Notes=v["notes"]) for v in self.vms.values()]
            return systems + [dict(InstanceID=i, VirtualSystemIdentifier=v["id"], ElementName=s["name"], VirtualSystemType=SNAPSHOT, Notes=s["notes"])
                              for v in self.vms.values() for i, s in v["snapshots"].items()]
        if cls == "Msvm_VirtualEthernetSwitch":
            return [{"Name": i, "ElementName": n} for n, i in self.switches.items()]
        if cls == "CIM_DataFile":
            return [{"Name": p, "Drive": p[:2], "Path": p[2:].rsplit("\\", 1)[0] + "\\", "FileName": p.rsplit("\\", 1)[1].rsplit(".", 1)[0]} for p in self.files]
        raise Fault("w:InvalidResourceURI", "no class " + cls)

    @staticmethod
    def matches(o, conditions):
        for name, operator, value in conditions:
            value = re.sub(r"\\(.)", r"\1", value)
            have = str(o[name]).lower()
            if operator == "=" and have != value.lower():
                return False
            if operator == "LIKE" and not have.startswith(value.lower().rstrip("%")):
                return False
        return True

    def enumerate(self, uri, body):
        flt = body.find(W + "Filter")
        if not uri.endswith("/*") or flt.get("Dialect") != WQL or body.find(W + "OptimizeEnumeration") is None:
            raise Fault("n:FilterDialectRequestedUnavailable", "no WQL")
        query = re.fullmatch(r"SELECT \* FROM (\w+)(?: WHERE (.*))?", flt.text)
        if not query:
            raise Fault("n:CannotProcessFilter", flt.text)
        conditions = re.findall(r"(\w+) (=|LIKE) '((?:[^'\\]|\\.)*)'", query[2] or "")
        if " AND ".join("%s %s '%s'" % c for c in conditions) != (query[2] or ""):
            raise Fault("n:CannotProcessFilter", flt.text)
        is_careless = self.is_careless and query[1] == "CIM_DataFile"
        found = [(query[1], o) for o in self.objects(query[1]) if is_careless or self.matches(o, conditions)]
        return self.items("n:EnumerateResponse", found, "w:")

    def pull(self, body):
        found = self.contexts.pop(body.find(N + "EnumerationContext").text, None)
        if found is None:
            raise Fault("n:InvalidEnumerationContext", "no such list")
        return self.items("n:PullResponse", found, "n:")

    def items(self, name, found, prefix):
        now, later = found[:self.page], found[self.page:]
        context = str(uuid.uuid4())
        if later:
            self.contexts[context] = later
        inner = "".join(self.xml(cls, o) for cls, o in now)
        return "<%s><n:EnumerationContext>uuid:%s</n:EnumerationContext><%sItems>%s</%sItems>%s</%s>" % (
            name, context, prefix, inner, prefix, "" if later else "<%sEndOfSequence/>" % prefix, name) if not later else \
            "<%s><n:EnumerationContext>%s</n:EnumerationContext><%sItems>%s</%sItems></%s>" % (name, context, prefix, inner, prefix, name)

    @staticmethod
    def xml(cls, o):
        def one(k, v):
            if v is None or v == []:
                return "<p:%s xsi:nil='true'/>" % k
            return "".join("<p:%s>%s</p:%s>" % (k, escape(str(x)), k) for x in (v if isinstance(v, list) else [v]))
        return "<p:%s xmlns:p='%s' xsi:type='p:%s_Type'>%s</p:%s>" % (cls, V2 + cls, cls, "".join(one(k, v) for k, v in o.items()), cls)

    def get(self, uri, selectors):
        cls = uri.rsplit("/", 1)[-1]
        job = self.jobs.get(selectors.get("InstanceID"))
        if cls != "Msvm_ConcreteJob" or not job:
            raise Fault("a:DestinationUnreachable", "no such object")
        job["looks"] -= 1
        done = job["looks"] <= 0
        return self.xml(cls, {"InstanceID": selectors["InstanceID"], "JobState": (job["end"] if done else 4), "ErrorDescription": job["error"] if done else None})

    # Methods

    @staticmethod
    def epr(name, cls, keys):
        chosen = "".join("<w:Selector Name='%s'>%s</w:Selector>" % (k, escape(v)) for k, v in keys.items())
        return ("<p:%s><a:Address>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:Address><a:ReferenceParameters><w:ResourceURI>%s"
                "</w:ResourceURI><w:SelectorSet><w:Selector Name='__cimnamespace'>root/virtualization/v2</w:Selector>%s</w:SelectorSet></a:ReferenceParameters></p:%s>"
                % (name, V2 + cls, chosen, name))

    def job(self, end, error="", looks=1):
        i = str(uuid.uuid4()).upper()
        self.jobs[i] = {"looks": looks, "end": end, "error": error}
        return self.epr("Job", "Msvm_ConcreteJob", {"InstanceID": i}) + "<p:ReturnValue>4096</p:ReturnValue>"

    def invoke(self, uri, action, selectors, body, fault):
        cls, method = uri.rsplit("/", 1)[-1], action.rsplit("/", 1)[-1]
        if action != uri + "/" + method or local(body.tag) != method + "_INPUT" or KEYS.get(cls) not in selectors:
            raise Fault("w:InvalidSelectors", "not a call of " + cls)
        args = {}
        for child in body:
            args.setdefault(local(child.tag), []).append(child)
        handler = getattr(self, "do_" + method, None)
        if not handler:
            raise Fault("a:ActionNotSupported", method)
        outputs = ""
        try:
            if fault and fault.startswith("return:"):
                raise Refusal(fault[7:])
            if fault == "job":
                outputs = self.job(10, "the disk is full (0x80070070)", 3)
            else:
                outputs = handler(selectors, args)
                outputs += self.job(7, looks=4) if fault == "slow" else self.job(32768, looks=2) if fault == "warned" else self.job(7) if method in ("DefineSystem", "DestroySystem", "RequestStateChange", "CreateSnapshot") else \
                    "<p:ReturnValue>0</p:ReturnValue>"
        except Refusal as r:
            outputs = "<p:ReturnValue>%s</p:ReturnValue>" % r
        return "<p:%s_OUTPUT xmlns:p='%s'>%s</p:%s_OUTPUT>" % (method, uri, outputs, method)

    def vm(self, element):
        cls, keys = reference(element)
        if cls != "Msvm_ComputerSystem" or keys.get("Name") not in self.vms:
            raise Refusal("32773")
        return self.vms[keys["Name"]]

    def do_DefineSystem(self, selectors, args):
        _, new = instance(args["SystemSettings"][0].text)
        resources = [instance(a.text) for a in args.get("ResourceSettings", [])]
        i = str(uuid.uuid4()).upper()
        self.vms[i] = {"id": i, "name": new["ElementName"], "notes": new["Notes"], "state": 3, "resources": resources, "snapshots": {}, "kvp": {}, "disk": None}
        return self.epr("ResultingSystem", "Msvm_ComputerSystem", {"CreationClassName": "Msvm_ComputerSystem", "Name": i})

    def do_AddResourceSettings(self, selectors, args):
        cls, keys = reference(args["AffectedConfiguration"][0])
        vm = self.vms.get(keys["InstanceID"].split(":")[1])
        if cls != "Msvm_VirtualSystemSettingData" or not vm:
            raise Refusal("32773")
        cls, new = instance(args["ResourceSettings"][0].text)
        i = "Microsoft:%s\\%s" % (vm["id"], str(uuid.uuid4()).upper())
        parent = new.get("Parent")
        if parent is not None and not any('InstanceID="%s"' % r[1]["InstanceID"].replace("\\", "\\\\") in parent for r in vm["resources"] if "InstanceID" in r[1]):
            raise Refusal("32773")
        if cls == "Msvm_StorageAllocationSettingData":
            if new["HostResource"][0].lower() not in self.files:
                raise Refusal("32779")
            vm["disk"] = new["HostResource"][0].lower()
        if cls == "Msvm_EthernetPortAllocationSettingData" and not any(i in new["HostResource"][0] for i in self.switches.values()):
            raise Refusal("32773")
        vm["resources"].append((cls, dict(new, InstanceID=i)))
        return self.epr("ResultingResourceSettings", cls, {"InstanceID": i})

    def do_CreateVirtualHardDisk(self, selectors, args):
        _, new = instance(args["VirtualDiskSettingData"][0].text)
        path, parent = new["Path"].lower(), new["ParentPath"].lower()
        if parent not in self.files:
            raise Refusal("32779")
        if path in self.files or new["Type"] != "4" or new["Format"] != "3":
            raise Refusal("32773")
        self.files[path] = parent
        return ""

    def do_ModifySystemSettings(self, selectors, args):
        _, new = instance(args["SystemSettings"][0].text)
        for vm in self.vms.values():
            target = vm if new["InstanceID"] == "Microsoft:" + vm["id"] else vm["snapshots"].get(new["InstanceID"])
            if target:
                target["name"] = new.get("ElementName", target["name"])
                target["notes"] = new.get("Notes", target["notes"])
                return ""
        raise Refusal("32773")

    def do_RequestStateChange(self, selectors, args):
        vm, wish = self.vms.get(selectors["Name"]), int(args["RequestedState"][0].text)
        allowed = {2: (3, 6), 3: (2, 6), 6: (2,)}  # 4, a guest's shutdown, is of version 1 only
        if not vm or wish not in allowed:
            raise Refusal("32773")
        if vm["state"] not in allowed[wish]:
            raise Refusal("32775")
        if wish == 2 and (not vm["disk"] or vm["disk"] not in self.files):
            raise Refusal("32768")
        vm["state"] = {2: 2, 3: 3, 6: 6}[wish]
        return ""

    def do_InitiateShutdown(self, selectors, args):
        vm = self.vms.get(selectors["SystemName"])
        if set(selectors) - {"__cimnamespace"} != {"SystemCreationClassName", "SystemName", "CreationClassName", "DeviceID"} or args["Force"][0].text != "false" or not args["Reason"][0].text:
            raise Refusal("32773")
        if vm["state"] != 2:
            raise Refusal("32775")
        vm["asked"], vm["state"] = True, 3
        return ""

    def do_DestroySystem(self, selectors, args):
        vm = self.vm(args["AffectedSystem"][0])
        if vm["state"] != 3:
            raise Refusal("32775")
        del self.vms[vm["id"]]
        return ""

    def do_CreateSnapshot(self, selectors, args):
        vm = self.vm(args["AffectedSystem"][0])
        if args["SnapshotType"][0].text != "2":
            raise Refusal("32773")
        i = "Microsoft:" + str(uuid.uuid4()).upper()
        vm["snapshots"][i] = {"name": vm["name"] + " - (now)", "notes": vm["notes"], "ran": vm["state"] == 2}
        self.files["%s_%s.avhdx" % (vm["disk"][:-5], i[10:].lower())] = vm["disk"]
        return "<p:ResultingSnapshot xsi:nil='true'/>"  # a job's answer does not name what it makes

    def snapshot(self, element):
        _, keys = reference(element)
        for vm in self.vms.values():
            if keys["InstanceID"] in vm["snapshots"]:
                return vm, keys["InstanceID"]
        raise Refusal("32773")

    def do_ApplySnapshot(self, selectors, args):
        vm, i = self.snapshot(args["Snapshot"][0])
        if vm["state"] not in (3, 6):
            raise Refusal("32775")
        vm["state"], vm["notes"] = 6 if vm["snapshots"][i]["ran"] else 3, vm["snapshots"][i]["notes"]
        return ""

    def do_DestroySnapshot(self, selectors, args):
        vm, i = self.snapshot(args["AffectedSnapshot"][0])
        del vm["snapshots"][i]
        return ""

    def do_AddKvpItems(self, selectors, args):
        vm, (_, item) = self.vm(args["TargetSystem"][0]), instance(args["DataItems"][0].text)
        if item["Name"] in vm["kvp"] or len(item["Data"]) > 2047 or item["Source"] != "0":
            raise Refusal("32773")
        vm["kvp"][item["Name"]] = item["Data"]
        return ""

    def do_RemoveKvpItems(self, selectors, args):
        vm, (_, item) = self.vm(args["TargetSystem"][0]), instance(args["DataItems"][0].text)
        if vm["kvp"].pop(item["Name"], None) is None:
            raise Refusal("32773")
        return ""

    def do_Delete(self, selectors, args):
        if self.files.pop(selectors["Name"].lower(), "absent") == "absent":
            raise Fault("a:DestinationUnreachable", "no such file")
        return ""
