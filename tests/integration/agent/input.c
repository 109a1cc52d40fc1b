/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is typed arrives, whatever the layouts of viewer and desktop are, and nothing stays down. */
#include <X11/keysym.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "tests/integration/agent/keys.h"
#include "tests/integration/agent/stories.h"

static const char hard[] = "Hola ñ á € @ { « ß 中 ~ Ñ É | \\ # ğ Ж 😀 end";

/* RFB and browsers send keysyms: unicode above Latin-1 as 0x01000000 + code point. */
static void type_keysyms(struct viewing *v)
{
	static const uint32_t syms[] = { XK_ntilde, XK_aacute, 0x20ac, XK_at, XK_braceleft, XK_guillemotleft,
		XK_ssharp, 0x01004e2d, XK_A, XK_z, XK_asciitilde };
	static const uint32_t euro = 0x010020ac;

	for (size_t i = 0; i < PST_ARRAY_LEN(syms); i++)
		view_tap(v, syms[i] == 0x20ac ? euro : syms[i], 0);
}

void keys_arrive_right_in_every_layout(struct desk *d)
{
	static const char *layouts[] = { "us", "es", "de", "ru", "fr" };
	struct viewing v;
	struct keys k;

	for (size_t i = 0; i < PST_ARRAY_LEN(layouts); i++) {
		char command[64];
		snprintf(command, sizeof(command), "setxkbmap -layout %s", layouts[i]);
		free(desk_shell(d, command));
		keys_open(&k, d);
		view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
		view_text(&v, hard);
		keys_expect(&k, d, hard);
		type_keysyms(&v);
		keys_expect(&k, d, "ñá€@{«ß中Az~");
		view_close(&v);
		desk_wait_report(d, "vacated");
		desk_quiet(d, 50);
		CHECK(keys_all_up(&k));
		keys_close(&k);
		printf("# layout %s\n", layouts[i]);
	}
	free(desk_shell(d, "setxkbmap -layout us"));
}

/* What a Spanish viewer does over an American desktop: AltGr is held while @ is pressed, Shift while a
 * capital. */
void held_modifiers_do_not_spoil_keysyms(struct desk *d)
{
	struct viewing v;
	struct keys k;

	keys_open(&k, d);
	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	view_key(&v, true, XK_ISO_Level3_Shift, 0);
	view_tap(&v, XK_at, 0);
	view_tap(&v, XK_numbersign, 0);
	view_key(&v, false, XK_ISO_Level3_Shift, 0);
	view_key(&v, true, XK_Shift_L, 0);
	view_tap(&v, XK_slash, 0); /* Shift+7 in Spain */
	view_tap(&v, XK_A, 0);
	view_tap(&v, XK_equal, 0); /* Shift+0 in Spain */
	view_key(&v, false, XK_Shift_L, 0);
	view_tap(&v, XK_b, 0);
	keys_expect(&k, d, "@#/A=b");
	view_key(&v, true, XK_Shift_L, 0);
	view_tap(&v, XK_Tab, 0);
	view_tap(&v, XK_Left, 0);
	view_key(&v, false, XK_Shift_L, 0);
	keys_expect(&k, d, "");
	for (int i = 0; i < 100 && k.last_sym != XK_Left; i++) {
		desk_quiet(d, 5);
		keys_read(&k);
	}
	CHECK(k.last_sym == XK_Left && (k.last_state & ShiftMask));
	view_tap(&v, XK_dead_acute, 0);
	view_tap(&v, XK_e, 0);
	keys_expect(&k, d, "é");
	/* A capital whose Shift went up first is released by its small letter. */
	view_key(&v, true, XK_Shift_L, 0);
	view_key(&v, true, XK_Q, 0);
	view_key(&v, false, XK_Shift_L, 0);
	view_key(&v, false, XK_q, 0);
	keys_expect(&k, d, "Q");
	desk_quiet(d, 50);
	CHECK(keys_all_up(&k));
	view_close(&v);
	keys_close(&k);
}

void repeats_come_from_the_viewer_alone(struct desk *d)
{
	struct viewing v;
	struct keys k;

	keys_open(&k, d);
	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	for (int i = 0; i < 5; i++)
		view_key(&v, true, XK_x, 0);
	keys_expect(&k, d, "xxxxx");
	desk_quiet(d, 900); /* longer than X's delay of 660 ms */
	keys_read(&k);
	CHECK(k.text[0] == 0);
	view_key(&v, false, XK_x, 0);
	view_close(&v);
	keys_close(&k);
}

