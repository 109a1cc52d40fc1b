/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A machine's own screen: RFB in a WebSocket, a subresource of the instance. */
#include "broker/hypervisor/kubevirt/kubevirt_priv.h"

#include "base/text.h"

int kubevirt_console(struct driver *d, const char *desktop, bool is_shared, struct machine_screen *ret, struct pst_err *err)
{
	char path[REST_PATH_SIZE], name[OBJECTS_NAME_SIZE];
	struct kube_found f;
	struct rest_op op;
	int rc;

	if (kube_machines_only(d, "a console", err) < 0)
		return err->code;
	rest_begin(&op, &kubevirt_of(d)->rest, desktop);
	rc = kube_need(&op, &f, true, err);
	objects_name(op.desktop, "", name);
	if (rc == 0 && !kube_is_up(&f))
		rc = pst_err_set(err, PST_EBUSY, "desktop %s does not run: it has no screen", desktop);
	if (rc == 0)
		rc = rest_path(path, err, KUBE_SUB, kubevirt_of(d)->space, "instances", name, "vnc");
	if (rc == 0) {
		ret->fd = rest_bridge(&op, path, "plain.kubevirt.io", err);
		rc = ret->fd < 0 ? ret->fd : 0;
	}
	ret->at.kind = ENDPOINT_RFB;
	kube_found_finish(&f);
	rest_end(&op);
	return rc;
}
