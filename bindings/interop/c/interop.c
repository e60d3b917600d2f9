/* usage: interop seal HOME TEMPLATE IN OUT [IN OUT]… | open HOME FILE OUT [FILE OUT]… |
 * deny HOME FILE. README.md says what each prints. */
#include <bulla.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1 << 16 };

static void check(int32_t status, bulla_error *error) {
    if (status == BULLA_OK) return;
    fprintf(stderr, "%d\t%s\n", (int)status, bulla_error_name(error));
    exit(1);
}

static FILE *open_or_exit(const char *path, const char *mode) {
    FILE *file = fopen(path, mode);
    if (file) return file;
    perror(path);
    exit(2);
}

static char *text_of(const char *path) {
    FILE *file = open_or_exit(path, "rb");
    size_t room = 1 << 20, n;
    char *text = (char *)malloc(room);
    if (!text) exit(2);
    n = fread(text, 1, room - 1, file);
    text[n] = 0;
    fclose(file);
    return text;
}

static void seal(const bulla_sealer *sealer, const char *from, const char *to) {
    static char block[BLOCK];
    FILE *in = open_or_exit(from, "rb");
    bulla_writer *writer = NULL;
    bulla_error *error = NULL;
    int32_t status = bulla_sealer_begin(sealer, to, NULL, &writer, &error);
    size_t n;
    check(status, error);
    while ((n = fread(block, 1, sizeof block, in)) > 0) {
        status = bulla_writer_write(writer, block, n, &error);
        check(status, error);
    }
    if (ferror(in)) exit(2);
    fclose(in);
    status = bulla_writer_finish(writer, &error);
    check(status, error);
    bulla_writer_free(writer);
}

static void open_one(const bulla_session *session, const char *from, const char *to) {
    static char block[BLOCK];
    FILE *out;
    bulla_file *file = NULL;
    bulla_error *error = NULL;
    int32_t status = bulla_file_open(session, from, NULL, &file, &error);
    size_t n = 0;
    check(status, error);
    out = open_or_exit(to, "wb");
    do {
        status = bulla_file_read(file, block, sizeof block, &n, &error);
        check(status, error);
        if (fwrite(block, 1, n, out) != n) exit(2);
    } while (n > 0);
    if (fclose(out) != 0) exit(2);
    bulla_file_free(file);
}

static int deny(const bulla_session *session, const char *path) {
    bulla_file *file = NULL;
    bulla_error *error = NULL;
    int32_t status = bulla_file_open(session, path, NULL, &file, &error);
    const char *decision = bulla_error_decision(error);
    if (status < 400 || status >= 500 || !decision) {
        check(status, error);
        return 2;
    }
    /* C has no JSON of its own: the decision is the data. */
    printf("%d\t%s\n%s\n", (int)status, bulla_error_name(error), decision);
    bulla_error_free(error);
    return 3;
}

int main(int argc, char **argv) {
    bulla_session_options options;
    bulla_session *session = NULL;
    bulla_error *error = NULL;
    int32_t status;
    int i, ended = 0;
    if (argc < 4) return 2;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.home = argv[2];
    status = bulla_session_start(&options, &session, &error);
    check(status, error);
    if (strcmp(argv[1], "seal") == 0) {
        bulla_sealer *sealer = NULL;
        char *text = text_of(argv[3]);
        status = bulla_sealer_from_template(session, text, NULL, 0, &sealer, &error);
        check(status, error);
        for (i = 4; i + 1 < argc; i += 2) seal(sealer, argv[i], argv[i + 1]);
        bulla_sealer_free(sealer);
        free(text);
    } else if (strcmp(argv[1], "open") == 0) {
        for (i = 3; i + 1 < argc; i += 2) open_one(session, argv[i], argv[i + 1]);
    } else {
        ended = deny(session, argv[3]);
    }
    bulla_session_free(session);
    return ended;
}
