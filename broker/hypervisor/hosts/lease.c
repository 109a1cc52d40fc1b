/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files of lent seats. */
#include "broker/hypervisor/hosts/lease.h"

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/unixsock.h"
#include "broker/hypervisor/hosts/seats.h"
#include "broker/hypervisor/path.h"
#include "broker/hypervisor/request.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUFFIX ".seat"

static const char *const phases[] = { "taking", "lent", "stopped", "returning", "dirty" };

static char *lease_text(const struct lease *l, size_t *ret_len)
{
	json_t *o = json_pack("{s:i,s:s,s:s,s:o}", "v", 1, "phase", phases[l->phase], "seat", l->seat, "request", request_json(&l->request));
	char *text = o ? pst_json_text(o, ret_len) : NULL;

	json_decref(o);
	return text;
}

static int lease_read(const char *text, size_t len, struct lease *l, struct pst_err *err)
{
	json_t *o = pst_json_parse(text, len, 4, err), *request;
	const char *phase, *seat;
	size_t i = 0;
	int rc;

	memset(l, 0, sizeof(*l));
	if (!o || pst_json_need_str(o, "phase", 16, &phase, err) < 0 || pst_json_need_str(o, "seat", sizeof(l->seat) - 1, &seat, err) < 0 ||
		pst_json_need_obj(o, "request", &request, err) < 0) {
		json_decref(o);
		return err->code;
	}
	while (i < PST_ARRAY_LEN(phases) && strcmp(phases[i], phase) != 0)
		i++;
	l->phase = (enum lease_phase)i;
	pst_strlcpy(l->seat, sizeof(l->seat), seat);
	rc = i < PST_ARRAY_LEN(phases) ? request_parse(request, &l->request, err) : pst_err_set(err, PST_EINVAL, "phase: \"%s\" is not known", phase);
	json_decref(o);
	return rc;
}

static int folder_sync(const char *folder, struct pst_err *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

	if (fd < 0 || fsync(fd) < 0)
		rc = pst_err_sys(err, PST_EIO, errno, "sync %s", folder);
	pst_fd_close(&fd);
	return rc;
}

int lease_save(const char *folder, const struct lease *l, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	size_t len;
	int rc = path_make(path, err, "%s/%s" SUFFIX, folder, l->seat);

	if (rc < 0)
		return rc;
	text = lease_text(l, &len);
	rc = text ? pst_file_write(path, text, len, 0600, err) : pst_err_set(err, PST_ENOMEM, "no memory");
	free(text);
	return rc;
}

/* Each desktop has a name of its own for what it prepares: no two threads share it. */
int lease_take(const char *folder, const struct lease *l, struct pst_err *err)
{
	char draft[PATH_MAX], path[PATH_MAX], *text;
	size_t len;
	int rc;

	if (path_make(draft, err, "%s/.%s.%s", folder, l->request.desktop, l->seat) < 0 || path_make(path, err, "%s/%s" SUFFIX, folder, l->seat) < 0)
		return err->code;
	text = lease_text(l, &len);
	rc = text ? pst_file_write(draft, text, len, 0600, err) : pst_err_set(err, PST_ENOMEM, "no memory");
	free(text);
	if (rc < 0)
		return rc;
	if (link(draft, path) < 0)
		rc = errno == EEXIST ? pst_err_set(err, PST_ECONFLICT, "somebody has the seat %s", l->seat) :
			pst_err_sys(err, errno == ENOSPC ? PST_ENOSPC : PST_EIO, errno, "make %s", path);
	unlink(draft);
	return rc == 0 ? folder_sync(folder, err) : rc;
}

int lease_drop(const char *folder, const char *seat, struct pst_err *err)
{
	char path[PATH_MAX];

	if (path_make(path, err, "%s/%s" SUFFIX, folder, seat) < 0)
		return err->code;
	if (unlink(path) < 0 && errno != ENOENT)
		return pst_err_sys(err, PST_EIO, errno, "remove %s", path);
	return folder_sync(folder, err);
}

int lease_load(const char *folder, const char *seat, struct lease *ret, struct pst_err *err)
{
	char path[PATH_MAX], *text;
	size_t len;
	int rc;

	if (path_make(path, err, "%s/%s" SUFFIX, folder, seat) < 0)
		return err->code;
	rc = pst_file_read(path, LEASE_MAX, &text, &len, err);
	if (rc < 0)
		return rc;
	rc = lease_read(text, len, ret, err);
	free(text);
	if (rc == 0 && strcmp(ret->seat, seat) != 0)
		rc = pst_err_set(err, PST_EINVAL, "it is of the seat %s", ret->seat);
	/* What is damaged is not absent. */
	return rc < 0 ? pst_err_set(err, PST_EINVAL, "%s is damaged (%.200s): if nobody sits there, remove it", path, err->text) : 0;
}

/* file: its name in the folder; drafts have other names. */
static int one_add(struct leases *all, const char *folder, const char *file, struct pst_err *err)
{
	struct pst_err why = PST_ERR_INIT;
	char name[MACHINE_NAME_SIZE];
	int rc;

	if (file[0] == '.' || !pst_str_ends(file, SUFFIX) || strlen(file) >= sizeof(name) + strlen(SUFFIX))
		return 0;
	snprintf(name, sizeof(name), "%.*s", (int)(strlen(file) - strlen(SUFFIX)), file);

	if (all->n == all->size) {
		size_t size = all->size ? all->size * 2 : 64;
		struct lease *list = size <= 2 * SEATS_MAX ? realloc(all->list, size * sizeof(*list)) : NULL;

		if (!list)
			return pst_err_set(err, PST_ENOMEM, "no memory for the seats in %s", folder);
		all->list = list;
		all->size = size;
	}
	rc = lease_load(folder, name, &all->list[all->n], &why);
	if (rc == PST_ENOTFOUND)
		return 0; /* given back since */
	all->n += rc == 0;
	return pst_err_pass(err, rc, &why);
}

int leases_load(const char *folder, struct leases *ret, struct pst_err *err)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	int rc = 0;

	memset(ret, 0, sizeof(*ret));
	if (!dir)
		return pst_err_sys(err, PST_EIO, errno, "list %s", folder);
	while (rc == 0 && (e = readdir(dir)))
		rc = one_add(ret, folder, e->d_name, err);
	closedir(dir);
	return rc;
}

void leases_finish(struct leases *all)
{
	free(all->list);
	memset(all, 0, sizeof(*all));
}

struct lease *leases_of(const struct leases *all, const char *desktop)
{
	for (size_t i = 0; i < all->n; i++) {
		if (all->list[i].phase != LEASE_DIRTY && strcmp(all->list[i].request.desktop, desktop) == 0)
			return &all->list[i];
	}
	return NULL;
}

struct lease *leases_seat(const struct leases *all, const char *seat)
{
	for (size_t i = 0; i < all->n; i++) {
		if (strcmp(all->list[i].seat, seat) == 0)
			return &all->list[i];
	}
	return NULL;
}
