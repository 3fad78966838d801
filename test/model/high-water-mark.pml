/*
 * Rule 12: the number of the next file lies above every number that was ever saved. The mark is raised before the
 * record goes; it is a folder of files of which the two highest stay, and it is read after the records.
 * Exchanges 0, 1 and 2 are decided one after the other; two runs remove the record of exchange 0, and any of them may
 * be suspended anywhere. A reader looks for the next number at any time.
 * -DONE_FILE: the mark is one file that is read and written anew.   -DMARK_BEFORE_RECORDS: the reader's order turned.
 * -DRECORD_BEFORE_MARK: the record goes before the mark is raised.
 *
 * Run: spin -a high-water-mark.pml && gcc -DSAFETY -o pan pan.c && ./pan
 * Expected: errors: 0; with any of the switches errors: 1, a number is given twice.
 */
#define EXCHANGES 3

bit record[EXCHANGES], mark[EXCHANGES];
byte next;                        /* how many exchanges were decided, which is the next number */
byte oneFile;                     /* with ONE_FILE: the mark plus one */

inline raise(n) {
#ifdef ONE_FILE
  old = oneFile;
  if :: n + 1 > old -> oneFile = n + 1 :: else fi
#else
  mark[n] = 1;
  d_step {                        /* lists the folder; keeps those that it saw highest */
    old = 0; seen = 0; i = EXCHANGES;
    do
    :: i > 0 -> i--; if :: mark[i] -> seen++; if :: seen == 2 -> old = i; break :: else fi :: else fi
    :: else -> break
    od;
    i = 0
  };
  do :: i < old -> mark[i] = 0; i++ :: else -> break od
#endif
}

proctype Exchange(byte n; bit first) {
  byte old, seen, i;
  if
  :: first -> atomic { next == n -> record[n] = 1; next++ }
  :: else -> next > n
  fi;
  if
  :: record[n] ->
#ifdef RECORD_BEFORE_MARK
     record[n] = 0; raise(n)
#else
     raise(n); record[n] = 0
#endif
  :: !record[n]
  fi
}

inline readRecords() {
  d_step { i = 0; do :: i < EXCHANGES -> if :: record[i] && i >= number -> number = i + 1 :: else fi; i++ :: else -> break od }
}
inline readMark() {
#ifdef ONE_FILE
  d_step { if :: oneFile > number -> number = oneFile :: else fi }
#else
  d_step { i = 0; do :: i < EXCHANGES -> if :: mark[i] && i >= number -> number = i + 1 :: else fi; i++ :: else -> break od }
#endif
}

active proctype Reader() {
  byte least, number, i;
  least = next;
#ifdef MARK_BEFORE_RECORDS
  readMark(); readRecords();
#else
  readRecords(); readMark();
#endif
  assert(number >= least)
}

init { atomic { run Exchange(0, 1); run Exchange(0, 0); run Exchange(1, 1); run Exchange(2, 1) } }
