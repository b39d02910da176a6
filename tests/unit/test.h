/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every unit test needs. cmocka.h wants the first four before itself.
 */
#ifndef COVOL_TEST_H
#define COVOL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
