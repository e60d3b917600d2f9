/* Changed envelopes, opened from memory, by path and by descriptor: each is refused, and no byte
 * comes out that was not sealed. A small envelope is changed in every bit, as a file in one of every
 * byte, and cut to every length. One of three chunks is changed in every byte of its header, salt,
 * commitment, last chunk and tags, and in every fifth byte between, one bit each, all eight in turn; it
 * is cut likewise, made longer, and its parts are mixed with those of others. */
#include "test.h"
#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>
#endif

enum { CHUNK = 16384, SLOT = CHUNK + 16, PREFIX = 56, SMALL = 100, LEN = 2 * CHUNK + SMALL,
       ROOM = 4 * SLOT + 200000 };

static bulla_session *session;
static unsigned char *content, *good;
static size_t content_len, good_len, payload;
static unsigned long tried, late;

typedef struct bytes {
    const unsigned char *data;
    size_t len;
} bytes;

static int32_t read_at(void *user, uint64_t offset, void *out, size_t len, size_t *out_read) {
    const bytes *b = (const bytes *)user;
    size_t n = offset < b->len ? b->len - (size_t)offset : 0;
    if (n > len) n = len;
    if (n) memcpy(out, b->data + offset, n);
    *out_read = n;
    return 0;
}

static int32_t size_of(void *user, uint64_t *out_size) {
    *out_size = ((const bytes *)user)->len;
    return 0;
}

/* Whether it is the refusal of a change, or of what was found changed before; frees it. */
static int refusal(int32_t code, bulla_error *err, int before) {
    const char *kind = bulla_error_class(err);
    int fine = before ? code == BULLA_E_BAD_STATE
                      : code != BULLA_OK && (!strcmp(kind, "format") || !strcmp(kind, "tampered") ||
                                             !strcmp(kind, "denied"));
    if (!fine) fprintf(stderr, "%d: %s: %s\n", code, kind ? kind : "", bulla_error_message(err));
    bulla_error_free(err);
    return fine;
}

/* Reads all there is, from the end on and from the start on. Gives whether a read was refused. */
static int read_all(bulla_file *file) {
    static char out[LEN + SLOT];
    bulla_error *err = NULL;
    size_t at = content_len + CHUNK, got;
    int refused = 0;
    int32_t code;
    do {
        at -= CHUNK / 2;
        memset(out, 0x55, sizeof out);
        code = bulla_file_pread(file, at, out, 1000, &got, &err);
        if (code != BULLA_OK) {
            CHECK(refusal(code, err, refused) && got == 0);
            refused = 1;
            for (got = 0; got < 1000; got++) CHECK(out[got] == 0x55 || out[got] == 0);
        } else {
            CHECK(!refused); /* a file found changed stays closed */
            CHECK(got <= (at < content_len ? content_len - at : 0));
            CHECK(!memcmp(out, content + (got ? at : 0), got));
        }
    } while (at >= CHUNK / 2);
    code = bulla_file_pread(file, 0, out, sizeof out, &got, &err);
    if (code != BULLA_OK) {
        CHECK(refusal(code, err, refused));
        return 1;
    }
    CHECK(!refused && got == content_len && !memcmp(out, content, content_len));
    return 0;
}

/* Gives whether it was refused, at once or while it was read; closes it. */
static int refused(int32_t code, bulla_error *err, bulla_file *file) {
    int was;
    if (code != BULLA_OK) {
        CHECK(file == NULL);
        return refusal(code, err, 0);
    }
    was = read_all(file);
    late += (unsigned long)was;
    bulla_file_free(file);
    return was;
}

static int from_memory(const unsigned char *data, size_t len) {
    bytes b;
    bulla_source source;
    bulla_file *file = NULL;
    bulla_error *err = NULL;
    int32_t code;
    b.data = data;
    b.len = len;
    memset(&source, 0, sizeof source);
    source.struct_size = sizeof source;
    source.user = &b;
    source.read_at = read_at;
    source.size = size_of;
    code = bulla_file_open_source(session, &source, NULL, &file, &err);
    return refused(code, err, file);
}

