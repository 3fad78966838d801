/*
 * One exchange X between the sites A and B, as docs/protocol.md has it and src/store and src/handshake do it:
 * two-phase commit with presumed abort, where every decision is one rename of a record's folder.
 *
 * Shows: whatever is killed, loses power, is cut or times out, and whatever runs beside it without any lock, never
 * has one site saved the key file of X while the other gave X up; no alarm is ever raised; nothing is forgotten before
 * it is durable on both sides; nobody waits for ever. Rules 1 to 10, 14, 15 and 17; README.md says where each stands.
 *
 * Run: `npm run model`, or by hand
 *   spin -DF=1 -a exchange.pml && gcc -O2 -DSAFETY -DCOLLAPSE -DMEMLIM=4000 -o pan pan.c && ./pan -m100000 -w25
 * Expected: errors: 0. With any one of the -DM_… switches, each of which turns one rule off: errors: 1.
 * Other switches: F, the number of faults; REPLAY, old messages come again; OTHER_STATE, runs on A with another
 * state folder; TWO_RECOVERIES, the run that made X goes on to repeat its decision for ever beside the recoveries;
 * LIVE, with `pan -a -f -N settles`: once there are no more faults all is settled.
 *
 * Who:  Initiator(0)  the run on A that makes X (src/exchange/initiate.ts)
 *       Initiator(1)  recoveries and later runs on A, one after the other for ever, at any time, under no lock
 *       Handler(h)    B's side of connection h; both run at once under no lock: a new connection beside its old one,
 *                     or two processes; they share B's disk, and a kill ends both
 * Disk: v… is what the processes of a host see, s… what surely survives a power loss. A kill leaves v… as it is; a
 *       power loss leaves of each thing, by itself, s… or v….
 * F:    how often there is a kill, a power loss, a cut, a time-out at A (its wait for the vote may end at any time
 *       even so), a time-out at B or a newer connection that supersedes, a failed fsync of B's vote, a replay.
 *
 * A step is what others can tell apart. What comes between a message and the first change that it causes is the same
 * as the message lying in the channel, from where it can be read even after the connection broke; what comes between
 * a change and the word that tells it is the same as the word lying in the channel, or being lost with the connection.
 */
#ifndef F
#define F 1
#endif

#define NONE 0
#define STAGED 1
#define COMMITTED 2
#define ABORTED 3
#define DONE 4

mtype = { HELLO, CLEAN, IN_DOUBT, IS_DONE, SYN, SYN_ACK, NAK, ACK, FIN, ABORT, ABORT_OK, END, END_OK, UNKNOWN };
#define SILENCE 0
#define NOWHERE 2

byte vRecordA, sRecordA, vRecordB, sRecordB;       /* the state in the name of X's folder; aborted at B is NONE */
bit vFileA, sFileA, vFileB, sFileB;                /* the key file is in the folder of keys */
bit abortedA, abortedB, publishedA, publishedB;    /* ghosts: X was ever given up, published */
chan toB[2] = [1] of { mtype };
chan toA[2] = [1] of { mtype };
bit openA[2], openB[2], cut[2];                    /* connection h: A's end, B's end, the line between them is cut */
bit running = 1;                                   /* Initiator(0) has not come to its end */
bit killA[2], killB[2];
byte faults = F;

#ifdef REPLAY
bit saidSyn, saidAck, saidAbort;
#define NOTE(said) said = 1
#else
#define NOTE(said) skip
#endif
#ifdef OTHER_STATE
bit stranger[2];                                   /* HELLO on connection h named another state folder of A */
#endif
#if defined(OTHER_STATE) && !defined(M_NO_STATE_ID)
#define FOREIGN stranger[h]
#else
#define FOREIGN false
#endif

/* The promise. */
inline neverSplit() { assert(!(publishedA && abortedB)); assert(!(publishedB && abortedA)) }

/* ------------------------------------------------------------------------------------------------ the channel */

