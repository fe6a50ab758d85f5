"""``python -m airflow_sv_versioning.cli``."""

import sys

from airflow_sv_versioning.cli import main

sys.exit(main())
