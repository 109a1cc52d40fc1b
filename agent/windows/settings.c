/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Three fields. */
#include "agent/windows/settings.h"

#include "agent/windows/fields.h"

#define RDP_PORT 3389

void settings_default(struct settings *s)
{
	s->rdp_port = RDP_PORT;
	s->fence = true;
	s->key = &key_cng;
}

int settings_parse(const char *text, size_t len, struct settings *s, struct pst_err *err)
{
	static const char *const known[] = { "rdp_port", "fence", "key", NULL };
	struct fields *f = fields_parse(text, len, err);
	int rc = f ? fields_only(f, known, err) : err->code;

	settings_default(s);
	if (rc == 0 && fields_has(f, "rdp_port")) {
		s->rdp_port = (uint16_t)fields_int(f, "rdp_port", 1, UINT16_MAX, 0);
		if (s->rdp_port == 0)
			rc = pst_err_set(err, PST_EINVAL, "rdp_port: is no port");
	}
	if (rc == 0 && fields_has(f, "key")) {
		const char *name = fields_str(f, "key", 16);

		s->key = key_type_find(name ? name : "");
		if (!s->key)
			rc = pst_err_set(err, PST_EINVAL, "key: must be \"ecdsa\" or \"rsa\"");
	}
	s->fence = rc < 0 || fields_bool(f, "fence", true);
	fields_free(f);
	return rc;
}
