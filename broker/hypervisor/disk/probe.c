/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tells files apart by their first bytes. */
#include "broker/hypervisor/disk/probe.h"

#include "base/mem.h"

#include <string.h>

struct mark {
	size_t at;
	const char *bytes;
	size_t len;
	int format; /* or -1 … */
	const char *words; /* … for a kind that is no disk here: what to do */
};

#define TAR_MARK_AT 257
#define TAR_MARK "ustar"

#define DISK(at, bytes, format) { at, bytes, sizeof(bytes) - 1, format, NULL }
#define OTHER(at, bytes, words) { at, bytes, sizeof(bytes) - 1, -1, words }

static const struct mark marks[] = {
	DISK(0, "QFI\xfb", DISK_QCOW2),
	DISK(0, "KDMV", DISK_VMDK),
	DISK(0, "# Disk DescriptorFile", DISK_VMDK),
	DISK(0, "vhdxfile", DISK_VHDX),
	OTHER(0, "COWD", "a VMDK of ESX 2; convert it first"),
	OTHER(0, "conectix", "a VHD; convert it to VHDX first"),
	OTHER(0, "LUKS\xba\xbe", "an encrypted disk; decrypt it first"),
	OTHER(0, "\x1f\x8b", "compressed with gzip; unpack it first"),
	OTHER(0, "\xfd\x37zXZ", "compressed with xz; unpack it first"),
	OTHER(0, "BZh", "compressed with bzip2; unpack it first"),
	OTHER(0, "\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
	OTHER(0, "PK\x03\x04", "a zip archive; unpack it first"),
	OTHER(64, "\x7f\x10\xda\xbe", "a VDI; convert it first"),
	OTHER(TAR_MARK_AT, TAR_MARK, "an archive (an OVA is one); unpack it first"),
	OTHER(32769, "CD001", "an ISO image; it is no disk of a machine"),
};

static const struct mark *mark_find(const uint8_t *head, size_t len)
{
	for (size_t i = 0; i < PST_ARRAY_LEN(marks); i++) {
		const struct mark *m = &marks[i];

		if (len >= m->at + m->len && memcmp(head + m->at, m->bytes, m->len) == 0)
			return m;
	}
	return NULL;
}

int probe_format(const uint8_t *head, size_t len, unsigned allowed, enum disk_format *ret_format, struct pst_err *err)
{
	const struct mark *m = allowed == PROBE_ALLOW(DISK_RAW) ? NULL : mark_find(head, len);
	enum disk_format format = m && m->format >= 0 ? (enum disk_format)m->format : DISK_RAW;

	if (m && m->format < 0)
		return pst_err_set(err, PST_EUNSUPPORTED, "the file is %s", m->words);
	if (!m && !(allowed & PROBE_ALLOW(DISK_RAW)))
		return pst_err_set(err, PST_EINVAL, "the file is of no format that is known here");
	if (!(allowed & PROBE_ALLOW(format)))
		return pst_err_set(err, PST_EDENIED, "the file is %s, which is not allowed here", disk_format_name(format));
	*ret_format = format;
	return 0;
}

bool probe_is_tar(const uint8_t *head, size_t len)
{
	return len >= TAR_MARK_AT + strlen(TAR_MARK) && memcmp(head + TAR_MARK_AT, TAR_MARK, strlen(TAR_MARK)) == 0;
}
