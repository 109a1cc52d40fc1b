/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A user's own disk: made once, held by one desktop, and kept for a while when it goes. Covers: broker/hypervisor/disk/personal_file.c */
#include "broker/hypervisor/disk/personal.h"

#include "broker/hypervisor/disk/datastore.h"
#include "broker/hypervisor/disk/info.h"
#include "broker/hypervisor/disk/qcow2.h"
#include "tests/unit/fine.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void make(void)
{
	struct pst_err err = PST_ERR_INIT;

	disk_folder_make();
	cr_assert_eq(datastore_init(disk_folder, &err), 0, "%s", err.text);
}

TestSuite(personal, .init = make, .fini = disk_folder_remove);

static const char one[] = "11111111-2222-4333-8444-555555555555", two[] = "aaaaaaaa-2222-4333-8444-555555555555";

static int create(const char *owner, const char *name, uint64_t size, struct pst_err *err)
{
	return personal_create(disk_folder, owner, name, size, getuid(), getgid(), err);
}

Test(personal, a_disk_is_made_once_and_whole)
{
	struct pst_err err = PST_ERR_INIT;
	struct disk_info info;
	char path[PATH_MAX];

	cr_assert_eq(create("ana", "data", 10 << 20, &err), 0, "%s", err.text);
	cr_assert_eq(create("ana", "data", 10 << 20, &err), PST_ECONFLICT);
	cr_assert_eq(personal_path(disk_folder, "ana", "data", path, &err), 0);
	cr_assert_eq(disk_chain_walk(path, DISK_QCOW2, disk_folder, NULL, NULL, &info, &err), 0, "%s", err.text);
	cr_assert(info.size == 10 << 20 && info.qcow2.backing[0] == '\0');
	cr_assert_eq(create("ana", "small", 512, &err), PST_EINVAL);
	cr_assert_eq(create("ana", "odd", (1 << 20) + 1, &err), PST_EINVAL);
	cr_assert_eq(create("../ana", "x", 1 << 20, &err), PST_EINVAL);
	cr_assert_eq(create("ana", "../x", 1 << 20, &err), PST_EINVAL);
}

Test(personal, serials_are_steady_and_different)
{
	char a[PERSONAL_SERIAL_SIZE], b[PERSONAL_SERIAL_SIZE];

	personal_serial("ana", "data", a);
	cr_assert_eq(strlen(a), 20);
	cr_assert_str_eq(a, "puesto-39e10e5ea4ccf");
	personal_serial("ana", "data2", b);
	cr_assert_str_neq(a, b);
	personal_serial("anad", "ata", b);
	cr_assert_str_neq(a, b);
}

Test(personal, one_desktop_holds_it_at_a_time)
{
	struct pst_err err = PST_ERR_INIT;
	char holder[PST_UUID_SIZE];

	cr_assert_eq(personal_attach(disk_folder, "ana", "data", one, &err), PST_ENOTFOUND);
	cr_assert_eq(create("ana", "data", 1 << 20, &err), 0, "%s", err.text);
	cr_assert_eq(personal_holder(disk_folder, "ana", "data", holder, &err), 0);
	cr_assert_str_eq(holder, "");
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", "desktop", &err), PST_EINVAL);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", one, &err), 0, "%s", err.text);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", one, &err), 0, "again: %s", err.text);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", two, &err), PST_EBUSY);
	cr_assert(strstr(err.text, one), "%s", err.text);
	cr_assert_eq(personal_detach(disk_folder, "ana", "data", two, &err), PST_ECONFLICT);
	cr_assert_eq(personal_remove(disk_folder, "ana", "data", "r", 0, 0, &err), PST_EBUSY);
	cr_assert_eq(personal_detach(disk_folder, "ana", "data", one, &err), 0, "%s", err.text);
	cr_assert_eq(personal_detach(disk_folder, "ana", "data", one, &err), 0, "again: %s", err.text);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", two, &err), 0, "%s", err.text);
	cr_assert_eq(personal_holder(disk_folder, "ana", "data", holder, &err), 0);
	cr_assert_str_eq(holder, two);
}

Test(personal, a_removed_one_lies_in_the_bin)
{
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(create("ana", "data", 1 << 20, &err), 0, "%s", err.text);
	cr_assert_eq(personal_remove(disk_folder, "ana", "data", "gone", 0, 1000, &err), 0, "%s", err.text);
	cr_assert_eq(personal_remove(disk_folder, "ana", "data", "gone", 0, 1000, &err), PST_ENOTFOUND);
	cr_assert_eq(create("ana", "data", 1 << 20, &err), 0, "another may be made: %s", err.text);
}

