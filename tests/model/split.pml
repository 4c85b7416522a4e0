/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Split-phase calls (include/hotline/async.h), from two processors of a guest
 * through the dispatcher and a worker of the host and back.
 *
 * Each processor has a ring and does ROUNDS times: acquire the host's lock L_H
 * (a long call: a worker waits for it), a barrier, work under the guest's lock
 * L_G while it holds L_H, release L_H (a short call).  Posting needs L_G, too.
 *
 * Two processors contend for the locks; the host's steps under a ring's lock
 * are then one.  With -DTSO it is one processor, all steps are single, and
 * memory is as x86 has it: each processor's stores to the words below wait in a
 * buffer of its own, in order, until a fence.  Locks, doorbells and interrupts
 * imply one.  Who owns a word keeps a copy and does not read it back.
 *
 * What can go wrong, by -D, and is found as an invalid end state:
 *	SYNC		L_H is waited for in the call itself, under L_G
 *	NOBARRIER_GUEST	the guest doesn't fence between index and flag
 *	NOBARRIER_HOST	the host doesn't
 *	NORECHECK	the dispatcher doesn't look again before it sleeps
 *	NOLOOK		the guest doesn't look again before it sleeps
 *	NOLEFT		the guest notes a doorbell when no call was left to take
 *	NOROOM		the guest doesn't ring for room that it made
 *	NOKICK		the worker doesn't wake the dispatcher for a barrier
 */
#define ENTRIES 2
#ifndef ROUNDS
#define ROUNDS 2
#endif
#define CALLS	  (3 * ROUNDS)

/* Call i of a ring. */
#define ACQUIRE	  0
#define BARRIER	  1
#define RELEASE	  2
#define KIND(i)	  ((i) % 3)

/* Words in guest memory, by ring. */
#define TAIL(r)	  (r)	  /* guest: calls posted */
#define POLLED(r) (2 + r) /* guest: no interrupt */
#define HEAD(r)	  (4 + r) /* guest: completions consumed */
#define TAKEN(r)  (6 + r) /* host: calls taken */
#define SLEEPS(r) (8 + r) /* host: ring for more */
#define DONE(r)	  (10 + r) /* host: completions written */
byte mem[12];
byte cookie[2 * CALLS]; /* completions */

/* Store buffers: processors 0 and 1, dispatcher, worker. */
#define DISPATCHER 2
#define WORKER	   3
#ifdef TSO
chan buffer[4] = [2] of { byte, byte };
#define STORE(p, a, v) buffer[p]!a, v
#define FENCE(p)       empty(buffer[p])

active proctype memory()
{
	byte a, v;

end:	do
	:: d_step { buffer[0]?a, v -> mem[a] = v; a = 0; v = 0 }
	:: d_step { buffer[2]?a, v -> mem[a] = v; a = 0; v = 0 }
	:: d_step { buffer[3]?a, v -> mem[a] = v; a = 0; v = 0 }
	od
}
#define STEP	       {
#else
#define STORE(p, a, v) mem[a] = v
#define FENCE(p)       true
#define STEP	       atomic { /* with the ring's lock held */
#endif
#ifdef NOBARRIER_GUEST
#define GUEST_FENCE(p) skip
#else
#define GUEST_FENCE(p) FENCE(p)
#endif
#ifdef NOBARRIER_HOST
#define HOST_FENCE(p) skip
#else
#define HOST_FENCE(p) FENCE(p)
#endif

#define LOCK(p, l, who) atomic { l == 0 && FENCE(p) -> l = who }
#define UNLOCK(p, l)	atomic { FENCE(p) -> l = 0 }
#define SIGNAL(p, what) atomic { FENCE(p) -> what = 1 }

byte l_g, l_h;	 /* 0: free */
bit bell[2], irq[2]; /* doorbells; interrupts to the ring's processor */

/* The host's own, under lock[r]. */
byte lock[2], taken[2], done[2], running[2];
bit stalled[2], closed[2], completed[2 * CALLS];
chan todo = [2] of { byte, byte }; /* long calls: ring, call */

/* How it is told of room, which it may have been told of in vain before. */
inline ring_if_asleep(r)
{
	GUEST_FENCE(r);
	if
	:: mem[SLEEPS(r)] -> SIGNAL(r, bell[r])
	:: else
	fi
}

/* Work that needs both locks. */
inline work(r)
{
	LOCK(r, l_g, 1);
	assert(l_h == r + 1);
	UNLOCK(r, l_g)
}

/*
 * The host has taken c calls.  It has all, or has been told since it took the
 * last of them, and will take one more before it sleeps again.
 */
#ifdef NOLEFT
#define TOLD(c) (c == rang_at)
#else
#define TOLD(c) (c == tail || c == rang_at)
#endif

inline post(r)
{
	LOCK(r, l_g, 1);
	tail++;
	STORE(r, TAIL(r), tail);
	GUEST_FENCE(r);
	if
	:: mem[SLEEPS(r)] -> c = mem[TAKEN(r)];
		if
		:: !TOLD(c) -> SIGNAL(r, bell[r]); rang_at = c
		:: else
		fi;
		c = 0
	:: else
	fi;
	UNLOCK(r, l_g)
}

