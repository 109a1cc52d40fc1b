# protocol/front/rfb: the RFB 3.8 front.
noinst_LIBRARIES += protocol/front/rfb/libfrontrfb.a

protocol_front_rfb_libfrontrfb_a_SOURCES = \
	protocol/front/rfb/clipboard.c \
	protocol/front/rfb/handshake.c \
	protocol/front/rfb/message.c protocol/front/rfb/message.h \
	protocol/front/rfb/pixel_format.c protocol/front/rfb/pixel_format.h \
	protocol/front/rfb/rfb.c protocol/front/rfb/rfb.h \
	protocol/front/rfb/rfb_priv.h \
	protocol/front/rfb/session.c \
	protocol/front/rfb/stream.c protocol/front/rfb/stream.h \
	protocol/front/rfb/update.c
protocol_front_rfb_libfrontrfb_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS)

# What a program adds to its LDADD to use the front.
FRONT_RFB_LIBS = protocol/front/rfb/libfrontrfb.a protocol/front/libwindow.a protocol/link/liblink.a $(GNUTLS_LIBS) $(ZLIB_LIBS)
