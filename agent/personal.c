/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection for each question: the helper may have begun anew in between. */
#include "agent/personal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ctl.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"

struct personal {
	uv_loop_t *loop;
	char socket[PATH_MAX], home[PATH_MAX];
	struct pst_ctl *ctl; /* of the question that is under way, or NULL */
	bool is_mount;
	personal_done_cb done;
	void *arg;
};

/* A home that the provider has brought is a mount of its own. */
static bool home_is_mount(const char *home)
{
	struct statx st;

	return statx(AT_FDCWD, home, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) == 0 && (st.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

static void question_end(struct personal *p)
{
	struct pst_ctl *ctl = p->ctl;

	p->ctl = NULL;
	if (!ctl)
		return;
	pst_ctl_call_cancel(ctl, p);
	pst_ctl_close(ctl);
}

static void tell(struct personal *p, const struct pst_err *err)
{
	bool is_good = !err;

	if (!is_good)
		pst_warn("the user's files are not %s: %s", p->is_mount ? "mounted" : "unmounted", err->text);
	if (p->is_mount)
		p->done(p->arg, is_good ? "mounted" : "unmountable", is_good ? "" : err->text);
	else
		p->done(p->arg, is_good ? "unmounted" : "", is_good ? "" : err->text);
}

static void on_answer(json_t *reply, int fd, const struct pst_err *call_err, void *arg)
{
	struct personal *p = arg;
	struct pst_err err = PST_ERR_INIT;
	int rc;

	pst_fd_close(&fd);
	rc = pst_ctl_reply_check(reply, call_err, &err);
	question_end(p);
	tell(p, rc < 0 ? &err : NULL);
}

static void on_closed(struct pst_ctl *ctl, const char *reason, void *arg)
{
	struct personal *p = arg;

	p->ctl = NULL; /* its call was answered before */
}

static void ask(struct personal *p)
{
	static const struct pst_ctl_events events = { .closed = on_closed };
	struct pst_err err = PST_ERR_INIT;
	int fd = pst_unix_connect(p->socket, &err);

	p->ctl = fd < 0 ? NULL : pst_ctl_create(p->loop, fd, &events, p);
	if (p->ctl)
		pst_ctl_call(p->ctl, json_pack("{s:s}", "op", p->is_mount ? "mount" : "unmount"),
			p->is_mount ? PERSONAL_MOUNT_MS : PERSONAL_UNMOUNT_MS, on_answer, p);
	else
		tell(p, &err);
}

static void begin(struct personal *p, bool is_mount)
{
	struct pst_err none = PST_ERR_INIT;

	question_end(p);
	p->is_mount = is_mount;
	if (access(p->socket, F_OK) == 0) {
		ask(p);
		return;
	}
	/* The provider waits for nobody to put away what it brought. */
	pst_err_set(&none, PST_EUNSUPPORTED, "nothing in this desktop's image brings them: make it anew with this version of Puesto");
	tell(p, is_mount && !home_is_mount(p->home) ? &none : NULL);
}

struct personal *personal_create(uv_loop_t *loop, const char *socket, const char *home, personal_done_cb done, void *arg)
{
	struct personal *p = pst_zalloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->loop = loop;
	p->done = done;
	p->arg = arg;
	if (pst_strlcpy(p->socket, sizeof(p->socket), socket) == 0 && pst_strlcpy(p->home, sizeof(p->home), home) == 0)
		return p;
	free(p);
	return NULL;
}

void personal_close(struct personal *p)
{
	if (!p)
		return;
	question_end(p);
	free(p);
}

void personal_mount(struct personal *p)
{
	begin(p, true);
}

void personal_unmount(struct personal *p)
{
	begin(p, false);
}
