# SPDX-License-Identifier: GPL-3.0-or-later
"""The built programs carry what configure asked the compiler for: read from the ELF files themselves."""
import os
import re
import shutil
import subprocess
import sys

if os.environ.get("HARDENING", "yes") != "yes":
    print("hardening: skipped: this build has sanitizers or --disable-hardening")
    sys.exit(77)
if not shutil.which("readelf"):
    print("hardening: skipped: readelf is missing (apt-get install binutils)")
    sys.exit(77)

BUILD = os.environ.get("top_builddir", ".")
findings, programs = [], os.environ.get("INSTALLED_PROGRAMS", "").split()


def readelf(*words):
    return subprocess.run(["readelf", "-W", *words], capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


def has(pattern, text):
    return re.search(pattern, text, re.M) is not None


def wishes(path):
    """Each wish with what is told where it is not met."""
    head, segments, dynamic = readelf("-h", path), readelf("-l", path), readelf("-d", path)
    symbols = readelf("--dyn-syms", path)
    stack = re.search(r"GNU_STACK .* (R\w*)\s+0x", segments)
    return [
        (has(r"Type:\s+DYN", head) and has(r"FLAGS_1.*PIE", dynamic), "is not position independent (-fPIE -pie)"),
        (has(r"GNU_RELRO", segments) and has(r"BIND_NOW|FLAGS_1.*NOW", dynamic), "lacks full RELRO (-z relro -z now)"),
        (stack and "E" not in stack[1], "has an executable stack (-z noexecstack)"),
        (not has(r"LOAD .* RWE? .*E", segments) and not has(r"LOAD .* RWE ", segments), "has memory that is writable and executable"),
        (not has(r"TEXTREL", dynamic), "relocates its code (TEXTREL)"),
        (not has(r"RPATH|RUNPATH", dynamic), "looks for libraries in a path of its own (RPATH)"),
        (has(r"__stack_chk_fail", symbols), "has no stack protector (-fstack-protector-strong)"),
        (has(r"__\w+_chk\b(?<!__stack_chk)", symbols), "has no fortified calls (-D_FORTIFY_SOURCE=3 with -O2)"),
    ]


# Branch protection leaves no trace in a program whose C start-up files lack it, so an object of ours is asked.
def object_wishes():
    path = next((os.path.join(root, name) for root, _, names in os.walk(os.path.join(BUILD, "base"))
                 for name in sorted(names) if name.endswith("-buf.o")), None)
    if path and "X86-64" in readelf("-h", path):
        return path, [(has(r"IBT, SHSTK", readelf("-n", path)), "lacks branch protection (-fcf-protection=full)")]
    return path, []


checked = [(p, wishes(os.path.join(BUILD, p))) for p in programs] + [object_wishes()]
for path, each in checked:
    findings += [f"{path}: {what}; see configure.ac" for is_met, what in each if not is_met]

for line in findings:
    print(line)
if findings or not programs:
    print(f"hardening: {len(findings)} findings." if programs else "hardening: no programs named in INSTALLED_PROGRAMS")
    sys.exit(1)
print(f"hardening: ok, {len(programs)} programs")
