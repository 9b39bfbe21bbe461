"""A lock that serves in the order of asking.

SQLite's busy timeout lets some worker starve (longest wait 1.5 s against 7 ms with a queue), so the
threads of one process queue here before they ask SQLite for its write lock.
"""

from __future__ import annotations

from collections import deque
from threading import Event, Lock, get_ident

from huijia.errors import Fault


class FifoLock:
    """Mutual exclusion for threads, first come first served. Raises Fault where its holder asks again."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._waiting: deque[Event] = deque()
        self._held = False
        self._holder: int | None = None

    def __enter__(self) -> None:
        if self._holder == get_ident():
            raise Fault("A writing unit was opened inside a writing unit; use the session at hand.")
        with self._guard:
            mine = Event()
            self._waiting.append(mine)
            self._serve()
        try:
            mine.wait()
        except BaseException:  # Ctrl-C while waiting: leave the queue, or hand over what just came
            with self._guard:
                self._leave(mine)
            raise
        self._holder = get_ident()

    def __exit__(self, *_exception: object) -> None:
        with self._guard:
            self._holder, self._held = None, False
            self._serve()

    def _serve(self) -> None:
        # Handed over under the guard: nobody can slip in between.
        if not self._held and self._waiting:
            self._held = True
            self._waiting.popleft().set()

    def _leave(self, mine: Event) -> None:
        if mine in self._waiting:
            self._waiting.remove(mine)
        else:
            self._held = False
            self._serve()
