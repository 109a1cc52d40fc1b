/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts of machines that speak RDP. */
#include "broker/hypervisor/rdp_site.h"

#include "base/conf.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/hypervisor/request.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define ACCOUNTS_MAX (1u << 20)
#define CA_MAX (32u << 10)
#define PIN_DIGITS (RDP_PIN_SIZE - 1)

int rdp_pin_read(const char *text, char ret[RDP_PIN_SIZE], struct pst_err *err)
{
	size_t n = 0;

	for (; *text && n < PIN_DIGITS; text++) {
		if (isxdigit((unsigned char)*text))
			ret[n++] = (char)tolower((unsigned char)*text);
		else if (*text != ':')
			break;
	}
	ret[n] = '\0';
	if (n == PIN_DIGITS && *text == '\0')
		return 0;
	ret[0] = '\0';
	return pst_err_set(err, PST_EINVAL, "a certificate's SHA-256 has 64 hexadecimal digits");
}

static int path_read(char *out, const struct driver_params *p, const char *key, struct pst_err *err)
{
	const char *path = pst_conf_str(p->conf, p->section, key, "");

	if ((*path && *path != '/') || pst_strlcpy(out, PATH_MAX, path) < 0)
		return pst_err_set(err, PST_EINVAL, "%s: \"%.100s\" must be an absolute path", key, path);
	return 0;
}

int rdp_site_read(struct rdp_site *s, const struct driver_params *p, struct pst_err *err)
{
	const char *login = pst_conf_str(p->conf, p->section, "rdp_login", "ask"), *pin = pst_conf_str(p->conf, p->section, "rdp_fingerprint", NULL);
	uint32_t port, wait_s;

	memset(s, 0, sizeof(*s));
	s->is_fixed = strcmp(login, "fixed") == 0;
	if (!s->is_fixed && strcmp(login, "ask") != 0)
		return pst_err_set(err, PST_EINVAL, "rdp_login: \"%.40s\" is not ask or fixed", login);
	if (pin && rdp_pin_read(pin, s->pin, err) < 0)
		return pst_err_wrap(err, "rdp_fingerprint");
	if (pst_conf_bool(p->conf, p->section, "rdp_video", false, &s->has_video, err) < 0 || path_read(s->accounts, p, "rdp_accounts", err) < 0)
		return err->code;
	if (path_read(s->ca, p, "rdp_ca", err) < 0 || pst_conf_u32(p->conf, p->section, "rdp_port", 1, 65535, 3389, &port, err) < 0 ||
		pst_conf_u32(p->conf, p->section, "rdp_wait_s", 0, 3600, 180, &wait_s, err) < 0)
		return err->code;
	s->port = (uint16_t)port;
	s->wait_ms = wait_s * 1000;
	return 0;
}

bool rdp_site_knows(const struct rdp_site *s, const char *pin)
{
	return (pin && *pin) || s->pin[0] || s->ca[0];
}

/* Read anew each time: an administrator changes it without a restart. */
static char *accounts_load(const struct rdp_site *s, struct pst_err *err)
{
	struct stat st;
	char *text = NULL;
	size_t len;

	if (!s->accounts[0])
		pst_err_set(err, PST_EINVAL, "rdp_accounts: missing; it says with which account machines are entered");
	else if (stat(s->accounts, &st) == 0 && (st.st_mode & 077))
		pst_err_set(err, PST_EDENIED, "%s can be read by others: chmod 600", s->accounts);
	else if (pst_file_read(s->accounts, ACCOUNTS_MAX, &text, &len, err) < 0)
		return NULL;
	return text;
}

/* Cuts the next word off; the rest begins at its first letter, or is "". */
static char *word_take(char **rest)
{
	char *word = *rest;
	size_t n = strcspn(word, " \t");

	*rest = word + n + strspn(word + n, " \t");
	word[n] = '\0';
	return word;
}

/* USER, DOMAIN\USER; the password is the rest of the line, spaces and all. */
static json_t *line_account(char *line)
{
	char *user = word_take(&line), *domain = strchr(user, '\\') ? user : NULL;

	if (domain) {
		user = strchr(user, '\\') + 1;
		user[-1] = '\0';
	}
	return json_pack("{s:s, s:s, s:s}", "user", user, "domain", domain ? domain : "", "password", line);
}

/* Of the machine's own line, or (takes_any) of that of any; text is cut up. NULL without. */
static json_t *account_find(char *text, const char *name, bool takes_any)
{
	json_t *any = NULL;
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		char *words;
		bool is_any;

		line[strcspn(line, "\r")] = '\0';
		line += strspn(line, " \t");
		words = line;
		is_any = strncmp(words, "*", strcspn(words, " \t")) == 0;
		if (*line == '#' || *line == '\0')
			continue;
		if (strcmp(word_take(&words), name) == 0) {
			json_decref(any);
			return line_account(words);
		}
		if (is_any && takes_any && !any)
			any = line_account(words);
	}
	return any;
}

