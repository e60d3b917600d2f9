/* Reads a sealed file to its end in 1 MiB blocks, once, and prints the seconds that took.
 * usage: pass HOME FILE */
#define _POSIX_C_SOURCE 200809L
#include <bulla.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCK = 1 << 20 };
static unsigned char block[BLOCK];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
    bulla_session_options options;
    bulla_session *session = NULL;
    bulla_file *file = NULL;
    bulla_error *error = NULL;
    size_t n = 0;
    double start;
    if (argc != 3) return 2;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.home = argv[1];
    memset(block, 1, sizeof block); /* so that its pages are there */
    if (bulla_session_start(&options, &session, &error) != BULLA_OK ||
        bulla_file_open(session, argv[2], NULL, &file, &error) != BULLA_OK) {
        fprintf(stderr, "%s\n", bulla_error_message(error));
        return 1;
    }
    start = now();
    do {
        if (bulla_file_read(file, block, BLOCK, &n, &error) != BULLA_OK) return 1;
    } while (n > 0);
    printf("%.6f\n", now() - start);
    bulla_file_free(file);
    bulla_session_free(session);
    return 0;
}
