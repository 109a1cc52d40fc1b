/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The provisioner's side of storage: datastores from provisioner.conf, what they are told to the broker when
 * it changes, its wishes about them, and its long jobs on images. Loop thread only.
 *
 *	in   {"op": "datastore", "name", "maintenance", "warning", "critical"}         answered
 *	in   {"op": "image", …}                     image_job.h; answered when it has begun
 *	in   {"op": "image_cancel", "task"}         answered
 *	in   {"op": "bin_list" | "bin_restore" | "bin_remove", …}                      bin_job.h
 *	out  {"op": "datastores", "datastores": […]}   after the hello, and when there is news
 *	out  {"op": "image", "task", "state", …}       image_job.h
 */
#pragma once

#include "base/conf.h"
#include "base/ctl_client.h"
#include "broker/hypervisor/storage/image_job.h"
#include "broker/hypervisor/storage/stores.h"

#include <uv.h>

#define STORAGE_SECTION "datastore-"
#define STORAGE_JOBS_MAX 16 /* on images, at work */
#define STORAGE_JOBS_KEPT 64 /* with those that are over, until they are needed no more */

struct storage;

/* Adds the datastores of conf to set and begins to watch them. Blocks for as long as the first look takes. */
int storage_configure(struct stores *set, struct pst_conf *conf, const char *data, struct pst_err *err);

/* set is borrowed, what tools has copied. Returns owned; NULL on no memory. */
struct storage *storage_create(uv_loop_t *loop, struct stores *set, const struct image_tools *tools);

/* The connection on which it speaks; borrowed until storage_disconnect. */
void storage_connect(struct storage *s, struct pst_ctl *ctl);
void storage_disconnect(struct storage *s);

/* Is this op ours? Then the message is taken care of, with its answer. */
bool storage_take(struct storage *s, struct pst_ctl *ctl, json_t *msg);

/* Cancels the jobs and waits for their ends. closed is called when everything is freed. Accepts NULL (then closed is not called). */
void storage_close(struct storage *s, void (*closed)(void *arg), void *arg);

/* {"name", "path", "pools", "online", "maintenance", "reason", "level", "total", …}; returns owned. */
json_t *storage_store_json(const struct store_view *v);
