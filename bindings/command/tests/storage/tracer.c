/* Runs a command, counts what it does below one folder, and lets one of these operations go wrong.
 *
 *   tracer --under FOLDER --log FILE [fault] -- COMMAND ARGUMENTS...
 *
 * It stands between the command and the kernel (ptrace), so nothing is missed, whatever library
 * makes the calls, and the command is the one that ships. Operations are counted from 1. Faults:
 *
 *   --fail K:ERRNO     operation K is not done and fails; of `close`, it is done and fails
 *   --from K:ERRNO     the same for K and every later one that needs space (a full disk)
 *   --short K          operation K, a read or write, does half of what was asked, at least a byte
 *   --torn K:ERRNO     operation K, a write, does half of it and fails
 *   --kill K           the command is killed before operation K
 *   --pause K:MS:CMD   before K, CMD is run by the shell, for at most MS; then both go on
 *   --interrupt        whatever a signal can interrupt, but for opening folders, is interrupted first
 *                      each time (EINTR)
 *   --chop N           no read or write does more than N bytes
 *   --named            files without a name are refused, as by file systems that have none
 *
 * The log has one line an operation: number, name, result, inode, offset, length, flags or mode,
 * and paths, separated by tabs. With `--data FILE` all bytes written go there, in the same order. */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the tracer knows the registers of x86_64 only"
#endif

enum kind { FD, PATH, AT, TWO_FDS, RENAME, RENAMEAT, LINKAT };
enum {
    MOVES = 1,    /* moves bytes: can be short */
    WRITES = 2,   /* changes the content of a file */
    WAITS = 4,    /* a signal can interrupt it */
    SPACE = 8,    /* fails where no space is left */
    VECTOR = 16,
};

static const struct call {
    long number;
    const char *name;
    enum kind kind;
    int what;
    int length; /* which argument says how many bytes */
} calls[] = {
    {SYS_open, "open", PATH, WAITS, -1},
    {SYS_openat, "openat", AT, WAITS, -1},
    {SYS_openat2, "openat2", AT, WAITS, -1},
    {SYS_creat, "creat", PATH, WAITS | SPACE, -1},
    {SYS_close, "close", FD, 0, -1},
    {SYS_read, "read", FD, MOVES | WAITS, 2},
    {SYS_pread64, "pread", FD, MOVES | WAITS, 2},
    {SYS_readv, "readv", FD, MOVES | WAITS | VECTOR, -1},
    {SYS_preadv, "preadv", FD, MOVES | WAITS | VECTOR, -1},
    {SYS_preadv2, "preadv2", FD, MOVES | WAITS | VECTOR, -1},
    {SYS_write, "write", FD, MOVES | WRITES | WAITS | SPACE, 2},
    {SYS_pwrite64, "pwrite", FD, MOVES | WRITES | WAITS | SPACE, 2},
    {SYS_writev, "writev", FD, MOVES | WRITES | WAITS | SPACE | VECTOR, -1},
    {SYS_pwritev, "pwritev", FD, MOVES | WRITES | WAITS | SPACE | VECTOR, -1},
    {SYS_pwritev2, "pwritev2", FD, MOVES | WRITES | WAITS | SPACE | VECTOR, -1},
    {SYS_copy_file_range, "copy_file_range", TWO_FDS, MOVES | WRITES | WAITS | SPACE, 4},
    {SYS_sendfile, "sendfile", TWO_FDS, MOVES | WRITES | WAITS | SPACE, 3},
    {SYS_fsync, "fsync", FD, WAITS | SPACE, -1},
    {SYS_fdatasync, "fdatasync", FD, WAITS | SPACE, -1},
    {SYS_syncfs, "syncfs", FD, SPACE, -1},
    {SYS_sync_file_range, "sync_file_range", FD, SPACE, -1},
    {SYS_ftruncate, "ftruncate", FD, WAITS, -1},
    {SYS_fallocate, "fallocate", FD, WAITS | SPACE, -1},
    {SYS_flock, "flock", FD, WAITS, -1},
    {SYS_fchmod, "fchmod", FD, 0, -1},
    {SYS_fchown, "fchown", FD, 0, -1},
    {SYS_fstat, "fstat", FD, 0, -1},
    {SYS_getdents64, "getdents", FD, 0, -1},
    {SYS_statx, "statx", AT, 0, -1},
    {SYS_newfstatat, "fstatat", AT, 0, -1},
    {SYS_stat, "stat", PATH, 0, -1},
    {SYS_lstat, "lstat", PATH, 0, -1},
    {SYS_utimensat, "utimensat", AT, 0, -1},
    {SYS_readlink, "readlink", PATH, 0, -1},
    {SYS_readlinkat, "readlinkat", AT, 0, -1},
    {SYS_chmod, "chmod", PATH, 0, -1},
    {SYS_fchmodat, "fchmodat", AT, 0, -1},
    {SYS_mkdir, "mkdir", PATH, SPACE, -1},
    {SYS_mkdirat, "mkdirat", AT, SPACE, -1},
    {SYS_unlink, "unlink", PATH, 0, -1},
    {SYS_unlinkat, "unlinkat", AT, 0, -1},
    {SYS_link, "link", RENAME, SPACE, -1},
    {SYS_linkat, "linkat", LINKAT, SPACE, -1},
    {SYS_rename, "rename", RENAME, SPACE, -1},
    {SYS_renameat, "renameat", RENAMEAT, SPACE, -1},
    {SYS_renameat2, "renameat2", RENAMEAT, SPACE, -1},
};

