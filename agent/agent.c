/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes the agent's pieces in order, and ends them in the other one. */
#include "agent/agent.h"

#include <X11/XKBlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent_priv.h"
#include "agent/inject/layout.h"
#include "agent/state.h"
#include "base/daemon.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"

#define GATEWAY_LINKS_MAX 64

static void on_x_lost(void *arg)
{
	struct agent *a = arg;

	if (a->broker) {
		occupancy_close(a, "the desktop's screen ended: connect again");
		orders_report(a, "failed", "the X server ended");
	}
	a->lost(a->arg);
}

static void on_bell(const XEvent *ev, void *arg)
{
	struct agent *a = arg;
	const XkbEvent *xkb = (const XkbEvent *)ev;

	if (a->occupant && ev->type == a->x->xkb_base && xkb->any.xkb_type == XkbBellNotify)
		viewer_bell(a->occupant);
}

static void on_session_logoff(void *arg)
{
	occupancy_logoff(arg, "you logged off");
}

/* A layout costs the X server a good part of a second on a slow machine: not twice the same. */
static void layout_want(struct agent *a, const char *layout)
{
	struct pst_err why = PST_ERR_INIT;

	if (!layout || strcmp(layout, a->layout) == 0)
		return;
	if (layout_load(a->x, layout, &why) < 0)
		pst_warn("%s", why.text);
	else
		pst_strlcpy(a->layout, sizeof(a->layout), layout);
}

/* The X side. Everything here is made before anybody can connect. */
static int screen_open(struct agent *a, const struct agent_params *p, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;

	a->x = x11_open(a->loop, p->display, on_x_lost, a, err);
	if (!a->x)
		return err->code;
	layout_want(a, p->layout);
	a->capture = capture_create(a->x, p->fbdir, &occupancy_capture_events, a, &why);
	a->inject = inject_create(a->loop, a->x, occupancy_inject_idle, a, &why);
	a->clipboard = clipboard_create(a->loop, a->x, occupancy_copied, a, &why);
	a->notice = notice_create(a->loop, a->x);
	if (!a->capture || !a->inject || !a->clipboard || !a->notice)
		return why.code < 0 ? pst_err_pass(err, why.code, &why) : pst_err_set(err, PST_ENOMEM, "no memory for the agent");

	XkbSelectEvents(a->x->dpy, XkbUseCoreKbd, XkbBellNotifyMask, XkbBellNotifyMask);
	x11_subscribe(a->x, on_bell, a);
	return 0;
}

/* One boot of the desktop has one name, whatever becomes of the agent: it lies where a reboot forgets it. */
static void boot_name(struct agent *a)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char path[PATH_MAX], *text = NULL;
	struct pst_err err = PST_ERR_INIT;
	struct pst_uuid uuid;
	size_t len;

	snprintf(path, sizeof(path), "%s/puesto-boot", dir ? dir : "");
	if (dir && pst_file_read(path, PST_UUID_SIZE, &text, &len, &err) == 0 &&
		pst_uuid_parse(text, &uuid) == 0) {
		pst_uuid_text(&uuid, a->boot);
		free(text);
		return;
	}
	free(text);
	uuid = pst_uuid_make();
	pst_uuid_text(&uuid, a->boot);
	if (dir && pst_file_write(path, a->boot, strlen(a->boot), 0600, &err) < 0)
		pst_debug("%s", err.text);
}

/* A new token in the enrolment file means a new key; the epochs of the same desktop are kept. */
static int lease_open(struct agent *a, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT, none = PST_ERR_INIT;
	int rc = state_load(a->state_path, &a->lease, a->enrolled, &why);
	if (rc < 0 && rc != PST_ENOTFOUND)
		return pst_err_pass(err, rc, &why);

	if (enrol_read(a->enrol_path, &a->enrol, &none) == 0 && strcmp(a->enrol.hash, a->enrolled) != 0) {
		a->lease.has_key = false;
		if (strcmp(a->lease.desktop, a->enrol.desktop) != 0)
			memset(&a->lease, 0, sizeof(a->lease));
		pst_strlcpy(a->lease.desktop, sizeof(a->lease.desktop), a->enrol.desktop);
	}
	return 0;
}

static int doors_open(struct agent *a, const struct agent_params *p, struct pst_err *err)
{
	char path[PATH_MAX];
	uid_t uids[AGENT_GATEWAYS_MAX + 1] = { 0 };

	memcpy(&uids[1], p->gateways, p->n_gateways * sizeof(uids[0]));
	snprintf(path, sizeof(path), "%s/display.sock", p->run);
	/* Root needs no mode; other gateways do, and the kernel tells who they are. */
	const struct door_params params = { path, p->n_gateways > 0 ? 0666 : 0600, uids, p->n_gateways + 1 };
	a->door = door_open(a->loop, &params, occupancy_accept, a, err);
	if (!a->door)
		return err->code;
	snprintf(path, sizeof(path), "%s/session.sock", p->run);
	a->session = session_open(a->loop, path, on_session_logoff, a, err);
	return a->session ? 0 : err->code;
}

