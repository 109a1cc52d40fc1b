/* SPDX-License-Identifier: GPL-3.0-or-later */
/* QEMU's calls. */
#include "protocol/source/dbus/listener.h"

#include <string.h>

#include "base/mem.h"

#define PATH "/org/qemu/Display1/Listener"

static void tell_damage(struct dbus_listener *l)
{
	struct region now = l->damage;

	if (!l->has_credit || !now.len)
		return;
	l->has_credit = false;
	region_clear(&l->damage);
	l->events->damage(l->arg, now.rects, now.len);
}

static void take_damage(struct dbus_listener *l, const struct rect *r)
{
	region_add(&l->damage, r);
	tell_damage(l);
}

/* The viewer reads the last one until it knows the next. */
static void take_picture(struct dbus_listener *l, const struct dbus_picture *next)
{
	struct dbus_picture last = l->picture;

	l->picture = *next;
	region_clear(&l->damage);
	l->events->surface(l->arg, &l->picture.shown);
	dbus_picture_finish(&last);
}

/* rc: what err, which is read after a failure only, says the reason of. */
static int answer(struct dbus_listener *l, sd_bus_message *m, int rc, const struct pst_err *err)
{
	if (rc < 0)
		l->events->failed(l->arg, err);
	return sd_bus_reply_method_return(m, NULL);
}

static int pixels_read(sd_bus_message *m, struct dbus_pixels *in)
{
	const void *data = NULL;
	int rc = sd_bus_message_read(m, "uu", &in->stride, &in->format);

	if (rc >= 0)
		rc = sd_bus_message_read_array(m, 'y', &data, &in->len);
	in->data = data;
	return rc;
}

static int on_scanout(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct dbus_listener *l = arg;
	struct pst_err err = PST_ERR_INIT;
	struct dbus_pixels in = { 0 };
	struct dbus_picture next;
	uint32_t width, height;
	struct rect r;
	int rc = sd_bus_message_read(m, "uu", &width, &height);

	if (rc >= 0)
		rc = pixels_read(m, &in);
	if (rc < 0)
		return rc;
	in.width = width;
	in.height = height;
	/* Everything of a screen that has changed comes as a new one, too. */
	if (dbus_picture_fits(&l->picture, &in)) {
		rc = dbus_picture_paint(&l->picture, 0, 0, &in, &r, &err);
		if (rc == 0)
			take_damage(l, &r);
	} else {
		rc = dbus_picture_make(&next, &in, &err);
		if (rc == 0)
			take_picture(l, &next);
	}
	return answer(l, m, rc, &err);
}

static int on_update(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct dbus_listener *l = arg;
	struct pst_err err = PST_ERR_INIT;
	struct dbus_pixels in = { 0 };
	int32_t x, y, w, h;
	struct rect r;
	int rc = sd_bus_message_read(m, "iiii", &x, &y, &w, &h);

	if (rc >= 0)
		rc = pixels_read(m, &in);
	if (rc < 0)
		return rc;
	/* It has left the memory that it shared for one that it sends, without showing that whole. */
	if (l->picture.map) {
		l->events->stale(l->arg);
		return sd_bus_reply_method_return(m, NULL);
	}
	in.width = w;
	in.height = h;
	rc = dbus_picture_paint(&l->picture, x, y, &in, &r, &err);
	if (rc == 0 && r.w)
		take_damage(l, &r);
	return answer(l, m, rc, &err);
}

/* Refused where it cannot be shown so: QEMU sends copies instead. */
static int on_scanout_map(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct dbus_listener *l = arg;
	struct pst_err err = PST_ERR_INIT;
	struct dbus_pixels in = { 0 };
	uint32_t offset, width, height;
	struct dbus_picture next;
	int fd, rc = sd_bus_message_read(m, "huuuuu", &fd, &offset, &width, &height, &in.stride, &in.format);

	if (rc < 0)
		return rc;
	in.width = width;
	in.height = height;
	if (dbus_picture_map(&next, fd, offset, &in, &err) < 0)
		return sd_bus_error_set(e, SD_BUS_ERROR_NOT_SUPPORTED, err.text);
	take_picture(l, &next);
	return sd_bus_reply_method_return(m, NULL);
}

