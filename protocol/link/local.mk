# protocol/link: the display link between a desktop's agent and a display worker.
noinst_LIBRARIES += protocol/link/liblink.a

protocol_link_liblink_a_SOURCES = \
	protocol/link/channel.c protocol/link/channel.h \
	protocol/link/cursor_image.h \
	protocol/link/input.h \
	protocol/link/input_wire.c protocol/link/input_wire.h \
	protocol/link/layout.c protocol/link/layout.h \
	protocol/link/link.c protocol/link/link.h \
	protocol/link/places.c protocol/link/places.h \
	protocol/link/scancode.c protocol/link/scancode.h \
	protocol/link/utf16.c protocol/link/utf16.h
protocol_link_liblink_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS)
