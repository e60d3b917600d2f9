/* Changed envelopes, opened from memory, by path and by descriptor: each is refused, and no byte
 * comes out that was not sealed. From memory every byte is changed and every length tried (on Windows
 * one of seven); as a file every byte of a small envelope and, of one of three chunks, of its header
 * and near the ends of chunks and some between, or with BULLA_TEST_ALL in the environment all. Chunks
 * come in every order, parts in every mixture with those of another envelope. What tampered.sh has
 * sealed in a batch and for a hybrid key is changed likewise. tests/support/tampered.rs makes the same
 * for Rust. */
#include "test.h"
#ifndef _WIN32
#include <fcntl.h>
#include <unistd.h>
#endif

enum { CHUNK = 16384, SLOT = CHUNK + 16, PREFIX = 56, SMALL = 100, LEN = 2 * CHUNK + SMALL,
       LONG = 96 * CHUNK, ROOM = 4 * SLOT + 200000 };

static bulla_session *session;
static unsigned char *content, *good;
/* Envelopes as long: of another content, and of the same. */
static unsigned char *others[2];
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
    static char out[LONG + SLOT];
    bulla_error *err = NULL;
    size_t at = content_len + CHUNK, got;
    int refused = 0;
    int32_t code;
    do {
        at -= CHUNK / 2;
        memset(out, 0x55, 1000);
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
    code = bulla_file_pread(file, 0, out, content_len + SLOT, &got, &err);
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

/* Whether everything is to be tried, which takes minutes. */
static int all(void) { return getenv("BULLA_TEST_ALL") != NULL; }

/* Of these many places one is changed: all, but for Wine, where the record of a refusal takes long. */
#ifdef _WIN32
enum { STEP = 7 };
#else
enum { STEP = 1 };
#endif

/* Whether this place is changed, and it is cut there. */
static int in_turn(size_t at) { return all() || at % STEP == 0 || (at >= payload && edge(at)); }

/* Whether a change of this place is tried as a file, too. */
static int as_file(size_t at) { return all() || edge(at) || at % 5 == 0; }

static void every_bit_flipped(void) {
    unsigned char *data = (unsigned char *)malloc(good_len);
    size_t at, bit;
    CHECK(data != NULL);
    memcpy(data, good, good_len);
    for (at = 0; at < good_len; at++) {
        if (!in_turn(at)) continue;
        for (bit = 0; bit < 8; bit++) {
            data[at] = good[at] ^ (unsigned char)(1 << bit);
            must(from_memory(data, good_len), "a bit flipped of byte", at);
        }
        data[at] = good[at];
    }
    free(data);
}

/* One bit of every byte, all eight in turn. */
static void flipped(void) {
    unsigned char *data = (unsigned char *)malloc(good_len);
    FILE *file;
    size_t at;
    CHECK(data != NULL);
    memcpy(data, good, good_len);
    spit("flipped", data, good_len);
    file = fopen("flipped", "r+b");
    CHECK(file != NULL);
    CHECK(!from_memory(data, good_len) && !from_file("flipped")); /* the untouched one opens */
    for (at = 0; at < good_len; at++) {
        if (!in_turn(at)) continue;
        data[at] = good[at] ^ (unsigned char)(1 << (at * 5 + 3) % 8);
        must(from_memory(data, good_len), "a bit flipped of byte", at);
        if (as_file(at)) {
            CHECK(!fseek(file, (long)at, SEEK_SET) && fputc(data[at], file) != EOF);
            CHECK(!fflush(file));
            must(from_file("flipped"), "a bit flipped in a file of byte", at);
            CHECK(!fseek(file, (long)at, SEEK_SET) && fputc(good[at], file) != EOF);
            CHECK(!fflush(file));
        }
        data[at] = good[at];
    }
    CHECK(!from_memory(data, good_len) && !from_file("flipped"));
    fclose(file);
    free(data);
}

static void cut(void) {
    size_t n;
    for (n = 0; n < good_len; n++) {
        if (!in_turn(n)) continue;
        must(from_memory(good, n), "cut to", n);
        if (all() || n % 37 == 0 || (n >= payload && edge(n))) must_refuse(good, n, "cut to", n);
    }
}

/* By bytes of nothing, and by such as may stand there. */
static void extended(void) {
    static const size_t long_ones[] = {SLOT - 1, SLOT, SLOT + 16, 2 * SLOT};
    unsigned char *data = (unsigned char *)calloc(1, ROOM), *tail = noise(2 * SLOT, 3);
    size_t n, more, kind;
    CHECK(data != NULL && good_len * 2 < ROOM);
    memcpy(data, good, good_len);
    for (kind = 0; kind < 2; kind++) {
        for (n = 0; n < 36; n++) {
            more = n < 32 ? n + 1 : long_ones[n - 32];
            must_refuse(data, good_len + more, "longer by", more);
        }
        memcpy(data + good_len, tail, 2 * SLOT);
    }
    memcpy(data + good_len, good, good_len);
    must_refuse(data, 2 * good_len, "an envelope twice", 0);
    memcpy(data + good_len, good + payload + PREFIX, good_len - payload - PREFIX);
    must_refuse(data, 2 * good_len - payload - PREFIX, "all chunks twice", 0);
    free(tail);
    free(data);
}

enum { BEFORE = 4, CHUNKS = 3, PARTS = BEFORE + CHUNKS };

/* License, description, salt and commitment, and behind these the chunks. */
static void take_apart(const unsigned char *envelope, bytes *parts) {
    const unsigned char *at = envelope + 12, *end;
    size_t n, from;
    for (n = 0; n < 2; n++, at = end + 1) {
        end = (const unsigned char *)memchr(at, '\n', payload - (size_t)(at - envelope));
        CHECK(end != NULL);
        parts[n].data = at;
        parts[n].len = (size_t)(end - at);
    }
    parts[2].data = envelope + payload;
    parts[2].len = 24;
    parts[3].data = envelope + payload + 24;
    parts[3].len = PREFIX - 24;
    for (n = 0; n < CHUNKS; n++) {
        from = payload + PREFIX + n * SLOT;
        parts[BEFORE + n].data = envelope + from;
        parts[BEFORE + n].len = good_len - from < SLOT ? good_len - from : SLOT;
    }
}

static size_t append(unsigned char *out, size_t len, bytes part) {
    memcpy(out + len, part.data, part.len);
    return len + part.len;
}

static size_t put_together(const bytes *parts, unsigned char *out) {
    size_t len = 12, n;
    memcpy(out, good, len);
    memset(out + len, 0, payload - len);
    for (n = 0; n < PARTS; n++) {
        len = append(out, len, parts[n]);
        if (n < 2) out[len++] = '\n';
        if (n == 1) len = payload;
    }
    return len;
}

/* Up to four chunks of the envelope, each any of the three. */
static void chunks_in_any_order(void) {
    unsigned char *data = (unsigned char *)malloc(ROOM);
    bytes parts[PARTS];
    size_t count, orders, order, rest, n, len;
    CHECK(data != NULL);
    take_apart(good, parts);
    memcpy(data, good, payload + PREFIX);
    for (count = 0, orders = 1; count <= CHUNKS + 1; count++, orders *= CHUNKS) {
        for (order = 0; order < orders; order++) {
            len = payload + PREFIX;
            for (n = 0, rest = order; n < count; n++, rest /= CHUNKS) {
                len = append(data, len, parts[BEFORE + rest % CHUNKS]);
            }
            if (len == good_len && !memcmp(data, good, len)) continue;
            must_refuse(data, len, "chunks in the order", order);
        }
    }
    free(data);
}

/* Every mixture with another envelope. With all before the chunks of that it would be one of the other
 * envelope, and the same the other way round. */
static void spliced(void) {
    unsigned char *data = (unsigned char *)malloc(good_len + payload);
    bytes mine[PARTS], theirs[PARTS], mixed[PARTS];
    const size_t all_before = (1 << BEFORE) - 1;
    size_t twin, set, n;
    CHECK(data != NULL);
    take_apart(good, mine);
    CHECK(put_together(mine, data) == good_len && !memcmp(data, good, good_len));
    for (twin = 0; twin < 2; twin++) {
        take_apart(others[twin], theirs);
        for (set = 1; set < 1 << PARTS; set++) {
            if ((set & all_before) == all_before) continue;
            for (n = 0; n < PARTS; n++) mixed[n] = set >> n & 1 ? theirs[n] : mine[n];
            n = put_together(mixed, data);
            must_refuse(data, n, twin ? "parts of a twin" : "parts of another", set);
        }
    }
    free(data);
}

/* Several changes at once. */
static void damaged(void) {
    unsigned char *data = (unsigned char *)malloc(good_len), *random;
    size_t seed, n, at, run, len;
    CHECK(data != NULL);
    for (seed = 1; seed <= 1000; seed++) {
        random = noise(64, seed * 0x9e3779b97f4a7c15u);
        memcpy(data, good, good_len);
        len = good_len;
        for (n = 16; n < 24 + 8 * (size_t)(random[15] % 4); n += 8) {
            at = (random[n] | (size_t)random[n + 1] << 8) * len >> 16;
            run = 1 + random[n + 2] % 64;
            if (run > len - at) run = len - at;
            switch (random[n + 3] % 4) {
            case 0: memset(data + at, random[n + 4], run); break;
            case 1: memmove(data + at, data + at + run, len - at - run), len -= run; break;
            case 2: data[at] ^= 1 + random[n + 4] % 255; break;
            default: len = at + 100 < len ? at + 100 : len;
            }
        }
        free(random);
        if (len != good_len || memcmp(data, good, len)) must_refuse(data, len, "damage", seed);
    }
    free(data);
}

/* Readers work on many chunks at a time: a cut where such a batch ends is no end either. */
static void cut_at_chunks(void) {
    static const size_t more[] = {0, 1, 15, 16, 17, SLOT - 1};
    size_t end, n;
    CHECK(!from_memory(good, good_len));
    for (end = payload + PREFIX; end < good_len; end += SLOT) {
        for (n = 0; n < sizeof more / sizeof *more && end + more[n] < good_len; n++) {
            must_refuse(good, end + more[n], "cut to", end + more[n]);
        }
    }
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

static void forget(void) {
    free(content);
    free(good);
    free(others[0]);
    free(others[1]);
}

/* Takes up what is sealed in this folder, with its content. */
static void use(const char *folder) {
    static const char *const names[] = {"good.bulla", "other.bulla", "twin.bulla"};
    unsigned char *envelopes[3];
    char path[64];
    size_t n, len;
    forget();
    for (n = 0; n < 3; n++) {
        sprintf(path, "%s/%s", folder, names[n]);
        envelopes[n] = (unsigned char *)slurp(path, &len);
        CHECK(n == 0 || len == good_len);
        good_len = len;
    }
    good = envelopes[0];
    others[0] = envelopes[1];
    others[1] = envelopes[2];
    sprintf(path, "%s/good", folder);
    content = (unsigned char *)slurp(path, &content_len);
    payload = good[8] | (size_t)good[9] << 8 | (size_t)good[10] << 16;
    CHECK(good_len == payload + PREFIX + content_len + 16 * (content_len / CHUNK + 1));
    for (n = 0; n < 2; n++) CHECK(!memcmp(others[n], good, 12)); /* their payloads begin there, too */
    printf("%s, %lu bytes\n", folder, (unsigned long)content_len);
}

/* Seals so many bytes to be changed, into the folder `single`. */
static void use_sealed(size_t len) {
    unsigned char *text = noise(len, 7), *other = noise(len, 9);
    spit("single/good", text, len);
    seal("all.json", "single/good.bulla", text, len);
    seal("all.json", "single/other.bulla", other, len);
    seal("all.json", "single/twin.bulla", text, len);
    free(text);
    free(other);
    use("single");
}

static void of_any_length(void) {
    RUN(flipped);
    RUN(cut);
    RUN(extended);
}

static void of_three_chunks(void) {
    CHECK(content_len == LEN);
    RUN(chunks_in_any_order);
    RUN(spliced);
    RUN(damaged);
}

/* As in this home; its denials would wait for the disk. */
static void as(const char *home) {
    static const char *const config = "[trail]\nsync = \"never\"\n";
    bulla_session_options options;
    char path[64];
    sprintf(path, "%s/config.toml", home);
    spit(path, config, strlen(config));
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.home = home;
    bulla_session_free(session);
    session = NULL;
    OK(bulla_session_start(&options, &session, &err));
}

int main(void) {
    as("desk");
    use_sealed(SMALL);
    RUN(every_bit_flipped);
    of_any_length();
    use_sealed(LEN);
    of_any_length();
    of_three_chunks();
    RUN(changed_while_open);
    use("batch");
    of_any_length();
    of_three_chunks();
    use_sealed(LONG - 26 * CHUNK);
    RUN(cut_at_chunks);
    use_sealed(LONG);
    RUN(cut_at_chunks);
    as("remote");
    use("hybrid-small");
    of_any_length();
    use("hybrid");
    if (all()) of_any_length(); /* its key takes long */
    of_three_chunks();
    printf("%lu changed envelopes through C, %lu of them refused while they were read\n", tried, late);
    if (STEP == 1) CHECK(tried > 230000 && late > 60000);
    CHECK(tried > 20000 && late > 3000);
    bulla_session_free(session);
    forget();
    return 0;
}
