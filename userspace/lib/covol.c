// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The handle: made, connected, closed, and the line that says what went wrong.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "covol.h"

int covol_open_with(const struct covol_transport *transport, void *context, struct covol **c)
{
	struct covol *new = calloc(1, sizeof(*new));

	if (!new)
		return -ENOMEM;
	new->transport = transport;
	new->context = context;
	*c = new;
	return 0;
}

int covol_open(struct covol **c)
{
	return covol_open_with(&covol_kernel_transport, NULL, c);
}

int covol_connect(struct covol *c)
{
	return c->family ? 0 : c->transport->connect(c);
}

void covol_close(struct covol *c)
{
	if (!c)
		return;
	c->transport->close(c);
	free(c->buffer[COVOL_STREAM_ANSWERS]);
	free(c->buffer[COVOL_STREAM_EVENTS]);
	free(c);
}

const char *covol_error(const struct covol *c)
{
	return c->error;
}

int covol_fail(struct covol *c, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->error, sizeof(c->error), format, args);
	va_end(args);
	return error;
}
