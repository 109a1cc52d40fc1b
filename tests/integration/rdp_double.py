# SPDX-License-Identifier: GPL-3.0-or-later
"""What drivers wait for at a machine that is shown by RDP: a server that confirms a connection (MS-RDPBCGR, 2.2.1.2), and nothing after it."""
import socket
import threading
import uuid

CONFIRM = bytes.fromhex("030000130ed000001234000200080002000000")
SHOWN, WINDOWS = {"PUESTO_DISPLAY": "rdp"}, {"PUESTO_OS": "windows"}  # what driver_tool is told
PIN = "ab" * 32
ENDPOINT_RDP = 4  # enum endpoint_kind


class RdpServer:
    """At its port nobody listens until begin(). asked: how many came."""

    def __init__(self, address="127.0.0.1"):
        self.address, self.asked, self.socket = address, 0, socket.socket()
        self.socket.bind((address, 0))
        self.port = self.socket.getsockname()[1]

    def begin(self):
        self.socket.listen(8)
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def serve(self):
        while True:
            try:
                conn, _ = self.socket.accept()
            except OSError:
                return
            with conn:
                conn.settimeout(10)
                try:
                    self.asked += conn.recv(100)[:2] == b"\x03\x00"
                    conn.sendall(CONFIRM)
                except OSError:
                    pass

    def end(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # nobody listened
        self.socket.close()


def shown_by(driver, server, image):
    """A Linux machine at the server's address is made, told of, switched off and on, and restarted, and is awaited each time. Its desktop."""
    desktop, server.asked = str(uuid.uuid4()), 0
    shown = {"kind": ENDPOINT_RDP, "address": server.address, "port": server.port, "agent": False}
    machine = driver.call("create", desktop, str(uuid.uuid4()), image, "t")["machine"]
    assert {k: machine[k] for k in shown} == shown and server.asked == 1, (machine, server.asked)
    assert {k: driver.machines()[desktop][k] for k in shown} == shown
    way = driver.call("way", desktop)
    assert {k: way[k] for k in shown if k != "agent"} == {k: shown[k] for k in shown if k != "agent"}, way
    assert way["account"] == {"login": "ask", "layout": "us", "video": False, "fingerprint": PIN}, way
    driver.call("power", desktop, "off")
    driver.call("power", desktop, "start")
    assert server.asked == 2
    for kind in "keep", "refresh":
        machine = driver.call("restart", desktop, str(uuid.uuid4()), kind, "t")["machine"]
        assert {k: machine[k] for k in shown} == shown, machine
    assert server.asked == 4
    return desktop
