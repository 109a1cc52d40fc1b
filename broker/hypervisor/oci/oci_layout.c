/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From an archive's members to its one image. */
#include "broker/hypervisor/oci/oci_layout.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#define MEMBERS_MAX 4096
#define DOCUMENT_MAX (4u << 20) /* bytes; a configuration has its whole history */
#define DEPTH_MAX 16
#define INDEXES_MAX 3 /* in one another */
#define INDEXES_READ_MAX 64 /* of one archive, each as often as it is named */
#define LINKS_MAX 4
#define MANIFESTS_MAX 256 /* of one index */

struct finding {
	int fd;
	const struct members *m;
	const char *architecture;
	struct oci_image *image;
	unsigned images;                    /* that fit, at the top */
	unsigned indexes;                   /* that were read */
};

/* --- members ------------------------------------------------------------------------ */

static const char *name_plain(const char *name)
{
	while (name[0] == '.' && name[1] == '/')
		name += 2;
	return name;
}

static const struct member *member_of(const struct members *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++) {
		if (strcmp(m->list[i].name, name) == 0)
			return &m->list[i];
	}
	return NULL;
}

static int member_keep(struct members *m, const struct record *r, struct pst_err *err)
{
	struct member *list;

	if (m->n == m->room) {
		size_t room = m->room ? 2 * m->room : 64;

		list = realloc(m->list, room * sizeof(*list));
		if (!list)
			return pst_err_set(err, PST_ENOMEM, "no memory");
		m->list = list;
		m->room = room;
	}
	m->list[m->n] = (struct member){ .name = strdup(name_plain(r->path)), .link = r->kind == RECORD_SYMLINK ? strdup(r->link) : NULL,
		.offset = r->offset, .size = r->size };
	if (!m->list[m->n].name || (r->kind == RECORD_SYMLINK && !m->list[m->n].link)) {
		free(m->list[m->n].name);
		return pst_err_set(err, PST_ENOMEM, "no memory");
	}
	m->n++;
	return 0;
}

int members_add(struct members *m, const struct record *r, uint64_t file_size, struct pst_err *err)
{
	if (r->kind != RECORD_MEMBER && r->kind != RECORD_SYMLINK)
		return 0;
	if (m->n >= MEMBERS_MAX)
		return pst_err_set(err, PST_ELIMIT, "the archive has more than %d members: it is no image", MEMBERS_MAX);
	if (r->kind == RECORD_MEMBER && (r->offset > file_size || r->size > file_size - r->offset))
		return pst_err_set(err, PST_EINVAL, "the archive is cut off in %.100s", r->path);
	/* Readers do not agree on which one counts. */
	if (member_of(m, name_plain(r->path)))
		return pst_err_set(err, PST_EINVAL, "the archive has %.100s twice", r->path);
	return member_keep(m, r, err);
}

void members_finish(struct members *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->list[i].name);
		free(m->list[i].link);
	}
	free(m->list);
	*m = (struct members){ 0 };
}

/* Where a link in the folder of from leads; false when that is out of the archive. */
static bool link_resolve(const char *from, const char *link, char out[2 * RECORD_PATH_MAX])
{
	const char *slash = strrchr(from, '/');
	size_t n = link[0] == '/' || !slash ? 0 : (size_t)(slash - from);

	memcpy(out, from, n);
	out[n] = '\0';
	for (const char *p = link; *p;) {
		size_t part = strcspn(p, "/");

		if (part == 2 && p[0] == '.' && p[1] == '.') {
			char *up = strrchr(out, '/');

			if (!out[0])
				return false;
			*(up ? up : out) = '\0';
		} else if (part > 0 && !(part == 1 && p[0] == '.')) {
			n = strlen(out);
			if (n + part + 2 > 2 * RECORD_PATH_MAX)
				return false;
			snprintf(out + n, 2 * RECORD_PATH_MAX - n, "%s%.*s", n ? "/" : "", (int)part, p);
		}
		p += part + (p[part] == '/');
	}
	return true;
}

/* Of that name, links followed. */
static const struct member *member_find(const struct finding *f, const char *name, struct pst_err *err)
{
	char path[2 * RECORD_PATH_MAX];
	const struct member *found = member_of(f->m, name_plain(name));

	for (int i = 0; found && found->link && i < LINKS_MAX; i++)
		found = link_resolve(found->name, found->link, path) ? member_of(f->m, path) : NULL;
	if (!found || found->link)
		pst_err_set(err, PST_EINVAL, "the archive has no %.120s", name);
	return found && !found->link ? found : NULL;
}

/* --- documents ------------------------------------------------------------------------- */

