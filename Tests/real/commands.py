"""What the commands print, read by the tools that people use for it."""

import json
import os
import pty
import re
import select
import signal
import subprocess
import time

from harness import DEVMESH, Mesh, check, curl, eventually, expect, need, run

SERVER = {"run": "python3 -m http.server $PORT --bind 127.0.0.1", "uses": []}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@check
def ps_json_hasEveryKeyOfTheContract():
    with Mesh("ps", {"web": SERVER, "task": {"run": "true", "oneShot": True, "listens": False}}) as mesh:
        mesh.up(ready=["web"])
        mesh.devmesh("wait", "task", "--for", "completed", "--timeout", "30s")
        ps = mesh.ps()
        web = ps["web"]
        expect(
            {"service", "state", "target", "address", "url", "reason", "instances"} <= set(web),
            f"a service has only {sorted(web)}")
        one = web["instances"][0]
        expect({"id", "pid", "port", "state", "started", "restarts", "cpu", "rss"} <= set(one), f"only {sorted(one)}")
        expect(web["state"] == "ready" and web["reason"] is None and web["target"] == "local", f"{web}")
        expect(one["id"] == "web.1" and one["restarts"] == 0 and one["rss"] > 1_000_000, f"{one}")
        expect(TIME.fullmatch(one["started"]), f"started is {one['started']!r}")
        line = open(f"/proc/{one['pid']}/cmdline").read().replace("\0", " ")
        expect(line.startswith("python3 -m http.server"), f"the pid is that of {line!r}, not of the program")
        expect(10000 <= one["port"] <= 19999, f"the private port is {one['port']}")
        expect(ps["task"]["state"] == "completed", f"the task is {ps['task']['state']}")
        people = mesh.devmesh("ps").stdout
        expect("web" in people and "ready" in people and "\x1b" not in people, f"for people, in a pipe: {people!r}")


@check
def logs_keepLastWords_ofACrash_andAfterTheEnd():
    with Mesh("logs", {
            "web": SERVER,
            "crashing": {"run": "echo first; printf last; exit 3", "restart": "never", "listens": False}}) as mesh:
        mesh.up(ready=["web"])
        eventually(lambda: mesh.ps()["crashing"]["state"] == "failed", "the crash seen")
        curl(mesh.url("web"))
        eventually(lambda: "GET / HTTP" in mesh.devmesh("logs", "web", "--no-prefix").stdout, "http.server's line")
        mesh.devmesh("down")
        mesh.end()
        lines = [json.loads(line) for line in mesh.devmesh("logs", "crashing", "--json").stdout.splitlines()]
        said = [line for line in lines if line["stream"] == "stdout"]
        expect([line["line"] for line in said] == ["first", "last"], f"stored are {said}")
        for line in lines:
            expect({"seq", "time", "service", "instance", "stream", "line"} <= set(line), f"a line has {sorted(line)}")
            expect(TIME.fullmatch(line["time"]), f"a time is {line['time']!r}")
        web = [json.loads(line) for line in mesh.devmesh("logs", "web", "--json").stdout.splitlines()]
        expect(any(line["stream"] == "stderr" for line in web), "http.server logs to stderr; none of it is stored")
        printed = mesh.printed()
        expect("last" in printed and "GET / HTTP" in printed, f"`up` itself has printed {printed[-600:]}")


