/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The screen file of `Xvfb -fbdir DIR`: the X server draws straight into it, so there is nothing to fetch. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/capture/store.h"
#include "agent/capture/xwd.h"
#include "base/mem.h"
#include "base/unixsock.h"

struct fbdir {
	struct store base;
	struct xwd xwd;
	void *map;
};

static int fbdir_check(struct fbdir *f, const char *path, struct pst_err *err)
{
	uint8_t head[4096];
	struct stat st;

	if (fstat(f->base.fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 0)
		return pst_err_set(err, PST_EIO, "%s is no screen file", path);
	ssize_t n = pread(f->base.fd, head, sizeof(head), 0);
	if (n < 0)
		return pst_err_set(err, PST_EIO, "%s cannot be read", path);
	f->base.size = (uint64_t)st.st_size;
	return xwd_parse(head, (size_t)n, f->base.size, &f->xwd, err);
}

static void fbdir_close(struct store *s)
{
	struct fbdir *f = pst_container_of(s, struct fbdir, base);

	if (f->map)
		munmap(f->map, f->base.size);
	pst_fd_close(&f->base.fd);
	free(f);
}

static struct store *fbdir_open(struct x11 *x, const char *dir, struct pst_err *err)
{
	char path[4096];
	struct fbdir *f = pst_zalloc(1, sizeof(*f));
	if (!f) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}

	f->base.type = &store_fbdir;
	snprintf(path, sizeof(path), "%s/Xvfb_screen%d", dir, x->screen);
	f->base.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f->base.fd < 0) {
		pst_err_set(err, PST_ENOTFOUND, "%s cannot be opened", path);
		goto fail;
	}
	if (fbdir_check(f, path, err) < 0)
		goto fail;
	void *map = mmap(NULL, f->base.size, PROT_READ, MAP_SHARED, f->base.fd, 0);
	if (map == MAP_FAILED) {
		pst_err_set(err, PST_EIO, "%s cannot be mapped", path);
		goto fail;
	}
	f->map = map;
	f->base.offset = f->xwd.offset;
	return &f->base;
fail:
	fbdir_close(&f->base);
	return NULL;
}

/* After a shrink by RandR the screen is the top left part of the first one, whose stride stays. */
static int fbdir_resize(struct store *s, int32_t width, int32_t height, struct pst_err *err)
{
	struct fbdir *f = pst_container_of(s, struct fbdir, base);

	if (width < 1 || height < 1 || (uint32_t)width > f->xwd.width || (uint32_t)height > f->xwd.height)
		return pst_err_set(err, PST_ELIMIT, "a screen of %dx%d does not fit the X server's %ux%u",
			width, height, f->xwd.width, f->xwd.height);

	s->view = (struct pixmap){ (const uint8_t *)f->map + f->xwd.offset, width, height, f->xwd.stride };
	return 0;
}

static void fbdir_fetch(struct store *s, const struct rect *rects, size_t n)
{
	(void)s;
	(void)rects;
	(void)n;
}

const struct store_type store_fbdir = {
	.name = "fbdir",
	.open = fbdir_open,
	.resize = fbdir_resize,
	.fetch = fbdir_fetch,
	.close = fbdir_close,
};
