/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A whole conversation with a broker that is this test. Covers: agent/windows/talk.c */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/windows/fields.h"
#include "agent/windows/talk.h"
#include "base/text.h"

#define DESKTOP "6f0c0b52-4a29-4d2c-9f43-0a7f1f6d1d11"
#define KEY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static struct world {
	struct talk *talk;
	bool has_token, is_ready, is_due;
	char seen[800]; /* what the callbacks were told */
	struct fields *said;
} w;

static void note(const char *what, const char *text)
{
	size_t n = strlen(w.seen);

	snprintf(w.seen + n, sizeof(w.seen) - n, "%s(%s) ", what, text);
}

static bool on_token(void *arg, const char **ret_desktop, const char **ret_token)
{
	*ret_desktop = DESKTOP;
	*ret_token = "tok";
	return w.has_token;
}

static int on_request(void *arg, const char *desktop, char **ret_csr, struct pst_err *err)
{
	*ret_csr = strdup("CSR");
	return 0;
}

static int on_certified(void *arg, const char *cert, struct pst_err *err)
{
	note("cert", cert);
	return strcmp(cert, "bad") == 0 ? pst_err_set(err, PST_EINVAL, "it is bad") : 0;
}

static int on_enrolled(void *arg, const uint8_t key[LEASE_KEY_SIZE], struct pst_err *err)
{
	note("key", "");
	return 0;
}

static bool on_is_due(void *arg)
{
	return w.is_due;
}

static bool on_state(void *arg, struct talk_state *ret)
{
	ret->desktop = DESKTOP;
	ret->boot = "boot";
	ret->epoch = 3;
	ret->pin = "ab12";
	return w.is_ready;
}

static void on_lease(void *arg, const char *user, uint64_t epoch)
{
	char text[100];

	snprintf(text, sizeof(text), "%s %llu", user, (unsigned long long)epoch);
	note("lease", text);
}

static void on_logoff(void *arg, const char *reason)
{
	note("logoff", reason);
}

static void on_message(void *arg, const char *text)
{
	note("message", text);
}

static void on_power(void *arg, bool is_restart)
{
	note("power", is_restart ? "restart" : "shutdown");
}

static void on_log(void *arg, const char *text)
{
	note("log", text);
}

static const struct talk_events events = { on_token, on_request, on_certified, on_enrolled, on_is_due, on_state, on_lease, on_logoff, on_message, on_power, on_log };

static void begin(void)
{
	memset(&w, 0, sizeof(w));
	w.has_token = w.is_ready = true;
	w.talk = talk_create(&events, NULL);
}

static void end(void)
{
	fields_free(w.said);
	talk_destroy(w.talk);
}

TestSuite(windows_talk, .init = begin, .fini = end);

/* The next message of the agent's, or NULL. */
static const struct fields *hear(void)
{
	struct pst_buf *out = talk_out(w.talk);
	struct pst_err err = PST_ERR_INIT;

	fields_free(w.said);
	w.said = NULL;
	if (out->len < 4)
		return NULL;
	size_t len = (size_t)out->data[2] << 8 | out->data[3];
	w.said = fields_parse((char *)out->data + 4, len, &err);
	cr_assert(w.said, "%s", err.text);
	pst_buf_consume(out, 4 + len);
	return w.said;
}

static bool heard(const char *op)
{
	const struct fields *f = hear();
	const char *is = f ? fields_str(f, "op", 20) : NULL;

	return is && strcmp(is, op) == 0;
}

static int tell(const char *text, uint64_t now_ms)
{
	struct pst_err err = PST_ERR_INIT;
	size_t len = strlen(text);
	uint8_t head[4] = { 0, 0, (uint8_t)(len >> 8), (uint8_t)len };

	/* In two pieces: a message need not come at once. */
	int rc = talk_receive(w.talk, head, 3, now_ms, &err);
	if (rc == 0)
		rc = talk_receive(w.talk, head + 3, 1, now_ms, &err);
	return rc < 0 ? rc : talk_receive(w.talk, text, len, now_ms, &err);
}

static void answer(const char *fields, uint64_t now_ms)
{
	char text[400];

	snprintf(text, sizeof(text), "{\"re\":%lld%s%s}", (long long)fields_int(w.said, "id", 1, 1000, 0), fields[0] ? "," : "", fields);
	cr_assert_eq(tell(text, now_ms), 0);
}

static void greet(void)
{
	talk_set_enrolled(w.talk, true);
	talk_connected(w.talk, 0);
	cr_assert(heard("hello"));
	answer("", 0);
	cr_assert(talk_is_greeted(w.talk));
}

Test(windows_talk, enrols_says_hello_and_then_its_reports)
{
	const struct talk_report r = { "ready", "", DESKTOP, "", "LAB\\ana", 3 };

	talk_report(w.talk, &r);
	talk_connected(w.talk, 0);
	cr_assert(heard("enrol"));
	cr_assert_str_eq(fields_str(w.said, "token", 10), "tok");
	cr_assert_str_eq(fields_str(w.said, "csr", 10), "CSR");
	answer("\"key\":\"" KEY "\",\"cert\":\"PEM\"", 10);
	cr_assert(heard("hello"));
	cr_assert_str_eq(fields_str(w.said, "screen", 10), "rdp");
	cr_assert_str_eq(fields_str(w.said, "fingerprint", 64), "ab12");
	cr_assert_eq(fields_int(w.said, "epoch", 0, 10, 0), 3);
	cr_assert_null(hear());
	heard("");
	struct pst_err err = PST_ERR_INIT;
	cr_assert_eq(talk_tick(w.talk, 20, &err), 0);
	cr_assert_str_eq(w.seen, "cert(PEM) key() ");
}

