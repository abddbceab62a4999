# The photo app and every role of flow, in one image: see docs/deploy-docker.md.

FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY flow ./flow
COPY workers ./workers
COPY scheduler ./scheduler
RUN --mount=type=cache,target=/root/.cache/pip \
    pip wheel --no-deps --wheel-dir /wheels .
COPY examples/photos ./examples/photos
# The app's environment has no pip: nothing is installed where it runs.
RUN --mount=type=cache,target=/root/.cache/pip \
    python -m venv --without-pip /venv && \
    pip --python /venv/bin/python install /wheels/*.whl ./examples/photos

FROM python:3.13-slim
# The app owns the folder of its pictures, and nothing else.
RUN useradd --system --uid 10001 --no-create-home app && install --directory --owner app /data
COPY --from=build /venv /venv
COPY examples/photos/Procfile examples/photos/pyproject.toml /app/
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PHOTOS_MEDIA=/data
USER app
EXPOSE 5001
# docker-compose.yml says what each container runs; each needs REDIS_URL.
CMD ["flow", "worker"]
