/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The D-Bus source before a QEMU of ours, in the same thread: what it asks for, what it shows, and what becomes of
 * it when the other side lies, ends or comes again. Before a real one: tests/integration/test_dbus_source.py.
 * Covers: protocol/source/dbus/dbus.c protocol/source/dbus/listener.c protocol/source/dbus/peer.c
 */
#include "protocol/source/dbus/dbus.h"

#include <criterion/criterion.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/unixsock.h"

#define XRGB 0x20020888u
#define PATH "/org/qemu/Display1/Console_0"
#define LISTENER "/org/qemu/Display1/Listener"
#define WAIT_MS 5000

/* The one and the other side of a test. */
struct scene {
	uv_loop_t loop;
	struct source *source;
	sd_bus *console, *listener; /* QEMU's */
	int listeners;              /* that registered */
	int answers, refusals;      /* to what was called */
	int64_t is_absolute;
	char heard[512]; /* calls of the viewer's */
	struct pixmap screen;
	int surfaces, damages, cursors;
	struct rect rect;
	int closed;
	char reason[256];
};

static void heard(struct scene *s, const char *word, int a, int b)
{
	size_t n = strlen(s->heard);

	snprintf(s->heard + n, sizeof(s->heard) - n, "%s %d %d;", word, a, b);
}

static void on_surface(void *arg, const struct pixmap *p)
{
	struct scene *s = arg;

	s->screen = *p;
	s->surfaces++;
}

static void on_damage(void *arg, const struct rect *rects, size_t n)
{
	struct scene *s = arg;

	s->rect = rects[0];
	s->damages++;
}

static void on_cursor(void *arg, const struct cursor_image *image)
{
	((struct scene *)arg)->cursors += image->w;
}

static void on_closed(void *arg, int code, const char *reason)
{
	struct scene *s = arg;

	s->closed = code;
	snprintf(s->reason, sizeof(s->reason), "%s", reason);
}

static const struct source_events events = { .surface = on_surface, .damage = on_damage, .cursor = on_cursor, .closed = on_closed };

static sd_bus *server(int fd)
{
	sd_bus *bus = NULL;
	sd_id128_t id;

	cr_assert_geq(sd_id128_randomize(&id), 0);
	cr_assert_geq(sd_bus_new(&bus), 0);
	cr_assert_geq(sd_bus_set_fd(bus, fd, fd), 0);
	cr_assert_geq(sd_bus_set_server(bus, 1, id), 0);
	cr_assert_geq(sd_bus_start(bus), 0);
	return bus;
}

static int on_register(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct scene *s = arg;
	int fd;

	cr_assert_geq(sd_bus_message_read(m, "h", &fd), 0);
	s->listener = server(dup(fd));
	s->listeners++;
	return sd_bus_reply_method_return(m, NULL);
}

static int on_size(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	uint16_t mm[2];
	uint32_t w, h;
	int32_t off[2];

	cr_assert_geq(sd_bus_message_read(m, "qqiiuu", &mm[0], &mm[1], &off[0], &off[1], &w, &h), 0);
	heard(arg, "size", (int)w, (int)h);
	return sd_bus_reply_method_return(m, NULL);
}

static int on_code(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	uint32_t code;

	cr_assert_geq(sd_bus_message_read(m, "u", &code), 0);
	heard(arg, sd_bus_message_get_member(m), (int)code, 0);
	return sd_bus_reply_method_return(m, NULL);
}

static int on_place(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	uint32_t x, y;

	cr_assert_geq(sd_bus_message_read(m, sd_bus_message_get_signature(m, 1), &x, &y), 0);
	heard(arg, sd_bus_message_get_member(m), (int)x, (int)y);
	return sd_bus_reply_method_return(m, NULL);
}

static int absolute_get(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply, void *arg, sd_bus_error *e)
{
	return sd_bus_message_append(reply, "b", (int)((struct scene *)arg)->is_absolute);
}

