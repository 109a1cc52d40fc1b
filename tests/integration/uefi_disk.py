# SPDX-License-Identifier: GPL-3.0-or-later
"""A golden disk that starts by UEFI and has nothing to start: a GPT with an empty EFI system partition."""
import os
import subprocess

CODE, VARIABLES = "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"


def missing():
    return "" if os.path.exists(CODE) and os.path.exists(VARIABLES) else "ovmf is not installed"


def make(path):
    raw = path + ".raw"
    with open(raw, "wb") as f:
        f.truncate(64 << 20)
    subprocess.run(["/usr/sbin/sfdisk", "-q", raw], input="label: gpt\nstart=2048, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n", text=True, check=True)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, path], check=True)
    os.unlink(raw)
    os.chmod(path, 0o444)
