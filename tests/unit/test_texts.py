import pytest

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.versioning.texts import check_choice, check_text, counts_text, description_text


class WorkflowMeta:
    as_dict = {"customNodeSettings": {"title": "x"}}  # noqa: RUF012 - the shape of the SDK's class


class WorkflowMetaWithMethod:
    def as_dict(self) -> dict[str, int]:
        return {"a": 1}


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (None, None),
        ("words", "words"),
        ({"a": [1, "é"]}, '{"a":[1,"é"]}'),
        (WorkflowMeta(), '{"customNodeSettings":{"title":"x"}}'),
        (WorkflowMetaWithMethod(), '{"a":1}'),
    ],
)
def test_a_description_may_be_text_dict_or_object(given: object, text: str | None) -> None:
    assert check_text("description", description_text(given)) == text


@pytest.mark.parametrize(
    "given", [7, b"bytes", ["list"], "half \ud800", "x" * 256, {"a": "x" * 256}, {"a": object()}]
)
def test_a_description_that_cannot_be_stored_is_refused(given: object) -> None:
    with pytest.raises(ConfigurationError, match="description"):
        check_text("description", description_text(given))


def test_the_longest_text_passes() -> None:
    assert check_text("t", "x" * 255) == "x" * 255


def test_a_wrong_word_is_refused_with_the_right_ones() -> None:
    with pytest.raises(ConfigurationError, match="choose one of counts, full"):
        check_choice("verify", "all", ("counts", "full"))


def test_counts_are_written_for_people() -> None:
    assert counts_text({"datasets": 3, "images": 1200, "tags": 0}) == "3 datasets, 1,200 images, 0 tags"