Test(personal, a_holder_that_is_no_desktop_is_told)
{
	struct pst_err err = PST_ERR_INIT;
	char holder[PST_UUID_SIZE];

	cr_assert_eq(create("ana", "data", 1 << 20, &err), 0);
	cr_assert_eq(symlink("/etc/passwd", disk_at("personal/ana/data/holder")), 0);
	cr_assert_eq(personal_holder(disk_folder, "ana", "data", holder, &err), PST_EIO);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", one, &err), PST_EIO);
}

Test(personal, a_desktop_is_asked_what_it_has)
{
	struct pst_err err = PST_ERR_INIT;
	char owner[DISK_NAME_MAX + 1], name[DISK_NAME_MAX + 1], holder[PST_UUID_SIZE];

	cr_assert_eq(personal_held(disk_folder, one, owner, name, &err), 0, "%s", err.text);
	cr_assert_str_eq(owner, "");
	cr_assert_eq(create("ana", "data", 1 << 20, &err), 0);
	cr_assert_eq(create("ana", "more", 1 << 20, &err), 0);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", one, &err), 0, "%s", err.text);
	cr_assert_eq(personal_attach(disk_folder, "ana", "more", one, &err), PST_EBUSY, "one disk for a desktop");
	cr_assert_eq(personal_held(disk_folder, one, owner, name, &err), 0, "%s", err.text);
	cr_assert(strcmp(owner, "ana") == 0 && strcmp(name, "data") == 0);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", two, &err), PST_EBUSY);
	cr_assert_eq(personal_held(disk_folder, two, owner, name, &err), 0, "%s", err.text);
	cr_assert_str_eq(owner, "", "what was refused leaves no note");
	for (int i = 0; i < 2; i++)
		cr_assert_eq(personal_release(disk_folder, one, &err), 0, "%s", err.text);
	cr_assert_eq(personal_holder(disk_folder, "ana", "data", holder, &err), 0);
	cr_assert_str_eq(holder, "");
	cr_assert_eq(personal_release(disk_folder, "ana", &err), PST_EINVAL);
}

/* What a crash leaves: a note without a holder, and a note of a disk that somebody else has by now. */
Test(personal, notes_without_a_holder_do_no_harm)
{
	struct pst_err err = PST_ERR_INIT;
	char holder[PST_UUID_SIZE], note[120];

	snprintf(note, sizeof(note), "personal/.held/%s", one);
	cr_assert_eq(create("ana", "data", 1 << 20, &err), 0);
	cr_assert_eq(personal_attach(disk_folder, "ana", "data", two, &err), 0);
	cr_assert_eq(symlink("ana/data", disk_at(note)), 0);
	cr_assert_eq(personal_release(disk_folder, one, &err), 0, "%s", err.text);
	cr_assert_eq(personal_holder(disk_folder, "ana", "data", holder, &err), 0);
	cr_assert_str_eq(holder, two);
	cr_assert_eq(symlink("../../etc", disk_at(note)), 0);
	cr_assert_eq(personal_release(disk_folder, one, &err), PST_EIO);
}

static bool is_two(const char *desktop, void *arg)
{
	(void)arg;
	return strcmp(desktop, two) == 0;
}

Test(personal, a_holder_that_is_no_more_gives_way)
{
	struct pst_err err = PST_ERR_INIT;
	char holder[PST_UUID_SIZE], owner[DISK_NAME_MAX + 1], name[DISK_NAME_MAX + 1];

	cr_assert_eq(personal_folder_make(disk_folder, "ana", "home", &err), 0, "%s", err.text);
	cr_assert_eq(personal_folder_make(disk_folder, "ana", "home", &err), 0, "again: %s", err.text);
	cr_assert_eq(personal_attach(disk_folder, "ana", "home", one, &err), 0, "%s", err.text);
	cr_assert_eq(personal_claim(disk_folder, "ana", "home", two, is_two, NULL, &err), 0, "%s", err.text);
	cr_assert_eq(personal_held(disk_folder, one, owner, name, &err), 0);
	cr_assert_str_eq(owner, "");
	cr_assert_eq(personal_claim(disk_folder, "ana", "home", one, is_two, NULL, &err), PST_EBUSY);
	cr_assert_eq(personal_holder(disk_folder, "ana", "home", holder, &err), 0);
	cr_assert_str_eq(holder, two);
}

struct look {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int inside, most;
};

/* Looks for a moment whether somebody else looks too. */
static bool nobody_slowly(const char *desktop, void *arg)
{
	struct look *l = arg;
	struct timespec until;

	(void)desktop;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 1;
	pthread_mutex_lock(&l->lock);
	l->most = l->most > ++l->inside ? l->most : l->inside;
	pthread_cond_broadcast(&l->changed);
	while (l->most < 2 && pthread_cond_timedwait(&l->changed, &l->lock, &until) == 0)
		;
	l->inside--;
	pthread_mutex_unlock(&l->lock);
	return false;
}

