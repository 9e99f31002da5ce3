"""Chromium without a window, driven over a pipe by its own protocol: no driver, no open port.

The protocol is https://chromedevtools.github.io/devtools-protocol: messages in JSON, each ended by
a zero byte, to the browser on its file descriptor 3 and from it on 4.
"""

import base64
import fcntl
import itertools
import json
import os
import select
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-component-update",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--window-size=1400,1000",
    "--remote-debugging-pipe",
)
DEADLINE_SECONDS = 200.0
GONE = "Inspected target navigated"


class PageGoneError(Exception):
    """The page went elsewhere before a script had ended."""


class Chromium:
    """One page in a browser of its own; a context manager that ends it.

    Attributes:
        answers: Status and address of every answer of a server.
        errors: What scripts of the page have thrown.
    """

    def __init__(self, program: str, profile: Path) -> None:
        self._program = program
        self._profile = profile
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session: str | None = None
        self.answers: list[tuple[int, str]] = []
        self.errors: list[str] = []

    def __enter__(self) -> Self:
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()
        # Out of the way first: one of them may have the number that the other one is to get.
        given = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (to_read, to_write)]

        def connect() -> None:
            os.dup2(given[0], 3)
            os.dup2(given[1], 4)

        self._process = subprocess.Popen(
            [self._program, *FLAGS, f"--user-data-dir={self._profile}", "about:blank"],
            preexec_fn=connect,  # noqa: PLW1509 - no threads have been started
            pass_fds=(3, 4),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for one in (to_read, to_write, *given):
            os.close(one)
        target = self.tell("Target.createTarget", url="about:blank")["targetId"]
        attached = self.tell("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.tell(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)
        os.close(self._to)
        os.close(self._from)

    def tell(self, method: str, **parameters: object) -> dict[str, Any]:
        """Have the browser do something, and wait until it has."""
        number = next(self._numbers)
        message: dict[str, object] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 2 * DEADLINE_SECONDS
        while True:
            found = self._next(deadline)
            if found.get("id") == number:
                if GONE in found.get("error", {}).get("message", ""):
                    raise PageGoneError(method)
                assert "error" not in found, f"{method}: {found['error']}"
                result: dict[str, Any] = found["result"]
                return result
            self._notice(found)

    def _next(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))[0]
            assert ready, "the browser does not answer"
            piece = os.read(self._from, 1 << 20)
            assert piece, "the browser has ended"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def _notice(self, event: dict[str, Any]) -> None:
        if event.get("method") == "Network.responseReceived":
            answer = event["params"]["response"]
            self.answers.append((answer["status"], answer["url"]))
        elif event.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(event["params"]["exceptionDetails"])[:500])

    def open(self, address: str) -> None:
        """Go to a page; what it draws is waited for with `wait`."""
        self.answers.clear()
        self.tell("Page.navigate", url=address)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; of a promise, what it comes to."""
        found = self.tell(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]["exception"]
        return found["result"].get("value")

    def wait(self, condition: str) -> Any:
        """Wait until a JavaScript expression is true, and return it."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            script = f"""new Promise(done => {{
                const end = Date.now() + 2000;
                const look = () => {{
                    let found = null;
                    try {{ found = {condition} }} catch {{ /* not there yet */ }}
                    found || Date.now() > end ? done(found) : setTimeout(look, 50);
                }};
                look();
            }})"""
            with suppress(PageGoneError):  # a link was followed: look at the next page
                if found := self.run(script):
                    return found
        raise AssertionError(f"never true: {condition}; the page says: {self.words()[:3000]}")

    def words(self) -> str:
        """The text of the page as it is shown."""
        return str(self.run("document.body.innerText"))

    def wait_for(self, words: str) -> None:
        """Wait until the page shows some text."""
        self.wait(f"document.body.innerText.includes({json.dumps(words)})")

    def click(self, selector: str, words: str = "") -> None:
        """Click the first element that a CSS selector finds and that holds some text."""
        element = (
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            f".find(one => one.textContent.includes({json.dumps(words)}))"
        )
        self.wait(f"!!{element}")
        self.run(f"{element}.click()")

    def picture(self, path: Path) -> None:
        """Save what the window shows as a PNG."""
        found = self.tell("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(found["data"]))
