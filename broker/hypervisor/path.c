/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Puts paths together. */
#include "broker/hypervisor/path.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>

int path_make(char out[PATH_MAX], struct pst_err *err, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(out, PATH_MAX, fmt, ap);
	va_end(ap);
	if (n >= 0 && n < PATH_MAX)
		return 0;
	out[0] = '\0';
	return pst_err_set(err, PST_ELIMIT, "a path is longer than %d bytes", PATH_MAX);
}

void path_mark(const char *path, char out[PATH_MARK_SIZE])
{
	struct stat st;

	if (path[0] == '\0' || stat(path, &st) < 0)
		snprintf(out, PATH_MARK_SIZE, "-");
	else
		snprintf(out, PATH_MARK_SIZE, "%" PRIu64 ":%" PRIu64 ":%" PRId64 ".%09ld", (uint64_t)st.st_ino, (uint64_t)st.st_size,
			(int64_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}
