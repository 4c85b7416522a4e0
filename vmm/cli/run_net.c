// SPDX-License-Identifier: GPL-2.0-only
/* --net user[,fwd=...]... | tap=NAME[,vhost=...][,mac=...][,mtu=...] | none */
#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/cli/kv.h"
#include "vmm/cli/run.h"
#include "vmm/run_config.h"

struct parse {
	struct run_config *cfg;
	struct run_net *net;
	bool none, said_user;
};

static int set_mode(void *ctx, const struct cli_arg *arg)
{
	struct parse *p = ctx;

	p->none = !strcmp(arg->val, "none");
	p->said_user = !strcmp(arg->val, "user");
	if (!p->none && !p->said_user)
		return cli_bad(arg,
			       "no such network; write user, tap=NAME or none");
	return 0;
}

static int set_tap(void *ctx, const struct cli_arg *arg)
{
	struct parse *p = ctx;
	const char *s = arg->val;
	size_t len = strlen(s);

	if (!len || len >= IFNAMSIZ || !strcmp(s, ".") || !strcmp(s, "..") ||
	    strpbrk(s, "/: \t\n%"))
		return cli_bad(arg,
			       "not an interface name; write 1 to %d "
			       "characters without / : %% or spaces, e.g. tap0",
			       IFNAMSIZ - 1);
	p->net->kind = RUN_NET_TAP;
	p->net->tap = run_config_own(p->cfg, strdup(s));
	return 0;
}

static int set_vhost(void *ctx, const struct cli_arg *arg)
{
	struct parse *p = ctx;
	bool on;
	int err = cli_onoff(arg, &on);

	if (!err)
		p->net->vhost = on ? RUN_ON : RUN_OFF;
	return err;
}

static int set_mtu(void *ctx, const struct cli_arg *arg)
{
	struct parse *p = ctx;
	uint64_t n;
	int err = cli_uint(arg, 68, 65535, &n); /* virtio 1.2, 5.1.4.1 */

	if (!err)
		p->net->mtu = (uint16_t)n;
	return err;
}

static int hex(char c)
{
	static const char set[] = "0123456789abcdefABCDEF";
	const char *at = c ? strchr(set, c) : NULL;

	if (!at)
		return -1;
	return at - set < 16 ? (int)(at - set) : (int)(at - set) - 6;
}

static int set_mac(void *ctx, const struct cli_arg *arg)
{
	struct parse *p = ctx;
	const char *s = arg->val;
	uint8_t mac[6], any = 0;

	for (int i = 0; i < 6; i++, s += 3) {
		int hi = hex(s[0]), lo = hi < 0 ? -1 : hex(s[1]);

		if (lo < 0 || s[2] != (i < 5 ? ':' : '\0'))
			return cli_bad(arg,
				       "not a MAC address; write six pairs of "
				       "hex digits, e.g. 52:54:00:12:34:56");
		mac[i] = (uint8_t)(hi << 4 | lo);
		any |= mac[i];
	}
	if (mac[0] & 1 || !any)
		return cli_bad(
			arg,
			"not the address of one card; the first pair must be "
			"even and not all pairs zero, e.g. 52:54:00:12:34:56");
	memcpy(p->net->mac, mac, 6);
	p->net->has_mac = true;
	return 0;
}

static bool port(const char *s, uint16_t *out)
{
	char *end;
	unsigned long n;

	if (*s < '0' || *s > '9')
		return false;
	n = strtoul(s, &end, 10);
	*out = (uint16_t)n;
	return !*end && n >= 1 && n <= 65535;
}

/* [udp:|tcp:][ADDR:]HOST:GUEST, from its end; s is cut up. */
static bool parse_fwd(char *s, struct run_fwd *fwd)
{
	struct in_addr addr = { htonl(INADDR_LOOPBACK) };
	char *colon;

	fwd->udp = !strncmp(s, "udp:", 4);
	if (fwd->udp || !strncmp(s, "tcp:", 4))
		s += 4;
	colon = strrchr(s, ':');
	if (!colon || !port(colon + 1, &fwd->guest_port))
		return false;
	*colon = '\0';
	colon = strrchr(s, ':');
	if (colon) {
		*colon = '\0';
		if (inet_pton(AF_INET, s, &addr) != 1)
			return false;
		s = colon + 1;
	}
	fwd->host_addr = addr.s_addr;
	return port(s, &fwd->host_port);
}

static int set_fwd(void *ctx, const struct cli_arg *arg)
{
	struct parse *p = ctx;
	struct run_net *net = p->net;
	struct run_fwd fwd = { 0 };
	char text[64];

	if (strlen(arg->val) >= sizeof(text))
		text[0] = '\0';
	else
		strcpy(text, arg->val);
	if (!parse_fwd(text, &fwd))
		return cli_bad(arg, "not a forwarding; write "
				    "[udp:][IPV4:]HOSTPORT:GUESTPORT with "
				    "ports from 1 to 65535, e.g. 2222:22");
	for (unsigned int i = 0; i < net->nr_fwd; i++)
		if (net->fwd[i].udp == fwd.udp &&
		    net->fwd[i].host_addr == fwd.host_addr &&
		    net->fwd[i].host_port == fwd.host_port)
			return cli_bad(arg,
				       "host port %u is forwarded already; "
				       "choose another",
				       fwd.host_port);
	if (net->nr_fwd == RUN_FWDS)
		return cli_bad(arg,
			       "too many; a network forwards at most %d ports",
			       RUN_FWDS);
	net->fwd[net->nr_fwd++] = fwd;
	return 0;
}

static const struct kv_key keys[] = {
	{ .name = "mode", .set = set_mode },
	{ .name = "tap", .set = set_tap },
	{ .name = "fwd", .many = true, .set = set_fwd },
	{ .name = "vhost", .set = set_vhost },
	{ .name = "mac", .set = set_mac },
	{ .name = "mtu", .set = set_mtu },
};

static int check(const struct cli_arg *arg, const struct parse *p)
{
	const struct run_net *net = p->net;

	if (p->none && strcmp(arg->val, "none") &&
	    strcmp(arg->val, "mode=none"))
		return cli_bad(
			arg, "none takes nothing else; write --net none alone");
	if (p->said_user && net->tap)
		return cli_bad(
			arg,
			"both user and tap; write two --net for two networks");
	if (net->tap && net->nr_fwd)
		return cli_bad(arg, "fwd= is for user networks; drop it, a tap "
				    "reaches the guest directly");
	if (!net->tap && net->vhost != RUN_AUTO)
		return cli_bad(arg, "vhost= is for tap networks; drop it or "
				    "write tap=NAME");
	if (!net->tap && net->mtu)
		return cli_bad(
			arg,
			"mtu= is for tap networks; drop it or write tap=NAME");
	return 0;
}

int cli_run_net(void *ctx, const struct cli_arg *arg)
{
	struct run_config *cfg = ctx;
	struct parse p = { .cfg = cfg };
	int err;

	if (cfg->nr_nets == RUN_NETS)
		return cli_bad(arg,
			       "too many networks; a machine has at most %d",
			       RUN_NETS);
	p.net = &cfg->net[cfg->nr_nets];
	err = kv_parse(arg, keys, sizeof(keys) / sizeof(keys[0]), &p);
	if (!err)
		err = check(arg, &p);
	if (err)
		return err;
	if (p.none)
		cfg->no_net = true;
	else
		cfg->nr_nets++;
	if (cfg->no_net && cfg->nr_nets)
		return cli_bad(
			arg,
			"--net none stands beside another --net; drop one");
	return 0;
}
