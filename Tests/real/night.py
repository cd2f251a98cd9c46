"""What runs in the guest of `asleep.py`: a mesh, what is under way in it, and what of that holds when the clocks leap.

Each of what follows is a generator: it begins something, yields while the machine sleeps or its clock is set, and looks
afterwards whether anybody has noticed. The one that began last is looked at first.
"""

import contextlib
import fcntl
import functools
import http.client
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
import urllib.request

from harness import DEVMESH, SERVERS, Failed, Mesh, curl, eventually, expect, free_port, processes, server, tally

HOUR = 3600
ANSWERED = 10  # seconds; a request that has to wait for a clock takes far longer


class FarServer:
    """A remote whose connections don't outlive a night, and nobody is told: routers forget, networks change."""

    def __init__(self):
        self.port = free_port()
        self.nights = 0
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client = self.listener.accept()[0]
            threading.Thread(target=self.serve, args=[client, self.nights], daemon=True).start()

    def serve(self, client, night):
        with contextlib.suppress(OSError):
            while client.recv(65536):
                if night == self.nights:
                    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfar\n")


far = FarServer()
mesh = Mesh("night", {
    "web": server(
        "web", ready={"http": "/healthz", "interval": "200ms"},
        live={"http": "/healthz", "interval": "500ms", "failures": 2}),
    "edited": server("web", build="cp source built", watch={"paths": ["source"], "debounce": "1s"}),
    "held": {"run": f"until test -e open; do sleep 0.1; done; exec python3 {SERVERS}/web.py", "uses": [],
             "ready": {"timeout": "120s"}},
    "flaky": {"run": "test -e good || exit 3; exec sleep 99999", "listens": False},
    "chatty": {"run": "i=0; while :; do i=$((i + 1)); echo tick $i; sleep 0.2; done", "listens": False},
    "far": {"remote": f"http://127.0.0.1:{far.port}"},
})
for name in ("open", "good", "source"):
    mesh.file(name, "first")


def dial(service):
    return socket.create_connection(("127.0.0.1", mesh.port(service)), timeout=ANSWERED)


def idleConnectionOfAClient(_):
    client = http.client.HTTPConnection("127.0.0.1", mesh.port("web"), timeout=ANSWERED)
    client.connect()
    client.auto_open = 0  # the same one, or none
    for path in ("/before", "/after"):
        client.request("GET", path)
        expect(client.getresponse().read() == path.encode(), f"{path} was answered with something else")
        if path == "/before":
            yield
    client.close()


def requestInFlight(_):
    with dial("web") as client:
        client.sendall(b"PUT /half HTTP/1.1\r\nHost: web\r\nContent-Length: 10\r\n\r\n12345")
        yield
        client.sendall(b"67890")
        answer = client.recv(65536)
        expect(answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\n10"), f"it was answered {answer!r}")


def openStream(how):
    with dial("web") as client, client.makefile("rb") as lines:
        client.sendall(b"GET /events HTTP/1.1\r\nHost: web\r\n\r\n")
        while lines.readline() != b"data: ready\n":
            pass
        yield
        curl(mesh.url("web", "/publish"), "-d", how, limit=ANSWERED)
        expect(lines.readline() == b"\n" and lines.readline() == f"data: {how}\n".encode(), "the event did not come")


def heldRequest(_):
    (mesh.folder / "open").unlink(missing_ok=True)
    mesh.devmesh("restart", "--no-wait", "held")
    eventually(lambda: mesh.ps()["held"]["state"] == "starting", "a service that is not ready yet")
    with dial("held") as client:
        client.sendall(b"GET /held HTTP/1.1\r\nHost: held\r\n\r\n")
        yield
        expect(mesh.ps()["held"]["state"] == "starting", f"it has become {mesh.ps()['held']}")
        mesh.file("open", "")
        answer = client.recv(65536)
        expect(answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"/held"), f"it was answered {answer!r}")


def startInBackoff(_):
    (mesh.folder / "good").unlink(missing_ok=True)
    mesh.devmesh("restart", "--no-wait", "flaky")
    before = eventually(lambda: flaky()["restarts"] >= 2 and flaky(), "two attempts that failed")
    yield
    after = flaky()
    expect(after["restarts"] - before["restarts"] <= 1, f"it was started again and again: {before} became {after}")
    mesh.file("good", "")
    eventually(lambda: mesh.ps()["flaky"]["state"] == "ready", lambda: f"a start that succeeds: {mesh.ps()['flaky']}")


def flaky():
    return mesh.ps()["flaky"]["instances"][0]


def ticks(lines):
    """Time and number of what `chatty` has said."""
    found = [json.loads(line) for line in lines]
    return [(line["time"], int(line["line"].split()[1])) for line in found if line["stream"] == "stdout"]


def followedLogs(how):
    with subprocess.Popen(
            [DEVMESH, "logs", "chatty", "-f", "-n", "1", "--json"], cwd=mesh.folder, env=mesh.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as follower:
        try:
            lines = [follower.stdout.readline()]
            yield
            last = newest() + 5
            while not any(number >= last for _, number in ticks(lines)):
                lines.append(follower.stdout.readline())
        finally:
            follower.kill()
    seen = ticks(lines)
    expect(
        [number for _, number in seen] == list(range(seen[0][1], seen[0][1] + len(seen))), f"lines are missing: {seen}")
    if how == "setBack":
        return
    times = [time for time, _ in seen]
    expect(times == sorted(times), f"times go backwards: {times}")
    gaps = [hours(after) - hours(before) for before, after in zip(times, times[1:])]
    expect(7.9 < max(gaps) < 8.1 and sorted(gaps)[-2] < 0.1, f"one night is to be seen in {times}")


def newest():
    return ticks(mesh.devmesh("logs", "chatty", "-n", "1", "--json").stdout.splitlines())[0][1]


def hours(text):
    """Of an RFC 3339 time."""
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) / HOUR


