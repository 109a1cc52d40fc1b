/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The answers of repeated requests, kept in the database. */
#include "broker/api/replay.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "broker/api/api_priv.h"

#include <stdlib.h>
#include <string.h>

#define KEY_MAX 128

static const char *key_of(const struct api_call *call)
{
	if (call->method != METHOD_POST || !call->who.is_known || call->who.is_system || pst_str_ends(call->path, "/tokens") ||
		pst_str_starts(call->path, "/api/v1/me/"))
		return NULL;
	return call_header(call, "idempotency-key");
}

static void request_hash(struct api_call *call, const json_t *body_text)
{
	const char *body = json_string_value(body_text);
	uint8_t parts[2][32];

	pst_sha256(call->path, strlen(call->path), parts[0]);
	pst_sha256(body ? body : "", json_string_length(body_text), parts[1]);
	pst_sha256(parts, sizeof(parts), call->request_hash);
}

static int answer_again(struct api_call *call, int status, const char *text)
{
	json_t *body = pst_json_parse(text, strlen(text), PST_JSON_DEPTH, NULL);

	call_ok(call, status, body);
	return PST_ECONFLICT;
}

int replay_find(struct api_call *call, const json_t *body_text)
{
	const char *key = key_of(call);
	uint8_t before[32];
	char *text = NULL;
	int status = 0;

	if (!key)
		return 0;
	if (!*key || strlen(key) > KEY_MAX) {
		call_problem(call, "bad_request", "an Idempotency-Key has 1 to %d characters", KEY_MAX);
		return PST_EINVAL;
	}
	request_hash(call, body_text);
	int rc = db_idempotency_find(call->api->db, call->who.user.user_id, key, before, &status, &text, NULL);
	if (rc == PST_ENOTFOUND)
		return 0;
	if (rc < 0 || memcmp(before, call->request_hash, sizeof(before)) != 0) {
		call_problem(call, rc < 0 ? "storage" : "key_reused", NULL);
		rc = PST_ECONFLICT;
	} else {
		rc = answer_again(call, status, text);
	}
	free(text);
	return rc;
}

void replay_keep(struct api_call *call)
{
	const char *key = call->status == 201 ? key_of(call) : NULL;

	if (!key)
		return;
	char *text = pst_json_text(call->reply, NULL);
	if (text)
		db_idempotency_insert(call->api->db, call->who.user.user_id, key, call->request_hash, call->status, text,
			pst_wall_ms(), NULL);
	free(text);
}
