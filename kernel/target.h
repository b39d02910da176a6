/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef COVOL_TARGET_H
#define COVOL_TARGET_H

int covol_target_init(void);
void covol_target_exit(void);

#endif /* COVOL_TARGET_H */
