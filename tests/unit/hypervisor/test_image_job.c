/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Jobs on images: what is asked, how they go and end. Imports through qemu-img are tests/integration/test_storage.py.
 * Covers: broker/hypervisor/storage/image_work.c broker/hypervisor/storage/found_disk.c
 */
#include "broker/hypervisor/storage/image_job.h"

#include "base/json.h"
#include "broker/hypervisor/disk/version.h"
#include "broker/hypervisor/storage/found_disk.h"
#include "tests/unit/hypervisor/disk_folder.h"
#include "tests/unit/hypervisor/disk_stack.h"
#include "tests/unit/hypervisor/stores_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(image_job, .init = stores_folder_make, .fini = stores_folder_remove);

#define TASK "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
#define DESKTOP "1b4e28ba-2fa1-41d2-883f-0016d3cca428"
#define BEGIN "{\"task\":\"" TASK "\",\"datastore\":\"fast\",\"image\":\"desk\",\"version\":\"7\","

static int parse(const char *text, struct image_job_params *p, struct pst_err *err)
{
	json_t *msg = pst_json_parse(text, strlen(text), 4, err);
	int rc;

	cr_assert_not_null(msg, "%s: %s", text, err->text);
	rc = image_job_parse(msg, p, err);
	json_decref(msg);
	return rc;
}

#define DIGEST "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

Test(image_job, what_is_asked_is_checked)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{ BEGIN "\"kind\":\"import\",\"file\":\"win.vmdk\",\"format\":\"vmdk\"}", NULL },
		{ BEGIN "\"kind\":\"import\",\"file\":\"win.img\",\"repeat\":true}", NULL },
		{ BEGIN "\"kind\":\"capture\",\"desktop\":\"" DESKTOP "\",\"base\":\"/srv/golden.qcow2\"}", NULL },
		{ BEGIN "\"kind\":\"remove\",\"keep_ms\":1000}", NULL },
		{ BEGIN "\"kind\":\"copy\",\"from\":\"slow\",\"sha256\":\"" DIGEST "\"}", NULL },
		{ BEGIN "\"kind\":\"copy\",\"from\":\"a/b\",\"sha256\":\"" DIGEST "\"}", "from" },
		{ BEGIN "\"kind\":\"copy\",\"from\":\"slow\",\"sha256\":\"abc\"}", "sha256" },
		{ BEGIN "\"kind\":\"copy\",\"from\":\"slow\"}", "sha256" },
		{ BEGIN "\"kind\":\"import\",\"file\":\"../../etc/shadow\"}", "file" },
		{ BEGIN "\"kind\":\"import\",\"file\":\".hidden\"}", "file" },
		{ BEGIN "\"kind\":\"import\",\"file\":\"a\",\"format\":\"iso\"}", "format" },
		{ BEGIN "\"kind\":\"import\"}", "file" },
		{ BEGIN "\"kind\":\"capture\",\"desktop\":\"mine\",\"base\":\"\"}", "desktop" },
		{ BEGIN "\"kind\":\"remove\",\"keep_ms\":-1}", "keep_ms" },
		{ BEGIN "\"kind\":\"burn\"}", "kind" },
		{ "{\"kind\":\"remove\",\"task\":\"" TASK "\",\"datastore\":\"a/b\",\"image\":\"i\",\"version\":\"v\"}", "datastore" },
		{ "{\"kind\":\"remove\",\"task\":\"x\"}", "task" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pst_err err = PST_ERR_INIT;
		struct image_job_params p;
		int rc = parse(cases[i].text, &p, &err);

		cr_assert_eq(rc, cases[i].word ? PST_EINVAL : 0, "%s: %s", cases[i].text, err.text);
		cr_assert(!cases[i].word || strstr(err.text, cases[i].word), "%s: %s", cases[i].text, err.text);
	}
}

static void on_changed(void *arg)
{
}

