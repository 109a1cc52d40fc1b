/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A program is run, and what it says is read, with a ceiling and a deadline. */
#include "agent/seed/guestinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#define TOOL_MS 10000

/* On other hardware the tool is not asked: it would speak to a port that may be anything. */
static bool is_vmware(const char *root)
{
	struct pst_err ignored = PST_ERR_INIT;
	char path[PATH_MAX], *text = NULL;
	size_t len;
	bool is_it;

	snprintf(path, sizeof(path), "%s/sys/class/dmi/id/sys_vendor", root);
	if (pst_file_read(path, 256, &text, &len, &ignored) < 0)
		return false;
	is_it = pst_str_starts(text, "VMware");
	free(text);
	return is_it;
}

static _Noreturn void tool_exec(const char *root, const char *command, int out)
{
	char rpctool[PATH_MAX], vmtoolsd[PATH_MAX];
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(rpctool, sizeof(rpctool), "%s/usr/bin/vmware-rpctool", root);
	snprintf(vmtoolsd, sizeof(vmtoolsd), "%s/usr/bin/vmtoolsd", root);
	if (dup2(null, 0) >= 0 && dup2(null, 2) >= 0 && dup2(out, 1) >= 0) {
		execl(rpctool, "vmware-rpctool", command, (char *)NULL);
		execl(vmtoolsd, "vmtoolsd", "--cmd", command, (char *)NULL);
	}
	_exit(127);
}

/* 0 at the end of what it says. */
static int words_read(int fd, struct pst_buf *b, struct pst_err *err)
{
	uint64_t end = pst_mono_ms() + TOOL_MS, now;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char bytes[4096];
	ssize_t n;

	while ((now = pst_mono_ms()) < end) {
		if (poll(&p, 1, (int)(end - now)) <= 0)
			continue;
		n = read(fd, bytes, sizeof(bytes));
		if (n == 0)
			return 0;
		if (n > 0 && pst_buf_append(b, bytes, (size_t)n) < 0)
			return pst_err_set(err, PST_EINVAL, "the seed is too long");
		if (n < 0 && errno != EINTR)
			return pst_err_sys(err, PST_EIO, errno, "VMware's tool");
	}
	return pst_err_set(err, PST_ETIMEOUT, "VMware's tool does not answer: do open-vm-tools run?");
}

/* What it says is in b. PST_ENOTFOUND when it ends with an error, as it does for what is not set. */
static int tool_run(const char *root, const char *command, struct pst_buf *b, struct pst_err *err)
{
	int fds[2], status = 0, rc;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return pst_err_sys(err, PST_EIO, errno, "a pipe");
	pid = fork();
	if (pid == 0)
		tool_exec(root, command, fds[1]);
	close(fds[1]);
	rc = pid < 0 ? pst_err_sys(err, PST_EIO, errno, "fork") : words_read(fds[0], b, err);
	close(fds[0]);
	if (pid > 0 && rc < 0)
		kill(pid, SIGKILL);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (rc == 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == 0))
		rc = PST_ENOTFOUND;
	return rc;
}

int guestinfo_read(const char *root, size_t max, char **ret_text, struct pst_err *err)
{
	const char *text;
	struct pst_buf b;
	size_t len;
	int rc;

	if (!is_vmware(root))
		return PST_ENOTFOUND;
	pst_buf_init(&b, max + 2); /* an end of line */
	rc = tool_run(root, "info-get " GUESTINFO_SEED, &b, err);
	text = pst_buf_cstr(&b);
	if (rc == 0 && text) {
		len = strcspn(text, "\r\n");
		*ret_text = len ? strndup(text, len) : NULL;
		rc = *ret_text ? 0
		     : len     ? pst_err_set(err, PST_ENOMEM, "no memory for the seed")
			       : PST_ENOTFOUND;
	} else if (rc == 0) {
		rc = pst_err_set(err, PST_EINVAL, "the seed is too long");
	}
	if (b.data)
		pst_wipe(b.data, b.len);
	pst_buf_finish(&b);
	return rc;
}

void guestinfo_clear(const char *root)
{
	struct pst_err err = PST_ERR_INIT;
	struct pst_buf b;

	pst_buf_init(&b, 4096);
	if (is_vmware(root) && tool_run(root, "info-set " GUESTINFO_SEED " ", &b, &err) < 0)
		pst_warn("the seed stays in " GUESTINFO_SEED
			 " until the next start: VMware's tool did not empty it");
	pst_buf_finish(&b);
}
