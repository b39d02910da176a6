/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is used here of QEMU's interface for plugins, version 1. Debian has no package with its
 * header.
 */
#ifndef COVOL_BENCH_PLUGIN_H
#define COVOL_BENCH_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

struct qemu_plugin_tb;

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
					   void (*cb)(uint64_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int op, void *ptr,
					      uint64_t imm);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*cb)(unsigned int cpu, void *data), int flags,
					  void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv);

#endif /* COVOL_BENCH_PLUGIN_H */
