/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pages for viewers whose protocol has no words (RDP, VNC): what is awaited when a desktop does not come at
 * once, which pools there are to choose from, and why a connection ends. A desktop that is there at once
 * never meets the lobby.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "protocol/worker_priv.h"

#define OPEN_MS 700        /* so long nobody minds a dark window */
#define TELL_MS 30000      /* a last page */
#define TELL_BLIND_MS 8000 /* …for a client that cannot show it yet, to get that far */
#define CHOICE_MS 300000

static const struct page_text waiting = { "Preparing your desktop", "Preparando su escritorio" };
static const struct page_text not_there = { "Your desktop cannot be shown",
	"No se puede mostrar su escritorio" };
static const struct page_text over = { "This connection has ended", "Esta conexión ha terminado" };
static const struct page_text choice = { "Which desktop?", "¿Qué escritorio?" };

static bool is_for_us(const struct worker *w)
{
	return w->front && !w->front->type->status && !w->lobby.is_broken;
}

/* The client has come so far that it can take a screen. */
static bool can_show(const struct worker *w)
{
	return is_for_us(w) && (w->has_caps || w->front->type->surface_first);
}

/* A keyboard of one country speaks for its language; that of the United States is also what a client says
 * that does not know. */
static enum page_language language_of(const struct input_event *layout)
{
	const char *name = layout->layout.name;

	if (!*name || !strncmp(name, "us", 2))
		return PAGE_BOTH;
	return !strncmp(name, "es", 2) || !strncmp(name, "latam", 5) ? PAGE_SPANISH : PAGE_ENGLISH;
}

/* Reasons come as sentences and as the beginnings of some. */
static void set_sentence(char *to, size_t size, const char *from)
{
	size_t len;

	pst_strlcpy(to, size - 1, from);
	len = strlen(to);
	if (*to >= 'a' && *to <= 'z')
		*to = (char)(*to - 'a' + 'A');
	if (len && !strchr(".!?:", to[len - 1]) && (unsigned char)to[len - 1] < 0x80)
		strcat(to, ".");
}

static void on_surface(void *arg, const struct pixmap *screen)
{
	struct worker *w = arg;

	if (!worker_is_over(w))
		picture_surface(w, w->lobby.source, screen);
}

static void on_damage(void *arg, const struct rect *rects, size_t n)
{
	picture_damage(arg, rects, n);
}

static void on_cursor(void *arg, const struct cursor_image *image)
{
	picture_cursor(arg, image);
}

static void on_closed(void *arg, int code, const char *reason)
{
	struct worker *w = arg;

	w->lobby.is_broken = true;
	worker_end(w, code, "no_memory", reason, words_spanish(code, reason));
}

static void on_replied(void *arg, int32_t entry)
{
	struct worker *w = arg;

	if (w->phase == WORKER_TELLING)
		worker_part(w);
	else if (entry < 0)
		worker_end(w, PST_ECLOSED, "cancelled", "You stopped waiting.", "Ha dejado de esperar.");
	else if (w->phase == WORKER_CHOOSING)
		worker_gate_chosen(w, (size_t)entry);
}

static const struct source_events lobby_events = {
	.surface = on_surface,
	.damage = on_damage,
	.cursor = on_cursor,
	.replied = on_replied,
	.closed = on_closed,
};

/* As large as what the viewer shows already, or wishes. */
static void set_size(const struct worker *w, struct source_params *p)
{
	const struct pixmap *shown = &w->picture.screen;

	p->width = shown->width ? shown->width : PST_CLAMP(w->wish_width, 0, SCREEN_SIDE_MAX);
	p->height = shown->height ? shown->height : PST_CLAMP(w->wish_height, 0, SCREEN_SIDE_MAX);
}

/* The page in sight, as soon as the client can see. */
static void show(struct worker *w)
{
	struct source_params p = { .loop = w->params.loop, .fd = -1 };
	struct pst_err err = PST_ERR_INIT;

	w->lobby.is_due = true;
	pst_timer_stop(w->lobby.timer);
	if (!can_show(w) || worker_is_over(w))
		return;
	if (!w->lobby.source) {
		set_size(w, &p);
		w->lobby.source = source_open(source_find("lobby"), &p, &lobby_events, w, &err);
	}
	w->lobby.page.language = language_of(&w->lobby.layout);
	w->lobby.page.scale_pct = w->scale_pct;
	if (!w->lobby.source || source_page(w->lobby.source, &w->lobby.page) < 0)
		on_closed(w, PST_ENOMEM, "there is no memory for a page");
}

