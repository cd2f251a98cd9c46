"""The fronts as data plane, looked at from outside."""

import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess

from harness import DEVMESH, HOME, Mesh, check, expect, need

# Answers each request on a connection that stays, in one write, and says nothing of it.
SERVER = """
import http.server, os, socketserver

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) or b"hello"
        self.send_response(200)
        if self.path == "/chunked":
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\\r\\n%s\\r\\n0\\r\\n\\r\\n" % (len(body), body)
        else:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = answer

    def log_message(self, *_):
        pass

class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""

# Each with what its answer ends with.
REQUESTS = {
    "GET": (b"GET /a?b=c HTTP/1.1\r\nHost: web\r\nUser-Agent: check\r\nAccept: */*\r\nCookie: a=b\r\n\r\n", b"hello"),
    "GET of chunks": (
        b"GET /chunked HTTP/1.1\r\nHost: web\r\nAccept: text/html, */*;q=0.1\r\nTE: trailers\r\nVia: 1.1 x\r\n\r\n",
        b"0\r\n\r\n"),
    "POST": (b"POST /orders HTTP/1.1\r\nHost: web\r\nContent-Length: 10\r\n\r\n0123456789", b"0123456789"),
}


def allocations(folder):
    """How often the processes that run devmesh have called the allocator so far."""
    total = 0
    for file in folder.iterdir():
        try:
            if os.path.realpath(f"/proc/{file.name}/exe") == os.path.realpath(DEVMESH):
                total += int.from_bytes(file.read_bytes(), "little")
        except OSError:
            pass  # a short command, which has ended
    return total


def exchanges(client, request, end, count):
    """Sends a request so many times, each after the answer to the one before."""
    for _ in range(count):
        client.sendall(request)
        answer = b""
        while not answer.endswith(end):
            piece = client.recv(65536)
            expect(piece, f"the front closed a connection after {answer!r}")
            answer += piece
        expect(answer.startswith(b"HTTP/1.1 200 "), f"the front answered {answer!r}")


# Compilers leave allocations in a program built for debugging that are not in the source, so it is the one built for
# release that is counted.
@check
def requests_inSteadyState_allocateNothing():
    counter = HOME / "allocations.so"
    compiler = shutil.which("clang") or need("cc")
    source = pathlib.Path(__file__).parent / "allocations.c"
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", counter, source], check=True)
    with Mesh("allocations", {"web": {"run": "exec python3 server.py", "uses": []}}) as mesh:
        mesh.file("server.py", SERVER)
        folder = mesh.folder / "counts"
        folder.mkdir()
        mesh.environment |= {"LD_PRELOAD": str(counter), "ALLOCATIONS": str(folder)}
        mesh.devmesh("up", "-d", "--wait")
        del mesh.environment["LD_PRELOAD"]
        ports = json.loads(mesh.devmesh("ports", "--json").stdout)
        doors = {kind: next(entry["port"] for entry in ports if entry["kind"] == kind) for kind in ("front", "gateway")}
        expect(allocations(folder) > 1000, "the allocations of devmesh are not counted")
        found = []
        cases = [(name, door, *REQUESTS[name]) for name in REQUESTS for door in doors]
        for name, door, request, end in cases:
            request = request.replace(b"Host: web\r\n", b"Host: web.localhost\r\n")
            with socket.create_connection(("127.0.0.1", doors[door])) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                exchanges(client, request, end, 200)
                # In pieces, of which some may meet what devmesh does once a second after `wait`: measure its services.
                pieces = []
                for _ in range(11):
                    before = allocations(folder)
                    exchanges(client, request, end, 200)
                    pieces.append((allocations(folder) - before) / 200)
                each = statistics.median(pieces)
                if each >= 0.01:
                    found.append(f"{name} at the {door}: {each:.2f}")
        mesh.devmesh("down")
        expect(not found, f"allocations per request: {', '.join(found)}")
