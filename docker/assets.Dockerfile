# Graph, models and promotion. The build context is the project's folder.
FROM python:3.13-slim
WORKDIR /srv/esports
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md dagster.yaml workspace.yaml ./
COPY esports_assets esports_assets
COPY serving serving
RUN pip install --no-cache-dir --no-deps --no-build-isolation -e . \
    && useradd --create-home esports \
    && install -d -o esports -g esports /srv/home
USER esports
CMD ["esports", "--help"]
