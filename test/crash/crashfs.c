/*
 * LD_PRELOAD: counts the calls of one process that change what lies below one folder, and lets fate strike at one of
 * them. Node must run with UV_THREADPOOL_SIZE=1 UV_USE_IO_URING=0, so that the order of calls is the same each time.
 *
 *   CRASH_ROOT     the folder
 *   CRASH_AT       which call, from 1
 *   CRASH_HOW      kill-before, kill-after, torn (half a write, then killed), short (half a write), stop-before,
 *                  stop-after (SIGSTOP), or the name of an errno
 *   CRASH_ON       set: the errno holds from that call on, for all calls that a disk in this state would refuse
 *   CRASH_STEP     set: SIGSTOP before every call, again and again
 *   CRASH_NOFSYNC  set: no fsync does anything (a planted bug)
 *   CRASH_LOG      a file that gets a line for each call, `7 rename FROM TO`; `hit 7` where fate has struck, `vain 7`
 *                  where the call failed by itself, `talk 7` where something was said to others after it
 *   CRASH_BOOT_ID  a file that is read in place of /proc/sys/kernel/random/boot_id
 *
 * utimes does not count: the lock's heartbeat comes by the clock.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define BOOT_ID "/proc/sys/kernel/random/boot_id"
#define REAL(f) ({ static __typeof__(&f) p; if (!p) p = (__typeof__(&f))dlsym(RTLD_NEXT, #f); p; })

typedef char Path[PATH_MAX];

static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
static Path root;
static const char *how = "", *boot_id;
static int count, at, from_then_on, step, nofsync, logfd = -1;

__attribute__((constructor)) static void init(void) {
  const char *v;
  if (!(v = getenv("CRASH_ROOT")) || !realpath(v, root)) root[0] = 0;
  if ((v = getenv("CRASH_AT"))) at = atoi(v);
  if ((v = getenv("CRASH_HOW"))) how = v;
  boot_id = getenv("CRASH_BOOT_ID");
  from_then_on = getenv("CRASH_ON") != NULL;
  step = getenv("CRASH_STEP") != NULL;
  nofsync = getenv("CRASH_NOFSYNC") != NULL;
  if ((v = getenv("CRASH_LOG")))
    logfd = (int)syscall(SYS_openat, AT_FDCWD, v, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void say(const char *format, ...) {
  char line[2 * PATH_MAX + 64];
  va_list v;
  va_start(v, format);
  int length = vsnprintf(line, sizeof line, format, v);
  va_end(v);
  if (logfd >= 0) syscall(SYS_write, logfd, line, length);
}

static int is(const char *what) { return strcmp(how, what) == 0; }

/* Whether an absolute path is the folder or lies below it. */
static int below(const char *path) {
  size_t length = strlen(root);
  return length > 0 && strncmp(path, root, length) == 0 && (path[length] == 0 || path[length] == '/');
}

static int fd_path(int fd, char *out) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, out, PATH_MAX - 1);
  if (length < 0) return 0;
  out[length] = 0;
  return 1;
}

static int fd_below(int fd, char *out) { return root[0] != 0 && fd_path(fd, out) && below(out); }

static int path_below(int dir, const char *path, char *out) {
  Path base;
  if (root[0] == 0) return 0;
  if (path[0] == '/') snprintf(out, PATH_MAX, "%s", path);
  else {
    if (dir == AT_FDCWD ? getcwd(base, sizeof base) == NULL : !fd_path(dir, base)) return 0;
    if (snprintf(out, PATH_MAX, "%s/%s", base, path) >= PATH_MAX) return 0;
  }
  return below(out);
}

/* The whole process, at this instant: a signal for the thread itself is taken before it goes on. */
static void strike(int signal, int me) {
  say("hit %d\n", me);
  syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), signal);
}

