/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads gateway.conf. */
#include "protocol/gate/config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "protocol/gate/network.h"

#ifndef PUESTO_LIBEXECDIR
#define PUESTO_LIBEXECDIR "/usr/libexec/puesto"
#endif
#ifndef PUESTO_WEBDIR
#define PUESTO_WEBDIR "/usr/share/puesto/web"
#endif

/* "8443", "127.0.0.1:8443" or "[::1]:8443". */
static int parse_address(const char *text, enum gate_port kind, struct gate_address *ret, struct pst_err *err)
{
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : text;
	size_t len = colon ? (size_t)(colon - text) : 0;
	struct in6_addr probe;
	uint32_t n;

	*ret = (struct gate_address){ .port_kind = kind };
	if (len >= 2 && text[0] == '[' && text[len - 1] == ']') {
		text++;
		len -= 2;
	}
	if (len >= sizeof(ret->host) || pst_parse_u32(port, 1, 65535, &n) < 0)
		return pst_err_set(err, PST_EINVAL, "\"%s\" is no port, address:port or [address]:port", text);
	memcpy(ret->host, text, len);
	ret->port = (uint16_t)n;
	if (len && inet_pton(AF_INET, ret->host, &probe) != 1 && inet_pton(AF_INET6, ret->host, &probe) != 1)
		return pst_err_set(err, PST_EINVAL, "\"%s\" is no numeric address", ret->host);
	return 0;
}

/* A list of words between commas or blanks; calls take for each. */
static int each_word(const char *list, int (*take)(struct gate_config *c, const char *word, int kind, struct pst_err *err), struct gate_config *c,
		     int kind, struct pst_err *err)
{
	int rc = 0;

	while (list && *list && rc == 0) {
		char word[128];
		size_t len;

		list += strspn(list, " \t,");
		len = strcspn(list, " \t,");
		if (!len)
			break;
		if (len >= sizeof(word))
			return pst_err_set(err, PST_ELIMIT, "a word in the list is longer than %zu bytes", sizeof(word) - 1);
		memcpy(word, list, len);
		word[len] = '\0';
		list += len;
		rc = take(c, word, kind, err);
	}
	return rc;
}

static int take_address(struct gate_config *c, const char *word, int kind, struct pst_err *err)
{
	if (c->n_addresses == GATE_LISTENERS_MAX)
		return pst_err_set(err, PST_ELIMIT, "more than %d addresses to listen on", GATE_LISTENERS_MAX);
	return parse_address(word, (enum gate_port)kind, &c->addresses[c->n_addresses++], err);
}

