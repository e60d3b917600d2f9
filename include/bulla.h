/*
 * Sealed files for C programs: docs/c-abi.md. Made by cbindgen from bindings/c/src; not to be
 * changed by hand.
 *
 * Calls. A function that can fail returns a status: BULLA_OK, or one of BULLA_E_*. It is the code
 * of the error that it leaves in *err, where err is not NULL; that error is the caller's, who frees
 * it with bulla_error_free. Outputs and *err are cleared on entry: what they held before is lost,
 * not freed. After a failure all outputs are zero or NULL.
 *
 * Every function can return BULLA_E_BAD_ARGUMENT, for a pointer that must not be NULL, is not
 * aligned or whose length is impossible, for a string that is not UTF-8, for a struct_size that
 * never was, for flags that this version does not know; BULLA_E_BAD_STATE, for a handle that came
 * through fork, or with which a call ended in BULLA_E_INTERNAL; and BULLA_E_INTERNAL, for a defect
 * of the library. These are not repeated below. "The I/O ones" are BULLA_E_IO, _NOT_FOUND,
 * _PERMISSION and _FULL; "those of the trail" BULLA_E_BAD_TRAIL, _TRAIL_BUSY and _FULL; "the format
 * ones", "tampered" and "denied" are the codes from 200, 300 and 400 on.
 *
 * Handles are made by the library and freed by the function that is named after them; NULL is
 * fine there. No other call may be using a handle that is freed. A const handle may be used by
 * many threads at once, one that is not const by one at a time.
 *
 * Strings are UTF-8 and end with NUL. A string given as char * is the caller's, who frees it with
 * bulla_string_free; a const char * belongs to the object it came from, or is static. Strings,
 * buffers and structs that are passed in are not used after the call.
 *
 * Structs start with their size: set struct_size to sizeof, and what is not used to zero.
 * Sizes and offsets are bytes.
 *
 * After fork, handles are not to be used in the child: calls answer BULLA_E_BAD_STATE, and the
 * functions that free do nothing.
 */

#ifndef BULLA_H
#define BULLA_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && !defined(BULLA_STATIC)
#define BULLA_API __declspec(dllimport)
#elif defined(__GNUC__)
#define BULLA_API __attribute__((visibility("default")))
#else
#define BULLA_API
#endif

#if defined(__GNUC__)
#define BULLA_NODISCARD __attribute__((warn_unused_result))
#elif defined(_MSC_VER)
#define BULLA_NODISCARD _Check_return_
#else
#define BULLA_NODISCARD
#endif

/**
 * The call did what it was asked for.
 */
#define BULLA_OK 0

/**
 * A value given by the caller cannot be used.
 */
#define BULLA_E_BAD_ARGUMENT 1

/**
 * A key line, key file or public key cannot be read.
 */
#define BULLA_E_BAD_KEY 2

/**
 * A policy cannot be read.
 */
#define BULLA_E_BAD_POLICY 3

/**
 * Reading, writing, syncing or renaming failed.
 */
#define BULLA_E_IO 100

/**
 * There is no such file.
 */
#define BULLA_E_NOT_FOUND 101

/**
 * The output exists and would be overwritten.
 */
#define BULLA_E_EXISTS 102

/**
 * The system does not permit the access.
 */
#define BULLA_E_PERMISSION 103

/**
 * No space is left, or the quota is used up.
 */
#define BULLA_E_FULL 104

/**
 * The file is not sealed: the magic is missing.
 */
#define BULLA_E_NOT_SEALED 200

/**
 * A sealed file of a format version that this library does not read.
 */
#define BULLA_E_UNSUPPORTED_VERSION 201

/**
 * The envelope's header breaks the format.
 */
#define BULLA_E_BAD_HEADER 202

/**
 * The license breaks the format.
 */
#define BULLA_E_BAD_LICENSE 203

/**
 * The payload's length is impossible: the file was cut or extended.
 */
#define BULLA_E_BAD_LENGTH 204

/**
 * A signed object (trust list, template, permit, badge, …) breaks the format.
 */
#define BULLA_E_BAD_TOKEN 205

/**
 * A signature does not verify.
 */
#define BULLA_E_BAD_SIGNATURE 300

/**
 * The key commitment does not hold: changed description, swapped payload or wrong key.
 */
#define BULLA_E_BAD_COMMITMENT 301

/**
 * A chunk of the payload does not verify.
 */
#define BULLA_E_BAD_CHUNK 302

/**
 * A key wrap does not open: it was changed or belongs to another file, policy or batch.
 */
#define BULLA_E_BAD_WRAP 303

/**
 * The sealed name and times do not verify.
 */
#define BULLA_E_BAD_META 304

/**
 * The passphrase is wrong, or the key file was changed.
 */
#define BULLA_E_WRONG_PASSPHRASE 305

/**
 * The signer of the license is not a root that this device pins.
 */
#define BULLA_E_UNKNOWN_ROOT 400

/**
 * The trust list does not name the signer, or not for this use, or is missing or expired.
 */
#define BULLA_E_NOT_TRUSTED 401

/**
 * The license wraps no key for this identity.
 */
#define BULLA_E_NOT_RECIPIENT 402

/**
 * The policy does not let this happen.
 */
#define BULLA_E_DENIED 403

/**
 * A right that this needs was not granted.
 */
#define BULLA_E_MISSING_RIGHT 404

/**
 * A permit or template does not allow this device to seal.
 */
#define BULLA_E_NOT_PERMITTED 405

/**
 * A list older than one already used.
 */
#define BULLA_E_ROLLBACK 406

/**
 * A list of revocations names the file, license, person, device, template or permit.
 */
