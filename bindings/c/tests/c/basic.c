/* Every function does what it says. */
#include "test.h"

#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>
#endif

#define CARDS "name,phone,ssn\nKim,010-1,900101\nLee,010-2,910202\n"

static void versions_and_names(void) {
    uint32_t right = 7;
    CHECK(bulla_abi_version() == BULLA_ABI_VERSION);
    CHECK(strchr(bulla_version(), '.') != NULL);
    CHECK(strcmp(bulla_code_name(BULLA_E_NOT_SEALED), "not-sealed") == 0);
    CHECK(strcmp(bulla_code_name(BULLA_OK), "ok") == 0);
    CHECK(bulla_code_name(12345) == NULL);
    OK(bulla_right_by_name("print", &right, &err));
    CHECK(right == BULLA_RIGHT_PRINT);
    CHECK(strcmp(bulla_right_name(BULLA_RIGHT_EXPORT), "export") == 0);
    CHECK(bulla_right_name(3) == NULL);
    right = 7;
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_right_by_name("Print", &right, &err));
    CHECK(right == 0);
}

static void errors(void) {
    bulla_session *session = desk();
    bulla_file *file = (bulla_file *)1;
    bulla_error *e = NULL;
    spit("plain.txt", "just text", 9);
    CHECK(bulla_file_open(session, "plain.txt", NULL, &file, &e) == BULLA_E_NOT_SEALED);
    CHECK(file == NULL && e != NULL);
    CHECK(bulla_error_code(e) == BULLA_E_NOT_SEALED);
    CHECK(strcmp(bulla_error_class(e), "format") == 0);
    CHECK(strstr(bulla_error_message(e), "plain.txt") == NULL);
    CHECK(bulla_error_decision(e) == NULL);
    bulla_error_free(e);
    EXPECT(BULLA_E_NOT_FOUND, bulla_file_open(session, "nowhere", NULL, &file, &err));
    /* Without a place for the error, the status says it all. */
    CHECK(bulla_file_open(session, "nowhere", NULL, &file, NULL) == BULLA_E_NOT_FOUND);

    seal("nobody.json", "denied.bulla", "x", 1);
    CHECK(bulla_file_open(session, "denied.bulla", NULL, &file, &e) == BULLA_E_DENIED);
    CHECK(strcmp(bulla_error_class(e), "denied") == 0);
    CHECK(strstr(bulla_error_decision(e), "\"refused\":[{") != NULL);
    bulla_error_free(e);

    CHECK(bulla_error_code(NULL) == BULLA_OK);
    CHECK(*bulla_error_message(NULL) == 0 && *bulla_error_name(NULL) == 0);
    CHECK(*bulla_error_class(NULL) == 0 && bulla_error_decision(NULL) == NULL);
    bulla_error_free(NULL);
    bulla_string_free(NULL);
    bulla_session_free(session);
}

static void sessions(void) {
    static const char *const attestations[] = {"not a token"};
    bulla_session_options options;
    bulla_session *session = NULL;
    char *text = NULL;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.home = "nobody";
    EXPECT(BULLA_E_HOME_INCOMPLETE, bulla_session_start(&options, &session, &err));
    options.home = "locked";
    EXPECT(BULLA_E_WRONG_PASSPHRASE, bulla_session_start(&options, &session, &err));
    options.passphrase = "wrong";
    EXPECT(BULLA_E_WRONG_PASSPHRASE, bulla_session_start(&options, &session, &err));
    options.passphrase = "correct horse";
    OK(bulla_session_start(&options, &session, &err));
    bulla_session_free(session);

    options.home = "desk";
    options.asserted = "{\"storage\":\"fixed\",\"posture\":[\"usb-storage-blocked\"]}";
    options.badge = "not a badge";
    OK(bulla_session_start(&options, &session, &err));
    OK(bulla_session_device(session, &text, &err));
    CHECK(strlen(text) == 43);
    bulla_string_free(text);
    OK(bulla_session_refresh(session, &err));
    OK(bulla_session_use_badge(session, "neither", attestations, 1, &err));

    seal("all.json", "explained.bulla", "x", 1);
    OK(bulla_session_explain(session, "explained.bulla", NULL, &text, &err));
    CHECK(strstr(text, "\"right\":\"export\"") != NULL);
    bulla_string_free(text);
    OK(bulla_session_explain(session, "explained.bulla", "{\"time\":\"1999-01-01T00:00:00Z\"}",
                             &text, &err));
    bulla_string_free(text);
    EXPECT(BULLA_E_BAD_ARGUMENT,
           bulla_session_explain(session, "explained.bulla", "{\"tim\":1}", &text, &err));
    CHECK(text == NULL);
    bulla_session_free(session);
    bulla_session_free(NULL);

    options.asserted = "{";
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_session_start(&options, &session, &err));
    options.asserted = NULL;
    options.ticket = "";
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_session_start(&options, &session, &err));
}

