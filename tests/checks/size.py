# SPDX-License-Identifier: GPL-3.0-or-later
"""The size budget: lines of files and functions, and complexity (pmccabe)."""
import shutil
import subprocess

import tree

C_LINES, H_LINES, FUNCTION_LINES, COMPLEXITY = 600, 200, 60, 15

allowed, findings = tree.exceptions("size-exceptions")
used = set()


def over(subject, what, value, ceiling):
    if value <= ceiling:
        return
    used.add(subject)
    if subject not in allowed:
        findings.append(f"{subject}: {value} {what}, the ceiling is {ceiling}")


sources = tree.files(tree.PROGRAM_DIRS + ("tests",), (".c", ".h"))
for path in sources:
    over(path, "lines", tree.text(path).count("\n"), H_LINES if path.endswith(".h") else C_LINES)

if not shutil.which("pmccabe"):
    print("size: pmccabe is missing, functions are not measured: apt-get install pmccabe")
elif sources:
    # Fields: modified and traditional complexity, statements, first line, lines, file(line): name.
    # A test function is a list of assertions, each of which is a branch of its macro.
    measured = [p for p in sources if p.endswith(".c") and not p.startswith("tests/")]
    out = subprocess.run(["pmccabe"] + measured, cwd=tree.TOP, capture_output=True, text=True).stdout
    for line in out.splitlines():
        fields = line.split("\t")
        if len(fields) < 6:
            continue
        place, _, name = fields[5].partition(": ")
        subject = f"{place.split('(')[0]}:{name}"
        over(subject, "lines", int(fields[4]), FUNCTION_LINES)
        over(subject, "paths (complexity)", int(fields[0]), COMPLEXITY)

for subject in sorted(set(allowed) - used):
    findings.append(f"tests/checks/size-exceptions: {subject} keeps to the budget now, remove its line")

tree.finish("size", findings, "Split by noun, or name it in tests/checks/size-exceptions with the reason.")
