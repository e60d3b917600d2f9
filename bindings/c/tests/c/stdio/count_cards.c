/* Counts the cards of each branch in a CSV of customers, and shows the last one. Knows nothing of
 * sealed files: run.sh compiles it as it is. usage: count_cards FILE */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BRANCHES 64

struct branch {
    char name[64];
    long cards;
};

static char *field(char *line, int n) {
    while (n-- > 0 && line) {
        line = strchr(line, ',');
        if (line) line++;
    }
    return line;
}

int main(int argc, char **argv) {
    struct branch branches[MAX_BRANCHES];
    int count = 0, i;
    char line[512];
    long cards = 0, last = 0, size;
    FILE *file;

    if (argc != 2) {
        fprintf(stderr, "usage: %s FILE\n", argv[0]);
        return 2;
    }
    file = fopen(argv[1], "r");
    if (!file) {
        fprintf(stderr, "cannot open it: %s\n", strerror(errno));
        return 1;
    }
    if (fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0) return 1;
    rewind(file);
    if (!fgets(line, sizeof line, file)) return 1; /* the names of the columns */
    for (;;) {
        long at = ftell(file);
        char *name;
        if (!fgets(line, sizeof line, file)) break;
        name = field(line, 2);
        if (!name) continue;
        name[strcspn(name, ",\r\n")] = 0;
        for (i = 0; i < count && strcmp(branches[i].name, name) != 0; i++) {
        }
        if (i == count) {
            if (count == MAX_BRANCHES) return 1;
            snprintf(branches[i].name, sizeof branches[i].name, "%s", name);
            branches[i].cards = 0;
            count++;
        }
        branches[i].cards++;
        cards++;
        last = at;
    }
    if (ferror(file)) {
        fprintf(stderr, "reading failed: %s\n", strerror(errno));
        return 1;
    }
    printf("%ld bytes, %ld cards\n", size, cards);
    for (i = 0; i < count; i++) printf("%-12s %6ld\n", branches[i].name, branches[i].cards);
    if (fseek(file, last, SEEK_SET) != 0 || !fgets(line, sizeof line, file)) return 1;
    printf("last: %s", line);
    return fclose(file) != 0;
}
