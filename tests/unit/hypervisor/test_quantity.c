/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantities as Kubernetes writes them. */
#include "broker/hypervisor/kubevirt/quantity.h"

#include <criterion/criterion.h>

Test(quantity, has_units)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t mb;
	} cases[] = { { "4Gi", true, 4096 }, { "4096Mi", true, 4096 }, { "4294967296", true, 4096 }, { "4294967296000m", true, 4096 }, { "1.5Gi", true, 1536 },
		{ "2e9", true, 1907 }, { "2G", true, 1907 }, { "1Ti", true, 1 << 20 }, { "1k", true, 0 }, { "4GiB", false, 0 }, { "", false, 0 }, { "Gi", false, 0 },
		{ "-1Gi", false, 0 }, { "0x10", false, 0 }, { "inf", false, 0 }, { "1e300", false, 0 }, { "4 Gi", false, 0 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t mb = 7;

		cr_assert_eq(quantity_mb(cases[i].text, &mb), cases[i].good, "%s", cases[i].text);
		cr_assert_eq(mb, cases[i].good ? cases[i].mb : 7, "%s: %llu", cases[i].text, (unsigned long long)mb);
	}
}
