#define _GNU_SOURCE
#include "CPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

// --- readiness ---

#ifdef __linux__
int cp_epoll_create(void) {
    int fd = epoll_create1(EPOLL_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int cp_epoll_add(int epoll, int fd, uint64_t token) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.u64 = token};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int cp_epoll_remove(int epoll, int fd) {
    struct epoll_event event = {0};
    return epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event) < 0 ? -errno : 0;
}

int cp_epoll_wait(int epoll, struct cp_event *events, int capacity, int timeout) {
    struct epoll_event native[256];
    if (capacity > 256) capacity = 256;
    int count = epoll_wait(epoll, native, capacity, timeout);
    if (count < 0) return errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++) {
        uint32_t in = native[i].events, out = 0;
        if (in & (EPOLLIN | EPOLLPRI)) out |= CP_READABLE;
        if (in & EPOLLOUT) out |= CP_WRITABLE;
        if (in & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) out |= CP_HANGUP | CP_READABLE;
        if (in & (EPOLLHUP | EPOLLERR)) out |= CP_WRITABLE;
        events[i].token = native[i].data.u64;
        events[i].flags = out;
    }
    return count;
}

int cp_wakeup_create(int fds[2]) {
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return -errno;
    fds[0] = fds[1] = fd;
    return 0;
}
#else
int cp_epoll_create(void) { return -ENOSYS; }
int cp_epoll_add(int epoll, int fd, uint64_t token) { return -ENOSYS; }
int cp_epoll_remove(int epoll, int fd) { return -ENOSYS; }
int cp_epoll_wait(int epoll, struct cp_event *events, int capacity, int timeout) { return -ENOSYS; }

int cp_wakeup_create(int fds[2]) {
    int result = cp_pipe(fds);
    if (result < 0) return result;
    cp_set_nonblocking(fds[0], 1);
    cp_set_nonblocking(fds[1], 1);
    return 0;
}
#endif

// --- descriptors ---

#ifndef __linux__
static int close_on_exec(int fd) {
    int flags = fcntl(fd, F_GETFD);
    if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}
#endif

int cp_set_nonblocking(int fd, int on) {
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0) return -errno;
    flags = on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK;
    return fcntl(fd, F_SETFL, flags) < 0 ? -errno : 0;
}

int cp_pipe(int fds[2]) {
#ifdef __linux__
    return pipe2(fds, O_CLOEXEC) < 0 ? -errno : 0;
#else
    if (pipe(fds) < 0) return -errno;
    int first = close_on_exec(fds[0]), second = close_on_exec(fds[1]);
    if (first < 0 || second < 0) {
        if (first >= 0) close(fds[0]);
        if (second >= 0) close(fds[1]);
        return first < 0 ? first : second;
    }
    return 0;
#endif
}

int cp_pseudo_terminal(int fds[2]) {
    int error = 0;
    char name[128];
#ifdef __linux__
    fds[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (fds[0] < 0) return -errno;
#else
    fds[0] = posix_openpt(O_RDWR | O_NOCTTY);
    if (fds[0] < 0) return -errno;
    if ((error = close_on_exec(fds[0])) < 0) return error;
#endif
    fds[1] = -1;
    if (grantpt(fds[0]) < 0 || unlockpt(fds[0]) < 0 || (error = ptsname_r(fds[0], name, sizeof name)) != 0)
        error = error ? error : errno;
    else if ((fds[1] = cp_open(name, O_RDWR | O_NOCTTY, 0)) < 0)
        error = -fds[1];
    if (error) {
        close(fds[0]);
        return -error;
    }
    // So that a backspace takes away a whole character.
    struct termios settings;
    if (tcgetattr(fds[1], &settings) == 0) {
        settings.c_iflag |= IUTF8;
        tcsetattr(fds[1], TCSANOW, &settings);
    }
    return 0;
}

#ifndef __linux__
/// A socket that was just made, or -1, as all of them are here.
static int own_socket(int fd) {
    if (fd < 0) return -errno;
    fd = close_on_exec(fd);
    if (fd < 0) return fd;
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof one);
    cp_set_nonblocking(fd, 1);
    return fd;
}
#endif

int cp_accept(int listener) {
#ifdef __linux__
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return fd < 0 ? -errno : fd;
#else
    return own_socket(accept(listener, NULL, NULL));
#endif
}

int cp_socket(int family, int type) {
#ifdef __linux__
    int fd = socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 ? -errno : fd;
#else
    return own_socket(socket(family, type, 0));
#endif
}

