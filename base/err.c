/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Error codes, their names, and texts that grow on their way up. */
#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	int code;
	int http;
	const char *word;
	const char *phrase;
} codes[] = {
	{ PST_OK, 200, "ok", "no error" },
	{ PST_ENOMEM, 503, "no_memory", "out of memory" },
	{ PST_EINVAL, 400, "invalid", "invalid value" },
	{ PST_ELIMIT, 413, "limit", "limit reached" },
	{ PST_EIO, 502, "io", "input/output error" },
	{ PST_EPROTO, 502, "protocol", "protocol violation" },
	{ PST_EAUTH, 401, "unauthenticated", "not authenticated" },
	{ PST_EDENIED, 403, "denied", "not allowed" },
	{ PST_ENOTFOUND, 404, "not_found", "not found" },
	{ PST_ECONFLICT, 409, "conflict", "conflict" },
	{ PST_EBUSY, 503, "busy", "busy" },
	{ PST_ETIMEOUT, 504, "timeout", "timed out" },
	{ PST_ECLOSED, 502, "closed", "connection closed" },
	{ PST_EUNSUPPORTED, 501, "unsupported", "not supported" },
	{ PST_EAGAIN, 503, "again", "no data yet" },
	{ PST_EINTERNAL, 500, "internal", "internal error" },
	{ PST_ENOSPC, 507, "no_space", "disk full" },
};

#define N_CODES (sizeof(codes) / sizeof(codes[0]))

int pst_err_set(struct pst_err *err, int code, const char *fmt, ...)
{
	if (err) {
		va_list ap;

		err->code = code;
		va_start(ap, fmt);
		vsnprintf(err->text, sizeof(err->text), fmt, ap);
		va_end(ap);
	}
	return code;
}

int pst_err_wrap(struct pst_err *err, const char *fmt, ...)
{
	char old[sizeof(err->text)];
	va_list ap;

	if (!err)
		return PST_EINTERNAL;

	memcpy(old, err->text, sizeof(old));
	va_start(ap, fmt);
	int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if ((size_t)n < sizeof(err->text))
		snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s", old);
	return err->code;
}

int pst_err_pass(struct pst_err *err, int rc, const struct pst_err *why)
{
	return rc < 0 ? pst_err_set(err, rc, "%s", why->text) : rc;
}

int pst_err_sys(struct pst_err *err, int code, int errnum, const char *fmt, ...)
{
	char words[128];
	va_list ap;

	if (!err)
		return code;

	err->code = code;
	va_start(ap, fmt);
	int n = vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err->text))
		snprintf(err->text + n, sizeof(err->text) - (size_t)n, ": %s",
			strerror_r(errnum, words, sizeof(words)));
	return code;
}

const char *pst_strerror(int code)
{
	for (size_t i = 0; i < N_CODES; i++)
		if (codes[i].code == code)
			return codes[i].phrase;
	return "unknown error";
}

const char *pst_code_word(int code)
{
	for (size_t i = 0; i < N_CODES; i++)
		if (codes[i].code == code)
			return codes[i].word;
	return "internal";
}

int pst_code_from_word(const char *word)
{
	for (size_t i = 0; i < N_CODES; i++)
		if (word && strcmp(codes[i].word, word) == 0)
			return codes[i].code;
	return PST_EINTERNAL;
}

int pst_code_http(int code)
{
	for (size_t i = 0; i < N_CODES; i++)
		if (codes[i].code == code)
			return codes[i].http;
	return 500;
}

_Noreturn void pst_pre_failed(const char *file, int line, const char *cond)
{
	fprintf(stderr, "puesto: %s:%d: this must hold: %s\n", file, line, cond);
	abort();
}
