/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection at a time. A new certificate is shown by the next one. */
#include "agent/windows/line.h"

#include <stdlib.h>
#include <string.h>

#include "agent/windows/birth.h"
#include "agent/windows/journal.h"
#include "agent/windows/tls.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

#define PEER "puesto:broker"
#define BACKOFF_MIN_MS 250
#define BACKOFF_MAX_MS 15000
#define PLAIN_MAX (128u << 10)

struct line {
	char host[64];
	uint16_t port;
	struct identity *identity;
	struct talk *talk;
	struct tls *tls; /* NULL: not connected */
	struct pst_buf plain;
	uint64_t dial_ms, backoff_ms;
	bool is_wanted, was_open;
	char said[200]; /* the last reason in the log: the same one is not written again and again */
};

/* Half of the pause is random, so that many desktops of a restarted broker spread out. */
static uint64_t pause_next(struct line *l)
{
	uint16_t dice;

	pst_random(&dice, sizeof(dice));
	uint64_t wait = l->backoff_ms / 2 + dice % (l->backoff_ms / 2 + 1);
	l->backoff_ms = PST_MIN(l->backoff_ms * 2, (uint64_t)BACKOFF_MAX_MS);
	return wait;
}

static void end(struct line *l, const char *reason, uint64_t now_ms)
{
	char text[sizeof(l->said)];

	tls_close(l->tls);
	l->tls = NULL;
	l->was_open = false;
	pst_buf_reset(&l->plain);
	talk_closed(l->talk);
	l->dial_ms = now_ms + pause_next(l);
	pst_strlcpy(text, sizeof(text), reason);
	if (strcmp(text, l->said) != 0)
		journal(JOURNAL_WARN, "the broker at %s port %u: %s", l->host, l->port, reason);
	pst_strlcpy(l->said, sizeof(l->said), text);
}

static void dial(struct line *l, uint64_t now_ms)
{
	struct pst_err err = PST_ERR_INIT;
	const struct tls_params params = { l->host, l->port, identity_ca(l->identity), identity_cert(l->identity), PEER };

	l->tls = tls_dial(&params, now_ms, &err);
	if (!l->tls)
		end(l, err.text, now_ms);
}

static void opened(struct line *l, uint64_t now_ms)
{
	l->was_open = true;
	l->said[0] = '\0';
	journal(JOURNAL_INFO, "connected to the broker at %s port %u by %s", l->host, l->port, tls_version(l->tls));
	talk_connected(l->talk, now_ms);
}

static int carry(struct line *l, uint64_t now_ms, struct pst_err *err)
{
	if (tls_is_open(l->tls) && !l->was_open)
		opened(l, now_ms);
	if (l->plain.len > 0 && talk_receive(l->talk, l->plain.data, l->plain.len, now_ms, err) < 0)
		return err->code;
	pst_buf_reset(&l->plain);
	if (talk_tick(l->talk, now_ms, err) < 0)
		return err->code;
	/* A broker that lets us in is a broker that works. */
	if (talk_is_greeted(l->talk))
		l->backoff_ms = BACKOFF_MIN_MS;
	return tls_is_open(l->tls) ? tls_send(l->tls, talk_out(l->talk), err) : 0;
}

void line_step(struct line *l, uint64_t now_ms)
{
	struct pst_err err = PST_ERR_INIT;
	int rc;

	if (!l->tls && l->is_wanted && now_ms >= l->dial_ms)
		dial(l, now_ms);
	if (!l->tls)
		return;
	rc = tls_step(l->tls, now_ms, &l->plain, &err);
	/* What was said before the end is heard, too. */
	if (rc == 0 || l->plain.len > 0) {
		struct pst_err why = PST_ERR_INIT;

		if (carry(l, now_ms, &why) < 0 && rc == 0) {
			rc = why.code;
			err = why;
		}
	}
	if (rc < 0)
		end(l, err.text, now_ms);
}

void *line_event(const struct line *l)
{
	return l->tls ? tls_event(l->tls) : NULL;
}

uint64_t line_next_ms(const struct line *l)
{
	if (l->tls)
		return PST_MIN(tls_next_ms(l->tls), talk_next_ms(l->talk));
	return l->is_wanted ? l->dial_ms : UINT64_MAX;
}

void line_want(struct line *l, bool is_wanted)
{
	l->is_wanted = is_wanted;
}

struct line *line_create(const char *address, struct identity *identity, struct talk *talk, struct pst_err *err)
{
	struct line *l = pst_zalloc(1, sizeof(*l));

	if (!l) {
		pst_err_set(err, PST_ENOMEM, "no memory for the way to the broker");
		return NULL;
	}
	l->identity = identity;
	l->talk = talk;
	l->backoff_ms = BACKOFF_MIN_MS;
	pst_buf_init(&l->plain, PLAIN_MAX);
	if (birth_address(address, l->host, &l->port, err) == 0)
		return l;
	free(l);
	return NULL;
}

void line_destroy(struct line *l)
{
	if (!l)
		return;
	tls_close(l->tls);
	pst_buf_finish(&l->plain);
	free(l);
}
