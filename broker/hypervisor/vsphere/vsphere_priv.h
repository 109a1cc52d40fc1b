/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the vSphere driver share. Nothing is kept here: machines of the folder, by name and by our
 * record in their extraConfig, are what there is.
 */
#pragma once

#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/libvirt/record.h"
#include "broker/hypervisor/mark.h"
#include "broker/hypervisor/rdp_site.h"
#include "broker/hypervisor/seed.h"
#include "broker/hypervisor/vsphere/property.h"
#include "broker/hypervisor/vsphere/vim.h"
#include "broker/hypervisor/watches.h"

#include <pthread.h>

#define VS_PATH_SIZE 256
#define VS_PREFIX "puesto-" /* of a machine's name; the desktop's uuid follows */
#define VS_NEXT ".next"     /* behind the name of one that has not taken its predecessor's place */
#define VS_NAME_SIZE 64
#define VS_RECORD_KEY "puesto.record"
#define VS_SEED_KEY "guestinfo.puesto.seed"
#define VS_WAIT_S 60
#define VS_NETWORKS_MAX 32

struct vs_op;

struct vs_network {
	char name[MACHINE_NAME_SIZE]; /* as pools call it */
	char path[VS_PATH_SIZE];
};

/* Inventory paths ("DC/vm/Folder") have no slash in front. */
struct vs_settings {
	char folder[VS_PATH_SIZE];    /* of the desktops */
	char templates[VS_PATH_SIZE]; /* where a template without a path is */
	char cluster[VS_PATH_SIZE];   /* whose hosts run them */
	char pool[VS_PATH_SIZE];
	char datastore[VS_PATH_SIZE];                /* path; "": where the template is */
	char network[VS_PATH_SIZE];                  /* path; "": the template's */
	struct vs_network networks[VS_NETWORKS_MAX]; /* others, by name */
	size_t networks_n;
	char host[VS_PATH_SIZE]; /* path; "": the cluster chooses */
	struct seed_site seed;
	struct rdp_site rdp;
	uint32_t first, last; /* IPv4 addresses that guests may say they have, host order; 0: all but special ones */
	uint32_t capacity;    /* 0: by the hosts' memory */
	uint64_t deadline_ms, poll_ms, address_wait_ms;
};

struct vsphere {
	struct driver base;
	char provider[MACHINE_NAME_SIZE];
	char instance[MARK_SIZE];
	struct vs_settings set;
	struct vim *vim;
	struct watches *watches;
	pthread_mutex_t lock; /* guards the two below */
	struct vs_op *ops;
	bool is_closing;
	pthread_t watcher;
	bool has_watcher;
};

/* A command on a desktop, from its begin to its end. */
struct vs_op {
	struct vim_op vim;
	struct vsphere *vs;
	struct vs_op *next;
	char desktop[PST_UUID_SIZE]; /* "" for what is about none */
};

struct vsphere *vsphere_of(struct driver *d);
void vs_op_begin(struct vs_op *op, struct vsphere *vs, const char *desktop);
void vs_op_end(struct vs_op *op);

enum vs_power { VS_OFF, VS_ON, VS_SUSPENDED };

enum vs_whose {
	VS_NOBODY, /* there is no such machine */
	VS_OURS,
	VS_FOREIGN,    /* without our mark: never touched */
	VS_UNREADABLE, /* vSphere cannot show its configuration now */
};

struct vs_vm {
	enum vs_whose whose;
	struct vim_ref ref, host;
	char name[VS_NAME_SIZE];
	enum vs_power power;
	bool is_connected; /* with its host; else what is said of its power is old */
	bool is_next;
	char address[LV_ADDRESS_SIZE]; /* as the guest says, checked; "" while none is known */
	struct lv_record record;
};

/* The machines of one desktop. */
struct vs_found {
	struct vs_vm now, next;
};

/* settings.c */
int vs_settings_read(struct vsphere *vs, const struct driver_params *p, struct vim_params *ret, struct pst_err *err);

/* place.c: an object by its inventory path. PST_ENOTFOUND says which setting named it. */
int vs_place_find(struct vs_op *op, const char *path, const char *what, struct vim_ref *ret, struct pst_err *err);
/* One of that type; PST_EINVAL for another. */
int vs_place_need(struct vs_op *op, const char *path, const char *what, const char *type, struct vim_ref *ret, struct pst_err *err);
/* A datastore; of a cluster of them the one that has the most room now. PST_ENOSPC when none can be used. */
int vs_datastore_find(struct vs_op *op, const char *path, struct vim_ref *ret, struct pst_err *err);
/* Is there one? ret's type is "" without. */
int vs_place_look(struct vs_op *op, const char *path, struct vim_ref *ret, struct pst_err *err);

/* address.c, beside what address.h has */
int vsphere_way(struct driver *d, const char *desktop, const char *pin, struct machine_endpoint *ret, json_t **ret_account, struct pst_err *err);

