"""What the checks are made of: a mesh in a folder of its own, conditions that are waited for, and the tally."""

import importlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import traceback

DEVMESH = os.environ["DEVMESH"]
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
SERVERS = REPOSITORY / "Tests/real/servers"
IS_ROOT = os.getuid() == 0

# Short, for the control socket's path; all of a run's meshes share one registry, as one user's do.
HOME = pathlib.Path(tempfile.mkdtemp(prefix="dm-", dir="/tmp"))
HOME.chmod(0o755)
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("SERVICE_", "DEVMESH"))},
    "XDG_STATE_HOME": str(HOME / "state"),
    "XDG_RUNTIME_DIR": str(HOME / "run"),
}
(HOME / "run").mkdir(mode=0o700)


class Failed(Exception):
    """Why a check failed, for people."""


def expect(condition, why):
    if not condition:
        raise Failed(why() if callable(why) else why)


def eventually(condition, why, limit=30.0):
    """Looks until the condition holds, and returns what it gave; `why` says what was waited for."""
    end = time.monotonic() + limit
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"not within {limit:g} s: {why() if callable(why) else why}")
        time.sleep(0.02)


def run(*command, directory=None, limit=60, stdin=None, environment=None):
    """Runs a command to its end; its stdout and stderr come back as text."""
    try:
        return subprocess.run(
            [str(part) for part in command], cwd=directory or HOME, env=environment or ENVIRONMENT, timeout=limit,
            stdin=subprocess.DEVNULL if stdin is None else None, input=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace")
    except subprocess.TimeoutExpired:
        raise Failed(f"`{' '.join(map(str, command))}` was not done after {limit} s")
    except FileNotFoundError:
        raise Failed(f"{command[0]} is not installed")


def need(tool):
    """The path of a program without which a check can't run."""
    path = shutil.which(str(tool))
    expect(path, f"can't run: {tool} is not installed")
    return path


def need_module(name):
    """A Python package without which a check can't run."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise Failed(f"can't run: {error}") from error


def server(name, **more):
    """A service that runs one of `servers`."""
    return {"run": ["python3", str(SERVERS / f"{name}.py")], "uses": [], **more}


def free_port():
    """A port below the ephemeral range and apart from devmesh's own, which nobody holds."""
    for port in range(8700, 9900):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass
    raise Failed("no free port between 8700 and 9900")


def processes(mesh):
    """Pid and command line of everything that was started in a mesh's folder and still lives."""
    found = {}
    mark = f"REAL_MESH={mesh.folder}".encode()
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
                if line:  # a zombie has none
                    found[int(entry.name)] = line
        except OSError:
            pass  # it has ended meanwhile
    return found


class Mesh:
    """A project: a folder with a manifest, and `devmesh up` in the foreground."""

    def __init__(self, folder, services, manifest="services.json", **top):
        self.folder = HOME / folder
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.manifest = self.folder / manifest
        # Found again in whatever the mesh starts, see `processes`.
        self.environment = {**ENVIRONMENT, "REAL_MESH": str(self.folder)}
        self.process = None
        self.write(services, **top)

    def write(self, services, **top):
        self.manifest.write_text(json.dumps({**top, "services": services}, indent=2))

    def file(self, name, text, mode=0o644):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            run(DEVMESH, "down", directory=self.folder, environment=self.environment)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in processes(self):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        shutil.rmtree(self.folder, ignore_errors=True)

    def devmesh(self, *arguments, code=0, limit=60):
        """Runs a command, which must end with `code`; None takes any."""
        done = run(DEVMESH, *arguments, directory=self.folder, limit=limit, environment=self.environment)
        expect(
            code is None or done.returncode == code,
            f"`devmesh {' '.join(map(str, arguments))}` ended with {done.returncode} instead of {code}: "
            f"{(done.stderr + done.stdout).strip()[-600:]}")
        return done

    def up(self, *arguments, ready=None):
        """Starts `devmesh up` and waits until those services are ready; by default all."""
        self.output = self.folder / "up.txt"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [DEVMESH, "up", *arguments], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        names = list(json.loads(self.manifest.read_text())["services"]) if ready is None else ready
        self.when_up("ps")
        if names:
            self.devmesh("wait", *names, "--for", "ready", "--timeout", "60s", limit=90)
        return self

    def when_up(self, *arguments):
        """A command that ends with 3 as long as no mesh is up."""
        def attempt():
            done = run(DEVMESH, *arguments, directory=self.folder, environment=self.environment)
            expect(
                done.returncode == 3 or self.process.poll() is None,
                lambda: f"`devmesh up` ended with {self.process.returncode}: {self.printed()[-600:]}")
            return done if done.returncode == 0 else None
        return eventually(attempt, lambda: f"a mesh that is up; it said: {self.printed()[-600:]}")

    def printed(self):
        return self.output.read_text(errors="replace")

    def ps(self):
        return {entry["service"]: entry for entry in json.loads(self.devmesh("ps", "--json").stdout)}

    def pids(self):
        return {name: [one["pid"] for one in entry["instances"]] for name, entry in self.ps().items()}

    def port(self, service):
        return int(self.ps()[service]["address"].rpartition(":")[2])

    def url(self, service, path="/"):
        return f"http://{self.ps()[service]['address']}{path}"

    def socket(self):
        found = list((HOME / "run" / "devmesh").glob("*/control.sock"))
        expect(len(found) == 1, f"one control socket is expected while one mesh is up, not {found}")
        return found[0]

    def supervisor(self):
        """The pid of what does the work: the child of the guardian, which is that of `process`."""
        pid = self.process.pid
        for _ in range(2):
            found = open(f"/proc/{pid}/task/{pid}/children").read().split()
            expect(len(found) == 1, f"{pid} has one child, not {found}")
            pid = int(found[0])
        return pid

    def end(self, limit=20):
        """Waits until `up` has ended, and returns its exit code."""
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"`devmesh up` had not ended after {limit} s: {self.printed()[-600:]}")


