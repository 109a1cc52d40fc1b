# SPDX-License-Identifier: GPL-3.0-or-later
"""No file knows the machine it was written on: no local paths, no package registry by name."""
import os
import re
import subprocess

import tree

LOCKS = ("package-lock.json", ".npmrc", "pip.conf", "requirements.txt", ".list", ".sources", "Dockerfile")
TEXTS = (".c", ".h", ".py", ".sh", ".mk", ".ac", ".am", ".md", ".js", ".mjs", ".json", ".html", ".css", ".sql",
         ".conf", ".service", ".yaml", ".yml", ".1", ".5", ".8", ".txt", ".in", ".svg")


def local_strings():
    """Paths that only this machine has: the working copy and the builder's home."""
    home = os.path.realpath(os.path.expanduser("~"))
    found = {p for p in (tree.TOP, os.path.dirname(tree.TOP)) if p.count("/") >= 2}
    if home.count("/") >= 2:
        found.add(home)
    git = subprocess.run(["git", "-C", tree.TOP, "config", "--get", "remote.origin.url"], capture_output=True,
                         text=True)
    if git.stdout.startswith("/") and git.stdout.count("/") >= 2:
        found.add(git.stdout.strip())
    return found - {"/usr/src", "/usr/local", "/usr/local/src", "/var/tmp"}


LOCAL = [re.compile(re.escape(s) + r"(?![\w-])") for s in sorted(local_strings())]
USERS_DIR = re.compile(r"/(?:root|Users/\w+)/[\w.]")
HOST = re.compile(r"https?://(?:[^/@\s\"']+@)?([^/:\s\"']+)")

allowed, findings = tree.exceptions("machine-exceptions")
tops = [f for f in os.listdir(tree.TOP) if os.path.isfile(os.path.join(tree.TOP, f))
        and f in ("configure.ac", "Makefile.am", "bootstrap", "README.md", "CONTRIBUTING.md", ".clang-format")]
for path in tops + tree.files(tree.ALL_DIRS):
    name = os.path.basename(path)
    is_lock = name.endswith(LOCKS)
    if path in allowed or not (is_lock or name.endswith(TEXTS) or "." not in name):
        continue
    for number, line in enumerate(tree.text(path).splitlines(), 1):
        for pattern in LOCAL + [USERS_DIR]:
            match = pattern.search(line)
            if match:
                findings.append(f"{path}:{number}: {match[0]} exists on one machine only")
        for host in HOST.findall(line) if is_lock else []:
            if not host.endswith(".example") and ('"resolved"' in line or not name.endswith(".json")):
                findings.append(f"{path}:{number}: {host} is named; the machine's own sources know their host")

tree.finish("machine", findings, "Compute the path, make it a setting, or leave the host out.")
