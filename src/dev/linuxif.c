/* SPDX-License-Identifier: MIT */
#include "dev/linuxif.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ipv6.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "base/bytes.h"
#include "wire/ip.h"

/* One request about an interface, through a socket of the family that it is about. */
static int request(int family, unsigned long code, void *argument)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, code, argument) < 0)
		error = -errno;
	close(fd);
	return error;
}

static int name_interface(struct ifreq *ifr, const char *name)
{
	size_t len = strlen(name);

	memset(ifr, 0, sizeof *ifr);
	if (!len || len >= sizeof ifr->ifr_name)
		return -ENODEV;
	memcpy(ifr->ifr_name, name, len);
	return 0;
}

int linuxif_mtu(const char *name, uint32_t *mtu)
{
	struct ifreq ifr;
	int error = name_interface(&ifr, name);

	if (!error)
		error = request(AF_INET, SIOCGIFMTU, &ifr);
	if (!error)
		*mtu = (uint32_t)ifr.ifr_mtu;
	return error;
}

int linuxif_mac(const char *name, uint8_t mac[static 6])
{
	struct ifreq ifr;
	int error = name_interface(&ifr, name);

	if (!error)
		error = request(AF_INET, SIOCGIFHWADDR, &ifr);
	if (error)
		return error;
	if (ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER)
		return -EINVAL;
	memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
	return 0;
}

int linuxif_is_up(int ifindex, bool *up)
{
	struct ifreq ifr = {.ifr_ifindex = ifindex};
	/* By its name of now: it may have been renamed. */
	int error = request(AF_INET, SIOCGIFNAME, &ifr);

	if (!error)
		error = request(AF_INET, SIOCGIFFLAGS, &ifr);
	if (error)
		return error == -ENXIO ? -ENODEV : error;
	*up = ifr.ifr_flags & IFF_UP;
	return 0;
}

int linuxif_changes(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
	struct sockaddr_nl name = {.nl_family = AF_NETLINK};
	int error;

	if (fd < 0)
		return -errno;
	/* One without a name of its own hears nothing. */
	if (bind(fd, (struct sockaddr *)&name, sizeof name) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int linuxif_listen(int changes, bool listen)
{
	int group = RTNLGRP_LINK,
	    option = listen ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP;
	char message[64];

	if (setsockopt(changes, SOL_NETLINK, option, &group, sizeof group) < 0)
		return -errno;
	/* That some were lost (ENOBUFS) matters as little as what they said. */
	while (recv(changes, message, sizeof message, 0) >= 0 || errno == ENOBUFS)
		;
	return 0;
}

int linuxif_set_queue(const char *name, uint32_t packets)
{
	struct ifreq ifr;
	int error = name_interface(&ifr, name);

	ifr.ifr_qlen = (int)packets;
	return error ? error : request(AF_INET, SIOCSIFTXQLEN, &ifr);
}

int linuxif_up(const char *name)
{
	struct ifreq ifr;
	int error = name_interface(&ifr, name);

	if (!error)
		error = request(AF_INET, SIOCGIFFLAGS, &ifr);
	if (error || ifr.ifr_flags & IFF_UP)
		return error;
	ifr.ifr_flags |= IFF_UP;
	return request(AF_INET, SIOCSIFFLAGS, &ifr);
}

static void put_v4(struct sockaddr *place, const uint8_t bytes[4])
{
	struct sockaddr_in name = {.sin_family = AF_INET};

	memcpy(&name.sin_addr, bytes, 4);
	memcpy(place, &name, sizeof name);
}

static int set_v4(struct ifreq *ifr, const uint8_t bytes[4], unsigned prefix)
{
	uint8_t mask[4];
	int error;

	put_be32(mask, prefix ? UINT32_MAX << (32 - prefix) : 0);
	put_v4(&ifr->ifr_addr, bytes);
	error = request(AF_INET, SIOCSIFADDR, ifr);
	if (error)
		return error;
	put_v4(&ifr->ifr_netmask, mask);
	return request(AF_INET, SIOCSIFNETMASK, ifr);
}

static int set_v6(struct ifreq *ifr, const struct parley_addr *addr, unsigned prefix)
{
	struct in6_ifreq request6 = {.ifr6_prefixlen = prefix};
	int error = request(AF_INET, SIOCGIFINDEX, ifr);

	if (error)
		return error;
	memcpy(&request6.ifr6_addr, addr->b, sizeof addr->b);
	request6.ifr6_ifindex = ifr->ifr_ifindex;
	error = request(AF_INET6, SIOCSIFADDR, &request6);
	/* It has the address already: nothing to be done. */
	return error == -EEXIST ? 0 : error;
}

int linuxif_set_address(const char *name, const struct parley_addr *addr, unsigned prefix)
{
	struct ifreq ifr;
	int error = name_interface(&ifr, name);

	if (error)
		return error;
	return ip_is_v4(addr) ? set_v4(&ifr, ip_v4_bytes(addr), prefix)
			      : set_v6(&ifr, addr, prefix);
}
