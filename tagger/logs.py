"""One line a log record: time, level, logger, message, `extra` as key=value, the traceback folded in."""

import logging
from datetime import UTC, datetime

_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "request", "data"}


class LineFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        parts = [moment, record.levelname, record.name, record.getMessage()]
        parts += [f"{name}={value!r}" for name, value in vars(record).items() if name not in _STANDARD]
        if record.exc_info:
            parts.append(self.formatException(record.exc_info))
        return " ".join(parts).replace("\r", "").replace("\n", " | ")