/* Reads by every way of moving, over a file of several chunks. */
static void reading(void) {
    enum { SIZE = 100000 };
    unsigned char *text = noise(SIZE, 5), buf[50000];
    bulla_session *session = desk();
    bulla_file *file;
    uint64_t n = 1;
    size_t got = 1;
    seal("all.json", "long.bulla", text, SIZE);
    file = open_file(session, "long.bulla");
    bulla_session_free(session); /* the file goes on */
    OK(bulla_file_size(file, &n, &err));
    CHECK(n == SIZE);
    OK(bulla_file_pread(file, 16000, buf, 40000, &got, &err));
    CHECK(got == 40000 && memcmp(buf, text + 16000, got) == 0);
    OK(bulla_file_pread(file, SIZE - 3, buf, sizeof buf, &got, &err));
    CHECK(got == 3 && memcmp(buf, text + SIZE - 3, got) == 0);
    OK(bulla_file_pread(file, SIZE, buf, sizeof buf, &got, &err));
    CHECK(got == 0);
    OK(bulla_file_tell(file, &n, &err));
    CHECK(n == 0);
    OK(bulla_file_read(file, buf, 10, &got, &err));
    CHECK(got == 10 && memcmp(buf, text, got) == 0);
    OK(bulla_file_seek(file, 90, BULLA_SEEK_CUR, &n, &err));
    CHECK(n == 100);
    OK(bulla_file_read(file, buf, 10, &got, &err));
    CHECK(got == 10 && memcmp(buf, text + 100, got) == 0);
    OK(bulla_file_seek(file, -5, BULLA_SEEK_END, NULL, &err));
    OK(bulla_file_read(file, buf, 10, &got, &err));
    CHECK(got == 5 && memcmp(buf, text + SIZE - 5, got) == 0);
    OK(bulla_file_tell(file, &n, &err));
    CHECK(n == SIZE);
    OK(bulla_file_seek(file, SIZE + 7, BULLA_SEEK_SET, &n, &err));
    OK(bulla_file_read(file, buf, 10, &got, &err));
    CHECK(got == 0);
    bulla_file_free(file);
    free(text);
}

static void rights_and_duties(void) {
    static const char *const duties[] = {"watermark", "mask", "a-duty-of-tomorrow"};
    bulla_session *session = desk_with(duties, 3);
    bulla_file *file;
    bulla_open_options options;
    uint32_t bits = 0;
    uint64_t until = 0;
    char *text = NULL;
    seal("masked.json", "masked.bulla", CARDS, strlen(CARDS));
    file = open_file(session, "masked.bulla");
    OK(bulla_file_rights(file, &bits, &err));
    CHECK(bits == (BULLA_RIGHT_VIEW | BULLA_RIGHT_PRINT));
    OK(bulla_file_duties(file, BULLA_RIGHT_VIEW, &bits, &text, &err));
    CHECK(bits == (BULLA_DUTY_WATERMARK | BULLA_DUTY_MASK));
    CHECK(strcmp(text, "[\"phone\",\"ssn\"]") == 0);
    bulla_string_free(text);
    OK(bulla_file_duties(file, BULLA_RIGHT_VIEW, &bits, NULL, &err));
    EXPECT(BULLA_E_MISSING_RIGHT,
           bulla_file_duties(file, BULLA_RIGHT_EXPORT, &bits, &text, &err));
    CHECK(bits == 0 && text == NULL);
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_file_duties(file, 0, &bits, &text, &err));
    OK(bulla_file_until(file, &until, &err));
    CHECK(until > 1700000000); /* the trust list ends some time */
    OK(bulla_file_decision(file, &text, &err));
    CHECK(strstr(text, "\"rights\":[{\"right\":\"view\"") != NULL);
    bulla_string_free(text);
    OK(bulla_file_watermark(file, &text, &err));
    CHECK(strstr(text, "desk") != NULL && strstr(text, "T-1") != NULL);
    bulla_string_free(text);
    OK(bulla_file_use(file, BULLA_RIGHT_PRINT, &err));
    EXPECT(BULLA_E_MISSING_RIGHT, bulla_file_use(file, BULLA_RIGHT_COPY, &err));
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_file_use(file, BULLA_RIGHT_VIEW, &err));
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_file_use(file, 5, &err));
    EXPECT(BULLA_E_MISSING_RIGHT, bulla_file_export(file, "masked.csv", NULL, NULL, &err));
    CHECK(!exists("masked.csv"));
    bulla_file_free(file);
    bulla_file_free(NULL);

    /* The right that it is opened for. */
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.right = BULLA_RIGHT_EXPORT;
    EXPECT(BULLA_E_MISSING_RIGHT, bulla_file_open(session, "masked.bulla", &options, &file, &err));
    options.right = BULLA_RIGHT_PRINT;
    OK(bulla_file_open(session, "masked.bulla", &options, &file, &err));
    bulla_file_free(file);
    bulla_session_free(session);

    /* Without the duties there are no rights. */
    session = desk();
    EXPECT(BULLA_E_DENIED, bulla_file_open(session, "masked.bulla", NULL, &file, &err));
    bulla_session_free(session);
}

