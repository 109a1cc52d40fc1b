/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a record to its domain: what the host can, the provider's settings, the files of the image. */
#include "broker/hypervisor/libvirt/libvirt_priv.h"
#include "broker/hypervisor/libvirt/network.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/firmware.h"
#include "broker/hypervisor/libvirt/base.h"
#include "broker/hypervisor/libvirt/domain.h"
#include "broker/hypervisor/libvirt/parent.h"
#include "broker/hypervisor/libvirt/tpm.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/storage/volume_record.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct plan {
	char disk[PATH_MAX], seed[PATH_MAX], kernel[PATH_MAX], initrd[PATH_MAX];
	struct disk_place place; /* of the disk */
	bool has_place;          /* it is no file */
	char cmdline[512], variables[PATH_MAX];
	struct lv_base base;
	bool is_efi, has_tpm;
};

const struct lv_form *lv_form_for(const struct lv_host *h, const struct machine_request *r)
{
	const struct lv_form *own = h->nature.form, *windows = r->is_windows ? lv_form_windows(own->virt, h->lv->set.windows.is_emulated) : NULL;

	return windows ? windows : own;
}

/* Where an image has its kernel beside its disk, it has no boot loader. */
static int kernel_find(const struct machine_request *r, char kernel[PATH_MAX], char initrd[PATH_MAX], struct pst_err *err)
{
	const char *slash = place_is_remote(r->image_base) ? NULL : strrchr(r->image_base, '/');
	int dir = slash ? (int)(slash - r->image_base) : 0;

	/* Beside what lies on a server nothing is looked for. */
	kernel[0] = initrd[0] = '\0';
	if (!slash)
		return 0;
	if (path_make(kernel, err, "%.*s/vmlinuz", dir, r->image_base) < 0 || path_make(initrd, err, "%.*s/initrd", dir, r->image_base) < 0)
		return err->code;
	if (access(kernel, R_OK) < 0 || access(initrd, R_OK) < 0)
		kernel[0] = initrd[0] = '\0';
	return 0;
}

static int disk_find(const struct libvirt *lv, const struct machine_request *r, struct plan *p, struct pst_err *err)
{
	struct volume_record record;
	char path[PATH_MAX];

	if (lv_disk_path(lv, r->desktop, "disk.qcow2", p->disk, err) < 0 || lv_disk_path(lv, r->desktop, VOLUME_OF_DESKTOP, path, err) < 0)
		return err->code;
	p->has_place = access(path, F_OK) == 0;
	if (!p->has_place)
		return 0;
	return volume_record_read(path, &record, err) < 0 ? err->code : volume_record_place(&record, &p->place, err);
}

/* What a network says to keep desktops apart is not left out in silence. */
static int guard_check(const struct lv_net *n, const struct lv_form *form, struct pst_err *err)
{
	if (form->is_guarded || n->kind == LV_NET_NONE || (n->filter[0] == '\0' && n->peers))
		return 0;
	return pst_err_set(err, PST_EUNSUPPORTED, "network%s%s: cards of \"%s\" have no filters and no isolated ports: keep its desktops apart on the host's "
		"bridge, and give filter:none peers:yes here", n->name[0] ? " " : "", n->name, form->virt);
}

/* What the disk stands on, and what is started. */
static int image_find(const struct lv_host *h, const struct machine_request *r, const char *base, struct plan *p, struct pst_err *err)
{
	const struct lv_form *form = lv_form_for(h, r);

	if (lv_base_find(base, &p->base, err) < 0)
		return pst_err_wrap(err, "image %s", r->image_name);
	if (kernel_find(r, p->kernel, p->initrd, err) < 0)
		return err->code;
	if (p->kernel[0])
		pst_strlcpy(p->cmdline, sizeof(p->cmdline), form->cmdline);
	if (form->needs_kernel && !p->kernel[0])
		return pst_err_set(err, PST_EUNSUPPORTED, "image %s: a domain of \"%s\" boots from vmlinuz and initrd beside its golden disk: put them there",
			r->image_name, form->virt);
	return lv_plan_is_efi(h, r, &p->is_efi, err);
}