static int on_update_map(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct dbus_listener *l = arg;
	int32_t x, y, w, h;
	struct rect r;
	int rc = sd_bus_message_read(m, "iiii", &x, &y, &w, &h);

	if (rc < 0)
		return rc;
	if (dbus_picture_clip(&l->picture, x, y, w, h, &r))
		take_damage(l, &r);
	return sd_bus_reply_method_return(m, NULL);
}

/* A part of a colour is never more than its opacity. */
static uint32_t shape_pixel(uint32_t p)
{
	uint32_t a = p >> 24;

	return a << 24 | PST_MIN(p >> 16 & 0xff, a) << 16 | PST_MIN(p >> 8 & 0xff, a) << 8 | PST_MIN(p & 0xff, a);
}

static void take_shape(struct dbus_listener *l, int32_t w, int32_t h, int32_t hot_x, int32_t hot_y, const uint32_t *pixels)
{
	struct cursor_image image = { (uint16_t)w, (uint16_t)h, (uint16_t)PST_CLAMP(hot_x, 0, w - 1), (uint16_t)PST_CLAMP(hot_y, 0, h - 1), l->shape };

	for (size_t i = 0; i < (size_t)w * (size_t)h; i++)
		l->shape[i] = shape_pixel(pixels[i]);
	l->events->cursor(l->arg, &image);
}

static int on_cursor(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct dbus_listener *l = arg;
	const void *pixels = NULL;
	int32_t w, h, hot_x, hot_y;
	size_t len;
	int rc = sd_bus_message_read(m, "iiii", &w, &h, &hot_x, &hot_y);

	if (rc >= 0)
		rc = sd_bus_message_read_array(m, 'y', &pixels, &len);
	if (rc < 0)
		return rc;
	/* One that is too large keeps the last. */
	if (w >= 1 && h >= 1 && w <= CURSOR_SIDE_MAX && h <= CURSOR_SIDE_MAX && len >= (size_t)w * (size_t)h * 4)
		take_shape(l, w, h, hot_x, hot_y, pixels);
	return sd_bus_reply_method_return(m, NULL);
}

static int on_mouse_set(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	struct dbus_listener *l = arg;
	int32_t x, y, is_on;
	int rc = sd_bus_message_read(m, "iii", &x, &y, &is_on);

	if (rc < 0)
		return rc;
	if (is_on)
		l->events->moved(l->arg, x, y);
	return sd_bus_reply_method_return(m, NULL);
}

/* The screen is off: the last picture stays. */
static int on_disable(sd_bus_message *m, void *arg, sd_bus_error *e)
{
	return sd_bus_reply_method_return(m, NULL);
}

static int interfaces_get(sd_bus *bus, const char *path, const char *interface, const char *property, sd_bus_message *reply, void *arg, sd_bus_error *e)
{
	return sd_bus_message_append(reply, "as", 1, "org.qemu.Display1.Listener.Unix.Map");
}

static const sd_bus_vtable base[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Scanout", "uuuuay", "", on_scanout, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Update", "iiiiuuay", "", on_update, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("Disable", "", "", on_disable, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("MouseSet", "iii", "", on_mouse_set, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("CursorDefine", "iiiiay", "", on_cursor, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Interfaces", "as", interfaces_get, 0, SD_BUS_VTABLE_PROPERTY_CONST),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable map[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("ScanoutMap", "huuuuu", "", on_scanout_map, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("UpdateMap", "iiii", "", on_update_map, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int dbus_listener_add(struct dbus_listener *l, sd_bus *bus)
{
	if (sd_bus_add_object_vtable(bus, NULL, PATH, "org.qemu.Display1.Listener", base, l) < 0 ||
		sd_bus_add_object_vtable(bus, NULL, PATH, "org.qemu.Display1.Listener.Unix.Map", map, l) < 0)
		return PST_ENOMEM;
	return 0;
}

void dbus_listener_ready(struct dbus_listener *l)
{
	l->has_credit = true;
	tell_damage(l);
}

void dbus_listener_finish(struct dbus_listener *l)
{
	dbus_picture_finish(&l->picture);
}
