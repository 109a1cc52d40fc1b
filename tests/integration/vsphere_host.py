# SPDX-License-Identifier: GPL-3.0-or-later
"""VMware's own simulator of a vCenter, built from Debian's golang-github-vmware-govmomi-dev, and a door before it
that counts calls and breaks them as a test wants."""
import http.client
import http.server
import os
import re
import shutil
import ssl
import subprocess
import threading
from xml.sax.saxutils import escape

BUILD = os.path.abspath(os.environ.get("top_builddir", "build"))
SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vsphere", "simulator.go")
GOCODE = "/usr/share/gocode"
USER, PASSWORD = "puesto@vsphere.local", "right&<password>"
NEEDS = {"golang-go": shutil.which("go"), "openssl": shutil.which("openssl"),
         "golang-github-vmware-govmomi-dev": os.path.exists(GOCODE + "/src/github.com/vmware/govmomi/simulator")}
LACKING = [package for package, is_there in NEEDS.items() if not is_there]
ENVELOPE = ('<?xml version="1.0"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>%s</soapenv:Body></soapenv:Envelope>')


def build():
    """The program, kept in the build folder: it takes some 25 s of a processor the first time."""
    shared = os.path.join(BUILD, "..", "build", "vsphere-simulator")  # beside build-asan
    place = shared if os.path.isdir(shared) else os.path.join(BUILD, "vsphere-simulator")
    program = os.path.join(place, "simulator")
    if os.path.exists(program) and os.path.getmtime(program) > os.path.getmtime(SOURCE):
        return program
    os.makedirs(place, exist_ok=True)
    source = shutil.copy(SOURCE, place)
    env = dict(os.environ, GO111MODULE="off", GOPATH=GOCODE, GOCACHE=os.path.join(place, "cache"), GOFLAGS="", GOTOOLCHAIN="local")
    subprocess.run(["go", "build", "-p", "2", "-o", program + ".new", source], env=env, cwd=place, check=True)
    os.replace(program + ".new", program)
    shutil.rmtree(os.path.join(place, "cache"), ignore_errors=True)
    return program


def certify(certificate, key):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3",
                    "-keyout", key, "-out", certificate, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True,
                   capture_output=True)


class Simulator:
    def __init__(self, folder):
        self.program = build()
        self.certificate, self.key = os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")
        certify(self.certificate, self.key)
        self.log = open(os.path.join(folder, "simulator.log"), "ab")
        self.folder, self.port, self.process = folder, 0, None

    def start(self, *options):
        command = [self.program, "-l", "127.0.0.1:%d" % self.port, "-cert", self.certificate, "-key", self.key, *options]
        # Its datastores are folders that it leaves behind when it is killed.
        env = dict(os.environ, TMPDIR=self.folder)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True, env=env)
        line = self.process.stdout.readline()
        assert line.startswith("listening "), "the simulator did not start: see %s" % self.log.name
        self.port = int(line.split()[1])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def end(self):
        if self.process:
            self.kill()
        self.log.close()


