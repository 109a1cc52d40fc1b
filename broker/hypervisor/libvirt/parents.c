/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The parents that are known, and the one thread that makes them.
 *
 *	(asked for) --> wanted --> making --> ready --(nobody stands on it)--> gone
 *	                  ^           |         |
 *	                  |           v         | (its children fail)
 *	                  '-(a while)-failed <--'
 */
#include "broker/hypervisor/libvirt/parent.h"
#include "broker/hypervisor/libvirt/store.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/request.h"
#include "broker/hypervisor/storage/order.h"
#include "broker/hypervisor/storage/stores.h"
#include "broker/hypervisor/storage/volume_record.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PARENTS_MAX 64
#define AGAIN_MS (30 * 60 * UINT64_C(1000)) /* after a failure */
#define STRIKES_MAX 3
#define IDLE_MS (10 * 60 * UINT64_C(1000))  /* one that nobody stands on goes */
#define SWEEP_MS (60 * UINT64_C(1000))
#define LOAD_MS 5000

struct lv_parents {
	struct lv_parent *first; /* all by the lock of lv */
	size_t n;
};

static void state_set(struct libvirt *lv, struct lv_parent *p, enum lv_parent_state state)
{
	p->state = state;
	p->since_ms = pst_mono_ms();
	pthread_cond_broadcast(&lv->changed);
}

/* Read again, or made. */
static int bring(struct lv_parent *p, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	bool is_bad = p->strikes >= STRIKES_MAX;
	int rc = is_bad ? PST_ECONFLICT : lv_parent_load(p, &why);

	if (rc == 0)
		return 0;
	if (rc != PST_ENOTFOUND)
		pst_warn("parent=%s not used: %s", p->key, is_bad ? "its children could not be restored" : why.text);
	return lv_parent_remove(p->root, p->key, err) < 0 ? err->code : lv_parent_make(p, err);
}

/* With the lock, which is let go meanwhile. */
static void make_one(struct libvirt *lv, struct lv_parent *p)
{
	const struct machine_request *r = &p->request;
	uint64_t began = pst_mono_ms();
	struct pst_err err = PST_ERR_INIT;
	int rc;

	state_set(lv, p, LV_PARENT_MAKING);
	pthread_mutex_unlock(&lv->lock);
	rc = bring(p, &err);
	if (rc == 0)
		pst_info("parent=%s image=%s:%s ready in %llu ms", p->key, r->image_name, r->image_version, (unsigned long long)(pst_mono_ms() - began));
	else if (rc != PST_ECLOSED)
		pst_warn("parent=%s image=%s:%s cannot be made, its machines boot by themselves: %s", p->key, r->image_name, r->image_version, err.text);
	pthread_mutex_lock(&lv->lock);
	p->strikes = rc == 0 && p->strikes < STRIKES_MAX ? p->strikes : 0;
	state_set(lv, p, rc == 0 ? LV_PARENT_READY : LV_PARENT_FAILED);
}

static struct lv_parent *wanted_find(struct lv_parents *ps)
{
	for (struct lv_parent *p = ps->first; p; p = p->next) {
		if (p->state == LV_PARENT_WANTED)
			return p;
	}
	return NULL;
}

/* With the lock, which is let go while overlays are counted. false: p is gone. */
static bool idle_keep(struct libvirt *lv, struct lv_parent *p)
{
	struct pst_err why = PST_ERR_INIT;
	uint64_t idle_ms = pst_mono_ms() - p->since_ms;
	int rc;

	if (p->state == LV_PARENT_FAILED)
		return idle_ms < AGAIN_MS;
	if (p->state != LV_PARENT_READY || p->users || idle_ms < IDLE_MS)
		return true;
	p->state = LV_PARENT_GOING;
	pthread_mutex_unlock(&lv->lock);
	rc = lv_parent_remove(p->root, p->key, &why);
	pthread_mutex_lock(&lv->lock);
	if (rc < 0)
		state_set(lv, p, LV_PARENT_READY);
	else
		pst_info("parent=%s removed: nobody stands on it", p->key);
	return rc < 0;
}

