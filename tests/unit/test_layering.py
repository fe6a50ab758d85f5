"""Who may import whom."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "airflow_sv_versioning"
NAME = PACKAGE.name

# From the ground up: what stands on a step may import what lies on lower ones, and its own layer.
STAIRCASE: tuple[set[str], ...] = (
    {"exceptions"},
    {"client", "runtime"},
    {"snapshot"},
    {"project_types"},
    {"vault", "compare"},
    {"archive"},
    {"capture"},
    {"restore", "dataset"},
    {"versioning"},
    {"hooks"},
)
PACKAGED = {"_airflow", "get_provider_info", "__init__"}
AIRFLOW_EDGE = {"operators", "sensors", "triggers", "links", "assets"}
BELOW_PROGRAMS = set().union(*STAIRCASE)

# What a layer may import of the package; a layer that is not listed is a fault, too.
MAY_IMPORT = {
    **{
        layer: set().union(*STAIRCASE[:step], {layer})
        for step, here in enumerate(STAIRCASE)
        for layer in here
    },
    "_airflow": set(),
    "get_provider_info": set(),
    "__init__": AIRFLOW_EDGE | PACKAGED | BELOW_PROGRAMS | {"mlflow"},
    **dict.fromkeys(AIRFLOW_EDGE, AIRFLOW_EDGE | PACKAGED | BELOW_PROGRAMS),
    "mlflow": BELOW_PROGRAMS | {"mlflow"},
    "server": {"exceptions", "server"},
    **dict.fromkeys(("cli", "demo"), BELOW_PROGRAMS | {"server", "cli", "demo", "__init__"}),
}
MAY_IMPORT["hooks"] |= PACKAGED
MAY_IMPORT_AIRFLOW = {"_airflow", "hooks", "operators", "sensors", "triggers", "links", "assets"}
# The demo starts this file as a program in Airflow's own process; nobody imports it.
AIRFLOW_DRIVER = PACKAGE / "demo" / "airflow_driver.py"
HTTP_MODULES = {
    *(
        "connections.py",
        "failures.py",
        "in_flight.py",
        "links.py",
        "session.py",
        "surroundings.py",
        "transport.py",
    )
}
MODULES = sorted(PACKAGE.rglob("*.py"))


def _title(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def _layer(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path: Path) -> Iterator[str]:
    """Yield every imported module, also those imported inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{_title(path)}:{node.lineno} imports relatively"
            # `from airflow_sv_versioning import client` names a layer behind the `import`.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _imported_layers(path: Path) -> set[str]:
    layers = set()
    for name in _imports(path):
        root, _, rest = name.partition(".")
        if root == NAME:
            layer = rest.partition(".")[0]
            layers.add(layer if layer in MAY_IMPORT else "__init__")
    return layers


@pytest.mark.parametrize("path", MODULES, ids=_title)
def test_a_module_imports_only_what_its_layer_may(path: Path) -> None:
    layer = _layer(path)
    assert layer in MAY_IMPORT, f"{layer} is a new layer: say in this test what it may import"

    assert _imported_layers(path) - MAY_IMPORT[layer] == set()


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if _layer(path) not in MAY_IMPORT_AIRFLOW and path != AIRFLOW_DRIVER],
    ids=_title,
)
def test_airflow_stays_at_the_edge(path: Path) -> None:
    assert [name for name in _imports(path) if name.partition(".")[0] == "airflow"] == []


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.parent.name != "client" or path.name not in HTTP_MODULES],
    ids=_title,
)
def test_requests_are_sent_by_the_transport_its_session_and_links_alone(path: Path) -> None:
    assert [name for name in _imports(path) if name.partition(".")[0] in {"requests", "urllib3"}] == []


@pytest.mark.parametrize("path", MODULES, ids=_title)
def test_moments_and_periods_are_those_of_pendulum_outside_client_and_server(path: Path) -> None:
    not_here = (
        {"pendulum"} if _layer(path) in {"client", "server"} else {"datetime.timedelta", "datetime.timezone"}
    )
    if _layer(path) in MAY_IMPORT_AIRFLOW:
        # Airflow sends periods to its other processes, and knows those of the standard library alone.
        not_here -= {"datetime.timedelta"}

    assert not_here.isdisjoint(_imports(path))


def test_mlflow_is_met_in_its_layer_and_loaded_with_its_source_alone() -> None:
    imports = re.compile(r"^( *)(?:from|import) mlflow\b", re.MULTILINE)
    found = [(path, imports.findall(path.read_text(encoding="utf-8"))) for path in MODULES]

    assert {_layer(path) for path, indents in found if indents} == {"mlflow"}
    assert [_title(path) for path, indents in found if "" in indents] == ["mlflow/version_source.py"]


def _module(path: Path) -> str:
    return ".".join((NAME, *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {_module(path): path for path in MODULES}
    graph = {
        # `from a.b import c` names the module a.b.c, or a thing in the module a.b.
        module: {name if name in modules else name.rpartition(".")[0] for name in _imports(path)}
        & modules.keys()
        for module, path in modules.items()
    }

    TopologicalSorter(graph).prepare()
