/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pods as JSON. */
#include "broker/hypervisor/kubevirt/pods.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STATE_MB 1024 /* of home and the agent's folder, where no size is asked for */
#define CONF_SIZE 512

/*
 * What the init of a machine does (deploy/image/guest/start), as far as a pod has it to do: the engine has made file
 * systems, names and the network. A token that was used is remembered by the agent, so to copy it again does no harm.
 */
#define COMMAND \
	"umask 077; mkdir -p /var/lib/puesto/agent; cp /etc/puesto/machine-id /etc/machine-id; chmod 444 /etc/machine-id; " \
	"[ ! -s /etc/puesto/enrol.json ] || cp /etc/puesto/enrol.json /var/lib/puesto/agent/enrol.json; " \
	"chown -R user: /var/lib/puesto/agent; chmod 755 /var/lib/puesto /home; exec /usr/libexec/puesto/puesto-desktop --session"

static json_t *checked(json_t *o, struct pst_err *err)
{
	if (!o)
		pst_err_set(err, PST_ENOMEM, "no memory, or a text that is no UTF-8");
	return o;
}

json_t *pods_machine(const struct objects_site *s, const struct claim *c, struct pst_err *err)
{
	char self[OBJECTS_NAME_SIZE], state[OBJECTS_NAME_SIZE], part[9], name[256], space[64];
	json_t *claim, *o;

	if (objects_image(s, &c->request, name, space, err) < 0)
		return NULL;
	if (space[0]) {
		pst_err_set(err, PST_EUNSUPPORTED, "image %s: a pod is made of an image: write " REQUEST_REF "REGISTRY/IMAGE:TAG", c->request.image_name);
		return NULL;
	}
	claim = objects_claim(c, err);
	if (!claim)
		return NULL;
	snprintf(part, sizeof(part), "%.8s", c->request.task);
	objects_name(c->request.desktop, "", self);
	objects_name(c->request.desktop, part, state);
	o = json_pack("{s:s,s:s,s:{s:s,s:o},s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata", "name", self, "labels",
		objects_labels(s, c->request.desktop), "data", PODS_STATE, state);
	if (o)
		json_object_update(json_object_get(o, "metadata"), json_object_get(claim, "metadata"));
	json_decref(claim);
	return checked(o, err);
}

json_t *pods_state(const struct objects_site *s, const struct claim *c, const char *name, const char *owner_uid, struct pst_err *err)
{
	json_t *o = json_pack("{s:s,s:s,s:o,s:{s:[s],s:{s:{s:o}}}}", "apiVersion", "v1", "kind", "PersistentVolumeClaim", "metadata",
		objects_metadata(s, c->request.desktop, name, owner_uid), "spec", "accessModes", "ReadWriteOnce", "resources", "requests", "storage",
		json_sprintf("%uMi", c->request.disk_mb ? c->request.disk_mb : STATE_MB));

	if (o && s->storage_class[0])
		json_object_set_new(json_object_get(o, "spec"), "storageClassName", json_string(s->storage_class));
	return checked(o, err);
}

static json_t *enrolment(const struct claim *c)
{
	json_t *o = json_pack("{s:s,s:s}", "desktop", c->request.desktop, "token", c->request.enrol_token), *text = NULL;
	char *t = o ? pst_json_text(o, NULL) : NULL;

	if (t)
		text = json_string(t);
	free(t);
	json_decref(o);
	return text;
}