int cp_set_pipe_size(int fd, int bytes) {
#ifdef __linux__
    int size = fcntl(fd, F_SETPIPE_SZ, bytes);
    return size < 0 ? -errno : size;
#else
    return -ENOSYS;
#endif
}

int cp_peer_uid(int fd, uint32_t *uid, int32_t *pid) {
#ifdef __linux__
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
    *uid = peer.uid;
    *pid = peer.pid;
#else
    uid_t user;
    gid_t group;
    if (getpeereid(fd, &user, &group) < 0) return -errno;
    *uid = user;
    *pid = 0;
#endif
    return 0;
}

int cp_open(const char *path, int flags, uint32_t mode) {
    int fd = open(path, flags | O_CLOEXEC, (mode_t)mode);
    return fd < 0 ? -errno : fd;
}

// --- processes ---

// Bit n: signal n has a handler of ours or is ignored. Other handlers exec takes away by itself.
static _Atomic uint64_t touched_signals;
static _Atomic int inherited_are_known;

void cp_signals_touched(uint64_t mask) { atomic_fetch_or(&touched_signals, mask); }

static uint64_t signals_to_reset(void) {
    if (!atomic_load(&inherited_are_known)) {
        uint64_t ignored = 0;
        for (int number = 1; number < 64; number++)
            if (cp_signal_is_ignored(number)) ignored |= (uint64_t)1 << number;
        cp_signals_touched(ignored);
        atomic_store(&inherited_are_known, 1);
    }
    return atomic_load(&touched_signals);
}

// What the child needs, and how it tells of a failure: on Linux it runs in our memory until it execs.
struct birth {
    const struct cp_spawn *request;
    pid_t parent;
    uint64_t reset;
    int stdio[3];
    int shares_table;  // of descriptors, until it has made its own
    volatile int failure, stage;
};
#define STAGE_TABLE 0  // it could not: as good as no start at all

#ifdef __linux__
#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1u << 1)
#endif

// Low numbers that a child's descriptors are lent while it is made, so that its own table need hold nothing above them:
// to copy hundreds of descriptors and close them one by one would be a quarter of a start.
#define LOW_TRIPLES 8
static int low_numbers[LOW_TRIPLES][3], low_null;
static _Atomic uint32_t free_triples;

void cp_reserve_low_descriptors(void) {
    if (low_null) return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) return;
    low_null = null;
    for (int triple = 0; triple < LOW_TRIPLES; triple++) {
        for (int i = 0; i < 3; i++) {
            int fd = fcntl(null, F_DUPFD_CLOEXEC, 3);
            if (fd < 0) return;
            low_numbers[triple][i] = fd;
        }
        atomic_fetch_or(&free_triples, 1u << triple);
    }
}

// Puts copies of the request's descriptors on low numbers; -1 where none are free.
static int lend_low_numbers(const int *stdio, int *given) {
    memcpy(given, stdio, 3 * sizeof *given);
    uint32_t free = atomic_load(&free_triples);
    do {
        if (!free) return -1;
    } while (!atomic_compare_exchange_weak(&free_triples, &free, free & (free - 1)));
    int triple = __builtin_ctz(free);
    for (int i = 0; i < 3; i++)
        if (stdio[i] > 2 && dup3(stdio[i], low_numbers[triple][i], O_CLOEXEC) >= 0) given[i] = low_numbers[triple][i];
    return triple;
}

static void take_back(int triple) {
    if (triple < 0) return;
    for (int i = 0; i < 3; i++) dup3(low_null, low_numbers[triple][i], O_CLOEXEC);
    atomic_fetch_or(&free_triples, 1u << triple);
}

// What runs in the child must leave no trace in the memory that it shares with its parent.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define HAS_SANITIZER
#endif
#endif
#ifdef HAS_SANITIZER
#define UNTRACED __attribute__((disable_sanitizer_instrumentation))
__attribute__((weak)) void __tsan_ignore_thread_begin(void);
__attribute__((weak)) void __tsan_ignore_thread_end(void);
#else
#define UNTRACED
#endif

// Set where the system lets nobody leave a shared table: Linux before 5.9 in a container (seccomp(2)). Then the whole
// table is copied for each child.
static _Atomic int copies_table;

