/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest RAM: one host mapping, seen by the guest as one or two regions around
 * the hole below 4 GiB.  Laid out before the first vCPU runs and constant
 * from then on, so any thread may use it without a lock.
 */
#ifndef CORE_MEM_H
#define CORE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A guest-physical address: cannot be dereferenced, added to or a length. */
typedef struct {
	uint64_t v;
} gpa_t;

static inline gpa_t gpa(uint64_t v)
{
	return (gpa_t){ v };
}

enum mem_backing {
	MEM_AUTO, /* memfd where the host gives it huge pages, else anon */
	MEM_ANON,
	MEM_MEMFD,
};

struct mem_region {
	uint64_t base; /* guest-physical, page aligned */
	uint64_t size; /* bytes, page aligned */
	uint8_t *host;
};

#define MEM_REGIONS 2

struct mem {
	struct mem_region region[MEM_REGIONS];
	unsigned int nr; /* regions in use */
	uint64_t size;	 /* bytes in all */
	int fd;		 /* memfd, or -1 */
	uint8_t *host;	 /* whole mapping, 2 MiB aligned */
	void *map;	 /* what mmap() gave, for mem_exit() */
	size_t map_size;
};

struct mem_options {
	uint64_t size; /* bytes, page aligned, > 0 */
	enum mem_backing backing;
	bool no_thp;   /* do not ask for transparent huge pages */
	bool prealloc; /* populate all of it now */
};

/* Where `size` bytes of RAM lie; host is left NULL.  Returns the regions. */
unsigned int mem_layout(uint64_t size, struct mem_region region[MEM_REGIONS]);

/* 0 or -errno.  Touches no page unless prealloc. */
int mem_init(struct mem *mem, const struct mem_options *opt);
void mem_exit(struct mem *mem);

/*
 * Host address of [addr, addr + len), or NULL unless all of it lies in one
 * region.  len 0 gives NULL.  Valid as long as mem is.  The guest may change
 * the bytes at any time: copy, then check, then use.
 */
void *mem_ptr(const struct mem *mem, gpa_t addr, size_t len);

/*
 * Copies from guest memory, once: behind this the compiler does not go back to
 * src, which may have changed, for what it finds in dst.
 */
static inline void mem_take(void *dst, const void *src, size_t len)
{
	memcpy(dst, src, len);
	__asm__ volatile("" : : : "memory");
}

/* Copy; 0 or -EFAULT with nothing copied. */
int mem_read(const struct mem *mem, gpa_t addr, void *dst, size_t len);
int mem_write(const struct mem *mem, gpa_t addr, const void *src, size_t len);

#endif
