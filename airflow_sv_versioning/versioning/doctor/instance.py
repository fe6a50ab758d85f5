"""The instance as a whole: its version, the plan, how many requests it takes at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from airflow_sv_versioning.client.features import FEATURES, missing_features, parse_version, version_text
from airflow_sv_versioning.client.models import FREE_PLAN
from airflow_sv_versioning.versioning.doctor.findings import FAILS, SLOWER, UNKNOWN, WORKS, Finding, Question
from airflow_sv_versioning.versioning.doctor.subject import Refusal, Subject

AT_ONCE = 20


def check_version(subject: Subject) -> Iterator[Finding]:
    """Hold the instance's version against what versions need."""
    version = subject.instance_version
    needed_version = max(feature.since for feature in FEATURES if not feature.is_extra)
    ask = Question("instance_version", f"the instance is {version_text(needed_version)} or newer")
    if (number := parse_version(version)) is None:
        yield ask.answer("it does not tell its version", UNKNOWN)
    elif lacking_features := missing_features(number):
        lacks = ", ".join(
            f"{feature.what} (since {version_text(feature.since)})" for feature in lacking_features
        )
        yield ask.answer(
            f"it is {version}", FAILS if number < needed_version else WORKS, f"It lacks {lacks}."
        )
    else:
        yield ask.answer(f"it is {version}", WORKS)


def check_plan(subject: Subject) -> Iterator[Finding]:
    """Ask whether the team's plan has versions."""
    if subject.project is None:
        return
    plan, ask = subject.plan, Question("plan", "the team's plan includes versions")
    if plan:
        advice = "Versions come with the Pro and Enterprise plans."
        yield ask.judge(f"the plan is {plan}", plan == FREE_PLAN, advice)
    else:
        yield ask.answer("the plan is not told", UNKNOWN)


def check_load(subject: Subject) -> Iterator[Finding]:
    """Send a few requests at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: subject.try_("users.me"), range(AT_ONCE)))
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    ask = Question("load", f"{AT_ONCE} requests at once are answered")
    observed = f"{len(refused)} refused: {refused[0]}" if refused else "all answered"
    yield ask.judge(observed, refused, "Lower max_workers in the connection.", SLOWER)


def check_absence(subject: Subject) -> Iterator[Finding]:
    """Learn how the instance says that a project is not there."""
    answer = subject.try_("projects.info", id=2**31 - 1)
    ask = Question("absence", "what is gone is told in a way that we know")
    if not isinstance(answer, Refusal):
        advice = "What vanishes during a capture is not noticed."
        yield ask.answer("answered as if it were there", FAILS, advice)
    elif answer.status in {400, 403, 404}:
        yield ask.answer(answer, WORKS, gone_status=answer.status)
    else:
        yield ask.answer(answer, UNKNOWN)


def check_hashes(subject: Subject) -> Iterator[Finding]:
    """Ask for as many hashes as the official client asks for at once, and one more."""
    hashes = [f"{number:043d}=" for number in range(901)]
    try:
        answer: object = subject.client.transport.call("images.internal.hashes.list", hashes)
    except Exception as error:  # whatever it is, it is what was to be found out
        answer = error
    is_refused = not isinstance(answer, list)
    advice = "Media are asked for by 900 at once, which is what the official client does."
    ask = Question("hashes", "901 hashes can be asked for at once")
    yield ask.judge("refused" if is_refused else "answered", is_refused, advice, WORKS)
