/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pixels of an X server's screen; see screen.h. */
#include "screen.h"

#include <X11/Xutil.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIDE_MAX 8192

static bool fail(const char *name, const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", name, what);
	return false;
}

/* XWD version 7: a header of 32-bit words, most significant byte first, then the colours, then the rows. */
static bool open_file(struct screen *s, const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	const uint32_t *head;

	if (fd < 0 || fstat(fd, &st) || st.st_size < 100)
		return fail(name, "no such picture");
	s->map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (s->map == MAP_FAILED)
		return fail(name, "it cannot be mapped");
	head = (const uint32_t *)(const void *)s->map;
	s->whole = (struct rect){ 0, 0, (int32_t)ntohl(head[4]), (int32_t)ntohl(head[5]) };
	s->stride = ntohl(head[12]);
	s->start = ntohl(head[0]) + (size_t)ntohl(head[19]) * 12;
	if (ntohl(head[11]) != 32 || s->whole.w < 1 || s->whole.w > SIDE_MAX || s->whole.h < 1 ||
		s->whole.h > SIDE_MAX || s->stride < (size_t)s->whole.w * 4 ||
		s->start + s->stride * (size_t)s->whole.h > (size_t)st.st_size)
		return fail(name, "no picture of 32 bits a pixel");
	return true;
}

static bool open_display(struct screen *s, const char *name)
{
	XWindowAttributes a;

	s->dpy = XOpenDisplay(name);
	if (!s->dpy || !XShmQueryExtension(s->dpy))
		return fail(name, "no X display with shared memory");
	XGetWindowAttributes(s->dpy, DefaultRootWindow(s->dpy), &a);
	s->whole = (struct rect){ 0, 0, a.width, a.height };
	s->visual = a.visual;
	s->shm.shmid = shmget(IPC_PRIVATE, (size_t)a.width * (size_t)a.height * 4, IPC_CREAT | 0600);
	s->shm.shmaddr = shmat(s->shm.shmid, NULL, 0);
	if (a.depth != 24 || s->shm.shmaddr == (char *)-1 || !XShmAttach(s->dpy, &s->shm))
		return fail(name, "no screen of 24 bits in shared memory");
	XSync(s->dpy, False);
	shmctl(s->shm.shmid, IPC_RMID, NULL);
	return true;
}

bool screen_open(struct screen *s, const char *name)
{
	*s = (struct screen){ 0 };
	return strchr(name, '/') ? open_file(s, name) : open_display(s, name);
}

static void copy_rows(const uint8_t *from, size_t stride, const struct rect *r, uint32_t *ret_px)
{
	for (int32_t y = 0; y < r->h; y++) {
		const uint32_t *row = (const uint32_t *)(const void *)(from + (size_t)y * stride);

		for (int32_t x = 0; x < r->w; x++)
			*ret_px++ = row[x] & 0xffffff;
	}
}

bool screen_grab(struct screen *s, const struct rect *r, uint32_t *ret_px)
{
	XImage *image;
	bool is_there;

	if (!rect_contains(&s->whole, r) || rect_is_empty(r))
		return false;
	if (s->map) {
		copy_rows(s->map + s->start + (size_t)r->y * s->stride + (size_t)r->x * 4, s->stride, r,
			ret_px);
		return true;
	}
	image = XShmCreateImage(
		s->dpy, s->visual, 24, ZPixmap, s->shm.shmaddr, &s->shm, (unsigned)r->w, (unsigned)r->h);
	is_there = image && XShmGetImage(s->dpy, DefaultRootWindow(s->dpy), image, r->x, r->y, AllPlanes);
	if (is_there)
		copy_rows((const uint8_t *)image->data, (size_t)image->bytes_per_line, r, ret_px);
	if (image)
		image->data = NULL;
	if (image)
		XDestroyImage(image);
	return is_there;
}
