# SPDX-License-Identifier: GPL-3.0-or-later
"""A small VNC viewer for tests: VeNCrypt with a password, Raw pixels, keys, and a picture that can be looked at."""
import socket
import ssl
import struct
import time

RAW, DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE = 0, -223, -308
ENTER, ESCAPE, DOWN = 0xff0d, 0xff1b, 0xff54


class Refused(Exception):
    """The server's reason in the security result."""


class Rfb:
    def __init__(self, port, user="ana", password="secret", encodings=(RAW, DESKTOP_SIZE)):
        self.raw = socket.create_connection(("127.0.0.1", port), 20)
        self.sock = self.raw
        self.log_in(user, password)
        self.sock.sendall(b"\x01")
        self.width, self.height = struct.unpack(">HH", self.read(4))
        self.read(16)
        self.name = self.read(struct.unpack(">I", self.read(4))[0]).decode()
        self.pixels = bytearray(self.width * self.height * 4)
        self.updates = 0
        self.sock.sendall(struct.pack(">BBH", 2, 0, len(encodings)) + b"".join(struct.pack(">i", e) for e in encodings))
        self.ask(False)

    def read(self, n):
        data = b""
        while len(data) < n:
            piece = self.sock.recv(n - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def secure(self):
        self.read(12)
        self.sock.sendall(b"RFB 003.008\n")
        assert self.read(2) == b"\x01\x13"
        self.sock.sendall(b"\x13")
        assert self.read(2) == b"\x00\x02"
        self.sock.sendall(b"\x00\x02")
        assert self.read(6) == struct.pack(">BBI", 0, 1, 262)
        self.sock.sendall(struct.pack(">I", 262))
        assert self.read(1) == b"\x01"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.sock = context.wrap_socket(self.raw)

    def log_in(self, user, password):
        self.secure()
        user, password = user.encode(), password.encode()
        self.sock.sendall(struct.pack(">II", len(user), len(password)) + user + password)
        if struct.unpack(">I", self.read(4))[0]:
            raise Refused(self.read(struct.unpack(">I", self.read(4))[0]).decode())

    def ask(self, incremental=True):
        self.sock.sendall(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))

    def key(self, keysym):
        for down in (1, 0):
            self.sock.sendall(struct.pack(">BBHI", 4, down, 0, keysym))

    def click(self, x, y):
        for buttons in (0, 1, 0):
            self.sock.sendall(struct.pack(">BBHH", 5, buttons, x, y))

    def resize(self, width, height):
        self.sock.sendall(struct.pack(">BBHHBBIHHHHI", 251, 0, width, height, 1, 0, 0, 0, 0, width, height, 0))

    def take_rect(self):
        x, y, w, h, encoding = struct.unpack(">HHHHi", self.read(12))
        if encoding == EXTENDED_DESKTOP_SIZE:
            self.read(16 * self.read(4)[0])
        if encoding in (DESKTOP_SIZE, EXTENDED_DESKTOP_SIZE):
            self.width, self.height = w, h
            self.pixels = bytearray(w * h * 4)
            return
        assert encoding == RAW, encoding
        for row in range(y, y + h):
            at = (row * self.width + x) * 4
            self.pixels[at:at + w * 4] = self.read(w * 4)

    def step(self):
        """One message of the server; an update is asked for again."""
        kind = self.read(1)[0]
        if kind == 0:
            for _ in range(struct.unpack(">xH", self.read(3))[0]):
                self.take_rect()
            self.updates += 1
            self.ask()
        elif kind == 3:
            self.read(struct.unpack(">xxxI", self.read(7))[0])
        else:
            assert kind == 2, kind

    def until(self, predicate, seconds=15):
        end = time.monotonic() + seconds
        while not predicate():
            self.sock.settimeout(max(end - time.monotonic(), 0.001))
            self.step()
        self.sock.settimeout(20)

    def closed(self, seconds=10):
        """Reads to the end of the connection; how long that took."""
        start = time.monotonic()
        try:
            self.until(lambda: False, seconds)
        except (EOFError, ConnectionError, ssl.SSLError) as e:
            assert not isinstance(e, TimeoutError), "the connection is still open"
        return time.monotonic() - start

    def pixel(self, x, y):
        b, g, r = self.pixels[(y * self.width + x) * 4:][:3]
        return r << 16 | g << 8 | b

    def count(self, colour):
        """How many pixels have this colour."""
        want, n, at = struct.pack("<I", colour)[:3], 0, self.pixels.find(struct.pack("<I", colour)[:3])
        while at >= 0:
            n += at % 4 == 0
            at = self.pixels.find(want, at + 1)
        return n

    def is_lobby(self):
        return self.pixel(2, 2) == 0xf4f5f7 and self.pixel(self.width // 2, self.height // 2) == 0xffffff

    def is_pattern(self):
        """The test card: bars on its upper half."""
        return self.pixel(self.width - 2, 2) == 0 and self.pixel(self.width * 3 // 16, 2) == 0xffff00
