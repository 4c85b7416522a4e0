// SPDX-License-Identifier: GPL-2.0-only
/* "Did you mean": the nearest name by edit distance. */
#include <string.h>

#include "vmm/cli/cli.h"

#define LEN 32

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Insertions, deletions and substitutions between two short strings. */
static unsigned int distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b);
	unsigned int row[LEN + 1];

	if (la > LEN || lb > LEN)
		return LEN;
	for (size_t j = 0; j <= lb; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= la; i++) {
		unsigned int diag = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= lb; j++) {
			unsigned int up = row[j];

			row[j] = min3(up + 1, row[j - 1] + 1,
				      diag + (a[i - 1] != b[j - 1]));
			diag = up;
		}
	}
	return row[lb];
}

const char *cli_nearest(const char *s, const char *const *names,
			unsigned int nr)
{
	size_t len = strlen(s);
	unsigned int best = LEN;
	const char *near = NULL;

	for (unsigned int i = 0; i < nr; i++) {
		unsigned int d = distance(s, names[i]);

		/* An abbreviation is nearer than its length says. */
		if (len >= 3 && !strncmp(s, names[i], len))
			d = 1;
		if (d < best) {
			best = d;
			near = names[i];
		}
	}
	return best <= 1 + len / 4 && best < len ? near : NULL;
}
