// SPDX-License-Identifier: GPL-2.0-only
/* The boot processor's registers at the kernel's entry point; main thread. */
#include <errno.h>
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include "vmm/core/vcpu.h"

#define CR0_PE		     (1u << 0)
#define CR0_ET		     (1u << 4)
#define CR0_LONG	     0x80050033u /* PG AM WP NE ET MP PE */
#define CR4_PAE		     (1u << 5)
#define EFER_LONG	     0x500 /* LME LMA */
#define GDT_LIMIT	     0x2f  /* null, unused, code, data, TSS */

#define APIC_BASE_EXTD	     (1u << 10) /* Intel SDM vol. 3A, 11.12.1 */
#define APIC_BASE_ENABLE     (1u << 11)

#define MSR_IA32_MISC_ENABLE 0x1a0
#define MISC_FAST_STRING     1
#define MSR_MTRR_DEF_TYPE    0x2ff
#define MTRR_ON_WRITE_BACK   0x806

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool code64)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = 1,
		.g = 1,
		.l = code64,
		.db = !code64,
	};
}

/* As firmware would leave them; both are also what KVM would start with on
 * most hosts, but no guest should depend on that. */
static int set_msrs(struct vcpu *vcpu)
{
	static const struct kvm_msr_entry wanted[] = {
		{ .index = MSR_IA32_MISC_ENABLE, .data = MISC_FAST_STRING },
		{ .index = MSR_MTRR_DEF_TYPE, .data = MTRR_ON_WRITE_BACK },
	};
	int n = vcpu_set_msrs(vcpu, wanted, sizeof(wanted) / sizeof(wanted[0]));

	return n < 0 ? n : 0;
}

int vcpu_set_x2apic(struct vcpu *vcpu)
{
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	sregs.apic_base |= APIC_BASE_ENABLE | APIC_BASE_EXTD;
	return ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0 ? -errno : 0;
}

int vcpu_set_boot_regs(struct vcpu *vcpu, const struct vcpu_regs *regs)
{
	bool long_mode = regs->cr3 != 0;
	struct kvm_regs gprs = {
		.rip = regs->rip,
		.rsp = regs->rsp,
		.rsi = regs->rsi,
		.rbx = regs->rbx,
		.rflags = 2,
	};
	struct kvm_sregs sregs;

	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) < 0)
		return -errno;
	sregs.cs = segment(0x10, 0xb, long_mode);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss =
		segment(0x18, 0x3, false);
	sregs.tr = (struct kvm_segment){ .limit = 0x67,
					 .type = 0xb,
					 .present = 1 };
	sregs.gdt.base = regs->gdt;
	sregs.gdt.limit = GDT_LIMIT;
	sregs.idt.base = sregs.idt.limit = 0;
	if (long_mode) {
		sregs.cr0 = CR0_LONG;
		sregs.cr3 = regs->cr3;
		sregs.cr4 = CR4_PAE;
		sregs.efer = EFER_LONG;
	} else {
		sregs.cr0 = CR0_PE | CR0_ET;
		sregs.cr4 = sregs.efer = 0;
	}
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) < 0)
		return -errno;
	if (ioctl(vcpu->fd, KVM_SET_REGS, &gprs) < 0)
		return -errno;
	return set_msrs(vcpu);
}
