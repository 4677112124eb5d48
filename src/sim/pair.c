/* SPDX-License-Identifier: MIT */
#include "sim/pair.h"

#include "sim/host.h"
#include "wire/ip.h"

#define NET    0xc0000200u /* 192.0.2.0 */
#define PREFIX 24

static int add_host(struct sim_world *world, const char *name, uint32_t addr,
		    const struct path_config *path, const struct sim_pair_config *config)
{
	struct parley_addr a = ip_from_v4(addr);
	int host = sim_host_add(world, name, config->memory_limit);
	int port, error;

	if (host < 0)
		return host;
	error = sim_host_profile(world, host, config->profile[host]);
	if (error)
		return error;
	port = sim_host_join(world, host, 0, &a, PREFIX, path);
	return port < 0 ? port : host;
}

struct sim_world *sim_pair_new(void *base, size_t size, const struct sim_pair_config *config)
{
	struct sim_world *world = sim_world_new(base, size, &config->world);

	if (!world || sim_lan_add(world, &config->lan) < 0)
		return NULL;
	if (add_host(world, "client", NET + 1, &config->to_server, config) < 0)
		return NULL;
	if (add_host(world, "server", NET + 2, &config->to_client, config) < 0)
		return NULL;
	return world;
}

struct sim_port *sim_pair_port(const struct sim_world *world, int host)
{
	return world->host[host]->port[0];
}

int sim_pair_set(struct sim_world *world, enum parley_setting setting, int64_t value)
{
	for (uint32_t i = 0; i < world->host_count; i++) {
		struct sim_host *host = world->host[i];
		int error = parley_set(host->engine, sim_host_now(host), PARLEY_NO_CONN, setting,
				       value);

		if (error)
			return error;
	}
	return 0;
}
