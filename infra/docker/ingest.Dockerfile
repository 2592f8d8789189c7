# Venues to NATS.
#
#   docker build -f infra/docker/ingest.Dockerfile -t tickwire-ingest .
#
# The context is the root of the repository. No secret belongs in an image: give them as TICKWIRE_ variables.

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY . .
RUN npm ci && npm run build && npm prune --omit=dev

FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
# Owned by root and run as another user, so that the program cannot change itself.
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/proto proto
COPY --from=build /app/clients/typescript clients/typescript
COPY --from=build /app/dist dist
COPY --from=build /app/services/cli/tickwire.mjs /app/services/cli/compiled-program.mjs services/cli/
USER node

# Inside a container loopback reaches nobody; which address the host publishes is up to whoever runs it.
ENV TICKWIRE_ADMIN__HOST=0.0.0.0
EXPOSE 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Where much is asked at once, the collector of garbage stops the process for a time that grows with its young
# space: see "What an operator can set" in docs/performance.md.
ENTRYPOINT ["node", "--max-semi-space-size=8", "services/cli/tickwire.mjs"]
CMD ["ingest"]
