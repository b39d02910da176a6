// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints' code. See trace.h.
 */
#include <linux/bio.h>
#include <linux/uuid.h>

#include "io.h"
#include "session.h"
#include "volume.h"

#define CREATE_TRACE_POINTS
#include "trace.h"
