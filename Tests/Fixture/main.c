// fixture: a program with manners and vices, for tests that need a real process.
//
//   fixture VERB [ARGUMENT]... [VERB [ARGUMENT]...]...
//
// Verbs are carried out from left to right; after the last one it exits 0. Output is never buffered.
//
//   say TEXT          TEXT and a newline to stdout           complain TEXT   the same to stderr
//   put TEXT          TEXT without a newline to stdout       lines N BYTES   N numbered lines of BYTES each
//   env NAME          "NAME=value", or "NAME unset"          pid             "pid N"
//   input             copies stdin to stdout until EOF, then says "eof"
//   sleep MS          does nothing for MS milliseconds       wait            for ever (until a signal ends it)
//   exit CODE         ends                                   raise SIGNAL    ends by SIGNAL (TERM, KILL, ABRT, SEGV ...)
//   ignore SIGNAL     from now on, children included         tell SIGNAL     says "got SIGNAL" each time, and goes on
//   trap SIGNAL MS CODE   on SIGNAL: says "got SIGNAL", works on for MS milliseconds, exits CODE
//   once FILE CODE    if FILE does not exist: creates it and exits CODE; else goes on
//   unless FILE CODE  exits CODE unless FILE exists          await FILE      waits until FILE exists
//   grow MB           takes so many megabytes of memory and keeps them; says "grown MB"
//   burn              computes for ever
//   refuse CALL       from now on that system call fails (EPERM), children included: close_range, unshare; clone3 is
//                     one that the system does not know (ENOSYS)
//   exec PROGRAM ...  becomes that program, with all that follows
//   child             forks a child of the same group that ignores TERM and waits; says "child PID"
//   setsid            the same in a session of its own; says "setsid PID"
//   daemon            the same, forked twice, so that its parent is gone; it holds stdout; says "daemon PID"
//   bare              the same as setsid, with an empty environment; says "bare PID"
//   detach            waits; what follows is done by a daemon that was forked twice and has a session of its own, and of
//                     the environment nothing but PORT, for `listen`
//   hold FILE         whoever opens or executes FILE waits (fcntl(2), F_SETLEASE): says "held", and "asked" when one does
//   bind ADDRESS      what `listen` binds: 127.0.0.1 (default), ::1, 0.0.0.0 or ::
//   port N            what `listen` binds instead of $PORT
//   listen            binds and listens, accepts nothing yet; exits 98 if the port is taken
//   serve KIND        listens unless it does, says "listening PORT", serves for ever, a thread a connection:
//                       echo   sends back what comes, half-close included
//                       greet  says "hello NAME\n" first (NAME: $SERVICE_NAME.$SERVICE_INSTANCE), then echoes
//                       mute   accepts and never answers
//                       http   HTTP/1.1 with keep-alive, see below
//
// http answers 200 "NAME PID METHOD PATH\n", and knows these paths (with the number as in /slow/100):
//   /healthz        200, or 503 after /fail and until /heal       /slow/MS    says so, answers after MS milliseconds
//   /status/CODE    that status                                   /big/BYTES  a body of that many 'x'
//   /exit/CODE      exits at once, with no answer                 /late/CODE  answers, then exits
//   /body           sends the request's body back (with Content-Length)
//   /events         an event stream: "data: 1\n\n", and then silence until the client goes
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

static const char *bind_address = "127.0.0.1";
static int bind_port = -1, listener = -1;
static _Atomic int unhealthy;

// --- saying ---

/// Writes everything, or gives up where nobody reads.
static int write_all(int fd, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t sent = write(fd, bytes, count);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return -1;
        bytes += sent;
        count -= (size_t)sent;
    }
    return 0;
}

static void say(int fd, const char *format, ...) {
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0) write_all(fd, line, (size_t)length < sizeof line ? (size_t)length : sizeof line - 1);
}

