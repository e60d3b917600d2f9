/* Threads, in as much of them as the tests need. */
#ifndef THREADS_H
#define THREADS_H

#ifdef _WIN32
#include <windows.h>
typedef HANDLE thread;
#define THREAD_BODY DWORD WINAPI
#define THREAD_DONE 0
static inline void start(thread *t, DWORD(WINAPI *body)(void *), void *arg) {
    *t = CreateThread(NULL, 0, body, arg, 0, NULL);
}
static inline void join(thread t) {
    WaitForSingleObject(t, INFINITE);
    CloseHandle(t);
}
#else
#include <pthread.h>
typedef pthread_t thread;
#define THREAD_BODY void *
#define THREAD_DONE NULL
static inline void start(thread *t, void *(*body)(void *), void *arg) {
    if (pthread_create(t, NULL, body, arg) != 0) abort();
}
static inline void join(thread t) { pthread_join(t, NULL); }
#endif
#endif
