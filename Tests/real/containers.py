"""Services in containers, by docker itself: the daemon that answers, or one of our own for as long as a check runs."""

import contextlib
import io
import os
import pathlib
import subprocess
import tarfile
import tempfile

from harness import ENVIRONMENT, IS_ROOT, Mesh, check, curl, eventually, expect, need, run

IMAGE = "devmesh-real-busybox"
APPLETS = ["sh", "httpd", "wget", "sleep", "cat", "env", "test"]


@contextlib.contextmanager
def docker():
    """Has `docker` talk to a daemon that has the image, and gives the variables that say where it is."""
    need("docker")
    with tempfile.TemporaryDirectory(prefix="dm-docker-", dir="/tmp") as folder:
        daemon, where = None, dict(ENVIRONMENT)
        if run("docker", "version", environment=where).returncode != 0:
            need("dockerd")
            expect(IS_ROOT, "can't run: no docker daemon answers, and only root can start one")
            where["DOCKER_HOST"] = f"unix://{folder}/docker.sock"
            with open(f"{folder}/log", "wb") as log:
                daemon = subprocess.Popen(
                    ["dockerd", "--host", where["DOCKER_HOST"], "--data-root", f"{folder}/data", "--exec-root",
                     f"{folder}/exec", "--pidfile", f"{folder}/pid", "--iptables=false", "--ip6tables=false"],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=where)
        try:
            eventually(
                lambda: run("docker", "version", environment=where).returncode == 0,
                lambda: f"a docker daemon: {pathlib.Path(folder, 'log').read_text()[-600:] if daemon else ''}")
            make_image(where)
            yield where
        finally:
            run("docker", "rmi", "-f", IMAGE, environment=where)
            if daemon:
                daemon.terminate()
                daemon.wait(60)


def make_image(where):
    """Of nothing but busybox: no registry is needed."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(need("busybox"), "bin/busybox")
        for name in APPLETS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    done = subprocess.run(
        ["docker", "import", "--change", "ENV PATH=/bin", "-", IMAGE], input=archive.getvalue(), env=where,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    expect(done.returncode == 0, f"the image could not be made: {done.stdout.decode()}")


def containers(where):
    """Those that devmesh has started."""
    return run("docker", "ps", "-aq", "--filter", "label=devmesh.project", environment=where).stdout.split()


WEB = {
    "container": {
        "image": IMAGE, "port": 8080, "volumes": ["./www:/www"],
        # Not at once, so that the published port is open before anything listens behind it.
        "command": ["sh", "-c", "sleep 1; exec httpd -f -p 8080 -h /www"],
    },
    "uses": ["api"], "env": {"SECRET": "hush"}, "stop": {"timeout": "3s"},
}


API = {"run": "exec python3 -m http.server $PORT --bind 127.0.0.1", "uses": []}


def container_mesh(name, where, services):
    mesh = Mesh(name, services)
    mesh.environment.update({key: where[key] for key in ["DOCKER_HOST"] if key in where})
    mesh.file("www/index.html", "hello from inside\n")
    return mesh


@check
def container_servesAndCalls_andNothingIsLeft():
    with docker() as where, container_mesh("container", where, {"web": WEB, "api": API}) as mesh:
        mesh.up()
        expect(curl(mesh.url("web")) == "hello from inside\n", "the front leads into the container")
        name = containers(where)[0]
        inside = ["docker", "exec", name, "sh", "-c"]
        called = run(*inside, 'wget -q -O - "$SERVICE_API_URL"', environment=where)
        expect(called.returncode == 0, f"it can't call through its edge: {called.stderr}")
        front = run(*inside, f"wget -q -T 5 -O - http://host.docker.internal:{mesh.port('api')}/", environment=where)
        expect(front.returncode != 0, "it can call a front that is not among its edges")
        edge = run(*inside, "echo $SERVICE_API_PORT", environment=where).stdout.strip()
        other = run(
            "docker", "run", "--rm", "--add-host=host.docker.internal:host-gateway", IMAGE, "wget", "-q", "-T", "5",
            "-O", "-", f"http://host.docker.internal:{edge}/", environment=where)
        expect(other.returncode != 0, "another container can call through its edge")
        mesh.devmesh("restart", "web", limit=90)
        expect(curl(mesh.url("web")) == "hello from inside\n", "the front leads into the new container")
        expect(len(containers(where)) == 1 and name not in containers(where), "the old container is gone")
        mesh.devmesh("down")
        expect(containers(where) == [], "`down` takes the container away")


@check
def container_ofAKilledSupervisor_isTakenAway():
    with docker() as where, container_mesh("leftover", where, {"web": WEB, "api": API}) as mesh:
        mesh.up()
        old = containers(where)
        mesh.process.kill()
        mesh.process.wait()
        mesh.up()
        expect(len(containers(where)) == 1, "one container is there")
        expect(containers(where) != old, "it is another")
        mesh.devmesh("down")
        expect(containers(where) == [], "`down` takes the container away")