/* Both connections are alike, so the first that is free will do. */
inline dial() {
  if
  :: !openA[0] && !openB[0] -> h = 0
  :: (openA[0] || openB[0]) && !openA[1] && !openB[1] -> h = 1
  fi;
  openA[h] = 1; openB[h] = 1
}
inline hangUpA() {
  if
  :: h != NOWHERE ->
     openA[h] = 0;
     if :: nempty(toA[h]) -> toA[h]?_ :: empty(toA[h]) fi;
     if :: !openB[h] -> cut[h] = 0 :: else fi;
     h = NOWHERE
  :: else
  fi;
  m = SILENCE; seen = NONE
}
inline hangUpB() {
  if
  :: openB[h] ->
     openB[h] = 0;
     if :: nempty(toB[h]) -> toB[h]?_ :: empty(toB[h]) fi;
     if :: !openA[h] -> cut[h] = 0; if :: nempty(toA[h]) -> toA[h]?_ :: empty(toA[h]) fi :: else fi
  :: else
  fi;
  m = SILENCE; ok = 0
}
inline sayA(word) { if :: (openB[h] && !cut[h]) -> toB[h]!word :: (cut[h] || !openB[h]) -> skip fi }
inline sayB(word) { if :: (openA[h] && !cut[h]) -> toA[h]!word :: (cut[h] || !openA[h]) -> skip fi }

/* A hears something, or its wait ends. To begin an atomic with. */
inline hearA() {
  if
  :: toA[h]?m
  :: (cut[h] || !openB[h]) -> m = SILENCE
  :: faults > 0 -> faults--; m = SILENCE
  fi
}

/* ------------------------------------------------------------------------------------- A: src/store/decision.ts */

#ifdef M_READER_DOES_NOT_SYNC
#define SYNC_WHAT_IS_READ() skip
#else
#define SYNC_WHAT_IS_READ() sRecordA = vRecordA
#endif
#ifdef M_FILE_NOT_SYNCED
#define SYNC_FILE_A() skip
#else
#define SYNC_FILE_A() sFileA = vFileA
#endif
#ifdef M_END_BEFORE_SYNC
#define SYNC_REMOVAL() skip
#else
#define SYNC_REMOVAL() sRecordA = vRecordA
#endif

/* judge: the decision as it stands, made first where there is none: an abort. It needs no fsync to be told. */
inline judge() {
#ifdef M_DECIDE_WITHOUT_RENAME
  if :: seen == STAGED -> vRecordA = ABORTED; abortedA = 1; neverSplit() :: else seen = vRecordA fi;
#else
  if :: vRecordA == STAGED -> vRecordA = ABORTED; abortedA = 1; neverSplit() :: else fi;
  seen = vRecordA;
#endif
  if :: seen == COMMITTED -> SYNC_WHAT_IS_READ() :: else fi
}
/* Without the rename that only one can win, there is time between the look and the change. */
#ifdef M_DECIDE_WITHOUT_RENAME
#define LOOK() seen = vRecordA
#else
#define LOOK() skip
#endif

inline publishA() {
  if :: vRecordA == COMMITTED -> vFileA = 1; publishedA = 1; neverSplit() :: else fi
}

/* remove: the record goes once the file is durable; needs FIN. */
inline remove() {
  SYNC_FILE_A();
  if
  :: vRecordA == COMMITTED ->
#ifndef M_FORGET_WITHOUT_FIN
     assert(sFileA && sFileB);
#endif
     vRecordA = NONE
  :: else
  fi
}

/* finish: B has saved X. Published, removed, END: each durable before the next. Goes on from the message. */
inline beginFinish() {
  assert(vRecordA != STAGED && vRecordA != ABORTED);            /* the alarm `contradiction` of rule 9 */
  seen = vRecordA;
  if :: seen == COMMITTED -> SYNC_WHAT_IS_READ(); publishA() :: else fi
}
inline endFinish() {
  if :: seen == COMMITTED -> d_step { remove(); seen = NONE } :: else fi;
  atomic { SYNC_REMOVAL(); sayA(END); m = SILENCE };
  atomic { hearA(); m = SILENCE }
}

/* --------------------------------------------------------------- A: src/handshake/settling.ts and initiator.ts */

inline tell() {
  if
  :: seen == COMMITTED -> NOTE(saidAck); sayA(ACK)
  :: else -> NOTE(saidAbort); sayA(ABORT)
  fi;
  m = SILENCE; seen = NONE
}

