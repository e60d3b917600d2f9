/* The work of the child process of memory.rs: seals, reads and saves in an office, and stops. It
 * wipes what it holds itself. Usage: child SCENARIO FOLDER */
#define _DEFAULT_SOURCE
#include <bulla.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static void check(int32_t code, bulla_error *error, const char *what) {
    if (code == 0) return;
    fprintf(stderr, "%s: %s\n", what, bulla_error_message(error));
    exit(1);
}

static void stop(const char *name) {
    printf("stop %s\n", name);
    fflush(stdout);
    if (getchar() == EOF) exit(1);
}

/* A process forked off from this one, which waits, and ends when this one does. */
static void forked(void) {
    pid_t process = fork();
    if (process < 0) exit(1);
    if (process == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) pause();
    }
    printf("%ld ", (long)process);
    stop("forked");
}

static const char *folder;
static unsigned char content[200000];
static char passphrase[100];

static FILE *input(const char *name) {
    char path[1000];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) exit(1);
    setvbuf(file, NULL, _IONBF, 0); /* else it keeps a copy */
    return file;
}

static bulla_session *session(void) {
    char home[1000];
    snprintf(home, sizeof home, "%s/desk", folder);
    bulla_session_options options = {.struct_size = sizeof options};
    options.home = home;
    options.passphrase = passphrase;
    bulla_session *made;
    bulla_error *error;
    check(bulla_session_start(&options, &made, &error), error, "session");
    return made;
}

static bulla_file *opened(const bulla_session *session, const char *path) {
    bulla_file *file;
    bulla_error *error;
    check(bulla_file_open(session, path, NULL, &file, &error), error, "open");
    return file;
}

static void writes(bulla_writer *writer) {
    bulla_error *error;
    FILE *plain = input("plain");
    size_t n;
    while ((n = fread(content, 1, sizeof content, plain)) > 0)
        check(bulla_writer_write(writer, content, n, &error), error, "write");
    fclose(plain);
    stop("open");
    check(bulla_writer_finish(writer, &error), error, "finish");
    bulla_writer_free(writer);
}

static void seal(void) {
    static const char policy[] =
        "{\"version\":1,\"name\":\"all\",\"grants\":[{\"to\":[\"anyone\"],\"rights\":[\"view\"]}]}";
    char home[1000], to[1000], recipient[4000] = "";
    snprintf(home, sizeof home, "%s/issuer", folder);
    snprintf(to, sizeof to, "%s/new", folder);
    FILE *line = input("desk/identity.pub");
    if (fread(recipient, 1, sizeof recipient - 1, line) == 0) exit(1);
    fclose(line);
    bulla_sealer_options options = {.struct_size = sizeof options};
    options.home = home;
    options.passphrase = passphrase;
    options.policy = policy;
    options.policy_len = strlen(policy);
    options.recipients = recipient;
    bulla_sealer *sealer;
    bulla_writer *writer;
    bulla_error *error;
    check(bulla_sealer_new(&options, &sealer, &error), error, "sealer");
    check(bulla_sealer_begin(sealer, to, NULL, &writer, &error), error, "begin");
    writes(writer);
    bulla_sealer_free(sealer);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    folder = argv[2];
    FILE *secret = input("passphrase");
    if (fread(passphrase, 1, sizeof passphrase - 1, secret) == 0) return 1;
    fclose(secret);
    char sealed[1000];
    snprintf(sealed, sizeof sealed, "%s/sealed", folder);
    bulla_error *error;
    if (strcmp(argv[1], "seal") == 0) {
        seal();
    } else if (strcmp(argv[1], "save") == 0) {
        bulla_session *desk = session();
        bulla_file *file = opened(desk, sealed);
        bulla_writer *writer;
        check(bulla_file_save(file, NULL, &writer, &error), error, "save");
        writes(writer);
        bulla_file_free(file);
        bulla_session_free(desk);
    } else {
        bulla_session *desk = session();
        bulla_file *file = opened(desk, sealed);
        size_t got;
        check(bulla_file_pread(file, 100, content, 150000, &got, &error), error, "pread");
        check(bulla_file_read(file, content, 50, &got, &error), error, "read");
        if (strcmp(argv[1], "fork") == 0) forked();
        stop("open");
        if (strcmp(argv[1], "leak") != 0) {
            bulla_file_free(file);
            bulla_session_free(desk);
        }
    }
    if (strcmp(argv[1], "leak") != 0) {
        explicit_bzero(content, sizeof content);
        explicit_bzero(passphrase, sizeof passphrase);
    }
    stop("closed");
    return 0;
}