static int32_t count_progress(void *user, uint64_t done, uint64_t total) {
    uint64_t *seen = (uint64_t *)user;
    CHECK(done >= seen[0] && done <= total);
    seen[0] = done;
    seen[1]++;
    return 0;
}

static int32_t stop(void *user, uint64_t done, uint64_t total) {
    UNUSED(user); UNUSED(done); UNUSED(total);
    return -1;
}

static void exporting(void) {
    enum { SIZE = 3000000 };
    unsigned char *text = noise(SIZE, 6);
    size_t len;
    char *back;
    uint64_t n = 1, seen[2] = {0, 0};
    bulla_export_options options;
    bulla_session *session = desk();
    bulla_file *file;
    seal("all.json", "big.bulla", text, SIZE);
    file = open_file(session, "big.bulla");
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.progress = count_progress;
    options.progress_user = seen;
    remove("big.bin");
    OK(bulla_file_export(file, "big.bin", &options, &n, &err));
    CHECK(n == SIZE && seen[0] == SIZE && seen[1] > 1);
    back = slurp("big.bin", &len);
    CHECK(len == SIZE && memcmp(back, text, len) == 0);
    free(back);
    EXPECT(BULLA_E_EXISTS, bulla_file_export(file, "big.bin", NULL, &n, &err));
    CHECK(n == 0);
    options.flags = BULLA_REPLACE;
    options.progress = stop;
    EXPECT(BULLA_E_CANCELLED, bulla_file_export(file, "big.bin", &options, &n, &err));
    CHECK(exists("big.bin"));
    EXPECT(BULLA_E_CANCELLED, bulla_file_export(file, "new.bin", &options, &n, &err));
    CHECK(!exists("new.bin"));
#ifndef _WIN32
    {
        int fd = open("fd.bin", O_RDWR | O_CREAT | O_TRUNC, 0600);
        OK(bulla_file_export_fd(file, fd, NULL, &n, &err));
        CHECK(n == SIZE && lseek(fd, 0, SEEK_END) == SIZE);
        close(fd);
        EXPECT(BULLA_E_IO, bulla_file_export_fd(file, fd, NULL, &n, &err));
    }
#else
    EXPECT(BULLA_E_NOT_SUPPORTED, bulla_file_export_fd(file, 1, NULL, &n, &err));
#endif
    {
        static const uint16_t wide[] = {'w', 0xac00, '.', 'b', 'i', 'n', 0};
        options.progress = NULL;
        OK(bulla_file_export_w(file, wide, &options, &n, &err));
#ifndef _WIN32
        CHECK(exists("w\xea\xb0\x80.bin"));
#endif
    }
    bulla_file_free(file);
    bulla_session_free(session);
    free(text);
}

