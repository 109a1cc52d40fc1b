/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A desktop's seed, as its host's domains read it: a file that QEMU hands on by fw_cfg, or a disk with that file. */
#include "broker/hypervisor/libvirt/libvirt_priv.h"

#include "base/file.h"
#include "base/secret.h"
#include "broker/hypervisor/iso.h"

#include <string.h>

static int disk_write(const char *path, const char *text, struct pst_err *err)
{
	struct pst_buf iso;
	int rc;

	pst_buf_init(&iso, ISO_SIZE_MAX);
	if (iso_make(&iso, text, strlen(text)) < 0)
		rc = pst_err_set(err, PST_ELIMIT, "no memory, or too large a seed: is agents_ca one certificate?");
	else
		rc = pst_file_write(path, iso.data, iso.len, 0600, err);
	if (iso.data)
		pst_wipe(iso.data, iso.len);
	pst_buf_finish(&iso);
	return rc;
}

int lv_seed_write(const struct lv_host *h, const struct machine_request *r, struct pst_err *err)
{
	const struct libvirt *lv = h->lv;
	const struct lv_form *form = h->nature.form;
	char path[PATH_MAX], *text;
	int rc;

	if (lv->set.seed.agents[0] == '\0' || form->seed_file[0] == '\0')
		return 0;
	if (lv_disk_path(lv, r->desktop, form->seed_file, path, err) < 0)
		return err->code;
	text = seed_text(&lv->set.seed, r, err);
	if (!text)
		return err->code;
	rc = form->seed_disk[0] ? disk_write(path, text, err) : pst_file_write(path, text, strlen(text), 0600, err);
	seed_text_free(text);
	return rc;
}
