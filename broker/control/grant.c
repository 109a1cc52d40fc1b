/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Grants: signed with the key that only this desktop's agent has. */
#include "broker/control/grant.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/secret.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static json_t *policy_json(const struct grant *g)
{
	return json_pack("{s:b, s:b, s:i, s:i, s:i}", "clipboard_in", g->clipboard_in, "clipboard_out", g->clipboard_out,
		"max_width", g->max_width, "max_height", g->max_height, "idle_disconnect_s", g->idle_disconnect_s);
}

char *grant_sign(const struct grant *g)
{
	json_t *o = json_pack("{s:i, s:s, s:s, s:s, s:I, s:I, s:o}", "v", 1, "desktop", g->desktop, "user", g->user_name,
		"session", g->session, "epoch", (json_int_t)g->epoch, "exp", (json_int_t)g->expires, "policy", policy_json(g));
	size_t len = 0;
	char *text = o ? pst_json_text(o, &len) : NULL;
	size_t body_len = PST_BASE64_LEN(len), size = body_len + 1 + PST_BASE64_LEN(PST_SHA256_LEN) + 1;
	char *out = text ? malloc(size) : NULL;
	uint8_t mac[PST_SHA256_LEN];

	json_decref(o);
	if (out) {
		long n = pst_base64url_encode(text, len, out, size);

		pst_hmac_sha256(g->key, sizeof(g->key), out, (size_t)n, mac);
		out[n++] = '.';
		pst_base64url_encode(mac, sizeof(mac), out + n, size - (size_t)n);
		pst_wipe(mac, sizeof(mac));
	}
	free(text);
	return out;
}

bool grant_is_agentless(const json_t *grant)
{
	const char *kind = pst_json_str(json_object_get(grant, "endpoint"), "kind", 16);

	return kind && (strcmp(kind, "rfb") == 0 || strcmp(kind, "rdp") == 0);
}

json_t *grant_json(const struct grant *g)
{
	json_t *endpoint = json_loads(g->endpoint, 0, NULL);
	char *text = grant_sign(g);
	json_t *o = text ? json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:o, s:o, s:I}", "session", g->session, "desktop",
				   g->desktop, "user", g->user_name, "pool", g->pool_name, "epoch", (json_int_t)g->epoch, "grant", text,
				   "endpoint", endpoint ? endpoint : json_object(), "policy", policy_json(g), "expires",
				   (json_int_t)g->expires) :
			   NULL;

	if (!text)
		json_decref(endpoint);
	free(text);
	return o;
}
