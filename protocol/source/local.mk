# protocol/source: what this directory adds to the build (lists are declared in the top Makefile.am).
noinst_LIBRARIES += protocol/source/libsource.a

protocol_source_libsource_a_SOURCES = \
	protocol/source/agent.c protocol/source/agent.h \
	protocol/source/pattern.c protocol/source/pattern.h \
	protocol/source/registry.c \
	protocol/source/source.c protocol/source/source.h
protocol_source_libsource_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(ZSTD_CFLAGS)

SOURCE_LIBS = protocol/source/libsource.a protocol/link/liblink.a $(ZSTD_LIBS)
