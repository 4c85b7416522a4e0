// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses to names, from the symbol table of a vmlinux.  Reads only what it
 * needs, believes nothing and says nothing: no name is no error.
 */
#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/boot/boot.h"

#define SECTIONS_MAX 4096
#define SYMS_AT_ONCE 2048
#define NAME_MAX_LEN 128 /* with the NUL */

struct table {
	int fd;
	uint64_t size; /* of the file */
	Elf64_Shdr *shdr;
	unsigned int nr;
};

struct found {
	uint64_t value;
	uint32_t name;
	bool valid;
};

static bool read_at(const struct table *t, uint64_t off, void *dst, size_t len)
{
	return off <= t->size && len <= t->size - off &&
	       pread(t->fd, dst, len, (off_t)off) == (ssize_t)len;
}

static bool read_sections(struct table *t)
{
	Elf64_Ehdr eh;

	if (!read_at(t, 0, &eh, sizeof(eh)) ||
	    memcmp(eh.e_ident, ELFMAG, SELFMAG) ||
	    eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    eh.e_ident[EI_DATA] != ELFDATA2LSB ||
	    eh.e_shentsize != sizeof(Elf64_Shdr) || !eh.e_shnum ||
	    eh.e_shnum > SECTIONS_MAX)
		return false;
	t->nr = eh.e_shnum;
	t->shdr = calloc(t->nr, sizeof(*t->shdr));
	return t->shdr &&
	       read_at(t, eh.e_shoff, t->shdr, t->nr * sizeof(*t->shdr));
}

/* The section in memory that holds addr, or 0 (the null section). */
static unsigned int find_section(const struct table *t, uint64_t addr)
{
	for (unsigned int i = 1; i < t->nr; i++) {
		const Elf64_Shdr *s = &t->shdr[i];

		if (s->sh_flags & SHF_ALLOC && addr >= s->sh_addr &&
		    addr - s->sh_addr < s->sh_size)
			return i;
	}
	return 0;
}

/* Assembler code has no sizes: then the next symbol is the only end. */
static void consider(const Elf64_Sym *sym, unsigned int section, uint64_t addr,
		     struct found *best)
{
	unsigned int type = ELF64_ST_TYPE(sym->st_info);

	if (sym->st_shndx != section || sym->st_value > addr ||
	    type == STT_SECTION || type == STT_FILE)
		return;
	if (sym->st_size && addr - sym->st_value >= sym->st_size)
		return;
	if (best->valid && sym->st_value <= best->value)
		return;
	*best = (struct found){ sym->st_value, sym->st_name, true };
}

static bool scan(const struct table *t, const Elf64_Shdr *symtab,
		 unsigned int section, uint64_t addr, struct found *best)
{
	uint64_t left = symtab->sh_size / sizeof(Elf64_Sym);
	uint64_t off = symtab->sh_offset;
	Elf64_Sym *buf = malloc(SYMS_AT_ONCE * sizeof(*buf));

	while (buf && left) {
		size_t n = left < SYMS_AT_ONCE ? (size_t)left : SYMS_AT_ONCE;

		if (!read_at(t, off, buf, n * sizeof(*buf)))
			break;
		for (size_t i = 0; i < n; i++)
			consider(&buf[i], section, addr, best);
		off += n * sizeof(*buf);
		left -= n;
	}
	free(buf);
	return best->valid;
}

static bool read_name(const struct table *t, const Elf64_Shdr *strtab,
		      uint32_t off, char *name)
{
	size_t len = NAME_MAX_LEN - 1;

	if (off >= strtab->sh_size)
		return false;
	if (len > strtab->sh_size - off)
		len = (size_t)(strtab->sh_size - off);
	if (strtab->sh_offset > t->size ||
	    !read_at(t, strtab->sh_offset + off, name, len))
		return false;
	name[len] = '\0';
	for (char *c = name; *c; c++) /* it goes to a terminal */
		if (*c < '!' || *c > '~')
			*c = '?';
	return name[0];
}

/* The first symbol table is the only one: a hostile file could have many. */
static bool lookup(struct table *t, uint64_t addr, char *buf, size_t len)
{
	struct found best = {};
	char name[NAME_MAX_LEN];
	unsigned int section, i = 1;

	if (!read_sections(t))
		return false;
	section = find_section(t, addr);
	while (i < t->nr && t->shdr[i].sh_type != SHT_SYMTAB)
		i++;
	if (!section || i == t->nr || t->shdr[i].sh_link >= t->nr ||
	    !scan(t, &t->shdr[i], section, addr, &best) ||
	    !read_name(t, &t->shdr[t->shdr[i].sh_link], best.name, name))
		return false;
	snprintf(buf, len, "%s+0x%" PRIx64, name, addr - best.value);
	return true;
}

bool symbol_lookup(const char *elf, uint64_t addr, char *buf, size_t len)
{
	struct table t = {
		.fd = open(elf, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY),
	};
	struct stat st;
	bool ok = false;

	if (t.fd < 0)
		return false;
	if (!fstat(t.fd, &st) && S_ISREG(st.st_mode)) {
		t.size = (uint64_t)st.st_size;
		ok = lookup(&t, addr, buf, len);
	}
	free(t.shdr);
	close(t.fd);
	return ok;
}
