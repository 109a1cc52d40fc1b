/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The calls of the Docker Engine API, version 1.41, that we need: the part of it that Docker and Podman
 * both speak. Any thread. Every call is bounded by its operation: one deadline for all of them, and a
 * mark that ends them. All may be repeated: where an engine says "it is so already", that is success.
 */
#pragma once

#include "base/buf.h"
#include "broker/hypervisor/http.h"

#include <stdatomic.h>

/* One command of the driver's. */
struct engine_op {
	struct http *http;
	const char *owner;     /* the desktop, or another word */
	uint64_t end_ms;       /* pst_mono_ms */
	_Atomic bool cancelled;
};

struct engine_info {
	bool memory, cpu, pids; /* which limits hold */
	bool rootless;          /* its containers' uids are not what they say */
	uint64_t memory_mb;
	char words[64];         /* name and version */
};

int engine_info(struct engine_op *op, struct engine_info *ret, struct pst_err *err);

/* The array of GET /containers/json with that filter (escaped). Returns owned, or NULL with err. */
json_t *engine_list(struct engine_op *op, const char *filter, struct pst_err *err);

/* name is a container's name or id. Returns owned, or NULL with err (PST_ENOTFOUND). */
json_t *engine_inspect(struct engine_op *op, const char *name, struct pst_err *err);

/* One of that name that is there already is PST_ECONFLICT, a missing image PST_ENOTFOUND. */
int engine_create(struct engine_op *op, const char *name, const json_t *body, struct pst_err *err);

int engine_start(struct engine_op *op, const char *name, struct pst_err *err);
/* Asks, and kills after grace_s. */
int engine_stop(struct engine_op *op, const char *name, unsigned grace_s, struct pst_err *err);
int engine_unpause(struct engine_op *op, const char *name, struct pst_err *err);
int engine_rename(struct engine_op *op, const char *name, const char *to, struct pst_err *err);
/* Kills it, too. */
int engine_remove(struct engine_op *op, const char *name, struct pst_err *err);

/* A file of a container's tree (running or not), of at most max bytes. Returns owned text; PST_ENOTFOUND. */
int engine_file_get(struct engine_op *op, const char *name, const char *path, size_t max, char **ret_text, struct pst_err *err);
/*
 * All its files from the root on, as a tar of at most max bytes, into fd (borrowed). go_on is asked now and then, and ends it. PST_ELIMIT,
 * PST_ENOSPC, PST_ECLOSED.
 */
int engine_export(struct engine_op *op, const char *name, int fd, uint64_t max, bool (*go_on)(void *arg), void *arg, struct pst_err *err);
/* Unpacks an archive at "/". */
int engine_files_put(struct engine_op *op, const char *name, const struct pst_buf *tar, struct pst_err *err);

/* The end of its log as one line; "" when there is none. */
void engine_log(struct engine_op *op, const char *name, char *out, size_t size);

/* The container's layer becomes the image repo:tag, comment with it. */
int engine_commit(struct engine_op *op, const char *name, const char *repo, const char *tag, const char *comment, struct pst_err *err);
/* What `docker save` writes becomes an image, or several. */
int engine_image_load(struct engine_op *op, const void *tar, size_t len, struct pst_err *err);
/* Returns owned, or NULL with err (PST_ENOTFOUND). */
json_t *engine_image(struct engine_op *op, const char *image, struct pst_err *err);
int engine_image_tag(struct engine_op *op, const char *image, const char *repo, const char *tag, struct pst_err *err);
/*
 * Takes that name away, and the image with its last one. PST_ECONFLICT while a container stands on it: never
 * by force, which would take the container along.
 */
int engine_image_remove(struct engine_op *op, const char *image, struct pst_err *err);
/* The array of GET /images/json whose reference matches. Returns owned, or NULL with err. */
json_t *engine_images(struct engine_op *op, const char *repo, struct pst_err *err);

/*
 * Follows the events of containers with that filter's labels until one of them ends or is removed (0), or
 * PST_ETIMEOUT at the operation's end. Events up to *moment_ns are passed over; it becomes the last one's.
 */
int engine_await_end(struct engine_op *op, const char *instance, int64_t *moment_ns, struct pst_err *err);
