/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel loads modules when something first needs them, and tests the ciphers in them. That
 * takes tens of milliseconds, and seconds on a slow machine: too long for a change of coordinator
 * to wait for. So it is made to before. For workers: it waits for that.
 */
#ifndef COVOLD_READY_H
#define COVOLD_READY_H

/**
 * ready_tls() - Have the kernel load what sessions need: TLS and its cipher.
 *
 * Return: 0, or a negative errno: the kernel cannot do TLS, or this node cannot connect to itself.
 */
int ready_tls(void);

/**
 * ready_file_system() - Have the kernel load a file system.
 * @type: its name, as mount(2) has it
 *
 * Return: 0, or a negative errno: -ENODEV: this kernel has no such file system.
 */
int ready_file_system(const char *type);

#endif