/* With the lock. Others only put new ones in front. */
static void known_sweep(struct libvirt *lv)
{
	struct lv_parent *p, *next, **at;

	for (p = lv->parents->first; p; p = next) {
		next = p->next;
		if (idle_keep(lv, p))
			continue;
		for (at = &lv->parents->first; *at != p; at = &(*at)->next)
			;
		*at = p->next;
		lv->parents->n--;
		free(p);
	}
}

static bool is_known(struct libvirt *lv, const char *key)
{
	const struct lv_parent *p;

	pthread_mutex_lock(&lv->lock);
	for (p = lv->parents->first; p && strcmp(p->key, key) != 0; p = p->next)
		;
	pthread_mutex_unlock(&lv->lock);
	return p;
}

/* What an earlier run has left: halves of one go at once, whole ones when nobody has wanted them for a while. */
static void folder_sweep(struct libvirt *lv, const char *root)
{
	char path[PATH_MAX], file[PATH_MAX];
	struct pst_err ignored = PST_ERR_INIT;
	struct dirent *e;
	struct stat st;
	DIR *dir = path_make(path, NULL, "%s/parents", root) == 0 ? opendir(path) : NULL;

	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' && strlen(e->d_name) == LV_KEY_SIZE) {
			if (lv_parent_path(root, e->d_name, NULL, path, NULL) == 0)
				(void)tree_remove(path, &ignored);
		} else if (strlen(e->d_name) == LV_KEY_SIZE - 1 && !is_known(lv, e->d_name) &&
			lv_parent_path(root, e->d_name, "parent.json", file, NULL) == 0 &&
			(stat(file, &st) < 0 || time(NULL) - st.st_mtim.tv_sec > (time_t)(IDLE_MS / 1000))) {
			(void)lv_parent_remove(root, e->d_name, &ignored);
		}
	}
	if (dir)
		closedir(dir);
}

static void folders_sweep(struct libvirt *lv)
{
	char root[PATH_MAX];
	struct store_view v;

	for (size_t i = 0; i < lv->set.stores_n; i++) {
		if (stores_view_named(stores_shared(), lv->set.stores[i], &v) && v.is_online && lv_store_root(lv, lv->set.stores[i], root, NULL) == 0)
			folder_sweep(lv, root);
	}
}

static void *maker_main(void *arg)
{
	struct libvirt *lv = arg;
	uint64_t sweep_ms = 0;

	pthread_mutex_lock(&lv->lock);
	while (!lv->is_closing) {
		struct lv_parent *p = wanted_find(lv->parents);
		struct timespec until = lv_until(sweep_ms);

		if (p) {
			make_one(lv, p);
		} else if (pst_mono_ms() >= sweep_ms) {
			known_sweep(lv);
			pthread_mutex_unlock(&lv->lock);
			folders_sweep(lv);
			pthread_mutex_lock(&lv->lock);
			sweep_ms = pst_mono_ms() + SWEEP_MS;
		} else {
			pthread_cond_timedwait(&lv->changed, &lv->lock, &until);
		}
	}
	pthread_mutex_unlock(&lv->lock);
	lv_unref(lv);
	return NULL;
}

int lv_parents_start(struct libvirt *lv, struct pst_err *err)
{
	pthread_t thread;

	if (!lv->set.is_instant)
		return 0;
	lv->parents = pst_zalloc(1, sizeof(*lv->parents));
	if (!lv->parents)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	lv_ref(lv);
	if (pthread_create(&thread, NULL, maker_main, lv) != 0) {
		lv_unref(lv);
		return pst_err_set(err, PST_EBUSY, "no thread to make parents");
	}
	pthread_detach(thread);
	return 0;
}

void lv_parents_finish(struct libvirt *lv)
{
	while (lv->parents && lv->parents->first) {
		struct lv_parent *p = lv->parents->first;

		lv->parents->first = p->next;
		free(p);
	}
	free(lv->parents);
}

/* --- a call's side -------------------------------------------------------------------------------- */

