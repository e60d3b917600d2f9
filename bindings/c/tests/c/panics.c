/* A panic in each exported function: the host lives, and is told of an internal error. Needs a
 * library built with the feature `test-panic`. usage: panics LIST-OF-SYMBOLS */
#include "test.h"

BULLA_API void bulla_test_panic(const char *function, int32_t in_handle);

static bulla_session *session;
static bulla_sealer *sealer;
static bulla_file *file;
static bulla_writer *writer;
static bulla_session *new_session;
static bulla_sealer *new_sealer;
static bulla_file *new_file;
static bulla_writer *new_writer;
static bulla_metadata meta;
static bulla_source source;
static bulla_sink sink;
static bulla_sealer_options make;
static uint64_t u64;
static uint32_t u32;
static size_t got;
static char *text;
static char buf[8];
static const char *owned;
static const uint16_t wide[] = {'s', 'e', 'a', 'l', 'e', 'd', 0};
static const uint16_t wide_new[] = {'n', 'e', 'w', 0};

/* The handles that a call used, to see that they are poisoned. */
enum { NONE, SESSION, SEALER, FILE_, WRITER };

#define STATUS(name, handle, ...)                                                                  \
    static int32_t call_##name(bulla_error **err) { return bulla_##name(__VA_ARGS__, err); }
#define CALLS(X)                                                                                   \
    X(right_by_name, NONE, "view", &u32)                                                           \
    X(session_start, NONE, NULL, &new_session)                                                     \
    X(session_refresh, SESSION, session)                                                           \
    X(session_use_badge, SESSION, session, "b", NULL, 0)                                           \
    X(session_explain, SESSION, session, "sealed", NULL, &text)                                    \
    X(session_device, SESSION, session, &text)                                                     \
    X(file_open, SESSION, session, "sealed", NULL, &new_file)                                      \
    X(file_open_w, SESSION, session, wide, NULL, &new_file)                                        \
    X(file_open_fd, SESSION, session, 0, NULL, &new_file)                                          \
    X(file_open_handle, SESSION, session, buf, NULL, &new_file)                                    \
    X(file_open_source, SESSION, session, &source, NULL, &new_file)                                \
    X(file_size, FILE_, file, &u64)                                                                \
    X(file_pread, FILE_, file, 0, buf, 1, &got)                                                    \
    X(file_read, FILE_, file, buf, 1, &got)                                                        \
    X(file_seek, FILE_, file, 0, 0, &u64)                                                          \
    X(file_tell, FILE_, file, &u64)                                                                \
    X(file_rights, FILE_, file, &u32)                                                              \
    X(file_duties, FILE_, file, BULLA_RIGHT_VIEW, &u32, &text)                                     \
    X(file_until, FILE_, file, &u64)                                                               \
    X(file_decision, FILE_, file, &text)                                                           \
    X(file_watermark, FILE_, file, &text)                                                          \
    X(file_metadata, FILE_, file, &meta)                                                           \
    X(file_id, FILE_, file, &owned)                                                                \
    X(file_revision, FILE_, file, &u64)                                                            \
    X(file_use, FILE_, file, BULLA_RIGHT_PRINT)                                                    \
    X(file_export, FILE_, file, "new", NULL, &u64)                                                 \
    X(file_export_w, FILE_, file, wide_new, NULL, &u64)                                            \
    X(file_export_fd, FILE_, file, 1, NULL, &u64)                                                  \
    X(file_export_sink, FILE_, file, &sink, NULL, &u64)                                            \
    X(file_save, FILE_, file, NULL, &new_writer)                                                   \
    X(file_save_to, FILE_, file, &sink, NULL, &new_writer)                                         \
    X(sealer_new, SESSION, &make, &new_sealer)                                                     \
    X(sealer_from_template, SESSION, session, "t", NULL, 0, &new_sealer)                           \
    X(sealer_begin, SEALER, sealer, "new", NULL, &new_writer)                                      \
    X(sealer_begin_w, SEALER, sealer, wide_new, NULL, &new_writer)                                 \
    X(sealer_begin_sink, SEALER, sealer, &sink, NULL, &new_writer)                                 \
    X(sealer_seal_file, SEALER, sealer, "all.json", "new", NULL, &text)                            \
    X(sealer_seal_file_w, SEALER, sealer, wide, wide_new, NULL, &text)                             \
    X(sealer_seal_bytes, SEALER, sealer, "x", 1, "new", NULL, &text)                               \
    X(sealer_seal_bytes_to, SEALER, sealer, "x", 1, &sink, NULL, &text)                            \
    X(writer_write, WRITER, writer, "x", 1)                                                        \
    X(writer_finish, WRITER, writer)                                                               \
    X(writer_file_id, WRITER, writer, &owned)                                                      \
    X(inspect, NONE, "sealed", &u64, &text)                                                        \
    X(inspect_w, NONE, wide, &u64, &text)                                                          \
    X(inspect_bytes, NONE, "x", 1, &u64, &text)                                                    \
    X(inspect_source, NONE, &source, &u64, &text)                                                  \
    X(trail_verify, SESSION, session, NULL, &text)                                                 \
    X(window_protect, NONE, buf)                                                                   \
    X(clipboard_guard, NONE, buf)
