/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines of a host to records and machines. */
#include "broker/hypervisor/ssh/answer.h"

#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum section { NONE, RECORDS, MACHINES };

static const struct {
	const char *word;
	enum answer_state state;
} states[] = {
	{ "running", ANSWER_RUNNING },
	{ "stopped", ANSWER_STOPPED },
	{ "installed", ANSWER_STOPPED }, /* of zones */
	{ "suspended", ANSWER_SUSPENDED },
	{ "frozen", ANSWER_SUSPENDED },
};

/* The next word of [*p, end) as text; false when there is none. A longer one is cut. */
static bool word_take(const char **p, const char *end, char *out, size_t size)
{
	size_t n = 0;

	while (*p < end && (**p == ' ' || **p == '\t'))
		(*p)++;
	for (; *p < end && **p != ' ' && **p != '\t'; (*p)++) {
		if (n + 1 < size)
			out[n++] = (unsigned char)**p < ' ' || (unsigned char)**p >= 127 ? '?' : **p;
	}
	out[n] = '\0';
	return n > 0;
}

static void machine_read(const char *line, size_t len, struct answer *a)
{
	struct answer_machine *m = &a->machines[a->machines_n];
	const char *end = line + len;
	struct in_addr four;
	struct in6_addr six;

	if (!word_take(&line, end, m->name, sizeof(m->name)))
		return;
	m->state = ANSWER_OTHER;
	m->address[0] = '\0';
	if (word_take(&line, end, m->word, sizeof(m->word)))
		word_take(&line, end, m->address, sizeof(m->address));
	m->address[strcspn(m->address, ",/")] = '\0';
	if (inet_pton(AF_INET, m->address, &four) != 1 && inet_pton(AF_INET6, m->address, &six) != 1)
		m->address[0] = '\0';
	for (size_t i = 0; i < PST_ARRAY_LEN(states); i++) {
		if (strcasecmp(states[i].word, m->word) == 0)
			m->state = states[i].state;
	}
	a->machines_n++;
}

/* "@end 3 create" */
static void end_read(const char *line, size_t len, struct answer *a)
{
	const char *end = line + len;
	char number[8];
	uint32_t status;

	line += strlen("@end");
	if (!word_take(&line, end, number, sizeof(number)) || pst_parse_u32(number, 0, 255, &status) < 0)
		return;
	a->status = (int)status;
	a->has_end = true;
	word_take(&line, end, a->step, sizeof(a->step));
}

static bool line_is(const char *line, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len >= n && memcmp(line, word, n) == 0 && (len == n || line[n] == ' ');
}

static void line_read(const char *line, size_t len, enum section *s, struct answer *a)
{
	if (len == 0)
		return;
	if (line_is(line, len, "@records")) { /* again, when a file went away in the middle */
		*s = RECORDS;
		a->records_n = 0;
	} else if (line_is(line, len, "@machines"))
		*s = MACHINES;
	else if (line_is(line, len, "@end"))
		end_read(line, len, a);
	else if (*s == RECORDS)
		a->records[a->records_n++] = (struct answer_line){ line, len };
	else if (*s == MACHINES)
		machine_read(line, len, a);
}

static size_t lines_count(const char *text, size_t len)
{
	size_t n = 1;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	return n;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(((const struct answer_machine *)a)->name, ((const struct answer_machine *)b)->name);
}

int answer_parse(const char *text, size_t len, struct answer *ret, struct pst_err *err)
{
	size_t n = lines_count(text, len);
	enum section s = NONE;

	memset(ret, 0, sizeof(*ret));
	if (n > ANSWER_LINES_MAX)
		return pst_err_set(err, PST_ELIMIT, "it says more than %d lines", ANSWER_LINES_MAX);
	ret->records = pst_zalloc(n, sizeof(*ret->records));
	ret->machines = pst_zalloc(n, sizeof(*ret->machines));
	if (!ret->records || !ret->machines)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	for (const char *p = text, *end = text + len; p < end;) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		size_t line = stop ? (size_t)(stop - p) : (size_t)(end - p);

		line_read(p, line, &s, ret);
		p += line + (stop != NULL);
	}
	qsort(ret->machines, ret->machines_n, sizeof(*ret->machines), name_compare);
	return 0;
}

void answer_finish(struct answer *a)
{
	free(a->records);
	free(a->machines);
	memset(a, 0, sizeof(*a));
}

const struct answer_machine *answer_find(const struct answer *a, const char *name)
{
	struct answer_machine key;

	if (pst_strlcpy(key.name, sizeof(key.name), name) < 0 || a->machines_n == 0)
		return NULL;
	return bsearch(&key, a->machines, a->machines_n, sizeof(key), name_compare);
}
