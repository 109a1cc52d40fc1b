/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the libvirt driver share. Three kinds of threads: the provisioner's, which
 * only wait (call.c); one for each call, which may hang in libvirt and is then left alone; and
 * the driver's own: events (one for the process), a keeper for each host, a watcher.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/disk/format.h"
#include "broker/hypervisor/disk/placement.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/libvirt/form.h"
#include "broker/hypervisor/libvirt/mac.h"
#include "broker/hypervisor/libvirt/net.h"
#include "broker/hypervisor/libvirt/record.h"
#include "broker/hypervisor/rdp_site.h"
#include "broker/hypervisor/windows_site.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LV_HOSTS_MAX 16
#define LV_STUCK_MAX 32    /* calls that were given up and have not come back */
#define LV_MACHINES_MAX 65536
#define LV_REASON_SIZE 256
#define LV_STORES_MAX 16
#define LV_XML_MAX (4u << 20) /* bytes of a document from or for libvirt */

struct store_turn;
struct lv_call;
struct lv_found;
struct lv_known;
struct lv_mailbox;
struct lv_parents;

/* What a host turned out to be when its connection was opened. Compared as bytes: cleared before it is filled. */
struct lv_nature {
	char type[16];    /* libvirt's name of the driver: "QEMU", "Xen", "LXC", "TEST" */
	const struct lv_form *form; /* of the domains that we make there */
	char os[12];      /* what they are to the hypervisor: "hvm", "xenpvh", "linux" */
	char machine[48]; /* of QEMU and Xen; "" elsewhere */
	char arch[16], video[16];
	bool has_display; /* QEMU's, over D-Bus */
	bool has_tpm;     /* emulated, for a PC */
	bool has_ports; /* its machines take disks while they run: root ports are kept for them */
	uint32_t machines; /* room by memory */
	unsigned can;     /* DRIVER_… */
};

/* The lock of struct libvirt guards what follows name and uri. */
struct lv_host {
	struct libvirt *lv;
	char name[MACHINE_NAME_SIZE]; /* "" when there is one host only */
	char uri[512];
	char migrate_uri[256]; /* "" leaves it to libvirt */
	virConnectPtr conn;    /* NULL while there is none */
	bool is_lost;          /* conn is of no use: the keeper takes it away */
	bool has_events;
	int event_id;          /* the keeper's */
	bool is_wanted;        /* somebody waits: try at once */
	unsigned attempts;     /* to open it, that have ended */
	unsigned openings;     /* that hang, and were left (opening.c) */
	char reason[LV_REASON_SIZE]; /* of the last one */
	struct lv_nature nature; /* of the last connection that stood */
};
struct lv_settings {
	uint64_t deadline_ms;
	uint64_t address_wait_ms; /* that a create waits for a lease */
	uint32_t capacity;        /* 0: by the hosts' memory */
	char directory[PATH_MAX]; /* of disks, as the hosts see it, and we too; "" with datastores, or without disks */
	const char *stores[LV_STORES_MAX]; /* names of datastores, owned; with "directory" one of its own */
	size_t stores_n;
	bool is_instant;          /* machines are resumed from a booted parent, which gets parent_boot_ms to be painted */
	uint64_t parent_boot_ms;
	char data[PATH_MAX];      /* the data directory */
	char placed[PATH_MAX];    /* storage/placed.h; "" with "directory", or without disks */
	const char *accel;        /* "kvm", "qemu", or "" for what the host has */
	struct seed_site seed;
	struct rdp_site rdp;
	struct windows_site windows;
	bool shares_directory, has_files; /* with other hosts, at the same path; one of the datastores is of files */
	char tool[256];           /* qemu-img, which asks disks on the network for their size */
};

struct libvirt {
	struct driver base;
	char provider[MACHINE_NAME_SIZE];
	char instance[LV_INSTANCE_SIZE];
	struct lv_settings set;
	struct lv_host hosts[LV_HOSTS_MAX];
	size_t hosts_n;
	struct lv_net nets[LV_NETS_MAX]; /* the first is the provider's own */
	size_t nets_n;
	struct lv_mailbox *mailbox;
	pthread_mutex_t lock; /* guards all that follows, and the hosts */
	pthread_cond_t changed;
	unsigned refs;        /* threads, callbacks and the provisioner */
	bool is_closing, has_events_loop;
	struct lv_call *calls;
	unsigned stuck;
	struct lv_parents *parents; /* NULL without instant clones */
	struct lv_known **known; /* hashed by uuid */
	bool has_looked; /* known and the networks' addresses have been filled once */
	bool is_news;       /* a new connection: look at everybody */
	bool is_suspicious; /* somebody is suspect */
};

void lv_ref(struct libvirt *lv);
void lv_unref(struct libvirt *lv);

/* A time of CLOCK_MONOTONIC for pthread_cond_timedwait. */
struct timespec lv_until(uint64_t mono_ms);

