/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One list after another, and what is not running in it any more. */
#include "broker/hypervisor/rest/lookout.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define SHUT_MS 20
#define GATHER_MS 50   /* one look for the news that come together */
#define AGAIN_MS 1000  /* after a hypervisor that tells no news, and to a look that decides */

struct lookout {
	struct lookout_params p;
	pthread_t thread;
};

/* One look. */
struct look {
	struct lookout *lookout;
	uint64_t moment;
	char (*desktops)[PST_UUID_SIZE];
	size_t n;
};

static void on_machine(const struct machine *m, void *arg)
{
	struct look *k = arg;

	if (k->n < LOOKOUT_MACHINES_MAX)
		memcpy(k->desktops[k->n++], m->desktop, PST_UUID_SIZE);
	if (m->state != MACHINE_RUNNING && m->state != MACHINE_UNKNOWN)
		watches_tell(k->lookout->p.rest->watches, m->desktop, k->moment, m->reason[0] ? m->reason : "it was switched off at the hypervisor");
}

static int desktop_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static bool is_listed(const char *desktop, void *arg)
{
	const struct look *k = arg;

	return bsearch(desktop, k->desktops, k->n, PST_UUID_SIZE, desktop_compare) != NULL;
}

/* A hypervisor that does not answer is no news of its machines. True when the next look is to come soon. */
static bool look(struct lookout *l)
{
	struct watches *w = l->p.rest->watches;
	struct pst_err err = PST_ERR_INIT;
	struct look k = { .lookout = l };
	bool is_soon = false;

	k.desktops = pst_zalloc(LOOKOUT_MACHINES_MAX, PST_UUID_SIZE);
	if (!k.desktops)
		return false;
	k.moment = watches_now(w);
	if (l->p.list(l->p.driver, on_machine, &k, &err) == 0 && k.n < LOOKOUT_MACHINES_MAX) {
		qsort(k.desktops, k.n, PST_UUID_SIZE, desktop_compare);
		is_soon = watches_missing(w, k.moment, is_listed, &k, "it was removed at the hypervisor");
	}
	free(k.desktops);
	return is_soon;
}

/* Until it is time to look; false when the driver is to be closed. */
static bool rest_until_news(struct lookout *l, bool is_soon)
{
	struct pst_err err = PST_ERR_INIT;
	struct rest_op op;
	bool goes_on;
	int rc = PST_EUNSUPPORTED;

	rest_begin(&op, l->p.rest, "");
	op.end_ms = pst_mono_ms() + l->p.poll_ms;
	if (is_soon)
		rc = PST_EAGAIN;
	else if (l->p.await)
		rc = l->p.await(l->p.driver, &op, &err);
	if (rc == 0)
		rest_wait(&op, GATHER_MS, &err);
	else if (rc != PST_ETIMEOUT)
		rest_wait(&op, rc == PST_EUNSUPPORTED ? l->p.poll_ms : PST_MIN((uint64_t)AGAIN_MS, l->p.poll_ms), &err);
	goes_on = !atomic_load(&op.cancelled);
	rest_end(&op);
	return goes_on;
}

static void *lookout_main(void *arg)
{
	struct lookout *l = arg;
	bool is_soon;

	do {
		/* News begin at a list, and are followed before anybody is there to be looked after. */
		is_soon = (l->p.await || watches_any(l->p.rest->watches)) && look(l);
	} while (rest_until_news(l, is_soon));
	return NULL;
}

struct lookout *lookout_create(const struct lookout_params *p, struct pst_err *err)
{
	struct lookout *l = pst_zalloc(1, sizeof(*l));

	if (l)
		l->p = *p;
	if (l && pthread_create(&l->thread, NULL, lookout_main, l) == 0)
		return l;
	free(l);
	pst_err_set(err, PST_ENOMEM, "no thread to look after machines");
	return NULL;
}

void lookout_destroy(struct lookout *l)
{
	struct timespec until;

	if (!l)
		return;
	do {
		/* Again: a call may have been on its way into the client. */
		rest_shut(l->p.rest);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += SHUT_MS * 1000000;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(l->thread, NULL, &until) != 0);
	free(l);
}
