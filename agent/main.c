/* SPDX-License-Identifier: GPL-3.0-or-later */
/* puesto-agent: options and environment, and the loop. See puesto-agent(8). */
#include <limits.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/session.h"
#include "base/daemon.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"

#define RUN_DEFAULT "/run/puesto"

static const struct pst_daemon_options options = {
	.program = "puesto-agent",
	.summary = "Shows one desktop to one viewer: capture, input, clipboard and session reports.\n"
		   "       puesto-agent --logoff   ends the session of the desktop it is run in\n"
		   "       puesto-agent --await FILE   waits until there is FILE, then as with --config FILE",
};

struct program {
	uv_loop_t loop;
	struct agent *agent;
	struct pst_conf *conf;
	char broker[PATH_MAX];
	bool is_lost;
	const char *awaited; /* a file, or NULL */
	uv_fs_event_t watch; /* of its folder */
	int rc;
	struct pst_err *err; /* main's */
};

static const char *setting(struct pst_conf *conf, const char *key, const char *env, const char *fallback)
{
	const char *from_env = getenv(env);

	return pst_conf_str(conf, "agent", key, from_env && from_env[0] ? from_env : fallback);
}

/* "900,901": the uids of gateways that are not root. */
static int gateways_parse(const char *list, struct agent_params *p, struct pst_err *err)
{
	char word[16];

	while (*list) {
		size_t n = strcspn(list, ",");
		uint32_t uid;
		if (n >= sizeof(word) || p->n_gateways == AGENT_GATEWAYS_MAX)
			return pst_err_set(err, PST_EINVAL,
				"agent.gateway_uids: at most %d numbers with commas", AGENT_GATEWAYS_MAX);
		memcpy(word, list, n);
		word[n] = 0;
		if (pst_parse_u32(word, 0, UINT32_MAX - 1, &uid) < 0)
			return pst_err_set(err, PST_EINVAL, "agent.gateway_uids: \"%s\" is no uid", word);
		p->gateways[p->n_gateways++] = uid;
		list += n + (list[n] == ',');
	}
	return 0;
}

static int params_fill(struct program *m, struct agent_params *p, struct pst_err *err)
{
	memset(p, 0, sizeof(*p));
	p->run = setting(m->conf, "run", "PUESTO_RUN", RUN_DEFAULT);
	p->display = setting(m->conf, "display", "DISPLAY", NULL);
	p->fbdir = setting(m->conf, "fbdir", "PUESTO_FBDIR", NULL);
	p->layout = setting(m->conf, "layout", "PUESTO_LAYOUT", NULL);
	snprintf(m->broker, sizeof(m->broker), "%s/broker/agent.sock", p->run);
	p->broker = setting(m->conf, "broker", "PUESTO_BROKER", m->broker);
	p->broker_tls = setting(m->conf, "broker_tls", "PUESTO_BROKER_TLS", NULL);
	p->display_tls = setting(m->conf, "display_tls", "PUESTO_DISPLAY_TLS", NULL);
	p->ca = setting(m->conf, "ca", "PUESTO_CA", NULL);
	int rc = gateways_parse(setting(m->conf, "gateway_uids", "PUESTO_GATEWAY_UIDS", ""), p, err);
	return rc < 0 ? rc : pst_conf_check_unused(m->conf, err);
}

static void on_lost(void *arg)
{
	struct program *m = arg;

	pst_error("the X server ended");
	m->is_lost = true;
	pst_loop_stop(&m->loop);
}

static void await_end(struct program *m)
{
	if (m->awaited)
		uv_close((uv_handle_t *)&m->watch, NULL);
	m->awaited = NULL;
}

static void on_stop(void *arg)
{
	struct program *m = arg;

	await_end(m);
	agent_destroy(m->agent, "the desktop is shutting down");
	m->agent = NULL;
}

