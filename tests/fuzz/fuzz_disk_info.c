/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What qemu-img says of a stranger's disk, how far it is, and a file's or disk's first bytes. */
#include "broker/hypervisor/disk/firmware.h"
#include "broker/hypervisor/disk/import.h"
#include "broker/hypervisor/disk/probe.h"
#include "broker/hypervisor/disk/progress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int format = DISK_RAW; format <= DISK_VHDX; format++) {
		struct import_params p = { .source = "/in/disk", .format = (enum disk_format)format, .size_max = 1 << 30 };
		struct pst_err err = PST_ERR_INIT;
		uint64_t virtual_size;

		if (import_judge(&p, (const char *)data, size, &virtual_size, &err) == 0 &&
			(virtual_size == 0 || virtual_size > p.size_max))
			__builtin_trap();
	}
	const unsigned all = PROBE_ALLOW(DISK_RAW) | PROBE_ALLOW(DISK_QCOW2) | PROBE_ALLOW(DISK_VMDK);
	enum disk_format format;
	if (probe_format(data, size, all, &format, NULL) == 0 && !(all & PROBE_ALLOW(format)))
		__builtin_trap();
	firmware_head_is_efi(data, size);
	struct progress progress = { 0 };
	progress_feed(&progress, (const char *)data, size);
	if (progress.basis_points > 10000)
		__builtin_trap();
	return 0;
}
