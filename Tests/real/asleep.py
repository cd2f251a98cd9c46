"""Laptop sleep, truly: a guest that QEMU emulates runs `night.py`, is suspended to memory, and wakes eight hours later.

While the guest sleeps, the clock that its hardware reads is put forward, as `later.c` has it: so a night takes seconds,
and what Linux, devmesh and its services find when they wake is what they find after a night.
"""

import contextlib
import json
import os
import pathlib
import shutil
import socket
import stat
import struct
import subprocess
import sys
import sysconfig
import threading
import time

from harness import DEVMESH, HOME, REPOSITORY, Failed, check, eventually, expect, need, run

HERE = pathlib.Path(__file__).parent
KERNEL = REPOSITORY / ".build-real/kernel"
NIGHT = 8 * 3600
LIMIT = 400  # seconds; a minute or two is usual

INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
for module in /modules/*; do insmod $module; done
ip link set lo up
export DEVMESH=%s PATH=/bin:/usr/bin PYTHONDONTWRITEBYTECODE=1 LC_ALL=C.UTF-8 HOME=/tmp
%s %s/night.py
poweroff -f
"""


class Archive:
    """What the guest begins with: files in the form that the kernel unpacks (cpio's "newc")."""

    def __init__(self):
        self.known = set()
        self.bytes = bytearray()

    def add(self, name, mode, data=b"", modified=0):
        name = os.path.normpath(str(name)).lstrip("/")
        if name in self.known or name in ("", "."):
            return
        self.add(os.path.dirname(name), stat.S_IFDIR | 0o755)
        self.known.add(name)
        self.append(name, mode, data, modified)

    def append(self, name, mode, data=b"", modified=0):
        fields = [len(self.known) + 1, mode, 0, 0, 1, modified, len(data), 0, 0, 0, 0, len(name.encode()) + 1, 0]
        for part in ("070701" + "".join(f"{field:08x}" for field in fields)).encode() + name.encode() + b"\0", data:
            self.bytes += part
            self.bytes += bytes(-len(self.bytes) % 4)

    def file(self, path, name=None):
        """A file of this machine, and whatever libraries it needs."""
        path = pathlib.Path(path)
        status = path.stat()
        self.add(name or path, stat.S_IFREG | status.st_mode & 0o777, path.read_bytes(), int(status.st_mtime))

    def program(self, path):
        self.file(path)
        for line in run("ldd", path).stdout.splitlines():
            for word in line.split():
                if word.startswith("/"):
                    self.file(word)

    def folder(self, path, without=()):
        for folder, folders, files in os.walk(path):
            folders[:] = [name for name in folders if name not in without]
            for name in files:
                whole = pathlib.Path(folder, name)
                if name.endswith(".so"):
                    self.program(whole)
                elif not name.endswith(".a"):
                    self.file(whole)

    def write(self, path):
        self.append("TRAILER!!!", 0)
        path.write_bytes(self.bytes)


def pack(path):
    archive = Archive()
    python = pathlib.Path(sys.executable).resolve()
    shell = need("busybox")
    archive.file(shell, "bin/busybox")
    for name in run(shell, "--list").stdout.split():
        archive.add(f"bin/{name}", stat.S_IFLNK | 0o777, b"busybox")
    archive.add("bin/python3", stat.S_IFLNK | 0o777, str(python).encode())
    archive.add("tmp", stat.S_IFDIR | 0o777)
    archive.add("etc/hosts", stat.S_IFREG | 0o644, b"127.0.0.1 localhost\n")
    for name in ("proc", "sys", "dev"):
        archive.add(name, stat.S_IFDIR | 0o755)
    for program in (python, DEVMESH, need("curl")):
        archive.program(program)
    # Where Python looks for itself when nobody tells it.
    archive.folder(
        sysconfig.get_path("stdlib", vars={"base": sys.base_prefix, "installed_base": sys.base_prefix}),
        without={"test", "tests", "site-packages", "dist-packages", "idlelib", "tkinter", "ensurepip", "lib2to3",
                 "pydoc_data", "turtledemo", "distutils"})
    archive.folder(HERE, without={"__pycache__"})
    # devmesh asks the kernel for listening sockets by these.
    for module in ("inet_diag", "tcp_diag"):
        for found in KERNEL.glob(f"lib/modules/*/kernel/net/ipv4/{module}.ko*"):
            archive.file(found, f"modules/{found.name}")
    init = INIT % (DEVMESH, python, HERE)
    archive.add("init", stat.S_IFREG | 0o755, init.encode())
    archive.write(path)


