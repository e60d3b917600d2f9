/*
 * Envelopes as blobs in SQLite, by callbacks: no file, and never the whole content in memory when
 * it is read.
 *
 *     sqlite_envelopes ISSUER-HOME DESK-HOME POLICY.json DATABASE
 *
 * Seals a note into the database, reads its end, edits it in one transaction, reads it again.
 *
 * cc sqlite_envelopes.c -lbulla -lsqlite3
 */
#include <bulla.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void die(const char *why) {
    fprintf(stderr, "%s\n", why);
    exit(1);
}

/* Every call of the library goes through here. */
static void check(int32_t status, bulla_error *error) {
    if (status != BULLA_OK) {
        fprintf(stderr, "%s [%s]\n", bulla_error_message(error), bulla_error_name(error));
        exit(1);
    }
}

static void run(sqlite3 *db, const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) die(sqlite3_errmsg(db));
}

/* --- Reading: a blob is a source ----------------------------------------------------------- */

static int32_t blob_read(void *user, uint64_t offset, void *buf, size_t len, size_t *out_read) {
    sqlite3_blob *blob = user;
    uint64_t size = (uint64_t)sqlite3_blob_bytes(blob);
    size_t n = offset < size ? (size_t)(size - offset) : 0;
    if (n > len) n = len;
    if (sqlite3_blob_read(blob, buf, (int)n, (int)offset) != SQLITE_OK) return 1;
    *out_read = n;
    return 0;
}

static int32_t blob_size(void *user, uint64_t *out_size) {
    *out_size = (uint64_t)sqlite3_blob_bytes(user);
    return 0;
}

static void blob_close(void *user) { sqlite3_blob_close(user); }

static bulla_file *open_envelope(const bulla_session *session, sqlite3 *db, sqlite3_int64 row) {
    bulla_source source = {0};
    sqlite3_blob *blob = NULL;
    bulla_file *file = NULL;
    bulla_error *error = NULL;
    int32_t status;
    if (sqlite3_blob_open(db, "main", "envelope", "sealed", row, 0, &blob) != SQLITE_OK)
        die(sqlite3_errmsg(db));
    source.struct_size = sizeof source;
    source.user = blob;
    source.read_at = blob_read;
    source.size = blob_size;
    source.close = blob_close; /* runs when the file is freed, or at once if it does not open */
    status = bulla_file_open_source(session, &source, NULL, &file, &error);
    check(status, error);
    return file;
}

/* --- Writing: an envelope is collected, and stored in one step ------------------------------ */

typedef struct collected {
    char *data;
    size_t len, room;
} collected;

static int32_t collect(void *user, const void *data, size_t len) {
    collected *c = user;
    if (c->len + len > c->room) {
        size_t room = (c->len + len) * 2;
        char *more = realloc(c->data, room);
        if (!more) return 1;
        c->data = more;
        c->room = room;
    }
    memcpy(c->data + c->len, data, len);
    c->len += len;
    return 0;
}

static bulla_sink sink_into(collected *c) {
    bulla_sink sink = {0};
    memset(c, 0, sizeof *c);
    sink.struct_size = sizeof sink;
    sink.user = c;
    sink.write = collect;
    return sink;
}

static void store(sqlite3 *db, const char *sql, collected *c) {
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) die(sqlite3_errmsg(db));
    sqlite3_bind_blob64(statement, 1, c->data, c->len, SQLITE_STATIC);
    if (sqlite3_step(statement) != SQLITE_DONE) die(sqlite3_errmsg(db));
    sqlite3_finalize(statement);
    free(c->data);
}

static char *text_of(const char *path, size_t *len) {
    static char buffer[1 << 16];
    char *copy;
    FILE *file = fopen(path, "rb");
    if (!file) die("a file cannot be read");
    *len = fread(buffer, 1, sizeof buffer - 1, file);
    fclose(file);
    buffer[*len] = 0;
    copy = malloc(*len + 1);
    if (!copy) die("out of memory");
    return memcpy(copy, buffer, *len + 1);
}

static void seal_note(const char *home, const char *desk, const char *policy_file, sqlite3 *db) {
    bulla_sealer_options options = {0};
    bulla_sealer *sealer = NULL;
    bulla_error *error = NULL;
    bulla_sink sink;
    collected envelope;
    char note[200000], public_line[512];
    size_t ignored;
    int32_t status;
    memset(note, '.', sizeof note);
    memcpy(note + sizeof note - 9, "the end.\n", 9);
    snprintf(public_line, sizeof public_line, "%s/identity.pub", desk);
    options.struct_size = sizeof options;
    options.home = home;
    options.recipients = text_of(public_line, &ignored);
    options.policy = text_of(policy_file, &options.policy_len);
    status = bulla_sealer_new(&options, &sealer, &error);
    check(status, error);
    sink = sink_into(&envelope);
    status = bulla_sealer_seal_bytes_to(sealer, note, sizeof note, &sink, NULL, NULL, &error);
    check(status, error);
    bulla_sealer_free(sealer);
    free((void *)options.recipients);
    free((void *)options.policy);
    store(db, "INSERT INTO envelope (id, sealed) VALUES (1, ?)", &envelope);
}

static void show_end(const bulla_session *session, sqlite3 *db) {
    bulla_file *file = open_envelope(session, db, 1);
    bulla_error *error = NULL;
    uint64_t size = 0, revision = 0;
    char end[9];
    size_t got = 0;
    int32_t status = bulla_file_size(file, &size, &error);
    check(status, error);
    status = bulla_file_revision(file, &revision, &error);
    check(status, error);
    status = bulla_file_pread(file, size - sizeof end, end, sizeof end, &got, &error);
    check(status, error);
    printf("revision %u, %u bytes, ends: %.*s", (unsigned)revision, (unsigned)size, (int)got, end);
    bulla_file_free(file);
}

/* The transaction sees to it that nobody replaces the envelope between reading and storing. */
static void edit(const bulla_session *session, sqlite3 *db) {
    bulla_file *file;
    bulla_writer *writer = NULL;
    bulla_error *error = NULL;
    bulla_sink sink;
    collected envelope;
    int32_t status;
    run(db, "BEGIN IMMEDIATE");
    file = open_envelope(session, db, 1);
    sink = sink_into(&envelope);
    status = bulla_file_save_to(file, &sink, NULL, &writer, &error);
    check(status, error);
    status = bulla_writer_write(writer, "edited.\n\n", 9, &error);
    check(status, error);
    status = bulla_writer_finish(writer, &error);
    check(status, error);
    bulla_writer_free(writer);
    bulla_file_free(file);
    store(db, "UPDATE envelope SET sealed = ? WHERE id = 1", &envelope);
    run(db, "COMMIT");
}

int main(int argc, char **argv) {
    bulla_session_options options = {0};
    bulla_session *session = NULL;
    bulla_error *error = NULL;
    sqlite3 *db = NULL;
    int32_t status;
    if (argc != 5) die("usage: sqlite_envelopes ISSUER-HOME DESK-HOME POLICY.json DATABASE");
    if (sqlite3_open(argv[4], &db) != SQLITE_OK) die("the database cannot be opened");
    run(db, "CREATE TABLE envelope (id INTEGER PRIMARY KEY, sealed BLOB)");
    seal_note(argv[1], argv[2], argv[3], db);

    options.struct_size = sizeof options;
    options.home = argv[2];
    status = bulla_session_start(&options, &session, &error);
    check(status, error);
    show_end(session, db);
    edit(session, db);
    show_end(session, db);
    bulla_session_free(session);
    sqlite3_close(db);
    return 0;
}
