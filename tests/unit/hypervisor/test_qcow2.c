/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Headers that nobody should believe: one good one, and what each wrong field makes of it. */
#include "broker/hypervisor/disk/qcow2.h"

#include <criterion/criterion.h>
#include <string.h>

#define HEAD 512

static void put(uint8_t *at, unsigned bytes, uint64_t v)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> 8 * (bytes - 1 - i));
}

/* Version 3, clusters of 64 KiB, 1 GiB, a raw backing file "b.raw". */
static void good(uint8_t head[HEAD])
{
	memset(head, 0, HEAD);
	put(head, 4, 0x514649fb);
	put(head + 4, 4, 3);
	put(head + 8, 8, 0x90);
	put(head + 16, 4, 5);
	put(head + 20, 4, 16);
	put(head + 24, 8, UINT64_C(1) << 30);
	put(head + 36, 4, 2);
	put(head + 40, 8, 0x30000);
	put(head + 48, 8, 0x10000);
	put(head + 56, 4, 1);
	put(head + 96, 4, 4);
	put(head + 100, 4, 104);
	put(head + 104, 4, 0xe2792aca);
	put(head + 108, 4, 3);
	memcpy(head + 112, "raw", 3);
	memcpy(head + 0x90, "b.raw", 5);
}

Test(qcow2, a_good_header_is_read)
{
	struct pst_err err = PST_ERR_INIT;
	struct qcow2_header h;
	uint8_t head[HEAD];

	good(head);
	cr_assert_eq(qcow2_parse(head, HEAD, &h, &err), 0, "%s", err.text);
	cr_assert(h.version == 3 && h.size == UINT64_C(1) << 30 && h.l1_entries == 2);
	cr_assert_str_eq(h.backing, "b.raw");
	cr_assert_str_eq(h.backing_format, "raw");
	cr_assert(!h.is_dirty && !h.is_encrypted && !h.has_data_file);
}

Test(qcow2, version_2_has_a_shorter_header)
{
	struct pst_err err = PST_ERR_INIT;
	struct qcow2_header h;
	uint8_t head[HEAD];

	good(head);
	put(head + 4, 4, 2);
	memset(head + 72, 0, HEAD - 72);
	memcpy(head + 0x90, "b.raw", 5);
	cr_assert_eq(qcow2_parse(head, HEAD, &h, &err), 0, "%s", err.text);
	cr_assert_str_eq(h.backing, "b.raw");
	cr_assert_str_eq(h.backing_format, "", "it does not tell the format");
	put(head + 8, 8, 0);
	cr_assert_eq(qcow2_parse(head, 72, &h, &err), 0, "%s", err.text);
	cr_assert_str_eq(h.backing, "");
}

Test(qcow2, what_it_says_of_itself_is_told)
{
	struct pst_err err = PST_ERR_INIT;
	struct qcow2_header h;
	uint8_t head[HEAD];

	good(head);
	put(head + 72, 8, 1 | 4 | 8 | 16);
	put(head + 32, 4, 2);
	put(head + 36, 4, 4); /* wider L2 entries: a table covers half as much */
	put(head + 60, 4, 7);
	cr_assert_eq(qcow2_parse(head, HEAD, &h, &err), 0, "%s", err.text);
	cr_assert(h.is_dirty && h.is_encrypted && h.has_data_file && h.snapshots == 7);
}

static const struct {
	const char *what;
	unsigned at, bytes;
	uint64_t value;
	int code;
} wrong[] = {
	{ "another magic", 0, 4, 0x514649fa, PST_EINVAL },
	{ "version 1", 4, 4, 1, PST_EUNSUPPORTED },
	{ "version 4", 4, 4, 4, PST_EUNSUPPORTED },
	{ "a name inside the header", 8, 8, 50, PST_EINVAL },
	{ "a name behind the cluster", 8, 8, 0xfffe, PST_EINVAL },
	{ "a name at the end of the numbers", 8, 8, UINT64_MAX, PST_EINVAL },
	{ "a name behind what was read", 8, 8, 0x8000, PST_EINVAL },
	{ "a name without letters", 16, 4, 0, PST_EINVAL },
	{ "a name of 1024 bytes", 16, 4, 1024, PST_EINVAL },
	{ "a name with a zero", 16, 4, 6, PST_EINVAL },
	{ "clusters of 256 bytes", 20, 4, 8, PST_EINVAL },
	{ "clusters of 4 MiB", 20, 4, 22, PST_EINVAL },
	{ "clusters beyond all shifts", 20, 4, 200, PST_EINVAL },
	{ "a disk of 64 TiB and more", 24, 8, (UINT64_C(1) << 46) + 1, PST_ELIMIT },
	{ "a disk of all numbers", 24, 8, UINT64_MAX, PST_ELIMIT },
	{ "an unknown cipher", 32, 4, 3, PST_EUNSUPPORTED },
	{ "too few L1 entries", 36, 4, 1, PST_EINVAL },
	{ "an L1 table of more than 32 MiB", 36, 4, (4u << 20) + 1, PST_EINVAL },
	{ "an L1 table between clusters", 40, 8, 0x30008, PST_EINVAL },
	{ "an L1 table behind all files", 40, 8, UINT64_C(0xffffffffffff0000), PST_EINVAL },
	{ "a refcount table between clusters", 48, 8, 0x10200, PST_EINVAL },
	{ "a refcount table over the header", 48, 8, 0, PST_EINVAL },
	{ "no refcount table", 56, 4, 0, PST_EINVAL },
	{ "a refcount table of more than 8 MiB", 56, 4, 129, PST_EINVAL },
	{ "65,537 snapshots", 60, 4, 65537, PST_EINVAL },
	{ "snapshots between clusters", 64, 8, 8, PST_EINVAL },
	{ "a corrupt file", 72, 8, 2, PST_EINVAL },
	{ "an unknown feature", 72, 8, 32, PST_EUNSUPPORTED },
	{ "refcounts of 128 bits", 96, 4, 7, PST_EINVAL },
	{ "a header of 96 bytes", 100, 4, 96, PST_EINVAL },
	{ "a header of 105 bytes", 100, 4, 105, PST_EINVAL },
	{ "a header of two clusters", 100, 4, 131072, PST_EINVAL },
	{ "an extension without an end", 108, 4, 0xfffffff8, PST_EINVAL },
	{ "a format without letters", 108, 4, 0, PST_EINVAL },
	{ "a format with a zero", 108, 4, 4, PST_EINVAL },
	{ "an extension over the name", 108, 4, 64, PST_EINVAL },
};

Test(qcow2, each_wrong_field_is_refused)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct qcow2_header h;
		uint8_t head[HEAD];

		good(head);
		put(head + wrong[i].at, wrong[i].bytes, wrong[i].value);
		cr_assert_eq(qcow2_parse(head, HEAD, &h, &err), wrong[i].code, "%s: %s", wrong[i].what, err.text);
	}
}

Test(qcow2, a_header_cut_anywhere_is_refused)
{
	uint8_t head[HEAD];

	good(head);
	for (size_t n = 0; n < 0x95; n++) {
		struct pst_err err = PST_ERR_INIT;
		struct qcow2_header h;

		cr_assert_eq(qcow2_parse(head, n, &h, &err), PST_EINVAL, "%zu bytes", n);
	}
}
