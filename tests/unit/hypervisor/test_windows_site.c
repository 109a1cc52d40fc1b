/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words of a section about machines of Windows. */
#include "broker/hypervisor/windows_site.h"

#include "base/conf.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

Test(windows_site, words_are_one_of_few)
{
	static const struct {
		const char *text;
		int rc;
		struct windows_site site;
	} cases[] = {
		{ "", 0, { .tpm = TPM_IF_THERE } },
		{ "windows_devices = virtio\ntpm = no\n", 0, { .tpm = TPM_NO } },
		{ "windows_devices = emulated\ntpm = yes\n", 0, { .is_emulated = true, .tpm = TPM_YES } },
		{ "secure_boot = yes\n", 0, { .tpm = TPM_IF_THERE, .is_secure = true } },
		{ "secure_boot = no\n", 0, { .tpm = TPM_IF_THERE } },
		{ "secure_boot = maybe\n", PST_EINVAL, { .tpm = TPM_IF_THERE } },
		{ "windows_devices = scsi\n", PST_EINVAL, { .tpm = TPM_IF_THERE } },
		{ "tpm = 2.0\n", PST_EINVAL, { .tpm = TPM_IF_THERE } },
	};

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct driver_params p = { .conf = pst_conf_create(), .section = "provider-x" };
		struct pst_err err = PST_ERR_INIT;
		struct windows_site s = { .tpm = TPM_IF_THERE };
		char text[128];

		snprintf(text, sizeof(text), "[provider-x]\n%s", cases[i].text);
		cr_assert_eq(pst_conf_parse(p.conf, "test", text, strlen(text), &err), 0);
		cr_assert_eq(windows_site_read(&s, &p, &err), cases[i].rc, "case %zu: %s", i, err.text);
		cr_assert(s.is_emulated == cases[i].site.is_emulated && s.tpm == cases[i].site.tpm && s.is_secure == cases[i].site.is_secure, "case %zu", i);
		pst_conf_destroy(p.conf);
	}
}
