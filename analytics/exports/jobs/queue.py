"""Who works on which job when. A claim is asked for again with every part."""

from typing import Final

from analytics.models import ExportJob
from ingestion.leasing import Queue

_JOBS: Final = Queue(ExportJob.objects, working=ExportJob.State.RUNNING, task="analytics.tasks.prepare_export")
ring, ring_next, running = _JOBS.ring, _JOBS.ring_next, _JOBS.running
claim, keep, release, finish = _JOBS.claim, _JOBS.keep, _JOBS.release, _JOBS.finish
