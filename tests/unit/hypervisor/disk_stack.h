/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disks that stand on each other, for tests. */
#pragma once

/* A whole, empty qcow2 file of 1 MiB; returns disk_at(name). */
const char *disk_plain(const char *name);

/* An overlay of a qcow2 file in the test's folder; returns disk_at(name). */
const char *disk_overlay(const char *name, const char *backing);
