/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A temporary directory that a test leaves as it found it. */
#pragma once

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline void temp_dir_make(char out[64])
{
	snprintf(out, 64, "/tmp/puesto-unit-XXXXXX");
	cr_assert_not_null(mkdtemp(out));
}

static inline int temp_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static inline void temp_dir_remove(const char *dir)
{
	nftw(dir, temp_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