class Client:
    """An administrator's session, by plain calls."""

    def __init__(self, port):
        self.port, self.cookie = port, ""
        words = "<userName>%s</userName><password>%s</password>" % (USER, escape(PASSWORD))
        self.call("Login", "SessionManager", "SessionManager", words)

    def call(self, method, kind, name, args=""):
        body = ENVELOPE % '<%s xmlns="urn:vim25"><_this type="%s">%s</_this>%s</%s>' % (method, kind, name, args, method)
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=ssl._create_unverified_context(), timeout=30)
        connection.request("POST", "/sdk", body.encode(), {"Content-Type": "text/xml", "Cookie": self.cookie})
        answer = connection.getresponse()
        self.cookie = answer.getheader("Set-Cookie", self.cookie).split(";")[0]
        text = answer.read().decode()
        connection.close()
        assert answer.status == 200, text
        return text

    def find(self, path):
        text = self.call("FindByInventoryPath", "SearchIndex", "SearchIndex", "<inventoryPath>%s</inventoryPath>" % path)
        m = re.search(r"<returnval[^>]*>([^<]+)</returnval>", text)
        return m and m[1]

    def get(self, kind, name, path):
        """A property's XML."""
        spec = ('<specSet><propSet><type>%s</type><pathSet>%s</pathSet></propSet><objectSet><obj type="%s">%s</obj></objectSet></specSet>'
                "<options/>" % (kind, path, kind, name))
        m = re.search(r"<val[^>]*>(.*)</val>", self.call("RetrievePropertiesEx", "PropertyCollector", "propertyCollector", spec), re.S)
        return m[1] if m else ""

    def names(self):
        """Machines of the folder."""
        refs = re.findall(r'type="VirtualMachine">([^<]+)<', self.get("Folder", self.find("DC0/vm/Puesto"), "childEntity"))
        return sorted(self.get("VirtualMachine", ref, "name") for ref in refs)

    def extra(self, vm):
        """extraConfig; of a key that is there twice the last."""
        text = self.get("VirtualMachine", vm, "config.extraConfig")
        return dict(re.findall(r"<key>([^<]*)</key>\s*<value[^>]*>([^<]*)</value>", text))

    def task(self, method, vm, args=""):
        self.call(method, "VirtualMachine", vm, args)

    def sessions(self):
        return set(re.findall(r"<key>([^<]+)</key>", self.get("SessionManager", "SessionManager", "sessionList")))

    def end_other_sessions(self):
        mine = self.cookie.split("=")[1].strip('"')
        others = self.sessions() - {mine}
        if others:
            ids = "".join("<sessionId>%s</sessionId>" % s for s in others)
            self.call("TerminateSession", "SessionManager", "SessionManager", ids)
        return len(others)


class Door(http.server.ThreadingHTTPServer):
    """Passes calls on to the simulator. `rule`, if set, is called with (method, number of that method, forward) on the connection's
    own thread: it may call forward() for the answer's bytes, and returns bytes to answer, or None to hang up."""
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, simulator):
        super().__init__(("127.0.0.1", 0), Passage)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(simulator.certificate, simulator.key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.simulator, self.rule, self.seen, self.bodies, self.lock = simulator, None, {}, [], threading.Lock()
        self.url = "https://localhost:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def forget(self):
        with self.lock:
            self.rule, self.seen, self.bodies = None, {}, []

    def count(self, method):
        with self.lock:
            return self.seen.get(method, 0)

    def sent(self, method):
        """The bodies of all calls of that method."""
        with self.lock:
            return [body for name, body in self.bodies if name == method]

    def handle_error(self, request, client_address):
        pass  # whoever hung up

    def end(self):
        self.shutdown()
        self.server_close()


class Passage(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def setup(self):
        super().setup()
        self.upstream = http.client.HTTPSConnection("127.0.0.1", self.server.simulator.port, context=ssl._create_unverified_context(),
                                                    timeout=120)

    def finish(self):
        self.upstream.close()
        super().finish()

    def forward(self, body):
        try:
            headers = {n: self.headers[n] for n in ("Cookie", "SOAPAction", "Content-Type") if n in self.headers}
            self.upstream.request("POST", self.path, body, headers)
            answer = self.upstream.getresponse()
        except (OSError, http.client.HTTPException) as e:
            self.upstream.close()
            raise OSError("the simulator is gone") from e
        self.status, self.cookie = answer.status, answer.getheader("Set-Cookie")
        return answer.read()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        method = re.search(rb"Body><(\w+)", body)[1].decode()
        self.status, self.cookie = 200, None
        with self.server.lock:
            self.server.seen[method] = number = self.server.seen.get(method, 0) + 1
            self.server.bodies.append((method, body.decode()))
            rule = self.server.rule
        try:
            data = rule(method, number, lambda: self.forward(body)) if rule else self.forward(body)
        except OSError:
            data = None
        if data is None:
            self.close_connection = True
            return
        self.send_response(self.status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(data)))
        if self.cookie:
            self.send_header("Set-Cookie", self.cookie)
        self.end_headers()
        self.wfile.write(data)
