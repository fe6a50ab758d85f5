import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import BaseHook, BaseOperator, BaseOperatorLink, BaseSensorOperator
from airflow.triggers.base import BaseTrigger

import airflow_sv_versioning
from airflow_sv_versioning.get_provider_info import get_provider_info
from tests.support.airflow_runs import register_provider

ROOT = Path(__file__).parents[2]
INFO = get_provider_info()
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_package_name_is_the_canonical_name_of_the_distribution() -> None:
    [name] = re.findall(r'^name = "(.+)"$', PROJECT, re.MULTILINE)

    assert INFO["package-name"] == name
    assert name == re.sub(r"[-_.]+", "-", name).lower()


def test_the_version_is_that_of_the_distribution() -> None:
    [version] = re.findall(r'^version = "(.+)"$', PROJECT, re.MULTILINE)

    assert airflow_sv_versioning.__version__ == version


def test_airflow_accepts_the_description() -> None:
    import airflow
    import jsonschema

    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())

    jsonschema.validate(INFO, schema)


@pytest.mark.parametrize("kind", ["hooks", "operators", "sensors", "triggers"])
def test_every_listed_module_can_be_imported(kind: str) -> None:
    integrations = {entry["integration-name"] for entry in INFO["integrations"]}

    for entry in INFO[kind]:
        assert entry["integration-name"] in integrations
        for module in entry["python-modules"]:
            import_module(module)


@pytest.mark.parametrize(
    "path", [*INFO["extra-links"], *(kind["hook-class-name"] for kind in INFO["connection-types"])]
)
def test_every_listed_class_exists(path: str) -> None:
    module, _, name = path.rpartition(".")

    assert isinstance(getattr(import_module(module), name), type)


@pytest.mark.parametrize(
    ("kind", "base"),
    [
        ("hooks", BaseHook),
        ("operators", BaseOperator),
        ("sensors", BaseSensorOperator),
        ("triggers", BaseTrigger),
    ],
)
def test_every_module_that_a_dag_imports_from_is_listed(kind: str, base: type) -> None:
    listed = {module for entry in INFO[kind] for module in entry["python-modules"]}

    # What is a base of others alone is no one's to use.
    bases = {"airflow_sv_versioning.operators.base", "airflow_sv_versioning.triggers.base"}
    assert _modules_of(kind, base) - bases == listed


def test_every_button_is_listed() -> None:
    links = import_module("airflow_sv_versioning.links")
    named = {
        f"{links.__name__}.{name}"
        for name, found in vars(links).items()
        if isinstance(found, type) and issubclass(found, BaseOperatorLink) and "name" in vars(found)
    }

    assert named - {"airflow_sv_versioning.links.BaseOperatorLink"} == set(INFO["extra-links"])


def _modules_of(kind: str, base: type) -> set[str]:
    """Find the modules of a folder of the package that define a class of a kind."""
    folder = ROOT / "airflow_sv_versioning" / kind
    modules = [import_module(f"airflow_sv_versioning.{kind}.{path.stem}") for path in folder.glob("[!_]*.py")]
    return {
        module.__name__
        for module in modules
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, base) and found.__module__ == module.__name__
    }


@pytest.mark.parametrize("role", ["handler", "factory", "to_openlineage_converter"])
def test_every_listed_function_of_a_scheme_exists(role: str) -> None:
    for entry in INFO["asset-uris"]:
        module, _, name = entry[role].rpartition(".")
        assert callable(getattr(import_module(module), name))


def test_every_public_name_exists() -> None:
    for name in airflow_sv_versioning.__all__:
        assert getattr(airflow_sv_versioning, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = airflow_sv_versioning.nothing


def test_the_description_and_the_package_cost_nothing_to_import() -> None:
    code = (
        "import sys; from airflow_sv_versioning.get_provider_info import get_provider_info;"
        "get_provider_info(); print(sorted(m for m in sys.modules if '.' not in m))"
    )
    found = set(json.loads(_python(code).replace("'", '"')))

    assert found.isdisjoint({"airflow", "requests", "pyarrow", "numpy", "zstandard", "fastapi", "sqlite3"})


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Airflow's manager of providers says when it finds the distribution installed."""
    site = tmp_path_factory.mktemp("site")
    register_provider(site)
    code = """if True:
        import json
        from airflow.providers_manager import ProvidersManager

        manager = ProvidersManager()
        manager.initialize_providers_list()
        hook = manager.hooks["supervisely"]
        print(json.dumps({
            "version": manager.providers["airflow-sv-versioning"].version,
            "hook": hook.hook_class_name,
            "argument": hook.connection_id_attribute_name,
            "asset_uris": sorted(set(manager.asset_uri_handlers) & set(manager.asset_factories)
                                 & set(manager.asset_to_openlineage_converters)),
            "links": sorted(manager.extra_links_class_names),
            "fields": sorted(w.field_name for w in manager.connection_form_widgets.values()
                             if w.hook_class_name == hook.hook_class_name),
        }))
    """
    return json.loads(_python(code, site).strip().splitlines()[-1])


def test_the_manager_of_providers_takes_the_package(registered: dict[str, Any]) -> None:
    assert registered["version"] == airflow_sv_versioning.__version__
    assert registered["hook"] == "airflow_sv_versioning.hooks.supervisely.SuperviselyHook"
    assert registered["argument"] == "supervisely_conn_id"
    assert set(INFO["extra-links"]) <= set(registered["links"])
    assert "supervisely" in registered["asset_uris"]


def test_the_manager_of_providers_takes_the_form(registered: dict[str, Any]) -> None:
    assert registered["fields"] in ([], sorted(INFO["connection-types"][0]["conn-fields"]))


def _python(code: str, *path: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*path, ROOT]))}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