/* Returns owned, zero-terminated. digest: "" or what it has to have. */
static char *document_read(const struct finding *f, const struct member *m, const char *digest, struct pst_err *err)
{
	char is[PST_SHA256_HEX_SIZE], *text;
	size_t n = 0;

	if (m->size > DOCUMENT_MAX) {
		pst_err_set(err, PST_ELIMIT, "%.120s in the archive is larger than %u MB", m->name, DOCUMENT_MAX >> 20);
		return NULL;
	}
	text = pst_zalloc(1, (size_t)m->size + 1);
	while (text && n < m->size) {
		ssize_t got = pread(f->fd, text + n, (size_t)m->size - n, (off_t)(m->offset + n));

		if (got <= 0 && errno != EINTR)
			break;
		n += got > 0 ? (size_t)got : 0;
	}
	if (!text || n < m->size) {
		pst_err_set(err, text ? PST_EIO : PST_ENOMEM, text ? "the archive cannot be read" : "no memory");
		free(text);
		return NULL;
	}
	pst_sha256_hex(text, n, is);
	if (!digest[0] || strcmp(is, digest) == 0)
		return text;
	pst_err_set(err, PST_EINVAL, "%.120s in the archive is not what its digest says: the archive is damaged", m->name);
	free(text);
	return NULL;
}

static bool is_digest(const char *hex)
{
	return strlen(hex) == PST_SHA256_HEX_SIZE - 1 && strspn(hex, "0123456789abcdef") == PST_SHA256_HEX_SIZE - 1;
}

/* "sha256:…" to its digits. */
static int digest_read(const char *text, char out[PST_SHA256_HEX_SIZE], struct pst_err *err)
{
	if (!text || !pst_str_starts(text, "sha256:") || !is_digest(text + strlen("sha256:")))
		return pst_err_set(err, PST_EUNSUPPORTED, "the archive has a digest that is no SHA-256: \"%.40s\"", text ? text : "");
	return pst_strlcpy(out, PST_SHA256_HEX_SIZE, text + strlen("sha256:"));
}

/* The blob of a descriptor (image-spec, descriptor.md), of the size that it says. */
static const struct member *blob_find(const struct finding *f, const json_t *descriptor, char ret_digest[PST_SHA256_HEX_SIZE], struct pst_err *err)
{
	const struct member *m;
	char name[100];

	if (digest_read(pst_json_str(descriptor, "digest", 200), ret_digest, err) < 0)
		return NULL;
	snprintf(name, sizeof(name), "blobs/sha256/%s", ret_digest);
	m = member_find(f, name, err);
	if (m && (int64_t)m->size != pst_json_int(descriptor, "size", 0, INT64_MAX, -1)) {
		pst_err_set(err, PST_EINVAL, "%s in the archive has not the size that its manifest says", name);
		return NULL;
	}
	return m;
}

static json_t *json_read(const struct finding *f, const struct member *m, const char *digest, struct pst_err *err)
{
	char *text = document_read(f, m, digest, err);
	json_t *o = text ? pst_json_parse(text, (size_t)m->size, DEPTH_MAX, err) : NULL;

	if (text && !o)
		pst_err_wrap(err, "%.100s in the archive", m->name);
	free(text);
	return o;
}

static json_t *blob_json(const struct finding *f, const json_t *descriptor, struct pst_err *err)
{
	char digest[PST_SHA256_HEX_SIZE];
	const struct member *m = blob_find(f, descriptor, digest, err);

	return m ? json_read(f, m, digest, err) : NULL;
}

/* --- the configuration -------------------------------------------------------------------- */

static int diff_ids_read(const struct finding *f, const json_t *config, struct pst_err *err)
{
	struct oci_image *i = f->image;
	const json_t *ids = json_object_get(json_object_get(config, "rootfs"), "diff_ids");

	if (json_array_size(ids) != i->n_layers || i->n_layers == 0)
		return pst_err_set(err, PST_EINVAL, "the image has %zu layers and its configuration names %zu", i->n_layers, json_array_size(ids));
	for (size_t k = 0; k < i->n_layers; k++) {
		if (digest_read(json_string_value(json_array_get(ids, k)), i->layers[k].diff_id, err) < 0)
			return err->code;
	}
	return 0;
}

static bool runs_here(const struct finding *f, const json_t *platform)
{
	const char *os = pst_json_str(platform, "os", 40), *architecture = pst_json_str(platform, "architecture", 40);

	return os && architecture && strcmp(os, "linux") == 0 && strcmp(architecture, f->architecture) == 0;
}

static int config_judge(const struct finding *f, const json_t *config, struct pst_err *err)
{
	const char *os = pst_json_str(config, "os", 40), *architecture = pst_json_str(config, "architecture", 40);

	if (!runs_here(f, config))
		return pst_err_set(err, PST_EUNSUPPORTED, "the image is for %.40s/%.40s and not for linux/%s", os ? os : "?", architecture ? architecture : "?",
			f->architecture);
	return diff_ids_read(f, config, err);
}

