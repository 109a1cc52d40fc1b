/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The driver "hyperv": its table and its settings. docs/hyperv.md has the admin's side. */
#include "broker/hypervisor/hyperv/hyperv_priv.h"

#include "base/conf.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hyperv *hyperv_of(struct driver *d)
{
	return pst_container_of(d, struct hyperv, base);
}

static void hv_cancel(struct driver *d, const char *desktop)
{
	struct hyperv *h = hyperv_of(d);

	calls_cancel(&h->calls, desktop);
	wsman_cancel(h->wsman, desktop);
}

static void cancel_all(void *arg)
{
	struct hyperv *h = arg;

	calls_cancel(&h->calls, NULL);
	wsman_cancel(h->wsman, NULL);
}

static int hv_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg, struct pst_err *err)
{
	return watches_add(hyperv_of(d)->watches, desktop, ended, arg, err);
}

static void hv_close(struct driver *d)
{
	struct hyperv *h = d ? hyperv_of(d) : NULL;

	if (!h)
		return;
	poller_destroy(h->poller, cancel_all, h);
	watches_destroy(h->watches);
	wsman_destroy(h->wsman);
	calls_finish(&h->calls);
	lv_addresses_finish(&h->addresses);
	pthread_mutex_destroy(&h->naming);
	free(h);
}

/* "D:\puesto": it comes to stand in queries and paths. */
static int folder_read(const struct driver_params *p, const char *key, const char *fallback, char out[VM_PATH_SIZE], struct pst_err *err)
{
	const char *path = pst_conf_str(p->conf, p->section, key, fallback);
	size_t len = strlen(path);

	if (len < 4 || path[1] != ':' || path[2] != '\\' || path[len - 1] == '\\' || strpbrk(path, "/'\"%*?<>|") || strpbrk(path + 2, ":") ||
		strspn(path, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") < 1 || len > 200)
		return pst_err_set(err, PST_EINVAL, "%s: \"%.100s\" must be a folder of the host such as D:\\puesto, without quotes and wild cards", key, path);
	return pst_strlcpy(out, VM_PATH_SIZE, path);
}

static int places_read(struct hyperv *h, const struct driver_params *p, struct pst_err *err)
{
	const char *addresses = pst_conf_str(p->conf, p->section, "addresses", NULL);
	const char *network = pst_conf_str(p->conf, p->section, "switch", "");

	if (folder_read(p, "folder", "C:\\Puesto\\Desktops", h->folder, err) < 0 || folder_read(p, "images", "C:\\Puesto\\Images", h->images, err) < 0)
		return err->code;
	if (pst_strlcpy(h->network, sizeof(h->network), network) < 0)
		return pst_err_set(err, PST_EINVAL, "switch: longer than %d bytes", VM_NAME_SIZE - 1);
	if (nets_read(&h->nets, p, err) < 0)
		return err->code;
	for (size_t i = 0; i < h->nets.n; i++) {
		if (strlen(h->nets.list[i].value) >= VM_NAME_SIZE)
			return pst_err_set(err, PST_EINVAL, "network-%s: a switch's name is at most %d bytes long", h->nets.list[i].name, VM_NAME_SIZE - 1);
	}
	/* What a guest says of its address is nothing to believe. */
	if (!addresses)
		return pst_err_set(err, PST_EINVAL, "addresses: missing; FIRST-LAST, reserved in the network's DHCP for the machines");
	return lv_addresses_init(&h->addresses, addresses, err);
}

static int hv_networks(struct driver *d, driver_network_cb visit, void *arg, struct pst_err *err)
{
	const struct nets *nets = &hyperv_of(d)->nets;

	(void)err;
	for (size_t i = 0; i < nets->n; i++) {
		/* Whether machines of a switch reach each other is its own matter. */
		struct driver_network n = { .kind = "existing", .peers = true };

		pst_strlcpy(n.name, sizeof(n.name), nets->list[i].name);
		snprintf(n.about, sizeof(n.about), "%.*s", (int)sizeof(n.about) - 1, nets->list[i].value);
		visit(&n, arg);
	}
	return 0;
}

static int hv_begin(struct hyperv *h, const struct driver_params *p, struct pst_err *err)
{
	uint32_t deadline_s, poll_s;

	if (pst_strlcpy(h->provider, sizeof(h->provider), p->name) < 0)
		return pst_err_set(err, PST_ELIMIT, "too long a name of a provider");
	if (places_read(h, p, err) < 0 || mark_read(p->data, h->mark, err) < 0 || seed_site_read(&h->seed, p, err) < 0 ||
		rdp_site_read(&h->rdp, p, err) < 0 || pst_conf_u32(p->conf, p->section, "capacity", 1, HV_MACHINES_MAX, 100, &h->capacity, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "deadline_s", 1, 3600, 300, &deadline_s, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "poll_s", 1, 3600, 15, &poll_s, err) < 0)
		return err->code;
	h->base.rdp_wait_ms = h->rdp.wait_ms;
	h->deadline_ms = deadline_s * UINT64_C(1000);
	h->wsman = wsman_create(p, h->deadline_ms, err);
	if (!h->wsman)
		return err->code;
	h->watches = watches_create(p->loop);
	if (!h->watches)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	h->poller = poller_create(&h->base, h->watches, poll_s * UINT64_C(1000), hv_list, err);
	return h->poller ? 0 : err->code;
}

static struct driver *hv_open(const struct driver_params *p, struct pst_err *err)
{
	struct hyperv *h = pst_zalloc(1, sizeof(*h));

	if (!h) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	calls_init(&h->calls);
	pthread_mutex_init(&h->naming, NULL);
	if (hv_begin(h, p, err) < 0) {
		hv_close(&h->base);
		return NULL;
	}
	return &h->base;
}

extern const struct driver_type driver_hyperv;

const struct driver_type driver_hyperv = {
	.kind = "hyperv",
	.open = hv_open,
	.create = hv_create,
	.destroy = hv_destroy,
	.restart = hv_restart,
	.list = hv_list,
	.capacity = hv_capacity,
	.watch = hv_watch,
	.close = hv_close,
	.power = hv_power,
	.snapshot_take = hv_snapshot_take,
	.snapshot_revert = hv_snapshot_revert,
	.snapshot_drop = hv_snapshot_drop,
	.way = hv_way,
	.networks = hv_networks,
	.cancel = hv_cancel,
};
