# protocol: what this directory adds to the build (lists are declared in the top Makefile.am).
sbin_PROGRAMS += puesto-gateway

puesto_gateway_SOURCES = \
	protocol/gateway_main.c \
	protocol/sandbox_gate.c protocol/sandbox_gate.h \
	protocol/spawn_exec.c protocol/spawn_exec.h \
	protocol/spawn_open.c protocol/spawn_open.h \
	protocol/spawner.c protocol/spawner.h
puesto_gateway_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS) $(SECCOMP_CFLAGS)
puesto_gateway_LDADD = $(GATE_LIBS) $(SECCOMP_LIBS)

pkglibexec_PROGRAMS += puesto-link

puesto_link_SOURCES = protocol/link_main.c protocol/sandbox.c protocol/sandbox.h
puesto_link_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS) $(SECCOMP_CFLAGS)
puesto_link_LDADD = protocol/link/liblink.a $(BASE_LIBS) $(SECCOMP_LIBS)

# One worker in two programs: what a browser or a VNC viewer needs starts without FreeRDP and all that it loads.
noinst_LIBRARIES += protocol/libworker.a

protocol_libworker_a_SOURCES = \
	protocol/front/front.c protocol/front/front.h \
	protocol/sandbox.c protocol/sandbox.h \
	protocol/worker.c protocol/worker.h protocol/worker_priv.h \
	protocol/worker_front.c \
	protocol/worker_gate.c \
	protocol/worker_guests.c \
	protocol/worker_lobby.c \
	protocol/worker_main.c \
	protocol/worker_picture.c \
	protocol/worker_source.c \
	protocol/worker_words.c
protocol_libworker_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS) $(SECCOMP_CFLAGS)

pkglibexec_PROGRAMS += puesto-worker puesto-worker-rdp

puesto_worker_SOURCES = protocol/front_registry.c
puesto_worker_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS)
puesto_worker_LDADD = protocol/libworker.a $(FRONT_WS_LIBS) $(FRONT_RFB_LIBS) $(SOURCE_LIBS) $(ENCODER_LIBS) $(BASE_LIBS) $(SECCOMP_LIBS)

puesto_worker_rdp_SOURCES = protocol/front_registry_rdp.c
puesto_worker_rdp_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS)
puesto_worker_rdp_LDADD = protocol/libworker.a $(FRONT_RDP_LIBS) $(SOURCE_LIBS) $(ENCODER_LIBS) $(BASE_LIBS) $(SECCOMP_LIBS)

# A third one speaks RDP to machines: only it loads FreeRDP's client, and it has no viewer.
pkglibexec_PROGRAMS += puesto-worker-seat

puesto_worker_seat_SOURCES = protocol/sandbox.c protocol/sandbox.h protocol/seat.c protocol/seat.h protocol/seat_main.c
puesto_worker_seat_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS) $(SECCOMP_CFLAGS)
puesto_worker_seat_LDADD = $(SOURCE_RDP_LIBS) $(ENCODER_LIBS) $(BASE_LIBS) $(SECCOMP_LIBS)
