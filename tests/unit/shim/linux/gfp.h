/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COVOL_SHIM_GFP_H
#define COVOL_SHIM_GFP_H

#define gfp_t		unsigned int

#define GFP_KERNEL	1u
#define GFP_NOIO	2u

#endif