#define BULLA_E_REVOKED 407

/**
 * The audit trail is missing, unreadable or broken, or does not extend an anchor: nothing opens.
 */
#define BULLA_E_BAD_TRAIL 408

/**
 * Another process holds the audit trail for too long.
 */
#define BULLA_E_TRAIL_BUSY 409

/**
 * The decision under which the file was opened has ended.
 */
#define BULLA_E_ENDED 410

/**
 * The clock is behind a time that was already seen.
 */
#define BULLA_E_CLOCK_BEHIND 411

/**
 * A badge or attestation is expired or not valid yet; a badge is another device's or too long.
 */
#define BULLA_E_BADGE_NOT_VALID 412

/**
 * The object was already used up, poisoned or closed.
 */
#define BULLA_E_BAD_STATE 500

/**
 * Somebody else saved or re-licensed the file meanwhile.
 */
#define BULLA_E_CHANGED_MEANWHILE 501

/**
 * A home folder lacks what this needs (identity, root key, pinned root).
 */
#define BULLA_E_HOME_INCOMPLETE 502

/**
 * A secret file can be read by other users.
 */
#define BULLA_E_SECRET_EXPOSED 503

/**
 * This system, or this build of the library, cannot do it.
 */
#define BULLA_E_NOT_SUPPORTED 504

/**
 * The host stopped the work.
 */
#define BULLA_E_CANCELLED 505

/**
 * A defect in this library.
 */
#define BULLA_E_INTERNAL 900

/**
 * `bulla_file_until` of a file whose decision has no end.
 */
#define BULLA_NO_END UINT64_MAX

/**
 * From the start.
 */
#define BULLA_SEEK_SET 0

/**
 * From the present position.
 */
#define BULLA_SEEK_CUR 1

/**
 * From the end.
 */
#define BULLA_SEEK_END 2

/**
 * Read the contents in a program.
 */
#define BULLA_RIGHT_VIEW 1

/**
 * Save changed contents back, sealed under the same license.
 */
#define BULLA_RIGHT_EDIT 2

/**
 * Print.
 */
#define BULLA_RIGHT_PRINT 4

/**
 * Put contents on the clipboard.
 */
#define BULLA_RIGHT_COPY 8

/**
 * Take pictures of the screen.
 */
#define BULLA_RIGHT_CAPTURE 16

/**
 * Let plain bytes leave.
 */
#define BULLA_RIGHT_EXPORT 32

/**
 * Draw the file's watermark over what is shown or printed.
 */
#define BULLA_DUTY_WATERMARK 1

/**
 * Keep the screen from being captured.
 */
#define BULLA_DUTY_BLOCK_CAPTURE 2

/**
 * Keep contents from the clipboard.
 */
#define BULLA_DUTY_BLOCK_CLIPBOARD 4

/**
 * Hide the named columns.
 */
#define BULLA_DUTY_MASK 8

/**
 * Remove decrypted remains when the file is closed.
 */
#define BULLA_DUTY_WIPE 16

/**
 * Replace a file that has the output's name. Without it such a file is left, and the call fails.
 */
#define BULLA_REPLACE 1

/**
 * A license or content older than one that this device has seen will do.
 */
#define BULLA_OLDER 1

/**
 * All files of the sealer share a key that is wrapped once a recipient, not once a file: sealing
 * and opening many then costs little more than one. Who can open one of them can open all.
 */
#define BULLA_BATCH 1

/**
 * Recipients may differ in the kind of their keys: the file is then as weak as the weakest.
 */
#define BULLA_MIXED_KINDS 2

/**
 * `created` is set.
 */
#define BULLA_METADATA_CREATED 1

/**
 * `modified` is set.
 */
#define BULLA_METADATA_MODIFIED 2

/**
 * The ABI that this header describes. It is raised when a program built with an older header
 * could no longer run; the shared library's name carries it, too. See `docs/c-abi.md`.
 */
#define BULLA_ABI_VERSION 0

/**
 * What went wrong. It belongs to whoever called, who frees it with `bulla_error_free`. It can be
 * read by many threads at once.
 */
typedef struct bulla_error bulla_error;

/**
 * An open sealed file. Functions that take a `const bulla_file *` may be called by many threads
 * at once; those that take a `bulla_file *` move its position and may not.
 */
typedef struct bulla_file bulla_file;

/**
 * Makes envelopes for the same recipients under the same policy. Many threads may use it at once.
 */
typedef struct bulla_sealer bulla_sealer;

/**
 * A device at work: its identity, whom it trusts, who sits at it. Many threads may use it at
 * once. Files, writers and sealers that were made with it go on when it is freed.
 */
typedef struct bulla_session bulla_session;

/**
 * New content of a sealed file. One thread at a time may use it.
 */
typedef struct bulla_writer bulla_writer;

/**
 * Name, type and times of the original. All of it is sealed with the content.
 */
typedef struct bulla_metadata {
    /**
     * `sizeof(bulla_metadata)`.
     */
    uint32_t struct_size;
    /**
     * Which times are set: `BULLA_METADATA_CREATED`, `BULLA_METADATA_MODIFIED`.
     */
    uint32_t present;
    /**
     * The file name, without folders; NULL if unknown. It is whatever the one who sealed the
     * file wrote: do not use it as a path unchecked.
     */
    const char *name;
    /**
     * The media type, such as `text/csv`; NULL if unknown.
     */
    const char *media_type;
    /**
     * When the original was made: milliseconds since 1970, within ±2^53.
     */
    int64_t created;
    /**
     * When it was last changed, likewise.
     */
    int64_t modified;
} bulla_metadata;