json_t *pods_seed(const struct objects_site *s, const struct claim *c, const char *owner_uid, const char *agents, const char *ca, struct pst_err *err)
{
	const struct machine_request *r = &c->request;
	char name[OBJECTS_NAME_SIZE], agent[CONF_SIZE], session[CONF_SIZE], id[IDENTITY_ID_SIZE];
	json_t *data, *o;

	snprintf(agent, sizeof(agent), "[agent]\nbroker_tls = %s\ndisplay_tls = 0.0.0.0:%u\nca = /etc/puesto/ca.pem\nlayout = %s\n", agents, s->agent_port,
		r->layout);
	snprintf(session, sizeof(session), "[session]\nlocale = %s\nlayout = %s\nmax_width = %u\nmax_height = %u\n", r->locale, r->layout, r->max_width,
		r->max_height);
	identity_machine_id(r->desktop, id);
	objects_name(r->desktop, "seed", name);
	data = json_pack("{s:s,s:s,s:s,s:s}", "agent.conf", agent, "session.conf", session, "ca.pem", ca, "machine-id", id);
	/* Said in any case: server-side apply takes away what is not said, and a merged patch would not. */
	if (data)
		json_object_set_new(data, "enrol.json", r->enrol_token[0] ? enrolment(c) : json_string(""));
	o = data ? json_pack("{s:s,s:s,s:o,s:s,s:o}", "apiVersion", "v1", "kind", "Secret", "metadata", objects_metadata(s, r->desktop, name, owner_uid), "type",
		"Opaque", "stringData", data) : NULL;
	return checked(o, err);
}

static json_t *mounts(void)
{
	return json_pack("[{s:s,s:s,s:b},{s:s,s:s,s:s},{s:s,s:s,s:s},{s:s,s:s}]", "name", "seed", "mountPath", "/etc/puesto", "readOnly", 1, "name", "state",
		"mountPath", "/var/lib/puesto", "subPath", "puesto", "name", "state", "mountPath", "/home", "subPath", "home", "name", "shm", "mountPath", "/dev/shm");
}

static json_t *volumes(const struct claim *c, const char *state)
{
	char seed[OBJECTS_NAME_SIZE];

	objects_name(c->request.desktop, "seed", seed);
	return json_pack("[{s:s,s:{s:s,s:i}},{s:s,s:{s:s}},{s:s,s:{s:s,s:o}}]", "name", "seed", "secret", "secretName", seed, "defaultMode", 0444, "name", "state",
		"persistentVolumeClaim", "claimName", state, "name", "shm", "emptyDir", "medium", "Memory", "sizeLimit",
		json_sprintf("%uMi", c->request.memory_mb / 2));
}

/* Root at first, with what it takes to become the desktop's account, and nothing more. */
static json_t *container(const struct objects_site *s, const struct claim *c, const char *image)
{
	const struct machine_request *r = &c->request;

	return json_pack("{s:s,s:s,s:[s,s,s],s:[{s:i}],s:{s:{s:o,s:o},s:{s:o,s:o}},s:{s:b,s:{s:[s],s:[s,s,s,s,s]}},s:o}", "name", "desktop", "image", image,
		"command", "/bin/sh", "-ec", COMMAND, "ports", "containerPort", (int)s->agent_port, "resources", "limits", "memory",
		json_sprintf("%uMi", r->memory_mb), "cpu", json_sprintf("%um", r->cpu_percent * 10), "requests", "memory", json_sprintf("%uMi", r->memory_mb), "cpu",
		json_sprintf("%um", r->cpu_percent), "securityContext", "allowPrivilegeEscalation", 0, "capabilities", "drop", "ALL", "add", "CHOWN",
		"DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID", "volumeMounts", mounts());
}

json_t *pods_pod(const struct objects_site *s, const struct claim *c, const char *state, const char *owner_uid, struct pst_err *err)
{
	char self[OBJECTS_NAME_SIZE], image[256], space[64];
	json_t *o;

	if (objects_image(s, &c->request, image, space, err) < 0)
		return NULL;
	objects_name(c->request.desktop, "", self);
	o = json_pack("{s:s,s:s,s:o,s:{s:s,s:s,s:b,s:b,s:i,s:{s:{s:s}},s:[o],s:o}}", "apiVersion", "v1", "kind", "Pod", "metadata",
		objects_metadata(s, c->request.desktop, self, owner_uid), "spec", "restartPolicy", "Never", "hostname", c->request.hostname,
		"automountServiceAccountToken", 0, "enableServiceLinks", 0, "terminationGracePeriodSeconds", 30, "securityContext", "seccompProfile", "type",
		"RuntimeDefault", "containers", container(s, c, image), "volumes", volumes(c, state));
	if (o && s->pull_secret[0])
		json_object_set_new(json_object_get(o, "spec"), "imagePullSecrets", json_pack("[{s:s}]", "name", s->pull_secret));
	return checked(o, err);
}
