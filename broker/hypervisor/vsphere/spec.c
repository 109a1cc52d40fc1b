/* SPDX-License-Identifier: GPL-3.0-or-later */
/* XML in the order of the schema: a server refuses any other. */
#include "broker/hypervisor/vsphere/spec.h"

#include "broker/hypervisor/libvirt/xml.h"

#include <string.h>

static void extra_put(struct pst_buf *b, const char *key, const char *value)
{
	if (!value)
		return;
	pst_buf_put_str(b, "<extraConfig xsi:type=\"OptionValue\">");
	soap_put(b, "key", key);
	pst_buf_put_str(b, "<value xsi:type=\"xsd:string\">");
	xml_put_text(b, value);
	pst_buf_put_str(b, "</value></extraConfig>");
}

void spec_clone_put(struct pst_buf *b, const struct spec_clone *c)
{
	vim_put_ref(b, "folder", c->folder);
	soap_put(b, "name", c->name);
	pst_buf_put_str(b, "<spec><location>");
	if (c->datastore)
		vim_put_ref(b, "datastore", c->datastore);
	/* The child is all that is new; without a snapshot everything is copied. */
	soap_put(b, "diskMoveType", c->snapshot ? "createNewChildDiskBacking" : "moveAllDiskBackingsAndDisallowSharing");
	vim_put_ref(b, "pool", c->pool);
	if (c->host)
		vim_put_ref(b, "host", c->host);
	pst_buf_put_str(b, "</location><template>false</template><config>");
	extra_put(b, "puesto.record", c->record);
	pst_buf_put_str(b, "</config><powerOn>false</powerOn>");
	if (c->snapshot)
		vim_put_ref(b, "snapshot", c->snapshot);
	pst_buf_put_str(b, "</spec>");
}

/* All of the device goes back: what is left out of it may be taken for a change. */
static void device_begin(struct pst_buf *b, const struct soap_node *device)
{
	pst_buf_put_str(b, "<deviceChange xsi:type=\"VirtualDeviceConfigSpec\"><operation>edit</operation>");
	soap_put_open(b, "device", device);
}

static void device_end(struct pst_buf *b)
{
	pst_buf_put_str(b, "</device></deviceChange>");
}

static void disk_put(struct pst_buf *b, const struct soap_node *disk, uint64_t kb)
{
	device_begin(b, disk);
	for (const struct soap_node *n = disk->first; n; n = n->next) {
		if (strcmp(n->name, "capacityInKB") == 0)
			soap_put_u64(b, n->name, kb);
		else if (strcmp(n->name, "capacityInBytes") != 0) /* it would win */
			soap_put_node(b, n);
	}
	device_end(b);
}

static void backing_put(struct pst_buf *b, const struct spec_network *n)
{
	if (!n->portgroup[0]) {
		pst_buf_put_str(b, "<backing xsi:type=\"VirtualEthernetCardNetworkBackingInfo\">");
		soap_put(b, "deviceName", n->name);
		vim_put_ref(b, "network", &n->network);
	} else {
		pst_buf_put_str(b, "<backing xsi:type=\"VirtualEthernetCardDistributedVirtualPortBackingInfo\"><port>");
		soap_put(b, "switchUuid", n->switch_uuid);
		soap_put(b, "portgroupKey", n->portgroup);
		pst_buf_put_str(b, "</port>");
	}
	pst_buf_put_str(b, "</backing>");
}

static void card_put(struct pst_buf *b, const struct soap_node *card, const struct spec_network *network)
{
	device_begin(b, card);
	for (const struct soap_node *n = card->first; n; n = n->next) {
		if (strcmp(n->name, "backing") == 0)
			backing_put(b, network);
		else
			soap_put_node(b, n);
	}
	device_end(b);
}

void spec_config_put(struct pst_buf *b, const struct spec_config *c)
{
	pst_buf_put_str(b, "<spec>");
	if (c->cpus) {
		soap_put_u64(b, "numCPUs", c->cpus);
		soap_put_u64(b, "numCoresPerSocket", c->cpus); /* one socket: Windows counts them */
	}
	if (c->memory_mb)
		soap_put_u64(b, "memoryMB", c->memory_mb);
	if (c->disk)
		disk_put(b, c->disk, c->disk_kb);
	if (c->card && c->network)
		card_put(b, c->card, c->network);
	extra_put(b, "puesto.record", c->record);
	extra_put(b, "guestinfo.puesto.seed", c->seed);
	pst_buf_put_str(b, "</spec>");
}

static const struct soap_node *device_find(const struct soap_node *devices, const char *const *types)
{
	for (const struct soap_node *d = devices ? devices->first : NULL; d; d = d->next) {
		for (size_t i = 0; types[i]; i++) {
			if (strcmp(d->type, types[i]) == 0)
				return d;
		}
	}
	return NULL;
}

const struct soap_node *spec_disk_find(const struct soap_node *devices)
{
	static const char *const types[] = { "VirtualDisk", NULL };

	return device_find(devices, types);
}

const struct soap_node *spec_card_find(const struct soap_node *devices)
{
	static const char *const types[] = { "VirtualVmxnet3", "VirtualVmxnet3Vrdma", "VirtualVmxnet2", "VirtualE1000", "VirtualE1000e",
		"VirtualPCNet32", "VirtualSriovEthernetCard", NULL };

	return device_find(devices, types);
}

const char *spec_extra_find(const struct soap_node *extra, const char *key)
{
	const struct soap_node *found = NULL;

	for (const struct soap_node *o = extra ? extra->first : NULL; o; o = o->next) {
		if (strcmp(soap_text(o, "key"), key) == 0)
			found = o;
	}
	return found ? soap_text(found, "value") : NULL;
}