static void on_late(void *arg)
{
	show(arg);
}

static void on_told(void *arg)
{
	worker_part(arg);
}

void lobby_expect(struct worker *w)
{
	if (w->lobby.source)
		return; /* showing the page again would undo what the reader did on it */
	if (w->lobby.is_due) {
		show(w);
		if (w->was_reported && w->phase == WORKER_TELLING)
			pst_timer_start(w->end, TELL_MS, on_told, w);
	} else if (can_show(w) && !w->was_started && !worker_is_leaving(w) &&
		   !pst_timer_is_active(w->lobby.timer)) {
		pst_timer_start(w->lobby.timer, OPEN_MS, on_late, w);
	}
}

void lobby_say(struct worker *w, const char *en, const char *es)
{
	struct page *page = &w->lobby.page;

	front_status(w->front, en, es);
	if (page->kind != PAGE_PROGRESS || !page->since_ms)
		*page = (struct page){ .kind = PAGE_PROGRESS, .title = waiting, .since_ms = pst_mono_ms() };
	set_sentence(page->text.en, sizeof(page->text.en), en);
	set_sentence(page->text.es, sizeof(page->text.es), es ? es : en);
	if (w->lobby.source)
		show(w);
}

static void on_choice_late(void *arg)
{
	worker_end(arg, PST_ETIMEOUT, "choice_timeout", "No desktop was chosen. Connect again when you wish.",
		"No se ha elegido ningún escritorio. Vuelva a conectar cuando quiera.");
}

void lobby_choose(struct worker *w, size_t n, const char *text_en, const char *text_es)
{
	struct page *page = &w->lobby.page;

	*page = (struct page){
		.kind = PAGE_CHOICE, .title = choice, .entries = w->lobby.entries, .n_entries = n
	};
	pst_strlcpy(page->text.en, sizeof(page->text.en), text_en);
	pst_strlcpy(page->text.es, sizeof(page->text.es), text_es);
	show(w);
	pst_timer_start(w->end, CHOICE_MS, on_choice_late, w);
}

bool lobby_can_tell(const struct worker *w, int code, const char *word)
{
	static const char *const silent[] = { "cancelled", "gateway_gone", "no_start", "client_left",
		"client_lost" };

	for (size_t i = 0; i < PST_ARRAY_LEN(silent); i++)
		if (!strcmp(word, silent[i]))
			return false;
	return code && w->is_let_in && is_for_us(w);
}

/* Runs from a turn of the loop of its own: the desktop's source may not be closed from inside its callbacks.
 */
void lobby_tell(void *arg)
{
	struct worker *w = arg;
	struct page *page = &w->lobby.page;

	worker_gate_report(w, "ended");
	picture_source_gone(w, w->source);
	source_close(w->source, w->end_en);
	w->source = NULL;
	*page = (struct page){ .kind = PAGE_NOTICE, .title = w->was_started ? over : not_there };
	set_sentence(page->text.en, sizeof(page->text.en), w->end_en);
	set_sentence(page->text.es, sizeof(page->text.es), w->end_es);
	pst_timer_start(w->end, can_show(w) ? TELL_MS : TELL_BLIND_MS, on_told, w);
	show(w);
}

void lobby_note(struct worker *w, const struct input_event *ev)
{
	if (ev->kind == INPUT_LOCKS)
		w->lobby.locks = *ev;
	if (ev->kind != INPUT_LAYOUT)
		return;
	w->lobby.layout = *ev;
	if (w->lobby.source)
		show(w);
}

void lobby_pass_on(struct worker *w)
{
	if (w->lobby.layout.kind == INPUT_LAYOUT)
		source_input(w->source, &w->lobby.layout);
	if (w->lobby.locks.kind == INPUT_LOCKS)
		source_input(w->source, &w->lobby.locks);
}

void lobby_close(struct worker *w)
{
	pst_timer_stop(w->lobby.timer);
	w->lobby.is_due = false;
	source_close(w->lobby.source, NULL);
	w->lobby.source = NULL;
}
