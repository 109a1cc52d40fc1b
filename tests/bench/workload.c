/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A program on a desktop that draws always the same, in an X window without a frame.
 *
 *   workload X Y WIDTH HEIGHT [CLIP_FD PHOTO_FD]
 *
 * It prints "ready MARKER_X MARKER_Y" (in the window) when its window is drawn, and then carries out lines of
 * standard input: "NAME N MS" takes N steps of a kind (desk.c has the kinds), one each MS milliseconds, and
 * answers "done FIRST LAST": when the first and the last of them were given to the X server, in nanoseconds
 * of CLOCK_MONOTONIC. Meanwhile and in between each key turns the marker over and is answered "key NS". End
 * of file ends it. The descriptors are open files of frames, see clip.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "desk.h"

#define STEPS_MAX 100000
#define MS_MAX 10000
#define NS_PER_MS 1000000.0

/* Takes keys and exposures until then, or until a line has come when for is NULL. */
static void attend(struct desk *k, const uint64_t *until)
{
	struct pollfd p[2] = { { .fd = ConnectionNumber(k->w.dpy), .events = POLLIN },
		{ .fd = until ? -1 : 0, .events = POLLIN } };

	for (;;) {
		uint64_t now = now_ns(), left = until && *until > now ? *until - now : 0;
		struct timespec wait = { (time_t)(left / 1000000000u), (long)(left % 1000000000u) };

		desk_events(k);
		if (until && !left)
			return;
		if (ppoll(p, 2, until ? &wait : NULL, NULL) < 0 && errno != EINTR)
			die("poll");
		if (!until && p[1].revents)
			return;
	}
}

static const struct desk_step *step_of(const char *name)
{
	for (const struct desk_step *s = desk_steps; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

static void carry_out(struct desk *k, const char *line)
{
	char name[16] = "";
	int n = 1;
	double ms = 0;
	uint64_t first = 0, at = now_ns();
	const struct desk_step *s;

	sscanf(line, "%15s %d %lf", name, &n, &ms);
	s = step_of(name);
	if (!s || n < 1 || n > STEPS_MAX || !(ms >= 0 && ms <= MS_MAX))
		die("a line is NAME N MS, with a name of desk.c");
	for (int i = 0; i < n; i++) {
		s->take(k);
		first = first ? first : k->w.sent_ns;
		if (i == n - 1)
			break;
		at += (uint64_t)(ms * NS_PER_MS);
		attend(k, &at);
	}
	printf("done %" PRIu64 " %" PRIu64 "\n", first, k->w.sent_ns);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int32_t w = argc > 4 ? atoi(argv[3]) : 0, h = argc > 4 ? atoi(argv[4]) : 0;
	struct clip clip;
	struct desk k;
	char line[64];

	if (argc != 5 && argc != 7)
		die("usage: workload X Y WIDTH HEIGHT [CLIP_FD PHOTO_FD]");
	if (w < DESK_W_MIN || h < DESK_H_MIN || w > SCREEN_SIDE_MAX || h > SCREEN_SIDE_MAX)
		die("the window must have 720 x 480 pixels or more");
	if (!clip_open(&clip, argc == 7 ? atoi(argv[5]) : -1, argc == 7 ? atoi(argv[6]) : -1))
		die("the clip or the photo is not of the size that clip.h says");
	desk_open(&k, atoi(argv[1]), atoi(argv[2]), w, h, &clip);
	printf("ready %d %d\n", k.marker.x, k.marker.y);
	fflush(stdout);
	setvbuf(stdin, NULL, _IONBF, 0); /* poll() must see every line that waits */
	for (;;) {
		attend(&k, NULL);
		if (!fgets(line, sizeof(line), stdin))
			return 0;
		carry_out(&k, line);
	}
}
