/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Makes a parent in a folder that gets its name when it is whole, reads it again, and takes it away. */
#include "broker/hypervisor/qemu/command.h"
#include "broker/hypervisor/qemu/instant.h"
#include "broker/hypervisor/qemu/spawn.h"
#include "broker/hypervisor/qemu/memory.h"
#include "broker/hypervisor/qemu/parent.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "broker/hypervisor/disk/references.h"
#include "broker/hypervisor/disk/temp.h"
#include "broker/hypervisor/local/tree.h"
#include "broker/hypervisor/path.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FORM 2 /* of parents: another number when what is saved changes */
#define SAVE_MS 60000
#define JSON_MAX 8192
#define STATE_MAX (UINT64_C(256) << 20)

/* One on its way, in its temporary folder. */
struct making {
	struct qemu *q;
	struct qm_parent *p;
	char folder[PATH_MAX];
	uid_t uid;
	int pidfd, ram, state;
	char ram_hex[PST_SHA256_HEX_SIZE], state_hex[PST_SHA256_HEX_SIZE];
};

int qm_parent_key(const struct qemu *q, const struct machine_request *r, char out[QM_KEY_SIZE], struct pst_err *err)
{
	char golden[PATH_MARK_SIZE], kernel[PATH_MARK_SIZE], initrd[PATH_MARK_SIZE], firmware[PATH_MARK_SIZE], hex[PST_SHA256_HEX_SIZE], *text;
	struct command_params p;
	struct qm_plan plan;
	int n;

	if (qm_plan(q, r, false, &plan, &p, err) < 0)
		return err->code;
	path_mark(r->image_base, golden);
	path_mark(plan.kernel, kernel);
	path_mark(plan.initrd, initrd);
	path_mark(p.firmware ? p.firmware : "", firmware);
	n = asprintf(&text, "%d\n%s\n%s\n%d\n%u %u %u\n%s\n%s\n%s\n%s\n%s\n%s\n", FORM, q->set.machine, q->set.mark, q->set.is_kvm, p.memory_mb,
		p.cpus, r->disk_mb, plan.append, r->image_base, golden, kernel, initrd, firmware);
	if (n < 0)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	pst_sha256_hex(text, (size_t)n, hex);
	free(text);
	hex[QM_KEY_SIZE - 1] = '\0';
	pst_strlcpy(out, QM_KEY_SIZE, hex);
	return 0;
}

int qm_parent_path(const struct qemu *q, const char *key, const char *name, char out[PATH_MAX], struct pst_err *err)
{
	if (!name)
		return path_make(out, err, "%s/parents/%s", q->set.directory, key);
	return path_make(out, err, "%s/parents/%s/%s", q->set.directory, key, name);
}

static int in_folder(const struct making *m, const char *name, char out[PATH_MAX], struct pst_err *err)
{
	return path_make(out, err, "%s/%s", m->folder, name);
}

static int file_make(const struct making *m, const char *name, uint64_t size, struct pst_err *err)
{
	char path[PATH_MAX];
	int fd;

	if (in_folder(m, name, path, err) < 0)
		return err->code;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)size) < 0 || (size && fchown(fd, m->uid, m->uid) < 0)) {
		pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%s", path);
		pst_fd_close(&fd);
		return err->code;
	}
	return fd;
}

static int folder_fill(struct making *m, struct pst_err *err)
{
	char temp[TEMP_SIZE], disk[PATH_MAX];
	const struct machine_request *r = &m->p->request;
	struct qcow2_overlay o = { .path = disk,
		.backing = r->image_base,
		.size = (uint64_t)r->disk_mb << 20,
		.backing_format = qm_golden_format(r->image_base),
		.uid = m->uid,
		.gid = m->uid };

	if (temp_name(m->p->key, temp, err) < 0 || path_make(m->folder, err, "%s/parents/%s", m->q->set.directory, temp) < 0 ||
		in_folder(m, "disk.qcow2", disk, err) < 0 || pst_mkdirs(m->folder, 0711, err) < 0)
		return err->code;
	m->p->ram_size = (uint64_t)r->memory_mb << 20;
	m->ram = file_make(m, "ram", m->p->ram_size, err);
	m->state = m->ram < 0 ? m->ram : file_make(m, "state", 0, err);
	return m->state < 0 ? err->code : qcow2_overlays_create(&o, 1, err);
}

