/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks at a client's screen as its user does, and sends keys as the user does.
 *
 *   probe CLIENT SERVER [CLIP_FD]
 *
 * Both are X displays, or files of Xvfb's. Places are those of the server's screen. Each line of standard
 * input is answered by one line; times are nanoseconds of CLOCK_MONOTONIC.
 *
 *   find X Y W H          where on the client's screen this part is: "found DX DY ERROR", ERROR the mean
 *                         difference of brightness, or "none"
 *   point X Y             moves the client's pointer there: "pointed"; click X Y presses its button:
 * "clicked" keys N MS X Y         N times a key, MS after the answer to the last: "keys T:SEEN …", SEEN the
 * time at which the marker around X, Y had turned over on the client's screen, 0 after 3 s watch MS X Y the
 * numbered frames whose lower left corner is X, Y: "watched SEEN FIRST LAST LONGEST FREEZES PSNR SSIM":
 * frames, first and last number, the longest time without a new one in ms, how many of these were over 250
 * ms, and the likeness of every tenth or so to the clip's own frame after T MAX X Y W H   "after EXACT PSNR50
 * SSIM50 PSNR200 SSIM200 ERROR": when this part became equal to the server's, in ms after T, -1 if not within
 * MAX ms, its likeness 50 and 200 ms after T, and the share of pixels that differ in the end
 */
#include <X11/extensions/XTest.h>
#include <X11/keysym.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clip.h"
#include "likeness.h"
#include "look.h"

#define KEYS_MAX 1000
#define NS_PER_MS 1000000u
#define KEY_TIMEOUT_NS (3000u * (uint64_t)NS_PER_MS)
#define FREEZE_NS (250u * (uint64_t)NS_PER_MS)
#define LIKENESS_EVERY_NS (330u * (uint64_t)NS_PER_MS)

struct probe {
	struct look look;
	struct clip clip;
};

static void find(struct probe *p, const struct rect *r)
{
	double error = look_find(&p->look, r);

	if (error < 0)
		puts("none");
	else
		printf("found %d %d %.2f\n", p->look.dx, p->look.dy, error);
}

static void pause_ms(double ms)
{
	struct timespec t = { (time_t)(ms / 1000), (long)(ms * NS_PER_MS) % 1000000000 };

	nanosleep(&t, NULL);
}

/* Presses and releases a key; the time of the press, and when the marker has turned over. */
static void press(struct probe *p, unsigned key, int32_t x, int32_t y)
{
	bool was_dark = look_brightness(&p->look, x, y) < 128;
	uint64_t begin, end, seen = 0;

	look_await(&p->look, 0);
	begin = now_ns();
	end = begin + KEY_TIMEOUT_NS;
	XTestFakeKeyEvent(p->look.client.dpy, key, True, 0);
	XTestFakeKeyEvent(p->look.client.dpy, key, False, 0);
	XFlush(p->look.client.dpy);
	while (!seen && now_ns() < end) {
		look_await(&p->look, end);
		if ((look_brightness(&p->look, x, y) < 128) != was_dark)
			seen = now_ns();
	}
	printf(" %" PRIu64 ":%" PRIu64, begin, seen);
}

static void keys(struct probe *p, int n, double ms, int32_t x, int32_t y)
{
	unsigned key = XKeysymToKeycode(p->look.client.dpy, XK_a);

	printf("keys");
	for (int i = 0; i < n && i < KEYS_MAX; i++) {
		press(p, key, x, y);
		pause_ms(ms + i * 7 % 11); /* not in step with any clock of the client's */
	}
	puts("");
}

static int number_at(struct probe *p, int32_t x, int32_t y)
{
	struct rect r = { x, y - BAR_CELL / 2, BAR_CELLS * BAR_CELL, 1 };
	uint8_t cells[BAR_CELLS];

	if (!look_grab(&p->look, &r))
		return -1;
	for (int i = 0; i < BAR_CELLS; i++)
		cells[i] = (uint8_t)brightness(p->look.mine[i * BAR_CELL + BAR_CELL / 2]);
	return clip_number_of(cells);
}

static struct likeness frame_likeness(struct probe *p, int32_t x, int32_t y, int number)
{
	struct rect r = { x, y - CLIP_H, CLIP_W, CLIP_H - BAR_CELL };

