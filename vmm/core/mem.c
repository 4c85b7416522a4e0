// SPDX-License-Identifier: GPL-2.0-only
/* Guest RAM: mapping, layout around the hole, checked access. */
#include "vmm/core/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "include/hotline/platform.h"

#define HUGE (2ul << 20)

/*
 * A memfd can be shared and cloned, but most hosts give shared memory no huge
 * pages, and without them a guest takes an exit for each 4 KiB that it touches
 * first.  So a memfd is the default only where the host grants both.
 */
static bool shmem_has_thp(void)
{
	char mode[128] = "";
	FILE *f = fopen("/sys/kernel/mm/transparent_hugepage/shmem_enabled",
			"re");

	if (!f)
		return false;
	if (!fgets(mode, sizeof(mode), f))
		mode[0] = '\0';
	fclose(f);
	return strstr(mode, "[always]") || strstr(mode, "[advise]") ||
	       strstr(mode, "[within_size]") || strstr(mode, "[force]");
}

static int open_backing(struct mem *mem, const struct mem_options *opt)
{
	bool want =
		opt->backing == MEM_MEMFD ||
		(opt->backing == MEM_AUTO && !opt->no_thp && shmem_has_thp());
	int err;

	mem->fd = -1;
	if (!want)
		return 0;
	mem->fd = memfd_create("hotline-ram", MFD_CLOEXEC);
	if (mem->fd < 0)
		return -errno;
	if (ftruncate(mem->fd, (off_t)opt->size) < 0) {
		err = -errno;
		close(mem->fd);
		mem->fd = -1;
		return err;
	}
	return 0;
}

/* Huge pages need the host address to be 2 MiB aligned like the guest's. */
static int map_backing(struct mem *mem, const struct mem_options *opt)
{
	int flags = MAP_FIXED | MAP_NORESERVE;
	void *host;

	mem->map_size = opt->size + HUGE;
	mem->map = mmap(NULL, mem->map_size, PROT_NONE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem->map == MAP_FAILED)
		return -errno;
	host = (void *)(((uintptr_t)mem->map + HUGE - 1) & ~(HUGE - 1));
	flags |= mem->fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
	mem->host = mmap(host, opt->size, PROT_READ | PROT_WRITE, flags,
			 mem->fd, 0);
	if (mem->host == MAP_FAILED) {
		int err = -errno;

		munmap(mem->map, mem->map_size);
		return err;
	}
	/* Advice: a kernel without the feature says no, and that is fine. */
	madvise(mem->host, opt->size,
		opt->no_thp ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
	madvise(mem->host, opt->size, MADV_DONTDUMP);
	return 0;
}

unsigned int mem_layout(uint64_t size, struct mem_region region[MEM_REGIONS])
{
	uint64_t low = size < HL_HOLE_START ? size : HL_HOLE_START;

	region[0] = (struct mem_region){ .base = 0, .size = low };
	if (size == low)
		return 1;
	region[1] =
		(struct mem_region){ .base = HL_HOLE_END, .size = size - low };
	return 2;
}

int mem_init(struct mem *mem, const struct mem_options *opt)
{
	int err;

	memset(mem, 0, sizeof(*mem));
	mem->size = opt->size;
	err = open_backing(mem, opt);
	if (err)
		return err;
	err = map_backing(mem, opt);
	if (err)
		goto err_fd;
	mem->nr = mem_layout(mem->size, mem->region);
	mem->region[0].host = mem->host;
	mem->region[1].host = mem->host + mem->region[0].size;
	if (opt->prealloc &&
	    madvise(mem->host, mem->size, MADV_POPULATE_WRITE) < 0) {
		err = -errno;
		goto err_map;
	}
	return 0;

err_map:
	munmap(mem->map, mem->map_size);
err_fd:
	if (mem->fd >= 0)
		close(mem->fd);
	return err;
}

void mem_exit(struct mem *mem)
{
	munmap(mem->map, mem->map_size);
	if (mem->fd >= 0)
		close(mem->fd);
	memset(mem, 0, sizeof(*mem));
	mem->fd = -1;
}

void *mem_ptr(const struct mem *mem, gpa_t addr, size_t len)
{
	if (!len)
		return NULL;
	for (unsigned int i = 0; i < mem->nr; i++) {
		const struct mem_region *r = &mem->region[i];
		uint64_t off = addr.v - r->base;

		if (addr.v >= r->base && off < r->size && len <= r->size - off)
			return r->host + off;
	}
	return NULL;
}

int mem_read(const struct mem *mem, gpa_t addr, void *dst, size_t len)
{
	const void *src = mem_ptr(mem, addr, len);

	if (!src)
		return len ? -EFAULT : 0;
	memcpy(dst, src, len);
	return 0;
}

int mem_write(const struct mem *mem, gpa_t addr, const void *src, size_t len)
{
	void *dst = mem_ptr(mem, addr, len);

	if (!dst)
		return len ? -EFAULT : 0;
	memcpy(dst, src, len);
	return 0;
}
