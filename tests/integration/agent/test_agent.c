/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The agent's whole story against a real X server: each function of `stories` is one test on one desktop. */
/* Covers: agent/agent.c agent/broker.c agent/door.c agent/notice.c agent/occupancy.c agent/orders.c
 * agent/resize.c */
/* Covers: agent/session.c agent/tiles.c agent/viewer.c agent/x11.c agent/inject/inject.c
 * agent/inject/keyboard.c */
/* Covers: agent/capture/capture.c agent/capture/fbdir.c agent/capture/shm.c agent/capture/store.c */
/* Covers: agent/clipboard/atoms.c agent/clipboard/clipboard.c agent/clipboard/fetch.c agent/clipboard/offer.c
 */
/* Covers: protocol/source/agent.c */
#include <X11/Xatom.h>
#include <X11/Xutil.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tests/integration/agent/stories.h"

unsigned long long stories_epoch = 1;

static void paint(struct desk *d, int x, int y, unsigned w, unsigned h, unsigned long color)
{
	GC gc = XCreateGC(d->dpy, DefaultRootWindow(d->dpy), 0, NULL);

	XSetSubwindowMode(d->dpy, gc, IncludeInferiors);
	XSetForeground(d->dpy, gc, color);
	XFillRectangle(d->dpy, DefaultRootWindow(d->dpy), gc, x, y, w, h);
	XFreeGC(d->dpy, gc);
	XFlush(d->dpy);
}

/* Every pixel of the shared surface against what any X program can read of the screen. */
static bool screens_are_equal(struct desk *d, const struct viewing *v)
{
	Window root = DefaultRootWindow(d->dpy);
	XWindowAttributes a;
	bool is_equal = true;

	XGetWindowAttributes(d->dpy, root, &a);
	if (a.width != v->screen.width || a.height != v->screen.height)
		return false;
	XImage *image =
		XGetImage(d->dpy, root, 0, 0, (unsigned)a.width, (unsigned)a.height, AllPlanes, ZPixmap);
	CHECK(image && image->bits_per_pixel == 32);
	for (int y = 0; y < a.height && is_equal; y++) {
		const uint32_t *want =
			(const uint32_t *)(const void *)(image->data +
							 (size_t)y * (size_t)image->bytes_per_line);
		const uint32_t *have = pixmap_at(&v->screen, 0, y);
		for (int x = 0; x < a.width && is_equal; x++)
			is_equal = ((want[x] ^ have[x]) & 0xffffff) == 0;
	}
	XDestroyImage(image);
	return is_equal;
}

struct pair {
	struct desk *d;
	struct viewing *v;
	unsigned n;
	int w, h;
};

static bool are_equal(void *arg)
{
	struct pair *p = arg;

	return screens_are_equal(p->d, p->v);
}

static bool has_size(void *arg)
{
	struct pair *p = arg;

	return p->v->screen.width == p->w && p->v->screen.height == p->h;
}

static void viewer_sees_every_pixel(struct desk *d)
{
	struct viewing v;
	struct pair p = { d, &v, 0, 0, 0 };

	paint(d, 0, 0, 1600, 1200, 0x336699);
	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	CHECK(v.surfaces == 1 && v.screen.width == 1600 && v.screen.height == 1200);
	for (int i = 0; i < 40; i++)
		paint(d, 37 * i % 1500, 53 * i % 1100, 30 + (unsigned)i, 20, 0x10203u * (unsigned)i);
	desk_wait(d, are_equal, &p, "equal pixels");
	CHECK(v.cursors > 0 && v.cursor.w > 0);
	view_close(&v);
}

static bool covers(void *arg)
{
	struct pair *p = arg;
	struct rect want = { 700, 500, 64, 32 };

	return rect_contains(&p->v->damage, &want);
}

/* Without READY one report comes and no other; with it, what was painted meanwhile comes at once. */
static void damage_waits_for_ready(struct desk *d)
{
	struct viewing v;
	struct pair p = { d, &v, 0, 0, 0 };

	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	desk_quiet(d, 100);
	v.is_auto_ready = false;
	paint(d, 10, 10, 5, 5, 0xff0000);
	desk_quiet(d, 100);
	unsigned before = v.damages;
	paint(d, 700, 500, 64, 32, 0x00ff00);
	desk_quiet(d, 100);
	CHECK(v.damages == before);
	memset(&v.damage, 0, sizeof(v.damage));
	v.is_auto_ready = true;
	source_agent.ready(v.source);
	desk_wait(d, covers, &p, "the held-back damage");
	CHECK(v.damage.w < 200 && v.damage.h < 200);
	view_close(&v);
}