/* Runs it to its end; the last news is the caller's. */
static json_t *run(const struct image_job_params *p)
{
	static const struct image_tools tools = { .qemu_img = "/nonexistent/qemu-img", .unpack = "/nonexistent/puesto-unpack" };
	struct image_job *job = image_job_start(stores_set, p, &tools, on_changed, NULL);
	json_t *last = NULL, *news;

	cr_assert_not_null(job);
	cr_assert_str_eq(image_job_task(job), TASK);
	while (!image_job_is_over(job))
		usleep(1000);
	while (image_job_news(job, &news)) {
		json_decref(last);
		last = news;
	}
	image_job_forget_told(job);
	cr_assert(image_job_news(job, &news), "it is said again to who asks again");
	cr_assert(json_equal(news, last));
	json_decref(news);
	image_job_destroy(job);
	return last;
}

static void expect(const char *text, const char *state, const char *words)
{
	struct pst_err err = PST_ERR_INIT;
	struct image_job_params p;
	json_t *last;

	cr_assert_eq(parse(text, &p, &err), 0, "%s", err.text);
	last = run(&p);
	const char *title = pst_json_str(json_object_get(last, "error"), "title", 512);
	cr_assert_str_eq(pst_json_str(last, "state", 16), state, "%s: %s", text, title ? title : "");
	cr_assert(!words || strstr(title, words), "%s: %s", text, title);
	json_decref(last);
}

static unsigned names_in(const char *folder)
{
	char command[300];
	unsigned n = 99;
	FILE *f;

	snprintf(command, sizeof(command), "ls -A %s | wc -l", folder);
	f = popen(command, "r");
	cr_assert_eq(fscanf(f, "%u", &n), 1);
	pclose(f);
	return n;
}

Test(image_job, what_cannot_be_imported_leaves_nothing)
{
	stores_folder_add("fast", NULL);
	expect(BEGIN "\"kind\":\"import\",\"file\":\"none\"}", "failed", "none in the folder incoming");
	cr_assert_eq(symlink("/etc/passwd", disk_at("fast/incoming/link")), 0);
	expect(BEGIN "\"kind\":\"import\",\"file\":\"link\"}", "failed", "no regular file");
	disk_file("fast/incoming/cd.iso", "", 0, 0);
	expect(BEGIN "\"kind\":\"import\",\"file\":\"cd.iso\"}", "failed", "empty");
	disk_file("fast/incoming/a.img", "a", 1, 4096);
	expect(BEGIN "\"kind\":\"import\",\"file\":\"a.img\",\"format\":\"qcow2\"}", "failed", NULL);
	expect(BEGIN "\"kind\":\"import\",\"file\":\"a.img\",\"format\":\"raw\"}", "failed", NULL);
	cr_assert_eq(names_in(disk_at("fast/images")), 0);
	cr_assert_eq(names_in(disk_at("fast/incoming")), 3, "what was to be imported stays");
}

Test(image_job, a_version_that_is_there_is_met_by_a_repeat_only)
{
	struct pst_err err = PST_ERR_INIT;
	struct manifest m;
	struct version_params v = { .folder = stores_folder_add("fast", NULL), .image = "desk", .version = "7", .source = disk_plain("fast/a.qcow2") };

	if (geteuid() != 0)
		cr_skip_test("sealing needs root");
	cr_assert_eq(version_publish(&v, &m, &err), 0, "%s", err.text);
	expect(BEGIN "\"kind\":\"import\",\"file\":\"a.img\"}", "failed", "already");
	expect(BEGIN "\"kind\":\"import\",\"file\":\"a.img\",\"repeat\":true}", "done", NULL);
	expect(BEGIN "\"kind\":\"remove\",\"keep_ms\":100000}", "done", NULL);
	cr_assert_eq(version_read(v.folder, "desk", "7", &m, &err), PST_ENOTFOUND);
	expect(BEGIN "\"kind\":\"remove\"}", "done", NULL);
}

