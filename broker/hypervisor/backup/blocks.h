/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A desktop's disk in the hands of QEMU, or of its storage daemon: what its bitmaps note, and the job that copies it
 * (QEMU's docs/interop/bitmaps.rst, live-block-operations.rst). A bitmap is named after the back-up since which it notes:
 *
 *	"puesto-ID"   one that was made; the next incremental one copies what it has
 *	both          a back-up was at work when somebody died: the older one still has all that is missing
 *
 * Job and nodes have names of ours, so what a dead provisioner has left at work is found and ended by the next.
 */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCKS_NODE_SIZE 64
#define BLOCKS_BITMAPS_MAX 16

/* Whoever has the disk open. */
struct blocks {
	/*
	 * QEMU's commands ([{"execute", "arguments"}, …], borrowed) one after another, until one fails; fd (-1: none, borrowed)
	 * goes with the first. ret (may be NULL) gets an array of what they returned, owned.
	 */
	int (*ask)(void *arg, const json_t *commands, int fd, json_t **ret, struct pst_err *err);
	void *arg;
};

struct blocks_bitmap {
	uint64_t id;
	bool is_broken; /* a crash has spoilt it */
	uint64_t bytes; /* that it has noted */
};

struct blocks_disk {
	char node[BLOCKS_NODE_SIZE];
	uint64_t size; /* virtual bytes */
	struct blocks_bitmap bitmaps[BLOCKS_BITMAPS_MAX]; /* ours */
	size_t bitmaps_n;
};

/* The qcow2 node that writes to the file path. PST_ENOTFOUND without one, PST_EPROTO for what is no answer. */
int blocks_look(const struct blocks *b, const char *path, struct blocks_disk *ret, struct pst_err *err);

/* Ends the job, whatever it is at, and lets the target go: it is whole in its file then, if the job ended well. */
int blocks_release(const struct blocks *b, struct pst_err *err);

/* Ends what an earlier try has left at work, and removes our bitmaps but the one of keep (0: all). disk is then as it is. */
int blocks_clear(const struct blocks *b, struct blocks_disk *disk, uint64_t keep, struct pst_err *err);

struct blocks_job {
	int fd;           /* of the target, an empty qcow2 file, open for reading and writing; borrowed. -1: path */
	const char *path; /* of it, where no descriptor can be lent */
	uint64_t since;   /* copies what that bitmap has; 0: what the topmost file has */
	uint64_t notes;   /* a bitmap that begins to note at this very moment; 0: none */
};

/* From here on the target becomes what the disk is at this moment, whatever the guest writes. */
int blocks_begin(const struct blocks *b, const struct blocks_disk *disk, const struct blocks_job *job, struct pst_err *err);

/* 1: it has ended well. 0: it is at work, done of total. PST_ENOSPC, PST_EIO with QEMU's words, PST_ENOTFOUND when it is not there. */
int blocks_step(const struct blocks *b, uint64_t *ret_done, uint64_t *ret_total, struct pst_err *err);
