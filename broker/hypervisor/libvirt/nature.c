/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a host can do, asked and not assumed. */
#include "broker/hypervisor/libvirt/call.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MACHINE_MB 1024 /* memory that one desktop is reckoned with */
#define MACHINES_MAX 10000

static bool is_plain(const char *s)
{
	return s[0] && s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == '\0';
}

/* A value that goes into a document of ours. */
static void plain_text(const char *xml, const char *element, char *out, size_t size)
{
	const char *tag = xml_find(xml, element);

	if (!tag || !xml_text(tag, out, size) || !is_plain(out))
		out[0] = '\0';
}

/* Is value one of an <enum> of the part of domain capabilities that begins at section? */
static bool enum_has(const char *xml, const char *section, const char *value)
{
	const char *start = xml_find(xml, section), *end;
	char close[40], text[40];

	if (!start)
		return false;
	snprintf(close, sizeof(close), "</%s>", section);
	end = strstr(start, close);
	for (const char *p = xml_find(start, "value"); p && end && p < end; p = xml_find(p + 1, "value")) {
		if (xml_text(p, text, sizeof(text)) && strcmp(text, value) == 0)
			return true;
	}
	return false;
}

/* KVM where the host has it, QEMU's own translation where it has not, unless only one is wanted. Returns owned (free). */
static char *qemu_capabilities(struct lv_nature *n, virConnectPtr conn, const char *accel)
{
	static const char *const virts[] = { "kvm", "qemu" };

	for (size_t i = 0; i < PST_ARRAY_LEN(virts); i++) {
		const char *machine = strcmp(n->arch, "x86_64") == 0 ? "q35" : NULL;

		if (accel[0] && strcmp(accel, virts[i]) != 0)
			continue;
		char *xml = virConnectGetDomainCapabilities(conn, NULL, n->arch, machine, virts[i], 0);
		if (xml) {
			n->form = lv_form_of(virts[i]);
			return xml;
		}
	}
	return NULL;
}

static int qemu_find(struct lv_nature *n, virConnectPtr conn, const char *host_xml, const char *accel, struct pst_err *err)
{
	static const char *const videos[] = { "virtio", "vga", "bochs", "cirrus" };
	char *xml = qemu_capabilities(n, conn, accel);

	if (!xml)
		return pst_err_set(err, PST_EUNSUPPORTED, "its QEMU runs no machines of %s: %s", n->arch, virGetLastErrorMessage());
	plain_text(xml, "machine", n->machine, sizeof(n->machine));
	for (size_t i = 0; i < PST_ARRAY_LEN(videos) && !n->video[0]; i++) {
		if (enum_has(xml, "video", videos[i]))
			pst_strlcpy(n->video, sizeof(n->video), videos[i]);
	}
	n->can = DRIVER_POWER | DRIVER_SUSPEND | DRIVER_SNAPSHOT | DRIVER_RESIZE | DRIVER_GROW | DRIVER_LINKED_CLONE | DRIVER_BACKUP;
	if (enum_has(xml, "graphics", "vnc"))
		n->can |= DRIVER_CONSOLE;
	n->has_display = enum_has(xml, "graphics", "dbus");
	n->has_tpm = enum_has(xml, "tpm", "tpm-crb") && enum_has(xml, "tpm", "emulator");
	if (xml_find(host_xml, "migration_features"))
		n->can |= DRIVER_MIGRATE;
	/* PCI Express with hot plug, as it was tried; others have it too. */
	n->has_ports = strstr(n->machine, "q35");
	if (n->has_ports)
		n->can |= DRIVER_PERSONAL | DRIVER_PERSONAL_SIZE;
	free(xml);
	return 0;
}

/* The in-process driver that libvirt itself is tested with: domains without anything in them. */
static int test_find(struct lv_nature *n, virConnectPtr conn, const char *host_xml, const char *accel, struct pst_err *err)
{
	n->form = lv_form_of("test");
	n->can = DRIVER_POWER | DRIVER_SUSPEND | DRIVER_SNAPSHOT | DRIVER_RESIZE;
	return 0;
}

/*
 * Xen by libxl. A guest of ours is paravirtual: in the hardware's container (PVH) where the host has that, else without it (PV). Snapshots,
 * growing disks and moves are not there, or not for what our disks are (https://libvirt.org/hvsupport.html), and its VNC knows no socket.
 */
