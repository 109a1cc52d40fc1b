/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The manifest of an image's version, there and back. */
#include "broker/hypervisor/disk/manifest.h"

#include "base/json.h"
#include "base/text.h"

#include <string.h>

static const char *const known[] = { "v", "image", "version", "format", "size", "file_size", "sha256", "created",
	"id", NULL };

#define FORMAT_OCI "oci"

char *manifest_text(const struct manifest *m, size_t *ret_len)
{
	json_t *obj = json_pack("{s:i, s:s, s:s, s:s, s:I, s:I, s:s, s:s}", "v", 1, "image", m->image, "version",
		m->version, "format", m->is_oci ? FORMAT_OCI : disk_format_name(m->format), "size", (json_int_t)m->size, "file_size",
		(json_int_t)m->file_size, "sha256", m->sha256, "created", m->created);
	char *text = NULL;

	if (obj && (!m->is_oci || json_object_set_new(obj, "id", json_string(m->id)) == 0))
		text = pst_json_text(obj, ret_len);
	json_decref(obj);
	return text;
}

static int name_read(const json_t *obj, const char *key, char out[DISK_NAME_MAX + 1], struct pst_err *err)
{
	const char *name;

	if (pst_json_need_str(obj, key, DISK_NAME_MAX, &name, err) < 0)
		return err->code;
	if (!disk_name_valid(name))
		return pst_err_set(err, PST_EINVAL, "%s: not a usable name", key);
	return pst_strlcpy(out, DISK_NAME_MAX + 1, name);
}

static int sizes_read(const json_t *obj, struct manifest *m, struct pst_err *err)
{
	int64_t size, file_size;

	if (pst_json_need_int(obj, "size", 1, INT64_MAX, &size, err) < 0 ||
		pst_json_need_int(obj, "file_size", 1, INT64_MAX, &file_size, err) < 0)
		return err->code;
	m->size = (uint64_t)size;
	m->file_size = (uint64_t)file_size;
	return 0;
}

static bool is_digest(const char *text)
{
	return strlen(text) == PST_SHA256_HEX_SIZE - 1 && strspn(text, "0123456789abcdef") == PST_SHA256_HEX_SIZE - 1;
}

/* What it is, and of a container image which one. */
static int format_read(const json_t *obj, struct manifest *m, struct pst_err *err)
{
	const char *format, *id;

	if (pst_json_need_str(obj, "format", 16, &format, err) < 0 || pst_json_opt_str(obj, "id", PST_SHA256_HEX_SIZE - 1, "", &id, err) < 0)
		return err->code;
	m->is_oci = strcmp(format, FORMAT_OCI) == 0;
	if (!m->is_oci && disk_format_parse(format, &m->format) < 0)
		return pst_err_set(err, PST_EINVAL, "format: is none that is known");
	if (m->is_oci ? !is_digest(id) : id[0] != '\0')
		return pst_err_set(err, PST_EINVAL, "id: is no digest, or not of a container image");
	return pst_strlcpy(m->id, sizeof(m->id), id);
}

static int words_read(const json_t *obj, struct manifest *m, struct pst_err *err)
{
	const char *sha256, *created;
	int64_t ms;

	if (format_read(obj, m, err) < 0 || pst_json_need_str(obj, "sha256", PST_SHA256_HEX_SIZE - 1, &sha256, err) < 0 ||
		pst_json_need_str(obj, "created", PST_RFC3339_SIZE - 1, &created, err) < 0)
		return err->code;
	if (!is_digest(sha256))
		return pst_err_set(err, PST_EINVAL, "sha256: is no digest");
	if (pst_rfc3339_parse(created, &ms) < 0)
		return pst_err_set(err, PST_EINVAL, "created: is no time");
	pst_strlcpy(m->sha256, sizeof(m->sha256), sha256);
	return pst_strlcpy(m->created, sizeof(m->created), created);
}

int manifest_parse(const char *text, size_t len, struct manifest *ret_manifest, struct pst_err *err)
{
	struct manifest m = { .format = DISK_RAW };
	json_t *obj = len > MANIFEST_MAX ? NULL : pst_json_parse(text, len, 1, err);
	int64_t v;
	int rc;

	if (!obj)
		return len > MANIFEST_MAX ? pst_err_set(err, PST_EINVAL, "a manifest is too long") : err->code;
	rc = pst_json_only(obj, known, err);
	if (rc == 0)
		rc = pst_json_need_int(obj, "v", 1, 1, &v, err);
	if (rc == 0)
		rc = name_read(obj, "image", m.image, err);
	if (rc == 0)
		rc = name_read(obj, "version", m.version, err);
	if (rc == 0)
		rc = sizes_read(obj, &m, err);
	if (rc == 0)
		rc = words_read(obj, &m, err);
	json_decref(obj);
	if (rc < 0)
		return rc;
	*ret_manifest = m;
	return 0;
}