/**
 * Told how many of `total` bytes are done; `total` is 0 where it is not known. It runs in the
 * thread that called, during the call. 0 to go on; anything else stops the work, and the call
 * fails with `BULLA_E_CANCELLED`.
 */
typedef int32_t (*bulla_progress_fn)(void *user, uint64_t done, uint64_t total);

/**
 * How plain content leaves.
 */
typedef struct bulla_export_options {
    /**
     * `sizeof(bulla_export_options)`.
     */
    uint32_t struct_size;
    /**
     * `BULLA_REPLACE`, or 0.
     */
    uint32_t flags;
    /**
     * Called from time to time; NULL for never.
     */
    bulla_progress_fn progress;
    /**
     * Given to `progress`.
     */
    void *progress_user;
} bulla_export_options;

/**
 * Takes all `len` bytes. 0 for success; anything else fails the call with `BULLA_E_IO`.
 */
typedef int32_t (*bulla_write_fn)(void *user, const void *data, size_t len);

/**
 * Runs exactly once, when the library is done with `user`.
 */
typedef void (*bulla_close_fn)(void *user);

/**
 * Where the host wants bytes to go, in order. The callbacks run as those of `bulla_source`, but
 * never two at once.
 */
typedef struct bulla_sink {
    /**
     * `sizeof(bulla_sink)`.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t flags;
    /**
     * Given to the callbacks.
     */
    void *user;
    /**
     * Required.
     */
    bulla_write_fn write;
    /**
     * As of `bulla_source`. That it runs does not say that all went well.
     */
    bulla_close_fn close;
} bulla_sink;

/**
 * Reads up to `len` bytes at `offset` into `buf`, and says in `out_read` how many there were: 0
 * only at the end. 0 for success; anything else fails the call with `BULLA_E_IO`.
 */
typedef int32_t (*bulla_read_fn)(void *user,
                                 uint64_t offset,
                                 void *buf,
                                 size_t len,
                                 size_t *out_read);

/**
 * Says in `out_size` how many bytes there are. 0 for success.
 */
typedef int32_t (*bulla_size_fn)(void *user, uint64_t *out_size);

/**
 * An envelope that the host keeps, read by callbacks.
 *
 * They run in the thread that calls the library, during that call: with a file that many threads
 * read, in many threads at once. They may call the library, but not free the object that the
 * call is about. They must come back: no `longjmp`, no exception.
 */
typedef struct bulla_source {
    /**
     * `sizeof(bulla_source)`.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t flags;
    /**
     * Given to the callbacks.
     */
    void *user;
    /**
     * Required.
     */
    bulla_read_fn read_at;
    /**
     * Required.
     */
    bulla_size_fn size;
    /**
     * NULL if there is nothing to close. Runs exactly once if the struct could be read, also when
     * the call fails; not in a forked process.
     */
    bulla_close_fn close;
} bulla_source;

/**
 * How a file is opened. All zero: to view the newest.
 */
typedef struct bulla_open_options {
    /**
     * `sizeof(bulla_open_options)`.
     */
    uint32_t struct_size;
    /**
     * `BULLA_OLDER`, or 0.
     */
    uint32_t flags;
    /**
     * The right without which it is not opened; 0 for `BULLA_RIGHT_VIEW`.
     */
    uint32_t right;
    /**
     * 0.
     */
    uint32_t reserved;
} bulla_open_options;

/**
 * How one file is sealed.
 */
typedef struct bulla_seal_options {
    /**
     * `sizeof(bulla_seal_options)`.
     */
    uint32_t struct_size;
    /**
     * `BULLA_REPLACE`, or 0.
     */
    uint32_t flags;
    /**
     * Name, type and times; NULL for none, or for those of the plain file where there is one.
     */
    const struct bulla_metadata *metadata;
    /**
     * Called from time to time; NULL for never. Not used for writers.
     */
    bulla_progress_fn progress;
    /**
     * Given to `progress`.
     */
    void *progress_user;
} bulla_seal_options;

/**
 * What an issuer's sealer is made of.
 */
typedef struct bulla_sealer_options {
    /**
     * `sizeof(bulla_sealer_options)`.
     */
    uint32_t struct_size;
    /**
     * `BULLA_BATCH`, `BULLA_MIXED_KINDS`.
     */
    uint32_t flags;
    /**
     * The issuer's home folder; NULL for `$BULLA_HOME`, else the platform's own place.
     */
    const char *home;
    /**
     * The same in UTF-16; used if `home` is NULL.
     */
    const uint16_t *home_w;
    /**
     * The passphrase of the root's key file; NULL if it has none.
     */
    const char *passphrase;
    /**
     * In whose trail each file is recorded; NULL for nobody's.
     */
    const struct bulla_session *session;
    /**
     * A label that stands in the clear: at most 256 bytes; NULL for none.
     */
    const char *label;
    /**
     * The policy: JSON, at most 64 KiB.
     */
    const void *policy;
    /**
     * Its length in bytes.
     */
    size_t policy_len;
    /**
     * To whom: public lines of identities, one a line, 1 to 500.
     */
    const char *recipients;
} bulla_sealer_options;

/**
 * What a session starts with.
 */
