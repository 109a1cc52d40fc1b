/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests into containers and back. What an engine says is checked as if a stranger had said it. */
#include "broker/hypervisor/container/spec.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LABEL "org.puesto."
#define PREFIX "puesto-"
#define OFF ".off"
#define NEXT "next"
#define REQUEST_MAX 16384 /* bytes of its label */
#define UUID_LEN (PST_UUID_SIZE - 1)

void spec_name(char out[SPEC_NAME_SIZE], const char *desktop, const char *task, bool off)
{
	snprintf(out, SPEC_NAME_SIZE, PREFIX "%s.%s%s", desktop, task ? task : NEXT, off ? OFF : "");
}

static json_t *labels_make(const struct spec_site *site, const struct machine_request *r, uid_t uid)
{
	json_t *request = request_json(r), *labels;
	char image[2 * MACHINE_NAME_SIZE], number[16];
	char *text = request ? pst_json_text(request, NULL) : NULL;

	json_decref(request);
	if (!text)
		return NULL;
	snprintf(image, sizeof(image), "%s:%s", r->image_name, r->image_version);
	snprintf(number, sizeof(number), "%u", (unsigned)uid);
	labels = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", LABEL "instance", site->instance, LABEL "desktop", r->desktop, LABEL "task", r->task,
		LABEL "image", image, LABEL "uid", number, LABEL "request", text);
	free(text);
	return labels;
}

static json_t *binds_make(const struct spec_site *site, const char *run)
{
	return json_pack("[s++,s++,s++]", run, ":/run/puesto", ":rw", site->agents, ":/run/puesto/broker", ":ro", site->libexec,
		":/usr/libexec/puesto", ":ro");
}

/* /run holds the frame buffer, so its ceiling follows the largest screen. */
static json_t *tmpfs_make(const struct machine_request *r)
{
	uint64_t fb_mb = (uint64_t)r->max_width * r->max_height * 4 / (1 << 20) + 1;
	char run[64], tmp[64];

	snprintf(run, sizeof(run), "rw,nosuid,nodev,mode=1777,size=%um", (unsigned)fb_mb + 32);
	snprintf(tmp, sizeof(tmp), "rw,exec,nosuid,nodev,mode=1777,size=%um", (unsigned)PST_MAX(r->memory_mb / 2, 16u));
	return json_pack("{s:s,s:s}", "/run", run, "/tmp", tmp);
}

static json_t *host_make(const struct spec_site *site, const struct machine_request *r, const char *run)
{
	json_int_t memory = (json_int_t)r->memory_mb << 20;

	return json_pack("{s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:[s],s:[s],s:o,s:o,s:{s:s},s:b,s:b,s:s}", "NetworkMode",
		request_has_network(r) ? site->network : "none", "UsernsMode", "host", "Memory", memory, "MemorySwap", memory, "NanoCpus",
		(json_int_t)r->cpu_percent * 10000000, "PidsLimit", (json_int_t)r->pids, "ShmSize", memory / 2, "CapDrop", "ALL",
		"SecurityOpt", "no-new-privileges", "Binds", binds_make(site, run), "Tmpfs", tmpfs_make(r), "RestartPolicy", "Name", "no",
		"Init", 0, "Privileged", 0, "IpcMode", "private");
}

json_t *spec_create(const struct spec_site *site, const struct machine_request *r, uid_t uid, const char *image, const char *run)
{
	json_t *launch = request_launch(r, uid, site->gateway_uid);
	char *text = launch ? pst_json_text(launch, NULL) : NULL;
	char user[32];
	json_t *body;

	json_decref(launch);
	if (!text)
		return NULL;
	snprintf(user, sizeof(user), "%u:%u", (unsigned)uid, (unsigned)uid);
	body = json_pack("{s:s,s:s,s:s,s:s,s:b,s:b,s:[s],s:[s,s],s:o,s:o}", "Image", image, "Hostname", r->hostname, "User", user,
		"WorkingDir", "/", "Tty", 0, "OpenStdin", 0, "Entrypoint", "/usr/libexec/puesto/puesto-desktop", "Cmd", "--contained", text,
		"Labels", labels_make(site, r, uid), "HostConfig", host_make(site, r, run));
	free(text);
	return body;
}

