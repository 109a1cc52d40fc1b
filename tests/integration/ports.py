# SPDX-License-Identifier: GPL-3.0-or-later
"""A port of the loopback for a server that a test starts."""
import random
import socket

# Below those that the kernel gives to whoever connects: another test's client may not get it meanwhile.
FIRST, LAST = 10000, 32767
TRIES = 100


def free_port():
    chosen = random.SystemRandom()
    for _ in range(TRIES):
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", chosen.randint(FIRST, LAST)))
            except OSError:
                continue
            return s.getsockname()[1]
    raise OSError("no free port in %d tries" % TRIES)
