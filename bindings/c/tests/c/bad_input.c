/* What callers get wrong: every pointer NULL in turn, impossible lengths, sizes and texts. */
#include "test.h"
#include <stddef.h>

#define BAD(call) EXPECT(BULLA_E_BAD_ARGUMENT, call)
#define NOT_UTF8 "\xff\xfe.txt"

static bulla_session *session;
static bulla_sealer *sealer;
static bulla_file *file;
static bulla_writer *writer;
static bulla_session *new_session;
static bulla_sealer *new_sealer;
static bulla_file *new_file;
static bulla_writer *new_writer;
static bulla_metadata meta;
static uint64_t u64;
static uint32_t u32;
static size_t size;
static char *text;
static const char *owned;
static char buf[16];
static const uint16_t wide[] = {'s', 'e', 'a', 'l', 'e', 'd', 0};
static const uint16_t wide_new[] = {'n', 'e', 'w', 0};

static void set_up(void) {
    session = desk();
    sealer = issuer();
    seal("all.json", "sealed", "0123456789", 10);
    file = open_file(session, "sealed");
    OK(bulla_sealer_begin(sealer, "never", NULL, &writer, &err));
    memset(&meta, 0, sizeof meta);
    meta.struct_size = sizeof meta;
}

static void take_down(void) {
    bulla_writer_free(writer);
    bulla_file_free(file);
    bulla_sealer_free(sealer);
    bulla_session_free(session);
    CHECK(!exists("never") && !exists("new"));
}

