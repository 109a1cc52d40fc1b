# SPDX-License-Identifier: GPL-3.0-or-later
"""Floors: a file includes its own folder and the folders that stand below it, nothing else."""
import os
import re

import tree

PIXELS = ["base", "encoder", "protocol/link"]
FRONTS = ["protocol/front/ws", "protocol/front/rdp", "protocol/front/rfb"]

# folder (with what lies under it, unless that has a line of its own): what it may include
ALLOWED = {
    "base": [],
    "encoder": ["base"],
    "db": ["base"],
    # The link carries rectangles and pixels, in the encoder's words.
    "protocol/link": ["base", "encoder"],
    "protocol/source": PIXELS,
    "protocol/front": PIXELS,
    "protocol/front/ws": PIXELS + ["protocol/front"],
    "protocol/front/rdp": PIXELS + ["protocol/front"],
    "protocol/front/rfb": PIXELS + ["protocol/front"],
    "protocol/gate": ["base"],
    "protocol": PIXELS + ["protocol/source", "protocol/front", "protocol/gate"] + FRONTS,
    "broker/core": ["base"],
    "broker/hypervisor": ["base"],
    "broker/auth": ["base", "db"],
    "broker/api": ["base", "db", "broker/core", "broker/auth", "broker"],
    "broker": ["base", "db", "broker/core", "broker/auth", "broker/api"],
    "broker/cli": ["base"],
    "agent": PIXELS,
}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def owner(path):
    """The longest folder of the table that holds path."""
    folder = os.path.dirname(path)
    while folder and folder not in ALLOWED:
        folder = os.path.dirname(folder)
    return folder


findings, users = [], {}
for path in tree.files(tree.PROGRAM_DIRS, (".c", ".h")):
    here = owner(path)
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        target = match[1]
        there = owner(target)
        where = f"{path}:{number}"
        if not there:
            if os.path.exists(os.path.join(tree.TOP, os.path.dirname(path), target)):
                findings.append(f'{where}: write "{os.path.dirname(path)}/{target}": includes start at the top')
        elif path == f"{here}/registry.c" and there.startswith(here + "/"):
            pass  # a registry lists the concrete ones under it; that is its work
        elif there != here and there not in ALLOWED[here]:
            findings.append(f"{where}: {here} may not include {there} ({target})")
        if there in FRONTS and there != here:
            users.setdefault(there, set()).add(path)

for front, paths in sorted(users.items()):
    if len(paths) > 1:
        findings.append(f"{front}: named in {', '.join(sorted(paths))}; one file, the registry, may do so")

tree.finish("floors", findings,
            "Move the code to the floor that may know it, or pass what is needed as a parameter.")
