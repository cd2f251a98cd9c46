"""A mesh of real programs that know nothing of devmesh, each reached through its front with its own client."""

import json
import os
import pwd
import shutil
import urllib.request
from concurrent.futures import ThreadPoolExecutor

from harness import IS_ROOT, Failed, Load, Mesh, check, curl, expect, free_port, need, run

# As clients of redis do, it asks again when its connection was cut; it may be cut, but not refused.
APPLICATION = '''
import json, os, socket

def ping():
    host, _, port = os.environ["SERVICE_CACHE_ADDRESS"].rpartition(":")
    for _ in range(3):
        with socket.create_connection((host, int(port)), timeout=40) as cache:
            try:
                cache.sendall(b"PING\\r\\n")
                answer = cache.recv(100).decode().strip()
            except (ConnectionResetError, BrokenPipeError):
                continue
            if answer:
                return answer
    return "cut three times"

def application(environ, start_response):
    body = {"pid": os.getpid(), "path": environ["PATH_INFO"]}
    if environ["PATH_INFO"] == "/cache":
        body["cache"] = ping()
    data = json.dumps(body).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
    return [data]
'''

NGINX = '''
daemon off;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path tmp/body; proxy_temp_path tmp/proxy; fastcgi_temp_path tmp/fastcgi;
  uwsgi_temp_path tmp/uwsgi; scgi_temp_path tmp/scgi;
  server { listen 127.0.0.1:%d; root html; }
}
'''


def postgres_user():
    """PostgreSQL refuses to run as root: its own user then, by setpriv."""
    if not IS_ROOT:
        return "", None
    user = pwd.getpwnam("postgres")
    return f"{need('setpriv')} --reuid={user.pw_uid} --regid={user.pw_gid} --clear-groups ", user


def newsroom():
    """All of them in one mesh."""
    web = free_port()
    become, user = postgres_user()
    postgres, initdb = need("postgres"), need("initdb")
    gunicorn = need(os.environ["REAL_VENV"] + "/bin/gunicorn")
    services = {
        "cache": {
            "run": f"{need('redis-server')} --port $PORT --bind 127.0.0.1 --appendonly yes --dir redis",
            "ready": {"log": "Ready to accept connections"}, "uses": []},
        "db": {
            "build": f"test -s pg/data/PG_VERSION || {become}{initdb} -D pg/data -A trust -U postgres -N",
            "run": f"exec {become}{postgres} -D pg/data -p $PORT -h 127.0.0.1 -k '' -c fsync=off",
            "ready": {"command": f"{need('pg_isready')} -q -h 127.0.0.1 -p $PORT"},
            "stop": {"signal": "INT"}, "uses": []},
        "web": {
            "run": [need("nginx"), "-p", "${PWD_OF_MESH}/web", "-c", "nginx.conf", "-e", "stderr"],
            "listens": web, "stop": {"signal": "QUIT"}, "uses": []},
        "files": {"directory": "files", "run": "python3 -m http.server $PORT --bind 127.0.0.1", "uses": []},
        "app": {
            "run": f"{gunicorn} --bind 127.0.0.1:$PORT --workers 2 --chdir app app:application",
            "ready": {"http": "/"}, "uses": ["cache", "db"], "dependsOn": {"cache": "ready"}},
    }
    node = shutil.which("node")
    if node:
        script = "require('http').createServer((q, a) => a.end('node ' + process.pid)).listen(process.env.PORT)"
        services["node"] = {"run": [node, "-e", script], "uses": []}
    mesh = Mesh("real", services)
    text = mesh.manifest.read_text().replace("${PWD_OF_MESH}", str(mesh.folder))
    mesh.manifest.write_text(text)
    mesh.file("app/app.py", APPLICATION)
    mesh.file("web/nginx.conf", NGINX % web)
    mesh.file("web/html/index.html", "from nginx\n")
    mesh.file("files/hello.txt", "from http.server\n")
    for folder in ["web/tmp", "redis", "pg"]:
        (mesh.folder / folder).mkdir(parents=True, exist_ok=True)
    if user:
        os.chown(mesh.folder / "pg", user.pw_uid, user.pw_gid)
    return mesh


