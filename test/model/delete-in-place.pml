/*
 * Rule 15: a half-made record is cleared away by a rename into the trash, and only there are its files deleted. Its
 * writer may be suspended and wake up at any time.
 * -DIN_PLACE: the files are deleted first, where they are.
 *
 * Run: spin -a delete-in-place.pml && gcc -DSAFETY -o pan pan.c && ./pan
 * Expected: errors: 0; with -DIN_PLACE errors: 1, a vote without a key.
 */
bit key, temporary, staged, voted, trash;

active proctype Writer() {
  atomic { temporary = 1; key = 1 };
  if
  :: atomic { temporary -> temporary = 0; staged = 1 };     /* the rename */
     voted = 1
  :: !temporary                                             /* ENOENT: the race is lost, NAK */
  fi
}

active proctype CleanUp() {
  if
  :: temporary ->
#ifdef IN_PLACE
     key = 0;
     if :: atomic { temporary -> temporary = 0 } :: else fi
#else
     if :: atomic { temporary -> temporary = 0; trash = 1 }; key = 0 :: else fi
#endif
  :: skip
  fi
}

active proctype Oracle() {
end:
  atomic { voted -> assert(key) }
}
