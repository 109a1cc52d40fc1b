/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of places, then files in the order in which they may be read. */
#include "agent/windows/seeding.h"

#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/windows/fields.h"
#include "agent/windows/guestinfo.h"
#include "agent/windows/journal.h"
#include "agent/windows/kvp.h"
#include "agent/windows/wide.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

#define STATE_MAX 4096
#define LABEL L"CIDATA"

/* ---- finding ------------------------------------------------------------------------ */

static bool is_seed_drive(const wchar_t *root)
{
	UINT type = GetDriveTypeW(root);
	wchar_t label[64] = L"";

	if (type == DRIVE_REMOTE || type == DRIVE_NO_ROOT_DIR)
		return false;
	return GetVolumeInformationW(root, label, 64, NULL, NULL, NULL, NULL, 0) && _wcsicmp(label, LABEL) == 0;
}

static int from_drives(const struct disk *d, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	DWORD drives = GetLogicalDrives();
	wchar_t root[] = L"A:\\";
	char path[] = "A:\\puesto.json";

	for (int i = 2; i < 26; i++) { /* A and B would be floppy disks, which take seconds to say no */
		root[0] = (wchar_t)(L'A' + i);
		path[0] = (char)('A' + i);
		if ((drives >> i & 1) && is_seed_drive(root))
			return disk_read_path(path, BIRTH_MAX, ret_text, ret_len, err);
	}
	return PST_ENOTFOUND;
}

static int from_folder(const struct disk *d, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	return disk_has(d, SEEDING_FILE) ? disk_read(d, SEEDING_FILE, BIRTH_MAX, ret_text, ret_len, err) : PST_ENOTFOUND;
}

static int from_guestinfo(const struct disk *d, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	return guestinfo_read(BIRTH_MAX, ret_text, ret_len, err);
}

static int from_kvp(const struct disk *d, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	return kvp_read(BIRTH_MAX, ret_text, ret_len, err);
}

/* What somebody put there by hand goes first. */
static const struct place_type {
	const char *name;
	int (*read)(const struct disk *d, char **ret_text, size_t *ret_len, struct pst_err *err);
	void (*clear)(void); /* once it was used, where it would stay */
} places[] = {
	{ SEEDING_FILE, from_folder, NULL },
	{ "the drive CIDATA", from_drives, NULL },
	{ "VMware", from_guestinfo, guestinfo_clear },
	{ "Hyper-V", from_kvp, kvp_clear },
};

static int find(const struct disk *d, const char *path, const struct place_type **ret_place, char **ret_text, size_t *ret_len, struct pst_err *err)
{
	*ret_place = NULL;
	if (path)
		return disk_read_path(path, BIRTH_MAX, ret_text, ret_len, err);
	for (size_t i = 0; i < PST_ARRAY_LEN(places); i++) {
		struct pst_err why = PST_ERR_INIT;
		int rc = places[i].read(d, ret_text, ret_len, &why);

		*ret_place = &places[i];
		if (rc == 0)
			return 0;
		if (rc != PST_ENOTFOUND)
			return pst_err_set(err, rc, "%s: %s", places[i].name, why.text);
	}
	return pst_err_set(err, PST_ENOTFOUND, "no seed is there: neither %s in the agent's folder, nor a drive called CIDATA, nor one of VMware's or Hyper-V's", SEEDING_FILE);
}

/* ---- applying ----------------------------------------------------------------------- */

static void birth_hash(const struct birth *b, char out[PST_SHA256_HEX_SIZE])
{
	const char *const texts[] = { b->desktop, b->token, b->hostname, b->broker, b->ca };
	uint8_t sums[PST_ARRAY_LEN(texts)][PST_SHA256_LEN];

	for (size_t i = 0; i < PST_ARRAY_LEN(texts); i++)
		pst_sha256(texts[i], strlen(texts[i]), sums[i]);
	pst_sha256_hex(sums, sizeof(sums), out);
}

static bool is_used(const struct disk *d, const char *hash)
{
	struct pst_err none = PST_ERR_INIT;
	char *text = NULL;
	size_t len;
	bool is_same = disk_read(d, "seed.used", PST_SHA256_HEX_SIZE, &text, &len, &none) == 0 && strcmp(text, hash) == 0;

	free(text);
	return is_same;
}

/* An object of at most two texts; they may be secret. */
static int object_write(const struct disk *d, const char *file, const char *const pairs[4], struct pst_err *err)
{
	struct pst_buf b;

	pst_buf_init(&b, STATE_MAX);
	fields_begin(&b);
	for (size_t i = 0; i < 4; i += 2)
		fields_put_str(&b, pairs[i], pairs[i + 1]);
	fields_end(&b);
	int rc = b.failed ? pst_err_set(err, PST_ENOMEM, "no memory for %s", file) : disk_write(d, file, (const char *)b.data, b.len, err);
	if (b.data)
		pst_wipe(b.data, b.len);
	pst_buf_finish(&b);
	return rc;
}

