/* SPDX-License-Identifier: GPL-3.0-or-later */
/* puesto-worker-seat: one machine that speaks RDP, for one worker. Started by the gateway with the control channel on 3 and the display link on 4. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "protocol/sandbox.h"
#include "protocol/seat.h"
#include "protocol/source/source.h"

#define CTL_FD 3
#define LINK_FD 4
#define SOURCE "rdp"

static int run(int (*lock_down)(struct pst_err *err))
{
	struct seat_params p = { .ctl_fd = CTL_FD, .link_fd = LINK_FD, .source = SOURCE };
	struct pst_err err = PST_ERR_INIT;
	uv_loop_t loop;
	struct seat *s;

	source_prepare(source_find(SOURCE));
	if (uv_loop_init(&loop) < 0)
		return EXIT_FAILURE;
	p.loop = &loop;
	s = !lock_down || lock_down(&err) == 0 ? seat_create(&p, &err) : NULL;
	if (!s) {
		pst_error("%s", err.text);
		return EXIT_FAILURE;
	}
	uv_run(&loop, UV_RUN_DEFAULT);
	seat_destroy(s);
	uv_run(&loop, UV_RUN_NOWAIT);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	/* "--front seat" is what the gateway says to each of its programs. */
	const char *sandbox = argc == 5 && !strcmp(argv[3], "--sandbox") ? argv[4] : "on";

	if ((argc != 3 && argc != 5) || strcmp(argv[1], "--front") != 0 || fcntl(CTL_FD, F_GETFD) < 0 || fcntl(LINK_FD, F_GETFD) < 0) {
		fputs("puesto-worker-seat: it is started by puesto-gateway.\n", stderr);
		return 2;
	}
	pst_mem_be_small();
	pst_log_init("puesto-worker-seat", PST_INFO, STDERR_FILENO, false);
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
	return run(!strcmp(sandbox, "off") ? NULL : !strcmp(sandbox, "log") ? sandbox_enter_logging : sandbox_enter_seat);
}
