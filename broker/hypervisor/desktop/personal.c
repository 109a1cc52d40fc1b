/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * {"op":"mount"} and {"op":"unmount"}, from the session's own user or root. The session begins anew on the home that was
 * mounted, and rests after the home was taken away: what comes next is the end of this machine or of its disk.
 */
#include "broker/hypervisor/desktop/personal.h"

#include "base/clock.h"
#include "base/ctl_server.h"
#include "base/daemon.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/text.h"
#include "broker/hypervisor/desktop/guest.h"
#include "broker/hypervisor/desktop/mounts.h"
#include "broker/hypervisor/desktop/volume.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ACCOUNT "user"
#define CONNECTIONS_MAX 4
#define FRAME_MAX 1024
#define DISK_MS 60000   /* that the disk may take to come */
#define LET_GO_MS 20000 /* that killed programs may take to end */
#define PAINT_MS 30000  /* after which its user may as well watch the session begin */
#define LOOK_MS 50

struct personal {
	uv_loop_t loop;
	struct pst_ctl_server *server;
	uid_t uid;
};

/* Without one there is nothing to tell: it will begin on whatever home there is. */
static void session_signal(int signal)
{
	struct pst_err none = PST_ERR_INIT;
	char *text = NULL;
	uint32_t pid;
	size_t len;

	if (pst_file_read(PERSONAL_SESSION_PID, 32, &text, &len, &none) == 0 && pst_parse_u32(text, 2, INT32_MAX, &pid) == 0 &&
		kill((pid_t)pid, signal) < 0)
		pst_warn("the session cannot be told: %s", strerror(errno));
	free(text);
}

/* Its user sees it when it is painted, not what it was before. */
static void session_renew(void)
{
	const struct timespec pause = { .tv_nsec = LOOK_MS * 1000000L };
	uint64_t end = pst_mono_ms() + PAINT_MS;

	if (unlink(GUEST_PAINTED) < 0 && errno != ENOENT)
		pst_warn(GUEST_PAINTED ": %s", strerror(errno));
	session_signal(SIGHUP);
	while (access(GUEST_PAINTED, F_OK) < 0 && pst_mono_ms() < end)
		(void)nanosleep(&pause, NULL);
}

static int home_bring(const struct personal *k, struct pst_err *err)
{
	char device[VOLUME_DEVICE_SIZE];

	if (volume_find(DISK_MS, device, err) < 0 || volume_mount(device, DESKTOP_HOME, k->uid, err) < 0)
		return err->code;
	pst_info("the user's files are on %s", device);
	session_renew();
	return 0;
}

static int home_take(struct pst_err *err)
{
	session_signal(SIGUSR1);
	return volume_unmount(DESKTOP_HOME, LET_GO_MS, err);
}

static void on_message(struct pst_ctl *ctl, json_t *msg, int fd, void *arg)
{
	const char *op = pst_json_str(msg, "op", 16);
	struct pst_err err = PST_ERR_INIT;
	int rc;

	pst_fd_close(&fd);
	if (op && strcmp(op, "mount") == 0)
		rc = home_bring(arg, &err);
	else if (op && strcmp(op, "unmount") == 0)
		rc = home_take(&err);
	else
		rc = pst_err_set(&err, PST_EINVAL, "there is no such question");
	if (rc < 0) {
		pst_warn("%s: %s", op ? op : "?", err.text);
		pst_ctl_reply_err(ctl, msg, &err);
	} else {
		pst_ctl_reply(ctl, msg, NULL);
	}
}

static void on_accept(struct pst_ctl *ctl, void *arg)
{
	static const struct pst_ctl_events events = { .message = on_message };
	const struct pst_peer *peer = pst_ctl_peer(ctl);
	const struct personal *k = arg;

	if (peer->uid != 0 && peer->uid != k->uid) {
		pst_ctl_close(ctl);
		return;
	}
	pst_ctl_set_frame_max(ctl, FRAME_MAX);
	pst_ctl_set_events(ctl, &events, arg);
}

static void on_stop(void *arg)
{
	struct personal *k = arg;

	pst_ctl_server_close(k->server);
	k->server = NULL;
}

int personal_main(void)
{
	struct pst_err err = PST_ERR_INIT;
	struct personal k = { .server = NULL };
	gid_t gid;

	pst_log_init("puesto-personal", PST_INFO, 2, false);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	uv_loop_init(&k.loop);
	if (pst_user_find(ACCOUNT, &k.uid, &gid, &err) == 0)
		k.server = pst_ctl_listen(&k.loop, PERSONAL_SOCKET, 0666, CONNECTIONS_MAX, on_accept, &k, &err);
	if (!k.server) {
		pst_error("%s", err.text);
		return 1;
	}
	(void)pst_loop_run_until_signal(&k.loop, on_stop, NULL, &k);
	on_stop(&k);
	pst_loop_drain(&k.loop);
	return 0;
}
