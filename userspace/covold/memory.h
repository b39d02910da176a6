/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of the agent. It is small and locked; if there is none left, the agent ends, as
 * agent/ownership.h says: the kernel goes on, and systemd starts it again.
 */
#ifndef COVOLD_MEMORY_H
#define COVOLD_MEMORY_H

#include <stdlib.h>
#include <string.h>

static inline void *memory_new(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		abort();
	return memory;
}

static inline char *memory_text(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

#endif
