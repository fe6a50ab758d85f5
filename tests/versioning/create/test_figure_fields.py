"""Servers that do not know a field which nobody but us asks for."""

from pathlib import Path

import pytest

from tests.support.projects import make_project
from tests.support.proxy import Exchange, Reply, answer
from tests.support.types import Client, Versions, Wire


@pytest.mark.parametrize(
    ("refused", "untold"),
    [
        (("instance",), "instance"),
        (("description", "smartToolInput", "instance"), "description and smartToolInput and instance"),
    ],
    ids=["one", "all"],
)
def test_a_field_that_the_server_refuses_is_left_out_and_named(
    refused, untold, photos, client: Client, wire: Wire, wired: Versions, versions: Versions
):
    project_id = make_project(client, photos[:2])

    def strict(exchange: Exchange) -> Reply | None:
        unknown = [field for field in refused if field in exchange.request.json["fields"]]
        if unknown:
            return answer(400, {"error": f'Unknown fields: "{unknown[0]}"', "details": {}})
        return exchange.forward()

    wire.on("figures.list", *[strict] * 30)

    made = wired.create(project_id)

    assert made.warnings == (
        f"The server does not tell {untold} of figures; the version does not hold them.",
    )
    assert versions.restore(project_id, made.version_id, verify="full").counts == made.counts


def test_a_request_that_is_refused_for_another_reason_is_not_tried_with_fewer_fields(
    photos: list[Path], client: Client, wire: Wire, wired: Versions
):
    from airflow_sv_versioning.exceptions import RequestRejectedError

    project_id = make_project(client, photos[:2])
    wire.on("figures.list", *[lambda _: answer(400, {"error": "Not today", "details": {}})] * 3)

    with pytest.raises(RequestRejectedError, match="Not today"):
        wired.create(project_id)
