"""The gateway, asked as users ask it."""

import json

from harness import Mesh, check, expect, need, run

SERVER = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = self.headers.get("X-Forwarded-Prefix", "")
        body = f"{os.environ['SERVICE_NAME']} {self.path} {told}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


def gateway(mesh):
    ports = json.loads(mesh.devmesh("ports", "--json").stdout)
    return next(entry["port"] for entry in ports if entry["kind"] == "gateway")


def ask(*arguments):
    """Status and body."""
    done = run(need("curl"), "-sS", "--max-time", "20", "-w", "\n%{http_code}", *arguments)
    expect(done.returncode == 0, lambda: f"curl {' '.join(arguments)}: {done.stderr}")
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


@check
def gateway_byHostAndPath_withCurl():
    services = {
        "web": {"run": "exec python3 server.py", "hosts": ["news.test"]},
        "members": {"run": "exec python3 server.py", "paths": [{"path": "/members", "strip": True}]},
    }
    with Mesh("gateway", services) as mesh:
        mesh.file("server.py", SERVER)
        mesh.up()
        port = gateway(mesh)
        # curl itself resolves *.localhost, to both loopbacks.
        for url, wanted in [
            (f"http://web.localhost:{port}/a?b", "web /a?b "),
            (f"http://web.gateway.localhost:{port}/", "web / "),
            (f"http://members.localhost:{port}/members", "members /members "),
            (f"http://localhost:{port}/members/a?b", "members /a?b /members"),
            (f"http://[::1]:{port}/members", "members / /members"),
        ]:
            status, body = ask(url)
            expect((status, body) == (200, wanted), f"{url} gave {status} {body!r}")
        # As a proxy, too.
        status, body = ask("-x", f"http://127.0.0.1:{port}", "http://news.test/x")
        expect((status, body) == (200, "web /x "), f"news.test gave {status} {body!r}")
        status, body = ask("--resolve", f"evil.example:{port}:127.0.0.1", f"http://evil.example:{port}/members")
        expect(status == 403 and "evil.example" in body, f"a foreign host gave {status} {body!r}")
        status, body = ask(f"http://localhost:{port}/")
        listed = [service["service"] for service in json.loads(body)["services"]]
        expect(status == 200 and listed == ["web", "members"], f"the list gave {status} {body!r}")
        status, body = ask("-H", "Accept: text/html", f"http://127.0.0.1:{port}/")
        expect(status == 200 and f"http://web.localhost:{port}/" in body, f"the page gave {status} {body!r}")
        mesh.devmesh("down")


@check
def gateway_byTLS_withCurlAndOpenSSL():
    with Mesh("secured", {"web": {"run": "exec python3 server.py", "hosts": ["news.test"]}}) as mesh:
        mesh.file("server.py", SERVER)
        mesh.up()
        port = gateway(mesh)
        authority = json.loads(mesh.devmesh("trust", "--json").stdout)["certificate"]
        for url in [f"https://web.localhost:{port}/a", f"https://web.secured.localhost:{port}/a"]:
            status, body = ask("--cacert", authority, url)
            expect((status, body) == (200, "web /a "), f"{url} gave {status} {body!r}")
        status, body = ask("--cacert", authority, "--resolve", f"news.test:{port}:127.0.0.1", f"https://news.test:{port}/")
        expect((status, body) == (200, "web / "), f"news.test gave {status} {body!r}")
        for url in [f"https://localhost:{port}/", f"https://127.0.0.1:{port}/", f"https://[::1]:{port}/"]:
            status, body = ask("--cacert", authority, url)
            expect(status == 200 and '"web"' in body, f"{url} gave {status} {body!r}")
        done = run("curl", "-sS", f"https://web.localhost:{port}/")
        expect(done.returncode == 60, f"curl believed a stranger: {done.returncode} {done.stderr}")
        # A verifier that takes RFC 5280 at its word.
        shown = run(
            need("openssl"), "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "web.localhost", "-CAfile",
            authority, "-verify_hostname", "web.localhost", "-x509_strict", "-verify_return_error", stdin="").stdout
        expect("Verification: OK" in shown, f"openssl: {shown[-800:]}")
        mesh.devmesh("down")
