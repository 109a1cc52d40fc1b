/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists of networks such as "10.1.0.0/16 fd00::/8", blanks or commas between them. Pure. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* 0, or PST_EINVAL with the word that is none. "" is a list of nothing. */
int network_list_check(const char *list, struct pst_err *err);
/* Is the numeric address in one of them? False for what is no address. list has been checked. */
bool network_list_has(const char *list, const char *address);
