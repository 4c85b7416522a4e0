// SPDX-License-Identifier: GPL-2.0-only
/* See calls.h. */
#include "calls.h"

#include "include/hotline/platform.h"

void calls_set_page(uint64_t at)
{
	outl(HL_LINE_PORT + HL_LINE_PAGE, (uint32_t)(at / PAGE));
}

void calls_take_page(unsigned int cpu)
{
	calls_set_page(CALLS_AT(cpu));
}

volatile struct hl_call *calls_fill(unsigned int cpu, unsigned int i,
				    uint16_t op, uint64_t a, uint64_t b)
{
	volatile struct hl_call *s = &CALLS(cpu)[i];

	s->op = op;
	s->flags = 0;
	s->done = 0;
	s->result = HL_NOT_RUN;
	s->arg[0] = a;
	s->arg[1] = b;
	for (unsigned int n = 2; n < ARRAY_SIZE(s->arg); n++)
		s->arg[n] = 0;
	return s;
}

void calls_cross(uint32_t run)
{
	outl(HL_LINE_PORT + HL_LINE_RUN, run);
}

void calls_cross_and_halt(uint32_t run)
{
	__asm__ volatile("outl %0, %w1; cli"
			 :
			 : "a"(run), "Nd"(HL_LINE_PORT + HL_LINE_RUN)
			 : "memory");
}