struct claim {
	struct look *look;
	const char *desktop;
	pthread_t thread;
	int rc;
};

static void *claim(void *arg)
{
	struct claim *c = arg;
	struct pst_err err = PST_ERR_INIT;

	c->rc = personal_claim(disk_folder, "ana", "home", c->desktop, nobody_slowly, c->look, &err);
	return NULL;
}

/* Whoever looks whether the holder is there, and then takes it, is alone with that: else two would take it from one holder. */
Test(personal, two_who_claim_it_come_one_after_the_other)
{
	struct look look = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };
	struct claim claims[2] = { { .look = &look, .desktop = two }, { .look = &look, .desktop = "bbbbbbbb-2222-4333-8444-555555555555" } };
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(personal_folder_make(disk_folder, "ana", "home", &err), 0, "%s", err.text);
	cr_assert_eq(personal_attach(disk_folder, "ana", "home", one, &err), 0, "%s", err.text);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&claims[i].thread, NULL, claim, &claims[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(claims[i].thread, NULL);
	cr_assert_eq(look.most, 1, "two looked at the same time");
	cr_assert(claims[0].rc == 0 && claims[1].rc == 0, "each found a holder that is no more");
}

static struct personal_wish wish(const char *desktop, uint64_t size)
{
	return (struct personal_wish){ .folder = disk_folder, .owner = "ana", .name = "data", .desktop = desktop, .size = size, .uid = getuid(), .gid = getgid(),
		.is_there = is_two };
}

Test(personal, a_file_is_made_taken_and_given_back)
{
	struct personal_wish first = wish(two, 4 << 20), second = wish(one, 8 << 20);
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX], holder[PST_UUID_SIZE];
	uint64_t size = 0;

	for (int i = 0; i < 2; i++) {
		FINE(personal_file_take(&first, path, &size, &err));
		cr_assert_eq(size, 4 << 20);
	}
	cr_assert_eq(personal_file_take(&second, path, &size, &err), PST_EBUSY, "it is with one that is there");
	cr_assert_eq(personal_file_release(disk_folder, one, &err), 0, "it has none: %s", err.text);
	cr_assert_eq(personal_file_release(disk_folder, two, &err), 0, "%s", err.text);
	cr_assert_eq(personal_holder(disk_folder, "ana", "data", holder, &err), 0);
	cr_assert_str_eq(holder, "");
	cr_assert_eq(personal_file_take(&second, path, &size, &err), 0, "%s", err.text);
	cr_assert_eq(size, 4 << 20, "as it is, whatever is wished: who opens it makes it grow");
	cr_assert_eq(personal_file_take(&first, path, &size, &err), 0, "its holder is no more: %s", err.text);
}

/* As a machine could leave it that broke out into its QEMU. */
Test(personal, a_file_that_stands_on_another_is_not_opened)
{
	struct personal_wish w = wish(two, 4 << 20);
	struct qcow2_overlay o = { .backing_format = DISK_RAW, .size = 4 << 20, .uid = getuid(), .gid = getgid() };
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];
	uint64_t size = 0;

	cr_assert_eq(personal_folder_make(disk_folder, "ana", "data", &err), 0, "%s", err.text);
	o.path = disk_at("personal/ana/data/disk.qcow2");
	o.backing = disk_file("secret.raw", "", 0, 4 << 20);
	cr_assert_eq(qcow2_overlays_create(&o, 1, &err), 0, "%s", err.text);
	cr_assert_eq(personal_file_take(&w, path, &size, &err), PST_ECONFLICT, "%s", err.text);
	cr_assert(strstr(err.text, "stands on another file"), "%s", err.text);
}

/* QEMU would open what the header names (docs/interop/qcow2.txt: bit 2 of the incompatible features, at byte 72). */
Test(personal, a_file_that_has_its_data_in_another_is_not_opened)
{
	struct personal_wish w = wish(two, 4 << 20);
	struct pst_err err = PST_ERR_INIT;
	char path[PATH_MAX];
	uint64_t size = 0;
	int fd;

	cr_assert_eq(personal_file_take(&w, path, &size, &err), 0, "%s", err.text);
	fd = open(path, O_WRONLY);
	cr_assert_eq(pwrite(fd, "\4", 1, 79), 1);
	close(fd);
	cr_assert_eq(personal_file_take(&w, path, &size, &err), PST_ECONFLICT, "%s", err.text);
	cr_assert(strstr(err.text, "has its data in another file"), "%s", err.text);
}
