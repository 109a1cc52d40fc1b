/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the KubeVirt driver share. A desktop is the VirtualMachine puesto-UUID of our namespace, with a
 * claim (rest/claim.h) in an annotation, and what belongs to it: its instance while it runs, the DataVolume of its
 * disk, a Secret with its seed, a Service that gives it an address for its life, its snapshots. Where desktops are
 * pods, a ConfigMap is the machine, the pod its instance, and a claim of a volume its disk.
 */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/driver.h"
#include "broker/hypervisor/kubevirt/k8s.h"
#include "broker/hypervisor/kubevirt/objects.h"
#include "broker/hypervisor/rest/claim.h"
#include "broker/hypervisor/rest/lookout.h"
#include "broker/hypervisor/rest/rest.h"
#include "broker/hypervisor/seed.h"

#define KUBE_VMS "/apis/kubevirt.io/v1/namespaces/%s/virtualmachines"
#define KUBE_VMIS "/apis/kubevirt.io/v1/namespaces/%s/virtualmachineinstances"
#define KUBE_SUB "/apis/subresources.kubevirt.io/v1/namespaces/%s/virtualmachine%s/%s/%s"
#define KUBE_MIGRATIONS "/apis/kubevirt.io/v1/namespaces/%s/virtualmachineinstancemigrations"
#define KUBE_SNAPSHOTS "/apis/snapshot.kubevirt.io/v1beta1/namespaces/%s/virtualmachinesnapshots"
#define KUBE_RESTORES "/apis/snapshot.kubevirt.io/v1beta1/namespaces/%s/virtualmachinerestores"
#define KUBE_VOLUMES "/apis/cdi.kubevirt.io/v1beta1/namespaces/%s/datavolumes"
#define KUBE_CLAIMS "/api/v1/namespaces/%s/persistentvolumeclaims"
#define KUBE_SECRETS "/api/v1/namespaces/%s/secrets"
#define KUBE_SERVICES "/api/v1/namespaces/%s/services"
#define KUBE_MAPS "/api/v1/namespaces/%s/configmaps"
#define KUBE_PODS "/api/v1/namespaces/%s/pods"

struct kubevirt {
	struct driver base;
	struct rest rest;
	struct lookout *lookout;
	char instance[MARK_SIZE];
	char provider[MACHINE_NAME_SIZE];
	char space[64], network[128], storage_class[64], pull_secret[64];
	const char *service;
	struct nets nets;
	struct seed_site seed;
	uint32_t capacity;
	uint64_t poll_ms;
	struct objects_site site; /* what of the above goes into objects */
	pthread_mutex_t lock;     /* guards the one below */
	char version[K8S_VERSION_SIZE]; /* of the last list of instances: news begin there; "" after an end of it */
};

/* A desktop as it stands. finish accepts a zeroed struct. */
struct kube_found {
	json_t *machine; /* owned; NULL when there is none of ours */
	struct claim claim;
	char uid[40];
	char phase[32];  /* of its instance, "" without one */
	char host[MACHINE_NAME_SIZE];
	char address[CLAIM_ADDRESS_SIZE]; /* as KubeVirt reports it */
	char words[128]; /* how KubeVirt calls its state */
	bool is_ending;  /* the instance goes */
	bool is_paused;
};

struct kubevirt *kubevirt_of(struct driver *d);
struct kubevirt *kubevirt_of_op(const struct rest_op *op);

/* settings.c */
/* Is its card in a network of its own? Then it has the address that the network gives each of its instances. */
bool kube_is_apart(const struct kubevirt *k, const struct machine_request *r);
int kubevirt_networks(struct driver *d, driver_network_cb visit, void *arg, struct pst_err *err);
int kube_settings_read(struct kubevirt *k, const struct driver_params *p, struct rest_params *ret_rest, struct pst_err *err);

/* found.c */
/* path of that collection (KUBE_…), with "/NAME" if it is not "". */
int kube_path(const struct kubevirt *k, const char *collection, const char *name, char out[REST_PATH_SIZE], struct pst_err *err)
	__attribute__((format(printf, 2, 0)));
