"""Settings of the web server: ``gunicorn --config python:annotation_site.operations.gunicorn_settings``.

The address is 0.0.0.0:$PORT (8000), the number of processes $WEB_CONCURRENCY (2).
"""

from __future__ import annotations

import os

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
worker_class = "gthread"
threads = 4
# What is being answered when the server is told to stop may take this long.
graceful_timeout = 30
timeout = 60
# Processes are renewed now and then, not all at once.
max_requests = 20_000
max_requests_jitter = 2_000
# A file of the workers' heartbeat in memory: on a slow disk it could stall them.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108, PTH112
# Nobody steers it through a socket, and the root file system is read-only.
control_socket_disable = True
# Its lines would carry the links of raters; the site logs each request by its pattern instead.
accesslog = None
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "annotation_site.operations.logs.JsonLines"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "gunicorn.error": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "gunicorn.access": {"handlers": [], "level": "WARNING", "propagate": False},
    },
}
