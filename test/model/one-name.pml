/*
 * Rule 11: final names are reserved before staging. Two exchanges of overlapping runs, with two IDs, want one name;
 * nothing crashes, nothing is cut, and the decision about each ID is perfect.
 * -DNO_RESERVATION: the name is looked up, then the exchange is staged.
 *
 * Run: spin -a one-name.pml && gcc -DSAFETY -o pan pan.c && ./pan
 * Expected: errors: 0; with -DNO_RESERVATION errors: 1, the sites hold different keys under one name.
 */
byte fileA, fileB;                /* whose keys the file holds */
bit decided[3], staged[3];
byte finished;

proctype A(byte id) {
end:
  staged[id];                     /* SYN_ACK */
  decided[id] = 1;
  fileA = id;
  finished++
}

proctype B(byte id) {
  bit free;
#ifdef NO_RESERVATION
  free = (fileB == 0 && !staged[1] && !staged[2]);
  if :: free -> staged[id] = 1 :: else fi;
#else
  atomic { free = (!staged[1] && !staged[2]); if :: free -> staged[id] = 1 :: else fi };
#endif
  if :: free -> decided[id]; fileB = id; finished++ :: else fi
}

active proctype Oracle() {
end:
  atomic { finished == 4 -> assert(fileA == fileB) }
}

init { atomic { run B(1); run B(2); run A(1); run A(2) } }
