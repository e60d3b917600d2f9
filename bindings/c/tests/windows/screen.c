/* Windows that show sealed contents: what the library says about them is what the system says. */
#include "test.h"
#include <windows.h>

#ifndef WDA_EXCLUDEFROMCAPTURE
#define WDA_EXCLUDEFROMCAPTURE 0x11
#endif

static HWND window(void) {
    HWND made = CreateWindowExW(0, L"bulla", L"cards", 0, 0, 0, 10, 10, HWND_MESSAGE, NULL,
                                GetModuleHandleW(NULL), NULL);
    CHECK(made != NULL);
    return made;
}

static void protecting_says_what_is(void) {
    HWND w = window();
    DWORD affinity = 0;
    bulla_error *e = NULL;
    int32_t status = bulla_window_protect(w, &e);
    BOOL known = GetWindowDisplayAffinity(w, &affinity);
    if (status == BULLA_OK) {
        CHECK(known && affinity == WDA_EXCLUDEFROMCAPTURE && e == NULL);
    } else {
        CHECK(status == BULLA_E_NOT_SUPPORTED);
        CHECK(!known || affinity != WDA_EXCLUDEFROMCAPTURE);
    }
    printf("   the system %s\n", status == BULLA_OK ? "accepted it" : "did not accept it");
    bulla_error_free(e);
    DestroyWindow(w);
    EXPECT(BULLA_E_NOT_SUPPORTED, bulla_window_protect(w, &err)); /* gone */
}

static void put(HWND owner, const char *text) {
    HGLOBAL memory = GlobalAlloc(GMEM_MOVEABLE, strlen(text) + 1);
    strcpy((char *)GlobalLock(memory), text);
    GlobalUnlock(memory);
    CHECK(OpenClipboard(owner));
    CHECK(EmptyClipboard());
    CHECK(SetClipboardData(CF_TEXT, memory) != NULL);
    CHECK(CloseClipboard());
    CHECK(IsClipboardFormatAvailable(CF_TEXT));
}

static void the_clipboard_is_cleared(void) {
    HWND w = window();
    put(w, "Kim");
    OK(bulla_clipboard_guard(w, &err));
    CHECK(IsClipboardFormatAvailable(CF_TEXT)); /* not yet */
    SendMessageW(w, WM_ACTIVATE, WA_ACTIVE, 0);
    CHECK(IsClipboardFormatAvailable(CF_TEXT));
    SendMessageW(w, WM_ACTIVATE, WA_INACTIVE, 0);
    CHECK(!IsClipboardFormatAvailable(CF_TEXT));
    put(w, "Lee");
    SendMessageW(w, WM_ACTIVATE, MAKELONG(WA_INACTIVE, 1), 0); /* minimized */
    CHECK(!IsClipboardFormatAvailable(CF_TEXT));
    put(w, "Park");
    DestroyWindow(w);
    CHECK(!IsClipboardFormatAvailable(CF_TEXT));
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_clipboard_guard(w, &err)); /* gone */
}

static HWND others;

static DWORD WINAPI of_another_thread(void *unused) {
    UNUSED(unused);
    EXPECT(BULLA_E_BAD_ARGUMENT, bulla_clipboard_guard(others, &err));
    return 0;
}

static void in_its_own_thread_only(void) {
    HANDLE thread;
    others = window();
    thread = CreateThread(NULL, 0, of_another_thread, NULL, 0, NULL);
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    DestroyWindow(others);
}

int main(void) {
    WNDCLASSW class;
    memset(&class, 0, sizeof class);
    class.lpfnWndProc = DefWindowProcW;
    class.hInstance = GetModuleHandleW(NULL);
    class.lpszClassName = L"bulla";
    CHECK(RegisterClassW(&class));
    RUN(protecting_says_what_is);
    RUN(the_clipboard_is_cleared);
    RUN(in_its_own_thread_only);
    return 0;
}
