/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The datastores of a provider: those that "datastores" names, or one that "directory" makes. A desktop's folder
 * tells on which of them it is; it is made before anything that names it, and where it is to be stands on our own disk (storage/placed.h) before
 * that: so while a datastore is away, it is known which desktops may be there.
 */
#include "broker/hypervisor/libvirt/backup.h"
#include "broker/hypervisor/libvirt/call.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/recycle.h"
#include "broker/hypervisor/libvirt/base.h"
#include "broker/hypervisor/libvirt/store.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/storage/bins.h"
#include "broker/hypervisor/storage/order.h"
#include "broker/hypervisor/storage/placed.h"
#include "broker/hypervisor/storage/stores.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- settings ----------------------------------------------------------------------------- */

static bool is_without_disks(const struct libvirt *lv)
{
	for (size_t i = 0; i < lv->hosts_n; i++) {
		if (!pst_str_starts(lv->hosts[i].uri, "test:"))
			return false;
	}
	return true;
}

static int store_name(struct libvirt *lv, const char *name, struct pst_err *err)
{
	struct lv_settings *s = &lv->set;

	if (s->stores_n == LV_STORES_MAX)
		return pst_err_set(err, PST_ELIMIT, "datastores: more than %d", LV_STORES_MAX);
	s->stores[s->stores_n] = strdup(name);
	if (!s->stores[s->stores_n])
		return pst_err_set(err, PST_ENOMEM, "no memory");
	s->stores_n++;
	return 0;
}

static int names_read(struct libvirt *lv, const char *text, struct pst_err *err)
{
	char *copy = strdup(text), *rest = copy, *word;
	struct store_view v;
	int rc = copy ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");

	while (rc == 0 && (word = strsep(&rest, ","))) {
		word += strspn(word, " \t");
		word[strcspn(word, " \t")] = '\0';
		if (*word && (!stores_view_named(stores_shared(), word, &v) || v.s.is_plain || v.s.is_backups))
			rc = pst_err_set(err, PST_EINVAL, "datastores: there is no section [datastore-%.60s], or it is for back-ups", word);
		else if (*word)
			rc = store_name(lv, word, err);
		lv->set.has_files |= *word && rc == 0 && !store_is_volumes(&v.s);
	}
	free(copy);
	if (rc == 0 && lv->set.stores_n == 0)
		rc = pst_err_set(err, PST_EINVAL, "datastores: names none");
	return rc;
}

/* The provider's own folder is a datastore without images, and is never called full before it is. */
static int directory_read(struct libvirt *lv, const char *directory, const char *data, struct pst_err *err)
{
	struct store_settings s = { .limits = { .warning = 95, .critical = 100, .back = 1 }, .jobs_max = STORE_JOBS_DEFAULT, .is_plain = true };
	struct store_view v;

	if (directory[0] != '/' || pst_strlcpy(s.path, sizeof(s.path), directory) < 0)
		return pst_err_set(err, PST_EINVAL, "directory: \"%.80s\" must be an absolute path of less than 900 bytes", directory);
	pst_strlcpy(s.name, sizeof(s.name), lv->provider);
	pst_strlcpy(lv->set.directory, sizeof(lv->set.directory), directory);
	lv->set.has_files = true;
	if (pst_mkdirs(directory, 0711, err) < 0)
		return err->code;
	for (size_t i = 0; stores_view(stores_shared(), i, &v); i++) {
		if (v.s.is_plain && strcmp(v.s.path, directory) == 0)
			return store_name(lv, v.s.name, err); /* another provider's, or ours of before */
	}
	if (stores_add(stores_shared(), &s, data, err) < 0 || bins_add(s.name, directory, err) < 0)
		return err->code;
	return store_name(lv, s.name, err);
}

int lv_stores_read(struct libvirt *lv, const struct driver_params *p, struct pst_err *err)
{
	const char *names = pst_conf_str(p->conf, p->section, "datastores", NULL);
	const char *directory = pst_conf_str(p->conf, p->section, "directory", NULL);
	const char *tool = pst_conf_str(p->conf, "provisioner", "qemu_img", "/usr/bin/qemu-img");
	char fallback[PATH_MAX];

	if (pst_strlcpy(lv->set.tool, sizeof(lv->set.tool), tool) < 0)
		return pst_err_set(err, PST_EINVAL, "[provisioner] qemu_img: the path is too long");

	if (names && directory)
		return pst_err_set(err, PST_EINVAL, "datastores: and \"directory\" are two ways to say the same: keep one");
	if (is_without_disks(lv))
		return 0;
	if (!stores_shared())
		return pst_err_set(err, PST_ENOMEM, "no memory");
	if (names && (pst_strlcpy(lv->set.data, sizeof(lv->set.data), p->data) < 0 || path_make(lv->set.placed, err, "%s/placed/%s", p->data, p->name) < 0))
		return pst_err_set(err, PST_ELIMIT, "the data directory's path is too long");
	if (names)
		return names_read(lv, names, err);
	if (path_make(fallback, err, "%s/disks", p->data) < 0)
		return err->code;
	return directory_read(lv, directory ? directory : fallback, p->data, err);
}

