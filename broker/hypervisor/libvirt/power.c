/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Start, stop, off and suspend. */
#include "broker/hypervisor/libvirt/found.h"
#include "broker/hypervisor/libvirt/known.h"
#include "broker/hypervisor/libvirt/parent.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/secret.h"
#include "broker/hypervisor/storage/order.h"

#include <string.h>
#include <time.h>

#define POLL_MS 200
#define STOP_RESERVE_MS 5000 /* of the deadline, for ending a guest that does not listen */
#define SAVE_AGAIN_MS 30000  /* for a guest whose kernel has yet to begin */

/* QEMU has read the seed, or has its disk open: whoever reads the file later finds no token, and a later start gives none. */
int lv_power_seed_spend(struct lv_found *f, struct pst_err *err)
{
	struct machine_request *r = &f->record.request;

	if (r->enrol_token[0] == '\0')
		return 0;
	pst_wipe(r->enrol_token, sizeof(r->enrol_token));
	return lv_seed_write(f->host, r, err);
}

/*
 * A machine whose disk is new starts with new variables of its firmware, too: what its last user has written there goes
 * with the disk. Drivers without such firmware do not know the flag.
 */
static int start_flags(const struct lv_found *f, unsigned *ret, struct pst_err *err)
{
	bool is_efi = false;
	struct order order;

	*ret = 0;
	/* One that comes back has its own. */
	order_of(f->record.request.desktop, &order);
	if (f->record.phase == LV_CREATING && !order.is_restore && f->host->nature.form->disk[0] && lv_plan_is_efi(f->host, &f->record.request, &is_efi, err) < 0)
		return err->code;
#if LIBVIR_VERSION_NUMBER >= 8001000
	if (is_efi)
		*ret = VIR_DOMAIN_START_RESET_NVRAM;
#endif
	return 0;
}

/* libvirt looks for firmware by what descriptions of it on the host promise (qemu/docs/interop/firmware.json), when it starts a domain. */
static int firmware_hint(const struct lv_found *f, struct pst_err *err)
{
	const bool is_secure = f->record.request.is_windows && f->host->lv->set.windows.is_secure;

	if (!strstr(err->text, "any firmware"))
		return err->code;
	return pst_err_set(err, PST_EUNSUPPORTED, "image %s starts by UEFI, and the host has no firmware%s for it: apt-get install ovmf there%s",
		f->record.request.image_name, is_secure ? " with Secure Boot and Microsoft's keys" : "", is_secure ? ", or say secure_boot = no" : "");
}

/* libvirt's reason is read before the next call forgets it. */
static int domain_start(struct lv_found *f, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	unsigned flags;
	int rc;

	if (start_flags(f, &flags, err) < 0)
		return err->code;
	if (virDomainCreateWithFlags(f->domain, flags) == 0)
		return 0;
	rc = lv_error(&why, f->host, "start the domain");
	if (virDomainIsActive(f->domain) == 1)
		return 0; /* somebody else was faster */
	pst_err_pass(err, rc, &why);
	return firmware_hint(f, err);
}

/* A disk that was exchanged stands on what it says, whatever the domain was defined with: a crash may lie in between. */
static int layers_settle(struct lv_found *f, struct pst_err *err)
{
	char key[LV_KEY_SIZE];

	if (!f->record.parent[0] || f->record.phase == LV_CREATING)
		return 0;
	if (lv_parent_below(f->host->lv, f->record.request.desktop, key, err) < 0)
		return err->code;
	return strcmp(key, f->record.parent) == 0 ? 0 : lv_parent_leave(f, key, err);
}

int lv_power_start(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	struct pst_err ignored = PST_ERR_INIT;

	if (layers_settle(f, err) < 0 || lv_seed_write(f->host, &f->record.request, err) < 0)
		return err->code;
	if (lv_call_step(c, f->host, "starting the domain", err) < 0)
		return err->code;
	if (domain_start(f, err) < 0) {
		(void)lv_power_seed_spend(f, &ignored);
		return err->code;
	}
	f->record.phase = LV_RUNNING;
	if (lv_found_save(f, err) < 0 || lv_power_seed_spend(f, err) < 0)
		return err->code;
	return f->record.request.disk_mb && f->host->nature.can & DRIVER_GROW ? lv_resize_disk(c, f, err) : 0;
}

