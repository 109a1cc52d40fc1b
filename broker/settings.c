/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading broker.conf; a key that nobody knows is an error, so typing mistakes show. */
#include "broker/settings.h"

#include "base/daemon.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int read_path(struct pst_conf *conf, const struct settings *s, const char *section, const char *key,
	const char *fallback, char *out, struct pst_err *err)
{
	const char *value = pst_conf_str(conf, section, key, NULL);
	int n = value && *value == '/' ? snprintf(out, CONTROL_PATH_MAX, "%s", value) :
					 snprintf(out, CONTROL_PATH_MAX, "%s/%s", s->data, value ? value : fallback);

	if (n >= CONTROL_PATH_MAX)
		return pst_err_set(err, PST_ELIMIT, "[%s] %s: the path is too long", section, key);
	return 0;
}

static int read_paths(struct pst_conf *conf, struct settings *s, struct pst_err *err)
{
	struct control_settings *c = &s->control;

	if (pst_strlcpy(s->data, sizeof(s->data), pst_conf_str(conf, "data", "dir", "/var/lib/puesto")) < 0)
		return pst_err_set(err, PST_ELIMIT, "[data] dir: the path is too long");
	int rc = read_path(conf, s, "data", "database", "db/puesto.db", s->database, err);
	if (rc == 0)
		rc = read_path(conf, s, "sockets", "gateway", "run/gateway.sock", c->gateway_socket, err);
	if (rc == 0)
		rc = read_path(conf, s, "sockets", "provisioner", "run/provisioner.sock", c->provisioner_socket, err);
	if (rc == 0)
		rc = read_path(conf, s, "sockets", "agent", "run/agents/agent.sock", c->agent_socket, err);
	if (rc == 0 && snprintf(s->lock, sizeof(s->lock), "%s.lock", s->database) >= (int)sizeof(s->lock))
		rc = pst_err_set(err, PST_ELIMIT, "[data] database: the path is too long");
	return rc;
}

/* A user by name or by number; fallback when the key is not set. */
static int read_uid(struct pst_conf *conf, const char *key, uid_t fallback, uid_t *ret_uid, gid_t *ret_gid,
	struct pst_err *err)
{
	const char *name = pst_conf_str(conf, "uids", key, "");
	uint32_t number;
	gid_t gid;

	*ret_uid = fallback;
	if (!*name)
		return 0;
	if (pst_parse_u32(name, 0, UINT32_MAX - 1, &number) == 0) {
		*ret_uid = number;
		*ret_gid = number;
		return 0;
	}
	int rc = pst_user_find(name, ret_uid, &gid, err);
	*ret_gid = gid;
	return rc < 0 ? pst_err_wrap(err, "[uids] %s", key) : 0;
}

static int read_uids(struct pst_conf *conf, struct settings *s, struct pst_err *err)
{
	gid_t ignored = 0;
	int rc = read_uid(conf, "broker", geteuid(), &s->uid, &s->gid, err);

	s->drop = geteuid() == 0 && s->uid != 0;
	if (rc == 0)
		rc = read_uid(conf, "gateway", geteuid(), &s->control.gateway_uid, &ignored, err);
	if (rc == 0)
		rc = read_uid(conf, "provisioner", 0, &s->control.provisioner_uid, &ignored, err);
	return rc;
}

static int read_public(struct pst_conf *conf, struct api_settings *api, struct pst_err *err)
{
	uint32_t rdp = 0, vnc = 0;
	const char *host = pst_conf_str(conf, "public", "host", ""), *hosts = pst_conf_str(conf, "public", "hosts", "*");

	if (pst_strlcpy(api->public_host, sizeof(api->public_host), host) < 0)
		return pst_err_set(err, PST_ELIMIT, "[public] host: it is too long");
	if (pst_strlcpy(api->hosts, sizeof(api->hosts), hosts) < 0)
		return pst_err_set(err, PST_ELIMIT, "[public] hosts: the list is too long");
	int rc = pst_conf_u32(conf, "public", "rdp_port", 0, 65535, 0, &rdp, err);
	if (rc == 0)
		rc = pst_conf_u32(conf, "public", "vnc_port", 0, 65535, 0, &vnc, err);
	api->rdp_port = (int)rdp;
	api->vnc_port = (int)vnc;
	return rc;
}

