"""Echoes each message of a WebSocket on $PORT; after `bye` it closes with a code and a reason of its own."""

import os

from websockets.sync.server import serve


def echo(socket):
    for message in socket:
        if message == "bye":
            return socket.close(4001, "you said it")
        socket.send(message)


with serve(echo, "127.0.0.1", int(os.environ["PORT"]), max_size=None) as server:
    server.serve_forever()