/* 0 with machine NULL when there is none; PST_ECONFLICT for one of somebody else. */
int kube_find(struct rest_op *op, struct kube_found *ret, struct pst_err *err);
/* PST_ENOTFOUND without one, PST_EBUSY for one that was never finished, if it has to be whole. */
int kube_need(struct rest_op *op, struct kube_found *ret, bool whole, struct pst_err *err);
void kube_found_finish(struct kube_found *f);
/* Looks at the instance again. */
int kube_instance_look(struct rest_op *op, struct kube_found *f, struct pst_err *err);
/* Does an instance go on, or is one on its way? */
bool kube_is_up(const struct kube_found *f);
/* The node of an instance, and the address that it has; "" while there is none. */
void kube_host(const json_t *instance, char out[MACHINE_NAME_SIZE]);
void kube_address(const json_t *instance, char out[CLAIM_ADDRESS_SIZE]);
/* Writes f->claim; more (taken, or NULL) is merged along. */
int kube_claim_save(struct rest_op *op, struct kube_found *f, json_t *more, struct pst_err *err);
/* The name of the disk's DataVolume or claim, "" for a container disk. Borrowed from the machine. */
const char *kube_root(const struct kube_found *f);
/* Collections: of machines, of instances, of disks. */
const char *kube_machines(const struct kubevirt *k);
const char *kube_instances(const struct kubevirt *k);
const char *kube_disks(const struct kubevirt *k);
/* The machine as it should be; owned, NULL with err. */
json_t *kube_machine_make(const struct kubevirt *k, const struct claim *c, struct pst_err *err);
/* PST_EUNSUPPORTED where desktops are pods. */
int kube_machines_only(struct driver *d, const char *what, struct pst_err *err);
/* The claim of a machine, if it is ours. */
bool kube_claim_read(const struct kubevirt *k, const json_t *machine, struct claim *ret);

/* power.c */
int kube_start(struct rest_op *op, struct kube_found *f, struct pst_err *err);
int kube_stop(struct rest_op *op, struct kube_found *f, unsigned grace_s, struct pst_err *err);
int kubevirt_power(struct driver *d, const char *desktop, enum machine_power wish, struct pst_err *err);

/* side.c: what is beside the machine. */
int kube_seed_put(struct rest_op *op, const struct kube_found *f, struct pst_err *err);
/* The disk, where KubeVirt does not make it. */
int kube_disk_put(struct rest_op *op, const struct kube_found *f, struct pst_err *err);
/* Fills f->claim.address. */
int kube_service_put(struct rest_op *op, struct kube_found *f, struct pst_err *err);
/* Those of the desktop in that collection, but the one that is named. */
int kube_others_remove(struct rest_op *op, const char *collection, const char *but, struct pst_err *err) __attribute__((format(printf, 2, 0)));
/* Seed and Service; Kubernetes would do it with the machine, but the seed has a token. */
int kube_sides_remove(struct rest_op *op, struct pst_err *err);

/* await.c: objects that say by their state when they are done. path is one's own, collection where it is made. */
/* Makes it if it is not there, and waits until state says 1, or an error. */
int kube_object_await(struct rest_op *op, const char *path, const char *collection, const json_t *body,
	int (*state)(const json_t *o, struct pst_err *err), struct pst_err *err);
/* Until it is gone; 0 when there was none. */
int kube_object_remove(struct rest_op *op, const char *path, int grace_s, struct pst_err *err);

/* life.c, list.c, snapshot.c, resize.c, screen.c, migrate.c, watch.c: slots */
int kubevirt_create(struct driver *d, const struct machine_request *r, struct machine *ret, struct pst_err *err);
int kubevirt_destroy(struct driver *d, const char *desktop, struct pst_err *err);
int kubevirt_restart(struct driver *d, const struct machine_request *r, bool refresh, struct machine *ret, struct pst_err *err);
int kubevirt_list(struct driver *d, driver_visit_cb visit, void *arg, struct pst_err *err);
int kubevirt_snapshot_take(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int kubevirt_snapshot_revert(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int kubevirt_snapshot_drop(struct driver *d, const char *desktop, const char *name, struct pst_err *err);
int kubevirt_resize(struct driver *d, const char *desktop, const struct machine_size *size, struct pst_err *err);
int kubevirt_console(struct driver *d, const char *desktop, bool is_shared, struct machine_screen *ret, struct pst_err *err);
int kubevirt_migrate(struct driver *d, const char *desktop, const char *host, struct pst_err *err);
int kubevirt_await(struct driver *d, struct rest_op *op, struct pst_err *err);
