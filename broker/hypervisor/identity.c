/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts, machine ids and enrolment files. */
#include "broker/hypervisor/identity.h"

#include "base/json.h"
#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void identity_passwd(uid_t uid, char out[IDENTITY_LINE_SIZE])
{
	snprintf(out, IDENTITY_LINE_SIZE, "user:x:%u:%u:Puesto:/home/user:/bin/bash", (unsigned)uid, (unsigned)uid);
}

void identity_group(uid_t uid, char out[IDENTITY_LINE_SIZE])
{
	snprintf(out, IDENTITY_LINE_SIZE, "user:x:%u:", (unsigned)uid);
}

void identity_accounts(struct pst_buf *out, const char *text, const char *own)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		if (n > 0 && strncmp(text, "user:", 5) != 0)
			pst_buf_printf(out, "%.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
	pst_buf_printf(out, "%s\n", own);
}

void identity_machine_id(const char *desktop, char out[IDENTITY_ID_SIZE])
{
	size_t n = 0;

	for (; *desktop && n < 32; desktop++) {
		if (*desktop != '-')
			out[n++] = *desktop;
	}
	out[n++] = '\n';
	out[n] = '\0';
}

static int enrol_put(int dir, const char *text, size_t len, uid_t uid)
{
	int fd, rc = 0;

	if (unlinkat(dir, "enrol.json", 0) < 0 && errno == EISDIR)
		unlinkat(dir, "enrol.json", AT_REMOVEDIR);
	fd = openat(dir, "enrol.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, text, len) != (ssize_t)len || fchown(fd, uid, uid) < 0 || fsync(fd) < 0)
		rc = -1;
	pst_fd_close(&fd);
	return rc;
}

int identity_enrol(const char *run, const char *desktop, const char *token, uid_t uid, struct pst_err *err)
{
	int dir, rc = 0;
	json_t *obj;
	size_t len;
	char *text;

	if (token[0] == '\0')
		return 0;
	obj = json_pack("{s:s,s:s}", "desktop", desktop, "token", token);
	text = obj ? pst_json_text(obj, &len) : NULL;
	json_decref(obj);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	dir = open(run, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || enrol_put(dir, text, len, uid) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "write enrol.json in %s", run);
	pst_fd_close(&dir);
	free(text);
	return rc;
}