typedef struct bulla_session_options {
    /**
     * `sizeof(bulla_session_options)`.
     */
    uint32_t struct_size;
    /**
     * 0.
     */
    uint32_t flags;
    /**
     * The home folder; NULL for `$BULLA_HOME`, else the platform's own place.
     */
    const char *home;
    /**
     * The same in UTF-16; used if `home` is NULL.
     */
    const uint16_t *home_w;
    /**
     * The passphrase of the identity's key file; NULL if it has none.
     */
    const char *passphrase;
    /**
     * A badge in place of the home's; NULL for the home's.
     */
    const char *badge;
    /**
     * Attestations beside the home's.
     */
    const char *const *attestations;
    /**
     * How many.
     */
    size_t attestation_count;
    /**
     * The names of the duties that the program can carry out: `watermark`, `block-capture`,
     * `block-clipboard`, `mask`, `wipe`. A right whose duties are not among them is not granted.
     * Names that this version does not know are passed over.
     */
    const char *const *duties;
    /**
     * How many.
     */
    size_t duty_count;
    /**
     * The ticket, case or call that the work is for: 1 to 256 bytes; NULL for none.
     */
    const char *ticket;
    /**
     * What the program says of the device, as JSON: `docs/policy.md`, "Facts". It counts as
     * *asserted*, whatever it is called there. NULL for nothing.
     */
    const char *asserted;
} bulla_session_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * What may be done with the file: the sum of `BULLA_RIGHT_*`, as last decided.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_rights(const struct bulla_file *file,
                          uint32_t *out_rights,
                          struct bulla_error **err);

/**
 * What the program must do while it uses a right: the sum of `BULLA_DUTY_*`. With
 * `BULLA_DUTY_MASK`, `out_columns` is a JSON array of the columns to hide, to be freed with
 * `bulla_string_free`; otherwise, NULL. `out_columns` may be NULL if it is not wanted.
 *
 * Errors: `BULLA_E_MISSING_RIGHT` if the right is not granted; `BULLA_E_BAD_ARGUMENT` if `right`
 * is not one of `BULLA_RIGHT_*`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_duties(const struct bulla_file *file,
                          uint32_t right,
                          uint32_t *out_duties,
                          char **out_columns,
                          struct bulla_error **err);

/**
 * Until when (exclusive) reads succeed: Unix seconds; `BULLA_NO_END` without an end.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_until(const struct bulla_file *file,
                         uint64_t *out_until,
                         struct bulla_error **err);

/**
 * What was decided, as JSON: rights with their duties, until when, and why not more
 * (`docs/policy.md`). Free the string with `bulla_string_free`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_decision(const struct bulla_file *file,
                            char **out_json,
                            struct bulla_error **err);

/**
 * The text of the watermark, ready to draw: who, at which device, when, for which ticket. It
 * holds the present minute: get it anew from time to time. Free the string with
 * `bulla_string_free`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_watermark(const struct bulla_file *file,
                             char **out_text,
                             struct bulla_error **err);

/**
 * Name, type and times of the original. Set `out_metadata->struct_size` before the call. The
 * strings belong to the file: they are valid until it is freed.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_metadata(const struct bulla_file *file,
                            struct bulla_metadata *out_metadata,
                            struct bulla_error **err);

/**
 * The file's id: 32 hex characters, the same after each save. The string belongs to the file: it
 * is valid until that is freed.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_id(const struct bulla_file *file,
                      const char **out_id,
                      struct bulla_error **err);

/**
 * How often the file was saved, the first sealing included.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_revision(const struct bulla_file *file,
                            uint64_t *out_revision,
                            struct bulla_error **err);

/**
 * Checks a right and records in the audit trail that it is used now, before the program lets it
 * happen: printing, copying to the clipboard, a capture, an export by the program itself.
 *
 * Errors: `BULLA_E_MISSING_RIGHT` without the right; `BULLA_E_ENDED`, or why it is denied now,
 * after the decision's end; `BULLA_E_BAD_ARGUMENT` for `BULLA_RIGHT_VIEW` and `BULLA_RIGHT_EDIT`,
 * which reads and saves check by themselves; `BULLA_E_BAD_TRAIL`, `BULLA_E_TRAIL_BUSY` and
 * `BULLA_E_FULL` if it cannot be recorded. After any of them it must not happen.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_use(const struct bulla_file *file,
                       uint32_t right,
                       struct bulla_error **err);

/**
 * The code of an error: one of `BULLA_E_*`, the same that the call returned. `BULLA_OK` for NULL.
 */
BULLA_API int32_t bulla_error_code(const struct bulla_error *error);

/**
 * What happened and what to do, in English: for people and logs, not to be parsed. It holds no
 * keys, contents or file names. Never NULL; empty for NULL. Valid until the error is freed.
 */
BULLA_API const char *bulla_error_message(const struct bulla_error *error);

/**
 * The stable name of the error's code, as `bulla_code_name` gives it; empty for NULL. Static.
 */
BULLA_API const char *bulla_error_name(const struct bulla_error *error);

/**
 * What kind of failure it is: `argument`, `io`, `format`, `tampered`, `denied`, `state` or
 * `internal`; empty for NULL. Static.
 */
BULLA_API const char *bulla_error_class(const struct bulla_error *error);

/**
 * Of a denial by a policy: the decision as JSON, with which conditions failed, what was known and
 * what would do (`docs/policy.md`). NULL for other errors. Valid until the error is freed.
 */
BULLA_API const char *bulla_error_decision(const struct bulla_error *error);

/**
 * Frees an error and the strings that it owns. NULL is fine.
 */
BULLA_API void bulla_error_free(struct bulla_error *error);

/**
 * The stable name of a code, such as `not-sealed`; NULL for a number that is none. Static.
 */
BULLA_API const char *bulla_code_name(int32_t code);

/**
 * Frees a string that one of the functions gave as `char *`. NULL is fine.
 */
BULLA_API void bulla_string_free(char *string);

