/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One look a second: at the hardware clock, and at the size of the disk. In a container both are somebody else's: process 1 has
 * "container" in its environment there (systemd.io/CONTAINER_INTERFACE), Docker's file lies there, or Kubernetes has said where it is.
 */
#include "broker/hypervisor/desktop/keep.h"

#include "base/log.h"
#include "broker/hypervisor/desktop/clock.h"
#include "broker/hypervisor/desktop/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static bool environment_has(const char *text, size_t len, const char *name)
{
	for (size_t at = 0; at < len; at += strnlen(text + at, len - at) + 1)
		if (strncmp(text + at, name, strlen(name)) == 0)
			return true;
	return false;
}

static bool is_container(void)
{
	char text[4096];
	int fd = open("/proc/1/environ", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n >= 0)
		text[n] = '\0';
	return n < 0 || environment_has(text, (size_t)n, "container=") || environment_has(text, (size_t)n, "KUBERNETES_SERVICE_HOST=") ||
	       access("/.dockerenv", F_OK) == 0;
}

/* False: it may not be set, or there is nothing to set it by. */
static bool clock_keep(struct clock_look *last)
{
	struct clock_look now;
	int64_t right_ms;

	if (clock_look(&now) < 0)
		return false;
	right_ms = last->rtc_s ? clock_after_sleep(last, &now) : 0;
	if (right_ms && clock_set_ms(right_ms) < 0) {
		pst_warn("the clock cannot be set: %s", strerror(errno));
		return false;
	}
	if (right_ms) {
		pst_info("the machine was away, and the clock is %lld s further", (long long)(right_ms - now.real_ms) / 1000);
		now.real_ms = right_ms;
	}
	*last = now;
	return true;
}

static bool disk_keep(void)
{
	int rc = grow_file_system("/");

	if (rc > 0)
		pst_info("the file system is as large as its disk again");
	if (rc == GROW_FAILED)
		pst_warn("the file system does not follow its disk: %s", strerror(errno));
	return rc >= 0;
}

int keep_main(void)
{
	const struct timespec second = { .tv_sec = 1 };
	struct clock_look last = { 0 };
	bool clock = true, disk = true;

	pst_log_init("keep", PST_INFO, 2, false);
	if (is_container())
		return 0;
	while (clock || disk) {
		clock = clock && clock_keep(&last);
		disk = disk && disk_keep();
		nanosleep(&second, NULL);
	}
	return 0;
}
