/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records to and from lines of JSON. */
#include "broker/hypervisor/ssh/record.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/request.h"

#include <string.h>

static const char *const phases[] = { "creating", "running", "stopped", "destroying" };

static json_t *snapshots_json(const struct ssh_record *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->snapshots_n; i++) {
		const struct ssh_snapshot *s = &r->snapshots[i];

		json_array_append_new(list, json_pack("{s:s,s:b,s:b}", "name", s->name, "ran", (int)s->ran, "whole", (int)s->whole));
	}
	return list;
}

char *ssh_record_text(const struct ssh_record *r)
{
	json_t *o = json_pack("{s:i,s:s,s:s,s:o,s:o}", "v", 1, "phase", phases[r->phase], "address", r->address, "snapshots",
		snapshots_json(r), "request", request_json(&r->request));
	char *text = o ? pst_json_text(o, NULL) : NULL;

	json_decref(o);
	return text;
}

static int phase_read(const json_t *o, struct ssh_record *r, struct pst_err *err)
{
	const char *phase;

	if (pst_json_need_str(o, "phase", 16, &phase, err) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(phases); i++) {
		if (strcmp(phase, phases[i]) == 0) {
			r->phase = (enum ssh_phase)i;
			return 0;
		}
	}
	return pst_err_set(err, PST_EINVAL, "phase: \"%s\" is not known", phase);
}

static int snapshots_read(const json_t *o, struct ssh_record *r, struct pst_err *err)
{
	const json_t *list = json_object_get(o, "snapshots");
	size_t i;
	json_t *item;

	if (json_array_size(list) > SSH_SNAPSHOTS_MAX)
		return pst_err_set(err, PST_ELIMIT, "more than %d snapshots", SSH_SNAPSHOTS_MAX);
	json_array_foreach((json_t *)list, i, item)
	{
		struct ssh_snapshot *s = &r->snapshots[i];
		const char *name;

		if (pst_json_need_str(item, "name", sizeof(s->name) - 1, &name, err) < 0)
			return err->code;
		pst_strlcpy(s->name, sizeof(s->name), name);
		s->ran = pst_json_bool(item, "ran", false);
		s->whole = pst_json_bool(item, "whole", false);
	}
	r->snapshots_n = json_array_size(list);
	return 0;
}

static int fields_read(const json_t *o, struct ssh_record *r, struct pst_err *err)
{
	const char *address;
	json_t *request;

	if (pst_json_need_str(o, "address", sizeof(r->address) - 1, &address, err) < 0 ||
		pst_json_need_obj(o, "request", &request, err) < 0 || phase_read(o, r, err) < 0 ||
		snapshots_read(o, r, err) < 0 || request_parse(request, &r->request, err) < 0)
		return err->code;
	return pst_strlcpy(r->address, sizeof(r->address), address);
}

int ssh_record_parse(const char *line, size_t len, struct ssh_record *ret, struct pst_err *err)
{
	json_t *o = len <= SSH_RECORD_MAX ? pst_json_parse(line, len, 4, err) : NULL;
	int rc;

	if (len > SSH_RECORD_MAX)
		return pst_err_set(err, PST_ELIMIT, "a record has more than %u bytes", SSH_RECORD_MAX);
	memset(ret, 0, sizeof(*ret));
	rc = o ? fields_read(o, ret, err) : err->code;
	json_decref(o);
	return rc;
}

struct ssh_snapshot *ssh_record_snapshot(struct ssh_record *r, const char *name)
{
	for (size_t i = 0; i < r->snapshots_n; i++) {
		if (strcmp(r->snapshots[i].name, name) == 0)
			return &r->snapshots[i];
	}
	return NULL;
}

void ssh_record_snapshot_remove(struct ssh_record *r, struct ssh_snapshot *s)
{
	size_t i = (size_t)(s - r->snapshots);

	PRE(i < r->snapshots_n);
	memmove(s, s + 1, (r->snapshots_n - i - 1) * sizeof(*s));
	r->snapshots_n--;
}
