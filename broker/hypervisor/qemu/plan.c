/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a request to what QEMU is started with: the provider's settings, the files of the image. */
#include "broker/hypervisor/qemu/command.h"
#include "broker/hypervisor/qemu/parent.h"

#include "base/file.h"
#include "base/mem.h"
#include "broker/hypervisor/disk/firmware.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VARIABLES_MAX (16u << 20) /* bytes */
#define CMDLINE "root=/dev/vda rw quiet console=ttyS0 net.ifnames=0"
#define TRANSLATED " mitigations=off" /* for faults of processors that QEMU does not have when it translates */
#define WIDTH_MIN 1280                /* of the session's own start; see docs/images.md */
#define HEIGHT_MIN 800

/* Where an image has its kernel beside its disk, it has no boot loader. */
static int kernel_find(const struct machine_request *r, struct qm_plan *plan, struct pst_err *err)
{
	const char *slash = strrchr(r->image_base, '/');
	int dir = slash ? (int)(slash - r->image_base) : 0;

	if (path_make(plan->kernel, err, "%.*s/vmlinuz", dir, r->image_base) < 0 ||
		path_make(plan->initrd, err, "%.*s/initrd", dir, r->image_base) < 0)
		return err->code;
	if (access(plan->kernel, R_OK) < 0)
		plan->kernel[0] = '\0';
	if (!plan->kernel[0] || access(plan->initrd, R_OK) < 0)
		plan->initrd[0] = '\0';
	return 0;
}

/* A parent's session starts before anybody tells it who it is: locale and screen come with the kernel. */
static void append_make(const struct qemu *q, const struct machine_request *r, struct qm_plan *plan)
{
	int n = snprintf(plan->append, sizeof(plan->append), CMDLINE "%s puesto.session.locale=%s puesto.session.layout=%s",
		q->set.is_kvm ? "" : TRANSLATED, r->locale, r->layout);

	if (n > 0 && (size_t)n < sizeof(plan->append) && r->max_width >= WIDTH_MIN && r->max_height >= HEIGHT_MIN)
		snprintf(plan->append + n, sizeof(plan->append) - (size_t)n, " puesto.session.max_width=%u puesto.session.max_height=%u",
			r->max_width, r->max_height);
}

static const struct qm_firmware *firmware_of(const struct qemu *q, bool is_secure)
{
	return is_secure ? &q->set.secure : &q->set.firmware;
}

int qm_plan(const struct qemu *q, const struct machine_request *r, bool is_secure, struct qm_plan *plan, struct command_params *p, struct pst_err *err)
{
	const struct qm_firmware *firmware = firmware_of(q, is_secure);
	bool is_efi = false;

	if (r->image_base[0] != '/')
		return pst_err_set(err, PST_EUNSUPPORTED, "image %s: its base \"%.200s\" is no path of a golden disk (qcow2 or raw)",
			r->image_name, r->image_base);
	if (kernel_find(r, plan, err) < 0)
		return err->code;
	if (!plan->kernel[0] && firmware_is_efi(r->image_base, qm_golden_format(r->image_base), &is_efi, err) < 0)
		return pst_err_wrap(err, "image %s", r->image_name);
	if (is_efi && (access(firmware->code, R_OK) < 0 || access(firmware->variables, R_OK) < 0))
		return pst_err_set(err, PST_EUNSUPPORTED, "image %s starts by UEFI, and %.200s or %.200s is missing: apt-get install ovmf", r->image_name,
			firmware->code, firmware->variables);
	append_make(q, r, plan);
	*p = (struct command_params){ .program = q->set.program,
		.machine = q->set.machine,
		.uuid = r->desktop,
		.is_kvm = q->set.is_kvm,
		.has_display = q->set.has_display,
		.plugs = QM_PLUGS,
		.memory_mb = r->memory_mb,
		.cpus = PST_MAX((r->cpu_percent + 99) / 100, 1u),
		.kernel = plan->kernel[0] ? plan->kernel : NULL,
		.initrd = plan->initrd[0] ? plan->initrd : NULL,
		.append = plan->append,
		.firmware = is_efi ? firmware->code : NULL,
		.is_secure = is_secure,
		.is_windows = r->is_windows,
		.is_emulated = r->is_windows && q->set.windows.is_emulated };
	return 0;
}

/* Some hundred kilobytes: read and written at once. */
int qm_variables_make(const struct qemu *q, bool is_secure, const char *path, uid_t uid, struct pst_err *err)
{
	char *data;
	size_t len;
	int rc;

	if (access(path, F_OK) == 0)
		return lchown(path, uid, uid) < 0 ? pst_err_sys(err, PST_EIO, errno, "%s", path) : 0;
	if (pst_file_read(firmware_of(q, is_secure)->variables, VARIABLES_MAX, &data, &len, err) < 0)
		return err->code;
	rc = pst_file_write(path, data, len, 0600, err);
	free(data);
	if (rc == 0 && lchown(path, uid, uid) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%s", path);
	return rc;
}
