"""What can be seen of an import: its job as the API shows it, and what waits in staging."""

import json

from annotations.api.jobs import job_json
from annotations.models import ImportJob
from annotations.services import storage


def job_shown(job_id: int) -> dict:
    return json.loads(json.dumps(job_json(ImportJob.objects.get(pk=job_id)), default=str))


def staged() -> list:
    staging = storage.local_path(storage.STAGING)
    return list(staging.iterdir()) if staging.exists() else []
