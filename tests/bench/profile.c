// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plugin for QEMU's TCG that says where in the kernel instructions are executed, exactly: it
 * counts each block of code.
 *
 *	-plugin FILE.so,mark=ADDRESS,out=FILE
 *
 * mark is an address at which nothing but a program is that the guest runs to set a mark. The first
 * time begins to count, each later one writes what was counted since the one before: a line "mark",
 * then lines "address instructions"; 0 is all that is not the kernel.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugin.h"

#define PUBLIC __attribute__((visibility("default")))

PUBLIC int qemu_plugin_version = 1;

enum { INLINE_ADD_U64 = 0, NO_REGISTERS = 0 };

/* Blocks by address; more than any kernel has in use. */
#define BLOCKS		1048576
/* The kernel has the upper half of the addresses. */
#define is_kernel(address)	((int64_t)(address) < 0)

static struct block {
	uint64_t address;
	uint64_t insns;
} blocks[BLOCKS];
static struct block user;
static uint64_t mark;
static const char *out;
static bool counting;

static struct block *find(uint64_t address)
{
	uint32_t i = address * 0x9e3779b97f4a7c15ull >> 44;

	if (!is_kernel(address))
		return &user;
	while (blocks[i].address && blocks[i].address != address)
		i = (i + 1) % BLOCKS;
	blocks[i].address = address;
	return &blocks[i];
}

static void write_all(void)
{
	FILE *f = fopen(out, "a");
	unsigned int i;

	if (!f)
		return;
	fprintf(f, "mark\n%016d %" PRIu64 "\n", 0, user.insns);
	for (i = 0; i < BLOCKS; i++)
		if (blocks[i].insns)
			fprintf(f, "%016" PRIx64 " %" PRIu64 "\n", blocks[i].address,
				blocks[i].insns);
	fclose(f);
}

static void marked(unsigned int cpu, void *data)
{
	unsigned int i;

	(void)cpu;
	(void)data;
	if (counting)
		write_all();
	counting = true;
	user.insns = 0;
	for (i = 0; i < BLOCKS; i++)
		blocks[i].insns = 0;
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	uint64_t address = qemu_plugin_tb_vaddr(tb);

	(void)id;
	if (address == mark)
		qemu_plugin_register_vcpu_tb_exec_cb(tb, marked, NO_REGISTERS, NULL);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &find(address)->insns,
						 qemu_plugin_tb_n_insns(tb));
}

PUBLIC int qemu_plugin_install(uint64_t id, const void *info, int argc, char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++) {
		if (!strncmp(argv[i], "mark=", 5))
			mark = strtoull(argv[i] + 5, NULL, 16);
		else if (!strncmp(argv[i], "out=", 4))
			out = strdup(argv[i] + 4);
	}
	if (!mark || !out)
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
