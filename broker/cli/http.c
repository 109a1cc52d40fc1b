/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTPS to the gateway by libcurl, with our own log-in. */
#include "broker/cli/ctl.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX (8 * 1024 * 1024)
#define CONNECT_S 10L
#define CALL_S 90L

struct ctl_http {
	CURL *curl;
	char base[600];
	char bearer[300]; /* a header, "" is none */
	char csrf[128];   /* a header, "" is none */
	bool has_cookie;
	char curl_error[CURL_ERROR_SIZE];
};

struct ctl_http *http_create(const struct ctl_options *o, struct pst_err *err)
{
	struct ctl_http *h = pst_zalloc(1, sizeof(*h));

	if (!*o->url) {
		pst_err_set(err, PST_EINVAL, "no server is named: use --url https://HOST:PORT, or 'url = …' under [server] in "
					     "~/.config/puesto/ctl.conf");
		free(h);
		return NULL;
	}
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if (!h || !(h->curl = curl_easy_init())) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		free(h);
		return NULL;
	}
	snprintf(h->base, sizeof(h->base), "%s/api/v1/", o->url);
	curl_easy_setopt(h->curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(h->curl, CURLOPT_ERRORBUFFER, h->curl_error);
	curl_easy_setopt(h->curl, CURLOPT_COOKIEFILE, "");
	curl_easy_setopt(h->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h->curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(h->curl, CURLOPT_USERAGENT, "puestoctl/" PACKAGE_VERSION);
	if (*o->ca)
		curl_easy_setopt(h->curl, CURLOPT_CAINFO, o->ca);
	return h;
}

void http_destroy(struct ctl_http *h)
{
	json_t *ignored = NULL;

	if (!h)
		return;
	if (h->has_cookie)
		http_call(h, "DELETE", "sessions/current", NULL, &ignored, NULL);
	json_decref(ignored);
	curl_easy_cleanup(h->curl);
	pst_wipe(h, sizeof(*h));
	free(h);
}

static size_t take_body(char *data, size_t size, size_t count, void *arg)
{
	return pst_buf_append(arg, data, size * count) < 0 ? 0 : size * count;
}

static struct curl_slist *headers_of(const struct ctl_http *h, bool has_body)
{
	struct curl_slist *list = curl_slist_append(NULL, "Accept: application/json");

	if (has_body)
		list = curl_slist_append(list, "Content-Type: application/json");
	if (h->bearer[0])
		list = curl_slist_append(list, h->bearer);
	if (h->csrf[0])
		list = curl_slist_append(list, h->csrf);
	return list;
}

static int unreachable(const struct ctl_http *h, CURLcode rc, struct pst_err *err)
{
	const char *why = h->curl_error[0] ? h->curl_error : curl_easy_strerror(rc);
	const char *hint = rc == CURLE_PEER_FAILED_VERIFICATION || rc == CURLE_SSL_CACERT_BADFILE ?
		" (name the installation's CA with --ca DATA/pki/ca.pem)" : "";

	return pst_err_set(err, PST_ECLOSED, "%.*s: %s%s", (int)(strlen(h->base) - strlen("/api/v1/")), h->base, why, hint);
}

int http_call(struct ctl_http *h, const char *method, const char *path, const json_t *body, json_t **ret,
	struct pst_err *err)
{
	char url[2048], *text = body ? pst_json_text(body, NULL) : NULL;
	struct curl_slist *headers = headers_of(h, true);
	struct pst_buf answer;
	long status = 0;

	*ret = NULL;
	pst_buf_init(&answer, ANSWER_MAX);
	snprintf(url, sizeof(url), "%s%s", h->base, path);
	h->curl_error[0] = '\0';
	curl_easy_setopt(h->curl, CURLOPT_URL, url);
	curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(h->curl, CURLOPT_POSTFIELDS, text);
	curl_easy_setopt(h->curl, CURLOPT_HTTPGET, text ? 0L : 1L);
	if (text)
		curl_easy_setopt(h->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h->curl, CURLOPT_TIMEOUT, CALL_S);
	curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, &answer);
	CURLcode rc = curl_easy_perform(h->curl);
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	if (rc == CURLE_OK && answer.len)
		*ret = pst_json_parse((const char *)answer.data, answer.len, PST_JSON_DEPTH, NULL);
	pst_buf_finish(&answer);
	curl_slist_free_all(headers);
	if (text)
		pst_wipe(text, strlen(text));
	free(text);
	return rc == CURLE_OK ? (int)status : unreachable(h, rc, err);
}

