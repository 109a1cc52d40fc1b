/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words for QEMU. */
#include "broker/hypervisor/qemu/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TCG_CACHE_MB 128 /* of translated code; QEMU's own choice is a gigabyte for each machine */
#define VIDEO_MB 8
#define WINDOWS_CPU "host,hv-relaxed,hv-vapic,hv-spinlocks=0x1fff,hv-vpindex,hv-time,hv-synic,hv-stimer"

static void word(struct command *c, const char *w)
{
	if (c->n + 1 < COMMAND_WORDS_MAX)
		c->argv[c->n++] = w;
	else
		c->is_full = true;
}

static void words(struct command *c, const char *option, const char *value)
{
	word(c, option);
	word(c, value);
}

__attribute__((format(printf, 3, 4))) static void made(struct command *c, const char *option, const char *fmt, ...)
{
	char *out = c->text + c->used;
	size_t room = sizeof(c->text) - c->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, room, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= room) {
		c->is_full = true;
		return;
	}
	c->used += (size_t)n + 1;
	words(c, option, out);
}

/* QEMU separates by commas, and a colon makes a protocol of what is before it. */
static int path_check(const char *path, struct pst_err *err)
{
	if (!path || (path[0] == '/' && !strpbrk(path, ",\n")))
		return 0;
	return pst_err_set(err, PST_EINVAL, "\"%.200s\": QEMU takes absolute paths without a comma", path);
}

static void platform_put(struct command *c, const struct command_params *p)
{
	word(c, p->program);
	made(c, "-name", "puesto-%s", p->uuid);
	words(c, "-uuid", p->uuid);
	word(c, "-nodefaults");
	word(c, "-no-user-config");
	words(c, "-display", p->has_display ? "dbus,p2p=on" : "none"); /* somebody is let in when he asks for the console */
	words(c, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny");
	made(c, "-machine", "%s,memory-backend=ram%s", p->machine, p->firmware && p->is_secure ? ",smm=on" : "");
	if (p->firmware && p->is_secure)
		words(c, "-global", "driver=cfi.pflash01,property=secure,value=on");
	if (p->firmware) {
		made(c, "-drive", "if=pflash,unit=0,format=raw,readonly=on,file=%s", p->firmware);
		made(c, "-drive", "if=pflash,unit=1,format=raw,file=%s", p->variables);
	}
	if (p->is_kvm)
		words(c, "-accel", "kvm");
	else
		made(c, "-accel", "tcg,thread=multi,tb-size=%d", TCG_CACHE_MB);
	words(c, "-cpu", !p->is_kvm ? "max" : p->is_windows ? WINDOWS_CPU : "host");
	if (p->is_windows)
		words(c, "-rtc", "base=localtime,driftfix=slew");
	made(c, "-smp", "%u", p->cpus);
	made(c, "-m", "%u", p->memory_mb);
	if (p->memory == COMMAND_OWN)
		made(c, "-object", "memory-backend-ram,id=ram,size=%uM", p->memory_mb);
	else
		made(c, "-object", "memory-backend-file,id=ram,size=%uM,mem-path=%s,share=%s", p->memory_mb, p->memory_path,
			p->memory == COMMAND_SHARED ? "on" : "off");
}

static void boot_put(struct command *c, const struct command_params *p)
{
	if (p->kernel)
		words(c, "-kernel", p->kernel);
	if (p->initrd)
		words(c, "-initrd", p->initrd);
	if (p->kernel && p->append)
		words(c, "-append", p->append);
	if (p->seed && !p->is_windows)
		made(c, "-fw_cfg", "name=opt/org.puesto/seed,file=%s", p->seed);
}

/* Windows has drivers of its own for USB. */
static void input_put(struct command *c, const struct command_params *p)
{
	if (!p->is_windows) {
		words(c, "-device", "virtio-tablet-pci");
		words(c, "-device", "virtio-keyboard-pci");
		return;
	}
	words(c, "-device", "qemu-xhci,id=usb");
	words(c, "-device", "usb-tablet,bus=usb.0");
	words(c, "-device", "usb-kbd,bus=usb.0");
	if (!p->seed)
		return;
	made(c, "-blockdev", "driver=raw,node-name=seed,read-only=on,file.driver=file,file.filename=%s", p->seed);
	words(c, "-device", "ide-cd,id=seed0,drive=seed,bus=ide.1");
}

/* Its emulator is at the other end. */
static void tpm_put(struct command *c, const struct command_params *p)
{
	if (!p->tpm_fd)
		return;
	made(c, "-chardev", "socket,id=tpm,fd=%d", p->tpm_fd);
	words(c, "-tpmdev", "emulator,id=tpm0,chardev=tpm");
	words(c, "-device", "tpm-crb,tpmdev=tpm0");
}

static void devices_put(struct command *c, const struct command_params *p)
{
	/* Through the host's cache: whole again after its crash, because the guest's flushes are kept. */
	made(c, "-blockdev", "driver=qcow2,node-name=disk,discard=unmap,file.driver=file,file.discard=unmap,file.filename=%s", p->disk);
	words(c, "-device", p->is_emulated ? "ide-hd,id=disk0,drive=disk,bus=ide.0,bootindex=1" : "virtio-blk-pci,id=disk0,drive=disk,bootindex=1");
	if (!p->is_windows) {
		words(c, "-device", "virtio-rng-pci");
		words(c, "-device", "virtio-serial-pci");
	}
	made(c, "-chardev", "socket,id=port,fd=%d,server=on,wait=off", p->port_fd);
	if (!p->is_windows)
		words(c, "-device", "virtserialport,chardev=port,name=org.puesto.seed");
	words(c, "-chardev", "ringbuf,id=line,size=65536");
	words(c, "-serial", "chardev:line");
	made(c, "-device", "VGA,vgamem_mb=%d", VIDEO_MB);
	input_put(c, p);
	tpm_put(c, p);
	/* It listens when somebody asks for the console. */
	words(c, "-vnc", "none");
	words(c, "-device", "pcie-root-port,id=" COMMAND_SLOT ",slot=1,chassis=1");
	if (p->plugs > 1)
		words(c, "-device", "pcie-root-port,id=" COMMAND_PERSONAL_SLOT ",slot=2,chassis=2");
	if (p->mac) {
		if (p->forward)
			made(c, "-netdev", "user,id=net0,hostfwd=tcp:%s", p->forward);
		else
			made(c, "-netdev", "tap,id=net0,fd=%d", p->cable_fd);
		made(c, "-device", "%s,id=card0,netdev=net0,bus=" COMMAND_SLOT ",mac=%s", p->is_emulated ? "e1000e" : "virtio-net-pci", p->mac);
	}
	made(c, "-chardev", "socket,id=monitor,fd=%d,server=on,wait=off", p->monitor_fd);
	words(c, "-mon", "chardev=monitor,mode=control");
}

int command_build(struct command *c, const struct command_params *p, struct pst_err *err)
{
	memset(c, 0, sizeof(*c));
	if (path_check(p->disk, err) < 0 || path_check(p->memory_path, err) < 0 || path_check(p->kernel, err) < 0 ||
		path_check(p->initrd, err) < 0 || path_check(p->firmware, err) < 0 || path_check(p->variables, err) < 0 || path_check(p->seed, err) < 0)
		return err->code;
	platform_put(c, p);
	boot_put(c, p);
	devices_put(c, p);
	if (p->is_paused)
		word(c, "-S");
	if (p->is_incoming)
		words(c, "-incoming", "defer");
	if (c->is_full)
		return pst_err_set(err, PST_ELIMIT, "QEMU's command line is too long");
	return 0;
}
