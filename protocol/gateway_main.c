/* SPDX-License-Identifier: GPL-3.0-or-later */
/* puesto-gateway: the spawner keeps root, its child is the gate and drops it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/daemon.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/unixsock.h"
#include "protocol/gate/config.h"
#include "protocol/gate/gate.h"
#include "protocol/sandbox_gate.h"
#include "protocol/spawner.h"

#define FILES_MAX 65536

static const struct pst_daemon_options options = {
	.program = "puesto-gateway",
	.summary = "Serves browsers, RDP clients and VNC viewers: HTTPS, and one worker process per display.",
	.default_config = "/var/lib/puesto/etc/gateway.conf",
};

static void raise_file_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max < FILES_MAX ? r.rlim_max : FILES_MAX;
	setrlimit(RLIMIT_NOFILE, &r);
}

/* Becomes the configured user. Without one, or when we are not root, we stay who we are. */
static int drop_user(const struct gate_config *config, struct pst_err *err)
{
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (*config->user && uid == 0 && pst_user_find(config->user, &uid, &gid, err) < 0)
		return err->code;
	return pst_drop_privileges(uid, gid, err);
}

static void on_stop(void *arg)
{
	pst_sd_notify("STOPPING=1");
	gate_stop(arg);
}

static void on_reload(void *arg)
{
	gate_reload(arg);
}

static int (*lock_down(const struct gate_config *config))(int, struct pst_err *)
{
	if (!strcmp(config->sandbox, "off"))
		return NULL;
	return !strcmp(config->sandbox, "log") ? sandbox_gate_enter_logging : sandbox_gate_enter;
}

static int run_gate(const struct gate_config *config, int spawner_fd, struct pst_err *err)
{
	uv_loop_t loop;
	struct gate *g;
	int rc;

	prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	raise_file_limit();
	uv_loop_init(&loop);
	g = gate_create(&loop, config, spawner_fd, err);
	if (!g)
		return err->code;
	rc = drop_user(config, err);
	if (rc == 0)
		rc = gate_start(g, lock_down(config), err);
	if (rc == 0) {
		pst_sd_notify("READY=1");
		pst_info("gateway ready name=%s addresses=%u", config->name, config->n_addresses);
		rc = pst_loop_run_until_signal(&loop, on_stop, on_reload, g);
		rc = rc < 0 ? pst_err_set(err, PST_EIO, "the event loop failed") : 0;
	}
	gate_destroy(g);
	pst_loop_drain(&loop);
	return rc;
}

static int run_spawner(const struct gate_config *config, int gate_fd, pid_t gate_pid)
{
	struct spawner_params p = {
		.gate_fd = gate_fd,
		.gate_pid = gate_pid,
		.worker_path = config->worker,
		.worker_rdp_path = config->worker_rdp,
		.worker_seat_path = config->worker_seat,
		.desktops_dir = config->desktops_dir,
		.cert_path = config->cert,
		.key_path = config->key,
		.link_path = config->link,
		.link_networks = config->link_networks,
		.link_ca = config->link_ca,
		.link_cert = config->link_cert,
		.link_key = config->link_key,
		.uid_first = getuid() == 0 ? config->worker_uid_first : 0,
		.uid_count = config->worker_uid_count,
		.workers_max = config->workers_max,
		.memory_max = (unsigned long)config->worker_memory_mb << 20,
	};

	return spawner_run(&p);
}

static int run(const struct gate_config *config, struct pst_err *err)
{
	int pair[2], status;
	pid_t pid;

	if (access(config->worker, X_OK) < 0)
		return pst_err_sys(err, PST_EIO, errno, "[worker] path %s", config->worker);
	if (pst_unix_pair_packet(pair, err) < 0)
		return err->code;
	pid = fork();
	if (pid < 0)
		return pst_err_sys(err, PST_EIO, errno, "fork");
	if (pid == 0) {
		close(pair[0]);
		status = run_gate(config, pair[1], err);
		if (status < 0)
			pst_error("%s", err->text);
		_exit(status < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	close(pair[1]);
	/* Who is not root reaches the desktops' sockets through its own /proc, which a process that is not dumpable cannot read. */
	if (getuid() == 0 && pst_process_harden(err) < 0) {
		close(pair[0]);
		return err->code;
	}
	status = run_spawner(config, pair[0], pid);
	return status == EXIT_SUCCESS ? 0 : pst_err_set(err, PST_EINTERNAL, "the gate ended with status %d", status);
}

int main(int argc, char **argv)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_conf *conf = NULL;
	struct gate_config config = { 0 };
	int rc = pst_daemon_parse(argc, argv, &options, &conf, NULL, &err), pidfile = -1;

	if (rc == 1)
		return EXIT_SUCCESS;
	if (rc == 0)
		rc = gate_config_load(&config, conf, &err);
	if (rc == 0 && *config.pidfile) {
		pidfile = pst_pidfile_open(config.pidfile, &err);
		rc = pidfile < 0 ? pidfile : 0;
	}
	if (rc == 0)
		rc = run(&config, &err);
	if (pidfile >= 0)
		pst_pidfile_close(config.pidfile, pidfile);
	if (rc < 0)
		pst_error("%s", err.text);
	gate_config_finish(&config);
	pst_conf_destroy(conf);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
