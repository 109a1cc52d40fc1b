/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Static web files. */
#include "protocol/gate/webfile.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NAME_SIZE 512

static const struct {
	const char *extension, *mime;
} kinds[] = {
	{ "html", "text/html; charset=utf-8" },
	{ "js", "text/javascript; charset=utf-8" },
	{ "js.gz", "text/javascript; charset=utf-8" },
	{ "mjs", "text/javascript; charset=utf-8" },
	{ "css", "text/css; charset=utf-8" },
	{ "css.gz", "text/css; charset=utf-8" },
	{ "json", "application/json" },
	{ "webmanifest", "application/manifest+json" },
	{ "wasm", "application/wasm" },
	{ "svg", "image/svg+xml" },
	{ "png", "image/png" },
	{ "ico", "image/vnd.microsoft.icon" },
	{ "jpg", "image/jpeg" },
	{ "webp", "image/webp" },
	{ "woff2", "font/woff2" },
	{ "txt", "text/plain; charset=utf-8" },
	{ "ogg", "audio/ogg" },
	{ "oga", "audio/ogg" },
	{ "mp3", "audio/mpeg" },
};

/* The folders that are pages: with their slash they show their index. The root shows the portal. */
static const struct {
	const char *path, *file;
} pages[] = {
	{ "/", "portal/index.html" },
	{ "/portal/", "portal/index.html" },
	{ "/console/", "console/index.html" },
	{ "/client/", "client/index.html" },
	{ "/novnc/", "novnc/index.html" },
	{ "/favicon.ico", "shared/favicon.ico" },
};

static bool ends_with(const char *name, const char *extension)
{
	size_t len = strlen(name), n = strlen(extension);

	return len > n && name[len - n - 1] == '.' && !strcmp(name + len - n, extension);
}

const char *webfile_mime(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (ends_with(name, kinds[i].extension))
			return kinds[i].mime;
	return NULL;
}

/* Letters, digits, '.', '-', '_', '@' and '/'; no empty name and none that starts with a dot. */
static bool is_plain(const char *path)
{
	for (const char *p = path; *p; p++) {
		bool is_name = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-_@", *p);

		if (!is_name && *p != '.' && *p != '/')
			return false;
		if (*p == '/' && (p[1] == '/' || p[1] == '.'))
			return false;
	}
	return strlen(path) < NAME_SIZE;
}

static int open_below(int dir, const char *name)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, dir, name, &how, sizeof(how));
}

static bool is_page_folder(const char *path)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		if (strlen(pages[i].path) == len + 1 && !strncmp(pages[i].path, path, len) && pages[i].path[len] == '/')
			return true;
	return false;
}

static const char *file_of(const char *path)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		if (!strcmp(path, pages[i].path))
			return pages[i].file;
	return path + 1;
}

/* The portal is shown at / too, so what its page names beside itself is looked for in its folder. */
static int open_file(int dir, const char *name)
{
	char in_portal[NAME_SIZE + sizeof("portal/")];
	int fd = open_below(dir, name);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	snprintf(in_portal, sizeof(in_portal), "portal/%s", name);
	return open_below(dir, in_portal);
}

int webfile_open(int web_dir_fd, const char *path, struct webfile *ret)
{
	const char *name, *mime;
	struct stat st;
	int fd;

	if (path[0] != '/' || !is_plain(path))
		return -404;
	if (is_page_folder(path))
		return -308;
	name = file_of(path);
	mime = webfile_mime(name);
	if (!mime)
		return -404;
	fd = open_file(web_dir_fd, name);
	if (fd < 0)
		return errno == EACCES ? -403 : -404;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > WEBFILE_SIZE_MAX) {
		close(fd);
		return -404;
	}
	*ret = (struct webfile){ .fd = fd, .size = (uint64_t)st.st_size, .mime = mime, .is_page = !strncmp(mime, "text/html", 9),
				.is_gzip = ends_with(name, "gz") };
	snprintf(ret->etag, sizeof(ret->etag), "\"%" PRIx64 "%08lx-%" PRIx64 "\"", (uint64_t)st.st_mtim.tv_sec,
		 (unsigned long)st.st_mtim.tv_nsec & 0xffffffff, ret->size);
	return 0;
}
