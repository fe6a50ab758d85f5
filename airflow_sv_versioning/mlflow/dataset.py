"""A version as a dataset that a run of MLflow used."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_sv_versioning.exceptions import ConfigurationError, UnexpectedAnswerError

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, Run

    from airflow_sv_versioning.mlflow.experiment import Experiment
    from airflow_sv_versioning.mlflow.source import SuperviselyVersionSource

CONTEXT = "mlflow.data.context"
"""MLflow's tag for what a run uses a dataset for."""
# MLflow takes digests of this length, and names of 500; number and id stand behind the project's name.
_DIGEST_LENGTH = 36
_PROJECT_NAME_LENGTH = 400


@dataclass(frozen=True)
class VersionDataset:
    """A version, named so that no other one has its name.

    Within one of its experiments MLflow knows a dataset by name and digest, and keeps the first one's source.

    :param digest: the beginning of the content's digest, or of the archive's where that is not known.
    :param profile: counts, and figures per class, as JSON.
    """

    name: str
    digest: str
    profile: str
    source: SuperviselyVersionSource

    @classmethod
    def of(cls, experiment: Experiment) -> VersionDataset:
        """Take the version that a record names."""
        from airflow_sv_versioning.mlflow.source import SuperviselyVersionSource

        source = SuperviselyVersionSource.of(experiment)
        digest = experiment.content_digest or experiment.archive_sha256 or _digest_of(source.uri)
        classes = {} if experiment.classes is None else {"figures_per_class": experiment.classes}
        project_name = experiment.project_name[:_PROJECT_NAME_LENGTH]
        return cls(
            f"{project_name} v{experiment.version_num} (id {experiment.version_id})",
            digest[:_DIGEST_LENGTH],
            json.dumps({**experiment.counts, **classes}),
            source,
        )

    def as_input(self, context: str) -> DatasetInput:
        """Write it as what a run uses."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        dataset = Dataset(
            self.name,
            self.digest,
            self.source._get_source_type(),
            self.source.to_json(),
            profile=self.profile,
        )
        return DatasetInput(dataset, [InputTag(CONTEXT, context)])

    def find(self, run: Run) -> DatasetInput | None:
        """Find it among what a run uses; ``None`` where it is not."""
        used = run.inputs.dataset_inputs if run.inputs else []
        mine = (self.name, self.digest)
        return next((each for each in used if (each.dataset.name, each.dataset.digest) == mine), None)

    def check(self, run: Run, context: str) -> None:
        """Make sure that a run tells it as it is, for MLflow passes over what contradicts what it has.

        :raises ConfigurationError: it has another source or context there.
        :raises UnexpectedAnswerError: it is not there.
        """
        from mlflow.data import get_source

        where = f"MLflow's run {run.info.run_id}"
        if (found := self.find(run)) is None:
            raise UnexpectedAnswerError(f"{where} does not tell of {self.name}, which it took. Try again.")
        if not self.source.is_same_version(get_source(found)):
            raise ConfigurationError(
                f"{where} has {self.name} ({self.digest}) with the source of another run in its experiment, "
                f"{found.dataset.source}. Use another experiment of MLflow for {self.source.server}."
            )
        contexts = [tag.value for tag in found.tags if tag.key == CONTEXT]
        if contexts != [context]:
            raise ConfigurationError(
                f"{where} has {self.name} with context {', '.join(contexts) or 'none'}; MLflow does not add "
                f"{context!r}. Call log_to_mlflow once for a run and version, with one context for all uses."
            )


def _digest_of(uri: str) -> str:
    """Make a digest for a version of which the server tells none."""
    return hashlib.sha256(uri.encode()).hexdigest()