static _Noreturn void misuse(const char *what) {
    say(2, "fixture: %s: see the top of Tests/Fixture/main.c\n", what);
    _exit(64);
}

static void say_lines(long count, long bytes) {
    size_t capacity = 1 << 16, used = 0;
    char *block = malloc(capacity + (size_t)bytes + 32);
    if (!block) _exit(70);
    for (long line = 1; line <= count; line++) {
        char head[32];
        int length = snprintf(head, sizeof head, "%ld ", line);
        memcpy(block + used, head, (size_t)length);
        used += (size_t)length;
        for (long at = length; at < bytes - 1; at++) block[used++] = 'x';
        block[used++] = '\n';
        if (used >= capacity) write_all(1, block, used), used = 0;
    }
    write_all(1, block, used);
    free(block);
}

static void pass_time(long milliseconds) {
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR) {}
}

// --- signals ---

static const struct { const char *name; int number; } signals[] = {
    {"TERM", SIGTERM}, {"INT", SIGINT},   {"HUP", SIGHUP},   {"KILL", SIGKILL}, {"QUIT", SIGQUIT}, {"USR1", SIGUSR1},
    {"USR2", SIGUSR2}, {"ABRT", SIGABRT}, {"SEGV", SIGSEGV}, {"PIPE", SIGPIPE}, {"STOP", SIGSTOP},
    {"CHLD", SIGCHLD},
};
static long trap_delay, trap_code;

static int signal_number(const char *name) {
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (!strcmp(signals[i].name, name)) return signals[i].number;
    misuse(name);
}

static void tell(int number) {
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (signals[i].number == number) {
            write_all(1, "got ", 4);
            write_all(1, signals[i].name, strlen(signals[i].name));
            write_all(1, "\n", 1);
        }
}

static void trap(int number) {
    tell(number);
    pass_time(trap_delay);
    _exit((int)trap_code);
}

static void on(const char *name, void (*handler)(int)) {
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    sigaction(signal_number(name), &action, NULL);
}

// --- system calls ---

/// As the filter of a container does it (seccomp(2)).
static void refuse(const char *name) {
#ifdef __linux__
    unsigned number = 0, error = EPERM;
    if (!strcmp(name, "close_range")) number = SYS_close_range;
    else if (!strcmp(name, "unshare")) number = SYS_unshare;
    else if (!strcmp(name, "clone3")) number = SYS_clone3, error = ENOSYS;
    else misuse(name);
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0) _exit(71);
#else
    misuse(name);
#endif
}

// --- offspring ---

static _Noreturn void linger(void) {
    signal(SIGTERM, SIG_IGN);
    for (;;) pause();
}

/// Becomes this program with other verbs and no environment.
static _Noreturn void become_bare(char *const arguments[]) {
    char path[4096], *const nothing[] = {NULL};
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
    execve(path, arguments, nothing);
    _exit(72);
}

/// `levels` forks deep; only the last one lives on. It says who it is itself, once it ignores TERM.
static void offspring(const char *what, int new_session, int levels) {
    int report[2];
    if (pipe(report) < 0) _exit(71);
    pid_t first = fork();
    if (first == 0) {
        close(report[0]);
        if (new_session) setsid();
        if (levels > 1 && fork() != 0) _exit(0);
        signal(SIGTERM, SIG_IGN);
        if (!strcmp(what, "bare")) {
            char *const arguments[] = {"fixture", "ignore", "TERM", "wait", NULL};
            // Said once the environment is gone: `report` closes on exec.
            say(1, "%s %d\n", what, (int)getpid());
            fcntl(report[1], F_SETFD, FD_CLOEXEC);
            become_bare(arguments);
        }
        say(1, "%s %d\n", what, (int)getpid());
        close(report[1]);
        linger();
    }
    close(report[1]);
    char byte;
    while (read(report[0], &byte, 1) < 0 && errno == EINTR) {}
    close(report[0]);
    if (levels > 1) waitpid(first, NULL, 0);
}

