/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections by libcurl on which it does nothing but TLS. */
#include "broker/hypervisor/http_priv.h"

#include "base/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

struct http_stream {
	CURL *easy;
	curl_socket_t fd;
	char words[CURL_ERROR_SIZE];
};

const char *http_host(const struct http *h)
{
	return h->url + (h->socket[0] ? strlen("http://") : strlen("https://"));
}

struct http_stream *http_stream_open(struct http *h, uint64_t timeout_ms, struct pst_err *err)
{
	struct http_stream *s = pst_zalloc(1, sizeof(*s));
	CURLcode rc = CURLE_OUT_OF_MEMORY;

	if (s && (s->easy = curl_easy_init())) {
		curl_easy_setopt(s->easy, CURLOPT_URL, h->url);
		if (h->socket[0])
			curl_easy_setopt(s->easy, CURLOPT_UNIX_SOCKET_PATH, h->socket);
		curl_easy_setopt(s->easy, CURLOPT_PROTOCOLS_STR, h->socket[0] ? "http" : "https");
		curl_easy_setopt(s->easy, CURLOPT_PROXY, "");
		curl_easy_setopt(s->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
		curl_easy_setopt(s->easy, CURLOPT_NOSIGNAL, 1L);
		curl_easy_setopt(s->easy, CURLOPT_CONNECT_ONLY, 1L);
		curl_easy_setopt(s->easy, CURLOPT_TIMEOUT_MS, (long)PST_MIN(PST_MIN(timeout_ms, h->connect_ms ? h->connect_ms : timeout_ms), (uint64_t)INT_MAX));
		curl_easy_setopt(s->easy, CURLOPT_ERRORBUFFER, s->words);
		http_trust_set(h, s->easy);
		rc = curl_easy_perform(s->easy);
	}
	if (rc == CURLE_OK)
		rc = curl_easy_getinfo(s->easy, CURLINFO_ACTIVESOCKET, &s->fd);
	if (rc == CURLE_OK)
		return s;
	pst_err_set(err, rc == CURLE_OPERATION_TIMEDOUT ? PST_ETIMEOUT : rc == CURLE_OUT_OF_MEMORY ? PST_ENOMEM : PST_ECLOSED, "%s cannot be reached: %s", h->url,
		s && s->words[0] ? s->words : curl_easy_strerror(rc));
	http_stream_close(s);
	return NULL;
}

static ssize_t stream_result(CURLcode rc, size_t n)
{
	return rc == CURLE_OK ? (ssize_t)n : rc == CURLE_AGAIN ? PST_EAGAIN : PST_ECLOSED;
}

ssize_t http_stream_read(struct http_stream *s, void *out, size_t len)
{
	size_t n = 0;
	CURLcode rc = curl_easy_recv(s->easy, out, len, &n);

	return stream_result(rc, n);
}

ssize_t http_stream_write(struct http_stream *s, const void *data, size_t len)
{
	size_t n = 0;
	CURLcode rc = curl_easy_send(s->easy, data, len, &n);

	return stream_result(rc, n);
}

int http_stream_fd(const struct http_stream *s)
{
	return s->fd;
}

void http_stream_close(struct http_stream *s)
{
	if (!s)
		return;
	if (s->easy)
		curl_easy_cleanup(s->easy);
	free(s);
}
