# SPDX-License-Identifier: GPL-3.0-or-later
"""Every .c file of the programs has a unit test, or a reason why it has none."""
import os
import re

import tree

# folder of the source -> folder under tests/unit; subfolders go with their parent
UNITS = {
    "base": "base", "encoder": "encoder", "db": "db", "broker": "broker",
    "broker/hypervisor": "hypervisor", "protocol/link": "link", "protocol/source": "source",
    "protocol/front": "ws", "protocol/front/ws": "ws", "protocol/front/rdp": "rdp",
    "protocol/front/rfb": "rfb", "protocol/gate": "gate", "protocol": "gate", "agent": "agent",
}
COVERS = re.compile(r"Covers:([^*]+(?:\n \* +[^*]+)*)")

untested, findings = tree.exceptions("untested")
covered = set()
for test in tree.files(("tests/unit", "tests/sim", "tests/integration"), (".c", ".py", ".sh")):
    for match in COVERS.finditer(tree.text(test)):
        covered.update(word for word in match[1].replace("*", " ").split() if word.endswith(".c"))


def is_main(path):
    return re.search(r"(^|[/_])main\.c$", path) is not None


def test_of(path):
    folder = os.path.dirname(path)
    while folder not in UNITS:
        folder = os.path.dirname(folder)
    return f"tests/unit/{UNITS[folder]}/test_{os.path.basename(path)}"


sources = tree.files(tree.PROGRAM_DIRS, (".c",))
for path in sources:
    test = test_of(path)
    has_test = os.path.exists(os.path.join(tree.TOP, test)) or path in covered
    if path in untested and has_test:
        findings.append(f"tests/checks/untested: {path} has a test now, remove its line")
    elif not has_test and not is_main(path) and path not in untested:
        findings.append(f"{path}: no {test}")
for path in sorted((covered | set(untested)) - set(sources)):
    findings.append(f"{path}: named as covered or untested, but there is no such file")

tree.finish("tested", findings, 'Add the test; or write "Covers: path.c" in the comment at the top of the test '
            "that covers it; or name it in tests/checks/untested with the reason.")