/* B's answer: FIN, be it to ACK or to ABORT, means that B has saved X. */
inline hearAnswer() {
  atomic {
    hearA();
    if
    :: m == FIN -> beginFinish()
    :: m == UNKNOWN -> assert(vRecordA == NONE)                 /* the alarm `unknown-to-peer` of rule 10 */
    :: else
    fi
  };
  if :: m == FIN -> endFinish() :: else fi
}

/* A run may be older than what it would find; for `settles` it must not be so for ever. */
#ifdef LIVE
#define NOTHING else
#else
#define NOTHING skip
#endif

/* What is done without the peer at every start. */
inline redo() {
  if
  :: vRecordA == STAGED -> atomic { LOOK() }; atomic { judge(); seen = NONE }
  :: atomic { vRecordA == COMMITTED -> SYNC_WHAT_IS_READ(); publishA() }; d_step { SYNC_FILE_A() }
  :: NOTHING
  fi
}

/* A contact that settles X, by what STATUS says of it. */
inline settle() {
  redo();
  atomic {
    dial();
#ifdef OTHER_STATE
    stranger[h] = 0;
#endif
    sayA(HELLO)
  };
  atomic {
    hearA();
    if
    :: m == IS_DONE -> beginFinish()
#ifndef M_DECIDE_WITHOUT_RENAME
    :: m == IN_DOUBT -> judge(); tell(); m = ACK
    /* Not named by B: only what was committed here before HELLO is told. */
    :: m == CLEAN && (vRecordA == COMMITTED || (vRecordA == NONE && publishedA)) -> 
#ifdef LIVE
       judge(); tell(); m = ACK
#else
       if :: judge(); tell(); m = ACK :: skip fi
#endif
#else
    :: m == IN_DOUBT || (m == CLEAN && vRecordA == COMMITTED) -> LOOK()
#endif
    :: else
    fi
  };
#ifdef M_DECIDE_WITHOUT_RENAME
  if :: m == IN_DOUBT || (m == CLEAN && seen == COMMITTED) -> atomic { judge(); tell(); m = ACK } :: else fi;
#endif
  if
  :: m == IS_DONE -> endFinish()
  :: m == ACK -> hearAnswer()
  :: else
  fi;
  /* cleanUp, and only after the contact: rule 15. */
  atomic { hangUpA(); if :: vRecordA == ABORTED -> vRecordA = NONE :: skip fi }
}

#ifdef OTHER_STATE
/* A run with another state folder has no record of X: what it is asked, it answers with ABORT. */
inline settleAsStranger() {
  atomic { dial(); stranger[h] = 1; sayA(HELLO) };
  atomic {
    hearA();
    if
    :: m == IN_DOUBT -> sayA(ABORT)
    :: m == IS_DONE -> sayA(END)
    :: else
    fi
  };
  if :: m == IN_DOUBT || m == IS_DONE -> atomic { hearA() } :: else fi;
  atomic { hangUpA() }
}
#endif

/* The run that makes X; in the same contact B has told it before that it is ready. */
inline exchange() {
  atomic {
#ifndef M_STAGE_AFTER_SYN
    vRecordA = STAGED; sRecordA = STAGED;
#endif
    dial();
#ifdef OTHER_STATE
    stranger[h] = 0;
#endif
    NOTE(saidSyn); sayA(SYN)
  };
  if
  :: atomic {
     toA[h]?m ->
#ifdef M_STAGE_AFTER_SYN
     if :: m == SYN_ACK && vRecordA == NONE -> vRecordA = STAGED; sRecordA = STAGED :: else fi;
#endif
#ifdef M_DECIDE_WITHOUT_RENAME
     if :: m == SYN_ACK -> LOOK() :: else fi
#else
     if :: m == SYN_ACK && vRecordA == STAGED -> vRecordA = COMMITTED; seen = COMMITTED :: else fi
#endif
     }
  :: m = SILENCE
  fi;
#ifdef M_DECIDE_WITHOUT_RENAME
  if :: seen == STAGED -> vRecordA = COMMITTED; seen = COMMITTED :: else seen = NONE fi;
#endif
  if
  :: seen == COMMITTED ->
     atomic {
#ifndef M_COMMIT_NOT_SYNCED
       sRecordA = vRecordA;
#endif
       tell()
     };
     hearAnswer();
#ifdef M_FORGET_WITHOUT_FIN
     d_step { publishA() }; d_step { remove() };
#endif
  :: seen != COMMITTED && m == NAK -> atomic { LOOK() }; atomic { judge() }         /* who has not voted need not hear of it */
  :: seen != COMMITTED && m != NAK -> atomic { LOOK() }; atomic { judge(); tell() }; hearAnswer()
  fi;
  atomic { hangUpA() }
}

