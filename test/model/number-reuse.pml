/*
 * Rules 11, 12 and 15 with `naming: index`: an aborted exchange frees its number, and the next one gets it again,
 * while the first one's run or its handler at B may be suspended anywhere and wake up later.
 * Run x makes exchange x, on A, and may give up at any wait; Handler x is B's side of its connection. They are slow as
 * they like and hold no lock, so each may be suspended while the others go on. Nothing crashes.
 *
 * Shows: no number is decided twice, so the sites hold the same keys under every name, and no name is ever found taken
 * at publishing.
 * -DNO_RESERVATION: rule 11 is off: errors: 1.
 * -DLATE_UNLINK: errors: 1. Were a reservation given back by a look whose it is and then an unlink of its name, a
 * process suspended between the two would take away the reservation of a later exchange. One such process on each
 * site, and then two more runs on A beside each other, none of which minds the lock, and two exchanges get one number.
 * So a reservation is given back by the exchange's ID (src/store/names.ts).
 *
 * Run: spin -a number-reuse.pml && gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=4000 -o pan pan.c && ./pan -m100000 -w24
 * Expected: errors: 0, but for the switches above.
 */
#ifndef RUNS
#define RUNS 2
#endif
#define NONE 0
#define STAGED 1
#define ABORTED 2
#define COMMITTED 3
#define DONE 4
#define SILENCE 0

mtype = { HELLO, STATUS, READY, NAK, SYN, SYN_ACK, ACK, FIN, ABORT, ABORT_OK, END, END_OK };

/* By exchange, from 1. */
byte recordA[RUNS + 1], recordB[RUNS + 1];
byte numberOf[RUNS + 1];          /* as A and B have agreed */
/* By number. 0: nobody's. */
byte nameA[RUNS], nameB[RUNS];    /* the reservation's ID */
byte fileA[RUNS], fileB[RUNS];    /* whose keys */
byte markA, markB;                /* the high-water mark plus one */
/* By run. */
chan toB[RUNS + 1] = [1] of { mtype, byte };
chan toA[RUNS + 1] = [2] of { mtype };
byte inDoubt[RUNS + 1], done[RUNS + 1];      /* STATUS of this connection: one bit for each exchange */

#define bitOf(y) (1 << (y))

/* ------------------------------------------------------------------------ what A and B do alike: src/store */

/* releaseName: looks whose reservation it is, then unlinks it. */
#define RELEASE_NAME(name, y) \
  if :: name[numberOf[y]] == y -> name[numberOf[y]] = 0 :: else fi

/*
 * publishDecided: nothing is overwritten; what is in the way means the alarm `name-taken`. And the promise: under one
 * number the sites never hold the keys of two exchanges.
 */
#define PUBLISH(record, file, peersFile, y) \
  atomic { \
    if \
    :: record[y] == COMMITTED && file[numberOf[y]] != y -> \
       assert(file[numberOf[y]] == 0); \
       assert(peersFile[numberOf[y]] == 0 || peersFile[numberOf[y]] == y); \
       file[numberOf[y]] = y \
    :: else \
    fi \
  }

/* remove: the mark covers the number, the name is free, the record goes. */
#define REMOVE(record, name, mark, y) \
  d_step { if :: mark <= numberOf[y] -> mark = numberOf[y] + 1 :: else fi }; \
  RELEASE_NAME(name, y); \
  record[y] = NONE

/* nextIndex: the records, then the mark. */
#ifdef NUMBER_ONLY_BY_MARK
#define IS_DECIDED(state) false
#else
#define IS_DECIDED(state) (state >= COMMITTED)
#endif
#define NEXT_NUMBER(record, mark, n) \
  atomic { \
    n = 0; i = 1; \
    do \
    :: i <= RUNS -> \
       if :: IS_DECIDED(record[i]) && numberOf[i] >= n -> n = numberOf[i] + 1 :: else fi; \
       i++ \
    :: else -> break \
    od; \
    i = 0 \
  }; \
  d_step { if :: mark > n -> n = mark :: else fi }

#ifdef NO_RESERVATION
#define isNameFree(name, file, n) (file[n] == 0)
#define canReserve(name, n) true
#else
#define isNameFree(name, file, n) (name[n] == 0 && file[n] == 0)
#define canReserve(name, n) (name[n] == 0)
#endif

/* ------------------------------------------------------------------------------------------------------- A */

inline say(word, y) { atomic { toB[me]!word(y) }; }
inline hear() { if :: toA[me]?m :: goto over fi }

/* judge, and what becomes of an abort. */
inline judge(y) {
  atomic { if :: recordA[y] == STAGED -> recordA[y] = ABORTED :: else fi; verdict = recordA[y] };
  if :: verdict == ABORTED -> RELEASE_NAME(nameA, y) :: else fi
}
inline finish(y) {
  atomic { assert(recordA[y] != STAGED && recordA[y] != ABORTED); verdict = recordA[y] };
  if
  :: verdict == COMMITTED -> PUBLISH(recordA, fileA, fileB, y); REMOVE(recordA, nameA, markA, y)
  :: else
  fi;
  say(END, y);
  hear()
}
inline tell(y) {
  if :: verdict == COMMITTED -> say(ACK, y) :: else -> say(ABORT, y) fi;
  hear();
  if :: m == FIN -> finish(y) :: else fi
}

