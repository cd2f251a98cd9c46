"""Terminals as people have them: `up` and `attach` in tmux, with programs that draw on the whole screen."""

import os
import subprocess

from harness import DEVMESH, Mesh, check, eventually, expect, need, run

TICK = {"run": "i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.05; done", "listens": False}


class Terminal:
    """A window of tmux with a shell in a mesh's folder."""

    def __init__(self, mesh, columns=80, rows=24):
        self.tmux = [need("tmux"), "-L", f"real-{os.getpid()}-{mesh.folder.name}", "-f", "/dev/null"]
        self.environment = {**mesh.environment, "TERM": "xterm-256color"}
        shell = "env 'PS1=$ ' bash --norc --noprofile"
        run(*self.tmux, "new-session", "-d", "-x", columns, "-y", rows, "-c", mesh.folder, shell,
            environment=self.environment)
        self.until("$")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        run(*self.tmux, "kill-server")

    def type(self, *keys):
        run(*self.tmux, "send-keys", *keys)

    def line(self, text):
        self.type("-l", text)
        self.type("Enter")

    def resize(self, columns, rows):
        run(*self.tmux, "resize-window", "-x", columns, "-y", rows)

    def screen(self):
        return run(*self.tmux, "capture-pane", "-p").stdout.rstrip("\n").split("\n")

    def history(self):
        return run(*self.tmux, "capture-pane", "-p", "-J", "-S", "-").stdout

    def until(self, text, on=None):
        """Waits until a line of the screen, by default any, has `text` in it."""
        def look():
            screen = self.screen()
            return screen if any(text in line for line in (screen if on is None else screen[on:][:1])) else None
        return eventually(look, lambda: f"{text!r} on the screen; there is:\n" + "\n".join(self.screen()))


@check
def upInATerminal_hasItsLineAtTheBottom_whateverIsTyped_andHoweverLargeItIs():
    with Mesh("status", {"tick": TICK, "web": {"run": "python3 -m http.server $PORT"}}) as mesh, Terminal(mesh) as it:
        it.line(f"{DEVMESH} up")
        it.until("web ● ready", on=-1)
        it.type("?")
        it.until("restart a service")
        it.type("r", "we", "Enter")
        it.until("web is restarted.")
        it.type("f", "we", "Enter")
        it.until("only web", on=-1)
        it.type("Escape")
        it.resize(30, 12)
        it.until("tick ●  web ●", on=-1)
        it.resize(100, 30)
        it.until("web ● ready", on=-1)
        it.type("C-z")
        it.until("Stopped")
        it.line("stty -a | grep -q ' echo ' && echo as-it-was")
        it.until("as-it-was")
        it.line("fg")
        it.until("web ● ready", on=-1)
        it.until("| tick 150")
        it.type("q")
        it.until("is down.")
        # Each line whole and in its order: the line at the bottom has not come between.
        lines = [line for line in it.history().split("\n") if line.startswith("tick ") and "| tick " in line]
        numbers = [int(line.rpartition(" ")[2]) for line in lines]
        expect(len(numbers) > 20 and numbers == sorted(set(numbers)), lambda: f"the log is {lines}")


@check
def attach_toPythonAndVim_isAsIfTheyRanHere():
    need("vim")
    services = {
        "python": {"run": ["python3", "-q"], "tty": True, "listens": False},
        "vim": {"run": ["vim", "-u", "NONE", "-N"], "tty": True, "listens": False}, "plain": TICK}
    with Mesh("attach", services) as mesh:
        mesh.environment["TERM"] = "xterm-256color"
        mesh.up()
        with Terminal(mesh, 70, 20) as it:
            it.line(f"{DEVMESH} attach python")
            it.until("ctrl-P ctrl-Q detaches")
            it.line("import os; print(6 * 7, os.get_terminal_size().columns)")
            it.until("42 70")
            it.type("C-c")
            it.until("KeyboardInterrupt")
            mesh.devmesh("restart", "python")
            it.until("python.1 is started")
            it.line("print(6 * 9)")
            it.until("54")
            it.type("C-p", "C-q")
            it.until("Detached from python.1.")
            it.line(f"clear; {DEVMESH} attach vim")
            it.until("~", on=5)
            it.type("ihello", "Escape")
            it.until("hello", on=0)
            it.resize(50, 12)
            eventually(lambda: len(it.screen()) <= 12 and it.screen()[0] == "hello", "vim drawn anew")
            it.type("C-p", "C-q")
            it.until("Detached from vim.1.")
            it.line(f"{DEVMESH} attach plain")
            it.until('"tty": true')


@check
def attachThatReadsNothing_slowsNoService():
    flood = {"run": "yes 0123456789 | head -n 3000000; echo flooded; exec cat", "tty": True, "listens": False}
    with Mesh("flood", {"flood": flood}) as mesh:
        mesh.up(ready=[])
        with Terminal(mesh) as it:
            it.line(f"{DEVMESH} attach flood")
            it.until("0123456789")
            pid = next(iter(child(mesh, "attach")), None)
            expect(pid, "no `attach` is found")
            os.kill(pid, 19)
            eventually(lambda: "flooded" in mesh.devmesh("logs", "-n", "1", "flood").stdout, "the end of the flood", 60)
            # The shell has taken the terminal back.
            it.line("fg")
            it.until("bytes were left out here")


def child(mesh, word):
    """Pids of devmesh's own in that mesh's folder whose command line has `word`."""
    found = subprocess.run(["pgrep", "-f", f"devmesh {word}"], stdout=subprocess.PIPE, text=True).stdout.split()
    return [int(pid) for pid in found if str(mesh.folder) == os.readlink(f"/proc/{pid}/cwd")]
