/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A child of a parent: restored under its own name, given a card, let go on, and told who it is. */
#include "broker/hypervisor/libvirt/base.h"
#include "broker/hypervisor/libvirt/channel.h"
#include "broker/hypervisor/libvirt/clone_xml.h"
#include "broker/hypervisor/libvirt/network.h"
#include "broker/hypervisor/libvirt/parent.h"
#include "broker/hypervisor/libvirt/pump.h"
#include "broker/hypervisor/libvirt/saved_domain.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEED_MS 20000 /* that a child gets to say who it is now */
#define CARD_MAX 8192

/* What stands before the parent's memory, for this child. */
static int head_make(const struct lv_found *f, const struct lv_parent *p, const struct saved *s, struct pst_buf *b, struct pst_err *err)
{
	const struct machine_request *r = &f->record.request;
	char disk[PATH_MAX], base[PATH_MAX], *metadata = lv_record_element(&f->record, true), *xml;
	struct lv_child child = { .parent = p->uuid, .desktop = r->desktop, .hostname = r->hostname, .metadata = metadata, .was = p->was,
		.base = base, .disk = disk };
	int rc = metadata ? 0 : pst_err_set(err, PST_ENOMEM, "no memory");

	if (rc == 0 && (lv_disk_path(f->host->lv, r->desktop, "disk.qcow2", disk, err) < 0 ||
		lv_parent_path(p->root, p->key, "disk.qcow2", base, err) < 0))
		rc = err->code;
	xml = rc == 0 ? lv_child_xml(s->document, &child, err) : NULL;
	rc = xml ? saved_head(s, xml, b, err) : err->code;
	free(xml);
	free(metadata);
	return rc;
}

static int restore(struct lv_found *f, virConnectPtr conn, const struct lv_parent *p, int memory, struct pst_err *err)
{
	struct pump *pump = NULL;
	char path[PATH_MAX];
	struct pst_buf head;
	struct saved s;
	int rc = saved_read(memory, &s, err);

	if (rc < 0)
		return rc;
	pst_buf_init(&head, SAVED_HEAD_MAX);
	rc = head_make(f, p, &s, &head, err);
	if (rc == 0)
		rc = lv_disk_path(f->host->lv, f->record.request.desktop, "resume", path, err);
	if (rc == 0 && !(pump = pump_begin(path, head.data, head.len, memory, s.stream, err)))
		rc = err->code;
	if (rc == 0 && virDomainRestoreFlags(conn, path, NULL, VIR_DOMAIN_SAVE_PAUSED) < 0)
		rc = lv_error(err, f->host, "restore a copy of the parent");
	pump_end(pump);
	pst_buf_finish(&head);
	saved_finish(&s);
	return rc;
}

static int card_plug(struct lv_found *f, struct pst_err *err)
{
	const struct lv_net *n = lv_network_of(f->host->lv, &f->record.request);
	char mac[LV_MAC_SIZE];
	struct pst_buf b;
	int rc = 0;

	if (!n || n->kind == LV_NET_NONE)
		return 0;
	lv_mac(f->record.request.desktop, mac);
	pst_buf_init(&b, CARD_MAX);
	lv_net_interface(&b, n, mac, f->record.address, f->host->nature.form->card);
	if (!pst_buf_cstr(&b))
		rc = pst_err_set(err, PST_ENOMEM, "no memory for a network card");
	else if (virDomainAttachDeviceFlags(f->domain, pst_buf_cstr(&b), VIR_DOMAIN_AFFECT_LIVE) < 0)
		rc = lv_error(err, f->host, "plug its network card in");
	pst_buf_finish(&b);
	return rc;
}

static int tell(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	json_t *seed = seed_json(&c->lv->set.seed, &f->record.request, err);
	char *text = seed && seed_fresh(seed) == 0 ? json_dumps(seed, JSON_COMPACT) : NULL;
	char *line = NULL;
	int rc;

	json_decref(seed);
	if (text && asprintf(&line, "%s\n", text) < 0)
		line = NULL;
	if (line)
		rc = lv_channel_talk(f->host, f->domain, line, "applied", PST_MIN(c->deadline_ms, pst_mono_ms() + SEED_MS), &c->stop, err);
	else
		rc = seed ? pst_err_set(err, PST_ENOMEM, "no memory for the seed") : err->code;
	seed_text_free(text);
	seed_text_free(line);
	return rc;
}

int lv_clone(struct lv_call *c, struct lv_found *f, virConnectPtr conn, const struct lv_parent *p, struct pst_err *err)
{
	char path[PATH_MAX];
	int memory, rc;

	if (lv_parent_path(p->root, p->key, "memory", path, err) < 0 || lv_call_step(c, f->host, "restoring a copy of its booted parent", err) < 0)
		return err->code;
	memory = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (memory < 0)
		return pst_err_sys(err, PST_ECONFLICT, errno, "%.200s", path);
	rc = restore(f, conn, p, memory, err);
	pst_fd_close(&memory);
	if (rc == 0)
		rc = lv_call_step(c, f->host, "plugging its network card in", err);
	if (rc == 0)
		rc = card_plug(f, err);
	if (rc == 0 && virDomainResume(f->domain) < 0)
		rc = lv_error(err, f->host, "let it go on");
	if (rc == 0)
		rc = lv_call_step(c, f->host, "telling it who it is", err) < 0 ? err->code : tell(c, f, err);
	return rc;
}

int lv_parent_below(const struct libvirt *lv, const char *desktop, char ret_key[LV_KEY_SIZE], struct pst_err *err)
{
	struct lv_base *b = pst_zalloc(1, sizeof(*b));
	char disk[PATH_MAX], path[PATH_MAX], key[LV_KEY_SIZE] = "";
	const char *slash;
	int rc = b ? lv_disk_path(lv, desktop, "disk.qcow2", disk, err) : pst_err_set(err, PST_ENOMEM, "no memory");

	ret_key[0] = '\0';
	if (rc == 0 && access(disk, F_OK) == 0)
		rc = lv_base_find(disk, b, err);
	/* ROOT/parents/KEY/disk.qcow2: whatever else it may stand on is no parent. */
	if (rc == 0 && b->n > 1 && (slash = strrchr(b->layers[1].path, '/')) && slash - b->layers[1].path >= LV_KEY_SIZE) {
		memcpy(key, slash - (LV_KEY_SIZE - 1), LV_KEY_SIZE - 1);
		rc = lv_parent_of(lv, desktop, key, "disk.qcow2", path, err);
		if (rc == 0 && strcmp(path, b->layers[1].path) == 0 && strspn(key, "0123456789abcdef") == LV_KEY_SIZE - 1)
			pst_strlcpy(ret_key, LV_KEY_SIZE, key);
	}
	free(b);
	return rc;
}

int lv_parent_leave(struct lv_found *f, const char *key, struct pst_err *err)
{
	virConnectPtr conn = virDomainGetConnect(f->domain); /* borrowed */
	int rc;

	pst_strlcpy(f->record.parent, sizeof(f->record.parent), key);
	virConnectRef(conn);
	rc = lv_domain_define(f, conn, err);
	virConnectClose(conn);
	return rc;
}
