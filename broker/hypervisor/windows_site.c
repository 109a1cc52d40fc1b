/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words about machines of Windows. */
#include "broker/hypervisor/windows_site.h"

#include "base/conf.h"

#include <string.h>

int windows_site_read(struct windows_site *s, const struct driver_params *p, struct pst_err *err)
{
	const char *devices = pst_conf_str(p->conf, p->section, "windows_devices", "virtio");
	bool has_tpm;

	s->is_emulated = strcmp(devices, "emulated") == 0;
	if (!s->is_emulated && strcmp(devices, "virtio") != 0)
		return pst_err_set(err, PST_EINVAL, "windows_devices: \"%.40s\" is not virtio or emulated", devices);
	s->tpm = TPM_IF_THERE;
	if (pst_conf_bool(p->conf, p->section, "secure_boot", false, &s->is_secure, err) < 0)
		return err->code;
	if (!pst_conf_has(p->conf, p->section, "tpm"))
		return 0;
	if (pst_conf_bool(p->conf, p->section, "tpm", false, &has_tpm, err) < 0)
		return err->code;
	s->tpm = has_tpm ? TPM_YES : TPM_NO;
	return 0;
}
