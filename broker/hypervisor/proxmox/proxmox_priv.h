/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the Proxmox VE driver share. A desktop is a machine that was cloned from a template, with
 * a claim (rest/claim.h) in its description; the tags only help to find it. Everything is at Proxmox VE: here
 * is nothing but what saves calls.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/libvirt/address.h"
#include "broker/hypervisor/proxmox/vm.h"
#include "broker/hypervisor/rdp_site.h"
#include "broker/hypervisor/rest/claim.h"
#include "broker/hypervisor/rest/lookout.h"
#include "broker/hypervisor/rest/nets.h"
#include "broker/hypervisor/rest/rest.h"
#include "broker/hypervisor/seed.h"

#define PVE_NODES_MAX 64
#define PVE_MACHINES_MAX 16384
#define PVE_CLONING_MAX 64 /* ids that are on their way */
#define PVE_ID_MIN 100
#define PVE_ID_MAX 999999999

struct pve_briefs;

/* A bridge of the nodes, or a virtual network of the cluster (SDN). */
struct pve_net {
	char bridge[16];
	uint32_t tag; /* 0: none */
	bool is_vnet;
};

struct pve_settings {
	char nodes[512];         /* "a, b": where desktops may be; "" for the whole cluster */
	char pool[VMCONFIG_NAME_SIZE];
	char storage[VMCONFIG_NAME_SIZE];      /* of full clones; "" for the template's */
	char seed_storage[VMCONFIG_NAME_SIZE]; /* of type iso */
	char seed_drive[VMCONFIG_DRIVE_SIZE];
	char ipam[VMCONFIG_NAME_SIZE];
	struct nets nets;
	struct pve_net net[NETS_MAX]; /* what each of them is */
	struct seed_site seed;
	struct rdp_site rdp;
	bool is_full, is_shared; /* full clones; templates lie where every node reaches them */
	uint32_t id_first, id_last; /* 0: as Proxmox VE gives them */
	uint32_t capacity;       /* 0: by the nodes' memory */
	uint64_t address_wait_ms, poll_ms;
};

struct proxmox {
	struct driver base;
	struct rest rest;
	struct lookout *lookout;
	char instance[MARK_SIZE];
	char provider[MACHINE_NAME_SIZE];
	struct pve_settings set;
	struct pve_briefs *briefs;
	pthread_mutex_t lock; /* guards what follows */
	uint32_t cloning[PVE_CLONING_MAX];
	struct lv_addresses addresses;
	bool has_listed; /* addresses of earlier runs are known */
};

/* What a list needs of a machine of ours. */
struct pve_brief {
	uint32_t id;
	char rev[VMCONFIG_REV_SIZE]; /* of the claim's text; "" when its tag is missing */
	char desktop[PST_UUID_SIZE]; /* "": it is none of ours */
	char task[PST_UUID_SIZE];
	char image[2 * MACHINE_NAME_SIZE];
	char address[CLAIM_ADDRESS_SIZE];
	char mac[VMCONFIG_MAC_SIZE];
	enum claim_phase phase;
	bool is_windows, has_rdp; /* of its request */
};

struct pve_item {
	struct pve_vm vm;
	struct pve_brief brief;
};

struct pve_inventory {
	struct pve_item *items; /* owned */
	size_t n, cap;
};

/* The machines of one desktop: the one that counts, and others that a crash has left. */
struct pve_found {
	struct pve_vm vm;
	struct claim claim;
	json_t *config; /* owned */
	bool is_there;
	struct pve_vm others[4]; /* and if there are more, the next look finds them */
	size_t others_n;
};

struct proxmox *proxmox_of(struct driver *d);
struct proxmox *proxmox_of_op(const struct rest_op *op);

/* settings.c */
int pve_settings_read(struct proxmox *p, const struct driver_params *params, struct rest_params *ret_rest, struct pst_err *err);

/* power.c */
/* Asks the guest, which has so many seconds, and ends it if it does not listen. */
int pve_vm_shut_down(struct rest_op *op, struct pve_found *f, uint64_t given_s, struct pst_err *err);
int proxmox_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err);

/* inventory.c: all of ours. finish accepts a zeroed struct. */
int pve_inventory_read(struct rest_op *op, struct pve_inventory *ret, struct pst_err *err);
void pve_inventory_finish(struct pve_inventory *v);
int proxmox_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
/* Online nodes with their free memory; the array of GET /nodes, owned. */
json_t *pve_nodes(struct rest_op *op, struct pst_err *err);