Test(image_job, a_removal_waits_for_the_disks_that_stand_on_it)
{
	struct pst_err err = PST_ERR_INIT;
	struct manifest m;
	struct version_params v = { .folder = stores_folder_add("fast", NULL), .image = "desk", .version = "7", .source = disk_plain("fast/a.qcow2") };

	if (geteuid() != 0)
		cr_skip_test("sealing needs root");
	cr_assert_eq(version_publish(&v, &m, &err), 0, "%s", err.text);
	cr_assert_eq(mkdir(disk_at("fast/desktops/m-p"), 0755), 0);
	cr_assert_eq(mkdir(disk_at("fast/desktops/m-p/" DESKTOP), 0755), 0);
	disk_overlay("fast/desktops/m-p/" DESKTOP "/disk.qcow2", "fast/images/desk/7/disk.qcow2");
	expect(BEGIN "\"kind\":\"remove\"}", "failed", "stand on it");
	cr_assert_eq(version_verify(v.folder, "desk", "7", true, NULL, NULL, &err), 0, "%s", err.text);
}

Test(image_job, a_desktops_disk_is_found_with_all_it_stands_on)
{
	struct pst_err err = PST_ERR_INIT;
	struct found_disk found;
	const char *golden = disk_plain("golden.qcow2");

	stores_folder_add("fast", NULL);
	cr_assert_eq(found_disk_of(stores_set, DESKTOP, "", &found, &err), PST_ENOTFOUND);
	cr_assert_eq(mkdir(disk_at("fast/desktops/m-p"), 0755), 0);
	cr_assert_eq(mkdir(disk_at("fast/desktops/m-p/" DESKTOP), 0755), 0);
	disk_overlay("fast/desktops/m-p/" DESKTOP "/disk.qcow2", "golden.qcow2");
	cr_assert_eq(found_disk_of(stores_set, DESKTOP, "/elsewhere", &found, &err), PST_EDENIED);
	cr_assert_eq(found_disk_of(stores_set, DESKTOP, golden, &found, &err), 0, "%s", err.text);
	cr_assert_str_eq(found.path, disk_at("fast/desktops/m-p/" DESKTOP "/disk.qcow2"));
	cr_assert_str_eq(found.datastore, "fast");
	cr_assert_str_eq(found.within, disk_folder);
}

Test(image_job, a_clones_disk_may_stand_on_a_sealed_parent)
{
	struct pst_err err = PST_ERR_INIT;
	struct found_disk found;
	char golden[PATH_MAX], parent[PATH_MAX];

	if (geteuid() != 0)
		cr_skip_test("sealing needs root");
	snprintf(golden, sizeof(golden), "%s", disk_plain("golden.qcow2"));
	stores_folder_add("fast", NULL);
	for (const char *const *p = (const char *const[]){ "fast/desktops/m-p", "fast/desktops/m-p/" DESKTOP, "fast/desktops/m-p/parents",
		     "fast/desktops/m-p/parents/k", NULL }; *p; p++)
		cr_assert_eq(mkdir(disk_at(*p), 0755), 0);
	disk_overlay("fast/desktops/m-p/parents/k/disk.qcow2", "golden.qcow2");
	disk_overlay("fast/desktops/m-p/" DESKTOP "/disk.qcow2", "fast/desktops/m-p/parents/k/disk.qcow2");
	cr_assert_eq(found_disk_of(stores_set, DESKTOP, golden, &found, &err), PST_EDENIED, "somebody may write to it");
	snprintf(parent, sizeof(parent), "%s", disk_at("fast/desktops/m-p/parents/k/disk.qcow2"));
	cr_assert_eq(chmod(parent, 0444), 0);
	cr_assert_eq(found_disk_of(stores_set, DESKTOP, golden, &found, &err), 0, "%s", err.text);
	/* Of another desktop, and not one of the parents. */
	cr_assert_eq(rename(disk_at("fast/desktops/m-p/parents"), disk_at("fast/desktops/m-p/others")), 0);
	disk_overlay("fast/desktops/m-p/other.qcow2", "fast/desktops/m-p/others/k/disk.qcow2");
	cr_assert_eq(rename(disk_at("fast/desktops/m-p/other.qcow2"), disk_at("fast/desktops/m-p/" DESKTOP "/disk.qcow2")), 0);
	cr_assert_eq(found_disk_of(stores_set, DESKTOP, golden, &found, &err), PST_EDENIED);
}
