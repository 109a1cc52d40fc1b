/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A machine's own screen, and the way to its RDP server. Proxmox VE begins a proxy for one connection and says its port and a ticket, which lets in
 * the WebSocket (vncwebsocket) and is the VNC server's password, too: RFC 6143 knows eight letters of it.
 */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/hypervisor/request.h"

#include <stdlib.h>
#include <string.h>

#define TICKET_SIZE 1024

struct ticket {
	char text[TICKET_SIZE];
	int64_t port;
};

/* The port comes as a number, or as one in a string. */
static bool ticket_read(const json_t *data, struct ticket *ret)
{
	const char *text = pst_json_str(data, "ticket", TICKET_SIZE - 1), *port = pst_json_str(data, "port", 8);

	ret->port = port ? strtol(port, NULL, 10) : pst_json_int(data, "port", 1, 65535, 0);
	if (!text || !*text || ret->port < 1 || ret->port > 65535)
		return false;
	pst_strlcpy(ret->text, sizeof(ret->text), text);
	return true;
}

static int ticket_ask(struct rest_op *op, const struct pve_vm *vm, struct ticket *ret, struct pst_err *err)
{
	json_t *how = json_pack("{s:i}", "websocket", 1);
	struct rest_call c = { .method = "POST", .json = how };
	char path[REST_PATH_SIZE];
	struct http_answer a;
	int rc = !how ? pst_err_set(err, PST_ENOMEM, "no memory") : pve_vm_path(vm, "/vncproxy", path, err);

	if (rc == 0)
		rc = rest_ask(op, &c, path, &a, err);
	json_decref(how);
	if (rc < 0)
		return rc;
	if (!ticket_read(json_object_get(a.json, "data"), ret))
		rc = pst_err_set(err, PST_EPROTO, "%s gives no ticket for a console", op->rest->what);
	http_answer_finish(&a);
	return rc;
}

static int screen_open(struct rest_op *op, const struct pve_vm *vm, struct machine_screen *ret, struct pst_err *err)
{
	char escaped[3 * TICKET_SIZE], path[REST_PATH_SIZE], whole[REST_PATH_SIZE];
	struct ticket t;
	int rc = ticket_ask(op, vm, &t, err);

	if (rc == 0 && !pst_url_escape(t.text, escaped, sizeof(escaped)))
		rc = pst_err_set(err, PST_ELIMIT, "%s gives a ticket that is too long", op->rest->what);
	if (rc == 0 && (pve_vm_path(vm, "/vncwebsocket", path, err) < 0 ||
			       rest_path(whole, err, "%.400s?port=%d&vncticket=%s", path, (int)t.port, escaped) < 0))
		rc = err->code;
	if (rc == 0) {
		ret->fd = rest_bridge(op, whole, "binary", err);
		rc = ret->fd < 0 ? ret->fd : 0;
	}
	if (rc == 0) {
		ret->at.kind = ENDPOINT_RFB;
		memcpy(ret->password, t.text, strnlen(t.text, sizeof(ret->password) - 1));
	}
	pst_wipe(&t, sizeof(t));
	pst_wipe(escaped, sizeof(escaped));
	pst_wipe(whole, sizeof(whole));
	return rc;
}

int proxmox_console(struct driver *d, const char *desktop, bool is_shared, struct machine_screen *ret, struct pst_err *err)
{
	struct pve_found f = { 0 };
	struct rest_op op;
	int rc;

	rest_begin(&op, &proxmox_of(d)->rest, desktop);
	rc = pve_need(&op, &f, true, err);
	if (rc == 0 && !f.vm.is_running)
		rc = pst_err_set(err, PST_EBUSY, "desktop %s does not run: it has no screen", desktop);
	if (rc == 0)
		rc = screen_open(&op, &f.vm, ret, err);
	pve_found_finish(&f);
	rest_end(&op);
	return rc;
}

static int address_find(struct rest_op *op, const struct pve_found *f, char out[CLAIM_ADDRESS_SIZE], struct pst_err *err)
{
	const char *net = pst_json_str(f->config, "net0", VMCONFIG_VALUE_SIZE);
	char mac[VMCONFIG_MAC_SIZE] = "";
	json_t *leases;

	pst_strlcpy(out, CLAIM_ADDRESS_SIZE, f->claim.address);
	/* Each start asks for the way, of machines with a display link for nothing. */
	if (out[0] || !request_speaks_rdp(&f->claim.request) || !net || !vmconfig_mac(net, mac))
		return 0;
	leases = pve_leases(op, err);
	if (!leases)
		return err->code;
	(void)pve_lease_find(leases, mac, out);
	json_decref(leases);
	return 0;
}

int proxmox_way(struct driver *d, const char *desktop, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err)
{
	const struct pve_settings *set = &proxmox_of(d)->set;
	char address[CLAIM_ADDRESS_SIZE] = "";
	struct pve_found f = { 0 };
	struct rest_op op;
	int rc;

	rest_begin(&op, &proxmox_of(d)->rest, desktop);
	rc = pve_need(&op, &f, true, err);
	if (rc == 0)
		rc = address_find(&op, &f, address, err);
	if (rc == 0)
		rdp_site_endpoint(&set->rdp, &set->seed, &f.claim.request, address, ret);
	if (rc == 0)
		rc = rdp_site_enter(&set->rdp, &f.claim.request, ret, pin, ret_account, err);
	pve_found_finish(&f);
	rest_end(&op);
	return rc;
}