// A table of the child's own, with what it is given and what lies below.
UNTRACED static int unshare_descriptors(const int *given) {
    int highest = 2;
    for (int i = 0; i < 3; i++)
        if (given[i] > highest) highest = given[i];
    if (syscall(SYS_close_range, (unsigned)highest + 1, ~0u, CLOSE_RANGE_UNSHARE) == 0) return 0;
    return syscall(SYS_unshare, CLONE_FILES) < 0 ? errno : 0;  // Linux before 5.9
}
#else
#define UNTRACED
void cp_reserve_low_descriptors(void) {}
#endif

// As signal(2), but for what the C library or a sanitizer notes about it.
UNTRACED static void reset_signal(int number) {
#ifdef __linux__
    static const unsigned long fallback[8] = {0};  // SIG_DFL is 0 (rt_sigaction(2)), and so is all else
    syscall(SYS_rt_sigaction, number, fallback, NULL, 8ul);
#else
    signal(number, SIG_DFL);
#endif
}

// The child's life until it is the program; returns only where it can't be.
UNTRACED static void become(struct birth *birth) {
    const struct cp_spawn *request = birth->request;
    int code = 0, at = CP_STAGE_STDIO;
#ifdef __linux__
    // Our memory is the parent's: its other threads know of this process before it can end.
    __atomic_store_n(request->started, getpid(), __ATOMIC_RELEASE);
    if (request->dies_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != birth->parent) syscall(SYS_exit_group, 127);  // it died before it could be asked
    }
    if (birth->shares_table && (code = unshare_descriptors(birth->stdio))) at = STAGE_TABLE;
#endif
    if (request->group) {
        int group = open(request->group, O_WRONLY | O_CLOEXEC);
        // Whoever writes 0 moves itself (cgroups(7)).
        if (group >= 0) (void)!write(group, "0", 1);
        if (group >= 0) close(group);
    }
    for (int number = 1; number < 64; number++)
        if ((birth->reset >> number) & 1) reset_signal(number);
    if (request->new_session) setsid();
    int source[3];
    for (int i = 0; i < 3 && !code; i++) {
        // Lifted above 2 first, so that no dup2 below overwrites a source.
        int fd = birth->stdio[i];
        if (fd < 0) fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        source[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (source[i] < 0) code = errno;
    }
    for (int i = 0; i < 3 && !code; i++)
        if (dup2(source[i], i) < 0) code = errno;
    if (!code && request->takes_terminal && ioctl(0, TIOCSCTTY, 0) < 0) code = errno;
#ifdef __linux__
    // Now, not at exec, which may take long on a slow disk: nothing of ours may stay open meanwhile.
    if (!code) syscall(SYS_close_range, 3u, ~0u, 0u);
#endif
    if (!code && request->directory && chdir(request->directory) < 0) code = errno, at = CP_STAGE_DIRECTORY;
    if (!code && request->nofile) {
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
            limit.rlim_cur = request->nofile < limit.rlim_max ? request->nofile : limit.rlim_max;
            setrlimit(RLIMIT_NOFILE, &limit);
        }
    }
#ifdef __linux__
    if (request->tag) {
        // No kernel since 2.4 heeds this limit, but all hand it down through fork and exec.
        struct rlimit limit;
        if (getrlimit(RLIMIT_LOCKS, &limit) == 0) {
            limit.rlim_cur = request->tag;
            setrlimit(RLIMIT_LOCKS, &limit);
        }
    }
    if (!code && request->processors) {
        cpu_set_t set;
        CPU_ZERO(&set);
        for (int i = 0; i < request->processor_count; i++) CPU_SET(request->processors[i], &set);
        if (sched_setaffinity(0, sizeof set, &set) < 0) code = errno, at = CP_STAGE_PROCESSORS;
    }
#endif
    if (!code) {
        sigset_t none;
        sigemptyset(&none);
        pthread_sigmask(SIG_SETMASK, &none, NULL);
        execve(request->path, request->argv, request->envp);
        code = errno, at = CP_STAGE_EXEC;
    }
    birth->failure = code;
    birth->stage = at;
}

#ifdef __linux__
UNTRACED static int be_born(void *birth) {
    become(birth);
    for (;;) syscall(SYS_exit_group, 127);
}

