/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Writes domains. */
#include "broker/hypervisor/libvirt/domain.h"

#include "base/buf.h"
#include "broker/hypervisor/libvirt/mac.h"
#include "broker/hypervisor/libvirt/xml.h"

#include <stdlib.h>
#include <string.h>

#define DOMAIN_MAX (256u << 10)
#define ROOT_PORTS 9

static bool is_set(const char *text)
{
	return text && *text;
}

/* before, the value with its specials escaped, after. */
static void put(struct pst_buf *b, const char *before, const char *value, const char *after)
{
	pst_buf_put_str(b, before);
	xml_put_text(b, value);
	pst_buf_put_str(b, after);
}

static void head_put(struct pst_buf *b, const struct lv_domain *d)
{
	const struct machine_request *r = &d->record->request;
	uint32_t cpus = (r->cpu_percent + 99) / 100;
	char *element = d->is_parent ? NULL : lv_record_element(d->record, true);

	put(b, "<domain type='", d->form->virt, "'>");
	put(b, "<name>" LV_DOMAIN_PREFIX, r->desktop, "</name>");
	put(b, "<uuid>", r->desktop, "</uuid>");
	if (element) {
		put(b, "<title>", r->hostname, "</title><metadata>");
		pst_buf_put_str(b, element);
		pst_buf_put_str(b, "</metadata>");
	}
	b->failed = b->failed || (!element && !d->is_parent);
	free(element);
	pst_buf_printf(b, "<memory unit='MiB'>%u</memory><vcpu placement='static'>%u</vcpu>", r->memory_mb,
		cpus ? cpus : 1);
}

/* Among the host's firmwares one that asks no signature of the loader, or one that does: libvirt adds what that needs of the machine (SMM). */
static void firmware_put(struct pst_buf *b, const struct lv_domain *d)
{
	if (d->is_secure)
		pst_buf_put_str(b, "<firmware><feature enabled='yes' name='enrolled-keys'/><feature enabled='yes' name='secure-boot'/></firmware>");
	else
		pst_buf_put_str(b, "<firmware><feature enabled='no' name='secure-boot'/></firmware>");
	if (is_set(d->variables))
		put(b, "<nvram>", d->variables, "</nvram>");
}

static void os_put(struct pst_buf *b, const struct lv_domain *d)
{
	if (is_set(d->seed) && !is_set(d->form->seed_disk))
		put(b, "<sysinfo type='fwcfg'><entry name='opt/org.puesto/seed' file='", d->seed, "'/></sysinfo>");
	pst_buf_put_str(b, d->is_efi ? "<os firmware='efi'><type" : "<os><type");
	if (is_set(d->arch))
		put(b, " arch='", d->arch, "'");
	if (is_set(d->machine))
		put(b, " machine='", d->machine, "'");
	put(b, ">", is_set(d->os) ? d->os : "hvm", "</type>");
	if (d->is_efi)
		firmware_put(b, d);
	if (is_set(d->kernel))
		put(b, "<kernel>", d->kernel, "</kernel>");
	if (is_set(d->initrd))
		put(b, "<initrd>", d->initrd, "</initrd>");
	if (is_set(d->cmdline))
		put(b, "<cmdline>", d->cmdline, "</cmdline>");
	if (!is_set(d->kernel) && (is_set(d->disk) || d->place))
		pst_buf_put_str(b, "<boot dev='hd'/>");
	pst_buf_put_str(b, "</os>");
}

/* "type='…'>…<source …", whose end is the caller's. */
static void source_put(struct pst_buf *b, const struct disk_place *p)
{
	if (p->kind == PLACE_BLOCK) {
		put(b, "<source dev='", p->path, "'>");
	} else if (p->kind == PLACE_ISCSI) {
		put(b, "<source protocol='iscsi' name='", p->target, "");
		pst_buf_printf(b, "/%u'>", p->lun);
		put(b, "<host name='", p->host, "'");
		pst_buf_printf(b, " port='%u'/>", p->port);
		if (p->initiator[0])
			put(b, "<initiator><iqn name='", p->initiator, "'/></initiator>");
	} else if (p->kind == PLACE_RBD) {
		put(b, "<source protocol='rbd' name='", p->target, "'>");
		if (p->snapshot[0])
			put(b, "<snapshot name='", p->snapshot, "'/>");
		if (p->secret[0]) {
			put(b, "<auth username='", p->initiator, "'>");
			put(b, "<secret type='ceph' uuid='", p->secret, "'/></auth>");
		}
	} else {
		put(b, "<source file='", p->path, "'>");
	}
}

static const char *source_type(const struct disk_place *p)
{
	return p->kind == PLACE_BLOCK ? "block" : p->kind == PLACE_ISCSI || p->kind == PLACE_RBD ? "network" : "file";
}

/*
 * A device belongs to the group "disk", which QEMU's user is not in: libvirt gives it to that user. QEMU opens what is
 * below an overlay for reading only, and the device of a golden disk takes no writes (volume_version.c).
 */
static void layer_put(struct pst_buf *b, const struct lv_layer *l)
{
	bool is_file = !l->place || l->place->kind == PLACE_FILE;

	put(b, "<backingStore type='", l->place ? source_type(l->place) : "file", "'>");
	put(b, "<format type='", l->format, "'/>");
	if (l->place)
		source_put(b, l->place);
	else
		put(b, "<source file='", l->path, "'>");
	pst_buf_put_str(b, is_file ? "<seclabel model='dac' relabel='no'/></source>" : "</source>");
}

