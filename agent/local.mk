# agent: puesto-agent, which runs in each desktop. Everything but main is a library, for the tests.
noinst_LIBRARIES += agent/libagent.a
pkglibexec_PROGRAMS += puesto-agent

agent_libagent_a_SOURCES = \
	agent/agent.c agent/agent.h agent/agent_priv.h \
	agent/broker.c agent/broker.h \
	agent/capture/capture.c agent/capture/capture.h \
	agent/capture/fbdir.c \
	agent/capture/merge.c agent/capture/merge.h \
	agent/capture/pointer_shape.c agent/capture/pointer_shape.h \
	agent/capture/shm.c \
	agent/capture/store.c agent/capture/store.h \
	agent/capture/xwd.c agent/capture/xwd.h \
	agent/clipboard/atoms.c agent/clipboard/atoms.h \
	agent/clipboard/clipboard.c agent/clipboard/clipboard.h \
	agent/clipboard/fetch.c agent/clipboard/fetch.h \
	agent/clipboard/offer.c agent/clipboard/offer.h \
	agent/clock_step.c agent/clock_step.h \
	agent/dial.c agent/dial.h \
	agent/door.c agent/door.h \
	agent/enrol.c agent/enrol.h \
	agent/grant.c \
	agent/health.c agent/health.h \
	agent/identity.c agent/identity.h \
	agent/inject/inject.c agent/inject/inject.h \
	agent/inject/keyboard.c agent/inject/keyboard.h \
	agent/inject/keymap.c agent/inject/keymap.h \
	agent/inject/layout.c agent/inject/layout.h \
	agent/inject/pointer.c agent/inject/pointer.h \
	agent/inject/spare.c agent/inject/spare.h \
	agent/lease.c agent/lease.h \
	agent/notice.c agent/notice.h \
	agent/occupancy.c \
	agent/orders.c \
	agent/personal.c agent/personal.h \
	agent/resize.c agent/resize.h \
	agent/scale.c agent/scale.h \
	agent/session.c agent/session.h \
	agent/state.c agent/state.h \
	agent/tiles.c agent/tiles.h \
	agent/viewer.c agent/viewer.h \
	agent/x11.c agent/x11.h
agent_libagent_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS) $(X11_CFLAGS) $(ZSTD_CFLAGS)

# puesto-seed runs before the agent, as root, and needs no X.
noinst_LIBRARIES += agent/libseed.a
agent_libseed_a_SOURCES = \
	agent/seed/apply.c agent/seed/apply.h \
	agent/seed/find.c agent/seed/find.h \
	agent/seed/guestinfo.c agent/seed/guestinfo.h \
	agent/seed/iso.c agent/seed/iso.h \
	agent/seed/port.c agent/seed/port.h \
	agent/seed/seed.c agent/seed/seed.h \
	agent/seed/kvp.c agent/seed/kvp.h \
	agent/seed/smbios.c agent/seed/smbios.h
agent_libseed_a_CPPFLAGS = $(BASE_CPPFLAGS)

SEED_LIBS = agent/libseed.a $(BASE_LIBS)

pkglibexec_PROGRAMS += agent/puesto-seed
agent_puesto_seed_SOURCES = agent/seed/main.c
agent_puesto_seed_CPPFLAGS = $(BASE_CPPFLAGS)
agent_puesto_seed_LDADD = $(SEED_LIBS)

AGENT_LIBS = agent/libagent.a protocol/link/liblink.a $(X11_LIBS) $(ZSTD_LIBS) $(BASE_LIBS)

puesto_agent_SOURCES = agent/main.c
puesto_agent_CPPFLAGS = $(agent_libagent_a_CPPFLAGS)
puesto_agent_LDADD = $(AGENT_LIBS)

dist_man_MANS += docs/man/puesto-agent.8 docs/man/puesto-seed.8
