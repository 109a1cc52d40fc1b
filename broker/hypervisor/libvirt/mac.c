/* SPDX-License-Identifier: GPL-3.0-or-later */
/* MAC addresses from uuids. */
#include "broker/hypervisor/libvirt/mac.h"

#include "base/hash.h"

#include <stdio.h>
#include <string.h>

void lv_mac(const char *desktop, char out[LV_MAC_SIZE])
{
	uint8_t sum[PST_SHA256_LEN];

	pst_sha256(desktop, strlen(desktop), sum);
	/* Locally administered, so that 40 bits are free and two of 10,000 desktops do not meet. */
	snprintf(out, LV_MAC_SIZE, "52:%02x:%02x:%02x:%02x:%02x", sum[0], sum[1], sum[2], sum[3], sum[4]);
}