static const sd_bus_vtable console[] = { SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("RegisterListener", "h", "", on_register, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("SetUIInfo", "qqiiuu", "", on_size, SD_BUS_VTABLE_UNPRIVILEGED), SD_BUS_VTABLE_END };
static const sd_bus_vtable keyboard[] = { SD_BUS_VTABLE_START(0), SD_BUS_METHOD("Press", "u", "", on_code, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Release", "u", "", on_code, SD_BUS_VTABLE_UNPRIVILEGED), SD_BUS_VTABLE_END };
static const sd_bus_vtable mouse[] = { SD_BUS_VTABLE_START(0), SD_BUS_METHOD("SetAbsPosition", "uu", "", on_place, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("RelMotion", "ii", "", on_place, SD_BUS_VTABLE_UNPRIVILEGED), SD_BUS_METHOD("Press", "u", "", on_code, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("IsAbsolute", "b", absolute_get, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE), SD_BUS_VTABLE_END };

/* Both sides, until it is so. */
#define UNTIL(s, what)                                                                                                                                        \
	do {                                                                                                                                                  \
		uint64_t end_ = pst_mono_ms() + WAIT_MS;                                                                                                      \
		while (!(what)) {                                                                                                                             \
			cr_assert_lt(pst_mono_ms(), end_, "it did not come to pass: %s (%s)", #what, (s)->reason);                                            \
			turn(s);                                                                                                                              \
		}                                                                                                                                             \
	} while (0)

static void turn(struct scene *s)
{
	uv_run(&s->loop, UV_RUN_NOWAIT);
	if (s->console)
		while (sd_bus_process(s->console, NULL) > 0)
			;
	if (s->listener)
		while (sd_bus_process(s->listener, NULL) > 0)
			;
}

static void scene_open(struct scene *s)
{
	struct pst_err err = PST_ERR_INIT;
	struct source_params p = { .loop = &s->loop, .grant = "" };
	int pair[2];

	*s = (struct scene){ .is_absolute = 1 };
	uv_loop_init(&s->loop);
	cr_assert_eq(pst_unix_pair(pair, &err), 0);
	s->console = server(pair[0]);
	cr_assert_geq(sd_bus_add_object_vtable(s->console, NULL, PATH, "org.qemu.Display1.Console", console, s), 0);
	cr_assert_geq(sd_bus_add_object_vtable(s->console, NULL, PATH, "org.qemu.Display1.Keyboard", keyboard, s), 0);
	cr_assert_geq(sd_bus_add_object_vtable(s->console, NULL, PATH, "org.qemu.Display1.Mouse", mouse, s), 0);
	p.fd = pair[1];
	s->source = source_open(source_find("dbus"), &p, &events, s, &err);
	cr_assert(s->source, "%s", err.text);
}

static void listener_end(struct scene *s)
{
	sd_bus_close(s->listener);
	sd_bus_unref(s->listener);
	s->listener = NULL;
}

static void scene_close(struct scene *s)
{
	source_close(s->source, NULL);
	for (int i = 0; i < 20; i++)
		turn(s);
	sd_bus_close(s->console);
	sd_bus_unref(s->console);
	if (s->listener)
		listener_end(s);
	pst_loop_drain(&s->loop);
}

static int on_answer(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct scene *s = arg;

	s->answers++;
	s->refusals += sd_bus_message_is_method_error(m, NULL);
	return 0;
}

/* A picture, or with is_part a part of one, of w × h pixels of one colour; the bytes are short of it by lacking. */
static void show(struct scene *s, bool is_part, int32_t x, int32_t y, uint32_t w, uint32_t h, uint32_t colour, size_t lacking)
{
	uint32_t *pixels = pst_zalloc((size_t)w * h, 4);
	sd_bus_message *m = NULL;

	for (size_t i = 0; i < (size_t)w * h; i++)
		pixels[i] = colour;
	cr_assert_geq(sd_bus_message_new_method_call(s->listener, &m, NULL, LISTENER, "org.qemu.Display1.Listener", is_part ? "Update" : "Scanout"), 0);
	if (is_part)
		cr_assert_geq(sd_bus_message_append(m, "iiii", x, y, (int32_t)w, (int32_t)h), 0);
	else
		cr_assert_geq(sd_bus_message_append(m, "uu", w, h), 0);
	cr_assert_geq(sd_bus_message_append(m, "uu", w * 4, XRGB), 0);
	cr_assert_geq(sd_bus_message_append_array(m, 'y', pixels, (size_t)w * h * 4 - lacking), 0);
	cr_assert_geq(sd_bus_call_async(s->listener, NULL, m, on_answer, s, 0), 0);
	sd_bus_message_unref(m);
	free(pixels);
}

static void share(struct scene *s, uint32_t w, uint32_t h)
{
	int fd = memfd_create("screen", MFD_CLOEXEC);
	sd_bus_message *m = NULL;

	cr_assert_eq(ftruncate(fd, (off_t)w * h * 4), 0);
	cr_assert_geq(sd_bus_message_new_method_call(s->listener, &m, NULL, LISTENER, "org.qemu.Display1.Listener.Unix.Map", "ScanoutMap"), 0);
	cr_assert_geq(sd_bus_message_append(m, "huuuuu", fd, 0, w, h, w * 4, XRGB), 0);
	cr_assert_geq(sd_bus_call_async(s->listener, NULL, m, on_answer, s, 0), 0);
	sd_bus_message_unref(m);
	close(fd);
}

static void scene_show(struct scene *s)
{
	UNTIL(s, s->listener);
	show(s, false, 0, 0, 64, 48, 0x112233, 0);
	UNTIL(s, s->surfaces == 1 && s->answers == 1);
}

Test(dbus_source, test_a_picture_and_its_parts_are_shown_and_each_call_is_answered)
{
	struct scene s;

	scene_open(&s);
	scene_show(&s);
	cr_expect_eq(s.screen.width, 64);
	cr_expect_eq(*pixmap_at(&s.screen, 63, 47), 0x112233);
	source_ready(s.source);
	show(&s, true, 8, 4, 2, 2, 0x445566, 0);
	UNTIL(&s, s.damages == 1 && s.answers == 2);
	cr_expect(s.rect.x == 8 && s.rect.y == 4 && s.rect.w == 2 && s.rect.h == 2);
	/* The viewer takes nothing: it is answered all the same, and told once. */
	show(&s, true, 0, 0, 2, 2, 1, 0);
	show(&s, true, 2, 0, 2, 2, 2, 0);
	UNTIL(&s, s.answers == 4);
	cr_expect_eq(s.damages, 1);
	source_ready(s.source);
	UNTIL(&s, s.damages == 2);
	cr_expect(s.rect.w == 4 && s.rect.h == 2);
	/* All of it, as a picture of the same size. */
	source_ready(s.source);
	show(&s, false, 0, 0, 64, 48, 0x778899, 0);
	UNTIL(&s, s.damages == 3);
	cr_expect_eq(s.surfaces, 1);
	cr_expect_eq(*pixmap_at(&s.screen, 0, 0), 0x778899);
	cr_expect_eq(s.refusals, 0);
	scene_close(&s);
}

Test(dbus_source, test_what_the_viewer_does_is_called)
{
	static const struct input_event down = { .kind = INPUT_KEY, .key = { true, 'a', KEY_A } }, move = { .kind = INPUT_POINTER, .pointer = { 5, 6, 0 } };
	struct scene s;

	scene_open(&s);
	scene_show(&s);
	source_input(s.source, &down);
	source_input(s.source, &move);
	cr_expect_eq(source_resize(s.source, 800, 600), 0);
	UNTIL(&s, strstr(s.heard, "size"));
	cr_expect_str_eq(s.heard, "Press 30 0;SetAbsPosition 5 6;size 800 600;");
	s.is_absolute = 0;
	cr_assert_geq(sd_bus_emit_properties_changed(s.console, PATH, "org.qemu.Display1.Mouse", "IsAbsolute", NULL), 0);
	for (int i = 0; i < 50; i++)
		turn(&s);
	source_input(s.source, &move);
	UNTIL(&s, strstr(s.heard, "RelMotion 5 6;"));
	/* No key stays down. */
	scene_close(&s);
	cr_expect(strstr(s.heard, "Release 30 0;"), "%s", s.heard);
}

Test(dbus_source, test_a_pointer_shape_that_is_too_large_keeps_the_last)
{
	uint32_t shape[4] = { 0xffffffff };
	struct scene s;

	scene_open(&s);
	scene_show(&s);
	for (int32_t w = 2; w < 1000; w += 500) {
		sd_bus_message *m = NULL;

		cr_assert_geq(sd_bus_message_new_method_call(s.listener, &m, NULL, LISTENER, "org.qemu.Display1.Listener", "CursorDefine"), 0);
		cr_assert_geq(sd_bus_message_append(m, "iiii", w, 2, -5, 9), 0);
		cr_assert_geq(sd_bus_message_append_array(m, 'y', shape, sizeof(shape)), 0);
		cr_assert_geq(sd_bus_call_async(s.listener, NULL, m, on_answer, &s, 0), 0);
		sd_bus_message_unref(m);
	}
	UNTIL(&s, s.answers == 3);
	cr_expect_eq(s.cursors, 2);
	scene_close(&s);
}

Test(dbus_source, test_a_picture_that_lies_ends_it_and_is_answered)
{
	struct scene s;

	scene_open(&s);
	UNTIL(&s, s.listener);
	show(&s, false, 0, 0, 64, 48, 1, 4);
	UNTIL(&s, s.closed && s.answers == 1);
	cr_expect_eq(s.closed, PST_EPROTO);
	cr_expect(strstr(s.reason, "fewer pixels"), "%s", s.reason);
	scene_close(&s);
}

/* QEMU 10 does that where a new surface cannot be shared and only a part of it is drawn. */
Test(dbus_source, test_a_part_after_memory_that_was_shared_is_no_lie)
{
	struct scene s;

	scene_open(&s);
	UNTIL(&s, s.listener);
	show(&s, false, 0, 0, 32, 24, 3, 0);
	UNTIL(&s, s.surfaces == 1 && s.answers == 1);
	share(&s, 64, 48);
	UNTIL(&s, s.surfaces == 2 && s.answers == 2);
	cr_assert_eq(s.refusals, 0);
	show(&s, true, 8, 4, 2, 2, 1, 0);
	UNTIL(&s, s.listeners == 2);
	cr_expect_eq(s.closed, 0, "%s", s.reason);
	show(&s, false, 0, 0, 64, 48, 5, 0);
	UNTIL(&s, s.surfaces == 3);
	cr_expect_eq(*pixmap_at(&s.screen, 0, 0), 5);
	scene_close(&s);
}

Test(dbus_source, test_a_listener_that_is_dropped_comes_again)
{
	struct scene s;

	scene_open(&s);
	scene_show(&s);
	listener_end(&s);
	UNTIL(&s, s.listeners == 2 && s.listener);
	show(&s, false, 0, 0, 32, 32, 5, 0);
	UNTIL(&s, s.surfaces == 2);
	cr_expect_eq(s.closed, 0);
	scene_close(&s);
}

Test(dbus_source, test_one_that_shows_the_same_picture_each_time_is_followed)
{
	struct scene s;

	scene_open(&s);
	scene_show(&s);
	for (int i = 0; i < 8; i++) {
		source_ready(s.source);
		listener_end(&s);
		UNTIL(&s, s.listener || s.closed);
		cr_assert_eq(s.closed, 0, "%d: %s", i, s.reason);
		show(&s, false, 0, 0, 64, 48, 5, 0);
		UNTIL(&s, s.damages == i + 1);
	}
	scene_close(&s);
}

Test(dbus_source, test_one_that_is_dropped_again_and_again_gives_up)
{
	struct scene s;

	scene_open(&s);
	for (int i = 1; !s.closed; i++) {
		UNTIL(&s, s.listener || s.closed);
		cr_assert_leq(i, 10);
		if (s.listener)
			listener_end(&s);
	}
	cr_expect_eq(s.closed, PST_ECLOSED);
	scene_close(&s);
}

Test(dbus_source, test_a_new_size_without_a_picture_is_asked_for)
{
	sd_bus_message *m = NULL;
	struct scene s;

	scene_open(&s);
	scene_show(&s);
	cr_assert_geq(sd_bus_message_new_signal(s.console, &m, PATH, "org.freedesktop.DBus.Properties", "PropertiesChanged"), 0);
	cr_assert_geq(sd_bus_message_append(m, "sa{sv}as", "org.qemu.Display1.Console", 3, "Label", "s", "VGA", "Width", "u", 80, "Height", "u", 60, 0), 0);
	cr_assert_geq(sd_bus_send(s.console, m, NULL), 0);
	sd_bus_message_unref(m);
	UNTIL(&s, s.listeners == 2);
	show(&s, false, 0, 0, 80, 60, 5, 0);
	UNTIL(&s, s.surfaces == 2 && s.screen.width == 80);
	scene_close(&s);
}

Test(dbus_source, test_an_end_of_the_machine_is_told)
{
	struct scene s;

	scene_open(&s);
	scene_show(&s);
	sd_bus_close(s.console);
	UNTIL(&s, s.closed);
	cr_expect_eq(s.closed, PST_ECLOSED);
	scene_close(&s);
}
