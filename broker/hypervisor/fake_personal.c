/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Users' disks of the fake driver: a name at the machine that has it. */
#include "broker/hypervisor/fake_priv.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

static void personal_text(const struct machine_personal *p, char out[2 * MACHINE_NAME_SIZE])
{
	snprintf(out, 2 * MACHINE_NAME_SIZE, "%s/%s", p->owner, p->name);
}

/* With the lock. */
static const struct fake_machine *personal_holder(const struct fake *f, const char *text)
{
	for (size_t i = 0; i < FAKE_MACHINES_MAX; i++) {
		if (f->machines[i].used && strcmp(f->machines[i].personal, text) == 0)
			return &f->machines[i];
	}
	return NULL;
}

int fake_personal_attach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	struct fake_machine *fm = fake_take(fake_of(d), desktop, err);
	const struct fake_machine *holder;
	char text[2 * MACHINE_NAME_SIZE];
	int rc = 0;

	if (!fm)
		return err->code;
	personal_text(p, text);
	holder = personal_holder(fake_of(d), text);
	if (fm->m.state != MACHINE_RUNNING)
		rc = pst_err_set(err, PST_EBUSY, "desktop %s does not run", desktop);
	else if (holder && holder != fm)
		rc = pst_err_set(err, PST_EBUSY, "the disk is attached to desktop %s", holder->m.desktop);
	else if (fm->personal[0] && strcmp(fm->personal, text) != 0)
		rc = pst_err_set(err, PST_EBUSY, "the desktop has the disk %s", fm->personal);
	else
		pst_strlcpy(fm->personal, sizeof(fm->personal), text);
	pthread_mutex_unlock(&fake_of(d)->lock);
	return rc;
}

int fake_personal_detach(struct driver *d, const char *desktop, const struct machine_personal *p, struct pst_err *err)
{
	struct fake *f = fake_of(d);
	char text[2 * MACHINE_NAME_SIZE];
	struct fake_machine *fm;
	int rc;

	personal_text(p, text);
	pthread_mutex_lock(&f->lock);
	fm = fake_find(f, desktop);
	rc = fake_injected(f, err);
	if (rc == 0 && fm && strcmp(fm->personal, text) == 0)
		fm->personal[0] = '\0';
	pthread_mutex_unlock(&f->lock);
	return rc;
}

int fake_personal_remove(struct driver *d, const struct machine_personal *p, int64_t keep_ms, struct pst_err *err)
{
	struct fake *f = fake_of(d);
	char text[2 * MACHINE_NAME_SIZE];
	int rc;

	(void)keep_ms;
	personal_text(p, text);
	pthread_mutex_lock(&f->lock);
	rc = fake_injected(f, err);
	if (rc == 0 && personal_holder(f, text))
		rc = pst_err_set(err, PST_EBUSY, "the disk is attached to desktop %s", personal_holder(f, text)->m.desktop);
	pthread_mutex_unlock(&f->lock);
	return rc;
}