static void null_in_turn(void) {
    bulla_source source;
    bulla_sink sink;
    bulla_sealer_options make;
    char *template_text = slurp("cards.template", NULL);
    memset(&source, 0, sizeof source);
    memset(&sink, 0, sizeof sink);
    source.struct_size = sizeof source;
    sink.struct_size = sizeof sink;

    BAD(bulla_right_by_name(NULL, &u32, &err));
    BAD(bulla_right_by_name("view", NULL, &err));
    BAD(bulla_session_start(NULL, NULL, &err));
    BAD(bulla_session_refresh(NULL, &err));
    BAD(bulla_session_use_badge(NULL, "b", NULL, 0, &err));
    BAD(bulla_session_use_badge(session, NULL, NULL, 0, &err));
    BAD(bulla_session_use_badge(session, "b", NULL, 1, &err));
    BAD(bulla_session_explain(NULL, "sealed", NULL, &text, &err));
    BAD(bulla_session_explain(session, NULL, NULL, &text, &err));
    BAD(bulla_session_explain(session, "sealed", NULL, NULL, &err));
    BAD(bulla_session_device(NULL, &text, &err));
    BAD(bulla_session_device(session, NULL, &err));

    BAD(bulla_file_open(NULL, "sealed", NULL, &new_file, &err));
    BAD(bulla_file_open(session, NULL, NULL, &new_file, &err));
    BAD(bulla_file_open(session, "sealed", NULL, NULL, &err));
    BAD(bulla_file_open_w(NULL, wide, NULL, &new_file, &err));
    BAD(bulla_file_open_w(session, NULL, NULL, &new_file, &err));
    BAD(bulla_file_open_w(session, wide, NULL, NULL, &err));
    BAD(bulla_file_open_fd(NULL, 0, NULL, &new_file, &err));
    BAD(bulla_file_open_fd(session, 0, NULL, NULL, &err));
    BAD(bulla_file_open_handle(NULL, buf, NULL, &new_file, &err));
    BAD(bulla_file_open_handle(session, buf, NULL, NULL, &err));
    BAD(bulla_file_open_source(session, NULL, NULL, &new_file, &err));
    BAD(bulla_file_open_source(session, &source, NULL, &new_file, &err));

    BAD(bulla_file_size(NULL, &u64, &err));
    BAD(bulla_file_size(file, NULL, &err));
    BAD(bulla_file_pread(NULL, 0, buf, 1, &size, &err));
    BAD(bulla_file_pread(file, 0, NULL, 1, &size, &err));
    BAD(bulla_file_pread(file, 0, buf, 1, NULL, &err));
    BAD(bulla_file_read(NULL, buf, 1, &size, &err));
    BAD(bulla_file_read(file, NULL, 1, &size, &err));
    BAD(bulla_file_read(file, buf, 1, NULL, &err));
    BAD(bulla_file_seek(NULL, 0, 0, &u64, &err));
    BAD(bulla_file_tell(NULL, &u64, &err));
    BAD(bulla_file_tell(file, NULL, &err));
    BAD(bulla_file_rights(NULL, &u32, &err));
    BAD(bulla_file_rights(file, NULL, &err));
    BAD(bulla_file_duties(NULL, BULLA_RIGHT_VIEW, &u32, &text, &err));
    BAD(bulla_file_duties(file, BULLA_RIGHT_VIEW, NULL, &text, &err));
    BAD(bulla_file_until(NULL, &u64, &err));
    BAD(bulla_file_until(file, NULL, &err));
    BAD(bulla_file_decision(NULL, &text, &err));
    BAD(bulla_file_decision(file, NULL, &err));
    BAD(bulla_file_watermark(NULL, &text, &err));
    BAD(bulla_file_watermark(file, NULL, &err));
    BAD(bulla_file_metadata(NULL, &meta, &err));
    BAD(bulla_file_metadata(file, NULL, &err));
    BAD(bulla_file_id(NULL, &owned, &err));
    BAD(bulla_file_id(file, NULL, &err));
    BAD(bulla_file_revision(NULL, &u64, &err));
    BAD(bulla_file_revision(file, NULL, &err));
    BAD(bulla_file_use(NULL, BULLA_RIGHT_PRINT, &err));
    BAD(bulla_file_export(NULL, "new", NULL, &u64, &err));
    BAD(bulla_file_export(file, NULL, NULL, &u64, &err));
    BAD(bulla_file_export_w(NULL, wide_new, NULL, &u64, &err));
    BAD(bulla_file_export_w(file, NULL, NULL, &u64, &err));
    BAD(bulla_file_export_fd(NULL, 1, NULL, &u64, &err));
    BAD(bulla_file_export_sink(file, NULL, NULL, &u64, &err));
    BAD(bulla_file_export_sink(file, &sink, NULL, &u64, &err));
    BAD(bulla_file_save(NULL, NULL, &new_writer, &err));
    BAD(bulla_file_save(file, NULL, NULL, &err));
    BAD(bulla_file_save_to(file, NULL, NULL, &new_writer, &err));
    BAD(bulla_file_save_to(file, &sink, NULL, &new_writer, &err));

    BAD(bulla_sealer_new(NULL, &new_sealer, &err));
    memset(&make, 0, sizeof make);
    make.struct_size = sizeof make;
    make.home = "issuer";
    BAD(bulla_sealer_new(&make, &new_sealer, &err)); /* no recipients */
    make.recipients = "";
    EXPECT(BULLA_E_BAD_POLICY, bulla_sealer_new(&make, &new_sealer, &err));
    make.policy_len = 3;
    BAD(bulla_sealer_new(&make, &new_sealer, &err));
    BAD(bulla_sealer_new(&make, NULL, &err));
    BAD(bulla_sealer_from_template(NULL, template_text, NULL, 0, &new_sealer, &err));
    BAD(bulla_sealer_from_template(session, NULL, NULL, 0, &new_sealer, &err));
    BAD(bulla_sealer_from_template(session, template_text, NULL, 0, NULL, &err));
    BAD(bulla_sealer_begin(NULL, "new", NULL, &new_writer, &err));
    BAD(bulla_sealer_begin(sealer, NULL, NULL, &new_writer, &err));
    BAD(bulla_sealer_begin(sealer, "new", NULL, NULL, &err));
    BAD(bulla_sealer_begin_w(NULL, wide_new, NULL, &new_writer, &err));
    BAD(bulla_sealer_begin_w(sealer, NULL, NULL, &new_writer, &err));
    BAD(bulla_sealer_begin_w(sealer, wide_new, NULL, NULL, &err));
    BAD(bulla_sealer_begin_sink(sealer, NULL, NULL, &new_writer, &err));
    BAD(bulla_sealer_begin_sink(sealer, &sink, NULL, &new_writer, &err));
    BAD(bulla_sealer_seal_file(NULL, "cards.template", "new", NULL, &text, &err));
    BAD(bulla_sealer_seal_file(sealer, NULL, "new", NULL, &text, &err));
    BAD(bulla_sealer_seal_file(sealer, "cards.template", NULL, NULL, &text, &err));
    BAD(bulla_sealer_seal_file_w(NULL, wide, wide_new, NULL, &text, &err));
    BAD(bulla_sealer_seal_file_w(sealer, NULL, wide_new, NULL, &text, &err));
    BAD(bulla_sealer_seal_file_w(sealer, wide, NULL, NULL, &text, &err));
    BAD(bulla_sealer_seal_bytes(NULL, "x", 1, "new", NULL, &text, &err));
    BAD(bulla_sealer_seal_bytes(sealer, NULL, 1, "new", NULL, &text, &err));
    BAD(bulla_sealer_seal_bytes(sealer, "x", 1, NULL, NULL, &text, &err));
    BAD(bulla_sealer_seal_bytes_to(sealer, "x", 1, NULL, NULL, &text, &err));
    BAD(bulla_sealer_seal_bytes_to(sealer, "x", 1, &sink, NULL, &text, &err));
    BAD(bulla_writer_write(NULL, "x", 1, &err));
    BAD(bulla_writer_write(writer, NULL, 1, &err));
    BAD(bulla_writer_finish(NULL, &err));
    BAD(bulla_writer_file_id(NULL, &owned, &err));
    BAD(bulla_writer_file_id(writer, NULL, &err));

    BAD(bulla_inspect(NULL, &u64, &text, &err));
    BAD(bulla_inspect_w(NULL, &u64, &text, &err));
    BAD(bulla_inspect_bytes(NULL, 1, &u64, &text, &err));
    BAD(bulla_inspect_source(NULL, &u64, &text, &err));
    BAD(bulla_inspect_source(&source, &u64, &text, &err));
    BAD(bulla_trail_verify(NULL, NULL, &text, &err));
    CHECK(bulla_is_sealed(NULL, 8) == 0 && bulla_is_sealed(NULL, 0) == 0);

    /* The handles took no harm, and neither does a caller who wants no error. */
    OK(bulla_writer_write(writer, "still open", 10, &err));
    CHECK(bulla_file_pread(file, 0, buf, 10, &size, NULL) == BULLA_OK && size == 10);
    CHECK(bulla_file_pread(NULL, 0, buf, 10, &size, NULL) == BULLA_E_BAD_ARGUMENT && size == 0);
    free(template_text);
}

