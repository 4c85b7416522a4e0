// SPDX-License-Identifier: GPL-2.0-only
/*
 * memory MIB: holds that much memory at once, with another content in each
 * page, and reads all of it back.  More than fits below 4 GiB can only lie
 * above it, too.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#define PAGE  4096
#define WORDS (PAGE / sizeof(uint64_t))

static uint64_t mark(uint64_t page)
{
	return (page + 1) * 0x9e3779b97f4a7c15ull;
}

int main(int argc, char **argv)
{
	uint64_t mib = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	uint64_t pages = mib << 8, bad = 0;
	uint64_t *p = mmap(NULL, mib << 20, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!mib || p == MAP_FAILED) {
		perror("mmap");
		return 2;
	}
	for (uint64_t i = 0; i < pages; i++) {
		p[i * WORDS] = mark(i);
		p[i * WORDS + WORDS - 1] = ~mark(i);
	}
	for (uint64_t i = 0; i < pages; i++)
		bad += p[i * WORDS] != mark(i) || p[i * WORDS + 1] ||
		       p[i * WORDS + WORDS - 1] != ~mark(i);
	printf("memory: %llu pages, %llu wrong\n", (unsigned long long)pages,
	       (unsigned long long)bad);
	return bad != 0;
}
