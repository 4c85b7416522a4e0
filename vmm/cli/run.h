/* SPDX-License-Identifier: GPL-2.0-only */
/* `hotline run` in parts: the lists that some of its options take. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

struct cli_arg;
struct run_config;

/*
 * Fills cfg (run_config_init() done) from argv.  0, CLI_DONE, or an enum
 * exit_code after an error().
 */
int cli_run_parse(struct run_config *cfg, int argc, char **argv);
int cli_run(int argc, char **argv);

/* Option parsers; ctx is a struct run_config. */
int cli_run_mem(void *ctx, const struct cli_arg *arg);
int cli_run_disk(void *ctx, const struct cli_arg *arg);
int cli_run_calls(void *ctx, const struct cli_arg *arg);
int cli_run_clock(void *ctx, const struct cli_arg *arg);
int cli_run_timer(void *ctx, const struct cli_arg *arg);
int cli_run_yield(void *ctx, const struct cli_arg *arg);
int cli_run_net(void *ctx, const struct cli_arg *arg);

/*
 * After the options: kernel and initrd from the environment or the installed
 * ones, one user network.  0, or an enum exit_code after an error().
 */
int cli_run_defaults(struct run_config *cfg);

#endif
