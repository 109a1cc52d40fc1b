/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Seeds as JSON. */
#include "broker/hypervisor/seed.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/hypervisor/iso.h"
#include "broker/hypervisor/path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CA_MAX (64u << 10)
#define AGENT_PORT 5910
#define RANDOM_SIZE 64

int seed_site_read(struct seed_site *s, const struct driver_params *p, struct pst_err *err)
{
	const char *agents = pst_conf_str(p->conf, p->section, "agents", "");
	const char *ca = pst_conf_str(p->conf, p->section, "agents_ca", NULL);
	uint32_t port;

	if (pst_strlcpy(s->agents, sizeof(s->agents), agents) < 0 || (agents[0] && (!strchr(agents, ':') || strpbrk(agents, " \t"))))
		return pst_err_set(err, PST_EINVAL, "agents: \"%.80s\" must be ADDRESS:PORT of the broker", agents);
	if (pst_conf_u32(p->conf, p->section, "agent_port", 1, 65535, AGENT_PORT, &port, err) < 0)
		return err->code;
	s->agent_port = (uint16_t)port;
	return ca ? path_make(s->agents_ca, err, "%s", ca) : path_make(s->agents_ca, err, "%s/pki/ca.pem", p->data);
}

json_t *seed_json(const struct seed_site *s, const struct machine_request *r, struct pst_err *err)
{
	char display[32], *ca;
	json_t *seed;
	size_t len;

	if (pst_file_read(s->agents_ca, CA_MAX, &ca, &len, err) < 0) {
		pst_err_wrap(err, "agents_ca");
		return NULL;
	}
	snprintf(display, sizeof(display), "0.0.0.0:%u", s->agent_port);
	seed = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "desktop", r->desktop, "hostname", r->hostname, "broker", s->agents,
		"display", display, "ca", ca, "locale", r->locale, "layout", r->layout);
	free(ca);
	if (seed && r->enrol_token[0] && json_object_set_new(seed, "token", json_string(r->enrol_token)) < 0) {
		json_decref(seed);
		seed = NULL;
	}
	if (!seed)
		pst_err_set(err, PST_ENOMEM, "no memory for the seed");
	return seed;
}

int seed_fresh(json_t *seed)
{
	char text[PST_BASE64_LEN(RANDOM_SIZE) + 1];
	uint8_t random[RANDOM_SIZE];

	pst_random(random, sizeof(random));
	pst_base64_encode(random, sizeof(random), text, sizeof(text));
	if (json_object_set_new(seed, "time_ms", json_integer(pst_wall_ms())) < 0)
		return -1;
	return json_object_set_new(seed, "random", json_string(text));
}

char *seed_text(const struct seed_site *s, const struct machine_request *r, struct pst_err *err)
{
	json_t *seed = seed_json(s, r, err);
	char *text = seed ? pst_json_text(seed, NULL) : NULL;

	if (seed && !text)
		pst_err_set(err, PST_ENOMEM, "no memory for the seed");
	json_decref(seed);
	return text;
}

void seed_text_free(char *text)
{
	if (text)
		pst_wipe(text, strlen(text));
	free(text);
}

int seed_disk_write(const char *path, const struct seed_site *s, const struct machine_request *r, mode_t mode, struct pst_err *err)
{
	char *text = seed_text(s, r, err);
	struct pst_buf iso;
	int rc;

	if (!text)
		return err->code;
	pst_buf_init(&iso, ISO_SIZE_MAX);
	if (iso_make(&iso, text, strlen(text)) < 0)
		rc = pst_err_set(err, PST_ELIMIT, "no memory, or too large a seed: is agents_ca one certificate?");
	else
		rc = pst_file_write(path, iso.data, iso.len, mode, err);
	if (iso.data)
		pst_wipe(iso.data, iso.len);
	pst_buf_finish(&iso);
	seed_text_free(text);
	return rc;
}
