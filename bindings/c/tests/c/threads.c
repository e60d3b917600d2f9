/* Many threads at once: on one file, one session, one sealer, and on a file that was changed. */
#include "test.h"
#include "threads.h"

enum { LEN = 400000, THREADS = 4, ROUNDS = 200 };
static unsigned char *content;
static bulla_session *session;
static bulla_sealer *sealer;
static bulla_file *file;

static THREAD_BODY read_anywhere(void *arg) {
    uint64_t seed = 99 + (uint64_t)(size_t)arg;
    unsigned char buf[40000];
    int i;
    for (i = 0; i < ROUNDS; i++) {
        size_t got, len;
        uint64_t at;
        char *text;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        at = (seed >> 33) % LEN;
        len = (size_t)((seed >> 20) % sizeof buf);
        OK(bulla_file_pread(file, at, buf, len, &got, &err));
        CHECK(got == (len < LEN - at ? len : (size_t)(LEN - at)));
        CHECK(memcmp(buf, content + at, got) == 0);
        if (i % 50 == 0) {
            OK(bulla_session_refresh(session, &err));
            OK(bulla_file_watermark(file, &text, &err));
            bulla_string_free(text);
        }
    }
    return THREAD_DONE;
}

/* Moving one position from two threads is a mistake, but a harmless one. */
static THREAD_BODY read_on(void *arg) {
    char c[64];
    int i;
    UNUSED(arg);
    for (i = 0; i < ROUNDS; i++) {
        size_t got;
        uint64_t at;
        bulla_error *e = NULL;
        int32_t status = bulla_file_read(file, c, sizeof c, &got, &e);
        CHECK(status == BULLA_OK || status == BULLA_E_BAD_STATE);
        CHECK((status == BULLA_OK) == (e == NULL));
        bulla_error_free(e);
        status = bulla_file_seek(file, 0, BULLA_SEEK_SET, &at, NULL);
        CHECK(status == BULLA_OK || status == BULLA_E_BAD_STATE);
    }
    return THREAD_DONE;
}

static THREAD_BODY read_changed(void *arg) {
    int i;
    for (i = 0; i < ROUNDS; i++) {
        char c[64];
        size_t got = 1;
        int32_t status = bulla_file_pread((bulla_file *)arg, 10, c, sizeof c, &got, NULL);
        CHECK(status == BULLA_E_BAD_CHUNK || status == BULLA_E_BAD_STATE);
        CHECK(got == 0);
    }
    return THREAD_DONE;
}

static THREAD_BODY seal_some(void *arg) {
    char path[32];
    bulla_file *own;
    bulla_seal_options options;
    int i;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = BULLA_REPLACE;
    sprintf(path, "t%u.bulla", (unsigned)(size_t)arg);
    for (i = 0; i < 10; i++) {
        OK(bulla_sealer_seal_bytes(sealer, content, 1000, path, &options, NULL, &err));
        own = open_file(session, path);
        bulla_file_free(own);
    }
    return THREAD_DONE;
}

#ifdef _WIN32
typedef DWORD(WINAPI *body)(void *);
#else
typedef void *(*body)(void *);
#endif

static void together(body work, void *same) {
    thread threads[THREADS];
    size_t i;
    for (i = 0; i < THREADS; i++) start(&threads[i], work, same ? same : (void *)i);
    for (i = 0; i < THREADS; i++) join(threads[i]);
}

static void many_readers_of_one_file(void) { together(read_anywhere, NULL); }
static void one_position(void) { together(read_on, NULL); }
static void one_sealer(void) { together(seal_some, NULL); }

static void a_changed_file(void) {
    size_t len;
    char *sealed = slurp("threads.bulla", &len);
    bulla_file *changed;
    sealed[len - LEN - 100] ^= 1; /* in the first chunk */
    spit("changed.bulla", sealed, len);
    changed = open_file(session, "changed.bulla");
    together(read_changed, changed);
    bulla_file_free(changed);
    free(sealed);
}

int main(void) {
    content = noise(LEN, 7);
    session = desk();
    sealer = issuer();
    seal("all.json", "threads.bulla", content, LEN);
    file = open_file(session, "threads.bulla");
    RUN(many_readers_of_one_file);
    RUN(one_position);
    RUN(a_changed_file);
    RUN(one_sealer);
    bulla_file_free(file);
    bulla_sealer_free(sealer);
    bulla_session_free(session);
    free(content);
    return 0;
}
