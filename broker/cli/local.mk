# SPDX-License-Identifier: GPL-3.0-or-later
# broker/cli: puestoctl.
bin_PROGRAMS += broker/cli/puestoctl
broker_cli_puestoctl_CPPFLAGS = $(BASE_CPPFLAGS) $(CURL_CFLAGS)
broker_cli_puestoctl_SOURCES = \
	broker/cli/acts.c \
	broker/cli/ask.c \
	broker/cli/backup.c \
	broker/cli/config.c \
	broker/cli/ctl.h \
	broker/cli/hosts.c \
	broker/cli/http.c \
	broker/cli/main.c \
	broker/cli/objects.c \
	broker/cli/image.c \
	broker/cli/operations.c \
	broker/cli/personal.c \
	broker/cli/print.c \
	broker/cli/request.c \
	broker/cli/storage.c \
	broker/cli/watch.c
broker_cli_puestoctl_LDADD = $(BASE_LIBS) $(CURL_LIBS)