void lv_stores_finish(struct libvirt *lv)
{
	for (size_t i = 0; i < lv->set.stores_n; i++)
		free((void *)(uintptr_t)lv->set.stores[i]);
	lv->set.stores_n = 0;
}

/* --- where ------------------------------------------------------------------------------- */

int lv_store_root(const struct libvirt *lv, const char *store, char out[PATH_MAX], struct pst_err *err)
{
	struct store_view v;

	if (!stores_view_named(stores_shared(), store, &v))
		return pst_err_set(err, PST_ENOTFOUND, "there is no datastore %s", store);
	return path_make(out, err, "%s%s/%.8s-%s", v.s.path, v.s.is_plain ? "" : "/desktops", lv->instance, lv->provider);
}

int lv_store_note(const struct libvirt *lv, const char *desktop, const char *store, struct pst_err *err)
{
	return lv->set.placed[0] ? placed_write(lv->set.placed, desktop, store, err) : 0;
}

void lv_store_forget(const struct libvirt *lv, const char *desktop)
{
	if (lv->set.placed[0])
		placed_forget(lv->set.placed, desktop);
}

/* It is here now: what lies on it from before there were notes gets some. Not to be able to has it hold up more, later. */
static void store_learn(const struct libvirt *lv, const struct store_view *v)
{
	struct pst_err ignored = PST_ERR_INIT;
	char below[PATH_MAX];

	if (lv->set.placed[0] && path_make(below, &ignored, "desktops/%.8s-%s", lv->instance, lv->provider) == 0)
		(void)placed_learn(lv->set.placed, &v->s, lv->set.data, below, &ignored);
}

enum there { THERE_NOT, THERE, THERE_PERHAPS };

/* last: where the desktop was put, or "". */
static int store_ask(const struct libvirt *lv, const char *name, const char *desktop, const char *last, enum there *ret, struct pst_err *err)
{
	struct pst_err away = PST_ERR_INIT;
	char root[PATH_MAX], path[PATH_MAX];
	struct store_view v;
	bool may_be;

	*ret = THERE_PERHAPS;
	if (!stores_view_named(stores_shared(), name, &v))
		return 0;
	if (v.is_online)
		store_learn(lv, &v);
	if (lv_store_root(lv, name, root, err) < 0 || path_make(path, err, "%s/%s", root, desktop) < 0)
		return err->code;
	may_be = !lv->set.placed[0] || placed_may_be(lv->set.placed, &v.s, lv->set.data, last);
	if (v.is_online && access(path, F_OK) == 0)
		*ret = THERE;
	else if (!may_be || (v.is_online && store_check(&v.s, lv->set.data, &away) == 0)) /* it may have gone since the last look */
		*ret = THERE_NOT;
	return 0;
}

/* Is it there, in the order of the provider's list but for where it was put? */
int lv_store_of(const struct libvirt *lv, const char *desktop, char ret_name[PLACEMENT_NAME_SIZE], struct pst_err *err)
{
	const char *away = NULL;
	char last[PLACEMENT_NAME_SIZE] = "";
	enum there there;

	ret_name[0] = '\0';
	if (lv->set.placed[0] && placed_read(lv->set.placed, desktop, last, err) < 0)
		return err->code;
	for (size_t i = 0; i < 2 * lv->set.stores_n; i++) {
		const char *name = lv->set.stores[i % lv->set.stores_n];

		if ((strcmp(name, last) == 0) != (i < lv->set.stores_n))
			continue;
		if (store_ask(lv, name, desktop, last, &there, err) < 0)
			return err->code;
		if (there == THERE)
			return pst_strlcpy(ret_name, PLACEMENT_NAME_SIZE, name);
		if (there == THERE_PERHAPS)
			away = name;
	}
	return away ? pst_err_set(err, PST_EBUSY, "datastore %s is offline and may have the desktop's disk", away) : 0;
}

static int folder_sync(const char *path, struct pst_err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? pst_err_sys(err, PST_EIO, errno, "%.200s", path) : 0;

	pst_fd_close(&fd);
	return rc;
}

/* QEMU runs under another user, who reaches its files by their names. */
static int folder_make(const struct libvirt *lv, const char *store, const char *desktop, struct pst_err *err)
{
	char root[PATH_MAX], path[PATH_MAX], above[PATH_MAX];

	if (lv_store_root(lv, store, root, err) < 0 || path_make(path, err, "%s/%s", root, desktop) < 0 ||
		path_make(above, err, "%.*s", (int)(strrchr(root, '/') - root), root) < 0)
		return err->code;
	if (access(root, F_OK) < 0 && (pst_mkdirs(root, 0711, err) < 0 || folder_sync(above, err) < 0))
		return err->code;
	if (pst_mkdirs(path, 0711, err) < 0)
		return err->code;
	return folder_sync(root, err);
}

