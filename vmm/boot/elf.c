// SPDX-License-Identifier: GPL-2.0-only
/*
 * ELF kernels: a vmlinux by its 64-bit entry, or any file with a PVH note.
 * Segments are read straight into guest memory.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/boot/boot.h"
#include "vmm/boot/image.h"
#include "vmm/core/exitcode.h"
#include "vmm/core/log.h"

#define ELF_PHDRS		 64    /* a vmlinux has 5 */
#define ELF_NOTES_MAX		 65536 /* bytes of one PT_NOTE segment */
#define XEN_ELFNOTE_PHYS32_ENTRY 18    /* xen/include/public/elfnote.h */

struct elf_seg {
	uint32_t type;
	uint64_t off, vaddr, paddr, filesz, memsz;
};

struct elf {
	const struct image *img;
	bool is64;
	uint16_t type, machine;
	uint64_t entry, phoff;
	unsigned int phnum, phentsize;
	struct elf_seg seg[ELF_PHDRS];
};

bool elf_probe(const struct image *img)
{
	return img->head_len >= SELFMAG && !memcmp(img->head, ELFMAG, SELFMAG);
}

static int bad(const struct elf *elf, const char *why)
{
	error("%s %s: %s; use an x86-64 vmlinux or bzImage", elf->img->option,
	      elf->img->path, why);
	return EXIT_DATA;
}

#define TAKE_EHDR(elf, type_, head)                                            \
	do {                                                                   \
		type_ eh_;                                                     \
		memcpy(&eh_, head, sizeof(eh_));                               \
		(elf)->type = eh_.e_type;                                      \
		(elf)->machine = eh_.e_machine;                                \
		(elf)->entry = eh_.e_entry;                                    \
		(elf)->phoff = eh_.e_phoff;                                    \
		(elf)->phnum = eh_.e_phnum;                                    \
		(elf)->phentsize = eh_.e_phentsize;                            \
	} while (0)

#define TAKE_PHDR(seg, type_, raw)                                             \
	do {                                                                   \
		type_ ph_;                                                     \
		memcpy(&ph_, raw, sizeof(ph_));                                \
		*(seg) = (struct elf_seg){ ph_.p_type,	 ph_.p_offset,         \
					   ph_.p_vaddr,	 ph_.p_paddr,          \
					   ph_.p_filesz, ph_.p_memsz };        \
	} while (0)

static int read_ehdr(struct elf *elf)
{
	const uint8_t *head = elf->img->head;
	size_t len = elf->img->head_len;

	if (len < EI_NIDENT)
		return bad(elf, "truncated ELF file");
	elf->is64 = head[EI_CLASS] == ELFCLASS64;
	if (!elf->is64 && head[EI_CLASS] != ELFCLASS32)
		return bad(elf, "ELF file of no known class");
	if (head[EI_DATA] != ELFDATA2LSB)
		return bad(elf, "ELF file of a big-endian machine");
	if (len < (elf->is64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
		return bad(elf, "truncated ELF file");
	if (elf->is64)
		TAKE_EHDR(elf, Elf64_Ehdr, head);
	else
		TAKE_EHDR(elf, Elf32_Ehdr, head);
	return 0;
}

static const struct {
	uint16_t machine;
	const char *why;
} machines[] = {
	{ EM_AARCH64, "ELF file for arm64" },
	{ EM_ARM, "ELF file for 32-bit Arm" },
	{ EM_RISCV, "ELF file for RISC-V" },
	{ EM_PPC64, "ELF file for POWER" },
	{ EM_S390, "ELF file for s390" },
	{ EM_LOONGARCH, "ELF file for LoongArch" },
};

static int check_ehdr(const struct elf *elf)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (elf->machine == machines[i].machine)
			return bad(elf, machines[i].why);
	if (elf->machine != EM_X86_64 && elf->machine != EM_386)
		return bad(elf, "ELF file for another machine than x86");
	if (elf->type == ET_REL)
		return bad(elf, "ELF object file or kernel module");
	if (elf->type == ET_CORE)
		return bad(elf, "ELF core dump");
	if (elf->type != ET_EXEC)
		return bad(elf, "ELF program or shared library, not a kernel");
	if (elf->phentsize !=
	    (elf->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr)))
		return bad(elf,
			   "ELF file with program headers of a wrong size");
	if (!elf->phnum || elf->phnum > ELF_PHDRS)
		return bad(elf, "ELF file with no or too many program headers");
	return 0;
}

static int read_phdrs(struct elf *elf)
{
	uint8_t raw[ELF_PHDRS * sizeof(Elf64_Phdr)];
	int err = image_read(elf->img, elf->phoff, raw,
			     (size_t)elf->phnum * elf->phentsize);

	if (err)
		return err;
	for (unsigned int i = 0; i < elf->phnum; i++) {
		const uint8_t *p = raw + (size_t)i * elf->phentsize;

		if (elf->is64)
			TAKE_PHDR(&elf->seg[i], Elf64_Phdr, p);
		else
			TAKE_PHDR(&elf->seg[i], Elf32_Phdr, p);
		if (elf->seg[i].type == PT_INTERP)
			return bad(elf, "ELF program, not a kernel");
	}
	return 0;
}

