"""Requests and answers whose framing is rare, ambiguous or wrong; see `framing`. `@` stands for the case's own path."""

from dataclasses import dataclass, field, replace

# Ends the connection, so that nobody need guess whether more is to come.
END = "GET @/end HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
LAST = ("GET", "@/end", "")


@dataclass
class Request:
    """Bytes, and what may be made of them: readings, each a list of requests (method, target, body); None: refused.

    A front alone refuses them unless `passes`. A proxy before it may put right what it would have refused.
    """

    name: str
    text: str
    readings: list = field(default_factory=list)
    passes: bool = True
    trailers: dict = field(default_factory=dict)
    # A proxy that can't do this.
    unless: str | None = None

    def at(self, place):
        readings = [
            [request and (request[0], request[1].replace("@", place), request[2]) for request in [*reading, LAST]]
            for reading in self.readings or [[None]]]
        return replace(self, text=(self.text + END).replace("@", place), readings=readings)

    @property
    def bytes(self):
        return self.text.encode("latin-1")


def head(line, *fields, host="Host: h"):
    return "\r\n".join([f"{line} HTTP/1.1", *([host] if host else []), *fields, "", ""])


def post(*fields, body):
    return head("POST @/1", *fields) + body


def passes(name, text, *reading, **more):
    return Request(name, text, [list(reading)], **more)


def refused(name, text, *readings):
    """Refused by a front; the readings are those of proxies that put it right."""
    return Request(name, text, [list(reading) for reading in readings], passes=False)


GET = ("GET", "@/1", "")
HELLO = ("POST", "@/1", "hello")
EMPTY = ("POST", "@/1", "")
SMUGGLED = "GET @/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
LENGTH, CHUNKED = "Content-Length: 5", "Transfer-Encoding: chunked"
CHUNKS = "5\r\nhello\r\n0\r\n\r\n"
BIG = "".join(chr(97 + place % 26) for place in range(200_000))
MANY_CHUNKS = "".join(f"{len(BIG[at:at + 777]):x}\r\n{BIG[at:at + 777]}\r\n" for at in range(0, len(BIG), 777))

