/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of claims that were read, by the machine's id; each holds as long as the machine's tag names its hash. */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024
#define NOT_OURS_TIMES 30

struct known {
	struct known *next;
	struct pve_brief brief;
	unsigned left; /* times that it is believed not to be ours: its notes may be written again */
};

struct pve_briefs {
	pthread_mutex_t lock;
	struct known *buckets[BUCKETS];
	size_t n;
};

struct pve_briefs *pve_briefs_create(void)
{
	struct pve_briefs *b = pst_zalloc(1, sizeof(*b));

	if (b)
		pthread_mutex_init(&b->lock, NULL);
	return b;
}

/* With the lock, or alone. */
static void clear(struct pve_briefs *b)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		while (b->buckets[i]) {
			struct known *k = b->buckets[i];

			b->buckets[i] = k->next;
			free(k);
		}
	}
	b->n = 0;
}

void pve_briefs_destroy(struct pve_briefs *b)
{
	if (!b)
		return;
	clear(b);
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static struct known *find(struct pve_briefs *b, uint32_t id)
{
	struct known *k = b->buckets[id % BUCKETS];

	while (k && k->brief.id != id)
		k = k->next;
	return k;
}

bool pve_briefs_find(struct pve_briefs *b, uint32_t id, const char *rev, struct pve_brief *ret)
{
	struct known *k;
	bool is_known;

	pthread_mutex_lock(&b->lock);
	k = find(b, id);
	is_known = k && rev[0] && strcmp(k->brief.rev, rev) == 0 && (k->brief.desktop[0] || k->left > 0);
	if (is_known && !k->brief.desktop[0])
		k->left--;
	if (is_known)
		*ret = k->brief;
	pthread_mutex_unlock(&b->lock);
	return is_known;
}

void pve_briefs_put(struct pve_briefs *b, const struct pve_brief *brief)
{
	struct known *k;

	pthread_mutex_lock(&b->lock);
	if (b->n >= 2 * PVE_MACHINES_MAX) /* of machines that are long gone: it is only a memory */
		clear(b);
	k = find(b, brief->id);
	if (!k && (k = pst_zalloc(1, sizeof(*k)))) {
		k->next = b->buckets[brief->id % BUCKETS];
		b->buckets[brief->id % BUCKETS] = k;
		b->n++;
	}
	if (k) {
		k->brief = *brief;
		k->left = NOT_OURS_TIMES;
	}
	pthread_mutex_unlock(&b->lock);
}

void pve_briefs_forget(struct pve_briefs *b, uint32_t id)
{
	struct known *k;

	pthread_mutex_lock(&b->lock);
	k = find(b, id);
	if (k)
		k->brief.rev[0] = '\0'; /* which no tag names */
	pthread_mutex_unlock(&b->lock);
}

static void brief_fill(const struct claim *c, uint32_t id, struct pve_brief *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->id = id;
	ret->phase = c->phase;
	pst_strlcpy(ret->desktop, sizeof(ret->desktop), c->request.desktop);
	pst_strlcpy(ret->task, sizeof(ret->task), c->request.task);
	pst_strlcpy(ret->address, sizeof(ret->address), c->address);
	ret->is_windows = c->request.is_windows;
	ret->has_rdp = c->request.has_rdp;
	snprintf(ret->image, sizeof(ret->image), "%s:%s", c->request.image_name, c->request.image_version);
}

int pve_brief_read(const struct proxmox *p, uint32_t id, const json_t *config, struct pve_brief *ret, struct claim *claim, struct pst_err *err)
{
	const char *text = pst_json_str(config, "description", 2 * CLAIM_MAX), *tags = pst_json_str(config, "tags", VMCONFIG_VALUE_SIZE);
	const char *net = pst_json_str(config, "net0", VMCONFIG_VALUE_SIZE);
	struct pst_err why = PST_ERR_INIT;
	char place[CLAIM_PLACE_SIZE];
	struct claim c;

	snprintf(place, sizeof(place), "%u", id);
	if (!text || claim_parse(text, &c, &why) < 0 || !claim_is_ours(&c, p->instance, p->provider, place))
		return pst_err_set(err, PST_ENOTFOUND, "machine %u is not ours", id);
	brief_fill(&c, id, ret);
	if (net)
		vmconfig_mac(net, ret->mac);
	if (!tags || !vmconfig_tag_rest(tags, VMCONFIG_TAG_REV, ret->rev, sizeof(ret->rev)))
		ret->rev[0] = '\0';
	if (claim)
		*claim = c;
	return 0;
}
