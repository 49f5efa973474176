"""A client of the service in e2e/src/support/grpc/echo-service.ts, by grpcio, whose core is that of C++, Ruby and PHP as well.

    grpc_client.py cases                          prints the titles of the cases
    grpc_client.py CASE TARGET [AUTHORITY]        runs one; says ok, or what is wrong with status 1
"""

import os
import sys
import threading

import grpc

SERVICE = "/mesher.test.Echo/"
DETAIL = "as asked: 100 % ✓"
LONGEST_CALL = 20


def unary(channel, method):
    return channel.unary_unary(SERVICE + method)


def same(what, got, wanted):
    if got != wanted:
        sys.exit(f"{what}: expected {str(wanted)[:300]}, but got {str(got)[:300]}")


def values(metadata, name):
    return [value for key, value in metadata or () if key == name]


def unary_call(channel):
    data = os.urandom(300)
    given = (("echo-text", "a b; c"), ("echo-bytes-bin", data), ("trail-text", "z"), ("trail-bytes-bin", data))
    answer, call = unary(channel, "Say").with_call(b"hello", metadata=given, timeout=LONGEST_CALL)
    same("message", answer, b"hello")
    same("head", values(call.initial_metadata(), "echo-text"), ["a b; c"])
    same("bytes in the head", values(call.initial_metadata(), "echo-bytes-bin"), [data])
    same("bytes in the trailers", values(call.trailing_metadata(), "trail-bytes-bin"), [data])


def error(channel):
    for late in (False, True):
        given = [("fail", "9"), ("trail-why", "because")] + ([("fail-late", "1")] if late else [])
        try:
            unary(channel, "Say")(b"x", metadata=given, timeout=LONGEST_CALL)
            sys.exit("it was expected to fail")
        except grpc.RpcError as failed:
            same("code", failed.code(), grpc.StatusCode.FAILED_PRECONDITION)
            same("detail", failed.details(), DETAIL)
            same("trailers", values(failed.trailing_metadata(), "trail-why"), ["because"])


def compressed(channel):
    zeros = bytes(1 << 20)
    same("message", unary(channel, "Say")(zeros, compression=grpc.Compression.Gzip, timeout=LONGEST_CALL), zeros)


def server_streaming(channel):
    numbers = [message[:4] for message in channel.unary_stream(SERVICE + "Count")(b"2000,1000", timeout=LONGEST_CALL)]
    same("messages", numbers, [number.to_bytes(4, "big") for number in range(2000)])


def client_streaming(channel):
    sent = (bytes(number) for number in range(100))
    same("sum", channel.stream_unary(SERVICE + "Sum")(sent, timeout=LONGEST_CALL), b"100,4950")


def both_ways(channel):
    """Each message is sent when the one before was answered, three times 10 MB."""
    may_send = threading.Semaphore(1)
    sent = [os.urandom(10 << 20) for _ in range(3)]

    def messages():
        for message in sent:
            may_send.acquire()
            yield message

    received = 0
    for answer in channel.stream_stream(SERVICE + "Chat")(messages(), timeout=LONGEST_CALL):
        same("message", answer == sent[received], True)
        received += 1
        may_send.release()
    same("messages", received, 3)


def deadline(channel):
    try:
        unary(channel, "Hold")(b"x", timeout=0.3)
        sys.exit("it was expected to fail")
    except grpc.RpcError as failed:
        same("code", failed.code(), grpc.StatusCode.DEADLINE_EXCEEDED)


def many(channel):
    calls = [unary(channel, "Say").future(b"%d" % number, timeout=LONGEST_CALL) for number in range(500)]
    same("messages", [call.result() for call in calls], [b"%d" % number for number in range(500)])


CASES = (
    ("a unary call, with metadata of text and of bytes", unary_call),
    ("errors with detail and trailers, with and without a head", error),
    ("messages that the client has compressed", compressed),
    ("server streaming: 2,000 messages in their order", server_streaming),
    ("client streaming: what was sent is summed up", client_streaming),
    ("both ways: 10 MB each way, in turns", both_ways),
    ("a deadline", deadline),
    ("five hundred calls at once", many),
)


def main():
    if sys.argv[1] == "cases":
        print("\n".join(title for title, _ in CASES))
        return
    _, run = CASES[int(sys.argv[1])]
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.enable_retries", 0)]
    if len(sys.argv) > 3:
        options += [("grpc.default_authority", sys.argv[3]), ("grpc.enable_http_proxy", 0)]
    with grpc.insecure_channel(sys.argv[2], options) as channel:
        run(channel)
    print("ok")


main()
