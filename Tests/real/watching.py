"""Edits of real programs under load: what is watched is built by its own tools, then swapped, and no request is lost."""

import asyncio
import json
import threading
import time

from harness import Mesh, check, curl, eventually, expect, need

RATE = 200

C_PROGRAM = r"""
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "version.h"

int main(void) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(getenv("PORT")))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 128)) return 1;
    for (;;) {
        char request[65536];
        int client = accept(listener, 0, 0);
        if (client < 0) continue;
        if (read(client, request, sizeof request) > 0) {
            const char answer[] = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n" VERSION "\n";
            write(client, answer, sizeof answer - 1);
        }
        close(client);
    }
}
"""

MAKEFILE = "web: main.o\n\tcc -o $@ main.o\nmain.o: main.c version.h\n\tcc -O1 -c main.c\n"

SWIFT_PROGRAM = r"""
#if canImport(Glibc)
import Glibc
#endif

signal(SIGPIPE, SIG_IGN)
let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
var on: Int32 = 1
setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, 4)
var address = sockaddr_in()
address.sin_family = sa_family_t(AF_INET)
address.sin_port = in_port_t(UInt16(String(cString: getenv("PORT")))!.bigEndian)
address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
let bound = withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
}
guard bound == 0, listen(listener, 128) == 0 else { exit(1) }
var request = [UInt8](repeating: 0, count: 65536)
while true {
    let client = accept(listener, nil, nil)
    if client < 0 { continue }
    if read(client, &request, request.count) > 0 {
        let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n\(version)\n"
        _ = answer.withCString { write(client, $0, strlen($0)) }
    }
    close(client)
}
"""

SWIFT_PACKAGE = """// swift-tools-version: 6.0
import PackageDescription
let package = Package(name: "web", targets: [.executableTarget(name: "web", path: "Sources", swiftSettings: [.swiftLanguageMode(.v5)])])
"""

