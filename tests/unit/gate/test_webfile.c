/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Static files: what is served and what is not. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "protocol/gate/webfile.h"

static char dir[] = "/tmp/puesto-webfile-XXXXXX";

static void put(int at, const char *name)
{
	int fd = openat(at, name, O_CREAT | O_WRONLY, 0644);

	cr_assert_eq(write(fd, "text", 4), 4);
	close(fd);
}

static int make_dir(void)
{
	int at;

	cr_assert_not_null(mkdtemp(dir));
	at = open(dir, O_PATH | O_DIRECTORY);
	mkdirat(at, "portal", 0755);
	mkdirat(at, "shared", 0755);
	mkdirat(at, "novnc", 0755);
	mkdirat(at, "shared/folder.js", 0755);
	put(at, "portal/index.html");
	put(at, "novnc/index.html");
	put(at, "shared/a.mjs");
	put(at, "shared/bundle-0123.js.gz");
	put(at, "shared/a.sh");
	put(at, "shared/.hidden.js");
	cr_assert_eq(symlinkat("/etc/hostname", at, "shared/out.txt"), 0);
	cr_assert_eq(symlinkat("a.mjs", at, "shared/in.mjs"), 0);
	return at;
}

Test(webfile, test_files_and_nothing_else)
{
	static const struct {
		const char *path;
		int answer;
	} cases[] = {
		{ "/", 0 },
		{ "/portal/", 0 },
		{ "/portal/index.html", 0 },
		{ "/index.html", 0 }, /* the portal's own, seen from the root */
		{ "/shared/a.mjs", 0 },
		{ "/shared/in.mjs", 0 },
		{ "/novnc/", 0 },
		{ "/novnc", -308 },
		{ "/portal", -308 },
		{ "/console", -308 },
		{ "/console/", -404 },
		{ "/shared/", -404 },
		{ "/shared", -404 },
		{ "/shared/folder.js", -404 },
		{ "/shared/a.sh", -404 },
		{ "/shared/.hidden.js", -404 },
		{ "/shared/out.txt", -404 },
		{ "/shared/../portal/index.html", -404 },
		{ "/../a.mjs", -404 },
		{ "//etc/hostname.txt", -404 },
		{ "/shared/%61.mjs", -404 },
		{ "/shared/a.mjs/", -404 },
		{ "/shared/a.mjs.", -404 },
		{ "", -404 },
	};
	int at = make_dir();

	for (size_t i = 0; i < PST_ARRAY_LEN(cases); i++) {
		struct webfile f = { .fd = -1 };

		cr_assert_eq(webfile_open(at, cases[i].path, &f), cases[i].answer, "%s", cases[i].path);
		if (cases[i].answer == 0) {
			cr_assert_eq(f.size, 4);
			close(f.fd);
		}
	}
	close(at);
}

Test(webfile, test_kinds)
{
	cr_assert_str_eq(webfile_mime("x.wasm"), "application/wasm");
	cr_assert_str_eq(webfile_mime("x.svg"), "image/svg+xml");
	cr_assert_str_eq(webfile_mime("client/bundle-0123.js.gz"), webfile_mime("client/main.js"));
	cr_assert_str_eq(webfile_mime("client/bundle-0123.css.gz"), webfile_mime("client/client.css"));
	cr_assert_null(webfile_mime("x.gz"));
	cr_assert_null(webfile_mime("js.gz"));
	cr_assert_null(webfile_mime("x"));
	cr_assert_null(webfile_mime("x.php"));
}

Test(webfile, test_compressed_ones_are_told_from_others)
{
	int at = make_dir();
	struct webfile f;

	cr_assert_eq(webfile_open(at, "/shared/bundle-0123.js.gz", &f), 0);
	cr_expect(f.is_gzip);
	close(f.fd);
	cr_assert_eq(webfile_open(at, "/shared/a.mjs", &f), 0);
	cr_expect_not(f.is_gzip);
	close(f.fd);
	close(at);
}