static int take_host(struct gate_config *c, const char *word, int kind, struct pst_err *err)
{
	(void)kind;
	if (c->n_hosts == GATE_HOSTS_MAX)
		return pst_err_set(err, PST_ELIMIT, "more than %d host names", GATE_HOSTS_MAX);
	c->hosts[c->n_hosts] = strdup(word);
	if (!c->hosts[c->n_hosts])
		return pst_err_set(err, PST_ENOMEM, "no memory for the configuration");
	for (char *p = c->hosts[c->n_hosts++]; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
	return 0;
}

static int load_listeners(struct gate_config *c, struct pst_conf *conf, struct pst_err *err)
{
	static const struct {
		const char *key;
		enum gate_port kind;
		const char *fallback;
	} keys[] = { { "https", GATE_HTTPS, "443" }, { "rdp", GATE_RDP, "3389" }, { "vnc", GATE_VNC, "5900" } };

	for (size_t i = 0; i < PST_ARRAY_LEN(keys); i++) {
		const char *list = pst_conf_str(conf, "listen", keys[i].key, keys[i].fallback);

		if (strcmp(list, "off") && each_word(list, take_address, c, (int)keys[i].kind, err) < 0)
			return pst_err_wrap(err, "[listen] %s", keys[i].key);
	}
	return 0;
}

static int load_hosts(struct gate_config *c, struct pst_conf *conf, struct pst_err *err)
{
	char own[128] = "";

	if (each_word(pst_conf_str(conf, "http", "hosts", "localhost 127.0.0.1 [::1]"), take_host, c, 0, err) < 0)
		return pst_err_wrap(err, "[http] hosts");
	if (gethostname(own, sizeof(own) - 1) == 0 && *own)
		return take_host(c, own, 0, err);
	return 0;
}

static int load_paths(struct gate_config *c, struct pst_conf *conf, struct pst_err *err)
{
	const struct {
		char **to;
		const char *section, *key, *fallback;
	} paths[] = {
		{ &c->web_dir, "http", "web_dir", PUESTO_WEBDIR },
		{ &c->cert, "tls", "cert", "/var/lib/puesto/pki/server.pem" },
		{ &c->key, "tls", "key", "/var/lib/puesto/pki/server.key" },
		{ &c->broker_socket, "broker", "socket", "/var/lib/puesto/run/gateway.sock" },
		{ &c->desktops_dir, "worker", "desktops_dir", "/var/lib/puesto/desktops" },
		{ &c->worker, "worker", "path", PUESTO_LIBEXECDIR "/puesto-worker" },
		{ &c->worker_rdp, "worker", "rdp_path", PUESTO_LIBEXECDIR "/puesto-worker-rdp" },
		{ &c->worker_seat, "worker", "seat_path", PUESTO_LIBEXECDIR "/puesto-worker-seat" },
		{ &c->user, "gate", "user", "" },
		{ &c->pidfile, "gate", "pidfile", "" },
		{ &c->link, "link", "path", PUESTO_LIBEXECDIR "/puesto-link" },
		{ &c->link_networks, "link", "networks", "" },
		{ &c->link_ca, "link", "ca", "/var/lib/puesto/pki/ca.pem" },
		{ &c->link_cert, "link", "cert", "/var/lib/puesto/pki/gateway.pem" },
		{ &c->link_key, "link", "key", "/var/lib/puesto/pki/gateway.key" },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(paths); i++) {
		*paths[i].to = strdup(pst_conf_str(conf, paths[i].section, paths[i].key, paths[i].fallback));
		if (!*paths[i].to)
			return pst_err_set(err, PST_ENOMEM, "no memory for the configuration");
	}
	if (network_list_check(c->link_networks, err) < 0)
		return pst_err_wrap(err, "[link] networks");
	if (pst_strlcpy(c->name, sizeof(c->name), pst_conf_str(conf, "gate", "name", "gateway")) < 0)
		return pst_err_set(err, PST_EINVAL, "[gate] name: longer than %zu bytes", sizeof(c->name) - 1);
	return 0;
}

static int load_sandbox(struct gate_config *c, struct pst_conf *conf, struct pst_err *err)
{
	const char *word = pst_conf_str(conf, "gate", "sandbox", "on");

	if (strcmp(word, "on") && strcmp(word, "log") && strcmp(word, "off"))
		return pst_err_set(err, PST_EINVAL, "[gate] sandbox is \"%.20s\": use on, log or off", word);
	return pst_strlcpy(c->sandbox, sizeof(c->sandbox), word);
}

static int load_numbers(struct gate_config *c, struct pst_conf *conf, struct pst_err *err)
{
	const struct {
		uint32_t *to;
		const char *section, *key;
		uint32_t min, max, fallback;
	} numbers[] = {
		{ &c->worker_uid_first, "worker", "uid_first", 0, 4000000000u, 190000 },
		{ &c->worker_uid_count, "worker", "uid_count", 1, 4096, 4096 },
		{ &c->workers_max, "worker", "max", 1, 4096, 1024 },
		{ &c->worker_memory_mb, "worker", "memory_mb", 0, 65536, 4096 },
		{ &c->half_open_per_source, "limits", "half_open_per_source", 1, 100000, 32 },
		{ &c->open_per_source, "limits", "open_per_source", 1, 100000, 256 },
		{ &c->half_open_total, "limits", "half_open_total", 1, 100000, 2048 },
		{ &c->open_total, "limits", "open_total", 1, 100000, 8192 },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(numbers); i++)
		if (pst_conf_u32(conf, numbers[i].section, numbers[i].key, numbers[i].min, numbers[i].max, numbers[i].fallback, numbers[i].to,
				 err) < 0)
			return err->code;
	return pst_conf_duration_ms(conf, "limits", "preauth_deadline", 100, 60000, 10000, &c->preauth_ms, err);
}

int gate_config_load(struct gate_config *c, struct pst_conf *conf, struct pst_err *err)
{
	int rc;

	memset(c, 0, sizeof(*c));
	rc = load_listeners(c, conf, err);
	if (rc == 0)
		rc = load_hosts(c, conf, err);
	if (rc == 0)
		rc = load_paths(c, conf, err);
	if (rc == 0)
		rc = load_sandbox(c, conf, err);
	if (rc == 0)
		rc = load_numbers(c, conf, err);
	if (rc == 0)
		rc = pst_conf_check_unused(conf, err);
	return rc;
}

void gate_config_finish(struct gate_config *c)
{
	char *texts[] = { c->web_dir, c->desktops_dir, c->broker_socket, c->cert, c->key, c->worker, c->worker_rdp, c->worker_seat, c->user, c->pidfile, c->link, c->link_networks, c->link_ca,
			  c->link_cert, c->link_key };

	for (size_t i = 0; i < PST_ARRAY_LEN(texts); i++)
		free(texts[i]);
	for (unsigned i = 0; i < c->n_hosts; i++)
		free(c->hosts[i]);
	memset(c, 0, sizeof(*c));
}

bool gate_config_has_host(const struct gate_config *c, const char *host)
{
	const char *end = *host == '[' ? strchr(host, ']') : NULL;
	size_t len = end ? (size_t)(end - host) + 1 : strcspn(host, ":");

	if (host[len] && (host[len] != ':' || strspn(host + len + 1, "0123456789") != strlen(host + len + 1)))
		return false;
	for (unsigned i = 0; i < c->n_hosts; i++)
		if (strlen(c->hosts[i]) == len && !strncasecmp(c->hosts[i], host, len))
			return true;
	return false;
}