int spec_filter(char *out, size_t size, const char *instance, const char *desktop)
{
	char text[256];

	if (desktop)
		snprintf(text, sizeof(text), "{\"label\":[\"" LABEL "instance=%s\",\"" LABEL "desktop=%s\"]}", instance, desktop);
	else
		snprintf(text, sizeof(text), "{\"label\":[\"" LABEL "instance=%s\"]}", instance);
	return pst_url_escape(text, out, size) ? 0 : PST_ELIMIT;
}

/* "/puesto-DESKTOP.TASK", with ".off" or ".next": fills task and what was meant. */
static bool name_read(const char *name, struct spec_view *v)
{
	struct pst_uuid u;
	const char *rest;

	name += name[0] == '/';
	if (!pst_str_starts(name, PREFIX) || strncmp(name + strlen(PREFIX), v->desktop, UUID_LEN) != 0)
		return false;
	rest = name + strlen(PREFIX) + UUID_LEN;
	if (*rest++ != '.')
		return false;
	v->next = strcmp(rest, NEXT) == 0;
	if (v->next)
		return true; /* its label says whose it is */
	if (strlen(rest) < UUID_LEN)
		return false;
	memcpy(v->task, rest, UUID_LEN);
	v->task[UUID_LEN] = '\0';
	v->off = strcmp(rest + UUID_LEN, OFF) == 0;
	return pst_uuid_parse(v->task, &u) == 0 && (v->off || rest[UUID_LEN] == '\0');
}

static bool labels_read(const json_t *labels, const char *instance, struct spec_view *v)
{
	const char *theirs = pst_json_str(labels, LABEL "instance", 16), *desktop = pst_json_str(labels, LABEL "desktop", UUID_LEN);
	const char *task = pst_json_str(labels, LABEL "task", UUID_LEN), *image = pst_json_str(labels, LABEL "image", sizeof(v->image) - 1);
	const char *number = pst_json_str(labels, LABEL "uid", 10);
	struct pst_uuid u;
	uint32_t uid;

	if (!theirs || strcmp(theirs, instance) != 0 || !desktop || !task || !image || !number)
		return false;
	if (pst_uuid_parse(desktop, &u) < 0 || pst_uuid_parse(task, &u) < 0 || pst_parse_u32(number, 1000, INT32_MAX, &uid) < 0)
		return false;
	pst_strlcpy(v->desktop, sizeof(v->desktop), desktop);
	pst_strlcpy(v->task, sizeof(v->task), task);
	pst_strlcpy(v->image, sizeof(v->image), image);
	v->uid = uid;
	return true;
}

static enum spec_phase phase_read(const char *state)
{
	static const struct {
		const char *word;
		enum spec_phase phase;
	} words[] = { { "running", SPEC_RUNNING }, { "stopping", SPEC_RUNNING }, { "restarting", SPEC_RUNNING }, { "paused", SPEC_PAUSED },
		{ "created", SPEC_MADE }, { "configured", SPEC_MADE }, { "initialized", SPEC_MADE } };

	for (size_t i = 0; i < PST_ARRAY_LEN(words); i++) {
		if (strcmp(words[i].word, state) == 0)
			return words[i].phase;
	}
	return SPEC_ENDED;
}

static bool id_read(const json_t *item, char out[SPEC_ID_SIZE])
{
	const char *id = pst_json_str(item, "Id", SPEC_ID_SIZE - 1);

	return id && id[0] && id[strspn(id, "0123456789abcdef")] == '\0' && pst_strlcpy(out, SPEC_ID_SIZE, id) == 0;
}

