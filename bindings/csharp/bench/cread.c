/* Reads a sealed file from its start to its end in blocks of 1 MiB, through the C API. */
#include <bulla.h>
#include <stdio.h>
#include <string.h>

static unsigned char block[1024 * 1024];

static void *failed(bulla_error *error) {
    fprintf(stderr, "%s\n", bulla_error_message(error));
    bulla_error_free(error);
    return NULL;
}

void *c_open(const char *home, const char *path);
uint64_t c_read_all(void *opened);

void *c_open(const char *home, const char *path) {
    bulla_session_options options;
    bulla_session *session = NULL;
    bulla_file *file = NULL;
    bulla_error *error = NULL;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.home = home;
    if (bulla_session_start(&options, &session, &error) != BULLA_OK) return failed(error);
    if (bulla_file_open(session, path, NULL, &file, &error) != BULLA_OK) failed(error);
    bulla_session_free(session);
    return file;
}

uint64_t c_read_all(void *opened) {
    uint64_t all = 0;
    size_t n = 1;
    bulla_error *error = NULL;
    bulla_file *file = opened;
    if (bulla_file_seek(file, 0, BULLA_SEEK_SET, NULL, &error) != BULLA_OK) {
        failed(error);
        return 0;
    }
    while (n > 0) {
        if (bulla_file_read(file, block, sizeof block, &n, &error) != BULLA_OK) {
            failed(error);
            return 0;
        }
        all += n;
    }
    return all;
}