def clients(mesh):
    """For each service, its own client asking once; raises Failed unless the answer is right."""
    ports = {name: int(entry["address"].rpartition(":")[2]) for name, entry in mesh.ps().items()}

    def redis():
        done = run("redis-cli", "-h", "127.0.0.1", "-p", ports["cache"], "get", "key")
        expect(done.stdout.strip() == "value", f"redis-cli: {done.stdout.strip()} {done.stderr.strip()}")

    def psql():
        done = run(
            "psql", "-h", "127.0.0.1", "-p", ports["db"], "-U", "postgres", "-qAtXc", "select word from words")
        expect(done.stdout.strip() == "kept", f"psql: {done.stdout.strip()} {done.stderr.strip()}")

    def web():
        body = curl(f"http://127.0.0.1:{ports['web']}/")
        expect(body == "from nginx\n", f"nginx said {body!r}")

    def files():
        body = curl(f"http://localhost:{ports['files']}/hello.txt")
        expect(body == "from http.server\n", f"http.server said {body!r}")

    def app():
        body = json.loads(curl(f"http://127.0.0.1:{ports['app']}/cache"))
        expect(body["cache"] == "+PONG", f"the application said {body}")

    def node():
        body = curl(f"http://127.0.0.1:{ports['node']}/")
        expect(body.startswith("node "), f"node said {body!r}")

    every = {"cache": redis, "db": psql, "web": web, "files": files, "app": app, "node": node}
    return {name: every[name] for name in ports}


def fill(mesh):
    """Something to find again after a restart."""
    done = run("redis-cli", "-h", "127.0.0.1", "-p", mesh.port("cache"), "set", "key", "value")
    expect(done.stdout.strip() == "OK", f"redis-cli set: {done.stdout} {done.stderr}")
    done = run(
        "psql", "-h", "127.0.0.1", "-p", mesh.port("db"), "-U", "postgres", "-qXc",
        "create table words (word text); insert into words values ('kept')")
    expect(done.returncode == 0, f"psql: {done.stderr.strip()}")


# Raw TCP is not waited for when its server stops (contract §6): a call under way is cut then, but never refused.
CUT = ("server closed the connection unexpectedly", "terminating connection", "Connection reset", "SSL SYSCALL error",
       "Server closed the connection", "Broken pipe", "the database system is shutting down", "EOF")
HTTP = ("web", "files", "app", "node")


@check
def realPrograms_restartedOneByOne_areNeverRefused_andNothingElseMoves():
    with newsroom() as mesh:
        mesh.up()
        fill(mesh)
        ask = clients(mesh)
        for request in ask.values():
            request()
        for restarted in ask:
            before = mesh.pids()
            loads = {name: Load(name, request) for name, request in ask.items()}
            with ThreadPoolExecutor(len(loads)) as pool:
                for load in loads.values():
                    load.__enter__()
                try:
                    mesh.devmesh("restart", restarted)
                    list(pool.map(lambda load: load.more(), loads.values()))
                finally:
                    for load in loads.values():
                        load.__exit__()
            after = mesh.pids()
            for name, load in loads.items():
                if name == restarted and name not in HTTP:
                    load.failures = [why for why in load.failures if not any(cut in why for cut in CUT)]
                try:
                    load.expect_no_failure()
                except Failed as failure:
                    raise Failed(f"while {restarted} was restarted: {failure}")
                if name == restarted:
                    expect(after[name] != before[name], f"{name} still has pid {before[name]} after its restart")
                else:
                    expect(after[name] == before[name], f"{name} has another pid after the restart of {restarted}")


TLS_NGINX = '''
daemon off;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:%d ssl; ssl_protocols TLSv1.2 TLSv1.3;
    ssl_certificate cert.pem; ssl_certificate_key key.pem;
    location / { return 200 "$ssl_protocol $ssl_server_name $host $uri"; }
  }
}
'''


