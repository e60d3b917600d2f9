/* Sources and sinks of the host: that work, fail, lie, are slow, come back into the library. */
#include "test.h"
#include <time.h>

/* An envelope in memory, and how its callbacks misbehave. */
typedef struct memory {
    unsigned char *data;
    size_t len, room;
    int closed;
    int reads, writes;
    int fail_at;     /* the read or write that fails, from 1 */
    int claim;       /* claims more than it was asked for */
    size_t at_most;  /* bytes a read */
    int size_fails;
    int64_t size_lies;
    int change_at;   /* the read before which a byte in the middle changes */
    bulla_file *file; /* read again from inside */
    bulla_writer *writer;
    bulla_session *session;
    int inside;
    uint64_t slow_until; /* reads take until then, in Unix seconds */
} memory;

static int32_t read_at(void *user, uint64_t offset, void *out, size_t len, size_t *out_read) {
    memory *m = (memory *)user;
    size_t n = offset < m->len ? m->len - (size_t)offset : 0;
    m->reads++;
    CHECK(!m->closed && *out_read == 0);
    while ((uint64_t)time(NULL) <= m->slow_until) {}
    if (m->reads == m->fail_at) return 77;
    if (m->reads == m->change_at) m->data[m->len / 2] ^= 1;
    if (m->claim) {
        *out_read = len + 1;
        return 0;
    }
    if (m->file && !m->inside) {
        char c[20];
        size_t got;
        uint64_t n64;
        m->inside = 1;
        OK(bulla_file_pread(m->file, 5, c, sizeof c, &got, &err));
        CHECK(got > 0);
        EXPECT(BULLA_E_BAD_STATE, bulla_file_read(m->file, c, 1, &got, &err));
        EXPECT(BULLA_E_BAD_STATE, bulla_file_seek(m->file, 0, BULLA_SEEK_SET, &n64, &err));
        OK(bulla_session_refresh(m->session, &err));
        OK(bulla_file_use(m->file, BULLA_RIGHT_PRINT, &err));
        m->inside = 0;
    }
    if (n > len) n = len;
    if (m->at_most && n > m->at_most) n = m->at_most;
    if (n) memcpy(out, m->data + offset, n);
    *out_read = n;
    return 0;
}

static int32_t size_of(void *user, uint64_t *out_size) {
    memory *m = (memory *)user;
    *out_size = (uint64_t)((int64_t)m->len + m->size_lies);
    return m->size_fails ? -1 : 0;
}

static int32_t write_all(void *user, const void *data, size_t len) {
    memory *m = (memory *)user;
    m->writes++;
    CHECK(!m->closed);
    if (m->writes == m->fail_at) return 5;
    if (m->writer) {
        EXPECT(BULLA_E_BAD_STATE, bulla_writer_write(m->writer, "x", 1, &err));
        EXPECT(BULLA_E_BAD_STATE, bulla_writer_finish(m->writer, &err));
    }
    while (m->len + len > m->room) {
        m->room = m->room * 2 + 4096;
        m->data = (unsigned char *)realloc(m->data, m->room);
        CHECK(m->data != NULL);
    }
    memcpy(m->data + m->len, data, len);
    m->len += len;
    return 0;
}

static void close_it(void *user) { ((memory *)user)->closed++; }

static bulla_source source_of(memory *m) {
    bulla_source source;
    memset(&source, 0, sizeof source);
    source.struct_size = sizeof source;
    source.user = m;
    source.read_at = read_at;
    source.size = size_of;
    source.close = close_it;
    return source;
}

static bulla_sink sink_of(memory *m) {
    bulla_sink sink;
    memset(&sink, 0, sizeof sink);
    sink.struct_size = sizeof sink;
    sink.user = m;
    sink.write = write_all;
    sink.close = close_it;
    return sink;
}

enum { LEN = 3000000 };
static unsigned char *content;
static bulla_session *session;
static bulla_sealer *sealer;

