/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written beside a back-up: manifest.json. It tells all that a restore has to know, without a database. Pure. */
#pragma once

#include "base/err.h"
#include "base/hash.h"
#include "broker/hypervisor/disk/backup.h"
#include "broker/hypervisor/disk/format.h"
#include "broker/hypervisor/disk/name.h"
#include "broker/hypervisor/disk/qcow2.h"

#include <stdbool.h>

#define NOTE_MAX 8192 /* bytes of its text */
#define NOTE_ID_SIZE 17
#define NOTE_NAME_SIZE 256 /* of people's names of things */

struct note {
	uint64_t id, parent; /* parent 0: a full one */
	int64_t made_ms;
	uint64_t disk_size; /* virtual bytes */
	uint64_t bytes;     /* of the file */
	char sha256[PST_SHA256_HEX_SIZE];
	char reason[32];    /* backup_reason_name */
	char desktop[PST_UUID_SIZE];
	char name[NOTE_NAME_SIZE], pool[NOTE_NAME_SIZE], user[NOTE_NAME_SIZE];
	char image[NOTE_NAME_SIZE], version[NOTE_NAME_SIZE];
	/* The golden disk that the whole stands on: without it, it is nothing. */
	char base[QCOW2_BACKING_MAX + 1];
	enum disk_format base_format;
	uint64_t base_size; /* virtual bytes */
	char variables[PST_SHA256_HEX_SIZE]; /* digest of the firmware's, which lie beside the disk; "" where there are none */
};

void note_id_text(uint64_t id, char out[NOTE_ID_SIZE]);
/* 0 for what is none. */
uint64_t note_id_parse(const char *text);

/* Returns owned (free()); NULL on no memory. */
char *note_text(const struct note *n, size_t *ret_len);
/* Strict. PST_EINVAL. */
int note_parse(const char *text, size_t len, struct note *ret, struct pst_err *err);