struct thread {
    pid_t id;
    int interrupted;         /* its last call was made to fail with EINTR */
    const struct call *call; /* what is counted, or NULL */
    long number;             /* of the operation */
    long error;              /* what it is to fail with, or 0 */
    int done;                /* whether it is done even so */
    struct user_regs_struct before;
    uint64_t vector_at, vector_length; /* a length in memory to put back */
    char path[PATH_MAX], other[PATH_MAX];
    unsigned long inode, replaced;
    long offset;
    int existed;
};

static struct thread threads[256];
static char under[PATH_MAX];
static FILE *record, *data;
static long count;
static struct { char kind[12]; long at, error; char *command; } fault;
static long chop;
static int interrupt, named_only;

static void die(const char *why)
{
    fprintf(stderr, "tracer: %s: %s\n", why, strerror(errno));
    exit(125);
}

static struct thread *thread_of(pid_t id)
{
    struct thread *free = NULL;
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        if (threads[i].id == id)
            return &threads[i];
        if (!free && !threads[i].id)
            free = &threads[i];
    }
    if (!free)
        die("too many threads");
    memset(free, 0, sizeof *free);
    free->id = id;
    return free;
}

static void peek(pid_t id, uint64_t from, void *to, size_t size)
{
    struct iovec here = {to, size}, there = {(void *)from, size};
    if (process_vm_readv(id, &here, 1, &there, 1, 0) != (ssize_t)size)
        die("reading the command's memory");
}

static void text_at(pid_t id, uint64_t from, char *to)
{
    size_t have = 0;
    while (have < PATH_MAX - 1) {
        /* Not past the end of a page: the next one may not be there. */
        size_t size = 4096 - (from + have) % 4096;
        if (size > PATH_MAX - 1 - have)
            size = PATH_MAX - 1 - have;
        struct iovec here = {to + have, size}, there = {(void *)(from + have), size};
        ssize_t got = process_vm_readv(id, &here, 1, &there, 1, 0);
        if (got <= 0)
            break;
        if (memchr(to + have, 0, got))
            return;
        have += got;
    }
    to[have] = 0;
}

static void link_of(char *to, const char *format, pid_t id, long fd)
{
    char name[64];
    snprintf(name, sizeof name, format, (int)id, fd);
    ssize_t size = readlink(name, to, PATH_MAX - 1);
    to[size < 0 ? 0 : size] = 0;
}

static void fd_path(pid_t id, long fd, char *to)
{
    link_of(to, "/proc/%d/fd/%ld", id, fd);
}

/* The absolute path that a call names. */
static void path_at(pid_t id, int folder, uint64_t from, char *to)
{
    char text[PATH_MAX] = "", base[PATH_MAX] = "";
    if (from)
        text_at(id, from, text);
    if (!strncmp(text, "/proc/self/fd/", 14)) {
        fd_path(id, atol(text + 14), to);
        return;
    }
    if (*text != '/') {
        if (folder == AT_FDCWD)
            link_of(base, "/proc/%d/cwd", id, 0);
        else
            fd_path(id, folder, base);
    }
    size_t size = strlen(base);
    /* What is named from the folder the command is in is below that folder. */
    const char *rest = strncmp(text, "./", 2) ? text : text + 2;
    if (!strcmp(rest, "."))
        rest = "";
    if (snprintf(to, PATH_MAX, size && *rest ? "%s/%s" : "%s%s", base, rest) >= PATH_MAX)
        *to = 0;
}

static int is_under(const char *path)
{
    size_t size = strlen(under);
    return !strncmp(path, under, size) && (!path[size] || path[size] == '/');
}

static int file_of(pid_t id, long fd, struct stat *found)
{
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/fd/%ld", (int)id, fd);
    return stat(name, found);
}