proctype Initiator(bit me) {
  mtype m = SILENCE; byte h = NOWHERE; byte seen = NONE;
  if
  :: me == 0 ->
     {
       exchange();
#ifdef TWO_RECOVERIES
       do :: settle() od;
#endif
       running = 0
     } unless { atomic { killA[0] -> killA[0] = 0; running = 0; hangUpA() } }
  :: else ->
end: do
     :: {
          do
          :: settle()
#ifdef OTHER_STATE
          :: settleAsStranger()
#endif
          od
        } unless { atomic { killA[1] -> killA[1] = 0; hangUpA() } }
     od
  fi
}

/* -------------------------------------------------------------------------------------- B: src/store/vote.ts */

/* An old SYN makes the record once more: that takes no file back, and a vote that was dropped may be given after all. */
#ifdef REPLAY
#define GIVEN_UP() abortedB = abortedB || !vFileB
#define DROPPED() skip
#else
#define GIVEN_UP() abortedB = 1
#define DROPPED() abortedB = 1
#endif
inline giveUpVote() {
  if :: vRecordB == STAGED -> vRecordB = NONE; GIVEN_UP(); neverSplit() :: else fi
}

#ifdef M_FIN_BEFORE_RECORD_SYNC
#define SYNC_RECORD_B() skip
#else
#define SYNC_RECORD_B() sRecordB = vRecordB
#endif

inline dropVote() {
  if :: vRecordB == STAGED -> vRecordB = NONE; DROPPED(); neverSplit() :: else fi
}

/* finishCommitted: published, then `.done`, each durable before the next. The last fsync comes with the answer. */
inline finishCommitted() {
  if
  :: atomic {
       vRecordB == COMMITTED ->
       ok = 1; SYNC_RECORD_B(); vFileB = 1; publishedB = 1; neverSplit()
     };
     d_step {
#ifndef M_FIN_BEFORE_FILE_SYNC
       sFileB = vFileB;
#endif
#ifdef M_NO_TOMBSTONE
       if :: vRecordB == COMMITTED -> vRecordB = NONE :: else fi
#else
       if :: vRecordB == COMMITTED -> vRecordB = DONE :: else fi
#endif
     }
  :: else
  fi
}

inline answerHello() {
  if
  :: vRecordB == DONE && !FOREIGN -> SYNC_RECORD_B(); sayB(IS_DONE)
  :: vRecordB == STAGED && !FOREIGN -> sRecordB = vRecordB; sayB(IN_DOUBT)
  :: else -> sayB(CLEAN)                                        /* also where it was committed after the redo */
  fi;
  m = SILENCE
}

