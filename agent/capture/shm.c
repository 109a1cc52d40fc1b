/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Screen memory of our own for any X server: a sealed memfd that the server copies damaged bands into by
 * MIT-SHM 1.2. A band is as wide as the screen, because GetImage packs its rows: so it lands in place and
 * nobody copies twice. Without shared memory XGetImage brings single rectangles.
 */
#include <X11/Xlib-xcb.h>
#include <X11/Xutil.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xcb/shm.h>

#include "agent/capture/store.h"
#include "base/mem.h"
#include "base/unixsock.h"

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

struct shm {
	struct store base;
	struct x11 *x;
	xcb_connection_t *xcb;
	xcb_shm_seg_t seg; /* 0: no shared memory with the server */
	uint8_t *map;
};

static void shm_release(struct shm *m)
{
	if (m->seg && !m->x->is_lost)
		xcb_shm_detach(m->xcb, m->seg);
	m->seg = 0;
	if (m->map)
		munmap(m->map, m->base.size);
	m->map = NULL;
	pst_fd_close(&m->base.fd);
}

static void shm_close(struct store *s)
{
	struct shm *m = pst_container_of(s, struct shm, base);

	shm_release(m);
	free(m);
}

static struct store *shm_open_store(struct x11 *x, const char *fbdir, struct pst_err *err)
{
	Visual *v = DefaultVisual(x->dpy, x->screen);

	if (DefaultDepth(x->dpy, x->screen) != 24 || v->red_mask != 0xff0000 || v->green_mask != 0xff00 ||
		v->blue_mask != 0xff || ImageByteOrder(x->dpy) != LSBFirst) {
		pst_err_set(err, PST_EUNSUPPORTED,
			"the X server's screen is not 24 bits deep with red, green and blue bytes");
		return NULL;
	}
	struct shm *m = pst_zalloc(1, sizeof(*m));
	if (!m) {
		pst_err_set(err, PST_ENOMEM, "no memory");
		return NULL;
	}
	m->base.type = &store_shm;
	m->base.fd = -1;
	m->x = x;
	m->xcb = XGetXCBConnection(x->dpy);
	return &m->base;
}

/* The server needs a writable mapping, so it attaches before the memory is sealed against further writers. */
static void shm_attach(struct shm *m)
{
	int copy = m->x->has_shm ? fcntl(m->base.fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (copy < 0)
		return;

	m->seg = xcb_generate_id(m->xcb);
	xcb_generic_error_t *e =
		xcb_request_check(m->xcb, xcb_shm_attach_fd_checked(m->xcb, m->seg, copy, 0));
	if (e) {
		m->seg = 0;
		free(e);
	}
}

static int shm_resize(struct store *s, int32_t width, int32_t height, struct pst_err *err)
{
	struct shm *m = pst_container_of(s, struct shm, base);

	if (width < 1 || height < 1 || width > SCREEN_SIDE_MAX || height > SCREEN_SIDE_MAX)
		return pst_err_set(err, PST_ELIMIT, "a screen of %dx%d is out of range", width, height);
	shm_release(m);
	s->size = (uint64_t)width * (uint64_t)height * 4;
	s->fd = memfd_create("puesto-screen", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (s->fd < 0 || ftruncate(s->fd, (off_t)s->size) < 0)
		return pst_err_set(err, PST_ENOMEM, "no shared memory for a screen of %dx%d", width, height);
	void *map = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (map == MAP_FAILED)
		return pst_err_set(err, PST_ENOMEM, "the shared memory for the screen cannot be mapped");

	m->map = map;
	shm_attach(m);
	fcntl(s->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL);
	s->offset = 0;
	s->view = (struct pixmap){ m->map, width, height, (uint32_t)width * 4 };
	return 0;
}

/* All bands are asked for first and waited for once. */
static void fetch_band(struct shm *m, int32_t y, int32_t h)
{
	uint32_t offset = (uint32_t)y * m->base.view.stride;
	xcb_shm_get_image_cookie_t cookie = xcb_shm_get_image(m->xcb, (xcb_drawable_t)m->x->root, 0,
		(int16_t)y, (uint16_t)m->base.view.width, (uint16_t)h, ~0u, XCB_IMAGE_FORMAT_Z_PIXMAP, m->seg,
		offset);

	xcb_discard_reply(m->xcb, cookie.sequence);
}

static void fetch_rect(struct shm *m, const struct rect *r)
{
	x11_try_begin(m->x);
	XImage *image = XGetImage(
		m->x->dpy, m->x->root, r->x, r->y, (unsigned)r->w, (unsigned)r->h, AllPlanes, ZPixmap);
	x11_try_end(m->x);
	if (!image)
		return;

	size_t stride = m->base.view.stride;
	if (image->bits_per_pixel == 32)
		for (int32_t y = 0; y < r->h; y++)
			memcpy(m->map + (size_t)(r->y + y) * stride + (size_t)r->x * 4,
				image->data + (size_t)y * (size_t)image->bytes_per_line, (size_t)r->w * 4);
	XDestroyImage(image);
}

/* Rectangles of a region come sorted by y, so bands grow downwards. */
static void shm_fetch(struct store *s, const struct rect *rects, size_t n)
{
	struct shm *m = pst_container_of(s, struct shm, base);
	int32_t top = -1, bottom = -1;

	if (!m->map || m->x->is_lost)
		return;
	if (!m->seg) {
		for (size_t i = 0; i < n; i++)
			fetch_rect(m, &rects[i]);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		if (top >= 0 && rects[i].y >= top && rects[i].y <= bottom) {
			bottom = PST_MAX(bottom, rects[i].y + rects[i].h);
			continue;
		}
		if (top >= 0)
			fetch_band(m, top, bottom - top);
		top = rects[i].y;
		bottom = rects[i].y + rects[i].h;
	}
	if (top >= 0)
		fetch_band(m, top, bottom - top);
	XSync(m->x->dpy, False);
}

const struct store_type store_shm = {
	.name = "shm",
	.open = shm_open_store,
	.resize = shm_resize,
	.fetch = shm_fetch,
	.close = shm_close,
};
