/*
 * docs/protocol.md, "Records", step 2: a key is published once, although its user may move it away at once.
 * Two processes finish the same committed exchange; each may stop anywhere, which is the same as being slow.
 * -DLINK: the key is linked into the folder of keys, then the record changes, then the first name goes.
 *
 * Run: spin -a publish-once.pml && gcc -DSAFETY -o pan pan.c && ./pan
 * Expected: errors: 0; with -DLINK errors: 1, the same key twice.
 */
bit committed = 1, inRecord = 1, inKeys;
byte published;

proctype Finisher() {
#ifdef LINK
  if
  :: atomic { inRecord && committed -> if :: !inKeys -> inKeys = 1; published++ :: else fi }    /* EEXIST: is there */
  :: !(inRecord && committed)
  fi;
  committed = 0;
  inRecord = 0
#else
  if
  :: atomic { inRecord -> inRecord = 0; inKeys = 1; published++ }                               /* the rename */
  :: !inRecord                                                                                  /* ENOENT: is there */
  fi;
  committed = 0
#endif
}

active proctype User() {
end:
  do :: inKeys -> inKeys = 0 od
}

active proctype Oracle() {
end:
  atomic { published > 1 -> assert(false) }
}

init { atomic { run Finisher(); run Finisher() } }