static int plan_make(const struct lv_host *h, const struct lv_record *record, struct plan *p, struct pst_err *err)
{
	const struct machine_request *r = &record->request;
	const struct libvirt *lv = h->lv;
	char parent[PATH_MAX];

	if (record->parent[0] && lv_parent_of(lv, r->desktop, record->parent, "disk.qcow2", parent, err) < 0)
		return err->code;
	if (image_find(h, r, record->parent[0] ? parent : r->image_base, p, err) < 0 || disk_find(lv, r, p, err) < 0 ||
		lv_disk_path(lv, r->desktop, "variables", p->variables, err) < 0 || lv_tpm_wanted(h, r, &p->has_tpm, err) < 0)
		return err->code;
	return lv->set.seed.agents[0] ? lv_disk_path(lv, r->desktop, lv_form_for(h, r)->seed_file, p->seed, err) : 0;
}

int lv_plan_is_efi(const struct lv_host *h, const struct machine_request *r, bool *ret, struct pst_err *err)
{
	char kernel[PATH_MAX], initrd[PATH_MAX];

	*ret = false;
	if (r->image_base[0] != '/' || lv_form_for(h, r)->needs_kernel)
		return 0;
	if (kernel_find(r, kernel, initrd, err) < 0)
		return err->code;
	if (!kernel[0] && firmware_is_efi(r->image_base, lv_base_format(r->image_base), ret, err) < 0)
		return pst_err_wrap(err, "image %s", r->image_name);
	return 0;
}

static char *xml_make(const struct lv_host *h, const struct lv_record *r, const struct plan *p, struct pst_err *err)
{
	const struct lv_form *form = lv_form_for(h, &r->request);
	const struct lv_nature *n = &h->nature;
	struct lv_domain d = { .form = form, .os = n->os, .machine = n->machine, .arch = n->arch, .video = n->video, .disk = p->disk,
		.place = p->has_place ? &p->place : NULL, .layers = p->base.layers, .layers_n = p->base.n, .seed = p->seed, .kernel = p->kernel, .initrd = p->initrd,
		.cmdline = p->cmdline, .is_efi = p->is_efi, .is_secure = r->request.is_windows && h->lv->set.windows.is_secure, .variables = p->variables,
		.net = lv_network_of(h->lv, &r->request),
		.has_console = n->can & DRIVER_CONSOLE, .has_display = lv_has_display(h->lv), .has_ports = n->has_ports, .has_tpm = p->has_tpm, .record = r };

	return lv_domain_xml(&d, err);
}

char *lv_plan_xml(const struct lv_host *h, const struct lv_record *r, struct pst_err *err)
{
	struct plan *p = pst_zalloc(1, sizeof(*p));
	char *xml = NULL;

	const struct lv_net *net = lv_network_of(h->lv, &r->request);

	if (!net)
		lv_network_missing(&r->request, err);
	else if (!p)
		pst_err_set(err, PST_ENOMEM, "no memory");
	else if (guard_check(net, lv_form_for(h, &r->request), err) == 0 && (!lv_form_for(h, &r->request)->disk[0] || plan_make(h, r, p, err) == 0))
		xml = xml_make(h, r, p, err);
	free(p);
	return xml;
}

char *lv_plan_parent_xml(const struct lv_host *h, const struct lv_record *r, const char *disk, const char *more, struct pst_err *err)
{
	const struct lv_nature *n = &h->nature;
	struct plan *p = pst_zalloc(1, sizeof(*p));
	char *xml = NULL;

	if (!p) {
		pst_err_set(err, PST_ENOMEM, "no memory");
	} else if (image_find(h, &r->request, r->request.image_base, p, err) == 0) {
		size_t len = strlen(p->cmdline);
		struct lv_domain d = { .form = n->form, .os = n->os, .machine = n->machine, .arch = n->arch, .video = n->video, .disk = disk,
			.layers = p->base.layers, .layers_n = p->base.n, .kernel = p->kernel, .initrd = p->initrd, .cmdline = p->cmdline, .is_parent = true,
			.has_console = n->can & DRIVER_CONSOLE, .has_display = lv_has_display(h->lv), .has_ports = n->has_ports, .record = r };

		if (p->kernel[0])
			pst_strlcpy(p->cmdline + len, sizeof(p->cmdline) - len, more);
		xml = lv_domain_xml(&d, err);
	}
	free(p);
	return xml;
}
