# Two images of one program: `wardline`, for what works with the servers over the network, and `wardline-node`, for what
# works beside a node of Cassandra as well, with its files and its nodetool. And `wardline-collector`: OpenTelemetry's
# collector, on a base with which its health can be checked.
ARG NODE_IMAGE=node:24-bookworm-slim
ARG BASE_IMAGE=debian:bookworm-slim
ARG CASSANDRA_IMAGE=cassandra:5.0.9
ARG COLLECTOR_IMAGE=otel/opentelemetry-collector-contrib:0.165.0

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# The image has a Node of its own: the package that brings one is left out.
RUN npm ci --no-audit --no-fund --ignore-scripts
COPY . .
RUN npm run build \
 && npm prune --omit=dev --ignore-scripts --no-audit --no-fund \
 && rm -rf node_modules/node node_modules/node-bin-* \
 && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' -o -name '*.md' \) -delete

FROM ${BASE_IMAGE} AS wardline
# Volumes take their owner from here when they are first mounted.
RUN mkdir -p /wardline/spool /wardline/checkpoints /state/spool /state/checkpoints /stores/backup /stores/escrow \
 && for name in kafka kafka-2 kafka-3 cassandra cassandra-2 cassandra-3; do \
      mkdir -p "/volumes/$name" "/volumes/$name-format" "/volumes/$name-data" "/volumes/$name-logs" "/volumes/$name-commitlog"; done \
 && for name in provision operator source worker notary recorder archiver collector jaeger; do mkdir -p "/volumes/$name"; done \
 && chown -R 10000:10000 /wardline /state /stores /volumes \
 && chmod -R 0700 /wardline /state /stores /volumes
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app/package.json /app/package.json
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY docker/wardline docker/connected /usr/local/bin/
ENV WARDLINE_CONTAINER=1 WARDLINE_HOME=/wardline MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=262144
USER 10000:10000
WORKDIR /state
ENTRYPOINT ["wardline"]
CMD ["--help"]

FROM ${CASSANDRA_IMAGE} AS wardline-node
USER root
RUN mkdir -p /wardline/spool /wardline/checkpoints /state/spool /state/checkpoints /stores/backup /stores/escrow /opt/wardline/jars \
 && ln -s /opt/cassandra/lib /opt/wardline/jars/cassandra \
 && chown -R 10000:10000 /wardline /state /stores \
 && chmod -R 0700 /wardline /state /stores
COPY --from=wardline /usr/local/bin/ /usr/local/bin/
COPY --from=wardline /app /app
ENV WARDLINE_CONTAINER=1 WARDLINE_HOME=/wardline WARDLINE_JARS=/opt/wardline/jars MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=262144
USER 10000:10000
WORKDIR /state
ENTRYPOINT ["wardline"]
CMD ["--help"]

FROM ${COLLECTOR_IMAGE} AS collector

FROM ${BASE_IMAGE} AS wardline-collector
COPY --from=collector /otelcol-contrib /otelcol-contrib
USER 10000:10000
ENTRYPOINT ["/otelcol-contrib"]
CMD ["--config", "/collector.yaml"]
