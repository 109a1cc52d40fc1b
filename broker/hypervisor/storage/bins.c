/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The providers' recycle bins, which are added at their start and stay. */
#include "broker/hypervisor/storage/bins.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/recycle.h"

#include <pthread.h>
#include <string.h>

struct bin {
	struct bin_folder folder;
	pthread_mutex_t turn; /* whose recycle bin it is now; taken without the lock */
	struct bin *first;    /* of those that name this folder: its turn counts, and it is the one that is listed */
};

static struct {
	pthread_mutex_t lock; /* guards the rest but each bin's turn */
	struct bin bins[BINS_MAX];
	size_t n;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* With the lock; NULL when no provider's is called so. */
static struct bin *bin_find(const char *name)
{
	for (size_t i = 0; i < all.n; i++) {
		if (strcmp(all.bins[i].folder.name, name) == 0)
			return &all.bins[i];
	}
	return NULL;
}

/* With the lock: two providers may share a folder. */
static struct bin *bin_first(struct bin *b)
{
	for (size_t i = 0; i < all.n; i++) {
		if (strcmp(all.bins[i].folder.path, b->folder.path) == 0)
			return &all.bins[i];
	}
	return b;
}

int bins_add(const char *name, const char *folder, struct pst_err *err)
{
	struct store_view v;
	struct bin *b;
	int rc = 0;

	/* Either would be taken for the other. A plain one is a provider's own folder, and this one's. */
	if (stores_view_named(stores_shared(), name, &v) && !v.s.is_plain)
		return pst_err_set(err, PST_ECONFLICT, "there is a datastore %s: a provider that has a folder of its own needs another name", name);
	pthread_mutex_lock(&all.lock);
	b = bin_find(name);
	if (!b && all.n < BINS_MAX) {
		b = &all.bins[all.n++];
		pthread_mutex_init(&b->turn, NULL);
	}
	if (!b)
		rc = pst_err_set(err, PST_ELIMIT, "more than %d folders of providers", BINS_MAX);
	else if (pst_strlcpy(b->folder.name, sizeof(b->folder.name), name) < 0 || pst_strlcpy(b->folder.path, sizeof(b->folder.path), folder) < 0)
		rc = pst_err_set(err, PST_EINVAL, "%.80s: a provider's folder has less than 900 bytes", folder);
	if (b)
		b->first = bin_first(b);
	pthread_mutex_unlock(&all.lock);
	return rc;
}

bool bins_view(size_t index, struct bin_folder *ret)
{
	bool is_there = false;

	pthread_mutex_lock(&all.lock);
	for (size_t i = 0; i < all.n && !is_there; i++) {
		is_there = all.bins[i].first == &all.bins[i] && index-- == 0;
		if (is_there)
			*ret = all.bins[i].folder;
	}
	pthread_mutex_unlock(&all.lock);
	return is_there;
}

static struct bin *bin_named(const char *name)
{
	struct bin *b;

	pthread_mutex_lock(&all.lock);
	b = bin_find(name);
	b = b ? b->first : NULL;
	pthread_mutex_unlock(&all.lock);
	return b;
}

bool bins_lock(struct stores *set, const char *name, char ret_path[900])
{
	struct bin *b = bin_named(name);

	if (!b)
		return stores_lock(set, name, ret_path);
	pthread_mutex_lock(&b->turn);
	pst_strlcpy(ret_path, sizeof(b->folder.path), b->folder.path);
	return true;
}

void bins_unlock(struct stores *set, const char *name)
{
	struct bin *b = bin_named(name);

	if (b)
		pthread_mutex_unlock(&b->turn);
	else
		stores_unlock(set, name);
}

unsigned bins_purge(int64_t now_ms)
{
	struct bin_folder f;
	unsigned total = 0;
	char path[900];

	for (size_t i = 0; bins_view(i, &f); i++) {
		struct pst_err err = PST_ERR_INIT;
		unsigned n = 0;

		if (!bins_lock(NULL, f.name, path))
			continue;
		if (recycle_purge(path, NULL, now_ms, &n, &err) < 0 && err.code != PST_ENOTFOUND)
			pst_warn("provider %s: the recycle bin keeps what is over: %s", f.name, err.text);
		bins_unlock(NULL, f.name);
		if (n > 0)
			pst_info("provider %s: removed from the recycle bin, their time being over n=%u", f.name, n);
		total += n;
	}
	return total;
}
