/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Error codes, and an error that grows a readable sentence on its way up.
 *
 * The contract: what a function returns says whether it failed. One that succeeds leaves err as it was; one that fails
 * fills it. So err->code and err->text are read only after a call that has just failed, and whoever tries and recovers
 * gives the try an error of its own, which pst_err_pass hands up when it cannot be recovered from. */
#pragma once

#include <stdarg.h>

enum pst_code {
	PST_OK = 0,
	PST_ENOMEM = -1,
	PST_EINVAL = -2,      /* the caller or its data is wrong */
	PST_ELIMIT = -3,      /* a named ceiling was reached */
	PST_EIO = -4,         /* the system refused: file, socket, database */
	PST_EPROTO = -5,      /* the peer broke the protocol */
	PST_EAUTH = -6,       /* who are you? */
	PST_EDENIED = -7,     /* you may not */
	PST_ENOTFOUND = -8,
	PST_ECONFLICT = -9,   /* somebody else was first */
	PST_EBUSY = -10,      /* try again later */
	PST_ETIMEOUT = -11,
	PST_ECLOSED = -12,    /* the other end is gone */
	PST_EUNSUPPORTED = -13,
	PST_EAGAIN = -14,     /* no data now */
	PST_EINTERNAL = -15,
	PST_ENOSPC = -16,     /* the disk is full */
};

/* Lives on the caller's stack; text is always terminated. */
struct pst_err {
	int code;
	char text[512];
};

#define PST_ERR_INIT { 0, "" }

/* Sets code and text and returns code. err may be NULL. Too long text is cut. */
int pst_err_set(struct pst_err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Prefixes "context: " to the text and returns err->code (PST_EINTERNAL for NULL). */
int pst_err_wrap(struct pst_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Hands up what was tried with an error of its own, why: with rc < 0 err says rc for why's reason, else it stays as it was.
 * Returns rc. err may be NULL. */
int pst_err_pass(struct pst_err *err, int rc, const struct pst_err *why);

/* As pst_err_set, and appends ": " with the system's words for errnum. */
int pst_err_sys(struct pst_err *err, int code, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* A constant English phrase for a code; never NULL. */
const char *pst_strerror(int code);

/* The code as a snake_case word for messages ("not_found") and back; PST_EINTERNAL for a
 * word that is none. */
const char *pst_code_word(int code);
int pst_code_from_word(const char *word);

/* The HTTP status that says the same. */
int pst_code_http(int code);

/* A programmer's mistake ends the program, in release builds too. */
_Noreturn void pst_pre_failed(const char *file, int line, const char *cond);

#define PRE(cond) \
	do { \
		if (!(cond)) \
			pst_pre_failed(__FILE__, __LINE__, #cond); \
	} while (0)
