# protocol/source: what this directory adds to the build (lists are declared in the top Makefile.am).
noinst_LIBRARIES += protocol/source/libsource.a

protocol_source_libsource_a_SOURCES = \
	protocol/source/agent.c protocol/source/agent.h \
	protocol/source/lobby/canvas.c protocol/source/lobby/canvas.h \
	protocol/source/lobby/draw.c protocol/source/lobby/draw.h \
	protocol/source/lobby/font.c protocol/source/lobby/font.h \
	protocol/source/lobby/layout.c protocol/source/lobby/layout.h \
	protocol/source/lobby/lobby.c protocol/source/lobby/lobby.h \
	protocol/source/lobby/reply.c protocol/source/lobby/reply.h \
	protocol/source/page.h \
	protocol/source/pattern.c protocol/source/pattern.h \
	protocol/source/registry.c \
	protocol/source/source.c protocol/source/source.h
protocol_source_libsource_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(ZSTD_CFLAGS) $(FREETYPE_CFLAGS) -DLOBBY_FONT='"$(LOBBY_FONT)"'

SOURCE_LIBS = protocol/source/libsource.a protocol/link/liblink.a $(ZSTD_LIBS) $(FREETYPE_LIBS) -lm