static json_t *account_of(const struct rdp_site *s, const char *name, bool takes_any, struct pst_err *err)
{
	char *text = accounts_load(s, err);
	size_t len = text ? strlen(text) : 0;
	json_t *found = text ? account_find(text, name, takes_any) : NULL;

	if (text && !found)
		pst_err_set(err, PST_ENOTFOUND, "%s has no line for %s%s", s->accounts, name, takes_any ? ", and none for any (*)" : "");
	if (text)
		pst_wipe(text, len);
	free(text);
	return found;
}

/* By what its certificate is known. */
static int identity_add(json_t *o, const struct rdp_site *s, const struct rdp_machine *m, struct pst_err *err)
{
	const char *pin = m->pin && m->pin[0] ? m->pin : s->pin;
	char *ca;
	size_t len;

	if (*pin)
		return json_object_set_new(o, "fingerprint", json_string(pin)) == 0 ? 0 : pst_err_set(err, PST_ENOMEM, "no memory, or a text that is no UTF-8");
	if (!s->ca[0])
		return pst_err_set(err, PST_EINVAL, "nothing says by what certificate %s is known: its fingerprint, rdp_fingerprint or rdp_ca", m->name);
	if (pst_file_read(s->ca, CA_MAX, &ca, &len, err) < 0)
		return pst_err_wrap(err, "rdp_ca");
	json_object_set_new(o, "ca", json_string(ca));
	json_object_set_new(o, "name", json_string(m->host && *m->host ? m->host : m->name));
	free(ca);
	return 0;
}

json_t *rdp_site_account(const struct rdp_site *s, const struct rdp_machine *m, struct pst_err *err)
{
	bool is_fixed = m->login && *m->login ? strcmp(m->login, "fixed") == 0 : s->is_fixed;
	json_t *o = is_fixed ? account_of(s, m->name, true, err) : json_object();

	if (!o && !is_fixed)
		pst_err_set(err, PST_ENOMEM, "no memory");
	if (!o)
		return NULL;
	json_object_set_new(o, "login", json_string(is_fixed ? "fixed" : "ask"));
	json_object_set_new(o, "layout", json_string(m->layout ? m->layout : ""));
	json_object_set_new(o, "video", json_boolean(s->has_video));
	if (identity_add(o, s, m, err) == 0)
		return o;
	json_decref(o);
	return NULL;
}

int rdp_site_enter(const struct rdp_site *s, const struct machine_request *r, const struct machine_endpoint *e, const char *pin, json_t **ret_account,
	struct pst_err *err)
{
	const struct rdp_machine m = { .name = r->hostname, .pin = pin, .layout = r->layout };

	if (!ret_account)
		return 0;
	if (e->kind != ENDPOINT_RDP)
		return pst_err_set(err, PST_EUNSUPPORTED, "desktop %s has no RDP server that can be reached", r->desktop);
	if (!e->address[0])
		return pst_err_set(err, PST_EBUSY, "nothing says now at which address desktop %s is", r->desktop);
	*ret_account = rdp_site_account(s, &m, err);
	return *ret_account ? 0 : err->code;
}

/* Of the systems that are shown by RDP, Windows alone has an agent for that. */
bool rdp_site_has_agent(const struct seed_site *seed, const struct machine_request *r)
{
	return r->is_windows && seed->agents[0];
}

bool rdp_site_needs_address(const struct seed_site *seed, const struct machine_request *r)
{
	return request_speaks_rdp(r) && !rdp_site_has_agent(seed, r);
}

void rdp_site_endpoint(const struct rdp_site *s, const struct seed_site *seed, const struct machine_request *r, const char *address,
	struct machine_endpoint *ret)
{
	bool is_rdp = request_speaks_rdp(r), has_agent = rdp_site_has_agent(seed, r);

	if (!address[0] && !has_agent)
		return;
	ret->kind = is_rdp ? ENDPOINT_RDP : ENDPOINT_TLS;
	ret->port = is_rdp ? s->port : seed->agent_port;
	ret->has_agent = has_agent;
	pst_strlcpy(ret->address, sizeof(ret->address), address);
}

/* Its own line alone: the account of any machine (*) is for servers that have shown a certificate, and no worker's. */
json_t *rdp_site_password(const struct rdp_site *s, const char *name, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	json_t *o = s->accounts[0] ? account_of(s, name, false, &why) : json_object();

	if (!o && why.code == PST_ENOTFOUND)
		return json_object();
	if (!o)
		*err = why;
	return o;
}
