/* Appends a card to a CSV of customers. Knows nothing of sealed files: run.sh compiles it as it is.
 * usage: add_card FILE NAME PHONE BRANCH */
#include <errno.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv) {
    FILE *file;
    if (argc != 5) {
        fprintf(stderr, "usage: %s FILE NAME PHONE BRANCH\n", argv[0]);
        return 2;
    }
    file = fopen(argv[1], "a");
    if (!file) {
        fprintf(stderr, "cannot open it: %s\n", strerror(errno));
        return 1;
    }
    fprintf(file, "%s,%s,%s\n", argv[2], argv[3], argv[4]);
    if (strcmp(argv[4], "leave") == 0) return 0; /* without fclose, as old programs do */
    if (fclose(file) != 0) {
        fprintf(stderr, "writing failed: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}
