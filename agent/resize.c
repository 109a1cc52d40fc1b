/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * RandR 1.2: the only output gets a mode of the wanted size, made where none has it; the screen grows before
 * the mode is set and shrinks after it, because a screen must hold its modes at every moment. Our old modes
 * are removed.
 */
#include "agent/resize.h"

#include <X11/extensions/Xrandr.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define MODE_PREFIX "puesto-"
#define SIDE_MIN 64           /* smaller screens confuse window managers */
#define MM_PER_PIXEL_1000 264 /* 96 dots an inch */

struct screen_now {
	XRRScreenResources *resources;
	RROutput output;
	RRCrtc crtc;
	int width, height;
};

static XRRModeInfo *mode_find(XRRScreenResources *res, const XRROutputInfo *out, int width, int height)
{
	for (int i = 0; i < out->nmode; i++)
		for (int j = 0; j < res->nmode; j++)
			if (res->modes[j].id == out->modes[i] && (int)res->modes[j].width == width &&
				(int)res->modes[j].height == height)
				return &res->modes[j];
	return NULL;
}

static RRMode mode_make(struct x11 *x, RROutput output, int width, int height)
{
	XRRModeInfo mode;
	char name[48];

	memset(&mode, 0, sizeof(mode));
	mode.width = (unsigned)width;
	mode.height = (unsigned)height;
	mode.hSyncStart = mode.hSyncEnd = mode.hTotal = mode.width;
	mode.vSyncStart = mode.vSyncEnd = mode.vTotal = mode.height;
	mode.dotClock = (unsigned long)width * (unsigned long)height * 60;
	snprintf(name, sizeof(name), MODE_PREFIX "%dx%d", width, height);
	mode.name = name;
	mode.nameLength = (unsigned)strlen(name);
	x11_try_begin(x);
	RRMode id = XRRCreateMode(x->dpy, x->root, &mode);
	if (x11_try_end(x) != 0)
		return None;
	x11_try_begin(x);
	XRRAddOutputMode(x->dpy, output, id);
	if (x11_try_end(x) != 0)
		return None;
	return id;
}

/* Modes of ours that the screen left behind; the one in force refuses to go, which is right. */
static void modes_sweep(struct x11 *x, XRRScreenResources *res, RROutput output, RRMode keep)
{
	x11_try_begin(x);
	for (int i = 0; i < res->nmode; i++) {
		if (res->modes[i].id == keep ||
			strncmp(res->modes[i].name, MODE_PREFIX, strlen(MODE_PREFIX)) != 0)
			continue;
		XRRDeleteOutputMode(x->dpy, output, res->modes[i].id);
		XRRDestroyMode(x->dpy, res->modes[i].id);
	}
	x11_try_end(x);
}

static int mm(int pixels)
{
	return PST_MAX(pixels * MM_PER_PIXEL_1000 / 1000, 1);
}

static void screen_size_set(struct x11 *x, int width, int height)
{
	XRRSetScreenSize(x->dpy, x->root, width, height, mm(width), mm(height));
}

static int mode_set(struct x11 *x, struct screen_now *now, RRMode mode, int width, int height)
{
	x11_try_begin(x);
	XGrabServer(x->dpy);
	screen_size_set(x, PST_MAX(width, now->width), PST_MAX(height, now->height));
	XRRSetCrtcConfig(
		x->dpy, now->resources, now->crtc, CurrentTime, 0, 0, mode, RR_Rotate_0, &now->output, 1);
	screen_size_set(x, width, height);
	XUngrabServer(x->dpy);
	return x11_try_end(x);
}

/* The first connected output with a CRTC that drives it or could. */
static XRROutputInfo *output_find(struct x11 *x, struct screen_now *now)
{
	for (int i = 0; i < now->resources->noutput; i++) {
		XRROutputInfo *out = XRRGetOutputInfo(x->dpy, now->resources, now->resources->outputs[i]);
		if (out && out->connection != RR_Disconnected && (out->crtc || out->ncrtc > 0)) {
			now->output = now->resources->outputs[i];
			now->crtc = out->crtc ? out->crtc : out->crtcs[0];
			return out;
		}
		if (out)
			XRRFreeOutputInfo(out);
	}
	return NULL;
}

static void screen_now(struct x11 *x, struct screen_now *now)
{
	Window root;
	int px, py;
	unsigned w = 0, h = 0, border, depth;

	XGetGeometry(x->dpy, x->root, &root, &px, &py, &w, &h, &border, &depth);
	now->width = (int)w;
	now->height = (int)h;
	now->resources = XRRGetScreenResourcesCurrent(x->dpy, x->root);
}

static int resize_output(
	struct x11 *x, struct screen_now *now, XRROutputInfo *out, int width, int height, struct pst_err *err)
{
	const XRRModeInfo *known = mode_find(now->resources, out, width, height);
	RRMode mode = known ? known->id : mode_make(x, now->output, width, height);
	if (mode == None)
		return pst_err_set(
			err, PST_EUNSUPPORTED, "the X server takes no mode of %dx%d", width, height);

	int error = mode_set(x, now, mode, width, height);
	modes_sweep(x, now->resources, now->output, mode);
	if (error != 0)
		return pst_err_set(err, PST_EUNSUPPORTED, "the X server refused a screen of %dx%d (error %d)",
			width, height, error);
	return 0;
}

int screen_resize(struct x11 *x, int32_t width, int32_t height, struct pst_err *err)
{
	int min_w, min_h, max_w, max_h;
	struct screen_now now = { 0 };

	if (x->is_lost || x->randr_base < 0 ||
		!XRRGetScreenSizeRange(x->dpy, x->root, &min_w, &min_h, &max_w, &max_h))
		return pst_err_set(err, PST_EUNSUPPORTED, "the X server cannot change its size");
	width = PST_CLAMP(width, PST_MIN(PST_MAX(min_w, SIDE_MIN), max_w), max_w);
	height = PST_CLAMP(height, PST_MIN(PST_MAX(min_h, SIDE_MIN), max_h), max_h);
	screen_now(x, &now);
	if (width == now.width && height == now.height) {
		XRRFreeScreenResources(now.resources);
		return 0;
	}
	if (!now.resources)
		return pst_err_set(err, PST_EUNSUPPORTED, "the X server tells no screen resources");

	XRROutputInfo *out = output_find(x, &now);
	int rc = out ? resize_output(x, &now, out, width, height, err)
		     : pst_err_set(err, PST_EUNSUPPORTED, "the X server has no output to resize");
	if (out)
		XRRFreeOutputInfo(out);
	XRRFreeScreenResources(now.resources);
	return rc;
}
