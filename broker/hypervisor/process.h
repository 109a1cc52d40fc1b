/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The identity of a process: a pid is used again, so its start time and the boot it
 * belongs to go with it. Any thread.
 */
#pragma once

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

#define PROCESS_BOOT_SIZE 40

struct process_id {
	pid_t pid;
	uint64_t start; /* clock ticks after boot, as in /proc/PID/stat */
	char boot[PROCESS_BOOT_SIZE];
};

int process_boot(char out[PROCESS_BOOT_SIZE], struct pst_err *err);

/* Start time of a live or zombie process; PST_ENOTFOUND. */
int process_start_time(pid_t pid, uint64_t *ret_start);

int process_identify(pid_t pid, struct process_id *ret_id, struct pst_err *err);

/* A pidfd (owned) of exactly that process, or PST_ENOTFOUND when it has ended. */
int process_open(const struct process_id *id, struct pst_err *err);

/* The file that puesto-desktop leaves and the driver adopts by: {"pid","start","boot"}. */
int process_save(const struct process_id *id, const char *path, struct pst_err *err);
int process_load(const char *path, struct process_id *ret_id, struct pst_err *err);
