/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A disk that goes back to a snapshot, or grows, has no bitmaps of ours any more: they would not note what has changed
 * (QEMU refuses the one, and the other where a bitmap is spoilt). The next back-up is a full one.
 */
#pragma once

#include "broker/hypervisor/backup/blocks.h"

#include <stdint.h>

/* qemu-storage-daemon's path, for the whole process: set once at the start, the string is borrowed. */
void backup_daemon_set(const char *program);
const char *backup_daemon(void);

/* running: whoever has the disk (path, absolute) open, or NULL: nobody has. */
int backup_forget(const char *path, const struct blocks *running, uint64_t deadline_ms, struct pst_err *err);
