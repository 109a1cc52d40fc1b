/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the agent for Windows reads: by the first byte a message of the broker's, a seed, its own state, an RDP server's answer. */
#include "agent/windows/birth.h"
#include "agent/windows/fields.h"
#include "agent/windows/greeting.h"
#include "agent/windows/hold.h"
#include "agent/windows/talk.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool on_token(void *arg, const char **ret_desktop, const char **ret_token)
{
	*ret_desktop = *ret_token = "x";
	return true;
}

static int on_request(void *arg, const char *desktop, char **ret_csr, struct pst_err *err)
{
	*ret_csr = strdup("CSR");
	return 0;
}

static int on_certified(void *arg, const char *cert_pem, struct pst_err *err)
{
	return 0;
}

static int on_enrolled(void *arg, const uint8_t key[LEASE_KEY_SIZE], struct pst_err *err)
{
	return 0;
}

static bool on_is_due(void *arg)
{
	return true;
}

static bool on_state(void *arg, struct talk_state *ret)
{
	ret->desktop = ret->boot = "x";
	return true;
}

static void on_lease(void *arg, const char *user, uint64_t epoch)
{
	struct hold h = { .account = "" };
	struct pst_err err = PST_ERR_INIT;
	bool changed;

	hold_lease(&h, user, epoch, &changed, &err);
}

static void on_text(void *arg, const char *text)
{
}

static void on_power(void *arg, bool is_restart)
{
}

static const struct talk_events events = { on_token, on_request, on_certified, on_enrolled, on_is_due, on_state, on_lease, on_text, on_text, on_power, on_text };

static void talk(const uint8_t *data, size_t size)
{
	struct talk *t = talk_create(&events, NULL);
	struct pst_err err = PST_ERR_INIT;
	uint64_t now = 0;

	if (!t)
		return;
	talk_set_enrolled(t, size % 2);
	talk_connected(t, now);
	for (size_t at = 0, n; at < size; at += n) {
		n = size - at < 97 ? size - at : 97;
		if (talk_receive(t, data + at, n, now, &err) < 0 || talk_tick(t, now += 500, &err) < 0)
			break;
	}
	talk_destroy(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	struct birth b;
	struct hold h;

	if (size == 0)
		return 0;
	const char *text = (const char *)data + 1;
	switch (data[0] % 4) {
	case 0:
		talk(data + 1, size - 1);
		break;
	case 1:
		birth_parse(text, size - 1, &b, &err);
		birth_finish(&b);
		break;
	case 2:
		hold_read(text, size - 1, &h, &err);
		break;
	case 3:
		greeting_check(data + 1, size - 1, &err);
		break;
	}
	return 0;
}
