/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the broker's words to the driver's slots. */
#include "broker/hypervisor/operation.h"

#include "base/mem.h"
#include "broker/hypervisor/request.h"

#include <stdio.h>
#include <string.h>

enum arg_kind {
	ARG_NONE,
	ARG_NAME, /* checked by the driver's wrapper */
	ARG_SIZE,
};

struct operation {
	const char *op;
	enum arg_kind arg;
	int (*run)(struct driver *d, const char *desktop, const char *arg, struct pst_err *err);
};

static int start_run(struct driver *d, const char *desktop, const char *arg, struct pst_err *err)
{
	return driver_power(d, desktop, POWER_START, err);
}

static int stop_run(struct driver *d, const char *desktop, const char *arg, struct pst_err *err)
{
	return driver_power(d, desktop, POWER_STOP, err);
}

static int suspend_run(struct driver *d, const char *desktop, const char *arg, struct pst_err *err)
{
	return driver_power(d, desktop, POWER_SUSPEND, err);
}

static bool size_read(const char *arg, struct machine_size *ret)
{
	unsigned memory, cpu, disk;
	int end = 0;

	if (sscanf(arg, "%7u,%6u,%8u%n", &memory, &cpu, &disk, &end) != 3 || arg[end] || memory > REQUEST_MEMORY_MAX_MB ||
		disk > REQUEST_DISK_MAX_MB)
		return false;
	*ret = (struct machine_size){ memory, cpu, disk };
	return memory || cpu || disk;
}

static int resize_run(struct driver *d, const char *desktop, const char *arg, struct pst_err *err)
{
	struct machine_size size = { 0 };

	PRE(size_read(arg, &size));
	return driver_resize(d, desktop, &size, err);
}

static const struct operation operations[] = {
	{ "start", ARG_NONE, start_run },
	{ "stop", ARG_NONE, stop_run },
	{ "suspend", ARG_NONE, suspend_run },
	{ "snapshot", ARG_NAME, driver_snapshot_take },
	{ "revert", ARG_NAME, driver_snapshot_revert },
	{ "drop", ARG_NAME, driver_snapshot_drop },
	{ "resize", ARG_SIZE, resize_run },
	{ "migrate", ARG_NAME, driver_migrate },
};

const struct operation *operation_find(const char *op)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(operations); i++) {
		if (strcmp(operations[i].op, op) == 0)
			return &operations[i];
	}
	return NULL;
}

int operation_check(const struct operation *o, const char *arg, struct pst_err *err)
{
	struct machine_size size;

	if (o->arg == ARG_NONE && *arg)
		return pst_err_set(err, PST_EINVAL, "arg: \"%s\" stands where nothing is wanted", arg);
	if (o->arg == ARG_NAME && !*arg)
		return pst_err_set(err, PST_EINVAL, "arg: a name is missing");
	if (o->arg == ARG_SIZE && !size_read(arg, &size))
		return pst_err_set(err, PST_EINVAL, "arg: \"%s\" is not MEMORY_MB,CPU_PERCENT,DISK_MB with one of them above 0", arg);
	return 0;
}

int operation_run(const struct operation *o, struct driver *d, const char *desktop, const char *arg, struct pst_err *err)
{
	return o->run(d, desktop, arg, err);
}
