/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzz targets share. libFuzzer calls LLVMFuzzerTestOneInput() with one input after the
 * other.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A rule that holds for every input; libFuzzer keeps the input that breaks it. */
#define must(what) do {								\
	if (!(what)) {								\
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #what);	\
		abort();							\
	}									\
} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif /* FUZZ_H */
