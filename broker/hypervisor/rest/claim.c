/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Claims as JSON, and what follows from them. */
#include "broker/hypervisor/rest/claim.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/request.h"

#include <stdlib.h>
#include <string.h>

static const char *const phases[] = { "creating", "running", "stopped", "destroying" };

char *claim_text(const struct claim *c, struct pst_err *err)
{
	json_t *o = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:o}", "v", 1, "instance", c->instance, "provider", c->provider, "place", c->place,
		"phase", phases[c->phase], "address", c->address, "request", request_json(&c->request));
	size_t len = 0;
	char *text = o ? pst_json_text(o, &len) : NULL;

	json_decref(o);
	if (!text) {
		pst_err_set(err, PST_ENOMEM, "no memory");
	} else if (len > CLAIM_MAX) {
		pst_err_set(err, PST_ELIMIT, "what is asked for desktop %s does not fit into %u bytes: give its image a shorter name", c->request.desktop,
			CLAIM_MAX);
		free(text);
		text = NULL;
	}
	return text;
}

static int phase_read(const json_t *o, struct claim *c, struct pst_err *err)
{
	const char *phase;

	if (pst_json_need_str(o, "phase", 16, &phase, err) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(phases); i++) {
		if (strcmp(phase, phases[i]) == 0) {
			c->phase = (enum claim_phase)i;
			return 0;
		}
	}
	return pst_err_set(err, PST_EINVAL, "phase: \"%s\" is not known", phase);
}

static int fields_read(const json_t *o, struct claim *c, struct pst_err *err)
{
	const char *instance, *provider, *place, *address;
	json_t *request;

	if (pst_json_need_str(o, "instance", sizeof(c->instance) - 1, &instance, err) < 0 ||
		pst_json_need_str(o, "provider", sizeof(c->provider) - 1, &provider, err) < 0 ||
		pst_json_need_str(o, "place", sizeof(c->place) - 1, &place, err) < 0 ||
		pst_json_need_str(o, "address", sizeof(c->address) - 1, &address, err) < 0 || phase_read(o, c, err) < 0 ||
		pst_json_need_obj(o, "request", &request, err) < 0 || request_parse(request, &c->request, err) < 0)
		return err->code;
	pst_strlcpy(c->instance, sizeof(c->instance), instance);
	pst_strlcpy(c->provider, sizeof(c->provider), provider);
	pst_strlcpy(c->place, sizeof(c->place), place);
	pst_strlcpy(c->address, sizeof(c->address), address);
	c->request.enrol_token[0] = '\0';
	return 0;
}

int claim_parse(const char *text, struct claim *ret, struct pst_err *err)
{
	const char *from = strchr(text, '{'), *to = strrchr(text, '}');
	struct claim c;
	json_t *o;
	int rc;

	if (!from || !to || to < from || (size_t)(to - from) >= CLAIM_MAX)
		return pst_err_set(err, PST_EINVAL, "the text has no claim of at most %u bytes", CLAIM_MAX);
	o = pst_json_parse(from, (size_t)(to - from) + 1, 4, err);
	memset(&c, 0, sizeof(c));
	rc = o ? fields_read(o, &c, err) : err->code;
	json_decref(o);
	if (rc == 0)
		*ret = c;
	return rc;
}

bool claim_is_ours(const struct claim *c, const char *instance, const char *provider, const char *place)
{
	return strcmp(c->instance, instance) == 0 && strcmp(c->provider, provider) == 0 && strcmp(c->place, place) == 0;
}

int claim_rank(enum claim_phase phase)
{
	return phase == CLAIM_RUNNING || phase == CLAIM_STOPPED ? 2 : phase == CLAIM_CREATING ? 1 : 0;
}

enum machine_state claim_state(const struct claim *c, bool is_running, char reason[MACHINE_REASON_SIZE])
{
	static const char *const words[] = { "its creation or its refresh was interrupted", "it was switched off at the hypervisor, or its guest shut down",
		"", "its removal was interrupted" };

	reason[0] = '\0';
	if (is_running && c->phase != CLAIM_DESTROYING)
		return MACHINE_RUNNING;
	pst_strlcpy(reason, MACHINE_REASON_SIZE, words[c->phase]);
	return c->phase == CLAIM_STOPPED ? MACHINE_STOPPED : MACHINE_FAILED;
}