static _Noreturn void detach(char **verbs) {
    pid_t first = fork();
    if (first == 0) {
        setsid();
        if (fork() != 0) _exit(0);
        char *arguments[64] = {"fixture"}, *port = getenv("PORT");
        int count = 1;
        if (port) arguments[count++] = "port", arguments[count++] = port;
        while (*verbs && count < 63) arguments[count++] = *verbs++;
        become_bare(arguments);
    }
    waitpid(first, NULL, 0);
    for (;;) pause();
}

static void asked(int number) {
    (void)number;
    write_all(1, "asked\n", 6);
}

static _Noreturn void hold(const char *file) {
#ifdef __linux__
    signal(SIGIO, asked);
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fcntl(fd, F_SETLEASE, F_WRLCK) < 0) misuse(file);
    say(1, "held\n");
    for (;;) pause();
#else
    misuse(file);
#endif
}

// --- serving ---

static int listen_now(void) {
    if (bind_port < 0) {
        const char *port = getenv("PORT");
        if (!port) misuse("PORT is not set");
        bind_port = atoi(port);
    }
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)bind_port)};
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)bind_port)};
    int is_six = strchr(bind_address, ':') != NULL, one = 1;
    if (inet_pton(is_six ? AF_INET6 : AF_INET, bind_address,
                  is_six ? (void *)&six.sin6_addr : (void *)&four.sin_addr) != 1) misuse(bind_address);
    int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    if (fd < 0) _exit(71);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr *address = is_six ? (struct sockaddr *)&six : (struct sockaddr *)&four;
    if (bind(fd, address, is_six ? sizeof six : sizeof four) < 0 || listen(fd, 1024) < 0) {
        say(2, "fixture: cannot listen on %s port %d: %s\n", bind_address, bind_port, strerror(errno));
        _exit(98);
    }
    if (bind_port == 0) {
        socklen_t length = is_six ? sizeof six : sizeof four;
        getsockname(fd, address, &length);
        bind_port = ntohs(is_six ? six.sin6_port : four.sin_port);
    }
    return fd;
}

static const char *name(void) {
    static _Thread_local char text[256];
    const char *service = getenv("SERVICE_NAME"), *instance = getenv("SERVICE_INSTANCE");
    snprintf(text, sizeof text, "%s.%s", service ? service : "fixture", instance ? instance : "0");
    return text;
}

static void echo(int fd) {
    char block[65536];
    ssize_t count;
    while ((count = read(fd, block, sizeof block)) > 0 || (count < 0 && errno == EINTR))
        if (count > 0 && write_all(fd, block, (size_t)count) < 0) break;
    shutdown(fd, SHUT_WR);
}

static void mute(int fd) {
    char block[4096];
    while (read(fd, block, sizeof block) > 0) {}
}

/// The number after `prefix` in `path`, or -1.
static long number_after(const char *path, const char *prefix) {
    size_t length = strlen(prefix);
    return strncmp(path, prefix, length) ? -1 : atol(path + length);
}

static int send_head(int fd, long status, long length, int close_after) {
    char head[256];
    int count = snprintf(head, sizeof head, "HTTP/1.1 %ld Fixture\r\nContent-Type: text/plain\r\n"
                         "Content-Length: %ld\r\n%s\r\n", status, length, close_after ? "Connection: close\r\n" : "");
    return write_all(fd, head, (size_t)count);
}

static int send_filler(int fd, long count) {
    char block[65536];
    memset(block, 'x', sizeof block);
    while (count > 0) {
        size_t piece = count < (long)sizeof block ? (size_t)count : sizeof block;
        if (write_all(fd, block, piece) < 0) return -1;
        count -= (long)piece;
    }
    return 0;
}

