/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is written into Kubernetes for a desktop that is a pod: a ConfigMap that stands for the desktop, a claim with
 * what outlives the pod (home, the agent's enrolment), a Secret with what makes it this desktop, and the pod, whose
 * image is one of deploy/image-builder. Pure; all return owned, or NULL with err.
 */
#pragma once

#include "broker/hypervisor/kubevirt/objects.h"
#include "broker/hypervisor/seed.h"

#define PODS_STATE "state" /* the key of the ConfigMap that names the claim */

/* The ConfigMap. Its claim is of the task, so that a refresh makes another. */
json_t *pods_machine(const struct objects_site *s, const struct claim *c, struct pst_err *err);
json_t *pods_state(const struct objects_site *s, const struct claim *c, const char *name, const char *owner_uid, struct pst_err *err);
/* ca: the text of the authority's certificate. */
json_t *pods_seed(const struct objects_site *s, const struct claim *c, const char *owner_uid, const char *agents, const char *ca, struct pst_err *err);
json_t *pods_pod(const struct objects_site *s, const struct claim *c, const char *state, const char *owner_uid, struct pst_err *err);
