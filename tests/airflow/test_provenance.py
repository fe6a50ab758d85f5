from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest

from airflow_sv_versioning.operators.provenance import default_description, default_title, find_lateness
from tests.support.airflow_runs import running_context

MARK = "run=0123456789abcdef"


def test_the_title_names_the_dag_and_the_task():
    assert default_title(running_context()) == "training / back_up"


def test_a_mapped_task_tells_its_index():
    assert default_title(running_context(map_index=3)) == "training / back_up[3]"


def test_the_description_tells_when_it_was_made_and_by_which_run():
    context = running_context(more={"logical_date": datetime(2026, 2, 1, tzinfo=timezone.utc)})

    assert default_description(context, MARK, datetime(2026, 2, 2, 1, 0, 7, tzinfo=timezone.utc)) == (
        "Made 2026-02-02T01:00:07+00:00 by Airflow: dag_id=training, task_id=back_up, "
        "run_id=manual__2026-03-01, logical_date=2026-02-01T00:00:00+00:00, run=0123456789abcdef"
    )


def test_a_run_without_logical_date_tells_when_it_may_run():
    context = running_context(more={"logical_date": None})

    assert default_description(context, MARK).endswith(f", run_after=2026-03-01T04:05:06+00:00, {MARK}")


@pytest.mark.parametrize(
    ("run_type", "due", "is_told"),
    [
        ("backfill", timedelta(minutes=5), True),
        ("backfill", timedelta(days=300), True),
        ("scheduled", timedelta(days=300), True),
        ("scheduled", timedelta(hours=6), False),
        ("manual", timedelta(0), True),
    ],
)
def test_a_run_of_the_past_is_told_that_its_version_is_of_now(run_type: str, due: timedelta, is_told: bool):
    run_after = datetime.now(timezone.utc) - due
    context = running_context()
    context["dag_run"] = SimpleNamespace(run_type=run_type, run_after=run_after)
    context["logical_date"] = run_after - timedelta(days=1)

    lateness = find_lateness(context)

    assert (lateness is not None) == is_told
    if lateness:
        assert f"logical_date is {context['logical_date'].isoformat(timespec='seconds')}" in lateness


def test_long_names_lose_their_middle_and_the_rest_stays_whole():
    context = running_context(dag_id="d" * 120 + "END", task_id="t" * 120 + "END", run_id="manual__1")

    description = default_description(context, MARK)

    assert len(description) <= 255
    assert description.count("…") == 2
    assert description.count("END, ") == 2
    assert "run_id=manual__1, " in description
    assert description.endswith(f"2026-03-01T04:05:06+00:00, {MARK}")


def test_the_longest_names_of_airflow_fit():
    context = running_context(dag_id="d" * 250, task_id="t" * 250, run_id="r" * 250, map_index=1023)

    assert len(default_description(context, MARK)) <= 255
    assert len(default_title(context)) <= 255
