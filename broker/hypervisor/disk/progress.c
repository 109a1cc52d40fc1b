/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads the progress of qemu-img. */
#include "broker/hypervisor/disk/progress.h"

#include <string.h>

#define WHOLE 10000

/* "12.34/100%": digits, a point, two digits. Returns WHOLE + 1 for anything else. */
static uint32_t word_value(const char *w)
{
	uint32_t v = 0;
	size_t digits = strspn(w, "0123456789");

	if (digits == 0 || digits > 3 || w[digits] != '.' || strspn(w + digits + 1, "0123456789") != 2 ||
		strcmp(w + digits + 3, "/100%") != 0)
		return WHOLE + 1;
	for (size_t i = 0; i < digits + 3; i++)
		if (w[i] != '.')
			v = v * 10 + (uint32_t)(w[i] - '0');
	return v;
}

static bool word_end(struct progress *p)
{
	p->word[p->n] = '\0';
	p->in_word = false;
	uint32_t v = word_value(p->word);
	if (v > WHOLE || v <= p->basis_points)
		return false;
	p->basis_points = v;
	return true;
}

bool progress_feed(struct progress *p, const char *text, size_t len)
{
	bool risen = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '(') {
			p->in_word = true;
			p->n = 0;
		} else if (p->in_word && text[i] == ')') {
			risen |= word_end(p);
		} else if (p->in_word && p->n + 1 < PROGRESS_WORD_MAX) {
			p->word[p->n++] = text[i];
		} else {
			p->in_word = false;
		}
	}
	return risen;
}
