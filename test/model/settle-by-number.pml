/*
 * Rule 17: everything is settled by the exchange's ID, never by its number.
 * Exchange 1 was to become file 7: B has voted, the line broke, A has given it up. Exchange 2 gets the number 7 again
 * and commits. Then B settles its vote for exchange 1.
 * -DBY_NUMBER: B asks what was decided about number 7, and hears of the other exchange.
 *
 * Run: spin -a settle-by-number.pml && gcc -DSAFETY -o pan pan.c && ./pan
 * Expected: errors: 0; with -DBY_NUMBER errors: 1.
 */
#define NONE 0
#define STAGED 1
#define COMMITTED 2
#define ABORTED 3

byte recordA[3], recordB[3];      /* by exchange */
byte decidedOfNumber;             /* what A has decided last about number 7 */
byte fileA, fileB;                /* whose keys file 7 holds; 0: there is no such file */

active proctype Sites() {
  recordA[1] = STAGED; recordB[1] = STAGED;
  recordA[1] = ABORTED; decidedOfNumber = ABORTED;
  if
  :: skip
  :: recordA[2] = STAGED;
     if
     :: recordB[2] = STAGED; recordA[2] = COMMITTED; decidedOfNumber = COMMITTED; fileA = 2
     :: recordA[2] = ABORTED; decidedOfNumber = ABORTED
     fi
  fi;
  do
  :: recordB[1] == STAGED ->
#ifdef BY_NUMBER
     if :: decidedOfNumber == COMMITTED -> recordB[1] = COMMITTED; fileB = 1 :: else -> recordB[1] = ABORTED fi
#else
     if :: recordA[1] == COMMITTED -> recordB[1] = COMMITTED; fileB = 1 :: else -> recordB[1] = ABORTED fi
#endif
  :: recordB[2] == STAGED ->
     if
     :: recordA[2] == COMMITTED -> recordB[2] = COMMITTED; if :: fileB == 0 -> fileB = 2 :: else fi
     :: else -> recordB[2] = ABORTED
     fi
  :: recordB[1] != STAGED && recordB[2] != STAGED -> break
  od;
  assert(fileA == fileB)
}
