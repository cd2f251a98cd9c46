"""Where requests end: no two of a chain of proxies may disagree (RFC 9112 §11.2)."""

import http.server
import itertools
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from harness import IS_ROOT, Mesh, check, expect, free_ports, need

NGINX_CHAIN = """
%sdaemon off; pid NAME.pid; error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path NAME-1; proxy_temp_path NAME-2; fastcgi_temp_path NAME-3;
  uwsgi_temp_path NAME-4; scgi_temp_path NAME-5;
  upstream next { server 127.0.0.1:NEXT; keepalive 16; }
  server {
    listen 127.0.0.1:PORT;
    location / { proxy_pass http://next; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
""" % ("user root; " if IS_ROOT else "")

HAPROXY_CHAIN = """
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
  http-reuse always
listen front
  bind 127.0.0.1:PORT
  server next 127.0.0.1:NEXT
"""

# Heads that two hops may read differently, each with a body in which a request hides; words in capitals are put in.
DISAGREEMENTS = {
    "length and chunks": "Content-Length: LENGTH\r\nTransfer-Encoding: chunked\r\n\r\nEND",
    "chunks and length": "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nEND",
    "chunked before a colon and a space": "Content-Length: LENGTH\r\nTransfer-Encoding : chunked\r\n\r\nEND",
    "chunked behind a tab": "Content-Length: LENGTH\r\nTransfer-Encoding:\tchunked\r\n\r\nEND",
    "chunked behind a vertical tab": "Content-Length: LENGTH\r\nTransfer-Encoding: \vchunked\r\n\r\nEND",
    "chunked on a folded line": "Content-Length: LENGTH\r\nTransfer-Encoding:\r\n chunked\r\n\r\nEND",
    "chunked behind a bare line end": "Content-Length: LENGTH\r\nX-A: b\nTransfer-Encoding: chunked\r\n\r\nEND",
    "another coding": "Content-Length: LENGTH\r\nTransfer-Encoding: xchunked\r\n\r\nEND",
    "a coding behind chunked": "Content-Length: LENGTH\r\nTransfer-Encoding: chunked, identity\r\n\r\nEND",
    "gzip before chunked": "Transfer-Encoding: gzip, chunked\r\n\r\nEND",
    "two codings": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\nContent-Length: LENGTH\r\n\r\nEND",
    "chunked in capitals": "Transfer-Encoding: CHUNKED\r\nContent-Length: LENGTH\r\n\r\nEND",
    "two lengths": "Content-Length: 0\r\nContent-Length: LENGTH\r\n\r\nHIDDEN",
    "two lengths the other way": "Content-Length: LENGTH\r\nContent-Length: 0\r\n\r\nHIDDEN",
    "two lengths in one line": "Content-Length: 0, LENGTH\r\n\r\nHIDDEN",
    "a length with a plus": "Content-Length: +LENGTH\r\n\r\nHIDDEN",
    "a length with zeros": "Content-Length: 000LENGTH\r\n\r\nHIDDEN",
    "a length with an underscore": "Content-Length: 1_0\r\n\r\nHIDDEN",
    "a length before a colon and a space": "Content-Length : LENGTH\r\n\r\nHIDDEN",
    "a length that Connection names": "Connection: keep-alive, Content-Length\r\nContent-Length: LENGTH\r\n\r\nHIDDEN",
    "chunks that Connection names": "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\nEND",
    "an ordinary length": "Content-Length: LENGTH\r\n\r\nHIDDEN",
    "ordinary chunks": "Transfer-Encoding: chunked\r\n\r\nSIZE\r\nHIDDEN\r\n0\r\n\r\n",
    "an extension with a bare line end": "Transfer-Encoding: chunked\r\n\r\nSIZE;\nx\r\nHIDDEN\r\n0\r\n\r\n",
    "a size with a plus": "Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\nHIDDEN",
    "a size like C's": "Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\nHIDDEN",
    "a size past 64 bits": "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\nHIDDEN",
    "a length among the trailers": "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: LENGTH\r\n\r\nHIDDEN",
}


