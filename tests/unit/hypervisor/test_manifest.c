/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Manifests that are read back, and others. */
#include "broker/hypervisor/disk/manifest.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define SHA "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

Test(manifest, what_is_written_is_read_back)
{
	struct manifest m = { .image = "Ventanas \"11\"", .version = "2026-11.3", .format = DISK_QCOW2,
		.size = UINT64_C(40) << 30, .file_size = 7, .sha256 = SHA, .created = "2026-11-29T10:00:00.000Z" };
	struct pst_err err = PST_ERR_INIT;
	struct manifest back;
	size_t len;
	char *text = manifest_text(&m, &len);

	cr_assert_not_null(text);
	cr_assert_eq(manifest_parse(text, len, &back, &err), 0, "%s", err.text);
	cr_assert_str_eq(back.image, m.image);
	cr_assert_str_eq(back.version, m.version);
	cr_assert_str_eq(back.sha256, m.sha256);
	cr_assert_str_eq(back.created, m.created);
	cr_assert(back.format == DISK_QCOW2 && back.size == m.size && back.file_size == 7);
	for (size_t n = 0; n < len; n++)
		cr_assert_lt(manifest_parse(text, n, &back, &err), 0, "cut at %zu", n);
	free(text);
}

Test(manifest, a_container_image_has_its_id)
{
	struct manifest m = { .image = "desk", .version = "1", .is_oci = true, .size = 1, .file_size = 7, .sha256 = SHA, .id = SHA, .created = "2026-11-29T10:00:00.000Z" };
	struct pst_err err = PST_ERR_INIT;
	struct manifest back;
	size_t len;
	char *text = manifest_text(&m, &len);

	cr_assert_not_null(text);
	cr_assert_eq(manifest_parse(text, len, &back, &err), 0, "%s", err.text);
	cr_assert(back.is_oci);
	cr_assert_str_eq(back.id, SHA);
	/* And it alone. */
	memcpy(strstr(text, "\"oci\""), "\"raw\"", 5);
	cr_assert_eq(manifest_parse(text, len, &back, &err), PST_EINVAL);
	free(text);
}

#define WITH(image, format, size, sha, created, more) \
	"{\"v\":1,\"image\":\"" image "\",\"version\":\"1\",\"format\":\"" format "\",\"size\":" size \
	",\"file_size\":9,\"sha256\":\"" sha "\",\"created\":\"" created "\"" more "}"

Test(manifest, each_wrong_field_is_refused)
{
	static const struct {
		const char *text;
		int code;
	} cases[] = {
		{ WITH("a", "raw", "5", SHA, "2026-11-29T10:00:00Z", ""), 0 },
		{ WITH("a", "raw", "5", SHA, "2026-11-29T10:00:00Z", ",\"more\":1"), PST_EINVAL },
		{ WITH("../a", "raw", "5", SHA, "2026-11-29T10:00:00Z", ""), PST_EINVAL },
		{ WITH("", "raw", "5", SHA, "2026-11-29T10:00:00Z", ""), PST_EINVAL },
		{ WITH("a", "iso", "5", SHA, "2026-11-29T10:00:00Z", ""), PST_EINVAL },
		{ WITH("a", "raw", "0", SHA, "2026-11-29T10:00:00Z", ""), PST_EINVAL },
		{ WITH("a", "raw", "-5", SHA, "2026-11-29T10:00:00Z", ""), PST_EINVAL },
		{ WITH("a", "raw", "\"5\"", SHA, "2026-11-29T10:00:00Z", ""), PST_EINVAL },
		{ WITH("a", "raw", "5", "00", "2026-11-29T10:00:00Z", ""), PST_EINVAL },
		{ WITH("a", "raw", "5", "BA7816BF8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
			  "2026-11-29T10:00:00Z", ""), PST_EINVAL },
		{ WITH("a", "raw", "5", SHA, "yesterday", ""), PST_EINVAL },
		{ "{\"v\":2}", PST_EINVAL },
		{ "{}", PST_EINVAL },
		{ "[]", PST_EINVAL },
		{ "", PST_EINVAL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct manifest m;

		cr_assert_eq(manifest_parse(cases[i].text, strlen(cases[i].text), &m, &err), cases[i].code, "%s: %s",
			cases[i].text, err.text);
	}
}
