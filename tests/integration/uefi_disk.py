# SPDX-License-Identifier: GPL-3.0-or-later
"""Golden disks that start by UEFI: a GPT whose EFI system partition is empty, or has a loader that nobody has signed."""
import os
import shutil
import subprocess

CODE, VARIABLES = "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"
SECURE_CODE, SECURE_VARIABLES = "/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd"
LOADER = "/usr/lib/systemd/boot/efi/systemd-bootx64.efi"
REFUSED = b"Access Denied"  # OVMF's word for a loader without a signature that it trusts
STARTED = b"Reboot Into Firmware Interface"  # the loader's only entry here


def missing():
    return "" if os.path.exists(CODE) and os.path.exists(VARIABLES) else "ovmf is not installed"


def loader_missing():
    lacking = [n for n in (SECURE_CODE, SECURE_VARIABLES, LOADER) if not os.path.exists(n)] + [n for n in ("mkfs.vfat", "mcopy") if not shutil.which(n)]
    return "missing: %s (ovmf, systemd-boot-efi, dosfstools, mtools)" % ", ".join(lacking) if lacking else ""


def loader_put(raw):
    """Into the partition, which is all of the disk but its first and last MB."""
    part = raw + ".part"
    with open(part, "wb") as f:
        f.truncate(62 << 20)
    subprocess.run(["mkfs.vfat", part], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["mmd", "-i", part, "::/EFI", "::/EFI/BOOT", "::/loader"], check=True)
    subprocess.run(["mcopy", "-i", part, LOADER, "::/EFI/BOOT/BOOTX64.EFI"], check=True)
    with open(raw + ".conf", "w") as f:
        f.write("timeout menu-force\n")
    subprocess.run(["mcopy", "-i", part, raw + ".conf", "::/loader/loader.conf"], check=True)
    with open(part, "rb") as f, open(raw, "r+b") as disk:
        disk.seek(1 << 20)
        shutil.copyfileobj(f, disk)
    os.unlink(part)
    os.unlink(raw + ".conf")


def make(path, with_loader=False):
    raw = path + ".raw"
    with open(raw, "wb") as f:
        f.truncate(64 << 20)
    subprocess.run(["/usr/sbin/sfdisk", "-q", raw], input="label: gpt\nstart=2048, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n", text=True, check=True)
    if with_loader:
        loader_put(raw)
    subprocess.run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, path], check=True)
    os.unlink(raw)
    os.chmod(path, 0o444)