Test(windows_talk, reports_wait_for_hello_and_the_oldest_are_lost)
{
	struct talk_report r = { "occupied", "", DESKTOP, "ana", "", 0 };

	for (int i = 0; i < TALK_REPORTS_MAX + 5; i++) {
		r.epoch = (uint64_t)i + 1;
		talk_report(w.talk, &r);
	}
	greet();
	for (int i = 0; i < TALK_REPORTS_MAX; i++) {
		cr_assert(heard("report"));
		cr_assert_eq(fields_int(w.said, "epoch", 0, 1000, 0), i + 6);
	}
	cr_assert_null(hear());
}

Test(windows_talk, what_is_refused_is_tried_again)
{
	struct pst_err err = PST_ERR_INIT;

	talk_connected(w.talk, 0);
	cr_assert(heard("enrol"));
	answer("\"error\":{\"code\":\"unavailable\",\"title\":\"come back\"}", 100);
	cr_assert_null(hear());
	cr_assert_eq(talk_next_ms(w.talk), 2100);
	cr_assert_eq(talk_tick(w.talk, 2100, &err), 0);
	cr_assert(heard("enrol"));
	answer("\"key\":\"" KEY "\",\"cert\":\"bad\"", 2200);
	cr_assert_eq(talk_tick(w.talk, 4200, &err), 0);
	cr_assert(heard("enrol"));
	answer("\"key\":\"short\",\"cert\":\"PEM\"", 4300);
	cr_assert_eq(talk_tick(w.talk, 6300, &err), 0);
	cr_assert(heard("enrol"));
	/* No answer at all ends the connection. */
	cr_assert_eq(talk_tick(w.talk, 6300 + 10000, &err), PST_ETIMEOUT);
}

Test(windows_talk, without_a_token_or_a_state_nothing_is_said)
{
	w.has_token = w.is_ready = false;
	talk_connected(w.talk, 0);
	cr_assert_null(hear());
	talk_set_enrolled(w.talk, true);
	talk_connected(w.talk, 0);
	cr_assert_null(hear());
	w.is_ready = true;
	talk_greet(w.talk, 5);
	cr_assert(heard("hello"));
}

Test(windows_talk, orders_are_taken_after_hello_only)
{
	talk_set_enrolled(w.talk, true);
	talk_connected(w.talk, 0);
	cr_assert(heard("hello"));
	cr_assert_eq(tell("{\"op\":\"logoff\",\"reason_en\":\"x\"}", 0), 0);
	cr_assert_str_eq(w.seen, "");
	answer("", 0);
	tell("{\"op\":\"lease\",\"user\":\"ana\",\"epoch\":9}", 0);
	tell("{\"op\":\"lease\",\"user\":\"ana\",\"epoch\":-9}", 0);
	tell("{\"op\":\"message\",\"text\":\"hola\"}", 0);
	tell("{\"op\":\"message\"}", 0);
	tell("{\"op\":\"logoff\"}", 0);
	tell("{\"op\":\"power\",\"what\":\"restart\"}", 0);
	tell("{\"op\":\"power\",\"what\":\"explode\"}", 0);
	tell("{\"op\":\"nothing\"}", 0);
	cr_assert_str_eq(w.seen, "lease(ana 9) lease(ana 0) message(hola) logoff(the session was ended by an administrator) power(restart) ");
}

Test(windows_talk, a_certificate_is_renewed)
{
	struct pst_err err = PST_ERR_INIT;

	w.is_due = true;
	greet();
	cr_assert(heard("renew"));
	answer("\"cert\":\"NEW\"", 0);
	cr_assert_str_eq(w.seen, "cert(NEW) log(certificate renewed) ");
	w.is_due = false;
	cr_assert_eq(talk_tick(w.talk, 3600000, &err), 0);
	cr_assert_null(hear());
	cr_assert_gt(talk_next_ms(w.talk), 3600000);
}

Test(windows_talk, a_hostile_broker_is_left)
{
	static const struct {
		const char *bytes;
		size_t len;
	} cases[] = {
		{ "\xff\xff\xff\xff", 4 },             /* a descriptor, and far too long */
		{ "\x80\x00\x00\x02{}", 6 },           /* a descriptor */
		{ "\x00\x01\x00\x01", 4 },             /* above the ceiling */
		{ "\x00\x00\x00\x02[]", 6 },           /* no object */
		{ "\x00\x00\x00\x05{\"a\":", 9 },      /* half of one */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;

		talk_connected(w.talk, 0);
		cr_expect_lt(talk_receive(w.talk, cases[i].bytes, cases[i].len, 0, &err), 0, "case %zu", i);
		talk_closed(w.talk);
	}
	/* An answer that nobody asked for, or to an earlier call, says nothing. */
	greet();
	cr_assert_eq(tell("{\"re\":999,\"key\":\"" KEY "\",\"cert\":\"PEM\"}", 0), 0);
	cr_assert_str_eq(w.seen, "");
}
