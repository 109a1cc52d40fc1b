/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words of Proxmox VE: values of a machine's configuration (qm.conf(5)), tags, names of snapshots, tasks. Pure. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VMCONFIG_VALUE_SIZE 1024
#define VMCONFIG_DRIVE_SIZE 12  /* "scsi30" */
#define VMCONFIG_MAC_SIZE 18
#define VMCONFIG_NAME_SIZE 64   /* of nodes, storages, pools */
#define VMCONFIG_SNAPSHOT_SIZE 41
#define VMCONFIG_UPID_SIZE 256
#define VMCONFIG_REV_SIZE 17
#define VMCONFIG_TAG "puesto"        /* on each machine of ours, for people */
#define VMCONFIG_TAG_MARK "puesto-i-" /* and whose it is */
#define VMCONFIG_TAG_REV "puesto-r-"  /* and which claim it has */

/* A node, a storage, a pool: letters, digits, '.', '_', '-'. */
bool vmconfig_name_valid(const char *name);

/* The MAC address of "virtio=BC:24:11:00:00:01,bridge=vmbr0", in lower case. */
bool vmconfig_mac(const char *net, char out[VMCONFIG_MAC_SIZE]);
/* net with that address in place of its own; false when it has none, or is too long. */
/* net with that bridge (or vnet) and VLAN tag (0: none) instead of its own. False when it becomes too long. */
bool vmconfig_bridge_set(const char *net, const char *bridge, uint32_t tag, char out[VMCONFIG_VALUE_SIZE]);
bool vmconfig_mac_set(const char *net, const char *mac, char out[VMCONFIG_VALUE_SIZE]);

/* MB of "STORAGE:vm-1-disk-0,size=32G"; 0 when it does not say. */
uint64_t vmconfig_drive_mb(const char *drive);
/* The machine's own disk: the first of the boot order, or the first there is. */
bool vmconfig_disk(const json_t *config, char out[VMCONFIG_DRIVE_SIZE]);

bool vmconfig_has_tag(const char *tags, const char *tag);
/* What follows the first tag with that beginning. */
bool vmconfig_tag_rest(const char *tags, const char *beginning, char *out, size_t size);
/* The tags of others, and ours; false when that is too long. */
bool vmconfig_tags(const char *old, const char *mark, const char *rev, char out[VMCONFIG_VALUE_SIZE]);
/* A claim's hash, for its tag. */
void vmconfig_rev(const char *text, char out[VMCONFIG_REV_SIZE]);

/* What Proxmox VE calls our snapshot NAME: "p-NAME" where that is a name there, else "q-" and a hash. */
void vmconfig_snapshot(const char *name, char out[VMCONFIG_SNAPSHOT_SIZE]);

/* The node of "UPID:NODE:…"; false for what is no task. */
bool vmconfig_upid_node(const char *upid, char out[VMCONFIG_NAME_SIZE]);

/* The code of a sentence of Proxmox VE's, which says most things with the status 500. */
int vmconfig_code(const char *words, int otherwise);
