"""Remotes behind TLS, served by openssl s_server, called with curl."""

import contextlib
import pwd
import shutil
import subprocess

from harness import HOME, IS_ROOT, Mesh, check, eventually, expect, free_port, need, run


def certificates(folder):
    """An authority with a server's and a client's certificate."""
    folder.mkdir()
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

    def openssl(*arguments):
        done = run(need("openssl"), *arguments, directory=folder)
        expect(done.returncode == 0, f"openssl {arguments[0]}: {done.stderr.strip()}")

    openssl("req", "-x509", *curve, "-days", "2", "-subj", "/CN=Check", "-keyout", "ca.key", "-out", "ca.pem")
    for name, days in [("members.example", 2), ("me", 2), ("old.example", -1)]:
        (folder / "ext").write_text(f"subjectAltName=DNS:{name}\n")
        openssl("req", *curve, "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", "csr")
        openssl(
            "x509", "-req", "-in", "csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
            "-extfile", "ext", "-out", f"{name}.pem")


@contextlib.contextmanager
def server(folder, name, *options):
    """`openssl s_server -www`, which answers each request with what it knows of the connection."""
    port = free_port()
    process = subprocess.Popen(
        [need("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-www", "-cert", f"{name}.pem", "-key",
         f"{name}.key", *options],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        eventually(
            lambda: str(port) in run("ss", "-Hltn", f"sport = :{port}").stdout, f"s_server listening on {port}")
        yield port
    finally:
        process.kill()
        process.wait()


NGINX = '''
daemon off; pid nginx.pid; events {}
http {
  access_log off;
  client_body_temp_path tmp/body; proxy_temp_path tmp/proxy; fastcgi_temp_path tmp/fastcgi;
  uwsgi_temp_path tmp/uwsgi; scgi_temp_path tmp/scgi;
  server {
    listen 127.0.0.1:%d ssl http2; root .;
    ssl_certificate members.example.pem; ssl_certificate_key members.example.key;
    location / { return 200 "over $ssl_alpn_protocol, $server_protocol\\n"; }
  }
}
'''


def ask(mesh, *arguments, service="web", command=()):
    """Status and body of a GET by curl; s_server's answers have no length."""
    done = run(*command, need("curl"), "-sS", "--max-time", "20", "-w", "\n%{http_code}", *arguments, mesh.url(service))
    body, _, status = done.stdout.rpartition("\n")
    return status, body


@check
def https_withOwnAuthorityAndCertificate_isServedAndResumed():
    folder = HOME / "tls-files"
    certificates(folder)
    with server(folder, "members.example", "-Verify", "1", "-verify_return_error", "-CAfile", "ca.pem") as port, \
            server(folder, "old.example") as old, Mesh("tls", {}) as mesh:
        files = {"ca": "../tls-files/ca.pem", "cert": "../tls-files/me.pem", "key": "../tls-files/me.key"}
        url = f"https://127.0.0.1:{port}"
        mesh.write({
            "web": {
                "remote": {"url": url, "tls": {**files, "serverName": "members.example"}},
                "origins": ["https://app.example"]},
            "bare": {"remote": {"url": url, "tls": {"ca": files["ca"], "serverName": "members.example"}}},
            "other": {"remote": {"url": url, "tls": files}},
            "strange": {"remote": {"url": url, "tls": {"serverName": "members.example"}}},
            "old": {"remote": {
                "url": f"https://127.0.0.1:{old}", "tls": {"ca": files["ca"], "serverName": "old.example"}}},
        })
        mesh.up()
        status, body = ask(mesh)
        expect(status == "200" and "New, TLSv1.3" in body, f"{status}: {body[:300]}")
        expect("CN = me" in body or "CN=me" in body, f"s_server has seen no client certificate: {body[-600:]}")
        status, body = ask(mesh)
        expect(status == "200" and "Reused, TLSv1.3" in body, f"the session was not resumed: {body[:300]}")
        for service, why in [
            ("bare", "wants a client certificate"), ("other", "is for DNS:members.example, not for 127.0.0.1"),
            ("strange", "that this machine does not trust"), ("old", "expired on"),
        ]:
            status, body = ask(mesh, service=service)
            expect(status == "502" and why in body, f"{service}: {status}: {body[:300]}")
            told = mesh.devmesh("why", service).stdout
            expect(why in told, f"`why {service}` says {told!r}")
        # The client certificate is lent to this user and to no web page.
        for arguments in [
            ["-H", "Sec-Fetch-Site: cross-site"], ["-H", "Origin: https://evil.example"], ["-H", "Host: evil.example"],
        ]:
            status, body = ask(mesh, *arguments)
            expect(status == "403", f"{arguments[1]}: {status}: {body[:300]}")
        status, body = ask(mesh, "-H", "Origin: https://app.example")
        expect(status == "200", f"a declared origin: {status}: {body[:300]}")
        if IS_ROOT:
            user = pwd.getpwnam("nobody")
            become = [shutil.which("setpriv"), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
            status, body = ask(mesh, command=become)
            expect(status == "403" and f"user {user.pw_uid}" in body, f"another user: {status}: {body[:300]}")


@check
def http2_toAnHTTPSRemote_passesByALPN():
    folder = HOME / "tls-nginx"
    certificates(folder)
    (folder / "tmp").mkdir()
    port = free_port()
    (folder / "nginx.conf").write_text(NGINX % port)
    remote = {"url": f"https://localhost:{port}", "tls": {"ca": "../tls-nginx/ca.pem", "serverName": "members.example"}}
    with Mesh("tls-h2", {
            "nginx": {
                "directory": str(folder), "listens": port, "uses": [],
                "run": [need("nginx"), "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]},
            "web": {"remote": remote}, "headed": {"remote": {**remote, "headers": {"x-key": "k"}}}}) as mesh:
        mesh.up()
        status, body = ask(mesh, "--http2-prior-knowledge")
        expect((status, body) == ("200", "over h2, HTTP/2.0\n"), f"{status}: {body}")
        status, body = ask(mesh)
        expect((status, body) == ("200", "over http/1.1, HTTP/1.1\n"), f"{status}: {body}")
        status, body = ask(mesh, service="headed")
        expect(status == "200", f"HTTP/1.1 with a header added: {status}: {body}")
        status, body = ask(mesh, "--http2-prior-knowledge", service="headed")
        expect(status == "000", f"HTTP/2 that would need a header added: {status}: {body}")