/* The file as it is, by path and by descriptor. */
static int from_file(const char *path) {
    bulla_file *file = NULL;
    bulla_error *err = NULL;
    int32_t code = bulla_file_open(session, path, NULL, &file, &err);
    int was = refused(code, err, file);
#ifndef _WIN32
    int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    file = NULL;
    err = NULL;
    code = bulla_file_open_fd(session, fd, NULL, &file, &err);
    CHECK(refused(code, err, file) == was);
    close(fd);
#endif
    return was;
}

static void must(int was_refused, const char *what, size_t at) {
    if (!was_refused) {
        fprintf(stderr, "accepted: %s %lu\n", what, (unsigned long)at);
        exit(1);
    }
    tried++;
}

static void must_refuse(const unsigned char *data, size_t len, const char *what, size_t at) {
    CHECK(len != good_len || memcmp(data, good, len));
    spit("changed", data, len);
    must(from_memory(data, len) && from_file("changed"), what, at);
}

/* Whether a place is near the start or the end of a chunk, or before the first. */
static int edge(size_t at) {
    size_t slot = at < payload + PREFIX ? 0 : (at - payload - PREFIX) % SLOT;
    return slot < 20 || slot > SLOT - 20 || good_len - at < 120;
}

static void flipped(void) {
    unsigned char *data = (unsigned char *)malloc(good_len);
    FILE *file;
    size_t at, bit;
    CHECK(data != NULL);
    memcpy(data, good, good_len);
    spit("flipped", data, good_len);
    file = fopen("flipped", "r+b");
    CHECK(file != NULL);
    CHECK(!from_memory(data, good_len) && !from_file("flipped")); /* the untouched one opens */
    for (at = 0; at < good_len; at++) {
        for (bit = 0; content_len == SMALL && bit < 8; bit++) {
            data[at] = good[at] ^ (unsigned char)(1 << bit);
            must(from_memory(data, good_len), "a bit flipped of byte", at);
        }
        data[at] = good[at];
        if (!edge(at) && at % 5) continue;
        data[at] = good[at] ^ (unsigned char)(1 << (at * 5 + 3) % 8);
        CHECK(!fseek(file, (long)at, SEEK_SET) && fputc(data[at], file) != EOF && !fflush(file));
        must(from_memory(data, good_len) && from_file("flipped"), "a bit flipped of byte", at);
        data[at] = good[at];
        CHECK(!fseek(file, (long)at, SEEK_SET) && fputc(data[at], file) != EOF && !fflush(file));
    }
    CHECK(!from_memory(data, good_len) && !from_file("flipped"));
    fclose(file);
    free(data);
}

static void cut_and_extended(void) {
    unsigned char *data = (unsigned char *)calloc(1, ROOM);
    size_t n;
    CHECK(data != NULL && good_len * 2 < ROOM);
    memcpy(data, good, good_len);
    for (n = 0; n < good_len; n++) {
        if (content_len == SMALL) must(from_memory(data, n), "cut to", n);
        if (n % 37 == 0 || (n >= payload && edge(n))) must_refuse(data, n, "cut to", n);
    }
    for (n = 1; n <= 32; n++) must_refuse(data, good_len + n, "longer by", n);
    must_refuse(data, good_len + SLOT, "longer by", SLOT);
    memcpy(data + good_len, good, good_len);
    must_refuse(data, 2 * good_len, "an envelope twice", 0);
    memcpy(data + good_len, good + payload + PREFIX, good_len - payload - PREFIX);
    must_refuse(data, 2 * good_len - payload - PREFIX, "all chunks twice", 0);
    free(data);
}

