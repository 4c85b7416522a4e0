// SPDX-License-Identifier: GPL-2.0-only
/*
 * Console output.
 *
 *   console BYTES CHUNK    BYTES to standard output, CHUNK in one write
 */
#include "guest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

int guest_console(char *argv[], unsigned int argc, struct guest_result *r)
{
	static char *buf;
	uint64_t bytes = strtoull(argv[0], NULL, 10), start;
	size_t chunk = strtoul(argv[1], NULL, 10);

	(void)argc;
	if (!buf) {
		buf = guest_buffer(1 << 20);
		if (buf)
			memset(buf, '.', 1 << 20);
	}
	if (!buf || !chunk || chunk > 1 << 20)
		return guest_fail("no memory");
	start = guest_now();
	for (uint64_t left = bytes; left;) {
		ssize_t n = write(1, buf, left < chunk ? left : chunk);

		if (n <= 0)
			return guest_fail("console: %s", strerror(errno));
		left -= (uint64_t)n;
	}
	/* Until its last byte left the driver. */
	tcdrain(1);
	r->ns = guest_now() - start;
	r->ops = bytes / chunk;
	r->bytes = bytes;
	return 0;
}
