// SPDX-License-Identifier: GPL-2.0-only
/* Which network back ends there are. */
#include <stddef.h>

#include "virtio/net.h"

int net_backend_open(struct net_backend **be, const struct net_options *opt)
{
	static int (*const opens[])(struct net_backend **be,
				    const struct net_options *opt) = {
		[NET_USER] = net_user_open,
		[NET_TAP] = net_tap_open,
	};

	*be = NULL;
	return opens[opt->kind] ? opens[opt->kind](be, opt) : 0;
}

void net_backend_free(struct net_backend *be)
{
	if (be)
		be->ops->free(be);
}
