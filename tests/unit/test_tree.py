import pytest

from airflow_sv_versioning.exceptions import FormatError
from airflow_sv_versioning.snapshot.tree import in_tree_order

Node = tuple[int, "int | None", str]


def ordered(nodes: list[Node]) -> list[tuple[int, str]]:
    tree = in_tree_order(nodes, lambda n: n[0], lambda n: n[1], lambda n: n[2])
    return [(node[0], path) for node, path in tree]


def test_parents_come_first_even_with_larger_ids() -> None:
    assert ordered([(1, 9, "leaf"), (5, None, "other"), (9, 5, "moved")]) == [
        (5, "other"),
        (9, "other/moved"),
        (1, "other/moved/leaf"),
    ]


def test_equal_names_in_different_places_keep_their_places() -> None:
    assert ordered([(1, None, "a"), (2, None, "b"), (3, 1, "x"), (4, 2, "x")]) == [
        (1, "a"),
        (3, "a/x"),
        (2, "b"),
        (4, "b/x"),
    ]


def test_a_dataset_whose_parent_is_unknown_becomes_a_root() -> None:
    assert ordered([(1, 77, "orphan")]) == [(1, "orphan")]


def test_a_circle_is_refused() -> None:
    with pytest.raises(FormatError):
        ordered([(1, 2, "a"), (2, 1, "b")])


@pytest.mark.parametrize("parent", [None, 1, 2, 7])
def test_an_id_that_is_listed_twice_is_refused(parent: int | None) -> None:
    """Once as its own descendant, it would go on for ever."""
    with pytest.raises(FormatError, match="Dataset 1 is listed twice"):
        ordered([(1, None, "a"), (1, parent, "b"), (2, 1, "c")])


def test_a_chain_whose_paths_would_fill_the_memory_is_refused() -> None:
    chain: list[Node] = [(i, i - 1 if i else None, "d" * 100) for i in range(5_000)]
    with pytest.raises(FormatError, match="nested so deep"):
        ordered(chain)


def test_the_paths_of_many_children_of_one_long_name_are_not_made_at_once() -> None:
    fan: list[Node] = [(0, None, "d" * 1_000_000), *((i, 0, "c") for i in range(1, 100_000))]
    with pytest.raises(FormatError, match="nested so deep"):
        ordered(fan)


def test_a_very_deep_tree_needs_no_deep_stack() -> None:
    chain: list[Node] = [(i, i - 1 if i else None, "d") for i in range(5000)]
    assert ordered(chain)[-1][0] == 4999
