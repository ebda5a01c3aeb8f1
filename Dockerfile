# One image for web, workers and beat, which `manage.py up` runs together: with embedded servers, or with the
# PostgreSQL and Redis that compose.yaml puts beside it.
FROM node:24-bookworm-slim AS front-end
WORKDIR /opt/tagger
COPY package.json package-lock.json .npmrc ./
RUN npm ci

FROM python:3.11-slim-bookworm
WORKDIR /opt/tagger
COPY requirements.txt ./
RUN pip install --no-cache-dir -r requirements.txt
COPY --from=front-end /opt/tagger/node_modules node_modules
COPY . .
RUN useradd --system --create-home tagger && mkdir /data && chown tagger /data
USER tagger
ENV TAGGER_DATA=/data BIND=0.0.0.0 LOG_TO_STDOUT=yes PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8000
HEALTHCHECK --start-period=60s CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/healthz')"]
CMD ["python", "manage.py", "up"]
