/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The wrappers around a driver's table: checks that hold for every implementation. */
#include "broker/hypervisor/driver.h"

#include "base/text.h"

#include <string.h>

const char *machine_state_name(enum machine_state state)
{
	static const char *const names[] = { "running", "stopped", "failed" };

	PRE((size_t)state < sizeof(names) / sizeof(names[0]));
	return names[state];
}

/* Uuids become names of directories, so nothing else may pass. */
static int uuid_check(const char *text, const char *what, struct pst_err *err)
{
	struct pst_uuid u;

	if (pst_uuid_parse(text, &u) < 0)
		return pst_err_set(err, PST_EINVAL, "%s: \"%.40s\" is not a UUID", what, text);
	return 0;
}

static int answer(struct driver *d, int rc, const struct machine *m, struct machine *ret,
	struct pst_err *err)
{
	if (rc < 0)
		return pst_err_wrap(err, "provider %s", d->name);
	*ret = *m;
	return 0;
}

struct driver *driver_open(const struct driver_type *type, const struct driver_params *p,
	struct pst_err *err)
{
	struct driver *d;

	if (!pst_name_valid(p->name, MACHINE_NAME_SIZE - 1)) {
		pst_err_set(err, PST_EINVAL, "a provider's name must have 1 to %d printable characters",
			MACHINE_NAME_SIZE - 1);
		return NULL;
	}
	d = type->open(p, err);
	if (!d) {
		pst_err_wrap(err, "provider %s", p->name);
		return NULL;
	}
	d->type = type;
	pst_strlcpy(d->name, sizeof(d->name), p->name);
	return d;
}

int driver_create(struct driver *d, const struct machine_request *r, struct machine *ret,
	struct pst_err *err)
{
	struct machine m;

	if (uuid_check(r->desktop, "desktop", err) < 0 || uuid_check(r->task, "task", err) < 0)
		return err->code;
	memset(&m, 0, sizeof(m));
	return answer(d, d->type->create(d, r, &m, err), &m, ret, err);
}

int driver_destroy(struct driver *d, const char *desktop, struct pst_err *err)
{
	if (uuid_check(desktop, "desktop", err) < 0)
		return err->code;
	if (d->type->destroy(d, desktop, err) < 0)
		return pst_err_wrap(err, "provider %s", d->name);
	return 0;
}

int driver_restart(struct driver *d, const struct machine_request *r, bool refresh,
	struct machine *ret, struct pst_err *err)
{
	struct machine m;

	if (uuid_check(r->desktop, "desktop", err) < 0 || uuid_check(r->task, "task", err) < 0)
		return err->code;
	memset(&m, 0, sizeof(m));
	return answer(d, d->type->restart(d, r, refresh, &m, err), &m, ret, err);
}

int driver_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	if (d->type->list(d, visit, arg, err) < 0)
		return pst_err_wrap(err, "provider %s", d->name);
	return 0;
}

int driver_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err)
{
	memset(ret, 0, sizeof(*ret));
	if (d->type->capacity(d, ret, err) < 0)
		return pst_err_wrap(err, "provider %s", d->name);
	return 0;
}

int driver_watch(struct driver *d, const char *desktop, driver_ended_cb ended, void *arg,
	struct pst_err *err)
{
	if (uuid_check(desktop, "desktop", err) < 0)
		return err->code;
	if (d->type->watch(d, desktop, ended, arg, err) < 0)
		return pst_err_wrap(err, "provider %s", d->name);
	return 0;
}

void driver_close(struct driver *d)
{
	if (d)
		d->type->close(d);
}

bool driver_is_retryable(int code)
{
	switch (code) {
	case PST_EINVAL:
	case PST_ENOTFOUND:
	case PST_ECONFLICT:
	case PST_EUNSUPPORTED:
	case PST_EDENIED:
		return false;
	default:
		return true;
	}
}
