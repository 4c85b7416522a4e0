// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's network at boot: the loopback interface, and eth0 as the kernel
 * command line's hotline.net says. Runs in init, before the command.
 *
 *   hotline.net=dhcp (the default)        ask, for at most DHCP_SECONDS
 *   hotline.net=ADDRESS/BITS[,GATEWAY[,DNS]]   set at once, no process needed
 *   hotline.net=off                       leave eth0 down
 */
#include "init.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ETH	     "eth0"
#define DHCP_SECONDS 5

/* What a static configuration gives; an address of 0 is "none". */
struct net_config {
	struct in_addr address, mask, gateway, dns;
};

static int set_address(int fd, unsigned long request, struct in_addr address)
{
	struct ifreq ifr = { .ifr_name = ETH };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr = address };

	memcpy(&ifr.ifr_addr, &sin, sizeof(sin));
	return ioctl(fd, request, &ifr);
}

static int set_up(int fd, const char *name)
{
	struct ifreq ifr = { 0 };

	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	if (ioctl(fd, SIOCGIFFLAGS, &ifr))
		return -1;
	ifr.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &ifr);
}

static int set_gateway(int fd, struct in_addr gateway)
{
	struct rtentry rt = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct sockaddr_in sin = { .sin_family = AF_INET };

	memcpy(&rt.rt_dst, &sin, sizeof(sin));
	memcpy(&rt.rt_genmask, &sin, sizeof(sin));
	sin.sin_addr = gateway;
	memcpy(&rt.rt_gateway, &sin, sizeof(sin));
	return ioctl(fd, SIOCADDRT, &rt);
}

static int write_resolver(struct in_addr dns)
{
	FILE *f = fopen("/etc/resolv.conf", "we");

	if (!f)
		return -1;
	fprintf(f, "nameserver %s\n", inet_ntoa(dns));
	return fclose(f);
}

/* Reads ADDRESS/BITS[,GATEWAY[,DNS]]; -1 if it is not of that form. */
static int parse_config(char *text, struct net_config *net)
{
	char *bits, *end, *address = strsep(&text, ",");
	char *gateway = strsep(&text, ","), *dns = strsep(&text, ",");
	unsigned long n;

	bits = strchr(address, '/');
	if (!bits)
		return -1;
	*bits++ = '\0';
	n = strtoul(bits, &end, 10);
	if (end == bits || *end || n < 1 || n > 32)
		return -1;
	net->mask.s_addr = htonl(0xffffffffu << (32 - n));
	if (!inet_aton(address, &net->address) ||
	    (gateway && !inet_aton(gateway, &net->gateway)) ||
	    (dns && !inet_aton(dns, &net->dns)))
		return -1;
	return 0;
}

static void net_set(int fd, const struct net_config *net)
{
	if (set_address(fd, SIOCSIFADDR, net->address) ||
	    set_address(fd, SIOCSIFNETMASK, net->mask) || set_up(fd, ETH) ||
	    (net->gateway.s_addr && set_gateway(fd, net->gateway)) ||
	    (net->dns.s_addr && write_resolver(net->dns)))
		complain("hotline.net: %s", strerror(errno));
}

/*
 * udhcpc goes to the background with the lease in hand, to renew it: its
 * first process ends then. SIGCHLD is blocked, so sigtimedwait() sees it.
 */
static void net_ask(int fd)
{
	static char *const argv[] = {
		"udhcpc", "-i", ETH, "-n", "-t",
		"4",	  "-T", "1", "-s", "/etc/udhcpc.script",
		NULL
	};
	const struct timespec limit = { .tv_sec = DHCP_SECONDS };
	sigset_t child;
	pid_t pid;
	int null;

	if (set_up(fd, ETH))
		complain("%s: %s", ETH, strerror(errno));
	pid = fork();
	if (pid == 0) {
		sigemptyset(&child);
		sigprocmask(SIG_SETMASK, &child, NULL);
		null = open("/dev/null", O_RDWR);
		for (int i = 0; i < 3; i++)
			dup2(null, i);
		execv("/bin/busybox", argv);
		_exit(127);
	}
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	if (pid < 0 || sigtimedwait(&child, NULL, &limit) < 0)
		complain("%s: no answer to DHCP", ETH);
	else
		waitpid(pid, NULL, WNOHANG);
}

void net_start(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct net_config net = { 0 };
	const char *option;
	char text[128];
	size_t length = 0;

	if (fd < 0)
		return;
	set_up(fd, "lo");
	option = cmdline_find_option("hotline.net", &length);
	snprintf(text, sizeof(text), "%.*s", (int)length, option ? option : "");
	if (if_nametoindex(ETH) && strcmp(text, "off")) {
		if (!*text || !strcmp(text, "dhcp"))
			net_ask(fd);
		else if (parse_config(text, &net))
			complain("hotline.net=%s: not 'dhcp', 'off' or "
				 "ADDRESS/BITS[,GATEWAY[,DNS]]",
				 text);
		else
			net_set(fd, &net);
	}
	close(fd);
}
