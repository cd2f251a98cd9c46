"""The example, started as the README says."""

import json
import os
import shutil
import subprocess

from harness import ENVIRONMENT, HOME, REPOSITORY, Failed, Load, Mesh, check, curl, eventually, expect, need


class Example(Mesh):
    """services.example.json, in the repository itself, by `swift run`."""

    def __init__(self):
        self.folder = REPOSITORY
        self.environment = {**ENVIRONMENT, "REAL_MESH": str(HOME / "example")}
        self.manifest = REPOSITORY / "services.example.json"
        self.output = HOME / "example.txt"
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                [need("swift"), "run", "-c", "release", "devmesh", "up", "-f", "services.example.json"],
                cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True)

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


@check
def example_isUpByOneCommand_andShowsWhatTheServicesSay():
    with Example() as mesh:
        # Until the program is built; a release build of all of it takes minutes at most.
        def isUp():
            expect(mesh.process.poll() is None, lambda: f"`swift run` ended: {mesh.printed()[-800:]}")
            done = subprocess.run(
                [os.environ["DEVMESH"], "ps", "--json"], cwd=mesh.folder, env=mesh.environment, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if done.returncode:
                return None
            states = {entry["service"]: entry["state"] for entry in json.loads(done.stdout)}
            return all(state == "ready" for state in states.values())
        eventually(isUp, lambda: f"all ready: {mesh.printed()[-800:]}", limit=240)
        page = curl(mesh.url("reader"))
        expect("Barbara" in page and "the remote cluster" in page, f"the page lacks the remote members: {page[-900:]}")
        answers = []
        address = mesh.url("reader", "/api")
        with Load("reader", lambda: answers.append(json.loads(curl(address)))) as load:
            mesh.devmesh("use", "members", "local", limit=90)
            load.more(3)
            mesh.devmesh("restart", "purge", limit=90)
            load.more(3)
        load.expect_no_failure()
        broken = [answer for answer in answers if "error" in answer["members"] or "error" in answer["purge"]]
        if broken:
            raise Failed(f"{len(broken)} of {len(answers)} answers had an error in them: {broken[0]}")
        place = answers[-1]["members"]["answer"]["place"]
        expect(place == "this machine", f"after `use members local` they come from {place}")
        expect("Another instance of SwiftPM" not in mesh.printed(), "two builds waited for each other's lock")
        mesh.devmesh("down")
        expect(mesh.end() == 0, "`swift run` ends with 0 after `down`")
        shutil.rmtree(HOME / "example", ignore_errors=True)
