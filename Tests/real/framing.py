"""Where does a request end? A chain of proxies that disagree lets one be smuggled past another (RFC 9112 §11.2).

Each case is sent through a front alone and through chains with nginx and haproxy before and behind it. What the program
at the end has seen, and which answers the client got, must fit each other and one of the readings that the case allows.
"""

import json
import socket
from dataclasses import dataclass

from harness import IS_ROOT, Failed, Mesh, check, expect, free_port, need, need_module, server
from framing_cases import ANSWERS, REQUESTS

NGINX = """
%sdaemon off; pid nginx.pid; error_log stderr; worker_processes 1; events {}
http {
  access_log off; client_header_timeout 5s; client_body_timeout 5s;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  upstream origin { server ORIGIN; keepalive 8; }
  server {
    listen 127.0.0.1:PORT;
    location / {
      proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_request_buffering off; proxy_buffering off;
    }
  }
}
""" % ("user root; " if IS_ROOT else "")

HAPROXY = """
global
  maxconn 1000
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 30s
  timeout http-request 5s
  http-reuse always
frontend entry
  bind 127.0.0.1:PORT
  default_backend origin
backend origin
  server origin ORIGIN
"""


def proxy(name, arguments, origin, uses):
    """A proxy to an address that its shell knows."""
    fill = f'sed "s/ORIGIN/{origin}/; s/PORT/$PORT/" ../{name}.conf > {name}.conf'
    return {"run": f"{fill} && exec {need(name)} {arguments}", "uses": uses}


def chained():
    """The origin, and each proxy twice: before the origin's front, and behind its own."""
    port = free_port()
    services = {"origin": server("origin", directory="origin", listens=port)}
    for name, arguments in [("nginx", "-p . -c nginx.conf -e stderr"), ("haproxy", "-db -q -f haproxy.conf")]:
        for place, origin, uses in [
            ("before", "$SERVICE_ORIGIN_ADDRESS", ["origin"]), ("behind", f"127.0.0.1:{port}", []),
        ]:
            services[f"{name}-{place}"] = {"directory": place, **proxy(name, arguments, origin, uses)}
    mesh = Mesh("framing", services)
    for file, text in [("nginx.conf", NGINX), ("haproxy.conf", HAPROXY), ("origin/seen", "")]:
        mesh.file(file, text)
    for place in ("before", "behind"):
        (mesh.folder / place).mkdir()
    return mesh


class Chains:
    """The ways to the origin, and what it has seen since the last look."""

    def __init__(self, mesh):
        ps = mesh.ps()
        front = {name: int(entry["address"].rpartition(":")[2]) for name, entry in ps.items()}
        own = {name: entry["instances"][0]["port"] for name, entry in ps.items()}
        self.ports = {
            "front": front["origin"],
            "nginx → front": own["nginx-before"], "haproxy → front": own["haproxy-before"],
            "front → nginx": front["nginx-behind"], "front → haproxy": front["haproxy-behind"]}
        self.seen_file = (mesh.folder / "origin/seen").open()

    def seen(self):
        return [json.loads(line) for line in self.seen_file]


def exchange(port, request):
    """Everything that a server says to these bytes until it ends the connection."""
    came = b""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        try:
            client.sendall(request)
            while piece := client.recv(65536):
                came += piece
        except (ConnectionResetError, BrokenPipeError):
            pass  # it may well refuse before it has read all
        except TimeoutError:
            raise Failed(f"the connection was left open after {came[-300:]!r}") from None
    return came


@dataclass
class Response:
    status: int
    target: str | None
    body: bytes
    trailers: dict
    closes: bool


def responses(came, methods):
    """Each response in these bytes that is whole."""
    h11 = need_module("h11")
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 18)
    found = []
    ended = False
    for method in [*methods, "GET"]:
        connection.send(h11.Request(method=method, target="/", headers=[("Host", "h")]))
        connection.send(h11.EndOfMessage())
        head, body = None, b""
        if not found:
            connection.receive_data(came)
        while True:
            try:
                event = connection.next_event()
                if event is h11.NEED_DATA:
                    connection.receive_data(b"")
                    ended = True
                    continue
            except h11.RemoteProtocolError as error:
                expect(ended, f"the client got a malformed response: {error} in {came[:2000]!r}")
                return found  # the last one was cut short
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                fields = {name.decode(): value.decode() for name, value in head.headers}
                trailers = {name.decode(): value.decode() for name, value in event.headers}
                closes = fields.get("connection", "").lower() == "close"
                found.append(Response(head.status_code, fields.get("x-target"), body, trailers, closes))
                break
            elif isinstance(event, h11.ConnectionClosed):
                return found
        if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
            expect(not connection.trailing_data[0], f"more came on an ended connection: {came[-500:]!r}")
            return found
        connection.start_next_cycle()
    raise Failed(f"more responses than requests: {came!r}")


