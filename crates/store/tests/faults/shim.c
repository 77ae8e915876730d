/* Loaded before the C library by tests: makes writes to a database fail, and sets the clock.
 *
 * KEYGATE_TEST_FAULT names a file: "<part of the path> <writes that still succeed> <errno> <writes that fail> <serial>".
 * While that file exists, writes and syncs of files with that part in their path are counted, and fail in that span. A
 * new serial restarts the count. KEYGATE_TEST_CLOCK names a file with the seconds that are added to the time of day. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char known[512];
static long count;

static int content(const char *variable, char *text, size_t size) {
    const char *path = getenv(variable);
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    ssize_t length = read(file, text, size - 1);
    close(file);
    if (length <= 0) return 0;
    text[length] = 0;
    return 1;
}

static int fault(int file) {
    char text[512], part[256], link[64], path[512];
    long skip, times;
    int error;
    int before = errno;
    if (!content("KEYGATE_TEST_FAULT", text, sizeof text)
        || sscanf(text, "%255s %ld %d %ld", part, &skip, &error, &times) != 4) {
        errno = before;
        return 0;
    }
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length <= 0) return 0;
    path[length] = 0;
    if (!strstr(path, part)) return 0;
    pthread_mutex_lock(&lock);
    if (strcmp(known, text)) {
        strcpy(known, text);
        count = 0;
    }
    long n = count++;
    pthread_mutex_unlock(&lock);
    if (n < skip || n - skip >= times) return 0;
    errno = error;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int file, const void *data, size_t size) { return fault(file) ? -1 : REAL(write)(file, data, size); }
ssize_t pwrite(int file, const void *data, size_t size, off_t at) {
    return fault(file) ? -1 : REAL(pwrite)(file, data, size, at);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
    return fault(file) ? -1 : REAL(pwrite64)(file, data, size, at);
}
int fsync(int file) { return fault(file) ? -1 : REAL(fsync)(file); }
int fdatasync(int file) { return fault(file) ? -1 : REAL(fdatasync)(file); }
int ftruncate(int file, off_t size) { return fault(file) ? -1 : REAL(ftruncate)(file, size); }
int ftruncate64(int file, off64_t size) { return fault(file) ? -1 : REAL(ftruncate64)(file, size); }

int clock_gettime(clockid_t clock, struct timespec *time) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = REAL(clock_gettime);
    int result = real(clock, time);
    char text[64];
    if (clock == CLOCK_REALTIME && result == 0) {
        int before = errno;
        if (content("KEYGATE_TEST_CLOCK", text, sizeof text)) time->tv_sec += atol(text);
        errno = before;
    }
    return result;
}