/* briefs.c: what is known of claims, so that a list need not read each. Any thread. */
struct pve_briefs *pve_briefs_create(void);
void pve_briefs_destroy(struct pve_briefs *b);
/* Also one that is none of ours, for some times. */
bool pve_briefs_find(struct pve_briefs *b, uint32_t id, const char *rev, struct pve_brief *ret);
void pve_briefs_put(struct pve_briefs *b, const struct pve_brief *brief);
/* What it says is not so any more, whatever the tags say: it is read again. */
void pve_briefs_forget(struct pve_briefs *b, uint32_t id);
/* What a configuration says; PST_ENOTFOUND for a machine that is not ours. claim may be NULL. */
int pve_brief_read(const struct proxmox *p, uint32_t id, const json_t *config, struct pve_brief *ret, struct claim *claim, struct pst_err *err);

/* found.c. finish accepts a zeroed struct. */
int pve_find(struct rest_op *op, struct pve_found *ret, struct pst_err *err);
/* As find, and PST_ENOTFOUND without one; PST_EBUSY for one that was never finished, if it has to be whole. */
int pve_need(struct rest_op *op, struct pve_found *ret, bool whole, struct pst_err *err);
void pve_found_finish(struct pve_found *f);
/* Writes f->claim to f->vm; more (taken, or NULL) goes along. */
int pve_claim_save(struct rest_op *op, struct pve_found *f, json_t *more, struct pst_err *err);
/* Removes a machine and its seed. */
int pve_vm_remove(struct rest_op *op, struct pve_vm *vm, struct pst_err *err);
/* Removes the others. */
int pve_found_tidy(struct rest_op *op, struct pve_found *f, struct pst_err *err);

/* clone.c: a machine of f->claim (place and f->vm are filled), stopped and not configured. */
int pve_clone(struct rest_op *op, struct pve_found *f, struct pst_err *err);
/* place.c */
int pve_template_find(struct rest_op *op, const struct machine_request *r, struct pve_vm *ret, struct pst_err *err);
/* wish: a node, or "" for the one with the most free memory. PST_ENOTFOUND, PST_EBUSY. */
int pve_node_choose(struct rest_op *op, const struct pve_vm *template, const char *wish, char out[VMCONFIG_NAME_SIZE], struct pst_err *err);
/* The next id after "after" (0: the first) that nobody has; it is ours to try until it is given back. */
int pve_id_take(struct rest_op *op, uint32_t after, uint32_t *ret, struct pst_err *err);
void pve_id_give(struct proxmox *p, uint32_t id);

/* seed.c */
int pve_seed_put(struct rest_op *op, const struct pve_vm *vm, const struct machine_request *r, struct pst_err *err);
int pve_seed_remove(struct rest_op *op, const struct pve_vm *vm, struct pst_err *err);
/* The drive with the seed, or empty (desktop NULL), into config. */
int pve_seed_drive(const struct proxmox *p, const struct pve_vm *vm, const char *desktop, json_t *config, struct pst_err *err);

/* Long read, it would only be in the way of moves and of going back: the drive is emptied, then the file goes. */
int pve_seed_leave(struct rest_op *op, struct pve_found *f, struct pst_err *err);

/* hosts.c */
int proxmox_hosts(struct driver *d, driver_host_cb visit, void *arg, struct pst_err *err);
int proxmox_networks(struct driver *d, driver_network_cb visit, void *arg, struct pst_err *err);
bool pve_node_allowed(const struct pve_settings *s, const char *node);

/* network.c */
int pve_address_take(struct rest_op *op, struct claim *c, struct pst_err *err);
/* "net0" in the network that was asked for, and with the address's own MAC where addresses are ours, into config. */
int pve_card_set(const struct proxmox *p, const struct pve_found *f, json_t *config, struct pst_err *err);
/* Rows of the IPAM, owned; an empty array where none is asked. */
json_t *pve_leases(struct rest_op *op, struct pst_err *err);
bool pve_lease_find(const json_t *leases, const char *mac, char out[CLAIM_ADDRESS_SIZE]);
/*
 * Until it has one, or the time for it is over, which is no failure. A machine whose agent says when it comes is not waited for; one that is of no use
 * without (rdp_site_needs_address) is for as long as the command may take, and then it is PST_ETIMEOUT.
 */
int pve_address_wait(struct rest_op *op, struct pve_found *f, struct pst_err *err);

/* life.c */
int proxmox_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err);
int proxmox_destroy(struct driver *d, const char *desktop, struct pst_err *err);
int proxmox_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err);
/* snapshot.c */
int proxmox_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int proxmox_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int proxmox_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
/* resize.c */
int proxmox_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err);
int pve_disk_grow(struct rest_op *op, struct pve_found *f, uint32_t mb, bool may_be_larger, struct pst_err *err);
/* Memory and processors, into config. */
void pve_size_set(json_t *config, uint32_t memory_mb, uint32_t cpu_percent);
/* screen.c */
int proxmox_way(struct driver *d, const char *desktop, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err);
int proxmox_console(struct driver *d, const char *desktop, bool is_shared, struct machine_screen *ret, struct pst_err *err);
/* migrate.c */
int proxmox_migrate(struct driver *d, const char *desktop, const char *host, struct pst_err *err);