CALLS(STATUS)

typedef struct call {
    const char *name;
    int handle;
    int32_t (*run)(bulla_error **err);
} call;
#define ENTRY(name, handle, ...) {"bulla_" #name, handle, call_##name},
static const call calls[] = {CALLS(ENTRY)};
enum { CALL_COUNT = sizeof calls / sizeof *calls };

static int32_t read_at(void *user, uint64_t offset, void *out, size_t len, size_t *out_read) {
    UNUSED(user); UNUSED(offset); UNUSED(out); UNUSED(len); UNUSED(out_read);
    return 1;
}
static int32_t size_of(void *user, uint64_t *out) {
    UNUSED(user); UNUSED(out);
    return 1;
}
static int32_t write_all(void *user, const void *bytes, size_t len) {
    UNUSED(user); UNUSED(bytes); UNUSED(len);
    return 0;
}

static void set_up(void) {
    session = desk();
    sealer = issuer();
    seal("all.json", "sealed", "content", 7);
    file = open_file(session, "sealed");
    OK(bulla_sealer_begin(sealer, "never", NULL, &writer, &err));
    memset(&meta, 0, sizeof meta);
    meta.struct_size = sizeof meta;
    source.struct_size = sizeof source;
    source.read_at = read_at;
    source.size = size_of;
    sink.struct_size = sizeof sink;
    sink.write = write_all;
    make.struct_size = sizeof make;
    make.session = session;
}

static void take_down(void) {
    bulla_writer_free(writer);
    bulla_file_free(file);
    bulla_sealer_free(sealer);
    bulla_session_free(session);
}

static void panics_at_the_start(void) {
    size_t i;
    for (i = 0; i < CALL_COUNT; i++) {
        test_now = calls[i].name;
        new_session = (bulla_session *)1;
        bulla_test_panic(calls[i].name, 0);
        EXPECT(BULLA_E_INTERNAL, calls[i].run(&err));
        bulla_test_panic(calls[i].name, 0);
        CHECK(calls[i].run(NULL) == BULLA_E_INTERNAL);
    }
    /* Nothing was entered, so nothing is poisoned. */
    OK(bulla_file_pread(file, 0, buf, 7, &got, &err));
    CHECK(got == 7);
}

