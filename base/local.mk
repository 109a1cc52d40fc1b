# base: the ground floor, one library that every program links.
noinst_LIBRARIES += base/libbase.a

base_libbase_a_SOURCES = \
	base/buf.h \
	base/clock.h \
	base/conf.h \
	base/ctl.h \
	base/ctl_client.h \
	base/ctl_server.h \
	base/cursor.h \
	base/daemon.h \
	base/err.c base/err.h \
	base/hash.h \
	base/json.h \
	base/log.h \
	base/loop.h \
	base/mem.c base/mem.h \
	base/secret.h \
	base/text.h \
	base/tls.h \
	base/unixsock.h
base_libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS)

# What a program adds to its LDADD to use the library.
BASE_LIBS = base/libbase.a $(UV_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS)
