/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's static_assert() needs no message. <assert.h> defines its own each time that it is
 * included, so whatever here needs assert() gets it from this header.
 */
#include <assert.h>

#undef static_assert
#define static_assert(expr, ...)	_Static_assert(expr, #expr)