static void metadata_and_ids(void) {
    bulla_sealer *sealer = issuer();
    bulla_session *session = desk();
    bulla_metadata meta;
    bulla_seal_options options;
    bulla_writer *writer = NULL;
    bulla_file *file;
    const char *id = NULL, *again = NULL;
    uint64_t revision = 0;
    memset(&meta, 0, sizeof meta);
    meta.struct_size = sizeof meta;
    meta.present = BULLA_METADATA_MODIFIED;
    meta.name = "고객.csv";
    meta.modified = -5;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = BULLA_REPLACE;
    options.metadata = &meta;
    OK(bulla_sealer_begin(sealer, "meta.bulla", &options, &writer, &err));
    OK(bulla_writer_write(writer, CARDS, 10, &err));
    OK(bulla_writer_write(writer, CARDS + 10, strlen(CARDS) - 10, &err));
    OK(bulla_writer_write(writer, NULL, 0, &err));
    OK(bulla_writer_finish(writer, &err));
    OK(bulla_writer_file_id(writer, &id, &err));
    EXPECT(BULLA_E_BAD_STATE, bulla_writer_write(writer, "x", 1, &err));
    EXPECT(BULLA_E_BAD_STATE, bulla_writer_finish(writer, &err));

    file = open_file(session, "meta.bulla");
    OK(bulla_file_id(file, &again, &err));
    CHECK(strlen(id) == 32 && strcmp(id, again) == 0);
    OK(bulla_file_revision(file, &revision, &err));
    CHECK(revision == 1);
    memset(&meta, 0xff, sizeof meta);
    meta.struct_size = sizeof meta;
    OK(bulla_file_metadata(file, &meta, &err));
    CHECK(meta.struct_size == sizeof meta && meta.present == BULLA_METADATA_MODIFIED);
    CHECK(strcmp(meta.name, "고객.csv") == 0 && meta.media_type == NULL);
    CHECK(meta.created == 0 && meta.modified == -5);
    bulla_writer_free(writer);
    bulla_writer_free(NULL);
    bulla_file_free(file);
    bulla_session_free(session);
    bulla_sealer_free(sealer);
}

static void saving(void) {
    bulla_session *session = desk();
    bulla_file *file, *other;
    bulla_writer *writer = NULL, *late = NULL;
    bulla_metadata meta;
    char buf[8];
    size_t got = 0;
    uint64_t revision = 0;
    seal("all.json", "saved.bulla", "old", 3);
    file = open_file(session, "saved.bulla");
    other = open_file(session, "saved.bulla");
    OK(bulla_file_save(file, NULL, &writer, &err));
    OK(bulla_writer_write(writer, "new", 3, &err));
    memset(&meta, 0, sizeof meta);
    meta.struct_size = sizeof meta;
    meta.name = "renamed.csv";
    OK(bulla_file_save(other, &meta, &late, &err));
    OK(bulla_writer_finish(writer, &err));
    EXPECT(BULLA_E_CHANGED_MEANWHILE, bulla_writer_finish(late, &err));
    bulla_writer_free(writer);
    bulla_writer_free(late);
    bulla_file_free(other);
    bulla_file_free(file);
    file = open_file(session, "saved.bulla");
    OK(bulla_file_read(file, buf, sizeof buf, &got, &err));
    CHECK(got == 3 && memcmp(buf, "new", 3) == 0);
    OK(bulla_file_revision(file, &revision, &err));
    CHECK(revision == 2);
    /* Freed without being finished, nothing happens. */
    OK(bulla_file_save(file, NULL, &writer, &err));
    OK(bulla_writer_write(writer, "never", 5, &err));
    bulla_writer_free(writer);
    bulla_file_free(file);
    file = open_file(session, "saved.bulla");
    OK(bulla_file_revision(file, &revision, &err));
    CHECK(revision == 2);
    bulla_file_free(file);
    seal("view.json", "viewed.bulla", "old", 3);
    file = open_file(session, "viewed.bulla");
    EXPECT(BULLA_E_MISSING_RIGHT, bulla_file_save(file, NULL, &writer, &err));
    CHECK(writer == NULL);
    bulla_file_free(file);
    bulla_session_free(session);
}

