/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared pixels. */
#include "protocol/source/rdp/screen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

/* Nobody who gets the descriptor can make it shorter under another reader. */
static int memory_open(size_t size)
{
	int fd = memfd_create("puesto-seat", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

struct rdp_screen *rdp_screen_create(int32_t width, int32_t height, struct pst_err *err)
{
	struct rdp_screen *s = pst_zalloc(1, sizeof(*s));
	void *map = MAP_FAILED;

	if (!s || width < 1 || height < 1 || width > SCREEN_SIDE_MAX || height > SCREEN_SIDE_MAX) {
		pst_err_set(err, PST_ELIMIT, "a screen of %d × %d pixels is not possible", width, height);
		free(s);
		return NULL;
	}
	s->size = (size_t)width * (size_t)height * 4;
	s->fd = memory_open(s->size);
	if (s->fd >= 0)
		map = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (map == MAP_FAILED) {
		pst_err_sys(err, PST_ENOMEM, errno, "no memory for a screen of %d × %d pixels", width, height);
		if (s->fd >= 0)
			close(s->fd);
		free(s);
		return NULL;
	}
	s->pixels = map;
	s->view = (struct pixmap){ map, width, height, (uint32_t)width * 4 };
	return s;
}

void rdp_screen_destroy(struct rdp_screen *s)
{
	if (!s)
		return;
	munmap(s->pixels, s->size);
	close(s->fd);
	free(s);
}

void rdp_screen_take(struct rdp_screen *s, const uint8_t *from, uint32_t stride, const struct rect *r)
{
	const uint8_t *row = from + (size_t)r->y * stride + (size_t)r->x * 4;
	uint8_t *to = s->pixels + (size_t)r->y * s->view.stride + (size_t)r->x * 4;

	for (int32_t y = 0; y < r->h; y++, row += stride, to += s->view.stride)
		memcpy(to, row, (size_t)r->w * 4);
}