static void screen_takes_odd_sizes(struct desk *d)
{
	static const int sizes[][2] = { { 1001, 701 }, { 640, 480 }, { 1599, 1199 }, { 1280, 720 },
		{ 333, 1111 } };
	struct viewing v;

	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 1024, 768, true);
	CHECK(v.screen.width == 1024 && v.screen.height == 768);
	for (size_t i = 0; i < PST_ARRAY_LEN(sizes); i++) {
		struct pair p = { d, &v, 0, sizes[i][0], sizes[i][1] };
		CHECK(source_agent.resize(v.source, p.w, p.h) == 0);
		desk_wait(d, has_size, &p, "the new size");
		paint(d, 0, 0, 2000, 2000, 0x404000u + (unsigned)i);
		paint(d, p.w - 9, p.h - 9, 9, 9, 0xffffff);
		desk_wait(d, are_equal, &p, "equal pixels after a resize");
	}
	struct pair huge = { d, &v, 0, 1600, 1200 };
	CHECK(source_agent.resize(v.source, 8000, 8000) == 0);
	desk_wait(d, has_size, &huge, "the largest size");
	desk_wait(d, are_equal, &huge, "equal pixels");
	view_close(&v);
}

struct resource {
	struct desk *d;
	const char *want;
};

/* Read by a connection of its own, as a program that starts. */
static bool has_resource(void *arg)
{
	struct resource *r = arg;
	Display *dpy = XOpenDisplay(r->d->display);
	const char *all = dpy ? XResourceManagerString(dpy) : NULL;
	bool is_there = all && strstr(all, r->want);

	if (dpy)
		XCloseDisplay(dpy);
	return is_there;
}

static void scale_reaches_programs_that_start(struct desk *d)
{
	static const struct {
		uint16_t pct;
		const char *want;
	} cases[] = { { 150, "Xft.dpi:\t144\n" }, { 200, "Xft.dpi:\t192\n" }, { 100, "Xft.dpi:\t96\n" } };
	struct viewing v;

	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 1024, 768, true);
	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct input_event ev = { .kind = INPUT_SCALE, .scale_pct = cases[i].pct };
		struct resource r = { d, cases[i].want };
		CHECK(source_agent.input(v.source, &ev) == 0);
		desk_wait(d, has_resource, &r, "the scale among the resources");
	}
	view_close(&v);
}

static bool has_text(void *arg)
{
	struct viewing *v = arg;

	return v->text != NULL;
}

static void clipboard_travels_both_ways(struct desk *d)
{
	static const char small[] = "ñ á € 中 from the viewer";
	struct viewing v;
	char *got, command[256];
	size_t big = 700 * 1000;
	char *text = calloc(1, big + 1);

	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	CHECK(source_agent.clipboard(v.source, small, strlen(small)) == 0);
	desk_quiet(d, 100);
	got = desk_shell(d, "timeout 5 xclip -o -selection clipboard");
	CHECK(strcmp(got, small) == 0);
	free(got);
	got = desk_shell(d, "timeout 5 xclip -o -selection primary");
	CHECK(strcmp(got, small) == 0);
	free(got);

	for (size_t i = 0; i < big; i++)
		text[i] = (char)('a' + i % 23);
	CHECK(source_agent.clipboard(v.source, text, big) == 0);
	desk_quiet(d, 200);
	got = desk_shell(d, "timeout 8 xclip -o -selection clipboard");
	CHECK(strlen(got) == big && strcmp(got, text) == 0);
	free(got);
	CHECK(v.text == NULL); /* our own text must not come back */

	free(desk_shell(d, "printf 'copied: \\303\\261 \\342\\202\\254' | xclip -i -selection clipboard "
			   ">/dev/null 2>&1"));
	desk_wait(d, has_text, &v, "the desktop's text");
	CHECK(strcmp(v.text, "copied: ñ €") == 0);
	free(v.text);
	v.text = NULL;
	snprintf(command, sizeof(command),
		"head -c %zu /dev/zero | tr '\\0' q | xclip -i -selection clipboard >/dev/null 2>&1", big);
	free(desk_shell(d, command));
	desk_wait(d, has_text, &v, "the desktop's long text");
	CHECK(v.text_len == big && v.text[0] == 'q' && v.text[big - 1] == 'q');
	view_close(&v);

	/* A policy without the clipboard passes nothing either way. */
	view_open(d, &v, desk_grant_of(d->key, DESK_UUID, "ana", stories_epoch++, 60000, false), 0, 0, true);
	CHECK(source_agent.clipboard(v.source, small, strlen(small)) == 0);
	desk_quiet(d, 150);
	got = desk_shell(d, "timeout 8 xclip -o -selection clipboard");
	CHECK(strlen(got) == big);
	free(got);
	free(desk_shell(d, "printf secret | xclip -i -selection clipboard >/dev/null 2>&1"));
	desk_quiet(d, 150);
	CHECK(v.text == NULL);
	view_close(&v);
	free(text);
}

