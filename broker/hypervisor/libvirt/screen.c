/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine's own screen, which is a matter of the host it is on: QEMU's D-Bus display, or VNC on a socket. */
#include "broker/hypervisor/libvirt/found.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <stdlib.h>
#include <string.h>

static bool vnc_socket(const char *xml, char out[PATH_MAX])
{
	char type[16];

	for (const char *p = xml_find(xml, "graphics"); p; p = xml_find(p + 1, "graphics")) {
		if (xml_attribute(p, "type", type, sizeof(type)) && strcmp(type, "vnc") == 0 &&
			xml_attribute(p, "socket", out, PATH_MAX) && out[0] == '/')
			return true;
	}
	return false;
}

/*
 * libvirtd makes the connection and passes it, which it can over its own unix socket only: on other hosts, and of
 * domains that were started without, there is none. -1 then.
 */
static int display_open(const struct lv_found *f, const char *xml)
{
	char type[16], p2p[8];
	unsigned i = 0;

	for (const char *p = xml_find(xml, "graphics"); p; p = xml_find(p + 1, "graphics"), i++) {
		if (xml_attribute(p, "type", type, sizeof(type)) && strcmp(type, "dbus") == 0 && xml_attribute(p, "p2p", p2p, sizeof(p2p)) &&
			strcmp(p2p, "yes") == 0)
			return virDomainOpenGraphicsFD(f->domain, i, 0);
	}
	return -1;
}

int lv_console_work(struct lv_call *c, struct pst_err *err)
{
	struct lv_found f;
	char *xml;
	int rc = lv_need(c, &f, err);

	if (rc < 0)
		return rc;
	xml = f.is_active ? virDomainGetXMLDesc(f.domain, 0) : NULL;
	if (!f.is_active)
		rc = pst_err_set(err, PST_EBUSY, "desktop %s does not run", c->desktop);
	else if (!xml)
		rc = lv_error(err, f.host, "read the domain");
	else if (!c->is_shared && (c->screen.fd = display_open(&f, xml)) >= 0)
		c->screen.at.kind = ENDPOINT_DBUS;
	else if (!vnc_socket(xml, c->screen.at.address))
		rc = pst_err_set(err, PST_EUNSUPPORTED, "its domain has no VNC screen on a socket");
	else
		c->screen.at.kind = ENDPOINT_RFB;
	free(xml);
	lv_found_finish(&f);
	return rc;
}
