"""The clients of service.py: as many as that, each asking again at once; and requests at random moments, some of them slow,
broken off or malformed."""

import asyncio
import collections
import contextlib
import random
import re
import socket
import time

# Of requests that are disturbed: how many are sent slowly, and of how many the answers are read slowly.
SLOWLY = 0.05
# And how many come on top that never are whole requests.
DISTURBING = 0.2
# Seconds that a slow upload takes; the service gives it 30.
UPLOAD = 10
# The kinds of requests that must be answered.
WHOLE = ["plain", "slow_upload", "slow_reader"]
MALFORMED = [
    b"\x00\xff\r\n\r\n",
    b"POST /classify HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    b"POST /classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\nContent-Length: 12\r\n\r\nno picture..",
    b"POST /v2/models/x/infer HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{]",
]


def is_last(head):
    """Whether the service takes no more on this connection."""
    return re.search(rb"(?i)connection: close", head) is not None


def parsed(head):
    """The status of an answer's head, the length of its body, and when to come again."""
    again = re.search(rb"(?i)retry-after: (\d+)", head)
    length = re.search(rb"(?i)content-length: (\d+)", head)
    return int(head.split(b" ", 2)[1]), int(length.group(1)) if length else 0, int(again.group(1)) if again else 0


async def answer(reader):
    """The status of the next answer on a connection, when to come again, and whether it is the last; its body is read and dropped."""
    head = await reader.readuntil(b"\r\n\r\n")
    status, length, again = parsed(head)
    await reader.readexactly(length)
    return status, again, is_last(head)


@contextlib.asynccontextmanager
async def connected(service):
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def closed(service, message, connections, seconds):
    """As many clients as that, each asking again as soon as it is answered, or when it was told to: answers a second from the
    first request to the last answer, and statuses."""
    statuses = collections.Counter()
    start = last = time.monotonic()
    end = start + seconds

    async def client():
        nonlocal last
        while time.monotonic() < end:
            async with connected(service) as (reader, writer):
                left = False
                while not left and time.monotonic() < end:
                    writer.write(message)
                    await writer.drain()
                    status, again, left = await asyncio.wait_for(answer(reader), 120)
                    statuses[status] += 1
                    if status == 200:
                        last = time.monotonic()
                    if time.monotonic() + again >= end:
                        return
                    await asyncio.sleep(again)

    await asyncio.gather(*[client() for _ in range(connections)])
    return statuses[200] / max(last - start, 1e-9), statuses


class Flow:
    """What became of requests that came at random moments."""

    def __init__(self):
        self.counts = collections.defaultdict(collections.Counter)
        # Seconds of answers and of refusals, from the first byte that was sent; of slow uploads from the last one.
        self.taken, self.refused, self.memory = [], [], []
        self.offered = 0

    def note(self, status, seconds):
        (self.taken if status == 200 else self.refused).append(seconds)
        return status

    @property
    def lost(self):
        """How many whole requests got no answer: a broken connection, or nothing for two minutes."""
        return sum(count for kind in WHOLE for status, count in self.counts[kind].items() if not isinstance(status, int))


async def opened(service, message, long, rate, seconds, disturb=False):
    """Whole requests at random moments, `rate` a second, whatever becomes of the others; `disturb` sends some of them slowly, and
    others beside them that never are whole."""
    flow = Flow()
    noise = random.Random(7)

    async def plain():
        start = time.monotonic()
        async with connected(service) as (reader, writer):
            writer.write(message)
            await writer.drain()
            status, _, _ = await answer(reader)
            return flow.note(status, time.monotonic() - start)

    async def slow_upload():
        part = -(-len(message) // 20)
        async with connected(service) as (reader, writer):
            for place in range(0, len(message), part):
                if place:
                    await asyncio.sleep(UPLOAD / 19)
                writer.write(message[place:place + part])
                await writer.drain()
            start = time.monotonic()
            status, _, _ = await answer(reader)
            return flow.note(status, time.monotonic() - start)

    async def slow_reader():
        """Takes a long answer in small parts over some seconds; what it has not taken the kernel holds."""
        loop = asyncio.get_running_loop()
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            start = time.monotonic()
            await loop.sock_connect(client, ("127.0.0.1", service.port))
            await loop.sock_sendall(client, long)
            found = b""
            first = None
            while True:
                part = await loop.sock_recv(client, 256)
                if not part:
                    raise ConnectionError("the answer ended early")
                first = first or time.monotonic() - start
                found += part
                head, end, body = found.partition(b"\r\n\r\n")
                if end and len(body) >= parsed(head)[1]:
                    return flow.note(parsed(head)[0], first)
                await asyncio.sleep(0.25)

    async def slow_client():
        async with connected(service) as (_, writer):
            for part in range(20):
                writer.write(message[part * 40:(part + 1) * 40])
                await writer.drain()
                await asyncio.sleep(0.25)
        return "left"

    async def aborted_upload():
        async with connected(service) as (_, writer):
            writer.write(message[:len(message) // 2])
            await writer.drain()
        return "left"

    async def malformed():
        async with connected(service) as (reader, writer):
            try:
                writer.write(noise.choice(MALFORMED))
                await writer.drain()
                line = await reader.readline()
            except ConnectionError:
                line = b""
            return int(line.split()[1]) if line else "closed"

    async def visit(kind):
        try:
            outcome = await asyncio.wait_for(kind(), 120)
        except Exception as error:
            outcome = type(error).__name__
        flow.counts[kind.__name__][outcome] += 1

    # Random moments of a Poisson process whose count is known.
    arrivals = sorted(noise.uniform(0, seconds) for _ in range(max(1, round(rate * seconds))))
    tasks = []

    def send(kind):
        tasks.append(asyncio.create_task(visit(kind)))

    begin = sampled = time.monotonic()
    flow.memory.append(service.memory())
    for moment in arrivals:
        await asyncio.sleep(max(0, begin + moment - time.monotonic()))
        draw = noise.random() if disturb else 1
        send(slow_upload if draw < SLOWLY else slow_reader if draw < 2 * SLOWLY else plain)
        if disturb and noise.random() < DISTURBING:
            send(noise.choice([slow_client, aborted_upload, malformed]))
        if time.monotonic() - sampled >= 5:
            sampled = time.monotonic()
            flow.memory.append(service.memory())
            tasks[:] = [task for task in tasks if not task.done()]
    # More slowly where this client does not keep up.
    flow.offered = len(arrivals) / max(seconds, time.monotonic() - begin)
    await asyncio.gather(*tasks)
    return flow


def at(values, share):
    """The value below which that share of them lies; `None` of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def named(counter):
    return {str(key): value for key, value in sorted(counter.items(), key=lambda item: str(item[0]))}
