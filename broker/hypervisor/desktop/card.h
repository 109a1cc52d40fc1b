/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The first Ethernet card of a machine, which may be plugged in while it runs. */
#pragma once

/* Waits, for ever, until there is one, and prints its name. Run as a program of its own. Returns an exit status. */
int card_wait(void);
