/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each field has a length and a set of characters, as in agent/seed/seed.c; what has neither is no seed. */
#include "agent/windows/birth.h"

#include <stdlib.h>
#include <string.h>

#include "agent/windows/fields.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static const struct {
	const char *name;
	size_t at, size;
	bool is_needed;
	const char *set;
} wanted[] = {
	{ "desktop", offsetof(struct birth, desktop), sizeof(((struct birth *)0)->desktop), true, DIGITS "-ABCDEFabcdef" },
	{ "token", offsetof(struct birth, token), sizeof(((struct birth *)0)->token), false, LETTERS DIGITS "-_.~+/=" },
	{ "hostname", offsetof(struct birth, hostname), sizeof(((struct birth *)0)->hostname), true, LETTERS DIGITS "-" },
	{ "broker", offsetof(struct birth, broker), sizeof(((struct birth *)0)->broker), true, DIGITS "ABCDEFabcdef.:[]" },
};

/* Some say nothing to Windows: its locale and keyboard are the user's, its clock and random numbers its own. */
static const char *const known[] = { "desktop", "token", "hostname", "broker", "display", "ca", "locale", "layout", "time_ms", "random", NULL };

static int field_read(const struct fields *f, size_t i, struct birth *b, struct pst_err *err)
{
	const char *text = fields_str(f, wanted[i].name, wanted[i].size - 1);

	if (!text && !wanted[i].is_needed && !fields_has(f, wanted[i].name))
		return 0;
	if (!text || (wanted[i].is_needed && !text[0]))
		return pst_err_set(err, PST_EINVAL, "%s: is missing, or no text of at most %zu bytes", wanted[i].name, wanted[i].size - 1);
	if (text[strspn(text, wanted[i].set)] != '\0')
		return pst_err_set(err, PST_EINVAL, "%s: has a character that cannot stand there", wanted[i].name);
	return pst_strlcpy((char *)b + wanted[i].at, wanted[i].size, text);
}

static int words_check(const struct birth *b, struct pst_err *err)
{
	char host[64];
	struct pst_uuid uuid;
	uint16_t port;

	if (pst_uuid_parse(b->desktop, &uuid) < 0)
		return pst_err_set(err, PST_EINVAL, "desktop: is no UUID");
	if (b->hostname[0] == '-' || b->hostname[strlen(b->hostname) - 1] == '-')
		return pst_err_set(err, PST_EINVAL, "hostname: begins or ends with a dash");
	return birth_address(b->broker, host, &port, err) < 0 ? pst_err_wrap(err, "broker") : 0;
}

static int fields_read(const struct fields *f, struct birth *b, struct pst_err *err)
{
	const char *ca = fields_str(f, "ca", BIRTH_MAX);

	if (fields_only(f, known, err) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(wanted); i++) {
		if (field_read(f, i, b, err) < 0)
			return err->code;
	}
	if (words_check(b, err) < 0)
		return err->code;
	if (!ca || !strstr(ca, "-----BEGIN CERTIFICATE-----"))
		return pst_err_set(err, PST_EINVAL, "ca: is no certificate in PEM");
	b->ca = strdup(ca);
	return b->ca ? 0 : pst_err_set(err, PST_ENOMEM, "no memory for the authority's certificate");
}

int birth_parse(const char *text, size_t len, struct birth *ret, struct pst_err *err)
{
	memset(ret, 0, sizeof(*ret));
	if (len > BIRTH_MAX)
		return pst_err_set(err, PST_EINVAL, "the seed is longer than %d bytes", BIRTH_MAX);
	struct fields *f = fields_parse(text, len, err);
	int rc = f ? fields_read(f, ret, err) : err->code;
	fields_free(f);
	return rc < 0 ? pst_err_wrap(err, "the seed") : 0;
}

void birth_finish(struct birth *b)
{
	free(b->ca);
	pst_wipe(b, sizeof(*b));
}

void birth_computer_name(const struct birth *b, char out[BIRTH_NETBIOS_MAX + 1])
{
	pst_strlcpy(out, BIRTH_NETBIOS_MAX + 1, b->hostname);
	for (size_t n = strlen(out); n > 1 && out[n - 1] == '-'; n--)
		out[n - 1] = '\0';
}

int birth_address(const char *text, char host[64], uint16_t *ret_port, struct pst_err *err)
{
	const char *colon = strrchr(text, ':'), *start = text[0] == '[' ? text + 1 : text;
	size_t n = colon ? (size_t)(colon - start) : 0;
	uint32_t port;

	if (start > text)
		n = n > 0 && start[n - 1] == ']' ? n - 1 : 0;
	else if (memchr(text, ':', n))
		n = 0; /* IPv6 wants its brackets */
	if (n == 0 || n >= 64 || pst_parse_u32(colon + 1, 1, UINT16_MAX, &port) < 0)
		return pst_err_set(err, PST_EINVAL, "\"%.60s\" is not ADDRESS:PORT", text);
	memcpy(host, start, n);
	host[n] = '\0';
	*ret_port = (uint16_t)port;
	return 0;
}