/* found.c */
/* "puesto-UUID" or "puesto-UUID.next"? */
bool vs_name_read(const char *name, char ret_desktop[PST_UUID_SIZE], bool *ret_is_next);
/* Reads a machine from the properties vs_vm_paths. */
extern const char *const vs_vm_paths[];
void vs_vm_read(const struct vsphere *vs, const struct vim_ref *ref, const struct soap_node *content, struct vs_vm *ret);
/* Why one is VS_UNREADABLE: PST_EBUSY while it is being made. */
int vs_vm_explain(const struct vs_vm *vm, const struct soap_node *content, struct pst_err *err);
/* 0 also without any. PST_EBUSY when one of them cannot be read now. */
int vs_find(struct vs_op *op, struct vs_found *ret, struct pst_err *err);
/* A whole one of ours under its own name, with nothing beside it; else PST_ENOTFOUND, or PST_EBUSY for one that was never finished. */
int vs_need(struct vs_op *op, struct vs_vm *ret, struct pst_err *err);
/* A whole command on it, from its begin to its end. */
int vs_work(struct driver *d, const char *desktop, int (*work)(struct vs_op *op, struct vs_vm *vm, const void *arg, struct pst_err *err),
	const void *arg, struct pst_err *err);
/* What a refresh left half-way: the old one counts as long as it is there. */
int vs_found_tidy(struct vs_op *op, struct vs_found *f, struct pst_err *err);
/* The power and the address of one that was found, as they are now. */
int vs_vm_look(struct vs_op *op, struct vs_vm *vm, struct pst_err *err);

/* list.c */
int vsphere_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
void vs_machine_fill(const struct vsphere *vs, const struct vs_vm *vm, struct machine *m);

/* hosts.c */
int vsphere_capacity(struct driver *d, struct driver_capacity *ret, struct pst_err *err);
int vsphere_hosts(struct driver *d, driver_host_cb visit, void *arg, struct pst_err *err);
int vsphere_networks(struct driver *d, driver_network_cb visit, void *arg, struct pst_err *err);
int vs_hosts_each(struct vs_op *op, const char *const *paths, property_visit visit, void *arg, struct pst_err *err);
/* A host of the cluster; PST_ENOTFOUND without. */
int vs_host_find(struct vs_op *op, const char *name, struct vim_ref *ret, struct pst_err *err);
void vs_host_name(struct vs_op *op, const struct vim_ref *host, char out[MACHINE_NAME_SIZE]);

/*
 * clone.c: a machine of that name, off, with a record that says it is not finished. It is put on the request's host, else
 * on the one that is given (or NULL), else on the setting's, else where the cluster wants it.
 */
int vs_clone(struct vs_op *op, const char *name, const struct machine_request *r, const struct vim_ref *host, struct vs_vm *ret,
	struct pst_err *err);

/* configure.c */
/* Of the pool's network, or the provider's; "" leaves the template's. NULL with err when there is none of that name. */
const char *vs_network_path(const struct vs_settings *s, const char *name, struct pst_err *err);
/* Size, network, seed and record of one that is off: from here on it is meant to run. */
int vs_configure(struct vs_op *op, struct vs_vm *vm, struct pst_err *err);
/* Only the record, and the seed without a token where has_seed. */
int vs_save(struct vs_op *op, struct vs_vm *vm, bool has_seed, struct pst_err *err);
int vsphere_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err);

/* life.c */
int vsphere_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err);
int vsphere_destroy(struct driver *d, const char *desktop, struct pst_err *err);
int vsphere_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err);
int vs_remove(struct vs_op *op, struct vs_vm *vm, struct pst_err *err);

/* power.c: what is so already is done. */
int vs_power_on(struct vs_op *op, struct vs_vm *vm, struct pst_err *err);
int vs_power_off(struct vs_op *op, struct vs_vm *vm, struct pst_err *err);
/* Asks the guest, which has until that moment, and ends it if it does not listen. */
int vs_power_stop(struct vs_op *op, struct vs_vm *vm, uint64_t until_ms, struct pst_err *err);
int vsphere_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err);

/* snapshot.c */
/* The first one of that name in a VirtualMachineSnapshotInfo's tree, or NULL. */
const struct soap_node *vs_snapshot_named(const struct soap_node *info, const char *name);
int vsphere_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int vsphere_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int vsphere_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err);

/* migrate.c */
/* To that host, unless it is there. */
int vs_move(struct vs_op *op, struct vs_vm *vm, const struct vim_ref *host, struct pst_err *err);
int vsphere_migrate(struct driver *d, const char *desktop, const char *host, struct pst_err *err);

/* watch.c: the thread that looks for ends. */
int vs_watcher_start(struct vsphere *vs, struct pst_err *err);
void vs_watcher_stop(struct vsphere *vs);