/* The part behind filesz is bss: fresh guest memory is zero already. */
static int load_seg(const struct elf *elf, struct mem *mem,
		    const struct elf_seg *s, struct kernel *k)
{
	int err;

	if (!s->memsz)
		return 0;
	if (s->filesz > s->memsz)
		return bad(elf,
			   "ELF segment longer in the file than in memory");
	err = image_room(elf->img, mem, "the kernel", s->paddr, s->memsz);
	if (err)
		return err;
	if (s->filesz) {
		err = image_read(elf->img, s->off,
				 mem_ptr(mem, gpa(s->paddr), s->filesz),
				 s->filesz);
		if (err)
			return err;
	}
	if (!k->end || s->paddr < k->start)
		k->start = s->paddr;
	if (s->paddr + s->memsz > k->end)
		k->end = s->paddr + s->memsz;
	return 0;
}

static bool within(uint64_t addr, uint64_t base, uint64_t len)
{
	return addr >= base && addr - base < len;
}

/*
 * e_entry is physical in an x86 vmlinux and virtual in what other linker
 * scripts make.
 */
static bool find_entry(const struct elf *elf, uint64_t *entry)
{
	const struct elf_seg *s;

	for (s = elf->seg; s < elf->seg + elf->phnum; s++) {
		if (s->type == PT_LOAD &&
		    within(elf->entry, s->paddr, s->memsz)) {
			*entry = elf->entry;
			return true;
		}
	}
	for (s = elf->seg; s < elf->seg + elf->phnum; s++) {
		if (s->type == PT_LOAD &&
		    within(elf->entry, s->vaddr, s->memsz)) {
			*entry = elf->entry - s->vaddr + s->paddr;
			return true;
		}
	}
	return false;
}

/* ELF notes: name and descriptor are padded to 4 bytes each. */
static bool find_note(const uint8_t *p, size_t len, uint64_t *entry)
{
	Elf64_Nhdr nh;

	while (len >= sizeof(nh)) {
		uint64_t name, desc;
		const uint8_t *d;

		memcpy(&nh, p, sizeof(nh));
		name = ((uint64_t)nh.n_namesz + 3) & ~3ull;
		desc = ((uint64_t)nh.n_descsz + 3) & ~3ull;
		if (name + desc > len - sizeof(nh))
			return false;
		d = p + sizeof(nh) + name;
		if (nh.n_type == XEN_ELFNOTE_PHYS32_ENTRY && nh.n_namesz == 4 &&
		    !memcmp(p + sizeof(nh), "Xen", 4) &&
		    (nh.n_descsz == 4 || nh.n_descsz == 8)) {
			*entry = 0;
			memcpy(entry, d, nh.n_descsz);
			return true;
		}
		p = d + desc;
		len -= sizeof(nh) + name + desc;
	}
	return false;
}

static int find_pvh(const struct elf *elf, bool *found, uint64_t *entry)
{
	const struct elf_seg *s;

	*found = false;
	for (s = elf->seg; s < elf->seg + elf->phnum && !*found; s++) {
		uint8_t *notes;
		int err;

		if (s->type != PT_NOTE || !s->filesz ||
		    s->filesz > ELF_NOTES_MAX)
			continue;
		notes = malloc(s->filesz);
		if (!notes) {
			error("out of memory");
			return EXIT_OSERR;
		}
		err = image_read(elf->img, s->off, notes, s->filesz);
		if (!err)
			*found = find_note(notes, s->filesz, entry);
		free(notes);
		if (err)
			return err;
	}
	return 0;
}

static int set_entry(const struct elf *elf, const struct boot_options *opt,
		     struct kernel *k)
{
	int err;

	if (opt->pvh || !elf->is64) {
		err = find_pvh(elf, &k->pvh, &k->entry);
		if (err)
			return err;
		if (!k->pvh && !elf->is64)
			return bad(elf,
				   "32-bit ELF file without a PVH entry note");
		if (!k->pvh) {
			error("-k %s: no PVH entry note in it; build it with "
			      "CONFIG_PVH=y or leave out --pvh",
			      elf->img->path);
			return EXIT_DATA;
		}
	} else if (!find_entry(elf, &k->entry)) {
		return bad(elf, "ELF file whose entry lies in no segment");
	}
	if (!within(k->entry, k->start, k->end - k->start))
		return bad(elf,
			   "ELF file whose entry lies outside its segments");
	return 0;
}

/* What a bzImage of the same kernel would say about itself. */
static void set_header(struct setup_header *hdr)
{
	hdr->boot_flag = 0xaa55;
	hdr->header = 0x53726448; /* "HdrS" */
	hdr->version = 0x20f;
	hdr->loadflags = LOADED_HIGH;
	hdr->kernel_alignment = 2 << 20;
}

int elf_load(const struct image *img, struct mem *mem,
	     const struct boot_options *opt, struct kernel *k)
{
	struct elf elf = { .img = img };
	int err = read_ehdr(&elf);

	if (!err)
		err = check_ehdr(&elf);
	if (!err)
		err = read_phdrs(&elf);
	for (unsigned int i = 0; !err && i < elf.phnum; i++)
		if (elf.seg[i].type == PT_LOAD)
			err = load_seg(&elf, mem, &elf.seg[i], k);
	if (err)
		return err;
	if (!k->end)
		return bad(&elf, "ELF file with nothing to load");
	set_header(&k->hdr);
	return set_entry(&elf, opt, k);
}
