"""What one pipeline call attended to, kept to be replayed: see :mod:`attribution.daam.replay`."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from attribution.daam.recording_stores import FolderStore, MemoryStore
from attribution.errors import TraceError

Grid = tuple[int, int]


class Recording:
    """The cross-attention of one pipeline call: made empty, filled by ``trace(..., record=...)``.

    ::

        with attribution.Recording(folder="scratch") as recording:
            with attribution.trace(pipeline, record=recording):
                pipeline("a rusty shovel", generator=torch.Generator().manual_seed(1))
            with attribution.trace(pipeline, replay=recording):
                pipeline("a wooden shovel", generator=torch.Generator().manual_seed(1))

    With a ``folder``, each step is written to a file of its own there as soon as it is over, and memory holds one step
    at most; the files go when the recording is closed or forgotten, or the process ends. Without, all of it stays in
    main memory. ``unconditional`` keeps the rows of the unconditional half too. A recording of one image may be
    replayed onto several; otherwise both calls draw the same number.

    ``images`` were drawn by the recorded call, on latents of ``grid`` (height, width), at these ``timesteps`` of the
    denoiser's calls.
    """

    def __init__(self, folder: str | Path | None = None, *, unconditional: bool = False) -> None:
        self.unconditional = unconditional
        self.images = 0
        self.grid: Grid = (0, 0)
        self.timesteps: list[float] = []
        self.complete = False
        self._folder = folder
        self._store: MemoryStore | FolderStore | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the recorded queries and keys, in memory or in files."""
        return 0 if self._store is None else self._store.nbytes

    @property
    def store(self) -> MemoryStore | FolderStore:
        """Where the steps are; raises TraceError when the recording is closed."""
        if self._store is None:
            raise TraceError("the recording was closed while a call used it: close it after the call")
        return self._store

    def open(self, images: int) -> None:
        """Begin to record a call that draws ``images``; raises TraceError when there is one already."""
        if self.complete:
            raise TraceError("this recording holds a call already: close() it, or make another for each call")
        self.close()
        self.images = images
        self._store = MemoryStore() if self._folder is None else FolderStore(Path(self._folder))

    def close(self) -> None:
        """Forget the recorded call and remove its files; the recording can be filled again."""
        store, self._store = self._store, None
        self.complete, self.timesteps, self.images = False, [], 0
        if store is not None:
            store.close()

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
