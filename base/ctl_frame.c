/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One frame of a control connection, from bytes. */
#include "base/ctl_priv.h"

#include "base/cursor.h"
#include "base/json.h"

long pst_ctl_frame_parse(const void *data, size_t len, size_t frame_max, json_t **ret_msg,
	bool *ret_has_fd, struct pst_err *err)
{
	struct pst_cursor c;

	pst_cursor_init(&c, data, len);
	uint32_t word = pst_cursor_be32(&c);
	if (!pst_cursor_ok(&c))
		return 0;

	size_t body_len = word & ~CTL_HAS_FD;
	if (body_len > frame_max)
		return pst_err_set(err, PST_ELIMIT, "a message of %zu bytes: the ceiling is %zu", body_len,
			frame_max);

	const uint8_t *body = pst_cursor_bytes(&c, body_len);
	if (!body)
		return 0;

	json_t *msg = pst_json_parse((const char *)body, body_len, PST_JSON_DEPTH, err);
	if (!msg)
		return PST_EPROTO;
	if (!json_is_object(msg)) {
		json_decref(msg);
		return pst_err_set(err, PST_EPROTO, "a message must be a JSON object");
	}

	*ret_msg = msg;
	*ret_has_fd = (word & CTL_HAS_FD) != 0;
	return (long)c.at;
}
