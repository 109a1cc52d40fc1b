/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accepts, asks the kernel who it is, and closes on strangers. */
#include "agent/door.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/unixsock.h"

#define BACKLOG 16

struct door {
	uv_poll_t poll;
	int fd;
	char *path;
	uid_t uids[DOOR_UIDS_MAX];
	size_t n_uids;
	void (*accepted)(int fd, void *arg);
	void *arg;
};

static bool is_welcome(const struct door *d, int fd)
{
	static struct pst_log_gate gate;
	struct pst_err err = PST_ERR_INIT;
	struct pst_peer peer;

	if (pst_unix_peer(fd, &peer, &err) < 0)
		return false;
	for (size_t i = 0; i < d->n_uids; i++)
		if (d->uids[i] == peer.uid)
			return true;
	if (pst_log_every(&gate, pst_mono_ms(), 1000, NULL))
		pst_warn("refused a connection of uid %u at %s", (unsigned)peer.uid, d->path);
	return false;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct door *d = poll->data;
	int fd = pst_unix_accept(d->fd);

	if (fd < 0)
		return;
	if (is_welcome(d, fd))
		d->accepted(fd, d->arg);
	else
		close(fd);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct door *d = handle->data;

	close(d->fd);
	free(d->path);
	free(d);
}

struct door *door_open(uv_loop_t *loop, const struct door_params *params, void (*accepted)(int fd, void *arg),
	void *arg, struct pst_err *err)
{
	PRE(params->n_uids <= DOOR_UIDS_MAX);
	struct door *d = pst_zalloc(1, sizeof(*d));
	if (!d || !(d->path = strdup(params->path))) {
		free(d);
		pst_err_set(err, PST_ENOMEM, "no memory for a socket");
		return NULL;
	}

	d->accepted = accepted;
	d->arg = arg;
	d->n_uids = params->n_uids;
	memcpy(d->uids, params->uids, params->n_uids * sizeof(*params->uids));
	d->fd = pst_unix_listen(params->path, params->mode, BACKLOG, err);
	if (d->fd < 0)
		goto fail;
	int rc = uv_poll_init(loop, &d->poll, d->fd);
	if (rc < 0) {
		pst_err_set(err, PST_EIO, "%s cannot be watched: %s", params->path, uv_strerror(rc));
		close(d->fd);
		goto fail;
	}
	d->poll.data = d;
	uv_poll_start(&d->poll, UV_READABLE, on_poll);
	return d;
fail:
	free(d->path);
	free(d);
	return NULL;
}

void door_close(struct door *d)
{
	if (!d)
		return;

	unlink(d->path);
	uv_poll_stop(&d->poll);
	uv_close((uv_handle_t *)&d->poll, on_handle_closed);
}
