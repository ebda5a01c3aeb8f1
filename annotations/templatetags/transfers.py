"""How pages say what jobs do: time left, rates, sizes, and a word and a tone for each state. No queries here."""

from django import template

from annotations.models import JobState

register = template.Library()

TONES = {
    JobState.QUEUED: "wait",
    JobState.RUNNING: "run",
    JobState.DONE: "live",
    JobState.FAILED: "stop",
    JobState.REFUSED: "stop",
    JobState.CANCELLED: "",
}
WORDS = {JobState.QUEUED: "waiting"}


@register.filter
def state_word(state: str) -> str:
    return WORDS.get(JobState(state), state)


@register.filter
def state_tone(state: str) -> str:
    """The badge's tone; empty for grey."""
    return TONES[JobState(state)]


@register.filter
def duration(seconds: float | None) -> str:
    """“12 s”, “4 min 10 s”, “2 h 5 min”; empty where nothing is known."""
    if seconds is None:
        return ""
    whole = max(1, round(seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@register.filter
def rate(images_a_second: float | None) -> str:
    """“311 images/s”; below ten with one decimal, and empty where nothing is known."""
    if images_a_second is None:
        return ""
    number = f"{images_a_second:,.0f}" if images_a_second >= 10 else f"{images_a_second:.1f}"
    return f"{number} images/s"


@register.filter
def shortened(item: str) -> str:
    """A long address without its middle: its end tells it from others with the same beginning."""
    return item if len(item) <= 160 else f"{item[:110]}…{item[-48:]}"


@register.filter
def source_name(source: str) -> str:
    """Where an import's files came from, in words."""
    names = {
        "upload": "Files",
        "archive": "Archive",
        "urls": "Addresses",
        "folder": "Server folder",
        "items": "Items",
        "s3": "S3 bucket",
        "table": "Table",
    }
    return names.get(source, source.replace("_", " ").capitalize())
