/* For tests alone: Wine 8 has no bcryptprimitives.dll, whose ProcessPrng the standard library of
 * Rust calls. This one asks the random generator that Wine has. */
#include <windows.h>

BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG len); /* RtlGenRandom */

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T len) {
    while (len > 0) {
        ULONG n = len > 0x10000000 ? 0x10000000 : (ULONG)len;
        if (!SystemFunction036(buffer, n)) return FALSE;
        buffer += n;
        len -= n;
    }
    return TRUE;
}