static memory fresh(void) {
    memory m;
    memset(&m, 0, sizeof m);
    return m;
}

/* An envelope of `len` bytes of the content, through a sink. */
static memory sealed(size_t len) {
    memory m = fresh();
    bulla_sink sink = sink_of(&m);
    OK(bulla_sealer_seal_bytes_to(sealer, content, len, &sink, NULL, NULL, &err));
    CHECK(m.closed == 1);
    m.closed = 0;
    return m;
}

static bulla_file *open_memory(memory *m) {
    bulla_source source = source_of(m);
    bulla_file *file = NULL;
    OK(bulla_file_open_source(session, &source, NULL, &file, &err));
    CHECK(m->closed == 0);
    return file;
}

/* A decision ends while the storage is being read: nothing comes out. */
static void slow_sources(void) {
    memory m = fresh();
    bulla_file *file;
    uint64_t until = 0;
    char text[10];
    size_t got = 1;
    seal("brief.json", "brief.bulla", content, 100000); /* the last chunk is kept */
    m.data = (unsigned char *)slurp("brief.bulla", &m.len);
    file = open_memory(&m);
    OK(bulla_file_until(file, &until, &err));
    memset(text, 0, sizeof text);
    m.slow_until = until;
    EXPECT(BULLA_E_ENDED, bulla_file_pread(file, 0, text, sizeof text, &got, &err));
    CHECK(got == 0 && text[0] == 0);
    m.slow_until = 0;
    bulla_file_free(file);
    free(m.data);
}

static void there_and_back(void) {
    memory m = sealed(LEN);
    bulla_file *file;
    unsigned char *back = (unsigned char *)malloc(LEN);
    size_t got;
    uint64_t n;
    m.at_most = 7777; /* less than it is asked for */
    file = open_memory(&m);
    OK(bulla_file_read(file, back, LEN, &got, &err));
    CHECK(got == LEN && memcmp(back, content, LEN) == 0);
    {
        memory plain = fresh();
        bulla_sink sink = sink_of(&plain);
        OK(bulla_file_export_sink(file, &sink, NULL, &n, &err));
        CHECK(n == LEN && plain.len == LEN && plain.closed == 1);
        CHECK(memcmp(plain.data, content, LEN) == 0);
        free(plain.data);
    }
    bulla_file_free(file);
    CHECK(m.closed == 1);
    {
        bulla_source source = source_of(&m);
        char *json = NULL;
        m.closed = 0;
        OK(bulla_inspect_source(&source, &n, &json, &err));
        CHECK(n == LEN && strstr(json, "customer-data") && m.closed == 1);
        bulla_string_free(json);
    }
    free(back);
    free(m.data);
}

static void streams(void) {
    memory m = fresh();
    bulla_sink sink = sink_of(&m);
    bulla_writer *writer = NULL;
    bulla_file *file = NULL;
    size_t at;
    uint64_t n = 0;
    OK(bulla_sealer_begin_sink(sealer, &sink, NULL, &writer, &err));
    m.writer = writer; /* callbacks that come back are refused */
    for (at = 0; at < LEN; at += 100000) OK(bulla_writer_write(writer, content + at, 100000, &err));
    CHECK(m.closed == 0);
    OK(bulla_writer_finish(writer, &err));
    CHECK(m.closed == 1);
    bulla_writer_free(writer);
    CHECK(m.closed == 1 && m.writes > 2);
    m.closed = 0;
    file = open_memory(&m);
    OK(bulla_file_size(file, &n, &err));
    CHECK(n == LEN);
    bulla_file_free(file);

    /* A part is no envelope. */
    m.closed = 0;
    m.len = m.len / 2;
    {
        bulla_source source = source_of(&m);
        CHECK(bulla_file_open_source(session, &source, NULL, &file, NULL) >= BULLA_E_NOT_SEALED);
        CHECK(file == NULL && m.closed == 1);
    }
    free(m.data);
}

