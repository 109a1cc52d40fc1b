# protocol: what this directory adds to the build (lists are declared in the top Makefile.am).
sbin_PROGRAMS += puesto-gateway

puesto_gateway_SOURCES = \
	protocol/gateway_main.c \
	protocol/spawn_exec.c protocol/spawn_exec.h \
	protocol/spawn_open.c protocol/spawn_open.h \
	protocol/spawner.c protocol/spawner.h
puesto_gateway_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS)
puesto_gateway_LDADD = $(GATE_LIBS)