static void chunks_mixed(void) {
    unsigned char *data = (unsigned char *)malloc(good_len);
    const size_t first = payload + PREFIX, last = good_len - first - 2 * SLOT;
    CHECK(data != NULL);
    memcpy(data, good, good_len);
    memcpy(data + first, good + first + SLOT, SLOT);
    must_refuse(data, good_len, "the second chunk in the place of the first", 0);
    memcpy(data + first + SLOT, good + first, SLOT);
    must_refuse(data, good_len, "chunks swapped", 0);
    memcpy(data + first, good + first, SLOT);
    must_refuse(data, good_len, "the first chunk twice", 0);
    memcpy(data + first + SLOT, good + first + 2 * SLOT, last);
    must_refuse(data, good_len - SLOT, "the second chunk dropped", 0);
    free(data);
}

/* Of another envelope under the same policy, and of one with the same content. */
static void spliced(void) {
    unsigned char *other_content = noise(content_len, 9), *data = (unsigned char *)malloc(good_len);
    size_t twin, n, len;
    CHECK(data != NULL);
    for (twin = 0; twin < 2; twin++) {
        unsigned char *other;
        const size_t edges[] = {0, 24, PREFIX, PREFIX + SLOT, PREFIX + 2 * SLOT, good_len - payload};
        seal("all.json", "other", twin ? content : other_content, content_len);
        other = (unsigned char *)slurp("other", &len);
        CHECK(len == good_len);
        memcpy(data, good, good_len);
        memcpy(data + payload, other + payload, good_len - payload);
        must_refuse(data, good_len, "another payload, twin", twin);
        memcpy(data, other, payload);
        memcpy(data + payload, good + payload, good_len - payload);
        must_refuse(data, good_len, "another header, twin", twin);
        for (n = 0; n + 1 < sizeof edges / sizeof *edges; n++) {
            memcpy(data, good, good_len);
            memcpy(data + payload + edges[n], other + payload + edges[n], edges[n + 1] - edges[n]);
            must_refuse(data, good_len, "another part of the payload", n);
        }
        free(other);
    }
    free(other_content);
    free(data);
}

/* Changed while it is open: what comes out was sealed, and after the first refusal nothing does. */
static void changed_while_open(void) {
    size_t chunk;
    for (chunk = 0; chunk < 3; chunk++) {
        FILE *stored;
        bulla_file *file;
        char byte;
        size_t got;
        const size_t at = payload + PREFIX + chunk * SLOT + 50;
        spit("open", good, good_len);
        file = open_file(session, "open");
        CHECK(!read_all(file));
        stored = fopen("open", "r+b");
        CHECK(stored != NULL && !fseek(stored, (long)at, SEEK_SET));
        CHECK(fputc(good[at] ^ 1, stored) != EOF && !fclose(stored));
        CHECK(read_all(file));
        /* Put back, it opens again, but not here. */
        spit("open", good, good_len);
        EXPECT(BULLA_E_BAD_STATE, bulla_file_pread(file, 0, &byte, 1, &got, &err));
        bulla_file_free(file);
        CHECK(!from_file("open"));
    }
}

/* Seals so many bytes, to be changed. */
static void sealed(size_t len) {
    free(good);
    content_len = len;
    seal("all.json", "good", content, len);
    good = (unsigned char *)slurp("good", &good_len);
    payload = good[8] | (size_t)good[9] << 8 | (size_t)good[10] << 16;
    CHECK(payload == 4096 && good_len == payload + PREFIX + len + 16 * (len / CHUNK + 1));
}

int main(void) {
    static const char *const config = "[trail]\nsync = \"never\"\n"; /* denials would wait for the disk */
    spit("desk/config.toml", config, strlen(config));
    content = noise(LEN, 7);
    session = desk();
    sealed(SMALL);
    RUN(flipped);
    RUN(cut_and_extended);
    sealed(LEN);
    RUN(flipped);
    RUN(cut_and_extended);
    RUN(chunks_mixed);
    RUN(spliced);
    RUN(changed_while_open);
    printf("%lu changed envelopes; %lu were refused while they were read\n", tried, late);
    CHECK(tried > 50000 && late > 12000);
    bulla_session_free(session);
    free(content);
    free(good);
    return 0;
}