static void saves(void) {
    memory old = sealed(100), new_one = fresh();
    bulla_sink sink = sink_of(&new_one);
    bulla_file *file = open_memory(&old);
    bulla_writer *writer = (bulla_writer *)1;
    char buf[10];
    size_t got;
    uint64_t n;
    EXPECT(BULLA_E_BAD_STATE, bulla_file_save(file, NULL, &writer, &err));
    CHECK(writer == NULL);
    OK(bulla_file_save_to(file, &sink, NULL, &writer, &err));
    OK(bulla_writer_write(writer, "edited", 6, &err));
    OK(bulla_writer_finish(writer, &err));
    bulla_writer_free(writer);
    bulla_file_free(file);
    CHECK(old.closed == 1 && new_one.closed == 1);
    new_one.closed = 0;
    file = open_memory(&new_one);
    OK(bulla_file_read(file, buf, sizeof buf, &got, &err));
    CHECK(got == 6 && memcmp(buf, "edited", 6) == 0);
    OK(bulla_file_revision(file, &n, &err));
    CHECK(n == 2);
    bulla_file_free(file);
    /* The device has seen revision 2: the old envelope is refused. */
    {
        bulla_source source = source_of(&old);
        bulla_open_options options;
        memset(&options, 0, sizeof options);
        options.struct_size = sizeof options;
        old.closed = 0;
        EXPECT(BULLA_E_ROLLBACK, bulla_file_open_source(session, &source, NULL, &file, &err));
        CHECK(old.closed == 1);
        old.closed = 0;
        options.flags = BULLA_OLDER;
        OK(bulla_file_open_source(session, &source, &options, &file, &err));
        bulla_file_free(file);
    }
    free(old.data);
    free(new_one.data);
}

static void failing_sources(void) {
    memory m = sealed(LEN);
    bulla_source source = source_of(&m);
    bulla_file *file = (bulla_file *)1;
    char *big = (char *)malloc(LEN);
    size_t got;
    int reads, i;

    file = open_memory(&m);
    reads = m.reads;
    bulla_file_free(file);
    for (i = 1; i <= reads; i++) {
        m.reads = m.closed = 0;
        m.fail_at = i;
        EXPECT(BULLA_E_IO, bulla_file_open_source(session, &source, NULL, &file, &err));
        CHECK(file == NULL && m.closed == 1);
    }
    m.fail_at = m.closed = 0;
    m.claim = 1;
    EXPECT(BULLA_E_IO, bulla_file_open_source(session, &source, NULL, &file, &err));
    CHECK(m.closed == 1);
    m.claim = m.closed = 0;
    m.size_fails = 1;
    EXPECT(BULLA_E_IO, bulla_file_open_source(session, &source, NULL, &file, &err));
    CHECK(m.closed == 1);
    m.size_fails = m.closed = 0;
    for (i = 0; i < 3; i++) {
        const int64_t lies[] = {1, -1, INT64_MAX - (int64_t)m.len};
        m.size_lies = lies[i];
        m.closed = 0;
        CHECK(bulla_file_open_source(session, &source, NULL, &file, NULL) >= BULLA_E_BAD_LENGTH);
        CHECK(file == NULL && m.closed == 1);
    }
    m.size_lies = m.closed = 0;

    /* A read that fails is not the end: the next may go well. */
    file = open_memory(&m);
    m.fail_at = m.reads + 1;
    EXPECT(BULLA_E_IO, bulla_file_pread(file, 0, big, LEN, &got, &err));
    CHECK(got == 0);
    OK(bulla_file_pread(file, 0, big, LEN, &got, &err));
    CHECK(got == LEN && memcmp(big, content, LEN) == 0);
    m.claim = 1;
    EXPECT(BULLA_E_IO, bulla_file_pread(file, 0, big, LEN, &got, &err));
    m.claim = 0;
    /* Bytes that change between two reads. */
    m.change_at = m.reads + 1;
    EXPECT(BULLA_E_BAD_CHUNK, bulla_file_pread(file, 0, big, LEN, &got, &err));
    CHECK(got == 0);
    bulla_file_free(file);
    CHECK(m.closed == 1);
    free(big);
    free(m.data);
}

