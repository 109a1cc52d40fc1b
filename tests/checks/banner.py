# SPDX-License-Identifier: GPL-3.0-or-later
"""Every source says its licence and what it is; every header is included once."""
import tree

SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"
findings = []
for path in tree.files(tree.PROGRAM_DIRS + ("tests",), (".c", ".h", ".py", ".sh")):
    text = tree.text(path)
    head = text.split("\n", 3)
    if SPDX not in head[0] and not (head[0].startswith("#!") and len(head) > 1 and SPDX in head[1]):
        findings.append(f"{path}:1: the first line must be {SPDX}")
    if path.endswith(".h") and "#pragma once" not in text:
        findings.append(f"{path}: #pragma once is missing")
    if path.endswith((".c", ".h")):
        # Either the licence's comment goes on, or another one follows it.
        words = [line for line in text.split("\n", 4)[:4] if line.lstrip().startswith(("/*", "*", "//"))]
        if len(words) < 2:
            findings.append(f"{path}:2: a comment must say what this file does")
        for number, line in enumerate(text.splitlines(), 1):
            if line.rstrip() != line:
                findings.append(f"{path}:{number}: white space at the end of the line")
    if text and not text.endswith("\n"):
        findings.append(f"{path}: the last line has no end")

tree.finish("banner", findings, "See the neighbouring files for the form.")
