"""What is being worked on, for the log: the request's or the task's id, and the secrets that no line may carry."""

from __future__ import annotations

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")
task_id: ContextVar[str] = ContextVar("task_id", default="")
secrets: ContextVar[tuple[str, ...]] = ContextVar("secrets", default=())


def current_request() -> str | None:
    """The request's id, by which the audit log and the other logs name it."""
    return request_id.get() or None
