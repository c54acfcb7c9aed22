"""The engine itself, with the textbook's signature."""

import os
import time
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

from cnncli.network.architecture import Architecture
from cnncli.network.arrays import Array, Labels, Parameters
from cnncli.network.chain import build_chain
from cnncli.network.engine import Gradients
from cnncli.network.fused.board import MOST_LANES, Board, Plan, Worker, plan, shares

if TYPE_CHECKING:
    from cnncli.network.fused.team import Team

SECONDS_ALONE = 0.5  # of work that could have been shared: then helpers are started
ROOM = 64  # images on a team's board, or more where a batch has more


class Fused:
    """The engine for speed. X (m, C, H, W) and the parameters are read as float32.

    `threads` is the number of processor cores where it is not given: so many processes share a batch that is worth it,
    this one and helpers. These are started once there has been some work for them; until they are ready, and if they
    cannot be had, this process does everything. One engine serves one caller at a time. They are started by
    multiprocessing: a script that uses the engine needs `if __name__ == "__main__":`.
    """

    name = "fused engine"

    def __init__(self, architecture: Architecture, threads: int | None = None) -> None:
        self.architecture = architecture
        self.threads = min(threads or available_cores(), MOST_LANES)
        self.output = build_chain(architecture).output
        self._worker = Worker(architecture)
        self._board = Board(architecture, 0, _memory(architecture, 0))  # of this process, with room for no images
        self._team: Team | None = None
        self._seconds_alone = 0.0  # of work that could have been shared
        threadpool_limits(1, "blas")  # for good: beside our processes the threads of BLAS would only be in the way

    @staticmethod
    def takes(architecture: Architecture) -> bool:
        """Whether it can train and run such a network: max pooling side by side, stride and dilation 1."""
        apart = architecture.window_stride == architecture.pool
        return architecture.pooling == "max" and apart and architecture.stride == architecture.dilation == 1

    @property
    def helped(self) -> bool:
        """Whether helpers are ready to share the next batch."""
        try:
            return self._team is not None and self._team.ready
        except (EOFError, OSError):  # one has ended before it was ready
            self._stay_alone()
            return False

    def logits(self, parameters: Parameters, X: Array) -> Array:
        """z of the dense layer, by a forward pass that keeps nothing: (m, K)."""
        return self._work(parameters, X, None).z[: len(X)].copy()

    def loss_and_gradients(self, parameters: Parameters, X: Array, y: Labels) -> Gradients:
        """L, its derivative for every parameter, and the logits of a batch; all float32."""
        m = len(X)
        board = self._work(parameters, X, y)
        z = board.z[:m].copy()
        loss = float(self.output.losses(z, y).sum()) / m
        return Gradients(loss, board.gradients(len(plan(self.architecture, m).lanes)), z)

    def _work(self, parameters: Parameters, X: Array, y: Labels | None) -> Board:
        """The board with the logits of a batch, and with the sums of its gradients where there are labels."""
        cut = plan(self.architecture, len(X))
        team = self._team_for(cut)
        board = team.board if team else self._make_board(cut.m)
        board.write(parameters, y)
        if team:
            self._share(team, cut, X, gradients=y is not None)
            return board
        start = time.perf_counter()
        self._worker.work(board, X, range(len(cut.lanes)), gradients=y is not None)
        if len(cut.lanes) > 1:
            self._seconds_alone += time.perf_counter() - start
        return board

    def _share(self, team: "Team", cut: Plan, X: Array, *, gradients: bool) -> None:
        """Have the helpers work on their shares of a batch, and do one here."""
        own, *others = shares(len(cut.lanes), self.threads)
        for lanes in others:
            chosen = cut.images(lanes)
            team.board.images[chosen] = X[chosen]
        try:
            team.ask(cut.m, others, gradients=gradients)
            self._worker.work(team.board, X, own, gradients=gradients)
            undone = team.undone()
        except BaseException:
            self._team = None
            team.stop()  # they may still be writing
            raise
        for lanes in undone:
            self._worker.work(team.board, X, lanes, gradients=gradients)
        if undone:
            self._stay_alone()

    def _team_for(self, cut: Plan) -> "Team | None":
        """The team that shares such a batch, if it is worth it and all helpers are there."""
        if min(self.threads, len(cut.lanes)) == 1:
            return None
        if (self._team is None or self._team.board.m < cut.m) and self._seconds_alone >= SECONDS_ALONE:
            from cnncli.network.fused.team import Team  # loads much that a small batch never needs

            try:
                self._team = Team(self.architecture, max(cut.m, ROOM), self.threads - 1)
            except OSError:
                self._stay_alone()
        return self._team if self.helped else None

    def _stay_alone(self) -> None:
        """Helpers cannot be had here, or not for long."""
        self._team, self.threads = None, 1

    def _make_board(self, m: int) -> Board:
        """A board of this process alone with room for m images."""
        if self._board.m < m:
            self._board = Board(self.architecture, m, _memory(self.architecture, m))
        return self._board


def _memory(architecture: Architecture, m: int) -> Array:
    """Memory for a board, which the system gives when it is first written to."""
    return np.zeros(Board.size(architecture, m), np.uint8)


def available_cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
