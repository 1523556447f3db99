# The slim service: ONNX Runtime, no Dagster, MLflow, scikit-learn or pandas. The build context is the project's folder.
FROM python:3.13-slim
WORKDIR /srv/esports
COPY requirements-serving.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements-serving.lock
COPY esports_assets esports_assets
COPY serving serving
RUN useradd --create-home esports
ENV PYTHONPATH=/srv/esports
USER esports
EXPOSE 8000
CMD ["python", "-m", "serving.app"]
