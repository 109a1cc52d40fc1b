/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several hosts: what each of them has, and which one is taken where nobody has chosen. */
#include "broker/hypervisor/libvirt/call.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRY_MS 2000 /* that one of several hosts is waited for */
#define STATS_MAX 16

struct lv_host *lv_host_named(struct libvirt *lv, const char *name)
{
	for (size_t i = 0; i < lv->hosts_n; i++) {
		if (lv->hosts[i].name[0] && strcmp(lv->hosts[i].name, name) == 0)
			return &lv->hosts[i];
	}
	return NULL;
}

virConnectPtr lv_host_try(struct lv_call *c, struct lv_host *h, struct pst_err *err)
{
	uint64_t until_ms = c->lv->hosts_n > 1 ? PST_MIN(c->deadline_ms, pst_mono_ms() + TRY_MS) : c->deadline_ms;

	return lv_host_connection(h, until_ms, err);
}

/* What the kernel could give, caches included; drivers that do not tell have what they say is free. */
static uint64_t free_mb(virConnectPtr conn, uint64_t total_mb)
{
	static const char *const fields[] = { VIR_NODE_MEMORY_STATS_FREE, VIR_NODE_MEMORY_STATS_BUFFERS, VIR_NODE_MEMORY_STATS_CACHED };
	virNodeMemoryStats stats[STATS_MAX];
	uint64_t kib = 0;
	int n = 0;

	if (virNodeGetMemoryStats(conn, VIR_NODE_MEMORY_STATS_ALL_CELLS, NULL, &n, 0) < 0 || n <= 0 || n > STATS_MAX ||
		virNodeGetMemoryStats(conn, VIR_NODE_MEMORY_STATS_ALL_CELLS, stats, &n, 0) < 0) {
		unsigned long long bytes = virNodeGetFreeMemory(conn);

		return bytes ? PST_MIN((uint64_t)bytes >> 20, total_mb) : total_mb;
	}
	for (int i = 0; i < n; i++) {
		for (size_t k = 0; k < PST_ARRAY_LEN(fields); k++)
			kib += strcmp(stats[i].field, fields[k]) == 0 ? stats[i].value : 0;
	}
	return PST_MIN(kib >> 10, total_mb);
}

static int host_ask(struct lv_call *c, struct lv_host *h, virConnectPtr conn, struct driver_host *ret, struct pst_err *err)
{
	int machines = virConnectNumOfDomains(conn);
	virNodeInfo info;

	if (machines < 0 || virNodeGetInfo(conn, &info) < 0)
		return lv_error(err, h, "ask what it has");
	ret->machines = (uint32_t)machines;
	ret->processors = info.cpus;
	ret->memory_mb = (uint32_t)PST_MIN((uint64_t)info.memory >> 10, (uint64_t)UINT32_MAX);
	ret->free_mb = (uint32_t)free_mb(conn, ret->memory_mb);
	/* Where the administrator has said how many all of them hold, memory alone tells them apart. */
	ret->capacity = c->lv->set.capacity ? 0 : h->nature.machines;
	return 0;
}

static void host_look(struct lv_call *c, struct lv_host *h, struct driver_host *ret)
{
	struct pst_err err = PST_ERR_INIT;
	virConnectPtr conn = lv_host_try(c, h, &err);

	pst_strlcpy(ret->name, sizeof(ret->name), h->name);
	ret->usable = conn && host_ask(c, h, conn, ret, &err) == 0;
	if (!ret->usable)
		snprintf(ret->reason, sizeof(ret->reason), "%.400s: look at libvirtd there", err.text);
	if (conn)
		virConnectClose(conn);
}

int lv_hosts_work(struct lv_call *c, struct pst_err *err)
{
	c->hosts = pst_zalloc(LV_HOSTS_MAX, sizeof(*c->hosts));
	if (!c->hosts)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	for (size_t i = 0; i < c->lv->hosts_n; i++) {
		if (lv_call_step(c, &c->lv->hosts[i], "asking what it has", err) < 0)
			return err->code;
		host_look(c, &c->lv->hosts[i], &c->hosts[i]);
	}
	return 0;
}

/* The host with the most room, by memory and by how many run there. */
static int roomiest(struct lv_call *c, struct lv_host **ret, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	int64_t most = INT64_MIN;

	*ret = NULL;
	for (size_t i = 0; i < c->lv->hosts_n; i++) {
		struct lv_host *h = &c->lv->hosts[i];
		virConnectPtr conn = lv_host_try(c, h, &why);
		int64_t n = conn ? virConnectNumOfDomains(conn) : -1;

		if (conn)
			virConnectClose(conn);
		if (n >= 0 && (int64_t)h->nature.machines - n > most) {
			most = (int64_t)h->nature.machines - n;
			*ret = h;
		}
	}
	if (*ret)
		return 0;
	return why.code < 0 ? pst_err_pass(err, why.code, &why) : pst_err_set(err, PST_EIO, "no host tells how many domains it has");
}

int lv_host_choose(struct lv_call *c, struct lv_host **ret, struct pst_err *err)
{
	if (c->request.host[0] == '\0')
		return roomiest(c, ret, err);
	if (c->lv->hosts[0].name[0] == '\0')
		return pst_err_set(err, PST_EINVAL, "it is one host: \"%s\" cannot be chosen", c->request.host);
	*ret = lv_host_named(c->lv, c->request.host);
	return *ret ? 0 : pst_err_set(err, PST_ENOTFOUND, "there is no host \"%s\" in \"hosts\"", c->request.host);
}
