/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of the machines that were seen, by uuid. */
#include "broker/hypervisor/libvirt/known.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024

static struct lv_known **bucket_of(struct libvirt *lv, const char *desktop)
{
	struct pst_uuid u = { { 0 } };

	if (!lv->known)
		lv->known = pst_zalloc(BUCKETS, sizeof(*lv->known));
	(void)pst_uuid_parse(desktop, &u);
	return lv->known ? &lv->known[((size_t)u.b[0] << 8 | u.b[1]) % BUCKETS] : NULL;
}

struct lv_known *lv_known_find(struct libvirt *lv, const char *desktop)
{
	struct lv_known **bucket = bucket_of(lv, desktop);

	for (struct lv_known *k = bucket ? *bucket : NULL; k; k = k->next) {
		if (strcmp(k->desktop, desktop) == 0)
			return k;
	}
	return NULL;
}

struct lv_known *lv_known_add(struct libvirt *lv, const char *desktop)
{
	struct lv_known *k = lv_known_find(lv, desktop), **bucket = bucket_of(lv, desktop);

	if (k || !bucket)
		return k;
	k = pst_zalloc(1, sizeof(*k));
	if (!k)
		return NULL;
	pst_strlcpy(k->desktop, sizeof(k->desktop), desktop);
	k->next = *bucket;
	*bucket = k;
	return k;
}

void lv_known_remove(struct libvirt *lv, const char *desktop)
{
	struct lv_known **at = bucket_of(lv, desktop), *k;

	while (at && *at && strcmp((*at)->desktop, desktop) != 0)
		at = &(*at)->next;
	if (!at || !*at)
		return;
	k = *at;
	*at = k->next;
	free(k);
}

void lv_known_each(struct libvirt *lv, void (*visit)(struct libvirt *lv, struct lv_known *k, void *arg), void *arg)
{
	for (size_t i = 0; lv->known && i < BUCKETS; i++) {
		for (struct lv_known *k = lv->known[i]; k; k = k->next)
			visit(lv, k, arg);
	}
}

void lv_known_finish(struct libvirt *lv)
{
	for (size_t i = 0; lv->known && i < BUCKETS; i++) {
		while (lv->known[i]) {
			struct lv_known *k = lv->known[i];

			lv->known[i] = k->next;
			free(k);
		}
	}
	free(lv->known);
	lv->known = NULL;
}
