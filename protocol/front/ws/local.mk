# protocol/front/ws: what this directory adds to the build (lists are declared in the top Makefile.am).
noinst_LIBRARIES += protocol/front/ws/libfrontws.a

protocol_front_ws_libfrontws_a_SOURCES = \
	protocol/front/ws/frame.c protocol/front/ws/frame.h \
	protocol/front/ws/group.c protocol/front/ws/group.h \
	protocol/front/ws/member.c protocol/front/ws/member.h \
	protocol/front/ws/message.c protocol/front/ws/message.h \
	protocol/front/ws/parse.c \
	protocol/front/ws/receive.c \
	protocol/front/ws/snapshot.c protocol/front/ws/snapshot.h \
	protocol/front/ws/stream.c protocol/front/ws/stream.h \
	protocol/front/ws/ws.c protocol/front/ws/ws.h protocol/front/ws/ws_priv.h
protocol_front_ws_libfrontws_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS)

# What a program adds to its LDADD to use this front.
FRONT_WS_LIBS = protocol/front/ws/libfrontws.a protocol/front/libwindow.a