static int xen_find(struct lv_nature *n, virConnectPtr conn, const char *host_xml, const char *accel, struct pst_err *err)
{
	static const struct {
		const char *host_os, *os, *machine;
	} ways[] = { { "xenpvh", "xenpvh", "xenpvh" }, { "xen", "linux", "xenpv" } };
	char text[20];

	for (size_t i = 0; i < PST_ARRAY_LEN(ways) && !n->form; i++) {
		for (const char *p = xml_find(host_xml, "os_type"); p && !n->form; p = xml_find(p + 1, "os_type")) {
			if (!xml_text(p, text, sizeof(text)) || strcmp(text, ways[i].host_os) != 0)
				continue;
			pst_strlcpy(n->os, sizeof(n->os), ways[i].os);
			pst_strlcpy(n->machine, sizeof(n->machine), ways[i].machine);
			n->form = lv_form_of("xen");
		}
	}
	if (!n->form)
		return pst_err_set(err, PST_EUNSUPPORTED, "its Xen runs no paravirtual machines of %s", n->arch);
	n->can = DRIVER_POWER | DRIVER_SUSPEND | DRIVER_RESIZE | DRIVER_LINKED_CLONE;
	return 0;
}

static const struct {
	const char *type;
	int (*find)(struct lv_nature *n, virConnectPtr conn, const char *host_xml, const char *accel, struct pst_err *err);
} kinds[] = {
	{ "QEMU", qemu_find },
	{ "Xen", xen_find },
	{ "TEST", test_find },
};

/* Room by memory: the host itself keeps the first part. */
static uint32_t room(virConnectPtr conn)
{
	virNodeInfo info;
	uint64_t mb;

	if (virNodeGetInfo(conn, &info) < 0)
		return 1;
	mb = info.memory / 1024;
	return (uint32_t)PST_CLAMP(mb / MACHINE_MB, (uint64_t)2, (uint64_t)MACHINES_MAX + 1) - 1;
}

int lv_nature_find(struct lv_nature *n, virConnectPtr conn, const char *accel, struct pst_err *err)
{
	const char *type = virConnectGetType(conn);
	char *xml = type ? virConnectGetCapabilities(conn) : NULL;
	int (*find)(struct lv_nature *n, virConnectPtr conn, const char *host_xml, const char *accel, struct pst_err *err) = NULL;
	int rc;

	if (!xml)
		return pst_err_set(err, PST_EIO, "its capabilities cannot be read: %s", virGetLastErrorMessage());
	pst_strlcpy(n->type, sizeof(n->type), type);
	plain_text(xml, "arch", n->arch, sizeof(n->arch));
	n->machines = room(conn);
	for (size_t i = 0; i < PST_ARRAY_LEN(kinds); i++) {
		if (strcmp(kinds[i].type, type) == 0)
			find = kinds[i].find;
	}
	rc = find ? find(n, conn, xml, accel, err) : pst_err_set(err, PST_EUNSUPPORTED, "libvirt's driver \"%s\" is not carried; QEMU and Xen are", type);
	free(xml);
	return rc;
}

unsigned lv_can(const struct libvirt *lv)
{
	unsigned can = ~0u;

	size_t known = 0;

	for (size_t i = 0; i < lv->hosts_n; i++) {
		if (lv->hosts[i].nature.type[0] == '\0')
			continue; /* it has never answered */
		can &= lv->hosts[i].nature.can;
		known++;
	}
	if (lv->hosts_n < 2)
		can &= ~(unsigned)DRIVER_MIGRATE;
	/* Users' disks have to be where each host is, and are files. */
	if ((lv->hosts_n > 1 && !lv->set.shares_directory) || !lv->set.has_files)
		can &= ~(unsigned)(DRIVER_PERSONAL | DRIVER_PERSONAL_SIZE);
	return known ? can : 0;
}

bool lv_has_display(struct libvirt *lv)
{
	bool has = true;

	pthread_mutex_lock(&lv->lock);
	for (size_t i = 0; i < lv->hosts_n; i++)
		has = has && (lv->hosts[i].nature.type[0] == '\0' || lv->hosts[i].nature.has_display);
	pthread_mutex_unlock(&lv->lock);
	return has;
}

int lv_can_check(struct lv_call *c, struct pst_err *err)
{
	struct libvirt *lv = c->lv;
	unsigned can;
	char text[80];

	if (!c->needs)
		return 0;
	pthread_mutex_lock(&lv->lock);
	can = lv_can(lv);
	pthread_mutex_unlock(&lv->lock);
	if ((c->needs & ~can) == 0)
		return 0; /* by what is known of the hosts: one that is away holds up nobody */
	for (size_t i = 0; i < lv->hosts_n; i++) {
		virConnectPtr conn = lv_host_connection(&lv->hosts[i], c->deadline_ms, err);

		if (!conn)
			return err->code;
		virConnectClose(conn);
	}
	pthread_mutex_lock(&lv->lock);
	can = lv_can(lv);
	pthread_mutex_unlock(&lv->lock);
	if ((c->needs & ~can) == 0)
		return 0;
	return pst_err_set(err, PST_EUNSUPPORTED, "not carried by libvirt's driver \"%s\" here: %s", lv->hosts[0].nature.type,
		driver_can_text(c->needs & ~can, text, sizeof(text)));
}
