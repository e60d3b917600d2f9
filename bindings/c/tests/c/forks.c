/* A fork with open handles: they answer in the child that they are not its own, and what the child
 * does changes nothing for the parent. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include <sys/wait.h>
#include <unistd.h>

#define STATE(call) EXPECT(BULLA_E_BAD_STATE, call)

static int closed;
static char *data;
static size_t data_len;

static int32_t read_at(void *user, uint64_t offset, void *out, size_t len, size_t *out_read) {
    size_t n = offset < data_len ? data_len - (size_t)offset : 0;
    UNUSED(user);
    if (n > len) n = len;
    memcpy(out, data + offset, n);
    *out_read = n;
    return 0;
}

static int32_t size_of(void *user, uint64_t *out) {
    UNUSED(user);
    *out = data_len;
    return 0;
}

static void close_it(void *user) {
    UNUSED(user);
    closed++;
}

int main(void) {
    bulla_session *session = desk();
    bulla_sealer *sealer = issuer();
    bulla_writer *writer = NULL;
    bulla_file *file, *host, *none;
    bulla_source source;
    bulla_error *err_of_parent = NULL;
    char buf[10], *text = NULL;
    const char *id = NULL;
    size_t got;
    uint64_t n;
    uint32_t bits;
    int status;
    pid_t child;

    test_now = "forks";
    seal("all.json", "forked", "content", 7);
    file = open_file(session, "forked");
    data = slurp("forked", &data_len);
    memset(&source, 0, sizeof source);
    source.struct_size = sizeof source;
    source.read_at = read_at;
    source.size = size_of;
    source.close = close_it;
    OK(bulla_file_open_source(session, &source, NULL, &host, &err));
    OK(bulla_file_save(file, NULL, &writer, &err));
    OK(bulla_writer_write(writer, "edited", 6, &err));
    CHECK(bulla_file_open(session, "none", NULL, &none, &err_of_parent) == BULLA_E_NOT_FOUND);

    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        bulla_file *fresh;
        bulla_session *own;
        STATE(bulla_session_refresh(session, &err));
        STATE(bulla_session_device(session, &text, &err));
        STATE(bulla_session_explain(session, "forked", NULL, &text, &err));
        STATE(bulla_file_open(session, "forked", NULL, &fresh, &err));
        STATE(bulla_file_pread(file, 0, buf, 1, &got, &err));
        STATE(bulla_file_read(file, buf, 1, &got, &err));
        STATE(bulla_file_size(file, &n, &err));
        STATE(bulla_file_rights(file, &bits, &err));
        STATE(bulla_file_use(file, BULLA_RIGHT_PRINT, &err));
        STATE(bulla_file_export(file, "leaked", NULL, &n, &err));
        STATE(bulla_file_pread(host, 0, buf, 1, &got, &err));
        STATE(bulla_sealer_seal_bytes(sealer, "x", 1, "made", NULL, NULL, &err));
        STATE(bulla_writer_write(writer, "x", 1, &err));
        STATE(bulla_writer_finish(writer, &err));
        STATE(bulla_writer_file_id(writer, &id, &err));
        CHECK(bulla_error_code(err_of_parent) == BULLA_E_NOT_FOUND);
        bulla_writer_free(writer);
        bulla_file_free(host);
        bulla_file_free(file);
        bulla_sealer_free(sealer);
        bulla_session_free(session);
        CHECK(closed == 0 && !exists("leaked") && !exists("made"));
        /* What it makes itself works. */
        own = desk();
        fresh = open_file(own, "forked");
        OK(bulla_file_pread(fresh, 0, buf, sizeof buf, &got, &err));
        CHECK(got == 7 && memcmp(buf, "content", 7) == 0);
        bulla_file_free(fresh);
        bulla_session_free(own);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);

    /* The parent goes on. */
    OK(bulla_file_pread(host, 0, buf, sizeof buf, &got, &err));
    CHECK(got == 7);
    bulla_file_free(host);
    CHECK(closed == 1);
    OK(bulla_writer_finish(writer, &err));
    bulla_writer_free(writer);
    bulla_file_free(file);
    file = open_file(session, "forked");
    OK(bulla_file_pread(file, 0, buf, sizeof buf, &got, &err));
    CHECK(got == 6 && memcmp(buf, "edited", 6) == 0);
    bulla_file_free(file);
    bulla_error_free(err_of_parent);
    bulla_sealer_free(sealer);
    bulla_session_free(session);
    free(data);
    printf("ok forks\n");
    return 0;
}
