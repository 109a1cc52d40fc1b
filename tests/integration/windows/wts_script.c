/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * agent/windows/wts.h by a script: the sessions are the lines of the file named by PUESTO_SESSIONS ("2 LAB\ana active remote"), orders are
 * appended to that name and ".orders" as "message 2 TEXT", "logoff 2", "restart". Wine has no sessions but one, and carries out none of these.
 */
#include "agent/windows/wts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static FILE *file_open(const char *suffix, const char *mode)
{
	const char *name = getenv("PUESTO_SESSIONS");
	char path[600];

	snprintf(path, sizeof(path), "%s%s", name ? name : "", suffix);
	return fopen(path, mode);
}

int wts_look(struct seat *out, size_t max, size_t *ret_n, struct pst_err *err)
{
	FILE *f = file_open("", "r");
	char line[400], words[3][40];
	size_t n = 0;

	if (!f)
		return pst_err_set(err, PST_EIO, "there is no script");
	while (n < max && fgets(line, sizeof(line), f)) {
		unsigned id;
		struct seat *s = &out[n];

		memset(s, 0, sizeof(*s));
		memset(words, 0, sizeof(words));
		if (sscanf(line, "%u %255s %39s %39s %39s", &id, s->account, words[0], words[1], words[2]) < 4)
			continue;
		s->id = id;
		s->is_active = strcmp(words[0], "active") == 0;
		s->is_remote = strcmp(words[1], "remote") == 0;
		s->is_locked = strcmp(words[2], "locked") == 0;
		n++;
	}
	fclose(f);
	*ret_n = n;
	return 0;
}

static int order(const char *what, unsigned long id, const char *text, struct pst_err *err)
{
	FILE *f = file_open(".orders", "a");

	if (!f)
		return pst_err_set(err, PST_EIO, "orders cannot be written");
	fprintf(f, "%s %lu %s\n", what, id, text);
	fclose(f);
	return 0;
}

int wts_message(uint32_t id, const char *text, struct pst_err *err)
{
	return order("message", id, text, err);
}

int wts_logoff(uint32_t id, struct pst_err *err)
{
	return order("logoff", id, "", err);
}

int wts_power(bool is_restart, const char *reason, struct pst_err *err)
{
	return order(is_restart ? "restart" : "shutdown", 0, reason, err);
}
