// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes memory.
 *
 *	hog lock MIB	takes it for itself and holds it until it is killed
 *	hog swap MIB N	writes all of it N times, and looks each time whether it is still there
 */
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096
#define WORDS (PAGE / sizeof(uint64_t))

static void fill(uint64_t *page, uint64_t number, uint64_t pass)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		page[i] = number << 32 | pass << 16 | i;
}

static void check(const uint64_t *page, uint64_t number, uint64_t pass)
{
	size_t i;

	for (i = 0; i < WORDS; i++)
		if (page[i] != (number << 32 | pass << 16 | i))
			errx(1, "page %lu, pass %lu: word %zu is %#lx", number, pass, i, page[i]);
}

static void swap(uint64_t *memory, uint64_t pages, uint64_t passes)
{
	uint64_t pass, i;

	for (pass = 1; pass <= passes; pass++) {
		for (i = 0; i < pages; i++)
			fill(memory + i * WORDS, i, pass);
		for (i = 0; i < pages; i++)
			check(memory + i * WORDS, i, pass);
	}
}

int main(int argc, char **argv)
{
	uint64_t *memory;
	size_t size;

	if (argc < 3)
		errx(2, "usage: hog lock MIB | hog swap MIB N");
	size = strtoul(argv[2], NULL, 10) << 20;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	if (!strcmp(argv[1], "swap") && argc == 4) {
		swap(memory, size / PAGE, strtoul(argv[3], NULL, 10));
		return 0;
	}
	if (mlock(memory, size))
		err(1, "mlock");
	puts("locked");
	fflush(stdout);
	pause();
	return 0;
}
