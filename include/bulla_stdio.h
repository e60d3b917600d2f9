/*
 * Sealed files for C programs that use stdio, without an edit: recompile with
 *
 *     cc -include bulla_stdio.h program.c -lbulla
 *
 * fopen of a sealed file then gives a FILE * over its content: fgets, fread, fscanf, fseek, ftell,
 * getline and all others work. Plain files are opened as before.
 *
 *     mode       on a sealed file
 *     "r"        reads; the policy must let it be viewed here and now
 *     "w", "a"   a save: the right to edit is needed; fclose puts the new content in place, in one
 *                step, or fails and leaves the old. Streams that are open at exit are closed then;
 *                after abort, _exit or a crash the old content is there
 *     with +     refused with ENOTSUP
 *
 * A file that exists but cannot be read, so that nobody can tell whether it is sealed, is refused
 * in every mode.
 *
 * The session is started at the first sealed file, from $BULLA_HOME or the user's own home folder,
 * with the passphrase in $BULLA_PASSPHRASE if it is set. Such a program carries out no duties, so
 * files whose policies ask for some stay closed; a program that knows better starts a session
 * itself and gives it to bulla_stdio_use. With $BULLA_STDIO_LOG set, refusals are explained on
 * standard error; errno is EACCES for a denial, EIO for a file that was changed.
 *
 * What it does not reach: open, mmap, fileno (-1) and freopen; pointers to fopen; libraries that
 * were compiled without it; and a plain file that the program writes, which stays plain.
 *
 * For systems with fopencookie: glibc and musl. It defines _GNU_SOURCE.
 */
#ifndef BULLA_STDIO_H
#define BULLA_STDIO_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "bulla.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One copy a program, however many files include it. */
#define BULLA_STDIO_ONE __attribute__((weak))

/* A sealed file behind a FILE *. */
typedef struct bulla_stdio_stream {
    bulla_file *file;     /* that is read, or */
    bulla_writer *writer; /* that is written */
    FILE *stream;
    int64_t written;
    struct bulla_stdio_stream *next; /* of those that are written */
} bulla_stdio_stream;

/* Uses this session from now on; it must stay until the end of the program. */
void bulla_stdio_use(bulla_session *session);
/* What fopen becomes. */
FILE *bulla_stdio_open(const char *path, const char *mode);

extern bulla_session *bulla_stdio_session_;
extern bulla_stdio_stream *bulla_stdio_written_;
extern int bulla_stdio_lock_;
BULLA_STDIO_ONE bulla_session *bulla_stdio_session_ = NULL;
BULLA_STDIO_ONE bulla_stdio_stream *bulla_stdio_written_ = NULL;
BULLA_STDIO_ONE int bulla_stdio_lock_ = 0;

static inline void bulla_stdio_acquire_(void) {
    while (__sync_lock_test_and_set(&bulla_stdio_lock_, 1)) {
    }
}

static inline void bulla_stdio_release_(void) { __sync_lock_release(&bulla_stdio_lock_); }

/* Sets errno for an error, which it frees; gives -1. */
static inline int bulla_stdio_fail_(bulla_error *error) {
    const char *log = getenv("BULLA_STDIO_LOG");
    int32_t code = bulla_error_code(error);
    if (log && *log)
        fprintf(stderr, "bulla: %s [%s]\n", bulla_error_message(error), bulla_error_name(error));
    bulla_error_free(error);
    if (code == BULLA_E_NOT_FOUND)
        errno = ENOENT;
    else if (code == BULLA_E_FULL)
        errno = ENOSPC;
    else if (code == BULLA_E_PERMISSION || (code >= 400 && code < 500))
        errno = EACCES;
    else if (code == BULLA_E_BAD_ARGUMENT)
        errno = EINVAL;
    else
        errno = EIO;
    return -1;
}

static inline ssize_t bulla_stdio_read_(void *cookie, char *buf, size_t len) {
    bulla_error *error = NULL;
    size_t got = 0;
    if (bulla_file_read(((bulla_stdio_stream *)cookie)->file, buf, len, &got, &error) != BULLA_OK)
        return bulla_stdio_fail_(error);
    return (ssize_t)got;
}

static inline ssize_t bulla_stdio_write_(void *cookie, const char *buf, size_t len) {
    bulla_stdio_stream *s = (bulla_stdio_stream *)cookie;
    bulla_error *error = NULL;
    if (bulla_writer_write(s->writer, buf, len, &error) != BULLA_OK) {
        bulla_stdio_fail_(error);
        return 0; /* how a cookie says that it failed */
    }
    s->written += (int64_t)len;
    return (ssize_t)len;
}

static inline int bulla_stdio_seek_(void *cookie, off64_t *offset, int whence) {
    bulla_stdio_stream *s = (bulla_stdio_stream *)cookie;
    bulla_error *error = NULL;
    uint64_t at = 0;
    int32_t from = whence == SEEK_SET   ? BULLA_SEEK_SET
                   : whence == SEEK_CUR ? BULLA_SEEK_CUR
                                        : BULLA_SEEK_END;
    if (s->writer) { /* only to where it is */
        if (*offset != (whence == SEEK_SET ? s->written : 0)) {
            errno = ESPIPE;
            return -1;
        }
        *offset = s->written;
        return 0;
    }
    if (bulla_file_seek(s->file, *offset, from, &at, &error) != BULLA_OK)
        return bulla_stdio_fail_(error);
    *offset = (off64_t)at;
    return 0;
}

