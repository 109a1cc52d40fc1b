# protocol/gate: what this directory adds to the build (lists are declared in the top Makefile.am).
noinst_LIBRARIES += protocol/gate/libgate.a

protocol_gate_libgate_a_SOURCES = \
	protocol/gate/api.c protocol/gate/api.h \
	protocol/gate/broker_link.c protocol/gate/broker_link.h \
	protocol/gate/config.c protocol/gate/config.h \
	protocol/gate/display.c protocol/gate/display.h protocol/gate/display_priv.h \
	protocol/gate/gate.c protocol/gate/gate.h protocol/gate/gate_priv.h \
	protocol/gate/guest.c protocol/gate/guest.h \
	protocol/gate/http_conn.c protocol/gate/http_conn.h \
	protocol/gate/http_head.c protocol/gate/http_head.h \
	protocol/gate/http_reply.c protocol/gate/http_reply.h \
	protocol/gate/http_route.c \
	protocol/gate/intake.c protocol/gate/intake.h \
	protocol/gate/limits.c protocol/gate/limits.h \
	protocol/gate/listener.c protocol/gate/listener.h \
	protocol/gate/network.c protocol/gate/network.h \
	protocol/gate/question.c protocol/gate/question.h \
	protocol/gate/relay.c \
	protocol/gate/rfb_hello.c protocol/gate/rfb_hello.h \
	protocol/gate/seat.c protocol/gate/seat.h \
	protocol/gate/session.c protocol/gate/session.h protocol/gate/session_priv.h \
	protocol/gate/spawn.c protocol/gate/spawn.h protocol/gate/spawn_wire.h \
	protocol/gate/stream.c protocol/gate/stream.h \
	protocol/gate/tls_server.c protocol/gate/tls_server.h \
	protocol/gate/webfile.c protocol/gate/webfile.h \
	protocol/gate/ws_frame.c protocol/gate/ws_frame.h \
	protocol/gate/x224.c protocol/gate/x224.h
protocol_gate_libgate_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(NETTLE_CFLAGS) $(JANSSON_CFLAGS) \
	-DPUESTO_LIBEXECDIR='"$(pkglibexecdir)"' -DPUESTO_WEBDIR='"$(webdir)"'

GATE_LIBS = protocol/gate/libgate.a $(BASE_LIBS) $(NETTLE_LIBS)
