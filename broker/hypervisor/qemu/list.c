/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What there is: the folders, their records, and whether their QEMUs run. */
#include "broker/hypervisor/qemu/tpm.h"

#include "base/text.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/process.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool is_of_another_boot(const struct qemu *q, const char *desktop)
{
	struct pst_err ignored = PST_ERR_INIT;
	char path[PATH_MAX], boot[PROCESS_BOOT_SIZE];
	struct process_id id;

	return qm_path(q, desktop, "pid", path, &ignored) == 0 && process_load(path, &id, &ignored) == 0 &&
	       process_boot(boot, &ignored) == 0 && strcmp(id.boot, boot) != 0;
}

static void unfinished_explain(struct qemu *q, const struct qm_record *r, struct machine *m)
{
	char step[QM_STEP_SIZE];

	m->state = MACHINE_FAILED;
	if (qm_op_words(q, m->desktop, step))
		snprintf(m->reason, sizeof(m->reason), "it is at work: %s", step);
	else
		pst_strlcpy(m->reason, sizeof(m->reason),
			r->phase == QM_DESTROYING ? "its removal was interrupted" : "its creation was interrupted");
}

static void rest_explain(struct qemu *q, const struct qm_record *r, struct machine *m)
{
	m->state = MACHINE_STOPPED;
	if (r->phase == QM_STOPPED || r->phase == QM_SUSPENDED)
		return;
	if (is_of_another_boot(q, m->desktop)) {
		pst_strlcpy(m->reason, sizeof(m->reason), "the host that it ran on was restarted");
		return;
	}
	m->state = MACHINE_FAILED;
	qm_machine_reason(q, m->desktop, m->reason);
}

static void machine_find(struct qemu *q, const char *desktop, driver_visit_cb visit, void *arg)
{
	struct pst_err err = PST_ERR_INIT;
	struct machine m;
	struct qm_record r;
	int pidfd;

	if (qm_record_load(q, desktop, &r, &err) < 0) {
		memset(&m, 0, sizeof(m));
		pst_strlcpy(m.desktop, sizeof(m.desktop), desktop);
		m.state = MACHINE_FAILED;
		snprintf(m.reason, sizeof(m.reason), "it was never finished (%.200s)", err.text);
		visit(&m, arg);
		return;
	}
	qm_fill(q, &r, &m);
	pidfd = qm_machine_open(q, desktop, &err);
	if (pidfd >= 0)
		close(pidfd);
	if (r.phase == QM_CREATING || r.phase == QM_DESTROYING)
		unfinished_explain(q, &r, &m);
	else if (pidfd < 0)
		rest_explain(q, &r, &m);
	else if (r.has_tpm && !qm_tpm_runs(q, desktop))
		pst_strlcpy(m.reason, sizeof(m.reason), "its TPM has ended before it: restart it");
	visit(&m, arg);
}

int qm_list(struct qemu *q, driver_visit_cb visit, void *arg, struct pst_err *err)
{
	char path[PATH_MAX];
	struct dirent *e;
	struct pst_uuid u;
	DIR *dir;

	if (qm_path(q, "", NULL, path, err) < 0)
		return err->code;
	dir = opendir(path);
	if (!dir)
		return pst_err_sys(err, PST_EIO, errno, "list %s", path);
	while ((e = readdir(dir))) {
		if (pst_uuid_parse(e->d_name, &u) == 0)
			machine_find(q, e->d_name, visit, arg);
	}
	closedir(dir);
	return 0;
}
