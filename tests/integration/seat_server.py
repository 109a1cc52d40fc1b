# SPDX-License-Identifier: GPL-3.0-or-later
"""A seat's server on loopback, for what only has to greet: seat_server.py ADDRESS PORT PROTOCOL PIDFILE. Its pid is in the file once it listens."""
import os
import socket
import sys
import threading

RDP = bytes.fromhex("030000130ed000001234000200080001000000")


def vnc(s):
    s.sendall(b"RFB 003.008\n")
    if s.recv(12) == b"RFB 003.008\n":
        s.sendall(b"\x01\x01")
        if s.recv(1) == b"\x01":
            s.sendall(bytes(4))


def rdp(s):
    if s.recv(64)[5:6] == b"\xe0":
        s.sendall(RDP)


def agent(s):
    if s.recv(512)[:2] == b"\x16\x03":
        s.sendall(bytes.fromhex("15030300020228"))  # an alert: no certificate, no talk


def talk(s, protocol):
    with s:
        s.settimeout(10)
        try:
            protocol(s)
            s.recv(1)
        except OSError:
            pass


def main():
    address, port, protocol, pidfile = sys.argv[1:]
    listener = socket.create_server((address, int(port)), backlog=64)
    with open(pidfile + ".new", "w") as f:
        f.write("%d\n" % os.getpid())
    os.rename(pidfile + ".new", pidfile)
    while True:
        s, _ = listener.accept()
        threading.Thread(target=talk, args=(s, {"vnc": vnc, "rdp": rdp, "agent": agent}[protocol]), daemon=True).start()


if __name__ == "__main__":
    main()
