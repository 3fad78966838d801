/*
 * Rule 13: after the fsync of A's decision has failed, the kernel may show a state that the disk does not have, and
 * the next fsync says yes without having written anything. So SUSPECT is written, and until the machine has been
 * restarted nobody reads, tells or acts.
 * One run decides and its fsync fails; runs that follow read what they find, look for the mark once more after their
 * own fsync, and tell it; the power may go. The runs have the lock one after the other.
 * -DNO_SUSPECT: there is no such mark: errors: 1.
 * -DOVERLAP: they do not have the lock one after the other (rule 14: a lock can be lost); -DPROMPT: the mark is made at
 * the very instant of the failure. Both: errors: 0, and with -DONE_LOOK, before the fsync only, errors: 1.
 * One limit is known: something happens between the failure and the mark. With -DOVERLAP alone another run looks twice in
 * that time, with -DKILLED the process dies in it. Either takes, beside the disk's failure, a second misfortune at this
 * very instant and then a power loss: errors: 1.
 *
 * Run: spin -a fsync-failure.pml && gcc -DSAFETY -o pan pan.c && ./pan
 * Expected: errors: 0, but for the switches above.
 */
#define STAGED 1
#define COMMITTED 2
#define ABORTED 3

byte visible = STAGED, durable = STAGED;
bit failed;                       /* an fsync has failed since the last start: those that follow do nothing */
bit suspect, locked, off;
bit committedB, abortedA;

#ifdef OVERLAP
#define LOCK() skip
#else
#define LOCK() atomic { !locked -> locked = 1 }
#endif
inline sync() { if :: failed -> skip :: else -> durable = visible fi }
inline tell() { if :: visible == COMMITTED -> committedB = 1 :: visible == ABORTED -> abortedA = 1 :: else fi }

proctype Decider() {
  {
    LOCK();
    if :: atomic { visible == STAGED -> visible = COMMITTED } :: else -> goto over fi;
    if
    :: atomic { durable = visible; tell() }
#ifdef PROMPT
    :: atomic { failed = 1; suspect = 1 }
#else
    :: failed = 1;
#ifdef KILLED
       if :: goto over :: skip fi;
#endif
#ifndef NO_SUSPECT
       suspect = 1
#endif
#endif
    fi;
over:
    locked = 0
  } unless { off }
}

proctype Follower() {
  {
    LOCK();
    if :: suspect -> goto over :: else fi;
    /* Reads the decision, making it first where there is none; whoever reads one makes it durable before telling. */
    atomic { if :: visible == STAGED -> visible = ABORTED :: else fi };
    atomic { sync() };
#ifndef ONE_LOOK
    if :: suspect -> goto over :: else fi;
#endif
    atomic { tell() };
over:
    locked = 0
  } unless { off }
}

/* The power goes; who was running is gone; after the start another run settles. */
active proctype PowerLoss() {
  if
  :: skip
  :: atomic { off = 1; visible = durable; failed = 0; suspect = 0 };
     if :: visible == STAGED -> visible = ABORTED :: else fi;
     tell()
  fi
}

active proctype Oracle() {
end:
  atomic { committedB && abortedA -> assert(false) }
}

init { atomic { run Decider(); run Follower() } }
