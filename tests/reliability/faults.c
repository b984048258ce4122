/* Stands between a process and its C library, by LD_PRELOAD, and counts every call that changes something under
   one folder: by Python, and by SQLite and everything else alike. At one of them it ends the process, before the
   call or in the midst of a write, or lets the call fail, and those of its kinds after it.

   Driven from Python by ctypes: see faults.py. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WATCH, STOP, TEAR, FAIL };
#define POINTS 65536
#define NAME 96

static char under[4096];
static size_t under_bytes;
static atomic_long count;
static long at;
static int way, error_number;
static char failing[32];
static char logged[POINTS][NAME];
static volatile int armed;

void faults_arm(const char *folder, int how, long point, int error, const char *kinds)
{
    armed = 0;
    strncpy(under, folder, sizeof under - 1);
    under_bytes = strlen(under);
    strncpy(failing, kinds, sizeof failing - 1);
    way = how;
    at = point;
    error_number = error;
    count = 0;
    armed = 1;
}

void faults_disarm(void) { armed = 0; }
long faults_count(void) { return count; }
const char *faults_point(long number) { return number < POINTS ? logged[number] : ""; }

static int is_under(const char *path)
{
    return path && strncmp(path, under, under_bytes) == 0 && (path[under_bytes] == '/' || !path[under_bytes]);
}

/* 0: goes on. 1: stops in the midst. -1: fails. */
static int point(char kind, const char *path)
{
    if (!armed || !is_under(path))
        return 0;
    long number = atomic_fetch_add(&count, 1);
    if (number < POINTS)
        snprintf(logged[number], NAME, "%c%s", kind, path + under_bytes);
    if (way == FAIL && number >= at && strchr(failing, kind)) {
        errno = error_number;
        return -1;
    }
    if (number != at)
        return 0;
    if (way == STOP)
        _exit(77);
    return way == TEAR;
}

static int point_of(char kind, int file)
{
    char link[64], path[4096];
    if (!armed)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0)
        return 0;
    path[length] = 0;
    return point(kind, path);
}

#define REAL(result, name, ...) \
    static result (*real)(__VA_ARGS__); \
    if (!real) \
        real = (result (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name);

#define TORN(call_with_half) \
    do { \
        call_with_half; \
        _exit(77); \
    } while (0)

ssize_t write(int file, const void *data, size_t bytes)
{
    REAL(ssize_t, "write", int, const void *, size_t)
    switch (point_of('w', file)) {
    case -1: return -1;
    case 1: TORN(if (bytes > 1) (void)!real(file, data, bytes / 2));
    }
    return real(file, data, bytes);
}

#define PWRITE(name) \
    ssize_t name(int file, const void *data, size_t bytes, off_t offset) \
    { \
        REAL(ssize_t, #name, int, const void *, size_t, off_t) \
        switch (point_of('w', file)) { \
        case -1: return -1; \
        case 1: TORN(if (bytes > 1) (void)!real(file, data, bytes / 2, offset)); \
        } \
        return real(file, data, bytes, offset); \
    }
PWRITE(pwrite)
PWRITE(pwrite64)

ssize_t writev(int file, const struct iovec *parts, int number)
{
    REAL(ssize_t, "writev", int, const struct iovec *, int)
    switch (point_of('w', file)) {
    case -1: return -1;
    case 1: TORN((void)!real(file, parts, number > 1 ? number / 2 : 0));
    }
    return real(file, parts, number);
}

#define SENDFILE(name) \
    ssize_t name(int to, int from, off_t *offset, size_t bytes) \
    { \
        REAL(ssize_t, #name, int, int, off_t *, size_t) \
        switch (point_of('w', to)) { \
        case -1: return -1; \
        case 1: TORN((void)!real(to, from, offset, bytes / 2)); \
        } \
        return real(to, from, offset, bytes); \
    }
SENDFILE(sendfile)
SENDFILE(sendfile64)

ssize_t copy_file_range(int from, off_t *start, int to, off_t *offset, size_t bytes, unsigned flags)
{
    REAL(ssize_t, "copy_file_range", int, off_t *, int, off_t *, size_t, unsigned)
    switch (point_of('w', to)) {
    case -1: return -1;
    case 1: TORN((void)!real(from, start, to, offset, bytes / 2, flags));
    }
    return real(from, start, to, offset, bytes, flags);
}

/* What is flushed is on a disk for good, which no process that ends can show: so nothing is waited for. */
#define FLUSH(name) \
    int name(int file) \
    { \
        switch (point_of('s', file)) { \
        case -1: return -1; \
        case 1: _exit(77); \
        } \
        return 0; \
    }
FLUSH(fsync)
FLUSH(fdatasync)

#define CUT(name) \
    int name(int file, off_t length) \
    { \
        REAL(int, #name, int, off_t) \
        switch (point_of('t', file)) { \
        case -1: return -1; \
        case 1: _exit(77); \
        } \
        return real(file, length); \
    }
CUT(ftruncate)
CUT(ftruncate64)

/* Whether the answer of `point` ends the matter. */
#define STOPPED(answer) \
    switch (answer) { \
    case -1: return -1; \
    case 1: _exit(77); \
    }

int rename(const char *from, const char *to)
{
    REAL(int, "rename", const char *, const char *)
    STOPPED(point('r', to))
    return real(from, to);
}

int unlink(const char *path)
{
    REAL(int, "unlink", const char *)
    STOPPED(point('u', path))
    return real(path);
}

int unlinkat(int folder, const char *path, int flags)
{
    REAL(int, "unlinkat", int, const char *, int)
    char link[64], whole[8192];
    snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    ssize_t length = *path == '/' || folder < 0 ? 0 : readlink(link, whole, 4096);
    length = length < 0 ? 0 : length;
    snprintf(whole + length, sizeof whole - length, "%s%s", length ? "/" : "", path);
    STOPPED(point('u', whole))
    return real(folder, path, flags);
}

int rmdir(const char *path)
{
    REAL(int, "rmdir", const char *)
    STOPPED(point('u', path))
    return real(path);
}

int mkdir(const char *path, mode_t mode)
{
    REAL(int, "mkdir", const char *, mode_t)
    STOPPED(point('m', path))
    return real(path, mode);
}

int link(const char *from, const char *to)
{
    REAL(int, "link", const char *, const char *)
    STOPPED(point('l', to))
    return real(from, to);
}

/* 'c' makes a file, 'o' opens one to write to it. */
static int opening(const char *path, int flags)
{
    if (!armed || !(flags & (O_WRONLY | O_RDWR | O_CREAT)))
        return 0;
    int makes = (flags & O_CREAT) && access(path, F_OK) != 0;
    return point(makes ? 'c' : 'o', path);
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) \
    { \
        REAL(int, #name, const char *, int, ...) \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { \
            va_list rest; \
            va_start(rest, flags); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
        } \
        STOPPED(opening(path, flags)) \
        return real(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) \
    { \
        REAL(int, #name, int, const char *, int, ...) \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { \
            va_list rest; \
            va_start(rest, flags); \
            mode = va_arg(rest, mode_t); \
            va_end(rest); \
        } \
        STOPPED(opening(path, flags)) \
        return real(folder, path, flags, mode); \
    }
OPENAT(openat)
OPENAT(openat64)
