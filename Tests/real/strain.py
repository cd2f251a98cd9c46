"""What strains a front: bodies of a gigabyte, slow clients, thousands of connections."""

import os
import pathlib
import re
import resource
import socket
import struct
import subprocess
import time

from harness import Load, Mesh, check, curl, expect, need, run, server

GIGABYTE = 1 << 30


def memory(pid, field):
    """A figure of a process in bytes: `VmHWM` (the most that was ever resident) or `Pss` (its share)."""
    for name in ("status", "smaps_rollup"):
        found = re.search(rf"^{field}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/{name}").read_text(), re.M)
        if found:
            return int(found[1]) * 1024
    raise KeyError(field)


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def connect(port):
    client = socket.create_connection(("127.0.0.1", port), timeout=40)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def receive_head(client):
    """A response's head and what came of its body along with it."""
    came = b""
    while b"\r\n\r\n" not in came:
        piece = client.recv(65536)
        expect(piece, f"the front closed a connection after {came!r}")
        came += piece
    head, _, rest = came.partition(b"\r\n\r\n")
    return head.decode("latin-1"), rest


@check
def gigabyteBodies_streamBothWaysInConstantMemory_besideAReaderWhoStops():
    with Mesh("bodies", {"web": server("web")}) as mesh:
        big = mesh.file("big", "")
        os.truncate(big, GIGABYTE)
        mesh.up()
        port, url = mesh.port("web"), mesh.url("web", "")
        curl(f"{url}/warm")
        supervisor = mesh.supervisor()
        forget_peak(supervisor)
        before = memory(supervisor, "VmHWM")
        with connect(port) as slow:
            slow.sendall(b"GET /zeros/%d HTTP/1.1\r\nHost: web\r\n\r\n" % GIGABYTE)
            head, rest = receive_head(slow)
            expect(head.startswith("HTTP/1.1 200 "), f"a slow reader was answered {head}")
            # It reads no further. What its program gets rid of until it has to wait is in the kernel's hands.
            sent, last = 0, -1
            while sent != last:
                time.sleep(0.2)
                sent, last = int(curl(f"{url}/sent")), sent
            expect(sent < 64 << 20, f"with a client that doesn't read, its program got rid of {sent >> 20} MB")
            size = curl(f"{url}/upload", "-T", big, "-H", "Expect: 100-continue", limit=120)
            expect(size == str(GIGABYTE), f"{size} bytes of an upload of 1 GB came to the program")
            seen = len(rest)
            buffer = bytearray(1 << 20)
            while seen < GIGABYTE and (count := slow.recv_into(buffer)):
                seen += count
            expect(seen == GIGABYTE, f"the slow reader got {seen} bytes of 1 GB in the end")
        done = run(
            "curl", "-sS", "-o", os.devnull, "-w", "%{http_code} %{size_download}", f"{url}/zeros/{GIGABYTE}",
            limit=120)
        expect(done.stdout == f"200 {GIGABYTE}", f"a download of 1 GB: {done.stdout} {done.stderr}")
        grown = memory(supervisor, "VmHWM") - before
        expect(grown < 4 << 20, f"the supervisor has grown by {grown >> 10} KB")
        return f"{grown >> 10} KB more memory at most"


@check
def slowClients_areTimedOut_whileOthersAreServed():
    with Mesh("slow", {"web": server("web"), "strict": server("web", timeouts={"idle": "1s"})}) as mesh:
        mesh.up()
        url, pids = mesh.url("web"), mesh.pids()
        said = {}
        with Load("web", lambda: curl(url, limit=5)) as load:
            # Heads that never end: the front ends the connection of each after 10 s.
            attack = [need("slowhttptest"), "-c", "300", "-r", "100", "-u", url, "-p", "5"]
            with subprocess.Popen(
                    [*attack, "-H", "-i", "2", "-l", "40"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, text=True, errors="replace", cwd=mesh.folder) as heads:
                try:
                    with connect(mesh.port("web")) as client:
                        client.sendall(b"GET / HTTP/1.1\r\nHost: web\r\nX: ")
                        head, _ = receive_head(client)
                        expect(head.startswith("HTTP/1.1 408 ") and "close" in head, f"a slow head: {head}")
                    said["heads"] = heads.communicate(timeout=60)[0]
                finally:
                    heads.kill()
            with connect(mesh.port("strict")) as client:
                client.sendall(b"POST / HTTP/1.1\r\nHost: web\r\nContent-Length: 9\r\n\r\nhello")
                head, _ = receive_head(client)
                expect(head.startswith("HTTP/1.1 408 ") and "close" in head, f"a body that goes no further: {head}")
            # Without a limit, bodies that come by drips go on to the program, whose own limits they meet.
            said["bodies"] = run(*attack, "-B", "-i", "1", "-l", "8", "-s", "8192", directory=mesh.folder).stdout
            said["reads"] = run(
                *attack, "-X", "-w", "10", "-y", "20", "-n", "1", "-z", "10", "-k", "3", "-l", "8",
                directory=mesh.folder).stdout
            load.more(20)
        load.expect_no_failure()
        plain = {name: re.sub(r"\x1b\[[\d;]*m", "", text) for name, text in said.items()}
        for name, text in plain.items():
            available = re.findall(r"service available:\s+(\w+)", text)
            expect(available and set(available) == {"YES"}, f"slowhttptest, slow {name}: {available} {text[-600:]}")
        expect(
            "No open connections left" in plain["heads"],
            f"not every connection with a slow head was ended: {plain['heads'][-600:]}")
        expect(mesh.pids() == pids, "something was started anew")


@check
def tenThousandIdleConnections_costUnder4KBEach():
    count = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    expect(hard > count + 200, f"can't run: only {hard} files may be open at once (`ulimit -Hn`)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    clients = []
    try:
        with Mesh("idle", {"web": server("web")}) as mesh:
            mesh.up()
            port, supervisor = mesh.port("web"), mesh.supervisor()

            def ask(client):
                client.sendall(b"GET /idle HTTP/1.1\r\nHost: web\r\n\r\n")
                head, body = receive_head(client)
                expect(head.startswith("HTTP/1.1 200 ") and body == b"/idle", f"the front answered {head!r} {body!r}")

            for _ in range(100):
                with connect(port) as client:
                    ask(client)
            before = memory(supervisor, "Pss")
            for _ in range(count):
                clients.append(connect(port))
                ask(clients[-1])
            each = (memory(supervisor, "Pss") - before) / count
            # They must all be there, or something else was measured.
            for client in clients[::10]:
                ask(client)
            expect(0 < each < 4096, f"an idle connection costs {each:.0f} bytes")
            return f"{each:.0f} bytes each"
    finally:
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