class Origin(http.server.ThreadingHTTPServer):
    """Reads requests as leniently as Python does, and notes each that it answers."""

    daemon_threads = True

    def __init__(self):
        self.seen = []
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
                    while size := int(self.rfile.readline().split(b";")[0], 16):
                        self.rfile.read(size + 2)
                    while self.rfile.readline().strip():
                        pass
                else:
                    self.rfile.read(int(self.headers.get("Content-Length", 0)))
                origin.seen.append(self.path)
                self.send_response(200)
                self.send_header("X-Path", self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass  # connections that the proxies break off


def answered(port, message, is_enough):
    """The paths that the client is told of, until the connection ends, or nothing more comes for a while and that is
    enough, or six seconds have passed."""
    received = b""
    paths = []
    end = time.monotonic() + 6
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(0.5)
        try:
            client.sendall(message)
            while time.monotonic() < end:
                try:
                    piece = client.recv(65536)
                except TimeoutError:
                    if received and is_enough(paths):
                        break
                    continue
                if not piece:
                    break
                received += piece
                # haproxy writes names in lower case.
                paths = re.findall(r"(?i)x-path: (\S+)", received.decode("latin-1"))
        except OSError:
            pass
    return paths
class Chains:
    """devmesh before and behind nginx and haproxy, with the same origin at the end of each."""

    NAMES = ["behind-nginx", "behind-haproxy", "before-nginx", "before-haproxy"]

    def __init__(self):
        self.origin = Origin()
        self.ports = dict(zip(self.NAMES, free_ports(len(self.NAMES))))
        self.marks = itertools.count()
        services = {
            name: {"run": self.command(name), "listens": port, "uses": []} for name, port in self.ports.items()}
        services["origin"] = {"remote": f"http://127.0.0.1:{self.origin.server_port}", "uses": []}
        self.mesh = Mesh("chains", services)

    @staticmethod
    def command(name):
        if name.endswith("nginx"):
            return [need("nginx"), "-p", "./", "-c", f"{name}.conf", "-e", "stderr"]
        return [need("haproxy"), "-db", "-q", "-f", f"{name}.conf"]

    def up(self):
        planned = json.loads(self.mesh.devmesh("ports", "--json").stdout)
        fronts = {entry["service"]: entry["port"] for entry in planned if entry["kind"] == "front"}
        for name, port in self.ports.items():
            # Called before its own front, the program calls that of the origin; behind it, the origin itself.
            following = self.origin.server_port if name.startswith("behind") else fronts["origin"]
            text = NGINX_CHAIN.replace("NAME", name) if name.endswith("nginx") else HAPROXY_CHAIN
            self.mesh.file(f"{name}.conf", text.replace("NEXT", str(following)).replace("PORT", str(port)))
        self.mesh.up(ready=self.NAMES)
        self.first = {name: fronts[name] if name.startswith("behind") else self.ports[name] for name in self.NAMES}

    def attempt(self, name, about, patiently=False):
        """What the origin and the client say of one message."""
        mark = f"-{next(self.marks)}-"
        hidden = f"GET /hidden{mark} HTTP/1.1\r\nHost: web\r\n\r\n"
        rest = DISAGREEMENTS[about]
        # The body ends, and the hidden request begins, for whoever reads chunks.
        rest = rest.replace("END", "0\r\n\r\nHIDDEN").replace("HIDDEN", hidden)
        length = len(rest.partition("\r\n\r\n")[2])
        message = f"POST /open{mark} HTTP/1.1\r\nHost: web\r\n{rest}"
        message = message.replace("SIZE", f"{len(hidden):x}").replace("LENGTH", str(length))

        def seen():
            return [path for path in list(self.origin.seen) if path.endswith(mark)]

        told = answered(
            self.first[name], message.encode("latin-1"), lambda paths: not patiently and paths == seen())
        return seen, told

    def close(self):
        self.mesh.__exit__()
        self.origin.shutdown()
        self.origin.server_close()


@check
def chains_throughNginxAndHaproxy_agreeWhereEachRequestEnds():
    chains = Chains()
    try:
        chains.up()
        # First what must go well, before others' connections are broken off.
        for name in chains.NAMES:
            for about in ("an ordinary length", "ordinary chunks"):
                _, told = chains.attempt(name, about)
                expect(len(told) == 1, f"{about} through {name}: the client was told of {told}")
        keys = [(name, about) for name in chains.NAMES for about in DISAGREEMENTS]
        with ThreadPoolExecutor(32) as pool:
            results = list(pool.map(lambda key: chains.attempt(*key), keys))
        suspects = [key for key, (seen, told) in zip(keys, results) if seen() != told]
        wrong = []
        for name, about in suspects:
            # A busy machine may have answered late; what is wrong stays wrong.
            seen, told = chains.attempt(name, about, patiently=True)
            if seen() != told:
                wrong.append(f"{about} through {name}: the origin saw {seen()}, the client {told}")
        expect(not wrong, f"requests were smuggled: {'; '.join(wrong)}")
    finally:
        chains.close()
