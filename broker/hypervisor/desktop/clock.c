/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How long it was away is told by the hardware clock against the monotonic one; what the clock shows by itself tells nothing, since others set it. */
#include "broker/hypervisor/desktop/clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define RTC "/sys/class/rtc/rtc0/since_epoch" /* Documentation/admin-guide/rtc.rst */
#define AWAY_MS 3000  /* less is the hardware clock's own inexactness, or a machine that is slow */
#define RIGHT_MS 2000 /* so near, somebody has seen to it */

static int64_t now_ms(clockid_t which)
{
	struct timespec ts;

	clock_gettime(which, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int clock_look(struct clock_look *ret)
{
	char text[32];
	int fd = open(RTC, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	*ret = (struct clock_look){ strtoll(text, NULL, 10), now_ms(CLOCK_MONOTONIC), now_ms(CLOCK_REALTIME) };
	return ret->rtc_s > 0 ? 0 : -1;
}

int64_t clock_after_sleep(const struct clock_look *before, const struct clock_look *now)
{
	int64_t passed_ms = (now->rtc_s - before->rtc_s) * 1000;
	int64_t right_ms = before->real_ms + passed_ms;

	if (passed_ms - (now->mono_ms - before->mono_ms) < AWAY_MS)
		return 0;
	return llabs(right_ms - now->real_ms) < RIGHT_MS ? 0 : right_ms;
}

int clock_set_ms(int64_t real_ms)
{
	const struct timespec ts = { .tv_sec = real_ms / 1000, .tv_nsec = real_ms % 1000 * 1000000 };

	return clock_settime(CLOCK_REALTIME, &ts);
}