static void lengths_and_offsets(void) {
    static const uint64_t beyond[] = {10, 11, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
    size_t i;
    size = 1;
    OK(bulla_file_pread(file, 0, NULL, 0, &size, &err));
    CHECK(size == 0);
    for (i = 0; i < sizeof beyond / sizeof *beyond; i++) {
        size = 1;
        OK(bulla_file_pread(file, beyond[i], buf, sizeof buf, &size, &err));
        CHECK(size == 0);
    }
    BAD(bulla_file_pread(file, 0, buf, SIZE_MAX, &size, &err));
    BAD(bulla_file_read(file, buf, SIZE_MAX, &size, &err));
    /* What is longer than the file need not be there. */
    OK(bulla_file_pread(file, 0, buf, SIZE_MAX / 2, &size, &err));
    CHECK(size == 10 && memcmp(buf, "0123456789", 10) == 0);
    BAD(bulla_writer_write(writer, buf, SIZE_MAX, &err));
    BAD(bulla_sealer_seal_bytes(sealer, buf, SIZE_MAX, "new", NULL, NULL, &err));
    BAD(bulla_inspect_bytes(buf, SIZE_MAX, &u64, &text, &err));
    OK(bulla_writer_write(writer, buf, 0, &err));

    OK(bulla_file_seek(file, INT64_MAX, BULLA_SEEK_SET, &u64, &err));
    CHECK(u64 == INT64_MAX);
    OK(bulla_file_read(file, buf, 1, &size, &err));
    CHECK(size == 0);
    BAD(bulla_file_seek(file, 1, BULLA_SEEK_CUR, &u64, &err));
    CHECK(u64 == 0);
    OK(bulla_file_tell(file, &u64, &err));
    CHECK(u64 == INT64_MAX);
    BAD(bulla_file_seek(file, -11, BULLA_SEEK_END, &u64, &err));
    BAD(bulla_file_seek(file, -1, BULLA_SEEK_SET, &u64, &err));
    BAD(bulla_file_seek(file, INT64_MIN, BULLA_SEEK_CUR, &u64, &err));
    BAD(bulla_file_seek(file, 0, 3, &u64, &err));
    BAD(bulla_file_seek(file, 0, -1, &u64, &err));
    OK(bulla_file_seek(file, 0, BULLA_SEEK_SET, NULL, &err));
}

/* An options struct as a later version may have it, with room behind. */
#define WITH_ROOM(type)                                                                            \
    union {                                                                                        \
        type it;                                                                                   \
        unsigned char bytes[sizeof(type) + 64];                                                    \
    }

static void struct_sizes(void) {
    static const uint32_t none[] = {0, 1, 3, 5, 7, 9, 13, 0x7fffffff, 0xffffffff};
    WITH_ROOM(bulla_open_options) open;
    WITH_ROOM(bulla_metadata) out;
    WITH_ROOM(bulla_session_options) start;
    size_t i;
    for (i = 0; i < sizeof none / sizeof *none; i++) {
        memset(&open, 0, sizeof open);
        memset(&start, 0, sizeof start);
        memset(&out, 0, sizeof out);
        open.it.struct_size = start.it.struct_size = out.it.struct_size = none[i];
        BAD(bulla_file_open(session, "sealed", &open.it, &new_file, &err));
        BAD(bulla_session_start(&start.it, &new_session, &err));
        BAD(bulla_file_metadata(file, &out.it, &err));
        CHECK(new_file == NULL && new_session == NULL);
    }
    /* Larger: what is behind must be zero. */
    memset(&open, 0, sizeof open);
    open.it.struct_size = sizeof open;
    OK(bulla_file_open(session, "sealed", &open.it, &new_file, &err));
    bulla_file_free(new_file);
    open.bytes[sizeof open - 1] = 1;
    BAD(bulla_file_open(session, "sealed", &open.it, &new_file, &err));
    /* Behind a smaller one there may be anything. */
    memset(&open, 0xee, sizeof open);
    open.it.struct_size = offsetof(bulla_open_options, right);
    open.it.flags = BULLA_OLDER;
    OK(bulla_file_open(session, "sealed", &open.it, &new_file, &err));
    bulla_file_free(new_file);
    open.it.struct_size = offsetof(bulla_open_options, right) + 2; /* half a field */
    BAD(bulla_file_open(session, "sealed", &open.it, &new_file, &err));
    memset(&start, 0xee, sizeof start);
    start.it.struct_size = offsetof(bulla_session_options, home_w);
    start.it.flags = 0;
    start.it.home = "desk";
    OK(bulla_session_start(&start.it, &new_session, &err));
    bulla_session_free(new_session);
    /* The same for what is filled: nothing behind is touched, all that is known is set. */
    memset(&out, 0xee, sizeof out);
    out.it.struct_size = offsetof(bulla_metadata, media_type);
    OK(bulla_file_metadata(file, &out.it, &err));
    CHECK(out.it.struct_size == offsetof(bulla_metadata, media_type) && out.it.name == NULL);
    CHECK(out.bytes[offsetof(bulla_metadata, media_type)] == 0xee);
    memset(&out, 0xee, sizeof out);
    out.it.struct_size = sizeof out;
    OK(bulla_file_metadata(file, &out.it, &err));
    CHECK(out.it.present == 0 && out.bytes[sizeof out - 1] == 0);
    /* Flags of tomorrow. */
    memset(&open, 0, sizeof open);
    open.it.struct_size = sizeof open.it;
    open.it.flags = 2;
    BAD(bulla_file_open(session, "sealed", &open.it, &new_file, &err));
    open.it.flags = 0;
    open.it.right = 3;
    BAD(bulla_file_open(session, "sealed", &open.it, &new_file, &err));
    open.it.right = 0;
    open.it.reserved = 1;
    BAD(bulla_file_open(session, "sealed", &open.it, &new_file, &err));
}

static void texts(void) {
    static const uint16_t lone[] = {'a', 0xd800, 'b', 0};
    static uint16_t endless[40000], long_path[32768];
    static char long_name[40000];
    static const char *const entries[] = {"watermark", NULL};
    static const char *const not_utf8[] = {NOT_UTF8};
    bulla_session_options start;
    bulla_seal_options options;
    size_t i;

    BAD(bulla_file_open(session, NOT_UTF8, NULL, &new_file, &err));
    BAD(bulla_file_export(file, NOT_UTF8, NULL, &u64, &err));
    BAD(bulla_session_explain(session, "sealed", NOT_UTF8, &text, &err));
    BAD(bulla_session_use_badge(session, NOT_UTF8, NULL, 0, &err));
    BAD(bulla_session_use_badge(session, "b", not_utf8, 1, &err));
    BAD(bulla_sealer_begin(sealer, NOT_UTF8, NULL, &new_writer, &err));
    BAD(bulla_inspect(NOT_UTF8, &u64, &text, &err));
    BAD(bulla_right_by_name(NOT_UTF8, &u32, &err));
    BAD(bulla_trail_verify(NULL, NOT_UTF8, &text, &err));

    memset(&start, 0, sizeof start);
    start.struct_size = sizeof start;
    start.home = NOT_UTF8;
    BAD(bulla_session_start(&start, &new_session, &err));
    start.home = "desk";
    start.duties = entries;
    start.duty_count = 2;
    BAD(bulla_session_start(&start, &new_session, &err));
    start.duty_count = 1;
    OK(bulla_session_start(&start, &new_session, &err));
    bulla_session_free(new_session);
    start.duty_count = 1000000000;
    BAD(bulla_session_start(&start, &new_session, &err));
    start.duties = NULL;
    BAD(bulla_session_start(&start, &new_session, &err));
    start.duty_count = 0;
    start.passphrase = NOT_UTF8;
    BAD(bulla_session_start(&start, &new_session, &err));
    start.passphrase = NULL;
    start.ticket = "line\nbreak";
    BAD(bulla_session_start(&start, &new_session, &err));
    start.ticket = NULL;
    start.home = NULL;
    start.home_w = lone;
#ifndef _WIN32
    BAD(bulla_session_start(&start, &new_session, &err));
    BAD(bulla_file_open_w(session, lone, NULL, &new_file, &err));
#else
    EXPECT(BULLA_E_HOME_INCOMPLETE, bulla_session_start(&start, &new_session, &err));
    EXPECT(BULLA_E_NOT_FOUND, bulla_file_open_w(session, lone, NULL, &new_file, &err));
#endif

    for (i = 0; i < 40000; i++) endless[i] = 'a';
    BAD(bulla_file_open_w(session, endless, NULL, &new_file, &err));
    BAD(bulla_file_open_w(session, (const uint16_t *)(const void *)((const char *)wide + 1), NULL,
                          &new_file, &err));
    for (i = 0; i < 32767; i++) long_path[i] = 'a';
    CHECK(bulla_file_open_w(session, long_path, NULL, &new_file, NULL) >= BULLA_E_IO);
    memset(long_name, 'a', sizeof long_name - 1);
    CHECK(bulla_file_open(session, long_name, NULL, &new_file, NULL) >= BULLA_E_IO);
    EXPECT(BULLA_E_NOT_FOUND, bulla_file_open(session, "", NULL, &new_file, &err));
#ifdef _WIN32
    CHECK(bulla_file_open(session, "\\\\?\\C:\\nowhere", NULL, &new_file, NULL) >= BULLA_E_IO);
    CHECK(bulla_file_open(session, "\\\\server\\share\\x", NULL, &new_file, NULL) >= BULLA_E_IO);
#endif

    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.metadata = &meta;
    meta.name = NOT_UTF8;
    BAD(bulla_sealer_begin(sealer, "new", &options, &new_writer, &err));
    meta.name = long_name;
    BAD(bulla_sealer_begin(sealer, "new", &options, &new_writer, &err));
    meta.name = NULL;
    meta.present = 4;
    BAD(bulla_sealer_begin(sealer, "new", &options, &new_writer, &err));
    meta.present = BULLA_METADATA_CREATED;
    meta.created = INT64_MIN;
    BAD(bulla_sealer_begin(sealer, "new", &options, &new_writer, &err));
    CHECK(new_writer == NULL);
}

/* What is not aligned is seen where it can be. */
static void alignment(void) {
    union { uint64_t force; char bytes[32]; } odd;
    bulla_error **place = (bulla_error **)(void *)(odd.bytes + 1);
    memset(&odd, 0x55, sizeof odd);
    BAD(bulla_file_size(file, (uint64_t *)(void *)(odd.bytes + 1), &err));
    CHECK(bulla_file_size(NULL, &u64, place) == BULLA_E_BAD_ARGUMENT);
    CHECK(odd.bytes[1] == 0x55);
}

/* A changed chunk is found, and nothing is read from then on; the handle still answers. */
static void after_an_error(void) {
    enum { LEN = 50000 };
    unsigned char *data = noise(LEN, 9);
    char *sealed;
    size_t len;
    bulla_file *changed;
    seal("all.json", "changed", data, LEN);
    sealed = slurp("changed", &len);
    sealed[len - 40000] ^= 1;
    spit("changed", sealed, len);
    changed = open_file(session, "changed"); /* its last chunk is sound */
    EXPECT(BULLA_E_BAD_CHUNK, bulla_file_pread(changed, 10000, buf, sizeof buf, &size, &err));
    CHECK(size == 0);
    EXPECT(BULLA_E_BAD_STATE, bulla_file_pread(changed, LEN - 5, buf, 5, &size, &err));
    EXPECT(BULLA_E_BAD_STATE, bulla_file_export(changed, "new", NULL, &u64, &err));
    OK(bulla_file_size(changed, &u64, &err));
    CHECK(u64 == LEN && !exists("new"));
    bulla_file_free(changed);
    spit("changed", sealed, len - 20000);
    CHECK(bulla_file_open(session, "changed", NULL, &changed, NULL) >= BULLA_E_NOT_SEALED);
    CHECK(changed == NULL);
    free(sealed);
    free(data);
}

int main(void) {
    set_up();
    RUN(null_in_turn);
    RUN(lengths_and_offsets);
    RUN(struct_sizes);
    RUN(texts);
    RUN(alignment);
    RUN(after_an_error);
    take_down();
    return 0;
}