static void closed_whatever_happens(void) {
    memory m = sealed(10);
    bulla_source source = source_of(&m);
    bulla_sink sink = sink_of(&m);
    bulla_file *file;
    bulla_writer *writer;
    uint64_t n;
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_file_open_source(NULL, &source, NULL, &file, &err));
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_file_open_source(session, &source, NULL, NULL, &err));
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_file_export_sink(NULL, &sink, NULL, &n, &err));
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_file_save_to(NULL, &sink, NULL, &writer, &err));
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_sealer_begin_sink(NULL, &sink, NULL, &writer, &err));
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_sealer_begin_sink(sealer, &sink, NULL, NULL, &err));
    EXPECT(BULLA_E_BAD_ARGUMENT,
           bulla_sealer_seal_bytes_to(NULL, "x", 1, &sink, NULL, NULL, &err));
    CHECK(m.closed == 7);
    source.flags = 1;
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_inspect_source(&source, &n, NULL, &err));
    source.flags = 0;
    source.size = NULL;
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_inspect_source(&source, &n, NULL, &err));
    CHECK(m.closed == 9);
    /* A struct that could not be read names nothing to close. */
    source.struct_size = 5;
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_inspect_source(&source, &n, NULL, &err));
    CHECK(m.closed == 9);
    /* Without a close there is nothing to do. */
    source = source_of(&m);
    source.close = NULL;
    m.closed = 0;
    OK(bulla_inspect_source(&source, &n, NULL, &err));
    CHECK(m.closed == 0);
    free(m.data);
}

static void failing_sinks(void) {
    int fail;
    for (fail = 1; fail <= 4; fail++) {
        memory m = fresh();
        bulla_sink sink = sink_of(&m);
        bulla_writer *writer = NULL;
        int32_t status = BULLA_OK;
        size_t at;
        m.fail_at = fail;
        if (bulla_sealer_begin_sink(sealer, &sink, NULL, &writer, NULL) != BULLA_OK) {
            CHECK(m.closed == 1 && writer == NULL);
            free(m.data);
            continue;
        }
        for (at = 0; at < LEN && status == BULLA_OK; at += 100000)
            status = bulla_writer_write(writer, content + at, 100000, NULL);
        CHECK(status == BULLA_E_IO && m.closed == 1);
        EXPECT(BULLA_E_BAD_STATE, bulla_writer_write(writer, "x", 1, &err));
        EXPECT(BULLA_E_BAD_STATE, bulla_writer_finish(writer, &err));
        bulla_writer_free(writer);
        CHECK(m.closed == 1);
        free(m.data);
    }
}

static void callbacks_that_come_back(void) {
    memory m = sealed(LEN);
    bulla_file *file = open_memory(&m);
    char *big = (char *)malloc(LEN);
    size_t got;
    m.file = file;
    m.session = session;
    OK(bulla_file_read(file, big, LEN, &got, &err));
    CHECK(got == LEN && memcmp(big, content, LEN) == 0);
    bulla_file_free(file);
    free(big);
    free(m.data);
}

int main(void) {
    content = noise(LEN, 3);
    session = desk();
    sealer = issuer();
    RUN(slow_sources); /* first: brief.json was made a moment ago */
    RUN(there_and_back);
    RUN(streams);
    RUN(saves);
    RUN(failing_sources);
    RUN(closed_whatever_happens);
    RUN(failing_sinks);
    RUN(callbacks_that_come_back);
    bulla_sealer_free(sealer);
    bulla_session_free(session);
    free(content);
    return 0;
}
