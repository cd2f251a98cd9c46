"""Control groups, where a user may make them: nothing gets out of a mesh's own."""

import contextlib
import json
import os
import pathlib
import pwd
import shutil
import signal
import subprocess

from harness import DEVMESH, HOME, IS_ROOT, Mesh, check, eventually, expect, need, run

# Got away from its parent, its session, its environment and the tag that a limit hands down; and it heeds no TERM.
ESCAPING = {
    "run": "(setsid -f env -i prlimit --locks=5:5 sh -c 'trap \"\" TERM INT HUP; echo $$ >escaped; "
           "while :; do sleep 1; done' &); exec python3 -m http.server $PORT --bind 127.0.0.1",
    "stop": {"timeout": "1s"}, "uses": []}


class GivenGroup:
    """A control group that belongs to an ordinary user, and meshes of that user in it.

    The tree of groups is mounted for these alone, so that none of this depends on how the machine has it.
    """

    def __init__(self, name):
        expect(IS_ROOT, "can't run: only root can mount a tree of control groups")
        self.user = pwd.getpwnam("nobody")
        self.become = [
            need("setpriv"), f"--reuid={self.user.pw_uid}", f"--regid={self.user.pw_gid}", "--clear-groups"]
        self.devmesh = HOME / "devmesh"  # that user may not be able to read the one that was built
        if not self.devmesh.exists():
            shutil.copy(DEVMESH, self.devmesh)
            self.devmesh.chmod(0o755)
        self.mount = HOME / f"{name}-groups"
        self.mount.mkdir()
        self.name = f"devmesh-real-{name}-{os.getpid()}"

    def __enter__(self):
        # Whoever reads its input keeps the namespace.
        self.keeper = subprocess.Popen(
            [need("unshare"), "-m", "sh", "-c", 'mount -t cgroup2 none "$0" && echo ready && exec cat', self.mount],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        expect(self.keeper.stdout.readline() == "ready\n", "can't run: cgroup v2 can't be mounted here")
        self.folder = pathlib.Path(f"/proc/{self.keeper.pid}/root{self.mount}/{self.name}")
        self.folder.mkdir()
        for name in ("", "cgroup.procs", "cgroup.threads", "cgroup.subtree_control"):
            os.chown(self.folder / name, self.user.pw_uid, self.user.pw_gid)
        return self

    def __exit__(self, *_):
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        eventually(lambda: not self.members(), "an empty control group")
        for group in [*self.groups(), self.folder]:
            group.rmdir()
        self.keeper.stdin.close()
        self.keeper.wait()

    def groups(self):
        """Those in it, innermost first."""
        return sorted((path.parent for path in self.folder.glob("*/**/cgroup.procs")), reverse=True)

    def members(self, group=None):
        """The processes in it and in all groups in it."""
        return {
            int(pid) for path in (group or self.folder).glob("**/cgroup.procs") for pid in path.read_text().split()}

    def command(self, folder, *arguments, inside):
        """devmesh as that user, where the groups can be seen; `inside`: in that group."""
        enter = f"echo $$ >{self.mount}/{self.name}/cgroup.procs && " if inside else ""
        return [
            need("nsenter"), f"--mount=/proc/{self.keeper.pid}/ns/mnt", "sh", "-c", enter + 'cd "$0" && exec "$@"',
            folder, *self.become, self.devmesh, *arguments]


class GivenMesh(Mesh):
    """A mesh of the user whom the group was given to."""

    def __init__(self, folder, given, services):
        super().__init__(folder, services)
        self.given = given
        for name, variable in ("state", "XDG_STATE_HOME"), ("run", "XDG_RUNTIME_DIR"):
            (self.folder / name).mkdir(mode=0o700)
            self.environment[variable] = str(self.folder / name)
        for path in [self.folder, *self.folder.iterdir()]:
            os.chown(path, given.user.pw_uid, given.user.pw_gid)

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.devmesh("down", code=None)
            self.process.wait(20)
        super().__exit__()

    def devmesh(self, *arguments, code=0, inside=False):
        done = run(
            *self.given.command(self.folder, *arguments, inside=inside), environment=self.environment)
        expect(
            code is None or done.returncode == code,
            f"`devmesh {' '.join(arguments)}` ended with {done.returncode} instead of {code}: {done.stderr[-600:]}")
        return done

    def up(self, inside=True):
        self.output = self.folder / "up.txt"
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                self.given.command(self.folder, "up", inside=inside), env=self.environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        eventually(lambda: self.devmesh("ps", code=None).returncode == 0, lambda: f"a mesh: {self.printed()[-600:]}")
        self.devmesh("wait", *self.ps(), "--for", "ready", "--timeout", "60s")

    def said(self):
        """What `up` said itself; the other lines are the programs'."""
        return [line for line in self.printed().splitlines() if " | " not in line]

    def those_who_run_it(self):
        """Its supervisor, the guardian and the process that was started."""
        record = json.loads((self.folder / ".devmesh/services.json/mesh.json").read_text())
        status = pathlib.Path(f"/proc/{record['pid']}/status").read_text()
        return record["pid"], int(status.split("PPid:")[1].split()[0]), self.process.pid

    def escaped(self):
        path = self.folder / "escaped"
        return eventually(lambda: path.exists() and int(path.read_text().strip() or 0), "what has escaped")


@check
def controlGroup_whateverHasEscaped_isGoneHoweverTheMeshEnds():
    with GivenGroup("ends") as given:
        for victim in ("nobody", "supervisor", "guardian", "first process", "all three"):
            with GivenMesh(victim.replace(" ", "-"), given, {"web": ESCAPING}) as mesh:
                mesh.up()
                escaped = mesh.escaped()
                expect(escaped in given.members(), "it got out of its control group")
                supervisor, guardian, first = mesh.those_who_run_it()
                if victim == "all three":
                    # None of them may do anything about the others' end.
                    os.kill(first, signal.SIGSTOP)
                    os.kill(guardian, signal.SIGSTOP)
                    for pid in (supervisor, guardian, first):
                        os.kill(pid, signal.SIGKILL)
                    mesh.end()
                    eventually(
                        lambda: not {supervisor, guardian, first} & given.members(), "the end of those who run it")
                    expect(escaped in given.members(), "what has escaped is there still, and nobody to end it")
                    said = mesh.devmesh("down").stderr
                    expect(f"(pid {escaped})" in said, f"`down` doesn't name what it has ended: {said}")
                elif victim == "nobody":
                    mesh.devmesh("down")
                    left = given.members() - {first}
                    expect(not left, f"when `down` returned there was {left}")
                    expect(mesh.end() == 0, f"after `down`, `up` ended with {mesh.process.returncode}")
                else:
                    os.kill({"supervisor": supervisor, "guardian": guardian, "first process": first}[victim],
                            signal.SIGKILL)
                    mesh.end()
                # Where it is the first process that was killed, nobody is told when the guardian has done.
                limit = 5 if victim == "first process" else 0.1
                eventually(
                    lambda: not given.members() and not given.groups(),
                    lambda: f"after the end of {victim} there is {given.members()} in {given.groups()}", limit)


@check
def controlGroup_programThatHasBecomeRoot_endsWithTheMesh():
    with GivenGroup("root") as given:
        become_root = HOME / "become-root"
        shutil.copy(need("setpriv"), become_root)
        become_root.chmod(0o4755)
        services = {"daemon": {
            "run": f"exec {become_root} --reuid=0 --regid=0 --clear-groups sleep 9999", "listens": False,
            "stop": {"timeout": "100ms"}}}
        with GivenMesh("root", given, services) as mesh:
            mesh.up()
            daemon, = mesh.pids()["daemon"]
            eventually(lambda: os.stat(f"/proc/{daemon}").st_uid == 0, "a program that has become root")
            mesh.devmesh("down")
            expect(mesh.end() == 0, f"`up` ended with {mesh.process.returncode}: {mesh.printed()[-600:]}")
            expect(not given.members(), f"left: {given.members()}")


@check
def controlGroup_isTheProgramsOwn_andNothingIsSaidWhereThereCanBeNone():
    with GivenGroup("own") as given, GivenMesh("own", given, {"web": ESCAPING}) as mesh:
        mesh.up()
        expect(len(given.groups()) == 1, f"not one control group: {given.groups()}")
        supervisor, guardian, first = mesh.those_who_run_it()
        below = given.members(given.groups()[0])
        expect({supervisor, mesh.escaped(), *mesh.pids()["web"]} <= below, f"in the mesh's control group is {below}")
        expect(not {guardian, first} & below, "who waits is in it, too")
        said = mesh.said()
        mesh.devmesh("down")
        mesh.end()
        told = mesh.devmesh("doctor", code=None, inside=True).stdout
        expect(f"{given.mount}/{given.name}" in told or given.name in told, f"`doctor` doesn't tell where: {told}")

        mesh.up(inside=False)
        expect(not given.groups(), f"a control group was made nevertheless: {given.groups()}")
        journal = (mesh.folder / ".devmesh/services.json/journal").read_text()
        expect("\n@ " not in journal, f"the journal tells of one: {journal}")
        expect(mesh.said() == said, f"without one it says something else: {mesh.said()}")
        told = mesh.devmesh("doctor", code=None).stdout
        expect("control groups: this user may make none" in told, f"`doctor` says: {told}")
