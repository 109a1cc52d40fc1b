# protocol/front/rdp: the RDP front on FreeRDP 3's server library.
noinst_LIBRARIES += protocol/front/rdp/libfrontrdp.a

protocol_front_rdp_libfrontrdp_a_SOURCES = \
	protocol/front/rdp/autodetect.c \
	protocol/front/rdp/bitmap.c \
	protocol/front/rdp/channel.c protocol/front/rdp/channel.h \
	protocol/front/rdp/clip_wire.c protocol/front/rdp/clip_wire.h \
	protocol/front/rdp/clipboard.c \
	protocol/front/rdp/detect.c protocol/front/rdp/detect.h \
	protocol/front/rdp/disp.c protocol/front/rdp/disp.h \
	protocol/front/rdp/gfx.c \
	protocol/front/rdp/gfx_cache.c protocol/front/rdp/gfx_cache.h \
	protocol/front/rdp/gfx_cells.c protocol/front/rdp/gfx_cells.h \
	protocol/front/rdp/gfx_pixels.c protocol/front/rdp/gfx_pixels.h \
	protocol/front/rdp/gfx_video.c \
	protocol/front/rdp/gfx_wire.c protocol/front/rdp/gfx_wire.h \
	protocol/front/rdp/guard.c protocol/front/rdp/guard.h \
	protocol/front/rdp/input.c \
	protocol/front/rdp/parts.c protocol/front/rdp/parts.h \
	protocol/front/rdp/peer.c \
	protocol/front/rdp/planar.c protocol/front/rdp/planar.h \
	protocol/front/rdp/pointer.c \
	protocol/front/rdp/rdp.c protocol/front/rdp/rdp.h protocol/front/rdp/rdp_priv.h \
	protocol/front/rdp/remotefx.c protocol/front/rdp/remotefx.h \
	protocol/front/rdp/zgfx.c protocol/front/rdp/zgfx.h
protocol_front_rdp_libfrontrdp_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(RDP_CFLAGS) $(XXHASH_CFLAGS)

# What a program adds to its LDADD to use the front.
FRONT_RDP_LIBS = protocol/front/rdp/libfrontrdp.a protocol/front/libwindow.a protocol/link/liblink.a $(RDP_LIBS)
