"""One sentence about missing workers, shown on every page that depends on them and asked for again and again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse

from tagger import health

NOBODY = "No worker is running: images are stored, suggestions wait."
MISSING = {
    "io": "The worker for files is not running: imports and exports wait.",
    "ml": "The worker for suggestions is not running: images can be reviewed, suggestions wait.",
    "train": "The worker for training is not running: answers are stored, the next model waits.",
}
NO_BEAT = "The scheduler is not running: retraining and repairs wait."


@dataclass(frozen=True)
class Notice:
    """What to say (nothing: all is well), and where a page asks again."""

    text: str
    poll_address: str


def notice(depends_on: Collection[str]) -> Notice:
    text = sentence(health.worker_state(), depends_on)
    query = urlencode({"on": ",".join(depends_on), "said": text})
    return Notice(text, f"{reverse('worker-notice')}?{query}")


def sentence(state: Mapping[str, bool], depends_on: Collection[str]) -> str:
    """What is missing of the parts that a page depends on, in words; empty when nothing is."""
    missing = [name for name in MISSING if name in depends_on and not state[name]]
    if not missing:
        return "" if state["beat"] or "train" not in depends_on else NO_BEAT
    if not any(state[name] for name in MISSING):
        return NOBODY
    return " ".join(MISSING[name] for name in missing)
