/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The thread that looks for machines that ended by themselves. vSphere's updates only say when to look, so a lost,
 * late or doubled one does no harm, and where there are none the time between two looks is all that is lost.
 */
#include "broker/hypervisor/vsphere/vsphere_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "broker/hypervisor/vsphere/property.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GATHER_MS 50  /* one look for the updates that come together */
#define AGAIN_MS 1000 /* after the first failure */
#define CANCEL_MS 20
#define SLACK_MS 15000

struct look {
	struct vsphere *vs;
	uint64_t moment;
	char (*desktops)[PST_UUID_SIZE];
	size_t n, cap;
};

/* An operation of this thread, which is cancelled when the driver closes. */
static void step_begin(struct vs_op *op, struct vsphere *vs, uint64_t ms)
{
	vs_op_begin(op, vs, "");
	op->vim.owner = "watch";
	op->vim.end_ms = pst_mono_ms() + ms;
	pthread_mutex_lock(&vs->lock);
	if (vs->is_closing) /* vs_watcher_stop cancels what has begun, and this may begin after it */
		atomic_store(&op->vim.cancelled, true);
	pthread_mutex_unlock(&vs->lock);
}

static bool is_closing(struct vsphere *vs)
{
	bool closing;

	pthread_mutex_lock(&vs->lock);
	closing = vs->is_closing;
	pthread_mutex_unlock(&vs->lock);
	return closing;
}

static void pause_ms(struct vsphere *vs, uint64_t ms)
{
	struct pst_err ignored = PST_ERR_INIT;
	struct vs_op op;

	step_begin(&op, vs, ms);
	(void)vim_op_pause(&op.vim, ms, &ignored);
	vs_op_end(&op);
}

static bool is_value(const struct soap_node *content, const char *path, const char *value)
{
	const struct soap_node *p = property_of(content, path);

	return p && strcmp(p->text, value) == 0;
}

static int vm_visit(const struct vim_ref *ref, const struct soap_node *content, void *arg, struct pst_err *err)
{
	const struct soap_node *name = property_of(content, "name");
	struct look *l = arg;
	char desktop[PST_UUID_SIZE];
	bool is_next;

	if (!name || !vs_name_read(name->text, desktop, &is_next) || is_next)
		return 0;
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 64;
		void *more = realloc(l->desktops, cap * PST_UUID_SIZE);

		if (!more)
			return pst_err_set(err, PST_ENOMEM, "no memory");
		l->desktops = more;
		l->cap = cap;
	}
	memcpy(l->desktops[l->n++], desktop, PST_UUID_SIZE);
	/* A host that is out of reach is no news of its machines. */
	if (!is_value(content, "runtime.powerState", "poweredOn") && is_value(content, "runtime.connectionState", "connected"))
		watches_tell(l->vs->watches, desktop, l->moment,
			is_value(content, "runtime.powerState", "suspended") ? "it was suspended in vSphere"
									     : "it was switched off in vSphere, or from within");
	return 0;
}

static int desktop_compare(const void *a, const void *b)
{
	return memcmp(a, b, PST_UUID_SIZE);
}

static bool is_listed(const char *desktop, void *arg)
{
	const struct look *l = arg;

	return l->n && bsearch(desktop, l->desktops, l->n, PST_UUID_SIZE, desktop_compare) != NULL;
}

/* Names and power of all; a server that does not answer says nothing of its machines. True when the next look is to come soon. */
static bool look(struct vsphere *vs)
{
	static const char *const paths[] = { "name", "runtime.powerState", "runtime.connectionState", NULL };
	struct look l = { .vs = vs, .moment = watches_now(vs->watches) };
	struct pst_err ignored = PST_ERR_INIT;
	struct vim_ref folder;
	struct property_set set = { .object = &folder, .children = "VirtualMachine", .paths = paths };
	struct vs_op op;
	bool is_soon = false;
	int rc;

	step_begin(&op, vs, vs->set.deadline_ms);
	rc = vs_place_find(&op, vs->set.folder, "folder", &folder, &ignored);
	if (rc == 0)
		rc = property_each(&op.vim, &set, vm_visit, &l, &ignored);
	vs_op_end(&op);
	if (rc == 0) {
		if (l.n)
			qsort(l.desktops, l.n, PST_UUID_SIZE, desktop_compare);
		is_soon = watches_missing(vs->watches, l.moment, is_listed, &l, "it was removed in vSphere");
	}
	free(l.desktops);
	return is_soon;
}

/* Until something changes or it is time to look again anyway: 0; a failure wants a new wait. */
static int updates_await(struct vsphere *vs, struct property_wait *w)
{
	static const char *const paths[] = { "runtime.powerState", NULL };
	struct pst_err ignored = PST_ERR_INIT;
	struct vim_ref folder;
	struct property_set set = { .object = &folder, .children = "VirtualMachine", .paths = paths };
	struct vs_op op;
	int rc = 0;

	step_begin(&op, vs, vs->set.poll_ms + SLACK_MS);
	if (!w->collector.id[0]) {
		rc = vs_place_find(&op, vs->set.folder, "folder", &folder, &ignored);
		if (rc == 0)
			rc = property_wait_begin(&op.vim, &set, w, &ignored);
	}
	if (rc == 0)
		rc = property_wait_next(&op.vim, w, (unsigned)(vs->set.poll_ms / 1000), &ignored);
	if (rc < 0)
		property_wait_end(&op.vim, w);
	vs_op_end(&op);
	return rc;
}

static void *watcher_main(void *arg)
{
	struct property_wait w = { .version = "" };
	struct vsphere *vs = arg;
	uint64_t again_ms = AGAIN_MS, began;
	int rc;

	while (!is_closing(vs)) {
		if (watches_any(vs->watches) && look(vs)) {
			pause_ms(vs, AGAIN_MS);
			continue;
		}
		began = pst_mono_ms();
		rc = updates_await(vs, &w);
		again_ms = rc < 0 ? PST_MIN(2 * again_ms, vs->set.poll_ms) : AGAIN_MS;
		if (rc != 0)
			pause_ms(vs, rc < 0 ? again_ms : GATHER_MS);
		else if (pst_mono_ms() - began < AGAIN_MS / 2) /* it was to wait, and did not */
			pause_ms(vs, AGAIN_MS);
	}
	return NULL;
}

int vs_watcher_start(struct vsphere *vs, struct pst_err *err)
{
	if (pthread_create(&vs->watcher, NULL, watcher_main, vs) != 0)
		return pst_err_set(err, PST_ENOMEM, "no thread to watch machines");
	vs->has_watcher = true;
	return 0;
}

void vs_watcher_stop(struct vsphere *vs)
{
	struct timespec until;

	if (!vs->has_watcher)
		return;
	do {
		/* Again: a call may have been on its way into the client. */
		pthread_mutex_lock(&vs->lock);
		vs->is_closing = true;
		for (struct vs_op *op = vs->ops; op; op = op->next)
			atomic_store(&op->vim.cancelled, true);
		pthread_mutex_unlock(&vs->lock);
		vim_cancel(vs->vim, NULL);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += CANCEL_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(vs->watcher, NULL, &until) != 0);
	vs->has_watcher = false;
}