	if (!look_grab(&p->look, &r))
		return (struct likeness){ 0 };
	return likeness_of(p->look.mine, r.w, clip_frame(&p->clip, number), CLIP_W, r.w, r.h);
}

static void watch(struct probe *p, double ms, int32_t x, int32_t y)
{
	uint64_t end = now_ns() + (uint64_t)(ms * NS_PER_MS), changed = 0, longest = 0, compared = now_ns();
	int seen = 0, first = -1, last = -1, freezes = 0, n = 0;
	struct likeness sum = { 0 };

	while (now_ns() < end) {
		int number = number_at(p, x, y);
		uint64_t now = now_ns();

		if (number >= 0 && number != last) {
			uint64_t gap = changed ? now - changed : 0;

			longest = gap > longest ? gap : longest;
			freezes += gap > FREEZE_NS;
			changed = now;
			first = first < 0 ? number : first;
			last = number;
			seen++;
		}
		if (number >= 0 && changed == now && p->clip.frames && now - compared > LIKENESS_EVERY_NS) {
			struct likeness l = frame_likeness(p, x, y, number);

			sum.psnr += l.psnr;
			sum.ssim += l.ssim;
			n++;
			compared = now;
		}
		look_await(&p->look, end);
	}
	printf("watched %d %d %d %.1f %d %.2f %.5f\n", seen, first, last, (double)longest / NS_PER_MS,
		freezes, n ? sum.psnr / n : 0, n ? sum.ssim / n : 0);
}

static void after(struct probe *p, uint64_t from, double max, const struct rect *r)
{
	const uint64_t marks[2] = { from + 50 * (uint64_t)NS_PER_MS, from + 200 * (uint64_t)NS_PER_MS };
	struct likeness l[2] = { { PSNR_SAME, 1 }, { PSNR_SAME, 1 } };
	uint64_t end = from + (uint64_t)(max * NS_PER_MS), exact = 0;
	long differ = 1;
	int next = 0;

	while (now_ns() < end && (!exact || next < 2)) {
		uint64_t now = now_ns();

		differ = look_differing(&p->look, r);
		exact = differ ? 0 : exact ? exact : now;
		if (next < 2 && now >= marks[next])
			l[next++] = likeness_of(p->look.mine, r->w, p->look.theirs, r->w, r->w, r->h);
		if (!exact || next < 2)
			look_await(&p->look, next < 2 && marks[next] < end ? marks[next] : end);
	}
	printf("after %.2f %.2f %.5f %.2f %.5f %.6f\n",
		exact ? ((double)exact - (double)from) / NS_PER_MS : -1, l[0].psnr, l[0].ssim, l[1].psnr,
		l[1].ssim, (double)differ / ((double)r->w * r->h));
}

static void answer(struct probe *p, const char *line)
{
	char word[16] = "";
	double a = 0, b = 0, c = 0, d = 0;
	uint64_t from = 0;
	struct rect r;

	if (sscanf(line, "after %" SCNu64 " %lf %d %d %d %d", &from, &a, &r.x, &r.y, &r.w, &r.h) == 6) {
		after(p, from, a, &r);
	} else if (sscanf(line, "%15s %lf %lf %lf %lf", word, &a, &b, &c, &d) < 1) {
		puts("unknown");
	} else if (!strcmp(word, "find")) {
		find(p, &(struct rect){ (int32_t)a, (int32_t)b, (int32_t)c, (int32_t)d });
	} else if (!strcmp(word, "point") || !strcmp(word, "click")) {
		look_point(&p->look, (int32_t)a, (int32_t)b, *word == 'c');
		puts(*word == 'c' ? "clicked" : "pointed");
	} else if (!strcmp(word, "keys")) {
		keys(p, (int)a, b, (int32_t)c, (int32_t)d);
	} else if (!strcmp(word, "watch")) {
		watch(p, a, (int32_t)b, (int32_t)c);
	} else {
		puts("unknown");
	}
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct probe p;
	char line[128];

	if (argc < 3 || !look_open(&p.look, argv[1], argv[2]) ||
		!clip_open(&p.clip, argc > 3 ? atoi(argv[3]) : -1, -1)) {
		fprintf(stderr, "probe: usage: probe CLIENT SERVER [CLIP_FD], see probe.c\n");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin))
		answer(&p, line);
	return 0;
}
