/* Seals and opens the same generated content on every system.
 * usage: exchange seal|open|save FILE SIZE SEED */
#include "test.h"

enum { BLOCK = 1 << 20 };
static uint64_t block[BLOCK / sizeof(uint64_t)];

/* Content from `offset` on, which is a multiple of 8; no part of it is like another. */
static void fill(uint64_t offset, uint64_t seed) {
    size_t i;
    for (i = 0; i < sizeof block / sizeof *block; i++) {
        uint64_t x = (offset / 8 + i + seed) * 0x9e3779b97f4a7c15u;
        block[i] = x ^ (x >> 29);
    }
}

static void write_all(bulla_writer *writer, uint64_t size, uint64_t seed) {
    uint64_t at;
    for (at = 0; at < size; at += BLOCK) {
        uint64_t rest = size - at;
        fill(at, seed);
        OK(bulla_writer_write(writer, block, rest < BLOCK ? (size_t)rest : BLOCK, &err));
    }
    OK(bulla_writer_finish(writer, &err));
    bulla_writer_free(writer);
}

static void seal_it(const char *path, uint64_t size, uint64_t seed) {
    bulla_sealer *sealer = issuer();
    bulla_writer *writer = NULL;
    OK(bulla_sealer_begin(sealer, path, NULL, &writer, &err));
    write_all(writer, size, seed);
    bulla_sealer_free(sealer);
}

static void save_it(const char *path, uint64_t size, uint64_t seed) {
    bulla_session *session = desk();
    bulla_file *file = open_file(session, path);
    bulla_writer *writer = NULL;
    OK(bulla_file_save(file, NULL, &writer, &err));
    write_all(writer, size, seed);
    bulla_file_free(file);
    bulla_session_free(session);
}

static void open_it(const char *path, uint64_t size, uint64_t seed) {
    static unsigned char buf[BLOCK];
    bulla_session *session = desk();
    bulla_file *file = open_file(session, path);
    uint64_t n = 0, at;
    size_t got = 1;
    OK(bulla_file_size(file, &n, &err));
    CHECK(n == size);
    for (at = 0; at < size; at += got) {
        OK(bulla_file_pread(file, at, buf, sizeof buf, &got, &err));
        fill(at, seed);
        CHECK(got == (size - at < BLOCK ? size - at : BLOCK));
        CHECK(memcmp(buf, block, got) == 0);
    }
    OK(bulla_file_pread(file, size, buf, 1, &got, &err));
    CHECK(got == 0);
    /* Back, and over the edge of what 32 bits count. */
    for (at = size; at >= BLOCK; at = at > BLOCK ? at / 2 : 0) {
        uint64_t from = (at - BLOCK / 2) & ~(uint64_t)7;
        if (from >= size) continue;
        OK(bulla_file_seek(file, (int64_t)from, BULLA_SEEK_SET, NULL, &err));
        OK(bulla_file_read(file, buf, 4096, &got, &err));
        fill(from, seed);
        CHECK(got > 0 && memcmp(buf, block, got) == 0);
    }
    bulla_file_free(file);
    bulla_session_free(session);
}

int main(int argc, char **argv) {
    uint64_t size, seed;
    CHECK(argc == 5);
    size = strtoull(argv[3], NULL, 10);
    seed = strtoull(argv[4], NULL, 10);
    test_now = argv[1];
    if (strcmp(argv[1], "seal") == 0) {
        seal_it(argv[2], size, seed);
    } else if (strcmp(argv[1], "save") == 0) {
        save_it(argv[2], size, seed);
    } else {
        CHECK(strcmp(argv[1], "open") == 0);
        open_it(argv[2], size, seed);
    }
    return 0;
}
