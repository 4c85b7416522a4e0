/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entry of the tiny guest, of its second processor, and of its traps.  Entered
 * as Linux is: 64-bit, identity map, boot parameters at %rsi.
 */
	.section .text
	.globl _start
	.code64
_start:
	cli
	cld
	leaq	stack_end(%rip), %rsp
	movq	%rsi, %rdi
	call	guest_main
1:	hlt
	jmp	1b

/* void cpu_load_tables(void): our own GDT and IDT, flat segments */
	.globl cpu_load_tables
cpu_load_tables:
	lgdt	gdt_ptr(%rip)
	lidt	idt_ptr(%rip)
	movl	$0x10, %eax
	movl	%eax, %ds
	movl	%eax, %es
	movl	%eax, %fs
	movl	%eax, %gs
	movl	%eax, %ss
	popq	%rcx
	pushq	$0x08
	pushq	%rcx
	lretq

/*
 * int try_rdmsr(uint32_t msr, uint64_t *val), int try_wrmsr(msr, val):
 * 0, or 1 if the processor trapped (then trap_fixup has brought us to 9f).
 */
	.globl try_rdmsr
try_rdmsr:
	leaq	9f(%rip), %rax
	movq	%rax, trap_fixup(%rip)
	movl	%edi, %ecx
	rdmsr
	shlq	$32, %rdx
	orq	%rdx, %rax
	movq	%rax, (%rsi)
	xorl	%eax, %eax
	movq	$0, trap_fixup(%rip)
	ret

	.globl try_wrmsr
try_wrmsr:
	leaq	9f(%rip), %rax
	movq	%rax, trap_fixup(%rip)
	movl	%edi, %ecx
	movl	%esi, %eax
	movq	%rsi, %rdx
	shrq	$32, %rdx
	wrmsr
	xorl	%eax, %eax
	movq	$0, trap_fixup(%rip)
	ret
9:	movl	$1, %eax
	ret

/* Ends the machine the hard way: no IDT, and a fault. */
	.globl triple_fault
triple_fault:
	lidt	no_idt(%rip)
	ud2

/* Vectors 0..255, 16 bytes each: error code (or 0), vector, common part. */
	.globl trap_entries
	.balign 16
trap_entries:
	.set	v, 0
	.rept	256
	.balign	16
	.if	!(v == 8 || (v >= 10 && v <= 14) || v == 17 || v == 21 || v == 29 || v == 30)
	pushq	$0
	.endif
	pushq	$v
	jmp	trap_common
	.set	v, v + 1
	.endr

trap_common:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	leaq	72(%rsp), %rdi		/* struct trap_frame */
	call	trap
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq

/*
 * Second processor, copied to AP_BASE: from real mode straight to long mode
 * with the first one's page tables, whose address is put at ap_cr3.
 */
#define AP_BASE 0x8000
#define AP(x) (AP_BASE + (x) - ap_begin)
	.globl ap_begin, ap_end, ap_cr3
	.balign 16
	.code16
ap_begin:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	lgdtl	AP(ap_gdt_ptr)
	movl	%cr4, %eax
	orl	$0x20, %eax		/* PAE */
	movl	%eax, %cr4
	movl	AP(ap_cr3), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx	/* EFER */
	rdmsr
	orl	$0x100, %eax		/* LME */
	wrmsr
	movl	%cr0, %eax
	orl	$0x80000001, %eax	/* PG, PE */
	movl	%eax, %cr0
	ljmpl	$0x08, $AP(ap_long)
	.balign 8
ap_cr3:	.long	0
ap_gdt_ptr:
	.word	23
	.long	gdt
	.code64
ap_long:
	movabsq	$ap_stack_end, %rsp
	movabsq	$ap_main, %rax
	call	*%rax
1:	hlt
	jmp	1b
ap_end:

	.section .data
	.balign 16
gdt:	.quad	0
	.quad	0x00af9b000000ffff	/* 64-bit code */
	.quad	0x00cf93000000ffff	/* data */
gdt_ptr:
	.word	23
	.quad	gdt
idt_ptr:
	.word	4095
	.quad	idt
no_idt:	.word	0
	.quad	0

	.section .bss
	.balign 16
	.skip	16384
stack_end:
	.skip	16384
ap_stack_end:
	.section .note.GNU-stack, "", @progbits
