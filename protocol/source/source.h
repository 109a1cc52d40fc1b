/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A source: one desktop's screen, pointer shape, clipboard, and the way to its keyboard and mouse. The worker opens one; the agent
 * (display link), QEMU's D-Bus display, the lobby, the test pattern and VNC servers are entries of the registry. All calls and events are on one loop thread.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

#include "base/err.h"
#include "encoder/pixmap.h"
#include "protocol/link/cursor_image.h"
#include "protocol/link/input.h"
#include "protocol/source/page.h"

#define CLIPBOARD_TEXT_MAX (1024 * 1024) /* bytes of UTF-8 */

struct source;

/* Every event may come at any time after open, never from inside source_open. */
struct source_events {
	/* A screen, first or new size. The pixmap stays readable (and changes under the reader) until the next surface or closed. */
	void (*surface)(void *arg, const struct pixmap *screen);
	void (*damage)(void *arg, const struct rect *rects, size_t n);
	void (*cursor)(void *arg, const struct cursor_image *image);
	/* The desktop itself moved the pointer. */
	void (*pointer_moved)(void *arg, int32_t x, int32_t y);
	void (*clipboard)(void *arg, const char *utf8, size_t len);
	void (*bell)(void *arg);
	/* Of a source that shows pages: the reader took this entry of a choice, or -1: leaves the page. The source is not closed from inside. */
	void (*replied)(void *arg, int32_t entry);
	/* The end; nothing comes after it. code is PST_E… (0: the user logged off); reason is a sentence for people. */
	void (*closed)(void *arg, int code, const char *reason);
};

struct source_params {
	uv_loop_t *loop;
	int fd;            /* takes; display link, or -1 */
	bool is_remote;    /* the desktop is on another host: no memory can be shared, whatever fd is */
	bool is_seat;      /* the display link is of a process beside this one, not of an agent */
	bool is_shared;    /* of an RFB server: its other clients stay; else they go, as a newer viewer evicts an older one */
	const char *grant; /* borrowed for open; text for the agent; an RFB server's password */
	int32_t width, height; /* the viewer's wish, 0 for none */
};

struct source_type {
	const char *name;
	/* Once in a process, while it may still open files. */
	void (*prepare)(void);
	struct source *(*open)(const struct source_params *p, const struct source_events *ev, void *arg, struct pst_err *err);
	int (*input)(struct source *s, const struct input_event *ev);
	/* Asks for a screen size; the answer is a surface event, or none when it is not possible. */
	int (*resize)(struct source *s, int32_t width, int32_t height);
	int (*clipboard)(struct source *s, const char *utf8, size_t len);
	/* Damage taken so far has been used: the source may report the next. Without it a source holds damage back and merges it. */
	void (*ready)(struct source *s);
	/* The descriptor of the memory that the screen of the last surface event lies in, from its first byte on; borrowed until the next. */
	int (*screen_fd)(struct source *s);
	/* Shows a page in place of the last one, copied; only the lobby has it. */
	int (*page)(struct source *s, const struct page *p);
	/* Frees everything; no event follows. Optional reason goes to the other side. */
	void (*close)(struct source *s, const char *reason);
};

/* Embedded first in every source's own struct. */
struct source {
	const struct source_type *type;
};

/* Wrappers: check arguments (sizes, UTF-8, ceilings), default optional slots. Returns owned or NULL with err. */
struct source *source_open(const struct source_type *type, const struct source_params *p, const struct source_events *ev, void *arg,
			   struct pst_err *err);
void source_prepare(const struct source_type *type);
int source_input(struct source *s, const struct input_event *ev);
int source_resize(struct source *s, int32_t width, int32_t height);
int source_clipboard(struct source *s, const char *utf8, size_t len);
void source_ready(struct source *s);
int source_page(struct source *s, const struct page *p);
/* -1: its memory is its own. */
int source_screen_fd(struct source *s);
/* Accepts NULL. */
void source_close(struct source *s, const char *reason);

/* For sources: descriptors and pixels as they are cost nothing over a unix socket. */
bool source_fd_is_unix(int fd);

/* registry.c: by name ("agent", "dbus", "lobby", "pattern", "rfb"), or rdp/registry.c ("rdp"): NULL when this program has none such. */
const struct source_type *source_find(const char *name);
