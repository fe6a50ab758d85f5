"""Thin out the versions that a vault holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_sv_versioning.exceptions import ConfigurationError
from airflow_sv_versioning.hooks.edge import airflow_outcome, get_id, json_of
from airflow_sv_versioning.hooks.object_storage import find_place
from airflow_sv_versioning.hooks.supervisely import SuperviselyHook
from airflow_sv_versioning.hooks.vaults import find_vault
from airflow_sv_versioning.links import ProjectLink, VersionLink, push_links
from airflow_sv_versioning.operators.base import SuperviselyOperator

if TYPE_CHECKING:
    from airflow.sdk import Context

    from airflow_sv_versioning.vault.retention.decide import Allow
    from airflow_sv_versioning.versioning.retention.applying import RetentionResult
    from airflow_sv_versioning.versioning.retention.plan import RetentionPlan

_LISTED = 100


class RetentionOperator(SuperviselyOperator):
    """Say which versions of a project a vault goes on keeping, and why; and take the others out of it.

    By default it only plans. The XCom ``plan`` then holds all that :attr:`plan` of another task takes, and
    ``remove``, the first hundred versions that would go. Otherwise these go to the vault's trash, for seven
    days, and what no version needs any more is removed from the vault; the XComs ``retention`` and ``prune``
    tell it.
    Returns how many versions would go, or went.

    A policy never removes the newest version, nor one that is younger than seven days, from the future, held,
    or used: named by an experiment, previewed, restored as a project that still is there, or being built on.

    :param project_id: the project; templated.
    :param vault: any path that Airflow's object storage understands, such as ``s3://aws@bucket/prefix``;
        templated.
    :param policy: rules such as ``{"keep_last": 7, "keep_monthly": 12}``, also as JSON; see
        :class:`~airflow_sv_versioning.vault.retention.policy.RetentionPolicy`; templated.
    :param plan: carry out this plan in place of a policy, if it would do the same now; templated.
    :param as_server: under which server the vault keeps the project, by default the connection's host: the
        old name of a server that moved; templated.
    :param timezone: whose days, weeks, months and years count; hours are those of UTC.
    :param allow: ``half`` lets more than half of the versions go.
    :param experiments: files of experiments' records, or folders and prefixes of buckets with them; the
        versions that they name stay; templated.
    :param plan_only: only plan.
    """

    template_fields: Sequence[str] = (
        "supervisely_conn_id", "project_id", "vault", "policy", "plan", "as_server", "experiments",
    )  # fmt: skip
    operator_extra_links = (ProjectLink(), VersionLink())
    ui_color = "#f0e6d2"

    def __init__(
        self,
        *,
        project_id: int | str,
        vault: str,
        policy: Mapping[str, Any] | str | None = None,
        plan: Mapping[str, Any] | str | None = None,
        as_server: str | None = None,
        timezone: str = "UTC",
        allow: Allow = "nothing",
        experiments: Sequence[str] = (),
        plan_only: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project_id = project_id
        self.vault = vault
        self.policy = policy
        self.plan = plan
        self.as_server = as_server
        self.timezone = timezone
        self.allow = allow
        self.experiments = experiments
        self.plan_only = plan_only

    @airflow_outcome()
    def execute(self, context: Context) -> int:
        """Plan, or do what was planned; returns how many versions go."""
        project_id = get_id("project_id", self.project_id)
        with SuperviselyHook(self.supervisely_conn_id) as hook:
            push_links(context, hook.client.server_url, project_id)
            shared: dict[str, Any] = {
                "vault": find_vault(self.vault),
                "experiments": self._read_experiments(),
                "as_server": self.as_server,
                "report": self._report,
                "should_stop": self._stoppable(hook.client),
            }
            plan = self._plan(hook, project_id, shared)
            if self.plan_only:
                return self._tell(context, plan)
            result = hook.versions.apply_retention(plan, **shared)
            self._prune(context, hook, project_id, result)
        return len(result.removed_nums)

    def _plan(
        self, hook: SuperviselyHook, project_id: int, shared: dict[str, Any]
    ) -> RetentionPlan | Mapping[str, Any]:
        """Make a plan, or take the one that was given."""
        if (self.policy is None) == (self.plan is None):
            raise ConfigurationError("Give either a policy or a plan.")
        if self.plan is None:
            return hook.versions.plan_retention(
                project_id,
                policy=json_of("policy", self.policy),
                timezone=self.timezone,
                allow=self.allow,
                **shared,
            )
        plan = json_of("plan", self.plan)
        if self.plan_only or not isinstance(plan, Mapping) or plan.get("project_id") != project_id:
            raise ConfigurationError(
                f"The plan cannot be carried out: it must be one of project {project_id}, as the XCom 'plan' "
                "of another task, and plan_only must be False."
            )
        return plan

    def _tell(self, context: Context, plan: Any) -> int:
        """Log and push a plan."""
        self.log.info("%s", plan.line())
        for version in plan.versions:
            candidate, does = version.decision.version, "keep" if version.decision.keep else "remove"
            why = "; ".join(version.decision.reasons)
            self.log.info("Version %s %s: %s, %s", candidate.version_num, candidate.title, does, why)
        remove = [version.as_dict() for version in plan.removed[:_LISTED]]
        summary = plan.summary()
        context["ti"].xcom_push(
            key="plan", value={**summary, "cannot": summary["cannot"][:_LISTED], "remove": remove}
        )
        return len(plan.removed)

    def _prune(
        self, context: Context, hook: SuperviselyHook, project_id: int, result: RetentionResult
    ) -> None:
        """Push what was done, and remove what no version needs any more, such as since a retention before."""
        self.log.info("%s", result.line())
        for version_num, lock in result.locked:
            self.log.info("Version %s stays: it is %s.", version_num, lock)
        context["ti"].xcom_push(key="retention", value={**result.as_dict(), "cannot": []})
        pruned = hook.versions.prune_vault(
            find_vault(self.vault),
            [project_id],
            as_server=self.as_server,
            report=self._report,
            should_stop=self._stoppable(hook.client),
        )
        context["ti"].xcom_push(key="prune", value=pruned.as_dict())

    def _read_experiments(self) -> list[Any]:
        from airflow_sv_versioning.versioning.retention.experiments import read_experiments

        places = [self.experiments] if isinstance(self.experiments, str) else self.experiments
        return read_experiments(find_place("experiments", place) for place in places)