/// Reads `count` bytes of a request's body (the first `have` are in `start`), and sends them back if `back`.
static int take_body(int fd, char *start, size_t have, long count, int back) {
    char block[65536];
    while (count > 0) {
        size_t piece = have < (size_t)count ? have : (size_t)count;
        if (back && piece && write_all(fd, start, piece) < 0) return -1;
        count -= (long)piece;
        if (count == 0) break;
        ssize_t got = read(fd, block, (size_t)count < sizeof block ? (size_t)count : sizeof block);
        if (got <= 0) return -1;
        start = block;
        have = (size_t)got;
    }
    return 0;
}

static void http(int fd) {
    char buffer[65536];
    size_t used = 0;
    for (;;) {
        char *end;
        buffer[used] = 0;
        while (!(end = strstr(buffer, "\r\n\r\n"))) {
            if (used == sizeof buffer - 1) return;
            ssize_t got = read(fd, buffer + used, sizeof buffer - 1 - used);
            if (got <= 0) return;
            used += (size_t)got;
            buffer[used] = 0;
        }
        *end = 0;
        size_t head = (size_t)(end - buffer) + 4;
        char method[16] = "", path[2048] = "";
        sscanf(buffer, "%15s %2047s", method, path);
        long body = 0;
        int close_after = 0;
        for (char *line = buffer; (line = strstr(line, "\r\n")); line += 2) {
            if (!strncasecmp(line + 2, "content-length:", 15)) body = atol(line + 17);
            if (!strncasecmp(line + 2, "connection: close", 17)) close_after = 1;
        }
        int is_echo = !strcmp(path, "/body"), is_head = !strcmp(method, "HEAD");
        if (is_echo && send_head(fd, 200, body, close_after) < 0) return;
        size_t have = used - head, taken = have < (size_t)body ? have : (size_t)body;
        if (take_body(fd, buffer + head, have, body, is_echo) < 0) return;
        memmove(buffer, buffer + head + taken, used - head - taken);
        used -= head + taken;

        long number, status = 200;
        char text[4096];
        if (is_echo) {
            if (close_after) return;
            continue;
        }
        if ((number = number_after(path, "/exit/")) >= 0) _exit((int)number);
        if ((number = number_after(path, "/slow/")) >= 0) {
            say(1, "GET %s\n", path);
            pass_time(number);
        }
        if ((number = number_after(path, "/status/")) >= 0) status = number;
        if (!strcmp(path, "/fail")) unhealthy = 1;
        if (!strcmp(path, "/heal")) unhealthy = 0;
        if (!strcmp(path, "/healthz") && unhealthy) status = 503;
        if (!strcmp(path, "/events")) {
            say(fd, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n");
            mute(fd);
            return;
        }
        if ((number = number_after(path, "/big/")) >= 0) {
            if (send_head(fd, 200, number, close_after) < 0 || (!is_head && send_filler(fd, number) < 0)) return;
        } else {
            int length = snprintf(text, sizeof text, "%s %d %s %s\n", name(), (int)getpid(), method, path);
            if (send_head(fd, status, length, close_after) < 0) return;
            if (!is_head && write_all(fd, text, (size_t)length) < 0) return;
        }
        if ((number = number_after(path, "/late/")) >= 0) _exit((int)number);
        if (close_after) return;
    }
}

static void greet(int fd) {
    say(fd, "hello %s\n", name());
    echo(fd);
}

static void (*behaviour)(int);

static void *connection(void *argument) {
    int fd = (int)(long)argument;
    behaviour(fd);
    close(fd);
    return NULL;
}

static _Noreturn void serve(const char *kind) {
    if (!strcmp(kind, "echo")) behaviour = echo;
    else if (!strcmp(kind, "greet")) behaviour = greet;
    else if (!strcmp(kind, "mute")) behaviour = mute;
    else if (!strcmp(kind, "http")) behaviour = http;
    else misuse(kind);
    if (listener < 0) listener = listen_now();
    say(1, "listening %d\n", bind_port);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 512 * 1024);
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        if (fd < 0) continue;
        pthread_t thread;
        if (pthread_create(&thread, &attributes, connection, (void *)(long)fd)) close(fd);
    }
}

