"""The distance to the nearest kink is exact, in every block; and how kinks are counted."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from cnncli.checking.gradcheck import Gradcheck, engine_gradients
from cnncli.checking.measures import Loss
from cnncli.checking.probe import Probe
from cnncli.network.architecture import Architecture
from cnncli.network.chain import Chain, build_chain
from cnncli.network.record import Record
from cnncli.network.textbook import Textbook
from cnncli.subject.fresh import FreshNetwork
from cnncli.subject.subject import Subject, choose


def follow_loss(chain: Chain, record: Record, subject: Subject) -> Loss:
    return Loss(chain.output, subject.y, record[chain.logit.gradient.name], np.zeros(len(subject.y)), 0.0)


@given(
    seed=st.integers(0, 10_000),
    name=st.sampled_from(["X", "w1", "b1", "Z1", "A1", "P1", "w2", "b2", "Z2", "A2", "P2", "w3", "b3", "F"]),
)
def test_the_first_maximum_changes_hands_at_the_certified_distance(seed: int, name: str) -> None:
    subject = choose(
        [], None, None, FreshNetwork({"filters": (2, 2), "kernel": 2}, image_size=10, channels="rgb", seed=seed)
    )
    textbook = Textbook(subject.architecture)
    record = textbook.record(subject.parameters, subject.X, subject.y)
    chain = textbook.chain
    readers = [i for i, step in enumerate(chain.steps) if name in [tensor.name for tensor in step.reads]]
    probe = Probe(chain.steps[readers[0] :], record, name, follow_loss(chain, record, subject))
    entries = np.random.default_rng(seed).integers(0, probe.size, 5)
    distance = probe.reach(entries).distance
    finite = np.isfinite(distance)
    for side in (1, -1):
        assert not probe.leaves_piece(entries, side * np.where(finite, 0.99 * distance, 1.0)).any()
    assume(finite.any())
    # Just beyond it, on one of the two sides, a maximum has changed hands.
    entries, beyond = entries[finite], 1.01 * distance[finite]
    clear = beyond > 1e-9  # 1 % of less is rounding
    changed = probe.leaves_piece(entries, beyond) | probe.leaves_piece(entries, -beyond)
    assert changed[clear].all()


def test_a_parameter_of_the_dense_layer_meets_no_kink() -> None:
    subject = choose([], None, None, FreshNetwork())
    textbook = Textbook(subject.architecture)
    record = textbook.record(subject.parameters, subject.X, subject.y)
    probe = Probe(textbook.chain.steps[-1:], record, "w2", follow_loss(textbook.chain, record, subject))
    assert np.isinf(probe.reach(np.arange(4)).distance).all()


def test_the_distance_in_the_notes_example_is_the_one_by_hand() -> None:
    # Z1 moves by 1 with b1, and the |Z1| nearest to 0 is 0.5.
    subject = choose([], None, None, FreshNetwork())
    textbook = Textbook(subject.architecture)
    record = textbook.record(subject.parameters, subject.X, subject.y)
    probe = Probe(textbook.chain.steps, record, "b1", follow_loss(textbook.chain, record, subject))
    assert probe.reach(np.array([0])).distance.tolist() == [0.5]


def test_kinks_are_counted_by_kind() -> None:
    # Two filters over a flat image: one gives Z1 = 2 everywhere, the other 0.
    architecture = Architecture(4, 4, filters=(2,), kernel=1, pool=2)
    parameters = {name: np.zeros(shape) for name, shape in build_chain(architecture).parameter_shapes.items()}
    parameters["w1"][0] = 2
    subject = Subject(architecture, parameters, ("0", "1"), np.ones((1, 1, 4, 4)), np.array([0]), ("",), "")
    ties = Gradcheck(subject, engine_gradients(Textbook(architecture), subject)).ties()
    assert ties.counts == {"relus": 16, "windows": 4, "dead_windows": 4}
    assert ties.convention == "relu′(0) = 0; of equal maxima the first takes the gradient"