/* Sysprep's answers give no name; where they did, or an earlier start has, nothing is to be done. */
static int name_apply(const struct birth *b, bool *ret_renamed, struct pst_err *err)
{
	char wanted[BIRTH_NETBIOS_MAX + 1], now[256];
	wchar_t name[256];
	DWORD n = ARRAYSIZE(name);

	birth_computer_name(b, wanted);
	if (!GetComputerNameExW(ComputerNamePhysicalDnsHostname, name, &n))
		return wide_err(err, PST_EIO, GetLastError(), "the computer's name");
	if (_stricmp(wide_to(name, now, sizeof(now)), wanted) == 0)
		return 0;
	wchar_t *w = wide_from(wanted);
	BOOL is_set = w && SetComputerNameExW(ComputerNamePhysicalDnsHostname, w);
	DWORD error = GetLastError();
	free(w);
	if (!is_set)
		return wide_err(err, PST_EIO, error, "the computer's name cannot be set");
	journal(JOURNAL_INFO, "the computer is called %s from its next start on (it was %s)", wanted, now);
	*ret_renamed = true;
	return 0;
}

static int apply(const struct disk *d, const struct birth *b, bool *ret_renamed, struct pst_err *err)
{
	const char *const place[] = { "desktop", b->desktop, "broker", b->broker };
	const char *const enrol[] = { "desktop", b->desktop, "token", b->token };
	char hash[PST_SHA256_HEX_SIZE];

	birth_hash(b, hash);
	if (is_used(d, hash))
		return 0;
	if (name_apply(b, ret_renamed, err) < 0 || disk_write(d, "ca.pem", b->ca, strlen(b->ca), err) < 0 ||
		(b->token[0] && object_write(d, "enrol.json", enrol, err) < 0) || object_write(d, "place.json", place, err) < 0 ||
		disk_write(d, "seed.used", hash, strlen(hash), err) < 0)
		return pst_err_wrap(err, "applying the seed");
	journal(JOURNAL_INFO, "seeded as %s desktop=%s", b->hostname, b->desktop);
	return 0;
}

int seeding_run(const struct disk *d, const char *path, bool *ret_renamed, struct pst_err *err)
{
	const struct place_type *place;
	struct birth b;
	char *text = NULL;
	size_t len;
	int rc = find(d, path, &place, &text, &len, err);

	*ret_renamed = false;
	if (rc < 0)
		return rc;
	rc = birth_parse(text, len, &b, err);
	pst_wipe(text, len);
	free(text);
	if (rc == 0)
		rc = apply(d, &b, ret_renamed, err);
	birth_finish(&b);
	if (rc < 0)
		return rc;
	disk_remove(d, SEEDING_FILE);
	if (place && place->clear)
		place->clear();
	return 0;
}

/* ---- what was applied ------------------------------------------------------------------ */

static int two_read(const struct disk *d, const char *file, const char *second, char desktop[PST_UUID_SIZE], char *out, size_t size, struct pst_err *err)
{
	struct pst_uuid uuid;
	char *text = NULL;
	size_t len;

	if (disk_read(d, file, STATE_MAX, &text, &len, err) < 0)
		return err->code;
	struct fields *f = fields_parse(text, len, err);
	const char *a = f ? fields_str(f, "desktop", PST_UUID_SIZE - 1) : NULL, *b = f ? fields_str(f, second, size - 1) : NULL;
	int rc = a && b && b[0] && pst_uuid_parse(a, &uuid) == 0 ? 0 : pst_err_set(err, PST_EINVAL, "%s is damaged: seed this machine anew", file);
	if (rc == 0) {
		pst_strlcpy(desktop, PST_UUID_SIZE, a);
		pst_strlcpy(out, size, b);
	}
	fields_free(f);
	pst_wipe(text, len);
	free(text);
	return rc;
}

int seeding_place(const struct disk *d, struct place *ret, struct pst_err *err)
{
	return two_read(d, "place.json", "broker", ret->desktop, ret->broker, sizeof(ret->broker), err);
}

int seeding_pending(const struct disk *d, struct pending *ret, struct pst_err *err)
{
	int rc = two_read(d, "enrol.json", "token", ret->desktop, ret->token, sizeof(ret->token), err);

	if (rc == 0)
		pst_sha256_hex(ret->token, strlen(ret->token), ret->hash);
	return rc;
}

void seeding_used(const struct disk *d)
{
	disk_remove(d, "enrol.json");
}

void seeding_forget(const struct disk *d)
{
	static const char *const names[] = { "enrol.json", "place.json", "seed.used", SEEDING_FILE, "agent.json", "tls.pem", "ca.pem",
		"agent.log", "agent.log.1", "health.out" };

	for (size_t i = 0; i < PST_ARRAY_LEN(names); i++)
		disk_remove(d, names[i]);
}
