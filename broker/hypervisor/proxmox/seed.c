/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Seeds as disks: an image that is uploaded to a storage for ISO images and put into the machine's drive. Of
 * the ways into a guest, it is the one that an ordinary API token has: "args" (fw_cfg) is for root alone,
 * "cicustom" wants a file that no call uploads, and "smbios1" has room for 512 letters.
 */
#include "broker/hypervisor/proxmox/proxmox_priv.h"

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "broker/hypervisor/iso.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BOUNDARY "puesto-7f3a5c0e9b1d4e62"

static void file_name(const struct pve_vm *vm, const char *desktop, char out[96])
{
	snprintf(out, 96, "puesto-%s-%u.iso", desktop, vm->id);
}

static bool has_seeds(const struct proxmox *p)
{
	return p->set.seed.agents[0] != '\0';
}

/* multipart/form-data (RFC 7578): the content's kind, then the file. */
static int form_make(struct pst_buf *out, const char *name, const struct pst_buf *iso)
{
	pst_buf_printf(out, "--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"content\"\r\n\r\niso\r\n"
		"--" BOUNDARY "\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"%s\"\r\n"
		"Content-Type: application/octet-stream\r\n\r\n", name);
	pst_buf_append(out, iso->data, iso->len);
	return pst_buf_put_str(out, "\r\n--" BOUNDARY "--\r\n");
}

static int upload(struct rest_op *op, const struct pve_vm *vm, const struct pst_buf *form, struct pst_err *err)
{
	/* The same file once more takes the place of the first. */
	struct rest_call c = { .method = "POST", .data = form->data, .len = form->len, .type = "multipart/form-data; boundary=" BOUNDARY,
		.is_repeatable = true };
	char path[REST_PATH_SIZE];

	if (rest_path(path, err, PVE_API "/nodes/%s/storage/%s/upload", vm->node, proxmox_of_op(op)->set.seed_storage) < 0)
		return err->code;
	return pve_do(op, &c, path, err);
}

int pve_seed_put(struct rest_op *op, const struct pve_vm *vm, const struct machine_request *r, struct pst_err *err)
{
	struct pst_buf iso, form;
	char name[96], *text;
	int rc = 0;

	if (!has_seeds(proxmox_of_op(op)))
		return 0;
	text = seed_text(&proxmox_of_op(op)->set.seed, r, err);
	if (!text)
		return err->code;
	file_name(vm, op->desktop, name);
	pst_buf_init(&iso, ISO_SIZE_MAX);
	pst_buf_init(&form, ISO_SIZE_MAX + 4096);
	if (iso_make(&iso, text, strlen(text)) < 0 || form_make(&form, name, &iso) < 0)
		rc = pst_err_set(err, PST_ELIMIT, "no memory, or too large a seed: is [%s] agents_ca one certificate?", op->rest->section);
	if (rc == 0)
		rc = upload(op, vm, &form, err);
	if (iso.data)
		pst_wipe(iso.data, iso.len);
	if (form.data)
		pst_wipe(form.data, form.len);
	pst_buf_finish(&iso);
	pst_buf_finish(&form);
	seed_text_free(text);
	return rc < 0 ? pst_err_wrap(err, "bring the seed to storage %s", proxmox_of_op(op)->set.seed_storage) : 0;
}

int pve_seed_remove(struct rest_op *op, const struct pve_vm *vm, struct pst_err *err)
{
	const struct proxmox *p = proxmox_of_op(op);
	char name[96], volume[256], escaped[REST_NAME_SIZE], path[REST_PATH_SIZE];
	struct pst_err why = PST_ERR_INIT;
	int rc;

	if (!has_seeds(p))
		return 0;
	file_name(vm, op->desktop, name);
	snprintf(volume, sizeof(volume), "%s:iso/%s", p->set.seed_storage, name);
	if (!pst_url_escape(volume, escaped, sizeof(escaped)) ||
		rest_path(path, err, PVE_API "/nodes/%s/storage/%s/content/%s", vm->node, p->set.seed_storage, escaped) < 0)
		return pst_err_set(err, PST_ELIMIT, "too long a name of a volume");
	rc = pve_send(op, "DELETE", path, NULL, &why);
	if (rc == 0 || rc == PST_ENOTFOUND || strstr(why.text, "does not exist"))
		return 0;
	return pst_err_set(err, rc, "remove the seed from storage %s: %s", p->set.seed_storage, why.text);
}

int pve_seed_drive(const struct proxmox *p, const struct pve_vm *vm, const char *desktop, json_t *config, struct pst_err *err)
{
	char name[96], value[256] = "none,media=cdrom";

	if (!has_seeds(p))
		return 0;
	if (desktop) {
		file_name(vm, desktop, name);
		snprintf(value, sizeof(value), "%s:iso/%s,media=cdrom", p->set.seed_storage, name);
	}
	if (json_object_set_new(config, p->set.seed_drive, json_string(value)) < 0)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	return 0;
}

int pve_seed_leave(struct rest_op *op, struct pve_found *f, struct pst_err *err)
{
	struct proxmox *p = proxmox_of_op(op);
	json_t *config = json_object();
	int rc;

	if (!config)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = pve_seed_drive(p, &f->vm, NULL, config, err);
	if (rc < 0 || json_object_size(config) == 0) {
		json_decref(config);
		return rc;
	}
	if (pve_vm_configure(op, &f->vm, config, err) < 0)
		return err->code;
	return pve_seed_remove(op, &f->vm, err);
}
