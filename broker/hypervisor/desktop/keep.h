/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What has to be seen to all the time in a machine of its own, as root. */
#pragma once

/* Keeps the clock right after a suspension, and the file system as large as its disk. Returns when there is nothing to keep. */
int keep_main(void);
