// A disk that fails: preloaded into the program, it counts the writes, syncs, renames, links and truncations below
// DISK_DIR, in all processes together, and at number DISK_AT does what DISK_HOW says:
//   fail   this one call returns EIO
//   kill   the process is killed before the call
//   power  as kill, and what was not synced is lost: files fall back to their synced length, new names that
//          their folder was not synced after are gone; a trainer takes its scheduler along
// DISK_COUNT is a file: a byte a call.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST 256
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

struct file { char path[1024]; off_t synced; int dirty; };
struct name { char from[1024], to[1024]; };

static struct file files[MOST];
static struct name names[MOST];
static int n_files, n_names;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// The path behind fd, if it lies below DISK_DIR and is a file or a folder.
static int path_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, 1023);
    const char *dir = getenv("DISK_DIR");
    if (length < 0 || !dir) return 0;
    path[length] = 0;
    return strncmp(path, dir, strlen(dir)) == 0;
}

static int is_ours(const char *path) {
    const char *dir = getenv("DISK_DIR");
    return dir && strncmp(path, dir, strlen(dir)) == 0;
}

static struct file *file_of(const char *path, off_t size) {
    for (int i = 0; i < n_files; i++)
        if (strcmp(files[i].path, path) == 0) return &files[i];
    if (n_files == MOST) abort();
    struct file *file = &files[n_files++];
    strcpy(file->path, path);
    file->synced = size; // what an earlier process left counts as synced
    return file;
}

static void lose_what_is_not_synced(void) {
    for (int i = n_names - 1; i >= 0; i--) {
        if (!names[i].from[0]) {
            unlink(names[i].to); // a link
            continue;
        }
        REAL(rename)(names[i].to, names[i].from);
        for (int j = 0; j < n_files; j++)
            if (strcmp(files[j].path, names[i].to) == 0) strcpy(files[j].path, names[i].from);
    }
    for (int i = 0; i < n_files; i++)
        if (files[i].dirty && truncate(files[i].path, files[i].synced) != 0 && errno != ENOENT) abort();
}

// Whether this process trains a run; its parent is then the scheduler.
static int is_trainer(void) {
    char words[4096];
    FILE *file = fopen("/proc/self/cmdline", "r");
    if (!file) abort();
    size_t length = fread(words, 1, sizeof words, file);
    fclose(file);
    return memmem(words, length, "\0train", 7) != NULL;
}

// Counts a call; whether it is to fail.
static int counted(void) {
    const char *at = getenv("DISK_AT"), *how = getenv("DISK_HOW"), *count = getenv("DISK_COUNT");
    if (!count) return 0;
    int fd = open(count, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) abort();
    if (REAL(write)(fd, ".", 1) != 1) abort();
    long number = lseek(fd, 0, SEEK_CUR);
    close(fd);
    if (!at || !how || number != atol(at)) return 0;
    if (strcmp(how, "fail") == 0) return 1;
    if (strcmp(how, "power") == 0) {
        lose_what_is_not_synced();
        if (is_trainer()) kill(getppid(), SIGKILL);
    }
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int refuse(void) {
    errno = EIO;
    return -1;
}

#define WRITER(name, result, arguments, call)                      \
    result name arguments {                                        \
        char path[1024];                                           \
        if (!path_of(fd, path)) return REAL(name) call;            \
        pthread_mutex_lock(&lock);                                 \
        struct stat now;                                           \
        if (fstat(fd, &now) != 0) now.st_size = 0;                 \
        struct file *file = file_of(path, now.st_size);            \
        int fails = counted();                                     \
        result done = fails ? refuse() : REAL(name) call;          \
        file->dirty = 1;                                           \
        pthread_mutex_unlock(&lock);                               \
        return done;                                               \
    }

WRITER(write, ssize_t, (int fd, const void *bytes, size_t n), (fd, bytes, n))
WRITER(pwrite64, ssize_t, (int fd, const void *bytes, size_t n, off64_t at), (fd, bytes, n, at))
WRITER(ftruncate64, int, (int fd, off64_t length), (fd, length))

#define SYNCER(name)                                                                   \
    int name(int fd) {                                                                 \
        char path[1024];                                                               \
        if (!path_of(fd, path)) return REAL(name)(fd);                                 \
        pthread_mutex_lock(&lock);                                                     \
        int done = counted() ? refuse() : 0; /* the disk is a model: nothing to wait for */ \
        struct stat now;                                                               \
        if (done == 0 && fstat(fd, &now) == 0) {                                       \
            if (S_ISDIR(now.st_mode)) {                                                \
                int kept = 0;                                                          \
                for (int i = 0; i < n_names; i++) {                                    \
                    char *slash = strrchr(names[i].to, '/');                           \
                    int here = strlen(path) == (size_t)(slash - names[i].to) &&        \
                               strncmp(path, names[i].to, strlen(path)) == 0;          \
                    if (!here) names[kept++] = names[i];                               \
                }                                                                      \
                n_names = kept;                                                        \
            } else {                                                                   \
                struct file *file = file_of(path, now.st_size);                        \
                file->synced = now.st_size;                                            \
                file->dirty = 0;                                                       \
            }                                                                          \
        }                                                                              \
        pthread_mutex_unlock(&lock);                                                   \
        return done;                                                                   \
    }

SYNCER(fsync)
SYNCER(fdatasync)

int rename(const char *from, const char *to) {
    if (!is_ours(to)) return REAL(rename)(from, to);
    pthread_mutex_lock(&lock);
    int done = counted() ? refuse() : 0;
    if (done == 0) {
        int replaces = access(to, F_OK) == 0;
        done = REAL(rename)(from, to);
        if (done == 0) {
            for (int i = 0; i < n_files; i++)
                if (strcmp(files[i].path, from) == 0) strcpy(files[i].path, to);
            if (!replaces) {
                if (n_names == MOST) abort();
                strcpy(names[n_names].from, from);
                strcpy(names[n_names++].to, to);
            }
        }
    }
    pthread_mutex_unlock(&lock);
    return done;
}

int linkat(int from_dir, const char *from, int to_dir, const char *to, int flags) {
    if (!is_ours(to)) return REAL(linkat)(from_dir, from, to_dir, to, flags);
    pthread_mutex_lock(&lock);
    int done = counted() ? refuse() : REAL(linkat)(from_dir, from, to_dir, to, flags);
    if (done == 0) {
        if (n_names == MOST) abort();
        names[n_names].from[0] = 0;
        strcpy(names[n_names++].to, to);
    }
    pthread_mutex_unlock(&lock);
    return done;
}
