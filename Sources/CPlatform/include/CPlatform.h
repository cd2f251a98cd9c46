// The C that Swift cannot say: calls that the Glibc overlay lacks, and code that must be async-signal-safe.
// Every function that can fail returns a negative errno; none sets errno for the caller to read.
#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

// --- readiness (Linux only: -ENOSYS elsewhere) ---

struct cp_event {
    uint64_t token;
    uint32_t flags;  // CP_READABLE ...
};
#define CP_READABLE 1u
#define CP_WRITABLE 2u
#define CP_HANGUP 4u

int cp_epoll_create(void);
/// Registers once, edge-triggered, for in, out and rdhup.
int cp_epoll_add(int epoll, int fd, uint64_t token);
int cp_epoll_remove(int epoll, int fd);
/// Waits at most `timeout` milliseconds (-1: for ever); 0 on timeout and on EINTR.
int cp_epoll_wait(int epoll, struct cp_event *events, int capacity, int timeout);

/// An eventfd, or the two ends of a pipe where there is none: fds[0] is read, fds[1] written.
int cp_wakeup_create(int fds[2]);

// --- descriptors ---

int cp_pipe(int fds[2]);                      // O_CLOEXEC, blocking
int cp_accept(int listener);                  // O_CLOEXEC and O_NONBLOCK
int cp_socket(int family, int type);          // O_CLOEXEC and O_NONBLOCK
int cp_pseudo_terminal(int fds[2]);           // O_CLOEXEC: ours and the programs' side, for UTF-8
int cp_set_nonblocking(int fd, int on);
int cp_set_pipe_size(int fd, int bytes);      // the size it got; -ENOSYS elsewhere
int cp_peer_uid(int fd, uint32_t *uid, int32_t *pid);
int cp_open(const char *path, int flags, uint32_t mode);

// --- processes ---

struct cp_spawn {
    const char *path;
    char *const *argv;
    char *const *envp;
    const char *directory;  // NULL: as the parent's
    const char *group;      // the cgroup.procs of another control group than the parent's; NULL: none
    int stdio[3];           // each is dup2'ed; -1: /dev/null
    int new_session;
    int dies_with_parent;   // KILLed when the thread that started it ends, so far as the system can
    const int *processors;  // which it may run on; NULL: as the parent
    int processor_count;
    int takes_terminal;     // stdin becomes the new session's terminal
    uint64_t nofile;        // soft RLIMIT_NOFILE of the child; 0: as the parent's
    uint64_t tag;           // handed down to all that descends from it, see `cp_tag`; 0: the parent's
    int32_t *started;       // set to the child's pid as soon as there is one, before it execs; read with cp_load
};
#define CP_STAGE_FORK 1
#define CP_STAGE_DIRECTORY 2
#define CP_STAGE_STDIO 3
#define CP_STAGE_EXEC 4
#define CP_STAGE_PROCESSORS 5

/// Keeps low numbers for the descriptors of programs that are started, which makes that quicker; to be called while few
/// descriptors are open.
void cp_reserve_low_descriptors(void);

/// vfork and exec. The child starts with default signal handlers, an empty mask and no descriptor above 2.
/// Returns the pid, or a negative errno with `stage` telling which step failed.
int cp_spawn(const struct cp_spawn *request, int *stage);

/// The tag that a process was started with or has inherited; 0 where it has none, is gone or another user's.
uint64_t cp_tag(int pid);

/// What another thread has stored there.
int32_t cp_load(const int32_t *place);

/// Fills `out` with the numbers of the processors that this process may run on; returns how many there are (may exceed
/// `capacity`), -ENOSYS where the system won't be told.
int cp_processors(int *out, int capacity);

/// Whether orphaned descendants are handed to this process from now on; -ENOSYS where the system can't.
int cp_become_subreaper(void);

/// Nanoseconds of processor time that `pid` (all its threads) has used, or a negative errno.
int64_t cp_process_cpu(int pid);

