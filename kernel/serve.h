/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests of peers: received, checked, handed to who executes them, answered.
 */
#ifndef COVOL_SERVE_H
#define COVOL_SERVE_H

#include "session.h"

struct seq_file;

extern const struct covol_session_ops covol_serve_ops;

void covol_serve_show(struct seq_file *m, struct covol_session *s);
int covol_serve_init(void);
void covol_serve_exit(void);

#endif /* COVOL_SERVE_H */