static void bad_grants_are_refused(struct desk *d)
{
	uint8_t other_key[32] = { 1, 2, 3 };
	struct viewing v;
	struct {
		char *grant;
		int code;
	} cases[] = {
		{ strdup(""), PST_EAUTH },
		{ strdup("x.y"), PST_EAUTH },
		{ desk_grant_of(other_key, DESK_UUID, "ana", stories_epoch + 10, 60000, true), PST_EAUTH },
		{ desk_grant_of(d->key, "6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d12", "ana", stories_epoch + 10,
			  60000, true),
			PST_EDENIED },
		{ desk_grant(d, "ana", stories_epoch + 10, -1), PST_EDENIED },
		{ desk_grant(d, "ana", stories_epoch - 1, 60000), PST_EDENIED },
		{ desk_grant(d, "eva", stories_epoch + 10, 60000), PST_ECONFLICT },
	};

	for (size_t i = 1; i < PST_ARRAY_LEN(cases); i++) {
		view_open(d, &v, cases[i].grant, 0, 0, false);
		view_wait_closed(d, &v);
		if (v.code != cases[i].code)
			fprintf(stderr, "case %zu: %d %s\n", i, v.code, v.reason);
		CHECK(v.code == cases[i].code && v.surfaces == 0 && strlen(v.reason) > 10);
		view_close(&v);
	}
	free(cases[0].grant);
}

static void newer_client_takes_over(struct desk *d)
{
	struct viewing old, new;

	view_open(d, &old, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	view_open(d, &new, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	view_wait_closed(d, &old);
	CHECK(old.code == PST_ECONFLICT && strstr(old.reason, "moved to another client"));
	CHECK(!new.is_closed);
	view_close(&old);
	view_close(&new);
}

static bool is_greeted_again(void *arg)
{
	struct pair *p = arg;

	return p->d->hellos > p->n;
}

static void agent_and_broker_may_die(struct desk *d)
{
	struct viewing v;
	struct pair p = { d, &v, d->hellos, 0, 0 };

	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	pst_ctl_close(d->line); /* the broker restarts: the stream goes on */
	d->line = NULL;
	desk_wait(d, is_greeted_again, &p, "another hello");
	CHECK(!v.is_closed);
	paint(d, 3, 3, 50, 50, 0x123456);
	desk_wait(d, are_equal, &p, "equal pixels");

	p.n = d->hellos;
	desk_agent_kill(d, SIGKILL);
	view_wait_closed(d, &v);
	view_close(&v);
	desk_agent_start(d);
	desk_wait(d, is_greeted_again, &p, "a hello of the new agent");
	CHECK(d->enrolments == 1);
	view_open(d, &v, desk_grant(d, "ana", stories_epoch - 1, 60000), 0, 0,
		false); /* used before: known from disk */
	view_wait_closed(d, &v);
	CHECK(v.code == PST_EDENIED);
	view_close(&v);
	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	view_close(&v);
}

static void logoff_frees_the_desktop(struct desk *d)
{
	struct viewing v;
	char command[512];
	const char *program = getenv("PUESTO_AGENT");

	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	d->reports[0] = 0;
	snprintf(command, sizeof(command), "PUESTO_RUN=%s %s --logoff", d->run,
		program ? program : "./puesto-agent");
	free(desk_shell(d, command));
	view_wait_closed(d, &v);
	CHECK(v.code == PST_OK && strstr(v.reason, "logged off"));
	desk_wait_report(d, "logoff");
	view_close(&v);
	view_open(d, &v, desk_grant(d, "eva", stories_epoch++, 60000), 0, 0, true);
	desk_wait_report(d, "logon occupied");
	CHECK(pst_ctl_send(d->line, json_pack("{s:s, s:s}", "op", "message", "text",
					    "Maintenance in 5 minutes: ñ €")) == 0);
	v.damages = 0;
	for (int i = 0; i < 400 && v.damages == 0; i++)
		desk_quiet(d, 5);
	CHECK(v.damages > 0);
	CHECK(pst_ctl_send(d->line,
		      json_pack("{s:s, s:s}", "op", "logoff", "reason_en", "the pool is closing")) == 0);
	view_wait_closed(d, &v);
	CHECK(v.code == PST_OK && strcmp(v.reason, "the pool is closing") == 0);
	view_close(&v);
}

static void pixels_travel_as_bytes(struct desk *d)
{
	struct viewing v;
	struct pair p = { d, &v, 0, 901, 677 };

	setenv("PUESTO_LINK_PIXELS", "1", 1);
	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 901, 677, true);
	for (int i = 0; i < 60; i++)
		paint(d, 41 * i % 880, 59 * i % 650, 90, 70, 0x31415u * (unsigned)i);
	desk_wait(d, has_size, &p, "the size");
	desk_wait(d, are_equal, &p, "equal pixels over bytes");
	view_close(&v);
	unsetenv("PUESTO_LINK_PIXELS");
}

static long switches(pid_t pid)
{
	char path[64], line[256];
	long n = -1;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "r");
	CHECK(f);
	while (fgets(line, sizeof(line), f))
		sscanf(line, "voluntary_ctxt_switches: %ld", &n);
	fclose(f);
	CHECK(n >= 0);
	return n;
}

