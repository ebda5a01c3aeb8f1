"""What can go wrong in the model's life, as errors with fields; the HTTP side reads their status."""

from annotations.errors import Conflict, Refused, Unavailable


class NoWorker(Unavailable):
    code = "no_worker"
    message = "Expected an answer from an `ml` worker within 10 s, got none: start one, or ask again when it is idle."


class PictureNotReadable(Refused):
    code = "bad_picture"
    status = 400
    message = "The picture cannot be read."


class NotTrainable(Refused):
    code = "not_trainable"
    message = "There is nothing to train on yet: review some images first."


class ArtifactNotReadable(Conflict):
    code = "model_file_unreadable"
    message = "The model file of this version cannot be read."


class CancelledByPerson(Exception):
    """Somebody asked the run to stop; raised between two stages."""