static int listen_at(const struct making *m, const char *name, struct pst_err *err)
{
	char path[PATH_MAX];

	return in_folder(m, name, path, err) < 0 ? err->code : pst_unix_listen(path, 0600, 1, err);
}

/* With what it listens at and writes to open already. */
static int spawn(struct making *m, struct command *c, const struct spawn_params *l, struct pst_err *err)
{
	char ram[PATH_MAX], disk[PATH_MAX], variables[PATH_MAX], uuid[PST_UUID_SIZE];
	struct pst_uuid nobody = pst_uuid_make();
	struct command_params params;
	struct qm_plan plan;

	if (in_folder(m, "ram", ram, err) < 0 || in_folder(m, "disk.qcow2", disk, err) < 0 || in_folder(m, "variables", variables, err) < 0 ||
		qm_plan(m->q, &m->p->request, false, &plan, &params, err) < 0 ||
		(params.firmware && qm_variables_make(m->q, false, variables, m->uid, err) < 0))
		return err->code;
	pst_uuid_text(&nobody, uuid);
	params.uuid = uuid;
	params.memory = COMMAND_SHARED;
	params.memory_path = ram;
	params.disk = disk;
	params.variables = variables;
	params.monitor_fd = SPAWN_FD;
	params.port_fd = SPAWN_FD + 1;
	if (command_build(c, &params, err) < 0)
		return err->code;
	m->pidfd = qm_spawn(l, err);
	return PST_MIN(m->pidfd, 0);
}

static int boot(struct making *m, struct pst_err *err)
{
	struct command *c = pst_zalloc(1, sizeof(*c));
	int fds[2] = { -1, -1 }, rc;
	struct spawn_params l = { .fds = fds, .fds_n = 2, .uid = m->uid, .also = m->q->set.kvm_gid, .log_fd = -1, .follows = true };

	if (!c)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	l.argv = c->argv;
	rc = fds[0] = listen_at(m, "qmp", err);
	if (rc >= 0)
		rc = fds[1] = listen_at(m, "seed", err);
	if (rc >= 0)
		rc = l.log_fd = file_make(m, "log", 0, err);
	if (rc >= 0)
		rc = spawn(m, c, &l, err);
	for (int i = 0; i < 2; i++)
		pst_fd_close(&fds[i]);
	pst_fd_close(&l.log_fd);
	free(c);
	return rc;
}

static int save(struct making *m, struct pst_err *err)
{
	char path[PATH_MAX];
	uint64_t deadline_ms = pst_mono_ms() + m->q->set.parent_boot_ms;
	struct qmp *qmp;
	int rc;

	if (in_folder(m, "seed", path, err) < 0 || instant_await_parent(path, deadline_ms, err) < 0 || in_folder(m, "qmp", path, err) < 0)
		return err->code;
	deadline_ms = pst_mono_ms() + SAVE_MS;
	qmp = qmp_open(path, deadline_ms, err);
	if (!qmp)
		return err->code;
	rc = instant_save(qmp, m->state, deadline_ms, err);
	if (rc == 0)
		rc = qmp_quit(qmp, deadline_ms, err);
	qmp_close(qmp);
	return rc;
}

/* It is our own child, and nobody else reaps it. */
static void end(struct making *m, uint64_t wait_ms)
{
	struct pollfd p = { .fd = m->pidfd, .events = POLLIN };
	siginfo_t info;

	if (m->pidfd < 0)
		return;
	if (poll(&p, 1, (int)wait_ms) <= 0)
		syscall(SYS_pidfd_send_signal, m->pidfd, SIGKILL, NULL, 0);
	while (waitid(P_PIDFD, (id_t)m->pidfd, &info, WEXITED) < 0 && errno == EINTR)
		;
}

