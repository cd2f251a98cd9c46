// What outlives the supervisor, or tells why it died: the guardian's part, and the report of a crash.
#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <elf.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <ucontext.h>
#endif

void *cp_shared_memory(size_t size) {
    int flags = MAP_SHARED | MAP_ANONYMOUS;
#ifdef MAP_NORESERVE
    flags |= MAP_NORESERVE;
#endif
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

void cp_publish(uint64_t *place, uint64_t value) { __atomic_store_n(place, value, __ATOMIC_SEQ_CST); }

// --- the guardian ---

#ifdef __linux__
#ifndef SYS_clone3
#define SYS_clone3 435
#endif

// What fork(2) does, but for a table of descriptors of its own. The C library keeps the thread's number in memory.
static long fork_sharing_descriptors(int32_t *made, int *number, int group) {
    uint64_t flags = CLONE_FILES | CLONE_PARENT_SETTID;
    if (number) flags |= CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    if (group >= 0) {
        // `struct clone_args` of Linux 5.7, which the system's headers may be older than.
        struct {
            uint64_t flags, pidfd, child, parent, signal, stack, stack_size, tls, tids, tid_count, group;
        } call = {
            .flags = flags | 1ull << 33,  // CLONE_INTO_CGROUP
            .child = (uintptr_t)number, .parent = (uintptr_t)made, .signal = SIGCHLD, .group = (uint64_t)group,
        };
        return syscall(SYS_clone3, &call, sizeof call);
    }
#ifdef __x86_64__
    return syscall(SYS_clone, flags | SIGCHLD, NULL, made, number, NULL);
#else
    return syscall(SYS_clone, flags | SIGCHLD, NULL, made, NULL, number);
#endif
}

int cp_split(int ended, int32_t *made, int group) {
    pid_t parent = getpid();
    int *number = NULL;
    if (prctl(PR_GET_TID_ADDRESS, &number) < 0) number = NULL;
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);  // who guards takes signals one by one
    long pid = fork_sharing_descriptors(made, number, group);
    if (pid <= 0) {
        int error = errno;
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, ended);
            if (getppid() != parent) _exit(127);  // it died before it could be asked
        }
        sigprocmask(SIG_SETMASK, &before, NULL);
        return pid < 0 ? -error : 0;
    }
    return (int)pid;
}

int cp_is_control_group(const char *path) {
    struct statfs status;
    return statfs(path, &status) == 0 && status.f_type == 0x63677270;  // CGROUP2_SUPER_MAGIC
}

void cp_rename(const char *name) {
    cp_thread_name(name);
    // The arguments lie before the environment, in one piece (proc_pid_cmdline(5)).
    char *start = program_invocation_name, *end = environ[0];
    if (!end || end <= start || end - start > 1 << 21) return;
    memset(start, 0, (size_t)(end - start));
    strncpy(start, name, (size_t)(end - start) - 1);
}

int cp_guard(int child, int parent) {
    // A stop stops the whole job, as the shell expects.
    static const int let_through[] = {SIGTSTP, SIGTTIN, SIGTTOU, SIGCONT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    sigset_t set;
    sigfillset(&set);
    for (size_t i = 0; i < sizeof let_through / sizeof *let_through; i++) sigdelset(&set, let_through[i]);
    if (cp_signal_is_ignored(SIGHUP)) sigdelset(&set, SIGHUP);  // by nohup(1); blocked, it would come all the same
    sigprocmask(SIG_SETMASK, &set, NULL);
    for (;;) {
        int status;
        int ended = waitpid(child, &status, WNOHANG);
        if (ended == child) return status;
        if (ended < 0 && errno == ECHILD) return SIGKILL;  // reaped before anybody could ask how it ended
        if (parent && getppid() != parent) return CP_ORPHANED;
        siginfo_t info;
        int number = sigwaitinfo(&set, &info);
        if (number == SIGCHLD && info.si_pid != child) return CP_OTHER_CHILD;
        if (number <= 0 || number == SIGCHLD) continue;
        // What the terminal sends, it sends to the whole job, but for the hangup, which only a session's leader gets.
        if (info.si_code > 0 && number != SIGHUP) continue;
        if (info.si_code <= 0 && (info.si_pid == child || (parent && getppid() != parent))) continue;
        // Queued, it can be told from what a process sends to the whole job.
        if (sigqueue(child, number, (union sigval){0}) < 0) kill(child, number);
        // One that was stopped would not hear that it is to end.
        if (number == SIGTERM || number == SIGHUP || number == SIGINT) kill(child, SIGCONT);
    }
}

int cp_await_child(int milliseconds) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    struct timespec limit = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};
    return sigtimedwait(&set, NULL, &limit) == SIGCHLD;
}

