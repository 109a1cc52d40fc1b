/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the driver has promised about a desktop, on disk before it is done. */
#include "broker/hypervisor/local/local_priv.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/request.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_MAX (64 * 1024)

static const char *const phases[] = { "creating", "running", "destroying", "stopped" };

int desktop_path(const struct local *l, const char *desktop, const char *name, char out[PATH_MAX],
	struct pst_err *err)
{
	if (!name)
		return path_make(out, err, "%s/%s", l->desktops, desktop);
	return path_make(out, err, "%s/%s/%s", l->desktops, desktop, name);
}

int record_save(const struct local *l, const struct record *r, struct pst_err *err)
{
	char path[PATH_MAX], *text = NULL;
	json_t *obj;
	size_t len;
	int rc;

	if (desktop_path(l, r->request.desktop, "state.json", path, err) < 0)
		return err->code;
	obj = json_pack("{s:i,s:s,s:I,s:o}", "v", 1, "phase", phases[r->phase], "uid",
		(json_int_t)r->uid, "request", request_json(&r->request));
	if (obj)
		text = pst_json_text(obj, &len);
	json_decref(obj);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = pst_file_write(path, text, len, 0600, err);
	free(text);
	return rc;
}

static int record_read(const json_t *obj, struct record *ret, struct pst_err *err)
{
	const char *phase;
	json_t *request;
	int64_t uid;

	if (pst_json_need_str(obj, "phase", 16, &phase, err) < 0 ||
		pst_json_need_int(obj, "uid", 1000, INT32_MAX, &uid, err) < 0 ||
		pst_json_need_obj(obj, "request", &request, err) < 0 ||
		request_parse(request, &ret->request, err) < 0)
		return err->code;
	ret->uid = (uid_t)uid;
	for (size_t i = 0; i < PST_ARRAY_LEN(phases); i++) {
		if (strcmp(phase, phases[i]) == 0) {
			ret->phase = (enum record_phase)i;
			return 0;
		}
	}
	return pst_err_set(err, PST_EINVAL, "phase: \"%s\" is not known", phase);
}

int record_load(const struct local *l, const char *desktop, struct record *ret, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	struct record r;
	json_t *obj;
	size_t len;
	int rc;

	if (desktop_path(l, desktop, "state.json", path, err) < 0 ||
		pst_file_read(path, RECORD_MAX, &text, &len, err) < 0)
		return err->code;
	obj = pst_json_parse(text, len, 4, err);
	free(text);
	memset(&r, 0, sizeof(r));
	rc = obj ? record_read(obj, &r, err) : err->code;
	if (rc == 0 && strcmp(r.request.desktop, desktop) != 0)
		rc = pst_err_set(err, PST_EINVAL, "it is of another desktop");
	json_decref(obj);
	if (rc < 0)
		return pst_err_wrap(err, "%s", path);
	*ret = r;
	return 0;
}
