/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A seed disk. The input is what lies behind its 16 empty sectors. */
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/seed/iso.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	int fd = memfd_create("disk", MFD_CLOEXEC);
	char *text = NULL;
	size_t len = 0;

	if (fd < 0 || pwrite(fd, data, size, 16 * ISO_SECTOR) != (ssize_t)size)
		abort();
	if (iso_seed_read(fd, 4096, &text, &len, &err) == 0 && (len > 4096 || text[len] != 0))
		abort();
	free(text);
	close(fd);
	return 0;
}