static void on_gateway(int local, const struct pst_tls_peer *peer, const char *remote, void *arg)
{
	pst_info("display link remote=%s gateway=%s", remote, peer->uri);
	occupancy_accept(local, arg);
}

void agent_certified(void *arg)
{
	struct agent *a = arg;
	const struct pst_tls_listener_params params = { .loop = a->loop,
		.trust = identity_trust(a->identity),
		.address = a->display_tls,
		.peer = "puesto:gateway:",
		.open_max = GATEWAY_LINKS_MAX };
	struct pst_err err = PST_ERR_INIT;

	if (a->port)
		pst_tls_listener_set_trust(a->port, params.trust);
	else if (a->display_tls[0] && !(a->port = pst_tls_listen(&params, on_gateway, a, &err)))
		pst_error("agent.display_tls: %s", err.text);
}

/* Certificates, where somebody is on another host. */
static int network_open(struct agent *a, const struct agent_params *p, struct pst_err *err)
{
	if (!p->broker_tls && !p->display_tls)
		return 0;
	if (!p->ca || !p->broker_tls)
		return pst_err_set(err, PST_EINVAL,
			"agent.%s is missing: a desktop on another host wants broker_tls and ca",
			p->ca ? "broker_tls" : "ca");
	if (p->display_tls && pst_strlcpy(a->display_tls, sizeof(a->display_tls), p->display_tls) < 0)
		return pst_err_set(err, PST_EINVAL, "agent.display_tls: is too long");
	a->identity = identity_open(p->run, p->ca, err);
	a->dial = a->identity ? dial_create(a->loop, p->broker_tls, a->identity, err) : NULL;
	if (!a->dial)
		return err->code;
	/* A certificate that went lost cannot be asked for without a token. */
	if (identity_has_cert(a->identity))
		agent_certified(a);
	else
		a->lease.has_key = false;
	return 0;
}

struct agent *agent_open(uv_loop_t *loop, const struct agent_params *p, void (*lost)(void *arg), void *arg,
	struct pst_err *err)
{
	struct agent *a = pst_zalloc(1, sizeof(*a));
	if (!a) {
		pst_err_set(err, PST_ENOMEM, "no memory for the agent");
		return NULL;
	}

	a->loop = loop;
	a->lost = lost;
	a->arg = arg;
	if (screen_open(a, p, err) == 0)
		return a;
	agent_destroy(a, "the agent could not start");
	return NULL;
}

static void on_health(void *arg)
{
	struct agent *a = arg;

	broker_greet(a->broker);
}

int agent_start(struct agent *a, const struct agent_params *p, struct pst_err *err)
{
	PRE(p->n_gateways <= AGENT_GATEWAYS_MAX && !a->broker);
	snprintf(a->state_path, sizeof(a->state_path), "%s/agent.json", p->run);
	snprintf(a->enrol_path, sizeof(a->enrol_path), "%s/enrol.json", p->run);
	boot_name(a);
	layout_want(a, p->layout);
	if (lease_open(a, err) < 0 || network_open(a, p, err) < 0)
		return err->code;
	a->health = health_create(a->loop, HEALTH_PATH, on_health, a);
	a->personal = personal_create(a->loop, PERSONAL_SOCKET, getenv("HOME") ? getenv("HOME") : "/", orders_personal, a);
	if (!a->health || !a->personal)
		return pst_err_set(err, PST_ENOMEM, "no memory for the agent");
	const struct broker_way way = { p->broker, a->dial, a->identity };
	a->broker = broker_create(a->loop, &way, &orders_broker_events, a);
	if (!a->broker)
		return pst_err_set(err, PST_ENOMEM, "no memory for the agent");
	if (doors_open(a, p, err) < 0)
		return err->code;
	if (a->lease.has_key) {
		broker_set_enrolled(a->broker);
		orders_report(a, "ready", "");
	}
	pst_info("ready display=%s capture=%s", DisplayString(a->x->dpy), capture_store_name(a->capture));
	return 0;
}

void agent_destroy(struct agent *a, const char *reason)
{
	if (!a)
		return;

	door_close(a->door);
	pst_tls_listener_close(a->port);
	session_close(a->session);
	if (a->broker)
		occupancy_close(a, reason);
	personal_close(a->personal);
	health_close(a->health);
	broker_close(a->broker);
	dial_destroy(a->dial);
	identity_close(a->identity);
	notice_destroy(a->notice);
	clipboard_destroy(a->clipboard);
	inject_destroy(a->inject);
	capture_destroy(a->capture);
	x11_close(a->x);
	free(a);
}
