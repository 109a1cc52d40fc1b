/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Texts and values of machines at a hypervisor, which anybody there may have edited: what passes comes back the same. */
#include "broker/hypervisor/proxmox/vmconfig.h"
#include "broker/hypervisor/rest/claim.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void claim_check(const char *text)
{
	struct pst_err err = PST_ERR_INIT;
	static struct claim c, back;
	char *own;

	if (claim_parse(text, &c, &err) < 0 || !(own = claim_text(&c, &err)))
		return;
	if (claim_parse(own, &back, &err) < 0 || strcmp(c.request.desktop, back.request.desktop) != 0 || c.phase != back.phase ||
		strcmp(c.place, back.place) != 0)
		abort();
	free(own);
}

static void words_check(const char *text)
{
	char value[VMCONFIG_VALUE_SIZE], mac[VMCONFIG_MAC_SIZE], node[VMCONFIG_NAME_SIZE], rev[VMCONFIG_REV_SIZE], snapshot[VMCONFIG_SNAPSHOT_SIZE];

	if (vmconfig_mac(text, mac) && vmconfig_mac_set(text, "02:50:00:00:00:01", value) &&
		(!vmconfig_mac(value, mac) || strcmp(mac, "02:50:00:00:00:01") != 0))
		abort();
	vmconfig_drive_mb(text);
	if (vmconfig_upid_node(text, node) && !vmconfig_name_valid(node))
		abort();
	if (vmconfig_tags(text, "mark", "rev", value) && (!vmconfig_has_tag(value, VMCONFIG_TAG) || !vmconfig_tag_rest(value, VMCONFIG_TAG_REV, rev, sizeof(rev))))
		abort();
	vmconfig_snapshot(text, snapshot);
	vmconfig_code(text, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	claim_check(text);
	words_check(text);
	free(text);
	return 0;
}
