/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver "hosts": machines that are there already and are lent. docs/foreign-hosts.md has the admin's side. */
#include "broker/hypervisor/hosts/hosts_priv.h"

#include "base/conf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/hosts/wake.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/ssh/template.h"

#include <stdlib.h>
#include <string.h>

struct hosts *hosts_of(struct driver *d)
{
	return pst_container_of(d, struct hosts, base);
}

static void hosts_cancel(struct driver *d, const char *desktop)
{
	calls_cancel(&hosts_of(d)->calls, desktop);
}

static void cancel_all(void *arg)
{
	struct hosts *h = arg;

	calls_cancel(&h->calls, NULL);
}

static int hosts_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg, struct pst_err *err)
{
	return watches_add(hosts_of(d)->watches, desktop, ended, arg, err);
}

static void hosts_close(struct driver *d)
{
	struct hosts *h = d ? hosts_of(d) : NULL;

	if (!h)
		return;
	poller_destroy(h->poller, cancel_all, h);
	watches_destroy(h->watches);
	remote_destroy(h->remote);
	calls_finish(&h->calls);
	pthread_mutex_destroy(&h->lock);
	for (size_t i = 0; i < HOSTS_COMMANDS; i++)
		free(h->commands[i]);
	free(h);
}

/* Whether seats are cleaned between two users is nothing to be left to a default. */
static int command_read(struct hosts *h, const struct driver_params *p, enum hosts_command c, struct pst_err *err)
{
	const char *key = hosts_command_key(c), *text = pst_conf_str(p->conf, p->section, key, NULL);

	if (!text && c == HOSTS_REFRESH)
		return pst_err_set(err, PST_EINVAL, "refresh: missing; give the command that cleans a seat after its user, or \"none\"");
	if (!text || strcmp(text, "none") == 0)
		return 0;
	h->commands[c] = template_compile(text, err);
	if (!h->commands[c])
		return pst_err_wrap(err, "%s", key);
	if (template_uses(h->commands[c], TEMPLATE_SEED))
		return pst_err_set(err, PST_EINVAL, "%s: a seat gets its seed on stdin, not as {seed}", key);
	return 0;
}

static int commands_read(struct hosts *h, const struct driver_params *p, struct pst_err *err)
{
	bool any = false;

	for (size_t i = 0; i < HOSTS_COMMANDS; i++) {
		if (command_read(h, p, (enum hosts_command)i, err) < 0)
			return err->code;
		any |= h->commands[i] != NULL;
	}
	if (!any)
		return 0;
	h->remote = remote_create(p, "seat", err);
	return h->remote ? 0 : err->code;
}

static int wake_read(struct hosts *h, const struct driver_params *p, struct pst_err *err)
{
	const char *wake = pst_conf_str(p->conf, p->section, "wake", "255.255.255.255");
	struct sockaddr_storage ignored;
	uint32_t port, wake_s;

	if (probe_address(wake, 9, &ignored) == 0 || pst_strlcpy(h->wake, sizeof(h->wake), wake) < 0)
		return pst_err_set(err, PST_EINVAL, "wake: \"%.60s\" must be a numeric address, such as the broadcast one of the seats' network", wake);
	if (pst_conf_u32(p->conf, p->section, "wake_port", 1, 65535, WAKE_PORT, &port, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "wake_s", 1, 3600, 180, &wake_s, err) < 0)
		return err->code;
	h->wake_port = (uint16_t)port;
	h->wake_ms = wake_s * UINT64_C(1000);
	return 0;
}

static int places_read(struct hosts *h, const struct driver_params *p, struct pst_err *err)
{
	const char *path = pst_conf_str(p->conf, p->section, "seats", "/etc/puesto/seats");

	if (path[0] != '/' || strchr(p->name, '/'))
		return pst_err_set(err, PST_EINVAL, "seats: \"%.100s\" must be an absolute path; and the provider's name has no '/'", path);
	if (path_make(h->path, err, "%s", path) < 0 || path_make(h->folder, err, "%s/seats/%s", p->data, p->name) < 0)
		return err->code;
	return pst_mkdirs(h->folder, 0700, err);
}

static int hosts_begin(struct hosts *h, const struct driver_params *p, struct pst_err *err)
{
	uint32_t deadline_s, poll_s, port;

	if (pst_conf_u32(p->conf, p->section, "port", 1, 65535, 22, &port, err) < 0 || commands_read(h, p, err) < 0 || places_read(h, p, err) < 0 || wake_read(h, p, err) < 0 || seed_site_read(&h->seed, p, err) < 0 || rdp_site_read(&h->rdp, p, err) < 0 ||
		pst_conf_bool(p->conf, p->section, "foreign", false, &h->lends_foreign, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "deadline_s", 1, 3600, 300, &deadline_s, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "poll_s", 1, 3600, 30, &poll_s, err) < 0)
		return err->code;
	if (!h->lends_foreign && (!h->commands[HOSTS_SEED] || h->seed.agents[0] == '\0'))
		return pst_err_set(err, PST_EINVAL, "seed and agents: missing; an agent has to be told whose it is, or nobody gets to its seat (foreign = yes lends others)");
	h->ssh_port = (uint16_t)port;
	h->deadline_ms = deadline_s * UINT64_C(1000);
	h->watches = watches_create(p->loop);
	if (!h->watches)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	h->poller = poller_create(&h->base, h->watches, poll_s * UINT64_C(1000), hosts_list, err);
	return h->poller ? 0 : err->code;
}

static struct driver *hosts_open(const struct driver_params *p, struct pst_err *err)
{
	struct hosts *h = pst_zalloc(1, sizeof(*h));

	if (!h) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	calls_init(&h->calls);
	pthread_mutex_init(&h->lock, NULL);
	if (hosts_begin(h, p, err) < 0) {
		hosts_close(&h->base);
		return NULL;
	}
	return &h->base;
}

extern const struct driver_type driver_seats;

const struct driver_type driver_seats = {
	.kind = "hosts",
	.open = hosts_open,
	.create = hosts_create,
	.destroy = hosts_destroy,
	.restart = hosts_restart,
	.list = hosts_list,
	.capacity = hosts_capacity,
	.watch = hosts_watch,
	.close = hosts_close,
	.power = hosts_power,
	.console = hosts_console,
	.way = hosts_way,
	.cancel = hosts_cancel,
};
