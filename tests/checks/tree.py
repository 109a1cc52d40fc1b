# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks share: the files of the tree, and a list of exceptions with reasons."""
import os
import sys

TOP = os.path.realpath(os.environ.get("top_srcdir") or os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM_DIRS = ("base", "encoder", "db", "broker", "protocol", "agent")
ALL_DIRS = PROGRAM_DIRS + ("tests", "web", "deploy", "docs")
SKIP_DIRS = {"node_modules", "corpus", ".git", "__pycache__", ".deps", ".libs"}


def files(dirs, suffixes=None):
    """Paths relative to the top, sorted; hidden and generated folders are left out."""
    found = []
    for top in dirs:
        for folder, subfolders, names in os.walk(os.path.join(TOP, top)):
            subfolders[:] = sorted(s for s in subfolders if s not in SKIP_DIRS)
            for name in names:
                if suffixes is None or name.endswith(suffixes):
                    found.append(os.path.relpath(os.path.join(folder, name), TOP))
    return sorted(found)


def text(path):
    with open(os.path.join(TOP, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def exceptions(name):
    """Lines "subject  reason" of tests/checks/NAME; a subject without a reason is a finding."""
    table, findings = {}, []
    path = os.path.join("tests", "checks", name)
    for number, line in enumerate(text(path).splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        subject, _, reason = line.partition(" ")
        if len(reason.strip()) < 10:
            findings.append(f"{path}:{number}: {subject} needs a reason after its name")
        table[subject] = reason.strip()
    return table, findings


def finish(name, findings, advice):
    """Prints the findings and ends the program: 0 when there are none."""
    for finding in findings:
        print(finding)
    if findings:
        print(f"{name}: {len(findings)} findings. {advice}")
        sys.exit(1)
    print(f"{name}: ok")
    sys.exit(0)