def curl(url, *arguments, limit=40):
    """The body of an answer that must be 200."""
    done = run("curl", "-sS", "--max-time", limit, "-w", "\n%{http_code}", *arguments, url)
    body, _, status = done.stdout.rpartition("\n")
    expect(done.returncode == 0, f"curl {url}: {done.stderr.strip()}")
    expect(status == "200", f"curl {url}: status {status}: {body[:300]}")
    return body


class Load:
    """Calls `request` again and again on a thread of its own, until the block is left; counts what failed."""

    def __init__(self, name, request):
        self.name = name
        self.request = request
        self.done = 0
        self.failures = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.work)

    def work(self):
        while not self.over.is_set():
            try:
                self.request()
                self.done += 1
            except Failed as failure:
                self.failures.append(str(failure))

    def __enter__(self):
        self.thread.start()
        eventually(lambda: self.done > 0 or self.failures, f"the first answer to {self.name}")
        return self

    def __exit__(self, *_):
        # What was asked last must be answered, too.
        self.over.set()
        self.thread.join()

    def more(self, count=3):
        """Waits until so many further calls were answered."""
        seen = self.done
        eventually(
            lambda: self.done >= seen + count,
            lambda: f"{count} further answers to {self.name}; failed: {self.failures[:1]}")

    def expect_no_failure(self):
        expect(
            not self.failures,
            lambda: f"{len(self.failures)} of {self.done + len(self.failures)} calls of {self.name} failed: "
                    f"{self.failures[0]}")


class Tally:
    """Runs checks and counts."""

    def __init__(self):
        self.checks = []
        self.passed = 0
        self.failed = 0

    def check(self, function):
        """Registers a check: its name is the function's, and what it returns is a figure to be shown with its name."""
        self.checks.append(function)
        return function

    def run(self, wanted):
        for check in self.checks:
            if wanted and not any(name in check.__name__ for name in wanted):
                continue
            began = time.monotonic()
            try:
                figure = check()
                self.passed += 1
                seconds = time.monotonic() - began
                print(f"ok {check.__name__} ({seconds:.1f} s){f': {figure}' if figure else ''}", flush=True)
            except Failed as failure:
                self.fail(check, str(failure))
            except Exception as error:  # a check that breaks has failed, the others go on
                where = traceback.extract_tb(error.__traceback__)[-1]
                self.fail(check, f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})")
        shutil.rmtree(HOME, ignore_errors=True)
        print(f"{self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed or not self.passed else 0

    def fail(self, check, why):
        self.failed += 1
        print(f"FAIL {check.__name__}: {' '.join(why.split())}", flush=True)


tally = Tally()
check = tally.check