PYTHON_PROGRAM = """
import http.server, os
from version import VERSION

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{VERSION}\\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128

Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


class Requests:
    """So many GETs a second, each on a connection of its own and sent when it is due, until the block is left."""

    def __init__(self, port):
        self.port = port
        self.done = 0
        self.slowest = 0.0
        self.failures = []
        self.over = False
        self.thread = threading.Thread(target=lambda: asyncio.run(self.work()))

    async def work(self):
        now = asyncio.get_running_loop().time
        due = now()
        async with asyncio.TaskGroup() as group:
            while not self.over:
                group.create_task(self.ask(now()))
                due += 1 / RATE
                await asyncio.sleep(max(0, due - now()))

    async def ask(self, began):
        try:
            async with asyncio.timeout(60):
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(b"GET / HTTP/1.1\r\nHost: web\r\nConnection: close\r\n\r\n")
                answer = await reader.read()
                writer.close()
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise OSError(answer[:200])
            self.done += 1
            self.slowest = max(self.slowest, asyncio.get_running_loop().time() - began)
        except Exception as error:  # whatever it is, a request has failed
            self.failures.append(f"{type(error).__name__} {error}")

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()


def edited(mesh, edit, rounds=3):
    """Edits so many times under load, each time until the new version answers; then breaks it and mends it."""
    url = mesh.url("web")
    with Requests(mesh.port("web")) as requests:
        slowest = 0.0
        for version in range(1, rounds + 1):
            began = time.monotonic()
            edit(str(version))
            eventually(lambda: curl(url) == f"{version}\n", f"version {version} to answer", limit=120)
            slowest = max(slowest, time.monotonic() - began)
        edit(None)
        eventually(
            lambda: "serving the previous build; the build of " in mesh.devmesh("why", "web").stdout,
            "`why` to say that the build failed", limit=120)
        expect(curl(url) == f"{rounds}\n", "the previous build serves on")
        expect("serving the previous build" in mesh.devmesh("ps").stdout, "`ps` says so")
        edit("9")
        eventually(lambda: curl(url) == "9\n", "the mended version to answer", limit=120)
        expect("previous build" not in mesh.devmesh("ps").stdout, "`ps` says no longer that a build failed")
    expect(not requests.failures, lambda: f"{len(requests.failures)} requests failed: {requests.failures[0]}")
    return f"{requests.done} requests, none failed; slowest {requests.slowest * 1000:.0f} ms; edit to answer {slowest:.2f} s"


@check
def edit_ofACProgram_isMadeAndSwappedUnderLoad():
    need("make")
    need("cc")
    # No .gitignore, and everything in one folder: what make leaves behind must not be taken for an edit.
    with Mesh("watch-c", {"web": {"build": "make", "run": "./web", "watch": True, "uses": []}}) as mesh:
        def edit(version):
            mesh.file("version.h", f'#define VERSION "{version}"\n' if version else "#error broken\n")
        mesh.file("Makefile", MAKEFILE)
        mesh.file("main.c", C_PROGRAM)
        edit("0")
        mesh.up()
        figure = edited(mesh, edit)
        started = [line for line in events(mesh) if line == "build-started"]
        expect(len(started) == 6, f"a build for each edit and one at first: {len(started)}")
        return figure


@check
def edit_ofASwiftPackage_isBuiltAndSwappedUnderLoad():
    need("swift")
    with Mesh("watch-swift", {"web": {
            "build": ["swift", "build"], "run": ".build/debug/web", "watch": {"paths": ["Sources", "Package.swift"]},
            "uses": []}}) as mesh:
        def edit(version):
            mesh.file("Sources/Version.swift", f'let version = "{version}"\n' if version else "let broken\n")
        mesh.file("Package.swift", SWIFT_PACKAGE)
        mesh.file("Sources/main.swift", SWIFT_PROGRAM)
        edit("0")
        mesh.up(ready=[])
        mesh.devmesh("wait", "web", "--for", "ready", "--timeout", "300s", limit=320)
        return edited(mesh, edit, rounds=2)


@check
def edit_ofAPythonProgram_isStartedBesideTheOldOneUnderLoad():
    with Mesh("watch-python", {"web": {
            "build": "python3 -m py_compile *.py", "run": ["python3", "web.py"], "handover": "overlap", "watch": True,
            "uses": []}}) as mesh:
        def edit(version):
            mesh.file("version.py", f"VERSION = {version}\n" if version else "VERSION = (\n")
        mesh.file("web.py", PYTHON_PROGRAM)
        edit("0")
        mesh.up()
        return edited(mesh, edit)


@check
def checkoutOf20000Files_isOneRebuildAndCheap():
    need("git")
    with Mesh("watch-git", {"web": {"run": ["python3", "web.py"], "watch": True, "uses": []}}) as mesh:
        def git(*words):
            from harness import run
            done = run("git", "-c", "user.name=x", "-c", "user.email=x@y", *words, directory=mesh.folder, limit=120)
            expect(done.returncode == 0, f"git {words}: {done.stderr}")
        mesh.file("web.py", PYTHON_PROGRAM)
        mesh.file("version.py", "VERSION = 1\n")
        git("init", "-q", "-b", "main")
        git("add", "web.py", "version.py")
        git("commit", "-q", "-m", "one")
        git("checkout", "-q", "-b", "many")
        for index in range(20_000):
            path = mesh.folder / f"src/{index // 100}/{index}.c"
            if index % 100 == 0:
                path.parent.mkdir(parents=True)
            path.write_text("x")
        mesh.file("version.py", "VERSION = 2\n")
        git("add", "src", "version.py")
        git("commit", "-q", "-m", "two")
        git("checkout", "-q", "main")
        mesh.up()
        expect(curl(mesh.url("web")) == "1\n", "the first version answers")
        # Files are watched once this has been told.
        eventually(lambda: "its files are watched" in mesh.devmesh("why", "web").stdout, "its files are watched")
        time.sleep(0.5)
        # What `up` prints into the folder may have been one.
        former = events(mesh).count("files-changed")
        before, began = processor_time(mesh.supervisor()), time.monotonic()
        git("checkout", "-q", "many")
        took = time.monotonic() - began
        eventually(lambda: curl(mesh.url("web")) == "2\n", "the second version to answer")
        cost = processor_time(mesh.supervisor()) - before
        changes = events(mesh).count("files-changed") - former
        expect(changes == 1, f"{changes} restarts for one checkout of {took:.1f} s")
        expect(cost < 2, f"{cost:.2f} s of processor time")
        return f"checkout took {took:.2f} s, devmesh {cost * 1000:.0f} ms of processor time, one restart"


def events(mesh):
    lines = mesh.devmesh("events", "--json").stdout.splitlines()
    return [event["event"] for event in map(json.loads, lines) if event.get("service") == "web"]


def processor_time(pid):
    """Seconds."""
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
