"""How a mesh ends, and what is left then: nothing."""

import os
import pathlib
import pty
import select
import signal
import socket
import subprocess
import time

from harness import DEVMESH, Failed, Mesh, check, curl, eventually, expect, free_port, need, processes, run

SERVER = {"run": "python3 -m http.server $PORT --bind 127.0.0.1", "uses": []}

# Its leader serves; beside it lives one in a session of its own that ignores what is asked of it.
CLINGING = {
    "run": "setsid sh -c 'trap \"\" TERM INT HUP; while :; do sleep 1; done' & "
           "exec python3 -m http.server $PORT --bind 127.0.0.1",
    "stop": {"timeout": "1s"}, "uses": []}

DEAF = {
    "run": "trap '' TERM INT; while :; do sleep 1; done", "listens": False, "stop": {"timeout": "60s"}, "uses": []}


def expect_nothing_left(mesh):
    eventually(lambda: not processes(mesh), lambda: f"nothing left; there is {processes(mesh)}", limit=2)


@check
def interrupt_endsGracefully_withNothingLeft():
    with Mesh("interrupt", {"web": SERVER, "clinging": CLINGING}) as mesh:
        mesh.up()
        mesh.process.send_signal(signal.SIGINT)
        expect(mesh.end() == 0, "a clean ^C is exit code 0")
        expect_nothing_left(mesh)


@check
def interruptFromTheTerminal_endsGracefully_afterColouredLogs():
    with Mesh("terminal", {"web": {"run": "echo started; exec python3 -m http.server $PORT", "uses": []}}) as mesh:
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(mesh.folder)
            os.execve(DEVMESH, [DEVMESH, "up"], {**mesh.environment, "TERM": "xterm-256color"})
        try:
            seen = b""
            while b"started" not in seen:
                expect(select.select([terminal], [], [], 20)[0], f"nothing of its log on the terminal: {seen!r}")
                seen += os.read(terminal, 4096)
            expect(b"\x1b[" in seen, f"no colour on a terminal: {seen!r}")
            os.write(terminal, b"\x03")
            while True:
                expect(select.select([terminal], [], [], 20)[0], "`up` goes on after ^C")
                try:
                    if not os.read(terminal, 4096):
                        break
                except OSError:  # how Linux says that nobody has the terminal open any more
                    break
            _, status = os.waitpid(pid, 0)
            pid = 0
            expect(os.waitstatus_to_exitcode(status) == 0, f"^C ended it with {os.waitstatus_to_exitcode(status)}")
            expect_nothing_left(mesh)
        finally:
            if pid:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            os.close(terminal)


@check
def secondInterrupt_killsAtOnce():
    with Mesh("twice", {"deaf": DEAF}) as mesh:
        mesh.up()
        mesh.process.send_signal(signal.SIGINT)
        eventually(lambda: mesh.ps()["deaf"]["state"] == "stopping", "the service on its way down")
        began = time.monotonic()
        mesh.process.send_signal(signal.SIGINT)
        mesh.end(5)
        expect(time.monotonic() - began < 3, "the second ^C waits for nothing")
        expect_nothing_left(mesh)


@check
def terminateAndHangup_areAGracefulDown():
    for number in (signal.SIGTERM, signal.SIGHUP):
        with Mesh(number.name.lower(), {"web": SERVER, "clinging": CLINGING}) as mesh:
            mesh.up()
            mesh.process.send_signal(number)
            code = mesh.end()
            expect(code == 0, f"after {number.name} `up` ends with 0, not {code}")
            expect_nothing_left(mesh)


@check
def down_returnsWhenEverythingIsGone_grandchildrenIncluded():
    with Mesh("down", {"web": SERVER, "clinging": CLINGING, "deaf": {**DEAF, "stop": {"timeout": "500ms"}}}) as mesh:
        mesh.up()
        mesh.devmesh("down")
        left = {pid: line for pid, line in processes(mesh).items() if pid != mesh.process.pid}
        expect(not left, f"when `down` returned there was {left}")
        expect(mesh.end() == 0, "`up` ends with 0 when another command takes the mesh down")
        mesh.devmesh("down")
        mesh.devmesh("ps", code=3)


@check
def daemonsOfRedisAndNginx_areTheirServicesOwn():
    # Both write their titles over their environment, so nothing in it tells whose they are.
    nginx = "daemon on; pid nginx.pid; error_log stderr; events {} http { access_log off; server { listen 127.0.0.1:%s; } }"
    services = {
        "cache": {"run": f"{need('redis-server')} --port $PORT --daemonize yes --save '' && exec sleep 9999",
                  "live": {"command": "true", "interval": "100ms"}, "uses": []},
        "pages": {"run": f"echo '{nginx % '$PORT'}' | sed \"s/[$]PORT/$PORT/\" >nginx.conf; "
                         f"{need('nginx')} -p . -c nginx.conf -e stderr; exec sleep 9999", "uses": []},
        "other": {"run": "exec sleep 9999", "listens": False}}
    with Mesh("daemons", services) as mesh:
        mesh.up()

        def daemons():
            found = {}
            for process in pathlib.Path("/proc").glob("[0-9]*"):
                try:
                    if os.readlink(process / "cwd") == str(mesh.folder):
                        name = (process / "comm").read_text().strip()
                        found.setdefault(name, set()).add(int(process.name))
                except OSError:
                    pass  # it has ended meanwhile
            return {name: found.get(name, set()) for name in ("redis-server", "nginx")}

        def asked():
            return run("redis-cli", "-h", "127.0.0.1", "-p", mesh.port("cache"), "ping").stdout.strip()

        kept = daemons()
        expect(len(kept["redis-server"]) == 1 and len(kept["nginx"]) >= 2, f"daemons: {kept}")
        for _ in range(3):
            mesh.devmesh("restart", "other")
        expect(asked() == "PONG", "redis answers")
        expect(daemons() == kept, f"nothing else moves: {kept} became {daemons()}")
        mesh.devmesh("stop", "cache")
        expect(daemons() == {**kept, "redis-server": set()}, f"when `stop` returned there was {daemons()}")
        mesh.devmesh("stop", "pages")
        expect(not daemons()["nginx"], f"when `stop` returned there was {daemons()}")