/// Names the calling thread for debuggers; longer names are cut.
void cp_thread_name(const char *name);

// --- what outlives this process, and what tells of its end ---

/// Memory that a process made by `cp_split` shares; pages take room once touched. NULL where there is none.
void *cp_shared_memory(size_t size);
/// Stores a word after all that was stored before.
void cp_publish(uint64_t *place, uint64_t value);

/// Makes a second process, as fork(2), that shares the descriptors with this one: what either opens or closes, both do.
/// To be called while there is one thread. Returns 0 in the new process, which gets the signal `ended` when this one
/// ends; its pid in this one, which has all signals blocked from here on; or a negative errno. The pid is stored in
/// `made` before the new process runs.
/// - group: the open folder of the control group that it is made in; -1: this process's own.
int cp_split(int ended, int32_t *made, int group);
/// Whether a folder is a control group of version 2 (cgroups(7)).
int cp_is_control_group(const char *path);
/// Gives this process another name, in the list of its arguments as well.
void cp_rename(const char *name);
/// Waits until a process made by `cp_split` ends, and hands on (sigqueue(3)) the signals that other processes send.
/// Returns a status of wait(2), or one of these.
int cp_guard(int child, int parent);
#define CP_OTHER_CHILD -1  // another child has ended
#define CP_ORPHANED -2     // `parent` has, unless that is 0
/// Waits for a SIGCHLD, which must be blocked; whether one came.
int cp_await_child(int milliseconds);
/// Gives back the memory that the program's code takes; what runs again comes from the page cache (madvise(2)).
void cp_drop_code(void);
/// Ends this process by a signal, blocked and handled as it may be; returns where that does not end it.
void cp_die(int number);
#define CP_TERMINAL 0x8000000000000000ull
/// Which pipe a descriptor is an end of, or which terminal (pty(7)) our side of; 0 for neither.
uint64_t cp_pipe_inode(int fd);
int cp_is_socket(int fd);
/// Nanoseconds since boot, those asleep included.
int64_t cp_boot_time(void);

/// From now on a crash of this process writes `path`: `about`, the signal, the stack, the memory map. Both are copied.
void cp_report_crashes(const char *path, const char *about);

// --- signals ---

/// From now on each arrival of a signal in `mask` (bit n is signal n) writes one byte to `fd`: the signal's
/// number, plus 0x80 if a process sent it, 0x40 if one queued it (sigqueue(3)). A full pipe drops it. The calling
/// thread unblocks them.
/// Returns a slot for `cp_signals_unsubscribe`.
int cp_signals_subscribe(int fd, uint64_t mask);
void cp_signals_unsubscribe(int slot);
void cp_signal_ignore(int number);
int cp_signal_is_ignored(int number);
/// Programs that are started from now on have these signals (bit n is signal n) as they are by default from their very
/// first moment.
void cp_signals_touched(uint64_t mask);

// --- the kernel's socket table (Linux: sock_diag; -ENOSYS elsewhere) ---

struct cp_socket_entry {
    uint64_t inode;
    uint32_t uid;
    uint16_t port;
    uint16_t peer_port;
    uint8_t family;  // 4 or 6: of its own address, also where an IPv6 socket has an IPv4 one
};
/// TCP sockets that listen, or with `established` have a connection, at local ports within bounds.
struct cp_socket_query {
    int established;
    uint16_t lowest, highest;
};
/// Fills `out` with what is found; returns how much that is (may exceed `capacity`).
int cp_tcp_sockets(const struct cp_socket_query *query, struct cp_socket_entry *out, int capacity);
/// The one socket, in whatever state, that has these two ends; -ENOENT where there is none.
int cp_tcp_find(const struct sockaddr *own, const struct sockaddr *peer, struct cp_socket_entry *out);

// --- file watching (Linux: inotify; -ENOSYS elsewhere) ---

int cp_inotify_create(void);
int cp_inotify_add(int fd, const char *path, uint32_t mask);
int cp_inotify_remove(int fd, int watch);

#endif
