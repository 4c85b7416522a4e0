// SPDX-License-Identifier: GPL-2.0-only
/* `hotline doctor`: what keeps guests from running here, and how to mend it. */
#include "vmm/cli/doctor.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmm/cli/cli.h"
#include "vmm/core/exitcode.h"

#define INDENT 26

static const char *const verdicts[] = {
	[VERDICT_OK] = "ok",
	[VERDICT_NOTE] = "note",
	[VERDICT_FAIL] = "FAIL",
};

void doctor_add(struct doctor *doc, enum verdict verdict, const char *check,
		const char *fmt, ...)
{
	struct finding *f;
	va_list ap;

	if (doc->nr == DOCTOR_FINDINGS)
		return;
	f = &doc->finding[doc->nr++];
	f->verdict = verdict;
	f->check = check;
	f->fix[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

void doctor_fix(struct doctor *doc, const char *fmt, ...)
{
	struct finding *f = &doc->finding[doc->nr - 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->fix, sizeof(f->fix), fmt, ap);
	va_end(ap);
}

static const struct finding *first_failure(const struct doctor *doc)
{
	for (unsigned int i = 0; i < doc->nr; i++)
		if (doc->finding[i].verdict == VERDICT_FAIL)
			return &doc->finding[i];
	return NULL;
}

static void print_text(const struct doctor *doc, const struct finding *fail)
{
	for (unsigned int i = 0; i < doc->nr; i++) {
		const struct finding *f = &doc->finding[i];
		char fix[sizeof(f->fix) + 8];

		printf("%-5s %-18s", verdicts[f->verdict], f->check);
		cli_wrap(stdout, f->text, INDENT, 24);
		if (!f->fix[0])
			continue;
		snprintf(fix, sizeof(fix), "Fix: %s", f->fix);
		cli_wrap(stdout, fix, INDENT, 0);
	}
	if (fail)
		printf("\n%s cannot run guests here: see \"%s\" above.\n",
		       doc->kvm, fail->check);
	else
		printf("\n%s is usable.\n", doc->kvm);
}

static void print_brief(const struct doctor *doc, const struct finding *fail)
{
	if (fail)
		printf("%s cannot run guests here: %s %s\n", doc->kvm,
		       fail->check, fail->text);
	else
		printf("%s executes guests: %.0f million instructions per "
		       "second\n",
		       doc->kvm, doc->mips);
}

static void print_json(const struct doctor *doc, const struct finding *fail)
{
	printf("{\"kvm\":");
	cli_json_string(stdout, doc->kvm);
	printf(",\"usable\":%s,\"mips\":%.1f,\"checks\":[",
	       fail ? "false" : "true", doc->mips);
	for (unsigned int i = 0; i < doc->nr; i++) {
		const struct finding *f = &doc->finding[i];

		printf("%s{\"check\":\"%s\",\"verdict\":\"%s\",\"text\":",
		       i ? "," : "", f->check,
		       f->verdict == VERDICT_FAIL ? "fail"
						  : verdicts[f->verdict]);
		cli_json_string(stdout, f->text);
		printf(",\"fix\":");
		cli_json_string(stdout, f->fix);
		putchar('}');
	}
	puts("]}");
}

static const struct cli_opt options[] = {
	{ .help = "Options" },
	{ .names = { "json" },
	  .help = "Print one JSON object",
	  .parse = cli_set_true,
	  .at = offsetof(struct doctor, json) },
	{ .names = { "brief" },
	  .help = "Print one line: usable, or why not",
	  .parse = cli_set_true,
	  .at = offsetof(struct doctor, brief) },
	{ .names = { "kvm" },
	  .metavar = "PATH",
	  .help = "The KVM device (default: /dev/kvm)",
	  .parse = cli_set_path,
	  .at = offsetof(struct doctor, kvm) },
};

static int doctor(int argc, char **argv)
{
	struct doctor *doc = calloc(1, sizeof(*doc));
	const struct finding *fail;
	int code;

	if (!doc)
		return EXIT_OSERR;
	doc->kvm = "/dev/kvm";
	code = cli_parse(&cli_cmd_doctor, argc, argv, doc, NULL);
	if (code) {
		free(doc);
		return cli_exit(code);
	}
	if (doctor_check_device(doc))
		doctor_check_guest(doc);
	if (!doc->brief)
		doctor_check_host(doc);
	fail = first_failure(doc);
	if (doc->brief)
		print_brief(doc, fail);
	else if (doc->json)
		print_json(doc, fail);
	else
		print_text(doc, fail);
	code = fail ? EXIT_UNAVAIL : EXIT_OK;
	free(doc);
	return code;
}

const struct cli_cmd cli_cmd_doctor = {
	.name = "doctor",
	.usage = "[OPTION]...",
	.summary = "Say whether guests can run here, and what to mend if not",
	.about = "Checks the KVM device, its abilities and its speed with a "
		 "tiny guest, and what else hotline makes use of. Takes at "
		 "most three seconds. Exit status 0: usable; 69: not.",
	.opts = options,
	.nr_opts = sizeof(options) / sizeof(options[0]),
	.examples = "  hotline doctor\n"
		    "  hotline doctor --json | jq .usable\n",
	.run = doctor,
};
