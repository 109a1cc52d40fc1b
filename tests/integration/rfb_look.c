/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A source as a program: rfb_look, rdp_look or dbus_look, PATH|ADDRESS:PORT|DESCRIPTOR [GRANT]. A command a line on stdin (shot
 * FILE.ppm, key EVDEV 0|1, keysym NUMBER EVDEV 0|1, layout NAME, type TEXT, copy TEXT, move X Y BUTTONS, wheel DX DY,
 * size W H); on stdout a line for each event, and for each command when it is done.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/text.h"
#include "protocol/source/source.h"

#define LINE_MAX_BYTES 1024

static struct source *source;
static struct pixmap screen;
static uv_loop_t loop;

#define SAY(...) (printf(__VA_ARGS__), putchar('\n'), fflush(stdout))

static void on_surface(void *arg, const struct pixmap *p)
{
	screen = *p;
	SAY("surface %d %d", p->width, p->height);
	source_ready(source);
}

static void on_damage(void *arg, const struct rect *rects, size_t n)
{
	SAY("damage %zu %d %d %d %d", n, rects[0].x, rects[0].y, rects[0].w, rects[0].h);
	source_ready(source);
}

static void on_cursor(void *arg, const struct cursor_image *image)
{
	SAY("cursor %u %u", image->w, image->h);
}

static void on_clipboard(void *arg, const char *utf8, size_t len)
{
	SAY("clipboard %.*s", (int)len, utf8);
}

static void on_bell(void *arg)
{
	SAY("bell");
}

static void on_closed(void *arg, int code, const char *reason)
{
	SAY("closed %d %s", code, reason);
	uv_stop(&loop);
}

static const struct source_events events = {
	.surface = on_surface,
	.damage = on_damage,
	.cursor = on_cursor,
	.clipboard = on_clipboard,
	.bell = on_bell,
	.closed = on_closed,
};

static void shot(const char *path)
{
	FILE *f = fopen(path, "wb");

	if (!f)
		return;
	fprintf(f, "P6\n%d %d\n255\n", screen.width, screen.height);
	for (int32_t y = 0; y < screen.height; y++)
		for (int32_t x = 0; x < screen.width; x++) {
			uint32_t v = *pixmap_at(&screen, x, y);

			putc((int)(v >> 16 & 255), f);
			putc((int)(v >> 8 & 255), f);
			putc((int)(v & 255), f);
		}
	fclose(f);
}

static void act(char *line)
{
	struct input_event ev = { .kind = INPUT_KINDS };
	int a, b, c;

	if (!strncmp(line, "shot ", 5)) {
		shot(line + 5);
	} else if (sscanf(line, "key %d %d", &a, &b) == 2) {
		ev = (struct input_event){ .kind = INPUT_KEY, .key = { b != 0, 0, (uint16_t)a } };
	} else if (sscanf(line, "keysym %i %d %d", &a, &b, &c) == 3) {
		ev = (struct input_event){ .kind = INPUT_KEY, .key = { c != 0, (uint32_t)a, (uint16_t)b } };
	} else if (!strncmp(line, "layout ", 7)) {
		ev.kind = INPUT_LAYOUT;
		pst_strlcpy(ev.layout.name, sizeof(ev.layout.name), line + 7);
	} else if (!strncmp(line, "copy ", 5)) {
		source_clipboard(source, line + 5, strlen(line + 5));
	} else if (sscanf(line, "move %d %d %d", &a, &b, &c) == 3) {
		ev = (struct input_event){ .kind = INPUT_POINTER, .pointer = { a, b, (uint8_t)c } };
	} else if (!strncmp(line, "type ", 5)) {
		ev.kind = INPUT_TEXT;
		pst_strlcpy(ev.text.utf8, sizeof(ev.text.utf8), line + 5);
		ev.text.len = (uint16_t)strlen(ev.text.utf8);
	} else if (sscanf(line, "wheel %d %d", &a, &b) == 2) {
		ev = (struct input_event){ .kind = INPUT_WHEEL, .wheel = { (int16_t)a, (int16_t)b } };
	} else if (sscanf(line, "size %d %d", &a, &b) == 2) {
		SAY("asked %d", source_resize(source, a, b));
	}
	if (ev.kind != INPUT_KINDS)
		source_input(source, &ev);
	SAY("done");
}

static void on_stdin(uv_poll_t *poll, int status, int what)
{
	static char line[LINE_MAX_BYTES];
	static size_t len;
	ssize_t n = read(0, line + len, sizeof(line) - 1 - len);
	char *end;

	if (n <= 0) {
		uv_stop(&loop);
		return;
	}
	len += (size_t)n;
	line[len] = '\0';
	while ((end = strchr(line, '\n')) != NULL) {
		*end = '\0';
		act(line);
		len -= (size_t)(end + 1 - line);
		memmove(line, end + 1, len + 1);
	}
}

static int dial(char *where)
{
	struct sockaddr_un path = { .sun_family = AF_UNIX };
	struct sockaddr_in address = { .sin_family = AF_INET };
	char *port = strchr(where, ':');
	int fd;

	if (where[0] != '/' && !port)
		return where[0] >= '0' && where[0] <= '9' ? atoi(where) : -1;
	fd = socket(where[0] == '/' ? AF_UNIX : AF_INET, SOCK_STREAM, 0);
	pst_strlcpy(path.sun_path, sizeof(path.sun_path), where);
	if (where[0] == '/')
		return connect(fd, (struct sockaddr *)&path, sizeof(path)) == 0 ? fd : -1;
	*port = '\0';
	address.sin_port = htons((uint16_t)atoi(port + 1));
	return inet_pton(AF_INET, where, &address.sin_addr) == 1 &&
			       connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0
		       ? fd
		       : -1;
}

int main(int argc, char **argv)
{
	struct source_params p = { .loop = &loop, .grant = argc > 2 ? argv[2] : "" };
	struct pst_err err = PST_ERR_INIT;
	uv_poll_t input;

	setvbuf(stdout, NULL, _IOLBF, 0);
	source_prepare(source_find(LOOK_SOURCE));
	p.fd = argc > 1 ? dial(argv[1]) : -1;
	if (p.fd < 0) {
		fprintf(stderr, "nobody answers there\n");
		return 1;
	}
	uv_loop_init(&loop);
	source = source_open(source_find(LOOK_SOURCE), &p, &events, NULL, &err);
	if (!source) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	uv_poll_init(&loop, &input, 0);
	uv_poll_start(&input, UV_READABLE, on_stdin);
	uv_run(&loop, UV_RUN_DEFAULT);
	source_close(source, NULL);
	uv_close((uv_handle_t *)&input, NULL);
	pst_loop_drain(&loop);
	return 0;
}
