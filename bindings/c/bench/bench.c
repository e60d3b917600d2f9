/* Opens a sealed file and reads 4 KiB of it, through libbulla and through the Rust API in turn.
 * usage: bench HOME-FOR-C HOME-FOR-RUST FILE ROUNDS. Prints the medians; fails if C costs over 5 %
 * more. */
#define _POSIX_C_SOURCE 200809L
#include <bulla.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LEN = 4096 };
static unsigned char by_c[LEN], by_rust[LEN];

const void *rust_session(const char *home);
size_t rust_open_and_read(const void *session, const char *path, void *buf, size_t len);

static void check(int32_t status, bulla_error *error) {
    if (status == BULLA_OK) return;
    fprintf(stderr, "%s\n", bulla_error_message(error));
    exit(1);
}

static void c_open_and_read(const bulla_session *session, const char *path) {
    bulla_file *file = NULL;
    bulla_error *error = NULL;
    size_t n = 0;
    check(bulla_file_open(session, path, NULL, &file, &error), error);
    check(bulla_file_pread(file, 0, by_c, LEN, &n, &error), error);
    bulla_file_free(file);
    if (n != LEN) exit(1);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *times, size_t n) {
    qsort(times, n, sizeof *times, ascending);
    return times[n / 2];
}

int main(int argc, char **argv) {
    bulla_session_options options;
    bulla_session *session = NULL;
    bulla_error *error = NULL;
    const void *rust;
    double *c_times, *rust_times, c, r;
    size_t rounds, i;
    if (argc != 5) return 2;
    rounds = strtoul(argv[4], NULL, 10);
    c_times = (double *)malloc(rounds * sizeof *c_times);
    rust_times = (double *)malloc(rounds * sizeof *rust_times);
    if (rounds == 0 || !c_times || !rust_times) return 2;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    options.home = argv[1];
    check(bulla_session_start(&options, &session, &error), error);
    rust = rust_session(argv[2]);

    for (i = 0; i < 2 * rounds; i++) { /* once each a round; who is first changes */
        double start = now();
        if ((i % 4 == 0) || (i % 4 == 3)) {
            c_open_and_read(session, argv[3]);
            c_times[i / 2] = now() - start;
        } else {
            if (rust_open_and_read(rust, argv[3], by_rust, LEN) != LEN) return 1;
            rust_times[i / 2] = now() - start;
        }
    }
    if (memcmp(by_c, by_rust, LEN) != 0) return 1;
    c = median(c_times, rounds);
    r = median(rust_times, rounds);
    printf("open and read 4 KiB, %lu each: C %.1f us, Rust %.1f us, ratio %.3f (at most 1.05)\n",
           (unsigned long)rounds, c, r, c / r);
    bulla_session_free(session);
    free(c_times);
    free(rust_times);
    return c / r > 1.05;
}