REQUESTS = [
    # What is right, if rare.
    passes("three in one write", head("GET @/1") + head("GET @/2") + head("GET @/3"),
           GET, ("GET", "@/2", ""), ("GET", "@/3", "")),
    passes("a length, and another request behind", post(LENGTH, body="hello") + head("GET @/2"),
           HELLO, ("GET", "@/2", "")),
    passes("a body with GET", head("GET @/1", LENGTH) + "hello", ("GET", "@/1", "hello")),
    passes("chunks", post(CHUNKED, body=CHUNKS), HELLO),
    passes("many chunks", post(CHUNKED, body=MANY_CHUNKS + "0\r\n\r\n"), ("POST", "@/1", BIG)),
    passes("a chunk's extension", post(CHUNKED, body='5;a="b;c"\r\nhello\r\n0;last\r\n\r\n'), HELLO),
    passes("a chunk's size in capitals, with zeros before it", post(CHUNKED, body="000A\r\nhellohello\r\n0\r\n\r\n"),
           ("POST", "@/1", "hellohello")),
    passes("trailers", post(CHUNKED, "Trailer: X-Sum", body="5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"), HELLO,
           trailers={"x-sum": "1"}),
    passes("a coding in capitals", post("TRANSFER-ENCODING: Chunked", body=CHUNKS), HELLO),
    passes("Expect: 100-continue", post(LENGTH, "Expect: 100-continue", body="hello"), HELLO),
    passes("HEAD", head("HEAD @/1") + head("GET @/2"), ("HEAD", "@/1", ""), ("GET", "@/2", "")),
    passes("HEAD of chunks", head("HEAD @/chunked"), ("HEAD", "@/chunked", "")),
    # nginx took a 103 for the answer until 1.29.
    passes("103 before the answer", head("GET @/early"), ("GET", "@/early", ""), unless="nginx"),
    passes("204", head("GET @/204"), ("GET", "@/204", "")),
    passes("304", head("GET @/304"), ("GET", "@/304", "")),
    passes("an answer in chunks with a trailer", head("GET @/chunked", "TE: trailers"), ("GET", "@/chunked", "")),
    passes("a method that nobody knows", head("BREW @/1", "Content-Length: 0"), ("BREW", "@/1", "")),
    passes("an upgrade that nobody wants", head("GET @/1", "Upgrade: foo/2", "Connection: Upgrade"), GET),
    passes("an empty line before", "\r\n" + head("GET @/1"), GET),
    passes("the whole URL", head("GET http://h@/1"), GET),
    passes("Connection names the length", post(LENGTH, "Connection: content-length", body="hello"), HELLO),
    passes("Connection names the coding", post("Connection: Transfer-Encoding", CHUNKED, body=CHUNKS), HELLO),
    passes("a length with zeros before it", post("Content-Length: 0005", body="hello"), HELLO),
    passes("Connection names the host", head("GET @/1", "Connection: host"), GET),
    passes("a length among the trailers", post(CHUNKED, body="0\r\nContent-Length: 70\r\n\r\n" + SMUGGLED),
           EMPTY, ("GET", "@/smuggled", "")),
    # What could be read in more than one way.
    refused("a length and chunks", post("Content-Length: 5", CHUNKED, body="0\r\n\r\n" + SMUGGLED),
            [EMPTY, ("GET", "@/smuggled", "")]),
    refused("chunks and a length", post(CHUNKED, "Content-Length: 500", body="0\r\n\r\n" + SMUGGLED),
            [EMPTY, ("GET", "@/smuggled", "")]),
    refused("two lengths", post(LENGTH, "Content-Length: 0", body="hello")),
    refused("two lengths in one line", post("Content-Length: 5, 0", body="hello")),
    refused("a length with a sign", post("Content-Length: +5", body="hello")),
    refused("a length below zero", post("Content-Length: -5", body="hello")),
    refused("a length in hexadecimal", post("Content-Length: 0x5", body="hello")),
    refused("a length with an underscore", post("Content-Length: 0_5", body="hello")),
    refused("an empty length", post("Content-Length: ", body="")),
    refused("a length beyond 64 bits", post("Content-Length: 18446744073709551621", body="hello")),
    refused("a coding that nobody knows", post("Transfer-Encoding: xchunked", body=CHUNKS)),
    refused("chunked, but not last", post("Transfer-Encoding: chunked, identity", body=CHUNKS), [HELLO]),
    refused("chunked in a second line that is not last", post(CHUNKED, "Transfer-Encoding: x", body=CHUNKS), [HELLO]),
    refused("chunked twice", post(CHUNKED, CHUNKED, body=CHUNKS), [HELLO]),
    refused("gzip before chunked", post("Transfer-Encoding: gzip, chunked", body=CHUNKS)),
    refused("chunked, and identity in a second line",
            post(CHUNKED, "Transfer-Encoding: identity", LENGTH, body=CHUNKS)),
    refused("chunked behind a tab, and a length", post("Transfer-Encoding:\tchunked", LENGTH, body=CHUNKS), [HELLO]),
    refused("a length before a colon and a space", post("Content-Length : 5", body="hello")),
    refused("chunked behind a bare line end", post(LENGTH, "X: a\nTransfer-Encoding: chunked", body=CHUNKS), [HELLO]),
    refused("chunked behind a vertical tab", post("Transfer-Encoding: \x0bchunked", body=CHUNKS), [HELLO]),
    refused("a space before the colon", post("Transfer-Encoding : chunked", LENGTH, body=CHUNKS)),
    refused("a space before the first field", "GET @/1 HTTP/1.1\r\n X: y\r\nHost: h\r\n\r\n"),
    refused("a folded field", post("X: a\r\n b", LENGTH, body="hello"), [HELLO]),
    refused("a folded coding", post("Transfer-Encoding:\r\n chunked", body=CHUNKS), [HELLO]),
    refused("a line that ends with LF alone", head("GET @/1").replace("\r\nHost", "\nHost"), [GET]),
    refused("a head that ends with LF alone", "GET @/1 HTTP/1.1\nHost: h\n\n", [GET]),
    refused("CR within a value", head("GET @/1", "X: a\rTransfer-Encoding: chunked"), [GET]),
    refused("NUL within a value", head("GET @/1", "X: a\0b"), [GET]),
    refused("NUL within a name", head("GET @/1", "X\0: a"), [GET]),
    refused("no host", head("GET @/1", host=""), [GET]),
    refused("two hosts", head("GET @/1", "Host: other"), [GET]),
    refused("chunks with HTTP/1.0", f"POST @/1 HTTP/1.0\r\nHost: h\r\n{CHUNKED}\r\n\r\n{CHUNKS}", [HELLO]),
    refused("another major version", "GET @/1 HTTP/2.0\r\nHost: h\r\n\r\n", [GET]),
    refused("a space within the target", head("GET @/1 x"), [("GET", "@/1%20x", "")]),
    refused("CONNECT", "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"),
    # Chunks that are none.
    refused("a chunk's size below zero", post(CHUNKED, body="-5\r\nhello\r\n0\r\n\r\n")),
    refused("a chunk's size with a sign", post(CHUNKED, body="+5\r\nhello\r\n0\r\n\r\n")),
    refused("a chunk's size with 0x", post(CHUNKED, body="0x5\r\nhello\r\n0\r\n\r\n")),
    refused("a chunk's size with an underscore", post(CHUNKED, body="0_5\r\nhello\r\n0\r\n\r\n")),
    refused("a chunk's size beyond 64 bits", post(CHUNKED, body="10000000000000005\r\nhello\r\n0\r\n\r\n")),
    refused("no size", post(CHUNKED, body="\r\nhello\r\n0\r\n\r\n")),
    refused("a chunk longer than its size", post(CHUNKED, body="3\r\nhello\r\n0\r\n\r\n")),
    refused("a chunk's line that ends with LF alone", post(CHUNKED, body="5\nhello\r\n0\r\n\r\n"), [HELLO]),
    refused("a chunk that ends with LF alone", post(CHUNKED, body="5\r\nhello\n0\r\n\r\n"), [HELLO]),
    refused("a chunk's extension with LF alone", post(CHUNKED, body="5;a\nb\r\nhello\r\n0\r\n\r\n")),
]


