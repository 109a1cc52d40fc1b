/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts the parts of the gate together. */
#include "protocol/gate/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/daemon.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/secret.h"
#include "protocol/gate/display.h"
#include "protocol/gate/gate_priv.h"
#include "protocol/gate/guest.h"
#include "protocol/gate/http_conn.h"
#include "protocol/gate/intake.h"
#include "protocol/gate/listener.h"
#include "protocol/gate/seat.h"
#include "protocol/gate/session.h"

#define PEM_MAX (64 * 1024)

static json_t *on_hello(void *arg)
{
	struct gate *g = arg;

	return json_pack("{s:s, s:s, s:o, s:o, s:o}", "op", "hello", "gateway", g->config->name, "sessions", session_list(g), "guests", guest_list(g),
			 "consoles", session_consoles(g));
}

static void on_broker_message(void *arg, json_t *msg)
{
	struct gate *g = arg;
	const char *op = pst_json_str(msg, "op", 32);

	if (op && !strcmp(op, "end"))
		session_end_by_broker(g, msg);
	else if (op && !strcmp(op, "guest_end"))
		guest_end_by_broker(g, msg);
	else if (op && !strcmp(op, "revoke_all"))
		session_end_all(g, "revoked", "An administrator ended all sessions. Log in again.", "Un administrador ha terminado todas las sesiones. Vuelva a entrar.");
	else
		pst_warn("broker sent a message that the gate does not know op=%s", op ? op : "");
}

static const struct broker_events broker_events = { .hello = on_hello, .message = on_broker_message };

static void on_worker_exited(void *arg, uint32_t serial, int status)
{
	session_exited(arg, serial, status);
}

static void on_spawner_lost(void *arg)
{
	struct gate *g = arg;

	pst_error("the spawner is gone: the gateway stops");
	pst_loop_stop(g->loop);
}

static const struct spawn_events spawn_events = { .exited = on_worker_exited, .lost = on_spawner_lost };

static void free_pem(char **pem)
{
	if (*pem)
		pst_wipe(*pem, strlen(*pem));
	free(*pem);
	*pem = NULL;
}

/* Takes both texts. The old certificate stays when the new one cannot be used. */
static int use_credentials(struct gate *g, char *cert_pem, char *key_pem, struct pst_err *err)
{
	struct tls_server *tls = tls_server_create(cert_pem, key_pem, err);

	if (!tls) {
		free_pem(&cert_pem);
		free_pem(&key_pem);
		return err->code;
	}
	tls_server_unref(g->tls);
	free_pem(&g->cert_pem);
	free_pem(&g->key_pem);
	g->tls = tls;
	g->cert_pem = cert_pem;
	g->key_pem = key_pem;
	return 0;
}

static int load_credentials(struct gate *g, struct pst_err *err)
{
	char *cert = NULL, *key = NULL;
	size_t len;

	if (pst_file_read(g->config->cert, PEM_MAX, &cert, &len, err) < 0)
		return err->code;
	if (pst_file_read(g->config->key, PEM_MAX, &key, &len, err) < 0) {
		free(cert);
		return err->code;
	}
	return use_credentials(g, cert, key, err);
}

static void make_limits(struct gate *g)
{
	struct limits_params p = limits_defaults;

	p.half_open_per_source = g->config->half_open_per_source;
	p.open_per_source = g->config->open_per_source;
	p.half_open_total = g->config->half_open_total;
	p.open_total = g->config->open_total;
	g->limits = limits_create(&p);
}

struct gate *gate_create(uv_loop_t *loop, const struct gate_config *config, int spawner_fd, struct pst_err *err)
{
	struct gate *g = calloc(1, sizeof(*g));

	if (!g) {
		close(spawner_fd);
		pst_err_set(err, PST_ENOMEM, "no memory for the gate");
		return NULL;
	}
	g->loop = loop;
	g->config = config;
	g->spawn = spawn_create(loop, spawner_fd, &spawn_events, g);
	make_limits(g);
	g->web_dir = open(config->web_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (g->web_dir < 0)
		pst_err_sys(err, PST_EIO, errno, "web files %s", config->web_dir);
	else if (!g->spawn || !g->limits)
		pst_err_set(err, PST_ENOMEM, "no memory for the gate");
	else if (load_credentials(g, err) == 0 && listener_open_all(g, err) == 0)
		return g;
	gate_stop(g);
	uv_run(loop, UV_RUN_DEFAULT);
	gate_destroy(g);
	return NULL;
}

int gate_start(struct gate *g, int (*lock_down)(int web_dir_fd, struct pst_err *err), struct pst_err *err)
{
	if (lock_down && lock_down(g->web_dir, err) < 0)
		return err->code;
	g->broker = broker_link_create(g->loop, g->config->broker_socket, &broker_events, g);
	return g->broker ? 0 : pst_err_set(err, PST_ENOMEM, "no memory for the broker's connection");
}

static char *read_fd(int fd)
{
	char *text = calloc(1, PEM_MAX + 1);
	ssize_t n = text ? read(fd, text, PEM_MAX) : -1;

	if (n <= 0) {
		free(text);
		return NULL;
	}
	return text;
}

static void on_credentials(void *arg, int error, pid_t pid, const int *fds, size_t n_fds)
{
	struct gate *g = arg;
	struct pst_err err = PST_ERR_INIT;
	char *cert = n_fds == 2 ? read_fd(fds[0]) : NULL, *key = n_fds == 2 ? read_fd(fds[1]) : NULL;

	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	if (!cert || !key) {
		pst_error("certificate not reloaded: %s", error ? strerror(error) : "it cannot be read");
		free_pem(&cert);
		free_pem(&key);
	} else if (use_credentials(g, cert, key, &err) < 0) {
		pst_error("certificate not reloaded: %s", err.text);
	} else {
		pst_info("certificate reloaded: new connections use it");
	}
}

void gate_reload(struct gate *g)
{
	spawn_credentials(g->spawn, on_credentials, g);
}

void gate_stop(struct gate *g)
{
	listener_close_all(g);
	intake_close_all(g);
	display_close_all(g);
	http_conn_close_all(g);
	session_close_all(g);
	seat_close_all(g);
	broker_link_close(g->broker);
	g->broker = NULL;
	spawn_close(g->spawn);
	g->spawn = NULL;
}

void gate_destroy(struct gate *g)
{
	if (!g)
		return;
	tls_server_unref(g->tls);
	free_pem(&g->cert_pem);
	free_pem(&g->key_pem);
	limits_destroy(g->limits);
	if (g->web_dir >= 0)
		close(g->web_dir);
	free(g);
}
