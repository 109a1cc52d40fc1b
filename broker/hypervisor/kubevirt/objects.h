/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is written into Kubernetes for a desktop: objects of kubevirt.io/v1, cdi.kubevirt.io/v1beta1, snapshot.kubevirt.io/v1beta1 and v1. Pure. */
#pragma once

#include "base/err.h"
#include "broker/hypervisor/rest/claim.h"
#include "broker/hypervisor/rest/nets.h"

#include <jansson.h>

#define OBJECTS_NAME_SIZE 80
#define OBJECTS_LABEL "org.puesto/"
#define OBJECTS_CLAIM "org.puesto/claim" /* the annotation */
#define OBJECTS_RAN "org.puesto/ran"
#define OBJECTS_ROOT "root" /* the volume with the system */

/* Of a provider. Borrowed strings; "" for what is not set. */
struct objects_site {
	const char *space;         /* the namespace */
	const char *instance, *provider;
	const char *network;       /* of multus, "NAME" or "NAMESPACE/NAME"; "" for the pods' own */
	const struct nets *nets;   /* that a pool may choose instead, by name; NULL: none */
	const char *storage_class;
	const char *pull_secret;
	const char *service;       /* its type */
	uint16_t agent_port;
	bool has_seeds;
	bool is_pods; /* desktops are pods: the machine is a ConfigMap then, which stays while the pod comes and goes */
};

/* "puesto-UUID", and with a suffix. */
void objects_name(const char *desktop, const char *suffix, char out[OBJECTS_NAME_SIZE]);
/* "org.puesto/instance=…,org.puesto/provider=…" and more for one desktop, escaped as a query's value. */
int objects_selector(const struct objects_site *s, const char *desktop, char *out, size_t size);

/* The network of multus that this request's card is in; "" for the pods' own. A name that is not known is the latter: it was refused before. */
const char *objects_network(const struct objects_site *s, const struct machine_request *r);

/* The image of "ref:IMAGE" (a container disk) or, with *ret_space set, of "ref:pvc:[NAMESPACE.]NAME". PST_EUNSUPPORTED, PST_EINVAL. */
int objects_image(const struct objects_site *s, const struct machine_request *r, char name[256], char space[64], struct pst_err *err);

/* All of these return owned, or NULL with err. The machine is not to run until it is told to. */
json_t *objects_labels(const struct objects_site *s, const char *desktop);
/* Name, labels, and the machine as owner: Kubernetes removes it with that. */
json_t *objects_metadata(const struct objects_site *s, const char *desktop, const char *name, const char *owner_uid);
json_t *objects_machine(const struct objects_site *s, const struct claim *c, struct pst_err *err);
/* {"metadata": {"annotations": …}}, for merging. */
json_t *objects_claim(const struct claim *c, struct pst_err *err);
json_t *objects_seed(const struct objects_site *s, const struct claim *c, const char *owner_uid, const char *seed, struct pst_err *err);
json_t *objects_service(const struct objects_site *s, const struct claim *c, const char *owner_uid, struct pst_err *err);
json_t *objects_snapshot(const struct objects_site *s, const char *desktop, const char *name, const char *words, bool ran, struct pst_err *err);
json_t *objects_restore(const struct objects_site *s, const char *desktop, const char *name, const char *snapshot, struct pst_err *err);
json_t *objects_migration(const struct objects_site *s, const char *desktop, const char *name, const char *host, struct pst_err *err);
/* {"spec": …} with that memory and those processors (0: as they are), for merging. */
json_t *objects_size(uint32_t memory_mb, uint32_t cpu_percent, struct pst_err *err);
