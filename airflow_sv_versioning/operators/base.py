"""What the operators of this package share: the connection, their arguments, and an orderly stop."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.configuration import conf
from airflow.sdk import BaseOperator

from airflow_sv_versioning._airflow import expanded_arguments
from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.hooks.edge import airflow_outcome, is_nothing
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.runtime.collecting import collect_seldom
from airflow_sv_versioning.runtime.memory import save_memory
from airflow_sv_versioning.runtime.progress import WARNING

if TYPE_CHECKING:
    from airflow_sv_versioning.client import SuperviselyClient

DEFERRABLE = conf.getboolean("operators", "default_deferrable", fallback=False)
"""Whether tasks wait in the triggerer where their DAG does not say."""

# The trigger watches the deadline itself; this is for a triggerer that is not there. No duration of pendulum:
# Airflow sends what a task defers with to another process, and does not know how to write one.
TRIGGERER_GRACE = timedelta(minutes=5)


class SuperviselyOperator(BaseOperator):
    """An operator that works on the platform and stops when it is asked to.

    A templated argument that was given and renders to nothing fails the task for good: to go on without it
    would be to do something else than was asked for, such as to check another version.

    :param supervisely_conn_id: connection of type ``supervisely``.
    :param optional_arguments: names of templated arguments that may render to nothing, and then count as
        not given, as an argument that is ``None`` in the DAG's file always does.
    """

    def __init__(
        self,
        *,
        supervisely_conn_id: str = SuperviselyHook.default_conn_name,
        optional_arguments: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.supervisely_conn_id = supervisely_conn_id
        self.optional_arguments = frozenset(optional_arguments)

    def _do_render_template_fields(
        self, parent: Any, template_fields: Iterable[str], *rest: Any, **more: Any
    ) -> None:
        # Airflow renders here also what it made of a mapped operator; `render_template_fields` is passed by.
        if parent is not self:
            super()._do_render_template_fields(parent, template_fields, *rest, **more)
            return
        templates = {name: getattr(self, name) for name in template_fields}
        super()._do_render_template_fields(parent, template_fields, *rest, **more)
        with airflow_outcome():
            self._settle_nothing(templates)

    def _settle_nothing(self, templates: Mapping[str, Any]) -> None:
        """Make what rendered to nothing ``None``, or refuse it.

        :param templates: argument -> what it was before it was rendered.
        """
        expanded = expanded_arguments(self)
        for name, template in templates.items():
            if not is_nothing(getattr(self, name)):
                continue
            if name not in self.optional_arguments and (template is not None or name in expanded):
                raise ConfigurationError(
                    f"{name} of task {self.task_id!r} was given as {template!r}, but renders to nothing. "
                    "Check the template or the upstream task that it comes from; if nothing is meant, name "
                    "it in optional_arguments."
                )
            setattr(self, name, None)

    def pre_execute(self, context: Any) -> None:
        """Prepare the process, which is there for this task alone."""
        super().pre_execute(context)
        save_memory()
        collect_seldom()

    def _report(self, line: str) -> None:
        """Log what the engine tells."""
        self.log.log(logging.WARNING if line.startswith(WARNING) else logging.INFO, "%s", line)

    def on_kill(self) -> None:
        """Make ``execute`` stop, also where it waits for an answer; what it began is cleaned up there.

        Airflow leaves five seconds for that before it kills the process.
        """
        # Runs inside a signal handler: no request, no lock, nothing of Airflow.
        self._stop_early = True
        if (client := getattr(self, "_client", None)) is not None:
            client.interrupt()

    def _stoppable(self, client: SuperviselyClient) -> Callable[[], bool]:
        """Have :meth:`on_kill` interrupt a client; returns what the engine asks between its steps."""
        self._client = client
        if getattr(self, "_stop_early", False):
            client.interrupt()
        return lambda: client.is_interrupted
