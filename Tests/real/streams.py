"""Protocols that stream through a front: WebSocket, server-sent events, gRPC and HTTP/2, each with its own client."""

import math
import queue
import re
import statistics
import subprocess
import time

from harness import IS_ROOT, Mesh, check, curl, expect, free_port, need, need_module, run, server


@check
def webSocket_echoes_andStaysWhileAnotherServiceRestarts():
    connect = need_module("websockets.sync.client").connect
    with Mesh("websocket", {"echo": server("websocket"), "other": server("web")}) as mesh:
        mesh.up()
        address = mesh.ps()["echo"]["address"]
        with connect(f"ws://{address}/chat?room=1", max_size=None, proxy=None) as socket:
            def echo(message):
                socket.send(message)
                expect(socket.recv(timeout=20) == message, f"{message[:20]!r} came back as something else")

            big = bytes(range(256)) * 16384
            for message in ["hello", "é" * 70_000, b"", big]:
                echo(message)
            socket.send(part for part in ["in ", "three ", "frames"])
            expect(socket.recv(timeout=20) == "in three frames", "a message in fragments")
            expect(socket.ping().wait(20), "a ping was not answered")
            kept = mesh.pids()["echo"]
            mesh.devmesh("restart", "other")
            echo("after the restart of another service")
            expect(mesh.pids()["echo"] == kept, "the restart of another service has moved this one")
            socket.send("bye")
            try:
                said = socket.recv(timeout=20)
            except need_module("websockets.exceptions").ConnectionClosed as closed:
                said = (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else None
            expect(said == (4001, "you said it"), f"the server's closing came as {said!r}")
        # A connection ends with the program that serves it, and the next one finds its successor.
        with connect(f"ws://{address}/", proxy=None) as socket:
            mesh.devmesh("restart", "echo")
            try:
                said = socket.recv(timeout=20)
            except need_module("websockets.exceptions").ConnectionClosed:
                said = None
            expect(said is None, f"from a program that was restarted came {said!r}")
        with connect(f"ws://{address}/", proxy=None) as socket:
            socket.send("again")
            expect(socket.recv(timeout=20) == "again", "no echo after its own restart")


@check
def serverSentEvents_arriveOneByOne_alsoWhileAnotherServiceRestarts():
    with Mesh("events", {"web": server("web"), "other": server("web")}) as mesh:
        mesh.up()
        with subprocess.Popen(
                [need("curl"), "-sSN", "--max-time", "60", mesh.url("web", "/events")], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as client:
            try:
                # Each is published only when the one before has been read: an event that is kept back ends the check.
                for event in ["ready", "one", "two", "after the restart", "last"]:
                    if event == "after the restart":
                        mesh.devmesh("restart", "other")
                    if event != "ready":
                        curl(mesh.url("web", "/publish"), "-d", event)
                    came = client.stdout.readline(), client.stdout.readline()
                    expect(came == (f"data: {event}\n", "\n"), f"instead of {event!r} came {came!r}")
            finally:
                client.kill()


@check
def grpc_passesAllFourTypesOfCalls_andAStreamOutlivesAnothersRestart():
    grpc = need_module("grpc")
    with Mesh("grpc", {"calls": server("calls"), "other": server("web")}) as mesh:
        mesh.up()
        options = [("grpc.enable_http_proxy", 0), ("grpc.max_receive_message_length", -1)]
        with grpc.insecure_channel(mesh.ps()["calls"]["address"], options) as channel:
            one, down = channel.unary_unary("/Calls/One"), channel.unary_stream("/Calls/Down")
            up, both = channel.stream_unary("/Calls/Up"), channel.stream_stream("/Calls/Both")
            response, call = one.with_call(b"hello", timeout=20)
            pid = dict(call.trailing_metadata())["pid"]
            expect(response == b"hello" and pid == str(mesh.pids()["calls"][0]), f"unary: {response!r} from {pid}")
            big = bytes(range(256)) * 32768
            expect(one(big, timeout=20) == big, "8 MB came back as something else")
            try:
                failed = one(b"missing", timeout=20)
            except grpc.RpcError as error:
                failed = (error.code(), error.details())
            expect(failed == (grpc.StatusCode.NOT_FOUND, "no such member: é"), f"a failed call: {failed!r}")
            came = list(down(b"stream" * 500, timeout=20))
            expect(b"".join(came) == b"stream" * 500 and len(came) == 3000, f"{len(came)} responses of 3000")
            came = up((b"%d," % number for number in range(3000)), timeout=20)
            expect(came == b"".join(b"%d," % number for number in range(3000)), f"joined requests: {came[:50]!r}")
            requests = queue.SimpleQueue()
            responses = both(iter(requests.get, None), timeout=60)
            for number in range(200):
                if number == 100:
                    mesh.devmesh("restart", "other")
                requests.put(b"%d" % number)
                came = next(responses)
                expect(came == b"%d" % number, f"request {number} was answered with {came!r}")
            requests.put(None)
            expect(list(responses) == [] and responses.code() == grpc.StatusCode.OK, "the stream's end")
            mesh.devmesh("restart", "calls")
            _, call = one.with_call(b"again", timeout=30, wait_for_ready=True)
            new = dict(call.trailing_metadata())["pid"]
            expect(new == str(mesh.pids()["calls"][0]) != pid, f"after its restart {new} answers, before {pid}")


# As it is set up by those who look after its speed: connections kept on both sides.
GRPC_NGINX = """
%sdaemon off; pid nginx.pid; error_log stderr; worker_processes 1; events {}
http {
    access_log off; keepalive_requests 1000000000;
    upstream calls { server 127.0.0.1:%d; keepalive 16; keepalive_requests 1000000000; }
    server { listen 127.0.0.1:%d http2; location / { grpc_pass grpc://calls; } }
}
"""


def chance(of_at_least, throws):
    """How likely so many heads or more are in that many throws of a coin."""
    return sum(math.comb(throws, heads) for heads in range(of_at_least, throws + 1)) / 2 ** throws


@check
def grpcUnary_isDelayedNoMoreThanByNginx():
    grpc = need_module("grpc")
    with Mesh("grpc-delay", {"calls": server("calls")}) as mesh:
        mesh.up()
        calls, port = mesh.ps()["calls"], free_port()
        direct = calls["instances"][0]["port"]
        mesh.file("nginx.conf", GRPC_NGINX % ("user root; " if IS_ROOT else "", direct, port))
        nginx = subprocess.Popen(
            [need("nginx"), "-p", str(mesh.folder), "-c", "nginx.conf", "-e", "stderr"], env=mesh.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=(mesh.folder / "nginx.txt").open("w"))
        addresses = [f"127.0.0.1:{direct}", calls["address"], f"127.0.0.1:{port}"]
        channels = [grpc.insecure_channel(address, [("grpc.enable_http_proxy", 0)]) for address in addresses]
        try:
            ones = [channel.unary_unary("/Calls/One") for channel in channels]
            for one in ones:
                for _ in range(200):
                    expect(one(b"warm", timeout=20, wait_for_ready=True) == b"warm", "an answer that is another's")
            rounds = []
            for number in range(25):
                times = [0.0] * len(ones)
                # Every other one backwards, so that nobody always goes first.
                for way in (range(len(ones)) if number % 2 else reversed(range(len(ones)))):
                    taken = []
                    for _ in range(100):
                        began = time.perf_counter()
                        ones[way](b"hello", timeout=20)
                        taken.append(time.perf_counter() - began)
                    times[way] = statistics.median(taken)
                rounds.append(times)
        finally:
            for channel in channels:
                channel.close()
            nginx.terminate()
            nginx.wait(20)
        worse = sum(front > theirs for _, front, theirs in rounds)
        alone, front, theirs = (statistics.median(way) * 1e6 for way in zip(*rounds))
        figure = (f"{alone:.0f} us, the front adds {front - alone:.0f}, nginx {theirs - alone:.0f}; "
                  f"the front was worse in {worse} of {len(rounds)} rounds")
        # What differs by less than the noise doesn't count (a one-sided sign test).
        expect(chance(worse, len(rounds)) >= 0.05, figure)
        return figure


@check
def http2_isLoadedThroughAFront_withoutAFailedRequest():
    nghttpd = f"exec {need('nghttpd')} -a 127.0.0.1 --no-tls --echo-upload -d files $PORT"
    with Mesh("nghttpd", {"files": {"run": nghttpd, "uses": []}, "web": server("web")}) as mesh:
        body = "".join(f"line {number}\n" for number in range(50_000))
        mesh.file("files/hello.txt", body)
        mesh.file("files/small.txt", "small")
        mesh.up()
        said = run(need("nghttp"), mesh.url("files", "/hello.txt")).stdout
        expect(said == body, f"nghttp got {len(said)} bytes of {len(body)}")
        said = run(need("nghttp"), "-d", mesh.folder / "files/hello.txt", mesh.url("files", "/echo")).stdout
        expect(said == body, f"nghttp got {len(said)} bytes of its own {len(body)} back")
        load = [need("h2load"), "-n", "20000", "-c", "20", "-m", "10"]
        for name, arguments in [
            ("GET", [mesh.url("files", "/small.txt")]),
            ("POST", ["-d", mesh.folder / "files/small.txt", mesh.url("files", "/echo")]),
            ("HTTP/1.1", ["--h1", mesh.url("web")]),
        ]:
            said = run(*load, *arguments, limit=120).stdout
            expect("20000 succeeded, 0 failed, 0 errored" in said and "20000 2xx" in said, f"h2load {name}: {said}")
        # A client that would rather speak HTTP/2 is answered in HTTP/1.1 by a server that does not.
        expect(curl(mesh.url("web", "/a"), "--http2") == "/a", "curl --http2")


@check
def wrk_seesNoError_withKeepAliveAndWithout_alsoInRestarts():
    with Mesh("wrk", {"web": server("web")}) as mesh:
        mesh.up()
        for arguments in ([], ["-H", "Connection: close"]):
            with subprocess.Popen(
                    [need("wrk"), "-t1", "-c20", "-d4s", "--timeout", "30s", *arguments, mesh.url("web")],
                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as load:
                try:
                    for _ in range(3):
                        mesh.devmesh("restart", "web")
                    said = load.communicate(timeout=60)[0]
                finally:
                    load.kill()
            count = re.search(r"(\d+) requests in", said)
            expect(count and int(count[1]) > 1000, f"wrk {arguments}: {said}")
            expect("Socket errors" not in said and "Non-2xx" not in said, f"wrk {arguments}: {said}")
