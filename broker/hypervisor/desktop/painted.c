/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Drawing is told by DAMAGE, files by inotify. */
#include "broker/hypervisor/desktop/painted.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"

#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <X11/extensions/Xdamage.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define WINDOWS_WAIT_MS 20000
#define IDLE_WAIT_MS 60000
#define QUIET_MS 700
#define IDLE_PERCENT 80
#define FILE_MANAGER "/usr/bin/pcmanfm"

/* The panel's, and that of the desktop's icons. */
static bool windows_are_there(Display *dpy, Atom clients)
{
	const unsigned long wanted = access(FILE_MANAGER, X_OK) == 0 ? 2 : 1;
	unsigned char *data = NULL;
	unsigned long n = 0, left;
	int format;
	Atom type;

	if (XGetWindowProperty(dpy, DefaultRootWindow(dpy), clients, 0, 64, False, XA_WINDOW, &type, &format,
		    &n, &left, &data) != Success)
		return false;
	if (data)
		XFree(data);
	return n >= wanted;
}

/* Takes what has come; was anything drawn? */
static bool events_take(Display *dpy, int damage_event)
{
	bool is_drawn = false;
	XEvent event;

	while (XPending(dpy) > 0) {
		XNextEvent(dpy, &event);
		if (event.type == damage_event) {
			XDamageSubtract(dpy, ((XDamageNotifyEvent *)&event)->damage, None, None);
			is_drawn = true;
		}
	}
	return is_drawn;
}

struct share {
	uint64_t idle, all;
};

/* Have the processors had little to do since the last call? A program may compute for long between two
 * strokes. */
static bool is_idle(struct share *last)
{
	unsigned long long t[8] = { 0 };
	FILE *f = fopen("/proc/stat", "re");
	bool is_read = f && fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2],
				    &t[3], &t[4], &t[5], &t[6], &t[7]) == 8;
	struct share now = { .idle = t[3] + t[4] };

	if (f)
		fclose(f);
	for (size_t i = 0; i < 8; i++)
		now.all += t[i];
	uint64_t idle = now.idle - last->idle, all = now.all - last->all;
	*last = now;
	return !is_read || (all > 0 && idle * 100 >= all * IDLE_PERCENT);
}

static void quiet_wait(Display *dpy, int damage_event)
{
	const Atom clients = XInternAtom(dpy, "_NET_CLIENT_LIST", False);
	const uint64_t began = pst_mono_ms();
	struct pollfd fd = { .fd = ConnectionNumber(dpy), .events = POLLIN };
	uint64_t drawn = began, looked = began;
	struct share share = { 0 };
	bool was_idle = false;

	for (;;) {
		uint64_t now = pst_mono_ms();
		if (events_take(dpy, damage_event))
			drawn = now;
		if (now - looked >= QUIET_MS) {
			was_idle = is_idle(&share);
			looked = now;
		}
		bool is_shown = now - began >= WINDOWS_WAIT_MS || windows_are_there(dpy, clients);
		if (now - drawn >= QUIET_MS && is_shown && (was_idle || now - began >= IDLE_WAIT_MS))
			return;
		if (XPending(dpy) == 0)
			(void)poll(&fd, 1, QUIET_MS / 2);
	}
}

int painted_wait(const char *path)
{
	Display *dpy = XOpenDisplay(NULL);
	struct pst_err err = PST_ERR_INIT;
	int event_base, error_base;

	if (!dpy || !XDamageQueryExtension(dpy, &event_base, &error_base))
		return 1;
	XDamageCreate(dpy, DefaultRootWindow(dpy), XDamageReportNonEmpty);
	quiet_wait(dpy, event_base + XDamageNotify);
	XCloseDisplay(dpy);
	if (pst_file_write(path, "", 0, 0644, &err) == 0)
		return 0;
	fprintf(stderr, "%s\n", err.text);
	return 1;
}

int file_wait(const char *path)
{
	char folder[PATH_MAX], events[4096];
	const char *slash = strrchr(path, '/');
	int fd = inotify_init1(IN_CLOEXEC);

	if (!slash || (size_t)(slash - path) >= sizeof(folder))
		return 2;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	if (fd < 0 || inotify_add_watch(fd, folder, IN_CREATE | IN_MOVED_TO) < 0) {
		perror(folder);
		return 1;
	}
	while (access(path, F_OK) < 0) {
		if (read(fd, events, sizeof(events)) < 0)
			return 1;
	}
	close(fd);
	return 0;
}
