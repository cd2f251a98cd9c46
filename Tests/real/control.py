"""The control socket, driven by curl alone."""

import json

from harness import Mesh, check, expect, run

SERVER = {"run": "exec python3 -m http.server $PORT --bind 127.0.0.1", "uses": []}


def call(mesh, path, *arguments):
    """Status, headers by lower-case name, and body of an answer."""
    done = run(
        "curl", "-sS", "-i", "--max-time", "40", "--unix-socket", mesh.socket(), *arguments, f"http://devmesh{path}")
    expect(done.returncode == 0, f"curl {path}: {done.stderr.strip()}")
    head, _, body = done.stdout.partition("\n\n")
    lines = head.splitlines()
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), headers, body


def post(mesh, path, body):
    return call(mesh, path, "-X", "POST", "-H", "Content-Type: application/json", "-d", json.dumps(body))


@check
def controlSocket_answersCurl_asPsDoes():
    with Mesh("control", {"web": SERVER}, name="control") as mesh:
        mesh.up()
        status, _, body = call(mesh, "/v1/mesh")
        info = json.loads(body)
        expect(status == 200 and info["name"] == "control", f"GET /v1/mesh: {status} {body}")
        expect(info["pid"] == mesh.supervisor(), f"the mesh's pid is {info['pid']}, not {mesh.supervisor()}")
        status, _, body = call(mesh, "/v1/services")
        one = json.loads(body)[0]
        ps = mesh.ps()["web"]
        for key in ("service", "state", "target", "address", "url", "reason"):
            expect(one[key] == ps[key], f"{key} is {one[key]!r} by curl and {ps[key]!r} by ps")
        expect(one["instances"][0]["pid"] == ps["instances"][0]["pid"], "curl and ps differ in the pid")


@check
def controlSocket_restartsByPost_andTellsEvents():
    with Mesh("post", {"web": SERVER, "other": SERVER}) as mesh:
        mesh.up()
        before = mesh.pids()
        status, _, body = post(mesh, "/v1/services/restart", {"services": ["web"], "wait": True})
        result = json.loads(body)["results"][0]
        expect(status == 200 and result["ok"] is True, f"POST restart: {status} {body}")
        after = mesh.pids()
        expect(after["web"] != before["web"] and after["other"] == before["other"], f"{before} became {after}")
        _, _, body = call(mesh, "/v1/events")
        events = [json.loads(line) for line in body.splitlines() if line]
        expect(any(event["service"] == "web" for event in events), f"no event of web among {len(events)}")


@check
def controlSocket_echoesRequestIds_andSaysWhatIsWrong():
    with Mesh("wrong", {"web": SERVER}) as mesh:
        mesh.up()
        _, headers, _ = call(mesh, "/v1/services", "-H", "X-Request-Id: mine-1")
        expect(headers.get("x-request-id") == "mine-1", f"the request's id came back as {headers.get('x-request-id')}")
        _, headers, _ = call(mesh, "/v1/services")
        expect(headers.get("x-request-id"), "without an id of its own a request is given one")
        status, _, body = post(mesh, "/v1/services/restart", {"services": ["wbe"]})
        message = json.loads(body)["error"]["message"]
        expect(status == 404 and "web" in message, f"an unknown service: {status} {message!r}, with no suggestion")
        status, _, body = call(mesh, "/v1/services/restart", "-X", "POST", "-d", "{", "-H", "Content-Type: text/plain")
        expect(400 <= status < 500 and json.loads(body)["error"]["message"], f"a torn body: {status} {body}")


@check
def controlSocket_isForItsUserOnly():
    with Mesh("mine", {"web": SERVER}) as mesh:
        mesh.up()
        folder = mesh.socket().parent
        for place in (folder, folder.parent):
            expect(place.stat().st_mode & 0o077 == 0, f"{place} is open to others: {oct(place.stat().st_mode)}")


@check
def controlSocket_takesTheMeshDown():
    with Mesh("down", {"web": SERVER}) as mesh:
        mesh.up()
        status, _, body = post(mesh, "/v1/down", {})
        expect(status == 200 and json.loads(body)["stopped"] >= 1, f"POST down: {status} {body}")
        expect(mesh.end() == 0, "`up` ends with 0 after a down")
