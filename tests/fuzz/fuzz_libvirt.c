/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What libvirt gives back: a record in a domain's metadata, and values picked from its documents. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "broker/hypervisor/libvirt/record.h"
#include "broker/hypervisor/libvirt/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void values_pick(const char *xml)
{
	char out[64];

	for (const char *p = xml_find(xml, "graphics"); p; p = xml_find(p + 1, "graphics")) {
		if (xml_attribute(p, "socket", out, sizeof(out)) && strlen(out) >= sizeof(out))
			abort();
		if (xml_text(p, out, sizeof(out)) && strlen(out) >= sizeof(out))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pst_err err = PST_ERR_INIT;
	char *xml = pst_memdup(data, size);
	struct lv_record r, again;

	if (!xml)
		return 0;
	values_pick(xml);
	if (lv_record_parse(xml, &r, &err) == 0) {
		char *element = lv_record_element(&r, true);

		if (element && lv_record_parse(element, &again, &err) < 0)
			abort(); /* what we read we can write */
		free(element);
	}
	free(xml);
	return 0;
}