static void sealing(void) {
    static const uint16_t from_w[] = {'c', 'a', 'r', 'd', 's', '.', 'c', 's', 'v', 0};
    static const uint16_t to_w[] = {'c', '.', 'w', 0};
    static const uint16_t begin_w[] = {'b', '.', 'w', 0};
    bulla_sealer *sealer = issuer_with("all.json", BULLA_BATCH);
    bulla_session *session = desk();
    bulla_seal_options options;
    bulla_metadata meta;
    bulla_writer *writer = NULL;
    bulla_file *file = NULL;
    uint64_t n = 0, seen[2] = {0, 0};
    char *id = NULL, *json = NULL;
    remove("cards.bulla"); remove("c.w"); remove("b.w"); remove("mem.bulla");
    spit("cards.csv", CARDS, strlen(CARDS));
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.progress = count_progress;
    options.progress_user = seen;
    OK(bulla_sealer_seal_file(sealer, "cards.csv", "cards.bulla", &options, &id, &err));
    CHECK(seen[0] == strlen(CARDS) && strlen(id) == 32);
    OK(bulla_inspect("cards.bulla", &n, &json, &err));
    CHECK(n == strlen(CARDS));
    CHECK(strstr(json, id) != NULL && strstr(json, "customer-data") != NULL);
    CHECK(strstr(json, "\"batch\":") != NULL);
    bulla_string_free(id);
    bulla_string_free(json);
    OK(bulla_inspect("cards.bulla", NULL, NULL, &err));
    file = open_file(session, "cards.bulla");
    memset(&meta, 0, sizeof meta);
    meta.struct_size = sizeof meta;
    OK(bulla_file_metadata(file, &meta, &err));
    CHECK(strcmp(meta.name, "cards.csv") == 0 && (meta.present & BULLA_METADATA_MODIFIED));
    bulla_file_free(file);
    EXPECT(BULLA_E_EXISTS,
           bulla_sealer_seal_file(sealer, "cards.csv", "cards.bulla", NULL, NULL, &err));
    EXPECT(BULLA_E_NOT_FOUND, bulla_sealer_seal_file(sealer, "none", "n.bulla", NULL, &id, &err));
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_sealer_seal_file(sealer, ".", "n.bulla", NULL, &id, &err));
    options.progress = stop;
    EXPECT(BULLA_E_CANCELLED,
           bulla_sealer_seal_file(sealer, "cards.csv", "n.bulla", &options, &id, &err));
    CHECK(id == NULL && !exists("n.bulla"));

    OK(bulla_sealer_seal_file_w(sealer, from_w, to_w, NULL, NULL, &err));
    OK(bulla_inspect_w(to_w, &n, NULL, &err));
    CHECK(n == strlen(CARDS));
    OK(bulla_file_open_w(session, to_w, NULL, &file, &err));
    bulla_file_free(file);
    OK(bulla_sealer_begin_w(sealer, begin_w, NULL, &writer, &err));
    OK(bulla_writer_finish(writer, &err));
    bulla_writer_free(writer);
    file = open_file(session, "b.w");
    OK(bulla_file_size(file, &n, &err));
    CHECK(n == 0);
    bulla_file_free(file);

    OK(bulla_sealer_seal_bytes(sealer, "abc", 3, "mem.bulla", NULL, &id, &err));
    bulla_string_free(id);
    {
        size_t len;
        char *sealed = slurp("mem.bulla", &len);
        CHECK(bulla_is_sealed(sealed, len) == 1 && bulla_is_sealed(sealed, 8) == 1);
        CHECK(bulla_is_sealed(sealed, 5) == 0 && bulla_is_sealed("plain text", 10) == 0);
        OK(bulla_inspect_bytes(sealed, len, &n, &json, &err));
        CHECK(n == 3);
        bulla_string_free(json);
        EXPECT(BULLA_E_BAD_LENGTH, bulla_inspect_bytes(sealed, len - 30, &n, &json, &err));
        free(sealed);
    }
    bulla_sealer_free(sealer);
    bulla_sealer_free(NULL);
    bulla_session_free(session);
}

static void templates(void) {
    char *template_text = slurp("cards.template", NULL);
    char *permit = slurp("desk.permit", NULL);
    bulla_session *session = desk();
    bulla_sealer *sealer = NULL;
    bulla_file *file;
    remove("t.bulla");
    EXPECT(BULLA_E_NOT_PERMITTED,
           bulla_sealer_from_template(session, template_text, NULL, 0, &sealer, &err));
    EXPECT(BULLA_E_BAD_TOKEN,
           bulla_sealer_from_template(session, "no template", NULL, 0, &sealer, &err));
    OK(bulla_sealer_from_template(session, template_text, permit, BULLA_BATCH, &sealer, &err));
    OK(bulla_sealer_seal_bytes(sealer, "made here", 9, "t.bulla", NULL, NULL, &err));
    bulla_sealer_free(sealer);
    file = open_file(session, "t.bulla");
    bulla_file_free(file);
    bulla_session_free(session);
    free(template_text);
    free(permit);
}