/**
 * Writes the plain content to a file, which is there whole or not at all, with the original's
 * time of the last change. It is recorded in the audit trail first. `options` may be NULL;
 * `out_bytes`, the number of bytes, may be NULL.
 *
 * Errors: `BULLA_E_MISSING_RIGHT` without the right to export; `BULLA_E_ENDED`, or why it is
 * denied now, after the decision's end; `BULLA_E_EXISTS` if the output exists, without
 * `BULLA_REPLACE`; `BULLA_E_BAD_ARGUMENT`, also if the output is no regular file;
 * `BULLA_E_CANCELLED`; those of reads; the *I/O* ones; those of the trail.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_export(const struct bulla_file *file,
                          const char *path,
                          const struct bulla_export_options *options,
                          uint64_t *out_bytes,
                          struct bulla_error **err);

/**
 * The same, with a path in UTF-16, as for `bulla_file_open_w`.
 *
 * Errors: as `bulla_file_export`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_export_w(const struct bulla_file *file,
                            const uint16_t *path,
                            const struct bulla_export_options *options,
                            uint64_t *out_bytes,
                            struct bulla_error **err);

/**
 * The same to a file descriptor, at its position: also to a pipe or socket. It is duplicated; the
 * caller closes it. What was written before a failure stays written.
 *
 * Errors: as `bulla_file_export`; `BULLA_E_NOT_SUPPORTED` on Windows.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_export_fd(const struct bulla_file *file,
                             int32_t fd,
                             const struct bulla_export_options *options,
                             uint64_t *out_bytes,
                             struct bulla_error **err);

/**
 * The same to the program's own callbacks. `close` runs during the call. What was written before
 * a failure stays written.
 *
 * Errors: as `bulla_file_export`; `BULLA_E_IO` if a callback fails.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_export_sink(const struct bulla_file *file,
                               const struct bulla_sink *sink,
                               const struct bulla_export_options *options,
                               uint64_t *out_bytes,
                               struct bulla_error **err);

/**
 * The content's length in bytes. It was authenticated when the file was opened.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_size(const struct bulla_file *file,
                        uint64_t *out_size,
                        struct bulla_error **err);

/**
 * Reads at `offset`, until `len` bytes are read or the end is reached: `out_read` is less than
 * `len` only at the end, and 0 past it. Every byte was authenticated.
 *
 * Errors: `BULLA_E_MISSING_RIGHT` without the right to view; `BULLA_E_ENDED`, or why it is denied
 * now, after the decision's end; `BULLA_E_BAD_CHUNK` or `BULLA_E_BAD_LENGTH` if the file was
 * changed, and `BULLA_E_BAD_STATE` for every read after a `BULLA_E_BAD_CHUNK`; the *I/O* ones.
 * `buf` may hold authentic parts of the content then; `out_read` is 0.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_pread(const struct bulla_file *file,
                         uint64_t offset,
                         void *buf,
                         size_t len,
                         size_t *out_read,
                         struct bulla_error **err);

/**
 * Reads at the position, and moves it by what was read. Otherwise as `bulla_file_pread`.
 *
 * Errors: as `bulla_file_pread`; `BULLA_E_BAD_STATE` while another call moves the position.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_read(struct bulla_file *file,
                        void *buf,
                        size_t len,
                        size_t *out_read,
                        struct bulla_error **err);

/**
 * Moves the position to `offset` from what `whence` says: `BULLA_SEEK_SET`, `BULLA_SEEK_CUR` or
 * `BULLA_SEEK_END`. Past the end is allowed; reads there give nothing. `out_position`, the new
 * position, may be NULL.
 *
 * Errors: `BULLA_E_BAD_ARGUMENT` for another `whence` or a position before the start or above
 * `INT64_MAX`, which leaves the position as it was; `BULLA_E_BAD_STATE` as `bulla_file_read`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_seek(struct bulla_file *file,
                        int64_t offset,
                        int32_t whence,
                        uint64_t *out_position,
                        struct bulla_error **err);

/**
 * The position.
 *
 * Errors: `BULLA_E_BAD_STATE` while another call moves it.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_tell(const struct bulla_file *file,
                        uint64_t *out_position,
                        struct bulla_error **err);

/**
 * Closes a file. NULL is fine. Writers that it gave go on.
 */
BULLA_API void bulla_file_free(struct bulla_file *file);

/**
 * Whether the first bytes of a file are those of a sealed one, of any version: 1 or 0. Give 8
 * bytes or more; fewer are none. It proves nothing.
 */
BULLA_API int32_t bulla_is_sealed(const void *start, size_t len);

/**
 * What an envelope says of itself in the clear, as JSON: ids, label, policy, recipients, sizes.
 * Needs no keys and no session. Nothing of it is proved: for that, open the file.
 *
 * `out_content_size`: bytes of the content, as the envelope's length says. Either of the two
 * outputs may be NULL. Free the string with `bulla_string_free`.
 *
 * Errors: `BULLA_E_BAD_ARGUMENT`; the *I/O* ones; the *format* ones if it is not a sound envelope.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_inspect(const char *path,
                      uint64_t *out_content_size,
                      char **out_json,
                      struct bulla_error **err);

/**
 * The same, with a path in UTF-16, as for `bulla_file_open_w`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_inspect_w(const uint16_t *path,
                        uint64_t *out_content_size,
                        char **out_json,
                        struct bulla_error **err);

/**
 * The same of an envelope in memory.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_inspect_bytes(const void *data,
                            size_t len,
                            uint64_t *out_content_size,
                            char **out_json,
                            struct bulla_error **err);

/**
 * The same of an envelope that the program keeps. `close` runs during the call.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_inspect_source(const struct bulla_source *source,
                             uint64_t *out_content_size,
                             char **out_json,
                             struct bulla_error **err);

/**
 * The right of this name: `view`, `edit`, `print`, `copy`, `capture`, `export`.
 *
 * Errors: `BULLA_E_BAD_ARGUMENT` for NULL, a string that is not UTF-8, or another name.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_right_by_name(const char *name,
                            uint32_t *out_right,
                            struct bulla_error **err);

/**
 * The name of one of `BULLA_RIGHT_*`; NULL for any other value. Static; not to be freed.
 */
