/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of system calls, loaded by libseccomp. */
#include "base/seccomp.h"

#include <errno.h>
#include <seccomp.h>
#include <unistd.h>

static uint32_t action(int error)
{
	return error ? SCMP_ACT_ERRNO((unsigned)error) : SCMP_ACT_ALLOW;
}

static int add_each(scmp_filter_ctx ctx, uint32_t what, const int *calls, size_t n)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = seccomp_rule_add(ctx, what, calls[i], 0);
	return rc;
}

static struct scmp_arg_cmp condition(const struct pst_seccomp_rule *r)
{
	switch (r->when) {
	case PST_SECCOMP_MASKED:
		return SCMP_CMP(r->argument, SCMP_CMP_MASKED_EQ, r->a, r->b);
	case PST_SECCOMP_OWN_PID:
		return SCMP_CMP(r->argument, SCMP_CMP_EQ, (scmp_datum_t)getpid());
	default:
		return SCMP_CMP(r->argument, SCMP_CMP_EQ, r->a);
	}
}

static int add_rules(scmp_filter_ctx ctx, const struct pst_seccomp *list)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < list->n_refused; i++)
		rc = seccomp_rule_add(ctx, action(list->refused[i].error), list->refused[i].call, 0);
	for (size_t i = 0; rc == 0 && i < list->n_rules; i++)
		rc = seccomp_rule_add(ctx, action(list->rules[i].error), list->rules[i].call, 1, condition(&list->rules[i]));
	return rc;
}

int pst_seccomp_enter(const struct pst_seccomp *list, enum pst_seccomp_default otherwise, struct pst_err *err)
{
	static const uint32_t defaults[] = {
		[PST_SECCOMP_KILL] = SCMP_ACT_KILL_PROCESS,
		[PST_SECCOMP_REFUSE] = SCMP_ACT_ERRNO(EPERM),
		[PST_SECCOMP_LOG] = SCMP_ACT_LOG,
	};
	scmp_filter_ctx ctx = seccomp_init(defaults[otherwise]);
	int rc = ctx ? 0 : -ENOMEM;

	if (rc == 0)
		rc = add_each(ctx, SCMP_ACT_ALLOW, list->allowed, list->n_allowed);
	if (rc == 0 && otherwise == PST_SECCOMP_REFUSE)
		rc = add_each(ctx, SCMP_ACT_KILL_PROCESS, list->deadly, list->n_deadly);
	if (rc == 0)
		rc = add_rules(ctx, list);
	/* All threads that libraries started while loading are bound too. */
	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (rc == 0)
		rc = seccomp_load(ctx);
	seccomp_release(ctx);
	return rc ? pst_err_sys(err, PST_EIO, -rc, "the list of system calls cannot be loaded") : 0;
}
