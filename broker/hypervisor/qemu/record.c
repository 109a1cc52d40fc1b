/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the driver has promised about a desktop, on disk before it is done. */
#include "broker/hypervisor/qemu/qemu_priv.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_MAX (64u * 1024)

static const char *const phases[] = { "creating", "running", "stopped", "suspended", "destroying" };

int qm_path(const struct qemu *q, const char *desktop, const char *name, char out[PATH_MAX], struct pst_err *err)
{
	if (!name)
		return path_make(out, err, "%s/desktops/%s", q->set.directory, desktop);
	return path_make(out, err, "%s/desktops/%s/%s", q->set.directory, desktop, name);
}

void qm_address(uid_t uid, char out[QM_ADDRESS_SIZE])
{
	snprintf(out, QM_ADDRESS_SIZE, "127.%u.%u.%u", (unsigned)(uid >> 16 & 255), (unsigned)(uid >> 8 & 255), (unsigned)(uid & 255));
}

enum disk_format qm_golden_format(const char *path)
{
	return pst_str_ends(path, ".qcow2") ? DISK_QCOW2 : DISK_RAW;
}

static json_t *snapshots_json(const struct qm_record *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->snapshots_n; i++) {
		const struct qm_snapshot *s = &r->snapshots[i];

		json_array_append_new(list, json_pack("{s:s,s:b,s:b,s:i,s:i}", "name", s->name, "whole", s->is_whole, "memory",
						    s->has_memory, "memory_mb", (int)s->memory_mb, "cpu_percent", (int)s->cpu_percent));
	}
	return list;
}

int qm_record_save(const struct qemu *q, const struct qm_record *r, struct pst_err *err)
{
	char path[PATH_MAX], *text = NULL;
	json_t *obj;
	int rc;

	if (qm_path(q, r->request.desktop, "record.json", path, err) < 0)
		return err->code;
	obj = json_pack("{s:i,s:s,s:I,s:s,s:s,s:i,s:b,s:b,s:o,s:o}", "v", 1, "phase", phases[r->phase], "uid", (json_int_t)r->uid, "parent", r->parent,
		"address", r->address, "plugs", (int)r->plugs, "tpm", r->has_tpm, "secure", r->is_secure,
		"request", request_json(&r->request), "snapshots", snapshots_json(r));
	if (obj)
		text = pst_json_text(obj, NULL);
	json_decref(obj);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = pst_file_write(path, text, strlen(text), 0600, err);
	free(text);
	return rc;
}

static int phase_read(const json_t *obj, struct qm_record *r, struct pst_err *err)
{
	const char *phase;

	if (pst_json_need_str(obj, "phase", 16, &phase, err) < 0)
		return err->code;
	for (size_t i = 0; i < PST_ARRAY_LEN(phases); i++) {
		if (strcmp(phase, phases[i]) == 0) {
			r->phase = (enum qm_phase)i;
			return 0;
		}
	}
	return pst_err_set(err, PST_EINVAL, "phase: \"%s\" is not known", phase);
}

static int snapshots_read(const json_t *obj, struct qm_record *r, struct pst_err *err)
{
	json_t *list, *item;
	size_t i;

	if (pst_json_need_arr(obj, "snapshots", QM_SNAPSHOTS_MAX, &list, err) < 0)
		return err->code;
	json_array_foreach(list, i, item)
	{
		struct qm_snapshot *s = &r->snapshots[i];
		int64_t memory, cpu;
		const char *name;

		if (pst_json_need_str(item, "name", sizeof(s->name) - 1, &name, err) < 0 ||
			pst_json_need_bool(item, "whole", &s->is_whole, err) < 0 ||
			pst_json_need_bool(item, "memory", &s->has_memory, err) < 0 ||
			pst_json_need_int(item, "memory_mb", 0, REQUEST_MEMORY_MAX_MB, &memory, err) < 0 ||
			pst_json_need_int(item, "cpu_percent", 0, INT32_MAX, &cpu, err) < 0)
			return err->code;
		pst_strlcpy(s->name, sizeof(s->name), name);
		s->memory_mb = (uint32_t)memory;
		s->cpu_percent = (uint32_t)cpu;
		r->snapshots_n = i + 1;
	}
	return 0;
}

static int fields_read(const json_t *obj, struct qm_record *r, struct pst_err *err)
{
	const char *parent, *address;
	json_t *request;
	int64_t uid, plugs;

	if (phase_read(obj, r, err) < 0 || pst_json_need_int(obj, "uid", 1000, INT32_MAX, &uid, err) < 0 ||
		pst_json_need_str(obj, "parent", QM_KEY_SIZE - 1, &parent, err) < 0 ||
		pst_json_need_str(obj, "address", LV_ADDRESS_SIZE - 1, &address, err) < 0 ||
		pst_json_opt_int(obj, "plugs", 1, QM_PLUGS, 1, &plugs, err) < 0 || pst_json_opt_bool(obj, "tpm", false, &r->has_tpm, err) < 0 ||
		pst_json_opt_bool(obj, "secure", false, &r->is_secure, err) < 0 ||
		pst_json_need_obj(obj, "request", &request, err) < 0 || request_parse(request, &r->request, err) < 0)
		return err->code;
	r->uid = (uid_t)uid;
	r->plugs = (unsigned)plugs;
	pst_strlcpy(r->parent, sizeof(r->parent), parent);
	pst_strlcpy(r->address, sizeof(r->address), address);
	return snapshots_read(obj, r, err);
}

int qm_record_load(const struct qemu *q, const char *desktop, struct qm_record *ret, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	struct qm_record r;
	json_t *obj;
	size_t len;
	int rc;

	if (qm_path(q, desktop, "record.json", path, err) < 0 || pst_file_read(path, RECORD_MAX, &text, &len, err) < 0)
		return err->code;
	obj = pst_json_parse(text, len, 4, err);
	free(text);
	memset(&r, 0, sizeof(r));
	rc = obj ? fields_read(obj, &r, err) : err->code;
	if (rc == 0 && strcmp(r.request.desktop, desktop) != 0)
		rc = pst_err_set(err, PST_EINVAL, "it is of another desktop");
	json_decref(obj);
	if (rc < 0)
		return pst_err_wrap(err, "%s", path);
	*ret = r;
	return 0;
}
