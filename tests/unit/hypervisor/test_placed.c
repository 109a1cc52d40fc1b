/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where desktops were put: written, learnt, and what a datastore that is away may have. */
#include "broker/hypervisor/storage/placed.h"

#include "base/file.h"
#include "base/text.h"
#include "tests/unit/fine.h"
#include "tests/unit/hypervisor/disk_folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define A "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
#define B "1b4e28ba-2fa1-41d2-883f-0016d3cca428"
#define BELOW "desktops/x-vm"

TestSuite(placed, .init = disk_folder_make, .fini = disk_folder_remove);

static struct store_settings fast;
static char notes[64], data[64];

static void begin(void)
{
	struct pst_err err = PST_ERR_INIT;

	pst_strlcpy(notes, sizeof(notes), disk_at("placed"));
	pst_strlcpy(data, sizeof(data), disk_at("data"));
	memset(&fast, 0, sizeof(fast));
	pst_strlcpy(fast.name, sizeof(fast.name), "fast");
	pst_strlcpy(fast.path, sizeof(fast.path), disk_at("fast"));
	cr_assert_eq(pst_mkdirs(fast.path, 0700, &err), 0, "%s", err.text);
}

static const char *place_of(const char *desktop)
{
	static char store[PLACEMENT_NAME_SIZE];
	struct pst_err err = PST_ERR_INIT;

	cr_assert_eq(placed_read(notes, desktop, store, &err), 0, "%s", err.text);
	return store;
}

Test(placed, the_last_place_counts)
{
	struct pst_err err = PST_ERR_INIT;
	char left[128];

	begin();
	cr_assert_str_eq(place_of(A), "");
	placed_forget(notes, A);
	cr_assert_eq(placed_write(notes, A, "fast", &err), 0, "%s", err.text);
	cr_assert_eq(placed_write(notes, A, "fast", &err), 0, "%s", err.text);
	cr_assert_eq(placed_write(notes, B, "slow", &err), 0, "%s", err.text);
	cr_assert_str_eq(place_of(A), "fast");
	/* What a crash has left of a write stands in nobody's way. */
	snprintf(left, sizeof(left), "%s/" A ".tmp", notes);
	cr_assert_eq(symlink("old", left), 0);
	cr_assert_eq(placed_write(notes, A, "slow", &err), 0, "%s", err.text);
	cr_assert_str_eq(place_of(A), "slow");
	placed_forget(notes, A);
	cr_assert_str_eq(place_of(A), "");
	cr_assert_str_eq(place_of(B), "slow");
}

Test(placed, what_is_no_note_is_none)
{
	struct pst_err err = PST_ERR_INIT;
	char path[128], store[PLACEMENT_NAME_SIZE], text[2 * PLACEMENT_NAME_SIZE];

	begin();
	cr_assert_eq(pst_mkdirs(notes, 0700, &err), 0);
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	snprintf(path, sizeof(path), "%s/" A, notes);
	cr_assert_eq(symlink(text, path), 0);
	cr_assert_eq(placed_read(notes, A, store, &err), 0);
	cr_assert_str_eq(store, "", "it is too long for a name");
	unlink(path);
	disk_file("placed/" A, "x", 1, 1);
	cr_assert_eq(placed_read(notes, A, store, &err), PST_EIO, "no link: somebody else's file");
}

Test(placed, a_datastore_is_learnt_while_it_is_here)
{
	struct pst_err err = PST_ERR_INIT;

	begin();
	/* It never was here: this installation has nothing on it. */
	cr_assert(!placed_may_be(notes, &fast, data, ""));
	cr_assert(placed_may_be(notes, &fast, data, "fast"));
	cr_assert_eq(store_check(&fast, data, &err), 0, "%s", err.text);
	cr_assert(placed_may_be(notes, &fast, data, ""), "it was here, and nobody has looked what lies on it");
	cr_assert_eq(pst_mkdirs(disk_at("fast/" BELOW "/" A), 0700, &err), 0, "%s", err.text);
	cr_assert_eq(pst_mkdirs(disk_at("fast/" BELOW "/.restore-" B), 0700, &err), 0, "%s", err.text);
	FINE(placed_learn(notes, &fast, data, BELOW, &err));
	cr_assert_str_eq(place_of(A), "fast");
	cr_assert_str_eq(place_of(B), "");
	cr_assert(placed_may_be(notes, &fast, data, place_of(A)));
	cr_assert(!placed_may_be(notes, &fast, data, place_of(B)));
	/* Once is enough; and where a desktop was put is known better than by looking. */
	cr_assert_eq(pst_mkdirs(disk_at("fast/" BELOW "/" B), 0700, &err), 0, "%s", err.text);
	cr_assert_eq(placed_learn(notes, &fast, data, BELOW, &err), 0, "%s", err.text);
	cr_assert_str_eq(place_of(B), "");
}

Test(placed, another_datastore_of_that_name_is_learnt_anew)
{
	struct pst_err err = PST_ERR_INIT;

	begin();
	cr_assert_eq(store_check(&fast, data, &err), 0, "%s", err.text);
	cr_assert_eq(placed_learn(notes, &fast, data, BELOW, &err), 0, "%s", err.text);
	cr_assert(!placed_may_be(notes, &fast, data, ""));
	/* Not the right one, for now: nothing is learnt of it. */
	cr_assert_eq(unlink(disk_at("fast/datastore.id")), 0);
	cr_assert_eq(store_mark_write(disk_at("fast/datastore.id"), "00112233445566778899aabbccddeeff", &err), 0);
	unlink(disk_at("placed/.fast"));
	cr_assert_lt(placed_learn(notes, &fast, data, BELOW, &err), 0);
	cr_assert(placed_may_be(notes, &fast, data, ""));
	err = (struct pst_err)PST_ERR_INIT;
	unlink(disk_at("data/datastores/fast"));
	cr_assert_eq(store_check(&fast, data, &err), 0, "%s", err.text);
	cr_assert(placed_may_be(notes, &fast, data, ""));
	cr_assert_eq(placed_learn(notes, &fast, data, BELOW, &err), 0, "%s", err.text);
	cr_assert(!placed_may_be(notes, &fast, data, ""));
}
