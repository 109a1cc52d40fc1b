/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each field has a length and a form; what has neither is no seed. */
#include "agent/seed/seed.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "base/tls_listener.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* Each of them ends up as a word of a file or of a command's arguments: the set says what a word may hold. */
struct field {
	const char *name;
	size_t at, size;
	bool is_needed;
	const char *set;
};

static const struct field fields[] = {
	{ "desktop", offsetof(struct seed, desktop), sizeof(((struct seed *)0)->desktop), true,
		DIGITS "-ABCDEFabcdef" },
	{ "token", offsetof(struct seed, token), sizeof(((struct seed *)0)->token), false,
		LETTERS DIGITS "-_.~+/=" },
	{ "hostname", offsetof(struct seed, hostname), sizeof(((struct seed *)0)->hostname), true,
		LETTERS DIGITS "-" },
	{ "broker", offsetof(struct seed, broker), sizeof(((struct seed *)0)->broker), true,
		DIGITS "ABCDEFabcdef.:[]" },
	{ "display", offsetof(struct seed, display), sizeof(((struct seed *)0)->display), false,
		DIGITS "ABCDEFabcdef.:[]" },
	{ "locale", offsetof(struct seed, locale), sizeof(((struct seed *)0)->locale), false,
		LETTERS DIGITS "_@.-" },
	{ "layout", offsetof(struct seed, layout), sizeof(((struct seed *)0)->layout), false,
		LETTERS DIGITS "_-()" },
};

static const char *const known[] = { "desktop", "token", "hostname", "broker", "display", "ca", "locale",
	"layout", "time_ms", "random", NULL };

static int field_read(json_t *o, const struct field *f, struct seed *s, struct pst_err *err)
{
	const char *text;
	int rc = pst_json_opt_str(o, f->name, f->size - 1, "", &text, err);

	if (rc < 0)
		return rc;
	if (f->is_needed && text[0] == 0)
		return pst_err_set(err, PST_EINVAL, "%s: is missing", f->name);
	if (text[strspn(text, f->set)] != 0)
		return pst_err_set(err, PST_EINVAL, "%s: has a character that cannot stand there", f->name);
	return pst_strlcpy((char *)s + f->at, f->size, text);
}

static int address_check(const char *name, const char *text, struct pst_err *err)
{
	char host[64];
	uint16_t port;

	if (text[0] == 0 || pst_address_split(text, host, &port, err) == 0)
		return 0;
	return pst_err_wrap(err, "%s", name);
}

static int words_check(const struct seed *s, struct pst_err *err)
{
	struct pst_uuid uuid;

	if (pst_uuid_parse(s->desktop, &uuid) < 0)
		return pst_err_set(err, PST_EINVAL, "desktop: is no UUID");
	if (s->hostname[0] == '-' || s->hostname[strlen(s->hostname) - 1] == '-')
		return pst_err_set(err, PST_EINVAL, "hostname: begins or ends with a dash");
	if (s->layout[0] == '-' || s->locale[0] == '-' || s->locale[0] == '.')
		return pst_err_set(
			err, PST_EINVAL, "%s: is malformed", s->layout[0] == '-' ? "layout" : "locale");
	return address_check("broker", s->broker, err) < 0 || address_check("display", s->display, err) < 0
		       ? err->code
		       : 0;
}

/* That it can be used as an authority is found out here and not when the agent starts. */
static int ca_read(json_t *o, struct seed *s, struct pst_err *err)
{
	struct pst_tls_trust *trust;
	const char *pem;

	if (pst_json_need_str(o, "ca", PST_TLS_PEM_MAX, &pem, err) < 0)
		return err->code;
	trust = pst_tls_trust_create(pem, NULL, err);
	if (!trust)
		return pst_err_wrap(err, "ca");
	pst_tls_trust_unref(trust);
	s->ca = strdup(pem);
	return s->ca ? 0 : pst_err_set(err, PST_ENOMEM, "no memory for the authority's certificate");
}

static int clock_read(json_t *o, struct seed *s, struct pst_err *err)
{
	const char *text;

	if (pst_json_opt_int(o, "time_ms", 0, INT64_C(253402300799999), 0, &s->time_ms, err) < 0 ||
		pst_json_opt_str(o, "random", PST_BASE64_LEN(SEED_RANDOM_MAX), "", &text, err) < 0)
		return err->code;
	long n = pst_base64_decode(text, strlen(text), s->random, sizeof(s->random));
	if (n < 0)
		return pst_err_set(
			err, PST_EINVAL, "random: is no base64 of at most %d bytes", SEED_RANDOM_MAX);
	s->random_len = (size_t)n;
	return 0;
}

/* Time and random bytes differ at each writing; a seed that only they make new is the same one. */
static void hash_fill(const struct seed *s, bool with_token, char out[PST_SHA256_HEX_SIZE])
{
	uint8_t sums[PST_ARRAY_LEN(fields) + 1][PST_SHA256_LEN];

	for (size_t i = 0; i < PST_ARRAY_LEN(fields); i++) {
		const char *text = (const char *)s + fields[i].at;
		bool is_empty = !with_token && text == s->token;

		pst_sha256(text, is_empty ? 0 : strlen(text), sums[i]);
	}
	pst_sha256(s->ca, strlen(s->ca), sums[PST_ARRAY_LEN(fields)]);
	pst_sha256_hex(sums, sizeof(sums), out);
}

static int object_read(json_t *o, struct seed *s, struct pst_err *err)
{
	if (pst_json_only(o, known, err) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(fields); i++) {
		if (field_read(o, &fields[i], s, err) < 0)
			return err->code;
	}
	if (words_check(s, err) < 0 || ca_read(o, s, err) < 0 || clock_read(o, s, err) < 0)
		return err->code;
	hash_fill(s, true, s->hash);
	hash_fill(s, false, s->bare);
	return 0;
}

int seed_parse(const char *text, size_t len, struct seed *ret, struct pst_err *err)
{
	memset(ret, 0, sizeof(*ret));
	if (len > SEED_MAX)
		return pst_err_set(err, PST_EINVAL, "the seed is longer than %d bytes", SEED_MAX);
	json_t *o = pst_json_parse(text, len, 2, err);
	if (!o)
		return pst_err_wrap(err, "the seed");
	int rc = json_is_object(o) ? object_read(o, ret, err)
				   : pst_err_set(err, PST_EINVAL, "it is no object");
	json_decref(o);
	return rc < 0 ? pst_err_wrap(err, "the seed") : 0;
}

void seed_finish(struct seed *s)
{
	free(s->ca);
	pst_wipe(s, sizeof(*s));
}