static int errno_of(void) {
  static const struct { const char *name; int number; } known[] = {
    {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EROFS", EROFS}, {"EACCES", EACCES}, {"EDQUOT", EDQUOT}, {"EMFILE", EMFILE}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) if (is(known[i].name)) return known[i].number;
  return 0;
}

/*
 * Whether a disk in this state refuses this kind of call. A broken one refuses everything, and so does one that was
 * remounted read-only after an error, what is open already too. Permission is asked for when a file is opened: fsync
 * and write are never answered EACCES.
 */
static int refuses(const char *kind) {
  if (is("ENOSPC") || is("EDQUOT")) return strcmp(kind, "unlink") && strcmp(kind, "rmdir") && strcmp(kind, "fsync");
  if (is("EACCES")) return strcmp(kind, "fsync") && strcmp(kind, "write");
  return 1;
}

/* Before a call: its number, with the lock held; 0 where it must fail, with errno set. */
static int enter(const char *kind, const char *first, const char *second) {
  pthread_mutex_lock(&one);
  int me = ++count;
  say("%d %s %s%s%s\n", me, kind, first, second ? " " : "", second ? second : "");
  if (step || (me == at && is("stop-before"))) strike(SIGSTOP, me);
  if (me == at && is("kill-before")) strike(SIGKILL, me);
  int code = errno_of();
  if (code == 0 || at == 0 || !(me == at || (from_then_on && me > at && refuses(kind)))) return me;
  say("hit %d\n", me);
  pthread_mutex_unlock(&one);
  errno = code;
  return 0;
}

/* After a call. `vain` marks one that has changed nothing. */
static void leave(int me, long result) {
  int error = errno;
  if (result < 0) say("vain %d\n", me);
  if (me == at && is("kill-after")) strike(SIGKILL, me);
  if (me == at && is("stop-after")) strike(SIGSTOP, me);
  pthread_mutex_unlock(&one);
  errno = error;
}

/* A call that changes something: `call` is made between the two, or -1 answered. */
#define CHANGE(type, kind, first, second, call) do { \
    int me = enter(kind, first, second);             \
    if (me == 0) return -1;                          \
    type result = (call);                            \
    leave(me, result);                               \
    return result;                                   \
  } while (0)

/* Something is said to the peer or the KME: what lies between two such words is the same to everybody else. */
static void overheard(int fd) {
  struct stat facts;
  if (logfd >= 0 && fstat(fd, &facts) == 0 && S_ISSOCK(facts.st_mode)) say("talk %d\n", count);
}

#define OPEN(name, signature, dir, ...)                                       \
  int name signature {                                                        \
    Path p;                                                                   \
    mode_t mode = 0;                                                          \
    if (flags & O_CREAT) {                                                    \
      va_list v;                                                              \
      va_start(v, flags);                                                     \
      mode = va_arg(v, mode_t);                                               \
      va_end(v);                                                              \
    }                                                                         \
    if (boot_id && strcmp(path, BOOT_ID) == 0) path = boot_id;                \
    if (!(flags & (O_CREAT | O_TRUNC)) || !path_below(dir, path, p)) return REAL(name)(__VA_ARGS__); \
    CHANGE(int, "creat", p, NULL, REAL(name)(__VA_ARGS__));                   \
  }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD, path, flags, mode)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD, path, flags, mode)
OPEN(openat, (int dir, const char *path, int flags, ...), dir, dir, path, flags, mode)
OPEN(openat64, (int dir, const char *path, int flags, ...), dir, dir, path, flags, mode)

/* `half` writes half of it. */
#define WRITE(name, signature, whole, half)                        \
  ssize_t name signature {                                         \
    Path p;                                                        \
    if (!fd_below(fd, p)) {                                        \
      overheard(fd);                                               \
      return REAL(name) whole;                                     \
    }                                                              \
    int me = enter("write", p, NULL);                              \
    if (me == 0) return -1;                                        \
    int torn = me == at && is("torn"), cut = me == at && is("short"); \
    ssize_t result = torn || cut ? REAL(name) half : REAL(name) whole; \
    if (cut) say("hit %d\n", me);                                  \
    if (torn) strike(SIGKILL, me);                                 \
    leave(me, result);                                             \
    return result;                                                 \
  }
