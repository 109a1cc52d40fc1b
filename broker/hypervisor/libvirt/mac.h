/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A desktop's MAC address follows from its uuid: nobody has to remember it. */
#pragma once

#define LV_MAC_SIZE 18

/* 52 (locally administered) and five bytes of the uuid's digest; desktop is a UUID's text. */
void lv_mac(const char *desktop, char out[LV_MAC_SIZE]);