static int config_take(const struct finding *f, const struct member *m, const char *digest, struct pst_err *err)
{
	struct oci_image *i = f->image;
	json_t *config;
	int rc;

	i->config = document_read(f, m, digest, err);
	if (!i->config)
		return err->code;
	i->config_len = (size_t)m->size;
	pst_sha256_hex(i->config, i->config_len, i->id);
	config = pst_json_parse(i->config, i->config_len, DEPTH_MAX, err);
	if (!config)
		return pst_err_wrap(err, "the image's configuration");
	rc = config_judge(f, config, err);
	json_decref(config);
	return rc;
}

/* --- an OCI layout --------------------------------------------------------------------------- */

static bool is_index(const json_t *descriptor)
{
	const char *type = pst_json_str(descriptor, "mediaType", 200);

	return type && (strcmp(type, "application/vnd.oci.image.index.v1+json") == 0 ||
		strcmp(type, "application/vnd.docker.distribution.manifest.list.v2+json") == 0);
}

/* A layer that lies elsewhere, or that only a key opens, is none that we have. */
static int layer_type_check(const json_t *descriptor, struct pst_err *err)
{
	static const char *const known[] = { "application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
		"application/vnd.oci.image.layer.v1.tar+zstd", "application/vnd.docker.image.rootfs.diff.tar", "application/vnd.docker.image.rootfs.diff.tar.gzip",
		"application/vnd.docker.image.rootfs.diff.tar.zstd" };
	const char *type = pst_json_str(descriptor, "mediaType", 200);

	for (size_t i = 0; type && i < PST_ARRAY_LEN(known); i++) {
		if (strcmp(known[i], type) == 0)
			return 0;
	}
	return pst_err_set(err, PST_EUNSUPPORTED, "the image has a layer of the kind \"%.100s\"", type ? type : "");
}

static int layer_add(const struct finding *f, const struct member *m, const char *digest, struct pst_err *err)
{
	struct oci_image *i = f->image;

	if (i->n_layers == LAYOUT_LAYERS_MAX)
		return pst_err_set(err, PST_ELIMIT, "the image has more than %d layers", LAYOUT_LAYERS_MAX);
	i->layers[i->n_layers] = (struct oci_layer){ .offset = m->offset, .size = m->size };
	pst_strlcpy(i->layers[i->n_layers++].digest, PST_SHA256_HEX_SIZE, digest);
	return 0;
}

static int manifest_layers(const struct finding *f, const json_t *manifest, struct pst_err *err)
{
	json_t *layer;
	size_t k;

	json_array_foreach(json_object_get(manifest, "layers"), k, layer)
	{
		char digest[PST_SHA256_HEX_SIZE];
		const struct member *m = layer_type_check(layer, err) == 0 ? blob_find(f, layer, digest, err) : NULL;

		if (!m || layer_add(f, m, digest, err) < 0)
			return err->code;
	}
	return 0;
}

static int manifest_take(const struct finding *f, const json_t *manifest, struct pst_err *err)
{
	const json_t *config = json_object_get(manifest, "config");
	char digest[PST_SHA256_HEX_SIZE];
	const struct member *m = blob_find(f, config, digest, err);

	if (!m || manifest_layers(f, manifest, err) < 0)
		return err->code;
	return config_take(f, m, digest, err);
}

/* Whether an index that names no platform has one for us, only its image can say: it is taken for that. */
static bool may_run(const struct finding *f, const json_t *descriptor)
{
	const json_t *platform = json_object_get(descriptor, "platform");

	return !platform || runs_here(f, platform);
}

/* Finds the manifest's descriptor for this machine; *ret (owned) stays NULL when there is none. */
static int index_search(struct finding *f, const json_t *index, unsigned depth, json_t **ret, struct pst_err *err)
{
	const json_t *list = json_object_get(index, "manifests");
	json_t *descriptor;
	size_t k;

	if (depth > INDEXES_MAX || ++f->indexes > INDEXES_READ_MAX || json_array_size(list) > MANIFESTS_MAX)
		return pst_err_set(err, PST_ELIMIT, "the archive's index is too large or too deep");
	json_array_foreach(list, k, descriptor)
	{
		json_t *found = NULL, *inner;
		int rc;

		if (is_index(descriptor)) {
			inner = blob_json(f, descriptor, err);
			rc = inner ? index_search(f, inner, depth + 1, &found, err) : err->code;
			json_decref(inner);
			if (rc < 0)
				return rc;
		} else if (may_run(f, descriptor)) {
			found = json_incref(descriptor);
		}
		if (!found)
			continue;
		const char *digest = pst_json_str(found, "digest", 200);
		bool is_same = *ret && digest && strcmp(digest, pst_json_str(*ret, "digest", 200)) == 0;

		/* In an index of platforms the first counts (image-spec, image-index.md); at the top each is an image of its own. */
		f->images += depth == 0 && !is_same;
		if (*ret || !digest)
			json_decref(found);
		else
			*ret = found;
	}
	return 0;
}

