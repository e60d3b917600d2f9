/*
 * Shows one customer's card out of a sealed CSV, the way a call-center desktop would: with the
 * watermark drawn, the masked columns hidden, and printing only with the right to it.
 *
 *     customer_card HOME FILE NAME [--print]
 *
 * cc customer_card.c -lbulla
 */
#include <bulla.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Says why, and what would help: a denial comes with its reasons. */
static int fail(const char *doing, bulla_error *error) {
    fprintf(stderr, "%s: %s [%s]\n", doing, bulla_error_message(error), bulla_error_name(error));
    if (bulla_error_decision(error)) fprintf(stderr, "%s\n", bulla_error_decision(error));
    bulla_error_free(error);
    return 1;
}

/* The content as a string that ends with NUL; to be wiped and freed. */
static char *read_all(const bulla_file *file, size_t *out_len, bulla_error **error) {
    uint64_t size = 0;
    size_t got = 0;
    char *text;
    if (bulla_file_size(file, &size, error) != BULLA_OK) return NULL;
    text = malloc((size_t)size + 1);
    if (!text) abort();
    if (bulla_file_pread(file, 0, text, (size_t)size, &got, error) != BULLA_OK) {
        free(text);
        return NULL;
    }
    text[got] = 0;
    *out_len = got;
    return text;
}

/* Whether the column stands in the JSON array of columns to hide. */
static int is_masked(const char *columns, const char *name, size_t len) {
    const char *at = columns;
    while (at && (at = strstr(at, name)) != NULL) {
        if (at > columns && at[-1] == '"' && at[len] == '"') return 1;
        at++;
    }
    return 0;
}

/* Prints the fields of a row under the names of their columns. */
static void show(const char *header, const char *row, const char *masked) {
    while (*header && *header != '\n') {
        size_t name = strcspn(header, ",\n"), value = strcspn(row, ",\n");
        char column[128];
        snprintf(column, sizeof column, "%.*s", (int)name, header);
        if (is_masked(masked, column, strlen(column)))
            printf("  %-12s ****\n", column);
        else
            printf("  %-12s %.*s\n", column, (int)value, row);
        header += name + (header[name] == ',');
        row += value + (row[value] == ',');
    }
}

int main(int argc, char **argv) {
    static const char *const duties[] = {"watermark", "mask"};
    bulla_session_options options = {0};
    bulla_session *session = NULL;
    bulla_file *file = NULL;
    bulla_error *error = NULL;
    char *text = NULL, *watermark = NULL, *masked = NULL, *row;
    size_t len = 0;
    uint32_t rights = 0, todo = 0;
    int result = 1;

    if (argc < 4) {
        fprintf(stderr, "usage: %s HOME FILE NAME [--print]\n", argv[0]);
        return 2;
    }
    if (bulla_abi_version() != BULLA_ABI_VERSION) {
        fprintf(stderr, "the library that was found has another ABI\n");
        return 2;
    }
    options.struct_size = sizeof options;
    options.home = argv[1];
    options.duties = duties; /* what `show` really does */
    options.duty_count = 2;
    options.ticket = getenv("TICKET");
    if (bulla_session_start(&options, &session, &error) != BULLA_OK)
        return fail("starting", error);
    if (bulla_file_open(session, argv[2], NULL, &file, &error) != BULLA_OK) {
        fail("opening", error);
        goto done;
    }
    if (bulla_file_rights(file, &rights, &error) != BULLA_OK ||
        bulla_file_duties(file, BULLA_RIGHT_VIEW, &todo, &masked, &error) != BULLA_OK) {
        fail("asking what may be done", error);
        goto done;
    }
    if (argc > 4 && strcmp(argv[4], "--print") == 0) {
        /* Recorded before it happens; without the right it must not. */
        if (bulla_file_use(file, BULLA_RIGHT_PRINT, &error) != BULLA_OK) {
            fail("printing", error);
            goto done;
        }
    }
    text = read_all(file, &len, &error);
    if (!text) {
        fail("reading", error);
        goto done;
    }
    for (row = strchr(text, '\n'); row; row = strchr(row, '\n')) {
        size_t name = strlen(argv[3]);
        row++;
        if (strncmp(row, argv[3], name) == 0 && row[name] == ',') break;
    }
    if (!row) {
        fprintf(stderr, "no such customer\n");
        goto done;
    }
    if (todo & BULLA_DUTY_WATERMARK) {
        if (bulla_file_watermark(file, &watermark, &error) != BULLA_OK) {
            fail("drawing the watermark", error);
            goto done;
        }
        printf("[%s]\n", watermark);
    }
    show(text, row, masked ? masked : "");
    printf("may be printed: %s\n", rights & BULLA_RIGHT_PRINT ? "yes" : "no");
    result = 0;
done:
    if (text) memset(text, 0, len);
    free(text);
    bulla_string_free(masked);
    bulla_string_free(watermark);
    bulla_file_free(file);
    bulla_session_free(session);
    return result;
}
