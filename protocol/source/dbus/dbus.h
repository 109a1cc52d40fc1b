/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The source that is QEMU's own screen, over D-Bus (`-display dbus,p2p=on`, QEMU 7.1 or newer): rectangles as
 * its device damages them, and no copy where QEMU shares its memory. source_params.fd is the connection to it
 * ("add_client" of QMP with the protocol "@dbus-display"), which somebody else has made. QEMU takes one such
 * client at a time: a newer one takes its keys and picture away.
 */
#pragma once

#include "protocol/source/source.h"

extern const struct source_type source_dbus;
