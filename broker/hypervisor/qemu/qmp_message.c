/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The key says the kind. */
#include "broker/hypervisor/qemu/qmp_message.h"

#include "base/json.h"

#include <string.h>

#define NAME_MAX_LEN 64
#define WORDS_MAX 4096

static int event_read(json_t *o, struct qmp_message *m, struct pst_err *err)
{
	m->kind = QMP_EVENT;
	m->value = json_object_get(o, "data");
	if (m->value && !json_is_object(m->value))
		return pst_err_set(err, PST_EPROTO, "data: is no object");
	return pst_json_need_str(o, "event", NAME_MAX_LEN, &m->text, err);
}

static int error_read(json_t *o, struct qmp_message *m, struct pst_err *err)
{
	json_t *error;

	m->kind = QMP_ERROR;
	if (pst_json_need_obj(o, "error", &error, err) < 0)
		return err->code;
	return pst_json_need_str(error, "desc", WORDS_MAX, &m->text, err);
}

static int kind_read(json_t *o, struct qmp_message *m, struct pst_err *err)
{
	m->id = pst_json_int(o, "id", 0, INT64_MAX, -1);
	if (json_object_get(o, "event"))
		return event_read(o, m, err);
	if (json_object_get(o, "error"))
		return error_read(o, m, err);
	m->value = json_object_get(o, "return");
	m->kind = m->value ? QMP_RETURN : QMP_GREETING;
	if (m->value || json_is_object(json_object_get(o, "QMP")))
		return 0;
	return pst_err_set(err, PST_EPROTO, "it is no greeting, answer or event");
}

int qmp_message_read(const char *line, size_t len, struct qmp_message *ret, struct pst_err *err)
{
	memset(ret, 0, sizeof(*ret));
	ret->id = -1;
	ret->text = "";
	ret->root = len <= QMP_LINE_MAX ? pst_json_parse(line, len, QMP_DEPTH_MAX, err) : NULL;
	if (!ret->root)
		return pst_err_set(err, PST_EPROTO, "QEMU's monitor said what is no JSON");
	if (!json_is_object(ret->root))
		pst_err_set(err, PST_EPROTO, "it is no object");
	else if (kind_read(ret->root, ret, err) == 0)
		return 0;
	qmp_message_finish(ret);
	pst_err_wrap(err, "QEMU's monitor");
	return err->code = PST_EPROTO;
}

void qmp_message_finish(struct qmp_message *m)
{
	json_decref(m->root);
	memset(m, 0, sizeof(*m));
	m->text = "";
}
