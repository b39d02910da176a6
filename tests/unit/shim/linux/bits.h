/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COVOL_SHIM_BITS_H
#define COVOL_SHIM_BITS_H

#define BIT_ULL(bit)	(1ULL << (bit))

#endif