#define HALF(size) ((size) > 1 ? (size) / 2 : (size))
WRITE(write, (int fd, const void *b, size_t n), (fd, b, n), (fd, b, HALF(n)))
WRITE(pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, n, o), (fd, b, HALF(n), o))
WRITE(pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, n, o), (fd, b, HALF(n), o))
WRITE(writev, (int fd, const struct iovec *b, int n), (fd, b, n), (fd, b, HALF(n)))
WRITE(pwritev, (int fd, const struct iovec *b, int n, off_t o), (fd, b, n, o), (fd, b, HALF(n), o))
WRITE(pwritev64, (int fd, const struct iovec *b, int n, off64_t o), (fd, b, n, o), (fd, b, HALF(n), o))

#define BY_FD(kind, name, signature, pass, unless)                 \
  int name signature {                                             \
    Path p;                                                        \
    if (!fd_below(fd, p)) return REAL(name) pass;                  \
    CHANGE(int, kind, p, NULL, (unless) ? 0 : REAL(name) pass);    \
  }
BY_FD("fsync", fsync, (int fd), (fd), nofsync)
BY_FD("fsync", fdatasync, (int fd), (fd), nofsync)
BY_FD("truncate", ftruncate, (int fd, off_t n), (fd, n), 0)
BY_FD("truncate", ftruncate64, (int fd, off64_t n), (fd, n), 0)
BY_FD("chmod", fchmod, (int fd, mode_t m), (fd, m), 0)

#define BY_PATH(kind, name, signature, dir, path, pass)            \
  int name signature {                                             \
    Path p;                                                        \
    if (!path_below(dir, path, p)) return REAL(name) pass;         \
    CHANGE(int, kind, p, NULL, REAL(name) pass);                   \
  }
BY_PATH("unlink", unlink, (const char *a), AT_FDCWD, a, (a))
BY_PATH("unlink", unlinkat, (int d, const char *a, int f), d, a, (d, a, f))
BY_PATH("rmdir", rmdir, (const char *a), AT_FDCWD, a, (a))
BY_PATH("mkdir", mkdir, (const char *a, mode_t m), AT_FDCWD, a, (a, m))
BY_PATH("mkdir", mkdirat, (int d, const char *a, mode_t m), d, a, (d, a, m))
BY_PATH("chmod", chmod, (const char *a, mode_t m), AT_FDCWD, a, (a, m))
BY_PATH("truncate", truncate, (const char *a, off_t n), AT_FDCWD, a, (a, n))
BY_PATH("symlink", symlink, (const char *to, const char *a), AT_FDCWD, a, (to, a))

#define BY_PATHS(kind, name, signature, dir1, path1, dir2, path2, pass)          \
  int name signature {                                                           \
    Path p, q;                                                                   \
    int first = path_below(dir1, path1, p), second = path_below(dir2, path2, q); \
    if (!first && !second) return REAL(name) pass;                               \
    CHANGE(int, kind, p, q, REAL(name) pass);                                    \
  }
BY_PATHS("rename", rename, (const char *a, const char *b), AT_FDCWD, a, AT_FDCWD, b, (a, b))
BY_PATHS("rename", renameat, (int c, const char *a, int d, const char *b), c, a, d, b, (c, a, d, b))
BY_PATHS("rename", renameat2, (int c, const char *a, int d, const char *b, unsigned f), c, a, d, b, (c, a, d, b, f))
BY_PATHS("link", link, (const char *a, const char *b), AT_FDCWD, a, AT_FDCWD, b, (a, b))
BY_PATHS("link", linkat, (int c, const char *a, int d, const char *b, int f), c, a, d, b, (c, a, d, b, f))