/* What a child can be made of, and where: its libvirtd reads a pipe of ours. In what speaks RDP there is no agent who would take another name. */
static bool may_be_cloned(const struct libvirt *lv, const struct lv_host *h, const struct machine_request *r)
{
	bool is_here = pst_str_starts(h->uri, "qemu:///") || pst_str_starts(h->uri, "qemu+unix:///");
	struct pst_err ignored = PST_ERR_INIT;
	struct order order;
	bool is_efi = true;

	order_of(r->desktop, &order);
	return lv->parents && is_here && !request_speaks_rdp(r) && h->nature.form->card && lv_form_for(h, r) == h->nature.form && lv->set.seed.agents[0] && !order.is_restore && r->image_base[0] == '/' &&
		!pst_str_ends(r->image_base, "/" VOLUME_OF_VERSION) && lv_plan_is_efi(h, r, &is_efi, &ignored) == 0 && !is_efi;
}

/* With the lock. */
static struct lv_parent *find_or_want(struct libvirt *lv, struct lv_host *h, const char *key, const struct machine_request *r, const char *root)
{
	struct lv_parents *ps = lv->parents;
	struct lv_parent *p;

	for (p = ps->first; p && (strcmp(p->key, key) != 0 || strcmp(p->root, root) != 0); p = p->next)
		;
	if (!p && ps->n < PARENTS_MAX && (p = pst_zalloc(1, sizeof(*p)))) {
		pst_strlcpy(p->key, sizeof(p->key), key);
		pst_strlcpy(p->root, sizeof(p->root), root);
		p->host = h;
		p->request = *r;
		memset(p->request.enrol_token, 0, sizeof(p->request.enrol_token));
		p->next = ps->first;
		ps->first = p;
		ps->n++;
		state_set(lv, p, LV_PARENT_WANTED);
	}
	if (p && p->state == LV_PARENT_FAILED && p->users == 0 && pst_mono_ms() - p->since_ms > AGAIN_MS)
		state_set(lv, p, LV_PARENT_WANTED);
	return p;
}

struct lv_parent *lv_parent_take(struct lv_call *c, struct lv_host *h, virConnectPtr conn, const struct machine_request *r)
{
	struct timespec until = lv_until(PST_MIN(c->deadline_ms, pst_mono_ms() + LOAD_MS));
	struct pst_err ignored = PST_ERR_INIT;
	struct libvirt *lv = c->lv;
	char key[LV_KEY_SIZE], root[PATH_MAX], path[PATH_MAX];
	struct lv_parent *p;
	bool is_there;

	if (!may_be_cloned(lv, h, r) || lv_parent_key(h, conn, r, key, &ignored) < 0 || lv_disk_path(lv, r->desktop, NULL, root, &ignored) < 0 ||
		lv_parent_of(lv, r->desktop, key, "parent.json", path, &ignored) < 0)
		return NULL;
	*strrchr(root, '/') = '\0';
	is_there = utimensat(AT_FDCWD, path, NULL, 0) == 0; /* it is not swept soon */
	pthread_mutex_lock(&lv->lock);
	p = find_or_want(lv, h, key, r, root);
	if (p)
		p->users++;
	/* One of an earlier run is read in a moment; nobody waits for one to be made. */
	while (p && is_there && p->state < LV_PARENT_READY && !lv->is_closing && pthread_cond_timedwait(&lv->changed, &lv->lock, &until) == 0)
		;
	if (p && p->state != LV_PARENT_READY) {
		p->users--;
		p = NULL;
	}
	pthread_mutex_unlock(&lv->lock);
	return p;
}

void lv_parent_give(struct libvirt *lv, struct lv_parent *p, bool is_bad)
{
	pthread_mutex_lock(&lv->lock);
	p->users--;
	p->since_ms = pst_mono_ms();
	p->strikes = is_bad ? p->strikes + 1 : 0;
	if (p->strikes && p->users == 0 && p->state == LV_PARENT_READY)
		state_set(lv, p, LV_PARENT_WANTED);
	pthread_mutex_unlock(&lv->lock);
}
