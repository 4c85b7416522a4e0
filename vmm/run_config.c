// SPDX-License-Identifier: GPL-2.0-only
/* Defaults of `hotline run`, and who frees its strings.  Main thread. */
#include "vmm/run_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "vmm/core/exitcode.h"

void run_config_init(struct run_config *cfg)
{
	*cfg = (struct run_config){
		.kvm_path = "/dev/kvm",
		.cpus = 1,
		.mem = { .size = 256ull << 20, .backing = MEM_AUTO },
		.tables = BOOT_AUTO,
		.console = RUN_CONSOLE_VIRTIO,
		.rng = true,
		.log_level = LOG_WARN,
	};
	snprintf(cfg->name, sizeof(cfg->name), "vm-%d", (int)getpid());
}

void run_config_exit(struct run_config *cfg)
{
	for (unsigned int i = 0; i < cfg->nr_owned; i++)
		free(cfg->owned[i]);
	free(cfg->owned);
	cfg->owned = NULL;
	cfg->nr_owned = 0;
}

char *run_config_own(struct run_config *cfg, char *s)
{
	size_t size = (cfg->nr_owned + 1) * sizeof(*cfg->owned);
	char **owned = s ? realloc(cfg->owned, size) : NULL;

	if (owned) {
		owned[cfg->nr_owned++] = s;
		cfg->owned = owned;
		return s;
	}
	die(EXIT_OSERR, "out of memory");
}