static void panics_with_a_handle(void) {
    size_t i;
    for (i = 0; i < CALL_COUNT; i++) {
        if (calls[i].handle == NONE) continue;
        test_now = calls[i].name;
        set_up();
        u64 = got = 77;
        u32 = 77;
        new_file = NULL;
        text = NULL;
        bulla_test_panic(calls[i].name, 1);
        EXPECT(BULLA_E_INTERNAL, calls[i].run(&err));
        CHECK(new_file == NULL && text == NULL);
        switch (calls[i].handle) { /* nobody uses it again */
        case SESSION: EXPECT(BULLA_E_BAD_STATE, bulla_session_refresh(session, &err)); break;
        case SEALER:
            EXPECT(BULLA_E_BAD_STATE, bulla_sealer_begin(sealer, "x", NULL, &new_writer, &err));
            break;
        case FILE_:
            u64 = 77;
            EXPECT(BULLA_E_BAD_STATE, bulla_file_size(file, &u64, &err));
            CHECK(u64 == 0);
            break;
        default: EXPECT(BULLA_E_BAD_STATE, bulla_writer_write(writer, "x", 1, &err));
        }
        /* The other handles go on. */
        if (calls[i].handle != FILE_) {
            OK(bulla_file_pread(file, 0, buf, 7, &got, &err));
            CHECK(got == 7);
        }
        take_down();
    }
    CHECK(!exists("never") && !exists("new"));
}

#define PANICS(name) bulla_test_panic("bulla_" name, 0)

/* Functions that have no status. What they were to free is lost. */
static const char *const others[] = {
    "bulla_abi_version", "bulla_version",       "bulla_code_name",    "bulla_right_name",
    "bulla_is_sealed",   "bulla_error_code",    "bulla_error_name",   "bulla_error_class",
    "bulla_error_free",  "bulla_error_message", "bulla_string_free",  "bulla_error_decision",
    "bulla_file_free",   "bulla_writer_free",   "bulla_session_free", "bulla_sealer_free"};

static void panics_without_a_status(void) {
    bulla_error *e = NULL;
    CHECK(bulla_file_open(session, "none", NULL, &new_file, &e) == BULLA_E_NOT_FOUND);
    PANICS("abi_version");
    CHECK(bulla_abi_version() == UINT32_MAX);
    PANICS("version");
    CHECK(*bulla_version() == 0);
    PANICS("code_name");
    CHECK(bulla_code_name(1) == NULL);
    PANICS("right_name");
    CHECK(bulla_right_name(1) == NULL);
    PANICS("is_sealed");
    CHECK(bulla_is_sealed("x", 1) == 0);
    PANICS("error_code");
    CHECK(bulla_error_code(e) == BULLA_E_INTERNAL);
    PANICS("error_name");
    CHECK(*bulla_error_name(e) == 0);
    PANICS("error_class");
    CHECK(*bulla_error_class(e) == 0);
    PANICS("error_message");
    CHECK(*bulla_error_message(e) == 0);
    PANICS("error_decision");
    CHECK(bulla_error_decision(e) == NULL);
    PANICS("error_free");
    bulla_error_free(e);
    bulla_error_free(e);
    PANICS("string_free");
    bulla_string_free(NULL);
    PANICS("file_free");
    bulla_file_free(file);
    PANICS("writer_free");
    bulla_writer_free(writer);
    PANICS("sealer_free");
    bulla_sealer_free(sealer);
    PANICS("session_free");
    bulla_session_free(session);
    OK(bulla_file_pread(file, 0, buf, 7, &got, &err));
}

/* Every function that the library exports is in one of the two lists. */
static void none_is_left_out(const char *list) {
    char *symbols = slurp(list, NULL), *name;
    size_t i, listed = 0;
    for (name = strtok(symbols, "\n"); name; name = strtok(NULL, "\n")) {
        int found = 0;
        for (i = 0; i < CALL_COUNT; i++) found |= strcmp(name, calls[i].name) == 0;
        for (i = 0; i < sizeof others / sizeof *others; i++) found |= strcmp(name, others[i]) == 0;
        if (!found) fprintf(stderr, "%s is not tested\n", name);
        CHECK(found);
        listed++;
    }
    CHECK(listed == CALL_COUNT + sizeof others / sizeof *others);
    free(symbols);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    none_is_left_out(argv[1]);
    set_up();
    RUN(panics_at_the_start);
    take_down();
    RUN(panics_with_a_handle);
    set_up();
    RUN(panics_without_a_status);
    take_down();
    return 0;
}
