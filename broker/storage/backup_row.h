/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A job about a back-up begins: in its row. Pure, but for the clock and a new id. */
#pragma once

#include "db/backup.h"

/* kind: "backup" (of a row with names alone), "restore", "rebuild", "remove". by: who asked, or NULL. */
void backup_row_begin(struct backup_row *row, const char *kind, const char *by);
