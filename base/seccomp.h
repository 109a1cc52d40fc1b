/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program's list of system calls as const tables. What a table does not name meets the list's default. Programs that use it link SECCOMP_LIBS.
 */
#pragma once

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/* A call that libraries try and can do without: it fails with this errno. */
struct pst_seccomp_refusal {
	int call, error;
};

enum pst_seccomp_when {
	PST_SECCOMP_EQUAL,   /* argument == a */
	PST_SECCOMP_MASKED,  /* (argument & a) == b */
	PST_SECCOMP_OWN_PID, /* argument == getpid() */
};

/* A call whose argument decides: allowed, or with an errno refused, when the condition holds. */
struct pst_seccomp_rule {
	int call;
	unsigned argument;
	enum pst_seccomp_when when;
	uint64_t a, b;
	int error; /* 0: allowed */
};

enum pst_seccomp_default {
	PST_SECCOMP_KILL,   /* the process ends by SIGSYS */
	PST_SECCOMP_REFUSE, /* the call fails with EPERM */
	PST_SECCOMP_LOG,    /* it passes, and the kernel logs it: to find out what a library needs */
};

struct pst_seccomp {
	const int *allowed;
	size_t n_allowed;
	const struct pst_seccomp_refusal *refused;
	size_t n_refused;
	const struct pst_seccomp_rule *rules;
	size_t n_rules;
	const int *deadly; /* end the process even where the default refuses */
	size_t n_deadly;
};

/* Binds all threads of the process for good; it must have no_new_privs. */
int pst_seccomp_enter(const struct pst_seccomp *list, enum pst_seccomp_default otherwise, struct pst_err *err);