/* From here on nobody writes to it any more. */
static int files_close(const struct making *m, struct pst_err *err)
{
	static const struct {
		const char *name;
		mode_t mode;
	} files[] = { { "disk.qcow2", 0444 }, { "ram", 0400 }, { "state", 0400 } };
	char path[PATH_MAX];

	for (size_t i = 0; i < PST_ARRAY_LEN(files); i++) {
		if (in_folder(m, files[i].name, path, err) < 0)
			return err->code;
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		int rc = fd < 0 || fchown(fd, 0, 0) < 0 || fchmod(fd, files[i].mode) < 0 || fsync(fd) < 0
				 ? pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "%s", path)
				 : 0;
		pst_fd_close(&fd);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int seal_both(int ram, int state, struct qm_parent *p, char ram_hex[PST_SHA256_HEX_SIZE], char state_hex[PST_SHA256_HEX_SIZE],
	struct pst_err *err)
{
	struct stat st;

	if (fstat(state, &st) < 0 || st.st_size == 0 || (uint64_t)st.st_size > STATE_MAX)
		return pst_err_set(err, PST_ECONFLICT, "a parent's state is empty or too large");
	p->ram_fd = memory_seal(ram, p->ram_size, ram_hex, err);
	p->state_fd = p->ram_fd < 0 ? -1 : memory_seal(state, (uint64_t)st.st_size, state_hex, err);
	if (p->state_fd < 0)
		pst_fd_close(&p->ram_fd);
	return p->state_fd < 0 ? err->code : 0;
}

static int describe(const struct making *m, struct pst_err *err)
{
	char path[PATH_MAX], mark[PATH_MARK_SIZE], golden[PATH_MARK_SIZE], *text;
	json_t *obj;
	int rc;

	if (in_folder(m, "disk.qcow2", path, err) < 0)
		return err->code;
	path_mark(path, mark);
	path_mark(m->p->request.image_base, golden);
	obj = json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:I}", "v", FORM, "golden", m->p->request.image_base, "golden_mark", golden, "disk", mark,
		"ram", m->ram_hex, "state", m->state_hex, "ram_size", (json_int_t)m->p->ram_size);
	text = obj ? pst_json_text(obj, NULL) : NULL;
	json_decref(obj);
	if (!text)
		return pst_err_set(err, PST_ENOMEM, "no memory");
	rc = in_folder(m, "parent.json", path, err) < 0 ? err->code : pst_file_write(path, text, strlen(text), 0600, err);
	free(text);
	return rc;
}

static int publish(const struct making *m, struct pst_err *err)
{
	char path[PATH_MAX];
	int folder, rc;

	if (path_make(path, err, "%s/parents", m->q->set.directory) < 0)
		return err->code;
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return pst_err_sys(err, PST_EIO, errno, "%s", path);
	rc = temp_publish(folder, strrchr(m->folder, '/') + 1, m->p->key, err);
	if (rc == 0 && fsync(folder) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "%s", path);
	pst_fd_close(&folder);
	return rc;
}

int qm_parent_make(struct qemu *q, struct qm_parent *p, void (*watch)(void *arg, int pidfd), void *arg, struct pst_err *err)
{
	struct making m = { .q = q, .p = p, .pidfd = -1, .ram = -1, .state = -1 };
	struct pst_err ignored = PST_ERR_INIT;
	int rc = uids_take(&q->uids, NULL, &m.uid, err);

	if (rc < 0)
		return rc;
	rc = folder_fill(&m, err);
	if (rc == 0)
		rc = boot(&m, err);
	if (rc == 0) {
		watch(arg, m.pidfd);
		rc = save(&m, err);
		watch(arg, -1);
	}
	end(&m, rc == 0 ? SAVE_MS : 0);
	if (rc == 0)
		rc = files_close(&m, err);
	if (rc == 0)
		rc = seal_both(m.ram, m.state, p, m.ram_hex, m.state_hex, err);
	if (rc == 0 && (describe(&m, err) < 0 || publish(&m, err) < 0)) {
		rc = err->code;
		pst_fd_close(&p->ram_fd);
		pst_fd_close(&p->state_fd);
	}
	pst_fd_close(&m.pidfd);
	pst_fd_close(&m.ram);
	pst_fd_close(&m.state);
	uids_mark(&q->uids, m.uid, false);
	if (rc < 0 && m.folder[0])
		(void)tree_remove(m.folder, &ignored);
	return rc;
}