static int read_limits(struct pst_conf *conf, struct auth_settings *auth, struct pst_err *err)
{
	uint64_t idle = (uint64_t)auth->idle_ms, total = (uint64_t)auth->total_ms;
	uint32_t threads = 0;
	int rc = pst_conf_u32(conf, "limits", "password_threads", 0, HASHER_THREADS_MAX, 0, &threads, err);

	if (rc == 0)
		rc = pst_conf_u32(conf, "limits", "free_failures", 0, 100, auth->account.free_failures,
			&auth->account.free_failures, err);
	if (rc == 0)
		rc = pst_conf_u32(conf, "limits", "block_failures", 1, 100, auth->account.block_failures,
			&auth->account.block_failures, err);
	if (rc == 0)
		rc = pst_conf_u32(conf, "limits", "free_failures_per_address", 0, 10000, auth->source.free_failures,
			&auth->source.free_failures, err);
	if (rc == 0)
		rc = pst_conf_duration_ms(conf, "limits", "login_idle", 60000, 86400000, idle, &idle, err);
	if (rc == 0)
		rc = pst_conf_duration_ms(conf, "limits", "login_total", 60000, 604800000, total, &total, err);
	auth->threads = threads;
	auth->idle_ms = (int64_t)idle;
	auth->total_ms = (int64_t)total;
	return rc;
}

/* Read while we are still root: the authority's key is nobody else's. */
static int read_agents(struct pst_conf *conf, struct settings *s, struct pst_err *err)
{
	struct control_settings *c = &s->control;
	char ca[CONTROL_PATH_MAX], ca_key[CONTROL_PATH_MAX], cert[CONTROL_PATH_MAX], key[CONTROL_PATH_MAX];
	const char *listen = pst_conf_str(conf, "agents", "listen", "off");
	int rc = read_path(conf, s, "agents", "ca", "pki/ca.pem", ca, err);

	if (rc == 0)
		rc = read_path(conf, s, "agents", "ca_key", "pki/ca.key", ca_key, err);
	if (rc == 0)
		rc = read_path(conf, s, "agents", "cert", "pki/broker.pem", cert, err);
	if (rc == 0)
		rc = read_path(conf, s, "agents", "key", "pki/broker.key", key, err);
	if (rc == 0)
		rc = pst_conf_bool(conf, "agents", "tls12", false, &c->agents_tls12, err);
	if (rc < 0 || strcmp(listen, "off") == 0)
		return rc;
	if (pst_strlcpy(c->agents_listen, sizeof(c->agents_listen), listen) < 0)
		return pst_err_set(err, PST_ELIMIT, "[agents] listen: it is too long");
	rc = pst_tls_pair_load(&c->agents_ca, ca_key, ca, err);
	if (rc == 0)
		rc = pst_tls_pair_load(&c->agents_own, key, cert, err);
	return rc < 0 ? pst_err_wrap(err, "[agents]") : 0;
}

void settings_finish(struct settings *s)
{
	pst_tls_pair_finish(&s->control.agents_ca);
	pst_tls_pair_finish(&s->control.agents_own);
}

int settings_read(struct pst_conf *conf, struct settings *s, struct pst_err *err)
{
	memset(s, 0, sizeof(*s));
	auth_settings_default(&s->control.auth);
	int rc = read_paths(conf, s, err);
	if (rc == 0)
		rc = read_uids(conf, s, err);
	if (rc == 0)
		rc = read_agents(conf, s, err);
	if (rc == 0)
		rc = read_public(conf, &s->control.api, err);
	if (rc == 0)
		rc = read_limits(conf, &s->control.auth, err);
	return rc == 0 ? pst_conf_check_unused(conf, err) : rc;
}
