"""Answers HTTP/1.1 on $PORT: requests by the thousand, bodies of any size, and server-sent events.

GET /zeros/N     N zero bytes
GET /sent        how many bytes the last of those has taken so far
GET /events      what is posted to /publish, as events, after a first one that says `ready`
PUT              the number of bytes that came
anything else    its own body, or for GET its path; the file `built` comes along as X-Version
"""

import asyncio
import os
import pathlib

built = pathlib.Path("built")
VERSION = built.read_text().strip() if built.exists() else ""
LISTENERS = set()
PIECE = bytes(256 * 1024)
sent = 0


def answer(writer, body, keeps):
    connection = "keep-alive" if keeps else "close"
    writer.write(
        f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: {connection}\r\nX-Pid: {os.getpid()}\r\n"
        f"X-Version: {VERSION}\r\n\r\n".encode() + body)


async def zeros(writer, count):
    global sent
    sent = 0
    writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {count}\r\n\r\n".encode())
    while sent < count:
        writer.write(PIECE[:count - sent])
        await writer.drain()
        sent += len(PIECE[:count - sent])


async def count(reader, length):
    seen = 0
    while seen < length:
        piece = await reader.read(min(len(PIECE), length - seen))
        if not piece:
            break
        seen += len(piece)
    return seen


async def events(writer):
    queue = asyncio.Queue()
    LISTENERS.add(queue)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\ndata: ready\n\n")
    try:
        while True:
            await writer.drain()
            writer.write(b"data: " + await queue.get() + b"\n\n")
    finally:
        LISTENERS.discard(queue)


async def serve(reader, writer):
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            line, *lines = head[:-4].decode("latin-1").split("\r\n")
            method, path, _ = line.split()
            fields = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in lines)}
            length = int(fields.get("content-length", 0))
            keeps = "close" not in fields.get("connection", "")
            if method == "PUT":
                if "expect" in fields:
                    writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = str(await count(reader, length)).encode()
            else:
                body = await reader.readexactly(length) if length else path.encode()
            if path == "/events":
                return await events(writer)
            if path.startswith("/zeros/"):
                await zeros(writer, int(path.rpartition("/")[2]))
            else:
                if path == "/publish":
                    for queue in LISTENERS:
                        queue.put_nowait(body)
                answer(writer, str(sent).encode() if path == "/sent" else body, keeps)
            await writer.drain()
            if not keeps:
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        pass  # the client has gone
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(os.environ["PORT"]), limit=1 << 20, backlog=4096)
    await server.serve_forever()


asyncio.run(main())
