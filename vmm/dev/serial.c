// SPDX-License-Identifier: GPL-2.0-only
/*
 * A 16550A (National Semiconductor PC16550D data sheet) whose transmitter is
 * always ready.  Registers come on vCPU threads, input on the I/O thread;
 * `lock` guards all but the output path, which the console orders itself.
 *
 * The interrupt line is an edge: it is raised when something becomes pending
 * and nothing was.  Linux' handler loops until nothing is.
 */
#include "vmm/dev/serial.h"

#include <errno.h>
#include <linux/serial_reg.h>
#include <pthread.h>
#include <stdlib.h>

#include "vmm/backend/console.h"
#include "vmm/core/vm.h"

#define FIFO 64

struct serial {
	struct console_client client;
	bool input; /* we are the console's client */
	struct vm *vm;
	struct console *con;
	unsigned int gsi;
	pthread_mutex_t lock;
	uint8_t ier, lcr, mcr, fcr, scr, dll, dlm;
	bool thr_empty; /* THR-empty interrupt not yet acknowledged */
	bool raised;	/* the line: something is pending */
	uint8_t rx[FIFO];
	unsigned int rx_at, rx_len;
};

static uint8_t pending(const struct serial *s)
{
	if (s->ier & UART_IER_RDI && s->rx_len)
		return UART_IIR_RDI;
	if (s->ier & UART_IER_THRI && s->thr_empty)
		return UART_IIR_THRI;
	return UART_IIR_NO_INT;
}

static void update_irq(struct serial *s)
{
	bool now = pending(s) != UART_IIR_NO_INT;

	if (now && !s->raised)
		irq_raise(&s->vm->irq, s->gsi);
	s->raised = now;
}

static void rx_put(struct serial *s, uint8_t byte)
{
	if (s->rx_len < FIFO)
		s->rx[(s->rx_at + s->rx_len++) % FIFO] = byte;
}

static uint8_t rx_get(struct serial *s)
{
	uint8_t byte;

	if (!s->rx_len)
		return 0;
	byte = s->rx[s->rx_at];
	s->rx_at = (s->rx_at + 1) % FIFO;
	s->rx_len--;
	return byte;
}

/* Refills an empty FIFO, so that the guest takes 64 bytes per interrupt. */
static void refill(struct serial *s)
{
	uint8_t buf[FIFO];
	size_t n;

	if (!s->input || s->rx_len)
		return;
	n = console_read(s->con, buf, sizeof(buf));
	for (size_t i = 0; i < n; i++)
		rx_put(s, buf[i]);
}

static void serial_input(struct console_client *client)
{
	struct serial *s = (struct serial *)client;

	pthread_mutex_lock(&s->lock);
	refill(s);
	update_irq(s);
	pthread_mutex_unlock(&s->lock);
}

static uint8_t lsr(const struct serial *s)
{
	return UART_LSR_TEMT | UART_LSR_THRE | (s->rx_len ? UART_LSR_DR : 0);
}

/* In loopback mode the modem outputs come back as modem inputs. */
static uint8_t msr(const struct serial *s)
{
	uint8_t m = 0;

	if (!(s->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	m |= s->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0;
	m |= s->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0;
	m |= s->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0;
	m |= s->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0;
	return m;
}

static uint8_t read_iir(struct serial *s)
{
	uint8_t iir = pending(s);

	if (iir == UART_IIR_THRI)
		s->thr_empty = false;
	if (s->fcr & UART_FCR_ENABLE_FIFO)
		iir |= 0xc0;
	return iir;
}

static uint8_t read_reg(struct serial *s, uint64_t reg)
{
	bool dlab = s->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_RX:
		return dlab ? s->dll : rx_get(s);
	case UART_IER:
		return dlab ? s->dlm : s->ier;
	case UART_IIR:
		return read_iir(s);
	case UART_LCR:
		return s->lcr;
	case UART_MCR:
		return s->mcr;
	case UART_LSR:
		return lsr(s);
	case UART_MSR:
		return msr(s);
	case UART_SCR:
		return s->scr;
	}
	return 0xff;
}

static uint64_t serial_read(void *dev, uint64_t off, unsigned int len)
{
	struct serial *s = dev;
	uint8_t val;

	if (len != 1)
		return UINT64_MAX;
	pthread_mutex_lock(&s->lock);
	val = read_reg(s, off);
	refill(s);
	update_irq(s);
	pthread_mutex_unlock(&s->lock);
	return val;
}

static void write_fcr(struct serial *s, uint8_t val)
{
	if (val & UART_FCR_CLEAR_RCVR)
		s->rx_len = 0;
	s->fcr = val & UART_FCR_ENABLE_FIFO;
}

static void write_ier(struct serial *s, uint8_t val)
{
	/* Enabling the THR interrupt reports an empty THR once more. */
	if (val & ~s->ier & UART_IER_THRI)
		s->thr_empty = true;
	s->ier = val & 0xf;
}

/* Returns true if val is a byte to send. */
static bool write_reg(struct serial *s, uint64_t reg, uint8_t val)
{
	bool dlab = s->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_TX:
		if (dlab) {
			s->dll = val;
			return false;
		}
		s->thr_empty = true;
		s->raised = false; /* empty anew: an edge of its own */
		if (!(s->mcr & UART_MCR_LOOP))
			return true;
		rx_put(s, val);
		break;
	case UART_IER:
		if (dlab)
			s->dlm = val;
		else
			write_ier(s, val);
		break;
	case UART_FCR:
		write_fcr(s, val);
		break;
	case UART_LCR:
		s->lcr = val;
		break;
	case UART_MCR:
		s->mcr = val & 0x1f;
		break;
	case UART_SCR:
		s->scr = val;
		break;
	}
	return false;
}

static void serial_write(void *dev, uint64_t off, unsigned int len,
			 uint64_t val)
{
	struct serial *s = dev;
	uint8_t byte = (uint8_t)val;
	bool send;

	if (len != 1)
		return;
	pthread_mutex_lock(&s->lock);
	send = write_reg(s, off, byte);
	update_irq(s);
	pthread_mutex_unlock(&s->lock);
	if (send)
		console_write(s->con, &byte, 1);
}

static const struct bus_ops ops = { .read = serial_read,
				    .write = serial_write };

struct serial *serial_new(struct vm *vm, uint16_t port, unsigned int gsi,
			  struct console *con, bool input)
{
	struct serial *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return NULL;
	s->client.input = serial_input;
	s->input = input;
	s->vm = vm;
	s->con = con;
	s->gsi = gsi;
	pthread_mutex_init(&s->lock, NULL);
	err = irq_open(&vm->irq, gsi);
	if (err >= 0)
		err = bus_add(&vm->pio, port, SERIAL_PORTS, &ops, s, "serial");
	if (err < 0) {
		serial_free(s);
		errno = -err;
		return NULL;
	}
	if (input)
		console_attach(con, &s->client);
	return s;
}

void serial_free(struct serial *s)
{
	if (!s)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s);
}
