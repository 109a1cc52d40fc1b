/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a process keeps of its memory, and what goes back to the kernel. */
#include "base/mem.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MAPPED_FROM (256 * 1024) /* bytes; without a fixed one glibc's grows with whatever was freed */
#define TOP_KEPT (256 * 1024)
#define ZEROS_MAX ((size_t)64 << 20) /* bytes of a mapping that is looked through */
#define WINDOW 256                   /* pages that the kernel is asked for at once */

void pst_mem_be_small(void)
{
	mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
	mallopt(M_TRIM_THRESHOLD, TOP_KEPT);
	mallopt(M_ARENA_MAX, 1);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

void pst_mem_trim(void)
{
	malloc_trim(0);
}

#ifdef __SANITIZE_ADDRESS__

/* The sanitizer's memory has parts that nobody may read. */
void pst_mem_forget_zeros(void)
{
}

#else

static bool is_zero(const uint8_t *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

/* Pages that are not there are not looked at, for that would make them. */
static void forget_zeros_of(uint8_t *at, size_t pages, size_t page)
{
	unsigned char is_there[WINDOW];

	if (mincore(at, pages * page, is_there) < 0)
		return;
	for (size_t i = 0; i < pages; i++)
		if ((is_there[i] & 1) && is_zero(at + i * page, page))
			madvise(at + i * page, page, MADV_DONTNEED);
}

void pst_mem_forget_zeros(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), step = WINDOW * page;
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];

	while (maps && fgets(line, sizeof(line), maps)) {
		uintptr_t from, to;
		char mode[5], name[8] = "";
		int n = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %7s", &from, &to, mode, name);

		if (n < 3 || strcmp(mode, "rw-p") != 0 || (n == 4 && strcmp(name, "[heap]") != 0) ||
			to - from > ZEROS_MAX)
			continue;
		for (; from < to; from += step)
			forget_zeros_of((uint8_t *)from, PST_MIN(step, to - from) / page, page);
	}
	if (maps)
		fclose(maps);
}

#endif