@check
def logs_followAcrossRestarts_andTakeAnEarlyEndOfTheirPipe():
    script = "i=0; while :; do i=$((i+1)); echo $$ line $i; sleep 0.05; done"
    with Mesh("follow", {"talker": {"run": script, "listens": False}}) as mesh:
        mesh.up()
        follower = subprocess.Popen(
            [DEVMESH, "logs", "-f", "--no-prefix", "talker"], cwd=mesh.folder, env=mesh.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            first = mesh.pids()["talker"][0]
            for line in follower.stdout:
                if line.startswith(f"{first} line"):
                    break
            mesh.devmesh("restart", "talker")
            second = mesh.pids()["talker"][0]
            for line in follower.stdout:
                if line.startswith(f"{second} line"):
                    break
            follower.send_signal(signal.SIGINT)
            follower.communicate(timeout=10)
            expect(follower.returncode == 0, f"^C on `logs -f` is exit code 0, not {follower.returncode}")
        finally:
            follower.kill()
            follower.wait()
        piped = run(
            "sh", "-c", f"{DEVMESH} logs | head -n 1", directory=mesh.folder,
            environment=mesh.environment)
        expect(piped.stdout.count("\n") == 1 and not piped.stderr, f"`logs | head`: {piped.stdout!r} {piped.stderr!r}")


@check
def failedBuild_leavesTheOldProcessServing():
    service = {**SERVER, "build": "if test -e broken; then echo 'it is broken' >&2; exit 1; fi"}
    with Mesh("build", {"web": service}) as mesh:
        mesh.up()
        before = mesh.pids()
        mesh.file("broken", "")
        done = mesh.devmesh("restart", "web", code=1)
        expect("it is broken" in done.stdout + done.stderr, f"the build's output is missing: {done.stderr}")
        expect(mesh.pids() == before, "the old process is gone")
        curl(mesh.url("web"))
        (mesh.folder / "broken").unlink()
        mesh.devmesh("restart", "web")
        expect(mesh.pids() != before, "a mended build starts a new process")


@check
def crash_isRestarted_withTheFrontHolding():
    script = "test -e crashed || { touch crashed; exit 1; }; exec python3 -m http.server $PORT --bind 127.0.0.1"
    with Mesh("crash", {"web": {"run": script, "uses": []}}) as mesh:
        mesh.up()
        curl(mesh.url("web"))
        restarts = mesh.ps()["web"]["instances"][0]["restarts"]
        expect(restarts == 1, f"one automatic restart, not {restarts}")


@check
def env_isWhatShellsEval_andExecAndRunUse():
    services = {"web": SERVER, "app": {**SERVER, "uses": ["web"], "env": {"ODD": "it's \"$HOME\" # and\nmore"}}}
    with Mesh("env", services) as mesh:
        mesh.up()
        address = mesh.ps()["web"]["address"]
        said = run(
            "sh", "-c", f'eval "$({DEVMESH} env app)"; printf "%s|%s|%s" "$ODD" "$SERVICE_NAME" "$PORT"',
            directory=mesh.folder, environment=mesh.environment).stdout
        odd, name, port = said.split("|")
        expect(odd == services["app"]["env"]["ODD"] and name == "app" and port.isdigit(), f"eval gave {said!r}")
        edge = mesh.devmesh("exec", "app", "--", "sh", "-c", "echo $SERVICE_WEB_URL").stdout.strip()
        expect(edge.startswith("http://127.0.0.1:") and address not in edge, f"app reaches web by its edge, not {edge}")
        curl(edge)
        mesh.devmesh("exec", "app", "--", "sh", "-c", "exit 42", code=42)
        expect(
            mesh.devmesh("run", "--", "sh", "-c", "echo $SERVICE_WEB_ADDRESS").stdout.strip() == address,
            "`run` has the mesh's variables")


@check
def manifestErrors_areToldAllAtOnce_withTheirPlaces_andStartNothing():
    with Mesh("errors", {}) as mesh:
        mesh.manifest.write_text('{\n  "services": {\n    "web": { "rnu": "true" },\n    "b": { "run": 7 }\n  }\n}\n')
        for command in ("check", "up"):
            said = mesh.devmesh(command, code=4).stderr
            expect("services.json:3:" in said and "run" in said, f"{command} doesn't point at line 3: {said}")
            expect("services.json:4:" in said, f"{command} doesn't point at line 4: {said}")


@check
def wait_and_usage_haveTheirExitCodes():
    with Mesh("codes", {"web": SERVER, "slow": {"run": "sleep 1000", "uses": []}}) as mesh:
        mesh.up(ready=["web"])
        mesh.devmesh("wait", "slow", "--for", "ready", "--timeout", "200ms", code=124)
        done = mesh.devmesh("restrat", "web", code=2)
        expect("restart" in done.stderr, f"no suggestion for a misspelt command: {done.stderr}")
        done = mesh.devmesh("restart", "wbe", code=None)
        expect(done.returncode in (1, 2) and "web" in done.stderr, f"no suggestion for a service: {done.stderr}")


@check
def help_ofEveryCommand_hasAnExample():
    listing = run(DEVMESH, "help")
    expect(listing.returncode == 0 and not listing.stderr, f"help: {listing.stderr}")
    for command in ("up", "down", "ps", "start", "stop", "restart", "build", "logs", "use", "scale", "env", "exec",
                    "run", "ports", "wait", "why", "events", "ls", "check", "config", "schema", "completions",
                    "version", "help"):
        expect(re.search(rf"^\s+(devmesh )?{command}\b", listing.stdout, re.M), f"help doesn't list {command}")
        text = run(DEVMESH, command, "--help")
        expect(text.returncode == 0 and f"devmesh {command}" in text.stdout, f"{command} --help: {text.stdout[:200]}")


ESCAPE = re.compile(r"\x1b[\[\]][0-9;?<>=]*[a-zA-Z]|\x1b[()][A-Z0-9]|\x1b[=>]")


class Shell:
    """A shell on a terminal of its own, typed into."""

    def __init__(self, command, folder, environment):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.terminal)

    def shows(self, text, limit=20):
        """Reads what the shell draws until `text` is there."""
        drawn, end = "", time.monotonic() + limit
        while text not in drawn:
            expect(time.monotonic() < end, lambda: f"{text!r} is not shown within {limit} s, but {drawn[-300:]!r}")
            if select.select([self.terminal], [], [], 0.1)[0]:
                more = os.read(self.terminal, 65536)
                if b"\x1b[c" in more or b"\x1b[0c" in more:
                    os.write(self.terminal, b"\x1b[?62c")  # fish asks what terminal it has
                drawn += ESCAPE.sub("", more.decode(errors="replace"))
        return drawn

    def completes(self, line, expected):
        os.write(self.terminal, b"\x15" + line.encode() + b"\t")
        self.shows(expected)


