// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whether a vmlinux reads ACPI tables.  Built with ACPI it has a parameter of
 * a telling name (arch/x86/kernel/acpi/boot.c), and the names of all early
 * parameters are in .init.data, half a megabyte.
 */
#include <elf.h>
#include <string.h>

#include "vmm/boot/image.h"

#define PARAM	     "acpi_skip_timer_override"
#define SECTION	     ".init.data"
#define SECTIONS_MAX 128  /* a vmlinux with debug information has 80 */
#define NAMES_MAX    4096 /* bytes of section names looked at */

struct sections {
	Elf64_Shdr sh[SECTIONS_MAX];
	unsigned int nr;
	char names[NAMES_MAX];
	size_t names_len;
};

static bool in_file(const struct image *img, uint64_t off, uint64_t len)
{
	return off <= img->size && len <= img->size - off;
}

/* What is wrong with the section headers is no error: nobody needs them. */
static int read_sections(const struct image *img, struct sections *s)
{
	const Elf64_Shdr *names;
	Elf64_Ehdr eh;
	int err;

	s->nr = 0;
	if (img->head_len < sizeof(eh) || img->head[EI_CLASS] != ELFCLASS64)
		return 0;
	memcpy(&eh, img->head, sizeof(eh));
	if (eh.e_shentsize != sizeof(*s->sh) || eh.e_shnum > SECTIONS_MAX ||
	    eh.e_shstrndx >= eh.e_shnum ||
	    !in_file(img, eh.e_shoff, eh.e_shnum * sizeof(*s->sh)))
		return 0;
	err = image_read(img, eh.e_shoff, s->sh, eh.e_shnum * sizeof(*s->sh));
	if (err)
		return err;
	names = &s->sh[eh.e_shstrndx];
	if (!in_file(img, names->sh_offset, names->sh_size))
		return 0;
	s->names_len = names->sh_size < NAMES_MAX ? names->sh_size : NAMES_MAX;
	s->nr = eh.e_shnum;
	return image_read(img, names->sh_offset, s->names, s->names_len);
}

int elf_knows_acpi(const struct image *img, bool *acpi)
{
	struct sections s;
	int err = read_sections(img, &s);

	/* Not a vmlinux: what has a PVH entry is likelier to know ACPI. */
	*acpi = true;
	for (unsigned int i = 0; !err && i < s.nr; i++) {
		const Elf64_Shdr *sh = &s.sh[i];

		if (sh->sh_name < s.names_len &&
		    s.names_len - sh->sh_name >= sizeof(SECTION) &&
		    !memcmp(s.names + sh->sh_name, SECTION, sizeof(SECTION)) &&
		    in_file(img, sh->sh_offset, sh->sh_size))
			return image_search(img, sh->sh_offset, sh->sh_size,
					    PARAM, acpi);
	}
	return err;
}