/* error.c: libvirt's last error of this thread as ours; a dead connection is noted. Returns the code. */
int lv_error(struct pst_err *err, struct lv_host *h, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
bool lv_error_is(int vir_code);

/* opening.c: one attempt. Returns owned, or NULL with the reason. */
virConnectPtr lv_opening_run(struct lv_host *h, struct lv_nature *ret_nature, char reason[LV_REASON_SIZE]);

/* connection.c */
int lv_host_start(struct lv_host *h, struct pst_err *err);
/* Returns owned (virConnectClose), or NULL with err: waits for the attempt that is under way. */
virConnectPtr lv_host_connection(struct lv_host *h, uint64_t until_ms, struct pst_err *err);
/* The connection answers no more. */
void lv_host_lost(struct lv_host *h, const char *reason);

/* nature.c */
/* accel: "kvm", "qemu", or "" for what the host has. */
int lv_nature_find(struct lv_nature *n, virConnectPtr conn, const char *accel, struct pst_err *err);
/* What the provider carries: what every host does. Call with the lock. */
unsigned lv_can(const struct libvirt *lv);
/* Every host that is known has that: a domain is moved to any. Takes the lock. */
bool lv_has_display(struct libvirt *lv);
/* Are all of needs carried? Connects where nothing is known yet. */
int lv_can_check(struct lv_call *c, struct pst_err *err);

/* plan.c: the form of a machine of that request there; the document of a record's domain on that host. Returns owned, NULL with err. */
const struct lv_form *lv_form_for(const struct lv_host *h, const struct machine_request *r);
char *lv_plan_xml(const struct lv_host *h, const struct lv_record *r, struct pst_err *err);
/* Does its golden disk start by UEFI? False for whatever has no such disk. */
int lv_plan_is_efi(const struct lv_host *h, const struct machine_request *r, bool *ret, struct pst_err *err);

/* inventory.c */
int lv_inventory_work(struct lv_call *c, struct pst_err *err);
int lv_capacity_work(struct lv_call *c, struct pst_err *err);
/* In words why a domain that is not active is not; sets state. */
enum machine_state lv_rest(virDomainPtr d, const struct lv_record *r, char *out, size_t size);

/* disk.c: DIRECTORY/INSTANCE-PROVIDER/UUID and what is in it. PST_ENOTFOUND without the folder. */
int lv_disk_path(const struct libvirt *lv, const char *desktop, const char *file, char out[PATH_MAX], struct pst_err *err);
/* base: what it stands on, the request's golden disk or a parent's. */
int lv_disk_make(const struct libvirt *lv, const struct machine_request *r, const char *base, const struct store_turn *turn, struct pst_err *err);
/* A volume is made before the domain is defined, since libvirt says where it is. */
bool lv_disk_is_volume(const struct store_turn *turn);
/* Before the disk becomes that large, in bytes: a file grows by itself, a volume has to have the room. */
int lv_disk_grow(const struct libvirt *lv, const char *desktop, uint64_t size, struct pst_err *err);
int lv_disk_remove(const struct libvirt *lv, const char *desktop, struct pst_err *err);
/* visit is called for each desktop that has a folder. */
int lv_disk_each(const struct libvirt *lv, void (*visit)(const char *desktop, void *arg), void *arg, struct pst_err *err);

/* seed.c: as the host's domains read it. Replaces the file: a guest that runs keeps the one that it was started with. */
int lv_seed_write(const struct lv_host *h, const struct machine_request *r, struct pst_err *err);
/* life.c */
int lv_create_work(struct lv_call *c, struct pst_err *err);
int lv_destroy_work(struct lv_call *c, struct pst_err *err);
int lv_restart_work(struct lv_call *c, struct pst_err *err);
int lv_way_work(struct lv_call *c, struct pst_err *err); /* c->endpoint, and c->request as it was asked for */
/* power.c */
int lv_power_work(struct lv_call *c, struct pst_err *err);
/* snapshot.c */
int lv_snapshot_take_work(struct lv_call *c, struct pst_err *err);
int lv_snapshot_revert_work(struct lv_call *c, struct pst_err *err);
int lv_snapshot_drop_work(struct lv_call *c, struct pst_err *err);
/* Before the disk that holds them is made anew. */
int lv_snapshots_forget(struct lv_found *f, struct pst_err *err);
int lv_resize_work(struct lv_call *c, struct pst_err *err); /* resize.c */
/* The disk of a running domain grows to its record's size. */
int lv_resize_disk(struct lv_call *c, struct lv_found *f, struct pst_err *err);
/* hosts.c */
int lv_hosts_work(struct lv_call *c, struct pst_err *err);
/* A connection of one of several hosts: of those that do not answer, it is not waited for long. As lv_host_connection. */
virConnectPtr lv_host_try(struct lv_call *c, struct lv_host *h, struct pst_err *err);
struct lv_host *lv_host_named(struct libvirt *lv, const char *name);
/* Where a machine is to be made. */
int lv_host_choose(struct lv_call *c, struct lv_host **ret, struct pst_err *err);
int lv_migrate_work(struct lv_call *c, struct pst_err *err); /* migrate.c */
int lv_console_work(struct lv_call *c, struct pst_err *err); /* screen.c */
int lv_settings_read(struct libvirt *lv, const struct driver_params *p, struct pst_err *err); /* settings.c */
