# The agent as an image: one bundled file on a slim Node, run by a user that is not root.
# Build from the project's root: docker build -f deploy/containers/agent.Dockerfile -t causeway-agent .
# The base is pinned by its major version. A site that needs the same bytes every time pins the digest it has checked.

FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
# No install scripts: the image brings Node, and no dependency needs one.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY shared ./shared
COPY agent ./agent
COPY deploy/build-agent.ts deploy/agent-flags.ts ./deploy/
RUN npm run build:agent

FROM node:24-slim
WORKDIR /opt/causeway
COPY --from=build /build/dist/agent.js /build/dist/package.json ./dist/
COPY LICENSE ./
COPY deploy/config/agent.json /etc/causeway/agent.json
RUN install -d -o node -g node -m 0700 /var/lib/causeway-agent
USER node
VOLUME /var/lib/causeway-agent
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["node", "-e", "fetch('http://127.0.0.1:7421/-/healthy').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# How Node is started comes from deploy/agent-flags.ts; a test keeps both alike.
ENV MALLOC_ARENA_MAX=1
ENTRYPOINT ["node", "--jitless", "--single-threaded", "--v8-pool-size=0", "--max-semi-space-size=1", "--minor-gc-task-trigger=10", "--optimize-for-size", "--disable-sigusr1", "--expose-gc", "dist/agent.js"]
CMD ["--config", "/etc/causeway/agent.json", "--collector", "ws://127.0.0.1:7420", "--data", "/var/lib/causeway-agent", "--interval", "10s", "--metrics-listen", "127.0.0.1:7421"]
