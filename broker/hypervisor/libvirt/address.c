/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table of a range of addresses. */
#include "broker/hypervisor/libvirt/address.h"

#include "base/mem.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static int one_parse(const char *text, uint32_t *ret)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) != 1)
		return PST_EINVAL;
	*ret = ntohl(in.s_addr);
	return 0;
}

int lv_addresses_init(struct lv_addresses *a, const char *range, struct pst_err *err)
{
	const char *dash = strchr(range, '-');
	char first[LV_ADDRESS_SIZE] = "";
	uint32_t low, high;

	if (!dash || (size_t)(dash - range) >= sizeof(first))
		return pst_err_set(err, PST_EINVAL, "addresses: \"%.80s\" must be FIRST-LAST, two IPv4 addresses", range);
	memcpy(first, range, (size_t)(dash - range));
	if (one_parse(first, &low) < 0 || one_parse(dash + 1, &high) < 0 || high < low)
		return pst_err_set(err, PST_EINVAL, "addresses: \"%.80s\" must be FIRST-LAST, two IPv4 addresses", range);
	if (high - low >= LV_ADDRESSES_MAX)
		return pst_err_set(err, PST_ELIMIT, "addresses: \"%.80s\" has more than %d", range, LV_ADDRESSES_MAX);
	a->first = low;
	a->n = high - low + 1;
	a->owners = pst_zalloc(a->n, sizeof(*a->owners));
	return a->owners ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");
}

void lv_addresses_finish(struct lv_addresses *a)
{
	free(a->owners);
	memset(a, 0, sizeof(*a));
}

static void slot_text(const struct lv_addresses *a, uint32_t slot, char out[LV_ADDRESS_SIZE])
{
	struct in_addr in = { .s_addr = htonl(a->first + slot) };

	inet_ntop(AF_INET, &in, out, LV_ADDRESS_SIZE);
}

static bool slot_find(const struct lv_addresses *a, const struct pst_uuid *u, uint32_t *ret_slot)
{
	for (uint32_t i = 0; i < a->n; i++) {
		if (pst_uuid_equal(&a->owners[i], u)) {
			*ret_slot = i;
			return true;
		}
	}
	return false;
}

int lv_addresses_take(struct lv_addresses *a, const char *desktop, char out[LV_ADDRESS_SIZE], struct pst_err *err)
{
	static const struct pst_uuid nobody;
	struct pst_uuid u;
	uint32_t slot, start;

	if (pst_uuid_parse(desktop, &u) < 0)
		return pst_err_set(err, PST_EINVAL, "\"%.40s\" is not a UUID", desktop);
	if (!slot_find(a, &u, &slot)) {
		start = a->n ? ((uint32_t)u.b[0] << 24 | (uint32_t)u.b[1] << 16 | (uint32_t)u.b[2] << 8 | u.b[3]) % a->n : 0;
		for (uint32_t i = 0; i < a->n; i++) {
			slot = (start + i) % a->n;
			if (pst_uuid_equal(&a->owners[slot], &nobody))
				break;
			if (i + 1 == a->n)
				return pst_err_set(err, PST_ELIMIT, "all %u addresses are taken: make the range larger, or pools smaller", a->n);
		}
	}
	if (a->n == 0)
		return pst_err_set(err, PST_ELIMIT, "there are no addresses");
	a->owners[slot] = u;
	slot_text(a, slot, out);
	return 0;
}

void lv_addresses_mark(struct lv_addresses *a, const char *desktop, const char *address)
{
	struct pst_uuid u;
	uint32_t ip;

	if (pst_uuid_parse(desktop, &u) == 0 && one_parse(address, &ip) == 0 && ip >= a->first && ip - a->first < a->n)
		a->owners[ip - a->first] = u;
}

void lv_addresses_release(struct lv_addresses *a, const char *desktop)
{
	struct pst_uuid u;
	uint32_t slot;

	if (pst_uuid_parse(desktop, &u) == 0 && slot_find(a, &u, &slot))
		memset(&a->owners[slot], 0, sizeof(a->owners[slot]));
}