@dataclass
class Answer:
    """The bytes that a program answers with, and what may become of them: (status, body), or a 502.

    Another request follows on the client's connection. `is_sound`: it must be answered, too; behind what is wrong the
    connection may also end.
    """

    name: str
    raw: str
    answers: list
    is_sound: bool = False
    method: str = "GET"
    unless: str | None = None
    place: str = "@"

    def at(self, place):
        return replace(self, place=place)

    @property
    def next(self):
        return f"{self.place}/end"

    @property
    def bytes(self):
        target = f"@/raw/{self.raw.encode('latin-1').hex()}"
        return (head(f"{self.method} {target}") + END).replace("@", self.place).encode("latin-1")


def said(*fields, body="", status="200 OK"):
    return "\r\n".join([f"HTTP/1.1 {status}", *fields, "", ""]) + body


EVIL = said("Content-Length: 4", "X-Target: evil", body="evil")
OK = [(200, b"hello")]

ANSWERS = [
    Answer("another answer behind", said(LENGTH, body="hello" + EVIL), OK, is_sound=True),
    Answer("another answer behind chunks", said(CHUNKED, body=CHUNKS + EVIL), OK),
    Answer("a body with HEAD", said("Content-Length: 5", body="hello" + EVIL), [(200, b"")], method="HEAD"),
    Answer("a body with 204", said(status="204 No Content", body=EVIL), [(204, b"")]),
    Answer("a length with 204", said(LENGTH, status="204 No Content", body="hello" + EVIL), [(204, b"")]),
    Answer("a body with 304", said(LENGTH, status="304 Not Modified", body="hello" + EVIL), [(304, b"")]),
    Answer("a length and chunks", said("Content-Length: 3", CHUNKED, body=CHUNKS + EVIL), OK),
    Answer("two lengths", said(LENGTH, "Content-Length: 60", body="hello" + EVIL), []),
    Answer("a length with a sign", said("Content-Length: +5", body="hello" + EVIL), []),
    Answer("a malformed chunk", said(CHUNKED, body="5\r\nhello\r\nzz\r\n" + EVIL), []),
    Answer("a folded field", said(LENGTH, "X: a\r\n b", body="hello" + EVIL), OK),
    Answer("a switch that nobody has asked for", said("Upgrade: x", "Connection: upgrade",
           status="101 Switching Protocols", body=EVIL), []),
]
