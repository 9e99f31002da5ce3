"""A wire between a client and the server's socket that counts round trips and can be long.

A round trip is a turn of the talk: a request that follows an answer. It is counted from the bytes,
so nothing that a library sends by itself is overlooked.
"""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

CHUNK = 65536


class Wire:
    """A port on this machine in front of a Unix socket, as long as the block lasts.

    Attributes:
        port: Where clients connect.
        requests: The first bytes of each turn, in their order; to be cleared between measurements.
    """

    def __init__(self, socket: Path, delay_seconds: float = 0.0) -> None:
        """Prepare a wire.

        Args:
            socket: The server's socket.
            delay_seconds: How long each byte is under way, in either direction.
        """
        self.port = 0
        self.requests: list[bytes] = []
        self._socket = socket
        self._delay = delay_seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        listening = asyncio.start_server(self._connected, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        self.port = server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _hang_up(self) -> None:
        """Wait for the ends of talks whose clients have gone."""
        talks = asyncio.all_tasks() - {asyncio.current_task()}
        if talks:
            await asyncio.wait(talks, timeout=10)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(self._socket)
        answered = True

        def request(sent: bytes) -> None:
            nonlocal answered
            if answered:
                self.requests.append(sent)
            answered = False

        def answer(_: bytes) -> None:
            nonlocal answered
            answered = True

        await asyncio.gather(
            self._forward(reader, to_server, request), self._forward(from_server, writer, answer)
        )

    async def _forward(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        note: Callable[[bytes], None],
    ) -> None:
        while chunk := await reader.read(CHUNK):
            note(chunk)
            self._loop.call_later(self._delay, writer.write, chunk)
        self._loop.call_later(self._delay, writer.close)
