"""A cable between two network namespaces that can be cut without a word, and made slow.

Each end is a TUN device in a namespace of its own; packets pass through this process, which keeps
them for a while or loses them. Nothing outside the two namespaces is touched.
"""

import contextlib
import ctypes
import fcntl
import heapq
import math
import os
import select
import struct
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

ADDRESS, OTHER_END = "10.203.0.1", "10.203.0.2"
TUN, TUN_WITHOUT_HEADER, SET_NAME = Path("/dev/net/tun"), 0x1001, 0x400454CA
LARGEST_PACKET = 65536
QUEUE_SECONDS = 0.2
"""What would wait longer for its turn on a narrow cable is lost, as in a router."""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def enter(namespace: str) -> None:
    """Move the calling thread into a network namespace."""
    with Path("/run/netns", namespace).open("rb") as entrance:
        if ctypes.CDLL(None, use_errno=True).setns(entrance.fileno(), 0):
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")


class Cable:
    """Two namespaces and what is between them, as long as the block lasts.

    Attributes:
        near: Namespace of the server, which has ``ADDRESS``.
        far: Namespace of the workers.
        delay: Seconds that a packet takes, either way.
        cut: Whether packets are lost.
        rate: Bytes a second that pass, either way.
    """

    def __init__(self) -> None:
        self.near, self.far = f"hpo-near-{os.getpid()}", f"hpo-far-{os.getpid()}"
        self.delay = 0.0
        self.cut = False
        self.rate = math.inf
        self._unplugged = threading.Event()
        self._relay = threading.Thread(target=self._forward)
        self._ends: list[int] = []

    def __enter__(self) -> Self:
        try:
            self._plug(self.near, ADDRESS, OTHER_END)
            self._plug(self.far, OTHER_END, ADDRESS)
        except (OSError, subprocess.CalledProcessError):
            self._unplug()
            raise
        self._relay.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._unplugged.set()
        self._relay.join()
        self._unplug()

    def _plug(self, namespace: str, address: str, peer: str) -> None:
        ip("netns", "add", namespace)
        opened: list[int] = []
        inside = threading.Thread(target=lambda: opened.append(device_in(namespace)))
        inside.start()
        inside.join()
        self._ends += opened
        ip("-n", namespace, "link", "set", "lo", "up")
        ip("-n", namespace, "address", "add", address, "peer", peer, "dev", "cable")
        ip("-n", namespace, "link", "set", "cable", "up")

    def _unplug(self) -> None:
        for end in self._ends:
            os.close(end)
        for namespace in (self.near, self.far):
            with contextlib.suppress(subprocess.CalledProcessError):
                ip("netns", "delete", namespace)

    def _forward(self) -> None:
        near, far = self._ends
        other = {near: far, far: near}
        free = {near: 0.0, far: 0.0}
        under_way: list[tuple[float, int, bytes]] = []
        while not self._unplugged.is_set():
            for end in select.select([near, far], [], [], 0.005)[0]:
                packet = os.read(end, LARGEST_PACKET)
                turn = max(free[end], time.monotonic())
                if turn - time.monotonic() < QUEUE_SECONDS:
                    free[end] = turn + len(packet) / self.rate
                    heapq.heappush(under_way, (free[end] + self.delay, other[end], packet))
            while under_way and under_way[0][0] <= time.monotonic():
                _, end, packet = heapq.heappop(under_way)
                if not self.cut:
                    os.write(end, packet)


def device_in(namespace: str) -> int:
    """Make the device ``cable`` in a namespace; its file."""
    enter(namespace)
    device = os.open(TUN, os.O_RDWR)
    fcntl.ioctl(device, SET_NAME, struct.pack("16sH", b"cable", TUN_WITHOUT_HEADER))
    return device
