/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a request goes: API, display, or a static file. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "protocol/gate/api.h"
#include "protocol/gate/display.h"
#include "protocol/gate/gate_priv.h"
#include "protocol/gate/http_conn.h"

/* A page of our own host: "https://" and what the Host header says. A request without Origin comes from no page. */
static bool is_same_origin(const struct http_head *h)
{
	const char *origin = http_head_get(h, "origin"), *host = http_head_get(h, "host");

	if (!origin)
		return true;
	return host && !strncasecmp(origin, "https://", 8) && !strcasecmp(origin + 8, host);
}

static void not_found(struct http_conn *c)
{
	http_conn_problem(c, 404, "not_found", "There is nothing at this address.", "No hay nada en esta dirección.", 0);
}

static void wrong_method(struct http_conn *c)
{
	http_conn_problem(c, 405, "wrong_method", "This address can only be read.", "Esta dirección sólo se puede leer.", 0);
}

static void redirect_to_folder(struct http_conn *c, const char *path)
{
	struct http_reply r = { .status = 308 };
	char location[64];

	if (pst_strlcpy(location, sizeof(location) - 1, path) < 0) {
		not_found(c);
		return;
	}
	strcat(location, "/");
	r.location = location;
	http_conn_reply(c, &r, "", 0);
}

static void serve_file(struct http_conn *c)
{
	const struct http_head *h = http_conn_head(c);
	const char *match = http_head_get(h, "if-none-match");
	struct http_reply r = { .status = 200 };
	struct webfile file;
	int rc = webfile_open(http_conn_gate(c)->web_dir, h->path, &file);

	if (rc == -308) {
		redirect_to_folder(c, h->path);
		return;
	}
	if (rc < 0) {
		not_found(c);
		return;
	}
	r.type = file.mime;
	r.is_gzip = file.is_gzip;
	r.cache = file.is_gzip ? "public, max-age=31536000, immutable" : "no-cache";
	r.etag = file.etag;
	if (match && strstr(match, file.etag)) {
		r.status = 304;
		r.type = NULL;
		r.is_gzip = false;
		http_conn_reply(c, &r, "", 0);
		pst_fd_close(&file.fd);
		return;
	}
	http_conn_file(c, &r, &file);
}

static void route_display(struct http_conn *c)
{
	const struct http_head *h = http_conn_head(c);

	if (!h->is_upgrade || h->method != HTTP_GET) {
		http_conn_problem(c, 426, "websocket_only", "This address speaks WebSocket only; open /client/ in a browser.",
				  "Esta dirección sólo habla WebSocket; abra /client/ en un navegador.", 0);
		return;
	}
	if (!is_same_origin(h)) {
		http_conn_problem(c, 403, "foreign_origin", "A page of another site may not open a desktop.",
				  "Una página de otro sitio no puede abrir un escritorio.", 0);
		return;
	}
	display_upgrade(c);
}

static bool is_our_host(struct http_conn *c)
{
	const char *host = http_head_get(http_conn_head(c), "host");

	return !host || gate_config_has_host(http_conn_gate(c)->config, host);
}

void http_route(struct http_conn *c)
{
	const struct http_head *h = http_conn_head(c);

	if (!is_our_host(c)) {
		http_conn_problem(c, 421, "wrong_host", "This gateway does not answer to that host name; an administrator adds it to [http] hosts.",
				  "Esta pasarela no responde a ese nombre; un administrador debe añadirlo a [http] hosts.", 0);
	} else if (!strcmp(h->path, "/display")) {
		route_display(c);
	} else if (pst_str_starts(h->path, "/api/v1/")) {
		if (!http_method_is_safe(h->method) && !is_same_origin(h))
			http_conn_problem(c, 403, "foreign_origin", "A page of another site may not change anything here.",
					  "Una página de otro sitio no puede cambiar nada aquí.", 0);
		else
			api_forward(c);
	} else if (h->method != HTTP_GET && h->method != HTTP_HEAD) {
		wrong_method(c);
	} else {
		serve_file(c);
	}
}
