// SPDX-License-Identifier: GPL-2.0-only
/* Prints the hypercalls as docs/abi.md shows them, from their rows. */
#include <ctype.h>
#include <stdio.h>

#include "hypercalls/table.h"

static const struct {
	uint64_t bit;
	const char *name;
} features[] = {
	{ HL_FEATURE_ASYNC, "ASYNC" }, { HL_FEATURE_TEST, "TEST" },
	{ HL_FEATURE_CLOCK, "CLOCK" }, { HL_FEATURE_MSR, "MSR" },
	{ HL_FEATURE_TIMER, "TIMER" }, { HL_FEATURE_YIELD, "YIELD" },
};

/* A feature that has no name here is shown by its bits. */
static void put_feature(uint64_t feature)
{
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++)
		if (features[i].bit == feature) {
			printf("`%s`", features[i].name);
			return;
		}
	if (feature)
		printf("0x%llx", (unsigned long long)feature);
}

static void put_name(const char *name)
{
	printf("`HL_OP_");
	while (*name)
		putchar(toupper((unsigned char)*name++));
	putchar('`');
}

static void put_args(const struct call_row *row)
{
	for (unsigned int i = 0; i < row->args; i++)
		printf("%s%s", i ? ", " : "", row->arg[i]);
}

static void put_kind(const struct call_row *row)
{
	if (row->kind == CALL_ONE)
		printf("one");
	else
		printf("list of up to %u%s", row->max,
		       row->kind == CALL_LIST_INOUT ? ", written back" : "");
}

static void put_row(unsigned int op, const struct call_row *row)
{
	printf("| 0x%04x | ", op);
	put_name(row->name);
	printf(" | ");
	put_args(row);
	printf(" | ");
	put_kind(row);
	printf(" | %s | %s | ", row->async ? "yes" : "no",
	       row->slow ? "yes" : "no");
	put_feature(row->feature);
	printf(" | %s |\n", row->doc);
}

int main(void)
{
	printf("| op | name | arguments | kind | to a ring | slow | feature | what it does |\n"
	       "|---|---|---|---|---|---|---|---|\n");
	for (unsigned int op = 0; op < call_rows; op++)
		if (call_table[op].name)
			put_row(op, &call_table[op]);
	return 0;
}
