/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A desktop's seed, as its host's domains read it: a file that QEMU hands on by fw_cfg, or a disk with that file. */
#include "broker/hypervisor/libvirt/libvirt_priv.h"

#include "base/file.h"

#include <string.h>

int lv_seed_write(const struct lv_host *h, const struct machine_request *r, struct pst_err *err)
{
	const struct libvirt *lv = h->lv;
	const struct lv_form *form = lv_form_for(h, r);
	char path[PATH_MAX], *text;
	int rc;

	if (lv->set.seed.agents[0] == '\0' || form->seed_file[0] == '\0')
		return 0;
	if (lv_disk_path(lv, r->desktop, form->seed_file, path, err) < 0)
		return err->code;
	if (form->seed_disk[0])
		return seed_disk_write(path, &lv->set.seed, r, 0600, err);
	text = seed_text(&lv->set.seed, r, err);
	if (!text)
		return err->code;
	rc = pst_file_write(path, text, strlen(text), 0600, err);
	seed_text_free(text);
	return rc;
}
