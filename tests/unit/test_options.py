"""What may be chosen, and what is said of other words."""

import pytest

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.versioning.options import CreateOptions, RestoreOptions


@pytest.mark.parametrize(
    ("options", "argument", "choices"),
    [
        (CreateOptions, "on_concurrent_change", "accept, fail"),
        (CreateOptions, "capture", "auto, incremental, full"),
        (CreateOptions, "on_busy", "wait, fail"),
        (RestoreOptions, "missing_entities", "fail, skip, placeholder, reupload"),
        (RestoreOptions, "verify", "counts, full"),
    ],
)
@pytest.mark.parametrize("value", ["Fail!", "", None, 1])
def test_a_word_that_is_no_choice_is_refused_with_the_choices(options, argument, choices, value) -> None:
    with pytest.raises(ConfigurationError, match=f"{argument} is {value!r}; choose one of {choices}"):
        options(**{argument: value})


def test_texts_are_checked_before_anything_is_asked_of_a_server() -> None:
    with pytest.raises(ConfigurationError, match="title has 256 characters"):
        CreateOptions(title="a" * 256)
    with pytest.raises(ConfigurationError, match="project_name is blank"):
        RestoreOptions(project_name=" ")
