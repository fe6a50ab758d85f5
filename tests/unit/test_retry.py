import pytest

from airflow_sv_versioning.client.retry import AGENT_NOT_CONNECTED, TRANSIENT_STATUSES, Failure, RetryPolicy

POLICY = RetryPolicy(tries=6, base_seconds=0.5, cap_seconds=30.0)


@pytest.mark.parametrize("status", sorted(TRANSIENT_STATUSES))
def test_an_idempotent_call_is_repeated_after_a_passing_failure(status: int) -> None:
    assert POLICY.may_repeat(Failure(status), idempotent=True)


@pytest.mark.parametrize("status", sorted(TRANSIENT_STATUSES - {429}))
def test_another_call_is_not_repeated_when_it_may_have_landed(status: int) -> None:
    assert not POLICY.may_repeat(Failure(status), idempotent=False)
    assert not POLICY.may_repeat(Failure(None, sent=True), idempotent=False)


@pytest.mark.parametrize("failure", [Failure(429), Failure(None, sent=False)])
def test_any_call_is_repeated_when_it_provably_did_not_land(failure: Failure) -> None:
    assert POLICY.may_repeat(failure, idempotent=False)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409])
def test_a_refusal_is_final(status: int) -> None:
    assert not POLICY.may_repeat(Failure(status), idempotent=True)


def test_the_agents_reconnection_is_waited_for() -> None:
    assert POLICY.may_repeat(Failure(400, error=AGENT_NOT_CONNECTED), idempotent=True)


def test_waits_grow_and_are_capped() -> None:
    for tries_made, bound in [(1, 0.5), (2, 1.0), (3, 2.0), (20, 30.0)]:
        drawn = [POLICY.delay(tries_made, Failure()) for _ in range(50)]
        assert bound / 2 <= min(drawn) <= max(drawn) <= bound


def test_a_wait_is_never_shorter_than_the_server_asks() -> None:
    assert POLICY.delay(1, Failure(429, retry_after_seconds=7)) >= 7
    assert POLICY.delay(1, Failure(429, retry_after_seconds=86400)) <= 120
