"""Rule 2 of the contract at length: services that are moved under load, fifty times, with no request lost."""

import asyncio
import itertools
import json
import threading
import time

from harness import Mesh, check, eventually, expect, server

RATE = 200
CONNECTIONS = 10
MOVES = 50


class Traffic:
    """So many requests a second on each of several services, on a thread of its own, until the block is left.

    They are sent when they are due, however long earlier ones on other connections wait, on connections that stay; one
    in ten connections is made anew for each request. Every second request is a POST, which nobody may send twice.
    """

    def __init__(self, ports):
        self.ports = ports
        self.done = dict.fromkeys(ports, 0)
        self.slowest = dict.fromkeys(ports, 0.0)
        self.versions = dict.fromkeys(ports, "")
        self.failures = []
        self.over = False
        self.thread = threading.Thread(target=lambda: asyncio.run(self.work()))

    async def work(self):
        async with asyncio.TaskGroup() as group:
            for service, port in self.ports.items():
                for number in range(CONNECTIONS):
                    group.create_task(self.talk(service, port, number))

    async def talk(self, service, port, number):
        now = asyncio.get_running_loop().time
        period = CONNECTIONS / RATE
        due = now() + period * number / CONNECTIONS
        stays = number != 0
        streams = None
        for count in itertools.count():
            await asyncio.sleep(due - now())
            if self.over:
                break
            keeps = False
            try:
                async with asyncio.timeout(40):
                    streams = streams or await asyncio.open_connection("127.0.0.1", port)
                    await self.ask(service, *streams, f"/{service}/{number}/{count}", count % 2 == 1, stays)
                self.done[service] += 1
                self.slowest[service] = max(self.slowest[service], now() - due)
                keeps = stays
            except Exception as error:  # whatever it is, a request has failed
                self.failures.append(
                    f"request {count} on connection {number} of {service}: {type(error).__name__} {error}")
            if not keeps and streams:
                streams[1].close()
                streams = None
            due = max(due + period, now() - 1)  # after a hold, what is due comes at once
        if streams:
            streams[1].close()

    async def ask(self, service, reader, writer, path, posts, stays):
        body = (path * 100).encode() if posts else b""
        writer.write(
            f"{'POST' if posts else 'GET'} {path} HTTP/1.1\r\nHost: {service}\r\nContent-Length: {len(body)}\r\n"
            f"Connection: {'keep-alive' if stays else 'close'}\r\n\r\n".encode() + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
        answer = await reader.readexactly(int(fields["content-length"]))
        expect(head.startswith("http/1.1 200 "), f"{head} {answer[:300]}")
        expect(answer == (body or path.encode()), f"another's answer: {answer[:100]}")
        expect(not stays or fields.get("connection") != "close", "a connection that could stay was ended")
        self.versions[service] = fields.get("x-version", "")

    def __enter__(self):
        self.thread.start()
        try:
            self.more()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()

    def more(self, count=20):
        """Waits until each service has answered so many further requests."""
        seen = dict(self.done)
        eventually(
            lambda: all(self.done[name] >= seen[name] + count for name in seen) or self.failures,
            lambda: f"{count} further answers of each service, after {seen} only {self.done}", limit=60)


@check
def services_movedFiftyTimesUnderLoad_loseNoRequest_andNothingElseMoves():
    names = ["front", "members", "orders", "mail"]
    with Mesh("moved-far", {name: server("web") for name in names}) as far, \
            Mesh("moved", {}) as near:
        far.up()
        services = {}
        for name in names:
            near.file(f"{name}/version", "1")
            near.file(f"{name}-next/built", "next")
            services[name] = server(
                "web", directory=name, build="cp version built", remote=far.url(name, ""),
                versions={"next": {"directory": f"{name}-next", "build": "true"}})
        near.write(services)
        near.up()
        ports = {name: near.port(name) for name in names}

        def pids():
            """Without those of versions, which end when nobody has been sent to them for a while."""
            return {
                name: [one["pid"] for one in entry["instances"] if "@" not in one["id"]]
                for name, entry in near.ps().items()}

        def restart(name, _):
            near.devmesh("restart", name)

        def rebuild(name, number):
            near.file(f"{name}/version", f"built for move {number}")
            near.devmesh("build", name)
            near.devmesh("restart", name)
            traffic.more()
            found = traffic.versions[name]
            expect(found == f"built for move {number}", f"after its rebuilding {name} is still {found!r}")

        def flip(name, _):
            for target, version in [("remote", ""), ("next", "next"), ("local", None)]:
                near.devmesh("use", name, target)
                traffic.more(CONNECTIONS)
                found = traffic.versions[name]
                expect(version in (None, found), f"after `use {name} {target}` {found!r} answers")

        def scale(name, _):
            near.devmesh("scale", f"{name}=3")
            traffic.more()
            expect(len(pids()[name]) == 3, lambda: f"after `scale {name}=3` ps says {near.ps()[name]}")
            near.devmesh("scale", f"{name}=1")

        moves = itertools.cycle([restart, flip, scale, rebuild])
        with Traffic(ports) as traffic:
            began, before_all = time.monotonic(), sum(traffic.done.values())
            for number in range(MOVES):
                move = next(moves)
                # Each service meets each move.
                name = names[(number + number // len(names)) % len(names)]
                before = pids()
                move(name, number)
                traffic.more()
                expect(
                    not traffic.failures,
                    lambda: f"move {number}, {move.__name__} of {name}: {len(traffic.failures)} failed: "
                            f"{traffic.failures[0]}")
                after = pids()
                moved = [other for other in names if other != name and after[other] != before[other]]
                expect(not moved, lambda: f"{move.__name__} of {name} has moved {json.dumps([before, after])}")
            seconds = time.monotonic() - began
            rate = (sum(traffic.done.values()) - before_all) / seconds / len(names)
        expect(not traffic.failures, lambda: f"{len(traffic.failures)} failed: {traffic.failures[0]}")
        slowest = max(traffic.slowest.values())
        expect(rate > RATE * 0.8, f"only {rate:.0f} requests a second came to each service")
        return (f"{MOVES} moves in {seconds:.0f} s, {sum(traffic.done.values())} requests, {rate:.0f}/s a service, "
                f"the slowest took {slowest * 1000:.0f} ms")