bool spec_view(const json_t *item, const char *instance, struct spec_view *ret)
{
	const char *state = pst_json_str(item, "State", 32);
	struct spec_view v;
	json_t *name;
	size_t i;

	memset(&v, 0, sizeof(v));
	if (!state || !id_read(item, v.id) || !labels_read(json_object_get(item, "Labels"), instance, &v))
		return false;
	v.phase = phase_read(state);
	json_array_foreach(json_object_get(item, "Names"), i, name)
	{
		if (json_is_string(name) && name_read(json_string_value(name), &v)) {
			*ret = v;
			return true;
		}
	}
	return false;
}

int spec_request(const json_t *labels, struct machine_request *ret, struct pst_err *err)
{
	const char *text = pst_json_str(labels, LABEL "request", REQUEST_MAX);
	json_t *obj;
	int rc;

	if (!text)
		return pst_err_set(err, PST_EPROTO, "the container has no label " LABEL "request");
	obj = pst_json_parse(text, strlen(text), 4, err);
	rc = obj ? request_parse(obj, ret, err) : err->code;
	json_decref(obj);
	return rc < 0 ? pst_err_wrap(err, "label " LABEL "request") : 0;
}

int spec_image(const struct machine_request *r, const char **ret, struct pst_err *err)
{
	const char *name = r->image_base + strlen(REQUEST_REF);

	if (strncmp(r->image_base, REQUEST_REF, strlen(REQUEST_REF)) != 0)
		return pst_err_set(err, PST_EUNSUPPORTED, "image %s: its base \"%.200s\" is no container image; write " REQUEST_REF "NAME:TAG",
			r->image_name, r->image_base);
	if (strlen(name) > SPEC_IMAGE_MAX)
		return pst_err_set(err, PST_EINVAL, "image %s: the name of its base is longer than %d bytes", r->image_name, SPEC_IMAGE_MAX);
	*ret = name;
	return 0;
}

bool spec_ended(const json_t *inspected, int64_t booted_ms, const char *tail, char out[MACHINE_REASON_SIZE])
{
	const json_t *state = json_object_get(inspected, "State");
	const char *started = pst_json_str(state, "StartedAt", 40), *error = pst_json_str(state, "Error", 200);
	int64_t started_ms = 0;

	if (booted_ms > 0 && started && pst_rfc3339_parse(started, &started_ms) == 0 && started_ms > 0 && started_ms < booted_ms) {
		pst_strlcpy(out, MACHINE_REASON_SIZE, "the machine it ran on was restarted");
		return true;
	}
	if (pst_json_bool(state, "OOMKilled", false))
		snprintf(out, MACHINE_REASON_SIZE, "the desktop needed more memory than its pool gives it");
	else if (error && *error)
		snprintf(out, MACHINE_REASON_SIZE, "the engine says: %.200s", error);
	else
		snprintf(out, MACHINE_REASON_SIZE, "the desktop ended or was killed (status %d); the end of its log: %.300s",
			(int)pst_json_int(state, "ExitCode", 0, 255, 255), *tail ? tail : "empty");
	return false;
}

void spec_log_text(const char *data, size_t len, char *out, size_t size)
{
	size_t n = 0, at = 0;

	/* Frames: type, three zeros, the length in four bytes. Without them it is plain text. */
	while (at < len) {
		const unsigned char *h = (const unsigned char *)data + at;
		bool framed = len - at >= 8 && h[0] <= 2 && !h[1] && !h[2] && !h[3];
		size_t part = framed ? (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7] : len - at;

		at += framed ? 8 : 0;
		part = PST_MIN(part, len - at);
		for (size_t i = 0; i < part; i++) {
			char c = data[at + i] == '\n' ? ';' : data[at + i];

			if (n + 1 >= size && size > 1) {
				memmove(out, out + 1, size - 2); /* the end is what matters */
				n = size - 2;
			}
			out[n++] = (unsigned char)c < ' ' || (unsigned char)c >= 0x7f ? ' ' : c;
		}
		at += part;
	}
	out[n] = '\0';
}
