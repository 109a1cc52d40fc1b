/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The API's own description: docs/api/openapi.yaml, as JSON, made part of the program by the build. */
#include "broker/api/openapi.h"

#include "broker/api/api_priv.h"

void api_openapi_get(struct api_call *call)
{
	call->status = 200;
	call->type = "application/json";
	call->text = openapi_json;
}