def latestLogs(how):
    before = newest()
    yield
    last = newest()
    lines = mesh.devmesh("logs", "chatty", "--since", "1m", "--json").stdout.splitlines()
    seen = [number for _, number in ticks(lines)]
    expect(last in seen, f"line {last} is not among the last minute's: {seen}")
    # By the clock that was set back, the lines before are of the future.
    expect(how == "setBack" or before <= seen[0], f"of the evening's lines up to {before} came {seen}")


def remoteWithConnectionsInAPool(how):
    curl(mesh.url("far"))
    yield
    if how != "setBack":
        far.nights += 1
    curl(mesh.url("far"), limit=ANSWERED)


def editSavedJustBefore(how):
    mesh.file("source", how)
    yield
    eventually(lambda: served() == how, lambda: f"{how!r} instead of {served()!r}")


def editAndRestartAfterwards(how):
    yield
    mesh.file("source", f"{how} again")
    eventually(lambda: served() == f"{how} again", lambda: f"'{how} again' instead of {served()!r}")
    mesh.devmesh("restart", "edited")


def served():
    """What the running program was built from."""
    with urllib.request.urlopen(mesh.url("edited"), timeout=ANSWERED) as answer:
        return answer.headers["X-Version"]


def processesOfAll(_):
    before = lasting()
    yield
    after = lasting()
    expect(after == before, f"{before} became {after}")


def lasting():
    """What is to stay as it is: devmesh's own processes, and services that nobody touches."""
    status = mesh.ps()
    found = [mesh.process.pid, mesh.supervisor()]
    for name in ("web", "chatty", "far"):
        found.append(status[name]["state"])
        found += [[one[key] for key in ("pid", "started", "restarts")] for one in status[name]["instances"]]
    return found


THINGS = [
    editAndRestartAfterwards, heldRequest, idleConnectionOfAClient, requestInFlight, openStream, followedLogs,
    latestLogs, remoteWithConnectionsInAPool, editSavedJustBefore, startInBackoff, processesOfAll]


def sleep():
    def clocks():
        return [time.clock_gettime(clock) for clock in (time.CLOCK_MONOTONIC, time.CLOCK_BOOTTIME, time.CLOCK_REALTIME)]
    before = clocks()
    pathlib.Path("/sys/power/state").write_text("mem")
    awake, passed, leapt = (after - before for after, before in zip(clocks(), before))
    expect(
        awake < 30 and abs(passed - 8 * HOUR) < 60 and abs(leapt - 8 * HOUR) < 60,
        f"while it was awake for {awake:.1f} s, {passed:.1f} s passed and the wall clock went on by {leapt:.1f} s")


def set_back():
    time.clock_settime(time.CLOCK_REALTIME, time.time() - HOUR)


def register(name, body):
    body.__name__ = name
    tally.check(body)


def register_all(how, change):
    begun = {}

    def begin():
        for thing in THINGS:
            under_way = thing(how)
            next(under_way)
            begun[thing] = under_way
        change()

    def finish(thing):
        expect(thing in begun, "it could not be begun")
        for _ in begun[thing]:
            raise Failed("it has not ended")

    register(how, begin)
    for thing in reversed(THINGS):
        register(f"{thing.__name__}_{how}", functools.partial(finish, thing))


def downWhileItsTerminalTakesNothing():
    with Mesh("stuck", {"loud": {"run": "yes | head -c 500000; exec sleep 99999", "listens": False}}) as stuck:
        stuck.output = stuck.folder / "up.txt"
        stuck.output.touch()
        stuck.process = subprocess.Popen(
            [DEVMESH, "up"], cwd=stuck.folder, env=stuck.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        stuck.when_up("wait", "loud", "--for", "ready")
        # How much it takes depends on the pieces; it is far less than all.
        eventually(lambda: waiting(stuck.process.stdout) >= 32768, "a pipe that nobody reads")
        pid = stuck.pids()["loud"][0]
        with subprocess.Popen([DEVMESH, "down"], cwd=stuck.folder, env=stuck.environment) as down:
            eventually(lambda: not os.path.exists(f"/proc/{pid}"), "the end of the service")
            # Nothing tells that it waits for the terminal by now, for some seconds.
            time.sleep(1)
            set_back()
            stuck.end()
            expect(down.wait() == 0, "`down` ends with 0")


def waiting(pipe):
    """How many bytes nobody has read."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


def killed():
    os.kill(mesh.supervisor(), signal.SIGKILL)
    mesh.end()
    eventually(lambda: not processes(mesh), lambda: f"nothing left; there is {processes(mesh)}", limit=5)


def down():
    mesh.up()
    mesh.devmesh("down")
    expect(mesh.end() == 0, "`up` ends with 0")
    expect(not processes(mesh), f"there is {processes(mesh)}")


register("up", lambda: mesh.up() and None)  # what a check returns is shown
register_all("firstNight", sleep)
register_all("secondNight", sleep)
register_all("setBack", set_back)
register("downWhileItsTerminalTakesNothing_setBack", downWhileItsTerminalTakesNothing)
register("killed", killed)
register("down", down)
sys.exit(tally.run([]))
