/* Paths in UTF-16 as Windows has them: whatever the system opens, the library opens. */
#include "test.h"
#include <windows.h>
#include <wchar.h>

#define CONTENT "what is sealed"
static bulla_session *session;
static bulla_sealer *sealer;

static const uint16_t *units(const wchar_t *path) { return (const uint16_t *)path; }

/* Names the path in what CHECK says. */
static void about(const wchar_t *path) {
    static char name[300];
    size_t i;
    for (i = 0; path[i] && i < sizeof name - 1; i++) name[i] = path[i] < 127 ? (char)path[i] : '#';
    name[i] = 0;
    test_now = name;
}

static int system_can(const wchar_t *path) {
    HANDLE h = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, CREATE_NEW,
                           FILE_ATTRIBUTE_NORMAL, NULL);
    if (h == INVALID_HANDLE_VALUE) return 0;
    CloseHandle(h);
    CHECK(DeleteFileW(path));
    return 1;
}

/* Seals to the path, reads it, saves it. */
static void works(const wchar_t *path) {
    bulla_writer *writer = NULL;
    bulla_file *file = NULL;
    char buf[64];
    size_t got = 0;
    uint64_t n = 0;
    about(path);
    OK(bulla_sealer_begin_w(sealer, units(path), NULL, &writer, &err));
    OK(bulla_writer_write(writer, CONTENT, strlen(CONTENT), &err));
    OK(bulla_writer_finish(writer, &err));
    bulla_writer_free(writer);
    OK(bulla_inspect_w(units(path), &n, NULL, &err));
    CHECK(n == strlen(CONTENT));
    OK(bulla_file_open_w(session, units(path), NULL, &file, &err));
    OK(bulla_file_read(file, buf, sizeof buf, &got, &err));
    CHECK(got == strlen(CONTENT) && memcmp(buf, CONTENT, got) == 0);
    OK(bulla_file_save(file, NULL, &writer, &err));
    OK(bulla_writer_finish(writer, &err));
    bulla_writer_free(writer);
    bulla_file_free(file);
    OK(bulla_inspect_w(units(path), &n, NULL, &err));
    CHECK(n == 0);
    CHECK(DeleteFileW(path));
}

/* An I/O error or a bad argument, nothing worse, and nothing is there afterwards. */
static void is_refused(const wchar_t *path) {
    bulla_writer *writer = NULL;
    bulla_file *file = NULL;
    bulla_error *e = NULL;
    int32_t status;
    DWORD attributes;
    about(path);
    status = bulla_file_open_w(session, units(path), NULL, &file, &e);
    CHECK(file == NULL && status == bulla_error_code(e));
    CHECK(status == BULLA_E_BAD_ARGUMENT || (status >= BULLA_E_IO && status < 200));
    bulla_error_free(e);
    status = bulla_sealer_begin_w(sealer, units(path), NULL, &writer, &e);
    if (status == BULLA_OK) {
        status = bulla_writer_finish(writer, &e);
        bulla_writer_free(writer);
    }
    CHECK(status == BULLA_E_BAD_ARGUMENT || (status >= BULLA_E_IO && status < 200));
    bulla_error_free(e);
    attributes = GetFileAttributesW(path);
    CHECK(attributes == INVALID_FILE_ATTRIBUTES || (attributes & FILE_ATTRIBUTE_DIRECTORY));
}

static void as_the_system(const wchar_t *path) {
    if (system_can(path)) {
        works(path);
    } else {
        is_refused(path);
    }
}

static wchar_t folder[1024];

static const wchar_t *in_folder(const wchar_t *prefix, const wchar_t *name) {
    static wchar_t path[2048];
    CHECK(wcslen(prefix) + wcslen(folder) + wcslen(name) + 2 < 2048);
    wcscpy(path, prefix);
    wcscat(path, folder);
    wcscat(path, L"\\");
    wcscat(path, name);
    return path;
}

static void everyday_ones(void) {
    works(L"plain.bulla");
    works(L".\\dot.bulla");
    works(L"\uace0\uac1d \u540d\u7c3f.bulla");
    works(L"\U0001f512.bulla"); /* a pair of surrogates */
    works(in_folder(L"", L"absolute.bulla"));
    CHECK(CreateDirectoryW(L"sub", NULL));
    works(L"sub/slash.bulla");
    works(L"sub\\..\\up.bulla");
}

