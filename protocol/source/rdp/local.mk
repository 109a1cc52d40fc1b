# protocol/source/rdp: RDP servers as a source, on FreeRDP 3's client library.
noinst_LIBRARIES += protocol/source/rdp/libsourcerdp.a

protocol_source_rdp_libsourcerdp_a_SOURCES = \
	protocol/source/rdp/account.c protocol/source/rdp/account.h \
	protocol/source/rdp/channels.c \
	protocol/source/rdp/client.c protocol/source/rdp/client.h protocol/source/rdp/client_priv.h \
	protocol/source/rdp/clipboard.c \
	protocol/source/rdp/keys.c protocol/source/rdp/keys.h \
	protocol/source/rdp/mailbox.c protocol/source/rdp/mailbox.h \
	protocol/source/rdp/picture.c \
	protocol/source/rdp/pointer.c \
	protocol/source/rdp/rdp.c protocol/source/rdp/rdp.h \
	protocol/source/rdp/registry.c \
	protocol/source/rdp/screen.c protocol/source/rdp/screen.h \
	protocol/source/rdp/settings.c \
	protocol/source/rdp/trust.c protocol/source/rdp/trust.h \
	protocol/source/rdp/typing.c protocol/source/rdp/typing.h \
	protocol/source/rdp/words.c protocol/source/rdp/words.h \
	protocol/source/source.c
protocol_source_rdp_libsourcerdp_a_CPPFLAGS = $(AM_CPPFLAGS) $(UV_CFLAGS) $(GNUTLS_CFLAGS) $(JANSSON_CFLAGS) $(RDP_CLIENT_CFLAGS) $(XKBCOMMON_CFLAGS)

# What a program adds to its LDADD to use this source alone.
SOURCE_RDP_LIBS = protocol/source/rdp/libsourcerdp.a protocol/link/liblink.a $(RDP_CLIENT_LIBS) $(XKBCOMMON_LIBS)