proctype Run(byte me) {
  mtype m; byte y, n, i, verdict;
  /* redo */
  y = 1;
  do
  :: y <= RUNS ->
     if
     :: recordA[y] == STAGED || recordA[y] == ABORTED -> judge(y)
     :: recordA[y] == COMMITTED -> PUBLISH(recordA, fileA, fileB, y)
     :: else
     fi;
     y++
  :: else -> break
  od;
  /* What is open is settled; then the new exchange is asked for. */
  do
  :: NEXT_NUMBER(recordA, markA, n);
     if :: n >= RUNS || !isNameFree(nameA, fileA, n) -> goto over :: else fi;
     say(HELLO, n);
     hear();
     if
     :: m == READY -> break
     :: m == NAK -> goto over
     :: m == STATUS ->
        y = 1;
        do
        :: y <= RUNS ->
           if
           :: done[me] & bitOf(y) -> finish(y)
           :: !(done[me] & bitOf(y)) && ((inDoubt[me] & bitOf(y)) || recordA[y] == COMMITTED) -> judge(y); tell(y)
           :: else
           fi;
           y++
        :: else -> break
        od
     fi
  od;
  /* stage: the name, then the record */
  if
  :: atomic { canReserve(nameA, n) -> numberOf[me] = n; nameA[n] = me }
  :: !canReserve(nameA, n) -> goto over
  fi;
  if :: fileA[n] != 0 -> RELEASE_NAME(nameA, me); goto over :: else fi;
  recordA[me] = STAGED;
  say(SYN, me);
  if
  :: toA[me]?m
  :: m = SILENCE
  fi;
  atomic { if :: m == SYN_ACK && recordA[me] == STAGED -> recordA[me] = COMMITTED :: else fi };
  judge(me);
  if :: m == NAK -> goto over :: else fi;
  tell(me);
over:
  /* cleanUp */
  y = 1;
  do
  :: y <= RUNS ->
     if
     :: recordA[y] == ABORTED -> RELEASE_NAME(nameA, y); atomic { if :: recordA[y] == ABORTED -> recordA[y] = NONE :: else fi }
     :: else
     fi;
     y++
  :: else -> break
  od;
}

/* ------------------------------------------------------------------------------------------------------- B */

inline finishCommitted(y) {
  PUBLISH(recordB, fileB, fileA, y);
  atomic { if :: recordB[y] == COMMITTED -> recordB[y] = DONE :: else fi }
}
inline discardAborted(y) {
  RELEASE_NAME(nameB, y);
  atomic { if :: recordB[y] == ABORTED -> recordB[y] = NONE :: else fi }
}

proctype Handler(byte me) {
  mtype m; byte y, n, i, told, next;
end:
  do
  :: toB[me]?m(y) ->
     if
     :: m == HELLO ->
        n = y;
        /* redo and tidy */
        y = 1;
        do
        :: y <= RUNS ->
           if
           :: recordB[y] == COMMITTED -> finishCommitted(y)
           :: recordB[y] == ABORTED -> discardAborted(y)
           :: else
           fi;
           y++
        :: else -> break
        od;
        atomic {
          inDoubt[me] = 0; done[me] = 0; i = 1;
          do
          :: i <= RUNS ->
             if
             :: recordB[i] == STAGED -> inDoubt[me] = inDoubt[me] | bitOf(i)
             :: recordB[i] == DONE -> done[me] = done[me] | bitOf(i)
             :: else
             fi;
             i++
          :: else -> break
          od;
          i = 0
        };
        if
        :: ((inDoubt[me] | done[me]) & ~told) ->
           atomic { told = told | inDoubt[me] | done[me]; toA[me]!STATUS }
        :: else ->
           NEXT_NUMBER(recordB, markB, next);
           if
           :: n == next && isNameFree(nameB, fileB, n) -> toA[me]!READY
           :: else -> toA[me]!NAK
           fi
        fi
     :: m == SYN ->
        if
        :: atomic { canReserve(nameB, numberOf[y]) -> nameB[numberOf[y]] = y };
           if
           :: fileB[numberOf[y]] != 0 -> RELEASE_NAME(nameB, y); toA[me]!NAK
           :: else ->
              if
              :: recordB[y] = STAGED; toA[me]!SYN_ACK
              :: RELEASE_NAME(nameB, y); toA[me]!NAK            /* the KME failed */
              fi
           fi
        :: !canReserve(nameB, numberOf[y]) -> toA[me]!NAK
        fi
     :: m == ACK || m == ABORT ->
        atomic {
          if
          :: recordB[y] == STAGED && m == ACK -> recordB[y] = COMMITTED
          :: recordB[y] == STAGED && m == ABORT -> recordB[y] = ABORTED
          :: else
          fi
        };
        if
        :: recordB[y] == COMMITTED || recordB[y] == DONE -> finishCommitted(y); toA[me]!FIN
        :: recordB[y] == ABORTED -> discardAborted(y); toA[me]!ABORT_OK
        :: recordB[y] == NONE || recordB[y] == STAGED -> toA[me]!ABORT_OK      /* or UNKNOWN: nothing of it is left */
        fi
     :: m == END ->
        if :: recordB[y] == DONE -> REMOVE(recordB, nameB, markB, y) :: else fi;
        toA[me]!END_OK
     fi;
     y = 0; n = 0; next = 0
  od
}

#ifdef LATE_UNLINK
/*
 * An older exchange had the number 0 and was given up, and another process has given its name back. This one, on each
 * site, had looked before: the reservation was still that exchange's. Now it unlinks, whosever it is.
 */
proctype LateA() { nameA[0] = 0 }
proctype LateB() { nameB[0] = 0 }
#endif

init {
  atomic {
#ifdef LATE_UNLINK
    run LateA(); run LateB();
#endif
    run Run(1); run Handler(1);
    run Run(2); run Handler(2);
#if RUNS > 2
    run Run(3); run Handler(3);
#endif
  }
}