@check
def httpsRemote_isReachedThroughItsFront_onlyWithAKnownIssuer():
    secure = free_port()
    services = {
        "far": {"directory": "tls", "run": [need("nginx"), "-p", ".", "-c", "nginx.conf", "-e", "stderr"],
                "listens": secure, "uses": []},
        "members": {"remote": f"https://localhost:{secure}/v2"},
    }
    with Mesh("tls", services) as mesh:
        mesh.file("tls/nginx.conf", TLS_NGINX % secure)
        done = run(
            need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", "key.pem",
            "-out", "cert.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            directory=mesh.folder / "tls")
        expect(done.returncode == 0, f"openssl: {done.stderr[-300:]}")
        mesh.up()
        answer = run("curl", "-sS", "-i", "--max-time", "20", mesh.url("members", "/x")).stdout
        expect(" 502 " in answer.splitlines()[0], f"an unknown issuer's certificate: {answer[:300]}")
        expect("certificate" in answer, f"without the reason: {answer[-400:]}")
        state = mesh.ps()["members"]["state"]
        expect(state == "unreachable", f"after a failed use its state is {state}")
        mesh.devmesh("down")
        mesh.end()
        # The system's OpenSSL takes the issuers it trusts from there.
        mesh.environment["SSL_CERT_FILE"] = str(mesh.folder / "tls/cert.pem")
        mesh.up()
        body = curl(mesh.url("members", "/x"))
        expect(body == "TLSv1.3 localhost localhost /v2/x", f"nginx saw {body!r}")


@check
def pythonServer_scaledToThree_answersFromEach():
    script = (
        "import http.server, os\n"
        "class Answer(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        body = str(os.getpid()).encode()\n"
        "        self.send_response(200); self.send_header('Content-Length', str(len(body))); self.end_headers()\n"
        "        self.wfile.write(body)\n"
        "http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Answer).serve_forever()\n")
    with Mesh("scaled", {"app": {"run": ["python3", "app.py"]}}) as mesh:
        mesh.file("app.py", script)
        mesh.up()
        first = mesh.pids()["app"]
        url = mesh.url("app")
        with Load("app", lambda: curl(url)) as load:
            mesh.devmesh("scale", "app=3")
            load.more()
        load.expect_no_failure()
        pids = mesh.pids()["app"]
        expect(len(pids) == 3 and pids[0] == first[0], f"three with the first one kept, not {first} and then {pids}")
        said = {int(urllib.request.urlopen(url, timeout=40).read()) for _ in range(12)}
        expect(said == set(pids), f"answers from {said}, while the instances are {pids}")
        mesh.devmesh("scale", "app=1")
        expect(mesh.pids()["app"] == first, "the first instance is kept when the others go")


@check
def remote_flippedUnderLoad_losesNoRequest():
    services = {
        "far": {"directory": "far", "run": "python3 -m http.server $PORT --bind 127.0.0.1"},
        "files": {"directory": "near", "run": "python3 -m http.server $PORT --bind 127.0.0.1"},
    }
    with Mesh("far", {"files": services["far"]}) as far, Mesh("near", {"files": services["files"]}) as near:
        far.file("far/who", "far")
        near.file("near/who", "near")
        far.up()
        near.write({"files": {**services["files"], "remote": far.url("files", "")}})
        near.up()
        url = near.url("files", "/who")
        expect(curl(url) == "near", "a service with `run` starts out local")
        answers = []
        with Load("files", lambda: answers.append(curl(url))) as load:
            near.devmesh("use", "files", "remote")
            load.more(5)
            expect(answers[-1] == "far", f"after `use files remote` the answer comes from {answers[-1]}")
            expect(near.ps()["files"]["target"] == "remote", f"ps says {near.ps()['files']['target']}")
            near.devmesh("use", "files", "local")
            load.more(5)
            expect(answers[-1] == "near", f"after `use files local` the answer comes from {answers[-1]}")
        load.expect_no_failure()