// --- the verbs ---

static char **next_argument;

static const char *argument(void) {
    if (!*next_argument) misuse("an argument is missing");
    return *next_argument++;
}

static void carry_out(const char *verb) {
    if (!strcmp(verb, "say")) say(1, "%s\n", argument());
    else if (!strcmp(verb, "complain")) say(2, "%s\n", argument());
    else if (!strcmp(verb, "put")) say(1, "%s", argument());
    else if (!strcmp(verb, "lines")) { long count = atol(argument()); say_lines(count, atol(argument())); }
    else if (!strcmp(verb, "env")) {
        const char *key = argument(), *value = getenv(key);
        if (value) say(1, "%s=%s\n", key, value);
        else say(1, "%s unset\n", key);
    }
    else if (!strcmp(verb, "pid")) say(1, "pid %d\n", (int)getpid());
    else if (!strcmp(verb, "input")) {
        char block[4096];
        ssize_t count;
        while ((count = read(0, block, sizeof block)) > 0) write_all(1, block, (size_t)count);
        say(1, "eof\n");
    }
    else if (!strcmp(verb, "sleep")) pass_time(atol(argument()));
    else if (!strcmp(verb, "wait")) for (;;) pause();
    else if (!strcmp(verb, "exit")) _exit(atoi(argument()));
    else if (!strcmp(verb, "raise")) { int number = signal_number(argument()); signal(number, SIG_DFL); raise(number); }
    else if (!strcmp(verb, "ignore")) on(argument(), SIG_IGN);
    else if (!strcmp(verb, "tell")) on(argument(), tell);
    else if (!strcmp(verb, "trap")) {
        const char *which = argument();
        trap_delay = atol(argument());
        trap_code = atol(argument());
        on(which, trap);
    }
    else if (!strcmp(verb, "once")) {
        int fd = open(argument(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600), code = atoi(argument());
        if (fd >= 0) _exit(code);
    }
    else if (!strcmp(verb, "unless")) {
        int missing = access(argument(), F_OK) != 0, code = atoi(argument());
        if (missing) _exit(code);
    }
    else if (!strcmp(verb, "await")) for (const char *file = argument(); access(file, F_OK) < 0;) pass_time(10);
    else if (!strcmp(verb, "grow")) {
        long size = atol(argument());
        char *memory = malloc((size_t)size << 20);
        if (!memory) _exit(71);
        memset(memory, 1, (size_t)size << 20);
        say(1, "grown %ld\n", size);
    }
    else if (!strcmp(verb, "burn")) for (volatile long turns = 0;; turns++) {}
    else if (!strcmp(verb, "refuse")) refuse(argument());
    else if (!strcmp(verb, "exec")) execvp(*next_argument, next_argument), misuse(argument());
    else if (!strcmp(verb, "child")) offspring("child", 0, 1);
    else if (!strcmp(verb, "setsid")) offspring("setsid", 1, 1);
    else if (!strcmp(verb, "daemon")) offspring("daemon", 1, 2);
    else if (!strcmp(verb, "bare")) offspring("bare", 1, 1);
    else if (!strcmp(verb, "detach")) detach(next_argument);
    else if (!strcmp(verb, "hold")) hold(argument());
    else if (!strcmp(verb, "bind")) bind_address = argument();
    else if (!strcmp(verb, "port")) bind_port = atoi(argument());
    else if (!strcmp(verb, "listen")) listener = listen_now();
    else if (!strcmp(verb, "serve")) serve(argument());
    else misuse(verb);
}

int main(int count, char **arguments) {
    (void)count;
    signal(SIGPIPE, SIG_IGN);
    next_argument = arguments + 1;
    while (*next_argument) carry_out(argument());
    return 0;
}
