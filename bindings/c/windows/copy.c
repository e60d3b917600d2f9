/* What a program pays on Windows that copies a file through its own memory, part by part: the limit
 * of one that also seals it. usage: copy.exe FROM TO */
#include <windows.h>
#include <stdio.h>

enum { PART = 512 * 1024 };
static char part[PART];

int main(int count, char **words)
{
    if (count != 3) {
        fputs("usage: copy.exe FROM TO\n", stderr);
        return 2;
    }
    HANDLE from = CreateFileA(words[1], GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
    HANDLE to = CreateFileA(words[2], GENERIC_WRITE, 0, NULL, CREATE_ALWAYS, 0, NULL);
    if (from == INVALID_HANDLE_VALUE || to == INVALID_HANDLE_VALUE)
        return 1;
    for (;;) {
        DWORD have, written;
        if (!ReadFile(from, part, PART, &have, NULL))
            return 1;
        if (have == 0)
            return CloseHandle(to) ? 0 : 1;
        if (!WriteFile(to, part, have, &written, NULL) || written != have)
            return 1;
    }
}
