/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ZRLE against a decoder written from RFC 6143. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "decode.h"
#include "encoder/codec.h"
#include "pages.h"

Test(zrle, zrle_round_trips)
{
	round_trips(&codec_zrle);
}
