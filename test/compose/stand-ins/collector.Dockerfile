# In place of otel/opentelemetry-collector-contrib: a collector of the same release with the parts that are used.
FROM wardline-stand-in/debian
COPY otelcol-contrib /otelcol-contrib
