/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What QEMU is started with. */
#include "broker/hypervisor/qemu/command.h"

#include <criterion/criterion.h>
#include <string.h>

static struct command_params params = { .program = "/usr/bin/qemu-system-x86_64",
	.machine = "pc-q35-7.2",
	.uuid = "6f0c0b52-7b3c-4c52-9d3c-0f0f6b2c1a11",
	.memory_mb = 512,
	.cpus = 2,
	.disk = "/d/disk.qcow2",
	.monitor_fd = 3,
	.port_fd = 4 };

static struct command c;

static bool has(const char *option, const char *part)
{
	for (size_t i = 0; i + 1 < c.n; i++) {
		if (strcmp(c.argv[i], option) == 0 && strstr(c.argv[i + 1], part))
			return true;
	}
	return false;
}

static bool has_word(const char *word)
{
	for (size_t i = 0; i < c.n; i++) {
		if (strcmp(c.argv[i], word) == 0)
			return true;
	}
	return false;
}

static void build(const struct command_params *p)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(command_build(&c, p, &err), 0, "%s", err.text);
	cr_assert_null(c.argv[c.n]);
}

Test(command, is_confined_whatever_it_starts)
{
	build(&params);
	cr_expect_str_eq(c.argv[0], params.program);
	cr_expect(has("-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"));
	cr_expect(has_word("-nodefaults") && has_word("-no-user-config"));
	cr_expect(has("-vnc", "none"), "nobody listens before somebody asks");
	cr_expect(has("-display", "none"));
	cr_expect(has("-chardev", "fd=3,server=on"));
	cr_expect(has("-chardev", "fd=4,server=on"));
	cr_expect(has("-accel", "tcg"));
	cr_expect(has("-cpu", "max"));
	cr_expect_not(has("-netdev", ""));
	cr_expect_not(has_word("-fw_cfg") || has_word("-S") || has_word("-incoming") || has_word("-kernel"));
}

Test(command, a_child_maps_what_its_parent_shares)
{
	struct command_params p = params;

	p.memory = COMMAND_SHARED;
	p.memory_path = "/p/ram";
	build(&p);
	cr_expect(has("-object", "memory-backend-file,id=ram,size=512M,mem-path=/p/ram,share=on"));
	p.memory = COMMAND_COPIED;
	p.memory_path = "/proc/self/fd/5";
	p.is_incoming = true;
	build(&p);
	cr_expect(has("-object", "mem-path=/proc/self/fd/5,share=off"));
	cr_expect(has("-machine", "memory-backend=ram"));
	cr_expect(has("-incoming", "defer"));
}

/* What is loaded must meet the devices that it was saved from. */
Test(command, devices_are_the_same_for_all)
{
	struct command_params p = params;
	char devices[2][4096] = { "", "" };

	for (int child = 0; child < 2; child++) {
		p.is_incoming = child == 1;
		build(&p);
		for (size_t i = 0; i + 1 < c.n; i++) {
			if (strcmp(c.argv[i], "-device") == 0)
				strcat(devices[child], c.argv[i + 1]);
		}
	}
	cr_expect_str_eq(devices[0], devices[1]);
}

Test(command, a_boot_has_kernel_seed_and_card)
{
	struct command_params p = params;

	p.is_kvm = p.has_display = true;
	p.kernel = "/i/vmlinuz";
	p.initrd = "/i/initrd";
	p.append = "root=/dev/vda";
	p.seed = "/d/seed.json";
	p.mac = "52:00:00:00:00:01";
	p.forward = "127.1.2.3:5910-:5910";
	p.is_paused = true;
	build(&p);
	cr_expect(has("-kernel", "/i/vmlinuz") && has("-initrd", "/i/initrd") && has("-append", "root=/dev/vda"));
	cr_expect(has("-fw_cfg", "name=opt/org.puesto/seed,file=/d/seed.json"));
	cr_expect(has("-netdev", "user,id=net0,hostfwd=tcp:127.1.2.3:5910-:5910"));
	cr_expect(has("-device", "virtio-net-pci,id=card0,netdev=net0,bus=plug0,mac=52:00:00:00:00:01"));
	cr_expect(has("-accel", "kvm") && has("-cpu", "host") && has_word("-S") && has("-display", "dbus,p2p=on"));
}

Test(command, a_cable_is_a_descriptor)
{
	struct command_params p = params;

	p.mac = "52:00:00:00:00:01";
	p.cable_fd = 5;
	build(&p);
	cr_expect(has("-netdev", "tap,id=net0,fd=5"));
	cr_expect(has("-device", "netdev=net0,bus=plug0"));
}

Test(command, a_path_is_not_read_as_something_else)
{
	static const char *const bad[] = { "relative", "/a,format=raw", "/a\nb", "nbd:host", "" };
	struct pst_err err = PST_ERR_INIT;
	struct command_params p = params;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		p.disk = bad[i];
		cr_expect_eq(command_build(&c, &p, &err), PST_EINVAL, "%s", bad[i]);
	}
}

Test(command, too_long_a_line_is_refused)
{
	static char path[20000];
	struct pst_err err = PST_ERR_INIT;
	struct command_params p = params;

	memset(path, 'a', sizeof(path) - 1);
	path[0] = '/';
	p.disk = path;
	cr_expect_eq(command_build(&c, &p, &err), PST_ELIMIT);
}

Test(command, windows_has_its_clock_and_a_drive_with_its_seed)
{
	struct command_params p = params;

	p.is_windows = true;
	p.seed = "/d/seed.json";
	p.mac = "52:00:00:00:00:01";
	p.forward = "127.1.2.3:5910-:3389";
	for (int i = 0; i < 4; i++) {
		p.is_emulated = i & 1;
		p.is_kvm = i & 2;
		p.tpm_fd = i == 3 ? 6 : 0;
		p.firmware = i ? "/ovmf/code.fd" : NULL;
		p.variables = "/d/variables";
		p.is_secure = i != 1;
		build(&p);
		cr_expect_eq(has("-drive", "if=pflash,unit=0,format=raw,readonly=on,file=/ovmf/code.fd") && has("-drive", "file=/d/variables"), i > 0);
		cr_expect_eq(has("-machine", "smm=on") && has("-global", "driver=cfi.pflash01,property=secure,value=on"), i > 1, "of no use without such firmware");
		cr_expect_eq(has("-chardev", "socket,id=tpm,fd=6") && has("-device", "tpm-crb,tpmdev=tpm0"), i == 3);
		cr_expect(has("-rtc", "base=localtime,driftfix=slew"));
		cr_expect_eq(has("-cpu", "hv-relaxed") && has("-cpu", "hv-stimer"), p.is_kvm);
		cr_expect(has("-blockdev", "node-name=seed,read-only=on") && has("-device", "ide-cd,id=seed0,drive=seed,bus=ide.1"));
		cr_expect(has("-device", "usb-tablet") && has("-device", "usb-kbd"));
		cr_expect(has("-device", p.is_emulated ? "ide-hd,id=disk0,drive=disk,bus=ide.0,bootindex=1" : "virtio-blk-pci,id=disk0,drive=disk,bootindex=1"));
		cr_expect(has("-device", p.is_emulated ? "e1000e,id=card0" : "virtio-net-pci,id=card0"));
		cr_expect_not(has_word("-fw_cfg") || has("-device", "virtio-serial") || has("-device", "virtio-rng"));
	}
	p.seed = NULL;
	build(&p);
	cr_expect_not(has("-device", "ide-cd"), "without agents there is nothing to tell");
}