BULLA_API const char *bulla_right_name(uint32_t right);

/**
 * Opens a sealed file. `options` may be NULL: to view the newest. Free the file with
 * `bulla_file_free`. The opening, or its denial, is recorded in the audit trail.
 *
 * Errors: `BULLA_E_BAD_ARGUMENT`; the *I/O* ones; the *format* ones if it is not a sound envelope,
 * among them `BULLA_E_NOT_SEALED` for a plain file, which is never taken for a sealed one; the
 * *denied* ones if root, license or policy do not let it be opened here and now, with the decision
 * as JSON where a policy denied it; the *tampered* ones if it was changed;
 * `BULLA_E_BAD_TRAIL`, `BULLA_E_TRAIL_BUSY` and `BULLA_E_FULL` if it cannot be recorded.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_open(const struct bulla_session *session,
                        const char *path,
                        const struct bulla_open_options *options,
                        struct bulla_file **out_file,
                        struct bulla_error **err);

/**
 * The same, with a path in UTF-16 that ends with 0 and has at most 32,767 units. On Windows any
 * path that the system knows; elsewhere it must be well formed.
 *
 * Errors: as `bulla_file_open`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_open_w(const struct bulla_session *session,
                          const uint16_t *path,
                          const struct bulla_open_options *options,
                          struct bulla_file **out_file,
                          struct bulla_error **err);

/**
 * The same by a file descriptor of a regular file that is open for reading. It is duplicated: it
 * stays the caller's, who may close it after the call. Its own position is not used. Such a file
 * is saved with `bulla_file_save_to`.
 *
 * Errors: as `bulla_file_open`; `BULLA_E_NOT_SUPPORTED` on Windows.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_open_fd(const struct bulla_session *session,
                           int32_t fd,
                           const struct bulla_open_options *options,
                           struct bulla_file **out_file,
                           struct bulla_error **err);

/**
 * The same by a `HANDLE` of Windows.
 *
 * Errors: as `bulla_file_open`; `BULLA_E_NOT_SUPPORTED` elsewhere.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_open_handle(const struct bulla_session *session,
                               void *handle,
                               const struct bulla_open_options *options,
                               struct bulla_file **out_file,
                               struct bulla_error **err);

/**
 * Opens an envelope that the program itself keeps. The struct is copied; what `user` points to
 * must be there until `close` runs: when the file is freed, or during this call if it fails. The
 * storage under such a file is unknown, which denies where a policy asks for it. It is saved with
 * `bulla_file_save_to`.
 *
 * Errors: as `bulla_file_open`; `BULLA_E_IO` if a callback fails or claims more than it was asked
 * for. Bytes that change between two reads are found like any other change.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_open_source(const struct bulla_session *session,
                               const struct bulla_source *source,
                               const struct bulla_open_options *options,
                               struct bulla_file **out_file,
                               struct bulla_error **err);

/**
 * Starts a save of a file that was opened from a path: all of its content anew, under the same
 * license. `bulla_writer_finish` puts it in the file's place, if that still is the one that was
 * opened. `file` itself goes on showing the old content: open it again.
 *
 * `metadata` may be NULL: as it was. Free the writer with `bulla_writer_free`.
 *
 * Errors: `BULLA_E_MISSING_RIGHT` without the right to edit; `BULLA_E_ENDED`, or why it is denied
 * now, after the decision's end; `BULLA_E_BAD_ARGUMENT`, also for metadata that is too long;
 * `BULLA_E_BAD_STATE` if the file was not opened from a path; the *I/O* ones; those of the trail.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_save(const struct bulla_file *file,
                        const struct bulla_metadata *metadata,
                        struct bulla_writer **out_writer,
                        struct bulla_error **err);

/**
 * Starts a save of which the whole new envelope goes to the program's callbacks: for envelopes
 * that the program itself keeps. After `bulla_writer_finish` it is complete; the program puts it
 * in the old one's place, in one step, if that still is the one that was opened.
 *
 * `metadata` may be NULL: as it was. `close` of the sink runs when the writer is finished, has
 * failed or is freed, or during this call if it fails.
 *
 * Errors: as `bulla_file_save`; `BULLA_E_IO` if a callback fails.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_file_save_to(const struct bulla_file *file,
                           const struct bulla_sink *sink,
                           const struct bulla_metadata *metadata,
                           struct bulla_writer **out_writer,
                           struct bulla_error **err);

/**
 * Seals a plain file, which stays. Without `options->metadata` its name and times are taken over.
 * `options` may be NULL; so may `out_file_id`, the new file's id, to be freed with
 * `bulla_string_free`.
 *
 * Errors: as `bulla_sealer_begin`; `BULLA_E_NOT_FOUND`; `BULLA_E_BAD_ARGUMENT`, also if `from` is
 * no regular file; `BULLA_E_CANCELLED`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_sealer_seal_file(const struct bulla_sealer *sealer,
                               const char *from,
                               const char *to,
                               const struct bulla_seal_options *options,
                               char **out_file_id,
                               struct bulla_error **err);

/**
 * The same, with paths in UTF-16, as for `bulla_file_open_w`.
 *
 * Errors: as `bulla_sealer_seal_file`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_sealer_seal_file_w(const struct bulla_sealer *sealer,
                                 const uint16_t *from,
                                 const uint16_t *to,
                                 const struct bulla_seal_options *options,
                                 char **out_file_id,
                                 struct bulla_error **err);

/**
 * Seals `len` bytes from memory into a file. Otherwise as `bulla_sealer_seal_file`.
 *
 * Errors: as `bulla_sealer_begin`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_sealer_seal_bytes(const struct bulla_sealer *sealer,
                                const void *data,
                                size_t len,
                                const char *to,
                                const struct bulla_seal_options *options,
                                char **out_file_id,
                                struct bulla_error **err);

/**
 * Seals `len` bytes from memory into the program's callbacks. `close` runs during the call.
 * `options` may be NULL; so may `out_file_id`, to be freed with `bulla_string_free`.
 *
 * Errors: as `bulla_sealer_begin_sink`; `BULLA_E_CANCELLED`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_sealer_seal_bytes_to(const struct bulla_sealer *sealer,
                                   const void *data,
                                   size_t len,
                                   const struct bulla_sink *sink,
                                   const struct bulla_seal_options *options,
                                   char **out_file_id,
                                   struct bulla_error **err);

/**
 * A sealer in the name of a root, whose key the home has. Its recipients are remembered in the
 * home for later re-licensing. Free it with `bulla_sealer_free`.
 *
 * Errors: `BULLA_E_BAD_ARGUMENT`, also for no, too many, repeated or unlike recipients;
 * `BULLA_E_BAD_POLICY`; `BULLA_E_BAD_KEY` for a recipient's line or the key file;
 * `BULLA_E_HOME_INCOMPLETE` without a root key, `BULLA_E_SECRET_EXPOSED`,
 * `BULLA_E_WRONG_PASSPHRASE`; the *I/O* ones.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_sealer_new(const struct bulla_sealer_options *options,
                         struct bulla_sealer **out_sealer,
                         struct bulla_error **err);

/**
 * A sealer of a device that has a permit for a template. Each file is recorded in the session's
 * trail. `template_text` is the template's file; `permit` may be NULL: the one of the session's
 * home that counts longest. `flags`: `BULLA_BATCH`, or 0. Free it with `bulla_sealer_free`.
 *
 * Errors: `BULLA_E_BAD_ARGUMENT`; `BULLA_E_BAD_TOKEN` and `BULLA_E_BAD_KEY` for what cannot be
 * read; `BULLA_E_NOT_PERMITTED` if there is no permit, or it does not fit, or the badge has none
 * of the roles that may seal; `BULLA_E_NOT_TRUSTED`, `BULLA_E_BAD_SIGNATURE`, `BULLA_E_REVOKED`,
 * `BULLA_E_CLOCK_BEHIND` and those of the trail. Each sealing checks all of it again.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_sealer_from_template(const struct bulla_session *session,
                                   const char *template_text,
                                   const char *permit,
                                   uint32_t flags,
                                   struct bulla_sealer **out_sealer,
                                   struct bulla_error **err);

/**
 * Starts a sealed file at `path`. Nothing is there before `bulla_writer_finish`. `options` may be
 * NULL. Free the writer with `bulla_writer_free`.
 *
 * Errors: `BULLA_E_BAD_ARGUMENT`, also for metadata that is too long; `BULLA_E_EXISTS` if the
 * output exists, without `BULLA_REPLACE`; the *I/O* ones; under a template those of
 * `bulla_sealer_from_template`; those of the trail.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_sealer_begin(const struct bulla_sealer *sealer,
                           const char *path,
                           const struct bulla_seal_options *options,
                           struct bulla_writer **out_writer,
                           struct bulla_error **err);

/**
 * The same, with a path in UTF-16, as for `bulla_file_open_w`.
 *
 * Errors: as `bulla_sealer_begin`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_sealer_begin_w(const struct bulla_sealer *sealer,
                             const uint16_t *path,
                             const struct bulla_seal_options *options,
                             struct bulla_writer **out_writer,
                             struct bulla_error **err);

/**
 * Starts an envelope that goes to the program's callbacks. It is complete after
 * `bulla_writer_finish`; a part of it is refused as cut. `close` runs as for `bulla_file_save_to`.
 *
 * Errors: as `bulla_sealer_begin`; `BULLA_E_IO` if a callback fails.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_sealer_begin_sink(const struct bulla_sealer *sealer,
                                const struct bulla_sink *sink,
                                const struct bulla_seal_options *options,
                                struct bulla_writer **out_writer,
                                struct bulla_error **err);

/**
 * Frees a sealer. NULL is fine. Writers that it gave go on.
 */
