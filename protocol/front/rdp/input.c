/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Keys, pointer and wheel of an RDP client, [MS-RDPBCGR] 2.2.8.1.1.3, as events of the link. */
#include <freerdp/input.h>
#include <stdio.h>

#include "base/mem.h"
#include "protocol/link/layout.h"
#include "protocol/front/rdp/rdp_priv.h"
#include "protocol/link/scancode.h"

static void emit(struct rdp *f, const struct input_event *ev)
{
	if (rdp_is_live(f))
		f->ev.input(f->arg, ev);
}

static BOOL on_synchronize(rdpInput *input, UINT32 flags)
{
	const struct input_event ev = { .kind = INPUT_LOCKS, .locks = flags & 7 }; /* the bits are the same */
	emit(rdp_of(input->context), &ev);
	return TRUE;
}

static BOOL on_key(rdpInput *input, UINT16 flags, UINT8 code)
{
	struct input_event ev = { .kind = INPUT_KEY };
	ev.key.is_down = !(flags & KBD_FLAGS_RELEASE);
	ev.key.keycode = scancode_to_evdev(code & 0x7f, flags & KBD_FLAGS_EXTENDED);
	if (ev.key.keycode)
		emit(rdp_of(input->context), &ev);
	return TRUE;
}

/* Characters outside the first plane come as two events; they are left out. */
static BOOL on_unicode(rdpInput *input, UINT16 flags, UINT16 code)
{
	struct input_event ev = { .kind = INPUT_TEXT };
	char *to = ev.text.utf8;
	if (flags & KBD_FLAGS_RELEASE || code < 0x20 || (code >= 0xd800 && code < 0xe000))
		return TRUE;
	if (code < 0x80) {
		*to++ = (char)code;
	} else if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
		*to++ = (char)(0x80 | (code & 0x3f));
	} else {
		*to++ = (char)(0xe0 | code >> 12);
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
		*to++ = (char)(0x80 | (code & 0x3f));
	}
	ev.text.len = (uint16_t)(to - ev.text.utf8);
	emit(rdp_of(input->context), &ev);
	return TRUE;
}

static void pointer(struct rdp *f, UINT16 x, UINT16 y, uint8_t button, bool is_down)
{
	struct input_event ev = { .kind = INPUT_POINTER };
	f->buttons = is_down ? f->buttons | button : f->buttons & ~button;
	ev.pointer.x = PST_MIN((int32_t)x, PST_MAX(f->width - 1, 0));
	ev.pointer.y = PST_MIN((int32_t)y, PST_MAX(f->height - 1, 0));
	ev.pointer.buttons = f->buttons;
	emit(f, &ev);
}

/* The rotation is a signed number of nine bits, 120 a notch; positive is up and right. */
static void wheel(struct rdp *f, UINT16 flags)
{
	struct input_event ev = { .kind = INPUT_WHEEL };
	int16_t turn = (int16_t)(flags & 0xff);
	if (flags & PTR_FLAGS_WHEEL_NEGATIVE)
		turn = (int16_t)(turn - 256);
	if (flags & PTR_FLAGS_HWHEEL)
		ev.wheel.dx = turn;
	else
		ev.wheel.dy = (int16_t)-turn;
	emit(f, &ev);
}

static BOOL on_mouse(rdpInput *input, UINT16 flags, UINT16 x, UINT16 y)
{
	struct rdp *f = rdp_of(input->context);
	uint8_t button = 0;
	if (flags & (PTR_FLAGS_WHEEL | PTR_FLAGS_HWHEEL)) {
		wheel(f, flags);
		return TRUE;
	}
	button |= flags & PTR_FLAGS_BUTTON1 ? INPUT_LEFT : 0;
	button |= flags & PTR_FLAGS_BUTTON2 ? INPUT_RIGHT : 0;
	button |= flags & PTR_FLAGS_BUTTON3 ? INPUT_MIDDLE : 0;
	pointer(f, x, y, button, flags & PTR_FLAGS_DOWN);
	return TRUE;
}

static BOOL on_extended_mouse(rdpInput *input, UINT16 flags, UINT16 x, UINT16 y)
{
	uint8_t button = flags & PTR_XFLAGS_BUTTON1 ? INPUT_BACK : flags & PTR_XFLAGS_BUTTON2 ? INPUT_FORWARD : 0;
	pointer(rdp_of(input->context), x, y, button, flags & PTR_XFLAGS_DOWN);
	return TRUE;
}

void rdp_input_register(struct rdp *f)
{
	rdpInput *input = f->peer->context->input;
	input->SynchronizeEvent = on_synchronize;
	input->KeyboardEvent = on_key;
	input->UnicodeKeyboardEvent = on_unicode;
	input->MouseEvent = on_mouse;
	input->ExtendedMouseEvent = on_extended_mouse;
}

void rdp_input_layout(struct rdp *f)
{
	struct input_event ev = { .kind = INPUT_LAYOUT };
	const char *name = layout_name(freerdp_settings_get_uint32(f->peer->context->settings, FreeRDP_KeyboardLayout));
	if (!name)
		return;
	snprintf(ev.layout.name, sizeof(ev.layout.name), "%s", name);
	emit(f, &ev);
}