inline consume(r)
{
	d_step {
		c = cookie[r * CALLS + head];
		head++
	}
	STORE(r, HEAD(r), head);
#ifndef NOROOM
	if
	:: mem[TAKEN(r)] != tail -> ring_if_asleep(r)
	:: else
	fi;
#endif
	if
	:: KIND(c) == BARRIER -> c = 0; work(r); worked = 1
	:: else -> c = 0
	fi
}

inline sleep(r)
{
	STORE(r, POLLED(r), 0);
	GUEST_FENCE(r);
#ifndef NOLOOK
	if
	:: mem[DONE(r)] == head -> irq[r]
	:: else
	fi;
#else
	irq[r];
#endif
	irq[r] = 0;
	STORE(r, POLLED(r), 1)
}

/* The host must not be asked to release what it has not granted. */
#define MAY_POST(r)                                                    \
	(tail < CALLS && (KIND(tail) != RELEASE || worked) &&          \
	 tail - mem[TAKEN(r)] < ENTRIES)

proctype processor(byte r)
{
	byte tail, head, c, rang_at = CALLS;
	bit worked;

#ifdef SYNC
	do
	:: c < ROUNDS ->
		LOCK(r, l_g, 1);
		LOCK(r, l_h, r + 1);
		UNLOCK(r, l_g);
		work(r);
		UNLOCK(r, l_h);
		c++
	:: else -> break
	od
#else
	do
	:: MAY_POST(r) ->
		if
		:: KIND(tail) == RELEASE -> worked = 0
		:: else
		fi;
		post(r)
	:: mem[DONE(r)] != head -> consume(r)
	:: head == CALLS -> break
	:: head < CALLS && !MAY_POST(r) && mem[DONE(r)] == head -> sleep(r)
	od;
	atomic { lock[r] == 0 && running[r] == 0 -> closed[r] = 1 }
#endif
}

inline complete(p, r, i)
{
	STEP LOCK(p, lock[r], 1);
	assert(!closed[r] && !completed[r * CALLS + i]);
	d_step {
		completed[r * CALLS + i] = 1;
		cookie[r * CALLS + done[r]] = i;
		done[r]++;
		running[r]--;
		kick = stalled[r];
		stalled[r] = 0
	}
	STORE(p, DONE(r), done[r]);
	HOST_FENCE(p);
	raise = !mem[POLLED(r)];
	UNLOCK(p, lock[r]) };
	if
	:: raise -> SIGNAL(p, irq[r]); raise = 0
	:: else
	fi
}

/* Are there calls, with room for their completions? */
inline look(r)
{
	found = mem[TAIL(r)] != taken[r] &&
		taken[r] - mem[HEAD(r)] < ENTRIES
}

/* One call of ring r: found = there may be more; i: CALLS or what to run. */
inline take(r)
{
	i = CALLS;
	STEP LOCK(DISPATCHER, lock[r], 1);
	look(r);
	if
	:: !found ->
		STORE(DISPATCHER, SLEEPS(r), 1);
#ifndef NORECHECK
		HOST_FENCE(DISPATCHER);
		look(r)
#endif
	:: else
	fi;
	if
	:: found ->
		STORE(DISPATCHER, SLEEPS(r), 0);
		if
		:: KIND(taken[r]) == BARRIER && running[r] ->
			stalled[r] = 1;
			found = 0
		:: else ->
			d_step {
				i = taken[r];
				taken[r]++;
				running[r]++
			}
			mem[TAKEN(r)] = taken[r]
		fi
	:: else
	fi;
	UNLOCK(DISPATCHER, lock[r]) }
}

proctype dispatcher()
{
	byte r, i;
	bit found, raise, kick;

end:	do
	:: atomic { !found && bell[0] -> bell[0] = 0; r = 0; found = 1 }
	:: atomic { !found && bell[1] -> bell[1] = 0; r = 1; found = 1 }
	:: found ->
		take(r);
		if
		:: i == CALLS
		:: i < CALLS && KIND(i) == ACQUIRE -> todo!r, i
		:: i < CALLS && KIND(i) != ACQUIRE ->
			if
			:: KIND(i) == RELEASE ->
				assert(l_h == r + 1);
				l_h = 0
			:: else
			fi;
			complete(DISPATCHER, r, i)
		fi;
		d_step { kick = 0; i = 0 }
	od
}

proctype worker()
{
	byte r, i;
	bit raise, kick;

end:	do
	:: todo?r, i ->
		LOCK(WORKER, l_h, r + 1);
		complete(WORKER, r, i);
#ifndef NOKICK
		if
		:: kick -> SIGNAL(WORKER, bell[r])
		:: else
		fi;
#endif
		d_step { kick = 0; r = 0; i = 0 }
	od
}

init {
	atomic {
		mem[POLLED(0)] = 1;
		mem[POLLED(1)] = 1;
		mem[SLEEPS(0)] = 1;
		mem[SLEEPS(1)] = 1;
		run processor(0);
#ifndef TSO
		run processor(1);
#endif
#ifndef SYNC
		run dispatcher();
		run worker()
#endif
	}
}