proctype Handler(byte h) {
  mtype m = SILENCE; bit ok = 0;
end:
  do
  :: {
    openB[h];
    do
    :: atomic {
       toB[h]?m ->
       if
       :: m == HELLO && vRecordB != COMMITTED -> answerHello()
       :: m == SYN ->
          if
          :: sayB(NAK); m = SILENCE                             /* the KME failed, no room, the name is taken */
          :: vRecordB == NONE -> vRecordB = STAGED
          :: vRecordB != NONE -> sayB(NAK); m = SILENCE         /* the ID is known already */
          fi
       :: m == ACK && vRecordB == NONE -> sayB(UNKNOWN); m = SILENCE
       :: m == ACK && vRecordB == STAGED -> vRecordB = COMMITTED; ok = 1
       :: m == ABORT && !FOREIGN ->
#ifdef M_ABORT_ANYTHING
          if :: vRecordB != NONE -> vRecordB = NONE; vFileB = 0; abortedB = 1; neverSplit() :: else fi;
#endif
          giveUpVote();
          if :: vRecordB == NONE -> sayB(ABORT_OK); m = SILENCE :: else fi      /* else the real state: finish it, FIN */
       :: m == END && !FOREIGN ->
#ifndef REPLAY
          assert(vRecordB == DONE || vRecordB == NONE);         /* NAK `contradiction` */
#endif
          if :: vRecordB == DONE -> assert(sFileA); vRecordB = NONE :: else fi;
          sayB(END_OK); m = SILENCE
       :: (m == ABORT || m == END) && FOREIGN -> sayB(NAK); m = SILENCE
       :: else
       fi
       };
       if
       :: m == SYN ->
          if
          :: atomic {
#ifndef M_VOTE_NOT_SYNCED
             sRecordB = vRecordB;
#endif
             sayB(SYN_ACK); m = SILENCE }
          :: atomic { faults > 0 -> faults--; dropVote(); sayB(NAK); m = SILENCE }      /* nobody was told of it */
          fi
       :: m == ACK || m == ABORT ->
          finishCommitted();
          atomic {
            if
            :: vRecordB == DONE -> SYNC_RECORD_B(); sayB(FIN)
            :: else -> if :: sayB(FIN) :: m == ACK -> sayB(UNKNOWN) :: m == ABORT -> sayB(ABORT_OK) fi    /* END came meanwhile */
            fi;
            m = SILENCE; ok = 0
          }
       :: m == HELLO -> finishCommitted(); atomic { answerHello(); ok = 0 }
       :: else
       fi
    :: atomic { (cut[h] || !openA[h]) -> break }
    :: atomic { faults > 0 -> faults--; break }                 /* time-out, or superseded: rule 14 */
    od;
    atomic {
#ifdef M_RESPONDER_ABORTS_ALONE
      giveUpVote();
#endif
      hangUpB()
    }
  } unless {
    atomic { killB[h] -> killB[h] = 0; hangUpB() }
  }
  od
}

/* ------------------------------------------------------------------------------------------------- the faults */

/* A handler without a connection has nothing to lose. */
inline killAllB() { killB[0] = openB[0]; killB[1] = openB[1] }

proctype Faults() {
end:
  do
  :: atomic {
     faults > 0 -> faults--;
     if
     :: running -> killA[0] = 1
     :: killA[1] = 1
     :: killAllB()
     :: killA[0] = running; killA[1] = 1;                       /* power loss at A */
        if :: vRecordA = sRecordA :: sRecordA = vRecordA fi;
        if :: vFileA = sFileA :: sFileA = vFileA fi
     :: killAllB();                                             /* power loss at B */
        if :: vRecordB = sRecordB :: sRecordB = vRecordB fi;
        if :: vFileB = sFileB :: sFileB = vFileB fi
     :: (openA[0] || openB[0]) -> cut[0] = 1
     :: (openA[1] || openB[1]) -> cut[1] = 1
     fi }
#ifdef REPLAY
  :: atomic {
     faults > 0 -> faults--;
     if
     :: saidSyn && openB[0] && nfull(toB[0]) -> toB[0]!SYN
     :: saidAck && openB[0] && nfull(toB[0]) -> toB[0]!ACK
     :: saidAbort && openB[0] && nfull(toB[0]) -> toB[0]!ABORT
     :: saidSyn && openB[1] && nfull(toB[1]) -> toB[1]!SYN
     :: saidAck && openB[1] && nfull(toB[1]) -> toB[1]!ACK
     :: saidAbort && openB[1] && nfull(toB[1]) -> toB[1]!ABORT
     fi }
#endif
#ifdef LIVE
  :: atomic { faults > 0 -> faults-- }                          /* there need not be as many */
#endif
  od
}

init { atomic { run Initiator(0); run Initiator(1); run Handler(0); run Handler(1); run Faults() } }

#ifdef LIVE
#define settled ((vRecordA == NONE || vRecordA == ABORTED) && vRecordB == NONE && vFileA == vFileB)
ltl settles { <>[] settled }
#endif
