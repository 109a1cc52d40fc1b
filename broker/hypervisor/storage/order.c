/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A short list: as many as commands run at a time. */
#include "broker/hypervisor/storage/order.h"

#include "base/mem.h"
#include "base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct given {
	struct given *next;
	char desktop[PST_UUID_SIZE];
	struct order order;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the list */
static struct given *orders;

/* With the lock: where it hangs, or the list's end. */
static struct given **find(const char *desktop)
{
	struct given **at = &orders;

	while (*at && strcmp((*at)->desktop, desktop) != 0)
		at = &(*at)->next;
	return at;
}

void order_give(const char *desktop, const struct order *o)
{
	struct given **at;

	pthread_mutex_lock(&lock);
	at = find(desktop);
	if (!*at)
		*at = pst_zalloc(1, sizeof(**at));
	if (*at) {
		pst_strlcpy((*at)->desktop, sizeof((*at)->desktop), desktop);
		(*at)->order = *o;
	}
	pthread_mutex_unlock(&lock);
}

void order_of(const char *desktop, struct order *ret)
{
	struct given **at;

	memset(ret, 0, sizeof(*ret));
	pthread_mutex_lock(&lock);
	at = find(desktop);
	if (*at)
		*ret = (*at)->order;
	pthread_mutex_unlock(&lock);
}

void order_forget(const char *desktop)
{
	struct given **at, *gone;

	pthread_mutex_lock(&lock);
	at = find(desktop);
	gone = *at;
	if (gone)
		*at = gone->next;
	pthread_mutex_unlock(&lock);
	free(gone);
}
