# One image for the web server, the worker, beat and every `manage.py` command.

FROM python:3.11.14-slim-bookworm AS wheels
WORKDIR /wheels
COPY requirements.txt .
# The file is complete (`make lock`): whatever it does not name is not installed.
RUN pip wheel --no-cache-dir --no-deps --wheel-dir . --requirement requirements.txt

FROM python:3.11.14-slim-bookworm
# PORT is where gunicorn listens; a hosting service may set another one.
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=rhms.settings \
    PORT=8000
RUN --mount=type=bind,from=wheels,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --no-deps --find-links /wheels --requirement /wheels/requirements.txt
RUN groupadd --gid 10001 rhms \
    && useradd --uid 10001 --gid rhms --home-dir /app --no-create-home --shell /usr/sbin/nologin rhms
WORKDIR /app
COPY . .
# Needs settings, but no database; the key is thrown away. Only var/ and var/media belong to the user that runs.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(64))')" SITE_URL=https://build.invalid EMAIL_URL=smtp://build.invalid \
    python manage.py collectstatic --no-input \
    && mkdir var/media \
    && chown rhms:rhms var var/media
USER rhms
EXPOSE 8000
# Of the web server; the other processes bring their own or switch it off.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", "import http.client, os, sys; ask = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); ask.request('GET', '/healthz'); sys.exit(ask.getresponse().status != 200)"]
CMD ["gunicorn", "rhms.wsgi", "--config", "python:rhms.serving", "--workers", "3", "--threads", "4", "--access-logfile", "-", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