/* --- the recycle bin ------------------------------------------------------------------------ */

struct search {
	const char *path;
	char token[RECYCLE_TOKEN_SIZE];
	int64_t removed_ms;
};

/* The one that went last. */
static int entry_match(const struct recycle_entry *e, void *arg, struct pst_err *err)
{
	struct search *s = arg;

	if (!e->is_whole || strcmp(e->path, s->path) != 0 || (s->token[0] && e->removed_ms < s->removed_ms))
		return 0;
	s->removed_ms = e->removed_ms;
	return pst_strlcpy(s->token, sizeof(s->token), e->token);
}

/* 1: it is back. 0: it is not in this bin. */
static int restore_from(const struct libvirt *lv, const char *store, const char *desktop, struct pst_err *err)
{
	char root[PATH_MAX], path[PATH_MAX], folder[900];
	struct search s = { .path = path };
	int rc;

	if (lv_store_root(lv, store, root, err) < 0 || path_make(path, err, "%s/%s", root, desktop) < 0)
		return err->code;
	if (!stores_lock(stores_shared(), store, folder))
		return 0;
	rc = recycle_list(folder, entry_match, &s, err);
	if (rc == 0 && s.token[0])
		rc = lv_store_note(lv, desktop, store, err) < 0 || recycle_restore(folder, s.token, err) < 0 ? err->code : 1;
	stores_unlock(stores_shared(), store);
	return rc;
}

static int restore(const struct libvirt *lv, const char *desktop, char ret_store[PLACEMENT_NAME_SIZE], struct pst_err *err)
{
	const char *away = NULL;
	struct store_view v;

	for (size_t i = 0; i < lv->set.stores_n; i++) {
		struct pst_err why = PST_ERR_INIT;
		int rc = restore_from(lv, lv->set.stores[i], desktop, &why);

		if (rc > 0)
			return pst_strlcpy(ret_store, PLACEMENT_NAME_SIZE, lv->set.stores[i]);
		/* Each has a bin: one that is not there went away since the last look. */
		if (rc == PST_ENOTFOUND || !stores_view_named(stores_shared(), lv->set.stores[i], &v) || !v.is_online)
			away = lv->set.stores[i];
		else if (rc < 0)
			return pst_err_set(err, why.code, "%s", why.text);
	}
	if (away)
		return pst_err_set(err, PST_EBUSY, "datastore %s is offline and may have the desktop's disk in its recycle bin", away);
	return pst_err_set(err, PST_ENOTFOUND, "the desktop's disk is in no recycle bin any more");
}

/* --- placement -------------------------------------------------------------------------------- */

/* Virtual bytes of the new disk. */
static int size_find(const struct libvirt *lv, const struct machine_request *r, uint64_t *ret, struct pst_err *err)
{
	struct lv_base *b = pst_zalloc(1, sizeof(*b));
	int rc;

	if (!b)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = lv_base_find(r->image_base, b, err);
	if (rc == 0)
		rc = lv_base_size(b, lv->set.tool, err);
	if (rc == 0)
		*ret = PST_MAX(b->size, (uint64_t)r->disk_mb << 20);
	free(b);
	return rc < 0 ? pst_err_wrap(err, "image %s", r->image_name) : 0;
}

int lv_store_place(struct lv_call *c, struct machine_request *r, struct store_turn *turn, struct pst_err *err)
{
	const struct libvirt *lv = c->lv;
	char kept[PLACEMENT_NAME_SIZE], copy[PATH_MAX];
	const char *const names[] = { kept };
	struct store_wish wish = { .names = lv->set.stores, .n = lv->set.stores_n, .image = r->image_base, .weight = 1,
		.needs = lv->set.directory[0] ? 0 : STORES_OVERLAY_NEEDS, .deadline_ms = c->deadline_ms };
	struct order order;

	order_of(r->desktop, &order);
	wish.pool = order.pool;
	wish.image_sha256 = order.image_sha256;
	if (stores_image_copy(stores_shared(), &wish, copy))
		pst_strlcpy(r->image_base, sizeof(r->image_base), copy);
	if (size_find(lv, r, &wish.promises, err) < 0 || lv_store_of(lv, r->desktop, kept, err) < 0 ||
		(order.is_restore && !kept[0] && lv_disk_take(lv, r->desktop, kept, err) < 0) ||
		(order.is_restore && !kept[0] && restore(lv, r->desktop, kept, err) < 0))
		return err->code;
	if (kept[0]) {
		wish.names = names;
		wish.n = 1;
		wish.is_kept = true;
	}
	if (stores_begin(stores_shared(), &wish, turn, err) < 0)
		return err->code;
	if (turn->image[0])
		pst_strlcpy(r->image_base, sizeof(r->image_base), turn->image);
	return lv_store_note(lv, r->desktop, turn->name, err) < 0 ? err->code : folder_make(lv, turn->name, r->desktop, err);
}

void lv_store_end(struct store_turn *turn)
{
	stores_end(stores_shared(), turn);
}
