# Four images from one file: `web` (no torch), `worker` (draws images and maps), `proxy` (Caddy with our rules), and
# `objects` (an S3-compatible store, for those who have none).
# docker build --target web -t attest-web .

FROM python:3.11.11-slim-bookworm AS base
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PATH=/opt/attest/bin:$PATH
WORKDIR /srv/attest

# What is installed changes seldom: its layer comes before the code.
FROM base AS web-packages
RUN python -m venv /opt/attest
COPY pyproject.toml constraints.txt README.md ./
COPY attribution/__init__.py attribution/
COPY annotation_site/__init__.py annotation_site/
RUN pip install --constraint constraints.txt '.[web]' && pip uninstall --yes attest

FROM web-packages AS worker-packages
# The GPU build of torch comes from PyPI; https://download.pytorch.org/whl/cpu has a smaller one for --profile cpu.
ARG TORCH_INDEX=https://pypi.org/simple
RUN sed 's/^torch==\([0-9.]*\)+cpu$/torch==\1/' constraints.txt > /tmp/constraints.txt \
    && pip install --constraint /tmp/constraints.txt --extra-index-url "$TORCH_INDEX" '.[web,worker]' \
    && pip uninstall --yes attest

FROM base AS site
RUN groupadd --gid 10001 attest \
    && useradd --uid 10001 --gid attest --no-create-home --home-dir /data --shell /usr/sbin/nologin attest \
    && install --directory --owner attest --group attest /data
COPY manage.py pyproject.toml ./
COPY attribution attribution
COPY annotation_site annotation_site
COPY templates templates
COPY static static
ENV PYTHONPATH=/srv/attest \
    ATTEST_ENV=production \
    ATTEST_DATA=/data \
    ATTEST_STATIC=/srv/static \
    HF_HOME=/data/huggingface

FROM site AS web
COPY --from=web-packages /opt/attest /opt/attest
# Shipped models are named in forms, and their cards are read; no weights are loaded here.
COPY fixtures fixtures
# The key and the database are for this command alone and stay in no layer.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" \
    DATABASE_URL=postgres://nobody@localhost/none python manage.py collectstatic --noinput
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-m", "annotation_site.operations.probe", "web"]
CMD ["gunicorn", "--config", "python:annotation_site.operations.gunicorn_settings", "annotation_site.wsgi"]

FROM site AS worker
COPY --from=worker-packages /opt/attest /opt/attest
COPY fixtures fixtures
USER 10001:10001
VOLUME /data
HEALTHCHECK --interval=60s --timeout=10s --start-period=120s \
    CMD ["python", "-m", "annotation_site.operations.probe", "alive"]
CMD ["celery", "-A", "annotation_site", "worker", "--pool=solo", "--loglevel=INFO"]

FROM caddy:2.9.1-alpine AS proxy
RUN addgroup -g 10001 attest && adduser -u 10001 -G attest -D -H attest \
    && mkdir -p /data /config && chown 10001:10001 /data /config
COPY annotation_site/operations/Caddyfile /etc/caddy/Caddyfile
USER 10001:10001

FROM versity/versitygw:v1.8.0 AS objects
# Its buckets are the folders of /data.
RUN addgroup -g 10001 attest && adduser -u 10001 -G attest -D -H attest \
    && mkdir -p /data/attest && chown -R 10001:10001 /data
USER 10001:10001
VOLUME /data
