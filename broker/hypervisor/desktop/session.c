/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The list of a desktop's services and the environment they share. */
#include "broker/hypervisor/desktop/session.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "broker/hypervisor/desktop/guest.h"
#include "broker/hypervisor/desktop/mounts.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define XAUTHORITY DESKTOP_X_DIR "/Xauthority"
#define SELF DESKTOP_LIBEXEC "/puesto-desktop"

static int env_add(struct session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int env_add(struct session *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	PRE(s->env_n + 1 < PST_ARRAY_LEN(s->env));
	va_start(ap, fmt);
	n = vasprintf(&s->env[s->env_n], fmt, ap);
	va_end(ap);
	if (n < 0) {
		s->env[s->env_n] = NULL;
		return PST_ENOMEM;
	}
	s->env_n++;
	return 0;
}

/*
 * The image may lack the locale's data: then C.UTF-8 with LANGUAGE still gives translated
 * programs and UTF-8 everywhere.
 */
static int locale_env(struct session *s, const struct launch *l)
{
	static const struct {
		const char *language, *locale;
	} countries[] = { { "es", "es_ES" }, { "en", "en_US" } };
	const char *full = l->locale;
	char name[64];
	locale_t loc;
	int rc;

	for (size_t i = 0; i < PST_ARRAY_LEN(countries); i++) {
		if (strcmp(full, countries[i].language) == 0)
			full = countries[i].locale;
	}
	snprintf(name, sizeof(name), "%s.UTF-8", full);
	loc = newlocale(LC_ALL_MASK, name, (locale_t)0);
	rc = env_add(s, "LANG=%s", loc ? name : "C.UTF-8");
	if (loc)
		freelocale(loc);
	if (rc < 0)
		return rc;
	return env_add(s, "LANGUAGE=%s:%.2s", full, full);
}

static int env_fill(struct session *s, const struct launch *l)
{
	static const char *const fixed[] = {
		"PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
		"HOME=" DESKTOP_HOME, "USER=user", "LOGNAME=user", "SHELL=/bin/bash",
		"XAUTHORITY=" XAUTHORITY, "PUESTO_FBDIR=" DESKTOP_X_DIR, "PUESTO_RUN=" DESKTOP_RUN,
		"XDG_SESSION_TYPE=x11", "XDG_CURRENT_DESKTOP=Puesto",
		"XDG_CONFIG_DIRS=/etc/xdg", "XDG_DATA_DIRS=/usr/local/share:/usr/share",
		/* No accelerated graphics and no accessibility bus: both only cost time here. */
		"LIBGL_ALWAYS_SOFTWARE=1", "XENVIRONMENT=/usr/share/puesto/Xresources",
		"GTK2_RC_FILES=/etc/gtk-2.0/gtkrc", "NO_AT_BRIDGE=1", "GTK_A11Y=none",
	};
	int rc = 0;

	for (size_t i = 0; i < PST_ARRAY_LEN(fixed) && rc == 0; i++)
		rc = env_add(s, "%s", fixed[i]);
	if (rc == 0)
		rc = env_add(s, "DISPLAY=%s", s->text[6]);
	if (rc == 0)
		rc = env_add(s, "XDG_RUNTIME_DIR=/run/user/%u", (unsigned)l->uid);
	if (rc == 0)
		rc = env_add(s, "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/%u/bus", (unsigned)l->uid);
	if (rc == 0 && l->gateway_uid != 0)
		rc = env_add(s, "PUESTO_GATEWAY_UIDS=%u", (unsigned)l->gateway_uid);
	if (rc == 0)
		rc = env_add(s, "PUESTO_LAYOUT=%s", l->layout);
	return rc == 0 ? locale_env(s, l) : rc;
}

static void service_add(struct session *s, const struct session_service *service)
{
	PRE(s->services_n < SESSION_SERVICES_MAX);
	s->services[s->services_n++] = *service;
}

static void base_services(struct session *s, const struct launch *l)
{
	char *screen = s->text[0], *bus = s->text[1], *mode = s->text[2], *layout = s->text[3];
	char *displayfd = s->text[4], *display = s->text[6];

	snprintf(screen, sizeof(s->text[0]), "%ux%ux24", l->max_width, l->max_height);
	snprintf(bus, sizeof(s->text[1]), "unix:path=/run/user/%u/bus", (unsigned)l->uid);
	snprintf(mode, sizeof(s->text[2]), "%ux%u", l->width, l->height);
	snprintf(layout, sizeof(s->text[3]), "%s", l->layout);
	snprintf(displayfd, sizeof(s->text[4]), "%d", SESSION_DISPLAYFD);
	service_add(s, &(struct session_service){ .name = "X server", .is_x = true, .stays = true,
		.argv = { "Xvfb", display, "-displayfd", displayfd, "-screen", "0", screen, "-fbdir",
			DESKTOP_X_DIR, "-auth", XAUTHORITY, "-noreset", "-nolisten", "tcp", "-nolisten",
			"local" } }); /* "local": the abstract socket, which would be seen outside */
	service_add(s, &(struct session_service){ .name = "message bus", .optional = true, .stays = true,
		.argv = { "dbus-daemon", "--session", "--nofork", "--nopidfile", "--nosyslog", "--address",
			bus } });
	service_add(s, &(struct session_service){ .name = "screen", .needs = SESSION_X,
		.gives = SESSION_SCREEN, .argv = { SELF, "--screen", mode } });
	service_add(s, &(struct session_service){ .name = "keyboard", .needs = SESSION_X,
		.gives = SESSION_KEYS, .optional = true, .argv = { "setxkbmap", "-layout", layout } });
}

/* The image may bring the window manager's configuration in the user's language. */
static void wm_add(struct session *s, const struct launch *l, unsigned needs)
{
	char *config = s->text[5];
	struct session_service wm = { .name = "window manager", .needs = needs,
		.argv = { "openbox", "--sm-disable" } };

	snprintf(config, sizeof(s->text[5]), "/usr/share/puesto/openbox-%.2s.xml", l->locale);
	if (access(config, R_OK) < 0)
		snprintf(config, sizeof(s->text[5]), "/usr/share/puesto/openbox-en.xml");
	if (access(config, R_OK) == 0) {
		wm.argv[2] = "--config-file";
		wm.argv[3] = config;
	}
	service_add(s, &wm);
}

/* A machine of its own may be painted before it is told who it is: the agent waits for that by itself, ready to go. */
static void agent_add(struct session *s, const struct launch *l, unsigned needs)
{
	struct session_service agent = { .name = "agent", .needs = needs | SESSION_KEYS, .stays = true,
		.argv = { DESKTOP_LIBEXEC "/puesto-agent" } };

	if (l->agent_conf) {
		agent.argv[1] = "--await";
		agent.argv[2] = l->agent_conf;
		service_add(s, &(struct session_service){ .name = "paint watch", .needs = needs | SESSION_WM,
			.gives = SESSION_PAINTED, .argv = { SELF, "--wait-painted", GUEST_PAINTED } });
	}
	service_add(s, &agent);
}

static void user_services(struct session *s, const struct launch *l)
{
	const unsigned ready = SESSION_X | SESSION_SCREEN;

	agent_add(s, l, ready);
	wm_add(s, l, ready);
	service_add(s, &(struct session_service){ .name = "window manager watch", .needs = ready,
		.gives = SESSION_WM, .argv = { SELF, "--wait-wm" } });
	service_add(s, &(struct session_service){ .name = "files", .needs = ready | SESSION_WM,
		.optional = true, .argv = { "pcmanfm", "--desktop", "--profile", "puesto" } });
	service_add(s, &(struct session_service){ .name = "panel", .needs = ready | SESSION_WM,
		.optional = true, .argv = { "tint2" } });
}

int session_init(struct session *s, const struct launch *l, unsigned display, struct pst_err *err)
{
	memset(s, 0, sizeof(*s));
	snprintf(s->text[6], sizeof(s->text[6]), ":%u", display);
	base_services(s, l);
	user_services(s, l);
	if (env_fill(s, l) < 0) {
		session_finish(s);
		return pst_err_set(err, PST_ENOMEM, "no memory for the environment");
	}
	return 0;
}

void session_finish(struct session *s)
{
	for (size_t i = 0; i < s->env_n; i++)
		free(s->env[i]);
	s->env_n = 0;
}

int session_cookie(struct pst_err *err)
{
	static const char name[] = "MIT-MAGIC-COOKIE-1";
	uint8_t cookie[16];
	struct pst_buf b;
	int rc;

	pst_random(cookie, sizeof(cookie));
	pst_buf_init(&b, 128);
	pst_buf_put_be16(&b, 0xffff); /* FamilyWild: any address, any display */
	pst_buf_put_be16(&b, 0);
	pst_buf_put_be16(&b, 0);
	pst_buf_put_be16(&b, sizeof(name) - 1);
	pst_buf_append(&b, name, sizeof(name) - 1);
	pst_buf_put_be16(&b, sizeof(cookie));
	pst_buf_append(&b, cookie, sizeof(cookie));
	rc = b.failed ? pst_err_set(err, PST_ENOMEM, "no memory for the X cookie") :
		pst_file_write(XAUTHORITY, b.data, b.len, 0600, err);
	pst_buf_finish(&b);
	return rc;
}