void layout_of_the_viewer_makes_codes_keys(struct desk *d)
{
	struct input_event ev = { .kind = INPUT_LAYOUT };
	struct viewing v;
	struct keys k;

	keys_open(&k, d);
	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	strcpy(ev.layout.name, "es");
	view_send(&v, &ev);
	view_tap(&v, 0, KEY_SEMICOLON); /* ñ */
	view_key(&v, true, 0, KEY_RIGHTALT);
	view_tap(&v, 0, KEY_2); /* @ */
	view_tap(&v, 0, KEY_E); /* € */
	view_key(&v, false, 0, KEY_RIGHTALT);
	view_tap(&v, 0, KEY_APOSTROPHE); /* dead acute */
	view_tap(&v, 0, KEY_A);
	view_tap(&v, 0, KEY_Z);
	keys_expect(&k, d, "ñ@€áz");
	strcpy(ev.layout.name, "de(nodeadkeys)");
	view_send(&v, &ev);
	view_tap(&v, 0, KEY_Z);
	view_tap(&v, 0, KEY_MINUS);
	keys_expect(&k, d, "yß");
	strcpy(ev.layout.name, "nosuchlayout");
	view_send(&v, &ev);
	view_text(&v, "still here");
	keys_expect(&k, d, "still here");
	strcpy(ev.layout.name, "us");
	view_send(&v, &ev);
	view_text(&v, "us");
	keys_expect(&k, d, "us");
	view_close(&v);
	keys_close(&k);
}

void nothing_stays_down(struct desk *d)
{
	struct input_event click = { .kind = INPUT_POINTER, .pointer = { 50, 50, INPUT_LEFT } };
	struct input_event release = { .kind = INPUT_RELEASE_ALL };
	struct viewing v;
	struct keys k;

	keys_open(&k, d);
	for (int i = 0; i < 2; i++) {
		view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
		view_key(&v, true, XK_Control_L, 0);
		view_key(&v, true, XK_Shift_L, 0);
		view_key(&v, true, XK_k, 0);
		view_send(&v, &click);
		for (int n = 0; n < 200 && keys_all_up(&k); n++)
			desk_quiet(d, 5);
		CHECK(!keys_all_up(&k));
		if (i == 0)
			view_send(&v, &release);
		else
			view_close(&v);
		for (int n = 0; n < 200 && !keys_all_up(&k); n++)
			desk_quiet(d, 5);
		CHECK(keys_all_up(&k));
		if (i == 0)
			view_close(&v);
	}
	keys_close(&k);
}

void wheel_counts_notches(struct desk *d)
{
	static const int16_t steps[] = { 30, 30, 30, 30, 120, 240, -60, -60 };
	struct input_event ev = { .kind = INPUT_POINTER, .pointer = { 60, 60, 0 } };
	struct viewing v;
	struct keys k;

	keys_open(&k, d);
	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	view_send(&v, &ev);
	ev.kind = INPUT_WHEEL;
	for (size_t i = 0; i < PST_ARRAY_LEN(steps); i++) {
		ev.wheel.dx = 0;
		ev.wheel.dy = steps[i];
		view_send(&v, &ev);
	}
	ev.wheel.dx = 120;
	ev.wheel.dy = 0;
	view_send(&v, &ev);
	for (int n = 0; n < 200 && k.wheel[7] == 0; n++) {
		desk_quiet(d, 5);
		keys_read(&k);
	}
	CHECK(k.wheel[5] == 4 && k.wheel[4] == 1 && k.wheel[7] == 1 && k.wheel[6] == 0);
	view_close(&v);
	keys_close(&k);
}

struct file {
	char path[160];
	const char *want;
};

static bool file_has(void *arg)
{
	struct file *f = arg;
	char text[4096] = "";
	FILE *in = fopen(f->path, "r");

	if (!in)
		return false;
	size_t n = fread(text, 1, sizeof(text) - 1, in);
	text[n] = 0;
	fclose(in);
	return strcmp(text, f->want) == 0;
}

static bool xterm_is_ready(void *arg)
{
	struct file *f = arg;

	return access(f->path, F_OK) == 0;
}

/* A terminal that writes down what is typed, under an American layout that has none of these letters. */
void xterm_gets_every_letter(struct desk *d)
{
	struct input_event point = { .kind = INPUT_POINTER, .pointer = { 60, 60, 0 } };
	struct viewing v;
	struct file f = { .want = "ñ á € @ { « ß 中\nÑandú ¿qué?\n" };
	char command[512];

	snprintf(f.path, sizeof(f.path), "%s/typed", d->dir);
	snprintf(command, sizeof(command),
		"LC_ALL=C.UTF-8 xterm -u8 -geometry 60x10+0+0 -e sh -c 'cat > %s' >/dev/null 2>&1 &", f.path);
	free(desk_shell(d, command));
	view_open(d, &v, desk_grant(d, "ana", stories_epoch++, 60000), 0, 0, true);
	desk_wait(d, xterm_is_ready, &f, "xterm");
	view_send(&v, &point);
	desk_quiet(d, 300);
	view_text(&v, "ñ á € @ { « ß 中\n");
	static const uint32_t syms[] = { XK_Ntilde, XK_a, XK_n, XK_d, XK_uacute, XK_space, XK_questiondown,
		XK_q, XK_u, XK_eacute, XK_question, XK_Return };
	for (size_t i = 0; i < PST_ARRAY_LEN(syms); i++)
		view_tap(&v, syms[i], 0);
	view_key(&v, true, XK_Control_L, 0);
	view_tap(&v, XK_d, 0);
	view_key(&v, false, XK_Control_L, 0);
	desk_wait(d, file_has, &f, "the typed file");
	view_close(&v);
}
