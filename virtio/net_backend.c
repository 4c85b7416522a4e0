// SPDX-License-Identifier: GPL-2.0-only
/* Which network back ends there are. */
#include <stddef.h>

#include "virtio/net.h"

static const struct {
	int (*open)(struct net_backend **be, const struct net_options *opt);
} kinds[] = {
	[NET_NONE] = { NULL },
	[NET_USER] = { net_user_open },
	[NET_TAP] = { net_tap_open },
};

int net_backend_open(struct net_backend **be, const struct net_options *opt)
{
	*be = NULL;
	return kinds[opt->kind].open ? kinds[opt->kind].open(be, opt) : 0;
}

void net_backend_free(struct net_backend *be)
{
	if (be)
		be->ops->free(be);
}
