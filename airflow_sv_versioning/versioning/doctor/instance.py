"""The instance as a whole: its version, the plan, how many requests it takes at once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from airflow_sv_versioning.client.features import FEATURES, missing_features, parse_version, version_text
from airflow_sv_versioning.client.models import FREE_PLAN
from airflow_sv_versioning.versioning.doctor.findings import FAILS, SLOWER, UNKNOWN, WORKS, Finding
from airflow_sv_versioning.versioning.doctor.subject import Refusal, Subject

AT_ONCE = 20


def check_version(subject: Subject) -> Iterator[Finding]:
    """Hold the instance's version against what versions need."""
    version = subject.instance_version
    needed = max(feature.since for feature in FEATURES if not feature.is_extra)
    assumption = f"the instance is {version_text(needed)} or newer"
    if (number := parse_version(version)) is None:
        yield Finding("instance_version", assumption, "it does not tell its version", UNKNOWN)
    elif missing := missing_features(number):
        lacks = ", ".join(f"{feature.what} (since {version_text(feature.since)})" for feature in missing)
        verdict = FAILS if number < needed else WORKS
        yield Finding("instance_version", assumption, f"it is {version}", verdict, f"It lacks {lacks}.")
    else:
        yield Finding("instance_version", assumption, f"it is {version}", WORKS)


def check_plan(subject: Subject) -> Iterator[Finding]:
    """Ask whether the team's plan has versions."""
    if subject.project is None:
        return
    plan, assumption = subject.plan, "the team's plan includes versions"
    if plan == FREE_PLAN:
        advice = "Versions come with the Pro and Enterprise plans."
        yield Finding("plan", assumption, f"the plan is {plan}", FAILS, advice)
    elif plan:
        yield Finding("plan", assumption, f"the plan is {plan}", WORKS)
    else:
        yield Finding("plan", assumption, "the plan is not told", UNKNOWN)


def check_load(subject: Subject) -> Iterator[Finding]:
    """Send a few requests at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: subject.try_("users.me"), range(AT_ONCE)))
    refused = [answer for answer in answers if isinstance(answer, Refusal)]
    assumption = f"{AT_ONCE} requests at once are answered"
    if refused:
        advice = "Lower max_workers in the connection."
        yield Finding("load", assumption, f"{len(refused)} refused: {refused[0]}", SLOWER, advice)
    else:
        yield Finding("load", assumption, "all answered", WORKS)


def check_absence(subject: Subject) -> Iterator[Finding]:
    """Learn how the instance says that a project is not there."""
    answer = subject.try_("projects.info", id=2**31 - 1)
    assumption = "what is gone is told in a way that we know"
    if not isinstance(answer, Refusal):
        observed = "answered as if it were there"
        yield Finding(
            "absence", assumption, observed, FAILS, "What vanishes during a capture is not noticed."
        )
    elif answer.status in {400, 403, 404}:
        yield Finding("absence", assumption, str(answer), WORKS, rules={"gone_status": answer.status})
    else:
        yield Finding("absence", assumption, str(answer), UNKNOWN)


def check_hashes(subject: Subject) -> Iterator[Finding]:
    """Ask for as many hashes as the official client asks for at once, and one more."""
    hashes = [f"{number:043d}=" for number in range(901)]
    try:
        answer: object = subject.client.transport.call("images.internal.hashes.list", hashes)
    except Exception as error:  # whatever it is, it is what was to be found out
        answer = error
    assumption = "901 hashes can be asked for at once"
    if isinstance(answer, list):
        yield Finding("hashes", assumption, "answered", WORKS)
    else:
        advice = "Media are asked for by 900 at once, which is what the official client does."
        yield Finding("hashes", assumption, "refused", WORKS, advice)
