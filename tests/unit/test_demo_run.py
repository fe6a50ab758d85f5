import signal
import subprocess
from pathlib import Path

import pytest

from airflow_sv_versioning.demo.airflow_runs import AirflowHome, AirflowRuns, find_dags
from airflow_sv_versioning.demo.content import Content, differences
from airflow_sv_versioning.demo.processes import Server, child, time_limit
from airflow_sv_versioning.demo.run import run_demo
from airflow_sv_versioning.demo.steps import Steps
from airflow_sv_versioning.exceptions import RemoteTaskFailedError, WaitTimeoutError
from tests.support.types import Capsys, Patch

SERVER = Server("http://127.0.0.1:1", "secret", 1, 1)
WAIT_FOREVER = "import signal; print('up', flush=True); signal.pause()"
ECHO = "import sys; sys.stdin.readline(); print('a log line'); print('demo-answer: ' + sys.argv[1])"


def test_a_demo_whose_server_cannot_start_fails_at_that_step(tmp_path: Path, capsys: Capsys):
    (tmp_path / "server").write_text("not a folder")

    assert run_demo(str, tmp_path) != 0

    said = capsys.readouterr()
    assert "failed at the step 'Start the server'" in said.err
    assert str(tmp_path / "server.log") in said.err
    assert said.out == ""


def test_an_airflow_of_its_own_sees_no_settings_of_another(tmp_path: Path, monkeypatch: Patch):
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "postgresql://production")
    monkeypatch.setenv("HOME", "/home/somebody")

    environment = AirflowHome(tmp_path, find_dags(), SERVER, tmp_path / "log").environment

    assert "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" not in environment
    assert environment["AIRFLOW_HOME"] == str(tmp_path)
    assert environment["HOME"] == "/home/somebody"


def test_a_child_ends_with_its_block():
    with child(["-c", WAIT_FOREVER], errors=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"

    assert process.returncode == -signal.SIGTERM


def test_a_child_that_takes_too_long_is_killed_and_named():
    with child(["-c", WAIT_FOREVER], errors=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        with pytest.raises(WaitTimeoutError, match="A long task"), time_limit(process, 0.2, "A long task"):
            process.stdout.read()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"state": "failed", "failed": ["train"], "xcoms": {}}', "DAG d ended as failed; failed: train"),
        ("", "Airflow ended while it ran DAG d"),
    ],
)
def test_a_run_that_fails_names_dag_and_task(answer: str, expected: str, tmp_path: Path):
    program = ECHO if answer else "import sys; sys.stdin.readline()"
    with (
        (tmp_path / "log").open("w") as log,
        child(["-c", program, answer], errors=subprocess.STDOUT) as process,
        pytest.raises(RemoteTaskFailedError, match=expected),
    ):
        AirflowRuns(process, log).run("d", {}, [])


def test_a_run_gives_its_xcoms_and_its_log_lines(tmp_path: Path):
    lines: list[str] = []
    answer = '{"state": "success", "failed": [], "xcoms": {"train.return_value": 1}}'
    with (
        (tmp_path / "log").open("w") as log,
        child(["-c", ECHO, answer], errors=subprocess.STDOUT) as process,
    ):
        found = AirflowRuns(process, log).run("d", {}, [("train", "return_value")], lines.append)

    assert found == {"train.return_value": 1}
    assert lines == ["a log line\n"]
    assert (tmp_path / "log").read_text() == "a log line\n"


def test_differences_name_what_is_elsewhere_or_else():
    one = Content({}, {"a": 1, "b": 2}, {"a/x.png": {"figures": []}})
    other = Content({"tags": []}, {"a": 1}, {"a/x.png": {"figures": [1]}, "a/y.png": {}})

    assert differences(one, other) == ["meta", "b", "a/x.png", "a/y.png"]
    assert differences(one, one) == []
    assert one.digest != other.digest


def test_the_rows_hold_every_step_and_the_sum():
    steps = Steps()
    for name in ("Make tea", "Drink it"):
        with steps.step(name) as step:
            step.result = "good"

    first, second, total = steps.rows()
    assert (first[:2], second[:2]) == (("Make tea", "good"), ("Drink it", "good"))
    assert total == ("", "all of it held", f"{sum(step.seconds for step in steps.begun):.1f}")