#else
int cp_split(int ended, int32_t *made, int group) { return -ENOSYS; }
int cp_is_control_group(const char *path) { return 0; }
void cp_rename(const char *name) {}
int cp_guard(int child, int parent) { return 0; }
int cp_await_child(int milliseconds) { return 0; }
#endif

#ifdef __linux__
extern const char __ehdr_start[] __attribute__((weak, visibility("hidden")));
extern const char etext[] __attribute__((weak));

void cp_drop_code(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (uintptr_t)__ehdr_start & ~(page - 1), end = (uintptr_t)etext & ~(page - 1);
    if (start && end > start) madvise((void *)start, end - start, MADV_DONTNEED);
}
#else
void cp_drop_code(void) {}
#endif

void cp_die(int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    signal(number, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}

uint64_t cp_pipe_inode(int fd) {
    struct stat status;
    if (fstat(fd, &status) < 0) return 0;
    if (S_ISFIFO(status.st_mode)) return status.st_ino;
#ifdef __linux__
    unsigned number;
    if (S_ISCHR(status.st_mode) && ioctl(fd, TIOCGPTN, &number) == 0) return CP_TERMINAL | number;
#endif
    return 0;
}

int cp_is_socket(int fd) {
    struct stat status;
    return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

int64_t cp_boot_time(void) {
    struct timespec time;
#ifdef __linux__
    if (clock_gettime(CLOCK_BOOTTIME, &time) < 0) return -errno;
#else
    if (clock_gettime(CLOCK_MONOTONIC, &time) < 0) return -errno;
#endif
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

// --- the report of a crash: nothing here may allocate, lock or wait ---

#define FATAL_COUNT 8
static const struct { int number; const char *name; } fatal[FATAL_COUNT] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGILL, "SIGILL"},   {SIGTRAP, "SIGTRAP"},
    {SIGFPE, "SIGFPE"},   {SIGABRT, "SIGABRT"}, {SIGSYS, "SIGSYS"}, {SIGQUIT, "SIGQUIT"},
};

static char report_path[1024], report_about[2048];

struct text {
    char bytes[512];
    size_t used;
};

static void add(struct text *text, const char *words) {
    while (*words && text->used < sizeof text->bytes) text->bytes[text->used++] = *words++;
}

static void add_number(struct text *text, uint64_t value, unsigned base, int width) {
    char digits[24];
    int count = 0;
    do digits[count++] = "0123456789abcdef"[value % base];
    while ((value /= base) > 0 || count < width);
    while (count > 0 && text->used < sizeof text->bytes) text->bytes[text->used++] = digits[--count];
}

static void flush(int fd, struct text *text) {
    (void)!write(fd, text->bytes, text->used);
    text->used = 0;
}

#ifdef __linux__
/// Two words of a frame, where they can be read: a broken chain must not end the report.
static int read_frame(uintptr_t at, uintptr_t words[2]) {
    struct iovec here = {words, 2 * sizeof *words}, there = {(void *)at, 2 * sizeof *words};
    return syscall(SYS_process_vm_readv, getpid(), &here, 1, &there, 1, 0) == (long)(2 * sizeof *words);
}

/// - index: -1 for an address that was only found on the stack.
static void write_frame(int fd, int index, uintptr_t address) {
    struct text text = {.used = 0};
    add(&text, index < 0 ? "maybe" : "frame ");
    if (index >= 0) add_number(&text, (uint64_t)index, 10, 1);
    add(&text, " 0x");
    add_number(&text, address, 16, 12);
    uintptr_t start = (uintptr_t)__ehdr_start;
    if (address >= start) {
        // What addr2line(1) wants; beyond the program it means nothing, and the maps below tell. A program with a fixed
        // place is known by its addresses, another by what lies before them.
        add(&text, " 0x");
        int moves = start && ((const Elf64_Ehdr *)start)->e_type == ET_DYN;
        add_number(&text, moves ? address - start : address, 16, 1);
    }
    add(&text, "\n");
    flush(fd, &text);
}

static void write_stack(int fd, const ucontext_t *context) {
#if defined(__x86_64__)
    const greg_t *registers = context->uc_mcontext.gregs;
    uintptr_t counter = (uintptr_t)registers[REG_RIP], frame = (uintptr_t)registers[REG_RBP];
    uintptr_t stack = (uintptr_t)registers[REG_RSP];
#elif defined(__aarch64__)
    uintptr_t counter = context->uc_mcontext.pc, frame = context->uc_mcontext.regs[29];
    uintptr_t stack = context->uc_mcontext.sp;
#else
    uintptr_t counter = 0, frame = 0, stack = 0;
#endif
    write_frame(fd, 0, counter);
    uintptr_t words[2];
    int index = 1;
    for (; index < 128 && frame && read_frame(frame, words); index++) {
        if (!words[1]) break;
        // The call, not what follows it.
        write_frame(fd, index, words[1] - 1);
        if (words[0] <= frame) break;
        frame = words[0];
    }
    if (index > 4) return;
    // The C library keeps no chain of frames: what on the stack points into this program may be a call.
    for (int found = 0; found < 64 && read_frame(stack, words); stack += sizeof words)
        for (int i = 0; i < 2; i++)
            if (words[i] > (uintptr_t)__ehdr_start && words[i] < (uintptr_t)etext) {
                write_frame(fd, -1, words[i] - 1);
                found++;
            }
}

static void write_maps(int fd) {
    int maps = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (maps < 0) return;
    char bytes[1024];
    ssize_t count;
    while ((count = read(maps, bytes, sizeof bytes)) > 0) (void)!write(fd, bytes, (size_t)count);
    close(maps);
}
#endif

static void on_crash(int number, siginfo_t *info, void *context) {
    int fd = open(report_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        struct text text = {.used = 0};
        (void)!write(fd, report_about, strlen(report_about));
        struct timespec time;
        clock_gettime(CLOCK_REALTIME, &time);
        add(&text, "time ");
        add_number(&text, (uint64_t)time.tv_sec, 10, 1);
        add(&text, " seconds since 1970\nsignal ");
        for (int i = 0; i < FATAL_COUNT; i++)
            if (fatal[i].number == number) add(&text, fatal[i].name);
        if (info->si_code <= 0) {
            add(&text, " sent by process ");
            add_number(&text, (uint64_t)info->si_pid, 10, 1);
        } else {
            add(&text, " at address 0x");
            add_number(&text, (uint64_t)(uintptr_t)info->si_addr, 16, 1);
        }
#ifdef __linux__
        char name[17] = {0};
        prctl(PR_GET_NAME, name);
        add(&text, "\nthread ");
        add(&text, name);
        add(&text, "\n\n");
        flush(fd, &text);
        write_stack(fd, context);
        (void)!write(fd, "\n", 1);
        write_maps(fd);
#else
        (void)context;
        add(&text, "\n");
        flush(fd, &text);
#endif
        close(fd);
    }
    // The handler is gone (SA_RESETHAND): now it ends as it would have without.
    raise(number);
}

void cp_report_crashes(const char *path, const char *about) {
    strncpy(report_path, path, sizeof report_path - 1);
    strncpy(report_about, about, sizeof report_about - 1);
    // For a stack that has overflowed; of the calling thread.
    size_t size = 64 << 10;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
    if (memory != MAP_FAILED) {
        stack_t stack = {.ss_sp = memory, .ss_size = size};
        sigaltstack(&stack, NULL);
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_crash;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    uint64_t handled = 0;
    for (int i = 0; i < FATAL_COUNT; i++) {
        // As ^\ is by nohup(1) and shells without job control.
        if (cp_signal_is_ignored(fatal[i].number)) continue;
        sigaction(fatal[i].number, &action, NULL);
        handled |= (uint64_t)1 << fatal[i].number;
    }
    cp_signals_touched(handled);
}