BULLA_API void bulla_sealer_free(struct bulla_sealer *sealer);

/**
 * Starts a session of the device whose home it is, with its badge, attestations, lists and trail.
 * A badge that does not count is no error here: it grants nothing.
 *
 * `options` may be NULL: the default home, no passphrase, no duties. Free the session with
 * `bulla_session_free`.
 *
 * Errors: `BULLA_E_BAD_ARGUMENT`; `BULLA_E_HOME_INCOMPLETE` without an identity,
 * `BULLA_E_SECRET_EXPOSED`, `BULLA_E_WRONG_PASSPHRASE`, `BULLA_E_BAD_KEY`; `BULLA_E_BAD_TRAIL`
 * and `BULLA_E_TRAIL_BUSY`; `BULLA_E_BAD_TOKEN`, `BULLA_E_BAD_SIGNATURE` and the *denied* ones for
 * lists of the home that do not hold; the *I/O* ones.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_session_start(const struct bulla_session_options *options,
                            struct bulla_session **out_session,
                            struct bulla_error **err);

/**
 * Reads badge, attestations and lists of the home again. Files that are open are decided about
 * anew at their next read: a new badge goes on, a revocation ends them.
 *
 * Errors: those of `bulla_session_start` about the home. What the session stood on stays then.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_session_refresh(const struct bulla_session *session,
                              struct bulla_error **err);

/**
 * The same, with this badge and these attestations in place of those that the session was started
 * with.
 *
 * Errors: as `bulla_session_refresh`. A badge that does not count is no error: it grants nothing.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_session_use_badge(const struct bulla_session *session,
                                const char *badge,
                                const char *const *attestations,
                                size_t attestation_count,
                                struct bulla_error **err);

/**
 * What would be decided about a sealed file now, as JSON (`docs/policy.md`). `facts`, as JSON,
 * stand in place of the session's own, as if they were true; NULL for none. Nothing is recorded,
 * and no key is touched. A denial is a decision here, not an error.
 *
 * Free the string with `bulla_string_free`.
 *
 * Errors: `BULLA_E_BAD_ARGUMENT`; the *I/O* and *format* ones for the file; of the *denied* ones
 * those for what is refused before a policy is asked.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_session_explain(const struct bulla_session *session,
                              const char *path,
                              const char *facts,
                              char **out_json,
                              struct bulla_error **err);

/**
 * The thumbprint of the device's identity: 43 characters, which badges and policies name it by.
 * Free the string with `bulla_string_free`.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_session_device(const struct bulla_session *session,
                             char **out_thumbprint,
                             struct bulla_error **err);

/**
 * Ends a session. NULL is fine.
 */
