/* What the C tests share: checks, a session of the desk, an issuer's sealer, files.
 * Each program runs in a folder of its own, which run.sh has made: homes `issuer` and `desk`, the
 * policies all.json, view.json, masked.json, brief.json and nobody.json. */
#ifndef TEST_H
#define TEST_H

#include "bulla.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED(x) ((void)(x))

static const char *test_now = "(start)";

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: in %s: %s does not hold\n", __FILE__, __LINE__, test_now,      \
                    #condition);                                                                   \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* Runs a call whose last argument is `&err`, which must end with this status; then frees err. */
#define EXPECT(code, call)                                                                         \
    do {                                                                                           \
        bulla_error *err = (bulla_error *)1;                                                       \
        int32_t got_ = (call);                                                                     \
        expect_((code), got_, err, __FILE__, __LINE__, #call);                                     \
    } while (0)

#define OK(call) EXPECT(BULLA_OK, call)

#define RUN(test)                                                                                  \
    do {                                                                                           \
        test_now = #test;                                                                          \
        test();                                                                                    \
        printf("ok %s\n", #test);                                                                  \
        fflush(stdout);                                                                            \
    } while (0)

static inline void expect_(int32_t code, int32_t got, bulla_error *err, const char *file,
                           int line, const char *call) {
    int32_t of_error = bulla_error_code(err);
    if (got != code || of_error != got) {
        fprintf(stderr, "%s:%d: in %s: %s\n  gave %d (error: %d, %s), not %d\n", file, line,
                test_now, call, got, of_error, bulla_error_message(err), code);
        exit(1);
    }
    if (got == BULLA_OK) {
        CHECK(err == NULL);
    } else {
        CHECK(strlen(bulla_error_message(err)) > 0);
        CHECK(strcmp(bulla_error_name(err), bulla_code_name(got)) == 0);
    }
    bulla_error_free(err);
}

/* The whole of a file; to be freed. It has a NUL behind its end. */
static inline char *slurp(const char *path, size_t *len) {
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    size_t n = 0, room = 0, got;
    CHECK(file != NULL);
    do {
        room = room * 2 + 4096;
        data = (char *)realloc(data, room + 1);
        CHECK(data != NULL);
        got = fread(data + n, 1, room - n, file);
        n += got;
    } while (got > 0);
    fclose(file);
    data[n] = 0;
    if (len) *len = n;
    return data;
}

static inline void spit(const char *path, const void *data, size_t len) {
    FILE *file = fopen(path, "wb");
    CHECK(file != NULL);
    CHECK(fwrite(data, 1, len, file) == len);
    CHECK(fclose(file) == 0);
}

static inline int exists(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

/* Bytes that look random and are the same for the same seed. */
static inline unsigned char *noise(size_t len, uint64_t seed) {
    unsigned char *out = (unsigned char *)malloc(len ? len : 1);
    size_t i;
    CHECK(out != NULL);
    for (i = 0; i < len; i++) {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        out[i] = (unsigned char)seed;
    }
    return out;
}

static inline bulla_session *desk_with(const char *const *duties, size_t duty_count) {
    bulla_session_options options;
    bulla_session *session = NULL;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.home = "desk";
    options.duties = duties;
    options.duty_count = duty_count;
    options.ticket = "T-1";
    OK(bulla_session_start(&options, &session, &err));
    CHECK(session != NULL);
    return session;
}

static inline bulla_session *desk(void) { return desk_with(NULL, 0); }

static inline bulla_sealer *issuer_with(const char *policy_file, uint32_t flags) {
    bulla_sealer_options options;
    bulla_sealer *sealer = NULL;
    char *to = slurp("desk/identity.pub", NULL);
    char *policy;
    memset(&options, 0, sizeof options);
    policy = slurp(policy_file, &options.policy_len);
    options.struct_size = sizeof options;
    options.flags = flags;
    options.home = "issuer";
    options.label = "customer-data";
    options.policy = policy;
    options.recipients = to;
    OK(bulla_sealer_new(&options, &sealer, &err));
    CHECK(sealer != NULL);
    free(policy);
    free(to);
    return sealer;
}

static inline bulla_sealer *issuer(void) { return issuer_with("all.json", 0); }

/* Seals bytes under a policy into a file, which is replaced. */
static inline void seal(const char *policy_file, const char *path, const void *data, size_t len) {
    bulla_sealer *sealer = issuer_with(policy_file, 0);
    bulla_seal_options options;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.flags = BULLA_REPLACE;
    OK(bulla_sealer_seal_bytes(sealer, data, len, path, &options, NULL, &err));
    bulla_sealer_free(sealer);
}

static inline bulla_file *open_file(const bulla_session *session, const char *path) {
    bulla_file *file = NULL;
    OK(bulla_file_open(session, path, NULL, &file, &err));
    CHECK(file != NULL);
    return file;
}

#endif
