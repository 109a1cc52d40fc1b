/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Placeholders to shell variables. */
#include "broker/hypervisor/ssh/template.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COMPILED_MAX (8 * TEMPLATE_MAX)

static const char *const names[TEMPLATE_COUNT] = {
	"desktop", "name", "number", "hostname", "image", "image_name", "image_version", "memory_mb", "cpus", "cpu_percent", "pids",
	"disk_mb", "address", "mac", "network", "locale", "layout", "root", "seed", "snapshot", "snapshot_uuid",
};

/* Where in the shell's words we are (POSIX.1-2017, XCU 2.2). */
enum quoting { BARE, SINGLE, DOUBLE };

static bool name_find(const char *text, size_t len)
{
	for (size_t i = 0; i < TEMPLATE_COUNT; i++) {
		if (strlen(names[i]) == len && strncmp(names[i], text, len) == 0)
			return true;
	}
	return false;
}

/* Length of "{word}" at p, 0 when there is none: "${x}" is the shell's own, "{ a; }" too. */
static size_t placeholder_length(const char *text, const char *p)
{
	size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz_");

	if (*p != '{' || n == 0 || p[1 + n] != '}' || (p > text && p[-1] == '$'))
		return 0;
	return n + 2;
}

/* In single quotes awk and sed have braces of their own; a placeholder's name there is a mistake. */
static int placeholder_put(struct pst_buf *out, const char *p, size_t len, enum quoting q, struct pst_err *err)
{
	bool is_known = name_find(p + 1, len - 2);

	if (q == SINGLE && !is_known)
		return pst_buf_append(out, p, len);
	if (!is_known)
		return pst_err_set(err, PST_EINVAL, "%.*s is no placeholder; docs/foreign-hosts.md lists them", (int)len, p);
	if (q == SINGLE)
		return pst_err_set(err, PST_EINVAL, "%.*s is in single quotes, where it means itself: leave the quotes away, it is one word without them",
			(int)len, p);
	return pst_buf_printf(out, q == BARE ? "\"${pst_%.*s}\"" : "${pst_%.*s}", (int)(len - 2), p + 1);
}

static enum quoting quoting_next(enum quoting q, char c)
{
	if (c == '\'' && q != DOUBLE)
		return q == SINGLE ? BARE : SINGLE;
	if (c == '"' && q != SINGLE)
		return q == DOUBLE ? BARE : DOUBLE;
	return q;
}

static int compile(struct pst_buf *out, const char *text, struct pst_err *err)
{
	enum quoting q = BARE;

	for (const char *p = text; *p; p++) {
		size_t len = placeholder_length(text, p);

		if ((unsigned char)*p < ' ' && *p != '\t')
			return pst_err_set(err, PST_EINVAL, "it has control characters");
		if (len > 0) {
			if (placeholder_put(out, p, len, q, err) < 0)
				return err->code;
			p += len - 1;
			continue;
		}
		if (*p == '\\' && q != SINGLE && p[1]) {
			pst_buf_append(out, p++, 2);
			continue;
		}
		q = quoting_next(q, *p);
		pst_buf_append(out, p, 1);
	}
	return q == BARE ? 0 : pst_err_set(err, PST_EINVAL, "its %s quotes do not end", q == SINGLE ? "single" : "double");
}

char *template_compile(const char *text, struct pst_err *err)
{
	struct pst_buf b;
	char *copy = NULL;
	const char *all;

	if (!*text || strlen(text) > TEMPLATE_MAX) {
		pst_err_set(err, PST_EINVAL, "a command has 1 to %d bytes", TEMPLATE_MAX);
		return NULL;
	}
	pst_buf_init(&b, COMPILED_MAX);
	if (compile(&b, text, err) == 0) {
		all = pst_buf_cstr(&b);
		copy = all ? strdup(all) : NULL;
		if (!copy)
			pst_err_set(err, PST_ENOMEM, "no memory for a command");
	}
	pst_buf_finish(&b);
	return copy;
}

bool template_uses(const char *compiled, enum template_name name)
{
	char variable[40];

	snprintf(variable, sizeof(variable), "${pst_%s}", names[name]);
	return compiled && strstr(compiled, variable) != NULL;
}

void template_quote(struct pst_buf *out, const char *text)
{
	pst_buf_put_u8(out, '\'');
	while (*text) {
		size_t n = strcspn(text, "'");

		pst_buf_append(out, text, n);
		text += n;
		if (*text) {
			pst_buf_put_str(out, "'\\''");
			text++;
		}
	}
	pst_buf_put_u8(out, '\'');
}

void template_assign(struct pst_buf *out, enum template_name name, const char *value)
{
	pst_buf_printf(out, "pst_%s=", names[name]);
	template_quote(out, value);
	pst_buf_put_u8(out, '\n');
}