int lv_power_off(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	if (lv_call_step(c, f->host, "ending the domain", err) < 0)
		return err->code;
	if (virDomainIsActive(f->domain) == 0)
		return 0;
	if (virDomainDestroy(f->domain) < 0 && !lv_error_is(VIR_ERR_NO_DOMAIN) && virDomainIsActive(f->domain) != 0)
		return lv_error(err, f->host, "end the domain");
	f->is_active = false;
	return 0;
}

int lv_power_stop(struct lv_call *c, struct lv_found *f, uint64_t end, struct pst_err *err)
{
	struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };

	if (lv_call_step(c, f->host, "asking the guest to stop", err) < 0)
		return err->code;
	if (virDomainShutdownFlags(f->domain, 0) == 0) {
		while (virDomainIsActive(f->domain) == 1 && pst_mono_ms() < end && !atomic_load(&c->stop))
			nanosleep(&pause, NULL);
	}
	return lv_power_off(c, f, err);
}

/* The guest is asked until the deadline comes near. */
static int stop(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	return lv_power_stop(c, f, c->deadline_ms - PST_MIN(c->deadline_ms, (uint64_t)STOP_RESERVE_MS), err);
}

/* Xen cannot save a guest before its kernel has told where its pages are, some moments after the start; nothing says when that is. */
static int suspend(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	uint64_t end = f->host->nature.form->is_saved_awake ? PST_MIN(c->deadline_ms, pst_mono_ms() + SAVE_AGAIN_MS) : 0;
	struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	int rc;

	if (lv_call_step(c, f->host, "saving its memory", err) < 0)
		return err->code;
	lv_call_job(c, true);
	while ((rc = virDomainManagedSave(f->domain, 0)) < 0 && pst_mono_ms() < end && !atomic_load(&c->stop))
		nanosleep(&pause, NULL);
	lv_call_job(c, false);
	return rc < 0 ? lv_error(err, f->host, "suspend the domain") : 0;
}

static int sleep_by(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	int rc;

	lv_watch_sleep(c->lv, c->desktop, true);
	/* Said before it is done: a machine that we stop has not failed. */
	f->record.phase = LV_STOPPED;
	rc = lv_found_save(f, err);
	if (rc == 0 && f->is_active)
		rc = c->wish == POWER_SUSPEND ? suspend(c, f, err) : c->wish == POWER_STOP ? stop(c, f, err) : lv_power_off(c, f, err);
	if (rc == 0 && c->wish == POWER_OFF && virDomainHasManagedSaveImage(f->domain, 0) == 1)
		(void)virDomainManagedSaveRemove(f->domain, 0);
	if (rc < 0 && virDomainIsActive(f->domain) == 1) {
		struct pst_err ignored = PST_ERR_INIT;

		f->record.phase = LV_RUNNING;
		(void)lv_found_save(f, &ignored);
		lv_watch_sleep(c->lv, c->desktop, false);
	}
	return rc;
}

/* Running already, or paused by a full disk that has room again. */
static int go_on(struct lv_call *c, struct lv_found *f, struct pst_err *err)
{
	int state = 0;

	if (virDomainGetState(f->domain, &state, NULL, 0) < 0)
		return lv_error(err, f->host, "ask for its state");
	if (state != VIR_DOMAIN_PAUSED)
		return 0;
	if (lv_call_step(c, f->host, "letting it go on", err) < 0)
		return err->code;
	return virDomainResume(f->domain) < 0 ? lv_error(err, f->host, "let it go on") : 0;
}

int lv_power_work(struct lv_call *c, struct pst_err *err)
{
	struct lv_found f;
	int rc = lv_need(c, &f, err);

	if (rc < 0)
		return rc;
	if (f.record.phase == LV_CREATING)
		rc = pst_err_set(err, PST_EBUSY, "desktop %s was never finished: create or restart it", c->desktop);
	else if (c->wish != POWER_START)
		rc = sleep_by(c, &f, err);
	else if (!f.is_active || f.record.phase != LV_RUNNING)
		rc = lv_power_start(c, &f, err);
	else
		rc = go_on(c, &f, err);
	if (rc == 0 && c->wish == POWER_START)
		lv_watch_sleep(c->lv, c->desktop, false);
	lv_found_finish(&f);
	return rc;
}
