# SPDX-License-Identifier: GPL-3.0-or-later
"""front_host on a loopback port, an X display of its own, and the real xfreerdp3 on it; pictures of both, pixel by pixel."""
import math
import os
import re
import select
import shutil
import struct
import subprocess
import tempfile
import time

from ports import free_port

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
TOOLS = ("xfreerdp3", "Xvfb", "xwd", "xdotool", "xclip", "openssl")
SECONDS = 30


def missing():
    return [tool for tool in TOOLS if not shutil.which(tool)]


class Lines:
    """The lines of a program, as they come."""

    def __init__(self, process):
        self.process, self.seen, self.rest = process, [], b""

    def until(self, pattern, seconds=SECONDS, start=0):
        """The first match from line start on; waits for it."""
        end = time.monotonic() + seconds
        at = start
        while True:
            for line in self.seen[at:]:
                at += 1
                found = re.search(pattern, line)
                if found:
                    return found
            left = end - time.monotonic()
            assert left > 0, "%r did not come; the last lines are %r" % (pattern, self.seen[-8:])
            if not select.select([self.process.stdout], [], [], left)[0]:
                continue
            data = os.read(self.process.stdout.fileno(), 65536)
            assert data, "the program ended before %r; the last lines are %r" % (pattern, self.seen[-8:])
            lines = (self.rest + data).split(b"\n")
            self.rest = lines.pop()
            self.seen += [line.decode(errors="replace") for line in lines]


class Display:
    """An X server without a window manager: a client's window stands at the origin."""

    def __init__(self, width, height, depth=24):
        read, write = os.pipe()
        self.process = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "%dx%dx%d" % (width, height, depth), "-nolisten", "tcp"],
                                        pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as f:
            self.name = ":" + f.readline().strip()
        self.env = dict(os.environ, DISPLAY=self.name)

    def run(self, *command, **options):
        return subprocess.run(command, env=self.env, check=True, timeout=SECONDS, **options)

    def picture(self, width, height):
        return read_xwd(self.run("xwd", "-root", "-silent", capture_output=True).stdout, width, height)

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def read_xwd(data, width, height):
    """The upper left part as rows of R, G, B bytes. Pixels begin with blue, and have 32 bits or, from several visuals, 24."""
    header = struct.unpack(">25I", data[:100])
    size, pixel, per_line, colours = header[0], header[11] // 8, header[12], header[19]
    at = size + colours * 12
    rows = []
    for y in range(height):
        line = data[at + y * per_line:at + y * per_line + width * pixel]
        row = bytearray(width * 3)
        row[0::3], row[1::3], row[2::3] = line[2::pixel], line[1::pixel], line[0::pixel]
        rows.append(bytes(row))
    return rows


def read_ppm(path):
    with open(path, "rb") as f:
        assert f.readline() == b"P6\n"
        width, height = map(int, f.readline().split())
        f.readline()
        data = f.read()
    return [data[y * width * 3:(y + 1) * width * 3] for y in range(height)]


def psnr(a, b):
    total = count = 0
    for x, y in zip(a, b):
        total += sum((p - q) ** 2 for p, q in zip(x, y))
        count += len(x)
    return 99.0 if total == 0 else 10 * math.log10(255 * 255 * count / total)


def colours(rows):
    """Red and blue less green, as rows: what is left of a picture without its light."""
    return [bytes((c - g) // 2 + 128 for r, g, b in zip(row[::3], row[1::3], row[2::3]) for c in (r, b)) for row in rows]


def widest_error(a, b):
    return max(max(abs(p - q) for p, q in zip(x, y)) if x != y else 0 for x, y in zip(a, b))


def part(rows, x, y, w, h):
    return [row[x * 3:(x + w) * 3] for row in rows[y:y + h]]


def client(display, home, log, port, password, *options):
    return subprocess.Popen(["xfreerdp3", "/v:127.0.0.1:%d" % port, "/u:ana", "/p:" + password, "/cert:ignore", "/sec:tls", "/window-position:0x0",
                             "/log-level:WARN", *options], env=dict(display.env, HOME=home), stdout=log, stderr=log)


class Session:
    """One connection: the host's lines, the client, the client's display."""

    def __init__(self, *client_options, size="640x480", screen=(640, 480), wish=None, password="secret", host_options=(), program=None):
        self.dir = tempfile.mkdtemp(prefix="puesto-rdp-")
        self.port = free_port()
        self.display = Display(*screen)
        self.file = os.path.join(self.dir, "picture.ppm")
        key, cert = os.path.join(self.dir, "key.pem"), os.path.join(self.dir, "cert.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-keyout", key, "-out",
                        cert, "-subj", "/CN=localhost"], check=True, stderr=subprocess.DEVNULL)
        self.host = subprocess.Popen([os.path.join(BUILD, "tests/integration/front_host"), "--port", str(self.port), "--size", size,
                                      "--cert", cert, "--key", key, "--picture", self.file, *host_options], stdout=subprocess.PIPE)
        self.lines = Lines(self.host)
        self.lines.until("^listening")
        self.log = open(os.path.join(self.dir, "client.log"), "w+b")
        if program:
            self.client = subprocess.Popen([*program, "--port", str(self.port)], stdout=subprocess.PIPE, stderr=self.log)
            self.client_lines = Lines(self.client)
        else:
            self.client = client(self.display, self.dir, self.log, self.port, password, "/size:" + (wish or size), *client_options)

    def client_text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def exact(self, seconds=SECONDS):
        """Waits for a picture that is sent whole, and for the client to show that one; returns both."""
        self.lines.until("^exact", seconds, getattr(self, "mark", 0))
        end = time.monotonic() + seconds
        while True:
            want = read_ppm(self.file)
            have = self.display.picture(len(want[0]) // 3, len(want))
            if have == want or time.monotonic() > end:
                return have, want
            time.sleep(0.05)

    def close(self):
        for process in (self.client, self.host):
            if process.poll() is None:
                process.terminate()
            process.wait(10)
        for stream in (self.host.stdout, self.client.stdout):
            if stream:
                stream.close()
        self.log.close()
        self.display.close()
        shutil.rmtree(self.dir)
