/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A whole desktop for the agent's tests: an Xvfb, the agent's own program, a broker that says yes, and a
 * viewer that uses the agent source as a worker does. Waiting is for events, with a deadline; everything ends
 * with desk_close.
 */
#pragma once

#include <X11/Xlib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <uv.h>

#include "base/ctl_server.h"
#include "protocol/source/agent.h"

#define DESK_UUID "6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d11"
#define DESK_WAIT_MS 10000

/* Prints where and ends the program with failure: a test of one long story has nothing to say after it. */
#define CHECK(cond)                                                                        \
	do {                                                                               \
		if (!(cond)) {                                                             \
			fprintf(stderr, "not ok: %s:%d: %s\n", __FILE__, __LINE__, #cond); \
			desk_abort();                                                      \
		}                                                                          \
	} while (0)

struct viewing {
	struct source *source;
	struct pixmap screen;
	struct cursor_image cursor;
	unsigned surfaces, damages, cursors, bells;
	struct rect damage; /* around all that came since it was cleared */
	char *text;         /* last clipboard, owned */
	size_t text_len;
	bool is_auto_ready, is_closed;
	int code;
	char reason[600];
};

struct desk {
	uv_loop_t loop;
	char dir[64], run[80], display[16];
	pid_t xvfb, agent;
	Display *dpy; /* a program's own connection to the desktop */
	struct pst_ctl_server *broker;
	struct pst_ctl *line; /* to the agent */
	char reports[4096];   /* "event event " in order */
	uint8_t key[32];
	unsigned enrolments, hellos;
	bool with_fbdir;
};

void desk_abort(void) __attribute__((noreturn));

/* Screen of 1600x1200 at first. with_fbdir: the agent gets Xvfb's own memory. */
void desk_open(struct desk *d, bool with_fbdir);
void desk_close(struct desk *d);
void desk_agent_start(struct desk *d);
void desk_agent_kill(struct desk *d, int sig);

/* Runs the loop until the condition holds, or fails the test after DESK_WAIT_MS. */
void desk_wait(struct desk *d, bool (*is_true)(void *arg), void *arg, const char *what);

/* Runs the loop for ms: only to see that something does not happen. */
void desk_quiet(struct desk *d, unsigned ms);

/* The text of a grant for this desktop. */
char *desk_grant(const struct desk *d, const char *user, unsigned long long epoch, long long expires_in_ms);
char *desk_grant_of(const uint8_t key[32], const char *desktop, const char *user, unsigned long long epoch,
	long long expires_in_ms, bool clipboard);

/* Opens a viewer (grant is freed) and, when wanted, waits for its first damage. */
void view_open(struct desk *d, struct viewing *v, char *grant, int32_t width, int32_t height, bool wait);
void view_close(struct viewing *v);
void view_wait_closed(struct desk *d, struct viewing *v);

void view_key(struct viewing *v, bool is_down, uint32_t keysym, uint16_t keycode);
void view_tap(struct viewing *v, uint32_t keysym, uint16_t keycode);
void view_text(struct viewing *v, const char *utf8);
void view_send(struct viewing *v, const struct input_event *ev);

/* Reports contain the word; words of the broker. */
void desk_wait_report(struct desk *d, const char *event);

/* Runs a shell command to its end and returns what it printed (owned); the loop runs meanwhile. */
char *desk_shell(struct desk *d, const char *command);