@check
def completions_areLoadedByZshAndFish_andCompleteServicesAndCommands():
    services = {name: SERVER for name in ("reader", "members", "purge")}
    services["members"] = {**SERVER, "versions": {"next": {}}}
    with Mesh("completions", services) as mesh:
        mesh.file("bin/devmesh", f"#!/bin/sh\nexec {DEVMESH} \"$@\"\n", mode=0o755)
        mesh.file("bin/quaint-tool", "#!/bin/sh\n", mode=0o755)
        mesh.file("zsh/_devmesh", mesh.devmesh("completions", "zsh").stdout)
        mesh.file("home/.config/fish/completions/devmesh.fish", mesh.devmesh("completions", "fish").stdout)
        mesh.file("home/.zshrc", "fpath=($PWD/zsh $fpath); autoload -Uz compinit; compinit -u; PS1='ready> '\n")
        mesh.file("home/.config/fish/config.fish", "function fish_prompt; echo 'ready> '; end; set fish_greeting\n")
        environment = {
            **mesh.environment, "HOME": str(mesh.folder / "home"), "TERM": "xterm",
            "PATH": f"{mesh.folder / 'bin'}:{mesh.environment['PATH']}"}
        for name in ("zsh", "fish"):
            with Shell([need(name), "-i"], mesh.folder, environment) as shell:
                shell.shows("ready>")
                for line, expected in [
                    ("devmesh rest", "devmesh restart"),
                    ("devmesh restart me", "restart members"),
                    ("devmesh scale rea", "scale reader="),
                    ("devmesh use members ne", "members next"),
                    ("devmesh wait --for com", "completed"),
                    ("devmesh logs --no-p", "--no-prefix"),
                    ("devmesh exec rea", "exec reader"),
                    ("devmesh exec reader -- quain", "-- quaint-tool"),
                    ("devmesh exec reader -- cat servi", "cat services.json"),
                    ("devmesh run -- quain", "-- quaint-tool"),
                ]:
                    try:
                        shell.completes(line, expected)
                    except Exception as error:
                        raise type(error)(f"{name}: `{line}`: {error}") from error