static long position(pid_t id, long fd)
{
    char name[64];
    long at = 0;
    snprintf(name, sizeof name, "/proc/%d/fdinfo/%ld", (int)id, fd);
    FILE *info = fopen(name, "re");
    if (info) {
        if (fscanf(info, "pos: %ld", &at) != 1)
            at = 0;
        fclose(info);
    }
    return at;
}

static long argument(const struct user_regs_struct *r, int i)
{
    const unsigned long long all[] = {r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9};
    return (long)all[i];
}

static void set_argument(struct user_regs_struct *r, int i, long value)
{
    unsigned long long *all[] = {&r->rdi, &r->rsi, &r->rdx, &r->r10, &r->r8, &r->r9};
    *all[i] = (unsigned long long)value;
}

/* The descriptor that is changed or read. */
static long descriptor(const struct thread *t)
{
    return argument(&t->before, t->call->number == SYS_copy_file_range ? 2 : 0);
}

/* Lets a call move at most `most` bytes. */
static void shorten(struct thread *t, struct user_regs_struct *r, long most)
{
    if (!(t->call->what & VECTOR)) {
        if ((unsigned long)argument(r, t->call->length) > (unsigned long)most)
            set_argument(r, t->call->length, most);
        return;
    }
    uint64_t at = (uint64_t)argument(r, 1);
    for (long left = argument(r, 2); left > 0; left--, at += sizeof(struct iovec)) {
        struct iovec part;
        peek(t->id, at, &part, sizeof part);
        if (!part.iov_len)
            continue;
        set_argument(r, 1, (long)at);
        set_argument(r, 2, 1);
        if (part.iov_len > (size_t)most) {
            t->vector_at = at + offsetof(struct iovec, iov_len);
            t->vector_length = part.iov_len;
            if (ptrace(PTRACE_POKEDATA, t->id, t->vector_at, most))
                die("shortening a vector");
        }
        return;
    }
}

static long asked_for(struct thread *t, const struct user_regs_struct *r)
{
    if (!(t->call->what & VECTOR))
        return argument(r, t->call->length);
    long sum = 0;
    for (long i = 0; i < argument(r, 2); i++) {
        struct iovec part;
        peek(t->id, (uint64_t)argument(r, 1) + (uint64_t)i * sizeof part, &part, sizeof part);
        sum += (long)part.iov_len;
    }
    return sum;
}

