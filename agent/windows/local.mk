# agent/windows: puesto-agent.exe, by a compiler for Windows (configure finds mingw-w64), and its pure parts as a library of this system, for the tests.
# No part of "make all": "make windows-agent" gives the folder windows-agent/ with all that goes into an image.

# Without a call to any system.
WINDOWS_PURE = \
	agent/windows/birth.c agent/windows/birth.h \
	agent/windows/csr.c agent/windows/csr.h \
	agent/windows/fields.c agent/windows/fields.h \
	agent/windows/greeting.c agent/windows/greeting.h \
	agent/windows/guard.c agent/windows/guard.h \
	agent/windows/hold.c agent/windows/hold.h \
	agent/windows/pem.c agent/windows/pem.h \
	agent/windows/seats.c agent/windows/seats.h \
	agent/windows/talk.c agent/windows/talk.h
# By Windows' own libraries.
WINDOWS_OWN = \
	agent/windows/agent.c agent/windows/agent.h agent/windows/agent_priv.h \
	agent/windows/cert.c agent/windows/cert.h \
	agent/windows/checkup.c agent/windows/checkup.h \
	agent/windows/compat.c agent/windows/compat.h \
	agent/windows/digest.c \
	agent/windows/disk.c agent/windows/disk.h \
	agent/windows/guestinfo.c agent/windows/guestinfo.h \
	agent/windows/identity.c agent/windows/identity.h \
	agent/windows/journal.c agent/windows/journal.h \
	agent/windows/key.c agent/windows/key.h agent/windows/key_cng.c agent/windows/key_csp.c \
	agent/windows/kvp.c agent/windows/kvp.h \
	agent/windows/line.c agent/windows/line.h \
	agent/windows/main.c \
	agent/windows/occupancy.c \
	agent/windows/orders.c \
	agent/windows/probe.c agent/windows/probe.h \
	agent/windows/process.c agent/windows/process.h \
	agent/windows/request.c agent/windows/request.h \
	agent/windows/schannel.c agent/windows/schannel.h \
	agent/windows/seeding.c agent/windows/seeding.h \
	agent/windows/service.c agent/windows/service.h \
	agent/windows/settings.c agent/windows/settings.h \
	agent/windows/tls.c agent/windows/tls.h \
	agent/windows/wide.c agent/windows/wide.h
WINDOWS_SESSIONS = agent/windows/wts.c agent/windows/wts.h
# What both agents and the ground floor share.
WINDOWS_SHARED = \
	agent/lease.c agent/lease.h \
	base/buf.c base/buf.h base/cursor.c base/cursor.h base/encode.c base/err.c base/err.h base/hash.h base/mem.c base/mem.h \
	base/secret.c base/secret.h base/text.c base/text.h base/uuid.c
EXTRA_DIST += $(WINDOWS_OWN) $(WINDOWS_SESSIONS) agent/windows/puesto-agent.rc

check_LIBRARIES += agent/windows/libwindows.a
agent_windows_libwindows_a_SOURCES = $(WINDOWS_PURE)
agent_windows_libwindows_a_CPPFLAGS = $(AM_CPPFLAGS)

WINDOWS_PARTS = $(WINDOWS_PURE) $(WINDOWS_OWN) $(WINDOWS_SHARED)
WINDOWS_COMPILING = -std=gnu11 -O2 -g0 -Wall -Wextra -Wshadow -Wstrict-prototypes -Wvla -Wno-unused-parameter -Wno-format -Werror \
	-fstack-protector-strong -municode -DUNICODE -D_WIN32_WINNT=0x0A00 -D__USE_MINGW_ANSI_STDIO=1 \
	-DPUESTO_VERSION=\"$(VERSION)\" -I. -include agent/windows/compat.h
# Nothing is taken from a library that Windows does not bring; nothing in the file tells when it was made.
WINDOWS_LINKING = -static -s -Wl,--no-insert-timestamp -Wl,--dynamicbase -Wl,--nxcompat -Wl,--high-entropy-va
WINDOWS_LIBS = -lws2_32 -lsecur32 -lcrypt32 -lbcrypt -lncrypt -lwtsapi32 -ladvapi32

# Compiled as one, from the top of the tree; $$1 is the program, the rest its sources and headers.
WINDOWS_LINK = sh -c 'out=$$1; shift; for f; do case $$f in *.h) ;; *) set -- "$$@" "$$f";; esac; shift; done; \
	cd $(top_srcdir) && exec $(MINGW_CC) $(WINDOWS_COMPILING) $(WINDOWS_LINKING) -o "$$out" "$$@" $(WINDOWS_LIBS)' windows

agent/windows/version.o: agent/windows/puesto-agent.rc
	$(AM_V_GEN)$(MKDIR_P) agent/windows && $(MINGW_WINDRES) -DWORDS=`echo $(VERSION) | tr . ,`,0 -DPUESTO_VERSION='\"$(VERSION)\"' \
		$(top_srcdir)/agent/windows/puesto-agent.rc $@

agent/windows/puesto-agent.exe: $(WINDOWS_PARTS) $(WINDOWS_SESSIONS) agent/windows/version.o
	$(AM_V_GEN)$(WINDOWS_LINK) $(abs_builddir)/$@ $(WINDOWS_PARTS) $(WINDOWS_SESSIONS) $(abs_builddir)/agent/windows/version.o

# For the tests: the same, with a script in the place of Windows' sessions.
WINDOWS_SCRIPT = tests/integration/windows/wts_script.c
EXTRA_DIST += $(WINDOWS_SCRIPT)
tests/integration/windows/puesto-agent-script.exe: $(WINDOWS_PARTS) $(WINDOWS_SCRIPT) agent/windows/version.o
	$(AM_V_GEN)$(MKDIR_P) tests/integration/windows && $(WINDOWS_LINK) $(abs_builddir)/$@ $(WINDOWS_PARTS) $(WINDOWS_SCRIPT) \
		$(abs_builddir)/agent/windows/version.o
# And what it asks on VMware.
WINDOWS_TOOLS = tests/integration/windows/vmtoolsd.c
EXTRA_DIST += $(WINDOWS_TOOLS)
tests/integration/windows/vmtoolsd.exe: $(WINDOWS_TOOLS)
	$(AM_V_GEN)$(MKDIR_P) tests/integration/windows && $(MINGW_CC) -std=gnu11 -O2 -Wall -Wextra -static -o $@ $(top_srcdir)/$(WINDOWS_TOOLS)
CLEANFILES += tests/integration/windows/vmtoolsd.exe agent/windows/version.o agent/windows/puesto-agent.exe tests/integration/windows/puesto-agent-script.exe

# What goes into an image: the folder puesto and the answers stand on one CD.
WINDOWS_IMAGE = deploy/windows/install.ps1 deploy/windows/prepare.ps1 deploy/windows/unattend-clone.xml
WINDOWS_CD = deploy/windows/autounattend.xml deploy/windows/cloudbase-init.conf
EXTRA_DIST += $(WINDOWS_IMAGE) $(WINDOWS_CD)
windows-agent: agent/windows/puesto-agent.exe
	$(AM_V_GEN)rm -rf $@ && $(MKDIR_P) $@/puesto && cp agent/windows/puesto-agent.exe $@/puesto/ && \
		(cd $(top_srcdir) && tar -cf - $(WINDOWS_IMAGE)) | tar -xf - -C $@/puesto --strip-components=2 && \
		(cd $(top_srcdir) && tar -cf - $(WINDOWS_CD)) | tar -xf - -C $@ --strip-components=2 && touch $@
clean-local: clean-windows
clean-windows:
	rm -rf windows-agent
.PHONY: clean-windows
