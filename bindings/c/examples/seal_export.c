/*
 * A nightly export that never writes a plain file: rows go from the database (here: made up) right
 * into sealed files, one a branch. They are one batch, so the cost of the recipients' keys is paid
 * once.
 *
 *     seal_export ISSUER-HOME POLICY.json RECIPIENTS OUTPUT-FOLDER BRANCHES
 *
 * cc seal_export.c -lbulla
 */
#include <bulla.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_file(const char *path, size_t *len) {
    static char buffer[1 << 16];
    char *copy;
    FILE *file = fopen(path, "rb");
    if (!file) return NULL;
    *len = fread(buffer, 1, sizeof buffer - 1, file);
    fclose(file);
    buffer[*len] = 0;
    copy = malloc(*len + 1);
    if (copy) memcpy(copy, buffer, *len + 1);
    return copy;
}

/* One branch's customers. Without the finish at the end, nothing is left of it. */
static int32_t export_branch(const bulla_sealer *sealer, const char *folder, int branch,
                             bulla_error **error) {
    bulla_metadata metadata = {0};
    bulla_seal_options options = {0};
    bulla_writer *writer = NULL;
    char path[512], name[64], row[128];
    int32_t status;
    int i;
    snprintf(name, sizeof name, "branch-%d.csv", branch);
    snprintf(path, sizeof path, "%s/%s.bulla", folder, name);
    metadata.struct_size = sizeof metadata;
    metadata.name = name;
    metadata.media_type = "text/csv";
    options.struct_size = sizeof options;
    options.flags = BULLA_REPLACE;
    options.metadata = &metadata;
    status = bulla_sealer_begin(sealer, path, &options, &writer, error);
    if (status == BULLA_OK) status = bulla_writer_write(writer, "name,phone,ssn\n", 15, error);
    for (i = 0; i < 1000 && status == BULLA_OK; i++) {
        int n = snprintf(row, sizeof row, "Customer %d,010-%04d-%04d,90%04d\n", i, branch, i, i);
        status = bulla_writer_write(writer, row, (size_t)n, error);
    }
    if (status == BULLA_OK) status = bulla_writer_finish(writer, error);
    bulla_writer_free(writer);
    return status;
}

int main(int argc, char **argv) {
    bulla_sealer_options options = {0};
    bulla_sealer *sealer = NULL;
    bulla_error *error = NULL;
    size_t ignored;
    char *policy, *recipients;
    int32_t status;
    int branch, branches;

    if (argc != 6) {
        fprintf(stderr, "usage: %s HOME POLICY RECIPIENTS FOLDER BRANCHES\n", argv[0]);
        return 2;
    }
    branches = atoi(argv[5]);
    policy = read_file(argv[2], &options.policy_len);
    recipients = read_file(argv[3], &ignored);
    if (!policy || !recipients) {
        fprintf(stderr, "the policy or the recipients cannot be read\n");
        return 1;
    }
    options.struct_size = sizeof options;
    options.flags = BULLA_BATCH;
    options.home = argv[1];
    options.passphrase = getenv("BULLA_PASSPHRASE");
    options.label = "customer-data";
    options.policy = policy;
    options.recipients = recipients;
    status = bulla_sealer_new(&options, &sealer, &error);
    for (branch = 1; branch <= branches && status == BULLA_OK; branch++)
        status = export_branch(sealer, argv[4], branch, &error);
    if (status != BULLA_OK) {
        fprintf(stderr, "%s [%s]\n", bulla_error_message(error), bulla_error_name(error));
        bulla_error_free(error);
    } else {
        printf("sealed %d files\n", branches);
    }
    bulla_sealer_free(sealer);
    free(policy);
    free(recipients);
    return status != BULLA_OK;
}
