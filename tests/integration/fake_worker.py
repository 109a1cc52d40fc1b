# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands in for puesto-worker: says what it was given, echoes messages, and dies when told so. Started with an empty environment."""
import array
import json
import os
import signal
import socket
import struct
import sys

front = sys.argv[sys.argv.index("--front") + 1]
ctl, client = socket.socket(fileno=3), socket.socket(fileno=4)
ctl.setblocking(True)
client.setblocking(True)


def send(message, sock=ctl):
    data = json.dumps(message).encode()
    sock.sendall(struct.pack(">I", len(data)) + data)


def recv():
    """One control message and the descriptor that came with it."""
    fds = array.array("i")
    data, ancillary, _, _ = ctl.recvmsg(4, socket.CMSG_SPACE(4))
    for _, _, raw in ancillary:
        fds.frombytes(raw[:4])
    if not data:
        sys.exit(0)
    size = struct.unpack(">I", data)[0] & 0x7fffffff  # the top bit says that a descriptor came along
    data = b""
    while len(data) < size:
        data += ctl.recv(size - len(data))
    return json.loads(data), (fds[0] if fds else None)


def say(data):
    client.sendall(struct.pack(">I", len(data)) + data)


def exactly(n):
    data = b""
    while len(data) < n:
        piece = client.recv(n - len(data))
        if not piece:
            send({"op": "session", "event": "ended", "code": "client_left", "reason": "left", "stats": {}})
            sys.exit(0)
        data += piece
    return data


def run_ws(start, fd):
    display = socket.socket(fileno=fd)
    display.setblocking(True)
    send({"op": "session", "event": "started", "session": "forged", "reason": "", "code": "ok", "stats": {}})
    say(json.dumps({"env": dict(os.environ), "fds": sorted(int(f) for f in os.listdir("/proc/self/fd"))[:12], "uid": os.getuid(),
                    "user": start["grant"]["user"], "tls": "tls" in start, "greeting": display.recv(5).decode()}).encode())
    while True:
        data = exactly(struct.unpack(">I", exactly(4))[0])
        if data == b"crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif data == b"fail":
            sys.exit(3)
        elif data == b"nonsense":
            client.sendall(b"\xff\xff\xff\xff")
        elif data == b"flood":
            for i in range(400):
                say(struct.pack(">I", i) + bytes(60_000))
        elif data == b"stall":
            signal.pause()
        elif data == b"wait":
            message, _ = recv()
            send({"op": "session", "event": "ended", "code": message["code"], "reason": message["reason_en"], "reason_es": message["reason_es"],
                  "stats": {"frames": 7}})
            sys.exit(0)
        else:
            say(data)


def run_rfb(start):
    while True:
        data = client.recv(1000)
        if not data:
            sys.exit(0)
        client.sendall(data.upper())


def run_tcp(start):
    """Log-in by the words user:password on the first line, then a desktop, whose display link we prove by its greeting."""
    if front == "rdp":
        assert len(client.recv(19)) == 19  # the gate only looked at the connection request
    line = client.recv(1000)
    send({"op": "auth", "id": 1, "protocol": front, "user": "ana", "password": line.decode(errors="replace")[-20:]})
    reply, _ = recv()
    if "error" in reply:
        client.sendall(reply["error"]["title"].encode())
        sys.exit(0)
    send({"op": "connect", "id": 2, "login": reply["login"], "pool": reply["pool"], "protocol": front})
    while True:
        reply, fd = recv()
        if reply.get("op") == "progress":
            client.sendall(reply["text_en"].encode() + b"\n")
        else:
            break
    if "error" in reply:
        client.sendall(b"error")
        return
    display = socket.socket(fileno=fd)
    display.setblocking(True)
    client.sendall(display.recv(5))
    client.recv(1)


message, descriptor = recv()
assert message["op"] == "start" and message["front"] == front
if front == "ws":
    run_ws(message, descriptor)
elif message["transport"] == "ws":
    run_rfb(message)
else:
    assert "PRIVATE KEY" in message["tls"]["key_pem"]
    run_tcp(message)