int http_login_as(struct ctl_http *h, const char *user, const char *password, struct pst_err *err)
{
	json_t *body = json_pack("{s:s, s:s}", "user", user, "password", password), *answer = NULL;
	int status = body ? http_call(h, "POST", "sessions", body, &answer, err) :
			    pst_err_set(err, PST_EINVAL, "the user's name or password is not UTF-8");
	const char *csrf = json_string_value(json_object_get(answer, "csrf"));
	const char *title = json_string_value(json_object_get(answer, "title"));
	int rc = status < 0 ? status : 0;

	if (status == 201 && csrf) {
		snprintf(h->csrf, sizeof(h->csrf), "X-CSRF-Token: %s", csrf);
		h->has_cookie = true;
	} else if (status >= 0) {
		rc = pst_err_set(err, PST_EAUTH, "log-in as %s: %s", user, title ? title : "no understandable answer");
	}
	json_decref(answer);
	json_decref(body);
	return rc;
}

static int read_token(struct ctl_http *h, const char *file, struct pst_err *err)
{
	char *text = NULL;
	size_t len = 0;
	int rc = pst_file_read(file, 256, &text, &len, err);

	if (rc < 0)
		return rc;
	snprintf(h->bearer, sizeof(h->bearer), "Authorization: Bearer %.*s", (int)strcspn(text, " \r\n"), text);
	pst_wipe(text, len);
	free(text);
	return 0;
}

int http_login(struct ctl_http *h, const struct ctl_options *o, struct pst_err *err)
{
	char user[256], password[300];

	if (h->bearer[0] || h->has_cookie)
		return 0;
	if (!*o->credentials && *o->token_file)
		return read_token(h, o->token_file, err);
	if (!*o->credentials)
		return pst_err_set(err, PST_EAUTH, "who are you? Use --credentials FILE or --token-file FILE, or run 'puestoctl "
						   "login' once");
	int rc = config_credentials(o, user, sizeof(user), password, sizeof(password), err);
	if (rc == 0)
		rc = http_login_as(h, user, password, err);
	pst_wipe(password, sizeof(password));
	return rc;
}

struct lines {
	char line[64 * 1024];
	size_t len;
	bool (*each)(const char *line, void *arg);
	void *arg;
};

static size_t take_lines(char *data, size_t size, size_t count, void *arg)
{
	struct lines *l = arg;

	for (size_t i = 0; i < size * count; i++) {
		if (data[i] != '\n') {
			if (l->len + 1 < sizeof(l->line))
				l->line[l->len++] = data[i];
			continue;
		}
		l->line[l->len] = '\0';
		l->len = 0;
		if (!l->each(l->line, l->arg))
			return 0;
	}
	return size * count;
}

int http_stream(struct ctl_http *h, const char *path, const char *last_id, bool (*line)(const char *line, void *arg),
	void *arg, struct pst_err *err)
{
	struct lines *l = pst_zalloc(1, sizeof(*l));
	struct curl_slist *headers = headers_of(h, false);
	char url[2048], id[64];
	long status = 0;

	if (!l)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	l->each = line;
	l->arg = arg;
	snprintf(url, sizeof(url), "%s%s", h->base, path);
	snprintf(id, sizeof(id), "Last-Event-ID: %s", last_id);
	if (*last_id)
		headers = curl_slist_append(headers, id);
	curl_easy_setopt(h->curl, CURLOPT_URL, url);
	curl_easy_setopt(h->curl, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(h->curl, CURLOPT_CUSTOMREQUEST, "GET");
	curl_easy_setopt(h->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(h->curl, CURLOPT_TIMEOUT, 0L);
	curl_easy_setopt(h->curl, CURLOPT_WRITEFUNCTION, take_lines);
	curl_easy_setopt(h->curl, CURLOPT_WRITEDATA, l);
	CURLcode rc = curl_easy_perform(h->curl);
	curl_easy_getinfo(h->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	free(l);
	if (rc != CURLE_OK && rc != CURLE_WRITE_ERROR && rc != CURLE_PARTIAL_FILE)
		return unreachable(h, rc, err);
	return (int)status;
}
