/* Bugs on purpose: a run in which the sanitizers do not report them proves nothing.
 * usage: planted overread|use-after-free|overflow|leak|race|race-inside */
#include "test.h"
#include "threads.h"

/* The library is told of more bytes than there are: only a library that is watched notices. */
static void overread(void) {
    unsigned char *four = (unsigned char *)malloc(4);
    CHECK(four != NULL);
    memset(four, 0x89, 4);
    printf("%d\n", bulla_is_sealed(four, 8));
    free(four);
}

/* A file is used after it was freed. */
static void use_after_free(void) {
    bulla_session *session = desk();
    uint64_t size = 0;
    bulla_file *file;
    seal("all.json", "planted", "x", 1);
    file = open_file(session, "planted");
    bulla_file_free(file);
    printf("%d\n", bulla_file_size(file, &size, NULL));
    bulla_session_free(session);
}

static void overflow(int argc) {
    int most = 0x7fffffff;
    printf("%d\n", most + argc);
}

/* A handle is forgotten. */
static void leak(void) {
    bulla_session *session = desk();
    CHECK(session != NULL);
    session = NULL;
}

static int raced;

static THREAD_BODY race_on(void *arg) {
    UNUSED(arg);
    raced++;
    return THREAD_DONE;
}

static void race(void) {
    thread threads[2];
    size_t i;
    for (i = 0; i < 2; i++) start(&threads[i], race_on, NULL);
    for (i = 0; i < 2; i++) join(threads[i]);
}

/* One thread writes what the library reads in another. */
static char shared[8];

static THREAD_BODY write_it(void *arg) {
    UNUSED(arg);
    memset(shared, 1, sizeof shared);
    return THREAD_DONE;
}

static THREAD_BODY have_it_read(void *arg) {
    UNUSED(arg);
    CHECK(bulla_is_sealed(shared, sizeof shared) == 0);
    return THREAD_DONE;
}

static void race_inside(void) {
    thread threads[2];
    start(&threads[0], write_it, NULL);
    start(&threads[1], have_it_read, NULL);
    join(threads[0]);
    join(threads[1]);
}

int main(int argc, char **argv) {
    CHECK(argc == 2);
    if (strcmp(argv[1], "overread") == 0) overread();
    if (strcmp(argv[1], "use-after-free") == 0) use_after_free();
    if (strcmp(argv[1], "overflow") == 0) overflow(argc);
    if (strcmp(argv[1], "leak") == 0) leak();
    if (strcmp(argv[1], "race") == 0) race();
    if (strcmp(argv[1], "race-inside") == 0) race_inside();
    return 0;
}