def follows(reading, seen, got):
    """Whether these answers belong to a reading's requests one by one, those that were seen: any other was refused."""
    rest = iter(seen)
    for request, response in zip(reading, got):
        if response.target is None:
            if not 400 <= response.status <= 505:
                return False
        elif request is None or response.target != request[1] or next(rest, None) != request:
            return False
    # A client that is told of the end, or that its request is refused, may ask for the rest once more.
    ends_well = len(got) == len(reading) or (got and (got[-1].closes or got[-1].target is None))
    return len(got) <= len(reading) and ends_well and next(rest, None) is None


def judge(case, chain, seen, came):
    """Fails unless what the program has seen and the client got is right."""
    wrong = [entry["malformed"] for entry in seen if "malformed" in entry]
    expect(not wrong, lambda: f"the program got something malformed: {wrong}")
    requests = [(entry["method"], entry["target"], entry["body"]) for entry in seen]
    got = responses(came, [request[0] if request else "GET" for request in case.readings[0]])
    expect(
        any(follows(reading, requests, got) for reading in case.readings),
        lambda: f"the program saw {str(requests)[:1000]}, the client got {str(got)[:1000]}")
    if chain != "front":
        return
    is_served = all(response.target for response in got)
    expect(is_served == case.passes, lambda: f"a front {'passes on' if is_served else 'refuses'} this: {got}")
    expect(is_served or got[-1].closes, lambda: f"the connection goes on after a refusal: {got}")
    early = any(target.endswith("/early") for _, target, _ in requests)
    expect(early == (b"HTTP/1.1 103 " in came), lambda: f"a 103 that was sent, or was not: {came!r}")
    if is_served:
        expect(seen[0]["trailers"] == case.trailers, f"the request's trailers are {seen[0]['trailers']}")
        for response in got:
            trailers = {"x-sum": "1"} if response.body and response.target.endswith("/chunked") else {}
            expect(response.trailers == trailers, f"the response's trailers are {response.trailers}")


def judge_answer(case, seen, came):
    """The same of an answer: a whole one must be one that the case allows, and the next the next request's."""
    wrong = [entry["malformed"] for entry in seen if "malformed" in entry]
    expect(not wrong, lambda: f"the program got something malformed: {wrong}")
    got = responses(came, [case.method, "GET"])
    for first in got[:1]:
        expect(
            first.status == 502 or (first.status, first.body) in case.answers, lambda: f"the client got {first}")
    for second in got[1:]:
        expect(second.status == 200 and second.target == case.next, lambda: f"the next answer was {second}")
    expect(len(got) == 2 or not case.is_sound, lambda: f"the client got only {got}")


def every(cases, do, ending=""):
    """Does it with each case in each chain whose name has that ending, and fails with all that went wrong."""
    with chained() as mesh:
        mesh.up()
        chains = Chains(mesh)
        ports = [(name, port) for name, port in chains.ports.items() if name.endswith(ending)]
        failures = []
        for number, template in enumerate(cases):
            for place, (chain, port) in enumerate(ports):
                case = template.at(f"/{number}.{place}")
                if case.unless and case.unless in chain:
                    continue
                try:
                    came = exchange(port, case.bytes)
                    do(case, chain, chains.seen(), came)
                except Failed as failure:
                    failures.append(f"{case.name}, {chain}: {failure}")
                    chains.seen()
        expect(not failures, lambda: f"{len(failures)} failed: {' | '.join(failures)}")
        return f"{len(cases)} cases in {len(ports)} chains"


@check
def requests_framedAmbiguously_areReadAlikeInEveryChain_orRefused():
    return every(REQUESTS, judge)


@check
def answers_framedAmbiguously_areNeverTakenForAnothers():
    # What nginx makes of a program that is at odds with itself is its own affair.
    return every(ANSWERS, lambda case, _, seen, came: judge_answer(case, seen, came), ending="front")
