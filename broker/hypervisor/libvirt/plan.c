/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a record to its domain: what the host can, the provider's settings, the files of the image. */
#include "broker/hypervisor/libvirt/libvirt_priv.h"
#include "broker/hypervisor/libvirt/network.h"

#include "base/mem.h"
#include "base/text.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/libvirt/domain.h"
#include "broker/hypervisor/path.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct plan {
	char disk[PATH_MAX], seed[PATH_MAX], kernel[PATH_MAX], initrd[PATH_MAX];
	struct lv_layer layers[LV_LAYERS_MAX];
	size_t layers_n;
};

/* Where an image has its kernel beside its disk, it has no boot loader. */
static int kernel_find(const struct machine_request *r, const struct lv_form *form, struct plan *p, struct pst_err *err)
{
	const char *slash = strrchr(r->image_base, '/');
	int dir = slash ? (int)(slash - r->image_base) : 0;

	if (path_make(p->kernel, err, "%.*s/vmlinuz", dir, r->image_base) < 0 ||
		path_make(p->initrd, err, "%.*s/initrd", dir, r->image_base) < 0)
		return err->code;
	if (access(p->kernel, R_OK) == 0 && access(p->initrd, R_OK) == 0)
		return 0;
	p->kernel[0] = p->initrd[0] = '\0';
	if (form->needs_kernel)
		return pst_err_set(err, PST_EUNSUPPORTED, "image %s: a domain of \"%s\" boots from vmlinuz and initrd beside its golden disk: put them there",
			r->image_name, form->virt);
	return 0;
}

static int on_layer(unsigned depth, const char *path, const struct disk_info *info, void *arg)
{
	struct plan *p = arg;

	if (depth >= LV_LAYERS_MAX)
		return PST_ELIMIT;
	pst_strlcpy(p->layers[depth].path, sizeof(p->layers[depth].path), path);
	p->layers[depth].format = disk_format_name(info->format);
	p->layers_n = depth + 1;
	return 0;
}

/* What a network says to keep desktops apart is not left out in silence. */
static int guard_check(const struct lv_net *n, const struct lv_form *form, struct pst_err *err)
{
	if (form->is_guarded || n->kind == LV_NET_NONE || (n->filter[0] == '\0' && n->peers))
		return 0;
	return pst_err_set(err, PST_EUNSUPPORTED, "network%s%s: cards of \"%s\" have no filters and no isolated ports: keep its desktops apart on the host's "
		"bridge, and give filter:none peers:yes here", n->name[0] ? " " : "", n->name, form->virt);
}

static int plan_make(const struct lv_host *h, const struct machine_request *r, struct plan *p, struct pst_err *err)
{
	const struct libvirt *lv = h->lv;
	const struct lv_form *form = h->nature.form;


	if (r->image_base[0] != '/')
		return pst_err_set(err, PST_EUNSUPPORTED, "image %s: its base \"%.200s\" is no path of a golden disk (qcow2 or raw)",
			r->image_name, r->image_base);
	if (lv_disk_path(lv, r->desktop, "disk.qcow2", p->disk, err) < 0 ||
		(lv->set.seed.agents[0] && lv_disk_path(lv, r->desktop, form->seed_file, p->seed, err) < 0) || kernel_find(r, form, p, err) < 0)
		return err->code;
	if (disk_chain_walk(r->image_base, lv_golden_format(r->image_base), NULL, on_layer, p, NULL, err) < 0)
		return pst_err_wrap(err, "image %s", r->image_name);
	return 0;
}

static char *xml_make(const struct lv_host *h, const struct lv_record *r, const struct plan *p, struct pst_err *err)
{
	const struct lv_nature *n = &h->nature;
	struct lv_domain d = { .form = n->form, .os = n->os, .machine = n->machine, .arch = n->arch, .video = n->video, .disk = p->disk,
		.layers = p->layers, .layers_n = p->layers_n, .seed = p->seed, .kernel = p->kernel, .initrd = p->initrd,
		.cmdline = p->kernel[0] ? n->form->cmdline : "", .net = lv_network_of(h->lv, &r->request),
		.has_console = n->can & DRIVER_CONSOLE, .record = r };

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
	else if (guard_check(net, h->nature.form, err) == 0 && (!h->nature.form->disk[0] || plan_make(h, &r->request, p, err) == 0))
		xml = xml_make(h, r, p, err);
	free(p);
	return xml;
}
