# base: the ground floor, one library that every program links.
noinst_LIBRARIES += base/libbase.a

base_libbase_a_SOURCES = \
	base/buf.c base/buf.h \
	base/clock.c base/clock.h \
	base/conf.c base/conf.h base/conf_parse.c base/conf_priv.h \
	base/ctl.c base/ctl.h base/ctl_call.c base/ctl_frame.c base/ctl_priv.h \
	base/ctl_client.c base/ctl_client.h \
	base/ctl_server.c base/ctl_server.h \
	base/cursor.c base/cursor.h \
	base/daemon.c base/daemon.h \
	base/encode.c \
	base/err.c base/err.h \
	base/file.c base/file.h \
	base/hash.c base/hash.h base/uuid.c \
	base/json.c base/json.h \
	base/landlock.c base/landlock.h \
	base/log.c base/log.h \
	base/loop.c base/loop.h \
	base/mem.c base/mem.h base/mem_pages.c \
	base/seccomp.c base/seccomp.h \
	base/secret.c base/secret.h \
	base/text.c base/text.h \
	base/tls.c base/tls.h base/tls_csr.c base/tls_file.c base/tls_priv.h \
	base/tls_listener.c base/tls_listener.h \
	base/tls_pipe.c base/tls_pipe.h base/tls_pipe_priv.h base/tls_trust.c \
	base/unixsock.c base/unixsock.h
base_libbase_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS) $(SECCOMP_CFLAGS)

# What a program that uses base adds to its CPPFLAGS and its LDADD.
BASE_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS)
BASE_LIBS = base/libbase.a $(UV_LIBS) $(GNUTLS_LIBS) $(JANSSON_LIBS)

pkglibexec_PROGRAMS += base/puesto-pki
base_puesto_pki_SOURCES = base/pki_main.c
base_puesto_pki_CPPFLAGS = $(BASE_CPPFLAGS)
base_puesto_pki_LDADD = $(BASE_LIBS)
