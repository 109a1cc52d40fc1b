/* SPDX-License-Identifier: GPL-3.0-or-later */
/* puesto-worker: one display connection. Started by the gateway with the control channel on 3 and the client's stream on 4. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "protocol/gate/spawn_wire.h"
#include "protocol/sandbox.h"
#include "protocol/worker.h"

#define CTL_FD 3
#define CLIENT_FD 4

/* The desktop cut its shared screen short: the only thing that a read of it can do is fail. */
static void on_sigbus(int signal)
{
	static const char text[] = "error puesto-worker the desktop's screen memory vanished\n";
	ssize_t n = write(2, text, sizeof(text) - 1);

	_exit(n >= 0 ? WORKER_EXIT_SCREEN_GONE : EXIT_FAILURE);
}

static int usage(void)
{
	fputs("usage: puesto-worker --front ws|rdp|rfb [--source agent|pattern] [--sandbox on|log|off] [--alone]\n"
	      "Started by puesto-gateway. --alone serves the client on descriptor 4 without a gate (with --source pattern).\n",
	      stderr);
	return 2;
}

struct options {
	const char *front, *source, *sandbox;
	bool is_alone;
};

static bool parse(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--alone"))
			o->is_alone = true;
		else if (i + 1 == argc)
			return false;
		else if (!strcmp(argv[i], "--front"))
			o->front = argv[++i];
		else if (!strcmp(argv[i], "--source"))
			o->source = argv[++i];
		else if (!strcmp(argv[i], "--sandbox"))
			o->sandbox = argv[++i];
		else
			return false;
	}
	return o->front != NULL;
}

static int run(const struct options *o)
{
	struct pst_err err = PST_ERR_INIT;
	uv_loop_t loop;
	struct worker_params p = {
		.loop = &loop,
		.front = o->front,
		.source = o->source,
		.ctl_fd = o->is_alone ? -1 : CTL_FD,
		.client_fd = CLIENT_FD,
		.lock_down = !strcmp(o->sandbox, "off") ? NULL : !strcmp(o->sandbox, "log") ? sandbox_enter_logging : sandbox_enter,
	};
	struct worker *w;

	if (uv_loop_init(&loop) < 0)
		return EXIT_FAILURE;
	w = worker_create(&p, &err);
	if (!w) {
		pst_error("%s", err.text);
		return EXIT_FAILURE;
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	worker_destroy(w);
	uv_run(&loop, UV_RUN_NOWAIT);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options o = { .source = "agent", .sandbox = "on" };

	if (!parse(argc, argv, &o))
		return usage();
	if (fcntl(CLIENT_FD, F_GETFD) < 0 || (!o.is_alone && fcntl(CTL_FD, F_GETFD) < 0)) {
		fputs("puesto-worker: descriptors 3 and 4 must be open; it is started by puesto-gateway.\n", stderr);
		return 2;
	}
	pst_mem_be_small();
	pst_log_init("puesto-worker", PST_INFO, 2, false);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGBUS, on_sigbus);
	return run(&o);
}