class Guest:
    """A machine without disk or network; its console comes line by line, and it is told to wake by QEMU's socket."""

    def __init__(self, folder):
        kernels = list(KERNEL.glob("boot/vmlinuz-*"))
        expect(len(kernels) == 1, f"can't run: there is no kernel for a guest below {KERNEL}")
        self.later = folder / "later"
        self.later.write_bytes(struct.pack("q", 0))
        clock = folder / "later.so"
        compiler = shutil.which("clang") or need("cc")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", clock, HERE / "later.c"], check=True)
        pack(folder / "files")
        self.lines = []
        self.process = subprocess.Popen(
            [need("qemu-system-x86_64"), "-machine", "pc,accel=tcg", "-smp", "2", "-m", "1024", "-nodefaults",
             "-display", "none", "-no-reboot", "-rtc", "base=utc,clock=host", "-kernel", kernels[0],
             "-initrd", folder / "files", "-append", "console=ttyS0 panic=-1 quiet", "-serial", "stdio",
             "-qmp", f"unix:{folder}/qmp,server=on,wait=off"],
            env={**os.environ, "LD_PRELOAD": str(clock), "LATER": str(self.later)}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.reader = threading.Thread(target=lambda: self.lines.extend(iter(self.process.stdout.readline, "")))
        self.reader.start()
        self.monitor = socket.socket(socket.AF_UNIX)
        self.path = folder / "qmp"

    def nights(self):
        """Has each sleep of the guest be a night, until the guest has ended; returns how many."""
        def reached():
            expect(self.process.poll() is None, f"QEMU has ended: {self.tail()}")
            with contextlib.suppress(OSError):
                self.monitor.connect(str(self.path))
                return True
        eventually(reached, "QEMU's socket")
        nights, end = 0, time.monotonic() + LIMIT
        self.tell("qmp_capabilities")
        with self.monitor.makefile() as events:
            while True:
                self.monitor.settimeout(max(end - time.monotonic(), 0.01))
                try:
                    line = events.readline()
                except TimeoutError:
                    raise Failed(f"the guest had not ended after {LIMIT} s: {self.tail()}") from None
                if not line:
                    return nights
                if json.loads(line).get("event") == "SUSPEND":
                    nights += 1
                    with self.later.open("r+b") as later:
                        later.write(struct.pack("q", nights * NIGHT))
                    self.tell("system_wakeup")

    def tell(self, command):
        self.monitor.sendall(json.dumps({"execute": command}).encode())

    def tail(self):
        return "".join(self.lines[-30:])[-3000:] or "it has said nothing"

    def end(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.monitor.close()


@check
def laptopSleep_isNoticedByNobody():
    folder = HOME / "guest"
    folder.mkdir()
    guest = Guest(folder)
    try:
        nights = guest.nights()
    finally:
        guest.end()
        shutil.rmtree(folder)
    said = [line.strip() for line in guest.lines]
    failed = [line for line in said if line.startswith("FAIL ")]
    expect(not failed, f"in the guest: {'; '.join(failed)}")
    passed = [line for line in said if line.startswith("ok ")]
    expect(passed and f"{len(passed)} passed, 0 failed" in said, f"the guest did not come to its end: {guest.tail()}")
    expect(nights == 2, f"it slept {nights} times instead of 2")
    return f"{nights} nights of 8 hours"