UNTRACED static pid_t bear(struct birth *birth) {
#if defined(HAS_SANITIZER) && defined(__x86_64__)
    // They know no clone in the same memory, and one of them makes a fork of vfork(2).
    if (__tsan_ignore_thread_begin) __tsan_ignore_thread_begin();
    long pid;
    __asm__ volatile("syscall" : "=a"(pid) : "0"((long)SYS_vfork) : "rcx", "r11", "memory");
    if (pid == 0) be_born(birth);
    if (__tsan_ignore_thread_end) __tsan_ignore_thread_end();
    if (pid < 0) errno = (int)-pid;
    return pid < 0 ? -1 : (pid_t)pid;
#else
    // The child takes nothing from the heap and calls nothing deep.
    _Alignas(16) char stack[32 << 10];
    int flags = CLONE_VM | CLONE_VFORK | SIGCHLD | (birth->shares_table ? CLONE_FILES : 0);
    return clone(be_born, stack + sizeof stack, flags, birth);
#endif
}
#endif

static void bury(pid_t pid) {
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
}

int cp_spawn(const struct cp_spawn *request, int *stage) {
    struct birth birth = {.request = request, .parent = getpid(), .reset = signals_to_reset()};
    sigset_t all, before;
    sigfillset(&all);
    int cancel;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of ours may run in the child
    __atomic_store_n(request->started, 0, __ATOMIC_RELEASE);
#ifdef __linux__
    int triple = lend_low_numbers(request->stdio, birth.stdio);
    birth.shares_table = !atomic_load(&copies_table);
    pid_t pid = bear(&birth);
    if (pid > 0 && birth.failure && birth.stage == STAGE_TABLE) {
        bury(pid);
        __atomic_store_n(request->started, 0, __ATOMIC_RELEASE);
        atomic_store(&copies_table, 1);
        birth.shares_table = birth.failure = 0;
        pid = bear(&birth);
    }
    int error = errno;
    take_back(triple);
    errno = error;
#else
    memcpy(birth.stdio, request->stdio, sizeof birth.stdio);
    int report[2];
    if (cp_pipe(report) < 0) report[0] = report[1] = -1;
    pid_t pid = fork();
    if (pid == 0) {
        become(&birth);
        int words[2] = {birth.failure, birth.stage};
        if (report[1] >= 0) (void)!write(report[1], words, sizeof words);
        _exit(127);
    }
#endif
    int result = pid;
    __atomic_store_n(request->started, pid > 0 ? pid : -1, __ATOMIC_RELEASE);
    if (pid < 0) {
        result = -errno;
        *stage = CP_STAGE_FORK;
    } else {
#ifndef __linux__
        int words[2] = {0, 0};
        if (report[0] >= 0) {
            close(report[1]);
            if (read(report[0], words, sizeof words) == (ssize_t)sizeof words) birth.failure = words[0], birth.stage = words[1];
            close(report[0]);
        }
#endif
        if (birth.failure) {
            result = -birth.failure;
            *stage = birth.stage;
            bury(pid);
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_setcancelstate(cancel, NULL);
    return result;
}

uint64_t cp_tag(int pid) {
#ifdef __linux__
    struct rlimit limit;
    if (prlimit(pid, RLIMIT_LOCKS, NULL, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) return limit.rlim_cur;
#else
    (void)pid;
#endif
    return 0;
}

int cp_processors(int *out, int capacity) {
#ifdef __linux__
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) < 0) return -errno;
    int count = 0;
    for (int number = 0; number < CPU_SETSIZE; number++) {
        if (!CPU_ISSET(number, &set)) continue;
        if (count < capacity) out[count] = number;
        count++;
    }
    return count;
#else
    (void)out, (void)capacity;
    return -ENOSYS;
#endif
}

int32_t cp_load(const int32_t *place) { return __atomic_load_n(place, __ATOMIC_ACQUIRE); }

int cp_become_subreaper(void) {
#ifdef __linux__
    return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0 ? -errno : 0;
#else
    return -ENOSYS;
#endif
}

int64_t cp_process_cpu(int pid) {
#ifdef __linux__
    clockid_t clock;
    int error = clock_getcpuclockid(pid, &clock);
    if (error) return -error;
    struct timespec time;
    if (clock_gettime(clock, &time) < 0) return -errno;
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
#else
    return -ENOSYS;
#endif
}

void cp_thread_name(const char *name) {
    char shortened[16];
    strncpy(shortened, name, 15);
    shortened[15] = 0;
#ifdef __linux__
    pthread_setname_np(pthread_self(), shortened);
#else
    pthread_setname_np(shortened);
#endif
}

// --- signals ---

#define SLOTS 64
static _Atomic int slot_fd[SLOTS];  // 0: free, -1: being set up, else fd + 1
static _Atomic uint64_t slot_mask[SLOTS];

static void on_signal(int number, siginfo_t *info, void *context) {
    (void)context;
    int saved = errno;
    unsigned char byte = (unsigned char)number;
    if (info && info->si_code == SI_USER) byte |= 0x80;
    if (info && info->si_code == SI_QUEUE) byte |= 0x40;
    for (int i = 0; i < SLOTS; i++) {
        int fd = atomic_load(&slot_fd[i]);
        if (fd > 0 && (atomic_load(&slot_mask[i]) >> number) & 1) (void)!write(fd - 1, &byte, 1);
    }
    errno = saved;
}

int cp_signals_subscribe(int fd, uint64_t mask) {
    for (int i = 0; i < SLOTS; i++) {
        int free_slot = 0;
        if (!atomic_compare_exchange_strong(&slot_fd[i], &free_slot, -1)) continue;
        atomic_store(&slot_mask[i], mask);
        atomic_store(&slot_fd[i], fd + 1);
        struct sigaction action;
        memset(&action, 0, sizeof action);
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        sigfillset(&action.sa_mask);
        cp_signals_touched(mask);
        sigset_t wanted;
        sigemptyset(&wanted);
        for (int number = 1; number < 64; number++) {
            if (!((mask >> number) & 1)) continue;
            sigaction(number, &action, NULL);
            sigaddset(&wanted, number);
        }
        // Whoever started this program may have blocked them, as threads of libdispatch do.
        pthread_sigmask(SIG_UNBLOCK, &wanted, NULL);
        return i;
    }
    return -EMFILE;
}

void cp_signals_unsubscribe(int slot) {
    atomic_store(&slot_mask[slot], 0);
    atomic_store(&slot_fd[slot], 0);
}

void cp_signal_ignore(int number) {
    cp_signals_touched((uint64_t)1 << number);
    signal(number, SIG_IGN);
}

int cp_signal_is_ignored(int number) {
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

// --- the kernel's socket table ---

#ifdef __linux__
struct diag_query {
    struct nlmsghdr header;
    struct inet_diag_req_v2 query;
    // For dumps: which sockets, as a program that the kernel runs on each (linux/inet_diag.h).
    struct nlattr filter;
    struct inet_diag_bc_op ports[4];
};

/// Asks; returns the socket that the answer comes from, or a negative errno.
static int ask_diag(struct diag_query *message, uint16_t flags) {
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (fd < 0) return -errno;
    message->header.nlmsg_len = flags & NLM_F_DUMP ? sizeof *message : offsetof(struct diag_query, filter);
    message->header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message->header.nlmsg_flags = NLM_F_REQUEST | flags;
    message->query.sdiag_protocol = IPPROTO_TCP;
    if (send(fd, message, message->header.nlmsg_len, 0) < 0) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

/// Whether an IPv6 socket's own address is an IPv4 one, ::ffff:127.0.0.1, as Java's and gRPC's are.
static int is_mapped(const struct inet_diag_msg *info) {
    const uint32_t *own = info->id.idiag_src;
    return own[0] == 0 && own[1] == 0 && own[2] == htonl(0xffff);
}

static void take_entry(struct cp_socket_entry *out, const struct inet_diag_msg *info) {
    out->inode = info->idiag_inode;
    out->uid = info->idiag_uid;
    out->port = ntohs(info->id.idiag_sport);
    out->peer_port = ntohs(info->id.idiag_dport);
    out->family = info->idiag_family == AF_INET || is_mapped(info) ? 4 : 6;
}

static ssize_t receive(int fd, void *buffer, size_t size) {
    ssize_t length;
    do length = recv(fd, buffer, size, 0);
    while (length < 0 && errno == EINTR);
    return length < 0 ? -errno : length ? length : -EPROTO;
}

static int dump_tcp(const struct cp_socket_query *query, uint8_t family, struct cp_socket_entry *out, int capacity, int count) {
    struct diag_query message;
    memset(&message, 0, sizeof message);
    message.query.sdiag_family = family;
    message.query.idiag_states = 1u << (query->established ? TCP_ESTABLISHED : TCP_LISTEN);
    message.filter.nla_type = INET_DIAG_REQ_BYTECODE;
    message.filter.nla_len = sizeof message.filter + sizeof message.ports;
    // Each comparison is two operations long, the second its number; past the end is a no.
    message.ports[0] = (struct inet_diag_bc_op){.code = INET_DIAG_BC_S_GE, .yes = 8, .no = 20};
    message.ports[1].no = query->lowest;
    message.ports[2] = (struct inet_diag_bc_op){.code = INET_DIAG_BC_S_LE, .yes = 8, .no = 12};
    message.ports[3].no = query->highest;
    int fd = ask_diag(&message, NLM_F_DUMP);
    if (fd < 0) return fd;
    _Alignas(struct nlmsghdr) char buffer[16384];
    for (;;) {
        ssize_t length = receive(fd, buffer, sizeof buffer);
        if (length < 0) {
            close(fd);
            return (int)length;
        }
        for (struct nlmsghdr *each = (struct nlmsghdr *)buffer; NLMSG_OK(each, (size_t)length);
             each = NLMSG_NEXT(each, length)) {
            if (each->nlmsg_type == NLMSG_DONE) {
                close(fd);
                return count;
            }
            if (each->nlmsg_type == NLMSG_ERROR) {
                int error = ((struct nlmsgerr *)NLMSG_DATA(each))->error;
                close(fd);
                return error < 0 ? error : -EPROTO;
            }
            if (count < capacity) take_entry(&out[count], NLMSG_DATA(each));
            count++;
        }
    }
}

int cp_tcp_find(const struct sockaddr *own, const struct sockaddr *peer, struct cp_socket_entry *out) {
    if (own->sa_family != peer->sa_family) return -EINVAL;
    struct diag_query message;
    memset(&message, 0, sizeof message);
    struct inet_diag_sockid *id = &message.query.id;
    message.query.sdiag_family = (uint8_t)own->sa_family;
    message.query.idiag_states = ~0u;
    id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    if (own->sa_family == AF_INET) {
        const struct sockaddr_in *from = (const void *)own, *to = (const void *)peer;
        id->idiag_sport = from->sin_port;
        id->idiag_dport = to->sin_port;
        id->idiag_src[0] = from->sin_addr.s_addr;
        id->idiag_dst[0] = to->sin_addr.s_addr;
    } else if (own->sa_family == AF_INET6) {
        const struct sockaddr_in6 *from = (const void *)own, *to = (const void *)peer;
        id->idiag_sport = from->sin6_port;
        id->idiag_dport = to->sin6_port;
        memcpy(id->idiag_src, &from->sin6_addr, sizeof id->idiag_src);
        memcpy(id->idiag_dst, &to->sin6_addr, sizeof id->idiag_dst);
    } else {
        return -EAFNOSUPPORT;
    }
    int fd = ask_diag(&message, 0);
    if (fd < 0) return fd;
    _Alignas(struct nlmsghdr) char buffer[4096];
    ssize_t length = receive(fd, buffer, sizeof buffer);
    close(fd);
    if (length < 0) return (int)length;
    struct nlmsghdr *answer = (struct nlmsghdr *)buffer;
    if (!NLMSG_OK(answer, (size_t)length)) return -EPROTO;
    if (answer->nlmsg_type == NLMSG_ERROR) {
        int error = ((struct nlmsgerr *)NLMSG_DATA(answer))->error;
        return error < 0 ? error : -EPROTO;
    }
    take_entry(out, NLMSG_DATA(answer));
    return 0;
}

int cp_tcp_sockets(const struct cp_socket_query *query, struct cp_socket_entry *out, int capacity) {
    int count = dump_tcp(query, AF_INET, out, capacity, 0);
    if (count < 0) return count;
    int both = dump_tcp(query, AF_INET6, out, capacity, count);
    return both < 0 ? count : both;
}

int cp_inotify_create(void) {
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int cp_inotify_add(int fd, const char *path, uint32_t mask) {
    int watch = inotify_add_watch(fd, path, mask);
    return watch < 0 ? -errno : watch;
}

int cp_inotify_remove(int fd, int watch) { return inotify_rm_watch(fd, watch) < 0 ? -errno : 0; }
#else
int cp_tcp_sockets(const struct cp_socket_query *query, struct cp_socket_entry *out, int capacity) { return -ENOSYS; }
int cp_tcp_find(const struct sockaddr *own, const struct sockaddr *peer, struct cp_socket_entry *out) { return -ENOSYS; }
int cp_inotify_create(void) { return -ENOSYS; }
int cp_inotify_add(int fd, const char *path, uint32_t mask) { return -ENOSYS; }
int cp_inotify_remove(int fd, int watch) { return -ENOSYS; }
#endif