/* Runs a command beside, and waits for it at most so long. */
static void beside(const char *command, long milliseconds)
{
    int ends[2]; /* the command has one, until it ends */
    pid_t child = pipe(ends) ? -1 : fork();
    if (child < 0)
        die("fork");
    if (!child) {
        close(ends[0]);
        /* Not to be waited for among the traced ones. */
        if (fork())
            _exit(0);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    waitpid(child, NULL, 0);
    struct pollfd ended = {ends[0], POLLIN, 0};
    while (poll(&ended, 1, (int)milliseconds) < 0 && errno == EINTR)
        ;
    close(ends[0]);
}

static int is(const char *kind)
{
    return !strcmp(fault.kind, kind);
}

/* The flags of an `open`. */
static long opened_how(const struct thread *t, const struct user_regs_struct *r)
{
    switch (t->call->number) {
    case SYS_open:
        return argument(r, 1);
    case SYS_openat:
        return argument(r, 2);
    default:
        return 0;
    }
}

/* Another thread may end the process at any time: then this one is gone, and its end comes next. */
static int gone(long failed, const char *what)
{
    if (failed && errno != ESRCH)
        die(what);
    return failed != 0;
}

static void enter(struct thread *t)
{
    t->call = NULL;
    if (gone(ptrace(PTRACE_GETREGS, t->id, NULL, &t->before), "reading registers"))
        return;
    struct user_regs_struct r = t->before;
    t->error = t->done = 0;
    t->vector_at = 0;
    *t->path = *t->other = 0;
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].number == (long)r.orig_rax)
            t->call = &calls[i];
    if (!t->call)
        return;
    switch (t->call->kind) {
    case FD:
        fd_path(t->id, argument(&r, 0), t->path);
        break;
    case TWO_FDS:
        fd_path(t->id, argument(&r, 0), t->path);
        fd_path(t->id, argument(&r, 1 + (t->call->number == SYS_copy_file_range)), t->other);
        if (t->call->number == SYS_copy_file_range) {
            char swap[PATH_MAX];
            strcpy(swap, t->path), strcpy(t->path, t->other), strcpy(t->other, swap);
        }
        break;
    case PATH:
        path_at(t->id, AT_FDCWD, (uint64_t)argument(&r, 0), t->path);
        break;
    case AT:
        path_at(t->id, (int)argument(&r, 0), (uint64_t)argument(&r, 1), t->path);
        break;
    case RENAME:
        path_at(t->id, AT_FDCWD, (uint64_t)argument(&r, 0), t->path);
        path_at(t->id, AT_FDCWD, (uint64_t)argument(&r, 1), t->other);
        break;
    case RENAMEAT:
    case LINKAT:
        path_at(t->id, (int)argument(&r, 0), (uint64_t)argument(&r, 1), t->path);
        path_at(t->id, (int)argument(&r, 2), (uint64_t)argument(&r, 3), t->other);
        break;
    }
    if (!is_under(t->path) && !is_under(t->other)) {
        t->call = NULL;
        return;
    }
    /* What it is about, before it is changed. */
    struct stat found = {0};
    int fd = t->call->kind == FD || t->call->kind == TWO_FDS;
    t->existed = (fd ? file_of(t->id, descriptor(t), &found) : stat(t->path, &found)) == 0;
    t->inode = t->existed ? found.st_ino : 0;
    t->offset = -1;
    if (t->call->what & MOVES) {
        long n = t->call->number;
        if (n == SYS_pread64 || n == SYS_pwrite64 || n == SYS_preadv || n == SYS_pwritev ||
            n == SYS_preadv2 || n == SYS_pwritev2)
            t->offset = argument(&r, 3);
        else
            t->offset = position(t->id, descriptor(t));
        if (n == SYS_copy_file_range && argument(&r, 3))
            peek(t->id, (uint64_t)argument(&r, 3), &t->offset, sizeof t->offset);
    }
    long how = opened_how(t, &r);
    int unnamed = how & (O_TMPFILE & ~O_DIRECTORY);
    /* Libraries that list folders do not open them again after a signal. */
    int folder = how & O_DIRECTORY && !unnamed;
    if (interrupt && t->call->what & WAITS && !folder && !t->interrupted) {
        t->interrupted = 1;
        t->error = EINTR;
        t->number = -1;
    } else {
        t->interrupted = 0;
        t->number = ++count;
    }
    if (named_only && unnamed)
        t->error = EOPNOTSUPP;
    if (chop && t->call->what & MOVES && !t->error)
        shorten(t, &r, chop);
    if (t->number == fault.at) {
        if (is("kill")) {
            kill(t->id, SIGKILL);
            t->call = NULL;
            return;
        }
        if (is("pause"))
            beside(fault.command, fault.error);
        if (is("fail"))
            t->error = fault.error, t->done = t->call->number == SYS_close;
        if ((is("short") || is("torn")) && t->call->what & MOVES) {
            long asked = asked_for(t, &r);
            shorten(t, &r, asked > 1 ? asked / 2 : asked);
        }
        if (is("torn") && t->call->what & WRITES)
            t->error = fault.error, t->done = 1;
    }
    if (is("from") && t->number >= fault.at) {
        int space = t->call->what & SPACE;
        if (how)
            space = unnamed || how & O_CREAT;
        if (space)
            t->error = fault.error;
    }
    if (t->error && !t->done)
        r.orig_rax = (unsigned long long)-1;
    if (memcmp(&r, &t->before, sizeof r))
        gone(ptrace(PTRACE_SETREGS, t->id, NULL, &r), "setting registers");
}

/* Keeps what was written, from the file itself. */
static void keep(struct thread *t, long size)
{
    char name[64], buffer[1 << 16];
    snprintf(name, sizeof name, "/proc/%d/fd/%ld", (int)t->id, descriptor(t));
    int from = open(name, O_RDONLY | O_CLOEXEC);
    if (from < 0)
        die("reading back what was written");
    for (long at = 0; at < size;) {
        size_t want = (size_t)(size - at) < sizeof buffer ? (size_t)(size - at) : sizeof buffer;
        ssize_t got = pread(from, buffer, want, t->offset + at);
        if (got <= 0 || fwrite(buffer, 1, (size_t)got, data) != (size_t)got)
            die("reading back what was written");
        at += got;
    }
    close(from);
}