static int json_load(const struct qemu *q, const char *key, json_t **ret, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	size_t len;

	if (qm_parent_path(q, key, "parent.json", path, err) < 0 || pst_file_read(path, JSON_MAX, &text, &len, err) < 0)
		return err->code;
	*ret = pst_json_parse(text, len, 2, err);
	free(text);
	return *ret ? 0 : pst_err_wrap(err, "%s", path);
}

static int open_file(const struct qemu *q, const char *key, const char *name, struct pst_err *err)
{
	char path[PATH_MAX];
	int fd;

	if (qm_parent_path(q, key, name, path, err) < 0)
		return err->code;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? pst_err_sys(err, PST_ECONFLICT, errno, "%s", path) : fd;
}

/* What was written down when it was made is compared with what there is. */
static int load_compare(const struct qemu *q, struct qm_parent *p, const json_t *o, struct pst_err *err)
{
	const char *disk = pst_json_str(o, "disk", 79), *ram = pst_json_str(o, "ram", 64), *state = pst_json_str(o, "state", 64);
	char path[PATH_MAX], mark[PATH_MARK_SIZE], ram_hex[PST_SHA256_HEX_SIZE] = "", state_hex[PST_SHA256_HEX_SIZE] = "";
	int ram_file = open_file(q, p->key, "ram", err), state_file = ram_file < 0 ? ram_file : open_file(q, p->key, "state", err),
	    rc = PST_MIN(state_file, 0);

	p->ram_size = (uint64_t)pst_json_int(o, "ram_size", 0, INT64_MAX, 0);
	if (rc == 0)
		rc = seal_both(ram_file, state_file, p, ram_hex, state_hex, err);
	pst_fd_close(&ram_file);
	pst_fd_close(&state_file);
	if (rc < 0 || qm_parent_path(q, p->key, "disk.qcow2", path, err) < 0)
		return err->code;
	path_mark(path, mark);
	if (disk && ram && state && strcmp(disk, mark) == 0 && strcmp(ram, ram_hex) == 0 && strcmp(state, state_hex) == 0)
		return 0;
	pst_fd_close(&p->ram_fd);
	pst_fd_close(&p->state_fd);
	return pst_err_set(err, PST_ECONFLICT, "parent %s is not what it was when it was made", p->key);
}

int qm_parent_load(const struct qemu *q, struct qm_parent *p, struct pst_err *err)
{
	json_t *o = NULL;
	int rc = json_load(q, p->key, &o, err);

	if (rc == 0)
		rc = load_compare(q, p, o, err);
	json_decref(o);
	return rc;
}

bool qm_parent_is_current(const struct qemu *q, const char *key)
{
	struct pst_err ignored = PST_ERR_INIT;
	const char *golden, *mark;
	char now[PATH_MARK_SIZE];
	json_t *o = NULL;
	bool is_current;

	if (json_load(q, key, &o, &ignored) < 0)
		return false;
	golden = pst_json_str(o, "golden", PATH_MAX - 1);
	mark = pst_json_str(o, "golden_mark", 79);
	if (golden)
		path_mark(golden, now);
	is_current = golden && mark && strcmp(now, mark) == 0;
	json_decref(o);
	return is_current;
}

int qm_parent_remove(const struct qemu *q, const char *key, struct pst_err *err)
{
	char path[PATH_MAX], folder[PATH_MAX];
	struct references r;

	if (qm_parent_path(q, key, "disk.qcow2", path, err) < 0 || qm_parent_path(q, key, NULL, folder, err) < 0)
		return err->code;
	if (access(folder, F_OK) < 0)
		return 0;
	if (references_count(q->set.directory, NULL, path, &r, err) < 0)
		return err->code;
	if (r.overlays || r.unreadable)
		return pst_err_set(err, PST_EBUSY, "%u disks stand on parent %s, %u cannot be read", r.overlays, key, r.unreadable);
	return tree_remove(folder, err);
}