BULLA_API void bulla_session_free(struct bulla_session *session);

/**
 * Verifies a trail from its first line to its last, with memory that does not depend on its
 * length. `out_json` is the report: records, first and last time, device, id, and the hash of the
 * last line, which a later trail must go on from. Free it with `bulla_string_free`; it may be
 * NULL.
 *
 * `path` NULL: the trail of the session's home, which must also be its device's own. With a
 * `path`, `session` may be NULL.
 *
 * Errors: `BULLA_E_BAD_TRAIL` if it was changed or cut, with the line in the message;
 * `BULLA_E_BAD_ARGUMENT` if both are NULL; the *I/O* ones.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_trail_verify(const struct bulla_session *session,
                           const char *path,
                           char **out_json,
                           struct bulla_error **err);

/**
 * The ABI of the library that is loaded: compare it with `BULLA_ABI_VERSION` once at the start.
 */
BULLA_API uint32_t bulla_abi_version(void);

/**
 * The version of the library, such as `0.1.0`. Static; not to be freed.
 */
BULLA_API const char *bulla_version(void);

/**
 * Keeps a top-level window of this process out of screen captures (Windows 10 version 2004 and
 * later: `WDA_EXCLUDEFROMCAPTURE`), and asks the system whether it is. Only then may a program
 * declare `block-capture`. A camera in front of the screen still sees it.
 *
 * `hwnd` is a `HWND`. Errors: `BULLA_E_BAD_ARGUMENT` for NULL on Windows;
 * `BULLA_E_NOT_SUPPORTED` if the system did not accept it, and on other systems.
 */
BULLA_API BULLA_NODISCARD int32_t bulla_window_protect(void *hwnd, struct bulla_error **err);

/**
 * Clears the clipboard whenever a top-level window loses focus, and when it is destroyed, unless
 * another program put there what it holds. Call it in the window's own thread, once a window; it
 * lasts as long as the window. A program that reads the clipboard while the window has the focus
 * still gets what is there: to declare `block-clipboard`, do not copy at all without the right.
 *
 * `hwnd` is a `HWND`. Errors: `BULLA_E_BAD_ARGUMENT` for NULL on Windows or a window of another
 * thread; `BULLA_E_NOT_SUPPORTED` on other systems.
 */
BULLA_API BULLA_NODISCARD int32_t bulla_clipboard_guard(void *hwnd, struct bulla_error **err);

/**
 * Seals `len` more bytes. All of them, or the writer has failed, and nothing will be left of it.
 *
 * Errors: `BULLA_E_BAD_ARGUMENT`, after which the writer goes on; the *I/O* ones;
 * `BULLA_E_BAD_STATE` after `bulla_writer_finish` or an error.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_writer_write(struct bulla_writer *writer,
                           const void *data,
                           size_t len,
                           struct bulla_error **err);

/**
 * Writes the last part, syncs, and puts the file in place. Without it nothing is left behind, and
 * a file that was to be replaced stays as it was. The writer can then only be freed, also after
 * an error.
 *
 * Errors: the *I/O* ones; `BULLA_E_EXISTS` if the output exists by now, without `BULLA_REPLACE`;
 * of a save `BULLA_E_CHANGED_MEANWHILE` if somebody else saved or re-licensed the file,
 * `BULLA_E_ENDED` or why it is denied now if the decision has ended, and those of the trail;
 * `BULLA_E_BAD_STATE` after an error or the second time.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_writer_finish(struct bulla_writer *writer,
                            struct bulla_error **err);

/**
 * The id of the file that is written: 32 hex characters. The string belongs to the writer: it is
 * valid until that is freed.
 */
BULLA_API
BULLA_NODISCARD
int32_t bulla_writer_file_id(const struct bulla_writer *writer,
                             const char **out_id,
                             struct bulla_error **err);

/**
 * Frees a writer. Without `bulla_writer_finish` before it, nothing is left behind. NULL is fine.
 */
BULLA_API void bulla_writer_free(struct bulla_writer *writer);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* BULLA_H */