/* Watched and still, watched by a viewer that is not ready, and busy but unwatched: the agent sleeps. */
static void idle_desktop_wakes_nobody(struct desk *d)
{
	struct viewing v;

	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	desk_quiet(d, 300);
	long before = switches(d->agent);
	desk_quiet(d, 1000);
	CHECK(switches(d->agent) - before <= 2);
	v.is_auto_ready = false;
	paint(d, 1, 1, 9, 9, 0x111111);
	desk_quiet(d, 200);
	paint(d, 1, 1, 9, 9, 0x222222);
	desk_quiet(d, 200);
	before = switches(d->agent);
	for (int i = 0; i < 50; i++) {
		paint(d, 1, 1, 9, 9, 0x10101u * (unsigned)i);
		desk_quiet(d, 10);
	}
	CHECK(switches(d->agent) - before <= 2);
	view_close(&v);
	desk_quiet(d, 200);
	before = switches(d->agent);
	for (int i = 0; i < 50; i++) {
		paint(d, 1, 1, 9, 9, 0x10101u * (unsigned)i);
		desk_quiet(d, 10);
	}
	CHECK(switches(d->agent) - before <= 2);
}

static const struct {
	const char *name;
	void (*run)(struct desk *d);
	bool also_shm;
} stories[] = {
	{ "viewer sees every pixel", viewer_sees_every_pixel, true },
	{ "damage waits for ready", damage_waits_for_ready, true },
	{ "screen takes odd sizes", screen_takes_odd_sizes, true },
	{ "scale reaches programs that start", scale_reaches_programs_that_start, true },
	{ "pixels travel as bytes", pixels_travel_as_bytes, true },
	{ "idle desktop wakes nobody", idle_desktop_wakes_nobody, true },
	{ "xterm gets every letter", xterm_gets_every_letter, false },
	{ "keys arrive right in every layout", keys_arrive_right_in_every_layout, false },
	{ "held modifiers do not spoil keysyms", held_modifiers_do_not_spoil_keysyms, false },
	{ "repeats come from the viewer alone", repeats_come_from_the_viewer_alone, false },
	{ "layout of the viewer makes codes keys", layout_of_the_viewer_makes_codes_keys, false },
	{ "nothing stays down", nothing_stays_down, false },
	{ "wheel counts notches", wheel_counts_notches, false },
	{ "clipboard travels both ways", clipboard_travels_both_ways, false },
	{ "bad grants are refused", bad_grants_are_refused, false },
	{ "newer client takes over", newer_client_takes_over, false },
	{ "agent and broker may die", agent_and_broker_may_die, false },
	{ "log-off frees the desktop", logoff_frees_the_desktop, false },
};

static void run_all(bool with_fbdir, const char *only)
{
	static struct desk d;

	stories_epoch = 1;
	desk_open(&d, with_fbdir);
	for (size_t i = 0; i < PST_ARRAY_LEN(stories); i++) {
		if ((!with_fbdir && !stories[i].also_shm) || (only && !strstr(stories[i].name, only)))
			continue;
		stories[i].run(&d);
		printf("ok: %s (%s)\n", stories[i].name, with_fbdir ? "fbdir" : "shm");
		fflush(stdout);
	}
	desk_close(&d);
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	run_all(true, argc > 1 ? argv[1] : NULL);
	run_all(false, argc > 1 ? argv[1] : NULL);
	return 0;
}
