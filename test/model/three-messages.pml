/*
 * Why three messages are not enough (docs/protocol.md): SYN, SYN_ACK, ACK, a wait for FIN, and no durable records.
 * A saves after the wait; B saves on ACK and gives up on a time-out. Nobody crashes: one cut of the line is enough.
 * -DSAVE_ONLY_AFTER_FIN: the obvious repair, A saves only if FIN has come.
 *
 * Run: spin -a three-messages.pml && gcc -DSAFETY -o pan pan.c && ./pan
 * Expected: errors: 1, with the repair too.
 */
#define UNDECIDED 0
#define SAVED 1
#define GIVEN_UP 2

mtype = { SYN, SYN_ACK, ACK, FIN };
chan toB = [1] of { mtype };
chan toA = [1] of { mtype };
bit cut;
byte a, b;

active proctype Line() { if :: cut = 1 :: skip fi }

active proctype A() {
  if :: !cut -> toB!SYN :: cut -> skip fi;
  if :: toA?SYN_ACK -> skip :: cut -> a = GIVEN_UP; goto end fi;
  if :: !cut -> toB!ACK :: cut -> skip fi;
#ifdef SAVE_ONLY_AFTER_FIN
  if :: toA?FIN -> a = SAVED :: cut -> a = GIVEN_UP fi;
#else
  if :: toA?FIN :: cut -> skip fi;
  a = SAVED;
#endif
end:
  skip
}

active proctype B() {
  if :: toB?SYN -> skip :: cut -> b = GIVEN_UP; goto end fi;
  if :: !cut -> toA!SYN_ACK :: cut -> skip fi;
  if
  :: toB?ACK -> b = SAVED; if :: !cut -> toA!FIN :: cut -> skip fi
  :: cut -> b = GIVEN_UP
  fi;
end:
  skip
}

active proctype Oracle() {
end:
  atomic { (a == SAVED && b == GIVEN_UP) || (a == GIVEN_UP && b == SAVED) -> assert(false) }
}
