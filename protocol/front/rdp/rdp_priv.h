/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The body of the RDP front, shared by its files. */
#pragma once

#include <freerdp/freerdp.h>
#include <freerdp/peer.h>

#include "base/loop.h"
#include "protocol/front/front.h"
#include "protocol/front/rdp/detect.h"
#include "protocol/front/rdp/gfx_wire.h"
#include "protocol/front/rdp/guard.h"
#include "protocol/front/window.h"

#define RDP_SURFACE_ID 1
#define RDP_SIDE_MIN 200

enum rdp_login { RDP_LOGIN_NONE, RDP_LOGIN_ASKED, RDP_LOGIN_ACCEPTED, RDP_LOGIN_REFUSED };

#define RDP_VIDEO_REGIONS 4 /* decoders that the client keeps at once */

struct rdp;

/* How the picture goes out; chosen once, when the client has said what it can. */
struct rdp_writer {
	/* The client has said all that the others need. */
	bool (*is_ready)(const struct rdp *f);
	/* Fills in ops, video regions and can_resize. */
	void (*caps)(const struct rdp *f, struct front_caps *ret);
	/* The screen has the size f->width × f->height from the next frame on. */
	int (*surface)(struct rdp *f, struct pst_err *err);
	/* After each turn of the library: what surface could not do at once. */
	int (*fit)(struct rdp *f, struct pst_err *err);
	bool (*can_send)(const struct rdp *f);
	int (*frame)(struct rdp *f, const struct op_list *ops, const struct pixmap *sent, struct pst_err *err);
};

extern const struct rdp_writer rdp_writer_gfx, rdp_writer_bitmap;

struct rdp_gfx {
	HANDLE channel;
	struct pst_timer *patience; /* with a client that announced the pipeline and says nothing */
	bool was_opened, is_refused, is_ready, has_surface;
	bool is_suspended; /* the client stopped acknowledging: nothing is counted */
	struct gfx_capset set;
	struct zgfx *zgfx; /* NULL before the first message */
	struct gfx_pixels *pixels; /* NULL before the first surface */
	struct {
		int32_t w, h; /* of the region's surface; 0 without one */
		bool is_full; /* its decoder puts two views together */
	} videos[RDP_VIDEO_REGIONS];
};

struct rdp_disp {
	HANDLE channel;
	bool was_opened, is_ready;
};

struct rdp_clip {
	HANDLE channel;
	bool was_opened, has_long_names;
	char *text; /* owned: newest text of the desktop, given when the client asks */
	size_t len;
};

/* The last shape, for a client that is activated again and has forgotten it, and what is in its cache. */
struct rdp_shape {
	struct slot_ring *known; /* NULL without a cache, and before the first shape of an activation */
	uint32_t *pixels; /* owned; NULL before the first shape, and for none */
	struct cursor_image image;
	bool has_shape;
};

struct rdp {
	struct front front;
	struct front_events ev;
	void *arg;
	freerdp_peer *peer;
	HANDLE channels; /* the virtual channel manager */
	psPeerReceiveChannelData to_library; /* what takes channel data behind the guard */
	uv_poll_t *poll; /* freed by its close callback */
	int watched;     /* its events */
	struct pst_timer *deadline;
	enum rdp_login login;
	bool has_credentials, is_opened, is_ended, is_suppressed, is_activated;
	bool is_secured; /* the TLS handshake is through */
	bool is_reversed; /* the client asked what only servers ask; each answer of the library's would wait for it to read */
	bool is_pumping; /* the library is at work on the client's bytes */
	bool is_leaving, is_told; /* the front has been told to end; the client has been told why */
	struct pst_err ending;
	bool clipboard_in, clipboard_out;
	int32_t width, height; /* the surface; 0 before it */
	uint8_t buttons;
	const struct rdp_writer *writer; /* NULL until the client is known */
	uint32_t frame_id;
	struct rdp_gfx gfx;
	struct {
		bool has_surface;
		struct parts *parts;
		struct remotefx *remotefx; /* NULL unless the client has it */
		uint64_t frame_bytes;
	} bitmap;
	struct rdp_disp disp;
	struct rdp_clip clip;
	struct rdp_shape pointer;
	struct guard guard; /* of the clipboard's channel */
	struct window window;
	struct detect detect;
	uint64_t bytes_sent;
};

/* peer.c: FreeRDP's object with our settings and callbacks. */
int rdp_peer_create(struct rdp *f, const struct front_params *p, struct pst_err *err);
void rdp_peer_destroy(struct rdp *f);
struct rdp *rdp_of(rdpContext *context);

/* input.c */
void rdp_input_register(struct rdp *f);
/* Tells the viewer's keyboard layout. */
void rdp_input_layout(struct rdp *f);

/* gfx.c: the graphics channel. */
/* Opens the channel when it may be, and reads what the client said. */
int rdp_gfx_poll(struct rdp *f, struct pst_err *err);
/* The client has said that it knows the pipeline, and has not refused or closed its channel since. */
bool rdp_gfx_is_possible(const struct rdp *f);
/* The picture waits for the client's first words on the channel; after a while it goes another way. */
void rdp_gfx_await(struct rdp *f);
void rdp_gfx_finish(struct rdp *f);

/* gfx_video.c: video regions on surfaces of their own. */
void rdp_gfx_video_put(struct rdp *f, struct pst_buf *out, const struct op *op);
/* Forgets all regions and says so. */
void rdp_gfx_video_reset(struct rdp *f, struct pst_buf *out);

/* autodetect.c: the path is asked for. Nothing is sent to clients that did not announce it. */
void rdp_detect_register(struct rdp *f);
/* A round trip, when the window wants one: ahead of what is sent next. */
void rdp_detect_trip(struct rdp *f);
/* Around a frame of at least DETECT_FRAME_MIN bytes, how fast they come. */
void rdp_detect_start(struct rdp *f);
void rdp_detect_stop(struct rdp *f, uint64_t bytes);

/* bitmap.c */
BOOL rdp_bitmap_on_ack(rdpContext *context, UINT32 frame_id);
void rdp_bitmap_finish(struct rdp *f);

/* pointer.c */
void rdp_pointer_shape(struct rdp *f, const struct cursor_image *image);
void rdp_pointer_position(struct rdp *f, int32_t x, int32_t y);
/* The client was activated again. */
void rdp_pointer_again(struct rdp *f);
void rdp_pointer_finish(struct rdp *f);

/* disp.c: the display control channel. */
int rdp_disp_poll(struct rdp *f, struct pst_err *err);

/* clipboard.c: the channel cliprdr. */
int rdp_clip_poll(struct rdp *f, struct pst_err *err);
void rdp_clip_send(struct rdp *f, const char *utf8, size_t len);
void rdp_clip_finish(struct rdp *f);

/* rdp.c */
/* Chooses the writer and tells the worker, once all is there that it takes. */
void rdp_open_when_ready(struct rdp *f);
/* Open, and neither side has ended. */
bool rdp_is_live(const struct rdp *f);
bool rdp_can_send(struct front *front);
/* Puts what is queued on the socket and watches it for room. */
int rdp_flush(struct rdp *f);
void rdp_fail(struct rdp *f, int code, const char *reason);