static int logoff(void)
{
	const char *run = getenv("PUESTO_RUN");
	char path[PATH_MAX];
	struct pst_err err = PST_ERR_INIT;

	snprintf(path, sizeof(path), "%s/session.sock", run && run[0] ? run : RUN_DEFAULT);
	if (session_ask_logoff(path, &err) == 0)
		return EXIT_SUCCESS;
	fprintf(stderr, "puesto-agent: %s\n", err.text);
	return EXIT_FAILURE;
}

static int start(struct program *m, struct pst_err *err)
{
	struct agent_params params;
	int rc = params_fill(m, &params, err);

	if (rc == 0 && !m->agent) {
		m->agent = agent_open(&m->loop, &params, on_lost, m, err);
		rc = m->agent ? 0 : err->code;
	}
	return rc == 0 ? agent_start(m->agent, &params, err) : rc;
}

/* Something happened in the awaited file's folder. */
static void on_folder(uv_fs_event_t *watch, const char *name, int events, int status)
{
	struct program *m = watch->data;

	if (access(m->awaited, F_OK) < 0)
		return;
	pst_conf_destroy(m->conf);
	m->conf = pst_conf_create();
	m->rc = m->conf ? pst_conf_load(m->conf, m->awaited, m->err)
			: pst_err_set(m->err, PST_ENOMEM, "no memory");
	if (m->rc == 0)
		m->rc = start(m, m->err);
	await_end(m);
	if (m->rc < 0)
		pst_loop_stop(&m->loop);
}

/* Everything but who we are is made, and that is waited for: the machine may be asleep meanwhile, and wake as
 * another one. */
static int await(struct program *m, struct pst_err *err)
{
	struct agent_params params;
	const char *slash = strrchr(m->awaited, '/');
	char folder[PATH_MAX];

	if (!slash || slash == m->awaited || (size_t)(slash - m->awaited) >= sizeof(folder))
		return pst_err_set(err, PST_EINVAL, "--await: wants an absolute path");
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - m->awaited), m->awaited);
	uv_fs_event_init(&m->loop, &m->watch);
	m->watch.data = m;
	if (params_fill(m, &params, err) < 0)
		return err->code;
	m->agent = agent_open(&m->loop, &params, on_lost, m, err);
	if (!m->agent)
		return err->code;
	if (uv_fs_event_start(&m->watch, on_folder, folder, 0) < 0)
		return pst_err_set(err, PST_EIO, "%s cannot be watched", folder);
	on_folder(&m->watch, NULL, 0, 0);
	return m->rc;
}

static int run(struct program *m, struct pst_err *err)
{
	m->err = err;
	m->rc = m->awaited ? await(m, err) : start(m, err);
	if (m->rc == 0 && pst_loop_run_until_signal(&m->loop, on_stop, NULL, m) < 0)
		m->rc = pst_err_set(err, PST_EIO, "the loop cannot run");
	on_stop(m);
	if (m->rc == 0 && m->is_lost)
		m->rc = pst_err_set(err, PST_ECLOSED, "the X server ended");
	return m->rc;
}

/* "--await FILE" is the one option that the others of all programs do not have. */
static int options_parse(struct program *m, int argc, char **argv, struct pst_err *err)
{
	if (argc == 3 && strcmp(argv[1], "--await") == 0) {
		m->awaited = argv[2];
		argc = 1;
	}
	return pst_daemon_parse(argc, argv, &options, &m->conf, NULL, err);
}

int main(int argc, char **argv)
{
	static struct program m;
	struct pst_err err = PST_ERR_INIT;

	/* For the letters of notices: the X library draws what the locale can say. */
	if (!setlocale(LC_CTYPE, "") || MB_CUR_MAX < 4)
		setlocale(LC_CTYPE, "C.UTF-8");
	if (argc == 2 && strcmp(argv[1], "--logoff") == 0)
		return logoff();
	int rc = options_parse(&m, argc, argv, &err);
	if (rc == 1)
		return EXIT_SUCCESS;
	if (rc == 0) {
		uv_loop_init(&m.loop);
		rc = run(&m, &err);
		pst_loop_drain(&m.loop);
	}
	pst_conf_destroy(m.conf);
	if (rc < 0)
		fprintf(stderr, "puesto-agent: %s\n", err.text);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
