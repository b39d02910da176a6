/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is under way in a volume, for people who look for what hangs: files in
 * /sys/kernel/debug/covol. Nothing depends on them, and they are no interface.
 */
#ifndef COVOL_DEBUGFS_H
#define COVOL_DEBUGFS_H

struct covol_volume;

void covol_debugfs_add(struct covol_volume *vol);
void covol_debugfs_remove(struct covol_volume *vol);

int covol_debugfs_init(void);
void covol_debugfs_exit(void);

#endif /* COVOL_DEBUGFS_H */