static int layout_take(struct finding *f, struct pst_err *err)
{
	const struct member *m = member_find(f, "index.json", err);
	json_t *index = m ? json_read(f, m, "", err) : NULL, *descriptor = NULL, *manifest = NULL;
	int rc = index ? index_search(f, index, 0, &descriptor, err) : err->code;

	if (rc == 0 && f->images > 1)
		rc = pst_err_set(err, PST_EINVAL, "the archive has %u images: save the one that you want alone", f->images);
	else if (rc == 0 && !descriptor)
		rc = pst_err_set(err, PST_EUNSUPPORTED, "the archive has no image for linux/%s", f->architecture);
	if (rc == 0)
		manifest = blob_json(f, descriptor, err);
	if (rc == 0)
		rc = manifest ? manifest_take(f, manifest, err) : err->code;
	json_decref(manifest);
	json_decref(descriptor);
	json_decref(index);
	return rc;
}

/* --- what docker save writes ------------------------------------------------------------------ */

/* "HEX.json" and "blobs/sha256/HEX" are named by their digest; older ones by anything. */
static void digest_of_name(const char *name, char out[PST_SHA256_HEX_SIZE])
{
	const char *last = strrchr(name, '/') ? strrchr(name, '/') + 1 : name;
	char hex[PST_SHA256_HEX_SIZE];

	out[0] = '\0';
	snprintf(hex, sizeof(hex), "%s", last);
	if (is_digest(hex) && (last[64] == '\0' || strcmp(last + 64, ".json") == 0))
		memcpy(out, hex, sizeof(hex));
}

static int saved_take(struct finding *f, const json_t *saved, struct pst_err *err)
{
	const char *config = pst_json_str(saved, "Config", RECORD_PATH_MAX);
	const struct member *m = config ? member_find(f, config, err) : NULL;
	char digest[PST_SHA256_HEX_SIZE];
	json_t *layer;
	size_t k;

	if (!m)
		return config ? err->code : pst_err_set(err, PST_EINVAL, "manifest.json names no configuration");
	json_array_foreach(json_object_get(saved, "Layers"), k, layer)
	{
		const struct member *l = member_find(f, json_is_string(layer) ? json_string_value(layer) : "", err);

		if (!l || layer_add(f, l, "", err) < 0)
			return err->code;
	}
	digest_of_name(config, digest);
	return config_take(f, m, digest, err);
}

static int save_take(struct finding *f, struct pst_err *err)
{
	const struct member *m = member_find(f, "manifest.json", err);
	json_t *list = m ? json_read(f, m, "", err) : NULL;
	int rc = list ? 0 : err->code;

	if (rc == 0 && json_array_size(list) != 1)
		rc = pst_err_set(err, PST_EINVAL, "the archive has %zu images: save the one that you want alone", json_array_size(list));
	if (rc == 0)
		rc = saved_take(f, json_array_get(list, 0), err);
	json_decref(list);
	return rc;
}

int oci_image_find(int fd, const struct members *m, const char *architecture, struct oci_image *ret, struct pst_err *err)
{
	struct finding f = { .fd = fd, .m = m, .architecture = architecture, .image = ret };

	memset(ret, 0, sizeof(*ret));
	if (member_of(m, "index.json") && member_of(m, "oci-layout"))
		return layout_take(&f, err);
	if (member_of(m, "manifest.json"))
		return save_take(&f, err);
	return pst_err_set(err, PST_EINVAL, "the archive holds no container image: neither an OCI layout nor what 'docker save' writes (an OVA: unpack it first)");
}

void oci_image_finish(struct oci_image *i)
{
	free(i->config);
	i->config = NULL;
}

const char *oci_architecture(void)
{
	static const char *const names[][2] = { { "x86_64", "amd64" }, { "aarch64", "arm64" }, { "riscv64", "riscv64" }, { "ppc64le", "ppc64le" }, { "s390x", "s390x" } };
	struct utsname u;

	if (uname(&u) == 0) {
		for (size_t i = 0; i < PST_ARRAY_LEN(names); i++) {
			if (strcmp(u.machine, names[i][0]) == 0)
				return names[i][1];
		}
	}
	return "unknown";
}