@check
def stop_takesTheWholeTree_andTheFrontSaysSo():
    with Mesh("stop", {"clinging": CLINGING, "web": SERVER}) as mesh:
        mesh.up()
        kept = mesh.pids()["web"]
        url = mesh.url("clinging")
        mesh.devmesh("stop", "clinging")
        left = [line for line in processes(mesh).values() if "trap" in line]
        expect(not left, f"when `stop` returned there was {left}")
        answer = run("curl", "-sS", "-i", "--max-time", "10", url).stdout
        expect(" 503 " in answer.splitlines()[0], f"a stopped service's front answers 503, not {answer[:200]}")
        expect("retry-after" in answer.lower() and "stopped" in answer, f"with the reason: {answer[:400]}")
        mesh.devmesh("start", "clinging")
        curl(url)
        expect(mesh.pids()["web"] == kept, "the other service is not touched")


@check
def supervisorKilled_leavesASocket_thatTheNextUpCleans():
    with Mesh("killed", {"web": SERVER}) as mesh:
        mesh.up()
        mesh.process.kill()
        mesh.process.wait()
        eventually(lambda: run(DEVMESH, "ps", directory=mesh.folder).returncode == 3, "ps says that no mesh is up")
        for pid in processes(mesh):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        mesh.up()
        curl(mesh.url("web"))


@check
def twoProjects_upAtOnce_keepApart():
    with Mesh("one", {"web": SERVER}, name="same") as one, Mesh("two", {"web": SERVER}, name="same") as two:
        one.file("who", "one")
        two.file("who", "two")
        one.up()
        two.up()
        expect(one.port("web") != two.port("web"), "both have the same port")
        expect(curl(one.url("web", "/who")) == "one" and curl(two.url("web", "/who")) == "two", "answers are mixed up")
        listed = run(DEVMESH, "ls").stdout
        expect(str(one.folder) in listed and str(two.folder) in listed, f"ls doesn't list both: {listed}")
        kept = two.pids()
        one.devmesh("down")
        expect(two.pids() == kept and curl(two.url("web", "/who")) == "two", "one's end was felt in two")


@check
def ports_stayWithTheirNames_acrossReorderingAndRestarts():
    with Mesh("ports", {"a": SERVER, "b": SERVER}) as mesh:
        mesh.up()
        before = {name: mesh.port(name) for name in ("a", "b")}
        mesh.devmesh("down")
        mesh.end()
        mesh.write({"c": SERVER, "b": SERVER, "a": SERVER})
        mesh.up()
        after = {name: mesh.port(name) for name in ("a", "b")}
        expect(after == before, f"{before} became {after}")


@check
def foreignPort_isRefusedBeforeAnythingStarts_namingItsHolder():
    port = free_port()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", port))
        holder.listen()
        services = {"first": {**SERVER, "run": "touch started; exec sleep 1000"}, "web": {**SERVER, "port": port}}
        with Mesh("foreign", services) as mesh:
            done = mesh.devmesh("up", code=1)
            expect(str(port) in done.stderr and str(os.getpid()) in done.stderr, f"it says only: {done.stderr}")
            expect(not (mesh.folder / "started").exists(), "a service was started nevertheless")


@check
def upAgain_startsWhatIsNew_restartsWhatChanged_andFollows():
    with Mesh("again", {"a": SERVER, "b": SERVER}) as mesh:
        mesh.up()
        before = mesh.pids()
        mesh.write({"a": SERVER, "b": {**SERVER, "env": {"NEW": "1"}}, "c": SERVER})
        second = subprocess.Popen(
            [DEVMESH, "up"], cwd=mesh.folder, env=mesh.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        try:
            eventually(lambda: mesh.ps().get("c", {}).get("state") == "ready", "the new service ready")
            mesh.devmesh("wait", "b", "--for", "ready", "--timeout", "30s")
            after = mesh.pids()
            expect(after["a"] == before["a"], "what has not changed was restarted")
            expect(after["b"] != before["b"], "what has changed was not restarted")
            expect(second.poll() is None, "the second `up` has not stayed to follow")
            second.send_signal(signal.SIGINT)
            said, _ = second.communicate(timeout=10)
            expect(second.returncode == 0, f"^C on a follower is exit code 0, not {second.returncode}: {said}")
            expect(mesh.pids() == after, "^C on a follower has stopped something")
        finally:
            second.kill()
            second.wait()


@check
def background_up_returnsWhenReady_orTellsWhatFailed():
    with Mesh("background", {"web": SERVER}) as mesh:
        mesh.devmesh("up", "--wait")
        try:
            expect(mesh.ps()["web"]["state"] == "ready", "`up --wait` returned before the service was ready")
            curl(mesh.url("web"))
        finally:
            mesh.devmesh("down")
        expect_nothing_left(mesh)
        mesh.write({"web": {**SERVER, "run": "echo broken >&2; exit 7", "restart": "never"}})
        done = mesh.devmesh("up", "--wait", code=1)
        mesh.devmesh("down", code=None)
        if "web" not in done.stderr + done.stdout:
            raise Failed(f"`up --wait` doesn't name what failed: {done.stderr}{done.stdout}")