static void verbatim_ones(void) {
    wchar_t name[201];
    const wchar_t *path;
    works(in_folder(L"\\\\?\\", L"verbatim.bulla"));
    as_the_system(in_folder(L"\\\\?\\", L"not/a/folder"));
    as_the_system(in_folder(L"\\\\.\\", L"device.bulla"));
    /* Longer than MAX_PATH. */
    wmemset(name, L'f', 200);
    name[200] = 0;
    CHECK(CreateDirectoryW(in_folder(L"\\\\?\\", name), NULL));
    wcscpy(name + 150, L"\\deep.bulla"); /* another folder, which is not there */
    is_refused(in_folder(L"\\\\?\\", name));
    wmemset(name, L'f', 200);
    path = in_folder(L"\\\\?\\", name);
    {
        static wchar_t deep[2048];
        wcscpy(deep, path);
        wcscat(deep, L"\\");
        wcscat(deep, name);
        CHECK(wcslen(deep) > MAX_PATH);
        works(deep);
        works(deep + 4); /* without the prefix, too: the library adds it */
    }
}

static void shares(void) {
    as_the_system(L"\\\\no-such-server\\share\\a.bulla");
    as_the_system(L"\\\\?\\UNC\\no-such-server\\share\\a.bulla");
    as_the_system(L"\\\\");
    as_the_system(L"\\\\?\\");
    as_the_system(L"\\\\?\\UNC\\");
    as_the_system(L"\\\\.\\pipe\\no-such-pipe");
}

static void lone_surrogates(void) {
    static const wchar_t *const names[] = {L"\xd800.bulla", L"a\xdc00", L"\xdc00\xd800", L"\xdbff"};
    size_t i;
    for (i = 0; i < sizeof names / sizeof *names; i++) {
        as_the_system(names[i]);
        as_the_system(in_folder(L"\\\\?\\", names[i]));
    }
}

static void odd_ones(void) {
    as_the_system(L"");
    as_the_system(L"question?.bulla");
    as_the_system(L"C:");
    is_refused(L"no-such-folder\\a.bulla");
    is_refused(L"a\x01" L"b\\c");
}

/* The longest that there can be, and longer. */
static void long_ones(void) {
    static wchar_t path[40000];
    bulla_file *file = NULL;
    size_t i, at;
    wcscpy(path, in_folder(L"\\\\?\\", L""));
    at = wcslen(path);
    for (i = at; i < 32767; i++) path[i] = (i - at) % 100 == 99 ? L'\\' : L'x';
    path[32767] = 0;
    CHECK(wcslen(path) == 32767);
    as_the_system(path);
    as_the_system(path + 4);
    path[32767] = L'x';
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_file_open_w(session, units(path), NULL, &file, &err));
    for (i = 0; i < 32767; i++) path[i] = L'x';
    path[32767] = 0;
    as_the_system(path);
    path[255] = 0;
    as_the_system(path);
}

static void handles(void) {
    bulla_file *file = NULL;
    char buf[64];
    size_t got = 0;
    HANDLE h;
    seal("all.json", "handle.bulla", CONTENT, strlen(CONTENT));
    h = CreateFileW(L"handle.bulla", GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    CHECK(h != INVALID_HANDLE_VALUE);
    OK(bulla_file_open_handle(session, h, NULL, &file, &err));
    CloseHandle(h); /* the library has its own */
    OK(bulla_file_read(file, buf, sizeof buf, &got, &err));
    CHECK(got == strlen(CONTENT) && memcmp(buf, CONTENT, got) == 0);
    bulla_file_free(file);
    EXPECT(BULLA_E_BAD_ARGUMENT,
           bulla_file_open_handle(session, INVALID_HANDLE_VALUE, NULL, &file, &err));
    CHECK(bulla_file_open_handle(session, (HANDLE)0x7ffffff0, NULL, &file, NULL) != BULLA_OK);
    CHECK(file == NULL);
    /* Not a file. */
    h = CreateEventW(NULL, TRUE, FALSE, NULL);
    CHECK(bulla_file_open_handle(session, h, NULL, &file, NULL) != BULLA_OK);
    CHECK(file == NULL);
    CloseHandle(h);
}

int main(void) {
    session = desk();
    sealer = issuer();
    CHECK(GetCurrentDirectoryW(1024, folder) > 0);
    RUN(everyday_ones);
    RUN(verbatim_ones);
    RUN(shares);
    RUN(lone_surrogates);
    RUN(odd_ones);
    RUN(long_ones);
    RUN(handles);
    bulla_sealer_free(sealer);
    bulla_session_free(session);
    return 0;
}
