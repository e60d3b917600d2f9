/* Files of which nobody can tell whether they are sealed, and what is no file at all. run.sh
 * compiles it with bulla_stdio.h. usage: odd_files ENVELOPE, in a folder where it may write */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *line = "name,phone,branch\n";

static int failed(const char *what) {
    fprintf(stderr, "%s (errno: %s)\n", what, strerror(errno));
    return 1;
}

/* Each mode is refused with this errno, and leaves the file. */
static int refused(const char *path, int why) {
    static const char *const modes[] = {"w", "a", "w+", "a+", "r+", "r+x", "r"};
    struct stat before, after;
    size_t i;
    if (stat(path, &before) != 0) return failed("no envelope");
    for (i = 0; i < sizeof modes / sizeof *modes; i++) {
        FILE *file = fopen(path, modes[i]);
        if (file) return failed(modes[i]);
        if (errno != why) return failed("refused for another reason");
    }
    if (stat(path, &after) != 0 || after.st_size != before.st_size) return failed("changed");
    return 0;
}

static int pipes(void) {
    char got[64] = "";
    int ends[2];
    FILE *file;
    /* Nothing of what is read is lost to the look at it. */
    if (pipe(ends) != 0 || write(ends[1], line, strlen(line)) < 0 || close(ends[1]) != 0)
        return failed("pipe");
    snprintf(got, sizeof got, "/dev/fd/%d", ends[0]);
    file = fopen(got, "r");
    if (!file || !fgets(got, sizeof got, file) || strcmp(got, line) != 0)
        return failed("a pipe loses data");
    fclose(file);
    close(ends[0]);
    /* Nor does the look wait for somebody who writes. */
    if (mkfifo("fifo", 0600) != 0 || (ends[0] = open("fifo", O_RDONLY | O_NONBLOCK)) < 0)
        return failed("fifo");
    file = fopen("fifo", "w");
    if (!file || fputs(line, file) < 0 || fclose(file) != 0) return failed("writing to a fifo");
    if (read(ends[0], got, sizeof got) != (ssize_t)strlen(line)) return failed("a fifo loses data");
    close(ends[0]);
    return 0;
}

int main(int argc, char **argv) {
    struct rlimit files, none;
    FILE *file;
    if (argc != 2) return 2;
    alarm(60); /* in place of waiting for ever */
    if (pipes() != 0) return 1;
    file = fopen(argv[1], "r+x");
    if (file || errno != ENOTSUP) return failed("an envelope is open for writing");

    /* No more files can be opened. */
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return failed("limit");
    none = files;
    none.rlim_cur = 0;
    if (setrlimit(RLIMIT_NOFILE, &none) != 0) return failed("limit");
    if (refused(argv[1], EMFILE) != 0) return 1;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) return failed("limit");

    /* May be written, and not be read: not even by root, who becomes somebody else for that. */
    if (chmod(argv[1], 0200) != 0) return failed("chmod");
    if (geteuid() == 0 && (chown(argv[1], 65534, 65534) != 0 || seteuid(65534) != 0))
        return failed("another user");
    if (refused(argv[1], EACCES) != 0) return 1;
    if (getuid() == 0 && seteuid(0) != 0) return failed("root again");
    if (chmod(argv[1], 0600) != 0) return failed("chmod back");
    return 0;
}
