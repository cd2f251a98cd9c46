"""Answers HTTP/1.1 on $PORT through h11, which refuses whatever is ambiguous, and writes what came to the file `seen`.

Each line of that is a whole request, {"method", "target", "body", "trailers"}, or what was wrong: {"malformed"}. The
answer has the target as X-Target and, but for these, as its body; the end of the target chooses another:

/204, /304       without a body
/early           a 103 first
/chunked         in chunks, with a trailer
/close           a body that ends with the connection
/raw/HEX         these bytes; nothing is to come on that connection any more
"""

import json
import os
import socket
import threading

import h11

lock = threading.Lock()


def note(**entry):
    with lock, open("seen", "a") as seen:
        seen.write(json.dumps(entry) + "\n")


def answer(connection, target):
    fields = [("X-Target", target)]
    body = target.encode()
    kind = target.rpartition("/")[2]
    if kind == "early":
        yield connection.send(h11.InformationalResponse(status_code=103, headers=[("Link", "</a>")], reason="Early"))
    if kind in ("204", "304"):
        yield connection.send(h11.Response(status_code=int(kind), headers=fields))
        yield connection.send(h11.EndOfMessage())
        return
    if kind == "chunked":
        fields.append(("Transfer-Encoding", "chunked"))
    elif kind == "close":
        fields.append(("Connection", "close"))
    else:
        fields.append(("Content-Length", str(len(body))))
    if kind == "close":  # h11 would choose chunks
        yield b"HTTP/1.1 200 OK\r\nX-Target: %s\r\nConnection: close\r\n\r\n%s" % (body, body)
        connection.send_failed()
        return
    yield connection.send(h11.Response(status_code=200, headers=fields, reason="OK"))
    yield connection.send(h11.Data(data=body))
    trailers = [("X-Sum", "1")] if kind == "chunked" else []
    yield connection.send(h11.EndOfMessage(headers=trailers))


def serve(client):
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 18)
    request, body, ended = None, b"", False
    while True:
        try:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                if connection.they_are_waiting_for_100_continue:
                    client.sendall(connection.send(h11.InformationalResponse(status_code=100, headers=[])))
                piece = client.recv(65536)
                ended = not piece
                connection.receive_data(piece)
                continue
        except h11.RemoteProtocolError as error:
            # A request that was cut short is none; anything else should not have come this far.
            return None if ended else note(malformed=str(error))
        if isinstance(event, h11.Request):
            request, body = event, b""
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            target = request.target.decode()
            note(
                method=request.method.decode(), target=target, body=body.decode("latin-1"),
                trailers={name.decode(): value.decode() for name, value in event.headers})
            head, _, raw = target.partition("/raw/")
            if raw:
                client.sendall(bytes.fromhex(raw))
                more = client.recv(65536)
                return note(malformed=f"{more!r} came behind {target}") if more else None
            for piece in answer(connection, target):
                client.sendall(piece)
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return None
            connection.start_next_cycle()
        else:  # the client has ended
            return None


def attend(client):
    with client:
        try:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            serve(client)
        except OSError:
            pass  # the client has gone


with socket.create_server(("127.0.0.1", int(os.environ["PORT"])), backlog=100) as listener:
    while True:
        threading.Thread(target=attend, args=[listener.accept()[0]], daemon=True).start()
