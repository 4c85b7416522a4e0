// SPDX-License-Identifier: GPL-2.0-only
/*
 * json [KEY...]: is standard input one JSON value (RFC 8259)?  Then, does its
 * outermost object have each KEY?  Exit code 0, or 1 with the reason.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 64

static char text[1 << 20];
static const char *at = text;
static char **keys;
static bool *seen;
static int nr_keys;

static void bad(const char *why)
{
	printf("json: %s at byte %zu: %.40s\n", why, (size_t)(at - text), at);
	exit(1);
}

static void space(void)
{
	while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')
		at++;
}

static void string(void)
{
	if (*at++ != '"')
		bad("no string");
	while (*at != '"') {
		if ((unsigned char)*at < 0x20)
			bad("a control character in a string");
		if (*at++ != '\\')
			continue;
		if (*at == 'u')
			for (int i = 1; i <= 4; i++)
				if (!isxdigit((unsigned char)at[i]))
					bad("bad \\u");
		if (!*at || !strchr("\"\\/bfnrtu", *at++))
			bad("bad escape");
	}
	at++;
}

static void number(void)
{
	at += *at == '-';
	if (!isdigit((unsigned char)*at))
		bad("no value");
	if (*at == '0' && isdigit((unsigned char)at[1]))
		bad("leading zero");
	at += strspn(at, "0123456789");
	if (*at == '.') {
		at++;
		if (!isdigit((unsigned char)*at))
			bad("bad fraction");
		at += strspn(at, "0123456789");
	}
	if (*at == 'e' || *at == 'E') {
		at++;
		at += *at == '+' || *at == '-';
		if (!isdigit((unsigned char)*at))
			bad("bad exponent");
		at += strspn(at, "0123456789");
	}
}

static void note_key(const char *from, int depth)
{
	for (int i = 0; i < nr_keys && depth == 1; i++)
		if (strlen(keys[i]) == (size_t)(at - from) - 2 &&
		    !memcmp(keys[i], from + 1, strlen(keys[i])))
			seen[i] = true;
}

static void value(int depth);

static void list(char end, int depth)
{
	at++;
	space();
	if (*at == end) {
		at++;
		return;
	}
	for (;;) {
		if (end == '}') {
			const char *from = at;

			string();
			note_key(from, depth);
			space();
			if (*at++ != ':')
				bad("no colon");
		}
		value(depth);
		if (*at == end)
			break;
		if (*at++ != ',')
			bad("no comma");
		space();
	}
	at++;
}

static void value(int depth)
{
	static const char *const words[] = { "true", "false", "null" };

	space();
	if (depth == DEPTH)
		bad("too deep");
	if (*at == '{' || *at == '[') {
		list(*at == '{' ? '}' : ']', depth + 1);
	} else if (*at == '"') {
		string();
	} else {
		for (int i = 0; i < 3; i++)
			if (!strncmp(at, words[i], strlen(words[i]))) {
				at += strlen(words[i]);
				space();
				return;
			}
		number();
	}
	space();
}

int main(int argc, char **argv)
{
	size_t len = fread(text, 1, sizeof(text) - 1, stdin);

	nr_keys = argc - 1;
	keys = argv + 1;
	seen = calloc((size_t)argc, sizeof(*seen));
	text[len] = '\0';
	value(0);
	if (*at)
		bad("something behind the value");
	for (int i = 0; i < nr_keys; i++)
		if (!seen[i]) {
			printf("json: no \"%s\" in it\n", keys[i]);
			return 1;
		}
	return 0;
}
