"""A task's log lines name the task, and the request that caused it: its id travels in the message."""

from __future__ import annotations

from typing import Any

from celery import Task, signals

from annotation_site.operations import context

HEADER = "attest_request"


@signals.before_task_publish.connect
def _send_the_request_along(headers: dict[str, Any] | None = None, **kwargs: Any) -> None:
    if headers is not None and context.request_id.get():
        headers[HEADER] = context.request_id.get()


@signals.task_prerun.connect
def _name_task_and_request(task_id: str = "", task: Task | None = None, **kwargs: Any) -> None:
    context.task_id.set(task_id)
    context.request_id.set((task and task.request.get(HEADER)) or "")


@signals.task_postrun.connect
def _forget_them(**kwargs: Any) -> None:
    context.task_id.set("")
    context.request_id.set("")