static void descriptors(void) {
    bulla_session *session = desk();
    bulla_file *file = (bulla_file *)1;
    seal("all.json", "fd.bulla", CARDS, strlen(CARDS));
#ifndef _WIN32
    {
        char buf[100];
        size_t got = 0;
        bulla_writer *writer;
        int fd = open("fd.bulla", O_RDONLY);
        OK(bulla_file_open_fd(session, fd, NULL, &file, &err));
        close(fd); /* the library has its own */
        OK(bulla_file_read(file, buf, sizeof buf, &got, &err));
        CHECK(got == strlen(CARDS) && memcmp(buf, CARDS, got) == 0);
        EXPECT(BULLA_E_BAD_STATE, bulla_file_save(file, NULL, &writer, &err));
        bulla_file_free(file);
        EXPECT(BULLA_E_IO, bulla_file_open_fd(session, fd, NULL, &file, &err));
        EXPECT(BULLA_E_BAD_ARGUMENT, bulla_file_open_fd(session, -1, NULL, &file, &err));
        fd = open(".", O_RDONLY);
        CHECK(bulla_file_open_fd(session, fd, NULL, &file, NULL) != BULLA_OK);
        CHECK(file == NULL);
        close(fd);
    }
    EXPECT(BULLA_E_NOT_SUPPORTED,
           bulla_file_open_handle(session, (void *)4, NULL, &file, &err));
#else
    EXPECT(BULLA_E_NOT_SUPPORTED, bulla_file_open_fd(session, 1, NULL, &file, &err));
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_file_open_handle(session, NULL, NULL, &file, &err));
#endif
    CHECK(file == NULL);
    bulla_session_free(session);
}

static void trails(void) {
    bulla_session *session = desk();
    char *json = NULL, *trail;
    size_t len, at;
    OK(bulla_trail_verify(session, NULL, &json, &err));
    CHECK(strstr(json, "\"records\":") != NULL);
    bulla_string_free(json);
    OK(bulla_trail_verify(NULL, "desk/trail.jsonl", NULL, &err));
    trail = slurp("desk/trail.jsonl", &len);
    at = (size_t)(strstr(trail, "\"event\":\"opened\"") - trail) + 10;
    trail[at] ^= 1;
    spit("changed.jsonl", trail, len);
    EXPECT(BULLA_E_BAD_TRAIL, bulla_trail_verify(NULL, "changed.jsonl", &json, &err));
    CHECK(json == NULL);
    free(trail);
    bulla_session_free(session);
}

static void decisions_end(void) {
    bulla_session *session = desk();
    bulla_file *file;
    bulla_error *e = NULL;
    char c;
    size_t got = 0;
    uint64_t until = 0;
    int32_t status = BULLA_OK;
    seal("brief.json", "brief.bulla", "soon gone", 9);
    if (bulla_file_open(session, "brief.bulla", NULL, &file, &e) != BULLA_OK) {
        fprintf(stderr, "too slow to see the end: %s\n", bulla_error_message(e));
        exit(1);
    }
    OK(bulla_file_until(file, &until, &err));
    CHECK(until != BULLA_NO_END);
    while (status == BULLA_OK) status = bulla_file_pread(file, 0, &c, 1, &got, NULL);
    CHECK(status == BULLA_E_ENDED && got == 0);
    EXPECT(BULLA_E_ENDED, bulla_file_use(file, BULLA_RIGHT_PRINT, &err));
    bulla_file_free(file);
    bulla_session_free(session);
}

static void windows_and_clipboards(void) {
#ifndef _WIN32
    int window;
    EXPECT(BULLA_E_NOT_SUPPORTED, bulla_window_protect(&window, &err));
    EXPECT(BULLA_E_NOT_SUPPORTED, bulla_clipboard_guard(&window, &err));
#else
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_window_protect(NULL, &err));
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_clipboard_guard(NULL, &err));
#endif
}

int main(void) {
    RUN(decisions_end); /* first: brief.json was made a moment ago */
    RUN(versions_and_names);
    RUN(errors);
    RUN(sessions);
    RUN(reading);
    RUN(rights_and_duties);
    RUN(exporting);
    RUN(metadata_and_ids);
    RUN(saving);
    RUN(sealing);
    RUN(templates);
    RUN(descriptors);
    RUN(trails);
    RUN(windows_and_clipboards);
    return 0;
}