static void leave(struct thread *t)
{
    if (!t->call)
        return;
    struct user_regs_struct r;
    if (gone(ptrace(PTRACE_GETREGS, t->id, NULL, &r), "reading registers"))
        return;
    long result = (long)r.rax;
    int skipped = t->error && !t->done;
    /* What was done, even where it is said to have failed. */
    long done = skipped ? -t->error : result;
    if (t->error)
        r.rax = (unsigned long long)-t->error;
    for (int i = 0; i < 6; i++)
        set_argument(&r, i, argument(&t->before, i));
    if (gone(ptrace(PTRACE_SETREGS, t->id, NULL, &r), "setting registers"))
        return;
    if (t->vector_at && ptrace(PTRACE_POKEDATA, t->id, t->vector_at, t->vector_length))
        die("putting a vector back");
    long flags = 0;
    struct stat found;
    switch (t->call->number) {
    case SYS_open:
    case SYS_openat:
        flags = opened_how(t, &t->before);
        if (done >= 0 && file_of(t->id, done, &found) == 0)
            t->inode = found.st_ino;
        break;
    case SYS_link:
    case SYS_linkat:
        if (stat(t->other, &found) == 0)
            t->inode = found.st_ino;
        break;
    case SYS_ftruncate:
    case SYS_fchmod:
        flags = argument(&t->before, 1);
        break;
    }
    if (data && t->call->what & WRITES && done > 0)
        keep(t, done);
    fprintf(record, "%ld\t%s\t%ld\t%lu\t%ld\t%ld\t%s\t%s\t%d\n", t->number, t->call->name, done,
            t->inode, t->offset, flags, t->path, t->other, t->existed);
    t->call = NULL;
}

static const struct { const char *name; int number; } errors[] = {
    {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EACCES", EACCES}, {"EINTR", EINTR},
    {"EROFS", EROFS}, {"EMFILE", EMFILE},
};

static void set_fault(const char *kind, char *value)
{
    char *rest = strchr(value, ':');
    snprintf(fault.kind, sizeof fault.kind, "%s", kind);
    fault.at = atol(value);
    if (is("pause")) {
        fault.error = rest ? atol(rest + 1) : 0;
        fault.command = rest ? strchr(rest + 1, ':') : NULL;
        if (!fault.command)
            die("--pause needs K:MS:COMMAND");
        fault.command++;
        return;
    }
    for (size_t i = 0; rest && i < sizeof errors / sizeof *errors; i++)
        if (!strcmp(errors[i].name, rest + 1))
            fault.error = errors[i].number;
    if (rest && !fault.error)
        die("unknown error");
}

int main(int argc, char **argv)
{
    int i = 1;
    for (; i < argc && strcmp(argv[i], "--"); i++) {
        const char *o = argv[i];
        if (!strcmp(o, "--interrupt")) {
            interrupt = 1;
        } else if (!strcmp(o, "--named")) {
            named_only = 1;
        } else if (i + 1 >= argc) {
            die("an option lacks its value");
        } else if (!strcmp(o, "--under")) {
            if (!realpath(argv[++i], under))
                die("the folder");
        } else if (!strcmp(o, "--log")) {
            record = fopen(argv[++i], "we");
        } else if (!strcmp(o, "--data")) {
            data = fopen(argv[++i], "we");
        } else if (!strcmp(o, "--chop")) {
            chop = atol(argv[++i]);
        } else {
            set_fault(o + 2, argv[++i]);
        }
    }
    if (!record || !*under || i + 1 >= argc)
        die("--under, --log and a command are needed");
    pid_t first = fork();
    if (first < 0)
        die("fork");
    if (!first) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        raise(SIGSTOP);
        execvp(argv[i + 1], argv + i + 1);
        fprintf(stderr, "tracer: %s: %s\n", argv[i + 1], strerror(errno));
        _exit(126);
    }
    int status, ended = 125;
    if (waitpid(first, &status, 0) != first || !WIFSTOPPED(status))
        die("starting the command");
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE |
                   PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;
    if (ptrace(PTRACE_SETOPTIONS, first, NULL, options))
        die("tracing the command");
    thread_of(first);
    ptrace(PTRACE_SYSCALL, first, NULL, NULL);
    pid_t id;
    while ((id = waitpid(-1, &status, __WALL)) > 0) {
        struct thread *t = thread_of(id);
        if (WIFEXITED(status) || WIFSIGNALED(status)) {
            t->id = 0;
            if (id == first)
                ended = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            continue;
        }
        int signal = WSTOPSIG(status), event = status >> 16;
        if (signal == (SIGTRAP | 0x80)) {
            struct __ptrace_syscall_info info = {0};
            long got = ptrace(PTRACE_GET_SYSCALL_INFO, id, sizeof info, &info);
            if (gone(got <= 0, "what a thread stopped for"))
                continue;
            if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
                enter(t);
            else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
                leave(t);
            signal = 0;
        } else if (event || signal == SIGSTOP || signal == SIGTRAP) {
            signal = 0;
        }
        ptrace(PTRACE_SYSCALL, id, NULL, signal);
    }
    if (fclose(record) || (data && fclose(data)))
        die("writing the log");
    return ended;
}