/*
 * The whole chain with its formats, so that libvirt guesses none, and without relabelling: it
 * would make the golden disk the property of QEMU's user, who could then write to it.
 */
static void layers_put(struct pst_buf *b, const struct lv_domain *d)
{
	for (size_t i = 0; i < d->layers_n; i++)
		layer_put(b, &d->layers[i]);
	pst_buf_put_str(b, "<backingStore/>");
	for (size_t i = 0; i < d->layers_n; i++)
		pst_buf_put_str(b, "</backingStore>");
}

static void disk_put(struct pst_buf *b, const struct lv_domain *d)
{
	const struct lv_form *f = d->form;

	if (!is_set(d->disk) && !d->place)
		return;
	put(b, "<disk type='", d->place ? source_type(d->place) : "file", "' device='disk'>");
	pst_buf_printf(b, "<driver name='qemu' type='qcow2'%s/>", f->disk_more);
	if (d->place) {
		source_put(b, d->place);
		pst_buf_put_str(b, "</source>");
	} else {
		put(b, "<source file='", d->disk, "'/>");
	}
	if (d->layers_n && f->names_layers)
		layers_put(b, d);
	pst_buf_printf(b, "<target dev='%s' bus='%s'/></disk>", f->disk, f->bus);
	if (!is_set(d->seed) || !is_set(f->seed_disk))
		return;
	/* A CD, because QEMU's disk of Xen (xen-disk) takes none that is for reading only. */
	put(b, "<disk type='file' device='cdrom'><driver name='qemu' type='raw'/><source file='", d->seed, "'/>");
	pst_buf_printf(b, "<target dev='%s' bus='%s'/><readonly/></disk>", f->seed_disk, f->seed_bus ? f->seed_bus : f->bus);
}

static void interface_put(struct pst_buf *b, const struct lv_domain *d)
{
	char mac[LV_MAC_SIZE];

	lv_mac(d->record->request.desktop, mac);
	if (d->net)
		lv_net_interface(b, d->net, mac, d->record->address, d->form->card);
}

static void screen_put(struct pst_buf *b, const struct lv_domain *d)
{
	const char *video = d->form->video ? d->form->video : d->video;

	/* Where its socket lies is the host's own matter, so that a migration leaves it behind. */
	if (d->has_console && d->form->card)
		pst_buf_put_str(b, "<graphics type='vnc'><listen type='socket'/></graphics>");
	if (d->has_console && d->has_display && d->form->card)
		pst_buf_put_str(b, "<graphics type='dbus' p2p='yes'/>");
	if (is_set(video) && d->form->card)
		put(b, "<video><model type='", video, "'/></video>");
}

/*
 * A device has a port of its own, and libvirt gives the named ones away first: seven to a machine of ours (disk, card, USB, serial
 * channels, keyboard, tablet, random numbers). The others stay free.
 */
static void ports_put(struct pst_buf *b, const struct lv_domain *d)
{
	if (!d->has_ports)
		return;
	pst_buf_put_str(b, "<controller type='pci' model='pcie-root'/>");
	for (int i = 0; i < ROOT_PORTS; i++)
		pst_buf_put_str(b, "<controller type='pci' model='pcie-root-port'/>");
}

char *lv_domain_xml(const struct lv_domain *d, struct pst_err *err)
{
	struct pst_buf b;
	char *text = NULL;

	pst_buf_init(&b, DOMAIN_MAX);
	head_put(&b, d);
	os_put(&b, d);
	pst_buf_printf(&b, "%s<devices>", d->form->platform);
	ports_put(&b, d);
	disk_put(&b, d);
	interface_put(&b, d);
	pst_buf_put_str(&b, d->form->devices);
	if (d->is_parent)
		pst_buf_put_str(&b, "<channel type='unix'><target type='virtio' name='org.puesto.seed'/></channel>");
	screen_put(&b, d);
	if (d->has_tpm)
		pst_buf_put_str(&b, "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>");
	pst_buf_put_str(&b, "</devices></domain>");
	if (pst_buf_cstr(&b))
		text = strdup(pst_buf_cstr(&b));
	pst_buf_finish(&b);
	if (!text)
		pst_err_set(err, PST_ENOMEM, "no memory for the domain's document");
	return text;
}

char *lv_personal_xml(const struct lv_form *form, const char *path, const char *serial)
{
	struct pst_buf b;
	char *text;

	pst_buf_init(&b, 3 * PATH_MAX);
	pst_buf_printf(&b, "<disk type='file' device='disk'><driver name='qemu' type='qcow2'%s/>", form->disk_more);
	put(&b, "<source file='", path, "'/><backingStore/>");
	pst_buf_printf(&b, "<target dev='%s' bus='%s'/>", form->personal, form->bus);
	put(&b, "<serial>", serial, "</serial><alias name='" LV_PERSONAL_ALIAS "'/></disk>");
	text = pst_buf_cstr(&b) ? strdup(pst_buf_cstr(&b)) : NULL;
	pst_buf_finish(&b);
	return text;
}

char *lv_snapshot_xml(const char *name)
{
	struct pst_buf b;
	char *text;

	pst_buf_init(&b, 4096);
	put(&b, "<domainsnapshot><name>", name, "</name></domainsnapshot>");
	text = pst_buf_cstr(&b) ? strdup(pst_buf_cstr(&b)) : NULL;
	pst_buf_finish(&b);
	return text;
}
