/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A long piece of work on an image's version, on a thread of its own: a file of the datastore's incoming/,
 * a stopped desktop's disk, or the files of one without a disk become a version, or a version goes. It has its turn from the governor, tells how
 * far it is, and can be cancelled. A crash leaves nothing of it but names that the next start takes away.
 *
 *	WAITING ──► CONVERTING ──► DIGESTING ──► (done)        import, capture
 *	WAITING ──► COPYING ────► DIGESTING ──► (done)        copy, from one datastore to another
 *	WAITING ──► REMOVING ──────────────────► (done)        remove
 *	    └──────────┴───────────────┴───────► (failed)      also when cancelled
 */
#pragma once

#include "base/err.h"
#include "base/hash.h"
#include "broker/hypervisor/disk/format.h"
#include "broker/hypervisor/disk/manifest.h"
#include "broker/hypervisor/storage/stores.h"

#include <jansson.h>

enum image_job_kind {
	IMAGE_IMPORT,
	IMAGE_CAPTURE,
	IMAGE_REMOVE,
	IMAGE_COPY,
};

struct image_job_params {
	enum image_job_kind kind;
	char task[PST_UUID_SIZE];
	char datastore[PLACEMENT_NAME_SIZE];
	char image[DISK_NAME_MAX + 1], version[DISK_NAME_MAX + 1];
	char file[DISK_NAME_MAX + 1]; /* import: a name in incoming/ */
	bool is_oci;                  /* import: a container image in an archive; "format" says so */
	bool has_format;              /* import: that of a disk was said */
	enum disk_format format;
	char desktop[PST_UUID_SIZE];  /* capture */
	char base[PATH_MAX];          /* capture: the golden disk that the desktop stands on, wherever it is */
	char from[PLACEMENT_NAME_SIZE]; /* copy: the datastore that has it */
	char sha256[PST_SHA256_HEX_SIZE]; /* copy: what its bytes must be */
	char reason[120];             /* remove: for the recycle bin */
	int64_t keep_ms;              /* remove: in the recycle bin */
	bool is_repeat;               /* asked for before: what is done already is done */
};

struct image_job;

/* Reads the broker's message "image". PST_EINVAL names the field. */
int image_job_parse(const json_t *msg, struct image_job_params *ret, struct pst_err *err);

/* The paths of the programs that read strangers' files; and who has the files of a desktop without a disk. */
struct image_tools {
	const char *qemu_img, *unpack;
	/* As driver_files, of whichever driver has the desktop: PST_ENOTFOUND when none has. NULL: there is nobody to ask. */
	int (*files)(void *arg, const char *desktop, int fd, uint64_t max, bool (*go_on)(void *arg), void *go_arg, struct pst_err *err);
	void *arg;
};

/*
 * Begins. tools: borrowed. changed is called on any thread when image_job_json has something new.
 * Returns owned, NULL on no memory.
 */
struct image_job *image_job_start(struct stores *set, const struct image_job_params *p, const struct image_tools *tools,
	void (*changed)(void *arg), void *arg);

const char *image_job_task(const struct image_job *job);

/* It ends soon, with PST_ECLOSED. Any thread. */
void image_job_cancel(struct image_job *job);

bool image_job_is_over(struct image_job *job);

/*
 * {"op": "image", "task", "state": "running", "step", "percent"} or "state": "done" with "path", "size",
 * "file_size", "sha256", or "state": "failed" with "error": {"code", "title"}. True when it differs from what
 * the last call gave; ret is owned then (NULL on no memory).
 */
bool image_job_news(struct image_job *job, json_t **ret);

/* The next image_job_news gives everything again. */
void image_job_forget_told(struct image_job *job);

/* Cancels, waits for its end, and frees. Accepts NULL. */
void image_job_destroy(struct image_job *job);
