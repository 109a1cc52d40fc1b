# protocol/source: what this directory adds to the build (lists are declared in the top Makefile.am).
noinst_LIBRARIES += protocol/source/libsource.a

protocol_source_libsource_a_SOURCES = \
	protocol/source/agent.c protocol/source/agent.h \
	protocol/source/dbus/dbus.c protocol/source/dbus/dbus.h \
	protocol/source/dbus/format.c protocol/source/dbus/format.h \
	protocol/source/dbus/listener.c protocol/source/dbus/listener.h \
	protocol/source/dbus/peer.c protocol/source/dbus/peer.h \
	protocol/source/dbus/picture.c protocol/source/dbus/picture.h \
	protocol/source/dbus/typing.c protocol/source/dbus/typing.h \
	protocol/source/lobby/canvas.c protocol/source/lobby/canvas.h \
	protocol/source/lobby/draw.c protocol/source/lobby/draw.h \
	protocol/source/lobby/font.c protocol/source/lobby/font.h \
	protocol/source/lobby/layout.c protocol/source/lobby/layout.h \
	protocol/source/lobby/lobby.c protocol/source/lobby/lobby.h \
	protocol/source/lobby/reply.c protocol/source/lobby/reply.h \
	protocol/source/page.h \
	protocol/source/pattern.c protocol/source/pattern.h \
	protocol/source/registry.c \
	protocol/source/rfb/client.c protocol/source/rfb/client.h \
	protocol/source/rfb/client_priv.h \
	protocol/source/rfb/decoder.c protocol/source/rfb/decoder.h \
	protocol/source/rfb/decoder_priv.h \
	protocol/source/rfb/greeting.c \
	protocol/source/rfb/hextile.c \
	protocol/source/rfb/keys.c protocol/source/rfb/keys.h \
	protocol/source/rfb/password.c protocol/source/rfb/password.h \
	protocol/source/rfb/rfb.c protocol/source/rfb/rfb.h \
	protocol/source/rfb/screen.c protocol/source/rfb/screen.h \
	protocol/source/rfb/shape.c protocol/source/rfb/shape.h \
	protocol/source/rfb/tight.c \
	protocol/source/rfb/tile.c protocol/source/rfb/tile.h \
	protocol/source/rfb/typing.c protocol/source/rfb/typing.h \
	protocol/source/rfb/unpack.c protocol/source/rfb/unpack.h \
	protocol/source/rfb/update.c \
	protocol/source/rfb/wire.h \
	protocol/source/rfb/zrle.c \
	protocol/source/source.c protocol/source/source.h
protocol_source_libsource_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(ZSTD_CFLAGS) $(FREETYPE_CFLAGS) $(ZLIB_CFLAGS) $(NETTLE_CFLAGS) $(SYSTEMD_CFLAGS) -DLOBBY_FONT='"$(LOBBY_FONT)"'

SOURCE_LIBS = protocol/source/libsource.a protocol/link/liblink.a $(ZSTD_LIBS) $(FREETYPE_LIBS) $(ZLIB_LIBS) $(NETTLE_LIBS) $(SYSTEMD_LIBS) -lm