static inline int bulla_stdio_close_(void *cookie) {
    bulla_stdio_stream *s = (bulla_stdio_stream *)cookie, **link;
    bulla_error *error = NULL;
    int result = 0;
    bulla_stdio_acquire_();
    for (link = &bulla_stdio_written_; *link; link = &(*link)->next) {
        if (*link == s) {
            *link = s->next;
            break;
        }
    }
    bulla_stdio_release_();
    if (s->writer && bulla_writer_finish(s->writer, &error) != BULLA_OK)
        result = bulla_stdio_fail_(error);
    bulla_writer_free(s->writer);
    bulla_file_free(s->file);
    free(s);
    return result;
}

static inline void bulla_stdio_at_exit_(void) {
    for (;;) {
        FILE *stream;
        bulla_stdio_acquire_();
        stream = bulla_stdio_written_ ? bulla_stdio_written_->stream : NULL;
        bulla_stdio_release_();
        if (!stream) return;
        fclose(stream); /* takes it out of the list */
    }
}

BULLA_STDIO_ONE void bulla_stdio_use(bulla_session *session) {
    bulla_stdio_acquire_();
    bulla_stdio_session_ = session;
    bulla_stdio_release_();
}

static inline bulla_session *bulla_stdio_start_(bulla_error **error) {
    bulla_session *session = bulla_stdio_session_;
    if (!session) {
        bulla_session_options options;
        memset(&options, 0, sizeof options);
        options.struct_size = sizeof options;
        options.passphrase = getenv("BULLA_PASSPHRASE");
        if (bulla_session_start(&options, &session, error) != BULLA_OK) return NULL;
        if (!__sync_bool_compare_and_swap(&bulla_stdio_session_, (bulla_session *)NULL, session)) {
            bulla_session_free(session); /* another thread was first */
            session = bulla_stdio_session_;
        }
    }
    return session;
}

/* 1: sealed; 0: not, or not there; -1: nobody can tell, with errno. */
static inline int bulla_stdio_is_sealed_(const char *path) {
    char start[8];
    size_t n;
    struct stat found;
    FILE *plain;
    int failed;
    if (stat(path, &found) != 0) return errno == ENOENT ? 0 : -1;
    /* To open a pipe or a device can block, and what was read of it is gone. */
    if (!S_ISREG(found.st_mode)) return 0;
    plain = (fopen)(path, "rbe");
    if (!plain) return errno == ENOENT ? 0 : -1;
    n = fread(start, 1, sizeof start, plain);
    failed = ferror(plain) ? errno : 0;
    fclose(plain);
    if (failed) {
        errno = failed;
        return -1;
    }
    return bulla_is_sealed(start, n);
}

/* Starts the save that a mode asks for: of nothing, or of what was there. */
static inline int32_t bulla_stdio_save_(bulla_stdio_stream *s, int append, bulla_error **error) {
    char buf[16384];
    size_t got = 1;
    int32_t status = bulla_file_save(s->file, NULL, &s->writer, error);
    while (append && status == BULLA_OK && got > 0) {
        status = bulla_file_read(s->file, buf, sizeof buf, &got, error);
        if (status == BULLA_OK) status = bulla_writer_write(s->writer, buf, got, error);
        s->written += (int64_t)got;
    }
    memset(buf, 0, sizeof buf);
    return status;
}

BULLA_STDIO_ONE FILE *bulla_stdio_open(const char *path, const char *mode) {
    static int at_exit_set;
    cookie_io_functions_t io = {NULL, NULL, bulla_stdio_seek_, bulla_stdio_close_};
    bulla_stdio_stream *s;
    bulla_session *session;
    bulla_error *error = NULL;
    int32_t status;
    int reads = *mode == 'r', sealed;
    /* A file that must not exist yet is no sealed one. */
    sealed = !reads && strchr(mode, 'x') ? 0 : bulla_stdio_is_sealed_(path);
    if (sealed < 0) return NULL; /* it could be: opened as a plain one, an envelope would be lost */
    if (!sealed) return (fopen)(path, mode);
    if (strchr(mode, '+')) {
        errno = ENOTSUP;
        return NULL;
    }
    session = bulla_stdio_start_(&error);
    if (!session) {
        bulla_stdio_fail_(error);
        return NULL;
    }
    s = (bulla_stdio_stream *)calloc(1, sizeof *s);
    if (!s) return NULL;
    status = bulla_file_open(session, path, NULL, &s->file, &error);
    if (status == BULLA_OK && !reads) status = bulla_stdio_save_(s, *mode == 'a', &error);
    if (status == BULLA_OK) {
        if (reads)
            io.read = bulla_stdio_read_;
        else
            io.write = bulla_stdio_write_;
        s->stream = fopencookie(s, reads ? "r" : "w", io);
        if (s->stream) {
            if (!reads) {
                bulla_stdio_acquire_();
                s->next = bulla_stdio_written_;
                bulla_stdio_written_ = s;
                if (!at_exit_set) at_exit_set = atexit(bulla_stdio_at_exit_) == 0;
                bulla_stdio_release_();
            }
            return s->stream;
        }
    } else {
        bulla_stdio_fail_(error);
    }
    bulla_writer_free(s->writer); /* not finished: nothing changes */
    bulla_file_free(s->file);
    free(s);
    return NULL;
}

#ifdef __cplusplus
}
#endif

#define fopen(path, mode) bulla_stdio_open(path, mode)
#ifdef fopen64
#undef fopen64
#endif
#define fopen64(path, mode) bulla_stdio_open(path, mode)

#endif
