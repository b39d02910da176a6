/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests of peers: received, checked, handed to who executes them, answered.
 */
#ifndef COVOL_SERVE_H
#define COVOL_SERVE_H

#include "session.h"

extern const struct covol_session_ops covol_serve_ops;

int covol_serve_init(void);
void covol_serve_exit(void);

#endif /* COVOL_SERVE_H */
