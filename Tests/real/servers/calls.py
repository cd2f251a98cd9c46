"""A gRPC service on $PORT with a call of each type. Messages are bare bytes, so that nothing need be generated.

/Calls/One      the request's bytes, with trailing metadata `pid`; `missing` fails with NOT_FOUND
/Calls/Down     one response for each byte of the request
/Calls/Up       all requests joined
/Calls/Both     each request as it comes
"""

import os
from concurrent.futures import ThreadPoolExecutor

import grpc


def one(request, context):
    if request == b"missing":
        context.abort(grpc.StatusCode.NOT_FOUND, "no such member: é")
    context.set_trailing_metadata([("pid", str(os.getpid()))])
    return request


def down(request, _):
    for byte in request:
        yield bytes([byte])


def up(requests, _):
    return b"".join(requests)


def both(requests, _):
    yield from requests


server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.max_receive_message_length", -1)])
server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("Calls", {
    "One": grpc.unary_unary_rpc_method_handler(one),
    "Down": grpc.unary_stream_rpc_method_handler(down),
    "Up": grpc.stream_unary_rpc_method_handler(up),
    "Both": grpc.stream_stream_rpc_method_handler(both),
})])
server.add_insecure_port(f"127.0.0.1:{os.environ['PORT']}")
server.start()
server.wait_for_termination()
